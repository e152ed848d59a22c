package roles

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/host"
)

// losses are users who lose roles.
type losses struct {
	lost int // the users who lose a role
	gone int // those of them who have nothing from SCIM afterwards
}

// refusal is what the breaker has refused.
type refusal struct{ lost, of int }

// breakerNote is the kind of the note that keeps the breaker's state. It is the only note of
// its kind in a tenant.
const breakerNote, breakerKey = "breaker", "state"

// breakerState is what the breaker remembers.
type breakerState struct {
	Slots []slot      `json:"slots,omitempty"`
	Until time.Time   `json:"until,omitzero"` // the application has released the breaker until then
	Held  []heldWrite `json:"held,omitempty"`
}

// slot counts losses in a tenth of the window.
type slot struct {
	From time.Time `json:"from"`
	Lost int       `json:"lost"`
	Gone int       `json:"gone"`
}

// heldWrite is a write that the breaker holds back.
type heldWrite struct {
	What  string    `json:"what"`
	Since time.Time `json:"since"`
	Last  time.Time `json:"last"` // when the client last tried
	Lost  int       `json:"lost"`
	Of    int       `json:"of"`
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
func (b breaker) read(ctx context.Context) (s breakerState, err error) {
	w := b.w
	notes, err := w.t.Roles.Pending.Notes(ctx, breakerNote, "", 1)
	if err != nil || len(notes) == 0 {
		return s, err
	}
	if err := json.Unmarshal([]byte(notes[0].Text), &s); err != nil {
		return s, fmt.Errorf("scim: the ledger's note %q of kind %q is not the breaker's: %w", notes[0].Key, notes[0].Kind, err)
	}
	now, window := w.e.now(), w.t.Roles.Guards.Breaker.Window
	s.Slots = slices.DeleteFunc(s.Slots, func(x slot) bool { return !x.From.After(now.Add(-window)) })
	s.Held = slices.DeleteFunc(s.Held, func(x heldWrite) bool { return x.Last.Before(now.Add(-max(window, heldTime))) })
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

// sum adds up the losses in the window.
func (s *breakerState) sum() (l losses) {
	for _, x := range s.Slots {
		l.lost, l.gone = l.lost+x.Lost, l.gone+x.Gone
	}
	return l
}

// add counts losses.
func (s *breakerState) add(l losses, now time.Time, window time.Duration) {
	if n := len(s.Slots); n == 0 || !s.Slots[n-1].From.After(now.Add(-window/slotsOfWindow)) {
		s.Slots = append(s.Slots, slot{From: now})
	}
	last := &s.Slots[len(s.Slots)-1]
	last.Lost, last.Gone = last.Lost+l.lost, last.Gone+l.gone
}

// isOver reports whether losses, with those in the window, are more than the breaker lets
// through, and of how many users. It counts the users only if it must.
func (b breaker) isOver(ctx context.Context, s *breakerState, l losses) (r refusal, over bool, err error) {
	w, limit, sum := b.w, b.w.t.Roles.Guards.Breaker, s.sum()
	r.lost = sum.lost + l.lost
	if r.lost < limit.Minimum || s.Until.After(w.e.now()) {
		return r, false, nil
	}
	have, err := w.t.Roles.Guards.Counter.GrantedUsers(ctx)
	r.of = have + sum.gone
	return r, float64(r.lost) > limit.Share*float64(r.of), err
}

// refuse refuses a write.
func (b breaker) refuse(r refusal) error {
	limit := b.w.t.Roles.Guards.Breaker
	b.w.guards.refusal = &r
	return &fault.Error{Status: http.StatusTooManyRequests, RetryAfter: max(limit.Window/slotsOfWindow, time.Second), Detail: fmt.Sprintf(
		"this would bring the users who lose a role within %v to %d of %d; more than %g%%, and at least %d, are held back until an administrator of the application releases it",
		limit.Window, r.lost, r.of, limit.Share*100, limit.Minimum)}
}

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
		r, over, err := b.isOver(ctx, &s, all.losses)
		if err != nil {
			return err
		}
		if over {
			return b.refuse(r)
		}
	}
	if !w.t.Roles.LedgerLocks {
		w.guards.uncounted.lost += all.lost
		w.guards.uncounted.gone += all.gone
		return nil
	}
	return b.keep(ctx, s, all.losses)
}

// keep records losses that were let through. While the breaker is released they do not
// count.
func (b breaker) keep(ctx context.Context, s breakerState, l losses) error {
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
		s.add(l, now, w.t.Roles.Guards.Breaker.Window)
	}
	return b.write(ctx, s)
}

// String names a subject.
func (s subject) String() string {
	if s.ref.ID == "" {
		return string(s.source)
	}
	return s.ref.Type + "/" + s.ref.ID
}

// holdLeaver refuses a deactivation or a deletion before it has any effect.
func (b breaker) holdLeaver(ctx context.Context) error {
	w := b.w
	if !w.t.hasRoles() || w.guards.state != unjudged || w.t.Roles.Guards.Breaker == nil || !w.t.Roles.Guards.Breaker.HoldLeavers {
		return nil
	}
	s, err := b.read(ctx)
	if err != nil {
		return err
	}
	r, over, err := b.isOver(ctx, &s, losses{1, 1})
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
	return breaker{t.w}.holdLeaver(ctx)
}

// cause is why the reconciliation after a write runs.
func (t *Turn) cause() cause {
	before, after := t.write.Before, t.write.After
	if after.Type == t.w.t.Types.User && before != nil && before.Active() && !after.Active() {
		return userLeaves
	}
	return clientWrites
}

// close ends what the guards do in a unit whose write returned err: it counts what the write
// took, or records that the breaker held it back. It then ends all locks.
func (b breaker) close(ctx context.Context, err error) {
	w, g := b.w, &b.w.guards
	g.state = max(g.state, judged) // what is still to do belongs to a plan that was judged
	defer g.unlock()
	isHeld := g.refusal != nil && err != nil && !w.stored
	isOpen := g.uncounted.lost > 0 && (err == nil || w.stored)
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
		if isNew = s.hold(g.subject.String(), *g.refusal, w.e.now()); len(s.Held) > heldLimit {
			return nil
		}
		return b.write(ctx, s)
	})
	if failed != nil {
		w.e.Log.ErrorContext(ctx, "scim: the breaker's state could not be recorded", "error", failed)
	}
	if isHeld && isNew {
		w.Tell(host.Event{Kind: host.WriteHeld, Resource: g.subject.ref, Sources: sourcesOf(g.subject), Reason: fmt.Sprintf(
			"%d of %d users would lose a role within %v", g.refusal.lost, g.refusal.of, w.t.Roles.Guards.Breaker.Window)})
	}
}

func sourcesOf(s subject) []host.Source {
	if s.source == "" {
		return nil
	}
	return []host.Source{s.source}
}

// hold records that a write is held back. It reports whether it is the first time.
func (s *breakerState) hold(what string, r refusal, now time.Time) (isNew bool) {
	i := slices.IndexFunc(s.Held, func(x heldWrite) bool { return x.What == what })
	if isNew = i < 0; isNew {
		i = len(s.Held)
		s.Held = append(s.Held, heldWrite{What: what, Since: now})
	}
	s.Held[i].Last, s.Held[i].Lost, s.Held[i].Of = now, r.lost, r.of
	return isNew
}

// ReleaseBreaker lets everything through for some time, and begins to count anew afterwards.
func ReleaseBreaker(ctx context.Context, c *Admin, d time.Duration) error {
	if c.t.Roles.Guards.Breaker == nil {
		return fmt.Errorf("scim: Reconciler.ReleaseBreaker: the tenant has no Roles.Breaker")
	}
	if d <= 0 {
		return fmt.Errorf("scim: Reconciler.ReleaseBreaker: %v is no time", d)
	}
	return c.do(ctx, "", func(ctx context.Context, w *Work) error {
		if err := w.LockTenant(ctx, breakerDecisions); err != nil {
			return err
		}
		return breaker{w}.write(ctx, breakerState{Until: w.e.now().Add(d)})
	})
}
