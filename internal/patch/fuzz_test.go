package patch_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/model"
	"github.com/scimkit/scim/internal/patch"
)

// FuzzPatch checks that no input panics and that a refusal gives no result. Apply must
// return the same each time, and never change its argument. Its result has no attribute
// twice, nothing empty, and at most one primary element of each attribute.
func FuzzPatch(f *testing.F) {
	for _, ops := range []string{
		`{"op":"add","path":"emails[type eq \"work\"].value","value":"a@x"}`,
		`{"op":"Replace","value":{"name.givenName":"A","` + enterpriseURN + `:manager":"u","emails":[{"primary":"True"}],"active":null}}`,
		`{"op":"remove","path":"emails","value":[{"value":"w@x"}]},{"op":"remove","path":"` + deskURN + `"}`,
		`{"op":"add","path":"` + deskURN + `.tags","value":["a"]},{"op":"replace","path":"emails.primary","value":true}`,
		`{"op":"replace","path":"roles","value":[{"value":"{\"value\":\"x\"}"}]},{"op":"add","value":{"x":{"y":[1]},"password":"p"}}`,
		`{"op":"remove","path":"name[givenName eq \"A\"]"},{"op":"replace","path":"title","value":["x"]}`,
	} {
		f.Add(message(ops), false)
	}
	f.Add([]byte(`{"operations":[{"op":"remove","path":"members[value eq \"1\"]"}]}`), true)
	f.Add([]byte(`{"operations":[{"op":"add","value":{"members":[{"value":"1"}],"displayName":"g"}}]}`), true)
	users, groups := user(f), group(f)
	texts := map[*model.Type]string{
		users: `{"title":"t","name":{"givenName":"A"},"emails":[{"type":"work","value":"w@x","primary":true},{"type":"home","value":"h@x"}],
			"roles":[{"value":"r"}],"` + enterpriseURN + `":{"department":"d","manager":{"value":"u1","$ref":"../Users/u1"}},"` + deskURN + `":{"tags":["a","b"],"level":3}}`,
		groups: `{"displayName":"g","members":[{"value":"1"}]}`,
	}
	f.Fuzz(func(t *testing.T, body []byte, isGroup bool) {
		typ := users
		if isGroup {
			typ = groups
		}
		r, err := patch.Parse(typ, body, patch.Options{Doc: doc.Options{KeepUnknown: true}})
		if err != nil {
			if kind(t, err) == "" || r != nil {
				t.Fatalf("%v, %v", r, err)
			}
			return
		}
		before, snapshot := stored(t, typ, texts[typ]), stored(t, typ, texts[typ])
		after, err := r.Apply(patch.NewWork(t.Context()), before)
		if !doc.EqualFields(before, snapshot) {
			t.Fatalf("Apply changed its argument:\n%s", cmp.Diff(plain(t, snapshot), plain(t, before)))
		}
		if err != nil {
			if kind(t, err) == "" || after != nil {
				t.Fatalf("%v, %v", after, err)
			}
			return
		}
		inOrder(t, after, typ)
		again, err := r.Apply(patch.NewWork(t.Context()), before)
		if err != nil || !doc.EqualFields(after, again) {
			t.Fatalf("the second time: %v, %v", again, err)
		}
	})
}

func inOrder(t *testing.T, fields []doc.Value, typ *model.Type) {
	t.Helper()
	for i, v := range fields {
		switch {
		case v.Absent():
			t.Fatalf("%s is there and empty", v.Attr.Path)
		case i > 0 && (fields[i-1].Attr == v.Attr || fields[i-1].Attr.Order > v.Attr.Order):
			t.Fatalf("%s is out of order", v.Attr.Path)
		case v.Attr == typ.Password:
			t.Fatal("a password is among the values")
		case v.Attr.Multi:
			if err := patch.CheckPrimary(v); err != nil {
				t.Fatal(err)
			}
			for _, e := range v.Kids() {
				if e.Attr != v.Attr || e.Attr.Kind == model.Complex && len(e.Kids()) == 0 {
					t.Fatalf("%s has an element that is none", v.Attr.Path)
				}
				inOrder(t, e.Kids(), typ)
			}
		default:
			inOrder(t, v.Kids(), typ)
		}
	}
}
