package roles

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/fold"
	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/keylock"
	"github.com/scimkit/scim/internal/model"
)

// createLock is the kind of the tenant's lock under which roles are created.
const createLock = "create role"

// createRole creates the role of a group and sets c.now to its link. It asks the resolver
// again under a lock, because another request may have created the role meanwhile. The error
// is one of noRole if a role with such a name must not be created.
func (w *Work) createRole(ctx context.Context, src host.RoleSource, key host.Source, c *linkChange) error {
	unlock, err := w.e.lockCreation(ctx, w.t)
	if err != nil {
		return err
	}
	defer unlock()
	err = w.t.resolve(ctx, src, key, c)
	if reason, none := noRole(err); !none || reason != "" {
		return err
	}
	names, err := w.t.Roles.Names.RoleNames(ctx, "")
	if err != nil {
		return err
	}
	name := src.Group.Text("displayName")
	look := fold.LookAlike(name)
	if look == "" {
		return fault.New(fault.InvalidValue, "displayName: a role needs a name that people can see")
	}
	if i := slices.IndexFunc(names, func(n string) bool { return fold.LookAlike(n) == look }); i >= 0 {
		return fault.New(fault.InvalidValue, "displayName: %q looks like the role %q, which this group cannot give: choose another name",
			fault.ClipName(name), fault.ClipName(names[i]))
	}
	role, err := w.t.Roles.Creator.CreateRole(ctx, src)
	switch {
	case err != nil:
		return err
	case role.ID == "":
		return errors.New("scim: RoleCreator.CreateRole returned a role without an ID and no error")
	case role.Protected:
		return fmt.Errorf("scim: RoleCreator.CreateRole returned the role %q, which is protected", role.ID)
	}
	c.linkTo(key, []host.Role{role})
	c.now.Name = linkName(src.Group)
	return nil
}

// lockCreation makes the creation of roles in a tenant run one after the other. Over a store
// with transactions the store does it, if it can.
func (e *Engine) lockCreation(ctx context.Context, t tenant) (unlock func(), err error) {
	switch {
	case !t.isTransactional():
		return e.Locks.Lock(ctx, keylock.Key(t.ID, createLock))
	case t.Stores.Locker != nil:
		err = t.Stores.Locker.LockTenant(ctx, createLock)
	}
	return func() {}, err
}

// namesShown is how many names of roles a refusal lists at most.
const namesShown = 20

// unknownValue refuses a value that names no role. It lists the names that do, if the
// resolver knows them.
func unknownValue(ctx context.Context, t tenant, v value) error {
	text := fmt.Sprintf("%s: there is no role for the value %q", v.attr.Path, fault.ClipName(v.text))
	if t.Roles.Names != nil {
		var names []string
		err := t.attempt(ctx, func(ctx context.Context) (err error) {
			names, err = t.Roles.Names.RoleNames(ctx, v.attr.Path)
			return err
		})
		if err != nil {
			return err
		}
		text += "; " + namesText(names)
	}
	return fault.Refuse(http.StatusBadRequest, fault.InvalidValue, text)
}

func namesText(names []string) string {
	if len(names) == 0 {
		return "no value is possible"
	}
	var quoted []string
	for _, n := range names[:min(len(names), namesShown)] {
		quoted = append(quoted, fmt.Sprintf("%q", fault.ClipName(n)))
	}
	text := "possible are " + strings.Join(quoted, ", ")
	if more := len(names) - namesShown; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// CanonicalValues lists, for each of the tenant's role attributes, the values that name roles.
func CanonicalValues(ctx context.Context, t *host.Tenant) (map[*model.Attribute][]string, error) {
	if t.Roles == nil || t.Roles.Names == nil {
		return nil, nil
	}
	values := map[*model.Attribute][]string{}
	for _, a := range t.Roles.Attributes {
		names, err := t.Roles.Names.RoleNames(ctx, a.Path)
		if err != nil {
			return nil, err
		}
		if a.Kind == model.Complex {
			a = a.Lookup("value")
		}
		values[a] = slices.Compact(slices.Sorted(slices.Values(names)))
	}
	return values, nil
}

// checkSwitch refuses a write that replaces one role of an active user by another, if the
// application wants the role to be unassigned first. A value without a role is no role.
func checkSwitch(ctx context.Context, t tenant, before, after *doc.Document) error {
	if !t.Roles.SwitchNeedsUnassign || before == nil || !before.Active() || !after.Active() {
		return nil
	}
	was, is := valuesOf(t.Tenant, before), valuesOf(t.Tenant, after)
	lost := slices.DeleteFunc(slices.Clone(was), func(v value) bool { return slices.Contains(is, v) })
	gained := slices.DeleteFunc(slices.Clone(is), func(v value) bool { return slices.Contains(was, v) })
	if len(lost) == 0 || len(gained) == 0 {
		return nil
	}
	links, err := t.valueLinks(ctx, lost)
	if err != nil {
		return err
	}
	for _, v := range lost {
		i := slices.IndexFunc(gained, func(g value) bool { return g.attr == v.attr })
		if i < 0 || !links[v.key()].IsLinked() {
			continue
		}
		return fault.Refuse(http.StatusBadRequest, fault.Mutability, fmt.Sprintf(
			"%s: cannot change from %q to %q while the user is active: unassign the person first, by clearing the attribute or by deactivating the user",
			v.attr.Path, fault.ClipName(v.text), fault.ClipName(gained[i].text)))
	}
	return nil
}
