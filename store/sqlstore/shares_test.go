package sqlstore_test

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/scimkit/scim/ratelimit"
	"github.com/scimkit/scim/store/sqlstore"
)

var _ ratelimit.Shares = (*sqlstore.Shares)(nil)

func newShares(t *testing.T, db *sql.DB, d sqlstore.Dialect) *sqlstore.Shares {
	t.Helper()
	s, err := sqlstore.NewShares(db, d, sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// age makes the row of a tenant older by seconds, or newer.
func age(t *testing.T, db *sql.DB, tenant string, by string) {
	t.Helper()
	if _, err := db.Exec("UPDATE scim_shares SET sec = sec - (" + by + ") WHERE tenant = '" + tenant + "'"); err != nil {
		t.Fatal(err)
	}
}

func TestShares(t *testing.T) {
	everyDatabase(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		s := newShares(t, db, d)
		for n := 1; ; n++ {
			begun := time.Now()
			wrong := sharesGoneWrong(t, db, s, fmt.Sprint("acme", n))
			// The clock of the test machine goes on: what is said of one second needs one.
			if len(wrong) > 0 && begun.Unix() != time.Now().Unix() && n < 30 {
				continue
			}
			for _, w := range wrong {
				t.Error(w)
			}
			break
		}
	})
}

// sharesGoneWrong asks for shares in one second, and says what is wrong.
func sharesGoneWrong(t *testing.T, db *sql.DB, s *sqlstore.Shares, acme string) (wrong []string) {
	take := func(what, tenant string, demand, want, given, total int) {
		if g, all, err := s.Take(t.Context(), tenant, demand, want); g != given || all != total || err != nil {
			wrong = append(wrong, fmt.Sprintf("%s: %d given, %d in all, error %v; want %d and %d", what, g, all, err, given, total))
		}
	}
	take("the first", acme, 3, 25, 25, 0)
	age(t, db, acme, "-5") // A second of the test machine may end between two statements.
	take("another process in this second", acme, 4, 25, 50, 0)
	take("another tenant", acme+" beta", 1, 25, 25, 0)
	age(t, db, acme, "6")
	take("the second after", acme, 70, 60, 60, 7)
	age(t, db, acme, "-5")
	take("another process, then", acme, 30, 40, 100, 7)
	age(t, db, acme, "7")
	take("after a pause", acme, 9, 50, 50, 0)
	age(t, db, acme, "-5")
	take("a process that read the clock and then waited for others", acme, 1, 10, 60, 0)
	for _, back := range []string{"-60", "-86400"} {
		age(t, db, acme, back)
		take("the clock was set back", acme, 1, 50, 50, 0)
	}
	return wrong
}

// A tenant may have no name.
func TestSharesWithoutName(t *testing.T) {
	everyDatabase(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		if given, all, err := newShares(t, db, d).Take(t.Context(), "", 1, 1); given != 1 || all != 0 || err != nil {
			t.Errorf("%d given, %d in all, error %v; want 1 and 0", given, all, err)
		}
	})
}

// Processes at the same time get together what they have asked for, also within a transaction of the
// application.
func TestSharesAtOnce(t *testing.T) {
	everyDatabase(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		s := newShares(t, db, d)
		if _, _, err := s.Take(t.Context(), "acme", 1, 1); err != nil {
			t.Fatal(err)
		}
		age(t, db, "acme", "-8")
		var wg sync.WaitGroup
		var most atomic.Int64
		for range 8 {
			wg.Go(func() {
				for range 5 {
					given, _, err := s.Take(t.Context(), "acme", 1, 2)
					if err != nil {
						t.Error(err)
					}
					for at := most.Load(); int64(given) > at && !most.CompareAndSwap(at, int64(given)); at = most.Load() {
					}
				}
			})
		}
		wg.Wait()
		if most.Load() != 81 {
			t.Errorf("%d given in all, want 81", most.Load())
		}
	})
}

// counted counts the statements of Shares.
type counted struct {
	ratelimit.Shares
	n atomic.Int64
}

func (c *counted) Take(ctx context.Context, tenant string, demand, want int) (int, int, error) {
	c.n.Add(1)
	return c.Shares.Take(ctx, tenant, demand, want)
}

// Two processes over one database serve the rate of one tenant, and each of them sends one statement
// a second.
func TestSharedRate(t *testing.T) {
	everyDatabase(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		c := &counted{Shares: newShares(t, db, d)}
		var all []*ratelimit.Limiter
		for range 2 {
			l, err := ratelimit.New(ratelimit.Options{Shares: c})
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, l)
		}
		const seconds = 4
		served, start := 0, time.Now()
		for time.Since(start) < seconds*time.Second {
			for _, l := range all {
				for l.Admit(t.Context(), "acme", false).RetryAfter == 0 {
					served++
				}
			}
			time.Sleep(5 * time.Millisecond)
		}
		took := time.Since(start).Seconds()
		if most := 100 * (took + 2); float64(served) > most || float64(served) < 10*took { // The machine may be slow.
			t.Errorf("%d requests run in %.1f s, want about 100 a second", served, took)
		}
		if n := c.n.Load(); float64(n) > 2*(took+1) {
			t.Errorf("%d statements in %.1f s of 2 processes", n, took)
		}
	})
}

func TestNewSharesListsMistakes(t *testing.T) {
	_, err := sqlstore.NewShares(nil, 0, sqlstore.Options{Tenant: "acme"})
	for _, want := range []string{"db is nil", "unknown dialect 0", "Tenant of NewShares"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not tell of %s", err, want)
		}
	}
}
