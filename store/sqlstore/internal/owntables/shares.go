package owntables

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/scimkit/scim/store/sqlstore/internal/database"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
)

// takeShare writes the row of a tenant. A row of another second begins anew. A statement may have
// read the clock and then waited for others, so a row of the seconds that follow counts as one of
// this second. A row that is newer is from before the clock was set back. MariaDB sets the columns from
// left to right, and then reads what it has set, so sec comes last. old and new stand before columns
// of the row that is there, and of the one that was to be inserted.
const takeShare = `INSERT INTO {p}shares (tenant, sec, given, demand, total) VALUES ($1, {now}, $2, $3, 0) {conflict}
	total = CASE WHEN {same} THEN old.total WHEN old.sec = new.sec - 1 THEN old.demand ELSE 0 END,
	given = CASE WHEN {same} THEN old.given ELSE 0 END + new.given,
	demand = CASE WHEN {same} THEN old.demand ELSE 0 END + new.demand,
	sec = CASE WHEN {same} THEN old.sec ELSE new.sec END
	RETURNING given, total`

// isSameSecond is the condition that a row counts as one of this second.
const isSameSecond = "old.sec BETWEEN new.sec AND new.sec + 10"

// shareWords has what takeShare is in each dialect. The clock is that of the database, because those
// of the processes differ.
var shareWords = map[dialect.Dialect]struct{ now, conflict, before, inserted string }{
	dialect.SQLite:   {"CAST(strftime('%s', 'now') AS integer)", "ON CONFLICT (tenant) DO UPDATE SET", "{p}shares.$1", "EXCLUDED.$1"},
	dialect.Postgres: {"CAST(floor(extract(epoch FROM clock_timestamp())) AS bigint)", "ON CONFLICT (tenant) DO UPDATE SET", "{p}shares.$1", "EXCLUDED.$1"},
	dialect.MariaDB:  {"UNIX_TIMESTAMP()", "ON DUPLICATE KEY UPDATE", "$1", "VALUES($1)"},
}

var (
	beforeColumn   = regexp.MustCompile(`\bold\.(\w+)`)
	insertedColumn = regexp.MustCompile(`\bnew\.(\w+)`)
)

// Shares divides rates of all tenants.
type Shares struct {
	db   *database.DB
	text string
}

// NewShares returns the Shares in db, whose tenant does not matter.
func NewShares(db *database.DB) *Shares {
	words := shareWords[db.Dialect]
	text := strings.NewReplacer("{now}", words.now, "{conflict}", words.conflict, "{same}", isSameSecond).Replace(takeShare)
	text = beforeColumn.ReplaceAllString(text, words.before)
	return &Shares{db, insertedColumn.ReplaceAllString(text, words.inserted)}
}

// Take asks for requests of a tenant in this second, and tells of those in the second before. It is
// one statement, outside of a transaction that ctx carries, because that would keep the row locked. A
// failed one is not repeated.
func (s *Shares) Take(ctx context.Context, tenant string, demand, want int) (given, total int, err error) {
	if err := database.QueryRowOn(ctx, s.db, s.db.Pool, s.text, tenant, want, demand).Scan(&given, &total); err != nil {
		return 0, 0, fmt.Errorf("sqlstore: share of a tenant: %w", err)
	}
	return given, total, nil
}

// EraseShare erases the row of the tenant of db.
func EraseShare(ctx context.Context, db *database.DB) error {
	_, err := db.Exec(ctx, "DELETE FROM {p}shares WHERE tenant = $1")
	return err
}
