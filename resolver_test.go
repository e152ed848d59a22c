package scim_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"golang.org/x/text/unicode/norm"

	"github.com/scimkit/scim"
)

var _ scim.RoleResolver = (*testRoles)(nil)

// testRoles is an application's side of roles, kept in maps of its own: it does not
// take part in a store's transaction, so use it with Roles.Separate. Groups stand for
// roles by their displayName, compared exactly after NFC.
type testRoles struct {
	// fail, if set, is called first in every method, with "resolve", "held" or "change";
	// its error is returned. It runs outside the lock, so it may wait or use t.
	fail func(op string) error
	// afterChange, if set, is called when ChangeRoles has done its work; its error is
	// returned as if the answer had been lost.
	afterChange func() error
	// resolve, if set, decides in the place of the names. It may call byName.
	resolve func(src scim.RoleSource) (scim.Role, error)

	mu    sync.Mutex
	roles map[string]scim.Role       // by id
	held  map[string]map[string]bool // by user, then role id
	calls map[string]int             // by the names that fail gets
	log   []scim.RoleChange          // what ChangeRoles carried out
}

// newTestRoles has the roles Admin (weight 30), Editor (20) and Viewer (10) with the ids
// "r-admin", "r-editor" and "r-viewer". None is protected.
func newTestRoles() *testRoles {
	t := &testRoles{roles: map[string]scim.Role{}, held: map[string]map[string]bool{}, calls: map[string]int{}}
	for weight, name := range map[int]string{30: "Admin", 20: "Editor", 10: "Viewer"} {
		t.put(scim.Role{ID: "r-" + strings.ToLower(name), Name: name, Weight: weight})
	}
	return t
}

// put adds a role, or replaces the one with its id.
func (t *testRoles) put(r scim.Role) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.roles[r.ID] = r
}

// drop deletes a role; nobody holds it afterwards.
func (t *testRoles) drop(roleID string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.roles, roleID)
	for _, of := range t.held {
		delete(of, roleID)
	}
}

// give and take are an administrator's doing, by hand.
func (t *testRoles) give(userID, roleID string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.set(userID, roleID)
}

func (t *testRoles) take(userID, roleID string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.held[userID], roleID)
}

func (t *testRoles) set(userID, roleID string) {
	if t.held[userID] == nil {
		t.held[userID] = map[string]bool{}
	}
	t.held[userID][roleID] = true
}

// of lists the names of the roles that a user holds, sorted.
func (t *testRoles) of(userID string) []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	names := []string{}
	for id := range t.held[userID] {
		names = append(names, t.roles[id].Name)
	}
	slices.Sort(names)
	return names
}

// holders lists the users that hold a role, sorted.
func (t *testRoles) holders(roleID string) []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	users := []string{}
	for user, of := range t.held {
		if of[roleID] {
			users = append(users, user)
		}
	}
	slices.Sort(users)
	return users
}

// count is how often a method was called: "resolve", "held" or "change".
func (t *testRoles) count(op string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.calls[op]
}

// changes lists what ChangeRoles has carried out since the last call of changes.
func (t *testRoles) changes() []scim.RoleChange {
	t.mu.Lock()
	defer t.mu.Unlock()
	log := t.log
	t.log = nil
	return log
}

// begin counts a call and lets it fail.
func (t *testRoles) begin(ctx context.Context, op string) error {
	t.mu.Lock()
	t.calls[op]++
	t.mu.Unlock()
	if t.fail != nil {
		if err := t.fail(op); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (t *testRoles) ResolveRole(ctx context.Context, src scim.RoleSource) (scim.Role, error) {
	if err := t.begin(ctx, "resolve"); err != nil {
		return scim.Role{}, err
	}
	if t.resolve != nil {
		return t.resolve(src)
	}
	t.mu.Lock()
	r, ok := t.roles[src.Linked]
	t.mu.Unlock()
	if ok {
		return r, nil // a renamed role is still the role that the group was linked to
	}
	return t.byName(src.Group.String("displayName"))
}

// byName finds a role by its exact name; of several the one with the smallest id.
func (t *testRoles) byName(name string) (scim.Role, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(t.roles)) {
		if norm.NFC.String(t.roles[id].Name) == norm.NFC.String(name) {
			return t.roles[id], nil
		}
	}
	return scim.Role{}, scim.ErrNoRole
}

func (t *testRoles) HeldRoles(ctx context.Context, userIDs []string) (map[string][]scim.Role, error) {
	if err := t.begin(ctx, "held"); err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	all := map[string][]scim.Role{}
	for _, user := range userIDs {
		for _, id := range slices.Sorted(maps.Keys(t.held[user])) {
			all[user] = append(all[user], t.roles[id])
		}
	}
	return all, nil
}

func (t *testRoles) ChangeRoles(ctx context.Context, changes []scim.RoleChange) error {
	if err := t.begin(ctx, "change"); err != nil {
		return err
	}
	if err := t.change(changes); err != nil {
		return err
	}
	if t.afterChange != nil {
		return t.afterChange()
	}
	return nil
}

func (t *testRoles) change(changes []scim.RoleChange) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range changes {
		for _, r := range c.Grant {
			if _, ok := t.roles[r.ID]; !ok {
				return fmt.Errorf("role %s: %w", r.ID, scim.ErrNoRole)
			}
		}
	}
	for _, c := range changes {
		for _, r := range c.Revoke {
			delete(t.held[c.UserID], r.ID)
		}
		for _, r := range c.Grant {
			t.set(c.UserID, r.ID)
		}
	}
	t.log = append(t.log, changes...)
	return nil
}
