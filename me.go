package scim

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/scimkit/scim/internal/doc"
)

// Me turns on /Me, the alias of the user that makes the request (RFC 7644, Section
// 3.11).
type Me struct {
	// UserOf finds the id of the user whom an authenticated client is. ErrNotFound: it
	// is no user, and /Me is 404.
	UserOf func(ctx context.Context, p Principal) (userID string, err error)
	// Writable lists the paths of top-level attributes that users may change on
	// themselves by PUT and PATCH. Empty: /Me can only be read. What gives access cannot
	// be in it: active, userName, externalId, password, emails, groups, roles,
	// entitlements, members.
	Writable []string
}

// givesAccess are attributes that nobody changes on themselves.
var givesAccess = []string{"schemas", "id", "meta", "externalid", "active", "username", "password", "emails", "groups", "roles", "entitlements", "members", "x509certificates"}

func (m *Me) check(user *ResourceType) error {
	if m.UserOf == nil {
		return mistake("Me.UserOf", "is missing")
	}
	if user == nil {
		return mistake("Me", "needs the type User")
	}
	for _, p := range m.Writable {
		a := user.m.Find(p)
		switch {
		case a == nil || a.Parent != user.m.Root:
			return mistake("Me.Writable", "%q is not a top-level attribute", p)
		case slices.Contains(givesAccess, strings.ToLower(a.Name)):
			return mistake("Me.Writable", "%s gives access, so nobody may change it on themselves", a.Name)
		}
	}
	return nil
}

// routeMe is the route of /Me.
func (t *tenant) routeMe() *route {
	if t.Me == nil {
		return &route{off: notImplemented("/Me")}
	}
	as := func(do func(o *operation, ctx context.Context, id string, b []byte) (*answer, error)) action {
		return func(o *operation, ctx context.Context, b []byte) (*answer, error) {
			id, err := t.Me.UserOf(ctx, o.who)
			if errors.Is(err, ErrNotFound) {
				return nil, &Error{Status: http.StatusNotFound, Detail: "you are not one of the users here"}
			}
			if err != nil {
				return nil, err
			}
			return do(o, ctx, id, b)
		}
	}
	rt := &route{methods: map[string]action{
		http.MethodGet: as(func(o *operation, ctx context.Context, id string, _ []byte) (*answer, error) {
			return o.get(ctx, t.user, id)
		}),
	}}
	if len(t.Me.Writable) == 0 {
		rt.off = &Error{Status: http.StatusForbidden, Detail: "/Me can only be read"}
		return rt
	}
	rt.off = notImplemented("creating or deleting /Me")
	rt.methods[http.MethodPut] = as(func(o *operation, ctx context.Context, id string, b []byte) (*answer, error) {
		o.self = true
		return o.replace(ctx, t.user, id, b)
	})
	rt.methods[http.MethodPatch] = as(func(o *operation, ctx context.Context, id string, b []byte) (*answer, error) {
		o.self = true
		return o.patch(ctx, t.user, id, b)
	})
	return rt
}

// selfOnly refuses a change of oneself beyond what Me.Writable lists.
func (o *operation) selfOnly(before *Resource, e *edit) error {
	was, now := before.d.Values, e.after.d.Values
	// Not the schema's attributes: KeepUnknown keeps others.
	for _, v := range slices.Concat(was, now) {
		a := v.Attr
		if doc.Get(was, a).Equal(doc.Get(now, a)) {
			continue
		}
		if !slices.ContainsFunc(o.t.Me.Writable, func(p string) bool { return before.t.m.Find(p) == a }) {
			return &Error{Status: http.StatusForbidden, Detail: a.Name + " cannot be changed by yourself; what can: " + strings.Join(o.t.Me.Writable, ", ")}
		}
	}
	if e.password != nil {
		return &Error{Status: http.StatusForbidden, Detail: "password cannot be changed by yourself here"}
	}
	return nil
}
