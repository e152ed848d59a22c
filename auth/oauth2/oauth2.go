// Package oauth2 authenticates SCIM clients by OAuth 2 access tokens.
//
// JWT checks signed tokens (RFC 9068), Entra those that Microsoft Entra's provisioning
// service sends by itself, and Introspect asks the authorization server (RFC 7662). The
// tokens of package auth need less: use this package only if an authorization server
// issues the tokens.
//
// A wrong token is answered 401. If the authorization server cannot be reached and the
// answer depends on it, the client gets 503: it would take a 401 for a revoked token.
package oauth2

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
)

var (
	_ scim.Authenticator = (*Auth)(nil)
	_ scim.SchemeLister  = (*Auth)(nil)
	_ scim.Challenger    = (*Auth)(nil)
)

const (
	maxToken   = 16 << 10 // bytes of an access token; more is refused before parsing
	retryAfter = 10 * time.Second
)

// Auth authenticates requests by access tokens. JWT, JWTFunc, Entra and Introspect make it.
// Set its fields before the first request.
type Auth struct {
	// Principal, if set, makes the client of a request. It gets the principal that the
	// token stands for otherwise, and the token. It is called with each request, so that
	// a change in the application counts at once.
	//
	// If it returns scim.ErrNotFound, the request is refused with 401. A *scim.Error is
	// sent as it is. Any other error becomes 503.
	//
	// Nil: the ID is Token.ClientID, or Token.Subject if there is none. Tenant is that of
	// the Issuer. Scopes are those that Issuer.Scopes gives.
	Principal func(ctx context.Context, p scim.Principal, t *Token) (scim.Principal, error)
	// Skew is how far the clock of an authorization server may be ahead or behind, for the
	// claims exp and nbf. 0: a minute. Negative: none.
	Skew time.Duration
	// CacheSize is how many verified tokens are kept, each until it expires at most.
	// 0: 1,000. Negative: none.
	CacheSize int
	// HTTP sends the requests for key sets and introspection. It follows no redirects.
	// Nil: a client with http.DefaultTransport.
	HTTP *http.Client
	// Now is the clock. Nil: time.Now.
	Now func() time.Time

	source source
	cache  cache
}

// source finds out what a token says, and by whose rules it is judged. What it returns was
// verified at the time or before, and says nothing yet about those rules.
type source func(ctx context.Context, a *Auth, raw string, now time.Time) (*Token, *Issuer, error)

// Authenticate implements scim.Authenticator.
func (a *Auth) Authenticate(r *http.Request) (scim.Principal, error) {
	p, err := a.authenticate(r)
	if err != nil {
		return scim.Principal{}, answer(err)
	}
	return p, nil
}

func (a *Auth) authenticate(r *http.Request) (scim.Principal, error) {
	raw, ok := auth.Credential(r.Header)
	if !ok {
		return scim.Principal{}, refusal("no usable Authorization header")
	}
	if len(raw) > maxToken {
		return scim.Principal{}, refusal("the token is too long")
	}
	now := a.now()
	t, i, err := a.source(r.Context(), a, raw, now)
	if err != nil {
		return scim.Principal{}, err
	}
	if err := i.judge(t, now, a.skew()); err != nil {
		return scim.Principal{}, err
	}
	p, err := i.principal(t)
	if err == nil && a.Principal != nil {
		p, err = a.Principal(r.Context(), p, t)
	}
	return p, err
}

func (a *Auth) now() time.Time {
	if a.Now != nil {
		return a.Now()
	}
	return time.Now()
}

func (a *Auth) skew() time.Duration {
	if a.Skew == 0 {
		return time.Minute
	}
	return max(a.Skew, 0)
}

// Challenge implements scim.Challenger (RFC 6750, Section 3).
func (a *Auth) Challenge() string { return `Bearer realm="scim"` }

// Schemes implements scim.SchemeLister.
func (a *Auth) Schemes() []scim.AuthScheme {
	return []scim.AuthScheme{{
		Type: "oauthbearertoken", Name: "OAuth 2 access token",
		Description: "An access token of an authorization server, in the Authorization header",
		SpecURI:     "https://www.rfc-editor.org/info/rfc6750",
	}}
}

// refusal is the reason why a token does not count. The handler logs it. Clients get one
// text for all reasons.
type refusal string

func (r refusal) Error() string { return string(r) }

// outage is the reason why a token cannot be judged now.
type outage struct {
	cause error
	after time.Duration // the time after which it may be possible
}

func (o *outage) Error() string { return o.cause.Error() }
func (o *outage) Unwrap() error { return o.cause }

// answer makes what the client sees of an error.
func answer(err error) error {
	_, isOwn := errors.AsType[*scim.Error](err)
	_, isRefusal := errors.AsType[refusal](err)
	if errors.Is(err, scim.ErrNotFound) { // the handler would make it 404, also from within
		err, isRefusal = refusal("the application does not know the client: "+err.Error()), true
	}
	switch {
	case isRefusal:
		return &scim.Error{Status: http.StatusUnauthorized, Detail: "send a valid token in the Authorization header", Err: err}
	case isOwn:
		return err
	}
	after := retryAfter
	if o, ok := errors.AsType[*outage](err); ok {
		after = max(o.after, time.Second)
	}
	return &scim.Error{Status: http.StatusServiceUnavailable,
		Detail: "the token cannot be checked at the moment: try again", RetryAfter: after, Err: err}
}
