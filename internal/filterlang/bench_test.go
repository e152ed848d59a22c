package filterlang

import (
	"testing"

	filter "github.com/scim2/filter-parser/v2"
)

func TestAllocations(t *testing.T) {
	for _, c := range []struct {
		name, reason string
		text         string
		most         float64
	}{
		{"look-up by name", "every client's most frequent filter; the node and its value", `userName eq "x"`, 2},
		{"with escapes", "only such a string is copied", `userName eq "x\"y"`, 4},
		{"URN and sub-attribute", "the tree wants pointers to both", enterprise + `:manager.value eq "x"`, 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := testing.AllocsPerRun(100, func() {
				if _, err := ParseFilter(c.text, Limits{}, nil); err != nil {
					t.Error(err)
				}
			})
			if got > c.most {
				t.Errorf("%v allocations, at most %v\nreason: %s", got, c.most, c.reason)
			}
		})
	}
}

const complexFilter = `userType eq "Employee" and (emails[type eq "work" and value co "@example.com"] or not (active eq false))`

func BenchmarkParseFilter(b *testing.B) {
	for _, c := range []struct{ name, text string }{{"simple", `userName eq "x"`}, {"complex", complexFilter}} {
		b.Run(c.name+"/ours", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := ParseFilter(c.text, Limits{}, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(c.name+"/filter-parser", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := filter.ParseFilter([]byte(c.text)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
