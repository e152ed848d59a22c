package endpoint

import (
	"context"
	"fmt"
	"slices"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/keylock"
	"github.com/scimkit/scim/internal/roles"
)

// adoption is a resource that a creation adopted.
type adoption struct {
	before         *doc.Document // the resource before the adoption
	added, removed []host.Ref    // the members that the request has added and removed since
}

// adoptions are the resources that one request adopted.
type adoptions []*adoption

// of finds the adoption of a resource, nil if the request did not adopt it.
func (all adoptions) of(ref host.Ref) *adoption {
	i := slices.IndexFunc(all, func(a *adoption) bool { return host.RefOf(a.before) == ref })
	if i < 0 {
		return nil
	}
	return all[i]
}

// noteMembers records how a write changed the members of a group that the request adopted.
func (all adoptions) noteMembers(ref host.Ref, p *memberPlan) {
	if a := all.of(ref); a != nil {
		a.added, a.removed = append(a.added, p.Added...), append(a.removed, p.Removed...)
	}
}

// undo deletes resources that a failed request has created and that the store keeps. If a
// creation adopted a resource, undo restores the previous contents, members and roles.
func (w *writer) undo(ctx context.Context, created []*doc.Document) {
	// undo must finish even if the request's time is up.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), w.r.s.c.Limits.Time)
	defer cancel()
	left := false
	for _, d := range slices.Backward(created) {
		if d == nil {
			continue
		}
		err := undoOne(ctx, w, d, func(ctx context.Context, u *writer, now *doc.Document) error { return u.remove(ctx, now) })
		if err != nil && (w.t.Roles == nil || !w.t.Roles.Joint) {
			err = undoOne(ctx, w, d, removeFirst) // perhaps roles cannot be changed now
		}
		if err != nil {
			left = true
			w.r.s.c.Log.ErrorContext(ctx, "scim: a failed creation could not be undone", "resource", fmt.Sprint(host.RefOf(d)), "error", err)
		}
	}
	if !left {
		w.work.Forget(ctx)
	}
}

// undoOne deletes a created resource with remove, or restores an adopted one.
func undoOne(ctx context.Context, w *writer, d *doc.Document, remove func(context.Context, *writer, *doc.Document) error) error {
	ref := host.RefOf(d)
	adopted := w.adopted.of(ref)
	u := newWriter(w.r.another())
	roles.SkipGuards(u.work)
	err := u.work.Isolate(ctx, keylock.Key(ref.Type, ref.ID), func(ctx context.Context) error {
		now, err := u.lockToDelete(ctx, ref)
		if err != nil {
			return err
		}
		if adopted != nil {
			return restore(ctx, u, now, adopted)
		}
		return remove(ctx, u, now)
	})
	w.work.Include(u.work)
	if host.IsNotFound(err) || u.work.IsStored() { // roles that are still open are logged
		return nil
	}
	return err
}

// restore gives an adopted resource its former contents and members. Roles follow, as after
// any write: the adoption may have changed some of them.
func restore(ctx context.Context, w *writer, now *doc.Document, a *adoption) error {
	p := &memberPlan{add: a.removed, Members: roles.Members{Remove: a.added}}
	p.Dropped = slices.Concat(a.added, a.removed) // the users to reconcile: the client names none of them now
	after, turn, err := w.work.Before(ctx, roles.Write{Before: now, After: now.With(a.before.Values), Members: &p.Members})
	if err != nil {
		return err
	}
	out, err := w.put(ctx, now, after, p)
	if err != nil {
		return err
	}
	w.tell(now, out, p, false)
	return turn.After(ctx, out)
}
