package match_test

import (
	"testing"

	elimity "github.com/elimity-com/scim/filter"
	"github.com/elimity-com/scim/schema"
)

var benchFilters = []struct{ name, filter string }{
	{"eq", `userName eq "ANN@ex.test"`},
	{"and", `active eq true and userName sw "ann"`},
	{"valuePath", `emails[type eq "work" and value co "ex.test"]`},
}

func BenchmarkMatch(b *testing.B) {
	typ := userType(b)
	d := people[0].document(typ)
	for _, bf := range benchFilters {
		b.Run(bf.name, func(b *testing.B) {
			f := compile(b, typ, bf.filter)
			b.ReportAllocs()
			for b.Loop() {
				if !f.Match(d) {
					b.Fatal("no match")
				}
			}
		})
	}
}

// BenchmarkElimity is the peer: the same filters on the same user with elimity's validator.
func BenchmarkElimity(b *testing.B) {
	user := map[string]any{
		"userName": "ann@ex.test", "externalId": "123", "title": "Head of IT", "active": true,
		"name": map[string]any{"familyName": "Ånström", "givenName": "Ann"},
		"emails": []any{
			map[string]any{"value": "Ann@ex.test", "type": "work", "primary": true},
			map[string]any{"value": "ann@home.test", "type": "home"},
		},
	}
	for _, bf := range benchFilters {
		b.Run(bf.name, func(b *testing.B) {
			v, err := elimity.NewValidator(bf.filter, schema.CoreUserSchema(), schema.ExtensionEnterpriseUser())
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if err := v.PassesFilter(user); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
