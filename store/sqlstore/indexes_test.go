package sqlstore_test

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/pgtest"
	"github.com/scimkit/scim/store/sqlstore"
	"github.com/scimkit/scim/store/storetest"
)

// indexAll are indexes of all attributes of a type that can have one.
func indexAll(typ *scim.ResourceType) (all []sqlstore.Index) {
	for _, a := range typ.Attributes() {
		isText := a.Type == scim.TypeString || a.Type == scim.TypeReference
		if a.Type != scim.TypeComplex {
			all = append(all, sqlstore.Index{Attribute: a.Path, Contains: isText && a.Path != "id"})
		}
	}
	return all
}

// Indexes change no answer: with one for each attribute, every filter and order gives exactly what
// scim.Scan gives.
func TestEquivalenceWithIndexes(t *testing.T) {
	for d, db := range map[sqlstore.Dialect]*sql.DB{
		sqlstore.SQLite:   relaxed(t),
		sqlstore.Postgres: openDB(t, pgtest.Driver, postgres.DSN(t)+"&enable_seqscan=off"),
	} {
		t.Run(d.String(), func(t *testing.T) {
			storetest.RunFilters(t, func(t *testing.T, typ *scim.ResourceType) scim.Store {
				return newStore(t, db, d, sqlstore.Options{Types: []*scim.ResourceType{typ}, Indexes: indexAll(typ)})
			}, 100)
		})
	}
}

// searched are the indexes of the tests.
var searched = []sqlstore.Index{{Attribute: "userName", Contains: true}, {Attribute: "displayName", Contains: true}, {Attribute: "name.familyName"},
	{Attribute: "emails.value", Contains: true}, {Attribute: "name.formatted"}, {Attribute: "meta.lastModified"}}

// Searches and sorted pages use the indexes that were asked for: in what the database knows, and for a
// tenant that came after it looked.
func TestPlansWithIndexes(t *testing.T) {
	for d, db := range map[sqlstore.Dialect]*sql.DB{sqlstore.SQLite: relaxed(t), sqlstore.Postgres: postgres.DB(t)} {
		t.Run(d.String(), func(t *testing.T) {
			known := newStore(t, db, d, sqlstore.Options{Indexes: searched})
			last := fillNames(t, known, 10)
			populate(t, db, d, known, 3000)
			checkSearchPlans(t, db, d, known, "known", last)
			late := newStore(t, db, d, sqlstore.Options{Tenant: "late", Indexes: searched})
			last = fillNames(t, late, 500)
			checkSearchPlans(t, db, d, late, "late", last)
		})
	}
}

// fillNames gives a tenant n users with names.
func fillNames(t *testing.T, s *sqlstore.Store, n int) (last *scim.Resource) {
	t.Helper()
	if err := s.InTx(t.Context(), func(ctx context.Context) (err error) {
		for i := range n {
			name := fmt.Sprintf("user%d@example.com", i)
			if last, err = s.Create(ctx, user(t, name, map[string]any{"displayName": fmt.Sprint("User ", i), "name.familyName": fmt.Sprint("Holm ", i*7%n), "active": i%3 > 0,
				"emails": []any{map[string]any{"value": name, "type": "work"}}})); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return last
}

// checkSearchPlans looks at the plans of searches and of sorted pages.
func checkSearchPlans(t *testing.T, db *sql.DB, d sqlstore.Dialect, s *sqlstore.Store, name string, last *scim.Resource) {
	t.Helper()
	sorted, reversed := &scim.Query{SortBy: "name.familyName"}, &scim.Query{SortBy: "name.familyName", Descending: true}
	const part = `Bitmap Index Scan on scim_resources_by_|COVERING INDEX scim_resources_by_`
	const place = `Index (Only )?Scan (Backward )?using scim_resources_by_|Bitmap Index Scan on scim_resources_by_|INDEX scim_resources_by_\w+ \(<expr>=\? AND deleted=\? AND <expr>[<>=]`
	const order = `Index (Only )?Scan (Backward )?using scim_resources_by_|INDEX scim_resources_by_`
	for _, c := range []struct {
		name, filter string
		q            scim.Query
		index        string
		mustNotSort  bool
	}{
		{"co", `displayName co "va 0000123"`, scim.Query{}, part, false},
		{"co of two", `userName co "Person0000123" or displayName co "Person0000123"`, scim.Query{}, part, false},
		{"co in values", `emails.value co "n0000123"`, scim.Query{}, part, false},
		{"co in a value path", `emails[type eq "work" and value co "Person0000123"]`, scim.Query{}, part, false},
		{"ew", `userName ew "0123@example.com"`, scim.Query{}, part, false},
		{"sw", `displayName sw "eva 0000123"`, scim.Query{}, place, false},
		{"sw of two", `displayName sw "eva 0000123" or userName sw "person0000123"`, scim.Query{}, place, false},
		{"sw and more", `active eq true and displayName sw "eva 0000123"`, scim.Query{}, place, false},
		{"eq", `name.formatted eq "Dr. Eva 00001234 Holm"`, scim.Query{}, place, false},
		{"gt of a time", `meta.lastModified gt "2030-01-01T00:00:00Z"`, scim.Query{}, place, false},
		{"sortBy", "", *sorted, order, true},
		{"sortBy, descending", "", *reversed, order, true},
		{"sortBy, deep", "", scim.Query{SortBy: "name.familyName", After: scim.KeyOf(sorted, last)}, place, true},
		{"sortBy, deep, descending", "", scim.Query{SortBy: "name.familyName", Descending: true, After: scim.KeyOf(reversed, last)}, place, true},
		{"sortBy of values", "", scim.Query{SortBy: "emails"}, order, true},
		{"sortBy of a time", "", scim.Query{SortBy: "meta.lastModified"}, order, true},
	} {
		t.Run(name+"/"+c.name, func(t *testing.T) {
			q := c.q
			q.Limit = 50
			if c.filter != "" {
				var err error
				if q.Filter, err = scim.ParseFilter(scim.UserType(), c.filter); err != nil {
					t.Fatal(err)
				}
			}
			text, args, err := sqlstore.PageQuery(s, scim.UserType(), &q)
			if err != nil {
				t.Fatal(err)
			}
			p := plan(t, db, d, text, args)
			page, _, _ := strings.Cut(p, "SEARCH r ") // What follows in SQLite are the resources of the page.
			if !regexp.MustCompile(c.index).MatchString(p) || scans.MatchString(p) || strings.Contains(p, "_created") || c.mustNotSort && d == sqlstore.SQLite && sorts.MatchString(page) {
				t.Errorf("want an index:\n%s\n%s", text, p)
			}
		})
	}
}

// Migrate creates the indexes that are wanted, drops the others, and makes again what a process that was killed
// has left. It does nothing if the list is nil.
func TestMigrateIndexes(t *testing.T) {
	for d, db := range map[sqlstore.Dialect]*sql.DB{sqlstore.SQLite: relaxed(t), sqlstore.Postgres: postgres.DB(t)} {
		t.Run(d.String(), func(t *testing.T) {
			list := func() (all []string) {
				text := "SELECT name FROM sqlite_master WHERE type = 'index' AND name LIKE 'scim_resources_by_%' ORDER BY name"
				if d == sqlstore.Postgres {
					text = "SELECT c.relname FROM pg_class c JOIN pg_index i ON i.indexrelid = c.oid WHERE i.indisvalid AND c.relname LIKE 'scim_resources_by_%' ORDER BY c.relname"
				}
				rows, err := db.Query(text)
				if err != nil {
					t.Fatal(err)
				}
				defer rows.Close() //nolint:errcheck // Err tells
				for rows.Next() {
					var name string
					if err := rows.Scan(&name); err != nil {
						t.Fatal(err)
					}
					all = append(all, name)
				}
				return all
			}
			migrate := func(want int, all []sqlstore.Index) []string {
				t.Helper()
				newStore(t, db, d, sqlstore.Options{Indexes: all})
				got := list()
				if len(got) != want {
					t.Fatalf("%d indexes, want %d: %v", len(got), want, got)
				}
				return got
			}
			migrate(0, nil)
			one := migrate(1, []sqlstore.Index{{Attribute: "displayName"}, {Attribute: "DISPLAYNAME"}})
			if again := migrate(1, []sqlstore.Index{{Attribute: "displayName"}}); !slices.Equal(one, again) {
				t.Errorf("one index of users and groups is made twice: %v, %v", one, again)
			}
			both := migrate(2, []sqlstore.Index{{Attribute: "displayName", Contains: true}})
			if d == sqlstore.Postgres { // as after CREATE INDEX CONCURRENTLY was cancelled
				if _, err := db.Exec("UPDATE pg_index SET indisvalid = false WHERE indexrelid = to_regclass('" + both[0] + "')"); err != nil {
					t.Fatal(err)
				}
			} else if _, err := db.Exec("DROP INDEX " + both[0]); err != nil {
				t.Fatal(err)
			}
			migrate(1, nil)
			migrate(2, []sqlstore.Index{{Attribute: "displayName", Contains: true}})
			migrate(3, []sqlstore.Index{{Attribute: "emails", Contains: true}, {Attribute: "emails.type", Contains: true}})
			db.SetMaxOpenConns(1) // nothing is left for a transaction that holds a lock meanwhile
			migrate(1, []sqlstore.Index{{Attribute: "userName"}})
			db.SetMaxOpenConns(20)
			migrate(0, []sqlstore.Index{})
		})
	}
}

// Several processes migrate at once while others write, and nobody waits for long or fails.
func TestMigrateIndexesWhileOthersWrite(t *testing.T) {
	db := postgres.DB(t)
	s := newStore(t, db, sqlstore.Postgres, sqlstore.Options{})
	fillNames(t, s, 100)
	ctx, stop := context.WithCancel(t.Context())
	var written atomic.Int64
	var group sync.WaitGroup
	for n := range 2 {
		group.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				if _, err := s.Create(t.Context(), user(t, fmt.Sprint(n, "-", i), nil)); err != nil {
					t.Errorf("a write meanwhile: %v", err)
					return
				}
				written.Add(1)
			}
		})
	}
	parallel(t, 4, func(int) error {
		s, err := sqlstore.New(db, sqlstore.Postgres, sqlstore.Options{Indexes: searched})
		if err != nil {
			return err
		}
		return s.Migrate(t.Context())
	})
	stop()
	group.Wait()
	if written.Load() < 10 {
		t.Errorf("%d writes while indexes were built", written.Load())
	}
}

// New says what cannot have an index.
func TestIndexMistakes(t *testing.T) {
	for _, c := range []struct {
		d    sqlstore.Dialect
		i    sqlstore.Index
		want string
	}{
		{sqlstore.SQLite, sqlstore.Index{Attribute: "surname"}, `no type has an attribute "surname"`},
		{sqlstore.SQLite, sqlstore.Index{Attribute: "name"}, `name a sub-attribute`},
		{sqlstore.SQLite, sqlstore.Index{Attribute: "active", Contains: true}, "Contains is for strings"},
		{sqlstore.Postgres, sqlstore.Index{Attribute: "id", Contains: true}, "not for the id"},
		{sqlstore.Postgres, sqlstore.Index{Attribute: "meta.created", Contains: true}, "Contains is for strings"},
		{sqlstore.Postgres, sqlstore.Index{Attribute: "emails"}, ""},
		{sqlstore.Postgres, sqlstore.Index{Attribute: "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department", Contains: true}, ""},
		{sqlstore.MariaDB, sqlstore.Index{Attribute: "userName"}, "MariaDB has no index"},
	} {
		_, err := sqlstore.New(new(sql.DB), c.d, sqlstore.Options{Indexes: []sqlstore.Index{c.i}})
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%v %+v: got %v, want %q", c.d, c.i, err, c.want)
		}
	}
}

// A role that may not create extensions is told who has to do what.
func TestMissingExtensions(t *testing.T) {
	dsn := postgres.DSN(t)
	db := openDB(t, pgtest.Driver, dsn)
	for _, text := range []string{"CREATE ROLE plain LOGIN", "CREATE SCHEMA app AUTHORIZATION plain"} {
		if _, err := db.Exec(text); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { db.Exec("DROP OWNED BY plain; DROP ROLE plain") }) //nolint:errcheck // the server stops
	plain := openDB(t, pgtest.Driver, dsn+"&role=plain&search_path=app")
	s, err := sqlstore.New(plain, sqlstore.Postgres, sqlstore.Options{Indexes: searched})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Migrate(t.Context()); err == nil || !strings.Contains(err.Error(), "CREATE EXTENSION pg_trgm") {
		t.Errorf("Migrate: %v", err)
	}
	for _, text := range []string{"CREATE SCHEMA ext", "CREATE EXTENSION pg_trgm SCHEMA ext", "CREATE EXTENSION btree_gin SCHEMA ext", "GRANT USAGE ON SCHEMA ext TO plain"} {
		if _, err := db.Exec(text); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Migrate(t.Context()); err != nil {
		t.Errorf("with extensions in a schema of their own: %v", err)
	}
	create(t, s, user(t, "ann@example.com", nil))
	if got := find(t, s, `userName co "ann@"`); len(got) != 1 {
		t.Errorf("found %v", got)
	}
}

// Over tables of the application the indexes are in the tables beside them, also for the rows that Migrate
// reads first.
func TestIndexesOfMappedTables(t *testing.T) {
	for d, db := range map[sqlstore.Dialect]*sql.DB{sqlstore.SQLite: relaxed(t), sqlstore.Postgres: postgres.DB(t)} {
		t.Run(d.String(), func(t *testing.T) {
			makeApp(t, db, d)
			create(t, newStore(t, db, d, appOptions("app")), user(t, "first@example.com", map[string]any{"displayName": "First"}))
			o := appOptions("app")
			o.Indexes = searched
			s := newStore(t, db, d, o)
			create(t, s, user(t, "second@example.com", map[string]any{"displayName": "Second"}))
			for filter, want := range map[string]string{
				`userName co "st@ex"`:                              "first@example.com",
				`displayName sw "sec" or emails.value co "no one"`: "second@example.com",
			} {
				if got := find(t, s, filter); len(got) != 1 || got[0] != want {
					t.Errorf("%s finds %v, want %s", filter, got, want)
				}
			}
		})
	}
}

// BenchmarkSearch searches and sorts 100,000 users, without indexes and with them.
func BenchmarkSearch(b *testing.B) {
	benchmarks(b, func(b *testing.B, db *sql.DB, d sqlstore.Dialect) {
		plain := newStore(b, db, d, sqlstore.Options{})
		populate(b, db, d, plain, 100_000)
		begin := time.Now()
		indexed := newStore(b, db, d, sqlstore.Options{Indexes: searched})
		b.Logf("%s: the indexes took %v", d, time.Since(begin).Round(10*time.Millisecond))
		analyze(b, db, d)
		for _, c := range []struct{ name, filter, sortBy string }{
			{"co", `displayName co "0012345"`, ""},
			{"co of three", `userName co "0012345" or displayName co "0012345" or emails.value co "0012345"`, ""},
			{"co, common", `displayName co "holm"`, ""},
			{"sw", `displayName sw "eva 00012"`, ""},
			{"sortBy", "", "displayName"},
		} {
			for name, s := range map[string]*sqlstore.Store{"without": plain, "with": indexed} {
				q := &scim.Query{SortBy: c.sortBy, Limit: 100, Total: true, MaxComparisons: 2_000_000}
				if c.filter != "" {
					var err error
					if q.Filter, err = scim.ParseFilter(scim.UserType(), c.filter); err != nil {
						b.Fatal(err)
					}
				}
				b.Run(c.name+"/"+name, func(b *testing.B) {
					for b.Loop() {
						if _, err := s.List(b.Context(), scim.UserType(), q); err != nil {
							b.Fatal(err)
						}
					}
				})
			}
		}
	})
}
