package directory

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/scimkit/scim/internal/host"
)

// web is a store with the memberships of many groups. at, if it is not nil, is called before
// each look-up.
type web struct {
	graph
	in    map[host.Ref][]host.Membership
	below map[string][]host.Member
	at    func()
}

// newWeb makes n users, each in one of n groups.
func newWeb(n int) *web {
	w := &web{in: map[host.Ref][]host.Membership{}, below: map[string][]host.Member{}}
	for i := range n {
		w.put(fmt.Sprint("g", i), userRef(fmt.Sprint("u", i)))
	}
	return w
}

func (w *web) put(parent string, m host.Ref) {
	w.in[m] = append(w.in[m], host.Membership{GroupID: parent, Member: m, Since: time.Unix(int64(len(w.in)), 0)})
	if isGroup(m) {
		w.below[parent] = append(w.below[parent], host.Member{Ref: m})
	}
}

func (w *web) GroupsOf(_ context.Context, members []host.Ref) (all []host.Membership, err error) {
	if w.at != nil {
		w.at()
	}
	for _, m := range members {
		all = append(all, w.in[m]...)
	}
	return all, nil
}

func (w *web) Members(_ context.Context, group string, after host.Ref, limit int) ([]host.Member, error) {
	all := w.below[group]
	for i, m := range all {
		if m.Ref == after {
			all = all[i+1:]
			break
		}
	}
	return all[:min(limit, len(all))], nil
}

func (w *web) directory(t *testing.T) Directory {
	dir := directories(t, &w.graph, nil, 10)["edges"]
	dir.stores.Members = w
	return dir
}

// circle puts n groups into each other, and into themselves.
func (w *web) circle(n int) {
	for i := range n {
		for j := range n {
			w.put(fmt.Sprint("g", i), groupRef(fmt.Sprint("g", j)))
		}
	}
}

// count closes n users and counts their paths.
func count(ctx context.Context, dir Directory, n int) (c *Closure, paths int, err error) {
	var users []host.Ref
	for i := range n {
		users = append(users, userRef(fmt.Sprint("u", i)))
	}
	if c, err = dir.Closure(ctx, users, nil); err != nil {
		return nil, 0, err
	}
	for _, u := range users {
		list, err := c.Paths(ctx, u)
		if err != nil {
			return nil, 0, err
		}
		paths += len(list)
	}
	return c, paths, nil
}

// TestManyPaths finds far more paths than there are memberships, and does not keep them all.
func TestManyPaths(t *testing.T) {
	const n = 1000
	tests := []struct {
		name, reason string
		fill         func(w *web)
		paths        int
		most         int // MiB
	}{
		{"a thousand groups, one group, a thousand groups", "a million paths, 2,000 memberships", func(w *web) {
			for i := range n {
				w.put("middle", groupRef(fmt.Sprint("g", i)))
				w.put(fmt.Sprint("top", i), groupRef("middle"))
			}
		}, n * (n + 2), 24},
		{"a thousand groups, and layers of a hundred", "each group is in all of the next layer", func(w *web) {
			below, width := "g", n
			for layer := range 9 {
				next := fmt.Sprint("layer", layer, "-")
				for i := range width {
					for j := range 100 {
						w.put(fmt.Sprint(next, j), groupRef(fmt.Sprint(below, i)))
					}
				}
				below, width = next, 100
			}
		}, n * (1 + 900), 32},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWeb(n)
			test.fill(w)
			dir := w.directory(t)
			before := liveHeap()
			c, paths, err := count(t.Context(), dir, n)
			grew := (liveHeap() - before) >> 20
			if err != nil || paths != test.paths {
				t.Errorf("%d paths, want %d, error %v", paths, test.paths, err)
			}
			if grew > int64(test.most) {
				t.Errorf("%s: they take %d MiB, want at most %d", test.reason, grew, test.most)
			}
			runtime.KeepAlive(c)
			runtime.KeepAlive(w)
			t.Logf("%d MiB", grew)
		})
	}
}

// liveHeap is how much memory is in use.
func liveHeap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestDenseCircle puts three hundred groups into each other: 90,000 circles of two groups.
func TestDenseCircle(t *testing.T) {
	const n = 300
	w := newWeb(n)
	w.circle(n)
	for i := range n {
		w.put("above", groupRef(fmt.Sprint("g", i)))
	}
	dir := w.directory(t)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if _, paths, err := count(ctx, dir, n); err != nil || paths != 2*n {
		t.Errorf("%d paths, want %d: circles give nothing, and the group above counts; error %v", paths, 2*n, err)
	}
	var groups []string
	for i := range n {
		groups = append(groups, fmt.Sprint("g", i))
	}
	below, err := dir.Below(ctx, groups...)
	if err != nil {
		t.Fatal(err)
	}
	for parent, isCircle := range map[string]bool{"g0": true, "other": false} {
		refused, err := dir.CheckNesting(ctx, parent, groups, below)
		if err != nil || len(refused) != n || refused[0].IsCircle != isCircle {
			t.Errorf("into %s: %d refusals, want %d, error %v", parent, len(refused), n, err)
		}
	}
}

// TestDenseCircleEnds ends the search for circles with the context.
func TestDenseCircleEnds(t *testing.T) {
	w := newWeb(100)
	w.circle(100)
	dir := w.directory(t)
	calls := 0
	w.at = func() { calls++ }
	c, _, err := count(t.Context(), dir, 1)
	if err != nil {
		t.Fatal(err)
	}
	all := calls
	ctx, cancel := context.WithCancel(t.Context())
	w.at = func() {
		if calls--; calls == 0 { // what follows reads nothing
			cancel()
		}
	}
	if _, err := dir.Closure(ctx, []host.Ref{userRef("u0")}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("Closure after %d of %d calls: %v", all-calls, all, err)
	}
	if _, err := c.Paths(ctx, userRef("u0")); !errors.Is(err, context.Canceled) {
		t.Errorf("Paths: %v", err)
	}
	if _, err := dir.CheckNesting(ctx, "", []string{"g0"}, Tree{"g0": {"g0"}}); !errors.Is(err, context.Canceled) {
		t.Errorf("CheckNesting: %v", err)
	}
}
