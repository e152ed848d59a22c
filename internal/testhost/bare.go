package testhost

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/scimkit/scim"
)

var (
	_ scim.Store    = (*BareStore)(nil)
	_ scim.Volatile = (*BareStore)(nil)
)

// BareStore is the smallest store that an application can write: the five methods of
// scim.Store over a map. It has no transactions, no MemberStore and no ledger. So tests
// with it run the handler's other path through every write.
type BareStore struct {
	mu  sync.Mutex
	all map[scim.Ref]*scim.Resource
}

// NewBareStore is an empty store.
func NewBareStore() *BareStore { return &BareStore{all: map[scim.Ref]*scim.Resource{}} }

// Put stores resources without a check.
func (s *BareStore) Put(rs []*scim.Resource) {
	for _, r := range rs {
		s.all[r.Ref()] = r
	}
}

// Volatile implements scim.Volatile.
func (*BareStore) Volatile() {}

// Create implements scim.Store.
func (s *BareStore) Create(ctx context.Context, r *scim.Resource) (*scim.Resource, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.checkUserName(ctx, r); err != nil {
		return nil, err
	}
	if s.all[r.Ref()] != nil {
		return nil, scim.Conflict("id")
	}
	s.all[r.Ref()] = r
	return r, nil
}

// Get implements scim.Store.
func (s *BareStore) Get(ctx context.Context, ref scim.Ref) (*scim.Resource, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.get(ctx, ref)
}

// List implements scim.Store.
func (s *BareStore) List(ctx context.Context, t *scim.ResourceType, q *scim.Query) (*scim.Page, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	all := slices.Collect(maps.Values(s.all))
	s.mu.Unlock()
	return scim.Scan(q, func(yield func(*scim.Resource, error) bool) {
		for _, r := range all {
			if r.Type() == t && !yield(r, nil) {
				return
			}
		}
	})
}

// Update implements scim.Store.
func (s *BareStore) Update(ctx context.Context, ref scim.Ref, fn func(*scim.Resource) (*scim.Resource, error)) (*scim.Resource, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before, err := s.get(ctx, ref)
	if err != nil {
		return nil, err
	}
	after, err := fn(before)
	if err != nil || after == before {
		return after, err
	}
	if err := s.checkUserName(ctx, after); err != nil {
		return nil, err
	}
	s.all[ref] = after
	return after, nil
}

// Delete implements scim.Store.
func (s *BareStore) Delete(ctx context.Context, ref scim.Ref, check func(*scim.Resource) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, err := s.get(ctx, ref)
	if err != nil {
		return err
	}
	if err := check(r); err != nil {
		return err
	}
	delete(s.all, ref)
	return nil
}

func (s *BareStore) get(ctx context.Context, ref scim.Ref) (*scim.Resource, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if r := s.all[ref]; r != nil {
		return r, nil
	}
	return nil, scim.ErrNotFound
}

// checkUserName refuses a userName that another user has.
func (s *BareStore) checkUserName(ctx context.Context, r *scim.Resource) error {
	key := scim.Fold(r.String("userName"))
	for ref, o := range s.all {
		if ref.Type == "User" && ref != r.Ref() && r.Type().Name() == "User" && scim.Fold(o.String("userName")) == key {
			return scim.Conflict("userName")
		}
	}
	return ctx.Err()
}
