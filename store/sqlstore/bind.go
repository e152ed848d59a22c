package sqlstore

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
	"github.com/scimkit/scim/store/sqlstore/internal/search"
)

// tableDecl is a Table of the package sqlstore.
type tableDecl struct {
	Type, Name, Key string
	KeepID          bool
	Tenant, Visible string
	Created         string
	Columns         []columnDecl
	Children        []childDecl
	Insert          func(r *scim.Resource) map[string]any
	Retire          func(now time.Time) map[string]any
	Revive          map[string]any
}

// columnDecl is a Column of the package sqlstore.
type columnDecl struct {
	Name, Path, Of string
	Empty          any
	To, From       func(v any) (any, error)
	ReadOnly       bool
	null           bool // From is asked about NULL and "" too
}

// childDecl is a Child of the package sqlstore.
type childDecl struct {
	Path, Name, Parent string
	Columns            []columnDecl
	Order              string
}

// joinDecl is a Join of the package sqlstore: the one converts to the other.
type joinDecl struct {
	Name        string
	Group, User string
	Since       string
	Insert      func(group, user string) map[string]any
}

// mapping is a Table with its attributes.
type mapping struct {
	tableDecl
	t        *scim.ResourceType
	columns  []boundColumn
	children []boundChild
	visible  []string // the columns that Visible looks at; nil: unknown
}

// boundColumn is a Column with its attribute.
type boundColumn struct {
	columnDecl
	attr scim.Attr
	list string // path of the multi-valued attribute whose element it is in; "": none
	copy bool   // an earlier column is for the same value: this one is only written
	typ  string // as the database calls it; "": unknown
}

type boundChild struct {
	childDecl
	columns []boundColumn
}

// seen is the name under which the column's value is remembered.
func (c *boundColumn) seen() string { return c.Name + " " + c.Path + " " + c.Of }

func (c *boundChild) seen() string { return c.Name + " " + c.Path }

// bindTables checks and compiles Options.Tables and Options.Members.
func bindTables(types map[string]search.Type, tables []tableDecl, members *joinDecl, tenant string) (maps map[string]*mapping, err error) {
	maps = make(map[string]*mapping)
	fail := func(format string, args ...any) { err = errors.Join(err, fmt.Errorf("sqlstore: "+format, args...)) }
	name := func(what, is string, needed bool) {
		if needed && is == "" || is != "" && !dialect.Names.MatchString(is) {
			fail("%s %q: needs the name of a table or column", what, is)
		}
	}
	for _, table := range tables {
		t, ok := types[table.Type]
		if !ok || maps[table.Type] != nil {
			fail("Tables: %q is no type of Options.Types, or there twice", table.Type)
			continue
		}
		m := &mapping{tableDecl: table, t: t.ResourceType}
		maps[table.Type] = m
		name("table", m.Name, true)
		name(m.Name+": Key", m.Key, true)
		name(m.Name+": Tenant", m.Tenant, false)
		name(m.Name+": Created", m.Created, false)
		if m.Tenant == "" && tenant != "" {
			fail("%s: without a column for the Tenant its rows would be those of every tenant", m.Name)
		}
		if dialect.Placeholder.MatchString(m.Visible) {
			fail("%s: Visible takes no arguments", m.Name)
		}
		for _, c := range m.tableDecl.Columns {
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
		for _, c := range m.tableDecl.Children {
			name("table", c.Name, true)
			name(c.Name+": Parent", c.Parent, true)
			name(c.Name+": Order", c.Order, false)
			a, ok := t.Attr(c.Path)
			if !ok || !a.MultiValued || a.Type != "complex" || a.Parent != nil || len(c.Columns) == 0 || c.Path == "members" {
				fail("%s: Path %q: needs a multi-valued attribute with parts, and Columns for them", c.Name, c.Path)
				continue
			}
			child := boundChild{childDecl: c}
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
		if table.Type == search.UserType && !slices.ContainsFunc(m.columns, func(c boundColumn) bool { return c.Path == "userName" }) {
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
func bindColumn(t *scim.ResourceType, list string, c columnDecl) (boundColumn, error) {
	path := c.Path
	if list != "" {
		path = list + "." + path
	}
	a, ok := t.Attr(path)
	b := boundColumn{columnDecl: c, attr: a}
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
