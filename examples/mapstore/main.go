// Command mapstore is an application that had users and roles before it had SCIM.
package main

import (
	"cmp"
	"context"
	"fmt"
	"log"
	"net/http"
	"os"
	"sync"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/store/memory"
)

type User struct {
	Login, Email string
	Disabled     bool
}

type App struct {
	mu    sync.Mutex
	users map[string]User             // by id
	roles map[string]string           // names, by id
	holds map[[2]string]bool          // a user's id and a role's id
	side  map[scim.Ref]*scim.Resource // new: what no column has, and the client's groups
}

func (a *App) lock() (unlock func()) { a.mu.Lock(); return a.mu.Unlock }

func (a *App) get(ctx context.Context, ref scim.Ref) (*scim.Resource, error) {
	r, u := a.side[ref], a.users[ref.ID]
	if r == nil || ctx.Err() != nil {
		return nil, cmp.Or(ctx.Err(), scim.ErrNotFound)
	}
	if ref.Type == "User" && r.Active() == u.Disabled { // the application has changed it
		return r.With(map[string]any{"active": !u.Disabled})
	}
	return r, nil
}

func (a *App) put(r *scim.Resource) (*scim.Resource, error) {
	if r.Type() == scim.UserType() {
		for id, u := range a.users {
			if id != r.ID() && scim.Fold(u.Login) == scim.Fold(r.String("userName")) {
				return nil, scim.Conflict("userName")
			}
		}
		u := a.users[r.ID()]
		u.Login, u.Email, u.Disabled = r.String("userName"), r.Primary("emails"), !r.Active()
		a.users[r.ID()] = u
	}
	a.side[r.Ref()] = r
	return r, nil
}

func (a *App) Create(ctx context.Context, r *scim.Resource) (*scim.Resource, error) {
	defer a.lock()()
	if _, err := a.get(ctx, r.Ref()); err != scim.ErrNotFound {
		return nil, cmp.Or(err, scim.Conflict("id"))
	}
	return a.put(r)
}

func (a *App) Get(ctx context.Context, ref scim.Ref) (*scim.Resource, error) {
	defer a.lock()()
	return a.get(ctx, ref)
}

func (a *App) List(ctx context.Context, t *scim.ResourceType, q *scim.Query) (*scim.Page, error) {
	defer a.lock()()
	return scim.Scan(q, func(yield func(*scim.Resource, error) bool) {
		for ref := range a.side {
			if ref.Type == t.Name() && !yield(a.get(ctx, ref)) {
				return
			}
		}
	})
}

func (a *App) Update(ctx context.Context, ref scim.Ref,
	fn func(*scim.Resource) (*scim.Resource, error)) (*scim.Resource, error) {
	defer a.lock()()
	before, err := a.get(ctx, ref)
	if err != nil {
		return nil, err
	}
	after, err := fn(before)
	if err != nil || after == before {
		return after, err
	}
	return a.put(after)
}

func (a *App) Delete(ctx context.Context, ref scim.Ref, check func(*scim.Resource) error) error {
	defer a.lock()()
	before, err := a.get(ctx, ref)
	if err == nil {
		err = check(before)
	}
	if err == nil && ref.Type == "User" {
		delete(a.users, ref.ID)
	}
	if err == nil {
		delete(a.side, ref)
	}
	return err
}

func (a *App) Volatile() {} // says that all is forgotten when the program ends

func (a *App) ResolveRole(_ context.Context, src scim.RoleSource) (scim.Role, error) {
	for id, name := range a.roles {
		if id == src.Linked || src.Linked == "" && name == src.Group.String("displayName") {
			return scim.Role{ID: id, Name: name}, nil
		}
	}
	return scim.Role{}, scim.ErrNoRole
}

func (a *App) HeldRoles(_ context.Context, users []string) (map[string][]scim.Role, error) {
	defer a.lock()()
	held := map[string][]scim.Role{}
	for _, user := range users {
		for id, name := range a.roles {
			if a.holds[[2]string{user, id}] {
				held[user] = append(held[user], scim.Role{ID: id, Name: name})
			}
		}
	}
	return held, nil
}

func (a *App) ChangeRoles(ctx context.Context, changes []scim.RoleChange) error {
	defer a.lock()()
	next := maps.Clone(a.holds) // all or nothing
	for _, c := range changes {
		for _, r := range c.Revoke {
			delete(next, [2]string{c.UserID, r.ID})
		}
		for _, r := range c.Grant {
			if a.roles[r.ID] == "" {
				return scim.ErrNoRole
			}
			next[[2]string{c.UserID, r.ID}] = true
		}
	}
	if ctx.Err() == nil {
		a.holds = next
	}
	return ctx.Err()
}
