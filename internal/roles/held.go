package roles

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/scimkit/scim/internal/host"
)

// releaseTime is for how long a confirmation of a write that is held back releases the breaker.
// Clients work in cycles of up to 40 minutes.
const releaseTime = time.Hour

// heldKey identifies a write that is held back. It is another one if it takes roles from
// another number of users.
func heldKey(x heldWrite) pendingKey {
	return pendingKey{Kind: host.PendingHeldBack, Note: x.What, At: x.Since.UnixMicro(), Users: x.Own}
}

// held lists what the breaker holds back.
func (l *pendingList) held(ctx context.Context, from pendingKey) error {
	if l.t.Roles.Guards.Breaker == nil {
		return nil
	}
	s, err := l.t.breakerState(ctx, l.now)
	if err != nil {
		return err
	}
	slices.SortFunc(s.Held, func(a, b heldWrite) int { return strings.Compare(a.What, b.What) })
	for _, x := range s.Held {
		if x.What <= from.Note {
			continue
		}
		by := "RolesChanged"
		switch {
		case x.Cause == host.CauseConfirmation:
			by = "a confirmation"
		case x.Cause != host.CauseReport:
			by = fmt.Sprintf("a %s by client %q", x.Cause, x.Principal)
		}
		l.add(heldKey(x), host.Pending{Resource: x.Ref, Name: x.Name, Source: x.Source, At: x.Since, Reason: fmt.Sprintf(
			"the breaker holds back %s, last tried at %s: %d users would lose a role, and with those before %d of %d",
			by, x.Last.UTC().Format(time.RFC3339), x.Own, x.Lost, x.Of)})
		if l.isFull() {
			return nil
		}
	}
	return nil
}

// releaseHeld releases the breaker if it still holds back what a key says.
func releaseHeld(ctx context.Context, c *Admin, k pendingKey) error {
	if c.t.Roles.Guards.Breaker == nil {
		return errors.New("scim: the tenant has no Roles.Breaker, so nothing is held back")
	}
	return releaseIf(ctx, c, releaseTime, func(s breakerState) error {
		if !slices.ContainsFunc(s.Held, func(x heldWrite) bool { return heldKey(x) == k }) {
			return moved("the breaker does not hold this back any more")
		}
		return nil
	})
}
