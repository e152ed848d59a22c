package conformance

import (
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
)

// A short reference may become a long address. The limit of a body also holds for the data
// with addresses.
func TestBulkReferencesAreLimited(t *testing.T) {
	send := func(t *testing.T, n int) (statuses []any, used uint64) {
		h := testhost.Handler(t, func(c *scim.Config) { c.BaseURL = "https://x.test/" + strings.Repeat("a", 1000) })
		body := `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[{"method":"POST","bulkId":"a","path":"/Users","data":{"userName":"a"}},` +
			`{"method":"POST","bulkId":"g","path":"/Groups","data":{"displayName":"g","members":[` + strings.TrimSuffix(strings.Repeat(`{"$ref":"bulkId:a"},`, n), ",") + `]}}]}`
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		res := testhost.Do(t, h, "POST", "/Bulk", body)
		runtime.ReadMemStats(&after)
		for _, op := range testhost.Decode(t, res)["Operations"].([]any) {
			statuses = append(statuses, op.(map[string]any)["status"])
		}
		return statuses, after.TotalAlloc - before.TotalAlloc
	}
	got, _ := send(t, 1000)
	if diff := cmp.Diff([]any{"201", "201"}, got); diff != "" {
		t.Errorf("about 1 MB of addresses (-want +got):\n%s", diff)
	}
	got, used := send(t, 100_000)
	if diff := cmp.Diff([]any{"201", "413"}, got); diff != "" {
		t.Errorf("about 100 MB of addresses (-want +got):\n%s", diff)
	}
	if used > 500<<20 {
		t.Errorf("%d MB were needed to refuse that", used>>20)
	}
}
