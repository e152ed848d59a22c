package scim

import (
	"context"
	"errors"
	"hash/fnv"
	"net/http"
	"strconv"
	"strings"

	"github.com/scimkit/scim/internal/doc"
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
	return &answer{status: status, location: loc, etag: etag(r), body: o.encode(make([]byte, 0, 1<<10), full[0], sel, loc)}, nil
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
