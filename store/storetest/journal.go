package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/journal"
)

// RunJournal checks a journal.Store. It calls newStore for each step. newStore returns a fresh, empty
// store with room for 1 MiB; use its t for t.Cleanup.
func RunJournal(t *testing.T, newStore func(t *testing.T) journal.Store) {
	for _, g := range journalGroups() {
		g.run(t, newStore)
	}
}

// journalGroups lists what RunJournal checks.
func journalGroups() []group[journal.Store] {
	return []group[journal.Store]{{"journal", slices.Concat(keptRecordSteps(), singleRecordSteps(), foundRecordSteps(), combinedRecordSteps(), countedRecordSteps(), erasedRecordSteps(), trimmedRecordSteps(), journalKeySteps(), processSteps(), memoSteps())}}
}

// recordOf is the n-th record of a tenant.
func recordOf(tenant string, n int, terms ...string) journal.Record {
	id := fmt.Sprintf("%08d-0000-7000-8000-%012x", n, len(tenant))
	r := journal.Record{Head: journal.Head{ID: id, Tenant: tenant, Kind: journal.Exchange, Time: instant.Add(time.Duration(n) * time.Second), RequestID: id,
		Method: "GET", Status: 200, Type: "User"}, Key: "2026-01-02", Detail: []byte("detail")}
	for _, t := range terms {
		r.Terms = append(r.Terms, termOf(t))
	}
	return r
}

// termOf is a term that begins with a text.
func termOf(text string) (t journal.Term) {
	copy(t[:], text)
	return t
}

func appendRecords(t *probe, s journal.Store, all ...journal.Record) {
	if err := s.Append(t.ctx, all); err != nil {
		t.Fatalf("Append: %v", err)
	}
}

// sameRecord compares records. A store returns no terms, or those that it has.
var sameRecord = cmp.Options{cmp.Comparer(sameInstant), cmpopts.EquateEmpty(), cmpopts.IgnoreFields(journal.Record{}, "Terms")}

// expectRecord requires that Get returns a record as it is.
func expectRecord(t *probe, s journal.Store, want journal.Record) {
	got, err := s.Get(t.ctx, want.Tenant, want.ID)
	if diff := cmp.Diff(want, got, sameRecord); diff != "" || err != nil {
		t.Errorf("Get of %s: error %v (-want +got):\n%s", want.ID, err, diff)
	}
}

// expectFound requires that Find returns these records, in this order, without their bodies.
func expectFound(t *probe, s journal.Store, q journal.Search, want ...journal.Record) {
	if q.Limit == 0 {
		q.Limit = 100
	}
	got, err := s.Find(t.ctx, q)
	for i := range want {
		want[i].Request, want[i].Response = nil, nil
	}
	if diff := cmp.Diff(want, got, sameRecord); diff != "" || err != nil {
		t.Errorf("Find %+v: error %v (-want +got):\n%s", q, err, diff)
	}
}

// keptRecordSteps are about what a store keeps.
func keptRecordSteps() []step[journal.Store] {
	return []step[journal.Store]{
		{"kept as it is", "A record comes back as it was appended, with its bodies.", func(t *probe, s journal.Store) {
			full := recordOf("acme", 1, "a", "b")
			full.Kind, full.Method, full.Status, full.RequestID = journal.Refused, "other", 0, "of-a_client.1"
			full.Time, full.RequestSize, full.ResponseSize = full.Time.Add(time.Microsecond), 1<<40, 1
			full.Events = []scim.EventKind{scim.UserProvisioned, scim.RoleGranted}
			full.Request, full.Response, full.Detail = []byte{0, 1, 255}, []byte("response"), []byte("\x00\xff detail")
			least := recordOf("", 2)
			least.Type, least.RequestID = "", ""
			appendRecords(t, s, full, least)
			expectRecord(t, s, full)
			expectRecord(t, s, least)
			expectFound(t, s, journal.Search{Tenant: "acme"}, full)
		}},
		{"unknown record", "Get of an unknown record, or one of another tenant, is scim.ErrNotFound.", func(t *probe, s journal.Store) {
			r := recordOf("acme", 1)
			for _, at := range [][2]string{{"acme", r.ID}, {"other", r.ID}, {"acme", "unknown"}} {
				if _, err := s.Get(t.ctx, at[0], at[1]); !errors.Is(err, scim.ErrNotFound) {
					t.Errorf("Get of %v: %v", at, err)
				}
				if at[0] == "acme" {
					appendRecords(t, s, r)
					r = recordOf("other", 2)
				}
			}
		}},
		{"once", "A record that is appended again, because the caller has not learned that it was, is kept once.", func(t *probe, s journal.Store) {
			a, b := recordOf("acme", 1, "a"), recordOf("acme", 2, "a")
			appendRecords(t, s, a)
			appendRecords(t, s, a, b)
			expectFound(t, s, journal.Search{Tenant: "acme"}, b, a)
			expectFound(t, s, journal.Search{Tenant: "acme", Terms: []journal.Term{termOf("a")}}, b, a)
		}},
		{"many", "Append keeps many records with many terms at once.", func(t *probe, s journal.Store) {
			var all []journal.Record
			for n := range 300 {
				all = append(all, recordOf("acme", n, "all", fmt.Sprint("t", n)))
			}
			for n := range 4000 {
				all[7].Terms = append(all[7].Terms, termOf(fmt.Sprint("m", n)))
			}
			appendRecords(t, s, all...)
			expectFound(t, s, journal.Search{Tenant: "acme", Terms: []journal.Term{termOf("m3999"), termOf("all")}}, all[7])
			expectFound(t, s, journal.Search{Tenant: "acme", Terms: []journal.Term{termOf("t299")}}, all[299])
			expectFound(t, s, journal.Search{Tenant: "acme", Terms: []journal.Term{termOf("all")}, Limit: 1}, all[299])
		}},
		{"at once", "Several processes append at the same time.", func(t *probe, s journal.Store) {
			const n = 8
			t.parallel(n, func(i int) {
				tenants := []string{"a", "b"}
				if i%2 == 1 {
					slices.Reverse(tenants) // in another order, which may lead to a deadlock
				}
				appendRecords(t, s, recordOf(tenants[0], i, "t"), recordOf(tenants[1], i, "t"))
			})
			for _, tenant := range []string{"a", "b"} {
				got, err := s.Find(t.ctx, journal.Search{Tenant: tenant, Terms: []journal.Term{termOf("t")}, Limit: 100})
				if len(got) != n || err != nil {
					t.Errorf("tenant %s: %d records, %v, want %d", tenant, len(got), err, n)
				}
			}
		}},
	}
}

// singleRecordSteps are about records that come one by one.
func singleRecordSteps() []step[journal.Store] {
	return []step[journal.Store]{
		{"one by one", "Records that come one by one, in any order, are found page by page, also after some were erased or trimmed.", func(t *probe, s journal.Store) {
			const n = 120
			for i := range n {
				at := i * 7 % n
				appendRecords(t, s, recordOf("acme", at, "all", fmt.Sprint("t", at%10)))
			}
			expectTermPages(t, s, "all", 0, n, 1)
			expectTermPages(t, s, "t3", 3, n, 10)
			if gone, err := s.Erase(t.ctx, "acme", termOf("t3"), n); gone != n/10 || err != nil {
				t.Fatalf("Erase: %d, %v", gone, err)
			}
			expectTermPages(t, s, "t3", n, n, 1)
			expectTermPages(t, s, "t4", 4, n, 10)
			r := keepAll
			r.From = recordOf("acme", 80).ID
			trimAll(t, s, r)
			expectTermPages(t, s, "t4", 84, n, 10)
			appendRecords(t, s, recordOf("acme", 124, "t4"))
			expectTermPages(t, s, "t4", 84, 125, 10)
		}},
	}
}

// expectTermPages requires that pages of three have the records of acme with a term: from one number on, before another one, in steps.
func expectTermPages(t *probe, s journal.Store, term string, from, before, step int) {
	var want, got []string
	for n := from; n < before; n += step {
		want = append(want, recordOf("acme", n).ID)
	}
	slices.Reverse(want)
	for q := (journal.Search{Tenant: "acme", Terms: []journal.Term{termOf(term)}, Limit: 3}); len(got) <= len(want); {
		page, err := s.Find(t.ctx, q)
		if err != nil {
			t.Fatalf("Find: %v", err)
		}
		for i := range page {
			got = append(got, page[i].ID)
		}
		if len(page) < q.Limit {
			break
		}
		q.Before = got[len(got)-1]
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("pages of %s (-want +got):\n%s", term, diff)
	}
}

// foundRecordSteps are about Find.
func foundRecordSteps() []step[journal.Store] {
	return []step[journal.Store]{
		{"found", "Find returns the newest first, and obeys each field of Search.", func(t *probe, s journal.Store) {
			a, b, c, d := recordOf("acme", 1, "x", "y"), recordOf("acme", 2, "x"), recordOf("acme", 3, "y"), recordOf("acme", 4, "x", "y")
			b.Status, c.Status, d.Kind, d.Status = 404, 500, journal.Refused, 401
			b.Request, c.Method = []byte("body"), "PATCH"
			appendRecords(t, s, c, a, d, b, recordOf("other", 5, "x", "y"))
			x, y := termOf("x"), termOf("y")
			for _, tt := range []struct {
				q    journal.Search
				want []journal.Record
			}{
				{journal.Search{}, []journal.Record{d, c, b, a}},
				{journal.Search{Terms: []journal.Term{x}}, []journal.Record{d, b, a}},
				{journal.Search{Terms: []journal.Term{x, y}}, []journal.Record{d, a}},
				{journal.Search{Terms: []journal.Term{x, termOf("z")}}, nil},
				{journal.Search{Class: 4}, []journal.Record{d, b}},
				{journal.Search{Class: 2, Terms: []journal.Term{y}}, []journal.Record{a}},
				{journal.Search{Kind: journal.Refused}, []journal.Record{d}},
				{journal.Search{Kind: journal.Exchange, Terms: []journal.Term{y}}, []journal.Record{c, a}},
				{journal.Search{Method: "PATCH"}, []journal.Record{c}},
				{journal.Search{Method: "PUT"}, nil},
				{journal.Search{Writes: true}, []journal.Record{c}},
				{journal.Search{Writes: true, Terms: []journal.Term{x}}, nil},
				{journal.Search{ID: b.ID}, []journal.Record{b}},
				{journal.Search{ID: b.ID, Terms: []journal.Term{y}}, nil},
				{journal.Search{From: b.ID}, []journal.Record{d, c, b}},
				{journal.Search{Before: b.ID}, []journal.Record{a}},
				{journal.Search{From: b.ID, Before: d.ID, Terms: []journal.Term{x}}, []journal.Record{b}},
				{journal.Search{Limit: 2}, []journal.Record{d, c}},
				{journal.Search{Limit: 2, Before: c.ID}, []journal.Record{b, a}},
				{journal.Search{Limit: 1, Terms: []journal.Term{x}}, []journal.Record{d}},
			} {
				tt.q.Tenant = "acme"
				expectFound(t, s, tt.q, slices.Clone(tt.want)...)
			}
			expectFound(t, s, journal.Search{Tenant: "ACME"})
			expectFound(t, s, journal.Search{Tenant: ""})
		}},
	}
}

// combinedRecordSteps are about searches by several terms.
func combinedRecordSteps() []step[journal.Store] {
	return []step[journal.Store]{
		{"combined", "A search by several terms finds the records that have all of them, whatever their order, and how many have each.", func(t *probe, s journal.Store) {
			const n = 400
			all := make([]journal.Record, n)
			for i := range all { // Terms that half of the records have, one of nine, and one of 45.
				all[i] = recordOf("acme", i, fmt.Sprint("half", i%2), fmt.Sprint("some", i%9), fmt.Sprint("few", i%45))
			}
			appendRecords(t, s, recordOf("other", 1, "half1", "some1", "few1"))
			for rest := slices.Clone(all); len(rest) > 0; {
				k := min(len(rest), 1+len(rest)%7*10)
				appendRecords(t, s, rest[:k]...)
				rest = rest[k:]
			}
			erased := termOf("few8")
			if gone, err := s.Erase(t.ctx, "acme", erased, n); gone != 9 || err != nil {
				t.Fatalf("Erase: %d, %v", gone, err)
			}
			for _, names := range [][]string{{"half0", "some3"}, {"some3", "half0"}, {"few7", "some7"}, {"half1", "few7", "some7"}, {"few7", "some8"}, {"some8", "half1", "few17"},
				{"few8", "half1"}, {"half0", "half1"}, {"half0", "unknown"}, {"unknown", "half0"}, {"some4", "some4"}} {
				q := journal.Search{Tenant: "acme", Limit: 20, From: all[30].ID, Before: all[n-5].ID}
				for _, name := range names {
					q.Terms = append(q.Terms, termOf(name))
				}
				var want []journal.Record
				for i := n - 6; i >= 30 && len(want) < q.Limit; i-- {
					isFound := !slices.Contains(all[i].Terms, erased)
					for _, term := range q.Terms {
						isFound = isFound && slices.Contains(all[i].Terms, term)
					}
					if isFound {
						want = append(want, all[i])
					}
				}
				expectFound(t, s, q, want...)
			}
		}},
	}
}

// keepAll is a Retention that removes nothing.
var keepAll = journal.Retention{Size: 1 << 40, Refused: 1000}

// trimAll trims until nothing is left to remove.
func trimAll(t *probe, s journal.Store, r journal.Retention) {
	for range 100 {
		done, err := s.Trim(t.ctx, r)
		if err != nil {
			t.Fatalf("Trim: %v", err)
		}
		if done {
			return
		}
	}
	t.Fatalf("Trim is never done")
}

// erasedRecordSteps are about Erase.
func erasedRecordSteps() []step[journal.Store] {
	return []step[journal.Store]{
		{"erased", "Erase removes what is sealed, and the terms. The head stays. Other tenants keep theirs.", func(t *probe, s journal.Store) {
			a, b, c, other := recordOf("acme", 1, "x", "y"), recordOf("acme", 2, "x"), recordOf("acme", 3, "y"), recordOf("other", 4, "x")
			a.Request, a.Response, b.Kind = []byte("request"), []byte("response"), journal.Refused
			appendRecords(t, s, a, b, c, other)
			n, err := s.Erase(t.ctx, "acme", termOf("x"), 1)
			more, err2 := s.Erase(t.ctx, "acme", termOf("x"), 10)
			none, err3 := s.Erase(t.ctx, "acme", termOf("x"), 10)
			if err := errors.Join(err, err2, err3); n != 1 || more != 1 || none != 0 || err != nil {
				t.Errorf("Erase: %d, %d and %d records, error %v; want 1, 1 and 0", n, more, none, err)
			}
			for _, r := range []*journal.Record{&a, &b} {
				r.Key, r.Detail, r.Request, r.Response = "", nil, nil, nil
				expectRecord(t, s, *r)
			}
			expectFound(t, s, journal.Search{Tenant: "acme"}, c, b, a)
			expectFound(t, s, journal.Search{Tenant: "acme", Terms: []journal.Term{termOf("y")}}, c)
			expectFound(t, s, journal.Search{Tenant: "other", Terms: []journal.Term{termOf("x")}}, other)
		}},
	}
}

// trimmedRecordSteps are about what Trim removes.
func trimmedRecordSteps() []step[journal.Store] {
	return []step[journal.Store]{
		{"trimmed by age", "Trim removes older records and keys, and keeps search keys.", func(t *probe, s journal.Store) {
			a, b, c := recordOf("acme", 1, "x"), recordOf("other", 2, "x"), recordOf("acme", 3, "x")
			appendRecords(t, s, a, b, c)
			for _, id := range []string{"2026-01-01", "2026-01-02", journal.SearchKey} {
				if _, err := s.AddKey(t.ctx, journal.Key{Tenant: "acme", ID: id, Wrapped: []byte(id)}); err != nil {
					t.Fatalf("AddKey: %v", err)
				}
			}
			r := keepAll
			r.From, r.Day = c.ID, "2026-01-02"
			trimAll(t, s, r)
			expectFound(t, s, journal.Search{Tenant: "acme"}, c)
			expectFound(t, s, journal.Search{Tenant: "other"})
			expectFound(t, s, journal.Search{Tenant: "acme", Terms: []journal.Term{termOf("x")}}, c)
			if all, err := s.Keys(t.ctx, journal.Key{}, 10); len(all) != 2 || err != nil || all[0].ID != "2026-01-02" {
				t.Errorf("Keys: %v, %v", all, err)
			}
		}},
		{"trimmed by size", "Trim removes the oldest records of a tenant that has too much. Refused ones do not count, and others do not suffer.", func(t *probe, s journal.Store) {
			var all []journal.Record
			for n := range 10 {
				r := recordOf("acme", n, "x")
				r.Detail = []byte(strings.Repeat("d", 1000))
				all = append(all, r)
			}
			refused, other := recordOf("acme", 20), recordOf("other", 0)
			refused.Kind, refused.Detail = journal.Refused, []byte(strings.Repeat("d", 5000))
			appendRecords(t, s, append(all, refused, other)...)
			r := keepAll
			r.Size = 4 * all[0].Size()
			trimAll(t, s, r)
			expectFound(t, s, journal.Search{Tenant: "acme"}, refused, all[9], all[8], all[7], all[6])
			expectFound(t, s, journal.Search{Tenant: "other"}, other)
			if _, err := s.Erase(t.ctx, "acme", termOf("x"), 100); err != nil {
				t.Fatalf("Erase: %v", err)
			}
			more := recordOf("acme", 30)
			more.Detail = all[0].Detail
			appendRecords(t, s, more)
			trimAll(t, s, r)
			if got, err := s.Find(t.ctx, journal.Search{Tenant: "acme", Limit: 100}); len(got) != 6 || err != nil {
				t.Errorf("what was erased counts still: %d records, %v", len(got), err)
			}
		}},
		{"trimmed by number", "Trim keeps the newest refused records of all tenants.", func(t *probe, s journal.Store) {
			var all []journal.Record
			for n := range 6 {
				r := recordOf([]string{"acme", "other"}[n%2], n)
				r.Kind = journal.Refused
				all = append(all, r)
			}
			real := recordOf("acme", 0, "x")
			real.ID = strings.Replace(real.ID, "7", "6", 1)
			appendRecords(t, s, append(all, real)...)
			r := keepAll
			r.Refused = 3
			trimAll(t, s, r)
			expectFound(t, s, journal.Search{Tenant: "acme", Kind: journal.Refused}, all[4])
			expectFound(t, s, journal.Search{Tenant: "other"}, all[5], all[3])
			expectRecord(t, s, real)
		}},
	}
}

// journalKeySteps are about keys.
func journalKeySteps() []step[journal.Store] {
	return []step[journal.Store]{
		{"keys", "AddKey keeps the first key with an ID, and returns it. Keys lists them in order.", func(t *probe, s journal.Store) {
			if _, err := s.FindKey(t.ctx, "acme", "2026-01-02"); !errors.Is(err, scim.ErrNotFound) {
				t.Errorf("FindKey of an unknown key: %v", err)
			}
			first := []journal.Key{{Tenant: "", ID: "b", Wrapped: []byte{1, 0, 255}}, {Tenant: "acme", ID: "a", Wrapped: []byte("2")}, {Tenant: "acme", ID: "b", Wrapped: []byte("3")}}
			for _, want := range first {
				for _, k := range []journal.Key{want, {Tenant: want.Tenant, ID: want.ID, Wrapped: []byte("later")}} {
					got, err := s.AddKey(t.ctx, k)
					if diff := cmp.Diff(want, got); diff != "" || err != nil {
						t.Errorf("AddKey: error %v (-want +got):\n%s", err, diff)
					}
				}
				if got, err := s.FindKey(t.ctx, want.Tenant, want.ID); !cmp.Equal(want, got) || err != nil {
					t.Errorf("FindKey: %v, %v", got, err)
				}
			}
			var all []journal.Key
			for range 4 {
				after := journal.Key{}
				if len(all) > 0 {
					after = all[len(all)-1]
				}
				page, err := s.Keys(t.ctx, after, 1)
				if err != nil {
					t.Fatalf("Keys: %v", err)
				}
				all = append(all, page...)
			}
			if diff := cmp.Diff(first, all); diff != "" {
				t.Errorf("Keys (-want +got):\n%s", diff)
			}
		}},
		{"replaced key", "ReplaceKey sets Wrapped of a key that is kept, and adds none.", func(t *probe, s journal.Store) {
			k := journal.Key{Tenant: "acme", ID: "a", Wrapped: []byte("1")}
			if _, err := s.AddKey(t.ctx, k); err != nil {
				t.Fatalf("AddKey: %v", err)
			}
			k.Wrapped = []byte("2")
			err := errors.Join(s.ReplaceKey(t.ctx, k), s.ReplaceKey(t.ctx, journal.Key{Tenant: "acme", ID: "none", Wrapped: []byte("3")}))
			if all, err2 := s.Keys(t.ctx, journal.Key{}, 10); len(all) != 1 || string(all[0].Wrapped) != "2" || err != nil || err2 != nil {
				t.Errorf("Keys: %v, %v, %v", all, err, err2)
			}
		}},
	}
}

// processSteps are about processes.
func processSteps() []step[journal.Store] {
	return []step[journal.Store]{
		{"processes", "Lost removes and returns the processes without a beat since a time, each once.", func(t *probe, s journal.Store) {
			beat := func(process string, at time.Time) {
				if err := s.Beat(t.ctx, process, at); err != nil {
					t.Fatalf("Beat: %v", err)
				}
			}
			beat("a", instant)
			beat("b", instant)
			beat("c", instant)
			beat("b", instant.Add(time.Minute))
			beat("c", time.Time{})
			beat("unknown", time.Time{})
			var lost []journal.Beat
			results := make([][]journal.Beat, 4)
			t.parallel(len(results), func(i int) {
				var err error
				if results[i], err = s.Lost(t.ctx, instant.Add(time.Second)); err != nil {
					t.Errorf("Lost: %v", err)
				}
			})
			for _, r := range results {
				lost = append(lost, r...)
			}
			if diff := cmp.Diff([]journal.Beat{{Process: "a", At: instant}}, lost, cmp.Comparer(sameInstant)); diff != "" {
				t.Errorf("Lost (-want +got):\n%s", diff)
			}
		}},
	}
}
