package scim

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/scimkit/scim/internal/host"
)

// RoleResolver is the application's side of roles. It says which role a source stands for
// and which roles users hold, and it changes the roles of users.
//
// Each call names at most 1,000 users. ctx carries the Store's transaction, if there is
// one. The methods are safe for concurrent use.
type RoleResolver interface {
	// ResolveRole returns the role that src stands for. It has no effects. It returns when
	// ctx ends. It may be called outside the transaction of the request.
	//
	// ErrNoRole means that there is no such role: Roles.Missing then decides. An *Error
	// with a status below 500 means the same and says why, for example that groups cannot
	// give this role. If Missing refuses the group, that error is the answer. Any other
	// error fails the request, because an outage must not change links.
	ResolveRole(ctx context.Context, src RoleSource) (Role, error)
	// HeldRoles returns, by user id, every role that the users hold now, from whatever
	// origin. Leave out a default role that every user has: a user without other roles
	// still has it.
	HeldRoles(ctx context.Context, userIDs []string) (map[string][]Role, error)
	// ChangeRoles carries out all changes or none. It is idempotent: granting a role that
	// the user holds is no error, nor is revoking one that the user does not hold. It
	// returns ErrNoRole if a role to grant no longer exists.
	ChangeRoles(ctx context.Context, changes []RoleChange) error
}

// Role is one of the application's roles.
type Role struct {
	// ID identifies the role. A rename should not change it. Name is for people.
	ID, Name string
	// Weight orders roles for PickHeaviest.
	Weight int
	// Protected means that SCIM gives the role only after the application confirms the
	// source with Reconciler.Confirm. An administrator's role is an example. The role
	// waits again when a deactivated user comes back.
	Protected bool
}

// RoleSource is a source for which ResolveRole looks for a role. It is a group, or a
// value of one of Roles.Attributes. The resolver decides which roles each kind may give.
type RoleSource struct {
	// Group is the group; nil for an attribute.
	Group *Resource
	// PreviousName is the group's former displayName if the client has just renamed it;
	// else "".
	PreviousName string
	// Attribute is the path of the attribute, as in Resource.Get; "" for a group. Value
	// is its value. For an element of a complex attribute, such as roles, it is the
	// element's "value".
	Attribute, Value string
	// Linked is the id of the role that the source is linked to. It is set only after
	// Reconciler.RolesChanged. A resolver with stable ids returns this role as it is now,
	// if the role exists and the source still stands for it. Otherwise it looks up Name.
	Linked string
}

// Name is the text by which a resolver looks up the role: the group's displayName, or the
// attribute's value.
func (s RoleSource) Name() string {
	if s.Group != nil {
		return s.Group.String("displayName")
	}
	return s.Value
}

// RoleChange is one change of one user's roles.
type RoleChange struct {
	// UserID is the id of the user.
	UserID string
	// Grant and Revoke are the roles to give and to take. Roles lists every role that the
	// sources give after the change, the primary role first. It does not contain roles
	// that the user holds only by hand.
	Grant, Revoke, Roles []Role
}

// Ledger stores grants and links: which roles the library gave, and which role each
// source is linked to. It must be as durable as the Store. Without a transaction each
// call is atomic and durable on its own. The methods are safe for concurrent use.
type Ledger interface {
	// Grants lists the grants of the users, in any order. In a transaction it first locks
	// these users, in ascending order of id, until the transaction ends.
	Grants(ctx context.Context, userIDs []string) ([]Grant, error)
	// Record deletes the grants in drop and stores those in put. UserID, RoleID and
	// Source identify a grant. put replaces a grant with the same identity. Dropping an
	// unknown grant is no error.
	Record(ctx context.Context, put, drop []Grant) error
	// Links lists the links of the sources that have one, in any order.
	Links(ctx context.Context, sources []Source) ([]Link, error)
	// SetLink stores l as the link of l.Source and replaces the former one. If l.Role.ID
	// is "", it deletes the link.
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

// Grant is an entry of the ledger. It says that a source gives a role to a user.
type Grant struct {
	// UserID and RoleID are the ids of the user and the role.
	UserID, RoleID string
	// Source gives the role. For an attribute it is an AttributeSource without a value.
	Source Source
	// At is the time of the grant.
	At time.Time
	// ByHand means that the user also holds the role by hand, so it stays when the source
	// no longer gives it. Waiting means that the user does not hold the role yet.
	ByHand, Waiting bool
}

// Link associates a source with a role.
type Link struct {
	// Source is the group or the value of an attribute.
	Source Source
	// Role is the role as the resolver last described it.
	Role Role
	// Confirmed means that the source gives the role. An unconfirmed link gives nothing:
	// its protected role waits for Reconciler.Confirm.
	Confirmed bool
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

// MissingRole decides what happens to a group that stands for no role.
type MissingRole int

const (
	// LinkLater accepts the group and links it when the role appears: see
	// Reconciler.RolesChanged. This is the default.
	LinkLater MissingRole = iota
	// RefuseGroup refuses a new group: 400 invalidValue. It accepts the rename of an
	// existing group, which loses its link. If that were refused, the client could not
	// remove members either.
	RefuseGroup
)

// Roles configures how groups and attributes of users give roles.
type Roles struct {
	// Resolver is the application's side. It is required.
	Resolver RoleResolver
	// Attributes are paths of user attributes whose values name roles, such as "roles",
	// "userType" or an attribute of your own. In "roles", the "value" of each element
	// names a role. Nil: no attribute gives roles.
	//
	// Google Workspace needs this because it sends no groups. Microsoft Entra needs it
	// for app roles.
	//
	// A value that names no role is refused (400 invalidValue). If the request leaves the
	// user inactive, it succeeds, and the attribute keeps its former value. Such a request
	// waits at most one second for ResolveRole, and asks only about new values that nobody
	// has yet. A value that the client sends back unchanged is not judged again. After a
	// change of Attributes call Reconciler.RolesChanged.
	Attributes []string
	// Ledger stores grants and links. Nil: the Store, which must then be a Ledger.
	Ledger Ledger
	// Separate means that the resolver's changes do not commit with the Store's
	// transaction. Set it if the roles are in another database or behind an API. The
	// ledger then records a role before it is given and forgets it after it is revoked,
	// so that a crash loses no grant. A Store without transactions implies Separate.
	Separate bool
	// Pick chooses among the roles that the sources give to a user. The first role that
	// it returns is the primary one. Its argument lists the roles from attributes in
	// their order, and then those from groups in the order of joining. Nil: all of them.
	Pick func(candidates []Candidate) []Role
	// Missing decides what happens to a group that stands for no role. The default is
	// LinkLater.
	Missing MissingRole
	// Exclusive means that a user can hold only one role, for example in one column. If
	// the user holds a role by hand, roles from sources wait. Pick must then return at
	// most one role; nil means PickHeaviest.
	Exclusive bool
}

// Candidate is a role that a source gives to a user, as Roles.Pick sees it.
type Candidate struct {
	Role
	// Held means that the user holds the role already.
	Held bool
}

// PickHeaviest is a Roles.Pick that returns the role with the greatest Weight. Among equal
// weights it prefers a role that the user holds, and then the smaller id.
func PickHeaviest(candidates []Candidate) []Role {
	if len(candidates) == 0 {
		return nil
	}
	heaviest := slices.MaxFunc(candidates, func(a, b Candidate) int {
		switch {
		case a.Weight != b.Weight:
			return cmp.Compare(a.Weight, b.Weight) // a difference may overflow
		case a.Held != b.Held:
			if a.Held {
				return 1
			}
			return -1
		default:
			return strings.Compare(b.ID, a.ID)
		}
	})
	return []Role{heaviest.Role}
}
