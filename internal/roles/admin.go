package roles

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/scimkit/scim/internal/directory"
	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/keylock"
)

// Admin is the application's handle on one tenant's roles, outside requests.
type Admin struct {
	e *Engine
	t tenant
	// ending says how to complete unfinished changes while SCIM ends. "": it does not end.
	ending EndHow
}

// do runs fn in a transaction, otherwise under the lock of a group ("": none). Then it
// delivers the events.
func (c *Admin) do(ctx context.Context, group string, fn func(ctx context.Context, w *Work) error) error {
	w := c.e.Begin(c.t.Tenant, "")
	w.left.ending = c.ending
	lock := ""
	if group != "" {
		lock = keylock.Key("Group", group)
	}
	err := w.Isolate(ctx, lock, func(ctx context.Context) error { return fn(ctx, w) })
	w.Deliver(ctx)
	return err
}

// Users reconciles users. It goes on after users whose roles cannot be changed. These stay
// unfinished, and the error names them.
func (c *Admin) Users(ctx context.Context, userIDs ...string) error {
	var all leftOut
	for chunk := range slices.Chunk(userIDs, directory.Batch) {
		left, err := c.users(ctx, chunk)
		if left != nil {
			_ = all.add(left)
		}
		if err != nil {
			return all.with(err)
		}
	}
	return all.with(nil)
}

// usersOf reconciles the users of a run as Users does, batch by batch.
func (c *Admin) usersOf(ctx context.Context, r run) error {
	var left leftOut
	err := c.t.eachBatch(ctx, r, func(ids []string) error { return left.add(c.Users(ctx, ids...)) })
	return left.with(err)
}

// users reconciles a batch of users. It returns those whose roles cannot be changed.
func (c *Admin) users(ctx context.Context, ids []string) (left *leftOut, err error) {
	r := run{ids: ids, cause: applicationRepairs, ending: c.ending}
	f := failures{left: r.failures()}
	if c.t.Roles.Joint { // a transaction has all or nothing: take another one for others
		err = f.most(ctx, ids, func(ids []string) error {
			return c.do(ctx, "", func(ctx context.Context, w *Work) error {
				return w.reconcile(ctx, run{ids: ids, cause: applicationRepairs, ending: c.ending})
			})
		})
		return &f.leftOut, cmp.Or(err, c.keepOpen(ctx, f.users))
	}
	w := c.e.Begin(c.t.Tenant, "")
	w.left.ending = c.ending
	err = w.Isolate(ctx, "", func(ctx context.Context) error { return w.reconcile(ctx, r) })
	w.Deliver(ctx)
	if !errors.As(err, &left) {
		return nil, err
	}
	if err := c.keepOpen(ctx, left.users); err != nil {
		return left, err
	}
	w.Forget(ctx) // the notes of this unit are about the same users
	return left, nil
}

// keepOpen notes that users are unfinished, each in a note of its own.
func (c *Admin) keepOpen(ctx context.Context, userIDs []string) error {
	if c.t.Roles.Pending == nil {
		return nil
	}
	for _, id := range userIDs {
		w := c.e.Begin(c.t.Tenant, "")
		a := afterwards{w, keylock.Key("User", id)}
		err := c.t.Stores.InTx(ctx, func(ctx context.Context) error {
			w.later = later{}
			if err := a.takeOver(ctx, notePrefix(a.key)); err != nil {
				return err
			}
			w.later.add(run{ids: []string{id}}, true)
			return a.write(ctx)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// All reconciles up to a batch of users, in order of creation. It starts behind the user
// after ("": at the first one). It returns the last user, "" if no more are left. If the
// roles of some users cannot be changed, it returns both next and an error.
func (c *Admin) All(ctx context.Context, after string) (next string, err error) {
	ids, next, err := pageOfUsers(ctx, c.t, "All", after)
	if err != nil {
		return "", err
	}
	left := error(nil)
	if err := c.Users(ctx, ids...); err != nil {
		if !errors.As(err, new(*leftOut)) {
			return "", err
		}
		left = err
	}
	if next == "" && c.t.Roles.Pending != nil {
		return "", errors.Join(left, c.Settle(ctx))
	}
	return next, left
}

// pageOfUsers lists up to a batch of users, in order of creation, behind the user after. It
// also returns the last one, "" if no more are left. method is for an error.
func pageOfUsers(ctx context.Context, t tenant, method, after string) (ids []string, next string, err error) {
	q := &host.Query{Limit: directory.Batch}
	if after != "" {
		u, err := t.Stores.Get(ctx, userRef(after))
		if errors.Is(err, host.ErrNotFound) {
			return nil, "", fmt.Errorf("scim: Reconciler.%s: user %q is gone: start again from the beginning: %w", method, after, err)
		}
		if err != nil {
			return nil, "", err
		}
		q.After = host.KeyOf(q, u)
	}
	page, err := t.Stores.List(ctx, t.Types.User, q)
	if err != nil {
		return nil, "", err
	}
	ids = make([]string, len(page.Resources))
	for i, u := range page.Resources {
		ids[i] = u.ID
	}
	if len(ids) == directory.Batch {
		next = ids[len(ids)-1]
	}
	return ids, next, nil
}

func (c *Admin) groupChanged(ctx context.Context, g *doc.Document) error {
	return c.do(ctx, g.ID, func(ctx context.Context, w *Work) error {
		now, err := w.t.dir.Lock(ctx, host.RefOf(g))
		if host.IsNotFound(err) {
			return nil // deleted meanwhile
		}
		if err != nil {
			return err
		}
		w.left.cause = applicationReports
		w.guards.subject = subject{ref: groupRef(g.ID), source: host.GroupSource(g.ID), cause: host.CauseReport}
		change, err := w.t.relinkKnown(ctx, now)
		if err != nil || !change.isChange() {
			return err
		}
		if change.movesRoles() {
			if err := lockBelow(ctx, w, now.ID); err != nil {
				return err
			}
		}
		if !change.movesRoles() {
			return w.setLink(ctx, now, change)
		}
		change.now.Source = host.GroupSource(now.ID)
		reconcile, err := reported(ctx, w, run{group: now.ID, cause: applicationReports}, change.now)
		if err != nil {
			return err
		}
		if err := w.setLink(ctx, now, change); err != nil {
			return err
		}
		return reconcile(ctx)
	})
}

func (c *Admin) valueChanged(ctx context.Context, v value) error {
	unlock, err := c.lockValue(ctx, v)
	if err != nil {
		return err
	}
	defer unlock()
	return c.do(ctx, "", func(ctx context.Context, w *Work) error {
		if err := fence(ctx, c.t); err != nil {
			return err
		}
		links, err := w.t.valueLinks(ctx, []value{v})
		if err != nil {
			return err
		}
		change, err := w.t.relinkKnownValue(ctx, v, links[v.key()])
		if err != nil {
			return err
		}
		w.guards.subject = subject{source: v.key(), cause: host.CauseReport}
		if !change.movesRoles() {
			return linkValue(ctx, w, v, change)
		}
		change.now.Source = v.key()
		reconcile, err := reported(ctx, w, run{values: []value{v}, cause: applicationReports}, change.now)
		if err != nil {
			return err
		}
		if err := linkValue(ctx, w, v, change); err != nil {
			return err
		}
		return reconcile(ctx)
	})
}

// lockValue makes the application's calls about one value run one after the other in this process.
func (c *Admin) lockValue(ctx context.Context, v value) (unlock func(), err error) {
	if err := c.e.checkUnlocked(ctx, c.t); err != nil {
		return nil, err
	}
	return c.e.Locks.Lock(ctx, keylock.Key(c.t.ID, string(v.key())))
}

// Explain says for each role whether the user holds it, a source gives it, or it is
// waiting, and why. It changes nothing.
func (c *Admin) Explain(ctx context.Context, userID string) ([]host.Explanation, error) {
	ctx, unlock, err := c.e.lockUsers(ctx, c.t, []string{userID})
	if err != nil {
		return nil, err
	}
	defer unlock()
	s, err := c.t.standing(ctx)
	if err != nil {
		return nil, err
	}
	b := &batch{w: c.e.Begin(c.t.Tenant, ""), ids: []string{userID}, reads: true, run: run{ending: s.End}}
	err = c.t.Stores.InTx(ctx, func(ctx context.Context) error {
		if err := b.look(ctx); err != nil || len(b.outs[0].explained) > 0 {
			return err // who is gone may still have roles
		}
		_, err := c.t.dir.Fetch(ctx, userRef(userID))
		return err
	})
	if err != nil {
		return nil, err
	}
	return b.outs[0].explained, nil
}
