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

// References are found where a PATCH with a tolerance finds the attribute: Q81 in the
// extension whose URN a path lacks, Q82 in an object around the list of members.
func TestBulkReferencesInTolerantPatches(t *testing.T) {
	h := testhost.Handler(t, nil)
	ann := testhost.Create(t, h, "/Users", `{"userName":"ann"}`)
	group := testhost.Create(t, h, "/Groups", `{"displayName":"g"}`)
	res := testhost.Do(t, h, "POST", "/Bulk", testhost.BulkBody(testhost.PostUser("b", "boss"),
		testhost.Patch("/Users/"+ann, `{"op":"add","path":"manager","value":[{"value":"bulkId:b"}]}`),
		testhost.Patch("/Groups/"+group, `{"op":"add","path":"members","value":{"members":[{"value":"bulkId:b"}]}}`)))
	var statuses []any
	for _, op := range testhost.Decode(t, res)["Operations"].([]any) {
		statuses = append(statuses, op.(map[string]any)["status"])
	}
	if diff := cmp.Diff([]any{"201", "200", "204"}, statuses); diff != "" {
		t.Fatalf("(-want +got):\n%s", diff)
	}
	members := memberIDs(testhost.Decode(t, testhost.Do(t, h, "GET", "/Groups/"+group, "")))
	if len(members) != 1 {
		t.Fatalf("the group has the members %q", members)
	}
	user := testhost.Decode(t, testhost.Do(t, h, "GET", "/Users/"+ann, ""))
	enterprise, _ := user[testhost.Enterprise].(map[string]any)
	if diff := cmp.Diff(map[string]any{"value": members[0]}, enterprise["manager"], cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == `["$ref"]` }, cmp.Ignore())); diff != "" {
		t.Errorf("the manager (-want +got):\n%s", diff)
	}
}
