package main

import (
	"bufio"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// application is the program of examples/oktaaiw in a process of its own, as another module sees it.
type application struct {
	t   *testing.T
	url string
}

// start builds and starts the application. It trusts the authorization server.
func start(t *testing.T, w *world) *application {
	t.Helper()
	dir := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(dir, "oktaaiw"), ".")
	build.Dir = ".."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	c := exec.CommandContext(t.Context(), filepath.Join(dir, "oktaaiw"), "-addr", "127.0.0.1:0", "-db", "sqlite:"+filepath.Join(dir, "app.db"),
		"-key", filepath.Join(dir, "key"), "-issuer", w.url, "-keys", w.url+"/keys", "-audience", audience)
	c.Cancel = func() error { return c.Process.Signal(syscall.SIGTERM) }
	c.WaitDelay = 10 * time.Second
	c.Stderr = os.Stderr
	if testing.Verbose() {
		c.Stderr = nil
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		t.Fatalf("the application does not start: %v", c.Wait())
	}
	address, ok := strings.CutPrefix(lines.Text(), "listening on ")
	if !ok {
		t.Fatalf("the first line of the application is %q", lines.Text())
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for lines.Scan() { // so that it can write the rest
		}
		c.Wait() //nolint:errcheck // the end of the test ends it
	}()
	t.Cleanup(func() { <-ended }) // else this process may be gone before it has ended the other one
	return &application{t, address}
}

// call calls the endpoint as Okta's test does, and returns the status.
func (a *application) call(token string) int {
	a.t.Helper()
	r, err := http.NewRequestWithContext(a.t.Context(), "GET", a.url+"/scim/v2/Users?startIndex=1&count=2", nil)
	if err != nil {
		a.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		a.t.Fatal(err)
	}
	res.Body.Close() //nolint:errcheck // only the status counts
	return res.StatusCode
}

// TestOktaAIW has the promises that need a real authorization server.
func TestOktaAIW(t *testing.T) {
	w := begin(t, "", audience)
	app := start(t, w)
	for name, test := range map[string]func(*testing.T, *world, *application){"OK-5": accessTokens, "OK-10": refreshTokens} {
		t.Run(name, func(t *testing.T) {
			w.t, app.t = t, t
			test(t, w, app)
		})
	}
}

// OK-5: authorization endpoint, token endpoint, client id and secret.
func accessTokens(t *testing.T, w *world, app *application) {
	if got := app.call(w.access().Access); got != http.StatusOK {
		t.Errorf("a token of the authorization server: %d, want 200", got)
	}
	if got := app.call("x" + w.access().Access); got != http.StatusUnauthorized {
		t.Errorf("a changed token: %d, want 401", got)
	}
	w.scopes = "openid offline_access"
	if got := app.call(w.access().Access); got != http.StatusUnauthorized {
		t.Errorf("a token without the scope: %d, want 401", got)
	}
	w.scopes = "openid scim"
	if g := w.access(); g.Refresh != "" || app.call(g.Access) != http.StatusOK {
		t.Errorf("without offline_access: %+v, want an access token alone", g)
	}
	w.scopes = "" // Okta sends the scopes that an administrator writes into the address: none, if nobody says so
	if g := w.access(); g.Refresh == "" || app.call(g.Access) != http.StatusOK {
		t.Errorf("without scopes: %+v, want an access token and a refresh token", g)
	}
	w.scopes = "openid offline_access scim"
	other := begin(t, "", audience)
	if got := app.call(other.access().Access); got != http.StatusUnauthorized {
		t.Errorf("a token of another authorization server: %d, want 401", got)
	}
	wrong := url.Values{"grant_type": {"authorization_code"}, "code": {w.code()}, "redirect_uri": {redirect}, "client_secret": {"wrong"}}
	w.refused(w.token(wrong), "a wrong client secret")
}

// OK-10: the refresh token is rotated; a used one ends the chain; a wrong redirect URI is refused.
func refreshTokens(t *testing.T, w *world, app *application) {
	first := w.access()
	second := w.refresh(first.Refresh)
	if second.Refresh == "" || second.Refresh == first.Refresh || app.call(second.Access) != http.StatusOK {
		t.Fatalf("a refresh: %+v, want a new access token and a new refresh token", second)
	}
	w.refused(w.refresh(first.Refresh), "a refresh token that was used")
	w.refused(w.refresh(second.Refresh), "the last refresh token of a chain that a used one has ended")

	other := w.access() // another consent is another chain
	both := make(chan grant, 2)
	for range 2 {
		go func() { both <- w.refresh(other.Refresh) }()
	}
	if a, b := <-both, <-both; (a.Status == http.StatusOK) == (b.Status == http.StatusOK) {
		t.Errorf("one refresh token, used twice at the same time: %d and %d, want one refusal", a.Status, b.Status)
	}

	revoked := w.access()
	if status, body, _ := w.post("/revoke", url.Values{"client_id": {"okta"}, "client_secret": {"s3cret"}, "token": {revoked.Refresh}, "token_type_hint": {"refresh_token"}}); status != http.StatusOK {
		t.Errorf("the revocation: %d %s", status, body)
	}
	w.refused(w.refresh(revoked.Refresh), "a revoked refresh token")
	w.refused(w.refresh("unknown"), "an unknown refresh token")

	code := w.code()
	w.refused(w.token(url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {"https://evil.example/"}}), "another redirect URI at the token endpoint")
	code = w.code()
	if g := w.exchange(code); g.Status != http.StatusOK {
		t.Errorf("a code: %+v", g)
	}
	w.refused(w.exchange(code), "a code that was used")
	for range 5 {
		code := w.code()
		for range 2 {
			go func() { both <- w.exchange(code) }()
		}
		if a, b := <-both, <-both; (a.Status == http.StatusOK) == (b.Status == http.StatusOK) {
			t.Errorf("one code, used twice at the same time: %d and %d, want one refusal", a.Status, b.Status)
		}
	}
	for _, wrong := range []string{"https://evil.example/", redirect + "/more", redirect + "?x=1", strings.ToUpper(redirect), ""} {
		if status, location := w.authorize(wrong); status < 400 || location != "" {
			t.Errorf("redirect URI %q: %d and sent to %q, want an error page", wrong, status, location)
		}
	}
}
