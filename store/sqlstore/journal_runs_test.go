package sqlstore_test

import (
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/scimkit/scim/journal"
	"github.com/scimkit/scim/store/sqlstore"
)

// termed is the n-th record of acme, with these terms.
func termed(n int, terms ...journal.Term) journal.Record {
	id := fmt.Sprintf("%08x-0000-7000-8000-000000000001", n)
	return journal.Record{Head: journal.Head{ID: id, Tenant: "acme", Kind: journal.Exchange, Time: time.Unix(int64(n), 0), Status: 200, RequestID: id, Method: "GET"},
		Key: "k", Detail: []byte("detail"), Terms: terms}
}

func hashOf(person int) journal.Term {
	return journal.Term{1, 2, 3, byte(person >> 8), byte(person), 6, 7, 8, 9}
}

// partsWith counts the parts in which a hash stands.
func partsWith(t *testing.T, db *sql.DB, term journal.Term) (with, all int) {
	t.Helper()
	rows, err := db.Query("SELECT begins, pairs FROM scim_entry_parts")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close() //nolint:errcheck // Err reports it
	for rows.Next() {
		var begins string
		var pairs []byte
		if err := rows.Scan(&begins, &pairs); err != nil {
			t.Fatal(err)
		}
		if all++; strings.HasPrefix(begins, hex.EncodeToString(term[:8])) || strings.Contains(string(pairs), string(term[:8])) {
			with++
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return with, all
}

// Erase leaves no hash of the person, also in runs that were merged, and Trim leaves none of entries that are gone.
func TestJournalRunsForget(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		s := newJournal(t, db, d)
		const batches, size, people = 40, 30, 50
		for b := range batches {
			var all []journal.Record
			for i := range size {
				n := b*size + i
				all = append(all, termed(n, hashOf(1000), hashOf(n%people), hashOf(people+n%people)))
			}
			if err := s.Append(t.Context(), all); err != nil {
				t.Fatal(err)
			}
		}
		var runs int
		if err := db.QueryRow("SELECT count(*) FROM scim_entry_runs").Scan(&runs); err != nil || runs >= batches/2 {
			t.Errorf("%d runs of %d appends, %v", runs, batches, err)
		}
		for _, person := range []int{0, 7, people - 1} {
			if with, _ := partsWith(t, db, hashOf(person)); with == 0 {
				t.Errorf("person %d is nowhere: what does this test look at?", person)
			}
			n, err := s.Erase(t.Context(), "acme", hashOf(person), 1000)
			if n != batches*size/people || err != nil {
				t.Errorf("Erase: %d, %v", n, err)
			}
			for _, of := range []int{person, people + person} { // Each of its entries has both.
				if with, all := partsWith(t, db, hashOf(of)); with > 0 {
					t.Errorf("%d of %d parts have the hash %d", with, all, of)
				}
			}
		}
		if all, err := s.Find(t.Context(), journal.Search{Tenant: "acme", Terms: []journal.Term{hashOf(1000)}, Limit: 2000}); err != nil || len(all) != batches*size*(people-3)/people {
			t.Errorf("%d entries are left, %v", len(all), err)
		}
		for done := false; !done; {
			var err error
			if done, err = s.Trim(t.Context(), journal.Retention{From: termed(batches * size).ID, Size: 1 << 40, Refused: 10}); err != nil {
				t.Fatal(err)
			}
		}
		if _, all := partsWith(t, db, hashOf(1000)); all > 0 {
			t.Errorf("%d parts are left of entries that are gone", all)
		}
	})
}

// Processes that append, merge, erase and read at the same time lose nothing, and no reader misses an entry meanwhile.
func TestJournalRunsAtOnce(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		const processes, batches = 4, 40
		var writers sync.WaitGroup
		ctx, cancel := context.WithCancel(t.Context())
		first := newJournal(t, db, d)
		if err := first.Append(ctx, []journal.Record{termed(0, hashOf(1), hashOf(2))}); err != nil {
			t.Fatal(err)
		}
		reader := make(chan error, 1)
		go func() {
			for n := 0; ctx.Err() == nil; n++ {
				if all, err := first.Find(t.Context(), journal.Search{Tenant: "acme", Terms: []journal.Term{hashOf(2)}, Limit: 10}); err != nil || len(all) != 1 {
					reader <- fmt.Errorf("search %d: %d entries, %w", n, len(all), err)
					return
				}
			}
			reader <- nil
		}()
		for p := range processes {
			s := newJournal(t, db, d)
			writers.Go(func() {
				for b := range batches {
					n := 1 + p*batches + b
					if err := s.Append(ctx, []journal.Record{termed(2*n, hashOf(1), hashOf(100)), termed(2*n+1, hashOf(1), hashOf(101+p))}); err != nil {
						t.Error(err)
					}
					if b%10 == 9 {
						if _, err := s.Erase(ctx, "acme", hashOf(101+p), 100); err != nil {
							t.Error(err)
						}
					}
				}
			})
		}
		writers.Wait()
		cancel()
		if err := <-reader; err != nil {
			t.Error(err)
		}
		for p := range processes {
			if with, all := partsWith(t, db, hashOf(101+p)); with > 0 {
				t.Errorf("%d of %d parts have the hash of an erased person", with, all)
			}
		}
		for term, want := range map[journal.Term]int{hashOf(1): processes*batches + 1, hashOf(100): processes * batches} {
			if all, err := first.Find(t.Context(), journal.Search{Tenant: "acme", Terms: []journal.Term{term}, Limit: 1000}); len(all) != want || err != nil {
				t.Errorf("%d entries have a term, want %d, %v", len(all), want, err)
			}
		}
	})
}
