package auth_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func clock() time.Time { return noon }

// token is a token with its own ID, tenant and scopes.
func token(id, secret string, expires time.Time) auth.Token {
	t := auth.TokenOf(secret)
	t.ID, t.Tenant, t.Scopes, t.Expires = id, "tenant of "+id, []string{"scim"}, expires
	return t
}

func request(headers ...string) *http.Request {
	r := httptest.NewRequest("GET", "/scim/v2/Users", nil)
	for _, h := range headers {
		r.Header.Add("Authorization", h)
	}
	return r
}

func outcome(t *testing.T, a scim.Authenticator, r *http.Request) (id string, status int) {
	t.Helper()
	p, err := a.Authenticate(r)
	if err == nil {
		return p.ID, http.StatusOK
	}
	var e *scim.Error
	if !errors.As(err, &e) {
		t.Fatalf("the error is a %T: %v; an *scim.Error was wanted", err, err)
	}
	if diff := cmp.Diff(scim.Principal{}, p); diff != "" {
		t.Errorf("a refused request has a principal:\n%s", diff)
	}
	return "", e.Status
}

func TestBearer(t *testing.T) {
	list := []auth.Token{
		token("old", "secret-1", time.Time{}),
		token("new", "secret-2", noon.Add(time.Hour)),
		token("past", "secret-3", noon.Add(-time.Second)),
		token("now", "secret-4", noon),
		token("twice", "secret-5", noon.Add(time.Hour)),
		token("twice, past", "secret-5", noon.Add(-time.Hour)),
		token("for ever", "secret-6", time.Time{}),
		token("for ever, past", "secret-6", noon.Add(-time.Hour)),
		auth.TokenOf(""),
		{ID: "zero"},
	}
	a := auth.Bearer(list...)
	a.Now = clock
	clear(list) // the authenticator has its own copy

	type result struct {
		ID     string
		Status int
	}
	in := func(id string) result { return result{id, 200} }
	out := result{"", 401}
	for _, c := range []struct {
		name    string
		headers []string
		want    result
		reason  string
	}{
		{"scheme Bearer", []string{"Bearer secret-1"}, in("old"), "RFC 6750, Section 2.1"},
		{"scheme in lower case", []string{"bearer secret-1"}, in("old"), "schemes are case-insensitive: RFC 9110, Section 11.1"},
		{"scheme in upper case", []string{"BEARER secret-1"}, in("old"), "schemes are case-insensitive"},
		{"several spaces", []string{"Bearer   secret-1 "}, in("old"), "RFC 9110 allows 1*SP behind the scheme"},
		{"Q68 no scheme", []string{"secret-1"}, in("old"), "Okta's header mode sends the token alone"},
		{"second token", []string{"Bearer secret-2"}, in("new"), "several tokens are valid at once, for rotation"},
		{"expired", []string{"Bearer secret-3"}, out, "it expired a second ago"},
		{"expires now", []string{"Bearer secret-4"}, out, "Expires is the first moment at which it is not valid"},
		{"one secret twice, a later expiry", []string{"Bearer secret-5"}, in("twice"), "an expired entry does not hide a valid one"},
		{"one secret twice, no expiry", []string{"Bearer secret-6"}, in("for ever"), "no expiry is the latest one"},
		{"unknown", []string{"Bearer secret-9"}, out, "no such token"},
		{"a prefix", []string{"Bearer secret-"}, out, "tokens are compared whole"},
		{"case of the secret", []string{"Bearer SECRET-1"}, out, "secrets are case-sensitive"},
		{"no header", nil, out, "there is no credential"},
		{"empty header", []string{""}, out, "the empty secret is never valid, even if the list has it"},
		{"scheme alone", []string{"Bearer "}, out, "the empty secret is never valid"},
		{"Basic", []string{"Basic secret-1"}, out, "the credential of another scheme is not a token"},
		{"scheme twice", []string{"Bearer Bearer secret-1"}, in("old"), "administrators paste it with the scheme into clients that add one"},
		{"scheme twice, in other cases", []string{"bearer  BEARER\tsecret-1"}, in("old"), "schemes are case-insensitive"},
		{"scheme three times", []string{"Bearer Bearer Bearer secret-1"}, out, "no client sends that"},
		{"scheme twice, no token", []string{"Bearer Bearer"}, out, "there is no credential"},
		{"scheme twice, another scheme", []string{"Bearer Basic secret-1"}, out, "two schemes contradict each other"},
		{"other white space", []string{"Bearer\u00a0secret-1"}, out, "RFC 9110 knows spaces and tabs only"},
		{"words behind the token", []string{"Bearer secret-1 x"}, out, "a token has no spaces"},
		{"no space behind the scheme", []string{"Bearersecret-1"}, out, "read as a token without scheme, which is unknown"},
		{"two headers", []string{"Bearer secret-1", "Bearer secret-1"}, out, "a proxy may have looked at another one than we"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got result
			got.ID, got.Status = outcome(t, a, request(c.headers...))
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
		})
	}
}

func TestBearerWithoutTokens(t *testing.T) {
	for _, header := range []string{"", "Bearer x", "x"} {
		if id, status := outcome(t, auth.Bearer(), request(header)); status != 401 {
			t.Errorf("%q: let in as %q: without tokens nobody gets in", header, id)
		}
	}
}

func TestPrincipal(t *testing.T) {
	scopes := []string{"users", "groups"}
	tok := auth.TokenOf("s")
	tok.ID, tok.Tenant, tok.Scopes = "t1", "acme", scopes
	p, err := auth.Bearer(tok).Authenticate(request("Bearer s"))
	if err != nil {
		t.Fatal(err)
	}
	p.Scopes[0] = "changed" // a request's copy
	p, err = auth.Bearer(tok).Authenticate(request("Bearer s"))
	want := scim.Principal{ID: "t1", Tenant: "acme", Scopes: []string{"users", "groups"}}
	if diff := cmp.Diff(want, p); diff != "" || err != nil {
		t.Errorf("error %v, principal (-want +got):\n%s", err, diff)
	}
}

func TestRefusalsLookAlike(t *testing.T) {
	a := auth.Bearer(token("past", "secret", noon))
	a.Now = clock
	for _, header := range []string{"", "Bearer secret", "Bearer other", "Basic c2VjcmV0"} {
		_, err := a.Authenticate(request(header))
		e, ok := errors.AsType[*scim.Error](err)
		if !ok {
			t.Fatalf("%q: %v is no *scim.Error", header, err)
		}
		if e.Err == nil || strings.Contains(e.Err.Error(), "secret") {
			t.Errorf("%q: logged reason %q: one without the secret was wanted", header, e.Err)
		}
		got := scim.Error{Status: e.Status, Type: e.Type, Detail: e.Detail, RetryAfter: e.RetryAfter}
		want := scim.Error{Status: 401, Detail: "send valid credentials in the Authorization header"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: a client must not learn the reason (-want +got):\n%s", header, diff)
		}
	}
}

func TestBearerFunc(t *testing.T) {
	outage := errors.New("connection refused")
	for _, c := range []struct {
		name   string
		answer auth.Token
		err    error
		id     string
		status int
		reason string
	}{
		{"known", token("t", "s", time.Time{}), nil, "t", 200, "the look-up found it"},
		{"expired", token("t", "s", noon), nil, "", 401, "expiry is judged for the application"},
		{"not found", auth.Token{}, scim.ErrNotFound, "", 401, "401, not the 404 of an endpoint that is not there"},
		{"not found, wrapped", auth.Token{}, errors.Join(errors.New("tokens"), scim.ErrNotFound), "", 401, "errors are compared with errors.Is"},
		{"no rows", auth.Token{}, sql.ErrNoRows, "", 401, "the error of QueryRow when there is no such token"},
		{"no rows, wrapped", auth.Token{}, fmt.Errorf("tokens: %w", errors.Join(outage, sql.ErrNoRows)), "", 401, "errors are compared with errors.Is"},
		{"no rows, of pgx", auth.Token{}, fmt.Errorf("tokens: %w", pgx.ErrNoRows), "", 401, "pgx has an error of its own, which wraps the other one"},
		{"refused", token("t", "s", time.Time{}), fmt.Errorf("revoked: %w", auth.ErrRefused), "", 401, "the look-up knows better"},
		{"a text like no rows", auth.Token{}, errors.New("x: sql: no rows in result set"), "", 503, "it is another error"},
		{"zero token", auth.Token{}, nil, "", 401, "a forgotten error is no token"},
		{"another token", token("t", "other", time.Time{}), nil, "", 401, "a look-up that finds too much lets nobody in"},
		{"outage", auth.Token{}, outage, "", 503, "401 would tell the client that its token was revoked"},
		{"outage with a token", token("t", "s", time.Time{}), outage, "", 503, "the error counts"},
		{"own answer", auth.Token{}, &scim.Error{Status: 429}, "", 429, "an *scim.Error is answered as it stands"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var asked [][sha256.Size]byte
			a := auth.BearerFunc(func(_ context.Context, hash [sha256.Size]byte) (auth.Token, error) {
				asked = append(asked, hash)
				return c.answer, c.err
			})
			a.Now = clock
			id, status := outcome(t, a, request("Bearer s"))
			if id != c.id || status != c.status {
				t.Errorf("got %q %d, want %q %d: %s", id, status, c.id, c.status, c.reason)
			}
			if diff := cmp.Diff([][sha256.Size]byte{sha256.Sum256([]byte("s"))}, asked); diff != "" {
				t.Errorf("looked up (-want +got):\n%s", diff)
			}
			asked = nil
			if _, status := outcome(t, a, request()); status != 401 || asked != nil {
				t.Errorf("without a token: %d, %d look-ups; 401 and none were wanted", status, len(asked))
			}
		})
	}
}

func TestOutageIsLoggedNotSent(t *testing.T) {
	outage := errors.New("dial tcp 10.0.0.1: connection refused")
	a := auth.BearerFunc(func(context.Context, [sha256.Size]byte) (auth.Token, error) { return auth.Token{}, outage })
	_, err := a.Authenticate(request("s"))
	e, ok := errors.AsType[*scim.Error](err)
	if !ok || !errors.Is(e.Err, outage) || strings.Contains(e.Detail, "10.0.0.1") || e.RetryAfter <= 0 {
		t.Errorf("got %#v: the cause in Err only, and RetryAfter", err)
	}
}

func TestUsed(t *testing.T) {
	type use struct {
		ID string
		At time.Time
	}
	var got []use
	a := auth.Bearer(token("a", "sa", time.Time{}), token("past", "sp", noon))
	a.Now = clock
	a.Used = func(_ context.Context, t auth.Token, at time.Time) { got = append(got, use{t.ID, at}) }
	for _, h := range []string{"Bearer sa", "Bearer sp", "Bearer no", "sa"} {
		a.Authenticate(request(h))
	}
	if diff := cmp.Diff([]use{{"a", noon}, {"a", noon}}, got); diff != "" {
		t.Errorf("only what lets a request in is a use (-want +got):\n%s", diff)
	}
}

func TestNewToken(t *testing.T) {
	s1, t1 := auth.NewToken()
	s2, t2 := auth.NewToken()
	if s1 == s2 || t1.Hash == t2.Hash || t1.ID == t2.ID {
		t.Error("two tokens are the same")
	}
	b, err := base64.RawURLEncoding.DecodeString(s1)
	if err != nil || len(b) != 32 || bytes.Equal(b, make([]byte, 32)) {
		t.Errorf("secret %q: %d bytes, error %v; 256 random bits in base64url were wanted", s1, len(b), err)
	}
	if diff := cmp.Diff(auth.TokenOf(s1), t1); diff != "" {
		t.Errorf("a token can be made again from its secret (-want +got):\n%s", diff)
	}
	if t1.Hash != sha256.Sum256([]byte(s1)) {
		t.Error("Hash is not the SHA-256 of the secret, which databases hold")
	}
	if id, status := outcome(t, auth.Bearer(t1, t2), request("Bearer "+s2)); id != t2.ID || status != 200 {
		t.Errorf("got %q %d", id, status)
	}
}

func TestNone(t *testing.T) {
	if id, status := outcome(t, auth.None(), request()); id != "anonymous" || status != 200 {
		t.Errorf("got %q %d: everybody is let in", id, status)
	}
}

func TestChallengeAndSchemes(t *testing.T) {
	var a scim.Authenticator = auth.Bearer()
	c, ok := a.(scim.Challenger)
	if !ok || !strings.HasPrefix(c.Challenge(), "Bearer ") {
		t.Error("a 401 needs a WWW-Authenticate header: RFC 9110, Section 15.5.2")
	}
	s, ok := a.(scim.SchemeLister)
	if !ok {
		t.Fatal("no Schemes for the discovery document")
	}
	var types []string
	for _, x := range s.Schemes() {
		types = append(types, x.Type)
		if x.Name == "" || x.Description == "" {
			t.Errorf("%+v: RFC 7643, Section 5 requires name and description", x)
		}
	}
	if diff := cmp.Diff([]string{"oauthbearertoken"}, types); diff != "" {
		t.Errorf("types of RFC 7643, Section 5 (-want +got):\n%s", diff)
	}
}

func FuzzAuthorization(f *testing.F) {
	for _, seed := range []string{"", "Bearer s", "s", "bearer  s", "Bearer", "Bearer s s", "Basic s", "\tBearer\ts", "Bearer s\x00", "Bearer\vs", "Bearer\u00a0s", "Bearer bEARER s", "Bearer Bearer Bearer s", "Bearer Basic s"} {
		f.Add(seed)
	}
	a := auth.Bearer(auth.TokenOf("s"), auth.TokenOf(""))
	f.Fuzz(func(t *testing.T, header string) {
		if _, err := a.Authenticate(request(header)); err != nil {
			return
		}
		scheme, ok := strings.CutSuffix(strings.TrimSpace(header), "s")
		words := strings.FieldsFunc(strings.ToLower(scheme), func(c rune) bool { return c == ' ' || c == '\t' })
		apart := scheme == "" || strings.HasSuffix(scheme, " ") || strings.HasSuffix(scheme, "\t")
		if !ok || !apart || len(words) > 2 || slices.ContainsFunc(words, func(w string) bool { return w != "bearer" }) {
			t.Errorf("header %q was let in", header)
		}
	})
}

// Of two tokens with one secret, the one counts that is valid longer, wherever it stands in the list.
func TestBearerTwice(t *testing.T) {
	never, ended := auth.TokenOf("s"), auth.TokenOf("s")
	ended.Expires = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, list := range [][]auth.Token{{never, ended}, {ended, never}} {
		if _, err := auth.Bearer(list...).Authenticate(request("Bearer s")); err != nil {
			t.Error(err)
		}
	}
}

// A stranger may send a header of a megabyte. Nothing decodes, hashes or looks up what is in it.
func TestLongHeader(t *testing.T) {
	for _, tt := range []struct {
		name, begin string
		length      int
		want        int
		reason      string
	}{
		{"bearer", "Bearer ", 24 << 10, 1, "at the limit, which is more than an access token has"},
		{"bearer, longer", "Bearer ", 24<<10 + 1, 0, "bounded work"},
		{"without a scheme", "", 1 << 20, 0, "bounded work"},
		{"spaces", "Bearer secret", 1 << 20, 0, "the length of the header counts"},
		{"basic", "Basic " + base64.StdEncoding.EncodeToString([]byte("ann:secret")), 24 << 10, 1, "at the limit"},
		{"basic, longer", "Basic " + base64.StdEncoding.EncodeToString([]byte("ann:secret")), 1 << 20, 0, "bounded work"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			asked := 0
			a := auth.Any(auth.BearerFunc(func(context.Context, [sha256.Size]byte) (auth.Token, error) {
				asked++
				return auth.Token{}, scim.ErrNotFound
			}), auth.BasicFunc(func(context.Context, string) (auth.Account, error) {
				asked++
				return auth.Account{}, scim.ErrNotFound
			}))
			fill := "x"
			if strings.HasPrefix(tt.begin, "Basic") {
				fill = "=" // missing and further padding does not matter
			} else if strings.HasSuffix(tt.begin, "secret") {
				fill = " "
			}
			_, status := outcome(t, a, request(tt.begin+strings.Repeat(fill, tt.length-len(tt.begin))))
			if status != 401 || asked != tt.want {
				t.Errorf("%d after %d look-ups, want 401 after %d: %s", status, asked, tt.want, tt.reason)
			}
		})
	}
}
