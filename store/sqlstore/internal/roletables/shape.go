// Package roletables resolves roles in tables of the application.
package roletables

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore/internal/apptables"
	"github.com/scimkit/scim/store/sqlstore/internal/database"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
	"github.com/scimkit/scim/store/sqlstore/internal/mapping"
)

// Shape says where an application keeps roles. It is a RoleTables or a RoleColumn of
// package sqlstore.
type Shape struct {
	Type string // Type is the name of the declaration, for errors.

	// Roles is the table of the roles, with its columns. If it is empty, List has them.
	Roles             string
	ID, Name          string
	Weight, Protected string
	Tenant            string
	Where             string
	List              []scim.Role
	Match             func(ctx context.Context, src scim.RoleSource) ([]scim.Role, error)
	Create            func(name string) map[string]any

	// Holders is the table with the users' roles, with its columns.
	Holders    string
	User, Role string
	UserTenant string
	Scope      Scope
	// Insert returns further values for a new row of Holders.
	Insert func(ctx context.Context, user, role string) map[string]any
	// IsColumn says that the rows of Holders are there anyway, and that Role is a column
	// to update. Base is its value without a role; nil is NULL.
	IsColumn bool
	Base     any
}

// Scope is the RoleScope of package sqlstore, which converts to it.
type Scope struct {
	Name       string
	Column     string
	Table, Key string
	Tenant     string
}

// shape is a Shape in a database.
type shape struct {
	Shape
	db *database.DB
	// isBool says that the column of the role is a boolean. Its roles are "true" and
	// "false".
	isBool bool
	base   string // base is the text of Base; "" for NULL
}

// bind checks a Shape, and looks whether its tables and columns exist.
func bind(ctx context.Context, db *database.DB, declared Shape) (*shape, error) {
	s := &shape{Shape: declared, db: db}
	if s.Base != nil {
		s.base = fmt.Sprint(s.Base)
	}
	if err := s.check(); err != nil {
		return nil, err
	}
	err := db.Retry(ctx, func() error {
		err := apptables.CheckNames(ctx, db, s.Holders, "", mapping.NonEmpty(s.User, s.UserTenant, s.Role, s.Scope.Column)...)
		if s.Roles != "" {
			err = errors.Join(err, apptables.CheckNames(ctx, db, s.Roles, "", mapping.NonEmpty(s.ID, s.Name, s.Weight, s.Protected, s.Tenant)...))
		}
		if s.Scope.Table != "" {
			err = errors.Join(err, apptables.CheckNames(ctx, db, s.Scope.Table, "", mapping.NonEmpty(s.Scope.Key, s.Scope.Tenant)...))
		}
		if err == nil && s.Where != "" {
			err = apptables.CheckCondition(ctx, db, s.Roles, "Where", s.Where)
		}
		if err != nil {
			return err
		}
		if err := errors.Join(s.checkValues(ctx), checkRows(ctx, s)); err != nil {
			return err
		}
		return diagnose(ctx, s)
	})
	return s, err
}

// checkRows looks whether rows can be inserted.
func checkRows(ctx context.Context, s *shape) (err error) {
	if !s.IsColumn {
		var more func() map[string]any
		if s.Insert != nil {
			more = func() map[string]any { return s.Insert(ctx, apptables.SampleID, apptables.SampleID) }
		}
		err = apptables.CheckRows(ctx, s.db, s.Holders, mapping.NonEmpty(s.User, s.UserTenant, s.Role, s.Scope.Column), s.Type+".Insert", more)
	}
	if s.Create != nil {
		err = errors.Join(err, apptables.CheckRows(ctx, s.db, s.Roles, mapping.NonEmpty(s.Name, s.Tenant), s.Type+".Create", func() map[string]any { return s.Create("") }))
	}
	return err
}

// check looks at the declaration itself.
func (s *shape) check() (err error) {
	fail := func(format string, args ...any) {
		err = errors.Join(err, fmt.Errorf("sqlstore: "+s.Type+": "+format, args...))
	}
	name := func(what, name string, needed bool) {
		if (needed || name != "") && !dialect.IsName(name) {
			fail("%s %q: needs the name of a table or column", what, name)
		}
	}
	table, role := "Holders", "Role"
	if s.IsColumn {
		table, role = "Table", "Column"
	}
	name(table, s.Holders, true)
	name("User", s.User, true)
	name(role, s.Role, true)
	name("Scope.Column", s.Scope.Column, s.Scope.Table != "")
	name("Scope.Table", s.Scope.Table, s.Scope.Key != "" || s.Scope.Tenant != "")
	name("Scope.Key", s.Scope.Key, s.Scope.Table != "")
	if len(s.List) == 0 {
		name("Roles", s.Roles, true)
	} else if s.Roles != "" {
		fail("Roles and List: needs one of them")
	}
	name("ID", s.ID, s.Roles != "")
	name("Name", s.Name, s.Roles != "")
	for what, column := range map[string]string{"Weight": s.Weight, "Protected": s.Protected, "Tenant": s.Tenant, "UserTenant": s.UserTenant, "Scope.Tenant": s.Scope.Tenant} {
		name(what, column, false)
	}
	for i, role := range s.List {
		if role.ID == "" || slices.ContainsFunc(s.List[:i], func(r scim.Role) bool { return r.ID == role.ID }) {
			fail("List: role %q: its ID %q must be unique and not empty", role.Name, role.ID)
		}
	}
	if s.Scope.Column != "" && s.Match == nil {
		fail("Match: is needed with a Scope.Column, because a name does not say which scope is meant")
	}
	return err
}

// checkValues looks whether the column of the role can hold what the declaration says.
func (s *shape) checkValues(ctx context.Context) error {
	types, err := apptables.ColumnTypes(ctx, s.db, s.Holders, s.Role)
	if err != nil {
		return err
	}
	values := make([]string, 0, len(s.List)+1)
	for _, role := range s.List {
		values = append(values, role.ID)
	}
	if s.Base != nil {
		values = append(values, s.base)
	}
	kind := strings.ToUpper(types[0])
	s.isBool = kind == "BOOL"
	if s.db.Dialect != dialect.Postgres {
		isText := slices.ContainsFunc([]string{"CHAR", "CLOB", "TEXT"}, func(part string) bool { return strings.Contains(kind, part) })
		s.isBool = !isText && slices.ContainsFunc(values, isBoolText)
	}
	for _, value := range values {
		if s.isBool && !isBoolText(value) {
			return fmt.Errorf(`sqlstore: %s: %s.%s is a boolean, whose values are "true" and "false", not %q`, s.Type, s.Holders, s.Role, value)
		}
		w := s.db.Arguments()
		err := s.db.ExecApp(ctx, w, "SELECT 1 FROM "+s.Holders+" AS h WHERE 1 = 0 AND h."+s.Role+" = "+w.Add(s.cell(value)))
		if err == nil {
			err = apptables.CheckValue(ctx, s.db, s.Holders, s.Role, s.cell(value))
		}
		if err != nil {
			return fmt.Errorf("sqlstore: %s: %s.%s cannot hold %q: %w", s.Type, s.Holders, s.Role, value, err)
		}
	}
	return nil
}

func isBoolText(text string) bool { return text == "true" || text == "false" }

// cell returns the value of the role's column for the id of a role.
func (s *shape) cell(id string) any {
	if s.isBool {
		return id == "true"
	}
	return id
}

// id is the expression for the id of the role in a row of Holders, as h.
func (s *shape) id() string {
	if s.isBool {
		return "CASE WHEN h." + s.Role + " THEN 'true' WHEN NOT h." + s.Role + " THEN 'false' END"
	}
	return s.db.Dialect.AsText("h." + s.Role)
}

// scope is the expression for the scope in a row of Holders, as h, without Scope.Name.
func (s *shape) scope() string {
	if s.Scope.Column == "" {
		return "''"
	}
	return s.db.Dialect.AsText("h." + s.Scope.Column)
}

// ofTenant is the condition that a row of Holders, as h, belongs to the tenant.
func ofTenant(s *shape, w *dialect.Arguments) string {
	return apptables.OfTenant(s.db, w, "h", s.UserTenant)
}

// inScope is the condition that a row of Holders, as h, has this scope.
func (s *shape) inScope(w *dialect.Arguments, scope string) string {
	if s.Scope.Column == "" {
		return "1 = 1"
	}
	return s.scope() + " = " + w.Add(strings.TrimPrefix(scope, s.Scope.Name))
}

// owns reports whether roles of this scope belong to the shape.
func (s *shape) owns(scope string) bool {
	if s.Scope.Column == "" {
		return scope == s.Scope.Name
	}
	rest, found := strings.CutPrefix(scope, s.Scope.Name)
	return found && rest != ""
}

// overlaps reports whether a scope could belong to both shapes.
func (s *shape) overlaps(o *shape) bool {
	a, b := s.Scope, o.Scope
	if a.Column == "" && b.Column == "" {
		return a.Name == b.Name
	}
	if a.Column != "" && b.Column != "" {
		return strings.HasPrefix(a.Name, b.Name) || strings.HasPrefix(b.Name, a.Name)
	}
	return s.owns(b.Name) || o.owns(a.Name)
}
