package crashtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/scimkit/scim/internal/pgtest"
)

// backWithin is how long after the promotion the first write is acknowledged at the latest.
const backWithin = 20 * time.Second

// TestFailover kills the primary under load and promotes its synchronous standby. What was
// acknowledged is there afterwards. Meanwhile each request is answered, with 503, and the same
// process then goes on with the new primary.
func TestFailover(t *testing.T) {
	n := 1 // a standby takes a few seconds to be made
	if isLong() {
		n = kills(t)
	}
	failOver(t, n, 15*time.Second, func(pair *pgtest.Pair) (fence func()) {
		pair.Kill(t)
		return func() {}
	})
}

// TestFailoverFromSilence is TestFailover with a primary that no longer answers. Requests on its
// connections wait until Limits.Time, 30 s, so the test is a long one.
func TestFailoverFromSilence(t *testing.T) {
	if !isLong() {
		t.Skip("it takes a minute: SCIM_KILLS is not set")
	}
	failOver(t, 1, 45*time.Second, func(pair *pgtest.Pair) (fence func()) { return pair.Freeze(t) })
}

// failOver loses the primary n times. No request may take longer than limit. fence ends the old
// primary, when all requests are answered.
func failOver(t *testing.T, n int, limit time.Duration, lose func(*pgtest.Pair) (fence func())) {
	pair := pgtest.NewPair(t)
	d := openDatabase(t, pair.DSN(t), true, false)
	x := newCrash(t, d)
	for i := range n {
		if i > 0 {
			pair.Follow(t)
		}
		x.round(true, func() {
			v := visit(x.c, 4)
			time.Sleep(between(x.rnd, 200*time.Millisecond, time.Second))
			fence := lose(pair)
			lost := time.Now()
			time.Sleep(between(x.rnd, 0, 2*time.Second)) // until somebody notices
			pair.Promote(t)
			promoted := time.Now()
			for before := v.count(); v.count() == before && time.Since(promoted) < time.Minute; {
				time.Sleep(5 * time.Millisecond)
			}
			back := time.Since(promoted)
			v.stop()
			fence()
			t.Logf("no primary for %v; a write is acknowledged %v later; %d writes are acknowledged in all",
				promoted.Sub(lost).Round(time.Millisecond), back.Round(time.Millisecond), v.check(d))
			if back > backWithin {
				t.Errorf("a write is acknowledged %v after the promotion, want at most %v", back, backWithin)
			}
		})
	}
	x.report("fail-overs", n)
	x.c.mu.Lock()
	defer x.c.mu.Unlock()
	t.Logf("the slowest request took %v", x.c.slowest.Round(time.Millisecond))
	if x.c.slowest > limit || x.c.tally[0] > 0 {
		t.Errorf("the slowest request took %v, want at most %v; %d have no answer", x.c.slowest, limit, x.c.tally[0])
	}
	if x.c.tally[http.StatusServiceUnavailable] == 0 {
		t.Error("no request was made without a primary")
	}
}

// visitors create users and give them a role until they are stopped. They do not wait for a
// database that is away.
type visitors struct {
	c    *client
	wg   sync.WaitGroup
	done chan struct{}

	mu      sync.Mutex
	created map[string]string // created has the names of acknowledged users, by id.
	given   map[string]bool   // given has the users whose role was acknowledged.
}

var visits atomic.Int64

// visit starts visitors.
func visit(c *client, n int) *visitors {
	v := &visitors{c: c, done: make(chan struct{}), created: make(map[string]string), given: make(map[string]bool)}
	for range n {
		group := c.sure(http.MethodPost, "/scim/Groups", object{"displayName": "Auditor"}).id()
		v.wg.Go(func() {
			for {
				select {
				case <-v.done:
					return
				case <-time.After(20 * time.Millisecond):
					v.once(group, fmt.Sprint("visitor", visits.Add(1)))
				}
			}
		})
	}
	return v
}

// once creates a user and puts it into a group.
func (v *visitors) once(group, name string) {
	a := v.c.do(http.MethodPost, "/scim/Users", object{"userName": name})
	if a.doubtful() {
		return
	}
	user := a.id()
	if a.status != http.StatusCreated {
		v.c.t.Errorf("create %s: %d %s", name, a.status, a.body)
		return
	}
	v.note(func() { v.created[user] = name })
	a = v.c.do(http.MethodPatch, "/scim/Groups/"+group, object{"Operations": []object{{"op": "add", "path": "members", "value": []object{{"value": user}}}}})
	if a.status == http.StatusNoContent {
		v.note(func() { v.given[user] = true })
	} else if !a.doubtful() {
		v.c.t.Errorf("add %s: %d %s", name, a.status, a.body)
	}
}

func (v *visitors) note(change func()) {
	v.mu.Lock()
	defer v.mu.Unlock()
	change()
}

// count is how many writes were acknowledged.
func (v *visitors) count() (n int) {
	v.note(func() { n = len(v.created) + len(v.given) })
	return n
}

// stop waits for the visitors.
func (v *visitors) stop() {
	close(v.done)
	v.wg.Wait()
}

// check looks for each user and each role that was acknowledged, and returns how many there are.
func (v *visitors) check(d *database) (n int) {
	t := v.c.t
	held := d.holders(t, "Auditor")
	for id, name := range v.created {
		a := v.c.sure(http.MethodGet, "/scim/Users/"+id, nil)
		var u resource
		if err := json.Unmarshal(a.body, &u); err != nil || a.status != http.StatusOK || u.UserName != name {
			t.Errorf("user %s was acknowledged: %d %s, error %v", name, a.status, a.body, err)
		}
		if v.given[id] && !held[id] {
			t.Errorf("the role of user %s was acknowledged, and is not there", name)
		}
	}
	if len(v.given) == 0 {
		t.Error("no role was given")
	}
	return v.count()
}
