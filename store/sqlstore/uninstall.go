package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
	"github.com/scimkit/scim/store/sqlstore/internal/notes"
)

// Uninstall removes everything that Migrate has created under Options.Prefix, for all tenants:
// the triggers on the application's tables, also on tables that are no longer mapped, and then
// the package's own tables. It changes no row of the application. Afterwards the application
// writes its tables as before SCIM. Users and groups that have no table of the application are
// erased for good, and so is what the package remembers about roles: if roles that came from
// SCIM must end, call scim.Reconciler.End before. Tokens and the entries of a Journal are erased too.
//
// Stop the other programs that use the Store before. Uninstall works in any state: after the
// application has dropped tables, after some of ours were dropped by hand, and when nothing is
// there. All of it is one transaction: that of ctx if it carries one, see WithTx. In MariaDB each
// statement commits by itself: after a failure call it again. Call it as the
// role that called Migrate. Migrate installs everything again.
func (b *base) Uninstall(ctx context.Context) error {
	if b.db.Dialect == dialect.MariaDB && Tx(ctx, b.db.Pool) != nil {
		return errors.New("sqlstore: uninstall: not for use within a transaction of MariaDB: it would be committed")
	}
	err := b.db.WriteAlone(ctx, func(ctx context.Context) error {
		unlock, err := b.schema.LockSchema(ctx)
		if err != nil {
			return err
		}
		defer unlock()
		all, err := b.removal(ctx)
		if err != nil {
			return err
		}
		for _, text := range all {
			if _, err := b.db.Conn(ctx).ExecContext(ctx, text); err != nil {
				return fmt.Errorf("%s: %w", text, err)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("sqlstore: uninstall: %w", err)
	}
	return nil
}

// UninstallSQL returns the statements that Uninstall would run now for a prefix, "" for the default
// one. They are in order and without semicolons. It changes nothing. Run them by hand, or in a
// migration of the application. They are those of this database: in another one there may be
// triggers of other tables.
func UninstallSQL(ctx context.Context, db *sql.DB, d Dialect, prefix string) (all []string, err error) {
	b, err := newBase(db, d, Options{Prefix: prefix})
	if err != nil {
		return nil, err
	}
	err = b.db.Read(ctx, func() (err error) {
		all, err = b.removal(ctx)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("sqlstore: uninstall: %w", err)
	}
	return all, nil
}

// removal returns the statements of Uninstall. Triggers come first: they write the tables.
func (b *base) removal(ctx context.Context) ([]string, error) {
	triggers, err := notes.Removal(ctx, b.db)
	if err != nil {
		return nil, err
	}
	tables, err := b.schema.Removal(ctx)
	return append(triggers, tables...), err
}
