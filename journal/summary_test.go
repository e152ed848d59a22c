package journal_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/journal"
)

// A day's summary says for each client what it did, how often it failed and why. It outlives the entries.
func TestSummary(t *testing.T) {
	now := time.Date(2026, 1, 2, 23, 59, 0, 0, time.UTC)
	okta, entra, revoked := auth.TokenOf("good"), auth.TokenOf("better"), auth.TokenOf("revoked")
	okta.ID, entra.ID, revoked.ID = "okta", "entra", "revoked"
	revoked.Expires = now.Add(-time.Hour)
	store, keys := journal.NewMemory(64<<20), journal.NewEphemeralKeys()
	a := newAppOver(t, store, journal.Options{Keys: keys, Now: func() time.Time { now = now.Add(time.Second); return now }},
		func(c *scim.Config) { c.Auth = auth.Bearer(okta, entra, revoked) })
	id := a.create("/Users", ann)
	a.send("POST", "/Users", ann)
	a.send("POST", "/Users", ann)
	a.send("PATCH", "/Users/"+id, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","path":"active","value":"x"}]}`)
	a.send("PUT", "/Users/"+id, ann)
	a.send("GET", "/Users", "")
	a.send("POST", "/Users/.search", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"]}`)
	a.send("POST", "/Bulk", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[
		{"method":"POST","path":"/Users","bulkId":"1","data":{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ben"}},
		{"method":"POST","path":"/Users","bulkId":"2","data":`+ann+`},{"method":"DELETE","path":"/Users/none"}]}`)
	a.sendAs("better", "DELETE", "/Users/"+id, "")
	a.sendAs("revoked", "GET", "/Users", "")
	a.sendAs("unknown", "GET", "/Users", "")
	a.find(journal.Query{})
	begun := now
	now = now.Add(time.Hour)
	a.send("GET", "/Users", "")
	a.find(journal.Query{})
	got, err := a.j.Summary(t.Context(), "", begun, now)
	if err != nil {
		t.Fatal(err)
	}
	for i := range got {
		if s := &got[i]; s.LastContact.Before(s.LastSuccess) || s.LastContact.IsZero() {
			t.Errorf("%+v", s)
		}
		for k := range got[i].Failures {
			got[i].Failures[k].Last = time.Time{}
		}
	}
	first, second := time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC), time.Date(2026, 1, 3, 0, 0, 0, 0, time.UTC)
	success := got[2].LastSuccess
	want := []journal.Summary{
		{Day: second, Client: "okta", Reads: 1, LastSuccess: got[0].LastSuccess, LastContact: got[0].LastSuccess},
		{Day: first, Client: "entra", Deletes: 1, LastSuccess: got[1].LastSuccess, LastContact: got[1].LastSuccess},
		{Day: first, Client: "okta", Creates: 2, Updates: 1, Reads: 2, LastSuccess: success, LastContact: got[2].LastContact,
			Failures: []journal.FailureCount{{Status: 409, Type: "uniqueness", Requests: 3}, {Status: 400, Type: "invalidValue", Requests: 1}, {Status: 404, Requests: 1}}},
		{Day: first, Client: "revoked", LastContact: got[3].LastContact, Failures: []journal.FailureCount{{Status: 401, Requests: 1}}},
	}
	want[0].Hours[now.Hour()].Requests, want[1].Hours[begun.Hour()].Requests = 1, 1
	want[2].Hours[begun.Hour()], want[3].Hours[begun.Hour()] = journal.HourCount{Requests: 10, Failed: 5}, journal.HourCount{Requests: 1, Failed: 1}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	later := newAppOver(t, store, journal.Options{}, nil) // with another key
	lost, err := later.j.Summary(t.Context(), "", begun, now)
	if err != nil || len(lost) != len(got) || lost[1].Unreadable != journal.KeyGone || lost[0].Reads+lost[1].Reads+lost[2].Reads+lost[3].Reads != 3 {
		t.Errorf("without the key: %+v, %v", lost, err)
	}
	if other, err := a.j.Summary(t.Context(), "other", begun, now); len(other) != 0 || err != nil {
		t.Errorf("another tenant: %+v, %v", other, err)
	}
}

// counterSpy notes the counts that a store gets.
type counterSpy struct {
	journal.Store
	all []journal.Counter
}

func (s *counterSpy) Append(ctx context.Context, records []journal.Record) error {
	for i := range records {
		s.all = append(s.all, records[i].Counts...)
	}
	return s.Store.Append(ctx, records)
}

// The label of a client is the one that it had last, and a scimType that no RFC defines is not in the clear.
func TestSummaryNames(t *testing.T) {
	label := "Okta"
	spy := &counterSpy{Store: journal.NewMemory(1 << 20)}
	a := newAppOver(t, spy, journal.Options{Label: func(_ context.Context, _, _ string) string { return label }}, func(c *scim.Config) {
		c.Rules = []scim.Rule{func(context.Context, *scim.Change) error {
			return &scim.Error{Status: 403, Type: "ann is too old", Detail: "no"}
		}}
	})
	a.send("POST", "/Users", ann)
	a.find(journal.Query{})
	label = "Okta of Acme"
	a.send("POST", "/Users", ann)
	a.find(journal.Query{})
	got, err := a.j.Summary(t.Context(), "", time.Now().Add(-time.Hour), time.Now())
	if err != nil || len(got) == 0 || got[0].Label != label || got[0].Failures[0].Type != "other" {
		t.Errorf("%+v, %v", got, err)
	}
	for _, c := range spy.all {
		if strings.Contains(c.What, "ann") || strings.Contains(string(c.Name), "Okta") || strings.Contains(string(c.Name), "okta") || strings.Contains(string(c.Client[:]), "okta") {
			t.Errorf("in the clear: %+v", c)
		}
	}
	if len(spy.all) != 4 { // a failure, and the hour, twice
		t.Errorf("%d counts, want 4", len(spy.all))
	}
}
