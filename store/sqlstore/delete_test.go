package sqlstore_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore"
)

// meanwhile is a Store that runs a function after the first look for the groups of a member.
// It counts transactions.
type meanwhile struct {
	*sqlstore.Store
	once         sync.Once
	run          func()
	transactions int
}

func (m *meanwhile) InTx(ctx context.Context, fn func(ctx context.Context) error) error {
	m.transactions++
	return m.Store.InTx(ctx, fn)
}

func (m *meanwhile) GroupsOf(ctx context.Context, members []scim.Ref) ([]scim.Membership, error) {
	all, err := m.Store.GroupsOf(ctx, members)
	m.once.Do(m.run)
	return all, err
}

// A deletion looks for the groups of its resource, and then locks them. A group that gets
// the member in between is locked and changed too: the deletion starts again.
func TestDeleteJoinsMeanwhile(t *testing.T) {
	for _, kind := range []string{"User", "Group"} {
		t.Run(kind, func(t *testing.T) {
			s := newStore(t, postgres.DB(t), sqlstore.Postgres, sqlstore.Options{})
			other := newClient(t, scim.Config{Store: s})
			before := other.do("POST", "/Groups", `{"displayName":"Late"}`, 201)
			late := "/Groups/" + fmt.Sprint(before["id"])
			member := fmt.Sprint(other.do("POST", "/"+kind+"s", `{"userName":"ann","displayName":"Ann"}`, 201)["id"])

			runs := 0
			m := &meanwhile{Store: s, run: func() {
				runs++
				other.do("PATCH", late, fmt.Sprintf(`{"Operations":[{"op":"add","path":"members","value":[{"value":%q,"type":%q}]}]}`, member, kind), 204)
				before = other.do("GET", late, "", 200)
			}}
			newClient(t, scim.Config{Store: m}).do("DELETE", "/"+kind+"s/"+member, "", 204)
			after := other.do("GET", late, "", 200)
			if m.transactions != 2 {
				t.Errorf("%d transactions, want one that finds the group, and another one", m.transactions)
			}
			if runs != 1 || len(before["members"].([]any)) != 1 {
				t.Fatalf("%d runs; the group meanwhile: %v", runs, before)
			}
			if got, _ := after["members"].([]any); len(got) > 0 {
				t.Errorf("members %v after the deletion", got)
			}
			if cmp.Equal(before["meta"], after["meta"]) {
				t.Errorf("the group has lost a member and has the same meta: %v", after["meta"])
			}
		})
	}
}
