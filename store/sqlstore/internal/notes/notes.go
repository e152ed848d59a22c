// Package notes finds out what the application changes in its tables. Triggers on these
// tables write notes into {p}stale, and the notes are read and deleted.
package notes

import (
	"context"
	"fmt"

	"github.com/scimkit/scim/store/sqlstore/internal/database"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
)

// Membership is the type in the note of a membership.
const Membership = "Members"

// Gone is the member in the note of a resource whose row was erased or got another key. A
// row that has the key afterwards is another one.
const Gone = "gone"

// Notes say which rows of the application have changed.
type Notes struct{ db *database.DB }

// New returns the notes for a tenant.
func New(db *database.DB) *Notes { return &Notes{db} }

// Which are the notes that a call is about.
type Which string

// These are the notes of everybody, and those that the transaction itself has written,
// which nobody else sees.
const (
	All Which = ""
	Own Which = " AND tx = txid_current_if_assigned()" // only in PostgreSQL
)

// batchSize is how many notes a batch has at most.
const batchSize = 1000

// Batch are notes that are followed in one transaction.
type Batch struct {
	Changed map[string][]string // Changed are the keys of rows, by type.
	Gone    map[string][]string // Gone are those of them that were erased or got another key.
	Members map[string][]string // Members are the keys of users whose membership changed, by group.
	seqs    []int64
}

// HasAny reports whether there are notes. It is an error if nobody has called Migrate for the
// tenant: without notes its rows would look as if there were none. One query answers both, so that
// this takes no further call, and what one process does holds for all.
func (s *Notes) HasAny(ctx context.Context, which Which) (yes bool, err error) {
	isEnrolled := false
	err = s.db.Each(ctx, func(scan func(...any) error) error {
		isEnrolled = true
		return scan(&yes)
	}, "SELECT CASE WHEN EXISTS (SELECT 1 FROM {p}stale n WHERE n.tenant = $1"+string(which)+") THEN 1 ELSE 0 END FROM {p}schema m WHERE m.part = "+
		dialect.Quote(tenantPart)+" || CAST($1 AS text) AND m.version = 1")
	if err != nil {
		return false, fmt.Errorf("read notes (has Migrate been called?): %w", err)
	}
	if !isEnrolled {
		return false, fmt.Errorf("tenant %q is not migrated, or EraseTenant has erased it: call Migrate of its Store first", s.db.Tenant)
	}
	return yes, nil
}

// Read reads a batch of notes.
func (s *Notes) Read(ctx context.Context, which Which) (*Batch, error) {
	b := &Batch{Changed: make(map[string][]string), Gone: make(map[string][]string), Members: make(map[string][]string)}
	err := s.db.Each(ctx, func(scan func(...any) error) error {
		var seq int64
		var typ, id, member string
		if err := scan(&seq, &typ, &id, &member); err != nil {
			return err
		}
		b.seqs = append(b.seqs, seq)
		if typ == Membership {
			b.Members[id] = append(b.Members[id], member)
			return nil
		}
		b.Changed[typ] = append(b.Changed[typ], id)
		if member == Gone {
			b.Gone[typ] = append(b.Gone[typ], id)
		}
		return nil
	}, "SELECT seq, type, id, member FROM {p}stale WHERE tenant = $1"+string(which)+" ORDER BY type, id, seq LIMIT $2", batchSize)
	return b, err
}

// Delete deletes a batch that was followed.
func (s *Notes) Delete(ctx context.Context, b *Batch) error {
	_, err := s.db.Exec(ctx, "DELETE FROM {p}stale WHERE tenant = $1 AND seq IN (SELECT CAST(e.value ->> 0 AS bigint) FROM {rows $2})",
		dialect.Tuples(b.seqs, func(n int64) []any { return []any{n} }))
	return err
}

// DeleteOwn deletes the notes that the writes of this transaction have caused. They are
// about a resource, or about memberships, that the writer has brought in line itself. An
// empty id, and nil for members, mean any.
func (s *Notes) DeleteOwn(ctx context.Context, typ, id string, members []string) error {
	text, args := "DELETE FROM {p}stale WHERE tenant = $1 AND type = $2", []any{typ}
	if s.db.Dialect == dialect.Postgres { // In SQLite nobody else can have written a note.
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

// HasOthers reports whether others have changed a resource that this transaction has
// locked. Because of the lock nobody can have followed these notes meanwhile.
func (s *Notes) HasOthers(ctx context.Context, typ, id string) (bool, error) {
	if s.db.Dialect == dialect.SQLite { // Nobody else writes.
		return false, nil
	}
	return s.db.HasAny(ctx, "SELECT 1 FROM {p}stale WHERE tenant = $1 AND type = $2 AND id = $3 AND tx <> txid_current() LIMIT 1", typ, id)
}

// ownSetting is the setting that holds the key of a group while this Store changes the
// application's memberships of the group. Stores with another prefix have their own notes.
func ownSetting(prefix string) string { return "scim." + prefix + "own" }

// Silence runs change, which changes the application's memberships of a group, without
// notes. The caller brings the memberships in line itself, and in PostgreSQL the notes of
// 50,000 memberships would slow everybody down until the table is vacuumed.
func (s *Notes) Silence(ctx context.Context, group string, change func() error) (err error) {
	begin, end := "INSERT INTO {p}own (id) VALUES ($1)", "DELETE FROM {p}own WHERE id = $1"
	if s.db.Dialect == dialect.Postgres {
		begin, end = "SELECT set_config('"+ownSetting(s.db.Prefix)+"', $1, true)", "SELECT set_config('"+ownSetting(s.db.Prefix)+"', left($1, 0), true)"
	}
	if _, err := s.db.Conn(ctx).ExecContext(ctx, s.db.Statement(begin), group); err != nil {
		return err
	}
	// The end must come even if change panics or ctx ends: the application may go on with
	// the transaction. In PostgreSQL an error ends the transaction, and the setting with it.
	defer func() {
		if _, e := s.db.Conn(ctx).ExecContext(context.WithoutCancel(ctx), s.db.Statement(end), group); err == nil {
			err = e
		}
	}()
	return change()
}
