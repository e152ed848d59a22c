package roles

import (
	"context"
	"errors"
	"slices"

	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/keylock"
)

// Work is the unit in which one operation writes and changes roles: a client's, or the
// application's. It is for one goroutine.
type Work struct {
	e      *Engine
	t      tenant
	who    string
	depth  int          // of Isolate within Isolate
	events []host.Event // of this unit, to be delivered after its commit
	ahead  []host.Event // of roles changed ahead of a write; delivered even if it fails
	later  []run        // reconciliations that wait for the store's commit
	// restore gives back what was taken ahead of a write that then did not happen.
	restore []func(ctx context.Context) error
	stored  bool // a store without transactions has stored the write
}

// Tell notes events. They are delivered after the commit.
func (w *Work) Tell(e ...host.Event) {
	if w.e.Emit != nil { // otherwise a request about many users would collect them for nobody
		w.events = append(w.events, e...)
	}
}

// Deliver hands over the events.
func (w *Work) Deliver(ctx context.Context) {
	if w.e.Emit == nil {
		return
	}
	now := w.e.Now()
	for _, e := range w.events {
		e.Tenant, e.Principal = w.t.ID, w.who
		if e.At.IsZero() {
			e.At = now
		}
		w.e.Emit(ctx, e)
	}
	w.events = nil
}

// IsStored reports whether the store has kept a write for good. With transactions it is
// false until the commit.
func (w *Work) IsStored() bool { return w.stored }

// TakeBack tells that the caller has undone what was stored.
func (w *Work) TakeBack() { w.stored = false }

// isolationTries is how often a write is tried in a store without transactions while
// other writers change the same resource.
const isolationTries = 20

// Isolate runs fn in the store's transaction. Without transactions it holds the lock of
// key in this process ("": none) and runs fn again if the resource changed meanwhile.
// Afterwards it runs the reconciliations that waited for the commit, and those that an
// earlier operation with the same key could not finish. Within another Isolate of the
// same unit it joins that one.
func (w *Work) Isolate(ctx context.Context, key string, fn func(ctx context.Context) error) error {
	w.depth++
	err := w.isolate(ctx, key, fn)
	w.depth--
	if w.depth > 0 {
		return err
	}
	w.events, w.ahead = slices.Concat(w.ahead, w.events), nil
	return w.finish(ctx, key, err)
}

func (w *Work) isolate(ctx context.Context, key string, fn func(ctx context.Context) error) error {
	events, later := len(w.events), len(w.later)
	attempt := func(ctx context.Context) error {
		w.events, w.later, w.stored = w.events[:events], w.later[:later], false // fn may run again
		return fn(ctx)
	}
	var err error
	switch {
	case w.t.isTransactional() && w.depth > 1:
		err = attempt(ctx)
	case w.t.isTransactional():
		err = w.t.Stores.InTx(ctx, attempt)
	default:
		if key != "" {
			defer w.e.Locks.Lock(keylock.Key(w.t.ID, key))()
		}
		for range isolationTries {
			if err = attempt(ctx); !errors.Is(err, host.ErrStale) {
				break
			}
		}
	}
	if err != nil && !w.stored {
		w.events, w.later = w.events[:events], w.later[:later]
	}
	return err
}

// finish ends a unit whose write ended with err. After a write it runs the
// reconciliations that waited for the commit. If nothing was written it gives back what
// was taken ahead. It also does so if the client has gone.
func (w *Work) finish(ctx context.Context, key string, err error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), w.e.Time)
	defer cancel()
	restore := w.restore
	w.restore = nil
	if err != nil && !w.stored {
		for _, giveBack := range restore {
			if err := giveBack(ctx); err != nil {
				w.e.Log.ErrorContext(ctx, "scim: roles taken ahead of a write that failed could not be put back; run Reconciler.All", "error", err)
			}
		}
		return err
	}
	if err == nil {
		w.stored = true
	}
	if key != "" {
		key = keylock.Key(w.t.ID, key)
		w.later = append(w.later, w.e.unsettled.take(key)...)
	}
	failed := w.runLater(ctx)
	if failed != nil && !w.e.unsettled.keep(key, w.later) {
		w.e.Log.ErrorContext(ctx, "scim: roles could not be brought in line with what was stored; run Reconciler.All", "error", failed)
	}
	w.later = nil
	if err != nil {
		return err
	}
	return failed
}

// runLater runs what waited for the store's commit. What is not done stays in w.later.
func (w *Work) runLater(ctx context.Context) error {
	for len(w.later) > 0 {
		r := w.later[0]
		r.view = view{deleted: r.view.deleted} // all else is stored by now
		if err := w.settleAll(ctx, r); err != nil {
			return err
		}
		w.later = w.later[1:]
	}
	return nil
}
