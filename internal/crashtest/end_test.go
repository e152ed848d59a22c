package crashtest

import (
	"net/http"
	"testing"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
)

// TestKillEnd kills the server while SCIM ends for a tenant with thousands of grants. Another
// process goes on: nothing is left in the ledger, and users keep or lose their roles as decided.
func TestKillEnd(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		d.flat = d.postgres && !d.mapped
		size := 2500
		if testhost.UnderRace {
			size = 1100
		}
		members := d.people(t, size)
		for _, how := range []scim.EndHow{scim.EndKeep, scim.EndRevoke} {
			t.Run(string(how), func(t *testing.T) { killEnd(t, d, members, how) })
		}
	})
}

func killEnd(t *testing.T, d *database, members []object, how scim.EndHow) {
	size, rnd := len(members), random(t)(0)
	p := d.start(t)
	c := newClient(t, p)
	end := func() answer { return c.do(http.MethodPost, "/end?how="+string(how), nil) }
	var last time.Duration // how long the end takes
	halfWay := 0
	n := kills(t)
	for i := range n + 1 {
		path, _ := c.crowd(t, d, members)
		if begin := time.Now(); i == 0 { // without a kill, to measure
			end()
			last = time.Since(begin)
		} else {
			done := make(chan struct{})
			go func() {
				defer close(done)
				end()
			}()
			time.Sleep(between(rnd, last/10, last))
			dead := p
			dead.kill(t)
			<-done
			p = d.start(t)
			c.use(p)
			d.quiet(t, dead)
		}
		left := d.count(t)
		if left.Entries > 0 && left.Entries < size {
			halfWay++
		}
		if how == scim.EndRevoke && left.Held != left.Entries || how == scim.EndKeep && left.Held != size {
			t.Fatalf("after the kill: %+v", left)
		}
		if a := end(); a.status != http.StatusOK {
			t.Fatalf("the end, again: %d %s", a.status, a.body)
		}
		want := counts{Users: size, Groups: 1, Members: size}
		if how == scim.EndKeep {
			want.Held = size
		}
		if got := d.count(t); got != want {
			t.Fatalf("after the end: %+v, want %+v", got, want)
		}
		if a := c.do(http.MethodDelete, path, nil); a.status != http.StatusNoContent {
			t.Fatalf("delete: %d %s", a.status, a.body)
		}
		if _, err := d.db.Exec("DELETE FROM held"); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("kill -9 while SCIM ends, which takes %v: %d, of which %d half-way", last.Round(time.Millisecond), n, halfWay)
}
