package storetest

import (
	stdcmp "cmp"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/scimkit/scim"
)

// members is a MemberStore as a step uses it.
type members struct {
	t     *probe
	store scim.MemberStore
}

// membersOf returns s as a MemberStore. It skips the step if s is none.
func membersOf(t *probe, s scim.Store) members {
	return members{t, capability[scim.MemberStore](t, s, "the Store is no MemberStore: members live in the group resource")}
}

func refs(list []*scim.Resource) []scim.Ref {
	out := make([]scim.Ref, len(list))
	for i, r := range list {
		out[i] = r.Ref()
	}
	return out
}

// refsOf are the references to members.
func refsOf(list []scim.Member) []scim.Ref {
	out := make([]scim.Ref, len(list))
	for i, m := range list {
		out[i] = m.Ref
	}
	return out
}

// change changes the members of a group and checks what really changed.
func (m members) change(group *scim.Resource, add, remove, wantAdded, wantRemoved []scim.Ref) {
	added, removed, err := m.store.ChangeMembers(m.t.ctx, group.ID(), add, remove)
	if err != nil {
		m.t.Fatalf("ChangeMembers: %v", err)
	}
	sameRefs(m.t, "added", wantAdded, added)
	sameRefs(m.t, "removed", wantRemoved, removed)
}

// sameRefs compares two lists in any order. It makes a diff only if they differ, because
// they may be long.
func sameRefs(t *probe, what string, want, got []scim.Ref) {
	want, got = slices.SortedFunc(slices.Values(want), compareRefs), slices.SortedFunc(slices.Values(got), compareRefs)
	if !slices.Equal(want, got) {
		t.Errorf("%s (-want +got):\n%s", what, cmp.Diff(want, got))
	}
}

// compareRefs orders by type and then id, as text.
func compareRefs(a, b scim.Ref) int {
	return stdcmp.Or(strings.Compare(a.Type, b.Type), strings.Compare(a.ID, b.ID))
}

// list returns the first members of a group.
func (m members) list(group *scim.Resource, limit int) []scim.Ref {
	got, err := m.store.Members(m.t.ctx, group.ID(), scim.Ref{}, limit)
	if err != nil {
		m.t.Fatalf("Members: %v", err)
	}
	return refsOf(got)
}

// expectDisplays demands the display names of a group's members, by page.
func (m members) expectDisplays(group *scim.Resource, want map[scim.Ref]string) {
	got, after := map[scim.Ref]string{}, scim.Ref{}
	for range len(want) + 1 {
		page, err := m.store.Members(m.t.ctx, group.ID(), after, 2)
		if err != nil {
			m.t.Fatalf("Members: %v", err)
		}
		if len(page) == 0 {
			break
		}
		for _, e := range page {
			got[e.Ref] = e.Display
		}
		after = page[len(page)-1].Ref
	}
	if diff := cmp.Diff(want, got); diff != "" {
		m.t.Errorf("display names of members (-want +got):\n%s", diff)
	}
}

// has reports whether a group has a member.
func (m members) has(group *scim.Resource, ref scim.Ref) bool {
	return slices.Contains(m.list(group, 100), ref)
}

// expect requires these members of a group, in any order.
func (m members) expect(group *scim.Resource, want ...scim.Ref) {
	sameRefs(m.t, "members", want, m.list(group, 10_000))
}

// expectPages reads the members of a group in pages, and requires ascending order.
func (m members) expectPages(group *scim.Resource, limit int, want []scim.Ref) {
	var got []scim.Ref
	for after := (scim.Ref{}); len(got) <= len(want); after = got[len(got)-1] {
		page, err := m.store.Members(m.t.ctx, group.ID(), after, limit)
		if err != nil || len(page) > limit {
			m.t.Fatalf("Members behind %v, limit %d: %d of them, error %v, %d before", after, limit, len(page), err, len(got))
		}
		if len(page) == 0 {
			break
		}
		got = append(got, refsOf(page)...)
	}
	sameRefs(m.t, "pages of members", want, got)
	if !ascending(got) {
		m.t.Errorf("%d members with limit %d are not in ascending order of type and id: %v", len(got), limit, got[:min(len(got), 20)])
	}
}

// expectGroups requires the groups of members, as "group id" by member.
func (m members) expectGroups(of []scim.Ref, want map[scim.Ref][]*scim.Resource) {
	got := m.groupsOf(of...)
	plain, wanted := map[scim.Ref][]string{}, map[scim.Ref][]string{}
	for _, e := range got {
		plain[e.Member] = append(plain[e.Member], e.GroupID)
	}
	for ref, groups := range want {
		wanted[ref] = ids(groups)
	}
	if diff := cmp.Diff(wanted, plain, cmpopts.SortSlices(strings.Compare), cmpopts.EquateEmpty()); diff != "" {
		m.t.Errorf("GroupsOf (-want +got):\n%s", diff)
	}
}

// expectNone requires that an unknown group has no members.
func (m members) expectNone(group *scim.Resource) {
	if left, err := m.store.Members(m.t.ctx, group.ID(), scim.Ref{}, 10); err == nil && len(left) > 0 || err != nil && !errors.Is(err, scim.ErrNotFound) {
		m.t.Errorf("Members of an unknown group: %v, error %v; want none, or ErrNotFound", left, err)
	}
}

// groupsOf returns the memberships of members.
func (m members) groupsOf(of ...scim.Ref) []scim.Membership {
	got, err := m.store.GroupsOf(m.t.ctx, of)
	if err != nil {
		m.t.Fatalf("GroupsOf: %v", err)
	}
	for _, ref := range of[:min(len(of), 10)] {
		if both, ok := m.store.(scim.GroupReader); ok {
			m.expectBoth(both, ref, got)
		}
		m.expectPage(ref, got)
	}
	return got
}

// expectPage requires that a page with memberships, if the store gives one, has what GroupsOf returns.
func (m members) expectPage(ref scim.Ref, all []scim.Membership) {
	s := m.store.(scim.Store)
	if ref.Type != "User" {
		return
	}
	user, err := s.Get(m.t.ctx, ref)
	if err != nil {
		return // groupsOf also asks for users who do not exist
	}
	page := m.t.list(s, scim.UserType(), &scim.Query{Filter: m.t.filter("userName eq " + strconv.Quote(user.String("userName"))), Limit: 10, Total: true, WithGroups: true})
	if page.Groups == nil {
		return // A store may ignore WithGroups. Other steps look at its lists.
	}
	if page.Total != 1 || len(page.Resources) != 1 {
		m.t.Fatalf("List WithGroups: %d resources of %d, want 1", len(page.Resources), page.Total)
	}
	m.t.exactly("List WithGroups", user, page.Resources[0])
	if diff := cmp.Diff(membershipsOf(ref, all), page.Groups, byGroup, cmpopts.EquateEmpty()); diff != "" {
		m.t.Errorf("List WithGroups of %v, compared with GroupsOf (-want +got):\n%s", ref, diff)
	}
}

// membershipsOf returns those of one member, each once: the same member may be asked for twice.
func membershipsOf(ref scim.Ref, all []scim.Membership) (own []scim.Membership) {
	for _, e := range all {
		if e.Member == ref && !slices.Contains(own, e) {
			own = append(own, e)
		}
	}
	return own
}

var byGroup = cmpopts.SortSlices(func(a, b scim.Membership) bool { return a.GroupID < b.GroupID })

// expectBoth requires that a GroupReader reads what Get and GroupsOf do.
func (m members) expectBoth(both scim.GroupReader, ref scim.Ref, all []scim.Membership) {
	if ref.Type != "User" {
		return
	}
	user, missing := m.store.(scim.Store).Get(m.t.ctx, ref)
	got, groups, err := both.GetWithGroups(m.t.ctx, ref.ID)
	switch {
	case errors.Is(missing, scim.ErrNotFound):
		if !errors.Is(err, scim.ErrNotFound) {
			m.t.Errorf("GetWithGroups of %v, which Get does not find: error %v", ref, err)
		}
		return
	case missing != nil || err != nil:
		m.t.Fatalf("Get of %v: error %v; GetWithGroups: error %v", ref, missing, err)
	}
	m.t.exactly("GetWithGroups", user, got)
	if diff := cmp.Diff(membershipsOf(ref, all), groups, byGroup, cmpopts.EquateEmpty()); diff != "" {
		m.t.Errorf("GetWithGroups of %v, compared with GroupsOf (-want +got):\n%s", ref, diff)
	}
}

// ascending reports whether refs are ordered by type and then id, as text or, for
// ids that are numbers, as numbers.
func ascending(list []scim.Ref) bool {
	byNumber := func(a, b scim.Ref) int {
		return stdcmp.Or(strings.Compare(a.Type, b.Type), len(a.ID)-len(b.ID), strings.Compare(a.ID, b.ID))
	}
	numbers := !slices.ContainsFunc(list, func(r scim.Ref) bool { return strings.Trim(r.ID, "0123456789") != "" })
	return slices.IsSortedFunc(list, compareRefs) || numbers && slices.IsSortedFunc(list, byNumber)
}

// memberDisplays reads display names, before and after members get others.
func memberDisplays(t *probe, s scim.Store) {
	m := membersOf(t, s)
	want := map[scim.Ref]string{}
	people := []*scim.Resource{
		t.create(s, t.user("ann@example.com", values{"displayName": `Ann "Ä" <O'Neil> \ {1}`})),
		t.create(s, t.user("Ben@Example.com", nil)),
		t.create(s, t.user("eve@example.com", nil)),
		t.create(s, t.group("Inner Circle")),
		t.create(s, t.group("Twins")),
	}
	for i, name := range []string{`Ann "Ä" <O'Neil> \ {1}`, "Ben@Example.com", "eve@example.com", "Inner Circle", "Twins"} {
		want[people[i].Ref()] = name
	}
	// A store may refuse a group without a name.
	if nameless, err := s.Create(t.ctx, t.bind(scim.GroupType(), t.meta(), values{"externalId": "nameless"})); err == nil {
		people = append(people, nameless)
		want[nameless.Ref()] = nameless.String("displayName")
	}
	parent, all := t.create(s, t.group("Parent")), refs(people)
	m.change(parent, all, nil, all, nil)
	m.expectDisplays(parent, want)
	for i, change := range []values{{"displayName": nil}, {"userName": "ben@example.org"}, {"displayName": "Eve"}, {"displayName": "Outer Circle"}} {
		t.put(s, all[i], change)
		want[all[i]] = []string{"ann@example.com", "ben@example.org", "Eve", "Outer Circle"}[i]
	}
	m.expectDisplays(parent, want)
	t.remove(s, all[0])
	delete(want, all[0])
	m.expectDisplays(parent, want)
	m.expectGroupName(all[1], "Parent")
	t.put(s, parent.Ref(), values{"displayName": `A "new" \ name`})
	m.expectGroupName(all[1], `A "new" \ name`)
}

// expectGroupName requires that a member's only membership has the name of the group, if it has any.
func (m members) expectGroupName(of scim.Ref, want string) {
	if all := m.groupsOf(of); len(all) != 1 || all[0].Display != "" && all[0].Display != want {
		m.t.Errorf("GroupsOf: %v; want one membership, with the display name %q or none", all, want)
	}
}

func memberSteps() []step[scim.Store] {
	return []step[scim.Store]{
		{"add and remove", "ChangeMembers adds and removes members, and returns what really changed. It skips members that it need not add or remove.", func(t *probe, s scim.Store) {
			m := membersOf(t, s)
			u, g := refs(t.users(s, "u", 4)), t.create(s, t.group("Engineers"))
			m.expect(g)
			m.change(g, u[:2], nil, u[:2], nil)
			m.expect(g, u[:2]...)
			m.change(g, u[:3], u[3:], u[2:3], nil) // two are there, one is not
			m.change(g, u[3:], u[:1], u[3:], u[:1])
			m.expect(g, u[1:]...)
			m.change(g, u[1:], u[:1], nil, nil)
			m.change(g, nil, nil, nil, nil)
			m.expect(g, u[1:]...)
			m.change(g, nil, u, nil, u[1:])
			m.expect(g)
		}},
		{"groups apart", "A change of one group leaves the others alone.", func(t *probe, s scim.Store) {
			m := membersOf(t, s)
			u := refs(t.users(s, "u", 3))
			a, b := t.create(s, t.group("A")), t.create(s, t.group("B"))
			m.change(a, u[:2], nil, u[:2], nil)
			m.change(b, u[1:], nil, u[1:], nil)
			m.change(a, nil, u[1:2], nil, u[1:2])
			m.expect(a, u[0])
			m.expect(b, u[1:]...)
			m.expectGroups(u, map[scim.Ref][]*scim.Resource{u[0]: {a}, u[1]: {b}, u[2]: {b}})
		}},
		{"unknown group", "ChangeMembers of an unknown group is ErrNotFound.", func(t *probe, s scim.Store) {
			m := membersOf(t, s)
			u := t.create(s, t.user("ann@example.com", nil))
			for _, id := range strangeIDs() {
				if _, _, err := m.store.ChangeMembers(t.ctx, id, []scim.Ref{u.Ref()}, nil); !errors.Is(err, scim.ErrNotFound) {
					t.Errorf("ChangeMembers of group %q: error %v, want ErrNotFound", id, err)
				}
			}
			m.expectGroups([]scim.Ref{u.Ref()}, nil)
		}},
		{"order and paging", "Members lists members in ascending order of type and then id. It begins after the member after, and returns at most limit members.", func(t *probe, s scim.Store) {
			m := membersOf(t, s)
			g := t.create(s, t.group("All"))
			var all []scim.Ref
			for range 4 {
				all = append(all, t.create(s, t.group("Part")).Ref())
			}
			all = append(all, refs(t.users(s, "u", 13))...)
			m.change(g, all, nil, all, nil)
			for _, limit := range []int{1, 3, 4, len(all), len(all) + 1} {
				m.expectPages(g, limit, all)
			}
		}},
		{"paging while members change", "If members come and go between two pages, the next page begins after the place of after, also if after has left. Who stays is on one page.", pagesOfAMovingGroup},
		{"display names", "Members lists the present display names: displayName, or else userName, or \"\" if a member has neither.", memberDisplays},
		{"groups of", "GroupsOf lists the memberships of the members that it gets, and no others. Unknown members have none.", func(t *probe, s scim.Store) {
			m := membersOf(t, s)
			u := refs(t.users(s, "u", 3))
			a, b := t.create(s, t.group("A")), t.create(s, t.group("B"))
			m.change(a, u, nil, u, nil)
			m.change(b, []scim.Ref{u[0], a.Ref()}, nil, []scim.Ref{u[0], a.Ref()}, nil)
			m.expectGroups([]scim.Ref{u[0], u[1], a.Ref(), {Type: "User", ID: nobody}},
				map[scim.Ref][]*scim.Resource{u[0]: {a, b}, u[1]: {a}, a.Ref(): {b}})
			m.expectGroups(nil, nil)
			many := []scim.Ref{u[2]}
			for len(many) < 1000 {
				many = append(many, scim.Ref{Type: "User", ID: t.meta().ID})
			}
			m.expectGroups(many, map[scim.Ref][]*scim.Resource{u[2]: {a}})
		}},
		{"since", "Since is the time at which the member joined. It follows the order of joining, and adding a member again does not change it.", func(t *probe, s scim.Store) {
			m := membersOf(t, s)
			u := t.create(s, t.user("ann@example.com", nil)).Ref()
			since := map[string]time.Time{}
			var groups []*scim.Resource
			for _, name := range []string{"first", "second", "third"} {
				g := t.create(s, t.group(name))
				groups = append(groups, g)
				m.change(g, []scim.Ref{u}, nil, []scim.Ref{u}, nil)
				time.Sleep(2 * time.Millisecond)
			}
			for _, e := range m.groupsOf(u) {
				since[e.GroupID] = e.Since
			}
			for i, g := range groups {
				if since[g.ID()].IsZero() {
					t.Errorf("Since of a membership is zero")
				}
				if i > 0 && since[g.ID()].Before(since[groups[i-1].ID()]) {
					t.Errorf("Since of the later membership is %v, of the earlier one %v", since[g.ID()], since[groups[i-1].ID()])
				}
			}
			m.change(groups[0], []scim.Ref{u}, nil, nil, nil)
			for _, e := range m.groupsOf(u) {
				if !e.Since.Equal(since[e.GroupID]) {
					t.Errorf("Since moved from %v to %v when the member was added again", since[e.GroupID], e.Since)
				}
			}
		}},
		{"type and id", "Type and id together name a member: user 5 and group 5 are two members.", func(t *probe, s scim.Store) {
			m := membersOf(t, s)
			user, group := twins(t, s)
			g := t.create(s, t.group("Parent"))
			both := []scim.Ref{user.Ref(), group.Ref()}
			m.change(g, both[:1], nil, both[:1], nil)
			m.expectGroups(both, map[scim.Ref][]*scim.Resource{user.Ref(): {g}})
			m.change(g, both, nil, both[1:], nil)
			m.expect(g, both...)
			m.change(g, nil, both[1:], nil, both[1:])
			m.expect(g, user.Ref())
			m.change(g, both[1:], nil, both[1:], nil)
			t.remove(s, group.Ref())
			m.expect(g, user.Ref())
			m.expectGroups(both, map[scim.Ref][]*scim.Resource{user.Ref(): {g}})
		}},
		{"deleted user", "Delete of a user also deletes its memberships.", func(t *probe, s scim.Store) {
			m := membersOf(t, s)
			u := refs(t.users(s, "u", 2))
			a, b := t.create(s, t.group("A")), t.create(s, t.group("B"))
			m.change(a, u, nil, u, nil)
			m.change(b, u[:1], nil, u[:1], nil)
			t.remove(s, u[0])
			m.expect(a, u[1])
			m.expect(b)
			m.expectGroups(u, map[scim.Ref][]*scim.Resource{u[1]: {a}})
		}},
		{"deleted group", "Delete of a group also deletes its memberships, also those as a member of another group.", func(t *probe, s scim.Store) {
			m := membersOf(t, s)
			u := refs(t.users(s, "u", 2))
			a, b := t.create(s, t.group("A")), t.create(s, t.group("B"))
			m.change(a, u, nil, u, nil)
			m.change(b, []scim.Ref{a.Ref(), u[0]}, nil, []scim.Ref{a.Ref(), u[0]}, nil)
			t.remove(s, a.Ref())
			m.expectGroups(append(u, a.Ref()), map[scim.Ref][]*scim.Resource{u[0]: {b}})
			m.expect(b, u[0])
			m.expectNone(a)
		}},
		{"never in the resource", "Group resources of a MemberStore never contain members, neither written nor read. A change of members does not change the resource.", func(t *probe, s scim.Store) {
			m := membersOf(t, s)
			u := refs(t.users(s, "u", 3))
			g := t.create(s, t.group("Engineers"))
			m.change(g, u, nil, u, nil)
			seen := append(t.list(s, scim.GroupType(), &scim.Query{Limit: 10}).Resources, t.get(s, g.Ref()))
			seen = append(seen, t.put(s, g.Ref(), values{"displayName": "Builders"}))
			for _, r := range seen {
				if r.Get("members") != nil {
					t.Errorf("a group resource carries members: %s", show(r))
				}
			}
			m.expect(g, u...)
		}},
	}
}
