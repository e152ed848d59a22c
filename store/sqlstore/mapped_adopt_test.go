package sqlstore_test

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/store/sqlstore"
)

// Two rows of the application whose names are the same to clients; the second POST is a repetition.
func TestMappedLinkBoth(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		a := app{t: t, db: db, d: d}
		a.exec(inDialect(d, "CREATE TABLE people (id {serial}, email text NOT NULL UNIQUE)")[0])
		a.exec("INSERT INTO people (email) VALUES ('Ann@x.com'), ('ann@x.com')")
		a.s = newStore(t, db, d, sqlstore.Options{Tables: []sqlstore.Table{
			{Type: "User", Name: "people", Key: "id", Columns: []sqlstore.Column{{Name: "email", Path: "userName"}}}}})
		c := newClient(t, scim.Config{Store: a.s, Rules: []scim.Rule{a.s.Adopt(sqlstore.SamePerson)}})
		c.do("POST", "/Users", `{"userName":"Ann@x.com"}`, 201)
		c.do("POST", "/Users", `{"userName":"ANN@x.com"}`, 409)
	})
}

// A POST of a name that a client has already, while a former person has it too.
func TestMappedLinkTwice(t *testing.T) {
	for _, unique := range []bool{true, false} {
		t.Run(fmt.Sprint("partial unique index ", unique), func(t *testing.T) {
			databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
				a := app{t: t, db: db, d: d}
				a.exec(inDialect(d, "CREATE TABLE people (id {serial}, email text NOT NULL, left_at {time})")[0])
				if unique {
					a.exec("CREATE UNIQUE INDEX one ON people (email) WHERE left_at IS NULL")
				}
				a.s = newStore(t, db, d, sqlstore.Options{Tables: []sqlstore.Table{
					{Type: "User", Name: "people", Key: "id", Visible: "t.left_at IS NULL", Columns: []sqlstore.Column{{Name: "email", Path: "userName"}},
						Retire: func(_ context.Context, _ *scim.Resource, now time.Time) map[string]any {
							return map[string]any{"left_at": now}
						}, Revive: func(context.Context, *scim.Resource) map[string]any { return map[string]any{"left_at": nil} }},
				}})
				c := newClient(t, scim.Config{Store: a.s, Rules: []scim.Rule{a.s.Adopt(sqlstore.SamePerson)}})
				c.do("POST", "/Users", `{"userName":"ann"}`, 201)
				c.do("DELETE", "/Users/1", "", 204)
				a.exec("INSERT INTO people (email) VALUES ('ann')") // the application hires another Ann
				c.do("POST", "/Users", `{"userName":"ann"}`, 201)   // a client takes her over
				c.do("POST", "/Users", `{"userName":"ann"}`, 409)   // and says it again
				a.want("people of that name", []string{"ann"}, names(t, a.s))
			})
		})
	}
}

// Link makes nobody active whom the application has made inactive, unless the client says so.
func TestMappedLinkMakesActive(t *testing.T) {
	inApp(t, appOptions("o"), func(a app) {
		a.exec("UPDATE people SET status = 'banned' WHERE id = 2")
		c := newClient(a.t, scim.Config{Store: a.s, Rules: []scim.Rule{a.s.Adopt(sqlstore.SamePerson)}})
		c.do("POST", "/Users", `{"userName":"bob@example.com","externalId":"e1"}`, 201)
		a.want("a status that the client said nothing of", "banned", a.row("SELECT status FROM people WHERE id = 2"))
	})
}

// Who comes back by Link, and is in a team that the application has put them into, has its role.
func TestMappedReviveRole(t *testing.T) {
	o := appOptions("o")
	o.Tables[0].Retire = func(_ context.Context, _ *scim.Resource, now time.Time) map[string]any {
		return map[string]any{"left_at": now}
	}
	o.Tables[0].Revive = func(context.Context, *scim.Resource) map[string]any { return map[string]any{"left_at": nil} }
	inApp(t, o, func(a app) {
		a.exec("CREATE TABLE jobs (id integer PRIMARY KEY, title text)")
		a.exec("INSERT INTO jobs VALUES (1, 'Sales')")
		a.exec("CREATE TABLE job_people (job_id integer, person_id bigint, PRIMARY KEY (job_id, person_id))")
		jobs, err := a.s.RoleResolver(t.Context(), sqlstore.RoleTables{Roles: "jobs", ID: "id", Name: "title", Holders: "job_people", User: "person_id", Role: "job_id"})
		if err != nil {
			a.t.Fatal(err)
		}
		c := newClient(a.t, scim.Config{Store: a.s, Roles: &scim.Roles{Resolver: jobs}, Rules: []scim.Rule{a.s.Adopt(sqlstore.SamePerson)}})
		c.do("PATCH", "/Groups/1", `{"Operations":[{"op":"add","path":"members","value":[{"value":"2"}]}]}`, 204)
		a.want("holds", "1", a.row("SELECT count(*) FROM job_people WHERE person_id = 2"))
		c.do("PATCH", "/Users/2", externalID, 200) // else it is unclaimed
		c.do("DELETE", "/Users/2", "", 204)
		a.want("holds", "0", a.row("SELECT count(*) FROM job_people WHERE person_id = 2"))
		a.exec("INSERT INTO team_people VALUES (1, 2)")
		if err := reconciler(c.sh).Users(a.t.Context(), "2"); err != nil {
			a.t.Fatal(err)
		}
		c.do("POST", "/Users", `{"userName":"bob@example.com"}`, 201)
		a.want("members", 2, len(a.members("1")))
		a.want("holds", "1", a.row("SELECT count(*) FROM job_people WHERE person_id = 2"))
	})
}

// Retire sees who leaves and who says so, and may make the row anonymous. Adopt brings the same
// person back.
func TestMappedRetireAnonymous(t *testing.T) {
	o := appOptions("o")
	client := func(ctx context.Context) string {
		p, _ := scim.PrincipalOf(ctx)
		return p.ID
	}
	revived := ""
	o.Tables[0].Insert = func(ctx context.Context, r *scim.Resource) map[string]any {
		return map[string]any{"mobile": client(ctx) + " made " + r.String("userName")}
	}
	o.Tables[0].Retire = func(ctx context.Context, r *scim.Resource, now time.Time) map[string]any {
		return map[string]any{"left_at": now, "email": "gone-" + r.ID(), "mobile": client(ctx) + " let go"}
	}
	o.Tables[0].Revive = func(ctx context.Context, r *scim.Resource) map[string]any {
		revived = client(ctx) + " brings back " + r.String("userName")
		return map[string]any{"left_at": nil}
	}
	inApp(t, o, func(a app) {
		token := auth.TokenOf(testhost.Secret)
		token.ID = "directory"
		h := testhost.New(a.t, scim.Config{Store: a.s, Auth: auth.Bearer(token), Rules: []scim.Rule{a.s.Adopt(sqlstore.SamePerson)}})
		id := testhost.Create(a.t, h, "/Users", `{"userName":"ann@x.com","externalId":"e1","name":{"familyName":"A"}}`)
		mobile := func() string { return a.row("SELECT mobile FROM people WHERE id = " + id) }
		a.want("the new row", "directory made ann@x.com", mobile())
		testhost.Do(a.t, h, "DELETE", "/Users/"+id, "")
		a.want("the address of who has left", "gone-"+id, a.row("SELECT email FROM people WHERE id = "+id))
		a.want("the row of who has left", "directory let go", mobile())
		a.want("another person", http.StatusConflict, testhost.Do(a.t, h, "POST", "/Users", `{"userName":"ann@x.com","externalId":"e2"}`).StatusCode)
		a.want("the row after that", "directory let go", mobile())
		a.want("who comes back", id, testhost.Create(a.t, h, "/Users", `{"userName":"ann@x.com","externalId":"e1"}`))
		a.want("the address of who comes back", "ann@x.com", a.row("SELECT email FROM people WHERE id = "+id))
		a.want("Revive", "directory brings back ann@x.com", revived)
		a.want("what the client did not send is as it was", "directory made ann@x.com", mobile())
		testhost.Do(a.t, h, "DELETE", "/Users/"+id, "")
		h = testhost.New(a.t, scim.Config{Store: a.s, Rules: []scim.Rule{a.s.Adopt(sqlstore.SameName)}})
		a.want("who comes back with another externalId", id, testhost.Create(a.t, h, "/Users", `{"userName":"ann@x.com","externalId":"e2"}`))
	})
}

// Without Revive nobody comes back: a person with a name that Retire has given back is a new one.
func TestMappedRetireForGood(t *testing.T) {
	o := appOptions("o")
	o.Tables[0].Retire = func(_ context.Context, r *scim.Resource, now time.Time) map[string]any {
		return map[string]any{"left_at": now, "email": "gone-" + r.ID()}
	}
	inApp(t, o, func(a app) {
		c := newClient(a.t, scim.Config{Store: a.s, Rules: []scim.Rule{a.s.Adopt(sqlstore.SamePerson)}})
		first := c.do("POST", "/Users", `{"userName":"ann@x.com","externalId":"e1","nickName":"A"}`, 201)["id"]
		for _, externalID := range []string{"e1", "e2"} {
			c.do("DELETE", fmt.Sprint("/Users/", first), "", 204)
			next := c.do("POST", "/Users", `{"userName":"ann@x.com","externalId":"`+externalID+`"}`, 201)
			if next["id"] == first || next["nickName"] != nil {
				t.Errorf("after %v the client creates %v", first, next)
			}
			first = next["id"]
		}
	})
}

// Several rows have the name that a client sends. Nobody knows which one it means, unless one
// of them is spelt like it.
func TestMappedAdoptAmbiguous(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		a := app{t: t, db: db, d: d}
		for _, text := range []string{"CREATE TABLE people (id {serial}, email text NOT NULL)", "CREATE TABLE teams (id {serial}, title text NOT NULL)",
			"CREATE TABLE team_people (team_id bigint NOT NULL, person_id bigint NOT NULL, PRIMARY KEY (team_id, person_id))"} {
			a.exec(inDialect(d, text)[0])
		}
		a.exec("INSERT INTO people (email) VALUES ('twin@x.com'), ('Twin@x.com'), ('Ann@x.com')")
		a.exec("INSERT INTO teams (title) VALUES ('Holiday'), ('Holiday'), ('sales'), ('Sales'), ('Staff')")
		a.s = newStore(t, db, d, sqlstore.Options{Tables: []sqlstore.Table{
			{Type: "User", Name: "people", Key: "id", Columns: []sqlstore.Column{{Name: "email", Path: "userName"}}},
			{Type: "Group", Name: "teams", Key: "id", Columns: []sqlstore.Column{{Name: "title", Path: "displayName"}}},
		}, Members: &sqlstore.Join{Name: "team_people", Group: "team_id", User: "person_id"}})
		c := newClient(t, scim.Config{Store: a.s, Rules: []scim.Rule{a.s.Adopt(sqlstore.SamePerson, "User", "Group")}})
		post := func(what, path, name, value string, want int, id string) {
			t.Helper()
			got := c.do("POST", path, fmt.Sprintf(`{%q:%q}`, name, value), want)["id"]
			a.want(what, id, fmt.Sprint(got))
		}
		post("two of this name", "/Users", "userName", "TWIN@x.com", 409, "<nil>")
		post("one is spelt like it", "/Users", "userName", "Twin@x.com", 201, "2")
		post("one alone", "/Users", "userName", "ann@x.com", 201, "3")
		post("two teams of this name: a new one", "/Groups", "displayName", "Holiday", 201, "6")
		post("the same again", "/Groups", "displayName", "Holiday", 201, "7")
		post("one is spelt like it", "/Groups", "displayName", "Sales", 201, "4")
		post("one alone", "/Groups", "displayName", "staff", 201, "5")
		post("a client has it already", "/Groups", "displayName", "Sales", 201, "8")
	})
}
