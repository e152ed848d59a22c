package sqlstore

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"

	"github.com/scimkit/scim"
)

// byType yields the ids of members, of one type after the other, in order and each
// once.
func byType(all []scim.Ref) iter.Seq2[string, []string] {
	types := make(map[string][]string)
	for _, r := range all {
		types[r.Type] = append(types[r.Type], r.ID)
	}
	return func(yield func(string, []string) bool) {
		for _, t := range distinct(slices.Collect(maps.Keys(types))) {
			if ids := distinct(types[t]); len(ids) > 0 && !yield(t, ids) {
				return
			}
		}
	}
}

// Members implements scim.MemberStore. An unknown group has no members.
func (s *Store) Members(ctx context.Context, groupID string, after scim.Ref, limit int) ([]scim.Ref, error) {
	if len(storable([]string{groupID, after.Type, after.ID})) < 3 {
		return nil, ctx.Err()
	}
	if err := s.follow(ctx); err != nil {
		return nil, err
	}
	all := make([]scim.Ref, 0, max(0, min(limit, 1000)))
	err := s.read(ctx, func() error {
		all = all[:0]
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
	if err := s.follow(ctx); err != nil {
		return nil, err
	}
	all := make([]scim.Membership, 0, len(members))
	err := s.read(ctx, func() error {
		all = all[:0]
		for typ, ids := range byType(members) {
			err := s.each(ctx, func(scan func(...any) error) error {
				m := scim.Membership{Member: scim.Ref{Type: typ}}
				var since int64
				err := scan(&m.GroupID, &m.Member.ID, &since)
				m.Since = fromMicros(since)
				all = append(all, m)
				return err
			}, "SELECT m.group_id, m.member_id, m.since"+s.d.each(s.d.texts("$3"), "members", "m",
				"m.tenant = $1 AND m.member_type = $2 AND m.member_id = w.value", ""), typ, list(ids))
			if err != nil {
				return err
			}
		}
		return ctx.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("sqlstore: groups of %d members: %w", len(members), err)
	}
	return all, nil
}

// ChangeMembers implements scim.MemberStore. A member that was deleted meanwhile is
// not added. One member costs the same in a group of any size.
func (s *Store) ChangeMembers(ctx context.Context, groupID string, add, remove []scim.Ref) (added, removed []scim.Ref, err error) {
	err = s.write(ctx, func(ctx context.Context) error {
		if err := s.follow(ctx); err != nil {
			return err
		}
		if err := s.lockGroup(ctx, groupID); err != nil {
			return err
		}
		removed, err = s.removeMembers(ctx, groupID, remove)
		if err != nil {
			return err
		}
		added, err = s.addMembers(ctx, groupID, add)
		if err == nil && s.join != nil {
			var kept []scim.Ref
			if kept, err = s.joinRows(ctx, groupID, added, removed); err == nil && len(kept) > 0 {
				s.log.WarnContext(ctx, "sqlstore: a unique index or trigger of the application keeps users out of a group; they are left out",
					"table", s.join.Name, "group", groupID, "users", len(kept), "first", kept[0].ID)
				added = slices.DeleteFunc(added, func(r scim.Ref) bool { return slices.Contains(kept, r) })
				_, err = s.removeMembers(ctx, groupID, kept)
			}
		}
		return err
	})
	if err != nil {
		return nil, nil, fmt.Errorf("sqlstore: change members of group %q: %w", groupID, err)
	}
	return added, removed, nil
}

// oneByOne is up to how many members are removed by a statement each, so that the
// database does not read a whole group, whose size it does not know.
const oneByOne = 20

func (s *Store) removeMembers(ctx context.Context, groupID string, remove []scim.Ref) (removed []scim.Ref, err error) {
	collect := func(scan func(...any) error) error {
		var r scim.Ref
		err := scan(&r.Type, &r.ID)
		removed = append(removed, r)
		return err
	}
	var keys [][]any
	for typ, ids := range byType(remove) {
		for _, id := range ids {
			keys = append(keys, []any{s.tenant, groupID, typ, id})
		}
	}
	if len(keys) > oneByOne {
		return removed, s.each(ctx, collect, `DELETE FROM {p}members WHERE $1 = $1 AND (tenant, group_id, member_type, member_id) IN
			(SELECT e.value ->> 0, e.value ->> 1, e.value ->> 2, e.value ->> 3 FROM {rows $2})
			RETURNING member_type, member_id`, list(keys))
	}
	for _, k := range keys {
		err := s.each(ctx, collect, `DELETE FROM {p}members WHERE tenant = $1 AND group_id = $2 AND member_type = $3
			AND member_id = $4 RETURNING member_type, member_id`, k[1:]...)
		if err != nil {
			return nil, err
		}
	}
	return removed, nil
}

func (s *Store) addMembers(ctx context.Context, groupID string, add []scim.Ref) (added []scim.Ref, err error) {
	now := micros(s.now())
	for typ, ids := range byType(add) {
		// They are locked one after the other, in order, against being deleted.
		err := s.each(ctx, func(scan func(...any) error) error {
			r := scim.Ref{Type: typ}
			err := scan(&r.ID)
			added = append(added, r)
			return err
		}, `INSERT INTO {p}members (tenant, group_id, member_type, member_id, since)
			SELECT $1, $2, $3, r.id, CAST($5 AS bigint)`+s.d.each(s.d.texts("$4"), "resources", "r",
			"r.tenant = $1 AND r.type = $3 AND r.deleted = 0 AND r.id = w.value", " FOR KEY SHARE")+`
			WHERE 1 = 1 ON CONFLICT DO NOTHING RETURNING member_id`, groupID, typ, list(ids), now)
		if err != nil {
			return nil, err
		}
	}
	return added, nil
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
