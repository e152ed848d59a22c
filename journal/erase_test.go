package journal_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/scimkit/scim/journal"
)

// What names a person and nothing else is erased too.
func TestEraseForms(t *testing.T) {
	for _, tt := range []struct{ name, method, target, body, reason string }{
		{"filter", "GET", "/Users?filter=userName+eq+%22ann%40x%22", "", "the usual form"},
		{"upper", "GET", "/Users?FILTER=userName+eq+%22ann%40x%22", "", "shown"},
		{"escaped", "GET", "/Users?f%69lter=userName+eq+%22ann%40x%22", "", "shown"},
		{"second", "GET", "/Users?filter=title+pr&filter=userName+eq+%22ann%40x%22", "", "shown"},
		{"many", "GET", "/Users?filter=" + strings.Repeat("userName+eq+%22b%22+or+", 30) + "userName+eq+%22ann%40x%22", "", "more names than find an entry"},
		{"long", "GET", "/Users?filter=userName+eq+%22ann%40x%22" + strings.Repeat("+or+title+pr", 800), "", "longer than what is shown"},
		{"search", "POST", "/Users/.search", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],"filter":"userName eq \"ann@x\""}`, "a filter in a body"},
		{"members", "GET", "/Groups?filter=members+eq+%22id1%22", "", "Entra asks whether somebody is a member"},
		{"manager", "PATCH", "/Users/other", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager","value":"id1"}]}`, "Entra's manager"},
		{"manager.value", "PATCH", "/Users/other", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"add","path":"manager.value","value":"id1"}]}`, "a part of it"},
		{"manager text", "PUT", "/Users/other", `{"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":"id1"}}`, "a manager as a text"},
		{"email path", "PATCH", "/Users/other", `{"Operations":[{"op":"remove","path":"emails[value eq \"ann@x\"]"}]}`, "a filter in a path"},
		{"email part", "PATCH", "/Users/other", `{"Operations":[{"op":"replace","path":"emails[type eq \"work\"].value","value":"ann@x"}]}`, "what Entra sends"},
		{"email part2", "PATCH", "/Users/other", `{"Operations":[{"op":"replace","value":{"emails[type eq \"work\"].value":"ann@x"}}]}`, "what Entra sends without path"},
		{"URN", "POST", "/Users", `{"urn:ietf:params:scim:schemas:core:2.0:User:userName":"ann@x"}`, "a name behind a URN"},
		{"URN path", "PATCH", "/Users/other", `{"Operations":[{"op":"replace","path":"urn:ietf:params:scim:schemas:core:2.0:User:emails[type eq \"work\"].value","value":"ann@x"}]}`, "a path behind a URN"},
		{"texts", "PUT", "/Groups/other", `{"displayName":"g","members":["` + strings.Repeat(`x","`, 5000) + `id1"]}`, "many members as texts"},
		{"bulk path", "POST", "/Bulk", `{"Operations":[{"method":"DELETE","path":"/Users/id1"}]}`, "an address"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := newApp(t, journal.Options{}, nil)
			a.send(tt.method, tt.target, tt.body)
			if _, err := a.j.Erase(t.Context(), "", "id1", "ann@x"); err != nil {
				t.Fatal(err)
			}
			var b strings.Builder
			if err := a.j.ExportJSON(t.Context(), &b, journal.Query{}); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(b.String(), "ann") || strings.Contains(b.String(), "id1") {
				t.Errorf("%s: %s", tt.reason, b.String())
			}
		})
	}
}

// A request with too many names to find it by keeps none of them.
func TestEraseBulk(t *testing.T) {
	a := newApp(t, journal.Options{}, nil)
	var ops []string
	for i := range 1000 {
		ops = append(ops, fmt.Sprintf(`{"method":"POST","path":"/Users","bulkId":"%d","data":{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ann%d","displayName":"An%d","externalId":"e%d","emails":[{"value":"m%d@x"},{"value":"n%d@x"},{"value":"o%d@x"}]}}`, i, i, i, i, i, i, i))
	}
	if w := a.send("POST", "/Bulk", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[`+strings.Join(ops, ",")+`]}`); w.Code != 200 {
		t.Fatal(w.Code, w.Body)
	}
	if _, err := a.j.Erase(t.Context(), "", "ann999"); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := a.j.ExportJSON(t.Context(), &b, journal.Query{}); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), "ann999") {
		t.Error("the name is still there")
	}
}
