package sqlstore_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/store/sqlstore"
)

// Whom the application has hidden loses what SCIM gave, and keeps what was given by hand:
// when the application tells of it, and when a client deletes the group.
func TestMappedRolesOfHidden(t *testing.T) {
	inApp(t, appOptions("o"), func(a app) {
		a.exec("CREATE TABLE jobs (id integer PRIMARY KEY, title text, rank numeric(5, 2))")
		a.exec("INSERT INTO jobs VALUES (1, 'Sales', 1), (2, 'Hand', 2)")
		a.exec("CREATE TABLE job_people (job_id integer, person_id bigint, PRIMARY KEY (job_id, person_id))")
		jobs, err := a.s.RoleResolver(t.Context(), sqlstore.RoleTables{Roles: "jobs", ID: "id", Name: "title", Weight: "rank", Holders: "job_people", User: "person_id", Role: "job_id"})
		if err != nil {
			a.t.Fatal(err)
		}
		h, err := scim.New(scim.Config{Store: a.s, Auth: auth.None(), Roles: &scim.Roles{Resolver: jobs}, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			a.t.Fatal(err)
		}
		do := func(method, path, body string, want int) {
			a.t.Helper()
			if status, answer := serve(a.t, h, method, path, body); status != want {
				a.t.Fatalf("%s %s: %d %v, want %d", method, path, status, answer, want)
			}
		}
		held := func(what, want string) {
			a.t.Helper()
			list := "string_agg(CAST(person_id AS text) || ':' || job_id, ' ' ORDER BY person_id, job_id)"
			if a.d == sqlstore.SQLite {
				list = "group_concat(person_id || ':' || job_id, ' ' ORDER BY person_id, job_id)"
			}
			a.want(what, want, a.row("SELECT "+list+" FROM job_people"))
		}
		a.exec("INSERT INTO job_people (job_id, person_id) VALUES (2, 1)")
		a.exec("UPDATE people SET status = 'active'")
		do("PATCH", "/Groups/1", `{"Operations":[{"op":"replace","path":"displayName","value":"Staff"}]}`, 204)
		do("PATCH", "/Groups/1", `{"Operations":[{"op":"replace","path":"displayName","value":"Sales"}]}`, 204)
		do("PATCH", "/Groups/1", `{"Operations":[{"op":"add","path":"members","value":[{"value":"1"},{"value":"2"}]}]}`, 204)
		held("both are in Sales", "1:1 1:2 2:1")

		a.exec("UPDATE people SET kind = 'robot' WHERE id IN (1, 2)")
		if err := reconciler(h).Users(a.t.Context(), "2"); err != nil {
			a.t.Fatal(err)
		}
		held("the application told of one", "1:1 1:2")
		do("DELETE", "/Groups/1", "", 204)
		held("the group was deleted", "1:2")
		a.exec("UPDATE people SET kind = 'person' WHERE id IN (1, 2)")
		if err := reconciler(h).Users(a.t.Context(), "1", "2"); err != nil {
			a.t.Fatal(err)
		}
		held("they are back", "1:2")
	})
}

// Link takes over a row once, and brings back only who it was.
func TestMappedLinkOnce(t *testing.T) {
	o := appOptions("o")
	o.Tables[0].Retire = func(_ context.Context, _ *scim.Resource, now time.Time) map[string]any {
		return map[string]any{"left_at": now, "email": fmt.Sprint("gone-", now.UnixNano())}
	}
	o.Tables[0].Revive = func(context.Context, *scim.Resource) map[string]any { return map[string]any{"left_at": nil} }
	inApp(t, o, func(a app) {
		h, err := scim.New(scim.Config{Store: a.s, Auth: auth.None(), Rules: []scim.Rule{a.s.Adopt(sqlstore.SamePerson, "User", "Group")}, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			a.t.Fatal(err)
		}
		post := func(what, path, body string, want int, id string) {
			a.t.Helper()
			status, answer := serve(a.t, h, "POST", path, body)
			a.want(what, fmt.Sprint(want, " ", id), fmt.Sprint(status, " ", answer["id"]))
		}
		same := `{"userName":"bob@example.com","active":true}`
		post("one that says nothing new", "/Users", same, 201, "2")
		post("again", "/Users", same, 409, "<nil>")
		post("a group that says nothing new", "/Groups", `{"displayName":"Sales","members":[{"value":"1"}]}`, 201, "1")
		post("again: another group of that name", "/Groups", `{"displayName":"Sales"}`, 201, "3")

		leave := func(id string) {
			a.t.Helper()
			if status, _ := serve(a.t, h, "DELETE", "/Users/"+id, ""); status != 204 {
				a.t.Fatalf("DELETE: %d", status)
			}
		}
		leave("2")
		post("who comes back, to a row without the name", "/Users", same, 201, "2")
		a.want("the name", "bob@example.com", a.row("SELECT email FROM people WHERE id = 2"))
		leave("2")
		a.exec("UPDATE people SET email = 'carol@example.com' WHERE id = 2")
		post("the row is somebody else's by now", "/Users", same, 201, "5")
		a.want("the row", "carol@example.com", a.row("SELECT email FROM people WHERE id = 2"))
	})
}
