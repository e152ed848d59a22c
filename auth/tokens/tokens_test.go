package tokens_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/auth/tokens"
	"github.com/scimkit/scim/store/memory"
)

// counted is a store that counts its calls, and fails if it is told to.
type counted struct {
	tokens.Store
	found, used atomic.Int64
	down        atomic.Bool
	meanwhile   func() // meanwhile, if set, is called when ByHash has read.
}

var errDown = errors.New("dial tcp 10.0.0.1: connection refused")

func (c *counted) ByHash(ctx context.Context, hash [sha256.Size]byte) (tokens.Token, error) {
	c.found.Add(1)
	if c.down.Load() {
		return tokens.Token{}, errDown
	}
	t, err := c.Store.ByHash(ctx, hash)
	if f := c.meanwhile; f != nil {
		c.meanwhile = nil
		f()
	}
	return t, err
}

func (c *counted) SetLastUsed(ctx context.Context, hash [sha256.Size]byte, at, since time.Time) error {
	c.used.Add(1)
	if c.down.Load() {
		return errDown
	}
	return c.Store.SetLastUsed(ctx, hash, at, since)
}

// clock is a time that tests set.
type clock struct{ atomic.Int64 }

func (c *clock) Now() time.Time          { return time.Unix(0, c.Load()) }
func (c *clock) advance(d time.Duration) { c.Add(int64(d)) }

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// world is a store, and a process that uses it.
type world struct {
	*testing.T
	clock *clock
	store *counted
	all   *tokens.Tokens
}

func newWorld(t *testing.T, o tokens.Options) *world {
	w := &world{T: t, clock: &clock{}, store: &counted{Store: tokens.NewMemory()}}
	w.clock.Store(noon.UnixNano())
	w.all = w.process(o)
	return w
}

// process is another process that uses the store.
func (w *world) process(o tokens.Options) *tokens.Tokens {
	w.Helper()
	o.Now = w.clock.Now
	all, err := tokens.New(w.store, o)
	if err != nil {
		w.Fatal(err)
	}
	return all
}

func (w *world) issue(r tokens.Request) (string, tokens.Token) {
	w.Helper()
	secret, t, err := w.all.Tenant("acme").Issue(w.Context(), r)
	if err != nil {
		w.Fatal(err)
	}
	return secret, t
}

func request(secret string) *http.Request {
	r := httptest.NewRequest("GET", "/scim/v2/Users", nil)
	r.Header.Set("Authorization", "Bearer "+secret)
	return r
}

func status(t *testing.T, all scim.Authenticator, secret string) int {
	t.Helper()
	_, err := all.Authenticate(request(secret))
	if err == nil {
		return http.StatusOK
	}
	e, ok := errors.AsType[*scim.Error](err)
	if !ok {
		t.Fatalf("%T: %v", err, err)
	}
	return e.Status
}

// want requires the status of requests with a secret.
func (w *world) want(why string, all scim.Authenticator, secret string, want int) {
	w.Helper()
	if got := status(w.T, all, secret); got != want {
		w.Errorf("%s: %d, want %d", why, got, want)
	}
}

func TestNewListsMistakes(t *testing.T) {
	_, err := tokens.New(nil, tokens.Options{Prefix: "a b", Scopes: []string{""}, CacheFor: time.Minute, CacheSize: -1})
	for _, want := range []string{"store is nil", `Prefix "a b"`, "Scopes", "CacheFor is 1m0s", "CacheSize is -1"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not tell of %s", err, want)
		}
	}
}

func TestIssue(t *testing.T) {
	w := newWorld(t, tokens.Options{Prefix: "acme_", Scopes: []string{"devices"}})
	for _, c := range []struct {
		name   string
		r      tokens.Request
		want   string // in the error
		reason string
	}{
		{"all scopes", tokens.Request{Label: "Okta", Maker: "ann"}, "", "nil means all"},
		{"no scopes", tokens.Request{Scopes: []string{}}, "", "an empty list means none"},
		{"some", tokens.Request{Scopes: []string{"groups"}}, "", "it is known"},
		{"a word of the application", tokens.Request{Scopes: []string{"users", "devices"}}, "", "Options.Scopes has it"},
		{"ends", tokens.Request{Expires: noon.Add(time.Hour)}, "", "it is in the future"},
		{"unknown scope", tokens.Request{Scopes: []string{"groups", "Users"}}, `unknown scope "Users"`, "a typing mistake would give less, or later more, than is meant"},
		{"ends now", tokens.Request{Expires: noon}, "not in the future", "the token would never be valid"},
		{"long label", tokens.Request{Label: strings.Repeat("é", 201)}, "201 characters", "lists show it"},
		{"label of no characters", tokens.Request{Label: "a\xff"}, "UTF-8", "no database keeps it"},
		{"maker with U+0000", tokens.Request{Maker: "a\x00"}, "maker", "PostgreSQL does not keep it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			before, _ := w.all.Tenant("acme").List(t.Context())
			secret, x, err := w.all.Tenant("acme").Issue(t.Context(), c.r)
			after, _ := w.all.Tenant("acme").List(t.Context())
			if c.want != "" {
				if err == nil || !strings.Contains(err.Error(), c.want) || secret != "" || len(after) != len(before) {
					t.Errorf("error %v, %d tokens more, want %q: %s", err, len(after)-len(before), c.want, c.reason)
				}
				return
			}
			if err != nil {
				t.Fatalf("%v: %s", err, c.reason)
			}
			want := tokens.Token{ID: x.ID, Client: x.ID, Tenant: "acme", Hash: sha256.Sum256([]byte(secret)), Label: c.r.Label, Maker: c.r.Maker,
				Prefix: "acme_", Last4: secret[len(secret)-4:], Created: noon, Expires: c.r.Expires, Scopes: c.r.Scopes}
			if diff := cmp.Diff(want, x); diff != "" || x.ID == "" || !tokens.IsSecret(secret, "acme_") {
				t.Errorf("secret %q (-want +got):\n%s", secret, diff)
			}
			p, err := w.all.Authenticate(request(secret))
			if diff := cmp.Diff(scim.Principal{ID: x.ID, Tenant: "acme", Scopes: c.r.Scopes}, p); diff != "" || err != nil {
				t.Errorf("error %v, principal (-want +got):\n%s", err, diff)
			}
			if b, err := json.Marshal(x); err != nil || strings.Contains(string(b), "Hash") || strings.Contains(string(b), secret) {
				t.Errorf("JSON %s, error %v", b, err)
			}
		})
	}
}

func TestRotate(t *testing.T) {
	for _, c := range []struct {
		name     string
		expires  time.Duration // 0: never
		r        tokens.Rotation
		old      time.Duration // when the old one ends
		newEnd   time.Duration // when the new one ends; 0: never
		prepared func(w *world, id string)
		want     error
		reason   string
	}{
		{name: "with overlap", r: tokens.Rotation{Overlap: time.Hour, Maker: "bob"}, old: time.Hour, reason: "time to change the client"},
		{name: "at once", reason: "the zero value is the safe one"},
		{name: "ends before the overlap", expires: time.Minute, r: tokens.Rotation{Overlap: time.Hour}, old: time.Minute, newEnd: time.Minute, reason: "a rotation never prolongs the old token"},
		{name: "new end", expires: time.Hour, r: tokens.Rotation{Overlap: time.Minute, Expires: noon.Add(2 * time.Hour)}, old: time.Minute, newEnd: 2 * time.Hour, reason: "as it was told"},
		{name: "rotated", prepared: func(w *world, id string) {
			w.all.Tenant("acme").Rotate(w.Context(), id, tokens.Rotation{Overlap: time.Hour})
		}, want: tokens.ErrRotated, reason: "there would be two successors"},
		{name: "revoked", prepared: func(w *world, id string) { w.all.Tenant("acme").Revoke(w.Context(), id) }, want: tokens.ErrEnded, reason: "a revoked token gives no access again"},
		{name: "expired", expires: time.Minute, prepared: func(w *world, _ string) { w.clock.advance(time.Minute) }, want: tokens.ErrEnded, reason: "issue a new one"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, tokens.Options{CacheFor: tokens.MaxCacheFor, Scopes: []string{"users"}})
			r := tokens.Request{Label: "Okta", Maker: "ann", Scopes: []string{"users"}}
			if c.expires > 0 {
				r.Expires = noon.Add(c.expires)
			}
			secret, x := w.issue(r)
			w.want("before", w.all, secret, 200)
			if c.prepared != nil {
				c.prepared(w, x.ID)
			}
			next, y, err := w.all.Tenant("acme").Rotate(t.Context(), x.ID, c.r)
			if !errors.Is(err, c.want) {
				t.Fatalf("error %v, want %v: %s", err, c.want, c.reason)
			}
			if c.want != nil {
				return
			}
			want := tokens.Token{ID: y.ID, Client: x.Client, Tenant: "acme", Hash: sha256.Sum256([]byte(next)), Label: "Okta", Maker: c.r.Maker,
				Prefix: "scim_", Last4: next[len(next)-4:], Created: noon, Scopes: []string{"users"}}
			if c.newEnd > 0 {
				want.Expires = noon.Add(c.newEnd)
			}
			if diff := cmp.Diff(want, y); diff != "" {
				t.Errorf("successor (-want +got):\n%s", diff)
			}
			w.want("the new one", w.all, next, 200)
			if c.old > 0 {
				w.clock.advance(c.old - time.Nanosecond)
				w.want("in the overlap", w.all, secret, 200)
				w.clock.advance(time.Nanosecond)
			}
			w.want("after the overlap: "+c.reason, w.all, secret, 401)
			list, _ := w.all.Tenant("acme").List(t.Context())
			for _, l := range list {
				if l.ID == x.ID && (l.Successor != y.ID || !l.Expires.Equal(noon.Add(c.old))) {
					t.Errorf("the old one is %+v", l)
				}
			}
		})
	}
}

func TestExpire(t *testing.T) {
	w := newWorld(t, tokens.Options{CacheFor: tokens.MaxCacheFor})
	acme := w.all.Tenant("acme")
	secret, x := w.issue(tokens.Request{})
	w.want("before", w.all, secret, 200)
	for _, at := range []time.Time{noon.Add(time.Hour), {}, noon.Add(time.Minute)} { // earlier, later, earlier
		if err := acme.Expire(t.Context(), x.ID, at); err != nil {
			t.Fatal(err)
		}
	}
	w.clock.advance(time.Minute - time.Nanosecond)
	w.want("just before", w.all, secret, 200)
	w.clock.advance(time.Nanosecond)
	w.want("at the end", w.all, secret, 401)
	if err := acme.Expire(t.Context(), x.ID, time.Time{}); !errors.Is(err, tokens.ErrEnded) {
		t.Errorf("an expired token is prolonged: %v", err)
	}
}

func TestRevoke(t *testing.T) {
	for _, cacheFor := range []time.Duration{0, tokens.MaxCacheFor} {
		t.Run(cacheFor.String(), func(t *testing.T) {
			w := newWorld(t, tokens.Options{CacheFor: cacheFor})
			other := w.process(tokens.Options{CacheFor: cacheFor})
			secret, x := w.issue(tokens.Request{})
			w.want("before", w.all, secret, 200)
			w.want("before, in the other process", other, secret, 200)
			if err := w.all.Tenant("other").Revoke(t.Context(), x.ID); !errors.Is(err, scim.ErrNotFound) {
				t.Errorf("another tenant revokes it: %v", err)
			}
			for range 2 {
				if err := w.all.Tenant("acme").Revoke(t.Context(), x.ID); err != nil {
					t.Fatal(err)
				}
				w.want("the next request", w.all, secret, 401)
				w.clock.advance(tokens.MaxCacheFor)
				w.want("in the other process, after 5 s", other, secret, 401)
			}
			if list, _ := w.all.Tenant("acme").List(t.Context()); len(list) != 1 || !list[0].Revoked.Equal(noon) {
				t.Errorf("list %+v: the first revocation counts", list)
			}
		})
	}
}

// SCIM is switched off for a tenant.
func TestRevokeAll(t *testing.T) {
	w := newWorld(t, tokens.Options{CacheFor: tokens.MaxCacheFor})
	one, x := w.issue(tokens.Request{})
	two, _ := w.issue(tokens.Request{})
	if err := w.all.Tenant("acme").Revoke(t.Context(), x.ID); err != nil {
		t.Fatal(err)
	}
	w.clock.advance(time.Second)
	others, _, err := w.all.Tenant("other").Issue(t.Context(), tokens.Request{})
	if err != nil {
		t.Fatal(err)
	}
	w.want("before", w.all, two, 200)
	for range 2 {
		if err := w.all.Tenant("acme").RevokeAll(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.want("revoked before", w.all, one, 401)
		w.want("revoked with all", w.all, two, 401)
		w.want("of another tenant", w.all, others, 200)
	}
	list, err := w.all.Tenant("acme").List(t.Context())
	if err != nil || len(list) != 2 {
		t.Fatal(list, err)
	}
	for _, x := range list {
		want := noon.Add(time.Second)
		if x.Hash == sha256.Sum256([]byte(one)) {
			want = noon // the first revocation counts
		}
		if !x.Revoked.Equal(want) {
			t.Errorf("revoked at %v, want %v", x.Revoked, want)
		}
	}
}

// A request has read the token when it is revoked. It may go on, but the cache does not keep what it
// has read.
func TestRevokeMeanwhile(t *testing.T) {
	w := newWorld(t, tokens.Options{CacheFor: tokens.MaxCacheFor})
	secret, x := w.issue(tokens.Request{})
	w.store.meanwhile = func() {
		if err := w.all.Tenant("acme").Revoke(t.Context(), x.ID); err != nil {
			t.Error(err)
		}
	}
	w.want("the request that has read before", w.all, secret, 200)
	w.want("the next request", w.all, secret, 401)
}

func TestRevokeWhileAuthenticating(t *testing.T) {
	w := newWorld(t, tokens.Options{CacheFor: tokens.MaxCacheFor})
	for range 50 {
		secret, x := w.issue(tokens.Request{})
		var isRevoked atomic.Bool
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for range 100 {
					before := isRevoked.Load()
					if got := status(t, w.all, secret); before && got != 401 {
						t.Errorf("%d after Revoke", got)
					}
				}
			})
		}
		wg.Go(func() {
			if err := w.all.Tenant("acme").Revoke(t.Context(), x.ID); err != nil {
				t.Error(err)
			}
			isRevoked.Store(true)
		})
		wg.Wait()
	}
}

func TestRotateAtOnce(t *testing.T) {
	w := newWorld(t, tokens.Options{})
	_, x := w.issue(tokens.Request{})
	var made atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			switch _, _, err := w.all.Tenant("acme").Rotate(t.Context(), x.ID, tokens.Rotation{Overlap: time.Hour}); {
			case err == nil:
				made.Add(1)
			case !errors.Is(err, tokens.ErrRotated):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if list, _ := w.all.Tenant("acme").List(t.Context()); made.Load() != 1 || len(list) != 2 {
		t.Errorf("%d successors, %d tokens", made.Load(), len(list))
	}
}

// The cache saves look-ups of valid tokens. Clients cannot fill it.
func TestCache(t *testing.T) {
	for _, c := range []struct {
		name     string
		cacheFor time.Duration
		size     int
		asked    int64 // of ten requests, five of them 5 s later
		reason   string
	}{
		{"off", 0, 0, 10, "0 means never"},
		{"on", tokens.MaxCacheFor, 0, 2, "once, and once again when it is too old"},
		{"one second", time.Second, 0, 2, "the same: five requests come at one moment"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, tokens.Options{CacheFor: c.cacheFor, CacheSize: c.size})
			secret, _ := w.issue(tokens.Request{})
			for i := range 10 {
				if i == 5 {
					w.clock.advance(tokens.MaxCacheFor)
				}
				w.want("request", w.all, secret, 200)
			}
			if got := w.store.found.Load(); got != c.asked {
				t.Errorf("the store was asked %d times, want %d: %s", got, c.asked, c.reason)
			}
		})
	}
	t.Run("unknown", func(t *testing.T) {
		w := newWorld(t, tokens.Options{CacheFor: tokens.MaxCacheFor, CacheSize: 1})
		secret, _ := w.issue(tokens.Request{})
		w.want("known", w.all, secret, 200)
		for range 3 {
			w.want("unknown", w.all, "unknown", 401)
			w.want("known", w.all, secret, 200)
		}
		if got := w.store.found.Load(); got != 4 {
			t.Errorf("the store was asked %d times, want 4: an unknown token is never kept, and displaces none", got)
		}
	})
	t.Run("bounded", func(t *testing.T) {
		w := newWorld(t, tokens.Options{CacheFor: tokens.MaxCacheFor, CacheSize: 2})
		var all []string
		for range 10 {
			secret, _ := w.issue(tokens.Request{})
			all = append(all, secret)
			w.want("new", w.all, secret, 200)
		}
		w.store.found.Store(0)
		for _, secret := range all {
			w.want("again", w.all, secret, 200)
		}
		if got := w.store.found.Load(); got < 8 {
			t.Errorf("the store was asked %d times for 10 tokens, of which the cache has 2", got)
		}
	})
	t.Run("outage", func(t *testing.T) {
		w := newWorld(t, tokens.Options{CacheFor: tokens.MaxCacheFor, Log: slog.New(slog.DiscardHandler)})
		secret, _ := w.issue(tokens.Request{})
		w.want("before", w.all, secret, 200)
		w.store.down.Store(true)
		w.want("in the cache", w.all, secret, 200)
		w.want("unknown in an outage", w.all, "unknown", 503)
		w.clock.advance(tokens.MaxCacheFor)
		w.want("too old", w.all, secret, 503)
	})
}

// The time of last use is written at most once a minute, also with several requests at once and
// several processes.
func TestLastUsed(t *testing.T) {
	for _, cacheFor := range []time.Duration{0, tokens.MaxCacheFor} {
		t.Run(cacheFor.String(), func(t *testing.T) {
			w := newWorld(t, tokens.Options{CacheFor: cacheFor})
			secret, _ := w.issue(tokens.Request{})
			for minute := range 3 {
				var wg sync.WaitGroup
				for range 8 {
					wg.Go(func() { w.want("request", w.all, secret, 200) })
				}
				wg.Wait()
				if got := w.store.used.Load(); got != int64(minute+1) {
					t.Errorf("minute %d: %d writes, want one a minute", minute, got)
				}
				list, _ := w.all.Tenant("acme").List(t.Context())
				if want := noon.Add(time.Duration(minute) * 61 * time.Second); !list[0].LastUsed.Equal(want) {
					t.Errorf("last use %v, want %v", list[0].LastUsed, want)
				}
				w.clock.advance(59 * time.Second)
				w.want("in the same minute", w.all, secret, 200)
				w.clock.advance(2 * time.Second)
			}
			w.want("another minute", w.all, secret, 200)
			writes := w.store.used.Load()
			other := w.process(tokens.Options{CacheFor: cacheFor})
			w.want("another process", other, secret, 200)
			if got := w.store.used.Load(); got != writes {
				t.Errorf("%d writes, want %d: the other process sees the use", got, writes)
			}
			w.want("refused", w.all, "unknown", 401)
			if got := w.store.used.Load(); got != writes {
				t.Errorf("%d writes, want %d: what is refused is no use", got, writes)
			}
		})
	}
}

// If the time of last use cannot be written, the request goes on, and the log says so.
func TestLastUsedFails(t *testing.T) {
	var log strings.Builder
	w := newWorld(t, tokens.Options{CacheFor: tokens.MaxCacheFor, Log: slog.New(slog.NewTextHandler(&log, nil))})
	secret, x := w.issue(tokens.Request{})
	w.want("fills the cache", w.all, secret, 200)
	w.store.meanwhile = func() { w.store.down.Store(true) }
	w.clock.advance(2 * time.Minute)
	w.want("request", w.all, secret, 200)
	if s := log.String(); !strings.Contains(s, x.Client) || !strings.Contains(s, errDown.Error()) || strings.Contains(s, secret) {
		t.Errorf("log: %s", s)
	}
}

// slow is a store that waits with SetLastUsed until its context ends.
type slow struct{ tokens.Store }

func (slow) SetLastUsed(ctx context.Context, _ [sha256.Size]byte, _, _ time.Time) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestLastUsedIsSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all, err := tokens.New(slow{tokens.NewMemory()}, tokens.Options{Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		secret, _, err := all.Tenant("").Issue(t.Context(), tokens.Request{})
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if got := status(t, all, secret); got != 200 || time.Since(start) != time.Second {
			t.Errorf("%d after %v, want 200 after one second", got, time.Since(start))
		}
	})
}

// Through the handler, an expired, a revoked and an unknown token get the same bytes.
func TestRefusalsLookAlike(t *testing.T) {
	w := newWorld(t, tokens.Options{})
	h, err := scim.New(scim.Config{Store: memory.New(), Auth: w.all, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	expired, _ := w.issue(tokens.Request{Expires: noon.Add(time.Second)})
	revoked, x := w.issue(tokens.Request{})
	valid, _ := w.issue(tokens.Request{})
	if err := w.all.Tenant("acme").Revoke(t.Context(), x.ID); err != nil {
		t.Fatal(err)
	}
	w.clock.advance(time.Minute)
	answer := func(secret string) (int, string) {
		out := httptest.NewRecorder()
		r := request(secret)
		r.URL.Path = "/Users"
		r.Header.Set("X-Request-Id", "the-same") // otherwise each answer has another one
		h.ServeHTTP(out, r)
		var all strings.Builder
		out.Header().Write(&all) //nolint:errcheck // never fails
		body, _ := io.ReadAll(out.Result().Body)
		return out.Code, all.String() + string(body)
	}
	code, want := answer("unknown")
	if code != 401 || !strings.Contains(want, "Www-Authenticate: Bearer ") {
		t.Errorf("unknown: %d %s", code, want)
	}
	for name, secret := range map[string]string{"expired": expired, "revoked": revoked, "cut": valid[:len(valid)-1]} {
		if code, got := answer(secret); code != 401 || got != want {
			t.Errorf("%s: %d (-unknown +got):\n%s", name, code, cmp.Diff(want, got))
		}
	}
	if code, got := answer(valid); code != 200 {
		t.Errorf("valid: %d %s", code, got)
	}
}

// wrong is a store that answers with another token.
type wrong struct {
	tokens.Store
	token tokens.Token
}

func (s wrong) ByHash(context.Context, [sha256.Size]byte) (tokens.Token, error) { return s.token, nil }

// A store that answers with another token lets nobody in, and the refusal does not say that the client
// has sent that token: a journal would show it to the token's tenant.
func TestWrongToken(t *testing.T) {
	for name, token := range map[string]tokens.Token{
		"valid":   {ID: "1", Client: "1", Tenant: "acme", Hash: sha256.Sum256([]byte("x"))},
		"revoked": {ID: "1", Client: "1", Tenant: "acme", Hash: sha256.Sum256([]byte("x")), Revoked: noon},
		"expired": {ID: "1", Client: "1", Tenant: "acme", Hash: sha256.Sum256([]byte("x")), Expires: noon},
		"zero":    {},
	} {
		all, err := tokens.New(wrong{tokens.NewMemory(), token}, tokens.Options{})
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest("GET", "/Users", nil)
		r.Header.Set("Authorization", "Bearer another")
		_, err = all.Authenticate(r)
		if e, ok := errors.AsType[*scim.Error](err); !ok || e.Status != http.StatusUnauthorized {
			t.Errorf("%s: %v", name, err)
		}
		if e, ok := errors.AsType[*auth.RefusedError](err); ok {
			t.Errorf("%s: refused as a token of %q", name, e.Tenant)
		}
	}
}
