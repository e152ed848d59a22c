package roles

import (
	"context"
	"errors"
	"slices"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/host"
)

// roleIsGone is the error of ChangeRoles if the application does not have a role to grant.
type roleIsGone struct{ error }

func (e *roleIsGone) Unwrap() error { return e.error }

// errProbed ends the transaction of a probe.
var errProbed = errors.New("scim: the role exists")

// deadRoles returns those roles of the batch's grants that the application does not have. It
// grants each role by itself, and takes that back.
func (b *batch) deadRoles(ctx context.Context) (dead map[host.RoleKey]bool, err error) {
	dead = map[host.RoleKey]bool{}
	for _, p := range b.outs {
		for _, role := range p.change.Grant {
			if _, isKnown := dead[role.Key()]; isKnown {
				continue
			}
			err := b.probe(ctx, host.RoleChange{UserID: p.change.UserID, Grant: []host.Role{role}, Roles: p.change.Roles})
			if err != nil && !errors.Is(err, host.ErrNoRole) {
				return nil, err
			}
			dead[role.Key()] = err != nil
		}
	}
	return dead, nil
}

// probe makes one grant, and takes it back. If roles do not commit with the store, the ledger
// has the grant already, so a crash in between loses nothing.
func (b *batch) probe(ctx context.Context, change host.RoleChange) error {
	t := b.w.t
	if !t.Roles.Joint {
		return b.probeSeparately(ctx, change)
	}
	err := t.Stores.InTx(ctx, func(ctx context.Context) error {
		if err := t.Roles.Resolver.ChangeRoles(ctx, []host.RoleChange{change}); err != nil {
			return err
		}
		return errProbed
	})
	if errors.Is(err, errProbed) {
		return nil
	}
	return err
}

// probeSeparately is probe for roles that do not commit with the store. Taking the grant back must
// not take what somebody has given by hand. So it holds the user's lock, and leaves out a role that
// the user holds by now.
func (b *batch) probeSeparately(ctx context.Context, change host.RoleChange) error {
	t, ids := b.w.t, []string{change.UserID}
	ctx, unlock, err := b.w.e.lockUsers(ctx, t, ids)
	if err != nil {
		return err
	}
	defer unlock()
	return t.Stores.InTx(ctx, func(ctx context.Context) error {
		if _, err := t.Roles.Ledger.Grants(ctx, ids); err != nil {
			return err
		}
		held, err := t.Roles.Resolver.HeldRoles(ctx, ids)
		isProbed := func(r host.Role) bool { return r.Key() == change.Grant[0].Key() }
		if err != nil || slices.ContainsFunc(held[change.UserID], isProbed) {
			return err
		}
		if err := t.Roles.Resolver.ChangeRoles(ctx, []host.RoleChange{change}); err != nil {
			return err
		}
		back := host.RoleChange{UserID: change.UserID, Revoke: change.Grant, Roles: change.Roles}
		return t.Roles.Resolver.ChangeRoles(ctx, []host.RoleChange{back})
	})
}

// vanished is the end of links to roles that the application does not have any more. It
// concerns all users of the sources of these links.
type vanished struct {
	w      *Work
	run    run // the run that has found out
	dead   map[host.RoleKey]bool
	groups []goneGroup
	values []goneValue
}

type goneGroup struct {
	group *doc.Document
	*linkChange
}

type goneValue struct {
	value
	*linkChange
}

// unlinkGone removes the links of these users' groups and values to dead roles. It defers
// the reconciliation of the other users of these sources. The guards have judged a plan with
// the dead roles, so they judge what takes its place. An error leaves the links as they are.
func unlinkGone(ctx context.Context, w *Work, ids []string, r run, dead map[host.RoleKey]bool) error {
	v := &vanished{w: w, run: r, dead: dead}
	if err := v.findValues(ctx, ids); err != nil {
		return err
	}
	if err := v.findGroups(ctx, ids); err != nil {
		return err
	}
	if err := v.judge(ctx, ids); err != nil {
		return err
	}
	return v.store(ctx)
}

// findGroups finds the users' groups that are linked to a dead role.
func (v *vanished) findGroups(ctx context.Context, ids []string) error {
	refs := make([]host.Ref, len(ids))
	for i, id := range ids {
		refs[i] = userRef(id)
	}
	closure, err := v.w.t.dir.Closure(ctx, refs, nil)
	if err != nil {
		return err
	}
	sources := groupSources(closure.Groups())
	links, err := v.w.t.links(ctx, sources)
	if err != nil {
		return err
	}
	for _, s := range sources {
		l := links[s]
		if !v.isDead(l) {
			continue
		}
		id, _ := s.Group()
		g, err := v.w.t.Stores.Get(ctx, groupRef(id))
		if errors.Is(err, host.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		c := &linkChange{was: l, now: l, reason: "the role is gone"}
		if v.run.cause == applicationReports {
			// Otherwise a new role with this name gets its link, like every new role, when the
			// application reports it.
			if c, err = v.w.t.relinkFrom(ctx, g, l); err != nil {
				return err
			}
		}
		v.dropFrom(c, s)
		v.groups = append(v.groups, goneGroup{g, c})
	}
	return nil
}

// findValues finds the users' values that are linked to a dead role.
func (v *vanished) findValues(ctx context.Context, ids []string) error {
	t := v.w.t
	if t.Roles.Attributes == nil {
		return nil
	}
	var values []value
	if err := t.dir.ByID(ctx, t.Types.User, ids, func(u *doc.Document) { values = append(values, valuesOf(t.Tenant, u)...) }); err != nil {
		return err
	}
	links, err := t.valueLinks(ctx, values)
	if err != nil {
		return err
	}
	for _, is := range values {
		l := links[is.key()]
		delete(links, is.key()) // look at each value once
		if !v.isDead(l) {
			continue
		}
		c := &linkChange{was: l, now: l}
		if v.run.cause == applicationReports {
			if c, err = t.relinkKnownValue(ctx, is, l); err != nil {
				return err
			}
		}
		v.dropFrom(c, is.key())
		v.values = append(v.values, goneValue{is, c})
	}
	return nil
}

// isDead reports whether a link has a dead role.
func (v *vanished) isDead(l host.Link) bool {
	return slices.ContainsFunc(l.Roles, func(r host.LinkedRole) bool { return v.dead[r.Role.Key()] })
}

// dropFrom removes dead roles from the new link of a source. The resolver may still name them.
func (v *vanished) dropFrom(c *linkChange, s host.Source) {
	c.now.Roles = slices.DeleteFunc(slices.Clone(c.now.Roles), func(r host.LinkedRole) bool { return v.dead[r.Role.Key()] })
	if !c.now.IsLinked() {
		c.now = host.Link{}
	}
	c.now.Source = s
	c.setTime(v.w.e.now())
}

// judge asks the guards about the plan of the users and of all users of the sources, as it is
// after the links have changed. A plan that no guard has judged needs no judgement now.
func (v *vanished) judge(ctx context.Context, ids []string) error {
	w, r := v.w, v.run
	if w.guards.state != judged {
		return nil
	}
	r.ids, r.group, r.below, r.values = ids, "", nil, nil
	for _, g := range v.groups {
		r.below = append(r.below, g.group.ID)
		r.view.relinked = append(r.view.relinked, g.now)
	}
	for _, is := range v.values {
		r.values = append(r.values, is.value)
		r.view.relinked = append(r.view.relinked, is.now)
	}
	w.guards.state = unjudged
	defer func() { w.guards.state = judged }()
	return w.t.Stores.InTx(ctx, func(ctx context.Context) error { return judge{w}.run(ctx, r) })
}

// store stores the links.
func (v *vanished) store(ctx context.Context) error {
	for _, is := range v.values {
		if err := linkValue(ctx, v.w, is.value, is.linkChange); err != nil {
			return err
		}
		v.w.later.add(run{values: []value{is.value}, cause: v.run.cause}, true) // the other users
	}
	for _, g := range v.groups {
		if err := v.w.setLink(ctx, g.group, g.linkChange); err != nil {
			return err
		}
		v.w.later.add(run{group: g.group.ID, cause: v.run.cause}, true) // the other members
	}
	return nil
}
