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
func (r *request) get(ctx context.Context, t *model.Type, id string) (*answer, error) {
	if err := r.may(ctx, host.OpGet, t, id, nil); err != nil {
		return nil, err
	}
	d, err := r.dir.Fetch(ctx, host.Ref{Type: t.Name, ID: id})
	if err != nil {
		return nil, err
	}
	tag := etag(d)
	if h := r.header.Values("If-None-Match"); len(h) > 0 && hasTag(h, tag) {
		return &answer{status: http.StatusNotModified, etag: tag}, nil
	}
	return r.show(ctx, http.StatusOK, d)
}

// show makes an answer with one resource.
func (r *request) show(ctx context.Context, status int, d *doc.Document) (*answer, error) {
	sel := r.selection(d.Type)
	full, err := r.derive(ctx, d.Type, sel, d)
	if err != nil {
		return nil, err
	}
	loc := r.location(host.RefOf(d))
	return &answer{status: status, location: loc, etag: etag(d), body: encode(make([]byte, 0, 1<<10), full[0], sel, loc)}, nil
}

func encode(dst []byte, d *doc.Document, sel *doc.Selection, location string) []byte {
	c := *d
	c.Version = version(d)
	return doc.Append(dst, &c, doc.Encode{Select: sel, Location: location})
}

// version is the store's version of a resource, otherwise a hash of what clients can see.
func version(d *doc.Document) string {
	if d.Version == "" {
		return d.Hash()
	}
	return d.Version
}

// etag is a resource's weak entity tag (RFC 7644, Section 3.14).
func etag(d *doc.Document) string { return `W/"` + version(d) + `"` }

// hasTag reports whether an If-Match or If-None-Match header has a tag, or is "*" (RFC
// 7232, Section 3). It ignores the difference between weak and strong tags.
func hasTag(header []string, tag string) bool {
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
func (r *request) precondition(before *doc.Document) error {
	tag := etag(before)
	if h := r.header.Values("If-Match"); len(h) > 0 && !hasTag(h, tag) {
		return fault.Refuse(http.StatusPreconditionFailed, "", "the resource has changed: it is now at version "+tag)
	}
	if h := r.header.Values("If-None-Match"); len(h) > 0 && hasTag(h, tag) {
		return fault.Refuse(http.StatusPreconditionFailed, "", "the resource is at version "+tag+", which If-None-Match excludes")
	}
	return nil
}
