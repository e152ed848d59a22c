package roles

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/host"
)

// Write is a write of one resource before the store has it.
type Write struct {
	Before *doc.Document // nil for a new resource
	After  *doc.Document
	// Members is the change of a group's members. The caller sets Added and Removed before it
	// calls Turn.After.
	Members *Members
	// Kind says more about the write.
	Kind WriteKind
}

// WriteKind says more about a write.
type WriteKind int

const (
	// Changes says that the client names only what it changes.
	Changes WriteKind = iota
	// Replaces says that the client names the whole resource.
	Replaces
	// Adopts says that the new resource adopts Before. The client names it whole.
	Adopts
)

// Members is the change of a group's members.
type Members struct {
	Remove  []host.Ref // members to remove; with a MemberStore some may be gone already
	Named   []host.Ref // users that the client named as members, including current members
	Dropped []host.Ref // members that the client asked to remove, including those already gone
	Added   []host.Ref // members that the store did add
	Removed []host.Ref // members that the store did remove
}

// Turn is the part of a Work that handles one write.
type Turn struct {
	w      *Work
	write  Write
	link   *linkChange
	values *valueChange
	// Always makes After reconcile the user or the group's members, whatever the write changes.
	Always bool
}

// Before looks up how a write changes roles, and revokes what the write ends. It returns
// the resource to store. That is write.After, unless the write deactivates a user and an
// attribute names no role: then the attribute keeps its value. An error refuses the write.
func (w *Work) Before(ctx context.Context, write Write) (*doc.Document, *Turn, error) {
	t := &Turn{w: w, write: write}
	w.guards.subject = subjectOf(w.t, write)
	if err := t.holdLeaver(ctx); err != nil {
		return nil, nil, err
	}
	var err error
	if write.Before != nil || !w.t.isTransactional() { // else After asks, which knows the id that the store gave
		if t.link, err = w.relink(ctx, write); err != nil {
			return nil, nil, err
		}
	}
	if write.Before != nil && t.link != nil && t.link.movesRoles() {
		if err := lockBelow(ctx, w, write.Before.ID); err != nil {
			return nil, nil, err
		}
	}
	if t.write.After, t.values, err = w.relinkValues(ctx, write); err != nil {
		return nil, nil, err
	}
	after := t.write.After
	if write.Before != nil && write.Before.Active() && !after.Active() {
		// Deactivate before the write, so that a client that repeats a failed write comes
		// here again.
		if err := w.deactivate(ctx, after); err != nil {
			return nil, nil, err
		}
	}
	if write.Before != nil && !w.t.isTransactional() {
		if err := t.judgeAhead(ctx); err != nil {
			return nil, nil, err
		}
		if err := t.revokeAhead(ctx); err != nil {
			return nil, nil, err
		}
	}
	return after, t, nil
}

// subjectOf is what a write is about, for guards.
func subjectOf(t tenant, write Write) subject {
	s := subject{ref: host.RefOf(write.After), cause: host.CauseWrite}
	if write.Before == nil {
		name := "displayName"
		if write.After.Type == t.Types.User {
			name = "userName"
		}
		s.fresh = fault.ClipName(write.After.Text(name))
	}
	return s
}

// deactivate calls the application's Deactivator, which ends sessions and tokens.
func (w *Work) deactivate(ctx context.Context, user *doc.Document) error {
	if user.Type != w.t.Types.User || w.t.Stores.Deactivator == nil {
		return nil
	}
	return w.t.Stores.Deactivator.Deactivate(ctx, user)
}

// After reconciles after the store has accepted the write.
func (t *Turn) After(ctx context.Context, stored *doc.Document) error {
	w := t.w
	w.stored = !w.t.isTransactional()
	if !w.t.hasRoles() {
		return nil
	}
	w.guards.subject.ref = host.RefOf(stored)
	switch stored.Type {
	case w.t.Types.User:
		return t.followUser(ctx, stored)
	case w.t.Types.Group:
		return t.followGroup(ctx, stored)
	}
	return nil
}

func (t *Turn) followUser(ctx context.Context, user *doc.Document) error {
	before := t.write.Before
	if t.values != nil {
		if err := t.values.linkValues(ctx, t.w, user.ID); err != nil {
			return err
		}
	}
	switch {
	case t.values != nil && (t.values.moves || len(t.values.named) > 0):
		return t.followValues(ctx, user)
	case t.Always:
	case t.write.Kind == Adopts: // the client now owns the memberships that the account had before
	case before == nil || before.Active() == user.Active() && user.Active():
		return nil
	}
	return t.w.reconcile(ctx, run{ids: []string{user.ID}, cause: t.cause()})
}

// followValues reconciles after a write that changes the values of a user's role
// attributes, or the links of values.
func (t *Turn) followValues(ctx context.Context, user *doc.Document) error {
	w, c := t.w, t.values
	// Reconcile first: a repeated request changes no value, so it would not come here again.
	r := run{ids: []string{user.ID}, writes: writes{fresh: c.freshValues}, cause: t.cause(), named: map[string]bool{user.ID: true}}
	if err := w.reconcile(ctx, r); err != nil || len(c.fresh) == 0 {
		return err
	}
	values := valuesOf(w.t.Tenant, user)
	links, err := w.t.valueLinks(ctx, values)
	if err != nil {
		return err
	}
	for _, v := range values {
		if !c.fresh[v.key()] {
			continue
		}
		for _, l := range links[v.key()].Roles {
			if !l.Confirmed {
				w.Tell(host.Event{Kind: host.RoleWaiting, Resource: host.RefOf(user), Role: l.Role, Sources: []host.Source{v.source()}, Reason: awaitsConfirmation})
			}
		}
	}
	return nil
}

func (t *Turn) followGroup(ctx context.Context, group *doc.Document) error {
	w, m := t.w, t.write.Members
	if t.write.Before == nil && (t.link == nil || group.ID != t.write.After.ID) {
		var err error
		if t.link, err = w.relink(ctx, Write{After: group}); err != nil {
			return err
		}
	}
	c := t.link
	r := run{ids: userIDs(slices.Concat(m.Named, m.Dropped, m.Removed)), namedIn: host.GroupSource(group.ID), named: map[string]bool{}}
	for _, id := range userIDs(m.Named) {
		r.named[id] = true
	}
	if w.t.Tenant.Members.Nested {
		r.below = groupIDs(slices.Concat(m.Added, m.Removed))
	}
	var failed error
	// A group that gives no role is followed too: a role of another group may stand in the application's row of
	// the membership, such as that of a team's administrator.
	if c != nil {
		c.now.Source = host.GroupSource(group.ID)
		if c.isChange() {
			failed = w.setLink(ctx, group, c)
		}
		if c.movesRoles() {
			r.group = group.ID
		}
	}
	if t.Always {
		r.group = group.ID
	}
	if failed != nil && w.t.isTransactional() || r.isEmpty() {
		return failed
	}
	// A store without transactions keeps the write. The ledger may keep the link although it
	// answered with an error, and then a repeated request changes nothing. So reconcile.
	return cmp.Or(failed, w.reconcile(ctx, r))
}

// revokeAhead revokes roles before a write that ends them, if no transaction surrounds
// both. A crash in between then leaves too little access, not too much. It ignores errors
// in changing roles: the reconciliation after the write tries again. An error in removing a
// link refuses the write.
func (t *Turn) revokeAhead(ctx context.Context) error {
	w, after, c := t.w, t.write.After, t.link
	if !w.t.hasRoles() {
		return nil
	}
	r := run{ahead: true}
	switch {
	case after.Type == w.t.Types.User && t.write.Before.Active() && (!after.Active() || t.values != nil && t.values.moves):
		r.ids, r.view.user = []string{after.ID}, after
	case after.Type == w.t.Types.Group:
		r.ids, r.view.from, r.view.left = userIDs(t.write.Members.Remove), after.ID, map[host.Ref]bool{}
		r.view.joins = userIDs(t.write.Members.Named) // they may have been members through a group that leaves
		for _, m := range t.write.Members.Remove {
			r.view.left[m] = true
		}
		if w.t.Tenant.Members.Nested {
			r.below = groupIDs(t.write.Members.Remove)
		}
		if c != nil && c.movesRoles() {
			now := c.now
			now.Source = host.GroupSource(after.ID)
			r.group, r.view.link = after.ID, &now
		}
	}
	if r.isEmpty() {
		return nil
	}
	unlink := r.view.link != nil && c.isAnotherRole()
	w.restore = append(w.restore, func(ctx context.Context) error {
		if unlink {
			if err := t.relinkUnlessRenamed(ctx); err != nil {
				return err
			}
		}
		return w.settleAll(ctx, run{ids: r.ids, group: r.group, below: r.below})
	})
	if err := w.settleAll(ctx, r); err != nil {
		w.e.Log.WarnContext(ctx, "scim: revoking ahead of a write failed", "resource", fmt.Sprint(host.RefOf(after)), "error", err)
	}
	if !unlink {
		return nil
	}
	// Remove the link first: neither a crash nor an error must leave the new name with the
	// old role. The client's repeated request would change no name, so nobody would look
	// for its role again.
	return w.t.Roles.Ledger.SetLink(ctx, host.Link{Source: host.GroupSource(after.ID)})
}

// relinkUnlessRenamed gives a group its former link back after a failed rename. A store may
// have stored the new name although its answer was an error. Then the group stays without a
// link, so that the client's repeated request looks for its role.
func (t *Turn) relinkUnlessRenamed(ctx context.Context) error {
	now, err := t.w.t.Stores.Get(ctx, host.RefOf(t.write.Before))
	if err != nil || isRenamed(t.write.Before, now) {
		return err
	}
	return t.w.t.Roles.Ledger.SetLink(ctx, t.link.was)
}
