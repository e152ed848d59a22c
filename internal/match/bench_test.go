package match_test

import (
	"slices"
	"testing"
	"time"

	elimity "github.com/elimity-com/scim/filter"
	"github.com/elimity-com/scim/schema"
)

var benchFilters = []struct{ name, filter string }{
	{"eq", `userName eq "ANN@ex.test"`},
	{"and", `active eq true and userName sw "ann"`},
	{"valuePath", `emails[type eq "work" and value co "ex.test"]`},
}

func BenchmarkMatch(b *testing.B) {
	for _, bf := range benchFilters {
		b.Run(bf.name, func(b *testing.B) {
			match := ours(b, bf.filter)
			b.ReportAllocs()
			for b.Loop() {
				match()
			}
		})
	}
}

// BenchmarkElimity is the peer: the same filters on the same user with elimity's validator.
func BenchmarkElimity(b *testing.B) {
	for _, bf := range benchFilters {
		b.Run(bf.name, func(b *testing.B) {
			match := theirs(b, bf.filter)
			b.ReportAllocs()
			for b.Loop() {
				match()
			}
		})
	}
}

// BenchmarkRatio runs both by turns, so that whatever else the machine does falls on both,
// and reports how many times as long elimity takes: the median of the rounds.
func BenchmarkRatio(b *testing.B) {
	for _, bf := range benchFilters {
		b.Run(bf.name, func(b *testing.B) {
			a, z := ours(b, bf.filter), theirs(b, bf.filter)
			timed := func(n int, match func()) float64 {
				start := time.Now()
				for range n {
					match()
				}
				return float64(time.Since(start)) / float64(n)
			}
			var ratios []float64
			for b.Loop() {
				ratios = append(ratios, timed(200, z)/timed(2000, a))
			}
			slices.Sort(ratios)
			b.ReportMetric(ratios[len(ratios)/2], "x-elimity")
			b.ReportMetric(0, "ns/op") // of a round, which says nothing
		})
	}
}

func ours(b *testing.B, filter string) func() {
	typ := userType(b)
	d, f := people[0].document(typ), compile(b, typ, filter)
	return func() {
		if !f.Match(d) {
			b.Fatal("no match")
		}
	}
}

func theirs(b *testing.B, filter string) func() {
	user := map[string]any{
		"userName": "ann@ex.test", "externalId": "123", "title": "Head of IT", "active": true,
		"name": map[string]any{"familyName": "Ånström", "givenName": "Ann"},
		"emails": []any{
			map[string]any{"value": "Ann@Ex.test", "type": "work", "primary": true},
			map[string]any{"value": "ann@home.test", "type": "home"},
		},
	}
	v, err := elimity.NewValidator(filter, schema.CoreUserSchema(), schema.ExtensionEnterpriseUser())
	if err != nil {
		b.Fatal(err)
	}
	return func() {
		if err := v.PassesFilter(user); err != nil {
			b.Fatal(err)
		}
	}
}
