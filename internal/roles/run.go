package roles

import (
	"context"
	"slices"
	"time"

	"github.com/scimkit/scim/internal/directory"
	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/host"
)

// run is one reconciliation of some users. If it names groups or values, it also covers all
// who belong to the groups, themselves or through groups in them, and all users with one of
// the values.
type run struct {
	ids    []string
	group  string   // the group that gives something else than before
	below  []string // groups that join or leave another group
	values []value
	// namedIn is a source. The client has just named the users in named as members of this
	// group, or as owners of this value.
	namedIn host.Source
	named   map[string]bool
	writes  writes
	// confirms is the role that the application confirms in namedIn.
	confirms host.RoleKey
	cause    cause
	view     view
	ending   EndHow // not "": SCIM ends for the tenant, and how
	ahead    bool   // revoke only, and leave the ledger as it is, because a write follows
}

// writes says what the writes of a client name, apart from the users in run.named.
type writes struct {
	fresh freshValues // what the client has just given to the users in run.named
	// with are the runs of several writes that the run covers. Only they say who names whom.
	with []run
}

// freshValues are values of role attributes that a client has just given to a user.
type freshValues struct {
	// found are the roles that the resolver has just named for values, by the keys of the
	// values.
	found map[host.Source][]host.RoleKey
	// named are the keys of the values, if the application distrusts sources.
	named map[host.Source]bool
}

// cause is why a reconciliation runs.
type cause int

const (
	clientWrites        cause = iota
	applicationReports        // the application reports that its roles or its mapping changed
	applicationConfirms       // the application confirms one role; counts as naming all users in namedIn
	applicationRepairs        // the application asks for what is due; guards do not judge it
	userLeaves                // a client deactivates or deletes the user
	userReturns               // a client makes the user active again
)

// together is one run for those of several writes.
func together(runs []run) run {
	if len(runs) == 1 {
		return runs[0]
	}
	all := run{writes: writes{with: runs}, cause: runs[0].cause}
	for _, r := range runs {
		all.ids = append(all.ids, r.ids...)
		if r.group != "" {
			all.below = append(all.below, r.group)
		}
		all.below = append(all.below, r.below...)
		all.values = append(all.values, r.values...)
		switch {
		case r.cause == all.cause:
		case r.cause == userReturns || all.cause == userReturns:
			all.cause = userReturns
		default:
			all.cause = clientWrites
		}
	}
	return all
}

// naming says who names a user in a source. The application names a user for one role.
func (r *run) naming(source host.Source, userID string, role host.RoleKey) naming {
	most := r.ownNaming(source, userID, role)
	for i := range r.writes.with {
		most = max(most, r.writes.with[i].naming(source, userID, role))
	}
	return most
}

func (r *run) ownNaming(source host.Source, userID string, role host.RoleKey) naming {
	switch {
	case r.writes.fresh.named[source] && r.named[userID]:
		return byClient
	case source != r.namedIn:
		return unnamed
	case r.cause == applicationConfirms && role != r.confirms:
		return unnamed
	case r.cause == applicationConfirms && r.named[userID]:
		return byApplication
	case r.cause == applicationConfirms:
		return byClient // whom the application declined goes on waiting
	case r.named[userID]:
		return byClient
	}
	return unnamed
}

// isNamedBelow reports whether the client names a user in a group through which the user
// belongs to the group of a path.
func (r *run) isNamedBelow(c *directory.Closure, p directory.Path) bool {
	if slices.ContainsFunc(r.writes.with, func(of run) bool { return of.isNamedBelow(c, p) }) {
		return true
	}
	if !r.named[p.Member.ID] || r.cause == applicationConfirms {
		return false
	}
	group, ok := r.namedIn.Group()
	return ok && c.Reaches(group, p.GroupID)
}

// found returns the roles that the resolver has just named for a value that a client has given
// to a user. ok says whether it has.
func (r *run) found(value host.Source, userID string) (roles []host.RoleKey, ok bool) {
	for i := range r.writes.with {
		if roles, ok := r.writes.with[i].found(value, userID); ok {
			return roles, true
		}
	}
	roles, ok = r.writes.fresh.found[value]
	return roles, ok && r.named[userID]
}

// view is the change that an operation is about to make. Readers lay it over the stored
// data.
type view struct {
	user    *doc.Document     // the user as the operation will store it
	deleted string            // the id of a user being deleted
	gone    string            // the id of a group being deleted
	members bool              // the run covers the members of gone, and not only to whom it gives something
	from    string            // the id of the group that the members in left have left
	left    map[host.Ref]bool // these members
	joins   []string          // the ids of users who join the group from
	link    *host.Link        // the new link of a group
	again   *again            // look up the roles of sources again
	off     []host.Source     // sources that are switched off: the run covers all to whom they give something
	// relinked are the new links of sources whose roles are gone.
	relinked []host.Link
	// trusts is a source that the application is about to trust; standingSource: all of them.
	trusts host.Source
}

// again says which sources to look up again: one, or all if it is "". now is the time.
type again struct {
	only host.Source
	now  time.Time
}

// keeps reports whether a membership still exists after the operation.
func (v *view) keeps(m host.Membership) bool {
	return m.GroupID != v.gone && m.Member != groupRef(v.gone) && (m.GroupID != v.from || !v.left[m.Member])
}

// joining lists the memberships in the group from that users get.
func (v *view) joining(users map[string]*person) (all []host.Membership) {
	for _, id := range v.joins {
		if users[id] != nil {
			all = append(all, host.Membership{GroupID: v.from, Member: userRef(id)})
		}
	}
	return all
}

// filter is keeps for directory.Closure.
func (v *view) filter() func(host.Membership) bool {
	if v.gone == "" && v.from == "" {
		return nil
	}
	return v.keeps
}

// eachBatch calls fn with the users of a run in batches. All users come in order of id,
// because fn locks them.
func (t tenant) eachBatch(ctx context.Context, r run, fn func(ids []string) error) error {
	if len(r.view.off) > 0 {
		return t.eachGranted(ctx, fn, r.view.off...)
	}
	ids := slices.Clone(r.ids)
	for _, v := range r.values {
		owners, err := t.owners(ctx, v)
		if err != nil {
			return err
		}
		ids = append(ids, owners...)
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	if r.group != "" || len(r.below) > 0 {
		err := t.eachOfGroups(ctx, r, func(users []string) error {
			n, isThere := slices.BinarySearch(ids, users[len(users)-1])
			if isThere {
				n++
			}
			users, ids = slices.Concat(ids[:n], users), ids[n:]
			slices.Sort(users)
			return chunks(slices.Compact(users), fn)
		})
		if err != nil {
			return err
		}
	}
	return chunks(ids, fn)
}

// chunks calls fn with the ids in batches.
func chunks(ids []string, fn func(ids []string) error) error {
	for chunk := range slices.Chunk(ids, directory.Batch) {
		if err := fn(chunk); err != nil {
			return err
		}
	}
	return nil
}

// eachOfGroups calls fn with the users of the groups of a run, in order of id.
func (t tenant) eachOfGroups(ctx context.Context, r run, fn func(ids []string) error) error {
	switch {
	case r.group == "":
		return t.dir.UsersBelow(ctx, r.below, fn)
	case r.group == r.view.gone && t.Roles.Sources != nil:
		if r.view.members {
			return t.eachOfGone(ctx, r.group, fn)
		}
		return t.eachGranted(ctx, fn, host.GroupSource(r.group))
	}
	return t.dir.UsersBelow(ctx, append(slices.Clone(r.below), r.group), fn)
}

// isEmpty reports whether a run that names no values covers nobody.
func (r *run) isEmpty() bool { return len(r.ids) == 0 && r.group == "" && len(r.below) == 0 }

// groupIDs lists the ids of those references that name groups.
func groupIDs(list []host.Ref) []string {
	var ids []string
	for _, r := range list {
		if r.Type == "Group" {
			ids = append(ids, r.ID)
		}
	}
	return ids
}

// userIDs lists the ids of those references that name users, in order.
func userIDs(list []host.Ref) []string {
	var ids []string
	for _, r := range list {
		if isUser(r) {
			ids = append(ids, r.ID)
		}
	}
	slices.Sort(ids)
	return ids
}
