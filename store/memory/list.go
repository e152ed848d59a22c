package memory

import (
	"context"
	"iter"

	"github.com/scimkit/scim"
)

// List implements scim.Store. A page of all resources in order of creation costs the same
// at any depth. An equality filter on an indexed attribute looks only at the resources
// that the index finds. Any other filter, and sorting, looks at all resources. Writers do
// not wait for that.
func (s *Store) List(ctx context.Context, t *scim.ResourceType, q *scim.Query) (*scim.Page, error) {
	var page *scim.Page
	var some []*scim.Resource
	err := s.read(ctx, func() error {
		switch tab := s.tables[t.Name()]; {
		case tab == nil:
		case q.Filter == nil && q.IDs == nil && q.SortBy == "":
			page = tab.page(q)
		default:
			some = tab.narrow(q)
		}
		return nil
	})
	if err != nil || page != nil {
		return page, err
	}
	return scim.Scan(q, each(ctx, some))
}

// each yields the resources until ctx ends.
func each(ctx context.Context, list []*scim.Resource) iter.Seq2[*scim.Resource, error] {
	return func(yield func(*scim.Resource, error) bool) {
		for i, r := range list {
			if i%1024 == 1023 && ctx.Err() != nil {
				yield(nil, ctx.Err())
				return
			}
			if !yield(r, nil) {
				return
			}
		}
	}
}

// page returns a page of all resources, in order of creation.
func (t *table) page(q *scim.Query) *scim.Page {
	n := t.order.Len()
	page := &scim.Page{Total: n}
	if q.Limit <= 0 {
		return page
	}
	page.Resources = make([]*scim.Resource, 0, min(q.Limit, n))
	var from, behind *row
	if q.After != nil {
		behind = &row{created: q.After.Created.Round(0), id: q.After.ID}
		from = behind
	} else {
		i := max(q.Offset, 0)
		if q.Descending {
			i = n - 1 - i
		}
		w, ok := t.order.GetAt(i)
		if !ok {
			return page
		}
		from = w
	}
	walk := t.order.Ascend
	if q.Descending {
		walk = t.order.Descend
	}
	walk(from, func(w *row) bool {
		if behind != nil && !before(w, behind) && !before(behind, w) {
			return true // the resource at that place itself
		}
		page.Resources = append(page.Resources, w.r)
		return len(page.Resources) < q.Limit
	})
	return page
}

// narrow lists the resources that can match, each once, in any order. Scan then decides.
func (t *table) narrow(q *scim.Query) []*scim.Resource {
	var list []*scim.Resource
	if id, ok := q.Filter.Eq("id"); ok {
		if w := t.ids[id]; w != nil {
			list = append(list, w.r)
		}
		return list
	}
	// Use the attribute whose value the fewest resources have.
	var best *index
	var key uint64
	for _, x := range t.indexes {
		if v, ok := q.Filter.Eq(x.path); ok {
			if k := hash(v); best == nil || x.count(k) < best.count(key) {
				best, key = x, k
			}
		}
	}
	if q.IDs != nil && (best == nil || len(q.IDs) < best.count(key)) {
		for _, id := range distinct(q.IDs) {
			if w := t.ids[id]; w != nil {
				list = append(list, w.r)
			}
		}
		return list
	}
	if best != nil {
		for w := range best.rows(key) {
			list = append(list, w.r)
		}
		return list
	}
	list = make([]*scim.Resource, 0, t.order.Len())
	t.order.Scan(func(w *row) bool {
		list = append(list, w.r)
		return true
	})
	return list
}
