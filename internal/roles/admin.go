package roles

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/scimkit/scim/internal/directory"
	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/keylock"
)

// Admin is the application's handle on one tenant's roles, outside requests.
type Admin struct {
	s   *Shared
	t   *host.Tenant
	dir directory.Directory
}

// Admin is the handle on a tenant that has roles.
func (s *Shared) Admin(t *host.Tenant) *Admin { return &Admin{s, t, directory.Of(t)} }

// do runs fn in a transaction, or else under the lock of the group that it is about
// ("": none), and delivers its events.
func (c *Admin) do(ctx context.Context, group string, fn func(ctx context.Context, w *Work) error) error {
	w := c.s.Begin(c.t, "")
	lock := ""
	if group != "" {
		lock = keylock.Key("Group", group)
	}
	err := w.Isolate(ctx, lock, func(ctx context.Context) error { return fn(ctx, w) })
	w.Deliver(ctx)
	return err
}

// Users reconciles these users now: after the application changed something by
// itself, or when a user's roles look wrong.
func (c *Admin) Users(ctx context.Context, userIDs ...string) error {
	for chunk := range slices.Chunk(userIDs, directory.Batch) {
		err := c.do(ctx, "", func(ctx context.Context, w *Work) error {
			return w.Reconcile(ctx, Run{IDs: chunk})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// All reconciles up to 1,000 users, in order of creation, beginning behind the user
// after ("": at the first). Call it with what it returns until that is "": then all
// have been looked at. Run it after a crash, and as often as drift shall be healed:
//
//	for next := ""; ; {
//		if next, err = roles.All(ctx, next); err != nil || next == "" {
//			break
//		}
//	}
func (c *Admin) All(ctx context.Context, after string) (next string, err error) {
	q := &host.Query{Limit: directory.Batch}
	if after != "" {
		u, err := c.t.Stores.Get(ctx, host.Ref{Type: "User", ID: after})
		if errors.Is(err, host.ErrNotFound) {
			return "", fmt.Errorf("scim: Reconciler.All: user %q is gone: start again from the beginning: %w", after, err)
		}
		if err != nil {
			return "", err
		}
		q.After = host.KeyOf(q, u)
	}
	page, err := c.t.Stores.List(ctx, c.t.Types.User, q)
	if err != nil {
		return "", err
	}
	ids := make([]string, len(page.Resources))
	for i, u := range page.Resources {
		ids[i] = u.ID
	}
	if err := c.Users(ctx, ids...); err != nil {
		return "", err
	}
	if len(ids) < directory.Batch {
		return "", nil
	}
	return ids[len(ids)-1], nil
}

// RolesChanged tells that roles appeared, changed or went away in the application,
// or that its mapping of groups and values to roles changed. Every group is looked at
// again, with Roles.Attributes every user too, and those for whom a role is another now
// are reconciled, in batches.
func (c *Admin) RolesChanged(ctx context.Context) error {
	if c.t.Types.Group != nil {
		err := c.dir.Each(ctx, c.t.Types.Group, nil, func(page []*doc.Document) error {
			for _, g := range page {
				if err := c.groupChanged(ctx, g); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return c.valuesChanged(ctx)
}

func (c *Admin) groupChanged(ctx context.Context, g *doc.Document) error {
	return c.do(ctx, g.ID, func(ctx context.Context, w *Work) error {
		now, err := w.dir.Lock(ctx, host.RefOf(g))
		var e *fault.Error
		if errors.As(err, &e) && e.Status == http.StatusNotFound {
			return nil // deleted meanwhile
		}
		if err != nil {
			return err
		}
		w.reported = true
		change, err := w.relinkKnown(ctx, now)
		if err != nil || !change.write() {
			return err
		}
		if err := w.setLink(ctx, now, change); err != nil || !change.moves() {
			return err
		}
		return w.Reconcile(ctx, Run{group: now.ID})
	})
}

// GivenByHand tells that an administrator has given a role that the user may hold
// through a group already: it then stays when the group lets go. Call it whenever a
// role is given in the application, with the Role.ID, not the name; it does nothing for
// users whom SCIM gives nothing.
func (c *Admin) GivenByHand(ctx context.Context, userID, roleID string) error {
	return c.do(ctx, "", func(ctx context.Context, w *Work) error {
		if c.t.Stores.Tx == nil {
			defer c.s.Locks.Lock(keylock.Key(c.t.ID, "role", userID))()
		}
		grants, err := c.t.Roles.Ledger.Grants(ctx, []string{userID})
		if err != nil {
			return err
		}
		var put []host.Grant
		for _, g := range grants {
			if g.RoleID == roleID && !g.ByHand && !g.Waiting {
				g.ByHand = true
				put = append(put, g)
			}
		}
		return w.record(ctx, put, nil)
	})
}

// Confirm lets a group give the protected role that it awaits. roleID is the role that
// the administrator has seen and means: if the group stands for another one by now,
// because a client has renamed it, nothing is confirmed and an error says so. Without
// users it confirms the link and everybody who waits; with users, only these persons'
// waiting roles.
func (c *Admin) Confirm(ctx context.Context, groupID, roleID string, userIDs ...string) error {
	return c.do(ctx, groupID, func(ctx context.Context, w *Work) error {
		g, err := w.dir.Lock(ctx, host.Ref{Type: "Group", ID: groupID})
		if err != nil {
			return err
		}
		links, err := w.links(ctx, []string{groupID})
		if err != nil {
			return err
		}
		l := links[groupID]
		if l.Role.ID != roleID || roleID == "" {
			return fmt.Errorf("scim: Reconciler.Confirm: group %q does not stand for role %q but for %q", groupID, roleID, l.Role.ID)
		}
		r := Run{IDs: userIDs, namedIn: groupID, confirm: true}
		if len(userIDs) == 0 {
			r.group = groupID
			if !l.Confirmed {
				change := &linkChange{was: l, now: l}
				change.now.Confirmed = true
				if err := w.setLink(ctx, g, change); err != nil {
					return err
				}
			}
		}
		return w.Reconcile(ctx, r)
	})
}

// Explain says how a user stands to each role that is held, given by the directory, or
// waiting, and why. It changes nothing.
func (c *Admin) Explain(ctx context.Context, userID string) ([]host.Standing, error) {
	var out []host.Standing
	w := c.s.Begin(c.t, "")
	err := c.t.Stores.InTx(ctx, func(ctx context.Context) error {
		outs, err := w.outcomes(ctx, []string{userID}, Run{})
		if err != nil {
			return err
		}
		out = outs[0].standing
		return nil
	})
	return out, err
}
