package secret

import (
	"strings"
	"testing"
)

func TestIsIn(t *testing.T) {
	for _, tt := range []struct {
		text   string
		want   bool
		reason string
	}{
		{"", false, "nothing is nothing"},
		{`userName eq "ann"`, false, "another attribute"},
		{`title eq "100%"`, false, "a percent sign alone is no encoding"},
		{"passwor%zz", false, "this is no encoding either"},
		{`password eq "hunter2"`, true, "a filter"},
		{"urn:ietf:params:scim:schemas:core:2.0:User:password", true, "the name; see IsName"},
		{"PassWord", true, "names are case-insensitive"},
		{"pa\u017fsword", true, "a letter that folds to s"},
		{"\uff50assword", true, "a wide letter"},
		{"pass%77ord%20eq", true, "encoded once"},
		{"p%2561ssword", true, "encoded twice"},
		{"p%252561ssword", true, "encoded three times"},
		{"%25252525252541", true, "this often is no mistake"},
	} {
		if got := IsIn(tt.text); got != tt.want {
			t.Errorf("IsIn(%q) = %v: %s", tt.text, got, tt.reason)
		}
	}
}

func TestIsName(t *testing.T) {
	for text, want := range map[string]bool{
		"password": true, "PASSWORD": true,
		"urn:ietf:params:scim:schemas:core:2.0:User:password": true,
		"pa\u017fsword":                false, // "ſ" is no letter of the name
		"password ":                    false,
		"hunter2:password":             false,
		"urn:hunter 2:password":        false,
		`password[value eq "hunter2"]`: false,
		"":                             false,
	} {
		if got := IsName(text); got != want {
			t.Errorf("IsName(%q) = %v", text, got)
		}
	}
}

func TestIsInIsCheap(t *testing.T) {
	long := strings.Repeat("%25", 300_000)
	if n := testing.AllocsPerRun(1, func() { IsIn(long) }); n > 10 {
		t.Errorf("%v allocations for a long text", n)
	}
}
