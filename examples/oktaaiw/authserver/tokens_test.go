package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth/oauth2"
	"github.com/scimkit/scim/store/memory"
)

// endpoint is a SCIM endpoint that trusts an authorization server, with a clock.
type endpoint struct {
	http.Handler
	mu  sync.Mutex
	now time.Time
}

func newEndpoint(t *testing.T, w *world) *endpoint {
	e := &endpoint{now: time.Now()}
	a, err := oauth2.JWT(oauth2.Issuer{URL: w.url, Keys: w.url + "/keys", Audiences: []string{audience}, Scope: scope,
		Scopes: map[string][]string{scope: {scim.ScopeUsers, scim.ScopeGroups}}})
	if err != nil {
		t.Fatal(err)
	}
	a.Now = func() time.Time {
		e.mu.Lock()
		defer e.mu.Unlock()
		return e.now
	}
	if e.Handler, err = scim.New(scim.Config{Store: memory.New(), Auth: a, Log: slog.New(slog.DiscardHandler)}); err != nil {
		t.Fatal(err)
	}
	return e
}

func (e *endpoint) pass(d time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.now = e.now.Add(d)
}

// call sends a token, and returns the answer.
func (e *endpoint) call(ctx context.Context, token string) *http.Response {
	out := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(ctx, "GET", "/Users", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	e.ServeHTTP(out, r)
	return out.Result()
}

func (e *endpoint) want(t *testing.T, status int, token, why string) {
	t.Helper()
	got := e.call(t.Context(), token)
	if got.StatusCode != status || (status == 503) != (got.Header.Get("Retry-After") != "") || (status == 401) != (got.Header.Get("WWW-Authenticate") != "") {
		t.Errorf("%s: %d %v, want %d", why, got.StatusCode, got.Header, status)
	}
}

// part changes a part of a token: 0 is the header, 1 the claims, 2 the signature.
func part(token string, i int, text []byte) string {
	parts := strings.Split(token, ".")
	parts[i] = base64.RawURLEncoding.EncodeToString(text)
	return strings.Join(parts, ".")
}

// TestForgeries changes tokens of the real server, and has others make them.
func TestForgeries(t *testing.T) {
	w := begin(t, "", audience)
	e := newEndpoint(t, w)
	good := w.access().Access
	e.want(t, 200, good, "a token of the authorization server")
	id := w.store.keys[0].id
	e.want(t, 401, part(part(good, 0, []byte(`{"alg":"none","kid":"`+id+`"}`)), 2, nil), "alg none, without a signature")
	e.want(t, 401, part(good, 0, []byte(`{"alg":"none","kid":"`+id+`"}`)), "alg none, with the signature")
	e.want(t, 401, part(good, 2, []byte("nonsense")), "another signature")
	claims, err := base64.RawURLEncoding.DecodeString(strings.Split(good, ".")[1])
	if err != nil || !bytes.Contains(claims, []byte(audience)) {
		t.Fatalf("the claims are %s, error %v", claims, err)
	}
	e.want(t, 401, part(good, 1, bytes.Replace(claims, []byte(`"okta"`), []byte(`"evil"`), 1)), "a changed claim")

	public, err := jose.JSONWebKey{Key: w.store.keys[0].private.Public()}.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: public}, (&jose.SignerOptions{}).WithHeader("kid", id))
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign(claims)
	if err != nil {
		t.Fatal(err)
	}
	hmac, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	e.want(t, 401, hmac, "HS256 with the public key as the secret")

	evil := begin(t, w.url, audience) // it says that it is the other one
	e.want(t, 401, evil.access().Access, "another key, with an id of its own")
	evil.store.keys[0].id = id
	e.want(t, 401, evil.access().Access, "another key, with the id of the right one")
	e.want(t, 401, begin(t, w.url+"/", audience).access().Access, "another issuer, by a slash")
	e.want(t, 401, begin(t, "", audience).access().Access, "another issuer")
	w.store.audience = "https://other.example"
	e.want(t, 401, w.access().Access, "another audience")
	w.store.audience = audience
	e.want(t, 200, w.access().Access, "a right token after all that")
}

// TestClocks lets the clocks of the two servers differ.
func TestClocks(t *testing.T) {
	w := begin(t, "", audience)
	e := newEndpoint(t, w)
	token := w.access().Access
	e.pass(accessTime + 50*time.Second)
	e.want(t, 200, token, "expired 50 s ago, within the minute")
	e.pass(15 * time.Second)
	e.want(t, 401, token, "expired 65 s ago")
	e = newEndpoint(t, w)
	w.store.client.behind = -50 * time.Second
	e.want(t, 200, w.access().Access, "the clock of the authorization server is 50 s ahead")
	w.store.client.behind = -70 * time.Second
	e.want(t, 401, w.access().Access, "it is 70 s ahead")
	w.store.client.behind = time.Hour
	e.want(t, 200, w.access().Access, "it is an hour behind, and the token has not expired")
}

// TestKeyRotation changes keys in the middle.
func TestKeyRotation(t *testing.T) {
	w := begin(t, "", audience)
	w.store.lifetime = time.Hour
	e := newEndpoint(t, w)
	old := w.access()
	e.want(t, 200, old.Access, "before")
	if err := w.store.rotate(); err != nil {
		t.Fatal(err)
	}
	renewed := w.refresh(old.Refresh)
	e.want(t, 401, renewed.Access, "a new key: the set was read less than 30 s ago")
	e.pass(31 * time.Second)
	e.want(t, 200, renewed.Access, "after 30 s the set is read again")
	e.want(t, 200, old.Access, "the key from before is in the set")
	if n := w.asked.Load(); n != 2 {
		t.Errorf("the key set was read %d times, want 2", n)
	}
	if err := w.store.rotate(); err != nil {
		t.Fatal(err)
	}
	e.pass(11 * time.Minute)
	end := time.Now().Add(10 * time.Second)
	for e.call(t.Context(), old.Access).StatusCode != 401 { // nobody waits for the fetch
		if time.Now().After(end) {
			t.Fatal("a key that was withdrawn stays valid")
		}
		time.Sleep(time.Millisecond)
	}
	e.want(t, 200, renewed.Access, "the last key but one is still in the set")
}

// TestKeySetOutage has a key set that is down, slow or huge.
func TestKeySetOutage(t *testing.T) {
	down := http.HandlerFunc(func(out http.ResponseWriter, _ *http.Request) { out.WriteHeader(http.StatusBadGateway) })
	huge := http.HandlerFunc(func(out http.ResponseWriter, _ *http.Request) {
		out.Write([]byte(`{"keys":[{"kid":"`)) //nolint:errcheck // the client goes away
		for range 40 {
			out.Write(bytes.Repeat([]byte("x"), 64<<10)) //nolint:errcheck // as above
		}
		out.Write([]byte(`"}]}`)) //nolint:errcheck // as above
	})
	slow := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	for name, answer := range map[string]http.HandlerFunc{"down": down, "huge": huge, "slow": slow} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := begin(t, "", audience)
			e := newEndpoint(t, w)
			old := w.access()
			w.keys.Store(&answer)
			start := time.Now()
			e.want(t, 503, old.Access, "no key is in hand")
			if took := time.Since(start); took > 10*time.Second {
				t.Errorf("the answer took %v, want at most about 5 s", took)
			}
			w.keys.Store(nil)
			e.pass(31 * time.Second)
			e.want(t, 200, old.Access, "the key set is there again")
			w.keys.Store(&answer)
			e.pass(2 * time.Minute)
			e.want(t, 200, old.Access, "its key is in hand")
			if err := w.store.rotate(); err != nil {
				t.Fatal(err)
			}
			renewed := w.refresh(old.Refresh).Access
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			if got := e.call(ctx, renewed).StatusCode; got != 503 {
				t.Errorf("a new key while the set is %s: %d, want 503", name, got)
			}
			e.want(t, 200, old.Access, "its key is still in hand")
		})
	}
}
