package console_test

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth/tokens"
	"github.com/scimkit/scim/console"
	"github.com/scimkit/scim/journal"
)

// keyOf returns a key that signs links.
func keyOf(text string) []byte { return []byte((text + strings.Repeat("-", 32))[:32]) }

// newSetup returns settings by which everybody may still make tokens.
func newSetup() *console.Setup {
	return &console.Setup{Address: "https://app.example.com" + setupPrefix + "/", Keys: [][]byte{keyOf("key one")},
		MayStill: func(context.Context, string, string) (bool, error) { return true, nil }}
}

// visitor is a browser of somebody without an account.
type visitor struct {
	*world
	cookies map[string]string // by path
	page    string            // the path of the link's page
}

// send sends a request to the set-up handler, as a browser does from a page of it.
func (v *visitor) send(method, path string, form url.Values) *httptest.ResponseRecorder {
	v.Helper()
	r := httptest.NewRequest(method, "https://app.example.com"+setupPrefix+path, strings.NewReader(form.Encode()))
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	for at, value := range v.cookies {
		if strings.HasPrefix(r.URL.Path, at) {
			r.AddCookie(&http.Cookie{Name: "scim-setup", Value: value})
		}
	}
	answer := httptest.NewRecorder()
	v.handler.ServeHTTP(answer, r)
	for _, c := range answer.Result().Cookies() {
		v.cookies[c.Path] = c.Value
	}
	return answer
}

// makeLink makes a link as a viewer, and returns its code.
func (w *world) makeLink(path string, form url.Values) string {
	w.Helper()
	page := w.post(200, path+"connection/links", form)
	_, code, ok := strings.Cut(page, `<code id="link">https://app.example.com`+setupPrefix+`/#`)
	code, _, _ = strings.Cut(code, "<")
	if !ok {
		w.Fatalf("no link in\n%s", page)
	}
	return code
}

// visit opens a link.
func (w *world) visit(code string) *visitor {
	w.Helper()
	v := &visitor{world: w, cookies: map[string]string{}}
	answer := v.send(http.MethodPost, "/", url.Values{"code": {code}})
	if answer.Code != http.StatusSeeOther {
		w.Fatalf("to open the link is %d: %s", answer.Code, answer.Body)
	}
	v.page = strings.TrimPrefix(answer.Header().Get("Location"), ".")
	return v
}

var threeTokens = url.Values{"life": {"3"}, "opens": {"users"}, "tokens": {"3"}}

func TestSetupLink(t *testing.T) {
	w := newWorld(t, "")
	w.setup = newSetup()
	w.tenant.Endpoint = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	w.start()
	code := w.makeLink("/", threeTokens)
	records := w.list()
	if len(records) != 1 || !records[0].Expires.Equal(now.Add(72*time.Hour)) || records[0].Scopes == nil || len(records[0].Scopes) != 0 {
		t.Fatalf("the record of the link is %+v", records)
	}
	id := records[0].ID
	w.wants(w.get(200, "/connection"), "Nothing is connected yet", "No token is valid", "ends in 3 days", "no token was made by it yet", "!"+code, "!1 token has ended")
	w.wants(w.get(200, "/health"), "!Set-up link") // It ends soon, and is no token that somebody has to replace.

	v := &visitor{world: w, cookies: map[string]string{}}
	w.wants(v.body(200, v.send(http.MethodGet, "/", nil)), "You need no account", "!Name of", "!ann")
	answer := v.send(http.MethodPost, "/", url.Values{"code": {" https://app.example.com/connect/#" + code + "\n"}})
	const cookie = "scim-setup=%; Path=/connect/l/@/; HttpOnly; Secure; SameSite=Strict"
	if got, want := answer.Header().Get("Set-Cookie"), strings.NewReplacer("%", code, "@", id).Replace(cookie); got != want || answer.Header().Get("Location") != "./l/"+id+"/" {
		t.Errorf("cookie %q, want %q, location %q", got, want, answer.Header().Get("Location"))
	}
	v.page = "/l/" + id + "/"
	page := v.body(200, v.send(http.MethodGet, v.page, nil))
	w.wants(page, "ann gave you this page", "until 2026-02-03 12:00:00", "Nothing is connected yet.", "You can make 3 more tokens here", "Microsoft Entra ID", "Test the endpoint", "https://app.example.com/scim/v2", "Name of ",
		"!People", "!Activity", "!"+prefix, "!href=\"../../activity", `action="../../l/`+id+`/tokens"`, `!value="never"`)

	page = v.body(200, v.send(http.MethodPost, v.page+"tokens", url.Values{"label": {"Okta <i>"}, "life": {"90"}}))
	w.wants(page, "Copy it now", `id="secret">scim_`, "Okta &lt;i&gt;", "2 more tokens", `href="./"`)
	made := w.list()[0]
	want := tokens.Token{ID: made.ID, Client: made.ID, Hash: made.Hash, Label: "Okta <i>", Maker: "ann (set-up link " + id + ")", Prefix: "scim_", Last4: made.Last4, Created: made.Created,
		Expires: now.Add(90 * 24 * time.Hour), Scopes: []string{scim.ScopeUsers}}
	if diff := cmp.Diff(want, made); diff != "" {
		t.Error(diff)
	}
	w.wants(v.body(200, v.send(http.MethodGet, v.page, nil)), "Waiting for the first request", "!"+`id="secret"`, "never used")
	w.wants(w.get(200, "/connection"), "by ann, by a set-up link", "1 token was made by it", "opens users")
	w.wants(v.body(200, v.send(http.MethodPost, v.page+"test", nil)), "answered 418")

	var acts []console.Act
	for i, a := range []console.Act{{Kind: console.MakeSetupLink, Object: id}, {Kind: console.OpenSetupLink, Object: id, SetupLink: id}, {Kind: console.IssueToken, Object: made.ID, SetupLink: id}, {Kind: console.TestConnection, SetupLink: id}} {
		a.At, a.Viewer = now, "ann"
		if i == 3 {
			a.Object = w.list()[0].ID
		}
		acts = append(acts, a)
	}
	if diff := cmp.Diff(acts, w.acts); diff != "" {
		t.Error(diff)
	}
	if strings.Contains(w.log.String(), code) || strings.Contains(w.log.String(), code[len(code)-20:]) {
		t.Error("the log has the link")
	}
}

// A page of a link says whether requests arrive, and nothing about them.
func TestSetupArrivals(t *testing.T) {
	w := newWorld(t, "")
	w.setup = newSetup()
	w.start()
	_, other := w.issue("Secret client")
	v := w.visit(w.makeLink("/", threeTokens))
	v.body(200, v.send(http.MethodPost, v.page+"tokens", url.Values{"label": {"Okta"}, "life": {"90"}}))
	mine := w.list()[0]
	show := func(texts ...string) {
		t.Helper()
		page := v.body(200, v.send(http.MethodGet, v.page, nil))
		w.wants(page, append(texts, "!cas@", "!Secret client", "!is taken", "!192.0.2.1", "!activity")...)
	}
	seen := []journal.Touched{{Type: "User", ID: "1", Names: []string{"cas@example.com"}}}
	e := exchange("POST", 201, journal.Detail{Client: other.Client, Label: "Secret client", Touched: seen, URL: "/Users"})
	e.Time = now.Add(time.Second)
	w.entries.add(e)
	show("Waiting for the first request.")
	refused := journal.Entry{Head: journal.Head{Kind: journal.Refused, Status: 401, Time: now.Add(time.Second)}, Detail: &journal.Detail{Address: "192.0.2.1", Failure: &journal.Failure{Detail: "cas@ is taken"}}}
	newest := w.entries.add(refused).ID
	show("dot bad", "A request was refused just now")
	if got := v.body(200, v.send(http.MethodGet, v.page+"newest", nil)); got != newest {
		t.Errorf("the newest is %q, want %q", got, newest)
	}
	e.Detail = &journal.Detail{Client: mine.Client, Touched: seen, URL: "/Users"}
	w.entries.add(e)
	show("dot good", "Requests arrive.", "with the token “Okta”", "!was refused")
	e.Status, e.Detail = 409, &journal.Detail{Client: mine.Client, Touched: seen, Failure: &journal.Failure{Detail: "userName is taken"}}
	w.entries.add(e)
	show("dot warn", "It was not accepted (409)")
	w.entries.err = errors.New("secret: down")
	show("The journal cannot be read now", "https://app.example.com/scim/v2", "!secret:")
}

// A link ends for all reasons with the same page.
func TestSetupLinkEnds(t *testing.T) {
	for _, row := range []struct {
		name string
		end  func(w *world, v *visitor)
		log  string
	}{
		{"ended by its page", func(w *world, v *visitor) {
			answer := w.do(http.MethodPost, "/connection"+strings.Replace(v.page, "/l/", "/links/", 1)+"end", nil)
			if answer.Code != http.StatusSeeOther || answer.Header().Get("Location") != "../../../connection" {
				w.Errorf("to end is %d to %q", answer.Code, answer.Header().Get("Location"))
			}
		}, "it was ended"},
		{"all links of the tenant", func(w *world, _ *visitor) { w.body(303, w.do(http.MethodPost, "/connection/links/end", nil)) }, "it was ended"},
		{"all tokens of the tenant, in another process", func(w *world, _ *visitor) {
			if err := w.tokens.Tenant("").RevokeAll(w.Context()); err != nil {
				w.Fatal(err)
			}
		}, "it was ended"},
		{"its maker may no longer", func(w *world, _ *visitor) {
			w.setup.MayStill = func(_ context.Context, viewer, tenant string) (bool, error) {
				return viewer != "ann" || tenant != "", nil
			}
		}, "may no longer make tokens"},
		{"time", func(w *world, _ *visitor) { w.later = 72 * time.Hour }, "it has expired"},
		{"the key is gone", func(w *world, _ *visitor) {
			w.setup.Keys = [][]byte{keyOf("key two")}
			w.start()
		}, ""},
		{"the tenant has no tokens any more", func(w *world, _ *visitor) { w.noTokens = true }, "has no tokens"},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld(t, "")
			w.setup = newSetup()
			w.start()
			code := w.makeLink("/", threeTokens)
			v := w.visit(code)
			v.body(200, v.send(http.MethodPost, v.page+"tokens", url.Values{"label": {"Okta"}, "life": {"90"}}))
			row.end(w, v)
			dead := v.body(404, v.send(http.MethodPost, "/", url.Values{"code": {"x.y"}}))
			w.wants(dead, "This link does not work")
			for _, request := range []struct{ method, path string }{{"GET", v.page}, {"GET", v.page + "newest"}, {"POST", v.page + "tokens"}, {"POST", v.page + "test"}, {"POST", "/"}} {
				got := v.body(404, v.send(request.method, request.path, url.Values{"code": {code}, "label": {"x"}, "life": {"90"}}))
				if diff := cmp.Diff(roots(dead), roots(got)); diff != "" {
					t.Errorf("%s %s tells something: %s", request.method, request.path, diff)
				}
			}
			if !strings.Contains(w.log.String(), row.log) {
				t.Errorf("the log does not say %q: %s", row.log, w.log.String())
			}
			if row.log != "" {
				if last := w.acts[len(w.acts)-1]; last.Kind != console.OpenSetupLink || last.Err == nil || last.SetupLink == "" {
					t.Errorf("the last act is %+v", last)
				}
			}
			if n := len(w.list()); n != 2 {
				t.Errorf("there are %d tokens, want that of the link and its record", n)
			}
		})
	}
}

// A key that is not the first one verifies too, so that keys can be rotated.
func TestSetupKeys(t *testing.T) {
	w := newWorld(t, "")
	w.setup = newSetup()
	w.start()
	v := w.visit(w.makeLink("/", threeTokens))
	w.setup.Keys = [][]byte{keyOf("key two"), keyOf("key one")}
	w.start()
	v.body(200, v.send(http.MethodGet, v.page, nil))
	w.visit(w.makeLink("/", threeTokens))
	for _, row := range []struct {
		name  string
		setup console.Setup
		want  string
	}{
		{"nothing is set", console.Setup{}, "console: Setup: Address is \"\": use an address like \"https://example.com/setup/\", with \"/\" at its end\nconsole: Setup: MayStill is missing\nconsole: Setup: Keys is empty"},
		{"a short key", console.Setup{Address: "https://a/", Keys: [][]byte{[]byte("x")}, MayStill: w.setup.MayStill}, "console: Setup: key 1: use 32 random bytes"},
		{"a key of zeros", console.Setup{Address: "https://a/", Keys: [][]byte{keyOf("k"), make([]byte, 32)}, MayStill: w.setup.MayStill}, "console: Setup: key 2: use 32 random bytes"},
		{"an empty key", console.Setup{Address: "https://a/", Keys: [][]byte{{}}, MayStill: w.setup.MayStill}, "console: Setup: key 1: use 32 random bytes"},
	} {
		_, err := console.New(console.Options{Authorize: func(*http.Request) (console.Viewer, error) { return console.Viewer{}, nil },
			Tenant: func(context.Context, string) (console.Tenant, error) { return console.Tenant{}, nil }, Journal: w.entries, Setup: &row.setup})
		if err == nil || err.Error() != row.want {
			t.Errorf("%s: error %v", row.name, err)
		}
	}
	for _, address := range []string{"/setup/", "https://a/setup", "ftp://a/", "https://a/?x=/", "https://a/#/", "https://u:p@a/", "https://a/x;y/", "javascript:/"} {
		setup := newSetup()
		setup.Address = address
		_, err := console.New(console.Options{Authorize: func(*http.Request) (console.Viewer, error) { return console.Viewer{}, nil },
			Tenant: func(context.Context, string) (console.Tenant, error) { return console.Tenant{}, nil }, Journal: w.entries, Setup: setup})
		if err == nil {
			t.Errorf("the address %q is accepted", address)
		}
	}
}

// What the holder of a link tries.
func TestSetupAttacks(t *testing.T) {
	w := newWorld(t, "acme", "victim")
	w.setup = newSetup()
	w.start()
	code := w.makeLink("/t/acme/", url.Values{"life": {"1"}, "opens": {"users"}, "tokens": {"1"}})
	other := w.makeLink("/t/victim/", threeTokens)
	said, signature, _ := strings.Cut(code, ".")
	text, err := base64.RawURLEncoding.DecodeString(said)
	if err != nil {
		t.Fatal(err)
	}
	changed := func(old, new string) string {
		t.Helper()
		if !strings.Contains(string(text), old) {
			t.Fatalf("the link does not say %q: %s", old, text)
		}
		return base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(string(text), old, new, 1))) + "." + signature
	}
	b64 := base64.StdEncoding.EncodeToString
	otherSaid, otherSignature, _ := strings.Cut(other, ".")
	last := strings.Map(func(r rune) rune { return r + 1 }, code[len(code)-1:])
	for name, code := range map[string]string{
		"another tenant": changed(b64([]byte("acme")), b64([]byte("victim"))), "another maker": changed(b64([]byte("ann")), b64([]byte("bob"))),
		"a later end": changed("2026-02-01", "2027-02-01"), "other scopes": changed(`["users"]`, `null`), "more tokens": changed(`"tokens":1`, `"tokens":9`),
		"the signature of another link": said + "." + otherSignature, "the content of another link": otherSaid + "." + signature,
		"no signature": said + ".", "no dot": said, "nothing": "", "a dot": ".", "another last letter of the signature": code[:len(code)-1] + last, "something behind": code + ".x",
		"spaces within": code[:20] + " " + code[20:], "a long text": strings.Repeat("a", 60_000), "NUL": "\x00", "padding": code + "=",
	} {
		v := &visitor{world: w, cookies: map[string]string{}}
		answer := v.send(http.MethodPost, "/", url.Values{"code": {code}})
		if answer.Code != http.StatusNotFound || answer.Header().Get("Set-Cookie") != "" {
			t.Errorf("%s: status %d, cookie %q", name, answer.Code, answer.Header().Get("Set-Cookie"))
		}
	}
	v := w.visit(code)
	victim := w.visit(other)
	v.cookies[setupPrefix+"/"] = code // as if its path did not count
	for _, path := range []string{victim.page, victim.page + "newest"} {
		w.wants(v.body(404, v.send(http.MethodGet, path, nil)), "This link does not work", "!victim")
	}
	v.body(404, v.send(http.MethodPost, victim.page+"tokens", url.Values{"label": {"x"}, "life": {"90"}}))
	for _, path := range []string{"/connection", "/t/acme/", "/t/acme/connection", "/activity", "/people", v.page + "activity", v.page + "tokens/x/revoke", v.page + "links"} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			if answer := v.send(method, path, nil); answer.Code != http.StatusNotFound {
				t.Errorf("%s %s: status %d", method, path, answer.Code)
			}
		}
	}
	for name, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example.com"} {
		for _, path := range []string{v.page + "tokens", v.page + "test", "/"} {
			r := httptest.NewRequest(http.MethodPost, "https://app.example.com"+setupPrefix+path, strings.NewReader(url.Values{"label": {"x"}, "life": {"90"}, "code": {code}}.Encode()))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set(name, value)
			r.AddCookie(&http.Cookie{Name: "scim-setup", Value: code})
			answer := httptest.NewRecorder()
			w.handler.ServeHTTP(answer, r)
			if answer.Code != http.StatusForbidden {
				t.Errorf("%s with %s: status %d", path, name, answer.Code)
			}
		}
	}
	h := v.send(http.MethodGet, v.page, nil).Header()
	if !strings.Contains(h.Get("Content-Security-Policy"), "frame-ancestors 'none'") || h.Get("X-Frame-Options") != "DENY" || h.Get("Referrer-Policy") != "same-origin" || h.Get("Cache-Control") != "no-store" {
		t.Errorf("headers %v", h)
	}
	for _, tenant := range []string{"acme", "victim"} {
		if list, err := w.tokens.Tenant(tenant).List(t.Context()); err != nil || len(list) != 1 {
			t.Errorf("%s has %+v, error %v", tenant, list, err)
		}
	}
}

// The record of a link is no token: it opens nothing, no page lists it as one, and it cannot be replaced by a token.
func TestSetupRecord(t *testing.T) {
	w := newWorld(t, "")
	w.setup = newSetup()
	w.start()
	w.makeLink("/", threeTokens)
	id := w.list()[0].ID
	w.post(404, "/connection/tokens/"+id+"/rotate", url.Values{"overlap": {"0"}})
	_, token := w.issue("Okta")
	w.post(404, "/connection/links/"+token.ID+"/end", nil)
	if list := w.list(); len(list) != 2 || !list[0].IsValid(now) || !list[1].IsValid(now) {
		t.Errorf("tokens %+v", list)
	}
	for _, label := range []string{"Set-up link of the console", "Connection test of the console"} {
		w.wants(w.post(400, "/connection/tokens", url.Values{"label": {label}, "life": {"90"}}), "uses this name itself")
	}
	for _, form := range []url.Values{
		{"life": {"30"}, "opens": {"all"}, "tokens": {"1"}}, {"life": {"1"}, "opens": {"x"}, "tokens": {"1"}}, {"life": {"1"}, "opens": {"all"}, "tokens": {"0"}},
		{"life": {"1"}, "opens": {"all"}, "tokens": {"11"}}, {"life": {"1"}, "opens": {"all"}, "tokens": {"-1"}}, {},
	} {
		w.post(400, "/connection/links", form)
	}
	for range 19 {
		w.makeLink("/", threeTokens)
	}
	w.wants(w.post(409, "/connection/links", threeTokens), "There are 20 set-up links")
	w.post(303, "/connection/links/end", nil)
	w.makeLink("/", threeTokens)
	w.viewer.May = console.May{}
	w.wants(w.get(200, "/connection"), "!Set-up links")
	w.viewer.May, w.setup = everything, nil
	w.start()
	w.wants(w.get(200, "/connection"), "!Set-up links", "!Set-up link of")
	for _, path := range []string{"/connection/links", "/connection/links/end", "/connection/links/" + id + "/end"} {
		w.post(404, path, threeTokens)
	}
	v := &visitor{world: w}
	v.body(404, v.send(http.MethodGet, "/", nil))
	v.body(404, v.send(http.MethodPost, "/", url.Values{"code": {"x"}}))
}

// A link makes no more tokens than its maker has said, also at the same time, and no more tests than are sensible.
func TestSetupLimits(t *testing.T) {
	w := newWorld(t, "")
	w.setup = newSetup()
	w.tenant.Endpoint = http.NotFoundHandler()
	w.start()
	v := w.visit(w.makeLink("/", threeTokens))
	other := *v // the same link in another process
	other.handler = w.newConsole(w.entries)
	for _, row := range []struct {
		label, life string
		want        string
	}{{"", "90", "Give the token a name"}, {"Connection test of the console", "90", "uses this name itself"}, {"x", "never", "The form was not accepted"}, {"x", "1", "The form was not accepted"}} {
		w.wants(v.body(400, v.send(http.MethodPost, v.page+"tokens", url.Values{"label": {row.label}, "life": {row.life}})), row.want)
	}
	var wait sync.WaitGroup
	var mu sync.Mutex
	count := map[int]int{}
	for i := range 12 {
		one := []*visitor{v, &other}[i%2]
		r := httptest.NewRequest(http.MethodPost, "https://app.example.com"+setupPrefix+v.page+"tokens", strings.NewReader("label=Okta&life=90"))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		for _, value := range v.cookies {
			r.AddCookie(&http.Cookie{Name: "scim-setup", Value: value})
		}
		wait.Go(func() {
			answer := httptest.NewRecorder()
			one.handler.ServeHTTP(answer, r)
			mu.Lock()
			defer mu.Unlock()
			count[answer.Code]++
		})
	}
	wait.Wait()
	valid := 0
	for _, token := range w.list() {
		if token.IsValid(now) && token.Label == "Okta" {
			valid++
		}
	}
	if count[200] > 3 || valid > 3 || count[200]+count[409] != 12 || valid != count[200] {
		t.Errorf("answers %v, %d valid tokens", count, valid)
	}
	for range 3 - count[200] { // Some were refused because another request was there first.
		v.send(http.MethodPost, v.page+"tokens", url.Values{"label": {"x"}, "life": {"90"}})
	}
	w.wants(v.body(409, v.send(http.MethodPost, v.page+"tokens", url.Values{"label": {"x"}, "life": {"90"}})), "makes no more tokens. Ask")
	for range 30 {
		v.body(200, v.send(http.MethodPost, v.page+"test", nil))
	}
	w.wants(v.body(409, v.send(http.MethodPost, v.page+"test", nil)), "does no more tests")
}

// Makers and tenants have any id, and pages show it as text.
func TestSetupOddIDs(t *testing.T) {
	for _, id := range []string{"ann", "<b id=x7>", "a\xff", strings.Repeat("ä", 200), "a (set-up link b)", "\x1b[31m"} {
		w := newWorld(t, id)
		w.viewer.ID, w.setup = id, newSetup()
		var asked []string
		w.setup.MayStill = func(_ context.Context, viewer, tenant string) (bool, error) {
			asked = append(asked, viewer, tenant)
			return true, nil
		}
		w.start()
		path := strings.TrimPrefix(w.do(http.MethodGet, "/", nil).Header().Get("Location"), ".")
		answer := w.do(http.MethodPost, path+"connection/links", threeTokens)
		if strings.Contains(id, "\xff") {
			if answer.Code != http.StatusServiceUnavailable {
				t.Errorf("%q: status %d", id, answer.Code)
			}
			continue
		}
		code := regexp.MustCompile(`/#([^<]+)<`).FindStringSubmatch(answer.Body.String())
		if code == nil {
			t.Fatalf("%q: %d %s\n%s", id, answer.Code, answer.Body, w.log.String())
		}
		v := w.visit(code[1])
		page := v.body(200, v.send(http.MethodGet, v.page, nil))
		w.wants(page, "!<b id=x7", "!\x1b")
		v.body(200, v.send(http.MethodPost, v.page+"tokens", url.Values{"label": {"x"}, "life": {"90"}}))
		if asked[0] != id || asked[1] != id {
			t.Errorf("asked about %q", asked)
		}
		for _, a := range w.acts {
			if a.Viewer != id || a.Tenant != id {
				t.Errorf("act %+v", a)
			}
		}
	}
}
