package scenarios

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/store/memory"
)

// If the application writes in the request's transaction, the library merges both changes.
func TestWrittenByTheApplicationToo(t *testing.T) {
	s := memory.New()
	for _, tt := range []struct {
		name   string
		own    map[string]any
		client string
		want   map[string]any
		reason string
	}{
		{"another attribute", map[string]any{"nickName": "x"}, `{"op":"replace","path":"title","value":"t"}`,
			map[string]any{"nickName": "x", "title": "t", "name.givenName": "G", "name.familyName": "F"}, "both count"},
		{"the same one", map[string]any{"title": "own"}, `{"op":"replace","path":"title","value":"t"}`,
			map[string]any{"title": "t", "name.givenName": "G", "name.familyName": "F"}, "the client's counts"},
		{"another part of one", map[string]any{"name.givenName": "own"}, `{"op":"replace","path":"name.familyName","value":"f"}`,
			map[string]any{"name.givenName": "own", "name.familyName": "f"}, "parts are attributes too"},
		{"one that the client removes", map[string]any{"name.givenName": "own"}, `{"op":"remove","path":"name.familyName"}`,
			map[string]any{"name.givenName": "own"}, "what is removed is a change"},
		{"one that it takes away", map[string]any{"name": nil}, `{"op":"replace","path":"title","value":"t"}`,
			map[string]any{"title": "t"}, "also by the application"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := testhost.Handler(t, func(c *scim.Config) {
				c.Store = s
				c.Rules = []scim.Rule{func(ctx context.Context, c *scim.Change) error {
					if c.Op != scim.OpPatch {
						return nil
					}
					_, err := s.Update(ctx, c.Before.Ref(), func(r *scim.Resource) (*scim.Resource, error) { return r.With(tt.own) })
					return err
				}}
			})
			id := testhost.Create(t, h, "/Users", `{"userName":"`+tt.name+`","name":{"givenName":"G","familyName":"F"}}`)
			if got := testhost.Do(t, h, "PATCH", "/Users/"+id, `{"Operations":[`+tt.client+`]}`).StatusCode; got != 200 {
				t.Fatalf("status %d", got)
			}
			r, err := s.Get(t.Context(), scim.Ref{Type: "User", ID: id})
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]any{}
			for _, p := range []string{"nickName", "title", "name.givenName", "name.familyName"} {
				if v := r.Get(p); v != nil {
					got[p] = v
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.reason, diff)
			}
		})
	}
}

// If a client adopts an account, it becomes provisioned. If the client later deactivates
// it, its roles end for this reason.
func TestEventsSayWhy(t *testing.T) {
	w := newWorld(t, joint, scim.Roles{})
	w.role("R")
	w.user("U")
	w.group("G", "R", "U")
	w.mark()
	c := w.config()
	c.Rules = []scim.Rule{func(_ context.Context, c *scim.Change) error {
		if c.Op == scim.OpCreate {
			c.Adopt = map[string]string{"User": "U", "Group": "G"}[c.After.Type().Name()]
		}
		return nil
	}}
	w.h = []*scim.Handler{w.handler(c)}
	w.post("/Users", "", profile("U"))
	w.post("/Groups", "", groupBody("R", "U"))
	w.deactivate("U")
	got := map[string]string{}
	for _, e := range w.events {
		got[string(e.Kind)] = e.Reason
	}
	if diff := cmp.Diff(map[string]string{"user provisioned": "took over what was there", "group created": "took over what was there",
		"user deactivated": "", "role revoked": "the user is not active"}, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}
