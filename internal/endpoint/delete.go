package endpoint

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/model"
)

func (w *writer) delete(ctx context.Context, t *model.Type, id string) (*answer, error) {
	if err := w.r.may(ctx, host.OpDelete, t, id, nil); err != nil {
		return nil, err
	}
	w.r.hidden(ctx, t) // asks the application before a transaction begins
	ref := host.Ref{Type: t.Name, ID: id}
	err := w.withLock(ctx, w.lockToDelete, ref, func(ctx context.Context, before *doc.Document) error {
		if err := w.guard.checkExempt(ctx, ref); err != nil {
			return err
		}
		if err := w.guard.checkClaimed(ctx, ref); err != nil {
			return err
		}
		if err := w.applyRules(ctx, &host.Change{Op: host.OpDelete, Before: before, Principal: w.r.who}); err != nil {
			return err
		}
		return removeTold(ctx, w, before)
	})
	if err = leaveAfterwards(ctx, w, ref, err); err != nil {
		return nil, w.r.tellLosses(ctx, err)
	}
	return &answer{status: http.StatusNoContent}, nil
}

// lockToDelete locks a resource, and before it the groups that it leaves, in order of id. It
// finds these groups before it has any lock. If they are others under the lock, the error is
// host.ErrStale, and the transaction runs again.
func (w *writer) lockToDelete(ctx context.Context, ref host.Ref) (*doc.Document, error) {
	if w.t.Stores.Tx == nil {
		if err := lockBelow(ctx, w, ref); err != nil {
			return nil, err
		}
		return w.dir.Fetch(ctx, ref)
	}
	groups, _, err := w.groupsWith(ctx, ref)
	if err != nil {
		return nil, err
	}
	for _, id := range groups {
		if _, err := w.dir.Lock(ctx, host.Ref{Type: "Group", ID: id}); err != nil && !host.IsNotFound(err) {
			return nil, err
		}
	}
	before, err := w.dir.LockToDelete(ctx, ref)
	if err != nil {
		return nil, err
	}
	now, leaves, err := w.groupsWith(ctx, ref)
	if err != nil {
		return nil, err
	}
	w.leaves = leaves
	for _, id := range now {
		if _, isLocked := slices.BinarySearch(groups, id); !isLocked {
			return nil, host.ErrStale
		}
	}
	return before, nil
}

// lockBelow locks the groups below a group in this process, for a store without transactions:
// who joins one of them meanwhile would keep what came through the group.
func lockBelow(ctx context.Context, w *writer, ref host.Ref) error {
	if ref.Type != "Group" {
		return nil
	}
	below, err := w.dir.Below(ctx, ref.ID)
	if err != nil {
		return err
	}
	return w.work.LockGroups(ref.ID, below.IDs())
}

// groupsWith lists the ids of the groups that a deletion of ref changes, in order: those
// with the member ref, and, if it is a group, ref itself and the groups below it, whose
// members lose what came through it. in are its memberships.
func (w *writer) groupsWith(ctx context.Context, ref host.Ref) (ids []string, in []host.Membership, err error) {
	in, err = w.dir.GroupsOf(ctx, []host.Ref{ref})
	if err != nil {
		return nil, nil, err
	}
	ids = make([]string, 0, len(in)+1)
	for _, m := range in {
		ids = append(ids, m.GroupID)
	}
	if ref.Type == "Group" {
		below, err := w.dir.Below(ctx, ref.ID)
		if err != nil {
			return nil, nil, err
		}
		ids = append(ids, below.IDs()...)
	}
	slices.Sort(ids)
	return slices.Compact(ids), in, nil
}

// remove deletes a resource and ends the roles and memberships that depend on it.
func (w *writer) remove(ctx context.Context, before *doc.Document) error {
	ending, err := w.work.Ending(ctx, before)
	if err != nil {
		return err
	}
	if err := ending.Before(ctx); err != nil {
		return err
	}
	return w.erase(ctx, before, ending.After)
}

// removeFirst is remove if roles cannot be changed now. It changes them afterwards.
func removeFirst(ctx context.Context, w *writer, before *doc.Document) error {
	ending, err := w.work.Ending(ctx, before)
	if err != nil {
		return err
	}
	return w.erase(ctx, before, ending.AfterAll)
}

// erase deletes a resource and its memberships. Between both, end ends its roles.
func (w *writer) erase(ctx context.Context, before *doc.Document, end func(ctx context.Context) error) error {
	ref := host.RefOf(before)
	if w.t.Stores.Tx != nil {
		// Nobody else changes these memberships: the resource and the groups are locked.
		if err := w.leaveGroups(ctx, ref, w.leaves); err != nil {
			return err
		}
	}
	err := w.t.Stores.Delete(ctx, ref, func(now *doc.Document) error {
		if w.t.Stores.Tx == nil && !now.Equal(before) {
			return host.ErrStale
		}
		return nil
	})
	if errors.Is(err, host.ErrNotFound) {
		return fault.NotFound(ref.Type, ref.ID)
	}
	if err != nil {
		return err
	}
	switch before.Type {
	case w.t.Types.User:
		w.work.Tell(host.Event{Kind: host.UserDeleted, Resource: ref})
	case w.t.Types.Group:
		w.work.Tell(host.Event{Kind: host.GroupDeleted, Resource: ref})
	default:
		w.work.Tell(host.Event{Kind: host.ResourceChanged, Resource: ref, Reason: "deleted"})
	}
	err = end(ctx)
	if w.t.Stores.Tx == nil {
		if left := leaveAll(ctx, w, ref); err == nil {
			err = left
		}
	}
	return err
}

// leaveAfterwards completes a deletion that failed before the groups had forgotten the
// resource. It does so when the client repeats the deletion, which finds no resource. err is
// the outcome of the repeated deletion. With transactions no deletion fails half-way.
func leaveAfterwards(ctx context.Context, w *writer, ref host.Ref, err error) error {
	if w.t.Stores.Tx != nil || !host.IsNotFound(err) {
		return err
	}
	if _, found := w.t.Stores.Get(ctx, ref); !errors.Is(found, host.ErrNotFound) {
		return err
	}
	if left := leaveAll(ctx, w, ref); left != nil {
		return left
	}
	return err
}

// Release deletes a group of a tenant as a client's DELETE does.
func (s *Server) Release(ctx context.Context, t *host.Tenant, groupID string) error {
	w := newWriter(s.begin(t, host.Principal{}, &visit{}))
	ref := host.Ref{Type: "Group", ID: groupID}
	err := leaveAfterwards(ctx, w, ref, w.withLock(ctx, w.lockToDelete, ref, func(ctx context.Context, before *doc.Document) error {
		return removeTold(ctx, w, before)
	}))
	w.work.Deliver(ctx)
	return err
}
