package rules

import (
	"context"

	"github.com/scimkit/scim"
)

// AdoptByUserName makes a new SCIM user adopt the account with the same userName. Without
// such a rule a client that creates a user who was there before SCIM gets 409.
//
// Products that add SCIM to existing accounts need it, if the client creates without looking
// for the user first. Use it only if the client owns the names: see VerifiedDomains. Whoever
// may create users could otherwise take over any account.
//
// All rules named Adopt take only accounts that no client has claimed. If the store is no
// scim.Claimer, these are accounts without an externalId, and the request must set one. If
// both have an externalId, the two must be equal: an address is often given to a new person.
// Where two accounts match, none is adopted. For sqlstore's mapped tables use Store.Adopt,
// which also finds hidden rows and brings back retired ones.
func AdoptByUserName(ctx context.Context, c *scim.Change) error {
	return adopt(ctx, c, "User", "userName")
}

// AdoptByExternalID makes a new SCIM user adopt the account with the same externalId. The
// account gets the userName that the client sends.
//
// Products need it whose accounts carry the id of the identity provider before SCIM is
// switched on, for example because SSO stored it there.
func AdoptByExternalID(ctx context.Context, c *scim.Change) error {
	return adopt(ctx, c, "User", "externalId")
}

// AdoptByEmail makes a new SCIM user adopt the account that has the user's primary e-mail
// address among its emails. isVerified reports whether the account has proved that the
// address is its own, for example by a link in a mail. An address that is not verified may
// be somebody else's, and is never a reason to adopt.
//
// Products need it whose logins are not addresses, while clients know people by address.
func AdoptByEmail(isVerified func(ctx context.Context, account *scim.Resource, email string) (bool, error)) scim.Rule {
	return func(ctx context.Context, c *scim.Change) error {
		if c.Op != scim.OpCreate || !concerns(c, "User") {
			return nil
		}
		email := c.After.Primary("emails")
		return adoptValue(ctx, c, "emails.value", email, func(account *scim.Resource) (bool, error) {
			return isVerified(ctx, account, email)
		})
	}
}

// AdoptGroupByName makes a new SCIM group adopt the application's group with the same
// displayName: the group is linked if it exists, and created if not.
//
// Products in which a pushed group is a team need it, together with Unique("Group",
// "displayName"): a second group of the same name is then refused.
func AdoptGroupByName(ctx context.Context, c *scim.Change) error {
	return adopt(ctx, c, "Group", "displayName")
}

// adopt makes a new resource of a type adopt the one that has the same value at path.
func adopt(ctx context.Context, c *scim.Change, typ, path string) error {
	if c.Op != scim.OpCreate || !concerns(c, typ) {
		return nil
	}
	return adoptValue(ctx, c, path, c.After.String(path), nil)
}

// adoptValue makes a new resource adopt the one that has a value at path, if may agrees.
func adoptValue(ctx context.Context, c *scim.Change, path, value string, may func(*scim.Resource) (bool, error)) error {
	if c.Adopt != "" || value == "" || len(value) > longest { // or an earlier rule has adopted one
		return nil
	}
	found, err := find(ctx, c, path, value, 2)
	if err != nil || len(found) != 1 {
		return err
	}
	// Lock it: of two requests at the same time, one adopts it.
	account, err := c.Tenant.Store.Update(ctx, found[0].Ref(), func(r *scim.Resource) (*scim.Resource, error) { return r, nil })
	if err != nil {
		return err
	}
	free, err := isFree(ctx, c, account)
	if err != nil || !free {
		return err
	}
	if may != nil {
		if ok, err := may(account); err != nil || !ok {
			return err
		}
	}
	c.Adopt = account.ID()
	return nil
}

// isFree reports whether a new resource may adopt an existing one.
func isFree(ctx context.Context, c *scim.Change, existing *scim.Resource) (bool, error) {
	was, sent := existing.String("externalId"), c.After.String("externalId")
	if was != "" && sent != "" && was != sent {
		return false, nil
	}
	claimer, ok := c.Tenant.Store.(scim.Claimer)
	if !ok {
		return was == "" && sent != "", nil
	}
	claimed, err := claimer.IsClaimed(ctx, existing.Ref())
	return !claimed, err
}
