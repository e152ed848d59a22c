package sqlstore

import (
	"context"
	"embed"
	"errors"
	"fmt"

	"github.com/scimkit/scim/store/sqlstore/internal/projection"
)

// migrations are the steps that create the tables, named by part, number and dialect. A
// step that was released never changes.
//
//go:embed migrations
var migrations embed.FS

// Migrate creates the tables, or brings those of an earlier version of this package up to
// date, in one transaction. In MariaDB each statement commits by itself, and after a failure the
// next call goes on. Call it at every start. Any number of processes may do so at once. Stop processes of the earlier version before: they cannot use the new tables. Tables
// of a later version are an error.
//
// It looks whether it understands errors of the driver. It looks at the version and the settings
// of MariaDB, and whether connections to SQLite wait for locks (busy_timeout). With Tables they must also obey the REFERENCES of the mapped tables,
// and those to them (foreign_keys). It asks one connection of the pool. Connections to PostgreSQL may
// share sessions, as behind PgBouncer in transaction mode. Then the driver must not expect a
// prepared statement in the same session later; two connections tell. An error says what to change.
// Options.AnyDriver skips this.
//
// With Tables it first does what Check does. It creates triggers on the application's tables.
// Then it reads the rows of the tenant that are new to the Store: all of them, the first time. It
// does so page by page, and the application can write meanwhile. Until it has ended, each call
// for the tenant is an error. If ctx ends it, the next call goes on. Several goroutines call From
// at the same time.
//
// Last it creates and drops what Options.Indexes says. In PostgreSQL others write meanwhile, and
// Migrate waits for the transactions that are open. In SQLite writers wait.
func (s *Store) Migrate(ctx context.Context) error {
	if s.app.IsEmpty() {
		if err := s.schema.Migrate(ctx, nil, "ledger", "store"); err != nil {
			return err
		}
		return migrateIndexes(ctx, s)
	}
	if err := s.app.Check(ctx); err != nil {
		return err
	}
	if err := s.schema.Migrate(ctx, s.triggers.Migrate, "ledger", "store", "mapped"); err != nil {
		return err
	}
	if err := s.triggers.Enrol(ctx, func(ctx context.Context) error { return projection.Enrol(ctx, s.app) }); err != nil {
		return fmt.Errorf("sqlstore: migrate: %w", err)
	}
	if err := s.app.Follow(ctx); err != nil {
		return err
	}
	if err := projection.WarnOfNamesakes(ctx, s.app); err != nil {
		return err
	}
	return migrateIndexes(ctx, s)
}

// Check looks for mistakes in Options.Tables and Members, and changes nothing. Its error has a
// line for each mistake, which says what to do. It finds tables and columns that are not there,
// columns that no insert fills, types that do not fit, and conditions that the Store cannot
// follow. It calls Insert, Retire and Revive with resources without values, and From with nil, to
// know what they do. Migrate does the same. Check also finds triggers that are gone, which
// Migrate creates again. An application can call it in its own tests.
//
// What works, but perhaps not as intended, is no error: both log it to Options.Log, such as a
// userName that no unique index protects.
func (s *Store) Check(ctx context.Context) error {
	return errors.Join(s.app.Check(ctx), s.triggers.Check(ctx))
}

// Migrate creates the ledger's tables, or brings those of an earlier version of this
// package up to date, as Store.Migrate does.
func (l *Ledger) Migrate(ctx context.Context) error {
	return l.schema.Migrate(ctx, nil, "ledger")
}
