package host

import (
	"context"
	"time"
)

// RoleHolders is a Resolver that lists who holds a role.
type RoleHolders interface {
	RoleHolders(ctx context.Context, role Role, after string, limit int) ([]string, error)
}

// GrantCounter is a ledger that counts users with grants.
type GrantCounter interface {
	GrantedUsers(ctx context.Context) (int, error)
}

// Guards judge what a write would do to roles before it is done.
type Guards struct {
	// Holders is set if the last holder of a protected role keeps it.
	Holders RoleHolders
	Breaker *Breaker // nil: there is none
	// Counter is set if Breaker is.
	Counter GrantCounter
	// Judge asks the application about a plan. Nil: it has no guard.
	Judge func(ctx context.Context, p *RolePlan) error
}

// Judges reports whether anything judges plans.
func (g *Guards) Judges() bool { return g.Breaker != nil || g.Judge != nil }

// Breaker holds back writes that take roles from many users.
type Breaker struct {
	Share       float64
	Minimum     int
	Window      time.Duration
	HoldLeavers bool
}

// PlanCause is why roles change.
type PlanCause string

const (
	CauseWrite        PlanCause = "write"
	CauseDelete       PlanCause = "delete"
	CauseReport       PlanCause = "report"
	CauseConfirmation PlanCause = "confirmation"
)

// RolePlan is what a write would do to roles.
type RolePlan struct {
	Cause     PlanCause
	Resource  Ref
	Source    Source
	Principal string
	Users     int
	Roles     []RoleCount
	// Each calls fn with every change, until fn returns an error.
	Each func(ctx context.Context, fn func(RoleChange) error) error
}

// RoleCount says how many users a plan gives a role, and from how many it takes it.
type RoleCount struct {
	Role            Role
	Grants, Revokes int
}
