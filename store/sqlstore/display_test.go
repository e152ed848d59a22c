package sqlstore_test

import (
	"database/sql"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore"
)

// Rows of tables from before the column display show the same names, until they are
// written again, and afterwards.
func TestDisplayOfOlderRows(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		s := newStore(t, db, d, sqlstore.Options{})
		g := create(t, s, group(t, "Everybody"))
		want := map[string]string{}
		var all []scim.Ref
		for i, v := range []map[string]any{
			{"displayName": "Ann"}, {"displayName": `"<\\Ä>" {}`}, {"displayName": "\u2028\\u0000{"}, {"displayName": ""}, nil,
		} {
			name := string(rune('a'+i)) + "@example.com"
			u := create(t, s, user(t, name, v))
			all, want[u.ID()] = append(all, u.Ref()), name
			if display := u.String("displayName"); display != "" {
				want[u.ID()] = display
			}
		}
		inner, nameless := create(t, s, group(t, "Inner")), create(t, s, group(t, ""))
		all = append(all, inner.Ref(), nameless.Ref())
		want[inner.ID()], want[nameless.ID()] = "Inner", ""
		if _, _, err := s.ChangeMembers(t.Context(), g.ID(), all, nil); err != nil {
			t.Fatal(err)
		}
		check := func(when string) {
			t.Helper()
			list, err := s.Members(t.Context(), g.ID(), scim.Ref{}, 100)
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]string{}
			for _, m := range list {
				got[m.Ref.ID] = m.Display
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", when, diff)
			}
		}
		check("new rows")
		if d == sqlstore.MariaDB {
			return // Its tables had the column from the start.
		}
		for _, text := range []string{"DROP INDEX IF EXISTS scim_resources_shown", "ALTER TABLE scim_resources DROP COLUMN display", "DROP INDEX scim_resources_claimed", "DROP INDEX scim_resources_created", "ALTER TABLE scim_resources DROP COLUMN id_length", "CREATE INDEX scim_resources_created ON scim_resources (collection, created, id)", "ALTER TABLE scim_members DROP COLUMN claimed", "ALTER TABLE scim_resources DROP COLUMN client", "UPDATE scim_schema SET version = 1 WHERE part = 'store'"} {
			if _, err := db.Exec(text); err != nil {
				t.Fatal(err)
			}
		}
		s = newStore(t, db, d, sqlstore.Options{})
		check("after the migration")
		if _, err := s.Update(t.Context(), all[0], func(r *scim.Resource) (*scim.Resource, error) {
			return r.With(map[string]any{"displayName": "Anna"})
		}); err != nil {
			t.Fatal(err)
		}
		want[all[0].ID] = "Anna"
		check("after a change")
		if err := s.Reindex(t.Context()); err != nil {
			t.Fatal(err)
		}
		check("after Reindex")
		var left int
		if err := db.QueryRow("SELECT count(*) FROM scim_resources WHERE display IS NULL").Scan(&left); err != nil || left > 0 {
			t.Errorf("Reindex leaves %d rows without a display name, error %v", left, err)
		}
	})
}

// Members of mapped tables show what the application's rows are called now. Rows that
// clients do not see are not among them.
func TestMappedDisplays(t *testing.T) {
	inApp(t, appOptions("o"), func(a app) {
		check := func(what string, want ...scim.Member) {
			a.t.Helper()
			got, err := a.s.Members(a.t.Context(), "1", scim.Ref{}, 100)
			if err != nil {
				a.t.Fatal(err)
			}
			a.want(what, want, got)
		}
		member := func(id, display string) scim.Member {
			return scim.Member{Ref: scim.Ref{Type: "User", ID: id}, Display: display}
		}
		a.exec("INSERT INTO team_people (team_id, person_id) VALUES (1, 2)")
		check("from before", member("1", "Ann@example.com"), member("2", "bob@example.com"))
		a.exec("UPDATE people SET email = 'ann.lee@example.com' WHERE id = 1")
		check("renamed by the application", member("1", "ann.lee@example.com"), member("2", "bob@example.com"))
		a.update("2", map[string]any{"displayName": "Bob"})
		check("a name without a column", member("1", "ann.lee@example.com"), member("2", "Bob"))
		a.exec("UPDATE people SET left_at = '2026-01-01 00:00:00' WHERE id = 1")
		check("one is hidden", member("2", "Bob"))
		a.exec("UPDATE people SET left_at = NULL WHERE id = 1")
		check("and is back", member("1", "ann.lee@example.com"), member("2", "Bob"))
		a.exec("DELETE FROM team_people WHERE person_id = 2")
		a.exec("DELETE FROM people WHERE id = 2")
		check("one is gone", member("1", "ann.lee@example.com"))
	})
}

// Tenants that use the same ids show their own names.
func TestDisplaysOfTenants(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		one := user(t, "one@example.com", nil)
		g := group(t, "Everybody")
		for _, name := range []string{"one@example.com", "two@example.com"} {
			s := newStore(t, db, d, sqlstore.Options{Tenant: name})
			u, err := one.With(map[string]any{"userName": name})
			if err != nil {
				t.Fatal(err)
			}
			create(t, s, g)
			create(t, s, u)
			if _, _, err := s.ChangeMembers(t.Context(), g.ID(), []scim.Ref{u.Ref()}, nil); err != nil {
				t.Fatal(err)
			}
			got, err := s.Members(t.Context(), g.ID(), scim.Ref{}, 10)
			if diff := cmp.Diff([]scim.Member{{Ref: u.Ref(), Display: name}}, got); diff != "" || err != nil {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		}
	})
}
