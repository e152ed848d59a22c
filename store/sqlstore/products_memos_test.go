package sqlstore_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore"
)

// memos has a role in each row of "user", a text that is never NULL. Its spaces have members
// with a role, one for each: space and space_member show this shape.
const memosTables = `
CREATE TABLE "user" (
	id {serial},
	created_ts bigint NOT NULL DEFAULT 0,
	row_status text NOT NULL DEFAULT 'NORMAL' CHECK (row_status IN ('NORMAL', 'ARCHIVED')),
	username text NOT NULL UNIQUE,
	role text NOT NULL DEFAULT 'USER',
	email text NOT NULL DEFAULT '',
	nickname text NOT NULL DEFAULT '',
	password_hash text NOT NULL,
	avatar_url text NOT NULL DEFAULT ''
);
CREATE TABLE space (id {serial}, title text NOT NULL UNIQUE);
CREATE TABLE space_member (
	space_id bigint NOT NULL REFERENCES space (id),
	user_id bigint NOT NULL REFERENCES "user" (id),
	role text NOT NULL CHECK (role IN ('VIEWER', 'EDITOR')),
	UNIQUE (space_id, user_id)
);
INSERT INTO space (title) VALUES ('Research'), ('Sales')`

// memos lets the group "Admins" give the role of the user's row, and groups such as "Research
// EDITOR" those of spaces.
func memos(p *product) {
	p.serve(sqlstore.Options{Tables: []sqlstore.Table{{
		Type: "User", Name: `"user"`, Key: "id",
		Columns: []sqlstore.Column{
			{Name: "username", Path: "userName"}, {Name: "email", Path: "emails.value", Empty: ""}, {Name: "nickname", Path: "displayName", Empty: ""},
			sqlstore.ActiveWhen("row_status", "NORMAL", "ARCHIVED"),
		},
		Insert: func(context.Context, *scim.Resource) map[string]any { return map[string]any{"password_hash": "!"} },
	}}}, scim.Roles{Attributes: []string{"userType"}, PolicyOf: func(scope string) scim.RolePolicy {
		if scope == "" {
			return scim.RolePolicy{Exclusive: true, Base: "USER"}
		}
		return scim.RolePolicy{Exclusive: true}
	}}, func(s *sqlstore.Store) []sqlstore.RoleShape {
		return []sqlstore.RoleShape{
			sqlstore.RoleColumn{Table: `"user"`, User: "id", Column: "role", Base: "USER",
				List: []scim.Role{{ID: "ADMIN", Name: "Admins"}, {ID: "USER", Name: "Users"}}},
			sqlstore.RoleTables{Holders: "space_member", User: "user_id", Role: "role",
				Scope: sqlstore.RoleScope{Name: "space:", Column: "space_id", Table: "space", Key: "id"},
				List:  []scim.Role{{ID: "VIEWER", Name: "Viewer", Weight: 1}, {ID: "EDITOR", Name: "Editor", Weight: 2}},
				Match: func(ctx context.Context, src scim.RoleSource) ([]scim.Role, error) {
					if src.Group == nil {
						return nil, nil
					}
					title, role, _ := strings.Cut(src.Name(), " ")
					rows, err := s.DB(ctx).QueryContext(ctx, "SELECT CAST(id AS text) FROM space WHERE title = $1 OR $1 = 'All'", title)
					if err != nil {
						return nil, err
					}
					defer rows.Close() //nolint:errcheck // Err tells
					var roles []scim.Role
					for rows.Next() {
						var id string
						if err := rows.Scan(&id); err != nil {
							return nil, err
						}
						roles = append(roles, scim.Role{Scope: "space:" + id, ID: role})
					}
					return roles, rows.Err()
				}},
		}
	})
}

func TestMemos(t *testing.T) {
	onProducts(t, memosTables, nil, func(p *product) {
		memos(p)
		spaces := "string_agg(s.title || ':' || m.role, ' ' ORDER BY s.id)"
		if p.d == sqlstore.SQLite {
			spaces = "group_concat(s.title || ':' || m.role, ' ' ORDER BY s.id)"
		}
		roles := func(what, user, want string) {
			p.t.Helper()
			p.want(what, want, strings.TrimSpace(p.row(`SELECT role FROM "user" WHERE id = `+user)+" "+
				p.row("SELECT "+spaces+" FROM space_member m JOIN space s ON s.id = m.space_id WHERE m.user_id = "+user)))
		}
		ann, bob := p.user("ann"), p.user("bob")
		roles("a new user", ann, "USER")
		admins, viewers := p.group("Admins", ann), p.group("Research VIEWER", ann, bob)
		roles("a role of the instance, and one of a space", ann, "ADMIN Research:VIEWER")
		roles("one of a space", bob, "USER Research:VIEWER")
		editors := p.group("Research EDITOR", ann)
		roles("the heavier one of a space", ann, "ADMIN Research:EDITOR")
		all := p.group("All VIEWER", bob)
		roles("one group, the roles of two spaces", bob, "USER Research:VIEWER Sales:VIEWER")
		p.leave(editors, ann)
		p.leave(admins, ann)
		roles("the lighter one is left", ann, "USER Research:VIEWER")

		p.exec("INSERT INTO space_member (space_id, user_id, role) VALUES (2, " + ann + ", 'VIEWER')")
		sales := p.group("Sales EDITOR", ann)
		roles("by hand in a space", ann, "USER Research:VIEWER Sales:VIEWER")
		p.drop("/Groups/" + sales)
		roles("it stays", ann, "USER Research:VIEWER Sales:VIEWER")

		p.exec(`UPDATE "user" SET role = 'HOST' WHERE id = ` + ann)
		p.join(admins, ann)
		roles("a value that is not declared keeps its place", ann, "HOST Research:VIEWER Sales:VIEWER")
		p.leave(admins, ann)
		p.exec(`UPDATE "user" SET role = 'USER' WHERE id = ` + ann)

		p.set(ann, "userType", `"Admins"`, 200)
		roles("an attribute", ann, "ADMIN Research:VIEWER Sales:VIEWER")
		p.set(ann, "userType", `"Users"`, 200)
		roles("the base role by its name", ann, "USER Research:VIEWER Sales:VIEWER")
		p.set(ann, "userType", `"Guests"`, 400)

		p.set(bob, "active", "false", 200)
		roles("deactivated", bob, "USER")
		p.set(bob, "active", "true", 200)
		roles("reactivated", bob, "USER Research:VIEWER Sales:VIEWER")

		p.exec("DELETE FROM space_member WHERE space_id = 2")
		p.exec("DELETE FROM space WHERE id = 2")
		p.join(all, ann)
		roles("a space is deleted, without a word to the library", ann, "USER Research:VIEWER")
		if err := reconciler(p.h).RolesChanged(p.t.Context()); err != nil {
			p.t.Fatal(err)
		}
		roles("with a word", bob, "USER Research:VIEWER")
		p.drop("/Groups/" + viewers)
		p.drop("/Groups/" + all)
		roles("all groups are deleted", bob, "USER")
		p.group("Research VIEWER", bob)
		p.drop("/Users/" + bob)
		p.exec("INSERT INTO space_member (space_id, user_id, role) VALUES (1, " + ann + ", 'EDITOR')")
		p.drop("/Users/" + ann)
		p.want("users are deleted, and what refers to their rows", "0 0", p.row(`SELECT count(*) || ' ' || (SELECT count(*) FROM space_member) FROM "user"`))
	})
}

// The unique index of space_member allows one role in a space. A role that is given by hand
// while a request is about to give another one stays, and the other one waits.
func TestMemosMeanwhile(t *testing.T) {
	onProducts(t, memosTables, nil, func(p *product) {
		memos(p)
		ann, bob := p.user("ann"), p.user("bob")
		resolver := p.roles.Resolver
		give := func(user string) error {
			return resolver.ChangeRoles(p.t.Context(), []scim.RoleChange{{UserID: user, Grant: []scim.Role{{ID: "EDITOR", Scope: "space:1"}}}})
		}
		p.exec("INSERT INTO space_member (space_id, user_id, role) VALUES (1, " + bob + ", 'VIEWER')")
		if err := give(bob); err == nil || !strings.Contains(err.Error(), "does scope \"space:1\" need Exclusive?") {
			p.t.Errorf("a second role in one space: error %v", err)
		}
		if p.d == sqlstore.SQLite {
			return // A request excludes other writers.
		}
		group := p.group("Research EDITOR")
		p.roles.Resolver = roleMeanwhile{resolver, new(sync.Once), func() {
			p.exec("INSERT INTO space_member (space_id, user_id, role) VALUES (1, " + ann + ", 'VIEWER')")
		}}
		p.open()
		p.join(group, ann)
		role := "SELECT role FROM space_member WHERE user_id = " + ann
		p.want("by hand", "VIEWER", p.row(role))
		p.exec("DELETE FROM space_member WHERE user_id = " + ann)
		p.settle(ann)
		p.want("it has waited", "EDITOR", p.row(role))
	})
}
