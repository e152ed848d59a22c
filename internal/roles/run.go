package roles

import (
	"context"
	"errors"
	"slices"

	"github.com/scimkit/scim/internal/directory"
	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/host"
)

// run is one reconciliation: of some users, and, if it names a group or a value, of all
// members of the group or all users who have the value.
type run struct {
	ids   []string
	group string
	value value
	// namedIn is a source's link key. The client has just named the users in named as
	// members of that group, or as owners of that value.
	namedIn host.Source
	named   map[string]bool
	cause   cause
	view    view
	ahead   bool // revoke only, and leave the ledger as it is: a write is to follow
}

// cause is why a reconciliation runs.
type cause int

const (
	clientWrites        cause = iota
	applicationReports        // that its roles or its mapping changed
	applicationConfirms       // as if all users were named in namedIn
)

// isNamed reports whether the client, or the application, names a user in a source.
func (r *run) isNamed(source host.Source, userID string) bool {
	return source == r.namedIn && (r.cause == applicationConfirms || r.named[userID])
}

// view is what an operation is about to change, laid over what is stored.
type view struct {
	user    *doc.Document   // this user will be so
	deleted string          // this user
	gone    string          // this group is deleted
	from    string          // the group that the users in left have left
	left    map[string]bool // by user id
	link    *host.Link      // a group's link
}

// keeps reports whether the operation leaves a membership in place.
func (v *view) keeps(m host.Membership) bool {
	return m.GroupID != v.gone && (m.GroupID != v.from || !v.left[m.Member.ID])
}

// eachBatch calls fn with the users of a run, in order of id within each batch.
func (t tenant) eachBatch(ctx context.Context, r run, fn func(ids []string) error) error {
	ids := slices.Clone(r.ids)
	slices.Sort(ids)
	for chunk := range slices.Chunk(slices.Compact(ids), directory.Batch) {
		if err := fn(chunk); err != nil {
			return err
		}
	}
	switch {
	case r.value.attr != nil:
		return t.eachOwner(ctx, r.value, fn)
	case r.group == "":
		return nil
	case r.group == r.view.gone && t.Roles.Sources != nil:
		return t.eachGranted(ctx, host.GroupSource(r.group), fn)
	}
	g, err := t.Stores.Get(ctx, groupRef(r.group))
	if errors.Is(err, host.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
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

// userIDs lists the ids of those references that are to users, in order.
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
