package conformance

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
)

// overHTTP sends one request over a connection. A recorder would also show headers that
// net/http removes.
func overHTTP(t *testing.T, h http.Handler, method, target, body string, header ...string) *http.Response {
	t.Helper()
	s := httptest.NewServer(h)
	defer s.Close()
	r, err := http.NewRequest(method, s.URL+target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+testhost.Secret)
	for _, l := range header {
		name, value, _ := strings.Cut(l, ": ")
		r.Header.Set(name, value)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { res.Body.Close() })
	return res
}

// SCIM-SDK's client takes an answer without the media type for a failure.
func TestEveryAnswerHasTheMediaType(t *testing.T) {
	h := testhost.Handler(t, nil)
	user := testhost.Create(t, h, "/Users", `{"userName":"a"}`)
	group := testhost.Create(t, h, "/Groups", `{"displayName":"g"}`)
	patch := `{"Operations":[{"op":"replace","path":"displayName","value":"x"}]}`
	for _, tt := range []struct {
		method, target, body string
		status               int
	}{
		{"GET", "/Users/" + user, "", 200},
		{"HEAD", "/Users/" + user, "", 200},
		{"HEAD", "/Users", "", 200},
		{"HEAD", "/Schemas", "", 200},
		{"HEAD", "/Users/nope", "", 404},
		{"OPTIONS", "/Users", "", 204},
		{"PATCH", "/Groups/" + group, patch, 204},
		{"DELETE", "/Groups/" + group, "", 204},
		{"DELETE", "/Groups/" + group, "", 404},
	} {
		res := overHTTP(t, h, tt.method, tt.target, tt.body)
		if got := res.Header.Get("Content-Type"); res.StatusCode != tt.status || got != "application/scim+json" {
			t.Errorf("%s %s: %d with the Content-Type %q, want %d with application/scim+json", tt.method, tt.target, res.StatusCode, got, tt.status)
		}
	}
}

func TestOptionsListsTheMethods(t *testing.T) {
	h := testhost.Handler(t, func(c *scim.Config) { c.OpenDiscovery = true })
	const stranger = "Authorization: "
	for _, tt := range []struct {
		name, target string
		header       []string
		status       int
		allow        string
		reason       string
	}{
		{"a list", "/Users", nil, 204, "GET, HEAD, OPTIONS, POST", "RFC 9110, Section 9.3.7"},
		{"a resource", "/Users/nope", nil, 204, "DELETE, GET, HEAD, OPTIONS, PATCH, PUT", "it looks for no resource"},
		{"a search", "/.search", nil, 204, "OPTIONS, POST", "the same"},
		{"bulk requests", "/Bulk", nil, 204, "OPTIONS, POST", "the same"},
		{"discovery", "/Schemas", nil, 204, "GET, HEAD, OPTIONS", "the same"},
		{"the root", "/", nil, 204, "GET, HEAD, OPTIONS", "the same"},
		{"no such route", "/Nope", nil, 404, "", "there are no methods"},
		{"what is off", "/Me", nil, 501, "", "no method is possible"},
		{"no token", "/Users", []string{stranger}, 401, "", "strangers do not learn which routes there are"},
		{"no token, an unknown route", "/Nope", []string{stranger}, 401, "", "the same"},
		{"no token, discovery is open", "/Schemas", []string{stranger}, 204, "GET, HEAD, OPTIONS", "as for GET"},
	} {
		res := testhost.Do(t, h, "OPTIONS", tt.target, "", tt.header...)
		if got := res.Header.Get("Allow"); res.StatusCode != tt.status || got != tt.allow {
			t.Errorf("%s: %d with Allow %q, want %d with %q (%s)", tt.name, res.StatusCode, got, tt.status, tt.allow, tt.reason)
		}
	}
}

// A user's version says nothing of the user's groups, which other resources hold (RFC 7643,
// Section 4.1.2). So a 304 may hide a change of them. The group's version shows it.
func TestTheVersionOfAUserLeavesOutTheGroups(t *testing.T) {
	h := testhost.Handler(t, nil)
	user := testhost.Create(t, h, "/Users", `{"userName":"a"}`)
	group := testhost.Create(t, h, "/Groups", `{"displayName":"g"}`)
	userTag := testhost.Do(t, h, "GET", "/Users/"+user, "").Header.Get("Etag")
	groupTag := testhost.Do(t, h, "GET", "/Groups/"+group, "").Header.Get("Etag")
	testhost.Do(t, h, "PATCH", "/Groups/"+group, `{"Operations":[{"op":"add","path":"members","value":[{"value":"`+user+`"}]}]}`)

	for _, target := range []string{"/Users/" + user, "/Users/" + user + "?attributes=groups"} {
		res := testhost.Do(t, h, "GET", target, "", "If-None-Match: "+userTag)
		if res.StatusCode != 304 || res.Header.Get("Etag") != userTag {
			t.Errorf("GET %s: %d with the tag %s, want 304 with %s: the user has not changed (RFC 7644, Section 3.14)", target, res.StatusCode, res.Header.Get("Etag"), userTag)
		}
	}
	if res := testhost.Do(t, h, "GET", "/Groups/"+group, "", "If-None-Match: "+groupTag); res.StatusCode != 200 || res.Header.Get("Etag") == groupTag {
		t.Errorf("GET of the group: %d with the tag %s, want 200 with another one than before", res.StatusCode, res.Header.Get("Etag"))
	}
	res := testhost.Do(t, h, "GET", "/Users/"+user, "")
	groups, _ := testhost.Decode(t, res)["groups"].([]any)
	if diff := cmp.Diff(1, len(groups)); diff != "" || res.Header.Get("Etag") != userTag {
		t.Errorf("without If-None-Match the answer has the tag %s and the groups %v", res.Header.Get("Etag"), groups)
	}
}
