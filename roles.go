package scim

import (
	"cmp"
	"context"
	"slices"
	"strings"
)

// RoleResolver is the application's side of roles. It says which role a source stands for
// and which roles users hold, and it changes the roles of users.
//
// Each call names at most 1,000 users. ctx carries the Store's transaction, if there is
// one. The methods are safe for concurrent use.
//
// An error of HeldRoles or ChangeRoles is answered with 500. An *Error with a status of 500 and
// above is the answer itself, such as 503 with RetryAfter.
type RoleResolver interface {
	// ResolveRoles returns the roles that src stands for, in any order. It has no effects.
	// It returns when ctx ends. It may be called outside the transaction of the request.
	//
	// ErrNoRole means that there is no such role: Roles.Missing then decides. An *Error
	// with a status below 500 means the same and says why, for example that groups cannot
	// give this role. If Missing refuses the group, that error is the answer. Any other
	// error fails the request, because an outage must not change links. So does an answer
	// without a role and without an error, or one that describes a role in two ways.
	ResolveRoles(ctx context.Context, src RoleSource) ([]Role, error)
	// HeldRoles returns, by user id, every role that the users hold now, from whatever
	// origin. Leave out a default role that every user has: a user without other roles
	// still has it.
	HeldRoles(ctx context.Context, userIDs []string) (map[string][]Role, error)
	// ChangeRoles carries out all changes or none. It is idempotent: granting a role that
	// the user holds is no error, nor is revoking one that the user does not hold. It
	// returns ErrNoRole if a role to grant no longer exists.
	ChangeRoles(ctx context.Context, changes []RoleChange) error
}

// RoleNamer is a RoleResolver that lists the names of roles, for people to choose from.
// Schemas then shows them as the canonicalValues of the attributes that name roles, and a
// refusal of an unknown value lists them. The library asks at each such request.
type RoleNamer interface {
	// RoleNames lists the values of an attribute that stand for a role. attribute is one of
	// Roles.Attributes. "" stands for all names of roles, whatever source can give them.
	RoleNames(ctx context.Context, attribute string) ([]string, error)
}

// RoleCreator is a RoleResolver that can create roles, for MissingRole CreateRole.
type RoleCreator interface {
	RoleNamer
	// CreateRole creates the role of src.Group and returns it. The role must not be
	// Protected. ctx carries the Store's transaction, if there is one, so a request that
	// fails leaves no role.
	//
	// If the Store is a TenantLocker, two requests do not create a role at the same time.
	// Otherwise another server may: return the role of this name if it exists by now.
	// ErrNoRole means that there should be none: the group is linked later. An *Error with
	// a status below 500 refuses a new group.
	CreateRole(ctx context.Context, src RoleSource) (Role, error)
}

// Role is one of the application's roles. Scope and ID identify it.
type Role struct {
	// ID identifies the role within its Scope. A rename should not change it. Name is for
	// people.
	ID, Name string
	// Scope says what the role is a role of, for example "project 1" or "permission". It is
	// "" for an application with one kind of role. Roles of different scopes do not
	// compete: Pick, Exclusive and the order of roles apply in each scope by itself.
	//
	// A role that moves to another scope is another role. Users who hold it then hold it by
	// hand, and keep it when their sources let go. If they should not, call TakeByHand for
	// them after RolesChanged.
	Scope string
	// Weight orders roles for PickHeaviest.
	Weight int
	// Protected means that SCIM gives the role only after the application confirms the
	// source with Reconciler.Confirm. An administrator's role is an example. The role
	// waits again when a deactivated user comes back.
	Protected bool
}

// RoleSource is a source for which ResolveRoles looks for roles. It is a group, or a
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
	// Linked are the roles that the source is linked to, as the resolver last described
	// them. It is set only after Reconciler.RolesChanged. A resolver with stable ids
	// returns these roles as they are now, if they exist and the source still stands for
	// them. Otherwise it looks up Name.
	Linked []Role
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
	// Grant and Revoke are the roles to give and to take. Both are empty if only the order
	// of the roles changes. Roles lists every role that the sources give after the change.
	// The roles of a scope follow one another, the primary role first. Roles does not
	// contain roles that the user holds only by hand.
	Grant, Revoke, Roles []Role
}

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
	// CreateRole creates the role of a new group, or of one with a new displayName or
	// externalId. Any other group is linked when the role appears, as with LinkLater: so a
	// role that an administrator deletes does not return. Roles.Resolver must be a
	// RoleCreator.
	//
	// A role is not created, and a new group is refused (400 invalidValue), if its name looks
	// like that of a role that exists. Such names differ in case, in width, in spaces or in
	// characters that nobody sees.
	CreateRole
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
	// waits at most one second for ResolveRoles, and asks only about new values that nobody
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
	// Pick chooses among the roles that the sources give to a user in one scope. The first
	// role that it returns is the primary one. Its argument lists the roles from attributes
	// in their order, and then those from groups in the order of joining: the
	// user's own groups before those above them (see MemberPolicy.Nested). Nil: all of them.
	Pick func(candidates []Candidate) []Role
	// Exclusive means that a user can hold only one role of a scope, for example in one
	// column. If the user holds a role by hand, roles from sources wait. Pick must then
	// return at most one role; nil means PickHeaviest.
	Exclusive bool
	// PolicyOf returns the policy of a scope, if scopes differ. It takes the place of Pick
	// and Exclusive. It must return the same policy for the same scope. Nil: Pick and
	// Exclusive are the policy of every scope.
	PolicyOf func(scope string) RolePolicy
	// KeepLastHolder keeps a protected role for its last active holder if no source gives it
	// any more. The role is revoked as soon as another active user holds it. Users whom the
	// Store does not know are active. A user who is deactivated or deleted loses the role
	// nevertheless. HeldRoles must say which roles are Protected. The Resolver must be a
	// RoleHolders, and the Ledger a PendingLedger. After a change of KeepLastHolder call
	// Reconciler.RolesChanged.
	KeepLastHolder bool
	// Breaker holds back a write that would take roles from too many users within some time:
	// 429 with Retry-After, and nothing of it is stored. It judges writes of groups, members
	// and attributes, and RolesChanged, also after a switch such as WithoutGroups, but not
	// Users, All and End. The event WriteHeld reports it once for each resource. Beyond 100
	// resources it reports one write in each Window. Reconciler.ReleaseBreaker lets the
	// repeated request or call through. The Ledger must be a PendingLedger and a GrantCounter.
	// Nil: nothing is held back.
	Breaker *Breaker
	// Guard judges what a write would do to roles, once, before any of it is done. An *Error
	// refuses the whole write and is its answer. Any other error is answered with 500. It
	// judges what Breaker judges, but never a user who is deactivated or deleted. It may be
	// called in the Store's transaction, and again if the transaction runs again. If ChangeRoles
	// returns ErrNoRole, it also judges what then takes the place of the plan. If roles do not
	// commit with the Store, its error then leaves the write stored and unfinished: see
	// Reconciler.Settle. Nil: all is allowed.
	Guard func(ctx context.Context, p *RolePlan) error
	// Missing decides what happens to a group that stands for no role. The default is
	// LinkLater.
	Missing MissingRole
	// SwitchNeedsUnassign refuses (400 mutability) to replace the role that one of Attributes
	// gives to an active user by another role. The client first clears the attribute or
	// deactivates the user, in a request of its own. Adding a role is no replacement.
	SwitchNeedsUnassign bool
	// Paused means that sources give no roles for the time being. What they gave before
	// stays until a client removes a member, deactivates or deletes a user, or deletes a
	// group. What they would give waits with the state GrantPaused. After a change of Paused
	// call Reconciler.RolesChanged.
	//
	// To pause, do not set Tenant.Roles to nil: then removals do not revoke either.
	Paused bool
	// WithoutGroups means that groups give no roles. A tenant whose Types have no "Group" needs
	// it too. After a change of WithoutGroups call Reconciler.RolesChanged: it revokes what
	// groups gave, or gives it again. Protected roles then wait for confirmation.
	WithoutGroups bool
}

// RolePolicy says which of the roles of one scope a user gets.
type RolePolicy struct {
	// Pick and Exclusive are as in Roles.
	Pick      func(candidates []Candidate) []Role
	Exclusive bool
	// Base is the id of the role that the application shows for users who have been given
	// nothing. SCIM never gives or takes it, and HeldRoles may contain it. "": there is
	// none.
	Base string
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
