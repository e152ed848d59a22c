package roles

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/filterlang"
	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/keylock"
	"github.com/scimkit/scim/internal/match"
	"github.com/scimkit/scim/internal/model"
)

// roleValue is a value of one of Roles.Attributes. It has a link, as a group has.
type roleValue struct {
	attr *model.Attribute
	text string
}

// link is the Link.GroupID of the value's link. It is short, because stores have it in
// an index.
func (v roleValue) link() string {
	text := v.text
	if len(text) > 200 {
		sum := sha256.Sum256([]byte(text))
		text = "sha256:" + hex.EncodeToString(sum[:])
	}
	return v.source() + "=" + text
}

func (v roleValue) source() string { return "attr:" + v.attr.Path }

// Attribute finds an attribute that can name roles: of texts, or complex with a
// value that is one, such as "roles".
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

// roleValues lists what a user's role attributes say, in order, each once; of each
// attribute the primary element first.
func valuesOf(t *host.Tenant, u *doc.Document) []roleValue {
	var all []roleValue
	if u == nil || t.Roles == nil {
		return nil
	}
	for _, a := range t.Roles.Attributes {
		from := len(all)
		one := func(v doc.Value, primary bool) {
			is := roleValue{a, v.Text}
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
			one(v, false)
		default:
			value, primary := a.Lookup("value"), a.Lookup("primary")
			for _, e := range v.Kids() {
				if a.Kind != model.Complex {
					one(e, false)
					continue
				}
				one(e.Field(value), primary != nil && e.Field(primary).Text == "true")
			}
		}
	}
	return all
}

// valueChange is what a write of a user does to the links of values.
type valueChange struct {
	fresh  map[string]bool // links of values that the client has just given the user
	moves  bool            // the user's values, or their roles, are others than before
	others []roleValue     // which other users have too, and whose role is another now
}

// relinkValues looks at which roles a user's attributes name, when a client writes the
// user: those values that it changes, and those without a role. It returns the user as it
// is to be stored: if the request deactivates somebody, attributes that name no role stay
// as they were, because that must not wait.
func (w *Work) RelinkValues(ctx context.Context, before, after *doc.Document) (*doc.Document, *valueChange, error) {
	if w.t.Roles == nil || w.t.Roles.Attributes == nil || after.Type != w.t.Types.User {
		return after, nil, nil
	}
	c := &valueChange{fresh: map[string]bool{}}
	was := valuesOf(w.t, before)
	values := slices.SortedFunc(slices.Values(valuesOf(w.t, after)), func(a, b roleValue) int { return strings.Compare(a.link(), b.link()) })
	links, err := w.valueLinks(ctx, values)
	if err != nil {
		return nil, nil, err
	}
	leaves := before != nil && before.Active() && !after.Active()
	var bad []*model.Attribute
	found := map[roleValue]*linkChange{}
	for _, v := range values {
		stored, l := slices.Contains(was, v), links[v.link()]
		if stored && l.Role.ID != "" || slices.Contains(bad, v.attr) {
			continue
		}
		change := &linkChange{was: l}
		err := w.resolve(ctx, host.RoleSource{Attribute: v.attr.Path, Value: v.text}, v.link(), change)
		reason, none := noRole(err)
		switch {
		case err == nil:
			found[v] = change
		case stored && none:
		case stored:
			// Nothing hangs on the answer: the value gives no role, as before.
			w.s.Log.WarnContext(ctx, "scim: the role of an attribute could not be looked up", "user", after.ID, "attribute", v.attr.Path, "error", err)
		case leaves:
			bad = append(bad, v.attr)
			w.Tell(host.Event{Kind: host.RoleUnknown, Resource: host.RefOf(after), Sources: []string{v.source()},
				Reason: fmt.Sprintf("%s keeps its value: there is no role for %q", v.attr.Path, fault.Clip(v.text))})
		case none && reason == "":
			return nil, nil, fault.Refuse(http.StatusBadRequest, "invalidValue", fmt.Sprintf("%s: there is no role for the value %q", v.attr.Path, fault.Clip(v.text)))
		default:
			return nil, nil, err
		}
	}
	for _, v := range values { // all are good
		change := found[v]
		if change == nil || slices.Contains(bad, v.attr) {
			continue
		}
		if err := w.linkValue(ctx, v, change); err != nil {
			return nil, nil, err
		}
		if change.moves() {
			c.moves = true
			if change.was.Role.ID != "" {
				c.others = append(c.others, v)
			}
		}
		if !slices.Contains(was, v) {
			c.fresh[v.link()] = true
		}
	}
	for _, a := range bad {
		after = after.With(doc.DropAt(after.Type.Root, after.Values, a))
		if v := before.Find(a); v.Attr != nil {
			after = after.With(doc.PutAt(after.Type.Root, after.Values, v))
		}
	}
	c.moves = c.moves || !slices.Equal(was, valuesOf(w.t, after))
	return after, c, nil
}

// linkValue stores the link of a value, if it changes.
func (w *Work) linkValue(ctx context.Context, v roleValue, c *linkChange) error {
	c.now.GroupID = v.link()
	if !c.write() {
		return nil
	}
	return w.t.Roles.Ledger.SetLink(ctx, c.now)
}

func (w *Work) valueLinks(ctx context.Context, values []roleValue) (map[string]host.Link, error) {
	keys := make([]string, len(values))
	for i, v := range values {
		keys[i] = v.link()
	}
	return w.links(ctx, keys)
}

// followValues brings roles in line with a write of a user, with the links of values.
func (w *Work) followValues(ctx context.Context, user *doc.Document, c *valueChange) error {
	if len(c.fresh) > 0 {
		values := valuesOf(w.t, user)
		links, err := w.valueLinks(ctx, values)
		if err != nil {
			return err
		}
		for _, v := range values {
			if l := links[v.link()]; c.fresh[v.link()] && l.Role.ID != "" && !l.Confirmed {
				w.Tell(host.Event{Kind: host.RoleWaiting, Resource: host.RefOf(user), Role: l.Role, Sources: []string{v.source()},
					Reason: "a protected role is given only after the application confirms"})
			}
		}
	}
	if err := w.Reconcile(ctx, Run{IDs: []string{user.ID}}); err != nil {
		return err
	}
	for _, v := range c.others {
		if err := w.Reconcile(ctx, Run{value: v}); err != nil {
			return err
		}
	}
	return nil
}

// eachUserWith calls fn with the users who have a value.
func (w *Work) eachUserWith(ctx context.Context, v roleValue, fn func(ids []string) error) error {
	path := v.attr.Path
	if v.attr.Kind == model.Complex {
		path += ".value"
	}
	text, err := json.Marshal(v.text)
	if err != nil {
		return err
	}
	f, err := match.Parse(w.t.Types.User, path+" eq "+string(text), filterlang.Limits{Length: len(path) + len(text) + 4}, nil)
	if err != nil {
		return err
	}
	return w.dir.Each(ctx, w.t.Types.User, f, func(page []*doc.Document) error {
		ids := make([]string, len(page))
		for i, u := range page {
			ids[i] = u.ID
		}
		slices.Sort(ids)
		return fn(ids)
	})
}

// relinkKnownValue looks again at the role that a value names, after the application said
// that its roles or its mapping have changed.
func (w *Work) relinkKnownValue(ctx context.Context, v roleValue, was host.Link) (*linkChange, error) {
	c := &linkChange{was: was, now: was}
	err := w.resolve(ctx, host.RoleSource{Attribute: v.attr.Path, Value: v.text, Linked: was.Role.ID}, v.link(), c)
	if _, none := noRole(err); none {
		c.now = host.Link{}
		return c, nil
	}
	return c, err
}

// unlinkGoneValues takes away the links of these users' values whose role no longer
// exists.
func (w *Work) unlinkGoneValues(ctx context.Context, ids []string) error {
	if w.t.Roles.Attributes == nil {
		return nil
	}
	var values []roleValue
	if err := w.dir.ByID(ctx, w.t.Types.User, ids, func(u *doc.Document) { values = append(values, valuesOf(w.t, u)...) }); err != nil {
		return err
	}
	links, err := w.valueLinks(ctx, values)
	if err != nil {
		return err
	}
	for _, v := range values {
		l := links[v.link()]
		if l.Role.ID == "" {
			continue
		}
		delete(links, v.link()) // once
		c, err := w.relinkKnownValue(ctx, v, l)
		if err != nil {
			return err
		}
		if c.now.Role.ID == l.Role.ID {
			continue
		}
		if !w.reported {
			c.now = host.Link{} // as in unlinkGone
		}
		if err := w.linkValue(ctx, v, c); err != nil {
			return err
		}
		w.later = append(w.later, Run{value: v}) // the others
	}
	return nil
}

// valuesChanged looks at every value that names a role or might, and reconciles those who
// have one whose role is another now.
func (c *Admin) valuesChanged(ctx context.Context) error {
	if c.t.Roles.Attributes == nil {
		return nil
	}
	seen := map[string]bool{}
	return c.dir.Each(ctx, c.t.Types.User, nil, func(page []*doc.Document) error {
		for _, u := range page {
			for _, v := range valuesOf(c.t, u) {
				if seen[v.link()] {
					continue
				}
				seen[v.link()] = true
				if err := c.valueChanged(ctx, v); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func (c *Admin) valueChanged(ctx context.Context, v roleValue) error {
	defer c.lockValue(v)()
	return c.do(ctx, "", func(ctx context.Context, w *Work) error {
		w.reported = true
		links, err := w.valueLinks(ctx, []roleValue{v})
		if err != nil {
			return err
		}
		change, err := w.relinkKnownValue(ctx, v, links[v.link()])
		if err != nil {
			return err
		}
		if err := w.linkValue(ctx, v, change); err != nil || !change.moves() {
			return err
		}
		return w.Reconcile(ctx, Run{value: v})
	})
}

// lockValue keeps the application's calls about a value apart; its link has no row of the
// store to lock, as a group's has.
func (c *Admin) lockValue(v roleValue) (unlock func()) {
	return c.s.Locks.Lock(keylock.Key(c.t.ID, v.link()))
}

// ConfirmValue is Confirm for a value of one of Roles.Attributes.
func (c *Admin) ConfirmValue(ctx context.Context, attribute, value, roleID string, userIDs ...string) error {
	i := slices.IndexFunc(c.t.Roles.Attributes, func(a *model.Attribute) bool { return a == c.t.Types.User.Find(attribute) })
	if i < 0 {
		return fmt.Errorf("scim: Reconciler.ConfirmValue: %q is not one of Roles.Attributes", attribute)
	}
	v := roleValue{c.t.Roles.Attributes[i], value}
	defer c.lockValue(v)()
	return c.do(ctx, "", func(ctx context.Context, w *Work) error {
		links, err := w.valueLinks(ctx, []roleValue{v})
		if err != nil {
			return err
		}
		l := links[v.link()]
		if l.Role.ID != roleID || roleID == "" {
			return fmt.Errorf("scim: Reconciler.ConfirmValue: %s %q does not stand for role %q but for %q", attribute, value, roleID, l.Role.ID)
		}
		r := Run{IDs: userIDs, namedIn: v.link(), confirm: true}
		if len(userIDs) == 0 {
			r.value = v
			l.Confirmed = true
			if err := w.t.Roles.Ledger.SetLink(ctx, l); err != nil {
				return err
			}
		}
		return w.Reconcile(ctx, r)
	})
}

// Within reports whether a is outer or part of it.
func Within(a, outer *model.Attribute) bool {
	for ; a != nil; a = a.Parent {
		if a == outer {
			return true
		}
	}
	return false
}
