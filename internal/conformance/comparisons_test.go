package conformance

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
)

// A filter of 4 kB compares many terms with each resource. What takes too much is 400
// tooMany; what an index answers, and a single comparison, are always allowed.
func TestAFilterTakesALimitedNumberOfComparisons(t *testing.T) {
	h := testhost.Handler(t, func(c *scim.Config) { c.Limits.Comparisons = 200 })
	for i := range 30 {
		testhost.Create(t, h, "/Users", fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"u%d","title":"t"}`, i))
	}
	many := strings.Repeat(`title co "a" or `, 120) + `title co "b"`
	for filter, want := range map[string]string{
		`title co "t"`:                        "<nil>",
		`title co "a" or title co "b"`:        "<nil>",
		many:                                  "tooMany",
		`userName eq "u1" and (` + many + `)`: "<nil>",
		`title co "t"` + strings.Repeat(` and title sw "t"`, 6): "tooMany",
	} {
		for _, path := range []string{"/Users?filter=", "/Users?sortBy=title&count=1&filter=", "/Users?cursor&filter=", "/?filter="} {
			body := testhost.Decode(t, testhost.Do(t, h, "GET", path+url.QueryEscape(filter), ""))
			if got := fmt.Sprint(body["scimType"]); got != want {
				t.Errorf("%s%.60s: scimType is %s, want %s: %v", path, filter, got, want, body["detail"])
			}
		}
	}
}
