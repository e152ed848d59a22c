package crashtest

import (
	"database/sql"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/scimkit/scim/store/sqlstore"
)

// Roles are in another database than the ledger. The process dies while an administrator
// gives a role by hand that a group gives too, or takes one. A role given by hand must never
// be without its mark.
func TestKillByHand(t *testing.T) {
	for _, tt := range []struct {
		name, given, path, die string
		held, marked           bool // after the crash
		end                    bool // the role is held after the group let go
	}{
		{"given, before the statement", "", "/give", "before", true, true, true},
		{"given, after the statement", "", "/give", "after", true, true, true},
		{"taken, before the statement", "by hand only", "/take", "before", true, false, true},
		{"taken, after the statement", "by hand only", "/take", "after", false, false, false},
		{"taken, but the group gives it", "by hand too", "/take", "before", true, false, false}, // no statement, so no crash
	} {
		t.Run(tt.name, func(t *testing.T) {
			for name, open := range map[string]func(t *testing.T) *database{
				"SQLite": func(t *testing.T) *database {
					return openDatabase(t, filepath.Join(t.TempDir(), "scim.db"), false, false)
				},
				"PostgreSQL": func(t *testing.T) *database { return onPostgres(t, false) },
			} {
				t.Run(name, func(t *testing.T) { byHandThenKill(t, open(t), tt.given, tt.path, tt.die, tt.held, tt.marked, tt.end) })
			}
		})
	}
}

func byHandThenKill(t *testing.T, d *database, given, path, die string, held, marked, end bool) {
	d.elsewhere = filepath.Join(t.TempDir(), "roles.db")
	p := d.start(t)
	c := newClient(t, p)
	must := func(a answer, want int) answer {
		t.Helper()
		if a.status != want {
			t.Fatalf("%d %s, want %d", a.status, a.body, want)
		}
		return a
	}
	user := must(c.do(http.MethodPost, "/scim/Users", object{"userName": "ann"}), 201).id()
	members := []object{{"value": user}}
	if given == "by hand only" {
		members = []object{}
	}
	form := "?" + url.Values{"user": {user}, "role": {"Editor"}}.Encode()
	if given != "" {
		must(c.do(http.MethodPost, "/give"+form, nil), 200)
	}
	group := must(c.do(http.MethodPost, "/scim/Groups", object{"displayName": "Editor", "members": members}), 201).id()

	a := c.do(http.MethodPost, path+form+"&die="+die, nil)
	if isStill := strings.Contains(string(a.body), group); isStill != (given == "by hand too") || !isStill && !a.doubtful() {
		t.Errorf("%s answers %d %s", path, a.status, a.body)
	}
	p.kill(t)
	d.quiet(t, p)
	roles, err := sql.Open("sqlite", sqlstore.SQLiteDSN(d.elsewhere))
	if err != nil {
		t.Fatal(err)
	}
	defer roles.Close() //nolint:errcheck // the test is over
	want := func(when string, held, marked bool) {
		t.Helper()
		for what, n := range map[string]bool{"held": held, "marked": marked} {
			db, query := roles, "SELECT count(*) FROM held WHERE role = 'Editor' AND user_id = $1"
			if what == "marked" {
				db, query = d.db, "SELECT count(*) FROM scim_grants WHERE role_id = 'Editor' AND by_hand = 1 AND user_id = $1"
			}
			var got int
			if err := db.QueryRow(query, user).Scan(&got); err != nil || (got == 1) != n {
				t.Errorf("%s: %s is %d, error %v, want %t", when, what, got, err, n)
			}
		}
	}
	want("after the crash", held, marked)

	c.use(d.start(t))
	must(c.do(http.MethodPost, "/reconcile", nil), 200)
	want("after the reconciliation", held, marked)
	must(c.do(http.MethodPatch, "/scim/Groups/"+group, object{"Operations": []object{
		{"op": "remove", "path": fmt.Sprintf("members[value eq %q]", user)}}}), 204)
	want("after the group let go", end, false)
}
