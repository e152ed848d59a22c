package oauth2

import (
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/scimkit/scim"
)

// Issuer is an authorization server that the application trusts, and what its tokens must
// say. A token must meet all of it.
type Issuer struct {
	// URL is the claim iss, letter by letter. For Introspect it may be "".
	URL string
	// Keys is the address of the key set, called jwks_uri in the server's metadata. It
	// needs https, except on a loopback address. Introspect does not use it.
	Keys string
	// Audiences are names of this endpoint at the authorization server. The claim aud must
	// have one of them. At least one is needed: without it, tokens for other services would
	// be good here.
	Audiences []string
	// Scope has the scopes that a token must have, all of them, separated by spaces.
	// "": none.
	Scope string
	// Clients are the client ids whose tokens count; see Token.ClientID. Nil: all clients
	// to which the authorization server gives tokens for this audience and scope.
	Clients []string
	// Claims are other claims that must have exactly these texts, such as Entra's tid.
	Claims map[string]string
	// Algorithms are the allowed signatures, such as "RS256". Nil: RS, PS and ES with 256,
	// 384 and 512 bits, and EdDSA. HMAC and "none" are never possible. Introspect does not
	// use it.
	Algorithms []string
	// Tenant becomes scim.Principal.Tenant.
	Tenant string
	// Scopes says what the token's scopes mean to the application: scim.Principal.Scopes
	// has the values of all that the token has. A token to which it gives nothing is
	// refused. Nil: scim.Principal.Scopes are the token's scopes.
	//
	// scim.Principal.Scopes is never nil, because nil opens everything. The handler knows the
	// names scim.ScopeUsers and scim.ScopeGroups. If the authorization server has others, a
	// token opens nothing without Scopes.
	Scopes map[string][]string

	gives []string // the scopes of every token. Nil: as Scopes says
}

var algorithms = []jose.SignatureAlgorithm{
	jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512,
	jose.ES256, jose.ES384, jose.ES512, jose.EdDSA,
}

// allows reports whether the issuer's tokens may have a signature of this kind.
func (i *Issuer) allows(alg string) bool {
	return i.Algorithms == nil || slices.Contains(i.Algorithms, alg)
}

// check reports mistakes in the settings.
func (i *Issuer) check() error {
	switch {
	case len(i.Audiences) == 0:
		return fmt.Errorf("oauth2: issuer %q: Audiences is empty", i.URL)
	case slices.Contains(i.Audiences, ""):
		return fmt.Errorf("oauth2: issuer %q: Audiences has an empty text", i.URL)
	case slices.Contains(i.Clients, ""):
		return fmt.Errorf("oauth2: issuer %q: Clients has an empty text", i.URL)
	}
	return nil
}

// checkSigned reports mistakes in the settings, also in those for signatures.
func (i *Issuer) checkSigned() error {
	if i.URL == "" {
		return fmt.Errorf("oauth2: an issuer has no URL")
	}
	if !isSafe(i.Keys) {
		return fmt.Errorf("oauth2: issuer %q: Keys is %q, want an address with https", i.URL, i.Keys)
	}
	for _, alg := range i.Algorithms {
		if !slices.Contains(algorithms, jose.SignatureAlgorithm(alg)) {
			return fmt.Errorf("oauth2: issuer %q: algorithm %q is not possible; possible: %v", i.URL, alg, algorithms)
		}
	}
	return i.check()
}

// isSafe reports whether nobody on the way can change an answer from this address.
func isSafe(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Scheme == "https" || u.Scheme == "http" && (ip.IsLoopback() || u.Hostname() == "localhost")
}

// judge reports why a token does not count. A cached token is judged again with each
// request, so that changed settings count at once.
func (i *Issuer) judge(t *Token, now time.Time, skew time.Duration) error {
	switch {
	case !t.Expires.IsZero() && !now.Before(t.Expires.Add(skew)):
		return refusal("the token has expired")
	case now.Before(t.notBefore.Add(-skew)):
		return refusal("the token is not valid yet")
	case !slices.ContainsFunc(t.Audience, func(aud string) bool { return slices.Contains(i.Audiences, aud) }):
		return refusal("the token is for another audience: " + clip(t.Audience...))
	case i.Clients != nil && !slices.Contains(i.Clients, t.ClientID):
		return refusal("the token is of another client: " + clip(t.ClientID))
	case t.Claims["cnf"] != nil: // RFC 7800: only who proves to have a key may use the token
		return refusal("the token is bound to a key, which nobody checks here")
	}
	for name, want := range i.Claims {
		if got, _ := t.Claims[name].(string); got != want || want == "" {
			return refusal("the token has another " + name + ": " + clip(got))
		}
	}
	for scope := range strings.FieldsSeq(i.Scope) {
		if !slices.Contains(t.Scopes, scope) {
			return refusal("the token lacks the scope " + scope)
		}
	}
	return nil
}

// clip quotes texts for a log.
func clip(texts ...string) string { return fmt.Sprintf("%.200q", texts) }

// principal returns the client for which a token stands.
func (i *Issuer) principal(t *Token) (scim.Principal, error) {
	p := scim.Principal{ID: t.ClientID, Tenant: i.Tenant, Scopes: append([]string{}, t.Scopes...)}
	if p.ID == "" {
		p.ID = t.Subject
	}
	if p.ID == "" {
		return p, refusal("the token names neither client nor subject")
	}
	switch {
	case i.gives != nil:
		p.Scopes = slices.Clone(i.gives)
		return p, nil
	case i.Scopes == nil:
		return p, nil
	}
	given := map[string]bool{}
	for _, scope := range t.Scopes {
		for _, s := range i.Scopes[scope] {
			given[s] = true
		}
	}
	p.Scopes = slices.Sorted(maps.Keys(given))
	if len(p.Scopes) == 0 {
		return p, refusal("the token has no scope that means something here: " + clip(t.Scopes...))
	}
	return p, nil
}
