package sqlstore_test

import (
	"database/sql"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/store/sqlstore"
	"github.com/scimkit/scim/store/storetest"
)

// partition does what docs/scale.md says, in tables that are there and empty.
func partition(t *testing.T, db *sql.DB) {
	t.Helper()
	page := testhost.Must(os.ReadFile("../../docs/scale.md"))
	block := regexp.MustCompile("(?s)```sql\n(.*?)```").FindSubmatch(page)
	if block == nil {
		t.Fatal("docs/scale.md has no SQL")
	}
	if _, err := db.Exec(string(block[1])); err != nil {
		t.Fatal(err)
	}
}

// The tables can be partitioned by tenant, and everything still works.
func TestPartitionedStore(t *testing.T) {
	if os.Getenv("SCIM_LONG") != "1" {
		t.Skip("SCIM_LONG is not set: TestPartitionedPlans runs always")
	}
	db := postgres.DB(t)
	newStore(t, db, sqlstore.Postgres, sqlstore.Options{})
	partition(t, db)
	storetest.Run(t, func(t *testing.T) scim.Store {
		return newStore(t, db, sqlstore.Postgres, sqlstore.Options{Tenant: t.Name()})
	})
}

// Look-ups and writes use the partitions of their tenant, and nothing goes through a whole table. With SCIM_LONG=1 there are two
// million users.
func TestPartitionedPlans(t *testing.T) {
	db, d := postgres.DB(t), sqlstore.Postgres
	tenants, users := 200, 20 // too few for plans with indexes
	isLong := os.Getenv("SCIM_LONG") == "1"
	if isLong {
		tenants, users = 2000, 1000
	}
	first := newStore(t, db, d, sqlstore.Options{Tenant: "t0"})
	partition(t, db)
	fillTenants(t, db, first, tenants, users)

	const tenant = "t7"
	s := newStore(t, db, d, sqlstore.Options{Tenant: tenant})
	user := strings.Replace(template, mark, "00000007", 1)
	queries := map[string]struct {
		text string
		args []any
	}{
		"members":         {sqlstore.MembersQuery(d), []any{tenant, "g" + tenant, "", "", 100}},
		"with groups":     {sqlstore.WithGroupsQuery(d), []any{tenant, user}},
		"look":            {sqlstore.LookQuery(d), []any{tenant, `["` + user + `"]`, "tenant:"}},
		"look ahead":      {sqlstore.AheadQuery(d), []any{tenant, `["` + user + `"]`, `["group:x"]`}},
		"users of a role": {sqlstore.UsersWithGrantsQuery, []any{tenant, "", 100}},
		"open grants":     {sqlstore.OpenGrantsQuery(d), []any{tenant, "", "", "", "", 20}},
	}
	for name, q := range map[string]scim.Query{"first page": {}, "second page": {After: &scim.PageKey{Created: epoch, ID: user}},
		"by userName": {Filter: testhost.Must(scim.ParseFilter(scim.UserType(), `userName eq "person00000007@example.com"`))},
		"by e-mail":   {Filter: testhost.Must(scim.ParseFilter(scim.UserType(), `emails.value eq "person00000007@example.com"`))},
		"by id":       {IDs: []string{user}}} {
		q.Limit = 50
		text, args, err := sqlstore.PageQuery(s, scim.UserType(), &q)
		if err != nil {
			t.Fatal(err)
		}
		queries[name] = struct {
			text string
			args []any
		}{text, args}
	}
	for text, args := range sqlstore.ChangeMemberQueries(tenant, "g"+tenant, user) {
		queries[text] = struct {
			text string
			args []any
		}{text, args}
	}
	of, scans := regexp.MustCompile(`scim_[a-z]+_p(\d+)`), regexp.MustCompile(`Seq Scan on scim_(resources|lookups|members|grants)`)
	for name, q := range queries {
		p := plan(t, db, d, sqlstore.Statement(s, q.text), q.args)
		parts := map[string]bool{}
		for _, m := range of.FindAllStringSubmatch(p, -1) {
			parts[m[1]] = true
		}
		want := 1
		if name == "first page" || name == "second page" {
			want = 64 // The order of a list is that of an index of collections, which are no part of the key.
		}
		if len(parts) != want || isLong && scans.MatchString(p) {
			t.Errorf("%s: want %d partitions and no scan of one, not %d:\n%s", name, want, len(parts), p)
		}
	}
	c := newClient(t, scim.Config{Store: s})
	for name, want := range map[string]int{"Person00000007@example.com": 1, "Person00000008@example.com": 0} {
		if got := c.do("GET", query(`userName eq "`+name+`"`), "", 200)["totalResults"]; got != float64(want) {
			t.Errorf("%s: %v users of tenant %s, want %d", name, got, tenant, want)
		}
	}
	if got := c.do("GET", "/Users?count=0", "", 200)["totalResults"]; got != float64(users) {
		t.Errorf("%v users, want %d", got, users)
	}
	sizes(t, db, tenants*users)
}

// fillTenants gives each tenant users and one group with all of them, which gives a role. User i is of tenant i % tenants.
func fillTenants(t *testing.T, db *sql.DB, s *sqlstore.Store, tenants, users int) {
	t.Helper()
	u := testhost.Must(scim.UserType().Bind(scim.Meta{ID: template, Version: "1", Created: epoch, LastModified: epoch}, []byte(bulkUser), nil))
	create(t, s, u)
	tenant := fmt.Sprintf("'t' || i %% %d", tenants)
	for i := 0; i < tenants*users; i += 50_000 {
		for _, text := range []string{
			"INSERT INTO scim_resources (tenant, type, id, collection, deleted, created, modified, version, user_name, external_id, display_name, doc, search, claimed, display)" + series +
				" SELECT " + tenant + ", type, " + own("id") + ", 'User:' || " + tenant + ", deleted, created + i, modified + i, version, " + own("user_name") + ", " + own("external_id") + ", " +
				own("display_name") + ", " + own("doc") + ", CAST(" + own("CAST(search AS text)") + " AS jsonb), claimed, " + own("display") + " FROM series, scim_resources WHERE id = '" + template + "'",
			"INSERT INTO scim_lookups (tenant, type, path, value, id)" + series +
				" SELECT " + tenant + ", type, path, " + own("value") + ", " + own("id") + " FROM series, scim_lookups WHERE id = '" + template + "'",
			"INSERT INTO scim_members (tenant, group_id, member_type, member_id, since)" + series +
				" SELECT " + tenant + ", 'gt' || i % " + fmt.Sprint(tenants) + ", 'User', " + own("'"+template+"'") + ", i FROM series",
			"INSERT INTO scim_grants (tenant, user_id, scope, role_id, source, at, by_hand, state, rank)" + series +
				" SELECT " + tenant + ", " + own("'"+template+"'") + ", '', 'role', 'group:gt' || i % " + fmt.Sprint(tenants) + ", i, 0, '', 0 FROM series",
			"INSERT INTO scim_users (tenant, user_id)" + series + " SELECT " + tenant + ", " + own("'"+template+"'") + " FROM series",
		} {
			if _, err := db.Exec(text, i, min(i+50_000, tenants*users)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := s.Delete(t.Context(), u.Ref(), func(*scim.Resource) error { return nil }); err != nil {
		t.Fatal(err)
	}
	analyze(t, db, sqlstore.Postgres)
}

// sizes says how many bytes a user takes in each table, and its indexes.
func sizes(t *testing.T, db *sql.DB, users int) {
	t.Helper()
	for _, table := range []string{"resources", "lookups", "members", "grants", "users"} {
		var heap, indexes float64
		err := db.QueryRow(`SELECT sum(pg_table_size(c.oid)), sum(pg_indexes_size(c.oid)) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = CAST($1 AS regclass)`,
			"scim_"+table).Scan(&heap, &indexes)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %.0f bytes a user, and %.0f of indexes", table, heap/float64(users), indexes/float64(users))
	}
}
