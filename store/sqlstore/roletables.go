package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore/internal/apptables"
	"github.com/scimkit/scim/store/sqlstore/internal/mapping"
	"github.com/scimkit/scim/store/sqlstore/internal/projection"
	"github.com/scimkit/scim/store/sqlstore/internal/roletables"
)

// RoleShape says where an application keeps roles in the store's database. It is a
// RoleTables or a RoleColumn.
type RoleShape interface{ shape() roletables.Shape }

// RoleTables are two tables of the application: one has its roles, the other, Holders, the
// users' roles. A user has a role while there is a row. Without the first table, List has
// the roles.
//
// If Match is nil, a group stands for the role that has its displayName, and a value of
// scim.Roles.Attributes for the role that it names. Names are compared exactly after Unicode
// normalisation (NFC), because a look-alike must not give a role. Once linked, a group or
// value keeps its role when the role is renamed.
type RoleTables struct {
	Roles    string // Roles is the table with a row for each role.
	ID, Name string // ID and Name are its columns.
	// Weight and Protected are columns for scim.Role, a number and a boolean. They may be
	// empty.
	Weight, Protected string
	// Tenant is the column of Roles that holds Options.Tenant. If it is empty, all tenants
	// share the roles.
	Tenant string
	// Where is a condition in SQL on a row of Roles, as t, such as "t.kind = 'list'". SCIM
	// gives no other roles. If it is empty, it gives all.
	Where string
	// List has the roles if no table has them. ID is the text in the column of the role:
	// the label of an enum, a number, or "true" and "false" for a boolean. Scope is empty.
	List []scim.Role
	// Match returns the roles that a source stands for, each by ID, or by Name if ID is
	// empty. It leaves out roles of other shapes. The resolver fills in the rest, and leaves
	// out roles that do not exist. Scope is only needed if Scope.Column is set. Its errors
	// are those of scim.RoleResolver.
	Match func(ctx context.Context, src scim.RoleSource) ([]scim.Role, error)

	// Create makes the resolver a scim.RoleCreator: see scim.Roles.Missing. It returns values
	// of further columns of Roles for a new role, nil for none. Name and Tenant are set anyway. The
	// database gives the ID. Nil: no roles are created.
	Create func(name string) map[string]any

	Holders    string // Holders is the table with a row for each role of a user.
	User, Role string // User and Role are its columns, with the user's id and the role's.
	// UserTenant is its column with Options.Tenant. It is needed if users of two tenants may have
	// one id: otherwise a tenant changes the roles of another one.
	UserTenant string
	// Scope says what the roles are roles of. The default is scope "".
	Scope RoleScope
	// Insert returns values of further columns of Holders for a new row. It may be nil. Store.RoleResolver
	// calls it with the ids "1", to learn the names of the columns. The
	// Store does not read these columns: only Reconciler.GiveByHand says that a role was
	// given by hand.
	Insert func(ctx context.Context, user, role string) map[string]any
}

// RoleColumn is a column that holds a role: of the users' table, or of the table of
// memberships. It holds one role, so its scopes need scim.Roles.Exclusive. The roles are in
// a table that the column refers to, or in List.
//
// A user without a row gets no role. If a row appears, such as a membership, the user gets
// the role at the next reconciliation.
type RoleColumn struct {
	Table string // Table has the column.
	User  string // User is its column with the user's id.
	// UserTenant is its column with Options.Tenant. It is needed if users of two tenants may have
	// one id, as in a table of the members of organisations.
	UserTenant string
	Column     string // Column holds the role's ID: a text, a label of an enum, a number, a boolean.
	// Base is the value of Column for a user who has been given nothing, such as false,
	// "member" or 4. Nil means NULL, or false if the column is a boolean and NOT NULL. A
	// protected role is refused: whoever loses a role would get it. It is no role: the resolver does not list it, and writes
	// it when the role ends. NULL always means the same. Any other value is a role.
	Base any
	// Scope says what the roles are roles of. In a table of memberships, Scope.Column is the
	// column with the group's id.
	Scope RoleScope

	// These fields are those of RoleTables. Without a table of roles, List has them.
	Roles, ID, Name, Weight, Protected, Tenant, Where string
	List                                              []scim.Role
	Match                                             func(ctx context.Context, src scim.RoleSource) ([]scim.Role, error)
}

// RoleScope says what roles are roles of: see scim.Role.Scope.
type RoleScope struct {
	// Name is the scope. With a Column, it is what scopes begin with, such as "project:".
	Name string
	// Column is the column, beside the user's id, with the id of what the roles are roles
	// of. The scope is Name and this id, such as "project:7". Match is then required.
	Column string
	// Table and Key are the table with these ids, and its column. If it is set, a scope that
	// is not there has no roles. Otherwise a database with a foreign key refuses to give the
	// role, and the request fails. Tenant is the column of Table that holds Options.Tenant. If
	// it is empty, all tenants share the scopes.
	Table, Key, Tenant string
}

func (t RoleTables) shape() roletables.Shape {
	return roletables.Shape{Type: "RoleTables", Roles: t.Roles, ID: t.ID, Name: t.Name, Weight: t.Weight, Protected: t.Protected, Tenant: t.Tenant,
		Where: t.Where, List: t.List, Match: t.Match, Create: t.Create, Holders: t.Holders, User: t.User, UserTenant: t.UserTenant, Role: t.Role, Scope: roletables.Scope(t.Scope), Insert: t.Insert}
}

func (c RoleColumn) shape() roletables.Shape {
	return roletables.Shape{Type: "RoleColumn", Roles: c.Roles, ID: c.ID, Name: c.Name, Weight: c.Weight, Protected: c.Protected, Tenant: c.Tenant,
		Where: c.Where, List: c.List, Match: c.Match, Holders: c.Table, User: c.User, UserTenant: c.UserTenant, Role: c.Column, Scope: roletables.Scope(c.Scope), IsColumn: true, Base: c.Base}
}

// RoleResolver returns a scim.RoleResolver over the tables of one or more shapes. Their
// scopes must be distinct. A source stands for the roles that any of them finds. It returns
// an error if a table or a column does not exist, cannot hold a value, or is NOT NULL and gets
// none. A Column of a Table that a RoleColumn is about must be ReadOnly. It logs to Options.Log
// that a Base is in no row. The resolver joins the store's
// transaction, and each of its statements is about many users. It is a scim.RoleNamer.
func (s *Store) RoleResolver(ctx context.Context, shapes ...RoleShape) (scim.RoleResolver, error) {
	all := make([]roletables.Shape, len(shapes))
	for i, shape := range shapes {
		all[i] = shape.shape()
		if err := errors.Join(checkUnwritten(s, all[i]), checkApart(s, all[i]), checkUsers(s, all[i])); err != nil {
			return nil, err
		}
	}
	resolver, err := roletables.New(ctx, s.db, all)
	if err != nil {
		return nil, err
	}
	for _, shape := range all {
		if err := checkSwapped(ctx, s, shape); err != nil {
			return nil, err
		}
	}
	return resolver, nil
}

// checkUsers returns an error if a role of one user would be the role of others too.
func checkUsers(s *Store, shape roletables.Shape) error {
	if t := s.app.Table("User"); t != nil && strings.EqualFold(t.Name, shape.Holders) && !strings.EqualFold(t.Key, shape.User) {
		return fmt.Errorf("sqlstore: %s: User is %s, and the Key of the table %s is %s: use the Key, otherwise other users get the role", shape.Type, shape.User, t.Name, t.Key)
	}
	if j := projection.JoinsOf(s.app); j != nil && strings.EqualFold(j.Name, shape.Holders) && shape.IsColumn && shape.Scope.Column == "" {
		return fmt.Errorf("sqlstore: %s: %s has a row for each group of a user: set Scope.Column to %s, otherwise a role is one in all groups", shape.Type, j.Name, j.Group)
	}
	return nil
}

// checkSwapped returns an error if the columns of holders stand for each other.
func checkSwapped(ctx context.Context, s *Store, shape roletables.Shape) (err error) {
	t, users, scope := s.app.Table("User"), "", shape.Scope
	if t != nil {
		users = t.Name
	}
	check := func(p apptables.Pair) {
		err = errors.Join(err, s.db.Retry(ctx, func() error { return apptables.CheckSwapped(ctx, s.db, shape.Holders, p) }))
	}
	if t != nil && shape.Roles != "" && !shape.IsColumn {
		check(apptables.Pair{What: shape.Type + ": ", A: "Role", ColumnA: shape.Role, TableA: shape.Roles, B: "User", ColumnB: shape.User, TableB: users})
	}
	if scope.Table != "" {
		check(apptables.Pair{What: shape.Type + ": ", A: "User", ColumnA: shape.User, TableA: users, B: "Scope.Column", ColumnB: scope.Column, TableB: scope.Table})
	}
	return err
}

// checkApart returns an error if the roles of a tenant's users are those of another tenant's too.
func checkApart(s *Store, shape roletables.Shape) error {
	t := s.app.Table("User")
	isApart := shape.UserTenant != "" || shape.Scope.Column != "" || shape.Tenant != "" && !shape.IsColumn
	if t == nil || isApart || !mapping.SharesKeys(&t.Mapping.Table) {
		return nil
	}
	return fmt.Errorf("sqlstore: %s: %s: users of two tenants may have one id: set UserTenant, otherwise a tenant changes the roles of another one", shape.Type, shape.Holders)
}

// checkUnwritten returns an error if clients can write a role directly, by an attribute.
func checkUnwritten(s *Store, shape roletables.Shape) error {
	for typ := range s.resources.Types {
		t := s.app.Table(typ)
		if t == nil {
			continue
		}
		for i := range t.Columns {
			c := &t.Columns[i]
			if !strings.EqualFold(c.TableName(), shape.Holders) {
				continue
			}
			if strings.EqualFold(c.Name, shape.Role) && !c.ReadOnly {
				return fmt.Errorf("sqlstore: %s: %s.%s is the Column of %q: set ReadOnly, otherwise clients write roles directly", shape.Type, c.TableName(), c.Name, c.Path)
			}
		}
	}
	return nil
}
