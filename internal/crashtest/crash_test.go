package crashtest

import (
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func pause() { time.Sleep(20 * time.Millisecond) }

// crash is workers on a server that the test kills again and again.
type crash struct {
	t       *testing.T
	d       *database
	p       *process
	c       *client
	rnd     *rand.Rand
	workers []*worker
}

func newCrash(t *testing.T, d *database) *crash {
	seeded := random(t)
	p := d.start(t)
	x := &crash{t: t, d: d, p: p, c: newClient(t, p), rnd: seeded(0)}
	a := x.c.do(http.MethodPost, "/scim/Groups", object{"displayName": roleNames[0]})
	if a.status != http.StatusCreated {
		t.Fatalf("the shared group: %d %s", a.status, a.body)
	}
	for i := range 4 {
		x.workers = append(x.workers, newWorker(d, x.c, seeded(i+1), i, a.id()))
	}
	return x
}

// round runs the workers, kills something meanwhile, and checks the result. If the server
// lives, the workers go on.
func (x *crash) round(lives bool, kill func()) {
	x.t.Helper()
	var wg sync.WaitGroup
	var stop atomic.Bool
	for _, w := range x.workers {
		wg.Go(func() {
			for !stop.Load() && !x.t.Failed() {
				if w.step() {
					continue
				}
				if !lives || w.doubt == nil {
					return
				}
				w.settle()
			}
		})
	}
	time.Sleep(between(x.rnd, 50*time.Millisecond, 800*time.Millisecond))
	kill()
	if lives {
		before := x.acknowledged()
		for end := time.Now().Add(time.Minute); x.acknowledged() < before+40 && !x.t.Failed(); pause() {
			if time.Now().After(end) {
				x.t.Error("the server does not go on serving")
			}
		}
	}
	stop.Store(true)
	wg.Wait()
	for _, w := range x.workers {
		w.settle()
	}
	x.d.checkAll(x.t, x.c)
	if x.t.Failed() {
		x.t.FailNow()
	}
}

func (x *crash) acknowledged() (n int64) {
	for _, w := range x.workers {
		n += w.acknowledged.Load()
	}
	return n
}

// restart kills the server and starts another.
func (x *crash) restart() {
	dead := x.p
	dead.kill(x.t)
	x.p = x.d.start(x.t)
	x.d.quiet(x.t, dead)
	x.c.use(x.p)
}

func (x *crash) report(what string, n int) {
	doubts, carried := 0, 0
	for _, w := range x.workers {
		doubts, carried = doubts+w.doubts, carried+w.carried
	}
	x.t.Logf("%s: %s: %d; %v; in doubt %d, of which %d had changed something", x.t.Name(), what, n, x.c.tally, doubts, carried)
}

func TestKill(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		d.flat = d.postgres && !d.mapped
		x := newCrash(t, d)
		n := kills(t)
		for range n {
			x.round(false, x.restart)
		}
		x.report("kill -9", n)
	})
}

func TestTerminateConnections(t *testing.T) {
	d := onFlatPostgres(t)
	x := newCrash(t, d)
	n, ended := kills(t), 0
	for range n {
		x.round(true, func() {
			m, err := d.terminate(t.Context(), x.p)
			if err != nil {
				t.Error(err)
			}
			ended += m
		})
	}
	if ended == 0 {
		t.Error("no connection was there to be ended")
	}
	x.report("all connections ended", n)
}

func TestCrashOfDatabase(t *testing.T) {
	d := onFlatPostgres(t)
	x := newCrash(t, d)
	n := kills(t)
	for range n {
		x.round(true, func() { postgres.Crash(t) })
	}
	x.report("immediate restarts of PostgreSQL", n)
}

func TestCrashOfMariaDB(t *testing.T) {
	d := onMariaDB(t, false)
	x := newCrash(t, d)
	n := kills(t)
	for range n {
		x.round(true, func() { mariadb.Crash(t) })
	}
	x.report("kills of MariaDB", n)
}
