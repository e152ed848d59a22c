package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/store/sqlstore"
)

// Users and groups may be rows of one table.
func TestMappedOneTable(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		a := app{t: t, db: db, d: d}
		a.exec(inDialect(d, "CREATE TABLE parties (id {serial}, kind text, name text)")[0])
		a.s = newStore(t, db, d, sqlstore.Options{Tables: []sqlstore.Table{
			{Type: "User", Name: "parties", Key: "id", Visible: "t.kind = 'person'", Columns: []sqlstore.Column{{Name: "name", Path: "userName"}}},
			{Type: "Group", Name: "parties", Key: "id", Visible: "t.kind = 'team'", Columns: []sqlstore.Column{{Name: "name", Path: "displayName"}}},
		}})
		a.exec("INSERT INTO parties (kind, name) VALUES ('person', 'ann'), ('team', 'sales')")
		a.want("the person", "ann", a.get("User", "1").String("userName"))
		a.want("the team", "sales", a.get("Group", "2").String("displayName"))
		a.exec("DELETE FROM parties")
		for _, ref := range []scim.Ref{{Type: "User", ID: "1"}, {Type: "Group", ID: "2"}} {
			if _, err := a.s.Get(t.Context(), ref); !errors.Is(err, scim.ErrNotFound) {
				t.Errorf("%v is there, error %v", ref, err)
			}
		}
	})
}

// Memberships that are mapped after the groups are seen.
func TestMappedJoinLater(t *testing.T) {
	o := appOptions("o")
	join := o.Members
	o.Members = nil
	inApp(t, o, func(a app) {
		a.want("not mapped", []string{}, a.members("1"))
		o := o
		o.Members = join
		a.s = newStore(a.t, a.db, a.d, o)
		a.want("mapped", []string{"1"}, a.members("1"))
	})
}

// Two Stores with tables of their own over the same tables of the application.
func TestMappedPrefixes(t *testing.T) {
	inApp(t, appOptions("o"), func(a app) {
		o := appOptions("o")
		o.Prefix = "other_"
		other := app{t: a.t, db: a.db, d: a.d, s: newStore(a.t, a.db, a.d, o)}
		if _, _, err := a.s.ChangeMembers(a.t.Context(), "1", []scim.Ref{{Type: "User", ID: "2"}}, []scim.Ref{{Type: "User", ID: "1"}}); err != nil {
			a.t.Fatal(err)
		}
		other.want("what the other one sees", []string{"2"}, other.members("1"))
	})
}

// What was stored before its type had a Table is in nobody's way.
func TestMappedFromOwnTables(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		makeApp(t, db, d)
		former := create(t, newStore(t, db, d, sqlstore.Options{Tenant: "o"}), user(t, "former@example.com", nil))
		a := app{t: t, db: db, d: d, s: newStore(t, db, d, appOptions("o"))}
		a.exec("INSERT INTO people (org, email) VALUES ('o', 'ann@example.com')")
		if err := a.s.Reindex(t.Context()); err != nil {
			t.Error(err)
		}
		a.get("User", "1")
		_, err := a.s.Update(t.Context(), former.Ref(), func(r *scim.Resource) (*scim.Resource, error) { return r.With(map[string]any{"nickName": "n"}) })
		if !errors.Is(err, scim.ErrNotFound) {
			t.Errorf("update of a resource that the application does not have: error %v", err)
		}
	})
}

// A former user whom the application has brought back under another name is no former one.
func TestMappedBackByItself(t *testing.T) {
	o := appOptions("o")
	o.Tables[0].Retire = func(_ context.Context, _ *scim.Resource, now time.Time) map[string]any {
		return map[string]any{"left_at": now}
	}
	o.Tables[0].Revive = func(context.Context, *scim.Resource) map[string]any { return map[string]any{"left_at": nil} }
	inApp(t, o, func(a app) {
		if err := a.s.Delete(a.t.Context(), scim.Ref{Type: "User", ID: "1"}, func(*scim.Resource) error { return nil }); err != nil {
			a.t.Fatal(err)
		}
		a.exec("UPDATE people SET left_at = NULL, email = 'married@example.com' WHERE id = 1")
		c := &scim.Change{Op: scim.OpCreate, After: user(a.t, "ann@example.com", nil)}
		if err := a.s.Adopt(sqlstore.SamePerson)(a.t.Context(), c); err != nil || c.Adopt != "" {
			a.t.Errorf("the row of %q is taken over, error %v", c.Adopt, err)
		}
		a.want("name", "married@example.com", a.get("User", "1").String("userName"))
	})
}

// A table that is made anew, which is how SQLite's are altered, is watched again after
// Migrate.
func TestMappedTableMadeAnew(t *testing.T) {
	inApp(t, appOptions("o"), func(a app) {
		a.exec(inDialect(a.d, "CREATE TABLE new_emails (id {serial}, person_id bigint, address text, kind text, is_main {bool})")[0])
		a.exec("DROP TABLE people_emails")
		a.exec("ALTER TABLE new_emails RENAME TO people_emails")
		a.exec("CREATE TABLE new_joins (team_id bigint, person_id bigint)")
		a.exec("INSERT INTO new_joins SELECT * FROM team_people")
		a.exec("DROP TABLE team_people")
		a.exec("ALTER TABLE new_joins RENAME TO team_people")
		a.exec("INSERT INTO people_emails (person_id, address) VALUES (1, 'not-noted@x.com')")
		a.exec("DELETE FROM team_people WHERE person_id = 1")
		a.s = newStore(a.t, a.db, a.d, appOptions("o"))
		a.want("what was written meanwhile", []any{map[string]any{"value": "not-noted@x.com"}}, a.get("User", "1").Get("emails"))
		a.want("who was taken away meanwhile", []string{}, a.members("1"))
		a.exec("DELETE FROM people_emails")
		a.exec("INSERT INTO team_people (team_id, person_id) VALUES (1, 2)")
		a.want("afterwards", nil, a.get("User", "1").Get("emails"))
		a.want("afterwards", []string{"2"}, a.members("1"))
	})
}

// Migrate follows rows that were changed or erased while a table had no triggers.
func TestMappedRowsErasedMeanwhile(t *testing.T) {
	inApp(t, appOptions("o"), func(a app) {
		a.exec("DELETE FROM people_emails")
		a.exec("DELETE FROM team_people")
		sales := scim.GroupSource("1")
		if err := a.s.SetLink(a.t.Context(), scim.Link{Source: sales, Roles: []scim.LinkedRole{{Role: scim.Role{ID: "r"}}}}); err != nil {
			a.t.Fatal(err)
		}
		a.want("before", []string{"Ann@example.com", "bob@example.com"}, names(a.t, a.s))
		rebuild := func(table, definition string) {
			a.exec("CREATE TABLE kept AS SELECT * FROM " + table)
			if a.d == sqlstore.MariaDB { // It obeys what refers to a table that is made anew.
				a.db.SetMaxIdleConns(0)
				a.exec("SET GLOBAL foreign_key_checks = 0")
				defer a.exec("SET GLOBAL foreign_key_checks = 1")
			}
			a.exec("DROP TABLE " + table + map[sqlstore.Dialect]string{sqlstore.Postgres: " CASCADE"}[a.d])
			a.exec(inDialect(a.d, definition)[0])
			a.exec("INSERT INTO " + table + " SELECT * FROM kept")
			a.exec("DROP TABLE kept")
		}
		for _, text := range strings.Split(appTables, ";\n") {
			for _, table := range []string{"people", "teams"} {
				if strings.HasPrefix(strings.TrimSpace(text), "CREATE TABLE "+table+" ") {
					rebuild(table, text)
				}
			}
		}
		a.exec("DELETE FROM people WHERE id = 1")
		a.exec("UPDATE people SET email = 'robert@example.com' WHERE id = 2")
		a.exec("DELETE FROM teams WHERE id = 1")
		a.s = newStore(a.t, a.db, a.d, appOptions("o"))
		for _, ref := range []scim.Ref{{Type: "User", ID: "1"}, {Type: "Group", ID: "1"}} {
			if _, err := a.s.Get(a.t.Context(), ref); !errors.Is(err, scim.ErrNotFound) {
				a.t.Errorf("%v, whose row was erased: error %v", ref, err)
			}
		}
		a.want("afterwards", []string{"robert@example.com"}, names(a.t, a.s))
		// A team that gets the same key must not give the role.
		if links, err := a.s.Links(a.t.Context(), []scim.Source{sales}); err != nil || len(links) > 0 {
			a.t.Errorf("the group whose row was erased has the links %v, error %v", links, err)
		}
	})
}

// Memberships that move to another table are those of that one.
func TestMappedJoinMoves(t *testing.T) {
	inApp(t, appOptions("o"), func(a app) {
		a.exec("CREATE TABLE joined (team_id bigint, person_id bigint)")
		a.exec("INSERT INTO joined VALUES (1, 2)")
		o := appOptions("o")
		o.Members.Name = "joined"
		a.s = newStore(a.t, a.db, a.d, o)
		a.want("members", []string{"2"}, a.members("1"))
	})
}

// A former user whom the application hides for a reason of its own does not come back.
func TestMappedFormerHidden(t *testing.T) {
	o := appOptions("o")
	o.Tables[0].Retire = func(_ context.Context, _ *scim.Resource, now time.Time) map[string]any {
		return map[string]any{"left_at": now}
	}
	o.Tables[0].Revive = func(context.Context, *scim.Resource) map[string]any { return map[string]any{"left_at": nil} }
	inApp(t, o, func(a app) {
		if err := a.s.Delete(a.t.Context(), scim.Ref{Type: "User", ID: "1"}, func(*scim.Resource) error { return nil }); err != nil {
			a.t.Fatal(err)
		}
		a.exec("UPDATE people SET kind = 'robot' WHERE id = 1")
		h, err := scim.New(scim.Config{Store: a.s, Auth: auth.None(), Rules: []scim.Rule{a.s.Adopt(sqlstore.SamePerson)}, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			a.t.Fatal(err)
		}
		status, _ := serve(a.t, h, "POST", "/Users", `{"userName":"ann@example.com"}`)
		a.want("status", 409, status)
		a.want("rows that came back", "0", a.row("SELECT count(*) FROM people WHERE id = 1 AND left_at IS NULL"))
	})
}

// Whom a trigger of the application's keeps out of a group is no member for clients.
func TestMappedJoinRefused(t *testing.T) {
	inApp(t, appOptions("o"), func(a app) {
		if a.d == sqlstore.MariaDB {
			return // A trigger cannot suppress a row there.
		}
		if a.d == sqlstore.SQLite {
			a.exec("CREATE TRIGGER keep_out BEFORE INSERT ON team_people WHEN NEW.person_id = 2 BEGIN SELECT RAISE(IGNORE); END")
		} else {
			a.exec("CREATE FUNCTION keep_out() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF NEW.person_id = 2 THEN RETURN NULL; END IF; RETURN NEW; END'")
			a.exec("CREATE TRIGGER keep_out BEFORE INSERT ON team_people FOR EACH ROW EXECUTE FUNCTION keep_out()")
		}
		added, _, err := a.s.ChangeMembers(a.t.Context(), "1", []scim.Ref{{Type: "User", ID: "2"}}, nil)
		if err != nil || len(added) > 0 {
			a.t.Fatalf("added %v, error %v", added, err)
		}
		a.want("members", []string{"1"}, a.members("1"))
	})
}

// What customers without SCIM do is not noted; one who gets it is seen whole.
func TestMappedOtherTenants(t *testing.T) {
	inApp(t, appOptions("o"), func(a app) {
		a.exec("UPDATE people SET email = 'x' || email WHERE org = 'other'")
		a.exec("INSERT INTO people_emails (person_id, address) VALUES (4, 'x')")
		a.exec("DELETE FROM team_people WHERE team_id = 2")
		a.exec("INSERT INTO team_people (team_id, person_id) VALUES (2, 4)")
		a.exec("INSERT INTO teams (org, title) VALUES ('other', 'More')")
		a.want("notes", "0", a.row("SELECT count(*) FROM scim_stale"))
		other := app{t: a.t, db: a.db, d: a.d}
		if a.d != sqlstore.SQLite {
			tx, err := a.db.Begin()
			if err != nil {
				a.t.Fatal(err)
			}
			if _, err := tx.Exec("INSERT INTO people (org, email) VALUES ('other', 'late@example.com')"); err != nil {
				a.t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() {
				a.waits("a tenant that is new for who is writing")
				ended <- tx.Commit()
			}()
			other.s = newStore(a.t, a.db, a.d, appOptions("other"))
			if err := <-ended; err != nil {
				a.t.Fatal(err)
			}
		} else {
			a.exec("INSERT INTO people (org, email) VALUES ('other', 'late@example.com')")
			other.s = newStore(a.t, a.db, a.d, appOptions("other"))
		}
		other.want("people", []string{"xann@example.com", "late@example.com"}, names(a.t, other.s))
		other.want("members", []string{"4"}, other.members("2"))
		a.exec("UPDATE people SET email = 'ann@example.com' WHERE id = 4")
		a.exec("DELETE FROM team_people WHERE team_id = 2")
		other.want("people", []string{"ann@example.com", "late@example.com"}, names(a.t, other.s))
		other.want("members", []string{}, other.members("2"))
	})
}
