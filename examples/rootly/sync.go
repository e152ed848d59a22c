package main

import (
	"context"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/examples/internal/page"
	"github.com/scimkit/scim/rules/phone"
	"github.com/scimkit/scim/store/sqlstore"
)

// The scopes: what a person is in the team, and the groups of which the person is a member.
const (
	roleScope  = "role"
	groupScope = "group"
)

// rolesInTeam are the roles of a team. A member without one has the default role "member".
var rolesInTeam = []scim.Role{{ID: "observer", Name: "Observer", Weight: 10}, {ID: "responder", Name: "Responder", Weight: 50}, {ID: "admin", Name: "Admin", Weight: 100}}

// policy lets the heaviest role count. Somebody may be in any number of groups.
func policy(scope string) scim.RolePolicy {
	if scope == roleScope {
		return scim.RolePolicy{Exclusive: true, Pick: scim.PickHeaviest, Base: "member"}
	}
	return scim.RolePolicy{}
}

// memberships are the members of the application's groups. A group of the client stands for the group in the
// application with its id, while groups are synced. So a person who is a member by hand too stays one.
func (c *customer) memberships() sqlstore.RoleTables {
	return sqlstore.RoleTables{
		Roles: "groups", ID: "id", Name: "name", Tenant: "team_id",
		Holders: "group_members", User: "user_id", Role: "group_id", UserTenant: "team_id", Scope: sqlstore.RoleScope{Name: groupScope},
		Match: func(ctx context.Context, src scim.RoleSource) ([]scim.Role, error) {
			t, err := readTeam(ctx, c.store.DB(ctx), c.id)
			if err != nil || src.Group == nil || !t.GroupSync {
				return nil, err
			}
			return []scim.Role{{ID: src.Group.ID()}}, nil
		},
	}
}

// roles is the column of the role. An administrator maps a group to a role, by the group's id.
func (c *customer) roles() sqlstore.RoleColumn {
	return sqlstore.RoleColumn{
		Table: "memberships", User: "user_id", UserTenant: "team_id", Column: "role", Base: "member",
		Scope: sqlstore.RoleScope{Name: roleScope}, List: rolesInTeam,
		Match: func(ctx context.Context, src scim.RoleSource) ([]scim.Role, error) {
			t, err := readTeam(ctx, c.store.DB(ctx), c.id)
			if err != nil || src.Group == nil || !t.GroupRoles {
				return nil, err
			}
			rows, err := page.Texts(ctx, c.store.DB(ctx), "SELECT role FROM role_mappings WHERE team_id = $1 AND group_id = $2", c.id, src.Group.ID())
			if err != nil || len(rows) == 0 {
				return nil, err
			}
			return []scim.Role{{ID: rows[0][0]}}, nil
		},
	}
}

// follow writes what belongs to a client's write, in its transaction: the name of a synced group, and the
// telephone numbers of a person.
func (c *customer) follow(ctx context.Context, w *scim.Written) error {
	t, err := readTeam(ctx, c.store.DB(ctx), c.id)
	switch {
	case err != nil || w.After == nil && w.Before.Type().Name() == "Group":
		return err
	case w.After == nil:
		return c.setPhones(ctx, w.Before, false)
	case w.After.Type().Name() == "User":
		return c.setPhones(ctx, w.After, t.Phones && w.After.Active())
	case t.GroupSync:
		_, err = c.store.DB(ctx).ExecContext(ctx, "UPDATE groups SET in_app = TRUE, name = scim_name WHERE CAST(id AS text) = $1", w.After.ID())
	}
	return err
}

// setPhones replaces the numbers of a person by those that the client has sent, in the form E.164. A number that
// is not valid is left out.
func (c *customer) setPhones(ctx context.Context, user *scim.Resource, on bool) error {
	db := c.store.DB(ctx)
	_, err := db.ExecContext(ctx, "DELETE FROM phones WHERE team_id = $1 AND CAST(user_id AS text) = $2", c.id, user.ID())
	if err != nil || !on {
		return err
	}
	for _, n := range phone.Numbers(user, "US") { // "US": for numbers without a country code
		_, err := db.ExecContext(ctx, `INSERT INTO phones (team_id, user_id, e164, verified)
			SELECT team_id, user_id, $1, TRUE FROM memberships WHERE team_id = $2 AND CAST(user_id AS text) = $3 ON CONFLICT DO NOTHING`, n.E164, c.id, user.ID())
		if err != nil {
			return err
		}
	}
	return nil
}

// setGroupSync is the switch "Sync SCIM groups to teams". Groups that were pushed before appear when it is on.
// When it is off again, nobody is a member through a client any more, and the groups stay.
func (a *app) setGroupSync(ctx context.Context, c *customer, on bool) error {
	err := a.change(ctx, c.id, func(ctx context.Context, t *team) error {
		if t.GroupSync = on; !on {
			return nil
		}
		_, err := c.store.DB(ctx).ExecContext(ctx, "UPDATE groups SET in_app = TRUE, name = scim_name WHERE team_id = $1 AND NOT released", c.id)
		return err
	})
	if err != nil {
		return err
	}
	return c.followSettings(ctx)
}

// setGroupRoles is the switch "Assign roles to SCIM groups".
func (a *app) setGroupRoles(ctx context.Context, c *customer, on bool) error {
	if err := a.change(ctx, c.id, func(_ context.Context, t *team) error { t.GroupRoles = on; return nil }); err != nil {
		return err
	}
	return c.followSettings(ctx)
}

// setPhoneSync is the switch of telephone numbers. What clients have sent before counts when it is on.
func (a *app) setPhoneSync(ctx context.Context, c *customer, on bool) error {
	return a.change(ctx, c.id, func(ctx context.Context, t *team) error {
		t.Phones = on
		return c.setAllPhones(ctx, on)
	})
}

// setAllPhones replaces the numbers of all people, in the transaction of ctx.
func (c *customer) setAllPhones(ctx context.Context, on bool) error {
	for q := (&scim.Query{Limit: 100}); ; {
		users, err := c.store.List(ctx, scim.UserType(), q)
		if err != nil {
			return err
		}
		for _, u := range users.Resources {
			if err := c.setPhones(ctx, u, on && u.Active()); err != nil {
				return err
			}
		}
		if len(users.Resources) < q.Limit {
			return nil
		}
		q.After = scim.KeyOf(q, users.Resources[len(users.Resources)-1])
	}
}

// mapRole maps a group to a role; "" to none.
func (a *app) mapRole(ctx context.Context, c *customer, groupID, role string) error {
	if role != "" && !isRole(role) {
		return scim.ErrNoRole
	}
	err := a.change(ctx, c.id, func(ctx context.Context, _ *team) error {
		_, err := c.store.DB(ctx).ExecContext(ctx, "DELETE FROM role_mappings WHERE team_id = $1 AND group_id = $2", c.id, groupID)
		if err == nil && role != "" {
			_, err = c.store.DB(ctx).ExecContext(ctx, "INSERT INTO role_mappings (team_id, group_id, role) VALUES ($1, $2, $3)", c.id, groupID, role)
		}
		return err
	})
	if err != nil {
		return err
	}
	return c.directory.Reconciler.GroupRolesChanged(ctx, groupID)
}

// followSettings makes roles and memberships follow the switches and the mapping of groups. These were committed before,
// so a process that is killed in between leaves it to the next start.
func (c *customer) followSettings(ctx context.Context) error {
	return c.directory.Reconciler.RolesChanged(ctx)
}
