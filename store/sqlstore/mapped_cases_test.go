package sqlstore_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/internal/mariatest"
	"github.com/scimkit/scim/store/sqlstore"
)

// app is an application with people and teams of before.
type app struct {
	t  *testing.T
	db *sql.DB
	d  sqlstore.Dialect
	s  *sqlstore.Store
}

// inApp runs a test on each database, with the application's tables mapped.
func inApp(t *testing.T, o sqlstore.Options, test func(a app)) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		makeApp(t, db, d)
		a := app{t: t, db: db, d: d}
		a.exec("INSERT INTO people (org, email, first_name, status, mobile) VALUES ('o', 'Ann@example.com', 'Ann', 'invited', '1'), ('o', 'bob@example.com', '', 'active', NULL)")
		a.exec("INSERT INTO people (org, email, kind) VALUES ('o', 'robot@example.com', 'robot'), ('other', 'ann@example.com', 'person')")
		a.exec("INSERT INTO teams (org, title) VALUES ('o', 'Sales'), ('other', 'Sales')")
		a.exec("INSERT INTO team_people (team_id, person_id) VALUES (1, 1), (1, 3), (2, 4)")
		a.s = newStore(t, db, d, o)
		test(a)
	})
}

func (a app) exec(text string, args ...any) {
	a.t.Helper()
	if _, err := a.db.Exec(says(a.d, text), args...); err != nil {
		a.t.Fatalf("%s: %v", text, err)
	}
}

// says is a statement of an application as the database understands it. The arguments stand in the
// order of the placeholders.
func says(d sqlstore.Dialect, text string) string {
	if d == sqlstore.MariaDB {
		text, _ = mariatest.Statement(text)
	}
	return text
}

// run runs a statement of an application, as says writes it.
func run(ctx context.Context, q sqlstore.DBTX, d sqlstore.Dialect, text string, args ...any) error {
	if d == sqlstore.MariaDB {
		text, args = mariatest.Statement(text, args...)
	}
	_, err := q.ExecContext(ctx, text, args...)
	return err
}

// row is what a query gives, as text.
func (a app) row(query string) string {
	a.t.Helper()
	var s sql.NullString
	if err := a.db.QueryRow(says(a.d, query)).Scan(&s); err != nil {
		a.t.Fatalf("%s: %v", query, err)
	}
	return s.String
}

// joined lists who is in the first team in the application.
func (a app) joined() string {
	list := "string_agg(CAST(person_id AS text), ',' ORDER BY person_id)"
	if a.d != sqlstore.Postgres {
		list = "group_concat(person_id ORDER BY person_id)"
	}
	return a.row("SELECT " + list + " FROM team_people WHERE team_id = 1")
}

func (a app) want(what string, want, got any) {
	a.t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		a.t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func (a app) get(typ, id string) *scim.Resource {
	a.t.Helper()
	r, err := a.s.Get(a.t.Context(), scim.Ref{Type: typ, ID: id})
	if err != nil {
		a.t.Fatalf("Get %s %s: %v", typ, id, err)
	}
	return r
}

func (a app) update(id string, v map[string]any) *scim.Resource {
	a.t.Helper()
	r, err := a.s.Update(a.t.Context(), scim.Ref{Type: "User", ID: id}, func(r *scim.Resource) (*scim.Resource, error) { return r.With(v) })
	if err != nil {
		a.t.Fatalf("Update to %v: %v", v, err)
	}
	return r
}

func (a app) members(group string) []string {
	a.t.Helper()
	list, err := a.s.Members(a.t.Context(), group, scim.Ref{}, 100)
	if err != nil {
		a.t.Fatal(err)
	}
	ids := []string{}
	for _, m := range list {
		ids = append(ids, m.Ref.ID)
	}
	return ids
}

// What was there before is seen by clients, and nothing else.
func TestMappedFromBefore(t *testing.T) {
	inApp(t, appOptions("o"), func(a app) {
		a.want("people", []string{"Ann@example.com", "bob@example.com"}, names(a.t, a.s))
		a.want("look-up", []string{"Ann@example.com"}, find(a.t, a.s, `userName eq "ANN@example.com"`))
		a.want("a robot is nobody's business", []string(nil), find(a.t, a.s, `userName eq "robot@example.com"`))
		ann := a.get("User", "1")
		a.want("given name", "Ann", ann.String("name.givenName"))
		a.want("an empty column", nil, a.get("User", "2").Get("name"))
		a.want("invited is not active", false, ann.Active())
		a.want("telephone", []any{map[string]any{"type": "mobile", "value": "1"}}, ann.Get("phoneNumbers"))
		a.want("members, the robot left out", []string{"1"}, a.members("1"))
		for _, ref := range []scim.Ref{{Type: "User", ID: "3"}, {Type: "User", ID: "4"}, {Type: "Group", ID: "2"}} {
			if _, err := a.s.Get(a.t.Context(), ref); !errors.Is(err, scim.ErrNotFound) {
				a.t.Errorf("Get of %v: %v, want ErrNotFound", ref, err)
			}
		}
	})
}

// A column is written when a client changes its attribute, and only then; what a client
// sent comes back as it was until the application changes the column.
func TestMappedColumns(t *testing.T) {
	o := appOptions("o")
	o.Tables[0].Columns[0].To = func(v any) (any, error) { return strings.ToLower(v.(string)), nil }
	inApp(t, o, func(a app) {
		r := a.update("1", map[string]any{"nickName": "Annie", "title": "Chief"})
		a.want("a status of the application's own", "invited", a.row("SELECT status FROM people WHERE id = 1"))
		a.want("the address as it was written by hand", "Ann@example.com", a.row("SELECT email FROM people WHERE id = 1"))
		version := r.Meta().Version

		a.exec("UPDATE people SET last_name = 'Lee', left_at = NULL WHERE id = 1")
		r = a.get("User", "1")
		a.want("what the application changed", "Lee", r.String("name.familyName"))
		a.want("what has no column", "Annie", r.String("nickName"))
		if r.Meta().Version == version {
			a.t.Error("the version is the same after the application changed something")
		}

		a.update("1", map[string]any{"userName": "ANN@Example.com", "active": true})
		a.want("the address, which the client only spells in another way", "Ann@example.com", a.row("SELECT email FROM people WHERE id = 1"))
		a.want("the address to the letter", "ANN@Example.com", a.get("User", "1").String("userName"))
		a.want("status", "active", a.row("SELECT status FROM people WHERE id = 1"))
		version = a.get("User", "1").Meta().Version
		a.exec("UPDATE people SET email = email, status = status")
		a.want("the version after a write that changes nothing", version, a.get("User", "1").Meta().Version)
		a.exec("UPDATE people SET email = 'ann.lee@example.com' WHERE id = 1")
		a.want("the address that the application gave", "ann.lee@example.com", a.get("User", "1").String("userName"))
		a.want("look-up by it", []string{"ann.lee@example.com"}, find(a.t, a.s, `userName eq "Ann.Lee@example.com"`))
		a.want("look-up by the old one", []string(nil), find(a.t, a.s, `userName eq "ann@example.com"`))
	})
}

// A version of what the application wrote is stored: all servers give the same one, and a
// database with the same rows gives another.
func TestMappedVersions(t *testing.T) {
	seen := map[string]string{}
	for range 2 {
		inApp(t, appOptions("o"), func(a app) {
			a.exec("UPDATE people SET first_name = 'Anna' WHERE id = 1")
			version := a.get("User", "1").Meta().Version
			a.want("the version by another server", version, app{t: a.t, s: newStore(a.t, a.db, a.d, appOptions("o"))}.get("User", "1").Meta().Version)
			if len(version) < 22 {
				a.t.Errorf("the version %q has less than 128 bits", version)
			}
			if place, ok := seen[version]; ok {
				a.t.Errorf("the version %q is one of %s too: it follows from the contents", version, place)
			}
			seen[version] = a.t.Name()
		})
	}
}

// Elements that stay keep their rows.
func TestMappedChildren(t *testing.T) {
	inApp(t, appOptions("o"), func(a app) {
		mail := func(value, typ string, more ...any) map[string]any {
			m := map[string]any{"value": value, "type": typ}
			if len(more) > 0 {
				m["display"] = more[0]
			}
			return m
		}
		a.update("1", map[string]any{"emails": []any{mail("a@x.com", "work", "as sent"), mail("b@x.com", "home")}})
		kept := a.row("SELECT id FROM people_emails WHERE address = 'a@x.com'")
		a.update("1", map[string]any{"emails": []any{mail("c@x.com", "other"), mail("a@x.com", "work", "as sent")}})
		a.want("rows", "2", a.row("SELECT count(*) FROM people_emails"))
		a.want("the row of what stays", kept, a.row("SELECT id FROM people_emails WHERE address = 'a@x.com'"))
		a.want("in order, with what has no column", []any{mail("c@x.com", "other"), mail("a@x.com", "work", "as sent")}, a.get("User", "1").Get("emails"))
		a.want("look-up", []string{"Ann@example.com"}, find(a.t, a.s, `emails.value eq "C@x.com"`))
		a.exec("DELETE FROM people_emails WHERE address = 'c@x.com'")
		a.want("what the application left", []any{mail("a@x.com", "work")}, a.get("User", "1").Get("emails"))
		a.want("look-up", []string(nil), find(a.t, a.s, `emails.value eq "c@x.com"`))
		a.update("1", map[string]any{"phoneNumbers": []any{mail("2", "mobile"), mail("3", "work")}})
		a.want("the column of one element", "2", a.row("SELECT mobile FROM people WHERE id = 1"))
		a.exec("UPDATE people SET mobile = NULL WHERE id = 1")
		a.want("the others", []any{mail("3", "work")}, a.get("User", "1").Get("phoneNumbers"))
	})
}

// What the application's table does not take is refused whole, by the attribute's name.
func TestMappedRefused(t *testing.T) {
	inApp(t, appOptions("o"), func(a app) {
		a.exec("CREATE UNIQUE INDEX only_one ON teams (org, title)")
		for name, c := range map[string]struct {
			r      *scim.Resource
			status int
			detail string
		}{
			"the name of a row that clients do not see": {user(a.t, "robot@example.com", nil), 409, "userName is taken"},
			"a userName in another case":                {user(a.t, "ANN@EXAMPLE.COM", nil), 409, "userName is taken"},
			"a name that must be unique":                {group(a.t, "Sales"), 409, "displayName is taken"},
		} {
			err := a.s.InTx(a.t.Context(), func(ctx context.Context) error {
				_, err := a.s.Create(ctx, c.r)
				var e *scim.Error
				if !errors.As(err, &e) || e.Status != c.status || !strings.Contains(e.Detail, c.detail) {
					a.t.Errorf("%s: %v, want %d %s", name, err, c.status, c.detail)
				}
				_, err = a.s.Get(ctx, scim.Ref{Type: "User", ID: "1"}) // the transaction goes on
				return err
			})
			if err != nil {
				a.t.Errorf("%s: %v", name, err)
			}
		}
		a.want("people", "4", a.row("SELECT count(*) FROM people"))
	})
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		a := app{t: t, db: db, d: d}
		a.exec("CREATE TABLE titles (name text PRIMARY KEY)")
		a.exec("CREATE TABLE u (id text PRIMARY KEY, email text NOT NULL, nick text CHECK (length(nick) < 5), last text NOT NULL, title text REFERENCES titles (name))")
		a.s = newStore(t, db, d, sqlstore.Options{Tables: []sqlstore.Table{{Type: "User", Name: "u", Key: "id", KeepID: true, Columns: []sqlstore.Column{
			{Name: "email", Path: "userName"}, {Name: "nick", Path: "nickName"}, {Name: "last", Path: "name.familyName"}, {Name: "title", Path: "title"}}}}})
		for want, v := range map[string]map[string]any{
			"a value of one of these attributes: userName, nickName": {"nickName": "too long", "name.familyName": "x"},
			"name.familyName: the application needs a value":         {"nickName": "fits"},
			"nickName, name.familyName, title":                       {"nickName": "fits", "name.familyName": "x", "title": "unknown"},
		} {
			_, err := a.s.Create(t.Context(), user(t, "ann", v))
			var e *scim.Error
			if !errors.As(err, &e) || e.Status != 400 || !strings.Contains(e.Detail, want) || strings.Contains(e.Detail, "nick ") {
				t.Errorf("%v: %v, want 400 and %q", v, err, want)
			}
		}
		made := create(t, a.s, user(t, "ann", map[string]any{"name.familyName": "x"}))
		a.want("the id is kept", made.ID(), a.row("SELECT id FROM u"))
		a.exec("DELETE FROM u")
		a.exec("ALTER TABLE u ADD COLUMN hash text NOT NULL DEFAULT ''")
		if d != sqlstore.SQLite {
			a.exec("ALTER TABLE u ALTER COLUMN hash DROP DEFAULT")
		} else { // which can only make the table anew
			a.exec("CREATE TABLE v (id text PRIMARY KEY, email text NOT NULL, nick text, last text NOT NULL, title text, hash text NOT NULL)")
			a.exec("DROP TABLE u")
			a.exec("ALTER TABLE v RENAME TO u")
		}
		var e *scim.Error
		if _, err := a.s.Create(t.Context(), user(t, "bob", map[string]any{"name.familyName": "x"})); err == nil || errors.As(err, &e) || !strings.Contains(err.Error(), "hash") {
			t.Errorf("a column that no client can fill: %v, want an error that is not the client's", err)
		}
	})
}

// A POST takes over a row of before by policy, and by default it does not.
func TestMappedLink(t *testing.T) {
	o := appOptions("o")
	o.Tables[0].Retire = func(_ context.Context, _ *scim.Resource, now time.Time) map[string]any {
		return map[string]any{"left_at": now}
	}
	o.Tables[0].Revive = func(context.Context, *scim.Resource) map[string]any { return map[string]any{"left_at": nil} }
	inApp(t, o, func(a app) {
		request := func(rules ...scim.Rule) func(method, path, body string) (int, map[string]any) {
			h, err := scim.New(scim.Config{Store: a.s, Auth: auth.None(), Rules: rules, Log: slog.New(slog.DiscardHandler)})
			if err != nil {
				a.t.Fatal(err)
			}
			return func(method, path, body string) (int, map[string]any) { return serve(a.t, h, method, path, body) }
		}
		strict, lenient := request(), request(a.s.Adopt(sqlstore.SamePerson, "User", "Group"))
		body := `{"userName":"ANN@example.com","externalId":"%s","nickName":"Annie"}`
		status, _ := strict("POST", "/Users", fmt.Sprintf(body, "e1"))
		a.want("status without a policy", 409, status)
		status, answer := lenient("POST", "/Users", fmt.Sprintf(body, "e1"))
		a.want("status", 201, status)
		a.want("id", any("1"), answer["id"])
		a.want("what was there and was not sent", any("Ann"), answer["name"].(map[string]any)["givenName"])
		a.want("people", "4", a.row("SELECT count(*) FROM people"))
		status, _ = lenient("POST", "/Users", fmt.Sprintf(body, "e1"))
		a.want("status of one that a client has already", 409, status)
		status, answer = lenient("POST", "/Groups", `{"displayName":"Sales","members":[{"value":"2"}]}`)
		a.want("status", 201, status)
		a.want("id of the group", any("1"), answer["id"])
		a.want("members are those that were sent, and those from before", "1,2,3", a.joined())

		// Somebody leaves, and the row stays.
		status, _ = lenient("DELETE", "/Users/1", "")
		a.want("status", 204, status)
		a.want("rows", "1", a.row("SELECT count(*) FROM people WHERE id = 1 AND left_at IS NOT NULL"))
		a.want("members", "2,3", a.joined())
		status, _ = lenient("GET", "/Users/1", "")
		a.want("status", 404, status)
		status, _ = strict("POST", "/Users", fmt.Sprintf(body, "e1"))
		a.want("status without a policy: the table has the address", 409, status)
		status, answer = lenient("POST", "/Users", fmt.Sprintf(body, "e2"))
		a.want("status of another person", 409, status)
		if detail := fmt.Sprint(answer["detail"]); !strings.Contains(detail, "former") {
			a.t.Errorf("detail %q does not tell of a former resource", detail)
		}
		status, answer = lenient("POST", "/Users", fmt.Sprintf(body, "e1"))
		a.want("status of the same person", 201, status)
		a.want("id", any("1"), answer["id"])
		a.want("rows", "1", a.row("SELECT count(*) FROM people WHERE id = 1 AND left_at IS NULL"))
		a.want("members do not come back", []string{"2"}, a.members("1"))

		// Who was put into a team while away is in it.
		status, _ = lenient("DELETE", "/Users/1", "")
		a.want("status", 204, status)
		a.exec("INSERT INTO team_people (team_id, person_id) VALUES (1, 1)")
		a.want("members, of whom one is away", []string{"2"}, a.members("1"))
		status, _ = lenient("POST", "/Users", fmt.Sprintf(body, "e1"))
		a.want("status", 201, status)
		a.want("members, who are the application's", []string{"1", "2"}, a.members("1"))
	})
}

// In a transaction of the application's the store sees what that has written so far.
func TestMappedInTransaction(t *testing.T) {
	inApp(t, appOptions("o"), func(a app) {
		tx, err := a.db.BeginTx(a.t.Context(), nil)
		if err != nil {
			a.t.Fatal(err)
		}
		defer tx.Rollback() //nolint:errcheck // after Commit there is nothing to roll back
		if _, err := tx.Exec("UPDATE people SET status = 'suspended' WHERE id = 2"); err != nil {
			a.t.Fatal(err)
		}
		u, err := a.s.Get(sqlstore.WithTx(a.t.Context(), a.db, tx), scim.Ref{Type: "User", ID: "2"})
		if err != nil {
			a.t.Fatal(err)
		}
		a.want("active within the transaction", false, u.Active())
		if err := tx.Rollback(); err != nil {
			a.t.Fatal(err)
		}
		a.want("active after it was rolled back", true, a.get("User", "2").Active())
	})
}

// Whoever may write the application's table needs no rights on this package's, nor its
// search_path.
func TestMappedByOthers(t *testing.T) {
	inApp(t, appOptions("o"), func(a app) {
		switch a.d {
		case sqlstore.SQLite:
			return // there is neither
		case sqlstore.MariaDB:
			a.exec("CREATE USER IF NOT EXISTS writer")
			for _, table := range []string{"people", "team_people"} {
				a.exec("GRANT SELECT, UPDATE, INSERT, DELETE ON " + table + " TO writer")
			}
			db := openDB(t, mariatest.Driver, strings.Replace(mariadb.In(a.row("SELECT database()")), "root@", "writer@", 1))
			for _, text := range []string{"UPDATE people SET email = 'by-others@example.com' WHERE id = 2", "DELETE FROM team_people"} {
				if _, err := db.Exec(text); err != nil {
					a.t.Fatalf("%s: %v", text, err)
				}
			}
			a.want("people", []string{"Ann@example.com", "by-others@example.com"}, names(a.t, a.s))
			a.want("members", []string{}, a.members("1"))
			return
		}
		role := "writer_" + strings.ReplaceAll(a.row("SELECT current_database()"), "-", "_")
		a.exec("CREATE ROLE " + role)
		a.exec("GRANT SELECT, UPDATE, INSERT, DELETE ON people, team_people TO " + role)
		conn, err := a.db.Conn(a.t.Context())
		if err != nil {
			a.t.Fatal(err)
		}
		defer conn.Close() //nolint:errcheck // it goes back to the pool
		for _, text := range []string{
			"SET ROLE " + role, "SET search_path = ''", "CREATE TEMPORARY TABLE scim_stale (tenant text, type text, id text, member text)",
			"UPDATE public.people SET email = 'by-others@example.com' WHERE id = 2", "DELETE FROM public.team_people",
			"RESET ROLE", "RESET search_path", "DROP TABLE pg_temp.scim_stale",
		} {
			if _, err := conn.ExecContext(a.t.Context(), text); err != nil {
				a.t.Fatalf("%s: %v", text, err)
			}
		}
		a.want("people", []string{"Ann@example.com", "by-others@example.com"}, names(a.t, a.s))
		a.want("members", []string{}, a.members("1"))
	})
}

// Whoever writes the application's table cannot make triggers run what is theirs, with the rights of
// the role that migrated.
func TestMappedByAttackers(t *testing.T) {
	inApp(t, appOptions("o"), func(a app) {
		if a.d != sqlstore.Postgres {
			return // They have no operators of somebody's.
		}
		role := "attacker_" + strings.ReplaceAll(a.row("SELECT current_database()"), "-", "_")
		a.exec("CREATE ROLE " + role)
		a.exec("GRANT SELECT, UPDATE, INSERT, DELETE ON people, team_people, people_emails TO " + role)
		a.exec("CREATE SCHEMA theirs AUTHORIZATION " + role)
		conn, err := a.db.Conn(a.t.Context())
		if err != nil {
			a.t.Fatal(err)
		}
		defer conn.Close() //nolint:errcheck // it goes back to the pool
		const body = " LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''called by %'', current_user; END'"
		for _, text := range []string{
			"SET ROLE " + role,
			"CREATE FUNCTION theirs.same(pg_catalog.text, pg_catalog.text) RETURNS boolean" + body,
			"CREATE OPERATOR theirs.= (LEFTARG = pg_catalog.text, RIGHTARG = pg_catalog.text, FUNCTION = theirs.same)",
			"CREATE FUNCTION theirs.joined(pg_catalog.text, pg_catalog.text) RETURNS pg_catalog.text" + body,
			"CREATE OPERATOR theirs.|| (LEFTARG = pg_catalog.text, RIGHTARG = pg_catalog.text, FUNCTION = theirs.joined)",
			"CREATE FUNCTION theirs.txid_current() RETURNS bigint" + body,
			"CREATE DOMAIN theirs.text AS pg_catalog.text CHECK (theirs.joined(VALUE, VALUE) IS NULL)",
			"CREATE TABLE theirs.scim_schema (part pg_catalog.text, version bigint)",
			"CREATE TABLE theirs.scim_stale (tenant pg_catalog.text, type pg_catalog.text, id pg_catalog.text, member pg_catalog.text)",
			"SET search_path = theirs, pg_catalog",
			"UPDATE public.people SET email = 'by-them@example.com' WHERE id = 2",
			"UPDATE public.people SET id = 72 WHERE id = 2 AND NOT EXISTS (SELECT 1 FROM public.team_people WHERE person_id = 2)",
			"INSERT INTO public.people (org, email) VALUES ('o', 'new@example.com'), ('other', 'x')",
			"DELETE FROM public.people WHERE email LIKE 'x'",
			"DELETE FROM public.team_people",
			"RESET ROLE", "RESET search_path",
		} {
			if _, err := conn.ExecContext(a.t.Context(), text); err != nil {
				a.t.Fatalf("%s: %v", text, err)
			}
		}
		a.want("people", []string{"Ann@example.com", "new@example.com", "by-them@example.com"}, names(a.t, a.s))
		a.want("members", []string{}, a.members("1"))
	})
}

// What no trigger has noted is seen after Reindex.
func TestMappedReindex(t *testing.T) {
	inApp(t, appOptions("o"), func(a app) {
		a.update("2", map[string]any{"nickName": "Bobby"})
		a.exec("UPDATE people SET email = 'robert@example.com' WHERE id = 2")
		a.exec("INSERT INTO people (org, email) VALUES ('o', 'new@example.com')")
		a.exec("DELETE FROM team_people")
		a.exec("INSERT INTO team_people (team_id, person_id) VALUES (1, 2)")
		a.exec("DELETE FROM people WHERE id = 1")
		a.exec("DELETE FROM scim_stale")
		a.want("people, as they were", []string{"Ann@example.com", "bob@example.com"}, names(a.t, a.s))
		if err := a.s.Reindex(a.t.Context()); err != nil {
			a.t.Fatal(err)
		}
		a.want("people", []string{"robert@example.com", "new@example.com"}, names(a.t, a.s))
		a.want("members", []string{"2"}, a.members("1"))
		a.want("what has no column", "Bobby", a.get("User", "2").String("nickName"))
	})
}

// A mapping that has changed is applied to what is there; what cannot be shown is left
// out, and told.
func TestMappedAgain(t *testing.T) {
	inApp(t, appOptions("o"), func(a app) {
		a.update("1", map[string]any{"nickName": "Annie", "title": "by a client"})
		a.exec("ALTER TABLE people ADD COLUMN job text")
		a.exec("ALTER TABLE people ADD COLUMN site text")
		a.exec("UPDATE people SET job = 'by the application', site = 'no date' WHERE id = 1")
		var log bytes.Buffer
		o := appOptions("o")
		o.Log = slog.New(slog.NewTextHandler(&log, nil))
		o.Tables[0].Columns = append(o.Tables[0].Columns, sqlstore.Column{Name: "job", Path: "title"},
			sqlstore.Column{Name: "site", Path: "locale", From: func(v any) (any, error) { return nil, errors.New("no locale") }})
		a.s = newStore(a.t, a.db, a.d, o)
		r := a.get("User", "1")
		a.want("the new column", "by the application", r.String("title"))
		a.want("the rest", "Annie", r.String("nickName"))
		if !strings.Contains(log.String(), "no locale") || !strings.Contains(log.String(), "key=1") {
			a.t.Errorf("the log does not tell of the value that is no locale:\n%s", log.String())
		}
	})
}

func TestMappingMistakes(t *testing.T) {
	db := relaxed(t)
	users := func(m sqlstore.Table) sqlstore.Options {
		m.Type, m.Name, m.Key = "User", "people", "id"
		return sqlstore.Options{Tables: []sqlstore.Table{m}}
	}
	name := sqlstore.Column{Name: "email", Path: "userName"}
	for want, o := range map[string]sqlstore.Options{
		"is no type":                  {Tables: []sqlstore.Table{{Type: "Device", Name: "d", Key: "id"}}},
		"needs a column for userName": users(sqlstore.Table{}),
		`"a b": needs the name`:       {Tables: []sqlstore.Table{{Type: "Group", Name: "a b", Key: "id"}}},
		`Key "": needs`:               {Tables: []sqlstore.Table{{Type: "Group", Name: "g"}}},
		"of every tenant":             {Tenant: "x", Tables: []sqlstore.Table{{Type: "Group", Name: "g", Key: "id"}}},
		`Path "nobody"`:               users(sqlstore.Table{Columns: []sqlstore.Column{name, {Name: "x", Path: "nobody"}}}),
		"a password is no attribute":  users(sqlstore.Table{Columns: []sqlstore.Column{name, {Name: "x", Path: "password"}}}),
		`Path "emails"`:               users(sqlstore.Table{Columns: []sqlstore.Column{name, {Name: "x", Path: "emails"}}}),
		"Of is for":                   users(sqlstore.Table{Columns: []sqlstore.Column{name, {Name: "x", Path: "title", Of: "work"}}}),
		"Visible takes no":            users(sqlstore.Table{Columns: []sqlstore.Column{name}, Visible: "org = $1"}),
		`Path "title": needs a multi`: users(sqlstore.Table{Columns: []sqlstore.Column{name}, Children: []sqlstore.Child{{Path: "title", Name: "t", Parent: "p"}}}),
		"one for Group":               {Members: &sqlstore.Join{Name: "j", Group: "g", User: "u"}},
	} {
		if _, err := sqlstore.New(db, sqlstore.SQLite, o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one that says %q", err, want)
		}
	}
}

// A column that says the opposite, as docs/your-tables.md has it.
func TestMappedDisabled(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		a := app{t: t, db: db, d: d}
		a.exec(inDialect(d, "CREATE TABLE accounts (id {serial}, login text, disabled boolean NOT NULL DEFAULT FALSE)")[0])
		a.exec("INSERT INTO accounts (login) VALUES ('ann'), ('bob')")
		a.exec("UPDATE accounts SET disabled = TRUE WHERE login = 'bob'")
		a.s = newStore(t, db, d, sqlstore.Options{Tables: []sqlstore.Table{{Type: "User", Name: "accounts", Key: "id", Columns: []sqlstore.Column{
			{Name: "login", Path: "userName"},
			{Name: "disabled", Path: "active", Empty: false, To: func(v any) (any, error) { return v == false, nil }, From: func(v any) (any, error) { return v == false || v == int64(0), nil }},
		}}}})
		a.want("active", []string{"ann"}, find(t, a.s, "active eq true"))
		a.update("1", map[string]any{"active": false})
		a.update("2", map[string]any{"active": true})
		a.want("disabled", "ann", a.row("SELECT login FROM accounts WHERE disabled"))
		a.want("active", []string{"bob"}, find(t, a.s, "active eq true"))
	})
}
