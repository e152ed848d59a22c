package sqlstore_test

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/internal/mariatest"
	"github.com/scimkit/scim/internal/pgtest"
	"github.com/scimkit/scim/store/sqlstore"
)

// compare runs two pieces of work by turns, so that whatever else the machine does
// meets both, and checks the median of the ratios of their time.
func compare(t *testing.T, name string, limit float64, n int, ours, peer func(i int)) {
	t.Helper()
	const rounds = 21
	var took [2][]time.Duration
	var ratios []float64
	for round := -1; round < rounds; round++ {
		var d [2]time.Duration
		for i := range 2 {
			i ^= round & 1 // each goes first every other time
			start := time.Now()
			for k := range n {
				[]func(int){ours, peer}[i](k)
			}
			d[i] = time.Since(start) / time.Duration(n)
		}
		if round < 0 {
			continue // to get warm
		}
		took[0], took[1] = append(took[0], d[0]), append(took[1], d[1])
		ratios = append(ratios, float64(d[0])/float64(d[1]))
	}
	ratio := median(ratios)
	t.Logf("%-50s %9v against %9v: %.2f of at most %.2f", name, median(took[0]), median(took[1]), ratio, limit)
	if ratio > limit {
		t.Errorf("%s: %.2f times its peer; the budget is %.2f", name, ratio, limit)
	}
}

func median[T time.Duration | float64](list []T) T {
	list = slices.Sorted(slices.Values(list))
	return list[len(list)/2]
}

// TestBudgets checks the performance budgets. It takes minutes, some gigabytes of
// disk and a quiet machine: set SCIM_BUDGETS, as .ci/long does.
func TestBudgets(t *testing.T) {
	if os.Getenv("SCIM_BUDGETS") == "" {
		t.Skip("SCIM_BUDGETS is not set")
	}
	for _, on := range []struct {
		name          string
		d             sqlstore.Dialect
		open, durable func(testing.TB) *sql.DB // durable: a commit waits for the disk
	}{
		{"SQLite", sqlstore.SQLite, sqliteDB, sqliteDB},
		{"PostgreSQL", sqlstore.Postgres, func(tb testing.TB) *sql.DB { return postgres.DB(tb) }, func(tb testing.TB) *sql.DB {
			s := &pgtest.Server{Durable: true}
			tb.Cleanup(s.Stop)
			return s.DB(tb)
		}},
		{"MariaDB", sqlstore.MariaDB, func(tb testing.TB) *sql.DB { return mariadb.DB(tb) }, func(tb testing.TB) *sql.DB {
			s := &mariatest.Server{Durable: true}
			tb.Cleanup(s.Stop)
			return s.DB(tb)
		}},
	} {
		t.Run(on.name, func(t *testing.T) {
			t.Run("first Migrate", func(t *testing.T) { firstMigrateBudget(t, on.open(t), on.d) })
			t.Run("triggers", func(t *testing.T) { triggerBudget(t, on.durable(t), on.d) })
			if on.d == sqlstore.MariaDB { // The others fill tables in the SQL of SQLite and PostgreSQL.
				return
			}
			t.Run("users", func(t *testing.T) { usersBudget(t, on.open, on.d) })
			if on.d == sqlstore.Postgres {
				t.Run("pgbench", pgbenchBudget)
				t.Run("wire", wireBudget)
			}
			t.Run("walk", func(t *testing.T) { walkBudget(t, on.open(t), on.d) })
			t.Run("group", func(t *testing.T) { groupBudget(t, on.open(t), on.d) })
			t.Run("group read", func(t *testing.T) { readGroupBudget(t, on.open(t), on.d) })
			t.Run("group write", func(t *testing.T) { longWriteBudget(t, on.open(t), on.d) })
			t.Run("members", func(t *testing.T) { membersBudget(t, on.open(t), on.d) })
			t.Run("delete", func(t *testing.T) { deleteBudget(t, on.open, on.d) })
			t.Run("nested members", func(t *testing.T) { nestedMembersBudget(t, on.open(t), on.d) })
			t.Run("nested group", func(t *testing.T) { nestedGroupBudget(t, on.open, on.d) })
		})
	}
}

// A look-up, and the last page, of a million users cost as much as of a thousand.
func usersBudget(t *testing.T, open func(testing.TB) *sql.DB, d sqlstore.Dialect) {
	type site struct{ look, first, last func(i int) }
	made := func(n int) site {
		db := open(t)
		s := newStore(t, db, d, sqlstore.Options{})
		start := time.Now()
		populate(t, db, d, s, n)
		t.Logf("%s: %d users were stored in %v", d, n, time.Since(start).Round(time.Second/10))
		h := handler(t, scim.Config{Store: s})
		page := func(q *scim.Query) func(int) {
			return func(int) {
				p, err := s.List(t.Context(), scim.UserType(), q)
				if err != nil || len(p.Resources) != q.Limit {
					t.Fatal(len(p.Resources), err)
				}
			}
		}
		behind, err := s.Get(t.Context(), scim.Ref{Type: "User", ID: userID(n - 101)})
		if err != nil {
			t.Fatal(err)
		}
		return site{
			// A thousand of them, from all over, so that the processor's caches serve both alike.
			func(i int) {
				send(t, h, "GET", fmt.Sprintf("/Users?filter=userName+eq+%%22%s%%22", userName(i%1000*(n/1000))), "", 200)
			},
			page(&scim.Query{Limit: 100}),
			page(&scim.Query{Limit: 100, After: scim.KeyOf(&scim.Query{}, behind)}),
		}
	}
	small, large := made(1_000), made(1_000_000)
	compare(t, d.String()+": look-up by userName, 1,000,000 to 1,000", 1.5, 1000, large.look, small.look)
	compare(t, d.String()+": last page, 1,000,000 to 1,000", 1.5, 20, large.last, small.last)
	compare(t, d.String()+": last page to first page, 1,000,000", 1.5, 20, large.last, large.first)
}

// All users are read page by page, by index and by cursor, while others are created.
func walkBudget(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
	const n, limit = 200_000, 2.0
	s := newStore(t, db, d, sqlstore.Options{})
	populate(t, db, d, s, n)
	h := handler(t, scim.Config{Store: s})
	walk := func(begin string, next func(read int, cursor string) string) time.Duration {
		start, read := time.Now(), 0
		for query := begin; query != ""; {
			if read%5000 == 0 {
				create(t, s, user(t, fmt.Sprint(begin, read), nil))
			}
			var page struct {
				TotalResults int
				NextCursor   string
				Resources    []struct{ ID string }
			}
			if err := json.Unmarshal(send(t, h, "GET", "/Users?count=100&attributes=id&"+query, "", 200).Body.Bytes(), &page); err != nil {
				t.Fatal(err)
			}
			read += len(page.Resources)
			if query = next(read, page.NextCursor); read >= page.TotalResults && page.NextCursor == "" {
				break
			}
		}
		if read < n {
			t.Errorf("%s: %d users of at least %d", begin, read, n)
		}
		return time.Since(start)
	}
	byCursor := walk("cursor=", func(_ int, cursor string) string {
		if cursor == "" {
			return ""
		}
		return "cursor=" + cursor
	})
	byIndex := walk("startIndex=1", func(read int, _ string) string { return fmt.Sprint("startIndex=", read+1) })
	ratio := float64(byIndex) / float64(byCursor)
	t.Logf("%s: %d users by index in %v, by cursor in %v: %.2f of at most %.2f", d, n, byIndex.Round(time.Millisecond), byCursor.Round(time.Millisecond), ratio, limit)
	if ratio > limit {
		t.Errorf("%s: too slow", d)
	}
}

// A member is added and removed in a large group as in a small one.
func membersBudget(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
	const n = 100_000
	c := newCrowd(t, db, d, n)
	toggle := func(path string) func(int) {
		return func(i int) {
			id := userID(n - 1 - i%10)
			send(t, c.h, "PATCH", path, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"add","path":"members","value":[{"value":"`+id+`"}]}]}`, 204)
			send(t, c.h, "PATCH", path, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"remove","path":"members[value eq \"`+id+`\"]"}]}`, 204)
		}
	}
	large, small := toggle(c.join(t, d, "Everybody", n-10)), toggle(c.join(t, d, "Few", 100))
	compare(t, d.String()+": member changed, 100,000 to 100", 1.5, 50, large, small)
}

// A group of 10,000 is read without its users, which are a kilobyte each.
func groupBudget(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
	const n = 10_000
	c := newCrowd(t, db, d, n)
	path := c.join(t, d, "Everybody", n)
	users := func(int) {
		for i := 0; i < n; i += 1000 {
			q := &scim.Query{Limit: 1000}
			for k := range 1000 {
				q.IDs = append(q.IDs, userID(i+k))
			}
			if p, err := c.s.List(t.Context(), scim.UserType(), q); err != nil || len(p.Resources) != 1000 {
				t.Fatal(len(p.Resources), err)
			}
		}
	}
	compare(t, d.String()+": group of 10,000 read, to its users", 0.75, 2, func(int) { send(t, c.h, "GET", path, "", 200) }, users)
}

// A group of 50,000 that gives a role is deleted quickly, and in as much memory as a
// small one.
func deleteBudget(t *testing.T, open func(testing.TB) *sql.DB, d sqlstore.Dialect) {
	var took, cpu []time.Duration
	var peaks []uint64
	for _, n := range []int{5_000, 50_000} {
		c := newCrowd(t, open(t), d, n)
		// A collection counts what is allocated while it marks, which is chance and only ever more. What the work needs is in each of three.
		var path string
		var found []uint64
		for range 3 {
			path = c.join(t, d, "Everybody", n)
			found = append(found, peak(func() { c.dissolve(t, path) }))
			c.gone(t)
		}
		peaks = append(peaks, slices.Min(found))
		for range 10 * n / 50_000 {
			path = c.join(t, d, "Everybody", n)
			start, used := time.Now(), cpuTime()
			c.dissolve(t, path)
			took, cpu = append(took, time.Since(start)), append(cpu, cpuTime()-used)
			c.gone(t)
		}
	}
	took, cpu = took[1:], cpu[1:] // of the large one
	t.Logf("%-50s %9v of at most 2s (CPU of this process: %v); live heap %d kB, of 5,000: %d kB",
		d.String()+": delete a group of 50,000", median(took), median(cpu), peaks[1]>>10, peaks[0]>>10)
	if median(took) > 2*time.Second {
		t.Errorf("it takes %v", median(took))
	}
	if float64(peaks[1]) > 1.25*float64(peaks[0]) {
		t.Errorf("a group of 50,000 takes %d bytes, one of 5,000 takes %d", peaks[1], peaks[0])
	}
}

// cpuTime is what this process has used.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// peak is the most that was found in use on the heap by the garbage collections in fn,
// of which there are many.
func peak(fn func()) uint64 {
	defer debug.SetGCPercent(debug.SetGCPercent(10))
	stop, most := make(chan bool), make(chan uint64)
	go func() {
		live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		var max uint64
		for {
			metrics.Read(live)
			if n := live[0].Value.Uint64(); n > max {
				max = n
			}
			select {
			case <-stop:
				most <- max
				return
			case <-time.After(time.Millisecond):
			}
		}
	}()
	fn()
	close(stop)
	return <-most
}

// handler is a handler without a log, and without authentication.
func handler(tb testing.TB, c scim.Config) *scim.Handler {
	tb.Helper()
	c.Auth, c.Log, c.Limits.Time = auth.None(), slog.New(slog.DiscardHandler), time.Hour
	h, err := scim.New(c)
	if err != nil {
		tb.Fatal(err)
	}
	return h
}

// send makes one request in this process and returns the answer.
func send(tb testing.TB, h http.Handler, method, target, body string, want int) *httptest.ResponseRecorder {
	tb.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(tb.Context(), method, target, strings.NewReader(body)))
	if w.Code != want {
		tb.Fatalf("%s %.200s: %d, want %d: %s", method, target, w.Code, want, w.Body)
	}
	return w
}
