package scim

import (
	"context"

	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/roles"
)

// Reconciler is the application's handle on the roles of one tenant, for use outside
// requests. Handler.Reconciler returns it.
//
// Its methods are idempotent. They are safe for concurrent use, also beside requests and
// on several servers. If Roles.Ledger is set and is no TxLedger, call them outside the
// Store's transactions. They lock users before they begin a transaction, so calls inside
// transactions can deadlock. Then, or if the Store has no transactions, do not call them within
// ChangeRoles, HeldRoles, a guard or a change by hand either: users are locked there. With the
// context of that call it is an error, and without it the call waits for itself.
type Reconciler struct {
	h *Handler
	t *host.Tenant
	a *roles.Admin
}

// Users reconciles these users now. Call it after the application changed something that
// affects roles, or when a user's roles look wrong.
//
// If the roles of some users cannot be changed, Users reconciles the others. The error joins
// those of these users. With a PendingLedger they stay unfinished: see Settle.
func (c *Reconciler) Users(ctx context.Context, userIDs ...string) error {
	return outward(c.a.Users(ctx, userIDs...))
}

// All reconciles up to 1,000 users in order of creation. It begins after the user after,
// or at the first user if after is "". Call it again with the id that it returns, until
// it returns "". It returns an error if the user after no longer exists: begin again
// then.
//
// If the roles of some users cannot be changed, All goes on as Users does, and returns both an
// error and where to go on. After any other error it returns "".
//
// Run it after a crash, and at intervals to repair drift. At the end it does what Settle does.
//
//	for next, more := "", true; more; more = next != "" {
//		next, err = roles.All(ctx, next)
//		failed = errors.Join(failed, err)
//	}
func (c *Reconciler) All(ctx context.Context, after string) (next string, err error) {
	next, err = c.a.All(ctx, after)
	return next, outward(err)
}

// RolesChanged looks up every group again, and every user's values if Roles.Attributes is
// set. When it has stored what all of them stand for now, it reconciles, in batches, the users
// whose role is now another. So a user keeps a role that moves from one group to another. With
// a ledger that is no PendingLedger, it reconciles group by group. Call it when
// roles of the application appear, change or go, when sources stand for other roles, and
// after a change of Roles.Attributes, Roles.Paused or Roles.WithoutGroups.
//
// With a PendingLedger it also revokes what sources gave that are switched off now, and
// reconciles the users for whom a role waits for a place, or waited for the end of a pause.
// With another ledger, run All as well. If the roles of some users cannot be changed, it goes on
// as Users does. After an error or a crash call it again. An *Error with the status 429 comes
// from Roles.Breaker: call ReleaseBreaker before.
//
// If some sources cannot be looked up, or a guard refuses what they stand for now, RolesChanged
// goes on with the others. The error joins those of these sources. With a PendingLedger they
// stay unfinished: see Settle. After 30 sources that cannot be looked up it ends.
func (c *Reconciler) RolesChanged(ctx context.Context) error {
	return outward(c.a.RolesChanged(ctx))
}

// RolesChangedFrom does one step of RolesChanged, for tenants so large that a process may
// end before all is done. A step looks up at most 100 groups, or the values of at most 1,000
// users. The first call has an empty after, each further one the text that the call before
// returned, until it returns "". If a step leaves out some sources or users, as RolesChanged does,
// it returns both an error and where to go on. After any other error it returns "".
func (c *Reconciler) RolesChangedFrom(ctx context.Context, after string) (next string, err error) {
	next, err = c.a.RolesChangedFrom(ctx, after)
	return next, outward(err)
}

// GroupRolesChanged is RolesChanged for one group, which the application maps to other roles.
// For an unknown group the error is ErrNotFound.
func (c *Reconciler) GroupRolesChanged(ctx context.Context, groupID string) error {
	return outward(c.a.GroupRolesChanged(ctx, groupID))
}

// GiveByHand gives a role by hand. An administrator does so in the application. change is the
// application's own part, which writes the role. It may be nil if that has happened. Only
// Scope and ID of role count: those that HeldRoles returns.
//
// If the Store has no such user, the error is an *Error with the status 404. If the user does
// not hold the role after change, because Scope or ID is wrong, GiveByHand changes nothing and
// returns an error. If roles do not commit with the Store, it checks that only without change.
//
// If a source gives the same role, the role then stays when the source no longer gives it. If
// the scope is exclusive, roles from sources wait from now on.
//
// GiveByHand locks the user, and calls change under this lock. It begins a transaction of the
// Store, or joins the one in ctx. change gets its context, so it writes in the transaction, and it
// commits with the ledger. After a rollback change may run again. If change fails, GiveByHand
// changes nothing and returns its error. In a transaction of the application, events come before
// its commit: see Config.OnEvent.
//
// If roles do not commit with the Store, change may run again too, so it must be idempotent.
// The ledger then knows that the role is given by hand before change runs. After a crash in
// between, the user keeps a role that a source gave when the source lets go. TakeByHand
// undoes that. An error after change says that the user could not be reconciled: call Users.
func (c *Reconciler) GiveByHand(ctx context.Context, userID string, role Role, change func(ctx context.Context) error) error {
	return outward(c.a.GiveByHand(ctx, userID, host.Role(role).Key(), change))
}

// TakeByHand takes a role by hand. change is the application's own part, as in GiveByHand. If
// the Store has no such user, the error is an *Error with the status 404.
//
// still are the sources that give the role. If there are any, the user keeps it, and
// TakeByHand does not call change. It only forgets that the role was also given by hand. So
// the role goes when the sources let go. Tell the administrator which groups to change.
//
// Otherwise it calls change. A role that waited because the user held this one by hand is then
// granted.
func (c *Reconciler) TakeByHand(ctx context.Context, userID string, role Role, change func(ctx context.Context) error) (still []Source, err error) {
	list, err := c.a.TakeByHand(ctx, userID, host.Role(role).Key(), change)
	return convert(list, sourceOut), outward(err)
}

// Confirm lets a group give a protected role that waits for confirmation. Without
// userIDs it confirms the link and the waiting role of every member. With userIDs it
// confirms only the waiting roles of these users.
//
// If the link awaits confirmation, userIDs get the role and the link goes on waiting: its
// other members get nothing. Users whom DeclinePending declined get the role only if
// userIDs name them.
//
// A confirmation frees no place. In an exclusive scope, users who hold another role by hand
// go on waiting until the application takes that one: see TakeByHand.
//
// role is the role that the administrator saw; only its Scope and ID count. If the group
// no longer stands for it, because a client renamed the group, Confirm changes nothing and
// returns an error. For an unknown group the error is an *Error with the status 404.
func (c *Reconciler) Confirm(ctx context.Context, groupID string, role Role, userIDs ...string) error {
	return outward(c.a.Confirm(ctx, groupID, host.Role(role).Key(), userIDs...))
}

// Release deletes a group as if the client had done it. It revokes the roles that the
// group gave, and no others. Use it for groups that the client no longer pushes.
//
// If an administrator deletes a group in the application, call Release before, or instead
// of, deleting its rows. If the group is gone already, call All.
func (c *Reconciler) Release(ctx context.Context, groupID string) error {
	return outward(c.h.server.Release(ctx, c.t, groupID))
}

// Explain lists the roles that the user holds, that sources give or that wait, each with
// its reason. It changes nothing. If there is nothing to list and the store has no such user, the
// error is an *Error with the status 404.
//
// If one source gives a role and another one waits with it, the list has the role twice: see
// RoleState. A role that the user does not hold because Pick leaves it out is not in the list,
// unless the application decided about it for this user.
func (c *Reconciler) Explain(ctx context.Context, userID string) ([]Explanation, error) {
	list, err := c.a.Explain(ctx, userID)
	return convert(list, explanationOut), outward(err)
}

// ConfirmValue is Confirm for a value of an attribute. attribute must be one of
// Roles.Attributes.
func (c *Reconciler) ConfirmValue(ctx context.Context, attribute, value string, role Role, userIDs ...string) error {
	return outward(c.a.ConfirmValue(ctx, attribute, value, host.Role(role).Key(), userIDs...))
}

// Managed says what of a user or group is the client's, for the pages of the application: what
// an administrator changes there, the client's next request changes back. It changes
// nothing. For an unknown resource the error is an *Error with the status 404.
//
// With a ClientKeeper it also says which client: the one that wrote the resource, or the group,
// last.
func (c *Reconciler) Managed(ctx context.Context, ref Ref) (*Managed, error) {
	m, err := c.a.Managed(ctx, host.Ref(ref))
	if err != nil {
		return nil, outward(err)
	}
	return &Managed{IsClaimed: m.IsClaimed, Client: m.Client, Clients: m.Clients, Attributes: m.Attributes, Groups: m.Groups, Unclaimed: convert(m.Unclaimed, refOut),
		Roles: convert(m.Roles, explanationOut)}, nil
}

// Managed says what of a resource is the client's. Reconciler.Managed returns it. Of an exempt
// user nothing is.
type Managed struct {
	// IsClaimed means that a client has created, adopted or changed the resource. Without a
	// Claimer everything is claimed.
	IsClaimed bool
	// Client is the Principal.ID of the client that wrote the resource last. It is "" if the
	// Store does not know, or if no client has written it.
	Client string
	// Attributes are the paths of the attributes of a claimed resource, in ascending order,
	// such as "name.givenName". They have a value, and clients can write them. The client's
	// next PUT also clears what the application writes into the other attributes that the
	// store shows to clients.
	Attributes []string
	// Groups are, for a user, the ids of the groups of which a client has named the user as
	// a member, in ascending order.
	Groups []string
	// Unclaimed are, for a group, the members that no client has named. All other members are
	// the client's.
	Unclaimed []Ref
	// Roles are, for a user, the held roles that only sources give, with these sources.
	Roles []Explanation
	// Clients are, by the id of a group, the clients that wrote the groups in Groups and in the
	// Sources of Roles last. A membership or a role belongs to the client of its group, and a
	// role of an attribute to Client.
	Clients map[string]string
}

// Explanation says why a user holds a role or waits for it. Reconciler.Explain returns it.
type Explanation struct {
	// Role is the role.
	Role Role
	// State says whether the user holds the role, and from what origin.
	State RoleState
	// Sources are the sources that give the role. In StateWaiting they are those that wait, in
	// StateRetained those that gave it.
	Sources []Source
	// Reason is a text for people. Programs should read State.
	Reason string
}

// RoleState says whether a user holds a role, and from what origin.
type RoleState string

// The states of a role. Explain lists a role twice if the user holds it and a source waits with it
// too: once as StateWaiting, once in the state in which it is held.
const (
	StateGranted RoleState = "granted" // the user holds it because a source gives it
	StateByHand  RoleState = "by hand" // the user holds it by hand, and not because of a source
	StateBoth    RoleState = "both"    // the user holds it by hand, and a source gives it too
	StateWaiting RoleState = "waiting" // a source stands for it, and does not give it yet: Reason says why
	StateDue     RoleState = "due"     // the next reconciliation grants it
	StateLeaving RoleState = "leaving" // the next reconciliation revokes it
	// StateRetained: no source gives it now, and the user keeps it as its last holder.
	StateRetained RoleState = "retained"
)
