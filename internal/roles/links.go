package roles

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/host"
)

// linkChange is a change of a source's link.
type linkChange struct {
	was, now host.Link
	reason   string
}

// isChange reports whether the ledger has to store the link.
func (c *linkChange) isChange() bool {
	return !slices.Equal(c.was.Roles, c.now.Roles) || c.was.Name != c.now.Name && c.now.IsLinked()
}

// movesRoles reports whether the change affects the roles of users. It does if a role, its
// weight or its protection changes, but not if only its name changes.
func (c *linkChange) movesRoles() bool {
	return !slices.EqualFunc(c.was.Roles, c.now.Roles, func(a, b host.LinkedRole) bool {
		a.Role.Name, b.Role.Name = "", ""
		return a == b
	})
}

// isAnotherRole reports whether the source had a role that it has no longer.
func (c *linkChange) isAnotherRole() bool { return len(c.lost()) > 0 }

// lost lists the roles that the source no longer has.
func (c *linkChange) lost() []host.Role {
	var lost []host.Role
	for _, r := range c.was.Roles {
		if c.now.Find(r.Role.Key()) == nil {
			lost = append(lost, r.Role)
		}
	}
	return lost
}

// relink looks up the role of a group that a client writes. It asks the resolver about a
// new group, about a group with a new displayName or externalId, and about a group without
// a role, unless the client takes members from it. Otherwise it keeps the stored link, so
// that an outage of the resolver does not block a removal. It returns nil for anything but
// groups.
func (w *Work) relink(ctx context.Context, write Write) (*linkChange, error) {
	before, after := write.Before, write.After
	if !w.t.hasRoles() || after.Type != w.t.Types.Group || w.t.Roles.WithoutGroups {
		return nil, nil
	}
	c := &linkChange{}
	src := host.RoleSource{Group: after}
	renamed := false
	if before != nil {
		links, err := w.t.links(ctx, []host.Source{host.GroupSource(before.ID)})
		if err != nil {
			return nil, err
		}
		c.was = links[host.GroupSource(before.ID)]
		c.now = c.was
		renamed = isRenamed(before, after)
		if !renamed && (c.was.IsLinked() || len(write.Members.Dropped) > 0 && write.Kind != Adopts) {
			return c, nil
		}
		if renamed {
			src.PreviousName = before.Text("displayName")
		}
	}
	if before == nil {
		mark, err := w.t.lastReport(ctx)
		if err != nil {
			return nil, err
		}
		w.needs.lookUps.note(mark)
		w.needs.lookUps.groups = append(w.needs.lookUps.groups, after)
	}
	mayIgnore := before != nil && !renamed // see below
	err := attemptLookUp(ctx, w, mayIgnore, func(ctx context.Context) error { return w.t.resolve(ctx, src, host.GroupSource(after.ID), c) })
	reason, none := noRole(err)
	refuse := w.t.Roles.Refuse
	if none && reason == "" && w.t.Roles.Creator != nil && (before == nil || renamed) {
		err = w.t.attempt(ctx, func(ctx context.Context) error { return w.createRole(ctx, src, host.GroupSource(after.ID), c) })
		reason, none = noRole(err)
		refuse = reason != ""
	}
	switch {
	case err == nil:
		return c, nil
	case none && before == nil && refuse:
		if reason != "" {
			return nil, err
		}
		return nil, fault.Refuse(http.StatusBadRequest, fault.InvalidValue, fmt.Sprintf(
			"displayName: there is no role for the group %q: create the role in the application first, then push the group again",
			fault.ClipName(after.Text("displayName"))))
	case none:
		c.now, c.reason = host.Link{}, cmp.Or(reason, "no role of this name")
		return c, nil
	case mayIgnore && w.needs.roles != wantedAlone:
		// Go on despite the error: the group gives no role, as before.
		w.e.Log.WarnContext(ctx, "scim: the role of a group could not be looked up", "group", after.ID, "error", err)
		return c, nil
	}
	return nil, err
}

// isRenamed reports whether a group has a name that can stand for another role.
func isRenamed(before, after *doc.Document) bool {
	return before.Text("displayName") != after.Text("displayName") || before.Text("externalId") != after.Text("externalId")
}

// isForAnotherName reports whether the link of a group was made for a name that the group no
// longer has. A client can rename a group while the application's roles are off.
func isForAnotherName(l host.Link, g *doc.Document) bool {
	return l.IsLinked() && l.Name != "" && l.Name != linkName(g)
}

// linkName is the name of a group for which its link is made.
func linkName(g *doc.Document) string {
	name := g.Text("displayName")
	if id := g.Text("externalId"); id != "" {
		name += " (" + id + ")"
	}
	return name
}

// relinkKnown looks up the role of a stored group again. The application has reported that
// its roles or its mapping changed.
func (t tenant) relinkKnown(ctx context.Context, g *doc.Document) (*linkChange, error) {
	links, err := t.links(ctx, []host.Source{host.GroupSource(g.ID)})
	if err != nil {
		return nil, err
	}
	return t.relinkFrom(ctx, g, links[host.GroupSource(g.ID)])
}

// relinkFrom is relinkKnown for a group with this link.
func (t tenant) relinkFrom(ctx context.Context, g *doc.Document, was host.Link) (*linkChange, error) {
	c := &linkChange{was: was, now: was}
	if !c.was.IsLinked() && t.Roles.Refuse {
		return c, nil // the client's next write links the group
	}
	src := host.RoleSource{Group: g, Linked: c.was.Known()}
	if isForAnotherName(c.was, g) {
		src.Linked = nil // as if the client renamed the group now
	}
	err := t.resolve(ctx, src, host.GroupSource(g.ID), c)
	if reason, none := noRole(err); none {
		c.now, c.reason = host.Link{}, cmp.Or(reason, "the role is gone")
		return c, nil
	}
	return c, err
}

// noRole reports whether a resolver's error says that no role exists for a source, and the
// reason if the error has one. Every other error is an outage, even a 503 of the resolver.
func noRole(err error) (reason string, none bool) {
	var e *fault.Error
	if errors.As(err, &e) && e.Status < http.StatusInternalServerError {
		return e.Detail, true
	}
	return "", errors.Is(err, host.ErrNoRole)
}

// attempt calls fn, whose error the caller may ignore. In a transaction it calls fn in a
// nested one. Otherwise the database may have ended the transaction because of the error.
func (t tenant) attempt(ctx context.Context, fn func(ctx context.Context) error) error {
	if !t.isTransactional() {
		return fn(ctx)
	}
	return t.Stores.InTx(ctx, fn)
}

// attemptLookUp is attempt for a look-up, which has no effects. The first attempt of Isolate makes it
// without a nested transaction, which costs three calls of the database. If the caller may ignore
// an error that is no answer, Isolate begins again.
func attemptLookUp(ctx context.Context, w *Work, mayIgnore bool, fn func(ctx context.Context) error) error {
	if !w.isIsolated() || w.needs.roles == alone {
		return w.t.attempt(ctx, fn)
	}
	err := fn(ctx)
	switch _, none := noRole(err); {
	case none && w.needs.roles == withWrite:
		w.needs.roles = suspected
	case err != nil && !none && mayIgnore:
		w.needs.roles = wantedAlone
	}
	return err
}

// resolve asks the resolver and sets c.now to the link with this key.
func (t tenant) resolve(ctx context.Context, src host.RoleSource, key host.Source, c *linkChange) error {
	roles, err := t.ask(ctx, src)
	if err != nil {
		return err
	}
	c.linkTo(key, roles)
	if src.Group != nil {
		c.now.Name = linkName(src.Group)
	}
	return nil
}

// ask asks the resolver for the roles of a source. They come in order of their identity.
func (t tenant) ask(ctx context.Context, src host.RoleSource) ([]host.Role, error) {
	roles, err := t.Roles.Resolver.ResolveRoles(ctx, src)
	if err != nil {
		return nil, err
	}
	roles = slices.Clone(roles)
	slices.SortFunc(roles, compareRoles)
	roles = slices.Compact(roles)
	for i, r := range roles {
		switch {
		case r.ID == "":
			return nil, errors.New("scim: RoleResolver.ResolveRoles returned a role without an ID and no error")
		case i > 0 && r.Key() == roles[i-1].Key():
			return nil, fmt.Errorf("scim: RoleResolver.ResolveRoles described role %q of scope %q in two ways", r.ID, r.Scope)
		}
	}
	if len(roles) == 0 {
		return nil, errors.New("scim: RoleResolver.ResolveRoles returned neither a role nor an error")
	}
	return roles, nil
}

// linkTo sets c.now to a link to roles. A protected role keeps its confirmation.
func (c *linkChange) linkTo(key host.Source, roles []host.Role) {
	c.now = host.Link{Source: key, Name: c.was.Name, At: c.was.At}
	for _, role := range roles {
		next := host.LinkedRole{Role: role, Confirmed: !role.Protected}
		if was := c.was.Find(role.Key()); was != nil && role.Protected {
			next.Confirmed, next.Declined = was.Confirmed, was.Declined
		}
		c.now.Roles = append(c.now.Roles, next)
	}
}

// getsOtherRoles reports whether the source now stands for other roles. If it keeps a role
// that is not confirmed, its time stays: see person.isConfirmed.
func (c *linkChange) getsOtherRoles() bool {
	isOpen := func(r host.LinkedRole) bool {
		was := c.was.Find(r.Role.Key())
		return was != nil && !was.Confirmed && !r.Confirmed
	}
	return !slices.EqualFunc(c.was.Roles, c.now.Roles, func(a, b host.LinkedRole) bool { return a.Role.Key() == b.Role.Key() }) &&
		!slices.ContainsFunc(c.now.Roles, isOpen)
}

// setTime sets the time of the link to now if its roles are others now.
func (c *linkChange) setTime(now time.Time) {
	if c.now.At.IsZero() || c.getsOtherRoles() {
		c.now.At = now
	}
}

// storeLink stores a link that changes.
func storeLink(ctx context.Context, w *Work, c *linkChange) error {
	c.setTime(w.e.now())
	if w.depth > 0 && w.t.isTransactional() && !w.t.Roles.LedgerLocks {
		was := c.was
		was.Source = c.now.Source
		w.current.links = append(w.current.links, was)
	}
	return w.t.Roles.Ledger.SetLink(ctx, c.now)
}

// undoLinks gives sources their former links back after a failed attempt. A ledger beside a
// store with transactions takes no part in a rollback. What the attempt stored would give roles
// that a guard has refused, or that a name gives which the group did not get.
func undoLinks(ctx context.Context, w *Work) error {
	if len(w.current.links) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), w.e.Time) // the client may be gone
	defer cancel()
	for n := len(w.current.links); n > 0; n-- {
		if err := w.t.Roles.Ledger.SetLink(ctx, w.current.links[n-1]); err != nil {
			w.e.Log.ErrorContext(ctx, "scim: the link of a source could not be restored after a failed write", "source", w.current.links[n-1].Source, "error", err)
			return err
		}
		w.current.links = w.current.links[:n-1]
	}
	return nil
}

// setLink stores the link of a group and queues events.
func (w *Work) setLink(ctx context.Context, g *doc.Document, c *linkChange) error {
	c.now.Source = host.GroupSource(g.ID)
	if err := storeLink(ctx, w, c); err != nil {
		return err
	}
	ref := host.RefOf(g)
	for _, role := range c.lost() {
		w.Tell(host.Event{Kind: host.GroupUnlinked, Resource: ref, Role: role, Reason: c.reason})
	}
	for _, now := range c.now.Roles {
		was := c.was.Find(now.Role.Key())
		switch {
		case now.Declined:
		case !now.Confirmed:
			w.Tell(host.Event{Kind: host.GroupWaiting, Resource: ref, Role: now.Role, Reason: awaitsConfirmation})
		case was == nil || !was.Confirmed:
			w.Tell(host.Event{Kind: host.GroupLinked, Resource: ref, Role: now.Role})
		}
	}
	return nil
}

const awaitsConfirmation = "a protected role is given only after the application confirms"
