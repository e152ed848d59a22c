package conformance

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/store/memory"
)

// If a client may not list a type, it does not see resources of this type in others.
func TestDerivedDataIsAllowedFor(t *testing.T) {
	for name, store := range map[string]scim.Store{"MemberStore": memory.New(), "bare": testhost.NewBareStore()} {
		t.Run(name, func(t *testing.T) { derivedDataIsAllowedFor(t, store) })
	}
}

func derivedDataIsAllowedFor(t *testing.T, store scim.Store) {
	only, asked := "", map[string]int{}
	h := testhost.Handler(t, func(c *scim.Config) {
		c.Store = store
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
	outer := testhost.Create(t, h, "/Groups", `{"displayName":"outer","members":[{"value":"`+inner+`","type":"Group"},{"value":"`+ann+`"},{"value":"`+ben+`"}]}`)
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

// reads is a store that counts which types of resources are read.
type reads struct {
	*memory.Store
	of    map[string]int
	pages int // of members
}

func (s *reads) Get(ctx context.Context, ref scim.Ref) (*scim.Resource, error) {
	s.of[ref.Type]++
	return s.Store.Get(ctx, ref)
}

func (s *reads) List(ctx context.Context, t *scim.ResourceType, q *scim.Query) (*scim.Page, error) {
	s.of[t.Name()]++
	return s.Store.List(ctx, t, q)
}

func (s *reads) Members(ctx context.Context, groupID string, after scim.Ref, limit int) ([]scim.Member, error) {
	s.pages++
	return s.Store.Members(ctx, groupID, after, limit)
}

// A MemberStore gives the names of members, so the members are not read.
func TestGroupIsReadWithoutItsMembers(t *testing.T) {
	const n = 2500
	store := &reads{Store: memory.New(), of: map[string]int{}}
	h := testhost.Handler(t, func(c *scim.Config) { c.Store = store })
	var members strings.Builder
	for i := range n {
		id := testhost.Create(t, h, "/Users", fmt.Sprintf(`{"userName":"user%d","displayName":"User %d"}`, i, i))
		fmt.Fprintf(&members, `{"value":%q},`, id)
	}
	group := testhost.Create(t, h, "/Groups", `{"displayName":"G","members":[`+strings.TrimSuffix(members.String(), ",")+`]}`)
	for _, target := range []string{"/Groups/" + group, "/Groups", "/Groups?filter=displayName+eq+%22G%22"} {
		clear(store.of)
		store.pages = 0
		body := testhost.Decode(t, testhost.Do(t, h, "GET", target, ""))
		if list, ok := body["Resources"].([]any); ok {
			body = list[0].(map[string]any)
		}
		got := map[string]bool{}
		for _, m := range body["members"].([]any) {
			got[m.(map[string]any)["display"].(string)] = true
		}
		if len(got) != n || !got["User 0"] || !got[fmt.Sprint("User ", n-1)] {
			t.Errorf("%s: %d members with names of their own, want %d", target, len(got), n)
		}
		if diff := cmp.Diff(map[string]int{"Group": 1}, store.of); diff != "" || store.pages != 3 {
			t.Errorf("%s: %d pages of members, want 3; calls that read resources (-want +got):\n%s", target, store.pages, diff)
		}
	}
}
