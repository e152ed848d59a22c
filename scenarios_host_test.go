package scim_test

import (
	"context"
	"maps"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/memory"
)

// open makes the host of a world: store, ledger and resolver, each of whose calls
// reports to world.at before and after.
func (w *world) open() {
	if w.kind == bare {
		s := newBareStore()
		w.store, w.ledger = &steppedStore{s, w}, &steppedLedger{memory.NewLedger(), w}
		w.roles.Ledger, w.roles.Resolver = w.ledger, w.app
		w.bulk = func(rs ...*scim.Resource) {
			for _, r := range rs {
				s.all[r.Ref()] = r
			}
		}
		return
	}
	m := memory.New(memory.Now(w.now))
	s := &edgeStore{steppedStore{m, w}, steppedLedger{m, w}, m}
	w.store, w.ledger, w.roles.Resolver = s, s, w.app
	if w.kind == joint {
		w.roles.Resolver = &jointRoles{w.app}
	}
	w.bulk = func(rs ...*scim.Resource) {
		for _, r := range rs {
			if _, err := m.Create(context.Background(), r); err != nil {
				w.t.Fatalf("Create: %v", err)
			}
		}
	}
}

// jointRoles is testRoles within the transaction of an edgeStore: what it changed is
// taken back when that fails.
type jointRoles struct{ *testRoles }

type undoKey struct{}

func (r *jointRoles) ChangeRoles(ctx context.Context, changes []scim.RoleChange) error {
	if undo, ok := ctx.Value(undoKey{}).(*[]func()); ok {
		r.mu.Lock()
		before, told := map[string]map[string]bool{}, len(r.log)
		for _, c := range changes {
			before[c.UserID] = maps.Clone(r.held[c.UserID])
		}
		r.mu.Unlock()
		*undo = append(*undo, func() {
			r.mu.Lock()
			defer r.mu.Unlock()
			maps.Copy(r.held, before)
			r.log = r.log[:told]
		})
	}
	return r.testRoles.ChangeRoles(ctx, changes)
}

// steppedStore is the least store.
type steppedStore struct {
	s scim.Store
	w *world
}

func (s *steppedStore) Volatile() {}

func (s *steppedStore) Create(ctx context.Context, r *scim.Resource) (*scim.Resource, error) {
	s.w.at("Create")
	defer s.w.at("Created")
	return s.s.Create(ctx, r)
}

func (s *steppedStore) Get(ctx context.Context, ref scim.Ref) (*scim.Resource, error) {
	s.w.at("Get")
	return s.s.Get(ctx, ref)
}

func (s *steppedStore) List(ctx context.Context, t *scim.ResourceType, q *scim.Query) (*scim.Page, error) {
	s.w.at("List")
	return s.s.List(ctx, t, q)
}

func (s *steppedStore) Update(ctx context.Context, ref scim.Ref, fn func(*scim.Resource) (*scim.Resource, error)) (*scim.Resource, error) {
	s.w.at("Update")
	defer s.w.at("Updated")
	return s.s.Update(ctx, ref, fn)
}

func (s *steppedStore) Delete(ctx context.Context, ref scim.Ref, check func(*scim.Resource) error) error {
	s.w.at("Delete")
	defer s.w.at("Deleted")
	return s.s.Delete(ctx, ref, check)
}

// steppedLedger is a ledger.
type steppedLedger struct {
	l scim.Ledger
	w *world
}

func (l *steppedLedger) Volatile() {}

func (l *steppedLedger) Grants(ctx context.Context, userIDs []string) ([]scim.Grant, error) {
	l.w.at("Grants")
	return l.l.Grants(ctx, userIDs)
}

func (l *steppedLedger) Record(ctx context.Context, put, drop []scim.Grant) error {
	l.w.at("Record")
	defer l.w.at("Recorded")
	return l.l.Record(ctx, put, drop)
}

func (l *steppedLedger) Links(ctx context.Context, groupIDs []string) ([]scim.Link, error) {
	l.w.at("Links")
	return l.l.Links(ctx, groupIDs)
}

func (l *steppedLedger) SetLink(ctx context.Context, link scim.Link) error {
	l.w.at("SetLink")
	defer l.w.at("SetLinked")
	return l.l.SetLink(ctx, link)
}

// edgeStore is the memory store with everything that it can do.
type edgeStore struct {
	steppedStore
	steppedLedger
	m *memory.Store
}

var (
	_ scim.MemberStore = (*edgeStore)(nil)
	_ scim.Ledger      = (*edgeStore)(nil)
)

func (s *edgeStore) Volatile() {}

func (s *edgeStore) InTx(ctx context.Context, fn func(ctx context.Context) error) error {
	w := s.steppedStore.w
	w.at("InTx")
	err := s.m.InTx(ctx, func(ctx context.Context) error {
		// The undo list of the outermost transaction serves the nested ones too.
		undo, nested := ctx.Value(undoKey{}).(*[]func())
		if !nested {
			undo = new([]func())
			ctx = context.WithValue(ctx, undoKey{}, undo)
		}
		mark, done := len(*undo), false
		defer func() {
			if !done {
				for i := len(*undo) - 1; i >= mark; i-- {
					(*undo)[i]()
				}
				*undo = (*undo)[:mark]
			}
		}()
		if err := fn(ctx); err != nil {
			return err
		}
		done = ctx.Err() == nil
		return ctx.Err()
	})
	if err == nil {
		w.at("committed")
	}
	return err
}

func (s *edgeStore) Members(ctx context.Context, groupID string, after scim.Ref, limit int) ([]scim.Ref, error) {
	s.steppedStore.w.at("Members")
	return s.m.Members(ctx, groupID, after, limit)
}

func (s *edgeStore) GroupsOf(ctx context.Context, members []scim.Ref) ([]scim.Membership, error) {
	s.steppedStore.w.at("GroupsOf")
	return s.m.GroupsOf(ctx, members)
}

func (s *edgeStore) ChangeMembers(ctx context.Context, groupID string, add, remove []scim.Ref) (added, removed []scim.Ref, err error) {
	s.steppedStore.w.at("ChangeMembers")
	defer s.steppedStore.w.at("ChangedMembers")
	return s.m.ChangeMembers(ctx, groupID, add, remove)
}
