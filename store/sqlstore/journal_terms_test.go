package sqlstore_test

import (
	"database/sql"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/scimkit/scim/journal"
	"github.com/scimkit/scim/store/sqlstore"
)

// compared is a journal beside one in memory, which looks at each record.
type compared struct {
	t       *testing.T
	db      *sql.DB
	d       sqlstore.Dialect
	s       *sqlstore.Journal
	naive   *journal.Memory
	r       *rand.Rand
	records map[string][]journal.Record // by tenant
	n       int
}

// comparedTenants are the tenants: most records are of the first one.
var comparedTenants = []string{"acme", "acme", "acme", "acme", "ACME", ""}

// term makes a term that nearly all records have, or many, or few. Two terms may begin alike.
func (c *compared) term(kind int) journal.Term {
	return journal.Term{byte(kind), byte(c.r.IntN([]int{2, 12, 150}[kind])), 7, 7, 7, 7, 7, 7, 15: byte(c.r.IntN(8) / 7)}
}

// record makes a record. Most come in order of their IDs, an hour after the one before: those of a test are of several months.
func (c *compared) record() journal.Record {
	c.n++
	at := time.Date(2026, 1, 1, c.n, 0, 0, 0, time.UTC)
	if c.r.IntN(4) == 0 { // It comes from a process with another clock, or was in the queue for long.
		at = at.Add(-time.Duration(c.r.IntN(c.n)) * time.Hour)
	}
	id := fmt.Sprintf("%08x-%04x-7000-8000-%012x", at.UnixMilli()>>16, at.UnixMilli()&0xffff, c.n)
	if c.r.IntN(50) == 0 { // of another journal.Journal than ours
		id = fmt.Sprintf("%s/%d", id[:13], c.n)
	}
	r := journal.Record{Head: journal.Head{ID: id, Tenant: comparedTenants[c.r.IntN(len(comparedTenants))], Kind: journal.Exchange, Time: at, RequestID: id,
		Status: 200 + 200*c.r.IntN(2), Method: []string{"GET", "PATCH"}[c.r.IntN(2)]}, Key: "k", Detail: []byte("detail")}
	for kind, most := range []int{3, 3, 4} {
		for range c.r.IntN(most) {
			if t := c.term(kind); !slices.Contains(r.Terms, t) {
				r.Terms = append(r.Terms, t)
			}
		}
	}
	return r
}

// add appends n records to both. The terms of old ones are where earlier versions have put them.
func (c *compared) add(n int, isOld bool) {
	c.t.Helper()
	var all []journal.Record
	for range n {
		r := c.record()
		all = append(all, r)
		c.records[r.Tenant] = append(c.records[r.Tenant], r)
	}
	if err := c.naive.Append(c.t.Context(), all); err != nil {
		c.t.Fatal(err)
	}
	var later []string
	for i := range all {
		r := &all[i]
		if !isOld {
			break
		}
		literal := "x'%x'"
		if c.d == sqlstore.Postgres {
			literal = `'\x%x'`
		}
		var whole []byte
		for _, t := range r.Terms {
			whole = append(whole, t[:]...)
			later = append(later, fmt.Sprintf("INSERT INTO scim_entry_terms (tenant, term, id) VALUES ('%s', '%s', '%s')", r.Tenant, base64.RawURLEncoding.EncodeToString(t[:]), r.ID))
		}
		later = append(later, fmt.Sprintf("UPDATE scim_entries SET terms = "+literal+" WHERE tenant = '%s' AND id = '%s'", whole, r.Tenant, r.ID))
		r.Terms = nil
	}
	if err := c.s.Append(c.t.Context(), all); err != nil {
		c.t.Fatal(err)
	}
	for _, text := range later {
		if _, err := c.db.Exec(text); err != nil {
			c.t.Fatal(err)
		}
	}
}

// erase erases somebody's records from both.
func (c *compared) erase() {
	c.t.Helper()
	tenant, term := comparedTenants[c.r.IntN(len(comparedTenants))], c.term(2)
	n, err := c.s.Erase(c.t.Context(), tenant, term, 1<<20)
	want, _ := c.naive.Erase(c.t.Context(), tenant, term, 1<<20)
	if n != want || err != nil {
		c.t.Fatalf("Erase: %d, %v, want %d", n, err, want)
	}
}

// trim removes the oldest records from both.
func (c *compared) trim() {
	c.t.Helper()
	all := c.records["acme"]
	keep := journal.Retention{From: all[len(all)/10].ID, Size: 1 << 40, Refused: 1 << 20}
	for done := false; !done; {
		var err error
		if done, err = c.s.Trim(c.t.Context(), keep); err != nil {
			c.t.Fatal(err)
		}
	}
	c.naive.Trim(c.t.Context(), keep) //nolint:errcheck // never fails
}

// search makes a search by up to three terms.
func (c *compared) search() journal.Search {
	q := journal.Search{Tenant: comparedTenants[c.r.IntN(len(comparedTenants))], Limit: 1 + c.r.IntN(200)}
	all := c.records[q.Tenant]
	some := &all[c.r.IntN(len(all))]
	for kind := range 3 {
		for range c.r.IntN(3) / (1 + len(q.Terms)) {
			q.Terms = append(q.Terms, c.term(kind))
		}
	}
	if c.r.IntN(2) == 0 && len(some.Terms) > 0 { // Some record has all of them.
		c.r.Shuffle(len(some.Terms), func(i, j int) { some.Terms[i], some.Terms[j] = some.Terms[j], some.Terms[i] })
		q.Terms = slices.Clone(some.Terms[:min(1+c.r.IntN(3), len(some.Terms))])
	}
	c.r.Shuffle(len(q.Terms), func(i, j int) { q.Terms[i], q.Terms[j] = q.Terms[j], q.Terms[i] })
	if c.r.IntN(3) == 0 {
		q.From = all[c.r.IntN(len(all))].ID
	}
	if c.r.IntN(3) == 0 {
		q.Before = all[c.r.IntN(len(all))].ID
	}
	if c.r.IntN(6) == 0 {
		q.Method = "PATCH"
	}
	if c.r.IntN(6) == 0 {
		q.Class = 4
	}
	return q
}

// Searches by several terms find what a look at each record finds: in the runs, merged or not, and in the table of earlier
// versions, also after some records were erased or trimmed.
func TestJournalTermsCompared(t *testing.T) {
	steps := 60
	if os.Getenv("SCIM_LONG") != "" {
		steps = 400
	}
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		c := &compared{t: t, db: db, d: d, s: newJournal(t, db, d), naive: journal.NewMemory(1 << 40), r: rand.New(rand.NewPCG(7, 7)), records: map[string][]journal.Record{}}
		c.add(200, true)
		with, without := 0, 0
		for step := range steps {
			c.add(1+c.r.IntN(60), c.r.IntN(12) == 0)
			switch c.r.IntN(8) {
			case 0:
				c.erase()
			case 1:
				c.trim()
			}
			for range 12 {
				q := c.search()
				got, err := c.s.Find(t.Context(), q)
				want, _ := c.naive.Find(t.Context(), q)
				if diff := cmp.Diff(idsOf(want), idsOf(got), cmpopts.EquateEmpty()); diff != "" || err != nil {
					t.Fatalf("step %d, %+v: %v (-want +got):\n%s", step, q, err, diff)
				}
				if len(q.Terms) > 1 && len(want) > 0 {
					with++
				} else if len(q.Terms) > 1 {
					without++
				}
			}
		}
		if t.Logf("%d searches by several terms find records, %d find none", with, without); with < steps || without < steps {
			t.Error("these are too few")
		}
	})
}

func idsOf(all []journal.Record) (ids []string) {
	for i := range all {
		ids = append(ids, all[i].ID)
	}
	return ids
}

// A search by two terms that no entry has both reads no entry, however many have one of them.
func TestJournalTermsReadNoEntry(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		s := newJournal(t, db, d)
		ann, bob, client, other := hashOf(1), hashOf(2), hashOf(3), hashOf(4)
		for batch := range 20 {
			var all []journal.Record
			for i := range 100 {
				n := batch*100 + i
				r := termed(n, client, bob)
				if i%5 == 0 {
					r = termed(n, other, ann)
				}
				all = append(all, r)
			}
			if err := s.Append(t.Context(), all); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := db.Exec("UPDATE scim_entries SET events = 'no JSON'"); err != nil { // Who reads an entry notices.
			t.Fatal(err)
		}
		for _, tt := range []struct {
			name  string
			terms []journal.Term
			reads bool
		}{
			{"one client and somebody that it never named", []journal.Term{ann, client}, false},
			{"the same, the client first", []journal.Term{client, ann}, false},
			{"a client that is not there", []journal.Term{ann, hashOf(5)}, false},
			{"three terms", []journal.Term{ann, other, client}, false},
			{"a client and somebody whom it named", []journal.Term{ann, other}, true},
			{"one term", []journal.Term{ann}, true},
		} {
			got, err := s.Find(t.Context(), journal.Search{Tenant: "acme", Terms: tt.terms, Limit: 50})
			if (err != nil) != tt.reads || len(got) > 0 {
				t.Errorf("%s: %d entries, %v", tt.name, len(got), err)
			}
		}
	})
}
