package roles

import (
	"context"
	"slices"
	"time"

	"github.com/scimkit/scim/internal/directory"
	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/host"
)

// people reads what decides about the users' roles.
func (t tenant) people(ctx context.Context, ids []string, r run) ([]*person, error) {
	// This comes first: in a transaction it locks the users.
	grants, err := t.Roles.Ledger.Grants(ctx, ids)
	if err != nil {
		return nil, err
	}
	people := make([]*person, len(ids))
	by := make(map[string]*person, len(ids))
	for i, id := range ids {
		people[i] = &person{id: id}
		if id == r.view.deleted {
			people[i].presence = deleted
		}
		by[id] = people[i]
	}
	for _, g := range grants {
		if p := by[g.UserID]; p != nil {
			p.entries = append(p.entries, g)
		}
	}
	var users map[string]*doc.Document
	if t.Roles.Attributes != nil {
		if users, err = t.users(ctx, ids, r); err != nil {
			return nil, err
		}
	}
	links, err := t.wants(ctx, people, users, r)
	if err != nil {
		return nil, err
	}
	if role := links[host.GroupSource(r.view.gone)].Role; t.Roles.Joint && role.ID != "" && haveOnly(people, r.view.gone, role.ID) {
		for _, p := range people {
			p.held = []host.Role{role}
		}
		return people, nil
	}
	held, err := t.Roles.Resolver.HeldRoles(ctx, ids)
	if err != nil {
		return nil, err
	}
	for id, roles := range held {
		if p := by[id]; p != nil {
			p.held = roles
		}
	}
	if users == nil {
		// Whether a user is active matters only if something gives them a role, and a user is
		// a lot to read.
		if users, err = t.users(ctx, wanting(people), r); err != nil {
			return nil, err
		}
	}
	for id, u := range users {
		if u.Active() && by[id].presence != deleted {
			by[id].presence = active
		}
	}
	return people, nil
}

// wanting lists the ids of those whom a source gives something.
func wanting(people []*person) []string {
	var ids []string
	for _, p := range people {
		if len(p.wants) > 0 {
			ids = append(ids, p.id)
		}
	}
	return ids
}

// users reads users, by id, as they will be.
func (t tenant) users(ctx context.Context, ids []string, r run) (map[string]*doc.Document, error) {
	users := make(map[string]*doc.Document, len(ids))
	err := t.dir.ByID(ctx, t.Types.User, ids, func(u *doc.Document) {
		if r.view.user != nil && r.view.user.ID == u.ID {
			u = r.view.user
		}
		users[u.ID] = u
	})
	return users, err
}

// haveOnly reports whether no source gives these people anything, and the role of a group
// that is about to go is all that they were ever given. Then the ledger says what to
// revoke, and the application need not be asked who holds it: revoking what is not held
// is no error.
func haveOnly(people []*person, group, roleID string) bool {
	from := host.GroupSource(group)
	for _, p := range people {
		if len(p.wants) > 0 || slices.ContainsFunc(p.entries, func(g host.Grant) bool { return g.Source != from || g.RoleID != roleID }) {
			return false
		}
	}
	return true
}

// wants fills in the roles that attributes and groups give. It returns the links of
// these groups and values.
func (t tenant) wants(ctx context.Context, people []*person, users map[string]*doc.Document, r run) (map[host.Source]host.Link, error) {
	refs := make([]host.Ref, len(people))
	by := make(map[string]*person, len(people))
	for i, p := range people {
		refs[i], by[p.id] = userRef(p.id), p
	}
	ms, err := t.dir.GroupsOf(ctx, refs)
	if err != nil {
		return nil, err
	}
	if t.Stores.Members == nil {
		sortByGrant(ms, by)
	}
	keys := make([]host.Source, 0, len(ms))
	for _, m := range ms {
		keys = append(keys, host.GroupSource(m.GroupID))
	}
	values := make([][]value, len(people))
	for i, p := range people {
		values[i] = valuesOf(t.Tenant, users[p.id])
		for _, v := range values[i] {
			keys = append(keys, v.key())
		}
	}
	links, err := t.links(ctx, keys)
	if err != nil {
		return nil, err
	}
	if r.view.link != nil {
		links[r.view.link.Source] = *r.view.link
	}
	for i, p := range people {
		for _, v := range values[i] {
			p.want(links[v.key()], v.source(), r.isNamed(v.key(), p.id))
		}
	}
	for _, m := range ms {
		if p := by[m.Member.ID]; p != nil && isUser(m.Member) && r.view.keeps(m) {
			p.want(links[host.GroupSource(m.GroupID)], host.GroupSource(m.GroupID), r.isNamed(host.GroupSource(m.GroupID), p.id))
		}
	}
	return links, nil
}

// want notes a role that a source gives, or will give once it is confirmed.
func (p *person) want(l host.Link, source host.Source, named bool) {
	switch {
	case l.Role.ID == "":
		return
	case !l.Confirmed:
		p.unconfirmed = append(p.unconfirmed, want{role: l.Role, sources: []host.Source{source}})
		return
	}
	i := slices.IndexFunc(p.wants, func(w want) bool { return w.role.ID == l.Role.ID })
	if i < 0 {
		i = len(p.wants)
		p.wants = append(p.wants, want{role: l.Role})
	}
	w := &p.wants[i]
	if j := slices.Index(w.sources, source); j >= 0 { // two values of one attribute
		w.named[j] = w.named[j] || named
		return
	}
	w.sources = append(w.sources, source)
	w.named = append(w.named, named)
}

// sortByGrant orders memberships whose time is not known by what they have given: those
// that give something already, oldest first, before the others.
func sortByGrant(ms []host.Membership, by map[string]*person) {
	at := map[host.Membership]time.Time{}
	for _, m := range ms {
		if p := by[m.Member.ID]; p != nil {
			for _, g := range p.entries {
				if g.Source == host.GroupSource(m.GroupID) {
					at[m] = g.At
				}
			}
		}
	}
	slices.SortStableFunc(ms, func(a, b host.Membership) int {
		x, given := at[a]
		y, too := at[b]
		switch {
		case given && too:
			return x.Compare(y)
		case given:
			return -1
		case too:
			return 1
		}
		return 0
	})
}

// links reads the links of sources.
func (t tenant) links(ctx context.Context, sources []host.Source) (map[host.Source]host.Link, error) {
	sources = slices.Clone(sources)
	slices.Sort(sources)
	all := map[host.Source]host.Link{}
	for chunk := range slices.Chunk(slices.Compact(sources), directory.Batch) {
		ls, err := t.Roles.Ledger.Links(ctx, chunk)
		if err != nil {
			return nil, err
		}
		for _, l := range ls {
			all[l.Source] = l
		}
	}
	return all, nil
}
