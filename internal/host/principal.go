package host

import (
	"context"
	"slices"
	"strings"

	"github.com/scimkit/scim/internal/model"
)

// Principal is an authenticated client.
type Principal struct {
	ID, Tenant string
	Scopes     []string
	Data       any
}

// The scopes of users and groups.
const (
	ScopeUsers  = "users"
	ScopeGroups = "groups"
)

// Has reports whether a client has a scope. Nil scopes are all.
func (p *Principal) Has(scope string) bool {
	return p.Scopes == nil || slices.Contains(p.Scopes, scope)
}

// ScopeOf is the scope of a type: the name of its endpoint in lower case, except for users and
// groups, whose endpoints may have other names.
func (t *Types) ScopeOf(rt *model.Type) string {
	switch rt {
	case t.User:
		return ScopeUsers
	case t.Group:
		return ScopeGroups
	}
	return strings.ToLower(strings.TrimPrefix(rt.Endpoint, "/"))
}

type clientKey struct{}

// client is what the context of a request says about it.
type client struct {
	Principal
	requestID string
}

// WithPrincipal returns a context for a request of a client. requestID is "" where no request
// has an id.
func WithPrincipal(ctx context.Context, p Principal, requestID string) context.Context {
	return context.WithValue(ctx, clientKey{}, &client{p, requestID})
}

// PrincipalOf returns the client of a request. ok is false if ctx is not that of a request.
func PrincipalOf(ctx context.Context) (p Principal, ok bool) {
	if c, ok := ctx.Value(clientKey{}).(*client); ok {
		return c.Principal, true
	}
	return Principal{}, false
}

// RequestIDOf returns the id of a request, "" if ctx is not that of a request.
func RequestIDOf(ctx context.Context) string {
	if c, ok := ctx.Value(clientKey{}).(*client); ok {
		return c.requestID
	}
	return ""
}
