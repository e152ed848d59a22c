package memory

import (
	"context"
	"sync"

	"github.com/scimkit/scim"
)

var (
	_ scim.Ledger        = (*Ledger)(nil)
	_ scim.PendingLedger = (*Ledger)(nil)
	_ scim.GrantCounter  = (*Ledger)(nil)
	_ scim.TenantLedger  = (*Ledger)(nil)
	_ scim.Volatile      = (*Ledger)(nil)
)

// Ledger is a scim.Ledger without a Store. Use it for tests of an application's own
// volatile Store. It is safe for concurrent use. It takes no part in transactions.
type Ledger struct {
	mu sync.RWMutex
	l  ledger
}

// NewLedger returns an empty Ledger.
func NewLedger() *Ledger { return &Ledger{l: newLedger()} }

// Volatile marks the Ledger as one that loses its contents: see scim.Volatile.
func (l *Ledger) Volatile() {}

// Grants implements scim.Ledger.
func (l *Ledger) Grants(ctx context.Context, userIDs []string) ([]scim.Grant, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return l.l.grantsOf(userIDs), nil
}

// Record implements scim.Ledger.
func (l *Ledger) Record(ctx context.Context, put, drop []scim.Grant) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	l.l.record(put, drop)
	return nil
}

// Links implements scim.Ledger.
func (l *Ledger) Links(ctx context.Context, sources []scim.Source) ([]scim.Link, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return l.l.linksOf(sources), nil
}

// SetLink implements scim.Ledger.
func (l *Ledger) SetLink(ctx context.Context, link scim.Link) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	l.l.setLink(link)
	return nil
}

// AllLinks implements scim.PendingLedger.
func (l *Ledger) AllLinks(ctx context.Context, after scim.Source, limit int) ([]scim.Link, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return l.l.allLinks(after, limit), nil
}

// OpenGrants implements scim.PendingLedger.
func (l *Ledger) OpenGrants(ctx context.Context, after scim.Grant, limit int) ([]scim.Grant, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return l.l.openGrants(after, limit), nil
}

// Notes implements scim.PendingLedger.
func (l *Ledger) Notes(ctx context.Context, kind, after string, limit int) ([]scim.Note, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return l.l.notesOf(kind, after, limit), nil
}

// GrantedUsers implements scim.GrantCounter.
func (l *Ledger) GrantedUsers(ctx context.Context) (int, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return len(l.l.grants), ctx.Err()
}

// SetNote implements scim.PendingLedger.
func (l *Ledger) SetNote(ctx context.Context, n scim.Note) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	l.l.setNote(n)
	return nil
}

// UsersWithGrants implements scim.TenantLedger.
func (l *Ledger) UsersWithGrants(ctx context.Context, after string, limit int) ([]string, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return l.l.usersWithGrants(after, limit), nil
}

// Fence implements scim.TenantLedger. There are no transactions.
func (l *Ledger) Fence(ctx context.Context) error { return ctx.Err() }

// Forget implements scim.TenantLedger.
func (l *Ledger) Forget(ctx context.Context, keep scim.Source, limit int) (isLeft bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return false, err
	}
	isLeft, _ = l.l.forget(keep, limit)
	return isLeft, nil
}
