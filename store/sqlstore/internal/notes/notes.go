// Package notes creates the triggers on the application's tables, and reads and deletes
// their notes of what the application has changed.
package notes

import (
	"context"
	"fmt"

	"github.com/scimkit/scim/store/sqlstore/internal/database"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
)

// Notes say which rows of the application have changed. Its triggers write them.
type Notes struct{ db *database.DB }

// New are the notes for a tenant.
func New(db *database.DB) *Notes { return &Notes{db} }

// Silence changes the application's memberships of a group so that the triggers leave no
// notes: the caller has seen to the change, and in PostgreSQL each of 50,000 would be in
// everybody's way until the table is vacuumed.
func (s *Notes) Silence(ctx context.Context, group string, change func() error) (err error) {
	begin, end := "INSERT INTO {p}own (id) VALUES ($1)", "DELETE FROM {p}own WHERE id = $1"
	if s.db.Dialect == dialect.Postgres {
		begin, end = "SELECT set_config('"+ownSetting(s.db.Prefix)+"', $1, true)", "SELECT set_config('"+ownSetting(s.db.Prefix)+"', left($1, 0), true)"
	}
	if _, err := s.db.Conn(ctx).ExecContext(ctx, s.db.Statement(begin), group); err != nil {
		return err
	}
	defer func() { // also if change panics, or time is up: the transaction may be the application's
		// In PostgreSQL an error has ended it, and this with it.
		if _, e := s.db.Conn(ctx).ExecContext(context.WithoutCancel(ctx), s.db.Statement(end), group); err == nil {
			err = e
		}
	}()
	return change()
}

// Membership is the type under which {p}stale notes a membership.
const Membership = "Members"

// DeleteOwn drops the notes that this transaction's own writes have made of a resource, or
// of memberships, whose writer has seen to them itself. id "" and members nil mean any.
func (s *Notes) DeleteOwn(ctx context.Context, typ, id string, members []string) error {
	text, args := "DELETE FROM {p}stale WHERE tenant = $1 AND type = $2", []any{typ}
	if s.db.Dialect == dialect.Postgres { // in SQLite nobody else can have written any
		text += " AND tx = txid_current()"
	}
	if id != "" {
		args = append(args, id)
		text += " AND id = $3"
	}
	if members != nil {
		args = append(args, dialect.Tuples(members, func(m string) []any { return []any{m} }))
		text += fmt.Sprintf(" AND member IN (SELECT e.value ->> 0 FROM {rows $%d})", len(args)+1)
	}
	_, err := s.db.Exec(ctx, text, args...)
	return err
}

// HasOthers reports whether the application has changed a resource that this transaction has
// locked, so that nobody can have followed it meanwhile.
func (s *Notes) HasOthers(ctx context.Context, typ, id string) (yes bool, err error) {
	if s.db.Dialect == dialect.SQLite { // nobody else writes
		return false, nil
	}
	return s.db.HasAny(ctx, "SELECT 1 FROM {p}stale WHERE tenant = $1 AND type = $2 AND id = $3 AND tx <> txid_current() LIMIT 1", typ, id)
}

// Gone is the member in the note of a resource whose row was erased, or has another key
// now. If there is a row of this key afterwards, it is another one.
const Gone = "gone"

// ownSetting is the setting that holds, while this Store changes the application's
// memberships of a group, the group's key. Those with another prefix have notes of their own.
func ownSetting(prefix string) string { return "scim." + prefix + "own" }
