package sqlstore_test

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore"
)

// brokenMapping is a mistake of an application.
type brokenMapping struct {
	name   string
	people string // further columns of people
	joins  string // further columns of team_people
	change func(o *sqlstore.Options)
	want   string // what New or Migrate says
}

func brokenMappings() []brokenMapping {
	users := func(change func(t *sqlstore.Table)) func(o *sqlstore.Options) {
		return func(o *sqlstore.Options) { change(&o.Tables[0]) }
	}
	column := func(c sqlstore.Column) func(o *sqlstore.Options) {
		return users(func(t *sqlstore.Table) { t.Columns = append(t.Columns, c) })
	}
	insert := func(values map[string]any) func(o *sqlstore.Options) {
		return users(func(t *sqlstore.Table) {
			t.Insert = func(context.Context, *scim.Resource) map[string]any { return values }
		})
	}
	same := func(v any) (any, error) { return v, nil }
	return []brokenMapping{
		{"a column that no insert fills", "hash text NOT NULL", "", nil, "column hash is NOT NULL and has no default: give it a value with Insert"},
		{"Insert fills another one", "hash text NOT NULL, plan text", "", insert(map[string]any{"plan": "free"}), "column hash is NOT NULL"},
		{"a column that Insert misspells", "", "", insert(map[string]any{"pasword": "!"}), "column pasword"},
		{"Insert expects what may be absent", "", "", users(func(t *sqlstore.Table) {
			t.Insert = func(_ context.Context, r *scim.Resource) map[string]any {
				return map[string]any{"email": r.Get("emails").([]any)[0]}
			}
		}), "Insert panics with values that are absent"},
		{"a column of memberships that no insert fills", "", "added_by text NOT NULL", nil, "column added_by is NOT NULL and has no default: give it a value with Members.Insert"},
		{"a column of Members.Insert that is not there", "", "", func(o *sqlstore.Options) {
			o.Members.Insert = func(_ context.Context, _, _ string) map[string]any { return map[string]any{"giver": "scim"} }
		}, "table team_people: column giver"},
		{"Group and User are swapped", "", "", func(o *sqlstore.Options) { o.Members.Group, o.Members.User = o.Members.User, o.Members.Group }, "Group and User are swapped"},
		{"a text in a column of times", "born {time}", "", column(sqlstore.Column{Name: "born", Path: "nickName"}), "column born holds times, and nickName is a string"},
		{"a text in a column of booleans", "vip {bool}", "", column(sqlstore.Column{Name: "vip", Path: "title"}), "column vip holds booleans, and title is a string"},
		{"a status in an integer", "state integer", "", column(sqlstore.ActiveWhen("state", "active", "locked")), `column state cannot hold "active"`},
		{"active in a column of times", "left_at {time}", "", column(sqlstore.Column{Name: "left_at", Path: "active"}), "column left_at holds times, and active is a boolean"},
		{"seconds as the time of creation", "made bigint", "", users(func(t *sqlstore.Table) { t.Created = "made" }), "column made holds numbers, and must hold a time"},
		{"a day as the time of creation", "made date", "", users(func(t *sqlstore.Table) { t.Created = "made" }), "would have no order"},
		{"a path in lower case", "", "", users(func(t *sqlstore.Table) { t.Columns[0].Path = "username" }), `Path "username": write "userName"`},
		{"a part of a name without the name", "first text", "", column(sqlstore.Column{Name: "first", Path: "given_name"}), "do you mean name.givenName?"},
		{"a list in the place of its values", "mail text", "", column(sqlstore.Column{Name: "mail", Path: "emails"}), "do you mean emails.value?"},
		{"a list in the singular", "mail text", "", column(sqlstore.Column{Name: "mail", Path: "email"}), "do you mean emails.value?"},
		{"an attribute of an extension", "department text", "", column(sqlstore.Column{Name: "department", Path: "department"}), "do you mean urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department?"},
		{"no userName", "", "", users(func(t *sqlstore.Table) { t.Columns[0].Path = "displayName" }), "a table of users needs a column for userName"},
		{"two attributes in one column", "", "", column(sqlstore.Column{Name: "email", Path: "emails.value"}), "map it to one attribute"},
		{"Visible looks at another table", "", "", users(func(t *sqlstore.Table) { t.Visible = "EXISTS (SELECT 1 FROM team_people m WHERE m.person_id = t.id)" }), "no trigger notes the changes there"},
		{"Visible does not parse", "", "", users(func(t *sqlstore.Table) { t.Visible = "t.email LIKE" }), "table people: Visible"},
		{"a UUID in a key of numbers", "", "", users(func(t *sqlstore.Table) { t.KeepID = true }), "KeepID writes a UUID, and the column id holds numbers"},
		{"a key that nobody gives", "slug text UNIQUE NOT NULL", "", users(func(t *sqlstore.Table) { t.Key = "slug" }), "the database does not give the key slug: set KeepID"},
		{"a key that is not unique", "state integer NOT NULL DEFAULT 0", "", users(func(t *sqlstore.Table) { t.Key = "state" }), "Key: no unique index has the column state"},
		{"the key as an attribute", "", "", column(sqlstore.Column{Name: "id", Path: "externalId"}), "column id is the Key, which must not change: set SetOnce"},
		{"the key as an attribute that clients read is fine", "", "", column(sqlstore.Column{Name: "id", Path: "title", ReadOnly: true}), ""},
		{"a userName that is the key is fine", "", "", func(o *sqlstore.Options) {
			o.Tables[0].Key, o.Tables[0].Columns[0].SetOnce, o.Members = "email", true, nil
		}, ""},
		{"a status that says the same of both", "state integer", "", column(sqlstore.ActiveWhen("state", 0, 0)), "column state: ActiveWhen has one value for active and inactive users"},
		{"a time of deactivation in a column of numbers", "state integer", "", column(sqlstore.ActiveWhileNull("state")), "column state holds numbers, and ActiveWhileNull writes a time"},
		{"a time of deactivation that is always there", "left_at {time} NOT NULL DEFAULT CURRENT_TIMESTAMP", "", column(sqlstore.ActiveWhileNull("left_at")), "column left_at is NOT NULL, and ActiveWhileNull writes NULL"},
		{"a language in a column of numbers", "week integer", "", column(sqlstore.Column{Name: "week", Path: "preferredLanguage"}), "column week holds numbers, and preferredLanguage is a text"},
		{"Retire sets what is not there", "", "", users(func(t *sqlstore.Table) {
			t.Retire = func(_ context.Context, _ *scim.Resource, now time.Time) map[string]any {
				return map[string]any{"left_at": now}
			}
		}), "column left_at"},
		{"a column for the tenant, and no tenant", "org text", "", users(func(t *sqlstore.Table) { t.Tenant = "org" }), "Options.Tenant is empty"},
		{"no column for the tenant", "", "", func(o *sqlstore.Options) { o.Tenant = "acme" }, "without a column for the Tenant"},
		{"a userName in a column of numbers", "number integer", "", users(func(t *sqlstore.Table) {
			t.Columns[0].Name = "number"
			t.Insert = func(context.Context, *scim.Resource) map[string]any { return map[string]any{"email": "x"} }
		}), "column number holds numbers, and userName is a text"},
		{"a name in a column of numbers", "first integer", "", column(sqlstore.Column{Name: "first", Path: "name.givenName"}), "column first holds numbers, and name.givenName is a text"},
		{"Group and User are swapped, and their names tell", "", "", func(o *sqlstore.Options) {
			o.Members = &sqlstore.Join{Name: "crew", Group: "person_id", User: "team_id"}
		}, "column team_id is named after the table teams: Group and User are swapped"},
		{"numbers as the time of the last change", "changed bigint", "", users(func(t *sqlstore.Table) { t.Updated = "changed" }), "Updated: the column changed holds numbers, and must hold a time"},
		{"a flag as the time of the last change", "changed {bool}", "", users(func(t *sqlstore.Table) { t.Updated = "changed" }), "Updated: the column changed holds booleans, and must hold a time"},
		{"Retire without Visible", "left_at {time}", "", users(func(t *sqlstore.Table) {
			t.Retire = func(_ context.Context, _ *scim.Resource, now time.Time) map[string]any {
				return map[string]any{"left_at": now}
			}
		}), "Retire keeps the row, and without Visible clients would see it again"},
		{"Retire gives a time for seconds", "left_at bigint", "", users(func(t *sqlstore.Table) {
			t.Visible, t.Retire = "t.left_at IS NULL", func(_ context.Context, _ *scim.Resource, now time.Time) map[string]any {
				return map[string]any{"left_at": now}
			}
		}), "Retire: the column left_at holds numbers, and gets a time"},
		{"Retire panics", "left_at bigint", "", users(func(t *sqlstore.Table) {
			t.Visible, t.Retire = "t.left_at IS NULL", func(_ context.Context, r *scim.Resource, _ time.Time) map[string]any {
				return map[string]any{"left_at": r.Get("emails").([]any)[0]}
			}
		}), "Retire panics with values that are absent"},
		{"Insert gives a time for seconds", "made bigint", "", insert(map[string]any{"made": time.Now()}), "Insert: the column made holds numbers, and gets a time"},
		{"memberships with a time for seconds", "", "since bigint", func(o *sqlstore.Options) {
			o.Members.Insert = func(context.Context, string, string) map[string]any { return map[string]any{"since": time.Now()} }
		}, "Members.Insert: the column since holds numbers, and gets a time"},
		{"Visible does not exclude who is retired", "left_at {time}, kind text", "", users(func(t *sqlstore.Table) {
			t.Visible, t.Retire = "t.kind IS NULL", func(_ context.Context, _ *scim.Resource, now time.Time) map[string]any {
				return map[string]any{"left_at": now}
			}
		}), "clients would still see a row that Retire has written"},
		{"Visible reads what the database computes from what Retire gives: fine", "left_at {time}, is_gone boolean GENERATED ALWAYS AS (left_at IS NOT NULL) STORED", "", users(func(t *sqlstore.Table) {
			t.Visible, t.Retire = "NOT t.is_gone", func(_ context.Context, _ *scim.Resource, now time.Time) map[string]any {
				return map[string]any{"left_at": now}
			}
		}), ""},
		{"Revive without Retire", "left_at {time}", "", users(func(t *sqlstore.Table) {
			t.Revive = func(context.Context, *scim.Resource) map[string]any { return map[string]any{"left_at": nil} }
		}), "Revive undoes Retire, and there is no Retire"},
		{"members and groups in one column", "", "", func(o *sqlstore.Options) { o.Members.Group = o.Members.User }, "Group and User are the same column"},
		{"a number of an employee is fine", "staff_number integer", "", column(sqlstore.Column{Name: "staff_number", Path: "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber"}), ""},
		{"a userName that is converted to a number is fine", "number integer", "", users(func(t *sqlstore.Table) {
			t.Columns[0] = sqlstore.Column{Name: "number", Path: "userName", To: func(any) (any, error) { return 7, nil },
				From: func(any) (any, error) { return "ann", nil }}
			t.Insert = func(context.Context, *scim.Resource) map[string]any { return map[string]any{"email": "x"} }
		}), ""},
		{"memberships without foreign keys are fine", "", "", func(o *sqlstore.Options) {
			o.Members = &sqlstore.Join{Name: "crew", Group: "team_id", User: "person_id"}
		}, ""},
		{"names of memberships that say nothing are fine", "", "", func(o *sqlstore.Options) {
			o.Members = &sqlstore.Join{Name: "pairs", Group: "a", User: "b"}
		}, ""},
		{"a time of the last change is fine", "changed {time}, day date", "", users(func(t *sqlstore.Table) { t.Updated = "changed" }), ""},
		{"a role attribute that is converted is fine", "vip {bool}", "", column(sqlstore.Column{Name: "vip", Path: "title", To: same, From: same}), ""},
		{"a column with a default is fine", "plan text NOT NULL DEFAULT 'free'", "since {time} DEFAULT CURRENT_TIMESTAMP", nil, ""},
		{"a mapped column that is NOT NULL is fine", "first text NOT NULL", "", column(sqlstore.Column{Name: "first", Path: "name.givenName", Empty: ""}), ""},
	}
}

// TestBrokenMappings makes the mistakes of applications. Each is told at the start, in a line that
// says what to do.
func TestBrokenMappings(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		for i, tt := range brokenMappings() {
			t.Run(tt.name, func(t *testing.T) {
				a := app{t: t, db: db, d: d}
				more := func(columns string) string {
					if columns != "" {
						columns = ", " + columns
					}
					return columns
				}
				for _, text := range []string{
					"DROP TABLE IF EXISTS team_people", "DROP TABLE IF EXISTS crew", "DROP TABLE IF EXISTS pairs", "DROP TABLE IF EXISTS people", "DROP TABLE IF EXISTS teams",
					"CREATE TABLE people (id {serial}, email text NOT NULL UNIQUE" + more(tt.people) + ")",
					"CREATE TABLE teams (id {serial}, title text NOT NULL)",
					"CREATE TABLE crew (team_id bigint NOT NULL, person_id bigint NOT NULL, UNIQUE (team_id, person_id))",
					"CREATE TABLE pairs (a bigint NOT NULL, b bigint NOT NULL, UNIQUE (a, b))",
					"CREATE TABLE team_people (team_id bigint NOT NULL REFERENCES teams (id), person_id bigint NOT NULL REFERENCES people (id)" + more(tt.joins) + ", UNIQUE (team_id, person_id))",
				} {
					a.exec(inDialect(d, text)[0])
				}
				o := sqlstore.Options{Prefix: fmt.Sprintf("t%d_", i), Tables: []sqlstore.Table{
					{Type: "User", Name: "people", Key: "id", Columns: []sqlstore.Column{{Name: "email", Path: "userName"}}},
					{Type: "Group", Name: "teams", Key: "id", Columns: []sqlstore.Column{{Name: "title", Path: "displayName"}}},
				}, Members: &sqlstore.Join{Name: "team_people", Group: "team_id", User: "person_id"}}
				if tt.change != nil {
					tt.change(&o)
				}
				s, err := sqlstore.New(db, d, o)
				if err == nil {
					err = s.Migrate(t.Context())
				}
				switch {
				case tt.want == "" && err != nil:
					t.Errorf("%v", err)
				case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
					t.Errorf("the error does not say %q: %v", tt.want, err)
				case tt.want != "" && strings.Contains(err.Error(), "sqlstore: ") && len(strings.Split(err.Error(), "\n")) > 2:
					t.Errorf("one mistake, and too many lines:\n%v", err)
				}
				if tt.want == "" {
					c := newClient(t, scim.Config{Store: s})
					id := c.do("POST", "/Users", `{"userName":"ann"}`, 201)["id"]
					c.do("POST", "/Groups", fmt.Sprintf(`{"displayName":"team","members":[{"value":%q}]}`, id), 201)
				} else if n := 0; db.QueryRow("SELECT count(*) FROM "+o.Prefix+"resources").Scan(&n) == nil {
					t.Error("tables are made although the mapping is wrong")
				}
			})
		}
	})
}
