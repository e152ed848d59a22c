package console_test

import (
	"net/http"
	"net/url"
	"os/exec"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth/tokens"
	"github.com/scimkit/scim/console"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/journal"
)

// evil is what a client may put into each text that it sets.
const evil = "\"' onfocus=x7 <b id=x7>{{.}}\r\nSet-Cookie: x7\x1b[31m\u202egro\u2028\x00`"

// isClean reports what a page must not have, whatever a client has sent.
func isClean(t *testing.T, where, page string) {
	t.Helper()
	for _, text := range []string{"<b id=x7", `"' onfocus`, `" onfocus`, `' onfocus`} {
		if strings.Contains(page, text) {
			t.Errorf("%s has %q", where, text)
		}
	}
	if i := strings.IndexFunc(page, func(c rune) bool {
		return c != '\n' && c != '\t' && (unicode.IsControl(c) || c == '\u202e' || c == '\u2028')
	}); i >= 0 {
		t.Errorf("%s has a control character behind %q", where, page[max(0, i-40):i])
	}
	if !strings.Contains(page, "x7") {
		t.Errorf("%s does not show what the client has sent", where)
	}
}

func TestHostileTexts(t *testing.T) {
	w := newWorld(t, "", "t").start()
	ref := scim.Ref{Type: evil, ID: evil}
	e := journal.Entry{
		Head: journal.Head{ID: "x1", Kind: journal.Exchange, Method: "PATCH", Status: 409, Type: evil, RequestID: evil, Time: now, Events: []scim.EventKind{evil}, RequestSize: 1},
		Detail: &journal.Detail{Client: evil, Label: evil, Address: evil, URL: "/" + evil,
			RequestHeader: []journal.Field{{Name: evil, Value: evil}}, ResponseHeader: []journal.Field{{Name: evil, Value: evil}},
			Failure:    &journal.Failure{Type: evil, Detail: evil},
			Touched:    []journal.Touched{{Type: evil, ID: evil, Names: []string{evil}}},
			Operations: []journal.FailedOperation{{Method: evil, Status: 400, Failure: journal.Failure{Detail: evil}, Resource: journal.Touched{Type: evil, ID: evil}}},
			Changes:    []journal.Change{{Op: scim.OpPatch, Type: evil, ID: evil, Attributes: []journal.AttributeChange{{Path: evil, Old: evil, New: evil}}}},
			Events:     []journal.Event{{Kind: scim.RoleGranted, Resource: ref, Role: evil}, {Kind: evil, Resource: ref, Member: ref, Role: evil, Reason: evil, Tolerance: evil, Path: evil}},
		},
		Request: &journal.Body{Text: `{"` + evil + `": "` + evil + `"`}, Response: &journal.Body{Text: evil, Note: evil},
	}
	w.entries.add(e)
	e.ID, e.Status, e.Detail = "x2", 200, &journal.Detail{URL: "/" + evil, Changes: e.Detail.Changes, Events: e.Detail.Events, Touched: e.Detail.Touched}
	w.entries.add(e)
	e.ID, e.Kind, e.Detail = "x3", journal.Gap, &journal.Detail{Gap: &journal.Missing{Reason: evil}}
	w.entries.add(e)
	if _, _, err := w.tokens.Tenant("").Issue(t.Context(), tokens.Request{Label: strings.ReplaceAll(evil, "\x00", ""), Maker: strings.ReplaceAll(evil, "\x00", "")}); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/activity", "/connection", "/activity/x1", "/activity/x2", "/activity/x3", "/activity?" + url.Values{"q": {evil}, "f": {evil}, "from": {evil}, "to": {evil}, "client": {evil}, "after": {"y"}}.Encode()} {
		isClean(t, path, w.get(200, path))
	}
	for _, id := range []string{"x1", "x2"} {
		isClean(t, "bodies of "+id, w.post(200, "/activity/"+id+"/bodies", nil))
	}
	w.viewer.ID = evil
	isClean(t, "a label that is refused", w.post(400, "/connection/tokens", url.Values{"label": {evil}, "life": {"90"}}))
	w.viewer.Tenants = []string{"", evil}
	isClean(t, "tenants", w.get(200, "/"))
	if strings.ContainsAny(w.log.String(), "\x1b\r\x00") {
		t.Errorf("the log has a control character: %q", w.log.String())
	}
}

// A body of the largest size is shown, and the page stays of its size.
func TestLargeBodies(t *testing.T) {
	w, most := newWorld(t, "").start(), 5*time.Second
	if testhost.UnderRace {
		most *= 10
	}
	for _, text := range []string{strings.Repeat(`{"a":`, 200_000), `{"a":"` + strings.Repeat("<", 1<<20) + `"}`, strings.Repeat(`"`, 1<<20), strings.Repeat(`[`, 9_000) + strings.Repeat(`]`, 9_000)} {
		e := exchange("POST", 201, journal.Detail{URL: "/Users"})
		e.Request = &journal.Body{Text: text, Size: int64(len(text))}
		id := w.entries.add(e).ID
		begun := time.Now()
		page := w.post(200, "/activity/"+id+"/bodies", nil)
		if took := time.Since(begun); took > most || len(page) > 16<<20 {
			t.Errorf("%q: %v, %d bytes", text[:10], took, len(page))
		}
	}
}

// What curlOf writes is for bash what the client has sent, and a terminal has nothing to obey.
func TestCurl(t *testing.T) {
	texts := []string{"plain", "it's", `a "b" \ $HOME $(id) ` + "`id`", "!x", "a\nb", "\x1b[31m", "tab\t", "ä\u202e€", "", `\x41`, "'", "@file", "-x"}
	for _, text := range texts {
		word := console.Quote(text)
		if strings.ContainsFunc(word, unicode.IsControl) {
			t.Errorf("%q has a control character", word)
		}
		cmd := exec.CommandContext(t.Context(), "bash", "-c", "printf %s "+word)
		cmd.Env = []string{"LC_ALL=C.UTF-8"}
		out, err := cmd.Output()
		if err != nil || string(out) != text {
			t.Errorf("%s: bash reads %q, error %v, want %q", word, out, err, text)
		}
	}
	for _, row := range []struct{ name, url, address, want string }{
		{"a path", "/scim/v2/Users?a=b", "https://app.example.com/scim/v2", "'https://app.example.com/scim/v2/Users?a=b'"},
		{"a whole address: the token must not go there", "http://evil.example.com/Users", "https://app.example.com/scim/v2", "'https://app.example.com/'"},
		{"a host behind the host", "@evil.example.com/", "https://app.example.com/scim/v2", "'https://app.example.com/'"},
		{"no address", "/Users", "", "'https://YOUR-HOST/Users'"},
	} {
		e := exchange(http.MethodGet, 200, journal.Detail{URL: row.url})
		want := "curl -g -X GET " + row.want + " \\\n  -H \"Authorization: Bearer $SCIM_TOKEN\""
		if got := console.CurlOf(&e, row.address, true); got != want {
			t.Errorf("%s: %s, want %s", row.name, got, want)
		}
	}
}
