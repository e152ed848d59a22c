package fold

import "testing"

func TestLookAlike(t *testing.T) {
	for _, tt := range []struct {
		name, a, b string
		same       bool
	}{
		{"case", "Admin", "aDMIN", true},
		{"width", "Admin", "Ａｄｍｉｎ", true},
		{"a zero-width space", "Admin", "Ad\u200bmin", true},
		{"a soft hyphen and a joiner", "Admin", "A\u00add\u2060min", true},
		{"a variation selector", "Admin", "Admin\ufe0f", true},
		{"spaces around and within", "Team Lead", " Team\u00a0 Lead ", true},
		{"composition", "Caf\u00e9", "Cafe\u0301", true},
		{"a ligature", "Office", "O\ufb03ce", true},
		{"an accent", "Cafe", "Café", false},
		{"a space that divides", "Ad min", "Admin", false},
		{"another name", "Admin", "Admins", false},
		{"nothing to see", "\u200b", "", true},
	} {
		if same := LookAlike(tt.a) == LookAlike(tt.b); same != tt.same {
			t.Errorf("%s: %q and %q: %t, want %t", tt.name, tt.a, tt.b, same, tt.same)
		}
	}
}
