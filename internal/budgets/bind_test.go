package budgets

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"testing"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/store/memory"
)

// boundApp has the values that the tenants of these tests share. An application builds a
// Tenant for each request from such values.
type boundApp struct {
	store    *memory.Store
	resolver *testhost.Roles
	without  []scim.Tolerance
}

func newBoundApp() *boundApp {
	return &boundApp{memory.New(), testhost.NewRoles(), scim.Tolerances()}
}

// tenant builds a tenant that has everything.
func (a *boundApp) tenant() *scim.Tenant {
	return &scim.Tenant{
		ID: "t", Store: a.store, Types: []*scim.ResourceType{scim.UserType(), scim.GroupType()},
		Roles:   &scim.Roles{Resolver: a.resolver, Attributes: []string{"roles", "userType"}, Pick: scim.PickHeaviest},
		Rules:   []scim.Rule{func(context.Context, *scim.Change) error { return nil }},
		Allow:   func(context.Context, scim.Access) error { return nil },
		BaseURL: "https://app.example.com/scim/v2", Without: a.without,
		Members: scim.MemberPolicy{SkipUnknown: true},
		Me: &scim.SelfService{Writable: []string{"nickName", "phoneNumbers"},
			UserOf: func(context.Context, scim.Principal) (string, error) { return "", scim.ErrNotFound }},
	}
}

// handler serves tenants that it builds for each request.
func (a *boundApp) handler(tb testing.TB) *scim.Handler {
	return testhost.New(tb, scim.Config{TenantFor: func(context.Context, scim.Principal) (*scim.Tenant, error) { return a.tenant(), nil }})
}

// bindTenant returns a function that binds a tenant. It calls Roles, which does hardly
// anything else and keeps nothing between calls.
func bindTenant(tb testing.TB) func() {
	a := newBoundApp()
	h, t := a.handler(tb), a.tenant()
	return func() { testhost.Must(h.Reconciler(t)) }
}

// BenchmarkBindTenant is the cost of TenantFor for a request, without the application's own
// work.
func BenchmarkBindTenant(b *testing.B) {
	bind := bindTenant(b)
	b.ReportAllocs()
	for b.Loop() {
		bind()
	}
}

// TestHeapStaysFlat serves requests with a new Tenant each, and checks that the heap keeps
// nothing of them. SCIM_BUDGETS makes it a million requests.
func TestHeapStaysFlat(t *testing.T) {
	requests := 20_000
	if os.Getenv("SCIM_BUDGETS") != "" {
		requests = 1_000_000
	}
	a := newBoundApp()
	put(t, a.store, scim.UserType(), "u0", small(0))
	h := a.handler(t)
	r := httptest.NewRequest("GET", "/Users/u0", nil)
	r.Header.Set("Authorization", "Bearer "+testhost.Secret)
	heap := func() int64 {
		runtime.GC()
		runtime.GC() // the second one also frees the contents of pools
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	var early int64
	for i := range requests {
		if i == requests/10 {
			early = heap()
		}
		w := testhost.NewCountingWriter()
		if h.ServeHTTP(w, r); w.Status != http.StatusOK {
			t.Fatalf("status %d", w.Status)
		}
	}
	grown := heap() - early
	t.Logf("the heap has %d bytes after %d requests, and %d more after %d", early, requests/10, grown, requests)
	if grown > 64<<10 {
		t.Errorf("the heap grew by %d bytes in %d requests", grown, requests-requests/10)
	}
}
