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

// linkChange is what happens to a group's link.
type linkChange struct {
	was, now host.Link
	reason   string
}

// write reports whether there is anything to store.
func (c *linkChange) write() bool {
	return c.was.Role != c.now.Role || c.was.Confirmed != c.now.Confirmed
}

// moves reports whether the members' roles are touched: by another role, or by
// another weight or protection of the same one.
func (c *linkChange) moves() bool {
	was, now := c.was, c.now
	was.Role.Name, now.Role.Name, was.GroupID = "", "", now.GroupID
	return was != now
}

// relink looks at which role a group stands for, when a client writes it: for a new
// group, after a change of displayName or externalId, and for a group without a role,
// whose role may have appeared. Otherwise the stored link counts, so that an outage of
// the resolver does not hold up a removal. It is nil for anything but groups.
func (w *Work) Relink(ctx context.Context, before, after *doc.Document) (*linkChange, error) {
	if w.t.Roles == nil || after.Type != w.t.Types.Group {
		return nil, nil
	}
	c := &linkChange{}
	src := host.RoleSource{Group: after}
	renamed := false
	if before != nil {
		links, err := w.links(ctx, []string{before.ID})
		if err != nil {
			return nil, err
		}
		c.was = links[before.ID]
		c.now = c.was
		name := before.Text("displayName")
		renamed = name != after.Text("displayName") || before.Text("externalId") != after.Text("externalId")
		if !renamed && c.was.Role.ID != "" {
			return c, nil
		}
		if renamed {
			src.PreviousName = name
		}
	}
	err := w.resolve(ctx, src, after.ID, c)
	reason, none := noRole(err)
	switch {
	case err == nil:
		return c, nil
	case none && before == nil && w.t.Roles.Refuse:
		if reason != "" {
			return nil, err
		}
		return nil, fault.Refuse(http.StatusBadRequest, "invalidValue", fmt.Sprintf(
			"displayName: there is no role for the group %q: create the role in the application first, then push the group again",
			fault.Clip(after.Text("displayName"))))
	case none:
		c.now, c.reason = host.Link{}, cmp.Or(reason, "no role of this name")
		return c, nil
	case before != nil && !renamed:
		// Nothing hangs on the answer: the group gives no role, as before.
		w.s.Log.WarnContext(ctx, "scim: the role of a group could not be looked up", "group", after.ID, "error", err)
		return c, nil
	}
	return nil, err
}

// relinkKnown looks again at the role of a stored group, after the application said
// that its roles or its mapping have changed.
func (w *Work) relinkKnown(ctx context.Context, g *doc.Document) (*linkChange, error) {
	links, err := w.links(ctx, []string{g.ID})
	if err != nil {
		return nil, err
	}
	c := &linkChange{was: links[g.ID]}
	c.now = c.was
	linked := c.was.Role.ID
	if linked == "" && w.t.Roles.Refuse {
		return c, nil // linked at the client's next write
	}
	err = w.resolve(ctx, host.RoleSource{Group: g, Linked: linked}, g.ID, c)
	if reason, none := noRole(err); none {
		c.now, c.reason = host.Link{}, cmp.Or(reason, "the role is gone")
		return c, nil
	}
	return c, err
}

// noRole reports whether a resolver's error says that a group stands for no role,
// with the reason if it gave one. Everything else, a 503 of its own included, is an
// outage, and no answer.
func noRole(err error) (reason string, none bool) {
	var e *fault.Error
	if errors.As(err, &e) && e.Status < 500 {
		return e.Detail, true
	}
	return "", errors.Is(err, host.ErrNoRole)
}

// resolve asks the resolver and fills in c.now, the link of this key.
func (w *Work) resolve(ctx context.Context, src host.RoleSource, key string, c *linkChange) error {
	role, err := w.t.Roles.Resolver.ResolveRole(ctx, src)
	if err != nil {
		return err
	}
	if role.ID == "" {
		return errors.New("scim: RoleResolver.ResolveRole returned a role without an ID and no error")
	}
	role.Held = false
	c.now = host.Link{GroupID: key, Role: role,
		Confirmed: !role.Protected || c.was.Confirmed && c.was.Role.ID == role.ID}
	return nil
}

// setLink stores a link and tells of it.
func (w *Work) setLink(ctx context.Context, g *doc.Document, c *linkChange) error {
	c.now.GroupID = g.ID
	if err := w.t.Roles.Ledger.SetLink(ctx, c.now); err != nil {
		return err
	}
	was, now := c.was.Role, c.now.Role
	if was.ID != "" && was.ID != now.ID {
		w.Tell(host.Event{Kind: host.GroupUnlinked, Resource: host.RefOf(g), Role: was, Reason: c.reason})
	}
	switch {
	case now.ID == "":
	case !c.now.Confirmed:
		w.Tell(host.Event{Kind: host.GroupWaiting, Resource: host.RefOf(g), Role: now, Reason: "a protected role is given only after the application confirms"})
	case was.ID != now.ID || !c.was.Confirmed:
		w.Tell(host.Event{Kind: host.GroupLinked, Resource: host.RefOf(g), Role: now})
	}
	return nil
}
