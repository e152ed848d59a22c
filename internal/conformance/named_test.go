package conformance

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
)

// One request names a limited number of members, in all its operations together.
func TestARequestNamesALimitedNumberOfMembers(t *testing.T) {
	h := testhost.Handler(t, func(c *scim.Config) { c.Limits.Members = 3 })
	var ids []string
	for i := range 5 {
		ids = append(ids, testhost.Create(t, h, "/Users", fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"u%d"}`, i)))
	}
	members := func(ids ...string) string {
		return `[{"value":"` + strings.Join(ids, `"},{"value":"`) + `"}]`
	}
	group := func(ids ...string) string {
		return `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"g","members":` + members(ids...) + `}`
	}
	patch := func(ops ...string) string {
		return `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[` + strings.Join(ops, ",") + `]}`
	}
	add := func(ids ...string) string { return `{"op":"add","path":"members","value":` + members(ids...) + `}` }
	remove := func(id string) string { return `{"op":"remove","path":"members[value eq \"` + id + `\"]"}` }
	g := testhost.Create(t, h, "/Groups", group(ids[:3]...))
	for _, c := range []struct {
		name, method, target, body string
		want                       int
	}{
		{"POST of four", "POST", "/Groups", group(ids[:4]...), 413},
		{"PUT of four", "PUT", "/Groups/" + g, group(ids[:4]...), 413},
		{"PUT of three", "PUT", "/Groups/" + g, group(ids[:3]...), 200},
		{"PUT of the same one a hundred times", "PUT", "/Groups/" + g, group(strings.Split(strings.Repeat(","+ids[0], 100)[1:], ",")...), 413},
		{"PATCH of three", "PATCH", "/Groups/" + g, patch(add(ids[1], ids[2]), remove(ids[0])), 204},
		{"PATCH of four", "PATCH", "/Groups/" + g, patch(add(ids[1], ids[2]), remove(ids[0]), remove(ids[1])), 413},
		{"PATCH of a further one: the group may be larger", "PATCH", "/Groups/" + g, patch(add(ids[3], ids[4])), 204},
	} {
		if res := testhost.Do(t, h, c.method, c.target, c.body); res.StatusCode != c.want {
			t.Errorf("%s: the answer is %d, want %d: %v", c.name, res.StatusCode, c.want, testhost.Decode(t, res))
		}
	}
	h = testhost.Handler(t, func(c *scim.Config) { c.Limits.Members = 8 }) // a quarter in a bulk request
	for i := range ids {
		ids[i] = testhost.Create(t, h, "/Users", fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"u%d"}`, i))
	}
	bulk := `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[
		{"method":"POST","path":"/Groups","bulkId":"a","data":` + group(ids[:2]...) + `},
		{"method":"POST","path":"/Groups","bulkId":"b","data":` + group(ids[:2]...) + `}]}`
	ops, _ := testhost.Decode(t, testhost.Do(t, h, "POST", "/Bulk", bulk))["Operations"].([]any)
	var got []any
	for _, op := range ops {
		got = append(got, op.(map[string]any)["status"])
	}
	if fmt.Sprint(got) != "[201 413]" {
		t.Errorf("the operations of a bulk request are answered %v", got)
	}
}

// The decoder remembers the names of the objects around a place, so there are not too many.
func TestABodyHasALimitedNumberOfNames(t *testing.T) {
	h := testhost.Handler(t, nil)
	names := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `"%d":1,`, i)
		}
		return b.String()
	}
	for n, want := range map[int]int{50_000: http.StatusCreated, 100_000: http.StatusBadRequest} {
		body := `{` + names(n) + `"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"g"}`
		if res := testhost.Do(t, h, "POST", "/Groups", body); res.StatusCode != want {
			t.Errorf("a group with %d names is answered %d, want %d", n, res.StatusCode, want)
		}
	}
}
