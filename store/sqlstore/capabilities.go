package sqlstore

import (
	"context"
	"fmt"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
	"github.com/scimkit/scim/store/sqlstore/internal/owntables"
)

// Get implements scim.Store.
func (s *Store) Get(ctx context.Context, ref scim.Ref) (r *scim.Resource, err error) {
	if err := s.app.Follow(ctx); err != nil {
		return nil, err
	}
	return s.resources.Get(ctx, ref)
}

// List implements scim.Store. Pages in order of creation cost the same at any depth with
// Query.After. An index answers equality of id, userName, externalId, displayName and
// emails.value, and those of Options.Indexes more. Other filters and sort orders are exact,
// but read all resources of the type.
func (s *Store) List(ctx context.Context, t *scim.ResourceType, q *scim.Query) (*scim.Page, error) {
	if q.IDs != nil && len(q.IDs) == 0 {
		return &scim.Page{}, ctx.Err()
	}
	if err := s.app.Follow(ctx); err != nil {
		return nil, err
	}
	return s.resources.List(ctx, s.members, t, q)
}

// writer writes the resources of a type.
type writer interface {
	Create(ctx context.Context, r *scim.Resource) (*scim.Resource, error)
	Update(ctx context.Context, ref scim.Ref, fn func(before *scim.Resource) (*scim.Resource, error)) (*scim.Resource, error)
	Delete(ctx context.Context, ref scim.Ref, check func(before *scim.Resource) error) error
}

// writerOf returns the writer of a type.
func writerOf(s *Store, typ string) writer {
	if s.app.Table(typ) != nil {
		return s.app.Writer(typ)
	}
	return s.resources
}

// Create implements scim.Store. A resource needs an id, which the handler gives, unless the
// database generates the keys of its Table. Times are kept to the microsecond.
func (s *Store) Create(ctx context.Context, r *scim.Resource) (*scim.Resource, error) {
	return writerOf(s, r.Type().Name()).Create(ctx, r)
}

// Update implements scim.Store.
func (s *Store) Update(ctx context.Context, ref scim.Ref, fn func(before *scim.Resource) (*scim.Resource, error)) (*scim.Resource, error) {
	return writerOf(s, ref.Type).Update(ctx, ref, fn)
}

// Delete implements scim.Store. It also removes the resource's memberships, in either
// direction.
func (s *Store) Delete(ctx context.Context, ref scim.Ref, check func(before *scim.Resource) error) error {
	return writerOf(s, ref.Type).Delete(ctx, ref, check)
}

// Members implements scim.MemberStore. An unknown group has no members.
func (s *Store) Members(ctx context.Context, groupID string, after scim.Ref, limit int) ([]scim.Member, error) {
	if len(dialect.Storable([]string{groupID, after.Type, after.ID})) < 3 {
		return nil, ctx.Err()
	}
	if err := s.app.Follow(ctx); err != nil {
		return nil, err
	}
	return s.members.Page(ctx, groupID, after, limit)
}

// GetWithGroups implements scim.GroupReader. It is one statement.
func (s *Store) GetWithGroups(ctx context.Context, userID string) (*scim.Resource, []scim.Membership, error) {
	if err := s.app.Follow(ctx); err != nil {
		return nil, nil, err
	}
	return s.resources.GetWithGroups(ctx, s.members, userID)
}

// GroupsOf implements scim.MemberStore.
func (s *Store) GroupsOf(ctx context.Context, members []scim.Ref) ([]scim.Membership, error) {
	if err := s.app.Follow(ctx); err != nil {
		return nil, err
	}
	return s.members.GroupsOf(ctx, members)
}

// ChangeMembers implements scim.MemberStore. It does not add a member that was deleted
// meanwhile. One member costs the same in a group of any size.
func (s *Store) ChangeMembers(ctx context.Context, groupID string, add, remove []scim.Ref) (added, removed []scim.Ref, err error) {
	err = s.db.Write(ctx, func(ctx context.Context) error {
		if err := s.app.Follow(ctx); err != nil {
			return err
		}
		isClaimed := owntables.IsLocked(ctx, s.db, scim.Ref{Type: "Group", ID: groupID}) // Then it has no Table.
		if !isClaimed {
			if isClaimed, err = s.members.Lock(ctx, groupID); err != nil {
				return err
			}
		}
		removed, err = s.members.Remove(ctx, groupID, remove)
		if err != nil {
			return err
		}
		added, err = s.members.Add(ctx, groupID, add)
		if err == nil {
			err = s.app.ClaimMembers(ctx, groupID, isClaimed, add, added)
		}
		if err == nil {
			added, err = s.app.ChangeJoins(ctx, groupID, added, removed)
		}
		return err
	})
	if err != nil {
		return nil, nil, fmt.Errorf("sqlstore: change members of group %q: %w", groupID, err)
	}
	return added, removed, nil
}

// ChangeMember implements scim.MemberChanger. It is one statement in PostgreSQL, of a Store without
// Tables. Otherwise its error is errors.ErrUnsupported.
func (s *Store) ChangeMember(ctx context.Context, c scim.MemberChange) (scim.MemberChanged, error) {
	return s.own.ChangeMember(ctx, c)
}
