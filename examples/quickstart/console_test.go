package main

import (
	"io"
	"net/http"
	"net/http/cookiejar"
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

// A set-up link of the console makes a token for somebody without the key, and the token works.
func TestSetupLink(t *testing.T) {
	s := start(t, "-token", secret)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	visitor := &http.Client{Jar: jar}
	post := func(client *http.Client, address, form string) string {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader(form))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if client != visitor {
			r.AddCookie(&http.Cookie{Name: "quickstart", Value: s.key})
		}
		w, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(w.Body)
		if closing := w.Body.Close(); err != nil || closing != nil || w.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d %v %v %s", address, w.StatusCode, err, closing, body)
		}
		return string(body)
	}
	page := post(http.DefaultClient, s.url+"/console/connection/links", "life=1&opens=all&tokens=1")
	m := regexp.MustCompile(regexp.QuoteMeta(s.url) + `/connect/#([\w.-]+)`).FindStringSubmatch(page)
	if m == nil {
		t.Fatalf("no link in %s", page)
	}
	page = post(visitor, s.url+"/connect/", "code="+m[1])
	m = regexp.MustCompile(`action="(?:\.\./)*(l/[\w-]+/)tokens"`).FindStringSubmatch(page)
	if m == nil || strings.Contains(page, "Back to the application") {
		t.Fatalf("the link shows %s", page)
	}
	page = post(visitor, s.url+"/connect/"+m[1]+"tokens", "label=Okta&life=90")
	_, token, _ := strings.Cut(page, `id="secret">`)
	token, _, _ = strings.Cut(token, "<")
	for _, row := range []struct {
		name, path, token, host string
		status                  int
	}{
		{"the new token", "/scim/v2/Users", token, "", http.StatusOK},
		{"the console without the key", "/console/", "", "", http.StatusForbidden},
		{"the link under another name", "/connect/", "", "evil.example.com", http.StatusForbidden},
		{"no page of the console is behind the link", "/connect/connection", "", "", http.StatusNotFound},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+row.path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = row.host
		if row.token != "" {
			r.Header.Set("Authorization", "Bearer "+row.token)
		}
		if status, body := do(t, r); status != row.status {
			t.Errorf("%s: %d %s", row.name, status, body)
		}
	}
}
