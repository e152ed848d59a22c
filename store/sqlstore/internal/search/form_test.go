package search

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
)

// Stored forms are compared as texts by tools that look for changes, so the order is always the same.
func TestForm(t *testing.T) {
	typ := scim.UserType()
	meta := scim.Meta{ID: "7", Version: "v", Created: time.Unix(1, 0).UTC(), LastModified: time.Unix(2, 0).UTC()}
	for _, tt := range []struct {
		name   string
		values map[string]any
		want   string // beside what meta gives
	}{
		{"texts are folded, and a complex value is a member too", map[string]any{"userName": "Ann", "name.familyName": "Lee"},
			`"name":"","name.familyName":"lee","userName":"ann"`},
		{"the primary element comes first", map[string]any{"emails": []any{map[string]any{"value": "B@x"}, map[string]any{"value": "a@x", "primary": true}}},
			`"emails":[{"#":"","primary":"true","value":"a@x"},{"#":"","value":"b@x"}]`},
		{"what is case-exact stays, and quotes are escaped", map[string]any{"externalId": `A"\` + "\n"}, `"externalId":"A\"\\\n"`},
		{"a boolean is a text", map[string]any{"active": false}, `"active":"false"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := typ.Bind(meta, nil, tt.values)
			if err != nil {
				t.Fatal(err)
			}
			raw, err := r.MarshalJSON()
			if err != nil {
				t.Fatal(err)
			}
			form, err := NewType(typ, false).Form(r, string(raw))
			if err != nil {
				t.Fatal(err)
			}
			var own Form
			for _, f := range form {
				if f.key != "meta" && (len(f.key) < 5 || f.key[:5] != "meta.") && f.key != "schemas" {
					own = append(own, f)
				}
			}
			if diff := cmp.Diff("{"+tt.want+"}", Encode(own)); diff != "" {
				t.Error(diff)
			}
			if version, ok := form.Text("meta.version"); !ok || version != "v" {
				t.Errorf("the version is %q", version)
			}
			if _, ok := form.Text("id"); ok {
				t.Error("the id has a column")
			}
		})
	}
}
