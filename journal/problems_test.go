package journal_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

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
