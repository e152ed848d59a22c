package roles

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/scimkit/scim/internal/keylock"
)

// usersLocked is the key under which a context says whether users of a tenant are locked: an
// *atomic.Bool, because the application may keep the context for longer than the lock lasts.
type usersLocked struct {
	e      *Engine
	tenant string
}

// errWithin is the error of a call that would wait for the call of the application that makes it.
var errWithin = errors.New("scim: the application calls the library within ChangeRoles, HeldRoles, a guard or a change by hand, " +
	"and with its context: users are locked there, and the ledger does not lock them itself, so the call would wait for itself: make it afterwards")

// checkUnlocked returns an error if the context is that of a call of the application in which
// users of the tenant are locked.
func (e *Engine) checkUnlocked(ctx context.Context, t tenant) error {
	if isLocked, ok := ctx.Value(usersLocked{e, t.ID}).(*atomic.Bool); ok && isLocked.Load() {
		return errWithin
	}
	return nil
}

// lockUsers locks users in this process while the engine reads and records their grants, and
// shares the fence of the tenant. It does nothing if the ledger locks users itself. Pass the
// returned context to the application, so that nothing that it calls waits for the lock.
//
// Take this lock before a transaction of the store, never in one. Otherwise the holder of
// the lock waits for the transaction, and the transaction for the lock.
func (e *Engine) lockUsers(ctx context.Context, t tenant, ids []string) (locked context.Context, unlock func(), err error) {
	if t.Roles.LedgerLocks {
		return ctx, func() {}, nil
	}
	if err := e.checkUnlocked(ctx, t); err != nil {
		return nil, nil, err
	}
	keys := make([]string, len(ids))
	for i, id := range ids {
		keys[i] = keylock.Key(t.ID, "role", id)
	}
	release, err := e.Locks.Lock(ctx, keys...)
	if err != nil {
		return nil, nil, err
	}
	leave, err := e.fences.Share(ctx, t.ID)
	if err != nil {
		release()
		return nil, nil, err
	}
	locked, end := e.within(ctx, t)
	unlock = func() {
		end()
		leave()
		release()
	}
	return locked, unlock, nil
}

// within makes a context for calls of the application that must not call the library with it,
// until end is called.
func (e *Engine) within(ctx context.Context, t tenant) (inner context.Context, end func()) {
	isLocked := new(atomic.Bool)
	isLocked.Store(true)
	return context.WithValue(ctx, usersLocked{e, t.ID}, isLocked), func() { isLocked.Store(false) }
}
