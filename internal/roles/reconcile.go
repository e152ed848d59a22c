package roles

import (
	"context"
	"errors"

	"github.com/scimkit/scim/internal/host"
)

// reconcile brings roles in line: now if they commit with the store, otherwise after its
// commit. In the latter case a ledger that commits with the store notes the intentions
// together with it. Any other ledger gets them after the commit: within the transaction
// nothing would keep others from marking the grants between reading and recording.
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

// settleAll settles all users of a run.
func (w *Work) settleAll(ctx context.Context, r run) error {
	return w.t.eachBatch(ctx, r, func(ids []string) error { return w.settle(ctx, ids, r) })
}

// vanishedTries is how often a batch is tried again because a linked role is gone.
const vanishedTries = 3

// settle reconciles at most a batch of users, each atomically.
func (w *Work) settle(ctx context.Context, ids []string, r run) error {
	for try := 0; ; try++ {
		err := (&batch{w: w, run: r, ids: ids}).settle(ctx)
		if !errors.Is(err, host.ErrNoRole) || try == vanishedTries {
			return err
		}
		// A role that a group is linked to is gone, and the application did not report it.
		if err := w.unlinkGone(ctx, ids, r.cause); err != nil {
			return err
		}
	}
}
