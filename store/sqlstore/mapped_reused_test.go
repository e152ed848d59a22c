package sqlstore_test

import (
	"context"
	"database/sql"
	"testing"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore"
)

// slugs is an application whose teams have keys that people choose, so that one comes back.
func slugs(t *testing.T, db *sql.DB, d sqlstore.Dialect) app {
	a := app{t: t, db: db, d: d}
	a.exec(inDialect(d, "CREATE TABLE people (id {serial}, email text NOT NULL UNIQUE)")[0])
	a.exec("CREATE TABLE teams (slug text PRIMARY KEY, title text NOT NULL)")
	a.exec("CREATE TABLE team_people (team text NOT NULL REFERENCES teams (slug) ON DELETE CASCADE, person_id bigint NOT NULL REFERENCES people (id) ON DELETE CASCADE, PRIMARY KEY (team, person_id))")
	return a
}

func slugOptions() sqlstore.Options {
	return sqlstore.Options{Tables: []sqlstore.Table{
		{Type: "User", Name: "people", Key: "id", Columns: []sqlstore.Column{{Name: "email", Path: "userName"}}},
		{Type: "Group", Name: "teams", Key: "slug", Columns: []sqlstore.Column{{Name: "title", Path: "displayName"}},
			Insert: func(_ context.Context, r *scim.Resource) map[string]any {
				return map[string]any{"slug": r.String("displayName")}
			}},
	}, Members: &sqlstore.Join{Name: "team_people", Group: "team", User: "person_id"}}
}

// As TestMappedLinkOfDeletedTeam, with a protected role: nobody confirms it for the new team.
func TestMappedLinkOfDeletedTeamProtected(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		a := slugs(t, db, d)
		a.exec(inDialect(d, "CREATE TABLE roles (id integer PRIMARY KEY, name text UNIQUE, guarded {bool})")[0])
		a.exec("CREATE TABLE user_roles (role_id integer REFERENCES roles (id) ON DELETE CASCADE, user_id bigint REFERENCES people (id) ON DELETE CASCADE, PRIMARY KEY (role_id, user_id))")
		a.exec("INSERT INTO people (email) VALUES ('ann'), ('bob')")
		a.exec("INSERT INTO roles VALUES (1, 'Owners', true)")
		a.exec("INSERT INTO teams VALUES ('core', 'Owners')")
		a.s = newStore(t, db, d, slugOptions())
		roles, err := a.s.RoleResolver(t.Context(), sqlstore.RoleTables{Roles: "roles", ID: "id", Name: "name", Protected: "guarded", Holders: "user_roles", User: "user_id", Role: "role_id"})
		if err != nil {
			t.Fatal(err)
		}
		c := newClient(t, scim.Config{Store: a.s, Roles: &scim.Roles{Resolver: roles}})
		c.do("PATCH", "/Groups/core", `{"Operations":[{"op":"add","path":"members","value":[{"value":"1"}]}]}`, 204)
		if err := reconciler(c.sh).Confirm(t.Context(), "core", scim.Role{ID: "1"}); err != nil {
			t.Fatal(err)
		}
		a.exec("DELETE FROM teams WHERE slug = 'core'")
		c.do("GET", "/Groups/core", "", 404)
		if _, err := reconciler(c.sh).All(t.Context(), ""); err != nil {
			t.Fatal(err)
		}
		a.exec("INSERT INTO teams VALUES ('core', 'Interns')")
		c.do("PATCH", "/Groups/core", `{"Operations":[{"op":"add","path":"members","value":[{"value":"2"}]}]}`, 204)
		a.want("bob, an intern, holds", "0", a.row("SELECT count(*) FROM user_roles WHERE user_id = 2"))
	})
}

// TestMappedTeamMadeAnew with roles: reconciled, the person loses the role.
func TestMappedTeamMadeAnewRole(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		a := slugs(t, db, d)
		a.exec("CREATE TABLE roles (id integer PRIMARY KEY, name text UNIQUE)")
		a.exec("CREATE TABLE user_roles (role_id integer REFERENCES roles (id) ON DELETE CASCADE, user_id bigint REFERENCES people (id) ON DELETE CASCADE, PRIMARY KEY (role_id, user_id))")
		a.exec("INSERT INTO people (email) VALUES ('ann'), ('bob')")
		a.exec("INSERT INTO roles VALUES (1, 'Owners')")
		a.exec("INSERT INTO teams VALUES ('core', 'Owners')")
		a.s = newStore(t, db, d, slugOptions())
		roles, err := a.s.RoleResolver(t.Context(), sqlstore.RoleTables{Roles: "roles", ID: "id", Name: "name", Holders: "user_roles", User: "user_id", Role: "role_id"})
		if err != nil {
			t.Fatal(err)
		}
		c := newClient(t, scim.Config{Store: a.s, Roles: &scim.Roles{Resolver: roles}})
		c.do("PATCH", "/Groups/core", `{"Operations":[{"op":"add","path":"members","value":[{"value":"1"}]}]}`, 204)
		a.exec("DELETE FROM teams WHERE slug = 'core'")
		a.exec("INSERT INTO teams VALUES ('core', 'Owners')")
		if err := reconciler(c.sh).Users(t.Context(), "1"); err != nil {
			t.Fatal(err)
		}
		if _, err := reconciler(c.sh).All(t.Context(), ""); err != nil {
			t.Fatal(err)
		}
		a.want("in the team", "0", a.row("SELECT count(*) FROM team_people"))
		a.want("ann holds", "0", a.row("SELECT count(*) FROM user_roles WHERE user_id = 1"))
	})
}

// A link does not outlive its team: another team of the same key does not give that role.
func TestMappedLinkOfDeletedTeam(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		a := slugs(t, db, d)
		a.exec("CREATE TABLE roles (id integer PRIMARY KEY, name text UNIQUE)")
		a.exec("CREATE TABLE user_roles (role_id integer REFERENCES roles (id) ON DELETE CASCADE, user_id bigint REFERENCES people (id) ON DELETE CASCADE, PRIMARY KEY (role_id, user_id))")
		a.exec("INSERT INTO people (email) VALUES ('ann'), ('bob')")
		a.exec("INSERT INTO roles VALUES (1, 'Owners')")
		a.exec("INSERT INTO teams VALUES ('core', 'Owners')")
		a.s = newStore(t, db, d, slugOptions())
		roles, err := a.s.RoleResolver(t.Context(), sqlstore.RoleTables{Roles: "roles", ID: "id", Name: "name", Holders: "user_roles", User: "user_id", Role: "role_id"})
		if err != nil {
			t.Fatal(err)
		}
		c := newClient(t, scim.Config{Store: a.s, Roles: &scim.Roles{Resolver: roles}})
		c.do("PATCH", "/Groups/core", `{"Operations":[{"op":"add","path":"members","value":[{"value":"1"}]}]}`, 204)
		a.want("ann is an owner", "1", a.row("SELECT count(*) FROM user_roles WHERE user_id = 1"))
		// The application deletes the team; a request sees that, and roles are reconciled.
		a.exec("DELETE FROM teams WHERE slug = 'core'")
		c.do("GET", "/Groups/core", "", 404)
		if _, err := reconciler(c.sh).All(t.Context(), ""); err != nil {
			t.Fatal(err)
		}
		a.want("ann is no owner", "0", a.row("SELECT count(*) FROM user_roles WHERE user_id = 1"))
		// Later there is another team of that key, with a name that is no role's.
		a.exec("INSERT INTO teams VALUES ('core', 'Interns')")
		c.do("PATCH", "/Groups/core", `{"Operations":[{"op":"add","path":"members","value":[{"value":"2"}]}]}`, 204)
		a.want("links", "0", a.row("SELECT count(*) FROM scim_links"))
		a.want("bob, an intern, holds", "0", a.row("SELECT count(*) FROM user_roles WHERE user_id = 2"))
	})
}

// SQLite gives the key of a deleted row to the next one.
func TestMappedLinkOfDeletedTeamRowid(t *testing.T) {
	db := sqliteDB(t)
	a := app{t: t, db: db, d: sqlstore.SQLite}
	a.exec("CREATE TABLE people (id integer PRIMARY KEY, email text NOT NULL UNIQUE)")
	a.exec("CREATE TABLE teams (id integer PRIMARY KEY, title text NOT NULL)")
	a.exec("CREATE TABLE team_people (team integer NOT NULL REFERENCES teams (id) ON DELETE CASCADE, person_id integer NOT NULL REFERENCES people (id) ON DELETE CASCADE, PRIMARY KEY (team, person_id))")
	a.exec("CREATE TABLE roles (id integer PRIMARY KEY, name text UNIQUE)")
	a.exec("CREATE TABLE user_roles (role_id integer REFERENCES roles (id) ON DELETE CASCADE, user_id bigint REFERENCES people (id) ON DELETE CASCADE, PRIMARY KEY (role_id, user_id))")
	a.exec("INSERT INTO people (email) VALUES ('ann'), ('bob')")
	a.exec("INSERT INTO roles VALUES (1, 'Owners')")
	a.exec("INSERT INTO teams (title) VALUES ('Sales'), ('Owners')")
	a.s = newStore(t, db, a.d, sqlstore.Options{Tables: []sqlstore.Table{
		{Type: "User", Name: "people", Key: "id", Columns: []sqlstore.Column{{Name: "email", Path: "userName"}}},
		{Type: "Group", Name: "teams", Key: "id", Columns: []sqlstore.Column{{Name: "title", Path: "displayName"}}},
	}, Members: &sqlstore.Join{Name: "team_people", Group: "team", User: "person_id"}})
	roles, err := a.s.RoleResolver(t.Context(), sqlstore.RoleTables{Roles: "roles", ID: "id", Name: "name", Holders: "user_roles", User: "user_id", Role: "role_id"})
	if err != nil {
		t.Fatal(err)
	}
	c := newClient(t, scim.Config{Store: a.s, Roles: &scim.Roles{Resolver: roles}})
	c.do("PATCH", "/Groups/2", `{"Operations":[{"op":"add","path":"members","value":[{"value":"1"}]}]}`, 204)
	a.exec("DELETE FROM teams WHERE id = 2")
	c.do("GET", "/Groups/2", "", 404)
	if _, err := reconciler(c.sh).All(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	a.exec("INSERT INTO teams (title) VALUES ('Interns')")
	c.do("PATCH", "/Groups/2", `{"Operations":[{"op":"add","path":"members","value":[{"value":"2"}]}]}`, 204)
	a.want("bob, an intern, holds", "0", a.row("SELECT count(*) FROM user_roles WHERE user_id = 2"))
}

// A team that is deleted and made again between two requests has none of its members.
func TestMappedTeamMadeAnew(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		a := slugs(t, db, d)
		a.exec("INSERT INTO people (email) VALUES ('ann'), ('bob')")
		a.exec("INSERT INTO teams VALUES ('core', 'Owners')")
		a.exec("INSERT INTO team_people VALUES ('core', 1)")
		a.s = newStore(t, db, d, slugOptions())
		a.want("members", []string{"1"}, a.members("core"))
		a.exec("DELETE FROM teams WHERE slug = 'core'")
		a.exec("INSERT INTO teams VALUES ('core', 'Owners')")
		a.want("rows", "0", a.row("SELECT count(*) FROM team_people"))
		a.want("members", []string{}, a.members("core"))
	})
}

// A team's key changes, and another one takes it, without its members.
func TestMappedTeamKeyTaken(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		a := app{t: t, db: db, d: d}
		a.exec(inDialect(d, "CREATE TABLE people (id {serial}, email text NOT NULL UNIQUE)")[0])
		a.exec("CREATE TABLE teams (slug text PRIMARY KEY, title text NOT NULL)")
		a.exec("CREATE TABLE team_people (team text NOT NULL REFERENCES teams (slug) ON UPDATE CASCADE ON DELETE CASCADE, person_id bigint NOT NULL REFERENCES people (id) ON DELETE CASCADE, PRIMARY KEY (team, person_id))")
		a.exec("INSERT INTO people (email) VALUES ('ann'), ('bob')")
		a.exec("INSERT INTO teams VALUES ('core', 'Owners')")
		a.exec("INSERT INTO team_people VALUES ('core', 1)")
		a.s = newStore(t, db, d, slugOptions())
		a.exec("UPDATE teams SET slug = 'core-old' WHERE slug = 'core'")
		a.exec("INSERT INTO teams VALUES ('core', 'New')")
		a.want("members of the old one", []string{"1"}, a.members("core-old"))
		a.want("members of the new one", []string{}, a.members("core"))
	})
}
