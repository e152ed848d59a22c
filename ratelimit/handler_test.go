package ratelimit_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/ratelimit"
	"github.com/scimkit/scim/store/memory"
)

// endpoint is a handler with the tenants a and b, whose tokens have their names.
func endpoint(t *testing.T, l scim.Limiter, change func(c *scim.Config)) http.Handler {
	t.Helper()
	all := map[string]*scim.Tenant{"a": {ID: "a", Store: memory.New()}, "b": {ID: "b", Store: memory.New()}}
	var tokens []auth.Token
	for id := range all {
		token := auth.TokenOf(id)
		token.Tenant = id
		tokens = append(tokens, token)
	}
	c := scim.Config{Auth: auth.Bearer(tokens...), Limiter: l, Log: slog.New(slog.DiscardHandler),
		TenantFor: func(_ context.Context, p scim.Principal) (*scim.Tenant, error) {
			if p.Tenant == "" {
				return all["a"], nil
			}
			return all[p.Tenant], nil
		}}
	if change != nil {
		change(&c)
	}
	h, err := scim.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func send(h http.Handler, method, path, token, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestHandler(t *testing.T) {
	clk := newClock()
	h := endpoint(t, limiter(t, ratelimit.Options{Rate: 25, Now: clk.now}), func(c *scim.Config) { c.OpenDiscovery = true })
	ann := send(h, "POST", "/Users", "a", `{"userName": "ann"}`)
	id := strings.TrimPrefix(ann.Header().Get("Location"), "http://example.com")
	for range 200 {
		if w := send(h, "GET", "/Users", "wrong", ""); w.Code != 401 || w.Header().Get("RateLimit") != "" {
			t.Fatalf("a wrong token: %d %v", w.Code, w.Header())
		}
		if w := send(h, "GET", "/Schemas", "", ""); w.Code != 200 {
			t.Fatalf("open discovery: %d", w.Code)
		}
	}
	for i := range 24 {
		path := []string{"/Users", "/Nothing", "/Schemas"}[i%3] // What does not exist counts too.
		if w := send(h, "GET", path, "a", ""); w.Code == 429 || w.Header().Get("RateLimit-Policy") == "" || w.Header().Get("RateLimit") == "" {
			t.Fatalf("request %d: %d %v", i+2, w.Code, w.Header())
		}
	}
	w := send(h, "GET", "/Users", "a", "")
	if w.Code != 429 || w.Header().Get("Retry-After") != "1" || w.Header().Get("RateLimit") != `"requests";r=0;t=1` ||
		w.Header().Get("RateLimit-Policy") != `"requests";q=25;w=1, "changes";q=5;w=1` || !strings.Contains(w.Body.String(), `"status":"429"`) {
		t.Errorf("one too many: %d %v %s", w.Code, w.Header(), w.Body)
	}
	for _, c := range []struct {
		method, path, token, body string
		want                      int
		reason                    string
	}{
		{"POST", "/Users", "a", `{"userName": "bob"}`, 429, "a creation gives access"},
		{"POST", "/Users/.search", "a", `{}`, 429, "a search"},
		{"DELETE", "/Users", "a", "", 429, "no resource"},
		{"PATCH", id, "a", `{"Operations": [{"op": "replace", "path": "active", "value": false}]}`, 200, "a deactivation has the reserve"},
		{"PUT", id, "a", `{"userName": "ann", "active": false}`, 200, "this one too"},
		{"DELETE", id, "a", "", 204, "and a deletion"},
		{"PATCH", "/Groups/unknown", "a", `{}`, 400, "and what may remove members"},
		{"GET", "/Users", "b", "", 200, "another tenant does not notice"},
		{"DELETE", "/Users/unknown", "a", "", 404, "the fifth of the reserve"},
		{"DELETE", "/Users/unknown", "a", "", 429, "the reserve has an end"},
	} {
		if w := send(h, c.method, c.path, c.token, c.body); w.Code != c.want && !(c.want == 200 && w.Code == 204) {
			t.Errorf("%s %s: %d, want %d: %s\n%s", c.method, c.path, w.Code, c.want, c.reason, w.Body)
		}
	}
}

func TestBulkCosts(t *testing.T) {
	clk := newClock()
	h := endpoint(t, limiter(t, ratelimit.Options{Now: clk.now}), nil)
	var ops []string
	for i := range 60 {
		ops = append(ops, fmt.Sprintf(`{"method": "POST", "path": "/Users", "bulkId": "%d", "data": {"userName": "u%d"}}`, i, i))
	}
	if w := send(h, "POST", "/Bulk", "a", `{"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": [`+strings.Join(ops, ",")+`]}`); w.Code != 200 {
		t.Fatal(w.Code, w.Body)
	}
	if w := send(h, "GET", "/Users", "a", ""); w.Header().Get("RateLimit") != `"requests";r=39;t=1` {
		t.Errorf("after 60 operations: %v", w.Header())
	}
}

// broken is a Limiter with a bug.
type broken struct{}

func (broken) Admit(context.Context, string, bool) scim.Admission { panic("a bug") }
func (broken) Charge(context.Context, string, int)                {}

func TestBrokenLimiter(t *testing.T) {
	if w := send(endpoint(t, broken{}, nil), "GET", "/Users", "a", ""); w.Code != 500 || strings.Contains(w.Body.String(), "bug") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// costly takes 2 ms of one of four connections for each list, as a database does.
type costly struct {
	scim.Store
	connections chan struct{} // all tenants share them
}

func (c costly) List(ctx context.Context, t *scim.ResourceType, q *scim.Query) (*scim.Page, error) {
	c.connections <- struct{}{}
	defer func() { <-c.connections }()
	time.Sleep(2 * time.Millisecond)
	return c.Store.List(ctx, t, q)
}

// While one tenant floods the endpoint, the 99th percentile of another one's requests is at most twice
// as long as without the flood. Without the Limiter they wait behind the flood. The time is that of
// synctest, so other load on the machine does not count.
func TestFlood(t *testing.T) {
	p99 := func(t *testing.T, l scim.Limiter, flood int) time.Duration {
		connections := make(chan struct{}, 4)
		h := endpoint(t, l, func(c *scim.Config) {
			find := c.TenantFor
			c.TenantFor = func(ctx context.Context, p scim.Principal) (*scim.Tenant, error) {
				x, err := find(ctx, p)
				return &scim.Tenant{ID: x.ID, Store: costly{x.Store, connections}}, err
			}
		})
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for range flood {
			wg.Go(func() {
				for ctx.Err() == nil {
					if send(h, "GET", "/Users", "a", "").Code == 429 {
						time.Sleep(10 * time.Millisecond)
					}
				}
			})
		}
		time.Sleep(time.Second) // The bucket of the flood is empty by then.
		var took []time.Duration
		for range 200 {
			start := time.Now()
			if w := send(h, "GET", "/Users", "b", ""); w.Code != 200 {
				t.Errorf("%d %s", w.Code, w.Body)
			}
			took = append(took, time.Since(start))
			time.Sleep(10 * time.Millisecond)
		}
		cancel()
		wg.Wait()
		slices.Sort(took)
		return took[len(took)*99/100]
	}
	synctest.Test(t, func(t *testing.T) {
		alone := p99(t, limiter(t, ratelimit.Options{}), 0)
		flooded := p99(t, limiter(t, ratelimit.Options{}), 32)
		unlimited := p99(t, nil, 32)
		t.Logf("%v alone, %v with the flood, %v with the flood and no Limiter", alone, flooded, unlimited)
		if flooded > 2*alone {
			t.Errorf("p99 is %v with the flood and %v without", flooded, alone)
		}
		if unlimited <= 2*alone {
			t.Errorf("p99 is %v without the Limiter: the flood of this test is none", unlimited)
		}
	})
}
