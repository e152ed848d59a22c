package withsqlc

import (
	"context"
	"database/sql"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/examples/recipes/withsqlc/db"
	"github.com/scimkit/scim/store/sqlstore"
)

// endpoint is what SCIM adds to the application.
type endpoint struct {
	handler *scim.Handler
	roles   *scim.Reconciler
}

// tables says what the columns mean.
func tables() sqlstore.Options {
	return sqlstore.Options{
		Tables: []sqlstore.Table{
			{
				Type: "User", Name: "users", Key: "id", Created: "created_at", Updated: "updated_at",
				Visible: "t.deleted_at IS NULL",
				Columns: []sqlstore.Column{
					{Name: "email", Path: "userName"},
					{Name: "name", Path: "displayName", Empty: ""},
					sqlstore.ActiveWhen("is_active", true, false),
				},
				Retire: func(_ context.Context, _ *scim.Resource, now time.Time) map[string]any {
					return map[string]any{"deleted_at": now}
				},
				Revive: func(context.Context, *scim.Resource) map[string]any { return map[string]any{"deleted_at": nil} },
			},
			{Type: "Group", Name: "teams", Key: "id", Columns: []sqlstore.Column{{Name: "name", Path: "displayName"}}},
		},
		Members: &sqlstore.Join{Name: "team_members", Group: "team_id", User: "user_id"},
	}
}

// withSCIM makes the endpoint.
func withSCIM(ctx context.Context, pool *sql.DB, token string) (e endpoint, err error) {
	store, err := sqlstore.New(pool, sqlstore.SQLite, tables())
	if err != nil {
		return e, err
	}
	if err := store.Migrate(ctx); err != nil {
		return e, err
	}
	j := joined{store}
	e.handler, err = scim.New(scim.Config{
		Store: store, Auth: auth.Bearer(auth.TokenOf(token)),
		Roles:   &scim.Roles{Resolver: j, Exclusive: true},
		Rules:   []scim.Rule{store.Adopt(sqlstore.SamePerson)},
		OnWrite: j.onWrite,
	})
	if err != nil {
		return e, err
	}
	e.roles, err = e.handler.Reconciler(nil)
	return e, err
}

// joined runs sqlc in the transaction of the request.
type joined struct{ store *sqlstore.Store }

// in returns the queries in the transaction that ctx carries.
func (j joined) in(ctx context.Context) *db.Queries { return db.New(j.store.DB(ctx)) }

// onWrite puts each new user into the team of everyone.
func (j joined) onWrite(ctx context.Context, w *scim.Written) error {
	if w.Op != scim.OpCreate || w.After.Type().Name() != "User" {
		return nil
	}
	key, err := keyOf(w.After.ID())
	if err == nil {
		err = j.in(ctx).JoinEveryone(ctx, key)
	}
	if err == nil && strings.HasSuffix(w.After.String("userName"), "@refused.example") {
		err = &scim.Error{Status: http.StatusBadRequest, Type: "invalidValue", Detail: "userName: the application takes no address of this domain"}
	}
	return err
}

// The application keeps one role for each user in a column.

func (j joined) ResolveRoles(_ context.Context, src scim.RoleSource) ([]scim.Role, error) {
	if !slices.Contains([]string{"editor", "viewer"}, src.Name()) {
		return nil, scim.ErrNoRole
	}
	return []scim.Role{roleOf(src.Name())}, nil
}

func (j joined) HeldRoles(ctx context.Context, ids []string) (map[string][]scim.Role, error) {
	keys := make([]int64, len(ids))
	for i, id := range ids {
		var err error
		if keys[i], err = keyOf(id); err != nil {
			return nil, err
		}
	}
	users, err := j.in(ctx).RolesOf(ctx, keys)
	if err != nil {
		return nil, err
	}
	held := map[string][]scim.Role{}
	for _, u := range users {
		held[strconv.FormatInt(u.ID, 10)] = []scim.Role{roleOf(u.Role)}
	}
	return held, nil
}

func (j joined) ChangeRoles(ctx context.Context, changes []scim.RoleChange) error {
	for _, c := range changes {
		role := "member"
		if len(c.Grant) > 0 {
			role = c.Grant[0].ID
		} else if len(c.Revoke) == 0 {
			continue
		}
		key, err := keyOf(c.UserID)
		if err == nil {
			err = j.in(ctx).SetRole(ctx, db.SetRoleParams{Role: role, ID: key})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func keyOf(id string) (int64, error) { return strconv.ParseInt(id, 10, 64) }

func roleOf(id string) scim.Role { return scim.Role{ID: id, Name: id} }
