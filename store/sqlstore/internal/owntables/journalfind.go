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

// findByTerms finds entries by the first term, and looks for the others in the entries.
func findByTerms(ctx context.Context, db *database.DB, q journal.Search) (all []journal.Record, err error) {
	for p := (termPlace{q.Terms[0], q.From, q.Before}); ; {
		ids, floor, err := candidates(ctx, db, p)
		if err != nil {
			return nil, err
		}
		for len(ids) > 0 && len(all) < q.Limit {
			n := min(len(ids), max(q.Limit-len(all), 50))
			page, err := findEntries(ctx, db, q, idsIn(ids[:n]))
			if err != nil {
				return nil, err
			}
			all, ids = append(all, page...), ids[n:]
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

// termPlace is where a search by a term goes on: at the newest entry before an ID, but not behind from. "": no bound.
type termPlace struct {
	term         journal.Term
	from, before string
}

// found is an entry that may have a term, and the run in which it was found. "": the table of earlier versions.
type found struct{ id, run string }

// idsIn returns the ids of what was found.
func idsIn(all []found) []string {
	ids := make([]string, len(all))
	for i, f := range all {
		ids[i] = f.id
	}
	return ids
}

// beyond is behind the ID of each entry.
const beyond = "\U0010FFFF"

// oldPage is how many entries candidates reads from the table of earlier versions.
const oldPage = 100

// candidates returns the next entries that may have a term, the newest first. If there are more, floor is before which ID.
func candidates(ctx context.Context, db *database.DB, p termPlace) (all []found, floor string, err error) {
	prefix := prefixOf(p.term)
	if p.before == "" {
		p.before = beyond
	}
	least, behind := prefix+p.from, prefix+p.before
	text, args := FindParts(db.Dialect, behind, p.from, p.before)
	err = db.Read(ctx, func() error {
		all, floor = nil, ""
		var pairs []pair
		err := db.Each(ctx, func(scan func(...any) error) error {
			var run, begins string
			var b []byte
			err := scan(&run, &begins, &b)
			if err == nil {
				pairs, err = readPairs(pairs[:0], b, &p.term)
			}
			for _, x := range pairs {
				if least <= x && x < behind {
					all = append(all, found{entryOf(x), run})
				}
			}
			if begins > least { // The part before may have some too.
				floor = max(floor, entryOf(begins))
			}
			return err
		}, text, args...)
		if err != nil {
			return err
		}
		n := 0
		err = db.Each(ctx, func(scan func(...any) error) error {
			var f found
			err := scan(&f.id)
			if all, n = append(all, f), n+1; n == oldPage {
				floor = max(floor, f.id)
			}
			return err
		}, "SELECT t.id FROM {p}entry_terms AS t WHERE t.tenant = $1 AND t.term = $2 AND t.id >= $3 AND t.id < $4 ORDER BY t.id DESC LIMIT $5", termText(p.term), p.from, p.before, oldPage)
		return err
	})
	all = slices.DeleteFunc(all, func(f found) bool { return f.id < floor })
	slices.SortFunc(all, func(a, b found) int { return strings.Compare(b.id, a.id) })
	return slices.CompactFunc(all, func(a, b found) bool { return a.id == b.id }), floor, err
}

// FindParts writes the query of the part of each run that has the newest pairs before one. from and before bound the entries.
func FindParts(d dialect.Dialect, behind pair, from, before string) (text string, args []any) {
	const last = "(SELECT x.begins FROM {p}entry_parts AS x WHERE x.tenant = $1 AND x.run = r.run AND x.begins < $2 ORDER BY x.begins DESC LIMIT 1)"
	return "SELECT r.run, p.begins, p.pairs FROM {p}entry_runs AS r" + d.Also("entry_parts", "p", "p.tenant = $1 AND p.run = r.run AND p.begins = "+last, "") +
		" WHERE r.tenant = $1 AND r.until_id >= $3 AND r.since_id < $4", []any{behind, from, before}
}
