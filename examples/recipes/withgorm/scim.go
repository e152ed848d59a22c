package withgorm

import (
	"context"
	"database/sql"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/store/sqlstore"
)

// endpoint is what SCIM adds to the application.
type endpoint struct {
	handler *scim.Handler
	roles   *scim.Reconciler
}

// tables says what GORM's columns mean.
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
				// GORM fills created_at itself: the column has no default.
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

// withSCIM makes the endpoint. Call it after AutoMigrate.
func withSCIM(ctx context.Context, g *gorm.DB, db *sql.DB, token string) (e endpoint, err error) {
	store, err := sqlstore.New(db, sqlstore.SQLite, tables())
	if err != nil {
		return e, err
	}
	if err := store.Migrate(ctx); err != nil {
		return e, err
	}
	j := joined{g, store}
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

// joined runs GORM in the transaction of the request.
type joined struct {
	g     *gorm.DB
	store *sqlstore.Store
}

// in returns GORM in the transaction that ctx carries.
func (j joined) in(ctx context.Context) *gorm.DB {
	g := j.g.Session(&gorm.Session{NewDB: true, Context: ctx, SkipDefaultTransaction: true})
	g.Statement.ConnPool = j.store.DB(ctx)
	return g
}

// onWrite puts each new user into the team of everyone.
func (j joined) onWrite(ctx context.Context, w *scim.Written) error {
	if w.Op != scim.OpCreate || w.After.Type().Name() != "User" {
		return nil
	}
	var u User
	var everyone Team
	g := j.in(ctx)
	if err := g.First(&everyone, "name = ?", "Everyone").Error; err != nil {
		return err
	}
	if err := g.First(&u, "id = ?", w.After.ID()).Error; err != nil {
		return err
	}
	if err := g.Model(&u).Association("Teams").Append(&everyone); err != nil {
		return err
	}
	if strings.HasSuffix(u.Email, "@refused.example") {
		return &scim.Error{Status: http.StatusBadRequest, Type: "invalidValue", Detail: "userName: the application takes no address of this domain"}
	}
	return nil
}

// The application keeps one role for each user in a column.

func (j joined) ResolveRoles(_ context.Context, src scim.RoleSource) ([]scim.Role, error) {
	if !slices.Contains([]string{"editor", "viewer"}, src.Name()) {
		return nil, scim.ErrNoRole
	}
	return []scim.Role{roleOf(src.Name())}, nil
}

func (j joined) HeldRoles(ctx context.Context, ids []string) (map[string][]scim.Role, error) {
	var users []User
	if err := j.in(ctx).Unscoped().Where("id IN ? AND role <> ?", ids, "member").Find(&users).Error; err != nil {
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
		if err := j.in(ctx).Unscoped().Model(&User{}).Where("id = ?", c.UserID).Update("role", role).Error; err != nil {
			return err
		}
	}
	return nil
}

func idOf(u User) string { return strconv.FormatUint(uint64(u.ID), 10) }

func roleOf(id string) scim.Role { return scim.Role{ID: id, Name: id} }
