package apptables

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore/internal/database"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
	"github.com/scimkit/scim/store/sqlstore/internal/mapping"
)

// Check looks for the table, its columns and those of its children. A program that names
// something wrong then fails when it starts, and not when a client needs it.
func (m *Table) Check(ctx context.Context) (err error) {
	own := m.ColumnsOf(0)
	columns := append(mapping.NonEmpty(m.Key, m.Tenant, m.Created, m.Updated), refsOf(m)...)
	for _, c := range own {
		columns = append(columns, c.Name)
	}
	sample, err := m.ResourceType.Bind(scim.Meta{ID: SampleID}, nil, nil)
	if err != nil {
		return err
	}
	gives, err := samplesOf(ctx, m, sample)
	columns = append(columns, gives.columns()...)
	missing := CheckNames(ctx, m.db, m.Name, m.Visible, columns...)
	err = errors.Join(err, missing)
	if missing == nil && m.Exempt != "" {
		err = errors.Join(err, CheckCondition(ctx, m.db, m.Name, "Exempt", m.Exempt))
	}
	if missing == nil {
		err = errors.Join(err, m.diagnose(ctx, gives), readTypes(ctx, m.db, m.Name, own))
	}
	for i := range m.Beside {
		err = errors.Join(err, checkBeside(ctx, m, i, sample))
	}
	if err == nil {
		err = checkValues(ctx, m.db, m.Name, own)
	}
	if err == nil && m.Visible != "" {
		m.VisibleColumns, err = m.FindVisibleColumns(ctx)
	}
	if err == nil {
		err = errors.Join(checkRetired(ctx, m, gives["Retire"]), m.readUnique(ctx))
	}
	for i := range m.Children {
		c := &m.Children[i]
		columns := mapping.NonEmpty(c.Parent, c.Tenant, c.Order)
		for _, b := range c.Columns {
			columns = append(columns, b.Name)
		}
		missing := CheckNames(ctx, m.db, c.Name, "", columns...)
		if missing == nil {
			missing = errors.Join(diagnoseChild(ctx, m.db, c), readTypes(ctx, m.db, c.Name, c.Columns))
		}
		err = errors.Join(err, missing)
	}
	return err
}

// Check looks for the table and its columns. users and groups are the tables of the members and
// of their groups.
func (s *Joins) Check(ctx context.Context, users, groups string) (err error) {
	var gives map[string]any
	if s.Insert != nil {
		gives, err = given(s.Name, "Members.Insert", func() map[string]any { return s.Insert(ctx, SampleID, SampleID) })
	}
	missing := CheckNames(ctx, s.db, s.Name, "", slices.AppendSeq(mapping.NonEmpty(s.Group, s.User, s.Tenant, s.Since), maps.Keys(gives))...)
	if missing == nil {
		missing = s.diagnose(ctx, users, groups, gives)
	}
	return errors.Join(err, missing)
}

// checkValues asks the database whether the columns can hold the values that are known.
func checkValues(ctx context.Context, db *database.DB, table string, columns []mapping.BoundColumn) (err error) {
	for i := range columns {
		c := &columns[i]
		for _, v := range c.Values {
			failed := askNothing(ctx, db, table, "CASE WHEN t."+c.Name+" = "+literal(v)+" THEN 1 END")
			if failed == nil && strings.HasPrefix(c.DatabaseType, "INT") { // SQLite compares everything
				if _, isText := v.(string); isText {
					failed = fmt.Errorf("the column has the type %s", c.DatabaseType)
				}
			}
			if failed == nil {
				failed = CheckValue(ctx, db, table, c.Name, v)
			}
			if failed != nil {
				err = errors.Join(err, fmt.Errorf("sqlstore: table %s: column %s cannot hold %#v: write the value as the column holds it, for example 1 for an integer: %w",
					table, c.Name, v, failed))
			}
		}
	}
	return err
}

// literal is a value as SQL writes it.
func literal(v any) string {
	switch v := v.(type) {
	case string:
		return "'" + strings.ReplaceAll(v, "'", "''") + "'"
	case bool:
		return strings.ToUpper(strconv.FormatBool(v))
	}
	return fmt.Sprint(v)
}

// CheckNames asks the database for a table, its columns, and a condition on a row called t.
func CheckNames(ctx context.Context, db *database.DB, table, condition string, columns ...string) error {
	ask := func(what string) error { return askNothing(ctx, db, table, what) }
	if err := ask("1"); err != nil {
		return fmt.Errorf("sqlstore: table %s: %w", table, err)
	}
	var all error
	for _, c := range columns {
		// The prefix t. is needed because SQLite reads an unknown "name" as a text.
		if err := ask("t." + c); err != nil {
			all = errors.Join(all, fmt.Errorf("sqlstore: table %s: column %s: %w", table, c, err))
		}
	}
	if condition != "" {
		all = errors.Join(all, CheckCondition(ctx, db, table, "Visible", condition))
	}
	return all
}

// CheckCondition asks the database for a condition on a row called t.
func CheckCondition(ctx context.Context, db *database.DB, table, field, condition string) error {
	if err := askNothing(ctx, db, table, "CASE WHEN "+condition+" THEN 1 END"); err != nil {
		return fmt.Errorf("sqlstore: table %s: %s: %w", table, field, err)
	}
	return nil
}

// askNothing selects an expression from no row of a table, as t.
func askNothing(ctx context.Context, db *database.DB, table, what string) error {
	return db.EachAppRow(ctx, db.Arguments(), "SELECT "+what+" FROM "+table+" AS t WHERE 1 = 0", func(func(...any) error) error { return nil })
}

// readsMore matches conditions that may read more than the columns that they name: the row
// as a whole, or other tables.
var readsMore = regexp.MustCompile(`(?i)\bt\s*([^\s.\w]|$)|\bselect\b`)

// calls matches what looks like a call. The functions in pure read their arguments only.
var (
	calls = regexp.MustCompile(`(\w+)\s*\(`)
	pure  = []string{"and", "or", "not", "in", "case", "when", "coalesce", "nullif", "lower", "upper", "trim", "length", "cast", "abs"}
)

// word matches a name without special characters.
var word = regexp.MustCompile(`\w+`)

// FindVisibleColumns returns the columns that Visible reads, or nil if it may read any.
// Changes of other columns, such as the time of the last login, need no note.
func (m *Table) FindVisibleColumns(ctx context.Context) ([]string, error) {
	if readsMore.MatchString(m.Visible) {
		return nil, nil
	}
	for _, call := range calls.FindAllStringSubmatch(m.Visible, -1) {
		if !slices.Contains(pure, strings.ToLower(call[1])) {
			return nil, nil
		}
	}
	rows, err := m.db.Conn(ctx).QueryContext(ctx, "SELECT * FROM "+m.Name+" AS t WHERE 1 = 0")
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // there are no rows
	all, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	named := word.FindAllString(strings.ToLower(m.Visible), -1)
	found := []string{}
	for _, c := range all {
		if len(word.FindString(c)) != len(c) { // The name has a blank or another special character.
			return nil, nil
		}
		if slices.Contains(named, strings.ToLower(c)) {
			found = append(found, dialect.QuoteName(m.db.Dialect, c))
		}
	}
	return found, rows.Err()
}

// readTypes asks the database for the types of columns.
func readTypes(ctx context.Context, db *database.DB, table string, columns []mapping.BoundColumn) error {
	names := make([]string, len(columns))
	for i := range columns {
		names[i] = columns[i].Name
	}
	types, err := ColumnTypes(ctx, db, table, names...)
	for i := range types {
		columns[i].DatabaseType = types[i]
	}
	return err
}

// plainType returns the name of a type. MariaDB has many names of integers.
func plainType(db *database.DB, name string) string {
	if db.Dialect == dialect.MariaDB && strings.HasSuffix(name, "INT") {
		return "INT"
	}
	return name
}

// ColumnTypes asks the database for the types of columns, and returns their names.
func ColumnTypes(ctx context.Context, db *database.DB, table string, columns ...string) (names []string, err error) {
	text := "SELECT 1"
	for _, c := range columns {
		text += ", t." + c
	}
	rows, err := db.Conn(ctx).QueryContext(ctx, text+" FROM "+table+" AS t WHERE 1 = 0")
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // there are no rows
	types, err := rows.ColumnTypes()
	if err != nil {
		return nil, err
	}
	for _, t := range types[1:] {
		names = append(names, plainType(db, t.DatabaseTypeName()))
	}
	return names, rows.Err()
}
