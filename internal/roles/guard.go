package roles

import (
	"context"
	"errors"
	"slices"

	"github.com/scimkit/scim/internal/directory"
	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/keylock"
)

// guards is what a Work knows about the guards, which judge a plan before it is applied.
type guards struct {
	subject subject
	state   judgement
	// uncounted are losses for the breaker, if the ledger does not commit with the store.
	uncounted crowd
	of        int // the users with grants before them; 0: the breaker knows
	refusal   *refusal
	granted   []host.RoleKey // the protected roles that somebody has got
	kept      []host.Grant   // grants of a deleted group that last holders keep
	// crossed are users who begin to keep a role as its last holder, by the protected roles that
	// they wait for.
	crossed map[host.RoleKey][]string
	// released are the roles that somebody has got, by users who may keep them as last holders.
	released map[string][]host.RoleKey
	locks    map[string]func()
}

// subject is what a plan comes from.
type subject struct {
	ref    host.Ref
	source host.Source // the source that stands for other roles; "" if a client writes
	cause  host.PlanCause
	fresh  string // the name of a resource that does not exist yet
}

// The kinds of decisions that are made one after the other in a tenant.
const (
	holderDecisions  = "role holders"
	breakerDecisions = "role breaker"
)

// judgement says whether the runs of the current attempt still need judgement.
type judgement int

const (
	unjudged judgement = iota
	judged
	unguarded // no attempt of the unit needs any
)

// SkipGuards makes the guards judge nothing of this unit, because it undoes a write.
func SkipGuards(w *Work) { w.guards.state = unguarded }

// begin begins an attempt. isOuter says that it is not a part of another one.
func (g *guards) begin(isOuter bool) {
	if g.state == judged {
		g.state = unjudged
	}
	if isOuter {
		g.uncounted, g.of, g.refusal, g.granted, g.kept, g.crossed = crowd{}, 0, nil, nil, nil, nil
	}
}

// LockTenant makes decisions of a kind in the tenant one after the other, until the unit has
// committed. If the store cannot lock a tenant, it does so in this process.
//
// If roles commit with the store, all guards share a lock, so that two units cannot take two
// locks in different orders.
func (w *Work) LockTenant(ctx context.Context, kind string) error {
	if w.t.hasRoles() && w.t.Roles.Joint && kind == holderDecisions {
		kind = breakerDecisions
	}
	if w.t.Stores.Locker != nil && w.t.isTransactional() {
		return w.t.Stores.Locker.LockTenant(ctx, kind)
	}
	if w.guards.locks[kind] != nil {
		return nil
	}
	unlock, err := w.e.Locks.Lock(ctx, keylock.Key(w.t.ID, "tenant", kind))
	if err != nil {
		return err
	}
	if w.guards.locks == nil {
		w.guards.locks = map[string]func(){}
	}
	w.guards.locks[kind] = unlock
	return nil
}

// unlockKind ends a lock in this process.
func (g *guards) unlockKind(kind string) {
	if unlock := g.locks[kind]; unlock != nil {
		delete(g.locks, kind)
		unlock()
	}
}

// unlock ends all locks in this process.
func (g *guards) unlock() {
	for kind := range g.locks {
		g.unlockKind(kind)
	}
}

// isOneBatch reports whether a run certainly has no more users than one batch.
func (r *run) isOneBatch() bool {
	return r.group == "" && len(r.view.off) == 0 && len(r.below) == 0 && len(r.values) == 0 && len(r.ids) <= directory.Batch
}

// judge asks the guards about the plans of a Work.
type judge struct{ w *Work }

// run judges the plan of a run before any of it is applied. It reads the plan of all users
// once, and so locks them.
func (j judge) run(ctx context.Context, r run) error {
	w, all := j.w, j.newTally(r)
	if all == nil {
		if w.t.Roles.Guards.Holders != nil && w.t.Roles.LedgerLocks {
			return lockAll(ctx, w, r)
		}
		return nil
	}
	if !w.t.Roles.LedgerLocks { // the write has locks, for which a call of the library could wait
		inner, end := w.e.within(ctx, w.t)
		defer end()
		ctx = inner
	}
	err := all.each(ctx, func(b *batch) error {
		all.add(b)
		return nil
	})
	if err != nil {
		return err
	}
	return j.decide(ctx, all)
}

// judge judges a batch that is the whole plan.
func (b *batch) judge(ctx context.Context) error {
	g := &b.w.t.Roles.Guards
	if g.Judge == nil && (g.Breaker == nil || !slices.ContainsFunc(b.outs, (*outcome).loses)) {
		return nil
	}
	all := judge{b.w}.newTally(b.run)
	if all != nil {
		all.outs = b.outs
		all.add(b)
	}
	return judge{b.w}.decide(ctx, all)
}

// loses reports whether the breaker counts the user: a role goes, and no heavier one of its scope
// takes its place.
func (o *outcome) loses() bool {
	return slices.ContainsFunc(o.change.Revoke, func(lost host.Role) bool {
		return !slices.ContainsFunc(o.change.Grant, func(r host.Role) bool { return r.Scope == lost.Scope && r.Weight > lost.Weight })
	})
}

// tally counts what a plan changes.
type tally struct {
	w     *Work
	run   run
	outs  []*outcome // the whole plan if it is one batch
	users int        // whose roles change
	lost  crowd      // those of them who lose a role
	roles []host.RoleCount
}

// newTally returns nil if no guard judges the run.
func (j judge) newTally(r run) *tally {
	w := j.w
	if !w.t.Roles.Guards.Judges() || w.guards.state != unjudged || r.cause == applicationRepairs {
		return nil
	}
	return &tally{w: w, run: r}
}

// each calls fn with every batch of the plan.
func (a *tally) each(ctx context.Context, fn func(b *batch) error) error {
	return eachPart(ctx, a.w.t, a.run, func(ids []string) error {
		b := &batch{w: a.w, run: a.run, ids: ids, reads: true}
		if err := b.look(ctx); err != nil {
			return err
		}
		return fn(b)
	})
}

// add counts a batch.
func (a *tally) add(b *batch) {
	if a == nil {
		return
	}
	for _, o := range b.outs {
		if len(o.change.Grant)+len(o.change.Revoke) == 0 {
			continue
		}
		a.users++
		if o.loses() {
			a.lost.add(o.change.UserID)
		}
		for _, role := range o.change.Grant {
			a.count(role).Grants++
		}
		for _, role := range o.change.Revoke {
			a.count(role).Revokes++
		}
	}
}

// count finds the count of a role.
func (a *tally) count(role host.Role) *host.RoleCount {
	i, found := slices.BinarySearchFunc(a.roles, role, func(c host.RoleCount, r host.Role) int { return compareRoles(c.Role, r) })
	if !found {
		a.roles = slices.Insert(a.roles, i, host.RoleCount{Role: role})
	}
	return &a.roles[i]
}

// leaves reports whether the plan is about a user who is deactivated or deleted.
func (a *tally) leaves() bool { return a.run.cause == userLeaves }

// decide asks the guards about a plan. An error refuses the write.
func (j judge) decide(ctx context.Context, all *tally) error {
	if all == nil {
		return nil
	}
	w := j.w
	w.guards.state = judged
	g := &w.t.Roles.Guards
	if g.Judge != nil && all.users > 0 && !all.leaves() {
		if err := j.ask(ctx, all); err != nil {
			return err
		}
	}
	if g.Breaker == nil || all.lost.size() == 0 {
		return nil
	}
	return breaker{w}.count(ctx, all)
}

// errPlanIsOver is the error of a plan that is read after the guard's answer.
var errPlanIsOver = errors.New("scim: a RolePlan can be read only until Roles.Guard returns")

// ask asks the application's guard.
func (j judge) ask(ctx context.Context, all *tally) error {
	w := j.w
	over := false
	defer func() { over = true }()
	s := w.guards.subject
	return w.t.Roles.Guards.Judge(ctx, &host.RolePlan{
		Cause: s.cause, Resource: s.ref, Source: s.source, Principal: w.who, Users: all.users, Roles: all.roles,
		Each: func(ctx context.Context, fn func(host.RoleChange) error) error {
			if over {
				return errPlanIsOver
			}
			if all.outs != nil {
				return eachChange(all.outs, fn)
			}
			return all.each(ctx, func(b *batch) error { return eachChange(b.outs, fn) })
		},
	})
}

// eachChange calls fn with the changes of users who get or lose a role.
func eachChange(outs []*outcome, fn func(host.RoleChange) error) error {
	for _, o := range outs {
		if len(o.change.Grant)+len(o.change.Revoke) == 0 {
			continue
		}
		if err := fn(o.change); err != nil {
			return err
		}
	}
	return nil
}

// judgeAhead judges the reconciliation after a write before the write, if no transaction
// surrounds both. The plan leaves out what groups give that the write puts into a group.
func (t *Turn) judgeAhead(ctx context.Context) error {
	w, after, c := t.w, t.write.After, t.link
	if !w.t.hasRoles() || !w.t.Roles.Guards.Judges() {
		return nil
	}
	r := run{cause: t.cause()}
	switch {
	case after.Type == w.t.Types.User:
		r.view.user = after
		if t.Always || t.write.Kind == Adopts || t.write.Before.Active() != after.Active() || t.values != nil && t.values.moves {
			r.ids = []string{after.ID}
		}
		if t.values != nil {
			r.writes.fresh, r.named = t.values.freshValues, map[string]bool{t.write.After.ID: true}
		}
		if len(r.ids) == 0 {
			return nil
		}
	case after.Type == w.t.Types.Group:
		m := t.write.Members
		r.view.from, r.view.left, r.view.joins = after.ID, map[host.Ref]bool{}, userIDs(m.Named)
		for _, ref := range m.Remove {
			r.view.left[ref] = true
		}
		r.namedIn, r.named = host.GroupSource(after.ID), map[string]bool{}
		for _, id := range r.view.joins {
			r.named[id] = true
		}
		r.ids = userIDs(slices.Concat(m.Named, m.Remove))
		if w.t.Tenant.Members.Nested {
			r.below = groupIDs(m.Remove)
		}
		if c != nil && c.movesRoles() {
			now := c.now
			now.Source = host.GroupSource(after.ID)
			r.group, r.view.link = after.ID, &now
		}
		if r.isEmpty() {
			return nil
		}
	default:
		return nil
	}
	return judge{w}.run(ctx, r)
}

// link judges a change of a source's link before it is stored. With transactions the
// reconciliation after it does.
func (j judge) link(ctx context.Context, r run, now host.Link) error {
	if j.w.t.isTransactional() {
		return nil
	}
	r.view.link = &now
	return j.run(ctx, r)
}
