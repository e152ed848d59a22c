package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim/examples/internal/pagetest"
	"github.com/scimkit/scim/internal/pgtest"
)

var postgres pgtest.Server

func TestMain(m *testing.M) { postgres.Main(m) }

// world is the running application, with Okta and an administrator.
type world struct {
	*pagetest.Running
	server *server
	okta   pagetest.Okta
	ada    *pagetest.Browser
	secret string // of Basic authentication
}

func (w *world) in(t *testing.T) *world {
	in := *w
	in.okta.Client, in.ada = w.okta.In(t), w.ada.In(t)
	return &in
}

// as returns Okta with another Authorization header.
func (w *world) as(header string) pagetest.Okta {
	c := *w.okta.Client
	c.Header = c.Header.Clone()
	c.Header.Del("Authorization")
	if header != "" {
		c.Header.Set("Authorization", header)
	}
	return pagetest.Okta{Client: &c}
}

func (w *world) set(name string, on bool) {
	w.ada.Post("/toggle", url.Values{"name": {name}, "on": {fmt.Sprint(on)}})
}

// without runs fn while a switch is off.
func (w *world) without(name string, fn func()) {
	w.set(name, false)
	defer w.set(name, true)
	fn()
}

func begin(t *testing.T, where string) *world {
	s := newServer(t)
	run := func(ctx context.Context, args []string, out, errOut io.Writer) error {
		return program().Run(ctx, append(args, "-issuer", s.URL, "-keys", s.URL+"/keys", "-audience", audience), out, errOut)
	}
	w := &world{Running: pagetest.Start(t, run, where), server: s}
	w.okta = pagetest.Okta{Client: w.Client("/scim/v2", w.Token)}
	var status int
	if w.ada, status = w.LogIn("ada@fieldbook.example"); status != http.StatusSeeOther {
		t.Fatalf("the administrator cannot log in: %d", status)
	}
	_, w.secret = w.ada.Post("/secret", url.Values{})
	return w
}

// TestOktaAIW has a part for each promise of the document, in its order.
func TestOktaAIW(t *testing.T) {
	pagetest.Each(t, postgres.DSN, func(t *testing.T, where string) {
		w := begin(t, where)
		for _, part := range []struct {
			name string
			test func(*testing.T, *world)
		}{
			{"OK-1 base URL and field", baseAndField}, {"OK-2 actions", actions}, {"OK-3 Basic", basic}, {"OK-4 HTTP Header", header}, {"OK-5 OAuth 2", oauth},
			{"OK-6 import", importing}, {"OK-7 unique identifier", unique}, {"OK-8 reactivation", reactivation}, {"OK-9 challenges", challenges}, {"OK-10 refresh tokens", refresh},
			{"pages", pages},
		} {
			t.Run(part.name, func(t *testing.T) { part.test(t, w.in(t)) })
		}
	})
}

// OK-1: the base URL and the unique identifier field are the administrator's to choose.
func baseAndField(t *testing.T, w *world) {
	for _, bad := range []string{"", "/", "/login", "/people", "/scim/../login", "/scim/", "scim", "/scim/a_b", "/scim//v2", "/scim/v2?x"} {
		if _, _, ok := w.ada.Try("/choose", url.Values{"base": {bad}, "field": {"userName"}}); ok {
			t.Errorf("the path %q is accepted", bad)
		}
	}
	if _, _, ok := w.ada.Try("/choose", url.Values{"base": {"/scim/v2"}, "field": {"title"}}); ok {
		t.Error("a field without an index is accepted")
	}
	id := w.okta.Assign("fields@fieldbook.example", "Fay", "Ields", "")
	w.ada.Post("/choose", url.Values{"base": {"/api/okta"}, "field": {"externalId"}})
	moved := w.Client("/api/okta", w.Token).In(t)
	for field, value := range map[string]string{"userName": "FIELDS@fieldbook.example", "externalId": "00u-Fay", "emails.value": "fields@Fieldbook.example"} {
		if got := moved.Find("/Users", field, value); got != id {
			t.Errorf("%s eq %q finds %q, want %q", field, value, got, id)
		}
	}
	if got := moved.Find("/Users", "externalId", "00U-FAY"); got != "" {
		t.Errorf("externalId is case-exact, and another spelling finds %q", got)
	}
	if loc := moved.Want(200, "GET", "/Users/"+id, "").String("meta.location"); loc != w.URL+"/api/okta/Users/"+id {
		t.Errorf("meta.location is %s", loc)
	}
	if a := w.okta.Do("GET", "/Users/"+id, ""); a.Status != http.StatusNotFound {
		t.Errorf("the old base URL answers %d", a.Status)
	}
	w.ada.Post("/choose", url.Values{"base": {"/scim/v2"}, "field": {"userName"}})
	w.okta.Want(200, "GET", "/Users/"+id, "")
	lookUpsAreIndexed(t, w)
}

// lookUpsAreIndexed compares look-ups by each field with a filter that no index answers.
func lookUpsAreIndexed(t *testing.T, w *world) {
	const n = 6000 // so many that what else a request costs does not count
	series := fmt.Sprintf("generate_series(1, %d) AS g(n)", n)
	if isSQLite(w.Where) {
		series = fmt.Sprintf("(WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < %d) SELECT n FROM s) AS g", n)
	}
	execute(t, w.Where, "INSERT INTO people (login, email) SELECT 'many' || n, 'many' || n || '@fieldbook.example' FROM "+series)
	if id := w.okta.Find("/Users", "userName", "many77"); id == "" { // which reads the new rows
		t.Fatal("a row of the application is not found")
	}
	fastest := func(filter string, want int) time.Duration {
		best := time.Hour
		for range 9 {
			start := time.Now()
			a := w.okta.Want(200, "GET", "/Users?filter="+url.QueryEscape(filter), "")
			best = min(best, time.Since(start))
			if got := len(a.Values("Resources", "id")); got != want {
				t.Fatalf("%s finds %d, want %d", filter, got, want)
			}
		}
		return best
	}
	lookUps := []string{`userName eq "many1234"`, `emails.value eq "many1234@fieldbook.example"`, `externalId eq "00u-Fay"`}
	const scan = `nickName eq "nobody"`
	if isSQLite(w.Where) {
		slow := fastest(scan, 0)
		for _, filter := range lookUps {
			if fast := fastest(filter, 1); fast > slow/3 {
				t.Errorf("%s takes %v among %d people, and a scan %v: is there an index?", filter, fast, n, slow)
			}
		}
	} else {
		before := rowsScanned(t, w.Where)
		for end := time.Now().Add(1500 * time.Millisecond); time.Now().Before(end); { // the database counts once a second
			for _, filter := range lookUps {
				fastest(filter, 1)
			}
		}
		if after := rowsScanned(t, w.Where); after-before >= 10*n { // the new rows were read once
			t.Errorf("the look-ups read %d rows of %d people one after the other: is there an index?", after-before, n)
		}
		for end := time.Now().Add(10 * time.Second); rowsScanned(t, w.Where)-before < 10*n; {
			if fastest(scan, 0); time.Now().After(end) {
				t.Fatal("a filter that no index answers reads no rows: does this test look at the right tables?")
			}
		}
	}
	execute(t, w.Where, "DELETE FROM people WHERE login LIKE 'many%'")
}

// OK-2: an action that is off is refused by its name. Deactivation is never off.
func actions(t *testing.T, w *world) {
	id := w.okta.Assign("cleo@fieldbook.example", "Cleo", "Dax", "")
	other := w.okta.Assign("dov@fieldbook.example", "Dov", "Eck", "")
	team := w.okta.Push("South", id, other)

	w.without(importUsers, func() {
		for _, path := range []string{"/Users?startIndex=1&count=2", "/Users", "/Groups?startIndex=1&count=100", "/Users?filter=userName+sw+%22c%22",
			"/Users?filter=userName+pr", "/Users?filter=not+(userName+eq+%22x%22)", "/Users?filter=userName+eq+%22cleo@fieldbook.example%22+or+userName+pr",
			"/Users?cursor&count=2", "/?filter=meta.created+pr"} {
			a := w.okta.Do("GET", path, "")
			if a.Status != http.StatusOK || a.String("totalResults") != "0" && !strings.Contains(path, "cursor") || len(a.Values("Resources", "id")) != 0 {
				t.Errorf("with the import off, GET %s is %d %s", path, a.Status, a.Text)
			}
		}
		body := `{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],"filter":"userName co \"fieldbook\""}`
		for _, path := range []string{"/Users/.search", "/.search"} {
			if a := w.okta.Want(200, "POST", path, body); len(a.Values("Resources", "id")) != 0 {
				t.Errorf("with the import off, POST %s lists %s", path, a.Text)
			}
		}
		if w.okta.Test() != http.StatusOK || w.okta.Find("/Users", "userName", "cleo@fieldbook.example") != id || w.okta.Find("/Groups", "displayName", "South") != team {
			t.Error("with the import off, a look-up does not work")
		}
		w.okta.Update(id, map[string]any{"title": "Lead"}) // other actions go on
		w.okta.PushAll(team, "South", id, other)
	})
	w.without(pushUsers, func() {
		w.okta.Refused(403, "", "POST", "/Users", pagetest.User("new@fieldbook.example", "N", "Ew", ""), "Push New Users")
		w.okta.Refused(403, "", "POST", "/Users", pagetest.User("new@fieldbook.example", "N", "Ew", ""), "Push New Users") // again, as clients do
		w.okta.Update(id, map[string]any{"title": "Head"})
	})
	w.without(pushGroups, func() {
		w.okta.Refused(403, "", "POST", "/Groups", `{"displayName":"West"}`, "Push Groups")
		w.okta.Refused(403, "", "PUT", "/Groups/"+team, `{"displayName":"South","members":[{"value":"`+id+`"},{"value":"`+other+`"},{"value":"1"}]}`, "Push Groups")
		w.okta.PushAll(team, "South", id) // a member leaves
		if got := w.okta.Want(200, "GET", "/Groups/"+team, "").Values("members", "value"); !slices.Equal(got, []string{id}) {
			t.Errorf("the members are %q, want %q", got, id)
		}
	})
	w.without(pushUpdates, func() {
		w.okta.Refused(403, "", "PUT", "/Users/"+id, `{"userName":"cleo@fieldbook.example","title":"Boss"}`, "Push Profile Updates")
		w.okta.Want(200, "PUT", "/Users/"+id, `{"userName":"other@fieldbook.example","title":"Boss","active":false}`)
		a := w.okta.Want(200, "GET", "/Users/"+id, "")
		if diff := cmp.Diff([]string{"cleo@fieldbook.example", "Head", "Cleo", "false"}, []string{a.String("userName"), a.String("title"), a.String("name.givenName"), a.String("active")}); diff != "" {
			t.Errorf("a deactivation while updates are off (-want +got):\n%s", diff)
		}
	})
	if _, status := w.LogIn("cleo@fieldbook.example"); status != http.StatusForbidden {
		t.Errorf("a deactivated person logs in: %d", status)
	}
	w.okta.Reassign(id)
}

// OK-3: Basic authentication.
func basic(t *testing.T, w *world) {
	if got := w.as(basicHeader(basicUser, w.secret)).Test(); got != http.StatusOK {
		t.Errorf("the right password: %d", got)
	}
	for _, wrong := range []string{basicHeader(basicUser, "wrong"), basicHeader("", w.secret), basicHeader("OKTA", w.secret), "Basic Og==", "Basic " + w.secret} {
		if got := w.as(wrong).Test(); got != http.StatusUnauthorized {
			t.Errorf("%s: %d, want 401", wrong, got)
		}
	}
	_, replaced := w.ada.Post("/secret", url.Values{})
	if got := w.as(basicHeader(basicUser, w.secret)).Test(); got != http.StatusUnauthorized {
		t.Errorf("the password from before its replacement: %d, want 401", got)
	}
	w.as(basicHeader(basicUser, replaced)).Assign("basic@fieldbook.example", "Bas", "Ic", "")
	w.without(basicMode, func() {
		if got := w.as(basicHeader(basicUser, replaced)).Test(); got != http.StatusUnauthorized {
			t.Errorf("with Basic off: %d, want 401", got)
		}
	})
}

// OK-4: HTTP Header.
func header(t *testing.T, w *world) {
	for _, right := range []string{"Bearer " + w.Token, w.Token, "bearer " + w.Token, "Bearer Bearer " + w.Token} {
		if got := w.as(right).Test(); got != http.StatusOK {
			t.Errorf("%.20s…: %d, want 200", right, got)
		}
	}
	_, made := w.ada.Post("/tokens/make", url.Values{"label": {"Okta"}})
	if got := w.as("Bearer " + made).Test(); got != http.StatusOK {
		t.Errorf("a token that the administrator made: %d, want 200", got)
	}
	w.without(headerMode, func() {
		if got := w.as("Bearer " + w.Token).Test(); got != http.StatusUnauthorized {
			t.Errorf("with the mode off: %d, want 401", got)
		}
	})
}

// OK-5: OAuth 2. Tokens of a real authorization server are tested in authserver.
func oauth(t *testing.T, w *world) {
	for _, c := range []struct {
		name   string
		change map[string]any
		want   int
	}{
		{"right", nil, 200},
		{"another audience", map[string]any{"aud": "https://other.example"}, 401},
		{"another issuer", map[string]any{"iss": "https://other.example"}, 401},
		{"expired", map[string]any{"exp": time.Now().Add(-2 * time.Minute).Unix()}, 401},
		{"without an end", map[string]any{"exp": nil}, 401},
		{"without the scope", map[string]any{"scope": "openid"}, 401},
	} {
		if got := w.as("Bearer " + w.server.sign(t, c.change)).Test(); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
	w.as("Bearer "+w.server.sign(t, nil)).Assign("oauth@fieldbook.example", "O", "Auth", "")
	w.without(oauthMode, func() {
		if got := w.as("Bearer " + w.server.sign(t, nil)).Test(); got != http.StatusUnauthorized {
			t.Errorf("with the mode off: %d, want 401", got)
		}
	})
	realServer(t, "OK-5")
}

// OK-6: an import is complete and has nobody twice, while others insert and update.
func importing(t *testing.T, w *world) {
	var before []string
	for i := range 90 {
		before = append(before, w.okta.Want(201, "POST", "/Users", fmt.Sprintf(`{"userName":"import%d@fieldbook.example"}`, i)).ID())
	}
	var isOver atomic.Bool
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := 0; !isOver.Load(); i++ {
			w.okta.Do("POST", "/Users", fmt.Sprintf(`{"userName":"meanwhile%d@fieldbook.example"}`, i))
			w.okta.Do("PUT", "/Users/"+before[i%len(before)], fmt.Sprintf(`{"userName":"import%d@fieldbook.example","title":"%d"}`, i%len(before), i))
		}
	}()
	defer func() { isOver.Store(true); <-done }()
	for _, by := range []string{"index", "cursor"} {
		var seen []string
		created, last := time.Time{}, 0
		for next := "startIndex=1"; next != ""; {
			if by == "cursor" && len(seen) == 0 {
				next = "cursor"
			}
			a := w.okta.Want(200, "GET", "/Users?count=20&"+next, "")
			page := a.Values("Resources", "id")
			for i := range page {
				at, err := time.Parse(time.RFC3339, a.String(fmt.Sprintf("Resources.%d.meta.created", i)))
				if err != nil || at.Before(created) {
					t.Errorf("by %s: %v follows %v (error %v): not in order of creation", by, at, created, err)
				}
				created = at
			}
			seen = append(seen, page...)
			next = ""
			if by == "cursor" && a.String("nextCursor") != "" {
				next = "cursor=" + url.QueryEscape(a.String("nextCursor"))
			}
			fmt.Sscan(a.String("totalResults"), &last) //nolint:errcheck // a number
			if by == "index" && len(seen) < last && len(seen) < 10_000 {
				next = fmt.Sprint("startIndex=", len(seen)+1)
			}
		}
		counts := map[string]int{}
		for _, id := range seen {
			if counts[id]++; counts[id] == 2 {
				t.Errorf("by %s: %s is there twice", by, id)
			}
		}
		for _, id := range before {
			if counts[id] != 1 {
				t.Errorf("by %s: %s is there %d times", by, id, counts[id])
			}
		}
		if len(seen) <= len(before) {
			t.Errorf("by %s: only %d", by, len(seen))
		}
	}
	groups := w.okta.Want(200, "GET", "/Groups?startIndex=1&count=100", "")
	if names := groups.Values("Resources", "displayName"); !slices.Contains(names, "North") {
		t.Errorf("the groups are %q, want the team from before SCIM among them", names)
	}
}

// OK-7: whichever field is the unique identifier is unique.
func unique(t *testing.T, w *world) {
	defer w.ada.Post("/choose", url.Values{"base": {"/scim/v2"}, "field": {"userName"}})
	for field, body := range map[string]string{
		"userName":     `{"userName":"UNO@fieldbook.example","externalId":"%d"}`,
		"externalId":   `{"userName":"uno%d@fieldbook.example","externalId":"uno"}`,
		"emails.value": `{"userName":"due%d@fieldbook.example","emails":[{"value":"Uno@mail.example"}]}`,
	} {
		w.ada.Post("/choose", url.Values{"base": {"/scim/v2"}, "field": {field}})
		text := func(i int) string { return strings.ReplaceAll(body, "%d", fmt.Sprint(field, i)) }
		first := w.okta.Want(201, "POST", "/Users", text(1)).ID()
		w.okta.Refused(409, "uniqueness", "POST", "/Users", text(2), field)
		other := w.okta.Want(201, "POST", "/Users", fmt.Sprintf(`{"userName":"tre-%s@fieldbook.example"}`, field)).ID()
		w.okta.Refused(409, "uniqueness", "PUT", "/Users/"+other, text(2), field)
		w.okta.Want(200, "PUT", "/Users/"+first, text(1)) // as it is
		answers := make(chan int, 2)
		for i := range 2 { // at the same time
			go func() {
				answers <- w.okta.Do("POST", "/Users", strings.NewReplacer("UNO", "dup", "uno", "dup", "Uno", "dup").Replace(text(3+i))).Status
			}()
		}
		if a, b := <-answers, <-answers; a+b != 201+409 {
			t.Errorf("%s: two at the same time are %d and %d, want 201 and 409", field, a, b)
		}
	}
}

// OK-8: a reactivation is a profile push.
func reactivation(t *testing.T, w *world) {
	id := w.okta.Assign("back@fieldbook.example", "Ba", "Ck", "")
	w.okta.Unassign(id)
	w.without(pushUpdates, func() { // Push New Users alone is on
		w.okta.Refused(403, "", "PUT", "/Users/"+id, pagetest.User("back@fieldbook.example", "Ba", "Ck", ""), "Push Profile Updates")
		w.okta.Refused(409, "uniqueness", "POST", "/Users", pagetest.User("back@fieldbook.example", "Ba", "Ck", ""))
	})
	if got := w.okta.Want(200, "GET", "/Users/"+id, "").String("active"); got != "false" {
		t.Errorf("active is %s after the refusals", got)
	}
	w.without(pushUsers, func() { w.okta.Reassign(id) })
	if _, status := w.LogIn("back@fieldbook.example"); status != http.StatusSeeOther {
		t.Errorf("somebody who is back cannot log in: %d", status)
	}
}

// OK-9: 401 with the challenge of each mode that is on.
func challenges(t *testing.T, w *world) {
	expired := w.server.sign(t, map[string]any{"exp": time.Now().Add(-time.Hour).Unix()})
	for _, credential := range []string{"", "Bearer wrong", "wrong", basicHeader(basicUser, "wrong"), "Bearer " + expired} {
		for _, c := range []struct {
			off  []string
			want string
		}{
			{nil, `Bearer realm="scim", Basic realm="scim", charset="UTF-8"`},
			{[]string{basicMode}, `Bearer realm="scim"`},
			{[]string{headerMode, oauthMode}, `Basic realm="scim", charset="UTF-8"`},
		} {
			for _, name := range c.off {
				w.set(name, false)
			}
			a := w.as(credential).Do("GET", "/Users?startIndex=1&count=2", "")
			for _, name := range c.off {
				w.set(name, true)
			}
			if a.Status != 401 || a.Header.Get("WWW-Authenticate") != c.want || a.String("status") != "401" || a.String("detail") == "" {
				t.Errorf("%q without %q: %d %q %s, want 401 %q", credential, c.off, a.Status, a.Header.Get("WWW-Authenticate"), a.Text, c.want)
			}
		}
	}
}

// OK-10: the refresh token is rotated at each use.
func refresh(t *testing.T, _ *world) { realServer(t, "OK-10") }

// realServer reports what Okta's part says against a real authorization server. It is in a module of its
// own, with its tests, which run once.
func realServer(t *testing.T, part string) {
	out := theirTests()
	if !strings.Contains(out, "--- PASS: TestOktaAIW/"+part+" ") {
		t.Errorf("%s against the real authorization server:\n%s", part, out)
	}
}

var theirTests = sync.OnceValue(func() string {
	c := exec.Command("go", "test", "-count=1", "-vet=off", "-run", "^TestOktaAIW$", "-v", ".")
	c.Dir = "authserver"
	c.Env = append(os.Environ(), "GOFLAGS=-mod=readonly", "GOWORK=off")
	out, err := c.CombinedOutput()
	if err != nil {
		return fmt.Sprintf("%v\n%s", err, out)
	}
	return string(out)
})

// Somebody whom Okta deactivates is out at the next click, and others see no page of administrators.
func pages(t *testing.T, w *world) {
	id := w.okta.Assign("eve@fieldbook.example", "Eve", "Fox", "")
	eve, status := w.LogIn("EVE@fieldbook.example")
	if status != http.StatusSeeOther {
		t.Fatalf("Eve cannot log in: %d", status)
	}
	w.okta.Push("East", id)
	if got := eve.Lines("/"); !slices.Equal(got, []string{"East"}) {
		t.Errorf("Eve sees %q", got)
	}
	w.okta.Refused(400, "invalidValue", "POST", "/Groups", `{"displayName":"West","members":[{"value":"nobody"}]}`, "nobody")
	for end := time.Now().Add(10 * time.Second); !strings.Contains(w.ada.Page("/provisioning/activity?f=failed"), "West"); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the administrator does not find the failed request")
		}
	}
	for _, path := range []string{"/people", "/settings", "/provisioning/", "/tokens"} {
		if got := eve.Status(path); got != http.StatusForbidden {
			t.Errorf("Eve sees %s: %d", path, got)
		}
	}
	if text, _, ok := eve.Try("/toggle", url.Values{"name": {basicMode}, "on": {"false"}}); ok {
		t.Errorf("Eve turns a switch: %s", text)
	}
	w.ada.Post("/join", url.Values{"person": {"ben@fieldbook.example"}, "team": {"East"}})
	for _, person := range []string{"nobody@fieldbook.example", "ben@fieldbook.example"} {
		if text, _, ok := w.ada.Try("/join", url.Values{"person": {person}, "team": {"East"}}); ok {
			t.Errorf("nobody was put into the team, and the page says %q", text)
		}
	}
	team := w.okta.Find("/Groups", "displayName", "East")
	w.okta.PushAll(team, "East", id)
	if got := w.okta.Want(200, "GET", "/Groups/"+team, "").Values("members", "value"); len(got) != 2 {
		t.Errorf("after a pushed list, members are %q: who was put in by hand should stay", got)
	}
	w.okta.Unassign(id)
	if got := eve.Status("/"); got != http.StatusSeeOther {
		t.Errorf("Eve was deactivated, and her next click is %d", got)
	}
}
