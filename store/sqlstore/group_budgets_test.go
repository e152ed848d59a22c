package sqlstore_test

import (
	"database/sql"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/store/sqlstore"
)

// readGroup makes GET of a group of n users, whose answer it does not keep.
func readGroup(tb testing.TB, c *crowd, path string, n int) {
	tb.Helper()
	w := testhost.NewCountingWriter()
	c.h.ServeHTTP(w, httptest.NewRequestWithContext(tb.Context(), "GET", path, nil))
	if w.Status != 200 || w.Size < int64(n)*100 {
		tb.Fatalf("GET of %d members: %d with %d bytes", n, w.Status, w.Size)
	}
}

// bareLoop reads the n members of a group with their names, in one statement and a loop over its
// rows. It does nothing with them.
func bareLoop(tb testing.TB, c *crowd, d sqlstore.Dialect, path string, n int) {
	tb.Helper()
	text := `SELECT m.member_type, m.member_id, (SELECT r.display FROM scim_resources r WHERE r.id = m.member_id AND r.type = m.member_type
		AND r.tenant = m.tenant AND r.deleted = 0) FROM scim_members m WHERE m.group_id = $1 AND m.tenant = '' ORDER BY m.member_type, m.member_id`
	if d == sqlstore.SQLite {
		text = strings.ReplaceAll(text, "$", "?")
	}
	rows, err := c.db.QueryContext(tb.Context(), text, strings.TrimPrefix(path, "/Groups/"))
	if err != nil {
		tb.Fatal(err)
	}
	defer rows.Close() //nolint:errcheck // Err tells
	var typ, id, display string
	got := 0
	for ; rows.Next(); got++ {
		if err := rows.Scan(&typ, &id, &display); err != nil {
			tb.Fatal(err)
		}
	}
	if err := rows.Err(); err != nil || got != n {
		tb.Fatal(got, err)
	}
}

// A group of 10,000 users of a kilobyte is read: one request, and a bare loop over the same rows.
func BenchmarkReadGroup(b *testing.B) {
	benchmarks(b, func(b *testing.B, db *sql.DB, d sqlstore.Dialect) {
		const n = 10_000
		c := newCrowd(b, db, d, n)
		path := c.join(b, d, "Everybody", n)
		for name, read := range map[string]func(){
			"ours": func() { readGroup(b, c, path, n) },
			"bare": func() { bareLoop(b, c, d, path, n) },
		} {
			b.Run(name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					read()
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/member")
			})
		}
	})
}

// A long group is read as fast as its rows, each member takes as long in a group of any size,
// and the heap does not grow with the group.
func readGroupBudget(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
	const few, many = 10_000, 100_000
	c := newCrowd(t, db, d, many)
	small, large := c.join(t, d, "Some", few), c.join(t, d, "Everybody", many)
	smallRead, largeRead := func(int) { readGroup(t, c, small, few) }, func(int) { readGroup(t, c, large, many) }
	compare(t, d.String()+": group of 10,000 read, to a bare loop", 1.5, 2, smallRead, func(int) { bareLoop(t, c, d, small, few) })
	compare(t, d.String()+": group of 100,000 read, to 10 of 10,000", 1.25, 1, largeRead, func(i int) {
		for range many / few {
			smallRead(i)
		}
	})
	limit := 4 * time.Microsecond
	if d == sqlstore.SQLite {
		limit = 6 * time.Microsecond
	}
	var took []time.Duration
	var heaps [2][]uint64
	for range 5 {
		start := time.Now()
		smallRead(0)
		took = append(took, time.Since(start)/few)
		for i, read := range []func(int){smallRead, largeRead} {
			heaps[i] = append(heaps[i], peak(func() { read(0) }))
		}
	}
	// Whatever else the machine does, and what is allocated while a collection marks, only adds.
	member, heap := slices.Min(took), [2]uint64{slices.Min(heaps[0]), slices.Min(heaps[1])}
	t.Logf("%-50s %9v of at most %v", d.String()+": a member of a group of 10,000 read", member, limit)
	t.Logf("%-50s %d kB, of 10,000: %d kB", fmt.Sprint(d, ": live heap of a group of 100,000 read"), heap[1]>>10, heap[0]>>10)
	if member > limit {
		t.Errorf("a member takes %v", member)
	}
	if heap[1] > heap[0]+heap[0]/10 {
		t.Errorf("a group of 100,000 takes %d bytes, one of 10,000 takes %d", heap[1], heap[0])
	}
}
