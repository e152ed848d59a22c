package apptables

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/scimkit/scim/store/sqlstore/internal/database"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
	"github.com/scimkit/scim/store/sqlstore/internal/mapping"
)

// These words say in most applications who may log in, and who may not.
var (
	activeWords   = []string{"active", "enabled", "on", "normal", "activated"}
	inactiveWords = []string{"inactive", "disabled", "off", "locked", "blocked", "suspended", "banned", "deactivated", "archived", "deleted"}
)

// areSwapped reports whether the values of ActiveWhen say the reverse of what they are for: by their
// own words, or by those of the column if they are booleans.
func areSwapped(c *mapping.BoundColumn) bool {
	if len(c.Values) != 2 {
		return false
	}
	if isActive, ok := c.Values[0].(bool); ok {
		has := func(of []string) bool {
			return slices.ContainsFunc(words(c.Name), func(w string) bool { return slices.Contains(of, w) })
		}
		return isActive && has(inactiveWords) || !isActive && has(activeWords) && !has(inactiveWords)
	}
	is := func(of []string, v any) bool {
		text, ok := v.(string)
		return ok && slices.Contains(of, strings.ToLower(text))
	}
	return is(inactiveWords, c.Values[0]) && is(activeWords, c.Values[1])
}

// doubtHeirs looks for tables that inherit from a table in PostgreSQL, but are no partitions.
func doubtHeirs(ctx context.Context, db *database.DB, table string) (all []error, err error) {
	if db.Dialect != dialect.Postgres {
		return nil, nil
	}
	w := db.Arguments()
	var heirs []string
	err = db.EachAppRow(ctx, w, "SELECT i.inhrelid::regclass::text FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhparent AND c.relkind = 'r' WHERE c.oid = to_regclass("+w.Add(table)+") ORDER BY 1",
		database.Texts(&heirs))
	if err != nil {
		return nil, fmt.Errorf("sqlstore: table %s: %w", table, err)
	}
	if heirs != nil {
		all = append(all, finding(table, "%s inherits from it, and no trigger notes changes there: call Reindex after them, or use partitions", strings.Join(heirs, ", ")))
	}
	return all, nil
}

// fewRows is how many rows a table may have of which no client sees any: a new application has an
// administrator and a template.
const fewRows = 9

// doubtHidden tells that Visible hides all rows of a table that has more than a few.
func doubtHidden(ctx context.Context, m *Table) (all []error, err error) {
	if m.Visible == "" {
		return nil, nil
	}
	count := func(condition string, most int) (n int) {
		if err == nil {
			err = m.db.EachAppRow(ctx, m.db.Arguments(), fmt.Sprintf("SELECT 1 FROM %s AS t WHERE %s LIMIT %d", m.Name, condition, most), func(func(...any) error) error { n++; return nil })
		}
		return n
	}
	isHidden := count("1 = 1", fewRows+1) > fewRows && count("("+m.Visible+")", 1) == 0
	if err != nil {
		return nil, fmt.Errorf("sqlstore: table %s: Visible: %w", m.Name, err)
	}
	if isHidden {
		all = append(all, finding(m.Name, "Visible hides every row, so clients see none, and cannot create what a unique index has already: compare its values with those of the rows"))
	}
	return all, nil
}
