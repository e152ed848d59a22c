package match

import (
	"slices"
	"strings"
	"time"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/fold"
	"github.com/scimkit/scim/internal/model"
)

// Place is a place in the order of a list: that of one resource.
type Place struct {
	Value   *string
	Created time.Time
	ID      string
}

// PlaceOf is the place of r in the order by an attribute.
func PlaceOf(sortBy string, r *doc.Document) *Place {
	k := &Place{Created: r.Created, ID: r.ID}
	if a := r.Type.Find(sortBy); sortBy != "" && a != nil {
		if v := SortKey(r, a); v.Attr != nil {
			text := v.Text
			if v.Attr.Kind == model.String && !v.Attr.CaseExact {
				text = fold.Key(text)
			}
			k.Value = &text
		}
	}
	return k
}

// Row is a resource and what it is sorted by.
type Row[T any] struct {
	R T
	D *doc.Document
	V doc.Value
}

// FirstRows keeps the first n of the rows that are added, so that a page of a long list
// costs neither sorting it nor memory for it.
type FirstRows[T any] struct {
	N          int
	By         *model.Attribute // nil: order of creation
	Descending bool
	rows       []Row[T] // less than 2n
	full       bool     // rows[n-1] is the last of n rows: what is behind it does not count
}

func (f *FirstRows[T]) compare(a, b Row[T]) int {
	c := 0
	if f.By != nil {
		c = Compare(f.By, a.V, b.V)
	}
	if c == 0 {
		c = a.D.Created.Compare(b.D.Created)
	}
	if c == 0 {
		c = strings.Compare(a.D.ID, b.D.ID)
	}
	if f.Descending {
		return -c
	}
	return c
}

// Add adds a row.
func (f *FirstRows[T]) Add(w Row[T]) {
	if f.full && f.compare(w, f.rows[f.N-1]) >= 0 {
		return
	}
	f.rows = append(f.rows, w)
	if f.N <= len(f.rows)/2 {
		f.rows = f.Sorted()
		f.full = true
	}
}

// Sorted returns the first n rows in order.
func (f *FirstRows[T]) Sorted() []Row[T] {
	slices.SortStableFunc(f.rows, f.compare)
	return f.rows[:min(f.N, len(f.rows))]
}

// Leaf is the attribute whose values SortKey returns for a.
func Leaf(a *model.Attribute) *model.Attribute {
	if a.Kind == model.Complex {
		if v := a.Lookup("value"); v != nil {
			return v
		}
	}
	return a
}

// KeyLess reports whether the place k lies before r in an order.
func KeyLess(sortBy string, descending bool, k *Place, r *doc.Document) bool {
	c := 0
	if a := r.Type.Find(sortBy); sortBy != "" && a != nil {
		var v doc.Value
		if k.Value != nil {
			v = doc.Simple(Leaf(a), *k.Value)
		}
		c = Compare(Leaf(a), v, SortKey(r, a))
	}
	if c == 0 {
		c = k.Created.Compare(r.Created)
	}
	if c == 0 {
		c = strings.Compare(k.ID, r.ID)
	}
	if descending {
		c = -c
	}
	return c < 0
}
