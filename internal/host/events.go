package host

import "time"

// EventKind is the kind of an Event.
type EventKind string

const (
	UserProvisioned EventKind = "user provisioned"
	UserUpdated     EventKind = "user updated"
	UserDeactivated EventKind = "user deactivated"
	UserReactivated EventKind = "user reactivated"
	UserDeleted     EventKind = "user deleted"
	GroupCreated    EventKind = "group created"
	GroupUpdated    EventKind = "group updated"
	GroupDeleted    EventKind = "group deleted"
	GroupLinked     EventKind = "group linked"
	GroupUnlinked   EventKind = "group unlinked"
	GroupWaiting    EventKind = "group waiting"
	MemberAdded     EventKind = "member added"
	MemberRemoved   EventKind = "member removed"
	MemberUnknown   EventKind = "member unknown"
	MemberExempt    EventKind = "member exempt"
	MemberNested    EventKind = "member nested"
	MembersKept     EventKind = "members kept"
	RoleGranted     EventKind = "role granted"
	RoleRevoked     EventKind = "role revoked"
	RoleWaiting     EventKind = "role waiting"
	RoleRetained    EventKind = "role retained"
	ResourceChanged EventKind = "resource changed"
	RoleUnknown     EventKind = "role unknown"
	PartLeftOut     EventKind = "part left out"
	RoleUnheld      EventKind = "role unheld"
	WriteHeld       EventKind = "write held"
	ToleranceUsed   EventKind = "tolerance used"
)

// Event reports a change that a request or a reconciliation made.
type Event struct {
	Kind      EventKind
	Tenant    string
	Principal string
	Resource  Ref
	Member    Ref
	Role      Role
	Sources   []Source
	Reason    string
	Tolerance string
	Path      string // where the tolerance was used
	At        time.Time
}
