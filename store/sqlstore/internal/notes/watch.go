package notes

import (
	"context"
	"database/sql"
	"fmt"
	"hash/fnv"
	"strings"

	"github.com/scimkit/scim/store/sqlstore/internal/database"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
)

// Watch makes the triggers, unless these very ones are there, and then notes every row
// that there is.
func (s *Triggers) Watch(ctx context.Context, tx *sql.Tx) error {
	path := ""
	if s.db.Dialect == dialect.Postgres {
		if err := tx.QueryRowContext(ctx, "SELECT current_setting('search_path')").Scan(&path); err != nil {
			return err
		}
		if path == "" {
			path = `""`
		}
	}
	known, err := s.known(ctx, tx)
	if err != nil {
		return err
	}
	if known < 0 { // before the triggers are there, or else by enrol
		known = 0
		if _, err := tx.ExecContext(ctx, s.db.Statement("INSERT INTO {p}schema (part, version) VALUES ($1, 0)"), tenantPart+s.db.Tenant); err != nil {
			return err
		}
	}
	if err := s.unwatch(ctx, tx); err != nil {
		return err
	}
	noted := true
	for _, w := range s.watches() {
		texts := s.triggers(w)
		h := fnv.New64a()
		fmt.Fprintln(h, texts, w.all, w.more, path) //nolint:errcheck // never fails
		part, version := w.entry(), int64(h.Sum64()>>1)
		have, before, err := s.db.Version(ctx, tx, part)
		if err != nil {
			return err
		}
		if before && have == version {
			there, err := s.watching(ctx, tx, w)
			if err != nil {
				return err
			}
			if there {
				noted = noted && w.part
				continue
			}
		}
		for _, text := range texts {
			if _, err := tx.ExecContext(ctx, strings.NewReplacer("{p}", s.db.Prefix, "{path}", path).Replace(text)); err != nil {
				return fmt.Errorf("%s: %w", w.table, err)
			}
		}
		if before || !w.part { // those of resources that are new come with these, as memberships do
			text := "INSERT INTO {p}stale (tenant, type, id, member) SELECT x.tenant, x.type, x.id, x.member FROM (" + w.all + ") AS x WHERE " + enrolled("x.tenant")
			if w.many {
				text += withGroup + " UNION SELECT m.tenant, " + dialect.Quote(Membership) + ", m.group_id, m.member_id FROM {p}members m WHERE m.member_type = 'User'" // of another table, perhaps
			}
			// With the triggers in place, and before others can write again.
			if _, err := tx.ExecContext(ctx, s.db.Statement(text)); err != nil {
				return fmt.Errorf("%s: %w", w.table, err)
			}
		}
		if err := s.db.SetVersion(ctx, tx, part, version); err != nil {
			return err
		}
	}
	if known == 0 && noted {
		return s.setKnown(ctx, tx)
	}
	return nil
}

// withGroup is the condition that a membership's group is known: with one that is new all
// its memberships come.
const withGroup = " AND EXISTS (SELECT 1 FROM {p}resources r WHERE r.tenant = x.tenant AND r.type = 'Group' AND r.id = x.id AND r.deleted = 0)"

// known says whether all rows of the tenant have been noted once: 1, not yet: 0, or
// nobody has begun to: -1.
func (s *Triggers) known(ctx context.Context, db database.Querier) (int64, error) {
	version, known, err := s.db.Version(ctx, db, tenantPart+s.db.Tenant)
	if err == nil && !known {
		return -1, nil
	}
	return version, err
}

func (s *Triggers) setKnown(ctx context.Context, db database.Querier) error {
	_, err := db.ExecContext(ctx, s.db.Statement("UPDATE {p}schema SET version = 1 WHERE part = $1"), tenantPart+s.db.Tenant)
	return err
}

// Enrol notes all rows of a tenant for which the triggers that were there do so from now on.
func (s *Triggers) Enrol(ctx context.Context) error {
	known, err := s.known(ctx, s.db.Pool)
	if err != nil || known == 1 {
		return err
	}
	for _, w := range s.watches() {
		if w.part {
			continue
		}
		if s.db.Dialect == dialect.Postgres {
			// Wait for the end of those who have written without its being noted.
			if err := s.db.InTx(ctx, func(ctx context.Context) error {
				_, err := s.db.Conn(ctx).ExecContext(ctx, "LOCK TABLE "+w.table+" IN SHARE MODE")
				return err
			}); err != nil {
				return fmt.Errorf("%s: %w", w.table, err)
			}
		}
		text := "INSERT INTO {p}stale (tenant, type, id, member) SELECT x.tenant, x.type, x.id, x.member FROM (" + w.all + ") AS x WHERE x.tenant = $1"
		if w.many {
			text += withGroup
		}
		if err := s.db.Write(ctx, func(ctx context.Context) error {
			_, err := s.db.Exec(ctx, text)
			return err
		}); err != nil {
			return fmt.Errorf("%s: %w", w.table, err)
		}
	}
	return s.db.Write(ctx, func(ctx context.Context) error { return s.setKnown(ctx, s.db.Conn(ctx)) })
}

// watching reports whether the triggers of a table are there: a table that was made anew,
// which is how SQLite's are altered, has none.
func (s *Triggers) watching(ctx context.Context, tx *sql.Tx, w watched) (bool, error) {
	query := "SELECT count(*) FROM pg_trigger WHERE tgname IN ($1 || '_insert', $1 || '_update', $1 || '_delete') AND tgrelid = to_regclass($2)"
	table := w.table
	if s.db.Dialect == dialect.SQLite {
		query = "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND name IN ($1 || '_insert', $1 || '_update', $1 || '_delete') AND lower(tbl_name) = lower($2)"
		table = strings.Trim(lastName.FindString(w.table), `"`)
	}
	n := 0
	err := tx.QueryRowContext(ctx, query, s.trigger(w), table).Scan(&n)
	return n == 3, err
}

// unwatch drops the triggers of tables that the mapping had and has no more: their columns
// may be dropped, and one that comes back is looked at again.
func (s *Triggers) unwatch(ctx context.Context, tx *sql.Tx) error {
	mine := make(map[string]bool)
	for _, w := range s.watches() {
		mine[w.entry()] = true
	}
	rows, err := tx.QueryContext(ctx, s.db.Statement("SELECT part FROM {p}schema WHERE part LIKE 'watch %'"))
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // Err tells
	var old []string
	for rows.Next() {
		var part string
		if err := rows.Scan(&part); err != nil {
			return err
		}
		if !mine[part] {
			old = append(old, part)
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for _, part := range old {
		table, what := strings.TrimPrefix(part, "watch "), ""
		if i := strings.LastIndexByte(table, ' '); i >= 0 {
			table, what = table[:i], table[i+1:]
		}
		w := watched{table: table, what: what}
		for _, text := range s.dropTriggers(w) {
			if _, err := tx.ExecContext(ctx, text); err != nil {
				return fmt.Errorf("%s: %w", table, err)
			}
		}
		if _, err := tx.ExecContext(ctx, s.db.Statement("DELETE FROM {p}schema WHERE part = $1"), part); err != nil {
			return err
		}
	}
	return nil
}

// NoteAll notes every row that the application has, or once had, as changed.
func (s *Triggers) NoteAll(ctx context.Context) error {
	insert := "INSERT INTO {p}stale (tenant, type, id, member) "
	for _, w := range s.watches() {
		if w.part {
			continue
		}
		if _, err := s.db.Exec(ctx, insert+"SELECT x.tenant, x.type, x.id, x.member FROM ("+w.all+") AS x WHERE x.tenant = $1"); err != nil {
			return err
		}
	}
	for _, typ := range s.mapped {
		// Nothing was seen, so that a column counts that From reads otherwise by now.
		if _, err := s.db.Exec(ctx, "UPDATE {p}resources SET seen = '{}' WHERE tenant = $1 AND type = $2 AND deleted = 0 AND seen IS NOT NULL", typ); err != nil {
			return err
		}
		if _, err := s.db.Exec(ctx, insert+"SELECT r.tenant, r.type, r.id, '' FROM {p}resources r WHERE r.tenant = $1 AND r.type = $2 AND r.deleted = 0 AND r.seen IS NOT NULL", typ); err != nil {
			return err
		}
	}
	if s.join == nil {
		return nil
	}
	_, err := s.db.Exec(ctx, insert+"SELECT m.tenant, $2, m.group_id, m.member_id FROM {p}members m WHERE m.tenant = $1 AND m.member_type = 'User'", Membership)
	return err
}
