package directory

import (
	"cmp"
	"context"
	"slices"

	filter "github.com/scim2/filter-parser/v2"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/match"
	"github.com/scimkit/scim/internal/member"
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
type Closure struct {
	// Paths are, for each member and group, the shortest path. Those of one member are in
	// order of distance, then of age, the oldest first.
	Paths []Path
	up    *ascent // nil: groups in groups do not count
}

// Reaches reports whether the members of a group belong to another one through it. One of
// the members of the closure is a member of the group itself.
func (c *Closure) Reaches(group, other string) bool {
	return group == other ||
		c.up != nil && slices.ContainsFunc(c.up.reach(group), func(p Path) bool { return p.GroupID == other })
}

// Closure reads the groups to which members belong. keeps, if it is not nil, says which
// memberships count. more are memberships of these members that are about to be stored.
func (t Directory) Closure(ctx context.Context, members []host.Ref, keeps func(host.Membership) bool, more ...host.Membership) (*Closure, error) {
	direct, err := t.GroupsOf(ctx, members)
	if err != nil {
		return nil, err
	}
	if keeps != nil {
		direct = slices.DeleteFunc(direct, func(m host.Membership) bool { return !keeps(m) })
	}
	for _, m := range more {
		if !slices.ContainsFunc(direct, func(d host.Membership) bool { return d.GroupID == m.GroupID && d.Member == m.Member }) {
			direct = append(direct, m)
		}
	}
	paths := make([]Path, len(direct))
	for i, m := range direct {
		paths[i] = Path{Membership: m, Via: m.GroupID}
	}
	if !t.policy.Nested || len(direct) == 0 {
		return &Closure{Paths: paths}, nil
	}
	a := t.newAscent(keeps)
	groups := make([]string, len(direct))
	for i, m := range direct {
		groups[i] = m.GroupID
	}
	if err := a.climb(ctx, distinct(groups)); err != nil {
		return nil, err
	}
	return &Closure{a.extend(paths), a}, nil
}

// ascent is what is known of the groups above some groups.
type ascent struct {
	dir   Directory
	keeps func(host.Membership) bool
	// above are the memberships of a group in others, by its id. A group that is not looked
	// up yet is missing.
	above map[string][]host.Membership
	// all are the memberships of all groups in others, of a store that is no MemberStore.
	all map[string][]host.Membership
	// isSound says that no group has more groups above it than MaxDepth allows, and so none is
	// above itself.
	isSound bool
	reached map[string][]Path // the results of reach
	circles map[edge]bool     // the results of isCircle
}

// edge is the membership of the group child in the group parent.
type edge struct{ parent, child string }

func (t Directory) newAscent(keeps func(host.Membership) bool) *ascent {
	return &ascent{dir: t, keeps: keeps, above: map[string][]host.Membership{}, reached: map[string][]Path{}, circles: map[edge]bool{}}
}

// climb looks up what is above groups, as far as it can matter. That is MaxDepth levels. If
// there are more, it is twice as many, so that the circles among them are complete.
func (a *ascent) climb(ctx context.Context, groups []string) error {
	limit := a.dir.policy.MaxDepth
	isTree, err := a.load(ctx, groups, limit+1)
	if err != nil {
		return err
	}
	if a.isSound = isTree || len(longest(a.parents, groups, limit+1)) <= limit+1; a.isSound {
		return nil
	}
	_, err = a.load(ctx, groups, 2*limit+1)
	return err
}

// load looks up the memberships of groups in others, for some levels. isTree says that nothing
// is above these levels, and that one way leads to each group.
func (a *ascent) load(ctx context.Context, groups []string, levels int) (isTree bool, err error) {
	seen := make(map[string]bool, len(groups))
	for _, g := range groups {
		seen[g] = true
	}
	isTree = true
	for ; levels > 0 && len(groups) > 0; levels-- {
		if err := a.lookUp(ctx, groups); err != nil {
			return false, err
		}
		var next []string
		for _, g := range groups {
			for _, m := range a.above[g] {
				if seen[m.GroupID] {
					isTree = false
					continue
				}
				seen[m.GroupID] = true
				next = append(next, m.GroupID)
			}
		}
		groups = next
	}
	return isTree && len(groups) == 0, nil
}

// lookUp looks up the memberships of those groups that are not looked up yet.
func (a *ascent) lookUp(ctx context.Context, groups []string) error {
	var refs []host.Ref
	for _, g := range groups {
		if _, ok := a.above[g]; !ok {
			a.above[g] = nil
			refs = append(refs, groupRef(g))
		}
	}
	if len(refs) == 0 {
		return nil
	}
	ms, err := a.memberships(ctx, refs)
	if err != nil {
		return err
	}
	for _, m := range ms {
		if a.keeps == nil || a.keeps(m) {
			a.above[m.Member.ID] = append(a.above[m.Member.ID], m)
		}
	}
	return nil
}

// memberships lists the memberships of groups. If groups carry their members themselves, it
// reads all groups, once.
func (a *ascent) memberships(ctx context.Context, groups []host.Ref) ([]host.Membership, error) {
	switch {
	case a.dir.stores.Members != nil && len(groups) <= Batch: // in any order
		return a.dir.stores.Members.GroupsOf(ctx, groups)
	case a.dir.stores.Members != nil:
		return a.dir.GroupsOf(ctx, groups)
	}
	if a.all == nil {
		all, err := a.dir.nestedIn(ctx)
		if err != nil {
			return nil, err
		}
		a.all = all
	}
	var ms []host.Membership
	for _, g := range groups {
		ms = append(ms, a.all[g.ID]...)
	}
	return ms, nil
}

// nestedIn reads the memberships of all groups in others, by the member's id.
func (t Directory) nestedIn(ctx context.Context) (map[string][]host.Membership, error) {
	all := map[string][]host.Membership{}
	term := &filter.AttributeExpression{AttributePath: filter.AttributePath{AttributeName: "members"}, Operator: filter.PR}
	f, err := match.Compile(t.types.Group, term, nil)
	if err != nil {
		return nil, err
	}
	err = t.Each(ctx, t.types.Group, f, func(page []*doc.Document) error {
		for _, g := range page {
			for _, m := range member.Of(g) {
				if isGroup(m) {
					all[m.ID] = append(all[m.ID], host.Membership{GroupID: g.ID, Member: m, Since: g.Created})
				}
			}
		}
		return nil
	})
	return all, err
}

// parents are the groups of which a group is a member.
func (a *ascent) parents(group string) []string {
	ids := make([]string, len(a.above[group]))
	for i, m := range a.above[group] {
		ids[i] = m.GroupID
	}
	return ids
}

// straight are the parents of a group, without those that are also below it.
func (a *ascent) straight(group string) []string {
	var ids []string
	for _, m := range a.above[group] {
		if !a.isCircle(m) {
			ids = append(ids, m.GroupID)
		}
	}
	return ids
}

// isCircle reports whether a membership of a group in another one is a part of a circle. A
// longer circle than MaxDepth allows is too deep instead: see isTooDeep.
func (a *ascent) isCircle(m host.Membership) bool {
	if a.isSound {
		return false
	}
	e := edge{m.GroupID, m.Member.ID}
	yes, known := a.circles[e]
	if !known {
		at := []string{e.parent}
		for step := 0; step <= a.dir.policy.MaxDepth && !yes && len(at) > 0; step++ {
			yes = slices.Contains(at, e.child)
			var next []string
			for _, g := range at {
				next = append(next, a.parents(g)...)
			}
			at = distinct(next)
		}
		a.circles[e] = yes
	}
	return yes
}

// isTooDeep reports whether more groups are above a group than MaxDepth allows, one in the
// other. Such a group is in no other one as far as its members are concerned.
func (a *ascent) isTooDeep(group string) bool {
	limit := a.dir.policy.MaxDepth + 1
	return !a.isSound && len(longest(a.straight, []string{group}, limit)) > limit
}

// extend adds the paths through groups in groups to the direct ones.
func (a *ascent) extend(direct []Path) []Path {
	type key struct {
		member host.Ref
		group  string
	}
	var all []Path
	best := make(map[key]int, len(direct)) // where the best path is
	put := func(p Path) {
		k := key{p.Member, p.GroupID}
		i, ok := best[k]
		switch {
		case !ok:
			best[k] = len(all)
			all = append(all, p)
		case comparePaths(p, all[i]) < 0:
			all[i] = p
		}
	}
	for _, d := range direct {
		put(d)
		for _, up := range a.reach(d.GroupID) {
			up.Member, up.Via = d.Member, d.GroupID
			if d.Since.After(up.Since) {
				up.Since = d.Since
			}
			put(up)
		}
	}
	slices.SortFunc(all, func(x, y Path) int {
		return cmp.Or(comparePaths(x, y), cmp.Compare(x.Member.ID, y.Member.ID), cmp.Compare(x.Member.Type, y.Member.Type))
	})
	return all
}

// comparePaths compares paths by distance, age and ids.
func comparePaths(x, y Path) int {
	return cmp.Or(cmp.Compare(x.Distance, y.Distance), x.Since.Compare(y.Since), cmp.Compare(x.GroupID, y.GroupID), cmp.Compare(x.Via, y.Via))
}

// reach lists the groups to which the members of a group belong through it, with the
// shortest path and, among these, the one that began first.
func (a *ascent) reach(group string) []Path {
	paths, ok := a.reached[group]
	if ok {
		return paths
	}
	paths = []Path{{Membership: host.Membership{GroupID: group}}}
	at := map[string]int{group: 0}
	isTooDeep := a.isTooDeep(group)
	for i := 0; i < len(paths) && !isTooDeep; i++ {
		way := paths[i]
		for _, m := range a.above[way.GroupID] {
			if a.isCircle(m) {
				continue
			}
			p := Path{Membership: m, Distance: way.Distance + 1}
			if way.Since.After(p.Since) {
				p.Since = way.Since
			}
			j, ok := at[m.GroupID]
			switch {
			case !ok:
				at[m.GroupID] = len(paths)
				paths = append(paths, p)
			case paths[j].Distance == p.Distance && p.Since.Before(paths[j].Since):
				paths[j].Since = p.Since
			}
		}
	}
	a.reached[group] = paths[1:]
	return paths[1:]
}

// longest returns the ids on a longest walk that begins at one of some ids and takes at most
// limit steps.
func longest(next func(string) []string, from []string, limit int) []string {
	type visit struct {
		id   string
		last *visit
	}
	var at []*visit
	for _, id := range from {
		at = append(at, &visit{id: id})
	}
	for step := 0; step < limit; step++ {
		var ahead []*visit
		seen := map[string]bool{}
		for _, v := range at {
			for _, id := range next(v.id) {
				if !seen[id] {
					seen[id] = true
					ahead = append(ahead, &visit{id, v})
				}
			}
		}
		if len(ahead) == 0 {
			break
		}
		at = ahead
	}
	var ids []string
	if len(at) > 0 {
		for v := at[0]; v != nil; v = v.last {
			ids = append(ids, v.id)
		}
	}
	slices.Reverse(ids)
	return ids
}

func groupRef(id string) host.Ref { return host.Ref{Type: "Group", ID: id} }

func isGroup(r host.Ref) bool { return r.Type == "Group" }

// distinct sorts ids and removes duplicates.
func distinct(ids []string) []string {
	ids = slices.Clone(ids)
	slices.Sort(ids)
	return slices.Compact(ids)
}
