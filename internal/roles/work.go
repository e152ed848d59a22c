package roles

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/scimkit/scim/internal/directory"
	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/keylock"
)

// Shared is what the engines of all tenants of one handler have in common.
type Shared struct {
	Locks *keylock.Locks
	Log   *slog.Logger
	Now   func() time.Time
	Time  time.Duration // for what is to be finished after a write
	// Emit gets each event. Nil: nobody listens.
	Emit func(ctx context.Context, e host.Event)

	unsettled unsettled
}

// Work is one unit of work: a client's operation, or the application's.
type Work struct {
	s      *Shared
	t      *host.Tenant
	dir    directory.Directory
	who    string // the client's id, for events
	events []host.Event
	ahead  []host.Event // of roles that were changed ahead of a write, whatever became of it
	later  []Run        // reconciliations to run after the store's commit
	// Stored: a store without transactions has stored what was asked for.
	Stored   bool
	reported bool // the application has told that its roles changed
	// restore puts back what was taken ahead of a write that then did not happen.
	restore []func(ctx context.Context) error
	Inside  bool // isolated already, with others
}

// Members is what a write does to a group's members.
type Members struct {
	Remove  []host.Ref // to be removed; with a MemberStore some may be gone already
	Named   []host.Ref // whom the client named as members, those that are there included
	Dropped []host.Ref // whom the client asked to remove, those that are gone included
	Removed []host.Ref // what really changed
}

// Begin begins a unit of work for a client, "" for the application.
func (s *Shared) Begin(t *host.Tenant, who string) *Work {
	return &Work{s: s, t: t, dir: directory.Of(t), who: who}
}

func (w *Work) now() time.Time { return w.s.Now().UTC().Truncate(time.Microsecond) }

// Tell notes what happened, to be delivered after commit.
func (w *Work) Tell(e ...host.Event) {
	if w.s.Emit != nil { // else a request about many users would collect them for nobody
		w.events = append(w.events, e...)
	}
}

// Deliver hands the events over.
func (w *Work) Deliver(ctx context.Context) {
	if w.s.Emit == nil {
		return
	}
	now := w.s.Now()
	for _, e := range w.events {
		e.Tenant, e.Principal = w.t.ID, w.who
		if e.At.IsZero() {
			e.At = now
		}
		w.s.Emit(ctx, e)
	}
	w.events = nil
}

// isolate runs fn in the store's transaction, or else under the resource's lock in
// this process, again if the resource moved on meanwhile. Afterwards it runs the
// reconciliations that had to wait for the commit, and those that an earlier request
// for the same resource could not finish.
func (w *Work) Isolate(ctx context.Context, id string, fn func(ctx context.Context) error) error {
	events, later := len(w.events), len(w.later)
	run := func(ctx context.Context) error {
		w.events, w.later, w.Stored = w.events[:events], w.later[:later], false // fn may run again
		return fn(ctx)
	}
	var err error
	switch {
	case w.t.Stores.Tx != nil && w.Inside:
		err = run(ctx)
	case w.t.Stores.Tx != nil:
		err = w.t.Stores.Tx.InTx(ctx, run)
	default:
		if id != "" {
			defer w.s.Locks.Lock(keylock.Key(w.t.ID, id))()
		}
		for range 20 {
			if err = run(ctx); !errors.Is(err, host.ErrStale) {
				break
			}
		}
	}
	if err != nil && !w.Stored {
		w.events, w.later = w.events[:events], w.later[:later]
	}
	if w.Inside {
		return err
	}
	w.events, w.ahead = slices.Concat(w.ahead, w.events), nil
	return w.settleUp(ctx, id, err)
}

// settleUp finishes an operation whose write ended with err: it runs the
// reconciliations that waited for the commit, or puts back what was taken ahead of a
// write that did not happen. A client that hangs up now changes nothing about it.
func (w *Work) settleUp(ctx context.Context, id string, err error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), w.s.Time)
	defer cancel()
	restore := w.restore
	w.restore = nil
	if err != nil && !w.Stored {
		for _, put := range restore {
			if err := put(ctx); err != nil {
				w.s.Log.ErrorContext(ctx, "scim: roles taken ahead of a write that failed could not be put back; run Reconciler.All", "error", err)
			}
		}
		return err
	}
	if err == nil {
		w.Stored = true
	}
	if id != "" {
		id = keylock.Key(w.t.ID, id)
		w.later = append(w.later, w.s.unsettled.take(id)...)
	}
	failed := w.runLater(ctx)
	if failed != nil && !w.s.unsettled.keep(id, w.later) {
		w.s.Log.ErrorContext(ctx, "scim: roles could not be brought in line with what was stored; run Reconciler.All", "error", failed)
	}
	w.later = nil
	if err != nil {
		return err
	}
	return failed
}

// runLater runs what had to wait for the store's commit. What is not done stays in
// w.later.
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

// unsettled remembers, by resource, the users whose roles could not be brought in line
// after a write, so that the client's repetition of the request completes it even if
// it no longer names them. After a crash Reconciler.All does it.
type unsettled struct {
	mu sync.Mutex
	m  map[string]Run
	n  int // users in m
}

// unsettledLimit bounds the users that are remembered.
const unsettledLimit = 100_000

func (u *unsettled) take(id string) []Run {
	u.mu.Lock()
	defer u.mu.Unlock()
	r, ok := u.m[id]
	if !ok {
		return nil
	}
	delete(u.m, id)
	u.n -= len(r.IDs) + 1
	return []Run{r}
}

// keep reports whether there was room, and a request that could be repeated.
func (u *unsettled) keep(id string, runs []Run) bool {
	var all Run
	for _, r := range runs {
		all.IDs = append(all.IDs, r.IDs...)
		if r.group != "" {
			all.group = r.group
		}
		if r.view.deleted != "" || r.value.attr != nil {
			return false // the resource is gone: a repetition finds nothing; or it is about others
		}
	}
	slices.Sort(all.IDs)
	all.IDs = slices.Compact(all.IDs)
	u.mu.Lock()
	defer u.mu.Unlock()
	if id == "" || u.n+len(all.IDs)+1 > unsettledLimit {
		return false
	}
	if u.m == nil {
		u.m = map[string]Run{}
	}
	u.m[id] = all
	u.n += len(all.IDs) + 1
	return true
}
