package doctest

import (
	"context"
	"database/sql"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	_ "modernc.org/sqlite"             // the driver "sqlite"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/store/sqlstore"
)

// What follows, up to the end marker, is in docs/getting-started.md and docs/roles.md.

func openPostgres() (*sqlstore.Store, error) {
	db, err := sql.Open("pgx", os.Getenv("DATABASE_URL")) // import _ "github.com/jackc/pgx/v5/stdlib"
	if err != nil {
		return nil, err
	}
	return sqlstore.New(db, sqlstore.Postgres, sqlstore.Options{})
}

func groupsGiveRoles(ctx context.Context, store *sqlstore.Store) (*scim.Roles, error) {
	resolver, err := store.RoleResolver(ctx, sqlstore.RoleTables{
		Roles: "roles", ID: "id", Name: "name",
		Holders: "user_roles", User: "user_id", Role: "role_id",
	})
	if err != nil {
		return nil, err
	}
	return &scim.Roles{Resolver: resolver}, nil
}

// The end of what the pages show.

// database opens an SQLite database with the tables that a page shows.
func database(t *testing.T, statements ...string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", sqlstore.SQLiteDSN(filepath.Join(t.TempDir(), "app.db")))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() }) //nolint:errcheck // the test is over
	for _, s := range statements {
		if _, err := db.Exec(s); err != nil {
			t.Fatalf("%v: %s", err, s)
		}
	}
	return db
}

// migrated returns a store over db, ready for use.
func migrated(t *testing.T, db *sql.DB, o sqlstore.Options) *sqlstore.Store {
	t.Helper()
	store, err := sqlstore.New(db, sqlstore.SQLite, o)
	if err == nil {
		err = store.Migrate(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// handler makes a Handler.
func handler(t *testing.T, c scim.Config) *scim.Handler {
	t.Helper()
	if c.Auth == nil {
		c.Auth = auth.None()
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	h, err := scim.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// request sends a request, and fails the test if the answer has another status.
func request(t *testing.T, h http.Handler, status int, method, path, body string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body)))
	if w.Code != status {
		t.Fatalf("%s %s: status %d, want %d: %s", method, path, w.Code, status, w.Body)
	}
	return w
}

// id returns the id of the resource that a request has created.
func id(w *httptest.ResponseRecorder) string { return filepath.Base(w.Header().Get("Location")) }

// rows returns the texts that a query with one column finds, joined.
func rows(t *testing.T, db *sql.DB, query string) string {
	t.Helper()
	list, err := db.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer list.Close() //nolint:errcheck // Err tells
	var all []string
	for list.Next() {
		var text string
		if err := list.Scan(&text); err != nil {
			t.Fatal(err)
		}
		all = append(all, text)
	}
	if err := list.Err(); err != nil {
		t.Fatal(err)
	}
	return strings.Join(all, ", ")
}

// The tables of docs/getting-started.md give roles to users in the library's own tables.
func TestGettingStarted(t *testing.T) {
	page, _ := blocks(t, "docs/getting-started.md")
	i := slices.IndexFunc(page, func(b block) bool { return b.language == "sql" })
	if i < 0 {
		t.Fatal("docs/getting-started.md has no tables")
	}
	db := database(t, page[i].text, "INSERT INTO roles (name) VALUES ('Editor')")
	store := migrated(t, db, sqlstore.Options{})
	roles, err := groupsGiveRoles(t.Context(), store)
	if err != nil {
		t.Fatal(err)
	}
	h := handler(t, scim.Config{Store: store, Roles: roles})
	ann := id(request(t, h, http.StatusCreated, "POST", "/Users", `{"userName": "ann@example.com"}`))
	request(t, h, http.StatusConflict, "POST", "/Users", `{"userName": "ANN@example.com"}`)
	group := `{"displayName": "Editor", "members": [{"value": "` + ann + `"}]}`
	editors := id(request(t, h, http.StatusCreated, "POST", "/Groups", group))
	if got := rows(t, db, "SELECT user_id FROM user_roles"); got != ann {
		t.Errorf("%q have the role, want %q", got, ann)
	}
	request(t, h, http.StatusNoContent, "DELETE", "/Groups/"+editors, "")
	if got := rows(t, db, "SELECT user_id FROM user_roles"); got != "" {
		t.Errorf("%q have the role after the group was deleted", got)
	}
	if _, err := openPostgres(); err != nil {
		t.Error(err)
	}
}
