package sqlstore_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/store/sqlstore"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
	"github.com/scimkit/scim/store/sqlstore/internal/owntables"
)

// longWrite is a group of many users that is written whole.
type longWrite struct {
	c     *crowd
	d     sqlstore.Dialect
	n     int
	plain *scim.Handler // plain changes no roles.
	body  string        // body is the group, for fmt.Sprintf with its name.
	made  int
}

func newLongWrite(tb testing.TB, db *sql.DB, d sqlstore.Dialect, n int) *longWrite {
	tb.Helper()
	c := newCrowd(tb, db, d, n)
	members := make([]string, n)
	for i := range members {
		members[i] = `{"value":"` + userID(i) + `"}`
	}
	return &longWrite{c: c, d: d, n: n, plain: handler(tb, scim.Config{Store: c.s}), body: `{"displayName":"All %d","members":[` + strings.Join(members, ",") + `]}`}
}

// write writes the group, a new one if path is empty, and returns its path.
func (l *longWrite) write(tb testing.TB, h http.Handler, path string) string {
	tb.Helper()
	method, target, want := "PUT", path, 200
	if path == "" {
		method, target, want = "POST", "/Groups", 201
		l.made++
	}
	w := testhost.NewCountingWriter()
	h.ServeHTTP(w, httptest.NewRequestWithContext(tb.Context(), method, target, strings.NewReader(fmt.Sprintf(l.body, l.made))))
	if w.Status != want {
		tb.Fatalf("%s of a group of %d: %d", method, l.n, w.Status)
	}
	if path == "" {
		path = w.Header().Get("Location")
		path = path[strings.Index(path, "/Groups/"):]
	}
	return path
}

// bare inserts what the write of a group inserts, in one transaction: one row in a statement, as a loop
// does, or a thousand. withRoles says that users get a role.
func (l *longWrite) bare(tb testing.TB, rows int, withRoles bool) {
	tb.Helper()
	l.made++
	tx, err := l.c.db.BeginTx(tb.Context(), nil)
	if err != nil {
		tb.Fatal(err)
	}
	defer tx.Rollback() //nolint:errcheck // it does nothing after Commit
	g := fmt.Sprintf("bare%d", l.made)
	list := "jsonb_array_elements_text(CAST($1 AS jsonb)) AS w(value)"
	if l.d == sqlstore.SQLite {
		list = "json_each($1) AS w"
	}
	texts := []string{"INSERT INTO scim_members (tenant, group_id, member_type, member_id, since) SELECT '', '" + g + "', 'User', w.value, 1 FROM " + list}
	if withRoles {
		texts = append(texts,
			"INSERT INTO scim_grants (tenant, user_id, scope, role_id, source, at, by_hand, state, rank) SELECT '', w.value, '', '"+g+"', 'group:"+g+"', 1, 0, '', 0 FROM "+list,
			"INSERT INTO held (user_id, role) SELECT w.value, '"+g+"' FROM "+list)
	}
	for _, text := range texts {
		insert, err := tx.PrepareContext(tb.Context(), text)
		if err != nil {
			tb.Fatal(err)
		}
		ids := make([]string, l.n)
		for i := range ids {
			ids[i] = userID(i)
		}
		for chunk := range slices.Chunk(ids, rows) {
			arg, err := json.Marshal(chunk)
			if err != nil {
				tb.Fatal(err)
			}
			if _, err := insert.ExecContext(tb.Context(), string(arg)); err != nil {
				tb.Fatal(err)
			}
		}
		insert.Close() //nolint:errcheck // its executions have reported their errors
	}
	if err := tx.Commit(); err != nil {
		tb.Fatal(err)
	}
}

// A group of 50,000 is created and replaced, without roles and with one, and the same rows are inserted
// without the library.
func BenchmarkLongWrite(b *testing.B) {
	benchmarks(b, func(b *testing.B, db *sql.DB, d sqlstore.Dialect) {
		l := newLongWrite(b, db, d, 50_000)
		path := l.write(b, l.c.h, "")
		for _, on := range []struct {
			name string
			do   func()
		}{
			{"POST", func() { l.write(b, l.plain, "") }},
			{"bare, a row in a statement", func() { l.bare(b, 1, false) }},
			{"bare, 1,000 rows in a statement", func() { l.bare(b, 1000, false) }},
			{"POST with a role", func() { l.write(b, l.c.h, "") }},
			{"PUT with another role", func() { l.made++; l.write(b, l.c.h, path) }},
			{"bare with a role, a row in a statement", func() { l.bare(b, 1, true) }},
			{"bare with a role, 1,000 rows in a statement", func() { l.bare(b, 1000, true) }},
		} {
			b.Run(on.name, func(b *testing.B) {
				start := cpuTime()
				for b.Loop() {
					on.do()
				}
				b.ReportMetric(float64((cpuTime()-start).Milliseconds())/float64(b.N), "cpu-ms/op")
			})
		}
	})
}

// A long group is written in at most three times what its rows need.
func longWriteBudget(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
	const most, rounds = 3, 3
	l := newLongWrite(t, db, d, 50_000)
	for name, on := range map[string]struct {
		h         http.Handler
		withRoles bool
	}{"without roles": {l.plain, false}, "with a role": {l.c.h, true}} {
		var ratios []float64
		for range rounds {
			start := time.Now()
			l.write(t, on.h, "")
			ours := time.Since(start)
			start = time.Now()
			l.bare(t, 1, on.withRoles)
			bare := time.Since(start)
			ratios = append(ratios, float64(ours)/float64(bare))
			t.Logf("%s: a group of %d %s created in %v, its rows inserted in %v", d, l.n, name, ours, bare)
		}
		if ratio := median(ratios); ratio > most {
			t.Errorf("%s: %.1f times the rows %s; the budget is %d", d, ratio, name, most)
		}
	}
}

// A transaction about many users has PostgreSQL plan each statement, one about few has not, and one that
// the application has begun is left alone. Otherwise a statement that was planned while a table was
// empty goes through the whole table a thousand times, once the transaction has filled it.
func TestPlanAgain(t *testing.T) {
	db := postgres.DB(t)
	s := newStore(t, db, sqlstore.Postgres, sqlstore.Options{})
	g := create(t, s, group(t, "Everybody"))
	some := func(n int) []scim.Ref {
		refs := make([]scim.Ref, n)
		for i := range refs {
			refs[i] = scim.Ref{Type: "User", ID: fmt.Sprint(i)}
		}
		return refs
	}
	ids := func(refs []scim.Ref) (ids []string) {
		for _, r := range refs {
			ids = append(ids, r.ID)
		}
		return ids
	}
	own := s.InTx
	applications := func(ctx context.Context, fn func(context.Context) error) error {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer tx.Rollback() //nolint:errcheck // nothing is kept
		return fn(sqlstore.WithTx(ctx, db, tx))
	}
	for _, tt := range []struct {
		name string
		in   func(ctx context.Context, fn func(context.Context) error) error
		do   func(ctx context.Context) error
		want string
	}{
		{"many join", own, func(ctx context.Context) error { _, _, err := s.ChangeMembers(ctx, g.ID(), some(100), nil); return err }, "force_custom_plan"},
		{"many leave", own, func(ctx context.Context) error { _, _, err := s.ChangeMembers(ctx, g.ID(), nil, some(100)); return err }, "force_custom_plan"},
		{"the grants of many", own, func(ctx context.Context) error { _, err := s.Grants(ctx, ids(some(100))); return err }, "force_custom_plan"},
		{"the groups of many", own, func(ctx context.Context) error { _, err := s.GroupsOf(ctx, some(100)); return err }, "force_custom_plan"},
		{"few", own, func(ctx context.Context) error { _, _, err := s.ChangeMembers(ctx, g.ID(), some(99), nil); return err }, "auto"},
		{"the application's", applications, func(ctx context.Context) error {
			_, _, err := s.ChangeMembers(ctx, g.ID(), some(100), nil)
			return err
		}, "auto"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := ""
			err := tt.in(t.Context(), func(ctx context.Context) error {
				if err := tt.do(ctx); err != nil {
					return err
				}
				return s.DB(ctx).QueryRowContext(ctx, "SHOW plan_cache_mode").Scan(&got)
			})
			if err != nil || got != tt.want {
				t.Errorf("plan_cache_mode is %q, want %q; %v", got, tt.want, err)
			}
		})
	}
}

// Many grants are dropped by their places, although PostgreSQL believes the table to be empty.
func TestPlanOfDrop(t *testing.T) {
	db := postgres.DB(t)
	s := newStore(t, db, sqlstore.Postgres, sqlstore.Options{})
	if _, err := db.Exec("VACUUM ANALYZE"); err != nil {
		t.Fatal(err)
	}
	var grants []scim.Grant
	for i := range 2000 {
		grants = append(grants, scim.Grant{UserID: fmt.Sprint(i), RoleID: "r", Source: scim.GroupSource("g")})
	}
	if err := s.Record(t.Context(), grants, nil); err != nil {
		t.Fatal(err)
	}
	text := dialect.Postgres.Adapt(owntables.DropAlike(dialect.Postgres), "scim_")
	got := plan(t, db, sqlstore.Postgres, text, []any{"", "", "r", "group:g", `["1","2"]`})
	if strings.Contains(got, "Seq Scan on scim_grants") || !strings.Contains(got, "Tid Scan") {
		t.Error(got)
	}
	// It drops these, and no others.
	if err := s.Record(t.Context(), nil, grants[:100]); err != nil {
		t.Fatal(err)
	}
	left, err := s.SourceUsers(t.Context(), scim.GroupSource("g"), "", 5000)
	if err != nil || len(left) != 1900 || slices.Contains(left, "99") || !slices.Contains(left, "100") {
		t.Error(len(left), err)
	}
}

// A list without attributes has the same resources.
func TestListWithoutAttributes(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		s := newStore(t, db, d, sqlstore.Options{})
		u := create(t, s, user(t, "eva@example.com", nil))
		page, err := s.List(t.Context(), scim.UserType(), &scim.Query{IDs: []string{u.ID(), "nobody"}, Limit: 2, WithoutAttributes: true})
		if err != nil || len(page.Resources) != 1 {
			t.Fatal(page, err)
		}
		got := page.Resources[0]
		if got.Ref() != u.Ref() || got.Meta() != u.Meta() || got.String("userName") != "" {
			t.Errorf("%v: %v", got.Meta(), got)
		}
	})
}
