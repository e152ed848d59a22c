package sqlstore_test

import (
	"context"
	"database/sql"
	"fmt"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/store/sqlstore"
	"github.com/scimkit/scim/store/storetest"
)

// The contract of claims and exempt users over tables of the application.
func TestMappedClaims(t *testing.T) {
	apps(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		storetest.RunClaims(t, func(t *testing.T) storetest.Application {
			o := appOptions(t.Name())
			o.Tables[0].Exempt = "t.is_external"
			s := newStore(t, db, d, o)
			add := func(table, column string) func(context.Context, string) (string, error) {
				return func(ctx context.Context, name string) (id string, err error) {
					err = db.QueryRowContext(ctx, says(d, "INSERT INTO "+table+" (org, "+column+") VALUES ($1, $2) RETURNING CAST(id AS text)"), o.Tenant, name).Scan(&id)
					return id, err
				}
			}
			return storetest.Application{Store: s, AddUser: add("people", "email"), AddGroup: add("teams", "title"),
				Join: func(ctx context.Context, groupID, userID string) error {
					return run(ctx, db, d, "INSERT INTO team_people (team_id, person_id) VALUES ($1, $2)", groupID, userID)
				},
				SetExempt: func(ctx context.Context, userID string, exempt bool) error {
					return run(ctx, db, d, "UPDATE people SET is_external = $1 WHERE id = $2", exempt, userID)
				}}
		})
	})
}

const externalID = `{"Operations":[{"op":"add","path":"externalId","value":"e1"}]}`

func active(yes bool) string {
	return fmt.Sprintf(`{"Operations":[{"op":"replace","path":"active","value":%v}]}`, yes)
}

// A client cannot delete a user whom no client has claimed, also not after a deactivation.
func TestUnclaimedUserIsNotDeleted(t *testing.T) {
	inApp(t, appOptions("o"), func(a app) {
		c := newClient(a.t, scim.Config{Store: a.s})
		c.do("DELETE", "/Users/2", "", 403)
		c.do("PATCH", "/Users/2", active(false), 200)
		a.want("a leaver is deactivated", "suspended", a.row("SELECT status FROM people WHERE id = 2"))
		c.do("DELETE", "/Users/2", "", 403)
		c.do("PATCH", "/Users/2", active(true), 200)
		c.do("PATCH", "/Users/2", `{"Operations":[{"op":"replace","path":"userName","value":"bob@example.com"}]}`, 200)
		answer := c.do("DELETE", "/Users/2", "", 403)
		for _, word := range []string{"User", "externalId"} {
			if detail := fmt.Sprint(answer["detail"]); !strings.Contains(detail, word) {
				a.t.Errorf("the refusal does not name %s: %s", word, detail)
			}
		}
		a.want("the row", "1", a.row("SELECT count(*) FROM people WHERE id = 2"))
		c.do("PATCH", "/Users/2", externalID, 200)
		c.do("DELETE", "/Users/2", "", 204)
		a.want("the row", "0", a.row("SELECT count(*) FROM people WHERE id = 2"))

		a.exec("UPDATE people SET status = 'active' WHERE id = 1")
		c.do("PUT", "/Users/1", `{"userName":"Ann@example.com","active":false}`, 200) // it also erases her name
		a.want("a leaver is deactivated", "suspended", a.row("SELECT status FROM people WHERE id = 1"))
		c.do("DELETE", "/Users/1", "", 403)
		id := fmt.Sprint(c.do("POST", "/Users", `{"userName":"cy@example.com"}`, 201)["id"])
		c.do("DELETE", "/Users/"+id, "", 204)
		c.do("DELETE", "/Users/nobody", "", 404)
	})
}

// The Bulk endpoint refuses the same.
func TestUnclaimedUserIsNotDeletedInBulk(t *testing.T) {
	inApp(t, appOptions("o"), func(a app) {
		c := newClient(a.t, scim.Config{Store: a.s})
		answer := c.do("POST", "/Bulk", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[
			{"method":"DELETE","path":"/Users/2"},{"method":"DELETE","path":"/Groups/1"}]}`, 200)
		for _, o := range answer["Operations"].([]any) {
			a.want("status", "403", fmt.Sprint(o.(map[string]any)["status"]))
		}
		a.want("rows", "2", a.row("SELECT count(*) FROM people WHERE org = 'o' AND kind = 'person'"))
	})
}

// Who was adopted belongs to the client, also if the client sent nothing new.
func TestAdoptionClaims(t *testing.T) {
	inApp(t, appOptions("o"), func(a app) {
		c := newClient(a.t, scim.Config{Store: a.s, Rules: []scim.Rule{a.s.Adopt(sqlstore.SamePerson, "User", "Group")}})
		c.do("POST", "/Users", `{"userName":"bob@example.com"}`, 201)
		c.do("POST", "/Users", `{"userName":"bob@example.com"}`, 409)
		c.do("DELETE", "/Users/2", "", 204)
		c.do("POST", "/Groups", `{"displayName":"Sales"}`, 201)
		a.want("members of the adopted group", "1,3", a.joined())
		c.do("DELETE", "/Groups/1", "", 204)
	})
}

// A rule of the application may choose whom to adopt. The handler claims them.
func TestAdoptionByAnotherRuleClaims(t *testing.T) {
	inApp(t, appOptions("o"), func(a app) {
		a.exec("UPDATE people SET status = 'active'")
		c := newClient(a.t, scim.Config{Store: a.s, Rules: []scim.Rule{func(_ context.Context, c *scim.Change) error {
			if c.Op == scim.OpCreate && c.After.String("userName") == "bob@example.com" {
				c.Adopt = "2"
			}
			return nil
		}}})
		c.do("POST", "/Users", `{"userName":"bob@example.com"}`, 201)
		c.do("DELETE", "/Users/2", "", 204)
	})
}

// A client cannot delete a team that it has not claimed. It claims the team by adding a
// member.
func TestUnclaimedGroupIsNotDeleted(t *testing.T) {
	inApp(t, appOptions("o"), func(a app) {
		c := newClient(a.t, scim.Config{Store: a.s})
		c.do("DELETE", "/Groups/1", "", 403)
		c.do("PATCH", "/Groups/1", `{"Operations":[{"op":"remove","path":"members[value eq \"1\"]"}]}`, 204)
		a.want("a member who is named leaves", "3", a.joined())
		c.do("DELETE", "/Groups/1", "", 403)
		c.do("PATCH", "/Groups/1", `{"Operations":[{"op":"add","path":"members","value":[{"value":"2"}]}]}`, 204)
		c.do("DELETE", "/Groups/1", "", 204)
	})
}

// The deletion of a member changes the version of its groups, and claims none of them.
func TestDeletingMemberClaimsNoGroup(t *testing.T) {
	inApp(t, appOptions("o"), func(a app) {
		c := newClient(a.t, scim.Config{Store: a.s})
		c.do("PATCH", "/Users/1", externalID, 200)
		c.do("DELETE", "/Users/1", "", 204)
		c.do("DELETE", "/Groups/1", "", 403)
	})
}

// A full list of members removes only whom a client has named before.
func TestFullListKeepsUnclaimedMembers(t *testing.T) {
	put := func(ids ...string) string {
		for i, id := range ids {
			ids[i] = `{"value":"` + id + `"}`
		}
		return `{"displayName":"Sales","members":[` + strings.Join(ids, ",") + `]}`
	}
	inApp(t, appOptions("o"), func(a app) {
		var kept []string
		c := newClient(a.t, scim.Config{Store: a.s, OnEvent: func(_ context.Context, e scim.Event) {
			if e.Kind == scim.MembersKept {
				kept = append(kept, e.Resource.ID+": "+e.Reason)
			}
		}})
		a.exec("INSERT INTO people (org, email) VALUES ('o', 'cy@example.com')") // 5
		c.do("PUT", "/Groups/1", put("2"), 200)
		a.want("the first list", []string{"1", "2"}, a.members("1"))
		a.want("reported", []string{"1: the application added members that the list does not name; they stay: 1"}, kept)
		c.do("PUT", "/Groups/1", put("5"), 200)
		a.want("the second list removes whom the first one added", []string{"1", "5"}, a.members("1"))
		c.do("PATCH", "/Groups/1", `{"Operations":[{"op":"replace","path":"members","value":[]}]}`, 204)
		a.want("an empty list", []string{"1"}, a.members("1"))
		c.do("PATCH", "/Groups/1", `{"Operations":[{"op":"remove","path":"members"}]}`, 204)
		a.want("remove without a filter is an empty list", []string{"1"}, a.members("1"))
		c.do("PUT", "/Groups/1", put("1", "2"), 200)
		c.do("PUT", "/Groups/1", put("2"), 200)
		a.want("who was named once may be removed", []string{"2"}, a.members("1"))
		a.exec("INSERT INTO team_people VALUES (1, 1)")
		c.do("PATCH", "/Groups/1", `{"Operations":[{"op":"add","path":"members","value":[{"value":"1"}]}]}`, 204)
		c.do("PUT", "/Groups/1", put("2"), 200)
		a.want("an addition of a present member names it too", []string{"2"}, a.members("1"))
		a.want("the application's table", "2,3", a.joined())
	})
}

// RemoveUnclaimed makes the client's list the whole truth.
func TestRemoveUnclaimed(t *testing.T) {
	inApp(t, appOptions("o"), func(a app) {
		c := newClient(a.t, scim.Config{Store: a.s, Members: scim.MemberPolicy{RemoveUnclaimed: true}})
		c.do("PUT", "/Groups/1", `{"displayName":"Sales","members":[{"value":"2"}]}`, 200)
		a.want("members", []string{"2"}, a.members("1"))
	})
}

// An unknown member is refused if the list removes nobody, because the others stay.
func TestFullListWithUnknownMember(t *testing.T) {
	inApp(t, appOptions("o"), func(a app) {
		c := newClient(a.t, scim.Config{Store: a.s})
		c.do("PUT", "/Groups/1", `{"displayName":"Sales","members":[{"value":"99"}]}`, 400)
		a.want("members", []string{"1"}, a.members("1"))
	})
}

// userNames lists the users of an answer.
func userNames(answer map[string]any) []string {
	all := []string{}
	list, _ := answer["Resources"].([]any)
	for _, r := range list {
		all = append(all, fmt.Sprint(r.(map[string]any)["userName"]))
	}
	return all
}

func query(filter string) string { return "/Users?filter=" + url.QueryEscape(filter) }

// FindUnclaimed: clients find by equality whom they know, and lists leave the others out.
func TestFindUnclaimed(t *testing.T) {
	o := appOptions("o")
	o.Tables[0].Unclaimed, o.Tables[1].Unclaimed = sqlstore.FindUnclaimed, sqlstore.FindUnclaimed
	inApp(t, o, func(a app) {
		a.exec("INSERT INTO people_emails (person_id, address, kind) VALUES (1, 'a@x.com', 'work')")
		c := newClient(a.t, scim.Config{Store: a.s})
		for range 3 {
			c.do("POST", "/Users", fmt.Sprintf(`{"userName":"c%d@example.com"}`, len(names(a.t, a.s))), 201)
		}
		want := []string{"c2@example.com", "c3@example.com", "c4@example.com"}
		for _, path := range []string{"/Users", "/Users?sortBy=userName", query("active eq true"), query("userName pr"),
			query(`userName sw "c" or userName co "@"`), query(`not (userName eq "x")`), "/Users?cursor"} {
			answer := c.do("GET", path, "", 200)
			a.want(path, want, userNames(answer))
			a.want(path+": totalResults", float64(3), answer["totalResults"])
		}
		a.want("the second page", want[1:2], userNames(c.do("GET", "/Users?startIndex=2&count=1", "", 200)))
		page := c.do("GET", "/Users?count=2&cursor", "", 200)
		a.want("the second page by cursor", want[2:], userNames(c.do("GET", "/Users?count=2&cursor="+fmt.Sprint(page["nextCursor"]), "", 200)))
		a.want("count=0", float64(3), c.do("GET", "/Users?count=0", "", 200)["totalResults"])
		a.want("groups", float64(0), c.do("GET", "/Groups", "", 200)["totalResults"])
		a.want("groups with members", float64(0), c.do("GET", "/Groups?filter=members+pr", "", 200)["totalResults"])
		a.want("/.search", want, userNames(c.do("POST", "/Users/.search", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"]}`, 200)))
		a.want("the root", want, userNames(c.do("GET", "/", "", 200)))
		for _, filter := range []string{`userName eq "ANN@example.com"`, `id eq "1"`, `emails.value eq "a@x.com"`, `emails[value eq "a@x.com"]`,
			`userName eq "Ann@example.com" or userName eq "nobody"`, `userName eq "Ann@example.com" and active eq false`} {
			answer := c.do("GET", query(filter), "", 200)
			a.want(filter, []string{"Ann@example.com"}, userNames(answer))
			a.want(filter, float64(1), answer["totalResults"])
		}
		a.want("a group by its name", float64(1), c.do("GET", "/Groups?filter="+url.QueryEscape(`displayName eq "Sales"`), "", 200)["totalResults"])
		c.do("GET", "/Users/1", "", 200)
		c.do("PATCH", "/Users/1", externalID, 200)
		a.want("who was claimed is listed", float64(4), c.do("GET", "/Users", "", 200)["totalResults"])
	})
}

// The Reconciler also reaches users whom lists leave out.
func TestFindUnclaimedIsReconciled(t *testing.T) {
	o := appOptions("o")
	o.Tables[0].Unclaimed, o.Tables[1].Unclaimed = sqlstore.FindUnclaimed, sqlstore.FindUnclaimed
	inApp(t, o, func(a app) {
		jobs := a.jobs()
		c := newClient(a.t, scim.Config{Store: a.s, Roles: &scim.Roles{Resolver: jobs}})
		if err := reconciler(c.sh).RolesChanged(a.t.Context()); err != nil {
			a.t.Fatal(err)
		}
		a.exec("UPDATE people SET status = 'active'")
		if _, err := reconciler(c.sh).All(a.t.Context(), ""); err != nil {
			a.t.Fatal(err)
		}
		a.want("the member of the unclaimed team holds its role", "1", a.row("SELECT count(*) FROM job_people WHERE person_id = 1"))
	})
}

// jobs are roles of the application. The team Sales stands for one of them.
func (a app) jobs() scim.RoleResolver {
	a.t.Helper()
	a.exec("CREATE TABLE jobs (id integer PRIMARY KEY, title text)")
	a.exec("INSERT INTO jobs VALUES (1, 'Sales'), (2, 'Admin')")
	a.exec("CREATE TABLE job_people (job_id integer, person_id bigint, PRIMARY KEY (job_id, person_id))")
	jobs, err := a.s.RoleResolver(a.t.Context(), sqlstore.RoleTables{Roles: "jobs", ID: "id", Name: "title", Holders: "job_people", User: "person_id", Role: "job_id"})
	if err != nil {
		a.t.Fatal(err)
	}
	return jobs
}

// HideUnclaimed: clients see nobody before they adopt them.
func TestHideUnclaimed(t *testing.T) {
	o := appOptions("o")
	o.Tables[0].Unclaimed = sqlstore.HideUnclaimed
	inApp(t, o, func(a app) {
		c := newClient(a.t, scim.Config{Store: a.s, Rules: []scim.Rule{a.s.Adopt(sqlstore.SamePerson, "User", "Group")}})
		for _, path := range []string{"/Users", query(`userName eq "Ann@example.com"`), query(`id eq "1"`), query("active pr")} {
			a.want(path, float64(0), c.do("GET", path, "", 200)["totalResults"])
		}
		c.do("GET", "/Users/1", "", 404)
		c.do("PATCH", "/Users/1", active(false), 404)
		c.do("DELETE", "/Users/1", "", 404)
		a.want("members", []any{}, c.do("GET", "/Groups/1", "", 200)["members"])
		c.do("PATCH", "/Groups/1", `{"Operations":[{"op":"add","path":"members","value":[{"value":"2"}]}]}`, 400)
		c.do("PUT", "/Groups/1", `{"displayName":"Sales","members":[]}`, 200)
		a.want("memberships in the application", "1,3", a.joined())

		a.want("adopted", "1", c.do("POST", "/Users", `{"userName":"ann@example.com","externalId":"e1"}`, 201)["id"])
		c.do("GET", "/Users/1", "", 200)
		a.want("listed", []string{"ann@example.com"}, userNames(c.do("GET", "/Users", "", 200)))
		a.want("a member", []string{"1"}, a.members("1"))
		c.do("POST", "/Users", `{"userName":"robot@example.com"}`, 409)
	})
}

// Without a rule, the name of a hidden user is taken, and the application can hand the user
// over.
func TestHideUnclaimedWithoutAdopt(t *testing.T) {
	o := appOptions("o")
	o.Tables[0].Unclaimed, o.Tables[1].Unclaimed = sqlstore.HideUnclaimed, sqlstore.HideUnclaimed
	inApp(t, o, func(a app) {
		c := newClient(a.t, scim.Config{Store: a.s})
		c.do("POST", "/Users", `{"userName":"bob@example.com"}`, 409)
		for _, id := range []string{"1", "2"} {
			if err := a.s.Claim(a.t.Context(), scim.Ref{Type: "User", ID: id}); err != nil {
				a.t.Fatal(err)
			}
		}
		a.want("users", float64(2), c.do("GET", "/Users", "", 200)["totalResults"])
		a.exec("UPDATE scim_resources SET display = NULL")
		if err := a.s.Reindex(a.t.Context()); err != nil {
			a.t.Fatal(err)
		}
		a.want("Reindex reaches hidden rows too", "0", a.row("SELECT count(*) FROM scim_resources WHERE display IS NULL"))
		a.want("the hidden group", nil, c.do("GET", "/Users/1", "", 200)["groups"])
		c.do("GET", "/Groups/1", "", 404)
		c.do("DELETE", "/Users/2", "", 204)
	})
}

// Two clients that prune leave the administrators where they are.
func TestPrunersLeaveTheAdministrators(t *testing.T) {
	for name, unclaimed := range map[string]sqlstore.Unclaimed{"listed": sqlstore.ListUnclaimed, "found": sqlstore.FindUnclaimed, "hidden": sqlstore.HideUnclaimed} {
		t.Run(name, func(t *testing.T) {
			o := appOptions("o")
			o.Tables[0].Unclaimed, o.Tables[1].Unclaimed = unclaimed, unclaimed
			o.Tables[0].Exempt = "t.email = 'root@example.com'"
			inApp(t, o, func(a app) {
				a.exec("UPDATE people SET status = 'active'")
				a.exec("INSERT INTO people (org, email) VALUES ('o', 'root@example.com')")
				jobs := a.jobs()
				a.exec("INSERT INTO job_people SELECT 2, id FROM people WHERE email IN ('root@example.com', 'Ann@example.com')")
				config := scim.Config{Store: a.s, Roles: &scim.Roles{Resolver: jobs}}
				if unclaimed != sqlstore.ListUnclaimed {
					config.Rules = []scim.Rule{a.s.Adopt(sqlstore.SamePerson, "User", "Group")}
				}
				server := httptest.NewServer(newClient(a.t, config).h)
				defer server.Close()
				p := testhost.Pruner{URL: server.URL, People: []testhost.Person{{ID: "b", UserName: "bob@example.com"}, {ID: "n", UserName: "new@example.com"}},
					Teams: []testhost.Team{{ID: "t", Name: "Support", Members: []string{"n"}}}}
				expect := func(when, ann string) {
					a.t.Helper()
					a.want(when+": the status of Ann", ann, a.row("SELECT status FROM people WHERE email = 'Ann@example.com'"))
					a.want(when+": the status of root", "active", a.row("SELECT status FROM people WHERE email = 'root@example.com'"))
					a.want(when+": administrators", "2", a.row("SELECT count(*) FROM job_people WHERE job_id = 2"))
					a.want(when+": the team", "1,3", a.joined())
					a.want(when+": Bob", "1", a.row("SELECT count(*) FROM people WHERE email = 'bob@example.com' AND id = 2"))
				}
				for i := range 3 {
					if err := p.PruneByExternalID(); err != nil {
						a.t.Fatal(err)
					}
					expect(fmt.Sprint("by externalId, ", i), "active")
				}
				ann := "active" // nobody can deactivate whom clients do not see
				if unclaimed == sqlstore.ListUnclaimed {
					ann = "suspended" // only Exempt stops a deactivation
				}
				for i := range 3 {
					if err := p.PruneByUserName(); err != nil {
						a.t.Fatal(err)
					}
					expect(fmt.Sprint("by userName, ", i), ann)
				}
			})
		})
	}
}

// Rows that are older than claims of memberships: the members of a group are claimed if a
// client has written the group.
func TestClaimsOfOlderRows(t *testing.T) {
	inApp(t, appOptions("o"), func(a app) {
		a.exec("INSERT INTO teams (org, title) VALUES ('o', 'Support')") // 3; Sales is 1
		a.exec("INSERT INTO team_people VALUES (3, 1)")
		c := newClient(a.t, scim.Config{Store: a.s})
		c.do("PATCH", "/Groups/3", externalID, 204)
		if a.d == sqlstore.MariaDB {
			return // Its tables had the columns from the start.
		}
		for _, text := range []string{"DROP INDEX IF EXISTS scim_resources_shown", "DROP INDEX scim_resources_claimed", "DROP INDEX scim_resources_created", "ALTER TABLE scim_resources DROP COLUMN id_length", "CREATE INDEX scim_resources_created ON scim_resources (collection, created, id)", "ALTER TABLE scim_members DROP COLUMN claimed", "ALTER TABLE scim_resources DROP COLUMN client", "UPDATE scim_schema SET version = 2 WHERE part = 'store'"} {
			a.exec(text)
		}
		s := newStore(a.t, a.db, a.d, appOptions("o"))
		c = newClient(a.t, scim.Config{Store: s})
		c.do("PUT", "/Groups/1", `{"displayName":"Sales","members":[]}`, 200)
		c.do("PUT", "/Groups/3", `{"displayName":"Support","members":[]}`, 200)
		a.want("members of a group that no client had written", []string{"1"}, a.members("1"))
		a.want("members of a group that a client had written", []string{}, a.members("3"))
	})
}

// unaware is a Store that hides that it is a Claimer and an Exempter.
type unaware struct {
	scim.Store
	memberships
	scim.Ledger
}

// memberships are the capabilities of a Store that are about memberships.
type memberships interface {
	scim.GroupReader
	scim.MemberChanger
}

// Claims cost a statement only where a client deletes a row of the application, or sends a
// full list of members of a team.
func TestStatementsOfClaims(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		if d == sqlstore.MariaDB {
			return // A store without InTx has more transactions there, and each begins with a statement.
		}
		for name, mapped := range map[string]bool{"own tables": false, "the application's tables": true} {
			t.Run(name, func(t *testing.T) {
				f := &storetest.Failing{Base: db.Driver(), DSN: newDSN(t, d)}
				db := sql.OpenDB(f)
				t.Cleanup(func() { db.Close() }) //nolint:errcheck // the test is over
				var o sqlstore.Options
				if mapped {
					makeApp(t, db, d)
					o = appOptions("o")
				}
				s := newStore(t, db, d, o)
				for _, tt := range []struct {
					method, path, body string
					extra              int // over the application's tables
				}{
					{"POST", "/Users", `{"userName":"%[1]s"}`, 0},
					{"GET", "/Users/%[2]s", "", 0},
					{"GET", "/Users", "", 0},
					{"PATCH", "/Users/%[2]s", `{"Operations":[{"op":"replace","path":"title","value":"%[1]s"}]}`, 0},
					{"PUT", "/Users/%[2]s", `{"userName":"%[1]s","active":false}`, 0},
					{"POST", "/Groups", `{"displayName":"%[1]s","members":[{"value":"%[2]s"}]}`, 0},
					{"PATCH", "/Groups/%[3]s", `{"Operations":[{"op":"remove","path":"members[value eq \"%[2]s\"]"}]}`, 0},
					{"PATCH", "/Groups/%[3]s", `{"Operations":[{"op":"add","path":"members","value":[{"value":"%[2]s"}]}]}`, 0},
					{"PUT", "/Groups/%[3]s", `{"displayName":"%[1]s","members":[{"value":"%[2]s"}]}`, 1},
					{"DELETE", "/Groups/%[3]s", "", 1},
					{"DELETE", "/Users/%[2]s", "", 1},
				} {
					count := func(name string, store scim.Store) int {
						c := newClient(t, scim.Config{Store: store})
						u := create(t, s, user(t, "u"+name+tt.method+fmt.Sprint(len(tt.path), len(tt.body)), nil))
						g := create(t, s, group(t, "g"+name))
						if strings.Contains(tt.body, "remove") || tt.method == "PUT" {
							if _, _, err := s.ChangeMembers(t.Context(), g.ID(), []scim.Ref{u.Ref()}, nil); err != nil {
								t.Fatal(err)
							}
						}
						fill := func(text string) string {
							return strings.NewReplacer("%[1]s", name+tt.path+tt.method, "%[2]s", u.ID(), "%[3]s", g.ID()).Replace(text)
						}
						f.Sent()
						if status, answer := serve(t, c.h, tt.method, fill(tt.path), fill(tt.body)); status >= 300 {
							t.Errorf("%s %s: %d %v", tt.method, tt.path, status, answer)
						}
						return f.Sent()
					}
					count("warm", s) // statements are prepared, and the first ones of a connection are sent
					without, with := count("without", unaware{s, s, s}), count("with", s)
					want := without
					if mapped {
						want += tt.extra
					}
					if with != want {
						t.Errorf("%s %s takes %d statements, want %d", tt.method, tt.path, with, want)
					}
				}
			})
		}
	})
}

// Lists that leave out unclaimed rows do not read them.
func TestPlansOfUnclaimed(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		if d == sqlstore.MariaDB {
			return // Its plans are not tested.
		}
		if d == sqlstore.SQLite {
			db = relaxed(t)
		}
		makeApp(t, db, d)
		series := "generate_series(1, 2000) AS g(n)"
		if d == sqlstore.SQLite {
			series = "(WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 2000) SELECT n FROM s) AS g"
		}
		if _, err := db.Exec("INSERT INTO people (org, email) SELECT 'o', 'p' || n FROM " + series); err != nil {
			t.Fatal(err)
		}
		o := appOptions("o")
		o.Tables[0].Unclaimed = sqlstore.FindUnclaimed
		s := newStore(t, db, d, o)
		var last *scim.Resource
		for i := range 20 {
			last = create(t, s, user(t, fmt.Sprint("c", i), nil))
		}
		if _, err := db.Exec("ANALYZE"); err != nil {
			t.Fatal(err)
		}
		for name, q := range map[string]scim.Query{"first page": {}, "deep page": {After: scim.KeyOf(&scim.Query{}, last)}} {
			q.Limit, q.ForClient = 50, true
			text, args, err := sqlstore.PageQuery(s, scim.UserType(), &q)
			if err != nil {
				t.Fatal(err)
			}
			if p := plan(t, db, d, text, args); !strings.Contains(p, "scim_resources_claimed") || sorts.MatchString(p) {
				t.Errorf("%s: want the index of claimed resources and no sort:\n%s\n%s", name, text, p)
			}
		}
	})
}
