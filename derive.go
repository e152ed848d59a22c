package scim

import (
	"context"
	"net/url"
	"slices"
	"strings"

	filter "github.com/scim2/filter-parser/v2"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/model"
)

// batch is how many ids go into one call of the host.
const batch = 1000

// location is the absolute address of a resource.
func (o *operation) location(ref Ref) string {
	endpoint := "/" + ref.Type + "s"
	if t := o.t.typeOf(ref.Type); t != nil {
		endpoint = t.Endpoint()
	}
	return o.base + endpoint + "/" + url.PathEscape(ref.ID)
}

// derive adds what is computed when resources are sent, as far as sel asks for it:
// a user's groups, and type, address and display name of a group's members.
func (o *operation) derive(ctx context.Context, t *ResourceType, sel *doc.Selection, rs ...*Resource) ([]*Resource, error) {
	if len(rs) == 0 {
		return rs, nil
	}
	switch a := o.t.derived(t); {
	case a == nil || !sel.Wants(a):
		return rs, nil
	case a == t.m.Members:
		return o.deriveMembers(ctx, a, rs)
	case o.mayList(ctx, o.t.group) != nil:
		return rs, nil // the client may not know of groups
	default:
		return o.deriveGroups(ctx, a, rs)
	}
}

func (o *operation) deriveGroups(ctx context.Context, groups *model.Attribute, rs []*Resource) ([]*Resource, error) {
	refs := make([]Ref, len(rs))
	for i, r := range rs {
		refs[i] = r.Ref()
	}
	ms, err := o.t.groupsOf(ctx, refs)
	if err != nil || len(ms) == 0 {
		return rs, err
	}
	var ids []string
	of := map[Ref][]string{}
	for _, m := range ms {
		ids = append(ids, m.GroupID)
		of[m.Member] = append(of[m.Member], m.GroupID)
	}
	names, err := o.displayNames(ctx, o.t.group, ids)
	if err != nil {
		return nil, err
	}
	out := make([]*Resource, len(rs))
	for i, r := range rs {
		out[i] = r
		var elems []doc.Value
		for _, id := range of[r.Ref()] {
			name, known := names[id]
			if known {
				elems = append(elems, element(groups, "value", id, "$ref", o.location(Ref{"Group", id}), "display", name, "type", "direct"))
			}
		}
		if elems != nil {
			out[i] = r.with(doc.Put(r.d.Values, doc.Composite(groups, elems...)))
		}
	}
	return out, nil
}

func (o *operation) deriveMembers(ctx context.Context, members *model.Attribute, rs []*Resource) ([]*Resource, error) {
	out := make([]*Resource, len(rs))
	for i, r := range rs {
		var elems []doc.Value
		err := o.t.eachMember(ctx, r, func(page []Ref) error {
			names := map[Ref]string{}
			for _, t := range []*ResourceType{o.t.user, o.t.group} {
				if t == nil || o.mayList(ctx, t) != nil {
					continue // without names
				}
				var ids []string
				for _, m := range page {
					if m.Type == t.Name() {
						ids = append(ids, m.ID)
					}
				}
				found, err := o.displayNames(ctx, t, ids)
				if err != nil {
					return err
				}
				for id, name := range found {
					names[Ref{t.Name(), id}] = name
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
		out[i] = r.with(doc.Put(r.d.Values, doc.Composite(members, elems...)))
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
func (o *operation) displayNames(ctx context.Context, t *ResourceType, ids []string) (map[string]string, error) {
	names := make(map[string]string, len(ids))
	err := o.t.byID(ctx, t, ids, func(r *Resource) {
		name := r.String("displayName")
		if name == "" {
			name = r.String("userName")
		}
		names[r.ID()] = name
	})
	return names, err
}

// byID calls fn with each of the resources that exist.
func (t *tenant) byID(ctx context.Context, rt *ResourceType, ids []string, fn func(*Resource)) error {
	ids = slices.Clone(ids)
	slices.Sort(ids)
	for chunk := range slices.Chunk(slices.Compact(ids), batch) {
		page, err := t.Store.List(ctx, rt, &Query{IDs: chunk, Limit: len(chunk)})
		if err != nil {
			return err
		}
		for _, r := range page.Resources {
			if err := t.bound(r); err != nil {
				return err
			}
			fn(r)
		}
	}
	return nil
}

// each calls fn with each resource of a type that matches f, in pages and in order of
// creation.
func (t *tenant) each(ctx context.Context, rt *ResourceType, f *Filter, fn func(page []*Resource) error) error {
	q := &Query{Filter: f, Limit: batch}
	for {
		page, err := t.Store.List(ctx, rt, q)
		if err != nil {
			return err
		}
		if len(page.Resources) == 0 {
			return nil
		}
		if err := fn(page.Resources); err != nil {
			return err
		}
		if len(page.Resources) < batch {
			return nil
		}
		q = &Query{Filter: f, Limit: batch, After: KeyOf(q, page.Resources[len(page.Resources)-1])}
	}
}

// eachMember calls fn with the members of a group, in pages.
func (t *tenant) eachMember(ctx context.Context, group *Resource, fn func(page []Ref) error) error {
	if t.members == nil {
		for chunk := range slices.Chunk(group.memberRefs(), batch) {
			if err := fn(chunk); err != nil {
				return err
			}
		}
		return nil
	}
	var after Ref
	for {
		page, err := t.members.Members(ctx, group.ID(), after, batch)
		if err != nil || len(page) == 0 {
			return err
		}
		if err := fn(page); err != nil {
			return err
		}
		if len(page) < batch {
			return nil
		}
		after = page[len(page)-1]
	}
}

// groupsOf lists the memberships of members, those of one member oldest first.
func (t *tenant) groupsOf(ctx context.Context, members []Ref) ([]Membership, error) {
	if t.group == nil || len(members) == 0 {
		return nil, nil
	}
	var all []Membership
	if t.members != nil {
		for chunk := range slices.Chunk(members, batch) {
			ms, err := t.members.GroupsOf(ctx, chunk)
			if err != nil {
				return nil, err
			}
			all = append(all, ms...)
		}
	} else {
		found, err := t.scanGroups(ctx, members)
		if err != nil {
			return nil, err
		}
		all = found
	}
	slices.SortFunc(all, func(a, b Membership) int {
		if c := a.Since.Compare(b.Since); c != 0 {
			return c
		}
		return strings.Compare(a.GroupID, b.GroupID)
	})
	return all, nil
}

// scanGroups finds memberships where groups carry their members themselves. The
// time of joining is not known there: that of the group's creation stands for it,
// and for roles the ledger's.
func (t *tenant) scanGroups(ctx context.Context, members []Ref) ([]Membership, error) {
	term := &filter.AttributeExpression{AttributePath: filter.AttributePath{AttributeName: "members"}, Operator: filter.PR}
	if len(members) == 1 {
		value := "value"
		term = &filter.AttributeExpression{Operator: filter.EQ, CompareValue: members[0].ID,
			AttributePath: filter.AttributePath{AttributeName: "members", SubAttribute: &value}}
	}
	f, err := compileFilter(t.group, term, nil)
	if err != nil {
		return nil, err
	}
	wanted := make(map[Ref]bool, len(members))
	for _, m := range members {
		wanted[m] = true
	}
	var all []Membership
	err = t.each(ctx, t.group, f, func(page []*Resource) error {
		for _, g := range page {
			for _, m := range g.memberRefs() {
				if wanted[m] {
					all = append(all, Membership{GroupID: g.ID(), Member: m, Since: g.d.Created})
				}
			}
		}
		return nil
	})
	return all, err
}
