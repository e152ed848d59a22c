package scim

import (
	"context"
	"fmt"
	"slices"
)

// carryAhead carries out what takes away. Where one role gives way to another that
// does not depend on the write to come, both go in one step; this needs a ledger that
// can lead, and so no transaction around it.
func (o *operation) carryAhead(ctx context.Context, outs []*outcome, r roleRun) error {
	swap := o.t.tx == nil && r.view.link == nil && (r.view.user == nil || !r.view.user.Active())
	var told []Event
	for _, p := range outs {
		if !swap {
			given := p.change.Grant
			p.change.Grant, p.put, p.early = nil, nil, nil
			p.change.Roles = slices.DeleteFunc(p.change.Roles, func(role Role) bool { return slices.Contains(given, role) })
		}
		if r.view.deleted != "" && p.changes() {
			o.giveBack(p)
		}
		told = append(told, p.early...)
		for _, e := range p.events {
			if e.Kind == RoleRevoked || e.Kind == RoleGranted && swap {
				told = append(told, e)
			}
		}
	}
	if err := o.record(ctx, collect(outs, func(p *outcome) []Grant { return p.put }), nil); err != nil {
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
func (o *operation) revokeAhead(ctx context.Context, before, after *Resource, m *memberPlan, c *linkChange, v *valueChange) {
	if o.t.Tenant.Roles == nil {
		return
	}
	r := roleRun{ahead: true}
	switch {
	case after.t == o.t.user && before.Active() && (!after.Active() || v != nil && v.moves):
		r.ids, r.view.user = []string{after.ID()}, after
	case after.t == o.t.group:
		r.ids, r.view.from, r.view.left = userIDs(m.remove), after.ID(), map[string]bool{}
		for _, id := range r.ids {
			r.view.left[id] = true
		}
		if c != nil && c.moves() {
			now := c.now
			now.GroupID = after.ID()
			r.group, r.view.link = after.ID(), &now
		}
	}
	if len(r.ids) == 0 && r.group == "" {
		return
	}
	unlink := r.view.link != nil && c.was.Role.ID != "" && c.was.Role.ID != c.now.Role.ID
	o.restore = append(o.restore, func(ctx context.Context) error {
		if unlink {
			if err := o.t.ledger.SetLink(ctx, c.was); err != nil {
				return err
			}
		}
		return o.settleAll(ctx, roleRun{ids: r.ids, group: r.group})
	})
	if err := o.settleAll(ctx, r); err != nil {
		o.h.c.Log.WarnContext(ctx, "scim: revoking ahead of a write failed", "resource", fmt.Sprint(after.Ref()), "error", err)
	}
	if unlink {
		// A crash must not leave the new name with the old role.
		if err := o.t.ledger.SetLink(ctx, Link{GroupID: after.ID()}); err != nil {
			o.h.c.Log.WarnContext(ctx, "scim: unlinking ahead of a write failed", "resource", fmt.Sprint(after.Ref()), "error", err)
		}
	}
}

// endOf is the reconciliation that goes with the deletion of a user or group.
func (o *operation) endOf(ctx context.Context, before *Resource) (roleRun, error) {
	r := roleRun{}
	switch {
	case o.t.Tenant.Roles == nil:
	case before.t == o.t.user:
		r.ids, r.view.deleted = []string{before.ID()}, before.ID()
	case before.t == o.t.group && o.t.joint:
		r.group, r.view.gone = before.ID(), before.ID()
	case before.t == o.t.group:
		// Afterwards nobody could tell who was in it.
		r.view.gone = before.ID()
		return r, o.t.eachMember(ctx, before, func(page []Ref) error {
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
	if len(r.ids) == 0 && r.group == "" || o.t.joint {
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
	back := RoleChange{UserID: p.change.UserID, Grant: p.change.Revoke, Roles: p.change.Roles}
	o.restore = append(o.restore, func(ctx context.Context) error {
		return o.t.Tenant.Roles.Resolver.ChangeRoles(ctx, []RoleChange{back})
	})
}

// endAfter finishes what endAhead began.
func (o *operation) endAfter(ctx context.Context, before *Resource, r roleRun) error {
	if o.t.Tenant.Roles == nil {
		return nil
	}
	if before.t == o.t.group {
		if err := o.t.ledger.SetLink(ctx, Link{GroupID: before.ID()}); err != nil {
			return err
		}
		if o.t.sources != nil {
			if err := o.t.sources.DropSource(ctx, source(before.ID())); err != nil {
				return err
			}
		}
	}
	if o.t.joint {
		return nil
	}
	return o.reconcile(ctx, r)
}
