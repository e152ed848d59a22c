// Package mapping says what the columns of the application's tables mean. It binds declared
// tables to attributes and converts between cells and values. It reads and writes no table.
package mapping

import (
	"context"
	"encoding/json"
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
	Columns        []BoundColumn
	Children       []BoundChild
	VisibleColumns []string // VisibleColumns are those that Visible reads; nil if it may read any.
}

// BoundColumn is a Column that is bound to its attribute.
type BoundColumn struct {
	Column
	IsCopy       bool   // IsCopy says that an earlier column is for the same value. This one is only written.
	DatabaseType string // DatabaseType is the database's name of the type, empty if unknown.
	attr         scim.Attribute
	list         string // list is the path of the multi-valued attribute whose element has the value, or empty.
}

// Type is the type of the column's attribute.
func (c *BoundColumn) Type() scim.AttributeType { return c.attr.Type }

// BoundChild is a Child whose columns are bound to their attributes.
type BoundChild struct {
	Child
	Columns []BoundColumn
}

// SeenKey is the key under which Seen has the column's cell.
func (c *BoundColumn) SeenKey() string { return c.Name + " " + c.Path + " " + c.Of }

// SeenKey is the key under which Seen has the cells of the child's rows.
func (c *BoundChild) SeenKey() string { return c.Name + " " + c.Path }

// Seen holds what was read of a row when its resource was brought in line: the JSON of its
// cells, by SeenKey.
type Seen map[string]json.RawMessage

// Equal reports whether two rows are the same.
func (s Seen) Equal(o Seen) bool {
	return len(s) == len(o) && s.Contains(o)
}

// Contains reports whether s has all the cells of o, with the same contents.
func (s Seen) Contains(o Seen) bool {
	for key, cell := range o {
		if was, ok := s[key]; !ok || string(was) != string(cell) {
			return false
		}
	}
	return true
}

// IsSame reports whether both rows have the same contents under a key.
func (s Seen) IsSame(o Seen, key string) bool { return string(s[key]) == string(o[key]) }
