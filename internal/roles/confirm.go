package roles

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/scimkit/scim/internal/host"
)

// Confirm confirms the link of a group to a protected role. Without users it
// confirms the link and gives the role to all waiting users, except those whom the
// application declined. With users it gives the role to these only.
func (c *Admin) Confirm(ctx context.Context, groupID string, role host.RoleKey, userIDs ...string) error {
	return confirmGroup(ctx, c, confirmation{group: groupID, role: role, users: userIDs, change: func(l host.Link) (*linkChange, error) {
		change, err := confirm(l, role)
		if err != nil {
			return nil, fmt.Errorf("scim: Reconciler.Confirm: group %q %w", groupID, err)
		}
		return change, nil
	}})
}

// ConfirmValue is Confirm for a value of one of Roles.Attributes.
func (c *Admin) ConfirmValue(ctx context.Context, attribute, text string, role host.RoleKey, userIDs ...string) error {
	v, err := c.valueOf(attribute, text)
	if err != nil {
		return fmt.Errorf("scim: Reconciler.ConfirmValue: %w", err)
	}
	return confirmValue(ctx, c, v, confirmation{role: role, users: userIDs, change: func(l host.Link) (*linkChange, error) {
		change, err := confirm(l, role)
		if err != nil {
			return nil, fmt.Errorf("scim: Reconciler.ConfirmValue: %s %q %w", attribute, text, err)
		}
		return change, nil
	}})
}

// confirmation is a decision about the link of a source to a role.
type confirmation struct {
	group  string
	role   host.RoleKey
	users  []string // if there are any, the decision is about these and not about the link
	change func(l host.Link) (*linkChange, error)
}

// run is the reconciliation that follows the confirmation of a source.
func (f *confirmation) run(source host.Source) run {
	r := run{ids: f.users, namedIn: source, confirms: f.role, cause: applicationConfirms}
	if len(f.users) > 0 {
		r.named = make(map[string]bool, len(f.users))
		for _, id := range f.users {
			r.named[id] = true
		}
	}
	return r
}

// confirmGroup carries out a decision about a group.
func confirmGroup(ctx context.Context, c *Admin, f confirmation) error {
	return c.do(ctx, f.group, func(ctx context.Context, w *Work) error {
		g, err := w.t.dir.Lock(ctx, groupRef(f.group))
		if err != nil {
			return err
		}
		source := host.GroupSource(f.group)
		links, err := c.t.links(ctx, []host.Source{source})
		if err != nil {
			return err
		}
		change, err := f.change(links[source])
		if err != nil {
			return err
		}
		w.guards.subject = subject{ref: groupRef(f.group), source: source, cause: host.CauseConfirmation}
		r := f.run(source)
		if len(f.users) == 0 {
			r.group = f.group
			if err := (judge{w}).link(ctx, r, change.now); err != nil {
				return err
			}
			if err := lockBelow(ctx, w, f.group); err != nil {
				return err
			}
			if change.isChange() {
				if err := w.setLink(ctx, g, change); err != nil {
					return err
				}
			}
		}
		return w.reconcile(ctx, r)
	})
}

// valueOf is a value of a role attribute.
func (c *Admin) valueOf(attribute, text string) (value, error) {
	a := c.t.Types.User.Find(attribute)
	if a == nil || !slices.Contains(c.t.Roles.Attributes, a) {
		return value{}, fmt.Errorf("%q is not one of Roles.Attributes", attribute)
	}
	return value{a, text}, nil
}

// confirmValue carries out a decision about a value.
func confirmValue(ctx context.Context, c *Admin, v value, f confirmation) error {
	unlock, err := c.lockValue(ctx, v)
	if err != nil {
		return err
	}
	defer unlock()
	return c.do(ctx, "", func(ctx context.Context, w *Work) error {
		if err := fence(ctx, c.t); err != nil {
			return err
		}
		links, err := c.t.valueLinks(ctx, []value{v})
		if err != nil {
			return err
		}
		change, err := f.change(links[v.key()])
		if err != nil {
			return err
		}
		w.guards.subject = subject{source: v.key(), cause: host.CauseConfirmation}
		r := f.run(v.key())
		if len(f.users) == 0 {
			r.values = []value{v}
			if err := (judge{w}).link(ctx, r, change.now); err != nil {
				return err
			}
			if err := linkValue(ctx, w, v, change); err != nil {
				return err
			}
		}
		return w.reconcile(ctx, r)
	})
}

// confirm returns the change that confirms a role of a source. It returns an error if the
// source does not stand for the role.
func confirm(l host.Link, role host.RoleKey) (*linkChange, error) {
	change := &linkChange{was: l, now: l}
	change.now.Roles = slices.Clone(l.Roles)
	r := change.now.Find(role)
	if r == nil {
		return nil, fmt.Errorf("does not stand for role %q%s, but for %s", role.ID, ofScope(role.Scope), rolesText(l.Known()))
	}
	r.Confirmed, r.Declined = true, false
	return change, nil
}

// rolesText lists roles for an error.
func rolesText(list []host.Role) string {
	if len(list) == 0 {
		return "none"
	}
	texts := make([]string, len(list))
	for i, r := range list {
		texts[i] = fmt.Sprintf("%q%s", r.ID, ofScope(r.Scope))
	}
	return strings.Join(texts, ", ")
}

func ofScope(scope string) string {
	if scope == "" {
		return ""
	}
	return fmt.Sprintf(" of scope %q", scope)
}
