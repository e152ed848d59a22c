package apptables

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
	"github.com/scimkit/scim/store/sqlstore/internal/mapping"
)

// values are what a function of the application returns for a resource without values.
type values struct {
	from string // from is the name of the function.
	all  map[string]any
}

// checkGiven looks whether the columns can hold what the application gives them. An absent value
// says nothing: a real resource may have one.
func checkGiven(ctx context.Context, m *Table, all []column, given []values) (err error) {
	if c := find(all, m.Updated); c != nil && c.kind() == kindOther {
		given = append(given, values{"Updated", map[string]any{m.Updated: time.Now().UTC()}})
	}
	for _, v := range given {
		for _, name := range slices.Sorted(maps.Keys(v.all)) {
			c, value := find(all, name), v.all[name]
			if c == nil || value == nil || value == "" {
				continue
			}
			if failed := fits(ctx, m, c, value); failed != nil {
				err = errors.Join(err, finding(m.Name, "%s: column %s cannot hold %#v: %w", v.from, name, value, failed))
			}
		}
	}
	return err
}

// checkFlag looks whether a column of a type of the application, such as an enum, holds booleans.
func checkFlag(ctx context.Context, m *Table, c *mapping.BoundColumn, is *column) error {
	if is == nil || is.kind() != kindOther || c.Type() != scim.TypeBoolean || c.To != nil || c.From != nil || fits(ctx, m, is, "true") == nil {
		return nil
	}
	return finding(m.Name, "column %s holds %s, and %s is a boolean: use ActiveWhen, or convert with To and From", c.Name, is.typ, c.Path)
}

// fits returns an error if a column cannot hold a value. SQLite has no types, and writes any.
func fits(ctx context.Context, m *Table, c *column, value any) error {
	if m.db.Dialect != dialect.Postgres {
		return CheckValue(ctx, m.db, m.Name, c.name, value)
	}
	w := m.db.Arguments()
	return m.db.EachAppRow(ctx, w, "SELECT CAST("+w.Add(value)+" AS "+c.declared+") WHERE 1 = 0", func(func(...any) error) error { return nil })
}
