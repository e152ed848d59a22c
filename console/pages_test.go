package console_test

import (
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth/tokens"
	"github.com/scimkit/scim/console"
	"github.com/scimkit/scim/journal"
)

var update = flag.Bool("update", false, "write the golden files")

var blankLines = regexp.MustCompile(`\n\s*\n`)

// golden compares the content of a page with a file.
func (w *world) golden(name, page string) {
	w.Helper()
	_, content, _ := strings.Cut(page, `<main id="main" tabindex="-1">`)
	content, _, ok := strings.Cut(content, "</main>")
	if !ok {
		w.Fatalf("no content in\n%s", page)
	}
	content = blankLines.ReplaceAllString(content, "\n")
	file := filepath.Join("testdata", name+".html")
	if *update {
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			w.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		w.Fatal(err)
	}
	if diff := cmp.Diff(string(want), content); diff != "" {
		w.Errorf("%s: %s", name, diff)
	}
}

func TestStanding(t *testing.T) {
	const okta = "client-1"
	known := journal.Detail{Client: okta, Label: "Okta"}
	for _, row := range []struct {
		name  string
		make  func(w *world)
		wants []string
	}{
		{"there is no token", func(*world) {}, []string{"Nothing is connected yet.", `href="./connection">make a token`, "dot warn"}},
		{"nothing has come", func(w *world) { w.issue("Okta") }, []string{"Waiting for the first request.", "enter the address and the token", "dot warn"}},
		{"the first request is refused", func(w *world) {
			w.issue("Okta")
			e := exchange("GET", 401, journal.Detail{Failure: &journal.Failure{Detail: "send valid credentials"}})
			e.Kind = journal.Refused
			w.entries.add(e)
		}, []string{"A client is calling, and is refused.", "Last try 2 minutes ago: the token is not known here.", "dot bad"}},
		{"all is well", func(w *world) {
			w.issue("Okta")
			w.entries.add(exchange("GET", 200, known))
		}, []string{"Okta is connected.", "Last request 2 minutes ago.", "dot good", "!Next:"}},
		{"the label is that of the token", func(w *world) {
			_, token := w.issue("Entra")
			w.entries.add(exchange("GET", 200, journal.Detail{Client: token.Client}))
		}, []string{"Entra is connected."}},
		{"its token was revoked", func(w *world) {
			_, token := w.issue("Okta")
			w.entries.add(exchange("GET", 200, known))
			if err := w.tokens.Tenant("").Revoke(w.Context(), token.ID); err != nil {
				w.Fatal(err)
			}
		}, []string{"No token is valid, so nobody can connect.", "make a new token", "dot bad"}},
		{"an old token is still used", func(w *world) {
			w.issue("Okta")
			w.entries.add(exchange("GET", 200, known))
			e := exchange("GET", 401, journal.Detail{Client: okta, Failure: &journal.Failure{Detail: "expired token"}})
			e.Kind = journal.Refused
			w.entries.add(e)
		}, []string{"Okta is connected.", "A request was refused 2 minutes ago: expired token.", "dot bad", "see why a request was refused"}},
		{"somebody unknown knocks while all is well", func(w *world) {
			w.issue("Okta")
			w.entries.add(exchange("GET", 200, known))
			e := exchange("GET", 401, journal.Detail{Failure: &journal.Failure{}})
			e.Kind = journal.Refused
			w.entries.add(e)
		}, []string{"dot good", "!A request was refused"}},
		{"somebody unknown knocks, and nobody else has come for an hour", func(w *world) {
			w.issue("Okta")
			e := exchange("GET", 200, known)
			e.Time = now.Add(-2 * time.Hour)
			w.entries.add(e)
			e = exchange("GET", 401, journal.Detail{Failure: &journal.Failure{}})
			e.Kind = journal.Refused
			w.entries.add(e)
		}, []string{"dot bad", "Last request 2 hours ago.", "A request was refused 2 minutes ago: the token is not known here."}},
		{"problems", func(w *world) {
			w.issue("Okta")
			w.entries.add(exchange("GET", 200, known))
			w.entries.problems = []journal.Problem{
				{Concerned: 2, Solved: 2, Actor: journal.Customer, Newest: "solved"}, {Concerned: 1, Actor: journal.Nobody, Newest: "nobody"},
				{Concerned: 1, Actor: journal.Customer, Newest: "p1"}, {Concerned: 3, Solved: 1, Actor: journal.Vendor, Newest: "p2"},
			}
		}, []string{"dot warn", "2 problems need you.", `href="./problems"`}},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld(t, "").start()
			row.make(w)
			w.wants(w.get(200, "/"), row.wants...)
		})
	}
}

// TestTokensElsewhere: an application that makes tokens by itself shows none here.
func TestTokensElsewhere(t *testing.T) {
	w := newWorld(t, "")
	w.noTokens = true
	w.start()
	w.wants(w.get(200, "/"), "Waiting for the first request.")
	w.wants(w.get(200, "/connection"), "https://app.example.com/scim/v2", "!Make a token", "!<h2>Tokens")
	for _, path := range []string{"/connection/tokens", "/connection/tokens/x/rotate", "/connection/tokens/x/revoke"} {
		w.post(404, path, url.Values{"label": {"x"}, "life": {"90"}, "overlap": {"0"}})
	}
}

func TestTokens(t *testing.T) {
	w := newWorld(t, "").start()
	page := w.post(200, "/connection/tokens", url.Values{"label": {" Okta <i> "}, "life": {"90"}})
	w.wants(page, "Copy it now", `<code id="secret">scim_`, "Okta &lt;i&gt;", "!<i>")
	first := w.list()[0]
	if first.Label != "Okta <i>" || first.Maker != "ann" || !first.Expires.Equal(now.Add(90*24*time.Hour)) {
		t.Errorf("the token is %+v", first)
	}
	w.wants(w.get(200, "/connection"), "!"+`id="secret"`, "never used", "made just now by ann", "valid, ends in 90 days")

	w.wants(w.post(200, "/connection/tokens/"+first.ID+"/rotate", url.Values{"overlap": {"24"}}), "Copy it now", "replaced, ends in 24 hours")
	w.wants(w.post(409, "/connection/tokens/"+first.ID+"/rotate", url.Values{"overlap": {"24"}}), "was replaced already")
	if list := w.list(); len(list) != 2 || list[0].ID == list[1].ID {
		t.Fatalf("the tokens are %+v", list)
	}
	answer := w.do(http.MethodPost, "/connection/tokens/"+first.ID+"/revoke", nil)
	if answer.Code != http.StatusSeeOther || answer.Header().Get("Location") != "../../../connection" {
		t.Errorf("to revoke is %d to %q", answer.Code, answer.Header().Get("Location"))
	}
	w.wants(w.get(200, "/connection"), "revoked just now")
	var want []console.Act
	for _, a := range []console.Act{{Kind: console.IssueToken}, {Kind: console.RotateToken}, {Kind: console.RotateToken, Err: tokens.ErrRotated}, {Kind: console.RevokeToken}} {
		a.At, a.Viewer, a.Object = now, "ann", first.ID
		want = append(want, a)
	}
	if diff := cmp.Diff(want, w.acts, cmp.Comparer(func(a, b error) bool { return errors.Is(a, b) })); diff != "" {
		t.Error(diff)
	}
	w.wants(w.log.String(), `level=INFO msg="scim console: issue token" viewer=ann`, `level=WARN msg="scim console: rotate token"`)
	w.golden("connection", fixed(w.get(200, "/connection"), w.list()))
}

// fixed replaces what is random in tokens.
func fixed(page string, list []tokens.Token) string {
	for i, t := range list {
		n := string(rune('0' + i))
		page = strings.NewReplacer(t.ID, "id-"+n, "…"+t.Last4, "…"+n).Replace(page)
	}
	return page
}

func TestTokenForms(t *testing.T) {
	w := newWorld(t, "").start()
	_, token := w.issue("Okta")
	if err := w.tokens.Tenant("").Revoke(t.Context(), token.ID); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name, path string
		form       url.Values
		status     int
		want       string
	}{
		{"without a label", "", url.Values{"life": {"90"}}, 400, "Give the token a name"},
		{"a label of spaces", "", url.Values{"label": {"  "}, "life": {"90"}}, 400, "Give the token a name"},
		{"a long label", "", url.Values{"label": {strings.Repeat("x", 201)}, "life": {"90"}}, 400, "Give the token a name"},
		{"a label with a control character", "", url.Values{"label": {"a\x1b[31m"}, "life": {"90"}}, 400, "Give the token a name"},
		{"a label that is not UTF-8", "", url.Values{"label": {"a\xff"}, "life": {"90"}}, 400, "Give the token a name"},
		{"another life", "", url.Values{"label": {"x"}, "life": {"1"}}, 400, "The form was not accepted"},
		{"a form that is too large", "", url.Values{"label": {strings.Repeat("x", 70_000)}, "life": {"90"}}, 400, "The form was not accepted"},
		{"another overlap", "/" + token.ID + "/rotate", url.Values{"overlap": {"2"}}, 400, "The form was not accepted"},
		{"a token that has ended", "/" + token.ID + "/rotate", url.Values{"overlap": {"0"}}, 409, "This token has ended"},
		{"an unknown token", "/x/rotate", url.Values{"overlap": {"0"}}, 404, "There is no such page"},
		{"an unknown token to revoke", "/x/revoke", nil, 404, "There is no such page"},
	} {
		t.Run(row.name, func(t *testing.T) {
			w.T = t
			w.wants(w.post(row.status, "/connection/tokens"+row.path, row.form), row.want)
			if n := len(w.list()); n != 1 {
				t.Errorf("there are %d tokens", n)
			}
		})
	}
}

// A viewer without rights reads all but bodies, and sees no button that would not work.
func TestReader(t *testing.T) {
	w := newWorld(t, "").start()
	w.viewer.May = console.May{}
	_, token := w.issue("Okta")
	e := exchange("POST", 201, journal.Detail{Client: token.Client})
	e.Request = &journal.Body{Text: `{"userName":"cas"}`, Size: 18}
	id := w.entries.add(e).ID
	w.wants(w.get(200, "/connection"), "Okta", "You may not make tokens", "!<form", "!Revoke")
	w.wants(w.get(200, "/activity/"+id), "which you may not read", "!<form", "!userName")
	for _, path := range []string{"/connection/tokens", "/connection/tokens/" + token.ID + "/rotate", "/connection/tokens/" + token.ID + "/revoke", "/activity/" + id + "/bodies"} {
		w.wants(w.post(403, path, url.Values{"label": {"x"}, "life": {"90"}, "overlap": {"0"}}), "You may not do this", "!userName")
	}
	if list := w.list(); len(list) != 1 || !list[0].IsValid(now) {
		t.Errorf("tokens %+v", list)
	}
	var tried []string
	for _, a := range w.acts {
		tried = append(tried, fmt.Sprint(a.Kind, " ", a.Err != nil))
	}
	if diff := cmp.Diff([]string{"issue token true", "rotate token true", "revoke token true", "read bodies true"}, tried); diff != "" {
		t.Error(diff)
	}
}

func TestActivity(t *testing.T) {
	w := newWorld(t, "").start()
	ref := scim.Ref{Type: "User", ID: "1"}
	touched := []journal.Touched{{Type: "User", ID: "1", Names: []string{"cas@example.com"}}, {Type: "Group", ID: "2", Names: []string{"Editors"}}}
	w.entries.add(exchange("GET", 200, journal.Detail{URL: "/scim/v2/Users?filter=x", Client: "c1", Touched: touched}))
	w.entries.add(exchange("POST", 409, journal.Detail{URL: "/scim/v2/Users", Touched: touched, Failure: &journal.Failure{Type: "uniqueness", Detail: "userName is taken"}}))
	e := exchange("PATCH", 200, journal.Detail{URL: "/scim/v2/Users/1", Touched: touched,
		Changes: []journal.Change{{Op: scim.OpPatch, Type: "User", ID: "1", Attributes: []journal.AttributeChange{{Path: "active", Old: "true", New: "false"}}}},
		Events:  []journal.Event{{Kind: scim.UserDeactivated, Resource: ref}, {Kind: scim.RoleRevoked, Resource: ref, Role: "Editor"}, {Kind: scim.ToleranceUsed, Tolerance: "op-case"}}})
	e.Events = []scim.EventKind{scim.UserDeactivated, scim.RoleRevoked}
	e.Time = now.Add(-25 * time.Hour)
	w.entries.add(e)
	group := exchange("PATCH", 204, journal.Detail{URL: "/scim/v2/Groups/2", Touched: touched,
		Events: []journal.Event{{Kind: scim.MemberAdded, Resource: scim.Ref{Type: "Group", ID: "2"}, Member: ref}, {Kind: scim.RoleGranted, Resource: ref, Role: "Editor"}}})
	group.Type = "Group"
	w.entries.add(group)
	refused := exchange("GET", 401, journal.Detail{Client: "c9", Failure: &journal.Failure{Detail: "revoked token"}})
	refused.Kind = journal.Refused
	w.entries.add(refused)
	w.entries.add(journal.Entry{Head: journal.Head{Kind: journal.Gap}, Detail: &journal.Detail{Gap: &journal.Missing{Reason: "the queue was full"}}})
	w.entries.add(journal.Entry{Head: journal.Head{Method: "PUT", Status: 200, Type: "User"}, Unreadable: journal.KeyGone})

	all := w.get(200, "/activity")
	w.golden("activity", all)
	for _, row := range []struct {
		name, query string
		wants       []string
	}{
		{"failed", "?f=failed", []string{"userName is taken", "revoked token", "!active true", "!Look up", "!queue was full"}},
		{"changes", "?f=changes", []string{"Deactivate", "Create person", "Update group", "!Look up person"}},
		{"look-ups", "?f=reads", []string{"Look up person", "!Create person"}},
		{"refused", "?f=refused", []string{"revoked token", "!Create person"}},
		{"a person", "?q=cas@example.com", []string{"Create person", "Look up person", `value="cas@example.com"`, "!revoked token"}},
		{"a group", "?q=Editors", []string{"Update group"}},
		{"a request", "?q=r1", []string{"Update group", "!queue was full"}},
		{"nobody", "?q=nobody", []string{"Nothing fits", "Write a whole name", "!Update group"}},
		{"a client", "?client=c1", []string{"Look up person", "!Create person"}},
		{"a day", "?from=2026-01-30&to=2026-01-30", []string{"Deactivate", "!Create person", `value="2026-01-30"`}},
		{"no day", "?from=yesterday", []string{"Not understood: yesterday", "Create person"}},
		{"filters keep the search", "?f=failed&q=cas%26x&client=c1", []string{`href="?client=c1&amp;f=changes&amp;q=cas%26x"`}},
		{"an unknown filter", "?f=nothing", []string{"Create person"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			w.T = t
			w.wants(w.get(200, "/activity"+row.query), row.wants...)
		})
	}
	if got := w.get(200, "/activity/newest"); got != w.entries.all[0].ID {
		t.Errorf("the newest is %q", got)
	}
}

// Pages show each entry once, with every filter and search.
func TestPages(t *testing.T) {
	w := newWorld(t, "").start()
	for i := range 450 {
		e := exchange([]string{"GET", "POST", "GET"}[i%3], 200, journal.Detail{URL: "/scim/v2/Users/1"})
		e.ID = "e" + string([]rune{rune('a' + i/26), rune('a' + i%26)})
		if i%2 == 0 {
			e.Detail.Touched = []journal.Touched{{Type: "User", ID: "x"}}
		}
		if i%5 == 0 {
			e.Detail.Touched = append(e.Detail.Touched, journal.Touched{Type: "Group", ID: "x"})
		}
		w.entries.add(e)
	}
	for _, row := range []struct {
		query string
		want  int
	}{{"?", 450}, {"?f=changes", 150}, {"?f=reads", 300}, {"?q=x", 270}, {"?q=x&f=changes", 90}} {
		seen := map[string]int{}
		pages := 0
		for query := row.query; ; pages++ {
			page := w.get(200, "/activity"+query)
			for _, part := range strings.Split(page, `<td><a href="./activity/`)[1:] {
				id, _, _ := strings.Cut(part, `"`)
				seen[id]++
			}
			before, _, ok := strings.Cut(page, `" rel="next">Older`)
			if !ok {
				break
			}
			query = strings.ReplaceAll(before[strings.LastIndex(before, `"`)+1:], "&amp;", "&")
		}
		twice := 0
		for _, n := range seen {
			if n > 1 {
				twice++
			}
		}
		if len(seen) != row.want || twice > 0 || pages > 20 {
			t.Errorf("%s: %d entries on %d pages, %d of them twice; want %d", row.query, len(seen), pages, twice, row.want)
		}
	}
}

func TestEntry(t *testing.T) {
	w := newWorld(t, "").start()
	e := exchange("PUT", 409, journal.Detail{
		URL: "/scim/v2/Users/1?x='y'", Client: "c1", Label: "Okta", Address: "192.0.2.1", Duration: 14 * time.Millisecond,
		RequestHeader: []journal.Field{{Name: "Content-Type", Value: "application/scim+json"}, {Name: "Authorization", Value: "[not shown]"}},
		Failure:       &journal.Failure{Type: "uniqueness", Detail: `userName is taken: another resource has this value`},
		Touched:       []journal.Touched{{Type: "User", ID: "1", Names: []string{"cas@example.com"}}},
		Changes:       []journal.Change{{Op: scim.OpReplace, Type: "User", ID: "1", Attributes: []journal.AttributeChange{{Path: "title", New: `"boss"`}}}},
		Events:        []journal.Event{{Kind: scim.ToleranceUsed, Tolerance: "op-case", Path: "op"}},
	})
	e.RequestSize = 30
	e.Request = &journal.Body{Text: `{"userName":"it's \"cas\"","password":"[redacted]","a":[true,1]}`, Size: 30}
	e.Response = &journal.Body{Size: 99, Note: journal.TooLong, Text: `{"detail":"user`}
	id := w.entries.add(e).ID
	w.golden("entry", w.get(200, "/activity/"+id))
	if len(w.acts) != 0 {
		t.Errorf("a look without bodies is an act: %+v", w.acts)
	}
	w.golden("bodies", w.post(200, "/activity/"+id+"/bodies", nil))
	want := []console.Act{{At: now, Viewer: "ann", Kind: console.ReadBodies, Object: id}}
	if diff := cmp.Diff(want, w.acts); diff != "" {
		t.Error(diff)
	}
	support := w.get(200, "/activity/"+id)
	_, support, _ = strings.Cut(support, `id="support">`)
	support, _, _ = strings.Cut(support, "</pre>")
	w.wants(support, "answer: 409", "error: uniqueness", "tolerance: op-case", "!cas@", "!192.0.2.1", "!boss", "!Okta", "!Users/1")
}

// A bulk request succeeds although a part of it fails.
func TestBulk(t *testing.T) {
	w := newWorld(t, "").start()
	e := exchange("POST", 200, journal.Detail{URL: "/scim/v2/Bulk", Operations: []journal.FailedOperation{
		{Method: "POST", Status: 409, Failure: journal.Failure{Type: "uniqueness", Detail: "userName is taken"}, Resource: journal.Touched{Type: "User", Names: []string{"cas"}}},
	}})
	e.Type = ""
	id := w.entries.add(e).ID
	w.wants(w.get(200, "/activity?f=failed"), "Several changes at once", "1 operation failed")
	w.wants(w.get(200, "/activity/"+id), "1 operation of it failed", "POST cas: <b>userName is taken</b>", "Somebody has this value already", "Whoever administers the identity provider")
}

func TestEntriesWithoutContent(t *testing.T) {
	w := newWorld(t, "").start()
	for _, why := range []string{journal.KeyGone, journal.Erased, journal.Damaged} {
		id := w.entries.add(journal.Entry{Head: journal.Head{Method: "PUT", Status: 200, Type: "User", RequestID: "r9"}, Unreadable: why}).ID
		w.wants(w.get(200, "/activity/"+id), why, "r9", "Update person", "!curl", "!<form")
		w.wants(w.get(200, "/activity"), why)
	}
	gap := w.entries.add(journal.Entry{Head: journal.Head{Kind: journal.Gap}, Detail: &journal.Detail{Gap: &journal.Missing{From: now, To: now, Entries: 3, Reason: "the queue was full"}}}).ID
	w.wants(w.get(200, "/activity/"+gap), "3 entries are missing: the queue was full")
}

// A journal that is down or slow leaves out a part of a page, and the page says so.
func TestJournalIsDown(t *testing.T) {
	for _, row := range []struct {
		name   string
		break_ func(s *entries)
		want   string
	}{
		{"down", func(s *entries) { s.err = errors.New("secret: no such host") }, "The journal cannot be read now"},
		{"slow", func(s *entries) { s.isSlow = true }, "The journal did not answer in time"},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld(t, "")
			if row.name == "slow" {
				w.timeout = 20 * time.Millisecond
			}
			w.start()
			w.issue("Okta")
			id := w.entries.add(exchange("GET", 200, journal.Detail{})).ID
			row.break_(w.entries)
			w.wants(w.get(200, "/"), row.want, "Provisioning goes on", "!secret")
			w.wants(w.get(503, "/activity"), row.want, "Search", "!secret", "!Nothing has come")
			w.wants(w.get(200, "/connection"), row.want, "Okta", "https://app.example.com/scim/v2")
			w.wants(w.get(503, "/activity/"+id), "not available now", "!secret")
			w.post(503, "/activity/"+id+"/bodies", nil)
			w.get(503, "/activity/newest")
			if len(w.acts) != 1 || w.acts[0].Kind != console.ReadBodies || w.acts[0].Err == nil {
				t.Errorf("acts %+v", w.acts)
			}
			w.wants(w.post(200, "/connection/tokens", url.Values{"label": {"Entra"}, "life": {"90"}}), `id="secret"`)
		})
	}
}
