package roles

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/host"
)

// refusal is what the breaker has refused.
type refusal struct {
	lost, of int // with the users in the window
	own      int // the users who would lose a role
}

// breakerNote is the kind of the note that keeps the breaker's state. It is the only note of
// its kind in a tenant.
const breakerNote, breakerKey = "breaker", "state"

// breakerState is what the breaker remembers.
type breakerState struct {
	Slots []slot      `json:"slots,omitempty"`
	Level int         `json:"level,omitzero"` // the crowd.level of the slots together
	Until time.Time   `json:"until,omitzero"` // the application has released the breaker until then
	Held  []heldWrite `json:"held,omitempty"`
	// Full is when an event last reported a write for which Held has no room.
	Full time.Time `json:"full,omitzero"`
}

// slot has the users who lost a role in a tenth of the window. A user is in the newest slot
// possible, and in no other.
type slot struct {
	From time.Time `json:"from"`
	Of   int       `json:"of"`   // the users with grants at its beginning
	Lost []byte    `json:"lost"` // their hashes, 8 bytes each
}

// heldWrite is a write that the breaker holds back.
type heldWrite struct {
	What  string    `json:"what"`
	Since time.Time `json:"since"`
	Last  time.Time `json:"last"` // when the client last tried
	// Own is the number of users who would lose a role. Lost has those in the window too.
	Own       int            `json:"own"`
	Lost      int            `json:"lost"`
	Of        int            `json:"of"`
	Ref       host.Ref       `json:"ref,omitzero"`
	Name      string         `json:"name,omitempty"` // of a resource that does not exist yet
	Source    host.Source    `json:"source,omitempty"`
	Cause     host.PlanCause `json:"cause,omitempty"`
	Principal string         `json:"who,omitempty"`
}

const (
	slotsOfWindow = 10
	// heldLimit is how many held writes a tenant remembers.
	heldLimit = 100
	// heldTime is how long it remembers one that the client does not try again.
	heldTime = 24 * time.Hour
)

// breaker counts what the plans of a Work take, and holds some back.
type breaker struct{ w *Work }

// read reads the state, without what is too old.
func (b breaker) read(ctx context.Context) (breakerState, error) {
	return b.w.t.breakerState(ctx, b.w.e.now())
}

func (t tenant) breakerState(ctx context.Context, now time.Time) (s breakerState, err error) {
	notes, err := t.Roles.Pending.Notes(ctx, breakerNote, "", 1)
	if err != nil || len(notes) == 0 {
		return s, err
	}
	if err := json.Unmarshal([]byte(notes[0].Text), &s); err != nil {
		return s, fmt.Errorf("scim: the ledger's note %q of kind %q is not the breaker's: %w", notes[0].Key, notes[0].Kind, err)
	}
	window := t.Roles.Guards.Breaker.Window
	s.Slots = slices.DeleteFunc(s.Slots, func(x slot) bool { return !x.From.After(now.Add(-window)) })
	s.Held = slices.DeleteFunc(s.Held, func(x heldWrite) bool { return x.Last.Before(now.Add(-max(window, heldTime))) })
	if len(s.Slots) == 0 {
		s.Level = 0
	}
	return s, nil
}

// write stores the state.
func (b breaker) write(ctx context.Context, s breakerState) error {
	n := host.Note{Kind: breakerNote, Key: breakerKey, At: b.w.e.now()}
	if len(s.Slots)+len(s.Held) > 0 || !s.Until.IsZero() {
		text, err := json.Marshal(s)
		if err != nil {
			return err
		}
		n.Text = string(text)
	}
	return b.w.t.Roles.Pending.SetNote(ctx, n)
}

// lost is the users who lost a role in the window.
func (s *breakerState) lost() crowd {
	c := crowd{level: s.Level}
	for _, x := range s.Slots {
		for h := range slices.Chunk(x.Lost, 8) {
			c.addHash(binary.BigEndian.Uint64(h))
		}
	}
	return c
}

// needsSlot reports whether a new tenth of the window begins.
func (s *breakerState) needsSlot(now time.Time, window time.Duration) bool {
	n := len(s.Slots)
	return n == 0 || !s.Slots[n-1].From.After(now.Add(-window/slotsOfWindow))
}

// add adds users who lose a role to the last slot.
func (s *breakerState) add(lost crowd) {
	all := s.lost()
	all.addAll(lost)
	s.Level = all.level
	last := len(s.Slots) - 1
	for i := range s.Slots {
		var kept []byte
		for h := range slices.Chunk(s.Slots[i].Lost, 8) {
			key := binary.BigEndian.Uint64(h)
			if all.hashes[key] && (i == last || !lost.hashes[key]) {
				kept = append(kept, h...)
				delete(all.hashes, key)
			}
		}
		s.Slots[i].Lost = kept
	}
	for _, h := range slices.Sorted(maps.Keys(all.hashes)) { // those of lost
		s.Slots[last].Lost = binary.BigEndian.AppendUint64(s.Slots[last].Lost, h)
	}
}

// isOver reports whether losses, with those in the window, are more than the breaker lets
// through, and of how many users. It counts the users only if it must.
func (b breaker) isOver(ctx context.Context, s *breakerState, lost crowd) (r refusal, over bool, err error) {
	w, limit, all := b.w, b.w.t.Roles.Guards.Breaker, s.lost()
	all.addAll(lost)
	r.own, r.lost = lost.size(), all.size()
	if r.lost < limit.Minimum || s.Until.After(w.e.now()) {
		return r, false, nil
	}
	r.of, err = w.t.Roles.Guards.Counter.GrantedUsers(ctx)
	for _, x := range s.Slots {
		r.of = max(r.of, x.Of)
	}
	return r, float64(r.lost) > limit.Share*float64(r.of), err
}

// refuse refuses a write.
func (b breaker) refuse(r refusal) error {
	limit := b.w.t.Roles.Guards.Breaker
	b.w.guards.refusal = &r
	held := fmt.Sprintf("more than %g%%, and at least %d, are held back until an administrator of the application releases it", limit.Share*100, limit.Minimum)
	return &fault.Error{Status: http.StatusTooManyRequests, RetryAfter: max(limit.Window/slotsOfWindow, time.Second),
		Detail: fmt.Sprintf("too many users would lose a role within %v: %s", limit.Window, held),
		Err:    LossesError(fmt.Sprintf("this would bring the users who lose a role within %v to %d of %d; %s", limit.Window, r.lost, r.of, held))}
}

// LossesError says how many users have roles, and why the breaker holds a write back. It is for clients that may know
// groups.
type LossesError string

func (e LossesError) Error() string { return string(e) }

// count counts what a plan takes, or refuses it.
func (b breaker) count(ctx context.Context, all *tally) error {
	w := b.w
	if err := w.LockTenant(ctx, breakerDecisions); err != nil {
		return err
	}
	s, err := b.read(ctx)
	if err != nil {
		return err
	}
	if !all.leaves() || w.t.Roles.Guards.Breaker.HoldLeavers {
		r, over, err := b.isOver(ctx, &s, all.lost)
		if err != nil {
			return err
		}
		if over {
			return b.refuse(r)
		}
	}
	if !w.t.Roles.LedgerLocks {
		w.guards.uncounted.addAll(all.lost)
		if w.guards.of == 0 && s.needsSlot(w.e.now(), w.t.Roles.Guards.Breaker.Window) {
			w.guards.of, err = w.t.Roles.Guards.Counter.GrantedUsers(ctx)
		}
		return err
	}
	return b.keep(ctx, s, all.lost)
}

// keep records losses that were let through. While the breaker is released they do not
// count.
func (b breaker) keep(ctx context.Context, s breakerState, lost crowd) error {
	w := b.w
	what, now := w.guards.subject.String(), w.e.now()
	held := len(s.Held)
	s.Held = slices.DeleteFunc(s.Held, func(x heldWrite) bool { return x.What == what })
	if s.Until.After(now) {
		if len(s.Held) == held {
			return nil
		}
	} else {
		s.Until = time.Time{}
		if s.needsSlot(now, w.t.Roles.Guards.Breaker.Window) {
			of := w.guards.of
			if of == 0 {
				var err error
				if of, err = w.t.Roles.Guards.Counter.GrantedUsers(ctx); err != nil {
					return err
				}
			}
			s.Slots = append(s.Slots, slot{From: now, Of: of})
		}
		s.add(lost)
	}
	return b.write(ctx, s)
}

// String names a subject. What a client writes and what the application reports about one
// resource are two subjects, and a client that repeats a creation has the same one each time.
func (s subject) String() string {
	switch {
	case s.cause == host.CauseReport && s.source != "":
		return "report " + string(s.source)
	case s.fresh != "":
		return s.ref.Type + " named " + s.fresh
	case s.ref.ID != "":
		return s.ref.Type + "/" + s.ref.ID
	case s.source != "":
		return string(s.source)
	}
	return string(s.cause)
}

// resource is what the application can find: nothing yet, if a client creates it.
func (s subject) resource() host.Ref {
	if s.fresh != "" {
		return host.Ref{Type: s.ref.Type}
	}
	return s.ref
}

// holdLeaver refuses a deactivation or a deletion before it has any effect.
func (b breaker) holdLeaver(ctx context.Context, userID string) error {
	w := b.w
	if !w.t.hasRoles() || w.guards.state != unjudged || w.t.Roles.Guards.Breaker == nil || !w.t.Roles.Guards.Breaker.HoldLeavers {
		return nil
	}
	s, err := b.read(ctx)
	if err != nil {
		return err
	}
	var lost crowd
	lost.add(userID)
	r, over, err := b.isOver(ctx, &s, lost)
	if err != nil || !over {
		return err
	}
	return b.refuse(r)
}

// holdLeaver is breaker.holdLeaver for a write that deactivates a user.
func (t *Turn) holdLeaver(ctx context.Context) error {
	if t.cause() != userLeaves {
		return nil
	}
	return breaker{t.w}.holdLeaver(ctx, t.write.After.ID)
}

// cause is why the reconciliation after a write runs.
func (t *Turn) cause() cause {
	before, after := t.write.Before, t.write.After
	switch {
	case after.Type != t.w.t.Types.User || before == nil || before.Active() == after.Active():
		return clientWrites
	case after.Active():
		return userReturns
	}
	return userLeaves
}

// close ends what the guards do in a unit whose write returned err: it counts what the write
// took, or records that the breaker held it back. It then ends all locks.
func (b breaker) close(ctx context.Context, err error) {
	w, g := b.w, &b.w.guards
	g.state = max(g.state, judged) // what is still to do belongs to a plan that was judged
	defer g.unlock()
	isHeld := g.refusal != nil && err != nil && (!w.stored || g.subject.fresh != "") // what is created will be undone
	isOpen := g.uncounted.size() > 0 && (err == nil || w.stored)
	if !isHeld && !isOpen {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), w.e.Time)
	defer cancel()
	isNew := true
	failed := w.t.Stores.InTx(ctx, func(ctx context.Context) error {
		if err := w.LockTenant(ctx, breakerDecisions); err != nil {
			return err
		}
		s, err := b.read(ctx)
		if err != nil {
			return err
		}
		if isOpen {
			return b.keep(ctx, s, g.uncounted)
		}
		var isKept bool
		if isNew, isKept = s.hold(g.subject, *g.refusal, w.who, w.e.now(), w.t.Roles.Guards.Breaker.Window); !isKept {
			return nil
		}
		return b.write(ctx, s)
	})
	if failed != nil {
		w.e.Log.ErrorContext(ctx, "scim: the breaker's state could not be recorded", "error", failed)
	}
	if isHeld && isNew {
		w.Tell(host.Event{Kind: host.WriteHeld, Resource: g.subject.resource(), Sources: sourcesOf(g.subject), Reason: fmt.Sprintf(
			"%d of %d users would lose a role within %v", g.refusal.lost, g.refusal.of, w.t.Roles.Guards.Breaker.Window)})
	}
}

func sourcesOf(s subject) []host.Source {
	if s.source == "" {
		return nil
	}
	return []host.Source{s.source}
}

// hold records that a write is held back. It reports whether an event should report it, because
// it is the first time, and whether the state has changed. If there is no room, it records
// nothing, and one event in a window reports any of these writes.
func (s *breakerState) hold(of subject, r refusal, who string, now time.Time, window time.Duration) (isNew, isKept bool) {
	what := of.String()
	i := slices.IndexFunc(s.Held, func(x heldWrite) bool { return x.What == what })
	isNew = i < 0
	switch {
	case isNew && len(s.Held) >= heldLimit:
		if s.Full.After(now.Add(-window)) {
			return false, false
		}
		s.Full = now
		return true, true
	case isNew:
		i = len(s.Held)
		s.Held = append(s.Held, heldWrite{What: what, Since: now, Ref: of.resource(), Name: of.fresh})
	}
	x := &s.Held[i]
	x.Last, x.Own, x.Lost, x.Of = now, r.own, r.lost, r.of
	x.Source, x.Cause, x.Principal = of.source, of.cause, who
	return isNew, true
}

// ReleaseBreaker lets everything through for some time, and begins to count anew afterwards.
func ReleaseBreaker(ctx context.Context, c *Admin, d time.Duration) error {
	if c.t.Roles.Guards.Breaker == nil {
		return fmt.Errorf("scim: Reconciler.ReleaseBreaker: the tenant has no Roles.Breaker")
	}
	if d <= 0 {
		return fmt.Errorf("scim: Reconciler.ReleaseBreaker: %v is no time", d)
	}
	return releaseIf(ctx, c, d, func(breakerState) error { return nil })
}

// releaseIf is ReleaseBreaker if check has no error.
func releaseIf(ctx context.Context, c *Admin, d time.Duration, check func(breakerState) error) error {
	return c.do(ctx, "", func(ctx context.Context, w *Work) error {
		if err := w.LockTenant(ctx, breakerDecisions); err != nil {
			return err
		}
		s, err := breaker{w}.read(ctx)
		if err != nil {
			return err
		}
		if err := check(s); err != nil {
			return err
		}
		return breaker{w}.write(ctx, breakerState{Until: w.e.now().Add(d)})
	})
}
