package fold

import (
	"testing"
	"unicode/utf8"
)

func TestEqual(t *testing.T) {
	tests := []struct {
		name, a, b string
		equal      bool
		reason     string
	}{
		{"case", "Ann@Ex.Test", "aNN@ex.tEST", true, "userName is not case-exact"},
		{"other letters", "ann", "anm", false, ""},
		{"length", "ann", "anna", false, ""},
		{"umlaut case", "JÜRGEN", "jürgen", true, "not only ASCII has cases"},
		{"composed and decomposed", "jürgen", "ju\u0308rgen", true, "NFC"},
		{"full width", "ＡＮＮ", "ann", true, "PRECIS width mapping"},
		{"with a space, full width", "ＡＮＮ bo", "ann BO", true, "the profile does not admit spaces; the mapping is the same"},
		{"sharp s", "straße", "strasse", false, "lower case is no case folding: two different names"},
		{"sharp s with a space", "die straße", "die strasse", false, "the same rule with and without the profile"},
		{"dotless i", "ılker", "ilker", false, "two letters"},
		{"long s", "ſam", "sam", false, "lower case keeps the long s"},
		{"final sigma", "ΟΔΟΣ", "οδοσ", true, "one sigma whatever follows"},
		{"look-alike", "аnn", "ann", false, "a Cyrillic letter"},
		{"empty", "", "", true, ""},
		{"zero width", "ann\u200b", "ann", false, "what cannot be seen still counts"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Equal(tt.a, tt.b); got != tt.equal {
				t.Errorf("Equal(%q, %q) = %t: %s", tt.a, tt.b, got, tt.reason)
			}
			if got := Key(tt.a) == Key(tt.b); got != tt.equal {
				t.Errorf("keys %q and %q: %s", Key(tt.a), Key(tt.b), tt.reason)
			}
		})
	}
}

func FuzzKey(f *testing.F) {
	for _, s := range []string{"Ann", "JÜRGEN bo", "ＡΣ", "ı İ", "\u0345\u1fc3", "ﷺ"} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		if !utf8.ValidString(a) || !utf8.ValidString(b) {
			return
		}
		if Equal(a, b) != (Key(a) == Key(b)) {
			t.Errorf("Equal(%q, %q) does not agree with the keys %q, %q", a, b, Key(a), Key(b))
		}
		if k := Key(a); Key(k) != k {
			t.Errorf("Key(%q) = %q, whose key is %q", a, k, Key(k))
		}
	})
}

func TestEqualDoesNotAllocateForASCII(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() { Equal("Ann@Example.Test", "ann@example.test") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
