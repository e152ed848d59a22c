package conformance

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/internal/testhost"
)

// cursorConformance is RFC 9865.
var cursorConformance = []conformance{
	{ids: "9865-2-01 9865-2-02 9865-2-04 9865-2-05 9865-2-06 9865-2.2-01", name: "pages", reason: "the order is kept over pages, and the last says so by having no cursor", play: three + `
GET /Probes?cursor&count=2&sortBy=text&sortOrder=descending

>> 200

{"schemas": ["<Message>:ListResponse"], "totalResults": 3, "itemsPerPage": 2, "nextCursor": "${next:=}", "Resources": [{"id": "${zoe}"}, {"id": "${bob}"}]}

GET /Probes?cursor=${next}&count=2&sortBy=text&sortOrder=descending

>> 200

{"totalResults": 3, "itemsPerPage": 1, "nextCursor": "${absent}", "Resources": [{"id": "${anna}"}]}

GET /Probes?cursor=&count=3

>> 200

{"totalResults": 3, "nextCursor": "${absent}", "Resources": [{"id": "${anna}"}, {"id": "${bob}"}, {"id": "${zoe}"}]}
`},
	{ids: "9865-2-03", name: "characters", reason: "a cursor goes into an address as it is", play: three, test: func(t *testing.T, h http.Handler) {
		next, _ := testhost.Decode(t, testhost.Do(t, h, "GET", "/Probes?cursor&count=1", ""))["nextCursor"].(string)
		if !regexp.MustCompile(`^[A-Za-z0-9._~-]+$`).MatchString(next) {
			t.Errorf("cursor %q", next)
		}
	}},
	{ids: "9865-2-07 9865-2.1-01 9865-2.1-02 9865-2.1-04 9865-5-03 7644-3.12-04", name: "what is not valid", reason: "each has its type, and whatever is wrong with a cursor sounds alike", play: three + `
GET /Probes?cursor&count=1

>> 200

{"nextCursor": "${next:=}"}

GET /Probes?cursor=nonsense&count=1

>> 400

{"scimType": "invalidCursor", "detail": "${detail:=}"}

GET /Probes?cursor=${next}A&count=1

>> 400

{"scimType": "invalidCursor", "detail": "${detail}"}

GET /Probes?cursor=${next}&count=1&filter=text pr

>> 400

{"scimType": "invalidCursor", "detail": "${detail}"}

GET /Probes?cursor=${next}&count=1&sortBy=text

>> 400

{"scimType": "invalidCursor", "detail": "${detail}"}

GET /Users?cursor=${next}&count=1

>> 400

{"scimType": "invalidCursor", "detail": "${detail}"}

GET /Probes?cursor=${next}&count=2

>> 400

{"scimType": "invalidCount", "detail": "${re:count}"}
`},
	{ids: "9865-2.1-03", name: "expiry", change: func(c *scim.Config) {
		now := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
		c.Now = func() time.Time { now = now.Add(time.Minute); return now }
		c.Limits.CursorTime = time.Second
	}, reason: "a minute passes between requests, and cursors live for a second", play: three + `
GET /Probes?cursor&count=1

>> 200

{"nextCursor": "${next:=}"}

GET /Probes?cursor=${next}&count=1

>> 400

{"scimType": "expiredCursor", "detail": "${re:expired}"}
`},
	{ids: "9865-2.3-01 9865-2.3-02", name: "no method", reason: "index paging is the default, also where the page does not hold all", change: func(c *scim.Config) { c.Limits.PageSize = 2 }, play: three + `
GET /Probes

>> 200

{"totalResults": 3, "startIndex": 1, "itemsPerPage": 2, "nextCursor": "${absent}", "Resources": [{"id": "${anna}"}, {"id": "${bob}"}]}
`},
	{ids: "9865-3-01 9865-2-02", name: "search", reason: "the cursor is in the body", play: three + `
POST /Probes/.search

{"schemas": ["<Message>:SearchRequest"], "cursor": "", "count": 2}

>> 200

{"nextCursor": "${next:=}", "Resources": [{"id": "${anna}"}, {"id": "${bob}"}]}

POST /Probes/.search

{"schemas": ["<Message>:SearchRequest"], "cursor": "${next}", "count": 2}

>> 200

{"nextCursor": "${absent}", "Resources": [{"id": "${zoe}"}]}
`},
	{ids: "9865-4-04 7644-3.4.2.4-04", name: "large pages", reason: "no page is larger than the host allows, and a cursor costs the server no memory", change: func(c *scim.Config) { c.Limits.MaxPage = 2 }, play: three + `
GET /Probes?cursor&count=1000000

>> 200

{"totalResults": 3, "itemsPerPage": 2, "nextCursor": "${next:=}"}

GET /Probes?count=1000000

>> 200

{"totalResults": 3, "itemsPerPage": 2}
`},
	{ids: "9865-5-01 9865-5-04", name: "somebody else's cursor", change: twoClients, reason: "a cursor is bound to its client and its scopes", play: three, test: func(t *testing.T, h http.Handler) {
		next, _ := testhost.Decode(t, testhost.Do(t, h, "GET", "/Probes?cursor&count=1", ""))["nextCursor"].(string)
		for token, want := range map[string]int{testhost.Secret: 200, "same-client": 400, "other-client": 400} {
			res := testhost.Do(t, h, "GET", "/Probes?count=1&cursor="+url.QueryEscape(next), "", "Authorization: Bearer "+token)
			if res.StatusCode != want {
				t.Errorf("%s: %d, want %d", token, res.StatusCode, want)
			}
		}
	}},
	{ids: "9865-5-02", name: "access is judged on every page", reason: "a client whose rights end between two pages does not see the second", play: three,
		change: func(c *scim.Config) {
			pages := 0
			c.Allow = func(_ context.Context, a scim.Access) error {
				if a.Op != scim.OpList {
					return nil
				}
				if pages++; pages > 1 {
					return &scim.Error{Status: 403, Detail: "no more"}
				}
				return nil
			}
		}, test: func(t *testing.T, h http.Handler) {
			first := testhost.Decode(t, testhost.Do(t, h, "GET", "/Probes?cursor&count=1", ""))
			if len(first["Resources"].([]any)) != 1 {
				t.Errorf("first page: %v", first)
			}
			if res := testhost.Do(t, h, "GET", "/Probes?count=1&cursor="+first["nextCursor"].(string), ""); res.StatusCode != 403 {
				t.Errorf("second page: %d, want 403", res.StatusCode)
			}
		}},
}

// twoClients configures the usual client, the same client with other scopes, and another
// client.
func twoClients(c *scim.Config) {
	token := func(text, id string, scopes ...string) auth.Token {
		tok := auth.TokenOf(text)
		tok.ID, tok.Scopes = id, append(scopes, scim.ScopeUsers, "probes")
		return tok
	}
	c.Auth = auth.Bearer(token(testhost.Secret, "one", "read", "write"), token("same-client", "one", "read"), token("other-client", "two", "read", "write"))
	c.Allow = func(_ context.Context, a scim.Access) error {
		if a.Op != scim.OpGet && a.Op != scim.OpList && !strings.Contains(strings.Join(a.Principal.Scopes, " "), "write") {
			return &scim.Error{Status: 403, Detail: "this token may only read"}
		}
		return nil
	}
}
