package sqlstore

import (
	"context"
	"errors"
	"fmt"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore/internal/database"
)

var (
	_ scim.TenantLocker = (*Store)(nil)
	_ scim.UniqueIDs    = (*Store)(nil)
)

// LockTenant implements scim.TenantLocker. In PostgreSQL it is an advisory lock, and in
// MariaDB the lock of a row that it deletes again: nothing stays behind. In SQLite a transaction
// has the database to itself anyway.
func (s *Store) LockTenant(ctx context.Context, kind string) error {
	if database.Tx(ctx, s.db.Pool) == nil {
		return errors.New("sqlstore: LockTenant needs a transaction")
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.db.LockName(ctx, "tenant "+kind); err != nil {
		return fmt.Errorf("sqlstore: lock the tenant (%s): %w", kind, err)
	}
	return nil
}

// UniqueIDs implements scim.UniqueIDs: see Options.UniqueIDs.
func (s *Store) UniqueIDs() bool { return s.uniqueIDs }
