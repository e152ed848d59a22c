package sqlstore_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/store/sqlstore"
)

// client is a handler with what it logs.
type client struct {
	t   *testing.T
	h   http.Handler
	sh  *scim.Handler
	log *bytes.Buffer
}

func newClient(t *testing.T, c scim.Config) client {
	t.Helper()
	log := &bytes.Buffer{}
	c.Auth, c.Log = auth.None(), slog.New(slog.NewTextHandler(log, nil))
	h, err := scim.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return client{t, h, h, log}
}

func (c client) do(method, path, body string, want int) map[string]any {
	c.t.Helper()
	c.log.Reset()
	begin := time.Now()
	status, answer := serve(c.t, c.h, method, path, body)
	if status != want {
		c.t.Errorf("%s %s %s: %d %v after %v, want %d\nlog: %s", method, path, body, status, answer, time.Since(begin), want, c.log)
	}
	return answer
}

// UNIQUE (person_id): one team per person. Whom a client puts into a second one is left out.
func TestMappedOneTeamEach(t *testing.T) {
	inApp(t, appOptions("o"), func(a app) {
		a.exec("CREATE UNIQUE INDEX one_team ON team_people (person_id)")
		a.exec("INSERT INTO teams (org, title) VALUES ('o', 'Support')")
		c := newClient(a.t, scim.Config{Store: a.s})
		status, answer := serve(a.t, c.h, "PATCH", "/Groups/3", `{"Operations":[{"op":"add","path":"members","value":[{"value":"1"}]}]}`)
		if status >= 500 {
			a.t.Errorf("status %d %v\n%s", status, answer, c.log)
		}
		a.want("members of the second", []string{}, a.members("3"))
		status, answer = serve(a.t, c.h, "POST", "/Groups", `{"displayName":"New","members":[{"value":"1"},{"value":"2"}]}`)
		if status >= 500 {
			a.t.Errorf("status %d %v\n%s", status, answer, c.log)
		}
	})
}

// Deferrable constraints.
func TestMappedDeferred(t *testing.T) {
	db := postgres.DB(t)
	a := app{t: t, db: db, d: sqlstore.Postgres}
	a.exec(inDialect(a.d, "CREATE TABLE people (id {serial}, email text NOT NULL UNIQUE DEFERRABLE INITIALLY DEFERRED, hidden boolean NOT NULL DEFAULT false)")[0])
	a.exec("INSERT INTO people (email, hidden) VALUES ('robot', true)")
	s := newStore(t, db, a.d, sqlstore.Options{Tables: []sqlstore.Table{
		{Type: "User", Name: "people", Key: "id", Visible: "NOT t.hidden", Columns: []sqlstore.Column{{Name: "email", Path: "userName"}}}}})
	c := newClient(t, scim.Config{Store: s})
	c.do("POST", "/Users", `{"userName":"robot"}`, 409)
}

// The answer to a conflict does not look into other tenants.
func TestMappedConflictOfOtherTenant(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		a := app{t: t, db: db, d: d}
		a.exec(inDialect(d, "CREATE TABLE people (id {serial}, org text NOT NULL, email text NOT NULL, number text, kind text NOT NULL DEFAULT 'person', UNIQUE (org, email), UNIQUE (org, number))")[0])
		a.exec("INSERT INTO people (org, email, number) VALUES ('a', 'bob', '7'), ('b', 'ceo@other.example', '1')")
		s := newStore(t, db, d, sqlstore.Options{Tenant: "a", Tables: []sqlstore.Table{
			{Type: "User", Name: "people", Key: "id", Tenant: "org", Columns: []sqlstore.Column{{Name: "email", Path: "userName"}, {Name: "number", Path: "title"}}}}})
		c := newClient(t, scim.Config{Store: s})
		answer := c.do("POST", "/Users", `{"userName":"ceo@other.example","title":"7"}`, 409)
		if detail := fmt.Sprint(answer["detail"]); !strings.Contains(detail, "title") {
			t.Errorf("detail %q: it is the title that is taken; the userName is another tenant's", detail)
		}
	})
}

// Names of roles in an enum.
func TestMappedRoleEnum(t *testing.T) {
	inApp(t, appOptions("o"), func(a app) {
		if a.d == sqlstore.SQLite {
			return
		}
		enum := "enum('Sales', 'Admin')"
		if a.d == sqlstore.Postgres {
			a.exec("CREATE TYPE role_name AS " + enum)
			enum = "role_name"
		}
		a.exec("CREATE TABLE jobs (id integer PRIMARY KEY, name " + enum + ")")
		a.exec("INSERT INTO jobs VALUES (1, 'Sales')")
		a.exec("CREATE TABLE job_people (job_id integer, person_id bigint, PRIMARY KEY (job_id, person_id))")
		jobs, err := a.s.RoleResolver(t.Context(), sqlstore.RoleTables{Roles: "jobs", ID: "id", Name: "name", Holders: "job_people", User: "person_id", Role: "job_id"})
		if err != nil {
			a.t.Fatal(err)
		}
		c := newClient(a.t, scim.Config{Store: a.s, Roles: &scim.Roles{Resolver: jobs}})
		c.do("POST", "/Groups", `{"displayName":"All employees"}`, 201)
	})
}

// Join.Insert gives different columns for different people.
func TestMappedJoinInsertColumns(t *testing.T) {
	o := appOptions("o")
	o.Members.Insert = func(_ context.Context, _, user string) map[string]any {
		if user == "1" {
			return map[string]any{"owner": "yes"}
		}
		return map[string]any{"note": "by SCIM"}
	}
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		makeApp(t, db, d)
		a := app{t: t, db: db, d: d}
		a.exec("INSERT INTO people (org, email, status) VALUES ('o', 'ann@example.com', 'active'), ('o', 'bob@example.com', 'active')")
		a.exec("ALTER TABLE team_people ADD COLUMN owner text")
		a.exec("ALTER TABLE team_people ADD COLUMN note text")
		a.s = newStore(t, db, d, o)
		c := newClient(a.t, scim.Config{Store: a.s})
		g := c.do("POST", "/Groups", `{"displayName":"New","members":[{"value":"1"},{"value":"2"}]}`, 201)
		a.want("owners", "1", a.row("SELECT count(*) FROM team_people WHERE owner IS NOT NULL AND team_id = "+fmt.Sprint(g["id"])))
		a.want("owner of 2", "", a.row("SELECT owner FROM team_people WHERE person_id = 2 AND team_id = "+fmt.Sprint(g["id"])))
	})
}

// RoleTables.Insert with different columns.
func TestMappedRoleInsertColumns(t *testing.T) {
	inApp(t, appOptions("o"), func(a app) {
		a.exec("UPDATE people SET status = 'active'")
		a.exec("CREATE TABLE jobs (id integer PRIMARY KEY, title text)")
		a.exec("INSERT INTO jobs VALUES (1, 'Staff')")
		a.exec("CREATE TABLE job_people (job_id integer, person_id bigint, approved_by text, note text, PRIMARY KEY (job_id, person_id))")
		jobs, err := a.s.RoleResolver(t.Context(), sqlstore.RoleTables{Roles: "jobs", ID: "id", Name: "title", Holders: "job_people", User: "person_id", Role: "job_id",
			Insert: func(_ context.Context, user, _ string) map[string]any {
				if user == "1" {
					return map[string]any{"approved_by": "board"}
				}
				return nil
			}})
		if err != nil {
			a.t.Fatal(err)
		}
		c := newClient(a.t, scim.Config{Store: a.s, Roles: &scim.Roles{Resolver: jobs}})
		c.do("POST", "/Groups", `{"displayName":"Staff","members":[{"value":"1"},{"value":"2"}]}`, 201)
	})
}

// Bulk references with keys that the database gives.
func TestMappedBulk(t *testing.T) {
	inApp(t, appOptions("o"), func(a app) {
		c := newClient(a.t, scim.Config{Store: a.s})
		answer := c.do("POST", "/Bulk", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[
			{"method":"POST","path":"/Groups","bulkId":"g1","data":{"displayName":"G1","members":[{"value":"bulkId:u1"},{"type":"Group","value":"bulkId:g2"}]}},
			{"method":"POST","path":"/Groups","bulkId":"g2","data":{"displayName":"G2","members":[{"type":"Group","value":"bulkId:g1"}]}},
			{"method":"POST","path":"/Users","bulkId":"u1","data":{"userName":"bulk@example.com"}},
			{"method":"POST","path":"/Users","bulkId":"u2","data":{"userName":"robot@example.com"}},
			{"method":"PATCH","path":"/Groups/1","data":{"Operations":[{"op":"add","path":"members","value":[{"value":"bulkId:u1"}]}]}}]}`, 200)
		b, _ := json.Marshal(answer["Operations"])
		for _, s := range []string{`"status":"5`, `"status":"404`} {
			if strings.Contains(string(b), s) {
				a.t.Errorf("%s\n%s", b, c.log)
			}
		}
		a.t.Log(string(b))
	})
}

// The application's trigger erases the row softly when it is deleted.
func TestMappedSoftDeleteTrigger(t *testing.T) {
	inApp(t, appOptions("o"), func(a app) {
		a.exec("DELETE FROM team_people")
		if a.d == sqlstore.MariaDB {
			return // A trigger can neither write its own table nor suppress the statement there.
		}
		if a.d == sqlstore.Postgres {
			a.exec("CREATE FUNCTION soft() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN UPDATE people SET left_at = now() WHERE id = OLD.id; RETURN NULL; END'")
			a.exec("CREATE TRIGGER soft BEFORE DELETE ON people FOR EACH ROW EXECUTE FUNCTION soft()")
		} else {
			a.exec("CREATE TRIGGER soft BEFORE DELETE ON people BEGIN UPDATE people SET left_at = CURRENT_TIMESTAMP WHERE id = OLD.id; SELECT RAISE(IGNORE); END")
		}
		c := newClient(a.t, scim.Config{Store: a.s})
		c.do("PATCH", "/Users/2", externalID, 200) // else it is unclaimed
		c.do("DELETE", "/Users/2", "", 204)
		a.want("people", []string{"Ann@example.com"}, names(a.t, a.s))
		a.want("row", "1", a.row("SELECT count(*) FROM people WHERE id = 2 AND left_at IS NOT NULL"))
	})
}
