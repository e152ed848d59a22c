package owntables

import (
	"context"
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
	mu     sync.Mutex
	all    [32]place // There are few, since each client needs one.
	newest time.Time // newest is when the last one was kept.
}

// placeAge is how long a place serves, and a total.
const placeAge = 30 * time.Second

// listed is what tells lists apart: a sum of the type, the filter, and for whom the list is. Each
// client has places of its own, so that none begins anew for another one.
type listed [sha256.Size]byte

// place is where a page ended.
type place struct {
	of      listed
	offset  int          // offset is how many resources come before the next page.
	from    int          // from is the offset of the place from which the page began, or -1.
	last    scim.PageKey // last is the resource before the next page.
	total   int          // total is how many there are.
	counted time.Time    // counted is when the total was counted.
	at      time.Time    // at is when the page was read. It is zero if there is no place.
}

// isWalk reports whether q reads a list by index in order of creation. Other lists have no places.
func isWalk(q *scim.Query) bool {
	return q.Total && q.After == nil && q.SortBy == "" && !q.Descending && q.IDs == nil && q.Limit > 0
}

// listOf returns the list that q reads.
func listOf(ctx context.Context, t *scim.ResourceType, q *scim.Query) listed {
	return sha256.Sum256(fmt.Appendf(nil, "%s\x00%t\x00%q\x00%s", t.Name(), q.ForClient, clientOf(ctx), q.Filter.Text()))
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
		case time.Since(e.at) > placeAge:
			*e = place{}
		case e.offset <= offset && (best == nil || e.offset > best.offset || e.offset == best.offset && e.at.After(best.at)):
			best = e
		}
	}
	if best == nil {
		return nil
	}
	found := *best
	return &found
}

// areKept reports whether there may be places. Most requests are look-ups while nobody pages: they need
// not know which list they read.
func (p *places) areKept() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return time.Since(p.newest) <= placeAge
}

// forget forgets the places of a list.
func (p *places) forget(of listed) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.all {
		if p.all[i].of == of {
			p.all[i] = place{}
		}
	}
}

// keep keeps a place. It takes the room of the place before that from which its page began, or of
// the oldest. From the last one a client may ask for the page again.
func (p *places) keep(e place, from *place) {
	p.mu.Lock()
	defer p.mu.Unlock()
	room := &p.all[0]
	for i := range p.all {
		old := &p.all[i]
		if old.of == e.of && (old.offset == e.offset || from != nil && old.offset == from.from) {
			room = old
			break
		}
		if old.at.Before(room.at) {
			room = old
		}
	}
	*room, p.newest = e, e.at
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
	isLast := w.q.Limit >= w.from.total-w.q.Offset || len(page.Resources) < w.q.Limit && !page.Cut
	if isLast || time.Since(w.from.counted) > placeAge {
		return false
	}
	page.Total, w.counted = w.from.total, w.from.counted
	return true
}

// isPast reports whether there is a page, and the place is behind it: others were put before the
// place. A client that counts on by what it gets would ask for the page forever.
func (w *window) isPast(page *scim.Page) bool {
	return w.from != nil && len(page.Resources) == 0 && w.q.Offset < page.Total
}

// hasMore reports whether there are resources behind a page whose total is known.
func (w *window) hasMore(page *scim.Page) bool { return w.q.Offset+len(page.Resources) < page.Total }

// end returns the place where a page ends, which has resources and a total.
func (w *window) end(of listed, page *scim.Page) place {
	now := time.Now()
	if w.counted.IsZero() {
		w.counted = now
	}
	from := -1
	if w.from != nil {
		from = w.from.offset
	}
	return place{of, w.q.Offset + len(page.Resources), from, *scim.KeyOf(&w.q, page.Resources[len(page.Resources)-1]), page.Total, w.counted, now}
}
