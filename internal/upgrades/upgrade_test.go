package upgrades

import (
	"database/sql"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore"
)

// places runs a test on each kept database. The places have its copies.
func places(t *testing.T, test func(t *testing.T, p *place)) {
	for _, w := range worlds {
		t.Run(w.name+"/SQLite", func(t *testing.T) { test(t, w.openKept(t, sqlstore.SQLite).place) })
		t.Run(w.name+"/PostgreSQL", func(t *testing.T) { test(t, w.openKept(t, sqlstore.Postgres).place) })
	}
}

// copied is a copy of a kept database.
type copied struct {
	*place
	address, users string // data source names
}

// openKept makes a copy of a kept database and opens it.
func (w world) openKept(t *testing.T, d sqlstore.Dialect) copied {
	t.Helper()
	var c copied
	if d == sqlstore.SQLite {
		c.address = sqlstore.SQLiteDSN(unpack(t, w.name+".db.gz"))
	} else {
		c.address = loadPostgres(t, w.name+".sql")
	}
	if w.alone {
		c.users = sqlstore.SQLiteDSN(unpack(t, w.name+"-users.db.gz"))
	}
	var err error
	c.place, err = w.connect(d, c.address, c.users)
	check(t, err)
	t.Cleanup(c.close)
	return c
}

// connect opens the databases of a place.
func (w world) connect(d sqlstore.Dialect, address, users string) (*place, error) {
	driver := map[sqlstore.Dialect]string{sqlstore.SQLite: "sqlite", sqlstore.Postgres: "pgx"}[d]
	db, err := sql.Open(driver, address)
	if err != nil || users == "" {
		return &place{world: w, db: db, d: d}, err
	}
	of, err := sql.Open("sqlite", users)
	return &place{world: w, db: db, d: d, users: of}, err
}

func (p *place) close() {
	p.db.Close() //nolint:errcheck // the test is over
	if p.users != nil {
		p.users.Close() //nolint:errcheck // the test is over
	}
}

// tablePrefix begins the names of the tables in the database under test.
func (w world) tablePrefix() string {
	if w.prefix == "" {
		return "scim_"
	}
	return w.prefix
}

var dumps atomic.Int64

// dump lists the rows of tables as texts, in order.
func (p *place) dump(t *testing.T, tables ...string) (all []string) {
	t.Helper()
	for _, name := range tables {
		// Each text is new, because a prepared statement does not survive a change of columns.
		rows, err := p.db.Query(fmt.Sprintf("SELECT * FROM %s -- %d", name, dumps.Add(1)))
		check(t, err)
		columns, err := rows.Columns()
		check(t, err)
		for rows.Next() {
			values, dest := make([]sql.NullString, len(columns)), make([]any, len(columns))
			for i := range values {
				dest[i] = &values[i]
			}
			check(t, rows.Scan(dest...))
			line := name
			for i, v := range values {
				line += fmt.Sprintf(" %s=%q", columns[i], v.String)
			}
			all = append(all, line)
		}
		check(t, rows.Err())
		check(t, rows.Close())
	}
	slices.Sort(all)
	return all
}

// untouched lists the rows of the tables that an upgrade leaves as they are. The column "client" is
// new, and must be empty.
func (p *place) untouched(t *testing.T) []string {
	t.Helper()
	tables := []string{"held", "people", "teams", "team_people"}
	if !p.alone {
		for _, name := range []string{"resources", "lookups", "members"} {
			tables = append(tables, p.tablePrefix()+name)
		}
	}
	all := p.dump(t, tables...)
	for i, line := range all { // without columns that steps have added
		all[i] = addedColumns.ReplaceAllString(line, "")
	}
	return slices.DeleteFunc(all, func(line string) bool { return strings.Contains(line, "zoe@example.com") })
}

var addedColumns = regexp.MustCompile(` client="" id_length="\d+"$`)

// withoutZoe removes the user whom the application created last. Clients must see her.
func (p *place) withoutZoe(t *testing.T, name string, v *view) {
	t.Helper()
	rest := slices.DeleteFunc(slices.Clone(v.Users), func(u object) bool { return u["id"] == "zoe" })
	if sees := len(rest) < len(v.Users); sees != (p.mapped && name == "first") {
		t.Errorf("tenant %s: zoe is there: %t", name, sees)
	}
	v.Users = rest
}

// show reads what all tenants show, in the form of shown.json.
func show(t *testing.T, p *place, all map[string]*tenant) map[string]any {
	t.Helper()
	views := map[string]view{}
	for name, n := range all {
		v := n.look(t)
		p.withoutZoe(t, name, &v)
		views[name] = v
	}
	return comparable(t, views)
}

// checkUpgraded migrates a place, unless this has happened, and compares what it shows
// with what it showed before. It returns the tenants.
func checkUpgraded(t *testing.T, p *place) map[string]*tenant {
	t.Helper()
	all := map[string]*tenant{}
	for name, exclusive := range tenants {
		all[name] = p.open(t, name, exclusive)
	}
	want := golden(t)
	if diff := cmp.Diff(want, show(t, p, all)); diff != "" {
		t.Errorf("after the upgrade (-before +after):\n%s", diff)
	}
	steps := []struct {
		what string
		do   func(n *tenant)
	}{
		{"Reconciler.All", func(n *tenant) { n.all(t) }},
		{"Reconciler.RolesChanged", func(n *tenant) { check(t, n.roles.RolesChanged(t.Context())) }},
		{"Reconciler.All again", func(n *tenant) { n.all(t) }},
		{"Migrate again", func(n *tenant) { check(t, p.migrate(t.Context(), n.name)) }},
	}
	for _, step := range steps {
		for name, n := range all {
			step.do(n)
			if calls := n.changes.Load(); calls > 0 || len(n.events) > 0 {
				t.Errorf("%s in tenant %s: %d calls of ChangeRoles, events %v: nothing has changed", step.what, name, calls, n.events)
			}
		}
		if diff := cmp.Diff(want, show(t, p, all)); diff != "" {
			t.Errorf("after %s (-before +after):\n%s", step.what, diff)
		}
	}
	return all
}

// An upgrade changes nothing that anybody sees, and afterwards the roles are given and
// taken as if the version had always been this one.
func TestUpgrade(t *testing.T) {
	places(t, func(t *testing.T, p *place) {
		before := p.untouched(t)
		checkReadable := p.share(t)
		held := p.dump(t, "report")
		if len(held) == 0 {
			t.Error("the view of the application is empty")
		}
		all := checkUpgraded(t, p)
		if diff := cmp.Diff(before, p.untouched(t)); diff != "" {
			t.Errorf("rows that no upgrade has to change (-before +after):\n%s", diff)
		}
		if diff := cmp.Diff(held, p.dump(t, "report")); diff != "" {
			t.Errorf("a view of the application (-before +after):\n%s", diff)
		}
		checkReadable()
		n := all["first"]
		n.goOn(t)
		for name, n := range all {
			if name != "first" {
				n.goOnExclusive(t)
			}
		}
	})
}

// share makes a view of the application and, in PostgreSQL, lets everybody read the tables
// of roles. It returns a function that checks that they still may.
func (p *place) share(t *testing.T) (checkReadable func()) {
	t.Helper()
	_, err := p.db.Exec("CREATE VIEW report AS SELECT tenant, user_id, role_id FROM " + p.tablePrefix() + "grants")
	check(t, err)
	if p.d == sqlstore.SQLite {
		return func() {}
	}
	tables := []string{p.tablePrefix() + "grants", p.tablePrefix() + "links"}
	_, err = p.db.Exec("GRANT SELECT ON " + strings.Join(tables, ", ") + " TO PUBLIC")
	check(t, err)
	return func() {
		for _, name := range tables {
			var may bool
			check(t, p.db.QueryRow("SELECT has_table_privilege('public', $1, 'SELECT')", name).Scan(&may))
			if !may {
				t.Errorf("the privilege to read %s is gone", name)
			}
		}
	}
}

// holds compares the roles of a user.
func (n *tenant) holds(t *testing.T, why, name string, want ...scim.Role) {
	t.Helper()
	held, err := n.HeldRoles(t.Context(), []string{n.id(name)})
	check(t, err)
	byID := func(a, b scim.Role) int { return strings.Compare(a.ID, b.ID) }
	got := held[n.id(name)]
	slices.SortFunc(got, byID)
	slices.SortFunc(want, byID)
	if !slices.Equal(got, want) {
		t.Errorf("%s: %s holds %v, want %v", why, name, got, want)
	}
}

// goOn changes what the history left.
func (n *tenant) goOn(t *testing.T) {
	t.Helper()
	leave := func(group, user string) {
		t.Helper()
		n.patch(t, "Groups", group, "remove", `members[value eq "`+user+`"]`, nil)
	}
	join := func(group, user string) {
		t.Helper()
		n.patch(t, "Groups", group, "add", "members", []object{{"value": user}})
	}
	leave("editors", "ann")
	n.holds(t, "another group gives the role", "ann", editor)
	leave("writers", "ann")
	n.holds(t, "no group gives the role", "ann")
	leave("editors", "bob")
	n.holds(t, "he had the role by hand before", "bob", editor)
	n.remove(t, "Groups", "odd")
	n.holds(t, "the group is gone", "nia", viewer)
	n.holds(t, "the group is gone", "qi", editor, viewer)
	n.patch(t, "Users", "sue", "remove", "userType", nil)
	n.holds(t, "a group gives the role too", "sue", viewer)
	leave("viewers", "sue")
	n.holds(t, "neither value nor group gives it", "sue")
	n.patch(t, "Users", "ian", "remove", "userType", nil)
	n.holds(t, "the long value is gone", "ian")
	n.patch(t, "Users", "hal", "replace", "userType", long)
	n.holds(t, "the value is another", "hal", editor)
	n.confirm(t, "admins", admin)
	n.holds(t, "the group was confirmed", "dan", admin)
	n.confirmValue(t, "chief", auditor)
	n.holds(t, "the value was confirmed", "jan", auditor)
	join("auditors", "gil")
	n.holds(t, "the client named him again", "gil", auditor)
	n.confirm(t, "auditors", auditor, "tom")
	leave("auditors", "tom")
	n.holds(t, "he had the role by hand before", "tom", auditor)
	n.active(t, "fay", true)
	n.holds(t, "the protected role waits for somebody to name her", "fay", viewer)
	n.confirmValue(t, "boss", auditor)
	n.holds(t, "the value was confirmed again, for everybody who waits", "lea", auditor)
	leave("auditors", "una")
	n.holds(t, "the value gives it too now", "una", auditor)
	for _, id := range []string{"group:a", "GROUP:b", "attr:userType=contractor", "Attr:c", "group"} {
		n.rename(t, id, "Nobody")
		n.holds(t, "other groups give it", "rob", editor)
	}
	n.rename(t, "%", "Nobody")
	n.holds(t, "none of the groups gives it", "rob")
}

// goOnExclusive is goOn for the tenant whose users hold one role.
func (n *tenant) goOnExclusive(t *testing.T) {
	t.Helper()
	for _, name := range []string{"ann", "cal", "eve", "fay"} {
		check(t, n.exec(t.Context(), "DELETE FROM held WHERE tenant = $1 AND user_id = $2", n.name, n.id(name)))
	}
	n.all(t)
	n.holds(t, "the place is free", "ann", viewer)
	n.holds(t, "the place is free, but he was inactive and the role is protected", "cal")
	n.holds(t, "the place is free; the role is not protected", "eve", editor)
	n.confirm(t, "auditors", auditor, "cal", "fay")
	n.holds(t, "he was confirmed", "cal", auditor)
	n.holds(t, "she was confirmed", "fay", auditor)
}

// A server of the version before, which the upgrade meets, can neither give nor take roles:
// it fails at the first of these statements.
func TestServerOfBefore(t *testing.T) {
	places(t, func(t *testing.T, p *place) {
		prefix := p.tablePrefix()
		statements := []string{
			"SELECT g.user_id, g.role_id, g.source, g.at, g.by_hand, g.waiting FROM " + prefix + "grants g",
			"INSERT INTO " + prefix + "grants (tenant, user_id, role_id, source, at, by_hand, waiting) VALUES ('first', 'ann', 'new', 'group:x', 0, 0, 0)",
			"SELECT k.group_id, k.role_id, k.role_name, k.weight, k.protected, k.confirmed FROM " + prefix + "links k",
			"INSERT INTO " + prefix + "links (tenant, group_id, role_id, role_name, weight, protected, confirmed) VALUES ('first', 'new', 'r', 'r', 0, 0, 1)",
		}
		for _, text := range statements {
			_, err := p.db.Exec(text)
			check(t, err)
		}
		check(t, p.migrate(t.Context(), "first"))
		before := p.dump(t, prefix+"grants", prefix+"links")
		for _, text := range statements {
			if _, err := p.db.Exec(text); err == nil {
				t.Errorf("it can still run %s", text)
			}
		}
		if diff := cmp.Diff(before, p.dump(t, prefix+"grants", prefix+"links")); diff != "" {
			t.Errorf("it changed something (-before +after):\n%s", diff)
		}
	})
}

// A program meets tables of a later version: it says so and changes nothing.
func TestLaterTables(t *testing.T) {
	places(t, func(t *testing.T, p *place) {
		check(t, p.migrate(t.Context(), "first"))
		prefix := p.tablePrefix()
		var version int
		check(t, p.db.QueryRow("SELECT version FROM "+prefix+"schema WHERE part = 'ledger'").Scan(&version))
		_, err := p.db.Exec("UPDATE " + prefix + "schema SET version = version + 1 WHERE part = 'ledger'")
		check(t, err)
		before := p.dump(t, prefix+"schema", prefix+"grants", prefix+"links")
		want := fmt.Sprintf("the tables of ledger have version %d, but this program knows versions up to %d", version+1, version)
		if err := p.migrate(t.Context(), "first"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want: %s", err, want)
		}
		if diff := cmp.Diff(before, p.dump(t, prefix+"schema", prefix+"grants", prefix+"links")); diff != "" {
			t.Errorf("it changed something (-before +after):\n%s", diff)
		}
	})
}

// Nothing is left of an earlier version after Uninstall, also if nobody has migrated it.
func TestUninstallEarlier(t *testing.T) {
	places(t, func(t *testing.T, p *place) {
		s, err := sqlstore.New(p.db, p.d, sqlstore.Options{Prefix: p.prefix})
		check(t, err)
		check(t, s.Uninstall(t.Context()))
		text := "SELECT count(*) FROM sqlite_master WHERE substr(name, 1, length($1)) = $1"
		if p.d == sqlstore.Postgres {
			text = `SELECT count(*) FROM (SELECT relname FROM pg_class UNION ALL SELECT proname FROM pg_proc UNION ALL SELECT tgname FROM pg_trigger) AS x
				WHERE left(relname, length(CAST($1 AS text))) = $1`
		}
		var left int
		check(t, p.db.QueryRow(text, p.tablePrefix()).Scan(&left))
		if left > 0 {
			t.Errorf("%d tables, indexes, triggers and functions are left", left)
		}
		if p.mapped {
			_, err := p.db.Exec("UPDATE people SET status = 'left'")
			check(t, err)
		}
	})
}
