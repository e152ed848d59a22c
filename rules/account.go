package rules

import (
	"context"
	"errors"
	"slices"

	"github.com/scimkit/scim"
)

// NewAccount makes a new userName mean a new account. The resource keeps its id, because
// clients go on using it. From then on it stands for the account of the new name. The old
// account is deactivated and loses the roles that SCIM gave. The new one gets the roles that
// its sources give. Roles given by hand stay with the old account.
//
// Products in which an account is an address need it: they document that a change of the
// address creates a new account.
//
// An application that uses it keeps a table from ids of SCIM users to accounts, and its
// RoleResolver follows that table. When a client changes a userName, NewAccount revokes what
// SCIM gave, and calls move. move does two things, and may be called again for the same
// change:
//
//   - It deactivates the account to which before.ID() points, and ends its sessions.
//   - It makes before.ID() point to the account of after's userName: a new one, or one that
//     exists already, if the application lets the client take it over. If it does not,
//     move returns scim.Conflict("userName").
//
// If another SCIM user has the name, the store refuses the change, and move is not called.
// A change of upper and lower case is no new name. A request that leaves the user inactive
// does not change the name: nobody needs a new account then.
//
// Put it last: it is the only rule with effects. Give it a store with transactions, and a
// RoleResolver that commits with it. Otherwise a write that fails after move leaves the new
// account under the old userName, until the client repeats its request.
func NewAccount(move func(ctx context.Context, before, after *scim.Resource) error) scim.Rule {
	return func(ctx context.Context, c *scim.Change) error {
		if !concerns(c, "User") || c.Before == nil || isSame(c.Before.String("userName"), c.After.String("userName")) {
			return nil
		}
		if takesAway(c) {
			return refuse(c, "userName", &scim.Error{Detail: "userName: a new name means a new account, and the user is not active"})
		}
		if len(c.After.String("userName")) > longest {
			return tooLong("userName")
		}
		if taken, err := hasOther(ctx, c, "userName", c.After.String("userName")); err != nil || taken {
			return err // the store refuses the name
		}
		c.Reconcile = true
		if c.Tenant.Roles == nil {
			return move(ctx, c.Before, c.After)
		}
		return moveRoles(ctx, c, move)
	}
}

// moveRoles revokes the roles that SCIM gave to the old account, calls move, and removes the
// old account's grants from the ledger. In this order a repetition completes what an error
// has left half-done.
func moveRoles(ctx context.Context, c *scim.Change, move func(ctx context.Context, before, after *scim.Resource) error) error {
	id, resolver, ledger := c.Before.ID(), c.Tenant.Roles.Resolver, c.Tenant.Roles.Ledger
	if ledger == nil {
		ledger = c.Tenant.Store.(scim.Ledger) // New has checked it
	}
	grants, err := ledger.Grants(ctx, []string{id}) // in a transaction it locks the user
	if err != nil {
		return err
	}
	held, err := resolver.HeldRoles(ctx, []string{id})
	if err != nil {
		return err
	}
	given := slices.DeleteFunc(slices.Clone(held[id]), func(r scim.Role) bool { return !isGiven(grants, r) })
	if len(given) > 0 {
		if err := resolver.ChangeRoles(ctx, []scim.RoleChange{{UserID: id, Revoke: given}}); err != nil {
			return err
		}
	}
	if err := move(ctx, c.Before, c.After); err != nil {
		if len(given) > 0 { // roles outside of the transaction are not rolled back
			err = errors.Join(err, resolver.ChangeRoles(ctx, []scim.RoleChange{{UserID: id, Grant: given, Roles: given}}))
		}
		return err
	}
	// What waits for the client to name the user goes on waiting.
	done := slices.DeleteFunc(grants, func(g scim.Grant) bool { return !isHeld(g) })
	if len(done) == 0 {
		return nil
	}
	return ledger.Record(ctx, nil, done)
}

// isGiven reports whether SCIM gave a role that a user holds.
func isGiven(grants []scim.Grant, r scim.Role) (given bool) {
	for _, g := range grants {
		if g.RoleID != r.ID || g.Scope != r.Scope || !isHeld(g) {
			continue
		}
		if g.ByHand {
			return false
		}
		given = true
	}
	return given
}

// isHeld reports whether the user has the role because of the grant.
func isHeld(g scim.Grant) bool {
	return g.State == scim.GrantGiven || g.State == scim.GrantRetained || g.State == scim.GrantRetainedForPlace
}
