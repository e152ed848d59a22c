package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/scimkit/scim"
)

// roleApp is the application's own part, as the library and the page use it. The page
// changes roles as administrators of a real application would.
type roleApp interface {
	scim.RoleResolver
	// list lists all roles; add adds one.
	list(ctx context.Context) ([]scim.Role, error)
	add(ctx context.Context, name string) error
	// give and take change a role by hand. forget drops the roles of a deleted user.
	give(ctx context.Context, userID, roleID string) error
	take(ctx context.Context, userID, roleID string) error
	forget(ctx context.Context, userID string) error
}

// creating is a roleApp with roles that groups create. Only -missing-role create uses that.
type creating struct{ roleApp }

var _ scim.RoleCreator = creating{}

// RoleNames lists the names of all roles.
func (c creating) RoleNames(ctx context.Context, _ string) (names []string, err error) {
	all, err := c.list(ctx)
	for _, r := range all {
		names = append(names, r.Name)
	}
	return names, err
}

// CreateRole adds the role of a group.
func (c creating) CreateRole(ctx context.Context, src scim.RoleSource) (scim.Role, error) {
	if err := c.add(ctx, src.Name()); err != nil {
		return scim.Role{}, err
	}
	all, err := c.list(ctx)
	i := slices.IndexFunc(all, func(r scim.Role) bool { return r.Name == strings.TrimSpace(src.Name()) })
	if err != nil || i < 0 {
		return scim.Role{}, cmp.Or(err, scim.ErrNoRole)
	}
	return all[i], nil
}

var errNoName = errors.New("a role needs a name")

// app is the application's own part: its roles and their holders. It is the
// scim.RoleResolver.
type app struct {
	mu    sync.Mutex
	roles []scim.Role                // in the order in which they were added
	held  map[string]map[string]bool // user's id, role's id
}

func newApp(names ...string) *app {
	a := &app{held: make(map[string]map[string]bool)}
	for _, n := range names {
		a.roles = append(a.roles, scim.Role{ID: fmt.Sprint("role-", len(a.roles)+1), Name: n})
	}
	return a
}

var _ roleApp = (*app)(nil)

// ResolveRoles finds the roles in Linked, or the role with the source's name.
func (a *app) ResolveRoles(_ context.Context, src scim.RoleSource) ([]scim.Role, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, linked := range src.Linked { // one at most: a name stands for one role
		if r, ok := a.byID(linked.ID); ok {
			return []scim.Role{r}, nil
		}
	}
	if r, ok := a.byName(src.Name()); ok {
		return []scim.Role{r}, nil
	}
	return nil, scim.ErrNoRole
}

// HeldRoles lists the roles that the users hold.
func (a *app) HeldRoles(_ context.Context, userIDs []string) (map[string][]scim.Role, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	held := make(map[string][]scim.Role, len(userIDs))
	for _, id := range userIDs {
		for _, r := range a.roles {
			if a.held[id][r.ID] {
				held[id] = append(held[id], r)
			}
		}
	}
	return held, nil
}

// ChangeRoles carries out all changes, or none if a role no longer exists.
func (a *app) ChangeRoles(_ context.Context, changes []scim.RoleChange) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, c := range changes {
		for _, r := range c.Grant {
			if _, ok := a.byID(r.ID); !ok {
				return fmt.Errorf("role %s: %w", r.ID, scim.ErrNoRole)
			}
		}
	}
	for _, c := range changes {
		for _, r := range c.Revoke {
			delete(a.held[c.UserID], r.ID)
		}
		for _, r := range c.Grant {
			a.hold(c.UserID, r.ID)
		}
	}
	return nil
}

// list lists all roles.
func (a *app) list(context.Context) ([]scim.Role, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.roles), nil
}

// add adds a role.
func (a *app) add(_ context.Context, name string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	name = strings.TrimSpace(name)
	if name == "" {
		return errNoName
	}
	if r, ok := a.byName(name); ok {
		return fmt.Errorf("there is a role %s already", r.Name)
	}
	a.roles = append(a.roles, scim.Role{ID: fmt.Sprint("role-", len(a.roles)+1), Name: name})
	return nil
}

// give gives a user a role by hand.
func (a *app) give(_ context.Context, userID, roleID string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, ok := a.byID(roleID); !ok {
		return fmt.Errorf("there is no role %q: %w", roleID, scim.ErrNoRole)
	}
	a.hold(userID, roleID)
	return nil
}

// take takes a role from a user by hand.
func (a *app) take(_ context.Context, userID, roleID string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.held[userID], roleID)
	return nil
}

// forget drops the roles of a deleted user.
func (a *app) forget(_ context.Context, userID string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.held, userID)
	return nil
}

func (a *app) hold(userID, roleID string) {
	if a.held[userID] == nil {
		a.held[userID] = make(map[string]bool)
	}
	a.held[userID][roleID] = true
}

func (a *app) byID(id string) (scim.Role, bool) {
	return a.find(func(r scim.Role) bool { return r.ID == id })
}

func (a *app) byName(name string) (scim.Role, bool) {
	key := scim.Fold(name)
	return a.find(func(r scim.Role) bool { return scim.Fold(r.Name) == key })
}

func (a *app) find(is func(scim.Role) bool) (scim.Role, bool) {
	if i := slices.IndexFunc(a.roles, is); i >= 0 {
		return a.roles[i], true
	}
	return scim.Role{}, false
}
