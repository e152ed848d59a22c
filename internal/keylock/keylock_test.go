package keylock

import (
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
				unlock := l.Lock(keys...)
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
	unlock := l.Lock("a")
	l.Lock("b")() // another key does not wait
	l.Lock()()    // no key does not wait
	got := make(chan struct{})
	go func() {
		l.Lock("a", "c")()
		close(got)
	}()
	select {
	case <-got:
		t.Fatal("two callers hold one lock")
	case <-time.After(10 * time.Millisecond):
	}
	unlock()
	<-got
}
