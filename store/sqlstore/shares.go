package sqlstore

import (
	"context"
	"database/sql"
	"errors"

	"github.com/scimkit/scim/store/sqlstore/internal/owntables"
)

// Shares is a ratelimit.Shares in a table of its own, shares, with a row for each tenant. Processes
// that use the same table share the rate of each tenant. It is safe for concurrent use. Uninstall
// removes the table too.
type Shares struct {
	*base
	own *owntables.Shares
}

// NewShares returns the Shares in db. It does not talk to the database: call Migrate before the
// first use. Of the options it takes Prefix, Log and AnyDriver. Tenant must be empty, because one
// Shares is for all tenants.
func NewShares(db *sql.DB, d Dialect, o Options) (*Shares, error) {
	b, err := newBase(db, d, o)
	if o.Tenant != "" {
		err = errors.Join(err, errors.New("sqlstore: Tenant of NewShares: leave it empty, because one Shares is for all tenants"))
	}
	if err != nil {
		return nil, err
	}
	return &Shares{b, owntables.NewShares(b.db)}, nil
}

// Migrate creates the table, or brings that of an earlier version of this package up to date, as
// Store.Migrate does.
func (s *Shares) Migrate(ctx context.Context) error { return s.schema.Migrate(ctx, nil, "shares") }

// Take implements ratelimit.Shares. It is one statement, never in the transaction that ctx carries.
func (s *Shares) Take(ctx context.Context, tenant string, demand, want int) (given, total int, err error) {
	return s.own.Take(ctx, tenant, demand, want)
}
