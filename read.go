package scim

import (
	"context"
	"errors"
	"hash/fnv"
	"net/http"
	"strconv"
	"strings"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/filterlang"
)

// get answers GET of one resource.
func (o *operation) get(ctx context.Context, t *ResourceType, id string) (*answer, error) {
	if err := o.allow(ctx, OpGet, t, id, nil); err != nil {
		return nil, err
	}
	r, err := o.fetch(ctx, Ref{t.Name(), id})
	if err != nil {
		return nil, err
	}
	tag := etag(r)
	if h := o.header.Values("If-None-Match"); len(h) > 0 && tagMatches(h, tag) {
		return &answer{status: http.StatusNotModified, etag: tag}, nil
	}
	return o.show(ctx, http.StatusOK, r)
}

// fetch gets a resource and checks that it is bound to the type that is served.
func (o *operation) fetch(ctx context.Context, ref Ref) (*Resource, error) {
	r, err := o.t.Store.Get(ctx, ref)
	if errors.Is(err, ErrNotFound) {
		return nil, notFound(ref)
	}
	if err != nil {
		return nil, err
	}
	return r, o.t.bound(r)
}

// bound guards against a store that binds its resources to types of its own making.
func (t *tenant) bound(r *Resource) error {
	if r == nil {
		return errors.New("scim: the store returned neither a resource nor an error")
	}
	if t.typeOf(r.t.Name()) != r.t {
		return errors.New("scim: the store's " + r.t.Name() + " is bound to another ResourceType than the handler's: share one value")
	}
	return nil
}

// show answers with one resource.
func (o *operation) show(ctx context.Context, status int, r *Resource) (*answer, error) {
	sel := o.selection(r.t)
	full, err := o.derive(ctx, r.t, sel, r)
	if err != nil {
		return nil, err
	}
	loc := o.location(r.Ref())
	return &answer{status: status, location: loc, etag: etag(r), body: o.encode(nil, full[0], sel, loc)}, nil
}

func (o *operation) encode(dst []byte, r *Resource, sel *doc.Selection, location string) []byte {
	d := r.d
	if d.Version == "" {
		d.Version = hash(r)
	}
	return doc.Append(dst, &d, doc.Encode{Select: sel, Location: location})
}

// etag is a resource's weak entity tag (RFC 7644, Section 3.14): the store's version,
// or else a hash of the content.
func etag(r *Resource) string {
	v := r.d.Version
	if v == "" {
		v = hash(r)
	}
	return `W/"` + v + `"`
}

func hash(r *Resource) string {
	h := fnv.New64a()
	h.Write(doc.Append(nil, &r.d, doc.Encode{Stored: true})) //nolint:errcheck // never fails
	return strconv.FormatUint(h.Sum64(), 36)
}

// tagMatches compares the opaque part with each tag of an If-Match or If-None-Match
// header, or with "*" (RFC 7232, Section 3).
func tagMatches(header []string, tag string) bool {
	bare := func(s string) string { return strings.Trim(strings.TrimPrefix(strings.TrimSpace(s), "W/"), `"`) }
	for _, line := range header {
		for one := range strings.SplitSeq(line, ",") {
			if b := bare(one); b == "*" || b == bare(tag) {
				return true
			}
		}
	}
	return false
}

// precondition checks If-Match and If-None-Match before a write.
func (o *operation) precondition(before *Resource) error {
	tag := etag(before)
	if h := o.header.Values("If-Match"); len(h) > 0 && !tagMatches(h, tag) {
		return &Error{Status: http.StatusPreconditionFailed, Detail: "the resource has changed: it is now at version " + tag}
	}
	if h := o.header.Values("If-None-Match"); len(h) > 0 && tagMatches(h, tag) {
		return &Error{Status: http.StatusPreconditionFailed, Detail: "the resource is at version " + tag + ", which If-None-Match excludes"}
	}
	return nil
}

// list answers GET of a resource type: filter, sort and index paging.
func (o *operation) list(ctx context.Context, t *ResourceType) (*answer, error) {
	q, start, err := o.query(ctx, t)
	if err != nil {
		return nil, err
	}
	if err := o.allow(ctx, OpList, t, "", q); err != nil {
		return nil, err
	}
	page := &Page{}
	if q.IDs == nil || len(q.IDs) > 0 {
		if page, err = o.t.Store.List(ctx, t, q); err != nil {
			return nil, err
		}
	}
	sel := o.selection(t)
	for _, r := range page.Resources {
		if err := o.t.bound(r); err != nil {
			return nil, err
		}
	}
	full, err := o.derive(ctx, t, sel, page.Resources...)
	if err != nil {
		return nil, err
	}
	b := []byte(`{"schemas":["` + listSchema + `"],"totalResults":`)
	b = strconv.AppendInt(b, int64(page.Total), 10)
	b = append(b, `,"itemsPerPage":`...)
	b = strconv.AppendInt(b, int64(len(full)), 10)
	b = append(b, `,"startIndex":`...)
	b = strconv.AppendInt(b, int64(start), 10)
	b = append(b, `,"Resources":[`...)
	for i, r := range full {
		if i > 0 {
			b = append(b, ',')
		}
		b = o.encode(b, r, sel, o.location(r.Ref()))
	}
	return &answer{status: http.StatusOK, body: append(b, ']', '}')}, nil
}

// query makes the Query of a list request. start is the startIndex to answer with.
func (o *operation) query(ctx context.Context, t *ResourceType) (q *Query, start int, err error) {
	p := o.params
	start, limit := 1, o.h.c.Limits.PageSize
	if p.startIndex != nil {
		start = max(1, *p.startIndex)
	}
	if p.count != nil {
		limit = min(max(0, *p.count), o.h.c.Limits.MaxPage)
	}
	q = &Query{Offset: start - 1, Limit: limit, Total: true}
	if p.sortBy != "" {
		if q.SortBy, err = sortable(t, p.sortBy); err != nil {
			return nil, 0, err
		}
		switch strings.ToLower(p.sortOrder) {
		case "", "ascending":
		case "descending":
			q.Descending = true
		default:
			return nil, 0, refuse(http.StatusBadRequest, "invalidValue", "sortOrder must be ascending or descending")
		}
	}
	if p.filter == "" {
		return q, start, nil
	}
	q.Filter, err = parseFilter(t, p.filter, filterlang.Limits{Length: o.h.c.Limits.Filter}, o.use)
	if err != nil {
		return nil, 0, err
	}
	if o.t.members != nil && t.m.Members != nil {
		if err := o.memberFilter(ctx, t, q); err != nil {
			return nil, 0, err
		}
	}
	return q, start, nil
}
