package projection

import (
	"context"
	"slices"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
	"github.com/scimkit/scim/store/sqlstore/internal/search"
)

// IsClaimed reports whether a client has claimed a resource. Without a table of the
// application there is nothing unclaimed.
func (f *Follower) IsClaimed(ctx context.Context, ref scim.Ref) (bool, error) {
	if f.tables[ref.Type] == nil {
		return true, nil
	}
	if len(dialect.Storable([]string{ref.ID})) == 0 {
		return false, nil
	}
	return f.projections.IsClaimed(ctx, ref)
}

// Claim records that a client has claimed a resource. It returns scim.ErrNotFound for an
// unknown one.
func (f *Follower) Claim(ctx context.Context, ref scim.Ref) error {
	if f.tables[ref.Type] == nil {
		return nil
	}
	if err := f.Follow(ctx); err != nil {
		return err
	}
	if len(dialect.Storable([]string{ref.ID})) == 0 {
		return scim.ErrNotFound
	}
	return f.projections.Claim(ctx, ref)
}

// ClaimMembers records that a client has named members of a group, and so has claimed the
// group. isClaimed says that it had claimed the group before. added are those of named that
// are new.
func (f *Follower) ClaimMembers(ctx context.Context, groupID string, isClaimed bool, named, added []scim.Ref) error {
	if len(named) == 0 {
		return nil
	}
	if !isClaimed && f.tables[search.GroupType] != nil {
		if err := f.projections.Claim(ctx, scim.Ref{Type: search.GroupType, ID: groupID}); err != nil {
			return err
		}
	}
	if f.joins == nil || len(added) == len(named) { // New memberships are claimed.
		return nil
	}
	isNew := make(map[scim.Ref]bool, len(added))
	for _, r := range added {
		isNew[r] = true
	}
	return f.members.Claim(ctx, groupID, slices.DeleteFunc(slices.Clone(named), func(r scim.Ref) bool { return isNew[r] }))
}

// Exempt returns those of the users whose rows are Exempt.
func (f *Follower) Exempt(ctx context.Context, ids []string) (exempt []string, err error) {
	t := f.tables[search.UserType]
	if t == nil || t.Exempt == "" {
		return nil, nil
	}
	// A client may send any text as an id, and a column does not accept all of them.
	known, err := f.projections.Known(ctx, search.UserType, ids)
	if err != nil || len(known) == 0 {
		return nil, err
	}
	err = f.db.Read(ctx, func() error {
		exempt = nil
		for part := range slices.Chunk(known, dialect.MaxArguments) {
			some, err := t.ReadExempt(ctx, part)
			if err != nil {
				return err
			}
			exempt = append(exempt, some...)
		}
		return nil
	})
	return exempt, err
}

// UnclaimedMembers lists members of a group that only the application has named, in order,
// after one of them.
func (f *Follower) UnclaimedMembers(ctx context.Context, groupID string, after scim.Ref, limit int) ([]scim.Ref, error) {
	if f.joins == nil {
		return nil, nil
	}
	return f.members.Unclaimed(ctx, groupID, after, limit)
}
