package conformance

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/store/memory"
)

// owned is a store of an application that has users of its own: "own" is unclaimed, and
// "root" is exempt.
type owned struct {
	scim.Store
	claimed bool // claimed says that a client has claimed "own".
}

func (s *owned) IsClaimed(_ context.Context, ref scim.Ref) (bool, error) {
	return ref.ID != "own" || s.claimed, nil
}

func (s *owned) Claim(_ context.Context, ref scim.Ref) error {
	s.claimed = s.claimed || ref.ID == "own"
	return nil
}

func (*owned) UnclaimedMembers(context.Context, string, scim.Ref, int) ([]scim.Ref, error) {
	return nil, nil
}

func (*owned) Exempt(_ context.Context, ids []string) (exempt []string, err error) {
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return id != "root" }), nil
}

// Unclaimed and exempt users are safe in every kind of store, with transactions and
// without.
func TestOwnUsers(t *testing.T) {
	for name, open := range map[string]func() scim.Store{
		"memory": func() scim.Store { return memory.New() },
		"bare":   func() scim.Store { return testhost.NewBareStore() },
	} {
		t.Run(name, func(t *testing.T) {
			s := &owned{Store: open()}
			var events []string
			h := testhost.New(t, scim.Config{Store: s,
				Rules: []scim.Rule{func(_ context.Context, c *scim.Change) error {
					if c.Op == scim.OpCreate && c.After.String("externalId") != "" {
						c.Adopt = c.After.String("externalId")
					}
					return nil
				}},
				OnEvent: func(_ context.Context, e scim.Event) {
					if e.Kind == scim.MemberExempt {
						events = append(events, e.Member.ID)
					}
				}})
			for _, id := range []string{"own", "root", "other"} {
				r, err := scim.UserType().Bind(scim.Meta{ID: id}, nil, map[string]any{"userName": id, "active": true})
				if err == nil {
					_, err = s.Create(t.Context(), r)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			do := func(status int, method, path, body string) string {
				t.Helper()
				res := testhost.Do(t, h, method, path, body)
				raw, err := io.ReadAll(res.Body)
				if err != nil {
					t.Fatal(err)
				}
				text := string(raw)
				if res.StatusCode != status {
					t.Errorf("%s %s %s: %d %s, want %d", method, path, body, res.StatusCode, text, status)
				}
				return text
			}
			const deactivate = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","path":"active","value":false}]}`
			do(http.StatusForbidden, "DELETE", "/Users/own", "")
			do(http.StatusOK, "PATCH", "/Users/own", deactivate)
			for _, r := range [][3]string{{"DELETE", "/Users/root", ""}, {"PATCH", "/Users/root", deactivate}, {"PUT", "/Users/root", `{"userName":"root"}`},
				{"POST", "/Users", `{"userName":"root","externalId":"root"}`}, {"POST", "/Groups", `{"displayName":"G","members":[{"value":"root"}]}`}} {
				if text := do(http.StatusForbidden, r[0], r[1], r[2]); !strings.Contains(text, "exempt") {
					t.Errorf("%s %s: the refusal does not say why: %s", r[0], r[1], text)
				}
			}
			group := do(http.StatusCreated, "POST", "/Groups", `{"displayName":"G","members":[{"value":"root"},{"value":"other"}]}`)
			if strings.Contains(group, `"root"`) || !strings.Contains(group, `"other"`) || !slices.Equal(events, []string{"root"}) {
				t.Errorf("a list with an exempt user makes the group %s and the events %q", group, events)
			}
			do(http.StatusCreated, "POST", "/Users", `{"userName":"own","externalId":"own"}`)
			do(http.StatusNoContent, "DELETE", "/Users/own", "")
		})
	}
}
