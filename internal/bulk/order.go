package bulk

import (
	"net/http"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/model"
)

// refer finds the operations that p refers to, which go before it.
func (b *Job) refer(p *Part) error {
	need := func(bulkID string) {
		if q := b.posts[bulkID]; q != nil && !slices.Contains(p.needs, q) {
			p.needs = append(p.needs, q)
		}
	}
	if id, ok := strings.CutPrefix(p.ID, Prefix); ok {
		need(id)
	}
	if p.data == nil {
		return nil
	}
	w := &rewriter{o: p.o, use: p.Use, t: p.Type, find: func(bulkID string) (host.Ref, bool, error) {
		p.rewrites = true
		need(bulkID)
		return host.Ref{}, true, nil
	}}
	_, err := w.data(p)
	return err
}

// Find tells which resource a bulkId stands for, when it is p's turn.
func (b *Job) Find(p *Part, bulkID string) (host.Ref, error) {
	q := b.posts[bulkID]
	switch {
	case q == nil:
		return host.Ref{}, fault.Refuse(http.StatusBadRequest, "invalidValue", "no POST of this request has the bulkId "+fault.Quote(bulkID))
	case q.Err != nil:
		return host.Ref{}, fault.Refuse(http.StatusBadRequest, "invalidValue", "the operation with the bulkId "+fault.Quote(bulkID)+", to which this one refers, failed")
	}
	return q.Ref, nil
}

// Rewrite is p's data with ids in the place of bulkIds. What refers to a part for
// which out says so is left out.
func (b *Job) Rewrite(p *Part, out func(*Part) bool) (jsontext.Value, []*model.Attribute, error) {
	w := &rewriter{o: p.o, use: p.Use, t: p.Type, find: func(bulkID string) (host.Ref, bool, error) {
		if q := b.posts[bulkID]; q != nil && out != nil && out(q) {
			return host.Ref{}, false, nil
		}
		ref, err := b.Find(p, bulkID)
		return ref, true, err
	}}
	if !p.rewrites {
		return p.data, nil, nil
	}
	data, err := w.data(p)
	return data, w.left, err
}

// Order lists the operations in the order in which they run: as they were sent, but
// one that refers to a later one waits for it, and those that refer to each other in
// a circle run together, in the place of the last of them.
func (b *Job) Order() [][]*Part {
	units, of := b.circles()
	pending := make([]int, len(units))
	waiting := make([][]int, len(units))
	for u, unit := range units {
		for _, p := range unit {
			for _, q := range p.needs {
				if n := of[q]; n != u && !slices.Contains(waiting[n], u) {
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
		slices.SortFunc(waiting[u], func(a, b int) int { return last(a) - last(b) })
		for _, w := range waiting[u] {
			if pending[w]--; pending[w] == 0 && last(w) < now {
				emit(w, now)
			}
		}
	}
	for i, p := range b.Parts {
		if u := of[p]; last(u) == i && pending[u] == 0 {
			emit(u, i)
		}
	}
	return out
}

// circles finds the operations that refer to each other (Tarjan's strongly connected
// components), each unit in the order of the request.
func (b *Job) circles() (units [][]*Part, of map[*Part]int) {
	of = map[*Part]int{}
	index, low := map[*Part]int{}, map[*Part]int{}
	var stack []*Part
	var visit func(p *Part)
	visit = func(p *Part) {
		index[p] = len(index) + 1
		low[p] = index[p]
		stack = append(stack, p)
		for _, q := range p.needs {
			if index[q] == 0 {
				visit(q)
				low[p] = min(low[p], low[q])
			} else if _, done := of[q]; !done {
				low[p] = min(low[p], index[q])
			}
		}
		if low[p] < index[p] {
			return
		}
		i := slices.Index(stack, p)
		unit := slices.Clone(stack[i:])
		stack = stack[:i]
		slices.SortFunc(unit, func(a, b *Part) int { return a.At - b.At })
		for _, q := range unit {
			of[q] = len(units)
		}
		units = append(units, unit)
	}
	for _, p := range b.Parts {
		if index[p] == 0 {
			visit(p)
		}
	}
	return units, of
}

// IsCircle reports whether p refers to itself.
func (b *Job) IsCircle(p *Part) bool { return slices.Contains(p.needs, p) }
