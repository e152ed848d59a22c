package conformance

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/store/memory"
)

// The event of a tolerance says which resource the client sent and where it deviates. So the
// application can tell its customer what to repair.
func TestToleranceEvents(t *testing.T) {
	var got []string
	h := testhost.New(t, scim.Config{Store: memory.New(), OnEvent: func(_ context.Context, e scim.Event) {
		if e.Kind == scim.ToleranceUsed {
			got = append(got, fmt.Sprint(e.Tolerance, " ", e.Resource.Type, " ", e.Resource.ID, " ", e.Path))
		}
	}})
	ann := testhost.Create(t, h, "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ann"}`)
	got = nil
	for _, tt := range []struct {
		reason, method, path, body string
		want                       []string
	}{
		{"Entra's spelling", "PATCH", "/Users/" + ann, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"Replace","path":"active","value":"False"}]}`,
			[]string{"op-case User " + ann + " op", "boolean-string User " + ann + " active"}},
		{"a sub-attribute", "PUT", "/Users/" + ann, `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ann","emails":[{"value":"a@example.com","primary":"true"}]}`,
			[]string{"boolean-string User " + ann + " emails.primary"}},
		{"no schemas", "POST", "/Groups", `{"displayName":"team"}`, []string{"missing-schemas Group NEW schemas"}},
		{"a refused creation has no id", "POST", "/Users", `{"userName":"ann"}`, []string{"missing-schemas User  schemas"}},
		{"a filter", "GET", "/Users?filter=userName+eq+ann", "", []string{"unquoted-literal User  "}},
		{"nothing", "GET", "/Users/" + ann, "", nil},
		{"operations of a bulk request", "POST", "/Bulk", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[
			{"method":"POST","path":"/Users","bulkId":"b","data":{"userName":"bob"}},
			{"method":"PATCH","path":"/Users/` + ann + `","data":{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"Add","path":"title","value":"x"}]}}]}`,
			[]string{"missing-schemas User NEW schemas", "op-case User " + ann + " op"}},
	} {
		before := map[string]bool{}
		ids := func(note func(id string)) {
			for _, list := range []string{"/Users", "/Groups"} {
				for _, r := range testhost.Decode(t, testhost.Do(t, h, "GET", list, ""))["Resources"].([]any) {
					note(r.(map[string]any)["id"].(string))
				}
			}
		}
		ids(func(id string) { before[id] = true })
		got = nil
		testhost.Do(t, h, tt.method, tt.path, tt.body)
		said := got
		created := ""
		ids(func(id string) {
			if !before[id] {
				created = id
			}
		})
		for i, line := range tt.want {
			var tolerance, of, id, path string
			if n, _ := fmt.Sscan(line, &tolerance, &of, &id, &path); n == 4 && id == "NEW" {
				tt.want[i] = fmt.Sprint(tolerance, " ", of, " ", created, " ", path)
			}
		}
		if diff := cmp.Diff(tt.want, said); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.reason, diff)
		}
	}
}
