package scim

import (
	"time"
)

// EventKind tells what an Event is about.
type EventKind string

// The events.
const (
	UserProvisioned EventKind = "user provisioned"
	UserUpdated     EventKind = "user updated"
	UserDeactivated EventKind = "user deactivated"
	UserReactivated EventKind = "user reactivated"
	UserDeleted     EventKind = "user deleted"
	GroupCreated    EventKind = "group created"
	GroupUpdated    EventKind = "group updated"
	GroupDeleted    EventKind = "group deleted"
	GroupLinked     EventKind = "group linked"   // to Role
	GroupUnlinked   EventKind = "group unlinked" // from Role; Reason says why
	GroupWaiting    EventKind = "group waiting"  // its protected Role awaits Confirm
	MemberAdded     EventKind = "member added"
	MemberRemoved   EventKind = "member removed"
	MemberUnknown   EventKind = "member unknown" // left out of a request
	RoleGranted     EventKind = "role granted"
	RoleRevoked     EventKind = "role revoked"
	RoleWaiting     EventKind = "role waiting"
	RoleRetained    EventKind = "role retained" // a source let go, the role stays: it is hand-given
	ResourceChanged EventKind = "resource changed"
	RoleUnknown     EventKind = "role unknown" // an attribute kept its value: the new one names no role
	ToleranceUsed   EventKind = "tolerance used"
)

// Event says what a request, or a reconciliation, has done, after it was committed.
// Events are delivered at most once: after a crash some may be missing.
type Event struct {
	Kind      EventKind
	Tenant    string
	Principal string // ID of the client; "" outside requests
	Resource  Ref    // the user or group
	Member    Ref    // for the member events
	Role      Role   // for the role and link events
	Sources   []Source
	Reason    string
	Tolerance Tolerance
	At        time.Time
}
