package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth/tokens"
	"github.com/scimkit/scim/examples/internal/page"
	"github.com/scimkit/scim/journal"
	"github.com/scimkit/scim/rules"
	"github.com/scimkit/scim/store/sqlstore"

	"github.com/elimity-com/scim/optional"
	"github.com/elimity-com/scim/schema"
)

// permission is the scope of the permissions. A role of the same name is something else.
const permission = "permission"

// permissions are the values of the attribute commonRoomRole.
var permissions = []scim.Role{{Scope: permission, ID: "Admin", Name: "Admin"}, {Scope: permission, ID: "Editor", Name: "Editor"}, {Scope: permission, ID: "Viewer", Name: "Viewer"}}

// extension is the schema of the attribute "Common Room Role", and attribute its path.
const (
	extension = "urn:ietf:params:scim:schemas:extension:commonroom:2.0:User"
	attribute = extension + ":commonRoomRole"
)

// userType is the type of users, with the attribute.
func userType() (*scim.ResourceType, error) {
	c := scim.UserConfig()
	c.Extensions = append(c.Extensions, schema.Schema{ID: extension, Name: optional.NewString("Common Room User"),
		Attributes: []schema.CoreAttribute{schema.SimpleCoreAttribute(schema.SimpleStringParams(schema.StringParams{
			Name: "commonRoomRole", Description: optional.NewString("Common Room Role"), CaseExact: true}))}})
	return scim.NewResourceType(c)
}

// accounts maps the accounts. The uid is the SCIM id.
var accounts = sqlstore.Table{
	Type: "User", Name: "accounts", Key: "uid", KeepID: true, Created: "created_at",
	Visible: "t.status <> 'replaced'", Unclaimed: sqlstore.FindUnclaimed,
	Columns: []sqlstore.Column{
		{Name: "email", Path: "userName", To: func(v any) (any, error) { return strings.ToLower(v.(string)), nil }},
		{Name: "name", Path: "displayName", Empty: ""},
		sqlstore.ActiveWhen("status", "active", "deactivated"),
	},
}

// rolesOfGroups are the roles. A group stands for the role of its name; the attribute names none.
var rolesOfGroups = sqlstore.RoleTables{
	Roles: "roles", ID: "id", Name: "name", Holders: "account_roles", User: "uid", Role: "role_id",
	Match: func(_ context.Context, src scim.RoleSource) ([]scim.Role, error) {
		switch {
		case src.Group == nil:
			return nil, nil
		case len(src.Linked) > 0: // the role may have another name now
			return src.Linked, nil
		}
		return []scim.Role{{Name: src.Name()}}, nil
	},
}

// permissionOfAttribute is the column with the permission. The attribute names it; a group stands for none.
var permissionOfAttribute = sqlstore.RoleColumn{
	Table: "accounts", User: "uid", Column: "permission", Scope: sqlstore.RoleScope{Name: permission}, List: unscoped(permissions),
	Match: func(_ context.Context, src scim.RoleSource) ([]scim.Role, error) {
		if src.Group != nil {
			return nil, nil
		}
		return []scim.Role{{Name: src.Value}}, nil
	},
}

// rolesAndPermission says who has which role and which permission.
func rolesAndPermission(ctx context.Context, store *sqlstore.Store) (*scim.Roles, error) {
	resolver, err := store.RoleResolver(ctx, rolesOfGroups, permissionOfAttribute)
	return &scim.Roles{Resolver: resolver, Attributes: []string{attribute}, Missing: scim.RefuseGroup,
		PolicyOf: func(scope string) scim.RolePolicy { return scim.RolePolicy{Exclusive: scope == permission} }}, err
}

// unscoped returns roles as a RoleShape lists them.
func unscoped(roles []scim.Role) (all []scim.Role) {
	for _, r := range roles {
		r.Scope = ""
		all = append(all, r)
	}
	return all
}

// move makes a SCIM user stand for the account of its new address. The row becomes the new account. What the
// old account has by hand goes into a row of its own, under the old address.
func (a *app) move(ctx context.Context, before, after *scim.Resource) error {
	db, uid, old, email := a.store.DB(ctx), before.ID(), uuid.NewString(), strings.ToLower(after.String("userName"))
	taken, err := page.Texts(ctx, db, "SELECT uid FROM accounts WHERE email = $1", email)
	if err != nil {
		return err
	}
	if len(taken) > 0 {
		return scim.Conflict("userName")
	}
	for _, s := range []struct {
		text string
		args []any
	}{
		{"INSERT INTO accounts (uid, email, name, permission, status) SELECT $1, $2, name, permission, 'replaced' FROM accounts WHERE uid = $3", []any{old, old, uid}},
		{"UPDATE account_roles SET uid = $1 WHERE uid = $2", []any{old, uid}},
		{"UPDATE accounts SET permission = NULL, email = $1 WHERE uid = $2", []any{email, uid}},
		{"UPDATE accounts SET email = $1 WHERE uid = $2", []any{strings.ToLower(before.String("userName")), old}},
	} {
		if _, err := db.ExecContext(ctx, s.text, s.args...); err != nil {
			return err
		}
	}
	return nil
}

// refuseLeft refuses an address that somebody has left. No user has it, so the answer says where it is.
func (a *app) refuseLeft(ctx context.Context, c *scim.Change) error {
	if c.After == nil || c.After.Type().Name() != "User" {
		return nil
	}
	rows, err := page.Texts(ctx, a.store.DB(ctx), "SELECT uid FROM accounts WHERE email = $1 AND status = 'replaced'", strings.ToLower(c.After.String("userName")))
	if err != nil || len(rows) == 0 {
		return err
	}
	return &scim.Error{Status: http.StatusConflict, Type: "uniqueness",
		Detail: "userName is taken by an account that was replaced: an Admin can delete it in Users and Roles"}
}

// start makes the application with its endpoint.
func start(ctx context.Context, e *page.Env) (*page.App, error) {
	if err := e.Install(ctx, "accounts", tables); err != nil {
		return nil, err
	}
	user, err := userType()
	if err != nil {
		return nil, err
	}
	types := []*scim.ResourceType{user, scim.GroupType()}
	a := &app{db: e.DB}
	if a.store, err = sqlstore.New(e.DB, e.Dialect, sqlstore.Options{Types: types, Tables: []sqlstore.Table{accounts}, Log: e.Log}); err != nil {
		return nil, err
	}
	if err := a.store.Migrate(ctx); err != nil {
		return nil, err
	}
	roles, err := rolesAndPermission(ctx, a.store)
	if err != nil {
		return nil, err
	}
	if a.tokens, err = e.Tokens(ctx, tokens.Options{Prefix: "commonroom_"}); err != nil {
		return nil, err
	}
	log, err := e.Journal(ctx, journal.Options{})
	if err != nil {
		return nil, err
	}
	h, err := scim.New(log.Config(scim.Config{Store: a.store, Types: types, Auth: a.tokens, Roles: roles, Log: e.Log,
		Rules: []scim.Rule{a.store.Adopt(sqlstore.SamePerson), rules.EmailUserName, a.refuseLeft, rules.NewAccount(a.move)}}))
	if err != nil {
		return nil, err
	}
	if a.roles, err = h.Reconciler(nil); err != nil {
		return nil, err
	}
	// The page changes a role, and then what its groups give: a process that was killed in between has left the second half.
	if err := a.roles.RolesChanged(ctx); err != nil {
		return nil, err
	}
	a.directory = &page.Directory{Store: a.store, User: user, Group: scim.GroupType(), Reconciler: a.roles, Roles: a.all, RoleOf: nameOf}
	site, err := a.site(e, log)
	if err != nil {
		return nil, err
	}
	token, err := e.StartToken(ctx, a.tokens, "")
	if err != nil {
		return nil, err
	}
	return &page.App{Handler: scim.Mount("/scim/v2", log.Handler(h), site.Handler()), Hints: hints(e.URL, token)}, nil
}

// nameOf tells permissions from roles.
func nameOf(r scim.Role) string {
	if r.Scope == permission {
		return "permission " + r.ID
	}
	return r.Name
}

func hints(url, token string) string {
	return fmt.Sprintf(`token: %s
log in at %s as ann@example.com (Admin), ed@example.com (Editor) or vic@example.com (Viewer)

# Ada gets the permission Editor by the attribute. "Boss" is refused, and the answer lists what is possible.
curl -sS -H 'Authorization: Bearer %[1]s' -H 'Content-Type: application/scim+json' %[2]s/scim/v2/Users -d '{"userName":"ada@example.com","displayName":"Ada Bo","%[3]s":{"commonRoomRole":"Editor"}}'
curl -sS -H 'Authorization: Bearer %[1]s' -H 'Content-Type: application/scim+json' %[2]s/scim/v2/Users -d '{"userName":"bob@example.com","%[3]s":{"commonRoomRole":"Boss"}}'
# A group needs a role of its name. There is no role Ops: make it on the page, and send the line again.
curl -sS -H 'Authorization: Bearer %[1]s' -H 'Content-Type: application/scim+json' %[2]s/scim/v2/Groups -d '{"displayName":"Ops"}'
`, token, url, extension)
}
