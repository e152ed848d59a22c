package sqlstore_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore"
)

// A mapping may work, and yet do what nobody expects. Migrate and Check log that.
func TestDoubtfulMappings(t *testing.T) {
	retire := func(values map[string]any) func(t *sqlstore.Table) {
		return func(t *sqlstore.Table) {
			t.Visible = "t.left_at IS NULL"
			t.Retire = func(context.Context, *scim.Resource, time.Time) map[string]any { return values }
		}
	}
	active := func(from func(v any) (any, error)) func(t *sqlstore.Table) {
		return func(t *sqlstore.Table) {
			t.Columns = append(t.Columns, sqlstore.Column{Name: "state", Path: "active", From: from,
				To: func(v any) (any, error) { return map[any]string{true: "on", false: "off"}[v], nil }})
		}
	}
	visible := func(condition string, c sqlstore.Column) func(t *sqlstore.Table) {
		return func(t *sqlstore.Table) {
			t.Visible = condition
			t.Columns = append(t.Columns, c)
		}
	}
	badge := func(empty any) func(t *sqlstore.Table) {
		return func(t *sqlstore.Table) {
			t.Columns = append(t.Columns, sqlstore.Column{Name: "badge", Path: "nickName", Empty: empty})
		}
	}
	status := func(name string, active, inactive any) func(t *sqlstore.Table) {
		return func(t *sqlstore.Table) {
			t.Columns = append(t.Columns, sqlstore.ActiveWhen(name, active, inactive))
		}
	}
	kind := func(t *sqlstore.Table) { t.Visible = "t.kind = 'human'" }
	const tenRows = "('a'), ('b'), ('c'), ('d'), ('e'), ('f'), ('g'), ('h'), ('i'), ('j')"
	isOn := func(v any) (any, error) { return v == "on", nil }
	const (
		unique   = "email text NOT NULL UNIQUE"
		twice    = "column email is in no unique index"
		pairs    = "no unique index has team_id and person_id"
		comes    = "a deleted user cannot come back"
		null     = "column state may be NULL"
		unmapped = "no column is for active"
		empty    = "column badge is in a unique index, and Empty is"
		hidden   = "Visible hides a user whom a client deactivates by column state"
		swapped  = "swap the values, unless your words mean the reverse"
		nobody   = "Visible hides every row"
	)
	for i, test := range []struct {
		name          string
		people, joins string // columns and constraints
		change        func(t *sqlstore.Table)
		want          string // "": nothing is logged
	}{
		{"two people may have one userName", "email text NOT NULL", "", nil, twice},
		{"nothing tells who is inactive", unique, "", nil, unmapped},
		{"an index that is not unique", "email text NOT NULL, other text UNIQUE", "", nil, twice},
		{"a unique userName is fine", unique, "", nil, ""},
		{"a userName that is unique in lower case is fine", "email text NOT NULL; CREATE UNIQUE INDEX {i} ON {people} (lower(email))", "", nil, ""},
		{"a userName that is unique among some rows is fine", "email text NOT NULL, left_at {time}; CREATE UNIQUE INDEX {i} ON {people} (email) WHERE left_at IS NULL", "", nil, ""},
		{"a userName that the database generates is fine", "email text UNIQUE, name text GENERATED ALWAYS AS (lower(email)) STORED", "",
			func(t *sqlstore.Table) {
				t.Columns[0] = sqlstore.Column{Name: "name", Path: "userName", ReadOnly: true}
			}, ""},
		{"a user may be in a team twice", unique, "id {serial}", nil, pairs},
		{"one row for each role is fine", unique, "job text, UNIQUE (team_id, person_id, job)", nil, ""},
		{"one team for each is fine", unique, "UNIQUE (person_id)", nil, ""},
		{"who is retired and never revived", unique + ", left_at {time}", "", retire(map[string]any{"left_at": time.Now()}), comes},
		{"who is retired gives the name back: fine", unique + ", left_at {time}", "", retire(map[string]any{"left_at": time.Now(), "email": "gone"}), ""},
		{"who is retired is in no index: fine", "email text NOT NULL, left_at {time}; CREATE UNIQUE INDEX {i} ON {people} (email) WHERE left_at IS NULL", "", retire(map[string]any{"left_at": time.Now()}), ""},
		{"who is retired may be revived: fine", unique + ", left_at {time}", "", func(t *sqlstore.Table) {
			retire(map[string]any{"left_at": time.Now()})(t)
			t.Revive = func(context.Context, *scim.Resource) map[string]any { return map[string]any{"left_at": nil} }
		}, ""},
		{"two people without a badge", unique + ", badge text NOT NULL UNIQUE", "", badge(""), empty},
		{"a badge that may be NULL is fine", unique + ", badge text UNIQUE", "", badge(nil), ""},
		{"a badge that need not be unique is fine", unique + ", badge text NOT NULL", "", badge(""), ""},
		{"From does not see NULL", unique + ", state text", "", active(isOn), null},
		{"From cannot take NULL", unique + ", state text", "", active(func(v any) (any, error) { return v.(string) == "on", nil }), null},
		{"a state that is never NULL is fine", unique + ", state text NOT NULL DEFAULT 'on'", "", active(isOn), ""},
		{"a From that says the same of NULL is fine", unique + ", state text", "", active(func(v any) (any, error) { return v != "off", nil }), ""},
		{"who is inactive is hidden", unique + ", state text NOT NULL DEFAULT 'on'", "", visible("t.state = 'on'", sqlstore.ActiveWhen("state", "on", "off")), hidden},
		{"who is inactive is hidden by a number", unique + ", state integer NOT NULL DEFAULT 0", "", visible("t.state = 0", sqlstore.ActiveWhen("state", 0, 2)), hidden},
		{"who is inactive is hidden by a time", unique + ", state {time}", "", visible("t.state IS NULL", sqlstore.ActiveWhileNull("state")), hidden},
		{"both numbers are visible: fine", unique + ", state integer NOT NULL DEFAULT 0", "", visible("t.state IN (0, 2)", sqlstore.ActiveWhen("state", 0, 2)), ""},
		{"another state is hidden: fine", unique + ", state text NOT NULL DEFAULT 'on'", "", visible("t.state <> 'gone'", sqlstore.ActiveWhen("state", "on", "off")), ""},
		{"ActiveWhen sees NULL", unique + ", state text", "", func(t *sqlstore.Table) { t.Columns = append(t.Columns, sqlstore.ActiveWhen("state", "on", "off")) }, ""},
		{"who is inactive is hidden beside others", unique + ", state text NOT NULL DEFAULT 'on', kind text; INSERT INTO {people} (email) VALUES ('ann')", "",
			visible("t.kind IS NULL AND t.state = 'on'", sqlstore.ActiveWhen("state", "on", "off")), hidden},
		{"active and inactive are swapped", unique + ", state text NOT NULL DEFAULT 'on'; INSERT INTO {people} (email) VALUES ('ann')", "", status("state", "Suspended", "active"), swapped},
		{"a flag of disabled users is swapped", unique + ", is_disabled {bool}", "", status("is_disabled", true, false), swapped},
		{"a flag of active users is swapped", unique + ", is_active {bool}", "", status("is_active", false, true), swapped},
		{"a flag of disabled users is fine", unique + ", is_disabled {bool}", "", status("is_disabled", false, true), ""},
		{"a flag of active users is fine", unique + ", is_active {bool}", "", status("is_active", true, false), ""},
		{"everybody is hidden", unique + ", kind text NOT NULL DEFAULT 'person'; INSERT INTO {people} (email) VALUES " + tenRows, "", kind, nobody},
		{"one of many is visible: fine", unique + ", kind text NOT NULL DEFAULT 'person'; INSERT INTO {people} (email, kind) VALUES ('ann', 'human'), " + strings.ReplaceAll(tenRows, ")", ", 'bot')"), "", kind, ""},
		{"a few are hidden: fine", unique + ", kind text NOT NULL DEFAULT 'person'; INSERT INTO {people} (email) VALUES ('root')", "", kind, ""},
		{"a word for both is fine", unique + ", state text", "", status("state", "locked", "gone"), ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
				a := app{t: t, db: db, d: d}
				if d == sqlstore.MariaDB && strings.Contains(test.name, "is in no index") {
					return // Nothing says there which rows a generated column is about.
				}
				columns, index, _ := strings.Cut(test.people, "; ")
				joins := "team_id bigint NOT NULL, person_id bigint NOT NULL, "
				if test.joins == "" {
					joins += "PRIMARY KEY (team_id, person_id)"
				}
				for _, text := range []string{"CREATE TABLE people (id {serial}, off_at {time}, " + columns + ")", strings.NewReplacer("{i}", "one", "{people}", "people").Replace(index),
					"CREATE TABLE teams (id {serial}, title text NOT NULL)", "CREATE TABLE team_people (" + joins + test.joins + ")"} {
					if text != "" {
						a.exec(inDialect(d, text)[0])
					}
				}
				log := &bytes.Buffer{}
				o := sqlstore.Options{Prefix: fmt.Sprintf("t%d_", i), Log: slog.New(slog.NewTextHandler(log, nil)), Tables: []sqlstore.Table{
					{Type: "User", Name: "people", Key: "id", Columns: []sqlstore.Column{{Name: "email", Path: "userName"}}},
					{Type: "Group", Name: "teams", Key: "id", Columns: []sqlstore.Column{{Name: "title", Path: "displayName"}}},
				}, Members: &sqlstore.Join{Name: "team_people", Group: "team_id", User: "person_id"}}
				if test.change != nil {
					test.change(&o.Tables[0])
				}
				isActive := func(c sqlstore.Column) bool { return c.Path == "active" }
				if test.want != unmapped && !slices.ContainsFunc(o.Tables[0].Columns, isActive) {
					o.Tables[0].Columns = append(o.Tables[0].Columns, sqlstore.ActiveWhileNull("off_at"))
				}
				s := newStore(t, db, d, o)
				check := func(what string) {
					t.Helper()
					lines := strings.Count(log.String(), "sqlstore: table ")
					if want := map[bool]int{false: 1}[test.want == ""]; lines != want || !strings.Contains(log.String(), test.want) {
						t.Errorf("%s logs %d findings, want %d with %q:\n%s", what, lines, want, test.want, log)
					}
					log.Reset()
				}
				check("Migrate")
				if err := s.Check(t.Context()); err != nil {
					t.Error(err)
				}
				check("Check")
			})
		})
	}
}

// The rows that are there may say that a mapping does not mean what it should.
func TestDoubtfulRows(t *testing.T) {
	for _, test := range []struct{ name, active, rows, want string }{
		{"a status in other words", "active", "('ann', 'NORMAL'), ('bob', 'ARCHIVED')", `no row has "active" in column state, so every user counts as inactive`},
		{"one has the status: fine", "NORMAL", "('ann', 'NORMAL'), ('bob', 'ARCHIVED')", ""},
		{"nobody is there: fine", "active", "", ""},
		{"two people have one userName", "on", "('ann', 'on'), ('Bob', 'on'), ('BOB', 'off')", "the users 2 and 3 have one userName"},
	} {
		t.Run(test.name, func(t *testing.T) {
			databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
				a := app{t: t, db: db, d: d}
				a.exec(inDialect(d, "CREATE TABLE people (id {serial}, email text NOT NULL UNIQUE, state text NOT NULL)")[0])
				if test.rows != "" {
					a.exec("INSERT INTO people (email, state) VALUES " + test.rows)
				}
				log := &bytes.Buffer{}
				newStore(t, db, d, sqlstore.Options{Log: slog.New(slog.NewTextHandler(log, nil)), Tables: []sqlstore.Table{
					{Type: "User", Name: "people", Key: "id", Columns: []sqlstore.Column{
						{Name: "email", Path: "userName"}, sqlstore.ActiveWhen("state", test.active, "off")}}}})
				if lines := strings.Count(log.String(), "sqlstore: table "); !strings.Contains(strings.ReplaceAll(log.String(), `\"`, `"`), test.want) || lines > 1 || (lines == 0) != (test.want == "") {
					t.Errorf("Migrate logs %q, want %q", log, test.want)
				}
			})
		})
	}
}

// Check tells triggers that are gone, and so does nobody else: Migrate creates them.
func TestCheckTriggers(t *testing.T) {
	inApp(t, appOptions("o"), func(a app) {
		t := a.t
		never := appOptions("o")
		never.Prefix = "never_"
		s, err := sqlstore.New(a.db, a.d, never)
		if err == nil {
			err = s.Check(t.Context())
		}
		if err != nil {
			t.Errorf("before the first Migrate: %v", err)
		}
		for _, kind := range []string{"drop", "disable"} {
			text := "DROP TRIGGER " + a.trigger("people") + " ON people"
			switch {
			case a.d != sqlstore.Postgres && kind == "disable":
				continue // only PostgreSQL has such a thing
			case a.d != sqlstore.Postgres:
				text = "DROP TRIGGER " + a.trigger("people")
			case kind == "disable":
				text = "ALTER TABLE people DISABLE TRIGGER USER"
			}
			if err := a.s.Check(t.Context()); err != nil {
				t.Fatal(err)
			}
			a.exec(text)
			if err := a.s.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "table people: triggers are gone or disabled") || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s: error %v", kind, err)
			}
			a.exec("INSERT INTO people (org, email) VALUES ('o', '" + kind + "@example.com')")
			if err := a.s.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			a.want("after Migrate", []string{kind + "@example.com"}, find(t, a.s, `userName eq "`+kind+`@example.com"`))
			a.exec("INSERT INTO people (org, email) VALUES ('o', 'next-" + kind + "@example.com')")
			a.want("after a change", []string{"next-" + kind + "@example.com"}, find(t, a.s, `userName eq "next-`+kind+`@example.com"`))
			if err := a.s.Check(t.Context()); err != nil {
				t.Error(err)
			}
		}
	})
}

// Tables that inherit from a mapped one have no triggers. Those of partitions do.
func TestDoubtfulHeirs(t *testing.T) {
	a := app{t: t, db: postgres.DB(t), d: sqlstore.Postgres}
	makeApp(t, a.db, a.d)
	a.exec("CREATE TABLE people_eu () INHERITS (people)")
	a.exec("CREATE TABLE team_people_eu () INHERITS (team_people)")
	log := &bytes.Buffer{}
	o := appOptions("o")
	o.Log = slog.New(slog.NewTextHandler(log, nil))
	newStore(t, a.db, a.d, o)
	for _, want := range []string{"table people: people_eu inherits from it, and no trigger notes changes there", "table team_people: team_people_eu inherits from it"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("Migrate logs %q, want %q", log, want)
		}
	}
	b := app{t: t, db: postgres.DB(t), d: sqlstore.Postgres}
	makeApp(t, b.db, b.d)
	b.exec("DROP TABLE team_people")
	b.exec("CREATE TABLE team_people (team_id bigint NOT NULL, person_id bigint NOT NULL, PRIMARY KEY (team_id, person_id)) PARTITION BY HASH (team_id)")
	b.exec("CREATE TABLE team_people_0 PARTITION OF team_people FOR VALUES WITH (MODULUS 1, REMAINDER 0)")
	log.Reset()
	newStore(t, b.db, b.d, o)
	if strings.Contains(log.String(), "inherits") {
		t.Errorf("Migrate logs of partitions: %q", log)
	}
}
