package sqlstore_test

import (
	"testing"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore"
)

// The mapping moves to another table of memberships, and back (a deployment that is rolled back).
func TestMappedJoinMovesBack(t *testing.T) {
	inApp(t, appOptions("o"), func(a app) {
		a.exec("CREATE TABLE new_members (team bigint, person bigint)")
		a.exec("INSERT INTO new_members VALUES (1, 2)")
		a.want("members", []string{"1"}, a.members("1"))
		moved := appOptions("o")
		moved.Members = &sqlstore.Join{Name: "new_members", Group: "team", User: "person"}
		a.s = newStore(a.t, a.db, a.d, moved)
		a.want("members", []string{"2"}, a.members("1"))
		a.s = newStore(a.t, a.db, a.d, appOptions("o"))
		a.want("members, of the table of before", []string{"1"}, a.members("1"))
		a.exec("UPDATE people SET first_name = 'z'")
		a.want("members, of the table of before", []string{"1"}, a.members("1"))
	})
}

// A table that is mapped no more has no triggers, so that the application can alter it.
func TestMappedTriggersLeft(t *testing.T) {
	inApp(t, appOptions("o"), func(a app) {
		o := appOptions("o")
		o.Tables[0].Children = nil
		a.s = newStore(a.t, a.db, a.d, o)
		// The mapping says nothing of this table any more.
		a.exec("ALTER TABLE people_emails RENAME COLUMN person_id TO owner_id")
		a.exec("INSERT INTO people_emails (owner_id, address) VALUES (2, 'x')")
	})
}

// The same with a mapped attribute: back to the mapping of before.
func TestMappedChildBack(t *testing.T) {
	inApp(t, appOptions("o"), func(a app) {
		a.exec("INSERT INTO people_emails (person_id, address) VALUES (2, 'old@x.com')")
		a.want("emails", "old@x.com", a.get("User", "2").Primary("emails"))
		o := appOptions("o")
		o.Tables[0].Children = nil
		a.s = newStore(a.t, a.db, a.d, o)
		a.update("2", map[string]any{"emails": []any{map[string]any{"value": "client@x.com"}}})
		a.exec("UPDATE people_emails SET address = 'new@x.com'")
		a.want("emails, without a table", "client@x.com", a.get("User", "2").Primary("emails"))
		a.s = newStore(a.t, a.db, a.d, appOptions("o"))
		a.want("emails", "new@x.com", a.get("User", "2").Primary("emails"))
	})
}

// A column that is mapped later, and is NULL, takes away nothing that clients wrote.
func TestMappedColumnAdded(t *testing.T) {
	inApp(t, appOptions("o"), func(a app) {
		a.exec("UPDATE people SET status = 'active'")
		o := appOptions("o")
		o.Tables[0].Columns = append(o.Tables[0].Columns[:3:3], o.Tables[0].Columns[4:]...) // active has no column yet
		a.s = newStore(a.t, a.db, a.d, o)
		c := newClient(a.t, scim.Config{Store: a.s})
		c.do("PATCH", "/Users/2", `{"Operations":[{"op":"replace","value":{"active":false,"title":"Chief"}}]}`, 200)
		a.want("active", false, a.get("User", "2").Active())
		a.exec("ALTER TABLE people ADD COLUMN job text")
		o = appOptions("o")
		o.Tables[0].Columns = append(o.Tables[0].Columns, sqlstore.Column{Name: "job", Path: "title"})
		a.s = newStore(a.t, a.db, a.d, o)
		a.want("title", "Chief", a.get("User", "2").String("title"))
		a.want("active", false, a.get("User", "2").Active())
	})
}

// From is corrected: Reindex reads the column as it says now.
func TestMappedFromChanged(t *testing.T) {
	o := appOptions("o")
	o.Tables[0].Columns[3] = sqlstore.Column{Name: "status", Path: "active", Empty: "active",
		To:   func(v any) (any, error) { return map[any]any{true: "active", false: "suspended"}[v], nil },
		From: func(v any) (any, error) { return v != "suspended", nil }} // forgot that there is "banned"
	inApp(t, o, func(a app) {
		a.exec("UPDATE people SET status = 'banned' WHERE id = 2")
		a.want("active, by the first version of the mapping", true, a.get("User", "2").Active())
		a.s = newStore(a.t, a.db, a.d, appOptions("o")) // ActiveWhen("status", "active", "suspended")
		if err := a.s.Reindex(a.t.Context()); err != nil {
			a.t.Fatal(err)
		}
		a.want("active after Reindex", false, a.get("User", "2").Active())
		a.want("found as active", []string(nil), find(a.t, a.s, `id eq "2" and active eq true`))
	})
}
