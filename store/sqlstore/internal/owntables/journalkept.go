package owntables

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/journal"
	"github.com/scimkit/scim/store/sqlstore/internal/database"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
)

// oldEntry is what is needed to remove an entry.
type oldEntry struct {
	tenant, id string
	kind       string
	size       int64
	terms      []byte
}

func scanOld(scan func(...any) error) (e oldEntry, err error) {
	return e, scan(&e.tenant, &e.id, &e.kind, &e.size, &e.terms)
}

const oldColumns = "e.tenant, e.id, e.kind, e.size, e.terms"

// removeOldTerms removes the terms of entries of one tenant from the table of earlier versions.
func removeOldTerms(ctx context.Context, db *database.DB, all []oldEntry) error {
	n := 0
	err := db.Each(ctx, func(scan func(...any) error) error { return scan(&n) }, "SELECT count(*) FROM (SELECT t.id FROM {p}entry_terms AS t WHERE t.tenant = $1 LIMIT 1) AS t")
	if err != nil || n == 0 {
		return err
	}
	var rows [][3]string
	for _, e := range all {
		for _, t := range termsIn(e.terms) {
			rows = append(rows, [3]string{db.Tenant, termText(t), e.id})
		}
	}
	const most = 5000
	for len(rows) > 0 {
		n := min(most, len(rows))
		list := dialect.Tuples(rows[:n], func(r [3]string) []any { return []any{r[0], r[1], r[2]} })
		if _, err := db.Exec(ctx, db.Dialect.DeleteRows("entry_terms", "tenant", "term", "id"), list); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

// idsOf is a list of ids for {rows $2}.
func idsOf(all []oldEntry) string {
	return dialect.Tuples(all, func(e oldEntry) []any { return []any{e.id} })
}

// lockSize returns the size of the tenant of db. Until the transaction ends, nobody else removes entries of the tenant.
func lockSize(ctx context.Context, db *database.DB) (bytes int64, err error) {
	err = db.Each(ctx, func(scan func(...any) error) error { return scan(&bytes) }, "SELECT bytes FROM {p}entry_sizes WHERE tenant = $1{lock  FOR UPDATE}")
	return bytes, err
}

func collect(all *[]oldEntry) func(scan func(...any) error) error {
	return func(scan func(...any) error) error {
		e, err := scanOld(scan)
		*all = append(*all, e)
		return err
	}
}

const (
	trimPage  = 500 // records of one transaction
	trimPages = 20  // transactions of one call of Trim
)

// Trim implements journal.Store.
func (s *Journal) Trim(ctx context.Context, r journal.Retention) (bool, error) {
	left := trimPages
	sizes, err := s.sizes(ctx)
	for _, of := range sizes {
		for err == nil && left > 0 && (of.bytes > r.Size || of.oldest != "" && of.oldest < r.From) {
			var n int
			if n, err = s.trimTenant(ctx, of.tenant, r); n < trimPage {
				break
			}
			left--
		}
	}
	for err == nil && left > 0 {
		var n int
		if n, err = s.trimRefused(ctx, r); n < trimPage {
			break
		}
		left--
	}
	if err == nil {
		err = s.db.Read(ctx, func() error {
			_, err := s.db.ExecOn(ctx, s.db.Conn(ctx), "DELETE FROM {p}entry_keys WHERE id < $1", r.Day)
			if err == nil {
				_, err = s.db.ExecOn(ctx, s.db.Conn(ctx), "DELETE FROM {p}entry_counts WHERE day < $1", r.Day)
			}
			return err
		})
	}
	if err != nil {
		return false, fmt.Errorf("sqlstore: trim entries: %w", err)
	}
	return left > 0, nil
}

// tenantSize is how many bytes a tenant has, and its oldest entry.
type tenantSize struct {
	tenant string
	bytes  int64
	oldest string
}

func (s *Journal) sizes(ctx context.Context) ([]tenantSize, error) {
	return database.ReadAll(ctx, s.of(""), 0, func(scan func(...any) error) (t tenantSize, err error) {
		return t, scan(&t.tenant, &t.bytes, &t.oldest)
	}, "SELECT s.tenant, s.bytes, COALESCE((SELECT min(e.id) FROM {p}entries AS e WHERE e.tenant = s.tenant), '') FROM {p}entry_sizes AS s WHERE $1 = $1")
}

// trimTenant removes a page of the oldest entries of a tenant, if they are too old or it has too much.
func (s *Journal) trimTenant(ctx context.Context, tenant string, r journal.Retention) (n int, err error) {
	db := s.of(tenant)
	err = db.InTxAlone(ctx, func(ctx context.Context) error {
		n = 0
		bytes, err := lockSize(ctx, db)
		if err != nil {
			return err
		}
		var page, all []oldEntry
		err = db.Each(ctx, collect(&page), "SELECT "+oldColumns+" FROM {p}entries AS e WHERE e.tenant = $1 AND e.kind <> 'refused' ORDER BY e.id LIMIT $2", trimPage)
		if err != nil {
			return err
		}
		removed := int64(0)
		for _, e := range page {
			if e.id >= r.From && bytes-removed <= r.Size {
				break
			}
			all, removed = append(all, e), removed+e.size
		}
		if n = len(all); n == 0 {
			return nil
		}
		if err := removeEntries(ctx, db, all); err != nil {
			return err
		}
		return addSize(ctx, db, -removed)
	})
	return n, err
}

// removeEntries removes entries of one tenant, which are in order.
func removeEntries(ctx context.Context, db *database.DB, all []oldEntry) error {
	if err := removeOldTerms(ctx, db, all); err != nil {
		return err
	}
	_, err := db.Exec(ctx, "DELETE FROM {p}entries WHERE tenant = $1 AND "+db.Dialect.In("id", "SELECT e.value ->> 0 FROM {rows $2}"), idsOf(all))
	if err != nil {
		return err
	}
	return removeOldRuns(ctx, db, all[len(all)-1].id)
}

// trimRefused removes a page of the oldest refused entries, if they are too old or too many.
func (s *Journal) trimRefused(ctx context.Context, r journal.Retention) (n int, err error) {
	db := s.of("")
	err = db.InTxAlone(ctx, func(ctx context.Context) error {
		n = 0
		var count int
		err := db.Each(ctx, func(scan func(...any) error) error { return scan(&count) }, "SELECT count(*) FROM {p}entries WHERE kind = 'refused' AND $1 = $1")
		if err != nil {
			return err
		}
		byTenant := map[string][]oldEntry{}
		err = db.Each(ctx, func(scan func(...any) error) error {
			e, err := scanOld(scan)
			if err == nil && (e.id < r.From || count > r.Refused) {
				byTenant[e.tenant] = append(byTenant[e.tenant], e)
				n++
				count--
			}
			return err
		}, "SELECT "+oldColumns+" FROM {p}entries AS e WHERE e.kind = 'refused' AND $1 = $1 ORDER BY e.id LIMIT $2", trimPage)
		if err != nil {
			return err
		}
		for tenant, all := range byTenant {
			if err := removeEntries(ctx, s.of(tenant), all); err != nil {
				return err
			}
		}
		return nil
	})
	return n, err
}

// EraseTenant erases the entries and keys of a tenant.
func (s *Journal) EraseTenant(ctx context.Context, tenant string) error {
	if len(dialect.Storable([]string{tenant})) == 0 {
		return nil
	}
	db := s.of(tenant)
	for _, table := range []string{"entry_keys", "entry_terms", "entry_parts", "entry_runs", "entries", "entry_counts", "entry_sizes", "entry_memos"} {
		err := db.Read(ctx, func() error { // Read retries, and a single statement needs no transaction.
			_, err := db.Exec(ctx, "DELETE FROM {p}"+table+" WHERE tenant = $1")
			return err
		})
		if err != nil {
			return fmt.Errorf("sqlstore: erase entries: %w", err)
		}
	}
	return nil
}

func scanKey(scan func(...any) error) (k journal.Key, err error) {
	return k, scan(&k.Tenant, &k.ID, &k.Wrapped)
}

// FindKey implements journal.Store.
func (s *Journal) FindKey(ctx context.Context, tenant, id string) (k journal.Key, err error) {
	if len(dialect.Storable([]string{tenant, id})) < 2 {
		return k, scim.ErrNotFound
	}
	db := s.of(tenant)
	err = db.Read(ctx, func() error {
		k, err = scanKey(database.QueryRowOn(ctx, db, db.Conn(ctx), "SELECT tenant, id, wrapped FROM {p}entry_keys WHERE tenant = $1 AND id = $2", tenant, id).Scan)
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		return journal.Key{}, scim.ErrNotFound
	}
	if err != nil {
		return journal.Key{}, fmt.Errorf("sqlstore: key of entries: %w", err)
	}
	return k, nil
}

// AddKey implements journal.Store.
func (s *Journal) AddKey(ctx context.Context, k journal.Key) (journal.Key, error) {
	db := s.of(k.Tenant)
	text := "INSERT INTO {p}entry_keys (tenant, id, wrapped) VALUES ($1, $2, $3) ON CONFLICT (tenant, id) DO NOTHING"
	if db.Dialect == dialect.MariaDB {
		text = "INSERT INTO {p}entry_keys (tenant, id, wrapped) VALUES ($1, $2, $3) ON DUPLICATE KEY UPDATE id = VALUES(id)"
	}
	err := db.Read(ctx, func() error { // Read retries, and a single statement needs no transaction.
		_, err := db.Exec(ctx, text, k.ID, k.Wrapped)
		return err
	})
	if err != nil {
		return journal.Key{}, fmt.Errorf("sqlstore: add a key of entries: %w", err)
	}
	return s.FindKey(ctx, k.Tenant, k.ID)
}

// Keys implements journal.Store.
func (s *Journal) Keys(ctx context.Context, after journal.Key, limit int) ([]journal.Key, error) {
	db := s.of(after.Tenant)
	all, err := database.ReadAll(ctx, db, 0, scanKey, "SELECT tenant, id, wrapped FROM {p}entry_keys WHERE "+
		db.Dialect.Beyond([]string{"tenant", "id"}, []string{"$1", "$2"}, ">")+" ORDER BY tenant, id LIMIT $3", after.ID, limit)
	if err != nil {
		return nil, fmt.Errorf("sqlstore: keys of entries: %w", err)
	}
	return all, nil
}

// ReplaceKey implements journal.Store.
func (s *Journal) ReplaceKey(ctx context.Context, k journal.Key) error {
	db := s.of(k.Tenant)
	err := db.Read(ctx, func() error { // Read retries, and a single statement needs no transaction.
		_, err := db.Exec(ctx, "UPDATE {p}entry_keys SET wrapped = $3 WHERE tenant = $1 AND id = $2", k.ID, k.Wrapped)
		return err
	})
	if err != nil {
		return fmt.Errorf("sqlstore: replace a key of entries: %w", err)
	}
	return nil
}

// Beat implements journal.Store.
func (s *Journal) Beat(ctx context.Context, process string, at time.Time) error {
	text, args := "DELETE FROM {p}entry_beats WHERE process = $1", []any{process}
	if !at.IsZero() {
		text = "INSERT INTO {p}entry_beats (process, at) VALUES ($1, $2)" + s.db.Dialect.Upsert("process", "at")
		args = append(args, dialect.Micros(at))
	}
	err := s.db.Read(ctx, func() error { // Read retries, and a single statement needs no transaction.
		_, err := s.db.ExecOn(ctx, s.db.Conn(ctx), text, args...)
		return err
	})
	if err != nil {
		return fmt.Errorf("sqlstore: beat: %w", err)
	}
	return nil
}

// Lost implements journal.Store.
func (s *Journal) Lost(ctx context.Context, before time.Time) (all []journal.Beat, err error) {
	db := s.of("")
	err = db.InTxAlone(ctx, func(ctx context.Context) error {
		all = nil
		var lost []journal.Beat
		err := db.Each(ctx, func(scan func(...any) error) error {
			var b journal.Beat
			var at int64
			err := scan(&b.Process, &at)
			b.At = dialect.FromMicros(at)
			lost = append(lost, b)
			return err
		}, "SELECT b.process, b.at FROM {p}entry_beats AS b WHERE b.at < $2 AND $1 = $1", dialect.Micros(before))
		if err != nil {
			return err
		}
		for _, b := range lost { // Only who deletes the row has found it.
			n, err := db.Count(ctx, "DELETE FROM {p}entry_beats WHERE process = $2 AND at = $3 AND $1 = $1", b.Process, dialect.Micros(b.At))
			if err != nil {
				return err
			}
			if n == 1 {
				all = append(all, b)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("sqlstore: lost processes: %w", err)
	}
	return all, nil
}
