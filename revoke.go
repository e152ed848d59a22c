package scim

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
func (o *operation) carryAhead(ctx context.Context, outs []*outcome, r roleRun) error {
	swap := o.t.Stores.Tx == nil && r.view.link == nil && (r.view.user == nil || !r.view.user.Active())
	var told []host.Event
	for _, p := range outs {
		if !swap {
			given := p.change.Grant
			p.change.Grant, p.put, p.early = nil, nil, nil
			p.change.Roles = slices.DeleteFunc(p.change.Roles, func(role host.Role) bool { return slices.Contains(given, role) })
		}
		if r.view.deleted != "" && p.changes() {
			o.giveBack(p)
		}
		told = append(told, p.early...)
		for _, e := range p.events {
			if e.Kind == host.RoleRevoked || e.Kind == host.RoleGranted && swap {
				told = append(told, e)
			}
		}
	}
	if err := o.record(ctx, collect(outs, func(p *outcome) []host.Grant { return p.put }), nil); err != nil {
		return err
	}
	if err := o.change(ctx, outs); err != nil {
		return err
	}
	o.ahead = append(o.ahead, told...)
	return nil
}

// revokeAhead takes away what a write is about to end, before it is stored, where
// there is no transaction around both: a crash in between leaves too little access,
// not too much. An error is left to the reconciliation that follows the write.
func (o *operation) revokeAhead(ctx context.Context, before, after *doc.Document, m *memberPlan, c *linkChange, v *valueChange) {
	if o.t.Roles == nil {
		return
	}
	r := roleRun{ahead: true}
	switch {
	case after.Type == o.t.Types.User && before.Active() && (!after.Active() || v != nil && v.moves):
		r.ids, r.view.user = []string{after.ID}, after
	case after.Type == o.t.Types.Group:
		r.ids, r.view.from, r.view.left = userIDs(m.remove), after.ID, map[string]bool{}
		for _, id := range r.ids {
			r.view.left[id] = true
		}
		if c != nil && c.moves() {
			now := c.now
			now.GroupID = after.ID
			r.group, r.view.link = after.ID, &now
		}
	}
	if len(r.ids) == 0 && r.group == "" {
		return
	}
	unlink := r.view.link != nil && c.was.Role.ID != "" && c.was.Role.ID != c.now.Role.ID
	o.restore = append(o.restore, func(ctx context.Context) error {
		if unlink {
			if err := o.t.Roles.Ledger.SetLink(ctx, c.was); err != nil {
				return err
			}
		}
		return o.settleAll(ctx, roleRun{ids: r.ids, group: r.group})
	})
	if err := o.settleAll(ctx, r); err != nil {
		o.h.c.Log.WarnContext(ctx, "scim: revoking ahead of a write failed", "resource", fmt.Sprint(host.RefOf(after)), "error", err)
	}
	if unlink {
		// A crash must not leave the new name with the old role.
		if err := o.t.Roles.Ledger.SetLink(ctx, host.Link{GroupID: after.ID}); err != nil {
			o.h.c.Log.WarnContext(ctx, "scim: unlinking ahead of a write failed", "resource", fmt.Sprint(host.RefOf(after)), "error", err)
		}
	}
}

// endOf is the reconciliation that goes with the deletion of a user or group.
func (o *operation) endOf(ctx context.Context, before *doc.Document) (roleRun, error) {
	r := roleRun{}
	switch {
	case o.t.Roles == nil:
	case before.Type == o.t.Types.User:
		r.ids, r.view.deleted = []string{before.ID}, before.ID
	case before.Type == o.t.Types.Group && o.t.Roles.Joint:
		r.group, r.view.gone = before.ID, before.ID
	case before.Type == o.t.Types.Group:
		// Afterwards nobody could tell who was in it.
		r.view.gone = before.ID
		return r, o.t.dir.EachMember(ctx, before, func(page []host.Ref) error {
			r.ids = append(r.ids, userIDs(page)...)
			return nil
		})
	}
	return r, nil
}

// endAhead takes away, before a deletion, what it ends. Where roles do not commit with
// the store an error stops it, so that the client can repeat it, and what was taken
// comes back if the store refuses the deletion.
func (o *operation) endAhead(ctx context.Context, r roleRun) error {
	if len(r.ids) == 0 && r.group == "" || o.t.Roles.Joint {
		return o.reconcile(ctx, r)
	}
	if r.view.deleted == "" {
		o.restore = append(o.restore, func(ctx context.Context) error { return o.settleAll(ctx, roleRun{ids: r.ids}) })
	}
	r.ahead = true
	return o.settleAll(ctx, r)
}

// giveBack undoes the revocations of a user's last roles: those given by hand too, which
// no reconciliation would bring back. The ledger was not touched.
func (o *operation) giveBack(p *outcome) {
	back := host.RoleChange{UserID: p.change.UserID, Grant: p.change.Revoke, Roles: p.change.Roles}
	o.restore = append(o.restore, func(ctx context.Context) error {
		return o.t.Roles.Resolver.ChangeRoles(ctx, []host.RoleChange{back})
	})
}

// endAfter finishes what endAhead began.
func (o *operation) endAfter(ctx context.Context, before *doc.Document, r roleRun) error {
	if o.t.Roles == nil {
		return nil
	}
	if before.Type == o.t.Types.Group {
		if err := o.t.Roles.Ledger.SetLink(ctx, host.Link{GroupID: before.ID}); err != nil {
			return err
		}
		if o.t.Roles.Sources != nil {
			if err := o.t.Roles.Sources.DropSource(ctx, source(before.ID)); err != nil {
				return err
			}
		}
	}
	if o.t.Roles.Joint {
		return nil
	}
	return o.reconcile(ctx, r)
}
