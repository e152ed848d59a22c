package patch_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/filterlang"
	"github.com/scimkit/scim/internal/patch"
	"github.com/scimkit/scim/internal/tolerance"
)

// TestRefuse lists what is refused although everything is tolerated. says must be
// in the detail: the name of the attribute or what is allowed.
func TestRefuse(t *testing.T) {
	typ := user(t)
	tests := []struct {
		name, reason string
		body         string
		want, says   string
	}{
		{"empty body", "no JSON", ``, fault.InvalidSyntax, "JSON"},
		{"array", "a message is an object", `[]`, fault.InvalidSyntax, "object"},
		{"cut off", "no JSON", `{"Operations":[`, fault.InvalidSyntax, "too early"},
		{"something behind", "one message in one body", `{"Operations":[{"op":"remove","path":"title"}]} x`, fault.InvalidSyntax, "behind"},
		{"no Operations", "RFC 7644, Section 3.5.2: MUST", `{"schemas":["` + messageURN + `"]}`, fault.InvalidSyntax, "Operations"},
		{"empty Operations", "one or more", string(message(``)), fault.InvalidSyntax, "Operations"},
		{"Operations no array", "an array", `{"Operations":{}}`, fault.InvalidSyntax, "array"},
		{"Operations twice", "names have no case", `{"Operations":[],"operations":[]}`, fault.InvalidSyntax, "twice"},
		{"operation no object", "an object", string(message(`1`)), fault.InvalidSyntax, "object"},
		{"other schemas", "it isn't a PATCH", `{"schemas":["urn:x"],"Operations":[{"op":"remove","path":"title"}]}`, fault.InvalidSyntax, messageURN},
		{"duplicate name", "it isn't clear which is meant", string(message(`{"op":"add","value":{"title":"a","title":"b"}}`)), fault.InvalidSyntax, "duplicate"},
		{"invalid UTF-8", "RFC 8259, Section 8.1", string(message("{\"op\":\"add\",\"path\":\"title\",\"value\":\"\xff\"}")), fault.InvalidSyntax, "UTF-8"},
		{"too deep", "a limit", string(message(`{"op":"add","value":{"x":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}}`)), fault.InvalidSyntax, "32"},
		{"unknown op", "the detail lists what is allowed", string(message(`{"op":"move","path":"title"}`)), fault.InvalidSyntax, "add, remove or replace"},
		{"no op", "the same", string(message(`{"path":"title"}`)), fault.InvalidSyntax, "add, remove or replace"},
		{"op no string", "a string", string(message(`{"op":1,"path":"title"}`)), fault.InvalidSyntax, "op"},
		{"path no string", "a string", string(message(`{"op":"remove","path":["title"]}`)), fault.InvalidSyntax, "path"},

		{"no value", "RFC 7644, Section 3.5.2.1: MUST", string(message(`{"op":"add","path":"title"}`)), fault.InvalidValue, "title"},
		{"no value and no path", "the same", string(message(`{"op":"replace"}`)), fault.InvalidValue, "value"},
		{"string without path", "only an object has attributes", string(message(`{"op":"add","value":"a"}`)), fault.InvalidValue, "object"},
		{"extension no object", "only an object has attributes", string(message(`{"op":"add","path":"` + enterpriseURN + `","value":"a"}`)), fault.InvalidValue, enterpriseURN},
		{"core URN no object", "the same", string(message(`{"op":"add","value":{"` + coreURN + `":"a"}}`)), fault.InvalidValue, coreURN},
		{"remove without path", "RFC 7644, Section 3.5.2.2: noTarget", string(message(`{"op":"remove"}`)), fault.NoTarget, "path"},
		{"remove with the core URN as path", "it would be all", string(message(`{"op":"remove","path":"` + coreURN + `"}`)), fault.NoTarget, "path"},
		{"bad path", "no grammar has it", string(message(`{"op":"remove","path":"emails[type eq \"a\""}`)), fault.InvalidPath, ""},
		{"bad filter in a key", "it means to be a path", string(message(`{"op":"add","value":{"emails[type zz \"a\"].value":"x"}}`)), fault.InvalidPath, ""},
		{"filter on a simple attribute", "there is nothing to select from", string(message(`{"op":"remove","path":"title[value eq \"a\"]"}`)), fault.InvalidPath, "title"},
		{"filter of an unknown sub-attribute", "nothing could match", string(message(`{"op":"remove","path":"emails[colour eq \"a\"]"}`)), fault.InvalidFilter, "colour"},
		{"string for a list of addresses", "Q30: wrong is wrong", string(message(`{"op":"add","path":"addresses","value":"a"}`)), fault.InvalidValue, "addresses"},
		{"Q30 a number for primary", "wrong is wrong", string(message(`{"op":"add","path":"emails[type eq \"work\"].primary","value":"555-1234"}`)), fault.InvalidValue, "primary"},
		{"Q2 another string for a boolean", "wrong is wrong", string(message(`{"op":"replace","path":"active","value":"maybe"}`)), fault.InvalidValue, "active"},
		{"Q18 two values for one", "which is meant?", string(message(`{"op":"replace","path":"title","value":["a","b"]}`)), fault.InvalidValue, "title"},
		{"Q17 two values for one filter", "which is meant?", string(message(`{"op":"add","path":"emails[type eq \"work\"]","value":[{"value":"a"},{"value":"b"}]}`)), fault.InvalidValue, "emails"},
		{"a text that is no object", "it is a string", string(message(`{"op":"add","value":"title"}`)), fault.InvalidValue, "object"},
		{"a list in a string", "a resource is an object", string(message(`{"op":"add","value":"[]"}`)), fault.InvalidValue, "object"},
		{"a name twice, in a string", "as in the body", string(message(`{"op":"add","value":"{\"title\":\"a\",\"title\":\"b\"}"}`)), fault.InvalidValue, "object"},
		{"a string in a string", "once is enough", string(message(`{"op":"add","value":"\"{}\""}`)), fault.InvalidValue, "object"},
		{"deep in a string", "the limit counts there too", string(message(`{"op":"add","value":"{\"x\":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}"}`)), fault.InvalidSyntax, "levels"},
		{"a password in a string", "no error repeats it", string(message(`{"op":"add","value":"{\"password\":[\"geheim\",\"geheim\"]}"}`)), fault.InvalidValue, "password"},
		{"the same attribute twice", "which is meant?", string(message(`{"op":"add","value":{"title":"a","Title":"b"}}`)), fault.InvalidSyntax, "title"},
		{"Q8 a filter that can't be made true", "only eq and and say what to make", string(message(`{"op":"replace","path":"emails[type eq \"work\" or type eq \"home\"].value","value":"a"}`)), fault.NoTarget, "emails"},
		{"Q8 on a single complex value", "the same", string(message(`{"op":"replace","path":"name[givenName sw \"A\"].familyName","value":"B"}`)), fault.NoTarget, "name"},

		{"Q28 path id", "read-only", string(message(`{"op":"replace","path":"id","value":"2"}`)), fault.Mutability, "id"},
		{"Q28 path meta", "read-only", string(message(`{"op":"replace","path":"meta.version","value":"2"}`)), fault.Mutability, "meta.version"},
		{"Q28 path groups", "read-only", string(message(`{"op":"add","path":"groups","value":[{"value":"g1"}]}`)), fault.Mutability, "groups"},
		{"Q28 remove groups", "read-only", string(message(`{"op":"remove","path":"groups[value eq \"g1\"]"}`)), fault.Mutability, "groups"},
		{"read-only attribute of an extension", "read-only", string(message(`{"op":"replace","path":"` + deskURN + `:number","value":"2"}`)), fault.Mutability, "number"},
		{"remove a read-only attribute", "read-only", string(message(`{"op":"remove","path":"` + deskURN + `:number"}`)), fault.Mutability, "number"},
		{"password with parts", "it has none", string(message(`{"op":"add","path":"password[value eq \"x\"]","value":"geheim"}`)), fault.InvalidPath, "password"},
		{"password no string", "a string", string(message(`{"op":"add","path":"password","value":{"geheim":"geheim"}}`)), fault.InvalidValue, "password"},
		{"password with NUL", "no database keeps it", string(message(`{"op":"add","path":"password","value":"geheim\u0000"}`)), fault.InvalidValue, "password"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, o := tolerant()
			before := stored(t, typ, `{"`+deskURN+`":{"number":"1"}}`)
			got, err := run(typ, before, []byte(test.body), o)
			if diff := cmp.Diff(test.want, kind(t, err)); diff != "" {
				t.Fatalf("%s (-want +got):\n%s%v", test.reason, diff, err)
			}
			if got != nil {
				t.Errorf("an error and a result: %v", got)
			}
			if detail := err.Error(); !strings.Contains(detail, test.says) || strings.Contains(detail, "geheim") || len(detail) > 300 {
				t.Errorf("detail %q", detail)
			}
		})
	}
}

// TestStrictRefuse lists what only strictness refuses, beyond the rows of TestApply.
func TestStrictRefuse(t *testing.T) {
	typ := user(t)
	tests := []struct {
		name, body, want string
		needs            tolerance.Name
	}{
		{"Q3 no schemas", `{"Operations":[{"op":"add","path":"title","value":"a"}]}`, fault.InvalidSyntax, tolerance.MissingSchemas},
		{"Q26 unknown path", string(message(`{"op":"add","path":"companyName","value":"a"}`)), fault.InvalidPath, tolerance.UnknownAttribute},
		{"Q26 unknown key", string(message(`{"op":"add","value":{"companyName":"a"}}`)), fault.InvalidPath, tolerance.UnknownAttribute},
		{"Q26 unknown sub-attribute", string(message(`{"op":"add","path":"name.nick","value":"a"}`)), fault.InvalidPath, tolerance.UnknownAttribute},
		{"Q28 id in a value", string(message(`{"op":"replace","value":{"id":"1"}}`)), fault.Mutability, tolerance.ReadOnlyInValue},
		{"Q83 an object in a string", string(message(`{"op":"add","value":"{\"title\":\"a\"}"}`)), fault.InvalidValue, tolerance.ObjectInString},
		{"Q28 groups in a value", string(message(`{"op":"replace","value":{"groups":[]}}`)), fault.Mutability, tolerance.ReadOnlyInValue},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			used, o := tolerant()
			if _, err := run(typ, nil, []byte(test.body), o); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]tolerance.Name{test.needs}, used.Used()); diff != "" {
				t.Errorf("tolerances used (-want +got):\n%s", diff)
			}
			o.Doc.Tol = &tolerance.Use{Off: []tolerance.Name{test.needs}}
			_, err := run(typ, nil, []byte(test.body), o)
			if diff := cmp.Diff(test.want, kind(t, err)); diff != "" {
				t.Errorf("switched off (-want +got):\n%s", diff)
			}
		})
	}
}

func TestLimits(t *testing.T) {
	typ := user(t)
	op := `{"op":"remove","path":"title"}`
	tests := []struct {
		name   string
		o      patch.Options
		body   []byte
		status int // 0 for success
		want   string
	}{
		{"operations at the limit", patch.Options{MaxOps: 2}, message(op + "," + op), 0, ""},
		{"operations above it", patch.Options{MaxOps: 2}, message(op + "," + op + "," + op), 413, fault.TooMany},
		{"depth at the limit", patch.Options{MaxDepth: 4}, message(`{"op":"add","value":{"x":1}}`), 0, ""},
		{"depth above it", patch.Options{MaxDepth: 4}, message(`{"op":"add","value":{"x":{}}}`), 400, fault.InvalidSyntax},
		{"brackets in strings are no depth", patch.Options{MaxDepth: 3}, message(`{"op":"add","path":"title","value":"[[[[\"[[["}`), 0, ""},
		{"path too long", patch.Options{Limits: filterlang.Limits{Length: 10}}, message(`{"op":"remove","path":"emails[type eq \"work\"]"}`), 400, fault.InvalidPath},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r, err := patch.Parse(typ, test.body, test.o)
			if diff := cmp.Diff(test.want, kind(t, err)); diff != "" {
				t.Fatalf("(-want +got):\n%s%v", diff, err)
			}
			var f *fault.Error
			if errors.As(err, &f) && f.Status != test.status {
				t.Errorf("status %d, want %d", f.Status, test.status)
			}
			if (r == nil) != (err != nil) {
				t.Errorf("request %v beside error %v", r, err)
			}
		})
	}
}

// TestIgnored looks at the report of what was passed over.
func TestIgnored(t *testing.T) {
	typ := user(t)
	tests := []struct {
		name, ops string
		want      []string
		result    string
	}{
		{"Q26 unknown path", `{"op":"add","path":"companyName","value":"x"}`, []string{"companyName"}, `{"title":"a"}`},
		{"Q26 unknown complex path", `{"op":"add","path":"address.streetAddress","value":"x"}`, []string{"address.streetAddress"}, `{"title":"a"}`},
		{"Q26 unknown filter path", `{"op":"add","path":"x[type eq \"y\"].z","value":"x"}`, []string{`x[type eq "y"].z`}, `{"title":"a"}`},
		{"Q26 unknown keys", `{"op":"add","value":{"x":1,"y.z":2,"title":"b"}}`, []string{"x", "y.z"}, `{"title":"b"}`},
		{"Q26 key that is no path", `{"op":"add","value":{"a b. c":1,"":2}}`, []string{"a b. c", ""}, `{"title":"a"}`},
		{"Q26 unknown sub-attributes", `{"op":"add","value":{"name":{"x":1,"givenName":"A"}}}`, []string{"name.x"}, `{"title":"a","name":{"givenName":"A"}}`},
		{"Q26 unknown URN as path", `{"op":"add","path":"urn:x:1.0:User:a","value":1}`, []string{"urn:x:1.0:User:a"}, `{"title":"a"}`},
		{"Q39 unknown URN as key", `{"op":"add","value":{"urn:x:1.0:User":{"a":1}}}`, []string{"urn:x:1.0:User"}, `{"title":"a"}`},
		{"unknown in an extension", `{"op":"add","value":{"` + enterpriseURN + `":{"x":1}}}`, []string{enterpriseURN + ":x"}, `{"title":"a"}`},
		{"Q28 read-only in a value", `{"op":"replace","value":{"id":"1","meta":{},"groups":[{"value":"g"}],"title":"b"}}`, nil, `{"title":"b"}`},
		{"Q28 schemas", `{"op":"replace","value":{"schemas":["x"]}},{"op":"add","path":"schemas","value":["y"]}`, nil, `{"title":"a"}`},
		{"read-only sub-attribute", `{"op":"add","value":{"` + enterpriseURN + `":{"manager":{"value":"u","displayName":"U"}}}}`, []string{enterpriseURN + ":manager.displayName"}, `{"title":"a","` + enterpriseURN + `":{"manager":{"value":"u"}}}`},
		{"each once", `{"op":"add","path":"x","value":1},{"op":"remove","path":"x"}`, []string{"x"}, `{"title":"a"}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, o := tolerant()
			r, err := patch.Parse(typ, message(test.ops), o)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, r.Ignored()); diff != "" {
				t.Errorf("ignored (-want +got):\n%s", diff)
			}
			got, err := r.Apply(patch.NewWork(t.Context()), stored(t, typ, `{"title":"a"}`))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(generic(t, test.result), plain(t, got)); diff != "" {
				t.Errorf("result (-want +got):\n%s", diff)
			}
		})
	}
}

// TestReadOnlySame is the exception of Q28: what a read-only attribute already is
// may be sent to it.
func TestReadOnlySame(t *testing.T) {
	typ := user(t)
	text := `{"` + deskURN + `":{"number":"1"}}`
	got, err := run(typ, stored(t, typ, text), message(`{"op":"replace","path":"`+deskURN+`:number","value":"1"}`), strict())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(generic(t, text), plain(t, got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestKeepUnknownLimit bounds what a client can make a resource keep.
func TestKeepUnknownLimit(t *testing.T) {
	typ := user(t)
	fill := func(prefix string) []byte {
		var ops []string
		for i := range 130 {
			ops = append(ops, fmt.Sprintf(`{"op":"add","path":"%s%d","value":1}`, prefix, i))
		}
		return message(strings.Join(ops, ","))
	}
	var values []doc.Value
	for _, prefix := range []string{"a", "b"} {
		r, err := patch.Parse(typ, fill(prefix), patch.Options{Doc: doc.Options{KeepUnknown: true}})
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Ignored()) != 20 || r.Ignored()[0] != prefix+"100" {
			t.Errorf("ignored: %v", r.Ignored())
		}
		if values, err = r.Apply(patch.NewWork(t.Context()), values); err != nil {
			t.Fatal(err)
		}
		if len(values) != 100 {
			t.Errorf("%d attributes kept", len(values))
		}
	}
}

// TestKeepUnknown is Q27: a resource type may keep what no schema has.
func TestKeepUnknown(t *testing.T) {
	typ := user(t)
	o := patch.Options{Doc: doc.Options{KeepUnknown: true}}
	before := `{"title":"a","costCentre":"9","old":[1]}`
	ops := `{"op":"replace","value":{"COSTCENTRE":{"a":[1,null]},"old":null}},{"op":"add","path":"new","value":7},{"op":"remove","path":"gone"}`
	got, err := run(typ, stored(t, typ, before), message(ops), o)
	if err != nil {
		t.Fatal(err)
	}
	byFold := map[string]string{}
	for _, v := range got {
		byFold[strings.ToLower(v.Attr.Name)] = v.Text
	}
	if diff := cmp.Diff(map[string]string{"title": "a", "costcentre": `{"a":[1,null]}`, "new": "7"}, byFold); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
