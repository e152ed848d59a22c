package sqlstore

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore/internal/mapping"
	"github.com/scimkit/scim/store/sqlstore/internal/search"
)

// Table maps a resource type onto a table of the application. Each row is a resource, and
// what a client writes goes into the columns. The application can go on writing the table
// itself. What has no column is kept in this package's tables, which also answer filters
// and lists. Migrate creates triggers that note each change of the application, and the
// next call of the Store brings it in.
//
// A column is written only when a client changes its attribute. While the application
// leaves the column alone, clients see exactly what they sent. Afterwards they see what
// the column holds. A userName that a client only spells in another way is not written:
// somebody logs in with it.
//
// A userName is unique among the visible rows of the tenant, as SCIM compares it (RFC 7643,
// Section 4.1.1). If a unique index of the application has the column, a userName is also
// refused for the other rows in the index, which may be hidden or another tenant's. Their
// columns count if they have the spelling that was sent, the same in lower case, or that of the
// user with this name whom a client deleted last. Other values are unique as the application's
// indexes say.
type Table struct {
	Type string // Type is the name of the resource type, "User" or "Group".
	Name string // Name is the table, as SQL writes it.
	// Key is a column that is unique, or unique together with Tenant. Its text is the
	// resource's id.
	Key string
	// KeepID writes the id that the handler gives, a UUID, into Key. By default the
	// database generates the key: an identity, a serial, a default.
	KeepID bool
	// Tenant is the column that holds Options.Tenant. A table without one belongs to one
	// tenant, and then Options.Tenant must be empty.
	Tenant string
	// Visible is a condition in SQL on columns of the row, as t: "t.kind = 'person'".
	// Clients see no other rows. If it is empty, they see all. They never see a user
	// without a userName.
	Visible string
	// Unclaimed says where clients see rows that no client has claimed: see scim.Claimer.
	Unclaimed Unclaimed
	// Exempt is a condition like Visible for users who are exempt from SCIM: see
	// scim.Exempter. If it is empty, nobody is.
	Exempt string
	// Created is the column with the time of creation, by which lists are ordered. The
	// database must fill it, to the microsecond if it can. Its value is a time, or a text
	// such as "2006-01-02 15:04:05" or RFC 3339. Otherwise, and if Created is empty, the time
	// is when the Store first saw the row. Rows of one time are in the order of their keys;
	// keys that are numbers are in their own order.
	Created string
	// Updated is the column with the time of the last change. The Store sets it whenever it
	// writes the row. Empty: there is no such column, or a trigger sets it.
	Updated  string
	Columns  []Column
	Beside   []Beside
	Children []Child
	// Insert returns values of further columns for a new row, by column. Nil: none. r is what
	// the client creates; it has no id unless KeepID is set. The context has the request's
	// transaction and its client: see scim.PrincipalOf.
	Insert func(ctx context.Context, r *scim.Resource) map[string]any
	// Retire returns the columns to set, instead of deleting the row, when a client deletes
	// the resource r. Use it for rows that others refer to, and for people who may come back.
	// It may set mapped columns too, for example to make an address anonymous. Afterwards the
	// row must not be Visible.
	//
	// Revive returns the columns by which Store.Adopt undoes it. r is the resource as it was
	// when it was deleted. Afterwards the Store writes what the client sends. Without Revive
	// nobody comes back. Then Retire should change a userName that must be unique, so that the
	// person can be created as a new one.
	//
	// Migrate calls all three with a resource without values, to check the names of the columns.
	Retire func(ctx context.Context, r *scim.Resource, now time.Time) map[string]any
	Revive func(ctx context.Context, r *scim.Resource) map[string]any
}

// Column is a column for one value of the resource. If several columns are for one value,
// the Store writes all of them and reads the first one.
type Column struct {
	Name string
	// Path is the attribute, as in scim.Resource.Get. For a multi-valued attribute it names
	// a part, such as "emails.value". The value is then that of one element: the element
	// whose type is Of, or, if Of is empty, the primary one, or else the first. An element
	// without a type is not one of type Of.
	Path, Of string
	// Empty is what the Store writes for an absent value. Nil means NULL, and in a new row
	// the column's default. NULL and "" are read as absent values, and so is Empty if From
	// is nil.
	Empty any
	// To and From convert between the attribute's value, as in scim.Resource.Get, and the
	// column's. To is not called for an absent value, nor From for NULL and "". From may
	// return nil: an absent value. If they are nil, values are kept as
	// they are, or converted to another Go type without loss. Call Reindex after a change
	// of From.
	To, From func(v any) (any, error)
	// ReadOnly says that the Store never writes the column. The database generates it, or
	// only the application decides about it. What a client sends for it is ignored.
	ReadOnly bool
	// SetOnce says that the Store writes the column only if the attribute had no value. Use it
	// for what a person changes in the application, such as the time zone. KeepWhenAbsent says
	// that a client that leaves the attribute out, or removes it, does not change the column.
	// Clients read back what the column holds.
	SetOnce, KeepWhenAbsent bool

	null   bool  // From converts NULL and "" too.
	values []any // all that To returns, if it is known
}

// ActiveWhen returns the Column of "active" for a column that holds a status: a text, an enum, an
// integer or a boolean. A user is active if the column is active, and becomes inactive by
// inactive. Any other value means inactive too, and stays until a client activates the user.
// Write both as the column holds them: "active", 0, true. Spaces at the end do not count, because
// a char(n) column adds some. Migrate refuses values that the column cannot hold.
func ActiveWhen(column string, active, inactive any) Column {
	return Column{
		Name: column, Path: "active", Empty: active,
		To: func(v any) (any, error) {
			if v == false {
				return inactive, nil
			}
			return active, nil
		},
		From:   func(v any) (any, error) { return isStatus(v, active), nil },
		null:   true,
		values: []any{active, inactive},
	}
}

// isStatus reports whether a cell holds a status.
func isStatus(cell, status any) bool {
	n, isNumber := cell.(int64)
	if b, ok := status.(bool); ok && isNumber { // a boolean of SQLite
		return b == (n != 0)
	}
	return cell != nil && strings.TrimRight(fmt.Sprint(cell), " ") == strings.TrimRight(fmt.Sprint(status), " ")
}

// ActiveWhileNull returns the Column of "active" for a column with the time of
// deactivation. A user is active while the column is NULL.
func ActiveWhileNull(column string) Column {
	return Column{
		Name: column, Path: "active",
		To: func(v any) (any, error) {
			if v == false {
				return time.Now().UTC().Round(0), nil
			}
			return nil, nil
		},
		From: func(v any) (any, error) { return v == nil || v == "", nil },
		null: true,
	}
}

// Beside is a table with further columns of a resource, at most one row for each. The Store creates,
// changes and deletes both rows together. If a resource has no row there, its columns are NULL, and
// the Store inserts the row when a client sets a value.
//
// A Beside without Columns is only watched: triggers note its changes, and the Store never writes it.
// If Table.Name is a view, Beside names the tables that it reads.
type Beside struct {
	Name string // Name is the table.
	// Key is the column that tells which resource the row belongs to: it has the resource's key. With
	// a Ref it has what Ref has.
	Key string
	// Ref is the column of Table.Name that refers to Key, such as user_id. It may be the Key of
	// Table too. The row is then created first, and the database gives Key, unless Insert does.
	Ref     string
	Tenant  string // Tenant is its column with the tenant. It is needed if two tenants' rows may have one Key.
	Columns []Column
	// Insert returns values of further columns for a new row, as Table.Insert does.
	Insert func(ctx context.Context, r *scim.Resource) map[string]any
	// Shared says that several rows of Table.Name may have one Ref, also those of other tenants: a
	// person is in two organisations. The Store never deletes the row. It writes the row only
	// if no other row has this Ref. Otherwise what a client writes is kept for its tenant alone, until
	// the application changes the column.
	Shared bool
	// Find returns the Key of the row that a new resource r gets if the row exists already, or nil.
	// The application decides whether the tenant may have this person: whoever is found can log in
	// afterwards as a user of the tenant. If Find is nil, or returns nil, a userName that the table
	// has already is refused (409). Find needs Shared.
	Find func(ctx context.Context, r *scim.Resource) (key any, err error)
}

// Child maps a multi-valued attribute onto a table with a row for each element.
type Child struct {
	Path   string // Path is the attribute: "emails".
	Name   string // Name is the table.
	Parent string // Parent is its column with the Key of the resource's row.
	Tenant string // Tenant is its column with the tenant. It is needed if two tenants' rows may have one Key.
	// Columns hold parts of the element: their Path is "value", "type", "primary" and so
	// on, and their Of is empty.
	Columns []Column
	Order   string // Order is the column that orders elements, by default the first of Columns.
}

// Join maps the memberships of users in groups onto a table of the application, which has
// the keys of both. It needs a Table for "User" and one for "Group". Memberships of groups
// in groups are kept in this package's tables.
type Join struct {
	Name        string // Name is the table.
	Group, User string // Group and User are its columns with the keys.
	Tenant      string // Tenant is its column with the tenant. It is needed if two tenants' rows may have one Key.
	Since       string // Since is the column with the time of joining. If empty, it is when the Store first saw the row.
	// Insert returns values of further columns for a new membership. It may be nil.
	Insert func(ctx context.Context, group, user string) map[string]any
}

// declarations returns tables as package mapping knows them.
func declarations(tables []Table) []mapping.Table {
	all := make([]mapping.Table, len(tables))
	for i, t := range tables {
		all[i] = mapping.Table{Type: t.Type, Name: t.Name, Key: t.Key, KeepID: t.KeepID, Tenant: t.Tenant, Visible: t.Visible, Unclaimed: search.Unclaimed(t.Unclaimed), Exempt: t.Exempt, Created: t.Created, Updated: t.Updated,
			Columns: columnDeclarations(t.Columns), Insert: t.Insert, Retire: t.Retire, Revive: t.Revive}
		for _, b := range t.Beside {
			all[i].Beside = append(all[i].Beside, mapping.Beside{Name: b.Name, Key: b.Key, Ref: b.Ref, Tenant: b.Tenant, Columns: columnDeclarations(b.Columns), Insert: b.Insert, Shared: b.Shared, Find: b.Find})
		}
		for _, c := range t.Children {
			all[i].Children = append(all[i].Children,
				mapping.Child{Path: c.Path, Name: c.Name, Parent: c.Parent, Tenant: c.Tenant, Columns: columnDeclarations(c.Columns), Order: c.Order})
		}
	}
	return all
}

// columnDeclarations returns columns as package mapping knows them.
func columnDeclarations(columns []Column) []mapping.Column {
	all := make([]mapping.Column, len(columns))
	for i, c := range columns {
		all[i] = mapping.Column{Name: c.Name, Path: c.Path, Of: c.Of, Empty: c.Empty, To: c.To, From: c.From, ReadOnly: c.ReadOnly, SetOnce: c.SetOnce, KeepWhenAbsent: c.KeepWhenAbsent, TakesNull: c.null, Values: c.values}
	}
	return all
}
