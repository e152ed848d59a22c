package conformance

import (
	"context"
	"fmt"
	"net/url"
	"testing"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/store/memory"
)

// A cursor is of one client of one tenant, for one list. All else gets the same refusal, as if the
// cursor was made up. The tenants share a store and keys, so nothing but the cursor keeps them apart.
func TestACursorBelongsToItsClient(t *testing.T) {
	store := memory.New()
	var tokens []auth.Token
	for _, of := range []struct{ secret, client, tenant string }{{"a1", "one", "a"}, {"a2", "two", "a"}, {"b1", "one", "b"}} {
		token := auth.TokenOf(of.secret)
		token.ID, token.Tenant = of.client, of.tenant
		tokens = append(tokens, token)
	}
	h := testhost.New(t, scim.Config{Auth: auth.Bearer(tokens...), TenantFor: func(_ context.Context, p scim.Principal) (*scim.Tenant, error) {
		return &scim.Tenant{ID: p.Tenant, Store: store}, nil
	}})
	for i := range 5 {
		testhost.Create(t, h, "/Users", fmt.Sprintf(`{"userName":"u%d"}`, i), "Authorization: Bearer a1")
	}
	first := testhost.Decode(t, testhost.Do(t, h, "GET", "/Users?cursor&count=2", "", "Authorization: Bearer a1"))
	cursor, _ := first["nextCursor"].(string)
	if cursor == "" {
		t.Fatalf("no cursor: %v", first)
	}
	for _, tt := range []struct {
		secret, list string
		status       int
		reason       string
	}{
		{"a1", "/Users?", 200, "its own client"},
		{"a2", "/Users?", 400, "another client of the tenant"},
		{"b1", "/Users?", 400, "a client of the same name of another tenant"},
		{"a1", "/Groups?", 400, "another list"},
		{"a1", "/Users?filter=active+eq+true&", 400, "another filter"},
	} {
		res := testhost.Do(t, h, "GET", tt.list+"count=2&cursor="+url.QueryEscape(cursor), "", "Authorization: Bearer "+tt.secret)
		if res.StatusCode != tt.status {
			t.Errorf("%s: %d, want %d", tt.reason, res.StatusCode, tt.status)
		}
		if got := testhost.Decode(t, res)["scimType"]; tt.status != 200 && got != "invalidCursor" {
			t.Errorf("%s: scimType %v", tt.reason, got)
		}
	}
}
