package roles

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"

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
	return c.was.Role != c.now.Role || c.was.Confirmed != c.now.Confirmed
}

// movesRoles reports whether the change affects the roles of users. It does if the role,
// its weight or its protection changes, but not if only its name changes.
func (c *linkChange) movesRoles() bool {
	was, now := c.was, c.now
	was.Role.Name, now.Role.Name, was.Source = "", "", now.Source
	return was != now
}

// isAnotherRole reports whether the source had a role and now has another one, or none.
func (c *linkChange) isAnotherRole() bool {
	return c.was.Role.ID != "" && c.was.Role.ID != c.now.Role.ID
}

// relink looks up the role of a group that a client writes. It asks the resolver about a
// new group, about a group with a new displayName or externalId, and about a group without
// a role, unless the client takes members from it. Otherwise it keeps the stored link, so
// that an outage of the resolver does not block a removal. It returns nil for anything but
// groups.
func (w *Work) relink(ctx context.Context, write Write) (*linkChange, error) {
	before, after := write.Before, write.After
	if !w.t.hasRoles() || after.Type != w.t.Types.Group {
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
		if !renamed && (c.was.Role.ID != "" || len(write.Members.Dropped) > 0 && !write.IsAdopted) {
			return c, nil
		}
		if renamed {
			src.PreviousName = before.Text("displayName")
		}
	}
	err := w.t.attempt(ctx, func(ctx context.Context) error { return w.t.resolve(ctx, src, host.GroupSource(after.ID), c) })
	reason, none := noRole(err)
	switch {
	case err == nil:
		return c, nil
	case none && before == nil && w.t.Roles.Refuse:
		if reason != "" {
			return nil, err
		}
		return nil, fault.Refuse(http.StatusBadRequest, fault.InvalidValue, fmt.Sprintf(
			"displayName: there is no role for the group %q: create the role in the application first, then push the group again",
			fault.ClipName(after.Text("displayName"))))
	case none:
		c.now, c.reason = host.Link{}, cmp.Or(reason, "no role of this name")
		return c, nil
	case before != nil && !renamed:
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

// relinkKnown looks up the role of a stored group again. The application has reported that
// its roles or its mapping changed.
func (t tenant) relinkKnown(ctx context.Context, g *doc.Document) (*linkChange, error) {
	links, err := t.links(ctx, []host.Source{host.GroupSource(g.ID)})
	if err != nil {
		return nil, err
	}
	c := &linkChange{was: links[host.GroupSource(g.ID)]}
	c.now = c.was
	linked := c.was.Role.ID
	if linked == "" && t.Roles.Refuse {
		return c, nil // the client's next write links the group
	}
	err = t.resolve(ctx, host.RoleSource{Group: g, Linked: linked}, host.GroupSource(g.ID), c)
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

// resolve asks the resolver and sets c.now to the link with this key.
func (t tenant) resolve(ctx context.Context, src host.RoleSource, key host.Source, c *linkChange) error {
	role, err := t.ask(ctx, src)
	if err != nil {
		return err
	}
	c.linkTo(key, role)
	return nil
}

// ask asks the resolver for the role of a source.
func (t tenant) ask(ctx context.Context, src host.RoleSource) (host.Role, error) {
	role, err := t.Roles.Resolver.ResolveRole(ctx, src)
	if err == nil && role.ID == "" {
		err = errors.New("scim: RoleResolver.ResolveRole returned a role without an ID and no error")
	}
	return role, err
}

// linkTo sets c.now to a link to a role. A protected role keeps its confirmation.
func (c *linkChange) linkTo(key host.Source, role host.Role) {
	c.now = host.Link{Source: key, Role: role,
		Confirmed: !role.Protected || c.was.Confirmed && c.was.Role.ID == role.ID}
}

// setLink stores the link of a group and queues an event.
func (w *Work) setLink(ctx context.Context, g *doc.Document, c *linkChange) error {
	c.now.Source = host.GroupSource(g.ID)
	if err := w.t.Roles.Ledger.SetLink(ctx, c.now); err != nil {
		return err
	}
	was, now, ref := c.was.Role, c.now.Role, host.RefOf(g)
	if c.isAnotherRole() {
		w.Tell(host.Event{Kind: host.GroupUnlinked, Resource: ref, Role: was, Reason: c.reason})
	}
	switch {
	case now.ID == "":
	case !c.now.Confirmed:
		w.Tell(host.Event{Kind: host.GroupWaiting, Resource: ref, Role: now, Reason: awaitsConfirmation})
	case was.ID != now.ID || !c.was.Confirmed:
		w.Tell(host.Event{Kind: host.GroupLinked, Resource: ref, Role: now})
	}
	return nil
}

const awaitsConfirmation = "a protected role is given only after the application confirms"

// unlinkGone removes the links of these users' groups and values whose role no longer
// exists. It defers the reconciliation of the other users of these sources.
func (w *Work) unlinkGone(ctx context.Context, ids []string, why cause) error {
	if err := w.unlinkGoneValues(ctx, ids, why); err != nil {
		return err
	}
	refs := make([]host.Ref, len(ids))
	for i, id := range ids {
		refs[i] = userRef(id)
	}
	ms, err := w.t.dir.GroupsOf(ctx, refs)
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, m := range ms {
		if seen[m.GroupID] {
			continue
		}
		seen[m.GroupID] = true
		if err := w.unlinkIfGone(ctx, m.GroupID, why); err != nil {
			return err
		}
	}
	return nil
}

func (w *Work) unlinkIfGone(ctx context.Context, groupID string, why cause) error {
	g, err := w.t.Stores.Get(ctx, groupRef(groupID))
	if errors.Is(err, host.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	c, err := w.t.relinkKnown(ctx, g)
	if err != nil || !c.isAnotherRole() {
		return err
	}
	if why != applicationReports {
		// The application may have another role with this name now. Like every new role, it
		// gets its link when the application reports it.
		c.now, c.reason = host.Link{}, "the role is gone"
	}
	if err := w.setLink(ctx, g, c); err != nil {
		return err
	}
	w.later = append(w.later, run{group: g.ID, cause: why}) // the other members
	return nil
}
