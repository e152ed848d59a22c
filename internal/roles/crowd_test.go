package roles

import (
	"fmt"
	"testing"
)

// TestCrowd counts users exactly up to the limit, and about right beyond it.
func TestCrowd(t *testing.T) {
	var c crowd
	for range 2 {
		for i := range crowdLimit {
			c.add(fmt.Sprint("user", i))
		}
	}
	if c.size() != crowdLimit {
		t.Errorf("size %d, want %d", c.size(), crowdLimit)
	}
	var other crowd
	const all = 100_000
	for i := range all / 2 {
		c.add(fmt.Sprint("user", i))
		other.add(fmt.Sprint("user", i+all/2))
	}
	c.addAll(other)
	if n := c.size(); n < all*9/10 || n > all*11/10 {
		t.Errorf("size %d, want about %d", n, all)
	}
	if n := len(c.hashes); n > crowdLimit {
		t.Errorf("%d hashes, want at most %d", n, crowdLimit)
	}
}
