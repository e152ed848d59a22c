package sqlstore_test

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"testing"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore"
	"github.com/scimkit/scim/store/storetest"
)

// numbered are tables whose rows have numbers that are unique within an organisation.
const numbered = `
CREATE TABLE people (org text NOT NULL, no bigint NOT NULL, email text NOT NULL, job text, PRIMARY KEY (org, no), UNIQUE (org, email));
CREATE TABLE people_emails (org text NOT NULL, person_no bigint NOT NULL, address text, kind text, FOREIGN KEY (org, person_no) REFERENCES people (org, no));
CREATE TABLE teams (org text NOT NULL, no bigint NOT NULL, title text NOT NULL, PRIMARY KEY (org, no));
CREATE TABLE team_people (org text NOT NULL, team_no bigint NOT NULL, person_no bigint NOT NULL, PRIMARY KEY (org, team_no, person_no),
	FOREIGN KEY (org, team_no) REFERENCES teams (org, no), FOREIGN KEY (org, person_no) REFERENCES people (org, no))`

// numberedOptions maps them. first is the first number that the application gives.
func numberedOptions(org string, first int) sqlstore.Options {
	next := func() func(context.Context, *scim.Resource) map[string]any {
		n := first - 1
		return func(_ context.Context, r *scim.Resource) map[string]any {
			if r.String("userName") != "" || r.String("displayName") != "" { // Migrate asks without values
				n++
			}
			return map[string]any{"no": n}
		}
	}
	return sqlstore.Options{Tenant: org, Tables: []sqlstore.Table{
		{Type: "User", Name: "people", Key: "no", Tenant: "org", Insert: next(),
			Columns: []sqlstore.Column{{Name: "email", Path: "userName"}, {Name: "job", Path: "title"}},
			Children: []sqlstore.Child{{Path: "emails", Name: "people_emails", Parent: "person_no", Tenant: "org",
				Columns: []sqlstore.Column{{Name: "address", Path: "value"}, {Name: "kind", Path: "type"}}}}},
		{Type: "Group", Name: "teams", Key: "no", Tenant: "org", Insert: next(), Columns: []sqlstore.Column{{Name: "title", Path: "displayName"}}},
	}, Members: &sqlstore.Join{Name: "team_people", Group: "team_no", User: "person_no", Tenant: "org"}}
}

// inNumbered runs a test on each database, with people and teams of two organisations that have
// the same numbers.
func inNumbered(t *testing.T, test func(a app)) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		if d == sqlstore.SQLite {
			db = relaxed(t)
		}
		a := app{t: t, db: db, d: d}
		for _, text := range inDialect(d, numbered) {
			a.exec(text)
		}
		test(a)
	})
}

func TestMappedNumbered(t *testing.T) {
	inNumbered(t, func(a app) {
		storetest.RunTenants(a.t, func(t *testing.T) (x, y scim.Store) {
			return newStore(t, a.db, a.d, numberedOptions(t.Name()+" a", 1)), newStore(t, a.db, a.d, numberedOptions(t.Name()+" b", 1))
		})
		storetest.RunMapping(a.t, func(t *testing.T) storetest.Mapping {
			return storetest.Mapping{Store: newStore(t, a.db, a.d, numberedOptions(t.Name(), 1))}
		})
	})
}

// Whatever happens in one organisation, another one with the same numbers stays as it is.
func TestMappedNumberedApart(t *testing.T) {
	inNumbered(t, func(a app) {
		for _, org := range []string{"o", "p"} {
			a.exec(fmt.Sprintf("INSERT INTO people VALUES ('%[1]s', 1, 'ann@%[1]s', 'boss'), ('%[1]s', 2, 'bob@%[1]s', NULL)", org))
			a.exec(fmt.Sprintf("INSERT INTO people_emails VALUES ('%[1]s', 1, 'ann@%[1]s', 'work')", org))
			a.exec(fmt.Sprintf("INSERT INTO teams VALUES ('%[1]s', 1, 'Sales'), ('%[1]s', 2, 'Support')", org))
			a.exec(fmt.Sprintf("INSERT INTO team_people VALUES ('%[1]s', 1, 1), ('%[1]s', 2, 1)", org))
		}
		a.s = newStore(a.t, a.db, a.d, numberedOptions("o", 3))
		p := app{t: a.t, db: a.db, d: a.d, s: newStore(a.t, a.db, a.d, numberedOptions("p", 3))}
		view := func() []string {
			var all []string
			for _, ref := range []scim.Ref{{Type: "User", ID: "1"}, {Type: "User", ID: "2"}, {Type: "Group", ID: "1"}, {Type: "Group", ID: "2"}} {
				r := p.get(ref.Type, ref.ID)
				text, err := r.MarshalJSON()
				if err != nil {
					a.t.Fatal(err)
				}
				all = append(all, ref.Type+ref.ID+string(text)+r.Meta().Version)
			}
			return append(all, fmt.Sprint(p.members("1"), p.members("2")), a.row("SELECT count(*) FROM team_people WHERE org = 'p'"), a.row("SELECT count(*) FROM people_emails WHERE org = 'p'"))
		}
		before := view()
		c := newClient(a.t, scim.Config{Store: a.s})
		steps := []func(){
			func() {
				c.do("PATCH", "/Users/1", `{"Operations":[{"op":"replace","path":"userName","value":"anna@o"},{"op":"replace","path":"emails","value":[{"value":"anna@o","type":"home"}]}]}`, 200)
			},
			func() {
				c.do("PATCH", "/Groups/1", `{"Operations":[{"op":"add","path":"members","value":[{"value":"2"}]}]}`, 204)
				a.want("members", []string{"1", "2"}, a.members("1"))
			},
			func() {
				c.do("PATCH", "/Groups/1", `{"Operations":[{"op":"remove","path":"members[value eq \"1\"]"}]}`, 204)
			},
			func() { a.exec("INSERT INTO people_emails VALUES ('o', 2, 'bob@o', 'work')"); a.get("User", "2") },
			func() { a.exec("DELETE FROM team_people WHERE org = 'o' AND team_no = 2") },
			func() {
				c.do("DELETE", "/Users/1", "", 204)
				a.want("Ann of o", "0", a.row("SELECT count(*) FROM people WHERE org = 'o' AND no = 1"))
			},
			func() { c.do("DELETE", "/Groups/1", "", 204) },
			func() { a.exec("DELETE FROM teams WHERE org = 'o'") },
		}
		for i, step := range steps {
			step()
			a.want(fmt.Sprint("the other organisation after step ", i), before, view())
		}
		p.exec("UPDATE people SET job = 'chief' WHERE org = 'p' AND no = 2")
		p.want("its own change", "chief", p.get("User", "2").String("title"))
	})
}

// A unique index that spans organisations keeps a name that looks alike, also of a row with the
// same number.
func TestMappedNumberedNames(t *testing.T) {
	inNumbered(t, func(a app) {
		a.exec("CREATE UNIQUE INDEX people_names ON people (email)")
		a.s = newStore(a.t, a.db, a.d, numberedOptions("o", 1))
		p := newStore(a.t, a.db, a.d, numberedOptions("p", 1))
		create(a.t, p, user(a.t, "Ann@X.com", nil))
		if _, err := a.s.Create(a.t.Context(), user(a.t, "ANN@x.com", nil)); !conflict(err) {
			a.t.Errorf("a name of a row with the same number: %v, want a conflict", err)
		}
		bob := create(a.t, a.s, user(a.t, "bob@x.com", nil))
		a.want("the number after the one that was refused", "2", bob.ID())
		a.update(bob.ID(), map[string]any{"userName": "Bob@x.com"})
	})
}

// A role that a column of the users' table holds is that of the tenant's user.
func TestMappedNumberedRoles(t *testing.T) {
	inNumbered(t, func(a app) {
		a.exec("INSERT INTO people VALUES ('o', 1, 'ann@o', NULL), ('p', 1, 'ann@p', 'editor')")
		a.exec("CREATE TABLE holders (org text, person bigint, role text)")
		a.exec("INSERT INTO holders VALUES ('p', 1, 'x')")
		o := numberedOptions("o", 2)
		o.Tables[0].Columns[1].ReadOnly = true
		a.s = newStore(a.t, a.db, a.d, o)
		list := []scim.Role{{ID: "editor", Name: "Editors"}}
		resolver, err := a.s.RoleResolver(a.t.Context(),
			sqlstore.RoleColumn{Table: "people", User: "no", UserTenant: "org", Column: "job", List: list},
			sqlstore.RoleTables{Holders: "holders", User: "person", UserTenant: "org", Role: "role", Scope: sqlstore.RoleScope{Name: "x"}, List: []scim.Role{{ID: "x", Name: "Editors"}}})
		if err != nil {
			a.t.Fatal(err)
		}
		c := newClient(a.t, scim.Config{Store: a.s, Roles: &scim.Roles{Resolver: resolver, Exclusive: true}})
		held := func(when, want string) {
			a.t.Helper()
			a.want(when, want, a.row("SELECT coalesce(job, '-') FROM people WHERE org = 'o'")+" "+a.row("SELECT count(*) FROM holders WHERE org = 'o'"))
			a.want(when+": the other organisation", "editor 1", a.row("SELECT job FROM people WHERE org = 'p'")+" "+a.row("SELECT count(*) FROM holders WHERE org = 'p'"))
		}
		id := c.do("POST", "/Groups", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"Editors","members":[{"value":"1"}]}`, 201)["id"]
		held("the group gives", "editor 1")
		holders, err := resolver.(scim.RoleHolders).RoleHolders(a.t.Context(), scim.Role{Scope: "x", ID: "x"}, "", 10)
		if err != nil || !slices.Equal(holders, []string{"1"}) {
			a.t.Errorf("holders: %v, %v", holders, err)
		}
		c.do("DELETE", fmt.Sprint("/Groups/", id), "", 204)
		held("the group is gone", "- 0")
	})
}

// A key of several columns becomes one by a generated column.
func TestMappedGeneratedKey(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		a := app{t: t, db: db, d: d}
		text := "CREATE TABLE staff (site text NOT NULL, no integer NOT NULL, email text NOT NULL UNIQUE, uid text GENERATED ALWAYS AS (site || '-' || CAST(no AS text)) STORED UNIQUE, PRIMARY KEY (site, no))"
		if d == sqlstore.MariaDB {
			text = "CREATE TABLE staff (site varchar(20) NOT NULL, no integer NOT NULL, email varchar(99) NOT NULL UNIQUE, uid varchar(40) GENERATED ALWAYS AS (concat(site, '-', no)) STORED UNIQUE, PRIMARY KEY (site, no))"
		}
		execText(t, db, text)
		a.exec("INSERT INTO staff (site, no, email) VALUES ('ulm', 1, 'ann'), ('ulm', 2, 'bob')")
		n := 7
		a.s = newStore(t, db, d, sqlstore.Options{Tables: []sqlstore.Table{{Type: "User", Name: "staff", Key: "uid",
			Columns: []sqlstore.Column{{Name: "email", Path: "userName"}},
			Insert: func(context.Context, *scim.Resource) map[string]any {
				return map[string]any{"site": "bonn", "no": n}
			}}}})
		a.want("Bob", "bob", a.get("User", "ulm-2").String("userName"))
		a.want("the key of a new row", "bonn-7", create(t, a.s, user(t, "cid", nil)).ID())
		a.update("ulm-2", map[string]any{"userName": "bert"})
		a.want("Bert", "bert", a.row("SELECT email FROM staff WHERE no = 2"))
		a.exec("UPDATE staff SET no = 3 WHERE no = 2")
		a.want("the row with another key", "bert", a.get("User", "ulm-3").String("userName"))
		a.want("all", []string{"ann", "cid", "bert"}, names(t, a.s))
	})
}
