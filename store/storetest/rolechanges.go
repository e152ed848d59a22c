package storetest

import (
	"context"
	"errors"
	"slices"

	"github.com/scimkit/scim"
)

func changeSteps() []step[Harness] {
	return []step[Harness]{
		{"nothing held", "HeldRoles leaves out a default role that every user has. It returns nothing for unknown users.", func(t *probe, h Harness) {
			h.held(t, "of a fresh user", h.users(t, 1))
			h.held(t, "of unknown users", strangeIDs())
			h.held(t, "of nobody", nil)
		}},
		{"grant", "After ChangeRoles the user holds the granted role.", func(t *probe, h Harness) {
			users := h.users(t, 2)
			h.change(t, grant(users[0], h.Roles[0]))
			h.held(t, "after a grant", append(users, nobody), h.Roles[:1])
			h.change(t)
			h.held(t, "after no changes", users, h.Roles[:1])
		}},
		{"grant beside", "Granting a role leaves the user's other roles alone.", func(t *probe, h Harness) {
			if h.Exclusive {
				t.Skipf("the Harness is Exclusive")
			}
			users := h.users(t, 1)
			h.change(t, grant(users[0], h.Roles[0]))
			h.change(t, grant(users[0], h.Roles[1]))
			h.held(t, "after a second grant", users, h.Roles[:2])
			h.change(t, revoke(users[0], h.Roles[0]))
			h.held(t, "after the first was revoked", users, h.Roles[1:2])
		}},
		{"grant twice", "ChangeRoles is idempotent: granting a role that the user holds is no error, and the user then holds it once.", func(t *probe, h Harness) {
			users := h.users(t, 1)
			for range 2 {
				h.change(t, grant(users[0], h.Roles[0]))
				h.held(t, "after the same grant again", users, h.Roles[:1])
			}
			h.change(t, revoke(users[0], h.Roles[0]))
			h.held(t, "after one revocation of a role granted twice", users)
		}},
		{"revoke", "After ChangeRoles the user does not hold the revoked role.", func(t *probe, h Harness) {
			users := h.users(t, 1)
			h.change(t, grant(users[0], h.Roles[0]))
			h.change(t, revoke(users[0], h.Roles[0]))
			h.held(t, "after a revocation", users)
		}},
		{"revoke twice", "ChangeRoles is idempotent: revoking a role that the user does not hold is no error, and revokes no other role.", func(t *probe, h Harness) {
			users := h.users(t, 1)
			h.change(t, revoke(users[0], h.Roles[0]))
			h.change(t, grant(users[0], h.Roles[1]))
			for range 2 {
				h.change(t, revoke(users[0], h.Roles[0]))
				h.held(t, "after a role was revoked that was not held", users, h.Roles[1:2])
			}
			h.change(t, revoke(users[0], noRole))
			h.held(t, "after a role was revoked that does not exist", users, h.Roles[1:2])
		}},
		{"revoke and grant", "One change revokes and grants in one step.", func(t *probe, h Harness) {
			users := h.users(t, 1)
			h.change(t, grant(users[0], h.Roles[0]))
			swap := grant(users[0], h.Roles[1])
			swap.Revoke = h.Roles[:1]
			for range 2 {
				h.change(t, swap)
				h.held(t, "after a swap", users, h.Roles[1:2])
			}
		}},
		{"others untouched", "A change affects only the users that it names.", func(t *probe, h Harness) {
			users := h.users(t, 3)
			h.change(t, grant(users[0], h.Roles[0]), grant(users[1], h.Roles[0]), grant(users[2], h.Roles[1]))
			h.change(t, revoke(users[1], h.Roles[0]))
			h.held(t, "after another's revocation", users, h.Roles[:1], nil, h.Roles[1:2])
			h.held(t, "of one user", users[2:], h.Roles[1:2])
		}},
		{"by hand", "HeldRoles lists roles from whatever origin, as they are now.", func(t *probe, h Harness) {
			if h.Give == nil && h.Take == nil {
				t.Skipf("the Harness has neither Give nor Take")
			}
			users := h.users(t, 2)
			if h.Give != nil {
				if err := h.Give(t.ctx, users[0], h.Roles[0].ID); err != nil {
					t.Fatalf("the harness's Give: %v", err)
				}
				h.held(t, "after a role was given by hand", users, h.Roles[:1])
			}
			if h.Take != nil {
				h.change(t, grant(users[1], h.Roles[0]))
				if err := h.Take(t.ctx, users[1], h.Roles[0].ID); err != nil {
					t.Fatalf("the harness's Take: %v", err)
				}
				h.held(t, "after a role was taken by hand", users[1:])
				h.change(t, revoke(users[1], h.Roles[0]))
			}
		}},
	}
}

func roleBatchSteps() []step[Harness] {
	return []step[Harness]{
		{"batch", "A call names up to 1,000 users.", func(t *probe, h Harness) {
			users := h.users(t, 1000)
			changes := make([]scim.RoleChange, len(users))
			want := make([][]scim.Role, len(users))
			for i, u := range users {
				role := h.Roles[i%2 : i%2+1]
				changes[i], want[i] = grant(u, role...), role
			}
			h.change(t, changes...)
			h.held(t, "of 1,000 users", users, want...)
			for i, u := range users {
				changes[i] = revoke(u, want[i]...)
			}
			h.change(t, changes[1:]...)
			h.held(t, "after 999 revocations", users, want[0])
		}},
		{"all or nothing", "ChangeRoles carries out all changes or none. If one grants a role that does not exist, it returns ErrNoRole and changes nothing.", func(t *probe, h Harness) {
			users := h.users(t, 3)
			h.change(t, grant(users[0], h.Roles[0]))
			changes := []scim.RoleChange{revoke(users[0], h.Roles[0]), grant(users[1], h.Roles[1]), grant(users[2], noRole)}
			for range changes {
				if err := h.Resolver.ChangeRoles(t.ctx, changes); !errors.Is(err, scim.ErrNoRole) {
					t.Errorf("ChangeRoles where one role does not exist: error %v, want ErrNoRole", err)
				}
				h.held(t, "after a change that could not be carried out", users, h.Roles[:1])
				changes = append(changes[1:], changes[0])
			}
		}},
		{"at once", "ChangeRoles is safe for concurrent use: concurrent calls lose nothing.", func(t *probe, h Harness) {
			users := h.users(t, 10)
			want := make([][]scim.Role, len(users))
			for i := range users {
				want[i] = h.Roles[:1]
			}
			t.parallel(20, func(i int) {
				// Two calls for each user, in opposite orders of a pair.
				pair := []scim.RoleChange{grant(users[i/2], h.Roles[0]), grant(users[(i/2+1)%len(users)], h.Roles[0])}
				if i%2 == 1 {
					slices.Reverse(pair)
				}
				h.change(t, pair...)
			})
			h.held(t, "after grants at once", users, want...)
			if h.Exclusive {
				return
			}
			one := h.users(t, 1)
			t.parallel(len(h.Roles), func(i int) { h.change(t, grant(one[0], h.Roles[i])) })
			h.held(t, "after grants of several roles at once", one, h.Roles)
		}},
		{"transaction", "Changes with the context of a transaction commit and roll back with it. Reads in the transaction see them.", func(t *probe, h Harness) {
			if h.Store == nil {
				t.Skipf("the Harness has no Store: use the resolver with scim.Roles.Separate")
			}
			users := h.users(t, 2)
			h.change(t, grant(users[0], h.Roles[0]))
			change := func(end error) error {
				return h.Store.InTx(t.ctx, func(ctx context.Context) error {
					if err := h.Resolver.ChangeRoles(ctx, []scim.RoleChange{revoke(users[0], h.Roles[0]), grant(users[1], h.Roles[1])}); err != nil {
						return err
					}
					got, err := h.Resolver.HeldRoles(ctx, users)
					if err == nil && (len(got[users[0]]) != 0 || len(got[users[1]]) != 1) {
						t.Errorf("HeldRoles in the transaction that changed them: %v", got)
					}
					return errors.Join(err, end)
				})
			}
			if err := change(errRefused); !errors.Is(err, errRefused) {
				t.Fatalf("InTx whose fn ends with %q: error %v", errRefused, err)
			}
			h.held(t, "after a rollback", users, h.Roles[:1])
			if err := change(nil); err != nil {
				t.Fatalf("InTx: %v", err)
			}
			h.held(t, "after a commit", users, nil, h.Roles[1:2])
		}},
		{"cancelled", "ChangeRoles with a cancelled context returns an error and changes nothing. HeldRoles returns all roles or an error, never a part of them.", func(t *probe, h Harness) {
			users := h.users(t, 2)
			h.change(t, grant(users[0], h.Roles[0]))
			ctx, cancel := context.WithCancel(t.ctx)
			cancel()
			err := h.Resolver.ChangeRoles(ctx, []scim.RoleChange{revoke(users[0], h.Roles[0]), grant(users[1], h.Roles[1])})
			if err == nil || errors.Is(err, scim.ErrNoRole) {
				t.Errorf("ChangeRoles with a cancelled context: error %v, want one that says so", err)
			}
			if got, err := h.Resolver.HeldRoles(ctx, users); err == nil && len(got[users[0]]) != 1 {
				t.Errorf("HeldRoles with a cancelled context: %v without an error, though a role is held", got)
			}
			if _, err := h.Resolver.ResolveRoles(ctx, scim.RoleSource{Group: t.group(h.GroupName(h.Roles[0]))}); errors.Is(err, scim.ErrNoRole) {
				t.Errorf("ResolveRoles with a cancelled context is ErrNoRole, though there is a role")
			}
			h.held(t, "after a cancelled change", users, h.Roles[:1])
		}},
	}
}
