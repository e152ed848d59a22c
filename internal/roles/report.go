package roles

import (
	"context"
	"slices"

	"github.com/scimkit/scim/internal/directory"
	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/model"
)

// openChanged reconciles, after a report of the application, the users whom neither a group
// nor a value finds: those who hold something through an attribute that names roles no
// longer, and those whose role waits for a place. It needs a ledger that lists both.
func (c *Admin) openChanged(ctx context.Context) error {
	if c.t.Roles.Pending == nil {
		return nil
	}
	if err := c.attributesGone(ctx); err != nil {
		return err
	}
	return c.placesFree(ctx)
}

// attributesGone revokes what attributes gave that are not in Roles.Attributes any more, and
// removes the links of their values.
func (c *Admin) attributesGone(ctx context.Context) error {
	isGone := func(s host.Source) bool {
		path, _, ok := s.Attribute()
		return ok && !slices.ContainsFunc(c.t.Roles.Attributes, func(a *model.Attribute) bool { return a.Path == path })
	}
	var gone []host.Source
	for after := host.Source(""); ; {
		links, err := c.t.Roles.Pending.AllLinks(ctx, after, directory.Batch)
		if err != nil {
			return err
		}
		for _, l := range links {
			after = l.Source
			if isGone(l.Source) {
				gone = append(gone, l.Source)
			}
		}
		if len(links) == 0 {
			break
		}
	}
	if len(gone) == 0 {
		return nil
	}
	err := c.t.dir.Each(ctx, c.t.Types.User, nil, func(page []*doc.Document) error {
		ids := make([]string, len(page))
		for i, u := range page {
			ids[i] = u.ID
		}
		grants, err := c.t.Roles.Ledger.Grants(ctx, ids)
		if err != nil {
			return err
		}
		var users []string
		for _, g := range grants {
			if isGone(g.Source) {
				users = append(users, g.UserID)
			}
		}
		slices.Sort(users)
		return c.Users(ctx, slices.Compact(users)...)
	})
	if err != nil {
		return err
	}
	for _, source := range gone {
		if err := c.t.Roles.Ledger.SetLink(ctx, host.Link{Source: source}); err != nil {
			return err
		}
	}
	return nil
}

// placesFree reconciles the users of whom a role waits for a place. The role that occupied
// it may be gone.
func (c *Admin) placesFree(ctx context.Context) error {
	for after := (host.Grant{}); ; {
		grants, err := c.t.Roles.Pending.OpenGrants(ctx, after, directory.Batch)
		if err != nil || len(grants) == 0 {
			return err
		}
		var users []string
		for _, g := range grants {
			if g.State == host.GrantWaitsForPlace {
				users = append(users, g.UserID)
			}
		}
		if err := c.Users(ctx, slices.Compact(users)...); err != nil {
			return err
		}
		after = grants[len(grants)-1]
	}
}
