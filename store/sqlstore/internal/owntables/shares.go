package owntables

import (
	"context"
	"fmt"
	"regexp"

	"github.com/scimkit/scim/store/sqlstore/internal/database"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
)

// takeShare writes the row of a tenant. A row of an earlier second begins anew. MariaDB sets the
// columns from left to right, and then reads what it has set, so sec comes last. old and new stand
// before columns of the row that is there, and of the one that was to be inserted.
const takeShare = `INSERT INTO {p}shares (tenant, sec, given, demand, total) VALUES ($1, {now}, $2, $3, 0) {conflict}
	total = CASE WHEN old.sec >= new.sec THEN old.total WHEN old.sec = new.sec - 1 THEN old.demand ELSE 0 END,
	given = CASE WHEN old.sec >= new.sec THEN old.given ELSE 0 END + new.given,
	demand = CASE WHEN old.sec >= new.sec THEN old.demand ELSE 0 END + new.demand,
	sec = CASE WHEN old.sec >= new.sec THEN old.sec ELSE new.sec END
	RETURNING given, total`

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
	shareWord      = regexp.MustCompile(`\{(?:now|conflict)\}`)
)

// Shares divides rates of all tenants.
type Shares struct {
	db   *database.DB
	text string
}

// NewShares returns the Shares in db, whose tenant does not matter.
func NewShares(db *database.DB) *Shares {
	words := shareWords[db.Dialect]
	text := shareWord.ReplaceAllStringFunc(takeShare, func(word string) string {
		if word == "{now}" {
			return words.now
		}
		return words.conflict
	})
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
