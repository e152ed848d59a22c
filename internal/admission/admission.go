// Package admission limits how many requests run at the same time, and how much memory
// their bodies take, in all and for each tenant.
package admission

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// Wait is the longest time that a request waits for its turn.
const Wait = time.Second

// ErrBusy says that a request did not get its turn.
var ErrBusy = errors.New("too many requests at the same time")

// Gate admits requests. One tenant has at most half of each limit, so that the requests of
// one tenant leave room for those of another. It is safe for concurrent use.
type Gate struct {
	most    share // what all requests may use
	half    share // what the requests of one tenant may use
	mu      sync.Mutex
	used    share
	waiters int               // how many requests wait
	tenants map[string]tenant // only those with a request
}

// share is a number of requests and the bytes of their bodies.
type share struct {
	requests int
	bytes    int64
}

func (s share) plus(o share) share { return share{s.requests + o.requests, s.bytes + o.bytes} }

func (s share) minus(o share) share { return share{s.requests - o.requests, s.bytes - o.bytes} }

func (s share) fits(most share) bool { return s.requests <= most.requests && s.bytes <= most.bytes }

// tenant is what the requests of one tenant use, and those that wait, the oldest first.
type tenant struct {
	used    share
	waiting []*waiter
}

// waiter is a request that waits for its turn.
type waiter struct {
	share
	turn chan struct{} // closed when the Gate has admitted the request
}

// New makes a Gate for a number of requests and the bytes of their bodies.
func New(requests int, bytes int64) *Gate {
	return &Gate{
		most:    share{requests, bytes},
		half:    share{max(1, requests/2), max(1, bytes/2)},
		tenants: map[string]tenant{},
	}
}

// Turn is an admitted request. Leave ends it. The zero Turn is no request.
type Turn struct {
	gate   *Gate
	tenant string
	share
}

// Enter admits a request of a tenant, whose body has at most a number of bytes. It waits at
// most for the time Wait. The error is ErrBusy, or the error of ctx. A body larger than the
// half of all bytes counts as that half.
func (g *Gate) Enter(ctx context.Context, name string, bytes int64) (Turn, error) {
	turn := Turn{g, name, share{1, min(bytes, g.half.bytes)}}
	g.mu.Lock()
	t := g.tenants[name]
	if len(t.waiting) == 0 && g.hasRoom(t, turn.share) {
		g.take(name, t, turn.share)
		g.mu.Unlock()
		return turn, nil
	}
	if len(t.waiting) >= g.most.requests {
		g.mu.Unlock()
		return Turn{}, ErrBusy
	}
	w := &waiter{turn.share, make(chan struct{})}
	t.waiting = append(t.waiting, w)
	g.tenants[name] = t
	g.waiters++
	g.mu.Unlock()
	if err := g.wait(ctx, name, w); err != nil {
		return Turn{}, err
	}
	return turn, nil
}

// Leave ends an admitted request, and lets others have their turn.
func (t Turn) Leave() {
	g := t.gate
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.used = g.used.minus(t.share)
	of := g.tenants[t.tenant]
	of.used = of.used.minus(t.share)
	g.put(t.tenant, of)
	g.admit()
}

// Shrink says that the body of an admitted request has only this many bytes. A body of
// unknown length counts as the largest possible until it has arrived.
func (t *Turn) Shrink(bytes int64) {
	g := t.gate
	if g == nil || bytes >= t.bytes {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	freed := share{bytes: t.bytes - bytes}
	g.used = g.used.minus(freed)
	of := g.tenants[t.tenant]
	of.used = of.used.minus(freed)
	g.put(t.tenant, of)
	t.bytes = bytes
	g.admit()
}

// wait waits until w has its turn.
func (g *Gate) wait(ctx context.Context, name string, w *waiter) error {
	timer := time.NewTimer(Wait)
	defer timer.Stop()
	err := ErrBusy
	select {
	case <-w.turn:
		return nil
	case <-ctx.Done():
		err = ctx.Err()
	case <-timer.C:
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	t := g.tenants[name]
	for i := range t.waiting {
		if t.waiting[i] == w {
			t.waiting = slices.Delete(t.waiting, i, i+1)
			g.waiters--
			g.put(name, t)
			g.admit() // A smaller request may have waited behind w.
			return err
		}
	}
	return nil // w got its turn meanwhile
}

// hasRoom reports whether a further request of a tenant may run.
func (g *Gate) hasRoom(t tenant, s share) bool {
	return g.used.plus(s).fits(g.most) && t.used.plus(s).fits(g.half)
}

// take counts a request of a tenant as running.
func (g *Gate) take(name string, t tenant, s share) {
	g.used, t.used = g.used.plus(s), t.used.plus(s)
	g.tenants[name] = t
}

// put keeps a tenant unless it has no request.
func (g *Gate) put(name string, t tenant) {
	if t.used.requests == 0 && len(t.waiting) == 0 {
		delete(g.tenants, name)
		return
	}
	g.tenants[name] = t
}

// admit gives turns while there is room: first to the tenant with the fewest running
// requests, and there to the one that has waited longest.
func (g *Gate) admit() {
	for g.waiters > 0 {
		var name string
		var first tenant
		for n, t := range g.tenants {
			if len(t.waiting) > 0 && g.hasRoom(t, t.waiting[0].share) &&
				(first.waiting == nil || t.used.requests < first.used.requests) {
				name, first = n, t
			}
		}
		if first.waiting == nil {
			return
		}
		w := first.waiting[0]
		first.waiting = first.waiting[1:]
		g.waiters--
		g.take(name, first, w.share)
		close(w.turn)
	}
}
