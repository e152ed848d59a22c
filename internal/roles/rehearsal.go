package roles

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strings"

	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/keylock"
)

// Rehearsal is a resolver that notes the changes of roles and makes none. It has those of a
// page of users, in order of id.
type Rehearsal struct {
	host.Resolver
	after   string
	limit   int
	changes []rehearsed // at most one more than limit, by user
	// held says which roles users hold after the changes noted so far, and whether. Nil: a
	// request with one operation looks at each user before it changes the user's roles.
	held map[string]map[host.Role]bool
	// holders says which users the changes noted so far make holders of protected roles, and
	// whom they do not leave one. Nil: no guard asks.
	holders map[host.RoleKey]map[string]bool
}

// rehearsed is what a request changes for one user. first is the first change.
type rehearsed struct {
	host.RoleChange
	first host.RoleChange
}

// isNothing reports whether the changes of a user cancel each other. A role that the first
// change revoked may have another place among others of its scope now: that is a new order.
func (r *rehearsed) isNothing() bool {
	if len(r.Grant)+len(r.Revoke) > 0 || len(r.first.Grant)+len(r.first.Revoke) == 0 {
		return false
	}
	isSame := func(a, b host.Role) bool { return a.Key() == b.Key() }
	if !slices.EqualFunc(without(r.first.Roles, r.first.Grant), without(r.Roles, r.first.Revoke), isSame) {
		return false
	}
	return !slices.ContainsFunc(r.first.Revoke, func(back host.Role) bool {
		return slices.ContainsFunc(r.Roles, func(of host.Role) bool { return of.Scope == back.Scope && of.ID != back.ID })
	})
}

// Rehearse returns a copy of a tenant in which a request has no effects, if the caller rolls
// the store's transaction back. The rehearsal has the changes of roles of at most limit
// users behind the user after. isBulk: the request has several operations.
func Rehearse(t *host.Tenant, after string, limit int, isBulk bool) (*host.Tenant, *Rehearsal, error) {
	if err := CanRehearse(t); err != nil {
		return nil, nil, err
	}
	r := &Rehearsal{Resolver: t.Roles.Resolver, after: after, limit: limit}
	if isBulk {
		r.held = map[string]map[host.Role]bool{}
	}
	roles := *t.Roles
	roles.Resolver = r
	if h := roles.Guards.Holders; h != nil {
		r.holders = map[host.RoleKey]map[string]bool{}
		roles.Guards.Holders = rehearsedHolders{h, r}
	}
	if roles.Creator != nil {
		roles.Creator = noCreator{}
	}
	copied := *t
	copied.Roles = &roles
	copied.Stores.Deactivator, copied.Written = nil, nil
	if t.Stores.Passwords != nil {
		copied.Stores.Passwords = noPasswords{}
	}
	return &copied, r, nil
}

// CanRehearse says why a request to the tenant cannot be rehearsed. Nil: it can.
func CanRehearse(t *host.Tenant) error {
	if t.Stores.Tx == nil || t.Roles == nil || !t.Roles.LedgerLocks {
		return errors.New("scim: a request can be previewed only if the store has transactions and the ledger takes part in them")
	}
	return nil
}

// noPasswords takes passwords and forgets them.
type noPasswords struct{}

func (noPasswords) SetPassword(context.Context, string, string) error { return nil }

// noCreator creates nothing. The role that it names has the name of the group as its id.
type noCreator struct{}

func (noCreator) CreateRole(_ context.Context, src host.RoleSource) (host.Role, error) {
	name := src.Group.Text("displayName")
	return host.Role{ID: name, Name: name}, nil
}

// Quiet returns an engine that sends no events, and shares nothing with e.
func (e *Engine) Quiet(log *slog.Logger) *Engine {
	return &Engine{Locks: new(keylock.Locks), Log: log, Now: e.Now, Time: e.Time}
}

// Begin forgets all changes, because the transaction begins anew.
func (r *Rehearsal) Begin() {
	r.changes = nil
	clear(r.held)
	clear(r.holders)
}

// HeldRoles implements host.Resolver.
func (r *Rehearsal) HeldRoles(ctx context.Context, userIDs []string) (map[string][]host.Role, error) {
	held, err := r.Resolver.HeldRoles(ctx, userIDs)
	if err != nil || len(r.held) == 0 {
		return held, err
	}
	held = maps.Clone(held)
	for _, id := range userIDs {
		for role, holds := range r.held[id] {
			all := slices.DeleteFunc(slices.Clone(held[id]), func(h host.Role) bool { return h.Key() == role.Key() })
			if holds {
				all = append(all, role)
			}
			held[id] = all
		}
	}
	return held, nil
}

// ChangeRoles implements host.Resolver.
func (r *Rehearsal) ChangeRoles(_ context.Context, changes []host.RoleChange) error {
	for _, c := range changes {
		r.hold(c)
		r.holdProtected(c.UserID, c.Revoke, false)
		r.holdProtected(c.UserID, c.Grant, true)
		if c.UserID > r.after {
			r.note(c)
		}
	}
	return nil
}

func (r *Rehearsal) hold(c host.RoleChange) {
	if r.held == nil {
		return
	}
	of := r.held[c.UserID]
	if of == nil {
		of = map[host.Role]bool{}
		r.held[c.UserID] = of
	}
	for holds, list := range map[bool][]host.Role{false: c.Revoke, true: c.Grant} {
		for _, role := range list {
			maps.DeleteFunc(of, func(known host.Role, _ bool) bool { return known.Key() == role.Key() })
			of[role] = holds
		}
	}
}

func (r *Rehearsal) holdProtected(user string, roles []host.Role, holds bool) {
	for _, role := range roles {
		if r.holders == nil || !role.Protected {
			continue
		}
		if r.holders[role.Key()] == nil {
			r.holders[role.Key()] = map[string]bool{}
		}
		r.holders[role.Key()][user] = holds
	}
}

// rehearsedHolders are the holders of roles after the changes that a rehearsal has noted.
type rehearsedHolders struct {
	app host.RoleHolders
	r   *Rehearsal
}

// RoleHolders implements host.RoleHolders. It may return more than limit.
func (h rehearsedHolders) RoleHolders(ctx context.Context, role host.Role, after string, limit int) ([]string, error) {
	changed := h.r.holders[role.Key()]
	for {
		page, err := h.app.RoleHolders(ctx, role, after, limit)
		if err != nil || len(changed) == 0 {
			return page, err
		}
		ids := only(page, func(id string) bool { holds, isChanged := changed[id]; return holds || !isChanged })
		for id, holds := range changed {
			if holds && id > after && (len(page) == 0 || id < page[len(page)-1]) {
				ids = append(ids, id)
			}
		}
		if len(ids) > 0 || len(page) == 0 {
			slices.Sort(ids)
			return slices.Compact(ids), nil
		}
		after = page[len(page)-1]
	}
}

// note adds a change of a user to the earlier ones.
func (r *Rehearsal) note(c host.RoleChange) {
	i, found := slices.BinarySearchFunc(r.changes, c.UserID, func(have rehearsed, id string) int { return strings.Compare(have.UserID, id) })
	if found {
		r.changes[i].RoleChange = joined(r.changes[i].RoleChange, c)
		return
	}
	if i > r.limit {
		return
	}
	r.changes = slices.Insert(r.changes, i, rehearsed{c, c})
	r.changes = r.changes[:min(len(r.changes), r.limit+1)]
}

// joined is one change in the place of two, one after the other.
func joined(a, b host.RoleChange) host.RoleChange {
	return host.RoleChange{UserID: a.UserID, Roles: b.Roles,
		Grant:  append(without(a.Grant, b.Revoke), without(without(b.Grant, a.Revoke), a.Grant)...),
		Revoke: append(without(a.Revoke, b.Grant), without(without(b.Revoke, a.Grant), a.Revoke)...)}
}

// without lists the roles that are not in gone.
func without(list, gone []host.Role) []host.Role {
	return slices.DeleteFunc(slices.Clone(list), func(r host.Role) bool {
		return slices.ContainsFunc(gone, func(g host.Role) bool { return g.Key() == r.Key() })
	})
}

// Page returns the changes, and the last user if more follow.
func (r *Rehearsal) Page() (list []host.RoleChange, next string) {
	if len(r.changes) > r.limit {
		r.changes = r.changes[:r.limit]
		next = r.changes[r.limit-1].UserID
	}
	for _, c := range r.changes {
		if !c.isNothing() {
			list = append(list, c.RoleChange)
		}
	}
	return list, next
}
