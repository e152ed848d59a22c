package sqlstore_test

import (
	"context"
	"database/sql"
	_ "embed" // the tables
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/rules"
	"github.com/scimkit/scim/store/sqlstore"
)

// Vikunja has teams, whose members may be administrators of the team, without foreign keys
// and without a unique index on team and user. is_admin says who administers the instance.
//
//go:embed testdata/products/vikunja.sql
var vikunjaTables string

var vikunjaWords = [][3]string{{"{flag}", "boolean", "integer"}, {"{no}", "false", "0"}, {"{yes}", "true", "1"}}

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
		p.want("an administrator of the instance", "bob", p.row("SELECT "+list("username")+" FROM users WHERE id > 1 AND is_admin = "+yes))
		p.set(bob, "roles", `[{"value":"Team administrator"}]`, 400)
		p.set(bob, "roles", "", 200)
		p.want("no longer", "", p.row("SELECT "+list("username")+" FROM users WHERE id > 1 AND is_admin = "+yes))

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

// vikunjaByHand is what people have made before SCIM: log-ins, an administrator, teams of their own.
const vikunjaByHand = `
INSERT INTO users (name, username, password, email, status, is_admin, issuer, bot_owner_id, created, updated) VALUES
	('Lars', 'lars', 'hash-2', 'Lars@Example.com', 0, {no}, 'local', NULL, '2026-01-02 00:00:00', '2026-01-02 00:00:00'),
	(NULL, 'nomail', 'hash-3', '', 0, {no}, 'local', NULL, '2026-01-03 00:00:00', '2026-01-03 00:00:00'),
	('Dora', 'dora', 'hash-4', 'dora@example.com', 2, {no}, 'local', NULL, '2026-01-04 00:00:00', '2026-01-04 00:00:00'),
	('Uwe', 'uwe', 'hash-5', 'uwe@example.com', 1, {no}, 'local', NULL, '2026-01-05 00:00:00', '2026-01-05 00:00:00'),
	('Lola', 'lola', 'hash-6', 'lola@example.com', 3, {no}, 'local', NULL, '2026-01-06 00:00:00', '2026-01-06 00:00:00'),
	('Twin', 'twin1', 'hash-7', 'twin@example.com', 0, {no}, 'local', NULL, '2026-01-07 00:00:00', '2026-01-07 00:00:00'),
	('Twin', 'twin2', NULL, 'Twin@example.com', 0, {no}, 'https://idp.example.com', NULL, '2026-01-08 00:00:00', '2026-01-08 00:00:00'),
	('Anna', 'Anna', 'hash-9', 'anna@example.com', 0, {yes}, 'local', NULL, '2026-01-09 00:00:00', '2026-01-09 00:00:00'),
	(NULL, 'bot-ci', '', '', 0, {no}, 'local', 2, '2026-01-10 00:00:00', '2026-01-10 00:00:00');
INSERT INTO teams (name, created_by_id, is_public, external_id, issuer) VALUES
	('Engineering', 1, {yes}, NULL, NULL), ('Holiday', 2, {no}, NULL, NULL), ('Holiday', 9, {no}, NULL, NULL), ('Staff', 8, {no}, 'staff', 'https://idp.example.com');
INSERT INTO team_members (team_id, user_id, admin, created) VALUES
	(1, 1, {yes}, '2026-02-01 00:00:00'), (1, 2, {no}, '2026-02-01 00:00:00'), (1, 5, NULL, '2026-02-01 00:00:00'),
	(2, 2, {yes}, '2026-02-01 00:00:00'), (2, 3, {no}, '2026-02-01 00:00:00'), (3, 9, {yes}, '2026-02-01 00:00:00'), (4, 8, {no}, '2026-02-01 00:00:00');
INSERT INTO sessions (id, user_id, token_hash, created) VALUES ('s1', 2, 'h1', '2026-03-01 00:00:00');
INSERT INTO users_projects (user_id, project_id, permission, created, updated) VALUES (2, 1, 2, '2026-02-01 00:00:00', '2026-02-01 00:00:00');
INSERT INTO api_tokens (title, token_hash, owner_id) VALUES ('cli', 'h', 2)`

// vikunjaUsers maps people as a careful application does: bots are hidden, the first account is
// exempt, and what a client leaves out stays.
func vikunjaUsers() sqlstore.Table {
	return sqlstore.Table{Type: "User", Name: "users", Key: "id", Created: "created", Updated: "updated",
		Visible: "coalesce(t.bot_owner_id, 0) = 0 AND t.deletion_scheduled_at IS NULL", Exempt: "t.id = 1", Unclaimed: sqlstore.FindUnclaimed,
		Columns: []sqlstore.Column{
			{Name: "username", Path: "userName"}, {Name: "name", Path: "displayName", KeepWhenAbsent: true},
			{Name: "email", Path: "emails.value", Of: "work", KeepWhenAbsent: true}, sqlstore.ActiveWhen("status", 0, 2),
		},
		Insert: func(context.Context, *scim.Resource) map[string]any {
			return map[string]any{"created": time.Now().UTC(), "updated": time.Now().UTC(), "issuer": "local"}
		},
		Retire: func(_ context.Context, _ *scim.Resource, now time.Time) map[string]any {
			return map[string]any{"deletion_scheduled_at": now.AddDate(0, 0, 3), "status": 2}
		},
		Revive: func(context.Context, *scim.Resource) map[string]any {
			return map[string]any{"deletion_scheduled_at": nil, "status": 0}
		}}
}

// vikunjaRoles lets a group make administrators, and, if no group is a team, members of the team of
// the same name that SCIM has created.
func vikunjaRoles(teams bool) []sqlstore.RoleShape {
	shapes := []sqlstore.RoleShape{sqlstore.RoleColumn{Table: "users", User: "id", Column: "is_admin", Base: false, Scope: sqlstore.RoleScope{Name: "instance"},
		List: []scim.Role{{ID: "true", Name: "Administrators", Protected: true}}}}
	if !teams {
		return shapes
	}
	return append(shapes, sqlstore.RoleTables{Roles: "teams", ID: "id", Name: "name", Where: "t.issuer = 'scim'", Scope: sqlstore.RoleScope{Name: "teams"},
		Create: func(name string) map[string]any {
			return map[string]any{"created_by_id": 0, "issuer": "scim", "external_id": name}
		},
		Holders: "team_members", User: "user_id", Role: "team_id",
		Insert: func(context.Context, string, string) map[string]any {
			return map[string]any{"admin": false, "created": time.Now().UTC()}
		}})
}

// vikunjaAccounts ends the sessions of leavers.
type vikunjaAccounts struct{ *sqlstore.Store }

func (a vikunjaAccounts) Deactivate(ctx context.Context, user *scim.Resource) error {
	_, err := a.DB(ctx).ExecContext(ctx, "DELETE FROM sessions WHERE user_id = "+user.ID())
	return err
}

// status returns the column of that name.
func (a vikunjaAccounts) status(ctx context.Context, id string) (n int, err error) {
	err = a.DB(ctx).QueryRowContext(ctx, "SELECT status FROM users WHERE id = "+id).Scan(&n)
	return n, err
}

// vikunjaHandMade opens the endpoint over what people have made. groups is the table of teams, if groups
// are teams.
func vikunjaHandMade(p *product, groups *sqlstore.Table) {
	p.t.Helper()
	for _, text := range strings.Split(vikunjaByHand, ";\n") {
		for _, w := range vikunjaWords {
			text = strings.ReplaceAll(text, w[0], w[map[sqlstore.Dialect]int{sqlstore.Postgres: 1, sqlstore.SQLite: 2}[p.d]])
		}
		p.exec(text)
	}
	o := sqlstore.Options{Tables: []sqlstore.Table{vikunjaUsers()}, Log: slog.New(slog.DiscardHandler)}
	p.roles = scim.Roles{Missing: scim.CreateRole, KeepLastHolder: true,
		PolicyOf: func(scope string) scim.RolePolicy { return scim.RolePolicy{Exclusive: scope == "instance"} }}
	if groups != nil {
		o.Tables, p.roles.Missing = append(o.Tables, *groups), scim.LinkLater
		o.Members = &sqlstore.Join{Name: "team_members", Group: "team_id", User: "user_id", Since: "created", Insert: func(context.Context, string, string) map[string]any {
			return map[string]any{"created": time.Now().UTC(), "admin": false}
		}}
	}
	p.s = newStore(p.t, p.db, p.d, o)
	var err error
	if p.roles.Resolver, err = p.s.RoleResolver(p.t.Context(), vikunjaRoles(groups == nil)...); err != nil {
		p.t.Fatal(err)
	}
	store := vikunjaAccounts{p.s}
	p.h, err = scim.New(scim.Config{Store: store, Auth: auth.None(), Roles: &p.roles, Log: slog.New(slog.DiscardHandler), Rules: []scim.Rule{
		p.s.Adopt(sqlstore.SamePerson),
		rules.AdoptByEmail(func(ctx context.Context, account *scim.Resource, _ string) (bool, error) {
			n, err := store.status(ctx, account.ID())
			return n != 1, err
		}),
		rules.Unique("User", "emails.value"),
		rules.KeepSuspended(func(ctx context.Context, user *scim.Resource) (bool, error) {
			n, err := store.status(ctx, user.ID())
			return n == 1 || n == 3, err
		}),
	}})
	if err != nil {
		p.t.Fatal(err)
	}
}

// lines returns the rows of a query with one text.
func (p *product) lines(query string) (all []string) {
	p.t.Helper()
	rows, err := p.db.Query(query)
	if err != nil {
		p.t.Fatal(err)
	}
	defer rows.Close() //nolint:errcheck // all rows are read
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			p.t.Fatal(err)
		}
		all = append(all, s)
	}
	if err := rows.Err(); err != nil {
		p.t.Fatal(err)
	}
	return all
}

// yes is a boolean in SQL.
func (p *product) yes() string {
	if p.d == sqlstore.SQLite {
		return "1"
	}
	return "true"
}

// people returns the users as the application has them.
func (p *product) people() []string {
	p.t.Helper()
	return p.lines(`SELECT id || ' ' || username || ' ' || coalesce(name, '-') || ' ' || coalesce(email, '-') || ' ' || status || ' ' || CASE WHEN is_admin = ` + p.yes() + `
		THEN 'admin ' ELSE '' END || coalesce(password, '-') FROM users WHERE id < 11 ORDER BY id`)
}

// handMade returns the memberships in teams that people have made.
func (p *product) handMade() []string {
	p.t.Helper()
	return p.lines(`SELECT t.id || ' ' || t.name || ' ' || m.user_id || CASE WHEN m.admin = ` + p.yes() + `
		THEN '*' ELSE '' END FROM team_members m JOIN teams t ON t.id = m.team_id WHERE t.id < 5 ORDER BY t.id, m.user_id`)
}

// harmless sends requests that must change nothing of what people have made.
func (p *product) harmless(requests ...[3]string) {
	p.t.Helper()
	people, members := p.people(), p.handMade()
	for _, r := range requests {
		method, path, _ := strings.Cut(r[0], " ")
		want, err := strconv.Atoi(r[2])
		if err != nil {
			p.t.Fatal(err)
		}
		p.do(method, path, r[1], want)
		p.want(r[0]+" "+r[1]+": people", people, p.people())
		p.want(r[0]+" "+r[1]+": members", members, p.handMade())
	}
}

// What people have made by hand survives clients that import, replace, prune, adopt and delete.
func TestVikunjaHandMadePeople(t *testing.T) {
	onProducts(t, vikunjaTables, vikunjaWords, func(p *product) {
		vikunjaHandMade(p, nil)
		p.want("a list", float64(0), p.do("GET", "/Users", "", 200)["totalResults"])
		p.harmless(
			[3]string{"POST /Users", `{"userName":"lola","externalId":"l","active":true}`, "201"},
			[3]string{"POST /Users", `{"userName":"Dora","externalId":"d"}`, "201"},
			[3]string{"DELETE /Users/2", "", "403"}, [3]string{"DELETE /Users/3", "", "403"}, [3]string{"DELETE /Users/9", "", "403"},
			[3]string{"PUT /Users/2", `{"userName":"lars"}`, "200"}, [3]string{"PUT /Users/2", `{"userName":"LARS","active":true}`, "200"},
			[3]string{"PUT /Users/3", `{"userName":"nomail"}`, "200"},
			[3]string{"PUT /Users/5", `{"userName":"uwe","active":true}`, "200"}, [3]string{"PUT /Users/6", `{"userName":"lola","active":true}`, "200"},
			[3]string{"PUT /Users/1", `{"userName":"owner","active":false}`, "403"}, [3]string{"DELETE /Users/1", "", "403"},
			[3]string{"PATCH /Users/1", `{"Operations":[{"op":"Replace","path":"active","value":"False"}]}`, "403"},
			[3]string{"POST /Users", `{"userName":"OWNER","externalId":"x"}`, "403"},
			[3]string{"POST /Users", `{"userName":"boss","emails":[{"value":"Owner@example.com","type":"work","primary":true}]}`, "403"},
			[3]string{"PUT /Users/7", `{"userName":"TWIN2"}`, "409"},
			[3]string{"GET /Users/10", "", "404"}, [3]string{"DELETE /Users/10", "", "404"}, [3]string{"POST /Users", `{"userName":"bot-ci"}`, "409"},
			[3]string{"POST /Users", `{"userName":"twin","emails":[{"value":"TWIN@example.com","type":"work","primary":true}]}`, "409"},
			[3]string{"POST /Users", `{"userName":"uwe2","emails":[{"value":"uwe@example.com","type":"work","primary":true}]}`, "409"},
			[3]string{"POST /Users", `{"userName":"anna","externalId":"a","emails":[{"value":"anna@example.com","type":"work","primary":true}]}`, "201"},
			[3]string{"POST /Users", `{"userName":"evil","is_admin":true,"roles":[{"value":"Administrators"}],"entitlements":[{"value":"true"}]}`, "201"},
		)
		p.want("nobody else is an administrator", "2", p.row("SELECT CAST(count(*) AS text) FROM users WHERE is_admin = "+p.yes()))

		p.do("PATCH", "/Users/2", `{"Operations":[{"op":"Replace","path":"emails[type eq \"work\"].value","value":"lars.new@example.com"}]}`, 200)
		p.want("an address that a client changes", "lars.new@example.com", p.row("SELECT email FROM users WHERE id = 2"))

		before := p.handMade()
		p.set("2", "active", "false", 200)
		p.want("the sessions end", "0", p.row("SELECT CAST(count(*) AS text) FROM sessions"))
		p.set("2", "active", "true", 200)
		p.want("the memberships stay", before, p.handMade())
		p.want("the shares stay", "1", p.row("SELECT CAST(count(*) AS text) FROM users_projects"))
		p.want("the tokens stay", "1", p.row("SELECT CAST(count(*) AS text) FROM api_tokens"))
	})
}

// Groups of a client give memberships of teams that SCIM has created, whatever they are called, and
// make administrators only after a decision.
func TestVikunjaHandMadeTeams(t *testing.T) {
	onProducts(t, vikunjaTables, vikunjaWords, func(p *product) {
		vikunjaHandMade(p, nil)
		ann := p.user("ann")
		for _, name := range []string{"Engineering", "Holiday", "Staff"} {
			id := p.group(name, ann, "2")
			p.want("a team of its own", "2", p.row("SELECT CAST(count(*) AS text) FROM team_members m JOIN teams t ON t.id = m.team_id WHERE t.issuer = 'scim' AND t.name = '"+name+"'"))
			p.harmless(
				[3]string{"PATCH /Groups/" + id, `{"Operations":[{"op":"replace","path":"members","value":[` + values([]string{ann}) + `]}]}`, "204"},
				[3]string{"PUT /Groups/" + id, `{"displayName":"` + name + ` 2","members":[]}`, "200"}, [3]string{"DELETE /Groups/" + id, "", "204"},
			)
		}
		p.harmless([3]string{"PUT /Groups/2", `{"displayName":"Mine","members":[]}`, "404"}, [3]string{"DELETE /Groups/2", "", "404"},
			[3]string{"POST /Groups", `{"displayName":"administrators"}`, "400"}, [3]string{"POST /Groups", `{"displayName":"Administrators "}`, "400"})

		dev := p.group("Dev", ann)
		team := p.row("SELECT CAST(id AS text) FROM teams WHERE name = 'Dev'")
		in := func(user string) string {
			return p.row("SELECT CAST(count(*) AS text) FROM team_members WHERE team_id = " + team + " AND user_id = " + user)
		}
		p.exec("INSERT INTO team_members (team_id, user_id, created) VALUES (" + team + ", 3, '2026-04-01 00:00:00')")
		p.do("PUT", "/Groups/"+dev, `{"displayName":"Dev","members":[`+values([]string{ann, "3"})+`]}`, 200)
		p.do("PUT", "/Groups/"+dev, `{"displayName":"Dev","members":[]}`, 200)
		p.want("the membership that a client gave", "0", in(ann))
		p.want("the membership by hand, which the client named meanwhile", "1", in("3"))

		admins := p.group("Administrators", ann, "9")
		want := func(what, user string, admin bool) {
			p.t.Helper()
			p.want(what, map[bool]string{true: "1", false: "0"}[admin], p.row("SELECT CAST(count(*) AS text) FROM users WHERE is_admin = "+p.yes()+" AND id = "+user))
		}
		want("a group of this name waits", ann, false)
		if err := reconciler(p.h).Confirm(p.t.Context(), admins, scim.Role{Scope: "instance", ID: "true"}); err != nil {
			p.t.Fatal(err)
		}
		want("confirmed", ann, true)
		p.leave(admins, "9")
		want("by hand", "9", true)
		p.drop("/Groups/" + admins)
		want("the group is gone", ann, false)
		want("by hand", "9", true)
	})
}

// Teams that are the client's are visible, and those that people have made are not.
func TestVikunjaManagedTeams(t *testing.T) {
	onProducts(t, vikunjaTables, vikunjaWords, func(p *product) {
		vikunjaHandMade(p, &sqlstore.Table{Type: "Group", Name: "teams", Key: "id", Updated: "updated", Visible: "t.issuer = 'scim'", Unclaimed: sqlstore.FindUnclaimed,
			Columns: []sqlstore.Column{{Name: "name", Path: "displayName"}},
			Insert: func(context.Context, *scim.Resource) map[string]any {
				return map[string]any{"created_by_id": 0, "issuer": "scim"}
			}})
		ann := p.user("ann")
		p.harmless([3]string{"GET /Groups/2", "", "404"}, [3]string{"PUT /Groups/2", `{"displayName":"Mine"}`, "404"}, [3]string{"DELETE /Groups/2", "", "404"})
		for _, name := range []string{"Engineering", "holiday"} {
			id := p.group(name, ann, "2")
			p.harmless([3]string{"PUT /Groups/" + id, `{"displayName":"` + name + `"}`, "200"}, [3]string{"DELETE /Groups/" + id, "", "204"})
		}
		dev := p.group("Dev", ann)
		p.exec("INSERT INTO team_members (team_id, user_id, created) VALUES (" + dev + ", 3, '2026-04-01 00:00:00'), (" + dev + ", 1, '2026-04-01 00:00:00')")
		p.do("PUT", "/Groups/"+dev, `{"displayName":"Dev","members":[`+values([]string{"2"})+`]}`, 200)
		p.do("PATCH", "/Groups/"+dev, `{"Operations":[{"op":"remove","path":"members"}]}`, 204)
		p.want("whom the application has added", []string{"1", "3"}, p.lines("SELECT CAST(user_id AS text) FROM team_members WHERE team_id = "+dev+" ORDER BY user_id"))
		p.do("PATCH", "/Groups/"+dev, `{"Operations":[{"op":"remove","path":"members[value eq \"1\"]"}]}`, 403)
	})
}
