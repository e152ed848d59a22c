package owntables

import (
	"context"
	"fmt"

	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
	"github.com/scimkit/scim/store/sqlstore/internal/search"
)

// EraseLocks erases the rows by which users are locked that have been erased: see
// Ledger.lock. It leaves a row that another transaction has locked, and so never waits.
func (s *Resources) EraseLocks(ctx context.Context, typ string, ids []string) error {
	switch {
	case typ != search.UserType || len(ids) == 0 || s.db.Dialect == dialect.SQLite:
		return nil
	case s.db.Dialect == dialect.MariaDB:
		return eraseLockRows(ctx, s.db, ids)
	}
	_, err := s.db.Exec(ctx, `DELETE FROM {p}users WHERE tenant = $1 AND user_id = ANY(ARRAY(SELECT u.user_id`+
		s.db.Dialect.Each(s.db.Dialect.Texts("$2"), "users", "u", "u.tenant = $1 AND u.user_id = w.value", " FOR UPDATE SKIP LOCKED")+"))", dialect.List(ids))
	if err != nil {
		return fmt.Errorf("sqlstore: erase the locks of %d users: %w", len(ids), err)
	}
	return nil
}

// eraseLock is EraseLocks for the user $3 in PostgreSQL, where $2 is the type.
const eraseLock = `DELETE FROM {p}users WHERE tenant = $1 AND $2 = 'User' AND user_id = (SELECT u.user_id FROM {p}users u
	WHERE u.tenant = $1 AND u.user_id = $3 FOR UPDATE SKIP LOCKED)`

// Lock locks resources of a type, in order of id. lock says how, in PostgreSQL.
func (s *Resources) Lock(ctx context.Context, typ string, ids []string, lock string) error {
	if len(ids) == 0 {
		return nil
	}
	err := s.db.Each(ctx, func(func(...any) error) error { return nil }, "SELECT r.id"+s.db.Dialect.Each(s.db.Dialect.Texts("$3"), "resources", "r",
		"r.tenant = $1 AND r.type = $2 AND r.deleted = 0 AND r.id = w.value", lock), typ, dialect.List(dialect.Distinct(ids)))
	if err != nil {
		return fmt.Errorf("sqlstore: lock %d %ss: %w", len(ids), typ, err)
	}
	return nil
}
