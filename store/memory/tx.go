package memory

import (
	"context"
	"errors"
	"sync"
)

// tx is a transaction. It keeps what a rollback must undo.
type tx struct {
	// mu serializes the calls with the transaction's ctx, which do not lock the Store.
	mu   sync.Mutex
	over bool
	undo []func()
}

// errOver is the error of a call with the ctx of a transaction that has ended.
var errOver = errors.New("memory: the transaction of this context is over")

// txKey is the context key of a transaction of one Store. Each Store has its own.
type txKey struct{ s *Store }

func (s *Store) txOf(ctx context.Context) *tx {
	t, _ := ctx.Value(txKey{s}).(*tx)
	return t
}

// InTx implements scim.Transactor. It calls fn once, and no other call runs meanwhile. If
// fn fails or panics, or ctx has ended, InTx undoes everything that fn did. A nested call
// joins the outer transaction. If only the nested call fails, only its part is undone.
func (s *Store) InTx(ctx context.Context, fn func(ctx context.Context) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	t := s.txOf(ctx)
	if t == nil {
		if err := s.acquire(ctx, writing); err != nil {
			return err
		}
		defer s.mu.Release(writing)
		t = new(tx)
		s.tx = t
		defer func() {
			t.mu.Lock()
			defer t.mu.Unlock()
			s.tx, t.over, t.undo = nil, true, nil
		}()
		ctx = context.WithValue(ctx, txKey{s}, t)
	}
	mark, err := t.mark()
	if err != nil {
		return err
	}
	done := false
	defer func() { // also if fn panics, or ends its goroutine
		if !done {
			t.rollback(mark)
		}
	}()
	if err := fn(ctx); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	done = true
	return nil
}

// LockTenant implements scim.TenantLocker. A transaction has the Store to itself anyway.
func (s *Store) LockTenant(ctx context.Context, _ string) error {
	t := s.txOf(ctx)
	if t == nil {
		return errors.New("memory: LockTenant needs a transaction")
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	_, err := t.mark() // an error if the transaction is over
	return err
}

// mark returns the place for rollback.
func (t *tx) mark() (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over {
		return 0, errOver
	}
	return len(t.undo), nil
}

// rollback undoes everything since mark, the latest first.
func (t *tx) rollback(mark int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := len(t.undo) - 1; i >= mark; i-- {
		t.undo[i]()
	}
	clear(t.undo[mark:])
	t.undo = t.undo[:mark]
}

// did adds undo to the current transaction, if there is one.
func (s *Store) did(undo func()) {
	if s.tx != nil {
		s.tx.undo = append(s.tx.undo, undo)
	}
}

// These are the parts of the Store's lock: readers share it, a writer has it alone.
const (
	reading = 1
	writing = 1 << 30
)

// acquire takes a part of the Store's lock. It waits no longer than ctx lasts. Those who
// wait get the lock in the order in which they came.
func (s *Store) acquire(ctx context.Context, part int64) error {
	if s.mu.TryAcquire(part) { // without ctx.Done, which may start a timer
		return nil
	}
	return s.mu.Acquire(ctx, part)
}

// read calls f while the Store is locked for reading.
func (s *Store) read(ctx context.Context, f func() error) error {
	return s.locked(ctx, reading, f)
}

// write calls f while the Store is locked for writing.
func (s *Store) write(ctx context.Context, f func() error) error {
	return s.locked(ctx, writing, f)
}

func (s *Store) locked(ctx context.Context, part int64, f func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	t := s.txOf(ctx)
	if t != nil {
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.over {
			return errOver
		}
	} else {
		if err := s.acquire(ctx, part); err != nil {
			return err
		}
		defer s.mu.Release(part)
	}
	if err := ctx.Err(); err != nil { // the wait may have been long
		return err
	}
	return f()
}
