package sqlstore

import (
	"context"
	"embed"
	"fmt"
)

// The steps by which the tables came to be, in order: part, number, dialect. A step
// that was released never changes.
//
//go:embed migrations
var migrations embed.FS

// Migrate makes the tables, or brings those of an earlier version of this package up
// to date. Call it at every start: any number of processes may do so at once.
//
// With Tables it looks whether the tables and columns that Options names are there, all
// but those of Insert, makes triggers on the application's tables, and goes through the
// rows of the tenant that are new to it, before the first time all of them.
func (s *Store) Migrate(ctx context.Context) error {
	if s.app.IsEmpty() {
		return s.db.Migrate(ctx, migrations, nil, "ledger", "store")
	}
	if err := s.app.Check(ctx); err != nil {
		return err
	}
	if err := s.db.Migrate(ctx, migrations, s.triggers.Migrate, "ledger", "store", "mapped"); err != nil {
		return err
	}
	if err := s.triggers.Enrol(ctx); err != nil {
		return fmt.Errorf("sqlstore: migrate: %w", err)
	}
	return s.app.Follow(ctx)
}

// Migrate makes the ledger's tables, or brings those of an earlier version of this
// package up to date. Call it at every start: any number of processes may do so at
// once.
func (l *Ledger) Migrate(ctx context.Context) error {
	return l.db.Migrate(ctx, migrations, nil, "ledger")
}
