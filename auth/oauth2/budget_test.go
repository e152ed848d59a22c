//go:build !race

package oauth2_test

import "testing"

// A JWT at first sight costs at most twice its bare verification, and one that was seen before a few
// microseconds. BenchmarkAuthenticate has the figures; here they have room for a busy machine.
func TestCost(t *testing.T) {
	for _, s := range signedTokens(t) {
		works := s.works(t)
		inTurn(20, works)
		m := inTurn(300, works)
		t.Logf("%s: %v at first sight, %v bare (%.2f times), %v seen before", s.alg, m["first"], m["bare"], float64(m["first"])/float64(m["bare"]), m["seen"])
		if m["first"] > 3*m["bare"] {
			t.Errorf("%s: %v at first sight is far more than twice the bare %v", s.alg, m["first"], m["bare"])
		}
		if m["seen"] > m["bare"]/2 {
			t.Errorf("%s: %v for a token that was seen before, the bare verification takes %v", s.alg, m["seen"], m["bare"])
		}
		for name, most := range map[string]float64{"first": 250, "seen": 20} {
			if got := testing.AllocsPerRun(50, works[name]); got > most {
				t.Errorf("%s, %s: %.0f allocations, at most %.0f", s.alg, name, got, most)
			}
		}
	}
}
