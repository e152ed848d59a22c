package rules

import (
	"context"
	"net/http"

	"github.com/scimkit/scim"
)

// KeepGroups refuses to rename and to delete the groups that are says yes to (403). Their
// members and other attributes may change. are sees the stored group.
//
// Products with teams of their own need it: a client imports such a team and fills it, and
// must not delete it, nor give it another name.
func KeepGroups(are func(group *scim.Resource) bool) scim.Rule {
	return func(_ context.Context, c *scim.Change) error {
		if c.Before == nil || c.Before.Type().Name() != "Group" || !are(c.Before) {
			return nil
		}
		if c.Op == scim.OpDelete {
			return forbidden("this group belongs to the application: clients cannot delete it; remove its members instead")
		}
		if c.Before.String("displayName") == c.After.String("displayName") {
			return nil
		}
		return refuse(c, "displayName", forbidden("displayName: this group belongs to the application: clients cannot rename it"))
	}
}

// ProtectGroups refuses every change of the groups that are says yes to, except that members
// leave (403). It also refuses to create such a group, and to rename another one so that it
// becomes one. are sees the stored group and the group as the request leaves it.
//
// Products need it for groups that give power in the application, such as administrators,
// and for groups that it fills itself, such as everybody.
func ProtectGroups(are func(group *scim.Resource) bool) scim.Rule {
	return func(_ context.Context, c *scim.Change) error {
		group := c.Before
		if group == nil {
			group = c.After
		}
		if group.Type().Name() != "Group" {
			return nil
		}
		switch {
		case c.Op == scim.OpDelete && are(c.Before):
			return forbidden("this group is protected: clients cannot delete it")
		case c.Op == scim.OpDelete:
			return nil
		case c.Before == nil && are(c.After):
			return forbidden("displayName: a group like this is protected: clients cannot create it")
		case c.Before != nil && (are(c.Before) || are(c.After)):
			return keepGroup(c, "this group is protected: clients cannot change it, only remove members")
		}
		return nil
	}
}

func forbidden(detail string) *scim.Error {
	return &scim.Error{Status: http.StatusForbidden, Detail: detail}
}

// keepGroup refuses a change of a group that does anything but remove members. It leaves the
// rest out if the request removes members too.
func keepGroup(c *scim.Change, detail string) error {
	same, err := isUnchanged(c)
	switch {
	case err != nil:
		return err
	case same && len(c.Add) == 0:
		return nil
	case len(c.Remove) == 0:
		return forbidden(detail)
	}
	c.After, c.Add, c.Left = c.Before, nil, append(c.Left, detail)
	return nil
}

// isUnchanged reports whether a change leaves all attributes of a group as they are. Members
// are not compared: a store may keep them in the resource, and Change.After has none.
func isUnchanged(c *scim.Change) (bool, error) {
	before, err := c.Before.With(map[string]any{"members": nil})
	if err != nil {
		return false, err
	}
	after, err := c.After.With(map[string]any{"members": nil})
	if err != nil {
		return false, err
	}
	return after.Equal(before), nil
}
