package database

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
)

// txKey is the key of a context under which it carries the transaction on one database.
type txKey struct{ db *sql.DB }

// WithTx returns a context that carries a transaction on db, which the application has
// begun.
func WithTx(ctx context.Context, db *sql.DB, tx *sql.Tx) context.Context {
	return context.WithValue(ctx, txKey{db}, &Transaction{tx: tx})
}

// Transaction is a transaction that a context carries.
type Transaction struct {
	tx    *sql.Tx
	isOwn bool     // isOwn says that InTx has begun it.
	asked sync.Map // Its keys are those that IsFirst was asked about.

	savepoints int   // savepoints is how many there have been, in MariaDB.
	lost       error // lost is why the database has rolled back the whole transaction, in MariaDB.

	spans  sync.Map // spans are those of Span, by key.
	kept   sync.Map // kept is that of Kept.
	looked sync.Map // looked is that of Looked.
	ahead  sync.Map // ahead is that of Ahead.
	keeps  bool     // keeps says that there are these three.
	nested int      // nested is how many nested transactions are under way.
}

// Span tells which notes of a transaction are left, in MariaDB. Deleted rows stay in an index until
// the transaction has ended, and a query would go through all of them.
type Span struct {
	After atomic.Int64 // No note of the transaction up to this number is left.
	Last  atomic.Int64 // Last is the highest number of its notes that was deleted.
}

// Span returns the span of a key in the transaction. A savepoint that is rolled back starts afresh.
func (j *Transaction) Span(key string) *Span {
	s, _ := j.spans.LoadOrStore(key, &Span{})
	return s.(*Span)
}

// Kept holds what rows have that the transaction has locked, until it ends: nobody else can change
// them. A savepoint that is rolled back starts afresh. It is nil without a transaction, in those of
// the application, which may roll back a part of them unseen, and in MariaDB.
func (j *Transaction) Kept() *sync.Map {
	if j == nil || !j.keeps {
		return nil
	}
	return &j.kept
}

// Looked holds what the transaction has read, until it writes. It is nil where Kept is.
func (j *Transaction) Looked() *sync.Map {
	if j == nil || !j.keeps {
		return nil
	}
	return &j.looked
}

// Ahead holds the locks that the transaction has taken for a later call, until that call asks. A nested
// transaction takes none of them along when it ends: the application may then give them up unseen, by
// rolling back a savepoint of its own. It is nil where Kept is.
func (j *Transaction) Ahead() *sync.Map {
	if j == nil || !j.keeps {
		return nil
	}
	return &j.ahead
}

// RunsAgain reports whether InTx runs the transaction again if rows have moved. What asks within a nested one
// may have told its caller of the error, and the transaction goes on.
func (j *Transaction) RunsAgain() bool { return j != nil && j.isOwn && j.nested == 0 }

// IsOwn reports whether InTx has begun the transaction, and not the application.
func (j *Transaction) IsOwn() bool { return j.isOwn }

// IsFirst reports whether this is the first call with key in the transaction. A savepoint
// that is rolled back starts afresh.
func (j *Transaction) IsFirst(key string) bool {
	_, again := j.asked.LoadOrStore(key, true)
	return !again
}

// Tx returns the transaction on db that ctx carries, or nil.
func Tx(ctx context.Context, db *sql.DB) *sql.Tx {
	if j, ok := ctx.Value(txKey{db}).(*Transaction); ok {
		return j.tx
	}
	return nil
}

// Transaction returns the transaction that ctx carries, or nil.
func (b *DB) Transaction(ctx context.Context) *Transaction {
	j, _ := ctx.Value(txKey{b.Pool}).(*Transaction)
	return j
}

// attempts is how often a transaction runs at most, if the database gives it up each time.
const attempts = 12

// Retry runs fn again while the database gives it up in favour of other transactions. The
// pauses between attempts grow and are random.
func (b *DB) Retry(ctx context.Context, fn func() error) error {
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

// Read runs fn, which only reads. It retries fn, unless ctx carries a transaction.
func (b *DB) Read(ctx context.Context, fn func() error) error {
	if Tx(ctx, b.Pool) != nil {
		return fn()
	}
	return b.Retry(ctx, fn)
}

// Write runs fn in the transaction that ctx carries, or else in a new one.
func (b *DB) Write(ctx context.Context, fn func(ctx context.Context) error) error {
	if j := b.Transaction(ctx); j != nil {
		j.looked.Clear()
		return fn(ctx)
	}
	return b.InTx(ctx, fn)
}

// InTx runs fn in a new transaction, or, if ctx carries one, in a savepoint of it. Before
// each attempt at a new transaction it calls Before.
func (b *DB) InTx(ctx context.Context, fn func(ctx context.Context) error) error {
	if j := b.Transaction(ctx); j != nil {
		return b.savepoint(ctx, j, fn)
	}
	var failed error // of Before, which has retried by itself
	err := b.Retry(ctx, func() error {
		if b.Before != nil {
			if failed = b.Before(ctx); failed != nil {
				return nil
			}
		}
		return b.run(ctx, b.Dialect.Begin(), fn)
	})
	return cmp.Or(failed, err)
}

// InTxAlone is InTx without Before.
func (b *DB) InTxAlone(ctx context.Context, fn func(ctx context.Context) error) error {
	return b.Retry(ctx, func() error { return b.run(ctx, b.Dialect.Begin(), fn) })
}

// WriteAlone is Write without Before. The tables of the package may be missing.
func (b *DB) WriteAlone(ctx context.Context, fn func(ctx context.Context) error) error {
	if Tx(ctx, b.Pool) != nil {
		return fn(ctx)
	}
	return b.Retry(ctx, func() error { return b.run(ctx, "", fn) })
}

// takeTurn makes the transactions of this DB write one after the other in SQLite, and
// returns a function that ends the turn.
//
// SQLite would do so by itself. But a connection that finds the file locked sleeps for up
// to 100 ms, even if the lock is released meanwhile. Here the next transaction wakes at
// once. After ten seconds a transaction goes on without a turn, and the database tells it
// that it is busy.
func (b *DB) takeTurn(ctx context.Context) (done func()) {
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

// run runs fn in a transaction and commits it. first is the first statement, or empty.
func (b *DB) run(ctx context.Context, first string, fn func(ctx context.Context) error) error {
	defer b.takeTurn(ctx)()
	tx, err := b.Pool.BeginTx(ctx, b.Dialect.Isolation())
	if err != nil {
		return fmt.Errorf("sqlstore: begin: %w", err)
	}
	defer tx.Rollback() //nolint:errcheck // it does nothing after Commit
	if first != "" {
		if _, err := tx.ExecContext(ctx, b.Statement(first)); err != nil {
			return fmt.Errorf("sqlstore: begin (has Migrate been called?): %w", err)
		}
	}
	j := &Transaction{tx: tx, isOwn: true, keeps: b.Dialect != dialect.MariaDB}
	ctx = context.WithValue(ctx, txKey{b.Pool}, j)
	if b.Before != nil {
		if err := SetMark(ctx, b); err != nil {
			return fmt.Errorf("sqlstore: begin: %w", err)
		}
	}
	if err := fn(ctx); err != nil {
		return err
	}
	if j.lost != nil {
		return j.lost
	}
	err = tx.Commit()
	if IsDuplicate(err) { // The database checks deferred constraints in the commit.
		return &scim.Error{Status: http.StatusConflict, Type: "uniqueness", Err: err, Detail: "the application has one of these values already"}
	}
	if err != nil {
		return fmt.Errorf("sqlstore: commit: %w", err)
	}
	return nil
}

// savepoint runs fn in a savepoint of tx. If fn fails, its changes are rolled back, and
// PostgreSQL accepts further statements.
func (b *DB) savepoint(ctx context.Context, j *Transaction, fn func(ctx context.Context) error) error {
	tx, name := j.tx, "scim"
	if b.Dialect == dialect.MariaDB { // There a savepoint replaces another one with its name.
		j.savepoints++
		name += strconv.Itoa(j.savepoints)
	}
	if _, err := tx.ExecContext(ctx, "SAVEPOINT "+name); err != nil {
		return fmt.Errorf("sqlstore: savepoint: %w", err)
	}
	done := false
	j.nested++
	defer func() { j.nested-- }()
	defer j.ahead.Clear()
	defer func() { // It also runs if fn panics or ends its goroutine.
		if !done {
			// The roll-back must work after ctx has ended too: the caller that began tx may
			// still commit it.
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			j.asked.Clear()
			j.spans.Clear()
			j.kept.Clear()
			j.looked.Clear()
			tx.ExecContext(ctx, "ROLLBACK TO SAVEPOINT "+name) //nolint:errcheck // fn's error is returned
			tx.ExecContext(ctx, "RELEASE SAVEPOINT "+name)     //nolint:errcheck // as above
		}
	}()
	if err := fn(ctx); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "RELEASE SAVEPOINT "+name); err != nil {
		return fmt.Errorf("sqlstore: release savepoint: %w", err)
	}
	done = true
	return nil
}
