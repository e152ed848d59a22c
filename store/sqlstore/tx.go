package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
)

// DBTX is what *sql.DB and *sql.Tx have in common, and what query builders and generated
// code take in their place.
type DBTX interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// txKey finds in a context the transaction on one database; another database's is
// none of its business.
type txKey struct{ db *sql.DB }

// WithTx puts a transaction on db into a context: calls of a Store or Ledger on db
// that are made with it join the transaction and leave its end to the caller. In
// SQLite it must have been begun with BEGIN IMMEDIATE: see SQLiteDSN.
func WithTx(ctx context.Context, db *sql.DB, tx *sql.Tx) context.Context {
	return context.WithValue(ctx, txKey{db}, &joined{tx: tx})
}

// joined is a transaction, with what the stores in it have done.
type joined struct {
	tx       *sql.Tx
	followed sync.Map // by prefix and tenant: see follow
}

// Tx is the transaction on db that ctx carries, nil if there is none. In a
// scim.RoleResolver it is the one that the Store on db has begun, so that roles
// commit with the resources.
func Tx(ctx context.Context, db *sql.DB) *sql.Tx {
	if j, ok := ctx.Value(txKey{db}).(*joined); ok {
		return j.tx
	}
	return nil
}

// base is what Store and Ledger have in common.
type base struct {
	db     *sql.DB
	d      dialect.Dialect
	tenant string
	prefix string
	now    func() time.Time
	turn   chan struct{} // held by the transaction that writes, in SQLite
}

// DB is the transaction that ctx carries, else the pool. In SQLite a write to the
// pool from within a transaction waits for that transaction, which waits for it.
func (b *base) DB(ctx context.Context) DBTX {
	if tx := Tx(ctx, b.db); tx != nil {
		return tx
	}
	return b.db
}

// exec and query run a statement, for one tenant: $1 is bound to it in every one.
func (b *base) exec(ctx context.Context, text string, args ...any) (sql.Result, error) {
	return b.DB(ctx).ExecContext(ctx, b.statement(text), b.bound(args)...)
}

func (b *base) query(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	return b.DB(ctx).QueryContext(ctx, b.statement(text), b.bound(args)...)
}

func (b *base) bound(args []any) []any {
	return append([]any{b.tenant}, args...)
}

// each runs a query and calls row for each of its rows.
func (b *base) each(ctx context.Context, row func(scan func(dest ...any) error) error, text string, args ...any) error {
	rows, err := b.query(ctx, text, args...)
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // Err tells
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// attempts bounds how often a transaction is run that the database gives up.
const attempts = 12

// again runs fn until the database does not give it up for the sake of others.
func (b *base) again(ctx context.Context, fn func() error) error {
	for n := 1; ; n++ {
		err := fn()
		if err == nil || n == attempts || !yielded(err) || ctx.Err() != nil {
			return b.failure(ctx, err)
		}
		most := min(5*time.Millisecond<<n, 500*time.Millisecond)
		select {
		case <-time.After(rand.N(most)):
		case <-ctx.Done():
			return b.failure(ctx, err)
		}
	}
}

// read runs fn, which only reads, by itself or in the transaction of ctx.
func (b *base) read(ctx context.Context, fn func() error) error {
	if Tx(ctx, b.db) != nil {
		return fn()
	}
	return b.again(ctx, fn)
}

// write runs fn in a transaction, that of ctx if it has one.
func (b *base) write(ctx context.Context, fn func(ctx context.Context) error) error {
	if Tx(ctx, b.db) != nil {
		return fn(ctx)
	}
	return b.inTx(ctx, fn)
}

// inTx is InTx.
func (b *base) inTx(ctx context.Context, fn func(ctx context.Context) error) error {
	if j, ok := ctx.Value(txKey{b.db}).(*joined); ok {
		return b.savepoint(ctx, j, fn)
	}
	return b.again(ctx, func() error { return b.once(ctx, fn) })
}

// wait lets the transactions of this Store write one after the other, in SQLite. It
// does so by itself, but who finds the file taken there sleeps for up to 100 ms, also
// while it is free again; here the next one is woken. Who has waited for long goes on to
// hear from the database that it is busy.
func (b *base) wait(ctx context.Context) (done func()) {
	if b.d != dialect.SQLite {
		return func() {}
	}
	select {
	case b.turn <- struct{}{}:
		return func() { <-b.turn }
	case <-time.After(10 * time.Second):
	case <-ctx.Done():
	}
	return func() {}
}

func (b *base) once(ctx context.Context, fn func(ctx context.Context) error) error {
	defer b.wait(ctx)()
	tx, err := b.db.BeginTx(ctx, b.d.Isolation())
	if err != nil {
		return fmt.Errorf("sqlstore: begin: %w", err)
	}
	defer tx.Rollback() //nolint:errcheck // after Commit there is nothing to roll back
	if first := b.d.Begin(); first != "" {
		if _, err := tx.ExecContext(ctx, b.statement(first)); err != nil {
			return fmt.Errorf("sqlstore: begin (has Migrate been called?): %w", err)
		}
	}
	if err := fn(WithTx(ctx, b.db, tx)); err != nil {
		return err
	}
	err = tx.Commit()
	if duplicate(err) { // a constraint that is looked at now
		return &scim.Error{Status: http.StatusConflict, Type: "uniqueness", Err: err, Detail: "the application has one of these values already"}
	}
	if err != nil {
		return fmt.Errorf("sqlstore: commit: %w", err)
	}
	return nil
}

// savepoint runs fn in tx, so that if it fails what it did is taken back, and
// PostgreSQL takes further statements.
func (b *base) savepoint(ctx context.Context, j *joined, fn func(ctx context.Context) error) error {
	tx := j.tx
	if _, err := tx.ExecContext(ctx, "SAVEPOINT scim"); err != nil {
		return fmt.Errorf("sqlstore: savepoint: %w", err)
	}
	done := false
	defer func() { // also if fn panics, or ends its goroutine
		if !done {
			// Also after ctx has ended: who began tx may yet commit it.
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			j.followed.Clear()
			tx.ExecContext(ctx, "ROLLBACK TO SAVEPOINT scim") //nolint:errcheck // the error of fn counts
			tx.ExecContext(ctx, "RELEASE SAVEPOINT scim")     //nolint:errcheck // as above
		}
	}()
	if err := fn(ctx); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "RELEASE SAVEPOINT scim"); err != nil {
		return fmt.Errorf("sqlstore: release savepoint: %w", err)
	}
	done = true
	return nil
}

// eachApp runs a query on tables of the application and calls row for each of its rows.
func (b *base) eachApp(ctx context.Context, w *dialect.Arguments, text string, row func(scan func(dest ...any) error) error) error {
	rows, err := b.DB(ctx).QueryContext(ctx, text, w.Values...)
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // Err tells
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// advise takes a lock of the tenant's, until the transaction ends, where transactions do
// not exclude one another anyway.
func (b *base) advise(ctx context.Context, what string) error {
	if b.d == dialect.SQLite {
		return nil
	}
	h := fnv.New64a()
	fmt.Fprint(h, "sqlstore:", b.prefix, "\x00", b.tenant, "\x00", what) //nolint:errcheck // never fails
	_, err := b.DB(ctx).ExecContext(ctx, "SELECT pg_advisory_xact_lock($1)", int64(h.Sum64()))
	return err
}
