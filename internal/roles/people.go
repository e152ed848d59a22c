package roles

import (
	"context"
	"slices"
	"time"

	"github.com/scimkit/scim/internal/directory"
	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/host"
)

// people reads everything that decides about the users' roles.
func (t tenant) people(ctx context.Context, ids []string, r run) ([]*person, error) {
	// Read the grants first: in a transaction this locks the users.
	grants, err := t.Roles.Ledger.Grants(ctx, ids)
	if err != nil {
		return nil, err
	}
	if err := checkSize(len(ids), len(ids), len(grants)); err != nil {
		return nil, err
	}
	people, by := peopleWith(ids, grants, r.view.deleted)
	var users map[string]*doc.Document
	if t.Roles.Attributes != nil {
		if users, err = t.users(ctx, ids, r); err != nil {
			return nil, err
		}
	}
	var links map[host.Source]host.Link
	if !r.ending.ends() {
		if links, err = t.wants(ctx, people, users, r); err != nil {
			return nil, err
		}
	}
	if gone := links[host.GroupSource(r.view.gone)]; t.Roles.Joint && gone.IsLinked() && haveOnly(people, gone) {
		for _, p := range people {
			for _, g := range p.entries {
				p.held = append(p.held, gone.Find(g.Role()).Role)
			}
		}
		return people, nil
	}
	held, err := t.Roles.Resolver.HeldRoles(ctx, ids)
	if err != nil {
		return nil, err
	}
	n := 0
	for id, roles := range held {
		if p := by[id]; p != nil {
			p.held = roles
			n += len(roles)
		}
	}
	if err := checkSize(len(ids), len(ids), n); err != nil {
		return nil, err
	}
	if users == nil {
		// Read only users to whom a source gives something. For others it does not matter
		// whether they are active, and reading users is expensive.
		if users, err = t.users(ctx, idsWithWants(people), r); err != nil {
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

// peopleWith returns people in the order of their ids, and by id, with their grants.
func peopleWith(ids []string, grants []host.Grant, deletedID string) (people []*person, by map[string]*person) {
	people, by = make([]*person, len(ids)), make(map[string]*person, len(ids))
	for i, id := range ids {
		people[i] = &person{id: id}
		if id == deletedID {
			people[i].presence = deleted
		}
		by[id] = people[i]
	}
	for _, g := range grants {
		if p := by[g.UserID]; p != nil {
			p.entries = append(p.entries, g)
		}
	}
	return people, by
}

// exempt returns those of the users whose roles SCIM never changes.
func (t tenant) exempt(ctx context.Context, ids []string) (map[host.Ref]bool, error) {
	if t.Stores.Exempter == nil {
		return nil, nil
	}
	refs := make([]host.Ref, len(ids))
	for i, id := range ids {
		refs[i] = userRef(id)
	}
	return t.dir.Exempt(ctx, refs...)
}

// idsWithWants lists the ids of the users to whom a source gives something.
func idsWithWants(people []*person) []string {
	var ids []string
	for _, p := range people {
		if len(p.wants) > 0 {
			ids = append(ids, p.id)
		}
	}
	return ids
}

// users reads users by id, as the operation will leave them.
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

// haveOnly reports whether no source gives these people anything, and the ledger knows only
// roles for them of a group being deleted. Then the ledger alone says what to revoke. The
// application need not say who holds the roles: revoking a role that a user does not hold is
// no error.
func haveOnly(people []*person, gone host.Link) bool {
	for _, p := range people {
		if len(p.wants) > 0 || slices.ContainsFunc(p.entries, func(g host.Grant) bool { return g.Source != gone.Source || gone.Find(g.Role()) == nil }) {
			return false
		}
	}
	return true
}

// wants sets the roles that attributes and groups give. It returns the links of these
// groups and values.
func (t tenant) wants(ctx context.Context, people []*person, users map[string]*doc.Document, r run) (map[host.Source]host.Link, error) {
	refs := make([]host.Ref, len(people))
	by := make(map[string]*person, len(people))
	for i, p := range people {
		refs[i], by[p.id] = userRef(p.id), p
	}
	closure, err := t.closure(ctx, refs, r, by)
	if err != nil {
		return nil, err
	}
	groups := closure.Groups()
	keys := groupSources(groups)
	if r.view.gone != "" {
		keys = append(keys, host.GroupSource(r.view.gone))
	}
	values := make([][]value, len(people))
	for i, p := range people {
		values[i] = valuesOf(t.Tenant, users[p.id])
		for _, v := range values[i] {
			keys = append(keys, v.key())
		}
	}
	if len(keys) > 0 {
		keys = append(keys, standingSource)
	}
	links, err := t.links(ctx, keys)
	if err != nil {
		return nil, err
	}
	doubtOf, err := doubtsIn(ctx, t, &r, links, keys)
	if err != nil {
		return nil, err
	}
	if r.view.link != nil {
		links[r.view.link.Source] = *r.view.link
	}
	for _, l := range r.view.relinked {
		links[l.Source] = l
	}
	if r.view.again != nil {
		if err := lookAgain(ctx, t, *r.view.again, links, groups, values); err != nil {
			return nil, err
		}
	}
	n := 0
	for i, p := range people {
		for _, v := range values[i] {
			p.want(links[v.key()], origin{source: v.source(), doubt: doubtOf(v.source())}, &r)
		}
		paths, err := closure.Paths(ctx, refs[i])
		if err != nil {
			return nil, err
		}
		if t.Stores.Members == nil {
			sortByGrant(paths, p, &r)
		}
		for _, path := range paths {
			if l := links[host.GroupSource(path.GroupID)]; l.IsLinked() {
				p.want(l, originOf(path, l.Source, r.isNamedBelow(closure, path), doubtOf), &r)
			}
		}
		n += p.wanted()
		if err := checkSize(len(people), i+1, n); err != nil {
			return nil, err
		}
	}
	return links, nil
}

func groupSources(ids []string) []host.Source {
	all := make([]host.Source, 0, len(ids)+2)
	for _, id := range ids {
		all = append(all, host.GroupSource(id))
	}
	return all
}

// closure reads the groups of users that give roles.
func (t tenant) closure(ctx context.Context, users []host.Ref, r run, by map[string]*person) (*directory.Closure, error) {
	if t.Roles.WithoutGroups {
		return &directory.Closure{}, nil
	}
	return t.dir.Closure(ctx, users, r.view.filter(), r.view.joining(by)...)
}

// origin says how a source reaches a user.
type origin struct {
	source  host.Source
	via     string // the user's own group, if the source is a group above it
	isNamed bool   // the client has just named the user in a group below the source
	doubt   doubt
}

// originOf says how a group reaches a user.
func originOf(path directory.Path, source host.Source, isNamed bool, doubtOf func(host.Source) doubt) origin {
	from := origin{source: source, isNamed: isNamed, doubt: doubtOf(source)}
	if path.Distance > 0 {
		from.via = path.Via
	}
	return from
}

// want adds the roles that a source gives, or will give after a confirmation.
func (p *person) want(l host.Link, from origin, r *run) {
	for _, linked := range l.Roles {
		role, source := linked.Role, from.source
		if l.HasNewer() && !p.isFor(l, linked, source, r) {
			continue
		}
		isFor := everybody
		if linked.Newer {
			isFor = thisUser
		}
		named := r.naming(l.Source, p.id, role.Key())
		if !linked.Confirmed && named != byApplication && !p.isConfirmed(l, linked) {
			p.unconfirmed = append(p.unconfirmed, want{role: role, sources: []host.Source{source}, declined: linked.Declined, isFor: isFor})
			continue
		}
		if !linked.Confirmed {
			// All values of an attribute share one source. What is decided about one value must
			// not be taken for a decision about another one.
			isFor, source = thisUser, l.Source
		}
		if named == unnamed && from.isNamed {
			named = byClient
		}
		i := slices.IndexFunc(p.wants, func(w want) bool { return w.role.Key() == role.Key() })
		if i < 0 {
			i = len(p.wants)
			p.wants = append(p.wants, want{role: role})
		}
		w := &p.wants[i]
		w.isFor = max(w.isFor, isFor)
		if j := slices.Index(w.sources, source); j >= 0 { // two values of one attribute share a source
			w.named[j] = max(w.named[j], named)
			continue
		}
		w.sources = append(w.sources, source)
		w.via = append(w.via, from.via)
		w.named = append(w.named, named)
		if w.doubts != nil || !from.doubt.at.IsZero() {
			w.doubts = append(w.doubts, make([]doubt, len(w.sources)-1-len(w.doubts))...)
			w.doubts = append(w.doubts, from.doubt)
		}
	}
}

// wanted counts the roles that sources give, or will give.
func (p *person) wanted() int {
	n := len(p.unconfirmed)
	for _, w := range p.wants {
		n += len(w.sources)
	}
	return n
}

// isConfirmed reports whether the application has decided about this user alone, although it
// has not confirmed that the source gives the role. Only such a decision makes a grant from a
// link that is not confirmed. An older grant is from a link before this one. A newer role has
// a waiting grant in any case.
func (p *person) isConfirmed(l host.Link, linked host.LinkedRole) bool {
	return slices.ContainsFunc(p.entries, func(g host.Grant) bool {
		return g.Role() == linked.Role.Key() && g.Source == l.Source && g.State != host.GrantRetained && !g.At.Before(l.At) &&
			(!linked.Newer || g.IsHeld())
	})
}

// sortByGrant orders memberships of one user whose time is unknown by their grants. Groups that
// give something already come first, the oldest grant first, and all groups in order of distance.
// A grant whose time the run renews is as a new one.
func sortByGrant(paths []directory.Path, p *person, r *run) {
	at := map[string]time.Time{} // by group
	for _, g := range p.entries {
		if group, ok := g.Source.Group(); ok && !isRenewed(g, r.naming(g.Source, p.id, g.Role())) {
			if was, known := at[group]; !known || g.At.Before(was) {
				at[group] = g.At
			}
		}
	}
	slices.SortStableFunc(paths, func(a, b directory.Path) int {
		x, given := at[a.GroupID]
		y, too := at[b.GroupID]
		switch {
		case a.Distance != b.Distance:
			return a.Distance - b.Distance
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
