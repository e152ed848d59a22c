package endpoint

import (
	"context"
	"net/url"
	"slices"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/model"
)

// location is the absolute address of a resource.
func (o *operation) location(ref host.Ref) string {
	endpoint := "/" + ref.Type + "s"
	if t := o.t.Types.Named(ref.Type); t != nil {
		endpoint = t.Endpoint
	}
	return o.base + endpoint + "/" + url.PathEscape(ref.ID)
}

// derive adds what is computed when resources are sent, as far as sel asks for it:
// a user's groups, and type, address and display name of a group's members.
func (o *operation) derive(ctx context.Context, t *model.Type, sel *doc.Selection, rs ...*doc.Document) ([]*doc.Document, error) {
	if len(rs) == 0 {
		return rs, nil
	}
	switch a := o.t.dir.Derived(t); {
	case a == nil || !sel.Wants(a):
		return rs, nil
	case a == t.Members:
		return o.deriveMembers(ctx, a, rs)
	case o.mayList(ctx, o.t.Types.Group) != nil:
		return rs, nil // the client may not know of groups
	default:
		return o.deriveGroups(ctx, a, rs)
	}
}

func (o *operation) deriveGroups(ctx context.Context, groups *model.Attribute, rs []*doc.Document) ([]*doc.Document, error) {
	refs := make([]host.Ref, len(rs))
	for i, r := range rs {
		refs[i] = host.RefOf(r)
	}
	ms, err := o.t.dir.GroupsOf(ctx, refs)
	if err != nil || len(ms) == 0 {
		return rs, err
	}
	var ids []string
	of := map[host.Ref][]string{}
	for _, m := range ms {
		ids = append(ids, m.GroupID)
		of[m.Member] = append(of[m.Member], m.GroupID)
	}
	names, err := o.displayNames(ctx, o.t.Types.Group, ids)
	if err != nil {
		return nil, err
	}
	out := make([]*doc.Document, len(rs))
	for i, r := range rs {
		out[i] = r
		var elems []doc.Value
		for _, id := range of[host.RefOf(r)] {
			name, known := names[id]
			if known {
				elems = append(elems, element(groups, "value", id, "$ref", o.location(host.Ref{Type: "Group", ID: id}), "display", name, "type", "direct"))
			}
		}
		if elems != nil {
			out[i] = r.With(doc.Put(r.Values, doc.Composite(groups, elems...)))
		}
	}
	return out, nil
}

func (o *operation) deriveMembers(ctx context.Context, members *model.Attribute, rs []*doc.Document) ([]*doc.Document, error) {
	out := make([]*doc.Document, len(rs))
	for i, r := range rs {
		var elems []doc.Value
		err := o.t.dir.EachMember(ctx, r, func(page []host.Ref) error {
			names := map[host.Ref]string{}
			for _, t := range []*model.Type{o.t.Types.User, o.t.Types.Group} {
				if t == nil || o.mayList(ctx, t) != nil {
					continue // without names
				}
				var ids []string
				for _, m := range page {
					if m.Type == t.Name {
						ids = append(ids, m.ID)
					}
				}
				found, err := o.displayNames(ctx, t, ids)
				if err != nil {
					return err
				}
				for id, name := range found {
					names[host.Ref{Type: t.Name, ID: id}] = name
				}
			}
			for _, m := range page {
				elems = append(elems, element(members, "value", m.ID, "$ref", o.location(m), "display", names[m], "type", m.Type))
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		out[i] = r.With(doc.Put(r.Values, doc.Composite(members, elems...)))
	}
	return out, nil
}

// element makes an element of a from pairs of sub-attribute name and text, in schema
// order; empty texts and unknown names are left out.
func element(a *model.Attribute, pairs ...string) doc.Value {
	var fields []doc.Value
	for i := 0; i < len(pairs); i += 2 {
		if s := a.Lookup(pairs[i]); s != nil && pairs[i+1] != "" {
			fields = append(fields, doc.Simple(s, pairs[i+1]))
		}
	}
	slices.SortFunc(fields, func(x, y doc.Value) int { return x.Attr.Order - y.Attr.Order })
	return doc.Composite(a, fields...)
}

// displayNames finds the display names of resources: displayName, or else userName.
func (o *operation) displayNames(ctx context.Context, t *model.Type, ids []string) (map[string]string, error) {
	names := make(map[string]string, len(ids))
	err := o.t.dir.ByID(ctx, t, ids, func(r *doc.Document) {
		name := r.Text("displayName")
		if name == "" {
			name = r.Text("userName")
		}
		names[r.ID] = name
	})
	return names, err
}
