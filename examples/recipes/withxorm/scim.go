package withxorm

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"xorm.io/builder"
	"xorm.io/xorm"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/store/sqlstore"
)

// endpoint is what SCIM adds to the application.
type endpoint struct {
	handler *scim.Handler
	roles   *scim.Reconciler
}

// tables says what xorm's columns mean.
func tables() sqlstore.Options {
	return sqlstore.Options{
		Tables: []sqlstore.Table{
			{
				// "user" is a word of SQL, so it stands in quotes.
				Type: "User", Name: `"user"`, Key: "id", Created: "created", Updated: "updated",
				Visible: "t.deleted IS NULL",
				Columns: []sqlstore.Column{
					{Name: "email", Path: "userName"},
					{Name: "name", Path: "displayName", Empty: ""},
					sqlstore.ActiveWhen("status", StatusActive, StatusDisabled),
				},
				// xorm fills created itself: the column has no default.
				Insert: func(context.Context, *scim.Resource) map[string]any {
					return map[string]any{"created": time.Now().UTC()}
				},
				Retire: func(_ context.Context, _ *scim.Resource, now time.Time) map[string]any {
					return map[string]any{"deleted": now.UTC()}
				},
				Revive: func(context.Context, *scim.Resource) map[string]any { return map[string]any{"deleted": nil} },
			},
			{Type: "Group", Name: "team", Key: "id", Columns: []sqlstore.Column{{Name: "name", Path: "displayName"}}},
		},
		Members: &sqlstore.Join{Name: "team_member", Group: "team_id", User: "user_id"},
	}
}

// withSCIM makes the endpoint. Call it after Sync.
func withSCIM(ctx context.Context, x *xorm.Engine, token string) (e endpoint, err error) {
	store, err := sqlstore.New(pool(x), sqlstore.SQLite, tables())
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

// joined runs statements of xorm's builder in the transaction of the request. A Session cannot join
// a transaction that it has not begun.
type joined struct{ store *sqlstore.Store }

func (j joined) exec(ctx context.Context, b *builder.Builder) error {
	query, args, err := b.ToSQL()
	if err == nil {
		_, err = j.store.DB(ctx).ExecContext(ctx, query, args...)
	}
	return err
}

// onWrite puts each new user into the team of everyone.
func (j joined) onWrite(ctx context.Context, w *scim.Written) error {
	if w.Op != scim.OpCreate || w.After.Type().Name() != "User" {
		return nil
	}
	err := j.exec(ctx, builder.Dialect(builder.SQLITE).Insert("team_id, user_id").Into("team_member").
		Select("team.id", "u.id").From("team").InnerJoin(`"user" AS u`, builder.Eq{"u.id": w.After.ID()}).
		Where(builder.Eq{"team.name": "Everyone"}))
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
	query, args, err := builder.Dialect(builder.SQLITE).Select("id", "role").From(`"user"`).
		Where(builder.In("id", ids).And(builder.Neq{"role": "member"})).ToSQL()
	if err != nil {
		return nil, err
	}
	rows, err := j.store.DB(ctx).QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // Err tells
	held := map[string][]scim.Role{}
	for rows.Next() {
		var id, role string
		if err := rows.Scan(&id, &role); err != nil {
			return nil, err
		}
		held[id] = []scim.Role{roleOf(role)}
	}
	return held, rows.Err()
}

func (j joined) ChangeRoles(ctx context.Context, changes []scim.RoleChange) error {
	for _, c := range changes {
		role := "member"
		if len(c.Grant) > 0 {
			role = c.Grant[0].ID
		} else if len(c.Revoke) == 0 {
			continue
		}
		if err := j.exec(ctx, builder.Dialect(builder.SQLITE).Update(builder.Eq{"role": role}).From(`"user"`).Where(builder.Eq{"id": c.UserID})); err != nil {
			return err
		}
	}
	return nil
}

func roleOf(id string) scim.Role { return scim.Role{ID: id, Name: id} }

func idOf(u *User) string { return strconv.FormatInt(u.ID, 10) }
