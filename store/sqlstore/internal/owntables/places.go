package owntables

import (
	"crypto/sha256"
	"fmt"
	"sync"
	"time"

	"github.com/scimkit/scim"
)

// A client that pages by index (startIndex) asks for the resources behind the first n. To skip n
// resources costs as much as to read their keys, and the total costs as much as to count. So
// reading everything page by page would cost the square. places remembers where the last pages
// ended, and how many resources there were. The next page then begins at the nearest place before
// it, also if another process has served pages in between.
//
// A place is that of a resource and not of a number: if resources before it are deleted meanwhile,
// the next page leaves none out. It also begins after resources that were put before it, which
// happens where the application says when its rows were created. So a place serves for a short time
// only, and none once the client begins anew.
type places struct {
	mu  sync.Mutex
	all [32]place // There are few, since each client needs one.
}

// placeAge is how long a place serves, and a total.
const placeAge = 30 * time.Second

// listed is what tells lists apart: a sum of the type, the filter, and for whom the list is.
type listed [sha256.Size]byte

// place is where a page ended.
type place struct {
	of      listed
	offset  int          // offset is how many resources come before the next page.
	last    scim.PageKey // last is the resource before the next page.
	total   int          // total is how many there are.
	counted time.Time    // counted is when the total was counted.
	at      time.Time    // at is when the page was read. It is zero if there is no place.
}

// listOf returns the list that q reads by index in order of creation. Others have no places.
func listOf(t *scim.ResourceType, q *scim.Query) (of listed, ok bool) {
	if q.After != nil || q.SortBy != "" || q.Descending || q.IDs != nil || q.Limit == 0 {
		return of, false
	}
	return sha256.Sum256(fmt.Appendf(nil, "%s\x00%t\x00%s", t.Name(), q.ForClient, q.Filter.Text())), true
}

// before returns the nearest place before an offset, or nil.
func (p *places) before(of listed, offset int) *place {
	p.mu.Lock()
	defer p.mu.Unlock()
	var best *place
	for i := range p.all {
		e := &p.all[i]
		switch {
		case e.at.IsZero() || e.of != of:
		case offset == 0 || time.Since(e.at) > placeAge:
			*e = place{}
		case e.offset <= offset && (best == nil || e.offset > best.offset):
			best = e
		}
	}
	if best == nil {
		return nil
	}
	found := *best
	return &found
}

// keep keeps a place. It takes the room of the place from which its page began, or of the oldest.
func (p *places) keep(e place, from *place) {
	p.mu.Lock()
	defer p.mu.Unlock()
	room := &p.all[0]
	for i := range p.all {
		old := &p.all[i]
		if old.of == e.of && (old.offset == e.offset || from != nil && old.offset == from.offset) {
			room = old
			break
		}
		if old.at.Before(room.at) {
			room = old
		}
	}
	*room = e
}

// window is what a page reads: a query, and how many resources it skips behind q.After.
type window struct {
	q       scim.Query
	skip    int
	from    *place    // from is nil if no place is known.
	counted time.Time // counted is when the total was counted, if that was not now.
}

// start begins the page at a place, which may be nil.
func (w *window) start(from *place) {
	if w.from = from; from != nil {
		w.q.After, w.skip = &from.last, w.q.Offset-from.offset
	}
}

// knowsTotal sets the total of a page if it was counted a short time ago, and there are more pages.
// The last page is counted, so that a client that stops there has seen what was added meanwhile.
func (w *window) knowsTotal(page *scim.Page) bool {
	if w.from == nil {
		return false
	}
	n := len(page.Resources)
	isLast := w.q.Offset+n >= w.from.total || n < w.q.Limit && !page.Cut
	if isLast || time.Since(w.from.counted) > placeAge {
		return false
	}
	page.Total, w.counted = w.from.total, w.from.counted
	return true
}

// hasMore reports whether there are resources behind a page whose total is known.
func (w *window) hasMore(page *scim.Page) bool { return w.q.Offset+len(page.Resources) < page.Total }

// end returns the place where a page ends, which has resources and a total.
func (w *window) end(of listed, page *scim.Page) place {
	now := time.Now()
	if w.counted.IsZero() {
		w.counted = now
	}
	return place{of, w.q.Offset + len(page.Resources), *scim.KeyOf(&w.q, page.Resources[len(page.Resources)-1]), page.Total, w.counted, now}
}
