package host

import (
	"context"
	"slices"
	"time"

	"github.com/scimkit/scim/internal/doc"
)

// Resolver is the application's side of roles.
type Resolver interface {
	ResolveRoles(ctx context.Context, src RoleSource) ([]Role, error)
	HeldRoles(ctx context.Context, userIDs []string) (map[string][]Role, error)
	ChangeRoles(ctx context.Context, changes []RoleChange) error
}

// RoleNamer lists names of roles.
type RoleNamer interface {
	RoleNames(ctx context.Context, attribute string) ([]string, error)
}

// RoleCreator creates the role of a group.
type RoleCreator interface {
	CreateRole(ctx context.Context, src RoleSource) (Role, error)
}

// Role is one of the application's roles. Scope and ID identify it.
type Role struct {
	ID, Name  string
	Scope     string
	Weight    int
	Protected bool
}

// RoleKey identifies a role.
type RoleKey struct{ Scope, ID string }

// Key is the identity of the role.
func (r Role) Key() RoleKey { return RoleKey{r.Scope, r.ID} }

// RolePolicy says which of the roles of one scope a user gets.
type RolePolicy struct {
	Pick      func(all []Candidate) []Role // nil: all of them
	Exclusive bool
	Base      string
}

// Candidate is a role that a source gives to a user.
type Candidate struct {
	Role Role
	Held bool
}

// RoleSource describes a source to the resolver: a group, or a value of an attribute.
type RoleSource struct {
	Group            *doc.Document
	PreviousName     string
	Attribute, Value string
	Linked           []Role
}

// RoleChange is a change of one user's roles in one step.
type RoleChange struct {
	UserID               string
	Grant, Revoke, Roles []Role
}

// Ledger stores the grants, and the link of each source.
type Ledger interface {
	Grants(ctx context.Context, userIDs []string) ([]Grant, error)
	Record(ctx context.Context, put, drop []Grant) error
	Links(ctx context.Context, sources []Source) ([]Link, error)
	SetLink(ctx context.Context, l Link) error
}

// SourceLedger finds and drops the grants of a source.
type SourceLedger interface {
	SourceUsers(ctx context.Context, source Source, after string, limit int) ([]string, error)
	DropSource(ctx context.Context, source Source) error
}

// Grant is a ledger entry: a source gives a user a role.
type Grant struct {
	UserID        string
	Scope, RoleID string
	Source        Source
	At            time.Time
	ByHand        bool
	State         GrantState
	Rank          int
}

// Role is the identity of the role that the grant gives.
func (g Grant) Role() RoleKey { return RoleKey{g.Scope, g.RoleID} }

// IsHeld reports whether the user has the role because of the grant.
func (g Grant) IsHeld() bool { return g.State == GrantGiven || g.IsRetained() }

// IsRetained reports whether the user has the role only because a guard keeps it.
func (g Grant) IsRetained() bool {
	return g.State == GrantRetained || g.State == GrantRetainedForPlace
}

// GrantState says whether a grant gives its role, or what it waits for.
type GrantState string

const (
	GrantGiven          GrantState = ""
	GrantWaitsForPlace  GrantState = "place"
	GrantWaitsForReturn GrantState = "return"
	GrantWaitsForTrust  GrantState = "trust"
	GrantPaused         GrantState = "paused"
	GrantDeclined       GrantState = "declined"
	GrantRetained       GrantState = "retained"
	// GrantRetainedForPlace: the source still gives the role, and waits for its place, or for the
	// end of a pause.
	GrantRetainedForPlace GrantState = "retained for place"
)

// Link associates a source with its roles.
type Link struct {
	Source Source
	Name   string
	At     time.Time
	Roles  []LinkedRole
}

// LinkedRole is a role that a source stands for.
type LinkedRole struct {
	Role      Role
	Confirmed bool
	Declined  bool
	Newer     bool // the role is only for users with a grant of it from the source
}

// IsLinked reports whether the source stands for any role.
func (l Link) IsLinked() bool { return len(l.Roles) > 0 }

// HasNewer reports whether a role of the source is only for some of its users.
func (l Link) HasNewer() bool {
	return slices.ContainsFunc(l.Roles, func(r LinkedRole) bool { return r.Newer })
}

// Find returns the link to one role, nil if there is none.
func (l Link) Find(k RoleKey) *LinkedRole {
	for i := range l.Roles {
		if l.Roles[i].Role.Key() == k {
			return &l.Roles[i]
		}
	}
	return nil
}

// Known lists the roles as the resolver last described them.
func (l Link) Known() []Role {
	var all []Role
	for _, r := range l.Roles {
		all = append(all, r.Role)
	}
	return all
}

// PendingLedger lists what awaits somebody, and keeps notes.
type PendingLedger interface {
	AllLinks(ctx context.Context, after Source, limit int) ([]Link, error)
	OpenGrants(ctx context.Context, after Grant, limit int) ([]Grant, error)
	Notes(ctx context.Context, kind, after string, limit int) ([]Note, error)
	SetNote(ctx context.Context, n Note) error
}

// TenantLedger forgets a tenant.
type TenantLedger interface {
	UsersWithGrants(ctx context.Context, after string, limit int) ([]string, error)
	Fence(ctx context.Context) error
	Forget(ctx context.Context, keep Source, limit int) (isLeft bool, err error)
}

// Note is a text that the engine keeps under a kind and a key.
type Note struct {
	Kind, Key string
	At        time.Time
	Text      string
}

// State says whether a user holds a role, and why.
type State string

const (
	Granted  State = "granted"
	ByHand   State = "by hand"
	Both     State = "both"
	Waiting  State = "waiting"
	Due      State = "due"
	Leaving  State = "leaving"
	Retained State = "retained"
)

// Explanation says whether a user holds one role, and why.
type Explanation struct {
	Role    Role
	State   State
	Sources []Source
	Reason  string
}

// Managed says what of a resource is the client's.
type Managed struct {
	IsClaimed  bool
	Client     string // the client that wrote the resource last, "" if unknown
	Attributes []string
	Groups     []string
	Unclaimed  []Ref
	Roles      []Explanation
	Clients    map[string]string // by group, for the groups and sources of a user
}
