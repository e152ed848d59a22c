package conformance

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/store/memory"
)

// between separates the requests of one conversation in FuzzRoutes.
const between = "\n%%\n"

// routeSeeds are conversations of valid requests. A request is a request line, header
// lines, an empty line and a body. "{id}" and "{cursor}" stand for "id" and "nextCursor" of
// the previous answer.
var routeSeeds = []string{
	"GET /ServiceProviderConfig\n\n", "GET /ResourceTypes/User\n\n",
	"GET /Schemas/urn:ietf:params:scim:schemas:core:2.0:User\nAccept: application/json;q=0.9\n\n",
	"GET /Users?startIndex=1&count=2&sortBy=name.familyName&sortOrder=descending\n\n" + between + "GET /Users?attributes=userName,emails.value\n\n",
	`GET /Users?filter=userName+eq+%22A%40example.com%22+and+not+(emails%5Btype+eq+%22work%22%5D.value+co+%22x%22+or+meta.created+gt+%222020-01-01T00:00:00Z%22)` + "\n\n",
	`GET /Groups?filter=id+eq+%22g1%22+and+members+eq+%22u1%22&excludedAttributes=members` + "\n\n",
	"GET /Users?cursor=&count=1\n\n" + between + "GET /Users?cursor={cursor}&count=1\n\n",
	"GET /?filter=meta.resourceType+eq+%22Group%22\n\n", "GET /Me\n\n", "HEAD /Users/u1\n\n", "DELETE /Groups/g1\n\n", "DELETE /Users/u1\n\n",
	"POST /.search\n\n" + `{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],"filter":"displayName sw \"smi\"","attributes":["displayName"],"startIndex":1,"count":10}`,
	"POST /Users/.search\n\n" + `{"sortBy":"userName","cursor":"","count":1}`,
	"POST /Users\nContent-Type: application/scim+json\n\n" + `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"c@example.com","name":{"familyName":"C"},` +
		`"emails":[{"value":"c@example.com","type":"work","primary":true}],"password":"t0p","active":true}` + between +
		"PUT /Users/{id}\nIf-Match: *\n\n" + `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"d@example.com","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"x","manager":{"value":"u1"}}}`,
	"PATCH /Users/u1\n\n" + `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"Replace","path":"emails[type eq \"work\"].value","value":"n@example.com"},` +
		`{"op":"add","value":{"name.givenName":"N","active":"False"}},{"op":"remove","path":"title"}]}`,
	"PATCH /Groups/g1\n\n" + `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"add","path":"members","value":[{"value":"u2"}]},{"op":"remove","path":"members[value eq \"u1\"]"},` +
		`{"op":"replace","path":"displayName","value":"Editor"}]}` + between + "GET /Groups/g1\nIf-None-Match: W/\"x\"\n\n",
	"POST /Groups\n\n" + `{"displayName":"Viewer","members":[{"value":"u1"},{"value":"g1","type":"Group"}]}` + between + "PUT /Groups/{id}\n\n" + `{"displayName":"Viewer","members":[]}`,
	"POST /Bulk\n\n" + `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"failOnErrors":1,"Operations":[{"method":"POST","path":"/Users","bulkId":"q","data":{"userName":"q@example.com"}},` +
		`{"method":"POST","path":"/Groups","bulkId":"g","data":{"displayName":"Admin","members":[{"value":"bulkId:q"}]}},{"method":"DELETE","path":"/Users/u2"}]}`,
}

// routeHandlers make handlers with the same data, over the store with every capability and
// over the smallest one.
var routeHandlers = map[string]func(c *scim.Config){
	"memory": func(c *scim.Config) { c.Store = memory.New(memory.Now(c.Now)) },
	"bare":   func(c *scim.Config) { c.Store, c.Roles.Ledger = testhost.NewBareStore(), memory.NewLedger() },
}

// seededHandler makes a handler with the users u1 and u2 and the group g1, which has u1 and
// gives a role. Its clock and its ids repeat in each run.
func seededHandler(t testing.TB, change func(c *scim.Config)) *scim.Handler {
	t.Helper()
	n, ids := 0, []string{"u1", "u2", "g1"}
	c := scim.Config{
		Auth: auth.None(), Roles: &scim.Roles{Resolver: testhost.NewRoles(), Separate: true},
		CursorKeys: [][]byte{[]byte("not a real key, for tests only")},
		Me:         &scim.SelfService{UserOf: func(context.Context, scim.Principal) (string, error) { return "u1", nil }, Writable: []string{"nickName", "phoneNumbers"}},
		Now: func() time.Time {
			n++
			return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).Add(time.Duration(n) * time.Second)
		},
		NewID: func() string {
			if len(ids) > 0 {
				id := ids[0]
				ids = ids[1:]
				return id
			}
			return fmt.Sprint("new", n)
		},
	}
	change(&c)
	h := testhost.New(t, c)
	for _, r := range []string{
		"POST /Users\n\n" + `{"userName":"a@example.com","name":{"familyName":"Abe"},"emails":[{"value":"a@example.com","type":"work"}],"title":"t"}`,
		"POST /Users\n\n" + `{"userName":"b@example.com","displayName":"Smith"}`,
		"POST /Groups\n\n" + `{"displayName":"Admin","members":[{"value":"u1"}]}`,
	} {
		if w := play(h, r); w == nil || w.Code != 201 {
			t.Fatalf("%s: %v", r, w)
		}
	}
	return h
}

// play sends the request in text, as net/http would. It returns nil if net/http would
// refuse the text.
func play(h http.Handler, text string) *httptest.ResponseRecorder {
	head, body, _ := strings.Cut(text, "\n\n")
	line, header, _ := strings.Cut(head, "\n")
	if strings.Count(line, " ") != 1 {
		return nil
	}
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(line + " HTTP/1.1\r\nHost: scim.example.com\r\n" + strings.ReplaceAll(header, "\n", "\r\n") + "\r\n\r\n")))
	if err != nil {
		return nil
	}
	r.Body, r.ContentLength, r.RemoteAddr = io.NopCloser(strings.NewReader(body)), int64(len(body)), "192.0.2.1:1234"
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// FuzzRoutes sends conversations of arbitrary requests. Every answer must be well-formed
// and of limited size, and none may be a 5xx.
func FuzzRoutes(f *testing.F) {
	for _, s := range routeSeeds {
		f.Add(s)
	}
	transcripts, err := filepath.Glob("../transcripts/testdata/transcripts/*/*.http")
	if err != nil || len(transcripts) == 0 {
		f.Fatalf("%d transcripts: %v", len(transcripts), err)
	}
	for _, name := range transcripts {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text)) // words to play with, if not requests
	}
	f.Fuzz(func(t *testing.T, conversation string) {
		parts := strings.Split(conversation, between)
		if len(parts) > 8 {
			return
		}
		for name, change := range routeHandlers {
			h := seededHandler(t, change)
			var last struct{ ID, NextCursor string }
			sent := 0
			for _, p := range parts {
				p = strings.NewReplacer("{id}", last.ID, "{cursor}", last.NextCursor).Replace(p)
				sent += len(p)
				w := play(h, p)
				if w == nil {
					continue
				}
				if err := wellFormed(w, sent); err != nil {
					t.Fatalf("%s: %q: %v\n%d %v\n%.2000s", name, p, err, w.Code, w.Header(), w.Body)
				}
				json.Unmarshal(w.Body.Bytes(), &last) //nolint:errcheck // may be no object
			}
			if w := play(h, "GET /Users?count=1\n\n"); w.Code != 200 {
				t.Fatalf("%s: after %q a list is %d: %s", name, conversation, w.Code, w.Body)
			}
		}
	})
}

// wellFormed checks the rules for every answer. sent is the number of bytes of the
// requests.
func wellFormed(w *httptest.ResponseRecorder, sent int) error {
	body := w.Body.Bytes()
	if w.Code >= 500 && w.Code != 501 {
		return fmt.Errorf("a failure of the server")
	}
	if w.Code < 200 || w.Code == 401 || w.Code >= 300 && w.Code < 400 && w.Code != 304 {
		return fmt.Errorf("an unexpected status")
	}
	// The schemas are 40 kB; each reference to a resource is some 100 bytes long.
	if len(body) > 64<<10+40*sent {
		return fmt.Errorf("%d bytes in answer to %d", len(body), sent)
	}
	for name, values := range w.Header() {
		for _, v := range values {
			if strings.ContainsAny(v, "\r\n\x00") {
				return fmt.Errorf("header %s: %q", name, v)
			}
		}
	}
	if len(body) == 0 {
		if w.Code != 204 && w.Code != 304 && w.Code != 200 {
			return fmt.Errorf("no body")
		}
		return nil
	}
	if w.Code == 204 || w.Code == 304 {
		return fmt.Errorf("a body with %d", w.Code)
	}
	if ct := w.Header().Get("Content-Type"); ct != "application/scim+json" {
		return fmt.Errorf("Content-Type %q", ct)
	}
	// jsontext also refuses invalid UTF-8 and duplicate names.
	d := jsontext.NewDecoder(bytes.NewReader(body))
	if _, err := d.ReadValue(); err != nil {
		return err
	}
	if _, err := d.ReadToken(); err != io.EOF {
		return fmt.Errorf("more than one JSON value: %v", err)
	}
	var v struct {
		Schemas                []string
		ID, Status, Detail     string
		Resources              []struct{ ID string }
		ItemsPerPage           *int
		TotalResults           int
		Meta                   struct{ Location string }
		Operations, Attributes json.RawMessage
	}
	if err := json.Unmarshal(body, &v); err != nil {
		return err
	}
	switch {
	case len(v.Schemas) == 0:
		return fmt.Errorf("no schemas")
	case w.Code >= 400 && (v.Status != fmt.Sprint(w.Code) || v.Detail == ""):
		return fmt.Errorf("an error without status or detail")
	case w.Code >= 400 && len(v.Detail) > 8<<10:
		return fmt.Errorf("a detail of %d bytes", len(v.Detail))
	case v.ItemsPerPage != nil && (*v.ItemsPerPage != len(v.Resources) || v.Resources == nil):
		return fmt.Errorf("itemsPerPage %d of %d resources", *v.ItemsPerPage, len(v.Resources))
	case w.Code == 201 && w.Header().Get("Location") != v.Meta.Location:
		return fmt.Errorf("Location %q, meta.location %q", w.Header().Get("Location"), v.Meta.Location)
	}
	return nil
}
