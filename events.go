package scim

import (
	"time"
)

// EventKind says what happened in an Event.
type EventKind string

// The kinds of events.
const (
	UserProvisioned EventKind = "user provisioned"
	UserUpdated     EventKind = "user updated"
	UserDeactivated EventKind = "user deactivated"
	UserReactivated EventKind = "user reactivated"
	UserDeleted     EventKind = "user deleted"
	GroupCreated    EventKind = "group created"
	GroupUpdated    EventKind = "group updated"
	GroupDeleted    EventKind = "group deleted"
	GroupLinked     EventKind = "group linked"   // the group now stands for Role
	GroupUnlinked   EventKind = "group unlinked" // the group no longer stands for Role; Reason says why
	GroupWaiting    EventKind = "group waiting"  // the protected Role waits for Reconciler.Confirm
	MemberAdded     EventKind = "member added"
	MemberRemoved   EventKind = "member removed"
	MemberUnknown   EventKind = "member unknown" // the handler left out a member that is not provisioned
	MemberExempt    EventKind = "member exempt"  // the handler did not add or remove a member who is exempt
	MemberNested    EventKind = "member nested"  // the handler left out a group that would be in a circle, or too deep
	MembersKept     EventKind = "members kept"   // a full list did not remove unclaimed members; Reason says how many
	RoleGranted     EventKind = "role granted"
	RoleRevoked     EventKind = "role revoked"
	RoleWaiting     EventKind = "role waiting"
	RoleRetained    EventKind = "role retained"    // no source gives the role any more; it stays, and Reason says why
	RoleUnheld      EventKind = "role unheld"      // the last active holder of the protected Role has left: see Roles.KeepLastHolder
	WriteHeld       EventKind = "write held"       // Roles.Breaker holds back changes until Reconciler.ReleaseBreaker
	ResourceChanged EventKind = "resource changed" // a resource that is no user or group
	RoleUnknown     EventKind = "role unknown"     // a new value names no role, so the attribute kept the former one
	PartLeftOut     EventKind = "part left out"    // a Rule left a part of the request out; Reason says which and why
	ToleranceUsed   EventKind = "tolerance used"
)

// Event says what a request or a reconciliation did. The handler delivers it after the
// commit, at most once. After a crash some events may be missing.
type Event struct {
	// Kind says what happened.
	Kind EventKind
	// Tenant is Tenant.ID.
	Tenant string
	// Principal is the Principal.ID of the client; "" outside requests.
	Principal string
	// Resource is the resource that the event is about.
	Resource Ref
	// Member is the member, in events about members.
	Member Ref
	// Role is the role, in events about roles and links.
	Role Role
	// Sources are the sources that the event is about, in events about roles.
	Sources []Source
	// Reason is a text for people; "" if Kind says everything.
	Reason string
	// Tolerance is the tolerance, in ToleranceUsed. Path says where the request used it first:
	// the path of an attribute such as "emails.primary", or the name of a field of the message
	// such as "op". It is "" for a value without quotes in a filter.
	Tolerance Tolerance
	Path      string
	// At is the time of the event.
	At time.Time
}
