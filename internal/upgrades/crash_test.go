package upgrades

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/store/sqlstore"
)

// copies runs a test for each kept database. It makes copies of it.
func copies(t *testing.T, test func(t *testing.T, fresh func() copied)) {
	for _, w := range worlds {
		for name, d := range map[string]sqlstore.Dialect{"SQLite": sqlstore.SQLite, "PostgreSQL": sqlstore.Postgres} {
			t.Run(w.name+"/"+name, func(t *testing.T) {
				test(t, func() copied { return w.openKept(t, d) })
			})
		}
	}
}

// state is what the tables of roles have.
type state struct {
	version int
	rows    []string
}

func (c copied) state(t *testing.T) (s state) {
	t.Helper()
	prefix := c.tablePrefix()
	version := func() (n int) {
		check(t, c.db.QueryRow("SELECT version FROM "+prefix+"schema WHERE part = 'ledger'").Scan(&n))
		return n
	}
	s.version = version()
	s.rows = c.dump(t, prefix+"grants", prefix+"links")
	if version() != s.version { // PostgreSQL has committed for a process that is dead
		return c.state(t)
	}
	return s
}

// fill adds grants, so that a migration takes time.
func (c copied) fill(t *testing.T, n int) {
	t.Helper()
	numbers := fmt.Sprintf("generate_series(1, %d) AS n (i)", n)
	if c.d == sqlstore.SQLite {
		numbers = fmt.Sprintf("(WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) SELECT i FROM n) AS n", n)
	}
	_, err := c.db.Exec("INSERT INTO " + c.tablePrefix() + "grants (tenant, user_id, role_id, source, at, by_hand, waiting)" +
		" SELECT 'first', 'filler' || n.i, 'editor', 'group:editors', 1, 0, n.i % 2 FROM " + numbers)
	check(t, err)
}

// checkFilled counts what fill added.
func (c copied) checkFilled(t *testing.T, n int) {
	t.Helper()
	var all, waiting int
	check(t, c.db.QueryRow("SELECT count(*), sum(CASE state WHEN 'return' THEN 1 ELSE 0 END) FROM "+c.tablePrefix()+
		"grants WHERE user_id LIKE 'filler%'").Scan(&all, &waiting))
	if all != n || waiting != n/2 {
		t.Errorf("%d grants, of which %d wait, want %d and %d", all, waiting, n, n/2)
	}
}

// A process that is killed before any of its statements leaves the tables as they were, or
// upgraded. The next process goes on.
func TestKilledAtEachStatement(t *testing.T) {
	copies(t, func(t *testing.T, fresh func() copied) {
		c := fresh()
		before := c.state(t)
		upgraded, kills := 0, 0
		step := int64(1)
		if testhost.UnderRace { // processes start slowly
			step = 5
		}
		for killAt := int64(1); ; killAt += step {
			p := c.start(t, killAt)
			p.begin(t)
			if !p.end(t) {
				break
			}
			kills++
			now := c.state(t)
			if now.version != before.version {
				upgraded++
				continue
			}
			if diff := cmp.Diff(before, now, cmp.AllowUnexported(state{})); diff != "" {
				t.Fatalf("killed before call %d: tables of before have (-before +now):\n%s", killAt, diff)
			}
			if upgraded > 0 {
				t.Fatalf("killed before call %d: the upgrade is undone", killAt)
			}
		}
		// The upgrade is one transaction of more statements than these.
		if kills-upgraded < 10/int(step) || upgraded == 0 && c.mapped {
			t.Errorf("%d kills, of which %d after the upgrade", kills, upgraded)
		}
		checkUpgraded(t, c.place)
	})
}

// kills is the number of kills at random moments for each database.
func kills(t *testing.T) int {
	if s := os.Getenv("SCIM_KILLS"); s != "" {
		n, err := strconv.Atoi(s)
		check(t, err)
		return n
	}
	return 1
}

// A process is killed at any moment of an upgrade of many rows.
func TestKilledAtAnyTime(t *testing.T) {
	const filled = 5000
	copies(t, func(t *testing.T, fresh func() copied) {
		var whole time.Duration // the time of an upgrade
		upgraded := 0
		for i := range 1 + kills(t) {
			c := fresh()
			c.fill(t, filled)
			before := c.state(t)
			p := c.start(t, 0)
			start := time.Now()
			p.begin(t)
			if i == 0 {
				if p.end(t) {
					t.Fatal("the process was killed")
				}
				whole = time.Since(start)
			} else {
				time.Sleep(time.Duration(rand.Int64N(int64(whole))))
				p.kill()
			}
			now := c.state(t)
			if now.version == before.version {
				if diff := cmp.Diff(before, now, cmp.AllowUnexported(state{})); diff != "" {
					t.Fatalf("tables of before have (-before +now):\n%s", diff)
				}
			} else if i > 0 {
				upgraded++
			}
			checkUpgraded(t, c.place)
			c.checkFilled(t, filled)
		}
		t.Logf("an upgrade takes %v; %d kills, of which %d after it", whole, kills(t), upgraded)
	})
}

// Three processes migrate at once, and one of them may be killed meanwhile.
func TestThreeProcesses(t *testing.T) {
	const filled = 2000
	copies(t, func(t *testing.T, fresh func() copied) {
		for _, killed := range []bool{false, true} {
			c := fresh()
			c.fill(t, filled)
			var all []*process
			for range 3 {
				all = append(all, c.start(t, 0))
			}
			for _, p := range all {
				p.begin(t)
			}
			if killed {
				time.Sleep(time.Duration(rand.Int64N(int64(50 * time.Millisecond))))
				all[0].kill()
				all = all[1:]
			}
			for _, p := range all {
				if p.end(t) {
					t.Error("a process was killed")
				}
			}
			checkUpgraded(t, c.place)
			c.checkFilled(t, filled)
		}
	})
}

// A server of the version before is in a transaction that locks the tables in another order
// than the upgrade. PostgreSQL ends one of the two. If it is the upgrade, it runs again.
func TestBesideTransaction(t *testing.T) {
	c := worlds[0].openKept(t, sqlstore.Postgres)
	tx, err := c.db.Begin()
	check(t, err)
	defer tx.Rollback() //nolint:errcheck // it does nothing after Commit
	_, err = tx.Exec("UPDATE scim_links SET weight = weight")
	check(t, err)
	done := make(chan error, 1)
	go func() { done <- c.migrate(t.Context(), "first") }()
	for isWaiting := false; !isWaiting; time.Sleep(5 * time.Millisecond) { // the upgrade has locked the grants
		check(t, c.db.QueryRow("SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database()"+
			" AND wait_event_type = 'Lock' AND query LIKE 'ALTER TABLE scim_links%')").Scan(&isWaiting))
		select {
		case err := <-done:
			t.Fatalf("the upgrade did not wait, error %v", err)
		default:
		}
	}
	var waiting int
	ended := tx.QueryRow("SELECT count(*) FROM scim_grants WHERE waiting = 1").Scan(&waiting)
	if ended == nil {
		ended = tx.Commit()
	} else {
		check(t, tx.Rollback())
	}
	check(t, <-done)
	t.Logf("the transaction ended with: %v", ended)
	checkUpgraded(t, c.place)
}
