package roles

import (
	"context"
	"errors"
	"slices"

	"github.com/scimkit/scim/internal/host"
)

// batch is the reconciliation of at most directory.Batch users.
//
// The ledger records a grant before the application makes it, and a revocation after it. So
// a crash can leave one grant too many in the ledger, never one too few. The protocols
// differ in what commits together.
type batch struct {
	w    *Work
	run  run
	ids  []string
	outs []*outcome
	// reads says that nothing comes of the plan, so no decision needs a lock.
	reads bool
}

// settle reconciles the batch with the protocol that fits the application's databases.
func (b *batch) settle(ctx context.Context) error {
	joint, tx := b.w.t.Roles.Joint, b.w.t.isTransactional()
	if !(b.run.ahead && tx) { // else a transaction runs already, and the batch only reads the ledger
		locked, unlock, err := b.w.e.lockUsers(ctx, b.w.t, b.ids)
		if err != nil {
			return err
		}
		defer unlock()
		ctx = locked
	}
	if !joint {
		defer b.w.guards.unlockKind(holderDecisions)
	}
	var err error
	switch {
	case b.run.ahead:
		return b.revokeOnly(ctx)
	case joint:
		err = b.jointly(ctx)
	case tx:
		err = b.intentionsFirst(ctx)
	default:
		err = b.allAtOnce(ctx)
	}
	if err != nil {
		return err
	}
	b.noteReturn()
	b.tellIntentions()
	for _, p := range b.outs {
		b.w.Tell(p.events...)
	}
	return nil
}

// allAtOnce is the protocol for one transaction around everything. It also serves
// applications without transactions: its order of steps survives a crash.
func (b *batch) allAtOnce(ctx context.Context) error {
	if err := b.look(ctx); err != nil {
		return err
	}
	if err := b.judge(ctx); err != nil {
		return err
	}
	if err := b.lead(ctx); err != nil {
		return err
	}
	if err := b.change(ctx); err != nil {
		return err
	}
	return b.trail(ctx)
}

// jointly is allAtOnce in the transaction of the write, or else in one of its own. A part of the
// write's transaction that can be undone alone costs two calls of the database. Only a role that is
// gone needs one, and then Isolate begins again.
func (b *batch) jointly(ctx context.Context) error {
	n := &b.w.needs
	if !b.w.isIsolated() || n.roles == alone {
		return b.w.t.Stores.InTx(ctx, b.allAtOnce)
	}
	err := b.allAtOnce(ctx)
	if errors.As(err, new(*roleIsGone)) {
		n.roles = wantedAlone
	}
	return err
}

// intentionsFirst is the protocol for roles that do not commit with the ledger. It commits
// the intentions. Then it looks again, changes the roles and records the rest, all under
// the same users' lock. If the second look finds new intentions, it starts again.
func (b *batch) intentionsFirst(ctx context.Context) error {
	for noted := false; !noted; {
		err := b.w.t.Stores.InTx(ctx, func(ctx context.Context) error {
			if err := b.look(ctx); err != nil {
				return err
			}
			return b.lead(ctx)
		})
		if err != nil {
			return err
		}
		b.tellIntentions()
		err = b.w.t.Stores.InTx(ctx, func(ctx context.Context) error {
			if err := b.look(ctx); err != nil {
				return err
			}
			if noted = len(b.intentions()) == 0; !noted {
				return nil
			}
			if err := b.change(ctx); err != nil {
				return err
			}
			return b.trail(ctx)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// revokeOnly is the protocol ahead of a write. It only revokes, and does not change the
// ledger. If one role replaces another and this does not depend on the coming write, both
// change in one step. That needs a ledger that can record grants first, so it is impossible
// inside a transaction.
func (b *batch) revokeOnly(ctx context.Context) error {
	if err := b.look(ctx); err != nil {
		return err
	}
	v, swap := b.run.view, b.swaps()
	var told []host.Event
	for _, p := range b.outs {
		p.reordered = false // the ledger would not know that the application was told
		if !swap {
			p.withholdGrants()
		}
		if v.deleted != "" && p.changes() {
			b.w.giveBackLater(p)
		}
		told = append(told, p.early...)
		for _, e := range p.events {
			if e.Kind == host.RoleRevoked || e.Kind == host.RoleUnheld || e.Kind == host.RoleGranted && swap {
				told = append(told, e)
			}
		}
	}
	if err := b.lead(ctx); err != nil {
		return err
	}
	if err := b.change(ctx); err != nil {
		return err
	}
	b.w.mail.ahead = append(b.w.mail.ahead, told...)
	return nil
}

// swaps reports whether a reconciliation ahead of a write may also give roles.
func (b *batch) swaps() bool {
	v := b.run.view
	return !b.w.t.isTransactional() && v.link == nil && (v.user == nil || !v.user.Active())
}

// withholdGrants removes everything but revocations from an outcome.
func (o *outcome) withholdGrants() {
	given := o.change.Grant
	o.change.Grant, o.put, o.early = nil, nil, nil
	o.change.Roles = slices.DeleteFunc(o.change.Roles, func(role host.Role) bool { return slices.Contains(given, role) })
}

// giveBackLater remembers how to undo the revocations of a user's last roles if the write
// fails. They include roles given by hand, which no reconciliation would restore. The
// ledger did not change.
func (w *Work) giveBackLater(p *outcome) {
	back := host.RoleChange{UserID: p.change.UserID, Grant: p.change.Revoke, Roles: p.change.Roles}
	w.restore = append(w.restore, func(ctx context.Context) error {
		if _, err := w.t.Stores.Get(ctx, userRef(back.UserID)); errors.Is(err, host.ErrNotFound) {
			return nil // the store deleted the user, although it answered with an error
		}
		return w.t.Roles.Resolver.ChangeRoles(ctx, []host.RoleChange{back})
	})
}

// look reads everything that decides about the users' roles, under their lock, and applies
// the rules.
func (b *batch) look(ctx context.Context) (err error) {
	defer host.Guard{Log: b.w.e.Log}.Catch(&err) // Roles.Pick is the application's code
	people, err := b.w.t.people(ctx, b.ids, b.run)
	if err != nil {
		return err
	}
	exempt, err := b.w.t.exempt(ctx, b.ids)
	if err != nil {
		return err
	}
	b.outs = make([]*outcome, len(people))
	now := b.w.e.now()
	for i, p := range people {
		switch {
		case exempt[userRef(p.id)]:
			b.outs[i] = leave(p, isExempt)
		case b.run.ending == EndKeep:
			b.outs[i] = leave(p, isEnded)
		default:
			b.outs[i] = plan(b.w.t.Roles, p, now)
		}
	}
	if err := b.keepLastHolders(ctx, people, now); err != nil || !b.run.ending.ends() {
		return err
	}
	for i, p := range people {
		b.outs[i].endAll(p)
	}
	return nil
}

// intentions are the grants that the ledger must have before the change.
func (b *batch) intentions() []host.Grant {
	return collect(b.outs, func(p *outcome) []host.Grant { return p.put })
}

// lead records the intentions.
func (b *batch) lead(ctx context.Context) error {
	put := b.intentions()
	if err := b.noteRetained(ctx, put); err != nil {
		return err
	}
	return b.record(ctx, put, nil)
}

// change asks the application to change the roles.
func (b *batch) change(ctx context.Context) error {
	changes := make([]host.RoleChange, 0, len(b.outs))
	for _, p := range b.outs {
		if p.changes() {
			changes = append(changes, p.change)
		}
	}
	if len(changes) == 0 {
		return nil
	}
	if err := b.w.t.Roles.Resolver.ChangeRoles(ctx, changes); err != nil {
		if errors.Is(err, host.ErrNoRole) {
			return &roleIsGone{err}
		}
		return err
	}
	b.w.guards.noteGrants(b.w.t.Roles, changes)
	return nil
}

// trail records revocations after the change.
func (b *batch) trail(ctx context.Context) error {
	drop := collect(b.outs, func(p *outcome) []host.Grant { return p.drop })
	if gone := b.run.view.gone; gone != "" && b.w.t.Roles.Sources != nil { // Ending.After drops all grants of this group at once
		isGone := func(g host.Grant) bool { return g.Source == host.GroupSource(gone) }
		drop = slices.DeleteFunc(drop, isGone)
		b.w.guards.kept = append(b.w.guards.kept, only(collect(b.outs, func(p *outcome) []host.Grant { return p.retained }), isGone)...)
	}
	if err := b.record(ctx, collect(b.outs, func(p *outcome) []host.Grant { return p.putAfter }), drop); err != nil {
		return err
	}
	return b.dropRetained(ctx)
}

func (b *batch) record(ctx context.Context, put, drop []host.Grant) error {
	if len(put)+len(drop) == 0 {
		return nil
	}
	return b.w.t.Roles.Ledger.Record(ctx, put, drop)
}

// tellIntentions queues, once, the events that are true as soon as the ledger has the
// intentions.
func (b *batch) tellIntentions() {
	for _, p := range b.outs {
		b.w.Tell(p.early...)
		p.early = nil
	}
}

func collect(outs []*outcome, of func(*outcome) []host.Grant) []host.Grant {
	n := 0
	for _, p := range outs {
		n += len(of(p))
	}
	all := make([]host.Grant, 0, n)
	for _, p := range outs {
		all = append(all, of(p)...)
	}
	return all
}
