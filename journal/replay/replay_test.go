package replay_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/journal"
	"github.com/scimkit/scim/journal/replay"
	"github.com/scimkit/scim/store/memory"
)

var quiet = slog.New(slog.DiscardHandler)

// endpoint is an application's endpoint below /scim/v2.
func endpoint(t *testing.T, c scim.Config) (*scim.Handler, http.Handler) {
	t.Helper()
	c.Auth, c.Log = auth.Bearer(auth.TokenOf("good")), quiet
	h, err := scim.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return h, scim.Mount("/scim/v2", h, nil)
}

// record serves requests by an endpoint with a journal, and returns the journal.
func record(t *testing.T, c scim.Config, requests func(send func(method, path, body string) string)) *journal.Journal {
	t.Helper()
	j, err := journal.New(journal.NewMemory(64<<20), journal.Options{Keys: journal.NewEphemeralKeys(), Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	c.Auth, c.Log = auth.Bearer(auth.TokenOf("good")), quiet
	h, err := scim.New(j.Config(c))
	if err != nil {
		t.Fatal(err)
	}
	served := scim.Mount("/scim/v2", j.Handler(h), nil)
	requests(func(method, path, body string) string {
		r, w := httptest.NewRequest(method, "/scim/v2"+path, strings.NewReader(body)), httptest.NewRecorder()
		r.Header.Set("Authorization", "Bearer good")
		r.Header.Set("Content-Type", "application/scim+json")
		served.ServeHTTP(w, r)
		_, id, _ := strings.Cut(w.Body.String(), `"id":"`)
		id, _, _ = strings.Cut(id, `"`)
		return id
	})
	if err := j.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	return j
}

const (
	ann   = `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ann","title":"Dr","password":"hunter2","emails":[{"value":"ann@x","primary":true}]}`
	ben   = `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ben"}`
	patch = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[OP]}`
)

// provision is what a client sends: every way in which a request may name a resource.
func provision(send func(method, path, body string) string) {
	id, other := send("POST", "/Users", ann), send("POST", "/Users", ben)
	send("POST", "/Users", ann) // a conflict
	group := send("POST", "/Groups", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"Devs","members":[{"value":"`+id+`"}]}`)
	op := func(op string) string { return strings.Replace(patch, "OP", op, 1) }
	send("PATCH", "/Groups/"+group, op(`{"op":"add","path":"members","value":[{"value":"`+other+`","$ref":"https://x/scim/v2/Users/`+other+`"}]}`))
	send("PATCH", "/Groups/"+group, op(`{"op":"remove","path":"members[value eq \"`+id+`\"]"}`))
	send("PATCH", "/Users/"+id, op(`{"op":"replace","path":"title","value":"Prof"}`))
	send("GET", "/Users/"+id, "")
	send("GET", "/Users?filter=id+eq+%22"+id+"%22", "")
	send("GET", "/Groups?filter=members.value+eq+%22"+other+"%22", "")
	send("GET", "/Users/unknown-"+id, "")
	send("GET", "/Users?sortBy=userName&sortOrder=descending", "")
	send("HEAD", "/Users/"+id, "")
	send("POST", "/Bulk", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[{"method":"DELETE","path":"/Users/`+other+`"}]}`)
	send("GET", "/Groups/"+group, "")
	send("DELETE", "/Users/"+id, "")
}

// lines are the differences of a result.
func lines(r replay.Result) string {
	var b strings.Builder
	for _, d := range r.Differences {
		b.WriteString(d.String() + "\n")
	}
	return strings.TrimSpace(b.String())
}

func numbers(store *memory.Store) scim.Config {
	n := 0
	return scim.Config{Store: store, NewID: func() string { n++; return string(rune('0' + n)) }}
}

// A new store makes other ids, times and versions. A replay finds no difference.
func TestNoDifference(t *testing.T) {
	for name, config := range map[string]scim.Config{"long ids": {Store: memory.New()}, "numbers": numbers(memory.New())} {
		j := record(t, config, provision)
		_, again := endpoint(t, scim.Config{Store: memory.New()})
		all, err := replay.Play(t.Context(), j, journal.Query{}, replay.Against(again, http.Header{"Authorization": {"Bearer good"}}))
		if err != nil || len(all) != 16 {
			t.Fatalf("%s: %d results, %v", name, len(all), err)
		}
		for _, r := range all {
			if len(r.Differences) > 0 || r.Skipped != "" {
				t.Errorf("%s: %s %s: %s%s\n%s\n%s", name, r.Entry.Method, r.Entry.Detail.URL, r.Skipped, lines(r), r.Entry.Response.Text, r.Body)
			}
		}
	}
}

// broken is an adapter with a fault.
type broken struct {
	*memory.Store
	fault string
}

func (b broken) Create(ctx context.Context, r *scim.Resource) (*scim.Resource, error) {
	if b.fault == "loses the title" {
		var err error
		if r, err = r.With(map[string]any{"title": nil}); err != nil {
			return nil, err
		}
	}
	return b.Store.Create(ctx, r)
}

func (b broken) List(ctx context.Context, t *scim.ResourceType, q *scim.Query) (*scim.Page, error) {
	page, err := b.Store.List(ctx, t, q)
	if b.fault == "finds nobody" && err == nil && q.Filter != nil {
		page = &scim.Page{}
	}
	return page, err
}

func (b broken) Delete(ctx context.Context, ref scim.Ref, check func(*scim.Resource) error) error {
	if b.fault == "deletes nobody" {
		return nil
	}
	return b.Store.Delete(ctx, ref, check)
}

// A broken adapter shows its fault where it matters.
func TestBrokenAdapter(t *testing.T) {
	j := record(t, scim.Config{Store: memory.New()}, func(send func(method, path, body string) string) {
		id := send("POST", "/Users", ann)
		send("GET", "/Users?filter=userName+eq+%22ann%22", "")
		send("DELETE", "/Users/"+id, "")
		send("GET", "/Users/"+id, "")
	})
	for fault, want := range map[string][]string{
		"":                {"", "", "", ""},
		"loses the title": {`title: was "Dr", is absent`, `Resources[0].title: was "Dr", is absent`, "", ""},
		"finds nobody":    {"", `Resources[0]: was {"`, "", ""},
		"deletes nobody":  {"", "", "status: was 204, is 500", "status: was 404, is 200"}, // the handler looks whether it is gone
	} {
		_, again := endpoint(t, scim.Config{Store: broken{memory.New(), fault}})
		all, err := replay.Play(t.Context(), j, journal.Query{}, replay.Against(again, http.Header{"Authorization": {"Bearer good"}}))
		if err != nil || len(all) != len(want) {
			t.Fatal(len(all), err)
		}
		for i, r := range all {
			got := lines(r)
			if want[i] == "" && got != "" || !strings.Contains(got, want[i]) {
				t.Errorf("%q: %s %s: got %q, want %q", fault, r.Entry.Method, r.Entry.Detail.URL, got, want[i])
			}
		}
	}
}

// What cannot be sent again is skipped, and says why.
func TestSkipped(t *testing.T) {
	j := record(t, scim.Config{Store: memory.New()}, func(send func(method, path, body string) string) {
		send("GET", "/Users?filter=password+eq+%22hunter2%22", "")
		send("POST", "/Users", `{"userName":`)
		send("GET", "/Users?token=hunter2", "")
		send("POST", "/Users", ann)
		send("GET", "/Users/"+strings.Repeat("x", 9000), "")
	})
	_, again := endpoint(t, scim.Config{Store: memory.New()})
	all, err := replay.Play(t.Context(), j, journal.Query{}, replay.Against(again, http.Header{"authorization": {"Bearer good"}}))
	var got []string
	for _, r := range all {
		got = append(got, r.Skipped)
	}
	if diff := cmp.Diff([]string{"the address is not kept whole", "the body: " + journal.NotJSON, "the address is not kept whole", "", "the address is not kept whole"}, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	none, err := replay.Play(t.Context(), j, journal.Query{To: time.Now().Add(-time.Hour)}, replay.Against(again, nil))
	if len(none) != 0 || err != nil {
		t.Errorf("a time without requests: %v, %v", none, err)
	}
}

// A dry replay tells the answer of today and the roles, and does nothing.
func TestDry(t *testing.T) {
	store, roles := memory.New(), testhost.NewRoles()
	events := 0
	c := scim.Config{Store: store, Roles: &scim.Roles{Resolver: roles, Separate: true}, OnEvent: func(context.Context, scim.Event) { events++ }}
	j := record(t, c, func(send func(method, path, body string) string) {
		id := send("POST", "/Users", ann)
		send("POST", "/Groups", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"Devs","members":[{"value":"`+id+`"}]}`)
		send("GET", "/Users/"+id, "")
		send("DELETE", "/Users/"+id, "")
	})
	before := events
	h, _ := endpoint(t, c)
	reconciler, err := h.Reconciler(nil)
	if err != nil {
		t.Fatal(err)
	}
	all, err := replay.Play(t.Context(), j, journal.Query{}, replay.Dry(reconciler, "/scim/v2/", scim.Principal{ID: "x"}))
	if err != nil || len(all) != 4 {
		t.Fatal(all, err)
	}
	if r := all[0]; len(r.Differences) != 0 || r.Status != 201 {
		t.Errorf("%+v", r.Differences) // ann is gone, so she can be created
	}
	if r := all[2]; r.Status != 404 || r.Differences[0] != (replay.Difference{At: "status", Was: "200", Is: "404"}) {
		t.Errorf("%+v", r.Differences)
	}
	page, err := store.List(t.Context(), scim.UserType(), &scim.Query{Limit: 10, Total: true})
	if err != nil || len(page.Resources) != 0 || events != before {
		t.Errorf("%d users, %d events, %v", len(page.Resources), events-before, err)
	}
	plain, _ := endpoint(t, scim.Config{Store: testhost.NewBareStore(), Roles: &scim.Roles{Resolver: roles, Ledger: memory.NewLedger()}})
	if reconciler, err = plain.Reconciler(nil); err != nil {
		t.Fatal(err)
	}
	if _, err := replay.Play(t.Context(), j, journal.Query{}, replay.Dry(reconciler, "/scim/v2", scim.Principal{})); err == nil || !strings.Contains(err.Error(), "transactions") {
		t.Errorf("a store without transactions: %v", err)
	}
	all, err = replay.Play(t.Context(), j, journal.Query{}, replay.Dry(reconciler, "/other", scim.Principal{}))
	if err != nil || all[0].Skipped == "" {
		t.Errorf("another address: %+v, %v", all, err)
	}
}

// A handler that panics, answers without end or waits does not end a replay.
func TestBadHandler(t *testing.T) {
	j := record(t, scim.Config{Store: memory.New()}, func(send func(method, path, body string) string) {
		send("POST", "/Users", ann)
		send("GET", "/Users?filter=userName+eq+%22ann%22", "")
	})
	_, again := endpoint(t, scim.Config{Store: memory.New()})
	for name, row := range map[string]struct {
		fault func(w http.ResponseWriter, r *http.Request)
		want  string
	}{
		"panic": {func(http.ResponseWriter, *http.Request) { panic("lost") }, "status: was 201, is none: the handler panics: lost"},
		"endless": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusCreated)
			for range 64 { // 64 MiB
				w.Write(make([]byte, 1<<20)) //nolint:errcheck // the replay takes all
			}
		}, "is longer than 4 MiB"},
		"without a limit of time": {func(w http.ResponseWriter, r *http.Request) {
			if _, ok := r.Context().Deadline(); !ok {
				t.Error("the context has no deadline")
			}
			w.WriteHeader(http.StatusCreated)
		}, "is empty"},
	} {
		h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				row.fault(w, r)
				return
			}
			again.ServeHTTP(w, r)
		})
		all, err := replay.Play(t.Context(), j, journal.Query{}, replay.Against(h, http.Header{"Authorization": {"Bearer good"}}))
		if err != nil || len(all) != 2 {
			t.Fatalf("%s: %d results, %v", name, len(all), err)
		}
		if got := lines(all[0]); !strings.Contains(got, row.want) || len(all[0].Body) > 4<<20 {
			t.Errorf("%s: %q, %d bytes; want %q", name, got, len(all[0].Body), row.want)
		}
		if all[1].Status != 200 {
			t.Errorf("%s: the next request is not played: %+v", name, all[1])
		}
	}
}

// One exchange alone, and an application whose methods panic.
func TestOne(t *testing.T) {
	c := scim.Config{Store: memory.New(), Roles: &scim.Roles{Resolver: testhost.NewRoles(), Separate: true}}
	j := record(t, c, func(send func(method, path, body string) string) { send("POST", "/Users", ann) })
	all, err := j.Find(t.Context(), journal.Query{})
	if err != nil || len(all) != 1 {
		t.Fatal(all, err)
	}
	e, err := j.Get(t.Context(), "", all[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	h, _ := endpoint(t, c)
	reconciler, err := h.Reconciler(nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := replay.One(t.Context(), e, replay.Dry(reconciler, "/scim/v2", scim.Principal{}))
	if err != nil || !strings.HasPrefix(lines(r), "status: was 201, is 409") {
		t.Errorf("%s, %v", lines(r), err) // ann is there
	}
	if _, err := replay.One(t.Context(), e, replay.Dry(panics{}, "/scim/v2", scim.Principal{})); err == nil || !strings.Contains(err.Error(), "panic: lost") {
		t.Errorf("error %v", err)
	}
}

// panics is an application with a bug.
type panics struct{}

func (panics) PreviewRequest(context.Context, scim.Request, string, int) (*scim.Foreseen, error) {
	panic("lost")
}
