package memory

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/scimkit/scim"
)

// crowd creates n users. Several share a time of creation, and the order of calls is not
// that of creation.
func crowd(t testing.TB, n int) []*scim.Resource {
	t.Helper()
	out := make([]*scim.Resource, n)
	for i := range out {
		out[i] = user(t, fmt.Sprintf("u%05d", (i*7)%n), (i*7)%n/3, map[string]any{
			"userName":    fmt.Sprintf("user%d@example.com", i),
			"displayName": fmt.Sprintf("Name %d", i%17),
			"externalId":  fmt.Sprintf("Ext%d", i%5),
			"name":        map[string]any{"familyName": fmt.Sprintf("Family%d", i%3)},
			"emails":      []any{map[string]any{"value": fmt.Sprintf("u%d@Example.com", i), "type": "work"}, map[string]any{"value": fmt.Sprintf("all%d@example.com", i%2)}},
		})
	}
	return out
}

// TestListIsScan compares each way to an answer with Scan over all resources.
func TestListIsScan(t *testing.T) {
	all := crowd(t, 200)
	s := New(Index("name.familyName"))
	create(t, s, all...)
	filters := []string{"", "", `userName eq "USER7@example.com"`, `id eq "u00010"`, `id eq "U00010"`, `externalId eq "Ext1"`, `externalId eq "ext1"`,
		`displayName eq "name 3"`, `emails.value eq "ALL1@example.com"`, `emails[type eq "work" and value eq "u8@example.com"]`,
		`name.familyName eq "family2" and displayName eq "Name 2"`, `displayName sw "Name 1"`, `not (displayName eq "Name 1")`,
		`displayName eq "Name 1" or externalId eq "Ext1"`, `userName eq "nobody"`, `emails eq "u8@example.com"`}
	rnd := rand.New(rand.NewPCG(1, 2))
	for i := range 4000 {
		q := &scim.Query{Descending: rnd.IntN(2) == 0, Total: rnd.IntN(2) == 0,
			Offset: rnd.IntN(250) - 10, Limit: []int{0, 1, 7, 50, 1000}[rnd.IntN(5)]}
		text := filters[rnd.IntN(len(filters))]
		if text != "" {
			f, err := scim.ParseFilter(scim.UserType(), text)
			if err != nil {
				t.Fatal(err)
			}
			q.Filter = f
		}
		if rnd.IntN(3) == 0 {
			q.SortBy = []string{"displayName", "name.familyName", "emails"}[rnd.IntN(3)]
		}
		if rnd.IntN(4) == 0 {
			q.IDs = []string{}
			for range rnd.IntN(30) {
				q.IDs = append(q.IDs, fmt.Sprintf("u%05d", rnd.IntN(220))) // some twice, some unknown
			}
		}
		switch rnd.IntN(4) {
		case 0:
			q.After = scim.KeyOf(q, all[rnd.IntN(len(all))])
		case 1: // a place where nothing is any more
			q.After = scim.KeyOf(q, user(t, "u00050x", rnd.IntN(80)-5, nil))
		}
		want, err := scim.Scan(q, seq(all))
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.List(t.Context(), scim.UserType(), q)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(idsOf(want.Resources), idsOf(got.Resources)); diff != "" || want.Total != got.Total {
			t.Fatalf("query %d: %q %+v: total %d, want %d (-scan +list):\n%s", i, text, *q, got.Total, want.Total, diff)
		}
	}
}

func seq(list []*scim.Resource) iter.Seq2[*scim.Resource, error] {
	return func(yield func(*scim.Resource, error) bool) {
		for _, r := range list {
			if !yield(r, nil) {
				return
			}
		}
	}
}

func TestLookUps(t *testing.T) {
	s := New(Index("name.familyName", "meta.resourceType", "id", "urn:ietf:params:scim:schemas:core:2.0:User:meta.resourceType"),
		Index("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber"))
	create(t, s, crowd(t, 170)...)
	create(t, s, user(t, "e", 999, map[string]any{"userName": "e", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber": "E1"}))
	tests := []struct {
		filter, reason string
		found, looked  int
	}{
		{`userName eq "user3@example.com"`, "indexed", 1, 1},
		{`USERNAME eq "USER3@example.com"`, "names and values in any case", 1, 1},
		{`urn:ietf:params:scim:schemas:core:2.0:User:userName eq "user3@example.com"`, "the core URN changes nothing", 1, 1},
		{`id eq "u00003"`, "indexed", 1, 1},
		{`externalId eq "Ext1"`, "indexed, case-exact", 34, 34},
		{`externalId eq "ext1"`, "the look-up finds a superset of nothing", 0, 34},
		{`displayName eq "name 1"`, "indexed", 10, 10},
		{`emails.value eq "U8@example.com"`, "indexed", 1, 1},
		{`emails[type eq "work"].value eq "u8@example.com"`, "an equality all the same", 1, 1},
		{`userName eq "user1@example.com" and externalId eq "Ext1"`, "the better of two", 1, 1},
		{`externalId eq "Ext1" and userName eq "user1@example.com"`, "in any order", 1, 1},
		{`name.familyName eq "family1"`, "indexed on request", 57, 57},
		{`urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber eq "e1"`, "of an extension too", 1, 1},
		{`meta.resourceType eq "User"`, "what is not a value cannot be indexed, and is found", 171, 171},
		{`name.givenName eq "x"`, "not indexed", 0, 171},
		{`userName eq "user3@example.com" or id eq "u00003"`, "a disjunction is no look-up", 2, 171},
	}
	for _, test := range tests {
		t.Run(test.filter, func(t *testing.T) {
			ids, looked := find(t, s, scim.UserType(), test.filter)
			if diff := cmp.Diff([]int{test.found, test.looked}, []int{len(ids), looked}); diff != "" {
				t.Errorf("found, looked at: %s (-want +got):\n%s", test.reason, diff)
			}
		})
	}
}

func TestListOfNothing(t *testing.T) {
	s := New()
	create(t, s, group(t, "g", 0))
	p, err := s.List(t.Context(), scim.UserType(), &scim.Query{Limit: 10})
	if err != nil || p.Total != 0 || len(p.Resources) != 0 {
		t.Errorf("users of a store that has none: %v, %v", p, err)
	}
}

// TestPagingWhileWriting pages by key through a list that changes. It lists each resource
// that stays exactly once.
func TestPagingWhileWriting(t *testing.T) {
	s := New()
	all := crowd(t, 300)
	create(t, s, all[:200]...)
	seen := make(map[string]int)
	q := &scim.Query{Limit: 7}
	for n := 200; ; n++ {
		p, err := s.List(t.Context(), scim.UserType(), q)
		if err != nil {
			t.Fatal(err)
		}
		if len(p.Resources) == 0 {
			break
		}
		for _, r := range p.Resources {
			seen[r.ID()]++
		}
		last := p.Resources[len(p.Resources)-1]
		q.After = scim.KeyOf(q, last)
		if n < len(all) {
			create(t, s, all[n])
		}
		// The place of a deleted resource remains a place.
		if err := s.Delete(t.Context(), last.Ref(), func(*scim.Resource) error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range all[:200] {
		if seen[r.ID()] != 1 {
			t.Errorf("%s was listed %d times", r.ID(), seen[r.ID()])
		}
	}
	for id, n := range seen {
		if n != 1 {
			t.Errorf("%s was listed %d times", id, n)
		}
	}
}

// TestMonotonicClock gives a time with a reading of the monotonic clock the same place as
// the time that a client sends back.
func TestMonotonicClock(t *testing.T) {
	s := New()
	now := time.Now()
	for i := range 10 {
		r := user(t, fmt.Sprint(i), 0, map[string]any{"userName": fmt.Sprint(i)})
		create(t, s, r.WithMeta(scim.Meta{ID: r.ID(), Created: now}))
	}
	_, err := s.Update(t.Context(), u("9"), func(r *scim.Resource) (*scim.Resource, error) {
		return r.WithMeta(scim.Meta{ID: "9", Created: now.Add(time.Second)}), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	dump(t, s) // looks for the reading
	q := &scim.Query{Limit: 3, After: &scim.PageKey{Created: now.Round(0), ID: "4"}}
	p, err := s.List(t.Context(), scim.UserType(), q)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"5", "6", "7"}, idsOf(p.Resources)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
