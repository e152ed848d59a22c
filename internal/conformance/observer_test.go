package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/store/memory"
)

// watcher is a CallObserver that notes what it is told.
type watcher struct {
	name  string
	notes *[]string
	got   []scim.Outcome
	ids   []string
	calls []string
}

type watcherKey struct{ name string }

func (o *watcher) note(what string) {
	if o.notes != nil {
		*o.notes = append(*o.notes, what+" "+o.name)
	}
}

func (o *watcher) Begin(ctx context.Context, r *http.Request, id string) (context.Context, func(scim.Outcome)) {
	o.note("begin")
	o.ids = append(o.ids, id)
	return context.WithValue(ctx, watcherKey{o.name}, true), func(out scim.Outcome) {
		o.note("end")
		o.got = append(o.got, out)
	}
}

// depthKey is the key of how many calls surround a call.
type depthKey struct{}

// callWatcher also watches calls.
type callWatcher struct{ watcher }

func (o *callWatcher) BeginCall(ctx context.Context, name string) (context.Context, func(error)) {
	depth, _ := ctx.Value(depthKey{}).(int)
	at := len(o.calls)
	o.calls = append(o.calls, strings.Repeat(" ", depth)+name)
	return context.WithValue(ctx, depthKey{}, depth+1), func(err error) {
		if err != nil {
			o.calls[at] += ": " + err.Error()
		}
	}
}

// seen is what the log and an Observer say about one request.
type seen struct {
	Tenant, Client, Route string
	Status                int
	Tolerances            []string
}

// world is a handler with two tenants, whose requests are logged and observed.
type world struct {
	t     *testing.T
	h     *scim.Handler
	log   bytes.Buffer
	w     *watcher
	store *memory.Store
}

func newWorld(t *testing.T, change func(c *scim.Config, tenant *scim.Tenant)) *world {
	w := &world{t: t, w: &watcher{name: "a"}, store: memory.New()}
	tenant := &scim.Tenant{ID: "acme", Store: w.store, Types: []*scim.ResourceType{scim.UserType(), scim.GroupType(), noteType}}
	token := auth.TokenOf(testhost.Secret)
	token.ID, token.Tenant = "okta", "acme"
	c := scim.Config{Auth: auth.Bearer(token), Observers: []scim.Observer{w.w}, OpenDiscovery: true,
		Log: slog.New(slog.NewJSONHandler(&w.log, nil))}
	c.TenantFor = func(_ context.Context, p scim.Principal) (*scim.Tenant, error) {
		if p.Tenant == "" {
			return &scim.Tenant{Store: w.store}, nil
		}
		return tenant, nil
	}
	if change != nil {
		change(&c, tenant)
	}
	w.h = testhost.New(t, c)
	return w
}

// send sends a request. It returns the answer, and the line of the log about the request.
func (w *world) send(method, target, body string, header ...string) (*http.Response, map[string]any) {
	w.t.Helper()
	w.log.Reset()
	res := testhost.Do(w.t, w.h, method, target, body, header...)
	return res, w.line()
}

// line returns the one line about the last request.
func (w *world) line() (line map[string]any) {
	w.t.Helper()
	for text := range strings.Lines(w.log.String()) {
		var v map[string]any
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			w.t.Fatal(err)
		}
		if v["msg"] != "scim: request" {
			continue
		}
		if line != nil {
			w.t.Errorf("two lines about one request:\n%s", &w.log)
		}
		line = v
	}
	if line == nil {
		w.t.Fatalf("no line about the request:\n%s", &w.log)
	}
	return line
}

func TestRequestsAreLoggedAndObserved(t *testing.T) {
	const ann = `"userName":"ann@example.com","displayName":"Ann Example"`
	w := newWorld(t, nil)
	id := testhost.Create(t, w.h, "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],`+ann+`}`)
	note := testhost.Create(t, w.h, "/Notes", `{"schemas":["urn:example:params:scim:schemas:Note"],"text":"Ann"}`)
	patch := `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[`
	acme := func(route string, status int, tolerances ...string) seen {
		return seen{"acme", "okta", route, status, tolerances}
	}
	for _, tt := range []struct {
		method, target, body, header string
		want                         seen
		reason                       string
	}{
		{"GET", "/Users/" + id, "", "", acme("/Users/{id}", 200), "the id is not in the log"},
		{"POST", "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"bob"}`, "", acme("/Users", 201), "the new id makes no other route"},
		{"GET", "/scim/v2//Users/" + id + "/", "", "", acme("/Users/{id}", 200), "neither the prefix nor more slashes make another route"},
		{"HEAD", "/Users/" + id, "", "", acme("/Users/{id}", 200), "HEAD is a request like GET"},
		{"GET", "/Users/ann@example.com", "", "", acme("/Users/{id}", 404), "an unknown id may be a name"},
		{"GET", `/Users?filter=userName+eq+"ann@example.com"`, "", "", acme("/Users", 200), "a filter is about a person"},
		{"GET", `/Users?filter=userName+eq+ann`, "", "", acme("/Users", 200, "unquoted-literal"), "a tolerance in the query"},
		{"GET", "/Notes/" + note, "", "", acme("/Notes/{id}", 200), "a type of the application"},
		{"GET", "/", "", "", acme("/", 200), "the root query"},
		{"POST", "/.search", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"]}`, "", acme("/.search", 200), "a search over all types"},
		{"POST", "/Users/.search", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"]}`, "", acme("/Users/.search", 200), "a search in a type is no id"},
		{"GET", "/Schemas/urn:ietf:params:scim:schemas:core:2.0:User", "", "", acme("/Schemas/{id}", 200), "a description by id"},
		{"GET", "/ServiceProviderConfig", "", "", acme("/ServiceProviderConfig", 200), "a description"},
		{"GET", "/ServiceProviderConfig", "", "Authorization: ", seen{Route: "/ServiceProviderConfig", Status: 200}, "an open description: nobody is authenticated"},
		{"GET", "/Me", "", "", acme("/Me", 501), "what is off has a route"},
		{"PATCH", "/Users/" + id, patch + `{"op":"Replace","path":"active","value":"False"}]}`, "", acme("/Users/{id}", 200, "op-case", "boolean-string"), "tolerances of a write"},
		{"PATCH", "/Users/" + id, patch + `{"op":"Replace","path":"userName","value":5}]}`, "", acme("/Users/{id}", 400, "op-case"), "tolerances of a write that fails"},
		{"POST", "/Users", `{` + ann + `}`, "", acme("/Users", 409, "missing-schemas"), "a conflict is about a person"},
		{"POST", "/Bulk", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[
			{"method":"PATCH","path":"/Users/` + id + `","data":{"Operations":[{"op":"Replace","path":"active","value":true}]}},
			{"method":"PATCH","path":"/Users/` + id + `","data":{"Operations":[{"op":"Replace","path":"active","value":"False"}]}},
			{"method":"DELETE","path":"/Users/ann@example.com"}]}`, "", acme("/Bulk", 200, "op-case", "missing-schemas", "boolean-string"), "each tolerance of the operations once"},
		{"DELETE", "/Users", "", "", acme("/Users", 405), "the method is not possible"},
		{"GET", "/Users/" + id + "/ann@example.com", "", "", acme("", 404), "there is no such route"},
		{"GET", "/ann@example.com", "", "", acme("", 404), "nor is this one"},
		{"GET", "/Users/" + id, "", "Authorization: Bearer wrong", seen{Route: "/Users/{id}", Status: 401}, "nobody is authenticated; open descriptions need the route"},
		{"GET", "/Users", "", "Accept: text/html", acme("/Users", 406), "refused when the route is known"},
	} {
		t.Run(tt.method+" "+tt.reason, func(t *testing.T) {
			w.t, w.w.got, w.w.ids = t, nil, nil
			var header []string
			if tt.header != "" {
				header = []string{tt.header}
			}
			res, line := w.send(tt.method, tt.target, tt.body, header...)
			if len(w.w.got) != 1 || len(w.w.ids) != 1 {
				t.Fatalf("the Observer was told of %d begins and %d ends, want one of each", len(w.w.ids), len(w.w.got))
			}
			got := w.w.got[0]
			observed := seen{got.Tenant, got.Principal, got.Route, got.Status, nil}
			for _, n := range got.Tolerances {
				observed.Tolerances = append(observed.Tolerances, string(n))
			}
			if diff := cmp.Diff(tt.want, observed); diff != "" {
				t.Errorf("the Observer was told something else (-want +got):\n%s", diff)
			}
			if hasFailed := tt.want.Status >= 400; (got.Err != nil) != hasFailed {
				t.Errorf("Err = %v of an answer with status %d", got.Err, got.Status)
			}
			if _, ok := line["duration"].(float64); !ok {
				t.Errorf("duration is %v", line["duration"])
			}
			names := []any{}
			for _, n := range tt.want.Tolerances {
				names = append(names, n)
			}
			if len(names) == 0 {
				names = nil
			}
			delete(line, "duration")
			delete(line, "time")
			if line["tolerances"] == nil {
				line["tolerances"] = []any(nil)
			}
			want := map[string]any{"level": "INFO", "msg": "scim: request", "request": w.w.ids[0], "tenant": tt.want.Tenant, "client": tt.want.Client,
				"method": tt.method, "route": tt.want.Route, "status": float64(tt.want.Status), "tolerances": names}
			if diff := cmp.Diff(want, line); diff != "" {
				t.Errorf("the log says something else (-want +got):\n%s", diff)
			}
			if id := res.Header.Get("X-Request-Id"); id != w.w.ids[0] {
				t.Errorf("the answer has the id %q, and the Observer %q", id, w.w.ids[0])
			}
		})
	}
}

// A client may send any text as a method. Logs and metrics get one of few.
func TestUnknownMethodInTheLog(t *testing.T) {
	w := newWorld(t, nil)
	if _, line := w.send("ANN", "/Users", ""); line["method"] != "_OTHER" {
		t.Errorf("method %v", line["method"])
	}
}

// The line about a refusal says why. It shows the path only if there is no route.
func TestRefusalsAreLogged(t *testing.T) {
	for _, tt := range []struct{ target, header, has, hasNot, reason string }{
		{"/Users/ann@example.com?filter=x", "", `"route":"/Users/{id}"`, `"path"`, "the route is enough"},
		{"/scim/scim/Userz", "", `"path":"/scim/scim/Userz"`, `"route"`, "the address of the client is wrong"},
		{"/Users/ann@example.com", "Authorization: Bearer wrong", `"route":""`, "ann@", "nobody has looked at the path"},
	} {
		w := newWorld(t, func(c *scim.Config, _ *scim.Tenant) { c.OpenDiscovery = false })
		header := []string{"X-Request-Id: from-the-proxy"}
		if tt.header != "" {
			header = append(header, tt.header)
		}
		w.send("GET", tt.target, "", header...)
		for line := range strings.Lines(w.log.String()) {
			if !strings.Contains(line, `"scim: refused"`) {
				continue
			}
			if !strings.Contains(line, tt.has) || strings.Contains(line, tt.hasNot) || !strings.Contains(line, `"request":"from-the-proxy"`) {
				t.Errorf("%s (%s): %s", tt.target, tt.reason, line)
			}
		}
		if !strings.Contains(w.log.String(), `"scim: refused"`) {
			t.Errorf("%s: nothing says why:\n%s", tt.target, &w.log)
		}
	}
}

func TestRequestID(t *testing.T) {
	var inStore, inWrite, inEvent string
	w := newWorld(t, func(c *scim.Config, tenant *scim.Tenant) {
		tenant.Allow = func(ctx context.Context, _ scim.Access) error { inStore = scim.RequestID(ctx); return nil }
		tenant.OnWrite = func(ctx context.Context, _ *scim.Written) error { inWrite = scim.RequestID(ctx); return nil }
		c.OnEvent = func(ctx context.Context, _ scim.Event) { inEvent = scim.RequestID(ctx) }
	})
	others := map[string]bool{}
	for i, tt := range []struct {
		ids    []string
		isKept bool
		reason string
	}{
		{[]string{"a-B_3.4:5"}, true, "all characters that are allowed"},
		{[]string{strings.Repeat("x", 64)}, true, "the longest"},
		{nil, false, "none was sent"},
		{[]string{""}, false, "an empty one names nothing"},
		{[]string{strings.Repeat("x", 65)}, false, "it is too long"},
		{[]string{"a b"}, false, "a space could look like the next field of a line"},
		{[]string{"a\tb"}, false, "so could a tab"},
		{[]string{"a=b"}, false, "so could an equals sign"},
		{[]string{"ä"}, false, "not ASCII"},
		{[]string{"a", "b"}, false, "two headers: which one is it?"},
		{[]string{"password-hunter2"}, false, "the log has no passwords"},
	} {
		r := httptest.NewRequest("POST", "/Users", strings.NewReader(fmt.Sprintf(`{"userName":"u%d"}`, i)))
		r.Header.Set("Authorization", "Bearer "+testhost.Secret)
		r.Header["X-Request-Id"] = tt.ids
		out := httptest.NewRecorder()
		w.h.ServeHTTP(out, r)
		id := out.Header().Get("X-Request-Id")
		if out.Code != http.StatusCreated || id == "" {
			t.Fatalf("%s: %d, id %q", tt.reason, out.Code, id)
		}
		if isKept := len(tt.ids) == 1 && id == tt.ids[0]; isKept != tt.isKept {
			t.Errorf("%s: sent %q, got %q", tt.reason, tt.ids, id)
		}
		if inStore != id || inWrite != id || inEvent != id {
			t.Errorf("%s: the application sees %q, %q and %q, and the client %q", tt.reason, inStore, inWrite, inEvent, id)
		}
		if !tt.isKept && (others[id] || len(id) != 32) {
			t.Errorf("%s: the id %q is not new", tt.reason, id)
		}
		others[id] = true
	}
	if id := scim.RequestID(context.Background()); id != "" {
		t.Errorf("outside a request the id is %q", id)
	}
}

// Observers begin in order and end in the opposite order, and their contexts reach the application.
func TestObserversNest(t *testing.T) {
	var notes []string
	all := []scim.Observer{&watcher{name: "a", notes: &notes}, &watcher{name: "b", notes: &notes}}
	h := testhost.Handler(t, func(c *scim.Config) {
		c.Observers = all
		c.Allow = func(ctx context.Context, _ scim.Access) error {
			if ctx.Value(watcherKey{"a"}) == nil || ctx.Value(watcherKey{"b"}) == nil {
				t.Error("the context of an Observer does not reach the application")
			}
			return nil
		}
	})
	testhost.Do(t, h, "GET", "/Users", "")
	if diff := cmp.Diff([]string{"begin a", "begin b", "end b", "end a"}, notes); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := scim.New(scim.Config{Store: memory.New(), Auth: auth.None(), Observers: []scim.Observer{nil}}); err == nil || !strings.Contains(err.Error(), "Observers") {
		t.Errorf("a nil Observer: %v", err)
	}
}

// failingObserver is an Observer that fails in one of its ways.
type failingObserver string

func (f failingObserver) Begin(context.Context, *http.Request, string) (context.Context, func(scim.Outcome)) {
	switch f {
	case "begin":
		panic("the observer fails")
	case "nil":
		return nil, nil
	}
	return context.Background(), func(scim.Outcome) { panic("the observer fails") }
}

func (f failingObserver) BeginCall(ctx context.Context, _ string) (context.Context, func(error)) {
	switch f {
	case "begin":
		panic("the observer fails")
	case "nil":
		return nil, nil
	}
	return ctx, func(error) { panic("the observer fails") }
}

// A request does not depend on its observers, and one observer not on the other.
func TestObserverFails(t *testing.T) {
	for _, how := range []failingObserver{"begin", "end", "nil"} {
		var log bytes.Buffer
		good := &watcher{name: "good"}
		h := testhost.Handler(t, func(c *scim.Config) {
			c.Observers, c.Log = []scim.Observer{how, good, how}, slog.New(slog.NewTextHandler(&log, nil))
		})
		if res := testhost.Do(t, h, "GET", "/Users", ""); res.StatusCode != 200 {
			t.Errorf("%s: the answer is %d", how, res.StatusCode)
		}
		if len(good.got) != 1 || good.got[0].Status != 200 {
			t.Errorf("%s: the other Observer was told %v", how, good.got)
		}
		if isLogged := strings.Contains(log.String(), "the observer fails"); isLogged == (how == "nil") {
			t.Errorf("%s: the log says:\n%s", how, &log)
		}
	}
}

// An Observer is told of a request that ends without a whole answer.
func TestObserverOfBrokenRequests(t *testing.T) {
	broken := errors.New("broken")
	for _, tt := range []struct {
		name   string
		fail   func() error
		status int
		panics bool
	}{
		{"error", func() error { return &scim.Error{Status: 503, Err: broken} }, 503, false},
		{"panic", func() error { panic("a mistake of the application") }, 500, false},
		{"abort", func() error { panic(http.ErrAbortHandler) }, 0, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, func(_ *scim.Config, tenant *scim.Tenant) {
				tenant.Store = &faulty{memory.New(), tt.fail}
			})
			panicked := func() (p any) {
				defer func() { p = recover() }()
				w.send("GET", "/Users/1", "")
				return nil
			}()
			if (panicked != nil) != tt.panics {
				t.Errorf("ServeHTTP panics with %v", panicked)
			}
			if len(w.w.got) != 1 {
				t.Fatalf("the Observer was told %d times", len(w.w.got))
			}
			got := w.w.got[0]
			if got.Status != tt.status || got.Err == nil || got.Route != "/Users/{id}" {
				t.Errorf("the Observer was told %+v", got)
			}
			if line := w.line(); line["status"] != float64(tt.status) {
				t.Errorf("the log says %v", line)
			}
			if tt.name == "error" && !errors.Is(got.Err, broken) {
				t.Errorf("the Observer was told %v, which is not the application's error", got.Err)
			}
		})
	}
}
