package rules

import (
	"context"

	"github.com/scimkit/scim"
)

// KeepSuspended keeps a user inactive whom the application has suspended. A client's profile
// push contains "active": true each time, and must not lift the suspension. The rest of the
// request is done, and the event scim.PartLeftOut says what was left out.
//
// Products need it that keep their own lock in the column to which active is mapped, such as
// a status that is "locked". If the lock has a column of its own, nothing can lift it.
// isSuspended sees the stored user. The handler asks only if a request reactivates the user.
// Put the rule behind those that adopt: an adoption does not lift the suspension either.
func KeepSuspended(isSuspended func(ctx context.Context, user *scim.Resource) (bool, error)) scim.Rule {
	return func(ctx context.Context, c *scim.Change) error {
		if !concerns(c, "User") || !c.After.Active() || c.Adopt != "" && c.After.Get("active") == nil {
			return nil // An adoption that says nothing of it activates nobody.
		}
		before, err := stored(ctx, c)
		if err != nil || before == nil || before.Active() {
			return err
		}
		yes, err := isSuspended(ctx, before)
		if err != nil || !yes {
			return err
		}
		after, err := c.After.With(map[string]any{"active": false})
		if err != nil {
			return err
		}
		c.After, c.Left = after, append(c.Left, "active: the application has suspended this user")
		return nil
	}
}
