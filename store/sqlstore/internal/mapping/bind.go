// Package mapping says what the columns of an application's tables mean: it binds Tables
// to attributes and converts between cells and values. It reads and writes no table.
package mapping

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
	"github.com/scimkit/scim/store/sqlstore/internal/search"
)

// Table is a Table of the package sqlstore.
type Table struct {
	Type, Name, Key string
	KeepID          bool
	Tenant, Visible string
	Created         string
	Columns         []Column
	Children        []Child
	Insert          func(r *scim.Resource) map[string]any
	Retire          func(now time.Time) map[string]any
	Revive          map[string]any
}

// Column is a Column of the package sqlstore.
type Column struct {
	Name, Path, Of string
	Empty          any
	To, From       func(v any) (any, error)
	ReadOnly       bool
	Null           bool // From is asked about NULL and "" too
}

// Child is a Child of the package sqlstore.
type Child struct {
	Path, Name, Parent string
	Columns            []Column
	Order              string
}

// Join is a Join of the package sqlstore: the one converts to the other.
type Join struct {
	Name        string
	Group, User string
	Since       string
	Insert      func(group, user string) map[string]any
}

// Mapping is a Table with its attributes.
type Mapping struct {
	Table
	ResourceType   *scim.ResourceType
	Columns        []BoundColumn
	Children       []BoundChild
	VisibleColumns []string // VisibleColumns are those that Visible reads; nil if it may read any.
}

// BoundColumn is a Column with its attribute.
type BoundColumn struct {
	Column
	attr         scim.Attr
	list         string // path of the multi-valued attribute whose element it is in; "": none
	Copy         bool   // an earlier column is for the same value: this one is only written
	DatabaseType string // as the database calls it; "": unknown
}

type BoundChild struct {
	Child
	Columns []BoundColumn
}

// Seen is the name under which the column's value is remembered.
func (c *BoundColumn) Seen() string { return c.Name + " " + c.Path + " " + c.Of }

func (c *BoundChild) Seen() string { return c.Name + " " + c.Path }

// Bind checks and compiles Options.Tables and Options.Members.
func Bind(types map[string]search.Type, tables []Table, members *Join, tenant string) (maps map[string]*Mapping, err error) {
	maps = make(map[string]*Mapping)
	fail := func(format string, args ...any) { err = errors.Join(err, fmt.Errorf("sqlstore: "+format, args...)) }
	name := func(what, is string, needed bool) {
		if needed && is == "" || is != "" && !dialect.IsName(is) {
			fail("%s %q: needs the name of a table or column", what, is)
		}
	}
	for _, table := range tables {
		t, ok := types[table.Type]
		if !ok || maps[table.Type] != nil {
			fail("Tables: %q is no type of Options.Types, or there twice", table.Type)
			continue
		}
		m := &Mapping{Table: table, ResourceType: t.ResourceType}
		maps[table.Type] = m
		name("table", m.Name, true)
		name(m.Name+": Key", m.Key, true)
		name(m.Name+": Tenant", m.Tenant, false)
		name(m.Name+": Created", m.Created, false)
		if m.Tenant == "" && tenant != "" {
			fail("%s: without a column for the Tenant its rows would be those of every tenant", m.Name)
		}
		if dialect.HasPlaceholder(m.Visible) {
			fail("%s: Visible takes no arguments", m.Name)
		}
		for _, c := range m.Table.Columns {
			name(m.Name+": column", c.Name, true)
			b, e := bindColumn(t.ResourceType, "", c)
			if e != nil {
				fail("%s: %w", m.Name, e)
			}
			if i := slices.IndexFunc(m.Columns, func(o BoundColumn) bool { return o.Name == b.Name }); i >= 0 {
				fail("%s: column %s is there for %s and for %s: a column stands for one attribute; what has none is kept beside", m.Name, c.Name, m.Columns[i].Path, c.Path)
			}
			b.Copy = slices.ContainsFunc(m.Columns, func(o BoundColumn) bool { return o.Path == b.Path && o.Of == b.Of })
			m.Columns = append(m.Columns, b)
		}
		for _, c := range m.Table.Children {
			name("table", c.Name, true)
			name(c.Name+": Parent", c.Parent, true)
			name(c.Name+": Order", c.Order, false)
			a, ok := t.Attr(c.Path)
			if !ok || !a.MultiValued || a.Type != "complex" || a.Parent != nil || len(c.Columns) == 0 || c.Path == "members" {
				fail("%s: Path %q: needs a multi-valued attribute with parts, and Columns for them", c.Name, c.Path)
				continue
			}
			child := BoundChild{Child: c}
			for _, column := range c.Columns {
				name(c.Name+": column", column.Name, true)
				b, e := bindColumn(t.ResourceType, a.Path, column)
				if e != nil {
					fail("%s: %w", c.Name, e)
				}
				child.Columns = append(child.Columns, b)
			}
			m.Children = append(m.Children, child)
		}
		if table.Type == search.UserType && !slices.ContainsFunc(m.Columns, func(c BoundColumn) bool { return c.Path == "userName" }) {
			fail("%s: a table of users needs a column for userName", m.Name)
		}
	}
	if j := members; j != nil {
		name("table", j.Name, true)
		name(j.Name+": Group", j.Group, true)
		name(j.Name+": User", j.User, true)
		name(j.Name+": Since", j.Since, false)
		if maps[search.UserType] == nil || maps[search.GroupType] == nil {
			fail("Members: needs a Table for User and one for Group")
		}
	}
	return maps, err
}

// bindColumn finds the attribute of a column, which is one of a resource, or, in a
// Child, of an element of list.
func bindColumn(t *scim.ResourceType, list string, c Column) (BoundColumn, error) {
	path := c.Path
	if list != "" {
		path = list + "." + path
	}
	a, ok := t.Attr(path)
	b := BoundColumn{Column: c, attr: a}
	switch {
	case !ok || a.MultiValued || a.Type == "complex" || a.Path == "password" || a.Path == "id" || a.Path == "schemas":
		return b, fmt.Errorf("column %s: Path %q: needs an attribute of one simple value", c.Name, c.Path)
	case a.Parent == nil:
	case a.Parent.Path == "meta" || a.Parent.Path == "members" || a.Parent.Path == "groups":
		return b, fmt.Errorf("column %s: Path %q cannot have a column", c.Name, c.Path)
	case a.Parent.MultiValued && list == "":
		b.list = a.Parent.Path
	}
	if c.Of != "" && b.list == "" {
		return b, fmt.Errorf("column %s: Of is for a part of a multi-valued attribute", c.Name)
	}
	return b, nil
}
