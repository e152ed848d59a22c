package main

import (
	"context"
	"database/sql"
	"net/http"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/store/sqlstore"
)

// withSCIM puts a SCIM endpoint in front of the application. The application tells the Reconciler
// which roles administrators give by hand, and which protected roles they confirm.
func withSCIM(ctx context.Context, next http.Handler, db *sql.DB, d sqlstore.Dialect, token string) (http.Handler, *scim.Reconciler, error) {
	store, err := sqlstore.New(db, d, sqlstore.Options{
		Tables: []sqlstore.Table{
			{
				// Clients find users by name. Lists leave out those whom no client has claimed, because
				// some clients delete whom they do not know.
				Type: "User", Name: "users", Key: "id", Created: "created_at", Unclaimed: sqlstore.FindUnclaimed,
				Columns: []sqlstore.Column{
					{Name: "email", Path: "userName"},
					{Name: "full_name", Path: "displayName", Empty: ""},
					{Name: "phone", Path: "phoneNumbers.value", Of: "work"},
					sqlstore.ActiveWhen("status", "active", "locked"),
				},
			},
			{
				Type: "Group", Name: "teams", Key: "id", Unclaimed: sqlstore.FindUnclaimed,
				Columns: []sqlstore.Column{{Name: "name", Path: "displayName"}},
			},
		},
		Members: &sqlstore.Join{Name: "team_members", Group: "team_id", User: "user_id"},
	})
	if err != nil {
		return nil, nil, err
	}
	if err := store.Migrate(ctx); err != nil { // at each start
		return nil, nil, err
	}
	resolver, err := store.RoleResolver(ctx, sqlstore.RoleTables{
		// Protected is a boolean column. A group named like a protected role waits for Reconciler.Confirm.
		Roles: "roles", ID: "id", Name: "name", Protected: "protected",
		Holders: "user_roles", User: "user_id", Role: "role_id",
	})
	if err != nil {
		return nil, nil, err
	}
	h, err := scim.New(scim.Config{
		Store: store,
		Auth:  auth.Bearer(auth.TokenOf(token)),
		Roles: &scim.Roles{Resolver: resolver},
		// A POST adopts a user or team that exists. Leave "Group" out if people make teams themselves.
		Rules: []scim.Rule{store.Adopt(sqlstore.SamePerson, "User", "Group")},
	})
	if err != nil {
		return nil, nil, err
	}
	reconciler, err := h.Reconciler(nil)
	return scim.Mount("/scim/v2", h, next), reconciler, err
}
