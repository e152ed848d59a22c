package storetest

import (
	"errors"
	"fmt"
	"slices"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
)

// expect requires that List answers q with exactly the resources in want. If q asks for
// the total, it requires total.
func (t *probe) expect(s scim.Store, typ *scim.ResourceType, q *scim.Query, want []*scim.Resource, total int) {
	page := t.list(s, typ, q)
	if diff := cmp.Diff(ids(want), ids(page.Resources)); diff != "" {
		t.Errorf("List of %s: got %q, want %q", showQuery(q), names(page.Resources), names(want))
		return
	}
	if (q.Total || q.Limit == 0) && page.Total != total {
		t.Errorf("List of %s: total is %d, want %d", showQuery(q), page.Total, total)
	}
}

// cut returns the part of all that a query with index paging asks for.
func cut(all []*scim.Resource, offset, limit int) []*scim.Resource {
	from := min(offset, len(all))
	return all[from:min(from+limit, len(all))]
}

func listSteps() []step[scim.Store] {
	return []step[scim.Store]{
		{"empty", "An empty list has no resources and total 0.", func(t *probe, s scim.Store) {
			for _, typ := range []*scim.ResourceType{scim.UserType(), scim.GroupType()} {
				t.expect(s, typ, &scim.Query{Limit: 10, Total: true}, nil, 0)
				t.expect(s, typ, &scim.Query{}, nil, 0)
			}
		}},
		{"order of creation", "Without SortBy the order is that of creation. It depends on no userName or id, and changes do not affect it.", func(t *probe, s scim.Store) {
			var all []*scim.Resource
			for _, n := range []string{"m@x.com", "z@x.com", "a@x.com", "q@x.com", "b@x.com", "y@x.com", "c@x.com", "p@x.com"} {
				all = append(all, t.create(s, t.user(n, nil)))
			}
			t.expect(s, scim.UserType(), &scim.Query{Limit: 100}, all, 0)
			t.put(s, all[1].Ref(), values{"title": "changed"})
			t.put(s, all[5].Ref(), values{"userName": "0@x.com"})
			t.expect(s, scim.UserType(), &scim.Query{Limit: 100}, all, 0)
			slices.Reverse(all)
			t.expect(s, scim.UserType(), &scim.Query{Limit: 100, Descending: true}, all, 0)
		}},
		{"offset and limit", "Offset skips, Limit bounds: the pages of a list are its parts, and one past the end is empty (RFC 7644, Section 3.4.2.4).", func(t *probe, s scim.Store) {
			all := t.users(s, "u", 7)
			for offset := range 9 {
				for limit := 1; limit <= 8; limit++ {
					t.expect(s, scim.UserType(), &scim.Query{Offset: offset, Limit: limit}, cut(all, offset, limit), 0)
				}
			}
			t.expect(s, scim.UserType(), &scim.Query{Offset: 1 << 40, Limit: 10}, nil, 0)
		}},
		{"total", "Total counts all matches, on every page.", func(t *probe, s scim.Store) {
			all := t.users(s, "u", 7)
			for _, q := range []scim.Query{{Limit: 2}, {Offset: 3, Limit: 2}, {Limit: 100}, {Offset: 100, Limit: 2}} {
				q.Total = true
				t.expect(s, scim.UserType(), &q, cut(all, q.Offset, q.Limit), 7)
			}
			q := &scim.Query{Limit: 1, Total: true, Filter: t.filter(`userName sw "u00"`), IDs: ids(all[2:5])}
			t.expect(s, scim.UserType(), q, all[2:3], 3)
		}},
		{"comparisons", "A filter that takes more than MaxComparisons, terms times resources, is TooManyComparisons.", func(t *probe, s scim.Store) {
			all := t.users(s, "u", 5)
			two := t.filter(`userName co "u" or displayName co "nobody"`)
			t.expect(s, scim.UserType(), &scim.Query{Filter: t.filter(`userName co "u"`), MaxComparisons: 5, Limit: 10}, all, 0)
			t.expect(s, scim.UserType(), &scim.Query{Filter: two, MaxComparisons: 10, Limit: 10, Total: true}, all, 5)
			t.expect(s, scim.UserType(), &scim.Query{Filter: two, Limit: 10}, all, 0)
			for _, q := range []scim.Query{{Limit: 10}, {Total: true}, {Limit: 1, SortBy: "userName"}} {
				q.Filter, q.MaxComparisons = two, 9
				var e *scim.Error
				if page, err := s.List(t.ctx, scim.UserType(), &q); !errors.As(err, &e) || e.Status != 400 || e.Type != "tooMany" {
					t.Errorf("List of %s: got %v and error %v, want TooManyComparisons", showQuery(&q), page, err)
				}
			}
		}},
		{"limit 0", "Limit 0 asks only for the total: no resources (RFC 7644, Section 3.4.2.4).", func(t *probe, s scim.Store) {
			all := t.users(s, "u", 5)
			t.expect(s, scim.UserType(), &scim.Query{}, nil, 5)
			t.expect(s, scim.UserType(), &scim.Query{Filter: t.filter(`userName eq "u001@example.com"`)}, nil, 1)
			t.expect(s, scim.UserType(), &scim.Query{IDs: ids(all[:2])}, nil, 2)
		}},
		{"ids", "With IDs, List returns only these resources, each once. It ignores unknown ids.", func(t *probe, s scim.Store) {
			all := t.users(s, "u", 6)
			group := t.create(s, t.group("not a user"))
			some := append([]string{all[4].ID(), all[1].ID(), all[1].ID(), all[3].ID()}, strangeIDs()...)
			want := []*scim.Resource{all[1], all[3], all[4]}
			t.expect(s, scim.UserType(), &scim.Query{IDs: some, Limit: 10, Total: true}, want, 3)
			t.expect(s, scim.UserType(), &scim.Query{IDs: some, Offset: 1, Limit: 1, Total: true}, want[1:2], 3)
			t.expect(s, scim.UserType(), &scim.Query{IDs: some, Limit: 10, Total: true, Filter: t.filter(`userName eq "U003@example.com" or userName eq "u000@example.com"`)}, want[1:2], 1)
			if !slices.Contains(ids(all), group.ID()) {
				t.expect(s, scim.UserType(), &scim.Query{IDs: []string{group.ID()}, Limit: 10, Total: true}, nil, 0)
			}
		}},
		{"no ids", "If IDs is empty but not nil, List returns nothing.", func(t *probe, s scim.Store) {
			t.users(s, "u", 3)
			t.expect(s, scim.UserType(), &scim.Query{IDs: []string{}, Limit: 10, Total: true}, nil, 0)
			t.expect(s, scim.UserType(), &scim.Query{IDs: []string{}}, nil, 0)
		}},
		{"many ids", "A query has up to 1,000 IDs.", func(t *probe, s scim.Store) {
			all := t.users(s, "u", 3)
			many := make([]string, 1000)
			for i := range many {
				many[i] = fmt.Sprintf("%08d-2b57-4e0f-9d5c-0f3f7ad8a1c4", i)
			}
			many[17], many[999] = all[2].ID(), all[0].ID()
			t.expect(s, scim.UserType(), &scim.Query{IDs: many, Limit: 10, Total: true}, []*scim.Resource{all[0], all[2]}, 2)
		}},
		{"while others create", "Paging by Offset in order of creation gives each earlier resource exactly once while others create resources. The last page has the total of now.", func(t *probe, s scim.Store) {
			all := t.users(s, "m", 9)
			var got []*scim.Resource
			for offset := 0; offset < len(all); offset += 2 {
				page := t.list(s, scim.UserType(), &scim.Query{Offset: offset, Limit: 2, Total: true})
				if now := len(all) + offset; page.Total < len(all) || page.Total > now {
					t.Errorf("the total is %d; it was %d when the first page was read, and is %d now", page.Total, len(all), now)
				}
				got = append(got, page.Resources...)
				t.create(s, t.user(fmt.Sprint("a", offset), nil))
				t.create(s, t.user(fmt.Sprint("z", offset), nil))
			}
			if diff := cmp.Diff(ids(all), ids(got[:min(len(all), len(got))])); diff != "" {
				t.Errorf("paging by offset while others create gives %q, want %q first", names(got), names(all))
			}
			end := len(all) + 10
			if page := t.list(s, scim.UserType(), &scim.Query{Offset: end - 1, Limit: 2, Total: true}); len(page.Resources) != 1 || page.Total != end {
				t.Errorf("the last page has %d resources and the total %d, want 1 and %d", len(page.Resources), page.Total, end)
			}
		}},
	}
}
