package main

import (
	"context"
	"database/sql"
	"net/http"
	"strings"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/rules"
	"github.com/scimkit/scim/store/sqlstore"
)

// The states of a user.
const (
	statusActive   = 0
	statusDisabled = 2
)

// users says what the columns of users mean. Groups stay in the library's tables, because people make
// teams and fill them: a team is something that a group gives.
var users = sqlstore.Table{
	Type: "User", Name: "users", Key: "id", Created: "created", Updated: "updated",
	Unclaimed: sqlstore.FindUnclaimed,
	Columns: []sqlstore.Column{
		{Name: "username", Path: "userName"},
		{Name: "name", Path: "displayName"},
		{Name: "email", Path: "emails.value", Of: "work"}, // the one that Entra changes
		sqlstore.ActiveWhen("status", statusActive, statusDisabled),
	},
	// Vikunja has no default for these columns.
	Insert: func(context.Context, *scim.Resource) map[string]any {
		return map[string]any{"created": now(), "issuer": "local"}
	},
}

// now is the time as Vikunja writes it.
func now() time.Time { return time.Now().UTC().Truncate(time.Second) }

// teamRoles are the roles in a team. A row of team_members is the role: admin is 0 or 1.
func teamRoles(store *sqlstore.Store) sqlstore.RoleTables {
	return sqlstore.RoleTables{
		Holders: "team_members", User: "user_id", Role: "admin",
		Scope: sqlstore.RoleScope{Name: "team:", Column: "team_id", Table: "teams", Key: "id"},
		List:  []scim.Role{{ID: "0", Name: "Member"}, {ID: "1", Name: "Administrator", Weight: 1}},
		Match: func(ctx context.Context, src scim.RoleSource) ([]scim.Role, error) {
			team, isAdmins := strings.CutSuffix(src.Name(), " admins")
			id := "0"
			if isAdmins {
				id = "1"
			}
			return rolesIn(ctx, store, src, team, id)
		},
		Insert: func(context.Context, string, string) map[string]any { return map[string]any{"created": now()} },
	}
}

// rolesIn returns the role in the team that has a name and that the directory may fill: people's own
// teams have another issuer. Two teams of one name get nobody. If no team has the name any more, the
// group keeps the team that it had.
func rolesIn(ctx context.Context, store *sqlstore.Store, src scim.RoleSource, team, id string) ([]scim.Role, error) {
	var found int
	var first sql.NullString
	err := store.DB(ctx).QueryRowContext(ctx, "SELECT count(*), min(CAST(id AS text)) FROM teams WHERE name = ?1 AND issuer = 'scim'", team).Scan(&found, &first)
	switch {
	case err != nil || found > 1:
		return nil, err
	case found == 0:
		return src.Linked, nil
	}
	return []scim.Role{{Scope: "team:" + first.String, ID: id}}, nil
}

// administrators is the role of the instance's administrators. Somebody has to confirm it.
var administrators = sqlstore.RoleColumn{
	Table: "users", User: "id", Column: "is_admin", Base: false, Scope: sqlstore.RoleScope{Name: "instance"},
	List: []scim.Role{{ID: "true", Name: "Vikunja administrators", Protected: true}},
}

// withSCIM puts a SCIM endpoint in front of the application.
func withSCIM(ctx context.Context, db *sql.DB, token string) (http.Handler, error) {
	store, err := sqlstore.New(db, sqlstore.SQLite, sqlstore.Options{Tables: []sqlstore.Table{users}})
	if err != nil {
		return nil, err
	}
	if err := store.Migrate(ctx); err != nil {
		return nil, err
	}
	resolver, err := store.RoleResolver(ctx, teamRoles(store), administrators)
	if err != nil {
		return nil, err
	}
	h, err := scim.New(scim.Config{
		Store: store, Auth: auth.Bearer(auth.TokenOf(token)),
		// One role in each team, the administrator's if a group of members gives the other one too.
		Roles: &scim.Roles{Resolver: resolver, Exclusive: true},
		// Whoever leaves is deactivated: only Vikunja knows how to delete a user with all projects.
		Rules: []scim.Rule{rules.Off(rules.DeleteUsers), store.Adopt(sqlstore.SamePerson)},
	})
	if err != nil {
		return nil, err
	}
	roles, err := h.Reconciler(nil)
	return scim.Mount("/scim/v2", h, &server{db, roles}), err
}
