package roles

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/scimkit/scim/internal/host"
)

// Work is the unit in which one operation of a client or of the application writes and
// changes roles. Only one goroutine may use it.
type Work struct {
	e       *Engine
	t       tenant
	who     string
	depth   int // the nesting depth of Isolate
	mail    mail
	later   later // reconciliations to run after the store's commit
	current attempt
	// restore gives back the roles that were revoked ahead of a write, if the write fails.
	restore []func(ctx context.Context) error
	stored  bool // a store without transactions has stored the write
	// left says how this unit completes what an earlier one with its key left open.
	left   leftover
	needs  needs // what the write needs before it begins
	guards guards
}

// attempt is what a unit knows about its current attempt.
type attempt struct {
	// atEnd are reconciliations to run at the end of a transaction with several writes.
	atEnd []run
	// links are the links that the attempt has stored, as they were before: see undoLinks.
	links []host.Link
}

// leftover says how a unit completes what an earlier one left open.
type leftover struct {
	cause  cause  // why it does so
	ending EndHow // how SCIM ends meanwhile; "": it does not end
}

// mail is the events of a unit.
type mail struct {
	events []host.Event // events that Deliver sends after the commit
	ahead  []host.Event // events of roles changed ahead of a write; Deliver sends them even if the write fails
}

// Tell queues events for delivery after the commit.
func (w *Work) Tell(e ...host.Event) {
	if w.e.Emit == nil { // or a request about many users fills memory with unused events
		e = only(e, isLogged)
	}
	w.mail.events = append(w.mail.events, e...)
}

// isLogged reports whether the log has an event: nobody gets the role before somebody acts.
func isLogged(e host.Event) bool { return e.Kind == host.GroupWaiting }

// Include queues the events of another unit of work, which undid a part of this one.
func (w *Work) Include(undone *Work) { w.Tell(undone.mail.events...) }

// Deliver sends the queued events to the application.
func (w *Work) Deliver(ctx context.Context) {
	now := w.e.Now()
	for _, e := range w.mail.events {
		if isLogged(e) {
			w.e.Log.WarnContext(ctx, "scim: a protected role waits for Reconciler.Confirm", "tenant", w.t.ID, "group", e.Resource.ID, "role", e.Role.ID, "name", e.Role.Name)
		}
		if w.e.Emit == nil {
			continue
		}
		e.Tenant, e.Principal = w.t.ID, w.who
		if e.At.IsZero() {
			e.At = now
		}
		w.e.Emit(ctx, e)
	}
	w.mail.events = nil
}

// IsStored reports whether the store has kept a write for good. With transactions it is
// false until the commit.
func (w *Work) IsStored() bool { return w.stored }

// TakeBack records that the caller has undone the write.
func (w *Work) TakeBack() { w.stored = false }

// isolationTries is how often Isolate runs a write at most while other writers change the
// same resource.
const isolationTries = 20

// Isolate runs fn in the store's transaction. Without transactions it holds the lock of key
// in this process ("": none). It runs fn again if the error is host.ErrStale: the resource
// changed meanwhile. Afterwards it runs the deferred reconciliations, and those that an
// earlier operation with the same key could not finish. An Isolate within another one of
// the same Work joins that one.
//
// If fn needs answers of the resolver that it must not wait for, or has to lock groups before
// those that it has locked, Isolate undoes fn, asks and locks, and runs fn again. It also does so if
// a role of a link turns out to be gone.
//
// fn takes its locks in the order that CONTRIBUTING.md prescribes under "Locks".
func (w *Work) Isolate(ctx context.Context, key string, fn func(ctx context.Context) error) error {
	if w.depth == 0 {
		if err := w.e.checkUnlocked(ctx, w.t); err != nil {
			return err
		}
		defer w.guards.unlock()                  // also if fn panics
		defer func() { _ = undoLinks(ctx, w) }() // if fn panics; it logs its errors
	}
	err := w.isolate(ctx, key, fn)
	if w.depth > 0 {
		return err
	}
	w.needs.judgeFailure(err)
	for try := 0; err != nil && w.needs.isOpen() && try < isolationTries; try++ {
		w.needs.prepare(ctx, w.t)
		w.guards.unlock()
		err = w.isolate(ctx, key, fn)
	}
	if err != nil && w.needs.short { // others go on changing what is below a group
		err = host.ErrStale
	}
	w.mail.events, w.mail.ahead = slices.Concat(w.mail.ahead, w.mail.events), nil
	breaker{w}.close(ctx, err)
	return w.finish(ctx, key, err)
}

func (w *Work) isolate(ctx context.Context, key string, fn func(ctx context.Context) error) error {
	w.depth++
	defer func() { w.depth-- }() // also if fn panics: the store may recover and try again
	events, later, rollsBack := len(w.mail.events), len(w.later.runs), w.t.hasRoles() && w.t.Roles.LedgerLocks
	run := func(ctx context.Context) error {
		w.mail.events, w.stored, w.needs.open = w.mail.events[:events], false, nil // fn may run again
		w.later.rewind(later, rollsBack)
		if w.isInner() {
			return fn(ctx)
		}
		if err := undoLinks(ctx, w); err != nil { // the store runs it again because it could not commit
			return err
		}
		w.guards.begin(w.depth == 1)
		w.current.atEnd = nil
		if w.depth == 1 {
			w.needs.lookUps = lookUps{}
			if w.needs.roles == suspected { // by an attempt before this one
				w.needs.roles = withWrite
			}
		}
		if err := w.needs.lock(ctx, w.t); err != nil {
			return err
		}
		err := isolated(ctx, w, key, fn)
		if err != nil { // undo it now, under the locks of the transaction
			err = joinErrors(err, undoLinks(ctx, w))
		}
		return err
	}
	all := run
	switch {
	case !w.t.isTransactional():
		unlock, err := w.e.Locks.Lock(ctx, w.needs.keys(w.t, key, w.depth == 1)...)
		if err != nil {
			w.stored = false
			return err
		}
		defer unlock()
	case !w.isInner():
		all = func(ctx context.Context) error { return w.t.Stores.InTx(ctx, run) }
	}
	var err error
	for range isolationTries {
		if err = all(ctx); !errors.Is(err, host.ErrStale) || w.isInner() {
			break
		}
	}
	switch {
	case w.isInner():
	case err == nil:
		w.current.links = nil
	default:
		err = joinErrors(err, undoLinks(ctx, w))
	}
	if err != nil && !w.stored {
		w.mail.events = w.mail.events[:events]
		w.later.rewind(later, rollsBack)
	}
	return err
}

// isolated runs a write, and what follows in its transaction.
func isolated(ctx context.Context, w *Work, key string, fn func(ctx context.Context) error) error {
	if err := fn(ctx); err != nil {
		return err
	}
	if err := w.reconcileAtEnd(ctx); err != nil {
		return err
	}
	if err := checkLookUps(ctx, w); err != nil {
		return err
	}
	return afterwards{w, key}.note(ctx)
}

// isIsolated reports whether the unit is within Isolate, in the transaction of its write.
func (w *Work) isIsolated() bool { return w.t.isTransactional() && w.depth > 0 }

// IsAlone reports whether a unit is within Isolate, in a transaction that has no other write.
func IsAlone(w *Work) bool { return w.t.isTransactional() && w.depth == 1 }

// ReadsGrants reports whether a unit reads the grants of users in the transaction of a write, in a
// ledger that locks them.
func ReadsGrants(w *Work) bool {
	return w.t.hasRoles() && w.t.Roles.LedgerLocks && !w.t.Roles.WithoutGroups
}

// isInner reports whether the current Isolate is part of the transaction of an outer one.
func (w *Work) isInner() bool { return w.t.isTransactional() && w.depth > 1 }

// finish ends a unit whose write returned err. If the store has the write, finish runs the
// deferred reconciliations. Otherwise it restores the roles that were revoked ahead of the
// write. It does both even if the client is gone.
//
// A resource that is not found may be one whose deletion left reconciliations open. Then the
// repeated deletion completes them.
func (w *Work) finish(ctx context.Context, key string, err error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), w.e.Time)
	defer cancel()
	restore := w.restore
	w.restore = nil
	if err != nil && !w.stored {
		for _, giveBack := range restore {
			if err := giveBack(ctx); err != nil {
				w.e.Log.ErrorContext(ctx, "scim: roles revoked ahead of a failed write could not be restored; run Reconciler.All", "error", err)
			}
		}
		if !host.IsNotFound(err) {
			return err
		}
	}
	if err == nil {
		w.stored = true
		releaseRetained(ctx, w)
	}
	failed := afterwards{w, key}.finish(ctx, host.IsNotFound(err))
	if w.stored {
		lookUpAgain(ctx, w)
	}
	if err != nil && !host.IsNotFound(err) {
		return err
	}
	return cmp.Or(failed, err)
}
