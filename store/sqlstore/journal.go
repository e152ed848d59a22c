package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/scimkit/scim/journal"
	"github.com/scimkit/scim/store/sqlstore/internal/owntables"
)

var (
	_ journal.Store     = (*Journal)(nil)
	_ journal.MemoStore = (*Journal)(nil)
	_ journal.SumStore  = (*Journal)(nil)
)

// Journal is a journal.Store in tables of its own: entries, entry_runs, entry_parts, entry_keys, entry_sizes, entry_counts,
// entry_beats, entry_memos and, of earlier versions, entry_terms. They have the entries of all tenants. It is safe for concurrent use, also by several processes. Uninstall removes the tables too.
//
// In SQLite use a file of its own: a file has one writer at a time, and requests would wait for the journal.
// In other databases use a database or a pool of its own, so that it takes no connections from requests.
type Journal struct {
	*base
	own *owntables.Journal
}

// NewJournal returns the Journal in db. It does not talk to the database: call Migrate before the first use. Of the
// options it takes Prefix, Log and AnyDriver. Tenant must be empty, because one Journal is for all tenants.
func NewJournal(db *sql.DB, d Dialect, o Options) (*Journal, error) {
	b, err := newBase(db, d, o)
	if o.Tenant != "" {
		err = errors.Join(err, errors.New("sqlstore: Tenant of NewJournal: leave it empty, because one Journal is for all tenants"))
	}
	if err != nil {
		return nil, err
	}
	return &Journal{b, owntables.NewJournal(b.db)}, nil
}

// Migrate creates the tables, or brings those of an earlier version of this package up to date, as
// Store.Migrate does.
func (s *Journal) Migrate(ctx context.Context) error { return s.schema.Migrate(ctx, nil, "journal") }

// EraseTenant erases all entries and keys of a tenant. Store.EraseTenant leaves them. Call it when no process serves the
// tenant any more: one that does has its keys in memory, and nobody else can read what it writes with them.
func (s *Journal) EraseTenant(ctx context.Context, tenant string) error {
	return s.own.EraseTenant(ctx, tenant)
}

// Append implements journal.Store.
func (s *Journal) Append(ctx context.Context, records []journal.Record) error {
	return s.own.Append(ctx, records)
}

// Find implements journal.Store.
func (s *Journal) Find(ctx context.Context, q journal.Search) ([]journal.Record, error) {
	return s.own.Find(ctx, q)
}

// Get implements journal.Store.
func (s *Journal) Get(ctx context.Context, tenant, id string) (journal.Record, error) {
	return s.own.Get(ctx, tenant, id)
}

// Counters implements journal.Store.
func (s *Journal) Counters(ctx context.Context, tenant, from, to string) ([]journal.Counter, error) {
	return s.own.Counters(ctx, tenant, from, to)
}

// Erase implements journal.Store.
func (s *Journal) Erase(ctx context.Context, tenant string, term journal.Term, limit int) (int, error) {
	return s.own.Erase(ctx, tenant, term, limit)
}

// Trim implements journal.Store. One call removes some thousand records.
func (s *Journal) Trim(ctx context.Context, r journal.Retention) (done bool, err error) {
	return s.own.Trim(ctx, r)
}

// AddKey implements journal.Store.
func (s *Journal) AddKey(ctx context.Context, k journal.Key) (journal.Key, error) {
	return s.own.AddKey(ctx, k)
}

// FindKey implements journal.Store.
func (s *Journal) FindKey(ctx context.Context, tenant, id string) (journal.Key, error) {
	return s.own.FindKey(ctx, tenant, id)
}

// Keys implements journal.Store.
func (s *Journal) Keys(ctx context.Context, after journal.Key, limit int) ([]journal.Key, error) {
	return s.own.Keys(ctx, after, limit)
}

// ReplaceKey implements journal.Store.
func (s *Journal) ReplaceKey(ctx context.Context, k journal.Key) error {
	return s.own.ReplaceKey(ctx, k)
}

// Beat implements journal.Store.
func (s *Journal) Beat(ctx context.Context, process string, at time.Time) error {
	return s.own.Beat(ctx, process, at)
}

// Lost implements journal.Store.
func (s *Journal) Lost(ctx context.Context, before time.Time) ([]journal.Beat, error) {
	return s.own.Lost(ctx, before)
}

// Memos implements journal.MemoStore.
func (s *Journal) Memos(ctx context.Context, tenant string) ([]journal.SealedMemo, error) {
	return s.own.Memos(ctx, tenant)
}

// SwapMemo implements journal.MemoStore.
func (s *Journal) SwapMemo(ctx context.Context, tenant string, m journal.SealedMemo) (bool, error) {
	return s.own.SwapMemo(ctx, tenant, m)
}

// Sums implements journal.SumStore.
func (s *Journal) Sums(ctx context.Context, tenants []string, names []journal.CounterName) (map[string]int64, error) {
	return s.own.Sums(ctx, tenants, names)
}
