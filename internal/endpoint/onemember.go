package endpoint

import (
	"context"
	"errors"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/roles"
)

// oneMember is a change of one member of a group, and of nothing else: the commonest request of some
// clients. The store changes the membership and the group at once, before anything is read about the
// member. Only if the member is unknown, the common way finds out what to answer.
type oneMember struct {
	w      *writer
	before *doc.Document
	plan   memberPlan
	remove bool
}

// storeOne stores an edit if it changes one member only. ok is false if nothing is done.
func storeOne(ctx context.Context, w *writer, op host.Op, before *doc.Document, e *edit) (out *doc.Document, ok bool, err error) {
	if before == nil || op != host.OpPatch || w.t.Stores.Changer == nil {
		return nil, false, nil
	}
	c, err := oneMemberOf(ctx, w, before, e)
	if err != nil || c == nil {
		return nil, false, err
	}
	return c.store(ctx)
}

// oneMemberOf returns the change that an edit is, if it is one that needs nothing of what
// the common way looks for: rules, exempt users, groups in groups.
func oneMemberOf(ctx context.Context, w *writer, before *doc.Document, e *edit) (*oneMember, error) {
	d := e.members
	switch {
	case w.t.Judge != nil || w.t.Members.Nested || !roles.IsAlone(w.work):
		return nil, nil
	case before.Type != w.t.Types.Group || !d.Touched() || d.All || e.password != nil || !e.after.Equal(before):
		return nil, nil
	}
	c := &oneMember{w: w, before: before}
	c.plan.add, c.plan.Remove = d.Add(), d.Remove()
	if c.remove = len(c.plan.add) == 0; !c.isOne() {
		return nil, nil
	}
	exempt, err := w.dir.Exempt(ctx, c.members()...)
	if err != nil || len(exempt) > 0 {
		return nil, err
	}
	c.plan.Named, c.plan.Dropped = c.plan.add, c.plan.Remove
	return c, nil
}

// isOne reports whether there is one member. A removal without a type names the user and the
// group with this id.
func (c *oneMember) isOne() bool {
	add, remove := c.plan.add, c.plan.Remove
	switch {
	case len(add) == 1:
		return len(remove) == 0
	case len(add) > 0 || len(remove) == 0 || len(remove) > 2:
		return false
	}
	return remove[0].ID == remove[len(remove)-1].ID
}

func (c *oneMember) members() []host.Ref {
	if c.remove {
		return c.plan.Remove
	}
	return c.plan.add
}

// store stores the change. ok is false if nothing is done.
func (c *oneMember) store(ctx context.Context) (out *doc.Document, ok bool, err error) {
	w, ref := c.w, host.RefOf(c.before)
	done, err := w.t.Stores.Changer.ChangeMember(ctx, &host.MemberChange{Group: w.stamp(c.before, c.before), Version: c.before.Version,
		Members: c.members(), Remove: c.remove, ReadsGrants: roles.ReadsGrants(w.work)})
	if errors.Is(err, errors.ErrUnsupported) || err == nil && !c.remove && !done.IsKnown {
		return nil, false, nil
	}
	if out, err = w.dir.CheckAnswer(ref, done.Group, err); err != nil {
		return nil, false, err
	}
	if c.remove {
		c.plan.Removed = done.Changed
	} else {
		c.plan.Added = done.Changed
	}
	if len(done.Changed) == 0 {
		out = c.before
	}
	write := roles.Write{Before: c.before, After: c.before, Members: &c.plan.Members}
	_, turn, err := w.work.Before(ctx, write)
	if err != nil {
		return nil, false, err
	}
	w.tell(c.before, out, &c.plan, false)
	if err := turn.After(ctx, out); err != nil {
		return nil, false, err
	}
	return out, true, written(ctx, w, host.OpPatch, write, out)
}
