package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore"
	"github.com/scimkit/scim/store/storetest"
)

// The tables of an application whose people are in many organisations.
const orgTables = `
CREATE TABLE users (id {serial}, email text NOT NULL UNIQUE, name text, phone text, source text NOT NULL);
CREATE TABLE org_members (org_id text NOT NULL, user_id bigint NOT NULL REFERENCES users (id) ON DELETE CASCADE, status text NOT NULL DEFAULT 'active',
	title {long}, role text, PRIMARY KEY (org_id, user_id));
CREATE TABLE teams (id {serial}, org_id text NOT NULL, name text NOT NULL);
CREATE TABLE team_members (team_id bigint NOT NULL REFERENCES teams (id) ON DELETE CASCADE, user_id bigint NOT NULL REFERENCES users (id) ON DELETE CASCADE, PRIMARY KEY (team_id, user_id));
CREATE INDEX org_members_user ON org_members (user_id)`

// orgOptions maps the members of an organisation. find may be nil.
func orgOptions(org string, find func(context.Context, *scim.Resource) (any, error)) sqlstore.Options {
	return sqlstore.Options{Tenant: org, Log: slog.New(slog.DiscardHandler), Tables: []sqlstore.Table{
		{Type: "User", Name: "org_members", Key: "user_id", Tenant: "org_id", Visible: "t.status <> 'left'",
			Columns: []sqlstore.Column{sqlstore.ActiveWhen("status", "active", "suspended"), {Name: "title", Path: "title"}},
			Beside: []sqlstore.Beside{{Name: "users", Key: "id", Ref: "user_id", Shared: true, Find: find,
				Columns: []sqlstore.Column{{Name: "email", Path: "userName"}, {Name: "name", Path: "displayName"}, {Name: "phone", Path: "phoneNumbers.value", Of: "work"}},
				Insert:  func(context.Context, *scim.Resource) map[string]any { return map[string]any{"source": "scim"} }}}},
		{Type: "Group", Name: "teams", Key: "id", Tenant: "org_id", Columns: []sqlstore.Column{{Name: "name", Path: "displayName"}}},
	}, Members: &sqlstore.Join{Name: "team_members", Group: "team_id", User: "user_id"}}
}

// retiring keeps the membership of somebody who leaves.
func retiring(o sqlstore.Options) sqlstore.Options {
	o.Tables[0].Retire = func(context.Context, *scim.Resource, time.Time) map[string]any {
		return map[string]any{"status": "left"}
	}
	o.Tables[0].Revive = func(context.Context, *scim.Resource) map[string]any { return map[string]any{"status": "active"} }
	return o
}

// byEmail is the policy of an application that lets anybody in who has the address.
func byEmail(db *sql.DB, d sqlstore.Dialect) func(context.Context, *scim.Resource) (any, error) {
	return func(ctx context.Context, r *scim.Resource) (any, error) {
		var q sqlstore.DBTX = db
		if tx := sqlstore.Tx(ctx, db); tx != nil {
			q = tx
		}
		var id int64
		err := q.QueryRowContext(ctx, says(d, "SELECT id FROM users WHERE lower(email) = lower($1)"), r.String("userName")).Scan(&id)
		if errors.Is(err, sql.ErrNoRows) {
			return nil, nil
		}
		return id, err
	}
}

// inOrgs runs a test on each database, with the application's tables.
func inOrgs(t *testing.T, test func(a app)) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		if d == sqlstore.SQLite {
			db = relaxed(t)
		}
		a := app{t: t, db: db, d: d}
		for _, text := range inDialect(d, orgTables) {
			a.exec(text)
		}
		if d != sqlstore.MariaDB { // which has no indexes on expressions
			a.exec("CREATE INDEX users_lower ON users (lower(email))")
		}
		test(a)
	})
}

// of is the same application, as another organisation sees it.
func (a app) of(o sqlstore.Options) app {
	a.s = newStore(a.t, a.db, a.d, o)
	return a
}

// All people are in the tables of all steps, so each step finds those of the steps before.
func TestMappedOrgs(t *testing.T) {
	inOrgs(t, func(a app) {
		unlessLong(a)
		storetest.Run(a.t, func(t *testing.T) scim.Store {
			return newStore(t, a.db, a.d, orgOptions(t.Name(), byEmail(a.db, a.d)))
		})
		storetest.RunTenants(a.t, func(t *testing.T) (x, y scim.Store) {
			return newStore(t, a.db, a.d, orgOptions(t.Name()+" a", byEmail(a.db, a.d))), newStore(t, a.db, a.d, orgOptions(t.Name()+" b", byEmail(a.db, a.d)))
		})
	})
}

func TestMappedOrgsMapping(t *testing.T) {
	inOrgs(t, func(a app) {
		storetest.RunMapping(a.t, func(t *testing.T) storetest.Mapping {
			for _, table := range []string{"team_members", "org_members", "teams", "users"} {
				execText(t, a.db, "DELETE FROM "+table)
			}
			return storetest.Mapping{Store: newStore(t, a.db, a.d, orgOptions(t.Name(), nil)), KeepsNames: true}
		})
	})
}

const newAnn = `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"Ann@x.com","displayName":"Anna","title":"Boss","externalId":"e1"}`

// A person who exists joins an organisation only if the application says so.
func TestMappedOrgsJoin(t *testing.T) {
	inOrgs(t, func(a app) {
		a.exec("INSERT INTO users (email, name, source) VALUES ('ann@x.com', 'Ann', 'hand'), ('zoe@x.com', 'Zoe', 'hand')")
		a.exec("INSERT INTO org_members (org_id, user_id) VALUES ('p', 1)")
		p := a.of(orgOptions("p", nil))
		before := p.get("User", "1")

		o := a.of(orgOptions("o", nil))
		c := newClient(a.t, scim.Config{Store: o.s})
		c.do("POST", "/Users", newAnn, 409)
		c.do("POST", "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"zoe@x.com"}`, 409)
		c.do("POST", "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"Zoe@x.com"}`, 409)
		a.want("nobody was added", "2 1", a.row("SELECT count(*) FROM users")+" "+a.row("SELECT count(*) FROM org_members"))

		o = a.of(orgOptions("o", byEmail(a.db, a.d)))
		c = newClient(a.t, scim.Config{Store: o.s})
		made := c.do("POST", "/Users", newAnn, 201)
		a.want("Ann joins", "1", made["id"])
		a.want("what this organisation calls her", "Anna", made["displayName"])
		a.want("her name", "Ann ann@x.com hand", a.row("SELECT name || ' ' || email || ' ' || source FROM users WHERE id = 1"))
		a.want("her membership", "Boss active", a.row("SELECT title || ' ' || status FROM org_members WHERE org_id = 'o' AND user_id = 1"))
		a.want("what the other organisation sees", before, p.get("User", "1"))
		c.do("POST", "/Users", newAnn, 409)

		c.do("PATCH", "/Users/1", `{"Operations":[{"op":"replace","path":"displayName","value":"A."},{"op":"replace","path":"userName","value":"a@o.com"},{"op":"replace","path":"active","value":false}]}`, 200)
		got := o.get("User", "1")
		a.want("what the client wrote", "A. a@o.com", got.String("displayName")+" "+got.String("userName"))
		a.want("what the other organisation sees", before, p.get("User", "1"))
		a.want("look-up", []string{"a@o.com"}, find(a.t, o.s, `userName eq "a@o.com"`))
		a.want("only this membership is suspended", "active suspended", a.row("SELECT status FROM org_members WHERE org_id = 'p'")+" "+a.row("SELECT status FROM org_members WHERE org_id = 'o'"))

		a.exec("UPDATE users SET name = 'Ann Lee', phone = '7' WHERE id = 1")
		a.want("the application's new name", "Ann Lee", o.get("User", "1").String("displayName"))
		a.want("and in the other organisation", "Ann Lee", p.get("User", "1").String("displayName"))
		a.want("a column that stays", "a@o.com", o.get("User", "1").String("userName"))

		c.do("DELETE", "/Users/1", "", 204)
		a.want("Ann is left, and in the other organisation", "1 1", a.row("SELECT count(*) FROM users WHERE id = 1")+" "+a.row("SELECT count(*) FROM org_members WHERE user_id = 1"))
		p.want("what the other organisation sees", "Ann Lee", p.get("User", "1").String("displayName"))
		p.update("1", map[string]any{"displayName": "Ann of p"})
		a.want("the only organisation writes the column", "Ann of p", a.row("SELECT name FROM users WHERE id = 1"))
		a.exec("DELETE FROM users WHERE id = 1")
		a.want("the application has deleted her", []string(nil), names(a.t, p.s))
	})
}

// Who leaves an organisation leaves its teams, and no others.
func TestMappedOrgsTeams(t *testing.T) {
	inOrgs(t, func(a app) {
		a.exec("INSERT INTO users (email, source) VALUES ('ann@x.com', 'hand')")
		a.exec("INSERT INTO org_members (org_id, user_id) VALUES ('o', 1), ('p', 1)")
		a.exec("INSERT INTO teams (org_id, name) VALUES ('o', 'Sales'), ('p', 'Sales')")
		a.exec("INSERT INTO team_members VALUES (1, 1), (2, 1)")
		o, p := a.of(retiring(orgOptions("o", nil))), a.of(retiring(orgOptions("p", nil)))
		a.want("the teams", [2][]string{{"1"}, {"1"}}, [2][]string{o.members("1"), p.members("2")})
		c := newClient(a.t, scim.Config{Store: o.s, Rules: []scim.Rule{o.s.Adopt(sqlstore.SameName)}})
		c.do("PATCH", "/Users/1", externalID, 200)
		c.do("DELETE", "/Users/1", "", 204)
		a.want("the teams afterwards", [2][]string{{}, {"1"}}, [2][]string{o.members("1"), p.members("2")})
		a.want("rows", "2", a.row("SELECT max(team_id) FROM team_members"))
		a.want("the membership is kept", "left", a.row("SELECT status FROM org_members WHERE org_id = 'o'"))
		a.want("Ann comes back", "1", c.do("POST", "/Users", newAnn, 201)["id"])
		a.want("the membership", "active", a.row("SELECT status FROM org_members WHERE org_id = 'o'"))
		a.want("her name is the other organisation's too", "", a.row("SELECT name FROM users WHERE id = 1"))
		a.want("what this one calls her", "Anna", o.get("User", "1").String("displayName"))
	})
}

// What belongs to the people of all organisations cannot be mapped as if it were one's own.
func TestMappedOrgsForeignRows(t *testing.T) {
	address := []sqlstore.Column{{Name: "address", Path: "value"}}
	for name, change := range map[string]func(t *sqlstore.Table){
		"children": func(t *sqlstore.Table) {
			t.Children = []sqlstore.Child{{Path: "emails", Name: "user_emails", Parent: "user_id", Columns: address}}
		},
		"beside": func(t *sqlstore.Table) {
			t.Beside = append(t.Beside, sqlstore.Beside{Name: "profiles", Key: "user_id", Columns: []sqlstore.Column{{Name: "nick", Path: "nickName"}}})
		},
	} {
		o := orgOptions("o", nil)
		change(&o.Tables[0])
		if _, err := sqlstore.New(&sql.DB{}, sqlstore.SQLite, o); err == nil || !strings.Contains(err.Error(), "otherwise a tenant changes the rows of another one") {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// A column of the membership holds the role in the organisation.
func TestMappedOrgsRoles(t *testing.T) {
	inOrgs(t, func(a app) {
		a.exec("INSERT INTO users (email, source) VALUES ('ann@x.com', 'hand')")
		a.exec("INSERT INTO org_members (org_id, user_id, role) VALUES ('o', 1, NULL), ('p', 1, 'owner')")
		o := orgOptions("o", nil)
		o.Tables, o.Members = o.Tables[:1], nil
		a = a.of(o)
		column := sqlstore.RoleColumn{Table: "org_members", User: "user_id", Column: "role", List: []scim.Role{{ID: "owner", Name: "Owners"}}}
		if _, err := a.s.RoleResolver(a.t.Context(), column); err == nil || !strings.Contains(err.Error(), "set UserTenant") {
			a.t.Errorf("roles of all organisations: error %v", err)
		}
		column.UserTenant = "org_id"
		resolver, err := a.s.RoleResolver(a.t.Context(), column)
		if err != nil {
			a.t.Fatal(err)
		}
		c := newClient(a.t, scim.Config{Store: a.s, Roles: &scim.Roles{Resolver: resolver, Exclusive: true}})
		id := c.do("POST", "/Groups", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"Owners","members":[{"value":"1"}]}`, 201)["id"].(string)
		a.want("the role here", "owner", a.row("SELECT role FROM org_members WHERE org_id = 'o'"))
		c.do("DELETE", "/Groups/"+id, "", 204)
		a.want("the roles afterwards", "|owner", a.row("SELECT coalesce(role, '') FROM org_members WHERE org_id = 'o'")+"|"+a.row("SELECT role FROM org_members WHERE org_id = 'p'"))
	})
}

// An organisation writes a name while another one takes the person in. Whichever comes first, the
// other one goes on seeing what its client has sent.
func TestMappedOrgsJoinMeanwhile(t *testing.T) {
	inOrgs(t, func(a app) {
		o, p := a.of(orgOptions("o", nil)), a.of(orgOptions("p", byEmail(a.db, a.d)))
		for i := range 20 {
			name := fmt.Sprintf("u%d@x.com", i)
			id := create(a.t, o.s, user(a.t, name, map[string]any{"displayName": "first"})).ID()
			sent := user(a.t, name, map[string]any{"displayName": "sent"})
			failed := make(chan error)
			go func() {
				_, err := p.s.Create(a.t.Context(), sent)
				failed <- err
			}()
			o.update(id, map[string]any{"displayName": "second"})
			if err := <-failed; err != nil {
				a.t.Fatal(err)
			}
			a.want("what each organisation calls the person", "second sent", o.get("User", id).String("displayName")+" "+p.get("User", id).String("displayName"))
		}
	})
}

// Reindex leaves a value that is kept for one organisation, and reads everything else again.
func TestMappedOrgsReindex(t *testing.T) {
	inOrgs(t, func(a app) {
		a.exec("INSERT INTO users (email, name, source) VALUES ('ann@x.com', 'Ann', 'hand')")
		a.exec("INSERT INTO org_members (org_id, user_id) VALUES ('o', 1), ('p', 1)")
		o, p := a.of(orgOptions("o", nil)), a.of(orgOptions("p", nil))
		c := newClient(a.t, scim.Config{Store: o.s})
		c.do("PATCH", "/Users/1", `{"Operations":[{"op":"replace","path":"displayName","value":"A."},{"op":"replace","path":"userName","value":"a@o.com"}]}`, 200)
		for range 2 {
			for _, s := range []*sqlstore.Store{o.s, p.s} {
				if err := s.Reindex(a.t.Context()); err != nil {
					a.t.Fatal(err)
				}
			}
			a.want("what is kept", "A. a@o.com", o.get("User", "1").String("displayName")+" "+o.get("User", "1").String("userName"))
			a.want("look-up", []string{"a@o.com"}, find(a.t, o.s, `userName eq "a@o.com"`))
			a.want("what the other organisation sees", "Ann", p.get("User", "1").String("displayName"))
			a.want("notes in what was seen", "0", a.row("SELECT count(*) FROM scim_resources WHERE seen LIKE '%\"!\"%'"))
		}
		if err := o.s.Reindex(a.t.Context()); err != nil {
			a.t.Fatal(err)
		}
		a.exec("UPDATE users SET name = 'Ann Lee'")
		a.want("the application's new name", "Ann Lee", o.get("User", "1").String("displayName"))
	})
}
