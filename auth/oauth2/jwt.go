package oauth2

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"

	"github.com/scimkit/scim"
)

// JWT authenticates by signed access tokens of these issuers, and of no others. It sends no
// request itself: the keys of an issuer are fetched for its first token. The error names
// all mistakes in the issuers.
//
// A key set is read again after ten minutes, and if a token names an unknown key, but at
// most every 30 seconds. A fetch reads at most 1 MiB and takes at most 5 seconds. While it
// fails, the keys in hand stay valid.
func JWT(issuers ...Issuer) (*Auth, error) {
	if len(issuers) == 0 {
		return nil, errors.New("oauth2: there is no issuer")
	}
	table := map[string]Issuer{}
	var mistakes []error
	for _, i := range issuers {
		if _, has := table[i.URL]; has {
			mistakes = append(mistakes, fmt.Errorf("oauth2: issuer %q is there twice", i.URL))
		}
		table[i.URL] = i
		mistakes = append(mistakes, i.checkSigned())
	}
	if err := errors.Join(mistakes...); err != nil {
		return nil, err
	}
	return JWTFunc(func(_ context.Context, url string) (Issuer, error) {
		i, ok := table[url]
		if !ok {
			return Issuer{}, scim.ErrNotFound
		}
		return i, nil
	}), nil
}

// JWTFunc authenticates as JWT does, by issuers that the application keeps, for example in a
// table with a row for each tenant. lookup returns the issuer with this URL. It is called
// with each request, so that a change counts at once.
//
// url comes from a token that is not verified yet. It has at most 2,048 bytes and no control
// characters. If there is no such issuer, lookup
// returns scim.ErrNotFound or the zero Issuer, and the client gets 401. A *scim.Error is
// sent as it is. Any other error, and a mistake in the Issuer, becomes 503.
//
// The server fetches Issuer.Keys. Do not let customers type that address, unless
// Auth.HTTP reaches nothing internal.
func JWTFunc(lookup func(ctx context.Context, url string) (Issuer, error)) *Auth {
	s := &signed{lookup: lookup, sets: map[string]*keySet{}}
	return &Auth{source: s.find}
}

// maxIssuer is how many bytes an issuer has at most.
const maxIssuer = 2048

// signed finds out what signed tokens say.
type signed struct {
	lookup func(ctx context.Context, url string) (Issuer, error)

	mu   sync.Mutex
	sets map[string]*keySet // by address, one for each trusted one
}

// find is a source.
func (s *signed) find(ctx context.Context, a *Auth, raw string, now time.Time) (*Token, *Issuer, error) {
	if e, ok := a.cache.get(raw, now); ok {
		i, err := s.issuer(ctx, e.token.Issuer)
		if err != nil {
			return nil, nil, err
		}
		if i.Keys == e.proof.keys && i.allows(e.proof.algorithm) && s.set(a, i.Keys).has(e.proof.key) {
			return e.token, i, nil
		}
	}
	jws, err := jose.ParseSignedCompact(raw, algorithms)
	if err != nil {
		return nil, nil, refusal("the token is no signed JWT, or has a signature of a kind that is never allowed")
	}
	t, err := parseToken(jws.UnsafePayloadWithoutVerification())
	if err != nil {
		return nil, nil, err
	}
	i, err := s.issuer(ctx, t.Issuer)
	if err != nil {
		return nil, nil, err
	}
	if err := i.checkSigned(); err != nil {
		return nil, nil, err
	}
	p, err := s.verify(ctx, a, i, raw, jws)
	if err != nil {
		return nil, nil, err
	}
	if t.Expires.IsZero() { // otherwise a stolen token would be good for ever
		return nil, nil, refusal("the token has no exp")
	}
	a.cache.put(raw, entry{token: t, until: t.Expires, proof: p}, now, a.CacheSize)
	return t, i, nil
}

func (s *signed) issuer(ctx context.Context, url string) (*Issuer, error) {
	switch {
	case url == "":
		return nil, refusal("the token has no issuer")
	case len(url) > maxIssuer || strings.ContainsFunc(url, unicode.IsControl):
		return nil, refusal("the token is of an unknown issuer: " + clip(url)) // PostgreSQL answers a NUL by an error
	}
	i, err := s.lookup(ctx, url)
	switch {
	case errors.Is(err, scim.ErrNotFound), err == nil && i.URL != url:
		return nil, refusal("the token is of an unknown issuer: " + clip(url))
	case err != nil:
		return nil, err
	}
	return &i, nil
}

// set returns the key set at an address.
func (s *signed) set(a *Auth, url string) *keySet {
	s.mu.Lock()
	defer s.mu.Unlock()
	set, ok := s.sets[url]
	if !ok {
		set = &keySet{url: url, http: a.HTTP, now: a.now}
		s.sets[url] = set
	}
	return set
}

// verify checks signature, algorithm and issuer of jws, which is raw, through go-oidc.
// Issuer.judge checks the rest, because go-oidc knows one audience and no skew.
func (s *signed) verify(ctx context.Context, a *Auth, i *Issuer, raw string, jws *jose.JSONWebSignature) (proof, error) {
	header := jws.Signatures[0].Header
	if !i.allows(header.Algorithm) {
		return proof{}, refusal("the signature is of the kind " + header.Algorithm + ", which is not allowed")
	}
	keys, err := s.set(a, i.Keys).find(ctx, header.KeyID, header.Algorithm)
	if err != nil {
		return proof{}, err
	}
	used := &candidates{keys: keys, jws: jws}
	_, err = oidc.NewVerifier(i.URL, used, &oidc.Config{
		SupportedSigningAlgs: []string{header.Algorithm},
		SkipClientIDCheck:    true, SkipExpiryCheck: true,
	}).Verify(ctx, raw)
	if err != nil {
		return proof{}, refusal("the token is not valid: " + clip(err.Error()))
	}
	return proof{i.Keys, header.Algorithm, used.by}, nil
}

// candidates is an oidc.KeySet of the keys that a token may be signed with.
type candidates struct {
	keys []key
	jws  *jose.JSONWebSignature
	by   string // the id of the key that signed the token
}

// VerifySignature implements oidc.KeySet.
func (c *candidates) VerifySignature(context.Context, string) ([]byte, error) {
	for _, k := range c.keys {
		if payload, err := c.jws.Verify(&k.jwk); err == nil {
			c.by = k.id
			return payload, nil
		}
	}
	return nil, errors.New("wrong signature")
}
