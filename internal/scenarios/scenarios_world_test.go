package scenarios

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/internal/testhost"
)

// reporter has the common methods of *testing.T and *rapid.T that a world needs.
type reporter interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// world is an application with a SCIM endpoint, which scenarios use over HTTP. The scenario
// chooses the ids, so that it is easy to read. A role's id is its first name.
type world struct {
	setting
	t      reporter
	app    *testhost.Roles
	roles  scim.Roles
	policy scim.MemberPolicy
	types  []*scim.ResourceType
	seats  int // how many users may be active; 0: any number
	host   host
	store  scim.Store
	ledger scim.Ledger
	h      []*scim.Handler // requests go to each in turn
	step   func(op string) // runs before and after each call of the application
	// mapping is the application's mapping in tests that change it.
	mapping *mapping

	mu     sync.Mutex
	nextID string
	time   time.Time
	turn   int
	fresh  int      // the number of ids that the scenario did not choose
	ids    []string // the ids of all users that ever existed
	events []scim.Event
	// foresees makes the world preview each request and compare that with what then happens.
	foresees bool
	// drift says that roles differ from their sources at the end of the scenario.
	drift bool
}

// newWorld is a world in memory.
func newWorld(t reporter, kind string, roles scim.Roles) *world {
	return inMemorySetting(kind).world(t, roles)
}

// world makes a new world.
func (in setting) world(t reporter, roles scim.Roles) *world {
	w := &world{setting: in, t: t, app: testhost.NoRoles(), roles: roles, time: time.Unix(1_700_000_000, 0).UTC()}
	w.app.Fail = func(op string) error { w.at(op); return nil }
	w.app.AfterChange = func() error { w.at("changed"); return nil }
	w.host = in.site(w)
	w.store, w.roles.Ledger, w.roles.Resolver = w.host.store, w.host.ledger, w.app
	if w.ledger = w.host.ledger; w.ledger == nil {
		w.ledger = w.store.(scim.Ledger)
	}
	if in.kind == joint {
		w.app.Rows = w.host.roles
	}
	w.roles.Separate = in.kind == separate
	w.restart()
	return w
}

// size is many, or few if many would take minutes.
func (w *world) size(many, few int) int {
	if w.slow && !long {
		return few
	}
	return many
}

// long says that the run may take long.
var long = os.Getenv("SCIM_LONG") == "1"

// at records each call of the application.
func (w *world) at(op string) {
	if w.step != nil {
		w.step(op)
	}
}

// now is a clock that advances at each call, so that the times show the order of events.
func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.time = w.time.Add(time.Millisecond)
	return w.time
}

// config is the first server's.
func (w *world) config() scim.Config {
	var seats func(context.Context) (int, error)
	if w.seats > 0 {
		seats = func(context.Context) (int, error) { return w.seats, nil }
	}
	return scim.Config{
		Seats: seats,
		Store: w.store, Auth: auth.None(), Types: w.types, Roles: &w.roles, Members: w.policy, Now: w.now, Log: slog.New(slog.DiscardHandler),
		NewID: func() string {
			w.mu.Lock()
			defer w.mu.Unlock()
			id := w.nextID
			if w.nextID = ""; id == "" {
				w.fresh++
				id = fmt.Sprint("fresh", w.fresh)
			}
			return id
		},
		OnEvent: func(_ context.Context, e scim.Event) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.events = append(w.events, e)
		},
	}
}

// restart makes a new handler over the stored data, as after a crash.
func (w *world) restart() { w.servers(1) }

// servers makes n handlers over the stored data.
func (w *world) servers(n int) {
	w.t.Helper()
	w.h = nil
	for i := range n {
		c := w.config()
		if i > 0 {
			c.Store = w.host.another()
		}
		w.h = append(w.h, w.handler(c))
	}
}

// handler makes a handler.
func (w *world) handler(c scim.Config) *scim.Handler {
	w.t.Helper()
	h, err := scim.New(c)
	if err != nil {
		w.t.Fatalf("New: %v", err)
	}
	return h
}

func (w *world) reconciler() *scim.Reconciler { return testhost.Must(w.h[0].Reconciler(nil)) }

// reply is an answer.
type reply struct {
	status     int
	etag       string
	retryAfter string
	body       map[string]any
}

func (r reply) detail() string { s, _ := r.body["detail"].(string); return s }

// send sends a request. body is nil, a string of JSON or a value to encode.
func (w *world) send(method, path string, body any) reply {
	w.t.Helper()
	var b []byte
	switch v := body.(type) {
	case nil:
	case string:
		b = []byte(v)
	default:
		var err error
		if b, err = json.Marshal(v); err != nil {
			w.t.Fatalf("%v", err)
		}
	}
	w.mu.Lock()
	h := w.h[w.turn%len(w.h)]
	w.turn++
	w.mu.Unlock()
	req := httptest.NewRequest(method, path, bytes.NewReader(b))
	if body != nil {
		req.Header.Set("Content-Type", "application/scim+json")
	}
	rec := httptest.NewRecorder()
	judge := func(int) {}
	if w.foresees && method != "GET" {
		judge = w.foresee(h, method, path, b)
	}
	h.ServeHTTP(rec, req)
	judge(rec.Code)
	r := reply{status: rec.Code, etag: rec.Header().Get("ETag"), retryAfter: rec.Header().Get("Retry-After")}
	if rec.Body.Len() > 0 {
		if err := json.Unmarshal(rec.Body.Bytes(), &r.body); err != nil {
			w.t.Fatalf("%s %s: %v: %s", method, path, err, rec.Body)
		}
	}
	return r
}

// do sends a request that must succeed.
func (w *world) do(method, path string, body any) reply {
	w.t.Helper()
	r := w.send(method, path, body)
	if r.status/100 != 2 {
		w.t.Fatalf("%s %s: %d %s", method, path, r.status, r.detail())
	}
	return r
}

// wantRefused checks an answer's status and scimType, and that its detail contains each of
// about.
func (w *world) wantRefused(r reply, status int, scimType string, about ...string) {
	w.t.Helper()
	got, _ := r.body["scimType"].(string)
	if r.status != status || got != scimType {
		w.t.Errorf("got %d %q %s, want %d %q", r.status, got, r.detail(), status, scimType)
	}
	for _, s := range about {
		if !strings.Contains(r.detail(), s) {
			w.t.Errorf("detail %q does not say %q", r.detail(), s)
		}
	}
}

// The application's side.

// role creates a role; its id is its name.
func (w *world) role(name string, weight ...int) {
	r := scim.Role{ID: name, Name: name}
	for _, n := range weight {
		r.Weight = n
	}
	w.app.Put(r)
}

func (w *world) protectedRole(name string) {
	w.app.Put(scim.Role{ID: name, Name: name, Protected: true})
}

// reportChange tells the library that roles or their mapping have changed.
func (w *world) reportChange() {
	w.t.Helper()
	w.must(w.reconciler().RolesChanged(context.Background()))
}

// byHand gives a role by hand.
func (w *world) byHand(user, role string) {
	w.t.Helper()
	w.must(w.giveByHand(user, role))
}

// giveByHand gives a role as an administrator's page does.
func (w *world) giveByHand(user, role string) error {
	return w.reconciler().GiveByHand(ctx(), user, scim.Role{ID: role}, func(ctx context.Context) error {
		w.at("by hand")
		return w.app.Rows.Change(ctx, []scim.RoleChange{{UserID: user, Grant: []scim.Role{{ID: role}}}})
	})
}

// takeByHand takes a role as an administrator's page does. It returns the sources that still
// give the role.
func (w *world) takeByHand(user, role string) ([]scim.Source, error) {
	return w.reconciler().TakeByHand(ctx(), user, scim.Role{ID: role}, func(ctx context.Context) error {
		w.at("by hand")
		return w.app.Rows.Change(ctx, []scim.RoleChange{{UserID: user, Revoke: []scim.Role{{ID: role}}}})
	})
}

// reconcile reconciles users.
func (w *world) reconcile(users ...string) {
	w.t.Helper()
	w.must(w.reconciler().Users(context.Background(), users...))
}

// all reconciles everybody.
func (w *world) all() {
	w.t.Helper()
	for next := ""; ; {
		var err error
		if next, err = w.reconciler().All(context.Background(), next); err != nil {
			w.t.Fatalf("All: %v", err)
		}
		if next == "" {
			return
		}
	}
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatalf("%v", err)
	}
}

// The client's side.

// user provisions active users.
func (w *world) user(ids ...string) {
	w.t.Helper()
	for _, id := range ids {
		w.post("/Users", id, profile(id))
	}
}

func profile(id string) map[string]any {
	return map[string]any{"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:User"}, "userName": id + "@example.com"}
}

// post creates a resource with this id.
func (w *world) post(endpoint, id string, body any) {
	w.t.Helper()
	r := w.sendPost(endpoint, id, body)
	if r.status != http.StatusCreated {
		w.t.Fatalf("POST %s: %d %s", endpoint, r.status, r.detail())
	}
}

func (w *world) sendPost(endpoint, id string, body any) reply {
	w.t.Helper()
	w.mu.Lock()
	w.nextID = id
	if endpoint == "/Users" {
		w.ids = append(w.ids, id)
	}
	w.mu.Unlock()
	return w.send("POST", endpoint, body)
}

// groupBody is a group. A member "Group id" is a group, any other one the id of a user.
func groupBody(name string, members ...string) map[string]any {
	list := []any{}
	for _, m := range members {
		if id, ok := strings.CutPrefix(m, "Group "); ok {
			list = append(list, map[string]string{"value": id, "type": "Group"})
			continue
		}
		list = append(list, map[string]string{"value": m})
	}
	return map[string]any{"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:Group"}, "displayName": name, "members": list}
}

// group pushes a new group.
func (w *world) group(id, name string, members ...string) {
	w.t.Helper()
	w.post("/Groups", id, groupBody(name, members...))
}

// put replaces a group.
func (w *world) put(id, name string, members ...string) reply {
	w.t.Helper()
	return w.do("PUT", "/Groups/"+id, groupBody(name, members...))
}

func patchBody(ops ...map[string]any) map[string]any {
	return map[string]any{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:PatchOp"}, "Operations": ops}
}

func addOp(members ...string) map[string]any {
	return map[string]any{"op": "add", "path": "members", "value": groupBody("", members...)["members"]}
}

func removeOp(member string) map[string]any {
	return map[string]any{"op": "remove", "path": fmt.Sprintf("members[value eq %q]", member)}
}

// add and remove change members with PATCH.
func (w *world) add(group string, members ...string) reply {
	w.t.Helper()
	return w.do("PATCH", "/Groups/"+group, patchBody(addOp(members...)))
}

func (w *world) remove(group string, members ...string) reply {
	w.t.Helper()
	var ops []map[string]any
	for _, m := range members {
		ops = append(ops, removeOp(m))
	}
	return w.do("PATCH", "/Groups/"+group, patchBody(ops...))
}

func renameBody(name string) map[string]any {
	return patchBody(map[string]any{"op": "replace", "path": "displayName", "value": name})
}

func (w *world) rename(group, name string) {
	w.t.Helper()
	w.do("PATCH", "/Groups/"+group, renameBody(name))
}

func activeBody(active bool) map[string]any {
	return patchBody(map[string]any{"op": "replace", "path": "active", "value": active})
}

func (w *world) deactivate(user string) {
	w.t.Helper()
	w.do("PATCH", "/Users/"+user, activeBody(false))
}

func (w *world) activate(user string) {
	w.t.Helper()
	w.do("PATCH", "/Users/"+user, activeBody(true))
}

func (w *world) deleteGroup(id string) { w.t.Helper(); w.do("DELETE", "/Groups/"+id, nil) }
func (w *world) deleteUser(id string)  { w.t.Helper(); w.do("DELETE", "/Users/"+id, nil) }

// version is a group's ETag.
func (w *world) version(group string) string {
	w.t.Helper()
	return w.do("GET", "/Groups/"+group, nil).etag
}
