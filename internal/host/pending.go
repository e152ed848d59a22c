package host

import "time"

// PendingKind says what somebody has to do about a Pending.
type PendingKind string

const (
	PendingLink       PendingKind = "link"
	PendingPerson     PendingKind = "person"
	PendingRetained   PendingKind = "retained"
	PendingNesting    PendingKind = "nesting"
	PendingHeldBack   PendingKind = "held back"
	PendingUnfinished PendingKind = "unfinished"
)

// Pending is a matter that awaits somebody.
type Pending struct {
	Kind     PendingKind
	Key      string
	Source   Source
	Name     string
	Role     Role
	UserID   string
	Resource Ref
	Member   Ref
	Users    []string
	At       time.Time
	Reason   string
}
