package sqlstore_test

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/store/sqlstore"
	"github.com/scimkit/scim/store/storetest"
)

// A client reads all users by index, while others write.
func TestIndexPaging(t *testing.T) {
	drop := func(names ...string) func(*testing.T, *sqlstore.Store) {
		return func(t *testing.T, s *sqlstore.Store) {
			for _, name := range names {
				f := testhost.Must(scim.ParseFilter(scim.UserType(), fmt.Sprintf("userName eq %q", name)))
				page, err := s.List(t.Context(), scim.UserType(), &scim.Query{Filter: f, Limit: 1})
				if err == nil {
					err = s.Delete(t.Context(), page.Resources[0].Ref(), func(*scim.Resource) error { return nil })
				}
				if err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	add := func(names ...string) func(*testing.T, *sqlstore.Store) {
		return func(t *testing.T, s *sqlstore.Store) {
			for _, name := range names {
				create(t, s, user(t, name, nil))
			}
		}
	}
	for _, tt := range []struct {
		name      string
		filter    string
		processes int
		between   map[int]func(*testing.T, *sqlstore.Store) // what happens before a page
		want      []string
		totals    []int
	}{
		{"nothing happens", "", 1, nil, []string{"a b", "c d", "e f", "g"}, []int{7, 7, 7, 7}},
		{"a filter", "not (userName eq \"b\")", 1, nil, []string{"a c", "d e", "f g"}, []int{6, 6, 6}},
		{"four processes in turn", "", 4, nil, []string{"a b", "c d", "e f", "g"}, []int{7, 7, 7, 7}},
		{"who was read goes: nobody is left out, and the last page counts anew", "", 1,
			map[int]func(*testing.T, *sqlstore.Store){1: drop("a"), 2: drop("b", "c")}, []string{"a b", "c d", "e f", "g"}, []int{7, 7, 7, 4}},
		{"who begins the next page goes: what seems to be one page more is empty", "", 1,
			map[int]func(*testing.T, *sqlstore.Store){1: drop("c")}, []string{"a b", "d e", "f g", ""}, []int{7, 7, 7, 6}},
		{"some come: the last page says so, and they follow", "", 1,
			map[int]func(*testing.T, *sqlstore.Store){1: add("h"), 3: add("i")}, []string{"a b", "c d", "e f", "g h", "i"}, []int{7, 7, 7, 9, 9}},
		{"two processes, and who was read goes", "", 2,
			map[int]func(*testing.T, *sqlstore.Store){1: add("h"), 2: add("i")}, []string{"a b", "c d", "e f", "g h", "i"}, []int{7, 8, 7, 9, 9}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
				var all []*sqlstore.Store
				for range tt.processes {
					all = append(all, newStore(t, db, d, sqlstore.Options{}))
				}
				add("a", "b", "c", "d", "e", "f", "g")(t, all[0])
				var f *scim.Filter
				if tt.filter != "" {
					f = testhost.Must(scim.ParseFilter(scim.UserType(), tt.filter))
				}
				for _, round := range []string{"first", "again, from the start"} {
					var got []string
					var totals []int
					for offset := 0; ; offset += 2 {
						n := len(got)
						if do := tt.between[n]; do != nil && round == "first" {
							do(t, all[0])
						}
						page, err := all[n%len(all)].List(t.Context(), scim.UserType(), &scim.Query{Filter: f, Offset: offset, Limit: 2, Total: true, ForClient: true})
						if err != nil {
							t.Fatal(err)
						}
						var pair []string
						for _, r := range page.Resources {
							pair = append(pair, r.String("userName"))
						}
						text := strings.Join(pair, " ")
						got, totals = append(got, text), append(totals, page.Total)
						if offset+2 >= page.Total {
							break
						}
					}
					if round == "first" {
						if diff := cmp.Diff(tt.want, got); diff != "" {
							t.Errorf("pages (-want +got):\n%s", diff)
						}
						if diff := cmp.Diff(tt.totals, totals); diff != "" {
							t.Errorf("totals (-want +got):\n%s", diff)
						}
						continue
					}
					left := find(t, all[0], "userName pr")
					if f != nil {
						left = find(t, all[0], tt.filter)
					}
					var pages []string
					for pair := range slices.Chunk(left, 2) {
						pages = append(pages, strings.Join(pair, " "))
					}
					if diff := cmp.Diff(pages, got); diff != "" {
						t.Errorf("%s (-want +got):\n%s", round, diff)
					}
				}
			})
		})
	}
}

// Who begins anew gets the list of now, also if all of it is on the first page.
func TestIndexPagingAnew(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		s := newStore(t, db, d, sqlstore.Options{})
		page := func(offset, limit int) (names []string) {
			t.Helper()
			page, err := s.List(t.Context(), scim.UserType(), &scim.Query{Offset: offset, Limit: limit, Total: true})
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range page.Resources {
				names = append(names, r.String("userName"))
			}
			return names
		}
		var old []*scim.Resource
		for _, name := range []string{"a", "b", "c", "d"} {
			old = append(old, create(t, s, user(t, name, nil)))
		}
		page(0, 2)
		for _, r := range old {
			if err := s.Delete(t.Context(), r.Ref(), func(*scim.Resource) error { return nil }); err != nil {
				t.Fatal(err)
			}
		}
		for _, name := range []string{"e", "f", "g", "h"} {
			create(t, s, user(t, name, nil))
		}
		if diff := cmp.Diff([]string{"e", "f", "g", "h"}, page(0, 10)); diff != "" {
			t.Errorf("from the start (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"g"}, page(2, 1)); diff != "" {
			t.Errorf("the third (-want +got):\n%s", diff)
		}
	})
}

// Pages in the middle do not count.
func TestIndexPagingStatements(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		f := &storetest.Failing{Base: db.Driver(), DSN: newDSN(t, d)}
		counted := sql.OpenDB(f)
		t.Cleanup(func() { counted.Close() }) //nolint:errcheck // the test is over
		s := newStore(t, counted, d, sqlstore.Options{})
		for i := range 10 {
			create(t, s, user(t, fmt.Sprint(i), nil))
		}
		for i, want := range []int{2, 1, 1, 1, 2} {
			f.Sent()
			if _, err := s.List(t.Context(), scim.UserType(), &scim.Query{Offset: 2 * i, Limit: 2, Total: true}); err != nil {
				t.Fatal(err)
			}
			if got := f.Sent(); got != want {
				t.Errorf("page %d: %d statements, want %d", i, got, want)
			}
		}
	})
}

// Pages by index of users a to g, each a step of "client offset limit: names of total", or "- name" and
// "+ name" for a user who goes, and one who was created before all others.
func TestIndexPagingSteps(t *testing.T) {
	for _, tt := range []struct {
		name, reason string
		maxBytes     int
		steps        []string
	}{
		{"a page again", "the answer was lost, and the client repeats the request: nobody is left out", 0,
			[]string{"x 0 2: a b of 7", "x 2 2: c d of 7", "- a", "x 4 2: e f of 7", "x 4 2: e f of 7", "x 6 2: g of 6"}},
		{"another client begins", "the places of the first one stay", 0,
			[]string{"x 0 2: a b of 7", "x 2 2: c d of 7", "- a", "y 0 2: b c of 6", "x 4 2: e f of 7", "x 6 2: g of 6"}},
		{"behind the end", "a client that counts on by what it gets must end", 0,
			[]string{"x 0 3: a b c of 7", "+ h", "x 3 3: d e f of 7", "x 6 3: g of 8", "x 7 3: g of 8"}},
		{"a long last page", "it is cut, and the total is that of now", 1,
			[]string{"x 0 4: a of 7", "- a", "x 4 4: e of 6"}},
		{"huge numbers", "they do not overflow", 0,
			[]string{"x 0 2: a b of 7", "x 9223372036854775806 2:  of 7", "x 2 9223372036854775807: c d e f g of 7"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
				s := newStore(t, db, d, sqlstore.Options{})
				users := make(map[string]*scim.Resource)
				for _, name := range strings.Split("abcdefg", "") {
					users[name] = create(t, s, user(t, name, nil))
				}
				for i, step := range tt.steps {
					before, name, _ := strings.Cut(step, " ")
					switch before {
					case "-":
						if err := s.Delete(t.Context(), users[name].Ref(), func(*scim.Resource) error { return nil }); err != nil {
							t.Fatal(err)
						}
						continue
					case "+":
						u := user(t, name, nil)
						m := u.Meta()
						m.Created = m.Created.Add(-time.Hour)
						create(t, s, u.WithMeta(m))
						continue
					}
					var client string
					q := &scim.Query{Total: true, ForClient: true, MaxBytes: tt.maxBytes}
					asked, _, _ := strings.Cut(step, ":")
					if _, err := fmt.Sscan(asked, &client, &q.Offset, &q.Limit); err != nil {
						t.Fatal(err)
					}
					page, err := s.List(testhost.AsClient(t.Context(), client), scim.UserType(), q)
					if err != nil {
						t.Fatal(err)
					}
					var names []string
					for _, r := range page.Resources {
						names = append(names, r.String("userName"))
					}
					if got := fmt.Sprintf("%s: %s of %d", asked, strings.Join(names, " "), page.Total); got != step {
						t.Errorf("%s: step %d: got %q, want %q", tt.reason, i, got, step)
					}
				}
			})
		})
	}
}
