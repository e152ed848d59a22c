package scim

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/roles"
)

// RoleHolders is a RoleResolver that lists who holds a role. Roles.KeepLastHolder needs it.
type RoleHolders interface {
	// RoleHolders lists the ids of the users who hold the role now, from whatever origin, in
	// ascending order. It begins after the id after, or at the first id if after is "". It
	// returns at most limit ids; limit is at least 1. Only Scope and ID of role count.
	RoleHolders(ctx context.Context, role Role, after string, limit int) (userIDs []string, err error)
}

// GrantCounter is a Ledger that counts users with grants. Roles.Breaker needs it.
type GrantCounter interface {
	// GrantedUsers returns the number of users who have at least one grant.
	GrantedUsers(ctx context.Context) (int, error)
}

// Breaker holds back writes that take roles from many users, as after a mistake in the
// identity provider. See Roles.Breaker. Zero fields mean the defaults.
type Breaker struct {
	// Share is the share of users, between 0 and 1, who may lose a role within Window. It is
	// a share of the users who have a grant, or of those at the beginning of the Window if
	// they were more. Default: 0.2.
	Share float64
	// Minimum is the number of users who must lose a role for the breaker to act. A user who gets a
	// heavier role of the same scope at the same time loses none. A user counts once in a Window. More than 2,000 users are an estimate. Default: 20.
	Minimum int
	// Window is the time in which users count. Default: 10 minutes.
	Window time.Duration
	// HoldLeavers also holds back the deactivation and the deletion of users. By default they
	// always go through, and count.
	HoldLeavers bool
}

// PlanCause says why roles change.
type PlanCause string

// The causes of a RolePlan.
const (
	PlanWrite        PlanCause = "write"        // a client creates or changes Resource
	PlanDelete       PlanCause = "delete"       // a client deletes Resource, or the application releases it
	PlanReport       PlanCause = "report"       // after Reconciler.RolesChanged, Source stands for other roles
	PlanConfirmation PlanCause = "confirmation" // the application confirms a role of Source
)

// RolePlan is everything that one write would do to roles. Roles.Guard judges it.
type RolePlan struct {
	// Cause is why roles change.
	Cause PlanCause
	// Resource is the user or the group that a client writes, or the group whose roles are
	// others now. It is zero if a value of an attribute stands for other roles.
	Resource Ref
	// Source is the source that stands for other roles; "" in a client's write. Resource and
	// Source are both zero if RolesChanged, or Trust without groups, gives what waited, for
	// example for the end of a pause. Each such plan is about up to 1,000 users.
	Source Source
	// Principal is the Principal.ID of the client; "" outside requests.
	Principal string
	// Users is the number of users who get or lose a role.
	Users int
	// Roles are the roles that anybody gets or loses, in order of Scope and ID.
	Roles []RoleCount

	each func(ctx context.Context, fn func(host.RoleChange) error) error
}

// RoleCount says how many users get a role, and how many lose it.
type RoleCount struct {
	Role            Role
	Grants, Revokes int
}

// Changes yields the change of each user. It reads them in batches, so its memory does not
// depend on their number. It ends with an error if they cannot be read, or after the guard
// has returned.
func (p *RolePlan) Changes(ctx context.Context) iter.Seq2[RoleChange, error] {
	return func(yield func(RoleChange, error) bool) {
		err := p.each(ctx, func(c host.RoleChange) error {
			if !yield(roleChangeOut(c), nil) {
				return errStop
			}
			return nil
		})
		if err != nil && !errors.Is(err, errStop) {
			yield(RoleChange{}, outward(err))
		}
	}
}

// errStop ends an iteration.
var errStop = errors.New("scim: stop")

type holdersPort port[RoleHolders]

func (p holdersPort) RoleHolders(ctx context.Context, role host.Role, after string, limit int) (_ []string, err error) {
	defer p.Catch(&err)
	ids, err := p.app.RoleHolders(ctx, Role(role), after, limit)
	if err == nil && !slices.IsSorted(ids) {
		err = errors.New("scim: RoleHolders.RoleHolders returned ids that are not in ascending order")
	}
	if err == nil && len(ids) > 0 && ids[0] <= after { // else it is asked for ever
		err = fmt.Errorf("scim: RoleHolders.RoleHolders returned %q, which is not after %q", ids[0], after)
	}
	return slices.Clone(ids), failed(err)
}

type counterPort port[GrantCounter]

func (p counterPort) GrantedUsers(ctx context.Context) (_ int, err error) {
	defer p.Catch(&err)
	n, err := p.app.GrantedUsers(ctx)
	return n, inward(err)
}

// guardPort returns a function that asks the application's guard.
func guardPort(guard func(context.Context, *RolePlan) error, g host.Guard) func(context.Context, *host.RolePlan) error {
	if guard == nil {
		return nil
	}
	return func(ctx context.Context, p *host.RolePlan) (err error) {
		defer g.Catch(&err)
		err = guard(ctx, &RolePlan{Cause: PlanCause(p.Cause), Resource: Ref(p.Resource), Source: Source(p.Source), Principal: p.Principal,
			Users: p.Users, each: p.Each, Roles: convert(p.Roles, func(c host.RoleCount) RoleCount { return RoleCount{Role(c.Role), c.Grants, c.Revokes} })})
		if meaning(err) == nil {
			return failed(err)
		}
		return inward(err)
	}
}

// seatsPort returns a function that asks the application for the number of seats.
func seatsPort(seats func(context.Context) (int, error), g host.Guard) func(context.Context) (int, error) {
	if seats == nil {
		return nil
	}
	return func(ctx context.Context) (n int, err error) {
		defer g.Catch(&err)
		n, err = seats(ctx)
		return n, inward(err)
	}
}

// bindGuards looks at the capabilities that the guards of r need.
func bindGuards(r *Roles, ledger Ledger, g host.Guard) (b host.Guards, errs []error) {
	b.Judge = guardPort(r.Guard, g)
	_, pends := ledger.(PendingLedger)
	if r.KeepLastHolder {
		h, ok := r.Resolver.(RoleHolders)
		switch {
		case !ok:
			errs = append(errs, mistake("Roles.KeepLastHolder", "needs a Resolver that is a RoleHolders, and %T is none", r.Resolver))
		case !pends:
			errs = append(errs, mistake("Roles.KeepLastHolder", "needs a Ledger that is a PendingLedger, and %T is none", ledger))
		default:
			b.Holders = holdersPort{h, g}
		}
	}
	if r.Breaker == nil {
		return b, errs
	}
	c, counts := ledger.(GrantCounter)
	if !pends || !counts {
		errs = append(errs, mistake("Roles.Breaker", "needs a Ledger that is a PendingLedger and a GrantCounter, and %T is not both", ledger))
	}
	if s := r.Breaker.Share; s < 0 || s > 1 {
		errs = append(errs, mistake("Roles.Breaker.Share", "%v is not between 0 and 1", s))
	}
	own := host.Breaker(*r.Breaker)
	if own.Share == 0 {
		own.Share = 0.2
	}
	byDefault(&own.Minimum, 20)
	byDefault(&own.Window, 10*time.Minute)
	b.Breaker, b.Counter = &own, counterPort{c, g}
	return b, errs
}

// ReleaseBreaker lets everything through that Roles.Breaker would hold back, for the time d.
// The client's repeated request then succeeds. What goes through in this time does not count
// afterwards. It is an error if the tenant has no Breaker, or if d is not positive.
func (c *Reconciler) ReleaseBreaker(ctx context.Context, d time.Duration) error {
	return outward(roles.ReleaseBreaker(ctx, c.a, d))
}
