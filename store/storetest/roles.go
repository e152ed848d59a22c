package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/scimkit/scim"
)

// Harness is a RoleResolver with what the suite needs to check it. Resolver, Roles and
// AddUser are required. If another field is missing, the suite skips the steps that need
// it.
//
//	storetest.RunRoles(t, func(t *testing.T) storetest.Harness {
//		app := newApp(t) // fresh, with the roles below, which nobody holds
//		return storetest.Harness{
//			Resolver: app,
//			Roles:    []scim.Role{{ID: "1", Name: "viewer"}, {ID: "2", Name: "editor"}},
//			AddUser:  app.addUser,
//		}
//	})
type Harness struct {
	Resolver scim.RoleResolver
	// Roles are two or more existing roles, as ResolveRoles describes them.
	Roles []scim.Role
	// AddUser creates a user without roles and returns the id.
	AddUser func(ctx context.Context) (userID string, err error)

	// Store is the store whose transactions include the resolver's changes. Nil: they do
	// not (scim.Roles.Separate).
	Store scim.Transactor
	// Exclusive means that a user holds at most one role.
	Exclusive bool
	// GroupName returns the displayName of a group that stands for a role. Nil: it is the
	// Name of the role.
	GroupName func(role scim.Role) string
	// Give and Take change a role by hand, as an administrator does in the application.
	Give, Take func(ctx context.Context, userID, roleID string) error
	// Rename changes the name of a role. Groups with the new name then stand for it.
	Rename func(ctx context.Context, roleID, name string) error
	// Drop deletes a role.
	Drop func(ctx context.Context, roleID string) error
}

// check sets defaults. It fails the test if the harness is incomplete.
func (h Harness) check(t *testing.T) Harness {
	t.Helper()
	if h.Resolver == nil || len(h.Roles) < 2 || h.AddUser == nil {
		t.Fatal("storetest.Harness needs a Resolver, two Roles and AddUser")
	}
	if h.GroupName == nil {
		h.GroupName = func(role scim.Role) string { return role.Name }
	}
	return h
}

// noRole is a role that does not exist.
var noRole = scim.Role{ID: nobody, Name: "storetest: no such role"}

func (h Harness) users(t *probe, n int) []string {
	all := make([]string, n)
	for i := range all {
		id, err := h.AddUser(t.ctx)
		if err != nil || id == "" {
			t.Fatalf("the harness's AddUser: id %q, error %v", id, err)
		}
		all[i] = id
	}
	return all
}

func grant(user string, roles ...scim.Role) scim.RoleChange {
	return scim.RoleChange{UserID: user, Grant: roles, Roles: roles}
}

func revoke(user string, roles ...scim.Role) scim.RoleChange {
	return scim.RoleChange{UserID: user, Revoke: roles}
}

func (h Harness) change(t *probe, changes ...scim.RoleChange) {
	if err := h.Resolver.ChangeRoles(t.ctx, changes); err != nil {
		t.Fatalf("ChangeRoles of %s: %v", showChanges(changes), err)
	}
}

func showChanges(changes []scim.RoleChange) string {
	if len(changes) > 3 {
		return fmt.Sprintf("%d users", len(changes))
	}
	return fmt.Sprintf("%+v", changes)
}

// held requires these roles of each user, in any order.
func (h Harness) held(t *probe, why string, users []string, want ...[]scim.Role) {
	got, err := h.Resolver.HeldRoles(t.ctx, users)
	if err != nil {
		t.Fatalf("HeldRoles, %s: %v", why, err)
	}
	plain, wanted := map[string][]string{}, map[string][]string{}
	for user, roles := range got {
		if len(roles) > 0 {
			plain[user] = roleIDs(roles)
		}
	}
	for i, roles := range want {
		if len(roles) > 0 {
			wanted[users[i]] = roleIDs(roles)
		}
	}
	if diff := cmp.Diff(wanted, plain, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("HeldRoles, %s (-want +got):\n%s", why, diff)
	}
}

func roleIDs(roles []scim.Role) []string {
	out := make([]string, len(roles))
	for i, r := range roles {
		out[i] = r.ID
	}
	slices.SortFunc(out, strings.Compare)
	return out
}

// resolve requires that a group with this name stands for the role want. If want is nil,
// it requires ErrNoRole.
func (h Harness) resolve(t *probe, why, name string, linked, want *scim.Role) {
	src := scim.RoleSource{Group: t.group(name)}
	if linked != nil {
		src.Linked = []scim.Role{*linked}
	}
	roles, err := h.Resolver.ResolveRoles(t.ctx, src)
	switch {
	case want == nil:
		if !errors.Is(err, scim.ErrNoRole) {
			t.Errorf("ResolveRoles of group %q, %s: got %+v and error %v, want ErrNoRole", name, why, roles, err)
		}
	case err != nil || !slices.ContainsFunc(roles, func(r scim.Role) bool { return r.ID == want.ID && r.Scope == want.Scope }):
		t.Errorf("ResolveRoles of group %q, %s: got %+v and error %v, want the role %+v", name, why, roles, err, *want)
	}
}

func resolveSteps() []step[Harness] {
	return []step[Harness]{
		{"resolve", "ResolveRoles returns the role that a group stands for, with id, scope, name, weight and protection.", func(t *probe, h Harness) {
			for _, want := range h.Roles {
				got, err := h.Resolver.ResolveRoles(t.ctx, scim.RoleSource{Group: t.group(h.GroupName(want))})
				if diff := cmp.Diff([]scim.Role{want}, got); err != nil || diff != "" {
					t.Errorf("ResolveRoles of group %q: error %v (-want +got):\n%s", h.GroupName(want), err, diff)
				}
			}
		}},
		{"resolve unknown", "For a group that stands for no role, ResolveRoles returns ErrNoRole, not another error and not an empty role.", func(t *probe, h Harness) {
			for _, name := range []string{noRole.Name, h.GroupName(h.Roles[0]) + "%", "%", "' OR '1'='1"} {
				h.resolve(t, "which no role has", name, nil, nil)
			}
		}},
		{"resolve has no effects", "ResolveRoles has no effects: no user gets a role, and no role is created.", func(t *probe, h Harness) {
			users := h.users(t, 1)
			for range 2 {
				h.resolve(t, "asked for again", noRole.Name, nil, nil)
				h.resolve(t, "asked for again", h.GroupName(h.Roles[0]), nil, &h.Roles[0])
			}
			h.held(t, "after ResolveRoles", users)
			if err := h.Resolver.ChangeRoles(t.ctx, []scim.RoleChange{grant(users[0], noRole)}); !errors.Is(err, scim.ErrNoRole) {
				t.Errorf("ChangeRoles of a role that was only asked for: error %v, want ErrNoRole", err)
			}
		}},
		{"rename", "After a rename, ResolveRoles finds the role by Linked and by its new name.", func(t *probe, h Harness) {
			if h.Rename == nil {
				t.Skipf("the Harness has no Rename")
			}
			role := h.Roles[0]
			old := h.GroupName(role)
			if err := h.Rename(t.ctx, role.ID, role.Name+" 2"); err != nil {
				t.Fatalf("the harness's Rename: %v", err)
			}
			role.Name += " 2"
			h.resolve(t, "linked to a role that was renamed", old, &role, &role)
			h.resolve(t, "the new name of a role", h.GroupName(role), nil, &role)
		}},
		{"dropped role", "For a deleted role ResolveRoles returns ErrNoRole, also if Linked has it. Revoking a deleted role is no error.", func(t *probe, h Harness) {
			if h.Drop == nil {
				t.Skipf("the Harness has no Drop")
			}
			role, users := h.Roles[0], h.users(t, 1)
			name := h.GroupName(role)
			if err := h.Drop(t.ctx, role.ID); err != nil {
				t.Fatalf("the harness's Drop: %v", err)
			}
			h.resolve(t, "whose role is gone", name, nil, nil)
			h.resolve(t, "linked to a role that is gone", name, &role, nil)
			if err := h.Resolver.ChangeRoles(t.ctx, []scim.RoleChange{grant(users[0], role)}); !errors.Is(err, scim.ErrNoRole) {
				t.Errorf("ChangeRoles that grants a role that is gone: error %v, want ErrNoRole", err)
			}
			h.change(t, revoke(users[0], role))
			h.held(t, "after all that", users)
		}},
	}
}

func roleSteps() group[Harness] {
	return group[Harness]{"roles", slices.Concat(resolveSteps(), changeSteps(), roleBatchSteps(), holderSteps())}
}
