package storetest

import (
	"errors"
	"strings"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
)

// strangeIDs lists ids that no store gives, but that clients send.
func strangeIDs() []string {
	return []string{nobody, "no-such-id", "0", "-1", "1.5", "99999999999999999999999999", "%", "*", "' OR '1'='1", "é", strings.Repeat("x", 1000)}
}

func unknownSteps() []step[scim.Store] {
	return []step[scim.Store]{
		{"get", "Get of an unknown resource is ErrNotFound, for any form of id (RFC 7644, Section 3.12: 404).", func(t *probe, s scim.Store) {
			t.create(s, t.user("ann@example.com", nil))
			for _, id := range strangeIDs() {
				t.absent(s, scim.Ref{Type: "User", ID: id}, "which was never created")
				t.absent(s, scim.Ref{Type: "Group", ID: id}, "which was never created")
			}
		}},
		{"update", "Update of an unknown resource is ErrNotFound and does not call fn.", func(t *probe, s scim.Store) {
			t.create(s, t.user("ann@example.com", nil))
			for _, id := range strangeIDs() {
				got, err := s.Update(t.ctx, scim.Ref{Type: "User", ID: id}, func(before *scim.Resource) (*scim.Resource, error) {
					t.Errorf("Update of User %q called fn with %s", id, show(before))
					return before, nil
				})
				if !errors.Is(err, scim.ErrNotFound) {
					t.Errorf("Update of User %q: got %s and error %v, want ErrNotFound", id, show(got), err)
				}
			}
		}},
		{"delete", "Delete of an unknown resource is ErrNotFound and does not call check.", func(t *probe, s scim.Store) {
			ann := t.create(s, t.user("ann@example.com", nil))
			for _, id := range strangeIDs() {
				err := s.Delete(t.ctx, scim.Ref{Type: "User", ID: id}, func(before *scim.Resource) error {
					t.Errorf("Delete of User %q called check with %s", id, show(before))
					return nil
				})
				if !errors.Is(err, scim.ErrNotFound) {
					t.Errorf("Delete of User %q: error %v, want ErrNotFound", id, err)
				}
			}
			t.get(s, ann.Ref())
		}},
	}
}

func typeSteps() []step[scim.Store] {
	return []step[scim.Store]{
		{"apart", "Type and id together name a resource: in some applications a user and a group have the same id.", func(t *probe, s scim.Store) {
			user := t.create(s, t.user("ann@example.com", nil))
			asGroup := scim.Ref{Type: "Group", ID: user.ID()}
			t.absent(s, asGroup, "which is the id of a user")
			if err := s.Delete(t.ctx, asGroup, func(*scim.Resource) error { return nil }); !errors.Is(err, scim.ErrNotFound) {
				t.Errorf("Delete of %v, which is the id of a user: error %v, want ErrNotFound", asGroup, err)
			}
			t.exactly("the user afterwards", user, t.get(s, user.Ref()))
		}},
		{"unique ids", "A store that is UniqueIDs refuses a user with the id of a group, and the reverse. It always gives the same answer.", func(t *probe, s scim.Store) {
			u := capability[scim.UniqueIDs](t, s, "the Store is no UniqueIDs")
			if !u.UniqueIDs() {
				t.Skipf("ids are not unique in the Store")
			}
			user, group := t.create(s, t.user("ann@example.com", nil)), t.create(s, t.group("Engineers"))
			for _, twin := range []*scim.Resource{withID(t.user("twin@example.com", nil), group.ID()), withID(t.group("Twins"), user.ID())} {
				if got, err := s.Create(t.ctx, twin); err == nil && got.ID() == twin.ID() {
					t.Errorf("Create of %s: it has the id of another type", show(got))
				}
			}
			if !u.UniqueIDs() {
				t.Errorf("UniqueIDs changed its answer")
			}
		}},
		{"same id", "A user and a group may have the same id, unless the store is UniqueIDs.", func(t *probe, s scim.Store) {
			user, group := twins(t, s)
			t.exactly("the user", user, t.get(s, user.Ref()))
			t.exactly("the group", group, t.get(s, group.Ref()))
			t.put(s, group.Ref(), values{"displayName": "renamed"})
			t.exactly("the user after an update of the group", user, t.get(s, user.Ref()))
			t.remove(s, group.Ref())
			t.absent(s, group.Ref(), "which was deleted")
			t.exactly("the user after the group was deleted", user, t.get(s, user.Ref()))
		}},
		{"lists", "A list has resources of one type only (RFC 7644, Section 3.4.2).", func(t *probe, s scim.Store) {
			user, group := twins(t, s)
			for _, want := range []*scim.Resource{user, group} {
				page := t.list(s, want.Type(), &scim.Query{Limit: 10, Total: true})
				if diff := cmp.Diff(names([]*scim.Resource{want}), names(page.Resources)); diff != "" || page.Total != 1 {
					t.Errorf("List of all %ss has total %d, want 1 (-want +got):\n%s", want.Type().Name(), page.Total, diff)
				}
			}
		}},
	}
}

// twins returns a user and a group with the same id, if the store keeps the ids that it
// gets and is not UniqueIDs.
func twins(t *probe, s scim.Store) (user, group *scim.Resource) {
	user, group = t.create(s, t.user("twin@example.com", nil)), t.group("Twins")
	if u, ok := s.(scim.UniqueIDs); !ok || !u.UniqueIDs() {
		group = withID(group, user.ID())
	}
	return user, t.create(s, group)
}

// withID returns a copy of r with another id.
func withID(r *scim.Resource, id string) *scim.Resource {
	m := r.Meta()
	m.ID = id
	return r.WithMeta(m)
}
