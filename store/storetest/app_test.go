package storetest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/scimkit/scim"
)

// app is a small application with roles: a RoleResolver with transactions of its own.
// fault names its error; "" means none.
type app struct {
	fault string

	mu    sync.Mutex
	count int
	users map[string]bool
	roles map[string]scim.Role
	held  map[[2]string]int // by user and role: how often granted, 1 unless faulty
}

// joined marks the context of a transaction of an app.
type joined struct{}

func newApp(fault string) *app {
	a := &app{fault: fault, users: map[string]bool{}, roles: map[string]scim.Role{}, held: map[[2]string]int{}}
	for i, name := range []string{"Viewer", "Editor", "Admin"} {
		id := fmt.Sprint("r", i+1)
		a.roles[id] = scim.Role{ID: id, Name: name, Weight: i, Protected: name == "Admin"}
	}
	return a
}

func (a *app) harness() Harness {
	return Harness{
		Resolver: a,
		Roles:    slices.SortedFunc(maps.Values(a.roles), func(x, y scim.Role) int { return x.Weight - y.Weight }),
		AddUser: func(context.Context) (string, error) {
			a.mu.Lock()
			defer a.mu.Unlock()
			a.count++
			id := fmt.Sprint(a.count)
			a.users[id] = true
			return id, nil
		},
		Store:     a,
		Exclusive: a.fault == "exclusive",
		GroupName: func(r scim.Role) string { return r.Name },
		Give:      func(_ context.Context, user, role string) error { a.held[[2]string{user, role}] = -1; return nil },
		Take:      func(_ context.Context, user, role string) error { delete(a.held, [2]string{user, role}); return nil },
		Rename: func(_ context.Context, id, name string) error {
			r := a.roles[id]
			r.Name = name
			a.roles[id] = r
			return nil
		},
		Drop: func(_ context.Context, id string) error { delete(a.roles, id); return nil },
	}
}

// enter joins the transaction of ctx, or begins one.
func (a *app) enter(ctx context.Context) (leave func(), err error) {
	if err := ctx.Err(); err != nil && a.fault != "ignores the context" {
		return nil, err
	}
	if ctx.Value(joined{}) != nil {
		return func() {}, nil
	}
	a.mu.Lock()
	return a.mu.Unlock, nil
}

func (a *app) InTx(ctx context.Context, fn func(ctx context.Context) error) error {
	leave, err := a.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	before := maps.Clone(a.held)
	err = fn(context.WithValue(ctx, joined{}, true))
	if err != nil && a.fault != "not in the transaction" {
		a.held = before
	}
	return err
}

func (a *app) ResolveRoles(ctx context.Context, src scim.RoleSource) ([]scim.Role, error) {
	leave, err := a.enter(ctx)
	if err != nil {
		if a.fault == "an outage is no role" {
			return nil, scim.ErrNoRole
		}
		return nil, err
	}
	defer leave()
	if a.fault == "believes links" && len(src.Linked) > 0 {
		return src.Linked, nil
	}
	for _, linked := range src.Linked {
		if r, ok := a.roles[linked.ID]; ok && a.fault != "forgets links" {
			return []scim.Role{r}, nil
		}
	}
	name := src.Name()
	for _, r := range a.roles {
		if r.Name == name {
			if a.fault == "says nothing of protection" {
				r.Protected = false
			}
			return []scim.Role{r}, nil
		}
	}
	switch a.fault {
	case "unknown roles are made":
		a.count++
		r := scim.Role{ID: fmt.Sprint("made", a.count), Name: name}
		if name == noRole.Name {
			r.ID = noRole.ID
		}
		a.roles[r.ID] = r
		return nil, scim.ErrNoRole
	case "unknown roles are empty":
		return nil, nil
	}
	return nil, fmt.Errorf("app: %w", scim.ErrNoRole)
}

func (a *app) HeldRoles(ctx context.Context, userIDs []string) (map[string][]scim.Role, error) {
	leave, err := a.enter(ctx)
	if err != nil {
		if a.fault == "an outage is no role" {
			return nil, nil
		}
		return nil, err
	}
	defer leave()
	out := map[string][]scim.Role{}
	for pair, n := range a.held {
		r, ok := a.roles[pair[1]]
		if !ok || !slices.Contains(userIDs, pair[0]) && a.fault != "lists everybody" || n < 0 && a.fault == "knows only its own grants" {
			continue
		}
		if a.fault != "counts grants" {
			n = 1
		}
		for range n {
			out[pair[0]] = append(out[pair[0]], r)
		}
	}
	if a.fault == "lists the default" {
		for _, u := range userIDs {
			if a.users[u] {
				out[u] = append(out[u], scim.Role{ID: "member"})
			}
		}
	}
	return out, nil
}

// RoleHolders implements scim.RoleHolders.
func (a *app) RoleHolders(ctx context.Context, role scim.Role, after string, limit int) ([]string, error) {
	leave, err := a.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	var ids []string
	for pair := range a.held {
		isSame := pair[1] == role.ID || a.fault == "lists holders of every role"
		if isSame && pair[0] > after && !(a.fault == "lists holders behind the first page" && after == "") {
			ids = append(ids, pair[0])
		}
	}
	if a.fault == "lists users for an unknown role" && role.ID == noRole.ID {
		return []string{"somebody"}, nil
	}
	slices.Sort(ids)
	return slices.Compact(ids)[:min(limit, len(slices.Compact(ids)))], nil
}

func (a *app) ChangeRoles(ctx context.Context, changes []scim.RoleChange) error {
	leave, err := a.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	if a.fault == "grants nothing" {
		return nil
	}
	if a.fault == "batches of 500" {
		changes = changes[:min(len(changes), 500)]
	}
	before := maps.Clone(a.held)
	if a.fault == "reads and writes all roles" && ctx.Value(joined{}) == nil {
		a.mu.Unlock()
		time.Sleep(time.Millisecond)
		a.mu.Lock()
		a.held = maps.Clone(before)
	}
	for _, c := range changes {
		if err := a.change(c); err != nil {
			if a.fault != "grants partially" {
				a.held = before
			}
			return err
		}
	}
	return nil
}

func (a *app) change(c scim.RoleChange) error {
	if a.fault == "replaces all roles" || a.fault == "exclusive" && len(c.Grant) > 0 {
		maps.DeleteFunc(a.held, func(pair [2]string, _ int) bool { return pair[0] == c.UserID })
	}
	if a.fault == "grants or revokes" && len(c.Grant) > 0 {
		c.Revoke = nil
	}
	for _, r := range c.Revoke {
		pair := [2]string{c.UserID, r.ID}
		switch {
		case a.held[pair] == 0 && a.fault == "revoking what is not held is an error":
			return fmt.Errorf("app: %s does not hold %s", c.UserID, r.ID)
		case a.fault == "revokes from everybody":
			maps.DeleteFunc(a.held, func(p [2]string, _ int) bool { return p[1] == r.ID })
		case a.fault == "revokes all":
			maps.DeleteFunc(a.held, func(p [2]string, _ int) bool { return p[0] == c.UserID })
		case a.fault != "never revokes":
			delete(a.held, pair)
		}
	}
	for _, r := range c.Grant {
		pair := [2]string{c.UserID, r.ID}
		switch _, ok := a.roles[r.ID]; {
		case !ok && a.fault == "skips unknown roles":
			continue
		case !ok:
			return scim.ErrNoRole
		case a.held[pair] != 0 && a.fault == "granting what is held is an error":
			return fmt.Errorf("app: %s holds %s already", c.UserID, r.ID)
		}
		a.held[pair] = max(a.held[pair], 0) + 1
	}
	return nil
}
