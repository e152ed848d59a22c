package endpoint

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"

	"github.com/scimkit/scim/internal/directory"
	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/filterlang"
	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/keylock"
	"github.com/scimkit/scim/internal/member"
	"github.com/scimkit/scim/internal/model"
	"github.com/scimkit/scim/internal/patch"
	"github.com/scimkit/scim/internal/roles"
)

// writer carries out the writes of a request.
type writer struct {
	r      *request
	t      *host.Tenant
	dir    directory.Directory
	work   *roles.Work
	guard  guard
	permit permit // what the client may do, for the resource of begin
	// judge refuses edits of existing resources. Nil: every edit is allowed.
	judge   func(before *doc.Document, e *edit) error
	adopted adoptions
	created []host.Ref        // the resources that the request has created
	leaves  []host.Membership // those of the resource that is locked to be deleted
	// spent is the work that the writer has caused, in units of match.Work.
	spent int
	named naming
}

func newWriter(r *request) *writer {
	if r.visit.named == nil {
		r.visit.named = new(int)
	}
	return &writer{r: r, t: r.t, dir: r.dir, work: r.work, guard: guard{r.t, r.dir},
		named: naming{all: r.visit.named, limit: r.s.c.Limits.Members}}
}

// begin asks the application what the client may do with a resource, id "" for a new one.
// It asks before a transaction begins.
func (w *writer) begin(ctx context.Context, op host.Op, t *model.Type, id string) error {
	if err := w.r.may(ctx, op, t, id, nil); err != nil {
		return err
	}
	w.permit = w.r.permitFor(ctx, t, id)
	return nil
}

// edit is the change that a request asks for, before rules and members.
type edit struct {
	after    *doc.Document
	members  *member.Delta
	password *string
	hidden   *model.Attribute // an attribute that the request names and that the client may not know
}

// create answers POST.
func (w *writer) create(ctx context.Context, t *model.Type, body []byte) (*answer, error) {
	created, err := w.createFrom(ctx, t, body)
	if err != nil {
		return nil, err
	}
	w.r.at.id = created.ID
	if !w.r.maySee(ctx, t, created.ID) {
		return w.r.acknowledge(http.StatusCreated, created), nil
	}
	return w.r.show(http.StatusCreated, w.r.visible(ctx, created), nil), nil
}

// createFrom creates the resource that the body of a POST describes.
func (w *writer) createFrom(ctx context.Context, t *model.Type, body []byte) (*doc.Document, error) {
	if err := w.begin(ctx, host.OpCreate, t, ""); err != nil {
		return nil, err
	}
	e, err := w.decode(t, nil, body)
	if err != nil {
		return nil, err
	}
	now := w.r.now()
	e.after.ID, e.after.Created, e.after.Modified = w.r.s.c.NewID(), now, now
	var created *doc.Document
	adopted := len(w.adopted)
	err = w.work.Isolate(ctx, "", func(ctx context.Context) error {
		w.adopted = w.adopted[:adopted] // it may run again
		created, err = w.store(ctx, host.OpCreate, nil, e)
		return err
	})
	if err != nil && created != nil && w.work.IsStored() {
		// The client does not learn the id, so it would create the resource again.
		w.undo(ctx, []*doc.Document{created})
	}
	return created, w.r.tellLosses(ctx, err)
}

// replace answers PUT.
func (w *writer) replace(ctx context.Context, t *model.Type, id string, body []byte) (*answer, error) {
	if err := w.begin(ctx, host.OpReplace, t, id); err != nil {
		return nil, err
	}
	out, err := w.modify(ctx, host.OpReplace, host.Ref{Type: t.Name, ID: id}, func(_ context.Context, before *doc.Document) (*edit, error) {
		w.named.forget()
		return w.decode(t, before, body)
	})
	switch {
	case err != nil:
		return nil, err
	case w.permit.sight == isBlind:
		return w.r.acknowledge(http.StatusOK, out), nil
	}
	return w.r.show(http.StatusOK, w.r.visible(ctx, out), nil), nil
}

// patch answers PATCH: with the resource for users, and with 204 for groups. A group's
// members would make the answer long. If the request names attributes, patch always shows
// the resource.
func (w *writer) patch(ctx context.Context, t *model.Type, id string, body []byte) (*answer, error) {
	if err := w.begin(ctx, host.OpPatch, t, id); err != nil {
		return nil, err
	}
	limits := &w.r.s.c.Limits
	p, err := patch.Parse(t, body, patch.Options{
		Doc:      doc.Options{Tol: w.r.use, KeepUnknown: t.KeepUnknown},
		Resource: limits.Resource(),
		Limits:   filterlang.Limits{Length: limits.Filter},
		MaxDepth: limits.Depth, MaxMembers: w.named.left(), IsBlind: w.permit.sight != seesAll, Hidden: w.permit.hidden,
	})
	if err == nil {
		err = w.named.add(t.Members, p.Named())
	}
	if err != nil {
		return nil, err
	}
	out, err := w.modifyBy(ctx, lockFor(w, t, id, p), host.OpPatch, host.Ref{Type: t.Name, ID: id}, func(ctx context.Context, before *doc.Document) (*edit, error) {
		work := patch.NewWork(ctx)
		after, err := p.ApplyTo(work, before)
		w.spent += work.Spent()
		if err != nil {
			return nil, err
		}
		e := &edit{after: after, members: p.Members(), hidden: p.Hidden}
		if pw, ok := p.Password(); ok {
			e.password = &pw
		}
		return e, w.checkPassword(t, e)
	})
	switch {
	case err != nil:
		return nil, err
	case w.permit.sight == isBlind:
		return &answer{status: http.StatusNoContent}, nil
	}
	if t.Members != nil && len(w.r.params.attributes) == 0 && len(w.r.params.excluded) == 0 {
		return &answer{status: http.StatusNoContent, etag: etag(out)}, nil
	}
	return w.r.show(http.StatusOK, w.r.visible(ctx, out), nil), nil
}

// decode reads the body of a POST (before is nil) or PUT.
func (w *writer) decode(t *model.Type, before *doc.Document, body []byte) (*edit, error) {
	b, err := doc.Decode(t, body, doc.Options{Tol: w.r.use, KeepUnknown: t.KeepUnknown, MaxDepth: w.r.s.c.Limits.Depth, MaxMembers: w.named.left()})
	if err != nil {
		return nil, err
	}
	e := &edit{password: b.Password}
	values := b.Values
	if e.hidden = w.permit.find(t, values); e.hidden != nil && before != nil {
		values = (&doc.Document{Type: t, Values: values}).Hide(w.permit.hidden).Values
	}
	if m := t.Members; m != nil {
		list := doc.Get(values, m)
		if list.Attr != nil || before == nil || !w.t.Members.KeepAbsent {
			if e.members, err = member.ReadAll(list); err == nil {
				err = w.named.add(m, len(e.members.Add()))
			}
			if err != nil {
				return nil, err
			}
		}
		values = doc.Drop(values, m)
	}
	if values, err = patch.Settle(values, w.r.use); err != nil {
		return nil, err
	}
	if before == nil {
		e.after = &doc.Document{Type: t, Values: values}
		return e, w.check(t, nil, e)
	}
	stored := before.Hide(w.permit.hidden).Values
	if t.Members != nil {
		stored = doc.Drop(stored, t.Members)
	}
	e.after = before.With(carry(w.t.Types.User, t, stored, values))
	return e, w.check(t, before, e)
}

// carry adds to values what a client cannot leave out of a resource that exists. Leaving
// "active" out never activates or deactivates a user.
func carry(users, t *model.Type, stored, values []doc.Value) []doc.Value {
	values = doc.Carry(t, stored, values)
	if a := t.Root.Lookup("active"); a != nil && t == users && doc.Get(values, a).Attr == nil {
		if was := doc.Get(stored, a); was.Attr != nil {
			return doc.Put(values, was)
		}
	}
	return values
}

// check checks the whole resource that a POST (before is nil) or PUT leaves. It keeps what
// is hidden.
func (w *writer) check(t *model.Type, before *doc.Document, e *edit) error {
	if err := w.checkPassword(t, e); err != nil {
		return err
	}
	var stored []doc.Value
	if before != nil {
		stored = before.Hide(w.permit.hidden).Values
	}
	// What is hidden does not count, or the limits would tell how long it is.
	if err := doc.CheckLimits(w.r.s.c.Limits.Resource(), t, stored, e.after.Values); err != nil {
		return err
	}
	if before != nil {
		e.after = before.Replace(e.after.Values, w.permit.hidden)
	}
	return doc.Validate(before, t, e.after.Values)
}

// checkPassword refuses a password that is longer than a string may be. It is not among the
// values of the resource.
func (w *writer) checkPassword(t *model.Type, e *edit) error {
	if limit := w.r.s.c.Limits.Text; e.password != nil && len(*e.password) > limit {
		return doc.TooLong(t.Password, len(*e.password), limit)
	}
	return nil
}

// locker locks a resource, and returns it.
type locker = func(ctx context.Context, ref host.Ref) (*doc.Document, error)

// modify applies to a resource the edit that build makes.
func (w *writer) modify(ctx context.Context, op host.Op, ref host.Ref, build func(ctx context.Context, before *doc.Document) (*edit, error)) (*doc.Document, error) {
	return w.modifyBy(ctx, w.dir.Lock, op, ref, build)
}

// modifyBy is modify with a function that locks.
func (w *writer) modifyBy(ctx context.Context, lock locker, op host.Op, ref host.Ref,
	build func(ctx context.Context, before *doc.Document) (*edit, error)) (*doc.Document, error) {
	var out *doc.Document
	err := w.withLock(ctx, lock, ref, func(ctx context.Context, before *doc.Document) error {
		if err := w.guard.checkExempt(ctx, ref); err != nil {
			return err
		}
		e, err := build(ctx, before)
		if err != nil {
			return err
		}
		if w.judge != nil {
			if err := w.judge(before, e); err != nil {
				return err
			}
		}
		out, err = w.store(ctx, op, before, e)
		return err
	})
	return out, w.r.tellLosses(ctx, err)
}

// withLock locks a resource, checks the request's preconditions and calls fn with the
// resource. Isolate may run fn again.
func (w *writer) withLock(ctx context.Context, lock locker, ref host.Ref, fn func(ctx context.Context, before *doc.Document) error) error {
	return w.work.Isolate(ctx, keylock.Key(ref.Type, ref.ID), func(ctx context.Context) error {
		before, err := lock(ctx, ref)
		if err != nil {
			return err
		}
		shown := w.r.visible(ctx, before)
		w.spent += costOf(before.Type, shown.Values)
		if err := w.r.precondition(shown); err != nil {
			return err
		}
		return fn(ctx, before)
	})
}

// store runs the tenant's rules on an edit, stores it, and changes the roles that depend on
// it. before is nil for a new resource.
func (w *writer) store(ctx context.Context, op host.Op, before *doc.Document, e *edit) (*doc.Document, error) {
	if err := w.permit.admit(w.t, before, e); err != nil {
		return nil, err
	}
	if out, ok, err := storeOne(ctx, w, op, before, e); ok || err != nil {
		return out, err
	}
	members, err := w.planMembers(ctx, before, e.members)
	if err != nil {
		return nil, err
	}
	c := &host.Change{Op: op, Before: before, After: e.after, Add: members.add, Remove: members.Remove, Principal: w.r.who, SetsPassword: e.setsPassword(w.t)}
	if err := w.applyRules(ctx, c); err != nil {
		return nil, err
	}
	refused := members.leaveOut(c.Add)
	write := roles.Write{Before: before, After: c.After}
	if op != host.OpPatch {
		write.Kind = roles.Replaces
	}
	switch {
	case before == nil && c.Adopt != "":
		write.Kind = roles.Adopts
		if err := w.adopt(ctx, &write, c.Adopt); err != nil {
			return nil, err
		}
		if members, err = w.planMembers(ctx, write.Before, e.members); err != nil {
			return nil, err
		}
		members.drop(refused)
	case before == nil:
		write.After = w.activate(write.After)
	}
	if err := w.checkRoles(write.Before, e.after); err != nil {
		return nil, err
	}
	if err := (seats{w}).take(ctx, write.Before, write.After); err != nil {
		return nil, err
	}
	if err := (nesting{w}).check(ctx, write.Before, write.After, members); err != nil {
		return nil, err
	}
	write.Members = &members.Members
	after, turn, err := w.work.Before(ctx, write)
	if err != nil {
		return nil, err
	}
	turn.Always = c.Reconcile
	out, err := w.put(ctx, write.Before, after, members)
	if err != nil {
		return nil, err
	}
	w.adopted.noteMembers(host.RefOf(out), members)
	w.tell(write.Before, out, members, write.Kind == roles.Adopts)
	for _, reason := range c.Left {
		w.work.Tell(host.Event{Kind: host.PartLeftOut, Resource: host.RefOf(out), Reason: reason})
	}
	if err := turn.After(ctx, out); err != nil {
		return out, err
	}
	if out, err = dropDeleted(ctx, w, out, members.Added); err != nil {
		return out, err
	}
	if c.SetsPassword && e.setsPassword(w.t) {
		if err := w.t.Stores.Passwords.SetPassword(ctx, out.ID, *e.password); err != nil {
			return out, err
		}
	}
	return out, written(ctx, w, op, write, out)
}

// setsPassword reports whether an edit sets a password that the tenant's store takes.
func (e *edit) setsPassword(t *host.Tenant) bool {
	return e.password != nil && e.after.Type == t.Types.User && t.Stores.Passwords != nil
}

// checkRoles refuses a change of a role attribute by a client that may not give roles.
// before is nil for a new user. What a rule changes is the application's own decision.
func (w *writer) checkRoles(before, after *doc.Document) error {
	if w.permit.noRoles == nil || w.permit.hidden != nil || after.Type != w.t.Types.User {
		return nil // what is hidden has not changed
	}
	if a := roles.ChangedAttribute(w.t, before, after); a != nil {
		return w.permit.refuse(a, "change groups, which give roles; leave it as it is")
	}
	return nil
}

// applyRules runs the tenant's rules on a change. Rules may alter the change.
func (w *writer) applyRules(ctx context.Context, c *host.Change) error {
	if w.t.Judge == nil {
		return nil
	}
	return w.t.Judge(ctx, c)
}

// adopt makes the new resource replace the existing one with an id.
func (w *writer) adopt(ctx context.Context, write *roles.Write, id string) error {
	t := write.After.Type
	ref := host.Ref{Type: t.Name, ID: id}
	if err := w.guard.checkExempt(ctx, ref); err != nil {
		return err
	}
	if w.t.Stores.Claimer != nil {
		// Claim it first: the store may hide what is unclaimed.
		if err := w.t.Stores.Claimer.Claim(ctx, ref); err != nil && !errors.Is(err, host.ErrNotFound) {
			return err
		}
	}
	before, err := w.dir.Lock(ctx, ref)
	if err != nil {
		return err
	}
	w.adopted = append(w.adopted, &adoption{before: before})
	values := carry(w.t.Types.User, t, before.Hide(w.permit.hidden).Values, write.After.Values)
	write.Before, write.After = before, before.Replace(values, w.permit.hidden)
	return nil
}

// activate makes a new user active unless the client says otherwise. A provisioned user is
// meant to be active, and Keycloak wants to see it.
func (w *writer) activate(d *doc.Document) *doc.Document {
	a := d.Type.Root.Lookup("active")
	if d.Type != w.t.Types.User || a == nil || a.Kind != model.Boolean || d.Find(a).Attr != nil {
		return d
	}
	return d.With(doc.PutAt(d.Type.Root, d.Values, doc.Simple(a, "true")))
}

// put writes the resource and its members if anything changes. It gives a changed resource
// a new version and time. It keeps those of an unchanged one.
func (w *writer) put(ctx context.Context, before, after *doc.Document, m *memberPlan) (*doc.Document, error) {
	if w.t.Stores.Members == nil && after.Type.Members != nil {
		after = m.embed(before, after)
	}
	if before == nil {
		created, err := w.t.Stores.Create(ctx, w.stamp(nil, after))
		if err != nil {
			return nil, err
		}
		if err := w.dir.Check(created); err != nil {
			return nil, err
		}
		w.created = append(w.created, host.RefOf(created))
		return created, w.changeMembers(ctx, created.ID, m)
	}
	if err := w.changeMembers(ctx, before.ID, m); err != nil {
		return nil, err
	}
	moved := w.t.Stores.Members != nil && len(m.Added)+len(m.Removed) > 0
	if after.Equal(before) && !moved {
		return before, nil
	}
	stamped := w.stamp(before, after)
	out, err := w.t.Stores.Update(ctx, host.RefOf(before), func(now *doc.Document) (*doc.Document, error) {
		switch {
		case now.Equal(before) && now.Version == before.Version:
			return stamped, nil
		case w.t.Stores.Tx == nil:
			return nil, host.ErrStale
		}
		// The transaction holds the lock, so the resource changed for one of two reasons.
		// Either a Rule or a Deactivator wrote it in this transaction. Or data changed that
		// no lock protects, such as an element in another table. Keep both changes; for one
		// attribute, the client's change wins.
		return w.stamp(now, now.With(doc.Merge(before.Values, after.Values, now.Values))), nil
	})
	return w.dir.CheckAnswer(host.RefOf(before), out, err)
}

// stamp sets the version and the times of a resource before it is stored.
func (w *writer) stamp(before, after *doc.Document) *doc.Document {
	c := *after
	if before != nil {
		c.ID, c.Version, c.Created, c.Modified = before.ID, before.Version, before.Created, w.r.now()
		if !c.Modified.After(before.Modified) {
			c.Modified = before.Modified
		}
	}
	// The version is random, so that a client learns nothing from it about attributes that it
	// cannot see. It also changes when only a group's members change, which are not in its
	// contents. All servers agree on it, because the store keeps it.
	c.Version = rand.Text()
	return &c
}
