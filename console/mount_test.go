package console_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// Addresses that a router would clean by a redirect never lead out of the prefix. The router around the console cleans nothing here,
// as many routers do.
func TestUncleanPaths(t *testing.T) {
	w := newWorld(t, "acme", "other").start()
	w.handler = http.StripPrefix(prefix, w.bare)
	for _, path := range []string{
		"//activity", "/t/acme//activity", "/t/acme/./activity", "/t/acme/../acme/activity", "/../activity", "/..", "//", "///", "//evil.example.com", "//evil.example.com/", "//evil.example.com/..",
		"/t/acme", "/t", "/t/", "/t/acme/people", "/t/%2e%2e", "/t/a:b", "/t/acme/activity/", "/assets", "/assets/", `/\evil.example.com`, "/%2Fevil.example.com", "/%2e%2e/x", "/t/acme/%2e%2e/activity", "/t/acme/activity/..%2f..",
		"/t//activity", "/t/acme/activity//bodies", "/activity/", "/people/", "/groups/", "",
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodHead, http.MethodConnect} {
			r := httptest.NewRequest(http.MethodGet, "https://app.example.com/", nil)
			r.Method = method
			u, err := url.Parse("https://app.example.com" + prefix + path)
			if err != nil {
				t.Fatal(err)
			}
			r.URL = u
			r.Header.Set("Sec-Fetch-Site", "same-origin")
			answer := httptest.NewRecorder()
			w.handler.ServeHTTP(answer, r)
			location := answer.Header().Get("Location")
			if location == "" {
				continue
			}
			to, err := r.URL.Parse(location)
			if err != nil || to.Host != "app.example.com" || !strings.HasPrefix(to.Path, prefix+"/") {
				t.Errorf("%s %q leads to %q, which is %v, error %v", method, path, location, to, err)
			}
		}
	}
}
