// Package keylock gives one lock per key.
package keylock

import (
	"slices"
	"sync"
)

// Locks gives one lock per key, for stores without transactions. A lock that
// nobody holds or waits for takes no memory.
type Locks struct {
	mu sync.Mutex
	m  map[string]*keyedLock
}

type keyedLock struct {
	sync.Mutex
	users int
}

// Lock locks all keys, in order, so that two callers never wait for each other, and
// returns what unlocks them.
func (l *Locks) Lock(keys ...string) (unlock func()) {
	keys = slices.Clone(keys)
	slices.Sort(keys)
	keys = slices.Compact(keys)
	held := make([]*keyedLock, len(keys))
	for i, k := range keys {
		l.mu.Lock()
		if l.m == nil {
			l.m = map[string]*keyedLock{}
		}
		e := l.m[k]
		if e == nil {
			e = &keyedLock{}
			l.m[k] = e
		}
		e.users++
		l.mu.Unlock()
		e.Lock()
		held[i] = e
	}
	return func() {
		for i, e := range held {
			e.Unlock()
			l.mu.Lock()
			if e.users--; e.users == 0 {
				delete(l.m, keys[i])
			}
			l.mu.Unlock()
		}
	}
}
