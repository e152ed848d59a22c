package journal

import (
	"strings"
	"sync"
	"time"
)

// queueSize is how many bytes wait to be written at most, with the bodies that are being captured.
const queueSize = 16 << 20

// rank says how long the queue keeps an exchange if it is full: a higher one longer.
type rank uint8

const (
	rankRefused rank = iota
	rankRead         // a successful request that changes nothing
	rankWrite        // a successful request that may change something
	rankFailed
)

func rankOf(x *exchange) rank {
	switch {
	case x.head.Kind == Refused:
		return rankRefused
	case x.status < 200 || x.status >= 400:
		return rankFailed
	case x.in.isRead || strings.HasSuffix(x.url, "/.search"):
		return rankRead
	}
	return rankWrite
}

// queue has the exchanges that wait to be written, in order.
type queue struct {
	room *room
	mu   sync.Mutex
	all  []*exchange
	lost map[string]*Missing // by tenant
	wake chan struct{}       // gets a value when much waits
}

// wakeAt is how many bytes wake the writer before its time.
const wakeAt = 1 << 20

func newQueue(r *room) *queue {
	q := &queue{room: r, lost: map[string]*Missing{}, wake: make(chan struct{}, 1)}
	r.limit.Store(queueSize)
	r.shed = q.shed
	return q
}

// push puts an exchange at the end. It never waits.
func (q *queue) push(x *exchange) {
	q.room.force(x.size)
	x.in.end()
	x.out.end()
	x.notes.end()
	q.mu.Lock()
	q.all = append(q.all, x)
	if q.room.used.Load() > q.room.limit.Load() {
		q.makeRoom(0, len(steps))
	}
	q.mu.Unlock()
	if q.room.used.Load() > wakeAt {
		select {
		case q.wake <- struct{}{}:
		default:
		}
	}
}

// shed makes room for n bytes of a body. No line of a request with a client that is known goes for it.
func (q *queue) shed(n int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.makeRoom(n, forBody)
}

// steps is the order in which a full queue gives up what it has: only bodies, or the whole exchange.
var steps = []struct {
	rank  rank
	whole bool
}{
	{rankRead, false}, {rankRefused, true}, {rankWrite, false}, {rankRead, true}, {rankFailed, false}, {rankWrite, true}, {rankFailed, true},
}

// forBody is how many of the steps make room for another body.
const forBody = 3

// makeRoom gives up what matters least, the oldest first, until n bytes more and an eighth of the room are free. So
// it need not look at all exchanges again soon. A tenant that has more than half of the room gives up its own first.
func (q *queue) makeRoom(n int64, most int) {
	limit := q.room.limit.Load()
	goal := max(0, limit-limit/8-n)
	if tenant, ok := q.heaviest(limit / 2); ok {
		q.giveUp(goal, most, func(x *exchange) bool { return x.head.Tenant == tenant })
	}
	q.giveUp(goal, most, func(*exchange) bool { return true })
}

// heaviest returns a tenant that has more than some bytes.
func (q *queue) heaviest(than int64) (tenant string, ok bool) {
	bytes := map[string]int64{}
	for _, x := range q.all {
		bytes[x.head.Tenant] += x.bytes()
		if bytes[x.head.Tenant] > than {
			return x.head.Tenant, true
		}
	}
	return "", false
}

// bytes is the room that an exchange has.
func (x *exchange) bytes() int64 {
	return x.size + int64(cap(x.in.text)+cap(x.out.text)) + x.notes.kept
}

// giveUp takes the first steps with some of the exchanges, until the room has at most goal bytes.
func (q *queue) giveUp(goal int64, most int, isMeant func(*exchange) bool) {
	for _, step := range steps[:most] {
		if q.room.used.Load() <= goal {
			return
		}
		kept := q.all[:0]
		for _, x := range q.all {
			if x.rank != step.rank || q.room.used.Load() <= goal || !isMeant(x) {
				kept = append(kept, x)
				continue
			}
			x.in.drop()
			x.out.drop()
			x.notes.drop()
			if !step.whole {
				kept = append(kept, x)
				continue
			}
			q.room.give(x.size)
			q.lose(x.head.Tenant, x.head.Time, 1)
		}
		clear(q.all[len(kept):])
		q.all = kept
	}
}

// maxLost is how many tenants may have a gap at the same time. Further ones are counted together.
const maxLost = 10_000

// lose counts an entry that will be missing.
func (q *queue) lose(tenant string, at time.Time, n int) {
	m := q.lost[tenant]
	if m == nil && len(q.lost) >= maxLost {
		tenant = ""
		m = q.lost[tenant]
	}
	if m == nil {
		m = &Missing{From: at, To: at, Reason: "the journal could not be written as fast as requests came"}
		q.lost[tenant] = m
	}
	m.Entries += n
	if at.Before(m.From) {
		m.From = at
	}
	if at.After(m.To) {
		m.To = at
	}
}

// take removes exchanges from the beginning: at most limit bytes of them, but one always.
func (q *queue) take(limit int64) (out []*exchange) {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := 0
	for n < len(q.all) && (n == 0 || limit > 0) {
		x := q.all[n]
		limit -= x.bytes()
		n++
	}
	out = append(out, q.all[:n]...)
	rest := copy(q.all, q.all[n:])
	clear(q.all[rest:])
	q.all = q.all[:rest]
	return out
}

// back puts back what cannot be sealed now.
func (q *queue) back(all []*exchange, gaps []map[string]*Missing) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(all) > 0 {
		q.all = append(all, q.all...)
	}
	for _, of := range gaps {
		for tenant, m := range of {
			q.lose(tenant, m.From, m.Entries)
			q.lose(tenant, m.To, 0)
		}
	}
}

// forget gives up an exchange that was taken.
func (q *queue) forget(x *exchange) {
	x.in.drop()
	x.out.drop()
	x.notes.drop()
	q.room.give(x.size)
	q.miss(&x.head)
}

// miss counts an entry that the store does not take.
func (q *queue) miss(h *Head) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.lose(h.Tenant, h.Time, 1)
}

// gaps removes and returns what is missing.
func (q *queue) gaps() map[string]*Missing {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.lost) == 0 {
		return nil
	}
	out := q.lost
	q.lost = map[string]*Missing{}
	return out
}

// limiter lets few refused requests into the queue: one a second for each address, and a few of all addresses.
type limiter struct {
	mu     sync.Mutex
	seen   map[string]bool // the addresses of the current second
	second int64
}

// maxRefused is how many refused requests of all addresses are kept in a second.
const maxRefused = 20

func (l *limiter) admits(address string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s := now.Unix(); s != l.second || l.seen == nil {
		l.second, l.seen = s, make(map[string]bool, maxRefused)
	}
	if l.seen[address] || len(l.seen) >= maxRefused {
		return false
	}
	l.seen[address] = true
	return true
}
