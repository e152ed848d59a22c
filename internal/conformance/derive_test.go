package conformance

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
)

// If a client may not list a type, it does not see resources of this type in others.
func TestDerivedDataIsAllowedFor(t *testing.T) {
	only, asked := "", map[string]int{}
	h := testhost.Handler(t, func(c *scim.Config) {
		c.Allow = func(_ context.Context, a scim.Access) error {
			asked[string(a.Op)+" "+a.Type]++
			if a.Op == scim.OpList && a.Query == nil {
				t.Error("a list without a Query")
			}
			if only != "" && a.Type != only {
				return errors.New("not for this token")
			}
			return nil
		}
	})
	ann := testhost.Create(t, h, "/Users", `{"userName":"ann"}`)
	ben := testhost.Create(t, h, "/Users", `{"userName":"ben"}`)
	inner := testhost.Create(t, h, "/Groups", `{"displayName":"inner"}`)
	outer := testhost.Create(t, h, "/Groups", `{"displayName":"outer","members":[{"value":"`+ann+`"},{"value":"`+ben+`"},{"value":"`+inner+`","type":"Group"}]}`)
	ref := "http://example.com"
	user := func(id, name string) any {
		m := map[string]any{"value": id, "$ref": ref + "/Users/" + id, "type": "User"}
		if name != "" {
			m["display"] = name
		}
		return m
	}
	group := map[string]any{"value": inner, "$ref": ref + "/Groups/" + inner, "type": "Group", "display": "inner"}
	of := []any{map[string]any{"value": outer, "$ref": ref + "/Groups/" + outer, "type": "direct", "display": "outer"}}
	for _, tt := range []struct {
		name, only, target, attribute string
		want                          any
		reason                        string
	}{
		{"a user to all", "", "/Users/" + ann, "groups", of, "nothing is refused"},
		{"a group to all", "", "/Groups/" + outer, "members", []any{group, user(ann, "ann"), user(ben, "ben")}, "nothing is refused"},
		{"a user without groups", "User", "/Users/" + ann, "groups", nil, "a group's name is no business of this token"},
		{"a group without users", "Group", "/Groups/" + outer, "members", []any{group, user(ann, ""), user(ben, "")}, "who is in it is the group's own content, what they are called is not"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			only = tt.only
			if diff := cmp.Diff(tt.want, testhost.Decode(t, testhost.Do(t, h, "GET", tt.target, ""))[tt.attribute]); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.reason, diff)
			}
		})
	}
	only = "User"
	if res := testhost.Do(t, h, "GET", "/Users?filter=groups.value+eq+%22"+outer+"%22", ""); res.StatusCode != http.StatusForbidden {
		t.Errorf("a filter on groups tells who is in them: %d, want 403", res.StatusCode)
	}
	only = ""
	clear(asked)
	testhost.Do(t, h, "GET", "/Users", "")
	if diff := cmp.Diff(map[string]int{"list User": 1, "list Group": 1}, asked); diff != "" {
		t.Errorf("asked once for each type, not for each resource (-want +got):\n%s", diff)
	}
}
