package sqlstore_test

import (
	"context"
	"database/sql"
	_ "embed" // memosTables
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/store/sqlstore"
)

// memosTables are what memos has of people and spaces. "user" has a role in each row, a text that is
// never NULL. A space has members with a role, one for each. Times are seconds, no foreign key
// is about people, and a person may have no e-mail address.
//
//go:embed testdata/products/memos.sql
var memosTables string

var memosWords = [][3]string{{"{seconds}", "(CAST(extract(epoch FROM now()) AS bigint))", "(strftime('%s', 'now'))"}}

const memosSpaces = `;
INSERT INTO space (uid, title) VALUES ('research', 'Research'), ('sales', 'Sales')`

// memos lets the group "Admins" give the role of the user's row, and groups such as "Research
// ADMIN" those of spaces.
func memos(p *product) {
	p.serve(sqlstore.Options{Tables: []sqlstore.Table{{
		Type: "User", Name: `"user"`, Key: "id",
		Columns: []sqlstore.Column{
			{Name: "username", Path: "userName"}, {Name: "email", Path: "emails.value"}, {Name: "nickname", Path: "displayName", Empty: ""},
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
				List:  []scim.Role{{ID: "USER", Name: "Member", Weight: 1}, {ID: "ADMIN", Name: "Administrator", Weight: 2}}, Insert: memosActive,
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

// memosActive makes a member who need not accept an invitation.
func memosActive(context.Context, string, string) map[string]any {
	return map[string]any{"status": "ACTIVE"}
}

func TestMemos(t *testing.T) {
	onProducts(t, memosTables+memosSpaces, memosWords, func(p *product) {
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
		admins, viewers := p.group("Admins", ann), p.group("Research USER", ann, bob)
		roles("a role of the instance, and one of a space", ann, "ADMIN Research:USER")
		roles("one of a space", bob, "USER Research:USER")
		editors := p.group("Research ADMIN", ann)
		roles("the heavier one of a space", ann, "ADMIN Research:ADMIN")
		all := p.group("All USER", bob)
		roles("one group, the roles of two spaces", bob, "USER Research:USER Sales:USER")
		p.leave(editors, ann)
		p.leave(admins, ann)
		roles("the lighter one is left", ann, "USER Research:USER")

		p.exec("INSERT INTO space_member (space_id, user_id, status, role) VALUES (2, " + ann + ", 'ACTIVE', 'USER')")
		sales := p.group("Sales ADMIN", ann)
		roles("by hand in a space", ann, "USER Research:USER Sales:USER")
		p.drop("/Groups/" + sales)
		roles("it stays", ann, "USER Research:USER Sales:USER")

		p.exec(`UPDATE "user" SET role = 'HOST' WHERE id = ` + ann)
		p.join(admins, ann)
		roles("a value that is not declared keeps its place", ann, "HOST Research:USER Sales:USER")
		p.leave(admins, ann)
		p.exec(`UPDATE "user" SET role = 'USER' WHERE id = ` + ann)

		p.set(ann, "userType", `"Admins"`, 200)
		roles("an attribute", ann, "ADMIN Research:USER Sales:USER")
		p.set(ann, "userType", `"Users"`, 200)
		roles("the base role by its name", ann, "USER Research:USER Sales:USER")
		p.set(ann, "userType", `"Guests"`, 400)

		p.set(bob, "active", "false", 200)
		roles("deactivated", bob, "USER")
		p.set(bob, "active", "true", 200)
		roles("reactivated", bob, "USER Research:USER Sales:USER")

		p.exec("DELETE FROM space_member WHERE space_id = 2")
		p.exec("DELETE FROM space WHERE id = 2")
		p.join(all, ann)
		roles("a space is deleted, without a word to the library", ann, "USER Research:USER")
		if err := reconciler(p.h).RolesChanged(p.t.Context()); err != nil {
			p.t.Fatal(err)
		}
		roles("with a word", bob, "USER Research:USER")
		p.drop("/Groups/" + viewers)
		p.drop("/Groups/" + all)
		roles("all groups are deleted", bob, "USER")
		p.group("Research USER", bob)
		p.drop("/Users/" + bob)
		p.exec("INSERT INTO space_member (space_id, user_id, status, role) VALUES (1, " + ann + ", 'ACTIVE', 'ADMIN')")
		p.drop("/Users/" + ann)
		p.want("users are deleted, and what refers to their rows", "0 0", p.row(`SELECT count(*) || ' ' || (SELECT count(*) FROM space_member) FROM "user"`))
	})
}

// The unique index of space_member allows one role in a space. A role that is given by hand
// while a request is about to give another one stays, and the other one waits.
func TestMemosMeanwhile(t *testing.T) {
	onProducts(t, memosTables+memosSpaces, memosWords, func(p *product) {
		memos(p)
		ann, bob := p.user("ann"), p.user("bob")
		resolver := p.roles.Resolver
		give := func(user string) error {
			return resolver.ChangeRoles(p.t.Context(), []scim.RoleChange{{UserID: user, Grant: []scim.Role{{ID: "ADMIN", Scope: "space:1"}}}})
		}
		p.exec("INSERT INTO space_member (space_id, user_id, status, role) VALUES (1, " + bob + ", 'ACTIVE', 'USER')")
		if err := give(bob); err == nil || !strings.Contains(err.Error(), "does scope \"space:1\" need Exclusive?") {
			p.t.Errorf("a second role in one space: error %v", err)
		}
		if p.d == sqlstore.SQLite {
			return // A request excludes other writers.
		}
		group := p.group("Research ADMIN")
		p.roles.Resolver = roleMeanwhile{resolver, new(sync.Once), func() {
			p.exec("INSERT INTO space_member (space_id, user_id, status, role) VALUES (1, " + ann + ", 'ACTIVE', 'USER')")
		}}
		p.open()
		p.join(group, ann)
		role := "SELECT role FROM space_member WHERE user_id = " + ann
		p.want("by hand", "USER", p.row(role))
		p.exec("DELETE FROM space_member WHERE user_id = " + ann)
		p.settle(ann)
		p.want("it has waited", "ADMIN", p.row(role))
	})
}

// memosPeople are from before SCIM: accounts with local log-ins, one address in two spellings, people
// without an address, somebody who is disabled, invitations, and private spaces.
const memosPeople = `;
INSERT INTO "user" (username, role, email, nickname, password_hash, row_status) VALUES
	('wren', 'ADMIN', 'wren@x.example', 'Wren', '$wren', 'NORMAL'), ('ada', 'USER', 'ada@x.example', 'Ada', '$ada', 'NORMAL'),
	('Bo', 'USER', 'bo@x.example', 'Bo Berg', '$bo3', 'NORMAL'), ('bo', 'USER', NULL, 'Bo Holm', '$bo4', 'NORMAL'),
	('cleo', 'USER', 'Cleo@X.example', 'Cleo', '$cleo', 'NORMAL'), ('cleo-2', 'ADMIN', 'cleo@x.example', 'Cleo Two', '$c2', 'NORMAL'),
	('dan', 'USER', 'dan@x.example', 'Dan', '$dan', 'ARCHIVED'), ('eve', 'ADMIN', NULL, 'Eve', '$eve', 'NORMAL');
INSERT INTO user_identity (user_id, provider, extern_uid) VALUES (2, 'okta', '00uada');
INSERT INTO space (uid, title, payload) VALUES ('engineering', 'Engineering', '{"directory":true}'), ('wren-notes', 'engineering', '{}'),
	('marketing', 'Marketing', '{"directory":true}'), ('eve-admins', 'Admins', '{}');
INSERT INTO space_member VALUES (1, 2, 'ACTIVE', 'ADMIN'), (1, 3, 'ACTIVE', 'USER'), (1, 5, 'INVITED', 'USER'), (2, 1, 'ACTIVE', 'ADMIN'),
	(3, 8, 'ACTIVE', 'ADMIN'), (3, 7, 'ACTIVE', 'USER'), (4, 8, 'ACTIVE', 'ADMIN')`

// memosByAddress maps the address people get from the directory. The group "memos-<uid>" gives a
// membership of the space, if its administrators have opened it to the directory.
func memosByAddress(p *product) {
	p.serve(sqlstore.Options{Tables: []sqlstore.Table{{
		Type: "User", Name: `"user"`, Key: "id", Unclaimed: sqlstore.FindUnclaimed, Visible: "t.left_ts IS NULL", Exempt: "t.id = 1",
		Columns: []sqlstore.Column{
			{Name: "email", Path: "userName", To: func(v any) (any, error) { return strings.ToLower(v.(string)), nil }},
			{Name: "nickname", Path: "displayName", Empty: "", KeepWhenAbsent: true},
			{Name: "role", Path: "userType", ReadOnly: true},
			sqlstore.ActiveWhen("row_status", "NORMAL", "ARCHIVED"),
		},
		Insert: func(_ context.Context, r *scim.Resource) map[string]any {
			name, _, _ := strings.Cut(r.String("userName"), "@")
			return map[string]any{"username": "scim-" + name, "password_hash": "!"}
		},
		Retire: func(_ context.Context, _ *scim.Resource, now time.Time) map[string]any {
			return map[string]any{"left_ts": now.Unix()}
		},
		Revive: func(context.Context, *scim.Resource) map[string]any { return map[string]any{"left_ts": nil} },
	}}}, scim.Roles{Exclusive: true}, func(s *sqlstore.Store) []sqlstore.RoleShape {
		return []sqlstore.RoleShape{
			sqlstore.RoleColumn{Table: `"user"`, User: "id", Column: "role", Base: "USER", List: []scim.Role{{ID: "ADMIN", Name: "Admins", Protected: true}}},
			sqlstore.RoleTables{Holders: "space_member", User: "user_id", Role: "role", Insert: memosActive,
				Scope: sqlstore.RoleScope{Name: "space:", Column: "space_id", Table: "space", Key: "id"},
				List:  []scim.Role{{ID: "USER", Name: "Member"}, {ID: "ADMIN", Name: "Administrator", Weight: 1}},
				Match: func(ctx context.Context, src scim.RoleSource) ([]scim.Role, error) {
					uid, _ := strings.CutPrefix(src.Name(), "memos-")
					uid, isAdmin := strings.CutSuffix(uid, "-admins")
					var id string
					err := s.DB(ctx).QueryRowContext(ctx, "SELECT CAST(id AS text) FROM space WHERE uid = $1 AND payload LIKE '%\"directory\":true%'", uid).Scan(&id)
					if errors.Is(err, sql.ErrNoRows) {
						return src.Linked, nil
					}
					return []scim.Role{{Scope: "space:" + id, ID: map[bool]string{false: "USER", true: "ADMIN"}[isAdmin]}}, err
				}},
		}
	})
	var err error
	if p.h, err = scim.New(scim.Config{Store: p.s, Auth: auth.None(), Roles: &p.roles, Rules: []scim.Rule{p.s.Adopt(sqlstore.SamePerson)},
		Log: slog.New(slog.DiscardHandler)}); err != nil {
		p.t.Fatal(err)
	}
}

// memosAccount is what the row of a user says.
func memosAccount(p *product, id string) string {
	return p.row(`SELECT username || ' ' || role || ' ' || coalesce(email, '-') || ' ' || nickname || ' ' || password_hash || ' ' || row_status FROM "user" WHERE id = ` + id)
}

// memosMembers are the members of a space: the users with the first letters of status and role.
func memosMembers(p *product, space string) string {
	p.t.Helper()
	rows, err := p.db.Query("SELECT user_id, status, role FROM space_member WHERE space_id = " + space + " ORDER BY user_id")
	if err != nil {
		p.t.Fatal(err)
	}
	defer rows.Close() //nolint:errcheck // Err tells
	var all []string
	for rows.Next() {
		var user, status, role string
		if err := rows.Scan(&user, &status, &role); err != nil {
			p.t.Fatal(err)
		}
		all = append(all, user+status[:1]+role[:1])
	}
	if err := rows.Err(); err != nil {
		p.t.Fatal(err)
	}
	return strings.Join(all, " ")
}

// Accounts that people have made themselves stay theirs, whatever a client finds, creates and deletes.
func TestMemosAccounts(t *testing.T) {
	onProducts(t, memosTables+memosPeople, memosWords, func(p *product) {
		memosByAddress(p)
		account := func(what, id, want string) {
			p.t.Helper()
			p.want(what, want, memosAccount(p, id))
		}
		post := func(name, external string, want int) any {
			p.t.Helper()
			return p.do("POST", "/Users", `{"userName":"`+name+`","externalId":"`+external+`","active":true,"userType":"ADMIN","password":"x"}`, want)["id"]
		}
		p.want("lists leave out whom no client has claimed", 0.0, p.do("GET", "/Users", "", 200)["totalResults"])
		p.do("DELETE", "/Users/2", "", 403)
		p.do("PUT", "/Users/1", `{"userName":"wren@x.example","active":false}`, 403)
		p.do("DELETE", "/Users/1", "", 403)
		p.do("GET", "/Users/8", "", 404)

		p.do("PUT", "/Users/2", `{"userName":"ADA@x.example","externalId":"e2","active":true,"name":{"givenName":"A"}}`, 200)
		account("a PUT with another spelling, and without the name", "2", "ada USER ada@x.example Ada $ada NORMAL")
		p.do("PUT", "/Users/2", `{"userName":"WREN@x.example"}`, 409)
		p.want("a POST adopts the account in another spelling", "3", post("BO@x.example", "e3", 201))
		account("its log-in", "3", "Bo USER bo@x.example Bo Berg $bo3 NORMAL")
		post("bo@x.example", "e4", 409)
		post("CLEO@x.example", "e5", 409)
		account("nobody can tell whose it is", "5", "cleo USER Cleo@X.example Cleo $cleo NORMAL")
		p.want("the account that spells it so", "6", post("cleo@x.example", "e6", 201))
		account("its role", "6", "cleo-2 ADMIN cleo@x.example Cleo Two $c2 NORMAL")
		p.want("somebody without an address is somebody else", "9", post("eve@x.example", "e8", 201))
		account("a new account has no role and no password", "9", "scim-eve USER eve@x.example  ! NORMAL")
		account("the one without an address", "8", "eve ADMIN - Eve $eve NORMAL")

		p.drop("/Users/3")
		p.want("who comes back", "3", post("bo@x.example", "e3", 201))
		p.want("is no member any more", "2AA 5IU", memosMembers(p, "1"))
		p.drop("/Users/9")
		p.want("who is deleted keeps the row", "scim-eve", p.row(`SELECT username FROM "user" WHERE id = 9 AND left_ts > 1600000000`))
		post("eve@x.example", "other", 409)
		p.want("who comes back", "9", post("EVE@x.example", "e8", 201))
		p.drop("/Users/6")
		post("cleo@x.example", "e7", 201) // the other Cleo is the only one then
		account("the other one has no role", "5", "cleo USER Cleo@X.example Cleo $cleo NORMAL")
		p.want("administrators", "2", p.row(`SELECT count(*) FROM "user" WHERE role = 'ADMIN'`))
	})
}

// Memberships that people have made themselves stay, and nobody gets a role that nobody has decided.
func TestMemosSpaces(t *testing.T) {
	onProducts(t, memosTables+memosPeople, memosWords, func(p *product) {
		memosByAddress(p)
		space := func(what, id, want string) {
			p.t.Helper()
			p.want(what, want, memosMembers(p, id))
		}
		put := func(group, name string, members ...string) {
			p.t.Helper()
			p.do("PUT", "/Groups/"+group, `{"displayName":"`+name+`","members":[`+values(members)+`]}`, 200)
		}
		const before = "2AA 3AU 5IU"
		group := p.group("memos-engineering", "2", "3", "5", "6", "1")
		space("the directory adds who is no member; an invitation stays one", "1", before+" 6AU")
		admins := p.group("memos-engineering-admins", "3", "6")
		space("who is a member by hand stays one", "1", before+" 6AA")
		put(group, "memos-engineering")
		put(admins, "memos-engineering-admins")
		space("the directory takes what it gave", "1", before)

		put(group, "memos-engineering", "6", "7")
		space("who is disabled gets nothing", "1", before+" 6AU")
		put(group, "memos-marketing", "6", "7")
		space("a group with another name leaves", "1", before)
		space("and comes", "3", "6AU 7AU 8AA")
		p.drop("/Groups/" + group)
		space("a group is deleted", "3", "7AU 8AA")
		p.group("memos-engineering", "6")
		space("and created again", "1", before+" 6AU")
		p.set("6", "active", "false", 200)
		space("who is deactivated", "1", before)

		for _, name := range []string{"memos-wren-notes", "memos-eve-admins", "memos-eve", "engineering", "Engineering", "Member", "Administrator", "ADMIN", "USER", "admins", "Admins"} {
			p.group(name, "2", "3")
		}
		space("a private space, by its uid", "2", "1AA")
		space("a private space, by a title like a role", "4", "8AA")
		space("the names of roles", "1", before)
		p.want("administrators", "3 of 3", p.row(`SELECT count(*) || ' of ' || (SELECT count(*) FROM "user" WHERE role = 'ADMIN' AND id IN (1, 6, 8)) FROM "user" WHERE role = 'ADMIN'`))
	})
}
