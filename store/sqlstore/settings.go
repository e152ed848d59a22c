package sqlstore

import (
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/scimkit/scim"
)

// setting is a column of the application with what to write into it.
type setting struct {
	column string
	value  any
}

// settings are the columns that a change concerns; before is nil for a new row.
func (m *mapping) settings(before, after *scim.Resource) ([]setting, error) {
	var all []setting
	for i := range m.columns {
		c := &m.columns[i]
		v := c.of(after)
		if c.ReadOnly {
			continue
		}
		if before != nil && reflect.DeepEqual(c.of(before), v) {
			continue
		}
		cell, err := c.cell(v)
		if err != nil {
			return nil, err
		}
		if cell != nil || before != nil { // else the column's default
			all = append(all, setting{c.Name, cell})
		}
	}
	return all, nil
}

func extra(values map[string]any) []setting {
	var all []setting
	for _, name := range slices.Sorted(maps.Keys(values)) {
		all = append(all, setting{name, values[name]})
	}
	return all
}

// rows are what the child table should have for r.
func (c *boundChild) rows(r *scim.Resource) ([][]setting, error) {
	list, _ := r.Get(c.Path).([]any)
	rows := make([][]setting, 0, len(list))
	for _, e := range list {
		e, _ := e.(map[string]any)
		row := make([]setting, len(c.columns))
		for i := range c.columns {
			cell, err := c.columns[i].cell(e[c.columns[i].Path])
			if err != nil {
				return nil, err
			}
			row[i] = setting{c.columns[i].Name, cell}
		}
		if !slices.ContainsFunc(rows, func(r []setting) bool { return reflect.DeepEqual(r, row) }) {
			rows = append(rows, row)
		}
	}
	return rows, nil
}

func rowSays(r []setting, cells []any) bool {
	for i := range r {
		if !same(r[i].value, cells[i]) {
			return false
		}
	}
	return true
}

// needed lists the attributes that r has not and whose columns must not be NULL. Drivers
// tell of the column in their own ways, but all name it.
func (m *mapping) needed(r *scim.Resource, cause error) (paths []string) {
	names := func(c *boundColumn) bool {
		return regexp.MustCompile(`(^|\W)` + regexp.QuoteMeta(strings.Trim(c.Name, `"`)) + `(\W|$)`).MatchString(cause.Error())
	}
	for i := range m.columns {
		if c := &m.columns[i]; c.of(r) == nil && c.Empty == nil && names(c) {
			paths = append(paths, c.Path)
		}
	}
	for i := range m.children {
		for j := range m.children[i].columns {
			if c := &m.children[i].columns[j]; c.Empty == nil && names(c) {
				paths = append(paths, m.children[i].Path+"."+c.Path)
			}
		}
	}
	return paths
}

// filled is the condition that none of a row's columns is NULL.
func filled(row string, columns []string) string {
	return row + "." + strings.Join(columns, " IS NOT NULL AND "+row+".") + " IS NOT NULL"
}

func present(columns ...string) []string {
	return slices.DeleteFunc(columns, func(c string) bool { return c == "" })
}
