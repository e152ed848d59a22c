package storetest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/memory"
)

// faulty is the memory store, a PasswordSetter and a Deactivator besides, with one
// fault in what it can do beyond Store; "": none.
type faulty struct {
	*memory.Store
	fault string

	mu      sync.Mutex
	edges   []scim.Membership // all that ever were
	created map[scim.Ref]bool // in transactions
	ended   map[string]bool
	granted []string // users that ever had an entry
	late    []scim.Membership
	running sync.Mutex      // a transaction
	freed   map[string]bool // names that the transaction has freed
}

func newFaulty(fault string) scim.Store {
	return &faulty{Store: memory.New(), fault: fault, created: map[scim.Ref]bool{}, freed: map[string]bool{}, ended: map[string]bool{}}
}

// inside marks the context of a transaction.
type inside struct{}

func (f *faulty) InTx(ctx context.Context, fn func(ctx context.Context) error) error {
	if f.fault == "has no transactions" {
		return fn(ctx)
	}
	if f.fault == "never joins" && ctx.Value(inside{}) != nil {
		ctx = context.Background()
	}
	if f.fault == "a deadlock is an error" && ctx.Value(inside{}) == nil {
		if !f.running.TryLock() {
			return errors.New("deadlock detected")
		}
		defer f.running.Unlock()
	}
	if f.fault == "forgets transactions" {
		forgotten := errors.New("forgotten")
		err := f.Store.InTx(ctx, func(ctx context.Context) error { return errors.Join(fn(ctx), forgotten) })
		if errors.Is(err, errRefused) {
			return err
		}
		return nil
	}
	if f.fault == "commits before the context is looked at" {
		return errors.Join(f.Store.InTx(context.WithoutCancel(ctx), fn), ctx.Err())
	}
	var panicked any
	err := f.Store.InTx(ctx, func(ctx context.Context) error {
		if f.fault == "commits what panics" {
			defer func() { panicked = recover() }()
		}
		return fn(context.WithValue(ctx, inside{}, true))
	})
	if panicked != nil {
		panic(panicked)
	}
	if f.fault == "hides the error of a transaction" && err != nil {
		return errors.New("transaction failed")
	}
	return err
}

func (f *faulty) Create(ctx context.Context, r *scim.Resource) (*scim.Resource, error) {
	if ctx.Value(inside{}) != nil {
		f.created[r.Ref()] = true
	}
	if f.taken(ctx, r) {
		return nil, scim.Conflict("userName")
	}
	made, err := f.Store.Create(ctx, r)
	if err != nil && !conflict(err) && f.fault == "create overwrites" && f.Delete(ctx, r.Ref(), allow) == nil {
		return f.Store.Create(ctx, r)
	}
	return made, err
}

// taken reports whether a name was freed in the transaction itself, and the fault is
// that this counts after its commit.
func (f *faulty) taken(ctx context.Context, r *scim.Resource) bool {
	return f.fault == "names are free after the commit" && ctx.Value(inside{}) != nil && f.freed[r.String("userName")]
}

func (f *faulty) Update(ctx context.Context, ref scim.Ref, fn func(*scim.Resource) (*scim.Resource, error)) (*scim.Resource, error) {
	return f.Store.Update(ctx, ref, func(before *scim.Resource) (*scim.Resource, error) {
		after, err := fn(before)
		if err == nil && ctx.Value(inside{}) != nil && before.String("userName") != after.String("userName") {
			if f.taken(ctx, after) {
				return nil, scim.Conflict("userName")
			}
			f.freed[before.String("userName")] = true
		}
		return after, err
	})
}

func (f *faulty) List(ctx context.Context, t *scim.ResourceType, q *scim.Query) (*scim.Page, error) {
	page, err := f.Store.List(ctx, t, q)
	if f.fault == "after by time alone" && err == nil && q.After != nil {
		page.Resources = slices.DeleteFunc(slices.Clone(page.Resources), func(r *scim.Resource) bool { return r.Meta().Created.Equal(q.After.Created) })
	}
	return page, err
}

func (f *faulty) Get(ctx context.Context, ref scim.Ref) (*scim.Resource, error) {
	if f.fault == "reads beside the transaction" && ctx.Value(inside{}) != nil && f.created[ref] {
		return nil, scim.ErrNotFound
	}
	r, err := f.Store.Get(ctx, ref)
	if f.fault == "members in the resource" && err == nil && ref.Type == "Group" {
		return f.withMembers(ctx, r)
	}
	return r, err
}

func (f *faulty) withMembers(ctx context.Context, r *scim.Resource) (*scim.Resource, error) {
	list, err := f.Store.Members(ctx, r.ID(), scim.Ref{}, 100)
	if err != nil {
		return nil, err
	}
	var members []values
	for _, m := range list {
		members = append(members, values{"value": m.ID, "type": m.Type})
	}
	return r.With(values{"members": members})
}

func (f *faulty) Members(ctx context.Context, groupID string, after scim.Ref, limit int) ([]scim.Ref, error) {
	all, err := f.Store.Members(ctx, groupID, scim.Ref{}, 1<<20)
	if err != nil {
		return nil, err
	}
	if f.fault == "members backwards" {
		slices.Reverse(all)
	}
	if i := slices.Index(all, after); i >= 0 {
		if f.fault != "a page with the last of the one before" {
			i++
		}
		all = all[i:]
		if f.fault == "pages end after a thousand" && i >= 1000 {
			return nil, nil
		}
	}
	return all[:min(limit, len(all))], nil
}

func (f *faulty) GroupsOf(ctx context.Context, members []scim.Ref) ([]scim.Membership, error) {
	got, err := f.Store.GroupsOf(ctx, members)
	for i := range got {
		switch f.fault {
		case "since is not kept":
			got[i].Since = time.Time{}
		case "since moves":
			got[i].Since = time.Now()
		}
	}
	switch f.fault {
	case "groups of the first alone":
		return slices.DeleteFunc(got, func(m scim.Membership) bool { return m.Member != members[0] }), err
	case "members of a group that is going":
		f.mu.Lock()
		defer f.mu.Unlock()
		return append(got, f.late...), err
	case "keeps the edges of deleted groups", "keeps the edges of deleted users":
		f.mu.Lock()
		defer f.mu.Unlock()
		for _, e := range f.edges {
			gone := scim.Ref{Type: "Group", ID: e.GroupID}
			if f.fault == "keeps the edges of deleted users" {
				gone = e.Member
			}
			if _, err := f.Store.Get(ctx, gone); err != nil && slices.Contains(members, e.Member) {
				got = append(got, e)
			}
		}
	}
	return got, err
}

func (f *faulty) ChangeMembers(ctx context.Context, groupID string, add, remove []scim.Ref) (added, removed []scim.Ref, err error) {
	before, _ := f.Store.Members(ctx, groupID, scim.Ref{}, 1<<20)
	if _, there := f.Store.Get(ctx, scim.Ref{Type: "Group", ID: groupID}); f.fault == "members of a group that is going" && there == nil {
		time.Sleep(time.Millisecond)
		added, removed, err := f.Store.ChangeMembers(ctx, groupID, add, remove)
		if errors.Is(err, scim.ErrNotFound) {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.late = append(f.late, scim.Membership{GroupID: groupID, Member: add[0]})
			return add, nil, nil
		}
		return added, removed, err
	}
	switch f.fault {
	case "members without types":
		for _, list := range []*[]scim.Ref{&add, &remove} {
			*list = slices.Clone(*list)
			for i := range *list {
				(*list)[i].Type = "User"
			}
		}
	case "removes from all groups":
		page, err := f.List(ctx, scim.GroupType(), &scim.Query{Limit: 100})
		if err != nil {
			return nil, nil, err
		}
		for _, g := range page.Resources {
			if g.ID() != groupID {
				if _, _, err := f.Store.ChangeMembers(ctx, g.ID(), nil, remove); err != nil {
					return nil, nil, err
				}
			}
		}
	case "looks first who is there":
		time.Sleep(time.Millisecond)
	case "rewrites the whole group":
		time.Sleep(10 * time.Millisecond) // long enough for the others to begin, also on a busy machine
		now, _ := f.Store.Members(ctx, groupID, scim.Ref{}, 1<<20)
		for _, m := range now {
			if !slices.Contains(before, m) {
				remove = append(slices.Clone(remove), m)
			}
		}
	case "too many parameters":
		if len(add)+len(remove) > 999 {
			return nil, nil, errors.New("too many SQL variables")
		}
	}
	added, removed, err = f.Store.ChangeMembers(ctx, groupID, add, remove)
	switch {
	case f.fault == "unknown groups take members" && errors.Is(err, scim.ErrNotFound):
		return add, nil, nil
	case err != nil:
		return nil, nil, err
	case f.fault == "tells what was asked for":
		return add, remove, nil
	case f.fault == "looks first who is there":
		return slices.DeleteFunc(slices.Clone(add), func(m scim.Ref) bool { return slices.Contains(before, m) }), removed, nil
	case f.fault == "rewrites the whole group":
		removed = slices.DeleteFunc(removed, func(m scim.Ref) bool { return !slices.Contains(before, m) })
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, m := range added {
		f.edges = append(f.edges, scim.Membership{GroupID: groupID, Member: m, Since: time.Now()})
	}
	return added, removed, nil
}

func (f *faulty) Record(ctx context.Context, put, drop []scim.Grant) error {
	put = slices.Clone(put)
	for i := range put {
		switch f.fault {
		case "forgets who was by hand":
			put[i].ByHand = false
		case "ledger in seconds":
			put[i].At = put[i].At.Truncate(time.Second)
		}
	}
	for _, g := range put {
		f.mu.Lock()
		if !slices.Contains(f.granted, g.UserID) {
			f.granted = append(f.granted, g.UserID)
		}
		f.mu.Unlock()
		if f.fault == "record reads and writes" {
			before, err := f.Store.Grants(ctx, []string{g.UserID})
			if err != nil {
				return err
			}
			time.Sleep(time.Millisecond)
			now, err := f.Store.Grants(ctx, []string{g.UserID})
			if err != nil {
				return err
			}
			drop = append(slices.Clone(drop), slices.DeleteFunc(now, func(n scim.Grant) bool { return slices.Contains(before, n) })...)
		}
	}
	if f.fault == "one entry for user and role" && len(put) > 1 {
		for _, g := range put {
			if err := f.Record(ctx, []scim.Grant{g}, drop); err != nil {
				return err
			}
		}
		return nil
	}
	for _, g := range put {
		have, err := f.Grants(ctx, []string{g.UserID})
		if err != nil {
			return err
		}
		for _, h := range have {
			if f.fault == "one entry for user and role" && h.RoleID == g.RoleID && h.Source != g.Source {
				drop = append(slices.Clone(drop), h)
			}
			if f.fault == "the first entry wins" && h.RoleID == g.RoleID && h.Source == g.Source {
				put = slices.DeleteFunc(put, func(p scim.Grant) bool { return p == g })
			}
		}
	}
	if f.fault == "drops what is the same in all fields" {
		drop = slices.DeleteFunc(slices.Clone(drop), func(g scim.Grant) bool { return g.At.IsZero() })
	}
	return f.Store.Record(ctx, put, drop)
}

func (f *faulty) Grants(ctx context.Context, userIDs []string) ([]scim.Grant, error) {
	if f.fault == "grants of everybody" {
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.Store.Grants(ctx, slices.Clone(f.granted))
	}
	return f.Store.Grants(ctx, userIDs)
}

func (f *faulty) SetLink(ctx context.Context, l scim.Link) error {
	if f.fault == "links stay" && l.Role.ID == "" {
		return nil
	}
	return f.Store.SetLink(ctx, l)
}

func (f *faulty) SetPassword(ctx context.Context, userID, password string) error {
	if f.fault != "password as a value" {
		return nil
	}
	_, err := f.Update(ctx, scim.Ref{Type: "User", ID: userID}, set(values{"nickName": password}))
	return err
}

func (f *faulty) Deactivate(_ context.Context, user *scim.Resource) error {
	if f.fault == "deactivates once" && f.ended[user.ID()] {
		return errors.New("no sessions")
	}
	f.ended[user.ID()] = true
	return nil
}

func brokenCapabilities() []broken[scim.Store] {
	loose := []string{"transaction/*", "transaction of all/*", "isolation/*"}
	return []broken[scim.Store]{
		{"has no transactions", "a refused request is stored in part", newFaulty, "transaction/rollback", loose},
		{"has no transactions", "memberships of a refused request stay", newFaulty, "transaction of all/members", loose},
		{"has no transactions", "grants of a refused request stay in the ledger", newFaulty, "transaction of all/ledger", loose},
		{"has no transactions", "uncommitted resources are seen", newFaulty, "transaction/invisible", loose},
		{"has no transactions", "two requests each undo the other's change", newFaulty, "isolation/update stays locked", loose},
		{"has no transactions", "two requests each add the last member", newFaulty, "isolation/members follow the lock", loose},
		{"has no transactions", "two reconciliations of one user see half of each other", newFaulty, "isolation/grants lock users", loose},
		{"create overwrites", "a new user takes the place of another", newFaulty, "create/id in use", nil},
		{"after by time alone", "people who were created at once are missing from a list", newFaulty, "keyset/created at once", nil},
		{"forgets transactions", "what was answered with 201 is not there", newFaulty, "transaction/commit", append(loose, "members at once/big group")},
		{"grants of everybody", "one user's reconciliation takes the roles of others", newFaulty, "ledger/named users", []string{"ledger/*", "isolation/grants lock users"}},
		{"record reads and writes", "a grant is forgotten, and looks hand-given for ever", newFaulty, "ledger/at once", nil},
		{"never joins", "a nested call stands still", newFaulty, "transaction/nested", nil},
		{"commits what panics", "half of a request is stored", newFaulty, "transaction/panic", nil},
		{"commits before the context is looked at", "the client is told of a failure that was none", newFaulty, "transaction/cancelled", nil},
		{"hides the error of a transaction", "each refusal is a 500", newFaulty, "transaction/rollback", loose},
		{"reads beside the transaction", "a new group is not found by its own members", newFaulty, "transaction/reads own writes", []string{"transaction/nested"}},
		{"members in the resource", "each change of members changes the group's ETag", newFaulty, "members/never in the resource", nil},
		{"members backwards", "a replaced list of members is compared wrongly", newFaulty, "members/order and paging", []string{"members at once/big group"}},
		{"a page with the last of the one before", "reading the members does not end", newFaulty, "members/order and paging", []string{"members at once/big group"}},
		{"since is not kept", "the first group is not the primary one", newFaulty, "members/since", nil},
		{"since moves", "the first group is not the primary one", newFaulty, "members/since", []string{"transaction of all/members"}},
		{"groups of the first alone", "others lose their roles", newFaulty, "members/groups of", []string{"members/groups apart", "members/type and id", "members/deleted user", "members/deleted group", "members at once/same member at once", "members at once/big group"}},
		{"keeps the edges of deleted groups", "roles of a deleted group stay", newFaulty, "members/deleted group", []string{"members at once/*"}},
		{"keeps the edges of deleted users", "people who left are members", newFaulty, "members/deleted user", []string{"members/deleted group", "members/type and id"}},
		{"members without types", "user 5 gets the roles of group 5", newFaulty, "members/type and id", []string{"members/order and paging", "members/groups of", "members/deleted group"}},
		{"removes from all groups", "one group's change takes another's roles", newFaulty, "members/groups apart", nil},
		{"unknown groups take members", "a member of nothing", newFaulty, "members/unknown group", nil},
		{"tells what was asked for", "events tell of changes that were none", newFaulty, "members/add and remove", []string{"members/since", "members/type and id", "members at once/*"}},
		{"looks first who is there", "two requests both report a new member", newFaulty, "members at once/same member at once", nil},
		{"rewrites the whole group", "of two changes at once one is lost", newFaulty, "members at once/different members at once", []string{"members at once/same member at once", "isolation/members follow the lock"}},
		{"too many parameters", "a big group cannot be pushed", newFaulty, "members at once/big group", nil},
		{"pages end after a thousand", "a big group loses the rest of its roles", newFaulty, "members at once/big group", nil},
		{"members of a group that is going", "somebody keeps a role of a group that is gone", newFaulty, "members at once/deleted group", nil},
		{"names are free after the commit", "a client that swaps two names in a bulk request cannot", newFaulty, "transaction/names change hands", nil},
		{"a deadlock is an error", "a client is told of a failure that is none of its business", newFaulty, "isolation/opposite order", []string{"isolation/*"}},
		{"forgets who was by hand", "a hand-given role is taken", newFaulty, "ledger/round trip", []string{"ledger/replace", "ledger/drop"}},
		{"ledger in seconds", "entries are out of order", newFaulty, "ledger/round trip", []string{"ledger/*", "transaction of all/ledger"}},
		{"one entry for user and role", "leaving one of two groups takes the role", newFaulty, "ledger/identity", nil},
		{"the first entry wins", "a waiting role is never granted", newFaulty, "ledger/replace", nil},
		{"drops what is the same in all fields", "entries pile up", newFaulty, "ledger/drop", nil},
		{"links stay", "a group that was renamed keeps its role", newFaulty, "ledger/links", []string{"transaction of all/ledger"}},
		{"password as a value", "passwords are sent to every client", newFaulty, "person/password", nil},
		{"deactivates once", "a retry fails for ever", newFaulty, "person/deactivate", nil},
	}
}

// TestSoundCapabilities runs what the table above breaks without a fault: no step is
// skipped where all capabilities are there.
func TestSoundCapabilities(t *testing.T) {
	failed, skipped := judgeAll(storeSteps(), func() scim.Store { return newFaulty("") }, patient)
	if len(failed) > 0 || len(skipped) > 0 {
		t.Errorf("failed: %q, skipped: %q", failed, skipped)
	}
}
