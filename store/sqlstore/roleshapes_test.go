package sqlstore_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore"
	"github.com/scimkit/scim/store/storetest"
)

// shapeTables are tables with roles in every shape.
const shapeTables = `
CREATE TABLE offices (id bigint PRIMARY KEY, name text NOT NULL);
ALTER TABLE people ADD COLUMN grade {grade} NOT NULL DEFAULT 'member';
ALTER TABLE people ADD COLUMN is_admin {bool} NOT NULL DEFAULT false;
ALTER TABLE people ADD COLUMN is_auditor {bool};
ALTER TABLE people ADD COLUMN office_id bigint REFERENCES offices (id);
ALTER TABLE people ADD COLUMN level smallint NOT NULL DEFAULT 0;
CREATE TABLE seats (person_id bigint NOT NULL, site uuid NOT NULL, lead {bool}, post text);
CREATE TABLE posts (person_id bigint NOT NULL REFERENCES people (id), site uuid NOT NULL, post {grade} NOT NULL)`

const (
	siteA = "6f1c0e0e-0000-4000-8000-00000000000a"
	siteB = "6f1c0e0e-0000-4000-8000-00000000000b"
)

func makeShapes(t testing.TB, db *sql.DB, d sqlstore.Dialect) {
	t.Helper()
	script := strings.ReplaceAll(shapeTables, "{grade}", "text")
	switch d {
	case sqlstore.MariaDB:
		script = strings.ReplaceAll(shapeTables, "{grade}", "enum('member', 'editor', 'owner')")
	case sqlstore.Postgres:
		script = "\nCREATE TYPE grade AS ENUM ('member', 'editor', 'owner');" + strings.ReplaceAll(shapeTables, "{grade}", "grade")
	}
	makeApp(t, db, d)
	for _, text := range inDialect(d, script) {
		if _, err := db.Exec(text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
}

// siteOf reads a group's name such as "<site> owner".
func siteOf(_ context.Context, src scim.RoleSource) ([]scim.Role, error) {
	site, role, _ := strings.Cut(src.Name(), " ")
	return []scim.Role{{Scope: "site:" + site, Name: role}}, nil
}

var grades = []scim.Role{{ID: "editor", Name: "Editor", Weight: 1}, {ID: "owner", Name: "Owner", Protected: true}}

// shaped is a case of TestRoleShapes.
type shaped struct {
	name      string
	shapes    []sqlstore.RoleShape
	roles     []scim.Role
	rows      string // rows prepares the rows of a new user.
	exclusive bool
	give      string // give sets the role $2 of the user $1 in the scope.
	drops     bool   // drops says that the roles can be renamed and deleted
}

func shapes() []shaped {
	yes := func(name string) []scim.Role { return []scim.Role{{ID: "true", Name: name}} }
	inSite := func(site string, roles ...scim.Role) []scim.Role {
		out := []scim.Role{}
		for _, r := range roles {
			r.Scope = "site:" + site
			out = append(out, r)
		}
		return out
	}
	sites := sqlstore.RoleScope{Name: "site:", Column: "site"}
	offices := sqlstore.RoleColumn{Table: "people", User: "id", Column: "office_id", Roles: "offices", ID: "id", Name: "name"}
	return []shaped{
		{name: "an enum", exclusive: true, roles: grades, give: "UPDATE people SET grade = $2 WHERE id = $1",
			shapes: []sqlstore.RoleShape{sqlstore.RoleColumn{Table: "people", User: "id", Column: "grade", Base: "member", List: grades}}},
		{name: "a reference", exclusive: true, drops: true, give: "UPDATE people SET office_id = $2 WHERE id = $1", shapes: []sqlstore.RoleShape{offices}},
		{name: "two booleans", rows: "UPDATE people SET is_auditor = false WHERE id = $1", give: "UPDATE people SET is_admin = $2 WHERE id = $1",
			roles: []scim.Role{{ID: "true", Name: "Administrators", Scope: "admin"}, {ID: "true", Name: "Auditors", Scope: "auditor"}},
			shapes: []sqlstore.RoleShape{
				sqlstore.RoleColumn{Table: "people", User: "id", Column: "is_admin", Base: false, List: yes("Administrators"), Scope: sqlstore.RoleScope{Name: "admin"}},
				sqlstore.RoleColumn{Table: "people", User: "id", Column: "is_auditor", List: yes("Auditors"), Scope: sqlstore.RoleScope{Name: "auditor"}},
			}},
		{name: "memberships with a boolean", rows: "INSERT INTO seats (person_id, site, lead) VALUES ($1, '" + siteA + "', false), ($1, '" + siteA + "', NULL), ($1, '" + siteB + "', false)",
			give:  "UPDATE seats SET lead = $2 WHERE person_id = $1 AND site = '" + siteA + "'",
			roles: append(inSite(siteA, yes("lead")...), inSite(siteB, yes("lead")...)...),
			shapes: []sqlstore.RoleShape{
				sqlstore.RoleColumn{Table: "seats", User: "person_id", Column: "lead", Base: false, List: yes("lead"), Scope: sites, Match: siteOf},
			}},
		{name: "memberships with a text", exclusive: true, rows: "INSERT INTO seats (person_id, site, post) VALUES ($1, '" + siteA + "', ''), ($1, '" + siteB + "', 'Owner')",
			give:  "UPDATE seats SET post = $2 WHERE person_id = $1 AND site = '" + siteA + "'",
			roles: inSite(siteA, grades...),
			shapes: []sqlstore.RoleShape{
				sqlstore.RoleColumn{Table: "seats", User: "person_id", Column: "post", Base: "Owner", List: grades, Scope: sites, Match: siteOf},
			}},
		{name: "holders without a unique index", give: "INSERT INTO posts (person_id, site, post) VALUES ($1, '" + siteA + "', $2)",
			roles: inSite(siteA, grades...),
			shapes: []sqlstore.RoleShape{
				sqlstore.RoleTables{Holders: "posts", User: "person_id", Role: "post", List: grades, Scope: sites, Match: siteOf},
			}},
	}
}

func TestRoleShapes(t *testing.T) {
	for _, c := range shapes() {
		t.Run(c.name, func(t *testing.T) {
			databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
				if d == sqlstore.SQLite {
					db = relaxed(t)
				}
				makeShapes(t, db, d)
				s := newStore(t, db, d, appOptions("o"))
				resolver, err := s.RoleResolver(t.Context(), c.shapes...)
				if err != nil {
					t.Fatal(err)
				}
				storetest.RunRoles(t, func(t *testing.T) storetest.Harness { return c.harness(t, s, d, resolver) })
			})
		})
	}
}

func (c shaped) harness(t *testing.T, s *sqlstore.Store, d sqlstore.Dialect, resolver scim.RoleResolver) storetest.Harness {
	exec := func(ctx context.Context, text string, args ...any) error {
		if d == sqlstore.SQLite { // where $2 is a name, and its number the place where it stands
			text = strings.ReplaceAll(text, "$", "?")
		}
		return run(ctx, s.DB(ctx), d, text, args...)
	}
	value := func(roleID string) any {
		if roleID == "true" {
			return true
		}
		return roleID
	}
	h := storetest.Harness{
		Resolver: resolver, Store: s, Roles: c.roles, Exclusive: c.exclusive,
		GroupName: func(r scim.Role) string {
			if site, ok := strings.CutPrefix(r.Scope, "site:"); ok {
				return site + " " + r.Name
			}
			return r.Name
		},
		AddUser: func(ctx context.Context) (string, error) {
			id, name := "", uuid.NewString() // The application makes its users itself, which takes one statement each.
			err := s.DB(ctx).QueryRowContext(ctx, "INSERT INTO people (org, kind, email, first_name, status) VALUES ('o', 'person', '"+name+"', 'Eva', 'active') RETURNING id").Scan(&id)
			if err == nil && c.rows != "" {
				err = exec(ctx, c.rows, id)
			}
			return id, err
		},
		Give: func(ctx context.Context, userID, roleID string) error {
			if _, err := s.Get(ctx, scim.Ref{Type: "User", ID: userID}); err != nil { // HeldRoles knows the users that the Store has seen.
				return err
			}
			return exec(ctx, c.give, userID, value(roleID))
		},
	}
	if c.drops {
		h.Roles = nil
		for i := range 2 {
			id, name := fmt.Sprint(uuid.New().ID()), fmt.Sprint("office ", i, t.Name())
			if err := exec(t.Context(), "INSERT INTO offices (id, name) VALUES ($1, $2)", id, name); err != nil {
				t.Fatal(err)
			}
			h.Roles = append(h.Roles, scim.Role{ID: id, Name: name})
		}
		h.Rename = func(ctx context.Context, roleID, name string) error {
			return exec(ctx, "UPDATE offices SET name = $2 WHERE id = $1", roleID, name)
		}
		h.Drop = func(ctx context.Context, roleID string) error {
			return errors.Join(exec(ctx, "UPDATE people SET office_id = NULL WHERE office_id = $1", roleID), exec(ctx, "DELETE FROM offices WHERE id = $1", roleID))
		}
	}
	return h
}

func TestRoleShapesMistakes(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		makeShapes(t, db, d)
		s := newStore(t, db, d, appOptions("o"))
		column := func(edit func(c *sqlstore.RoleColumn)) sqlstore.RoleColumn {
			c := sqlstore.RoleColumn{Table: "people", User: "id", Column: "grade", Base: "member", List: grades}
			edit(&c)
			return c
		}
		posts := func(values map[string]any) sqlstore.RoleTables {
			t := sqlstore.RoleTables{Holders: "posts", User: "person_id", Role: "post", List: grades}
			if values != nil {
				t.Insert = func(context.Context, string, string) map[string]any { return values }
			}
			return t
		}
		for want, shapes := range map[string][]sqlstore.RoleShape{
			"needs a RoleTables or a RoleColumn": nil,
			`RoleColumn: Column "a b"`:           {column(func(c *sqlstore.RoleColumn) { c.Column = "a b" })},
			`RoleColumn: Table ""`:               {column(func(c *sqlstore.RoleColumn) { c.Table = "" })},
			"column of_nobody":                   {column(func(c *sqlstore.RoleColumn) { c.Column = "of_nobody" })},
			"Where: ": {column(func(c *sqlstore.RoleColumn) {
				c.List, c.Roles, c.ID, c.Name, c.Where = nil, "offices", "id", "name", "t.no = 1"
			})},
			"table sites": {column(func(c *sqlstore.RoleColumn) {
				c.Scope.Table, c.Scope.Key, c.Scope.Column, c.Match = "sites", "id", "org", siteOf
			})},
			`Roles ""`:                          {column(func(c *sqlstore.RoleColumn) { c.List = nil })},
			"Roles and List":                    {column(func(c *sqlstore.RoleColumn) { c.Roles, c.ID, c.Name = "offices", "id", "name" })},
			`ID "" must be unique`:              {column(func(c *sqlstore.RoleColumn) { c.List = []scim.Role{{Name: "x"}} })},
			`ID "owner" must be unique`:         {column(func(c *sqlstore.RoleColumn) { c.List = append(grades[:2:2], grades[1]) })},
			"Match: is needed":                  {column(func(c *sqlstore.RoleColumn) { c.Scope.Column = "org" })},
			`Scope.Column ""`:                   {column(func(c *sqlstore.RoleColumn) { c.Scope.Table, c.Scope.Key = "offices", "id" })},
			`"true" and "false", not "member"`:  {column(func(c *sqlstore.RoleColumn) { c.Column, c.List = "is_admin", []scim.Role{{ID: "true", Name: "x"}} })},
			`scopes "" and "" are not distinct`: {column(func(*sqlstore.RoleColumn) {}), column(func(*sqlstore.RoleColumn) {})},
			`scopes "a" and "a:" are not distinct`: {
				column(func(c *sqlstore.RoleColumn) { c.Scope, c.Match = sqlstore.RoleScope{Name: "a", Column: "org"}, siteOf }),
				column(func(c *sqlstore.RoleColumn) { c.Scope.Name = "a:" }),
			},
			"people.grade is NOT NULL: set Base":                                                              {column(func(c *sqlstore.RoleColumn) { c.Base = nil })},
			"User is email, and the Key of the table people is id: use the Key":                               {column(func(c *sqlstore.RoleColumn) { c.User = "email" })},
			"table posts: column site is NOT NULL and has no default: give it a value with RoleTables.Insert": {posts(nil)},
			": User and Scope.Column are swapped": {sqlstore.RoleTables{Holders: "team_people", User: "team_id", Role: "person_id",
				Scope: sqlstore.RoleScope{Name: "team:", Column: "person_id", Table: "teams", Key: "id"}, List: []scim.Role{{ID: "1", Name: "x"}}, Match: siteOf}},
			"table posts: column sight": {posts(map[string]any{"sight": siteA})},
			"table posts: RoleTables.Insert gives a value for post, which the resolver writes": {posts(map[string]any{"site": siteA, "post": "owner"})},
			`people.grade cannot hold "boss"`:                                                  {column(func(c *sqlstore.RoleColumn) { c.List = []scim.Role{{ID: "boss", Name: "x"}} })},
			`people.level cannot hold "many"`: {column(func(c *sqlstore.RoleColumn) {
				c.Column, c.Base, c.List = "level", "many", []scim.Role{{ID: "1", Name: "x"}}
			})},
		} {
			if d == sqlstore.SQLite && strings.Contains(want, "cannot hold") {
				continue // SQLite has no types.
			}
			if _, err := s.RoleResolver(t.Context(), shapes...); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("error %v does not tell of %s", err, want)
			}
		}
	})
}

// A wrong Base would make a role of what everybody has.
func TestRoleColumnBaseOfNobody(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		makeShapes(t, db, d)
		a := app{t: t, db: db, d: d}
		a.exec("INSERT INTO people (org, email) VALUES ('o', 'ann@example.com'), ('o', 'bob@example.com')")
		for base, want := range map[string]string{"owner": "no row of people holds the Base", "member": ""} {
			log, o := &bytes.Buffer{}, appOptions("o")
			o.Log = slog.New(slog.NewTextHandler(log, nil))
			s := newStore(t, db, d, o)
			log.Reset()
			_, err := s.RoleResolver(t.Context(), sqlstore.RoleColumn{Table: "people", User: "id", Column: "grade", Base: base, List: grades[:1]})
			if err != nil || (want == "") != (log.Len() == 0) || !strings.Contains(log.String(), want) {
				t.Errorf("Base %s: %v, logs %q, want %q", base, err, log, want)
			}
		}
	})
}

// A column that holds another role is not overwritten, whatever scim.Roles says.
func TestRoleColumnOverwritesNothing(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		makeShapes(t, db, d)
		s := newStore(t, db, d, appOptions("o"))
		r, err := s.RoleResolver(t.Context(), sqlstore.RoleColumn{Table: "people", User: "id", Column: "grade", Base: "member", List: grades})
		if err != nil {
			t.Fatal(err)
		}
		id := create(t, s, user(t, "ann", nil)).ID()
		for name, c := range map[string]struct {
			has    string
			change scim.RoleChange
			want   string // want is the column afterwards.
			text   string // text is in the error; "" for none.
		}{
			"another role":              {"owner", scim.RoleChange{Grant: grades[:1]}, "owner", `holds "owner", so it cannot hold "editor"`},
			"another role, which ends":  {"owner", scim.RoleChange{Grant: grades[:1], Revoke: grades[1:]}, "editor", ""},
			"another one ends":          {"owner", scim.RoleChange{Revoke: grades[:1]}, "owner", ""},
			"two roles":                 {"member", scim.RoleChange{Grant: grades}, "member", "holds one role"},
			"the base role":             {"member", scim.RoleChange{Grant: []scim.Role{{ID: "member"}}}, "member", "no such role"},
			"the base role as revoked":  {"member", scim.RoleChange{Revoke: []scim.Role{{ID: "member"}}}, "member", ""},
			"a role of another scope":   {"owner", scim.RoleChange{Revoke: []scim.Role{{ID: "owner", Scope: "x"}}}, "owner", ""},
			"one given in other scopes": {"member", scim.RoleChange{Grant: []scim.Role{{ID: "owner", Scope: "x"}}}, "member", "no such role"},
		} {
			if err := run(t.Context(), db, d, "UPDATE people SET grade = $1 WHERE id = $2", c.has, id); err != nil {
				t.Fatal(err)
			}
			c.change.UserID = id
			err := r.ChangeRoles(t.Context(), []scim.RoleChange{c.change})
			if (err != nil) != (c.text != "") || err != nil && !strings.Contains(err.Error(), c.text) {
				t.Errorf("%s: error %v, want %q", name, err, c.text)
			}
			var has string
			if err := db.QueryRow(says(d, "SELECT CAST(grade AS text) FROM people WHERE id = $1"), id).Scan(&has); err != nil || has != c.want {
				t.Errorf("%s: the column holds %q, error %v, want %q", name, has, err, c.want)
			}
		}
	})
}

// The application gives a role by hand while SCIM gives another one: what is given by hand is
// never lost.
func TestRoleColumnRace(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		makeShapes(t, db, d)
		s := newStore(t, db, d, appOptions("o"))
		r, err := s.RoleResolver(t.Context(), sqlstore.RoleColumn{Table: "people", User: "id", Column: "grade", Base: "member", List: grades})
		if err != nil {
			t.Fatal(err)
		}
		var both sync.WaitGroup
		for i := range 40 {
			id := create(t, s, user(t, fmt.Sprint("user", i), nil)).ID()
			var byHand int64
			var failed error
			var one sync.WaitGroup
			one.Go(func() {
				if res, err := db.Exec(says(d, "UPDATE people SET grade = 'owner' WHERE id = $1 AND grade = 'member'"), id); err != nil {
					t.Error(err)
				} else if byHand, err = res.RowsAffected(); err != nil {
					t.Error(err)
				}
			})
			one.Go(func() { failed = r.ChangeRoles(t.Context(), []scim.RoleChange{grantOf(id, grades[0])}) })
			both.Go(func() {
				one.Wait()
				want := "editor"
				if byHand == 1 {
					want = "owner"
				}
				var has string
				if err := db.QueryRow(says(d, "SELECT CAST(grade AS text) FROM people WHERE id = $1"), id).Scan(&has); err != nil || has != want || (failed != nil) != (want == "owner") {
					t.Errorf("given by hand: %d rows; through SCIM: error %v; the column holds %q, error %v, want %q", byHand, failed, has, err, want)
				}
			})
		}
		both.Wait()
	})
}

func grantOf(user string, role scim.Role) scim.RoleChange {
	return scim.RoleChange{UserID: user, Grant: []scim.Role{role}, Roles: []scim.Role{role}}
}

// What a table of the application can hold, whatever the declaration says.
func TestRoleShapesOddRows(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		makeShapes(t, db, d)
		s := newStore(t, db, d, appOptions("o"))
		id := create(t, s, user(t, "ann", nil)).ID()
		exec := func(text string) {
			t.Helper()
			if _, err := db.Exec(strings.ReplaceAll(text, "{ann}", id)); err != nil {
				t.Fatalf("%s: %v", text, err)
			}
		}
		resolver := func(shape sqlstore.RoleShape) scim.RoleResolver {
			t.Helper()
			r, err := s.RoleResolver(t.Context(), shape)
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		held := func(what string, r scim.RoleResolver, want ...string) {
			t.Helper()
			got, err := r.HeldRoles(t.Context(), []string{id})
			var ids []string
			for _, role := range got[id] {
				ids = append(ids, role.Scope+role.ID)
			}
			slices.Sort(ids)
			if err != nil || !slices.Equal(ids, want) {
				t.Errorf("%s: holds %q, error %v, want %q", what, ids, err, want)
			}
		}
		change := func(r scim.RoleResolver, c scim.RoleChange) {
			t.Helper()
			c.UserID = id
			if err := r.ChangeRoles(t.Context(), []scim.RoleChange{c}); err != nil {
				t.Fatal(err)
			}
		}

		level := resolver(sqlstore.RoleColumn{Table: "people", User: "id", Column: "level", Base: 0, Roles: "offices", ID: "id", Name: "name"})
		exec("UPDATE people SET level = 99 WHERE id = {ann}")
		held("a role that no table has", level, "99")
		change(level, scim.RoleChange{Revoke: []scim.Role{{ID: "99"}}})
		held("it ends", level)

		all := append([]scim.Role{{ID: "member", Name: "Member"}}, grades...)
		listed := resolver(sqlstore.RoleColumn{Table: "people", User: "id", Column: "grade", Base: "member", List: all})
		exec("UPDATE people SET grade = 'owner' WHERE id = {ann}")
		change(listed, scim.RoleChange{Grant: all[:1]})
		held("the base role was given too", listed, "owner")
		change(listed, scim.RoleChange{Grant: all[:2], Revoke: all[2:]})
		held("the base role was given beside another one", listed, "editor")

		exec("INSERT INTO seats (person_id, site, post) VALUES ({ann}, '" + siteA + "', 'editor'), ({ann}, '" + siteA + "', 'owner'), ({ann}, '" + siteA + "', NULL)")
		seats := resolver(sqlstore.RoleColumn{Table: "seats", User: "person_id", Column: "post", List: grades, Scope: sqlstore.RoleScope{Name: "site:", Column: "site"}, Match: siteOf})
		held("two rows", seats, "site:"+siteA+"editor", "site:"+siteA+"owner")
		change(seats, scim.RoleChange{Revoke: []scim.Role{{ID: "owner", Scope: "site:" + siteA}}})
		held("the role of one row ended", seats, "site:"+siteA+"editor")
		change(seats, scim.RoleChange{Grant: []scim.Role{{ID: "owner", Scope: "site:" + siteB}}})
		held("there is no row in the scope", seats, "site:"+siteA+"editor")
	})
}

// Clients can read the column of a role as an attribute, and not write it.
func TestRoleColumnAsAttribute(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		makeShapes(t, db, d)
		o := appOptions("o")
		column := sqlstore.RoleColumn{Table: "people", User: "id", Column: "grade", Base: "member", List: grades}
		mapped := sqlstore.Column{Name: "grade", Path: "userType", Empty: "member"}
		o.Tables[0].Columns = append(o.Tables[0].Columns, mapped)
		if _, err := newStore(t, db, d, o).RoleResolver(t.Context(), column); err == nil || !strings.Contains(err.Error(), `people.grade is the Column of "userType": set ReadOnly`) {
			t.Errorf("a column that clients write: error %v", err)
		}
		o.Tables[0].Columns[len(o.Tables[0].Columns)-1].ReadOnly = true
		o.Prefix = "other_"
		s := newStore(t, db, d, o)
		r, err := s.RoleResolver(t.Context(), column)
		if err != nil {
			t.Fatal(err)
		}
		ann := create(t, s, user(t, "ann", map[string]any{"userType": "owner"}))
		if err := r.ChangeRoles(t.Context(), []scim.RoleChange{{UserID: ann.ID(), Grant: grades[:1]}}); err != nil {
			t.Fatal(err)
		}
		got, err := s.Get(t.Context(), ann.Ref())
		if err != nil || got.String("userType") != "editor" {
			t.Errorf("the client reads %q, error %v", got.String("userType"), err)
		}
	})
}

// A scope of another tenant has no roles.
func TestRoleScopeTenant(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		makeShapes(t, db, d)
		s := newStore(t, db, d, appOptions("o"))
		if _, err := db.Exec("INSERT INTO teams (org, title) VALUES ('o', 'A'), ('other', 'B')"); err != nil {
			t.Fatal(err)
		}
		r, err := s.RoleResolver(t.Context(), sqlstore.RoleTables{Holders: "posts", User: "person_id", Role: "post", List: grades,
			Scope: sqlstore.RoleScope{Name: "team:", Column: "site", Table: "teams", Key: "id", Tenant: "org"},
			Match: func(_ context.Context, src scim.RoleSource) ([]scim.Role, error) {
				return []scim.Role{{ID: "owner", Scope: "team:" + src.Name()}}, nil
			}})
		if err != nil {
			t.Fatal(err)
		}
		for team, want := range map[string]error{"1": nil, "2": scim.ErrNoRole, "3": scim.ErrNoRole, "": scim.ErrNoRole} {
			if _, err := r.ResolveRoles(t.Context(), scim.RoleSource{Group: group(t, team)}); !errors.Is(err, want) {
				t.Errorf("team %q: error %v, want %v", team, err, want)
			}
		}
		id := create(t, s, user(t, "ann", nil)).ID()
		if err := r.ChangeRoles(t.Context(), []scim.RoleChange{{UserID: id, Grant: []scim.Role{{ID: "owner", Scope: "team:2"}}}}); !errors.Is(err, scim.ErrNoRole) {
			t.Errorf("a role in a team of another tenant: error %v", err)
		}
	})
}

// Several shapes answer together, and one of them may refuse or fail.
func TestRoleShapesTogether(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		makeShapes(t, db, d)
		s := newStore(t, db, d, appOptions("o"))
		outage := errors.New("no answer")
		flag := func(column string, match func(context.Context, scim.RoleSource) ([]scim.Role, error)) sqlstore.RoleColumn {
			return sqlstore.RoleColumn{Table: "people", User: "id", Column: column, Scope: sqlstore.RoleScope{Name: column},
				List: []scim.Role{{ID: "true", Name: "Staff"}}, Match: match}
		}
		r, err := s.RoleResolver(t.Context(), flag("is_admin", nil), flag("is_auditor", func(_ context.Context, src scim.RoleSource) ([]scim.Role, error) {
			switch src.Name() {
			case "Secret":
				return nil, &scim.Error{Status: 400, Type: "invalidValue", Detail: "not through SCIM"}
			case "Staff":
				return nil, &scim.Error{Status: 403, Detail: "Staff is for administrators"}
			case "Outage":
				return nil, outage
			case "Both":
				return []scim.Role{{ID: "true"}, {Name: "Staff"}, {Name: "nobody"}, {}}, nil
			}
			return nil, nil
		}))
		if err != nil {
			t.Fatal(err)
		}
		admin, auditor := scim.Role{ID: "true", Name: "Staff", Scope: "is_admin"}, scim.Role{ID: "true", Name: "Staff", Scope: "is_auditor"}
		for _, c := range []struct {
			src  scim.RoleSource
			want []scim.Role
			text string // text is in the error; "" for none.
		}{
			{scim.RoleSource{Group: group(t, "Staff")}, []scim.Role{admin}, ""},
			{scim.RoleSource{Group: group(t, "Both")}, []scim.Role{auditor}, ""},
			{scim.RoleSource{Group: group(t, "Crew"), Linked: []scim.Role{admin}}, []scim.Role{admin}, ""},
			{scim.RoleSource{Group: group(t, "Crew"), Linked: []scim.Role{auditor}}, nil, scim.ErrNoRole.Error()},
			{scim.RoleSource{Group: group(t, "Secret")}, nil, "not through SCIM"},
			{scim.RoleSource{Attribute: "roles", Value: "Secret"}, nil, "not through SCIM"},
			{scim.RoleSource{Attribute: "roles", Value: "Crew"}, nil, `roles: there is no role "Crew"; the roles are Staff`},
			{scim.RoleSource{Group: group(t, "Outage"), Linked: []scim.Role{admin}}, nil, outage.Error()},
		} {
			got, err := r.ResolveRoles(t.Context(), c.src)
			if !slices.Equal(got, c.want) || (err != nil) != (c.text != "") || err != nil && !strings.Contains(err.Error(), c.text) {
				t.Errorf("%s, linked to %v: %v, error %v, want %v, error %q", c.src.Name(), c.src.Linked, got, err, c.want, c.text)
			}
		}
	})
}

// In a column of booleans that is NOT NULL, nobody's value is false: no Base need say so.
func TestRoleColumnOfBooleans(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		makeShapes(t, db, d)
		s := newStore(t, db, d, appOptions("o"))
		r, err := s.RoleResolver(t.Context(), sqlstore.RoleColumn{Table: "people", User: "id", Column: "is_admin", List: []scim.Role{{ID: "true", Name: "Staff"}}})
		if err != nil {
			t.Fatal(err)
		}
		id, staff := create(t, s, user(t, "ann", nil)).ID(), []scim.Role{{ID: "true"}}
		for _, c := range []scim.RoleChange{{UserID: id, Grant: staff}, {UserID: id, Revoke: staff}} {
			if err := r.ChangeRoles(t.Context(), []scim.RoleChange{c}); err != nil {
				t.Fatal(err)
			}
			held, err := r.HeldRoles(t.Context(), []string{id})
			if err != nil || len(held[id]) != len(c.Grant) {
				t.Errorf("after %v: held %v, error %v", c, held, err)
			}
		}
	})
}
