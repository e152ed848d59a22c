package testhost

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"golang.org/x/text/unicode/norm"

	"github.com/scimkit/scim"
)

var (
	_ scim.RoleResolver = (*Roles)(nil)
	_ scim.RoleHolders  = (*Roles)(nil)
)

// Roles is an application's side of roles. By default it keeps them in maps, which do not
// take part in a store's transaction: use it with scim.Roles.Separate then. A group gets
// the role with its displayName, compared exactly after NFC.
type Roles struct {
	// Fail, if set, runs first in every method, with "resolve", "held" or "change". The
	// method returns its error. It runs outside any lock, so it may wait or use t.
	Fail func(op string) error
	// AfterChange, if set, runs at the end of ChangeRoles, which returns its error. Tests
	// use it for a lost answer.
	AfterChange func() error
	// Resolve, if set, replaces the look-up of roles by name.
	Resolve func(src scim.RoleSource) ([]scim.Role, error)

	// Rows keeps the roles and their holders.
	Rows RoleRows

	mu    sync.Mutex
	calls map[string]int // the number of calls, by the names that Fail gets
}

// RoleRows keeps roles and their holders. If a context has a transaction, a rollback undoes
// what was written with it.
type RoleRows interface {
	Roles(ctx context.Context) ([]scim.Role, error) // in order of id
	Put(ctx context.Context, r scim.Role) error
	Drop(ctx context.Context, roleID string) error
	Held(ctx context.Context, userIDs []string) (map[string][]scim.Role, error) // in order of id
	Holders(ctx context.Context, roleID string) ([]string, error)               // sorted
	// Change makes all changes or none. scim.ErrNoRole: a granted role does not exist.
	Change(ctx context.Context, changes []scim.RoleChange) error
	// Note records changes. Noted lists and forgets them.
	Note(ctx context.Context, changes []scim.RoleChange) error
	Noted(ctx context.Context) ([]scim.RoleChange, error)
}

// KeyOf is the text that stands for a role in these tests: its id, or "scope/id".
func KeyOf(scope, id string) string {
	if scope == "" {
		return id
	}
	return scope + "/" + id
}

// RoleOf is the role for which KeyOf returns key, without a name.
func RoleOf(key string) scim.Role {
	if scope, id, ok := strings.Cut(key, "/"); ok && scope != "" {
		return scim.Role{Scope: scope, ID: id}
	}
	return scim.Role{ID: key}
}

// NewRoles has the roles Admin (weight 30), Editor (20) and Viewer (10) with the ids
// "r-admin", "r-editor" and "r-viewer". None is protected.
func NewRoles() *Roles {
	t := NoRoles()
	for weight, name := range map[int]string{30: "Admin", 20: "Editor", 10: "Viewer"} {
		t.Put(scim.Role{ID: "r-" + strings.ToLower(name), Name: name, Weight: weight})
	}
	return t
}

// NoRoles has no roles yet.
func NoRoles() *Roles { return &Roles{Rows: NewRoleMaps(), calls: map[string]int{}} }

// Must returns v, and panics on an error.
func Must[T any](v T, err error) T {
	fine(err)
	return v
}

func fine(err error) {
	if err != nil {
		panic(err)
	}
}

// Put adds a role or replaces the one with its id.
func (t *Roles) Put(r scim.Role) { fine(t.Rows.Put(context.Background(), r)) }

// Drop deletes a role and takes it from all holders.
func (t *Roles) Drop(roleID string) { fine(t.Rows.Drop(context.Background(), roleID)) }

// Give gives a role by hand, as an administrator does.
func (t *Roles) Give(userID, roleID string) {
	fine(t.Rows.Change(context.Background(), []scim.RoleChange{{UserID: userID, Grant: []scim.Role{RoleOf(roleID)}}}))
}

// Take takes a role by hand, as an administrator does.
func (t *Roles) Take(userID, roleID string) {
	fine(t.Rows.Change(context.Background(), []scim.RoleChange{{UserID: userID, Revoke: []scim.Role{RoleOf(roleID)}}}))
}

// Of lists the names of the roles that a user holds, sorted.
func (t *Roles) Of(userID string) []string {
	names := []string{}
	for _, r := range Must(t.Rows.Held(context.Background(), []string{userID}))[userID] {
		names = append(names, r.Name)
	}
	slices.Sort(names)
	return names
}

// IDs are the ids of the roles that a user holds.
func (t *Roles) IDs(userID string) map[string]bool {
	ids := map[string]bool{}
	for _, r := range Must(t.Rows.Held(context.Background(), []string{userID}))[userID] {
		ids[KeyOf(r.Scope, r.ID)] = true
	}
	return ids
}

// Holders lists the users that hold a role, sorted.
func (t *Roles) Holders(roleID string) []string {
	return Must(t.Rows.Holders(context.Background(), roleID))
}

// Count is the number of calls of a method: "resolve", "held" or "change".
func (t *Roles) Count(op string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.calls[op]
}

// Changes lists the changes that ChangeRoles has made since the last call of Changes.
func (t *Roles) Changes() []scim.RoleChange { return Must(t.Rows.Noted(context.Background())) }

// begin counts a call and lets it fail.
func (t *Roles) begin(ctx context.Context, op string) error {
	t.mu.Lock()
	t.calls[op]++
	t.mu.Unlock()
	if t.Fail != nil {
		if err := t.Fail(op); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// ResolveRoles implements scim.RoleResolver.
func (t *Roles) ResolveRoles(ctx context.Context, src scim.RoleSource) ([]scim.Role, error) {
	if err := t.begin(ctx, "resolve"); err != nil {
		return nil, err
	}
	if t.Resolve != nil {
		return t.Resolve(src)
	}
	all, err := t.Rows.Roles(ctx)
	if err != nil {
		return nil, err
	}
	var found []scim.Role
	for _, r := range all { // a group keeps its linked roles, even if they have new names
		if slices.ContainsFunc(src.Linked, func(l scim.Role) bool { return l.ID == r.ID && l.Scope == r.Scope }) {
			found = append(found, r)
		}
	}
	if len(found) > 0 {
		return found, nil
	}
	name := norm.NFC.String(src.Name())
	i := slices.IndexFunc(all, func(r scim.Role) bool { return norm.NFC.String(r.Name) == name })
	if i < 0 {
		return nil, scim.ErrNoRole
	}
	return all[i : i+1], nil
}

// HeldRoles implements scim.RoleResolver.
func (t *Roles) HeldRoles(ctx context.Context, userIDs []string) (map[string][]scim.Role, error) {
	if err := t.begin(ctx, "held"); err != nil {
		return nil, err
	}
	return t.Rows.Held(ctx, userIDs)
}

// RoleHolders implements scim.RoleHolders.
func (t *Roles) RoleHolders(ctx context.Context, role scim.Role, after string, limit int) ([]string, error) {
	if err := t.begin(ctx, "holders"); err != nil {
		return nil, err
	}
	all, err := t.Rows.Holders(ctx, KeyOf(role.Scope, role.ID))
	i, found := slices.BinarySearch(all, after)
	if found {
		i++
	}
	return all[i:min(i+limit, len(all))], err
}

// ChangeRoles implements scim.RoleResolver.
func (t *Roles) ChangeRoles(ctx context.Context, changes []scim.RoleChange) error {
	if err := t.begin(ctx, "change"); err != nil {
		return err
	}
	if err := t.Rows.Change(ctx, changes); err != nil {
		return err
	}
	if err := t.Rows.Note(ctx, changes); err != nil {
		return err
	}
	if t.AfterChange != nil {
		return t.AfterChange()
	}
	return nil
}

// RoleMaps are RoleRows in memory, without transactions.
type RoleMaps struct {
	mu      sync.Mutex
	all     map[string]scim.Role       // by KeyOf
	holding map[string]map[string]bool // role ids by user
	log     []scim.RoleChange
}

// NewRoleMaps has no roles yet.
func NewRoleMaps() *RoleMaps {
	return &RoleMaps{all: map[string]scim.Role{}, holding: map[string]map[string]bool{}}
}

// Roles implements RoleRows.
func (m *RoleMaps) Roles(context.Context) ([]scim.Role, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.sorted(func(string) bool { return true }), nil
}

// sorted lists the roles whose ids are in, in order of id.
func (m *RoleMaps) sorted(in func(id string) bool) []scim.Role {
	var list []scim.Role
	for id, r := range m.all {
		if in(id) {
			list = append(list, r)
		}
	}
	slices.SortFunc(list, func(a, b scim.Role) int {
		return cmp.Or(strings.Compare(a.ID, b.ID), strings.Compare(a.Scope, b.Scope))
	})
	return list
}

// Put implements RoleRows.
func (m *RoleMaps) Put(_ context.Context, r scim.Role) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.all[KeyOf(r.Scope, r.ID)] = r
	return nil
}

// Drop implements RoleRows.
func (m *RoleMaps) Drop(_ context.Context, roleID string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.all, roleID)
	for _, of := range m.holding {
		delete(of, roleID)
	}
	return nil
}

// Held implements RoleRows.
func (m *RoleMaps) Held(_ context.Context, userIDs []string) (map[string][]scim.Role, error) {
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

// Holders implements RoleRows.
func (m *RoleMaps) Holders(_ context.Context, roleID string) ([]string, error) {
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

// Change implements RoleRows.
func (m *RoleMaps) Change(_ context.Context, changes []scim.RoleChange) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range changes {
		for _, r := range c.Grant {
			if _, ok := m.all[KeyOf(r.Scope, r.ID)]; !ok {
				return fmt.Errorf("role %s: %w", r.ID, scim.ErrNoRole)
			}
		}
	}
	for _, c := range changes {
		for _, r := range c.Revoke {
			delete(m.holding[c.UserID], KeyOf(r.Scope, r.ID))
		}
		for _, r := range c.Grant {
			if m.holding[c.UserID] == nil {
				m.holding[c.UserID] = map[string]bool{}
			}
			m.holding[c.UserID][KeyOf(r.Scope, r.ID)] = true
		}
	}
	return nil
}

// Note implements RoleRows.
func (m *RoleMaps) Note(_ context.Context, changes []scim.RoleChange) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.log = append(m.log, changes...)
	return nil
}

// Noted implements RoleRows.
func (m *RoleMaps) Noted(context.Context) ([]scim.RoleChange, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	log := m.log
	m.log = nil
	return log, nil
}
