package roles

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/scimkit/scim/internal/directory"
	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/filterlang"
	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/match"
	"github.com/scimkit/scim/internal/model"
)

// value is a value of one of Roles.Attributes. Like a group it has a link.
type value struct {
	attr *model.Attribute
	text string
}

// key is the source of the value's link.
func (v value) key() host.Source { return host.AttributeSource(v.attr.Path, v.text) }

// source is the source of the grants that the value gives. All values of an attribute share
// one source in the ledger.
func (v value) source() host.Source { return host.AttributeSource(v.attr.Path, "") }

// roleSource is the value as the resolver sees it.
func (v value) roleSource(linked []host.Role) host.RoleSource {
	return host.RoleSource{Attribute: v.attr.Path, Value: v.text, Linked: linked}
}

// Attribute finds an attribute that can name roles. It is a string, or a list whose
// elements have a string "value", such as "roles".
func Attribute(user *model.Type, path string) (*model.Attribute, error) {
	a := user.Find(path)
	switch {
	case a == nil || a.Meta || a == user.Password || a.Name == "userName" || a.Name == "groups" && a.Parent == user.Root:
	case a.Parent.Multi: // "roles.value"
	case a.Kind == model.String, a.Multi && a.Kind == model.Complex && a.Lookup("value") != nil && a.Lookup("value").Kind == model.String:
		return a, nil
	}
	return nil, fmt.Errorf("Roles.Attributes: %q: needs an attribute of User with texts, or with a value for each of its elements", path)
}

// valuesOf lists the values of a user's role attributes, in order and without duplicates.
// The primary element of an attribute comes first.
func valuesOf(t *host.Tenant, u *doc.Document) []value {
	if u == nil || t.Roles == nil {
		return nil
	}
	var all []value
	for _, a := range t.Roles.Attributes {
		from := len(all)
		add := func(v doc.Value, primary bool) {
			is := value{a, v.Text}
			switch {
			case v.Text == "" || slices.Contains(all, is):
			case primary:
				all = slices.Insert(all, from, is)
			default:
				all = append(all, is)
			}
		}
		v := u.Find(a)
		switch {
		case v.Attr == nil:
		case !a.Multi:
			add(v, false)
		default:
			text, primary := a.Lookup("value"), a.Lookup("primary")
			for _, e := range v.Kids() {
				if a.Kind != model.Complex {
					add(e, false)
					continue
				}
				add(e.Field(text), primary != nil && e.Field(primary).Text == "true")
			}
		}
	}
	return all
}

// owners lists the users who have a value.
func (t tenant) owners(ctx context.Context, v value) (ids []string, err error) {
	f, err := t.withValue(v)
	if err != nil {
		return nil, err
	}
	err = t.dir.Each(ctx, t.Types.User, f, func(page []*doc.Document) error {
		for _, u := range page {
			ids = append(ids, u.ID)
		}
		return nil
	})
	return ids, err
}

// hasOwner reports whether any user but one has a value. Its link is then up to date, because the
// application's reports look up only values that users have.
func (t tenant) hasOwner(ctx context.Context, v value, but string) (bool, error) {
	f, err := t.withValue(v)
	if err != nil {
		return false, err
	}
	page, err := t.Stores.List(ctx, t.Types.User, &host.Query{Filter: f, Limit: directory.Batch})
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(page.Resources, func(u *doc.Document) bool { return u.ID != but && slices.Contains(valuesOf(t.Tenant, u), v) }), nil
}

// withValue is the filter for the users who have a value.
func (t tenant) withValue(v value) (*match.Filter, error) {
	path := v.attr.Path
	if v.attr.Kind == model.Complex {
		path += ".value"
	}
	text, err := json.Marshal(v.text)
	if err != nil {
		return nil, err
	}
	return match.Parse(t.Types.User, path+" eq "+string(text), filterlang.Limits{Length: len(path) + len(text) + 4}, nil)
}

// valueLinks reads the links of values, the standing of the tenant and the mark of the last report.
func (t tenant) valueLinks(ctx context.Context, values []value) (map[host.Source]host.Link, error) {
	if len(values) == 0 {
		return map[host.Source]host.Link{}, nil
	}
	keys := make([]host.Source, len(values), len(values)+2)
	for i, v := range values {
		keys[i] = v.key()
	}
	return t.links(ctx, append(keys, standingSource, reportSource))
}

// linkValue stores the link of a value if it changes.
func linkValue(ctx context.Context, w *Work, v value, c *linkChange) error {
	c.now.Source = v.key()
	if !c.isChange() {
		return nil
	}
	return storeLink(ctx, w, c)
}

// relinkKnownValue looks up the role of a value again. The application has reported that
// its roles or its mapping changed.
func (t tenant) relinkKnownValue(ctx context.Context, v value, was host.Link) (*linkChange, error) {
	c := &linkChange{was: was, now: was}
	err := t.resolve(ctx, v.roleSource(was.Known()), v.key(), c)
	if _, none := noRole(err); none {
		c.now = host.Link{}
		return c, nil
	}
	c.keepNewer()
	return c, err
}

// valueChange is how a write of a user changes the links of values.
type valueChange struct {
	fresh map[host.Source]bool // the keys of values that the write adds to the user
	moves bool                 // the user's values or their roles change
	links []valueLink          // to store when the store has the user
	freshValues
}

// valueLink is a change of the link of a value.
type valueLink struct {
	value  value
	change *linkChange
}

// relinkValues looks up the roles that a user's attributes name when a client writes the
// user. It asks the resolver about new values and about values without a role. It returns
// the user to store. If the request leaves the user inactive, attributes that name no role
// keep their value, because a deactivation must not wait.
func (w *Work) relinkValues(ctx context.Context, write Write) (*doc.Document, *valueChange, error) {
	before, after := write.Before, write.After
	if !w.t.hasRoles() || w.t.Roles.Attributes == nil || after.Type != w.t.Types.User {
		return after, nil, nil
	}
	was := valuesOf(w.t.Tenant, before)
	values := slices.SortedFunc(slices.Values(valuesOf(w.t.Tenant, after)), func(a, b value) int { return cmp.Compare(a.key(), b.key()) })
	links, err := w.t.valueLinks(ctx, values)
	if err != nil {
		return nil, nil, err
	}
	found, bad, err := w.resolveValues(ctx, before, after, values, links)
	if err != nil {
		return nil, nil, err
	}
	// Behind it, because a client that sends a wrong value must learn which ones are right.
	if err := checkSwitch(ctx, w.t, before, after); err != nil {
		return nil, nil, err
	}
	if len(found) > 0 {
		if w.needs.answers != nil { // they are older than the links
			w.needs.lookUps.isMarked, w.needs.lookUps.mark = true, w.needs.mark
		}
		w.needs.lookUps.note(markOf(links))
		w.needs.lookUps.values = slices.AppendSeq(w.needs.lookUps.values, maps.Keys(found))
	}
	c := &valueChange{fresh: map[host.Source]bool{}, freshValues: freshValues{found: map[host.Source][]host.RoleKey{}}}
	if c.named, err = namedValues(write.Kind, was, values, links); err != nil {
		return nil, nil, err
	}
	for _, v := range values {
		change := found[v]
		if change == nil || slices.Contains(bad, v.attr) {
			continue
		}
		for _, r := range change.now.Roles {
			c.found[v.key()] = append(c.found[v.key()], r.Role.Key())
		}
		if change.was.IsLinked() && change.isChange() {
			hasOthers, err := w.t.hasOwner(ctx, v, "")
			if err != nil {
				return nil, nil, err
			}
			if hasOthers {
				change.keepOthers()
			}
		}
		if w.t.isTransactional() {
			c.links = append(c.links, valueLink{v, change})
		} else if err := (valueLink{v, change}).storeAhead(ctx, w); err != nil {
			return nil, nil, err
		}
		c.moves = c.moves || change.movesRoles()
		if !slices.Contains(was, v) {
			c.fresh[v.key()] = true
		}
	}
	for _, a := range bad {
		after = keepAttribute(before, after, a)
	}
	c.moves = c.moves || !slices.Equal(was, valuesOf(w.t.Tenant, after))
	return after, c, nil
}

// storeAhead stores the link of a value before a store without transactions has the user: what is
// revoked ahead of the write depends on it.
func (l valueLink) storeAhead(ctx context.Context, w *Work) error {
	if w.t.Roles.Guards.Judges() && l.change.isChange() {
		w.restore = append(w.restore, func(ctx context.Context) error { // a guard may refuse the write
			l.change.was.Source = l.value.key()
			return w.t.Roles.Ledger.SetLink(ctx, l.change.was)
		})
	}
	return linkValue(ctx, w, l.value, l.change)
}

// linkValues stores the links of a user's values within the transaction of the write. They must still be as the
// write has seen them: the application may have confirmed a role meanwhile. A value that loses a role must still
// belong to nobody else. Another write that has yet to commit may give another role to its user, so wait for it.
func (c *valueChange) linkValues(ctx context.Context, w *Work, userID string) error {
	list := slices.DeleteFunc(slices.Clone(c.links), func(l valueLink) bool { return !l.change.isChange() })
	if len(list) == 0 {
		return nil
	}
	if err := fence(ctx, w.t); err != nil {
		return err
	}
	if _, err := w.t.Roles.Ledger.Grants(ctx, nil); err != nil { // a ledger without the fence
		return err
	}
	values := make([]value, len(list))
	for i, l := range list {
		values[i] = l.value
	}
	links, err := w.t.valueLinks(ctx, values)
	if err != nil {
		return err
	}
	for _, l := range list {
		if !slices.Equal(links[l.value.key()].Roles, l.change.was.Roles) {
			return host.ErrStale
		}
		if l.change.isAnotherRole() {
			if hasOthers, err := w.t.hasOwner(ctx, l.value, userID); err != nil {
				return err
			} else if hasOthers {
				return host.ErrStale
			}
		}
		if err := linkValue(ctx, w, l.value, l.change); err != nil {
			return err
		}
	}
	return nil
}

// namedValues returns the keys of the values that the client gives to the user now: those that
// are new, or all if the client names the whole user. It returns nil if the application
// distrusts no source.
func namedValues(kind WriteKind, was, values []value, links map[host.Source]host.Link) (map[host.Source]bool, error) {
	var s standing
	if err := decode(links[standingSource], &s); err != nil || s.Doubt.At.IsZero() {
		return nil, err
	}
	named := map[host.Source]bool{}
	for _, v := range values {
		if kind != Changes || !slices.Contains(was, v) {
			named[v.key()] = true
		}
	}
	return named, nil
}

// resolveValues looks up the roles of values and stores nothing. bad lists the attributes
// that a user must keep whom the request leaves inactive. About such a user it asks only
// if nobody has the value yet, or if the value has no link.
func (w *Work) resolveValues(ctx context.Context, before, after *doc.Document, values []value, links map[host.Source]host.Link) (found map[value]*linkChange, bad []*model.Attribute, err error) {
	was := valuesOf(w.t.Tenant, before)
	leaves := before != nil && !after.Active()
	found = map[value]*linkChange{}
	for _, v := range values {
		stored, l := slices.Contains(was, v), links[v.key()]
		if stored && l.IsLinked() || slices.Contains(bad, v.attr) {
			continue
		}
		if leaves {
			if stored {
				continue
			}
			change, isLeftOut, err := w.resolveLeaver(ctx, after, v, l)
			switch {
			case err != nil:
				return nil, nil, err
			case isLeftOut:
				bad = append(bad, v.attr)
			case change != nil:
				found[v] = change
			}
			continue
		}
		change := &linkChange{was: l}
		err := w.t.attempt(ctx, func(ctx context.Context) error { return w.t.resolve(ctx, v.roleSource(nil), v.key(), change) })
		reason, none := noRole(err)
		switch {
		case err == nil:
			found[v] = change
		case stored && none:
		case stored:
			// Go on despite the error: the value gives no role, as before.
			w.e.Log.WarnContext(ctx, "scim: the role of an attribute could not be looked up", "user", after.ID, "attribute", v.attr.Path, "error", err)
		case none && reason == "":
			return nil, nil, unknownValue(ctx, w.t, v)
		default:
			return nil, nil, err
		}
	}
	if len(w.needs.open) > 0 {
		return nil, nil, errUnanswered
	}
	return found, bad, nil
}

// IsWithin reports whether a is outer or a part of it.
func IsWithin(a, outer *model.Attribute) bool {
	for ; a != nil; a = a.Parent {
		if a == outer {
			return true
		}
	}
	return false
}
