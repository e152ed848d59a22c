package auth_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
)

// fixed answers each request with one error, or lets it in if there is none.
type fixed struct {
	id  string
	err error
}

func (f fixed) Authenticate(*http.Request) (scim.Principal, error) {
	if f.err != nil {
		return scim.Principal{}, f.err
	}
	return scim.Principal{ID: f.id}, nil
}

func TestAny(t *testing.T) {
	outage := func(context.Context, [sha256.Size]byte) (auth.Token, error) {
		return auth.Token{}, errors.New("connection refused")
	}
	expired := auth.Bearer(token("old", "s", noon))
	expired.Now = clock
	down, tokens, account := auth.BearerFunc(outage), auth.Bearer(token("t", "s", time.Time{})), auth.Basic(account(t, "u", "s", ""))
	limit := fixed{err: &scim.Error{Status: 429}}
	for _, c := range []struct {
		name   string
		all    []scim.Authenticator
		header string
		id     string
		status int
		reason string
	}{
		{"first", []scim.Authenticator{tokens, account}, "Bearer s", "t", 200, "it knows the credential"},
		{"second", []scim.Authenticator{tokens, account}, basic("u", "s"), "id of u", 200, "the first one does not know it"},
		{"none", []scim.Authenticator{tokens, account}, "Bearer x", "", 401, "nobody knows it"},
		{"no credential", []scim.Authenticator{tokens, account}, "", "", 401, "there is none"},
		{"first of two", []scim.Authenticator{fixed{id: "a"}, fixed{id: "b"}}, "s", "a", 200, "they are asked in order"},
		{"down, another knows", []scim.Authenticator{down, tokens}, "Bearer s", "t", 200, "one that is down locks nobody else out"},
		{"down, others of another scheme", []scim.Authenticator{down, account}, basic("u", "s"), "id of u", 200, "the same"},
		{"down, nobody knows", []scim.Authenticator{down, tokens}, "Bearer x", "", 503, "it may be known to the one that is down"},
		{"down last", []scim.Authenticator{tokens, down}, "Bearer x", "", 503, "the order does not matter"},
		{"down, credential of another scheme", []scim.Authenticator{down, account}, basic("u", "x"), "", 401, "the one that is down would not know it"},
		{"expired", []scim.Authenticator{expired, tokens}, "Bearer s", "", 401, "the first one knows it, and decides"},
		{"expired, in another Any", []scim.Authenticator{auth.Any(expired), tokens}, "Bearer s", "", 401, "the same"},
		{"expired, one before was down", []scim.Authenticator{down, expired}, "Bearer s", "", 401, "the second one knows it, and decides"},
		{"unknown, in another Any", []scim.Authenticator{auth.Any(account), tokens}, "Bearer s", "t", 200, "the inner one does not know it"},
		{"other answer", []scim.Authenticator{limit, tokens}, "Bearer s", "", 429, "it decides"},
		{"unknown error", []scim.Authenticator{fixed{err: errors.New("x")}, tokens}, "Bearer s", "t", 200, "the handler takes it for 401"},
		{"only an unknown error", []scim.Authenticator{fixed{err: errors.New("x")}}, "Bearer s", "", 401, "the handler takes it for 401"},
		{"401 of a row that is not there", []scim.Authenticator{fixed{err: &scim.Error{Status: 401, Err: scim.ErrNotFound}}, tokens}, "Bearer s", "t", 200, "it is 401, and not ErrNotFound"},
		{"nil", []scim.Authenticator{nil, tokens, nil}, "Bearer s", "t", 200, "one that is switched off"},
		{"nothing", nil, "Bearer s", "", 401, "nobody gets in"},
	} {
		t.Run(c.name, func(t *testing.T) {
			id, status := outcome(t, auth.Any(c.all...), request(c.header))
			if id != c.id || status != c.status {
				t.Errorf("%q %d, want %q %d: %s", id, status, c.id, c.status, c.reason)
			}
		})
	}
	if _, err := auth.Any(fixed{err: scim.ErrNotFound}, tokens).Authenticate(request("Bearer s")); !errors.Is(err, scim.ErrNotFound) {
		t.Errorf("%v, want ErrNotFound: there is no endpoint", err)
	}
}

// All refusals look alike, whoever knows the credential.
func TestAnyRefusalsLookAlike(t *testing.T) {
	expired := auth.Bearer(token("old", "s", noon))
	expired.Now = clock
	a := auth.Any(expired, auth.Basic(account(t, "u", "s", "")), fixed{err: errors.New("internal")})
	for _, header := range []string{"", "Bearer s", "Bearer x", basic("u", "x"), basic("x", "s"), "Basic Og=="} {
		_, err := a.Authenticate(request(header))
		e, ok := errors.AsType[*scim.Error](err)
		if !ok || e.Err == nil {
			t.Fatalf("%q: %v", header, err)
		}
		want := scim.Error{Status: 401, Detail: "send valid credentials in the Authorization header", Err: e.Err}
		if diff := cmp.Diff(want, *e, cmp.Comparer(func(a, b error) bool { return a == b })); diff != "" {
			t.Errorf("%q (-want +got):\n%s", header, diff)
		}
	}
}

func TestAnyChallengeAndSchemes(t *testing.T) {
	for _, c := range []struct {
		name      string
		all       []scim.Authenticator
		challenge string
		types     []string
		reason    string
	}{
		{"both", []scim.Authenticator{auth.Bearer(), auth.Basic()}, `Bearer realm="scim", Basic realm="scim", charset="UTF-8"`, []string{"oauthbearertoken", "httpbasic"}, "in their order"},
		{"twice", []scim.Authenticator{auth.Bearer(), auth.Bearer()}, `Bearer realm="scim"`, []string{"oauthbearertoken"}, "each is named once"},
		{"neither Challenger nor SchemeLister", []scim.Authenticator{fixed{}, auth.Basic()}, `Bearer, Basic realm="scim", charset="UTF-8"`, []string{"httpbasic"}, "what the handler sends for it alone"},
		{"nested", []scim.Authenticator{auth.Any(auth.Bearer(), auth.Basic()), auth.None()}, `Bearer realm="scim", Basic realm="scim", charset="UTF-8", Bearer`, []string{"oauthbearertoken", "httpbasic"}, "that of Any is a list already"},
		{"nothing", nil, "Bearer", nil, "a 401 needs a challenge: RFC 9110, Section 15.5.2"},
	} {
		a := auth.Any(c.all...)
		var types []string
		for _, s := range a.(scim.SchemeLister).Schemes() {
			types = append(types, s.Type)
		}
		if diff := cmp.Diff(c.types, types); diff != "" || a.(scim.Challenger).Challenge() != c.challenge {
			t.Errorf("%s: %s: challenge %s, types (-want +got):\n%s", c.name, c.reason, a.(scim.Challenger).Challenge(), diff)
		}
	}
}
