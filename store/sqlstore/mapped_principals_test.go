package sqlstore_test

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore"
	"github.com/scimkit/scim/store/storetest"
)

// principals is one table for people and groups, which a column tells apart.
const principals = `
CREATE TABLE principals (id {serial}, kind text NOT NULL, org text NOT NULL, name text NOT NULL, title text, gone_at {time}, UNIQUE (org, name));
CREATE TABLE principal_members (group_id bigint NOT NULL REFERENCES principals (id) ON DELETE CASCADE, member_id bigint NOT NULL REFERENCES principals (id) ON DELETE CASCADE, PRIMARY KEY (group_id, member_id))`

// principalOptions maps both types onto the table.
func principalOptions(org string) sqlstore.Options {
	kind := func(kind string) func(context.Context, *scim.Resource) map[string]any {
		return func(context.Context, *scim.Resource) map[string]any { return map[string]any{"kind": kind} }
	}
	return sqlstore.Options{Tenant: org, UniqueIDs: true, Tables: []sqlstore.Table{
		{Type: "User", Name: "principals", Key: "id", Tenant: "org", Visible: "t.kind = 'user' AND t.gone_at IS NULL", Insert: kind("user"),
			Columns: []sqlstore.Column{{Name: "name", Path: "userName"}, {Name: "title", Path: "title"}},
			Retire: func(_ context.Context, _ *scim.Resource, now time.Time) map[string]any {
				return map[string]any{"gone_at": now}
			},
			Revive: func(context.Context, *scim.Resource) map[string]any { return map[string]any{"gone_at": nil} }},
		{Type: "Group", Name: "principals", Key: "id", Tenant: "org", Visible: "t.kind = 'group'", Insert: kind("group"),
			Columns: []sqlstore.Column{{Name: "name", Path: "displayName"}}},
	}, Members: &sqlstore.Join{Name: "principal_members", Group: "group_id", User: "member_id"}}
}

// inPrincipals runs a test on each database, with the table of principals.
func inPrincipals(t *testing.T, test func(a app)) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		a := app{t: t, db: db, d: d}
		for _, text := range inDialect(d, principals) {
			a.exec(text)
		}
		test(a)
	})
}

// Users and groups in one table hold what RunMapping writes.
func TestMappedPrincipalsMapping(t *testing.T) {
	inPrincipals(t, func(a app) {
		storetest.RunMapping(a.t, func(t *testing.T) storetest.Mapping {
			return storetest.Mapping{Store: newStore(t, a.db, a.d, principalOptions(t.Name())), KeepsNames: true}
		})
	})
}

// A row of a table with several types is a resource of one of them, and follows its kind.
func TestMappedPrincipals(t *testing.T) {
	inPrincipals(t, func(a app) {
		a.exec("INSERT INTO principals (kind, org, name) VALUES ('user', 'o', 'ann'), ('group', 'o', 'Sales'), ('robot', 'o', 'cron'), ('user', 'p', 'ann')")
		a.exec("INSERT INTO principal_members VALUES (2, 1)")
		a.s = newStore(a.t, a.db, a.d, principalOptions("o"))
		c := newClient(a.t, scim.Config{Store: a.s, Rules: []scim.Rule{a.s.Adopt(sqlstore.SameName, "User", "Group")}})
		a.want("users", []string{"ann"}, names(a.t, a.s))
		a.want("members", []string{"1"}, a.members("2"))
		c.do("GET", "/Users/2", "", 404)
		c.do("GET", "/Groups/1", "", 404)
		c.do("DELETE", "/Groups/3", "", 404)

		a.want("the client adopts Ann", "1", c.do("POST", "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ANN","nickName":"A"}`, 201)["id"])
		a.want("the client adopts Sales", "2", c.do("POST", "/Groups", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"Sales"}`, 201)["id"])
		c.do("POST", "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"Sales"}`, 409)
		c.do("POST", "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"cron"}`, 409)

		made := c.do("POST", "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"bob"}`, 201)["id"].(string)
		a.want("the kind of a new user", "user", a.row("SELECT kind FROM principals WHERE name = 'bob'"))
		a.exec("UPDATE principals SET kind = 'group', name = 'Bobs' WHERE id = " + made)
		c.do("GET", "/Users/"+made, "", 404)
		a.want("the row is a group now", "Bobs", c.do("GET", "/Groups/"+made, "", 200)["displayName"])
		a.exec("UPDATE principals SET kind = 'robot' WHERE id = " + made)
		c.do("GET", "/Groups/"+made, "", 404)
		a.exec("DELETE FROM principals WHERE id = " + made)

		c.do("DELETE", "/Users/1", "", 204)
		a.want("the row is kept", "ann", a.row("SELECT name FROM principals WHERE id = 1 AND gone_at IS NOT NULL"))
		a.want("Ann comes back", "1", c.do("POST", "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ann","externalId":"new"}`, 201)["id"])
		c.do("DELETE", "/Groups/2", "", 204)
		a.want("rows that are left", "3", a.row("SELECT count(*) FROM principals"))
	})
}
