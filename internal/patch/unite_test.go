package patch_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/patch"
	"github.com/scimkit/scim/internal/tolerance"
)

// TestSettle also looks into extensions, and at lists that are longer than a few elements.
func TestSettle(t *testing.T) {
	typ := user(t)
	long, once := "", ""
	for i := range 20 {
		long += fmt.Sprintf(`{"value":"%d"},{"value":"%d","display":"d"},`, i, i)
		once += fmt.Sprintf(`,{"value":"%d","display":"d"}`, i)
	}
	for _, test := range []struct{ name, reason, body, want string }{
		{"nothing twice", "the same values", `{"title":"a","emails":[{"value":"a","type":"work"},{"value":"a","type":"home"},{"value":"A","type":"work"}]}`, `{"title":"a","emails":[{"value":"a","type":"work"},{"value":"a","type":"home"},{"value":"A","type":"work"}]}`},
		{"in an extension", "lists are lists there", `{"` + deskURN + `":{"tags":["a","b","a"]}}`, `{"` + deskURN + `":{"tags":["a","b"]}}`},
		{"without values", "the whole decides, but for primary", `{"addresses":[{"locality":"L"},{"locality":"L","primary":true},{"locality":"M"}]}`, `{"addresses":[{"locality":"L","primary":true},{"locality":"M"}]}`},
		{"two primaries that are one", "no tolerance is needed", `{"emails":[{"value":"a","primary":true},{"value":"a","primary":true}]}`, `{"emails":[{"value":"a","primary":true}]}`},
		{"a long list", "each once, in order", `{"emails":[` + long + `{"value":"0"}]}`, `{"emails":[` + once[1:] + `]}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			before := stored(t, typ, test.body)
			got, err := patch.Settle(before, &tolerance.Use{Strict: true})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(generic(t, test.want), plain(t, got)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", test.reason, diff)
			}
			if again, _ := patch.Settle(got, nil); !doc.EqualFields(again, got) {
				t.Error("twice is not the same as once")
			}
			if diff := cmp.Diff(generic(t, test.body), plain(t, before)); diff != "" {
				t.Errorf("the argument changed:\n%s", diff)
			}
		})
	}
	settled := stored(t, typ, `{"emails":[{"value":"a","type":"work"},{"value":"a","type":"home"}],"phoneNumbers":[{"value":"1"},{"value":"2"}]}`)
	if n := testing.AllocsPerRun(10, func() { patch.Settle(settled, nil) }); n > 8 { //nolint:errcheck // nothing is refused
		t.Errorf("%v allocations for lists without anything to change", n)
	}
}
