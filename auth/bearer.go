package auth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"slices"
	"time"

	"github.com/scimkit/scim"
)

var (
	_ scim.Authenticator = (*BearerAuth)(nil)
	_ scim.SchemeLister  = (*BearerAuth)(nil)
	_ scim.Challenger    = (*BearerAuth)(nil)
)

// BearerAuth authenticates requests by bearer tokens (RFC 6750, Section 2.1). Bearer and
// BearerFunc make it. Set its fields before the first request.
type BearerAuth struct {
	// Used, if set, is called with each token that authenticates a request, before the
	// request goes on. If it writes the time of the last use, write at most once a minute
	// or so.
	Used func(ctx context.Context, t Token, at time.Time)
	// Now is the clock for Token.Expires. Nil: time.Now.
	Now func() time.Time

	lookup func(ctx context.Context, hash [sha256.Size]byte) (Token, error)
}

// Bearer authenticates by a list of tokens. It compares all of them in constant time.
// Without tokens it refuses every request.
func Bearer(tokens ...Token) *BearerAuth {
	tokens = slices.Clone(tokens)
	// The last match counts. If two tokens have one secret, that is the one that is valid longer.
	slices.SortStableFunc(tokens, func(a, b Token) int {
		switch {
		case a.Expires.Equal(b.Expires):
			return 0
		case a.Expires.IsZero():
			return 1
		case b.Expires.IsZero():
			return -1
		default:
			return a.Expires.Compare(b.Expires)
		}
	})
	return &BearerAuth{lookup: func(_ context.Context, hash [sha256.Size]byte) (Token, error) {
		found := -1
		for i := range tokens {
			found = subtle.ConstantTimeSelect(subtle.ConstantTimeCompare(hash[:], tokens[i].Hash[:]), i, found)
		}
		if found < 0 {
			return Token{}, scim.ErrNotFound
		}
		return tokens[found], nil
	}}
}

// BearerFunc authenticates by tokens that the application keeps, for example in a table
// with a unique index on the hash. lookup returns the token with this hash, or
// scim.ErrNotFound, sql.ErrNoRows or the zero Token if there is none.
//
// BearerFunc compares the Hash of the token again, in constant time. A look-up that
// returns a wrong token therefore gives no access. An expired token is refused.
//
// A *scim.Error of lookup is sent as it is. Any other error becomes 503, because a client
// that gets 401 during an outage assumes that its token was revoked.
func BearerFunc(lookup func(ctx context.Context, hash [sha256.Size]byte) (Token, error)) *BearerAuth {
	return &BearerAuth{lookup: lookup}
}

func (t *Token) expired(now time.Time) bool { return !t.Expires.IsZero() && !now.Before(t.Expires) }

// principal returns the client of a token.
func (t *Token) principal() scim.Principal {
	return scim.Principal{ID: t.ID, Tenant: t.Tenant, Scopes: slices.Clone(t.Scopes)}
}

// Authenticate implements scim.Authenticator. The principal has the token's ID, Tenant
// and Scopes.
func (a *BearerAuth) Authenticate(r *http.Request) (scim.Principal, error) {
	secret, ok := Credential(r.Header)
	if !ok {
		return scim.Principal{}, refuse(errHeader)
	}
	now := time.Now()
	if a.Now != nil {
		now = a.Now()
	}
	hash := sha256.Sum256([]byte(secret))
	t, err := a.lookup(r.Context(), hash)
	if err := answerOf(err); err != nil {
		return scim.Principal{}, err
	}
	switch {
	case subtle.ConstantTimeCompare(hash[:], t.Hash[:]) != 1:
		return scim.Principal{}, refuse(errUnknown)
	case t.expired(now):
		return scim.Principal{}, refuse(expiredError(&t))
	}
	if a.Used != nil {
		a.Used(r.Context(), t, now)
	}
	return t.principal(), nil
}

// Challenge implements scim.Challenger (RFC 6750, Section 3).
func (a *BearerAuth) Challenge() string { return `Bearer realm="scim"` }

// Schemes implements scim.SchemeLister.
func (a *BearerAuth) Schemes() []scim.AuthScheme {
	return []scim.AuthScheme{{
		Type: "oauthbearertoken", Name: "Bearer token",
		Description: "A token that the application gave, in the Authorization header",
		SpecURI:     "https://www.rfc-editor.org/info/rfc6750",
	}}
}
