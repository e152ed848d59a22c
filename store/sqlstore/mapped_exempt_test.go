package sqlstore_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore"
)

// inExemptApp runs a test on each database. Ann, with the id 1, is exempt and holds the
// role Admin by hand. The team Sales gives the role Sales.
func inExemptApp(t *testing.T, test func(a app, c client, events *[]string)) {
	o := appOptions("o")
	o.Tables[0].Exempt = "t.is_external"
	inApp(t, o, func(a app) {
		a.exec("UPDATE people SET status = 'active', is_external = (id = 1)")
		jobs := a.jobs()
		a.exec("INSERT INTO job_people VALUES (2, 1)")
		var events []string
		c := newClient(a.t, scim.Config{Store: a.s, Roles: &scim.Roles{Resolver: jobs}, Rules: []scim.Rule{a.s.Adopt(sqlstore.SamePerson, "User", "Group")},
			Me: &scim.SelfService{UserOf: func(context.Context, scim.Principal) (string, error) { return "1", nil }, Writable: []string{"nickName"}},
			OnEvent: func(_ context.Context, e scim.Event) {
				if e.Kind == scim.MemberExempt {
					events = append(events, e.Resource.ID+" "+e.Member.ID)
				}
			}})
		test(a, c, &events)
		a.want("the account afterwards", "Ann@example.com active 1", a.row("SELECT email || ' ' || status || ' ' || mobile FROM people WHERE id = 1"))
		a.want("its role", "1", a.row("SELECT count(*) FROM job_people WHERE job_id = 2 AND person_id = 1"))
	})
}

// S115: a client that writes, deactivates or deletes an exempt user is refused.
func TestExemptUserIsNotWritten(t *testing.T) {
	inExemptApp(t, func(a app, c client, _ *[]string) {
		for _, r := range [][3]string{
			{"PATCH", "/Users/1", active(false)}, {"PATCH", "/Users/1", externalID}, {"PUT", "/Users/1", `{"userName":"Ann@example.com","active":false}`},
			{"DELETE", "/Users/1", ""}, {"POST", "/Users", `{"userName":"ann@example.com","externalId":"e1"}`},
			{"PATCH", "/Me", `{"Operations":[{"op":"add","path":"nickName","value":"A"}]}`},
		} {
			answer := c.do(r[0], r[1], r[2], 403)
			if detail := fmt.Sprint(answer["detail"]); !strings.Contains(detail, "exempt") {
				a.t.Errorf("%s %s: the refusal does not say why: %s", r[0], r[1], detail)
			}
		}
		c.do("GET", "/Users/1", "", 200)
		c.do("PATCH", "/Users/2", active(false), 200)
		a.want("unclaimed", "0", a.row("SELECT claimed FROM scim_resources WHERE type = 'User' AND id = '1'"))
		a.exec("UPDATE people SET is_external = NULL WHERE id = 1")
		c.do("PATCH", "/Users/1", active(false), 200)
		a.exec("UPDATE people SET is_external = (1 = 1), status = 'active' WHERE id = 1")
	})
}

// S115: a client cannot put an exempt user into a group, or take one out. A longer list goes
// through without the user.
func TestExemptUserKeepsMemberships(t *testing.T) {
	add := func(ids ...string) string {
		for i, id := range ids {
			ids[i] = `{"value":"` + id + `"}`
		}
		return `{"Operations":[{"op":"add","path":"members","value":[` + strings.Join(ids, ",") + `]}]}`
	}
	inExemptApp(t, func(a app, c client, events *[]string) {
		a.exec("INSERT INTO teams (org, title) VALUES ('o', 'Support')") // 3; Sales is 1
		c.do("PATCH", "/Groups/3", add("1"), 403)
		c.do("PATCH", "/Groups/3", add("1", "2"), 204)
		a.want("members of Support", []string{"2"}, a.members("3"))
		a.want("reported", []string{"3 1"}, *events)
		answer := c.do("POST", "/Groups", `{"displayName":"New","members":[{"value":"1"},{"value":"2"}]}`, 201)
		a.want("members of a new group", []string{"2"}, a.members(fmt.Sprint(answer["id"])))
		c.do("POST", "/Groups", `{"displayName":"Newer","members":[{"value":"1"}]}`, 403)

		*events = nil
		c.do("PATCH", "/Groups/1", `{"Operations":[{"op":"remove","path":"members","value":[{"value":"1"}]}]}`, 403)
		c.do("PATCH", "/Groups/1", `{"Operations":[{"op":"remove","path":"members[value eq \"1\"]"}]}`, 403)
		c.do("PUT", "/Groups/1", `{"displayName":"Sales","members":[{"value":"1"},{"value":"2"}]}`, 200)
		a.want("a list that names the member changes nothing for it", []string(nil), *events)
		c.do("PUT", "/Groups/1", `{"displayName":"Sales","members":[]}`, 200)
		a.want("members of Sales", []string{"1"}, a.members("1"))
		a.want("reported", []string{"1 1"}, *events)
		c.do("PATCH", "/Groups/1", `{"Operations":[{"op":"remove","path":"members","value":[{"value":"1"},{"value":"no id"}]}]}`, 204)
		a.want("members of Sales", []string{"1"}, a.members("1"))
	})
}

// S115: the roles of an exempt user are never touched.
func TestExemptUserKeepsRoles(t *testing.T) {
	inExemptApp(t, func(a app, c client, _ *[]string) {
		held := func(when, want string) {
			a.t.Helper()
			a.want(when, want, a.row("SELECT count(*) FROM job_people WHERE job_id = 1 AND person_id = 1"))
		}
		c.do("PATCH", "/Groups/1", `{"Operations":[{"op":"add","path":"members","value":[{"value":"2"}]}]}`, 204)
		a.want("others get the role", "1", a.row("SELECT count(*) FROM job_people WHERE job_id = 1 AND person_id = 2"))
		held("a group that the application put the user into gives nothing", "0")
		if err := reconciler(c.sh).Users(a.t.Context(), "1"); err != nil {
			a.t.Fatal(err)
		}
		held("after Users", "0")

		a.exec("UPDATE people SET is_external = NULL WHERE id = 1")
		if err := reconciler(c.sh).Users(a.t.Context(), "1"); err != nil {
			a.t.Fatal(err)
		}
		held("no longer exempt", "1")
		a.exec("UPDATE people SET is_external = (1 = 1) WHERE id = 1")
		list, err := reconciler(c.sh).Explain(a.t.Context(), "1")
		if err != nil {
			a.t.Fatal(err)
		}
		for _, e := range list {
			if e.State != scim.StateByHand || !strings.Contains(e.Reason, "exempt") {
				a.t.Errorf("Explain of an exempt user: %+v", e)
			}
		}
		a.want("explained", 2, len(list))
		c.do("DELETE", "/Groups/1", "", 204)
		held("after the group was deleted", "1")
	})
}

// Migrate refuses a condition that the database does not accept, and New one for groups.
func TestExemptIsChecked(t *testing.T) {
	o := appOptions("o")
	o.Tables[1].Exempt = "1 = 1"
	o.Tables[0].Unclaimed = 7
	if _, err := sqlstore.New(nil, sqlstore.SQLite, o); err == nil || !strings.Contains(err.Error(), "teams: Exempt is for users") || !strings.Contains(err.Error(), "Unclaimed is 7") {
		t.Errorf("New: %v", err)
	}
	inApp(t, appOptions("o"), func(a app) {
		o := appOptions("o")
		o.Tables[0].Exempt = "t.nothing"
		s, err := sqlstore.New(a.db, a.d, o)
		if err != nil {
			a.t.Fatal(err)
		}
		if err := s.Migrate(a.t.Context()); err == nil || !strings.Contains(err.Error(), "people: Exempt") {
			a.t.Errorf("Migrate: %v", err)
		}
	})
}

// An adoption plans members twice, and reports a member that it leaves out once.
func TestExemptMemberOfAdoptedGroupIsReportedOnce(t *testing.T) {
	inExemptApp(t, func(a app, c client, events *[]string) {
		a.exec("INSERT INTO teams (org, title) VALUES ('o', 'Support')")
		c.do("POST", "/Groups", `{"displayName":"Support","members":[{"value":"1"},{"value":"2"}]}`, 201)
		a.want("members", []string{"2"}, a.members("3"))
		a.want("reported", []string{"3 1"}, *events)
	})
}
