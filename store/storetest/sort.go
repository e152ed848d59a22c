package storetest

import (
	"slices"
	"strings"

	"github.com/scimkit/scim"
)

// order is a sort order with the key that decides it; ok is false where r has none.
type order struct {
	by  string
	key func(r *scim.Resource) (key string, ok bool)
}

func orders() []order {
	folded := func(path string) order {
		return order{path, func(r *scim.Resource) (string, bool) {
			v, ok := r.Get(path).(string)
			return scim.Fold(v), ok
		}}
	}
	return []order{
		folded("userName"), folded("displayName"), folded("name.familyName"), folded(department),
		{"externalId", func(r *scim.Resource) (string, bool) { v, ok := r.Get("externalId").(string); return v, ok }},
		{"active", func(r *scim.Resource) (string, bool) {
			v, ok := r.Get("active").(bool)
			return map[bool]string{false: "0", true: "1"}[v], ok
		}},
		{"emails", func(r *scim.Resource) (string, bool) { return scim.Fold(r.Primary("emails")), is(r, "emails") }},
		{"emails.value", func(r *scim.Resource) (string, bool) { return scim.Fold(r.Primary("emails")), is(r, "emails") }},
		{"meta.lastModified", func(r *scim.Resource) (string, bool) {
			return r.Meta().LastModified.UTC().Format("2006-01-02T15:04:05.000000000"), true
		}},
	}
}

// sorted returns resources in this order. all is in order of creation.
func (o order) sorted(all []*scim.Resource, descending bool) []*scim.Resource {
	out := slices.Clone(all)
	slices.SortStableFunc(out, func(a, b *scim.Resource) int {
		x, okX := o.key(a)
		y, okY := o.key(b)
		switch {
		case okX && okY:
			return strings.Compare(x, y)
		case okX:
			return -1
		case okY:
			return 1
		}
		return 0
	})
	if descending {
		slices.Reverse(out)
	}
	return out
}

func sortSteps() []step[scim.Store] {
	const rule = " (RFC 7644, Section 3.4.2.3)"
	sorted := func(descending bool) func(t *probe, s scim.Store) {
		return func(t *probe, s scim.Store) {
			all := createPeople(t, s)
			// This makes the order of change differ from the order of creation.
			all[2] = touch(t, s, all[2])
			all[0] = touch(t, s, all[0])
			for _, o := range orders() {
				want := o.sorted(all, descending)
				t.expect(s, scim.UserType(), &scim.Query{SortBy: o.by, Descending: descending, Limit: 100}, want, 0)
				t.expect(s, scim.UserType(), &scim.Query{SortBy: o.by, Descending: descending, Offset: 2, Limit: 3, Total: true}, cut(want, 2, 3), len(all))
			}
		}
	}
	return []step[scim.Store]{
		{"ascending", "Attributes that are not case-exact sort by their folded form, multi-valued ones by the primary value, else the first; resources without the attribute come last, and order of creation decides between equals" + rule, sorted(false)},
		{"descending", "Descending is the exact reverse of ascending: resources without the attribute come first" + rule, sorted(true)},
		{"with a filter", "A filter and a sort order apply together, before the page is cut" + rule, func(t *probe, s scim.Store) {
			all := createPeople(t, s)
			var some []*scim.Resource
			for _, r := range all {
				if is(r, "emails") {
					some = append(some, r)
				}
			}
			o := orders()[0]
			for _, descending := range []bool{false, true} {
				want := o.sorted(some, descending)
				q := &scim.Query{Filter: t.filter(`emails pr`), SortBy: o.by, Descending: descending, Offset: 1, Limit: 2, Total: true}
				t.expect(s, scim.UserType(), q, cut(want, 1, 2), len(some))
			}
		}},
	}
}

// touch changes only lastModified, as the handler would.
func touch(t *probe, s scim.Store, r *scim.Resource) *scim.Resource {
	at := t.meta().LastModified
	got, err := s.Update(t.ctx, r.Ref(), func(before *scim.Resource) (*scim.Resource, error) {
		m := before.Meta()
		m.LastModified = at
		after, err := before.With(values{"nickName": "touched"})
		if err != nil {
			return nil, err
		}
		return after.WithMeta(m), nil
	})
	if err != nil {
		t.Fatalf("Update of %v: %v", r.Ref(), err)
	}
	return got
}
