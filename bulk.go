package scim

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/host"
)

// bulk answers POST /Bulk (RFC 7644, Section 3.7). Each operation is one of its own,
// as if it had come as a request: allowed, limited, stored, told and logged by itself.
func (o *operation) bulk(ctx context.Context, body []byte) (*answer, error) {
	b, err := o.parseBulk(body)
	if err != nil {
		return nil, err
	}
	for _, p := range b.parts {
		if p.err == nil {
			p.err = b.refer(p)
		}
	}
	ran := map[*bulkPart]bool{}
	failed := 0
	for _, unit := range b.order() {
		if b.failOn > 0 && failed >= b.failOn {
			break
		}
		if errors.Is(ctx.Err(), context.Canceled) {
			return nil, ctx.Err() // nobody waits for the answer
		}
		b.run(ctx, unit)
		for _, p := range unit {
			ran[p] = true
			if p.err != nil {
				failed++
				o.h.refused(ctx, p.method, p.path, host.Answer(p.err))
			}
		}
	}
	results := []bulkResult{}
	for _, p := range b.parts {
		if ran[p] {
			results = append(results, p.result())
		}
	}
	return jsonAnswer(object{"schemas": []string{bulkResponse}, "Operations": results})
}

// part is an operation of the same client.
func (o *operation) part() *operation {
	return &operation{h: o.h, t: o.t, who: o.who, base: o.base, header: http.Header{}, use: o.t.Tolerances.Use(), w: o.h.engine.Begin(o.t.Tenant, o.who.ID)}
}

type bulkResult struct {
	Location string          `json:"location,omitempty"`
	Method   string          `json:"method"`
	BulkID   string          `json:"bulkId,omitempty"`
	Version  string          `json:"version,omitempty"`
	Status   string          `json:"status"`
	Response json.RawMessage `json:"response,omitempty"`
}

func (p *bulkPart) result() bulkResult {
	r := bulkResult{Method: p.method, BulkID: p.bulkID, Version: p.etag, Status: strconv.Itoa(p.status)}
	if p.ref.ID != "" && (p.err == nil || p.method != http.MethodPost) {
		r.Location = p.o.location(p.ref)
	}
	if p.err != nil {
		e := host.Answer(p.err)
		r.Version, r.Status, r.Response = "", strconv.Itoa(e.Status), errorBody(e)
	}
	return r
}

// refer finds the operations that p refers to, which go before it.
func (b *bulkJob) refer(p *bulkPart) error {
	need := func(bulkID string) {
		if q := b.posts[bulkID]; q != nil && !slices.Contains(p.needs, q) {
			p.needs = append(p.needs, q)
		}
	}
	if id, ok := strings.CutPrefix(p.id, bulkPrefix); ok {
		need(id)
	}
	if p.data == nil {
		return nil
	}
	w := &rewriter{o: p.o, t: p.t, find: func(bulkID string) (host.Ref, bool, error) {
		p.rewrites = true
		need(bulkID)
		return host.Ref{}, true, nil
	}}
	_, err := w.data(p)
	return err
}

// find tells which resource a bulkId stands for, when it is p's turn.
func (b *bulkJob) find(p *bulkPart, bulkID string) (host.Ref, error) {
	q := b.posts[bulkID]
	switch {
	case q == nil:
		return host.Ref{}, fault.Refuse(http.StatusBadRequest, "invalidValue", "no POST of this request has the bulkId "+fault.Quote(bulkID))
	case q.err != nil:
		return host.Ref{}, fault.Refuse(http.StatusBadRequest, "invalidValue", "the operation with the bulkId "+fault.Quote(bulkID)+", to which this one refers, failed")
	}
	return q.ref, nil
}

// rewrite is p's data with ids in the place of bulkIds. What refers to a part for
// which out says so is left out.
func (b *bulkJob) rewrite(p *bulkPart, out func(*bulkPart) bool) (jsontext.Value, *rewriter, error) {
	w := &rewriter{o: p.o, t: p.t, find: func(bulkID string) (host.Ref, bool, error) {
		if q := b.posts[bulkID]; q != nil && out != nil && out(q) {
			return host.Ref{}, false, nil
		}
		ref, err := b.find(p, bulkID)
		return ref, true, err
	}}
	if !p.rewrites {
		return p.data, w, nil
	}
	data, err := w.data(p)
	return data, w, err
}

// run runs operations that belong together: one, or several in a circle.
func (b *bulkJob) run(ctx context.Context, unit []*bulkPart) {
	defer func() {
		if r := recover(); r != nil {
			if r == http.ErrAbortHandler {
				panic(r)
			}
			// What was done before stays done, so the answer has to tell.
			err := b.o.h.panicked(http.MethodPost, r)
			for _, p := range unit {
				p.err = err
			}
		}
	}()
	if p := unit[0]; len(unit) == 1 && !slices.Contains(p.needs, p) {
		if p.err == nil {
			p.err = b.single(ctx, p)
		}
		return
	}
	b.together(ctx, unit)
}

// single runs one operation as if it had come as a request.
func (b *bulkJob) single(ctx context.Context, p *bulkPart) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if id, ok := strings.CutPrefix(p.id, bulkPrefix); ok {
		ref, err := b.find(p, id)
		if err != nil {
			return err
		}
		if ref.Type != p.t.Name {
			return fault.Refuse(http.StatusBadRequest, "invalidPath", "path: "+bulkPrefix+fault.Clip(id)+" is a "+ref.Type)
		}
		p.ref = ref
	}
	data, _, err := b.rewrite(p, nil)
	if err != nil {
		return err
	}
	err = p.act(ctx, data)
	p.o.deliver(ctx)
	return err
}

func (p *bulkPart) act(ctx context.Context, data []byte) error {
	if p.method == http.MethodPost {
		made, err := p.o.make(ctx, p.t, data)
		if err != nil {
			return err
		}
		p.made(made)
		return nil
	}
	if p.t.Members == nil {
		p.o.params.attributes = []string{"id"} // the resource is not in the answer
	}
	var a *answer
	var err error
	switch p.method {
	case http.MethodPut:
		a, err = p.o.replace(ctx, p.t, p.ref.ID, data)
	case http.MethodPatch:
		a, err = p.o.patch(ctx, p.t, p.ref.ID, data)
	default:
		a, err = p.o.delete(ctx, p.t, p.ref.ID)
	}
	if err != nil {
		return err
	}
	p.status, p.etag = a.status, a.etag
	return nil
}

// made notes what a POST has created.
func (p *bulkPart) made(r *doc.Document) {
	p.ref, p.status, p.etag = host.RefOf(r), http.StatusCreated, etag(r)
}

// order lists the operations in the order in which they run: as they were sent, but
// one that refers to a later one waits for it, and those that refer to each other in
// a circle run together, in the place of the last of them.
func (b *bulkJob) order() [][]*bulkPart {
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
	last := func(u int) int { return units[u][len(units[u])-1].at }
	var out [][]*bulkPart
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
	for i, p := range b.parts {
		if u := of[p]; last(u) == i && pending[u] == 0 {
			emit(u, i)
		}
	}
	return out
}

// circles finds the operations that refer to each other (Tarjan's strongly connected
// components), each unit in the order of the request.
func (b *bulkJob) circles() (units [][]*bulkPart, of map[*bulkPart]int) {
	of = map[*bulkPart]int{}
	index, low := map[*bulkPart]int{}, map[*bulkPart]int{}
	var stack []*bulkPart
	var visit func(p *bulkPart)
	visit = func(p *bulkPart) {
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
		slices.SortFunc(unit, func(a, b *bulkPart) int { return a.at - b.at })
		for _, q := range unit {
			of[q] = len(units)
		}
		units = append(units, unit)
	}
	for _, p := range b.parts {
		if index[p] == 0 {
			visit(p)
		}
	}
	return units, of
}
