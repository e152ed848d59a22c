package sqlstore

import (
	"context"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore/internal/roletables"
)

// RoleTables are two tables of the application in the store's database: one has its roles,
// the other the users' roles. A group stands for the role that has its displayName, and a
// value of scim.Roles.Attributes for the role that it names. Names are compared exactly
// after Unicode normalisation (NFC), because a look-alike must not give a role. Once
// linked, a group or value keeps its role when the role is renamed. An application that
// decides otherwise, or keeps one role per user in a column, writes its own
// scim.RoleResolver.
type RoleTables struct {
	Roles    string // Roles is the table with a row for each role.
	ID, Name string // ID and Name are its columns.
	// Weight and Protected are columns for scim.Role, a number and a boolean. They may be
	// empty.
	Weight, Protected string
	// Tenant is the column of Roles that holds Options.Tenant. If it is empty, all tenants
	// share the roles.
	Tenant string

	Holders    string // Holders is the table with a row for each role of a user.
	User, Role string // User and Role are its columns, with the user's id and the role's.
	// Insert returns values of further columns of Holders for a new row. It may be nil. The
	// Store does not read these columns: only Reconciler.GivenByHand says that a role was
	// given by hand.
	Insert func(user, role string) map[string]any
}

// RoleResolver returns a scim.RoleResolver over two tables. It returns an error if they or
// their columns do not exist. The resolver joins the store's transaction, and each of its
// statements is about many users.
func (s *Store) RoleResolver(ctx context.Context, t RoleTables) (scim.RoleResolver, error) {
	return roletables.New(ctx, s.db, roletables.Tables(t))
}
