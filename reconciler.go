package scim

import (
	"context"

	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/roles"
)

// Reconciler is the application's handle on one tenant's roles, outside requests. Its
// methods are idempotent and safe for concurrent use, also beside requests and on
// several servers. If Roles.Ledger is set and is no TxLedger, call them outside the
// transactions of the Store: they wait for each other's users before they begin one.
type Reconciler struct {
	h *Handler
	t *host.Tenant
	a *roles.Admin
}

// Users reconciles these users now: after the application changed something by
// itself, or when a user's roles look wrong.
func (c *Reconciler) Users(ctx context.Context, userIDs ...string) error {
	return outward(c.a.Users(ctx, userIDs...))
}

// All reconciles up to 1,000 users, in order of creation, beginning behind the user
// after ("": at the first). Call it with what it returns until that is "": then all
// have been looked at. Run it after a crash, and as often as drift shall be healed:
//
//	for next := ""; ; {
//		if next, err = roles.All(ctx, next); err != nil || next == "" {
//			break
//		}
//	}
func (c *Reconciler) All(ctx context.Context, after string) (next string, err error) {
	next, err = c.a.All(ctx, after)
	return next, outward(err)
}

// RolesChanged tells that roles appeared, changed or went away in the application,
// or that its mapping of groups and values to roles changed. Every group is looked at
// again, with Roles.Attributes every user too, and those for whom a role is another now
// are reconciled, in batches.
func (c *Reconciler) RolesChanged(ctx context.Context) error {
	return outward(c.a.RolesChanged(ctx))
}

// GivenByHand tells that an administrator has given a role that the user may hold
// through a group already: it then stays when the group lets go. Call it whenever a
// role is given in the application, with the Role.ID, not the name; it does nothing for
// users whom SCIM gives nothing.
func (c *Reconciler) GivenByHand(ctx context.Context, userID, roleID string) error {
	return outward(c.a.GivenByHand(ctx, userID, roleID))
}

// Confirm lets a group give the protected role that it awaits. roleID is the role that
// the administrator has seen and means: if the group stands for another one by now,
// because a client has renamed it, nothing is confirmed and an error says so. Without
// users it confirms the link and everybody who waits; with users, only these persons'
// waiting roles.
func (c *Reconciler) Confirm(ctx context.Context, groupID, roleID string, userIDs ...string) error {
	return outward(c.a.Confirm(ctx, groupID, roleID, userIDs...))
}

// Release deletes a group as if the client had done it: what came through it is
// revoked, and nothing else. Use it for groups that the client no longer pushes, or
// that an administrator removes in the application: before, or instead of, deleting
// the rows. For a group that is gone already, call All.
func (c *Reconciler) Release(ctx context.Context, groupID string) error {
	return outward(c.h.server.Release(ctx, c.t, groupID))
}

// Explain says how a user stands to each role that is held, given by the directory, or
// waiting, and why. It changes nothing.
func (c *Reconciler) Explain(ctx context.Context, userID string) ([]Explanation, error) {
	list, err := c.a.Explain(ctx, userID)
	return convert(list, explanationOut), outward(err)
}

// ConfirmValue is Confirm for a value of one of Roles.Attributes.
func (c *Reconciler) ConfirmValue(ctx context.Context, attribute, value, roleID string, userIDs ...string) error {
	return outward(c.a.ConfirmValue(ctx, attribute, value, roleID, userIDs...))
}

// Explanation says how a user stands to one role: see Reconciler.Explain.
type Explanation struct {
	Role    Role
	State   RoleState
	Sources []Source // all that want the role given
	Reason  string   // for people to read
}

// RoleState is how a user stands to a role.
type RoleState string

// The states.
const (
	StateGranted RoleState = "granted" // held through SCIM
	StateByHand  RoleState = "by hand" // held, not given by SCIM
	StateBoth    RoleState = "both"    // hand-given, and a group gives it too
	StateWaiting RoleState = "waiting" // a group gives it; not held yet
	StateDue     RoleState = "due"     // the next reconciliation grants it
	StateLeaving RoleState = "leaving" // the next reconciliation revokes it
)
