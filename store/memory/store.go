// Package memory is a scim.Store in memory. It is for tests, demonstrations and
// applications that clients provision again after every start. It has every capability
// that roles need. Transactions roll back, and look-ups use indexes.
//
// One Store is one tenant. The contents are lost when the process ends.
package memory

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/scimkit/scim"
)

var (
	_ scim.Store       = (*Store)(nil)
	_ scim.Transactor  = (*Store)(nil)
	_ scim.MemberStore = (*Store)(nil)
	_ scim.Ledger      = (*Store)(nil)
	_ scim.Volatile    = (*Store)(nil)

	_ scim.TenantLocker = (*Store)(nil)
	_ scim.UniqueIDs    = (*Store)(nil)
	_ scim.ClientKeeper = (*Store)(nil)
)

// Resources of groupType have members. Resources of userType have a unique userName (RFC
// 7643, Section 4.1.1).
const (
	groupType = "Group"
	userType  = "User"
)

// Store keeps the resources, memberships and ledger of one tenant. It is safe for
// concurrent use.
//
// InTx gives the Store exclusively to one transaction. In the transaction use only the
// ctx that InTx passes. A call with another ctx blocks until that ctx ends: it waits for
// the transaction, and the transaction waits for it.
type Store struct {
	now   func() time.Time
	paths []string // of the indexed attributes
	// uniqueIDs says that a user and a group cannot have the same id.
	uniqueIDs bool

	// mu guards everything below. A transaction holds it until it ends. It is a semaphore,
	// because nobody can stop waiting for a sync.RWMutex: see acquire.
	mu     *semaphore.Weighted
	tx     *tx // the transaction that holds mu; nil outside of one
	tables map[string]*table
	edges  edges
	ledger ledger
}

// Option is an option of New.
type Option func(*Store)

// Index adds indexes for equality filters on attributes. Paths are written as in filters:
// "name.familyName", "phoneNumbers.value". Only strings and references are indexed.
// Filters on other attributes, and on those of meta, still work, but look at all
// resources.
//
// id, userName, externalId, displayName and emails.value are always indexed.
func Index(paths ...string) Option {
	return func(s *Store) {
		for _, p := range paths {
			if indexable(p) {
				s.paths = append(s.paths, p)
			}
		}
	}
}

// indexable reports whether Resource.Get returns the value at path. It does not for what
// a store keeps beside the values, such as meta.
func indexable(path string) bool {
	name := strings.ToLower(path[strings.LastIndexByte(path, ':')+1:])
	return name != "id" && name != "schemas" && name != "meta" && !strings.HasPrefix(name, "meta.")
}

// Now sets the clock for Membership.Since. The default is time.Now.
func Now(now func() time.Time) Option { return func(s *Store) { s.now = now } }

// UniqueIDs refuses a user with the id of a group, and a group with the id of a user. The
// Store then says so to the handler: see scim.UniqueIDs. Set it if Config.NewID never
// returns an id twice, as by default.
func UniqueIDs() Option { return func(s *Store) { s.uniqueIDs = true } }

// New returns an empty Store.
func New(options ...Option) *Store {
	s := &Store{
		now:    time.Now,
		mu:     semaphore.NewWeighted(writing),
		paths:  []string{"userName", "externalId", "displayName", "emails.value"},
		tables: make(map[string]*table),
		edges:  newEdges(),
		ledger: newLedger(),
	}
	for _, o := range options {
		o(s)
	}
	return s
}

// Volatile marks the Store as one that loses its contents: see scim.Volatile.
func (s *Store) Volatile() {}

// UniqueIDs implements scim.UniqueIDs: see the option UniqueIDs.
func (s *Store) UniqueIDs() bool { return s.uniqueIDs }

// isTwin reports whether ref would be a user with the id of a group, or the reverse, which
// the Store refuses.
func (s *Store) isTwin(ref scim.Ref) bool {
	if !s.uniqueIDs {
		return false
	}
	switch ref.Type {
	case userType:
		return s.find(scim.Ref{Type: groupType, ID: ref.ID}) != nil
	case groupType:
		return s.find(scim.Ref{Type: userType, ID: ref.ID}) != nil
	}
	return false
}

// find returns the row of ref, nil if there is none.
func (s *Store) find(ref scim.Ref) *row {
	if t := s.tables[ref.Type]; t != nil {
		return t.ids[ref.ID]
	}
	return nil
}

// Create implements scim.Store. A resource without an id is an error, because the handler
// makes the ids.
func (s *Store) Create(ctx context.Context, r *scim.Resource) (*scim.Resource, error) {
	if r.ID() == "" {
		return nil, errors.New("memory: a resource needs an id")
	}
	err := s.write(ctx, func() error {
		t := s.tables[r.Type().Name()]
		if t == nil {
			t = newTable(r.Type().Name(), s.paths)
			s.tables[r.Type().Name()] = t
		}
		if t.ids[r.ID()] != nil || s.isTwin(r.Ref()) {
			return scim.Conflict("id")
		}
		if err := t.free(r, nil); err != nil {
			return err
		}
		w := newRow(r)
		w.client = clientOf(ctx)
		t.insert(w)
		s.did(func() { t.remove(w) })
		return nil
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

// clientOf returns the client whose request has the context ctx.
func clientOf(ctx context.Context) string {
	p, _ := scim.PrincipalOf(ctx)
	return p.ID
}

// ClientsOf implements scim.ClientKeeper.
func (s *Store) ClientsOf(ctx context.Context, refs []scim.Ref) (map[scim.Ref]string, error) {
	all := make(map[scim.Ref]string, len(refs))
	err := s.read(ctx, func() error {
		for _, ref := range refs {
			if w := s.find(ref); w != nil && w.client != "" {
				all[ref] = w.client
			}
		}
		return nil
	})
	return all, err
}

// Get implements scim.Store.
func (s *Store) Get(ctx context.Context, ref scim.Ref) (*scim.Resource, error) {
	var r *scim.Resource
	err := s.read(ctx, func() error {
		w := s.find(ref)
		if w == nil {
			return scim.ErrNotFound
		}
		r = w.r
		return nil
	})
	return r, err
}

// Update implements scim.Store. It calls fn once, and no other call runs meanwhile.
func (s *Store) Update(ctx context.Context, ref scim.Ref, fn func(*scim.Resource) (*scim.Resource, error)) (*scim.Resource, error) {
	var r *scim.Resource
	err := s.write(ctx, func() error {
		w := s.find(ref)
		if w == nil {
			return scim.ErrNotFound
		}
		before := w.r
		after, err := fn(before)
		switch {
		case err != nil:
			return err
		case after == before:
			r = before
			return nil
		case after == nil || after.Ref() != ref:
			return fmt.Errorf("memory: the update of %s %s must return that resource", ref.Type, ref.ID)
		}
		t := s.tables[ref.Type]
		if err := t.free(after, w); err != nil {
			return err
		}
		client := w.client
		t.replace(w, after)
		w.client = cmp.Or(clientOf(ctx), client)
		s.did(func() {
			t.replace(w, before)
			w.client = client
		})
		r = after
		return nil
	})
	return r, err
}

// Delete implements scim.Store. It also deletes the memberships of the resource, as a
// group and as a member.
func (s *Store) Delete(ctx context.Context, ref scim.Ref, check func(*scim.Resource) error) error {
	return s.write(ctx, func() error {
		w := s.find(ref)
		if w == nil {
			return scim.ErrNotFound
		}
		if err := check(w.r); err != nil {
			return err
		}
		gone := s.edges.drop(ref)
		t := s.tables[ref.Type]
		t.remove(w)
		s.did(func() {
			t.insert(w)
			for _, m := range gone {
				s.edges.add(m)
			}
		})
		return nil
	})
}
