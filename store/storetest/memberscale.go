package storetest

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/scimkit/scim"
)

func memberScaleSteps() []step[scim.Store] {
	return []step[scim.Store]{
		{"many", "One change may name thousands of members: clients push whole groups.", func(t *probe, s scim.Store) {
			m := t.memberStore(s)
			g := t.create(s, t.group("All"))
			const n = 1500
			people := make([]*scim.Resource, n)
			for i := range people {
				people[i] = t.user(fmt.Sprintf("many%04d", i), nil)
			}
			all := make([]scim.Ref, n)
			err := m.InTx(t.ctx, func(ctx context.Context) error {
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
			t.changeMembers(m, g, all, nil, all, nil)
			t.members(m, g, all...)
			t.changeMembers(m, g, all[:1], all[1:], nil, all[1:])
			t.members(m, g, all[0])
		}},
		{"different members at once", "Changes of one group at once lose nothing, and each is told what it really changed.", func(t *probe, s scim.Store) {
			m := t.memberStore(s)
			u := refs(t.users(s, "u", 50))
			g := t.create(s, t.group("Busy"))
			t.changeMembers(m, g, u[25:], nil, u[25:], nil)
			t.parallel(50, func(i int) {
				if i < 25 {
					t.changeMembers(m, g, u[i:i+1], nil, u[i:i+1], nil)
				} else {
					t.changeMembers(m, g, nil, u[i:i+1], nil, u[i:i+1])
				}
			})
			t.members(m, g, u[:25]...)
		}},
		{"same member at once", "Of changes at once that add the same member one really adds it; nothing is there twice.", func(t *probe, s scim.Store) {
			m := t.memberStore(s)
			u := refs(t.users(s, "u", 3))
			g := t.create(s, t.group("Busy"))
			var mu sync.Mutex
			var all []scim.Ref
			t.parallel(20, func(i int) {
				list := slices.Clone(u)
				if i%2 == 1 {
					slices.Reverse(list) // locks that are taken in order of the list deadlock
				}
				added, removed, err := m.ChangeMembers(t.ctx, g.ID(), list, nil)
				if err != nil || len(removed) > 0 {
					t.Errorf("ChangeMembers at once: removed %v, error %v", removed, err)
				}
				mu.Lock()
				defer mu.Unlock()
				all = append(all, added...)
			})
			t.sameRefs("added by all together", u, all)
			t.members(m, g, u...)
			if n := len(t.groupsOf(m, u...)); n != 3 {
				t.Errorf("GroupsOf lists %d memberships, want 3", n)
			}
		}},
	}
}
