package sqlstore_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore"
	"github.com/scimkit/scim/store/storetest"
)

// flaky is a driver.Connector whose connections fail on command.
type flaky struct {
	driver driver.Driver
	dsn    string
	err    error // what it fails with
	// silent: a commit is carried out, and its answer is lost.
	silent bool

	// hide: an error of the database is a text only.
	hide bool

	// once: it fails once, and then works.
	once bool

	mu     sync.Mutex
	broken bool
	left   int // calls that succeed nevertheless
	sent   int // statements
}

func (f *flaky) Break(after int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.broken, f.left = true, after
}

func (f *flaky) Heal() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.broken = false
}

// fail is the error of one call of the database, nil if it succeeds.
func (f *flaky) fail() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.left--; !f.broken || f.left >= 0 {
		return nil
	}
	f.broken = !f.once
	return f.err
}

// send counts a statement.
func (f *flaky) send() error {
	f.mu.Lock()
	f.sent++
	f.mu.Unlock()
	return f.fail()
}

func (f *flaky) Driver() driver.Driver { return f.driver }

func (f *flaky) Connect(context.Context) (driver.Conn, error) {
	if err := f.fail(); err != nil {
		return nil, err
	}
	c, err := f.driver.Open(f.dsn)
	if err != nil {
		return nil, err
	}
	return &flakyConn{c, f}, nil
}

type flakyConn struct {
	driver.Conn
	f *flaky
}

func (c *flakyConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	x, ok := c.Conn.(driver.ExecerContext)
	if !ok || len(args) > 0 && !c.isDirect() {
		return nil, driver.ErrSkip
	}
	if err := c.f.send(); err != nil {
		return nil, err
	}
	res, err := x.ExecContext(ctx, query, args)
	if err != nil && c.f.hide {
		err = errors.New(err.Error())
	}
	return res, err
}

// isDirect reports whether the driver runs statements with arguments without preparing them.
func (c *flakyConn) isDirect() bool {
	_, ok := c.Conn.(driver.QueryerContext)
	return ok
}

// PrepareContext counts as the statement that is prepared.
func (c *flakyConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	if err := c.f.send(); err != nil {
		return nil, err
	}
	return c.Conn.(driver.ConnPrepareContext).PrepareContext(ctx, query)
}

func (c *flakyConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	if !c.isDirect() {
		return nil, driver.ErrSkip
	}
	if err := c.f.send(); err != nil {
		return nil, err
	}
	rows, err := c.Conn.(driver.QueryerContext).QueryContext(ctx, query, args)
	if err != nil {
		return nil, err
	}
	return &flakyRows{rows, c.f}, nil
}

func (c *flakyConn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	if err := c.f.fail(); err != nil {
		return nil, err
	}
	tx, err := c.Conn.(driver.ConnBeginTx).BeginTx(ctx, o)
	if err != nil {
		return nil, err
	}
	return &flakyTx{tx, c.f}, nil
}

// CheckNamedValue and ResetSession are the driver's, where it has them.
func (c *flakyConn) CheckNamedValue(v *driver.NamedValue) error {
	if n, ok := c.Conn.(driver.NamedValueChecker); ok {
		return n.CheckNamedValue(v)
	}
	return driver.ErrSkip
}

func (c *flakyConn) ResetSession(ctx context.Context) error {
	if r, ok := c.Conn.(driver.SessionResetter); ok {
		return r.ResetSession(ctx)
	}
	return nil
}

type flakyRows struct {
	driver.Rows
	f *flaky
}

func (r *flakyRows) Next(dest []driver.Value) error {
	if err := r.f.fail(); err != nil {
		return err
	}
	return r.Rows.Next(dest)
}

type flakyTx struct {
	driver.Tx
	f *flaky
}

func (tx *flakyTx) Commit() error {
	err := tx.f.fail()
	switch {
	case err == nil:
		return tx.Tx.Commit()
	case tx.f.silent:
		return errors.Join(err, tx.Tx.Commit())
	}
	return errors.Join(err, tx.Tx.Rollback())
}

// Rollback ends the transaction even if nobody hears of it, as the database does when
// the connection is gone.
func (tx *flakyTx) Rollback() error {
	err := tx.f.fail()
	return errors.Join(err, tx.Tx.Rollback())
}

// While the database fails nobody is told anything that is not so, and afterwards
// nothing is missing, half there, or stuck.
func TestFaults(t *testing.T) {
	for name, kind := range map[string]struct {
		err    error
		silent bool
	}{
		"connection lost":       {driver.ErrBadConn, false},
		"error":                 {errors.New("disk I/O error"), false},
		"commit without answer": {io.ErrUnexpectedEOF, true},
	} {
		faults := func(t *testing.T, options func(tenant string) sqlstore.Options, make func(t testing.TB, db *sql.DB, d sqlstore.Dialect)) {
			databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
				var dsn string
				storetest.RunFaults(t, func(t *testing.T) storetest.Faulty {
					fresh := d == sqlstore.SQLite || dsn == ""
					if fresh {
						dsn = relaxedDSN(t)
						if d == sqlstore.Postgres {
							dsn = postgres.DSN(t)
						}
					}
					f := &flaky{driver: db.Driver(), dsn: dsn, err: kind.err, silent: kind.silent}
					few := sql.OpenDB(f)
					few.SetMaxOpenConns(4)            // so that one that is lost is missed
					t.Cleanup(func() { few.Close() }) //nolint:errcheck // the test is over
					if fresh {
						make(t, few, d)
					}
					return storetest.Faulty{Store: newStore(t, few, d, options(t.Name())), Break: f.Break, Heal: f.Heal}
				})
			})
		}
		t.Run(name, func(t *testing.T) {
			faults(t, func(tenant string) sqlstore.Options { return sqlstore.Options{Tenant: tenant} }, func(testing.TB, *sql.DB, sqlstore.Dialect) {})
		})
		t.Run(name+", mapped", func(t *testing.T) { faults(t, appOptions, makeApp) })
	}
}

// givenUp is how PostgreSQL says that a transaction can be run again.
type givenUp struct{}

func (givenUp) Error() string    { return "could not serialize access" }
func (givenUp) SQLState() string { return "40001" }

// What the database gives up for the sake of others is run again, wherever that
// happens, and is there once.
func TestRunsAgain(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		dsn := relaxedDSN(t)
		if d == sqlstore.Postgres {
			dsn = postgres.DSN(t)
		}
		f := &flaky{driver: db.Driver(), dsn: dsn, err: givenUp{}, once: true}
		db = sql.OpenDB(f)
		t.Cleanup(func() { db.Close() }) //nolint:errcheck // the test is over
		s := newStore(t, db, d, sqlstore.Options{})
		g := create(t, s, group(t, "Everybody"))
		const most = 40
		for after := range most {
			name := fmt.Sprint("u", after)
			r, runs := user(t, name, map[string]any{"emails": []any{map[string]any{"value": name}}}), 0
			f.Break(after)
			err := s.InTx(t.Context(), func(ctx context.Context) error {
				runs++
				if _, err := s.Create(ctx, r); err != nil {
					return err
				}
				if _, err := s.Update(ctx, r.Ref(), func(r *scim.Resource) (*scim.Resource, error) {
					return r.With(map[string]any{"userName": name + "-renamed"})
				}); err != nil {
					return err
				}
				_, _, err := s.ChangeMembers(ctx, g.ID(), []scim.Ref{r.Ref()}, nil)
				return err
			})
			if err != nil {
				t.Fatalf("given up after %d calls: %v", after, err)
			}
			members, err := s.Members(t.Context(), g.ID(), scim.Ref{}, 100)
			if diff := cmp.Diff([]string{name + "-renamed"}, find(t, s, `emails.value eq "`+name+`"`)); diff != "" || len(members) != after+1 || err != nil {
				t.Errorf("given up after %d calls: %d members, error %v, and users (-want +got):\n%s", after, len(members), err, diff)
			}
			if runs == 1 && after > 1 {
				return // the transaction had fewer calls
			}
		}
		t.Errorf("the transaction has more than %d calls, or is never given up", most)
	})
}
