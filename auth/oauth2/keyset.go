package oauth2

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	maxKeySet = 1 << 20          // bytes of a key set
	fetchTime = 5 * time.Second  // the longest time of a request to an authorization server
	fetchRest = 30 * time.Second // the shortest time between two fetches of a key set
	fetchAge  = 10 * time.Minute // after this time a key set is read again, to learn which keys are withdrawn
)

// keySet has the keys of an authorization server. go-oidc's RemoteKeySet fetches for each
// token with an unknown kid or a wrong signature, without a limit of size or time. It also
// hides from its caller whether a token is wrong or the server is down. So keySet fetches
// by itself, and go-oidc gets the keys.
type keySet struct {
	url  string
	http *http.Client
	now  func() time.Time

	mu      sync.Mutex
	keys    []key
	ids     map[string]bool // the ids of keys
	asked   time.Time       // when the last fetch began
	failure error           // why the last fetch failed
	running chan struct{}   // closed when the fetch that runs ends; nil if none runs
}

// key is a public key for signatures.
type key struct {
	id  string // tells the key from all others
	jwk jose.JSONWebKey
}

// find returns the keys that a token with this kid and algorithm may be signed with. If
// none is there, it waits for a fetch.
func (s *keySet) find(ctx context.Context, kid, alg string) ([]key, error) {
	for hasWaited := false; ; hasWaited = true {
		s.mu.Lock()
		found, now := matching(s.keys, kid, alg), s.now()
		if len(found) > 0 {
			s.renew(now)
			s.mu.Unlock()
			return found, nil
		}
		if !hasWaited {
			s.fetchAfter(now, fetchRest)
		}
		running, failure, asked := s.running, s.failure, s.asked
		s.mu.Unlock()
		switch {
		case running != nil && !hasWaited:
		case failure != nil:
			return nil, &outage{failure, asked.Add(fetchRest).Sub(now)}
		default:
			return nil, refusal("the token is signed with an unknown key: " + clip(kid))
		}
		select {
		case <-running:
		case <-ctx.Done():
			return nil, &outage{ctx.Err(), time.Second}
		}
	}
}

// has reports whether the authorization server has not withdrawn a key.
func (s *keySet) has(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.renew(s.now())
	return s.ids[id]
}

// renew has the set fetched if it is old. Nobody waits for that, because the keys in hand
// are good until then. s.mu is locked.
func (s *keySet) renew(now time.Time) {
	rest := fetchAge
	if s.failure != nil {
		rest = fetchRest
	}
	s.fetchAfter(now, rest)
}

// fetchAfter starts a fetch, unless one runs or the last one began less than rest ago.
// Nobody's request owns the fetch, so that no client stops it for the others by going
// away. It ends by itself after fetchTime. s.mu is locked.
func (s *keySet) fetchAfter(now time.Time, rest time.Duration) {
	if s.running != nil || !s.asked.IsZero() && now.Sub(s.asked) < rest {
		return
	}
	s.asked, s.running = now, make(chan struct{})
	go s.fetch()
}

func (s *keySet) fetch() {
	ctx, cancel := context.WithTimeout(context.Background(), fetchTime)
	defer cancel()
	keys, err := s.read(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failure = err; err == nil {
		s.keys, s.ids = keys, map[string]bool{}
		for _, k := range keys {
			s.ids[k.id] = true
		}
	}
	close(s.running)
	s.running = nil
}

func (s *keySet) read(ctx context.Context) ([]key, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Cache-Control", "no-cache") // a copy in a proxy may lack the newest key
	body, err := send(s.http, r, maxKeySet)
	if err != nil {
		return nil, err
	}
	return parseKeys(body)
}

// parseKeys reads a key set. It leaves out keys that it does not understand, as RFC 7517,
// Section 5 says, and those that are not for signatures. An empty set is valid: the server
// has withdrawn its keys.
func parseKeys(body []byte) ([]key, error) {
	var set struct{ Keys []json.RawMessage }
	if err := json.Unmarshal(body, &set); err != nil {
		return nil, errors.New("the key set is not valid JSON")
	}
	if set.Keys == nil {
		return nil, errors.New("the key set has no keys")
	}
	var keys []key
	for _, raw := range set.Keys {
		var k jose.JSONWebKey
		if json.Unmarshal(raw, &k) != nil || !k.Valid() || k.Use != "" && k.Use != "sig" {
			continue
		}
		public := k.Public() // of a symmetric key this is nothing
		if !public.Valid() {
			continue
		}
		thumb, err := public.Thumbprint(crypto.SHA256)
		if err != nil {
			continue
		}
		id := base64.RawStdEncoding.EncodeToString(thumb) + " " + public.Algorithm + " " + public.KeyID
		keys = append(keys, key{id, public})
	}
	return keys, nil
}

// matching returns the keys with a kid that can make a signature of this kind. Without a
// kid there must be only one such key (OpenID Connect Core, Section 10.1).
func matching(keys []key, kid, alg string) []key {
	var found []key
	for _, k := range keys {
		if (kid == "" || k.jwk.KeyID == kid) && (k.jwk.Algorithm == "" || k.jwk.Algorithm == alg) && fits(k.jwk.Key, alg) {
			found = append(found, k)
		}
	}
	if kid == "" && len(found) > 1 {
		return nil
	}
	return found[:min(len(found), 4)] // each one costs a verification
}

// fits reports whether a key is of the kind that an algorithm needs (RFC 7518, Section 3).
func fits(public any, alg string) bool {
	switch k := public.(type) {
	case *rsa.PublicKey:
		return (strings.HasPrefix(alg, "RS") || strings.HasPrefix(alg, "PS")) && k.N.BitLen() >= 2048
	case *ecdsa.PublicKey:
		curve := map[string]elliptic.Curve{"ES256": elliptic.P256(), "ES384": elliptic.P384(), "ES512": elliptic.P521()}[alg]
		return curve != nil && k.Curve == curve
	case ed25519.PublicKey:
		return alg == string(jose.EdDSA)
	}
	return false
}
