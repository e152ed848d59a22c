package rules

import (
	"context"
	"slices"

	"github.com/scimkit/scim"
)

// Action is something that a client may do if the administrator has switched it on.
type Action string

// The actions that Off switches off. Deactivating a user, removing a member and deleting a
// group take access away, so they have no switch.
const (
	CreateUsers Action = "create users"
	// UpdateUsers also stands for passwords, and for reactivating a user.
	UpdateUsers Action = "update users"
	// DeleteUsers off: use it only if the client deactivates those who leave. One that only
	// deletes would leave them active.
	DeleteUsers Action = "delete users"
	// PushGroups stands for creating groups, for changing them, and for adding members.
	PushGroups Action = "push groups"
)

// Off switches actions off. A request for one of them is refused (403, which names the
// action). With UpdateUsers off, a request that deactivates a user deactivates and changes
// nothing else. With PushGroups off, a list of members removes members and adds none.
//
// Products need it that offer their administrators the same switches as clients do, such as
// "Push New Users" and "Push Profile Updates" in Okta. Make the rule from the tenant's
// settings in TenantFor. To switch off reading, use Tenant.Allow.
func Off(actions ...Action) scim.Rule {
	isOff := func(a Action) bool { return slices.Contains(actions, a) }
	return func(_ context.Context, c *scim.Change) error {
		resource := c.After
		if resource == nil {
			resource = c.Before
		}
		switch typ := resource.Type().Name(); {
		case typ == "User" && c.Op == scim.OpCreate && isOff(CreateUsers):
			return forbidden(switchedOff(CreateUsers))
		case typ == "User" && c.Op == scim.OpDelete && isOff(DeleteUsers):
			return forbidden(switchedOff(DeleteUsers) + "; set active to false instead")
		case typ == "User" && c.Before != nil && c.After != nil && isOff(UpdateUsers):
			return keepUser(c)
		case typ == "Group" && c.Op == scim.OpCreate && isOff(PushGroups):
			return forbidden(switchedOff(PushGroups))
		case typ == "Group" && c.Before != nil && c.After != nil && isOff(PushGroups):
			return keepGroup(c, switchedOff(PushGroups))
		}
		return nil
	}
}

func switchedOff(a Action) string { return "the action is switched off here: " + string(a) }

// keepUser refuses a change of a user, or reduces it to a deactivation.
func keepUser(c *scim.Change) error {
	// A user without "active" is active, so compare with the attribute set.
	after, err := c.After.With(map[string]any{"active": c.After.Active()})
	if err != nil {
		return err
	}
	allowed, err := c.Before.With(map[string]any{"active": c.Before.Active() && c.After.Active()})
	switch {
	case err != nil:
		return err
	case after.Equal(allowed) && !c.SetsPassword:
		return nil
	case !takesAway(c):
		return forbidden(switchedOff(UpdateUsers))
	}
	c.After, c.SetsPassword, c.Left = allowed, false, append(c.Left, switchedOff(UpdateUsers))
	return nil
}

// DropPasswords drops the passwords that clients send. The event scim.PartLeftOut reports it.
// Without a scim.PasswordSetter the handler drops them anyway.
//
// Products with single sign-on need it for some of their tenants: clients send a password, if
// only a random one, and it would open a second way in.
func DropPasswords(_ context.Context, c *scim.Change) error {
	if c.SetsPassword {
		c.SetsPassword, c.Left = false, append(c.Left, "password: dropped: passwords are not taken here")
	}
	return nil
}
