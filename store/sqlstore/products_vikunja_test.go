package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore"
)

// Vikunja has teams, whose members may be administrators of the team, without foreign keys
// and without a unique index on team and user. is_admin says who administers the instance.
const vikunjaTables = `
CREATE TABLE users (
	id {serial},
	name text,
	username varchar(250) NOT NULL UNIQUE,
	email varchar(250),
	status integer DEFAULT 0,
	is_admin {flag} NOT NULL DEFAULT {no},
	created {time} NOT NULL,
	updated {time} NOT NULL
);
CREATE TABLE teams (
	id {serial},
	name varchar(250) NOT NULL,
	created_by_id bigint NOT NULL,
	external_id varchar(250),
	is_public {flag} NOT NULL DEFAULT {no}
);
CREATE TABLE team_members (
	id {serial},
	team_id bigint NOT NULL,
	user_id bigint NOT NULL,
	admin {flag},
	created {time} NOT NULL
);
INSERT INTO users (username, created, updated) VALUES ('owner', '2026-01-01 00:00:00', '2026-01-01 00:00:00')`

var vikunjaWords = [][3]string{{"{flag}", "boolean", "integer"}, {"{no}", "false", "0"}}

// vikunja lets the group "Apollo admins" give the role of an administrator in the team
// "Apollo", and the attribute roles the instance's.
func vikunja(p *product) {
	now := func() time.Time { return time.Now().UTC() }
	p.serve(sqlstore.Options{
		Tables: []sqlstore.Table{
			{Type: "User", Name: "users", Key: "id", Created: "created",
				Columns: []sqlstore.Column{
					{Name: "username", Path: "userName"}, {Name: "name", Path: "displayName"}, {Name: "email", Path: "emails.value"},
					{Name: "status", Path: "active", Empty: 0,
						To: func(v any) (any, error) {
							if v == false {
								return int64(2), nil
							}
							return int64(0), nil
						},
						From: func(v any) (any, error) { return v == int64(0), nil }},
				},
				Insert: func(context.Context, *scim.Resource) map[string]any {
					return map[string]any{"created": now(), "updated": now()}
				}},
			{Type: "Group", Name: "teams", Key: "id", Columns: []sqlstore.Column{{Name: "name", Path: "displayName"}, {Name: "external_id", Path: "externalId"}},
				Insert: func(context.Context, *scim.Resource) map[string]any { return map[string]any{"created_by_id": 1} }},
		},
		Members: &sqlstore.Join{Name: "team_members", Group: "team_id", User: "user_id", Insert: func(_ context.Context, _, _ string) map[string]any {
			return map[string]any{"admin": false, "created": now()}
		}},
	}, scim.Roles{Exclusive: true, Attributes: []string{"roles"}}, func(s *sqlstore.Store) []sqlstore.RoleShape {
		return []sqlstore.RoleShape{
			sqlstore.RoleColumn{Table: "users", User: "id", Column: "is_admin", Base: false, Scope: sqlstore.RoleScope{Name: "instance"},
				List: []scim.Role{{ID: "true", Name: "admin"}},
				Match: func(_ context.Context, src scim.RoleSource) ([]scim.Role, error) {
					if src.Group != nil {
						return nil, nil
					}
					return []scim.Role{{Name: src.Value}}, nil
				}},
			sqlstore.RoleColumn{Table: "team_members", User: "user_id", Column: "admin", Base: false,
				Scope: sqlstore.RoleScope{Name: "team:", Column: "team_id", Table: "teams", Key: "id"},
				List:  []scim.Role{{ID: "true", Name: "Team administrator"}},
				Match: func(ctx context.Context, src scim.RoleSource) ([]scim.Role, error) {
					team, isAdmins := strings.CutSuffix(src.Name(), " admins")
					if src.Group == nil || !isAdmins {
						return nil, nil
					}
					var id string
					err := s.DB(ctx).QueryRowContext(ctx, says(p.d, "SELECT CAST(id AS text) FROM teams WHERE name = $1 ORDER BY id LIMIT 1"), team).Scan(&id)
					if errors.Is(err, sql.ErrNoRows) {
						return nil, nil
					}
					return []scim.Role{{Scope: "team:" + id, ID: "true"}}, err
				}},
		}
	})
}

func TestVikunja(t *testing.T) {
	onProducts(t, vikunjaTables, vikunjaWords, func(p *product) {
		vikunja(p)
		list := func(what string) string {
			if p.d == sqlstore.SQLite {
				return "group_concat(" + what + ", ' ' ORDER BY " + what + ")"
			}
			return "string_agg(" + what + ", ' ' ORDER BY " + what + ")"
		}
		isAdmin, yes := "m.admin", "true"
		if p.d == sqlstore.SQLite {
			isAdmin, yes = "m.admin = 1", "1"
		}
		members := func(what, team, want string) {
			p.t.Helper()
			p.want(what, want, p.row("SELECT "+list("u.username || CASE WHEN "+isAdmin+" THEN '*' ELSE '' END")+
				" FROM team_members m JOIN users u ON u.id = m.user_id WHERE m.team_id = "+team))
		}
		ann, bob := p.user("ann"), p.user("bob")
		apollo := p.group("Apollo", ann, bob)
		gemini := p.group("Gemini", ann)
		admins := p.group("Apollo admins", ann)
		members("one of them is an administrator", apollo, "ann* bob")
		members("of this team only", gemini, "ann")
		p.join(admins, bob)
		members("the other too", apollo, "ann* bob*")
		p.leave(admins, bob)
		members("no longer", apollo, "ann* bob")

		p.byHand(bob, scim.Role{ID: "true", Scope: "team:" + apollo}, "UPDATE team_members SET admin = "+yes+" WHERE user_id = "+bob+" AND team_id = "+apollo)
		p.join(admins, bob)
		p.leave(admins, bob)
		members("by hand", apollo, "ann* bob*")

		p.exec("INSERT INTO team_members (team_id, user_id, created) VALUES (" + apollo + ", " + ann + ", '2026-01-01 00:00:00')")
		p.settle(ann)
		members("a second row of one member", apollo, "ann ann* bob*")
		p.leave(admins, ann)
		members("no row is left", apollo, "ann ann bob*")
		p.join(admins, ann)
		members("both rows", apollo, "ann* ann* bob*")

		p.leave(apollo, ann)
		members("without a membership there is no role", apollo, "bob*")
		p.join(apollo, ann)
		members("it comes back with the membership", apollo, "ann* bob*")

		p.set(ann, "active", "false", 200)
		members("deactivated", apollo, "ann bob*")
		p.want("the row", "2", p.row("SELECT CAST(status AS text) FROM users WHERE username = 'ann'"))
		p.set(ann, "active", "true", 200)
		members("reactivated", apollo, "ann* bob*")

		p.set(bob, "roles", `[{"value":"admin"}]`, 200)
		p.want("an administrator of the instance", "bob", p.row("SELECT "+list("username")+" FROM users WHERE is_admin = "+yes))
		p.set(bob, "roles", `[{"value":"Team administrator"}]`, 400)
		p.set(bob, "roles", "", 200)
		p.want("no longer", "", p.row("SELECT "+list("username")+" FROM users WHERE is_admin = "+yes))

		p.group("Odyssey admins", bob)
		odyssey := p.group("Odyssey", bob)
		members("the team is newer than the group of its administrators", odyssey, "bob")
		if err := reconciler(p.h).RolesChanged(p.t.Context()); err != nil {
			p.t.Fatal(err)
		}
		members("the application tells of the new team", odyssey, "bob*")

		p.drop("/Groups/" + admins)
		members("the group of administrators is deleted", apollo, "ann bob*")
		admins = p.group("Apollo admins", ann, bob)
		p.drop("/Users/" + ann)
		members("a user is deleted", apollo, "bob*")
		p.drop("/Groups/" + apollo)
		p.leave(admins, bob)
		p.want("the team is deleted", "0", p.row("SELECT CAST(count(*) AS text) FROM team_members WHERE team_id = "+apollo))
	})
}
