package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/scimkit/scim/store/sqlstore"
)

// TestBudgets deletes a group of 50,000 members that gives a role, in one request. Users,
// teams and roles are in tables of the application. The test takes minutes and needs a
// quiet machine. Set SCIM_BUDGETS to run it, as .ci/long does.
func TestBudgets(t *testing.T) {
	if os.Getenv("SCIM_BUDGETS") == "" {
		t.Skip("SCIM_BUDGETS is not set")
	}
	t.Run("SQLite", func(t *testing.T) { deleteBudget(t, "sqlite:"+filepath.Join(t.TempDir(), "app.db")) })
	t.Run("PostgreSQL", func(t *testing.T) { deleteBudget(t, postgres.DSN(t)) })
}

func deleteBudget(t *testing.T, where string) {
	const n = 50_000
	db, d, err := open(where)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close() //nolint:errcheck // the test is over
	if err := install(t.Context(), db, d); err != nil {
		t.Fatal(err)
	}
	series := "generate_series(1, 50000) AS g(n)"
	if d == sqlstore.SQLite {
		series = "(WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 50000) SELECT n FROM s) AS g"
	}
	if _, err := db.Exec("INSERT INTO users (email, full_name) SELECT 'user' || n || '@example.com', 'User ' || n FROM " + series); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	h, _, err := withSCIM(t.Context(), http.NotFoundHandler(), db, d, "secret")
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s: the first Migrate: %.0f users a second", t.Name(), n/time.Since(start).Seconds())
	count := func(query string) (n int) {
		if err := db.QueryRow(query).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	first := count("SELECT min(id) FROM users WHERE email LIKE 'user%'")
	members := make([]string, n)
	for i := range members {
		members[i] = fmt.Sprintf(`{"value":"%d"}`, first+i)
	}
	body := `{"displayName":"Editor","members":[` + strings.Join(members, ",") + `]}`
	timed := func(method, path, body string, status, after int) (time.Duration, string) {
		w, r := httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), method, "/scim/v2"+path, strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer secret")
		start := time.Now()
		h.ServeHTTP(w, r)
		took := time.Since(start)
		held, joined := count("SELECT count(*) FROM user_roles WHERE role_id = 2"), count("SELECT count(*) FROM team_members WHERE user_id >= "+fmt.Sprint(first))
		if w.Code != status || held != after || joined != after {
			t.Fatalf("%s %s: %d %.200s; %d hold the role, %d are in the team", method, path, w.Code, w.Body, held, joined)
		}
		return took, w.Header().Get("Location")
	}
	var made, gone []time.Duration
	for range 5 {
		took, location := timed(http.MethodPost, "/Groups?attributes=displayName", body, http.StatusCreated, n)
		made = append(made, took)
		took, _ = timed(http.MethodDelete, location[strings.Index(location, "/Groups/"):], "", http.StatusNoContent, 0)
		gone = append(gone, took)
	}
	slices.Sort(made)
	slices.Sort(gone)
	t.Logf("%s: delete a group of 50,000: %v of at most 2s (making it: %v)", t.Name(), gone[2], made[2])
	if gone[2] > 2*time.Second {
		t.Errorf("it takes %v", gone[2])
	}
}
