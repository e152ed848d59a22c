// Package keylock locks keys within a process. It serves stores and ledgers without
// transactions, which cannot lock a resource or a user themselves.
package keylock

import (
	"context"
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
	turn  chan struct{} // The holder has put the only element.
	users int           // callers that hold the lock or wait for it
}

// Key joins parts to a key, such as a tenant, a type and an id. No part has a NUL byte,
// because the endpoint accepts no id with one.
func Key(parts ...string) string { return strings.Join(parts, "\x00") }

// Lock locks all keys and returns the function that unlocks them. It locks them in
// ascending order, so that two callers never wait for each other. It waits no longer than
// ctx lasts: then it locks nothing, and its error is that of ctx.
func (l *Locks) Lock(ctx context.Context, keys ...string) (unlock func(), err error) {
	keys = slices.Clone(keys)
	slices.Sort(keys)
	keys = slices.Compact(keys)
	held := make([]*lock, 0, len(keys))
	unlock = func() {
		for i, e := range held {
			<-e.turn
			l.leave(keys[i], e)
		}
	}
	for _, k := range keys {
		e := l.join(k)
		if err := e.take(ctx); err != nil {
			l.leave(k, e)
			unlock()
			return nil, err
		}
		held = append(held, e)
	}
	return unlock, nil
}

// take waits until the lock is free, and takes it.
func (e *lock) take(ctx context.Context) error {
	select {
	case e.turn <- struct{}{}: // without ctx.Done, which may start a timer
		return nil
	default:
	}
	select {
	case e.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// join returns the lock of a key, and counts the caller among its users.
func (l *Locks) join(key string) *lock {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.m == nil {
		l.m = map[string]*lock{}
	}
	e := l.m[key]
	if e == nil {
		e = &lock{turn: make(chan struct{}, 1)}
		l.m[key] = e
	}
	e.users++
	return e
}

// leave removes the lock of a key if the caller was its last user.
func (l *Locks) leave(key string, e *lock) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e.users--; e.users == 0 {
		delete(l.m, key)
	}
}
