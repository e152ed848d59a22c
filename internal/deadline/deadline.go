// Package deadline limits the time of a request.
package deadline

import (
	"context"
	"sync"
	"time"
)

// With is context.WithTimeout that starts its timer only when somebody waits
// for it. A request that is answered from memory waits for nobody, and a timer for each
// costs more than the rest of its work: it wakes the thread that waits for the network.
func With(parent context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	c := &deadlineCtx{Context: parent, at: time.Now().Add(limit)}
	return c, c.cancel
}

type deadlineCtx struct {
	context.Context // the parent
	at              time.Time

	mu    sync.Mutex
	timer context.Context // nil until somebody waits
	stop  context.CancelFunc
	over  bool
}

// Deadline implements context.Context.
func (c *deadlineCtx) Deadline() (time.Time, bool) {
	if at, ok := c.Context.Deadline(); ok && at.Before(c.at) {
		return at, true
	}
	return c.at, true
}

// Done implements context.Context. It starts the timer.
func (c *deadlineCtx) Done() <-chan struct{} {
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
func (c *deadlineCtx) Err() error {
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
			<-c.timer.Done() // it is due: Done and Err must agree
		}
		return context.DeadlineExceeded
	}
	return nil
}

// Value implements context.Context. The timer's context answers once it is there, so
// that contexts derived from this one hang on to it directly.
func (c *deadlineCtx) Value(key any) any {
	c.mu.Lock()
	timer := c.timer
	c.mu.Unlock()
	if timer != nil {
		return timer.Value(key)
	}
	return c.Context.Value(key)
}

func (c *deadlineCtx) cancel() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.over = true
	if c.stop != nil {
		c.stop()
	}
}
