package memory

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"github.com/scimkit/scim"
)

// ledger is the data of a scim.Ledger, in a Store and in a Ledger. It does not lock.
type ledger struct {
	grants map[string][]scim.Grant // by user, ordered by role and source
	links  map[scim.Source]scim.Link
}

func newLedger() ledger {
	return ledger{grants: make(map[string][]scim.Grant), links: make(map[scim.Source]scim.Link)}
}

// compareGrants compares grants of one user by role and source.
func compareGrants(a, b scim.Grant) int {
	return cmp.Or(cmp.Compare(a.RoleID, b.RoleID), cmp.Compare(a.Source, b.Source))
}

// put stores g and returns the grant that it replaced.
func (l ledger) put(g scim.Grant) (old scim.Grant, replaced bool) {
	list := l.grants[g.UserID]
	i, found := slices.BinarySearchFunc(list, g, compareGrants)
	if found {
		old, list[i] = list[i], g
		return old, true
	}
	l.grants[g.UserID] = slices.Insert(list, i, g)
	return old, false
}

// drop deletes the grant with the identity of g and returns it.
func (l ledger) drop(g scim.Grant) (old scim.Grant, found bool) {
	list := l.grants[g.UserID]
	i, found := slices.BinarySearchFunc(list, g, compareGrants)
	if !found {
		return old, false
	}
	old = list[i]
	if list = slices.Delete(list, i, i+1); len(list) == 0 {
		delete(l.grants, g.UserID)
	} else {
		l.grants[g.UserID] = list
	}
	return old, true
}

// record deletes the grants in drop, then stores those in put. undo reverses that.
func (l ledger) record(put, drop []scim.Grant) (undo func()) {
	var dropped, replaced []scim.Grant
	for _, g := range drop {
		if old, found := l.drop(g); found {
			dropped = append(dropped, old)
		}
	}
	var added []scim.Grant
	for _, g := range put {
		if old, found := l.put(g); found {
			replaced = append(replaced, old)
		} else {
			added = append(added, g)
		}
	}
	return func() {
		// If put contained one grant twice, restore the first grant that it replaced. Delete
		// added grants, whatever replaced them.
		for _, g := range slices.Backward(replaced) {
			l.put(g)
		}
		for _, g := range added {
			l.drop(g)
		}
		for _, g := range dropped {
			l.put(g)
		}
	}
}

// setLink sets or deletes a link. undo reverses that.
func (l ledger) setLink(link scim.Link) (undo func()) {
	old, had := l.links[link.Source]
	if link.Role.ID == "" {
		delete(l.links, link.Source)
	} else {
		l.links[link.Source] = link
	}
	return func() {
		if had {
			l.links[link.Source] = old
		} else {
			delete(l.links, link.Source)
		}
	}
}

func (l ledger) grantsOf(userIDs []string) []scim.Grant {
	var list []scim.Grant
	for _, id := range distinct(userIDs) {
		list = append(list, l.grants[id]...)
	}
	return list
}

func (l ledger) linksOf(sources []scim.Source) []scim.Link {
	var list []scim.Link
	for _, id := range distinct(sources) {
		if link, ok := l.links[id]; ok {
			list = append(list, link)
		}
	}
	return list
}

// distinct returns a sorted copy without repetition.
func distinct[T ~string](ids []T) []T {
	ids = slices.Clone(ids)
	slices.Sort(ids)
	return slices.Compact(ids)
}

// Grants implements scim.Ledger.
func (s *Store) Grants(ctx context.Context, userIDs []string) (list []scim.Grant, err error) {
	err = s.read(ctx, func() error {
		list = s.ledger.grantsOf(userIDs)
		return nil
	})
	return list, err
}

// Record implements scim.Ledger.
func (s *Store) Record(ctx context.Context, put, drop []scim.Grant) error {
	return s.write(ctx, func() error {
		s.did(s.ledger.record(put, drop))
		return nil
	})
}

// Links implements scim.Ledger.
func (s *Store) Links(ctx context.Context, sources []scim.Source) (list []scim.Link, err error) {
	err = s.read(ctx, func() error {
		list = s.ledger.linksOf(sources)
		return nil
	})
	return list, err
}

// SetLink implements scim.Ledger.
func (s *Store) SetLink(ctx context.Context, l scim.Link) error {
	return s.write(ctx, func() error {
		s.did(s.ledger.setLink(l))
		return nil
	})
}

var (
	_ scim.Ledger   = (*Ledger)(nil)
	_ scim.Volatile = (*Ledger)(nil)
)

// Ledger is a scim.Ledger without a Store. Use it for tests of an application's own
// volatile Store. It is safe for concurrent use. It takes no part in transactions.
type Ledger struct {
	mu sync.RWMutex
	l  ledger
}

// NewLedger returns an empty Ledger.
func NewLedger() *Ledger { return &Ledger{l: newLedger()} }

// Volatile marks the Ledger as one that loses its contents: see scim.Volatile.
func (l *Ledger) Volatile() {}

// Grants implements scim.Ledger.
func (l *Ledger) Grants(ctx context.Context, userIDs []string) ([]scim.Grant, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return l.l.grantsOf(userIDs), nil
}

// Record implements scim.Ledger.
func (l *Ledger) Record(ctx context.Context, put, drop []scim.Grant) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	l.l.record(put, drop)
	return nil
}

// Links implements scim.Ledger.
func (l *Ledger) Links(ctx context.Context, sources []scim.Source) ([]scim.Link, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return l.l.linksOf(sources), nil
}

// SetLink implements scim.Ledger.
func (l *Ledger) SetLink(ctx context.Context, link scim.Link) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	l.l.setLink(link)
	return nil
}
