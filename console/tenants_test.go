package console_test

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/scimkit/scim/internal/sqlitetest"
	"github.com/scimkit/scim/journal"
	"github.com/scimkit/scim/store/sqlstore"
)

// countedStore counts the calls that are a statement each.
type countedStore struct {
	*sqlstore.Journal
	n map[string]int
}

func (s countedStore) Sums(ctx context.Context, tenants []string, names []journal.CounterName) (map[string]int64, error) {
	s.n["sums"]++
	return s.Journal.Sums(ctx, tenants, names)
}

func (s countedStore) Counters(ctx context.Context, tenant, from, to string) ([]journal.Counter, error) {
	s.n["counters"]++
	return s.Journal.Counters(ctx, tenant, from, to)
}

func (s countedStore) Find(ctx context.Context, q journal.Search) ([]journal.Record, error) {
	s.n["find"]++
	return s.Journal.Find(ctx, q)
}

func (s countedStore) FindKey(ctx context.Context, tenant, id string) (journal.Key, error) {
	s.n["key"]++
	return s.Journal.FindKey(ctx, tenant, id)
}

// The list of 2,000 tenants reads as many statements as a page has tenants, those in trouble come first, and each is found.
func TestTenantsByPages(t *testing.T) {
	db, err := sql.Open(sqlitetest.Driver, sqlitetest.FastDSN(filepath.Join(t.TempDir(), "scim.db")))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	kept, err := sqlstore.NewJournal(db, sqlstore.SQLite, sqlstore.Options{})
	if err == nil {
		err = kept.Migrate(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	s := countedStore{kept, map[string]int{}}
	j, err := journal.New(s, journal.Options{Keys: journal.NewEphemeralKeys(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t)
	w.timeout = time.Minute // The race detector makes SQLite slow.
	var records []journal.Record
	for i := range 2000 {
		tenant := fmt.Sprintf("tenant%04d", i)
		w.viewer.Tenants = append(w.viewer.Tenants, tenant)
		count := func(what string, n int64) journal.Counter {
			return journal.Counter{Day: "2026-01-31", Client: journal.Term{1}, What: what, N: n, Last: now, Key: "2026-01-31", Name: []byte("x")}
		}
		counts := []journal.Counter{count("read", 90), count("hour 11", 90)}
		if i%100 == 7 { // 20 of them fail, more with each
			counts = append(counts, count("409 uniqueness", int64(i)), count("failed-hour 11", int64(i)))
		}
		records = append(records, journal.Record{Head: journal.Head{ID: fmt.Sprintf("e%04d", i), Tenant: tenant, Kind: journal.Exchange, Time: now, Method: "GET", Status: 200}, Key: "2026-01-31", Counts: counts})
	}
	if err := kept.Append(t.Context(), records); err != nil {
		t.Fatal(err)
	}
	w.handler = w.newConsole(j)
	page := w.get(200, "/")
	if rows := strings.Count(page, `<tr><td class="wrap">`); rows != 50 || s.n["sums"] != 2 || s.n["counters"] != 50 || s.n["key"] > 50 || s.n["find"] > 0 {
		t.Errorf("%d lines with the statements %v, want 50 lines, 2 sums, 50 counters, and at most a key each", rows, s.n)
	}
	w.wants(page, "2\u202f000 tenants, those with the most failures", `href="?skip=50"`, "!rel=\"prev\"", "!in time")
	if first, last := strings.Index(page, "tenant1907"), strings.Index(page, "Name of tenant0000"); first < 0 || strings.Index(page, "tenant0107") < first || last < strings.Index(page, "tenant0007") {
		t.Errorf("the order is wrong:\n%s", page)
	}
	start := time.Now()
	if _, err := j.Traffic(t.Context(), w.viewer.Tenants, now.Add(-23*time.Hour), now); err != nil {
		t.Fatal(err)
	}
	t.Logf("the traffic of %d tenants takes %v", len(w.viewer.Tenants), time.Since(start))
	clear(s.n)
	page = w.get(200, "/?skip=1980")
	w.wants(page, `href="?skip=1930"`, "!rel=\"next\"", "Name of tenant1999")
	if rows := strings.Count(page, `<tr><td class="wrap">`); rows != 20 || s.n["sums"] != 2 || s.n["counters"] != 20 {
		t.Errorf("the last page has %d lines, with the statements %v", rows, s.n)
	}
	w.wants(w.get(200, "/?q="+url.QueryEscape("OF TENANT1234")), "1 tenant found", "./t/tenant1234/", "!tenant1235", "!rel=\"next\"")
	w.wants(w.get(200, "/?q=nobody"), "0 tenants found", `<a href="?">Show all</a>`)
	for _, skip := range []string{"-5", "99999999999999999999", "2000", "x"} {
		w.get(200, "/?skip="+skip)
	}
}
