package directory

import (
	"context"
	"slices"
	"time"

	filter "github.com/scim2/filter-parser/v2"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/match"
	"github.com/scimkit/scim/internal/member"
)

// ascent is what is known of the groups above some groups. Its steps lead from a group to
// those of which it is a member.
type ascent struct {
	network
	dir   Directory
	keeps func(host.Membership) bool
	names map[string]string // the display names of groups, as far as memberships say them
	known []bool            // by place: the steps of the group are looked up
	// all are the memberships of all groups in others, of a store that is no MemberStore.
	all map[string][]host.Membership
	// isSound says that no group has more groups above it than MaxDepth allows, and so none is
	// above itself.
	isSound bool
	walks   []int           // the longest walks without circles, unless isSound
	reached map[int32][]way // the last results of reach
	kept    int             // how many ways are in reached
	places  []int32         // what reach needs: by place, where the way is; -1: nowhere
}

// way is a way up to a group: the shortest and, among these, the one that began first.
type way struct {
	to       int32
	distance int
	since    time.Time // when the last of its memberships began
}

// mostWays is how many ways an ascent keeps about. Members often are in the same groups, and
// the groups above a thousand groups can be a million.
const mostWays = 200_000

func (t Directory) newAscent(keeps func(host.Membership) bool) *ascent {
	return &ascent{dir: t, keeps: keeps, reached: map[int32][]way{}, names: map[string]string{}}
}

// climb looks up what is above groups, as far as it can matter. That is MaxDepth levels. If
// there are more, it is twice as many, so that the circles among them are complete.
func (a *ascent) climb(ctx context.Context, groups []string) error {
	roots := make([]int32, len(groups))
	for i, id := range groups {
		roots[i] = a.place(id)
	}
	depth := a.dir.policy.MaxDepth
	isTree, err := a.load(ctx, roots, depth+1)
	if a.isSound = isTree; err != nil || isTree {
		return err
	}
	if a.walks, err = a.longest(ctx, depth+1); err != nil {
		return err
	}
	if a.isSound = !slices.ContainsFunc(roots, func(at int32) bool { return a.walks[at] > depth }); a.isSound {
		return nil
	}
	if _, err = a.load(ctx, roots, 2*depth+1); err != nil {
		return err
	}
	if err := a.markCircles(ctx, depth); err != nil {
		return err
	}
	a.walks, err = a.longest(ctx, depth+1)
	return err
}

// load looks up the memberships of groups in others, for some levels. isTree says that nothing
// is above these levels, and that one way leads to each group.
func (a *ascent) load(ctx context.Context, groups []int32, levels int) (isTree bool, err error) {
	seen := map[int32]bool{}
	for _, at := range groups {
		seen[at] = true
	}
	isTree = true
	for ; levels > 0 && len(groups) > 0; levels-- {
		if err := a.lookUp(ctx, groups); err != nil {
			return false, err
		}
		var next []int32
		for _, at := range groups {
			for _, s := range a.steps[at] {
				if seen[s.to] {
					isTree = false
					continue
				}
				seen[s.to] = true
				next = append(next, s.to)
			}
		}
		groups = next
	}
	return isTree && len(groups) == 0, nil
}

// lookUp looks up the memberships of those groups that are not looked up yet.
func (a *ascent) lookUp(ctx context.Context, groups []int32) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	a.known = append(a.known, make([]bool, len(a.ids)-len(a.known))...)
	var refs []host.Ref
	for _, at := range groups {
		if !a.known[at] {
			a.known[at] = true
			refs = append(refs, groupRef(a.ids[at]))
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
		if m.Display != "" {
			a.names[m.GroupID] = m.Display
		}
		if a.keeps == nil || a.keeps(m) {
			from, to := a.place(m.Member.ID), a.place(m.GroupID)
			a.steps[from] = append(a.steps[from], step{to: to, since: m.Since})
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
					all[m.ID] = append(all[m.ID], host.Membership{GroupID: g.ID, Member: m, Since: g.Created, Display: g.Text("displayName")})
				}
			}
		}
		return nil
	})
	return all, err
}

// isTooDeep reports whether more groups are above a group than MaxDepth allows, one in the
// other. Such a group is in no other one as far as its members are concerned.
func (a *ascent) isTooDeep(at int32) bool {
	return !a.isSound && a.walks[at] > a.dir.policy.MaxDepth
}

// reach lists the ways to the groups to which the members of a group belong through it.
func (a *ascent) reach(group int32) []way {
	ways, ok := a.reached[group]
	if ok {
		return ways
	}
	for len(a.places) < len(a.ids) {
		a.places = append(a.places, -1)
	}
	ways = []way{{to: group}}
	a.places[group] = 0
	isTooDeep := a.isTooDeep(group)
	for i := 0; i < len(ways) && !isTooDeep; i++ {
		ways = a.ascend(ways, i)
	}
	for _, w := range ways {
		a.places[w.to] = -1
	}
	if a.kept += len(ways); a.kept > mostWays {
		a.reached, a.kept = map[int32][]way{}, len(ways)
	}
	a.reached[group] = slices.Clone(ways[1:])
	return a.reached[group]
}

// ascend adds the ways that take one step more than one of them.
func (a *ascent) ascend(ways []way, i int) []way {
	from := ways[i]
	for _, s := range a.steps[from.to] {
		if s.isCircle {
			continue
		}
		w := way{s.to, from.distance + 1, s.since}
		if from.since.After(w.since) {
			w.since = from.since
		}
		switch at := a.places[s.to]; {
		case at < 0:
			a.places[s.to] = int32(len(ways))
			ways = append(ways, w)
		case ways[at].distance == w.distance && w.since.Before(ways[at].since):
			ways[at].since = w.since
		}
	}
	return ways
}

// union lists groups and those to which their members belong through them, in order.
func (a *ascent) union(groups []string) []string {
	seen := make([]bool, len(a.ids))
	var found []int32
	see := func(at int32) {
		if !seen[at] {
			seen[at] = true
			found = append(found, at)
		}
	}
	for _, id := range groups {
		if at := a.place(id); !a.isTooDeep(at) {
			see(at)
		}
	}
	for i := 0; i < len(found); i++ {
		for _, s := range a.steps[found[i]] {
			if !s.isCircle {
				see(s.to)
			}
		}
	}
	all := slices.Clone(groups)
	for _, at := range found {
		all = append(all, a.ids[at])
	}
	return distinct(all)
}

func groupRef(id string) host.Ref { return host.Ref{Type: "Group", ID: id} }

func isGroup(r host.Ref) bool { return r.Type == "Group" }

// distinct sorts ids and removes duplicates.
func distinct(ids []string) []string {
	ids = slices.Clone(ids)
	slices.Sort(ids)
	return slices.Compact(ids)
}
