package address

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

func isEndpoint(segment string) bool { return segment == "Users" || segment == "Groups" }

func TestRoute(t *testing.T) {
	for _, tt := range []struct {
		target, pattern string
		want            []string
		ok              bool
	}{
		{"/Users/1", "", []string{"Users", "1"}, true},
		{"//Users//1", "", []string{"Users", "1"}, true},
		{"/Users/1/Groups/2", "", []string{"Users", "1", "Groups", "2"}, true},
		{"/scim/Users/1", "", []string{"Users", "1"}, true},
		{"/scim/Users/1", "/scim/", []string{"Users", "1"}, true},
		{"/scim/Users/1", "GET example.com/scim/{rest...}", []string{"Users", "1"}, true},
		{"/scim/Users/1", "/{tenant}/*", []string{"Users", "1"}, true},
		{"/scim/x/Users/1", "/{tenant}/*", nil, false},
		{"/a%20b/Users", "/a b/", []string{"Users"}, true},
		{"/other/Users/1", "/scim/", nil, false},
		{"/scim/Users", "/scim/Users/", []string{"Users"}, true},
		{"/" + strings.Repeat("x", maxPrefix+1) + "/Users", "", nil, false},
		{"/", "", nil, true},
		{"/scim", "/scim/{$}", nil, true},
		{"/scim", "", nil, false},
		{"/Nonsense", "", nil, false},
	} {
		r := httptest.NewRequest("GET", tt.target, nil)
		r.Pattern = tt.pattern
		got, ok := Route(r, isEndpoint)
		if !slices.Equal(got, tt.want) || ok != tt.ok {
			t.Errorf("%s under %q: %q, %t; want %q, %t", tt.target, tt.pattern, got, ok, tt.want, tt.ok)
		}
	}
}

func TestIsTooLong(t *testing.T) {
	for n, want := range map[int]bool{MaxPath - 1: false, MaxPath: true} {
		r := httptest.NewRequest("GET", "/"+strings.Repeat("x", n)+"?"+strings.Repeat("q", 5000), nil)
		if n == MaxPath-1 {
			r.RequestURI = r.URL.Path // without the question mark
			r.URL.RawQuery = ""
		}
		if got := IsTooLong(r); got != want {
			t.Errorf("%d bytes: %t", n+1, got)
		}
	}
}

func TestBase(t *testing.T) {
	proxies := []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")} // httptest's remote address
	for _, tt := range []struct {
		name, host, baseURL string
		tls                 bool
		proto, forwarded    string
		proxies             []netip.Prefix
		want                string
	}{
		{name: "the request's host", host: "a.test:80", want: "http://a.test:80/scim"},
		{name: "TLS", host: "a.test", tls: true, want: "https://a.test/scim"},
		{name: "set", host: "a.test", baseURL: "https://b.test/x/", want: "https://b.test/x"},
		{name: "proxy", host: "a.test", proto: "HTTPS, http", forwarded: "b.test, c.test", proxies: proxies, want: "https://b.test/scim"},
		{name: "stranger", host: "a.test", proto: "https", forwarded: "b.test", want: "http://a.test/scim"},
		{name: "another proxy", host: "a.test", forwarded: "b.test", proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, want: "http://a.test/scim"},
		{name: "nonsense", host: "a.test", proto: "ftp", forwarded: "b.test/path", proxies: proxies, want: "http://localhost/scim"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest("GET", "/scim/Users/1", nil)
			r.Host = tt.host
			r.Header.Set("X-Forwarded-Proto", tt.proto)
			r.Header.Set("X-Forwarded-Host", tt.forwarded)
			if tt.tls {
				r.TLS = &tls.ConnectionState{}
			}
			if got := Base(r, tt.baseURL, 2, tt.proxies); got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
}

func TestIsHost(t *testing.T) {
	for host, want := range map[string]bool{
		"a.test": true, "a.test:8080": true, "[::1]:80": true, "10.0.0.1": true,
		"": false, "a.test:port": false, "a b": false, "u@a.test": false, "a.test/x": false, "a\"b": false, strings.Repeat("x", 261): false,
	} {
		if got := isHost(host); got != want {
			t.Errorf("%q: %t", host, got)
		}
	}
}

func TestMount(t *testing.T) {
	in := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.URL.EscapedPath(), " ", Base(r, "", len(Split(r.URL.EscapedPath())), nil))
	})
	next := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "next ", r.URL.Path) })
	for target, want := range map[string]string{
		"/scim/v2/Users/a%2Fb": "/Users/a%2Fb http://example.com/scim/v2",
		"//scim/v2//Users":     "/Users http://example.com/scim/v2",
		"/scim/v2":             "/ http://example.com/scim/v2",
		"/scim/v2x/Users":      "next /scim/v2x/Users",
	} {
		w := httptest.NewRecorder()
		Mount("scim/v2/", in, next).ServeHTTP(w, httptest.NewRequest("GET", target, nil))
		if w.Body.String() != want {
			t.Errorf("%s: %s, want %s", target, w.Body, want)
		}
	}
	w := httptest.NewRecorder()
	if Mount("/scim", in, nil).ServeHTTP(w, httptest.NewRequest("GET", "/", nil)); w.Code != http.StatusNotFound {
		t.Errorf("status %d without next", w.Code)
	}
}
