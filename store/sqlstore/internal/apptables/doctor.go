package apptables

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore/internal/database"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
	"github.com/scimkit/scim/store/sqlstore/internal/mapping"
)

// A mapping may name only what exists, and yet fail when a client creates the first user. diagnose
// and its parts look for what would fail then. Each finding says what to do.

// finding is one mistake.
func finding(table, format string, args ...any) error {
	return fmt.Errorf("sqlstore: table %s: "+format, append([]any{table}, args...)...)
}

// diagnose looks at the table of a type, whose names are checked.
func (m *Table) diagnose(ctx context.Context, gives samples) error {
	all, err := columnsOf(ctx, m.db, m.Name)
	if err != nil {
		return fmt.Errorf("sqlstore: table %s: %w", m.Name, err)
	}
	written := slices.AppendSeq(mapping.NonEmpty(m.Tenant, m.Updated), maps.Keys(gives["Insert"]))
	if m.KeepID {
		written = append(written, m.Key)
	}
	for i := range m.Beside {
		if !m.Beside[i].IsWatched() {
			written = append(written, mapping.NonEmpty(m.Beside[i].Ref)...)
		}
	}
	own := m.ColumnsOf(0)
	for i := range own {
		c := &own[i]
		if !c.ReadOnly {
			written = append(written, c.Name)
		}
		err = errors.Join(err, checkKind(m.Name, c, find(all, c.Name)), checkFlag(ctx, m, c, find(all, c.Name)))
	}
	err = errors.Join(err, checkSamples(ctx, m, all, gives))
	key := find(all, m.Key)
	if !slices.ContainsFunc(written, func(name string) bool { return isOf(name, m.Key) }) && key != nil && key.fill == mandatory {
		written = append(written, m.Key)
		err = errors.Join(err, finding(m.Name, "the database does not give the key %s: set KeepID, which writes a UUID, or give the column a default", m.Key))
	}
	err = errors.Join(err, checkFilled(m.Name, all, written, "a value with Insert, or map it to an attribute"))
	if key != nil && m.KeepID && key.kind() == kindNumber {
		err = errors.Join(err, finding(m.Name, "KeepID writes a UUID, and the column %s holds numbers: leave KeepID out, so that the database gives the key", m.Key))
	}
	if c := find(all, m.Created); c != nil {
		switch c.kind() {
		case kindNumber, kindBoolean:
			err = errors.Join(err, finding(m.Name, "Created: the column %s holds %s, and must hold a time: leave Created out, and lists are in the order in which the Store first saw the rows", m.Created, c.kind()))
		case kindDate:
			err = errors.Join(err, finding(m.Name, "Created: the column %s holds dates, and the rows of one day would have no order: use a column with a time, or leave Created out", m.Created))
		}
	}
	updated := find(all, m.Updated)
	m.updatedIsText.Store(updated != nil && updated.kind() == kindText)
	if updated != nil && (updated.kind() == kindNumber || updated.kind() == kindBoolean) {
		err = errors.Join(err, finding(m.Name, "Updated: the column %s holds %s, and must hold a time: leave Updated out, and set the column in a trigger", m.Updated, updated.kind()))
	}
	if m.Retire != nil && m.Visible == "" {
		err = errors.Join(err, finding(m.Name, "Retire keeps the row, and without Visible clients would see it again: exclude retired rows by Visible"))
	}
	err = errors.Join(err, checkVisible(m), checkView(ctx, m, written))
	if key != nil && !m.IsView { // The indexes of a view are those of other tables.
		err = errors.Join(err, checkKey(ctx, m))
	}
	return err
}

// looksElsewhere matches a condition with a query, and queried the tables in one.
var (
	looksElsewhere = regexp.MustCompile(`(?i)\bSELECT\b`)
	queried        = regexp.MustCompile("(?i)\\b(?:FROM|JOIN)\\s+([\\w.`\"]+)")
)

// checkVisible looks whether Visible reads tables whose changes nobody notes.
func checkVisible(m *Table) error {
	if !looksElsewhere.MatchString(m.Visible) {
		return nil
	}
	tables := queried.FindAllStringSubmatch(m.Visible, -1)
	isNoted := func(name string) bool {
		return isSame(name, m.Name) || slices.ContainsFunc(m.Beside, func(b mapping.Beside) bool { return isSame(name, b.Name) })
	}
	if len(tables) > 0 && !slices.ContainsFunc(tables, func(match []string) bool { return !isNoted(match[1]) }) {
		return nil
	}
	return finding(m.Name, "Visible: %q looks at another table, and no trigger notes the changes there: keep the answer in a column of %s, or name the table in Beside", m.Visible, m.Name)
}

// checkFilled looks for columns without which the database refuses each new row.
func checkFilled(table string, all []column, written []string, remedy string) (err error) {
	for _, c := range all {
		isWritten := slices.ContainsFunc(written, func(name string) bool { return find([]column{c}, name) != nil })
		if c.fill == mandatory && !isWritten {
			err = errors.Join(err, finding(table, "column %s is NOT NULL and has no default: give it %s", c.name, remedy))
		}
	}
	return err
}

// checkKind looks whether a column can hold the values of its attribute. nil: a column whose
// description is unknown.
func checkKind(table string, c *mapping.BoundColumn, is *column) error {
	if is != nil && c.TakesNull && len(c.Values) == 0 {
		return checkWhileNull(table, c, is)
	}
	if is == nil || c.To != nil || c.From != nil {
		return nil
	}
	typ, fits := c.Type(), []kind(nil)
	switch typ {
	case scim.TypeString, scim.TypeReference, scim.TypeBinary:
		fits = []kind{kindText, kindNumber} // a number may be a key, such as that of a manager
	case scim.TypeBoolean:
		fits = []kind{kindText, kindNumber, kindBoolean}
	case scim.TypeInteger, scim.TypeDecimal:
		fits = []kind{kindText, kindNumber}
	case scim.TypeDateTime:
		fits = []kind{kindText, kindTime}
	}
	if is.kind() == kindNumber && !c.ReadOnly && isNeverNumber(c.Path) {
		return finding(table, "column %s holds numbers, and %s is a text: convert with To and From, or map another column", c.Name, c.Path)
	}
	if k := is.kind(); k != kindOther && !slices.Contains(fits, k) {
		return finding(table, "column %s holds %s, and %s is a %s: convert with To and From, or map another column", c.Name, k, c.Path, typ)
	}
	return nil
}

// checkWhileNull looks whether a column can hold the time of deactivation.
func checkWhileNull(table string, c *mapping.BoundColumn, is *column) error {
	if !is.nullable {
		return finding(table, "column %s is NOT NULL, and ActiveWhileNull writes NULL for an active user: use ActiveWhen, or allow NULL", c.Name)
	}
	if k := is.kind(); k == kindNumber || k == kindBoolean {
		return finding(table, "column %s holds %s, and ActiveWhileNull writes a time: use ActiveWhen, or convert with To and From", c.Name, k)
	}
	return nil
}

// textPaths are attributes for which clients send texts that are no numbers.
var textPaths = []string{namePath, "displayName", "nickName", "emails.value", "preferredLanguage", "locale", "timezone", "profileUrl"}

// isNeverNumber reports whether clients send texts for an attribute that are no numbers.
func isNeverNumber(path string) bool {
	return slices.Contains(textPaths, path) || strings.HasPrefix(path, "name.")
}

// checkKey looks whether a unique index has the key. Otherwise one write could change the rows of many.
func checkKey(ctx context.Context, m *Table) error {
	if m.db.Dialect == dialect.SQLite {
		isRowID := false
		w := m.db.Arguments()
		err := m.db.EachAppRow(ctx, w, "SELECT c.name FROM pragma_table_xinfo("+w.Add(unquoted(m.Name))+") c WHERE c.pk > 0", func(scan func(...any) error) error {
			var name string
			err := scan(&name)
			isRowID = isRowID || isOf(dialect.QuoteName(m.db.Dialect, name), m.Key)
			return err
		})
		if err != nil || isRowID {
			return err
		}
	}
	unique, err := uniqueIndexes(ctx, m.db, m.Name)
	if err != nil {
		return fmt.Errorf("sqlstore: table %s: unique indexes: %w", m.Name, err)
	}
	if !slices.ContainsFunc(unique, func(x uniqueIndex) bool { return x.has(m.Key) }) {
		return finding(m.Name, "Key: no unique index has the column %s, so a change of one row could change others: name the primary key", m.Key)
	}
	return nil
}

// diagnose looks at the table of memberships, whose names are checked.
func (s *Joins) diagnose(ctx context.Context, users, groups string, gives map[string]any) error {
	all, err := columnsOf(ctx, s.db, s.Name)
	if err != nil {
		return fmt.Errorf("sqlstore: table %s: %w", s.Name, err)
	}
	err = errors.Join(checkGiven(ctx, s.db, s.Name, all, "Members.Insert", gives),
		checkFilled(s.Name, all, slices.AppendSeq(mapping.NonEmpty(s.Group, s.User, s.Tenant), maps.Keys(gives)), "a value with Members.Insert"))
	return errors.Join(err, CheckSwapped(ctx, s.db, s.Name, Pair{What: "Members: ", A: "Group", ColumnA: s.Group, TableA: groups, B: "User", ColumnB: s.User, TableB: users}))
}

// Pair is two columns that stand for the rows of two tables, with the names of their fields.
type Pair struct {
	What               string // What begins the finding.
	A, ColumnA, TableA string
	B, ColumnB, TableB string
}

// CheckSwapped looks whether each column refers to the table of the other. If no column refers to one
// of them, the names decide.
func CheckSwapped(ctx context.Context, db *database.DB, table string, p Pair) error {
	refers, err := references(ctx, db, table)
	if err != nil {
		return fmt.Errorf("sqlstore: table %s: %w", table, err)
	}
	isReference := false
	for _, r := range refers {
		isA, isB := isSame(r.table, p.TableA), isSame(r.table, p.TableB)
		if isA != isB && (isOf(r.column, p.ColumnA) && isB || isOf(r.column, p.ColumnB) && isA) {
			return finding(table, "%scolumn %s refers to the table %s: %s and %s are swapped", p.What, r.column, r.table, p.A, p.B)
		}
		isReference = isReference || isA || isB
	}
	if isReference {
		return nil
	}
	return p.checkWords(table)
}

// checkWords looks whether a column is named after the wrong table, as person_id is after people.
func (p *Pair) checkWords(table string) error {
	for _, c := range []struct{ column, right, wrong, other string }{{p.ColumnB, p.TableB, p.TableA, p.ColumnA}, {p.ColumnA, p.TableA, p.TableB, p.ColumnB}} {
		if isNamedAfter(c.column, c.wrong) && !isNamedAfter(c.column, c.right) && !isNamedAfter(c.other, c.wrong) {
			return finding(table, "%scolumn %s is named after the table %s: %s and %s are swapped", p.What, c.column, c.wrong, p.A, p.B)
		}
	}
	return nil
}

// isNamedAfter reports whether a column has the name of a table, or the end of it, as team_id has
// of teams and of app_team.
func isNamedAfter(column, table string) bool {
	c, t := words(column), words(table)
	if n := len(c) - 1; n > 0 && (c[n] == "id" || c[n] == "uuid" || c[n] == "key") {
		c = c[:n]
	}
	last := len(t) - 1
	for _, one := range []string{t[last], strings.TrimSuffix(t[last], "s"), strings.TrimSuffix(t[last], "es"), strings.TrimSuffix(t[last], "ies") + "y"} {
		if t[last] = one; len(c) <= len(t) && slices.Equal(c, t[len(t)-len(c):]) {
			return true
		}
	}
	return false
}

// capital matches a capital after a small letter: the begin of a word.
var capital = regexp.MustCompile(`([a-z0-9])([A-Z])`)

// words returns the words of the last part of a name, in lower case.
func words(name string) []string {
	return strings.Split(strings.ToLower(capital.ReplaceAllString(unquoted(name), "${1}_${2}")), "_")
}

// isSame reports whether two names are those of one table.
func isSame(a, b string) bool { return strings.EqualFold(unquoted(a), unquoted(b)) }

// reference is a column that refers to another table.
type reference struct{ column, table string }

// references reads the foreign keys of one column.
func references(ctx context.Context, db *database.DB, table string) (all []reference, err error) {
	w := db.Arguments()
	text := `SELECT a.attname, c.confrelid::regclass::text FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
		WHERE c.contype = 'f' AND cardinality(c.conkey) = 1 AND c.conrelid = CAST(CAST(` + w.Add(table) + ` AS text) AS regclass)`
	switch db.Dialect {
	case dialect.MariaDB:
		w = db.Arguments()
		text = `SELECT k.column_name, k.referenced_table_name FROM information_schema.key_column_usage k WHERE k.referenced_table_name IS NOT NULL
			AND ` + ofTable(w, "k.table_schema", "k.table_name", table) + ` AND NOT EXISTS (SELECT 1 FROM information_schema.key_column_usage o
			WHERE o.constraint_schema = k.constraint_schema AND o.constraint_name = k.constraint_name AND o.table_name = k.table_name AND o.ordinal_position > 1)`
	case dialect.SQLite:
		w = db.Arguments()
		text = `SELECT f."from", f."table" FROM pragma_foreign_key_list(` + w.Add(unquoted(table)) + `) f`
	}
	err = db.EachAppRow(ctx, w, text, func(scan func(...any) error) error {
		var r reference
		if err := scan(&r.column, &r.table); err != nil {
			return err
		}
		all = append(all, r)
		return nil
	})
	return all, err
}

// diagnoseChild looks at a table of elements, whose names are checked.
func diagnoseChild(ctx context.Context, db *database.DB, c *mapping.BoundChild) error {
	all, err := columnsOf(ctx, db, c.Name)
	if err != nil {
		return fmt.Errorf("sqlstore: table %s: %w", c.Name, err)
	}
	written := mapping.NonEmpty(c.Parent, c.Tenant)
	for i := range c.Columns {
		written = append(written, c.Columns[i].Name)
		err = errors.Join(err, checkKind(c.Name, &c.Columns[i], find(all, c.Columns[i].Name)))
	}
	return errors.Join(err, checkFilled(c.Name, all, written, "a default, or map it to a part of the element"))
}
