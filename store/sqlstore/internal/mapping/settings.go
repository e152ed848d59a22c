package mapping

import (
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/scimkit/scim"
)

// Setting is a column of the application and the value to write into it.
type Setting struct {
	Column string
	Value  any
}

// Changes returns the settings of a change in the table, for 0, or in the n-th table beside it. before
// is nil for a new row.
func (m *Mapping) Changes(n int, before, after *scim.Resource) ([]Setting, error) {
	var all []Setting
	for i := range m.Columns {
		c := &m.Columns[i]
		if c.Beside != n || !c.IsWritten(before, after) {
			continue
		}
		cell, err := c.Cell(c.ValueIn(after))
		if err != nil {
			return nil, err
		}
		if cell != nil || before != nil { // else the column has its default
			all = append(all, Setting{c.Name, cell})
		}
	}
	return all, nil
}

// IsWritten reports whether a change writes the column. before is nil for a new row.
func (c *BoundColumn) IsWritten(before, after *scim.Resource) bool {
	return !c.ReadOnly && (before == nil || !c.stays(c.ValueIn(before), c.ValueIn(after)))
}

// stays reports whether the column of a row that exists is left alone when its attribute
// changes.
func (c *BoundColumn) stays(was, now any) bool {
	switch {
	case reflect.DeepEqual(was, now), c.KeepWhenAbsent && now == nil, c.SetOnce && was != nil:
		return true
	case c.Path == namePath: // a log-in may compare it letter by letter
		x, wasText := was.(string)
		y, isText := now.(string)
		return wasText && isText && scim.Fold(x) == scim.Fold(y)
	}
	return false
}

// namePath is the attribute by which people log in.
const namePath = "userName"

// SettingsOf returns values, by column, as settings in order of the columns.
func SettingsOf(values map[string]any) []Setting {
	var all []Setting
	for _, name := range slices.Sorted(maps.Keys(values)) {
		all = append(all, Setting{name, values[name]})
	}
	return all
}

// Rows returns the rows that the child table needs for r.
func (c *BoundChild) Rows(r *scim.Resource) ([][]Setting, error) {
	list, _ := r.Get(c.Path).([]any)
	rows := make([][]Setting, 0, len(list))
	for _, e := range list {
		e, _ := e.(map[string]any)
		row := make([]Setting, len(c.Columns))
		for i := range c.Columns {
			cell, err := c.Columns[i].Cell(e[c.Columns[i].Path])
			if err != nil {
				return nil, err
			}
			row[i] = Setting{c.Columns[i].Name, cell}
		}
		if !slices.ContainsFunc(rows, func(r []Setting) bool { return reflect.DeepEqual(r, row) }) {
			rows = append(rows, row)
		}
	}
	return rows, nil
}

// IsSameRow reports whether a row that is read has the values of r.
func IsSameRow(r []Setting, cells []any) bool {
	for i := range r {
		if !same(r[i].Value, cells[i]) {
			return false
		}
	}
	return true
}

// MissingPaths returns the attributes that r does not have and whose columns must not be
// NULL. Drivers report the column in different ways, but all name it.
func (m *Mapping) MissingPaths(r *scim.Resource, cause error) (paths []string) {
	names := func(c *BoundColumn) bool {
		return regexp.MustCompile(`(^|\W)` + regexp.QuoteMeta(strings.Trim(c.Name, "`\"")) + `(\W|$)`).MatchString(cause.Error())
	}
	for i := range m.Columns {
		if c := &m.Columns[i]; c.ValueIn(r) == nil && c.Empty == nil && names(c) {
			paths = append(paths, c.Path)
		}
	}
	for i := range m.Children {
		for j := range m.Children[i].Columns {
			if c := &m.Children[i].Columns[j]; c.Empty == nil && names(c) {
				paths = append(paths, m.Children[i].Path+"."+c.Path)
			}
		}
	}
	return paths
}

// NotNull is the condition that none of a row's columns is NULL.
func NotNull(row string, columns []string) string {
	return row + "." + strings.Join(columns, " IS NOT NULL AND "+row+".") + " IS NOT NULL"
}

// NonEmpty returns the columns that have a name.
func NonEmpty(columns ...string) []string {
	return slices.DeleteFunc(columns, func(c string) bool { return c == "" })
}
