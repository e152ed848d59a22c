package journal_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim/journal"
)

// Traffic counts the hours from one to another, of the tenants that are asked for.
func TestTraffic(t *testing.T) {
	at := time.Date(2026, 1, 2, 10, 30, 0, 0, time.UTC)
	store := journal.NewMemory(1 << 20)
	clock := at
	j, err := journal.New(store, journal.Options{Keys: journal.NewEphemeralKeys(), Now: func() time.Time { return clock }})
	if err != nil {
		t.Fatal(err)
	}
	count := func(tenant, day, what string, n int64) journal.Record {
		return journal.Record{Head: journal.Head{ID: tenant + day + what, Tenant: tenant, Kind: journal.Exchange, Time: at}, Key: day,
			Counts: []journal.Counter{{Day: day, Client: journal.Term{1}, What: what, N: n, Last: at, Key: day}}}
	}
	err = store.Append(t.Context(), []journal.Record{count("acme", "2026-01-02", "hour 10", 1), count("acme", "2026-01-02", "failed-hour 10", 2), count("acme", "2026-01-02", "hour 11", 4),
		count("acme", "2026-01-01", "hour 11", 8), count("acme", "2026-01-01", "hour 10", 16), count("acme", "2026-01-02", "read", 32), count("other", "2026-01-01", "failed-hour 23", 64), count("hidden", "2026-01-02", "hour 10", 128)})
	if err != nil {
		t.Fatal(err)
	}
	got, err := j.Traffic(t.Context(), []string{"acme", "other", "none"}, at.Add(-23*time.Hour), at)
	want := map[string]journal.HourCount{"acme": {Requests: 11, Failed: 2}, "other": {Requests: 64, Failed: 64}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if got, err := j.Traffic(t.Context(), []string{"acme"}, at, at.Add(-2*time.Hour)); len(got) != 0 || err != nil {
		t.Errorf("a time that ends before it begins: %v, %v", got, err)
	}
	if _, err := j.Traffic(t.Context(), nil, at.Add(-49*time.Hour), at); err == nil {
		t.Error("50 hours are accepted")
	}
}
