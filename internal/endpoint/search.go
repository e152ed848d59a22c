package endpoint

import (
	"context"
	"net/http"
	"strconv"

	filter "github.com/scim2/filter-parser/v2"

	"github.com/scimkit/scim/internal/directory"
	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/filterlang"
	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/match"
	"github.com/scimkit/scim/internal/model"
)

// search answers POST of a .search, of one type or, if t is nil, of all types.
func (l *lister) search(ctx context.Context, t *model.Type, body []byte) (*answer, error) {
	var err error
	if l.r.params, err = parseSearch(body, l.r.use); err != nil {
		return nil, err
	}
	if t == nil {
		return l.listAll(ctx)
	}
	return l.list(ctx, t)
}

// rootDepth is how far index paging reaches in a query over all types. Such a query reads
// and merges that many resources of each type.
const rootDepth = 10_000

// listAll answers a query over all resource types (RFC 7644, Section 3.4.2.1). If a type
// does not have an attribute of the filter, the attribute counts as absent.
func (l *lister) listAll(ctx context.Context) (*answer, error) {
	if l.r.params.cursor != nil {
		return nil, fault.Refuse(http.StatusBadRequest, "invalidCursor", "cursors are for one resource type: query "+endpoints(&l.r.t.Types))
	}
	start, limit := l.window()
	if start > rootDepth-limit { // start+limit can overflow
		return nil, fault.Refuse(http.StatusBadRequest, "tooMany", "a query over all types reaches at most "+strconv.Itoa(rootDepth)+" resources: narrow it down by a filter, or query one resource type")
	}
	down, err := l.r.params.descending()
	if err != nil {
		return nil, err
	}
	if err := l.refuseUnknown(); err != nil {
		return nil, err
	}
	src := &union{by: l.r.params.sortBy, descending: down}
	skip, want, total := start-1, limit, 0
	for _, t := range l.r.t.Types.All {
		q, err := l.queryPart(t)
		if err != nil {
			return nil, err
		}
		q.Total, q.Offset, q.Limit = true, skip, want
		if src.by != "" && limit > 0 { // any type may have the resources before the page
			q.Offset, q.Limit = 0, start-1+limit
		}
		rows, err := l.open(ctx, t, q)
		if err != nil {
			return nil, err
		}
		src.parts = append(src.parts, rows)
		total += rows.Total
		want -= min(want, max(0, rows.Total-skip))
		skip = max(0, skip-rows.Total)
	}
	if src.by != "" && limit > 0 {
		for range start - 1 {
			if _, err := src.Next(ctx); err != nil {
				return nil, err
			}
		}
	}
	return l.listByIndex(ctx, src, total)
}

// union is resources of several types: one type after the other, or sorted by an attribute.
type union struct {
	parts      []*directory.Rows
	by         string // the path of the attribute; "": the types are not mixed
	descending bool
	heads      []*doc.Document // the next resource of each part, if by is set
}

// Next implements source.
func (u *union) Next(ctx context.Context) (*doc.Document, error) {
	if u.by == "" {
		for _, p := range u.parts {
			if d, err := p.Next(ctx); d != nil || err != nil {
				return d, err
			}
		}
		return nil, nil
	}
	if u.heads == nil {
		u.heads = make([]*doc.Document, len(u.parts))
		for i := range u.parts {
			if err := u.advance(ctx, i); err != nil {
				return nil, err
			}
		}
	}
	first := -1
	for i, d := range u.heads {
		if d == nil {
			continue
		}
		c := 0
		if first >= 0 {
			if c = compareKeys(d, u.heads[first], u.by); u.descending {
				c = -c
			}
		}
		if first < 0 || c < 0 {
			first = i
		}
	}
	if first < 0 {
		return nil, nil
	}
	d := u.heads[first]
	return d, u.advance(ctx, first)
}

// advance reads the next resource of a part.
func (u *union) advance(ctx context.Context, i int) (err error) {
	u.heads[i], err = u.parts[i].Next(ctx)
	return err
}

// compareKeys orders resources of different types by an attribute of the same path.
func compareKeys(a, b *doc.Document, path string) int {
	x, y := a.Type.Find(path), b.Type.Find(path)
	var v, w doc.Value
	if x != nil {
		v = match.SortKey(a, x)
	}
	if y != nil {
		w = match.SortKey(b, y)
	}
	at := x
	if at == nil {
		at = y
	}
	if at == nil {
		return 0
	}
	return match.Compare(at, v, w)
}

// refuseUnknown refuses a query with an attribute that no type has.
func (l *lister) refuseUnknown() error {
	p := l.r.params
	if p.sortBy != "" {
		var err error
		for _, t := range l.r.t.Types.All {
			_, e := l.resolveSortBy(t, p.sortBy)
			if e == nil {
				err = nil
				break
			}
			if err == nil || t.Find(p.sortBy) != nil {
				err = e
			}
		}
		if err != nil {
			return err
		}
	}
	if p.filter == "" {
		return nil
	}
	e, err := filterlang.ParseFilter(p.filter, filterlang.Limits{Length: l.r.s.c.Limits.Filter}, l.r.use)
	if err != nil {
		return err
	}
	var unknown func(e filter.Expression) error
	unknown = func(e filter.Expression) error {
		switch x := e.(type) {
		case *filter.LogicalExpression:
			if err := unknown(x.Left); err != nil {
				return err
			}
			return unknown(x.Right)
		case *filter.NotExpression:
			return unknown(x.Expression)
		}
		for _, t := range l.r.t.Types.All {
			if hasAttribute(t, e) {
				return nil
			}
		}
		_, err := match.Compile(l.r.t.Types.All[0], e, l.r.use)
		return err
	}
	return unknown(e)
}

// hasAttribute reports whether t has the attribute of a comparison or value path.
func hasAttribute(t *model.Type, e filter.Expression) bool {
	var p filter.AttributePath
	switch x := e.(type) {
	case *filter.AttributeExpression:
		p = x.AttributePath
	case *filter.ValuePath:
		p = x.AttributePath
	}
	return t.Find(p.String()) != nil
}

// queryPart is the part of the query over all types that is about one type.
func (l *lister) queryPart(t *model.Type) (*host.Query, error) {
	q := &host.Query{MaxComparisons: l.r.s.c.Limits.Comparisons}
	var err error
	if l.r.params.sortBy != "" && t.Find(l.r.params.sortBy) != nil {
		if q.SortBy, err = l.resolveSortBy(t, l.r.params.sortBy); err != nil {
			return nil, err
		}
		q.Descending, _ = l.r.params.descending() // listAll has checked it
	}
	if l.r.params.filter != "" {
		e, err := filterlang.ParseFilter(l.r.params.filter, filterlang.Limits{Length: l.r.s.c.Limits.Filter}, l.r.use)
		if err != nil {
			return nil, err
		}
		if q.Filter, err = match.Compile(t, replaceAbsent(t, e), l.r.use); err != nil {
			return nil, err
		}
	}
	return q, nil
}

// replaceAbsent replaces comparisons of attributes that t does not have by their result for
// an absent attribute. That is false, except for "ne" and "eq null".
func replaceAbsent(t *model.Type, e filter.Expression) filter.Expression {
	switch x := e.(type) {
	case *filter.LogicalExpression:
		return &filter.LogicalExpression{Left: replaceAbsent(t, x.Left), Right: replaceAbsent(t, x.Right), Operator: x.Operator}
	case *filter.NotExpression:
		return &filter.NotExpression{Expression: replaceAbsent(t, x.Expression)}
	}
	if hasAttribute(t, e) {
		return e
	}
	if x, ok := e.(*filter.AttributeExpression); ok &&
		(x.Operator == filter.NE && x.CompareValue != nil || x.Operator == filter.EQ && x.CompareValue == nil) {
		return &filter.NotExpression{Expression: directory.AnyID(nil)}
	}
	return directory.AnyID(nil)
}
