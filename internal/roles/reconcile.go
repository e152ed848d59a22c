package roles

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/scimkit/scim/internal/directory"
	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/keylock"
)

// Run is one reconciliation: of some users, and of all members of a group, or all who
// have a value, if it names one.
type Run struct {
	IDs     []string
	group   string
	value   roleValue
	namedIn string          // the group as whose members, or the link of the value as whose owners,
	named   map[string]bool // the client has just named these users
	confirm bool            // the application confirms: as if all were named
	view    view
	ahead   bool // only revoke, and leave the ledger as it is: a write is to follow
}

// view is what a request is about to change, laid over what is stored.
type view struct {
	user    *doc.Document   // this user will be so
	deleted string          // this user
	gone    string          // this group is deleted
	left    map[string]bool // these users have left leftGroup
	from    string
	link    *host.Link // this group's link
}

// want reports whether the request still leaves m in place.
func (v *view) has(m host.Membership) bool {
	return m.GroupID != v.gone && (m.GroupID != v.from || !v.left[m.Member.ID])
}

// reconcile brings roles in line, now if they commit with the store, else after its
// commit. In the latter case the ledger notes the intentions with the store.
func (w *Work) Reconcile(ctx context.Context, r Run) error {
	if w.t.Roles == nil {
		return nil
	}
	if w.t.Roles.Joint || r.ahead {
		return w.settleAll(ctx, r)
	}
	w.later = append(w.later, r)
	if w.t.Stores.Tx == nil {
		return nil
	}
	return w.eachBatch(ctx, r, func(ids []string) error {
		outs, err := w.outcomes(ctx, ids, r)
		if err != nil {
			return err
		}
		w.tellEarly(outs)
		return w.record(ctx, collect(outs, func(p *outcome) []host.Grant { return p.put }), nil)
	})
}

// settleAll settles all users of a run.
func (w *Work) settleAll(ctx context.Context, r Run) error {
	return w.eachBatch(ctx, r, func(ids []string) error { return w.settle(ctx, ids, r) })
}

// eachBatch calls fn with the users of a run.
func (w *Work) eachBatch(ctx context.Context, r Run, fn func(ids []string) error) error {
	ids := slices.Clone(r.IDs)
	slices.Sort(ids)
	for chunk := range slices.Chunk(slices.Compact(ids), directory.Batch) {
		if err := fn(chunk); err != nil {
			return err
		}
	}
	switch {
	case r.value.attr != nil:
		return w.eachUserWith(ctx, r.value, fn)
	case r.group == "":
		return nil
	case r.group == r.view.gone && w.t.Roles.Sources != nil:
		return w.eachUserOf(ctx, source(r.group), fn)
	}
	g, err := w.t.Stores.Get(ctx, host.Ref{Type: "Group", ID: r.group})
	if errors.Is(err, host.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return w.dir.EachMember(ctx, g, func(page []host.Ref) error {
		if users := userIDs(page); len(users) > 0 {
			return fn(users)
		}
		return nil
	})
}

// eachUserOf calls fn with the users to whom a source gives something.
func (w *Work) eachUserOf(ctx context.Context, source string, fn func(ids []string) error) error {
	for after := ""; ; {
		ids, err := w.t.Roles.Sources.SourceUsers(ctx, source, after, directory.Batch)
		if err != nil || len(ids) == 0 {
			return err
		}
		if err := fn(ids); err != nil {
			return err
		}
		after = ids[len(ids)-1]
	}
}

func userIDs(list []host.Ref) []string {
	var ids []string
	for _, r := range list {
		if r.Type == "User" {
			ids = append(ids, r.ID)
		}
	}
	slices.Sort(ids)
	return ids
}

// settle reconciles at most a directory.Batch of users, each atomically.
func (w *Work) settle(ctx context.Context, ids []string, r Run) error {
	for try := 0; ; try++ {
		err := w.settleOnce(ctx, ids, r)
		if !errors.Is(err, host.ErrNoRole) || try == 3 {
			return err
		}
		// A role that a group is linked to is gone and nobody told us.
		if err := w.unlinkGone(ctx, ids); err != nil {
			return err
		}
	}
}

func (w *Work) settleOnce(ctx context.Context, ids []string, r Run) error {
	var outs []*outcome
	leading := func() []host.Grant { return collect(outs, func(p *outcome) []host.Grant { return p.put }) }
	carry := func(ctx context.Context) (err error) {
		if outs, err = w.outcomes(ctx, ids, r); err != nil || !r.ahead {
			return err
		}
		return w.carryAhead(ctx, outs, r)
	}
	finish := func(ctx context.Context) error {
		drop := collect(outs, func(p *outcome) []host.Grant { return p.drop })
		if r.view.gone != "" && w.t.Roles.Sources != nil { // endAfter drops them all at once
			drop = slices.DeleteFunc(drop, func(g host.Grant) bool { return g.Source == source(r.view.gone) })
		}
		return w.record(ctx, collect(outs, func(p *outcome) []host.Grant { return p.putAfter }), drop)
	}
	var err error
	if !w.t.Roles.Joint && !(r.ahead && w.t.Stores.Tx != nil) {
		// One user at a time: nothing read before the lock counts. A ledger that is not
		// in the store's transaction cannot lock there.
		keys := make([]string, len(ids))
		for i, id := range ids {
			keys[i] = keylock.Key(w.t.ID, "role", id)
		}
		defer w.s.Locks.Lock(keys...)()
	}
	switch {
	case w.t.Stores.Tx == nil:
		if err = carry(ctx); err != nil || r.ahead {
			return err
		}
		if err = w.record(ctx, leading(), nil); err == nil {
			if err = w.change(ctx, outs); err == nil {
				err = finish(ctx)
			}
		}
	case w.t.Roles.Joint:
		err = w.t.Stores.Tx.InTx(ctx, func(ctx context.Context) error {
			if err := carry(ctx); err != nil || r.ahead {
				return err
			}
			if err := w.record(ctx, leading(), nil); err != nil {
				return err
			}
			if err := w.change(ctx, outs); err != nil {
				return err
			}
			return finish(ctx)
		})
	case r.ahead:
		return carry(ctx)
	default:
		// The resolver's changes do not commit with the ledger: intentions are committed
		// first, and the change is made under the same users' lock with the rest. What
		// the second look wants beyond the noted intentions goes round again.
		for noted := false; !noted && err == nil; {
			err = w.t.Stores.Tx.InTx(ctx, func(ctx context.Context) error {
				if err := carry(ctx); err != nil {
					return err
				}
				return w.record(ctx, leading(), nil)
			})
			if err != nil {
				break
			}
			w.tellEarly(outs)
			err = w.t.Stores.Tx.InTx(ctx, func(ctx context.Context) error {
				if err := carry(ctx); err != nil {
					return err
				}
				if noted = len(leading()) == 0; !noted {
					return nil
				}
				if err := w.change(ctx, outs); err != nil {
					return err
				}
				return finish(ctx)
			})
		}
	}
	if err != nil {
		return err
	}
	w.tellEarly(outs)
	for _, p := range outs {
		w.Tell(p.events...)
	}
	return nil
}

// tellEarly tells what is so as soon as the intentions are in the ledger.
func (w *Work) tellEarly(outs []*outcome) {
	for _, p := range outs {
		w.Tell(p.early...)
		p.early = nil
	}
}

func collect(outs []*outcome, of func(*outcome) []host.Grant) []host.Grant {
	n := 0
	for _, p := range outs {
		n += len(of(p))
	}
	all := make([]host.Grant, 0, n)
	for _, p := range outs {
		all = append(all, of(p)...)
	}
	return all
}

func (w *Work) record(ctx context.Context, put, drop []host.Grant) error {
	if len(put)+len(drop) == 0 {
		return nil
	}
	return w.t.Roles.Ledger.Record(ctx, put, drop)
}

func (w *Work) change(ctx context.Context, outs []*outcome) error {
	changes := make([]host.RoleChange, 0, len(outs))
	for _, p := range outs {
		if p.changes() {
			changes = append(changes, p.change)
		}
	}
	if len(changes) == 0 {
		return nil
	}
	return w.t.Roles.Resolver.ChangeRoles(ctx, changes)
}

// outcomes reads what decides about the users' roles, under their lock, and applies
// the rules.
func (w *Work) outcomes(ctx context.Context, ids []string, r Run) ([]*outcome, error) {
	people, err := w.people(ctx, ids, r)
	if err != nil {
		return nil, err
	}
	outs := make([]*outcome, len(people))
	now := w.now()
	for i, p := range people {
		outs[i] = plan(w.t.Roles, p, now)
	}
	return outs, nil
}

func (w *Work) people(ctx context.Context, ids []string, r Run) ([]*person, error) {
	// First: in a transaction this locks the users.
	grants, err := w.t.Roles.Ledger.Grants(ctx, ids)
	if err != nil {
		return nil, err
	}
	people := make([]*person, len(ids))
	by := make(map[string]*person, len(ids))
	refs := make([]host.Ref, len(ids))
	for i, id := range ids {
		people[i] = &person{id: id, deleted: id == r.view.deleted}
		by[id], refs[i] = people[i], host.Ref{Type: "User", ID: id}
	}
	for _, g := range grants {
		if p := by[g.UserID]; p != nil {
			p.entries = append(p.entries, g)
		}
	}
	var users map[string]*doc.Document
	if w.t.Roles.Attributes != nil {
		if users, err = w.usersOf(ctx, ids, r); err != nil {
			return nil, err
		}
	}
	links, err := w.wants(ctx, people, by, refs, users, r)
	if err != nil {
		return nil, err
	}
	if role := links[r.view.gone].Role; w.t.Roles.Joint && role.ID != "" && onlyFrom(people, r.view.gone, role.ID) {
		for _, p := range people {
			p.held = []host.Role{role}
		}
		return people, nil
	}
	held, err := w.t.Roles.Resolver.HeldRoles(ctx, ids)
	if err != nil {
		return nil, err
	}
	for id, roles := range held {
		if p := by[id]; p != nil {
			p.held = roles
		}
	}
	// It matters for those whom a group gives something, and a user is a lot to read.
	var wanting []string
	for _, p := range people {
		if len(p.wants) > 0 {
			wanting = append(wanting, p.id)
		}
	}
	if users == nil {
		if users, err = w.usersOf(ctx, wanting, r); err != nil {
			return nil, err
		}
	}
	for id, u := range users {
		by[id].active = u.Active() && !by[id].deleted
	}
	return people, nil
}

// usersOf reads users, by id, as they will be.
func (w *Work) usersOf(ctx context.Context, ids []string, r Run) (map[string]*doc.Document, error) {
	users := make(map[string]*doc.Document, len(ids))
	err := w.dir.ByID(ctx, w.t.Types.User, ids, func(u *doc.Document) {
		if r.view.user != nil && r.view.user.ID == u.ID {
			u = r.view.user
		}
		users[u.ID] = u
	})
	return users, err
}

// onlyFrom reports whether nothing gives these people anything, and all that they were ever
// given is the role of a group that is about to go. Then what the ledger says is revoked,
// and who holds it need not be asked: revoking what is not held is no error.
func onlyFrom(people []*person, group, roleID string) bool {
	from := source(group)
	for _, p := range people {
		if len(p.wants) > 0 || slices.ContainsFunc(p.entries, func(g host.Grant) bool { return g.Source != from || g.RoleID != roleID }) {
			return false
		}
	}
	return true
}

// wants fills in the roles that attributes and groups give, and returns the links of the
// groups and values.
func (w *Work) wants(ctx context.Context, people []*person, by map[string]*person, refs []host.Ref, users map[string]*doc.Document, r Run) (map[string]host.Link, error) {
	ms, err := w.dir.GroupsOf(ctx, refs)
	if err != nil {
		return nil, err
	}
	if w.t.Stores.Members == nil {
		byGrant(ms, by)
	}
	keys := make([]string, 0, len(ms))
	for _, m := range ms {
		keys = append(keys, m.GroupID)
	}
	values := make([][]roleValue, len(people))
	for i, p := range people {
		values[i] = valuesOf(w.t, users[p.id])
		for _, v := range values[i] {
			keys = append(keys, v.link())
		}
	}
	links, err := w.links(ctx, keys)
	if err != nil {
		return nil, err
	}
	if r.view.link != nil {
		links[r.view.link.GroupID] = *r.view.link
	}
	for i, p := range people {
		for _, v := range values[i] {
			key := v.link()
			p.want(links[key], v.source(), key == r.namedIn && (r.confirm || r.named[p.id]))
		}
	}
	for _, m := range ms {
		if p := by[m.Member.ID]; p != nil && m.Member.Type == "User" && r.view.has(m) {
			p.want(links[m.GroupID], source(m.GroupID), m.GroupID == r.namedIn && (r.confirm || r.named[p.id]))
		}
	}
	return links, nil
}

// want notes a role that a source gives, or will give once it is confirmed.
func (p *person) want(l host.Link, source string, named bool) {
	switch {
	case l.Role.ID == "":
		return
	case !l.Confirmed:
		p.unconfirmed = append(p.unconfirmed, want{role: l.Role, sources: []string{source}})
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

// byGrant orders memberships whose time is not known by what they have given: those
// that give something already, oldest first, before the others.
func byGrant(ms []host.Membership, by map[string]*person) {
	at := map[host.Membership]time.Time{}
	for _, m := range ms {
		if p := by[m.Member.ID]; p != nil {
			for _, g := range p.entries {
				if g.Source == source(m.GroupID) {
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

func source(groupID string) string { return "group:" + groupID }

// links reads the links of groups, by group.
func (w *Work) links(ctx context.Context, groups []string) (map[string]host.Link, error) {
	groups = slices.Clone(groups)
	slices.Sort(groups)
	all := map[string]host.Link{}
	for chunk := range slices.Chunk(slices.Compact(groups), directory.Batch) {
		ls, err := w.t.Roles.Ledger.Links(ctx, chunk)
		if err != nil {
			return nil, err
		}
		for _, l := range ls {
			all[l.GroupID] = l
		}
	}
	return all, nil
}

// unlinkGone takes away the links of these users' groups and values whose role no longer
// exists.
func (w *Work) unlinkGone(ctx context.Context, ids []string) error {
	var refs []host.Ref
	for _, id := range ids {
		refs = append(refs, host.Ref{Type: "User", ID: id})
	}
	if err := w.unlinkGoneValues(ctx, ids); err != nil {
		return err
	}
	ms, err := w.dir.GroupsOf(ctx, refs)
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, m := range ms {
		if seen[m.GroupID] {
			continue
		}
		seen[m.GroupID] = true
		g, err := w.t.Stores.Get(ctx, host.Ref{Type: "Group", ID: m.GroupID})
		if errors.Is(err, host.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		c, err := w.relinkKnown(ctx, g)
		if err != nil {
			return err
		}
		if c.was.Role.ID != "" && c.was.Role.ID != c.now.Role.ID {
			if !w.reported {
				// Another role of the name may be there by now. It is linked like any that
				// appears: when the application says so.
				c.now, c.reason = host.Link{}, "the role is gone"
			}
			if err := w.setLink(ctx, g, c); err != nil {
				return err
			}
			w.later = append(w.later, Run{group: g.ID}) // the other members
		}
	}
	return nil
}

// follow brings roles in line with a write.
func (w *Work) Follow(ctx context.Context, before, after *doc.Document, m *Members, c *linkChange, v *valueChange) error {
	if w.t.Roles == nil {
		return nil
	}
	if after.Type == w.t.Types.User {
		if v != nil && (v.moves || len(v.others) > 0) {
			return w.followValues(ctx, after, v)
		}
		if before == nil || before.Active() == after.Active() && after.Active() {
			return nil
		}
		return w.Reconcile(ctx, Run{IDs: []string{after.ID}})
	}
	if after.Type != w.t.Types.Group {
		return nil
	}
	r := Run{IDs: userIDs(slices.Concat(m.Named, m.Dropped, m.Removed)), namedIn: after.ID, named: map[string]bool{}}
	for _, id := range userIDs(m.Named) {
		r.named[id] = true
	}
	if c != nil {
		c.now.GroupID = after.ID
		if c.write() {
			if err := w.setLink(ctx, after, c); err != nil {
				return err
			}
		}
		if c.moves() {
			r.group = after.ID
		}
	}
	if len(r.IDs) == 0 && r.group == "" {
		return nil
	}
	return w.Reconcile(ctx, r)
}
