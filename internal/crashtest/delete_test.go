package crashtest

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
)

// The test deletes a group with thousands of members, who each hold a role through it, and
// kills the server meanwhile. Either the whole deletion has happened, or nothing.
func TestKillDeletingGroup(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		size := 3000
		if testhost.UnderRace {
			size = 300
		}
		rnd := random(t)(0)
		members := d.people(t, size)
		p := d.start(t)
		c := newClient(t, p)
		var last time.Duration // how long deleting takes
		path, before := c.crowd(t, d, members)
		n, whole := kills(t), 0
		for i := range n + 1 {
			answered := make(chan answer, 1)
			begin := time.Now()
			go func() { answered <- c.do(http.MethodDelete, path, nil) }()
			var a answer
			if i == 0 { // without a kill, to measure how long it takes
				a = <-answered
				last = time.Since(begin)
			} else {
				time.Sleep(between(rnd, last/10, last*3/2))
				dead := p
				dead.kill(t)
				a = <-answered
				p = d.start(t)
				c.use(p)
				d.quiet(t, dead)
			}
			d.checkAll(t, c)
			after := d.count(t)
			gone := after == counts{Users: size}
			if gone {
				whole++
			}
			switch {
			case a.status != 0 && a.status != http.StatusNoContent:
				t.Fatalf("delete: %d %s", a.status, a.body)
			case !gone && (a.status != 0 || after != before):
				t.Fatalf("answered %d, and left of it (-before +after):\n%s", a.status, cmp.Diff(before, after))
			case gone:
				path, before = c.crowd(t, d, members)
			}
		}
		t.Logf("%s: kill -9 while a group of %d is deleted, which takes %v: %d, of which %d after the commit",
			t.Name(), size, last.Round(time.Millisecond), n, whole-1)
	})
}

// people stores n users.
func (d *database) people(t *testing.T, n int) (members []object) {
	a, err := open(t.Context(), d.address, d.mapped)
	if err != nil {
		t.Fatal(err)
	}
	defer a.db.Close() //nolint:errcheck // it is not used any more
	err = a.store.InTx(t.Context(), func(ctx context.Context) error {
		members = nil
		for i := range n {
			now := time.Now()
			id := uuid.Must(uuid.NewV7()).String()
			u, err := scim.UserType().Bind(scim.Meta{ID: id, Created: now, LastModified: now}, nil,
				map[string]any{"userName": fmt.Sprint("user", i), "active": true})
			if err != nil {
				return err
			}
			if _, err := a.store.Create(ctx, u); err != nil {
				return err
			}
			members = append(members, object{"value": id})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return members
}

// counts is the number of rows of each kind.
type counts struct{ Users, Groups, Members, Links, Entries, Held int }

func (d *database) count(t *testing.T) (n counts) {
	t.Helper()
	err := d.db.QueryRow(`SELECT (SELECT count(*) FROM scim_resources WHERE type = 'User'), (SELECT count(*) FROM scim_resources WHERE type = 'Group'),
		(SELECT count(*) FROM scim_members), (SELECT count(*) FROM scim_links), (SELECT count(*) FROM scim_grants), (SELECT count(*) FROM held)`).
		Scan(&n.Users, &n.Groups, &n.Members, &n.Links, &n.Entries, &n.Held)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// crowd makes a group with all members that gives them a role.
func (c *client) crowd(t *testing.T, d *database, members []object) (path string, n counts) {
	t.Helper()
	a := c.do(http.MethodPost, "/scim/Groups", object{"displayName": roleNames[0], "members": members})
	size := len(members)
	n = d.count(t)
	if a.status != http.StatusCreated || n != (counts{size, 1, size, 1, size, size}) {
		t.Fatalf("a group of all: %d, %+v", a.status, n)
	}
	return "/scim/Groups/" + a.id(), n
}
