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
	filter := line{400, 1, "invalidFilter", "[redacted]", journal.Customer} // the same request for users succeeded later
	if diff := cmp.Diff([]line{syntax, scope, filter}, problems()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	a.create("/Users", ann)
	a.find(journal.Query{})
	syntax.Solved = 1
	if diff := cmp.Diff([]line{scope, filter, syntax}, problems(), cmpopts.SortSlices(func(a, b line) bool { return a.Type < b.Type })); diff != "" {
		t.Errorf("after a POST that succeeds (-want +got):\n%s", diff)
	}
}
