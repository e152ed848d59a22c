package sqlstore_test

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/scimkit/scim"
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
		sqlstore.Postgres: openDB(t, "pgx", postgres.DSN(t)+"&enable_seqscan=off"),
	} {
		t.Run(d.String(), func(t *testing.T) {
			storetest.RunFilters(t, func(t *testing.T, typ *scim.ResourceType) scim.Store {
				return newStore(t, db, d, sqlstore.Options{Types: []*scim.ResourceType{typ}, Indexes: indexAll(typ)})
			}, 200)
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
