package apptables

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore/internal/database"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
	"github.com/scimkit/scim/store/sqlstore/internal/mapping"
)

// SampleID is the id of the sample: a resource without values, with which functions of the application
// are called.
const SampleID = "1"

// given returns what a function of the application, such as Insert, gives for a row. A panic is an
// error: the request of a client would fail, too.
func given(table, what string, call func() map[string]any) (values map[string]any, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = finding(table, "%s panics with values that are absent: %v", what, p)
		}
	}()
	return call(), nil
}

// samples are what the functions of a Table give for a resource without values, by their names.
type samples map[string]map[string]any

// samplesOf calls the functions of a Table.
func samplesOf(ctx context.Context, m *Table, r *scim.Resource) (all samples, err error) {
	all = make(samples)
	add := func(what string, call func() map[string]any) {
		values, failed := given(m.Name, what, call)
		all[what], err = values, errors.Join(err, failed)
	}
	if m.Insert != nil {
		add("Insert", func() map[string]any { return m.Insert(ctx, r) })
	}
	if m.Retire != nil {
		add("Retire", func() map[string]any { return m.Retire(ctx, r, time.Now()) })
	}
	if m.Revive != nil {
		add("Revive", func() map[string]any { return m.Revive(ctx, r) })
	}
	return all, err
}

// columns returns the columns that the functions name.
func (s samples) columns() (all []string) {
	for _, values := range s {
		all = slices.AppendSeq(all, maps.Keys(values))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// checkSamples looks whether the columns of a Table can hold what the application and the Store
// give them.
func checkSamples(ctx context.Context, m *Table, all []column, gives samples) (err error) {
	if c := find(all, m.Updated); c != nil && c.kind() == kindOther {
		err = checkGiven(ctx, m.db, m.Name, all, "Updated", map[string]any{m.Updated: time.Now().UTC()})
	}
	for _, what := range slices.Sorted(maps.Keys(gives)) {
		err = errors.Join(err, checkGiven(ctx, m.db, m.Name, all, what, gives[what]))
	}
	return err
}

// checkGiven looks whether columns can hold what a function gives for them. An absent value and the
// id of the sample say nothing: a real resource has others. In SQLite a column of numbers holds a
// time, too, as a text that the application cannot read.
func checkGiven(ctx context.Context, db *database.DB, table string, all []column, what string, values map[string]any) (err error) {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		c, value := find(all, name), values[name]
		if c == nil || value == nil || value == "" || value == SampleID {
			continue
		}
		if _, isTime := value.(time.Time); isTime && c.kind() == kindNumber {
			err = errors.Join(err, finding(table, "%s: the column %s holds numbers, and gets a time: give it a number, such as Unix() of the time", what, name))
		} else if failed := fits(ctx, db, table, c, value); failed != nil {
			err = errors.Join(err, finding(table, "%s: column %s cannot hold %#v: %w", what, name, value, failed))
		}
	}
	return err
}

// checkFlag looks whether a column of a type of the application, such as an enum, holds booleans.
func checkFlag(ctx context.Context, m *Table, c *mapping.BoundColumn, is *column) error {
	if is == nil || is.kind() != kindOther || c.Type() != scim.TypeBoolean || c.To != nil || c.From != nil || fits(ctx, m.db, m.Name, is, "true") == nil {
		return nil
	}
	return finding(m.Name, "column %s holds %s, and %s is a boolean: use ActiveWhen, or convert with To and From", c.Name, is.typ, c.Path)
}

// fits returns an error if a column cannot hold a value. SQLite has no types, and writes any.
func fits(ctx context.Context, db *database.DB, table string, c *column, value any) error {
	if db.Dialect != dialect.Postgres {
		return CheckValue(ctx, db, table, c.name, value)
	}
	w := db.Arguments()
	return db.EachAppRow(ctx, w, "SELECT CAST("+w.Add(value)+" AS "+c.declared+") WHERE 1 = 0", func(func(...any) error) error { return nil })
}

// CheckRows looks whether rows of a table can be inserted: with the columns that are written, and
// what more gives. field is the name of more, which may be nil.
func CheckRows(ctx context.Context, db *database.DB, table string, written []string, field string, more func() map[string]any) (err error) {
	var values map[string]any
	if more != nil {
		if values, err = given(table, field, more); err != nil {
			return err
		}
	}
	further := slices.Sorted(maps.Keys(values))
	if err := CheckNames(ctx, db, table, "", further...); err != nil {
		return err
	}
	all, err := columnsOf(ctx, db, table)
	if err != nil {
		return fmt.Errorf("sqlstore: table %s: %w", table, err)
	}
	for _, name := range further {
		if slices.ContainsFunc(written, func(w string) bool { return isOf(w, name) }) {
			err = errors.Join(err, finding(table, "%s gives a value for %s, which the resolver writes: leave it out", field, name))
		}
	}
	return errors.Join(err, checkGiven(ctx, db, table, all, field, values), checkFilled(table, all, append(further, written...), "a value with "+field))
}
