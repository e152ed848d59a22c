package directory

import (
	"context"
	"math"
	"slices"
	"time"
)

// network is groups with steps from each to others: to those of which it is a member, or to
// its own members. A group is known by its place in ids.
type network struct {
	ids    []string
	places map[string]int32
	steps  [][]step // by place
}

// step leads from one group to another one.
type step struct {
	to       int32
	isCircle bool // the step is a part of a circle: see markCircles
	since    time.Time
}

// place returns the place of a group. A group that is not known yet gets one.
func (n *network) place(id string) int32 {
	at, ok := n.places[id]
	if !ok {
		if n.places == nil {
			n.places = map[string]int32{}
		}
		at = int32(len(n.ids))
		n.ids, n.steps = append(n.ids, id), append(n.steps, nil)
		n.places[id] = at
	}
	return at
}

// longest says of each group how many steps the longest walk from it takes, at most limit.
// Walks take no steps of circles.
func (n *network) longest(ctx context.Context, limit int) ([]int, error) {
	walks := make([]int, len(n.ids))
	for length := 1; length <= limit; length++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		isLonger := func(s step) bool { return !s.isCircle && walks[s.to] >= length-1 }
		var longer []int
		for at, steps := range n.steps {
			// All steps of a round are compared with the walks of the round before.
			if walks[at] == length-1 && slices.ContainsFunc(steps, isLonger) {
				longer = append(longer, at)
			}
		}
		if len(longer) == 0 {
			break
		}
		if length > len(n.ids) { // a walk that visits a group twice can be as long as one likes
			length = limit
		}
		for _, at := range longer {
			walks[at] = length
		}
	}
	return walks, nil
}

// walk returns the groups on a longest walk from one group. walks is what longest returned.
func (n *network) walk(at int32, walks []int) []string {
	ids := []string{n.ids[at]}
	for left := walks[at] - 1; left >= 0; left-- {
		i := slices.IndexFunc(n.steps[at], func(s step) bool { return !s.isCircle && walks[s.to] >= left })
		at = n.steps[at][i].to
		ids = append(ids, n.ids[at])
	}
	return ids
}

// markCircles marks the steps of circles that take at most limit steps after this one.
func (n *network) markCircles(ctx context.Context, limit int) error {
	type place struct{ from, step int32 }
	set := make([]int, len(n.ids)) // by place
	sets := n.components()
	for i, groups := range sets {
		for _, at := range groups {
			set[at] = i
		}
	}
	into := make([][]place, len(n.ids)) // by place, the steps from groups of the same set
	for from, steps := range n.steps {
		for i, s := range steps {
			if set[from] == set[s.to] {
				into[s.to] = append(into[s.to], place{int32(from), int32(i)})
			}
		}
	}
	seen := make([]int32, len(n.ids)) // by place, the last search that has found the group
	for start := range into {
		if len(into[start]) == 0 {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		search := int32(start + 1)
		seen[start] = search
		found := []int32{int32(start)}
		size := len(sets[set[start]])
		for level, done := 0, 0; level < limit && done < len(found) && len(found) < size; level++ {
			for end := len(found); done < end && len(found) < size; done++ {
				for _, s := range n.steps[found[done]] {
					if seen[s.to] != search && set[s.to] == set[start] {
						seen[s.to] = search
						found = append(found, s.to)
					}
				}
			}
		}
		for _, p := range into[start] {
			n.steps[p.from][p.step].isCircle = seen[p.from] == search
		}
	}
	return nil
}

// components divides the groups into sets: each group of a set leads to each other one. This
// is the algorithm of Tarjan, without recursion.
func (n *network) components() (sets [][]int32) {
	type visit struct {
		at   int32
		next int // the next step
	}
	// By place: when the search has come to the group (0: not yet), and the first group in no
	// set to which the group leads as far as is known.
	first, low := make([]int32, len(n.ids)), make([]int32, len(n.ids))
	var open []int32 // the groups that are in no set yet
	var way []visit
	count := int32(0)
	enter := func(at int32) {
		count++
		first[at], low[at] = count, count
		open, way = append(open, at), append(way, visit{at: at})
	}
	leave := func(at int32) {
		if way = way[:len(way)-1]; len(way) > 0 {
			last := way[len(way)-1].at
			low[last] = min(low[last], low[at])
		}
		if low[at] < first[at] {
			return
		}
		i := len(open) - 1
		for ; open[i] != at; i-- {
			low[open[i]] = math.MaxInt32
		}
		low[at] = math.MaxInt32
		sets, open = append(sets, slices.Clone(open[i:])), open[:i]
	}
	for root := range n.ids {
		if first[root] != 0 {
			continue
		}
		for enter(int32(root)); len(way) > 0; {
			v := &way[len(way)-1]
			if v.next == len(n.steps[v.at]) {
				leave(v.at)
				continue
			}
			to := n.steps[v.at][v.next].to
			v.next++
			if first[to] == 0 {
				enter(to)
			} else {
				low[v.at] = min(low[v.at], low[to])
			}
		}
	}
	return sets
}
