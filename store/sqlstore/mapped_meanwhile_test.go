package sqlstore_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore"
)

// The application has changed many rows at once. What is followed of them is kept, also if
// the request fails, so that requests without time for all get on.
func TestMappedBacklog(t *testing.T) {
	inApp(t, appOptions("o"), func(a app) {
		for i := range 50 {
			a.exec("INSERT INTO people (org, email) VALUES ('o', $1)", fmt.Sprint("p", i))
		}
		refused := errors.New("no time")
		if err := a.s.InTx(a.t.Context(), func(context.Context) error { return refused }); !errors.Is(err, refused) {
			a.t.Errorf("error %v", err)
		}
		a.want("notes that are left", "0", a.row("SELECT count(*) FROM scim_stale"))
	})
}

// Writes of columns that neither the mapping nor Visible names are not noted: when somebody
// was last here is written all the time.
func TestMappedNotesWithoutEnd(t *testing.T) {
	inApp(t, appOptions("o"), func(a app) {
		a.exec("ALTER TABLE people ADD COLUMN last_seen integer")
		for i := range 500 {
			a.exec("UPDATE people SET last_seen = $1 WHERE id = 2", i)
		}
		a.want("notes of one row, of which nothing changed that clients see", "0", a.row("SELECT count(*) FROM scim_stale"))
		a.exec("UPDATE people SET kind = 'robot' WHERE id = 2")
		a.want("people, without whom Visible hides", []string{"Ann@example.com"}, names(a.t, a.s))
	})
}

// A trigger of the application's keeps who is banned; the client is not believed.
func TestMappedTriggerKeepsBanned(t *testing.T) {
	inApp(t, appOptions("o"), func(a app) {
		a.exec("CREATE TABLE jobs (id integer PRIMARY KEY, title text)")
		a.exec("INSERT INTO jobs VALUES (1, 'Sales')")
		a.exec("CREATE TABLE job_people (job_id integer, person_id bigint, PRIMARY KEY (job_id, person_id))")
		if a.d == sqlstore.Postgres {
			a.exec("CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF OLD.status = ''banned'' THEN NEW.status := OLD.status; END IF; RETURN NEW; END'")
			a.exec("CREATE TRIGGER keep BEFORE UPDATE ON people FOR EACH ROW EXECUTE FUNCTION keep()")
		} else if a.d == sqlstore.MariaDB {
			a.exec("CREATE TRIGGER keep BEFORE UPDATE ON people FOR EACH ROW SET NEW.status = if(OLD.status = 'banned', OLD.status, NEW.status)")
		} else {
			a.exec("CREATE TRIGGER keep AFTER UPDATE OF status ON people WHEN OLD.status = 'banned' BEGIN UPDATE people SET status = 'banned' WHERE id = NEW.id; END")
		}
		a.exec("UPDATE people SET status = 'banned' WHERE id = 2")
		jobs, err := a.s.RoleResolver(t.Context(), sqlstore.RoleTables{Roles: "jobs", ID: "id", Name: "title", Holders: "job_people", User: "person_id", Role: "job_id"})
		if err != nil {
			a.t.Fatal(err)
		}
		c := newClient(a.t, scim.Config{Store: a.s, Roles: &scim.Roles{Resolver: jobs}})
		c.do("PATCH", "/Groups/1", `{"Operations":[{"op":"add","path":"members","value":[{"value":"2"}]}]}`, 204)
		a.want("who is banned holds no role", "0", a.row("SELECT count(*) FROM job_people"))
		serve(a.t, c.h, "PATCH", "/Users/2", `{"Operations":[{"op":"replace","path":"active","value":true}]}`)
		a.want("the row", "banned", a.row("SELECT status FROM people WHERE id = 2"))
		a.want("active", false, a.get("User", "2").Active())
		a.want("who is banned holds no role", "0", a.row("SELECT count(*) FROM job_people"))
	})
}

// The application retypes a column while the process runs.
func TestMappedRetyped(t *testing.T) {
	db := postgres.DB(t)
	makeApp(t, db, sqlstore.Postgres)
	a := app{t: t, db: db, d: sqlstore.Postgres}
	a.exec("INSERT INTO people (org, email) VALUES ('o', 'bob')")
	a.s = newStore(t, db, a.d, appOptions("o"))
	c := newClient(t, scim.Config{Store: a.s})
	c.do("PATCH", "/Users/1", `{"Operations":[{"op":"replace","path":"nickName","value":"Bobby"}]}`, 200)
	for name := range strings.FieldsSeq(a.row("SELECT string_agg(tgname, ' ') FROM pg_trigger WHERE tgname LIKE 'scim\\_people\\_%' AND tgrelid = 'people'::regclass")) {
		a.exec("DROP TRIGGER " + name + " ON people")
	}
	a.exec("ALTER TABLE people ALTER COLUMN first_name TYPE varchar(200)")
	for range 3 {
		c.do("PATCH", "/Users/1", `{"Operations":[{"op":"replace","path":"title","value":"x"}]}`, 200)
	}
}

// The application erases somebody, and their roles, while a client gives a group its role.
func TestMappedHolderGoes(t *testing.T) {
	inApp(t, appOptions("o"), func(a app) {
		if a.d == sqlstore.SQLite {
			return
		}
		a.exec("UPDATE people SET status = 'active'")
		a.exec("CREATE TABLE jobs (id integer PRIMARY KEY, title text)")
		a.exec("INSERT INTO jobs VALUES (1, 'Staff')")
		a.exec("CREATE TABLE job_people (job_id integer, person_id bigint REFERENCES people (id) ON DELETE CASCADE, PRIMARY KEY (job_id, person_id))")
		jobs, err := a.s.RoleResolver(t.Context(), sqlstore.RoleTables{Roles: "jobs", ID: "id", Name: "title", Holders: "job_people", User: "person_id", Role: "job_id"})
		if err != nil {
			a.t.Fatal(err)
		}
		c := newClient(a.t, scim.Config{Store: a.s, Roles: &scim.Roles{Resolver: jobs}})
		tx, err := a.db.Begin()
		if err != nil {
			a.t.Fatal(err)
		}
		for _, text := range []string{"DELETE FROM team_people WHERE person_id = 1", "DELETE FROM people WHERE id = 1"} {
			if _, err := tx.Exec(text); err != nil {
				a.t.Fatal(err)
			}
		}
		ended := make(chan error, 1)
		go func() {
			for range 3000 { // until the request waits for this transaction
				n := 0
				if err := a.db.QueryRow("SELECT count(*) FROM pg_locks WHERE NOT granted").Scan(&n); err != nil || n > 0 {
					break
				}
				time.Sleep(time.Millisecond)
			}
			ended <- tx.Commit()
		}()
		c.do("PATCH", "/Groups/1", `{"Operations":[{"op":"replace","path":"displayName","value":"Staff"}]}`, 204)
		if err := <-ended; err != nil {
			a.t.Fatal(err)
		}
	})
}

// U+0000.
func TestMappedNul(t *testing.T) {
	inApp(t, appOptions("o"), func(a app) {
		c := newClient(a.t, scim.Config{Store: a.s})
		for _, r := range [][3]string{
			{"POST", "/Users", `{"userName":"a\u0000b"}`}, {"POST", "/Users", `{"userName":"ab1","nickName":"a\u0000b"}`}, {"POST", "/Groups", `{"displayName":"a\u0000b"}`},
			{"GET", "/Users/a%00b", ""}, {"GET", "/Users?filter=userName+eq+%22a%5Cu0000b%22", ""}, {"GET", "/Users?filter=nickName+co+%22a%5Cu0000b%22", ""},
			{"PATCH", "/Groups/1", `{"Operations":[{"op":"add","path":"members","value":[{"value":"a\u0000b"}]}]}`},
			{"PATCH", "/Groups/1", `{"Operations":[{"op":"remove","path":"members[value eq \"a\\u0000b\"]"}]}`},
			{"GET", "/Users/%FF", ""}, {"GET", "/Users/99999999999999999999999999", ""}, {"GET", "/Users/abc", ""},
			{"PATCH", "/Groups/1", `{"Operations":[{"op":"add","path":"members","value":[{"value":"abc"}]}]}`},
			{"PATCH", "/Groups/1", `{"Operations":[{"op":"remove","path":"members[value eq \"abc\"]"}]}`},
		} {
			status, answer := serve(a.t, c.h, r[0], r[1], r[2])
			if status >= 500 {
				a.t.Errorf("%v: %d %v\n%s", r, status, answer, c.log)
			}
		}
	})
}

// What a trigger of the application's refuses.
func TestMappedRaise(t *testing.T) {
	inApp(t, appOptions("o"), func(a app) {
		if a.d == sqlstore.Postgres {
			a.exec("CREATE FUNCTION seats() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no seats left''; END'")
			a.exec("CREATE TRIGGER seats BEFORE INSERT ON people FOR EACH ROW EXECUTE FUNCTION seats()")
		} else if a.d == sqlstore.MariaDB {
			a.exec("CREATE TRIGGER seats BEFORE INSERT ON people FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no seats left'")
		} else {
			a.exec("CREATE TRIGGER seats BEFORE INSERT ON people BEGIN SELECT RAISE(ABORT, 'no seats left'); END")
		}
		c := newClient(a.t, scim.Config{Store: a.s})
		c.do("POST", "/Users", `{"userName":"new"}`, 400)
	})
}
