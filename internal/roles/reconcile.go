package roles

import (
	"context"
	"errors"

	"github.com/scimkit/scim/internal/host"
)

// reconcile reconciles now if roles commit with the store, otherwise after its commit. In
// the second case, a ledger that commits with the store records the intentions together
// with the write. Any other ledger records them after the commit. Within the transaction
// another caller could change the grants between reading and recording.
func (w *Work) reconcile(ctx context.Context, r run) error {
	if !w.t.hasRoles() {
		return nil
	}
	if w.t.Roles.Joint || r.ahead {
		return w.settleAll(ctx, r)
	}
	w.later = append(w.later, r)
	if !w.t.Roles.LedgerLocks {
		return nil
	}
	return w.t.eachBatch(ctx, r, func(ids []string) error {
		b := &batch{w: w, run: r, ids: ids}
		if err := b.look(ctx); err != nil {
			return err
		}
		b.tellIntentions()
		return b.lead(ctx)
	})
}

func (w *Work) settleAll(ctx context.Context, r run) error {
	return w.t.eachBatch(ctx, r, func(ids []string) error { return w.settle(ctx, ids, r) })
}

// vanishedTries is how often settle tries a batch again because a linked role is gone.
const vanishedTries = 3

// settle reconciles at most a batch of users, each atomically.
func (w *Work) settle(ctx context.Context, ids []string, r run) error {
	for try := 0; ; try++ {
		err := (&batch{w: w, run: r, ids: ids}).settle(ctx)
		if !errors.Is(err, host.ErrNoRole) || try == vanishedTries {
			return err
		}
		// The role of a link is gone, and the application did not report it.
		if err := w.unlinkGone(ctx, ids, r.cause); err != nil {
			return err
		}
	}
}
