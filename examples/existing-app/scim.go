package main

import (
	"context"
	"database/sql"
	"net/http"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/store/sqlstore"
)

// withSCIM puts a SCIM endpoint in front of the application. This file is all the code for it.
func withSCIM(ctx context.Context, next http.Handler, db *sql.DB, d sqlstore.Dialect, token string) (http.Handler, error) {
	store, err := sqlstore.New(db, d, sqlstore.Options{
		Tables: []sqlstore.Table{
			{
				Type: "User", Name: "users", Key: "id", Created: "created_at",
				Columns: []sqlstore.Column{
					{Name: "email", Path: "userName"},
					{Name: "full_name", Path: "displayName", Empty: ""},
					{Name: "phone", Path: "phoneNumbers.value", Of: "work"},
					sqlstore.ActiveWhen("status", "active", "locked"),
				},
			},
			{
				Type: "Group", Name: "teams", Key: "id",
				Columns: []sqlstore.Column{{Name: "name", Path: "displayName"}},
			},
		},
		Members: &sqlstore.Join{Name: "team_members", Group: "team_id", User: "user_id"},
	})
	if err != nil {
		return nil, err
	}
	if err := store.Migrate(ctx); err != nil { // at each start
		return nil, err
	}
	roles, err := store.RoleResolver(ctx, sqlstore.RoleTables{
		Roles: "roles", ID: "id", Name: "name",
		Holders: "user_roles", User: "user_id", Role: "role_id",
	})
	if err != nil {
		return nil, err
	}
	h, err := scim.New(scim.Config{
		Store: store,
		Auth:  auth.Bearer(auth.TokenOf(token)),
		Roles: &scim.Roles{Resolver: roles},
		// A POST for a known address adopts the existing user: the identity provider owns addresses.
		Rules: []scim.Rule{store.Adopt(sqlstore.SamePerson)},
	})
	if err != nil {
		return nil, err
	}
	return scim.Mount("/scim/v2", h, next), nil
}
