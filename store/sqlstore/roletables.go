package sqlstore

import (
	"context"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore/internal/roletables"
)

// RoleTables are two tables of an application in the store's database: its roles, and
// who holds which. A group stands for the role that has its displayName, a value of
// scim.Roles.Attributes for the role that it names, compared exactly after Unicode
// normalisation (NFC), because a look-alike must not give a role. Once linked, a group or
// value keeps its role when that is renamed. An application that decides
// otherwise, or keeps one role per user in a column, writes a scim.RoleResolver of its
// own.
type RoleTables struct {
	Roles    string // table with a row for each role
	ID, Name string // its columns
	// Weight and Protected are columns for scim.Role, a number and a boolean; "": none.
	Weight, Protected string
	// Tenant is the column of Roles with Options.Tenant; "": the roles are everybody's.
	Tenant string

	Holders    string // table with a row for each role that a user holds
	User, Role string // its columns, with the user's id and the role's
	// Insert gives values of further columns of Holders for a new row. Nil: none. Nothing
	// reads them: that a role was given by hand only Reconciler.GivenByHand tells.
	Insert func(user, role string) map[string]any
}

// RoleResolver makes a scim.RoleResolver of two tables, which must be there with their
// columns. What it does joins the store's transaction, and its statements are about many
// users at once.
func (s *Store) RoleResolver(ctx context.Context, t RoleTables) (scim.RoleResolver, error) {
	return roletables.New(ctx, s.db, roletables.Tables(t))
}
