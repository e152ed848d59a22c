package endpoint

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/host"
)

// routeMe is the route of /Me, the alias of the user who makes the request (RFC 7644,
// Section 3.11).
func (t *router) routeMe() *route {
	if t.self == nil {
		return &route{off: fault.NotImplemented("/Me")}
	}
	rt := &route{body: t.limits.Body, methods: map[string]action{
		http.MethodGet: t.asSelf(func(ctx context.Context, r *request, id string, _ []byte) (*answer, error) {
			return r.get(ctx, t.types.User, id)
		}),
	}}
	if len(t.self.Writable) == 0 {
		rt.off = fault.Refuse(http.StatusForbidden, "", "/Me can only be read")
		return rt
	}
	rt.off = fault.NotImplemented("creating or deleting /Me")
	rt.methods[http.MethodPut] = t.asSelf(func(ctx context.Context, r *request, id string, b []byte) (*answer, error) {
		return newSelfWriter(r).replace(ctx, t.types.User, id, b)
	})
	rt.methods[http.MethodPatch] = t.asSelf(func(ctx context.Context, r *request, id string, b []byte) (*answer, error) {
		return newSelfWriter(r).patch(ctx, t.types.User, id, b)
	})
	return rt
}

// asSelf makes an action that calls do with the id of the user who makes the request.
func (t *router) asSelf(do func(ctx context.Context, r *request, id string, b []byte) (*answer, error)) action {
	return func(ctx context.Context, r *request, b []byte) (*answer, error) {
		id, err := t.self.UserOf(ctx, r.who)
		if errors.Is(err, host.ErrNotFound) {
			return nil, fault.Refuse(http.StatusNotFound, "", "this endpoint has no user for your credentials")
		}
		if err != nil {
			return nil, err
		}
		return do(ctx, r, id, b)
	}
}

// newSelfWriter is a writer for users who change themselves. It refuses changes of
// attributes that Self.Writable does not list.
func newSelfWriter(r *request) *writer {
	w := newWriter(r)
	w.judge = func(before *doc.Document, e *edit) error {
		was, now := before.Values, e.after.Values
		// Look at the values, not at the schema: with KeepUnknown there are other
		// attributes.
		for _, v := range slices.Concat(was, now) {
			a := v.Attr
			if doc.Get(was, a).Equal(doc.Get(now, a)) {
				continue
			}
			if !slices.ContainsFunc(r.t.Self.Writable, func(p string) bool { return before.Type.Find(p) == a }) {
				return fault.Refuse(http.StatusForbidden, "", "you cannot change "+fault.Clip(a.Name)+" yourself; you can change "+strings.Join(r.t.Self.Writable, ", "))
			}
		}
		if e.password != nil {
			return fault.Refuse(http.StatusForbidden, "", "you cannot change your own password here")
		}
		return nil
	}
	return w
}
