package owntables

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/journal"
	"github.com/scimkit/scim/store/sqlstore/internal/database"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
)

// Journal are the entries of all tenants.
type Journal struct{ db *database.DB }

// NewJournal returns the entries in db, whose tenant does not matter.
func NewJournal(db *database.DB) *Journal { return &Journal{db} }

// of returns the database as a tenant uses it: $1 is the tenant in every statement.
func (s *Journal) of(tenant string) *database.DB {
	db := *s.db
	db.Tenant = tenant
	return &db
}

// headColumns are those of the head of a record, and what else every search reads.
const headColumns = "e.id, e.kind, e.at, e.request_id, e.method, e.status, e.type, e.events, e.request_size, e.response_size, e.key_id, e.detail"

// entryColumns are those that an INSERT sets.
const entryColumns = "tenant, id, kind, at, request_id, method, status, type, events, request_size, response_size, size, key_id, terms, detail, request, response"

const (
	mostRows  = 50      // rows of one INSERT
	mostBytes = 2 << 20 // bytes of one INSERT
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
	err := s.db.InTxAlone(ctx, func(ctx context.Context) error {
		for _, tenant := range tenants {
			if err := appendEntries(ctx, s.of(tenant), byTenant[tenant]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("sqlstore: append entries: %w", err)
	}
	return nil
}

// appendEntries appends records of one tenant.
func appendEntries(ctx context.Context, db *database.DB, all []*journal.Record) error {
	known, err := knownEntries(ctx, db, all)
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(slices.Clone(all), func(r *journal.Record) bool { return known[r.ID] })
	var terms [][2]string
	var counts []journal.Counter
	bytes := int64(0)
	for _, r := range all {
		counts = append(counts, r.Counts...)
		for _, t := range r.Terms {
			terms = append(terms, [2]string{termText(t), r.ID})
		}
		if r.Kind != journal.Refused {
			bytes += r.Size()
		}
	}
	for len(all) > 0 {
		n, size := 0, int64(0)
		for n < len(all) && n < mostRows && (n == 0 || size+all[n].Size() <= mostBytes) {
			size += all[n].Size()
			n++
		}
		if err := insertEntries(ctx, db, all[:n]); err != nil {
			return err
		}
		all = all[n:]
	}
	if len(terms) > 0 {
		slices.SortFunc(terms, func(a, b [2]string) int { return cmp.Or(strings.Compare(a[0], b[0]), strings.Compare(a[1], b[1])) })
		list := dialect.Pairs(terms)
		if _, err := db.Exec(ctx, "INSERT INTO {p}entry_terms (tenant, term, id) SELECT $1, e.value ->> 0, e.value ->> 1 FROM {rows $2}", list); err != nil {
			return err
		}
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

func insertEntries(ctx context.Context, db *database.DB, all []*journal.Record) error {
	var text strings.Builder
	text.WriteString("INSERT INTO {p}entries (" + entryColumns + ") VALUES ")
	var args []any
	for i, r := range all {
		if i > 0 {
			text.WriteString(", ")
		}
		text.WriteString("($1")
		row := []any{r.ID, string(r.Kind), dialect.Micros(r.Time), r.RequestID, r.Method, int64(r.Status), r.Type, dialect.List(r.Events), r.RequestSize, r.ResponseSize,
			r.Size(), r.Key, termBytes(r.Terms), notNil(r.Detail), notNil(r.Request), notNil(r.Response)}
		for range row {
			args = append(args, row[len(args)%len(row)])
			text.WriteString(", $" + strconv.Itoa(len(args)+1))
		}
		text.WriteString(")")
	}
	_, err := db.Exec(ctx, text.String(), args...)
	return err
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

// Find implements journal.Store. With terms it begins at the first of them.
func (s *Journal) Find(ctx context.Context, q journal.Search) ([]journal.Record, error) {
	if len(dialect.Storable([]string{q.Tenant, q.ID, q.From, q.Before, q.Method})) < 5 {
		return nil, nil
	}
	db := s.of(q.Tenant)
	text, args := FindEntries(db.Dialect, q)
	all, err := database.ReadAll(ctx, db, q.Limit, func(scan func(...any) error) (journal.Record, error) {
		return scanEntry(q.Tenant, scan)
	}, text, args...)
	if err != nil {
		return nil, fmt.Errorf("sqlstore: find entries: %w", err)
	}
	return all, nil
}

// FindEntries writes the query of Find.
func FindEntries(d dialect.Dialect, q journal.Search) (text string, args []any) {
	arg := func(v any) string {
		args = append(args, v)
		return "$" + strconv.Itoa(len(args)+1)
	}
	var b strings.Builder
	id := "e.id"
	b.WriteString("SELECT " + headColumns + " FROM ")
	if len(q.Terms) == 0 {
		b.WriteString("{p}entries AS e WHERE e.tenant = $1")
	} else {
		b.WriteString("{p}entry_terms AS t")
		for i, term := range q.Terms[1:] {
			alias := "t" + strconv.Itoa(i+1)
			b.WriteString(d.Also("entry_terms", alias, alias+".tenant = $1 AND "+alias+".term = "+arg(termText(term))+" AND "+alias+".id = t.id", ""))
		}
		b.WriteString(d.Also("entries", "e", "e.tenant = $1 AND e.id = t.id", "") + " WHERE t.tenant = $1 AND t.term = " + arg(termText(q.Terms[0])))
		id = "t.id"
	}
	if q.ID != "" {
		b.WriteString(" AND " + id + " = " + arg(q.ID))
	}
	if q.From != "" {
		b.WriteString(" AND " + id + " >= " + arg(q.From))
	}
	if q.Before != "" {
		b.WriteString(" AND " + id + " < " + arg(q.Before))
	}
	if q.Kind != "" {
		b.WriteString(" AND e.kind = " + arg(string(q.Kind)))
	}
	if q.Method != "" {
		b.WriteString(" AND e.method = " + arg(q.Method))
	}
	if q.Writes {
		b.WriteString(" AND e.method NOT IN ('GET', 'HEAD', 'OPTIONS')")
	}
	if q.Class != 0 {
		b.WriteString(" AND e.status BETWEEN " + arg(q.Class*100) + " AND " + arg(q.Class*100+99))
	}
	b.WriteString(" ORDER BY " + id + " DESC LIMIT " + arg(q.Limit))
	return b.String(), args
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
