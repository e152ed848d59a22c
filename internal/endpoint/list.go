package endpoint

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/filterlang"
	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/match"
	"github.com/scimkit/scim/internal/model"
	"github.com/scimkit/scim/internal/wire"
)

// list answers GET of a resource type, and POST of its .search: filter, sort and
// either paging.
func (o *operation) list(ctx context.Context, t *model.Type) (*answer, error) {
	if o.params.cursor != nil {
		return o.listByCursor(ctx, t)
	}
	q, err := o.query(ctx, t)
	if err != nil {
		return nil, err
	}
	start, limit := o.window()
	q.Offset, q.Limit, q.Total = start-1, limit, true
	page, err := o.page(ctx, t, q)
	if err != nil {
		return nil, err
	}
	return o.listAnswer(ctx, page.Resources, page.Total, `,"startIndex":`+strconv.Itoa(start))
}

// window is the part of a list that index paging asks for (RFC 7644, Section
// 3.4.2.4): a startIndex below 1 means 1, and a count above the limit is cut.
func (o *operation) window() (start, limit int) {
	start, limit = 1, o.h.c.Limits.PageSize
	if o.params.startIndex != nil {
		start = max(1, *o.params.startIndex)
	}
	if o.params.count != nil {
		limit = max(0, *o.params.count)
	}
	return start, min(limit, o.h.c.Limits.MaxPage)
}

// page asks the tenant and the store.
func (o *operation) page(ctx context.Context, t *model.Type, q *host.Query) (*host.Page, error) {
	if err := o.allow(ctx, host.OpList, t, "", q); err != nil {
		return nil, err
	}
	if q.IDs != nil && len(q.IDs) == 0 {
		return &host.Page{}, nil
	}
	page, err := o.t.Stores.List(ctx, t, q)
	if err != nil {
		return nil, err
	}
	for _, r := range page.Resources {
		if err := o.t.dir.Check(r); err != nil {
			return nil, err
		}
	}
	return page, nil
}

// listAnswer is a ListResponse of resources of any types. extra is JSON for what
// depends on the kind of paging.
func (o *operation) listAnswer(ctx context.Context, rs []*doc.Document, total int, extra string) (*answer, error) {
	b := []byte(`{"schemas":["` + wire.ListResponse + `"],"totalResults":`)
	b = strconv.AppendInt(b, int64(total), 10)
	b = append(b, `,"itemsPerPage":`...)
	b = strconv.AppendInt(b, int64(len(rs)), 10)
	b = append(b, extra...)
	b = append(b, `,"Resources":[`...)
	// One selection for each type: clients choose how many names are in it.
	selections := map[*model.Type]*doc.Selection{}
	for len(rs) > 0 {
		// Resources of one type are derived together.
		n := 1
		for n < len(rs) && rs[n].Type == rs[0].Type {
			n++
		}
		sel, made := selections[rs[0].Type]
		if !made {
			sel = o.selection(rs[0].Type)
			selections[rs[0].Type] = sel
		}
		full, err := o.derive(ctx, rs[0].Type, sel, rs[:n]...)
		if err != nil {
			return nil, err
		}
		for _, r := range full {
			if b[len(b)-1] != '[' {
				b = append(b, ',')
			}
			b = o.encode(b, r, sel, o.location(host.RefOf(r)))
		}
		rs = rs[n:]
	}
	return &answer{status: http.StatusOK, body: append(b, ']', '}')}, nil
}

// query makes the Query of a list request, without its window.
func (o *operation) query(ctx context.Context, t *model.Type) (q *host.Query, err error) {
	p := o.params
	q = &host.Query{}
	if p.sortBy != "" {
		if q.SortBy, err = o.t.sortable(t, p.sortBy); err != nil {
			return nil, err
		}
		if q.Descending, err = p.descending(); err != nil {
			return nil, err
		}
	}
	if p.filter == "" {
		return q, nil
	}
	q.Filter, err = match.Parse(t, p.filter, filterlang.Limits{Length: o.h.c.Limits.Filter}, o.use)
	if err != nil {
		return nil, err
	}
	return q, o.memberFilter(ctx, t, q)
}

func (p *params) descending() (bool, error) {
	switch strings.ToLower(p.sortOrder) {
	case "", "ascending":
		return false, nil
	case "descending":
		return true, nil
	}
	return false, fault.Refuse(http.StatusBadRequest, "invalidValue", "sortOrder must be ascending or descending")
}

// sortable resolves the attribute of a sortBy parameter (RFC 7644, Section 3.4.2.3).
func (t *tenant) sortable(rt *model.Type, path string) (string, error) {
	a := rt.Find(path)
	derived := t.dir.Derived(rt)
	switch {
	case a == nil:
		return "", (fault.New(fault.InvalidPath, "sortBy: %s has no attribute %q", rt.Name, path))
	case derived != nil && (a == derived || a.Parent == derived):
		return "", (fault.New(fault.InvalidPath, "sortBy: %s cannot be sorted by: memberships are not kept in the resource", a.Path))
	case a.Returned == model.Never || a.Mutability == model.WriteOnly:
		return "", (fault.New(fault.InvalidPath, "sortBy: %s cannot be sorted by", a.Path))
	case a.Kind == model.Complex && a.Lookup("value") == nil:
		return "", (fault.New(fault.InvalidPath, "sortBy: %s is complex: name one of its sub-attributes", a.Path))
	}
	return a.Path, nil
}
