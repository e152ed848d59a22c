package endpoint

import (
	"context"
	"net/http"
	"strings"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/model"
)

// get answers GET of one resource.
func (o *operation) get(ctx context.Context, t *model.Type, id string) (*answer, error) {
	if err := o.allow(ctx, host.OpGet, t, id, nil); err != nil {
		return nil, err
	}
	r, err := o.t.dir.Fetch(ctx, host.Ref{Type: t.Name, ID: id})
	if err != nil {
		return nil, err
	}
	tag := etag(r)
	if h := o.header.Values("If-None-Match"); len(h) > 0 && tagMatches(h, tag) {
		return &answer{status: http.StatusNotModified, etag: tag}, nil
	}
	return o.show(ctx, http.StatusOK, r)
}

// show answers with one resource.
func (o *operation) show(ctx context.Context, status int, r *doc.Document) (*answer, error) {
	sel := o.selection(r.Type)
	full, err := o.derive(ctx, r.Type, sel, r)
	if err != nil {
		return nil, err
	}
	loc := o.location(host.RefOf(r))
	return &answer{status: status, location: loc, etag: etag(r), body: o.encode(make([]byte, 0, 1<<10), full[0], sel, loc)}, nil
}

func (o *operation) encode(dst []byte, r *doc.Document, sel *doc.Selection, location string) []byte {
	d := *r
	if d.Version == "" {
		d.Version = d.Hash()
	}
	return doc.Append(dst, &d, doc.Encode{Select: sel, Location: location})
}

// etag is a resource's weak entity tag (RFC 7644, Section 3.14): the store's version,
// or else a hash of the content.
func etag(r *doc.Document) string {
	v := r.Version
	if v == "" {
		v = r.Hash()
	}
	return `W/"` + v + `"`
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
func (o *operation) precondition(before *doc.Document) error {
	tag := etag(before)
	if h := o.header.Values("If-Match"); len(h) > 0 && !tagMatches(h, tag) {
		return &fault.Error{Status: http.StatusPreconditionFailed, Detail: "the resource has changed: it is now at version " + tag}
	}
	if h := o.header.Values("If-None-Match"); len(h) > 0 && tagMatches(h, tag) {
		return &fault.Error{Status: http.StatusPreconditionFailed, Detail: "the resource is at version " + tag + ", which If-None-Match excludes"}
	}
	return nil
}
