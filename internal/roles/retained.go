package roles

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"github.com/scimkit/scim/internal/directory"
	"github.com/scimkit/scim/internal/host"
)

// retainedKind is the kind of the notes about users who keep a role as its last holder. They find
// these users by role, without reading what else the ledger has. There is a note for each such
// grant, and there may be one that is out of date: the next release of the role deletes it.
const retainedKind = "retained"

// retainedPrefix is the begin of the keys of the notes about a role. The id of the user follows.
func retainedPrefix(role host.RoleKey) string {
	return url.PathEscape(role.Scope) + "/" + url.PathEscape(role.ID) + "#"
}

// noteRetained notes the users who begin to keep a role, before the ledger has their grants.
func (b *batch) noteRetained(ctx context.Context, put []host.Grant) error {
	for _, g := range put {
		if !g.IsRetained() {
			continue
		}
		n := host.Note{Kind: retainedKind, Key: retainedPrefix(g.Role()) + g.UserID, At: b.w.e.now(), Text: g.UserID}
		if err := b.w.t.Roles.Pending.SetNote(ctx, n); err != nil {
			return err
		}
		b.noteCrossed(g)
	}
	return nil
}

// noteCrossed remembers for which other protected roles of the scope the user waits who begins to
// keep a role. Somebody else may keep one of them, and wait for this one: together they exchange
// the roles, and alone neither of them can.
func (b *batch) noteCrossed(kept host.Grant) {
	for _, o := range b.outs {
		if o.change.UserID != kept.UserID {
			continue
		}
		for _, e := range o.explained {
			if e.State != host.Waiting || !e.Role.Protected || e.Role.Scope != kept.Scope || e.Role.ID == kept.RoleID {
				continue
			}
			if b.w.guards.crossed == nil {
				b.w.guards.crossed = map[host.RoleKey][]string{}
			}
			b.w.guards.crossed[e.Role.Key()] = append(b.w.guards.crossed[e.Role.Key()], kept.UserID)
		}
	}
}

// dropRetained deletes the notes that releaseRetained has found about users who do not keep the
// role any more. Their locks exclude a new note. Exempt users keep what they have.
func (b *batch) dropRetained(ctx context.Context) error {
	released := b.w.guards.released
	ids := only(b.ids, func(id string) bool { return len(released[id]) > 0 })
	if len(ids) == 0 {
		return nil
	}
	exempt, err := b.w.t.exempt(ctx, ids)
	if err != nil {
		return err
	}
	for _, o := range b.outs {
		id := o.change.UserID
		for _, role := range released[id] {
			keeps := slices.ContainsFunc(o.retained, func(g host.Grant) bool { return g.Role() == role })
			if keeps || exempt[userRef(id)] {
				continue
			}
			if err := b.w.t.Roles.Pending.SetNote(ctx, host.Note{Kind: retainedKind, Key: retainedPrefix(role) + id}); err != nil {
				return err
			}
		}
	}
	return nil
}

// retainedUsers lists the users who may keep a role as its last holder.
func (t tenant) retainedUsers(ctx context.Context, role host.RoleKey) (ids []string, err error) {
	prefix := retainedPrefix(role)
	for after := prefix; ; {
		page, err := t.Roles.Pending.Notes(ctx, retainedKind, after, directory.Batch)
		if err != nil {
			return nil, err
		}
		for _, n := range page {
			if after = n.Key; !strings.HasPrefix(n.Key, prefix) {
				return ids, nil
			}
			ids = append(ids, n.Text)
		}
		if len(page) < directory.Batch {
			return ids, nil
		}
	}
}

// releaseRetained defers the reconciliation of those who keep a role as its last holder, if
// somebody else has got it or has come back with it, or if they may exchange roles.
func releaseRetained(ctx context.Context, w *Work) {
	granted, crossed := w.guards.granted, w.guards.crossed
	w.guards.granted, w.guards.crossed = nil, nil
	r := run{cause: applicationRepairs}
	for _, role := range granted {
		ids, err := w.t.retainedUsers(ctx, role)
		if err != nil {
			w.e.Log.ErrorContext(ctx, "scim: retained roles could not be looked up; run Reconciler.All", "error", err)
			break
		}
		for _, id := range ids {
			if w.guards.released == nil {
				w.guards.released = map[string][]host.RoleKey{}
			}
			if !slices.Contains(w.guards.released[id], role) {
				w.guards.released[id] = append(w.guards.released[id], role)
			}
		}
		r.ids = append(r.ids, ids...)
	}
	for role, waiting := range crossed {
		ids, err := w.t.retainedUsers(ctx, role)
		if err != nil {
			w.e.Log.ErrorContext(ctx, "scim: retained roles could not be looked up; run Reconciler.All", "error", err)
			break
		}
		if len(ids) > 0 {
			r.ids = slices.Concat(r.ids, ids, waiting)
		}
	}
	if len(r.ids) > 0 {
		w.later.add(r, true)
	}
}
