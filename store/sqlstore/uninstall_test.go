package sqlstore_test

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore"
)

// objects lists the tables, triggers and functions that a database has.
func (a app) objects() (all []string) {
	a.t.Helper()
	text := "SELECT type || ' ' || name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY 1"
	switch a.d {
	case sqlstore.MariaDB:
		text = `SELECT concat('table ', table_name) FROM information_schema.tables WHERE table_schema = database()
			UNION ALL SELECT concat('trigger ', trigger_name) FROM information_schema.triggers WHERE trigger_schema = database() ORDER BY 1`
	case sqlstore.Postgres:
		text = `SELECT 'table ' || relname FROM pg_class WHERE relnamespace = 'public'::regnamespace
			UNION ALL SELECT 'function ' || proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
			UNION ALL SELECT 'trigger ' || tgname FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1`
	}
	rows, err := a.db.Query(text)
	if err != nil {
		a.t.Fatal(err)
	}
	defer rows.Close() //nolint:errcheck // Err reports it
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			a.t.Fatal(err)
		}
		all = append(all, name)
	}
	if err := rows.Err(); err != nil {
		a.t.Fatal(err)
	}
	return all
}

// appWrites makes the application write each of its tables that is still there.
func (a app) appWrites() {
	a.t.Helper()
	left := strings.Join(a.objects(), "\n") + "\n"
	for _, w := range []struct{ table, text string }{
		{"people", "INSERT INTO people (org, email) VALUES ('o', 'new@example.com')"},
		{"people", "UPDATE people SET email = 'newer@example.com' WHERE email = 'new@example.com'"},
		{"people_emails", "INSERT INTO people_emails (person_id, address) SELECT min(id), 'x' FROM people"},
		{"people_emails", "DELETE FROM people_emails"},
		{"team_people", "INSERT INTO team_people (team_id, person_id) SELECT 1, id FROM people WHERE email = 'newer@example.com'"},
		{"team_people", "UPDATE team_people SET team_id = 2 WHERE person_id > 4"},
		{"team_people", "DELETE FROM team_people WHERE person_id > 4"},
		{"teams", "UPDATE teams SET title = title || '!'"},
		{"people", "DELETE FROM people WHERE email = 'newer@example.com'"},
	} {
		if strings.Contains(left, "table "+w.table+"\n") {
			a.exec(w.text)
		}
	}
}

// installed is an application with SCIM for two tenants. A table that was mapped once has
// triggers that nothing knows of.
func installed(t *testing.T, db *sql.DB, d sqlstore.Dialect) app {
	a := app{t: t, db: db, d: d}
	makeApp(t, db, d)
	a.exec(inDialect(d, "CREATE TABLE clubs (id {serial}, org text NOT NULL, name text NOT NULL)")[0])
	a.exec("INSERT INTO people (org, email) VALUES ('o', 'a@example.com'), ('o', 'b@example.com'), ('p', 'c@example.com'), ('q', 'd@example.com')")
	a.exec("INSERT INTO teams (org, title) VALUES ('o', 'Sales'), ('o', 'Support')")
	a.exec("INSERT INTO team_people (team_id, person_id) VALUES (1, 1)")
	clubs := appOptions("o")
	clubs.Members = nil
	clubs.Tables[1].Name, clubs.Tables[1].Columns = "clubs", []sqlstore.Column{{Name: "name", Path: "displayName"}}
	newStore(t, db, d, clubs)
	a.exec("DELETE FROM scim_schema WHERE part LIKE 'watch clubs%'")
	newStore(t, db, d, appOptions("p"))
	a.s = newStore(t, db, d, appOptions("o"))
	return a
}

// TestUninstall removes SCIM from a database in each state in which it may be. Nothing of SCIM is
// left, and the application can write its tables.
func TestUninstall(t *testing.T) {
	ours := []string{"stale", "own", "lookups", "members", "resources", "grants", "links", "notes", "users", "locks", "schema"}
	for _, test := range []struct {
		name   string
		before []string // before are statements; errors are ignored.
	}{
		{"as it is", nil},
		{"all of our tables are gone", each("DROP TABLE scim_", ours)},
		{"the application has dropped its tables", []string{"DROP TABLE team_people", "DROP TABLE teams", "DROP TABLE people_emails", "DROP TABLE people"}},
		{"the application has dropped a table to which others refer", []string{"DROP TABLE team_people", "DROP TABLE teams"}},
		{"one trigger is gone", []string{"DROP TRIGGER scim_people_insert", "DROP TRIGGER scim_people_insert ON people"}},
		{"the table was renamed", []string{"ALTER TABLE clubs RENAME TO associations"}},
		{"the table of notes is gone", []string{"DROP TABLE scim_stale"}},
		{"nothing says what is installed", []string{"DROP TABLE scim_schema"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
				a := installed(t, db, d)
				other := appOptions("o")
				other.Prefix = "scim_b_"
				second := newStore(t, db, d, other)
				for _, text := range test.before {
					db.Exec(strings.ReplaceAll(text, "scim_people_insert", a.trigger("people"))) //nolint:errcheck // not every database has it
				}
				for range 2 {
					if err := a.s.Uninstall(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				for _, o := range a.objects() {
					if strings.Contains(o, " scim_") && !strings.Contains(o, " scim_b_") {
						t.Errorf("%s is left", o)
					}
				}
				if len(test.before) == 0 {
					a.exec("UPDATE people SET email = 'seen@example.com' WHERE id = 1")
					a.want("the Store with another prefix still follows", []string{"seen@example.com", "b@example.com"}, names(t, second))
				}
				if err := second.Uninstall(t.Context()); err != nil {
					t.Fatal(err)
				}
				a.appWrites()
				for _, o := range a.objects() {
					if strings.Contains(o, "scim_") {
						t.Errorf("%s is left", o)
					}
				}
			})
		})
	}
}

// trigger is the name of a trigger of a table.
func (a app) trigger(table string) string {
	for _, o := range a.objects() {
		if name, ok := strings.CutPrefix(o, "trigger "); ok && strings.HasPrefix(name, "scim_"+table) && strings.HasSuffix(name, "_insert") {
			return name
		}
	}
	a.t.Fatalf("%s has no trigger", table)
	return ""
}

// each returns a statement for each of some names.
func each(text string, all []string) []string {
	out := slices.Clone(all)
	for i := range out {
		out[i] = text + out[i]
	}
	return out
}

// Whatever there is before SCIM is there afterwards, and SCIM can begin again.
func TestUninstallLeavesTheRest(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		makeApp(t, db, d)
		a := app{t: t, db: db, d: d}
		a.exec("CREATE TABLE scim_members (id integer PRIMARY KEY, tenant text, group_id text)") // of the application
		before := a.objects()
		never, err := sqlstore.New(db, d, appOptions("o"))
		if err != nil {
			t.Fatal(err)
		}
		if never.Migrate(t.Context()) == nil {
			t.Error("Migrate has replaced a table of the application")
		}
		if err := never.Uninstall(t.Context()); err != nil {
			t.Fatal(err)
		}
		a.want("after Uninstall of what was never there", before, a.objects())
		a.exec("DROP TABLE scim_members")
		before = a.objects()
		s := newStore(t, db, d, appOptions("o"))
		for range 2 {
			c := newClient(t, scim.Config{Store: s})
			c.do("POST", "/Users", `{"userName":"ann@x.com"}`, 201)
			if err := s.Uninstall(t.Context()); err != nil {
				t.Fatal(err)
			}
			a.want("after Uninstall", before, a.objects())
			a.want("people", "1", a.row("SELECT count(*) FROM people"))
			a.exec("DELETE FROM people")
			if _, err := s.Get(t.Context(), scim.Ref{Type: "User", ID: "1"}); err == nil {
				t.Error("the Store answers without its tables")
			}
			if err := s.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// UninstallSQL says what Uninstall would do, so that somebody else can do it.
func TestUninstallSQL(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		a := installed(t, db, d)
		all, err := sqlstore.UninstallSQL(t.Context(), db, d, "")
		if err != nil || len(all) == 0 {
			t.Fatalf("%d statements, error %v", len(all), err)
		}
		a.want("members", []string{"1"}, a.members("1")) // nothing has changed
		for _, text := range all {
			a.exec(text)
			a.exec(text) // it may have run already
		}
		for _, o := range a.objects() {
			if strings.Contains(o, "scim_") {
				t.Errorf("%s is left", o)
			}
		}
		a.appWrites()
		if all, err = sqlstore.UninstallSQL(t.Context(), db, d, ""); err != nil || len(all) > 0 {
			t.Errorf("afterwards: %q, error %v", all, err)
		}
	})
}

// Uninstall joins a transaction of the application, such as that of a migration.
func TestUninstallInTransaction(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		a := installed(t, db, d)
		before := a.objects()
		for _, commits := range []bool{false, true} {
			tx, err := db.BeginTx(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			err = a.s.Uninstall(sqlstore.WithTx(context.Background(), db, tx))
			if d == sqlstore.MariaDB { // which would commit it
				a.want("error", true, err != nil)
				a.want("what is there", before, a.objects())
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if !commits {
				if err := tx.Rollback(); err != nil {
					t.Fatal(err)
				}
				a.want("after the roll-back", fmt.Sprint(before), fmt.Sprint(a.objects()))
				a.exec("UPDATE people SET email = 'x@example.com' WHERE id = 1")
				a.want("people", []string{"x@example.com", "b@example.com"}, names(t, a.s))
			} else if err := tx.Commit(); err != nil {
				t.Fatal(err)
			}
		}
		a.appWrites()
		a.want("left", false, strings.Contains(fmt.Sprint(a.objects()), "scim_"))
	})
}

// A Ledger alone has fewer tables.
func TestUninstallLedger(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		l, err := sqlstore.NewLedger(db, d, sqlstore.Options{Tenant: "o"})
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := l.Uninstall(t.Context()); err != nil {
			t.Fatal(err)
		}
		a := app{t: t, db: db, d: d}
		a.want("left", 0, len(a.objects()))
	})
}
