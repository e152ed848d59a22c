package conformance

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/store/memory"
)

// smallLimits are limits of a resource that short requests reach. It has at most 4,000
// bytes.
func smallLimits(c *scim.Config) {
	c.Limits = scim.Limits{Body: 8_000, Text: 400, Name: 50, Values: 10}
}

// values is a JSON list of n objects with a "value".
func values(n int) string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprintf(`{"value":"v%04d"}`, i))
	}
	return "[" + strings.Join(list, ",") + "]"
}

// patchOf is the body of a PATCH.
func patchOf(ops ...string) string {
	return `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[` + strings.Join(ops, ",") + `]}`
}

// replaceOf is an operation that replaces path by a JSON value.
func replaceOf(path, value string) string {
	return fmt.Sprintf(`{"op":"replace","path":%q,"value":%s}`, path, value)
}

const enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

// overLimits are attributes that exceed one of smallLimits, and the detail of the refusal.
var overLimits = []struct{ name, path, value, detail string }{
	{"a string", "title", quoted(401), "title: has 401 bytes; at most 400 are allowed"},
	{"a string in bytes", "title", `"` + strings.Repeat("é", 201) + `"`, "title: has 402 bytes; at most 400 are allowed"},
	{"a part", "name", `{"givenName":` + quoted(401) + `}`, "name.givenName: has 401 bytes; at most 400 are allowed"},
	{"a part of an element", "phoneNumbers", `[{"value":"1"},{"value":"2","display":` + quoted(401) + `}]`, "phoneNumbers.display: has 401 bytes; at most 400 are allowed"},
	{"a binary value", "x509Certificates", `[{"value":` + quoted(404) + `}]`, "x509Certificates.value: has 404 bytes; at most 400 are allowed"},
	{"in an extension", enterprise + ":department", quoted(401), enterprise + ":department: has 401 bytes; at most 400 are allowed"},
	{"a password", "password", quoted(401), "password: has 401 bytes; at most 400 are allowed"},
	{"userName", "userName", quoted(51), "userName: has 51 bytes; at most 50 are allowed"},
	{"displayName", "displayName", quoted(51), "displayName: has 51 bytes; at most 50 are allowed"},
	{"externalId", "externalId", quoted(51), "externalId: has 51 bytes; at most 50 are allowed"},
	{"values", "emails", values(11), "emails: has 11 values; at most 10 are allowed"},
	{"the resource", "ims", fillers("display", 10), "ims: is too large; the whole resource has "},
}

// fillers is a JSON list of n objects with 399 bytes each.
func fillers(name string, n int) string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprintf(`{%q:"%03d%s"}`, name, i, strings.Repeat("x", 396)))
	}
	return "[" + strings.Join(list, ",") + "]"
}

// quoted is a JSON string of n letters.
func quoted(n int) string { return `"` + strings.Repeat("x", n) + `"` }

// withAttribute is a user with one more attribute.
func withAttribute(path, value string) string {
	user := map[string]json.RawMessage{"userName": json.RawMessage(`"ann"`)}
	if name, ok := strings.CutPrefix(path, enterprise+":"); ok {
		path, value = enterprise, `{"`+name+`":`+value+`}`
	}
	user[path] = json.RawMessage(value)
	b, err := json.Marshal(user)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// wantRefusal checks that an answer is 413 with a detail.
func wantRefusal(t *testing.T, w map[string]any, detail string) {
	t.Helper()
	if got, _ := w["detail"].(string); w["status"] != "413" || !strings.HasPrefix(got, detail) {
		t.Errorf("%v: %s, want 413: %s", w["status"], got, detail)
	}
}

// TestResourceLimits exceeds each limit of a resource with each method that writes one.
func TestResourceLimits(t *testing.T) {
	for store, change := range routeHandlers {
		for _, tt := range overLimits {
			t.Run(store+"/"+tt.name, func(t *testing.T) {
				h := seededHandler(t, func(c *scim.Config) { change(c); smallLimits(c) })
				before := testhost.Decode(t, testhost.Do(t, h, "GET", "/Users/u1", ""))
				whole := withAttribute(tt.path, tt.value)
				wantRefusal(t, testhost.Decode(t, testhost.Do(t, h, "POST", "/Users", whole)), tt.detail)
				wantRefusal(t, testhost.Decode(t, testhost.Do(t, h, "PUT", "/Users/u1", whole)), tt.detail)
				for _, op := range []string{
					replaceOf(tt.path, tt.value), strings.Replace(replaceOf(tt.path, tt.value), "replace", "add", 1),
					`{"op":"replace","value":` + withAttribute(tt.path, tt.value) + `}`,
				} {
					wantRefusal(t, testhost.Decode(t, testhost.Do(t, h, "PATCH", "/Users/u1", patchOf(op))), tt.detail)
				}
				bulk := fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[
					{"method":"POST","path":"/Users","bulkId":"1","data":%s},{"method":"PUT","path":"/Users/u1","data":%s},{"method":"PATCH","path":"/Users/u1","data":%s}]}`,
					whole, whole, patchOf(replaceOf(tt.path, tt.value)))
				ops, _ := testhost.Decode(t, testhost.Do(t, h, "POST", "/Bulk", bulk))["Operations"].([]any)
				if len(ops) != 3 {
					t.Fatalf("%d operations", len(ops))
				}
				for _, op := range ops {
					answer, _ := op.(map[string]any)["response"].(map[string]any)
					wantRefusal(t, answer, tt.detail)
				}
				if diff := cmp.Diff(before, testhost.Decode(t, testhost.Do(t, h, "GET", "/Users/u1", ""))); diff != "" {
					t.Errorf("the user has changed (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// TestResourceLimitsReached writes resources that have exactly what is allowed.
func TestResourceLimitsReached(t *testing.T) {
	h := seededHandler(t, func(c *scim.Config) { routeHandlers["memory"](c); smallLimits(c) })
	var members []string
	for i := range 12 {
		members = append(members, fmt.Sprintf(`{"value":%q}`, testhost.Create(t, h, "/Users", fmt.Sprintf(`{"userName":"m%d"}`, i))))
	}
	for _, tt := range []struct{ name, method, target, body, reason string }{
		{"a string", "PATCH", "/Users/u1", patchOf(replaceOf("title", quoted(400))), ""},
		{"a name", "PATCH", "/Users/u1", patchOf(replaceOf("displayName", quoted(50))), ""},
		{"a name within a name", "PATCH", "/Users/u1", patchOf(replaceOf("name.familyName", quoted(51))), "it is no displayName"},
		{"values", "PATCH", "/Users/u1", patchOf(replaceOf("emails", values(10))), ""},
		{"values, one by one", "PATCH", "/Users/u1", patchOf(replaceOf("emails", values(9)), `{"op":"add","path":"emails","value":{"value":"last"}}`), ""},
		{"values that are there", "PATCH", "/Users/u1", patchOf(replaceOf("emails", values(10)), `{"op":"add","path":"emails","value":`+values(10)+`}`), "they add nothing"},
		{"members", "PATCH", "/Groups/g1", patchOf(`{"op":"add","path":"members","value":[` + strings.Join(members, ",") + `]}`), "they are no values of an attribute"},
		{"members by PUT", "PUT", "/Groups/g1", `{"displayName":"Admin","members":[` + strings.Join(members, ",") + `]}`, "they are no values of an attribute"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if res := testhost.Do(t, h, tt.method, tt.target, tt.body); res.StatusCode >= 300 {
				t.Errorf("%d: %v: %s", res.StatusCode, testhost.Decode(t, res), tt.reason)
			}
		})
	}
}

// TestOverLimits lets a resource that is larger than the limits, because they were higher
// once, be read, changed, shrunk and deleted.
func TestOverLimits(t *testing.T) {
	big := `{"userName":` + quoted(60) + `,"title":` + quoted(500) + `,"emails":` + values(12) + `,"addresses":` +
		fillers("region", 10) + `,"phoneNumbers":[{"value":"1","display":` + quoted(500) + `}]}`
	for _, tt := range []struct {
		name, method, body string
		status             int
		reason             string
	}{
		{"read", "GET", "", 200, ""},
		{"put back", "PUT", big, 200, "unchanged values are not judged"},
		{"deactivated by PUT", "PUT", strings.Replace(big, "{", `{"active":false,`, 1), 200, "true and false count the same"},
		{"deactivated", "PATCH", patchOf(replaceOf("active", "false")), 200, ""},
		{"a shorter string", "PATCH", patchOf(replaceOf("title", quoted(450))), 200, "it shrinks, though not to the limit"},
		{"a longer string", "PATCH", patchOf(replaceOf("title", quoted(501))), 413, ""},
		{"another long string", "PATCH", patchOf(replaceOf("nickName", quoted(401))), 413, ""},
		{"a shorter name", "PATCH", patchOf(replaceOf("userName", quoted(55))), 200, ""},
		{"a longer name", "PATCH", patchOf(replaceOf("userName", quoted(61))), 413, ""},
		{"fewer values", "PATCH", patchOf(`{"op":"remove","path":"emails[value eq \"v0003\"]"}`), 200, "11 are still too many"},
		{"other values", "PATCH", patchOf(replaceOf("emails", strings.ReplaceAll(values(12), `"v0`, `"w0`))), 200, "they are not more"},
		{"more values", "PATCH", patchOf(`{"op":"add","path":"emails","value":{"value":"w"}}`, `{"op":"remove","path":"title"}`), 413, ""},
		{"a larger resource", "PATCH", patchOf(replaceOf("nickName", quoted(10))), 413, ""},
		{"another value in its place", "PATCH", patchOf(`{"op":"remove","path":"addresses[region sw \"007\"]"}`, replaceOf("nickName", quoted(399))), 200, "it does not grow"},
		{"a small resource", "PUT", `{"userName":"small"}`, 200, ""},
		{"deleted", "DELETE", "", 204, ""},
	} {
		for _, store := range []string{"memory", "bare"} {
			t.Run(store+"/"+tt.name, func(t *testing.T) {
				var shared scim.Store
				id := testhost.Create(t, seededHandler(t, func(c *scim.Config) { routeHandlers[store](c); shared = c.Store }), "/Users", big)
				c := scim.Config{Store: shared, Roles: &scim.Roles{Resolver: testhost.NewRoles(), Separate: true, Ledger: memory.NewLedger()}}
				smallLimits(&c)
				res := testhost.Do(t, testhost.New(t, c), tt.method, "/Users/"+id, tt.body)
				if res.StatusCode != tt.status {
					b, _ := io.ReadAll(res.Body) //nolint:errcheck // only for the message
					t.Errorf("%d, want %d: %s: %.300s", res.StatusCode, tt.status, tt.reason, b)
				}
			})
		}
	}
}

// TestRuleExceedsLimits lets a Rule of the application store more than a client may.
func TestRuleExceedsLimits(t *testing.T) {
	h := testhost.Handler(t, func(c *scim.Config) {
		smallLimits(c)
		c.Rules = []scim.Rule{func(_ context.Context, c *scim.Change) (err error) {
			c.After, err = c.After.With(map[string]any{"title": strings.Repeat("x", 500)})
			return err
		}}
	})
	testhost.Create(t, h, "/Users", `{"userName":"ann"}`)
}

// TestPutBackWhatPatchMade fills a resource by PATCH to the limit, with what takes most
// bytes in JSON, and sends it back.
func TestPutBackWhatPatchMade(t *testing.T) {
	h := testhost.Handler(t, nil)
	id := testhost.Create(t, h, "/Users", `{"userName":"ann"}`)
	for _, tt := range []struct{ name, text string }{
		{"letters", strings.Repeat("x", 10_000)},
		{"quotation marks", strings.Repeat(`\"`, 10_000)},
		{"controls", strings.Repeat(`\u0001`, 10_000)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ops := []string{replaceOf("emails", "[]")}
			n := 0
			for ; n < 100; n++ {
				ops = append(ops, fmt.Sprintf(`{"op":"add","path":"emails","value":{"value":"e%d","display":"%s"}}`, n, tt.text))
				if res := testhost.Do(t, h, "PATCH", "/Users/"+id, patchOf(ops...)); res.StatusCode == 413 {
					break
				} else if res.StatusCode != 200 {
					t.Fatalf("PATCH: %d %v", res.StatusCode, testhost.Decode(t, res))
				}
			}
			if n == 0 || n == 100 {
				t.Fatalf("%d values were stored", n)
			}
			whole, err := io.ReadAll(testhost.Do(t, h, "GET", "/Users/"+id, "").Body)
			if err != nil {
				t.Fatal(err)
			}
			if len(whole) < 400_000 || len(whole) > 1<<19+1000 {
				t.Errorf("the user has %d bytes with %d values", len(whole), n)
			}
			if res := testhost.Do(t, h, "PUT", "/Users/"+id, string(whole)); res.StatusCode != 200 {
				t.Errorf("PUT: %d %v", res.StatusCode, testhost.Decode(t, res))
			}
		})
	}
}

// TestPatchMultiplies makes values of all elements large in one operation. The operation
// must end before it has made all of them.
func TestPatchMultiplies(t *testing.T) {
	if testhost.UnderRace {
		t.Skip("the race detector needs memory of its own")
	}
	strs := make([]string, 10_000)
	for i := range strs {
		strs[i] = fmt.Sprintf(`"e%d"`, i)
	}
	list := "[" + strings.Join(strs, ",") + "]"
	for store, change := range routeHandlers {
		for _, tt := range []struct{ name, op, attribute string }{
			{"a string in all elements", replaceOf("emails.display", quoted(10_000)), "emails"},
			{"a longer string in all elements", replaceOf("emails.display", quoted(60_000)), "emails"},
			{"parts of all elements", replaceOf("emails[value pr]", `{"display":`+quoted(10_000)+`}`), "emails"},
			{"many operations", strings.Repeat(replaceOf("emails.display", quoted(20))+","+replaceOf("emails.display", quoted(1))+",", 1000) + replaceOf("title", `"t"`), ""},
		} {
			t.Run(store+"/"+tt.name, func(t *testing.T) {
				h := seededHandler(t, change)
				body := patchOf(replaceOf("emails", list), tt.op)
				heap := watchHeap(t)
				before := heap.live()
				heap.reset()
				w := testhost.Decode(t, testhost.Do(t, h, "PATCH", "/Users/u1", body))
				wantRefusal(t, w, tt.attribute)
				if p := heap.peak(); p > before+64<<20+6*uint64(len(body)) {
					t.Errorf("the heap grew by %d MiB for %d bytes", (p-before)>>20, len(body))
				}
			})
		}
	}
}
