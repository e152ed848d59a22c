package fault

import (
	"strings"
	"testing"
)

func TestClip(t *testing.T) {
	long := strings.Repeat("x", 59)
	for _, tt := range []struct{ in, want, quoted string }{
		{"", "", `""`},
		{long + "y", long + "y", `"` + long + `y"`},
		{long + "yz", long + "y…", `"` + long + `y"…`},
		{long + "ée", long + "…", `"` + long + `"…`},
		{"a\xffb", "a\uFFFDb", `"a\xffb"`},
		{strings.Repeat("\x80", 61), "\uFFFD…", ""},
	} {
		if got := Clip(tt.in); got != tt.want {
			t.Errorf("Clip(%q) = %q, want %q", tt.in, got, tt.want)
		}
		if got := QuoteTo(60, tt.in); tt.quoted != "" && got != tt.quoted {
			t.Errorf("QuoteTo(60, %q) = %s, want %s", tt.in, got, tt.quoted)
		}
	}
	if got := Quote(`a"b`); got != `"a\"b"` {
		t.Errorf("Quote = %s", got)
	}
}
