package conformance

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/store/memory"
)

// holder authenticates everybody as a client with these scopes.
type holder []string

func (s holder) Authenticate(*http.Request) (scim.Principal, error) {
	return scim.Principal{ID: "client", Scopes: s}, nil
}

// A client with all scopes allocates nothing for them, with role attributes and without.
func TestScopesOfEverythingCostNothing(t *testing.T) {
	store := memory.New()
	allocations := func(scopes []string, attributes ...string) float64 {
		h := testhost.Handler(t, func(c *scim.Config) {
			c.Store, c.Auth, c.NewID = store, holder(scopes), func() string { return "1" }
			c.Roles = &scim.Roles{Resolver: testhost.NewRoles(), Attributes: attributes}
		})
		testhost.Do(t, h, "POST", "/Users", `{"userName":"ann"}`)
		r := httptest.NewRequest("GET", "/Users/1", nil)
		return testing.AllocsPerRun(100, func() {
			w := httptest.NewRecorder()
			if h.ServeHTTP(w, r); w.Code != 200 {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
		})
	}
	want := allocations(nil)
	if testhost.UnderRace {
		want += 5 // pools then forget some of what they get
	}
	for name, got := range map[string]float64{
		"all scopes":                      allocations([]string{scim.ScopeUsers, scim.ScopeGroups}),
		"all scopes, and role attributes": allocations([]string{scim.ScopeUsers, scim.ScopeGroups}, "roles"),
		"nil, and role attributes":        allocations(nil, "roles"),
	} {
		if got > want {
			t.Errorf("%s: %v allocations, want at most the %v of nil scopes without role attributes", name, got, want)
		}
	}
}
