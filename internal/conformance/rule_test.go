package conformance

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/store/memory"
)

// keeper makes a store take passwords.
type keeper struct{ passwords []string }

func (k *keeper) SetPassword(_ context.Context, _, password string) error {
	k.passwords = append(k.passwords, password)
	return nil
}

// A rule takes members and the password out of a request, and says so.
func TestRuleLeavesOut(t *testing.T) {
	for name, open := range map[string]func(k *keeper) scim.Store{
		"memory": func(k *keeper) scim.Store {
			return struct {
				*memory.Store
				*keeper
			}{memory.New(), k}
		},
		"bare": func(k *keeper) scim.Store {
			return struct {
				*testhost.BareStore
				*keeper
			}{testhost.NewBareStore(), k}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := &keeper{}
			var left []string
			banned, adopted, drops := "", "", false
			h := testhost.New(t, scim.Config{Store: open(s),
				Rules: []scim.Rule{func(_ context.Context, c *scim.Change) error {
					is := func(r scim.Ref) bool { return r.ID == banned }
					if slices.ContainsFunc(c.Add, is) {
						c.Add, c.Left = slices.DeleteFunc(c.Add, is), append(c.Left, "members: banned")
					}
					if c.SetsPassword && drops {
						c.SetsPassword, c.Left = false, append(c.Left, "password: dropped")
					}
					if c.Op == scim.OpCreate && c.After.Type() == scim.GroupType() {
						c.Adopt = adopted
					}
					return nil
				}},
				OnEvent: func(_ context.Context, e scim.Event) {
					if e.Kind == scim.PartLeftOut {
						left = append(left, e.Resource.Type+" "+e.Reason)
					}
				}})
			ann := testhost.Create(t, h, "/Users", `{"userName":"ann","password":"kept"}`)
			drops = true
			banned = testhost.Create(t, h, "/Users", `{"userName":"bob","password":"secret"}`)
			if diff := cmp.Diff([]string{"kept"}, s.passwords); diff != "" {
				t.Errorf("passwords (-want +got):\n%s", diff)
			}
			members := func(want ...string) {
				t.Helper()
				var got []string
				list, _ := testhost.Decode(t, testhost.Do(t, h, "GET", "/Groups/"+adopted, ""))["members"].([]any)
				for _, m := range list {
					got = append(got, m.(map[string]any)["value"].(string))
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("members (-want +got):\n%s", diff)
				}
			}
			both := fmt.Sprintf(`{"displayName":"team","members":[{"value":%q},{"value":%q}]}`, ann, banned)
			adopted = testhost.Create(t, h, "/Groups", both)
			members(ann)
			for _, step := range []struct {
				reason, method, path, body string
				status                     int
			}{
				{"a list", "PUT", "/Groups/" + adopted, both, http.StatusOK},
				{"an adoption plans the members again", "POST", "/Groups", both, http.StatusCreated},
				{"nothing else is in the request", "PATCH", "/Groups/" + adopted, fmt.Sprintf(`{"Operations":[{"op":"add","path":"members","value":[{"value":%q}]}]}`, banned), http.StatusNoContent},
			} {
				if got := testhost.Do(t, h, step.method, step.path, step.body).StatusCode; got != step.status {
					t.Errorf("%s: %d, want %d", step.reason, got, step.status)
				}
				members(ann)
			}
			banned = ""
			testhost.Do(t, h, "PUT", "/Groups/"+adopted, `{"displayName":"team"}`)
			members()
			want := []string{"User password: dropped", "Group members: banned", "Group members: banned", "Group members: banned", "Group members: banned"}
			if diff := cmp.Diff(want, left); diff != "" {
				t.Errorf("reported (-want +got):\n%s", diff)
			}
		})
	}
}
