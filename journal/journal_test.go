package journal_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/auth/tokens"
	"github.com/scimkit/scim/journal"
	"github.com/scimkit/scim/store/memory"
)

// app is an endpoint with a journal, whose only token is "good".
type app struct {
	t *testing.T
	j *journal.Journal
	h http.Handler
}

func newApp(t *testing.T, o journal.Options, set func(c *scim.Config)) *app {
	t.Helper()
	return newAppOver(t, journal.NewMemory(64<<20), o, set)
}

func newAppOver(t *testing.T, store journal.Store, o journal.Options, set func(c *scim.Config)) *app {
	t.Helper()
	if o.Keys == nil {
		o.Keys = journal.NewEphemeralKeys()
	}
	o.Log = slog.New(slog.DiscardHandler)
	j, err := journal.New(store, o)
	if err != nil {
		t.Fatal(err)
	}
	token := auth.TokenOf("good")
	token.ID = "okta"
	c := scim.Config{Store: memory.New(), Auth: auth.Bearer(token), Log: slog.New(slog.DiscardHandler)}
	if set != nil {
		set(&c)
	}
	h, err := scim.New(j.Config(c))
	if err != nil {
		t.Fatal(err)
	}
	return &app{t, j, j.Handler(h)}
}

// send sends a request with the token, and returns the answer.
func (a *app) send(method, target, body string) *httptest.ResponseRecorder {
	return a.sendAs("good", method, target, body)
}

func (a *app) sendAs(token, method, target, body string) *httptest.ResponseRecorder {
	a.t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/scim+json")
	w := httptest.NewRecorder()
	a.h.ServeHTTP(w, r)
	return w
}

// find flushes, and returns a page of entries.
func (a *app) find(q journal.Query) []journal.Entry {
	a.t.Helper()
	if err := a.j.Flush(a.t.Context()); err != nil {
		a.t.Fatal(err)
	}
	all, err := a.j.Find(a.t.Context(), q)
	if err != nil {
		a.t.Fatal(err)
	}
	return all
}

// last returns the newest entry with its bodies.
func (a *app) last() journal.Entry {
	a.t.Helper()
	all := a.find(journal.Query{Limit: 1})
	if len(all) == 0 {
		a.t.Fatal("the journal is empty")
	}
	e, err := a.j.Get(a.t.Context(), "", all[0].ID)
	if err != nil {
		a.t.Fatal(err)
	}
	return e
}

const ann = `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"Ann@example.com","externalId":"x1","displayName":"Ann B","active":true,"emails":[{"value":"ann.b@example.com","primary":true}]}`

// create creates a resource and returns its id.
func (a *app) create(target, body string) string {
	a.t.Helper()
	w := a.send("POST", target, body)
	var made struct{ ID string }
	if err := json.Unmarshal(w.Body.Bytes(), &made); err != nil || w.Code != http.StatusCreated {
		a.t.Fatalf("%s: %d %s", target, w.Code, w.Body)
	}
	return made.ID
}

func TestExchange(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)
	a := newApp(t, journal.Options{Now: func() time.Time { now = now.Add(time.Millisecond); return now },
		Label: func(_ context.Context, _, client string) string { return "the label of " + client }}, nil)
	id := a.create("/scim/v2/Users", ann)
	e := a.last()
	head := journal.Head{ID: e.ID, Kind: journal.Exchange, Time: time.Date(2026, 1, 2, 3, 4, 5, 1006000, time.UTC), RequestID: e.RequestID, Method: "POST", Status: 201,
		Type: "User", Events: []scim.EventKind{scim.UserProvisioned}, RequestSize: int64(len(ann)), ResponseSize: e.ResponseSize}
	if diff := cmp.Diff(head, e.Head); diff != "" {
		t.Errorf("head (-want +got):\n%s", diff)
	}
	if got := string(e.Request.Text); got != ann || e.Request.Note != "" || e.Request.Size != int64(len(ann)) || len(e.Request.Hash) != 32 {
		t.Errorf("request %+v", e.Request)
	}
	if !strings.Contains(string(e.Response.Text), id) || e.ResponseSize != int64(len(e.Response.Text)) {
		t.Errorf("response %s", e.Response.Text)
	}
	d := e.Detail
	if d.Client != "okta" || d.Label != "the label of okta" || d.URL != "/scim/v2/Users" || d.Address != "192.0.2.1" || d.Duration != time.Millisecond || d.Failure != nil {
		t.Errorf("detail %+v", d)
	}
	header := map[string]string{}
	for _, f := range d.RequestHeader {
		header[f.Name] = f.Value
	}
	if diff := cmp.Diff(map[string]string{"Authorization": "[not shown]", "Content-Type": "application/scim+json"}, header); diff != "" {
		t.Errorf("header (-want +got):\n%s", diff)
	}
	touched := []journal.Touched{{Type: "User", Names: []string{"Ann@example.com", "x1", "Ann B", "ann.b@example.com"}},
		{Type: "User", ID: id, Names: []string{"x1", "Ann@example.com", "Ann B", "ann.b@example.com"}}}
	if diff := cmp.Diff(touched, d.Touched); diff != "" {
		t.Errorf("touched (-want +got):\n%s", diff)
	}
}

func TestChanges(t *testing.T) {
	a := newApp(t, journal.Options{}, nil)
	id := a.create("/Users", ann)
	group := a.create("/Groups", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"Admins"}`)
	change := func(method, target, body string) *journal.Detail {
		t.Helper()
		if w := a.send(method, target, body); w.Code >= 300 {
			t.Fatalf("%s %s: %d %s", method, target, w.Code, w.Body)
		}
		return a.last().Detail
	}
	patch := func(op string) string {
		return `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[` + op + `]}`
	}
	user := func(op scim.Op, attributes ...journal.AttributeChange) []journal.Change {
		return []journal.Change{{Op: op, Type: "User", ID: id, Attributes: attributes}}
	}
	d := change("PATCH", "/Users/"+id, patch(`{"op":"replace","path":"title","value":"Dr"},{"op":"replace","path":"displayName","value":"Ann C"}`))
	want := user(scim.OpPatch, journal.AttributeChange{Path: "displayName", Old: `"Ann B"`, New: `"Ann C"`}, journal.AttributeChange{Path: "title", New: `"Dr"`})
	if diff := cmp.Diff(want, d.Changes); diff != "" {
		t.Errorf("PATCH (-want +got):\n%s", diff)
	}
	d = change("PATCH", "/Users/"+id, patch(`{"op":"replace","path":"password","value":"hunter2"},{"op":"replace","path":"active","value":false}`))
	if diff := cmp.Diff(user(scim.OpPatch, journal.AttributeChange{Path: "active", Old: "true", New: "false"}), d.Changes); diff != "" {
		t.Errorf("a password is no attribute (-want +got):\n%s", diff)
	}
	d = change("PATCH", "/Groups/"+group, patch(`{"op":"add","path":"members","value":[{"value":"`+id+`"}]}`))
	if len(d.Events) == 0 || d.Events[0].Kind != scim.MemberAdded || d.Events[0].Member != (scim.Ref{Type: "User", ID: id}) {
		t.Errorf("events of a member: %+v", d.Events)
	}
	d = change("PATCH", "/Groups/"+group, patch(`{"op":"add","path":"members","value":[{"value":"`+id+`"}]}`))
	if len(d.Changes)+len(d.Events) != 0 {
		t.Errorf("a request that changes nothing: %+v", d)
	}
	d = change("DELETE", "/Users/"+id, "")
	if len(d.Changes) != 1 || d.Changes[0].Op != scim.OpDelete || d.Touched[0].Names[0] != "Ann@example.com" {
		t.Errorf("a deletion says whom: %+v", d)
	}
}

// The answer to HEAD has no body, although the handler writes one.
func TestHEAD(t *testing.T) {
	a := newApp(t, journal.Options{}, nil)
	id := a.create("/Users", ann)
	a.send("HEAD", "/Users/"+id, "")
	if e := a.last(); e.Status != 200 || e.ResponseSize != 0 || e.Response != nil {
		t.Errorf("%+v", e)
	}
}

// A write that is rolled back is no change. In a bulk request others may be.
func TestRollback(t *testing.T) {
	refuse := scim.Error{Status: 409, Detail: "no"}
	a := newApp(t, journal.Options{}, func(c *scim.Config) {
		c.OnWrite = func(_ context.Context, w *scim.Written) error {
			if w.After != nil && w.After.String("title") == "no" {
				return &refuse
			}
			return nil
		}
	})
	if w := a.send("POST", "/Users", strings.Replace(ann, `"active"`, `"title":"no","active"`, 1)); w.Code != 409 {
		t.Fatal(w.Code)
	}
	e := a.last()
	if len(e.Detail.Changes) != 0 {
		t.Errorf("changes of a refused write: %+v", e.Detail.Changes)
	}
	if diff := cmp.Diff(&journal.Failure{Detail: "no"}, e.Detail.Failure); diff != "" {
		t.Errorf("failure (-want +got):\n%s", diff)
	}
	op := func(name, title string) string {
		return `{"method":"POST","path":"/Users","bulkId":"` + name + `","data":{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"` + name + `","title":"` + title + `"}}`
	}
	a.send("POST", "/Bulk", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[`+op("a", "no")+","+op("b", "yes")+`]}`)
	e = a.last()
	if len(e.Detail.Changes) != 1 || !strings.Contains(string(e.Request.Text), `"yes"`) {
		t.Errorf("changes of a bulk request: %+v", e.Detail.Changes)
	}
	for _, name := range []string{"a", "b"} {
		if got := a.find(journal.Query{Person: name}); len(got) != 1 {
			t.Errorf("%d entries of %s in the bulk request", len(got), name)
		}
	}
}

func TestFind(t *testing.T) {
	a := newApp(t, journal.Options{}, nil)
	id := a.create("/Users", ann)
	group := a.create("/Groups", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"Admins","members":[{"value":"`+id+`"}]}`)
	a.send("GET", "/Users?filter=userName+eq+%22ben%22", "")
	a.send("GET", "/Users/none", "")
	a.send("POST", "/Users", ann)
	a.send("GET", "/Users?count=10", "")
	a.sendAs("bad", "GET", "/Users", "")
	last := a.find(journal.Query{Kind: journal.Exchange})[0]
	for _, tt := range []struct {
		name string
		q    journal.Query
		want string // methods and statuses, the newest first
	}{
		{"all", journal.Query{}, "GET 401, GET 200, POST 409, GET 404, GET 200, POST 201, POST 201"},
		{"those of clients", journal.Query{Kind: journal.Exchange, Limit: 2}, "GET 200, POST 409"},
		{"refused", journal.Query{Kind: journal.Refused}, "GET 401"},
		{"failed", journal.Query{Class: 4}, "GET 401, POST 409, GET 404"},
		{"succeeded", journal.Query{Class: 2, Limit: 1}, "GET 200"},
		{"a person by name, in other letters", journal.Query{Person: "ANN@EXAMPLE.COM"}, "GET 200, POST 409, POST 201, POST 201"},
		{"a person by address", journal.Query{Person: "ann.b@example.com"}, "GET 200, POST 409, POST 201, POST 201"},
		{"a person by id, with membership", journal.Query{Person: id}, "GET 200, POST 201, POST 201"},
		{"a person who was looked for", journal.Query{Person: "ben"}, "GET 200"},
		{"a person who is not there", journal.Query{Person: "none"}, "GET 404"},
		{"a group is no person", journal.Query{Person: group}, ""},
		{"a group", journal.Query{Group: "admins"}, "GET 200, POST 201"},
		{"a resource", journal.Query{Resource: scim.Ref{Type: "Group", ID: group}, Class: 2}, "GET 200, POST 201"},
		{"a client", journal.Query{Client: "okta", Class: 4}, "POST 409, GET 404"},
		{"another client", journal.Query{Client: "entra"}, ""},
		{"an event", journal.Query{Event: scim.MemberAdded}, "POST 201"},
		{"a request", journal.Query{RequestID: last.RequestID}, "GET 200"},
		{"a request of another client", journal.Query{RequestID: last.RequestID, Client: "entra"}, ""},
		{"another tenant", journal.Query{Tenant: "other"}, ""},
		{"a person and an event", journal.Query{Person: id, Event: scim.UserProvisioned}, "POST 201"},
		{"the next page", journal.Query{After: last.ID, Limit: 2}, "POST 409, GET 404"},
		{"later", journal.Query{From: time.Now().Add(time.Hour)}, ""},
		{"until now", journal.Query{To: time.Now().Add(time.Hour), Limit: 1}, "GET 401"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, e := range a.find(tt.q) {
				got = append(got, e.Method+" "+string("?0123456789"[1+e.Status/100])+string("0123456789"[e.Status/10%10])+string("0123456789"[e.Status%10]))
			}
			if s := strings.Join(got, ", "); s != tt.want {
				t.Errorf("got %s\nwant %s", s, tt.want)
			}
		})
	}
	if _, err := a.j.Find(t.Context(), journal.Query{Class: 6}); err == nil {
		t.Error("class 6 exists")
	}
}

func TestRefused(t *testing.T) {
	now := time.Now()
	a := newApp(t, journal.Options{Now: func() time.Time { return now }}, nil)
	for range 5 {
		a.sendAs("bad-secret", "POST", "/Users?token=bad-secret", ann)
	}
	all := a.find(journal.Query{})
	if len(all) != 1 || all[0].Kind != journal.Refused || all[0].Status != 401 {
		t.Fatalf("five requests in a second of one address: %+v", all)
	}
	e := a.last()
	if e.Request != nil || e.Response != nil || e.Detail.Failure.Detail == "" {
		t.Errorf("entry %+v, failure %+v", e, e.Detail.Failure)
	}
	if text, err := json.Marshal(e.Detail); err != nil || strings.Contains(string(text), "bad-secret") || strings.Contains(string(text), "Ann") {
		t.Errorf("detail %s", text)
	}
	now = now.Add(time.Second)
	a.sendAs("bad", "GET", "/Users", "")
	if all := a.find(journal.Query{}); len(all) != 2 {
		t.Errorf("%d entries, want one more in the next second", len(all))
	}
}

func TestTenants(t *testing.T) {
	tokens := map[string]auth.Token{}
	for _, tenant := range []string{"acme", "gone", "broken"} {
		token := auth.TokenOf(tenant)
		token.Tenant = tenant
		tokens[tenant] = token
	}
	store := memory.New()
	wrote := 0
	a := newApp(t, journal.Options{TenantOf: func(r *http.Request) string { return strings.TrimSuffix(r.Host, ".example.com") }}, func(c *scim.Config) {
		*c = scim.Config{Auth: auth.Bearer(tokens["acme"], tokens["gone"], tokens["broken"]), Log: c.Log,
			TenantFor: func(_ context.Context, p scim.Principal) (*scim.Tenant, error) {
				switch p.Tenant {
				case "acme":
					return &scim.Tenant{ID: "acme", Store: store, OnWrite: func(context.Context, *scim.Written) error { wrote++; return nil }}, nil
				case "gone":
					return nil, scim.ErrNotFound
				}
				return nil, &scim.Error{Status: 503, Detail: "SCIM is switched off"}
			}}
	})
	a.sendAs("acme", "POST", "http://acme.example.com/Users", ann)
	r := httptest.NewRequest("GET", "http://acme.example.com/Users", nil)
	a.h.ServeHTTP(httptest.NewRecorder(), r)
	for _, tt := range []struct {
		tenant, want string
		kind         journal.Kind
	}{{"acme", "", journal.Exchange}, {"acme", "send valid credentials in the Authorization header", journal.Refused}} {
		all := a.find(journal.Query{Tenant: tt.tenant, Kind: tt.kind})
		if len(all) != 1 || all[0].Tenant != tt.tenant {
			t.Fatalf("%s entries: %+v", tt.kind, all)
		}
		if f := all[0].Detail.Failure; f != nil && f.Detail != tt.want {
			t.Errorf("%s: %+v", tt.kind, f)
		}
	}
	if wrote != 1 {
		t.Errorf("the application's OnWrite was called %d times", wrote)
	}
	for tenant, status := range map[string]int{"gone": 404, "broken": 503} {
		r := httptest.NewRequest("GET", "/Users", nil)
		r.RemoteAddr = tenant + ":1"
		r.Header.Set("Authorization", "Bearer "+tenant)
		a.h.ServeHTTP(httptest.NewRecorder(), r)
		all := a.find(journal.Query{Tenant: tenant})
		if len(all) != 1 || all[0].Kind != journal.Refused || all[0].Status != status {
			t.Errorf("tenant %s: %+v", tenant, all)
		}
	}
	if all := a.find(journal.Query{}); len(all) != 0 {
		t.Errorf("the vendor's own tenant has entries: %+v", all)
	}
}

// A token that has expired or was revoked still says whose it is: its owner sees why nothing comes any more.
func TestKnownTokens(t *testing.T) {
	all, err := tokens.New(tokens.NewMemory(), tokens.Options{})
	if err != nil {
		t.Fatal(err)
	}
	secret, token, err := all.Tenant("acme").Issue(t.Context(), tokens.Request{Label: "Okta"})
	if err != nil {
		t.Fatal(err)
	}
	expired := auth.TokenOf("expired")
	expired.ID, expired.Tenant, expired.Expires = "entra", "beta", time.Now().Add(-time.Hour)
	a := newApp(t, journal.Options{}, func(c *scim.Config) {
		*c = scim.Config{Auth: auth.Any(all, auth.Bearer(expired)), Log: c.Log, TenantFor: func(context.Context, scim.Principal) (*scim.Tenant, error) {
			return nil, scim.ErrNotFound
		}}
	})
	if err := all.Tenant("acme").Revoke(t.Context(), token.ID); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ secret, tenant, client, reason string }{
		{secret, "acme", token.Client, "revoked token"},
		{"expired", "beta", "entra", "expired credential"},
		{"unknown", "", "", "send valid credentials in the Authorization header"},
	} {
		r := httptest.NewRequest("GET", "/Users", nil)
		r.RemoteAddr = tt.secret + ":1"
		r.Header.Set("Authorization", "Bearer "+tt.secret)
		a.h.ServeHTTP(httptest.NewRecorder(), r)
		all := a.find(journal.Query{Tenant: tt.tenant})
		if len(all) != 1 || all[0].Kind != journal.Refused || all[0].Status != 401 {
			t.Fatalf("%s: %+v", tt.tenant, all)
		}
		if d := all[0].Detail; d.Client != tt.client || d.Failure.Detail != tt.reason {
			t.Errorf("%s: client %q, failure %+v", tt.tenant, d.Client, d.Failure)
		}
	}
}

// Bodies beyond the limits keep their size and hash.
func TestLongBodies(t *testing.T) {
	a := newApp(t, journal.Options{}, nil)
	group := a.create("/Groups", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"Big"}`)
	long := `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"remove","path":"members","value":[` +
		strings.Repeat(`{"value":"0190aaaa-0000-7000-8000-000000000000"},`, 30_000) + `{"value":"last"}]}]}`
	w := a.send("PATCH", "/Groups/"+group, long)
	e := a.last()
	if e.Request.Note != journal.TooLong || e.Request.Size != int64(len(long)) || len(e.Request.Text) > 64<<10 || !strings.HasPrefix(long, string(e.Request.Text)) {
		t.Errorf("%d: note %q, size %d, text %d bytes: %.200s", w.Code, e.Request.Note, e.Request.Size, len(e.Request.Text), e.Request.Text)
	}
	if len(e.Request.Text) < 60<<10 {
		t.Errorf("only %d bytes are kept", len(e.Request.Text))
	}
	hash := e.Request.Hash
	a.send("PATCH", "/Groups/"+group, long)
	if again := a.last(); again.Request.Hash != hash {
		t.Error("equal bodies have different hashes")
	}
	a.send("PATCH", "/Groups/"+group, `{"half":`)
	if e := a.last(); e.Request.Note != journal.NotJSON || e.Request.Text != "" || e.Request.Size != 8 {
		t.Errorf("malformed: %+v", e.Request)
	}
}

func TestErase(t *testing.T) {
	a := newApp(t, journal.Options{}, nil)
	id := a.create("/Users", ann)
	a.send("GET", "/Users/"+id, "")
	a.send("GET", "/Users?filter=userName+eq+%22ben%22", "")
	n, err := a.j.Erase(t.Context(), "", id, "ann@example.com")
	if err != nil || n != 2 {
		t.Fatalf("Erase: %d, %v", n, err)
	}
	if all := a.find(journal.Query{Person: id}); len(all) != 0 {
		t.Errorf("erased entries are found: %+v", all)
	}
	all := a.find(journal.Query{})
	var got []string
	for _, e := range all {
		got = append(got, e.Method+" "+e.Unreadable)
	}
	if diff := cmp.Diff([]string{"GET ", "GET " + journal.Erased, "POST " + journal.Erased}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// An exchange whose handler panics, as it does to break a connection, is kept.
func TestAbort(t *testing.T) {
	a := newApp(t, journal.Options{}, nil)
	h := a.j.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body) //nolint:errcheck // from memory
		panic(http.ErrAbortHandler)
	}))
	func() {
		defer func() {
			if recover() != http.ErrAbortHandler {
				t.Error("the panic is gone")
			}
		}()
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("BREW", "/Users", strings.NewReader("{}")))
	}()
	if e := a.last(); e.Status != 0 || e.Method != "other" || e.RequestSize != 2 {
		t.Errorf("%+v", e.Head)
	}
}

// An entry shows the address as the client sent it: a wrong base address is a common mistake, and scim.Mount takes
// its prefix away from what the handler sees.
func TestAddressBelowMount(t *testing.T) {
	a := newApp(t, journal.Options{}, nil)
	a.h = scim.Mount("/customers/acme/scim", a.h, nil)
	for _, address := range []string{"/customers/acme/scim/Users?count=1", "/customers/acme/scim//Users/no%2Fbody", "http://example.com/customers/acme/scim/Groups"} {
		a.send("GET", address, "")
		e := a.find(journal.Query{Limit: 1})[0]
		if want := strings.TrimPrefix(address, "http://example.com"); e.Detail.URL != want || e.Type == "" {
			t.Errorf("the entry of %s has the address %s and the type %q", want, e.Detail.URL, e.Type)
		}
	}
}
