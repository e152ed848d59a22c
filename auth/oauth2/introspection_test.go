package oauth2_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth/oauth2"
)

func b64(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

func retryAfter(err error) time.Duration {
	if e, ok := errors.AsType[*scim.Error](err); ok {
		return e.RetryAfter
	}
	return -1
}

// introspect makes an Auth that asks the server, which answers with claims.
func (s *server) introspect(t testing.TB, i oauth2.Issuer, answer any) *oauth2.Auth {
	t.Helper()
	if f, ok := answer.(http.HandlerFunc); ok {
		s.answer = f
	} else {
		s.answer = func(w http.ResponseWriter, _ *http.Request) { json.NewEncoder(w).Encode(answer) }
	}
	a, err := oauth2.Introspect(oauth2.Endpoint{URL: s.URL, ClientID: "scim app", ClientSecret: "s:%&"}, i)
	if err != nil {
		t.Fatal(err)
	}
	a.Now = s.clock
	return a
}

func TestIntrospection(t *testing.T) {
	trust := oauth2.Issuer{URL: issuerURL, Audiences: []string{audience}, Scope: "scim", Clients: []string{"okta"}, Tenant: "acme"}
	active := func(change fields) fields {
		c := with(change)
		if _, has := change["active"]; !has {
			c["active"] = true
		}
		return c
	}
	write := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, text) }
	}
	for _, c := range []struct {
		name   string
		answer any
		status int
		reason string
		why    string
	}{
		{"active", active(nil), 200, "", "all is right"},
		{"without exp", active(fields{"exp": nil}), 200, "", "RFC 7662 makes it optional, and the server says active"},
		{"without iss", active(fields{"iss": nil}), 200, "", "RFC 7662 makes it optional, and the server is known"},
		{"inactive", fields{"active": false}, 401, "inactive", "the server says so"},
		{"inactive with claims", active(fields{"active": false}), 401, "inactive", "the server says so"},
		{"expired", active(fields{"exp": noon.Add(-time.Hour).Unix()}), 401, "expired", "whatever the server says"},
		{"not yet", active(fields{"nbf": noon.Add(time.Hour).Unix()}), 401, "not valid yet", "whatever the server says"},
		{"another issuer", active(fields{"iss": "https://other.example.com"}), 401, "another issuer", "the server told of another one's token"},
		{"another audience", active(fields{"aud": "x"}), 401, "another audience", "a token for another service"},
		{"no audience", active(fields{"aud": nil}), 401, "another audience", "it may be for any service"},
		{"no scope", active(fields{"scope": "openid"}), 401, "lacks the scope scim", "the scope is needed"},
		{"another client", active(fields{"client_id": "mail"}), 401, "another client", "not in the list"},
		{"active as text", active(fields{"active": "true"}), 503, "does not say whether", "nonsense"},
		{"without active", active(fields{"active": nil}), 503, "", "nonsense"},
		{"no JSON", write("<html>"), 503, "not usable", "a proxy's page"},
		{"null", write("null"), 503, "not usable", "nonsense"},
		{"aud a number", active(fields{"aud": 5}), 503, "not usable", "nonsense"},
		{"64 KiB and a byte", write(`{"active": true}` + strings.Repeat(" ", 64<<10)), 503, "more than 65536 bytes", "over the limit"},
		{"500", status(500), 503, "answers 500", "down"},
		{"401", status(401), 503, "answers 401", "our credentials are wrong, not the client's"},
		{"302", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/x", http.StatusFound) }), 503, "answers 302", "a redirect would carry the token along"},
		{"connection cut", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }), 503, "EOF", "down"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newServer(t)
			if m, ok := c.answer.(fields); ok && m["active"] == nil {
				delete(m, "active")
			}
			a := s.introspect(t, trust, c.answer)
			status, p, reason := outcome(t, a, request("opaque"))
			if status != c.status || !strings.Contains(reason, c.reason) {
				t.Errorf("got %d %q, want %d %q: %s", status, reason, c.status, c.reason, c.why)
			}
			want := scim.Principal{ID: "okta", Tenant: "acme", Scopes: []string{"scim", "openid"}}
			if diff := cmp.Diff(want, p); status == 200 && diff != "" {
				t.Error(diff)
			}
			if strings.Contains(reason, "opaque") {
				t.Errorf("the log has the token: %s", reason)
			}
		})
	}
}

func TestIntrospectionRequest(t *testing.T) {
	s := newServer(t)
	a := s.introspect(t, oauth2.Issuer{Audiences: []string{audience}}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		got := []string{r.Method, r.FormValue("token"), r.FormValue("token_type_hint"), must(url.QueryUnescape(user)), must(url.QueryUnescape(password)), r.Header.Get("Accept")}
		want := []string{"POST", "a+b/c=", "access_token", "scim app", "s:%&", "application/json"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("RFC 7662, Section 2.1 (-want +got):\n%s", diff)
		}
		json.NewEncoder(w).Encode(fields{"active": true, "aud": audience, "sub": "x"})
	}))
	expect(t, a, "a+b/c=", 200, "", "the server says so")
}

func TestIntrospectionCache(t *testing.T) {
	for _, c := range []struct {
		name   string
		exp    any
		passes []time.Duration
		want   []int // requests to the server after each
		why    string
	}{
		{"a minute", nil, []time.Duration{0, 59 * time.Second, time.Second, 0}, []int{1, 1, 2, 2}, "an answer counts for a minute"},
		{"until exp", noon.Add(10 * time.Second).Unix(), []time.Duration{0, 9 * time.Second, time.Second}, []int{1, 1, 2}, "exp comes first"},
		{"long", noon.Add(time.Hour).Unix(), []time.Duration{0, 59 * time.Second, time.Second}, []int{1, 1, 2}, "a minute comes first"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newServer(t)
			a := s.introspect(t, oauth2.Issuer{Audiences: []string{audience}}, fields{"active": true, "aud": audience, "sub": "x"})
			if c.exp != nil {
				a = s.introspect(t, oauth2.Issuer{Audiences: []string{audience}}, fields{"active": true, "aud": audience, "sub": "x", "exp": c.exp})
			}
			for i, d := range c.passes {
				s.pass(d)
				expect(t, a, "opaque", 200, "", c.why)
				if n := s.count(); n != c.want[i] {
					t.Errorf("after step %d: %d requests, want %d: %s", i, n, c.want[i], c.why)
				}
			}
		})
	}
	t.Run("revoked", func(t *testing.T) {
		s := newServer(t)
		a := s.introspect(t, oauth2.Issuer{Audiences: []string{audience}}, fields{"active": true, "aud": audience, "sub": "x"})
		expect(t, a, "opaque", 200, "", "active")
		s.set(func() { s.answer = func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"active": false}`) } })
		s.pass(time.Minute)
		expect(t, a, "opaque", 401, "inactive", "a minute later")
		expect(t, a, "another", 401, "inactive", "the cache is by token")
	})
}

func TestSlowIntrospection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, err := oauth2.Introspect(oauth2.Endpoint{URL: "https://id.example.com/introspect", ClientID: "c", ClientSecret: "s"}, oauth2.Issuer{Audiences: []string{audience}})
		if err != nil {
			t.Fatal(err)
		}
		a.HTTP = &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		})}
		took := stopwatch()
		expect(t, a, "opaque", 503, "deadline exceeded", "no answer")
		took(t, 5*time.Second, "an endpoint that does not answer")
	})
}

func TestIntrospectionMistakes(t *testing.T) {
	right := oauth2.Endpoint{URL: "https://id.example.com", ClientID: "c", ClientSecret: "s"}
	trust := oauth2.Issuer{Audiences: []string{audience}}
	if _, err := oauth2.Introspect(right, trust); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*oauth2.Endpoint, *oauth2.Issuer){
		"http":        func(e *oauth2.Endpoint, _ *oauth2.Issuer) { e.URL = "http://id.example.com" },
		"no id":       func(e *oauth2.Endpoint, _ *oauth2.Issuer) { e.ClientID = "" },
		"no secret":   func(e *oauth2.Endpoint, _ *oauth2.Issuer) { e.ClientSecret = "" },
		"no audience": func(_ *oauth2.Endpoint, i *oauth2.Issuer) { i.Audiences = nil },
	} {
		e, i := right, trust
		change(&e, &i)
		if _, err := oauth2.Introspect(e, i); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
