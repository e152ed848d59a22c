package keylock

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"
)

func TestKey(t *testing.T) {
	if a, b := Key("t", "User", "1"), Key("t", "User1", ""); a == b {
		t.Errorf("different parts make the same key %q", a)
	}
	if a, b := Key("t", Key("User", "1")), Key("t", "User", "1"); a != b {
		t.Errorf("a key within a key: %q, want %q", a, b)
	}
}

// TestLock changes two counters from many goroutines that name the keys in different
// orders, and one key twice.
func TestLock(t *testing.T) {
	var l Locks
	var wg sync.WaitGroup
	var a, b int
	for i := range 50 {
		keys := []string{"a", "b", "a"}
		if i%2 == 0 {
			keys = []string{"b", "a"}
		}
		wg.Go(func() {
			for range 100 {
				unlock, err := l.Lock(t.Context(), keys...)
				if err != nil {
					t.Error(err)
					return
				}
				a++
				b++
				unlock()
			}
		})
	}
	wg.Wait()
	if a != 5000 || b != 5000 {
		t.Errorf("counted %d and %d, want 5000", a, b)
	}
	if len(l.m) != 0 {
		t.Errorf("%d locks remain that nobody holds", len(l.m))
	}
}

func TestLockKeepsApart(t *testing.T) {
	var l Locks
	unlock := lockAll(t, &l, "a")
	lockAll(t, &l, "b")() // another key does not wait
	lockAll(t, &l)()      // no key does not wait
	got := make(chan struct{})
	go func() {
		defer close(got)
		if unlock, err := l.Lock(t.Context(), "a", "c"); err == nil {
			unlock()
		}
	}()
	select {
	case <-got:
		t.Fatal("two callers hold one lock")
	case <-time.After(10 * time.Millisecond):
	}
	unlock()
	<-got
}

// TestLockWaitsNoLongerThanItsContext lets a caller stop waiting for the second of its
// keys. It then holds none.
func TestLockWaitsNoLongerThanItsContext(t *testing.T) {
	var l Locks
	unlock := lockAll(t, &l, "b")
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := l.Lock(ctx, "a", "b", "c"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v, want that of the context", err)
	}
	lockAll(t, &l, "a", "c")()
	unlock()
	lockAll(t, &l, "a", "b", "c")()
	if len(l.m) != 0 {
		t.Errorf("%d locks remain that nobody holds", len(l.m))
	}
}

func lockAll(t *testing.T, l *Locks, keys ...string) (unlock func()) {
	t.Helper()
	unlock, err := l.Lock(t.Context(), keys...)
	if err != nil {
		t.Fatal(err)
	}
	return unlock
}
