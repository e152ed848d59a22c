package owntables

import (
	"context"
	"fmt"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
)

// The pages of PendingLedger, in order of an index. $1 is the tenant.
const (
	AllLinksQuery = "SELECT " + linkColumns + " FROM {p}links AS k WHERE k.tenant = $1 AND k.source > $2 ORDER BY k.source LIMIT $3"
	// UsersWithGrantsQuery lists the users of a tenant that have grants.
	UsersWithGrantsQuery = "SELECT DISTINCT g.user_id FROM {p}grants AS g WHERE g.tenant = $1 AND g.user_id > $2 ORDER BY g.user_id LIMIT $3"

	NotesQuery = "SELECT n.kind, n.key, n.at, n.body FROM {p}notes AS n WHERE n.tenant = $1 AND n.kind = $2 AND n.key > $3 ORDER BY n.key LIMIT $4"
)

// OpenGrantsQuery is the query of OpenGrants. Without statistics SQLite would read all grants of
// the tenant, by the primary key.
func OpenGrantsQuery(d dialect.Dialect) string {
	index, isOpen := "", "g.state <> ''"
	switch d {
	case dialect.SQLite:
		index = " INDEXED BY {p}grants_open"
	case dialect.MariaDB:
		isOpen = "g.is_open = 1"
	}
	return "SELECT " + grantColumns + " FROM {p}grants AS g" + index +
		" WHERE g.tenant = $1 AND " + isOpen + " AND " + d.Beyond([]string{"g.user_id", "g.scope", "g.role_id", "g.source"}, []string{"$2", "$3", "$4", "$5"}, ">") +
		" ORDER BY g.user_id, g.scope, g.role_id, g.source LIMIT $6"
}

// AllLinks implements scim.PendingLedger.
func (l *Ledger) AllLinks(ctx context.Context, after scim.Source, limit int) ([]scim.Link, error) {
	return list(ctx, l, "links", scanLink, AllLinksQuery, after, limit)
}

// OpenGrants implements scim.PendingLedger.
func (l *Ledger) OpenGrants(ctx context.Context, after scim.Grant, limit int) ([]scim.Grant, error) {
	return list(ctx, l, "open grants", scanGrant, OpenGrantsQuery(l.db.Dialect), after.UserID, after.Scope, after.RoleID, after.Source, limit)
}

// Notes implements scim.PendingLedger.
func (l *Ledger) Notes(ctx context.Context, kind, after string, limit int) ([]scim.Note, error) {
	return list(ctx, l, "notes", func(scan func(...any) error) (n scim.Note, err error) {
		var at int64
		err = scan(&n.Kind, &n.Key, &at, &n.Text)
		n.At = dialect.FromMicros(at)
		return n, err
	}, NotesQuery, kind, after, limit)
}

// SetNote implements scim.PendingLedger.
func (l *Ledger) SetNote(ctx context.Context, n scim.Note) error {
	err := l.db.Write(ctx, func(ctx context.Context) error {
		if n.Text == "" {
			_, err := l.db.Exec(ctx, "DELETE FROM {p}notes WHERE tenant = $1 AND kind = $2 AND {key} = $3", n.Kind, n.Key)
			return err
		}
		_, err := l.db.Exec(ctx, "INSERT INTO {p}notes (tenant, kind, {key}, at, body) VALUES ($1, $2, $3, $4, $5)"+
			l.db.Dialect.Upsert("kind, tenant, key", "at", "body"), n.Kind, n.Key, dialect.Micros(n.At), n.Text)
		return err
	})
	if err != nil {
		return fmt.Errorf("sqlstore: note %q of kind %q: %w", n.Key, n.Kind, err)
	}
	return nil
}

// GrantedUsers implements scim.GrantCounter.
func (l *Ledger) GrantedUsers(ctx context.Context) (int, error) {
	counts, err := list(ctx, l, "users with grants", func(scan func(...any) error) (n int, err error) {
		err = scan(&n)
		return n, err
	},
		"SELECT COUNT(*) FROM (SELECT DISTINCT g.user_id FROM {p}grants AS g WHERE g.tenant = $1) AS u")
	if err != nil || len(counts) == 0 {
		return 0, err
	}
	return counts[0], nil
}

// list reads the rows of a query.
func list[T any](ctx context.Context, l *Ledger, what string, one func(scan func(...any) error) (T, error), query string, args ...any) (all []T, err error) {
	err = l.db.Read(ctx, func() error {
		all = all[:0]
		return l.db.Each(ctx, func(scan func(...any) error) error {
			row, err := one(scan)
			all = append(all, row)
			return err
		}, query, args...)
	})
	if err != nil {
		return nil, fmt.Errorf("sqlstore: %s: %w", what, err)
	}
	return all, nil
}
