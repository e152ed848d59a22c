package newcomer

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"strings"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/store/sqlstore"
)

// accounts is the store. It also ends the sessions of people who leave.
type accounts struct{ *sqlstore.Store }

func (s accounts) Deactivate(ctx context.Context, user *scim.Resource) error {
	_, err := s.DB(ctx).ExecContext(ctx, "DELETE FROM sessions WHERE person_id = ?", user.ID())
	return err
}

// lower writes addresses as the login page compares them: in lower case.
func lower(v any) (any, error) {
	s, ok := v.(string)
	if !ok {
		return nil, fmt.Errorf("an address of type %T", v)
	}
	return strings.ToLower(s), nil
}

// withSCIM puts the SCIM endpoint in front of the application.
func withSCIM(ctx context.Context, a *app, db *sql.DB, token string) (http.Handler, error) {
	store, err := sqlstore.New(db, sqlstore.SQLite, sqlstore.Options{
		Tables: []sqlstore.Table{
			{
				Type: "User", Name: "people", Key: "id", Created: "created_at",
				Visible: "t.kind = 'human'",
				Insert:  func(context.Context, *scim.Resource) map[string]any { return map[string]any{"kind": "human"} },
				Columns: []sqlstore.Column{
					{Name: "email", Path: "userName", To: lower},
					{Name: "full_name", Path: "displayName", Empty: ""},
					{Name: "given_name", Path: "name.givenName", Empty: ""},
					{Name: "family_name", Path: "name.familyName", Empty: ""},
					{Name: "phone", Path: "phoneNumbers.value", Of: "work"},
					sqlstore.ActiveWhen("state", "active", "suspended"),
				},
			},
			{
				Type: "Group", Name: "teams", Key: "id",
				Columns: []sqlstore.Column{{Name: "name", Path: "displayName"}},
			},
		},
		Members: &sqlstore.Join{Name: "team_people", Group: "team_id", User: "person_id"},
	})
	if err != nil {
		return nil, err
	}
	if err := store.Migrate(ctx); err != nil {
		return nil, err
	}
	resolver, err := store.RoleResolver(ctx, sqlstore.RoleTables{
		Roles: "roles", ID: "id", Name: "name", Weight: "rank", Protected: "protected",
		Holders: "people_roles", User: "person_id", Role: "role_id",
		Insert: func(_ context.Context, user, role string) map[string]any { return map[string]any{"given_by": "scim"} },
	})
	if err != nil {
		return nil, err
	}
	h, err := scim.New(scim.Config{
		Store: accounts{store},
		Auth:  auth.Bearer(auth.TokenOf(token)),
		Roles: &scim.Roles{Resolver: resolver},
		Rules: []scim.Rule{store.Adopt(sqlstore.SamePerson, "User", "Group")},
	})
	if err != nil {
		return nil, err
	}
	roles, err := h.Reconciler(nil)
	if err != nil {
		return nil, err
	}
	a.roles = roles
	return scim.Mount("/scim/v2", h, a.handler()), nil
}
