package database

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
)

// txKey finds in a context the transaction on one database; another database's is
// none of its business.
type txKey struct{ db *sql.DB }

// WithTx puts a transaction on db into a context.
func WithTx(ctx context.Context, db *sql.DB, tx *sql.Tx) context.Context {
	return context.WithValue(ctx, txKey{db}, &Transaction{tx: tx})
}

// Transaction is a transaction, with what the stores in it have done.
type Transaction struct {
	tx       *sql.Tx
	followed sync.Map // by prefix and tenant: see follow
}

// IsFirst reports whether nobody has asked in this transaction with the same key, since
// its last savepoint was rolled back.
func (j *Transaction) IsFirst(key string) bool {
	_, again := j.followed.LoadOrStore(key, true)
	return !again
}

// Tx is the transaction on db that ctx carries, nil if there is none.
func Tx(ctx context.Context, db *sql.DB) *sql.Tx {
	if j, ok := ctx.Value(txKey{db}).(*Transaction); ok {
		return j.tx
	}
	return nil
}

// Transaction is the one that ctx carries, nil if there is none.
func (b *DB) Transaction(ctx context.Context) *Transaction {
	j, _ := ctx.Value(txKey{b.Pool}).(*Transaction)
	return j
}

// attempts bounds how often a transaction is run that the database gives up.
const attempts = 12

// Again runs fn until the database does not give it up for the sake of others.
func (b *DB) Again(ctx context.Context, fn func() error) error {
	for n := 1; ; n++ {
		err := fn()
		if err == nil || n == attempts || !isRetryable(err) || ctx.Err() != nil {
			return b.Failure(ctx, err)
		}
		most := min(5*time.Millisecond<<n, 500*time.Millisecond)
		select {
		case <-time.After(rand.N(most)):
		case <-ctx.Done():
			return b.Failure(ctx, err)
		}
	}
}

// Read runs fn, which only reads, by itself or in the transaction of ctx.
func (b *DB) Read(ctx context.Context, fn func() error) error {
	if Tx(ctx, b.Pool) != nil {
		return fn()
	}
	return b.Again(ctx, fn)
}

// Write runs fn in a transaction, that of ctx if it has one.
func (b *DB) Write(ctx context.Context, fn func(ctx context.Context) error) error {
	if Tx(ctx, b.Pool) != nil {
		return fn(ctx)
	}
	return b.InTx(ctx, fn)
}

// InTx is InTx.
func (b *DB) InTx(ctx context.Context, fn func(ctx context.Context) error) error {
	if j := b.Transaction(ctx); j != nil {
		return b.savepoint(ctx, j, fn)
	}
	return b.Again(ctx, func() error { return b.once(ctx, fn) })
}

// wait lets the transactions of this Store write one after the other, in SQLite. It
// does so by itself, but who finds the file taken there sleeps for up to 100 ms, also
// while it is free again; here the next one is woken. Who has waited for long goes on to
// hear from the database that it is busy.
func (b *DB) wait(ctx context.Context) (done func()) {
	if b.Dialect != dialect.SQLite {
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

func (b *DB) once(ctx context.Context, fn func(ctx context.Context) error) error {
	defer b.wait(ctx)()
	tx, err := b.Pool.BeginTx(ctx, b.Dialect.Isolation())
	if err != nil {
		return fmt.Errorf("sqlstore: begin: %w", err)
	}
	defer tx.Rollback() //nolint:errcheck // after Commit there is nothing to roll back
	if first := b.Dialect.Begin(); first != "" {
		if _, err := tx.ExecContext(ctx, b.Statement(first)); err != nil {
			return fmt.Errorf("sqlstore: begin (has Migrate been called?): %w", err)
		}
	}
	if err := fn(WithTx(ctx, b.Pool, tx)); err != nil {
		return err
	}
	err = tx.Commit()
	if IsDuplicate(err) { // a constraint that is looked at now
		return &scim.Error{Status: http.StatusConflict, Type: "uniqueness", Err: err, Detail: "the application has one of these values already"}
	}
	if err != nil {
		return fmt.Errorf("sqlstore: commit: %w", err)
	}
	return nil
}

// savepoint runs fn in tx, so that if it fails what it did is taken back, and
// PostgreSQL takes further statements.
func (b *DB) savepoint(ctx context.Context, j *Transaction, fn func(ctx context.Context) error) error {
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
