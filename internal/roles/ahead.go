package roles

import (
	"context"
	"fmt"
	"slices"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/host"
)

// carryAhead carries out what takes away. Where one role gives way to another that
// does not depend on the write to come, both go in one step; this needs a ledger that
// can lead, and so no transaction around it.
func (w *Work) carryAhead(ctx context.Context, outs []*outcome, r Run) error {
	swap := w.t.Stores.Tx == nil && r.view.link == nil && (r.view.user == nil || !r.view.user.Active())
	var told []host.Event
	for _, p := range outs {
		if !swap {
			given := p.change.Grant
			p.change.Grant, p.put, p.early = nil, nil, nil
			p.change.Roles = slices.DeleteFunc(p.change.Roles, func(role host.Role) bool { return slices.Contains(given, role) })
		}
		if r.view.deleted != "" && p.changes() {
			w.giveBack(p)
		}
		told = append(told, p.early...)
		for _, e := range p.events {
			if e.Kind == host.RoleRevoked || e.Kind == host.RoleGranted && swap {
				told = append(told, e)
			}
		}
	}
	if err := w.record(ctx, collect(outs, func(p *outcome) []host.Grant { return p.put }), nil); err != nil {
		return err
	}
	if err := w.change(ctx, outs); err != nil {
		return err
	}
	w.ahead = append(w.ahead, told...)
	return nil
}

// revokeAhead takes away what a write is about to end, before it is stored, where
// there is no transaction around both: a crash in between leaves too little access,
// not too much. An error is left to the reconciliation that follows the write.
func (w *Work) RevokeAhead(ctx context.Context, before, after *doc.Document, m *Members, c *linkChange, v *valueChange) {
	if w.t.Roles == nil {
		return
	}
	r := Run{ahead: true}
	switch {
	case after.Type == w.t.Types.User && before.Active() && (!after.Active() || v != nil && v.moves):
		r.IDs, r.view.user = []string{after.ID}, after
	case after.Type == w.t.Types.Group:
		r.IDs, r.view.from, r.view.left = userIDs(m.Remove), after.ID, map[string]bool{}
		for _, id := range r.IDs {
			r.view.left[id] = true
		}
		if c != nil && c.moves() {
			now := c.now
			now.GroupID = after.ID
			r.group, r.view.link = after.ID, &now
		}
	}
	if len(r.IDs) == 0 && r.group == "" {
		return
	}
	unlink := r.view.link != nil && c.was.Role.ID != "" && c.was.Role.ID != c.now.Role.ID
	w.restore = append(w.restore, func(ctx context.Context) error {
		if unlink {
			if err := w.t.Roles.Ledger.SetLink(ctx, c.was); err != nil {
				return err
			}
		}
		return w.settleAll(ctx, Run{IDs: r.IDs, group: r.group})
	})
	if err := w.settleAll(ctx, r); err != nil {
		w.s.Log.WarnContext(ctx, "scim: revoking ahead of a write failed", "resource", fmt.Sprint(host.RefOf(after)), "error", err)
	}
	if unlink {
		// A crash must not leave the new name with the old role.
		if err := w.t.Roles.Ledger.SetLink(ctx, host.Link{GroupID: after.ID}); err != nil {
			w.s.Log.WarnContext(ctx, "scim: unlinking ahead of a write failed", "resource", fmt.Sprint(host.RefOf(after)), "error", err)
		}
	}
}

// endOf is the reconciliation that goes with the deletion of a user or group.
func (w *Work) EndOf(ctx context.Context, before *doc.Document) (Run, error) {
	r := Run{}
	switch {
	case w.t.Roles == nil:
	case before.Type == w.t.Types.User:
		r.IDs, r.view.deleted = []string{before.ID}, before.ID
	case before.Type == w.t.Types.Group && w.t.Roles.Joint:
		r.group, r.view.gone = before.ID, before.ID
	case before.Type == w.t.Types.Group:
		// Afterwards nobody could tell who was in it.
		r.view.gone = before.ID
		return r, w.dir.EachMember(ctx, before, func(page []host.Ref) error {
			r.IDs = append(r.IDs, userIDs(page)...)
			return nil
		})
	}
	return r, nil
}

// endAhead takes away, before a deletion, what it ends. Where roles do not commit with
// the store an error stops it, so that the client can repeat it, and what was taken
// comes back if the store refuses the deletion.
func (w *Work) EndAhead(ctx context.Context, r Run) error {
	if len(r.IDs) == 0 && r.group == "" || w.t.Roles.Joint {
		return w.Reconcile(ctx, r)
	}
	if r.view.deleted == "" {
		w.restore = append(w.restore, func(ctx context.Context) error { return w.settleAll(ctx, Run{IDs: r.IDs}) })
	}
	r.ahead = true
	return w.settleAll(ctx, r)
}

// giveBack undoes the revocations of a user's last roles: those given by hand too, which
// no reconciliation would bring back. The ledger was not touched.
func (w *Work) giveBack(p *outcome) {
	back := host.RoleChange{UserID: p.change.UserID, Grant: p.change.Revoke, Roles: p.change.Roles}
	w.restore = append(w.restore, func(ctx context.Context) error {
		return w.t.Roles.Resolver.ChangeRoles(ctx, []host.RoleChange{back})
	})
}

// endAfter finishes what endAhead began.
func (w *Work) EndAfter(ctx context.Context, before *doc.Document, r Run) error {
	if w.t.Roles == nil {
		return nil
	}
	if before.Type == w.t.Types.Group {
		if err := w.t.Roles.Ledger.SetLink(ctx, host.Link{GroupID: before.ID}); err != nil {
			return err
		}
		if w.t.Roles.Sources != nil {
			if err := w.t.Roles.Sources.DropSource(ctx, source(before.ID)); err != nil {
				return err
			}
		}
	}
	if w.t.Roles.Joint {
		return nil
	}
	return w.Reconcile(ctx, r)
}
