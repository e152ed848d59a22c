package roles

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/scimkit/scim/internal/host"
)

// person is everything that decides about one user's roles. people reads it under the
// user's lock.
type person struct {
	id       string
	presence presence
	wants    []want
	entries  []host.Grant
	held     []host.Role
	// unconfirmed are the roles that sources will give the user after a Confirm.
	unconfirmed []want
}

// presence is the state of a user's account as far as roles depend on it.
type presence int

const (
	inactive presence = iota // not active, missing, or not read because no source gives anything
	active                   // exists, is active, and stays
	deleted                  // is being deleted: the user also loses roles given by hand
)

// want is a role that sources give: attributes in order, then groups in order of
// membership.
type want struct {
	role    host.Role
	sources []host.Source
	via     []string // by source: the user's own group, if the source is a group above it
	named   []naming // by source
	doubts  []doubt  // by source; nil: the application distrusts none of them
	isFor   audience
	// declined says that the application declined to confirm that the source gives the role.
	declined bool
}

// through says for people through which groups sources above them give the role.
func (w *want) through(sources []host.Source) string {
	var ways []string
	for i, s := range w.sources {
		if group, _ := s.Group(); w.via[i] != "" && slices.Contains(sources, s) {
			ways = append(ways, fmt.Sprintf("group %q gives it through group %q", group, w.via[i]))
		}
	}
	return strings.Join(ways, ", ")
}

// naming says who has just named a user as a member.
type naming int

const (
	unnamed naming = iota
	byClient
	byApplication // by a confirmation
)

// outcome is what a plan changes for one user.
type outcome struct {
	change    host.RoleChange
	put       []host.Grant // recorded before the change, so that no grant is missing from the ledger
	putAfter  []host.Grant // recorded after the change, together with drop
	drop      []host.Grant
	retained  []host.Grant // the grants of a last holder, as they are afterwards
	early     []host.Event // events to send once put is recorded
	events    []host.Event
	explained []host.Explanation
	reordered bool // the application knows another order of the roles
	// keep are the protected roles that the user keeps as their last holder.
	keep []host.RoleKey
}

// holdings is what a user holds in one scope and what the ledger says about it, by role id.
type holdings struct {
	held    map[string]host.Role
	entries map[string][]host.Grant
}

// plan applies the rules: grant = desired − held; revoke = what the ledger says SCIM gave −
// desired. If a role is in neither, the application gave it, and plan does not touch it. If
// a source starts to give a role that the user already holds, plan marks the role as given
// by hand. The user then keeps it when the source stops giving it.
//
// Each scope is planned by itself. keep are roles that the user keeps as their last holder.
func plan(r *host.Roles, p *person, now time.Time, keep ...host.RoleKey) *outcome {
	o := &outcome{change: host.RoleChange{UserID: p.id}, keep: keep}
	if p.presence == deleted {
		o.revokeAll(r, p)
		return o
	}
	for _, in := range p.byScope() {
		o.planScope(r, in, now)
	}
	slices.SortFunc(o.change.Revoke, compareRoles)
	slices.SortFunc(o.drop, compareGrants)
	slices.SortStableFunc(o.explained, func(a, b host.Explanation) int { return compareRoles(a.Role, b.Role) })
	return o
}

// planScope plans one scope. p has nothing of other scopes.
func (o *outcome) planScope(r *host.Roles, p *scoped, now time.Time) {
	policy := r.PolicyOf(p.scope)
	if policy.Base != "" {
		p.held = slices.DeleteFunc(slices.Clone(p.held), func(r host.Role) bool { return r.ID == policy.Base })
	}
	h := p.holdings()
	if p.presence == active {
		o.holdBack(r, p, h, now)
	}
	done := o.giveWanted(policy, p, h, now)
	for _, id := range slices.Sorted(maps.Keys(h.entries)) {
		if !done[id] {
			o.endUnwanted(p, id, h.entries[id], h.held)
		}
	}
	o.explainRest(p)
}

const (
	isExempt = "the user is exempt: SCIM neither gives nor takes its roles"
	// heldByHand is true if a source waits with the role, too.
	heldByHand = "given in the application, and not held because of a source"
	isEnded    = "SCIM ends, and the user keeps the role as if it was given by hand"
)

// leave is the outcome for an exempt user, or at the end of SCIM: it changes no role.
func leave(p *person, reason string) *outcome {
	o := &outcome{change: host.RoleChange{UserID: p.id}}
	for _, role := range p.held {
		o.stand(role, host.ByHand, nil, reason)
	}
	return o
}

// revokeAll revokes all roles of a deleted account. Everybody has the base role.
func (o *outcome) revokeAll(r *host.Roles, p *person) {
	o.change.Revoke = only(p.held, func(h host.Role) bool { base := r.PolicyOf(h.Scope).Base; return base == "" || h.ID != base })
	o.drop = p.entries
	for _, role := range o.change.Revoke {
		var sources []host.Source
		for _, g := range p.entries {
			if g.Role() == role.Key() && g.IsHeld() {
				sources = append(sources, g.Source)
			}
		}
		o.note(host.RoleRevoked, p, role, sources, "the account was deleted")
	}
}

// giveWanted handles the roles that sources give. It returns the ids of these roles.
func (o *outcome) giveWanted(policy host.RolePolicy, p *scoped, h holdings, now time.Time) (done map[string]bool) {
	slot, why := o.slot(policy, p, h)
	done = map[string]bool{}
	chosen := p.wants
	if p.presence == active {
		chosen = o.keepDecided(policy, p, h, pick(policy, p.wants, h), now)
	}
	var order ordering
	for _, w := range chosen {
		done[w.role.ID] = true
		es := h.entries[w.role.ID]
		switch {
		case w.role.ID == policy.Base:
			delete(done, w.role.ID)
		case p.presence != active:
			o.shelve(p, w, es, h.held, now)
		case slot != "" && slot != w.role.ID:
			o.wait(p, w, es, host.GrantWaitsForPlace, "waiting: the user holds "+h.held[slot].Name+why+", and the application allows one role per user", now)
			o.release(p, w.role, es, h.held)
		default:
			o.give(p, w, es, h.held, now, &order)
		}
	}
	o.rank(p, order)
	o.keepNewer(policy, p, h, done, now)
	return done
}

// slot finds the role that takes the only place of an exclusive scope, "" if none does.
func (o *outcome) slot(policy host.RolePolicy, p *scoped, h holdings) (id, why string) {
	if !policy.Exclusive {
		return "", ""
	}
	if id = roleByHand(p.held, h.entries); id != "" {
		return id, " by hand"
	}
	return o.keeps(p.scope), " as its last active holder"
}

// endUnwanted handles a role that the ledger knows and that no source gives. It keeps the
// grants of a protected role that wait for a confirmation.
func (o *outcome) endUnwanted(p *scoped, id string, es []host.Grant, held map[string]host.Role) {
	role, ok := held[id]
	if !ok {
		role = host.Role{ID: id, Scope: p.scope}
	}
	i := slices.IndexFunc(p.wants, func(w want) bool { return w.role.ID == id && w.role.Protected })
	for _, g := range es {
		if slices.Contains(p.rest.back[id].sources, g.Source) {
			continue
		}
		if i >= 0 && !g.IsHeld() {
			if j := slices.Index(p.wants[i].sources, g.Source); j >= 0 && isShut(g, p.wants[i].role, p.wants[i].named[j]) {
				continue
			}
		}
		o.drop = append(o.drop, g)
	}
	if back, ok := p.rest.back[id]; ok {
		o.end(p, role, es, held, back.reason)
		return
	}
	o.release(p, role, es, held)
}

// explainRest explains the roles that no rule has handled.
func (o *outcome) explainRest(p *scoped) {
	for _, h := range p.held {
		isExplained := slices.ContainsFunc(o.explained, func(s host.Explanation) bool {
			return s.Role.Key() == h.Key() && s.State != host.Waiting
		})
		if !isExplained {
			o.stand(h, host.ByHand, nil, heldByHand)
		}
	}
	for _, w := range p.unconfirmed {
		reason := "the role is protected, and the application has not confirmed that this source gives it"
		if w.declined {
			reason = "the role is protected, and the application has declined that this source gives it"
		}
		o.stand(w.role, host.Waiting, w.sources, reason)
	}
}

// compareGrants compares grants of one user by role and source.
func compareGrants(a, b host.Grant) int {
	return cmp.Or(cmp.Compare(a.Scope, b.Scope), cmp.Compare(a.RoleID, b.RoleID), cmp.Compare(a.Source, b.Source))
}

// compareRoles compares roles by their identity.
func compareRoles(a, b host.Role) int {
	return cmp.Or(strings.Compare(a.Scope, b.Scope), strings.Compare(a.ID, b.ID))
}

// isShut reports whether a grant that waits goes on waiting, although its source gives the
// role. Only somebody who names the user opens it.
func isShut(g host.Grant, role host.Role, n naming) bool {
	switch g.State {
	case host.GrantDeclined:
		return n != byApplication
	case host.GrantWaitsForReturn:
		return role.Protected && n == unnamed
	}
	return false
}

// roleByHand finds the role of an application that allows one role per user: one that the
// user holds and that SCIM did not give.
func roleByHand(held []host.Role, entries map[string][]host.Grant) string {
	for _, h := range held {
		own := true
		for _, g := range entries[h.ID] {
			own = own && (g.ByHand || !g.IsHeld())
		}
		if own {
			return h.ID
		}
	}
	return ""
}

// pick lets the application choose among the wanted roles. A role that goes on waiting is no
// candidate: it gives nothing, so it must not displace another one. Such roles come last.
func pick(policy host.RolePolicy, wants []want, h holdings) []want {
	choose := policy.Pick
	if choose == nil {
		return wants
	}
	var open, shut []want
	var all []host.Candidate
	for _, w := range wants {
		if w.isShut(h.entries[w.role.ID]) {
			shut = append(shut, w)
			continue
		}
		_, has := h.held[w.role.ID]
		open = append(open, w)
		all = append(all, host.Candidate{Role: w.role, Held: has})
	}
	var out []want
	for _, chosen := range choose(all) {
		same := func(w want) bool { return w.role.ID == chosen.ID }
		if i := slices.IndexFunc(open, same); i >= 0 && !slices.ContainsFunc(out, same) {
			out = append(out, open[i])
		}
	}
	return append(out, shut...)
}

// isShut reports whether all sources of a wanted role have grants that go on waiting.
func (w want) isShut(es []host.Grant) bool {
	for i, s := range w.sources {
		j := slices.IndexFunc(es, func(g host.Grant) bool { return g.Source == s })
		if j < 0 || !isShut(es[j], w.role, w.named[i]) {
			return false
		}
	}
	return true
}

// give makes sure that the user holds a wanted role and that the ledger has its sources.
func (o *outcome) give(p *scoped, w want, es []host.Grant, held map[string]host.Role, now time.Time, order *ordering) {
	_, has := held[w.role.ID]
	live, hand, told := false, false, 0
	bySource := map[host.Source]host.Grant{}
	for _, g := range es {
		bySource[g.Source] = g
		if g.IsHeld() {
			live, hand, told = true, hand || g.ByHand, max(told, g.Rank)
		}
	}
	open, shut := w.divide(func(i int) bool {
		g, ok := bySource[w.sources[i]]
		return !ok || !isShut(g, w.role, w.named[i])
	})
	giving := open.sources
	if len(giving) == 0 {
		o.dropOthers(p, w, es)
		o.release(p, w.role, es, held)
		o.explainWait(shut, es, "waits for the client to name the user as a member again, or for the application to confirm")
		return
	}
	if !live {
		hand = has
	}
	if !has {
		// The role is new, or the application revoked it: the user no longer holds it by
		// hand.
		hand = false
		o.change.Grant = append(o.change.Grant, w.role)
		o.note(host.RoleGranted, p.person, w.role, giving, w.through(giving))
	}
	place := placed{role: w.role, told: told}
	switch {
	case !has:
		place.news = newRole
	case !live:
		place.news = newByHand
	}
	for i, s := range giving {
		g, ok := bySource[s]
		next := host.Grant{UserID: p.id, Scope: w.role.Scope, RoleID: w.role.ID, Source: s, At: p.since(s, now), ByHand: hand}
		if ok {
			next.At, next.Rank = g.At, g.Rank
		}
		isGiven := ok && g.State == host.GrantGiven
		if open.named[i] == byApplication && (!ok || isRenewed(g, byApplication)) {
			next.At = now // the time of the decision: see isConfirmed
		}
		next.At = open.renew(i, next.At, next.State)
		if !isGiven || g.ByHand != hand || !g.At.Equal(next.At) {
			o.put = append(o.put, next)
		} else {
			place.kept = append(place.kept, next)
		}
	}
	*order = append(*order, place)
	o.dropOthers(p, w, es)
	o.change.Roles = append(o.change.Roles, w.role)
	o.explainGiven(w, giving, has, hand)
}

// explainGiven explains a role that sources give.
func (o *outcome) explainGiven(w want, giving []host.Source, has, hand bool) {
	through := w.through(giving)
	if through != "" {
		through = "; " + through
	}
	switch {
	case !has:
		o.stand(w.role, host.Due, giving, "given by a source; not held yet"+through)
	case hand:
		o.stand(w.role, host.Both, giving, "given in the application, and by a source too: it stays when the source stops giving it"+through)
	default:
		o.stand(w.role, host.Granted, giving, "given by a source"+through)
	}
}

// isRenewed reports whether a grant gets the time of the decision that gives the role: see
// isConfirmed.
func isRenewed(g host.Grant, n naming) bool { return n == byApplication && g.State != host.GrantGiven }

// since is when a source began to give the user anything; now if it begins now. A source that
// stands for another role keeps its place among the sources of the user.
func (p *scoped) since(source host.Source, now time.Time) time.Time {
	for _, g := range p.person.entries {
		if g.Source == source && g.At.Before(now) {
			now = g.At
		}
	}
	return now
}

// dropOthers drops the grants of sources that no longer give the role.
func (o *outcome) dropOthers(p *scoped, w want, es []host.Grant) {
	for _, g := range es {
		if !slices.Contains(w.sources, g.Source) && !slices.Contains(p.rest.back[w.role.ID].sources, g.Source) {
			o.drop = append(o.drop, g)
		}
	}
}

// release revokes a role that no source gives any more. A role that the user also holds by
// hand stays.
func (o *outcome) release(p *scoped, role host.Role, es []host.Grant, held map[string]host.Role) {
	o.end(p, role, es, held, "no source gives it any more")
}

// end is release for another reason.
func (o *outcome) end(p *scoped, role host.Role, es []host.Grant, held map[string]host.Role, reason string) {
	live, hand := false, false
	var sources []host.Source
	for _, g := range es {
		if g.IsHeld() {
			live, hand = true, hand || g.ByHand
			sources = append(sources, g.Source)
		}
	}
	h, has := held[role.ID]
	if !live || !has {
		return
	}
	if hand {
		o.note(host.RoleRetained, p.person, h, sources, "the application has given the role by hand too")
		o.stand(h, host.ByHand, nil, heldByHand)
		return
	}
	if slices.Contains(o.keep, role.Key()) {
		o.retain(p, h, es)
		return
	}
	o.change.Revoke = append(o.change.Revoke, h)
	o.note(host.RoleRevoked, p.person, h, sources, reason)
	o.stand(h, host.Leaving, nil, reason)
}

// shelve handles a role that sources give to an inactive user. It revokes the role. It
// records a protected role as waiting, so that reactivation alone does not give it back.
func (o *outcome) shelve(p *scoped, w want, es []host.Grant, held map[string]host.Role, now time.Time) {
	if !w.role.Protected && w.isFor != thisUser {
		o.drop = append(o.drop, es...)
		o.end(p, w.role, es, held, "the user is not active")
		return
	}
	o.wait(p, w, es, host.GrantWaitsForReturn, "waiting: the user is not active", now)
	o.end(p, w.role, es, held, "the user is not active")
}

func (o *outcome) note(k host.EventKind, p *person, role host.Role, sources []host.Source, reason string) {
	o.events = append(o.events, host.Event{Kind: k, Resource: userRef(p.id), Role: role, Sources: sources, Reason: reason})
}

func (o *outcome) stand(role host.Role, s host.State, sources []host.Source, reason string) {
	o.explained = append(o.explained, host.Explanation{Role: role, State: s, Sources: sources, Reason: reason})
}

// isOpen reports whether anything is left to do once the ledger has the intentions.
func (o *outcome) isOpen() bool { return o.changes() || len(o.putAfter)+len(o.drop) > 0 }

// changes reports whether the application has to grant or revoke anything, or has to put
// the user's roles into another order.
func (o *outcome) changes() bool { return len(o.change.Grant)+len(o.change.Revoke) > 0 || o.reordered }
