package doctest

import (
	"context"
	"database/sql"
	"html"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/scimkit/scim/auth/tokens"
	"github.com/scimkit/scim/console"
	"github.com/scimkit/scim/internal/sqlitetest"
	"github.com/scimkit/scim/journal"
	"github.com/scimkit/scim/store/sqlstore"
)

// TestApplicationWithConsole provisions the application of docs/console.md as Okta does, and reads its console: each part
// that the example gives to the console must be there.
func TestApplicationWithConsole(t *testing.T) {
	db, err := sql.Open(sqlitetest.Driver, sqlitetest.FastDSN(filepath.Join(t.TempDir(), "app.db")))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close() //nolint:errcheck // the test is over
	_, err = db.Exec(`CREATE TABLE users (id integer PRIMARY KEY AUTOINCREMENT, email text NOT NULL UNIQUE, status text NOT NULL DEFAULT 'active');
		CREATE TABLE roles (id integer PRIMARY KEY, name text NOT NULL UNIQUE, protected boolean NOT NULL DEFAULT FALSE);
		CREATE TABLE user_roles (user_id integer NOT NULL, role_id integer NOT NULL, PRIMARY KEY (user_id, role_id));
		INSERT INTO roles (name, protected) VALUES ('Admin', TRUE), ('Viewer', FALSE)`)
	if err != nil {
		t.Fatal(err)
	}
	store, err := sqlstore.New(db, sqlstore.SQLite, sqlstore.Options{Tables: []sqlstore.Table{{Type: "User", Name: "users", Key: "id",
		Columns: []sqlstore.Column{{Name: "email", Path: "userName"}, sqlstore.ActiveWhen("status", "active", "locked")}}}})
	if err == nil {
		err = store.Migrate(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	resolver, err := store.RoleResolver(t.Context(), sqlstore.RoleTables{Roles: "roles", ID: "id", Name: "name", Protected: "protected",
		Holders: "user_roles", User: "user_id", Role: "role_id"})
	if err != nil {
		t.Fatal(err)
	}
	all, err := openTokens(t.Context(), db, sqlstore.SQLite)
	if err != nil {
		t.Fatal(err)
	}
	secret, _, err := all.Tenant("").Issue(t.Context(), tokens.Request{Label: "Okta", Maker: "ann"})
	if err != nil {
		t.Fatal(err)
	}
	j, err := journal.New(journal.NewMemory(1<<20), journal.Options{Keys: journal.NewEphemeralKeys()})
	if err != nil {
		t.Fatal(err)
	}
	viewer := console.Viewer{ID: "ann", Tenants: []string{""}, May: console.May{Tokens: true, Roles: true, Bodies: true}}
	app, roles, err := withConsole(store, resolver, all, j, http.NewServeMux(), func(*http.Request) (console.Viewer, error) { return viewer, nil })
	if err != nil {
		t.Fatal(err)
	}
	go j.Run(context.WithoutCancel(t.Context())) //nolint:errcheck // Close waits for it
	send := func(method, path, body string) string {
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+secret)
		r.Header.Set("Content-Type", "application/scim+json")
		w := httptest.NewRecorder()
		app.ServeHTTP(w, r)
		if w.Code >= 300 {
			t.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
		}
		return html.UnescapeString(w.Body.String())
	}
	send("POST", "/scim/v2/Users", `{"userName": "ada@example.com", "externalId": "00u", "active": true, "password": "x9-K"}`)
	for _, group := range []string{"Viewer", "Admin"} {
		send("POST", "/scim/v2/Groups", `{"displayName": "`+group+`", "members": [{"value": "1"}]}`)
	}
	if err := j.Close(t.Context()); err != nil { // all entries are written
		t.Fatal(err)
	}
	held, err := roles.Explain(t.Context(), "1")
	if err != nil || len(held) != 2 {
		t.Errorf("the roles of the person: %v %v", held, err)
	}
	for path, want := range map[string]string{
		"":                   "1 decision about roles waits for you", // Roles
		"groups":             "waits for a confirmation",             // Links
		"groups?":            `value="confirm"`,                      // Roles, with May.Roles
		"people/1":           "the role is protected",                // Roles and Directory
		"connection":         "Test the endpoint",                    // Endpoint and Tokens
		"activity?f=changes": "ada@example.com joins Admin",          // Journal
	} {
		if page := send("GET", "/provisioning/"+path, ""); !strings.Contains(page, want) {
			t.Errorf("/provisioning/%s has no %q: %s", path, want, page)
		}
	}
	entry := regexp.MustCompile(`activity/[0-9a-f-]{36}`).FindString(send("GET", "/provisioning/activity?f=changes", ""))
	if page := send("GET", "/provisioning/"+entry, ""); !strings.Contains(page, "without changing anything") { // Preview
		t.Errorf("the page of a request does not offer to try it again: %s", page)
	}
}
