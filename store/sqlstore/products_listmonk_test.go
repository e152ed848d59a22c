package sqlstore_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore"
)

// listmonk keeps two roles in each row of users. The user role is never NULL. Both refer to
// one table, where an enum says which kind a role is. Role 1 is the super administrator's.
const listmonkTables = `{types}
CREATE TABLE roles (
	id {serial},
	type {role_type} NOT NULL DEFAULT 'user',
	parent_id integer REFERENCES roles (id) ON DELETE CASCADE,
	list_id integer,
	name text
);
CREATE UNIQUE INDEX roles_name ON roles (type, name) WHERE name IS NOT NULL;
CREATE TABLE users (
	id {serial},
	username text NOT NULL UNIQUE,
	password_login {bool} NOT NULL DEFAULT false,
	password text,
	email text NOT NULL UNIQUE,
	name text NOT NULL,
	type {user_type} NOT NULL DEFAULT 'user',
	user_role_id integer NOT NULL REFERENCES roles (id) ON DELETE RESTRICT,
	list_role_id integer REFERENCES roles (id) ON DELETE CASCADE,
	status {user_status} NOT NULL DEFAULT 'disabled'
);
INSERT INTO roles (type, name) VALUES ('user', 'Super Admin'), ('user', 'Reader'), ('user', 'Marketing'), ('user', 'Analyst'), ('list', 'Newsletter'), ('list', 'Marketing')`

var listmonkWords = [][3]string{
	{"{types}", "\nCREATE TYPE user_type AS ENUM ('user', 'api');\nCREATE TYPE user_status AS ENUM ('enabled', 'disabled');\nCREATE TYPE role_type AS ENUM ('user', 'list');", ""},
	{"{user_type}", "user_type", "text"}, {"{user_status}", "user_status", "text"}, {"{role_type}", "role_type", "text"},
}

const readerID = "2"

// listmonk lets groups give list roles, by the name "Lists: " and the role's, and user roles,
// by the role's name. The attribute roles names user roles.
func listmonk(p *product) {
	p.serve(sqlstore.Options{Tables: []sqlstore.Table{{
		Type: "User", Name: "users", Key: "id", Visible: "t.type = 'user'",
		Columns: []sqlstore.Column{
			{Name: "username", Path: "userName"}, {Name: "email", Path: "emails.value"}, {Name: "name", Path: "displayName", Empty: ""},
			sqlstore.ActiveWhen("status", "enabled", "disabled"),
		},
		Insert: func(context.Context, *scim.Resource) map[string]any { return map[string]any{"user_role_id": readerID} },
	}}}, scim.Roles{Attributes: []string{"roles"}, PolicyOf: func(scope string) scim.RolePolicy {
		return map[string]scim.RolePolicy{"user": {Exclusive: true, Base: readerID}, "list": {Exclusive: true}}[scope]
	}}, func(*sqlstore.Store) []sqlstore.RoleShape {
		slot := func(column, kind string, base any, match func(ctx context.Context, src scim.RoleSource) ([]scim.Role, error)) sqlstore.RoleColumn {
			return sqlstore.RoleColumn{Table: "users", User: "id", Column: column, Base: base, Scope: sqlstore.RoleScope{Name: kind},
				Roles: "roles", ID: "id", Name: "name", Where: "t.type = '" + kind + "' AND t.id <> 1", Match: match}
		}
		return []sqlstore.RoleShape{
			slot("user_role_id", "user", readerID, func(_ context.Context, src scim.RoleSource) ([]scim.Role, error) {
				return []scim.Role{{Name: src.Name()}}, nil
			}),
			slot("list_role_id", "list", nil, func(_ context.Context, src scim.RoleSource) ([]scim.Role, error) {
				name, isList := strings.CutPrefix(src.Name(), "Lists: ")
				if src.Group == nil || !isList {
					return nil, nil
				}
				return []scim.Role{{Name: name}}, nil
			}),
		}
	})
}

func TestListmonk(t *testing.T) {
	onProducts(t, listmonkTables, listmonkWords, func(p *product) {
		listmonk(p)
		slots := func(what, user, want string) {
			p.t.Helper()
			p.want(what, want, p.row("SELECT u.name || '/' || COALESCE(l.name, '-') FROM users h JOIN roles u ON u.id = h.user_role_id LEFT JOIN roles l ON l.id = h.list_role_id WHERE h.id = "+user))
		}
		ann, bob := p.user("ann"), p.user("bob")
		slots("a new user", ann, "Reader/-")

		marketing, news, lists := p.group("Marketing", ann), p.group("Lists: Newsletter", ann), p.group("Lists: Marketing")
		slots("in a group of each kind", ann, "Marketing/Newsletter")
		p.leave(marketing, ann)
		slots("out of the one", ann, "Reader/Newsletter")
		p.leave(news, ann)
		slots("out of the other", ann, "Reader/-")
		p.want("nobody else", "Reader/-", p.row("SELECT 'Reader/-' FROM users WHERE id = "+bob+" AND user_role_id = 2 AND list_role_id IS NULL"))

		p.join(news, ann)
		p.join(lists, ann)
		slots("two groups for one place: the smaller id", ann, "Reader/Newsletter")
		p.leave(news, ann)
		slots("the other takes the place", ann, "Reader/Marketing")
		p.leave(lists, ann)

		p.set(ann, "roles", `[{"value":"Analyst"}]`, 200)
		slots("an attribute", ann, "Analyst/-")
		answer := p.set(ann, "roles", `[{"value":"Newsletter"}]`, 400)
		if detail := fmt.Sprint(answer["detail"]); !strings.Contains(detail, "the roles are Reader, Marketing, Analyst") || strings.Contains(detail, "Newsletter,") {
			p.t.Errorf("detail of the refusal: %s", detail)
		}
		p.set(ann, "roles", `[{"value":"Super Admin"}]`, 400)
		p.set(ann, "roles", `[{"value":"Reader"}]`, 200)
		slots("the base role by its name", ann, "Reader/-")
		p.set(ann, "roles", "", 200)

		analyst := scim.Role{ID: "4", Name: "Analyst", Scope: "user"}
		p.byHand(ann, analyst, "UPDATE users SET user_role_id = 4 WHERE id = "+ann)
		p.join(marketing, ann, bob)
		slots("by hand", ann, "Analyst/-")
		slots("not by hand", bob, "Marketing/-")
		p.exec("UPDATE users SET user_role_id = 2 WHERE id = " + ann)
		p.settle(ann)
		slots("taken by hand", ann, "Marketing/-")
		p.exec("UPDATE users SET user_role_id = 1 WHERE id = " + ann)
		p.settle(ann)
		slots("a super administrator", ann, "Super Admin/-")
		p.exec("UPDATE users SET user_role_id = 3 WHERE id = " + ann)
		p.settle(ann)

		p.join(news, bob)
		p.set(bob, "active", "false", 200)
		slots("deactivated", bob, "Reader/-")
		p.want("the row", "disabled", p.row("SELECT CAST(status AS text) FROM users WHERE id = "+bob))
		p.set(bob, "active", "true", 200)
		slots("reactivated", bob, "Marketing/Newsletter")

		p.drop("/Groups/" + news)
		slots("the group is deleted", bob, "Marketing/-")
		p.drop("/Groups/" + marketing)
		slots("the other too", bob, "Reader/-")
		p.join(lists, bob)
		p.drop("/Users/" + bob)
		p.want("the row is deleted", "1", p.row("SELECT CAST(count(*) AS text) FROM users"))
		p.exec("DELETE FROM roles WHERE id = 6")
		p.join(lists, ann)
		slots("the role is deleted", ann, "Marketing/-")
	})
}

// roleMeanwhile calls a function before the first change of roles.
type roleMeanwhile struct {
	scim.RoleResolver
	once *sync.Once
	do   func()
}

func (m roleMeanwhile) ChangeRoles(ctx context.Context, changes []scim.RoleChange) error {
	m.once.Do(m.do)
	return m.RoleResolver.ChangeRoles(ctx, changes)
}

// An administrator gives a role while a request is about to give another one. In SQLite this
// cannot be, because a request excludes other writers.
func TestListmonkMeanwhile(t *testing.T) {
	onProducts(t, listmonkTables, listmonkWords, func(p *product) {
		if p.d == sqlstore.SQLite {
			p.t.Skip("a request excludes other writers")
		}
		listmonk(p)
		ann, group := p.user("ann"), p.group("Marketing")
		p.roles.Resolver = roleMeanwhile{p.roles.Resolver, new(sync.Once), func() { p.exec("UPDATE users SET user_role_id = 4 WHERE id = " + ann) }}
		p.open()
		p.join(group, ann)
		p.want("by hand", "4", p.row("SELECT CAST(user_role_id AS text) FROM users WHERE id = "+ann))
		p.exec("UPDATE users SET user_role_id = 2 WHERE id = " + ann)
		p.settle(ann)
		p.want("it has waited", "3", p.row("SELECT CAST(user_role_id AS text) FROM users WHERE id = "+ann))
	})
}
