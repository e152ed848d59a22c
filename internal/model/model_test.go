package model

import (
	"encoding/json"
	"testing"

	"github.com/elimity-com/scim/schema"
)

func userType(t *testing.T) *Type {
	t.Helper()
	m, err := Compile("User", schema.CoreUserSchema(), []schema.Schema{schema.ExtensionEnterpriseUser()})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestFind(t *testing.T) {
	const ent = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	tests := []struct{ path, want, reason string }{
		{"userName", "userName", ""},
		{"USERNAME", "userName", "names are case-insensitive (RFC 7643, Section 2.1)"},
		{"name.givenName", "name.givenName", ""},
		{"emails.Value", "emails.value", "sub-attributes too"},
		{"urn:ietf:params:scim:schemas:core:2.0:User:userName", "userName", "the core URN may be given (RFC 7644, Section 3.10)"},
		{"URN:IETF:params:scim:schemas:core:2.0:user:name.familyName", "name.familyName", "URNs are case-insensitive"},
		{ent, ent, "an extension is an attribute named by its URN"},
		{ent + ":department", ent + ":department", "beware of the dot in 2.0"},
		{ent + ":manager.value", ent + ":manager.value", ""},
		{"meta.lastModified", "meta.lastModified", "common attributes are there too"},
		{"externalId", "externalId", ""},
		{"department", "", "an extension's attribute needs its URN"},
		{"nope", "", ""},
		{"name.nope", "", ""},
		{"", "", ""},
		{"urn:ietf:params:scim:schemas:core:2.0:User", "", "the core URN alone names no attribute"},
		{"uſerName", "", "only ASCII letters have cases in names"},
		{"urn:example:other:User:userName", "", "an unknown URN"},
	}
	m := userType(t)
	for _, tt := range tests {
		got := ""
		if a := m.Find(tt.path); a != nil {
			got = a.Path
		}
		if got != tt.want {
			t.Errorf("Find(%q) = %q, want %q: %s", tt.path, got, tt.want, tt.reason)
		}
	}
}

func TestCompile(t *testing.T) {
	m := userType(t)
	for path, check := range map[string]func(a *Attribute) bool{
		"userName": func(a *Attribute) bool { return a.Required && a.Unique && !a.CaseExact },
		"id": func(a *Attribute) bool {
			return a.Meta && a.CaseExact && a.Returned == Always && a.Mutability == ReadOnly
		},
		"password":   func(a *Attribute) bool { return a == m.Password && a.Mutability == WriteOnly && a.Returned == Never },
		"profileUrl": func(a *Attribute) bool { return a.Kind == Reference && a.CaseExact },
		"emails":     func(a *Attribute) bool { return a.Multi && a.Kind == Complex && a.Key == `"emails":` },
		"groups":     func(a *Attribute) bool { return a.Mutability == ReadOnly && a.Lookup("value").CaseExact },
	} {
		if a := m.Find(path); a == nil || !check(a) {
			t.Errorf("%s is compiled to %+v", path, a)
		}
	}
	if m.Members != nil {
		t.Error("a User has members")
	}
	g, err := Compile("Group", schema.CoreGroupSchema(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if g.Members == nil || g.Members.Name != "members" {
		t.Errorf("members of Group: %+v", g.Members)
	}
	for i, a := range g.Root.Sub {
		if a.Order != i || a.Parent != g.Root {
			t.Errorf("%s is at %d, not %d", a.Name, a.Order, i)
		}
	}
}

func TestCompileRefusesAmbiguity(t *testing.T) {
	core := schema.CoreUserSchema()
	core.Attributes = append(core.Attributes, schema.SimpleCoreAttribute(schema.SimpleStringParams(schema.StringParams{Name: "USERNAME"})))
	if _, err := Compile("User", core, nil); err == nil {
		t.Error("an attribute that is there twice, in other case, is accepted")
	}
	ext := schema.ExtensionEnterpriseUser()
	if _, err := Compile("User", schema.CoreUserSchema(), []schema.Schema{ext, ext}); err == nil {
		t.Error("an extension that is there twice is accepted")
	}
}

// TestCompileDecoded compiles schemas that were decoded from JSON.
func TestCompileDecoded(t *testing.T) {
	for _, tt := range []struct{ attribute, want, reason string }{
		{`{"name":"a","type":"complex","subAttributes":[{"name":"value","type":"string"},{"name":"$ref","type":"reference"}]}`,
			"", "$ref is the name of a sub-attribute"},
		{`{"name":"$ref","type":"reference"}`,
			`schema urn:x: attribute "$ref": the name does not begin with a letter (RFC 7643, Section 2.1)`, "it is no attribute's name"},
		{`{"name":"a","type":"complex","subAttributes":[{"name":"b","type":"complex","subAttributes":[{"name":"c","type":"string"}]}]}`,
			`schema urn:x: attribute "a": the sub-attribute "b" is complex (RFC 7643, Section 2.3.8)`, "elimity would drop c"},
	} {
		var s schema.Schema
		if err := json.Unmarshal([]byte(`{"id":"urn:x","attributes":[`+tt.attribute+`]}`), &s); err != nil {
			t.Fatal(err)
		}
		core := schema.CoreGroupSchema()
		for place, compile := range map[string]func() (*Type, error){
			"core":      func() (*Type, error) { return Compile("X", s, nil) },
			"extension": func() (*Type, error) { return Compile("Group", core, []schema.Schema{s}) },
		} {
			got := ""
			if _, err := compile(); err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("%s as %s: %q, want %q: %s", tt.attribute, place, got, tt.want, tt.reason)
			}
		}
	}
}

func TestCutURN(t *testing.T) {
	deep := schema.Schema{ID: "urn:x:a:b"}
	m, err := Compile("Thing", schema.Schema{ID: "urn:x"}, []schema.Schema{deep, {ID: "urn:x:a"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ path, separators, within, rest string }{
		{"urn:x", ":", "root", ""},
		{"URN:X:name", ":", "root", ":name"},
		{"urn:x:a:b:c", ":", "urn:x:a:b", ":c"},
		{"urn:x:a:bc", ":", "urn:x:a", ":bc"},
		{"urn:x:a.b", ":", "root", ":a.b"},
		{"urn:x:a.b", ":.", "urn:x:a", ".b"},
		{"urn:x:A:B", ":.", "urn:x:a:b", ""},
		{"urn:xy", ":.", "", "urn:xy"},
		{"name", ":", "", "name"},
		{"", ":", "", ""},
	} {
		within, rest := m.CutURN(tt.path, tt.separators)
		got := ""
		if within == m.Root {
			got = "root"
		} else if within != nil {
			got = within.Name
		}
		if got != tt.within || rest != tt.rest {
			t.Errorf("CutURN(%q, %q) = %s, %q; want %s, %q", tt.path, tt.separators, got, rest, tt.within, tt.rest)
		}
	}
}
