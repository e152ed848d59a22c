package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

const audience = "https://fieldbook.example/scim"

// world is the authorization server on loopback, and Okta, which knows its endpoints.
type world struct {
	t      *testing.T
	url    string
	store  *storage
	keys   atomic.Pointer[http.HandlerFunc] // answers for the key set, if it is set
	asked  atomic.Int32                     // how often the key set was asked for
	scopes string
	http   *http.Client
}

const redirect = "https://system-admin.okta.com/admin/app/cpc/example/oauth/callback"

// begin starts an authorization server. It says that it is issuer; "" means its address.
func begin(t *testing.T, issuer, audience string) *world {
	store, err := newStorage(audience, &client{id: "okta", secret: "s3cret", redirects: []string{redirect}}, &person{"admin", "right"})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, store: store, scopes: "openid offline_access scim"}
	w.http = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, Timeout: time.Minute}
	var handler http.Handler
	s := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/keys" {
			w.asked.Add(1)
			if answer := w.keys.Load(); answer != nil {
				(*answer)(out, r)
				return
			}
		}
		handler.ServeHTTP(out, r)
	}))
	t.Cleanup(s.Close)
	w.url = s.URL
	if issuer == "" {
		issuer = s.URL
	}
	if handler, err = newServer(issuer, store); err != nil {
		t.Fatal(err)
	}
	return w
}

// send makes a request and returns the answer.
func (w *world) send(r *http.Request) (status int, body, location string) {
	w.t.Helper()
	res, err := w.http.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close() //nolint:errcheck // it was read
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return res.StatusCode, string(raw), res.Header.Get("Location")
}

func (w *world) get(address string) (status int, body, location string) {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), "GET", address, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.send(r)
}

func (w *world) post(path string, form url.Values) (status int, body, location string) {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), "POST", w.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return w.send(r)
}

// authorize opens the authorization endpoint in the administrator's browser.
func (w *world) authorize(redirect string) (status int, location string) {
	w.t.Helper()
	q := url.Values{"response_type": {"code"}, "client_id": {"okta"}, "redirect_uri": {redirect}, "scope": {w.scopes}, "state": {"st4te"}}
	if w.scopes == "" {
		q.Del("scope")
	}
	status, _, location = w.get(w.url + "/authorize?" + q.Encode())
	return status, location
}

// code signs the administrator in, and returns the code that Okta gets.
func (w *world) code() string {
	w.t.Helper()
	status, at := w.authorize(redirect)
	page, err := url.Parse(at)
	if err != nil || status != http.StatusFound || page.Path != "/login" {
		w.t.Fatalf("the authorization endpoint: %d %s, want the page for signing in", status, at)
	}
	if status, _, _ := w.post("/login", url.Values{"id": page.Query()["id"], "name": {"admin"}, "password": {"wrong"}}); status != http.StatusForbidden {
		w.t.Fatalf("a wrong password: %d", status)
	}
	_, _, next := w.post("/login", url.Values{"id": page.Query()["id"], "name": {"admin"}, "password": {"right"}})
	page, err = url.Parse(next)
	if err != nil {
		w.t.Fatal(err)
	}
	_, _, back := w.get(w.url + "/authorize/callback?" + page.RawQuery) // a false issuer has sent the browser to the right one
	u, err := url.Parse(back)
	if err != nil || !strings.HasPrefix(back, redirect+"?") || u.Query().Get("state") != "st4te" {
		w.t.Fatalf("the browser is sent to %q", back)
	}
	return u.Query().Get("code")
}

// grant is what the token endpoint answers.
type grant struct {
	Status  int
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
	Error   string `json:"error"`
}

func (w *world) token(form url.Values) grant {
	w.t.Helper()
	for name, value := range map[string]string{"client_id": "okta", "client_secret": "s3cret"} {
		if !form.Has(name) {
			form.Set(name, value)
		}
	}
	status, body, _ := w.post("/oauth/token", form)
	g := grant{Status: status}
	if err := json.Unmarshal([]byte(body), &g); err != nil {
		w.t.Fatalf("the token endpoint: %d %s", status, body)
	}
	return g
}

func (w *world) exchange(code string) grant {
	w.t.Helper()
	return w.token(url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {redirect}})
}

func (w *world) refresh(token string) grant {
	w.t.Helper()
	return w.token(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}})
}

// access obtains an access token as Okta does.
func (w *world) access() grant {
	w.t.Helper()
	g := w.exchange(w.code())
	if g.Status != http.StatusOK || g.Access == "" || strings.Contains(w.scopes, "offline") && g.Refresh == "" {
		w.t.Fatalf("the token endpoint answers %+v", g)
	}
	return g
}

// refused fails the test unless the token endpoint has refused a grant.
func (w *world) refused(g grant, why string) {
	w.t.Helper()
	if g.Status < 400 || g.Status >= 500 || g.Error == "" || g.Access+g.Refresh != "" {
		w.t.Errorf("%s: %+v, want a refusal", why, g)
	}
}
