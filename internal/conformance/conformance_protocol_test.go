package conformance

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/store/memory"
)

// protocolConformance is the rest of RFC 7644: addresses, authentication, formats,
// errors, versions, /Me and security.
var protocolConformance = []conformance{
	{ids: "7644-1.3-01", name: "base address", reason: "a query part would end up in the middle of every address", test: func(t *testing.T, _ http.Handler) {
		for _, base := range []string{"https://x.test/scim/v2?tenant=1", "https://x.test/scim/v2#top"} {
			if _, err := scim.New(scim.Config{Store: memory.New(), Auth: auth.None(), BaseURL: base}); err == nil || !strings.Contains(err.Error(), "BaseURL") {
				t.Errorf("%s: error %v", base, err)
			}
		}
	}},
	{ids: "7644-2-01 7644-3.2-01 7644-3.12-01 7644-3.12-02 7644-3.12-03", name: "401", reason: "it says how to authenticate", play: `
GET /Users
Authorization: ${absent}

>> 401
WWW-Authenticate: ${re:^Bearer}

{"schemas": ["<Message>:Error"], "status": "401"}
`},
	{ids: "7644-2-02 7644-2-03 7644-2.1-01 7644-3.12-03", name: "authorisation", change: twoClients, reason: "who asks and what for decide, reads and writes alike", play: `
POST /Users
Authorization: Bearer same-client

{"schemas": ["<User>"], "userName": "a"}

>> 403

{"status": "403"}

GET /Users
Authorization: Bearer same-client

>> 200

POST /Users

{"schemas": ["<User>"], "userName": "a"}

>> 201
`},
	{ids: "7644-7.4-03", name: "tokens end", change: func(c *scim.Config) {
		tok := auth.TokenOf("old")
		tok.Expires = time.Now().Add(-time.Second)
		c.Auth = auth.Bearer(tok, auth.TokenOf(testhost.Secret))
	}, reason: "after its time a token is none", play: `
GET /Users
Authorization: Bearer old

>> 401

GET /Users

>> 200
`},
	{ids: "7644-3.1-01", name: "bodies without schemas", change: strict, reason: "strictly refused; by default the address says what the body is (Q3)", play: `
POST /Users

{"userName": "a"}

>> 400

{"scimType": "invalidSyntax", "detail": "${re:schemas}"}

POST /Users

{"schemas": ["<User>"], "userName": "a"}

>> 201
`},
	{ids: "7644-3.1-02 7644-3.2-01 7644-3.12-01 7644-3.12-02 7644-3.12-03", name: "messages and errors", reason: "lists and errors are marked, and the body repeats the status", play: `
GET /Users

>> 200

{"schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"]}

GET /Users/nobody

>> 404

{"schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"], "status": "404", "detail": "${*}"}

GET /Nothing

>> 404

{"status": "404"}

DELETE /Users

>> 405

{"status": "405"}
`},
	{ids: "7644-3.12-03", name: "500", change: func(c *scim.Config) {
		c.Store = &faulty{memory.New(), func() error { return errors.New("dial tcp 10.0.0.1") }}
	},
		reason: "what went wrong inside stays inside", play: `
GET /Users/1

>> 500

{"status": "500", "detail": "${re:^[a-z ]+$}"}
`},
	{ids: "7644-3.12-04", name: "types of 400", reason: "each mistake has the type of table 9; uniqueness, tooMany, noTarget and mutability have cases of their own", play: `
POST /Users

{"schemas": ["<User>"], "userName": 

>> 400

{"scimType": "invalidSyntax"}

POST /Users

{"schemas": ["<User>"], "userName": 5}

>> 400

{"scimType": "invalidValue"}

GET /Users?filter=userName gl "x"

>> 400

{"scimType": "invalidFilter"}

GET /Users?sortBy=nope

>> 400

{"scimType": "invalidPath"}
`},
	{ids: "7644-3.8-01 7644-3.8-02 7644-3.8-03 7644-3.8-04 7644-8.1-01", name: "formats", reason: "JSON in UTF-8 both ways, under both names", play: `
POST /Users
Content-Type: application/json
Accept: application/json

{"schemas": ["<User>"], "userName": "Zoë \ud83d\ude00"}

>> 201
Content-Type: ${re:^application/scim\+json}

{"userName": "Zoë \ud83d\ude00"}

GET /Users
Accept: application/scim+json

>> 200
Content-Type: application/scim+json

GET /Users
Accept: ${absent}

>> 200
Content-Type: application/scim+json

GET /Users
Accept: text/xml

>> 406
`, test: func(t *testing.T, h http.Handler) {
		if res := testhost.Do(t, h, "POST", "/Users", "{\"userName\":\"\xe9\"}"); res.StatusCode != 400 {
			t.Errorf("a body in Latin-1: %d", res.StatusCode)
		}
		b, err := io.ReadAll(testhost.Do(t, h, "GET", "/Users", "").Body)
		if err != nil || !bytes.Contains(b, []byte("Zoë \U0001F600")) {
			t.Errorf("not UTF-8: %s (%v)", b, err)
		}
	}},
	{ids: "7644-3.11-01 7644-3.12-03", name: "no /Me", reason: "501, so that nobody takes it for a missing user", play: `
GET /Me

>> 501

{"status": "501"}
`},
	{ids: "7644-3.11-02", name: "/Me", change: func(c *scim.Config) {
		c.NewID = func() string { return "me" }
		c.Me = &scim.SelfService{UserOf: func(context.Context, scim.Principal) (string, error) { return "me", nil }, Writable: []string{"nickName"}}
	}, reason: "an alias, which says of whom", play: `
POST /Users

{"schemas": ["<User>"], "userName": "a"}

>> 201

GET /Me

>> 200
Location: ${base}/Users/me

{"id": "me", "meta": {"location": "${base}/Users/me"}}

PATCH /Me

{"schemas": ["<Message>:PatchOp"], "Operations": [{"op": "add", "path": "nickName", "value": "x"}]}

>> 200
Location: ${base}/Users/me

{"nickName": "x"}
`},
	{ids: "7644-3.13-02", name: "no version in the address", reason: "the prefix is the host's choice", test: func(t *testing.T, h http.Handler) {
		for _, prefix := range []string{"", "/scim", "/scim/v2"} {
			w := httptest.NewRecorder()
			r := httptest.NewRequest("GET", prefix+"/Users", nil)
			r.Header.Set("Authorization", "Bearer "+testhost.Secret)
			h.ServeHTTP(w, r)
			if w.Code != 200 {
				t.Errorf("%s: %d", prefix, w.Code)
			}
		}
	}},
	{ids: "7644-3.14-01 7644-3.14-02 7644-3.14-03 7644-3.14-04 7644-3.12-05 7644-3.12-03", name: "versions", reason: "reading what is known costs nothing, and nobody overwrites what he has not seen", play: `
POST /Users

{"schemas": ["<User>"], "userName": "a"}

>> 201
ETag: ${one}

{"id": "${a:=}", "meta": {"version": "${one:=}"}}

GET /Users/${a}
If-None-Match: ${one}

>> 304

PUT /Users/${a}
If-Match: ${one}

{"schemas": ["<User>"], "userName": "a", "title": "x"}

>> 200
ETag: ${two}

{"meta": {"version": "${two:=}"}}

GET /Users/${a}
If-None-Match: ${one}

>> 200
ETag: ${two}

PUT /Users/${a}
If-Match: ${one}

{"schemas": ["<User>"], "userName": "a", "title": "y"}

>> 412

{"status": "412"}

PATCH /Users/${a}
If-Match: ${one}

{"schemas": ["<Message>:PatchOp"], "Operations": [{"op": "remove", "path": "title"}]}

>> 412

DELETE /Users/${a}
If-Match: ${one}

>> 412

GET /Users/${a}

>> 200

{"title": "x"}

DELETE /Users/${a}
If-Match: ${two}

>> 204
`},
	{ids: "7644-7.7-01", name: "injection", reason: "what a client sends is data, in filters as in values", play: `
POST /Users

{"schemas": ["<User>"], "userName": "Robert'); DROP TABLE users;--", "title": "<script>\u0007</script>"}

>> 201

{"userName": "Robert'); DROP TABLE users;--", "title": "<script>\u0007</script>"}

POST /Users

{"schemas": ["<User>"], "userName": "a\u0000b"}

>> 400

{"scimType": "invalidValue"}
` + counts("/Users", `userName eq "Robert'); DROP TABLE users;--"`, 1, `userName eq "' or ''='"`, 0, `userName co "%"`, 0, `userName sw "_obert"`, 0)},
	{ids: "7644-7.7-02 7643-9.3-01", name: "secrets and personal data", reason: "the store never sees a password, and the log never sees what a filter asks for", test: func(t *testing.T, _ http.Handler) {
		var log bytes.Buffer
		s := memory.New()
		h := conformanceHandler(t, s, func(c *scim.Config) {
			c.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		})
		id := testhost.Create(t, h, "/Users", `{"userName":"ann@x.test","password":"pass-word-1"}`)
		testhost.Do(t, h, "GET", "/Users?filter=userName+eq+%22ann@x.test%22", "")
		testhost.Do(t, h, "GET", "/Users?filter=userName+eq+%22ann@x.test%22&sortBy=nope", "")
		r, err := s.Get(t.Context(), scim.Ref{Type: "User", ID: id})
		if err != nil {
			t.Fatal(err)
		}
		b, err := r.MarshalJSON()
		if err != nil || !bytes.Contains(b, []byte("ann@x.test")) || bytes.Contains(b, []byte("pass-word-1")) {
			t.Errorf("stored: %s (%v)", b, err)
		}
		for _, word := range []string{"pass-word-1", "ann@x.test", testhost.Secret} {
			if strings.Contains(log.String(), word) {
				t.Errorf("%q is in the log:\n%s", word, &log)
			}
		}
	}},
}
