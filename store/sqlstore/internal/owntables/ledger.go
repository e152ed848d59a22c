package owntables

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore/internal/database"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
)

// Ledger keeps grants and links in this package's tables.
type Ledger struct {
	db       *database.DB
	hasUsers bool // hasUsers says that {p}resources has the users.
	// Looks is the type of the users, if no resource of the Store has a Table. Then Grants may read
	// more than grants: see look.
	Looks *scim.ResourceType
	// RowOf returns the row of a resource, if Looks is set.
	RowOf func(*scim.Resource) (*Row, error)
}

// NewLedger returns the ledger of a tenant. hasUsers: {p}resources has the users.
func NewLedger(db *database.DB, hasUsers bool) *Ledger { return &Ledger{db: db, hasUsers: hasUsers} }

// Grants implements scim.Ledger. In a transaction it locks the users, in order of id.
func (l *Ledger) Grants(ctx context.Context, userIDs []string) ([]scim.Grant, error) {
	ids := dialect.Distinct(userIDs)
	if len(ids) == 0 {
		return nil, l.share(ctx)
	}
	if database.Tx(ctx, l.db.Pool) != nil {
		if err := database.PlanAgain(ctx, l.db, len(ids)); err != nil {
			return nil, err
		}
		if takeLocked(ctx, l.db, ids) {
			if k, ok := takeWhole(ctx, l.db, ids); ok {
				return k.keep(ctx), nil
			}
		} else if err := l.lock(ctx, ids); err != nil {
			return nil, fmt.Errorf("sqlstore: lock %d users: %w", len(ids), err)
		}
		if l.Looks != nil && len(ids) <= lookSize && l.db.Transaction(ctx).Looked() != nil {
			all, err := l.look(ctx, ids)
			if err != nil {
				return nil, fmt.Errorf("sqlstore: roles of %d users: %w", len(ids), err)
			}
			return all, nil
		}
	}
	all, err := database.ReadAll(ctx, l.db, len(ids), scanGrant, "SELECT "+grantColumns+
		l.db.Dialect.Each(l.db.Dialect.Texts("$2"), "grants", "g", "g.tenant = $1 AND g.user_id = w.value", ""), dialect.List(ids))
	if err != nil {
		return nil, fmt.Errorf("sqlstore: grants of %d users: %w", len(ids), err)
	}
	return all, nil
}

// grantColumns are the columns, of g, that scanGrant reads.
const grantColumns = "g.user_id, g.scope, g.role_id, g.source, g.at, g.by_hand, g.state, g.rank"

func scanGrant(scan func(...any) error) (g scim.Grant, err error) {
	var at int64
	err = scan(&g.UserID, &g.Scope, &g.RoleID, &g.Source, &at, &g.ByHand, &g.State, &g.Rank)
	g.At = dialect.FromMicros(at)
	return g, err
}

// lock locks users until the transaction ends, by rows of a table that has no other use.
// The row of a user is long, and a lock would write much into it. Advisory locks would not
// do, because PostgreSQL has room for some thousands only. In SQLite a transaction has the
// database to itself.
func (l *Ledger) lock(ctx context.Context, ids []string) error {
	switch l.db.Dialect {
	case dialect.SQLite:
		return nil
	case dialect.MariaDB:
		return l.lockRows(ctx, ids)
	}
	// One statement locks the rows in order, those that it inserts too. With one statement
	// for each kind, two transactions could wait for each other. Before the first row it shares
	// the lock that Fence takes alone.
	text := "INSERT INTO {p}users AS u (tenant, user_id) SELECT $1, e.value #>> '{}' FROM (SELECT pg_advisory_xact_lock_shared($3)) AS f, {rows $2}"
	if l.hasUsers { // Unknown ids need no lock, and a client could invent any number of them.
		text += " WHERE " + isKnownUser("e.value #>> '{}'")
	}
	// PostgreSQL locks a row that exists, and then finds that it is not to be updated.
	_, err := l.db.Exec(ctx, text+" ON CONFLICT (user_id, tenant) DO UPDATE SET tenant = u.tenant WHERE false", dialect.List(ids), l.db.NameKey(fence))
	return err
}

// isKnownUser is the condition that an id is that of a user, or was.
func isKnownUser(id string) string {
	return "(SELECT 1 FROM {p}users k WHERE k.tenant = $1 AND k.user_id = " + id + ") IS NOT NULL" +
		" OR (SELECT 1 FROM {p}resources r WHERE r.tenant = $1 AND r.type = 'User' AND r.id = " + id + " LIMIT 1) IS NOT NULL" +
		" OR (SELECT 1 FROM {p}grants g WHERE g.tenant = $1 AND g.user_id = " + id + " LIMIT 1) IS NOT NULL"
}

// share shares the lock that Fence takes alone, without the lock of a user.
func (l *Ledger) share(ctx context.Context) error {
	if l.db.Dialect == dialect.SQLite || database.Tx(ctx, l.db.Pool) == nil {
		return ctx.Err()
	}
	if l.db.Dialect == dialect.MariaDB {
		return l.shareFence(ctx)
	}
	if _, err := l.db.Conn(ctx).ExecContext(ctx, "SELECT pg_advisory_xact_lock_shared($1)", l.db.NameKey(fence)); err != nil {
		return fmt.Errorf("sqlstore: share the lock of a tenant's grants: %w", err)
	}
	return nil
}

// Record implements scim.Ledger. All of it is stored or nothing.
func (l *Ledger) Record(ctx context.Context, put, drop []scim.Grant) error {
	// Of two grants with the same key the later one counts. They are sorted, so that two
	// calls at once do not wait for each other.
	put = slices.Clone(put)
	slices.Reverse(put)
	slices.SortStableFunc(put, compareGrants)
	put = slices.CompactFunc(put, func(a, b scim.Grant) bool { return compareGrants(a, b) == 0 })
	if len(put)+len(drop) == 0 {
		return ctx.Err()
	}
	err := l.db.Write(ctx, func(ctx context.Context) error {
		if err := l.drop(ctx, drop); err != nil {
			return err
		}
		if len(put) == 0 {
			return nil
		}
		_, err := l.db.Exec(ctx, `INSERT INTO {p}grants (tenant, user_id, scope, role_id, source, at, by_hand, state, rank)
			SELECT $1, e.value ->> 0, e.value ->> 1, e.value ->> 2, e.value ->> 3,
				CAST(e.value ->> 4 AS bigint), CAST(e.value ->> 5 AS bigint), e.value ->> 6, CAST(e.value ->> 7 AS bigint)
			FROM {rows $2} WHERE 1 = 1`+l.db.Dialect.Upsert("user_id, tenant, scope, role_id, source", "at", "by_hand", "state", "rank"),
			dialect.Tuples(put, func(g scim.Grant) []any {
				return []any{g.UserID, g.Scope, g.RoleID, g.Source, dialect.Micros(g.At), dialect.Bit(g.ByHand), g.State, g.Rank}
			}))
		return err
	})
	if err != nil {
		return fmt.Errorf("sqlstore: record %d grants, drop %d: %w", len(put), len(drop), err)
	}
	return nil
}

// alike is a number of grants of one role and source. From this number on a statement of
// their own drops them, which costs a fraction.
const alike = 50

func (l *Ledger) drop(ctx context.Context, drop []scim.Grant) error {
	drop = slices.Clone(drop)
	slices.SortFunc(drop, func(a, b scim.Grant) int {
		return cmp.Or(cmp.Compare(a.Scope, b.Scope), cmp.Compare(a.RoleID, b.RoleID), cmp.Compare(a.Source, b.Source), cmp.Compare(a.UserID, b.UserID))
	})
	var rest []scim.Grant
	for len(drop) > 0 {
		scope, role, source := drop[0].Scope, drop[0].RoleID, drop[0].Source
		var ids []string
		for _, g := range drop {
			if g.Scope != scope || g.RoleID != role || g.Source != source {
				break
			}
			ids = append(ids, g.UserID)
		}
		if len(ids) < alike {
			rest = append(rest, drop[:len(ids)]...)
		} else {
			_, err := l.db.Exec(ctx, DropAlike(l.db.Dialect), scope, role, source, dialect.List(ids))
			if err != nil {
				return err
			}
		}
		drop = drop[len(ids):]
	}
	if len(rest) == 0 {
		return nil
	}
	_, err := l.db.Exec(ctx, l.db.Dialect.DeleteRows("grants", "tenant", "user_id", "scope", "role_id", "source"),
		dialect.Tuples(rest, func(g scim.Grant) []any { return []any{l.db.Tenant, g.UserID, g.Scope, g.RoleID, g.Source} }))
	return err
}

// DropAlike is the statement that drops grants of the users $5 that have a scope, a role and a source in common.
func DropAlike(d dialect.Dialect) string {
	if d == dialect.MariaDB {
		return "DELETE g FROM " + d.Texts("$5") + " AS w STRAIGHT_JOIN {p}grants AS g FORCE INDEX (PRIMARY) ON g.tenant = $1 AND g.user_id = w.value AND g.scope = $2 AND g.role_id = $3 AND g.source = $4"
	}
	if d == dialect.Postgres {
		// Without statistics it would compare each grant of the source with all users, so this looks up
		// the places of the rows. They stay there, because who changes them has locked the user.
		// Partitions have the same places, so the rest counts too, in a form that fits no index.
		return "DELETE FROM {p}grants WHERE ctid = ANY(ARRAY(SELECT g.place FROM " + d.Texts("$5") + " AS w(value) CROSS JOIN LATERAL (SELECT x.ctid AS place FROM {p}grants x" +
			" WHERE x.tenant = $1 AND x.user_id = w.value AND x.scope = $2 AND x.role_id = $3 AND x.source = $4 OFFSET 0) g))" +
			" AND tenant IS NOT DISTINCT FROM $1 AND scope IS NOT DISTINCT FROM $2 AND role_id IS NOT DISTINCT FROM $3 AND source IS NOT DISTINCT FROM $4" +
			" AND (user_id IN (SELECT value FROM " + d.Texts("$5") + " AS w(value))) IS TRUE"
	}
	return "DELETE FROM {p}grants WHERE tenant = $1 AND scope = $2 AND role_id = $3 AND source = $4 AND " +
		d.In("user_id", "SELECT value FROM "+d.Texts("$5"))
}

// SourceUsers implements scim.SourceLedger.
func (l *Ledger) SourceUsers(ctx context.Context, source scim.Source, after string, limit int) ([]string, error) {
	var all []string
	err := l.db.Read(ctx, func() error {
		all = all[:0]
		return l.db.Each(ctx, database.Texts(&all), "SELECT DISTINCT user_id FROM {p}grants WHERE source = $2 AND tenant = $1 AND user_id > $3 ORDER BY user_id LIMIT $4", source, after, limit)
	})
	if err != nil {
		return nil, fmt.Errorf("sqlstore: users of %q: %w", source, err)
	}
	return all, nil
}

// DropSource implements scim.SourceLedger.
func (l *Ledger) DropSource(ctx context.Context, source scim.Source) error {
	err := l.db.Write(ctx, func(ctx context.Context) error {
		_, err := l.db.Exec(ctx, "DELETE FROM {p}grants WHERE tenant = $1 AND source = $2", source)
		return err
	})
	if err != nil {
		return fmt.Errorf("sqlstore: drop the grants of %q: %w", source, err)
	}
	return nil
}

// compareGrants compares grants by their identity.
func compareGrants(a, b scim.Grant) int {
	return cmp.Or(cmp.Compare(a.UserID, b.UserID), cmp.Compare(a.Scope, b.Scope), cmp.Compare(a.RoleID, b.RoleID), cmp.Compare(a.Source, b.Source))
}
