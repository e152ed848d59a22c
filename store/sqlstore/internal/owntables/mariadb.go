package owntables

import (
	"context"
	"slices"

	"github.com/scimkit/scim/store/sqlstore/internal/database"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
)

// MariaDB has no advisory locks that end with a transaction, and no RETURNING of an UPDATE.

// lockUser locks the row of a user, and inserts it if it is missing.
const lockUser = "INSERT INTO {p}users (tenant, user_id) VALUES ($1, $2) ON DUPLICATE KEY UPDATE tenant = VALUES(tenant)"

// fenceUser is the row that Grants shares and that Fence takes alone. No user has this id.
const fenceUser = "\x00"

// shareFence shares the lock that Fence takes alone.
func (l *Ledger) shareFence(ctx context.Context) error {
	if j := l.db.Transaction(ctx); j != nil && !j.IsFirst(l.db.Prefix+"fence\x00"+l.db.Tenant) {
		return nil
	}
	found, err := l.db.HasAny(ctx, "SELECT 1 FROM {p}users WHERE user_id = $2 AND tenant = $1 LOCK IN SHARE MODE", fenceUser)
	if err == nil && !found {
		_, err = l.db.Exec(ctx, lockUser, fenceUser)
	}
	return err
}

// lockRows is lock for MariaDB. It first locks the rows that exist, in order of id, and then those
// that it inserts. All transactions find the same rows missing, so they do not wait for each
// other.
func (l *Ledger) lockRows(ctx context.Context, ids []string) error {
	if err := l.shareFence(ctx); err != nil {
		return err
	}
	var have []string
	texts := l.db.Dialect.Texts("$2")
	err := l.db.Each(ctx, database.Texts(&have), "SELECT u.user_id"+
		l.db.Dialect.Each(texts, "users", "u", "u.user_id = w.value AND u.tenant = $1", " FOR UPDATE"), dialect.List(ids))
	if err != nil || len(have) == len(ids) {
		return err
	}
	missing := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { _, found := slices.BinarySearch(have, id); return found })
	text := "INSERT INTO {p}users (tenant, user_id) SELECT $1, w.value FROM " + texts + " AS w WHERE 1 = 1"
	if l.hasUsers { // Unknown ids need no lock, and a client could invent any number of them.
		text += " AND (EXISTS (SELECT 1 FROM {p}resources r WHERE r.tenant = $1 AND r.type = 'User' AND r.id = w.value)" +
			" OR EXISTS (SELECT 1 FROM {p}grants g WHERE g.tenant = $1 AND g.user_id = w.value))"
	}
	_, err = l.db.Exec(ctx, text+" ON DUPLICATE KEY UPDATE tenant = VALUES(tenant)", dialect.List(missing))
	return err
}

// forgetLockRows deletes at most limit rows by which users are locked, but those that are locked
// now, and returns how many.
func (l *Ledger) forgetLockRows(ctx context.Context, limit int) (int64, error) {
	var ids []string
	err := l.db.Each(ctx, database.Texts(&ids), "SELECT user_id FROM {p}users WHERE tenant = $1 LIMIT $2 FOR UPDATE SKIP LOCKED", limit)
	if err != nil {
		return 0, err
	}
	return int64(len(ids)), deleteLockRows(ctx, l.db, ids)
}

// eraseLockRows is EraseLocks for MariaDB.
func eraseLockRows(ctx context.Context, db *database.DB, ids []string) error {
	var free []string
	err := db.Each(ctx, database.Texts(&free), "SELECT u.user_id"+
		db.Dialect.Each(db.Dialect.Texts("$2"), "users", "u", "u.user_id = w.value AND u.tenant = $1", " FOR UPDATE SKIP LOCKED"), dialect.List(ids))
	if err != nil {
		return err
	}
	return deleteLockRows(ctx, db, free)
}

// deleteLockRows deletes rows by which users are locked.
func deleteLockRows(ctx context.Context, db *database.DB, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	_, err := db.Exec(ctx, db.Dialect.DeleteRows("users", "tenant", "user_id"), dialect.Tuples(ids, func(id string) []any { return []any{db.Tenant, id} }))
	return err
}

// removeRows removes memberships by their primary keys, and calls row with the type and the
// id of each that existed.
func (s *Members) removeRows(ctx context.Context, keys [][]any, row func(scan func(...any) error) error) error {
	found := false
	err := s.db.Each(ctx, func(scan func(...any) error) error {
		found = true
		return row(scan)
	}, "SELECT m.member_type, m.member_id FROM {rows $2} STRAIGHT_JOIN {p}members AS m FORCE INDEX (PRIMARY) ON m.tenant = e.value ->> 0 AND m.group_id = e.value ->> 1"+
		" AND m.member_type = e.value ->> 2 AND m.member_id = e.value ->> 3 WHERE $1 = $1 FOR UPDATE", dialect.List(keys))
	if err != nil || !found {
		return err
	}
	_, err = s.db.Exec(ctx, s.db.Dialect.DeleteRows("members", "tenant", "group_id", "member_type", "member_id"), dialect.List(keys))
	return err
}
