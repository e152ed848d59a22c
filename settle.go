package scim

import (
	"context"
	"slices"
	"sync"

	"github.com/scimkit/scim/internal/keylock"
)

// settleUp finishes an operation whose write ended with err: it runs the
// reconciliations that waited for the commit, or puts back what was taken ahead of a
// write that did not happen. A client that hangs up now changes nothing about it.
func (o *operation) settleUp(ctx context.Context, id string, err error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), o.h.c.Limits.Time)
	defer cancel()
	restore := o.restore
	o.restore = nil
	if err != nil && !o.stored {
		for _, put := range restore {
			if err := put(ctx); err != nil {
				o.h.c.Log.ErrorContext(ctx, "scim: roles taken ahead of a write that failed could not be put back; run Reconciler.All", "error", err)
			}
		}
		return err
	}
	if err == nil {
		o.stored = true
	}
	if id != "" {
		id = keylock.Key(o.t.ID, id)
		o.later = append(o.later, o.h.unsettled.take(id)...)
	}
	failed := o.runLater(ctx)
	if failed != nil && !o.h.unsettled.keep(id, o.later) {
		o.h.c.Log.ErrorContext(ctx, "scim: roles could not be brought in line with what was stored; run Reconciler.All", "error", failed)
	}
	o.later = nil
	if err != nil {
		return err
	}
	return failed
}

// runLater runs what had to wait for the store's commit. What is not done stays in
// o.later.
func (o *operation) runLater(ctx context.Context) error {
	for len(o.later) > 0 {
		r := o.later[0]
		r.view = view{deleted: r.view.deleted} // all else is stored by now
		if err := o.settleAll(ctx, r); err != nil {
			return err
		}
		o.later = o.later[1:]
	}
	return nil
}

// unsettled remembers, by resource, the users whose roles could not be brought in line
// after a write, so that the client's repetition of the request completes it even if
// it no longer names them. After a crash Reconciler.All does it.
type unsettled struct {
	mu sync.Mutex
	m  map[string]roleRun
	n  int // users in m
}

// unsettledLimit bounds the users that are remembered.
const unsettledLimit = 100_000

func (u *unsettled) take(id string) []roleRun {
	u.mu.Lock()
	defer u.mu.Unlock()
	r, ok := u.m[id]
	if !ok {
		return nil
	}
	delete(u.m, id)
	u.n -= len(r.ids) + 1
	return []roleRun{r}
}

// keep reports whether there was room, and a request that could be repeated.
func (u *unsettled) keep(id string, runs []roleRun) bool {
	var all roleRun
	for _, r := range runs {
		all.ids = append(all.ids, r.ids...)
		if r.group != "" {
			all.group = r.group
		}
		if r.view.deleted != "" || r.value.attr != nil {
			return false // the resource is gone: a repetition finds nothing; or it is about others
		}
	}
	slices.Sort(all.ids)
	all.ids = slices.Compact(all.ids)
	u.mu.Lock()
	defer u.mu.Unlock()
	if id == "" || u.n+len(all.ids)+1 > unsettledLimit {
		return false
	}
	if u.m == nil {
		u.m = map[string]roleRun{}
	}
	u.m[id] = all
	u.n += len(all.ids) + 1
	return true
}
