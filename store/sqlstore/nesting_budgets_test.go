package sqlstore_test

import (
	"database/sql"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore"
)

// inside puts a group with the first n users, made past the handler, into a chain of groups
// that is depth groups high, and returns the paths of the group and of the highest one. No
// group gives a role.
func (c *crowd) inside(tb testing.TB, d sqlstore.Dialect, name string, n, depth int) (path, top string) {
	tb.Helper()
	g := create(tb, c.s, group(tb, name))
	res, err := c.db.Exec("INSERT INTO scim_members (tenant, group_id, member_type, member_id, since) SELECT tenant, '" + g.ID() +
		"', type, id, 0 FROM scim_resources WHERE type = 'User' AND id < '" + userID(n) + "'")
	if err != nil {
		tb.Fatal(err)
	}
	if joined, err := res.RowsAffected(); err != nil || joined != int64(n) {
		tb.Fatal(joined, err)
	}
	analyze(tb, c.db, d)
	for i := range depth {
		above := create(tb, c.s, group(tb, fmt.Sprint(name, i)))
		if _, _, err := c.s.ChangeMembers(tb.Context(), above.ID(), []scim.Ref{g.Ref()}, nil); err != nil {
			tb.Fatal(err)
		}
		if path == "" {
			path = "/Groups/" + g.ID()
		}
		g = above
	}
	return path, "/Groups/" + g.ID()
}

// nested makes the crowd's handler count groups in groups.
func (c *crowd) nested(tb testing.TB) *crowd {
	c.h = handler(tb, scim.Config{Store: c.s, Roles: &scim.Roles{Resolver: c.roles}, Members: scim.MemberPolicy{Nested: true}})
	return c
}

// A member of a group of 100,000, five groups below the highest one, costs as much as one of
// a group of 100 there, and little more than one of a group of 100 that is in no other one.
func nestedMembersBudget(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
	const n = 100_000
	c := newCrowd(t, db, d, n).nested(t)
	toggle := func(path, top, role string) func(int) {
		send(t, c.h, "PATCH", top, `{"Operations":[{"op":"replace","path":"displayName","value":"`+role+`"}]}`, 204)
		return func(i int) {
			id := userID(n - 1 - i%10)
			send(t, c.h, "PATCH", path, `{"Operations":[{"op":"add","path":"members","value":[{"value":"`+id+`"}]}]}`, 204)
			send(t, c.h, "PATCH", path, `{"Operations":[{"op":"remove","path":"members[value eq \"`+id+`\"]"}]}`, 204)
		}
	}
	large, top := c.inside(t, d, "Everybody", n-10, 5)
	changeLarge := toggle(large, top, "All of them")
	small, top := c.inside(t, d, "Few", 100, 5)
	changeSmall := toggle(small, top, "Some of them")
	flat := c.join(t, d, "Flat", 100)
	compare(t, d.String()+": member five deep changed, to one of a group alone", 1.5, 50, changeLarge, toggle(flat, flat, "Flat"))
	compare(t, d.String()+": member five deep changed, 100,000 to 100", 1.5, 50, changeLarge, changeSmall)
}

// A group of 10,000 is put into one that gives a role, and taken out, in less than three
// seconds. One of 50,000 takes as much memory.
func nestedGroupBudget(t *testing.T, open func(testing.TB) *sql.DB, d sqlstore.Dialect) {
	var in, out []time.Duration
	var peaks []uint64
	for _, n := range []int{10_000, 50_000} {
		c := newCrowd(t, open(t), d, n).nested(t)
		path, top := c.inside(t, d, "Everybody", n, 1)
		id := path[len("/Groups/"):]
		giving := "/Groups/" + create(t, c.s, group(t, "Editor")).ID()
		send(t, c.h, "PATCH", giving, `{"Operations":[{"op":"replace","path":"externalId","value":"x"}]}`, 204) // finds its role
		put := func() {
			send(t, c.h, "PATCH", giving, `{"Operations":[{"op":"add","path":"members","value":[{"value":"`+top[len("/Groups/"):]+`","type":"Group"}]}]}`, 204)
		}
		take := func() { send(t, c.h, "PATCH", giving, `{"Operations":[{"op":"remove","path":"members"}]}`, 204) }
		holders := func(want int) {
			var got int
			if err := c.db.QueryRow("SELECT count(*) FROM held").Scan(&got); err != nil || got != want {
				t.Fatalf("%d hold the role through %s, error %v; want %d", got, id, err, want)
			}
		}
		var found []uint64
		for range 3 {
			found = append(found, peak(put))
			holders(n)
			take()
			holders(0)
		}
		peaks = append(peaks, slices.Min(found))
		for i := 0; i < 5 && n == 10_000; i++ {
			start := time.Now()
			put()
			in = append(in, time.Since(start))
			holders(n)
			start = time.Now()
			take()
			out = append(out, time.Since(start))
			holders(0)
		}
	}
	t.Logf("%-50s %9v of at most 3s, taken out %v; live heap %d kB, of 50,000: %d kB",
		d.String()+": a group of 10,000 put into another", median(in), median(out), peaks[0]>>10, peaks[1]>>10)
	if median(in) > 3*time.Second || median(out) > 3*time.Second {
		t.Errorf("it takes %v, and %v to take it out", median(in), median(out))
	}
	if float64(peaks[1]) > 1.25*float64(peaks[0]) {
		t.Errorf("a group of 50,000 takes %d bytes, one of 10,000 takes %d", peaks[1], peaks[0])
	}
}
