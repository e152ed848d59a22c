package journal_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/scimkit/scim/journal"
)

// spy is a Store that shows what it gets, and fails if it should.
type spy struct {
	journal.Store
	mu     sync.Mutex
	seen   []journal.Record
	broken error
	change func(r *journal.Record)
}

func (s *spy) Append(ctx context.Context, records []journal.Record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken != nil {
		return s.broken
	}
	s.seen = append(s.seen, slices.Clone(records)...)
	if s.change != nil {
		for i := range records {
			s.change(&records[i])
		}
	}
	return s.Store.Append(ctx, records)
}

func (s *spy) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken = err
}

func key(b byte) []byte { return append(bytes.Repeat([]byte{b}, 31), b+1) }

func newKeys(t *testing.T, keys ...[]byte) *journal.Keys {
	t.Helper()
	k, err := journal.NewKeys(keys...)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestNewKeys(t *testing.T) {
	for _, tt := range []struct {
		name string
		keys [][]byte
	}{
		{"none", nil}, {"short", [][]byte{key(1)[:31]}}, {"long", [][]byte{append(key(1), 1)}}, {"never set", [][]byte{make([]byte, 32)}}, {"the second is wrong", [][]byte{key(1), nil}},
	} {
		if _, err := journal.NewKeys(tt.keys...); err == nil {
			t.Errorf("%s: no error", tt.name)
		}
	}
}

func TestWrap(t *testing.T) {
	old, both, other := newKeys(t, key(1)), newKeys(t, key(2), key(1)), newKeys(t, key(3))
	secret := bytes.Repeat([]byte("k"), 32)
	wrapped, err := old.Wrap(t.Context(), secret, []byte("acme"))
	if err != nil || bytes.Contains(wrapped, secret) {
		t.Fatal(err)
	}
	if got, err := both.Unwrap(t.Context(), wrapped, []byte("acme")); err != nil || !bytes.Equal(got, secret) {
		t.Errorf("a former key: %v", err)
	}
	for name, f := range map[string]func() ([]byte, error){
		"another tenant": func() ([]byte, error) { return old.Unwrap(t.Context(), wrapped, []byte("beta")) },
		"another key":    func() ([]byte, error) { return other.Unwrap(t.Context(), wrapped, []byte("acme")) },
		"a part":         func() ([]byte, error) { return old.Unwrap(t.Context(), wrapped[:20], []byte("acme")) },
		"nothing":        func() ([]byte, error) { return old.Unwrap(t.Context(), nil, []byte("acme")) },
	} {
		if _, err := f(); !errors.Is(err, journal.ErrKeyGone) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Keys rotate: several are valid, Rewrap makes the old one superfluous, and an entry whose key is gone is
// shown without content.
func TestRotation(t *testing.T) {
	store := journal.NewMemory(64 << 20)
	with := func(keys ...[]byte) *app {
		return newAppOver(t, store, journal.Options{Keys: newKeys(t, keys...)}, nil)
	}
	first := with(key(1))
	id := first.create("/Users", ann)
	first.find(journal.Query{})
	both := with(key(2), key(1))
	if all := both.find(journal.Query{Person: id}); len(all) != 1 || all[0].Detail == nil {
		t.Fatalf("with both keys: %+v", all)
	}
	if n, gone, err := both.j.Rewrap(t.Context()); n != 2 || gone != 0 || err != nil {
		t.Fatalf("Rewrap: %d, %d, %v", n, gone, err)
	}
	second := with(key(2))
	if all := second.find(journal.Query{Person: "ann@example.com"}); len(all) != 1 || all[0].Detail == nil {
		t.Errorf("with the new key: %+v", all)
	}
	lost := with(key(3))
	all := lost.find(journal.Query{})
	if len(all) != 1 || all[0].Unreadable != journal.KeyGone || all[0].Status != 201 || all[0].Detail != nil {
		t.Errorf("without a key: %+v", all)
	}
	lost.send("GET", "/Users", "")
	if e := lost.last(); e.Unreadable != "" || e.Detail.URL != "/Users" {
		t.Errorf("the journal does not go on: %+v", e)
	}
	if n, gone, err := lost.j.Rewrap(t.Context()); n != 2 || gone != 2 || err != nil {
		t.Errorf("Rewrap without a key: %d, %d, %v", n, gone, err)
	}
}

// What is sealed opens only as the part of the entry and tenant that it was.
func TestBinding(t *testing.T) {
	for name, change := range map[string]func(r *journal.Record){
		"another tenant":    func(r *journal.Record) { r.Tenant = "other" },
		"another entry":     func(r *journal.Record) { r.ID = journal.NewID(time.Unix(0, 0))[:19] + r.ID[19:] },
		"another part":      func(r *journal.Record) { r.Request, r.Response = r.Response, r.Request },
		"detail as a body":  func(r *journal.Record) { r.Request = r.Detail },
		"a changed byte":    func(r *journal.Record) { r.Detail = bytes.Clone(r.Detail); r.Detail[20] ^= 1 },
		"no detail":         func(r *journal.Record) { r.Detail = nil },
		"a detail cut down": func(r *journal.Record) { r.Detail = r.Detail[:8] },
	} {
		store := &spy{Store: journal.NewMemory(64 << 20), change: change}
		a := newAppOver(t, store, journal.Options{}, nil)
		a.create("/Users", ann)
		a.find(journal.Query{})
		seen := store.seen[0]
		change(&seen)
		e, err := a.j.Get(t.Context(), seen.Tenant, seen.ID)
		want := journal.Damaged
		if seen.Tenant != "" {
			want = journal.KeyGone // the other tenant has no key
		}
		if err != nil || e.Unreadable != want || e.Detail != nil || e.Request != nil {
			t.Errorf("%s: %+v, %v", name, e, err)
		}
	}
}

// Two processes share the keys of a day.
func TestKeysAreShared(t *testing.T) {
	store := journal.NewMemory(64 << 20)
	keys := newKeys(t, key(1))
	a, b := newAppOver(t, store, journal.Options{Keys: keys}, nil), newAppOver(t, store, journal.Options{Keys: keys}, nil)
	var wg sync.WaitGroup
	for _, x := range []*app{a, b} {
		x.send("GET", "/Users", "")
		wg.Go(func() { x.j.Flush(t.Context()) }) //nolint:errcheck // what is missing shows below
	}
	wg.Wait()
	if n, err := store.Keys(t.Context(), journal.Key{}, 10); len(n) != 2 || err != nil {
		t.Errorf("%d keys, %v", len(n), err)
	}
	for _, e := range a.find(journal.Query{Client: "okta"}) {
		if e.Detail == nil {
			t.Errorf("%+v", e)
		}
	}
	if all := b.find(journal.Query{Client: "okta"}); len(all) != 2 {
		t.Errorf("%d entries", len(all))
	}
}

func TestNewIDIsInOrder(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	last := ""
	for range 5000 {
		id := journal.NewID(at)
		if id <= last || len(id) != 36 || id[14] != '7' || !strings.ContainsRune("89ab", rune(id[19])) {
			t.Fatalf("%s after %s", id, last)
		}
		last, at = id, at.Add(500*time.Nanosecond)
	}
}
