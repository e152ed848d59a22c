package host

import (
	"context"
	"time"

	"github.com/scimkit/scim/internal/doc"
)

// Resolver is the application's side of roles.
type Resolver interface {
	ResolveRole(ctx context.Context, src RoleSource) (Role, error)
	HeldRoles(ctx context.Context, userIDs []string) (map[string][]Role, error)
	ChangeRoles(ctx context.Context, changes []RoleChange) error
}

// Role is one of the application's roles.
type Role struct {
	ID, Name  string
	Weight    int
	Protected bool
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
	Linked           string
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
	UserID, RoleID  string
	Source          Source
	At              time.Time
	ByHand, Waiting bool
}

// Link associates a source with a role.
type Link struct {
	Source    Source
	Role      Role
	Confirmed bool
}

// State says whether a user holds a role, and why.
type State string

const (
	Granted State = "granted"
	ByHand  State = "by hand"
	Both    State = "both"
	Waiting State = "waiting"
	Due     State = "due"
	Leaving State = "leaving"
)

// Explanation says whether a user holds one role, and why.
type Explanation struct {
	Role    Role
	State   State
	Sources []Source
	Reason  string
}
