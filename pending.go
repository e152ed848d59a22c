package scim

import (
	"context"
	"time"

	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/roles"
)

// ErrMoved is the error of Reconciler.ConfirmPending and DeclinePending for a matter that is
// not any more as it was listed. List it again.
var ErrMoved = host.ErrMoved

// Pending is a matter that awaits somebody. Reconciler.Pending lists them.
type Pending struct {
	// Kind says what it is.
	Kind PendingKind
	// Key identifies the matter as it is now. Pass it to ConfirmPending or DeclinePending.
	Key string
	// Source is what gives the role. Name is the name for which the group was linked, or that of
	// a resource whose creation is held back, or "".
	Source Source
	Name   string
	// Role is the role. If nothing links Source to the role, only Scope and ID are known.
	Role Role
	// UserID is the user who waits, or for whom a guard keeps a role.
	UserID string
	// Resource is the group with a member that gives nothing, or the resource whose write is
	// unfinished. The zero Ref: it is not known. Member is the member that gives nothing.
	Resource, Member Ref
	// Users are at most 100 of the users whose roles an unfinished change leaves as they are.
	// If all members of a group are affected, Users does not list them.
	Users []string
	// At is the time since when the matter is pending.
	At time.Time
	// Reason is a text for people. Programs should read Kind.
	Reason string
}

// PendingKind says what a Pending is, and so what can be done about it.
type PendingKind string

// The kinds of pending matters.
const (
	// PendingLink: a source stands for a protected role. Confirm or decline it.
	PendingLink PendingKind = "link"
	// PendingPerson: a user waits for a role. Confirm or decline it. If the user holds another
	// role by hand in the only place, take that one instead: a confirmation frees no place.
	PendingPerson PendingKind = "person"
	// PendingRetained: a guard keeps a role that no source gives. To confirm it makes the role
	// one that was given by hand.
	PendingRetained PendingKind = "retained"
	// PendingNesting: a group in a group gives nothing, because it is a circle or too deep. A
	// client or the application must change the membership.
	PendingNesting PendingKind = "nesting"
	// PendingHeldBack: Roles.Breaker holds back a write of Resource, or RolesChanged for Source,
	// since At. Reason says who tried, when, and how many users would lose a role. To confirm
	// it is to call ReleaseBreaker for an hour, if it is the same by then: so the client's next
	// attempt succeeds. It is listed for a day after the last attempt.
	PendingHeldBack PendingKind = "held back"
	// PendingUnfinished: a write is stored, but not all roles are changed. Or RolesChanged could
	// not look up Source, or a guard refused what it stands for now. To confirm it is to complete
	// it: see Settle.
	PendingUnfinished PendingKind = "unfinished"
)

// Pending lists at most limit matters that await somebody, of all processes. It begins behind
// the matter with the key after, or at the first one if after is "". next is the after of the
// next page, "" if nothing follows. The most, and the default for 0, is 1,000.
//
// The ledger must be a PendingLedger, otherwise Pending returns an error.
func (c *Reconciler) Pending(ctx context.Context, after string, limit int) (list []Pending, next string, err error) {
	all, next, err := c.a.Pending(ctx, after, limit)
	return convert(all, pendingOut), next, outward(err)
}

// ConfirmPending confirms the matter with this key: a source or a user gets the role, or an
// unfinished change is completed. If the matter is not as it was listed, it changes nothing
// and returns ErrMoved. A matter that cannot be confirmed is another error.
//
// Like Confirm, it frees no place. A user who waits because another role has the only place
// goes on waiting, and the matter stays in the list. Take the other role with TakeByHand.
func (c *Reconciler) ConfirmPending(ctx context.Context, key string) error {
	return outward(c.a.Decide(ctx, key, roles.Confirmed))
}

// DeclinePending declines the matter with this key, which is then no longer pending. Errors are
// as in ConfirmPending.
//
// A declined source does not give the role until Confirm or ConfirmValue names it. A declined
// user does not get it until they name the user, or until the source no longer gives the user
// the role. So if the client removes the user from the group and adds the user again, that is
// a new membership, and gives the role. If the role is not protected, the decision also ends
// when the user is deactivated.
func (c *Reconciler) DeclinePending(ctx context.Context, key string) error {
	return outward(c.a.Decide(ctx, key, roles.Declined))
}

// Settle completes the changes of roles that writes have left unfinished, in any process: the
// roles could not be changed, or the process was killed. It also looks up again the sources that
// RolesChanged has left out, and guards judge what they stand for. It goes on after a change that
// fails, and then returns an error. The ledger must be a PendingLedger.
func (c *Reconciler) Settle(ctx context.Context) error { return outward(c.a.Settle(ctx)) }

func pendingOut(p host.Pending) Pending {
	return Pending{Kind: PendingKind(p.Kind), Key: p.Key, Source: Source(p.Source), Name: p.Name, Role: Role(p.Role), UserID: p.UserID,
		Resource: Ref(p.Resource), Member: Ref(p.Member), Users: p.Users, At: p.At, Reason: p.Reason}
}
