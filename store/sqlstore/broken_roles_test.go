package sqlstore_test

import (
	"context"
	"database/sql"
	"strings"
	"testing"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore"
)

// brokenRoles are mistakes in declarations of roles. Each is told when the program starts, before a
// client gives a role to somebody else, or to nobody.
func brokenRoles() map[string]struct {
	shape sqlstore.RoleShape
	want  string // what RoleResolver says; "": nothing is wrong
} {
	type broken = struct {
		shape sqlstore.RoleShape
		want  string
	}
	table := func(change func(r *sqlstore.RoleTables)) sqlstore.RoleShape {
		r := sqlstore.RoleTables{Roles: "crews", ID: "id", Name: "title", Holders: "crew_people", User: "person_id", Role: "crew_id",
			Create: func(string) map[string]any { return map[string]any{"boss": 1} },
			Insert: func(context.Context, string, string) map[string]any { return map[string]any{"giver": "scim"} }}
		change(&r)
		return r
	}
	column := func(change func(c *sqlstore.RoleColumn)) sqlstore.RoleShape {
		c := sqlstore.RoleColumn{Table: "people", User: "id", Column: "is_admin", Base: false, List: []scim.Role{{ID: "true", Name: "Admin", Protected: true}}}
		change(&c)
		return c
	}
	return map[string]broken{
		"fine":                              {table(func(*sqlstore.RoleTables) {}), ""},
		"a fine column":                     {column(func(*sqlstore.RoleColumn) {}), ""},
		"a grant that the database refuses": {table(func(r *sqlstore.RoleTables) { r.Insert = nil }), "table crew_people: column giver is NOT NULL and has no default: give it a value with RoleTables.Insert"},
		"a role that the database refuses":  {table(func(r *sqlstore.RoleTables) { r.Create = func(string) map[string]any { return nil } }), "table crews: column boss is NOT NULL and has no default: give it a value with RoleTables.Create"},
		"Insert misspells a column": {table(func(r *sqlstore.RoleTables) {
			r.Insert = func(context.Context, string, string) map[string]any { return map[string]any{"given_by": "scim"} }
		}), "table crew_people: column given_by"},
		"protected by a text":         {table(func(r *sqlstore.RoleTables) { r.Protected = "title" }), "table crews: Protected: column title holds texts, and must hold booleans"},
		"weighed by a text":           {table(func(r *sqlstore.RoleTables) { r.Weight = "title" }), "table crews: Weight: column title holds texts, and must hold numbers"},
		"users and roles are swapped": {table(func(r *sqlstore.RoleTables) { r.User, r.Role = r.Role, r.User }), "RoleTables: column crew_id is named after the table crews: Role and User are swapped"},
		"users and scopes are swapped": {sqlstore.RoleTables{Holders: "crew_people", User: "crew_id", Role: "giver", List: []scim.Role{{ID: "scim", Name: "x"}},
			Scope: sqlstore.RoleScope{Name: "crew:", Column: "person_id", Table: "crews", Key: "id"},
			Match: func(context.Context, scim.RoleSource) ([]scim.Role, error) { return nil, nil }}, "RoleTables: column crew_id is named after the table crews: User and Scope.Column are swapped"},
		"the users by another column": {column(func(c *sqlstore.RoleColumn) { c.User = "grade" }), "RoleColumn: User is grade, and the Key of the table people is id"},
		"memberships without a scope": {column(func(c *sqlstore.RoleColumn) { c.Table, c.User, c.Column = "team_people", "person_id", "leads" }), "set Scope.Column to team_id"},
	}
}

func TestBrokenRoles(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		makeApp(t, db, d)
		for _, text := range []string{
			"ALTER TABLE people ADD COLUMN is_admin {bool}", "ALTER TABLE people ADD COLUMN grade integer", "ALTER TABLE team_people ADD COLUMN leads {bool}",
			"CREATE TABLE crews (id {serial}, title text NOT NULL, boss bigint NOT NULL)",
			"CREATE TABLE crew_people (id {serial}, crew_id bigint NOT NULL, person_id bigint NOT NULL, giver text NOT NULL)",
		} {
			execText(t, db, inDialect(d, text)[0])
		}
		s := newStore(t, db, d, appOptions("o"))
		for name, test := range brokenRoles() {
			_, err := s.RoleResolver(t.Context(), test.shape)
			switch {
			case test.want == "" && err != nil:
				t.Errorf("%s: %v", name, err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n")):
				t.Errorf("%s: the error is not the line %q: %v", name, test.want, err)
			}
		}
	})
}
