package owntables

import (
	"context"
	"fmt"
	"slices"

	"github.com/scimkit/scim/journal"
	"github.com/scimkit/scim/store/sqlstore/internal/database"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
)

// Erase implements journal.Store.
func (s *Journal) Erase(ctx context.Context, tenant string, term journal.Term, limit int) (n int, err error) {
	if len(dialect.Storable([]string{tenant})) == 0 {
		return 0, nil
	}
	db := s.of(tenant)
	err = db.InTxAlone(ctx, func(ctx context.Context) error {
		if err := lockTenant(ctx, db); err != nil {
			return err
		}
		all, runs, err := entriesWith(ctx, db, term, limit)
		if n = len(all); err != nil || n == 0 {
			return err
		}
		if err := removeOldTerms(ctx, db, all); err != nil {
			return err
		}
		if err := removePairs(ctx, db, all, runs); err != nil {
			return err
		}
		bytes, least := int64(0), (&journal.Record{}).Size()
		for _, e := range all {
			if journal.Kind(e.kind) != journal.Refused {
				bytes += e.size - least
			}
		}
		_, err = db.Exec(ctx, "UPDATE {p}entries SET key_id = '', terms = $3, detail = $3, request = $3, response = $3, size = $4 WHERE tenant = $1 AND "+
			db.Dialect.In("id", "SELECT e.value ->> 0 FROM {rows $2}"), idsOf(all), []byte{}, least)
		if err != nil {
			return err
		}
		return addSize(ctx, db, -bytes)
	})
	if err != nil {
		return 0, fmt.Errorf("sqlstore: erase entries: %w", err)
	}
	return n, nil
}

// entriesWith returns at most limit entries that have a term, and in which run each is.
func entriesWith(ctx context.Context, db *database.DB, term journal.Term, limit int) (all []oldEntry, runs map[string]string, err error) {
	runs = map[string]string{}
	for p := (termPlace{terms: []journal.Term{term}, want: limit}); len(all) < limit; {
		some, floor, err := candidates(ctx, db, p)
		if err != nil {
			return nil, nil, err
		}
		for _, f := range some {
			runs[f.id] = f.run
		}
		err = db.Each(ctx, func(scan func(...any) error) error {
			e, err := scanOld(scan)
			if err == nil && len(all) < limit && hasTerms(e.terms, []journal.Term{term}) {
				all = append(all, e)
			}
			return err
		}, "SELECT "+oldColumns+db.Dialect.Each(db.Dialect.Texts("$2"), "entries", "e", "e.tenant = $1 AND e.id = w.value", ""), dialect.List(idsIn(some)))
		if err != nil {
			return nil, nil, err
		}
		if floor == "" {
			break
		}
		p.before = floor
	}
	return all, runs, nil
}

// removePairs removes all pairs of entries from the runs in which they are.
func removePairs(ctx context.Context, db *database.DB, all []oldEntry, runs map[string]string) error {
	byRun := map[string][]pair{}
	for _, e := range all {
		if run := runs[e.id]; run != "" {
			byRun[run] = append(byRun[run], pairsOf(e.id, termsIn(e.terms))...)
		}
	}
	for run, gone := range byRun {
		slices.Sort(gone)
		for len(gone) > 0 {
			p, pairs, err := partWith(ctx, db, run, gone[0])
			if err != nil {
				return err
			}
			n := 1 // It is in this part, or it is not there.
			for len(pairs) > 0 && n < len(gone) && gone[n] <= pairs[len(pairs)-1] {
				n++
			}
			if err := replacePart(ctx, db, run, p, pairs, gone[:n]); err != nil {
				return err
			}
			gone = gone[n:]
		}
	}
	return nil
}

// partWith returns the part of a run that has a pair, if the run has it. Nothing: there is none.
func partWith(ctx context.Context, db *database.DB, run string, x pair) (p part, pairs []pair, err error) {
	err = db.Each(ctx, func(scan func(...any) error) error {
		if err := scan(&p.begins, &p.pairs); err != nil {
			return err
		}
		pairs, err = readPairs(nil, p.pairs, nil)
		return err
	}, "SELECT p.begins, p.pairs FROM {p}entry_parts AS p WHERE p.tenant = $1 AND p.run = $2 AND p.begins <= $3 ORDER BY p.begins DESC LIMIT 1", run, x)
	return p, pairs, err
}

// replacePart removes pairs from a part of a run. Also where the part begins may tell of a person.
func replacePart(ctx context.Context, db *database.DB, run string, p part, pairs, gone []pair) error {
	before := len(pairs)
	pairs = slices.DeleteFunc(pairs, func(x pair) bool {
		_, isGone := slices.BinarySearch(gone, x)
		return isGone
	})
	switch {
	case len(pairs) == before:
		return nil
	case len(pairs) == 0:
		_, err := db.Exec(ctx, "DELETE FROM {p}entry_parts WHERE tenant = $1 AND run = $2 AND begins = $3", run, p.begins)
		return err
	}
	var b []byte
	for _, x := range pairs {
		b = appendPair(b, x)
	}
	_, err := db.Exec(ctx, "UPDATE {p}entry_parts SET begins = $4, pairs = $5 WHERE tenant = $1 AND run = $2 AND begins = $3", run, p.begins, pairs[0], b)
	return err
}
