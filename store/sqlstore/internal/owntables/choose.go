package owntables

import (
	"context"
	"fmt"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore/internal/database"
	"github.com/scimkit/scim/store/sqlstore/internal/search"
)

// manyCandidates is how many candidates of an index cost about as much as to go through a tenant of middle
// size: each is looked up, and a scan reads one resource after the other.
const manyCandidates = 5000

// chooseIndexes decides how the resources of a query are found: as t returns says. It refuses a query that
// takes too many comparisons.
func chooseIndexes(ctx context.Context, db *database.DB, t search.Type, q *scim.Query) (search.Type, error) {
	rows, n, err := count(ctx, db, t, q, manyCandidates)
	switch {
	case err != nil:
		return t, err
	case rows <= min(manyCandidates, n.Most) && n.HasCandidates:
		return t, nil
	case n.HasCandidates:
		scan := t
		scan.Scans = true
		rows, all, err := count(ctx, db, scan, q, 0)
		if err != nil || rows <= all.Most {
			return scan, err
		}
		if rows, n, err = count(ctx, db, t, q, 0); err != nil {
			return t, err
		}
		if rows <= n.Most {
			return t, nil
		}
	case rows <= n.Most:
		return t, nil
	}
	return t, search.NewWriter(db.Dialect, t).TooMany(q)
}

// count counts the resources with which a query is compared, up to one above what is allowed. Of candidates
// it counts one above most, if that is not 0.
func count(ctx context.Context, db *database.DB, t search.Type, q *scim.Query, most int) (rows int, n search.Comparisons, err error) {
	w := search.NewWriter(db.Dialect, t)
	if n, err = w.Comparisons(q); err != nil {
		return 0, n, fmt.Errorf("sqlstore: filter %s: %w", q.Filter.Text(), err)
	}
	if most == 0 || !n.HasCandidates {
		most = n.Most
	}
	text := n.Count(most)
	if text == "" || !n.HasCandidates && q.MaxComparisons <= 0 {
		return 0, n, nil
	}
	err = db.Read(ctx, func() error {
		return db.Each(ctx, func(scan func(...any) error) error { return scan(&rows) }, text, w.Args...)
	})
	if err != nil {
		return 0, n, fmt.Errorf("sqlstore: count the comparisons of %ss with %d terms: %w", t.Name(), n.Terms, err)
	}
	return rows, n, nil
}

// countAll counts the resources that q is about. Their order does not matter.
func countAll(ctx context.Context, db *database.DB, t search.Type, q *scim.Query) (total int, err error) {
	unsorted := *q
	unsorted.SortBy = ""
	w := search.NewWriter(db.Dialect, t)
	where, err := w.Where(&unsorted)
	if err == nil {
		err = db.Read(ctx, func() error {
			return db.Each(ctx, func(scan func(...any) error) error { return scan(&total) }, "SELECT count(*)"+where, w.Args...)
		})
	}
	if err != nil {
		return 0, fmt.Errorf("sqlstore: count %ss: %w", t.Name(), err)
	}
	return total, nil
}
