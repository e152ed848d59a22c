package memory

import (
	"context"
	"slices"
	"strings"

	"github.com/scimkit/scim"
	"github.com/tidwall/btree"
)

// edges keeps memberships in two orders, so that none of the operations costs more
// for a big group.
type edges struct {
	byGroup  *btree.BTreeG[scim.Membership] // group, member's type, member's id
	byMember *btree.BTreeG[scim.Membership] // member's type, member's id, group
}

func newEdges() edges {
	unlocked := btree.Options{NoLocks: true} // the Store locks
	return edges{
		byGroup: btree.NewBTreeGOptions(func(a, b scim.Membership) bool {
			if c := strings.Compare(a.GroupID, b.GroupID); c != 0 {
				return c < 0
			}
			return compareRefs(a.Member, b.Member) < 0
		}, unlocked),
		byMember: btree.NewBTreeGOptions(func(a, b scim.Membership) bool {
			if c := compareRefs(a.Member, b.Member); c != 0 {
				return c < 0
			}
			return a.GroupID < b.GroupID
		}, unlocked),
	}
}

// compareRefs is the order of members: type, then id.
func compareRefs(a, b scim.Ref) int {
	if c := strings.Compare(a.Type, b.Type); c != 0 {
		return c
	}
	return strings.Compare(a.ID, b.ID)
}

func (e edges) add(list []scim.Membership) {
	for _, m := range list {
		e.byGroup.Set(m)
		e.byMember.Set(m)
	}
}

func (e edges) remove(list []scim.Membership) {
	for _, m := range list {
		e.byGroup.Delete(m)
		e.byMember.Delete(m)
	}
}

// in lists the memberships in a group.
func (e edges) in(groupID string) []scim.Membership {
	var list []scim.Membership
	e.byGroup.Ascend(scim.Membership{GroupID: groupID}, func(m scim.Membership) bool {
		if m.GroupID == groupID {
			list = append(list, m)
		}
		return m.GroupID == groupID
	})
	return list
}

// of lists the memberships of a member.
func (e edges) of(member scim.Ref) []scim.Membership {
	var list []scim.Membership
	e.byMember.Ascend(scim.Membership{Member: member}, func(m scim.Membership) bool {
		if m.Member == member {
			list = append(list, m)
		}
		return m.Member == member
	})
	return list
}

// Members implements scim.MemberStore. An unknown group has no members.
func (s *Store) Members(ctx context.Context, groupID string, after scim.Ref, limit int) ([]scim.Ref, error) {
	var list []scim.Ref
	err := s.read(ctx, func() error {
		s.members.byGroup.Ascend(scim.Membership{GroupID: groupID, Member: after}, func(m scim.Membership) bool {
			if m.GroupID != groupID || len(list) >= limit {
				return false
			}
			if m.Member != after {
				list = append(list, m.Member)
			}
			return true
		})
		return nil
	})
	return list, err
}

// GroupsOf implements scim.MemberStore.
func (s *Store) GroupsOf(ctx context.Context, members []scim.Ref) ([]scim.Membership, error) {
	members = slices.Clone(members)
	slices.SortFunc(members, compareRefs)
	var list []scim.Membership
	err := s.read(ctx, func() error {
		for _, m := range slices.Compact(members) {
			list = append(list, s.members.of(m)...)
		}
		return nil
	})
	return list, err
}

// ChangeMembers implements scim.MemberStore.
func (s *Store) ChangeMembers(ctx context.Context, groupID string, add, remove []scim.Ref) (added, removed []scim.Ref, err error) {
	err = s.write(ctx, func() error {
		if s.find(scim.Ref{Type: groupType, ID: groupID}) == nil {
			return scim.ErrNotFound
		}
		var left, joined []scim.Membership
		for _, ref := range remove {
			m, ok := s.members.byGroup.Delete(scim.Membership{GroupID: groupID, Member: ref})
			if !ok {
				continue
			}
			s.members.byMember.Delete(m)
			left, removed = append(left, m), append(removed, ref)
		}
		now := s.now()
		for _, ref := range add {
			m := scim.Membership{GroupID: groupID, Member: ref, Since: now}
			if _, there := s.members.byGroup.Get(m); there {
				continue
			}
			s.members.byGroup.Set(m)
			s.members.byMember.Set(m)
			joined, added = append(joined, m), append(added, ref)
		}
		s.did(func() {
			s.members.remove(joined)
			s.members.add(left)
		})
		return nil
	})
	return added, removed, err
}
