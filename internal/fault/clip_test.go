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

func TestClipRepeatsNoPassword(t *testing.T) {
	late := strings.Repeat("x", 100) + "password"
	for _, tt := range []struct{ in, want string }{
		{`password[value eq "hunter2"]`, "[redacted]"},
		{"hunter2" + late, "[redacted]"},
		{"p%2561ssword%20hunter2", "[redacted]"},
		{"password", "password"},
		{"urn:ietf:params:scim:schemas:core:2.0:User:password", "urn:ietf:params:scim:schemas:core:2.0:User:password"},
	} {
		for how, got := range map[string]string{"Clip": Clip(tt.in), "ClipTo": ClipTo(70, tt.in), "QuoteTo": strings.Trim(QuoteTo(70, tt.in), `"`)} {
			if got != tt.want {
				t.Errorf("%s(%q) = %q, want %q", how, tt.in, got, tt.want)
			}
		}
	}
	if got := ClipName("Password Admins"); got != "Password Admins" {
		t.Errorf("ClipName = %q: people may call a group so", got)
	}
}
