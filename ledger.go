package scim

import (
	"context"
	"time"

	"github.com/scimkit/scim/internal/host"
)

// Ledger stores grants and links: which roles the library gave, and which role each
// source is linked to. It must be as durable as the Store. Without a transaction each
// call is atomic and durable on its own. The methods are safe for concurrent use.
type Ledger interface {
	// Grants lists the grants of the users, in any order. In a transaction it first locks
	// these users, in ascending order of id, until the transaction ends.
	Grants(ctx context.Context, userIDs []string) ([]Grant, error)
	// Record deletes the grants in drop and stores those in put. UserID, Scope, RoleID and
	// Source identify a grant. put replaces a grant with the same identity. Dropping an
	// unknown grant is no error.
	Record(ctx context.Context, put, drop []Grant) error
	// Links lists the links of the sources that have one, in any order.
	Links(ctx context.Context, sources []Source) ([]Link, error)
	// SetLink stores l as the link of l.Source and replaces the former one. If l.Roles is
	// empty, it deletes the link.
	SetLink(ctx context.Context, l Link) error
}

// SourceLedger is a Ledger that finds and deletes grants by their source. The library
// uses it when a client deletes a group that gave a role to many users.
//
// It makes that much cheaper than one grant after the other. It also finds former members
// that the application removed without telling the library.
type SourceLedger interface {
	// SourceUsers lists the ids of users who have a grant from source, in ascending
	// order. It begins after the id after, or at the first id if after is "". It returns
	// at most limit ids; limit is at least 1.
	SourceUsers(ctx context.Context, source Source, after string, limit int) ([]string, error)
	// DropSource deletes every grant from source, of all users. If there is none, that is
	// no error.
	DropSource(ctx context.Context, source Source) error
}

// PendingLedger is a Ledger that lists what awaits somebody, and keeps notes. The library
// needs it for what must outlive a process: Reconciler.Pending, guards, Distrust and End.
// The notes commit with the grants.
type PendingLedger interface {
	// AllLinks lists at most limit links, in ascending order of Source. It begins after the
	// source after, or at the first one if after is "".
	AllLinks(ctx context.Context, after Source, limit int) ([]Link, error)
	// OpenGrants lists at most limit grants whose State is not GrantGiven. They are in
	// ascending order of UserID, Scope, RoleID and Source. It begins after the grant after,
	// of which only these fields count; the zero Grant means the first one.
	OpenGrants(ctx context.Context, after Grant, limit int) ([]Grant, error)
	// Notes lists at most limit notes of a kind, in ascending order of Key. It begins after
	// the key after, or at the first one if after is "".
	Notes(ctx context.Context, kind, after string, limit int) ([]Note, error)
	// SetNote stores n and replaces the note with its Kind and Key. If n.Text is "", it
	// deletes that note.
	SetNote(ctx context.Context, n Note) error
}

// TenantLedger is a Ledger that can forget a tenant. Reconciler.End needs it. Distrust and Trust
// use its Fence: without it, what a request beside Distrust gives may count as given after it.
type TenantLedger interface {
	// UsersWithGrants lists at most limit ids of users who have a grant, in ascending order. It
	// begins after the id after, or at the first id if after is "".
	UsersWithGrants(ctx context.Context, after string, limit int) ([]string, error)
	// Fence waits until every other transaction ends that has called Grants. Until its own
	// transaction ends, no call of Grants in another transaction returns. Without a
	// transaction it does nothing.
	Fence(ctx context.Context) error
	// Forget deletes at most limit of the links, as many of the notes, and everything else but
	// the grants that the ledger keeps for the tenant. It leaves the link of the source keep.
	// isLeft says that there may be more: the library then calls it again.
	Forget(ctx context.Context, keep Source, limit int) (isLeft bool, err error)
}

// Note is a text that the library keeps in a PendingLedger. Kind and Key identify it.
type Note struct {
	Kind, Key string
	// At is the time of the note.
	At time.Time
	// Text is what the library wrote. Its form is the library's own.
	Text string
}

// Grant is an entry of the ledger. It says that a source gives a role to a user.
type Grant struct {
	// UserID is the id of the user.
	UserID string
	// Scope and RoleID identify the role.
	Scope, RoleID string
	// Source gives the role. For an attribute it is an AttributeSource without a value.
	Source Source
	// At is the time of the grant.
	At time.Time
	// ByHand means that the user also holds the role by hand, so it stays when the source
	// no longer gives it.
	ByHand bool
	// State says whether the user holds the role, or what the grant waits for.
	State GrantState
	// Rank is the place of the role in the order that ChangeRoles was last told.
	Rank int
}

// GrantState says whether a grant gives its role, or what it waits for.
type GrantState string

// The states of a grant.
const (
	// GrantGiven: the user holds the role.
	GrantGiven GrantState = ""
	// GrantWaitsForPlace: the user holds another role by hand, and the scope allows one.
	GrantWaitsForPlace GrantState = "place"
	// GrantWaitsForReturn: the role is protected and the user was inactive. A client must
	// name the user again, or the application must confirm.
	GrantWaitsForReturn GrantState = "return"
	// GrantWaitsForTrust: the application distrusts the source until a client names the
	// user again.
	GrantWaitsForTrust GrantState = "trust"
	// GrantPaused: Roles.Paused is set.
	GrantPaused GrantState = "paused"
	// GrantDeclined: the application has declined to give the role to this user.
	GrantDeclined GrantState = "declined"
	// GrantRetained: no source gives the role any more, but a guard keeps it.
	GrantRetained GrantState = "retained"
	// GrantRetainedForPlace: a guard keeps the role. Its source still gives it, but another role
	// has the place, or a pause does not give it again.
	GrantRetainedForPlace GrantState = "retained for place"
)

// Link associates a source with roles.
type Link struct {
	// Source is the group or the value of an attribute.
	Source Source
	// Name says for which name of the group the resolver was asked. It is "" for a value.
	Name string
	// At is the time when the source last got other roles. It is the zero time if an earlier
	// version of the library made the link.
	At time.Time
	// Roles are the roles as the resolver last described them.
	Roles []LinkedRole
}

// LinkedRole is a role that a source stands for.
type LinkedRole struct {
	Role Role
	// Confirmed means that the source gives the role. If it is false, the role is protected
	// and waits for Reconciler.Confirm. Declined means that the application refused.
	Confirmed, Declined bool
	// Newer means that the value of an attribute has named the role only since users had the
	// value. Those users keep the roles that it named before. A newer role is only for users
	// with a grant of it from the attribute.
	Newer bool
}

// Source is what gives a role: a group, or a value of one of Roles.Attributes. Its text
// form never changes. Ledgers store it and compare it byte by byte.
type Source string

// GroupSource returns the source that is the group with this id.
func GroupSource(groupID string) Source { return Source(host.GroupSource(groupID)) }

// AttributeSource returns the source that is a value of an attribute. path is a path as
// in Resource.Get. An empty value stands for all values of the attribute, as in a Grant.
// The source contains a hash in the place of a value of more than 200 bytes.
func AttributeSource(path, value string) Source { return Source(host.AttributeSource(path, value)) }

// Group returns the id of the group. ok is false if the source is no group.
func (s Source) Group() (id string, ok bool) { return host.Source(s).Group() }

// Attribute returns the path and the value of the attribute. ok is false if the source is
// no attribute.
func (s Source) Attribute() (path, value string, ok bool) { return host.Source(s).Attribute() }
