package sqlstore_test

import (
	"context"
	"database/sql"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore"
)

// Whatever a mapping names and the database has not is told at the start, all of it.
func TestNamesThatAreNotThere(t *testing.T) {
	apps(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		for _, test := range []struct {
			name   string
			change func(o *sqlstore.Options)
			want   string // "": it is there
		}{
			{"all is there", func(*sqlstore.Options) {}, ""},
			{"table", func(o *sqlstore.Options) { o.Tables[0].Name = "persons" }, "table persons"},
			{"key", func(o *sqlstore.Options) { o.Tables[1].Key = "ident" }, "table teams: column ident"},
			{"tenant", func(o *sqlstore.Options) { o.Tables[0].Tenant = "customer" }, "table people: column customer"},
			{"created", func(o *sqlstore.Options) { o.Tables[0].Created = "made" }, "table people: column made"},
			{"a column", func(o *sqlstore.Options) { o.Tables[0].Columns[2].Name = "lastname" }, "table people: column lastname"},
			{"a column in quotes", func(o *sqlstore.Options) { o.Tables[0].Columns[2].Name = `"last name"` }, `table people: column "last name"`},
			{"visible", func(o *sqlstore.Options) { o.Tables[0].Visible = "t.sort = 'person'" }, "table people: Visible"},
			{"retire", func(o *sqlstore.Options) {
				o.Tables[0].Retire = func(_ context.Context, _ *scim.Resource, now time.Time) map[string]any {
					return map[string]any{"gone": now}
				}
			}, "table people: column gone"},
			{"revive", func(o *sqlstore.Options) {
				o.Tables[0].Retire = func(_ context.Context, _ *scim.Resource, now time.Time) map[string]any {
					return map[string]any{"left_at": now}
				}
				o.Tables[0].Revive = func(context.Context, *scim.Resource) map[string]any { return map[string]any{"went_at": nil} }
			}, "table people: column went_at"},
			{"child", func(o *sqlstore.Options) { o.Tables[0].Children[0].Name = "mails" }, "table mails"},
			{"parent", func(o *sqlstore.Options) { o.Tables[0].Children[0].Parent = "user_id" }, "table people_emails: column user_id"},
			{"order", func(o *sqlstore.Options) { o.Tables[0].Children[0].Order = "rank" }, "table people_emails: column rank"},
			{"a child's column", func(o *sqlstore.Options) { o.Tables[0].Children[0].Columns[0].Name = "adress" }, "table people_emails: column adress"},
			{"members", func(o *sqlstore.Options) { o.Members.User = "user_id" }, "table team_people: column user_id"},
			{"since", func(o *sqlstore.Options) { o.Members.Since = "since" }, "table team_people: column since"},
		} {
			t.Run(test.name, func(t *testing.T) {
				o := appOptions("o")
				o.Prefix = "checked_"
				test.change(&o)
				s, err := sqlstore.New(db, d, o)
				if err != nil {
					t.Fatal(err)
				}
				if err := s.Migrate(t.Context()); (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), "sqlstore: "+test.want+": ") {
					t.Errorf("error %v, want %q", err, test.want)
				}
			})
		}
		o := appOptions("o")
		o.Tables[0].Columns[0].Name, o.Members.Name = "mail", "team_persons"
		s, err := sqlstore.New(db, d, o)
		if err != nil {
			t.Fatal(err)
		}
		err = s.Migrate(t.Context())
		_, roles := s.RoleResolver(t.Context(), sqlstore.RoleTables{Roles: "teams", ID: "id", Name: "title", Weight: "weight", Holders: "team_people", User: "person_id", Role: "role_id"})
		for _, c := range []struct {
			err  error
			want string
		}{{err, "column mail"}, {err, "table team_persons"}, {roles, "column weight"}, {roles, "column role_id"}} {
			if c.err == nil || !strings.Contains(c.err.Error(), c.want) {
				t.Errorf("error %v, want all mistakes, %q too", c.err, c.want)
			}
		}
	})
}

// Which columns Visible looks at; nil: it may be any.
func TestVisibleColumns(t *testing.T) {
	apps(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		for _, test := range []struct {
			visible string
			want    []string
			reason  string
		}{
			{"t.kind = 'person' AND t.left_at IS NULL", []string{"kind", "left_at"}, "those that it names"},
			{"(t.kind) IN ('person') AND COALESCE(T.status, '') <> 'left'", []string{"kind", "status"}, "some functions look at nothing else"},
			{"kind = 'mobile'", []string{"kind", "mobile"}, "one too many does no harm"},
			{"seen_by_all(t.id)", nil, "a function may look at the row"},
			{"person(t)", nil, "the row as a whole"},
			{"t IS NOT NULL AND t.kind = 't'", nil, "the same"},
			{"t.id IN (SELECT 1)", nil, "another table"},
		} {
			o := appOptions("o")
			o.Tables[0].Visible = test.visible
			s, err := sqlstore.New(db, d, o)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := sqlstore.LookedAt(t.Context(), s, "User"); err != nil || !cmp.Equal(got, test.want) {
				t.Errorf("%s: %v, %v, want %v: %s", test.visible, got, err, test.want, test.reason)
			}
		}
	})
}
