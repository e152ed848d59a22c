package sqlstore

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/scimkit/scim"
)

// Table maps a resource type onto a table that the application has: each row is a
// resource, and what a client writes goes into the columns. The application may go on
// writing the table by itself. What has no column is kept in this package's tables,
// beside what filters and lists are answered from; triggers, which Migrate makes, note
// each change of the application's, and the next call of the Store follows it.
//
// A column is written only when a client changes its attribute. While the application
// leaves the column alone the client is shown what it sent, to the letter; afterwards,
// what the column says.
type Table struct {
	Type string // name of the resource type, "User" or "Group"
	Name string // the table, as SQL writes it
	// Key is the column of the primary key, of one column. The resource's id is its text.
	Key string
	// KeepID writes the id that the handler gives, a UUID, into Key. By default the
	// database gives the key: an identity, a serial, a default.
	KeepID bool
	// Tenant is the column with Options.Tenant. A table without one is of one tenant,
	// and then Options.Tenant must be empty.
	Tenant string
	// Visible is a condition in SQL on columns of the row, as t: "t.kind = 'person'".
	// Clients see no other rows. "": all. A user without userName is never seen.
	Visible string
	// Created is the column with the time of creation, to the microsecond if it can be,
	// by which lists are ordered; the database must fill it. "": when the row was first
	// seen.
	Created  string
	Columns  []Column
	Children []Child
	// Insert gives values of further columns for a new row, by name. Nil: none.
	Insert func(r *scim.Resource) map[string]any
	// Retire gives the columns to set when a client deletes the resource, in the place of
	// erasing the row: for rows that others refer to, and for people who may come back.
	// Afterwards the row must not be Visible. Migrate calls it too, for the columns' names.
	// Revive undoes it for Store.Link.
	Retire func(now time.Time) map[string]any
	Revive map[string]any
}

// Column is a column for one value of the resource. Of several columns for one value all
// are written, and the first one is read.
type Column struct {
	Name string
	// Path is the attribute, as in scim.Resource.Get. Of a multi-valued one it names a
	// part, such as "emails.value", and the value is that of one element: the one whose
	// type is Of, or else the primary one.
	Path, Of string
	// Empty is what is written for an absent value; nil: NULL, and in a new row the
	// column's default. NULL, "" and Empty are absent values when they are read.
	Empty any
	// To and From convert between the attribute's value, as in scim.Resource.Get, and
	// the column's, which is not absent. Nil: as it is; of other Go types what can be
	// converted without loss. After a change of From call Reindex.
	To, From func(v any) (any, error)
	// ReadOnly says that the column is never written: a generated one, or one that only
	// the application decides about. What a client sends for it is ignored.
	ReadOnly bool

	null bool // From is asked about NULL and "" too
}

// ActiveWhen is the Column of "active" where a text says what somebody is. A user is
// active if the column is active, and becomes inactive by inactive; any other value is
// the application's own way to be inactive, and stays until a client says active.
func ActiveWhen(column, active, inactive string) Column {
	return Column{
		Name: column, Path: "active", Empty: active,
		To: func(v any) (any, error) {
			if v == false {
				return inactive, nil
			}
			return active, nil
		},
		From: func(v any) (any, error) { return v == active, nil },
		null: true,
	}
}

// ActiveWhileNull is the Column of "active" where a time says since when somebody is not:
// a user is active while the column is NULL.
func ActiveWhileNull(column string) Column {
	return Column{
		Name: column, Path: "active",
		To: func(v any) (any, error) {
			if v == false {
				return time.Now().UTC(), nil
			}
			return nil, nil
		},
		From: func(v any) (any, error) { return v == nil || v == "", nil },
		null: true,
	}
}

// Child maps a multi-valued attribute onto a table with a row for each element.
type Child struct {
	Path   string // "emails"
	Name   string // the table
	Parent string // its column with the Key of the resource's row
	// Columns hold parts of the element: their Path is "value", "type", "primary" and so
	// on, their Of empty.
	Columns []Column
	Order   string // column by which elements are ordered; "": the first of Columns
}

// Join maps the memberships of users in groups onto a table of the application, with
// the keys of both. It needs a Table for "User" and one for "Group". Groups in groups
// are kept in this package's tables.
type Join struct {
	Name        string
	Group, User string // columns
	Since       string // column with the time of joining; "": when it was first seen
	// Insert gives values of further columns for a new membership. Nil: none.
	Insert func(group, user string) map[string]any
}

// mapping is a Table with its attributes.
type mapping struct {
	Table
	t        *scim.ResourceType
	columns  []boundColumn
	children []boundChild
	visible  []string // the columns that Visible looks at; nil: unknown
}

// boundColumn is a Column with its attribute.
type boundColumn struct {
	Column
	attr scim.Attr
	list string // path of the multi-valued attribute whose element it is in; "": none
	copy bool   // an earlier column is for the same value: this one is only written
	typ  string // as the database calls it; "": unknown
}

type boundChild struct {
	Child
	columns []boundColumn
}

// seen is the name under which the column's value is remembered.
func (c *boundColumn) seen() string { return c.Name + " " + c.Path + " " + c.Of }

func (c *boundChild) seen() string { return c.Name + " " + c.Path }

// mappings checks and compiles Options.Tables and Options.Members.
func (s *Store) mappings(o Options) (err error) {
	fail := func(format string, args ...any) { err = errors.Join(err, fmt.Errorf("sqlstore: "+format, args...)) }
	name := func(what, is string, needed bool) {
		if needed && is == "" || is != "" && !names.MatchString(is) {
			fail("%s %q: needs the name of a table or column", what, is)
		}
	}
	for _, table := range o.Tables {
		t, ok := s.resources.types[table.Type]
		if !ok || s.maps[table.Type] != nil {
			fail("Tables: %q is no type of Options.Types, or there twice", table.Type)
			continue
		}
		m := &mapping{Table: table, t: t.ResourceType}
		s.maps[table.Type] = m
		name("table", m.Name, true)
		name(m.Name+": Key", m.Key, true)
		name(m.Name+": Tenant", m.Tenant, false)
		name(m.Name+": Created", m.Created, false)
		if m.Tenant == "" && o.Tenant != "" {
			fail("%s: without a column for the Tenant its rows would be those of every tenant", m.Name)
		}
		if placeholder.MatchString(m.Visible) {
			fail("%s: Visible takes no arguments", m.Name)
		}
		for _, c := range m.Table.Columns {
			name(m.Name+": column", c.Name, true)
			b, e := bindColumn(t.ResourceType, "", c)
			if e != nil {
				fail("%s: %w", m.Name, e)
			}
			if i := slices.IndexFunc(m.columns, func(o boundColumn) bool { return o.Name == b.Name }); i >= 0 {
				fail("%s: column %s is there for %s and for %s: a column stands for one attribute; what has none is kept beside", m.Name, c.Name, m.columns[i].Path, c.Path)
			}
			b.copy = slices.ContainsFunc(m.columns, func(o boundColumn) bool { return o.Path == b.Path && o.Of == b.Of })
			m.columns = append(m.columns, b)
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
			child := boundChild{Child: c}
			for _, column := range c.Columns {
				name(c.Name+": column", column.Name, true)
				b, e := bindColumn(t.ResourceType, a.Path, column)
				if e != nil {
					fail("%s: %w", c.Name, e)
				}
				child.columns = append(child.columns, b)
			}
			m.children = append(m.children, child)
		}
		if table.Type == userType && !slices.ContainsFunc(m.columns, func(c boundColumn) bool { return c.Path == "userName" }) {
			fail("%s: a table of users needs a column for userName", m.Name)
		}
	}
	if o.Members != nil {
		j := o.Members
		s.join = j
		name("table", j.Name, true)
		name(j.Name+": Group", j.Group, true)
		name(j.Name+": User", j.User, true)
		name(j.Name+": Since", j.Since, false)
		if s.maps[userType] == nil || s.maps[groupType] == nil {
			fail("Members: needs a Table for User and one for Group")
		}
	}
	return err
}

// bindColumn finds the attribute of a column, which is one of a resource, or, in a
// Child, of an element of list.
func bindColumn(t *scim.ResourceType, list string, c Column) (boundColumn, error) {
	path := c.Path
	if list != "" {
		path = list + "." + path
	}
	a, ok := t.Attr(path)
	b := boundColumn{Column: c, attr: a}
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
