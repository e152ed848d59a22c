package conformance

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/store/memory"
)

// told keeps what the contexts of Update say about the next grants.
type told struct {
	changer
	all *[]string
}

func (s told) Update(ctx context.Context, ref scim.Ref, fn func(*scim.Resource) (*scim.Resource, error)) (*scim.Resource, error) {
	if next, ok := scim.NextGrantsOf(ctx); ok {
		*s.all = append(*s.all, fmt.Sprint(ref.ID, " ", next.UserID, " ", next.Joins))
	}
	return s.changer.Update(ctx, ref, fn)
}

// The store may lock a user early only if the request locks nothing between the resource and the user.
func TestNextGrants(t *testing.T) {
	rule := func(c *scim.Config) {
		c.Rules = []scim.Rule{func(context.Context, *scim.Change) error { return nil }}
	}
	const off, on = `{"op":"replace","path":"active","value":false}`, `{"op":"replace","path":"active","value":true}`
	add := func(members string) string { return `{"op":"add","path":"members","value":[` + members + `]}` }
	const bob, ann, group = `{"value":"{bob}"}`, `{"value":"{ann}"}`, `{"value":"{other}","type":"Group"}`
	for _, tt := range []struct {
		name, path, op string
		set            func(c *scim.Config)
		want           string
	}{
		{"a user is deactivated", "Users/{bob}", off, nil, "bob bob false"},
		{"the whole value", "Users/{bob}", `{"op":"replace","value":{"active":false}}`, nil, "bob bob false"},
		{"a user stays active", "Users/{bob}", on, nil, "bob bob false"},
		{"another attribute", "Users/{bob}", `{"op":"replace","path":"title","value":"x"}`, nil, ""},
		{"another attribute too", "Users/{bob}", off + `,{"op":"replace","path":"title","value":"x"}`, nil, ""},
		{"a password too", "Users/{bob}", off + `,{"op":"replace","path":"password","value":"x"}`, nil, ""},
		{"a rule may lock", "Users/{bob}", off, rule, ""},
		{"values are linked", "Users/{bob}", off, func(c *scim.Config) { c.Roles.Attributes = []string{"roles"} }, ""},
		{"seats are counted", "Users/{bob}", on, func(c *scim.Config) {
			c.Seats = func(context.Context) (int, error) { return 9, nil }
		}, ""},
		{"no roles", "Users/{bob}", off, func(c *scim.Config) { c.Roles = nil }, ""},
		{"a member joins", "Groups/{staff}", add(ann), nil, "staff ann true"},
		{"a member leaves", "Groups/{staff}", `{"op":"remove","path":"members[value eq \"{bob}\"]"}`, nil, "staff bob false"},
		{"two members join", "Groups/{staff}", add(bob + "," + ann), nil, ""},
		{"a group joins", "Groups/{staff}", add(group), nil, ""},
		{"all members", "Groups/{staff}", `{"op":"replace","path":"members","value":[` + ann + `]}`, nil, ""},
		{"a new name too", "Groups/{staff}", add(ann) + `,{"op":"replace","path":"displayName","value":"x"}`, nil, ""},
		{"a rule may lock a group", "Groups/{staff}", add(ann), rule, ""},
		{"groups in groups", "Groups/{staff}", add(ann), func(c *scim.Config) { c.Members.Nested = true }, ""},
		{"no roles of groups", "Groups/{staff}", add(ann), func(c *scim.Config) { c.Roles = nil }, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var all []string
			h := testhost.Handler(t, func(c *scim.Config) {
				c.Store, c.Roles = told{changer{memory.New(), false}, &all}, &scim.Roles{Resolver: testhost.NewRoles()}
				if tt.set != nil {
					tt.set(c)
				}
			})
			names := map[string]string{}
			for _, name := range []string{"ann", "bob"} {
				names[name] = testhost.Create(t, h, "/Users", `{"userName":"`+name+`"}`)
			}
			names["other"] = testhost.Create(t, h, "/Groups", `{"displayName":"Other"}`)
			names["staff"] = testhost.Create(t, h, "/Groups", `{"displayName":"Staff","members":[{"value":"`+names["bob"]+`"}]}`)
			var ids, back []string
			for name, id := range names {
				ids, back = append(ids, "{"+name+"}", id), append(back, id, name)
			}
			fill := strings.NewReplacer(ids...).Replace
			all = nil
			a := testhost.Do(t, h, "PATCH", "/"+fill(tt.path), fill(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[`+tt.op+`]}`))
			if a.StatusCode >= 300 {
				t.Fatalf("status %d", a.StatusCode)
			}
			if diff := cmp.Diff(tt.want, strings.NewReplacer(back...).Replace(strings.Join(all, "; "))); diff != "" {
				t.Errorf("what the store hears (-want +got):\n%s", diff)
			}
		})
	}
}
