package journal

import (
	"crypto/sha256"
	"hash"
	"io"
	"net/http"
	"sync/atomic"
)

const (
	// wholeBody is the size up to which a body is kept whole, and partBody is how much is kept of a longer one.
	wholeBody = 1 << 20
	partBody  = 64 << 10
)

// capture copies a body while it passes. It takes the room for the copy from the queue; if there is
// none, it keeps only the size and the hash.
type capture struct {
	room    *room
	isRead  bool // the request changes nothing: see room.take
	text    []byte
	size    int64
	sum     hash.Hash // of all that has passed, once text is not whole any more
	dropped bool
	ended   bool // the request has ended
}

func (c *capture) write(p []byte) {
	if len(p) == 0 {
		return
	}
	c.size += int64(len(p))
	if c.sum != nil {
		c.sum.Write(p)
		return
	}
	if c.size > wholeBody {
		c.fold(p, partBody)
		return
	}
	if need := len(c.text) + len(p); need > cap(c.text) {
		grown := max(need, min(2*cap(c.text), wholeBody))
		if !c.room.take(int64(grown-cap(c.text)), c.isRead) {
			c.dropped = true
			c.fold(p, 0)
			return
		}
		c.text = append(make([]byte, 0, grown), c.text...)
	}
	c.text = append(c.text, p...)
}

// fold begins to hash, and keeps only the beginning of the body.
func (c *capture) fold(p []byte, keep int) {
	c.sum = sha256.New()
	c.sum.Write(c.text)
	c.sum.Write(p)
	before := cap(c.text)
	kept := append(make([]byte, 0, keep), c.text[:min(keep, len(c.text))]...)
	if more := keep - len(kept); more > 0 {
		kept = append(kept, p[:min(more, len(p))]...)
	}
	if cap(kept) > before && !c.room.take(int64(cap(kept)-before), c.isRead) {
		kept, c.dropped = nil, true
	}
	if cap(kept) < before {
		c.give(int64(before - cap(kept)))
	}
	c.text = kept
}

// isWhole reports whether text is all that has passed.
func (c *capture) isWhole() bool { return c.sum == nil }

// hash returns the SHA-256 of all that has passed.
func (c *capture) hash() (sum [sha256.Size]byte) {
	if c.sum == nil {
		return sha256.Sum256(c.text)
	}
	return [sha256.Size]byte(c.sum.Sum(nil))
}

// drop removes the copy.
func (c *capture) drop() {
	if c.text == nil {
		return
	}
	if c.sum == nil {
		c.sum = sha256.New()
		c.sum.Write(c.text)
	}
	c.give(int64(cap(c.text)))
	c.text, c.dropped = nil, true
}

func (c *capture) give(n int64) {
	c.room.give(n)
	if !c.ended {
		c.room.held.Add(-n)
	}
}

// end says that the request has ended, so the queue may drop the copy.
func (c *capture) end() {
	c.room.held.Add(-int64(cap(c.text)))
	c.ended = true
}

// tee is the body of a request, copied while the handler reads it.
type tee struct {
	io.ReadCloser
	c *capture
}

func (t *tee) Read(p []byte) (int, error) {
	n, err := t.ReadCloser.Read(p)
	t.c.write(p[:max(0, n)])
	return n, err
}

// recorder is the ResponseWriter of an exchange.
type recorder struct {
	http.ResponseWriter
	x *exchange
}

// Unwrap lets an http.ResponseController reach the server's ResponseWriter.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// WriteHeader implements http.ResponseWriter.
func (w *recorder) WriteHeader(status int) {
	if w.x.status == 0 && status >= 200 {
		w.x.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *recorder) Write(p []byte) (int, error) {
	if w.x.status == 0 {
		w.x.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(p)
	if w.x.method != http.MethodHead { // The server does not send what a handler writes for HEAD.
		w.x.out.write(p[:max(0, min(n, len(p)))])
	}
	return n, err
}

// room is how many bytes the captures, the queue and the batch that is being written have together.
type room struct {
	limit, used atomic.Int64
	// held is the part of requests that still run. Nothing can take it from a client that never ends its
	// requests, so it is at most half: otherwise such a client would push out the entries of all others.
	held atomic.Int64
	// shed makes room in the queue, if it can. It is not called for a read.
	shed func(n int64)
}

// take reserves room. A request that only reads gets none that another one would have to leave.
func (r *room) take(n int64, isRead bool) bool {
	if r.held.Add(n) <= r.limit.Load()/2 {
		for range 2 {
			if r.used.Add(n) <= r.limit.Load() {
				return true
			}
			r.used.Add(-n)
			if isRead || r.shed == nil {
				break
			}
			r.shed(n)
		}
	}
	r.held.Add(-n)
	return false
}

// force reserves room that is needed anyway.
func (r *room) force(n int64) { r.used.Add(n) }

func (r *room) give(n int64) { r.used.Add(-n) }
