package scim

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/filterlang"
	"github.com/scimkit/scim/internal/member"
	"github.com/scimkit/scim/internal/model"
	"github.com/scimkit/scim/internal/patch"
)

// edit is what a request makes of a resource, before rules and members.
type edit struct {
	after    *Resource
	members  *member.Delta
	password *string
}

// create answers POST.
func (o *operation) create(ctx context.Context, t *ResourceType, body []byte) (*answer, error) {
	made, err := o.make(ctx, t, body)
	if err != nil {
		return nil, err
	}
	return o.show(ctx, http.StatusCreated, made)
}

// make creates what a POST asks for.
func (o *operation) make(ctx context.Context, t *ResourceType, body []byte) (*Resource, error) {
	if err := o.allow(ctx, OpCreate, t, "", nil); err != nil {
		return nil, err
	}
	e, err := o.decode(t, nil, body)
	if err != nil {
		return nil, err
	}
	now := o.now()
	e.after = e.after.WithMeta(Meta{ID: o.h.c.NewID(), Created: now, LastModified: now})
	var made *Resource
	err = o.isolate(ctx, "", func(ctx context.Context) error {
		made, err = o.store(ctx, OpCreate, nil, e)
		return err
	})
	if err != nil && made != nil && o.stored {
		// The client does not learn the id, and would create a second one.
		o.undo(ctx, []*Resource{made})
	}
	return made, err
}

// replace answers PUT.
func (o *operation) replace(ctx context.Context, t *ResourceType, id string, body []byte) (*answer, error) {
	if err := o.allow(ctx, OpReplace, t, id, nil); err != nil {
		return nil, err
	}
	out, err := o.modify(ctx, OpReplace, Ref{t.Name(), id}, func(before *Resource) (*edit, error) {
		return o.decode(t, before, body)
	})
	if err != nil {
		return nil, err
	}
	return o.show(ctx, http.StatusOK, out)
}

// patch answers PATCH: with the resource for users, with 204 for groups, whose
// members would make the answer long, unless attributes are asked for.
func (o *operation) patch(ctx context.Context, t *ResourceType, id string, body []byte) (*answer, error) {
	if err := o.allow(ctx, OpPatch, t, id, nil); err != nil {
		return nil, err
	}
	p, err := parsePatch(t, body, patch.Options{
		Doc:      doc.Options{Tol: o.use, KeepUnknown: t.c.KeepUnknown},
		Limits:   filterlang.Limits{Length: o.h.c.Limits.Filter},
		MaxDepth: o.h.c.Limits.Depth,
	})
	if err != nil {
		return nil, err
	}
	out, err := o.modify(ctx, OpPatch, Ref{t.Name(), id}, func(before *Resource) (*edit, error) {
		after, err := p.apply(before)
		if err != nil {
			return nil, err
		}
		e := &edit{after: after, members: p.req.Members()}
		if pw, ok := p.req.Password(); ok {
			e.password = &pw
		}
		return e, nil
	})
	if err != nil {
		return nil, err
	}
	if t.m.Members != nil && len(o.params.attributes) == 0 && len(o.params.excluded) == 0 {
		return &answer{status: http.StatusNoContent, etag: etag(out)}, nil
	}
	return o.show(ctx, http.StatusOK, out)
}

// decode reads the body of a POST (before is nil) or PUT.
func (o *operation) decode(t *ResourceType, before *Resource, body []byte) (*edit, error) {
	b, err := doc.Decode(t.m, body, doc.Options{Tol: o.use, KeepUnknown: t.c.KeepUnknown, MaxDepth: o.h.c.Limits.Depth})
	if err != nil {
		return nil, err
	}
	e := &edit{password: b.Password}
	values := b.Values
	if m := t.m.Members; m != nil {
		list := doc.Get(values, m)
		if list.Attr != nil || before == nil || !o.t.Members.KeepAbsent {
			refs, err := member.ReadAll(list)
			if err != nil {
				return nil, err
			}
			e.members = &member.Delta{All: true}
			for _, r := range refs {
				e.members.Join(r)
			}
		}
		values = doc.Drop(values, m)
	}
	for _, v := range values {
		if v.IsList() && v.Attr.Lookup("primary") != nil {
			v = patch.OnePrimary(doc.Value{}, v, o.use)
			if err := patch.CheckPrimary(v); err != nil {
				return nil, err
			}
			values = doc.Put(values, v)
		}
	}
	if before == nil {
		e.after = &Resource{t: t, d: doc.Document{Type: t.m, Values: values}}
		return e, validate(t, nil, values)
	}
	stored := before.d.Values
	if t.m.Members != nil {
		stored = doc.Drop(stored, t.m.Members)
	}
	values = doc.Carry(t.m, stored, values)
	if a := t.m.Root.Lookup("active"); a != nil && t == o.t.user && doc.Get(values, a).Attr == nil {
		// Absence never changes whether somebody is active.
		if was := doc.Get(stored, a); was.Attr != nil {
			values = doc.Put(values, was)
		}
	}
	e.after = before.with(values)
	return e, validate(t, before, values)
}

// isolate runs fn in the store's transaction, or else under the resource's lock in
// this process, again if the resource moved on meanwhile. Afterwards it runs the
// reconciliations that had to wait for the commit, and those that an earlier request
// for the same resource could not finish.
func (o *operation) isolate(ctx context.Context, id string, fn func(ctx context.Context) error) error {
	events, later := len(o.events), len(o.later)
	run := func(ctx context.Context) error {
		o.events, o.later, o.stored = o.events[:events], o.later[:later], false // fn may run again
		return fn(ctx)
	}
	var err error
	switch {
	case o.t.tx != nil && o.inside:
		err = run(ctx)
	case o.t.tx != nil:
		err = o.t.tx.InTx(ctx, run)
	default:
		if id != "" {
			defer o.h.locks.lock(o.t.ID + "\x00" + id)()
		}
		for range 20 {
			if err = run(ctx); !errors.Is(err, errStale) {
				break
			}
		}
	}
	if err != nil && !o.stored {
		o.events, o.later = o.events[:events], o.later[:later]
	}
	if o.inside {
		return err
	}
	o.events, o.ahead = slices.Concat(o.ahead, o.events), nil
	return o.settleUp(ctx, id, err)
}

// locked gets a resource, locked until the end of the transaction if there is one.
func (o *operation) locked(ctx context.Context, ref Ref) (*Resource, error) {
	if o.t.tx == nil {
		return o.fetch(ctx, ref)
	}
	var before *Resource
	_, err := o.t.Store.Update(ctx, ref, func(r *Resource) (*Resource, error) {
		before = r
		return r, nil
	})
	if errors.Is(err, ErrNotFound) {
		return nil, notFound(ref)
	}
	if err != nil {
		return nil, err
	}
	return before, o.t.bound(before)
}

// modify changes a resource to what build makes of it.
func (o *operation) modify(ctx context.Context, op Op, ref Ref, build func(before *Resource) (*edit, error)) (*Resource, error) {
	var out *Resource
	err := o.isolate(ctx, lockKey(ref), func(ctx context.Context) error {
		before, err := o.locked(ctx, ref)
		if err != nil {
			return err
		}
		if err := o.precondition(before); err != nil {
			return err
		}
		e, err := build(before)
		if err != nil {
			return err
		}
		if o.self {
			if err := o.selfOnly(before, e); err != nil {
				return err
			}
		}
		out, err = o.store(ctx, op, before, e)
		return err
	})
	return out, err
}

// store judges an edit by the rules and stores it with all that hangs on it. before
// is nil for a new resource.
func (o *operation) store(ctx context.Context, op Op, before *Resource, e *edit) (*Resource, error) {
	t := e.after.t
	c := &Change{Op: op, Before: before, After: e.after, Principal: o.who, Tenant: o.t.Tenant}
	members, err := o.planMembers(ctx, before, e.members)
	if err != nil {
		return nil, err
	}
	c.Add, c.Remove = members.add, members.remove
	if err := o.judge(ctx, c); err != nil {
		return nil, err
	}
	if a := t.m.Root.Lookup("active"); before == nil && c.Adopt == "" && t == o.t.user && a != nil && a.Kind == model.Boolean && c.After.Get("active") == nil {
		// A person who is provisioned is meant to be active; Keycloak wants to see it.
		if c.After, err = c.After.With(map[string]any{"active": true}); err != nil {
			return nil, err
		}
	}
	adopted := before == nil && c.Adopt != ""
	if adopted {
		if before, err = o.locked(ctx, Ref{t.Name(), c.Adopt}); err != nil {
			return nil, err
		}
		o.adopted = append(o.adopted, before)
		c.After = c.After.with(doc.Carry(t.m, before.d.Values, c.After.d.Values)).WithMeta(before.Meta())
		if members, err = o.planMembers(ctx, before, e.members); err != nil {
			return nil, err
		}
	}
	after := c.After
	link, err := o.relink(ctx, before, after)
	if err != nil {
		return nil, err
	}
	after, values, err := o.relinkValues(ctx, before, after)
	if err != nil {
		return nil, err
	}
	if before != nil && before.Active() && !after.Active() && t == o.t.user && o.t.deactivator != nil {
		// Before the write: a client that repeats it must come here again.
		if err := o.t.deactivator.Deactivate(ctx, after); err != nil {
			return nil, err
		}
	}
	if before != nil && o.t.tx == nil {
		o.revokeAhead(ctx, before, after, members, link, values)
	}
	out, err := o.put(ctx, before, after, members)
	if err != nil {
		return nil, err
	}
	o.stored = o.t.tx == nil
	o.tell(before, out, members, adopted)
	if adopted && t == o.t.user && o.t.Tenant.Roles != nil {
		// Memberships that the account had are the client's from now on.
		err = o.reconcile(ctx, roleRun{ids: []string{out.ID()}})
	}
	if err == nil {
		err = o.follow(ctx, before, out, members, link, values)
	}
	if err != nil {
		return out, err
	}
	if e.password != nil && t == o.t.user && o.t.passwords != nil {
		if err := o.t.passwords.SetPassword(ctx, out.ID(), *e.password); err != nil {
			return out, err
		}
	}
	return out, nil
}

// judge runs the tenant's rules.
func (o *operation) judge(ctx context.Context, c *Change) error {
	for _, rule := range o.t.Rules {
		if err := rule(ctx, c); err != nil {
			return err
		}
		if c.Op != OpDelete && (c.After == nil || c.Before != nil && c.After.ID() != c.Before.ID() || o.t.bound(c.After) != nil) {
			return errors.New("scim: a rule replaced Change.After by something that is not the same resource")
		}
	}
	return nil
}

// put writes the resource and its members, if anything changes. What it stores gets
// a new version and time; what is the same keeps them.
func (o *operation) put(ctx context.Context, before, after *Resource, m *memberPlan) (*Resource, error) {
	if o.t.members == nil && after.t.m.Members != nil {
		after = m.embed(before, after)
	}
	if before == nil {
		after = o.stamp(nil, after)
		made, err := o.t.Store.Create(ctx, after)
		if err != nil {
			return nil, err
		}
		if err := o.t.bound(made); err != nil {
			return nil, err
		}
		return made, o.changeMembers(ctx, made.ID(), m)
	}
	if err := o.changeMembers(ctx, before.ID(), m); err != nil {
		return nil, err
	}
	moved := o.t.members != nil && len(m.added)+len(m.removed) > 0
	if after.Equal(before) && !moved {
		return before, nil
	}
	stamped := o.stamp(before, after)
	out, err := o.t.Store.Update(ctx, before.Ref(), func(now *Resource) (*Resource, error) {
		switch {
		case now.Equal(before) && now.d.Version == before.d.Version:
			return stamped, nil
		case o.t.tx == nil:
			return nil, errStale
		}
		// It is locked, so the application itself has written it in this transaction, in a
		// Rule or a Deactivator, or what no lock keeps it from, such as an element in another
		// table of its own. Both changes count; where they are about one attribute, the
		// client's.
		return o.stamp(now, now.with(merge(before.d.Values, after.d.Values, now.d.Values))), nil
	})
	if errors.Is(err, ErrNotFound) {
		return nil, notFound(before.Ref())
	}
	if err != nil {
		return nil, err
	}
	return out, o.t.bound(out)
}

// merge is now with what differs between before and after. What has parts, and is not
// multi-valued, is merged by them.
func merge(before, after, now []doc.Value) []doc.Value {
	for _, v := range slices.Concat(after, before) {
		was, is := doc.Get(before, v.Attr), doc.Get(after, v.Attr)
		switch there := doc.Get(now, v.Attr); {
		case was.Attr != nil && is.Attr != nil && was.Equal(is):
		case v.Attr.Kind == model.Complex && !v.Attr.Multi:
			now = doc.Put(now, doc.Composite(v.Attr, merge(was.Kids(), is.Kids(), there.Kids())...))
		case is.Attr == nil:
			now = doc.Drop(now, v.Attr)
		default:
			now = doc.Put(now, is)
		}
	}
	return now
}

// stamp gives what will be stored its version and times.
func (o *operation) stamp(before, after *Resource) *Resource {
	m := after.Meta()
	if before != nil {
		m = before.Meta()
		m.LastModified = o.now()
		if !m.LastModified.After(before.d.Modified) {
			m.LastModified = before.d.Modified
		}
	}
	// The version before goes into the hash, so that it also steps when only a
	// group's members change, which its content does not show.
	m.Version = hash(after.WithMeta(m))
	return after.WithMeta(m)
}

// delete answers DELETE.
func (o *operation) delete(ctx context.Context, t *ResourceType, id string) (*answer, error) {
	if err := o.allow(ctx, OpDelete, t, id, nil); err != nil {
		return nil, err
	}
	ref := Ref{t.Name(), id}
	err := o.isolate(ctx, lockKey(ref), func(ctx context.Context) error {
		before, err := o.locked(ctx, ref)
		if err != nil {
			return err
		}
		if err := o.precondition(before); err != nil {
			return err
		}
		c := &Change{Op: OpDelete, Before: before, Principal: o.who, Tenant: o.t.Tenant}
		if err := o.judge(ctx, c); err != nil {
			return err
		}
		return o.remove(ctx, before)
	})
	if err != nil {
		return nil, err
	}
	return &answer{status: http.StatusNoContent}, nil
}

// remove deletes a resource and what came through it.
func (o *operation) remove(ctx context.Context, before *Resource) error {
	if before.t == o.t.user && o.t.deactivator != nil {
		if err := o.t.deactivator.Deactivate(ctx, before); err != nil {
			return err
		}
	}
	end, err := o.endOf(ctx, before)
	if err != nil {
		return err
	}
	if err := o.endAhead(ctx, end); err != nil && !o.force {
		return err
	}
	if o.t.tx != nil {
		if err := o.leaveGroups(ctx, before.Ref()); err != nil {
			return err
		}
	}
	err = o.t.Store.Delete(ctx, before.Ref(), func(now *Resource) error {
		if o.t.tx == nil && !now.Equal(before) {
			return errStale
		}
		return nil
	})
	if errors.Is(err, ErrNotFound) {
		return notFound(before.Ref())
	}
	if err != nil {
		return err
	}
	o.stored = o.t.tx == nil
	switch before.t {
	case o.t.user:
		o.event(Event{Kind: UserDeleted, Resource: before.Ref()})
	case o.t.group:
		o.event(Event{Kind: GroupDeleted, Resource: before.Ref()})
	default:
		o.event(Event{Kind: ResourceChanged, Resource: before.Ref(), Reason: "deleted"})
	}
	if err := o.endAfter(ctx, before, end); err != nil {
		return err
	}
	if o.t.tx == nil {
		return o.leaveGroups(ctx, before.Ref())
	}
	return nil
}
