// Package mapping says what the columns of the application's tables mean. It binds declared
// tables to attributes and converts between cells and values. It reads and writes no table.
package mapping

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore/internal/search"
)

// Table is a Table of package sqlstore.
type Table struct {
	Type, Name, Key string
	KeepID          bool
	Tenant, Visible string
	Unclaimed       search.Unclaimed
	Exempt          string
	Created         string
	Updated         string
	Columns         []Column
	Beside          []Beside
	Children        []Child
	Insert          func(ctx context.Context, r *scim.Resource) map[string]any
	Retire          func(ctx context.Context, r *scim.Resource, now time.Time) map[string]any
	Revive          func(ctx context.Context, r *scim.Resource) map[string]any
}

// Column is a Column of package sqlstore.
type Column struct {
	Name, Path, Of string
	Empty          any
	To, From       func(v any) (any, error)
	ReadOnly       bool
	SetOnce        bool  // SetOnce leaves a column alone that has a value.
	KeepWhenAbsent bool  // KeepWhenAbsent leaves a column alone if the attribute is absent.
	TakesNull      bool  // TakesNull says that From converts NULL and "" too.
	Values         []any // Values are all that To returns, if they are known.
}

// Beside is a Beside of package sqlstore.
type Beside struct {
	Name, Key, Ref string
	Tenant         string
	Columns        []Column
	Insert         func(ctx context.Context, r *scim.Resource) map[string]any
	Shared         bool
	Find           func(ctx context.Context, r *scim.Resource) (any, error)
}

// IsWatched says that the table is only watched.
func (b *Beside) IsWatched() bool { return len(b.Columns) == 0 }

// Child is a Child of package sqlstore.
type Child struct {
	Path, Name, Parent string
	Tenant             string
	Columns            []Column
	Order              string
}

// Join is a Join of package sqlstore, which converts to it.
type Join struct {
	Name        string
	Group, User string
	Tenant      string
	Since       string
	Insert      func(ctx context.Context, group, user string) map[string]any
}

// Mapping is a Table that is bound to the attributes of its type.
type Mapping struct {
	Table
	ResourceType   *scim.ResourceType
	IsView         bool          // IsView says that the table is a view: no triggers can note its changes.
	Columns        []BoundColumn // Columns are those of the table, and then those of the tables beside it.
	Children       []BoundChild
	VisibleColumns []string   // VisibleColumns are those that Visible reads; nil if it may read any.
	parts          []seenPart // parts are what is seen of a row.
}

// BoundColumn is a Column that is bound to its attribute.
type BoundColumn struct {
	Column
	IsCopy       bool   // IsCopy says that an earlier column is for the same value. This one is only written.
	Beside       int    // Beside is 0 for a column of the table, and n for one of the n-th table beside it.
	table        string // table is the name of the table that has the column.
	DatabaseType string // DatabaseType is the database's name of the type, empty if unknown.
	attr         scim.Attribute
	list         string // list is the path of the multi-valued attribute whose element has the value, or empty.
	seenKey      string // seenKey is what SeenKey returns, which would make it again for each row.
}

// Type is the type of the column's attribute.
func (c *BoundColumn) Type() scim.AttributeType { return c.attr.Type }

// BoundChild is a Child whose columns are bound to their attributes.
type BoundChild struct {
	Child
	Columns []BoundColumn
}

// TableName is the table that has the column.
func (c *BoundColumn) TableName() string { return c.table }

// SeenKey is the key under which Seen has the column's cell.
func (c *BoundColumn) SeenKey() string {
	if c.seenKey != "" {
		return c.seenKey
	}
	key := c.Name + " " + c.Path + " " + c.Of
	if c.Beside > 0 {
		key = c.table + "." + key
	}
	return key
}

// SeenKey is the key under which Seen has the cells of the child's rows.
func (c *BoundChild) SeenKey() string { return c.Name + " " + c.Path }

// SharesKeys reports whether rows of two tenants may have one key.
func SharesKeys(t *Table) bool {
	return slices.ContainsFunc(t.Beside, func(b Beside) bool { return b.Tenant != "" || b.Shared && b.Ref == t.Key }) ||
		slices.ContainsFunc(t.Children, func(c Child) bool { return c.Tenant != "" })
}

// ColumnsOf returns the columns of the table, for 0, or of the n-th table beside it.
func (m *Mapping) ColumnsOf(n int) []BoundColumn {
	first := slices.IndexFunc(m.Columns, func(c BoundColumn) bool { return c.Beside == n })
	if first < 0 {
		return nil
	}
	last := first
	for last < len(m.Columns) && m.Columns[last].Beside == n {
		last++
	}
	return m.Columns[first:last]
}

// Seen holds what was read of a row when its resource was brought in line: the JSON of its
// cells, by SeenKey.
type Seen map[string]json.RawMessage

// Equal reports whether two rows are the same.
func (s Seen) Equal(o Seen) bool {
	return len(s) == len(o) && s.Contains(o)
}

// Again is the key of Seen which says that all is read again, because From may read differently now.
const Again = "!"

// isAgain reports whether all is read again.
func (s Seen) isAgain() bool {
	_, yes := s[Again]
	return yes
}

// Contains reports whether s has all the cells of o, with the same contents.
func (s Seen) Contains(o Seen) bool {
	if s.isAgain() {
		return false
	}
	for key, cell := range o {
		if was, ok := s[key]; !ok || string(was) != string(cell) {
			return false
		}
	}
	return true
}

// IsSame reports whether both rows have the same contents under a key.
func (s Seen) IsSame(o Seen, key string) bool { return string(s[key]) == string(o[key]) }
