package conformance

import (
	"testing"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
)

func TestOptionsListsTheMethods(t *testing.T) {
	h := testhost.Handler(t, func(c *scim.Config) { c.OpenDiscovery = true })
	const stranger = "Authorization: "
	for _, tt := range []struct {
		name, target string
		header       []string
		status       int
		allow        string
		reason       string
	}{
		{"a list", "/Users", nil, 204, "GET, HEAD, OPTIONS, POST", "RFC 9110, Section 9.3.7"},
		{"a resource", "/Users/nope", nil, 204, "DELETE, GET, HEAD, OPTIONS, PATCH, PUT", "it looks for no resource"},
		{"a search", "/.search", nil, 204, "OPTIONS, POST", "the same"},
		{"bulk requests", "/Bulk", nil, 204, "OPTIONS, POST", "the same"},
		{"discovery", "/Schemas", nil, 204, "GET, HEAD, OPTIONS", "the same"},
		{"the root", "/", nil, 204, "GET, HEAD, OPTIONS", "the same"},
		{"no such route", "/Nope", nil, 404, "", "there are no methods"},
		{"what is off", "/Me", nil, 501, "", "no method is possible"},
		{"no token", "/Users", []string{stranger}, 401, "", "strangers do not learn which routes there are"},
		{"no token, an unknown route", "/Nope", []string{stranger}, 401, "", "the same"},
		{"no token, discovery is open", "/Schemas", []string{stranger}, 204, "GET, HEAD, OPTIONS", "as for GET"},
	} {
		res := testhost.Do(t, h, "OPTIONS", tt.target, "", tt.header...)
		if got := res.Header.Get("Allow"); res.StatusCode != tt.status || got != tt.allow {
			t.Errorf("%s: %d with Allow %q, want %d with %q (%s)", tt.name, res.StatusCode, got, tt.status, tt.allow, tt.reason)
		}
	}
}
