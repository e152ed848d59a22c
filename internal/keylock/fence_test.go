package keylock

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"time"
)

// Callers that share a fence run together. Who takes it runs alone.
func TestFence(t *testing.T) {
	var f Fences
	var wg sync.WaitGroup
	n := 0
	for i := range 50 {
		wg.Go(func() {
			for range 100 {
				enter := f.Share
				if i%5 == 0 {
					enter = f.Take
				}
				leave, err := enter(t.Context(), "a")
				if err != nil {
					t.Error(err)
					return
				}
				if i%5 == 0 {
					n++
					runtime.Gosched()
					n++
				} else if n%2 != 0 {
					t.Error("a shared fence is taken")
				}
				leave()
			}
		})
	}
	wg.Wait()
	if n != 2000 {
		t.Errorf("counted %d, want 2000", n)
	}
	if len(f.m) != 0 {
		t.Errorf("%d fences remain that nobody has", len(f.m))
	}
}

// A caller that waits ends with its context, and then keeps nobody out.
func TestFenceEndsWithContext(t *testing.T) {
	var f Fences
	short := func() context.Context {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		t.Cleanup(cancel)
		return ctx
	}
	get := func(enter func(context.Context, string) (func(), error), key string) (leave func()) {
		t.Helper()
		leave, err := enter(short(), key)
		if err != nil {
			t.Fatalf("a free fence: %v", err)
		}
		return leave
	}
	ends := func(enter func(context.Context, string) (func(), error)) {
		t.Helper()
		if _, err := enter(short(), "a"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a fence that is not free: %v, want the error of the context", err)
		}
	}
	shared := get(f.Share, "a")
	ends(f.Take)
	get(f.Share, "a")() // who waited keeps nobody out
	get(f.Take, "b")()  // another key
	shared()
	taken := get(f.Take, "a")
	ends(f.Share)
	ends(f.Take)
	taken()
	get(f.Share, "a")()
}

// Who waits to have a fence alone comes before those who begin to share it afterwards.
func TestFenceIsFair(t *testing.T) {
	var f Fences
	shared, err := f.Share(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	taken := make(chan func())
	go func() {
		leave, _ := f.Take(t.Context(), "a")
		taken <- leave
	}()
	for isWaiting := false; !isWaiting; time.Sleep(time.Millisecond) {
		f.mu.Lock()
		isWaiting = f.m["a"].waiting == 1
		f.mu.Unlock()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := f.Share(ctx, "a"); err == nil {
		t.Errorf("a caller overtakes the one that waits")
	}
	shared()
	(<-taken)()
}
