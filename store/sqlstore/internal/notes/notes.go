// Package notes finds out what the application changes in its tables. Triggers on these
// tables write notes into {p}stale, and the notes are read and deleted.
package notes

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

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
	Own Which = " AND tx = {tx}" // not in SQLite
)

// condition returns the condition of the notes.
func (s *Notes) condition(ctx context.Context, w Which) string {
	tx := "txid_current_if_assigned()"
	if s.db.Dialect == dialect.MariaDB {
		tx = database.Mark
	}
	text := strings.Replace(string(w), "{tx}", tx, 1)
	if span := s.span(ctx, w); span != nil {
		text += " AND seq > " + strconv.FormatInt(span.After.Load(), 10)
	}
	return text
}

// force makes MariaDB read notes by their numbers, if it knows from which number on.
func (s *Notes) force(ctx context.Context, w Which) string {
	if span := s.span(ctx, w); span != nil && span.After.Load() > 0 {
		return " FORCE INDEX (PRIMARY)"
	}
	return ""
}

// span is the span of the transaction's own notes in MariaDB, or nil.
func (s *Notes) span(ctx context.Context, w Which) *database.Span {
	j := s.db.Transaction(ctx)
	if s.db.Dialect != dialect.MariaDB || w != Own || j == nil {
		return nil
	}
	return j.Span(s.db.Prefix + "\x00" + s.db.Tenant)
}

// batchSize is how many notes a batch has at most.
const batchSize = 1000

// Batch are notes that are followed in one transaction.
type Batch struct {
	Changed map[string][]string // Changed are the keys of rows, by type.
	Gone    map[string][]string // Gone are those of them that were erased or got another key.
	Members map[string][]string // Members are the keys of users whose membership changed, by group.
	notes   []note
}

// note is a row of {p}stale. In SQLite the row has no number: a second note of the same would say
// nothing more, since who follows notes has the database to himself.
type note struct {
	seq             int64
	typ, id, member string
}

// HasAny reports whether there are notes. It is an error if nobody has called Migrate for the
// tenant: without notes its rows would look as if there were none. One query answers both, so that
// this takes no further call, and what one process does holds for all.
func (s *Notes) HasAny(ctx context.Context, which Which) (yes bool, err error) {
	isEnrolled := false
	err = s.db.Each(ctx, func(scan func(...any) error) error {
		isEnrolled = true
		return scan(&yes)
	}, "SELECT CASE WHEN EXISTS (SELECT 1 FROM {p}stale n"+s.force(ctx, which)+" WHERE n.tenant = $1"+s.condition(ctx, which)+") THEN 1 ELSE 0 END FROM {p}schema m WHERE m.part = "+
		dialect.Concat(s.db.Dialect, dialect.Quote(tenantPart), "CAST($1 AS text)")+" AND m.version = 1")
	if err != nil {
		return false, fmt.Errorf("read notes (has Migrate been called?): %w", err)
	}
	if !isEnrolled {
		return false, fmt.Errorf("tenant %q is not migrated, or EraseTenant has erased it: call Migrate of its Store first", s.db.Tenant)
	}
	if span := s.span(ctx, which); span != nil && !yes {
		span.After.Store(span.Last.Load())
	}
	return yes, nil
}

// FollowLock is the name of the lock that a transaction takes which follows notes of everybody.
const FollowLock = "follow"

// IsEnrolled reports whether all rows of the tenant have been brought in once. It is an error if
// triggers do not note its rows.
func (s *Notes) IsEnrolled(ctx context.Context) (yes bool, err error) {
	begun := false
	err = s.db.Each(ctx, func(scan func(...any) error) error {
		begun = true
		return scan(&yes)
	}, "SELECT CASE WHEN m.version = 1 THEN 1 ELSE 0 END FROM {p}schema m WHERE m.part = "+dialect.Concat(s.db.Dialect, dialect.Quote(tenantPart), "CAST($1 AS text)"))
	if err == nil && !begun {
		err = fmt.Errorf("EraseTenant has erased tenant %q meanwhile", s.db.Tenant)
	}
	return yes, err
}

// Add adds notes of rows.
func (s *Notes) Add(ctx context.Context, typ string, keys []string) error {
	if len(keys) == 0 {
		return nil
	}
	_, err := s.db.Exec(ctx, insertNotes+"SELECT $1, $2, e.value ->> 0, '' FROM {rows $3} WHERE 1 = 1"+onceInSQLite(s.db.Dialect), typ, dialect.Tuples(keys, func(key string) []any { return []any{key} }))
	return err
}

// Read reads a batch of notes.
func (s *Notes) Read(ctx context.Context, which Which) (*Batch, error) {
	b := &Batch{Changed: make(map[string][]string), Gone: make(map[string][]string), Members: make(map[string][]string)}
	number, order := "seq", "type, id, seq"
	if s.db.Dialect == dialect.SQLite {
		number, order = "0", "type, id, member"
	}
	err := s.db.Each(ctx, func(scan func(...any) error) error {
		var n note
		if err := scan(&n.seq, &n.typ, &n.id, &n.member); err != nil {
			return err
		}
		b.notes = append(b.notes, n)
		if n.typ == Membership {
			b.Members[n.id] = append(b.Members[n.id], n.member)
			return nil
		}
		b.Changed[n.typ] = append(b.Changed[n.typ], n.id)
		if n.member == Gone {
			b.Gone[n.typ] = append(b.Gone[n.typ], n.id)
		}
		return nil
	}, "SELECT "+number+", type, id, member FROM {p}stale"+s.force(ctx, which)+" WHERE tenant = $1"+s.condition(ctx, which)+" ORDER BY "+order+" LIMIT $2", batchSize)
	return b, err
}

// Delete deletes a batch that was followed.
func (s *Notes) Delete(ctx context.Context, b *Batch) error {
	if s.db.Dialect != dialect.SQLite {
		seqs := make([]int64, len(b.notes))
		for i, n := range b.notes {
			seqs[i] = n.seq
		}
		return s.delete(ctx, seqs)
	}
	_, err := s.db.Exec(ctx, "DELETE FROM {p}stale WHERE tenant = $1 AND (type, id, member) IN (SELECT e.value ->> 0, e.value ->> 1, e.value ->> 2 FROM {rows $2})",
		dialect.Tuples(b.notes, func(n note) []any { return []any{n.typ, n.id, n.member} }))
	return err
}

// delete deletes notes by their numbers, which SQLite's do not have.
func (s *Notes) delete(ctx context.Context, seqs []int64) error {
	text := "DELETE FROM {p}stale WHERE tenant = $1 AND seq IN (SELECT CAST(e.value ->> 0 AS bigint) FROM {rows $2})"
	if s.db.Dialect == dialect.MariaDB {
		text = "DELETE n FROM {rows $2} STRAIGHT_JOIN {p}stale AS n FORCE INDEX (PRIMARY) ON n.seq = CAST(e.value ->> 0 AS bigint) WHERE n.tenant = $1"
	}
	_, err := s.db.Exec(ctx, text, dialect.Tuples(seqs, func(n int64) []any { return []any{n} }))
	if span := s.span(ctx, Own); span != nil && err == nil && len(seqs) > 0 {
		span.Last.Store(max(span.Last.Load(), slices.Max(seqs)))
	}
	return err
}

// DeleteOwn deletes the notes that the writes of this transaction have caused. They are
// about a resource, or about memberships, that the writer has brought in line itself. An
// empty id, and nil for members, mean any.
func (s *Notes) DeleteOwn(ctx context.Context, typ, id string, members []string) error {
	text, args := " FROM {p}stale"+s.force(ctx, Own)+" WHERE tenant = $1 AND type = $2", []any{typ}
	switch s.db.Dialect { // In SQLite nobody else can have written a note.
	case dialect.Postgres:
		text += " AND tx = txid_current()"
	case dialect.MariaDB:
		text += s.condition(ctx, Own)
	}
	if id != "" {
		args = append(args, id)
		text += " AND id = $3"
	}
	if members != nil {
		args = append(args, dialect.Tuples(members, func(m string) []any { return []any{m} }))
		text += fmt.Sprintf(" AND member IN (SELECT e.value ->> 0 FROM {rows $%d})", len(args)+1)
	}
	if s.db.Dialect != dialect.MariaDB {
		_, err := s.db.Exec(ctx, "DELETE"+text, args...)
		return err
	}
	// A DELETE would wait for transactions that have written such notes too.
	var seqs []int64
	err := s.db.Each(ctx, func(scan func(...any) error) error {
		var seq int64
		err := scan(&seq)
		seqs = append(seqs, seq)
		return err
	}, "SELECT seq"+text, args...)
	if err != nil || len(seqs) == 0 {
		return err
	}
	return s.delete(ctx, seqs)
}

// HasOthers reports whether others have changed a resource that this transaction has
// locked. Because of the lock nobody can have followed these notes meanwhile.
func (s *Notes) HasOthers(ctx context.Context, typ, id string) (bool, error) {
	if s.db.Dialect == dialect.SQLite { // Nobody else writes.
		return false, nil
	}
	tx := "txid_current()"
	if s.db.Dialect == dialect.MariaDB {
		tx = database.Mark
	}
	return s.db.HasAny(ctx, "SELECT 1 FROM {p}stale WHERE tenant = $1 AND type = $2 AND id = $3 AND tx <> "+tx+" LIMIT 1", typ, id)
}

// ownSetting is the setting that holds the key of a group while this Store changes the
// application's memberships of the group. Stores with another prefix have their own notes.
func ownSetting(prefix string) string { return "scim." + prefix + "own" }

// ownVariable is ownSetting in MariaDB.
const ownVariable = "@{p}own"

// Silence runs change, which changes the application's memberships of a group, without
// notes. The caller brings the memberships in line itself, and in PostgreSQL the notes of
// 50,000 memberships would slow everybody down until the table is vacuumed.
func (s *Notes) Silence(ctx context.Context, group string, change func() error) (err error) {
	begin, end := "INSERT INTO {p}own (id) VALUES ($1)", "DELETE FROM {p}own WHERE id = $1"
	switch s.db.Dialect {
	case dialect.MariaDB:
		begin, end = "SET "+ownVariable+" = $1", "SET "+ownVariable+" = left($1, 0)"
	case dialect.Postgres:
		begin, end = "SELECT set_config('"+ownSetting(s.db.Prefix)+"', $1, true)", "SELECT set_config('"+ownSetting(s.db.Prefix)+"', left($1, 0), true)"
	}
	if _, err := s.db.ExecOn(ctx, s.db.Conn(ctx), begin, group); err != nil {
		return err
	}
	// The end must come even if change panics or ctx ends: the application may go on with
	// the transaction. In PostgreSQL an error ends the transaction, and the setting with it.
	defer func() {
		if _, e := s.db.ExecOn(context.WithoutCancel(ctx), s.db.Conn(ctx), end, group); err == nil {
			err = e
		}
	}()
	return change()
}
