package owntables

import (
	"context"
	"fmt"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore/internal/database"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
)

// fence is the name of the lock that Grants shares and that Fence takes alone.
const fence = "grants"

// Fence implements scim.TenantLedger. In SQLite a transaction has the database to itself.
func (l *Ledger) Fence(ctx context.Context) error {
	if database.Tx(ctx, l.db.Pool) == nil {
		return ctx.Err()
	}
	if err := l.takeFence(ctx); err != nil {
		return fmt.Errorf("sqlstore: wait for the transactions that read grants: %w", err)
	}
	return nil
}

// UsersWithGrants implements scim.TenantLedger.
func (l *Ledger) UsersWithGrants(ctx context.Context, after string, limit int) ([]string, error) {
	return list(ctx, l, "users with grants", func(scan func(...any) error) (id string, err error) {
		err = scan(&id)
		return id, err
	}, UsersWithGrantsQuery, after, limit)
}

// Forget implements scim.TenantLedger.
func (l *Ledger) Forget(ctx context.Context, keep scim.Source, limit int) (isLeft bool, err error) {
	err = l.db.Write(ctx, func(ctx context.Context) error {
		isLeft = false
		for _, s := range []struct {
			text string
			args []any
		}{
			{l.forgetLinks(), []any{keep, limit}},
			{dialect.DeleteSome(l.db.Dialect, "notes", "n", "kind", "key"), []any{limit}},
			{l.forgetLocks(), []any{limit}},
		} {
			if s.text == "" {
				continue
			}
			n, err := l.db.Count(ctx, s.text, s.args...)
			if err != nil {
				return err
			}
			isLeft = isLeft || n == int64(limit)
		}
		if l.db.Dialect != dialect.MariaDB {
			return nil
		}
		n, err := l.forgetLockRows(ctx, limit)
		isLeft = isLeft || n == int64(limit)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("sqlstore: forget the links and notes of the tenant: %w", err)
	}
	return isLeft, nil
}

// forgetLinks deletes links, but that of one source.
func (l *Ledger) forgetLinks() string {
	if l.db.Dialect == dialect.MariaDB {
		return "DELETE FROM {p}links WHERE tenant = $1 AND source <> $2 LIMIT $3"
	}
	return "DELETE FROM {p}links WHERE tenant = $1 AND source IN (SELECT k.source FROM {p}links AS k WHERE k.tenant = $1 AND k.source <> $2 LIMIT $3)"
}

// takeFence waits for all who share the lock of Grants, and keeps others from taking it.
func (l *Ledger) takeFence(ctx context.Context) error {
	if l.db.Dialect != dialect.MariaDB {
		return l.db.LockName(ctx, fence)
	}
	_, err := l.db.Exec(ctx, lockUser, fenceUser)
	return err
}

// forgetLocks deletes the rows by which users are locked, but those that are locked now.
func (l *Ledger) forgetLocks() string {
	switch l.db.Dialect {
	case dialect.SQLite:
		return ""
	case dialect.MariaDB:
		return "" // see forgetLockRows
	}
	return "DELETE FROM {p}users WHERE tenant = $1 AND user_id IN (SELECT u.user_id FROM {p}users AS u WHERE u.tenant = $1 LIMIT $2 FOR UPDATE SKIP LOCKED)"
}

// EraseTenant erases resources and memberships, at most limit rows of each table.
func (s *Resources) EraseTenant(ctx context.Context, limit int) (isLeft bool, err error) {
	for _, text := range []string{
		dialect.DeleteSome(s.db.Dialect, "members", "m", "group_id", "member_type", "member_id"),
		dialect.DeleteSome(s.db.Dialect, "lookups", "l", "value", "path", "type", "id"),
		dialect.DeleteSome(s.db.Dialect, "resources", "r", "id", "type", "deleted"),
	} {
		n, err := s.db.Count(ctx, text, limit)
		if err != nil {
			return false, err
		}
		isLeft = isLeft || n == int64(limit)
	}
	return isLeft, nil
}
