package tokens

import (
	"crypto/sha256"
	"sync"
	"sync/atomic"
	"time"

	"github.com/scimkit/scim/auth"
)

// cache has tokens that were found in the store, and were valid then.
type cache struct {
	mu         sync.RWMutex
	size       int
	entries    map[[sha256.Size]byte]*entry
	generation uint64 // generation changes with each token that is dropped.
}

// entry is a token in the cache. The cache's lock is for token and until.
type entry struct {
	token auth.Token
	until time.Time    // until is when the store must be asked again.
	used  atomic.Int64 // used is when its use was last recorded, in microseconds.
}

func newCache(size int) *cache {
	return &cache{size: size, entries: make(map[[sha256.Size]byte]*entry)}
}

// get returns a token that need not be asked for at a time. If there is none, it returns the
// generation for put.
func (c *cache) get(hash [sha256.Size]byte, now time.Time) (t auth.Token, isFresh bool, generation uint64) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if e, ok := c.entries[hash]; ok && now.Before(e.until) {
		return e.token, true, 0
	}
	return auth.Token{}, false, c.generation
}

// put keeps a token until a time. It was read from the store, where its use was recorded at used. put
// does nothing if a token was dropped since the generation: it may be this one, and the store may
// have been read before it changed.
func (c *cache) put(generation uint64, t auth.Token, until, used time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if generation != c.generation {
		return
	}
	old, ok := c.entries[t.Hash]
	switch {
	case ok && until.Before(old.until): // another request has read it later
	case ok:
		old.token, old.until = t, until
	default:
		if len(c.entries) >= c.size {
			for hash := range c.entries { // any one: Go begins at a random place
				delete(c.entries, hash)
				break
			}
		}
		old = &entry{token: t, until: until}
		old.used.Store(used.UnixMicro())
		c.entries[t.Hash] = old
	}
	if last := old.used.Load(); last < used.UnixMicro() { // another process has recorded a use
		old.used.CompareAndSwap(last, used.UnixMicro())
	}
}

// drop forgets a token that has changed.
func (c *cache) drop(hash [sha256.Size]byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.generation++
	delete(c.entries, hash)
}

// isDue reports whether the use of a token has to be recorded. It returns true once in useEvery, or
// always for a token that the cache does not have.
func (c *cache) isDue(hash [sha256.Size]byte, at time.Time) bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	e, ok := c.entries[hash]
	if !ok {
		return true
	}
	last := e.used.Load()
	return at.UnixMicro()-last > useEvery.Microseconds() && e.used.CompareAndSwap(last, at.UnixMicro())
}
