package console_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/scimkit/scim/console"
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

// Each page leads back to the application, but not what people without an account see.
func TestHome(t *testing.T) {
	w := newWorld(t, "acme", "other")
	w.setup, w.home, w.viewer.SeeAs = newSetup(), "/settings?a=1&b", &console.May{}
	w.start()
	const link = `<a class="up" href="/settings?a=1&amp;b">← Back to the application</a>`
	for _, path := range []string{"/", "/t/acme/", "/t/acme/people/x", "/t/acme/activity", "/as/acme/health", "/t/none/", "/none"} {
		w.wants(w.do(http.MethodGet, path, nil).Body.String(), link)
	}
	w.refuse = errors.New("nobody is logged in")
	w.wants(w.get(403, "/"), link)
	w.refuse = nil
	v := w.visit(w.makeLink("/t/acme/", threeTokens))
	for _, path := range []string{"/", v.page, "/none", "/l/none/"} {
		w.wants(v.send(http.MethodGet, path, nil).Body.String(), "<h1>", "!Back to")
	}
	w.unusable = errors.New("no database")
	w.wants(v.body(503, v.send(http.MethodGet, v.page, nil)), "!Back to")
}

func TestHomeRefused(t *testing.T) {
	for home, isGood := range map[string]bool{"/": true, "https://app.example.com/x#y": true, "": true, "settings": false, "//evil.example.com": false, `/\evil.example.com`: false,
		"javascript:alert(1)": false, "https://ann@app.example.com/": false, "https:///x": false, "ftp://app.example.com": false, "/\n": false} {
		_, err := console.New(console.Options{Home: home})
		if refused := strings.Contains(err.Error(), "Home is"); refused == isGood {
			t.Errorf("%q: %v", home, err)
		}
	}
}
