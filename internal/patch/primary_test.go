package patch_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/patch"
	"github.com/scimkit/scim/internal/tolerance"
)

func TestOnePrimary(t *testing.T) {
	typ := user(t)
	emails := typ.Root.Lookup("emails")
	tests := []struct {
		name, reason        string
		before, after, want string
		used                []tolerance.Name
	}{
		{"none", "nothing to do", ``, `{"emails":[{"value":"a"}]}`, `{"emails":[{"value":"a"}]}`, nil},
		{"one", "nothing to do", ``, `{"emails":[{"value":"a","primary":true},{"value":"b","primary":false}]}`, `{"emails":[{"value":"a","primary":true},{"value":"b","primary":false}]}`, nil},
		{"Q29 two new", "the last wins", ``, `{"emails":[{"value":"a","primary":true},{"value":"b","primary":true}]}`, `{"emails":[{"value":"a"},{"value":"b","primary":true}]}`, []tolerance.Name{tolerance.ManyPrimaries}},
		{"Q29 a new one before the old", "the new one wins", `{"emails":[{"value":"b","primary":true}]}`, `{"emails":[{"value":"a","primary":true},{"value":"b","primary":true}]}`, `{"emails":[{"value":"a","primary":true},{"value":"b"}]}`, nil},
		{"Q29 a new one behind the old", "the new one wins", `{"emails":[{"value":"a","primary":true},{"value":"b"}]}`, `{"emails":[{"value":"a","primary":true},{"value":"b","primary":true}]}`, `{"emails":[{"value":"a"},{"value":"b","primary":true}]}`, nil},
		{"the old one changed otherwise", "it still is the old one", `{"emails":[{"value":"b","primary":true}]}`, `{"emails":[{"value":"a","primary":true},{"value":"b","display":"d","primary":true}]}`, `{"emails":[{"value":"a","primary":true},{"value":"b","display":"d"}]}`, nil},
		{"two old ones", "the last stays", `{"emails":[{"value":"a","primary":true},{"value":"b","primary":true}]}`, `{"emails":[{"value":"a","primary":true},{"value":"b","primary":true}]}`, `{"emails":[{"value":"a"},{"value":"b","primary":true}]}`, nil},
		{"nothing but the flag", "an element that loses it is empty and goes", ``, `{"emails":[{"primary":true},{"value":"b","primary":true}]}`, `{"emails":[{"value":"b","primary":true}]}`, []tolerance.Name{tolerance.ManyPrimaries}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			before, after := doc.Get(stored(t, typ, test.before), emails), doc.Get(stored(t, typ, test.after), emails)
			used := &tolerance.Use{}
			got := patch.OnePrimary(before, after, used)
			if diff := cmp.Diff(generic(t, test.want), plain(t, []doc.Value{got})); diff != "" {
				t.Errorf("%s (-want +got):\n%s", test.reason, diff)
			}
			if diff := cmp.Diff(test.used, used.Used()); diff != "" {
				t.Errorf("tolerances used (-want +got):\n%s", diff)
			}
			if err := patch.CheckPrimary(got); err != nil {
				t.Errorf("the result is refused: %v", err)
			}
			if diff := cmp.Diff(generic(t, test.after), plain(t, []doc.Value{after})); diff != "" {
				t.Errorf("the argument changed (-want +got):\n%s", diff)
			}
			got = patch.OnePrimary(before, after, &tolerance.Use{Strict: true})
			if refused := patch.CheckPrimary(got) != nil; refused != (test.used != nil) {
				t.Errorf("strict: refused %v", refused)
			}
		})
	}
}

func TestOnePrimaryElsewhere(t *testing.T) {
	typ := user(t)
	tags := typ.Extension(deskURN).Lookup("tags")
	for _, v := range []doc.Value{{}, doc.Composite(tags, doc.Simple(tags, "true"), doc.Simple(tags, "true"))} {
		if got := patch.OnePrimary(doc.Value{}, v, nil); !got.Equal(v) {
			t.Errorf("%v became %v", v, got)
		}
		if err := patch.CheckPrimary(v); err != nil {
			t.Error(err)
		}
	}
}
