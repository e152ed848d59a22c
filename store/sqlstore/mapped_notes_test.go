package sqlstore_test

import (
	"database/sql"
	"strconv"
	"testing"

	"github.com/scimkit/scim/store/sqlstore"
)

// SQLite notes a row once until the note is followed, whatever the application's statement says of
// conflicts.
func TestMappedNotesOnce(t *testing.T) {
	inApp(t, appOptions("o"), func(a app) {
		if a.d != sqlstore.SQLite {
			return // The others number their notes.
		}
		for _, text := range []string{
			"UPDATE people SET first_name = first_name || 'a' WHERE id = 2",
			"UPDATE OR ABORT people SET first_name = first_name || 'b' WHERE id = 2",
			"UPDATE OR FAIL people SET first_name = first_name || 'c' WHERE id = 2",
			"UPDATE OR REPLACE people SET first_name = first_name || 'd' WHERE id = 2",
			"UPDATE OR IGNORE people SET first_name = first_name || 'e' WHERE id = 2",
			"INSERT INTO people (id, org, email) VALUES (2, 'o', 'x') ON CONFLICT (id) DO UPDATE SET first_name = first_name || 'f'",
		} {
			a.exec(text)
			a.want(text, "1", a.row("SELECT count(*) FROM scim_stale"))
		}
		a.want("the name", "abcdef", a.get("User", "2").String("name.givenName"))
		a.want("notes that are left", "0", a.row("SELECT count(*) FROM scim_stale"))
		a.exec("UPDATE people SET first_name = 'again' WHERE id = 2")
		a.want("the name", "again", a.get("User", "2").String("name.givenName"))
	})
}

// A row gets another key, under each name that SQLite has for it.
func TestMappedKeyChanges(t *testing.T) {
	inApp(t, appOptions("o"), func(a app) {
		keys := []string{"id"}
		if a.d == sqlstore.SQLite {
			keys = []string{"id", "rowid", "_rowid_", "OID"}
		}
		for i, name := range keys {
			before, after := strconv.Itoa(10*i+2), strconv.Itoa(10*i+12)
			a.want(name+": the user with the key of before", "bob@example.com", a.get("User", before).String("userName"))
			a.exec("UPDATE people SET " + name + " = id + 10 WHERE email = 'bob@example.com'")
			a.want(name+": the user with the new key", "bob@example.com", a.get("User", after).String("userName"))
			a.want(name+": users", []string{"Ann@example.com", "bob@example.com"}, names(a.t, a.s))
		}
	})
}

// A column has its value from one that is not mapped.
func TestMappedComputed(t *testing.T) {
	for _, kind := range []string{"STORED", "VIRTUAL"} {
		t.Run(kind, func(t *testing.T) {
			databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
				if d == sqlstore.Postgres && kind == "VIRTUAL" {
					return // It has none.
				}
				a := app{t: t, db: db, d: d}
				a.exec(inDialect(d, "CREATE TABLE people (id {serial}, login text NOT NULL DEFAULT 'x', email text GENERATED ALWAYS AS (lower(login)) "+kind+")")[0])
				a.exec("INSERT INTO people (login) VALUES ('Bob')")
				a.s = newStore(t, db, d, sqlstore.Options{Tables: []sqlstore.Table{
					{Type: "User", Name: "people", Key: "id", Columns: []sqlstore.Column{{Name: "email", Path: "userName", ReadOnly: true}}}}})
				a.want("names", []string{"bob"}, names(t, a.s))
				a.exec("UPDATE people SET login = 'Rob'")
				a.want("names", []string{"rob"}, names(t, a.s))
			})
		})
	}
}

// A column takes two spellings for one, and clients see the spelling.
func TestMappedCollation(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		a, collation := app{t: t, db: db, d: d}, "NOCASE"
		switch d {
		case sqlstore.Postgres:
			a.exec("CREATE COLLATION folded (provider = icu, locale = 'und-u-ks-level2', deterministic = false)")
			collation = "folded"
		case sqlstore.MariaDB:
			collation = "utf8mb4_general_ci"
		}
		a.exec(inDialect(d, "CREATE TABLE people (id {serial}, email varchar(99) COLLATE "+collation+" NOT NULL UNIQUE)")[0])
		a.exec("INSERT INTO people (email) VALUES ('bob')")
		a.s = newStore(t, db, d, sqlstore.Options{Tables: []sqlstore.Table{
			{Type: "User", Name: "people", Key: "id", Columns: []sqlstore.Column{{Name: "email", Path: "userName"}}}}})
		a.want("names", []string{"bob"}, names(t, a.s))
		a.exec("UPDATE people SET email = 'BOB'")
		a.want("names", []string{"BOB"}, names(t, a.s))
	})
}
