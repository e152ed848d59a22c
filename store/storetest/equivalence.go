package storetest

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/scimkit/scim"
)

// RunFilters checks that List gives what scim.Scan gives, for n random filters, orders
// and pages. The resource type has attributes of every kind in every place. Use it for
// stores that keep any type. Run does the same with fewer filters and the standard types.
//
// RunFilters calls newStore once. newStore returns an empty store for typ.
//
// The environment variable SCIM_FILTERS overrides n. The filters differ in each run. A
// failure prints its seed; set SCIM_SEED to repeat it.
func RunFilters(t *testing.T, newStore func(t *testing.T, typ *scim.ResourceType) scim.Store, n int) {
	if given, err := strconv.Atoi(os.Getenv("SCIM_FILTERS")); err == nil {
		n = given
	}
	typ, err := everything()
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	random := step[scim.Store]{randomStep, equivalenceRule, func(t *probe, s scim.Store) { compareWithScan(t, s, typ, true, n) }}
	v := random.judge(newStore(t, typ), random.most()+time.Duration(n)*50*time.Millisecond)
	if len(v.failures) > 0 {
		t.Fatalf("%s\nthe rule: %s", strings.Join(v.failures, "\n"), random.Rule)
	}
	t.Logf("%d filters in %v", n, time.Since(begin).Round(time.Millisecond))
}

const randomStep = "random"

const equivalenceRule = "For every filter, order and page, List returns what scim.Scan returns. Every store can use scim.Scan."

// filtersOf is the number of filters for one set of resources. It is so large that storing
// the set takes little of the time.
const (
	resourcesOf = 20
	filtersOf   = 200
)

// compareWithScan compares n filters over several sets of resources.
func compareWithScan(t *probe, s scim.Store, typ *scim.ResourceType, wild bool, n int) {
	for seed := givenSeed(); n > 0; seed++ {
		e := &equality{dice: newDice(seed, typ, wild), s: s}
		e.run(t, min(n, filtersOf), seed)
		n -= filtersOf
	}
}

// inTxOrNot runs fn in a transaction if the store has them, because that is faster.
func inTxOrNot(t *probe, s scim.Store, fn func(t *probe)) {
	tx, ok := s.(scim.Transactor)
	if !ok {
		fn(t)
		return
	}
	if err := tx.InTx(t.ctx, func(ctx context.Context) error { fn(t.with(ctx)); return nil }); err != nil {
		t.Fatalf("InTx: %v", err)
	}
}

// equality is one set of stored resources, on which List and scim.Scan are compared.
type equality struct {
	*dice
	s    scim.Store
	all  []*scim.Resource
	tied bool // the store's clock gives equal times, so the store decides the order
}

// run stores resources, compares n filters, and deletes the resources.
func (e *equality) run(t *probe, n int, seed uint64) {
	failed := true
	defer func() {
		if failed {
			t.Errorf("to see it again: SCIM_SEED=%d", seed)
		}
	}()
	made := make([]*scim.Resource, resourcesOf)
	for i := range made {
		made[i] = e.resource(t, i)
	}
	inTxOrNot(t, e.s, func(t *probe) {
		for i, r := range made {
			made[i] = t.create(e.s, r)
			t.same("what Create returned", r, made[i])
		}
	})
	e.all = t.list(e.s, e.typ, &scim.Query{Limit: 2 * resourcesOf}).Resources
	if len(e.all) != len(made) {
		t.Fatalf("%d resources are listed after %d were created", len(e.all), len(made))
	}
	e.look(e.all)
	for i, r := range e.all {
		e.tied = e.tied || i > 0 && !e.wild && r.Meta().Created.Equal(e.all[i-1].Meta().Created)
	}
	for done := 0; done < n; {
		text, parts := e.filter(3)
		f, err := scim.ParseFilter(e.typ, text)
		if err != nil {
			continue // no such comparison for the type: the client is told, not the store
		}
		done++
		e.compare(t, f, parts)
	}
	inTxOrNot(t, e.s, func(t *probe) {
		for _, r := range made {
			t.remove(e.s, r.Ref())
		}
	})
	failed = false
}

// compare compares a filter: over the whole list, and in one order and page.
func (e *equality) compare(t *probe, f *scim.Filter, parts []string) {
	queries := []*scim.Query{{Filter: f, Limit: 2 * resourcesOf, Total: true}}
	if !e.tied {
		queries = append(queries, e.query(f, e.all))
	}
	for _, q := range queries {
		if diff := e.differs(t.ctx, q); diff != "" {
			t.Fatalf("%s\n%s", diff, e.blame(t.ctx, *q, parts))
		}
	}
}

// differs describes how List and scim.Scan differ on q. It returns "" if they do not.
func (e *equality) differs(ctx context.Context, q *scim.Query) string {
	want, err := scim.Scan(q, sequence(e.all))
	if err != nil {
		return fmt.Sprintf("scim.Scan of %s: %v", showQuery(q), err)
	}
	got, err := e.s.List(ctx, e.typ, q)
	if err != nil || got == nil {
		return fmt.Sprintf("List of %s: page %v, error %v", showQuery(q), got, err)
	}
	wanted, gotten := slices.Clone(want.Resources), slices.Clone(got.Resources)
	if e.tied {
		byID := func(a, b *scim.Resource) int { return cmp.Compare(a.ID(), b.ID()) }
		slices.SortFunc(wanted, byID)
		slices.SortFunc(gotten, byID)
	}
	if !slices.EqualFunc(wanted, gotten, (*scim.Resource).Equal) {
		return fmt.Sprintf("List of %s: got %q, want %q", showQuery(q), briefNames(got.Resources), briefNames(want.Resources))
	}
	if (q.Total || q.Limit <= 0) && got.Total != want.Total {
		return fmt.Sprintf("List of %s: total is %d, want %d", showQuery(q), got.Total, want.Total)
	}
	return ""
}

// blame reduces a difference to the shortest part of the filter that differs alone, and
// to the resources on which it differs.
func (e *equality) blame(ctx context.Context, q scim.Query, parts []string) string {
	slices.SortFunc(parts, func(a, b string) int { return len(a) - len(b) })
	for _, text := range parts {
		part := q
		var err error
		if part.Filter, err = scim.ParseFilter(e.typ, text); err == nil && e.differs(ctx, &part) != "" {
			q = part
			break
		}
	}
	lines := []string{"reduced to " + showQuery(&q)}
	for _, r := range e.all {
		one := &scim.Query{Filter: q.Filter, IDs: []string{r.ID()}, Limit: 1, Total: true}
		if diff := e.differs(ctx, one); diff != "" {
			lines = append(lines, fmt.Sprintf("it differs on %s, which it matches: %v", show(r), q.Filter.Match(r)))
		}
	}
	if len(lines) == 1 {
		lines = append(lines, "on each resource alone there is no difference; by what they are sorted:")
		for _, r := range e.all {
			key, at := "nothing", scim.KeyOf(&q, r)
			if at.Value != nil {
				key = strconv.Quote(brief(*at.Value))
			}
			lines = append(lines, fmt.Sprintf("%q, which it matches: %v: %s, %v, %s", brief(names([]*scim.Resource{r})[0]), q.Filter.Match(r), key, at.Created, at.ID))
		}
	}
	return strings.Join(lines, "\n")
}

// brief returns s, cut off if it is long.
func brief(s string) string {
	if len(s) > 40 {
		return strings.ToValidUTF8(s[:40], "") + "…"
	}
	return s
}

func briefNames(list []*scim.Resource) []string {
	all := names(list)
	for i := range all {
		all[i] = brief(all[i])
	}
	return all
}

func sequence(all []*scim.Resource) iter.Seq2[*scim.Resource, error] {
	return func(yield func(*scim.Resource, error) bool) {
		for _, r := range all {
			if !yield(r, nil) {
				return
			}
		}
	}
}
