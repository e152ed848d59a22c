package sqlstore_test

import (
	"database/sql"
	"errors"
	"testing"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore"
)

// Two Stores with tables of their own over the same tables of the application.
func TestMappedPrefixes(t *testing.T) {
	inApp(t, appOptions("o"), func(a app) {
		o := appOptions("o")
		o.Prefix = "other_"
		other := app{t: a.t, db: a.db, d: a.d, s: newStore(a.t, a.db, a.d, o)}
		if _, _, err := a.s.ChangeMembers(a.t.Context(), "1", []scim.Ref{{Type: "User", ID: "2"}}, []scim.Ref{{Type: "User", ID: "1"}}); err != nil {
			a.t.Fatal(err)
		}
		other.want("what the other one sees", []string{"2"}, other.members("1"))
	})
}

// What was stored before its type had a Table is in nobody's way.
func TestMappedFromOwnTables(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		makeApp(t, db, d)
		former := create(t, newStore(t, db, d, sqlstore.Options{Tenant: "o"}), user(t, "former@example.com", nil))
		a := app{t: t, db: db, d: d, s: newStore(t, db, d, appOptions("o"))}
		a.exec("INSERT INTO people (org, email) VALUES ('o', 'ann@example.com')")
		if err := a.s.Reindex(t.Context()); err != nil {
			t.Error(err)
		}
		a.get("User", "1")
		_, err := a.s.Update(t.Context(), former.Ref(), func(r *scim.Resource) (*scim.Resource, error) { return r.With(map[string]any{"nickName": "n"}) })
		if !errors.Is(err, scim.ErrNotFound) {
			t.Errorf("update of a resource that the application does not have: error %v", err)
		}
	})
}
