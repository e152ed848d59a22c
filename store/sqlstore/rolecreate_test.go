package sqlstore_test

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore"
)

// A group creates its role in the table of roles, in the transaction of the request.
func TestRoleTablesCreate(t *testing.T) {
	const script = `CREATE TABLE roles (id {serial}, org text NOT NULL, name text NOT NULL, kind text NOT NULL, protected {bool} NOT NULL DEFAULT false, UNIQUE (org, name));
CREATE TABLE holders (user_id text NOT NULL, role_id bigint NOT NULL REFERENCES roles (id) CHECK (role_id < 4), PRIMARY KEY (user_id, role_id));
INSERT INTO roles (org, name, kind) VALUES ('o', 'Admin', 'team'), ('other', 'Ops', 'team')`
	onProducts(t, script, nil, func(p *product) {
		p.serve(sqlstore.Options{Tenant: "o"}, scim.Roles{Missing: scim.CreateRole, Attributes: []string{"userType"}}, func(*sqlstore.Store) []sqlstore.RoleShape {
			return []sqlstore.RoleShape{sqlstore.RoleTables{Roles: "roles", ID: "id", Name: "name", Protected: "protected", Tenant: "org",
				Create:  func(name string) map[string]any { return map[string]any{"kind": "team"} },
				Holders: "holders", User: "user_id", Role: "role_id"}}
		})
		want := func(when, roles string) {
			p.t.Helper()
			p.want(when, roles, p.row("SELECT CAST(count(*) AS text) FROM roles WHERE org = 'o'"))
		}
		ann := p.user("ann")
		p.group("Ops", ann)
		want("a group of a new name", "2")
		p.want("the new role", "3 team", p.row("SELECT CAST(id AS text) || ' ' || kind FROM roles WHERE org = 'o' AND name = 'Ops'"))
		p.want("its holder", ann, p.row("SELECT user_id FROM holders WHERE role_id = 3"))
		p.group("Ops", ann)
		want("another group of this name", "2")
		p.do("POST", "/Groups", `{"displayName":"ADMIN"}`, 400)
		want("a name that looks like another one", "2")
		p.do("POST", "/Groups", fmt.Sprintf(`{"displayName":"Dev","members":[{"value":%q}]}`, ann), 500) // the CHECK
		want("a request that fails", "2")
		detail := fmt.Sprint(p.do("POST", "/Users", `{"userName":"bob","userType":"Boss"}`, 400)["detail"])
		if !strings.Contains(detail, "the roles are Admin, Ops") {
			p.t.Errorf("the refusal says %s", detail)
		}
		schema := fmt.Sprint(p.do("GET", "/Schemas/urn:ietf:params:scim:schemas:core:2.0:User", "", 200))
		if !strings.Contains(schema, "canonicalValues:[Admin Ops]") {
			p.t.Errorf("the schema does not list the roles: %s", schema)
		}
	})
}

// Mistakes in Create are found when the resolver is made.
func TestRoleTablesCreateMistakes(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		s := newStore(t, db, d, sqlstore.Options{})
		for _, text := range inDialect(d, "CREATE TABLE roles (id {serial}, name text);\nCREATE TABLE holders (user_id text, role_id bigint, space text)") {
			if _, err := db.Exec(text); err != nil {
				t.Fatal(err)
			}
		}
		none := func(string) map[string]any { return nil }
		good := sqlstore.RoleTables{Roles: "roles", ID: "id", Name: "name", Create: none, Holders: "holders", User: "user_id", Role: "role_id"}
		second, scoped := good, good
		second.Scope.Name = "b"
		scoped.Scope = sqlstore.RoleScope{Name: "s:", Column: "space"}
		scoped.Match = func(context.Context, scim.RoleSource) ([]scim.Role, error) { return nil, nil }
		for _, tt := range []struct {
			name, want string
			shapes     []sqlstore.RoleShape
		}{
			{"good", "", []sqlstore.RoleShape{good}},
			{"two", "only one shape can have it", []sqlstore.RoleShape{good, second}},
			{"a scope in a column", "a scope without a column", []sqlstore.RoleShape{scoped}},
		} {
			_, err := s.RoleResolver(t.Context(), tt.shapes...)
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
			}
		}
	})
}
