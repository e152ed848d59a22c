package database

import (
	"context"
	"fmt"

	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
)

// manyRows is from how many rows on a statement is worth a plan of its own.
const manyRows = 100

// PlanAgain makes PostgreSQL plan each further statement of the transaction by itself, if it is
// about many rows. A prepared statement otherwise keeps the plan that was right for a table of a few
// rows. The transaction fills the table, and nobody makes statistics of it before the commit. Each
// statement would read all that those before it have written. It does nothing in a transaction that
// the application has begun.
func PlanAgain(ctx context.Context, b *DB, rows int) error {
	j := b.Transaction(ctx)
	if rows < manyRows || b.Dialect != dialect.Postgres || j == nil || !j.isOwn || !j.IsFirst("plan_cache_mode") {
		return nil
	}
	if _, err := j.tx.ExecContext(ctx, "SET LOCAL plan_cache_mode = force_custom_plan"); err != nil {
		return fmt.Errorf("sqlstore: plan each statement: %w", err)
	}
	return nil
}
