// Package keylock locks keys within a process. It serves stores and ledgers without
// transactions, which cannot lock a resource or a user themselves.
package keylock

import (
	"slices"
	"strings"
	"sync"
)

// Locks has one lock for each key. Its zero value is ready. A lock without holder and
// waiters takes no memory.
type Locks struct {
	mu sync.Mutex
	m  map[string]*lock
}

type lock struct {
	sync.Mutex
	users int // callers that hold the lock or wait for it
}

// Key joins parts to a key, such as a tenant, a type and an id. No part has a NUL byte,
// because the endpoint accepts no id with one.
func Key(parts ...string) string { return strings.Join(parts, "\x00") }

// Lock locks all keys and returns the function that unlocks them. It locks them in
// ascending order, so that two callers never wait for each other.
func (l *Locks) Lock(keys ...string) (unlock func()) {
	keys = slices.Clone(keys)
	slices.Sort(keys)
	keys = slices.Compact(keys)
	held := make([]*lock, len(keys))
	for i, k := range keys {
		l.mu.Lock()
		if l.m == nil {
			l.m = map[string]*lock{}
		}
		e := l.m[k]
		if e == nil {
			e = &lock{}
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
