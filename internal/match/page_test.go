package match_test

import (
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/match"
)

// staff are n users in a random order. Every third has no title, and titles repeat.
func staff(t testing.TB, n int) []*doc.Document {
	user := userType(t)
	var all []*doc.Document
	for i := range n {
		o := obj{"userName": fmt.Sprintf("u%03d", i)}
		if i%3 > 0 {
			o["title"] = []string{"Boss", "boss", "Clerk"}[i%7%3]
		}
		d := newDoc(user, fmt.Sprint(i), o)
		d.Created = mustTime("2026-01-01T00:00:00Z").Add(time.Duration(i/4) * time.Second) // 8 to 11 have one time
		all = append(all, d)
	}
	rand.Shuffle(n, func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

func each(list []*doc.Document, last error) iter.Seq2[*doc.Document, error] {
	return func(yield func(*doc.Document, error) bool) {
		for _, d := range list {
			if !yield(d, nil) {
				return
			}
		}
		if last != nil {
			yield(nil, last)
		}
	}
}

func scan(t *testing.T, q match.Query, list []*doc.Document) (ids []string, total int) {
	t.Helper()
	page, total, err := match.Scan(&q, each(list, nil), func(d *doc.Document) *doc.Document { return d })
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range page {
		ids = append(ids, d.ID)
	}
	return ids, total
}

// TestScan: pages by index and pages by place are the same parts of the same order.
func TestScan(t *testing.T) {
	list := staff(t, 100)
	for _, by := range []string{"", "userName", "title", "meta.created", "nonsense"} {
		for _, descending := range []bool{false, true} {
			t.Run(fmt.Sprint(by, descending), func(t *testing.T) {
				all, total := scan(t, match.Query{SortBy: by, Descending: descending, Limit: 1000}, list)
				if total != 100 || len(all) != 100 {
					t.Fatalf("%d of %d", len(all), total)
				}
				var want []string
				for i := range 100 {
					want = append(want, fmt.Sprint(i))
				}
				if descending {
					slices.Reverse(want)
				}
				if diff := cmp.Diff(want, all); diff != "" && by == "" {
					t.Errorf("order of creation, and of numbers (-want +got):\n%s", diff)
				}
				var byIndex, byPlace []string
				var after *match.Place
				for len(byIndex) < 100 {
					ids, _ := scan(t, match.Query{SortBy: by, Descending: descending, Offset: len(byIndex), Limit: 7}, list)
					byIndex = append(byIndex, ids...)
					ids, _ = scan(t, match.Query{SortBy: by, Descending: descending, After: after, Limit: 7}, list)
					if len(ids) == 0 {
						t.Fatalf("no page behind %v", after)
					}
					byPlace = append(byPlace, ids...)
					i := slices.IndexFunc(list, func(d *doc.Document) bool { return d.ID == ids[len(ids)-1] })
					after = match.PlaceOf(by, list[i])
				}
				if diff := cmp.Diff(all, byIndex); diff != "" {
					t.Errorf("by index: %s", diff)
				}
				if diff := cmp.Diff(all, byPlace); diff != "" {
					t.Errorf("by place: %s", diff)
				}
			})
		}
	}
}

func TestScanNarrows(t *testing.T) {
	list := staff(t, 30)
	f := compile(t, list[0].Type, `title eq "boss"`)
	all, total := scan(t, match.Query{Limit: 100}, list)
	for _, q := range []match.Query{{}, {Limit: 5, Offset: 1000}, {Limit: -1}, {Limit: 5, Offset: -3}} {
		if ids, n := scan(t, q, list); n != total || len(ids) != 0 && !slices.Equal(ids, all[:5]) {
			t.Errorf("%+v: %v of %d", q, ids, n)
		}
	}
	ids, total := scan(t, match.Query{IDs: []string{"3", "4", "404"}, Limit: 5}, list)
	if diff := cmp.Diff([]string{"3", "4"}, ids); diff != "" || total != 2 {
		t.Errorf("by ids: %s, total %d", diff, total)
	}
	if _, total := scan(t, match.Query{Filter: f}, list); total == 0 || total == 30 {
		t.Errorf("the filter matches %d of 30", total)
	}
	broken := errors.New("broken")
	if _, _, err := match.Scan(&match.Query{}, each(list, broken), func(d *doc.Document) *doc.Document { return d }); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
}
