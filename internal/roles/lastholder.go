package roles

import (
	"context"
	"slices"
	"time"

	"github.com/scimkit/scim/internal/directory"
	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/host"
)

// reasonLast is why a role is retained.
const reasonLast = "the user is the last active holder of a protected role; it ends when another active user holds it"

// keepLastHolders changes the plan of a batch that would leave a protected role without an
// active holder. It retains the role for one user, the first in order of id. A user who is
// deactivated or deleted loses the role nevertheless.
//
// Decisions about holders are made one after the other. Their lock comes after those of
// users.
func (b *batch) keepLastHolders(ctx context.Context, people []*person, now time.Time) error {
	if b.w.t.Roles.Guards.Holders == nil {
		return nil
	}
	// In an exclusive scope, who keeps a role does not get another one. Then somebody else may
	// be the last holder of that one. So judge the changed plan again.
	for isChanged := true; isChanged; {
		losers := b.losers()
		if len(losers) == 0 {
			return nil
		}
		if !b.reads {
			if err := b.w.LockTenant(ctx, holderDecisions); err != nil {
				return err
			}
		}
		var err error
		if isChanged, err = b.keepOne(ctx, people, losers, now); err != nil {
			return err
		}
	}
	return nil
}

// keepOne retains the first role that would have no active holder and that somebody can
// keep. If there is none, it reports the roles that nobody holds afterwards.
func (b *batch) keepOne(ctx context.Context, people []*person, losers []loss, now time.Time) (isKept bool, err error) {
	gone, err := b.leavers(ctx, people, losers)
	if err != nil {
		return false, err
	}
	var unheld []loss
	for _, l := range losers {
		hasOther, err := b.hasOtherHolder(ctx, l)
		if err != nil {
			return false, err
		}
		if hasOther {
			continue
		}
		i := slices.IndexFunc(l.at, func(i int) bool { return !gone[people[i].id] })
		if i < 0 {
			unheld = append(unheld, l)
			continue
		}
		at := l.at[i]
		b.outs[at] = plan(b.w.t.Roles, people[at], now, append(b.outs[at].keep, l.role.Key())...)
		return true, nil
	}
	for _, l := range unheld {
		at := l.at[len(l.at)-1]
		b.outs[at].note(host.RoleUnheld, people[at], l.role, nil, "the last active holder left")
	}
	return false, nil
}

// loss is a protected role that users of a batch lose.
type loss struct {
	role host.Role
	at   []int // their places in the batch
}

// losers lists the protected roles that users of the batch lose.
func (b *batch) losers() []loss {
	var all []loss
	for i, o := range b.outs {
		for _, role := range o.change.Revoke {
			if !role.Protected {
				continue
			}
			j := slices.IndexFunc(all, func(l loss) bool { return l.role.Key() == role.Key() })
			if j < 0 {
				j = len(all)
				all = append(all, loss{role: role})
			}
			all[j].at = append(all[j].at, i)
		}
	}
	return all
}

// leavers returns those who lose a role and are deactivated, deleted or unknown. A person
// to whom no source gives anything is not read yet.
func (b *batch) leavers(ctx context.Context, people []*person, losers []loss) (map[string]bool, error) {
	gone := map[string]bool{}
	for _, l := range losers {
		for _, i := range l.at {
			gone[people[i].id] = people[i].presence != active
		}
	}
	var unread []string
	for _, l := range losers {
		for _, i := range l.at {
			if people[i].presence == inactive {
				unread = append(unread, people[i].id)
			}
		}
	}
	slices.Sort(unread)
	users, err := b.w.t.users(ctx, slices.Compact(unread), b.run)
	for id, u := range users {
		gone[id] = !u.Active()
	}
	return gone, err
}

// hasOtherHolder reports whether an active user holds a role and does not lose it in this
// batch. Users whom the store does not know are active: the application looks after them.
func (b *batch) hasOtherHolder(ctx context.Context, l loss) (bool, error) {
	if !b.run.ahead || b.swaps() {
		for _, o := range b.outs {
			if slices.ContainsFunc(o.change.Grant, func(r host.Role) bool { return r.Key() == l.role.Key() }) {
				return true, nil
			}
		}
	}
	loses := map[string]bool{}
	for _, i := range l.at {
		loses[b.outs[i].change.UserID] = true
	}
	for after := ""; ; {
		ids, err := b.w.t.Roles.Guards.Holders.RoleHolders(ctx, l.role, after, directory.Batch)
		if err != nil || len(ids) == 0 {
			return false, err
		}
		after = ids[len(ids)-1]
		ids = slices.DeleteFunc(ids, func(id string) bool { return loses[id] })
		isInactive := map[string]bool{}
		err = b.w.t.dir.ByID(ctx, b.w.t.Types.User, ids, func(u *doc.Document) { isInactive[u.ID] = !u.Active() })
		if err != nil {
			return false, err
		}
		if slices.ContainsFunc(ids, func(id string) bool { return !isInactive[id] }) {
			return true, nil
		}
	}
}

// keeps is the id of the role of one scope that the user keeps as its last holder, "" for none.
func (o *outcome) keeps(scope string) string {
	if i := slices.IndexFunc(o.keep, func(k host.RoleKey) bool { return k.Scope == scope }); i >= 0 {
		return o.keep[i].ID
	}
	return ""
}

// retain keeps a role that no source gives any more. Its grants stay SCIM's, so that a later
// plan can revoke it.
func (o *outcome) retain(p *scoped, role host.Role, es []host.Grant) {
	is := func(g host.Grant) bool { return g.Role() == role.Key() }
	o.drop = slices.DeleteFunc(o.drop, func(g host.Grant) bool { return is(g) && g.IsHeld() })
	wait := map[host.Source]time.Time{} // these still give the role, because of a decision of this time
	i := slices.IndexFunc(p.wants, func(w want) bool { return w.role.Key() == role.Key() })
	for _, g := range o.putAfter {
		// Of the sources that wait for trust these are the ones that could have gone on giving the role.
		goesOn := g.State == host.GrantWaitsForTrust && i >= 0 && slices.Contains(p.wants[i].sources, g.Source)
		if is(g) && (g.State == host.GrantWaitsForPlace || g.State == host.GrantPaused || goesOn) {
			wait[g.Source] = g.At
		}
	}
	o.putAfter = slices.DeleteFunc(o.putAfter, is)
	o.events = slices.DeleteFunc(o.events, func(e host.Event) bool { // the user need not wait for a role that stays
		return e.Kind == host.RoleWaiting && e.Role.Key() == role.Key()
	})
	var sources []host.Source
	isNew := false
	for _, g := range es {
		if !g.IsHeld() {
			continue
		}
		sources = append(sources, g.Source)
		state, at := host.GrantRetained, g.At
		if since, ok := wait[g.Source]; ok {
			state, at = host.GrantRetainedForPlace, since
		}
		if g.State != state || !g.At.Equal(at) {
			isNew = isNew || !g.IsRetained()
			g.State, g.At, g.Rank = state, at, 0
			o.put = append(o.put, g)
		}
		o.retained = append(o.retained, g)
	}
	if isNew {
		o.early = append(o.early, host.Event{Kind: host.RoleRetained, Resource: userRef(p.id), Role: role, Sources: sources, Reason: reasonLast})
	}
	o.stand(role, host.Retained, sources, reasonLast)
}

// noteGrants remembers the protected roles that somebody gets. Who keeps one of them as its
// last holder can lose it now.
func (g *guards) noteGrants(r *host.Roles, changes []host.RoleChange) {
	if r.Guards.Holders == nil {
		return
	}
	for _, c := range changes {
		for _, role := range c.Grant {
			if role.Protected && !slices.Contains(g.granted, role.Key()) {
				g.granted = append(g.granted, role.Key())
			}
		}
	}
}

// noteReturn is noteGrants for users who have become active: they count as holders again.
func (b *batch) noteReturn() {
	if b.run.cause != userReturns || b.w.t.Roles.Guards.Holders == nil {
		return
	}
	for _, o := range b.outs {
		for _, e := range o.explained {
			switch e.State {
			case host.ByHand, host.Both, host.Granted:
				if e.Role.Protected {
					b.w.guards.granted = append(b.w.guards.granted, e.Role.Key())
				}
			}
		}
	}
}

// noteHolder is noteGrants for a role that the application gives by hand.
func noteHolder(w *Work, role host.RoleKey) {
	if w.t.Roles.Guards.Holders != nil {
		w.guards.granted = append(w.guards.granted, role)
	}
}
