package oauth2

import (
	"crypto/sha256"
	"sync"
	"time"
)

// entry is a verified token. It says nothing about the settings: see Issuer.judge.
type entry struct {
	token *Token
	until time.Time // the first moment at which the entry does not count
	proof proof
}

// proof is how a signed token was verified.
type proof struct{ keys, algorithm, key string }

// cache keeps verified tokens by their hash. Tokens that were refused are not kept, so
// nobody fills it with made-up ones.
type cache struct {
	mu      sync.Mutex
	entries map[[sha256.Size]byte]entry
}

func (c *cache) get(raw string, now time.Time) (entry, bool) {
	key := sha256.Sum256([]byte(raw))
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.entries[key]
	if ok && !now.Before(e.until) {
		delete(c.entries, key)
		return entry{}, false
	}
	return e, ok
}

// put keeps a token. size is as Auth.CacheSize. A full cache loses an entry that is no
// longer valid, if it finds one quickly, or else any entry.
func (c *cache) put(raw string, e entry, now time.Time, size int) {
	if size == 0 {
		size = 1000
	}
	if size < 0 || !now.Before(e.until) {
		return
	}
	key := sha256.Sum256([]byte(raw))
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, has := c.entries[key]; !has && len(c.entries) >= size {
		c.drop(now)
	}
	if c.entries == nil {
		c.entries = map[[sha256.Size]byte]entry{}
	}
	c.entries[key] = e
}

// drop deletes an entry. It looks at a few, in the random order of maps.
func (c *cache) drop(now time.Time) {
	var victim [sha256.Size]byte
	looked := 0
	for key, e := range c.entries {
		victim = key
		if looked++; looked == 8 || !now.Before(e.until) {
			break
		}
	}
	delete(c.entries, victim)
}
