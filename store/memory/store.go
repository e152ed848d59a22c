// Package memory is a scim.Store in memory, for tests, demonstrations and
// applications that provision again after every start. It has every capability
// that the roles engine can use, and it is exact: transactions roll back,
// memberships are edges, look-ups are indexed.
//
// One Store is one tenant. What it keeps is gone when the process ends.
package memory

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/scimkit/scim"
)

var (
	_ scim.Store       = (*Store)(nil)
	_ scim.Transactor  = (*Store)(nil)
	_ scim.MemberStore = (*Store)(nil)
	_ scim.Ledger      = (*Store)(nil)
	_ scim.Volatile    = (*Store)(nil)
)

// groupType is the resource type whose resources have members, userType the one
// whose userName is unique (RFC 7643, Section 4.1.1).
const (
	groupType = "Group"
	userType  = "User"
)

// Store keeps resources, memberships and the ledger of one tenant. It is safe for
// concurrent use.
//
// A transaction has the Store to itself from InTx until it returns. Inside, every
// call must be made with the ctx that InTx passed: with any other one it waits for
// the transaction, which waits for it.
type Store struct {
	now   func() time.Time
	paths []string // of the indexed attributes

	// mu guards everything below. A transaction holds it until it is over.
	mu     sync.RWMutex
	tx     *tx // the transaction that holds mu; nil outside of one
	tables map[string]*table
	edges  edges
	ledger ledger
}

// Option is a setting of New.
type Option func(*Store)

// Index makes equality filters on further attributes a look-up, by their paths as
// in filters: "name.familyName", "phoneNumbers.value". The id, userName,
// externalId, displayName and emails.value always are. Strings and references can
// be indexed; other attributes, and those of meta, are found by looking at all
// resources all the same.
func Index(paths ...string) Option {
	return func(s *Store) {
		for _, p := range paths {
			if indexable(p) {
				s.paths = append(s.paths, p)
			}
		}
	}
}

// indexable leaves out what is kept beside a resource's values and is therefore
// not to be had from Resource.Get.
func indexable(path string) bool {
	name := strings.ToLower(path[strings.LastIndexByte(path, ':')+1:])
	return name != "id" && name != "schemas" && name != "meta" && !strings.HasPrefix(name, "meta.")
}

// Now sets the clock that Membership.Since is read from; time.Now by default.
func Now(now func() time.Time) Option { return func(s *Store) { s.now = now } }

// New returns an empty Store.
func New(options ...Option) *Store {
	s := &Store{
		now:    time.Now,
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

// Volatile says that the Store forgets: see scim.Volatile.
func (s *Store) Volatile() {}

// find returns the row of ref, nil if there is none.
func (s *Store) find(ref scim.Ref) *row {
	if t := s.tables[ref.Type]; t != nil {
		return t.ids[ref.ID]
	}
	return nil
}

// Create implements scim.Store. A resource without an id is an error: the handler
// gives ids.
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
		if t.ids[r.ID()] != nil {
			return scim.Conflict("id")
		}
		if err := t.free(r, nil); err != nil {
			return err
		}
		w := newRow(r)
		t.insert(w)
		s.did(func() { t.remove(w) })
		return nil
	})
	if err != nil {
		return nil, err
	}
	return r, nil
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

// Update implements scim.Store. fn runs once, with the Store to itself.
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
		t.replace(w, after)
		s.did(func() { t.replace(w, before) })
		r = after
		return nil
	})
	return r, err
}

// Delete implements scim.Store. The resource's memberships, in either direction,
// go with it.
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
