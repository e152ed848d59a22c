package owntables

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/scimkit/scim/journal"
	"github.com/scimkit/scim/store/sqlstore/internal/database"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
)

// Find implements journal.Store. With terms it begins at the first of them.
func (s *Journal) Find(ctx context.Context, q journal.Search) (all []journal.Record, err error) {
	if len(dialect.Storable([]string{q.Tenant, q.ID, q.From, q.Before, q.Method})) < 5 {
		return nil, nil
	}
	db := s.of(q.Tenant)
	if len(q.Terms) == 0 || q.ID != "" {
		all, err = findEntries(ctx, db, q, nil)
	} else {
		all, err = findByTerms(ctx, db, q)
	}
	if err != nil {
		return nil, fmt.Errorf("sqlstore: find entries: %w", err)
	}
	return all, nil
}

// leastRead is how many entries findByTerms looks at first, even if fewer are wanted.
const leastRead = 50

// findByTerms finds entries that have all terms. It reads only those of which no run says that they lack one.
func findByTerms(ctx context.Context, db *database.DB, q journal.Search) (all []journal.Record, err error) {
	for p := (termPlace{q.Terms, q.From, q.Before, q.Limit}); ; {
		some, floor, err := candidates(ctx, db, p)
		if err != nil {
			return nil, err
		}
		for n := max(q.Limit-len(all), leastRead); len(some) > 0 && len(all) < q.Limit; n *= 2 {
			page := some[:min(n, len(some))]
			some = some[len(page):]
			if page, err = narrow(ctx, db, q.Terms, page); err != nil {
				return nil, err
			}
			if len(page) == 0 {
				continue
			}
			read, err := findEntries(ctx, db, q, idsIn(page))
			if err != nil {
				return nil, err
			}
			all = append(all, read...)
		}
		if len(all) >= q.Limit || floor == "" {
			return all[:min(len(all), q.Limit)], nil
		}
		p.before = floor
	}
}

// findEntries finds entries, the newest first: those with these ids, or all.
func findEntries(ctx context.Context, db *database.DB, q journal.Search, ids []string) ([]journal.Record, error) {
	text, args := FindEntries(db.Dialect, q, ids)
	all, err := database.ReadAll(ctx, db, min(q.Limit, 50), func(scan func(...any) error) (r journal.Record, err error) {
		if len(q.Terms) == 0 {
			return scanEntry(q.Tenant, scan)
		}
		var terms []byte
		r, err = scanEntry(q.Tenant, scan, &terms)
		if !hasTerms(terms, q.Terms) {
			r.ID = "" // It only begins alike, or its terms were erased.
		}
		return r, err
	}, text, args...)
	all = slices.DeleteFunc(all, func(r journal.Record) bool { return r.ID == "" })
	if ids != nil {
		slices.SortFunc(all, func(a, b journal.Record) int { return strings.Compare(b.ID, a.ID) })
	}
	return all, err
}

// hasTerms reports whether the terms of an entry include some.
func hasTerms(terms []byte, wanted []journal.Term) bool {
	for _, t := range wanted {
		i := 0
		for i < len(terms) && !bytes.HasPrefix(terms[i:], t[:]) {
			i += termSize
		}
		if i >= len(terms) {
			return false
		}
	}
	return true
}

// FindEntries writes the query of entries that have these ids, if there are any, and fit all of q but its terms, which it reads.
func FindEntries(d dialect.Dialect, q journal.Search, ids []string) (text string, args []any) {
	arg := func(v any) string {
		args = append(args, v)
		return "$" + strconv.Itoa(len(args)+1)
	}
	var b strings.Builder
	b.WriteString("SELECT " + headColumns)
	if len(q.Terms) > 0 {
		b.WriteString(", e.terms")
	}
	if ids != nil {
		b.WriteString(d.Each(d.Texts(arg(dialect.List(ids))), "entries", "e", "e.tenant = $1 AND e.id = w.value", "") + " WHERE $1 = $1")
	} else {
		b.WriteString(" FROM {p}entries AS e WHERE e.tenant = $1")
	}
	for _, by := range []struct{ column, operator, value string }{
		{"e.id", " = ", q.ID}, {"e.id", " >= ", q.From}, {"e.id", " < ", q.Before}, {"e.kind", " = ", string(q.Kind)}, {"e.method", " = ", q.Method},
	} {
		if by.value != "" {
			b.WriteString(" AND " + by.column + by.operator + arg(by.value))
		}
	}
	if q.Writes {
		b.WriteString(" AND e.method NOT IN ('GET', 'HEAD', 'OPTIONS')")
	}
	if q.Class != 0 {
		b.WriteString(" AND e.status BETWEEN " + arg(q.Class*100) + " AND " + arg(q.Class*100+99))
	}
	if ids == nil {
		b.WriteString(" ORDER BY e.id DESC LIMIT " + arg(q.Limit))
	}
	return b.String(), args
}
