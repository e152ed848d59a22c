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
	swap := o.t.tx == nil && r.view.link == nil
	var told []Event
	for _, p := range outs {
		if !swap {
			given := p.change.Grant
			p.change.Grant, p.put, p.early = nil, nil, nil
			p.change.Roles = slices.DeleteFunc(p.change.Roles, func(role Role) bool { return slices.Contains(given, role) })
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
func (o *operation) revokeAhead(ctx context.Context, before, after *Resource, m *memberPlan, c *linkChange) {
	if o.t.Tenant.Roles == nil {
		return
	}
	r := roleRun{ahead: true}
	switch {
	case after.t == o.t.user && before.Active() && !after.Active():
		r.ids, r.view.inactive = []string{after.ID()}, after.ID()
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
	if err := o.eachBatch(ctx, r, func(ids []string) error { return o.settle(ctx, ids, r) }); err != nil {
		o.h.c.Log.WarnContext(ctx, "scim: revoking ahead of a write failed", "resource", fmt.Sprint(after.Ref()), "error", err)
	}
	if r.view.link != nil && c.was.Role.ID != "" && c.was.Role.ID != c.now.Role.ID {
		// A crash must not leave the new name with the old role.
		if err := o.t.ledger.SetLink(ctx, Link{GroupID: after.ID()}); err != nil {
			o.h.c.Log.WarnContext(ctx, "scim: unlinking ahead of a write failed", "resource", fmt.Sprint(after.Ref()), "error", err)
		}
	}
}

// leaveRoles takes everything from a user whose account is about to be deleted.
func (o *operation) leaveRoles(ctx context.Context, userID string) error {
	if o.t.Tenant.Roles == nil {
		return nil
	}
	return o.endRoles(ctx, roleRun{ids: []string{userID}, view: view{deleted: userID}})
}

// dissolve takes away what came through a group that is about to be deleted, and its
// link.
func (o *operation) dissolve(ctx context.Context, group *Resource) error {
	if o.t.Tenant.Roles == nil {
		return nil
	}
	var ids []string
	if !o.t.joint {
		err := o.t.eachMember(ctx, group, func(page []Ref) error {
			ids = append(ids, userIDs(page)...)
			return nil
		})
		if err != nil {
			return err
		}
	}
	r := roleRun{view: view{gone: group.ID()}, ids: ids}
	if o.t.joint {
		r.group = group.ID()
	}
	if err := o.endRoles(ctx, r); err != nil {
		return err
	}
	return o.t.ledger.SetLink(ctx, Link{GroupID: group.ID()})
}

// endRoles runs a reconciliation that goes with a deletion. Where roles do not
// commit with the store they are revoked first, so that a client whose DELETE failed
// can repeat it.
func (o *operation) endRoles(ctx context.Context, r roleRun) error {
	if !o.t.joint {
		ahead := r
		ahead.ahead = true
		if err := o.reconcile(ctx, ahead); err != nil {
			return err
		}
	}
	return o.reconcile(ctx, r)
}
