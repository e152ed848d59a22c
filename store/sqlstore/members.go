package sqlstore

import (
	"context"
	"fmt"

	"github.com/scimkit/scim"
)

// pairs is a JSON array of arrays, to be read with {rows $n}.
func pairs[T any](all []T, of func(T) []any) string {
	out := make([][]any, len(all))
	for i, x := range all {
		out[i] = of(x)
	}
	return list(out)
}

// refs is a list of members as an argument.
func refs(all []scim.Ref) string {
	return pairs(all, func(r scim.Ref) []any { return []any{r.Type, r.ID} })
}

func storableRefs(all []scim.Ref) []scim.Ref {
	var out []scim.Ref
	for _, r := range all {
		if len(storable([]string{r.Type, r.ID})) == 2 {
			out = append(out, r)
		}
	}
	return out
}

// Members implements scim.MemberStore. An unknown group has no members.
func (s *Store) Members(ctx context.Context, groupID string, after scim.Ref, limit int) ([]scim.Ref, error) {
	if len(storable([]string{groupID, after.Type, after.ID})) < 3 {
		return nil, ctx.Err()
	}
	var all []scim.Ref
	err := s.read(ctx, func() error {
		all = nil
		return s.each(ctx, func(scan func(...any) error) error {
			var r scim.Ref
			err := scan(&r.Type, &r.ID)
			all = append(all, r)
			return err
		}, `SELECT member_type, member_id FROM {p}members WHERE tenant = $1 AND group_id = $2
			AND (member_type, member_id) > ($3, $4) ORDER BY member_type, member_id LIMIT $5`,
			groupID, after.Type, after.ID, limit)
	})
	if err != nil {
		return nil, fmt.Errorf("sqlstore: members of group %q: %w", groupID, err)
	}
	return all, nil
}

// GroupsOf implements scim.MemberStore.
func (s *Store) GroupsOf(ctx context.Context, members []scim.Ref) ([]scim.Membership, error) {
	members = storableRefs(members)
	if len(members) == 0 {
		return nil, ctx.Err()
	}
	var all []scim.Membership
	err := s.read(ctx, func() error {
		all = nil
		return s.each(ctx, func(scan func(...any) error) error {
			var m scim.Membership
			var since int64
			err := scan(&m.GroupID, &m.Member.Type, &m.Member.ID, &since)
			m.Since = fromMicros(since)
			all = append(all, m)
			return err
		}, `SELECT m.group_id, m.member_type, m.member_id, m.since
			FROM (SELECT DISTINCT e.value ->> 0 AS type, e.value ->> 1 AS id FROM {rows $2}) w
			JOIN {p}members m ON m.tenant = $1 AND m.member_type = w.type AND m.member_id = w.id`, refs(members))
	})
	if err != nil {
		return nil, fmt.Errorf("sqlstore: groups of %d members: %w", len(members), err)
	}
	return all, nil
}

// ChangeMembers implements scim.MemberStore. A member that was deleted meanwhile is
// not added. One member costs the same in a group of any size.
func (s *Store) ChangeMembers(ctx context.Context, groupID string, add, remove []scim.Ref) (added, removed []scim.Ref, err error) {
	add, remove = storableRefs(add), storableRefs(remove)
	err = s.write(ctx, func(ctx context.Context) error {
		added, removed = nil, nil // it may run again
		if err := s.lockGroup(ctx, groupID); err != nil {
			return err
		}
		collect := func(into *[]scim.Ref) func(scan func(...any) error) error {
			return func(scan func(...any) error) error {
				var r scim.Ref
				err := scan(&r.Type, &r.ID)
				*into = append(*into, r)
				return err
			}
		}
		if len(remove) > 0 {
			err := s.each(ctx, collect(&removed), `DELETE FROM {p}members WHERE tenant = $1 AND group_id = $2
				AND (member_type, member_id) IN (SELECT e.value ->> 0, e.value ->> 1 FROM {rows $3})
				RETURNING member_type, member_id`, groupID, refs(remove))
			if err != nil {
				return err
			}
		}
		if len(add) == 0 {
			return nil
		}
		// They are locked one after the other, in order, against being deleted.
		return s.each(ctx, collect(&added), `INSERT INTO {p}members (tenant, group_id, member_type, member_id, since)
			SELECT $1, $2, w.type, w.id, CAST($4 AS bigint) FROM (
				SELECT r.type, r.id FROM {p}resources r WHERE r.tenant = $1 AND r.deleted = 0
				AND (r.type, r.id) IN (SELECT e.value ->> 0, e.value ->> 1 FROM {rows $3})
				ORDER BY r.type, r.id {lock FOR KEY SHARE OF r}) w WHERE 1 = 1
			ON CONFLICT DO NOTHING RETURNING member_type, member_id`, groupID, refs(add), micros(s.now()))
	})
	if err != nil {
		return nil, nil, fmt.Errorf("sqlstore: change members of group %q: %w", groupID, err)
	}
	return added, removed, nil
}

// lockGroup locks a group, so that its members change one request after the other.
func (s *Store) lockGroup(ctx context.Context, groupID string) error {
	found := false
	if len(storable([]string{groupID})) == 1 {
		err := s.each(ctx, func(scan func(...any) error) error {
			found = true
			return nil
		}, `SELECT id FROM {p}resources WHERE tenant = $1 AND type = $2 AND id = $3 AND deleted = 0{lock  FOR NO KEY UPDATE}`, groupType, groupID)
		if err != nil {
			return err
		}
	}
	if !found {
		return scim.ErrNotFound
	}
	return nil
}
