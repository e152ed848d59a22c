package memory

import (
	order "cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/scimkit/scim"
)

var epoch = time.Date(2025, 3, 1, 9, 0, 0, 0, time.UTC)

// user makes a user; n is the number of seconds after epoch at which it was created.
func user(t testing.TB, id string, n int, values map[string]any) *scim.Resource {
	t.Helper()
	return resource(t, scim.UserType(), id, n, values)
}

func group(t testing.TB, id string, n int) *scim.Resource {
	t.Helper()
	return resource(t, scim.GroupType(), id, n, map[string]any{"displayName": "Team " + id})
}

func resource(t testing.TB, typ *scim.ResourceType, id string, n int, values map[string]any) *scim.Resource {
	t.Helper()
	at := epoch.Add(time.Duration(n) * time.Second)
	r, err := typ.Bind(scim.Meta{ID: id, Created: at, LastModified: at}, nil, values)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func create(t testing.TB, s *Store, rs ...*scim.Resource) {
	t.Helper()
	for _, r := range rs {
		if _, err := s.Create(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
}

// find lists the ids that a filter finds, and how many resources were looked at.
func find(t testing.TB, s *Store, typ *scim.ResourceType, text string) (ids []string, looked int) {
	t.Helper()
	f, err := scim.ParseFilter(typ, text)
	if err != nil {
		t.Fatal(err)
	}
	q := &scim.Query{Filter: f, Limit: 1000}
	p, err := s.List(t.Context(), typ, q)
	if err != nil {
		t.Fatal(err)
	}
	if tab := s.tables[typ.Name()]; tab != nil {
		looked = len(tab.narrow(q))
	}
	return idsOf(p.Resources), looked
}

func idsOf(rs []*scim.Resource) []string {
	var ids []string
	for _, r := range rs {
		ids = append(ids, r.ID())
	}
	return ids
}

// conflict returns the status and the detail of a refusal.
func conflict(err error) string {
	var e *scim.Error
	if errors.As(err, &e) {
		return fmt.Sprint(e.Status, " ", e.Type, ": ", e.Detail)
	}
	return fmt.Sprint(err)
}

// dump returns everything that the store keeps, also the inside of indexes, in a form
// that can be compared. It fails if an index contradicts the resources.
func dump(t testing.TB, s *Store) map[string]any {
	t.Helper()
	out := make(map[string]any)
	for name, tab := range s.tables {
		fresh := newTable(name, s.paths)
		var rows []string
		tab.order.Scan(func(w *row) bool {
			if tab.ids[w.id] != w {
				t.Errorf("%s %s: in the order, but not by its id", name, w.id)
			}
			if w.created != w.r.Meta().Created.Round(0) { // == also sees a monotonic reading
				t.Errorf("%s %s: in the order as of %v, created %v", name, w.id, w.created, w.r.Meta().Created)
			}
			b, err := w.r.MarshalJSON()
			if err != nil {
				t.Fatal(err)
			}
			rows = append(rows, w.id+" "+w.created.String()+" "+string(b))
			fresh.insert(newRow(w.r))
			return true
		})
		if len(tab.ids) != len(rows) {
			t.Errorf("%s: %d ids, %d rows in order", name, len(tab.ids), len(rows))
		}
		for i, x := range tab.indexes {
			if diff := cmp.Diff(indexed(fresh.indexes[i]), indexed(x)); diff != "" {
				t.Errorf("%s: the index of %s is not that of its resources (-want +got):\n%s", name, x.path, diff)
			}
		}
		if len(rows) > 0 { // a table that was made and emptied is no difference
			out[name] = rows
		}
	}
	var byGroup, byMember []scim.Membership
	for id, tree := range s.edges.groups {
		for _, ref := range tree.Items() {
			if i, found := s.edges.find(id, ref); found {
				byGroup = append(byGroup, scim.Membership{GroupID: id, Member: ref, Since: s.edges.members[ref][i].since})
			} else {
				t.Errorf("%v is a member of %s and does not know it", ref, id)
			}
		}
		if tree.Len() == 0 {
			t.Errorf("a tree without members is kept for %s", id)
		}
	}
	for ref, places := range s.edges.members {
		for _, p := range places {
			byMember = append(byMember, scim.Membership{GroupID: p.groupID, Member: ref, Since: p.since})
		}
		if len(places) == 0 {
			t.Errorf("a list without groups is kept for %v", ref)
		}
	}
	for _, list := range [][]scim.Membership{byGroup, byMember} {
		slices.SortFunc(list, func(a, b scim.Membership) int {
			return order.Or(strings.Compare(a.GroupID, b.GroupID), compareRefs(a.Member, b.Member))
		})
	}
	if diff := cmp.Diff(byGroup, byMember); diff != "" {
		t.Errorf("memberships differ from side to side:\n%s", diff)
	}
	out["members"] = byGroup
	grants := make(map[string][]scim.Grant)
	for id, list := range s.ledger.grants {
		grants[id] = slices.Clone(list)
	}
	out["grants"] = grants
	links := make(map[scim.Source]scim.Link)
	for id, l := range s.ledger.links {
		links[id] = l
	}
	out["links"] = links
	return out
}

func indexed(x *index) map[uint64][]string {
	out := make(map[uint64][]string)
	for key := range x.one {
		for w := range x.rows(key) {
			out[key] = append(out[key], w.id)
		}
		slices.Sort(out[key])
		if x.count(key) != len(out[key]) {
			out[key] = append(out[key], "count is wrong")
		}
	}
	return out
}

func TestUniqueness(t *testing.T) {
	kept := func(s *Store) error { return nil }
	renamed := func(s *Store) error {
		_, err := s.Update(t.Context(), scim.Ref{Type: "User", ID: "1"}, func(r *scim.Resource) (*scim.Resource, error) {
			return r.With(map[string]any{"userName": "somebody@example.com"})
		})
		return err
	}
	deleted := func(s *Store) error {
		return s.Delete(t.Context(), scim.Ref{Type: "User", ID: "1"}, func(*scim.Resource) error { return nil })
	}
	rolledBack := func(s *Store) error {
		err := s.InTx(t.Context(), func(ctx context.Context) error {
			if err := s.Delete(ctx, scim.Ref{Type: "User", ID: "1"}, func(*scim.Resource) error { return nil }); err != nil {
				return err
			}
			return errBoom
		})
		if err != errBoom {
			return err
		}
		return nil
	}
	tests := []struct {
		name, reason string
		before       func(*Store) error
		r            *scim.Resource
		want         string
	}{
		{"same name", "userName is unique", kept, user(t, "2", 1, map[string]any{"userName": "Zoë@Example.com"}),
			"409 uniqueness: userName is taken: another resource has this value"},
		{"other case", "userName is not case-exact", kept, user(t, "2", 1, map[string]any{"userName": "ZOË@EXAMPLE.COM"}),
			"409 uniqueness: userName is taken: another resource has this value"},
		{"full width", "PRECIS maps the width of letters", kept, user(t, "2", 1, map[string]any{"userName": "ｚoë@example.com"}),
			"409 uniqueness: userName is taken: another resource has this value"},
		{"same id", "an id is given once", kept, user(t, "1", 1, map[string]any{"userName": "ann@example.com"}),
			"409 uniqueness: id is taken: another resource has this value"},
		{"same id, other type", "ids are counted per type", kept, group(t, "1", 1), "<nil>"},
		{"same e-mail", "only userName is unique", kept, user(t, "2", 1, map[string]any{
			"userName": "ann@example.com", "emails": []any{map[string]any{"value": "zoe@example.com"}}}), "<nil>"},
		{"renamed away", "a name that was given up is free", renamed, user(t, "2", 1, map[string]any{"userName": "zoë@example.com"}), "<nil>"},
		{"deleted", "unique values of a deleted user are free", deleted, user(t, "1", 1, map[string]any{"userName": "zoë@example.com"}), "<nil>"},
		{"deletion rolled back", "the user is there", rolledBack, user(t, "2", 1, map[string]any{"userName": "zoë@example.com"}),
			"409 uniqueness: userName is taken: another resource has this value"},
		{"without id", "the handler gives ids; one without is a mistake", kept, user(t, "", 1, map[string]any{"userName": "ann@example.com"}),
			"memory: a resource needs an id"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := New()
			create(t, s, user(t, "1", 0, map[string]any{
				"userName": "Zoë@Example.com", "emails": []any{map[string]any{"value": "zoe@example.com"}}}))
			if err := test.before(s); err != nil {
				t.Fatal(err)
			}
			_, err := s.Create(t.Context(), test.r)
			if diff := cmp.Diff(test.want, conflict(err)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", test.reason, diff)
			}
			dump(t, s)
		})
	}
}

func TestUpdate(t *testing.T) {
	ann := user(t, "1", 5, map[string]any{"userName": "ann", "displayName": "Ann", "emails": []any{map[string]any{"value": "Ann@example.com"}}})
	bob := user(t, "2", 6, map[string]any{"userName": "bob", "displayName": "Bob"})
	same := func(r *scim.Resource) (*scim.Resource, error) { return r, nil }
	tests := []struct {
		name, reason string
		ref          scim.Ref
		fn           func(*scim.Resource) (*scim.Resource, error)
		wantErr      string
		found        map[string][]string // by filter, afterwards
	}{
		{"nothing", "what fn returns unchanged is not written", ann.Ref(), same, "<nil>",
			map[string][]string{`userName eq "ANN"`: {"1"}}},
		{"moved", "indexes follow the values", ann.Ref(), func(r *scim.Resource) (*scim.Resource, error) {
			return r.With(map[string]any{"userName": "anna", "displayName": "Bob", "emails": []any{
				map[string]any{"value": "a@example.com"}, map[string]any{"value": "A@example.com"}, map[string]any{"value": "b@example.com"}}})
		}, "<nil>", map[string][]string{
			`userName eq "ann"`: nil, `userName eq "anna"`: {"1"}, `displayName eq "bob"`: {"1", "2"},
			`emails.value eq "ann@example.com"`: nil, `emails.value eq "a@example.com"`: {"1"}, `emails.value eq "b@example.com"`: {"1"},
		}},
		{"own name in other case", "a user is no conflict of its own", ann.Ref(), func(r *scim.Resource) (*scim.Resource, error) {
			return r.With(map[string]any{"userName": "ANN"})
		}, "<nil>", map[string][]string{`userName eq "ann"`: {"1"}}},
		{"taken name", "uniqueness holds as for Create", ann.Ref(), func(r *scim.Resource) (*scim.Resource, error) {
			return r.With(map[string]any{"userName": "BOB", "displayName": "Bob"})
		}, "409 uniqueness: userName is taken: another resource has this value",
			map[string][]string{`userName eq "ann"`: {"1"}, `displayName eq "ann"`: {"1"}}},
		{"refused", "an error of fn is returned as it is", ann.Ref(), func(*scim.Resource) (*scim.Resource, error) { return nil, errBoom },
			"boom", map[string][]string{`userName eq "ann"`: {"1"}}},
		{"other id", "an update cannot make another resource of it", ann.Ref(), func(*scim.Resource) (*scim.Resource, error) { return bob, nil },
			"memory: the update of User 1 must return that resource", nil},
		{"nothing returned", "the same", ann.Ref(), func(*scim.Resource) (*scim.Resource, error) { return nil, nil },
			"memory: the update of User 1 must return that resource", nil},
		{"unknown", "404", scim.Ref{Type: "User", ID: "3"}, same, "scim: not found", nil},
		{"unknown type", "404", scim.Ref{Type: "Group", ID: "1"}, same, "scim: not found", nil},
		{"created earlier", "the order of creation follows the time", bob.Ref(), func(r *scim.Resource) (*scim.Resource, error) {
			return r.WithMeta(scim.Meta{ID: "2", Created: epoch}), nil
		}, "<nil>", map[string][]string{`userName pr`: {"2", "1"}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := New()
			create(t, s, ann, bob)
			var before, after *scim.Resource
			got, err := s.Update(t.Context(), test.ref, func(r *scim.Resource) (*scim.Resource, error) {
				var err error
				before = r
				after, err = test.fn(r)
				return after, err
			})
			if diff := cmp.Diff(test.wantErr, conflict(err)); diff != "" {
				t.Fatalf("%s (-want +got):\n%s", test.reason, diff)
			}
			if before != nil {
				want := before
				if err == nil {
					want = after
				}
				if have, err := s.Get(t.Context(), test.ref); err != nil || have != want {
					t.Errorf("%s: Get gives %v, %v; want %v", test.reason, have, err, want)
				}
			}
			if err == nil && got != after {
				t.Errorf("Update returned %v, want what was stored", got)
			}
			for filter, want := range test.found {
				ids, _ := find(t, s, scim.UserType(), filter)
				if diff := cmp.Diff(want, ids); diff != "" {
					t.Errorf("%s: %s (-want +got):\n%s", test.reason, filter, diff)
				}
			}
			dump(t, s)
		})
	}
}

func TestDeleteChecks(t *testing.T) {
	s := New()
	ann := user(t, "1", 0, map[string]any{"userName": "ann"})
	create(t, s, ann)
	err := s.Delete(t.Context(), ann.Ref(), func(r *scim.Resource) error {
		if r != ann {
			t.Errorf("check saw %v", r)
		}
		return errBoom
	})
	if err != errBoom {
		t.Fatalf("got %v, want the error of check", err)
	}
	if _, err := s.Get(t.Context(), ann.Ref()); err != nil {
		t.Fatalf("after a refused deletion: %v", err)
	}
	ok := func(*scim.Resource) error { return nil }
	if err := s.Delete(t.Context(), ann.Ref(), ok); err != nil {
		t.Fatal(err)
	}
	if err := s.Delete(t.Context(), ann.Ref(), ok); err != scim.ErrNotFound {
		t.Errorf("deleted twice: %v, want ErrNotFound", err)
	}
}
