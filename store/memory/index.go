package memory

import (
	"hash/maphash"
	"iter"
	"reflect"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/scimkit/scim"
	"github.com/tidwall/btree"
)

// row is the place of a resource in a table. An update keeps the row, so indexes stay
// valid.
type row struct {
	r       *scim.Resource
	created time.Time
	id      string
	client  string // the client that wrote the resource last, "" if none has
}

// newRow removes the reading of the monotonic clock from the time of creation. Clients
// send places in a list back without it, and the order must be the same.
func newRow(r *scim.Resource) *row {
	m := r.Meta()
	return &row{r: r, created: m.Created.Round(0), id: m.ID}
}

// before compares rows in order of creation, and those of one time as scim.Scan does.
func before(a, b *row) bool {
	if c := a.created.Compare(b.created); c != 0 {
		return c < 0
	}
	if c := utf8.RuneCountInString(a.id) - utf8.RuneCountInString(b.id); c != 0 {
		return c < 0
	}
	return a.id < b.id
}

// table keeps the resources of one type.
type table struct {
	ids     map[string]*row
	order   *btree.BTreeG[*row] // of creation
	indexes []*index
	unique  *index // the index of unique values; nil if there is none
}

func newTable(typeName string, paths []string) *table {
	t := &table{
		ids:   make(map[string]*row),
		order: btree.NewBTreeGOptions(before, btree.Options{NoLocks: true}), // the Store locks
	}
	for _, path := range paths {
		x := &index{path: path, one: make(map[uint64]*row), more: make(map[uint64]map[*row]struct{})}
		t.indexes = append(t.indexes, x)
		if typeName == userType && path == "userName" {
			t.unique = x
		}
	}
	return t
}

// free returns an error if another row than self has a unique value of r.
func (t *table) free(r *scim.Resource, self *row) error {
	if t.unique == nil {
		return nil
	}
	path := t.unique.path
	for _, key := range t.unique.keys(r) {
		for w := range t.unique.rows(key) {
			if w != self && scim.Fold(w.r.String(path)) == scim.Fold(r.String(path)) {
				return scim.Conflict(path)
			}
		}
	}
	return nil
}

func (t *table) insert(w *row) {
	t.ids[w.id] = w
	t.order.Set(w)
	for _, x := range t.indexes {
		for _, key := range x.keys(w.r) {
			x.add(key, w)
		}
	}
}

func (t *table) remove(w *row) {
	delete(t.ids, w.id)
	t.order.Delete(w)
	for _, x := range t.indexes {
		for _, key := range x.keys(w.r) {
			x.remove(key, w)
		}
	}
}

// replace replaces the resource of w by r, which has the same id.
func (t *table) replace(w *row, r *scim.Resource) {
	for _, x := range t.indexes {
		if reflect.DeepEqual(w.r.Get(x.path), r.Get(x.path)) { // Folding costs more.
			continue
		}
		was, is := x.keys(w.r), x.keys(r)
		for _, key := range was {
			x.remove(key, w)
		}
		for _, key := range is {
			x.add(key, w)
		}
	}
	w.r = r
	if created := r.Meta().Created.Round(0); !created.Equal(w.created) {
		t.order.Delete(w)
		w.created = created
		t.order.Set(w)
	}
}

// index finds rows by hashes of the folded values of an attribute. A look-up finds a
// superset of the matches. Two values may have one hash. Values that differ only in case
// always have one, also if the attribute is case-exact. To keep the values as well would
// need a tenth more memory for each user.
type index struct {
	path string
	// Most values belong to one row. Further rows are in another map, so that this one
	// stays small.
	one  map[uint64]*row
	more map[uint64]map[*row]struct{}
}

// seed is random, so a client cannot construct many values with one hash.
var seed = maphash.MakeSeed()

// hash returns the key of a value.
func hash(s string) uint64 { return maphash.String(seed, scim.Fold(s)) }

// keys lists the keys of r, sorted and without repetition.
func (x *index) keys(r *scim.Resource) []uint64 {
	switch v := r.Get(x.path).(type) {
	case string:
		return []uint64{hash(v)}
	case []any:
		keys := make([]uint64, 0, len(v))
		for _, e := range v {
			if s, ok := e.(string); ok {
				keys = append(keys, hash(s))
			}
		}
		slices.Sort(keys)
		return slices.Compact(keys)
	default:
		return nil
	}
}

func (x *index) add(key uint64, w *row) {
	if x.one[key] == nil {
		x.one[key] = w
		return
	}
	if x.more[key] == nil {
		x.more[key] = make(map[*row]struct{})
	}
	x.more[key][w] = struct{}{}
}

func (x *index) remove(key uint64, w *row) {
	more := x.more[key]
	switch {
	case x.one[key] != w:
		delete(more, w)
	case len(more) == 0:
		delete(x.one, key)
	default:
		for next := range more {
			x.one[key] = next
			delete(more, next)
			break
		}
	}
	if len(more) == 0 {
		delete(x.more, key)
	}
}

// count returns the number of rows under key.
func (x *index) count(key uint64) int {
	if x.one[key] == nil {
		return 0
	}
	return 1 + len(x.more[key])
}

// rows yields the rows under key, in any order.
func (x *index) rows(key uint64) iter.Seq[*row] {
	return func(yield func(*row) bool) {
		if w := x.one[key]; w == nil || !yield(w) {
			return
		}
		for w := range x.more[key] {
			if !yield(w) {
				return
			}
		}
	}
}
