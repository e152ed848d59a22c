package storetest

import (
	"slices"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/scimkit/scim"
)

func holderSteps() []step[Harness] {
	return []step[Harness]{
		{"holders", "RoleHolders lists everybody who holds a role now, each once, in ascending order of id, page by page.", func(t *probe, h Harness) {
			r, ok := h.Resolver.(scim.RoleHolders)
			if !ok {
				t.Skipf("the Resolver is no RoleHolders: scim.Roles.KeepLastHolder needs one")
			}
			users := h.users(t, 5)
			for _, u := range users[:4] {
				h.change(t, grant(u, h.Roles[0]))
			}
			h.change(t, grant(users[4], h.Roles[1]))
			h.change(t, revoke(users[1], h.Roles[0]))
			want := []string{users[0], users[2], users[3]}
			slices.Sort(want)
			for _, limit := range []int{1, 2, 100} {
				var got, all []string
				for after := ""; ; {
					page, err := r.RoleHolders(t.ctx, h.Roles[0], after, limit)
					if err != nil || len(page) > limit || len(all) > 1000 {
						t.Fatalf("RoleHolders after %q, limit %d: %d ids, error %v", after, limit, len(page), err)
					}
					if len(page) == 0 {
						break
					}
					all, after = append(all, page...), page[len(page)-1]
				}
				for _, id := range all { // others may hold it too
					if slices.Contains(users, id) {
						got = append(got, id)
					}
				}
				if !slices.IsSorted(all) {
					t.Errorf("RoleHolders, pages of %d: %q is not in ascending order", limit, all)
				}
				if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
					t.Errorf("RoleHolders, pages of %d (-want +got):\n%s", limit, diff)
				}
			}
		}},
		{"holders of an unknown role", "RoleHolders lists nobody for a role that does not exist, and returns no error.", func(t *probe, h Harness) {
			r, ok := h.Resolver.(scim.RoleHolders)
			if !ok {
				t.Skipf("the Resolver is no RoleHolders: scim.Roles.KeepLastHolder needs one")
			}
			if got, err := r.RoleHolders(t.ctx, noRole, "", 10); err != nil || len(got) > 0 {
				t.Errorf("RoleHolders of an unknown role: %q, error %v", got, err)
			}
		}},
	}
}
