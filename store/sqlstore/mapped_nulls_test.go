package sqlstore_test

import (
	"database/sql"
	"testing"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore"
)

// Rows of no tenant, and memberships of nobody, are the application's affair: it goes on
// writing them, and no client sees them.
func TestMappedNulls(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		a := app{t: t, db: db, d: d}
		for _, text := range inDialect(d, `CREATE TABLE users (id {serial}, org text, email text);
CREATE TABLE mails (user_id bigint, address text);
CREATE TABLE teams (id {serial}, org text, name text);
CREATE TABLE joined (team_id bigint, user_id bigint, invited text)`) {
			a.exec(text)
		}
		write := func() {
			a.exec("INSERT INTO users (org, email) VALUES ('o', 'ann'), ('o', 'bob'), (NULL, 'root')")
			a.exec("INSERT INTO mails (user_id, address) VALUES (1, 'x'), (3, 'y'), (NULL, 'z')")
			a.exec("INSERT INTO teams (org, name) VALUES ('o', 'sales'), (NULL, 'template')")
			a.exec("INSERT INTO joined (team_id, user_id, invited) VALUES (1, 1, NULL), (1, NULL, 'cy'), (NULL, 1, NULL), (2, 1, NULL), (2, 3, NULL), (1, 3, NULL)")
		}
		write()
		a.s = newStore(t, db, d, sqlstore.Options{Tenant: "o", Tables: []sqlstore.Table{
			{Type: "User", Name: "users", Key: "id", Tenant: "org", Columns: []sqlstore.Column{{Name: "email", Path: "userName"}},
				Children: []sqlstore.Child{{Path: "emails", Name: "mails", Parent: "user_id", Columns: []sqlstore.Column{{Name: "address", Path: "value"}}}}},
			{Type: "Group", Name: "teams", Key: "id", Tenant: "org", Columns: []sqlstore.Column{{Name: "name", Path: "displayName"}}},
		}, Members: &sqlstore.Join{Name: "joined", Group: "team_id", User: "user_id"}})
		a.want("before", []string{"ann", "bob"}, names(t, a.s))
		a.want("before", []string{"1"}, a.members("1"))
		write()
		a.want("after", []string{"ann", "bob", "ann", "bob"}, names(t, a.s))
		a.exec("UPDATE users SET org = NULL WHERE id = 2")
		a.exec("UPDATE joined SET user_id = 4 WHERE invited = 'cy'")
		a.exec("UPDATE users SET org = 'o' WHERE id = 3")
		a.exec("UPDATE joined SET user_id = NULL WHERE user_id = 1")
		a.want("moved", []string{"ann", "ann", "bob", "root"}, names(t, a.s))
		a.want("moved", []string{"3", "4"}, a.members("1"))
		if err := a.s.Reindex(t.Context()); err != nil {
			t.Error(err)
		}
		a.want("again", []string{"3", "4"}, a.members("1"))
		_, err := a.s.Get(t.Context(), scim.Ref{Type: "User", ID: "2"})
		a.want("who left", scim.ErrNotFound.Error(), err.Error())
	})
}
