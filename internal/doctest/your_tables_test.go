package doctest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore"
	"github.com/scimkit/scim/store/storetest"
)

// What follows, up to the end marker, is in docs/your-tables.md and docs/role-tables.md.

func mapped(db *sql.DB, d sqlstore.Dialect) (*sqlstore.Store, error) {
	return sqlstore.New(db, d, sqlstore.Options{
		Tables: []sqlstore.Table{
			{
				Type: "User", Name: "users", Key: "id", Created: "created_at",
				Visible: "t.kind = 'person' AND t.left_at IS NULL",
				Columns: []sqlstore.Column{
					{Name: "email", Path: "userName"},
					{Name: "full_name", Path: "displayName", Empty: ""},     // NOT NULL: "" stands for absent
					{Name: "phone", Path: "phoneNumbers.value", Of: "work"}, // one element of many
					sqlstore.ActiveWhen("status", "active", "locked"),       // or ActiveWhileNull("deactivated_at")
				},
				Children: []sqlstore.Child{{ // many elements, one row for each
					Path: "emails", Name: "user_emails", Parent: "user_id",
					Columns: []sqlstore.Column{{Name: "address", Path: "value"}, {Name: "kind", Path: "type"}},
				}},
			},
			{Type: "Group", Name: "teams", Key: "id", Columns: []sqlstore.Column{{Name: "name", Path: "displayName"}}},
		},
		Members: &sqlstore.Join{Name: "team_members", Group: "team_id", User: "user_id"},
	})
}

func open(postgresURL string) (*sql.DB, error) {
	if postgresURL == "" {
		return sql.Open("sqlite", sqlstore.SQLiteDSN("scim.db")) // import _ "modernc.org/sqlite"
	}
	return sql.Open("pgx", postgresURL) // import _ "github.com/jackc/pgx/v5/stdlib"
}

var disabled = sqlstore.Column{
	Name: "disabled", Path: "active", Empty: false,
	To:   func(v any) (any, error) { return v == false, nil },
	From: func(v any) (any, error) { return v == false || v == int64(0), nil }, // in SQLite a boolean is an int64
}

// In lower case, as the application's login compares it. The value of userName is a string.
var email = sqlstore.Column{
	Name: "email", Path: "userName",
	To: func(v any) (any, error) { return strings.ToLower(v.(string)), nil },
}

var logins = []sqlstore.Column{
	{Name: "email", Path: "userName"},
	{Name: "username", Path: "userName", SetOnce: true}, // nobody's log-in changes with the address
}

// The users' table has one column for the full name. It is displayName, which this rule makes of two attributes.
func fullName(_ context.Context, c *scim.Change) (err error) {
	if c.After != nil && c.After.Type().Name() == "User" && (c.After.Get("name.givenName") != nil || c.After.Get("name.familyName") != nil) {
		name := strings.TrimSpace(c.After.String("name.givenName") + " " + c.After.String("name.familyName"))
		c.After, err = c.After.With(map[string]any{"displayName": name})
	}
	return err
}

func adopting(store *sqlstore.Store) scim.Config {
	return scim.Config{Store: store, Rules: []scim.Rule{store.Adopt(sqlstore.SamePerson)}}
}

var staff = sqlstore.Table{
	Type: "User", Name: "users", Key: "id", Columns: []sqlstore.Column{{Name: "email", Path: "userName"}},
	Unclaimed: sqlstore.FindUnclaimed,
	Exempt:    "t.break_glass", // as Visible: a condition in SQL on the row
}

// A new row has a password that nobody can type, and says where it comes from.
var newcomers = sqlstore.Table{
	Type: "User", Name: "users", Key: "id", Columns: []sqlstore.Column{{Name: "email", Path: "userName"}},
	Insert: func(_ context.Context, user *scim.Resource) map[string]any {
		return map[string]any{"password_hash": "!", "source": "scim", "invited_as": user.String("userName")}
	},
}

var leavers = sqlstore.Table{
	Type: "User", Name: "users", Key: "id", Visible: "t.left_at IS NULL",
	Columns: []sqlstore.Column{{Name: "email", Path: "userName"}},
	Retire: func(_ context.Context, _ *scim.Resource, now time.Time) map[string]any {
		return map[string]any{"left_at": now}
	},
	Revive: func(context.Context, *scim.Resource) map[string]any { return map[string]any{"left_at": nil} },
}

func rolesIn(ctx context.Context, store *sqlstore.Store) (scim.RoleResolver, error) {
	return store.RoleResolver(ctx, sqlstore.RoleTables{
		Roles: "roles", ID: "id", Name: "name", Weight: "rank", Protected: "protected",
		Holders: "user_roles", User: "user_id", Role: "role_id",
		Insert: func(_ context.Context, user, role string) map[string]any { return map[string]any{"given_by": "scim"} },
	})
}

func administrators(ctx context.Context, store *sqlstore.Store) (*scim.Roles, error) {
	resolver, err := store.RoleResolver(ctx, sqlstore.RoleColumn{
		Table: "users", User: "id", Column: "is_admin", Base: false,
		List: []scim.Role{{ID: "true", Name: "Administrators", Protected: true}},
	})
	return &scim.Roles{Resolver: resolver, Exclusive: true}, err
}

func teamAdmins(ctx context.Context, store *sqlstore.Store) (scim.RoleResolver, error) {
	return store.RoleResolver(ctx, sqlstore.RoleColumn{
		Table: "team_members", User: "user_id", Column: "admin", Base: false,
		Scope: sqlstore.RoleScope{Name: "team:", Column: "team_id", Table: "teams", Key: "id"},
		List:  []scim.Role{{ID: "true", Name: "Team administrator"}},
		Match: func(ctx context.Context, src scim.RoleSource) ([]scim.Role, error) {
			team, found := strings.CutSuffix(src.Name(), " admins") // the group "Apollo admins" is for the team "Apollo"
			if !found || src.Group == nil {
				return nil, nil // no role of these
			}
			var id string
			err := store.DB(ctx).QueryRowContext(ctx, "SELECT CAST(id AS text) FROM teams WHERE name = $1", team).Scan(&id)
			if errors.Is(err, sql.ErrNoRows) {
				return nil, nil
			}
			return []scim.Role{{Scope: "team:" + id, ID: "true"}}, err
		},
	})
}

func projectRoles(match func(context.Context, scim.RoleSource) ([]scim.Role, error)) sqlstore.RoleTables {
	return sqlstore.RoleTables{
		Holders: "project_members", User: "user_id", Role: "role",
		Scope: sqlstore.RoleScope{Name: "project:", Column: "project_id", Table: "projects", Key: "id"},
		List:  []scim.Role{{ID: "viewer", Name: "Viewer"}, {ID: "editor", Name: "Editor", Weight: 1}},
		Match: match,
	}
}

// memberships lets a group give the membership of the team that has its name, among the teams that
// are the directory's.
func memberships() sqlstore.RoleTables {
	return sqlstore.RoleTables{
		Roles: "teams", ID: "id", Name: "name", Where: "t.managed",
		Holders: "team_members", User: "user_id", Role: "team_id",
		Create: func(string) map[string]any { return map[string]any{"managed": true} },
	}
}

func twoSlots(ctx context.Context, store *sqlstore.Store) (*scim.Roles, error) {
	slot := func(column, kind string, base any) sqlstore.RoleColumn {
		return sqlstore.RoleColumn{
			Table: "users", User: "id", Column: column, Base: base, Scope: sqlstore.RoleScope{Name: kind},
			Roles: "roles", ID: "id", Name: "name",
			Where: "t.type = '" + kind + "' AND t.id <> 1", // role 1 is the super administrator's: SCIM never gives it
		}
	}
	resolver, err := store.RoleResolver(ctx, slot("user_role_id", "user", 2), slot("list_role_id", "list", nil))
	return &scim.Roles{Resolver: resolver, PolicyOf: func(scope string) scim.RolePolicy {
		if scope == "user" {
			return scim.RolePolicy{Exclusive: true, Base: "2"}
		}
		return scim.RolePolicy{Exclusive: true}
	}}, err
}

// searched opens a store whose users people search and sort.
func searched(db *sql.DB, d sqlstore.Dialect) (*sqlstore.Store, error) {
	store, err := sqlstore.New(db, d, sqlstore.Options{Indexes: []sqlstore.Index{
		{Attribute: "userName", Contains: true},
		{Attribute: "displayName", Contains: true},
		{Attribute: "emails.value", Contains: true},
		{Attribute: "name.familyName"},
		{Attribute: "meta.lastModified"},
	}})
	return store, err
}

// The searches of the page about databases find the user.
func TestIndexesForSearches(t *testing.T) {
	db, err := sql.Open("sqlite", sqlstore.SQLiteDSN(filepath.Join(t.TempDir(), "app.db")))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() }) //nolint:errcheck // the test is over
	store, err := searched(db, sqlstore.SQLite)
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	u, err := scim.UserType().Bind(scim.Meta{ID: "1"}, nil, map[string]any{"userName": "ann", "displayName": "Ann Holm"})
	if err == nil {
		_, err = store.Create(t.Context(), u)
	}
	if err != nil {
		t.Fatal(err)
	}
	f, err := scim.ParseFilter(scim.UserType(), `displayName co "hol" or userName sw "a"`)
	if err != nil {
		t.Fatal(err)
	}
	page, err := store.List(t.Context(), scim.UserType(), &scim.Query{Filter: f, SortBy: "name.familyName", Limit: 10})
	if err != nil || len(page.Resources) != 1 {
		t.Errorf("found %v, %v", page, err)
	}
}

// removeSCIM prints what it will do, and does it.
func removeSCIM(ctx context.Context, db *sql.DB, store *sqlstore.Store) error {
	statements, err := sqlstore.UninstallSQL(ctx, db, sqlstore.SQLite, "")
	if err != nil {
		return err
	}
	fmt.Println(strings.Join(statements, ";\n"))
	return store.Uninstall(ctx)
}

// checkMapping tests the mapping. makeTables creates the application's tables in a new database.
func checkMapping(t *testing.T, makeTables func(t *testing.T) *sql.DB) {
	storetest.RunMapping(t, func(t *testing.T) storetest.Mapping {
		store, err := mapped(makeTables(t), sqlstore.SQLite)
		if err == nil {
			err = store.Migrate(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
		return storetest.Mapping{Store: store} // and what the columns cannot hold
	})
}

// The end of what the page shows.

// TestFullName writes one column from two attributes.
func TestFullName(t *testing.T) {
	db := database(t, "CREATE TABLE users (id integer PRIMARY KEY AUTOINCREMENT, email text NOT NULL UNIQUE, full_name text NOT NULL)")
	store := migrated(t, db, sqlstore.Options{Tables: []sqlstore.Table{{Type: "User", Name: "users", Key: "id",
		Columns: []sqlstore.Column{email, {Name: "full_name", Path: "displayName", Empty: ""}}}}})
	h := handler(t, scim.Config{Store: store, Rules: []scim.Rule{fullName}})
	name := func(want string) {
		t.Helper()
		if got := rows(t, db, "SELECT full_name FROM users WHERE id = 1"); got != want {
			t.Errorf("the full name is %q, want %q", got, want)
		}
	}
	request(t, h, http.StatusCreated, "POST", "/Users", `{"userName": "ann@example.com", "name": {"givenName": "Ann", "familyName": "Lee"}}`)
	name("Ann Lee")
	request(t, h, http.StatusOK, "PATCH", "/Users/1", `{"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
		"Operations": [{"op": "replace", "path": "name.familyName", "value": "Day"}]}`)
	name("Ann Day")
}

// tablesOfMapped are the tables of the page.
func tablesOfMapped() []string {
	return []string{
		`CREATE TABLE users (id integer PRIMARY KEY AUTOINCREMENT, kind text NOT NULL DEFAULT 'person', left_at timestamp, email text NOT NULL UNIQUE,
			full_name text NOT NULL DEFAULT '', phone text, status text NOT NULL DEFAULT 'active',
			created_at timestamp NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now')))`,
		"CREATE TABLE user_emails (user_id bigint NOT NULL REFERENCES users (id), address text NOT NULL, kind text)",
		"CREATE TABLE teams (id integer PRIMARY KEY AUTOINCREMENT, name text NOT NULL UNIQUE)",
		"CREATE TABLE team_members (team_id bigint NOT NULL, user_id bigint NOT NULL, PRIMARY KEY (team_id, user_id))",
	}
}

func TestLogins(t *testing.T) {
	db := database(t, "CREATE TABLE users (id integer PRIMARY KEY AUTOINCREMENT, email text NOT NULL UNIQUE, username text NOT NULL UNIQUE)",
		"INSERT INTO users (email, username) VALUES ('ann@example.com', 'ann')")
	h := handler(t, scim.Config{Store: migrated(t, db, sqlstore.Options{Tables: []sqlstore.Table{{Type: "User", Name: "users", Key: "id", Columns: logins}}})})
	request(t, h, http.StatusOK, "PUT", "/Users/1", `{"userName": "ann.new@example.com"}`)
	bob := id(request(t, h, http.StatusCreated, "POST", "/Users", `{"userName": "bob@example.com"}`))
	request(t, h, http.StatusOK, "PUT", "/Users/"+bob, `{"userName": "bob.new@example.com"}`)
	request(t, h, http.StatusConflict, "POST", "/Users", `{"userName": "bob@example.com"}`)
	request(t, h, http.StatusConflict, "POST", "/Users", `{"userName": "ann"}`)
	for user, want := range map[string]string{"1": "ann.new@example.com ann", bob: "bob.new@example.com bob@example.com"} {
		if got := rows(t, db, "SELECT email || ' ' || username FROM users WHERE id = "+user); got != want {
			t.Errorf("user %s: %q, want %q", user, got, want)
		}
	}
}

func TestMapping(t *testing.T) {
	checkMapping(t, func(t *testing.T) *sql.DB { return database(t, tablesOfMapped()...) })
}

// TestMapped writes through the declaration of docs/your-tables.md into its tables.
func TestMapped(t *testing.T) {
	db := database(t, append(tablesOfMapped(),
		"INSERT INTO users (email, kind) VALUES ('ann@example.com', 'person'), ('robot@example.com', 'machine')")...)
	store, err := mapped(db, sqlstore.SQLite)
	if err == nil {
		err = store.Migrate(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	h := handler(t, adopting(store))
	body := `{"userName": "ann@example.com", "displayName": "Ann", "nickName": "A", "emails": [{"value": "a@home.test", "type": "home"}],
		"phoneNumbers": [{"value": "tel:+1-555-0100", "type": "work"}]}`
	if got := id(request(t, h, http.StatusCreated, "POST", "/Users", body)); got != "1" {
		t.Errorf("a new user who exists got the id %q, want that of the row", got)
	}
	request(t, h, http.StatusConflict, "POST", "/Users", `{"userName": "robot@example.com"}`)
	request(t, h, http.StatusCreated, "POST", "/Groups", `{"displayName": "Sales", "members": [{"value": "1"}]}`)
	for query, want := range map[string]string{
		"SELECT full_name || ' ' || phone || ' ' || status FROM users WHERE id = 1":      "Ann tel:+1-555-0100 active",
		"SELECT kind || ' ' || address FROM user_emails WHERE user_id = 1":               "home a@home.test",
		"SELECT name FROM teams JOIN team_members ON team_id = teams.id AND user_id = 1": "Sales",
	} {
		if got := rows(t, db, query); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
	if _, err := db.Exec("UPDATE users SET status = 'asked to leave' WHERE id = 1"); err != nil {
		t.Fatal(err)
	}
	got := request(t, h, http.StatusOK, "GET", "/Users/1", "").Body.String()
	if !strings.Contains(got, `"active":false`) || !strings.Contains(got, `"nickName":"A"`) {
		t.Errorf("after the application changed the row, the client reads %s", got)
	}
	if err := removeSCIM(t.Context(), db, store); err != nil {
		t.Fatal(err)
	}
	if got := rows(t, db, "SELECT count(*) FROM sqlite_master WHERE name LIKE 'scim%'"); got != "0" {
		t.Errorf("%s tables and triggers of SCIM are left", got)
	}
	if _, err := db.Exec("UPDATE users SET status = 'active'"); err != nil {
		t.Error(err)
	}
}

// A user who is deleted keeps the row, and gets it back when created again.
func TestRetire(t *testing.T) {
	db := database(t, "CREATE TABLE users (id integer PRIMARY KEY AUTOINCREMENT, left_at timestamp, email text NOT NULL UNIQUE, disabled boolean NOT NULL DEFAULT FALSE)",
		"INSERT INTO users (email) VALUES ('ann@example.com')")
	table := leavers
	table.Columns = append(table.Columns, disabled)
	h := handler(t, adopting(migrated(t, db, sqlstore.Options{Tables: []sqlstore.Table{table}})))
	request(t, h, http.StatusOK, "PATCH", "/Users/1", `{"Operations": [{"op": "replace", "value": {"externalId": "1", "active": false}}]}`)
	if got := rows(t, db, "SELECT email FROM users WHERE disabled"); got != "ann@example.com" {
		t.Errorf("%q are disabled", got)
	}
	request(t, h, http.StatusNoContent, "DELETE", "/Users/1", "")
	request(t, h, http.StatusNotFound, "GET", "/Users/1", "")
	if got := rows(t, db, "SELECT email FROM users WHERE left_at IS NOT NULL"); got != "ann@example.com" {
		t.Errorf("%q have left", got)
	}
	if got := id(request(t, h, http.StatusCreated, "POST", "/Users", `{"userName": "ann@example.com"}`)); got != "1" {
		t.Errorf("the user who comes back got the id %q", got)
	}
	t.Chdir(t.TempDir())
	for _, where := range []string{"", "postgres://localhost/app"} {
		db, err := open(where)
		if err != nil {
			t.Fatal(err)
		}
		db.Close() //nolint:errcheck // it was never used
	}
}

// A client finds an unclaimed user by name only and cannot delete it. It changes nothing of
// an exempt one.
func TestInsert(t *testing.T) {
	db := database(t, "CREATE TABLE users (id integer PRIMARY KEY AUTOINCREMENT, email text NOT NULL UNIQUE, password_hash text NOT NULL, source text NOT NULL, invited_as text)")
	h := handler(t, scim.Config{Store: migrated(t, db, sqlstore.Options{Tables: []sqlstore.Table{newcomers}})})
	request(t, h, http.StatusCreated, "POST", "/Users", `{"userName": "ann@example.com"}`)
	if got := rows(t, db, "SELECT email || ' ' || password_hash || ' ' || source || ' ' || invited_as FROM users"); got != "ann@example.com ! scim ann@example.com" {
		t.Errorf("the new row is %q", got)
	}
}

func TestStaff(t *testing.T) {
	db := database(t, "CREATE TABLE users (id integer PRIMARY KEY AUTOINCREMENT, email text NOT NULL UNIQUE, break_glass boolean NOT NULL DEFAULT FALSE)",
		"INSERT INTO users (email, break_glass) VALUES ('ann@example.com', false), ('root@example.com', true)")
	h := handler(t, adopting(migrated(t, db, sqlstore.Options{Tables: []sqlstore.Table{staff}})))
	for query, want := range map[string]string{
		"": `"totalResults":0`,
		"?filter=userName+eq+%22ann@example.com%22": `"totalResults":1`,
	} {
		if got := request(t, h, http.StatusOK, "GET", "/Users"+query, "").Body.String(); !strings.Contains(got, want) {
			t.Errorf("a list with %q has no %s: %s", query, want, got)
		}
	}
	request(t, h, http.StatusForbidden, "DELETE", "/Users/1", "")
	request(t, h, http.StatusForbidden, "DELETE", "/Users/2", "")
	request(t, h, http.StatusForbidden, "PATCH", "/Users/2", `{"Operations": [{"op": "replace", "value": {"nickName": "R"}}]}`)
	if got := rows(t, db, "SELECT count(*) FROM users"); got != "2" {
		t.Errorf("%s users are left", got)
	}
}

// The declarations of roles give them through the endpoint.
func TestRoleShapes(t *testing.T) {
	users := sqlstore.Table{Type: "User", Name: "users", Key: "id", Columns: []sqlstore.Column{{Name: "email", Path: "userName"}},
		Insert: func(context.Context, *scim.Resource) map[string]any { return map[string]any{"user_role_id": 2} }}
	db := database(t,
		"CREATE TABLE roles (id integer PRIMARY KEY, type text NOT NULL, name text NOT NULL)",
		"CREATE TABLE users (id integer PRIMARY KEY AUTOINCREMENT, email text NOT NULL UNIQUE, user_role_id integer NOT NULL REFERENCES roles (id), list_role_id integer REFERENCES roles (id))",
		"ALTER TABLE users ADD COLUMN is_admin boolean NOT NULL DEFAULT false",
		"CREATE TABLE teams (id integer PRIMARY KEY AUTOINCREMENT, name text NOT NULL UNIQUE)",
		"CREATE TABLE team_members (team_id bigint NOT NULL, user_id bigint NOT NULL, admin boolean)",
		"CREATE TABLE projects (id integer PRIMARY KEY AUTOINCREMENT, name text NOT NULL UNIQUE)",
		"CREATE TABLE project_members (project_id integer NOT NULL REFERENCES projects (id), user_id bigint NOT NULL REFERENCES users (id), role text NOT NULL, UNIQUE (project_id, user_id))",
		"INSERT INTO roles VALUES (1, 'user', 'Super Admin'), (2, 'user', 'Readers'), (3, 'list', 'Editors'), (4, 'user', 'Editors')", "INSERT INTO projects VALUES (7, 'Mars')",
	)
	store := migrated(t, db, sqlstore.Options{
		Tables:  []sqlstore.Table{users, {Type: "Group", Name: "teams", Key: "id", Columns: []sqlstore.Column{{Name: "name", Path: "displayName"}}}},
		Members: &sqlstore.Join{Name: "team_members", Group: "team_id", User: "user_id"},
	})
	inTeams := func() (*scim.Roles, error) {
		r, err := teamAdmins(t.Context(), store)
		return &scim.Roles{Resolver: r, Exclusive: true}, err
	}
	inProjects := func() (*scim.Roles, error) {
		r, err := store.RoleResolver(t.Context(), projectRoles(func(_ context.Context, src scim.RoleSource) ([]scim.Role, error) {
			return []scim.Role{{Scope: "project:7", Name: src.Name()}}, nil
		}))
		return &scim.Roles{Resolver: r, Exclusive: true}, err
	}
	slots := func() (*scim.Roles, error) { return twoSlots(t.Context(), store) }
	admins := func() (*scim.Roles, error) { return administrators(t.Context(), store) }
	for _, c := range []struct {
		what         string
		roles        func() (*scim.Roles, error)
		first, group string // The group first exists before.
		query        string
		want, after  string
	}{
		{"boolean", admins, "Staff", "Administrators", "SELECT is_admin FROM users WHERE id = ?", "1", "0"},
		{"two columns", slots, "Board", "Editors", "SELECT user_role_id || ' ' || COALESCE(list_role_id, '-') FROM users WHERE id = ?", "4 3", "2 -"},
		{"the super administrator", slots, "Chiefs", "Super Admin", "SELECT user_role_id FROM users WHERE id = ?", "2", "2"},
		{"memberships", inTeams, "Apollo", "Apollo admins", "SELECT admin FROM team_members JOIN teams ON teams.id = team_id AND name = 'Apollo' WHERE user_id = ?", "1", "0"},
		{"projects", inProjects, "Crew", "Viewer", "SELECT COALESCE(max(project_id || ' ' || role), 'none') FROM project_members WHERE user_id = ?", "7 viewer", "none"},
	} {
		roles, err := c.roles()
		if err != nil {
			t.Fatal(err)
		}
		h := handler(t, scim.Config{Store: store, Roles: roles})
		user := id(request(t, h, http.StatusCreated, "POST", "/Users", `{"userName": "`+c.what+`"}`))
		members := `"members": [{"value": "` + user + `"}]}`
		request(t, h, http.StatusCreated, "POST", "/Groups", `{"displayName": "`+c.first+`", `+members)
		group := id(request(t, h, http.StatusCreated, "POST", "/Groups", `{"displayName": "`+c.group+`", `+members))
		if c.what == "boolean" { // The role is protected.
			r, err := h.Reconciler(nil)
			if err == nil {
				err = r.Confirm(t.Context(), group, scim.Role{ID: "true"})
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if got := rows(t, db, strings.Replace(c.query, "?", user, 1)); got != c.want {
			t.Errorf("%s: in the group: %q, want %q", c.what, got, c.want)
		}
		request(t, h, http.StatusNoContent, "DELETE", "/Groups/"+group, "")
		if got := rows(t, db, strings.Replace(c.query, "?", user, 1)); got != c.after {
			t.Errorf("%s: without the group: %q, want %q", c.what, got, c.after)
		}
	}
}

// Groups give memberships of the directory's teams, and leave those that people have made alone.
func TestMemberships(t *testing.T) {
	db := database(t,
		"CREATE TABLE users (id integer PRIMARY KEY AUTOINCREMENT, email text NOT NULL UNIQUE)",
		"CREATE TABLE teams (id integer PRIMARY KEY AUTOINCREMENT, name text NOT NULL, managed boolean NOT NULL DEFAULT false)",
		"CREATE TABLE team_members (team_id bigint NOT NULL, user_id bigint NOT NULL, UNIQUE (team_id, user_id))",
		"INSERT INTO users (email) VALUES ('bob')", "INSERT INTO teams (name) VALUES ('Holiday')", "INSERT INTO team_members VALUES (1, 1)",
	)
	store := migrated(t, db, sqlstore.Options{Tables: []sqlstore.Table{{Type: "User", Name: "users", Key: "id", Columns: []sqlstore.Column{{Name: "email", Path: "userName"}}}}})
	resolver, err := store.RoleResolver(t.Context(), memberships())
	if err != nil {
		t.Fatal(err)
	}
	h := handler(t, scim.Config{Store: store, Roles: &scim.Roles{Resolver: resolver, Missing: scim.CreateRole}})
	want := func(when, want string) {
		t.Helper()
		if got := rows(t, db, "SELECT group_concat(team_id || ' ' || user_id, ', ' ORDER BY team_id, user_id) FROM team_members"); got != want {
			t.Errorf("%s: %s, want %s", when, got, want)
		}
	}
	group := id(request(t, h, http.StatusCreated, "POST", "/Groups", `{"displayName": "Holiday", "members": [{"value": "1"}]}`))
	want("a group of the same name has a team of its own", "1 1, 2 1")
	request(t, h, http.StatusNoContent, "DELETE", "/Groups/"+group, "")
	want("without the group", "1 1")
	if got := rows(t, db, "SELECT count(*) FROM teams"); got != "2" {
		t.Errorf("%s teams, want 2: a team outlives its group", got)
	}
}
