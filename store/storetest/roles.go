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

// Harness is a RoleResolver with what is needed to try it. Only the first three
// fields are needed; the steps that need another one are skipped without it.
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
	// Roles are at least two roles that exist, as ResolveRole describes them.
	Roles []scim.Role
	// AddUser makes a user without roles and returns its id.
	AddUser func(ctx context.Context) (userID string, err error)

	// Store is the one whose transactions carry the resolver's changes. Leave it nil
	// if they do not (scim.Roles.Separate).
	Store scim.Transactor
	// Exclusive says that a user holds one role at most.
	Exclusive bool
	// GroupName is the displayName of a group that stands for a role. Nil: the role's
	// Name.
	GroupName func(role scim.Role) string
	// Give and Take are an administrator's, by hand.
	Give, Take func(ctx context.Context, userID, roleID string) error
	// Rename gives a role another name; groups of that name then stand for it.
	Rename func(ctx context.Context, roleID, name string) error
	// Drop deletes a role.
	Drop func(ctx context.Context, roleID string) error
}

// check fails the test of a harness that is not complete, and fills in defaults.
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

// held demands the roles of each user, in any order.
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

// resolve asks for the role of a group named name. want is "" for ErrNoRole.
func (h Harness) resolve(t *probe, why, name, linked, want string) {
	role, err := h.Resolver.ResolveRole(t.ctx, scim.RoleSource{Group: t.group(name), Linked: linked})
	if want == "" && !errors.Is(err, scim.ErrNoRole) {
		t.Errorf("ResolveRole of group %q, %s: got %+v and error %v, want ErrNoRole", name, why, role, err)
	}
	if want != "" && (err != nil || role.ID != want) {
		t.Errorf("ResolveRole of group %q, %s: got %+v and error %v, want the role %s", name, why, role, err, want)
	}
}

func resolveSteps() []step[Harness] {
	return []step[Harness]{
		{"resolve", "ResolveRole tells which role a group stands for, described with id, name, weight and protection.", func(t *probe, h Harness) {
			for _, want := range h.Roles {
				got, err := h.Resolver.ResolveRole(t.ctx, scim.RoleSource{Group: t.group(h.GroupName(want))})
				if diff := cmp.Diff(want, got); err != nil || diff != "" {
					t.Errorf("ResolveRole of group %q: error %v (-want +got):\n%s", h.GroupName(want), err, diff)
				}
			}
		}},
		{"resolve unknown", "A group that stands for no role is ErrNoRole, not another error and not an empty role.", func(t *probe, h Harness) {
			for _, name := range []string{noRole.Name, h.GroupName(h.Roles[0]) + "%", "%", "' OR '1'='1"} {
				h.resolve(t, "which no role has", name, "", "")
			}
		}},
		{"resolve has no effects", "ResolveRole has no effects: nobody gets a role, and none is made.", func(t *probe, h Harness) {
			users := h.users(t, 1)
			for range 2 {
				h.resolve(t, "asked for again", noRole.Name, "", "")
				h.resolve(t, "asked for again", h.GroupName(h.Roles[0]), "", h.Roles[0].ID)
			}
			h.held(t, "after ResolveRole", users)
			if err := h.Resolver.ChangeRoles(t.ctx, []scim.RoleChange{grant(users[0], noRole)}); !errors.Is(err, scim.ErrNoRole) {
				t.Errorf("ChangeRoles of a role that was only asked for: error %v, want ErrNoRole", err)
			}
		}},
		{"rename", "Linked is the id of the role: it is found by it after a rename, and by its new name.", func(t *probe, h Harness) {
			if h.Rename == nil {
				t.Skipf("the Harness has no Rename")
			}
			role := h.Roles[0]
			old := h.GroupName(role)
			if err := h.Rename(t.ctx, role.ID, role.Name+" 2"); err != nil {
				t.Fatalf("the harness's Rename: %v", err)
			}
			role.Name += " 2"
			h.resolve(t, "linked to a role that was renamed", old, role.ID, role.ID)
			h.resolve(t, "the new name of a role", h.GroupName(role), "", role.ID)
		}},
		{"dropped role", "A role that is gone is ErrNoRole, to those linked to it too, and revoking it is no error.", func(t *probe, h Harness) {
			if h.Drop == nil {
				t.Skipf("the Harness has no Drop")
			}
			role, users := h.Roles[0], h.users(t, 1)
			name := h.GroupName(role)
			if err := h.Drop(t.ctx, role.ID); err != nil {
				t.Fatalf("the harness's Drop: %v", err)
			}
			h.resolve(t, "whose role is gone", name, "", "")
			h.resolve(t, "linked to a role that is gone", name, role.ID, "")
			if err := h.Resolver.ChangeRoles(t.ctx, []scim.RoleChange{grant(users[0], role)}); !errors.Is(err, scim.ErrNoRole) {
				t.Errorf("ChangeRoles that grants a role that is gone: error %v, want ErrNoRole", err)
			}
			h.change(t, revoke(users[0], role))
			h.held(t, "after all that", users)
		}},
	}
}

func roleSteps() group[Harness] {
	return group[Harness]{"roles", slices.Concat(resolveSteps(), changeSteps(), roleBatchSteps())}
}
