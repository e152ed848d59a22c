package endpoint

import (
	"context"
	"slices"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/model"
)

// derive adds the computed attributes that sel selects. These are a user's groups, and the
// type, address and display name of a group's members.
func (r *request) derive(ctx context.Context, t *model.Type, sel *doc.Selection, ds ...*doc.Document) ([]*doc.Document, error) {
	if len(ds) == 0 {
		return ds, nil
	}
	switch a := r.dir.Derived(t); {
	case a == nil || !sel.Wants(a):
		return ds, nil
	case a == t.Members:
		return r.deriveMembers(ctx, a, ds)
	case r.mayList(ctx, r.t.Types.Group) != nil:
		return ds, nil // the client may not list groups
	default:
		return r.deriveGroups(ctx, a, ds)
	}
}

func (r *request) deriveGroups(ctx context.Context, groups *model.Attribute, ds []*doc.Document) ([]*doc.Document, error) {
	refs := make([]host.Ref, len(ds))
	for i, d := range ds {
		refs[i] = host.RefOf(d)
	}
	ms, err := r.dir.GroupsOf(ctx, refs)
	if err != nil || len(ms) == 0 {
		return ds, err
	}
	var ids []string
	of := map[host.Ref][]string{}
	for _, m := range ms {
		ids = append(ids, m.GroupID)
		of[m.Member] = append(of[m.Member], m.GroupID)
	}
	names, err := r.displayNames(ctx, r.t.Types.Group, ids)
	if err != nil {
		return nil, err
	}
	out := make([]*doc.Document, len(ds))
	for i, d := range ds {
		out[i] = d
		var elems []doc.Value
		for _, id := range of[refs[i]] {
			if name, ok := names[id]; ok {
				elems = append(elems, element(groups, "value", id, "$ref", r.location(host.Ref{Type: "Group", ID: id}), "display", name, "type", "direct"))
			}
		}
		if elems != nil {
			out[i] = d.With(doc.Put(d.Values, doc.Composite(groups, elems...)))
		}
	}
	return out, nil
}

func (r *request) deriveMembers(ctx context.Context, members *model.Attribute, ds []*doc.Document) ([]*doc.Document, error) {
	out := make([]*doc.Document, len(ds))
	for i, d := range ds {
		var elems []doc.Value
		err := r.eachDisplay(ctx, d, func(page []host.Member) error {
			for _, m := range page {
				elems = append(elems, element(members, "value", m.Ref.ID, "$ref", r.location(m.Ref), "display", m.Display, "type", m.Ref.Type))
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		out[i] = d.With(doc.Put(d.Values, doc.Composite(members, elems...)))
	}
	return out, nil
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
		for i := range page {
			if !r.mayName(ctx, page[i].Ref.Type) {
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

// element makes an element of a from pairs of sub-attribute name and text, in schema order.
// It skips empty texts and unknown names.
func element(a *model.Attribute, pairs ...string) doc.Value {
	fields := make([]doc.Value, 0, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		if s := a.Lookup(pairs[i]); s != nil && pairs[i+1] != "" {
			fields = append(fields, doc.Simple(s, pairs[i+1]))
		}
	}
	slices.SortFunc(fields, func(x, y doc.Value) int { return x.Attr.Order - y.Attr.Order })
	return doc.Composite(a, fields...)
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
