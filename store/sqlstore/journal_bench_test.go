package sqlstore_test

import (
	"bytes"
	"database/sql"
	"fmt"
	"testing"

	"github.com/scimkit/scim/journal"
	"github.com/scimkit/scim/store/sqlstore"
)

// BenchmarkJournalAppend measures an entry of typical size, which comes with 99 others as a flush writes them, merges of runs
// included.
func BenchmarkJournalAppend(b *testing.B) {
	run := func(db *sql.DB, d sqlstore.Dialect) func(b *testing.B) {
		return func(b *testing.B) {
			s, err := sqlstore.NewJournal(db, d, sqlstore.Options{})
			if err != nil {
				b.Fatal(err)
			}
			if err := s.Migrate(b.Context()); err != nil {
				b.Fatal(err)
			}
			n := 0
			b.ReportAllocs()
			began := cpuTime()
			for b.Loop() {
				var all []journal.Record
				for range 100 {
					n++
					r := termed(n)
					r.ID = fmt.Sprintf("%08x-%04x-7000-8000-%012x", n>>4, n&15, n)
					r.RequestID, r.Detail, r.Request, r.Response = r.ID, bytes.Repeat([]byte{1}, 900), bytes.Repeat([]byte{2}, 300), bytes.Repeat([]byte{3}, 700)
					r.Terms = append(r.Terms, hashOf(0))
					for k := range 6 {
						r.Terms = append(r.Terms, journal.Term{byte(n * 31), byte(n >> 3), byte(k), byte(n), byte(n >> 8), 1, 2, byte(n >> 16), 9})
					}
					all = append(all, r)
				}
				if err := s.Append(b.Context(), all); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(cpuTime()-began)/float64(n), "cpu-ns/entry")
		}
	}
	b.Run("SQLite", run(relaxed(b), sqlstore.SQLite))
	b.Run("PostgreSQL", run(postgres.DB(b), sqlstore.Postgres))
}
