package conformance

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/store/memory"
)

// groupReader reads a user together with the groups. It has no names for them if nameless is set.
type groupReader struct {
	*memory.Store
	nameless bool
}

func (g groupReader) GetWithGroups(ctx context.Context, userID string) (*scim.Resource, []scim.Membership, error) {
	ref := scim.Ref{Type: "User", ID: userID}
	u, err := g.Get(ctx, ref)
	if err != nil {
		return nil, nil, err
	}
	all, err := g.GroupsOf(ctx, []scim.Ref{ref})
	return u, all, err
}

func (g groupReader) GroupsOf(ctx context.Context, members []scim.Ref) ([]scim.Membership, error) {
	all, err := g.Store.GroupsOf(ctx, members)
	for i := range all {
		if g.nameless {
			all[i].Display = ""
		}
	}
	return all, err
}

// A GET of a user costs one call of a store that reads users with their groups, and shows the same.
func TestGroupReader(t *testing.T) {
	for _, tt := range []struct {
		name, query string
		nested      bool
		nameless    bool
		calls       []string
		want        string // the groups
	}{
		{"one call", "", false, false, []string{"GroupReader.GetWithGroups"}, "Staff direct"},
		{"the store has no names", "", false, true, []string{"GroupReader.GetWithGroups", "Store.List"}, "Staff direct"},
		{"groups in groups", "", true, false, []string{"GroupReader.GetWithGroups", "MemberStore.GroupsOf", "MemberStore.GroupsOf"}, "Staff direct, All indirect"},
		{"groups in groups without names", "", true, true, []string{"GroupReader.GetWithGroups", "MemberStore.GroupsOf", "MemberStore.GroupsOf", "Store.List"}, "Staff direct, All indirect"},
		{"the client does not want them", "?excludedAttributes=groups", false, false, []string{"Store.Get"}, ""},
		{"the client wants something else", "?attributes=userName", false, false, []string{"Store.Get"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := &callWatcher{}
			h := testhost.Handler(t, func(c *scim.Config) {
				c.Observers, c.Store, c.Members.Nested = []scim.Observer{w}, groupReader{memory.New(), tt.nameless}, tt.nested
			})
			user := testhost.Create(t, h, "/Users", `{"userName":"ann"}`)
			staff := testhost.Create(t, h, "/Groups", `{"displayName":"Staff","members":[{"value":"`+user+`"}]}`)
			testhost.Create(t, h, "/Groups", `{"displayName":"All","members":[{"value":"`+staff+`","type":"Group"}]}`)
			w.calls = nil
			body := testhost.Decode(t, testhost.Do(t, h, "GET", "/Users/"+user+tt.query, ""))
			if diff := cmp.Diff(tt.calls, w.calls); diff != "" {
				t.Errorf("calls (-want +got):\n%s", diff)
			}
			got := ""
			groups, _ := body["groups"].([]any)
			for _, g := range groups {
				if got != "" {
					got += ", "
				}
				got += g.(map[string]any)["display"].(string) + " " + g.(map[string]any)["type"].(string)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("groups (-want +got):\n%s", diff)
			}
		})
	}
	h := testhost.Handler(t, func(c *scim.Config) { c.Store = groupReader{memory.New(), false} })
	if w := testhost.Do(t, h, "GET", "/Users/nobody", ""); w.StatusCode != 404 {
		t.Errorf("a user who is not there: %d", w.StatusCode)
	}
	alone := testhost.Create(t, h, "/Users", `{"userName":"alone"}`)
	if body := testhost.Decode(t, testhost.Do(t, h, "GET", "/Users/"+alone, "")); body["groups"] != nil || body["userName"] != "alone" {
		t.Errorf("a user in no group: %v", body)
	}
}
