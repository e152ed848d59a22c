package roles

import (
	"slices"
	"time"

	"github.com/scimkit/scim/internal/host"
)

// doubt says that the application distrusts a source since a point in time. The zero doubt
// says that it does not.
type doubt struct {
	at  time.Time
	how DistrustHow
	// isSettled says that a client has named the user since then.
	isSettled bool
}

// DistrustHow says what becomes of what a distrusted source gave before.
type DistrustHow string

const (
	DistrustKeep   DistrustHow = "keep"
	DistrustRevoke DistrustHow = "revoke"
)

// heldBack are the sources of one role that give it, but not now.
type heldBack struct {
	sources []host.Source
	reason  string
}

const (
	isPaused     = "the application has paused the giving of roles"
	isDistrusted = "the application distrusts the source until a client names the user again, or the application trusts the source"
)

// holdBack takes from the wanted roles those sources that must not give now, and records
// that they wait. Pick sees only roles that can be given. Everybody has the base role: no grant
// records it, and neither a pause nor distrust holds it back.
func (o *outcome) holdBack(r *host.Roles, p *scoped, h holdings, now time.Time) {
	isDoubted := func(w want) bool { return w.doubts != nil }
	if !r.Paused && !slices.ContainsFunc(p.wants, isDoubted) {
		return
	}
	var wants, trusted []want
	policy := r.PolicyOf(p.scope)
	base := policy.Base
	slot, _ := o.slot(policy, p, h)
	for _, w := range p.wants {
		if w.role.ID == base {
			wants, trusted = append(wants, w), append(trusted, w)
			continue
		}
		open, doubted := w.divide(func(i int) bool { return !p.isDoubted(&w, i, h, slot) })
		o.hold(p, doubted, h, host.GrantWaitsForTrust, isDistrusted, now)
		if len(open.sources) == 0 {
			continue
		}
		trusted = append(trusted, open)
		if r.Paused && !h.isGiven(w.role.ID) {
			o.hold(p, open, h, host.GrantPaused, isPaused, now)
			continue
		}
		wants = append(wants, open)
	}
	if r.Paused {
		p.rest.unpaused = trusted
	}
	p.wants = wants
}

// keepDecided adds to the roles that Pick chooses in a pause those that it would choose without
// the pause: a role that waits can decide that the user gets another one. The rest waits too.
func (o *outcome) keepDecided(policy host.RolePolicy, p *scoped, h holdings, chosen []want, now time.Time) []want {
	if p.rest.unpaused == nil || policy.Pick == nil {
		return chosen
	}
	of := func(list []want, id string) int {
		return slices.IndexFunc(list, func(w want) bool { return w.role.ID == id })
	}
	var all []want
	for _, w := range slices.Concat(pick(policy, p.rest.unpaused, h), chosen) {
		if i := of(p.wants, w.role.ID); i >= 0 && of(all, w.role.ID) < 0 {
			all = append(all, p.wants[i])
		}
	}
	for _, w := range p.wants {
		if of(all, w.role.ID) < 0 && w.role.ID != policy.Base {
			o.hold(p, w, h, host.GrantPaused, isPaused, now)
		}
	}
	return all
}

// isGiven reports whether the user holds a role because of a source.
func (h holdings) isGiven(role string) bool {
	_, has := h.held[role]
	return has && slices.ContainsFunc(h.entries[role], host.Grant.IsHeld)
}

// isDoubted reports whether the application distrusts that a source gives a role to the
// user. A client that has named the user in the source since then, has settled the doubt. Such
// a source gets new grants: see want.renew.
func (p *scoped) isDoubted(w *want, i int, h holdings, slot string) bool {
	d, source := w.doubt(i), w.sources[i]
	isSettled := func(g host.Grant) bool {
		return g.Source == source && g.State != host.GrantWaitsForTrust && g.State != host.GrantWaitsForReturn && !g.At.Before(d.at)
	}
	isKept := func(g host.Grant) bool { return g.Source == source && g.IsHeld() }
	switch {
	case d.at.IsZero():
		return false
	case p.isNamed(source) || slices.ContainsFunc(p.person.entries, isSettled):
		w.doubts[i].isSettled = true
		return false
	}
	if slot != "" && slot != w.role.ID { // a role that has no place is not kept
		return true
	}
	return d.how == DistrustRevoke || !h.isGiven(w.role.ID) || !slices.ContainsFunc(h.entries[w.role.ID], isKept)
}

// isNamed reports whether somebody has just named the user in a source, for whichever role.
func (p *person) isNamed(source host.Source) bool {
	return slices.ContainsFunc(p.wants, func(w want) bool {
		i := slices.Index(w.sources, source)
		return i >= 0 && w.named[i] != unnamed
	})
}

// hold records that sources wait with a role.
func (o *outcome) hold(p *scoped, w want, h holdings, state host.GrantState, reason string, now time.Time) {
	if len(w.sources) == 0 {
		return
	}
	if p.rest.back == nil {
		p.rest.back = map[string]heldBack{}
	}
	p.rest.back[w.role.ID] = heldBack{append(p.rest.back[w.role.ID].sources, w.sources...), reason}
	o.await(p, w, h.entries[w.role.ID], state, reason, now)
}

// divide returns a want with the sources for which is returns true, and one with the others.
func (w want) divide(is func(i int) bool) (yes, no want) {
	yes, no = want{role: w.role, isFor: w.isFor}, want{role: w.role, isFor: w.isFor}
	for i := range w.sources {
		to := &no
		if is(i) {
			to = &yes
		}
		to.sources, to.via, to.named = append(to.sources, w.sources[i]), append(to.via, w.via[i]), append(to.named, w.named[i])
		if w.doubts != nil {
			to.doubts = append(to.doubts, w.doubts[i])
		}
	}
	return yes, no
}

// doubt is the doubt about a source.
func (w *want) doubt(i int) doubt {
	if w.doubts == nil {
		return doubt{}
	}
	return w.doubts[i]
}

// renew returns the time of a grant that gets a state. It is at, unless the source is
// distrusted. Then a grant is from before the doubt if it waits for trust, and from after it
// if a client has named the user.
func (w *want) renew(i int, at time.Time, state host.GrantState) time.Time {
	d := w.doubt(i)
	isOld := at.Before(d.at)
	switch {
	case d.isSettled && isOld:
		return d.at
	case state == host.GrantWaitsForTrust && !isOld:
		return d.at.Add(-time.Microsecond)
	}
	return at
}
