package directory

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/elimity-com/scim/schema"
	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/member"
	"github.com/scimkit/scim/internal/model"
)

// graph is a store with memberships only. carried says that groups carry their members
// themselves.
type graph struct {
	host.Store
	groups []*doc.Document
	edges  []host.Membership
	calls  int
}

func (g *graph) Get(_ context.Context, ref host.Ref) (*doc.Document, error) {
	for _, d := range g.groups {
		if d.ID == ref.ID {
			return d, nil
		}
	}
	return nil, host.ErrNotFound
}

func (g *graph) List(_ context.Context, _ *model.Type, q *host.Query) (*host.Page, error) {
	page := &host.Page{}
	for _, d := range g.groups {
		if (q.IDs == nil || slices.Contains(q.IDs, d.ID)) && (q.After == nil || d.ID > q.After.ID) && len(page.Resources) < q.Limit {
			page.Resources = append(page.Resources, d)
		}
	}
	return page, nil
}

func (g *graph) Members(_ context.Context, group string, after host.Ref, limit int) ([]host.Member, error) {
	g.calls++
	var all []host.Member
	for _, e := range g.edges {
		if e.GroupID == group && compareRefs(e.Member, after) > 0 {
			all = append(all, host.Member{Ref: e.Member})
		}
	}
	slices.SortFunc(all, func(a, b host.Member) int { return compareRefs(a.Ref, b.Ref) })
	return all[:min(limit, len(all))], nil
}

func (g *graph) GroupsOf(_ context.Context, members []host.Ref) (all []host.Membership, err error) {
	g.calls++
	for _, e := range g.edges {
		if slices.Contains(members, e.Member) {
			all = append(all, e)
		}
	}
	return all, nil
}

func (g *graph) ChangeMembers(context.Context, string, []host.Ref, []host.Ref) (added, removed []host.Ref, err error) {
	return nil, nil, errors.New("not here")
}

func compareRefs(a, b host.Ref) int {
	return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.ID, b.ID))
}

// put puts members into a group: an id with u or v is a user.
func (g *graph) put(group string, members ...string) {
	for _, id := range members {
		r := groupRef(id)
		if id[0] == 'u' || id[0] == 'v' {
			r.Type = "User"
		}
		g.edges = append(g.edges, host.Membership{GroupID: group, Member: r, Since: time.Unix(int64(len(g.edges)), 0)})
	}
}

// directories returns a Directory over g whose groups do not carry their members, and one
// whose groups do.
func directories(t interface{ Fatal(...any) }, g *graph, groups []string, depth int) map[string]Directory {
	types := host.Types{}
	var err error
	if types.Group, err = model.Compile("Group", schema.CoreGroupSchema(), nil); err != nil {
		t.Fatal(err)
	}
	if types.User, err = model.Compile("User", schema.CoreUserSchema(), nil); err != nil {
		t.Fatal(err)
	}
	types.All = []*model.Type{types.User, types.Group}
	for i, id := range groups {
		var refs []member.Ref
		for _, e := range g.edges {
			if e.GroupID == id {
				refs = append(refs, e.Member)
			}
		}
		d := &doc.Document{Type: types.Group, ID: id, Created: time.Unix(int64(i), 0)}
		d.Values = []doc.Value{member.Value(types.Group.Members, refs)}
		g.groups = append(g.groups, d)
	}
	policy := host.MemberPolicy{Nested: true, MaxDepth: depth}
	return map[string]Directory{
		"edges":   Of(&host.Tenant{Types: types, Stores: host.Stores{Store: g, Members: g}, Members: policy}),
		"carried": Of(&host.Tenant{Types: types, Stores: host.Stores{Store: g}, Members: policy}),
	}
}

func userRef(id string) host.Ref { return host.Ref{Type: "User", ID: id} }

// pathsOf lists the paths of some members. It compares them with the groups of the closure.
func pathsOf(ctx context.Context, dir Directory, keeps func(host.Membership) bool, members ...host.Ref) (all []Path, err error) {
	c, err := dir.Closure(ctx, members, keeps)
	if err != nil {
		return nil, err
	}
	var groups []string
	for _, m := range members {
		paths, err := c.Paths(ctx, m)
		if err != nil {
			return nil, err
		}
		for _, p := range paths {
			groups = append(groups, p.GroupID)
		}
		all = append(all, paths...)
	}
	if diff := gocmp.Diff(distinct(groups), c.Groups()); diff != "" {
		return nil, fmt.Errorf("groups of the paths, and of the closure:\n%s", diff)
	}
	return all, nil
}

// edge is the membership of the group child in the group parent.
type edge struct{ parent, child string }

// show lists the groups of a user: id, distance, via.
func show(paths []Path) []string {
	out := []string{}
	for _, p := range paths {
		out = append(out, fmt.Sprintf("%s %s %d %s", p.Member.ID, p.GroupID, p.Distance, p.Via))
	}
	slices.Sort(out)
	return out
}

func TestClosure(t *testing.T) {
	tests := []struct {
		name, reason string
		groups       []string
		edges        [][]string // a group, then its members
		want         []string
	}{
		{"direct", "a user is in its group", []string{"a"}, [][]string{{"a", "u"}}, []string{"u a 0 a"}},
		{"nested", "and in the group above", []string{"a", "b"}, [][]string{{"b", "u"}, {"a", "b"}}, []string{"u a 1 b", "u b 0 b"}},
		{"at the limit", "three groups above", []string{"a", "b", "c", "d"}, [][]string{{"d", "u"}, {"c", "d"}, {"b", "c"}, {"a", "b"}},
			[]string{"u a 3 d", "u b 2 d", "u c 1 d", "u d 0 d"}},
		{"too deep", "what is too deep belongs to nothing above it; what is above is as before", []string{"a", "b", "c", "d", "e"},
			[][]string{{"e", "u"}, {"d", "e", "v"}, {"c", "d"}, {"b", "c"}, {"a", "b"}},
			[]string{"u e 0 e", "v a 3 d", "v b 2 d", "v c 1 d", "v d 0 d"}},
		{"diamond", "once, by the first way", []string{"a", "b", "c", "d"}, [][]string{{"d", "u"}, {"b", "d"}, {"c", "d"}, {"a", "b", "c"}},
			[]string{"u a 2 d", "u b 1 d", "u c 1 d", "u d 0 d"}},
		{"direct and nested", "the short way counts", []string{"a", "b"}, [][]string{{"b", "u"}, {"a", "b", "u"}}, []string{"u a 0 a", "u b 0 b"}},
		{"itself", "gives nothing", []string{"a", "b"}, [][]string{{"b", "u", "b"}, {"a", "b"}}, []string{"u a 1 b", "u b 0 b"}},
		{"circle of two", "gives nothing; what hangs below the circle belongs to the group in it, and what the circle is in counts",
			[]string{"a", "b", "c", "d"}, [][]string{{"a", "u", "b"}, {"b", "a"}, {"b", "c"}, {"c", "v"}, {"d", "a"}},
			[]string{"u a 0 a", "u d 1 a", "v b 1 c", "v c 0 c"}},
		{"circle longer than the limit", "is too deep", []string{"a", "b", "c", "d", "e", "f"},
			[][]string{{"a", "u", "b"}, {"b", "c"}, {"c", "d"}, {"d", "e"}, {"e", "f"}, {"f", "a"}}, []string{"u a 0 a"}},
	}
	for _, test := range tests {
		g := &graph{}
		for _, e := range test.edges {
			g.put(e[0], e[1:]...)
		}
		for name, dir := range directories(t, g, test.groups, 3) {
			t.Run(test.name+" "+name, func(t *testing.T) {
				got, err := pathsOf(t.Context(), dir, nil, userRef("u"), userRef("v"))
				if err != nil {
					t.Fatal(err)
				}
				if diff := gocmp.Diff(test.want, show(got)); diff != "" {
					t.Errorf("%s (-want +got):\n%s", test.reason, diff)
				}
			})
		}
	}
}

// TestClosureOrder orders the groups of a user as they are picked.
func TestClosureOrder(t *testing.T) {
	g := &graph{}
	g.put("z", "u")  // at 0
	g.put("y", "u")  // at 1
	g.put("b", "z")  // at 2
	g.put("a", "y")  // at 3
	g.put("0", "b")  // at 4
	g.put("00", "y") // at 5
	dir := directories(t, g, []string{"z", "y", "b", "a", "0", "00"}, 10)["edges"]
	got, err := pathsOf(t.Context(), dir, nil, userRef("u"))
	if err != nil {
		t.Fatal(err)
	}
	var order []string
	for _, p := range got {
		order = append(order, p.GroupID)
	}
	if diff := gocmp.Diff([]string{"z", "y", "b", "a", "00", "0"}, order); diff != "" {
		t.Errorf("by distance, then by age (-want +got):\n%s", diff)
	}
	g.calls = 0
	if _, err := pathsOf(t.Context(), dir, nil, userRef("u")); err != nil || g.calls != 4 {
		t.Errorf("%d calls for three levels, error %v; want one for each and one that finds nothing", g.calls, err)
	}
	got, err = pathsOf(t.Context(), dir, func(m host.Membership) bool { return m.Member.ID != "b" && m.GroupID != "y" }, userRef("u"))
	if diff := gocmp.Diff([]string{"u b 1 z", "u z 0 z"}, show(got)); diff != "" || err != nil {
		t.Errorf("without some memberships: error %v (-want +got):\n%s", err, diff)
	}
}

// drawn is a random graph of groups g0, g1, … and users u0, u1, …
func drawn(t *rapid.T) (g *graph, groups []string) {
	g = &graph{}
	n := rapid.IntRange(1, 8).Draw(t, "groups")
	for i := range n {
		groups = append(groups, fmt.Sprint("g", i))
	}
	names := append(slices.Clone(groups), "u0", "u1", "u2")
	seen := map[edge]bool{}
	for range rapid.IntRange(0, 20).Draw(t, "edges") {
		e := edge{rapid.SampledFrom(groups).Draw(t, "parent"), rapid.SampledFrom(names).Draw(t, "child")}
		if !seen[e] {
			seen[e] = true
			g.put(e.parent, e.child)
		}
	}
	return g, groups
}

// naive says which memberships of groups count, and lists for each user the groups at which
// it arrives.
func (g *graph) naive(depth int) (counts map[edge]bool, groups map[string]map[string]int) {
	all := map[edge]bool{}
	for _, e := range g.edges {
		if isGroup(e.Member) {
			all[edge{e.GroupID, e.Member.ID}] = true
		}
	}
	// walk reports whether a walk up from an id takes these steps, and ends at to ("": anywhere).
	var walk func(edges map[edge]bool, from, to string, steps int) bool
	walk = func(edges map[edge]bool, from, to string, steps int) bool {
		if steps == 0 {
			return to == "" || from == to
		}
		for e := range edges {
			if e.child == from && walk(edges, e.parent, to, steps-1) {
				return true
			}
		}
		return false
	}
	straight := map[edge]bool{}
	for e := range all {
		isCircle := false
		for steps := range depth + 1 {
			isCircle = isCircle || walk(all, e.parent, e.child, steps)
		}
		if !isCircle {
			straight[e] = true
		}
	}
	counts = map[edge]bool{}
	for e := range straight {
		if !walk(straight, e.child, "", depth+1) {
			counts[e] = true
		}
	}
	groups = map[string]map[string]int{}
	for _, e := range g.edges {
		if u := e.Member.ID; !isGroup(e.Member) {
			if groups[u] == nil {
				groups[u] = map[string]int{}
			}
			for at, distance := map[string]bool{e.GroupID: true}, 0; len(at) > 0; distance++ {
				next := map[string]bool{}
				for id := range at {
					if d, ok := groups[u][id]; !ok || distance < d {
						groups[u][id] = distance
					}
					for e := range counts {
						if e.child == id {
							next[e.parent] = true
						}
					}
				}
				at = next
			}
		}
	}
	return counts, groups
}

// TestNestingAgainstNaive compares random graphs, with circles, with what the definition
// says: a batch gives what each user gives alone, and idle memberships are those that do not
// count.
func TestNestingAgainstNaive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g, ids := drawn(t)
		depth := rapid.IntRange(1, 4).Draw(t, "depth")
		counts, want := g.naive(depth)
		for name, dir := range directories(t, g, ids, depth) {
			g.groups = g.groups[:len(ids)]
			got := map[string]map[string]int{}
			users := []host.Ref{userRef("u0"), userRef("u1"), userRef("u2")}
			paths, err := pathsOf(context.Background(), dir, nil, users[:rapid.IntRange(1, 3).Draw(t, "users")]...)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range paths {
				if got[p.Member.ID] == nil {
					got[p.Member.ID] = map[string]int{}
				}
				got[p.Member.ID][p.GroupID] = p.Distance
			}
			for u, groups := range got {
				if diff := gocmp.Diff(want[u], groups); diff != "" {
					t.Fatalf("%s: groups of %s, with the distance (-want +got):\n%s", name, u, diff)
				}
			}
			idle, next, err := dir.IdleNesting(context.Background(), "")
			if err != nil || next != "" {
				t.Fatal(err, next)
			}
			for _, e := range idle {
				counts[edge{e.GroupID, e.Member.ID}] = true
			}
			for _, e := range g.edges {
				if is := counts[edge{e.GroupID, e.Member.ID}]; isGroup(e.Member) && !is {
					t.Fatalf("%s: %v gives nothing and is not listed", name, e)
				}
			}
			g.below(t, name, dir, ids)
		}
	})
}

// below compares what is found below a group with what is reached step by step.
func (g *graph) below(t *rapid.T, name string, dir Directory, ids []string) {
	from := rapid.SampledFrom(ids).Draw(t, "from")
	reached := map[string]bool{from: true}
	for range g.edges {
		for _, e := range g.edges {
			if reached[e.GroupID] {
				reached[e.Member.ID] = true
			}
		}
	}
	tree, err := dir.Below(context.Background(), from)
	if err != nil {
		t.Fatal(err)
	}
	got := tree.IDs()
	err = dir.UsersBelow(context.Background(), []string{from}, func(users []string) error {
		got = append(got, users...)
		return nil
	})
	var want []string
	for _, id := range append(slices.Clone(ids), "u0", "u1", "u2") {
		if reached[id] {
			want = append(want, id)
		}
	}
	if diff := gocmp.Diff(want, got); diff != "" || err != nil {
		t.Fatalf("%s: below %s: error %v (-want +got):\n%s", name, from, err, diff)
	}
}

// TestCheckNesting adds memberships one by one, as the check allows. Then each of them
// counts, and what is refused would not.
func TestCheckNesting(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		drawn, ids := drawn(t)
		depth := rapid.IntRange(1, 4).Draw(t, "depth")
		g := &graph{}
		for _, e := range drawn.edges {
			if !isGroup(e.Member) {
				continue
			}
			g.groups = nil
			dir := directories(t, g, ids, depth)["edges"]
			below, err := dir.Below(context.Background(), e.Member.ID)
			if err != nil {
				t.Fatal(err)
			}
			refused, err := dir.CheckNesting(context.Background(), e.GroupID, []string{e.Member.ID}, below)
			if err != nil {
				t.Fatal(err)
			}
			g.edges = append(g.edges, e)
			counts, _ := g.naive(depth)
			n := 0
			for _, x := range g.edges {
				if counts[edge{x.GroupID, x.Member.ID}] {
					n++
				}
			}
			if len(refused) == 0 && n != len(g.edges) || len(refused) > 0 && n == len(g.edges) {
				t.Fatalf("%v into %v: refused %v; %d of %d memberships count", e.Member.ID, e.GroupID, refused, n, len(g.edges))
			}
			if len(refused) == 0 {
				continue
			}
			for i, id := range refused[0].Chain[1:] {
				up := refused[0].Chain[i]
				if !slices.ContainsFunc(g.edges, func(x host.Membership) bool { return x.GroupID == up && x.Member.ID == id }) {
					t.Fatalf("%v into %v: the chain %v has a step that does not exist", e.Member.ID, e.GroupID, refused[0].Chain)
				}
			}
			g.edges = g.edges[:len(g.edges)-1]
		}
	})
}

// TestManyBelow merges many groups in order.
func TestManyBelow(t *testing.T) {
	g := &graph{}
	ids := []string{"top"}
	for i := range 30 {
		id := fmt.Sprintf("g%02d", i)
		ids = append(ids, id)
		g.put("top", id)
		for j := range 200 {
			g.put(id, fmt.Sprintf("u%04d", (j*31+i*57)%3000))
		}
	}
	for name, dir := range directories(t, g, ids, 10) {
		var all []string
		err := dir.UsersBelow(t.Context(), []string{"top"}, func(users []string) error {
			if len(users) > Batch {
				t.Errorf("a batch of %d", len(users))
			}
			all = append(all, users...)
			return nil
		})
		if err != nil || !slices.IsSorted(all) || len(slices.Compact(slices.Clone(all))) != len(all) || len(all) < 2000 {
			t.Errorf("%s: %d users, sorted: %v, error %v", name, len(all), slices.IsSorted(all), err)
		}
	}
}

// TestIdlePages lists idle memberships of more groups than a page has.
func TestIdlePages(t *testing.T) {
	g := &graph{}
	var ids []string
	for i := range Batch + 5 {
		ids = append(ids, fmt.Sprintf("g%04d", i))
	}
	last := ids[len(ids)-1]
	g.put(ids[0], ids[0])
	g.put(last, ids[1], ids[2])
	g.put(ids[2], last)
	for name, dir := range directories(t, g, ids, 10) {
		g.groups = g.groups[:len(ids)]
		var got []string
		for after, more := "", true; more; more = after != "" {
			idle, next, err := dir.IdleNesting(t.Context(), after)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range idle {
				got = append(got, fmt.Sprint(e.GroupID, " ", e.Member.ID, " ", e.IsCircle))
			}
			after = next
		}
		want := []string{ids[0] + " " + ids[0] + " true", last + " " + ids[2] + " true", ids[2] + " " + last + " true"}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
