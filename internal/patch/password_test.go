package patch_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim/internal/patch"
)

// TestPassword sees a password leave the request and reach no value.
func TestPassword(t *testing.T) {
	typ := user(t)
	tests := []struct {
		name, ops string
		want      string // "-" for none
	}{
		{"by path", `{"op":"replace","path":"password","value":"p"}`, "p"},
		{"with the core URN", `{"op":"add","path":"` + coreURN + `:password","value":"p"}`, "p"},
		{"in a value", `{"op":"replace","value":{"Password":"p","title":"a"}}`, "p"},
		{"the last one", `{"op":"add","path":"password","value":"p"},{"op":"add","value":{"password":"q"}}`, "q"},
		{"escapes", `{"op":"add","path":"password","value":"\u00e9\""}`, `é"`},
		{"Q18 in an array", `{"op":"add","path":"password","value":["p"]}`, "p"},
		{"Q56 null", `{"op":"replace","value":{"password":null}}`, "-"},
		{"empty", `{"op":"replace","path":"password","value":""}`, "-"},
		{"removed", `{"op":"remove","path":"password"}`, "-"},
		{"not there", `{"op":"remove","path":"title"}`, "-"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, o := tolerant()
			r, err := patch.Parse(typ, message(test.ops), o)
			if err != nil {
				t.Fatal(err)
			}
			got, ok := r.Password()
			if !ok {
				got = "-"
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			values, err := r.Apply(patch.NewWork(t.Context()), nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range values {
				if v.Attr.Name != "title" {
					t.Errorf("among the values: %s", v.Attr.Name)
				}
			}
		})
	}
}
