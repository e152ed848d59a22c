package endpoint

import (
	"context"
	"errors"
	"net/http"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/filterlang"
	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/keylock"
	"github.com/scimkit/scim/internal/member"
	"github.com/scimkit/scim/internal/model"
	"github.com/scimkit/scim/internal/patch"
	"github.com/scimkit/scim/internal/roles"
)

// edit is what a request makes of a resource, before rules and members.
type edit struct {
	after    *doc.Document
	members  *member.Delta
	password *string
}

// create answers POST.
func (o *operation) create(ctx context.Context, t *model.Type, body []byte) (*answer, error) {
	made, err := o.make(ctx, t, body)
	if err != nil {
		return nil, err
	}
	return o.show(ctx, http.StatusCreated, made)
}

// make creates what a POST asks for.
func (o *operation) make(ctx context.Context, t *model.Type, body []byte) (*doc.Document, error) {
	if err := o.allow(ctx, host.OpCreate, t, "", nil); err != nil {
		return nil, err
	}
	e, err := o.decode(t, nil, body)
	if err != nil {
		return nil, err
	}
	now := o.now()
	e.after.ID, e.after.Created, e.after.Modified = o.h.c.NewID(), now, now
	var made *doc.Document
	err = o.w.Isolate(ctx, "", func(ctx context.Context) error {
		made, err = o.store(ctx, host.OpCreate, nil, e)
		return err
	})
	if err != nil && made != nil && o.w.IsStored() {
		// The client does not learn the id, and would create a second one.
		o.undo(ctx, []*doc.Document{made})
	}
	return made, err
}

// replace answers PUT.
func (o *operation) replace(ctx context.Context, t *model.Type, id string, body []byte) (*answer, error) {
	if err := o.allow(ctx, host.OpReplace, t, id, nil); err != nil {
		return nil, err
	}
	out, err := o.modify(ctx, host.OpReplace, host.Ref{Type: t.Name, ID: id}, func(before *doc.Document) (*edit, error) {
		return o.decode(t, before, body)
	})
	if err != nil {
		return nil, err
	}
	return o.show(ctx, http.StatusOK, out)
}

// patch answers PATCH: with the resource for users, with 204 for groups, whose
// members would make the answer long, unless attributes are asked for.
func (o *operation) patch(ctx context.Context, t *model.Type, id string, body []byte) (*answer, error) {
	if err := o.allow(ctx, host.OpPatch, t, id, nil); err != nil {
		return nil, err
	}
	p, err := patch.Parse(t, body, patch.Options{
		Doc:      doc.Options{Tol: o.use, KeepUnknown: t.KeepUnknown},
		Limits:   filterlang.Limits{Length: o.h.c.Limits.Filter},
		MaxDepth: o.h.c.Limits.Depth,
	})
	if err != nil {
		return nil, err
	}
	out, err := o.modify(ctx, host.OpPatch, host.Ref{Type: t.Name, ID: id}, func(before *doc.Document) (*edit, error) {
		after, err := p.ApplyTo(before)
		if err != nil {
			return nil, err
		}
		e := &edit{after: after, members: p.Members()}
		if pw, ok := p.Password(); ok {
			e.password = &pw
		}
		return e, nil
	})
	if err != nil {
		return nil, err
	}
	if t.Members != nil && len(o.params.attributes) == 0 && len(o.params.excluded) == 0 {
		return &answer{status: http.StatusNoContent, etag: etag(out)}, nil
	}
	return o.show(ctx, http.StatusOK, out)
}

// decode reads the body of a POST (before is nil) or PUT.
func (o *operation) decode(t *model.Type, before *doc.Document, body []byte) (*edit, error) {
	b, err := doc.Decode(t, body, doc.Options{Tol: o.use, KeepUnknown: t.KeepUnknown, MaxDepth: o.h.c.Limits.Depth})
	if err != nil {
		return nil, err
	}
	e := &edit{password: b.Password}
	values := b.Values
	if m := t.Members; m != nil {
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
		e.after = &doc.Document{Type: t, Values: values}
		return e, doc.Validate(nil, t, values)
	}
	stored := before.Values
	if t.Members != nil {
		stored = doc.Drop(stored, t.Members)
	}
	values = doc.Carry(t, stored, values)
	if a := t.Root.Lookup("active"); a != nil && t == o.t.Types.User && doc.Get(values, a).Attr == nil {
		// Absence never changes whether somebody is active.
		if was := doc.Get(stored, a); was.Attr != nil {
			values = doc.Put(values, was)
		}
	}
	e.after = before.With(values)
	return e, doc.Validate(before, t, values)
}

// modify changes a resource to what build makes of it.
func (o *operation) modify(ctx context.Context, op host.Op, ref host.Ref, build func(before *doc.Document) (*edit, error)) (*doc.Document, error) {
	var out *doc.Document
	err := o.w.Isolate(ctx, keylock.Key(ref.Type, ref.ID), func(ctx context.Context) error {
		before, err := o.t.dir.Lock(ctx, ref)
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
func (o *operation) store(ctx context.Context, op host.Op, before *doc.Document, e *edit) (*doc.Document, error) {
	t := e.after.Type
	c := &host.Change{Op: op, Before: before, After: e.after, Principal: o.who}
	members, err := o.planMembers(ctx, before, e.members)
	if err != nil {
		return nil, err
	}
	c.Add, c.Remove = members.add, members.Remove
	if err := o.judge(ctx, c); err != nil {
		return nil, err
	}
	if a := t.Root.Lookup("active"); before == nil && c.Adopt == "" && t == o.t.Types.User && a != nil && a.Kind == model.Boolean && c.After.Find(a).Attr == nil {
		// A person who is provisioned is meant to be active; Keycloak wants to see it.
		c.After = c.After.With(doc.PutAt(t.Root, c.After.Values, doc.Simple(a, "true")))
	}
	adopted := before == nil && c.Adopt != ""
	if adopted {
		if before, err = o.t.dir.Lock(ctx, host.Ref{Type: t.Name, ID: c.Adopt}); err != nil {
			return nil, err
		}
		o.adopted = append(o.adopted, before)
		c.After = before.With(doc.Carry(t, before.Values, c.After.Values))
		if members, err = o.planMembers(ctx, before, e.members); err != nil {
			return nil, err
		}
	}
	after, turn, err := o.w.Before(ctx, roles.Write{Before: before, After: c.After, Members: &members.Members, IsAdopted: adopted})
	if err != nil {
		return nil, err
	}
	out, err := o.put(ctx, before, after, members)
	if err != nil {
		return nil, err
	}
	o.tell(before, out, members, adopted)
	if err := turn.After(ctx, out); err != nil {
		return out, err
	}
	if e.password != nil && t == o.t.Types.User && o.t.Stores.Passwords != nil {
		if err := o.t.Stores.Passwords.SetPassword(ctx, out.ID, *e.password); err != nil {
			return out, err
		}
	}
	return out, nil
}

// judge runs the tenant's rules.
func (o *operation) judge(ctx context.Context, c *host.Change) error {
	if o.t.Judge == nil {
		return nil
	}
	return o.t.Judge(ctx, c)
}

// put writes the resource and its members, if anything changes. What it stores gets
// a new version and time; what is the same keeps them.
func (o *operation) put(ctx context.Context, before, after *doc.Document, m *memberPlan) (*doc.Document, error) {
	if o.t.Stores.Members == nil && after.Type.Members != nil {
		after = m.embed(before, after)
	}
	if before == nil {
		after = o.stamp(nil, after)
		made, err := o.t.Stores.Create(ctx, after)
		if err != nil {
			return nil, err
		}
		if err := o.t.dir.Check(made); err != nil {
			return nil, err
		}
		return made, o.changeMembers(ctx, made.ID, m)
	}
	if err := o.changeMembers(ctx, before.ID, m); err != nil {
		return nil, err
	}
	moved := o.t.Stores.Members != nil && len(m.added)+len(m.Removed) > 0
	if after.Equal(before) && !moved {
		return before, nil
	}
	stamped := o.stamp(before, after)
	out, err := o.t.Stores.Update(ctx, host.RefOf(before), func(now *doc.Document) (*doc.Document, error) {
		switch {
		case now.Equal(before) && now.Version == before.Version:
			return stamped, nil
		case o.t.Stores.Tx == nil:
			return nil, host.ErrStale
		}
		// It is locked, so the application itself has written it in this transaction, in a
		// Rule or a Deactivator, or what no lock keeps it from, such as an element in another
		// table of its own. Both changes count; where they are about one attribute, the
		// client's.
		return o.stamp(now, now.With(doc.Merge(before.Values, after.Values, now.Values))), nil
	})
	if errors.Is(err, host.ErrNotFound) {
		return nil, fault.NotFound(before.Type.Name, before.ID)
	}
	if err != nil {
		return nil, err
	}
	return out, o.t.dir.Check(out)
}

// stamp gives what will be stored its version and times.
func (o *operation) stamp(before, after *doc.Document) *doc.Document {
	c := *after
	if before != nil {
		c.ID, c.Version, c.Created, c.Modified = before.ID, before.Version, before.Created, o.now()
		if !c.Modified.After(before.Modified) {
			c.Modified = before.Modified
		}
	}
	// The version before goes into the hash, so that it also steps when only a
	// group's members change, which its content does not show.
	c.Version = c.Hash()
	return &c
}

// delete answers DELETE.
func (o *operation) delete(ctx context.Context, t *model.Type, id string) (*answer, error) {
	if err := o.allow(ctx, host.OpDelete, t, id, nil); err != nil {
		return nil, err
	}
	ref := host.Ref{Type: t.Name, ID: id}
	err := o.w.Isolate(ctx, keylock.Key(ref.Type, ref.ID), func(ctx context.Context) error {
		before, err := o.t.dir.Lock(ctx, ref)
		if err != nil {
			return err
		}
		if err := o.precondition(before); err != nil {
			return err
		}
		c := &host.Change{Op: host.OpDelete, Before: before, Principal: o.who}
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
func (o *operation) remove(ctx context.Context, before *doc.Document) error {
	ending, err := o.w.Ending(ctx, before)
	if err != nil {
		return err
	}
	if err := ending.Before(ctx); err != nil && !o.force {
		return err
	}
	if o.t.Stores.Tx != nil {
		if err := o.leaveGroups(ctx, host.RefOf(before)); err != nil {
			return err
		}
	}
	err = o.t.Stores.Delete(ctx, host.RefOf(before), func(now *doc.Document) error {
		if o.t.Stores.Tx == nil && !now.Equal(before) {
			return host.ErrStale
		}
		return nil
	})
	if errors.Is(err, host.ErrNotFound) {
		return fault.NotFound(before.Type.Name, before.ID)
	}
	if err != nil {
		return err
	}
	switch before.Type {
	case o.t.Types.User:
		o.w.Tell(host.Event{Kind: host.UserDeleted, Resource: host.RefOf(before)})
	case o.t.Types.Group:
		o.w.Tell(host.Event{Kind: host.GroupDeleted, Resource: host.RefOf(before)})
	default:
		o.w.Tell(host.Event{Kind: host.ResourceChanged, Resource: host.RefOf(before), Reason: "deleted"})
	}
	if err := ending.After(ctx); err != nil {
		return err
	}
	if o.t.Stores.Tx == nil {
		return o.leaveGroups(ctx, host.RefOf(before))
	}
	return nil
}
