package roles

import (
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"math/bits"
)

// crowd counts different users, and knows each by a hash of the id. Up to crowdLimit users it
// is exact. Of more it keeps those with an even hash, then every fourth one, and so on: it
// stays small, and the number is an estimate.
type crowd struct {
	level  int // it keeps the hashes that end with so many zero bits
	hashes map[uint64]bool
}

// crowdLimit is how many users a crowd keeps at most.
const crowdLimit = 2000

func (c *crowd) add(userID string) {
	sum := sha256.Sum256([]byte(userID))
	c.addHash(binary.BigEndian.Uint64(sum[:]))
}

func (c *crowd) addHash(h uint64) {
	if c.hashes == nil {
		c.hashes = map[uint64]bool{}
	}
	if bits.TrailingZeros64(h) < c.level {
		return
	}
	c.hashes[h] = true
	for len(c.hashes) > crowdLimit {
		c.thin(c.level + 1)
	}
}

// thin keeps fewer hashes.
func (c *crowd) thin(level int) {
	c.level = max(c.level, level)
	maps.DeleteFunc(c.hashes, func(h uint64, _ bool) bool { return bits.TrailingZeros64(h) < c.level })
}

// addAll adds the users of another crowd.
func (c *crowd) addAll(other crowd) {
	c.thin(other.level)
	for h := range other.hashes {
		c.addHash(h)
	}
}

// size is the number of users.
func (c *crowd) size() int { return len(c.hashes) << c.level }
