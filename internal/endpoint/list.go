package endpoint

import (
	"context"
	"net/http"
	"strings"

	"github.com/scimkit/scim/internal/directory"
	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/filterlang"
	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/match"
	"github.com/scimkit/scim/internal/model"
)

// lister answers requests for lists.
type lister struct {
	r     *request
	known []host.Membership // the memberships of all users of the list; nil: they are not read yet
}

// list answers GET of a resource type and POST of its .search. It filters, sorts and pages,
// by index or by cursor.
func (l *lister) list(ctx context.Context, t *model.Type) (*answer, error) {
	if l.r.params.cursor != nil {
		return l.listByCursor(ctx, t)
	}
	q, err := l.query(t)
	if err != nil {
		return nil, err
	}
	start, limit := l.window()
	q.Offset, q.Limit, q.Total = start-1, limit, true
	rows, err := l.open(ctx, t, q)
	if err != nil {
		return nil, err
	}
	l.known = rows.Groups
	return l.listByIndex(ctx, rows, rows.Total)
}

// window is the part of a list that index paging asks for (RFC 7644, Section 3.4.2.4). A
// startIndex below 1 means 1. window lowers a count above the limit to the limit.
func (l *lister) window() (start, limit int) {
	start, limit = 1, l.r.s.c.Limits.PageSize
	if l.r.params.startIndex != nil {
		start = max(1, *l.r.params.startIndex)
	}
	if l.r.params.count != nil {
		limit = max(0, *l.r.params.count)
	}
	return start, min(limit, l.r.s.c.Limits.MaxPage)
}

// maxListWork is the work of a filter, in units of match.Work, in a store that compares in
// this process. It is enough for one comparison with a name of each of a million users.
const maxListWork = 2_000_000_000

// open asks the tenant for permission and the store for the resources of a query.
func (l *lister) open(ctx context.Context, t *model.Type, q *host.Query) (*directory.Rows, error) {
	q.ForClient, q.WithGroups = true, l.r.showsGroups(t)
	if err := l.r.refuseHidden(ctx, t, q); err != nil {
		return nil, err
	}
	if err := l.r.may(ctx, host.OpList, t, "", q); err != nil {
		return nil, err
	}
	if q.Filter != nil {
		// This reads, so permission comes first.
		if err := l.r.dir.LookUpMembers(ctx, t, q, l.viewer()); err != nil {
			return nil, err
		}
	}
	q.Work = match.NewWork(ctx, maxListWork, fault.New(fault.TooMany,
		"the filter compares too many bytes: each comparison counts the values that it looks at; use fewer of them, or look for fewer resources, for example by eq on userName"))
	return l.r.dir.Open(ctx, t, q)
}

// query makes the Query of a list request, without its window. Its filter still has the terms
// about memberships, which open looks up.
func (l *lister) query(t *model.Type) (q *host.Query, err error) {
	p := l.r.params
	q = &host.Query{MaxComparisons: l.r.s.c.Limits.Comparisons}
	if p.sortBy != "" {
		if q.SortBy, err = l.resolveSortBy(t, p.sortBy); err != nil {
			return nil, err
		}
		if q.Descending, err = p.descending(); err != nil {
			return nil, err
		}
	}
	if p.filter != "" {
		q.Filter, err = match.Parse(t, p.filter, filterlang.Limits{Length: l.r.s.c.Limits.Filter}, l.r.use)
		if err != nil {
			return nil, err
		}
	}
	return q, nil
}

// viewer says what the client may see in filters about memberships.
func (l *lister) viewer() directory.Viewer {
	return directory.Viewer{Use: l.r.use, MayList: l.r.mayList}
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

// resolveSortBy resolves the attribute of a sortBy parameter (RFC 7644, Section 3.4.2.3).
func (l *lister) resolveSortBy(rt *model.Type, path string) (string, error) {
	a := rt.Find(path)
	derived := l.r.dir.Derived(rt)
	switch {
	case a == nil:
		return "", (fault.New(fault.InvalidPath, "sortBy: %s has no attribute %s", rt.Name, fault.Quote(path)))
	case derived != nil && (a == derived || a.Parent == derived):
		return "", (fault.New(fault.InvalidPath, "sortBy: lists cannot be sorted by %s: the resource does not contain its memberships", a.Path))
	case a.Returned == model.Never || a.Mutability == model.WriteOnly:
		return "", (fault.New(fault.InvalidPath, "sortBy: lists cannot be sorted by %s", a.Path))
	case a.Kind == model.Complex && a.Lookup("value") == nil:
		return "", (fault.New(fault.InvalidPath, "sortBy: %s is complex: name one of its sub-attributes", a.Path))
	}
	return a.Path, nil
}
