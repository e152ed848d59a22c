package keylock

import (
	"context"
	"sync"
)

// Fences has one fence for each key. Any number of callers share a fence, or one caller has it
// alone. Its zero value is ready. A fence without callers takes no memory.
type Fences struct {
	mu sync.Mutex
	m  map[string]*fence
}

type fence struct {
	users   int  // callers that have the fence or wait for it
	sharing int  // callers that share it
	isTaken bool // one caller has it alone
	waiting int  // callers that wait to have it alone: nobody begins to share it meanwhile
	// changed is closed and replaced when waiting callers have to look again.
	changed chan struct{}
}

// Share takes the fence of a key together with others. It returns the function that leaves it. It
// waits no longer than ctx lasts: then its error is that of ctx.
func (f *Fences) Share(ctx context.Context, key string) (leave func(), err error) {
	return f.take(ctx, key, func(e *fence) bool { return !e.isTaken && e.waiting == 0 }, func(e *fence, n int) { e.sharing += n })
}

// Take is Share, but the caller has the fence alone.
func (f *Fences) Take(ctx context.Context, key string) (leave func(), err error) {
	return f.take(ctx, key, func(e *fence) bool { return !e.isTaken && e.sharing == 0 },
		func(e *fence, n int) { e.isTaken = n > 0 }, func(e *fence, n int) { e.waiting += n })
}

// take waits until the fence is free for the caller. enter changes the fence by 1 when the caller
// has it, and by -1 when it leaves. The functions in wait do the same for the time before.
func (f *Fences) take(ctx context.Context, key string, isFree func(*fence) bool, enter func(e *fence, n int), wait ...func(e *fence, n int)) (leave func(), err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	e := f.join(key)
	for _, count := range wait {
		count(e, 1)
	}
	for !isFree(e) && err == nil {
		changed := e.changed
		f.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			err = ctx.Err()
		}
		f.mu.Lock()
	}
	for _, count := range wait {
		count(e, -1)
	}
	if err != nil {
		f.leave(key, e)
		return nil, err
	}
	enter(e, 1)
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		enter(e, -1)
		f.leave(key, e)
	}, nil
}

// join returns the fence of a key, and counts the caller among its users.
func (f *Fences) join(key string) *fence {
	if f.m == nil {
		f.m = map[string]*fence{}
	}
	e := f.m[key]
	if e == nil {
		e = &fence{changed: make(chan struct{})}
		f.m[key] = e
	}
	e.users++
	return e
}

// leave makes waiting callers look again. It removes the fence if the caller was its last user.
func (f *Fences) leave(key string, e *fence) {
	close(e.changed)
	e.changed = make(chan struct{})
	if e.users--; e.users == 0 {
		delete(f.m, key)
	}
}
