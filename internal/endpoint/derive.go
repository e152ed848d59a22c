package endpoint

import (
	"context"
	"net/url"
	"slices"

	"github.com/scimkit/scim/internal/directory"
	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/model"
)

// view writes resources of one type. It computes the attribute that lists memberships: a
// user's groups, or the type, address and display name of a group's members.
type view struct {
	r       *request
	sel     *doc.Selection
	derived *model.Attribute // nil: the answer does not show it
	hidden  []*model.Attribute
	known   []host.Membership // the memberships of all users to come; nil: they are not read yet
	// groups are the groups of those users that prepare got last.
	groups *directory.Closure
	names  groupNames
}

// init makes v a view of the resources of t.
func (v *view) init(ctx context.Context, t *model.Type) {
	v.sel, v.derived, v.hidden = v.r.selection(t), v.r.dir.Derived(t), v.r.hidden(ctx, t)
	switch {
	case v.derived == nil:
	case !v.sel.Wants(v.derived):
		v.derived = nil
	case v.derived != t.Members && v.r.mayList(ctx, v.r.t.Types.Group) != nil:
		v.derived = nil // the client may not list groups
	}
}

// prepare reads what write needs for these resources. Neighbours in a list take fewer calls
// of the store together.
func (v *view) prepare(ctx context.Context, ds ...*doc.Document) error {
	if v.derived == nil || v.derived == ds[0].Type.Members {
		return nil
	}
	if err := v.findGroups(ctx, ds); err != nil {
		return err
	}
	ids := v.groups.Unnamed()
	if len(ids) == 0 || len(ids) > directory.Batch {
		return nil // write reads them part by part
	}
	return v.names.read(ctx, v.r, ids)
}

func (v *view) findGroups(ctx context.Context, ds []*doc.Document) (err error) {
	if v.known != nil {
		v.groups, err = v.r.dir.ClosureOf(ctx, v.known, nil)
		return err
	}
	refs := make([]host.Ref, len(ds))
	for i, d := range ds {
		refs[i] = host.RefOf(d)
	}
	v.groups, err = v.r.dir.Closure(ctx, refs, nil)
	return err
}

// write writes one resource. A long list goes to s part by part.
func (v *view) write(ctx context.Context, s *sink, d *doc.Document, location string) error {
	d = d.Hide(v.hidden)
	switch v.derived {
	case nil:
		s.b = encode(s.b, d, d.Values, v.sel, location)
		return s.pass()
	case d.Type.Members:
		return v.writeMembers(ctx, s, d, location)
	}
	return v.writeGroups(ctx, s, d, location)
}

func (v *view) writeGroups(ctx context.Context, s *sink, d *doc.Document, location string) error {
	all, err := v.groups.Paths(ctx, host.RefOf(d))
	if err != nil {
		return err
	}
	if len(all) == 0 {
		s.b = encode(s.b, d, d.Values, v.sel, location)
		return s.pass()
	}
	s.b = encode(s.b, d, doc.Drop(d.Values, v.derived), v.sel, location)
	list := newReferences(v)
	s.b = list.Begin(s.b)
	list.Prefix(refPart, v.r.locationOf("Group"))
	for paths := range slices.Chunk(all, directory.Batch) {
		ids := make([]string, 0, len(paths))
		for _, p := range paths {
			if v.groups.Name(p.GroupID) == "" {
				ids = append(ids, p.GroupID)
			}
		}
		if err := v.names.read(ctx, v.r, ids); err != nil {
			return err
		}
		for _, p := range paths {
			typ := "direct"
			if p.Distance > 0 {
				typ = "indirect"
			}
			name := v.groups.Name(p.GroupID)
			if name == "" && v.names[p.GroupID] != nil {
				name = *v.names[p.GroupID]
			}
			if name != "" || v.names[p.GroupID] != nil {
				s.b = list.Append(s.b, p.GroupID, url.PathEscape(p.GroupID), name, typ)
			}
			if err := s.pass(); err != nil {
				return err
			}
		}
	}
	s.b = list.End(s.b)
	return s.pass()
}

// newReferences makes the list of what a view derives. Append gets an id, the same id for the
// address that Prefix begins, a display name, and a type.
func newReferences(v *view) *doc.Elements {
	return doc.NewElements(v.derived, v.sel, "value", "$ref", "display", "type")
}

// refPart is the place of the address among the texts of newReferences.
const refPart = 1

// writeMembers writes a group. An empty group has an empty list, because authentik fails
// without one.
func (v *view) writeMembers(ctx context.Context, s *sink, d *doc.Document, location string) error {
	s.b = encode(s.b, d, doc.Drop(d.Values, v.derived), v.sel, location)
	list := newReferences(v)
	s.b = list.Begin(s.b)
	err := v.r.eachDisplay(ctx, d, func(page []host.Member) error {
		for i := range page {
			m := &page[i]
			if i == 0 || m.Ref.Type != page[i-1].Ref.Type { // members of one type are neighbours
				list.Prefix(refPart, v.r.locationOf(m.Ref.Type))
			}
			s.b = list.Append(s.b, m.Ref.ID, url.PathEscape(m.Ref.ID), m.Display, m.Ref.Type)
			if err := s.pass(); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	s.b = list.End(s.b)
	return s.pass()
}

// groupNames are the display names of groups, by id. A group that does not exist has nil.
// It knows at most directory.Batch groups.
type groupNames map[string]*string

// read reads the names of groups, at most directory.Batch.
func (n *groupNames) read(ctx context.Context, r *request, ids []string) error {
	var unknown []string
	for _, id := range ids {
		if _, ok := (*n)[id]; !ok {
			unknown = append(unknown, id)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	if len(*n)+len(unknown) > directory.Batch {
		*n, unknown = nil, ids
	}
	if *n == nil {
		*n = groupNames{}
	}
	for _, id := range unknown {
		(*n)[id] = nil
	}
	found, err := r.displayNames(ctx, r.t.Types.Group, unknown)
	for id, name := range found {
		(*n)[id] = &name
	}
	return err
}

// eachDisplay calls fn with the members of a group, in pages. They have their display
// names if the client may list their type.
func (r *request) eachDisplay(ctx context.Context, group *doc.Document, fn func(page []host.Member) error) error {
	if r.t.Stores.Members == nil {
		return r.dir.EachMember(ctx, group, func(page []host.Ref) error {
			named, err := r.lookUpDisplays(ctx, page)
			if err != nil {
				return err
			}
			return fn(named)
		})
	}
	return r.dir.EachDisplay(ctx, group, func(page []host.Member) error {
		may := false
		for i := range page {
			if i == 0 || page[i].Ref.Type != page[i-1].Ref.Type {
				may = r.mayName(ctx, page[i].Ref.Type)
			}
			if !may {
				page[i].Display = ""
			}
		}
		return fn(page)
	})
}

// mayName reports whether the client may see display names of members of a type.
func (r *request) mayName(ctx context.Context, typ string) bool {
	for _, t := range []*model.Type{r.t.Types.User, r.t.Types.Group} {
		if t != nil && t.Name == typ {
			return r.mayList(ctx, t) == nil
		}
	}
	return false
}

// lookUpDisplays finds the display names of those members that the client may know of,
// where groups carry their members themselves.
func (r *request) lookUpDisplays(ctx context.Context, refs []host.Ref) ([]host.Member, error) {
	ids := map[string][]string{}
	for _, ref := range refs {
		ids[ref.Type] = append(ids[ref.Type], ref.ID)
	}
	names := map[string]map[string]string{}
	for _, t := range []*model.Type{r.t.Types.User, r.t.Types.Group} {
		if t == nil || !r.mayName(ctx, t.Name) {
			continue
		}
		found, err := r.displayNames(ctx, t, ids[t.Name])
		if err != nil {
			return nil, err
		}
		names[t.Name] = found
	}
	out := make([]host.Member, len(refs))
	for i, ref := range refs {
		out[i] = host.Member{Ref: ref, Display: names[ref.Type][ref.ID]}
	}
	return out, nil
}

// displayNames finds the display names of resources: displayName, otherwise userName.
func (r *request) displayNames(ctx context.Context, t *model.Type, ids []string) (map[string]string, error) {
	names := make(map[string]string, len(ids))
	err := r.dir.ByID(ctx, t, ids, func(d *doc.Document) {
		name := d.Text("displayName")
		if name == "" {
			name = d.Text("userName")
		}
		names[d.ID] = name
	})
	return names, err
}
