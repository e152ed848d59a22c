package roles

import (
	"context"
	"errors"
	"slices"

	"github.com/scimkit/scim/internal/directory"
	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/member"
)

// run is one reconciliation of some users. If it names a group or values, it also covers
// all members of the group and all users with one of the values.
type run struct {
	ids    []string
	group  string
	values []value
	// namedIn is a source. The client has just named the users in named as members of this
	// group, or as owners of this value.
	namedIn host.Source
	named   map[string]bool
	// confirms is the role that the application confirms in namedIn.
	confirms host.RoleKey
	cause    cause
	view     view
	ahead    bool // revoke only, and leave the ledger as it is, because a write follows
}

// cause is why a reconciliation runs.
type cause int

const (
	clientWrites        cause = iota
	applicationReports        // the application reports that its roles or its mapping changed
	applicationConfirms       // the application confirms one role; counts as naming all users in namedIn
)

// naming says who names a user in a source. The application names a user for one role.
func (r *run) naming(source host.Source, userID string, role host.RoleKey) naming {
	switch {
	case source != r.namedIn:
		return unnamed
	case r.cause == applicationConfirms && role == r.confirms:
		return byApplication
	case r.named[userID]:
		return byClient
	}
	return unnamed
}

// view is the change that an operation is about to make. Readers lay it over the stored
// data.
type view struct {
	user    *doc.Document   // the user as the operation will store it
	deleted string          // the id of a user being deleted
	gone    string          // the id of a group being deleted
	from    string          // the id of the group that the users in left have left
	left    map[string]bool // the ids of these users
	link    *host.Link      // the new link of a group
}

// keeps reports whether a membership still exists after the operation.
func (v *view) keeps(m host.Membership) bool {
	return m.GroupID != v.gone && (m.GroupID != v.from || !v.left[m.Member.ID])
}

// eachBatch calls fn with the users of a run in batches. All users come in order of id,
// because fn locks them.
func (t tenant) eachBatch(ctx context.Context, r run, fn func(ids []string) error) error {
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
	if r.group != "" {
		err := t.eachOfGroup(ctx, r, func(users []string) error {
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

// eachOfGroup calls fn with the users of the group of a run, in order of id.
func (t tenant) eachOfGroup(ctx context.Context, r run, fn func(ids []string) error) error {
	if r.group == r.view.gone && t.Roles.Sources != nil {
		return t.eachGranted(ctx, host.GroupSource(r.group), fn)
	}
	g, err := t.Stores.Get(ctx, groupRef(r.group))
	if errors.Is(err, host.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if t.Stores.Members == nil {
		return chunks(userIDs(member.Of(g)), fn)
	}
	return t.dir.EachMember(ctx, g, func(page []host.Ref) error {
		if users := userIDs(page); len(users) > 0 {
			return fn(users)
		}
		return nil
	})
}

// eachGranted calls fn with the users to whom a source gives something.
func (t tenant) eachGranted(ctx context.Context, source host.Source, fn func(ids []string) error) error {
	for after := ""; ; {
		ids, err := t.Roles.Sources.SourceUsers(ctx, source, after, directory.Batch)
		if err != nil || len(ids) == 0 {
			return err
		}
		if err := fn(ids); err != nil {
			return err
		}
		after = ids[len(ids)-1]
	}
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
