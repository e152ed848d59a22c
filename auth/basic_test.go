package auth_test

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"errors"
	"maps"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/bcrypt"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
)

// account has a generated secret, a password, or both.
func account(t testing.TB, user, secret, password string) auth.Account {
	t.Helper()
	a := auth.Account{User: user, Token: auth.Token{ID: "id of " + user, Tenant: "tenant of " + user}}
	if secret != "" {
		a.Hash = sha256.Sum256([]byte(secret))
	}
	if password != "" {
		var err error
		if a.Password, err = bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost); err != nil {
			t.Fatal(err)
		}
	}
	return a
}

func basic(user, secret string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+secret))
}

func TestBasic(t *testing.T) {
	expired := account(t, "expired", "s", "p")
	expired.Expires = noon
	long := strings.Repeat("x", 72)
	list := []auth.Account{account(t, "okta", "secret", ""), account(t, "ping", "", "chosen"), account(t, "both", "secret", "chosen"),
		account(t, "okta", "second", ""), account(t, "colon", "a:b", ""), account(t, "long", "", long), account(t, "", "secret", ""), account(t, "Ünal", "sé", ""), expired}
	a := auth.Basic(list...)
	a.Now = clock
	clear(list)
	for _, c := range []struct {
		name, header, id string
		reason           string
	}{
		{"generated secret", basic("okta", "secret"), "okta", "RFC 7617"},
		{"password", basic("ping", "chosen"), "ping", "bcrypt"},
		{"password again", basic("ping", "chosen"), "ping", "remembered"},
		{"both, secret", basic("both", "secret"), "both", "either one"},
		{"both, password", basic("both", "chosen"), "both", "either one"},
		{"lower case", "basic" + basic("okta", "secret")[5:], "okta", "schemes are case-insensitive"},
		{"without padding", strings.TrimRight(basic("okta", "secret"), "="), "okta", "some clients leave it out"},
		{"colon in the secret", basic("colon", "a:b"), "colon", "the first colon divides: RFC 7617, Section 2"},
		{"not ASCII", basic("Ünal", "sé"), "Ünal", "the challenge asks for UTF-8"},
		{"wrong secret", basic("okta", "Secret"), "", "secrets are case-sensitive"},
		{"wrong password", basic("ping", "chosen1"), "", "it is another one"},
		{"password of another", basic("okta", "chosen"), "", "it belongs to another account"},
		{"second account of a user", basic("okta", "second"), "", "the first one counts"},
		{"unknown user", basic("nobody", "secret"), "", "there is no such account"},
		{"case of the user", basic("Okta", "secret"), "", "users are compared byte by byte"},
		{"expired, secret", basic("expired", "s"), "", "Expires is the first moment at which it is not valid"},
		{"expired, password", basic("expired", "p"), "", "the same"},
		{"72 bytes", basic("long", long), "long", "bcrypt looks at all of them"},
		{"73 bytes", basic("long", long+"x"), "", "bcrypt would not look at the last one"},
		{"Q69 Keycloak's plug-in", "Basic Og==", "", "it sends an empty user and an empty password"},
		{"no user", basic("", "secret"), "", "an account without a name is never valid"},
		{"no secret", basic("okta", ""), "", "the empty secret is never valid"},
		{"no colon", "Basic " + base64.StdEncoding.EncodeToString([]byte("okta")), "", "there is no secret"},
		{"not base64", "Basic okta:secret", "", "it is not encoded"},
		{"two words", "Basic b2t0YTpz ZWNyZXQ=", "", "it is one word"},
		{"control character", basic("okta\n", "secret"), "", "RFC 7617, Section 2"},
		{"not UTF-8", basic("okta\xff", "secret"), "", "no database finds it"},
		{"Bearer", "Bearer secret", "", "the credential of another scheme"},
		{"no scheme", basic("okta", "secret")[6:], "", "it cannot be told from a token"},
		{"scheme alone", "Basic", "", "there is no credential"},
		{"no header", "", "", "there is no credential"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := request(c.header)
			p, err := a.Authenticate(r)
			want := scim.Principal{}
			if c.id != "" {
				want = scim.Principal{ID: "id of " + c.id, Tenant: "tenant of " + c.id}
			}
			if diff := cmp.Diff(want, p); diff != "" || (err == nil) != (c.id != "") {
				t.Errorf("%s: error %v (-want +got):\n%s", c.reason, err, diff)
			}
			if _, status := outcome(t, a, r); c.id == "" && status != 401 {
				t.Errorf("%d", status)
			}
		})
	}
	if _, status := outcome(t, auth.Basic(), request(basic("a", "b"))); status != 401 {
		t.Errorf("without accounts: %d", status)
	}
}

func TestBasicFunc(t *testing.T) {
	known := account(t, "okta", "secret", "")
	for _, c := range []struct {
		name    string
		account auth.Account
		err     error
		status  int
		reason  string
	}{
		{"known", known, nil, 200, "the look-up found it"},
		{"unknown", auth.Account{}, scim.ErrNotFound, 401, "there is none"},
		{"no rows", auth.Account{}, sql.ErrNoRows, 401, "the error of QueryRow"},
		{"zero", auth.Account{}, nil, 401, "a forgotten error is no account"},
		{"another user", account(t, "OKTA", "secret", ""), nil, 401, "a collation that ignores case finds too much"},
		{"refused", known, auth.ErrRefused, 401, "it was revoked"},
		{"outage", known, errors.New("connection refused"), 503, "401 would tell the client that its secret is wrong"},
		{"own answer", known, &scim.Error{Status: 429}, 429, "an *scim.Error is answered as it stands"},
		{"no bcrypt hash", auth.Account{User: "okta", Password: []byte("chosen")}, nil, 401, "a password that is not hashed is never right"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := auth.BasicFunc(func(_ context.Context, user string) (auth.Account, error) { return c.account, c.err })
			a.Cost = bcrypt.MinCost
			used := 0
			a.Used = func(context.Context, auth.Account, time.Time) { used++ }
			if _, status := outcome(t, a, request(basic("okta", "secret"))); status != c.status || used != 1 && status == 200 || used != 0 && status != 200 {
				t.Errorf("%d, used %d times, want %d: %s", status, used, c.status, c.reason)
			}
		})
	}
}

// hashed counts the hashes of each cost.
type hashed struct {
	mu            sync.Mutex
	costs         []int
	running, most int
	before        func() // before, if set, is called during each of them.
}

func (h *hashed) watch(a *auth.BasicAuth) {
	auth.SetCompare(a, func(hash, password []byte) error {
		cost, err := bcrypt.Cost(hash)
		h.mu.Lock()
		h.costs, h.running = append(h.costs, cost), h.running+1
		h.most = max(h.most, h.running)
		h.mu.Unlock()
		if h.before != nil {
			h.before()
		}
		h.mu.Lock()
		h.running--
		h.mu.Unlock()
		if err != nil {
			return err
		}
		return bcrypt.CompareHashAndPassword(hash, password)
	})
}

// A password that was right is hashed again after five minutes, or when the account has another hash.
// A wrong one is hashed each time.
func TestBasicRemembers(t *testing.T) {
	var h hashed
	now, stored := noon, account(t, "ping", "", "chosen")
	a := auth.BasicFunc(func(context.Context, string) (auth.Account, error) { return stored, nil })
	a.Now = func() time.Time { return now }
	h.watch(a)
	changed := account(t, "ping", "", "other")
	for _, step := range []struct {
		secret string
		after  time.Duration
		change bool
		status int
		hashes int
		reason string
	}{
		{"chosen", 0, false, 200, 1, "the first time"},
		{"chosen", 5*time.Minute - 1, false, 200, 0, "remembered"},
		{"wrong", 0, false, 401, 1, "another password"},
		{"wrong", 0, false, 401, 1, "a wrong one is not remembered"},
		{"chosen", 1, false, 200, 1, "five minutes are over"},
		{"chosen", 0, false, 200, 0, "remembered again"},
		{"chosen", 0, true, 401, 1, "the password was changed: the old one ends at once"},
		{"other", 0, false, 200, 1, "the new one"},
	} {
		now = now.Add(step.after)
		if step.change {
			stored = changed
		}
		h.costs = nil
		if _, status := outcome(t, a, request(basic("ping", step.secret))); status != step.status || len(h.costs) != step.hashes {
			t.Errorf("%s: %d after %d hashes, want %d after %d", step.reason, status, len(h.costs), step.status, step.hashes)
		}
	}
}

// A refusal costs one hash of the same cost, whether or not there is such a user, and whichever kind of
// secret the account has.
func TestBasicCostsTheSame(t *testing.T) {
	accounts := map[string]auth.Account{"secret": account(t, "secret", "s", ""), "password": account(t, "password", "", "chosen"), "refused": account(t, "refused", "", "chosen")}
	byFunc := auth.BasicFunc(func(_ context.Context, user string) (auth.Account, error) {
		a, ok := accounts[user]
		switch {
		case user == "refused":
			return a, auth.ErrRefused
		case !ok:
			return a, scim.ErrNotFound
		}
		return a, nil
	})
	byFunc.Cost = bcrypt.MinCost
	for name, a := range map[string]*auth.BasicAuth{"Basic": auth.Basic(slices.Collect(maps.Values(accounts))...), "BasicFunc": byFunc} {
		for user, secret := range map[string]string{"password": "wrong", "nobody": "wrong", "secret": "wrong", "refused": "wrong", "Password": strings.Repeat("x", 100)} {
			var h hashed
			h.watch(a)
			if _, status := outcome(t, a, request(basic(user, secret))); status != 401 {
				t.Errorf("%s: %q: %d", name, user, status)
			}
			if diff := cmp.Diff([]int{bcrypt.MinCost}, h.costs); diff != "" {
				t.Errorf("%s: costs of a refusal of %q (-want +got):\n%s", name, user, diff)
			}
		}
	}
	var h hashed
	none := auth.Basic(accounts["secret"])
	h.watch(none)
	outcome(t, none, request(basic("nobody", "wrong")))
	outcome(t, none, request(basic("secret", "wrong")))
	if len(h.costs) > 0 {
		t.Errorf("%d hashes, though no account has a password", len(h.costs))
	}
}

// One hash a CPU runs at a time. Requests that have waited find that the password was right. One that
// waits ends with its context: 503, because nobody has looked at its password.
func TestBasicWaits(t *testing.T) {
	stored := account(t, "ping", "", "chosen")
	a := auth.BasicFunc(func(context.Context, string) (auth.Account, error) { return stored, nil })
	turns := runtime.GOMAXPROCS(0)
	begun, goOn := make(chan struct{}, 100), make(chan struct{})
	h := hashed{before: func() { begun <- struct{}{}; <-goOn }}
	h.watch(a)
	var wg sync.WaitGroup
	for range 10 * turns {
		wg.Go(func() {
			if _, status := outcome(t, a, request(basic("ping", "chosen"))); status != 200 {
				t.Errorf("%d", status)
			}
		})
	}
	for range turns {
		<-begun
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	_, err := a.Authenticate(request(basic("ping", "chosen")).WithContext(ctx))
	if e, ok := errors.AsType[*scim.Error](err); !ok || e.Status != http.StatusServiceUnavailable || e.RetryAfter <= 0 || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, want 503", err)
	}
	close(goOn)
	wg.Wait()
	if h.most != turns || len(h.costs) >= 10*turns {
		t.Errorf("%d hashes, of which %d at once, want %d at once and few", len(h.costs), h.most, turns)
	}
}

func TestHashPassword(t *testing.T) {
	h, err := auth.HashPassword("chosen")
	if err != nil {
		t.Fatal(err)
	}
	if cost, err := bcrypt.Cost(h); cost != 10 || err != nil {
		t.Errorf("cost %d, error %v: BasicFunc takes 10 for granted", cost, err)
	}
	a := account(t, "ping", "", "")
	a.Password = h
	if _, status := outcome(t, auth.Basic(a), request(basic("ping", "chosen"))); status != 200 {
		t.Errorf("%d", status)
	}
	for _, bad := range []string{"", strings.Repeat("x", 73)} {
		if _, err := auth.HashPassword(bad); err == nil {
			t.Errorf("%q is hashed", bad)
		}
	}
}

func FuzzBasic(f *testing.F) {
	for _, seed := range []string{"", "Basic", basic("u", "s"), "basic " + basic("u", "s")[6:], basic("u", "s:"), basic("u:s", ""), "Basic Og==", "Basic dTpz=", "Basic\tdTpz", "Basic dTpz ", "Bearer dTpz", "Basic dTpz\x00"} {
		f.Add(seed)
	}
	a := auth.Basic(account(f, "u", "s", ""), account(f, "", "s", ""), auth.Account{User: "u2"})
	f.Fuzz(func(t *testing.T, header string) {
		if _, err := a.Authenticate(request(header)); err != nil {
			return
		}
		words := strings.FieldsFunc(header, func(c rune) bool { return c == ' ' || c == '\t' })
		if len(words) != 2 || !strings.EqualFold(words[0], "Basic") {
			t.Fatalf("header %q was let in", header)
		}
		text, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(words[1], "="))
		if err != nil || string(text) != "u:s" {
			t.Errorf("header %q was let in", header)
		}
	})
}

func BenchmarkBasic(b *testing.B) {
	for name, a := range map[string]auth.Account{"secret": account(b, "u", "s", ""), "remembered": account(b, "u", "", "s")} {
		b.Run(name, func(b *testing.B) {
			all, r := auth.Basic(a), request(basic("u", "s"))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := all.Authenticate(r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
