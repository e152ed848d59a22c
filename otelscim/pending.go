package otelscim

import (
	"context"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/otel/metric"
)

// batch is how many durations wait for each other.
const batch = 64

// pending are the durations of requests without a span that the SDK has not been told of. Telling it
// between two requests costs several times as much as telling it of many at once, because a request
// finds the caches of the processor cold. A collection takes what waits.
type pending struct {
	// isCollected says that collections call take. Nothing waits before that is known: a view may
	// drop the instrument whose call-back it is.
	isCollected atomic.Bool

	mu  sync.Mutex
	all []waiting
}

type waiting struct {
	seconds float64
	labels  []metric.RecordOption
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
	p.all = nil
	return all
}

// record measures a request. One that is sampled is told at once, with its context: it is the exemplar.
func (o *observer) record(ctx context.Context, isSampled bool, one waiting) {
	if isSampled || !o.pending.isCollected.Load() {
		o.duration.Record(ctx, one.seconds, one.labels...)
		return
	}
	o.tell(o.pending.add(one))
}

// tell tells the SDK. The contexts of these requests have no span, so they say nothing.
func (o *observer) tell(all []waiting) {
	ctx := context.Background()
	for i := range all {
		o.duration.Record(ctx, all[i].seconds, all[i].labels...)
	}
}
