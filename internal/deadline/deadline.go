// Package deadline limits the time of a request without a timer for each request.
package deadline

import (
	"context"
	"sync"
	"time"
)

// With is context.WithTimeout, but it starts its timer only when a caller asks for Done. A
// request that needs no database never asks. A timer for each request would cost more than
// the rest of its work, because it wakes the thread that waits for the network.
func With(parent context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	c := &lazy{Context: parent, at: time.Now().Add(limit)}
	return c, c.cancel
}

// lazy is a context with a deadline whose timer may not run yet.
type lazy struct {
	context.Context // the parent
	at              time.Time

	mu    sync.Mutex
	timer context.Context    // nil until Done is called
	stop  context.CancelFunc // of timer
	over  bool               // the owner has called cancel
}

// Deadline implements context.Context.
func (c *lazy) Deadline() (time.Time, bool) {
	if at, ok := c.Context.Deadline(); ok && at.Before(c.at) {
		return at, true
	}
	return c.at, true
}

// Done implements context.Context. It starts the timer.
func (c *lazy) Done() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.timer == nil {
		c.timer, c.stop = context.WithDeadline(c.Context, c.at)
		if c.over {
			c.stop()
		}
	}
	return c.timer.Done()
}

// Err implements context.Context.
func (c *lazy) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.timer != nil && c.timer.Err() != nil:
		return c.timer.Err()
	case c.Context.Err() != nil:
		return c.Context.Err()
	case c.over:
		return context.Canceled
	case !time.Now().Before(c.at):
		if c.timer != nil {
			<-c.timer.Done() // the timer is due; wait, because Done and Err must agree
		}
		return context.DeadlineExceeded
	}
	return nil
}

// Value implements context.Context. After Done it asks the timer's context. So derived
// contexts become its children and need no goroutine.
func (c *lazy) Value(key any) any {
	c.mu.Lock()
	timer := c.timer
	c.mu.Unlock()
	if timer != nil {
		return timer.Value(key)
	}
	return c.Context.Value(key)
}

func (c *lazy) cancel() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.over = true
	if c.stop != nil {
		c.stop()
	}
}
