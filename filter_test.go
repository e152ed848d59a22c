package scim_test

import (
	"fmt"
	"testing"

	"github.com/scimkit/scim"
)

// text translates a filter into a readable form of every piece.
var text = scim.FilterVisitor[string]{
	And:   func(l, r string) string { return "(" + l + " AND " + r + ")" },
	Or:    func(l, r string) string { return "(" + l + " OR " + r + ")" },
	Not:   func(in string) string { return "NOT " + in },
	Const: func(yes bool) string { return fmt.Sprint(yes) },
	Compare: func(c scim.Comparison) (string, error) {
		return fmt.Sprintf("%s %s %T(%v) null=%t text=%t in=%t", c.Attribute.Path, c.Op, c.Literal, c.Literal, c.Null, c.Text, c.InElement), nil
	},
	Some: func(a scim.Attribute, in string) (string, error) { return "SOME " + a.Path + " " + in, nil },
}

func TestTranslateFilter(t *testing.T) {
	tests := []struct{ filter, want string }{
		{`userName eq "ANN"`, "userName eq string(ann) null=false text=false in=false"},
		{`externalId eq "ANN"`, "externalId eq string(ANN) null=false text=false in=false"},
		{`not (active eq true) or title pr`, "(NOT active eq bool(true) null=false text=false in=false OR title pr <nil>(<nil>) null=false text=false in=false)"},
		{`emails[type eq "Work" and value ne null]`, "SOME emails (emails.type eq string(work) null=false text=false in=true AND emails.value ne <nil>(<nil>) null=true text=false in=true)"},
		{`meta.created gt "2026-01-01T01:00:00+01:00"`, "meta.created gt time.Time(2026-01-01 00:00:00 +0000 UTC) null=false text=false in=false"},
		{`meta.created sw "2026"`, "meta.created sw string(2026) null=false text=true in=false"},
		{`meta pr`, "true"},
	}
	for _, tt := range tests {
		f, err := scim.ParseFilter(scim.UserType(), tt.filter)
		if err != nil {
			t.Fatal(err)
		}
		got, err := scim.TranslateFilter(f, text)
		if err != nil || got != tt.want {
			t.Errorf("%s:\n got %s, %v\nwant %s", tt.filter, got, err, tt.want)
		}
	}
	if got, err := scim.TranslateFilter(nil, text); got != "true" || err != nil {
		t.Errorf("no filter: %s, %v", got, err)
	}
	if _, err := scim.TranslateFilter(nil, scim.FilterVisitor[string]{}); err == nil {
		t.Error("an empty visitor is accepted")
	}
}

func TestAttrs(t *testing.T) {
	a, ok := scim.UserType().Attribute("EMAILS.value")
	if !ok || a.Path != "emails.value" || a.Type != "string" || a.CaseExact || a.Parent == nil || !a.Parent.MultiValued {
		t.Errorf("%+v %t", a, ok)
	}
	if _, ok := scim.UserType().Attribute("nope"); ok {
		t.Error("an unknown path has an Attr")
	}
	n := 0
	for _, a := range scim.UserType().Attributes() {
		if again, ok := scim.UserType().Attribute(a.Path); !ok || again.Path != a.Path {
			t.Errorf("%s is not found by its own path", a.Path)
		}
		n++
	}
	if n < 80 {
		t.Errorf("%d attributes", n)
	}
}
