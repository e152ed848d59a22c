package journal_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/journal"
)

func TestProblems(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 0, 0, time.UTC)
	begun := now
	a := newApp(t, journal.Options{Now: func() time.Time { now = now.Add(time.Second); return now }}, nil)
	named := func(name string) string {
		return strings.ReplaceAll(strings.Replace(ann, "Ann@example.com", name, 1), "ann.b@", name+"@")
	}
	id := a.create("/Users", named("ann"))
	for range 3 {
		a.send("POST", "/Users", named("ann")) // three times the same person
	}
	a.create("/Users", strings.Replace(named("eve"), `"x1"`, `"x3"`, 1))
	a.send("POST", "/Users", named("eve"))
	bad := `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ben","active":"perhaps"}`
	a.send("POST", "/Users", bad)
	a.send("POST", "/Users", strings.Replace(bad, "ben", "cem", 1))
	a.send("GET", "/Users?filter=userName+eq+%22ben%22", "")             // which solves nothing
	a.create("/Users", strings.Replace(named("ben"), `"x1"`, `"x2"`, 1)) // which does
	a.sendAs("bad", "GET", "/Users", "")
	a.send("GET", "/Users/"+id, "") // with the right token again
	a.find(journal.Query{})
	all, more, err := a.j.Problems(t.Context(), "", begun)
	if err != nil || more {
		t.Fatal(more, err)
	}
	type line struct {
		Status, Requests, Concerned, Solved int
		Type                                string
		Actor                               journal.Actor
		Minutes                             bool
	}
	var got []line
	for _, p := range all {
		got = append(got, line{p.Status, p.Requests, p.Concerned, p.Solved, p.Type, p.Actor, p.Last.After(p.Since)})
		if p.Advice == "" || p.Newest == "" || p.Detail == "" || p.Since.Before(begun) {
			t.Errorf("%+v", p)
		}
	}
	want := []line{
		{400, 2, 2, 1, "invalidValue", journal.Customer, true},
		{409, 4, 2, 0, "uniqueness", journal.Customer, true},
		{401, 1, 1, 1, "", journal.Customer, false},
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateComparable()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if all, _, err := a.j.Problems(t.Context(), "", now); len(all) != 0 || err != nil {
		t.Errorf("later: %+v, %v", all, err)
	}
	if _, _, err := a.j.Problems(t.Context(), "", time.Time{}); err == nil {
		t.Error("the zero time is no error")
	}
}

// A token that does not open groups, and a request that no application understands, are for whoever set up the client.
// That the client reads something else afterwards solves neither.
func TestProblemsOfScopes(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 0, 0, time.UTC)
	begun := now
	token := auth.TokenOf("good")
	token.ID, token.Scopes = "okta", []string{scim.ScopeUsers}
	a := newApp(t, journal.Options{Now: func() time.Time { now = now.Add(time.Second); return now }}, func(c *scim.Config) { c.Auth = auth.Bearer(token) })
	a.send("GET", "/Groups?count=1", "")
	a.send("POST", "/Users", `{"userName":`)
	a.send("GET", "/Users?filter=password+eq+%22x%22", "")
	a.send("GET", "/Users", "")
	a.find(journal.Query{})
	type line struct {
		Status, Solved int
		Type, Detail   string
		Actor          journal.Actor
	}
	problems := func() (got []line) {
		all, _, err := a.j.Problems(t.Context(), "", begun)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range all {
			got = append(got, line{p.Status, p.Solved, p.Type, p.Detail, p.Actor})
			if p.Status == 403 && !strings.Contains(p.Advice, "scope") {
				t.Errorf("the advice for a scope: %s", p.Advice)
			}
		}
		return got
	}
	syntax := line{400, 0, "invalidSyntax", "the JSON ends too early", journal.Customer}
	scope := line{403, 0, "", `this token does not have the scope "groups"`, journal.Customer}
	filter := line{400, 0, "invalidFilter", "[redacted]", journal.Customer} // a request without the filter solves nothing
	if diff := cmp.Diff([]line{filter, syntax, scope}, problems()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	a.create("/Users", ann) // somebody else, for all that is known
	a.find(journal.Query{})
	if diff := cmp.Diff([]line{filter, syntax, scope}, problems()); diff != "" {
		t.Errorf("after a POST that succeeds (-want +got):\n%s", diff)
	}
}

// A problem is solved by what does what has failed, and by nothing else.
func TestSolvedProblems(t *testing.T) {
	patch := func(op string) string {
		return `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[` + op + `]}`
	}
	bad := patch(`{"op":"replace","path":"active","value":"perhaps"}`)
	for _, tt := range []struct {
		reason                    string
		method, target, body      string // what fails
		method2, target2, request string // what succeeds later
		want                      int
	}{
		{"the same attribute", "PATCH", "/Users/ID", bad, "PATCH", "/Users/ID", patch(`{"op":"replace","path":"active","value":false}`), 1},
		{"another attribute", "PATCH", "/Users/ID", bad, "PATCH", "/Users/ID", patch(`{"op":"replace","path":"title","value":"Dr"}`), 0},
		{"the whole resource", "PATCH", "/Users/ID", bad, "PUT", "/Users/ID", ann, 1},
		{"somebody else", "PATCH", "/Users/ID", bad, "POST", "/Users", strings.NewReplacer("Ann@", "ben@", `"x1"`, `"x2"`).Replace(ann), 0},
		{"a membership", "PATCH", "/Users/ID", bad, "POST", "/Groups", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"g","members":[{"value":"ID"}]}`, 0},
		{"a look", "PATCH", "/Users/ID", bad, "GET", "/Users/ID", "", 0},
		{"a deletion", "PATCH", "/Users/ID", bad, "DELETE", "/Users/ID", "", 1},
		{"a bulk request", "PATCH", "/Users/ID", bad, "POST", "/Bulk", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[{"method":"PUT","path":"/Users/ID","data":` + ann + `}]}`, 1},
		{"a bulk request that fails", "PATCH", "/Users/ID", bad, "POST", "/Bulk", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[{"method":"PATCH","path":"/Users/ID","data":` + bad + `}]}`, 0},
		{"the same look", "GET", "/Users?filter=nothing+eq+%22x%22+and", "", "GET", "/Users?filter=userName+eq+%22x%22", "", 0},
		{"what was not there", "DELETE", "/Users/none", "", "DELETE", "/Users/ID", "", 0},
	} {
		a := newApp(t, journal.Options{}, nil)
		id := a.create("/Users", ann)
		in := func(s string) string { return strings.ReplaceAll(s, "ID", id) }
		a.send(tt.method, in(tt.target), in(tt.body))
		w := a.send(tt.method2, in(tt.target2), in(tt.request))
		a.find(journal.Query{})
		all, _, err := a.j.Problems(t.Context(), "", time.Now().Add(-time.Hour))
		if err != nil || len(all) != 1 || w.Code >= 300 {
			t.Errorf("%s: %+v, %v, %d %s", tt.reason, all, err, w.Code, w.Body)
			continue
		}
		if all[0].Solved != tt.want {
			t.Errorf("%s: solved %d, want %d", tt.reason, all[0].Solved, tt.want)
		}
	}
}

// Operations of a bulk request fail by themselves, and are problems of those whom they are about.
func TestProblemsOfBulk(t *testing.T) {
	a := newApp(t, journal.Options{}, nil)
	id := a.create("/Users", ann)
	bulk := `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[
		{"method":"POST","path":"/Users","bulkId":"1","data":{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ben"}},
		{"method":"POST","path":"/Users","bulkId":"2","data":{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"Ann@example.com"}},
		{"method":"PATCH","path":"/Users/none","data":{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","path":"active","value":true}]}},
		{"method":"PATCH","path":"/Users/` + id + `","data":{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","path":"active","value":true}]}},
		{"method":"DELETE","path":"/Users/none2"}]}`
	if w := a.send("POST", "/Bulk", bulk); w.Code != 200 {
		t.Fatal(w.Code, w.Body)
	}
	e := a.last()
	user := func(id string, names ...string) journal.Touched {
		return journal.Touched{Type: "User", ID: id, Names: names}
	}
	missing := journal.Failure{Detail: "there is no such resource"}
	want := []journal.FailedOperation{
		{Method: "POST", Status: 409, Failure: journal.Failure{Type: "uniqueness", Detail: "userName is taken: another resource has this value"}, Resource: user("", "Ann@example.com")},
		{Method: "PATCH", Status: 404, Failure: missing, Resource: user("none")},
		{Method: "DELETE", Status: 404, Failure: missing, Resource: user("none2")},
	}
	got := e.Detail.Operations
	for i := range got {
		if got[i].Status == 404 && got[i].Failure.Detail != "" {
			got[i].Failure = missing // whatever it says
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	all, _, err := a.j.Problems(t.Context(), "", time.Now().Add(-time.Hour))
	if err != nil || len(all) != 2 {
		t.Fatalf("%+v, %v", all, err)
	}
	for _, p := range all {
		if p.Status == 404 && p.Concerned != 2 || p.Status == 409 && p.Concerned != 1 || p.Newest != e.ID || p.Requests != p.Concerned || p.Solved != 0 {
			t.Errorf("%+v", p)
		}
	}
	a.create("/Users", strings.NewReplacer("Ann@", "ann2@", `"x1"`, `"x2"`).Replace(ann)) // another userName, so somebody else
	if w := a.send("PUT", "/Users/"+id, ann); w.Code != 200 {
		t.Fatal(w.Code, w.Body)
	}
	a.find(journal.Query{})
	all, _, err = a.j.Problems(t.Context(), "", time.Now().Add(-time.Hour))
	for _, p := range all {
		if p.Status == 409 && p.Solved != 1 {
			t.Errorf("the person exists: %+v, %v", p, err)
		}
	}
}

// The advice is about the cause.
func TestAdvice(t *testing.T) {
	a := newApp(t, journal.Options{}, nil)
	id := a.create("/Users", ann)
	for _, tt := range []struct{ method, target, body, want string }{
		{"POST", "/Users", `{"userName":`, "no JSON"},
		{"GET", "/Users?filter=x", "", "looks for people by a filter"},
		{"PATCH", "/Users/" + id, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","path":"]","value":1}]}`, "does not exist here"},
		{"PATCH", "/Users/" + id, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","path":"active","value":"x"}]}`, "change the mapping"},
		{"POST", "/Users", ann, "has this value already"},
		{"POST", "/Groups", `{"displayName":"Devs","members":[{"value":"nobody"}]}`, "assign these people to the application"},
		{"GET", "/Users/none", "", "does not have"},
		{"PUT", "/Users", "", "no request of SCIM"},
	} {
		now := time.Now()
		w := a.send(tt.method, tt.target, tt.body)
		a.find(journal.Query{})
		all, _, err := a.j.Problems(t.Context(), "", now)
		if err != nil || len(all) != 1 || !strings.Contains(all[0].Advice, tt.want) {
			t.Errorf("%s %s: %d %s: %+v, %v, want %q", tt.method, tt.target, w.Code, w.Body, all, err, tt.want)
		}
	}
}

// The answer to a bulk request leaves out operations that did not run. Those that failed are about whom the request names.
func TestFailedOperations(t *testing.T) {
	sent := `{"Operations":[{"method":"POST","path":"/Users","bulkId":"1","data":{"userName":"ann"}},{"method":"DELETE","path":"/Users/1"},
		{"method":"POST","path":"/Groups","bulkId":"2","data":{"displayName":"Devs","members":[{"value":"9"}]}},{"method":"PUT","path":"/Users/2","data":{"userName":"ben"}}]}`
	answered := `{"Operations":[{"method":"POST","bulkId":"2","status":"409","response":{"scimType":"uniqueness","detail":"taken"}},
		{"method":"PUT","status":"400","response":{"detail":"no","status":"400"}},{"method":"PATCH","status":"404"},{"method":"PUT","status":"x"}]}`
	want := []journal.FailedOperation{
		{Method: "POST", Status: 409, Failure: journal.Failure{Type: "uniqueness", Detail: "taken"}, Resource: journal.Touched{Type: "Group", Names: []string{"Devs"}}},
		{Method: "PUT", Status: 400, Failure: journal.Failure{Detail: "no"}, Resource: journal.Touched{Type: "User", ID: "2", Names: []string{"ben"}}},
		{Method: "PATCH", Status: 404},
	}
	got := journal.FailedOperations(sent, answered)
	for i := range got {
		if got[i].Resource.ID == "2" { // the names are in the data
			got[i].Resource.Names = []string{"ben"}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
