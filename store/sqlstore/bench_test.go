package sqlstore_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore"
)

func benchmarks(b *testing.B, bench func(b *testing.B, db *sql.DB, d sqlstore.Dialect)) {
	b.Run("SQLite", func(b *testing.B) { bench(b, sqliteDB(b), sqlstore.SQLite) })
	b.Run("PostgreSQL", func(b *testing.B) { bench(b, postgres.DB(b), sqlstore.Postgres) })
}

// people stores n users, and then makes statistics of them.
func people(b *testing.B, db *sql.DB, s *sqlstore.Store, n int) []scim.Ref {
	b.Helper()
	refs := make([]scim.Ref, 0, n)
	for len(refs) < n {
		err := s.InTx(b.Context(), func(ctx context.Context) error {
			for range min(5000, n-len(refs)) {
				name := fmt.Sprintf("user%d@example.com", len(refs))
				u, err := s.Create(ctx, user(b, name, map[string]any{"emails": []any{map[string]any{"value": name, "type": "work"}}}))
				if err != nil {
					return err
				}
				refs = append(refs, u.Ref())
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	if _, err := db.Exec("ANALYZE"); err != nil {
		b.Fatal(err)
	}
	return refs
}

// holders is an application's roles, one row each, in the store's database.
type holders struct {
	s *sqlstore.Store
	d sqlstore.Dialect
}

func newHolders(tb testing.TB, s *sqlstore.Store, db *sql.DB, d sqlstore.Dialect) holders {
	tb.Helper()
	if _, err := db.Exec("CREATE TABLE held (user_id text, role text, PRIMARY KEY (user_id, role))"); err != nil {
		tb.Fatal(err)
	}
	return holders{s, d}
}

func (h holders) ResolveRoles(_ context.Context, src scim.RoleSource) ([]scim.Role, error) {
	return []scim.Role{{ID: src.Group.String("displayName"), Name: src.Group.String("displayName")}}, nil
}

// texts lists the texts of the JSON array $1.
func (h holders) texts() string {
	if h.d == sqlstore.SQLite {
		return "(SELECT value FROM json_each($1))"
	}
	return "(SELECT value FROM jsonb_array_elements_text(CAST($1 AS jsonb)))"
}

// among says that user_id is one of these texts, by the index.
func (h holders) among() string {
	if h.d == sqlstore.SQLite {
		return "user_id IN " + h.texts()
	}
	return "user_id = ANY(ARRAY" + h.texts() + ")"
}

func (h holders) HeldRoles(ctx context.Context, userIDs []string) (map[string][]scim.Role, error) {
	list, err := json.Marshal(userIDs)
	if err != nil {
		return nil, err
	}
	rows, err := h.s.DB(ctx).QueryContext(ctx, "SELECT user_id, role FROM held WHERE "+h.among(), string(list))
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // Err tells
	held := make(map[string][]scim.Role)
	for rows.Next() {
		var u, r string
		if err := rows.Scan(&u, &r); err != nil {
			return nil, err
		}
		held[u] = append(held[u], scim.Role{ID: r, Name: r})
	}
	return held, rows.Err()
}

func (h holders) ChangeRoles(ctx context.Context, changes []scim.RoleChange) error {
	give, take := map[string][]string{}, map[string][]string{}
	for _, c := range changes {
		for _, r := range c.Grant {
			give[r.ID] = append(give[r.ID], c.UserID)
		}
		for _, r := range c.Revoke {
			take[r.ID] = append(take[r.ID], c.UserID)
		}
	}
	for text, roles := range map[string]map[string][]string{
		"INSERT INTO held (user_id, role) SELECT value, $2 FROM " + h.texts() + " x WHERE 1 = 1 ON CONFLICT DO NOTHING": give,
		"DELETE FROM held WHERE " + h.among() + " AND role = $2":                                                        take,
	} {
		for role, ids := range roles {
			list, err := json.Marshal(ids)
			if err != nil {
				return err
			}
			if _, err := h.s.DB(ctx).ExecContext(ctx, text, string(list), role); err != nil {
				return err
			}
		}
	}
	return nil
}

// crowd is n users, who have roles by their groups.
type crowd struct {
	h     *scim.Handler
	s     *sqlstore.Store
	db    *sql.DB
	roles scim.RoleResolver
}

func newCrowd(tb testing.TB, db *sql.DB, d sqlstore.Dialect, n int) *crowd {
	tb.Helper()
	s := newStore(tb, db, d, sqlstore.Options{})
	populate(tb, db, d, s, n)
	roles := newHolders(tb, s, db, d)
	return &crowd{handler(tb, scim.Config{Store: s, Roles: &scim.Roles{Resolver: roles}}), s, db, roles}
}

// join makes a group of the first n users, past the handler, which has given them a
// role of its name, and returns its path.
func (c *crowd) join(tb testing.TB, d sqlstore.Dialect, name string, n int) string {
	tb.Helper()
	g := create(tb, c.s, group(tb, name))
	if err := c.s.SetLink(tb.Context(), scim.Link{Source: scim.GroupSource(g.ID()), Roles: []scim.LinkedRole{{Role: scim.Role{ID: name, Name: name}, Confirmed: true}}}); err != nil {
		tb.Fatal(err)
	}
	users := " FROM scim_resources WHERE type = 'User' AND id < '" + userID(n) + "'"
	if d == sqlstore.Postgres { // locks users by rows, which stay
		execText(tb, c.db, "INSERT INTO scim_users (tenant, user_id) SELECT tenant, id"+users+" ON CONFLICT DO NOTHING")
	}
	for _, text := range []string{
		"INSERT INTO scim_members (tenant, group_id, member_type, member_id, since) SELECT tenant, '" + g.ID() + "', type, id, 0" + users,
		"INSERT INTO scim_grants (tenant, user_id, scope, role_id, source, at, by_hand, state, rank) SELECT tenant, id, '', '" + name + "', 'group:" + g.ID() + "', 0, 0, '', 0" + users,
		"INSERT INTO held (user_id, role) SELECT id, '" + name + "'" + users,
	} {
		if res, err := c.db.Exec(text); err != nil {
			tb.Fatal(err)
		} else if joined, err := res.RowsAffected(); err != nil || joined != int64(n) {
			tb.Fatal(joined, err)
		}
	}
	analyze(tb, c.db, d)
	return "/Groups/" + g.ID()
}

// dissolve deletes a group.
func (c *crowd) dissolve(tb testing.TB, path string) { send(tb, c.h, "DELETE", path, "", 204) }

// gone checks that nothing is left of the groups.
func (c *crowd) gone(tb testing.TB) {
	tb.Helper()
	var left int
	err := c.db.QueryRow("SELECT (SELECT count(*) FROM held) + (SELECT count(*) FROM scim_grants) + (SELECT count(*) FROM scim_members) + (SELECT count(*) FROM scim_links)").Scan(&left)
	if err != nil || left > 0 {
		tb.Fatal(left, err)
	}
}

// A group of 50,000 that gives a role is deleted: one request.
func BenchmarkDeleteGroup(b *testing.B) {
	benchmarks(b, func(b *testing.B, db *sql.DB, d sqlstore.Dialect) {
		c := newCrowd(b, db, d, 50_000)
		for b.Loop() {
			b.StopTimer()
			path := c.join(b, d, "Everybody", 50_000)
			b.StartTimer()
			c.dissolve(b, path)
			b.StopTimer()
			c.gone(b)
			b.StartTimer()
		}
	})
}

// One member leaves a group and joins it again.
func BenchmarkChangeMember(b *testing.B) {
	benchmarks(b, func(b *testing.B, db *sql.DB, d sqlstore.Dialect) {
		s := newStore(b, db, d, sqlstore.Options{})
		refs := people(b, db, s, 100_000)
		for _, n := range []int{100, 100_000} {
			g := create(b, s, group(b, fmt.Sprint(n)))
			if _, _, err := s.ChangeMembers(b.Context(), g.ID(), refs[:n], nil); err != nil {
				b.Fatal(err)
			}
			if _, err := db.Exec("ANALYZE"); err != nil { // as autovacuum does within a minute
				b.Fatal(err)
			}
			b.Run(fmt.Sprint(n), func(b *testing.B) {
				for i := 0; b.Loop(); i++ {
					one := refs[i*7919%n:][:1]
					if _, removed, err := s.ChangeMembers(b.Context(), g.ID(), nil, one); err != nil || len(removed) != 1 {
						b.Fatal(removed, err)
					}
					if added, _, err := s.ChangeMembers(b.Context(), g.ID(), one, nil); err != nil || len(added) != 1 {
						b.Fatal(added, err)
					}
				}
			})
		}
	})
}

func BenchmarkList(b *testing.B) {
	benchmarks(b, func(b *testing.B, db *sql.DB, d sqlstore.Dialect) {
		for _, n := range []int{1000, 200_000} {
			s := newStore(b, db, d, sqlstore.Options{Tenant: fmt.Sprint(n)})
			refs := people(b, db, s, n)
			last, err := s.Get(b.Context(), refs[n-101])
			if err != nil {
				b.Fatal(err)
			}
			run := func(name string, want int, q func(i int) *scim.Query) {
				b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
					for i := 0; b.Loop(); i++ {
						p, err := s.List(b.Context(), scim.UserType(), q(i))
						if err != nil || len(p.Resources) != want {
							b.Fatal(len(p.Resources), err)
						}
					}
				})
			}
			run("first", 100, func(int) *scim.Query { return &scim.Query{Limit: 100} })
			run("last", 100, func(int) *scim.Query {
				return &scim.Query{Limit: 100, After: scim.KeyOf(&scim.Query{}, last)}
			})
			look := func(filter string) func(i int) *scim.Query {
				return func(i int) *scim.Query {
					f, err := scim.ParseFilter(scim.UserType(), fmt.Sprintf(filter, i*7919%n))
					if err != nil {
						b.Fatal(err)
					}
					return &scim.Query{Filter: f, Limit: 2, Total: true}
				}
			}
			run("userName", 1, look(`userName eq "User%d@example.com"`))
			run("email", 1, look(`emails[type eq "work"].value eq "User%d@example.com"`))
		}
	})
}
