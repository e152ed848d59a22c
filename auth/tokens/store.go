package tokens

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/scimkit/scim"
)

// Store keeps the tokens of all tenants. It is safe for concurrent use. What manages tokens names
// the tenant, and the Store then neither shows nor changes a token of another one. Only ByHash and
// SetLastUsed look in all tenants. storetest.RunTokens is the contract as tests.
type Store interface {
	// Insert keeps a new token. It fails if there is one with its ID or its Hash.
	Insert(ctx context.Context, t Token) error
	// ByHash returns the token with this hash, also if it has expired or was revoked. The error is
	// scim.ErrNotFound if there is none. Any other error becomes 503.
	ByHash(ctx context.Context, hash [sha256.Size]byte) (Token, error)
	// List returns all tokens of a tenant: the last one created comes first.
	List(ctx context.Context, tenant string) ([]Token, error)
	// Update calls fn with a token of the tenant, isolated from other Updates of the token. fn may
	// change Expires, Revoked and Successor, and the Store keeps these. If fn returns a further
	// token, the Store keeps it too, both or none. If fn returns an error, the Store keeps nothing
	// and returns the error. fn is pure and may run again. The error is scim.ErrNotFound if the
	// tenant has no token with this ID; then fn is not called.
	Update(ctx context.Context, tenant, id string, fn func(t *Token) (further *Token, err error)) error
	// SetLastUsed sets LastUsed of a token to at, if it is before since. It does nothing if there
	// is no such token.
	SetLastUsed(ctx context.Context, hash [sha256.Size]byte, at, since time.Time) error
}

// Memory is a Store in memory, for tests and for programs that make their tokens at each start.
// Make it with NewMemory.
type Memory struct {
	mu     sync.RWMutex
	byHash map[[sha256.Size]byte]*Token
	byID   map[string]*Token
}

var _ Store = (*Memory)(nil)

// NewMemory returns an empty Memory.
func NewMemory() *Memory {
	return &Memory{byHash: make(map[[sha256.Size]byte]*Token), byID: make(map[string]*Token)}
}

// Insert implements Store.
func (m *Memory) Insert(_ context.Context, t Token) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.insert(&t)
}

// insert is Insert with the lock held.
func (m *Memory) insert(t *Token) error {
	if m.byID[t.ID] != nil || m.byHash[t.Hash] != nil {
		return fmt.Errorf("tokens: there is a token with the ID %q or its hash", t.ID)
	}
	c := t.clone()
	m.byID[t.ID], m.byHash[t.Hash] = &c, &c
	return nil
}

// ByHash implements Store.
func (m *Memory) ByHash(_ context.Context, hash [sha256.Size]byte) (Token, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	t, ok := m.byHash[hash]
	if !ok {
		return Token{}, scim.ErrNotFound
	}
	return t.clone(), nil
}

// List implements Store.
func (m *Memory) List(_ context.Context, tenant string) ([]Token, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	var all []Token
	for _, t := range m.byID {
		if t.Tenant == tenant {
			all = append(all, t.clone())
		}
	}
	slices.SortFunc(all, func(a, b Token) int { return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(b.ID, a.ID)) })
	return all, nil
}

// Update implements Store.
func (m *Memory) Update(_ context.Context, tenant, id string, fn func(t *Token) (*Token, error)) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	stored, ok := m.byID[id]
	if !ok || stored.Tenant != tenant {
		return scim.ErrNotFound
	}
	changed := stored.clone()
	further, err := fn(&changed)
	if err != nil {
		return err
	}
	if further != nil {
		if further.Tenant != tenant {
			return errOtherTenant
		}
		if err := m.insert(further); err != nil {
			return err
		}
	}
	stored.Expires, stored.Revoked, stored.Successor = changed.Expires, changed.Revoked, changed.Successor
	return nil
}

// errOtherTenant is what Update returns if fn mixes tenants.
var errOtherTenant = errors.New("tokens: a token of another tenant")

// SetLastUsed implements Store.
func (m *Memory) SetLastUsed(_ context.Context, hash [sha256.Size]byte, at, since time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if t, ok := m.byHash[hash]; ok && t.LastUsed.Before(since) {
		t.LastUsed = at
	}
	return nil
}
