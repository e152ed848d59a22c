package withsqlx

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
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
					sqlstore.ActiveWhileNull("disabled_at"),
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
func withSCIM(ctx context.Context, x *sqlx.DB, token string) (e endpoint, err error) {
	store, err := sqlstore.New(x.DB, sqlstore.SQLite, tables())
	if err != nil {
		return e, err
	}
	if err := store.Migrate(ctx); err != nil {
		return e, err
	}
	j := joined{x}
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

// joined runs sqlx in the transaction of the request.
type joined struct{ x *sqlx.DB }

// in returns the transaction that ctx carries, or else the pool. The transaction does not know its
// database, so let the pool bind parameters: BindNamed, Rebind.
func (j joined) in(ctx context.Context) sqlx.ExtContext {
	if tx := sqlstore.Tx(ctx, j.x.DB); tx != nil {
		return &sqlx.Tx{Tx: tx, Mapper: j.x.Mapper}
	}
	return j.x
}

// onWrite puts each new user into the team of everyone.
func (j joined) onWrite(ctx context.Context, w *scim.Written) error {
	if w.Op != scim.OpCreate || w.After.Type().Name() != "User" {
		return nil
	}
	query, args, err := j.x.BindNamed("INSERT INTO team_members (team_id, user_id) SELECT t.id, u.id FROM teams t, users u WHERE t.name = :team AND u.id = :user",
		map[string]any{"user": w.After.ID(), "team": "Everyone"})
	if err == nil {
		_, err = j.in(ctx).ExecContext(ctx, query, args...)
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
	query, args, err := sqlx.In("SELECT * FROM users WHERE id IN (?) AND role <> 'member'", ids)
	if err != nil {
		return nil, err
	}
	var users []User
	if err := sqlx.SelectContext(ctx, j.in(ctx), &users, j.x.Rebind(query), args...); err != nil {
		return nil, err
	}
	held := map[string][]scim.Role{}
	for _, u := range users {
		held[u.ID] = []scim.Role{roleOf(u.Role)}
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
		if _, err := j.in(ctx).ExecContext(ctx, j.x.Rebind("UPDATE users SET role = ? WHERE id = ?"), role, c.UserID); err != nil {
			return err
		}
	}
	return nil
}

func roleOf(id string) scim.Role { return scim.Role{ID: id, Name: id} }
