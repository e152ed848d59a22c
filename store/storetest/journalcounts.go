package storetest

import (
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/scimkit/scim/journal"
)

// countOf is a counter of a client, which has counted n times until a second.
func countOf(day, client, what string, n int64, second int) journal.Counter {
	return journal.Counter{Day: day, Client: termOf(client), What: what, N: n, Last: instant.Add(time.Duration(second) * time.Second), Key: day, Name: []byte{0, 255, client[0]}}
}

// counting is the n-th record of a tenant, with counts.
func counting(tenant string, n int, all ...journal.Counter) journal.Record {
	r := recordOf(tenant, n)
	r.Counts = all
	return r
}

// expectCounters requires that Counters returns these, in this order.
func expectCounters(t *probe, s journal.Store, tenant, from, to string, want ...journal.Counter) {
	got, err := s.Counters(t.ctx, tenant, from, to)
	if diff := cmp.Diff(want, got, cmp.Comparer(sameInstant), cmpopts.EquateEmpty()); diff != "" || err != nil {
		t.Errorf("Counters of %s from %s to %s: error %v (-want +got):\n%s", tenant, from, to, err, diff)
	}
}

// countedRecordSteps are about counters.
func countedRecordSteps() []step[journal.Store] {
	const first, second, third = "2026-01-01", "2026-01-02", "2026-01-03"
	return []step[journal.Store]{
		{"counted", "Append adds Counts of records to the counters of their tenant. Counters has both days, and is in order.", func(t *probe, s journal.Store) {
			appendRecords(t, s, counting("acme", 1, countOf(second, "b", "read", 1, 5)), counting("acme", 2, countOf(second, "b", "read", 2, 3)), recordOf("acme", 3))
			appendRecords(t, s, counting("acme", 4, countOf(second, "a", "409 uniqueness", 1, 9), countOf(first, "a", "read", 7, 1)), counting("other", 5, countOf(second, "b", "read", 50, 50)))
			newer := countOf(second, "b", "read", 1, 4)
			newer.Key, newer.Name = "2026-01-02.2", []byte("another name")
			appendRecords(t, s, counting("acme", 6, newer), counting("acme", 7, countOf(third, "a", "read", 1, 1)))
			newer.N, newer.Last = 4, countOf("", "b", "", 0, 5).Last
			expectCounters(t, s, "acme", first, second, countOf(first, "a", "read", 7, 1), countOf(second, "a", "409 uniqueness", 1, 9), newer)
			expectCounters(t, s, "other", first, third, countOf(second, "b", "read", 50, 50))
			expectCounters(t, s, "ACME", first, third)
			expectCounters(t, s, "acme", third, first)
		}},
		{"summed", "Sums adds up the counters of these tenants and names, of all clients.", func(t *probe, of journal.Store) {
			s := capability[journal.SumStore](t, of, "the store is no journal.SumStore: the list of many tenants reads the counters of each")
			appendRecords(t, of, counting("acme", 1, countOf(first, "a", "hour 9", 2, 1), countOf(first, "b", "hour 9", 3, 1), countOf(first, "a", "hour 10", 5, 1), countOf(second, "a", "hour 9", 7, 1), countOf(second, "a", "hour 1", 9, 1)),
				counting("other", 2, countOf(first, "a", "hour 9", 100, 1)), counting("ACME", 3, countOf(first, "a", "hour 9", 1000, 1)), counting("", 4, countOf(second, "a", "hour 9", 1, 1)))
			names := []journal.CounterName{{Day: first, What: "hour 9"}, {Day: second, What: "hour 9"}, {Day: third, What: "hour 9"}, {Day: first, What: "Hour 10"}}
			for _, row := range []struct {
				tenants []string
				names   []journal.CounterName
				want    map[string]int64
			}{
				{[]string{"acme", "other", "none", "a'\"%", ""}, names, map[string]int64{"acme": 12, "other": 100, "": 1}},
				{[]string{"acme", "acme"}, names[:1], map[string]int64{"acme": 5}},
				{[]string{"acme"}, nil, nil}, {nil, names, nil},
			} {
				got, err := s.Sums(t.ctx, row.tenants, row.names)
				for tenant, n := range got {
					if n == 0 {
						delete(got, tenant)
					}
				}
				if diff := cmp.Diff(row.want, got, cmpopts.EquateEmpty()); diff != "" || err != nil {
					t.Errorf("Sums of %q: error %v (-want +got):\n%s", row.tenants, err, diff)
				}
			}
		}},
		{"counted once", "A record that is appended again, because the caller has not learned that it was, counts once.", func(t *probe, s journal.Store) {
			r := counting("acme", 1, countOf(first, "a", "read", 1, 1))
			appendRecords(t, s, r)
			appendRecords(t, s, r, counting("acme", 2, countOf(first, "a", "read", 1, 2)))
			expectCounters(t, s, "acme", first, first, countOf(first, "a", "read", 2, 2))
		}},
		{"counted at once", "Several processes count at the same time.", func(t *probe, s journal.Store) {
			const n = 8
			t.parallel(n, func(i int) {
				all := []journal.Record{counting("a", i, countOf(first, "a", "read", 1, 1), countOf(first, "b", "read", 1, 1)), counting("b", i, countOf(first, "a", "read", 1, 1))}
				if i%2 == 1 {
					all[0], all[1] = all[1], all[0]
				}
				appendRecords(t, s, all...)
			})
			expectCounters(t, s, "a", first, first, countOf(first, "a", "read", n, 1), countOf(first, "b", "read", n, 1))
			expectCounters(t, s, "b", first, first, countOf(first, "a", "read", n, 1))
		}},
		{"counters trimmed", "Trim removes counters of earlier days. Those of records that are gone stay.", func(t *probe, s journal.Store) {
			appendRecords(t, s, counting("acme", 1, countOf(first, "a", "read", 1, 1), countOf(second, "a", "read", 1, 1)), recordOf("acme", 3))
			if _, err := s.Trim(t.ctx, journal.Retention{From: recordOf("acme", 2).ID, Day: second, Size: 1 << 40, Refused: 10}); err != nil {
				t.Fatalf("Trim: %v", err)
			}
			expectFound(t, s, journal.Search{Tenant: "acme"}, recordOf("acme", 3))
			expectCounters(t, s, "acme", first, third, countOf(second, "a", "read", 1, 1))
		}},
	}
}
