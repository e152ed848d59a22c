package owntables

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/scimkit/scim/journal"
	"github.com/scimkit/scim/store/sqlstore/internal/database"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
)

// termPlace is where a search by terms goes on: at the newest entry before an ID, but not behind from. "": no bound.
type termPlace struct {
	terms        []journal.Term
	from, before string
	want         int // how many entries it looks for
}

// found is an entry that may have the terms of a search.
type found struct {
	id  string
	run string // The run has all pairs of the entry. "": the table of earlier versions has its terms.
	// sure has a bit for each of the first 64 terms of the search of which the run has a pair.
	sure uint64
}

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

// candidates returns the next entries that may have all terms, the newest first. If there are more, floor is before which ID.
// One term finds them: that of which the parts that were read reach back the farthest. The others leave out what they know.
func candidates(ctx context.Context, db *database.DB, p termPlace) (all []found, floor string, err error) {
	if p.before == "" {
		p.before = beyond
	}
	err = db.Read(ctx, func() error {
		pages, err := readPages(ctx, db, p)
		if err != nil {
			return err
		}
		first := 0
		for i := range pages {
			if a, b := &pages[i], &pages[first]; a.floor < b.floor || a.floor == b.floor && len(a.all) < len(b.all) {
				first = i
			}
		}
		if err := pages[first].extend(ctx, db, p.want); err != nil {
			return err
		}
		all, floor = slices.Clone(pages[first].all), pages[first].floor
		for i := range pages {
			all = pages[i].among(all, 1<<i)
		}
		n := 0
		return db.Each(ctx, func(scan func(...any) error) error {
			var f found
			err := scan(&f.id)
			if all, n = append(all, f), n+1; n == oldPage {
				floor = max(floor, f.id)
			}
			return err
		}, "SELECT t.id FROM {p}entry_terms AS t WHERE t.tenant = $1 AND t.term = $2 AND t.id >= $3 AND t.id < $4 ORDER BY t.id DESC LIMIT $5", termText(p.terms[first]), p.from, p.before, oldPage)
	})
	all = slices.DeleteFunc(all, func(f found) bool { return f.id < floor })
	slices.SortFunc(all, func(a, b found) int { return strings.Compare(b.id, a.id) })
	return slices.CompactFunc(all, func(a, b found) bool { return a.id == b.id }), floor, err
}

// termPage is what the newest parts of the runs tell of a term.
type termPage struct {
	term          journal.Term
	least, behind pair // its pairs are from least on, and before behind
	all           []found
	since         map[string]string // From which ID on all has each entry of a run with the term. "", also of a run that is not there: all have it.
	floor         string            // the greatest of since
}

// add adds the entries in a part of a run. The part before may have some too, if this one begins behind least.
func (p *termPage) add(run, begins string, part []byte) error {
	pairs, err := readPairs(nil, part, &p.term)
	if err != nil {
		return err
	}
	isKnown := p.since[run]
	for _, x := range pairs {
		if p.least <= x && x < p.behind && (isKnown == "" || entryOf(x) < isKnown) {
			p.all = append(p.all, found{id: entryOf(x), run: run})
		}
	}
	delete(p.since, run)
	if begins > p.least {
		p.since[run] = entryOf(begins)
	}
	return nil
}

// setFloor sets floor, once parts were added.
func (p *termPage) setFloor() {
	p.floor = ""
	for _, id := range p.since {
		p.floor = max(p.floor, id)
	}
}

// extend reads the parts before those that the page has, until it has enough entries from the floor on. Where a run was merged
// meanwhile, the floor stays.
func (p *termPage) extend(ctx context.Context, db *database.DB, enough int) error {
	for p.floor != "" {
		n := 0
		for _, f := range p.all {
			if f.id >= p.floor {
				n++
			}
		}
		if n >= enough {
			return nil
		}
		var places []pairPlace
		isFirst := map[string]bool{} // The part that was read last is the first of these runs.
		for run, id := range p.since {
			places, isFirst[run] = append(places, pairPlace{run, prefixOf(p.term) + id}), true
		}
		text, args := FindPlaces(db.Dialect, "<", places)
		err := db.Each(ctx, func(scan func(...any) error) error {
			var run, at, begins string
			var b []byte
			if err := scan(&run, &at, &begins, &b); err != nil {
				return err
			}
			delete(isFirst, run)
			return p.add(run, begins, b)
		}, text, args...)
		if err != nil {
			return err
		}
		left := len(isFirst)
		err = db.Each(ctx, func(scan func(...any) error) error {
			var run string
			err := scan(&run)
			delete(p.since, run) // It was there before, too: it has all its parts.
			left--
			return err
		}, "SELECT r.run FROM {p}entry_runs AS r WHERE r.tenant = $1 AND "+db.Dialect.In("r.run", "SELECT e.value ->> 0 FROM {rows $2}"), tuplesOf(slices.Collect(maps.Keys(isFirst))))
		if p.setFloor(); err != nil || left > 0 {
			return err
		}
	}
	return nil
}

// among returns the entries of list, but those that lack the term of the page. bit is that of the term.
func (p *termPage) among(list []found, bit uint64) []found {
	has := make(map[string]bool, len(p.all))
	for _, f := range p.all {
		has[f.id] = true
	}
	out := list[:0]
	for _, f := range list {
		switch {
		case has[f.id]:
			f.sure |= bit
		case f.id >= p.since[f.run]:
			continue
		}
		out = append(out, f)
	}
	return out
}

// readPages returns the page of each term. It is one statement, so no run is merged meanwhile.
func readPages(ctx context.Context, db *database.DB, p termPlace) ([]termPage, error) {
	pages := make([]termPage, len(p.terms))
	behind := make([]pair, len(p.terms))
	for i, t := range p.terms {
		behind[i] = prefixOf(t) + p.before
		pages[i] = termPage{term: t, least: prefixOf(t) + p.from, behind: behind[i], since: map[string]string{}}
	}
	text, args := FindParts(db.Dialect, behind, p.from, p.before)
	err := db.Each(ctx, func(scan func(...any) error) error {
		var of, run, begins string
		var b []byte
		if err := scan(&of, &run, &begins, &b); err != nil {
			return err
		}
		for i := range pages {
			if behind[i] != of {
				continue
			}
			if err := pages[i].add(run, begins, b); err != nil {
				return err
			}
		}
		return nil
	}, text, args...)
	for i := range pages {
		pages[i].setFloor()
	}
	return pages, err
}

// lastPart is the part of a run that has the newest pair before one, or up to one.
func lastPart(run, operator, pair string) string {
	return "p.tenant = $1 AND p.run = " + run + " AND p.begins = (SELECT x.begins FROM {p}entry_parts AS x WHERE x.tenant = $1 AND x.run = " + run +
		" AND x.begins " + operator + " " + pair + " ORDER BY x.begins DESC LIMIT 1)"
}

// FindParts writes the query of the part of each run that has the newest pairs before one of behind. from and before bound the entries.
func FindParts(d dialect.Dialect, behind []pair, from, before string) (text string, args []any) {
	return "SELECT w.value, r.run, p.begins, p.pairs" + d.Each(d.Texts("$2"), "entry_runs", "r", "r.tenant = $1 AND r.until_id >= $3 AND r.since_id < $4", "") +
		d.Also("entry_parts", "p", lastPart("r.run", "<", "w.value"), ""), []any{dialect.List(behind), from, before}
}

// pairPlace is a pair in a run.
type pairPlace struct{ run, pair string }

// FindPlaces writes the query of the part of a run in which a pair is, if it is there, for each place. Its operator is "<=".
// With "<" it is the part before the one that begins with the pair.
func FindPlaces(d dialect.Dialect, operator string, places []pairPlace) (text string, args []any) {
	return "SELECT e.value ->> 0, e.value ->> 1, p.begins, p.pairs FROM {rows $2}" + d.Also("entry_parts", "p", lastPart("e.value ->> 0", operator, "e.value ->> 1"), ""),
		[]any{dialect.Tuples(places, func(p pairPlace) []any { return []any{p.run, p.pair} })}
}

const (
	mostPlaces  = 500 // parts that narrow reads in a statement
	firstStride = 8   // entries of a run of which narrow looks for one first
)

// narrow returns the entries of list, but those of which their run says that they lack one of the terms. Who reads the entries
// finds out about the rest: those of earlier versions, and those whose run was merged meanwhile.
func narrow(ctx context.Context, db *database.DB, terms []journal.Term, list []found) ([]found, error) {
	lacks := map[string]bool{}
	for i, t := range terms {
		var open []pairPlace
		for _, f := range list {
			if f.run != "" && f.sure&(1<<i) == 0 && !lacks[f.id] {
				open = append(open, pairPlace{f.run, prefixOf(t) + f.id})
			}
		}
		if err := findLacking(ctx, db, open, lacks); err != nil {
			return nil, err
		}
	}
	return slices.DeleteFunc(list, func(f found) bool { return lacks[f.id] }), nil
}

// findLacking adds to lacks the entries of pairs that are not there. A part often tells of several, so it looks for a few of them first.
func findLacking(ctx context.Context, db *database.DB, open []pairPlace, lacks map[string]bool) error {
	slices.SortFunc(open, comparePlaces)
	for stride := firstStride; len(open) > 0; {
		var places []pairPlace
		for i := len(open) - 1; i >= 0 && len(places) < mostPlaces; i -= stride {
			places = append(places, open[i])
		}
		known := make(map[pairPlace]bool, len(open)) // What is looked for is known then, also if the run is gone.
		for _, p := range places {
			known[p] = true
		}
		text, args := FindPlaces(db.Dialect, "<=", places)
		err := db.Read(ctx, func() error {
			return db.Each(ctx, func(scan func(...any) error) error {
				var at, since pairPlace
				var b []byte
				if err := scan(&at.run, &at.pair, &since.pair, &b); err != nil {
					return err
				}
				since.run = at.run
				i, _ := slices.BinarySearchFunc(open, since, comparePlaces)
				for ; i < len(open) && comparePlaces(open[i], at) <= 0; i++ {
					has, err := hasPair(b, open[i].pair)
					if err != nil {
						return err
					}
					if known[open[i]] = true; !has {
						lacks[entryOf(open[i].pair)] = true
					}
				}
				return nil
			}, text, args...)
		})
		if err != nil {
			return err
		}
		stride = max(1, len(known)/len(places))
		open = slices.DeleteFunc(open, func(p pairPlace) bool { return known[p] })
	}
	return nil
}

func comparePlaces(a, b pairPlace) int {
	if c := strings.Compare(a.run, b.run); c != 0 {
		return c
	}
	return strings.Compare(a.pair, b.pair)
}
