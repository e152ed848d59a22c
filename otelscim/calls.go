package otelscim

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"
)

// maxKept is how many ended spans a request keeps. Bulk requests have thousands.
const maxKept = 64

// calls are the spans of a request's calls that are over, and that the SDK has not been told of. It is
// told when the request ends: each span on its own would wake the goroutine that exports them, which costs
// more than all the rest.
type calls struct {
	mu        sync.Mutex
	all       []call
	isFlushed bool // the request has ended
}

type call struct {
	span trace.Span
	at   time.Time
}

type callsKey struct{}

// keepCalls makes the spans of calls within ctx wait for flush.
func keepCalls(ctx context.Context) (context.Context, *calls) {
	c := &calls{}
	return context.WithValue(ctx, callsKey{}, c), c
}

// callsOf returns nil for work outside requests.
func callsOf(ctx context.Context) *calls {
	c, _ := ctx.Value(callsKey{}).(*calls)
	return c
}

// end ends a span, now or as of now.
func (c *calls) end(span trace.Span) {
	if c == nil {
		span.End()
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all = append(c.all, call{span, time.Now()})
	if c.isFlushed || len(c.all) == maxKept {
		c.tell()
	}
}

// flush ends what waits, and lets nothing wait any more.
func (c *calls) flush() {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.isFlushed = true
	c.tell()
}

func (c *calls) tell() {
	for _, ended := range c.all {
		ended.span.End(trace.WithTimestamp(ended.at))
	}
	c.all = nil
}
