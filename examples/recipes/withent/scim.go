package withent

import (
	"context"
	"database/sql"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/examples/recipes/withent/ent"
	"github.com/scimkit/scim/examples/recipes/withent/ent/team"
	"github.com/scimkit/scim/examples/recipes/withent/ent/user"
	"github.com/scimkit/scim/store/sqlstore"
)

// endpoint is what SCIM adds to the application.
type endpoint struct {
	handler *scim.Handler
	roles   *scim.Reconciler
}

// tables says what ent's columns mean.
func tables() sqlstore.Options {
	return sqlstore.Options{
		Tables: []sqlstore.Table{
			{
				// The column of a UUID has no default in the database: the library writes the id.
				Type: "User", Name: "users", Key: "id", KeepID: true, Created: "created_at", Updated: "updated_at",
				Visible: "t.deleted_at IS NULL",
				Columns: []sqlstore.Column{
					{Name: "email", Path: "userName"},
					{Name: "name", Path: "displayName", Empty: ""},
					sqlstore.ActiveWhen("status", "active", "suspended"),
				},
				// ent makes the time itself: the column has no default.
				Insert: func(context.Context, *scim.Resource) map[string]any {
					return map[string]any{"created_at": time.Now()}
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

// withSCIM makes the endpoint. Call it after Schema.Create.
func withSCIM(ctx context.Context, db *sql.DB, token string) (e endpoint, err error) {
	store, err := sqlstore.New(db, sqlstore.SQLite, tables())
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

// joined runs ent in the transaction of the request.
type joined struct{ store *sqlstore.Store }

// in returns a client in the transaction that ctx carries.
func (j joined) in(ctx context.Context) *ent.Client { return clientOn(j.store.DB(ctx)) }

// onWrite puts each new user into the team of everyone.
func (j joined) onWrite(ctx context.Context, w *scim.Written) error {
	if w.Op != scim.OpCreate || w.After.Type().Name() != "User" {
		return nil
	}
	id, err := uuid.Parse(w.After.ID())
	if err == nil {
		err = j.in(ctx).Team.Update().Where(team.Name("Everyone")).AddMemberIDs(id).Exec(ctx)
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
	keys, err := keysOf(ids)
	if err != nil {
		return nil, err
	}
	users, err := j.in(ctx).User.Query().Where(user.IDIn(keys...), user.RoleNEQ("member")).All(ctx)
	if err != nil {
		return nil, err
	}
	held := map[string][]scim.Role{}
	for _, u := range users {
		held[u.ID.String()] = []scim.Role{roleOf(u.Role)}
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
		keys, err := keysOf([]string{c.UserID})
		if err == nil {
			err = j.in(ctx).User.Update().Where(user.IDIn(keys...)).SetRole(role).Exec(ctx)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func keysOf(ids []string) (keys []uuid.UUID, err error) {
	keys = make([]uuid.UUID, len(ids))
	for i, id := range ids {
		if keys[i], err = uuid.Parse(id); err != nil {
			return nil, err
		}
	}
	return keys, nil
}

func roleOf(id string) scim.Role { return scim.Role{ID: id, Name: id} }
