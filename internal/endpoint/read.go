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
	d, groups, err := r.fetch(ctx, t, id)
	if err != nil {
		return nil, err
	}
	d = r.visible(ctx, d)
	tag := etag(d)
	if h := r.header.Values("If-None-Match"); len(h) > 0 && hasTag(h, tag) {
		return &answer{status: http.StatusNotModified, etag: tag}, nil
	}
	return r.show(http.StatusOK, d, groups), nil
}

// fetch gets a resource to be shown, and the memberships of a user, if the store reads both at once.
func (r *request) fetch(ctx context.Context, t *model.Type, id string) (*doc.Document, []host.Membership, error) {
	if r.t.Stores.Groups == nil || !r.showsGroups(t) {
		d, err := r.dir.Fetch(ctx, host.Ref{Type: t.Name, ID: id})
		return d, nil, err
	}
	return r.dir.FetchWithGroups(ctx, id)
}

// showsGroups reports whether an answer with resources of a type shows their groups, if the client may
// see groups.
func (r *request) showsGroups(t *model.Type) bool {
	derived := r.dir.Derived(t)
	return t == r.t.Types.User && derived != nil && derived != t.Members && r.selection(t).Wants(derived)
}

// show makes an answer with one resource, as the client sees it. It reads nothing yet. groups are the
// memberships of a user, nil if they are not read yet.
func (r *request) show(status int, d *doc.Document, groups []host.Membership) *answer {
	one := &struct { // allocated at once, because most requests are for one resource
		answer
		single
	}{single: single{view: view{r: r, known: groups}, d: d, location: r.location(host.RefOf(d))}}
	one.answer = answer{status: status, location: one.single.location, etag: etag(d), stream: &one.single}
	return &one.answer
}

// single streams one resource.
type single struct {
	view     view
	d        *doc.Document
	location string
}

// stream implements streamer.
func (o *single) stream(ctx context.Context, s *sink) error {
	o.view.init(ctx, o.d.Type)
	if err := o.view.prepare(ctx, o.d); err != nil {
		return err
	}
	return o.view.write(ctx, s, o.d, o.location)
}

// acknowledge makes an answer that shows nothing of a resource but its id. It has no version
// either: whether a write changed anything tells what was there before.
func (r *request) acknowledge(status int, d *doc.Document) *answer {
	loc := r.location(host.RefOf(d))
	bare := &doc.Document{Type: d.Type, ID: d.ID}
	return &answer{status: status, location: loc, body: [][]byte{doc.Append(nil, bare, doc.Encode{Location: loc})}}
}

// encode appends the JSON of a resource with some of its values.
func encode(dst []byte, d *doc.Document, values []doc.Value, sel *doc.Selection, location string) []byte {
	c := *d
	c.Version, c.Values = version(d), values
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

// precondition checks If-Match and If-None-Match before a write. before is the resource as the
// client sees it.
func (r *request) precondition(before *doc.Document) error {
	tag := etag(before)
	if h := r.header.Values("If-Match"); len(h) > 0 && !hasTag(h, tag) {
		return fault.Refuse(http.StatusPreconditionFailed, "", "the resource has changed: it is not at the version of If-Match")
	}
	if h := r.header.Values("If-None-Match"); len(h) > 0 && hasTag(h, tag) {
		return fault.Refuse(http.StatusPreconditionFailed, "", "the resource is at a version that If-None-Match excludes")
	}
	return nil
}
