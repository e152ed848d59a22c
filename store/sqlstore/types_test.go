package sqlstore_test

import (
	"errors"
	"testing"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore"
)

// A store that keeps no groups has none: what asks for them, such as the console, gets an empty page.
func TestTypeThatIsNotKept(t *testing.T) {
	s := newStore(t, relaxed(t), sqlstore.SQLite, sqlstore.Options{Types: []*scim.ResourceType{scim.UserType()}})
	create(t, s, user(t, "ann@example.com", nil))
	for name, q := range map[string]*scim.Query{
		"a page":   {Limit: 10},
		"a count":  {Total: true},
		"some ids": {IDs: []string{"g1"}, Limit: 10},
		"no ids":   {IDs: []string{}, Limit: 10},
	} {
		page, err := s.List(t.Context(), scim.GroupType(), q)
		if err != nil || len(page.Resources) != 0 || page.Total != 0 {
			t.Errorf("%s of groups: %+v, %v; want an empty page", name, page, err)
		}
	}
	if _, err := s.Get(t.Context(), scim.Ref{Type: "Group", ID: "g1"}); !errors.Is(err, scim.ErrNotFound) {
		t.Errorf("a group: %v, want %v", err, scim.ErrNotFound)
	}
}
