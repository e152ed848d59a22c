package otelscim

import (
	"context"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/otel/trace"
)

// batch is how many durations wait for each other.
const batch = 64

// pending are the durations of requests that the SDK has not been told of. Telling it between two requests
// costs several times as much as telling it of many at once, because a request finds the caches of the
// processor cold. A collection takes what waits, so each duration is in the collection after its request. The time
// of an exemplar is when the SDK was told.
type pending struct {
	// isCollected says that collections call take. Nothing waits before that is known: a view may
	// drop the instrument whose call-back it is.
	isCollected atomic.Bool

	mu    sync.Mutex
	all   []waiting
	spare []waiting // spare is empty and has room for a batch, or is nil.
}

// waiting is small, and its series is looked up when its turn comes: see pending.
type waiting struct {
	seconds float64
	of      series
	span    context.Context // span has the span of the request if it is sampled, for an exemplar, and nothing else. Otherwise it is nil.
}

// add keeps one. It returns all that wait if they are a batch.
func (p *pending) add(one waiting) []waiting {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.all == nil {
		p.all = make([]waiting, 0, batch)
	}
	if p.all = append(p.all, one); len(p.all) < batch {
		return nil
	}
	return p.empty()
}

// take returns all that wait.
func (p *pending) take() []waiting {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.isCollected.Store(true)
	return p.empty()
}

func (p *pending) empty() []waiting {
	all := p.all
	p.all, p.spare = p.spare, nil
	return all
}

// giveBack takes the room of those that wait no longer.
func (p *pending) giveBack(all []waiting) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.spare = all[:0]
}

// record measures a request.
func (o *observer) record(span trace.SpanContext, seconds float64, of series) {
	one := waiting{seconds: seconds, of: of}
	if span.IsSampled() {
		one.span = trace.ContextWithSpanContext(context.Background(), span) // That of the request would keep all that the request had.
	}
	if !o.pending.isCollected.Load() {
		o.tellOf(&one)
		return
	}
	if all := o.pending.add(one); all != nil {
		o.tell(all)
	}
}

// tell tells the SDK.
func (o *observer) tell(all []waiting) {
	for i := range all {
		o.tellOf(&all[i])
		all[i].span = nil
	}
	o.pending.giveBack(all)
}

func (o *observer) tellOf(one *waiting) {
	ctx := one.span
	if ctx == nil {
		ctx = context.Background()
	}
	o.duration.Record(ctx, one.seconds, o.described(one.of).options...)
}
