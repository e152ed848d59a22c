package page_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/examples/internal/page"
	"github.com/scimkit/scim/examples/internal/pagetest"
)

// demo is an application with the administrator Ann and the employee Bob, who may be out.
type demo struct{ isBobOut atomic.Bool }

func (d *demo) start(_ context.Context, e *page.Env) (*page.App, error) {
	s := &page.Site{Name: e.Name, Product: "Demo", Password: e.Password, Log: e.Log,
		Find: func(_ *http.Request, email string) (string, error) {
			if email == "ann@example.com" || email == "bob@example.com" && !d.isBobOut.Load() {
				return email, nil
			}
			return "", page.ErrOut
		},
		Load: func(_ *http.Request, key string) (page.Person, error) {
			if key == "bob@example.com" && d.isBobOut.Load() {
				return page.Person{}, page.ErrOut
			}
			return page.Person{ID: "1", Name: "<b>" + key, Email: key, IsAdmin: strings.HasPrefix(key, "ann")}, nil
		}}
	s.Page("/", "Home", func(context.Context, page.Person) (page.View, error) {
		return page.View{Sections: []page.Section{{Table: &page.Table{Head: []string{"A", "B"}, Rows: [][]page.Cell{
			{page.Text("<i>x"), {Text: "y", Small: "z", Tags: []page.Tag{{Text: "new", Kind: "good"}}, Forms: []page.Form{{Action: "/do", Button: "Do", Fields: []page.Field{page.Hidden("a", `"`)}}}}}}}}}}, nil
	})
	s.AdminPage("/settings", "Settings", func(context.Context, page.Person) (page.View, error) {
		return page.View{Sections: []page.Section{{Toggles: []page.Toggle{{Action: "/do", Name: "x", Label: "X", On: true, Greyed: true}}}}}, nil
	})
	s.AdminPage("/broken", "Broken", func(context.Context, page.Person) (page.View, error) {
		return page.View{}, errors.New("dial tcp: secret address")
	})
	s.Action("/do", "/", func(_ context.Context, p page.Person, f url.Values) (page.Flash, error) {
		switch f.Get("a") {
		case "refuse":
			return page.Flash{}, page.Refused("not <today>")
		case "scim":
			return page.Flash{}, fmt.Errorf("wrapped: %w", scim.Conflict("userName"))
		case "fail":
			return page.Flash{}, errors.New("dial tcp: secret address")
		}
		return page.Flash{Text: "done by " + p.Key, Secret: "s3cret"}, nil
	})
	s.Handle("/tool/", "Tool", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, ok := page.PersonOf(r.Context())
		fmt.Fprint(w, p.Email, ok)
	}))
	return &page.App{Handler: s.Handler(), Hints: "token: t0ken\n\ncurl one\n# a remark\ncurl two\n"}, nil
}

func started(t *testing.T) (*demo, *pagetest.Running) {
	d := &demo{}
	return d, pagetest.Start(t, page.Program{Name: "demo", Start: d.start}.Run, "sqlite:"+filepath.Join(t.TempDir(), "demo.db"))
}

func TestLogIn(t *testing.T) {
	d, r := started(t)
	if r.Token != "t0ken" || !strings.HasPrefix(r.URL, "http://127.0.0.1:") || len(r.Password) < 20 {
		t.Fatalf("the terminal shows %q", r.Printed)
	}
	nobody, status := r.LogIn("eve@example.com")
	if status != 403 || nobody.Status("/") != 303 {
		t.Errorf("who is unknown: %d, and the page %d", status, nobody.Status("/"))
	}
	password := r.Password
	r.Password = "wrong"
	if _, status := r.LogIn("ann@example.com"); status != 403 {
		t.Errorf("a wrong password: %d, want 403", status)
	}
	r.Password = password
	ann, status := r.LogIn("ann@example.com")
	if status != 303 || ann.Status("/") != 200 || ann.Status("/settings") != 200 || ann.Status("/tool/x") != 200 {
		t.Errorf("an administrator: %d, pages %d %d %d", status, ann.Status("/"), ann.Status("/settings"), ann.Status("/tool/x"))
	}
	bob, status := r.LogIn("bob@example.com")
	if status != 303 || bob.Status("/") != 200 || bob.Status("/settings") != 403 || bob.Status("/tool/") != 403 {
		t.Errorf("an employee: %d, pages %d %d %d", status, bob.Status("/"), bob.Status("/settings"), bob.Status("/tool/"))
	}
	if text, _, ok := bob.Try("/do", url.Values{}); ok || !strings.Contains(text, "For administrators only") {
		t.Errorf("an employee acts: %t %q", ok, text)
	}
	d.isBobOut.Store(true)
	if got := bob.Status("/"); got != 303 {
		t.Errorf("the next click of who is out: %d, want 303 to the log-in", got)
	}
	d.isBobOut.Store(false)
	if got := bob.Status("/"); got != 303 {
		t.Errorf("the old session of who is back: %d, want 303", got)
	}
	if ann.Try("/logout", url.Values{}); ann.Status("/") != 303 {
		t.Error("who has logged out is still in")
	}
}

func TestPage(t *testing.T) {
	_, r := started(t)
	ann, _ := r.LogIn("ann@example.com")
	if diff := cmp.Diff([]string{"<i>x | y new · z"}, ann.Lines("/")); diff != "" {
		t.Error(diff)
	}
	html := ann.Page("/")
	for _, want := range []string{"&lt;i&gt;x", "&lt;b&gt;ann", `value="&#34;"`, `aria-current="page">Home`, `href="/settings"`} {
		if !strings.Contains(html, want) {
			t.Errorf("the page has no %s", want)
		}
	}
	if html := ann.Page("/settings"); !strings.Contains(html, `role="switch" aria-checked="true" aria-label="X" disabled`) || !strings.Contains(html, `name="on" value="false"`) {
		t.Errorf("the switch: %s", html)
	}
	text, secret := ann.Post("/do", url.Values{"a": {`"`}})
	if text != "done by ann@example.com" || secret != "s3cret" {
		t.Errorf("the message is %q, the secret %q", text, secret)
	}
	if strings.Contains(ann.Page("/"), "s3cret") {
		t.Error("the secret is shown twice")
	}
	for a, want := range map[string]string{"refuse": "not <today>", "scim": "userName", "fail": "The log of the server has the reason"} {
		if text, _, ok := ann.Try("/do", url.Values{"a": {a}}); ok || !strings.Contains(text, want) || strings.Contains(text, "dial tcp") {
			t.Errorf("%s: %t %q, want a failure with %q", a, ok, text, want)
		}
	}
	if text, _, ok := ann.Try("/do", url.Values{"a": {strings.Repeat("é", 201)}}); ok || !strings.Contains(text, "200") {
		t.Errorf("a text that the page's field does not take: %t %q", ok, text)
	}
	if text, _, ok := ann.Try("/do", url.Values{"a": {strings.Repeat("é", 200)}}); !ok {
		t.Errorf("the longest text: %q", text)
	}
	if got := ann.Status("/broken"); got != 500 {
		t.Errorf("a page that fails: %d", got)
	}
	if got := ann.Status("/nothing"); got != 404 {
		t.Errorf("an unknown page: %d", got)
	}
}

// TestOtherSites sends requests that the browser of somebody who has logged in sends for another site.
func TestOtherSites(t *testing.T) {
	_, r := started(t)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Jar: jar}
	res, err := client.PostForm(r.URL+"/login", url.Values{"email": {"ann@example.com"}, "password": {r.Password}})
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close() //nolint:errcheck // only the headers count
	for name, want := range map[string]string{"Cache-Control": "no-store", "Content-Security-Policy": "frame-ancestors 'none'"} {
		if got := res.Header.Get(name); !strings.Contains(got, want) {
			t.Errorf("%s is %q, want %q in it", name, got, want)
		}
	}
	for name, row := range map[string]struct {
		header, value string
		status        int
	}{
		"the page's own form":     {"Sec-Fetch-Site", "same-origin", 200},
		"a form of another site":  {"Sec-Fetch-Site", "cross-site", 403},
		"an older browser":        {"Origin", "https://evil.example", 403},
		"a neighbour on the host": {"Sec-Fetch-Site", "same-site", 403},
	} {
		req, err := http.NewRequest("POST", r.URL+"/do", strings.NewReader("a=x"))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set(row.header, row.value)
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close() //nolint:errcheck // only the status counts
		if res.StatusCode != row.status {
			t.Errorf("%s: %d, want %d", name, res.StatusCode, row.status)
		}
	}
}

func TestFlags(t *testing.T) {
	for name, row := range map[string]struct {
		args []string
		want string
	}{
		"another database":  {[]string{"-db", "mysql:x"}, "say sqlite:FILE or postgres:DSN"},
		"no file":           {[]string{"-db", "sqlite:"}, "say sqlite:FILE or postgres:DSN"},
		"an argument":       {[]string{"start"}, `no argument "start"`},
		"an unknown option": {[]string{"-port", "1"}, "flag provided but not defined"},
	} {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			err := page.Program{Name: "demo", Start: (&demo{}).start}.Run(t.Context(), row.args, &out, &out)
			if err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("%v, want %q", err, row.want)
			}
		})
	}
}
