package sqlstore_test

import (
	"database/sql"
	"fmt"
	"testing"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/store/sqlstore"
)

// ownedRows counts the rows of a tenant in all tables of the package.
func ownedRows(t *testing.T, db *sql.DB, d sqlstore.Dialect, tenant string) (all []string) {
	t.Helper()
	tables := []string{"resources", "lookups", "members", "grants", "links", "notes", "stale", "shares"}
	if d != sqlstore.SQLite {
		tables = append(tables, "users")
	}
	for _, table := range tables {
		n := 0
		err := db.QueryRow(says(d, "SELECT count(*) FROM scim_"+table+" WHERE tenant = $1"), tenant).Scan(&n)
		if err != nil {
			t.Fatal(err)
		}
		if n > 0 {
			all = append(all, fmt.Sprint(table, " ", n))
		}
	}
	return all
}

// SCIM ends for a tenant, and nothing of it is left but the application's own rows. Another
// tenant has what it had. SCIM can begin again.
func TestEraseTenant(t *testing.T) {
	for _, isMapped := range []bool{false, true} {
		t.Run(map[bool]string{false: "own tables", true: "mapped"}[isMapped], func(t *testing.T) {
			databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
				makeApp(t, db, d)
				// The tables of a mapped store exist for both kinds, so that all are counted.
				newStore(t, db, d, appOptions("z"))
				shares := newShares(t, db, d)
				open := func(tenant string) *sqlstore.Store {
					o := sqlstore.Options{Tenant: tenant, KeepDeleted: true}
					if isMapped {
						o = appOptions(tenant)
					}
					return newStore(t, db, d, o)
				}
				fill := func(s *sqlstore.Store, name string) *scim.Handler {
					roles := testhost.NoRoles()
					roles.Put(scim.Role{ID: "R", Name: "R"})
					for _, tenant := range []string{"a", "b"} {
						if _, _, err := shares.Take(t.Context(), tenant, 1, 1); err != nil {
							t.Fatal(err)
						}
					}
					c := newClient(t, scim.Config{Store: s, Roles: &scim.Roles{Resolver: roles, Separate: true}})
					ann := c.do("POST", "/Users", fmt.Sprintf(`{"userName":"%[1]s@x.com","emails":[{"value":"%[1]s@x.com"}]}`, name), 201)["id"]
					c.do("POST", "/Groups", fmt.Sprintf(`{"displayName":"R","members":[{"value":"%s"}]}`, ann), 201)
					gone := c.do("POST", "/Users", fmt.Sprintf(`{"userName":"gone %s@x.com"}`, name), 201)["id"]
					c.do("DELETE", fmt.Sprint("/Users/", gone), "", 204)
					return c.sh
				}
				s, other := open("a"), open("b")
				fill(other, "ann")
				before := ownedRows(t, db, d, "b")
				for _, name := range []string{"ann", "bob"} { // it can begin again
					h := fill(s, name)
					endSCIM(t, h)
					for isLeft := true; isLeft; {
						var err error
						if isLeft, err = s.EraseTenant(t.Context(), 1); err != nil {
							t.Fatal(err)
						}
					}
					if left := ownedRows(t, db, d, "a"); len(left) > 0 {
						t.Errorf("left: %v", left)
					}
					if isMapped {
						execText(t, db, "UPDATE people SET first_name = 'x' WHERE org = 'a'") // no trigger notes it
						if left := ownedRows(t, db, d, "a"); len(left) > 0 {
							t.Errorf("left after a change in the application: %v", left)
						}
					}
					s = open("a")
				}
				if after := ownedRows(t, db, d, "b"); fmt.Sprint(after) != fmt.Sprint(before) {
					t.Errorf("the other tenant has %v, want %v", after, before)
				}
			})
		})
	}
}

// endSCIM ends SCIM.
func endSCIM(t *testing.T, h *scim.Handler) {
	t.Helper()
	roles, err := h.Reconciler(nil)
	if err != nil {
		t.Fatal(err)
	}
	for isDone := false; !isDone; {
		if isDone, err = roles.End(t.Context(), scim.EndRevoke); err != nil {
			t.Fatal(err)
		}
	}
}

func execText(t testing.TB, db *sql.DB, text string) {
	t.Helper()
	if _, err := db.Exec(text); err != nil {
		t.Fatal(err)
	}
}
