package conformance

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/internal/testhost"
)

// Two clients of one tenant write users and groups. Managed says whose each is.
func TestManagedClients(t *testing.T) {
	for store, open := range lockingStores {
		t.Run(store, func(t *testing.T) {
			tokens := []auth.Token{auth.TokenOf("first-secret"), auth.TokenOf("second-secret")}
			tokens[0].ID, tokens[1].ID = "hr", "it"
			app := testhost.NewRoles()
			for _, name := range []string{"Editor", "Viewer"} {
				app.Put(scim.Role{ID: name, Name: name})
			}
			h := testhost.New(t, scim.Config{Store: open(t), Auth: auth.Bearer(tokens...), Roles: &scim.Roles{Resolver: app, Separate: true}})
			do := func(secret, method, path, body string) map[string]any {
				t.Helper()
				res := testhost.Do(t, h, method, path, body, "Authorization: Bearer "+secret)
				if res.StatusCode/100 != 2 {
					t.Fatalf("%s %s: %d", method, path, res.StatusCode)
				}
				if res.StatusCode == 204 {
					return nil
				}
				return testhost.Decode(t, res)
			}
			hr, it := "first-secret", "second-secret"
			ann := do(hr, "POST", "/Users", `{"userName":"ann"}`)["id"].(string)
			group := func(secret, name string) string {
				return do(secret, "POST", "/Groups", fmt.Sprintf(`{"displayName":%q,"members":[{"value":%q}]}`, name, ann))["id"].(string)
			}
			editors, viewers := group(hr, "Editor"), group(it, "Viewer")
			c, err := h.Reconciler(nil)
			if err != nil {
				t.Fatal(err)
			}
			want := func(reason string, ref scim.Ref, client string, clients map[string]string) {
				t.Helper()
				m, err := c.Managed(t.Context(), ref)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(client, m.Client) + cmp.Diff(clients, m.Clients); diff != "" {
					t.Errorf("%s (-want +got):\n%s", reason, diff)
				}
			}
			user := scim.Ref{Type: "User", ID: ann}
			want("one user, and groups of two clients", user, "hr", map[string]string{editors: "hr", viewers: "it"})
			want("a group", scim.Ref{Type: "Group", ID: viewers}, "it", map[string]string{})
			do(it, "GET", "/Users/"+ann, "")
			want("a client that only reads", user, "hr", map[string]string{editors: "hr", viewers: "it"})
			do(it, "PATCH", "/Users/"+ann, `{"Operations":[{"op":"replace","path":"title","value":"Dr"}]}`)
			want("the other client changes the user", user, "it", map[string]string{editors: "hr", viewers: "it"})
			do(hr, "PATCH", "/Users/"+ann, `{"Operations":[{"op":"replace","path":"title","value":"Dr"}]}`)
			want("a write that changes nothing", user, "it", map[string]string{editors: "hr", viewers: "it"})
			do(hr, "PATCH", "/Groups/"+viewers, fmt.Sprintf(`{"Operations":[{"op":"remove","path":"members[value eq \"%s\"]"}]}`, ann))
			want("a membership ends", user, "it", map[string]string{editors: "hr"})
			want("who changes members has written the group", scim.Ref{Type: "Group", ID: viewers}, "hr", map[string]string{})
		})
	}
}
