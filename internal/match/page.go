package match

import (
	"cmp"
	"iter"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/model"
)

// Place is the place of a document in the order of a list.
type Place struct {
	Value   *string // the sort value in the form of placeText; nil if there is none
	Created time.Time
	ID      string
}

// PlaceOf is the place of d in the order by the attribute at path. "" means order of
// creation.
func PlaceOf(path string, d *doc.Document) *Place {
	p := &Place{Created: d.Created, ID: d.ID}
	a := sortAttribute(path, d)
	if a == nil {
		return p
	}
	if v := SortKey(d, a); v.Attr != nil {
		text := placeText(v)
		p.Value = &text
	}
	return p
}

// sortAttribute finds the attribute to sort d by; nil means order of creation.
func sortAttribute(path string, d *doc.Document) *model.Attribute {
	if path == "" {
		return nil
	}
	return d.Type.Find(path)
}

// Query is a question to Scan.
type Query struct {
	Filter     *Filter  // nil: all documents
	IDs        []string // not nil: only documents with these ids
	SortBy     string   // path of an attribute; "": order of creation
	Descending bool
	Offset     int    // the number of rows to skip if After is nil
	After      *Place // not nil: only rows behind this place
	Limit      int    // the most rows; 0: only the total
	Work       *Work  // nil: no limit
}

// Scan answers q from all rows, in any order. It returns the rows of the page, in order,
// and the number of all matches. docOf returns the document of a row. An error of all, or
// the end of q.Work, ends the scan.
func Scan[T any](q *Query, all iter.Seq2[T, error], docOf func(T) *doc.Document) (page []T, total int, err error) {
	var ids map[string]bool
	if q.IDs != nil {
		ids = make(map[string]bool, len(q.IDs))
		for _, id := range q.IDs {
			ids[id] = true
		}
	}
	best := firstRows[T]{n: q.Limit, descending: q.Descending}
	if q.After == nil {
		best.n += min(max(q.Offset, 0), math.MaxInt-max(q.Limit, 0))
	}
	w := q.Work
	if w == nil {
		w = new(Work)
	}
	var by *model.Attribute
	for one, err := range all {
		if err == nil && !w.Spend(costOfRow) {
			err = w.Err()
		}
		if err != nil {
			return nil, 0, err
		}
		d := docOf(one)
		if ids != nil && !ids[d.ID] {
			continue
		}
		if q.Filter != nil {
			matches := q.Filter.within(w, d)
			if err := w.Err(); err != nil {
				return nil, 0, err
			}
			if !matches {
				continue
			}
		}
		total++
		if q.Limit <= 0 || q.After != nil && !q.isBehind(d) {
			continue
		}
		r := row[T]{of: one, d: d}
		if by == nil {
			if by = sortAttribute(q.SortBy, d); by != nil {
				best.by = leafOf(by)
			}
		}
		if by != nil {
			r.key = SortKey(d, by)
		}
		best.add(r)
	}
	if q.Limit <= 0 {
		return nil, total, nil
	}
	rows := best.cut()
	if q.After == nil {
		rows = rows[min(max(q.Offset, 0), len(rows)):]
	}
	page = make([]T, len(rows))
	for i, r := range rows {
		page[i] = r.of
	}
	return page, total, nil
}

// compareIDs orders resources with one time of creation: the shorter id comes first, so that ids
// that are numbers are in their own order.
func compareIDs(a, b string) int {
	return cmp.Or(cmp.Compare(utf8.RuneCountInString(a), utf8.RuneCountInString(b)), strings.Compare(a, b))
}

// isBehind reports whether d comes after the place q.After in the order of q.
func (q *Query) isBehind(d *doc.Document) bool {
	c := 0
	if a := sortAttribute(q.SortBy, d); a != nil {
		c = q.After.compare(leafOf(a), SortKey(d, a))
	}
	if c == 0 {
		c = q.After.Created.Compare(d.Created)
	}
	if c == 0 {
		c = compareIDs(q.After.ID, d.ID)
	}
	if q.Descending {
		c = -c
	}
	return c < 0
}

// compare compares the value of a place with a sort key of the attribute a.
func (p *Place) compare(a *model.Attribute, key doc.Value) int {
	switch {
	case p.Value == nil || key.Attr == nil:
		return rank(p.Value != nil, key.Attr != nil)
	case isText(a):
		return strings.Compare(*p.Value, sortText(a, key.Text))
	}
	return Compare(a, doc.Simple(a, *p.Value), key)
}

// row is a document, the caller's row for it, and its sort value.
type row[T any] struct {
	of  T
	d   *doc.Document
	key doc.Value
}

// firstRows keeps the first n of the rows that Scan adds. So a page of a long list needs
// neither sorting nor memory for the whole list.
type firstRows[T any] struct {
	n          int
	by         *model.Attribute // nil: order of creation
	descending bool
	rows       []row[T] // less than 2n
	full       bool     // rows[n-1] is the last of n rows; add ignores rows behind it
}

func (f *firstRows[T]) compare(a, b row[T]) int {
	c := 0
	if f.by != nil {
		c = Compare(f.by, a.key, b.key)
	}
	if c == 0 {
		c = a.d.Created.Compare(b.d.Created)
	}
	if c == 0 {
		c = compareIDs(a.d.ID, b.d.ID)
	}
	if f.descending {
		return -c
	}
	return c
}

func (f *firstRows[T]) add(r row[T]) {
	if f.full && f.compare(r, f.rows[f.n-1]) >= 0 {
		return
	}
	f.rows = append(f.rows, r)
	if f.n <= len(f.rows)/2 {
		f.rows = f.cut()
		f.full = true
	}
}

// cut sorts the rows and returns the first n.
func (f *firstRows[T]) cut() []row[T] {
	slices.SortStableFunc(f.rows, f.compare)
	return f.rows[:min(f.n, len(f.rows))]
}
