package roles

import (
	"slices"
	"time"

	"github.com/scimkit/scim/internal/host"
)

// wait records a role that sources give but the user does not get yet.
func (o *outcome) wait(p *scoped, w want, es []host.Grant, state host.GrantState, reason string, now time.Time) {
	o.await(p, w, es, state, reason, now)
	o.dropOthers(p, w, es)
}

// await records that sources wait with a role. A grant that is shut keeps its state: it
// waits for more than this one does.
func (o *outcome) await(p *scoped, w want, es []host.Grant, state host.GrantState, reason string, now time.Time) {
	fresh, events := false, &o.events
	for i, s := range w.sources {
		next := host.Grant{UserID: p.id, Scope: w.role.Scope, RoleID: w.role.ID, Source: s, At: w.renew(i, now, state), State: state}
		j := slices.IndexFunc(es, func(g host.Grant) bool { return g.Source == s })
		switch {
		case j < 0:
			o.put = append(o.put, next)
			events, fresh = &o.early, true
		case es[j].IsHeld():
			next.At = w.renew(i, es[j].At, state)
			o.putAfter = append(o.putAfter, next)
			fresh = true
		case !isShut(es[j], w.role, w.named[i]):
			next.At = w.renew(i, es[j].At, state)
			if es[j].State != state || !es[j].At.Equal(next.At) {
				o.put = append(o.put, next)
			}
		}
	}
	if fresh {
		*events = append(*events, host.Event{Kind: host.RoleWaiting, Resource: userRef(p.id), Role: w.role, Sources: w.sources, Reason: reason})
	}
	o.explainWait(w, es, reason)
}

// explainWait explains a role with which sources wait. What the application declined waits
// for more than the reason says.
func (o *outcome) explainWait(w want, es []host.Grant, reason string) {
	isDeclined := func(s host.Source) bool {
		return slices.ContainsFunc(es, func(g host.Grant) bool { return g.Source == s && g.State == host.GrantDeclined })
	}
	if !slices.ContainsFunc(w.sources, func(s host.Source) bool { return !isDeclined(s) }) {
		reason = "the application declined the role for this user: until it confirms the user by name, or until the source no longer gives the user the role"
	}
	o.stand(w.role, host.Waiting, w.sources, reason)
}
