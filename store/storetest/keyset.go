package storetest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
)

// walk pages through a list by key and returns the whole list. It calls between after
// each page, unless between is nil.
func walk(t *probe, s scim.Store, q scim.Query, between func(page int)) []*scim.Resource {
	var all []*scim.Resource
	for n := 0; n < 1000; n++ {
		page := t.list(s, scim.UserType(), &q)
		if len(page.Resources) > q.Limit {
			t.Fatalf("List of %s returned %d resources", showQuery(&q), len(page.Resources))
		}
		all = append(all, page.Resources...)
		if len(page.Resources) == 0 {
			return all
		}
		q.After = scim.KeyOf(&q, page.Resources[len(page.Resources)-1])
		if between != nil {
			between(n)
		}
	}
	t.Fatalf("List of %s does not come to an end", showQuery(&q))
	return nil
}

// expectWalk requires that paging by key gives want, each resource once, in order.
func expectWalk(t *probe, q scim.Query, want, got []*scim.Resource) {
	if diff := cmp.Diff(ids(want), ids(got)); diff != "" {
		t.Errorf("paging by key through %s gives %q, want %q", showQuery(&q), names(got), names(want))
	}
}

func keysetSteps() []step[scim.Store] {
	const rule = "Paging by After gives each resource exactly once, in order (RFC 9865)"
	return []step[scim.Store]{
		{"order of creation", rule + ".", func(t *probe, s scim.Store) {
			all := createPeople(t, s)
			for limit := 1; limit <= len(all)+1; limit++ {
				q := scim.Query{Limit: limit}
				expectWalk(t, q, all, walk(t, s, q, nil))
			}
			q := scim.Query{Limit: 2, Descending: true}
			down := slices.Clone(all)
			slices.Reverse(down)
			expectWalk(t, q, down, walk(t, s, q, nil))
		}},
		{"created at once", rule + ", also if many resources have one time of creation.", func(t *probe, s scim.Store) {
			m := t.meta()
			for i := range 9 {
				r := t.user(fmt.Sprintf("same%d", i), nil)
				t.create(s, r.WithMeta(scim.Meta{ID: r.ID(), Created: m.Created, LastModified: m.LastModified}))
			}
			all := t.list(s, scim.UserType(), &scim.Query{Limit: 100}).Resources
			for limit := 1; limit <= 4; limit++ {
				q := scim.Query{Limit: limit}
				expectWalk(t, q, all, walk(t, s, q, nil))
			}
		}},
		{"sorted", rule + ", in every sort order, also for resources without a value or with equal values.", func(t *probe, s scim.Store) {
			all := createPeople(t, s)
			for _, o := range orders() {
				for _, descending := range []bool{false, true} {
					for limit := 1; limit <= 3; limit++ {
						q := scim.Query{SortBy: o.by, Descending: descending, Limit: limit}
						expectWalk(t, q, o.sorted(all, descending), walk(t, s, q, nil))
					}
				}
			}
		}},
		{"long values", "Only the first SortLength characters of a text count in the order, so that a PageKey is never long. Order of creation decides between texts that begin alike.", func(t *probe, s scim.Store) {
			// The letter has two bytes, so a store that counts bytes cuts elsewhere.
			begin := strings.Repeat("ä", scim.SortLength-1)
			title := func(end string) *scim.Resource {
				return t.create(s, t.user("long"+end, values{"title": begin + end}))
			}
			last, z, y, first := title("b"), title("az"), title("Ay"), title("")
			want := []*scim.Resource{first, z, y, last}
			for _, descending := range []bool{false, true} {
				for limit := 1; limit <= 3; limit++ {
					q := scim.Query{SortBy: "title", Descending: descending, Limit: limit}
					expectWalk(t, q, want, walk(t, s, q, nil))
				}
				slices.Reverse(want)
			}
		}},
		{"cut", "A page may end early because of MaxBytes, but not before its first resource. Page.Cut then says so, and After gives the rest.", func(t *probe, s scim.Store) {
			all := t.users(s, "cut", 5)
			for _, by := range []string{"", "userName"} {
				for _, more := range []int{1, 1 << 30} {
					q := scim.Query{SortBy: by, Limit: len(all), MaxBytes: more}
					var got []*scim.Resource
					for {
						page := t.list(s, scim.UserType(), &q)
						got = append(got, page.Resources...)
						if !page.Cut {
							break
						}
						if len(page.Resources) == 0 {
							t.Fatalf("List of %s returned a page that is cut, and no resource", showQuery(&q))
						}
						q.Limit -= len(page.Resources)
						q.After = scim.KeyOf(&q, page.Resources[len(page.Resources)-1])
					}
					expectWalk(t, q, all, got)
				}
			}
		}},
		{"filtered", rule + ", among the matches; the total counts all of them on each page.", func(t *probe, s scim.Store) {
			var want []*scim.Resource
			all := createPeople(t, s)
			for _, r := range all {
				if !is(r, "emails") {
					want = append(want, r)
				}
			}
			q := scim.Query{Filter: t.filter(`not (emails pr)`), Limit: 1}
			expectWalk(t, q, want, walk(t, s, q, nil))
			q.After, q.Total = scim.KeyOf(&q, want[0]), true
			t.expect(s, scim.UserType(), &q, want[1:2], len(want))
			q = scim.Query{IDs: ids(all[2:6]), Limit: 3}
			expectWalk(t, q, all[2:6], walk(t, s, q, nil))
		}},
		{"while others write", "Paging by After gives each resource that stays exactly once, while others create, change and delete resources.", func(t *probe, s scim.Store) {
			for _, by := range []string{"", "userName"} {
				prefix := "w" + by
				all := t.users(s, prefix, 8)
				want := slices.Concat(all[:2], all[4:])
				q := scim.Query{Filter: t.filter(fmt.Sprintf(`userName sw "%s" and not (title pr)`, prefix)), SortBy: by, Limit: 2}
				got := walk(t, s, q, func(page int) {
					if page > 3 {
						return
					}
					// Create users on both sides of the place in the list. Their title says that
					// they do not count, but they would shift a page by offset.
					t.create(s, t.user(fmt.Sprintf("%s000-%d", prefix, page), values{"title": "new"}))
					t.create(s, t.user(fmt.Sprintf("%s999-%d", prefix, page), values{"title": "new"}))
					switch page {
					case 0: // the next page goes
						t.remove(s, all[2].Ref())
						t.remove(s, all[3].Ref())
					case 1: // the place itself goes, after it was listed
						t.remove(s, all[5].Ref())
						t.put(s, all[0].Ref(), values{"nickName": "changed"})
					}
				})
				expectWalk(t, q, want, got)
			}
		}},
		{"while others rename", "Paging by After in a sort order gives each resource that keeps its place exactly once, while others move. The page begins at the place of the PageKey, also if its resource has moved.", func(t *probe, s scim.Store) {
			for _, descending := range []bool{false, true} {
				prefix := fmt.Sprintf("m%v", descending)
				order := t.users(s, prefix, 10)
				front, end := prefix+"/front", prefix+"~end"
				if descending {
					slices.Reverse(order)
					front, end = end, front
				}
				q := scim.Query{Filter: t.filter(fmt.Sprintf(`userName sw "%s"`, prefix)), SortBy: "userName", Descending: descending, Limit: 2}
				got := walk(t, s, q, func(page int) {
					switch page {
					case 0: // the place moves to the end, the next one to the front
						t.put(s, order[1].Ref(), values{"userName": end})
						t.put(s, order[2].Ref(), values{"userName": front})
					case 1: // the place moves to the front, the next one goes
						t.put(s, order[4].Ref(), values{"userName": front + "2"})
						t.remove(s, order[5].Ref())
					}
				})
				moved := ids(slices.Concat(order[1:3], order[4:6]))
				stays := func(list []*scim.Resource) []*scim.Resource {
					return slices.DeleteFunc(slices.Clone(list), func(r *scim.Resource) bool { return slices.Contains(moved, r.ID()) })
				}
				expectWalk(t, q, stays(order), stays(got))
			}
		}},
		{"while others create at once", "Paging by After gives each earlier resource exactly once while others create resources.", func(t *probe, s scim.Store) {
			all := t.users(s, "old", 12)
			fresh := make([]*scim.Resource, 12)
			for i := range fresh { // later than everything in store
				fresh[i] = t.user(fmt.Sprintf("new%03d", i), nil)
			}
			t.parallel(2, func(i int) {
				if i == 0 {
					for _, r := range fresh {
						t.create(s, r)
					}
					return
				}
				got := walk(t, s, scim.Query{Limit: 3}, func(int) { time.Sleep(time.Millisecond) })
				if len(got) < len(all) {
					t.Fatalf("paging by key while others create gives %q, want at least %q", names(got), names(all))
				}
				expectWalk(t, scim.Query{Limit: 3}, all, got[:len(all)])
				if list := slices.Sorted(slices.Values(ids(got))); len(slices.Compact(list)) != len(got) {
					t.Errorf("paging by key while others create gives some twice: %q", names(got))
				}
			})
		}},
	}
}
