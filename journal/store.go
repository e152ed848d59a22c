package journal

import (
	"context"
	"time"
)

// Store keeps sealed entries of all tenants. It is safe for concurrent use, and knows no key. What reads
// or erases names the tenant, and the Store never touches those of another one.
// storetest.RunJournal is the contract as tests.
type Store interface {
	// Append keeps records, all or none, and adds their Counts to the counters. It is called again with the same
	// records after an error, and keeps and counts those that it has already once.
	Append(ctx context.Context, records []Record) error
	// Find returns records that fit, the newest first, without Request and Response.
	Find(ctx context.Context, s Search) ([]Record, error)
	// Get returns a whole record. The error is scim.ErrNotFound if the tenant has none with this ID.
	Get(ctx context.Context, tenant, id string) (Record, error)
	// Counters returns the counters of a tenant from one day to another, both included, in order of Day, Client and What.
	Counters(ctx context.Context, tenant, from, to string) ([]Counter, error)
	// Erase removes what is sealed, and the terms, from at most limit records of the tenant that
	// have the term. Their Key becomes "". It returns how many they were.
	Erase(ctx context.Context, tenant string, term Term, limit int) (int, error)
	// Trim removes records, counters and keys that Retention does not keep, the oldest first. It may stop
	// early; done says that nothing is left to remove.
	Trim(ctx context.Context, r Retention) (done bool, err error)
	// AddKey keeps k if there is no key with its Tenant and ID, and returns the one that is kept.
	AddKey(ctx context.Context, k Key) (Key, error)
	// FindKey returns a key. The error is scim.ErrNotFound if there is none.
	FindKey(ctx context.Context, tenant, id string) (Key, error)
	// Keys returns at most limit keys of all tenants, in order of Tenant and ID, behind those of after.
	Keys(ctx context.Context, after Key, limit int) ([]Key, error)
	// ReplaceKey sets Wrapped of a key that is kept. It does nothing if there is none.
	ReplaceKey(ctx context.Context, k Key) error
	// Beat records that a process was alive. The zero time removes the process.
	Beat(ctx context.Context, process string, at time.Time) error
	// Lost removes the processes whose last beat is before a time, and returns them. Each is
	// returned once, also if several processes call Lost.
	Lost(ctx context.Context, before time.Time) ([]Beat, error)
}

// Record is an entry as a Store keeps it.
type Record struct {
	Head
	// Key is the ID of the key that seals the rest. "": the rest was erased.
	Key string
	// Detail, Request and Response are sealed.
	Detail, Request, Response []byte
	// Terms find the record, each once. A Store keeps them only to search.
	Terms []Term
	// Counts are what the record adds to the counters of its tenant. A Store does not keep them with the record.
	Counts []Counter
}

// Counter is how often a client of a tenant did something on a day.
type Counter struct {
	// Day, such as "2026-01-02", Client, a keyed hash, and What name the counter within its tenant. What is a word,
	// or a status and a scimType.
	Day    string
	Client Term
	What   string
	// N is how often, and Last is when, for the last time.
	N    int64
	Last time.Time
	// Key is the ID of the key that seals Name, the name of the client. A Store keeps the last ones that came.
	Key  string
	Name []byte
}

// Term is a keyed hash by which a Store finds records.
type Term [16]byte

// Size returns the bytes that count for Retention.Size: those that are sealed, and what a row takes.
func (r *Record) Size() int64 {
	return int64(len(r.Detail)+len(r.Request)+len(r.Response)) + 250 + int64(len(r.Terms))*60
}

// Search says which records Find returns.
type Search struct {
	// Tenant is the tenant.
	Tenant string
	// ID is the ID of the record; "" for any.
	ID string
	// Terms are those that a record must have, all of them. The first is one that few records have.
	Terms []Term
	// From is the least ID of a record, and Before is the ID before which it must be. "": no bound.
	From, Before string
	// Class is the first digit of the status; 0 for any.
	Class int
	// Kind is the kind of the records; "" for any.
	Kind Kind
	// Method is the method of the records; "" for any. Writes excludes GET, HEAD and OPTIONS.
	Method string
	Writes bool
	// Limit is how many records there are at most; it is at least 1.
	Limit int
}

// Retention says what a Store keeps.
type Retention struct {
	// From is the least ID that is kept, and Day that of keys and the first day of counters.
	From, Day string
	// Size is how many bytes of records (see Record.Size) a tenant may have, Refused ones not counted.
	Size int64
	// Refused is how many records of the kind Refused there may be, of all tenants.
	Refused int
}

// Key is a wrapped key.
type Key struct {
	// Tenant is the tenant, and ID names the key within it: a day such as "2026-01-02", or SearchKey.
	Tenant, ID string
	// Wrapped is what Wrapper.Wrap has returned.
	Wrapped []byte
}

// SearchKey is the ID of the key of a tenant's terms. It comes behind those of all days.
const SearchKey = "search"

// Beat says when a process was alive.
type Beat struct {
	Process string
	At      time.Time
}
