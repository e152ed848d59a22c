package owntables

import (
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/journal"
	"github.com/scimkit/scim/store/sqlstore/internal/database"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
)

// Journal are the entries of all tenants.
type Journal struct {
	db    *database.DB
	mu    sync.Mutex
	since map[string]int // appends of a tenant since it was looked for runs to merge
}

// NewJournal returns the entries in db, whose tenant does not matter.
func NewJournal(db *database.DB) *Journal { return &Journal{db: db} }

// of returns the database as a tenant uses it: $1 is the tenant in every statement.
func (s *Journal) of(tenant string) *database.DB {
	db := *s.db
	db.Tenant = tenant
	return &db
}

// headColumns are those of the head of a record, and what else every search reads.
const headColumns = "e.id, e.kind, e.at, e.request_id, e.method, e.status, e.type, e.events, e.request_size, e.response_size, e.key_id, e.detail"

// intoEntries are the columns of an entry.
var intoEntries = database.Columns{
	Into: "{p}entries (tenant, id, kind, at, request_id, method, status, type, events, request_size, response_size, size, key_id, terms, detail, request, response)",
	Kinds: []database.Kind{database.Text, database.Text, database.Text, database.Number, database.Text, database.Text, database.Number, database.Text, database.Text,
		database.Number, database.Number, database.Number, database.Text, database.Bytes, database.Bytes, database.Bytes, database.Bytes},
}

const (
	mostRows  = 50      // rows of one INSERT of counters
	mostBytes = 2 << 20 // bytes of entries in one INSERT
	termSize  = len(journal.Term{})
)

// Append implements journal.Store. Tenants come in order, so that two processes do not wait for each other.
func (s *Journal) Append(ctx context.Context, records []journal.Record) error {
	byTenant := map[string][]*journal.Record{}
	var tenants []string
	for i := range records {
		r := &records[i]
		if byTenant[r.Tenant] == nil {
			tenants = append(tenants, r.Tenant)
		}
		byTenant[r.Tenant] = append(byTenant[r.Tenant], r)
	}
	slices.Sort(tenants)
	add := func(isAgain bool) error {
		return s.db.InTxAlone(ctx, func(ctx context.Context) error {
			for _, tenant := range tenants {
				if err := appendEntries(ctx, s.of(tenant), byTenant[tenant], isAgain); err != nil {
					return err
				}
			}
			return nil
		})
	}
	err := add(false)
	if database.IsDuplicate(err) { // The caller has not learned that some are there.
		err = add(true)
	}
	if err != nil {
		return fmt.Errorf("sqlstore: append entries: %w", err)
	}
	for _, tenant := range tenants {
		if !s.isDue(tenant) {
			continue
		}
		if err := s.mergeRuns(ctx, tenant); err != nil { // The entries are there, and a later call tries again.
			s.db.Log.WarnContext(ctx, "sqlstore: searches of the journal become slower", "error", err)
		}
	}
	return nil
}

// appendEntries appends records of one tenant. isAgain says that some may be there.
func appendEntries(ctx context.Context, db *database.DB, all []*journal.Record, isAgain bool) error {
	if isAgain {
		known, err := knownEntries(ctx, db, all)
		if err != nil {
			return err
		}
		all = slices.DeleteFunc(slices.Clone(all), func(r *journal.Record) bool { return known[r.ID] })
	}
	var counts []journal.Counter
	bytes := int64(0)
	for _, r := range all {
		counts = append(counts, r.Counts...)
		if r.Kind != journal.Refused {
			bytes += r.Size()
		}
	}
	if err := insertEntries(ctx, db, all); err != nil {
		return err
	}
	if err := addPairs(ctx, db, all); err != nil {
		return err
	}
	if err := addCounts(ctx, db, journal.SumCounters(counts)); err != nil {
		return err
	}
	return addSize(ctx, db, bytes)
}

// addSize adds to the size of the tenant of db.
func addSize(ctx context.Context, db *database.DB, bytes int64) error {
	if bytes == 0 {
		return nil
	}
	return changeSize(ctx, db, bytes)
}

// changeSize is addSize, which locks the size also if it stays the same.
func changeSize(ctx context.Context, db *database.DB, bytes int64) error {
	text := " ON CONFLICT (tenant) DO UPDATE SET bytes = {p}entry_sizes.bytes + excluded.bytes"
	if db.Dialect == dialect.MariaDB {
		text = " ON DUPLICATE KEY UPDATE bytes = bytes + VALUES(bytes)"
	}
	_, err := db.Exec(ctx, "INSERT INTO {p}entry_sizes (tenant, bytes) VALUES ($1, $2)"+text, bytes)
	return err
}

// knownEntries returns the ids of records that are there: the caller has not learned that the transaction was committed.
func knownEntries(ctx context.Context, db *database.DB, all []*journal.Record) (map[string]bool, error) {
	known := map[string]bool{}
	ids := make([][1]string, len(all))
	for i, r := range all {
		ids[i][0] = r.ID
	}
	err := db.Each(ctx, func(scan func(...any) error) error {
		var id string
		err := scan(&id)
		known[id] = true
		return err
	}, "SELECT x.id FROM {p}entries AS x WHERE x.tenant = $1 AND "+db.Dialect.In("x.id", "SELECT e.value ->> 0 FROM {rows $2}"), dialect.Tuples(ids, func(id [1]string) []any { return []any{id[0]} }))
	return known, err
}

// insertEntries inserts records. A statement has few bytes, so that each server accepts it.
func insertEntries(ctx context.Context, db *database.DB, all []*journal.Record) error {
	for len(all) > 0 {
		var rows [][]any
		size := int64(0)
		for len(rows) < len(all) && (size == 0 || size+all[len(rows)].Size() <= mostBytes) {
			r := all[len(rows)]
			size += r.Size()
			rows = append(rows, []any{db.Tenant, r.ID, string(r.Kind), dialect.Micros(r.Time), r.RequestID, r.Method, int64(r.Status), r.Type, dialect.List(r.Events),
				r.RequestSize, r.ResponseSize, r.Size(), r.Key, termBytes(r.Terms), notNil(r.Detail), notNil(r.Request), notNil(r.Response)})
		}
		if err := database.InsertRows(ctx, db, intoEntries, rows); err != nil {
			return err
		}
		all = all[len(rows):]
	}
	return nil
}

func notNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

func termText(t journal.Term) string { return base64.RawURLEncoding.EncodeToString(t[:]) }

func termBytes(terms []journal.Term) []byte {
	out := make([]byte, 0, len(terms)*termSize)
	for _, t := range terms {
		out = append(out, t[:]...)
	}
	return out
}

func termsIn(b []byte) (all []journal.Term) {
	for ; len(b) >= termSize; b = b[termSize:] {
		all = append(all, journal.Term(b))
	}
	return all
}

// scanEntry reads a row with headColumns, and more.
func scanEntry(tenant string, scan func(...any) error, more ...any) (r journal.Record, err error) {
	var kind, events string
	var at int64
	r.Tenant = tenant
	err = scan(append([]any{&r.ID, &kind, &at, &r.RequestID, &r.Method, &r.Status, &r.Type, &events, &r.RequestSize, &r.ResponseSize, &r.Key, &r.Detail}, more...)...)
	if err != nil {
		return r, err
	}
	r.Kind, r.Time = journal.Kind(kind), dialect.FromMicros(at)
	if err := json.Unmarshal([]byte(events), &r.Events); err != nil {
		return r, fmt.Errorf("sqlstore: entry %s: its events are no JSON: %w", r.ID, err)
	}
	if len(r.Events) == 0 {
		r.Events = nil
	}
	return r, nil
}

// Get implements journal.Store.
func (s *Journal) Get(ctx context.Context, tenant, id string) (r journal.Record, err error) {
	if len(dialect.Storable([]string{tenant, id})) < 2 {
		return r, scim.ErrNotFound
	}
	db := s.of(tenant)
	var terms []byte
	err = db.Read(ctx, func() error {
		var request, response []byte
		row := database.QueryRowOn(ctx, db, db.Conn(ctx), "SELECT "+headColumns+", e.request, e.response, e.terms FROM {p}entries AS e WHERE e.tenant = $1 AND e.id = $2", tenant, id)
		r, err = scanEntry(tenant, row.Scan, &request, &response, &terms)
		r.Request, r.Response = request, response
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		return journal.Record{}, scim.ErrNotFound
	}
	if err != nil {
		return journal.Record{}, fmt.Errorf("sqlstore: entry: %w", err)
	}
	r.Terms = termsIn(terms)
	return r, nil
}
