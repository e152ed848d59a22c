package oauth2_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth/oauth2"
)

const (
	issuerURL = "https://id.example.com"
	audience  = "https://app.example.com/scim"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// rsaKey and others are the keys of all tests: to make one takes long.
var (
	rsaKey   = sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 2048)) })
	rsaOther = sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 2048)) })
	rsaShort = sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 1024)) })
	ecKey    = sync.OnceValue(func() *ecdsa.PrivateKey { return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) })
	edKey    = sync.OnceValue(func() ed25519.PrivateKey { return ed25519.NewKeyFromSeed(make([]byte, 32)) })
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// server is an authorization server on loopback, with a clock.
type server struct {
	*httptest.Server
	mu      sync.Mutex
	now     time.Time
	keys    []jose.JSONWebKey
	answer  http.HandlerFunc // instead of the keys, if set
	fetches int
}

// newServer starts a server with the keys "rsa", "ec" and "ed".
func newServer(t testing.TB) *server {
	s := &server{now: noon, keys: []jose.JSONWebKey{
		{KeyID: "rsa", Key: rsaKey().Public(), Use: "sig", Algorithm: "RS256"},
		{KeyID: "ec", Key: ecKey().Public()},
		{KeyID: "ed", Key: edKey().Public()},
	}}
	s.Server = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(s.Close)
	return s
}

func (s *server) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.fetches++
	answer, keys := s.answer, s.keys
	s.mu.Unlock()
	if answer != nil {
		answer(w, r)
		return
	}
	json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: keys})
}

func (s *server) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

// set changes something of the server.
func (s *server) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

func (s *server) pass(d time.Duration) { s.set(func() { s.now = s.now.Add(d) }) }

func (s *server) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fetches
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

// issuer trusts the server.
func (s *server) issuer() oauth2.Issuer {
	return oauth2.Issuer{URL: issuerURL, Keys: s.URL, Audiences: []string{audience}, Tenant: "acme"}
}

// jwt makes an Auth for issuers with the server's clock.
func (s *server) jwt(t testing.TB, issuers ...oauth2.Issuer) *oauth2.Auth {
	t.Helper()
	a, err := oauth2.JWT(issuers...)
	if err != nil {
		t.Fatal(err)
	}
	a.Now = s.clock
	return a
}

type fields = map[string]any

// with returns the claims of a good token with changes. A nil value deletes a claim.
func with(change fields) fields {
	c := fields{"iss": issuerURL, "sub": "s1", "client_id": "okta", "aud": audience, "scope": "scim openid",
		"exp": noon.Add(time.Hour).Unix(), "iat": noon.Unix()}
	maps.Copy(c, change)
	maps.DeleteFunc(c, func(_ string, v any) bool { return v == nil })
	return c
}

// sign signs claims.
func sign(t testing.TB, alg jose.SignatureAlgorithm, key any, kid string, claims any) string {
	t.Helper()
	options := &jose.SignerOptions{}
	if kid != "" {
		options.WithHeader("kid", kid)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, options.WithType("at+jwt"))
	if err != nil {
		t.Fatal(err)
	}
	payload, ok := claims.([]byte)
	if !ok {
		payload = must(json.Marshal(claims))
	}
	return must(must(signer.Sign(payload)).CompactSerialize())
}

// good signs claims as the server does.
func good(t testing.TB, change fields) string {
	t.Helper()
	return sign(t, jose.RS256, rsaKey(), "rsa", with(change))
}

func request(token string) *http.Request {
	r := httptest.NewRequest("GET", "/scim/v2/Users", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	return r
}

// outcome sends a token and returns the status, the principal, and the reason in the log.
func outcome(t testing.TB, a *oauth2.Auth, r *http.Request) (status int, p scim.Principal, reason string) {
	t.Helper()
	p, err := a.Authenticate(r)
	if err == nil {
		return http.StatusOK, p, ""
	}
	e, ok := errors.AsType[*scim.Error](err)
	if !ok {
		t.Fatalf("the error is a %T: %v; an *scim.Error was wanted", err, err)
	}
	if diff := cmp.Diff(scim.Principal{}, p); diff != "" {
		t.Errorf("a refused request has a principal:\n%s", diff)
	}
	if errors.Is(err, scim.ErrNotFound) {
		t.Errorf("the handler would answer 404 to %v", err)
	}
	if e.Err != nil {
		reason = e.Err.Error()
	}
	detail := map[int]string{401: "send a valid token in the Authorization header",
		503: "the token cannot be checked at the moment: try again"}[e.Status]
	if e.Detail != detail || (e.Status == 503) != (e.RetryAfter >= time.Second) {
		t.Errorf("%d with the detail %q and RetryAfter %v", e.Status, e.Detail, e.RetryAfter)
	}
	return e.Status, p, reason
}

// expect sends a token and compares the status and the reason.
func expect(t testing.TB, a *oauth2.Auth, token string, status int, reason, why string) {
	t.Helper()
	got, _, because := outcome(t, a, request(token))
	if got != status || !strings.Contains(because, reason) || (reason == "") != (because == "") {
		t.Errorf("got %d %q, want %d %q: %s", got, because, status, reason, why)
	}
}

// publicBytes is a public key as bytes, as an attacker knows it.
func publicBytes(k crypto.PublicKey) []byte {
	return must(jose.JSONWebKey{Key: k}.MarshalJSON())
}
