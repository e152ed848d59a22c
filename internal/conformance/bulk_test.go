package conformance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/store/memory"
)

// bulkStores are the stores that must treat bulk requests alike.
var bulkStores = map[string]func() (scim.Store, scim.Ledger){
	"memory": func() (scim.Store, scim.Ledger) { return memory.New(), nil },
	"bare":   func() (scim.Store, scim.Ledger) { return testhost.NewBareStore(), memory.NewLedger() },
}

// bulkHandler makes a handler with ids from 1 on and the roles Admin, Editor and Viewer.
func bulkHandler(t testing.TB, kind string, change func(*scim.Config)) (*scim.Handler, *testhost.Roles) {
	t.Helper()
	roles := testhost.NewRoles()
	c := scim.Config{BaseURL: "https://x.test/v2"}
	var ledger scim.Ledger
	c.Store, ledger = bulkStores[kind]()
	c.Roles = &scim.Roles{Resolver: roles, Ledger: ledger, Separate: true}
	last := 0
	c.NewID = func() string { last++; return strconv.Itoa(last) }
	if change != nil {
		change(&c)
	}
	return testhost.New(t, c), roles
}

// listStored lists all resources and roles, one a line.
func listStored(t *testing.T, h *scim.Handler) []string {
	t.Helper()
	lines := []string{}
	for _, endpoint := range []string{"/Users", "/Groups"} {
		all, _ := testhost.Decode(t, testhost.Do(t, h, "GET", endpoint+"?sortBy=id", ""))["Resources"].([]any)
		for _, e := range all {
			r := e.(map[string]any)
			line := fmt.Sprint(r["id"], " ", r["userName"])
			if endpoint == "/Groups" {
				line = fmt.Sprint(r["id"], " ", r["displayName"], ":")
				var of []string
				list, _ := r["members"].([]any)
				for _, m := range list {
					m := m.(map[string]any)
					of = append(of, fmt.Sprint(" ", m["type"], " ", m["value"]))
				}
				slices.Sort(of)
				line += strings.Join(of, ",")
			}
			for _, k := range []string{"nickName", "displayName"} {
				if v, ok := r[k]; ok && endpoint == "/Users" {
					line += fmt.Sprint(" ", k, "=", v)
				}
			}
			if x, ok := r[testhost.Enterprise].(map[string]any); ok {
				m, _ := x["manager"].(map[string]any)
				line += fmt.Sprint(" manager=", m["value"])
				if ref, ok := m["$ref"]; ok {
					line += fmt.Sprint(" ", ref)
				}
			}
			lines = append(lines, line)
		}
	}
	return lines
}

// results describes each operation of a bulk answer in one line, and collects the details
// of errors.
func results(t *testing.T, res *http.Response) (lines []string, details string) {
	t.Helper()
	body := testhost.Decode(t, res)
	if res.StatusCode != 200 {
		d, _ := body["detail"].(string)
		typ, _ := body["scimType"].(string)
		return []string{strings.TrimSpace(fmt.Sprint(res.StatusCode, " ", typ))}, d
	}
	if diff := cmp.Diff([]any{"urn:ietf:params:scim:api:messages:2.0:BulkResponse"}, body["schemas"]); diff != "" {
		t.Error(diff)
	}
	for _, e := range body["Operations"].([]any) {
		r := e.(map[string]any)
		words := []string{r["method"].(string)}
		for _, k := range []string{"bulkId", "status", "location"} {
			if s, ok := r[k].(string); ok && s != "" {
				words = append(words, strings.TrimPrefix(s, "https://x.test/v2"))
			}
		}
		failed, isError := r["response"].(map[string]any)
		if isError {
			if failed["status"] != r["status"] {
				t.Errorf("status %v in the error, %v beside it", failed["status"], r["status"])
			}
			if typ, ok := failed["scimType"].(string); ok {
				words = append(words, typ)
			}
			details += failed["detail"].(string) + "\n"
		}
		if v, _ := r["version"].(string); (v != "") == (isError || r["method"] == "DELETE") {
			t.Errorf("%v has the version %q", words, v)
		}
		lines = append(lines, strings.Join(words, " "))
	}
	return lines, details
}

type bulkCase struct {
	name, reason string
	change       func(*scim.Config)
	before       []string // operations that run before and must succeed
	body         string
	want         []string
	about        []string // texts that the details of the errors must contain
	stored       []string
}

func TestBulk(t *testing.T) {
	for _, tt := range slices.Concat(bulkReferences(), bulkCircles(), bulkFailures(), bulkPaths()) {
		for _, kind := range slices.Sorted(maps.Keys(bulkStores)) {
			t.Run(tt.name+"/"+kind, func(t *testing.T) {
				h, _ := bulkHandler(t, kind, tt.change)
				if len(tt.before) > 0 {
					lines, details := results(t, testhost.Do(t, h, "POST", "/Bulk", testhost.BulkBody(tt.before...)))
					if details != "" {
						t.Fatalf("%v: %s", lines, details)
					}
				}
				lines, details := results(t, testhost.Do(t, h, "POST", "/Bulk", tt.body))
				if diff := cmp.Diff(tt.want, lines); diff != "" {
					t.Errorf("%s (-want +got):\n%s\n%s", tt.reason, diff, details)
				}
				for _, s := range tt.about {
					if !strings.Contains(details, s) {
						t.Errorf("%s: the details do not say %q:\n%s", tt.reason, s, details)
					}
				}
				if diff := cmp.Diff(tt.stored, listStored(t, h)); tt.stored != nil && diff != "" {
					t.Errorf("%s: stored (-want +got):\n%s", tt.reason, diff)
				}
			})
		}
	}
}

func TestBulkVersionIsTheLast(t *testing.T) {
	for kind := range bulkStores {
		h, _ := bulkHandler(t, kind, nil)
		body := testhost.Decode(t, testhost.Do(t, h, "POST", "/Bulk", testhost.BulkBody(testhost.PostUser("a", "a", testhost.Manager("bulkId:b")), testhost.PostUser("b", "b", testhost.Manager("bulkId:a")))))
		for i, e := range body["Operations"].([]any) {
			got := testhost.Do(t, h, "GET", "/Users/"+strconv.Itoa(i+1), "").Header.Get("ETag")
			if want := e.(map[string]any)["version"]; got != want {
				t.Errorf("%s: version %v, but the ETag is %s", kind, want, got)
			}
		}
	}
}

// TestBulkRoles checks that operations of a bulk request give and take roles like requests.
func TestBulkRoles(t *testing.T) {
	for kind := range bulkStores {
		t.Run(kind, func(t *testing.T) {
			var events []string
			h, roles := bulkHandler(t, kind, func(c *scim.Config) {
				c.OnEvent = func(_ context.Context, e scim.Event) {
					if e.Kind != scim.ToleranceUsed {
						events = append(events, string(e.Kind))
					}
				}
			})
			results(t, testhost.Do(t, h, "POST", "/Bulk", testhost.BulkBody(testhost.PostGroup("g", "Admin", "User bulkId:u"), testhost.PostUser("u", "u"), testhost.PostGroup("h", "Viewer"))))
			if diff := cmp.Diff([]string{"Admin"}, roles.Of("1")); diff != "" {
				t.Fatal(diff)
			}
			results(t, testhost.Do(t, h, "POST", "/Bulk", testhost.BulkBody(
				testhost.Patch("/Groups/2", `{"op":"remove","path":"members[value eq \"1\"]"}`),
				testhost.Patch("/Groups/3", `{"op":"add","path":"members","value":[{"value":"1"}]}`))))
			if diff := cmp.Diff([]string{"Viewer"}, roles.Of("1")); diff != "" {
				t.Errorf("S4, moved between groups: %s", diff)
			}
			events = nil
			results(t, testhost.Do(t, h, "POST", "/Bulk", testhost.BulkBody(
				testhost.PostGroup("a", "Admin", "Group bulkId:b", "User 1"), testhost.PostGroup("b", "Editor", "Group bulkId:a", "User bulkId:nobody"))))
			if diff := cmp.Diff([]string{"Viewer"}, roles.Of("1")); diff != "" || len(events) > 0 {
				t.Errorf("a failed circle gave roles or told of them: %s %v", diff, events)
			}
			results(t, testhost.Do(t, h, "POST", "/Bulk", testhost.BulkBody(
				testhost.PostGroup("a", "Admin", "Group bulkId:b", "User 1"), testhost.PostGroup("b", "Editor", "Group bulkId:a", "User 1"))))
			if diff := cmp.Diff([]string{"Admin", "Editor", "Viewer"}, roles.Of("1")); diff != "" {
				t.Errorf("a circle: %s", diff)
			}
		})
	}
}

// again is a store that runs each transaction twice, as after a deadlock.
type again struct{ *memory.Store }

type insideKey struct{}

func (s again) InTx(ctx context.Context, fn func(ctx context.Context) error) error {
	if ctx.Value(insideKey{}) != nil {
		return s.Store.InTx(ctx, fn)
	}
	ctx = context.WithValue(ctx, insideKey{}, true)
	deadlock := errors.New("deadlock")
	err := s.Store.InTx(ctx, func(ctx context.Context) error { return errors.Join(deadlock, fn(ctx)) })
	if !errors.Is(err, deadlock) {
		return fmt.Errorf("not rolled back: %w", err)
	}
	return s.Store.InTx(ctx, fn)
}

func TestBulkRunsAgain(t *testing.T) {
	var events []string
	h, roles := bulkHandler(t, "memory", func(c *scim.Config) {
		c.Store = again{memory.New()}
		c.OnEvent = func(_ context.Context, e scim.Event) {
			if e.Kind == scim.GroupCreated || e.Kind == scim.MemberAdded {
				events = append(events, fmt.Sprint(e.Kind, " ", e.Resource.ID, e.Member.ID))
			}
		}
	})
	lines, details := results(t, testhost.Do(t, h, "POST", "/Bulk", testhost.BulkBody(testhost.PostUser("u", "u"), testhost.PostGroup("a", "Admin", "Group bulkId:b", "User bulkId:u"), testhost.PostGroup("b", "Editor", "Group bulkId:a"))))
	if details != "" {
		t.Fatalf("%v: %s", lines, details)
	}
	// A circle makes new ids in each run.
	if diff := cmp.Diff([]string{"1 u", "4 Admin: Group 5, User 1", "5 Editor: Group 4"}, listStored(t, h)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"Admin"}, roles.Of("1")); diff != "" {
		t.Error(diff)
	}
	want := []string{"group created 4", "group created 5", "member added 41", "member added 45", "member added 54"}
	slices.Sort(events)
	if diff := cmp.Diff(want, events); diff != "" {
		t.Errorf("each event once: %s", diff)
	}
}

func TestBulkLogs(t *testing.T) {
	var log strings.Builder
	h, _ := bulkHandler(t, "memory", func(c *scim.Config) { c.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	log.Reset()
	testhost.Do(t, h, "POST", "/Bulk", testhost.BulkBody(testhost.Delete("/Users/7"), testhost.PostUser("a", "a"), testhost.Delete("/Nope/8")))
	if got := strings.Count(log.String(), "scim: refused"); got != 2 || !strings.Contains(log.String(), "route=/Users/{id} status=404") {
		t.Errorf("each operation that fails has a line, got %d:\n%s", got, &log)
	}
}

func TestBulkTime(t *testing.T) {
	for kind := range bulkStores {
		ctx, cancel := context.WithDeadline(context.Background(), time.Now().Add(-time.Second))
		defer cancel()
		h, _ := bulkHandler(t, kind, nil)
		timed := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(w, r.WithContext(ctx)) })
		lines, _ := results(t, testhost.Do(t, timed, "POST", "/Bulk", testhost.BulkBody(testhost.PostUser("a", "a"), testhost.PostUser("b", "b", testhost.Manager("bulkId:b")))))
		if diff := cmp.Diff([]string{"POST a 503", "POST b 503"}, lines); diff != "" {
			t.Errorf("%s: what there was no time for can be tried again: %s", kind, diff)
		}
		if diff := cmp.Diff([]string{}, listStored(t, h)); diff != "" {
			t.Errorf("%s: %s", kind, diff)
		}
	}
}

func TestBulkConfig(t *testing.T) {
	h, _ := bulkHandler(t, "memory", func(c *scim.Config) { c.Limits = scim.Limits{BulkOps: 7, BulkBody: 12345} })
	want := map[string]any{"supported": true, "maxOperations": 7.0, "maxPayloadSize": 12345.0}
	if diff := cmp.Diff(want, testhost.Decode(t, testhost.Do(t, h, "GET", "/ServiceProviderConfig", ""))["bulk"]); diff != "" {
		t.Error(diff)
	}
}

func FuzzBulk(f *testing.F) {
	for _, tt := range slices.Concat(bulkReferences(), bulkCircles(), bulkFailures(), bulkPaths()) {
		if len(tt.body) < 2000 {
			f.Add(tt.body)
		}
	}
	f.Fuzz(func(t *testing.T, body string) {
		for kind := range bulkStores {
			h, _ := bulkHandler(t, kind, func(c *scim.Config) { c.Limits.BulkOps = 20 })
			r := testhost.Do(t, h, "POST", "/Bulk", body, "Content-Type: application/json")
			if r.StatusCode >= 500 {
				t.Fatalf("%s: status %d", kind, r.StatusCode)
			}
			var out struct {
				Operations []struct{ Method, Status string }
			}
			if err := json.NewDecoder(r.Body).Decode(&out); err != nil {
				t.Fatal(err)
			}
			for _, p := range out.Operations {
				if p.Status == "500" || p.Status == "0" {
					t.Fatalf("%s: %v", kind, out)
				}
			}
		}
	})
}
