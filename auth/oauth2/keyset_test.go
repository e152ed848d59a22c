package oauth2_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/scimkit/scim/auth/oauth2"
)

func TestRotation(t *testing.T) {
	s := newServer(t)
	a := s.jwt(t, s.issuer())
	old := good(t, nil)
	expect(t, a, old, 200, "", "signed with the first key")

	s.set(func() {
		s.keys = []jose.JSONWebKey{{KeyID: "new", Key: rsaOther().Public()}, {KeyID: "rsa", Key: rsaKey().Public()}}
	})
	fresh := sign(t, jose.RS256, rsaOther(), "new", with(nil))
	expect(t, a, fresh, 401, "unknown key", "the last fetch was just now")
	s.pass(30 * time.Second)
	expect(t, a, fresh, 200, "", "fetched again")
	expect(t, a, good(t, fields{"jti": 1}), 200, "", "the old key is still in the set")
	if n := s.count(); n != 2 {
		t.Errorf("%d fetches, want 2", n)
	}

	// The server withdraws the old key, and nobody sends an unknown one. The set is read
	// again after ten minutes, and then the cache does not help either.
	s.set(func() { s.keys = s.keys[:1] })
	s.pass(10*time.Minute - time.Second)
	expect(t, a, old, 200, "", "nobody knows yet")
	s.pass(time.Second)
	a.Authenticate(request(old)) // begins the fetch, and does not wait for it
	deadline := time.Now().Add(10 * time.Second)
	for status := 200; status == 200; status, _, _ = outcome(t, a, request(old)) {
		if time.Now().After(deadline) {
			t.Fatal("a withdrawn key is still good")
		}
	}
	expect(t, a, old, 401, "unknown key", "the key was withdrawn")
	expect(t, a, fresh, 200, "", "its key is there")
}

// A key that comes under an old name is another key.
func TestReplacedKey(t *testing.T) {
	s := newServer(t)
	a := s.jwt(t, s.issuer())
	old := good(t, nil)
	expect(t, a, old, 200, "", "signed with the first key")
	s.set(func() { s.keys = []jose.JSONWebKey{{KeyID: "rsa", Key: rsaOther().Public()}} })
	s.pass(30 * time.Second)
	expect(t, a, sign(t, jose.ES256, ecKey(), "x", with(nil)), 401, "unknown key", "has the set fetched")
	expect(t, a, old, 401, "wrong signature", "verified before, with a key that is gone")
	expect(t, a, sign(t, jose.RS256, rsaOther(), "rsa", with(nil)), 200, "", "the new key")
}

func TestRandomKeys(t *testing.T) {
	s := newServer(t)
	a := s.jwt(t, s.issuer())
	parts := strings.Split(good(t, nil), ".")
	flood := func(from int) {
		for n := range 1000 {
			header := b64(fmt.Sprintf(`{"alg":"RS256","kid":"random-%d"}`, from+n))
			expect(t, a, header+"."+parts[1]+"."+parts[2], 401, "unknown key", "made up")
		}
	}
	flood(0)
	if n := s.count(); n != 1 {
		t.Errorf("%d fetches for 1,000 tokens, want 1", n)
	}
	s.pass(29 * time.Second)
	flood(1000)
	if n := s.count(); n != 1 {
		t.Errorf("%d fetches within 30 s, want 1", n)
	}
	s.pass(time.Second)
	flood(2000)
	if n := s.count(); n != 2 {
		t.Errorf("%d fetches after 30 s, want 2", n)
	}
	expect(t, a, good(t, nil), 200, "", "the flood does no harm to others")
	if n := oauth2.Cached(a); n != 1 {
		t.Errorf("%d tokens in the cache, want 1: made-up ones do not count", n)
	}
}

// Each way in which a key set may fail is 503, and heals after 30 seconds. Keys in hand
// are good all the time.
func TestOutage(t *testing.T) {
	rsa := must(json.Marshal(jose.JSONWebKey{KeyID: "rsa", Key: rsaKey().Public()}))
	set := func(keys ...string) string { return `{"keys": [` + strings.Join(keys, ",") + `]}` }
	write := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, text) }
	}
	redirect := newServer(t)
	for _, c := range []struct {
		name   string
		answer http.HandlerFunc
		reason string // "" if the set is good
		why    string
	}{
		{"500", status(500), "answers 500", "down"},
		{"404", status(404), "answers 404", "not there"},
		{"204", status(204), "answers 204", "no answer"},
		{"redirect", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, redirect.URL, http.StatusFound) }, "answers 302", "to an address that nobody chose"},
		{"no JSON", write("<html>"), "not valid JSON", "a proxy's page"},
		{"cut off", write(set(string(rsa))[:50]), "not valid JSON", "half of it"},
		{"connection cut", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "EOF", "down"},
		{"no keys", write(`{}`), "no keys", "no key set"},
		{"list", write(`[]`), "not valid JSON", "no key set"},
		{"1 MiB and a byte", write(set(string(rsa)) + strings.Repeat(" ", 1<<20+1-len(set(string(rsa))))), "more than 1048576 bytes", "over the limit"},
		{"1 MiB", write(set(string(rsa)) + strings.Repeat(" ", 1<<20-len(set(string(rsa))))), "", "at the limit"},
		{"keys that nobody knows", write(set(`{"kty":"OKP","crv":"Ed448","x":"AA"}`, `5`, `{"kty":"RSA"}`, `{"kty":"LWE"}`, string(rsa))), "", "they are left out: RFC 7517, Section 5"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newServer(t)
			s.set(func() { s.answer = c.answer })
			a := s.jwt(t, s.issuer())
			token := good(t, nil)
			if c.reason == "" {
				expect(t, a, token, 200, "", c.why)
				return
			}
			for range 3 {
				expect(t, a, token, 503, c.reason, c.why)
			}
			s.pass(29 * time.Second)
			expect(t, a, token, 503, c.reason, "not tried again yet")
			if n := s.count(); n != 1 {
				t.Errorf("%d fetches in an outage of 29 s, want 1", n)
			}
			s.set(func() { s.answer = nil })
			s.pass(time.Second)
			expect(t, a, token, 200, "", "works again")

			s.set(func() { s.answer = c.answer })
			s.pass(31 * time.Second)
			unknown := sign(t, jose.RS256, rsaOther(), "new", with(nil))
			expect(t, a, unknown, 503, c.reason, "it may be good, and nobody can tell")
			s.pass(20 * time.Minute) // the set is old, and cannot be read again
			for n := range 3 {
				expect(t, a, good(t, fields{"jti": n}), 200, "", "the key is in hand")
				expect(t, a, token, 200, "", "verified before")
			}
			expect(t, a, sign(t, jose.RS256, rsaOther(), "rsa", with(nil)), 401, "wrong signature", "the key in hand says so")
		})
	}
	if n := redirect.count(); n != 0 {
		t.Error("a redirect was followed")
	}
}

// An empty set is an answer: the server has withdrawn its keys.
func TestEmptySet(t *testing.T) {
	s := newServer(t)
	s.set(func() { s.answer = func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{"keys": []}`) } })
	expect(t, s.jwt(t, s.issuer()), good(t, nil), 401, "unknown key", "there is no key")
}

func TestRetryAfter(t *testing.T) {
	s := newServer(t)
	s.set(func() { s.answer = status(500) })
	a := s.jwt(t, s.issuer())
	for _, c := range []struct{ pass, want time.Duration }{{0, 30 * time.Second}, {10 * time.Second, 20 * time.Second}, {19900 * time.Millisecond, time.Second}} {
		s.pass(c.pass)
		_, err := a.Authenticate(request(good(t, nil)))
		if got := retryAfter(err); got != c.want {
			t.Errorf("RetryAfter %v, want %v: the time until the next fetch", got, c.want)
		}
	}
}

// transport answers requests without a network, so that time in a bubble of synctest passes.
type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// inBubble makes an Auth whose key set is fetched by f.
func inBubble(t *testing.T, f transport) *oauth2.Auth {
	a, err := oauth2.JWT(oauth2.Issuer{URL: issuerURL, Keys: "https://id.example.com/keys", Audiences: []string{audience}})
	if err != nil {
		t.Fatal(err)
	}
	a.HTTP = &http.Client{Transport: f}
	return a
}

// now signs a token that is valid at the time of a bubble.
func now(t *testing.T, key any, kid string, jti int) string {
	return sign(t, jose.RS256, key, kid, with(fields{"exp": time.Now().Add(time.Hour).Unix(), "jti": jti}))
}

func keySetBody() io.ReadCloser {
	return io.NopCloser(strings.NewReader(string(must(json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{KeyID: "rsa", Key: rsaKey().Public()}}})))))
}

func TestSlowKeySet(t *testing.T) {
	rsaKey() // outside the bubble
	rsaOther()
	for name, f := range map[string]transport{
		"no answer": func(r *http.Request) (*http.Response, error) { <-r.Context().Done(); return nil, r.Context().Err() },
		"a body that trickles": func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Body: io.NopCloser(trickle{r.Context()})}, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var slow atomic.Bool
				a := inBubble(t, func(r *http.Request) (*http.Response, error) {
					if slow.Load() {
						return f(r)
					}
					return &http.Response{StatusCode: 200, Body: keySetBody()}, nil
				})
				slow.Store(true)
				took := stopwatch()
				expect(t, a, now(t, rsaKey(), "rsa", 0), 503, "deadline exceeded", "nobody can tell")
				took(t, 5*time.Second, "the first token")
				expect(t, a, now(t, rsaKey(), "rsa", 0), 503, "deadline exceeded", "the outage is known")
				took(t, 0, "the second token")

				time.Sleep(time.Minute)
				slow.Store(false)
				expect(t, a, now(t, rsaKey(), "rsa", 0), 200, "", "works again")
				time.Sleep(11 * time.Minute)
				slow.Store(true)
				took(t, 12*time.Minute, "sleeping")
				expect(t, a, now(t, rsaKey(), "rsa", 1), 200, "", "the set is old, and its keys are good")
				took(t, 0, "a token whose key is in hand")
				time.Sleep(5 * time.Second) // the fetch ends, otherwise the bubble complains
			})
		})
	}
}

// trickle is a body that never ends, a byte a second.
type trickle struct{ ctx context.Context }

func (r trickle) Read(p []byte) (int, error) {
	select {
	case <-r.ctx.Done():
		return 0, r.ctx.Err()
	case <-time.After(time.Second):
		p[0] = ' '
		return 1, nil
	}
}

// stopwatch measures the time since its last use.
func stopwatch() func(t *testing.T, want time.Duration, what string) {
	last := time.Now()
	return func(t *testing.T, want time.Duration, what string) {
		t.Helper()
		if got := time.Since(last); got != want {
			t.Errorf("%s took %v, want %v", what, got, want)
		}
		last = time.Now()
	}
}

// Requests that need the same keys wait for one fetch. One that is cancelled does not wait,
// and does not stop the fetch for the others, even if it began it.
func TestSharedFetch(t *testing.T) {
	rsaKey()
	synctest.Test(t, func(t *testing.T) {
		var fetches atomic.Int32
		a := inBubble(t, func(r *http.Request) (*http.Response, error) {
			fetches.Add(1)
			select {
			case <-time.After(3 * time.Second):
				return &http.Response{StatusCode: 200, Body: keySetBody()}, nil
			case <-r.Context().Done():
				return nil, r.Context().Err()
			}
		})
		took := stopwatch()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := a.Authenticate(request(now(t, rsaKey(), "rsa", 0)).WithContext(ctx))
		if !errors.Is(err, context.DeadlineExceeded) || retryAfter(err) != time.Second {
			t.Errorf("the cancelled request: %v", err)
		}
		took(t, time.Second, "the cancelled request")
		var wait sync.WaitGroup
		for n := range 20 {
			token := now(t, rsaKey(), "rsa", n)
			wait.Go(func() { expect(t, a, token, 200, "", "one fetch is for all") })
		}
		wait.Wait()
		took(t, 2*time.Second, "the others")
		if n := fetches.Load(); n != 1 {
			t.Errorf("%d fetches, want 1", n)
		}
	})
}

// An old set is read again every ten minutes, and every 30 seconds while that fails.
func TestRenewal(t *testing.T) {
	rsaKey()
	synctest.Test(t, func(t *testing.T) {
		var fetches int
		var down atomic.Bool
		a := inBubble(t, func(r *http.Request) (*http.Response, error) {
			fetches++ // the bubble waits for the fetch before anybody reads this
			if down.Load() {
				return nil, errors.New("connection refused")
			}
			return &http.Response{StatusCode: 200, Body: keySetBody()}, nil
		})
		for _, c := range []struct {
			pass time.Duration
			down bool
			want int
		}{
			{0, false, 1}, {10*time.Minute - time.Second, false, 1}, {time.Second, false, 2}, {10 * time.Minute, true, 3},
			{29 * time.Second, true, 3}, {time.Second, true, 4}, {30 * time.Second, false, 5}, {9 * time.Minute, false, 5},
		} {
			time.Sleep(c.pass)
			down.Store(c.down)
			for n := range 10 {
				expect(t, a, now(t, rsaKey(), "rsa", n), 200, "", "the key is in hand")
				synctest.Wait()
			}
			if fetches != c.want {
				t.Errorf("after %v: %d fetches, want %d", c.pass, fetches, c.want)
			}
		}
	})
}

// Issuers with one address of keys share the set, such as the directories of Entra.
func TestSharedSet(t *testing.T) {
	s := newServer(t)
	other := s.issuer()
	other.URL = "https://other.example.com"
	a := s.jwt(t, s.issuer(), other)
	expect(t, a, good(t, nil), 200, "", "the first issuer")
	expect(t, a, good(t, fields{"iss": other.URL}), 200, "", "the second issuer")
	if n := s.count(); n != 1 {
		t.Errorf("%d fetches, want 1", n)
	}
}
