package roles

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
)

// reconcile reconciles in the transaction of one write, or at the end of a transaction with
// several writes. A write after a reconciliation would lock groups after users.
func (w *Work) reconcile(ctx context.Context, r run) error {
	switch {
	case !w.t.hasRoles():
		return nil
	case w.isInner():
		w.current.atEnd = append(w.current.atEnd, r)
		return nil
	}
	return w.reconcileNow(ctx, r)
}

// reconcileAtEnd reconciles at the end of a transaction with several writes. It plans all of
// them at once: guards judge each user once, and what is then done is what they have judged.
func (w *Work) reconcileAtEnd(ctx context.Context) error {
	if len(w.current.atEnd) == 0 {
		return nil
	}
	return w.reconcileNow(ctx, together(w.current.atEnd))
}

// lockAll locks the users of a run, in order of id, in a ledger that locks.
func lockAll(ctx context.Context, w *Work, r run) error {
	return w.t.eachBatch(ctx, r, func(ids []string) error {
		_, err := w.t.Roles.Ledger.Grants(ctx, ids)
		return err
	})
}

// reconcileNow reconciles now if roles commit with the store, otherwise after its commit. In
// the second case, a ledger that commits with the store records the intentions together
// with the write. Any other ledger records them after the commit. Within the transaction
// another caller could change the grants between reading and recording.
func (w *Work) reconcileNow(ctx context.Context, r run) error {
	if w.t.Roles.Joint || r.ahead {
		if !r.isOneBatch() { // else the batch is judged before it is settled
			if err := (judge{w}).run(ctx, r); err != nil {
				return err
			}
		}
		return w.settleAll(ctx, r)
	}
	if !w.t.Roles.LedgerLocks {
		if err := (judge{w}).run(ctx, r); err != nil { // what is refused must not happen later
			return err
		}
		w.later.add(r, true)
		return nil
	}
	due, all := false, judge{w}.newTally(r)
	err := eachPart(ctx, w.t, r, func(ids []string) error {
		b := &batch{w: w, run: r, ids: ids, reads: true}
		if err := b.look(ctx); err != nil {
			return err
		}
		all.add(b)
		due = due || slices.ContainsFunc(b.outs, (*outcome).isOpen)
		b.tellIntentions()
		return b.lead(ctx)
	})
	w.later.add(r, due)
	if err != nil {
		return err
	}
	return judge{w}.decide(ctx, all)
}

// settleAll reconciles the users of a run: all or nobody if roles commit with the write,
// otherwise as settleMost.
func (w *Work) settleAll(ctx context.Context, r run) error {
	if w.t.Roles.Joint {
		return w.t.eachBatch(ctx, r, func(ids []string) error { return w.settleParts(ctx, ids, r) })
	}
	return w.settleMost(ctx, r)
}

// settleMost reconciles the users of a run, outside the transaction of a write. It goes on after
// users whose roles cannot be changed. A leftOut names them.
func (w *Work) settleMost(ctx context.Context, r run) error {
	f := failures{left: r.failures()}
	settle := func(ids []string) error {
		if w.t.Roles.Joint {
			defer w.guards.unlock() // the batch has a transaction of its own
		}
		return w.settleParts(ctx, ids, r)
	}
	err := w.t.eachBatch(ctx, r, func(ids []string) error { return f.most(ctx, ids, settle) })
	if err == nil && len(f.users) > 0 {
		return &f.leftOut
	}
	return cmp.Or(f.first, err)
}

// settleParts is settle for users who may have too many roles for one batch. The guards judge
// the whole plan, as if it had several batches from the beginning.
func (w *Work) settleParts(ctx context.Context, ids []string, r run) error {
	isWhole := true
	return divide(ids, func(part []string) error {
		if isWhole && len(part) < len(ids) && r.isOneBatch() && !r.ahead {
			if err := (judge{w}).run(ctx, r); err != nil {
				return err
			}
		}
		isWhole = isWhole && len(part) == len(ids)
		return w.settle(ctx, part, r)
	})
}

// failuresOfRun is after how many failed calls of the application a run ends. One user whose
// roles cannot be changed costs about ten. A repair has more time than a client's request.
const (
	failuresOfRun    = 30
	failuresOfRepair = 300
)

func (r *run) failures() int {
	if r.cause == applicationRepairs {
		return failuresOfRepair
	}
	return failuresOfRun
}

// leftOut is the error of a run that has reconciled all its users but these.
type leftOut struct {
	users []string
	errs  []error
}

func (l *leftOut) Error() string   { return errors.Join(l.errs...).Error() }
func (l *leftOut) Unwrap() []error { return l.errs }

// add collects what parts of a work leave out, so that the next part comes. It returns any other
// error: one that a leftOut is joined with is another one.
func (l *leftOut) add(err error) error {
	out, ok := err.(*leftOut)
	if !ok {
		return err
	}
	for i, id := range out.users {
		if !slices.Contains(l.users, id) {
			l.users, l.errs = append(l.users, id), append(l.errs, out.errs[i])
		}
	}
	return nil
}

// with is the error of a work that ends with err: nil if it has left out nobody.
func (l *leftOut) with(err error) error {
	switch {
	case len(l.users) == 0:
		return err
	case err == nil:
		return l
	}
	return errors.Join(append(l.errs, err)...)
}

// failures counts failed calls of the application.
type failures struct {
	leftOut
	first error
	left  int
}

// most calls fn with the ids, which does all or nothing. If fn fails, most calls it with each
// half of them: one user whose roles cannot be changed must not keep those of all others.
// After too many failures it returns the error: then the application has an outage.
func (f *failures) most(ctx context.Context, ids []string, fn func(ids []string) error) error {
	err := fn(ids)
	if err == nil {
		return nil
	}
	f.first, f.left = cmp.Or(f.first, err), f.left-1
	switch {
	case ctx.Err() != nil || f.left <= 0:
		return err
	case len(ids) == 1:
		f.users, f.errs = append(f.users, ids[0]), append(f.errs, fmt.Errorf("user %q: %w", ids[0], err))
		return nil
	}
	half := len(ids) / 2
	if err := f.most(ctx, ids[:half], fn); err != nil {
		return err
	}
	return f.most(ctx, ids[half:], fn)
}

// vanishedTries is how often settle tries a batch again because a linked role is gone.
const vanishedTries = 3

// settle reconciles at most a batch of users, each atomically.
func (w *Work) settle(ctx context.Context, ids []string, r run) (err error) {
	if w.e.Calls != nil {
		in, end := w.e.Calls.BeginCall(ctx, "reconcile")
		defer func() { end(err) }()
		ctx = in
	}
	for try := 0; ; try++ {
		b := &batch{w: w, run: r, ids: ids}
		err := b.settle(ctx)
		if !errors.As(err, new(*roleIsGone)) || try == vanishedTries || w.needs.roles == wantedAlone {
			return err
		}
		// The role of a link is gone, and the application did not report it.
		dead, err := b.deadRoles(ctx)
		if err != nil {
			return err
		}
		if err := unlinkGone(ctx, w, ids, r, dead); err != nil {
			return err
		}
	}
}
