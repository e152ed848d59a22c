package sqlstore

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"time"

	"github.com/scimkit/scim/auth/tokens"
	"github.com/scimkit/scim/store/sqlstore/internal/owntables"
)

var _ tokens.Store = (*Tokens)(nil)

// Tokens is a tokens.Store in a table of its own, tokens, with the tokens of all tenants. It is safe
// for concurrent use. Its calls join the transaction that ctx carries: see WithTx. A secret is
// in no column. Uninstall removes the table too.
type Tokens struct {
	*base
	own *owntables.Tokens
}

// NewTokens returns the Tokens in db. It does not talk to the database: call Migrate before the
// first use. Of the options it takes Prefix, Log and AnyDriver. Tenant must be empty, because one Tokens
// is for all tenants.
func NewTokens(db *sql.DB, d Dialect, o Options) (*Tokens, error) {
	b, err := newBase(db, d, o)
	if o.Tenant != "" {
		err = errors.Join(err, errors.New("sqlstore: Tenant of NewTokens: leave it empty, and name the tenant to tokens.Tokens"))
	}
	if err != nil {
		return nil, err
	}
	return &Tokens{b, owntables.NewTokens(b.db)}, nil
}

// Migrate creates the table of tokens, or brings that of an earlier version of this package up to
// date, as Store.Migrate does.
func (s *Tokens) Migrate(ctx context.Context) error { return s.schema.Migrate(ctx, nil, "tokens") }

// EraseTenant erases all tokens of a tenant. Store.EraseTenant leaves them. Revoke them before: see
// tokens.Tenant.RevokeAll. Otherwise processes that cache tokens let clients in until CacheFor is over.
func (s *Tokens) EraseTenant(ctx context.Context, tenant string) error {
	return s.own.EraseTenant(ctx, tenant)
}

// Insert implements tokens.Store.
func (s *Tokens) Insert(ctx context.Context, t tokens.Token) error { return s.own.Insert(ctx, t) }

// ByHash implements tokens.Store.
func (s *Tokens) ByHash(ctx context.Context, hash [sha256.Size]byte) (tokens.Token, error) {
	return s.own.ByHash(ctx, hash)
}

// List implements tokens.Store.
func (s *Tokens) List(ctx context.Context, tenant string) ([]tokens.Token, error) {
	return s.own.List(ctx, tenant)
}

// Update implements tokens.Store. fn runs again if the database gives the transaction up in favour of
// another one.
func (s *Tokens) Update(ctx context.Context, tenant, id string, fn func(t *tokens.Token) (further *tokens.Token, err error)) error {
	return s.own.Update(ctx, tenant, id, fn)
}

// SetLastUsed implements tokens.Store.
func (s *Tokens) SetLastUsed(ctx context.Context, hash [sha256.Size]byte, at, since time.Time) error {
	return s.own.SetLastUsed(ctx, hash, at, since)
}
