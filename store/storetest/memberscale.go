package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/scimkit/scim"
)

const bigGroupStep = "big group"

func memberScaleSteps() []step[scim.Store] {
	return []step[scim.Store]{
		{bigGroupStep, "A group may have 4,000 members, whom clients push in one change; they are read page by page, and go with the group.", bigGroup},
		{"different members at once", "Concurrent changes of one group lose nothing, and each returns what it really changed.", func(t *probe, s scim.Store) {
			m := membersOf(t, s)
			u := refs(t.users(s, "u", 50))
			g := t.create(s, t.group("Busy"))
			m.change(g, u[25:], nil, u[25:], nil)
			t.parallel(50, func(i int) {
				if i < 25 {
					m.change(g, u[i:i+1], nil, u[i:i+1], nil)
				} else {
					m.change(g, nil, u[i:i+1], nil, u[i:i+1])
				}
			})
			m.expect(g, u[:25]...)
		}},
		{"same member at once", "If concurrent changes add the same member, exactly one really adds it. No member is stored twice.", func(t *probe, s scim.Store) {
			m := membersOf(t, s)
			u := refs(t.users(s, "u", 3))
			g := t.create(s, t.group("Busy"))
			var mu sync.Mutex
			var all []scim.Ref
			t.parallel(20, func(i int) {
				list := slices.Clone(u)
				if i%2 == 1 {
					slices.Reverse(list) // locks that are taken in order of the list deadlock
				}
				added, removed, err := m.store.ChangeMembers(t.ctx, g.ID(), list, nil)
				if err != nil || len(removed) > 0 {
					t.Errorf("ChangeMembers at once: removed %v, error %v", removed, err)
				}
				mu.Lock()
				defer mu.Unlock()
				all = append(all, added...)
			})
			sameRefs(t, "added by all together", u, all)
			m.expect(g, u...)
			if n := len(m.groupsOf(u...)); n != 3 {
				t.Errorf("GroupsOf lists %d memberships, want 3", n)
			}
		}},
		{"deleted group", "If a group is deleted while its members change, it has no members afterwards. A change happens before the deletion, or finds no group.", func(t *probe, s scim.Store) {
			m := membersOf(t, s)
			u := refs(t.users(s, "u", 4))
			for n := range 10 {
				g := t.create(s, t.group(fmt.Sprint("Going ", n)))
				m.change(g, u[:1], nil, u[:1], nil)
				t.parallel(4, func(i int) {
					if i == 0 {
						t.remove(s, g.Ref())
					} else if _, _, err := m.store.ChangeMembers(t.ctx, g.ID(), u[i:i+1], u[:1]); err != nil && !errors.Is(err, scim.ErrNotFound) {
						t.Errorf("ChangeMembers of a group that is being deleted: error %v, want none, or ErrNotFound", err)
					}
				})
				m.expectNone(g)
				m.expectGroups(u, nil)
			}
		}},
	}
}

// pagesOfAMovingGroup reads a group in pages. After each page the page's last member leaves, and
// a member comes before and behind it.
func pagesOfAMovingGroup(t *probe, s scim.Store) {
	m := membersOf(t, s)
	g := t.create(s, t.group("Moving"))
	all := refs(t.users(s, "u", 24))
	m.change(g, all, nil, all, nil)
	all = m.list(g, len(all)) // in the store's order
	const limit = 4
	var outside, inside []scim.Ref
	for i, ref := range all {
		if i%3 == 0 {
			outside = append(outside, ref)
		} else {
			inside = append(inside, ref)
		}
	}
	m.change(g, nil, outside, nil, outside)
	times, gone := map[scim.Ref]int{}, map[scim.Ref]bool{}
	after := scim.Ref{}
	for pages := 1; ; pages++ {
		page, err := m.store.Members(t.ctx, g.ID(), after, limit)
		if err != nil {
			t.Fatalf("Members behind %v: %v", after, err)
		}
		for _, e := range page {
			times[e.Ref]++
		}
		if len(page) < limit {
			break
		}
		if pages == len(all) {
			t.Fatalf("%d pages have no end", pages)
		}
		after = page[len(page)-1].Ref
		gone[after] = true
		var come []scim.Ref
		if n := len(outside); n > 1 {
			come, outside = []scim.Ref{outside[0], outside[n-1]}, outside[1:n-1]
		}
		m.change(g, come, []scim.Ref{after}, come, []scim.Ref{after})
	}
	for _, ref := range inside {
		if n := times[ref]; n != 1 {
			t.Errorf("%v, who left: %t, is on %d pages, want 1", ref, gone[ref], n)
		}
	}
	for ref, n := range times {
		if n > 1 {
			t.Errorf("%v is on %d pages", ref, n)
		}
	}
}

func bigGroup(t *probe, s scim.Store) {
	m := membersOf(t, s)
	const n = 4_000
	g, all := t.create(s, t.group("All")), make([]scim.Ref, n)
	people := make([]*scim.Resource, n)
	for i := range people {
		people[i] = t.user(fmt.Sprintf("many%05d", i), nil)
	}
	err := m.store.InTx(t.ctx, func(ctx context.Context) error {
		for i, r := range people {
			made, err := s.Create(ctx, r)
			if err != nil {
				return err
			}
			all[i] = made.Ref()
		}
		return nil
	})
	if err != nil {
		t.Fatalf("creating %d users in one transaction: %v", n, err)
	}
	m.change(g, all, nil, all, nil)
	m.expectPages(g, 1000, all)
	m.change(g, nil, all[n/2:n/2+1], nil, all[n/2:n/2+1])
	m.expectPages(g, 1000, slices.Concat(all[:n/2], all[n/2+1:]))
	m.change(g, all[n/2:n/2+1], nil, all[n/2:n/2+1], nil)
	if got := m.groupsOf(all[:1000]...); len(got) != 1000 {
		t.Errorf("GroupsOf lists %d memberships of 1,000 members of one group", len(got))
	}
	t.remove(s, all[0])
	m.change(g, nil, all[:n/2], nil, all[1:n/2])
	m.expectPages(g, 1000, all[n/2:])
	t.remove(s, g.Ref())
	m.expectNone(g)
	if got := m.groupsOf(all[n-1000:]...); len(got) != 0 {
		t.Errorf("GroupsOf lists %d memberships after their group was deleted", len(got))
	}
}
