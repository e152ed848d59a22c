package dialect

import "testing"

func TestPairs(t *testing.T) {
	for _, all := range [][][2]string{nil, {}, {{"a", "b"}}, {{"AZaz09_-", ""}, {"\"\\\n\x00\x7fé\u2028<", "\xff"}}} {
		want := Tuples(all, func(p [2]string) []any { return []any{p[0], p[1]} })
		if got := Pairs(all); got != want {
			t.Errorf("%q: %s, want %s", all, got, want)
		}
	}
}
