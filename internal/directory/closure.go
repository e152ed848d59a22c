package directory

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/scimkit/scim/internal/host"
)

// Path says how a member belongs to a group: itself, or through groups in the group.
type Path struct {
	// Membership names the group and the member. Since is the time at which the last of the
	// memberships between them began.
	host.Membership
	// Distance is how many groups are between the member and the group.
	Distance int
	// Via is the group of which the member is a member itself: GroupID if Distance is 0.
	Via string
}

// Closure is the groups to which some members belong, themselves or through groups in groups.
// It has no list of all members and groups, because that can be a million times longer than
// the memberships that are stored.
type Closure struct {
	direct map[host.Ref][]host.Membership
	names  map[string]string // the display names of groups, as far as memberships say them
	up     *ascent           // nil: groups in groups do not count
	paths  []Path            // the last result of Paths
	places []int32           // by group, the place in paths; -1: none
	// reached are the groups that Reaches has found above the group from.
	reached map[string]bool
	from    string
}

// Closure reads the groups to which members belong. keeps, if it is not nil, says which
// memberships count. more are memberships of these members that are about to be stored.
func (t Directory) Closure(ctx context.Context, members []host.Ref, keeps func(host.Membership) bool, more ...host.Membership) (*Closure, error) {
	direct, err := t.GroupsOf(ctx, members)
	if err != nil {
		return nil, err
	}
	return t.ClosureOf(ctx, direct, keeps, more...)
}

// ClosureOf is Closure for members whose memberships are read already, in order of age.
func (t Directory) ClosureOf(ctx context.Context, direct []host.Membership, keeps func(host.Membership) bool, more ...host.Membership) (*Closure, error) {
	c := &Closure{direct: make(map[host.Ref][]host.Membership), names: map[string]string{}}
	for _, m := range direct {
		if m.Display != "" {
			c.names[m.GroupID] = m.Display
		}
	}
	slices.SortStableFunc(direct, func(x, y host.Membership) int {
		return cmp.Or(cmp.Compare(x.Member.ID, y.Member.ID), cmp.Compare(x.Member.Type, y.Member.Type))
	})
	for len(direct) > 0 {
		n := 1
		for n < len(direct) && direct[n].Member == direct[0].Member {
			n++
		}
		of := direct[0].Member
		if c.direct[of] = direct[:n:n]; keeps != nil {
			c.direct[of] = slices.DeleteFunc(c.direct[of], func(m host.Membership) bool { return !keeps(m) })
		}
		direct = direct[n:]
	}
	for _, m := range more {
		if !slices.ContainsFunc(c.direct[m.Member], func(d host.Membership) bool { return d.GroupID == m.GroupID }) {
			c.direct[m.Member] = append(c.direct[m.Member], m)
		}
	}
	if !t.policy.Nested || len(c.direct) == 0 {
		return c, nil
	}
	c.up = t.newAscent(keeps)
	c.up.names = c.names
	return c, c.up.climb(ctx, c.own())
}

// own lists the groups of which the members are members themselves, in order.
func (c *Closure) own() []string {
	seen := map[string]bool{}
	for _, ms := range c.direct {
		for _, m := range ms {
			seen[m.GroupID] = true
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

// Groups lists the groups to which any of the members belongs, in order.
func (c *Closure) Groups() []string {
	own := c.own()
	if c.up == nil {
		return own
	}
	return c.up.union(own)
}

// Name returns the display name of a group of Groups. "": no membership says it.
func (c *Closure) Name(groupID string) string { return c.names[groupID] }

// Unnamed lists the groups of Groups that have no Name, in order.
func (c *Closure) Unnamed() []string {
	return slices.DeleteFunc(c.Groups(), func(id string) bool { return c.names[id] != "" })
}

// Paths returns the shortest path of one of the members to each group. They are in order of
// distance, then of age, the oldest first. The next call of Paths overwrites them.
func (c *Closure) Paths(ctx context.Context, of host.Ref) ([]Path, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c.paths = c.paths[:0]
	if c.up == nil {
		for _, m := range c.direct[of] {
			c.paths = append(c.paths, Path{Membership: m, Via: m.GroupID})
		}
		return c.paths, nil
	}
	for len(c.places) < len(c.up.ids) {
		c.places = append(c.places, -1)
	}
	for _, m := range c.direct[of] {
		own := c.up.place(m.GroupID)
		c.put(own, Path{Membership: m, Via: m.GroupID})
		for _, w := range c.up.reach(own) {
			p := Path{host.Membership{GroupID: c.up.ids[w.to], Member: of, Since: w.since}, w.distance, m.GroupID}
			if m.Since.After(p.Since) {
				p.Since = m.Since
			}
			c.put(w.to, p)
		}
	}
	for _, p := range c.paths {
		c.places[c.up.place(p.GroupID)] = -1
	}
	slices.SortFunc(c.paths, comparePaths)
	return c.paths, nil
}

// put adds a path to a group unless there is a better one.
func (c *Closure) put(group int32, p Path) {
	switch at := c.places[group]; {
	case at < 0:
		c.places[group] = int32(len(c.paths))
		c.paths = append(c.paths, p)
	case comparePaths(p, c.paths[at]) < 0:
		c.paths[at] = p
	}
}

// comparePaths compares paths of one member by distance, age and ids.
func comparePaths(x, y Path) int {
	return cmp.Or(cmp.Compare(x.Distance, y.Distance), x.Since.Compare(y.Since), cmp.Compare(x.GroupID, y.GroupID), cmp.Compare(x.Via, y.Via))
}

// Reaches reports whether the members of a group belong to another one through it. One of
// the members of the closure is a member of the group itself.
func (c *Closure) Reaches(group, other string) bool {
	if group == other || c.up == nil {
		return group == other
	}
	if c.from != group || c.reached == nil {
		c.from, c.reached = group, map[string]bool{}
		for _, w := range c.up.reach(c.up.place(group)) {
			c.reached[c.up.ids[w.to]] = true
		}
	}
	return c.reached[other]
}
