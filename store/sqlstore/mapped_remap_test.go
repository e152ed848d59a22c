package sqlstore_test

import (
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

