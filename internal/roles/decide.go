package roles

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/scimkit/scim/internal/host"
)

// Decision is what the application decides about a pending matter.
type Decision int

const (
	Confirmed Decision = iota
	Declined
)

// Decide carries out a decision about the matter with a key. The error is host.ErrMoved if
// the matter is not any more as the key says.
func (c *Admin) Decide(ctx context.Context, key string, d Decision) error {
	if c.t.Roles.Pending == nil {
		return errNoPending
	}
	k, err := parsePendingKey(key)
	if err != nil {
		return err
	}
	switch {
	case k.Kind == host.PendingLink:
		return decideLink(ctx, c, k, d)
	case k.Kind == host.PendingPerson && d == Confirmed:
		return confirmPerson(ctx, c, k)
	case k.Kind == host.PendingPerson:
		return decideGrant(ctx, c, k, func(_ context.Context, w *Work, g host.Grant) (put, drop []host.Grant, err error) {
			g.State, g.At = host.GrantDeclined, w.e.now()
			return []host.Grant{g}, nil, nil
		})
	case k.Kind == host.PendingRetained && d == Confirmed: // the user keeps the role as the application's own
		return decideGrant(ctx, c, k, func(ctx context.Context, w *Work, g host.Grant) (put, drop []host.Grant, err error) {
			all, err := w.t.Roles.Ledger.Grants(ctx, []string{k.User})
			return nil, only(all, func(o host.Grant) bool { return o.Role() == g.Role() && o.IsRetained() }), err
		})
	case k.Kind == host.PendingRetained:
		return errors.New("scim: a guard keeps the role: it goes when the guard allows it, or when the application takes it")
	case k.Kind == host.PendingNesting:
		return errors.New("scim: this membership cannot be confirmed or declined: remove the member from the group, or raise MemberPolicy.MaxDepth if it is too deep")
	case k.Kind == host.PendingHeldBack && d == Confirmed:
		return releaseHeld(ctx, c, k)
	case k.Kind == host.PendingHeldBack:
		return errors.New("scim: what the breaker holds back cannot be declined: nothing of it is stored; correct it in the identity provider")
	case k.Kind == host.PendingUnfinished && d == Confirmed && k.Source != "":
		return finishOmitted(ctx, c, k)
	case k.Kind == host.PendingUnfinished && d == Confirmed:
		return finishNoted(ctx, c, k)
	case k.Kind == host.PendingUnfinished && k.Source != "":
		return errors.New("scim: an unfinished report cannot be declined: correct in the application what the source stands for")
	case k.Kind == host.PendingUnfinished:
		return errors.New("scim: an unfinished change cannot be declined: what the client wrote is stored already")
	}
	return fmt.Errorf("scim: %q is not the key of a pending matter", key)
}

// moved is the error for a matter that is not any more as it was seen.
func moved(format string, args ...any) error {
	return fmt.Errorf("scim: "+format+": %w", append(args, host.ErrMoved)...)
}

// decideLink confirms or declines that a source gives a role.
func decideLink(ctx context.Context, c *Admin, k pendingKey, d Decision) error {
	change := func(l host.Link) (*linkChange, error) {
		c := &linkChange{was: l, now: l}
		c.now.Roles = slices.Clone(l.Roles)
		r := c.now.Find(k.role())
		if r == nil || r.Confirmed || r.Declined || linkKey(l, k.role()) != k {
			return nil, moved("%s does not await this decision about role %q%s any more", k.Source, k.Role, ofScope(k.Scope))
		}
		r.Confirmed, r.Declined = d == Confirmed, d == Declined
		return c, nil
	}
	if group, ok := k.Source.Group(); ok {
		err := confirmGroup(ctx, c, confirmation{group: group, role: k.role(), change: change})
		if host.IsNotFound(err) {
			return moved("group %q is gone", group)
		}
		return err
	}
	path, text, _ := k.Source.Attribute()
	v, err := c.valueOf(path, text)
	if err != nil {
		return moved("%w", err)
	}
	if v.key() != k.Source {
		return fmt.Errorf("scim: the value of %s is too long to be found: use Reconciler.ConfirmValue", path)
	}
	return confirmValue(ctx, c, v, confirmation{role: k.role(), change: change})
}

// seen finds a grant as it was seen. In a transaction this locks the user.
func (t tenant) seen(ctx context.Context, k pendingKey) (host.Grant, error) {
	grants, err := t.Roles.Ledger.Grants(ctx, []string{k.User})
	if err != nil {
		return host.Grant{}, err
	}
	links, err := t.links(ctx, []host.Source{k.Source})
	if err != nil {
		return host.Grant{}, err
	}
	exempt, err := t.exempt(ctx, []string{k.User})
	if err != nil {
		return host.Grant{}, err
	}
	for _, g := range grants {
		if grantKey(g, links[k.Source]) == k && !exempt[userRef(k.User)] {
			return g, nil
		}
	}
	return host.Grant{}, moved("user %q does not wait any more for role %q%s from %s in this way", k.User, k.Role, ofScope(k.Scope), k.Source)
}

// decideGrant changes a grant as decide says.
func decideGrant(ctx context.Context, c *Admin, k pendingKey, decide func(ctx context.Context, w *Work, g host.Grant) (put, drop []host.Grant, err error)) error {
	_, unlock, err := c.e.lockUsers(ctx, c.t, []string{k.User})
	if err != nil {
		return err
	}
	defer unlock()
	return c.do(ctx, "", func(ctx context.Context, w *Work) error {
		g, err := c.t.seen(ctx, k)
		if err != nil {
			return err
		}
		put, drop, err := decide(ctx, w, g)
		if err != nil {
			return err
		}
		return c.t.Roles.Ledger.Record(ctx, put, drop)
	})
}

// confirmPerson gives a user the role for which the user waits. As after Confirm, a user
// whose place another role has goes on waiting for the place.
func confirmPerson(ctx context.Context, c *Admin, k pendingKey) error {
	group, isGroup := k.Source.Group()
	return c.do(ctx, group, func(ctx context.Context, w *Work) error {
		if isGroup {
			if _, err := w.t.dir.Lock(ctx, groupRef(group)); host.IsNotFound(err) {
				return moved("group %q is gone", group)
			} else if err != nil {
				return err
			}
		}
		u, err := w.t.Stores.Get(ctx, userRef(k.User))
		if errors.Is(err, host.ErrNotFound) {
			return moved("user %q is gone", k.User)
		}
		if err != nil {
			return err
		}
		if _, err := w.t.seen(ctx, k); err != nil {
			return err
		}
		if !u.Active() {
			return fmt.Errorf("scim: user %q is not active, so nobody can give role %q%s", k.User, k.Role, ofScope(k.Scope))
		}
		r := run{ids: []string{k.User}, namedIn: k.Source, named: map[string]bool{k.User: true}, confirms: k.role(), cause: applicationConfirms}
		if !isGroup {
			// All values of an attribute share one source of grants. Confirm the value that
			// stands for the role.
			values := valuesOf(w.t.Tenant, u)
			links, err := w.t.valueLinks(ctx, values)
			if err != nil {
				return err
			}
			for _, v := range values {
				if v.source() == k.Source && links[v.key()].Find(k.role()) != nil {
					r.namedIn = v.key()
				}
			}
		}
		w.guards.subject = subject{source: r.namedIn, cause: host.CauseConfirmation}
		if isGroup {
			w.guards.subject.ref = groupRef(group)
		}
		return w.reconcile(ctx, r)
	})
}

// finishNoted completes an unfinished change.
func finishNoted(ctx context.Context, c *Admin, k pendingKey) error {
	open, err := openNotes(ctx, c.t, unitPrefix(k.Note))
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(open, func(n openNote) bool { return noteKey(host.Note{Key: n.key, At: n.at}) == k }) {
		return moved("the change is finished")
	}
	return settleNotes(ctx, c, unitPrefix(k.Note))
}
