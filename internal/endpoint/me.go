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

// routeMe is the route of /Me.
func (t *tenant) routeMe() *route {
	if t.Self == nil {
		return &route{off: notImplemented("/Me")}
	}
	as := func(do func(o *operation, ctx context.Context, id string, b []byte) (*answer, error)) action {
		return func(o *operation, ctx context.Context, b []byte) (*answer, error) {
			id, err := t.Self.UserOf(ctx, o.who)
			if errors.Is(err, host.ErrNotFound) {
				return nil, &fault.Error{Status: http.StatusNotFound, Detail: "you are not one of the users here"}
			}
			if err != nil {
				return nil, err
			}
			return do(o, ctx, id, b)
		}
	}
	rt := &route{methods: map[string]action{
		http.MethodGet: as(func(o *operation, ctx context.Context, id string, _ []byte) (*answer, error) {
			return o.get(ctx, t.Types.User, id)
		}),
	}}
	if len(t.Self.Writable) == 0 {
		rt.off = &fault.Error{Status: http.StatusForbidden, Detail: "/Me can only be read"}
		return rt
	}
	rt.off = notImplemented("creating or deleting /Me")
	rt.methods[http.MethodPut] = as(func(o *operation, ctx context.Context, id string, b []byte) (*answer, error) {
		o.self = true
		return o.replace(ctx, t.Types.User, id, b)
	})
	rt.methods[http.MethodPatch] = as(func(o *operation, ctx context.Context, id string, b []byte) (*answer, error) {
		o.self = true
		return o.patch(ctx, t.Types.User, id, b)
	})
	return rt
}

// selfOnly refuses a change of oneself beyond what Me.Writable lists.
func (o *operation) selfOnly(before *doc.Document, e *edit) error {
	was, now := before.Values, e.after.Values
	// Not the schema's attributes: KeepUnknown keeps others.
	for _, v := range slices.Concat(was, now) {
		a := v.Attr
		if doc.Get(was, a).Equal(doc.Get(now, a)) {
			continue
		}
		if !slices.ContainsFunc(o.t.Self.Writable, func(p string) bool { return before.Type.Find(p) == a }) {
			return &fault.Error{Status: http.StatusForbidden, Detail: a.Name + " cannot be changed by yourself; what can: " + strings.Join(o.t.Self.Writable, ", ")}
		}
	}
	if e.password != nil {
		return &fault.Error{Status: http.StatusForbidden, Detail: "password cannot be changed by yourself here"}
	}
	return nil
}
