package bulk

import (
	"cmp"
	"slices"
)

// Order returns the operations in units, in the order in which they run. A unit is one
// operation, or several that refer to each other in a circle and have to run together.
//
// The order is that of the request, with one exception: an operation that refers to a later
// one runs immediately after it. A circle runs in the place of its last operation.
func (j *Job) Order() [][]*Part {
	units, unitOf := circles(j.Parts)
	pending := make([]int, len(units))   // how many units a unit still waits for
	waiting := make([][]int, len(units)) // the units that wait for a unit
	for u, unit := range units {
		for _, p := range unit {
			for _, q := range p.needs {
				if n := unitOf[q.At]; n != u && !slices.Contains(waiting[n], u) {
					waiting[n] = append(waiting[n], u)
					pending[u]++
				}
			}
		}
	}
	last := func(u int) int { return units[u][len(units[u])-1].At }
	var out [][]*Part
	var emit func(u, now int)
	emit = func(u, now int) {
		out = append(out, units[u])
		slices.SortFunc(waiting[u], func(a, b int) int { return cmp.Compare(last(a), last(b)) })
		for _, w := range waiting[u] {
			// A unit whose own place is still to come keeps that place.
			if pending[w]--; pending[w] == 0 && last(w) < now {
				emit(w, now)
			}
		}
	}
	for i := range j.Parts {
		if u := unitOf[i]; last(u) == i && pending[u] == 0 {
			emit(u, i)
		}
	}
	return out
}

// circles groups operations into units: those that refer to each other in a circle are
// one unit, any other operation is a unit of its own. These are the strongly connected
// components, found with Tarjan's algorithm. A unit keeps the order of the request.
// unitOf has the unit of each operation by its place in the request.
func circles(parts []*Part) (units [][]*Part, unitOf []int) {
	const none = -1
	unitOf = slices.Repeat([]int{none}, len(parts))
	index := make([]int, len(parts)) // when Tarjan's algorithm visits an operation, from 1 on
	low := make([]int, len(parts))   // the smallest index on the stack that it leads to
	visits := 0
	var stack []*Part
	var visit func(p *Part)
	visit = func(p *Part) {
		visits++
		index[p.At], low[p.At] = visits, visits
		stack = append(stack, p)
		for _, q := range p.needs {
			switch {
			case index[q.At] == 0:
				visit(q)
				low[p.At] = min(low[p.At], low[q.At])
			case unitOf[q.At] == none: // q is on the stack
				low[p.At] = min(low[p.At], index[q.At])
			}
		}
		if low[p.At] < index[p.At] {
			return
		}
		i := slices.Index(stack, p)
		unit := slices.Clone(stack[i:])
		stack = stack[:i]
		slices.SortFunc(unit, func(a, b *Part) int { return cmp.Compare(a.At, b.At) })
		for _, q := range unit {
			unitOf[q.At] = len(units)
		}
		units = append(units, unit)
	}
	for _, p := range parts {
		if index[p.At] == 0 {
			visit(p)
		}
	}
	return units, unitOf
}
