package roles

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/scimkit/scim/internal/host"
)

// GiveByHand gives a user a role by hand. change is the application's own part. Nil: the
// application has done it. Afterwards the user is reconciled.
//
// The error is a 404 if the store has no such user. It is an error, too, if the user does not
// hold the role afterwards: then the role's Scope or ID is wrong. If the change may take a
// while to be seen, because roles are elsewhere, this is not checked.
//
// If a source gives the role too, its grants get a mark, so that the user keeps the role
// when the source lets go. If roles do not commit with the ledger, the mark is durable before
// the change. A crash in between leaves a mark without a change: the user then keeps a role
// that an administrator wanted to give, and Explain says so. After the other order, a crash
// would leave a role that the administrator gave and that a source takes away later. If the
// change fails, the mark goes.
func (c *Admin) GiveByHand(ctx context.Context, userID string, role host.RoleKey, change func(ctx context.Context) error) error {
	if c.t.Roles.Joint {
		return c.do(ctx, "", func(ctx context.Context, w *Work) error {
			if _, err := c.t.dir.Fetch(ctx, userRef(userID)); err != nil {
				return err
			}
			if _, err := mark(ctx, c.t, userID, role); err != nil {
				return err
			}
			if err := c.e.callChange(ctx, change); err != nil {
				return err
			}
			if err := checkHeld(ctx, c, userID, role); err != nil {
				return err
			}
			noteHolder(w, role)
			return w.reconcile(ctx, run{ids: []string{userID}, cause: applicationRepairs})
		})
	}
	if err := c.giveSeparately(ctx, userID, role, change); err != nil {
		return err
	}
	return c.do(ctx, "", func(ctx context.Context, w *Work) error {
		noteHolder(w, role)
		return w.reconcile(ctx, run{ids: []string{userID}, cause: applicationRepairs})
	})
}

// giveSeparately gives a role that does not commit with the ledger. The change runs under
// the user's lock. If a source has begun to give the role before, it first marks the grant.
func (c *Admin) giveSeparately(ctx context.Context, userID string, role host.RoleKey, change func(ctx context.Context) error) error {
	ctx, unlock, err := c.e.lockUsers(ctx, c.t, []string{userID})
	if err != nil {
		return err
	}
	defer unlock()
	if _, err := c.t.dir.Fetch(ctx, userRef(userID)); err != nil {
		return err
	}
	if change == nil {
		if err := checkHeld(ctx, c, userID, role); err != nil {
			return err
		}
	}
	var marked []host.Grant
	for isDone := false; !isDone; {
		var fresh []host.Grant
		err := c.t.Stores.InTx(ctx, func(ctx context.Context) (err error) {
			fresh, err = mark(ctx, c.t, userID, role)
			return err
		})
		marked = append(marked, fresh...)
		if err == nil {
			err = c.t.Stores.InTx(ctx, func(ctx context.Context) error {
				open, err := unmarked(ctx, c.t, userID, role)
				if isDone = len(open) == 0; err != nil || !isDone {
					return err
				}
				return c.e.callChange(ctx, change)
			})
		}
		if err != nil {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.e.Time) // the caller may be gone
			defer cancel()
			return errors.Join(err, takeMarks(ctx, c.t, userID, marked))
		}
	}
	return nil
}

// checkHeld returns an error if a user does not hold a role that the application has given.
func checkHeld(ctx context.Context, c *Admin, userID string, role host.RoleKey) (err error) {
	defer host.Guard{Log: c.e.Log}.Catch(&err) // Roles.PolicyOf is the application's code
	t := c.t
	if t.Roles.PolicyOf(role.Scope).Base == role.ID {
		return nil // everybody has it, and HeldRoles may leave it out
	}
	held, err := t.Roles.Resolver.HeldRoles(ctx, []string{userID})
	if err != nil || slices.ContainsFunc(held[userID], func(r host.Role) bool { return r.Key() == role }) {
		return err
	}
	return fmt.Errorf("scim: Reconciler.GiveByHand: after the change HeldRoles does not list role %q%s for user %q, but %s: pass the Scope and ID that it has there",
		role.ID, ofScope(role.Scope), userID, rolesText(held[userID]))
}

// callChange calls the application's own part of a change by hand.
func (e *Engine) callChange(ctx context.Context, change func(ctx context.Context) error) (err error) {
	if change == nil {
		return nil
	}
	defer host.Guard{Log: e.Log}.Catch(&err)
	return change(ctx)
}

// unmarked lists the grants of a role that the user holds and that are not marked as given
// by hand. It locks the user.
func unmarked(ctx context.Context, t tenant, userID string, role host.RoleKey) ([]host.Grant, error) {
	grants, err := t.Roles.Ledger.Grants(ctx, []string{userID})
	return only(grants, func(g host.Grant) bool { return g.Role() == role && !g.ByHand && g.IsHeld() }), err
}

// mark marks the grants of a role as given by hand. It returns those that were not marked.
func mark(ctx context.Context, t tenant, userID string, role host.RoleKey) ([]host.Grant, error) {
	fresh, err := unmarked(ctx, t, userID, role)
	if err != nil || len(fresh) == 0 {
		return nil, err
	}
	put := slices.Clone(fresh)
	for i := range put {
		put[i].ByHand = true
	}
	return fresh, t.Roles.Ledger.Record(ctx, put, nil)
}

// takeMarks takes the marks from those of the grants that still exist.
func takeMarks(ctx context.Context, t tenant, userID string, marked []host.Grant) error {
	if len(marked) == 0 {
		return nil
	}
	return t.Stores.InTx(ctx, func(ctx context.Context) error {
		now, err := t.Roles.Ledger.Grants(ctx, []string{userID})
		if err != nil {
			return err
		}
		var put []host.Grant
		for _, g := range now {
			if g.ByHand && slices.ContainsFunc(marked, func(m host.Grant) bool { return m.Role() == g.Role() && m.Source == g.Source }) {
				g.ByHand = false
				put = append(put, g)
			}
		}
		if len(put) == 0 {
			return nil
		}
		return t.Roles.Ledger.Record(ctx, put, nil)
	})
}

// TakeByHand takes a role by hand. change is the application's own part. Nil: the
// application has done it. Afterwards the user is reconciled, so a role that waited for the
// place is granted.
//
// still are the sources that would give the role again. If there are any, the user keeps the
// role: TakeByHand only takes the mark from the grants, and does not call change. So the role
// goes when the sources let go.
func (c *Admin) TakeByHand(ctx context.Context, userID string, role host.RoleKey, change func(ctx context.Context) error) (still []host.Source, err error) {
	take := func(ctx context.Context) error {
		if _, err := c.t.dir.Fetch(ctx, userRef(userID)); err != nil {
			return err
		}
		var own []host.Grant
		var err error
		if still, own, err = c.givesAgain(ctx, userID, role); err != nil {
			return err
		}
		switch {
		case len(still) == 0:
			return c.e.callChange(ctx, change)
		case len(own) > 0:
			return c.t.Roles.Ledger.Record(ctx, own, nil)
		}
		return nil
	}
	if c.t.Roles.Joint {
		err = c.do(ctx, "", func(ctx context.Context, w *Work) error {
			if err := take(ctx); err != nil {
				return err
			}
			return w.reconcile(ctx, run{ids: []string{userID}, cause: applicationRepairs})
		})
		return still, err
	}
	locked, unlock, err := c.e.lockUsers(ctx, c.t, []string{userID})
	if err != nil {
		return nil, err
	}
	err = c.t.Stores.InTx(locked, take)
	unlock()
	if err != nil {
		return nil, err
	}
	return still, c.Users(ctx, userID)
}

// givesAgain returns the sources that give a role if the user does not hold it by hand. What
// sources have given they go on giving, also in a pause, if that leaves it to the user. own
// are the grants of the role as they are then: those that are marked lose their marks.
func (c *Admin) givesAgain(ctx context.Context, userID string, role host.RoleKey) (still []host.Source, own []host.Grant, err error) {
	defer host.Guard{Log: c.e.Log}.Catch(&err) // Roles.Pick is the application's code
	ids := []string{userID}
	people, err := c.t.people(ctx, ids, run{ids: ids})
	if err != nil {
		return nil, nil, err
	}
	exempt, err := c.t.exempt(ctx, ids)
	if err != nil || exempt[userRef(userID)] {
		return nil, nil, err
	}
	p := people[0]
	isGiven := false
	for i := range p.entries {
		g := &p.entries[i]
		if g.Role() != role || !g.IsHeld() {
			continue
		}
		isGiven = true
		if g.ByHand {
			g.ByHand = false
			own = append(own, *g)
		}
	}
	if !isGiven {
		p.held = only(p.held, func(r host.Role) bool { return r.Key() != role })
	}
	o := plan(c.t.Roles, p, c.e.now())
	if !isGiven { // the source begins to give it now, and nobody has recorded that
		own = only(o.put, func(g host.Grant) bool { return g.Role() == role && g.IsHeld() })
	}
	for _, e := range o.explained {
		if e.Role.Key() == role && (e.State == host.Due || e.State == host.Granted) {
			still = e.Sources
		}
	}
	return still, own, nil
}
