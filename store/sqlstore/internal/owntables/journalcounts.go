package owntables

import (
	"context"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"github.com/scimkit/scim/journal"
	"github.com/scimkit/scim/store/sqlstore/internal/database"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
)

// addCounts adds to the counters of the tenant of db. They come in order, so that two processes do not wait for each other.
func addCounts(ctx context.Context, db *database.DB, all []journal.Counter) error {
	for len(all) > 0 {
		n := min(len(all), mostRows)
		var text strings.Builder
		text.WriteString("INSERT INTO {p}entry_counts (tenant, day, client, what, n, at, key_id, name) VALUES ")
		var args []any
		for i, c := range all[:n] {
			if i > 0 {
				text.WriteString(", ")
			}
			text.WriteString("($1")
			for _, arg := range []any{c.Day, termText(c.Client), c.What, c.N, dialect.Micros(c.Last), c.Key, notNil(c.Name)} {
				args = append(args, arg)
				text.WriteString(", $" + strconv.Itoa(len(args)+1))
			}
			text.WriteString(")")
		}
		if db.Dialect == dialect.MariaDB {
			text.WriteString(" ON DUPLICATE KEY UPDATE n = n + VALUES(n), at = GREATEST(at, VALUES(at)), key_id = VALUES(key_id), name = VALUES(name)")
		} else {
			text.WriteString(" ON CONFLICT (tenant, day, client, what) DO UPDATE SET n = {p}entry_counts.n + excluded.n, key_id = excluded.key_id, name = excluded.name," +
				" at = CASE WHEN excluded.at > {p}entry_counts.at THEN excluded.at ELSE {p}entry_counts.at END")
		}
		if _, err := db.Exec(ctx, text.String(), args...); err != nil {
			return err
		}
		all = all[n:]
	}
	return nil
}

// Counters implements journal.Store.
func (s *Journal) Counters(ctx context.Context, tenant, from, to string) ([]journal.Counter, error) {
	if len(dialect.Storable([]string{tenant, from, to})) < 3 {
		return nil, nil
	}
	all, err := database.ReadAll(ctx, s.of(tenant), 0, func(scan func(...any) error) (c journal.Counter, err error) {
		var client string
		var at int64
		if err := scan(&c.Day, &client, &c.What, &c.N, &at, &c.Key, &c.Name); err != nil {
			return c, err
		}
		c.Last = dialect.FromMicros(at)
		term, err := base64.RawURLEncoding.DecodeString(client)
		if err != nil || len(term) != termSize {
			return c, fmt.Errorf("%q is no keyed hash", client)
		}
		c.Client = journal.Term(term)
		return c, nil
	}, "SELECT c.day, c.client, c.what, c.n, c.at, c.key_id, c.name FROM {p}entry_counts AS c WHERE c.tenant = $1 AND c.day >= $2 AND c.day <= $3 ORDER BY c.day, c.client, c.what", from, to)
	if err != nil {
		return nil, fmt.Errorf("sqlstore: counters: %w", err)
	}
	// The order of texts differs from that of the hashes.
	return journal.SumCounters(all), nil
}

// Sums implements journal.SumStore. It is one statement.
func (s *Journal) Sums(ctx context.Context, tenants []string, names []journal.CounterName) (map[string]int64, error) {
	tenants = dialect.Distinct(tenants)
	out := map[string]int64{}
	if len(tenants) == 0 || len(names) == 0 {
		return out, nil
	}
	db := s.of("")
	args := []any{dialect.Tuples(tenants, func(t string) []any { return []any{t} })}
	arg := func(text string) string {
		args = append(args, text)
		return "$" + strconv.Itoa(len(args)+1)
	}
	var wanted []string
	for _, n := range names {
		if len(dialect.Storable([]string{n.Day, n.What})) == 2 {
			wanted = append(wanted, "c.day = "+arg(n.Day)+" AND c.what = "+arg(n.What))
		}
	}
	if len(wanted) == 0 {
		return out, nil
	}
	err := db.Read(ctx, func() error {
		clear(out)
		return db.Each(ctx, func(scan func(...any) error) error {
			var tenant string
			var n int64
			err := scan(&tenant, &n)
			out[tenant] = n
			return err
		}, "SELECT c.tenant, SUM(c.n) FROM {p}entry_counts AS c WHERE $1 = $1 AND "+db.Dialect.In("c.tenant", "SELECT e.value ->> 0 FROM {rows $2}")+
			" AND ("+strings.Join(wanted, " OR ")+") GROUP BY c.tenant", args...)
	})
	if err != nil {
		return nil, fmt.Errorf("sqlstore: sums of counters: %w", err)
	}
	return out, nil
}
