package scim_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"golang.org/x/text/unicode/norm"

	"github.com/scimkit/scim"
)

var _ scim.RoleResolver = (*testRoles)(nil)

// testRoles is an application's side of roles. Unless rows says otherwise they are kept
// in maps, which take no part in a store's transaction: use it with Roles.Separate then.
// Groups stand for roles by their displayName, compared exactly after NFC.
type testRoles struct {
	// fail, if set, is called first in every method, with "resolve", "held" or "change";
	// its error is returned. It runs outside any lock, so it may wait or use t.
	fail func(op string) error
	// afterChange, if set, is called when ChangeRoles has done its work; its error is
	// returned as if the answer had been lost.
	afterChange func() error
	// resolve, if set, decides in the place of the names.
	resolve func(src scim.RoleSource) (scim.Role, error)

	rows roleRows

	mu    sync.Mutex
	calls map[string]int // by the names that fail gets
}

// roleRows is where roles are kept, and who holds them. What is written with the context
// of a transaction is undone with it.
type roleRows interface {
	roles(ctx context.Context) ([]scim.Role, error) // in order of id
	put(ctx context.Context, r scim.Role) error
	drop(ctx context.Context, roleID string) error
	held(ctx context.Context, userIDs []string) (map[string][]scim.Role, error) // in order of id
	holders(ctx context.Context, roleID string) ([]string, error)               // sorted
	// change carries out all or nothing. scim.ErrNoRole: a granted role is not there.
	change(ctx context.Context, changes []scim.RoleChange) error
	// note writes down changes, noted lists and forgets them.
	note(ctx context.Context, changes []scim.RoleChange) error
	noted(ctx context.Context) ([]scim.RoleChange, error)
}

// newTestRoles has the roles Admin (weight 30), Editor (20) and Viewer (10) with the ids
// "r-admin", "r-editor" and "r-viewer". None is protected.
func newTestRoles() *testRoles {
	t := noRoles()
	for weight, name := range map[int]string{30: "Admin", 20: "Editor", 10: "Viewer"} {
		t.put(scim.Role{ID: "r-" + strings.ToLower(name), Name: name, Weight: weight})
	}
	return t
}

func noRoles() *testRoles { return &testRoles{rows: newRoleMaps(), calls: map[string]int{}} }

// got is a result of rows that the test cannot go on without.
func got[T any](v T, err error) T {
	fine(err)
	return v
}

func fine(err error) {
	if err != nil {
		panic(err)
	}
}

// put adds a role, or replaces the one with its id.
func (t *testRoles) put(r scim.Role) { fine(t.rows.put(ctx(), r)) }

// drop deletes a role; nobody holds it afterwards.
func (t *testRoles) drop(roleID string) { fine(t.rows.drop(ctx(), roleID)) }

// give and take are an administrator's doing, by hand.
func (t *testRoles) give(userID, roleID string) {
	fine(t.rows.change(ctx(), []scim.RoleChange{{UserID: userID, Grant: []scim.Role{{ID: roleID}}}}))
}

func (t *testRoles) take(userID, roleID string) {
	fine(t.rows.change(ctx(), []scim.RoleChange{{UserID: userID, Revoke: []scim.Role{{ID: roleID}}}}))
}

// of lists the names of the roles that a user holds, sorted.
func (t *testRoles) of(userID string) []string {
	names := []string{}
	for _, r := range got(t.rows.held(ctx(), []string{userID}))[userID] {
		names = append(names, r.Name)
	}
	slices.Sort(names)
	return names
}

// ids are the ids of the roles that a user holds.
func (t *testRoles) ids(userID string) map[string]bool {
	ids := map[string]bool{}
	for _, r := range got(t.rows.held(ctx(), []string{userID}))[userID] {
		ids[r.ID] = true
	}
	return ids
}

// holders lists the users that hold a role, sorted.
func (t *testRoles) holders(roleID string) []string { return got(t.rows.holders(ctx(), roleID)) }

// count is how often a method was called: "resolve", "held" or "change".
func (t *testRoles) count(op string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.calls[op]
}

// changes lists what ChangeRoles has carried out since the last call of changes.
func (t *testRoles) changes() []scim.RoleChange { return got(t.rows.noted(ctx())) }

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
	all, err := t.rows.roles(ctx)
	if err != nil {
		return scim.Role{}, err
	}
	i := slices.IndexFunc(all, func(r scim.Role) bool { return r.ID == src.Linked })
	if i < 0 { // else a renamed role is still the role that the group was linked to
		name := norm.NFC.String(src.Value)
		if src.Group != nil {
			name = norm.NFC.String(src.Group.String("displayName"))
		}
		i = slices.IndexFunc(all, func(r scim.Role) bool { return norm.NFC.String(r.Name) == name })
	}
	if i < 0 {
		return scim.Role{}, scim.ErrNoRole
	}
	return all[i], nil
}

func (t *testRoles) HeldRoles(ctx context.Context, userIDs []string) (map[string][]scim.Role, error) {
	if err := t.begin(ctx, "held"); err != nil {
		return nil, err
	}
	return t.rows.held(ctx, userIDs)
}

func (t *testRoles) ChangeRoles(ctx context.Context, changes []scim.RoleChange) error {
	if err := t.begin(ctx, "change"); err != nil {
		return err
	}
	if err := t.rows.change(ctx, changes); err != nil {
		return err
	}
	if err := t.rows.note(ctx, changes); err != nil {
		return err
	}
	if t.afterChange != nil {
		return t.afterChange()
	}
	return nil
}

// roleMaps are roleRows in memory, without transactions.
type roleMaps struct {
	mu      sync.Mutex
	all     map[string]scim.Role       // by id
	holding map[string]map[string]bool // by user, then role id
	log     []scim.RoleChange
}

func newRoleMaps() *roleMaps {
	return &roleMaps{all: map[string]scim.Role{}, holding: map[string]map[string]bool{}}
}

func (m *roleMaps) roles(context.Context) ([]scim.Role, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.sorted(func(string) bool { return true }), nil
}

// sorted lists the roles whose ids are in, in order of id.
func (m *roleMaps) sorted(in func(id string) bool) []scim.Role {
	var list []scim.Role
	for id, r := range m.all {
		if in(id) {
			list = append(list, r)
		}
	}
	slices.SortFunc(list, func(a, b scim.Role) int { return strings.Compare(a.ID, b.ID) })
	return list
}

func (m *roleMaps) put(_ context.Context, r scim.Role) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.all[r.ID] = r
	return nil
}

func (m *roleMaps) drop(_ context.Context, roleID string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.all, roleID)
	for _, of := range m.holding {
		delete(of, roleID)
	}
	return nil
}

func (m *roleMaps) held(_ context.Context, userIDs []string) (map[string][]scim.Role, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	held := map[string][]scim.Role{}
	for _, user := range userIDs {
		if of := m.holding[user]; len(of) > 0 {
			held[user] = m.sorted(func(id string) bool { return of[id] })
		}
	}
	return held, nil
}

func (m *roleMaps) holders(_ context.Context, roleID string) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	users := []string{}
	for user, of := range m.holding {
		if of[roleID] {
			users = append(users, user)
		}
	}
	slices.Sort(users)
	return users, nil
}

func (m *roleMaps) change(_ context.Context, changes []scim.RoleChange) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range changes {
		for _, r := range c.Grant {
			if _, ok := m.all[r.ID]; !ok {
				return fmt.Errorf("role %s: %w", r.ID, scim.ErrNoRole)
			}
		}
	}
	for _, c := range changes {
		for _, r := range c.Revoke {
			delete(m.holding[c.UserID], r.ID)
		}
		for _, r := range c.Grant {
			if m.holding[c.UserID] == nil {
				m.holding[c.UserID] = map[string]bool{}
			}
			m.holding[c.UserID][r.ID] = true
		}
	}
	return nil
}

func (m *roleMaps) note(_ context.Context, changes []scim.RoleChange) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.log = append(m.log, changes...)
	return nil
}

func (m *roleMaps) noted(context.Context) ([]scim.RoleChange, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	log := m.log
	m.log = nil
	return log, nil
}
