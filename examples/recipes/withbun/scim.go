package withbun

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/store/sqlstore"
)

// endpoint is what SCIM adds to the application.
type endpoint struct {
	handler *scim.Handler
	roles   *scim.Reconciler
}

// tables says what bun's columns mean.
func tables() sqlstore.Options {
	return sqlstore.Options{
		Tables: []sqlstore.Table{
			{
				Type: "User", Name: "users", Key: "id", Created: "created_at", Updated: "updated_at",
				Visible: "t.deleted_at IS NULL",
				Columns: []sqlstore.Column{
					{Name: "email", Path: "userName"},
					{Name: "name", Path: "displayName", Empty: ""},
					sqlstore.ActiveWhen("active", true, false),
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

// withSCIM makes the endpoint. Call it after the tables are made.
func withSCIM(ctx context.Context, b *bun.DB, token string) (e endpoint, err error) {
	store, err := sqlstore.New(b.DB, sqlstore.SQLite, tables())
	if err != nil {
		return e, err
	}
	if err := store.Migrate(ctx); err != nil {
		return e, err
	}
	j := joined{b, store}
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

// joined runs bun in the transaction of the request.
type joined struct {
	b     *bun.DB
	store *sqlstore.Store
}

// onWrite puts each new user into the team of everyone.
func (j joined) onWrite(ctx context.Context, w *scim.Written) error {
	if w.Op != scim.OpCreate || w.After.Type().Name() != "User" {
		return nil
	}
	var everyone Team
	if err := j.b.NewSelect().Model(&everyone).Where("name = ?", "Everyone").Conn(j.store.DB(ctx)).Scan(ctx); err != nil {
		return err
	}
	id, err := strconv.ParseInt(w.After.ID(), 10, 64)
	if err == nil {
		_, err = j.b.NewInsert().Model(&TeamMember{TeamID: everyone.ID, UserID: id}).Conn(j.store.DB(ctx)).Exec(ctx)
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
	var users []User // deleted ones too, so that their roles end
	err := j.b.NewSelect().Model(&users).WhereAllWithDeleted().Where("id IN (?)", bun.List(ids)).Where("role <> ?", "member").Conn(j.store.DB(ctx)).Scan(ctx)
	if err != nil {
		return nil, err
	}
	held := map[string][]scim.Role{}
	for _, u := range users {
		held[idOf(u)] = []scim.Role{roleOf(u.Role)}
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
		_, err := j.b.NewUpdate().Model((*User)(nil)).WhereAllWithDeleted().Set("role = ?", role).Where("id = ?", c.UserID).Conn(j.store.DB(ctx)).Exec(ctx)
		if err != nil {
			return err
		}
	}
	return nil
}

func roleOf(id string) scim.Role { return scim.Role{ID: id, Name: id} }

func idOf(u User) string { return strconv.FormatInt(u.ID, 10) }
