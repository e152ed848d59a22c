package roles

import (
	"context"
	"errors"
	"slices"

	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/keylock"
)

// needs are what a write turns out to need before it begins. Isolate undoes the write, gets
// it, and runs the write again.
type needs struct {
	leaver
	groups []string // the groups to lock, in order of id
	// locked are the groups that the current attempt has locked because of groups.
	locked map[string]bool
	short  bool // groups has grown in the current attempt
	roles  undoing
	// lookUps are the look-ups of the current attempt. If a report began since, the write needs
	// another attempt.
	lookUps lookUps
}

// undoing says how a call of the resolver in the transaction of a write can be undone.
type undoing int

const (
	withWrite   undoing = iota // It is undone with the write.
	suspected                  // So it is, but the resolver's error, after which the current attempt goes on, may have ended the transaction.
	wantedAlone                // The current attempt has found that it must be undone alone.
	alone                      // It can be undone alone.
)

// isOpen reports whether the last attempt failed for want of something.
func (n *needs) isOpen() bool { return len(n.open) > 0 || n.short || n.roles == wantedAlone }

// judgeFailure makes the next attempt undo calls of the resolver alone, if one of them may be why
// the last one has failed.
func (n *needs) judgeFailure(err error) {
	_, isRefusal := noRole(err)
	if err != nil && n.roles == suspected && !isRefusal && !errors.Is(err, host.ErrStale) {
		n.roles = wantedAlone
	}
}

// prepare gets for the next attempt what the last one wanted, apart from locks.
func (n *needs) prepare(ctx context.Context, t tenant) {
	n.short = false
	if n.roles == wantedAlone {
		n.roles = alone
	}
	n.ask(ctx, t)
}

// errUnlocked ends an attempt of Isolate that needs further groups locked.
var errUnlocked = errors.New("scim: a write has to lock further groups")

// LockGroups makes sure that the groups are locked until the end of the unit. self is the
// group that the unit has locked already, "" for none. Locks are taken in order of id. So if
// groups are missing, the error ends the attempt, and Isolate begins the next one with all
// of them.
//
// The members of a group get what the groups above it give. So a write that changes what is
// above a group, or what a group above it gives, locks the group. Nobody then changes its
// members meanwhile: each of both writes would miss the other.
func (w *Work) LockGroups(self string, groups []string) error {
	if !slices.ContainsFunc(groups, func(id string) bool { return id != self && !w.needs.locked[id] }) {
		return nil
	}
	w.needs.short = true
	w.needs.groups = append(w.needs.groups, groups...)
	if self != "" {
		w.needs.groups = append(w.needs.groups, self)
	}
	slices.Sort(w.needs.groups)
	w.needs.groups = slices.Compact(w.needs.groups)
	return errUnlocked
}

// lockBelow is LockGroups for all groups below one that the unit has locked.
func lockBelow(ctx context.Context, w *Work, group string) error {
	below, err := w.t.dir.Below(ctx, group)
	if err != nil {
		return err
	}
	return w.LockGroups(group, below.IDs())
}

// lock locks the groups in a transaction.
func (n *needs) lock(ctx context.Context, t tenant) error {
	n.locked = make(map[string]bool, len(n.groups))
	for _, id := range n.groups {
		if t.isTransactional() {
			if _, err := t.dir.Lock(ctx, groupRef(id)); err != nil && !host.IsNotFound(err) {
				return err
			}
		}
		n.locked[id] = true
	}
	return nil
}

// keys are what a unit of a store without transactions locks in this process: the key of a
// write, if it has one, and the groups. A unit within another one locks only what that one
// has not locked.
func (n *needs) keys(t tenant, key string, isOuter bool) []string {
	var keys []string
	isLocked := false
	for _, id := range n.groups {
		g := keylock.Key("Group", id)
		isLocked = isLocked || g == key
		if isOuter {
			keys = append(keys, keylock.Key(t.ID, g))
		}
	}
	if key != "" && !isLocked {
		keys = append(keys, keylock.Key(t.ID, key))
	}
	return keys
}
