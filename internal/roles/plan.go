package roles

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/scimkit/scim/internal/host"
)

// person is all that decides about one user's roles, read under the user's lock.
type person struct {
	id       string
	presence presence
	wants    []want
	entries  []host.Grant
	held     []host.Role
	// unconfirmed are roles that await Confirm, for all whom their sources would give them.
	unconfirmed []want
}

// presence is what a user's account means for roles.
type presence int

const (
	inactive presence = iota // or gone, or of no interest because nothing gives anything
	active                   // exists, is active, and is not about to go
	deleted                  // the account ends: roles given by hand go too
)

// want is a role that sources give: attributes, in order, and groups, in order of
// membership.
type want struct {
	role    host.Role
	sources []host.Source
	named   []bool // by source: the client has just named the user as a member again
}

// outcome is what is to be done about one user's roles.
type outcome struct {
	change    host.RoleChange
	put       []host.Grant // before the change: the ledger leads a grant
	putAfter  []host.Grant // after it, with drop: the ledger trails a revocation
	drop      []host.Grant
	early     []host.Event // events to send once put is recorded
	events    []host.Event
	explained []host.Explanation
}

// holdings is what a user holds, and what the ledger says of it, by the role's id.
type holdings struct {
	held    map[string]host.Role
	entries map[string][]host.Grant
}

func (p *person) holdings() holdings {
	h := holdings{map[string]host.Role{}, map[string][]host.Grant{}}
	for _, r := range p.held {
		h.held[r.ID] = r
	}
	for _, g := range p.entries {
		h.entries[g.RoleID] = append(h.entries[g.RoleID], g)
	}
	return h
}

// plan applies the rules: grant = desired − held; revoke = what the ledger says SCIM
// gave − desired. A role in neither is the application's own and is not touched. A role
// that was held when a source came to give it too is marked by hand, and stays when the
// source lets go.
func plan(r *host.Roles, p *person, now time.Time) *outcome {
	o := &outcome{change: host.RoleChange{UserID: p.id}}
	h := p.holdings()
	if p.presence == deleted {
		o.revokeAll(p, h)
		return o
	}
	done := o.giveWanted(r, p, h, now)
	for id, es := range h.entries {
		if !done[id] {
			o.endUnwanted(p, id, es, h.held)
		}
	}
	o.explainRest(p)
	slices.SortFunc(o.change.Revoke, func(a, b host.Role) int { return strings.Compare(a.ID, b.ID) })
	slices.SortFunc(o.drop, compareGrants)
	slices.SortStableFunc(o.explained, func(a, b host.Explanation) int { return strings.Compare(a.Role.ID, b.Role.ID) })
	return o
}

// revokeAll ends all roles of an account that is deleted.
func (o *outcome) revokeAll(p *person, h holdings) {
	o.change.Revoke = slices.Clone(p.held)
	o.drop = p.entries
	for _, role := range p.held {
		var sources []host.Source
		for _, g := range h.entries[role.ID] {
			if !g.Waiting {
				sources = append(sources, g.Source)
			}
		}
		o.note(host.RoleRevoked, p, role, sources, "the account was deleted")
	}
}

// giveWanted deals with the roles that sources give. It returns which roles these are.
func (o *outcome) giveWanted(r *host.Roles, p *person, h holdings, now time.Time) (done map[string]bool) {
	slot := ""
	if r.Exclusive {
		slot = handGiven(p.held, h.entries)
	}
	done = map[string]bool{}
	chosen := p.wants
	if p.presence == active {
		chosen = picked(r, p, h.held)
	}
	for _, w := range chosen {
		done[w.role.ID] = true
		es := h.entries[w.role.ID]
		switch {
		case p.presence != active:
			o.shelve(p, w, es, h.held, now)
		case slot != "" && slot != w.role.ID:
			o.wait(p, w, es, "waiting: "+h.held[slot].Name+" is hand-given and the application keeps one role", now)
			o.release(p, w.role, es, h.held)
		default:
			o.give(p, w, es, h.held, now)
		}
	}
	return done
}

// endUnwanted deals with a role that the ledger knows and that no source gives. Entries
// of a protected role that wait for their source stay.
func (o *outcome) endUnwanted(p *person, id string, es []host.Grant, held map[string]host.Role) {
	role, ok := held[id]
	if !ok {
		role = host.Role{ID: id}
	}
	i := slices.IndexFunc(p.wants, func(w want) bool { return w.role.ID == id && w.role.Protected })
	for _, g := range es {
		if i >= 0 && g.Waiting {
			if j := slices.Index(p.wants[i].sources, g.Source); j >= 0 && !p.wants[i].named[j] {
				continue
			}
		}
		o.drop = append(o.drop, g)
	}
	o.release(p, role, es, held)
}

// explainRest explains roles that no rule has dealt with.
func (o *outcome) explainRest(p *person) {
	for _, h := range p.held {
		isExplained := slices.ContainsFunc(o.explained, func(s host.Explanation) bool {
			return s.Role.ID == h.ID && s.State != host.Waiting
		})
		if !isExplained {
			o.stand(h, host.ByHand, nil, "given in the application; the directory does not give it")
		}
	}
	for _, w := range p.unconfirmed {
		o.stand(w.role, host.Waiting, w.sources, "the role is protected, and the application has not confirmed that this source gives it")
	}
}

// compareGrants compares grants of one user by role and source.
func compareGrants(a, b host.Grant) int {
	return cmp.Or(cmp.Compare(a.RoleID, b.RoleID), cmp.Compare(a.Source, b.Source))
}

// handGiven finds the role that occupies the one place of an application with one
// role per user: one that is held and that SCIM did not give.
func handGiven(held []host.Role, entries map[string][]host.Grant) string {
	for _, h := range held {
		own := true
		for _, g := range entries[h.ID] {
			own = own && (g.ByHand || g.Waiting)
		}
		if own {
			return h.ID
		}
	}
	return ""
}

// picked lets the application choose among the wanted roles.
func picked(r *host.Roles, p *person, held map[string]host.Role) []want {
	pick := r.Pick
	if pick == nil {
		return p.wants
	}
	all := make([]host.Candidate, len(p.wants))
	for i, w := range p.wants {
		_, has := held[w.role.ID]
		all[i] = host.Candidate{Role: w.role, Held: has}
	}
	var out []want
	for _, chosen := range pick(all) {
		i := slices.IndexFunc(p.wants, func(w want) bool { return w.role.ID == chosen.ID })
		if i >= 0 {
			out = append(out, p.wants[i])
		}
	}
	return out
}

// give makes sure that the user holds a wanted role and that the ledger says why.
func (o *outcome) give(p *person, w want, es []host.Grant, held map[string]host.Role, now time.Time) {
	_, has := held[w.role.ID]
	live, hand := false, false
	bySource := map[host.Source]host.Grant{}
	for _, g := range es {
		bySource[g.Source] = g
		if !g.Waiting {
			live, hand = true, hand || g.ByHand
		}
	}
	var giving, waiting []host.Source
	for i, s := range w.sources {
		if g, ok := bySource[s]; ok && g.Waiting && w.role.Protected && !w.named[i] {
			waiting = append(waiting, s)
			continue
		}
		giving = append(giving, s)
	}
	if len(giving) == 0 {
		o.dropOthers(w, es)
		o.release(p, w.role, es, held)
		o.stand(w.role, host.Waiting, waiting, "waits for the client to name the user as a member again, or for the application to confirm")
		return
	}
	if !live {
		hand = has
	}
	if !has {
		// Either new, or taken away outside: the hand-given share has ended.
		hand = false
		o.change.Grant = append(o.change.Grant, w.role)
		o.note(host.RoleGranted, p, w.role, giving, "")
	}
	for _, s := range giving {
		g, ok := bySource[s]
		next := host.Grant{UserID: p.id, RoleID: w.role.ID, Source: s, At: now, ByHand: hand}
		if ok {
			next.At = g.At
		}
		if !ok || g.ByHand != hand || g.Waiting {
			o.put = append(o.put, next)
		}
	}
	o.dropOthers(w, es)
	o.change.Roles = append(o.change.Roles, w.role)
	switch {
	case !has:
		o.stand(w.role, host.Due, giving, "given by the directory; not held yet")
	case hand:
		o.stand(w.role, host.Both, giving, "given in the application before, and by the directory: it stays when that lets go")
	default:
		o.stand(w.role, host.Granted, giving, "given by the directory")
	}
}

// dropOthers drops the entries of sources that no longer give the role.
func (o *outcome) dropOthers(w want, es []host.Grant) {
	for _, g := range es {
		if !slices.Contains(w.sources, g.Source) {
			o.drop = append(o.drop, g)
		}
	}
}

// release revokes a role that the ledger says SCIM gave, unless it was held by hand.
func (o *outcome) release(p *person, role host.Role, es []host.Grant, held map[string]host.Role) {
	o.end(p, role, es, held, "the directory does not give it any more")
}

// end is release for any reason.
func (o *outcome) end(p *person, role host.Role, es []host.Grant, held map[string]host.Role, reason string) {
	live, hand := false, false
	var sources []host.Source
	for _, g := range es {
		if !g.Waiting {
			live, hand = true, hand || g.ByHand
			sources = append(sources, g.Source)
		}
	}
	h, has := held[role.ID]
	if !live || !has {
		return
	}
	if hand {
		o.note(host.RoleRetained, p, h, sources, "it was given in the application before the directory gave it")
		o.stand(h, host.ByHand, nil, "given in the application; the directory does not give it any more")
		return
	}
	o.change.Revoke = append(o.change.Revoke, h)
	o.note(host.RoleRevoked, p, h, sources, reason)
	o.stand(h, host.Leaving, nil, reason)
}

// shelve deals with a role that sources would give to somebody who is not active:
// nothing is held, but a protected role is noted, so that it does not come back by
// itself with the person.
func (o *outcome) shelve(p *person, w want, es []host.Grant, held map[string]host.Role, now time.Time) {
	if !w.role.Protected {
		o.drop = append(o.drop, es...)
		o.end(p, w.role, es, held, "the user is not active")
		return
	}
	o.wait(p, w, es, "waiting: the user is not active", now)
	o.end(p, w.role, es, held, "the user is not active")
}

// wait notes a role that is wanted but not given.
func (o *outcome) wait(p *person, w want, es []host.Grant, reason string, now time.Time) {
	fresh, events := false, &o.events
	for _, s := range w.sources {
		i := slices.IndexFunc(es, func(g host.Grant) bool { return g.Source == s })
		if i >= 0 && es[i].Waiting {
			continue
		}
		fresh = true
		next := host.Grant{UserID: p.id, RoleID: w.role.ID, Source: s, At: now, Waiting: true}
		if i >= 0 {
			o.putAfter = append(o.putAfter, next)
		} else {
			o.put = append(o.put, next)
			events = &o.early
		}
	}
	o.dropOthers(w, es)
	if fresh {
		*events = append(*events, host.Event{Kind: host.RoleWaiting, Resource: userRef(p.id), Role: w.role, Sources: w.sources, Reason: reason})
	}
	o.stand(w.role, host.Waiting, w.sources, reason)
}

func (o *outcome) note(k host.EventKind, p *person, role host.Role, sources []host.Source, reason string) {
	o.events = append(o.events, host.Event{Kind: k, Resource: userRef(p.id), Role: role, Sources: sources, Reason: reason})
}

func (o *outcome) stand(role host.Role, s host.State, sources []host.Source, reason string) {
	o.explained = append(o.explained, host.Explanation{Role: role, State: s, Sources: sources, Reason: reason})
}

// changes reports whether the application has anything to do.
func (o *outcome) changes() bool { return len(o.change.Grant)+len(o.change.Revoke) > 0 }
