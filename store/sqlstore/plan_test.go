package sqlstore_test

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore"
)

// plan is how the database would answer a query.
func plan(t *testing.T, db *sql.DB, d sqlstore.Dialect, text string, args []any) string {
	t.Helper()
	explain, columns := "EXPLAIN ", 1
	if d == sqlstore.SQLite {
		explain, columns = "EXPLAIN QUERY PLAN ", 4
	}
	rows, err := db.Query(explain+text, args...)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	defer rows.Close() //nolint:errcheck // Err tells
	var lines []string
	for rows.Next() {
		dest := make([]any, columns)
		for i := range dest {
			dest[i] = new(sql.RawBytes)
		}
		if err := rows.Scan(dest...); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, string(*dest[columns-1].(*sql.RawBytes)))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return strings.Join(lines, "\n")
}

var (
	scans = regexp.MustCompile(`(?m)^SCAN r|Seq Scan on scim_resources`)
	sorts = regexp.MustCompile(`USE TEMP B-TREE FOR ORDER|Sort Key`)
)

// lookups matches a plan that finds ids in the table of look-ups and then these rows.
const lookups = `(?s)scim_resources_pkey.*scim_lookups|scim_lookups.*scim_resources_pkey|SEARCH l USING .*SEARCH r USING INDEX sqlite_autoindex_scim_resources_1`

// Look-ups and pages in order of creation do not look at everything: neither in what the
// database knows, nor for a tenant that came after it looked. Nor do those that it plans
// while there is next to nothing, and goes on using when there is more. In what it knows,
// pages are not sorted either; two rows, which is what it may take a later tenant to have,
// it sorts.
func TestPlans(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		if d == sqlstore.MariaDB {
			return // Its plans are not tested.
		}
		if d == sqlstore.SQLite {
			db = relaxed(t)
		}
		analyze := func() {
			if _, err := db.Exec("ANALYZE"); err != nil {
				t.Fatal(err)
			}
		}
		check := func(name string, s *sqlstore.Store, tenant, userName string, last, g *scim.Resource, known bool) {
			t.Run(name, func(t *testing.T) {
				checkPlans(t, db, d, s, tenant, userName, last, g, known || d == sqlstore.SQLite)
			})
		}
		first := newStore(t, db, d, sqlstore.Options{Tenant: "first"})
		last, g := fillPlans(t, first, 1)
		check("few", first, "first", "scim_resources_user_name", last, g, false)
		old := newStore(t, db, d, sqlstore.Options{Tenant: "old"})
		last, g = fillPlans(t, old, 800)
		check("unknown", old, "old", "scim_resources_user_name", last, g, false)
		analyze()
		check("known", old, "old", "scim_resources_user_name", last, g, true)
		late := newStore(t, db, d, sqlstore.Options{Tenant: "late"})
		last, g = fillPlans(t, late, 800)
		check("late", late, "late", "scim_resources_user_name", last, g, false)
		analyze()
		makeApp(t, db, d)
		mapped := newStore(t, db, d, appOptions("mapped"))
		last, g = fillPlans(t, mapped, 800)
		check("mapped late", mapped, "mapped", "scim_resources_mapped_name", last, g, false)
		analyze()
		check("mapped", mapped, "mapped", "scim_resources_mapped_name", last, g, true)
	})
}

// fillPlans gives a tenant n users, and a group for each.
func fillPlans(t *testing.T, s *sqlstore.Store, n int) (last, g *scim.Resource) {
	t.Helper()
	if err := s.InTx(t.Context(), func(ctx context.Context) (err error) {
		for i := range n {
			name := fmt.Sprintf("user%d@example.com", i)
			if last, err = s.Create(ctx, user(t, name, map[string]any{"externalId": fmt.Sprint(i), "displayName": fmt.Sprint("User ", i), "emails": []any{map[string]any{"value": name, "type": "work"}}})); err != nil {
				return err
			}
			if g, err = s.Create(ctx, group(t, fmt.Sprint("Group ", i))); err != nil {
				return err
			}
			if _, _, err = s.ChangeMembers(ctx, g.ID(), []scim.Ref{last.Ref()}, nil); err != nil {
				return err
			}
			grant := scim.Grant{UserID: last.ID(), RoleID: "r", Source: scim.GroupSource(g.ID())}
			if i%10 == 0 {
				grant.State = scim.GrantWaitsForReturn
			}
			if err = s.Record(ctx, []scim.Grant{grant}, nil); err != nil {
				return err
			}
			if err = s.SetLink(ctx, scim.Link{Source: grant.Source, Roles: []scim.LinkedRole{{Role: scim.Role{ID: "r", Name: name}}}}); err != nil {
				return err
			}
			if err = s.SetNote(ctx, scim.Note{Kind: "k", Key: name, Text: name}); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return last, g
}

// checkPlans looks at the plans of the queries of a tenant, which sort no page if it is
// ordered: the database knows how much the tenant has.
func checkPlans(t *testing.T, db *sql.DB, d sqlstore.Dialect, s *sqlstore.Store, tenant, userName string, last, g *scim.Resource, ordered bool) {
	t.Helper()
	for _, test := range []struct {
		name, filter string
		q            scim.Query
		index        string // that is used
		mayScan      bool
		reason       string
	}{
		{"id", `id eq "x"`, scim.Query{}, `scim_resources_pkey|sqlite_autoindex_scim_resources_1`, false, "the primary key"},
		{"userName", `userName eq "USER5@example.com"`, scim.Query{}, userName, false, "every client looks up by it"},
		{"userName and more", `userName eq "USER5@example.com" and active eq true`, scim.Query{}, userName, false, "the rest is judged on one row"},
		{"externalId", `externalId eq "5"`, scim.Query{}, "scim_resources_external_id", false, "Entra looks up by it"},
		{"displayName", `displayName eq "user 5"`, scim.Query{}, "scim_resources_display_name", false, "clients look up groups by it"},
		{"e-mail", `emails.value eq "user5@example.com"`, scim.Query{}, lookups, false, "the table of look-ups"},
		{"e-mail in a value path", `emails[type eq "work"].value eq "user5@example.com"`, scim.Query{}, lookups, false, "Entra asks like this"},
		{"either", `userName eq "user5@example.com" or emails.value eq "user5@example.com"`, scim.Query{}, userName, false, "clients ask for both at once"},
		{"ids", "", scim.Query{IDs: []string{"x", "y"}}, `scim_resources_pkey|sqlite_autoindex_scim_resources_1`, false, "members of a group"},
		{"first page", "", scim.Query{}, "scim_resources_created", false, "in order of the index"},
		{"deep page", "", scim.Query{After: scim.KeyOf(&scim.Query{}, last)}, "scim_resources_created", false, "from its place in the index on"},
		{"deep page, descending", "", scim.Query{Descending: true, After: scim.KeyOf(&scim.Query{}, last)}, "scim_resources_created", false, "the index backwards"},
		{"anything else", `title co "x"`, scim.Query{}, "", true, "this test sees a scan where there is one"},
	} {
		t.Run(test.name, func(t *testing.T) {
			q := test.q
			q.Limit = 50
			if test.filter != "" {
				f, err := scim.ParseFilter(scim.UserType(), test.filter)
				if err != nil {
					t.Fatal(err)
				}
				q.Filter = f
			}
			text, args, err := sqlstore.PageQuery(s, scim.UserType(), &q)
			if err != nil {
				t.Fatal(err)
			}
			p := plan(t, db, d, text, args)
			if test.index != "" && !regexp.MustCompile(test.index).MatchString(p) || scans.MatchString(p) && !test.mayScan {
				t.Errorf("%s: want %s and no scan:\n%s\n%s", test.reason, test.index, text, p)
			}
			if test.name == "userName" || test.name == "externalId" {
				joined := regexp.MustCompile("(?s)" + test.index + ".*scim_members_member")
				text := sqlstore.Statement(s, sqlstore.LookUpWithGroupsQuery(d, text))
				if p := plan(t, db, d, text, args); !joined.MatchString(p) || scans.MatchString(p) {
					t.Errorf("with groups: want %s and no scan:\n%s\n%s", joined, text, p)
				}
			}
			if ordered && strings.HasSuffix(test.index, "_created") && sorts.MatchString(p) {
				t.Errorf("the page is sorted:\n%s", p)
			}
			if test.mayScan && !scans.MatchString(p) && !strings.Contains(p, "scim_resources_created") {
				t.Errorf("%s:\n%s", test.reason, p)
			}
		})
	}
	pages := map[string]bool{"members": true, "all links": true, "further links": true, "open grants": true, "more open grants": true, "notes": true, "users with grants": true}
	for name, c := range map[string]struct {
		text  string
		args  []any
		index string
	}{
		"members": {sqlstore.MembersQuery(d), []any{tenant, g.ID(), "User", "", 100}, `(?s)scim_members_pkey.*scim_resources_pkey|PRIMARY KEY.*SEARCH r USING COVERING INDEX scim_resources_shown .id=. AND type=. AND tenant=. AND deleted=`},
		"one member": {"DELETE FROM {p}members WHERE tenant = $1 AND group_id = $2 AND member_type IN ($4, $5) AND member_id = $3", []any{tenant, g.ID(), "x", "Group", "User"},
			"Index Cond: .*member_id|PRIMARY KEY .group_id=. AND tenant=. AND member_type=. AND member_id"},
		"memberships": {"SELECT m.group_id" + sqlstore.Each(d, "$3", "members", "m", "m.tenant = $1 AND m.member_type = $2 AND m.member_id = w.value"),
			[]any{tenant, "User", `["x"]`}, "scim_members_member"},
		"grants": {"SELECT g.role_id" + sqlstore.Each(d, "$2", "grants", "g", "g.tenant = $1 AND g.user_id = w.value"), []any{tenant, `["x"]`},
			"scim_grants_pkey|PRIMARY KEY .tenant=. AND user_id=."},
		"look": {sqlstore.LookQuery(d), []any{tenant, `["x"]`, "tenant:"},
			`(?s)(scim_grants_pkey|PRIMARY KEY .tenant=. AND user_id=).*(scim_members_member.*){2}(scim_links_pkey|PRIMARY KEY .tenant=. AND source=).*(scim_resources_pkey|SEARCH r )`},
		"with groups":       {sqlstore.WithGroupsQuery(d), []any{tenant, "x"}, `(?s)(scim_resources_pkey|SEARCH r ).*(scim_members_member)`},
		"look ahead":        {sqlstore.AheadQuery(d), []any{tenant, `["x"]`, `["group:x"]`}, `(?s)(scim_resources_pkey|SEARCH r ).*(scim_links_pkey|PRIMARY KEY .tenant=. AND source=)`},
		"users with grants": {sqlstore.UsersWithGrantsQuery, []any{tenant, "", 100}, `(?s)scim_grants_pkey.*Index Cond: .*tenant = .*user_id > |PRIMARY KEY .tenant=. AND user_id>`},
		"links": {"SELECT k.roles" + sqlstore.Each(d, "$2", "links", "k", "k.tenant = $1 AND k.source = w.value"), []any{tenant, `["group:x"]`},
			`Index Cond: .*tenant = .* AND .source = |PRIMARY KEY .tenant=. AND source=`},
		"all links":        {sqlstore.AllLinksQuery, []any{tenant, "", 100}, `Index Cond: .*tenant = .* AND .source > |PRIMARY KEY .tenant=. AND source>`},
		"further links":    {sqlstore.AllLinksQuery, []any{tenant, "group:0", 100}, `Index Cond: .*tenant = .* AND .source > |PRIMARY KEY .tenant=. AND source>`},
		"open grants":      {sqlstore.OpenGrantsQuery(d), []any{tenant, "", "", "", "", 20}, `(?s)scim_grants_open.*Index Cond: .*ROW|INDEX scim_grants_open .tenant=. AND .user_id`},
		"more open grants": {sqlstore.OpenGrantsQuery(d), []any{tenant, last.ID(), "", "", "", 20}, `(?s)scim_grants_open.*Index Cond: .*ROW|INDEX scim_grants_open .tenant=. AND .user_id`},
		"notes":            {sqlstore.NotesQuery, []any{tenant, "k", "x", 100}, `(?s)scim_notes_pkey.*Index Cond: .*kind = .*tenant = .*key > |PRIMARY KEY .kind=. AND tenant=. AND key>`},
	} {
		if p := plan(t, db, d, sqlstore.Statement(s, c.text), c.args); !regexp.MustCompile(c.index).MatchString(p) || scans.MatchString(p) || ordered && sorts.MatchString(p) && pages[name] {
			t.Errorf("%s: want %s:\n%s", name, c.index, p)
		}
	}
	if d != sqlstore.Postgres {
		return
	}
	tables := regexp.MustCompile("Seq Scan on scim_(resources|members|links|grants)") // nobody is locked yet
	for text, args := range sqlstore.ChangeMemberQueries(tenant, g.ID(), last.ID()) {
		text = sqlstore.Statement(s, text)
		if p := plan(t, db, d, text, args); tables.MatchString(p) {
			t.Errorf("the change of a member scans a table:\n%s\n%s", text, p)
		}
	}
}
