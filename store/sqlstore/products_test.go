package sqlstore_test

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/store/sqlstore"
)

// product is an application with tables as an open-source product has them, as far as roles
// need them, behind an endpoint.
type product struct {
	app
	h     *scim.Handler
	roles scim.Roles
}

// onProducts runs a test on each database with the tables of a script. words are what
// differs: a word, its form in PostgreSQL, its form in SQLite.
func onProducts(t *testing.T, script string, words [][3]string, test func(p *product)) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		switch d {
		case sqlstore.SQLite:
			db = relaxed(t)
		case sqlstore.MariaDB:
			return // The products do not run on it, or with other tables.
		}
		own := script
		for _, w := range words {
			form := w[1]
			if d == sqlstore.SQLite {
				form = w[2]
			}
			own = strings.ReplaceAll(own, w[0], form)
		}
		p := &product{app: app{t: t, db: db, d: d}}
		for _, text := range inDialect(d, own) {
			if strings.TrimSpace(text) != "" {
				p.exec(text)
			}
		}
		test(p)
	})
}

// serve makes the store and opens the endpoint.
func (p *product) serve(o sqlstore.Options, roles scim.Roles, shapes func(s *sqlstore.Store) []sqlstore.RoleShape) {
	p.t.Helper()
	p.s = newStore(p.t, p.db, p.d, o)
	var err error
	if roles.Resolver, err = p.s.RoleResolver(p.t.Context(), shapes(p.s)...); err != nil {
		p.t.Fatal(err)
	}
	p.roles = roles
	p.open()
}

// open opens the endpoint.
func (p *product) open() {
	p.t.Helper()
	var err error
	if p.h, err = scim.New(scim.Config{Store: p.s, Auth: auth.None(), Roles: &p.roles, Log: slog.New(slog.DiscardHandler)}); err != nil {
		p.t.Fatal(err)
	}
}

func (p *product) do(method, path, body string, want int) map[string]any {
	p.t.Helper()
	status, answer := serve(p.t, p.h, method, path, body)
	if status != want {
		p.t.Fatalf("%s %s %s: %d %v, want %d", method, path, body, status, answer, want)
	}
	return answer
}

// user creates a user.
func (p *product) user(name string) (id string) {
	p.t.Helper()
	return p.do("POST", "/Users", fmt.Sprintf(`{"userName":%q,"emails":[{"value":"%s@example.com","primary":true}]}`, name, name), 201)["id"].(string)
}

// group creates a group.
func (p *product) group(name string, members ...string) (id string) {
	p.t.Helper()
	return p.do("POST", "/Groups", fmt.Sprintf(`{"displayName":%q,"members":[%s]}`, name, values(members)), 201)["id"].(string)
}

// values returns ids as values of members.
func values(ids []string) string {
	all := make([]string, len(ids))
	for i, id := range ids {
		all[i] = fmt.Sprintf(`{"value":%q}`, id)
	}
	return strings.Join(all, ",")
}

func (p *product) join(group string, users ...string) {
	p.t.Helper()
	p.do("PATCH", "/Groups/"+group, `{"Operations":[{"op":"add","path":"members","value":[`+values(users)+`]}]}`, 204)
}

func (p *product) leave(group, user string) {
	p.t.Helper()
	p.do("PATCH", "/Groups/"+group, `{"Operations":[{"op":"remove","path":"members[value eq \"`+user+`\"]"}]}`, 204)
}

// set changes an attribute of a user.
func (p *product) set(user, path, value string, want int) map[string]any {
	p.t.Helper()
	op := `{"op":"replace","path":"` + path + `","value":` + value + `}`
	if value == "" {
		op = `{"op":"remove","path":"` + path + `"}`
	}
	return p.do("PATCH", "/Users/"+user, `{"Operations":[`+op+`]}`, want)
}

// drop deletes a resource.
func (p *product) drop(path string) {
	p.t.Helper()
	p.do("DELETE", path, "", 204)
}

// settle reconciles users after a change of the application.
func (p *product) settle(users ...string) {
	p.t.Helper()
	if err := reconciler(p.h).Users(p.t.Context(), users...); err != nil {
		p.t.Fatal(err)
	}
}

// byHand gives a role as an administrator does: by a statement.
func (p *product) byHand(user string, role scim.Role, statement string) {
	p.t.Helper()
	err := reconciler(p.h).GiveByHand(p.t.Context(), user, role, func(ctx context.Context) error {
		_, err := p.s.DB(ctx).ExecContext(ctx, statement)
		return err
	})
	if err != nil {
		p.t.Fatal(err)
	}
}
