package doctest

import (
	"context"
	"database/sql"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore"
)

// members maps the members of an organisation. mayJoin is below.
func members(mayJoin func(context.Context, *scim.Resource) (any, error)) sqlstore.Table {
	return sqlstore.Table{
		Type: "User", Name: "org_members", Key: "user_id", Tenant: "org_id", Visible: "t.status <> 'left'",
		Columns: []sqlstore.Column{sqlstore.ActiveWhen("status", "active", "suspended")},
		Beside: []sqlstore.Beside{{
			Name: "users", Key: "id", Ref: "user_id", Shared: true, Find: mayJoin,
			Columns: []sqlstore.Column{{Name: "email", Path: "userName"}, {Name: "name", Path: "displayName"}},
		}},
		Retire: func(context.Context, *scim.Resource, time.Time) map[string]any {
			return map[string]any{"status": "left"}
		},
		Revive: func(context.Context, *scim.Resource) map[string]any { return map[string]any{"status": "active"} },
	}
}

// invited finds people whom the organisation has invited.
func invited(db *sql.DB, org string) func(ctx context.Context, r *scim.Resource) (any, error) {
	return func(ctx context.Context, r *scim.Resource) (any, error) {
		var id int64
		err := sqlstore.Tx(ctx, db).QueryRowContext(ctx, `SELECT u.id FROM users u JOIN invitations i ON i.user_id = u.id
			WHERE lower(u.email) = lower($1) AND i.org_id = $2`, r.String("userName"), org).Scan(&id)
		if errors.Is(err, sql.ErrNoRows) {
			return nil, nil
		}
		return id, err
	}
}

var withAccounts = sqlstore.Table{
	Type: "User", Name: "people", Key: "id",
	Columns: []sqlstore.Column{{Name: "name", Path: "displayName"}},
	Beside: []sqlstore.Beside{{
		Name: "accounts", Key: "person_id",
		Columns: []sqlstore.Column{{Name: "login", Path: "userName"}, sqlstore.ActiveWhen("disabled", false, true)},
		Insert:  func(context.Context, *scim.Resource) map[string]any { return map[string]any{"secret": "!"} },
	}},
}

var principals = []sqlstore.Table{
	{Type: "User", Name: "principals", Key: "id", Visible: "t.kind = 'user'", Insert: kind("user"),
		Columns: []sqlstore.Column{{Name: "name", Path: "userName"}}},
	{Type: "Group", Name: "principals", Key: "id", Visible: "t.kind = 'group'", Insert: kind("group"),
		Columns: []sqlstore.Column{{Name: "name", Path: "displayName"}}},
}

// kind returns an Insert that sets the kind of a new row.
func kind(kind string) func(context.Context, *scim.Resource) map[string]any {
	return func(context.Context, *scim.Resource) map[string]any { return map[string]any{"kind": kind} }
}

var throughView = sqlstore.Table{
	Type: "User", Name: "staff", Key: "id", KeepID: true,
	Columns: []sqlstore.Column{{Name: "login", Path: "userName"}},
	Beside:  []sqlstore.Beside{{Name: "persons", Key: "id"}, {Name: "logins", Key: "person_id"}},
}

const peopleTables = "CREATE TABLE users (id integer PRIMARY KEY AUTOINCREMENT, email text NOT NULL UNIQUE, name text)"

// newUser is the body of a request that creates a user.
const newUser = `{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ann@example.com", "displayName": "Anna"}`

func TestShapeOrganisations(t *testing.T) {
	db := database(t, peopleTables,
		"CREATE TABLE org_members (org_id text NOT NULL, user_id integer NOT NULL REFERENCES users (id), status text NOT NULL, PRIMARY KEY (user_id, org_id))",
		"CREATE TABLE invitations (user_id integer NOT NULL, org_id text NOT NULL)",
		"INSERT INTO users (email, name) VALUES ('ann@example.com', 'Ann')", "INSERT INTO org_members VALUES ('other', 1, 'active')")
	h := handler(t, adopting(migrated(t, db, sqlstore.Options{Tenant: "o", Tables: []sqlstore.Table{members(invited(db, "o"))}})))
	request(t, h, http.StatusConflict, "POST", "/Users", newUser)
	if _, err := db.Exec("INSERT INTO invitations VALUES (1, 'o')"); err != nil {
		t.Fatal(err)
	}
	request(t, h, http.StatusCreated, "POST", "/Users", newUser)
	request(t, h, http.StatusNoContent, "DELETE", "/Users/1", "")
	if _, err := db.Exec("DELETE FROM invitations"); err != nil {
		t.Fatal(err)
	}
	if got := request(t, h, http.StatusCreated, "POST", "/Users", newUser).Body.String(); !strings.Contains(got, "Anna") {
		t.Errorf("Ann comes back as %s", got)
	}
	if got := rows(t, db, "SELECT name || ' ' || org_id || ' ' || status FROM users JOIN org_members ON user_id = id ORDER BY org_id"); got != "Ann o active, Ann other active" {
		t.Errorf("rows %q", got)
	}
}

func TestShapeAccounts(t *testing.T) {
	db := database(t, "CREATE TABLE people (id integer PRIMARY KEY AUTOINCREMENT, name text)",
		"CREATE TABLE accounts (person_id integer PRIMARY KEY REFERENCES people (id), login text NOT NULL UNIQUE, disabled boolean NOT NULL, secret text NOT NULL)")
	h := handler(t, scim.Config{Store: migrated(t, db, sqlstore.Options{Tables: []sqlstore.Table{withAccounts}})})
	request(t, h, http.StatusCreated, "POST", "/Users", newUser)
	request(t, h, http.StatusOK, "PATCH", "/Users/1", `{"Operations": [{"op": "replace", "value": {"active": false}}]}`)
	if got := rows(t, db, "SELECT name || ' ' || login || ' ' || secret FROM people JOIN accounts ON person_id = id WHERE disabled"); got != "Anna ann@example.com !" {
		t.Errorf("rows %q", got)
	}
	request(t, h, http.StatusNoContent, "DELETE", "/Users/1", "")
	if got := rows(t, db, "SELECT (SELECT count(*) FROM people) || ' ' || (SELECT count(*) FROM accounts)"); got != "0 0" {
		t.Errorf("%s rows are left", got)
	}
}

func TestShapePrincipals(t *testing.T) {
	db := database(t, "CREATE TABLE principals (id integer PRIMARY KEY AUTOINCREMENT, kind text NOT NULL, name text NOT NULL UNIQUE)")
	h := handler(t, scim.Config{Store: migrated(t, db, sqlstore.Options{Tables: principals, UniqueIDs: true})})
	request(t, h, http.StatusCreated, "POST", "/Users", newUser)
	request(t, h, http.StatusCreated, "POST", "/Groups", `{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Sales"}`)
	if got := rows(t, db, "SELECT kind || ' ' || name FROM principals ORDER BY id"); got != "user ann@example.com, group Sales" {
		t.Errorf("rows %q", got)
	}
}

func TestShapeView(t *testing.T) {
	db := database(t, "CREATE TABLE persons (id text PRIMARY KEY)", "CREATE TABLE logins (person_id text PRIMARY KEY REFERENCES persons (id), login text NOT NULL UNIQUE)",
		"CREATE VIEW staff AS SELECT p.id, l.login FROM persons p JOIN logins l ON l.person_id = p.id",
		"CREATE TRIGGER staff_insert INSTEAD OF INSERT ON staff BEGIN INSERT INTO persons VALUES (NEW.id); INSERT INTO logins VALUES (NEW.id, NEW.login); END")
	h := handler(t, scim.Config{Store: migrated(t, db, sqlstore.Options{Tables: []sqlstore.Table{throughView}})})
	request(t, h, http.StatusCreated, "POST", "/Users", newUser)
	if _, err := db.Exec("UPDATE logins SET login = 'anna'"); err != nil {
		t.Fatal(err)
	}
	if got := request(t, h, http.StatusOK, "GET", "/Users?filter=userName+eq+%22anna%22", "").Body.String(); !strings.Contains(got, `"totalResults":1`) {
		t.Errorf("the new login is not found: %s", got)
	}
}
