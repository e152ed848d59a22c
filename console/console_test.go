package console_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth/tokens"
	"github.com/scimkit/scim/console"
	"github.com/scimkit/scim/journal"
	"github.com/scimkit/scim/store/memory"
)

// prefix is where the tests mount the console, and setupPrefix where they mount its set-up links.
const (
	prefix      = "/admin/provisioning"
	setupPrefix = "/connect"
)

var now = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

// world is a console with what it shows.
type world struct {
	*testing.T
	entries  *entries
	tokens   *tokens.Tokens
	tenant   console.Tenant // what Tenant returns; without Tokens, those of tokens
	viewer   console.Viewer
	address  string
	setup    *console.Setup
	later    time.Duration // what has passed since now
	home     string
	refuse   error // what Authorize returns
	unusable error // what Tenant returns
	noTokens bool  // the tenants have no tokens
	timeout  time.Duration
	mu       *sync.Mutex
	acts     []console.Act
	log      *text
	handler  http.Handler
	bare     http.Handler // the console that was made last, not mounted
}

// text is what several consoles write at the same time.
type text struct {
	mu  sync.Mutex
	all strings.Builder
}

// Write implements io.Writer.
func (t *text) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.all.Write(b)
}

// String returns the text.
func (t *text) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.all.String()
}

// everything is what a viewer may do at most.
var everything = console.May{Tokens: true, Roles: true, Bodies: true}

// newWorld returns a console whose viewer sees these tenants. A tenant has the name "Name of <id>".
func newWorld(t *testing.T, seen ...string) *world {
	t.Helper()
	w := &world{T: t, log: &text{}, mu: &sync.Mutex{}, entries: &entries{}, viewer: console.Viewer{ID: "ann", Tenants: seen, May: everything}, address: "https://app.example.com/scim/v2"}
	var err error
	var ticks atomic.Int64 // Tokens are in order of their time.
	clock := func() time.Time { return now.Add(time.Duration(ticks.Add(1)) * time.Microsecond) }
	if w.tokens, err = tokens.New(tokens.NewMemory(), tokens.Options{Now: clock}); err != nil {
		t.Fatal(err)
	}
	return w
}

// start makes the console.
func (w *world) start() *world {
	w.Helper()
	w.handler = w.newConsole(w.entries)
	return w
}

// newConsole makes a console over a journal, and mounts it.
func (w *world) newConsole(j console.Journal) http.Handler {
	w.Helper()
	c, err := console.New(console.Options{
		Authorize: func(*http.Request) (console.Viewer, error) { return w.viewer, w.refuse },
		Tenant: func(_ context.Context, id string) (console.Tenant, error) {
			t := w.tenant
			t.Name, t.Address = "Name of "+id, w.address
			if t.Tokens == nil {
				t.Tokens = w.tokens.Tenant(id)
			}
			if w.noTokens {
				t.Tokens = nil
			}
			return t, w.unusable
		},
		Journal: j,
		Audit:   w.keep,
		Setup:   w.setup,
		Home:    w.home,
		Log:     slog.New(slog.NewTextHandler(w.log, nil)),
		Timeout: w.timeout,
		Now:     func() time.Time { return now.Add(w.later) },
	})
	if err != nil {
		w.Fatal(err)
	}
	w.bare = c
	mux := http.NewServeMux()
	mux.Handle(setupPrefix+"/", http.StripPrefix(setupPrefix, c.Setup()))
	mux.Handle(prefix+"/", http.StripPrefix(prefix, c))
	return mux
}

// keep keeps an act.
func (w *world) keep(_ context.Context, a console.Act) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.acts = append(w.acts, a)
}

// do sends a request of a browser, from a page of the console.
func (w *world) do(method, path string, form url.Values) *httptest.ResponseRecorder {
	w.Helper()
	r := httptest.NewRequest(method, "https://app.example.com"+prefix+path, strings.NewReader(form.Encode()))
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	answer := httptest.NewRecorder()
	w.handler.ServeHTTP(answer, r)
	return answer
}

// do2 sends a request of any method without a form.
func (w *world) do2(method, path string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "https://app.example.com"+prefix+path, nil)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	answer := httptest.NewRecorder()
	w.handler.ServeHTTP(answer, r)
	return answer
}

// get returns a page.
func (w *world) get(status int, path string) string {
	w.Helper()
	return w.body(status, w.do(http.MethodGet, path, nil))
}

// post sends a form.
func (w *world) post(status int, path string, form url.Values) string {
	w.Helper()
	return w.body(status, w.do(http.MethodPost, path, form))
}

func (w *world) body(status int, answer *httptest.ResponseRecorder) string {
	w.Helper()
	if answer.Code != status {
		w.Fatalf("status %d, want %d: %s\n%s", answer.Code, status, answer.Body, w.log.String())
	}
	return answer.Body.String()
}

// wants reports what a page should have and has not, and the other way round. Texts after "!" should be missing.
func (w *world) wants(page string, texts ...string) {
	w.Helper()
	for _, text := range texts {
		text, isMissing := strings.CutPrefix(text, "!")
		if strings.Contains(page, text) == isMissing {
			w.Errorf("has %q: %t, in\n%s", text, !isMissing, page)
		}
	}
}

// entries is a journal of given entries.
type entries struct {
	all       []journal.Entry // the newest first
	problems  []journal.Problem
	summaries map[string][]journal.Summary
	err       error
	isSlow    bool
	mu        sync.Mutex
	queries   []journal.Query
}

var _ console.Journal = (*entries)(nil)

// add adds an exchange that is the newest one, and returns it.
func (s *entries) add(e journal.Entry) *journal.Entry {
	if e.ID == "" {
		e.ID = "0000000" + string(rune('a'+len(s.all)))
	}
	if e.Kind == "" {
		e.Kind = journal.Exchange
	}
	if e.Time.IsZero() {
		e.Time = now.Add(-2 * time.Minute)
	}
	s.all = slices.Insert(s.all, 0, e)
	return &s.all[0]
}

func (s *entries) wait(ctx context.Context) error {
	if s.isSlow {
		<-ctx.Done()
		return ctx.Err()
	}
	return s.err
}

func (s *entries) Find(ctx context.Context, q journal.Query) (page []journal.Entry, err error) {
	s.mu.Lock()
	s.queries = append(s.queries, q)
	s.mu.Unlock()
	for _, e := range s.all {
		isFit := e.Tenant == q.Tenant && (q.Kind == "" || e.Kind == q.Kind) && (q.After == "" || e.ID < q.After) &&
			(q.From.IsZero() || !e.Time.Before(q.From)) && (q.To.IsZero() || e.Time.Before(q.To)) &&
			(q.Client == "" || e.Detail != nil && e.Detail.Client == q.Client) &&
			(q.RequestID == "" || e.RequestID == q.RequestID) && s.names(&e, "User", q.Person) && s.names(&e, "Group", q.Group)
		if isFit && len(page) < q.Limit {
			page = append(page, e)
		}
	}
	return page, s.wait(ctx)
}

// names reports whether an entry names a resource; "" for any.
func (s *entries) names(e *journal.Entry, kind, name string) bool {
	return name == "" || e.Detail != nil && slices.ContainsFunc(e.Detail.Touched, func(t journal.Touched) bool {
		return t.Type == kind && (t.ID == name || slices.Contains(t.Names, name))
	})
}

func (s *entries) Get(ctx context.Context, tenant, id string) (journal.Entry, error) {
	for _, e := range s.all {
		if e.Tenant == tenant && e.ID == id {
			return e, s.wait(ctx)
		}
	}
	return journal.Entry{}, errors.Join(scim.ErrNotFound, s.wait(ctx))
}

// Traffic adds up summaries.
func (s *entries) Traffic(_ context.Context, tenants []string, from, to time.Time) (map[string]journal.HourCount, error) {
	all := map[string]journal.HourCount{}
	for _, tenant := range tenants {
		n := journal.HourCount{}
		for _, of := range s.summaries[tenant] {
			for hour, h := range of.Hours {
				if at := of.Day.Add(time.Duration(hour) * time.Hour); !at.Before(from.Truncate(time.Hour)) && !at.After(to) {
					n.Requests, n.Failed = n.Requests+h.Requests, n.Failed+h.Failed
				}
			}
		}
		all[tenant] = n
	}
	return all, s.err
}

func (s *entries) Summary(ctx context.Context, tenant string, _, _ time.Time) ([]journal.Summary, error) {
	return s.summaries[tenant], s.wait(ctx)
}

func (s *entries) Problems(ctx context.Context, tenant string, _ time.Time) ([]journal.Problem, bool, error) {
	if tenant != "" {
		return nil, false, s.wait(ctx)
	}
	return slices.Clone(s.problems), false, s.wait(ctx)
}

// exchange returns an exchange of a person.
func exchange(method string, status int, d journal.Detail) journal.Entry {
	return journal.Entry{Head: journal.Head{Method: method, Status: status, Type: "User", RequestID: "r1"}, Detail: &d}
}

func TestNewRefuses(t *testing.T) {
	_, err := console.New(console.Options{Timeout: -1})
	const want = "console: Authorize is missing\nconsole: Tenant is missing\nconsole: Journal is missing\nconsole: Timeout is -1ns"
	if err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

func TestHeaders(t *testing.T) {
	w := newWorld(t, "").start()
	for _, path := range []string{"/", "/activity", "/nothing"} {
		h := w.do(http.MethodGet, path, nil).Header()
		for name, want := range map[string]string{
			"Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
			"X-Frame-Options":         "DENY", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Content-Type": "text/html; charset=utf-8",
		} {
			if got := h.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", path, name, got, want)
			}
		}
	}
	page := w.get(200, "/activity")
	w.wants(page, "!<style", "!style=", "!onclick", "!javascript:")
	for _, name := range []string{"style.css", "script.js"} {
		_, link, ok := strings.Cut(page, `"./assets/`+name+`?v=`)
		link, _, _ = strings.Cut(link, `"`)
		a := w.do(http.MethodGet, "/assets/"+name+"?v="+link, nil)
		if !ok || a.Code != 200 || !strings.Contains(a.Header().Get("Cache-Control"), "immutable") || a.Body.Len() < 100 {
			t.Errorf("%s: %d %v, %d bytes", name, a.Code, a.Header(), a.Body.Len())
		}
	}
}

// A page of a tenant that the viewer does not see is the same as one that does not exist.
func TestOtherTenants(t *testing.T) {
	w := newWorld(t, "acme").start()
	w.tenant.Preview = previews{}
	e := w.entries.add(journal.Entry{Head: journal.Head{Tenant: "evil", ID: "e1"}, Detail: &journal.Detail{}, Request: &journal.Body{Text: "{}"}})
	_, token, err := w.tokens.Tenant("evil").Issue(t.Context(), tokens.Request{Label: "Okta"})
	if err != nil {
		t.Fatal(err)
	}
	life := url.Values{"label": {"x"}, "life": {"90"}, "overlap": {"1"}}
	nothing := map[string]string{http.MethodGet: w.get(404, "/t/acme/nothing"), http.MethodPost: w.post(404, "/t/acme/nothing", nil)}
	for _, route := range []struct{ method, path string }{
		{"GET", ""}, {"GET", "activity"}, {"GET", "activity/newest"}, {"GET", "activity/" + e.ID}, {"POST", "activity/" + e.ID + "/bodies"}, {"POST", "activity/" + e.ID + "/again"},
		{"GET", "connection"}, {"GET", "health"}, {"POST", "connection/test"}, {"POST", "connection/tokens"}, {"POST", "connection/tokens/" + token.ID + "/rotate"},
		{"GET", "problems"}, {"GET", "people"}, {"GET", "people/1"}, {"GET", "groups"}, {"GET", "groups/1"}, {"POST", "groups/pending"},
		{"POST", "connection/tokens/" + token.ID + "/revoke"}, {"POST", "activity/" + e.ID + "/again"},
		{"POST", "connection/links"}, {"POST", "connection/links/end"}, {"POST", "connection/links/" + token.ID + "/end"},
	} {
		for _, base := range []string{"/t/evil/", "/", "/t/~/", "/t/~ZXZpbA/"} {
			if base == "/" && route.path == "" {
				continue // It leads to the viewer's own tenant.
			}
			got := w.body(404, w.do(route.method, base+route.path, life))
			if diff := cmp.Diff(roots(nothing[route.method]), roots(got)); diff != "" {
				t.Errorf("%s %s%s tells something: %s", route.method, base, route.path, diff)
			}
		}
	}
	for _, route := range []struct{ method, path string }{ // ids of another tenant below the own one
		{"GET", "activity/" + e.ID}, {"POST", "activity/" + e.ID + "/bodies"}, {"POST", "activity/" + e.ID + "/again"}, {"POST", "connection/tokens/" + token.ID + "/rotate"}, {"POST", "connection/tokens/" + token.ID + "/revoke"},
	} {
		got := w.body(404, w.do(route.method, "/t/acme/"+route.path, life))
		if diff := cmp.Diff(roots(nothing[route.method]), roots(got)); diff != "" {
			t.Errorf("%s %s tells something: %s", route.method, route.path, diff)
		}
	}
	list, err := w.tokens.Tenant("evil").List(t.Context())
	if err != nil || len(list) != 1 || !list[0].IsValid(now) || list[0].Successor != "" {
		t.Errorf("the tokens of the other tenant are %+v, error %v", list, err)
	}
}

// roots removes from a page how deep its address is.
func roots(page string) string {
	return strings.ReplaceAll(strings.ReplaceAll(page, "../", ""), "./", "")
}

func TestAuthorize(t *testing.T) {
	w := newWorld(t, "").start()
	w.refuse = errors.New("the session of <bob> has ended")
	for _, path := range []string{"/", "/activity", "/nothing", "/t/x/activity"} {
		w.wants(w.get(403, path), "You may not do this", "!session")
	}
	w.wants(w.log.String(), "the session of <bob> has ended")
	w.refuse, w.viewer.Tenants = nil, nil
	for _, path := range []string{"/", "/activity"} {
		w.get(404, path)
	}
	w.viewer.Tenants, w.unusable = []string{""}, errors.New("secret: database is down")
	w.wants(w.get(503, "/activity"), "not available now", "!secret")
	w.unusable = scim.ErrNotFound
	w.get(404, "/activity")
}

// Every odd id of a tenant has pages, and each page leads to the others.
func TestTenantIDs(t *testing.T) {
	for _, id := range []string{"acme", "a b", "a/b", "..", "~", "~x", "ä%2F", `a\b`, "t", "//x", "<i>"} {
		w := newWorld(t, id).start()
		location := w.do(http.MethodGet, "/", nil).Header().Get("Location")
		base, err := url.Parse("https://app.example.com" + prefix + "/")
		if err != nil {
			t.Fatal(err)
		}
		first, err := base.Parse(location)
		if err != nil {
			t.Fatal(err)
		}
		path := strings.TrimPrefix(first.EscapedPath(), prefix)
		w.wants(w.get(200, path), "Nothing is connected yet")
		w.wants(w.get(200, path+"activity"), `href="../../t/`)
		if location = w.do(http.MethodPost, path+"connection/tokens/none/revoke", nil).Header().Get("Location"); location != "" {
			t.Errorf("%q: an unknown token leads to %q", id, location)
		}
	}
}

func TestManyTenants(t *testing.T) {
	w := newWorld(t, "acme", "evil<i>", "").start()
	w.wants(w.get(200, "/"), `href="./t/acme/">Name of acme`, "Name of evil&lt;i&gt;", "!evil<i>", `href="./activity">Requests that belong to no tenant`)
	w.entries.add(journal.Entry{Head: journal.Head{Tenant: "acme", ID: "e9", RequestID: "r9"}})
	w.entries.add(journal.Entry{Head: journal.Head{Tenant: "hidden", ID: "e8", RequestID: "r8"}})
	if answer := w.do(http.MethodGet, "/?request=r9", nil); answer.Header().Get("Location") != "./t/acme/activity/e9" {
		t.Errorf("a request leads to %q", answer.Header().Get("Location"))
	}
	w.wants(w.get(200, "/?request=r8"), "No tenant that you see has a request with this id")
	w.entries.summaries = map[string][]journal.Summary{"evil<i>": contacts("okta", 12, 4, now.Add(-time.Hour))}
	w.later = time.Minute
	w.wants(w.get(200, "/"), "!12 requests") // The list is remembered for a while.
	w.later = 2 * time.Minute
	page := w.get(200, "/")
	w.wants(page, "12 requests", "4 failed", "4 of 12 requests have failed in the last 24 hours", "1 hour ago")
	if strings.Index(page, "Name of evil") > strings.Index(page, "Name of acme") {
		t.Error("the tenant in trouble is not the first")
	}
	w.wants(w.get(200, "/t/acme/activity"), `href="../../">← All tenants`)
	w.unusable, w.later = errors.New("down"), time.Hour
	w.wants(w.get(200, "/"), "Some tenants cannot be shown now", "!Name of acme")
}

// slowTenants is a journal of which each read takes a while.
type slowTenants struct{ *entries }

func (s slowTenants) Summary(ctx context.Context, _ string, _, _ time.Time) ([]journal.Summary, error) {
	select {
	case <-time.After(20 * time.Millisecond):
		return contacts("okta", 7, 0, now), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// A list of many tenants is read in parts, and the page comes in time.
func TestVeryManyTenants(t *testing.T) {
	w := newWorld(t)
	for i := range 40 {
		w.viewer.Tenants = append(w.viewer.Tenants, "tenant"+string(rune('a'+i)))
	}
	w.timeout = 500 * time.Millisecond
	w.handler = w.newConsole(slowTenants{w.entries})
	before := 0
	for pages := 1; ; pages++ {
		page := w.get(200, "/")
		read := strings.Count(page, "7 requests")
		if strings.Count(page, `<tr><td class="wrap">`) != 40 || read <= before {
			t.Fatalf("page %d: %d of %d tenants have numbers, before it were %d", pages, read, strings.Count(page, `<tr><td class="wrap">`), before)
		}
		if before = read; read == 40 {
			w.wants(page, "!could not be read in time")
			if pages == 1 {
				t.Error("all were read at once")
			}
			return
		}
		w.wants(page, "could not be read in time", "!cannot be read for all")
	}
}

func TestOtherOriginsAreRefused(t *testing.T) {
	w := newWorld(t, "").start()
	secret, token := w.issue("Okta")
	for _, path := range []string{"/connection/tokens", "/connection/tokens/" + token.ID + "/rotate", "/connection/tokens/" + token.ID + "/revoke", "/activity/x/bodies", "/activity/x/again"} {
		for name, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example.com"} {
			r := httptest.NewRequest(http.MethodPost, "https://app.example.com"+prefix+path, strings.NewReader("label=x&life=90&overlap=0"))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set(name, value)
			answer := httptest.NewRecorder()
			w.handler.ServeHTTP(answer, r)
			if answer.Code != http.StatusForbidden {
				t.Errorf("%s with %s: %s is %d", path, name, value, answer.Code)
			}
		}
	}
	if list := w.list(); len(list) != 1 || !list[0].IsValid(now) || len(w.acts) != 0 || secret == "" {
		t.Errorf("tokens %+v, acts %+v", list, w.acts)
	}
}

// issue makes a token of the tenant "".
func (w *world) issue(label string) (string, tokens.Token) {
	w.Helper()
	secret, token, err := w.tokens.Tenant("").Issue(w.Context(), tokens.Request{Label: label, Maker: "bob"})
	if err != nil {
		w.Fatal(err)
	}
	return secret, token
}

func (w *world) list() []tokens.Token {
	w.Helper()
	list, err := w.tokens.Tenant("").List(w.Context())
	if err != nil {
		w.Fatal(err)
	}
	return list
}

// With a journal, a store and a client of the library.
func TestWhole(t *testing.T) {
	w := newWorld(t, "")
	var ticks atomic.Int64
	clock := func() time.Time { return now.Add(-time.Hour + time.Duration(ticks.Add(1))*time.Second) }
	j, err := journal.New(journal.NewMemory(1<<20), journal.Options{Keys: journal.NewEphemeralKeys(), Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	store := memory.New()
	quiet := slog.New(slog.DiscardHandler)
	h, err := scim.New(j.Config(scim.Config{Store: store, Auth: w.tokens, Log: quiet}))
	if err != nil {
		t.Fatal(err)
	}
	w.tenant.Directory = store
	w.handler = w.newConsole(j)
	w.wants(w.get(200, "/"), "Nothing is connected yet.", "0 people, 0 groups")

	page := w.post(200, "/connection/tokens", url.Values{"label": {"Okta"}, "life": {"365"}})
	_, secret, _ := strings.Cut(page, `<code id="secret">`)
	secret, _, _ = strings.Cut(secret, "<")
	w.wants(w.get(200, "/"), "Waiting for the first request.")
	send := func(method, path, body string) int {
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+secret)
		r.Header.Set("Content-Type", "application/scim+json")
		answer := httptest.NewRecorder()
		scim.Mount("/scim/v2", j.Handler(h), nil).ServeHTTP(answer, r)
		return answer.Code
	}
	const user = `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"cas@example.com","password":"hunter2"}`
	if a, b := send("POST", "/scim/v2/Users", user), send("POST", "/scim/v2/Users", user); a != 201 || b != 409 {
		t.Fatalf("the client got %d and %d", a, b)
	}
	if err := j.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.later = time.Minute // The number of problems is remembered for a while.
	w.wants(w.get(200, "/"), "Okta is connected.", "1 person, 0 groups", "1 problem needs you", "Create person", "cas@example.com", ">409<", ">201<")
	failed, err := j.Find(t.Context(), journal.Query{Class: 4})
	if err != nil || len(failed) != 1 {
		t.Fatalf("%d failed, error %v", len(failed), err)
	}
	w.wants(w.get(200, "/activity/"+failed[0].ID), "Somebody has this value already", "by Okta", "POST /scim/v2/Users", "!hunter2", "Show both bodies")
	w.wants(w.post(200, "/activity/"+failed[0].ID+"/bodies", nil), "cas@example.com&#34;", `<span class="redacted">&#34;[redacted]&#34;</span>`, "!hunter2")
	if diff := cmp.Diff([]console.ActKind{console.IssueToken, console.ReadBodies}, kinds(w.acts)); diff != "" {
		t.Error(diff)
	}
}

func kinds(acts []console.Act) (all []console.ActKind) {
	for _, a := range acts {
		all = append(all, a.Kind)
	}
	return all
}
