package rules

import (
	"context"
	"net/http"

	"github.com/scimkit/scim"
)

// Unique refuses a value that another resource of the type has already (409 uniqueness, which
// names the attribute). typ is "User", "Group", or a type of the application's own. path is
// an attribute, such as "externalId" or "emails.value". Values are compared as filters
// compare them. A value has at most 600 bytes.
//
// Products whose administrators choose the unique identifier field in the client need it:
// Okta looks users up by that field, and two of them would be confused. Stores make userName
// unique by themselves. Products in which a group is a team need it as Unique("Group",
// "displayName"): two pushed groups of one name would both own the team.
//
// Put it behind rules that adopt: the value may be that of the adopted resource.
//
// Requests at the same time are decided one after the other if the store is a
// scim.TenantLocker, as store/sqlstore is, or runs one transaction at a time, as store/memory
// does. With any other store two requests at the same time can both succeed; a unique index
// of the application prevents that.
func Unique(typ, path string) scim.Rule {
	return func(ctx context.Context, c *scim.Change) error {
		if !concerns(c, typ) {
			return nil
		}
		values := added(c, path)
		if len(values) == 0 {
			return nil
		}
		if l, ok := c.Tenant.Store.(scim.TenantLocker); ok {
			if err := l.LockTenant(ctx, "unique "+typ+" "+path); err != nil {
				return err
			}
		}
		for _, v := range values {
			if len(v) > longest {
				return refuse(c, path, tooLong(path))
			}
			taken, err := hasOther(ctx, c, path, v)
			if err != nil {
				return err
			}
			if taken {
				return refuse(c, path, &scim.Error{Status: http.StatusConflict, Type: "uniqueness",
					Detail: path + ": is taken: another " + typ + " has this value"})
			}
		}
		return nil
	}
}

// hasOther reports whether a resource other than that of the change has a value at path.
func hasOther(ctx context.Context, c *scim.Change, path, value string) (bool, error) {
	found, err := find(ctx, c, path, value, 2)
	if err != nil {
		return false, err
	}
	for _, r := range found {
		if r.ID() != c.Adopt && (c.Before == nil || r.ID() != c.Before.ID()) {
			return true, nil
		}
	}
	return false, nil
}
