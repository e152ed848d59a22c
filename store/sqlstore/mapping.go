package sqlstore

import (
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore/internal/mapping"
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

// declarations returns tables as package mapping knows them.
func declarations(tables []Table) []mapping.Table {
	all := make([]mapping.Table, len(tables))
	for i, t := range tables {
		all[i] = mapping.Table{Type: t.Type, Name: t.Name, Key: t.Key, KeepID: t.KeepID, Tenant: t.Tenant, Visible: t.Visible, Created: t.Created,
			Columns: columnDeclarations(t.Columns), Insert: t.Insert, Retire: t.Retire, Revive: t.Revive}
		for _, c := range t.Children {
			all[i].Children = append(all[i].Children,
				mapping.Child{Path: c.Path, Name: c.Name, Parent: c.Parent, Columns: columnDeclarations(c.Columns), Order: c.Order})
		}
	}
	return all
}

func columnDeclarations(columns []Column) []mapping.Column {
	all := make([]mapping.Column, len(columns))
	for i, c := range columns {
		all[i] = mapping.Column{Name: c.Name, Path: c.Path, Of: c.Of, Empty: c.Empty, To: c.To, From: c.From, ReadOnly: c.ReadOnly, TakesNull: c.null}
	}
	return all
}
