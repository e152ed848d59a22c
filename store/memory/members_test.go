package memory

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/scimkit/scim"
)

func u(id string) scim.Ref { return scim.Ref{Type: "User", ID: id} }
func g(id string) scim.Ref { return scim.Ref{Type: "Group", ID: id} }

// refsOf are the references to members; nil for none.
func refsOf(list []scim.Member) (refs []scim.Ref) {
	for _, m := range list {
		refs = append(refs, m.Ref)
	}
	return refs
}

func TestChangeMembers(t *testing.T) {
	type change struct{ add, remove, added, removed []scim.Ref }
	tests := []struct {
		name, reason string
		group        string
		changes      []change
		want         []scim.Ref
		wantErr      error
	}{
		{"add", "members are listed by type, then id", "a", []change{
			{add: []scim.Ref{u("2"), g("b"), u("1")}, added: []scim.Ref{u("2"), g("b"), u("1")}},
		}, []scim.Ref{g("b"), u("1"), u("2")}, nil},
		{"same id, other type", "users and groups may be counted apart", "a", []change{
			{add: []scim.Ref{u("b"), g("b")}, added: []scim.Ref{u("b"), g("b")}}, {remove: []scim.Ref{u("b")}, removed: []scim.Ref{u("b")}},
		}, []scim.Ref{g("b")}, nil},
		{"again", "what is there is skipped, also within one call", "a", []change{
			{add: []scim.Ref{u("1")}, added: []scim.Ref{u("1")}}, {add: []scim.Ref{u("1"), u("2"), u("2")}, added: []scim.Ref{u("2")}},
		}, []scim.Ref{u("1"), u("2")}, nil},
		{"gone", "what is gone is skipped", "a", []change{
			{add: []scim.Ref{u("1")}, added: []scim.Ref{u("1")}}, {remove: []scim.Ref{u("1"), u("1"), u("9")}, removed: []scim.Ref{u("1")}},
		}, nil, nil},
		{"both", "one call does both", "a", []change{
			{add: []scim.Ref{u("1")}, added: []scim.Ref{u("1")}}, {add: []scim.Ref{u("2")}, remove: []scim.Ref{u("1")}, added: []scim.Ref{u("2")}, removed: []scim.Ref{u("1")}},
		}, []scim.Ref{u("2")}, nil},
		{"unknown", "404", "z", []change{{add: []scim.Ref{u("1")}}}, nil, scim.ErrNotFound},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := New()
			create(t, s, group(t, "a", 0), group(t, "aa", 0))
			for i, c := range test.changes {
				added, removed, err := s.ChangeMembers(t.Context(), test.group, c.add, c.remove)
				if err != test.wantErr {
					t.Fatalf("%s: %v, want %v", test.reason, err, test.wantErr)
				}
				if diff := cmp.Diff([][]scim.Ref{c.added, c.removed}, [][]scim.Ref{added, removed}); diff != "" {
					t.Errorf("%s: change %d (-want +got):\n%s", test.reason, i, diff)
				}
			}
			got, err := s.Members(t.Context(), test.group, scim.Ref{}, 10)
			if diff := cmp.Diff(test.want, refsOf(got)); diff != "" || err != nil {
				t.Errorf("%s: %v (-want +got):\n%s", test.reason, err, diff)
			}
			dump(t, s)
		})
	}
}

func TestMembersPages(t *testing.T) {
	s := New()
	create(t, s, group(t, "a", 0), group(t, "b", 0))
	var want []scim.Ref
	for i := range 25 {
		want = append(want, u(fmt.Sprintf("%02d", i)))
	}
	for _, id := range []string{"a", "b"} { // the next group must not show
		if _, _, err := s.ChangeMembers(t.Context(), id, want, nil); err != nil {
			t.Fatal(err)
		}
	}
	var got []scim.Ref
	var after scim.Ref
	for {
		page, err := s.Members(t.Context(), "a", after, 4)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		got = append(got, refsOf(page)...)
		after = page[len(page)-1].Ref
		// Paging goes on behind a member that is gone.
		if _, _, err := s.ChangeMembers(t.Context(), "a", nil, []scim.Ref{after}); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if page, err := s.Members(t.Context(), "b", want[3], 2); err != nil || !cmp.Equal(want[4:6], refsOf(page)) {
		t.Errorf("behind one who is there: %v, %v", page, err)
	}
	if page, err := s.Members(t.Context(), "a", scim.Ref{}, 0); err != nil || len(page) != 0 {
		t.Errorf("at most 0 members: %v, %v", page, err)
	}
}

func TestGroupsOf(t *testing.T) {
	now := epoch
	s := New(Now(func() time.Time { return now }))
	create(t, s, group(t, "a", 0), group(t, "b", 0), user(t, "1", 0, map[string]any{"userName": "1"}))
	change := func(id string, add, remove []scim.Ref) {
		t.Helper()
		now = now.Add(time.Minute)
		if _, _, err := s.ChangeMembers(t.Context(), id, add, remove); err != nil {
			t.Fatal(err)
		}
	}
	change("a", []scim.Ref{u("1"), u("2")}, nil)
	change("b", []scim.Ref{u("1"), g("a"), g("1")}, nil)
	change("a", []scim.Ref{u("1")}, nil)          // is there: keeps its time
	change("a", nil, []scim.Ref{u("2")})          //
	change("a", []scim.Ref{u("2"), u("10")}, nil) // joins anew
	since := func(minutes int) time.Time { return epoch.Add(time.Duration(minutes) * time.Minute) }
	ofOne := []scim.Membership{{GroupID: "a", Member: u("1"), Since: since(1), Display: "Team a"}, {GroupID: "b", Member: u("1"), Since: since(2), Display: "Team b"}}
	tests := []struct {
		name, reason string
		members      []scim.Ref
		want         []scim.Membership
	}{
		{"one", "others with the same id or beginning are not it", []scim.Ref{u("1")}, ofOne},
		{"twice", "each membership once", []scim.Ref{u("1"), u("1")}, ofOne},
		{"rejoined", "since it joined last", []scim.Ref{u("2")}, []scim.Membership{{GroupID: "a", Member: u("2"), Since: since(5), Display: "Team a"}}},
		{"group", "groups are members too", []scim.Ref{g("a")}, []scim.Membership{{GroupID: "b", Member: g("a"), Since: since(2), Display: "Team b"}}},
		{"several", "", []scim.Ref{u("10"), g("1"), u("nobody")}, []scim.Membership{
			{GroupID: "b", Member: g("1"), Since: since(2), Display: "Team b"}, {GroupID: "a", Member: u("10"), Since: since(5), Display: "Team a"}}},
		{"none", "", nil, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := s.GroupsOf(t.Context(), test.members)
			if diff := cmp.Diff(test.want, got, cmpopts.EquateEmpty()); diff != "" || err != nil {
				t.Errorf("%s: %v (-want +got):\n%s", test.reason, err, diff)
			}
		})
	}
	// The caller's list is the caller's.
	mine := []scim.Ref{u("2"), u("1")}
	if _, err := s.GroupsOf(t.Context(), mine); err != nil || mine[0] != u("2") {
		t.Errorf("GroupsOf reordered its argument: %v, %v", mine, err)
	}
}

func TestDeleteTakesEdges(t *testing.T) {
	tests := []struct {
		name, reason string
		ref          scim.Ref
		left         []scim.Membership
	}{
		{"user", "a user leaves all groups", u("1"), []scim.Membership{{GroupID: "1", Member: u("2")}, {GroupID: "a", Member: g("1")}}},
		{"group", "a group's members and its own memberships go; those of a user with its id stay", g("1"),
			[]scim.Membership{{GroupID: "a", Member: u("1")}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := New(Now(func() time.Time { return time.Time{} }))
			create(t, s, group(t, "a", 0), group(t, "1", 0), user(t, "1", 0, map[string]any{"userName": "1"}))
			for id, add := range map[string][]scim.Ref{"a": {u("1"), g("1")}, "1": {u("1"), u("2")}} {
				if _, _, err := s.ChangeMembers(t.Context(), id, add, nil); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.Delete(t.Context(), test.ref, func(*scim.Resource) error { return nil }); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.left, dump(t, s)["members"]); diff != "" {
				t.Errorf("%s (-want +got):\n%s", test.reason, diff)
			}
		})
	}
}
