package sqlstore_test

import (
	"context"
	"database/sql"
	"strings"
	"testing"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore"
	"github.com/scimkit/scim/store/storetest"
)

// The tables of an application that reads people through a view.
const viewTables = `
CREATE TABLE persons (id bigint PRIMARY KEY, org text NOT NULL, name text);
CREATE TABLE logins (person_id bigint NOT NULL PRIMARY KEY REFERENCES persons (id) ON DELETE CASCADE, login text NOT NULL, level bigint NOT NULL DEFAULT 1, UNIQUE (login));
CREATE TABLE levels (id bigint PRIMARY KEY, title text);
CREATE VIEW staff AS SELECT p.id, p.org, p.name, l.login, l.level, v.title FROM persons p JOIN logins l ON l.person_id = p.id LEFT JOIN levels v ON v.id = l.level`

// How the view is written.
var viewWrites = map[sqlstore.Dialect][]string{
	sqlstore.SQLite: {
		"CREATE TRIGGER staff_insert INSTEAD OF INSERT ON staff BEGIN INSERT INTO persons VALUES (NEW.id, NEW.org, NEW.name); INSERT INTO logins (person_id, login) VALUES (NEW.id, NEW.login); END",
		"CREATE TRIGGER staff_update INSTEAD OF UPDATE ON staff BEGIN UPDATE persons SET name = NEW.name WHERE id = OLD.id; UPDATE logins SET login = NEW.login WHERE person_id = OLD.id; END",
		"CREATE TRIGGER staff_delete INSTEAD OF DELETE ON staff BEGIN DELETE FROM persons WHERE id = OLD.id; END",
	},
	sqlstore.Postgres: {
		`CREATE FUNCTION write_staff() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
			IF TG_OP = 'INSERT' THEN INSERT INTO persons VALUES (NEW.id, NEW.org, NEW.name); INSERT INTO logins (person_id, login) VALUES (NEW.id, NEW.login); RETURN NEW; END IF;
			IF TG_OP = 'UPDATE' THEN UPDATE persons SET name = NEW.name WHERE id = OLD.id; UPDATE logins SET login = NEW.login WHERE person_id = OLD.id; RETURN NEW; END IF;
			DELETE FROM persons WHERE id = OLD.id; RETURN OLD; END $$`,
		"CREATE TRIGGER staff_write INSTEAD OF INSERT OR UPDATE OR DELETE ON staff FOR EACH ROW EXECUTE FUNCTION write_staff()",
	},
}

// viewOptions maps the view. The application gives keys from first on.
func viewOptions(org string, next *int) sqlstore.Options {
	return sqlstore.Options{Tenant: org, Tables: []sqlstore.Table{{
		Type: "User", Name: "staff", Key: "id", Tenant: "org",
		Columns: []sqlstore.Column{{Name: "login", Path: "userName"}, {Name: "name", Path: "displayName"}, {Name: "title", Path: "title", ReadOnly: true}},
		Insert: func(_ context.Context, r *scim.Resource) map[string]any {
			if *next++; r.String("userName") == "" {
				*next--
			}
			return map[string]any{"id": *next}
		},
		Beside: []sqlstore.Beside{{Name: "persons", Key: "id"}, {Name: "logins", Key: "person_id"}, {Name: "levels", Key: "id", Ref: "level"}},
	}}}
}

// inView runs a test on the databases whose views with joins can be written.
func inView(t *testing.T, test func(a app)) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		switch d {
		case sqlstore.SQLite:
			db = relaxed(t)
		case sqlstore.MariaDB:
			return // It has no INSTEAD OF: see TestMappedUpdatableView.
		}
		a := app{t: t, db: db, d: d}
		for _, text := range append(inDialect(d, viewTables), viewWrites[d]...) {
			a.exec(text)
		}
		test(a)
	})
}

func TestMappedViewStore(t *testing.T) {
	inView(t, func(a app) {
		n := 0
		empty := func(t *testing.T) *sqlstore.Store {
			execText(t, a.db, "DELETE FROM persons")
			return newStore(t, a.db, a.d, viewOptions(t.Name(), &n))
		}
		storetest.RunMapping(a.t, func(t *testing.T) storetest.Mapping {
			return storetest.Mapping{Store: empty(t), Users: map[string]storetest.Limit{"title": {ReadOnly: true}}}
		})
	})
}

// Whatever changes under a view is noted.
func TestMappedView(t *testing.T) {
	inView(t, func(a app) {
		a.exec("INSERT INTO levels VALUES (1, 'Staff'), (2, 'Chief')")
		a.exec("INSERT INTO persons VALUES (1, 'o', 'Ann'), (2, 'o', 'Bob'), (3, 'p', 'Cid')")
		a.exec("INSERT INTO logins (person_id, login) VALUES (1, 'ann'), (3, 'cid')")
		n := 10
		a = a.of(viewOptions("o", &n))
		p := a.of(viewOptions("p", &n))
		see := func(when, want, wantP string) {
			a.t.Helper()
			of := func(x app) string {
				page, err := x.s.List(a.t.Context(), scim.UserType(), &scim.Query{Limit: 100})
				if err != nil {
					a.t.Fatal(err)
				}
				var all []string
				for _, r := range page.Resources {
					all = append(all, r.ID()+" "+r.String("userName")+" "+r.String("displayName")+" "+r.String("title"))
				}
				return strings.Join(all, ", ")
			}
			a.want(when, want, of(a))
			a.want(when+", in p", wantP, of(p))
		}
		see("at first", "1 ann Ann Staff", "3 cid Cid Staff")
		for _, step := range []struct{ text, want, wantP string }{
			{"UPDATE persons SET name = 'Anna' WHERE id = 1", "1 ann Anna Staff", "3 cid Cid Staff"},
			{"UPDATE logins SET login = 'anna', level = 2 WHERE person_id = 1", "1 anna Anna Chief", "3 cid Cid Staff"},
			{"UPDATE levels SET title = 'Boss' WHERE id = 2", "1 anna Anna Boss", "3 cid Cid Staff"},
			{"DELETE FROM levels WHERE id = 1", "1 anna Anna Boss", "3 cid Cid "},
			{"UPDATE persons SET org = 'p' WHERE id = 1", "", "3 cid Cid , 1 anna Anna Boss"},
			{"UPDATE persons SET org = 'o' WHERE id = 1", "1 anna Anna Boss", "3 cid Cid "},
			{"DELETE FROM logins WHERE person_id = 1", "", "3 cid Cid "},
			{"INSERT INTO logins (person_id, login) VALUES (1, 'ann'), (2, 'bob')", "1 ann Ann , 2 bob Bob ", "3 cid Cid "},
			{"DELETE FROM persons WHERE id = 2", "1 ann Ann ", "3 cid Cid "},
		} {
			a.exec(step.text)
			see(step.text, strings.Replace(step.want, "Ann ", "Anna ", map[bool]int{true: 1}[strings.Contains(step.want, "ann Ann ")]), step.wantP)
		}
		c := newClient(a.t, scim.Config{Store: a.s})
		c.do("POST", "/Users", strings.ReplaceAll(newAnn, "Ann@x.com", "cid"), 409)
		made := c.do("POST", "/Users", newAnn, 201)["id"].(string)
		a.want("the rows of a new user", "Anna Ann@x.com", a.row("SELECT p.name || ' ' || l.login FROM persons p JOIN logins l ON l.person_id = p.id WHERE p.id = "+made))
		c.do("PATCH", "/Users/"+made, `{"Operations":[{"op":"replace","path":"displayName","value":"A."}]}`, 200)
		a.want("a client's change", "A.", a.row("SELECT name FROM persons WHERE id = "+made))
		c.do("DELETE", "/Users/"+made, "", 204)
		a.want("rows that are left", "2", a.row("SELECT count(*) FROM persons"))
		if err := a.s.Reindex(a.t.Context()); err != nil {
			a.t.Error(err)
		}
		if err := a.s.Uninstall(a.t.Context()); err != nil {
			a.t.Error(err)
		}
		a.exec("UPDATE persons SET name = 'x'")
		a.exec("DELETE FROM persons")
	})
}

// A view of one table, which all databases can write.
func TestMappedUpdatableView(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		if d == sqlstore.SQLite {
			return // Its views need INSTEAD OF.
		}
		a := app{t: t, db: db, d: d}
		a.exec(inDialect(d, "CREATE TABLE persons (id {serial}, login text NOT NULL UNIQUE, fired boolean NOT NULL DEFAULT false)")[0])
		a.exec("CREATE VIEW staff AS SELECT id, login FROM persons WHERE NOT fired")
		a.exec("INSERT INTO persons (login) VALUES ('ann'), ('bob')")
		o := sqlstore.Options{Tables: []sqlstore.Table{{Type: "User", Name: "staff", Key: "id", Columns: []sqlstore.Column{{Name: "login", Path: "userName"}}, Beside: []sqlstore.Beside{{Name: "persons", Key: "id"}}}}}
		a = a.of(o)
		a.exec("UPDATE persons SET fired = true WHERE id = 2")
		a.want("who is left", []string{"ann"}, names(t, a.s))
		cid := create(t, a.s, user(t, "cid", nil))
		a.update(cid.ID(), map[string]any{"userName": "cyd"})
		a.want("the row", "cyd", a.row("SELECT login FROM persons WHERE id = "+cid.ID()))
		if err := a.s.Delete(t.Context(), cid.Ref(), func(*scim.Resource) error { return nil }); err != nil {
			t.Error(err)
		}
		a.want("rows", "2", a.row("SELECT count(*) FROM persons"))

		o.Tables[0].Beside, o.Prefix = nil, "other_"
		s, err := sqlstore.New(db, d, o)
		if err == nil {
			err = s.Check(t.Context())
		}
		if err == nil || !strings.Contains(err.Error(), "name the tables that it reads in Beside") {
			t.Errorf("a view without its tables: %v", err)
		}
	})
}

// Visible may look at a table that is watched.
func TestMappedVisibleElsewhere(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		a := app{t: t, db: db, d: d}
		a.exec(inDialect(d, "CREATE TABLE persons (id {serial}, login text NOT NULL UNIQUE)")[0])
		a.exec("CREATE TABLE bans (person_id bigint PRIMARY KEY)")
		a.exec("INSERT INTO persons (login) VALUES ('ann'), ('bob')")
		o := sqlstore.Options{Tables: []sqlstore.Table{{Type: "User", Name: "persons", Key: "id", Columns: []sqlstore.Column{{Name: "login", Path: "userName"}},
			Visible: "NOT EXISTS (SELECT 1 FROM bans b WHERE b.person_id = t.id)"}}}
		s, err := sqlstore.New(db, d, o)
		if err == nil {
			err = s.Check(t.Context())
		}
		if err == nil || !strings.Contains(err.Error(), "name the table in Beside") {
			t.Errorf("a table that nobody watches: %v", err)
		}
		o.Tables[0].Beside = []sqlstore.Beside{{Name: "bans", Key: "person_id"}}
		a = a.of(o)
		a.exec("INSERT INTO bans VALUES (2)")
		a.want("Bob is banned", []string{"ann"}, names(t, a.s))
		a.exec("DELETE FROM bans")
		a.want("nobody is", []string{"ann", "bob"}, names(t, a.s))
	})
}
