package main

import (
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"
)

// The printed address of the console logs in, and the console shows what a client has sent.
func TestConsole(t *testing.T) {
	s := start(t, "-token", secret)
	m := regexp.MustCompile(`(?m)^console: (.*/console/)\?key=\S+ `).FindStringSubmatch(s.out)
	if m == nil || m[1] != s.url+"/console/" {
		t.Fatalf("no line is \"console: …\":\n%s", s.out)
	}
	var cookie *http.Cookie
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for _, row := range []struct {
		name, path, want string
		status           int
	}{
		{"without the key", "/console/", "open the address", http.StatusForbidden},
		{"with another key", "/console/?key=x", "is not that of the running quickstart", http.StatusForbidden},
		{"with the key", "/console/?key=" + s.key, "", http.StatusSeeOther},
		{"logged in", "/console/", "Waiting for the first request.", http.StatusOK},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+row.path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		if cookie != nil {
			r.AddCookie(cookie)
		}
		w, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(w.Body)
		if closing := w.Body.Close(); err != nil || closing != nil {
			t.Fatal(err, closing)
		}
		if w.StatusCode != row.status || !strings.Contains(string(body), row.want) {
			t.Errorf("%s: %d %s", row.name, w.StatusCode, body)
		}
		if all := w.Cookies(); len(all) == 1 {
			cookie = all[0]
			if w.Header.Get("Location") != "/console/" {
				t.Errorf("the key leads to %q", w.Header.Get("Location"))
			}
		}
	}
	s.create(t, "/Users", user("ada@example.com"))
	until := time.Now().Add(10 * time.Second)
	for page := ""; !strings.Contains(page, "ada@example.com"); {
		if time.Now().After(until) {
			t.Fatalf("the console does not show the request:\n%s", page)
		}
		time.Sleep(50 * time.Millisecond)
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/console/activity", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		r.AddCookie(cookie)
		_, page = do(t, r)
	}
}
