package memory

import (
	"context"

	"github.com/scimkit/scim"
)

var (
	_ scim.Ledger        = (*Store)(nil)
	_ scim.PendingLedger = (*Store)(nil)
	_ scim.GrantCounter  = (*Store)(nil)
	_ scim.TenantLedger  = (*Store)(nil)
)

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

// AllLinks implements scim.PendingLedger.
func (s *Store) AllLinks(ctx context.Context, after scim.Source, limit int) (list []scim.Link, err error) {
	err = s.read(ctx, func() error {
		list = s.ledger.allLinks(after, limit)
		return nil
	})
	return list, err
}

// OpenGrants implements scim.PendingLedger.
func (s *Store) OpenGrants(ctx context.Context, after scim.Grant, limit int) (list []scim.Grant, err error) {
	err = s.read(ctx, func() error {
		list = s.ledger.openGrants(after, limit)
		return nil
	})
	return list, err
}

// Notes implements scim.PendingLedger.
func (s *Store) Notes(ctx context.Context, kind, after string, limit int) (list []scim.Note, err error) {
	err = s.read(ctx, func() error {
		list = s.ledger.notesOf(kind, after, limit)
		return nil
	})
	return list, err
}

// GrantedUsers implements scim.GrantCounter.
func (s *Store) GrantedUsers(ctx context.Context) (n int, err error) {
	err = s.read(ctx, func() error {
		n = len(s.ledger.grants)
		return nil
	})
	return n, err
}

// SetNote implements scim.PendingLedger.
func (s *Store) SetNote(ctx context.Context, n scim.Note) error {
	return s.write(ctx, func() error {
		s.did(s.ledger.setNote(n))
		return nil
	})
}

// UsersWithGrants implements scim.TenantLedger.
func (s *Store) UsersWithGrants(ctx context.Context, after string, limit int) (ids []string, err error) {
	err = s.read(ctx, func() error {
		ids = s.ledger.usersWithGrants(after, limit)
		return nil
	})
	return ids, err
}

// Fence implements scim.TenantLedger. A transaction has the Store to itself anyway.
func (s *Store) Fence(ctx context.Context) error { return ctx.Err() }

// Forget implements scim.TenantLedger.
func (s *Store) Forget(ctx context.Context, keep scim.Source, limit int) (isLeft bool, err error) {
	err = s.write(ctx, func() error {
		var undo func()
		isLeft, undo = s.ledger.forget(keep, limit)
		s.did(undo)
		return nil
	})
	return isLeft, err
}
