package sqlstore_test

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/rules"
	"github.com/scimkit/scim/store/sqlstore"
)

// listmonk keeps two roles in each row of users. The user role is never NULL. Both refer to
// one table, where an enum says which kind a role is. Role 1 is the super administrator's.
//
//go:embed testdata/products/listmonk.sql
var listmonkTables string

// listmonkPeople is what people have made by hand before SCIM.
//
//go:embed testdata/products/listmonk-people.sql
var listmonkPeople string

const listmonkRoles = `;
INSERT INTO roles (type, name) VALUES ('user', 'Super Admin'), ('user', 'Reader'), ('user', 'Marketing'), ('user', 'Analyst'), ('list', 'Newsletter'), ('list', 'Marketing')`

var listmonkWords = [][3]string{
	{"{types}", `CREATE TYPE list_type AS ENUM ('public', 'private', 'temporary');
CREATE TYPE list_optin AS ENUM ('single', 'double');
CREATE TYPE subscriber_status AS ENUM ('enabled', 'disabled', 'blocklisted');
CREATE TYPE subscription_status AS ENUM ('unconfirmed', 'confirmed', 'unsubscribed');
CREATE TYPE user_type AS ENUM ('user', 'api');
CREATE TYPE user_status AS ENUM ('enabled', 'disabled');
CREATE TYPE role_type AS ENUM ('user', 'list');
CREATE TYPE twofa_type AS ENUM ('none', 'totp');
`, ""},
	{"{list_type}", "list_type", "text"}, {"{list_optin}", "list_optin", "text"}, {"{subscriber_status}", "subscriber_status", "text"},
	{"{subscription_status}", "subscription_status", "text"}, {"{user_type}", "user_type", "text"}, {"{user_status}", "user_status", "text"},
	{"{role_type}", "role_type", "text"}, {"{twofa_type}", "twofa_type", "text"},
	{"{uuid}", "uuid", "text"}, {"{json}", "jsonb", "text"}, {"{texts}", "text[]", "text"}, {"{stored}", "STORED", "VIRTUAL"},
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
	onProducts(t, listmonkTables+listmonkRoles, listmonkWords, func(p *product) {
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
	onProducts(t, listmonkTables+listmonkRoles, listmonkWords, func(p *product) {
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

// enrolled is listmonk as somebody maps it who has read the documentation: the owner is exempt, the
// super administrator's role is protected, and the row of a deleted user stays.
type enrolled struct{ *sqlstore.Store }

// Deactivate ends sessions.
func (s enrolled) Deactivate(ctx context.Context, user *scim.Resource) error {
	_, err := s.DB(ctx).ExecContext(ctx, "DELETE FROM sessions WHERE CAST(data ->> 'user_id' AS text) = $1", user.ID())
	return err
}

const noAccess = 4 // a user role

func enrolledUsers() sqlstore.Table {
	lower := func(v any) (any, error) { return strings.ToLower(v.(string)), nil }
	return sqlstore.Table{
		Type: "User", Name: "users", Key: "id", Created: "created_at", Updated: "updated_at",
		Visible: "t.type = 'user' AND t.deleted_at IS NULL", Unclaimed: sqlstore.FindUnclaimed, Exempt: "t.break_glass",
		Columns: []sqlstore.Column{
			{Name: "email", Path: "userName", To: lower}, {Name: "username", Path: "userName", To: lower, SetOnce: true}, {Name: "name", Path: "displayName", Empty: ""},
			sqlstore.ActiveWhen("status", "enabled", "disabled"),
		},
		Insert: func(context.Context, *scim.Resource) map[string]any { return map[string]any{"user_role_id": noAccess} },
		Retire: func(_ context.Context, _ *scim.Resource, now time.Time) map[string]any {
			return map[string]any{"deleted_at": now, "status": "disabled"}
		},
		Revive: func(context.Context, *scim.Resource) map[string]any { return map[string]any{"deleted_at": nil} },
	}
}

// slots are the declarations of the two columns, and what the policies say.
func slots() (user, list sqlstore.RoleColumn, policies map[string]scim.RolePolicy) {
	user = sqlstore.RoleColumn{Table: "users", User: "id", Column: "user_role_id", Base: noAccess, Scope: sqlstore.RoleScope{Name: "user"},
		Roles: "roles", ID: "id", Name: "name", Protected: "is_super", Where: "t.type = 'user'"}
	list = sqlstore.RoleColumn{Table: "users", User: "id", Column: "list_role_id", Scope: sqlstore.RoleScope{Name: "list"},
		Roles: "roles", ID: "id", Name: "name", Where: "t.type = 'list' AND t.parent_id IS NULL",
		Match: func(_ context.Context, src scim.RoleSource) ([]scim.Role, error) {
			name, isList := strings.CutPrefix(src.Name(), "List: ")
			if !isList {
				return nil, nil
			}
			return []scim.Role{{Name: name}}, nil
		}}
	return user, list, map[string]scim.RolePolicy{"user": {Exclusive: true, Base: fmt.Sprint(noAccess)}, "list": {Exclusive: true}}
}

// enrol opens the endpoint.
func enrol(p *product, more ...scim.Rule) {
	p.t.Helper()
	user, list, policies := slots()
	p.serve(sqlstore.Options{Tables: []sqlstore.Table{enrolledUsers()}}, scim.Roles{PolicyOf: func(scope string) scim.RolePolicy { return policies[scope] }},
		func(*sqlstore.Store) []sqlstore.RoleShape { return []sqlstore.RoleShape{user, list} })
	var err error
	p.h, err = scim.New(scim.Config{Store: enrolled{p.s}, Auth: auth.None(), Roles: &p.roles, Log: slog.New(slog.DiscardHandler),
		Rules: append([]scim.Rule{p.s.Adopt(sqlstore.SamePerson)}, more...)})
	if err != nil {
		p.t.Fatal(err)
	}
}

// listmonkRow is what must not be lost: who somebody is, how they log in, what they may do.
const listmonkRow = `username || ' ' || email || ' ' || user_role_id || '/' || COALESCE(CAST(list_role_id AS text), '-') || ' ' || CAST(status AS text)
	|| ' ' || CAST(type AS text) || ' ' || COALESCE(password, '-') || CAST(twofa_type AS text) || CASE WHEN deleted_at IS NULL THEN '' ELSE ' deleted' END`

// listmonkUsers are the rows of users, by id.
func listmonkUsers(p *product) map[string]string {
	p.t.Helper()
	rows, err := p.db.Query("SELECT CAST(id AS text), " + listmonkRow + " FROM users")
	if err != nil {
		p.t.Fatal(err)
	}
	defer rows.Close() //nolint:errcheck // the test has what it needs
	all := map[string]string{}
	for rows.Next() {
		var id, row string
		if err := rows.Scan(&id, &row); err != nil {
			p.t.Fatal(err)
		}
		all[id] = row
	}
	if err := rows.Err(); err != nil {
		p.t.Fatal(err)
	}
	return all
}

// listmonkAttack is what a client tries, and what it changes in the rows of users.
type listmonkAttack struct {
	name     string
	requests []listmonkRequest
	want     map[string]string // want has the rows that change, by id.
}

type listmonkRequest struct {
	method, path, body string
	status             int
}

// sql is a request to the application: a statement.
func sqlStatement(text string) listmonkRequest { return listmonkRequest{method: "SQL", body: text} }

func listmonkAttacks() []listmonkAttack {
	type all = []listmonkRequest
	post := func(body string, status int) listmonkRequest {
		return listmonkRequest{"POST", "/Users", body, status}
	}
	patch := func(id, ops string, status int) listmonkRequest {
		return listmonkRequest{"PATCH", "/Users/" + id, `{"Operations":[` + ops + `]}`, status}
	}
	remove := func(id string, status int) listmonkRequest {
		return listmonkRequest{"DELETE", "/Users/" + id, "", status}
	}
	group := func(name, members string) listmonkRequest {
		return listmonkRequest{"POST", "/Groups", `{"displayName":"` + name + `","members":[` + members + `]}`, 201}
	}
	const inactive, active = `{"op":"Replace","path":"active","value":"False"}`, `{"op":"Replace","path":"active","value":"True"}`
	const ann = `{"userName":"Ann@example.com","externalId":"a1","displayName":"Ann"}`
	const annRow = "ann@example.com ann@example.com 4/- enabled user -none"
	return []listmonkAttack{
		{"the owner by the name in other case", all{post(`{"userName":"OLIVE@example.com","externalId":"evil"}`, 403), patch("1", inactive, 403),
			{"PUT", "/Users/1", `{"userName":"evil@example.com","active":false}`, 403}, remove("1", 403)}, nil},
		{"the owner in a group", all{{"POST", "/Groups", `{"displayName":"Editor","members":[{"value":"1"}]}`, 403}, group("Editor", `{"value":"1"},{"value":"4"}`)},
			map[string]string{"4": "twin twin@example.com 2/- enabled user hash 4none"}},
		{"the log-in name of somebody as a userName", all{post(`{"userName":"olive"}`, 409), post(`{"userName":"NORA"}`, 409), post(`{"userName":"root"}`, 409)}, nil},
		{"a token of a program", all{post(`{"userName":"root@api"}`, 409), post(`{"userName":"ROOT@api"}`, 409), {"GET", "/Users/10", "", 404}, remove("10", 404),
			patch("2", `{"op":"replace","path":"userName","value":"Root@API"}`, 409), {"POST", "/Groups", `{"displayName":"Editor","members":[{"value":"9"}]}`, 400}}, nil},
		{"whom no client has claimed, by a client that prunes", all{remove("2", 403), remove("3", 403), remove("5", 403), remove("6", 404), remove("7", 403), remove("8", 403)}, nil},
		{"one of two accounts with one address", all{post(`{"userName":"TWIN@example.com","externalId":"t","displayName":"Twin"}`, 409)}, nil},
		{"the account of that spelling", all{post(`{"userName":"Twin@Example.com","externalId":"t","active":false}`, 201), post(`{"userName":"twin@example.com"}`, 409)},
			map[string]string{"5": "TWIN Twin@Example.com 2/- disabled user hash 5none"}},
		{"an import by userName, a PUT, and a new address", all{{"PUT", "/Users/2", `{"userName":"max@example.com","externalId":"m"}`, 200},
			{"PUT", "/Users/2", `{"userName":"Max.New@example.com","externalId":"m"}`, 200}}, map[string]string{"2": "Max max.new@example.com 2/5 enabled user hash 2none"}},
		{"a userName that somebody has", all{patch("2", `{"op":"replace","path":"userName","value":"Olive@Example.COM"}`, 409), patch("7", `{"op":"replace","path":"userName","value":"max@example.com"}`, 409)}, nil},
		{"the group of the super administrators", all{post(ann, 201), group("Super Admin", `{"value":"11"},{"value":"4"}`), group("super admin", `{"value":"11"}`), group("No access", `{"value":"2"}`)},
			map[string]string{"11": annRow}},
		{"a group that becomes that of the super administrators", all{post(ann, 201), group("Editor", `{"value":"11"}`), {"PUT", "/Groups/{group}", `{"displayName":"Super Admin","members":[{"value":"11"},{"value":"4"}]}`, 200}},
			map[string]string{"11": annRow}},
		{"roles that administrators gave, and a group that empties", all{group("Editor", `{"value":"2"},{"value":"3"},{"value":"5"},{"value":"7"},{"value":"8"}`), group("List: Board", `{"value":"2"}`),
			{"PUT", "/Groups/{group}", `{"displayName":"List: Board","members":[]}`, 200}, {"DELETE", "/Groups/{group}", "", 204}}, nil},
		{"a role that an administrator puts in the place of a group's", all{post(ann, 201), group("Editor", `{"value":"11"}`), sqlStatement("UPDATE users SET user_role_id = 1 WHERE id = 11"),
			{"PUT", "/Groups/{group}", `{"displayName":"Editor","members":[]}`, 200}, patch("11", inactive, 200), patch("11", active, 200)},
			map[string]string{"11": "ann@example.com ann@example.com 1/- enabled user -none"}},
		{"deactivated and activated by Entra", all{post(ann, 201), group("Marketing", `{"value":"11"},{"value":"2"}`), group("List: Marketing", `{"value":"11"},{"value":"2"}`), patch("11", inactive, 200), patch("2", inactive, 200)},
			map[string]string{"11": "ann@example.com ann@example.com 4/- disabled user -none", "2": "Max Max@Example.com 2/5 disabled user hash 2none"}},
		{"deleted, and created again", all{post(ann, 201), group("Editor", `{"value":"11"}`), patch("11", inactive, 200), remove("11", 204), {"GET", "/Users/11", "", 404}, post(ann, 201)},
			map[string]string{"11": annRow}},
		{"deleted, and somebody else gets the address", all{post(ann, 201), remove("11", 204), post(`{"userName":"ann@example.com","externalId":"a2"}`, 409)},
			map[string]string{"11": "ann@example.com ann@example.com 4/- disabled user -none deleted"}},
		{"the list role of a group is deleted, and its users with it", all{post(ann, 201), group("List: Board", `{"value":"11"}`), sqlStatement("UPDATE users SET list_role_id = NULL WHERE id = 11"),
			sqlStatement("DELETE FROM roles WHERE id = 6"), {"GET", "/Users/3", "", 404}, {"GET", "/Users/11", "", 200}}, map[string]string{"11": annRow, "3": ""}},
	}
}

// What people have made by hand before SCIM is not lost, not changed and not taken over, whatever a
// client sends.
func TestListmonkHandmade(t *testing.T) {
	for _, attack := range listmonkAttacks() {
		t.Run(attack.name, func(t *testing.T) {
			onProducts(t, listmonkTables+";\n"+listmonkPeople, listmonkWords, func(p *product) {
				enrol(p)
				want := listmonkUsers(p)
				group := ""
				for _, r := range attack.requests {
					if r.method == "SQL" {
						p.exec(r.body)
						continue
					}
					answer := p.do(r.method, strings.ReplaceAll(r.path, "{group}", group), r.body, r.status)
					if id, isGroup := answer["id"].(string); isGroup && r.path == "/Groups" {
						group = id
					}
				}
				for id, row := range attack.want {
					if want[id] = row; row == "" {
						delete(want, id)
					}
				}
				p.want("users", want, listmonkUsers(p))
			})
		})
	}
}

// Whom an administrator has disabled stays so, with the roles that were given by hand: also if a
// client creates the user anew.
func TestListmonkDisabled(t *testing.T) {
	onProducts(t, listmonkTables+";\n"+listmonkPeople, listmonkWords, func(p *product) {
		p.exec("ALTER TABLE users ADD COLUMN is_locked boolean NOT NULL DEFAULT false")
		p.exec("UPDATE users SET is_locked = true WHERE status = 'disabled'")
		enrol(p, rules.KeepSuspended(func(ctx context.Context, user *scim.Resource) (isLocked bool, err error) {
			err = p.s.DB(ctx).QueryRowContext(ctx, "SELECT is_locked FROM users WHERE CAST(id AS text) = $1", user.ID()).Scan(&isLocked)
			return isLocked, err
		}))
		want := listmonkUsers(p)
		p.do("POST", "/Users", `{"userName":"second@example.com","externalId":"s","active":true}`, 201)
		p.do("PUT", "/Users/3", `{"userName":"dora@example.com","externalId":"d","active":true}`, 200)
		p.do("PATCH", "/Users/8", `{"Operations":[{"op":"Replace","path":"active","value":"True"}]}`, 200)
		p.want("users", want, listmonkUsers(p))
	})
}

// A wrong declaration of roles is told when the program starts, and not when a client gives the
// first role.
func TestListmonkRoleMistakes(t *testing.T) {
	type change func(user, list *sqlstore.RoleColumn, policies map[string]scim.RolePolicy)
	mistakes := map[string]change{
		"": func(*sqlstore.RoleColumn, *sqlstore.RoleColumn, map[string]scim.RolePolicy) {},
		"users.user_role_id is NOT NULL: set Base":                                       func(user, _ *sqlstore.RoleColumn, _ map[string]scim.RolePolicy) { user.Base = nil },
		`Base "99": table roles has no such row`:                                         func(user, _ *sqlstore.RoleColumn, _ map[string]scim.RolePolicy) { user.Base = 99 },
		`Base "1" is the protected role "Super Admin"`:                                   func(user, _ *sqlstore.RoleColumn, _ map[string]scim.RolePolicy) { user.Base = 1 },
		"User is username, and the Key of the table users is id":                         func(user, _ *sqlstore.RoleColumn, _ map[string]scim.RolePolicy) { user.User = "username" },
		"User is user_role_id, and the Key of the table users is id":                     func(user, _ *sqlstore.RoleColumn, _ map[string]scim.RolePolicy) { user.User = "user_role_id" },
		"table roles: Protected: column id":                                              func(user, _ *sqlstore.RoleColumn, _ map[string]scim.RolePolicy) { user.Protected = "id" },
		"table roles: Weight: column name holds texts":                                   func(user, _ *sqlstore.RoleColumn, _ map[string]scim.RolePolicy) { user.Weight = "name" },
		"table roles: ID: column name holds texts, and users.user_role_id holds numbers": func(user, _ *sqlstore.RoleColumn, _ map[string]scim.RolePolicy) { user.ID = "name" },
		`the scope "user" is a column, which holds one role: set Exclusive`: func(_, _ *sqlstore.RoleColumn, policies map[string]scim.RolePolicy) {
			policies["user"] = scim.RolePolicy{Base: "4"}
		},
		`the scope "user": Base is "2", and the column's is "4"`: func(_, _ *sqlstore.RoleColumn, policies map[string]scim.RolePolicy) {
			policies["user"] = scim.RolePolicy{Exclusive: true, Base: "2"}
		},
		"not distinct": func(user, list *sqlstore.RoleColumn, _ map[string]scim.RolePolicy) { list.Scope = user.Scope },
	}
	onProducts(t, listmonkTables+";\n"+listmonkPeople, listmonkWords, func(p *product) {
		p.s = newStore(p.t, p.db, p.d, sqlstore.Options{Tables: []sqlstore.Table{enrolledUsers()}})
		for want, change := range mistakes {
			user, list, policies := slots()
			change(&user, &list, policies)
			resolver, err := p.s.RoleResolver(p.t.Context(), user, list)
			if err == nil {
				_, err = scim.New(scim.Config{Store: p.s, Auth: auth.None(), Log: slog.New(slog.DiscardHandler),
					Roles: &scim.Roles{Resolver: resolver, PolicyOf: func(scope string) scim.RolePolicy { return policies[scope] }}})
			}
			if text := fmt.Sprint(err); want == "" && err != nil || !strings.Contains(text, want) || strings.Contains(text, "\n") {
				p.t.Errorf("error %v, want %q in one line", err, want)
			}
		}
	})
}

// A wrong mapping is told by Migrate, and not when a client creates or deletes the first user.
func TestListmonkMistakes(t *testing.T) {
	values := func(v map[string]any) func(context.Context, *scim.Resource) map[string]any {
		return func(context.Context, *scim.Resource) map[string]any { return v }
	}
	retire := func(v map[string]any) func(u *sqlstore.Table) {
		return func(u *sqlstore.Table) {
			u.Retire = func(context.Context, *scim.Resource, time.Time) map[string]any { return v }
		}
	}
	for _, m := range []struct {
		want    string
		isTyped bool // isTyped says that the database must have types.
		change  func(u *sqlstore.Table)
	}{
		{"", false, func(*sqlstore.Table) {}},
		{"column status holds USER_STATUS, and active is a boolean: use ActiveWhen", true, func(u *sqlstore.Table) {
			u.Columns[3] = sqlstore.Column{Name: "status", Path: "active"}
		}},
		{`Insert: column user_role_id cannot hold "No access"`, true, func(u *sqlstore.Table) { u.Insert = values(map[string]any{"user_role_id": "No access"}) }},
		{"column user_role_id is NOT NULL", false, func(u *sqlstore.Table) { u.Insert = nil }},
		{`Retire: column status cannot hold "deleted"`, true, retire(map[string]any{"status": "deleted"})},
		{"Retire: column deleted_at cannot hold 17", true, retire(map[string]any{"deleted_at": 17})},
		{`Revive: column status cannot hold "active"`, true, func(u *sqlstore.Table) { u.Revive = values(map[string]any{"status": "active"}) }},
		{"Updated: column twofa_type cannot hold", true, func(u *sqlstore.Table) { u.Updated = "twofa_type" }},
		{"column password: a password is no attribute that the Store keeps: leave the column out, and see PasswordSetter", false, func(u *sqlstore.Table) {
			u.Columns = append(u.Columns, sqlstore.Column{Name: "password", Path: "password"})
		}},
	} {
		t.Run(m.want, func(t *testing.T) {
			onProducts(t, listmonkTables+";\n"+listmonkPeople, listmonkWords, func(p *product) {
				if m.isTyped && p.d == sqlstore.SQLite {
					p.t.Skip("it has no types")
				}
				u := enrolledUsers()
				m.change(&u)
				s, err := sqlstore.New(p.db, p.d, sqlstore.Options{Tables: []sqlstore.Table{u}})
				if err == nil {
					err = s.Migrate(p.t.Context())
				}
				if text := fmt.Sprint(err); m.want == "" && err != nil || m.want != "" && (!strings.Contains(text, m.want) || strings.Contains(text, "\n")) {
					p.t.Errorf("error %v, want %q in one line", err, m.want)
				}
			})
		})
	}
}

// The subscribers of a list are no users: their keys would be those of other people.
func TestListmonkSubscribers(t *testing.T) {
	onProducts(t, listmonkTables+";\n"+listmonkPeople, listmonkWords, func(p *product) {
		log := &bytes.Buffer{}
		newStore(p.t, p.db, p.d, sqlstore.Options{Log: slog.New(slog.NewTextHandler(log, nil)), Tables: []sqlstore.Table{enrolledUsers(), {
			Type: "Group", Name: "lists", Key: "id", Columns: []sqlstore.Column{{Name: "name", Path: "displayName"}},
			Insert: func(context.Context, *scim.Resource) map[string]any {
				return map[string]any{"uuid": uuid.NewString(), "type": "private"}
			},
		}}, Members: &sqlstore.Join{Name: "subscriber_lists", Group: "list_id", User: "subscriber_id"}})
		if want := "User: column subscriber_id refers to the table subscribers, and not to users"; strings.Count(log.String(), want) != 1 {
			p.t.Errorf("the log does not say %q:\n%s", want, log)
		}
	})
}
