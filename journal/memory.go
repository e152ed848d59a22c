package journal

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/scimkit/scim"
)

// Memory is a Store in memory with a fixed size: new records displace the oldest ones of the tenant
// that has the most. Make it with NewMemory. It is for tests, and for a look at the last hours.
type Memory struct {
	size    int64
	mu      sync.RWMutex
	shelves map[string]*shelf
	refused shelf
	keys    map[[2]string]Key
	beats   map[string]time.Time
	counts  map[string][]Counter // by tenant, in order
	memos   map[string]map[string]SealedMemo
}

var (
	_ Store     = (*Memory)(nil)
	_ MemoStore = (*Memory)(nil)
)

// shelf has records in order of their IDs, and the sum of their sizes.
type shelf struct {
	records []*Record
	bytes   int64
}

// refusedPart is the part of Memory that records of the kind Refused can take: a sixteenth.
const refusedPart = 16

// NewMemory returns an empty Memory for at most size bytes of records. 64 MiB are about 30,000 requests.
func NewMemory(size int64) *Memory {
	return &Memory{size: size, shelves: map[string]*shelf{}, keys: map[[2]string]Key{}, beats: map[string]time.Time{}, counts: map[string][]Counter{}, memos: map[string]map[string]SealedMemo{}}
}

// Append implements Store.
func (m *Memory) Append(_ context.Context, records []Record) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	counts := map[string][]Counter{}
	for i := range records {
		r := &records[i]
		s := &m.refused
		if r.Kind != Refused {
			if s = m.shelves[r.Tenant]; s == nil {
				s = &shelf{}
				m.shelves[r.Tenant] = s
			}
		}
		if s.insert(r) && len(r.Counts) > 0 {
			counts[r.Tenant] = append(counts[r.Tenant], r.Counts...)
		}
	}
	for tenant, more := range counts {
		m.counts[tenant] = addCounters(m.counts[tenant], SumCounters(more))
	}
	for m.refused.bytes > m.size/refusedPart {
		m.refused.drop(1)
	}
	for {
		total, largest := int64(0), (*shelf)(nil)
		for _, s := range m.shelves {
			if total += s.bytes; largest == nil || s.bytes > largest.bytes {
				largest = s
			}
		}
		if total <= m.size-m.size/refusedPart {
			return nil
		}
		for excess := total - (m.size - m.size/refusedPart); excess > 0 && len(largest.records) > 0; {
			excess -= largest.records[0].Size()
			largest.drop(1)
		}
	}
}

// addCounters adds counters to those of a tenant, which are many and in order.
func addCounters(all, more []Counter) []Counter {
	for i := range more {
		at, found := slices.BinarySearchFunc(all, more[i], compareCounters)
		if found {
			all[at] = all[at].plus(&more[i])
		} else {
			all = slices.Insert(all, at, more[i])
		}
	}
	return all
}

// insert puts a record in its place, once. It reports whether it is new.
func (s *shelf) insert(r *Record) bool {
	i, found := slices.BinarySearchFunc(s.records, r.ID, byID)
	if found {
		return false
	}
	own := *r
	own.Counts = nil
	s.records = slices.Insert(s.records, i, &own)
	s.bytes += r.Size()
	return true
}

// byID orders records.
func byID(r *Record, id string) int { return strings.Compare(r.ID, id) }

// drop removes the n oldest records.
func (s *shelf) drop(n int) {
	for i := range n {
		s.bytes -= s.records[i].Size()
		s.records[i] = nil
	}
	s.records = s.records[n:]
}

// of returns the shelves that may have records of a tenant. They are locked.
func (m *Memory) of(tenant string) []*shelf {
	if s := m.shelves[tenant]; s != nil {
		return []*shelf{s, &m.refused}
	}
	return []*shelf{&m.refused}
}

// Find implements Store.
func (m *Memory) Find(_ context.Context, s Search) ([]Record, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	var all []Record
	for _, shelf := range m.of(s.Tenant) {
		found := 0
		for i := len(shelf.records) - 1; i >= 0 && found < s.Limit; i-- {
			if s.fits(shelf.records[i]) {
				r := *shelf.records[i]
				r.Request, r.Response = nil, nil
				all = append(all, r)
				found++
			}
		}
	}
	return newest(all, s.Limit), nil
}

// newest returns the newest records, each once.
func newest(all []Record, limit int) []Record {
	slices.SortFunc(all, func(a, b Record) int { return strings.Compare(b.ID, a.ID) })
	all = slices.CompactFunc(all, func(a, b Record) bool { return a.ID == b.ID })
	return all[:min(len(all), limit)]
}

// fits reports whether a record is one that Find returns.
func (s *Search) fits(r *Record) bool {
	if r.Tenant != s.Tenant || s.Kind != "" && r.Kind != s.Kind || s.Class != 0 && r.Status/100 != s.Class {
		return false
	}
	if s.ID != "" && r.ID != s.ID || s.Method != "" && r.Method != s.Method || s.Writes && isRead(r.Method) {
		return false
	}
	if r.ID < s.From || s.Before != "" && r.ID >= s.Before {
		return false
	}
	for _, t := range s.Terms {
		if !slices.Contains(r.Terms, t) {
			return false
		}
	}
	return true
}

// Get implements Store.
func (m *Memory) Get(_ context.Context, tenant, id string) (Record, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	for _, shelf := range m.of(tenant) {
		i, found := slices.BinarySearchFunc(shelf.records, id, byID)
		if found && shelf.records[i].Tenant == tenant {
			return *shelf.records[i], nil
		}
	}
	return Record{}, scim.ErrNotFound
}

// Counters implements Store.
func (m *Memory) Counters(_ context.Context, tenant, from, to string) (all []Counter, err error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	for _, c := range m.counts[tenant] {
		if c.Day >= from && c.Day <= to {
			all = append(all, c)
		}
	}
	return all, nil
}

// Erase implements Store.
func (m *Memory) Erase(_ context.Context, tenant string, term Term, limit int) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := 0
	for _, shelf := range m.of(tenant) {
		for i := range shelf.records {
			r := shelf.records[i]
			if n < limit && r.Tenant == tenant && slices.Contains(r.Terms, term) {
				shelf.bytes -= r.Size()
				r.Key, r.Detail, r.Request, r.Response, r.Terms = "", nil, nil, nil, nil
				shelf.bytes += r.Size()
				n++
			}
		}
	}
	return n, nil
}

// Trim implements Store.
func (m *Memory) Trim(_ context.Context, k Retention) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for tenant, s := range m.shelves {
		s.trim(k.From, k.Size)
		if len(s.records) == 0 {
			delete(m.shelves, tenant)
		}
	}
	m.refused.trim(k.From, m.size)
	if n := len(m.refused.records) - k.Refused; n > 0 {
		m.refused.drop(n)
	}
	for tenant, all := range m.counts {
		m.counts[tenant] = slices.DeleteFunc(all, func(c Counter) bool { return c.Day < k.Day })
	}
	maps.DeleteFunc(m.keys, func(at [2]string, _ Key) bool { return at[1] < k.Day })
	return true, nil
}

// trim removes records that are too old or too many.
func (s *shelf) trim(from string, size int64) {
	n := 0
	for bytes := s.bytes; n < len(s.records) && (s.records[n].ID < from || bytes > size); n++ {
		bytes -= s.records[n].Size()
	}
	s.drop(n)
}

// AddKey implements Store.
func (m *Memory) AddKey(_ context.Context, k Key) (Key, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	at := [2]string{k.Tenant, k.ID}
	if kept, ok := m.keys[at]; ok {
		return kept, nil
	}
	m.keys[at] = k
	return k, nil
}

// FindKey implements Store.
func (m *Memory) FindKey(_ context.Context, tenant, id string) (Key, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if k, ok := m.keys[[2]string{tenant, id}]; ok {
		return k, nil
	}
	return Key{}, scim.ErrNotFound
}

// Keys implements Store.
func (m *Memory) Keys(_ context.Context, after Key, limit int) ([]Key, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return keysAfter(m.keys, after, limit), nil
}

// keysAfter returns keys in order.
func keysAfter(keys map[[2]string]Key, after Key, limit int) (all []Key) {
	for _, k := range keys {
		if compareKeys(k, after) > 0 {
			all = append(all, k)
		}
	}
	slices.SortFunc(all, compareKeys)
	return all[:min(len(all), limit)]
}

func compareKeys(a, b Key) int {
	if c := strings.Compare(a.Tenant, b.Tenant); c != 0 {
		return c
	}
	return strings.Compare(a.ID, b.ID)
}

// ReplaceKey implements Store.
func (m *Memory) ReplaceKey(_ context.Context, k Key) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if at := [2]string{k.Tenant, k.ID}; m.keys[at].Wrapped != nil {
		m.keys[at] = k
	}
	return nil
}

// Beat implements Store.
func (m *Memory) Beat(_ context.Context, process string, at time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if at.IsZero() {
		delete(m.beats, process)
	} else {
		m.beats[process] = at
	}
	return nil
}

// Lost implements Store.
func (m *Memory) Lost(_ context.Context, before time.Time) (all []Beat, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for p, at := range m.beats {
		if at.Before(before) {
			all = append(all, Beat{p, at})
			delete(m.beats, p)
		}
	}
	return all, nil
}

// Memos implements MemoStore.
func (m *Memory) Memos(_ context.Context, tenant string) (all []SealedMemo, err error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	for _, of := range m.memos[tenant] {
		all = append(all, of)
	}
	return all, nil
}

// SwapMemo implements MemoStore.
func (m *Memory) SwapMemo(_ context.Context, tenant string, to SealedMemo) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.memos[tenant][to.ID].Version != to.Version {
		return false, nil
	}
	if to.Version++; len(to.Value) == 0 {
		delete(m.memos[tenant], to.ID)
		return to.Version > 1, nil
	}
	if m.memos[tenant] == nil {
		m.memos[tenant] = map[string]SealedMemo{}
	}
	m.memos[tenant][to.ID] = to
	return true, nil
}
