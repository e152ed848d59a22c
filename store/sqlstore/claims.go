package sqlstore

import (
	"context"
	"fmt"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
)

var (
	_ scim.Claimer  = (*Store)(nil)
	_ scim.Exempter = (*Store)(nil)

	_ scim.ClientKeeper = (*Store)(nil)
)

// Unclaimed says where clients see rows of the application that no client has claimed.
type Unclaimed int

const (
	// ListUnclaimed shows them like all others. A client that imports users needs it.
	ListUnclaimed Unclaimed = iota
	// FindUnclaimed leaves them out of lists, and of their totals. Clients still find one by
	// an equality of id, userName, externalId, displayName or emails.value, and read and
	// write it by its id. So clients adopt people whom they know, and do not see others.
	FindUnclaimed
	// HideUnclaimed hides them. To clients they do not exist until a rule such as
	// Store.Adopt adopts them, or the application calls Store.Claim. Their unique values
	// are taken. Hidden users and groups are not shown as members and get no roles.
	HideUnclaimed
)

// IsClaimed implements scim.Claimer. Resources of a type without a Table are claimed: only
// clients create them. A row of the application is claimed after a client has created,
// adopted or changed it. It becomes unclaimed if the application hides it or erases it.
func (s *Store) IsClaimed(ctx context.Context, ref scim.Ref) (bool, error) {
	yes, err := s.app.IsClaimed(ctx, ref)
	if err != nil {
		return false, fmt.Errorf("sqlstore: claim of %s %q: %w", ref.Type, ref.ID, err)
	}
	return yes, nil
}

// Claim implements scim.Claimer. The application may call it for a row that clients may
// delete from now on. An unknown resource is scim.ErrNotFound.
func (s *Store) Claim(ctx context.Context, ref scim.Ref) error {
	return s.db.Write(ctx, func(ctx context.Context) error { return s.app.Claim(ctx, ref) })
}

// UnclaimedMembers implements scim.Claimer. These are memberships in the table of
// Options.Members. Without it there are none: then only clients add members.
func (s *Store) UnclaimedMembers(ctx context.Context, groupID string, after scim.Ref, limit int) ([]scim.Ref, error) {
	if len(dialect.Storable([]string{groupID, after.Type, after.ID})) < 3 {
		return nil, ctx.Err()
	}
	all, err := s.app.UnclaimedMembers(ctx, groupID, after, limit)
	if err != nil {
		return nil, fmt.Errorf("sqlstore: unclaimed members of group %q: %w", groupID, err)
	}
	return all, nil
}

// Exempt implements scim.Exempter: Table.Exempt says who is exempt. A struct that embeds
// the Store may have a method of its own instead.
func (s *Store) Exempt(ctx context.Context, userIDs []string) ([]string, error) {
	return s.app.Exempt(ctx, userIDs)
}

// ClientsOf implements scim.ClientKeeper.
func (s *Store) ClientsOf(ctx context.Context, refs []scim.Ref) (map[scim.Ref]string, error) {
	all, err := s.resources.ClientsOf(ctx, refs)
	if err != nil {
		return nil, fmt.Errorf("sqlstore: clients: %w", err)
	}
	return all, nil
}
