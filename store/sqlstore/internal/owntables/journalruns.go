package owntables

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/scimkit/scim/journal"
	"github.com/scimkit/scim/store/sqlstore/internal/database"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
)

// What entries are found by is in runs. A term is a keyed hash: in a table of terms each new row would change another page, and
// these pages would cost more than all the rest of an entry. So each Append writes a run: its pairs, in order, in parts. As soon
// as a tenant has mergedRuns runs of a level, they become one of the next level. So each pair is written a few times, always
// beside others, and a search looks into one part of each run.

const (
	mergedRuns = 16      // runs of a level that become one of the next
	mostRun    = 4 << 20 // bytes of a run that was merged
)

// run is what a search and a merge need to know of a run.
type run struct {
	id           string
	level, bytes int64
	since, until string // the least and the greatest ID of an entry
}

var (
	intoRuns  = database.Columns{Into: "{p}entry_runs (tenant, run, level, bytes, since_id, until_id)", Kinds: []database.Kind{database.Text, database.Text, database.Number, database.Number, database.Text, database.Text}}
	intoParts = database.Columns{Into: "{p}entry_parts (tenant, run, begins, pairs)", Kinds: []database.Kind{database.Text, database.Text, database.Text, database.Bytes}}
)

// addRun writes a run of the tenant of db with these pairs, which are in order.
func addRun(ctx context.Context, db *database.DB, level int64, since, until string, pairs []pair) error {
	if len(pairs) == 0 {
		return nil
	}
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	parts := partsOf(pairs)
	rows := make([][]any, len(parts))
	bytes := int64(0)
	for i, p := range parts {
		rows[i] = []any{db.Tenant, id.String(), p.begins, p.pairs}
		bytes += int64(len(p.pairs))
	}
	if err := database.InsertRows(ctx, db, intoRuns, [][]any{{db.Tenant, id.String(), level, bytes, since, until}}); err != nil {
		return err
	}
	return database.InsertRows(ctx, db, intoParts, rows)
}

// addPairs writes the run of new records of a tenant.
func addPairs(ctx context.Context, db *database.DB, all []*journal.Record) error {
	var pairs []pair
	since, until := "", ""
	for _, r := range all {
		if len(r.Terms) == 0 {
			continue
		}
		if since == "" || r.ID < since {
			since = r.ID
		}
		until = max(until, r.ID)
		pairs = append(pairs, pairsOf(r.ID, r.Terms)...)
	}
	slices.Sort(pairs)
	return addRun(ctx, db, 0, since, until, pairs)
}

// isDue reports whether a tenant may have runs to merge: it counts its appends. Of a tenant that it does not know, it may.
func (s *Journal) isDue(tenant string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	const mostTenants = 10_000
	if s.since == nil || len(s.since) >= mostTenants {
		s.since = map[string]int{}
	}
	n, ok := s.since[tenant]
	if n++; ok && n < mergedRuns {
		s.since[tenant] = n
		return false
	}
	s.since[tenant] = 0
	return true
}

// mergeRuns merges runs of a tenant, until no level has enough of them.
func (s *Journal) mergeRuns(ctx context.Context, tenant string) error {
	db := s.of(tenant)
	for {
		all, err := runsOf(ctx, db)
		if err != nil {
			return err
		}
		if all = mergeable(all); len(all) == 0 {
			return nil
		}
		if err := db.InTxAlone(ctx, func(ctx context.Context) error { return merge(ctx, db, all) }); err != nil {
			return fmt.Errorf("sqlstore: merge the terms of entries: %w", err)
		}
	}
}

// runsOf returns the runs of the tenant of db, the oldest first.
func runsOf(ctx context.Context, db *database.DB) ([]run, error) {
	return database.ReadAll(ctx, db, 0, func(scan func(...any) error) (r run, err error) {
		return r, scan(&r.id, &r.level, &r.bytes, &r.since, &r.until)
	}, "SELECT r.run, r.level, r.bytes, r.since_id, r.until_id FROM {p}entry_runs AS r WHERE r.tenant = $1 ORDER BY r.run")
}

// mergeable returns the oldest runs of a level that has enough. What is large stays as it is.
func mergeable(all []run) []run {
	byLevel := map[int64][]run{}
	for _, r := range all {
		if r.bytes > mostRun/mergedRuns {
			continue
		}
		of := append(byLevel[r.level], r)
		if byLevel[r.level] = of; len(of) == mergedRuns {
			return of
		}
	}
	return nil
}

// merge makes one run of several. If another process has merged or removed one of them meanwhile, it does nothing.
func merge(ctx context.Context, db *database.DB, all []run) error {
	if err := lockTenant(ctx, db); err != nil {
		return err
	}
	names := make([]string, len(all))
	since, until, level := all[0].since, all[0].until, all[0].level
	for i, r := range all {
		names[i], since, until = r.id, min(since, r.since), max(until, r.until)
	}
	have := 0
	err := db.Each(ctx, func(scan func(...any) error) error { return scan(&have) }, "SELECT count(*) FROM {p}entry_runs WHERE tenant = $1 AND "+db.Dialect.In("run", "SELECT e.value ->> 0 FROM {rows $2}"), tuplesOf(names))
	if err != nil || have < len(all) {
		return err
	}
	lists := map[string][]pair{}
	err = db.Each(ctx, func(scan func(...any) error) error {
		var name string
		var b []byte
		if err := scan(&name, &b); err != nil {
			return err
		}
		list, err := readPairs(lists[name], b, nil)
		lists[name] = list
		return err
	}, "SELECT p.run, p.pairs FROM {p}entry_parts AS p WHERE p.tenant = $1 AND "+db.Dialect.In("p.run", "SELECT e.value ->> 0 FROM {rows $2}")+" ORDER BY p.run, p.begins", tuplesOf(names))
	if err != nil {
		return err
	}
	if err := removeRuns(ctx, db, names); err != nil {
		return err
	}
	var ordered [][]pair
	for _, name := range names {
		ordered = append(ordered, lists[name])
	}
	return addRun(ctx, db, level+1, since, until, mergePairs(ordered))
}

// removeRuns removes runs of the tenant of db.
func removeRuns(ctx context.Context, db *database.DB, names []string) error {
	for _, table := range []string{"entry_parts", "entry_runs"} {
		_, err := db.Exec(ctx, "DELETE FROM {p}"+table+" WHERE tenant = $1 AND "+db.Dialect.In("run", "SELECT e.value ->> 0 FROM {rows $2}"), tuplesOf(names))
		if err != nil {
			return err
		}
	}
	return nil
}

// removeOldRuns removes runs of which all entries are gone. last is the newest entry that was removed.
func removeOldRuns(ctx context.Context, db *database.DB, last string) error {
	kept := ""
	err := db.Each(ctx, func(scan func(...any) error) error { return scan(&kept) }, "SELECT COALESCE(min(e.id), '') FROM {p}entries AS e WHERE e.tenant = $1")
	if err != nil {
		return err
	}
	var names []string
	err = db.Each(ctx, func(scan func(...any) error) error {
		var name string
		err := scan(&name)
		names = append(names, name)
		return err
	}, "SELECT r.run FROM {p}entry_runs AS r WHERE r.tenant = $1 AND r.until_id <= $2 AND ($3 = '' OR r.until_id < $3)", last, kept)
	if err != nil || len(names) == 0 {
		return err
	}
	return removeRuns(ctx, db, names)
}

// lockTenant locks the size of the tenant of db until the transaction ends, as lockSize does, also if there is none yet.
func lockTenant(ctx context.Context, db *database.DB) error { return changeSize(ctx, db, 0) }

// tuplesOf is a list of texts for {rows $2}.
func tuplesOf(all []string) string {
	return dialect.Tuples(all, func(s string) []any { return []any{s} })
}
