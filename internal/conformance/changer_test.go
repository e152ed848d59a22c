package conformance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/store/memory"
)

// changer changes one member at once. It leaves each change to other calls if leaves is set.
type changer struct {
	*memory.Store
	leaves bool
}

func (c changer) ChangeMember(ctx context.Context, change scim.MemberChange) (done scim.MemberChanged, err error) {
	if c.leaves {
		return done, errors.ErrUnsupported
	}
	var add, remove []scim.Ref
	if change.Remove {
		remove = change.Members
	} else if _, err := c.Get(ctx, change.Members[0]); err == nil {
		add, done.IsKnown = change.Members, true
	}
	added, removed, err := c.ChangeMembers(ctx, change.Group.ID(), add, remove)
	if err != nil {
		return done, err
	}
	done.Changed = append(added, removed...)
	done.Group, err = c.Update(ctx, change.Group.Ref(), func(now *scim.Resource) (*scim.Resource, error) {
		if len(done.Changed) == 0 {
			return now, nil
		}
		return change.Group, nil
	})
	return done, err
}

// memberRequest is a PATCH of a group with the member bob.
type memberRequest struct {
	name  string
	group string // the displayName of the group
	op    string // with the ids of users and groups as {name}
	set   func(c *scim.Config, roles *testhost.Roles)
	isOne bool   // the store changes the member at once
	want  string // the answer, and the members of the group afterwards
}

func memberRequests() []memberRequest {
	add := func(ids string) string {
		return `{"op":"add","path":"members","value":[{"value":"` + strings.ReplaceAll(ids, " ", `"},{"value":"`) + `"}]}`
	}
	remove := func(id string) string { return `{"op":"remove","path":"members[value eq \"` + id + `\"]"}` }
	rule := func(c *scim.Config, _ *testhost.Roles) {
		c.Rules = []scim.Rule{func(_ context.Context, change *scim.Change) error {
			if change.Op == scim.OpPatch {
				change.Add = nil
			}
			return nil
		}}
	}
	return []memberRequest{
		{"a member joins", "Staff", add("{ann}"), nil, true, "204 ann bob"},
		{"a member joins again", "Staff", add("{bob}"), nil, true, "204 bob"},
		{"a member leaves", "Staff", remove("{bob}"), nil, true, "204 "},
		{"one who is no member leaves", "Staff", remove("{ann}"), nil, true, "204 bob"},
		{"a group joins", "Staff", `{"op":"add","path":"members","value":[{"value":"{Admins}","type":"Group"}]}`, nil, true, "204 Admins bob"},
		{"a member joins a group with a role", "Admins", add("{ann}"), nil, true, "204 ann bob"},
		{"a member joins a group with a role again", "Admins", add("{bob}"), nil, true, "204 bob"},
		{"a member leaves a group with a role", "Admins", remove("{bob}"), nil, true, "204 "},
		{"a member joins, and the role appears", "Staff", add("{ann}"), func(_ *scim.Config, r *testhost.Roles) { r.Put(scim.Role{ID: "staff", Name: "Staff"}) }, true, "204 ann bob"},
		{"an inactive member joins", "Admins", add("{eve}"), nil, true, "204 bob eve"},
		{"a stranger joins", "Staff", add("nobody"), nil, true, "400 bob"},
		{"a stranger is left out", "Staff", add("nobody"), func(c *scim.Config, _ *testhost.Roles) { c.Members.SkipUnknown = true }, true, "204 bob"},
		{"two join", "Staff", add("{ann} {eve}"), nil, false, "204 ann bob eve"},
		{"one joins and one leaves", "Staff", add("{ann}") + "," + remove("{bob}"), nil, false, "204 ann"},
		{"the group is renamed too", "Staff", add("{ann}") + `,{"op":"replace","path":"displayName","value":"Other"}`, nil, false, "204 ann bob"},
		{"the whole list", "Staff", `{"op":"replace","path":"members","value":[{"value":"{ann}"}]}`, nil, false, "204 ann"},
		{"a rule leaves the member out", "Staff", add("{ann}"), rule, false, "204 bob"},
		{"groups in groups", "Staff", add("{ann}"), func(c *scim.Config, _ *testhost.Roles) { c.Members.Nested = true }, false, "204 ann bob"},
		{"roles outside of the transaction", "Admins", add("{ann}"), func(c *scim.Config, _ *testhost.Roles) { c.Roles.Separate = true }, true, "204 ann bob"},
		{"no roles", "Admins", add("{ann}"), func(c *scim.Config, _ *testhost.Roles) { c.Roles = nil }, true, "204 ann bob"},
	}
}

// A request about one member costs one call of a store that can do so. The answer, the members, the roles
// and the events are the same as with a store that cannot.
func TestMemberChanger(t *testing.T) {
	for _, tt := range memberRequests() {
		t.Run(tt.name, func(t *testing.T) {
			want, _ := tt.run(t, memory.New())
			got, calls := tt.run(t, changer{memory.New(), false})
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("a store that changes one member at once (-want +got):\n%s", diff)
			}
			if left, _ := tt.run(t, changer{memory.New(), true}); left != want {
				t.Errorf("a store that leaves the change to other calls (-want +got):\n%s", cmp.Diff(want, left))
			}
			if !strings.HasPrefix(got, tt.want+"\n") {
				t.Errorf("want %q, got:\n%s", tt.want, got)
			}
			called := func(name string) bool {
				return slices.ContainsFunc(calls, func(c string) bool { return strings.TrimSpace(c) == name })
			}
			if isOne := called("MemberChanger.ChangeMember"); isOne != tt.isOne {
				t.Errorf("the store changes one member at once: %v, want %v: %q", isOne, tt.isOne, calls)
			}
			if isFound := !strings.Contains(tt.op, "nobody"); tt.isOne && isFound && called("MemberStore.ChangeMembers") {
				t.Errorf("other calls too: %q", calls)
			}
		})
	}
}

// run makes the request to a handler with users and groups. It returns what becomes of it, with names in
// the place of ids, and the calls of the request.
func (m *memberRequest) run(t *testing.T, s scim.Store) (result string, calls []string) {
	roles := testhost.NewRoles()
	roles.Put(scim.Role{ID: "admin", Name: "Admins"})
	w, events := &callWatcher{}, []string(nil)
	h := testhost.Handler(t, func(c *scim.Config) {
		c.Store, c.Observers, c.Roles = s, []scim.Observer{w}, &scim.Roles{Resolver: roles}
		c.OnEvent = func(_ context.Context, e scim.Event) {
			events = append(events, fmt.Sprint(e.Kind, " ", e.Resource.ID, " ", e.Member.ID, " ", e.Role.ID, " ", e.Reason))
		}
		if m.set != nil {
			m.set(c, testhost.NewRoles())
		}
	})
	ids := map[string]string{}
	for _, name := range []string{"ann", "bob", "eve"} {
		ids[name] = testhost.Create(t, h, "/Users", fmt.Sprintf(`{"userName":%q,"active":%v}`, name, name != "eve"))
	}
	for _, name := range []string{"Staff", "Admins"} {
		ids[name] = testhost.Create(t, h, "/Groups", `{"displayName":"`+name+`","members":[{"value":"`+ids["bob"]+`"}]}`)
	}
	if m.set != nil {
		m.set(&scim.Config{Roles: &scim.Roles{}}, roles)
	}
	op, names := m.op, []string(nil)
	for name, id := range ids {
		op, names = strings.ReplaceAll(op, "{"+name+"}", id), append(names, id, name)
	}
	before := testhost.Do(t, h, "GET", "/Groups/"+ids[m.group]+"?attributes=displayName", "").Header.Get("ETag")
	w.calls, events = nil, nil
	answer := testhost.Do(t, h, "PATCH", "/Groups/"+ids[m.group], `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[`+op+`]}`)
	calls = w.calls
	text := testhost.Must(io.ReadAll(answer.Body))
	var members []string
	group := testhost.Do(t, h, "GET", "/Groups/"+ids[m.group], "")
	list, _ := testhost.Decode(t, group)["members"].([]any)
	for _, e := range list {
		members = append(members, e.(map[string]any)["display"].(string))
	}
	slices.Sort(members)
	after := group.Header.Get("ETag")
	result = fmt.Sprintf("%d %s\n%s\nnew version: %v; told: %v\n", answer.StatusCode, strings.Join(members, " "), text, after != before, answer.Header.Get("ETag") == after)
	for _, name := range []string{"ann", "bob", "eve"} {
		result += fmt.Sprintf("%s: %q\n", name, roles.Of(ids[name]))
	}
	result += strings.Join(events, "\n")
	return strings.NewReplacer(names...).Replace(result), calls
}
