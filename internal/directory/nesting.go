package directory

import (
	"cmp"
	"container/heap"
	"context"
	"maps"
	"slices"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/member"
)

// Tree has groups with the ids of the groups that are their members. It has all groups that
// occur in it.
type Tree map[string][]string

// IDs lists the groups of the tree, in order.
func (b Tree) IDs() []string { return slices.Sorted(maps.Keys(b)) }

// Below reads the groups in some groups, at every depth. The tree has the groups themselves
// too. Without MemberPolicy.Nested it has nothing else.
func (t Directory) Below(ctx context.Context, groups ...string) (Tree, error) {
	b := Tree{}
	for _, g := range groups {
		b[g] = nil
	}
	if !t.policy.Nested {
		return b, nil
	}
	for level := distinct(groups); len(level) > 0; {
		children, err := t.groupsIn(ctx, level)
		if err != nil {
			return nil, err
		}
		var next []string
		for _, g := range level {
			b[g] = children[g]
			for _, c := range children[g] {
				if _, ok := b[c]; !ok {
					b[c] = nil
					next = append(next, c)
				}
			}
		}
		level = next
	}
	return b, nil
}

// fewGroups is how many members of a group groupsIn reads first. Most groups have no group
// among their members.
const fewGroups = 10

// groupsIn lists the groups that are members of each of some groups.
func (t Directory) groupsIn(ctx context.Context, groups []string) (map[string][]string, error) {
	in := make(map[string][]string, len(groups))
	if t.stores.Members == nil {
		err := t.ByID(ctx, t.types.Group, groups, func(g *doc.Document) {
			for _, m := range member.Of(g) {
				if isGroup(m) {
					in[g.ID] = append(in[g.ID], m.ID)
				}
			}
		})
		return in, err
	}
	for _, g := range groups {
		limit := fewGroups
		for after := (host.Ref{}); ; {
			page, err := t.stores.Members.Members(ctx, g, after, limit)
			if err != nil {
				return nil, err
			}
			n := 0 // the groups come first
			for n < len(page) && isGroup(page[n].Ref) {
				in[g] = append(in[g], page[n].Ref.ID)
				n++
			}
			if n < limit {
				break
			}
			after, limit = page[n-1].Ref, Batch
		}
	}
	return in, nil
}

// UsersBelow calls fn with the users who belong to some groups, themselves or through groups
// in groups, in batches and in order of id. It also finds those whose path gives nothing,
// because it is a circle or too deep.
func (t Directory) UsersBelow(ctx context.Context, groups []string, fn func(ids []string) error) error {
	b, err := t.Below(ctx, groups...)
	if err != nil {
		return err
	}
	if t.stores.Members == nil {
		return t.eachCarried(ctx, b.IDs(), fn)
	}
	var m merge
	limit := max(fewGroups, min(Batch, mergedMembers/len(b)))
	for _, id := range b.IDs() {
		c := &cursor{dir: t, group: id, limit: limit}
		if err := c.advance(ctx); err != nil {
			return err
		}
		if len(c.users) > 0 {
			m = append(m, c)
		}
	}
	heap.Init(&m)
	var batch []string
	for last := ""; len(m) > 0; {
		c := m[0]
		if c.users[0] != last {
			last = c.users[0]
			batch = append(batch, last)
		}
		if len(batch) == Batch {
			if err := fn(batch); err != nil {
				return err
			}
			batch = nil // fn may keep it
		}
		if c.users = c.users[1:]; len(c.users) == 0 {
			if err := c.advance(ctx); err != nil {
				return err
			}
		}
		if len(c.users) == 0 {
			heap.Pop(&m)
		} else {
			heap.Fix(&m, 0)
		}
	}
	if len(batch) == 0 {
		return nil
	}
	return fn(batch)
}

// mergedMembers is about how many members UsersBelow has in memory at once.
const mergedMembers = 50_000

// eachCarried is UsersBelow for groups that carry their members themselves.
func (t Directory) eachCarried(ctx context.Context, groups []string, fn func(ids []string) error) error {
	var ids []string
	err := t.ByID(ctx, t.types.Group, groups, func(g *doc.Document) {
		for _, m := range member.Of(g) {
			if m.Type == t.types.User.Name {
				ids = append(ids, m.ID)
			}
		}
	})
	if err != nil {
		return err
	}
	for chunk := range slices.Chunk(distinct(ids), Batch) {
		if err := fn(chunk); err != nil {
			return err
		}
	}
	return nil
}

// cursor reads the users in one group, in order of id.
type cursor struct {
	dir   Directory
	group string
	limit int
	after host.Ref
	users []string
	isEnd bool
}

// advance reads the next users, if there are any. It passes over the groups, which come
// first.
func (c *cursor) advance(ctx context.Context) error {
	for len(c.users) == 0 && !c.isEnd {
		page, err := c.dir.stores.Members.Members(ctx, c.group, c.after, c.limit)
		if err != nil {
			return err
		}
		if c.isEnd = len(page) < c.limit; len(page) > 0 {
			c.after = page[len(page)-1].Ref
		}
		for _, m := range page {
			if m.Ref.Type == c.dir.types.User.Name {
				c.users = append(c.users, m.Ref.ID)
			}
		}
	}
	return nil
}

// merge is a heap of cursors with users, by the id of their next user.
type merge []*cursor

func (m merge) Len() int           { return len(m) }
func (m merge) Less(i, j int) bool { return m[i].users[0] < m[j].users[0] }
func (m merge) Swap(i, j int)      { m[i], m[j] = m[j], m[i] }
func (m *merge) Push(x any)        { *m = append(*m, x.(*cursor)) }

func (m *merge) Pop() any {
	last := (*m)[len(*m)-1]
	*m = (*m)[:len(*m)-1]
	return last
}

// Refusal says why a group cannot become a member of another one.
type Refusal struct {
	Child string // the group that cannot become a member
	// Chain are groups, each of which would have the next one as a member. If it is a circle,
	// the last one is the first one again.
	Chain    []string
	IsCircle bool
}

// CheckNesting says which of the groups cannot become members of parent ("": a new group),
// because a group would belong to itself, or would be too deep. below has what is below
// these groups.
func (t Directory) CheckNesting(ctx context.Context, parent string, groups []string, below Tree) ([]Refusal, error) {
	above, err := t.chainAbove(ctx, parent)
	if err != nil {
		return nil, err
	}
	down := below.network()
	walks, err := down.longest(ctx, t.policy.MaxDepth+1)
	if err != nil {
		return nil, err
	}
	toParent := below.waysTo(parent)
	var refused []Refusal
	for _, g := range groups {
		if _, isCircle := toParent[g]; isCircle {
			chain := []string{parent, g}
			for ; g != parent; chain = append(chain, g) {
				g = toParent[g]
			}
			refused = append(refused, Refusal{chain[1], chain, true})
			continue
		}
		if at := down.place(g); len(above)+walks[at] > t.policy.MaxDepth {
			refused = append(refused, Refusal{g, slices.Concat(above, down.walk(at, walks)), false})
		}
	}
	return refused, nil
}

// chainAbove is the longest chain of groups that ends with a group, the highest one first.
func (t Directory) chainAbove(ctx context.Context, group string) ([]string, error) {
	if group == "" { // a new group
		return []string{""}, nil
	}
	a := t.newAscent(nil)
	if err := a.climb(ctx, []string{group}); err != nil {
		return nil, err
	}
	walks, err := a.longest(ctx, t.policy.MaxDepth+1)
	if err != nil {
		return nil, err
	}
	chain := a.walk(a.place(group), walks)
	slices.Reverse(chain)
	return chain, nil
}

// network is the tree with steps from each group to its members.
func (b Tree) network() *network {
	n := &network{}
	for _, id := range b.IDs() {
		at := n.place(id)
		for _, c := range b[id] {
			n.steps[at] = append(n.steps[at], step{to: n.place(c)})
		}
	}
	return n
}

// waysTo says of each group that leads down to a group which group comes next on a shortest
// way.
func (b Tree) waysTo(group string) map[string]string {
	if _, ok := b[group]; !ok {
		return nil
	}
	parents := map[string][]string{}
	for _, id := range b.IDs() { // in order, so that an error says the same each time
		for _, c := range b[id] {
			parents[c] = append(parents[c], id)
		}
	}
	next := map[string]string{group: ""}
	for found := []string{group}; len(found) > 0; found = found[1:] {
		for _, p := range parents[found[0]] {
			if _, ok := next[p]; !ok {
				next[p] = found[0]
				found = append(found, p)
			}
		}
	}
	return next
}

// Idle is a stored membership of a group in a group that gives nothing.
type Idle struct {
	host.Membership
	// IsCircle says that the group belongs to itself. Otherwise it is too deep.
	IsCircle bool
}

// IdleNesting lists memberships that give nothing: of the groups on one page, in order of
// their creation. It starts behind the group after ("": at the first one), and returns the
// last group, "" if no more are left.
func (t Directory) IdleNesting(ctx context.Context, after string) (idle []Idle, next string, err error) {
	if t.types.Group == nil || !t.policy.Nested {
		return nil, "", nil
	}
	q := &host.Query{Limit: Batch, MaxBytes: maxPageBytes}
	if after != "" {
		g, err := t.Fetch(ctx, groupRef(after))
		if err != nil {
			return nil, "", err
		}
		q.After = host.KeyOf(q, g)
	}
	page, err := t.stores.List(ctx, t.types.Group, q)
	if err != nil || len(page.Resources) == 0 {
		return nil, "", err
	}
	groups := make([]string, len(page.Resources))
	for i, g := range page.Resources {
		groups[i] = g.ID
	}
	a := t.newAscent(nil)
	if err := a.climb(ctx, distinct(groups)); err != nil {
		return nil, "", err
	}
	for _, g := range groups {
		idle = append(idle, a.idle(g)...)
	}
	if len(groups) < Batch && !page.Cut {
		return idle, "", nil
	}
	return idle, groups[len(groups)-1], nil
}

// idle lists the memberships of a group in others that give nothing, in order.
func (a *ascent) idle(group string) (list []Idle) {
	at := a.place(group)
	isTooDeep := a.isTooDeep(at)
	for _, s := range a.steps[at] {
		if s.isCircle || isTooDeep {
			list = append(list, Idle{host.Membership{GroupID: a.ids[s.to], Member: groupRef(group), Since: s.since}, s.isCircle})
		}
	}
	slices.SortFunc(list, func(x, y Idle) int { return cmp.Compare(x.GroupID, y.GroupID) })
	return list
}
