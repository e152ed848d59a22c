package sqlstore

import (
	"context"
	"database/sql"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore/internal/owntables"
)

// Ledger is a scim.Ledger alone, for an application that has its own Store. It is safe for
// concurrent use. Its calls join the transaction that ctx carries: see WithTx.
type Ledger struct{ ledger }

// NewLedger returns the Ledger of a tenant in db. It does not talk to the database: call
// Migrate before the first use.
func NewLedger(db *sql.DB, d Dialect, o Options) (*Ledger, error) {
	b, err := newBase(db, d, o)
	if err != nil {
		return nil, err
	}
	return &Ledger{ledger{b, owntables.NewLedger(b.db, false)}}, nil
}

// ledger implements scim.Ledger for Store and Ledger.
type ledger struct {
	*base
	own *owntables.Ledger
}

// Grants implements scim.Ledger. In a transaction it locks the users, in order of id.
func (l *ledger) Grants(ctx context.Context, userIDs []string) ([]scim.Grant, error) {
	return l.own.Grants(ctx, userIDs)
}

// Record implements scim.Ledger. It stores all of it or nothing.
func (l *ledger) Record(ctx context.Context, put, drop []scim.Grant) error {
	return l.own.Record(ctx, put, drop)
}

// SourceUsers implements scim.SourceLedger.
func (l *ledger) SourceUsers(ctx context.Context, source scim.Source, after string, limit int) ([]string, error) {
	return l.own.SourceUsers(ctx, source, after, limit)
}

// DropSource implements scim.SourceLedger.
func (l *ledger) DropSource(ctx context.Context, source scim.Source) error {
	return l.own.DropSource(ctx, source)
}

// Links implements scim.Ledger.
func (l *ledger) Links(ctx context.Context, sources []scim.Source) ([]scim.Link, error) {
	return l.own.Links(ctx, sources)
}

// SetLink implements scim.Ledger.
func (l *ledger) SetLink(ctx context.Context, k scim.Link) error { return l.own.SetLink(ctx, k) }

// AllLinks implements scim.PendingLedger.
func (l *ledger) AllLinks(ctx context.Context, after scim.Source, limit int) ([]scim.Link, error) {
	return l.own.AllLinks(ctx, after, limit)
}

// OpenGrants implements scim.PendingLedger.
func (l *ledger) OpenGrants(ctx context.Context, after scim.Grant, limit int) ([]scim.Grant, error) {
	return l.own.OpenGrants(ctx, after, limit)
}

// Notes implements scim.PendingLedger.
func (l *ledger) Notes(ctx context.Context, kind, after string, limit int) ([]scim.Note, error) {
	return l.own.Notes(ctx, kind, after, limit)
}

// GrantedUsers implements scim.GrantCounter. It reads an index of all grants of the tenant.
func (l *ledger) GrantedUsers(ctx context.Context) (int, error) { return l.own.GrantedUsers(ctx) }

// SetNote implements scim.PendingLedger.
func (l *ledger) SetNote(ctx context.Context, n scim.Note) error { return l.own.SetNote(ctx, n) }

// UsersWithGrants implements scim.TenantLedger.
func (l *ledger) UsersWithGrants(ctx context.Context, after string, limit int) ([]string, error) {
	return l.own.UsersWithGrants(ctx, after, limit)
}

// Fence implements scim.TenantLedger.
func (l *ledger) Fence(ctx context.Context) error { return l.own.Fence(ctx) }

// Forget implements scim.TenantLedger.
func (l *ledger) Forget(ctx context.Context, keep scim.Source, limit int) (isLeft bool, err error) {
	return l.own.Forget(ctx, keep, limit)
}
