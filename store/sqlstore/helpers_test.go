package sqlstore_test

import (
	"database/sql"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/sqlitetest"
	"github.com/scimkit/scim/store/sqlstore"
)

// relaxed is a new SQLite database that does not wait for the disk.
func relaxed(t testing.TB) *sql.DB {
	t.Helper()
	db, err := sql.Open(sqlitetest.Driver, relaxedDSN(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() }) //nolint:errcheck // the test is over
	return db
}

func relaxedDSN(t testing.TB) string {
	t.Helper()
	return sqlitetest.FastDSN(filepath.Join(t.TempDir(), "scim.db"))
}

// newDSN is the data source name of a new database.
func newDSN(t testing.TB, d sqlstore.Dialect) string {
	t.Helper()
	switch d {
	case sqlstore.Postgres:
		return postgres.DSN(t)
	case sqlstore.MariaDB:
		return mariadb.DSN(t)
	}
	return relaxedDSN(t)
}

func user(t testing.TB, userName string, more map[string]any) *scim.Resource {
	t.Helper()
	v := map[string]any{"userName": userName}
	for path, x := range more {
		v[path] = x
	}
	return bind(t, scim.UserType(), v)
}

func group(t testing.TB, displayName string) *scim.Resource {
	t.Helper()
	return bind(t, scim.GroupType(), map[string]any{"displayName": displayName})
}

func bind(t testing.TB, typ *scim.ResourceType, v map[string]any) *scim.Resource {
	t.Helper()
	now := time.Now()
	r, err := typ.Bind(scim.Meta{ID: uuid.Must(uuid.NewV7()).String(), Created: now, LastModified: now}, nil, v)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func create(t testing.TB, s scim.Store, r *scim.Resource) *scim.Resource {
	t.Helper()
	made, err := s.Create(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// find lists the users that a filter matches, by name, in order of creation.
func find(t testing.TB, s scim.Store, filter string) []string {
	t.Helper()
	f, err := scim.ParseFilter(scim.UserType(), filter)
	if err != nil {
		t.Fatal(err)
	}
	page, err := s.List(t.Context(), scim.UserType(), &scim.Query{Filter: f, Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, r := range page.Resources {
		all = append(all, r.String("userName"))
	}
	return all
}

func names(t testing.TB, s scim.Store) []string {
	t.Helper()
	return find(t, s, `userName pr`)
}

func conflict(err error) bool {
	var e *scim.Error
	return errors.As(err, &e) && e.Type == "uniqueness"
}

// serve makes a request and returns status and answer.
func serve(t testing.TB, h http.Handler, method, path, body string) (int, map[string]any) {
	t.Helper()
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/scim+json")
	h.ServeHTTP(w, r)
	var answer map[string]any
	if w.Body.Len() > 0 {
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
			t.Fatalf("%s %s: %v: %s", method, path, err, w.Body)
		}
	}
	return w.Code, answer
}

// reconciler is the handle on the roles of a handler's one tenant.
func reconciler(h *scim.Handler) *scim.Reconciler {
	r, err := h.Reconciler(nil)
	if err != nil {
		panic(err)
	}
	return r
}
