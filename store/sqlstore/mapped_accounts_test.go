package sqlstore_test

import (
	"bytes"
	"context"
	"database/sql"
	"log/slog"
	"strings"
	"testing"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore"
	"github.com/scimkit/scim/store/storetest"
)

// The tables of an application with people, of whom some have an account.
const accountTables = `
CREATE TABLE people (id {serial}, org text NOT NULL, name text, mail text, badge_no bigint);
CREATE TABLE accounts (person_id bigint NOT NULL PRIMARY KEY REFERENCES people (id), login text NOT NULL UNIQUE, disabled {bool}, secret text NOT NULL);
CREATE TABLE badges (no {serial}, color text, shape text NOT NULL);
CREATE INDEX people_badges ON people (badge_no)`

// accountOptions maps them. The badge is made before the person, and the account afterwards.
func accountOptions(org string) sqlstore.Options {
	return sqlstore.Options{Tenant: org, Log: slog.New(slog.DiscardHandler), Tables: []sqlstore.Table{{
		Type: "User", Name: "people", Key: "id", Tenant: "org",
		Columns: []sqlstore.Column{{Name: "name", Path: "displayName"}, {Name: "mail", Path: "emails.value", Of: "work"}},
		Beside: []sqlstore.Beside{
			{Name: "accounts", Key: "person_id",
				Columns: []sqlstore.Column{{Name: "login", Path: "userName"}, {Name: "disabled", Path: "active", Empty: false,
					To:   func(v any) (any, error) { return v == false, nil },
					From: func(v any) (any, error) { return v == false || v == int64(0), nil }}},
				Insert: func(_ context.Context, r *scim.Resource) map[string]any {
					return map[string]any{"secret": "of " + r.String("userName")}
				}},
			{Name: "badges", Key: "no", Ref: "badge_no", Columns: []sqlstore.Column{{Name: "color", Path: "title"}},
				Insert: func(context.Context, *scim.Resource) map[string]any { return map[string]any{"shape": "round"} }},
		},
	}}}
}

// inAccounts runs a test on each database, with the application's tables.
func inAccounts(t *testing.T, test func(a app)) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		if d == sqlstore.SQLite {
			db = relaxed(t)
		}
		a := app{t: t, db: db, d: d}
		for _, text := range inDialect(d, accountTables) {
			a.exec(text)
		}
		test(a)
	})
}

func TestMappedAccountsStore(t *testing.T) {
	inAccounts(t, func(a app) {
		unlessLong(a)
		empty := func(t *testing.T) *sqlstore.Store {
			for _, table := range []string{"accounts", "people", "badges"} {
				execText(t, a.db, "DELETE FROM "+table)
			}
			return newStore(t, a.db, a.d, accountOptions(t.Name()))
		}
		storetest.Run(a.t, func(t *testing.T) scim.Store { return empty(t) })
		storetest.RunMapping(a.t, func(t *testing.T) storetest.Mapping { return storetest.Mapping{Store: empty(t)} })
	})
}

// Rows that belong together are created, changed and deleted together.
func TestMappedAccounts(t *testing.T) {
	inAccounts(t, func(a app) {
		a.exec("INSERT INTO badges (color, shape) VALUES ('red', 'square')")
		a.exec("INSERT INTO people (org, name, badge_no) VALUES ('o', 'Ann', 1), ('o', 'Bob', NULL), ('p', 'Cid', NULL)")
		a.exec("INSERT INTO accounts VALUES (1, 'ann', true, 'x'), (3, 'cid', false, 'x')")
		a = a.of(accountOptions("o"))
		c := newClient(a.t, scim.Config{Store: a.s})
		a.want("Bob has no account, and is no user", []string{"ann"}, names(a.t, a.s))
		ann := a.get("User", "1")
		a.want("Ann", "Ann red", ann.String("displayName")+" "+ann.String("title"))
		a.want("her account is disabled", false, ann.Active())

		for _, step := range []struct{ text, want string }{
			{"UPDATE accounts SET disabled = false", "ann Ann red"},
			{"UPDATE accounts SET login = 'anna' WHERE person_id = 1", "anna Ann red"},
			{"UPDATE badges SET color = 'blue'", "anna Ann blue"},
			{"UPDATE people SET badge_no = NULL WHERE id = 1", "anna Ann "},
			{"UPDATE people SET name = 'Anna', badge_no = 1 WHERE id = 1", "anna Anna blue"},
		} {
			a.exec(step.text)
			r := a.get("User", "1")
			a.want(step.text, step.want, r.String("userName")+" "+r.String("displayName")+" "+r.String("title"))
		}
		a.exec("INSERT INTO accounts VALUES (2, 'bob', false, 'x')")
		a.want("Bob has an account now", []string{"anna", "bob"}, names(a.t, a.s))
		c.do("PATCH", "/Users/2", `{"Operations":[{"op":"replace","path":"title","value":"green"},{"op":"replace","path":"active","value":false}]}`, 200)
		a.want("his new badge", "green round", a.row("SELECT b.color || ' ' || b.shape FROM people p JOIN badges b ON b.no = p.badge_no WHERE p.id = 2"))
		a.want("disabled accounts", "bob", a.row("SELECT login FROM accounts WHERE disabled"))
		a.exec("DELETE FROM accounts WHERE person_id = 2")
		a.want("the account is gone", []string{"anna"}, names(a.t, a.s))

		for _, login := range []string{"anna", "ANNA", "cid", "CID"} {
			c.do("POST", "/Users", strings.ReplaceAll(newAnn, "Ann@x.com", login), 409)
		}
		id := c.do("POST", "/Users", newAnn, 201)["id"].(string)
		a.want("the new account", "Ann@x.com of Ann@x.com", a.row("SELECT login || ' ' || secret FROM accounts WHERE person_id = "+id))
		rows := func() string {
			return a.row("SELECT count(*) FROM people") + a.row("SELECT count(*) FROM accounts") + a.row("SELECT count(*) FROM badges")
		}
		a.want("rows", "433", rows())
		c.do("PATCH", "/Users/"+id, `{"Operations":[{"op":"replace","path":"userName","value":"cid"},{"op":"replace","path":"displayName","value":"C"}]}`, 409)
		a.want("nothing has changed", "Anna", a.row("SELECT name FROM people WHERE id = "+id))
		c.do("DELETE", "/Users/"+id, "", 204)
		a.want("rows after the user was deleted", "322", rows())
	})
}

// What is doubtful about tables beside others is logged.
func TestMappedBesideDoubts(t *testing.T) {
	inAccounts(t, func(a app) {
		var log bytes.Buffer
		o := accountOptions("o")
		o.Log = slog.New(slog.NewTextHandler(&log, nil))
		check := func(when string, want ...string) {
			a.t.Helper()
			log.Reset()
			if err := newStore(a.t, a.db, a.d, o).Check(a.t.Context()); err != nil {
				a.t.Fatal(err)
			}
			var got []string
			for _, doubt := range []string{"no index begins with column badge_no", "column person_id is not unique", "login is in no unique index", "a deleted user cannot come back"} {
				if strings.Contains(log.String(), doubt) {
					got = append(got, doubt)
				}
			}
			a.want(when, want, got)
		}
		check("all is well")
		if a.d == sqlstore.MariaDB {
			a.exec("DROP INDEX people_badges ON people")
		} else {
			a.exec("DROP INDEX people_badges")
		}
		a.exec("CREATE TABLE logins (person_id bigint NOT NULL, login text NOT NULL, disabled integer, secret text NOT NULL)")
		o.Tables[0].Beside[0].Name = "logins"
		check("without indexes", "no index begins with column badge_no", "column person_id is not unique", "login is in no unique index")
		for _, text := range inDialect(a.d, orgTables) {
			a.exec(strings.NewReplacer("TABLE teams", "TABLE o_teams", "REFERENCES teams", "REFERENCES o_teams").Replace(text))
		}
		quiet := o.Log
		o = orgOptions("o", nil)
		o.Log, o.Tables, o.Members = quiet, o.Tables[:1], nil
		check("shared rows without a way back", "a deleted user cannot come back")
		o = retiring(o)
		check("shared rows with one")
	})
}

// Mistakes in the declaration of a table beside another one are errors of New or Migrate.
func TestMappedBesideMistakes(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		a := app{t: t, db: db, d: d}
		for _, text := range inDialect(d, accountTables) {
			a.exec(text)
		}
		a.exec("CREATE TABLE keyless (no bigint NOT NULL PRIMARY KEY, color text, size bigint)")
		for _, test := range []struct {
			name, want string
			change     func(t *sqlstore.Table)
		}{
			{"no key", "Key", func(t *sqlstore.Table) { t.Beside[0].Key = "" }},
			{"shared without a reference", "Shared: needs a Ref", func(t *sqlstore.Table) { t.Beside[0].Shared = true }},
			{"found without being shared", "Find: needs Shared", func(t *sqlstore.Table) {
				t.Beside[1].Find = func(context.Context, *scim.Resource) (any, error) { return nil, nil }
			}},
			{"active in a shared table", "lock somebody out", func(t *sqlstore.Table) {
				t.Beside[0].Ref, t.Beside[0].Shared = "id", true
			}},
			{"twice", "has this table twice", func(t *sqlstore.Table) { t.Beside = append(t.Beside, t.Beside[0]) }},
			{"an insert into a watched table", "only watched", func(t *sqlstore.Table) { t.Beside[1].Columns = nil }},
			{"an unknown column", "column colour", func(t *sqlstore.Table) { t.Beside[1].Columns[0].Name = "colour" }},
			{"an unknown reference", "column badge", func(t *sqlstore.Table) { t.Beside[1].Ref = "badge" }},
			{"an unknown table", "table acounts", func(t *sqlstore.Table) { t.Beside[0].Name = "acounts" }},
			{"a column that nobody fills", "column secret is NOT NULL", func(t *sqlstore.Table) { t.Beside[0].Insert = nil }},
			{"the key as a column", "column no is the Key", func(t *sqlstore.Table) { t.Beside[1].Columns[0] = sqlstore.Column{Name: "no", Path: "name.givenName"} }},
			{"a key that nobody gives", "does not give the key no", func(t *sqlstore.Table) { t.Beside[1].Name, t.Beside[1].Insert = "keyless", nil }},
			{"a tenant without one", "Tenant: the Table has no Tenant", func(t *sqlstore.Table) { t.Tenant, t.Beside[0].Tenant = "", "org" }},
		} {
			o := accountOptions("o")
			test.change(&o.Tables[0])
			if o.Tables[0].Tenant == "" {
				o.Tenant = ""
			}
			s, err := sqlstore.New(db, d, o)
			if err == nil {
				err = s.Check(t.Context())
			}
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%s: error %v, want %q in it", test.name, err, test.want)
			}
		}
	})
}
