package crashtest

import (
	"database/sql"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/scimkit/scim/store/sqlstore"
)

// TestKillUnfinished kills a process between the store's commit and the change of roles that
// are in another database. Another process lists what is unfinished, and completes it by
// Settle or by the repeated request.
func TestKillUnfinished(t *testing.T) {
	for _, place := range []string{"SQLite", "PostgreSQL"} {
		for _, by := range []string{"Settle", "repetition"} {
			t.Run(place+"/"+by, func(t *testing.T) {
				file := filepath.Join(t.TempDir(), "roles.db")
				var d *database
				if place == "SQLite" {
					d = openDatabase(t, filepath.Join(t.TempDir(), "scim.db"), false, false)
				} else {
					d = onPostgres(t, false)
				}
				d.elsewhere = file
				killUnfinished(t, d, by == "Settle")
			})
		}
	}
}

func killUnfinished(t *testing.T, d *database, settles bool) {
	p := d.start(t)
	c := newClient(t, p)
	roles, err := sql.Open("sqlite", sqlstore.SQLiteDSN(d.elsewhere))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { roles.Close() }) //nolint:errcheck // the test is over
	created := func(path string, body object) string {
		t.Helper()
		a := c.do(http.MethodPost, path, body)
		if a.status != http.StatusCreated {
			t.Fatalf("POST %s: %d %s", path, a.status, a.body)
		}
		return a.id()
	}
	user := created("/scim/Users", object{"userName": "ann"})
	group := created("/scim/Groups", object{"displayName": "Editor"})
	op := func(op object) object { return object{"Operations": []object{op}} }
	for _, test := range []struct {
		name string
		op   object
		want string
	}{
		{"an add", object{"op": "add", "path": "members", "value": []object{{"value": user}}}, "Editor"},
		{"a rename", object{"op": "replace", "path": "displayName", "value": "Viewer"}, "Viewer"},
		{"a rename to a name without a role", object{"op": "replace", "path": "displayName", "value": "nothing"}, ""},
		{"a rename back", object{"op": "replace", "path": "displayName", "value": "Editor"}, "Editor"},
		{"a removal", object{"op": "remove", "path": "members"}, ""},
	} {
		body := op(test.op)
		c.do(http.MethodPost, "/hang", nil)
		done := make(chan struct{})
		go func() {
			defer close(done)
			c.do(http.MethodPatch, "/scim/Groups/"+group, body) // no answer comes
		}()
		for end := time.Now().Add(time.Minute); string(c.do(http.MethodGet, "/hangs", nil).body) != "true"; pause() {
			if time.Now().After(end) {
				t.Fatalf("%s: ChangeRoles is not called", test.name)
			}
		}
		dead := p
		dead.kill(t)
		<-done
		p = d.start(t)
		d.quiet(t, dead)
		c.use(p)
		if got := string(c.do(http.MethodGet, "/pending", nil).body); got != "unfinished "+group+"\n" {
			t.Errorf("%s: pending after the kill: %q", test.name, got)
		}
		if settles {
			if a := c.do(http.MethodPost, "/settle", nil); a.status != http.StatusOK {
				t.Errorf("%s: Settle: %d %s", test.name, a.status, a.body)
			}
		} else if a := c.do(http.MethodPatch, "/scim/Groups/"+group, body); a.status != http.StatusNoContent {
			t.Errorf("%s, again: %d %s", test.name, a.status, a.body)
		}
		var held []string
		err := rows(roles, func(scan func(...any) error) error {
			var role string
			err := scan(&role)
			held = append(held, role)
			return err
		}, "SELECT role FROM held")
		if got := strings.Join(held, " "); got != test.want || err != nil {
			t.Errorf("%s: the user holds %q, error %v, want %q", test.name, got, err, test.want)
		}
		if got := string(c.do(http.MethodGet, "/pending", nil).body); got != "" {
			t.Errorf("%s: still pending: %q", test.name, got)
		}
	}
}
