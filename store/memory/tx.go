package memory

import (
	"context"
	"errors"
	"sync"
)

// tx is a transaction: what it has to take back if it fails.
type tx struct {
	// mu lets calls with the transaction's ctx, which hold no lock of the Store, come
	// one after the other.
	mu   sync.Mutex
	over bool
	undo []func()
}

// errOver is the error of a call with the ctx of a transaction that has ended.
var errOver = errors.New("memory: the transaction of this context is over")

// txKey finds in a context the transaction of one Store; another Store's is none of
// its business.
type txKey struct{ s *Store }

func (s *Store) txOf(ctx context.Context) *tx {
	t, _ := ctx.Value(txKey{s}).(*tx)
	return t
}

// InTx implements scim.Transactor. fn has the Store to itself and runs once. If it
// fails, panics, or ctx has ended, everything that it did is taken back. A nested
// call joins; if only that one fails, what it did is taken back.
func (s *Store) InTx(ctx context.Context, fn func(ctx context.Context) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	t := s.txOf(ctx)
	if t == nil {
		s.mu.Lock()
		defer s.mu.Unlock()
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

// mark is the place to roll back to.
func (t *tx) mark() (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over {
		return 0, errOver
	}
	return len(t.undo), nil
}

// rollback takes back, latest first, what was done since mark.
func (t *tx) rollback(mark int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := len(t.undo) - 1; i >= mark; i-- {
		t.undo[i]()
	}
	clear(t.undo[mark:])
	t.undo = t.undo[:mark]
}

// did remembers, in a transaction, how to take back what was just done.
func (s *Store) did(undo func()) {
	if s.tx != nil {
		s.tx.undo = append(s.tx.undo, undo)
	}
}

// read calls f with the Store locked for reading.
func (s *Store) read(ctx context.Context, f func() error) error {
	return s.locked(ctx, s.mu.RLocker(), f)
}

// write calls f with the Store to itself.
func (s *Store) write(ctx context.Context, f func() error) error {
	return s.locked(ctx, &s.mu, f)
}

func (s *Store) locked(ctx context.Context, lock sync.Locker, f func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	t := s.txOf(ctx)
	if t != nil {
		lock = &t.mu
	}
	lock.Lock()
	defer lock.Unlock()
	if t != nil && t.over {
		return errOver
	}
	if err := ctx.Err(); err != nil { // the wait may have been long
		return err
	}
	return f()
}
