package roles

import (
	"context"
	"slices"
	"strings"

	"github.com/scimkit/scim/internal/directory"
	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/model"
)

// Managed says what of a resource is the client's. An exempt user has nothing of it.
func (c *Admin) Managed(ctx context.Context, ref host.Ref) (*host.Managed, error) {
	d, err := c.t.dir.Fetch(ctx, ref)
	if err != nil {
		return nil, err
	}
	exempt, err := c.t.dir.Exempt(ctx, ref)
	if err != nil || exempt[ref] {
		return &host.Managed{}, err
	}
	m := &host.Managed{IsClaimed: true}
	if c.t.Stores.Claimer != nil {
		if m.IsClaimed, err = c.t.Stores.Claimer.IsClaimed(ctx, ref); err != nil {
			return nil, err
		}
	}
	if m.IsClaimed {
		m.Attributes = writable(d)
	}
	switch {
	case d.Type == c.t.Types.Group && c.t.Stores.Claimer != nil && c.t.Stores.Members != nil:
		m.Unclaimed, err = unclaimed(ctx, c.t, ref.ID)
	case d.Type == c.t.Types.User:
		if m.Groups, err = groupsByClient(ctx, c.t, ref); err != nil {
			return nil, err
		}
		m.Roles, err = c.Explain(ctx, ref.ID)
		m.Roles = only(m.Roles, func(e host.Explanation) bool { return e.State == host.Granted })
	}
	if err == nil {
		err = nameClients(ctx, c.t, ref, m)
	}
	if err != nil {
		return nil, err
	}
	return m, nil
}

// nameClients sets the clients of a resource and of the groups that matter for it.
func nameClients(ctx context.Context, t tenant, ref host.Ref, m *host.Managed) error {
	if t.Stores.Clients == nil || !m.IsClaimed && len(m.Groups)+len(m.Roles) == 0 {
		return nil
	}
	groups := slices.Clone(m.Groups)
	for _, e := range m.Roles {
		for _, s := range e.Sources {
			if group, ok := s.Group(); ok {
				groups = append(groups, group)
			}
		}
	}
	slices.Sort(groups)
	groups = slices.Compact(groups)
	m.Clients = map[string]string{}
	for chunk := range slices.Chunk(append([]string{""}, groups...), directory.Batch) {
		refs := make([]host.Ref, len(chunk))
		for i, id := range chunk {
			if refs[i] = groupRef(id); id == "" {
				refs[i] = ref
			}
		}
		all, err := t.Stores.Clients.ClientsOf(ctx, refs)
		if err != nil {
			return err
		}
		for r, client := range all {
			if r == ref && m.IsClaimed {
				m.Client = client
			} else if r != ref {
				m.Clients[r.ID] = client
			}
		}
	}
	return nil
}

// writable lists the paths of the attributes that have a value and that clients can write,
// in order. Members are no attribute here.
func writable(d *doc.Document) []string {
	var paths []string
	var add func(values []doc.Value)
	add = func(values []doc.Value) {
		for _, v := range values {
			switch a := v.Attr; {
			case a.Meta || a.Mutability == model.ReadOnly || a == d.Type.Members:
			case a.Kind == model.Complex && !a.Multi:
				add(v.Kids())
			default:
				paths = append(paths, a.Path)
			}
		}
	}
	add(d.Values)
	slices.Sort(paths)
	return slices.Compact(paths)
}

// unclaimed lists the members of a group that no client has named.
func unclaimed(ctx context.Context, t tenant, group string) (all []host.Ref, err error) {
	for after := (host.Ref{}); ; after = all[len(all)-1] {
		page, err := t.Stores.Claimer.UnclaimedMembers(ctx, group, after, directory.Batch)
		if all = append(all, page...); err != nil || len(page) < directory.Batch {
			return all, err
		}
	}
}

// groupsByClient lists the groups of which a client has named the user as a member.
func groupsByClient(ctx context.Context, t tenant, user host.Ref) ([]string, error) {
	if t.Types.Group == nil {
		return nil, nil
	}
	closure, err := t.dir.Closure(ctx, []host.Ref{user}, nil)
	if err != nil {
		return nil, err
	}
	paths, err := closure.Paths(ctx, user)
	if err != nil {
		return nil, err
	}
	var groups []string
	for _, p := range paths {
		if p.Distance > 0 {
			continue
		}
		isUnclaimed, err := isUnclaimed(ctx, t, p.GroupID, user)
		if err != nil {
			return nil, err
		}
		if !isUnclaimed {
			groups = append(groups, p.GroupID)
		}
	}
	slices.Sort(groups)
	return groups, nil
}

// isUnclaimed reports whether no client has named a member of a group. It reads the
// unclaimed members in order, and begins shortly before this one.
func isUnclaimed(ctx context.Context, t tenant, group string, m host.Ref) (bool, error) {
	if t.Stores.Claimer == nil || t.Stores.Members == nil {
		return false, nil
	}
	after := host.Ref{Type: m.Type, ID: m.ID[:max(len(m.ID)-1, 0)]}
	for {
		page, err := t.Stores.Claimer.UnclaimedMembers(ctx, group, after, directory.Batch)
		if err != nil || slices.Contains(page, m) {
			return err == nil, err
		}
		if len(page) < directory.Batch {
			return false, nil
		}
		if after = page[len(page)-1]; strings.Compare(after.ID, m.ID) > 0 || after.Type != m.Type {
			return false, nil
		}
	}
}
