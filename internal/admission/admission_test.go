package admission

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// enter admits a request that must get its turn at once.
func enter(t *testing.T, g *Gate, tenant string, bytes int64) Turn {
	t.Helper()
	start := time.Now()
	turn, err := g.Enter(t.Context(), tenant, bytes)
	if err != nil || time.Since(start) > 0 {
		t.Fatalf("a request of %s with %d bytes waited %s: %v", tenant, bytes, time.Since(start), err)
	}
	return turn
}

// isFull checks that a further request is refused after the time Wait.
func isFull(t *testing.T, g *Gate, tenant string, bytes int64) {
	t.Helper()
	start := time.Now()
	if _, err := g.Enter(t.Context(), tenant, bytes); !errors.Is(err, ErrBusy) || time.Since(start) != Wait {
		t.Errorf("a request of %s with %d bytes: %v after %s, want ErrBusy after %s", tenant, bytes, err, time.Since(start), Wait)
	}
}

// isEmpty checks that the Gate remembers nothing.
func isEmpty(t *testing.T, g *Gate) {
	t.Helper()
	if len(g.tenants) > 0 || g.used != (share{}) || g.waiters != 0 {
		t.Errorf("what is left: %v, %v in use, %d waiters", g.tenants, g.used, g.waiters)
	}
}

func TestOneTenantHasHalfOfTheRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := New(4, 100)
		a, b := enter(t, g, "a", 0), enter(t, g, "a", 0)
		isFull(t, g, "a", 0)
		c, d := enter(t, g, "b", 0), enter(t, g, "c", 0)
		isFull(t, g, "d", 0)
		a.Leave()
		a = enter(t, g, "d", 0)
		for _, turn := range []Turn{a, b, c, d} {
			turn.Leave()
		}
		Turn{}.Leave()
		isEmpty(t, g)
	})
}

func TestOneTenantHasHalfOfTheBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := New(100, 20)
		a := enter(t, g, "a", 9)
		isFull(t, g, "a", 2)
		b, c := enter(t, g, "a", 1), enter(t, g, "a", 0)
		d := enter(t, g, "b", 1000) // counts as half
		isFull(t, g, "c", 1)
		e := enter(t, g, "c", 0)
		for _, turn := range []Turn{a, b, c, d, e} {
			turn.Leave()
		}
		isEmpty(t, g)
	})
}

func TestABodyCountsAsTheLargestUntilItHasArrived(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := New(8, 100)
		a := enter(t, g, "a", 50)
		isFull(t, g, "a", 1)
		waited := make(chan Turn)
		go func() {
			turn, err := g.Enter(t.Context(), "a", 40)
			if err != nil {
				t.Error(err)
			}
			waited <- turn
		}()
		synctest.Wait()
		a.Shrink(10)
		b := <-waited
		isFull(t, g, "a", 1)
		a.Shrink(20) // grows never
		a.Leave()
		b.Leave()
		new(Turn).Shrink(0)
		isEmpty(t, g)
	})
}

func TestEvenOneRequestIsAdmitted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := New(1, 1)
		turn := enter(t, g, "a", 1000)
		isFull(t, g, "a", 0)
		turn.Leave()
		isEmpty(t, g)
	})
}

func TestWaitersGetTurnsInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := New(100, 2)
		turn := enter(t, g, "a", 1)
		var order []int
		var wg sync.WaitGroup
		for i := range 4 {
			wg.Go(func() {
				next, err := g.Enter(t.Context(), "a", 1)
				if err != nil {
					t.Error(err)
				}
				order = append(order, i)
				time.Sleep(Wait / 10)
				next.Leave()
			})
			synctest.Wait()
		}
		turn.Leave()
		wg.Wait()
		if fmt.Sprint(order) != "[0 1 2 3]" {
			t.Errorf("the order is %v", order)
		}
		isEmpty(t, g)
	})
}

// Many waiters of one tenant do not keep out another tenant.
func TestTheTenantWithFewerRequestsIsFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := New(6, 100)
		var running []Turn
		for _, tenant := range []string{"a", "a", "a", "b", "b", "b"} {
			running = append(running, enter(t, g, tenant, 0))
		}
		first := make(chan string, 10)
		var wg sync.WaitGroup
		for _, tenant := range []string{"a", "a", "a", "b", "b", "c"} {
			wg.Go(func() {
				turn, err := g.Enter(t.Context(), tenant, 0)
				if err == nil {
					first <- tenant
					turn.Leave()
				}
			})
			synctest.Wait()
		}
		running[0].Leave()
		if got := <-first; got != "c" {
			t.Errorf("%s is first", got)
		}
		for _, turn := range running[1:] {
			turn.Leave()
		}
		wg.Wait()
		isEmpty(t, g)
	})
}

func TestAWaiterLooksAtItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := New(2, 100)
		turn := enter(t, g, "a", 0)
		ctx, cancel := context.WithTimeout(t.Context(), Wait/2)
		defer cancel()
		start := time.Now()
		if _, err := g.Enter(ctx, "a", 0); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != Wait/2 {
			t.Errorf("%v after %s", err, time.Since(start))
		}
		turn.Leave()
		isEmpty(t, g)
	})
}

// A large request that gives up does not keep those behind it waiting.
func TestAWaiterThatGivesUpLetsOthersPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := New(100, 20)
		turn := enter(t, g, "a", 9)
		ctx, cancel := context.WithTimeout(t.Context(), Wait/4)
		defer cancel()
		go g.Enter(ctx, "a", 9) //nolint:errcheck // it gives up
		synctest.Wait()
		start := time.Now()
		small, err := g.Enter(t.Context(), "a", 1)
		if err != nil || time.Since(start) != Wait/4 {
			t.Errorf("%v after %s", err, time.Since(start))
		}
		small.Leave()
		turn.Leave()
		isEmpty(t, g)
	})
}

// Waiters of one tenant are limited too: the rest is refused at once.
func TestWaitersAreLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := New(2, 100)
		turn := enter(t, g, "a", 0)
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() { isFull(t, g, "a", 0) })
		}
		synctest.Wait()
		start := time.Now()
		if _, err := g.Enter(t.Context(), "a", 0); !errors.Is(err, ErrBusy) || time.Since(start) > 0 {
			t.Errorf("%v after %s", err, time.Since(start))
		}
		wg.Wait()
		turn.Leave()
		isEmpty(t, g)
	})
}

// Whatever many requests do, no limit is passed, and nothing is left at the end.
func TestManyRequestsStayWithinTheLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := New(8, 1000)
		var wg sync.WaitGroup
		for i := range 200 {
			wg.Go(func() {
				dice := rand.New(rand.NewPCG(1, uint64(i)))
				for range 50 {
					name := fmt.Sprint("tenant ", dice.IntN(5))
					turn, err := g.Enter(t.Context(), name, dice.Int64N(600))
					if err != nil {
						continue
					}
					g.mu.Lock()
					if !g.used.fits(g.most) || !g.tenants[name].used.fits(g.half) {
						t.Errorf("%v in use, %v by one tenant", g.used, g.tenants[name].used)
					}
					g.mu.Unlock()
					time.Sleep(time.Duration(dice.IntN(50)) * time.Millisecond)
					turn.Leave()
				}
			})
		}
		wg.Wait()
		isEmpty(t, g)
	})
}

func BenchmarkEnter(b *testing.B) {
	g := New(256, 1<<20)
	for b.Loop() {
		turn, err := g.Enter(b.Context(), "a tenant", 0)
		if err != nil {
			b.Fatal(err)
		}
		turn.Leave()
	}
}
