package memory

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/scimkit/scim"
	"github.com/tidwall/btree"
)

// edges keeps memberships by group and by member. A change costs one look-up and one walk
// down a tree, also in a big group.
type edges struct {
	groups  map[string]*btree.BTreeG[scim.Ref] // members by group, in order
	members map[scim.Ref][]place               // groups by member, in order
}

// place is a membership as its member sees it.
type place struct {
	groupID string
	since   time.Time
}

func newEdges() edges {
	return edges{groups: make(map[string]*btree.BTreeG[scim.Ref]), members: make(map[scim.Ref][]place)}
}

// compareRefs compares members by type, then id.
func compareRefs(a, b scim.Ref) int {
	if c := strings.Compare(a.Type, b.Type); c != 0 {
		return c
	}
	return strings.Compare(a.ID, b.ID)
}

// find returns the index of the group among the groups of a member, or where it belongs.
func (e edges) find(groupID string, member scim.Ref) (i int, found bool) {
	return slices.BinarySearchFunc(e.members[member], groupID, func(p place, id string) int {
		return strings.Compare(p.groupID, id)
	})
}

// add adds a membership, unless it exists. It reports whether it did.
func (e edges) add(m scim.Membership) bool {
	i, found := e.find(m.GroupID, m.Member)
	if found {
		return false
	}
	e.members[m.Member] = slices.Insert(e.members[m.Member], i, place{m.GroupID, m.Since})
	t := e.groups[m.GroupID]
	if t == nil {
		less := func(a, b scim.Ref) bool { return compareRefs(a, b) < 0 }
		t = btree.NewBTreeGOptions(less, btree.Options{NoLocks: true}) // the Store locks
		e.groups[m.GroupID] = t
	}
	t.Set(m.Member)
	return true
}

// remove removes a membership, if it exists, and returns it.
func (e edges) remove(groupID string, member scim.Ref) (m scim.Membership, found bool) {
	i, found := e.find(groupID, member)
	if !found {
		return m, false
	}
	list := e.members[member]
	m = scim.Membership{GroupID: groupID, Member: member, Since: list[i].since}
	if list = slices.Delete(list, i, i+1); len(list) == 0 {
		delete(e.members, member)
	} else {
		e.members[member] = list
	}
	t := e.groups[groupID]
	if t.Delete(member); t.Len() == 0 {
		delete(e.groups, groupID)
	}
	return m, true
}

// drop removes all memberships of ref, as a group and as a member, and returns them.
func (e edges) drop(ref scim.Ref) []scim.Membership {
	var gone []scim.Membership
	take := func(groupID string, member scim.Ref) {
		if m, found := e.remove(groupID, member); found {
			gone = append(gone, m)
		}
	}
	for _, p := range slices.Clone(e.members[ref]) {
		take(p.groupID, ref)
	}
	if t := e.groups[ref.ID]; t != nil && ref.Type == groupType {
		for _, member := range t.Items() {
			take(ref.ID, member)
		}
	}
	return gone
}

// Members implements scim.MemberStore. An unknown group has no members.
func (s *Store) Members(ctx context.Context, groupID string, after scim.Ref, limit int) ([]scim.Member, error) {
	var list []scim.Member
	err := s.read(ctx, func() error {
		t := s.edges.groups[groupID]
		if t == nil {
			return nil
		}
		list = make([]scim.Member, 0, max(0, min(limit, t.Len())))
		t.Ascend(after, func(m scim.Ref) bool {
			if m != after && len(list) < limit {
				list = append(list, scim.Member{Ref: m, Display: s.display(m)})
			}
			return len(list) < limit
		})
		return nil
	})
	return list, err
}

// display is the display name of a resource: displayName, or else userName.
func (s *Store) display(ref scim.Ref) string {
	row := s.find(ref)
	if row == nil {
		return ""
	}
	if name := row.r.String("displayName"); name != "" {
		return name
	}
	return row.r.String("userName")
}

// GroupsOf implements scim.MemberStore.
func (s *Store) GroupsOf(ctx context.Context, members []scim.Ref) ([]scim.Membership, error) {
	members = slices.Clone(members)
	slices.SortFunc(members, compareRefs)
	var list []scim.Membership
	err := s.read(ctx, func() error {
		for _, m := range slices.Compact(members) {
			for _, p := range s.edges.members[m] {
				list = append(list, scim.Membership{GroupID: p.groupID, Member: m, Since: p.since, Display: s.display(scim.Ref{Type: groupType, ID: p.groupID})})
			}
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
			if m, found := s.edges.remove(groupID, ref); found {
				left, removed = append(left, m), append(removed, ref)
			}
		}
		now := s.now()
		for _, ref := range add {
			m := scim.Membership{GroupID: groupID, Member: ref, Since: now}
			if s.edges.add(m) {
				joined, added = append(joined, m), append(added, ref)
			}
		}
		s.did(func() {
			for _, m := range joined {
				s.edges.remove(m.GroupID, m.Member)
			}
			for _, m := range left {
				s.edges.add(m)
			}
		})
		return nil
	})
	return added, removed, err
}
