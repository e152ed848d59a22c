package doctest

import (
	"context"
	"database/sql"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/store/sqlstore"
)

// This file holds what docs/your-tables.md, docs/roles.md and docs/people.md say about rows
// that were there before SCIM.

// office is an application with rows from before SCIM.
type office struct {
	*testing.T
	db    *sql.DB
	h     *scim.Handler
	store *sqlstore.Store
}

// openOffice makes the office, with a mapping that edit may change.
func openOffice(t *testing.T, edit func(o *sqlstore.Options)) *office {
	t.Helper()
	db := database(t,
		`CREATE TABLE users (id integer PRIMARY KEY AUTOINCREMENT, email text NOT NULL UNIQUE, full_name text NOT NULL DEFAULT '', phone text,
			status text NOT NULL DEFAULT 'active', made_at text)`,
		"CREATE TABLE teams (id integer PRIMARY KEY AUTOINCREMENT, name text NOT NULL UNIQUE, gone_at timestamp)",
		"CREATE TABLE team_members (team_id bigint NOT NULL REFERENCES teams, user_id bigint NOT NULL REFERENCES users, PRIMARY KEY (team_id, user_id))",
		`CREATE TABLE roles (id integer PRIMARY KEY, name text NOT NULL UNIQUE, rank integer NOT NULL,
			protected boolean GENERATED ALWAYS AS (rank >= 100) VIRTUAL)`,
		"CREATE TABLE user_roles (user_id bigint NOT NULL, role_id bigint NOT NULL, given_by text NOT NULL, PRIMARY KEY (user_id, role_id))",
		"INSERT INTO users (email, full_name, phone) VALUES ('ann@example.com', 'Ann', '1'), ('bob@example.com', 'Bob', '2')",
		"INSERT INTO teams (name) VALUES ('Sales'), ('Support')",
		"INSERT INTO team_members VALUES (1, 1)",
		"INSERT INTO roles (id, name, rank) VALUES (1, 'Admin', 100), (2, 'Sales', 20), (3, 'Editor', 50)")
	o := sqlstore.Options{
		Tables: []sqlstore.Table{
			{Type: "User", Name: "users", Key: "id", Columns: []sqlstore.Column{
				email, {Name: "full_name", Path: "displayName", Empty: ""}, {Name: "phone", Path: "phoneNumbers.value", Of: "work"},
				sqlstore.ActiveWhen("status", "active", "locked"),
			}},
			{Type: "Group", Name: "teams", Key: "id", Columns: []sqlstore.Column{{Name: "name", Path: "displayName"}}},
		},
		Members: &sqlstore.Join{Name: "team_members", Group: "team_id", User: "user_id"},
	}
	if edit != nil {
		edit(&o)
	}
	store := migrated(t, db, o)
	resolver, err := rolesIn(t.Context(), store)
	if err != nil {
		t.Fatal(err)
	}
	c := adopting(store)
	c.Rules = []scim.Rule{store.Adopt(sqlstore.SamePerson, "User", "Group")}
	c.Roles = &scim.Roles{Resolver: resolver}
	return &office{t, db, handler(t, c), store}
}

// do sends a request and returns the answer.
func (o *office) do(status int, method, path, body string) string {
	o.Helper()
	return request(o.T, o.h, status, method, path, body).Body.String()
}

// want compares the texts that a query finds.
func (o *office) want(query, want string) {
	o.Helper()
	if got := rows(o.T, o.db, query); got != want {
		o.Errorf("%s: %q, want %q", query, got, want)
	}
}

func (o *office) exec(text string) {
	o.Helper()
	if _, err := o.db.ExecContext(o.Context(), text); err != nil {
		o.Fatal(err)
	}
}

// holders compares who holds which role.
func (o *office) holders(want string) {
	o.Helper()
	o.want("SELECT email || ' ' || name || ' ' || given_by FROM user_roles h JOIN users u ON u.id = user_id JOIN roles r ON r.id = role_id ORDER BY 1", want)
}

const columns = "SELECT email || ' ' || full_name || ' ' || coalesce(phone, '-') || ' ' || status FROM users WHERE id = 1"

// A PUT erases the columns of attributes that it does not name, but for active.
func TestPutErases(t *testing.T) {
	o := openOffice(t, nil)
	o.exec("UPDATE users SET status = 'locked' WHERE id = 1")
	o.do(http.StatusOK, "PUT", "/Users/1", `{"userName": "ann@example.com"}`)
	o.want(columns, "ann@example.com  - locked")

	o = openOffice(t, func(o *sqlstore.Options) { o.Tables[0].Columns[2].ReadOnly = true })
	const withPhone = `{"userName": "ann@example.com", "displayName": "Ann", "phoneNumbers": [{"type": "work", "value": "9"}]}`
	for _, body := range []string{`{"userName": "ann@example.com", "displayName": "Ann"}`, withPhone} {
		if got := o.do(http.StatusOK, "PUT", "/Users/1", body); !strings.Contains(got, `"value":"1","type":"work"`) {
			t.Errorf("a column that is read only: the client reads %s", got)
		}
		o.want(columns, "ann@example.com Ann 1 active")
	}

	o = openOffice(t, func(o *sqlstore.Options) {
		c := o.Tables[0].Columns
		o.Tables[0].Columns = append(c[:2:2], c[3])
	})
	if got := o.do(http.StatusOK, "PUT", "/Users/1", withPhone); !strings.Contains(got, `"value":"9"`) {
		t.Errorf("without a column the client reads %s", got)
	}
	o.want(columns, "ann@example.com Ann 1 active")
}

// A client that only spells an address in another way leaves the column alone. To writes a new one
// in lower case, and the client reads its own spelling.
func TestSpelling(t *testing.T) {
	o := openOffice(t, nil)
	if got := o.do(http.StatusCreated, "POST", "/Users", `{"userName": "Ann@Example.com"}`); !strings.Contains(got, `"userName":"Ann@Example.com"`) {
		t.Errorf("the client reads %s", got)
	}
	// The new user adopted the row, and what the client did not send is still there.
	o.want(columns, "ann@example.com Ann 1 active")

	o = openOffice(t, func(o *sqlstore.Options) { o.Tables[0].Columns[0].To = nil })
	o.do(http.StatusCreated, "POST", "/Users", `{"userName": "Ann@Example.com"}`)
	o.want(columns, "ann@example.com Ann 1 active")
	o.do(http.StatusOK, "PATCH", "/Users/1", `{"Operations":[{"op":"replace","path":"userName","value":"An@Example.com"}]}`)
	o.want(columns, "An@Example.com Ann 1 active")
}

// An element without a type is none of type work.
func TestOfType(t *testing.T) {
	o := openOffice(t, nil)
	const body = `{"userName": "cy@example.com", "phoneNumbers": [{"value": "3"}]}`
	if got := o.do(http.StatusCreated, "POST", "/Users", body); !strings.Contains(got, `"value":"3"`) {
		t.Errorf("the client reads %s", got)
	}
	o.want("SELECT coalesce(phone, '-') FROM users WHERE email = 'cy@example.com'", "-")

	o = openOffice(t, func(o *sqlstore.Options) { o.Tables[0].Columns[2].Of = "" })
	o.do(http.StatusCreated, "POST", "/Users", body)
	o.want("SELECT coalesce(phone, '-') FROM users WHERE email = 'cy@example.com'", "3")
}

// An adopted group keeps its members and gets those that the client sends.
func TestAdoptedMembers(t *testing.T) {
	const members = "SELECT email FROM users JOIN team_members ON user_id = id WHERE team_id = 1 ORDER BY 1"
	o := openOffice(t, nil)
	o.do(http.StatusCreated, "POST", "/Groups", `{"displayName": "Sales", "members": [{"value": "2"}]}`)
	o.want(members, "ann@example.com, bob@example.com")
	o.do(http.StatusOK, "PUT", "/Groups/1", `{"displayName": "Sales", "members": []}`)
	o.want(members, "ann@example.com")

	o = openOffice(t, nil)
	o.do(http.StatusCreated, "POST", "/Groups", `{"displayName": "Sales"}`)
	o.want(members, "ann@example.com")
}

// These are the texts that Created is read from. Another value is ignored.
func TestCreated(t *testing.T) {
	o := openOffice(t, nil)
	for text, want := range map[string]string{
		"'2001-09-09 01:46:40'": "2001-09-09T01:46:40Z", "'2001-09-09 01:46:40.25'": "2001-09-09T01:46:40.25Z",
		"'2001-09-09 01:46:40+02:00'": "2001-09-08T23:46:40Z", "'2001-09-09T01:46:40Z'": "2001-09-09T01:46:40Z",
		"1000000000": "", "'09/09/2001'": "",
	} {
		o.exec("UPDATE users SET made_at = " + text + " WHERE id = 1")
		store := migrated(t, o.db, sqlstore.Options{Prefix: "s" + strings.Map(func(r rune) rune {
			if r < '0' || r > '9' {
				return '_'
			}
			return r
		}, text) + "_", Tables: []sqlstore.Table{{Type: "User", Name: "users", Key: "id", Created: "made_at", Columns: []sqlstore.Column{email}}}})
		r, err := store.Get(t.Context(), scim.Ref{Type: "User", ID: "1"})
		if err != nil {
			t.Fatal(err)
		}
		created := r.Meta().Created
		if want == "" && time.Since(created) > time.Hour || want != "" && created.UTC().Format(time.RFC3339Nano) != want {
			t.Errorf("%s is read as %v, want %q", text, created, want)
		}
	}
}

// Deleting a group erases the team's row, adopted or not, unless it is retired.
func TestDeletedTeam(t *testing.T) {
	for _, keep := range []bool{false, true} {
		o := openOffice(t, func(o *sqlstore.Options) { o.KeepDeleted = keep })
		o.do(http.StatusCreated, "POST", "/Groups", `{"displayName": "Sales"}`)
		o.do(http.StatusNoContent, "DELETE", "/Groups/1", "")
		o.want("SELECT name FROM teams", "Support")
	}
	o := openOffice(t, func(o *sqlstore.Options) {
		o.Tables[1].Visible = "t.gone_at IS NULL"
		o.Tables[1].Retire = func(_ context.Context, _ *scim.Resource, now time.Time) map[string]any {
			return map[string]any{"gone_at": now}
		}
	})
	o.do(http.StatusForbidden, "DELETE", "/Groups/1", "")
	o.do(http.StatusCreated, "POST", "/Groups", `{"displayName": "Sales"}`)
	o.do(http.StatusNoContent, "DELETE", "/Groups/1", "")
	o.do(http.StatusNotFound, "GET", "/Groups/1", "")
	o.want("SELECT name FROM teams", "Sales, Support")
}

// A team that has the name of a role gives it from the first write of a client on, or after
// RolesChanged.
func TestTeamsFromBefore(t *testing.T) {
	o := openOffice(t, nil)
	roles := testhost.Must(o.h.Reconciler(nil))
	if err := roles.Users(t.Context(), "1"); err != nil {
		t.Fatal(err)
	}
	if err := repair(t.Context(), roles); err != nil {
		t.Fatal(err)
	}
	o.do(http.StatusOK, "PATCH", "/Users/1", `{"Operations": [{"op": "replace", "path": "displayName", "value": "Anna"}]}`)
	o.holders("")
	o.do(http.StatusNoContent, "PATCH", "/Groups/1", `{"Operations": [{"op": "add", "path": "members", "value": [{"value": "2"}]}]}`)
	o.holders("ann@example.com Sales scim, bob@example.com Sales scim")

	o = openOffice(t, nil)
	if err := testhost.Must(o.h.Reconciler(nil)).RolesChanged(t.Context()); err != nil {
		t.Fatal(err)
	}
	o.holders("ann@example.com Sales scim")
}

// A client that renames a group changes its role. The application does so when it renames
// the team and reports that.
func TestRename(t *testing.T) {
	o := openOffice(t, nil)
	rename := func(name string) {
		t.Helper()
		o.do(http.StatusNoContent, "PATCH", "/Groups/1", `{"Operations": [{"op": "replace", "path": "displayName", "value": "`+name+`"}]}`)
	}
	rename("Editor")
	o.holders("ann@example.com Editor scim")
	rename("Sales")
	o.holders("ann@example.com Sales scim")
	rename("Admin")
	o.holders("") // It is protected, and waits.
	if err := testhost.Must(o.h.Reconciler(nil)).Confirm(t.Context(), "1", scim.Role{ID: "1"}); err != nil {
		t.Fatal(err)
	}
	o.holders("ann@example.com Admin scim")
	rename("Nothing")
	o.holders("")

	rename("Editor")
	o.exec("UPDATE teams SET name = 'Sales' WHERE id = 1")
	if err := testhost.Must(o.h.Reconciler(nil)).RolesChanged(t.Context()); err != nil {
		t.Fatal(err)
	}
	o.holders("ann@example.com Sales scim")
}
