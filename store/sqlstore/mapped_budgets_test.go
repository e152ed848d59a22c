package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/scimkit/scim/store/sqlstore"
)

// rowsASecond is how many rows of the application the first Migrate reads in a second at least.
const rowsASecond = 20_000

// longestWait is how long a write of the application may wait meanwhile.
const longestWait = time.Second

// The first Migrate over a table of many people is stopped half-way and goes on, and the
// application writes meanwhile.
func firstMigrateBudget(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
	const n = 200_000
	employ(t, db, d, n)
	s, err := sqlstore.New(db, d, appOptions("o"))
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	halfWay, stop := context.WithTimeout(t.Context(), n/rowsASecond/4*time.Second)
	defer stop()
	if err := s.Migrate(halfWay); err == nil {
		t.Logf("the first Migrate had no time to be stopped")
	}
	known := func() (k int) {
		if err := db.QueryRow("SELECT count(*) FROM scim_resources").Scan(&k); err != nil {
			t.Fatal(err)
		}
		return k
	}
	stopped := known()
	var wrote atomic.Int64
	ctx, end := context.WithCancel(t.Context())
	done := make(chan time.Duration)
	go func() { done <- writes(ctx, t, db, d, &wrote) }()
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	took := time.Since(start)
	end()
	slowest := <-done
	t.Logf("%s: first Migrate of %d rows in %v, %.0f rows a second of at least %d; stopped at %d; %d writes of the application meanwhile, the slowest in %v",
		d, n, took.Round(time.Second/10), float64(n)/took.Seconds(), rowsASecond, stopped, wrote.Load(), slowest.Round(time.Millisecond))
	if float64(n)/took.Seconds() < rowsASecond {
		t.Errorf("%s: too slow", d)
	}
	if k := known(); k != n {
		t.Errorf("%d of %d people are users", k, n)
	}
	if wrote.Load() == 0 || slowest > longestWait {
		t.Errorf("the application could write %d times meanwhile, and waited for %v once", wrote.Load(), slowest)
	}
}

// employ inserts n people. Only PostgreSQL looks at the tables by itself, so nobody else is told to.
func employ(t testing.TB, db *sql.DB, d sqlstore.Dialect, n int) {
	t.Helper()
	makeApp(t, db, d)
	for i := 0; i < n; i += 10_000 {
		people := make([]string, 10_000)
		for k := range people {
			people[k] = fmt.Sprintf("('o', 'person%d@example.com', 'Eva', 'Holm %d')", i+k, i+k)
		}
		if _, err := db.Exec("INSERT INTO people (org, email, first_name, last_name) VALUES " + strings.Join(people, ", ")); err != nil {
			t.Fatal(err)
		}
	}
	if d == sqlstore.Postgres {
		analyze(t, db, d)
	}
}

// writes renames one person after the other until the context ends. It returns the longest time
// that one of them took.
func writes(ctx context.Context, t *testing.T, db *sql.DB, d sqlstore.Dialect, wrote *atomic.Int64) (slowest time.Duration) {
	text := says(d, "UPDATE people SET first_name = 'Eve' WHERE id = $1")
	for i := 0; ctx.Err() == nil; i++ {
		start := time.Now()
		if _, err := db.Exec(text, 1+i*7919%1000); err != nil {
			t.Error(err)
			return slowest
		}
		slowest = max(slowest, time.Since(start))
		wrote.Add(1)
		time.Sleep(10 * time.Millisecond)
	}
	return slowest
}

// A change by the application costs little more with triggers than without. An application reads a
// row and changes it, in a transaction, as an ORM does. Each change is of another row, so each makes
// a note.
func triggerBudget(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
	const n, changes = 10_000, 100
	employ(t, db, d, n)
	s, err := sqlstore.New(db, d, appOptions("o"))
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range inDialect(d, "CREATE TABLE peer (id {serial}, org text NOT NULL, kind text NOT NULL, email text NOT NULL, first_name text NOT NULL,"+
		" last_name text, status text NOT NULL, mobile text, is_external {bool}, left_at {time}, UNIQUE (org, email));\nINSERT INTO peer SELECT * FROM people") {
		if _, err := db.Exec(text); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if d != sqlstore.MariaDB {
		analyze(t, db, d)
	}
	for _, change := range []struct {
		what, write string
		args        func(id int) []any
	}{
		{"an insert", "INSERT INTO {table} (id, org, kind, email, first_name, status) VALUES ($1, 'o', 'person', $2, 'Eva', 'active')",
			func(id int) []any { return []any{2*n + id, fmt.Sprint("new", id)} }},
		{"an update", "UPDATE {table} SET first_name = $1 WHERE id = $2", func(id int) []any { return []any{fmt.Sprint("Eve ", id), id} }},
		{"a deletion", "DELETE FROM {table} WHERE id = $1", func(id int) []any { return []any{id} }},
	} {
		on := func(table string) func(int) {
			read, write, id := says(d, "SELECT count(*) FROM "+table+" WHERE id = $1"), strings.ReplaceAll(change.write, "{table}", table), 0
			return func(int) {
				id++
				err := inTx(db, func(tx *sql.Tx) error {
					was := 0
					if err := tx.QueryRow(read, id).Scan(&was); err != nil {
						return err
					}
					return run(t.Context(), tx, d, write, change.args(id)...)
				})
				if err != nil {
					t.Fatal(err)
				}
			}
		}
		compare(t, d.String()+": "+change.what+" by the application, with triggers to without", 1.15, changes, on("people"), on("peer"))
	}
}

// inTx runs fn in a transaction.
func inTx(db *sql.DB, fn func(*sql.Tx) error) error {
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	if err := fn(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}
