package roles

import (
	"slices"
	"time"

	"github.com/scimkit/scim/internal/host"
)

// A value of an attribute may come to stand for another role, because a role is renamed and
// another one takes its name. Users who have the value keep the former role. Only users who
// get the value afterwards get the newer one. The ledger says who they are.

// audience says for whom a role of a source is.
type audience int

const (
	everybody audience = iota
	thisUser           // and not for all who have the value. The ledger must know it, also if the user does not get the role
)

// keepNewer keeps, of the roles that only some users of a value have, what the value still
// stands for. If it stands for nothing else, they are for all its users.
func (c *linkChange) keepNewer() {
	isNewer := func(r host.LinkedRole) bool {
		was := c.was.Find(r.Role.Key())
		return was != nil && was.Newer
	}
	if !slices.ContainsFunc(c.now.Roles, func(r host.LinkedRole) bool { return !isNewer(r) }) {
		return
	}
	for i := range c.now.Roles {
		c.now.Roles[i].Newer = isNewer(c.now.Roles[i])
	}
}

// keepOthers makes a change that one user of a value has caused concern only this user. The
// others keep the roles of the value as they are.
func (c *linkChange) keepOthers() {
	found := c.now.Roles
	c.now = c.was
	c.now.Roles = slices.Clone(c.was.Roles)
	for _, r := range found {
		if c.was.Find(r.Role.Key()) == nil {
			r.Newer = true
			c.now.Roles = append(c.now.Roles, r)
		}
	}
	slices.SortFunc(c.now.Roles, func(a, b host.LinkedRole) int { return compareRoles(a.Role, b.Role) })
}

// isFor reports whether a role of a value is for this user. Newer roles are for those for whom
// the resolver has named them, and the other roles for everybody else. The ledger says who
// they are.
func (p *person) isFor(l host.Link, linked host.LinkedRole, source host.Source, r *run) bool {
	if found, ok := r.found(l.Source, p.id); ok {
		return slices.Contains(found, linked.Role.Key())
	}
	has := func(k host.RoleKey) bool {
		return slices.ContainsFunc(p.entries, func(g host.Grant) bool { return (g.Source == source || g.Source == l.Source) && g.Role() == k })
	}
	if slices.ContainsFunc(l.Roles, func(r host.LinkedRole) bool { return r.Newer && has(r.Role.Key()) }) {
		return has(linked.Role.Key())
	}
	return !linked.Newer
}

// keepNewer records what is decided about this user alone, if Pick leaves the role out. A later
// reconciliation must know that a newer role of a value is for the user, that the application
// confirmed the role for the user, or that a client named the user since a distrust. A role that a
// distrusted source gave before waits for trust as soon as the user does not hold it.
func (o *outcome) keepNewer(policy host.RolePolicy, p *scoped, h holdings, done map[string]bool, now time.Time) {
	for _, w := range p.wants {
		if done[w.role.ID] || w.role.ID == policy.Base || slices.Contains(p.rest.back[w.role.ID].sources, w.sources[0]) {
			continue
		}
		kept, w := w.divide(func(i int) bool { d := w.doubt(i); return !d.at.IsZero() && !d.isSettled })
		o.hold(p, kept, h, host.GrantWaitsForTrust, isDistrusted, now)
		isDecided := w.isFor == thisUser || slices.ContainsFunc(w.doubts, func(d doubt) bool { return d.isSettled })
		if isDecided && len(w.sources) > 0 {
			done[w.role.ID] = true
			o.wait(p, w, h.entries[w.role.ID], host.GrantWaitsForPlace, "waiting: the application picks other roles", now)
			o.release(p, w.role, h.entries[w.role.ID], h.held)
		}
	}
	for _, w := range p.unconfirmed {
		es := h.entries[w.role.ID]
		if w.isFor != thisUser || done[w.role.ID] {
			continue
		}
		done[w.role.ID] = true
		if len(es) == 0 {
			o.put = append(o.put, host.Grant{UserID: p.id, Scope: w.role.Scope, RoleID: w.role.ID, Source: w.sources[0], At: now, State: host.GrantWaitsForReturn})
		}
		o.dropOthers(p, w, es)
		o.release(p, w.role, es, h.held)
	}
}
