package conformance

import (
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
)

// denies is an Authenticator that refuses every request.
type denies struct{ err error }

func (d denies) Authenticate(*http.Request) (scim.Principal, error) { return scim.Principal{}, d.err }

// OpenDiscovery ignores a missing authentication, and no other error.
func TestOpenDiscoveryOnlyPassesOver401(t *testing.T) {
	for _, tt := range []struct {
		name         string
		err          error
		config, list int
		reason       string
	}{
		{"no token", errors.New("no token"), 200, 401, "RFC 7644, Section 4"},
		{"401 of its own", &scim.Error{Status: 401, Detail: "expired"}, 200, 401, "the same"},
		{"no endpoint", scim.ErrNotFound, 404, 404, "there is nothing here, for everyone"},
		{"no endpoint, wrapped", fmt.Errorf("tenant: %w", scim.ErrNotFound), 404, 404, "the same"},
		{"off", &scim.Error{Status: 503, Detail: "off"}, 503, 503, "off is off"},
		{"too many", &scim.Error{Status: 429, Detail: "slower"}, 429, 429, "a rate limit holds everywhere"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := testhost.Handler(t, func(c *scim.Config) { c.OpenDiscovery, c.Auth = true, denies{tt.err} })
			for path, want := range map[string]int{"/ServiceProviderConfig": tt.config, "/Schemas": tt.config, "/Users": tt.list, "/Nope": tt.list} {
				if got := testhost.Do(t, h, "GET", path, "").StatusCode; got != want {
					t.Errorf("GET %s: %d, want %d (%s)", path, got, want, tt.reason)
				}
			}
		})
	}
}
