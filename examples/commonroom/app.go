package main

import (
	"context"
	"database/sql"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth/tokens"
	"github.com/scimkit/scim/examples/internal/page"
	"github.com/scimkit/scim/store/sqlstore"
)

// tables are those of the application. An account is an address: it never gets another one. SCIM knows the
// account by its uid.
const tables = `
CREATE TABLE accounts (
	uid text PRIMARY KEY, email text NOT NULL UNIQUE, name text NOT NULL DEFAULT '',
	status text NOT NULL DEFAULT 'active', -- or deactivated, or replaced: the person has another address now
	permission text CHECK (permission IN ('Admin', 'Editor', 'Viewer')),
	created_at {time} NOT NULL DEFAULT {now});
CREATE TABLE roles (id {key}, name text NOT NULL UNIQUE);
CREATE TABLE account_roles (
	uid text NOT NULL REFERENCES accounts (uid) ON DELETE CASCADE,
	role_id bigint NOT NULL REFERENCES roles (id) ON DELETE CASCADE,
	PRIMARY KEY (uid, role_id));
CREATE INDEX account_roles_role ON account_roles (role_id);
INSERT INTO accounts (uid, email, name, permission) VALUES
	('ann', 'ann@example.com', 'Ann Lee', 'Admin'), ('ed', 'ed@example.com', 'Ed Ito', 'Editor'), ('vic', 'vic@example.com', 'Vic Moe', 'Viewer');
INSERT INTO roles (name) VALUES ('Community Manager'), ('Sales');
INSERT INTO account_roles (uid, role_id) SELECT 'ed', id FROM roles WHERE name = 'Sales'`

// app is the application.
type app struct {
	db        *sql.DB
	store     *sqlstore.Store
	roles     *scim.Reconciler
	tokens    *tokens.Tokens
	directory *page.Directory
}

// find finds the account of an address for a log-in.
func (a *app) find(r *http.Request, email string) (string, error) {
	p, err := a.load(r, strings.ToLower(strings.TrimSpace(email)))
	return p.Email, err
}

// load reads an account at each click: who is deactivated, or has another account now, is out.
func (a *app) load(r *http.Request, email string) (p page.Person, err error) {
	var permission sql.NullString
	err = a.db.QueryRowContext(r.Context(), "SELECT uid, email, name, permission FROM accounts WHERE email = $1 AND status = 'active'", email).
		Scan(&p.ID, &p.Email, &p.Name, &permission)
	if errors.Is(err, sql.ErrNoRows) {
		return p, page.ErrOut
	}
	p.Standing, p.IsAdmin = permission.String, permission.String == "Admin"
	return p, err
}

// addRole, renameRole and deleteRole are what an administrator does in "Users and Roles".
func (a *app) addRole(ctx context.Context, name string) error {
	if name = strings.TrimSpace(name); name == "" {
		return page.Refused("A role needs a name.")
	}
	_, err := a.db.ExecContext(ctx, "INSERT INTO roles (name) VALUES ($1) ON CONFLICT DO NOTHING", name)
	return errors.Join(err, a.roles.RolesChanged(ctx))
}

func (a *app) renameRole(ctx context.Context, id, name string) error {
	if name = strings.TrimSpace(name); name == "" {
		return page.Refused("A role needs a name.")
	}
	others, err := page.Texts(ctx, a.db, "SELECT id FROM roles WHERE name = $1 AND CAST(id AS text) <> $2", name, id)
	if err != nil {
		return err
	}
	if len(others) > 0 {
		return page.Refused("There is a role " + name + " already.")
	}
	if _, err := a.db.ExecContext(ctx, "UPDATE roles SET name = $1 WHERE CAST(id AS text) = $2", name, id); err != nil {
		return err
	}
	return a.roles.RolesChanged(ctx)
}

func (a *app) deleteRole(ctx context.Context, id string) error {
	if _, err := a.db.ExecContext(ctx, "DELETE FROM roles WHERE CAST(id AS text) = $1", id); err != nil {
		return err
	}
	return a.roles.RolesChanged(ctx)
}

// forget deletes an account that another one has replaced. Its address is free then.
func (a *app) forget(ctx context.Context, email string) error {
	_, err := a.db.ExecContext(ctx, "DELETE FROM accounts WHERE email = $1 AND status = 'replaced'", email)
	return err
}

// give and take write a role or a permission by hand, in the transaction that ctx carries.
func (a *app) give(ctx context.Context, uid string, r scim.Role) (err error) {
	if r.Scope == permission {
		if !slices.ContainsFunc(permissions, func(p scim.Role) bool { return p.ID == r.ID }) {
			return scim.ErrNoRole
		}
		if err := a.keepAdmin(ctx, uid, r.ID); err != nil {
			return err
		}
		_, err = a.store.DB(ctx).ExecContext(ctx, "UPDATE accounts SET permission = $1 WHERE uid = $2", r.ID, uid)
		return err
	}
	_, err = a.store.DB(ctx).ExecContext(ctx, "INSERT INTO account_roles (uid, role_id) SELECT $1, id FROM roles WHERE CAST(id AS text) = $2 ON CONFLICT DO NOTHING", uid, r.ID)
	return err
}

func (a *app) take(ctx context.Context, uid string, r scim.Role) (err error) {
	if r.Scope == permission {
		if err := a.keepAdmin(ctx, uid, ""); err != nil {
			return err
		}
		_, err = a.store.DB(ctx).ExecContext(ctx, "UPDATE accounts SET permission = NULL WHERE uid = $1 AND permission = $2", uid, r.ID)
		return err
	}
	_, err = a.store.DB(ctx).ExecContext(ctx, "DELETE FROM account_roles WHERE uid = $1 AND CAST(role_id AS text) = $2", uid, r.ID)
	return err
}

// keepAdmin refuses to give the last Admin another permission, or none: nobody could open these pages again.
func (a *app) keepAdmin(ctx context.Context, uid, next string) error {
	if next == "Admin" {
		return nil
	}
	if err := a.store.LockTenant(ctx, "last Admin"); err != nil { // two Admins may take each other's at once
		return err
	}
	others, err := page.Texts(ctx, a.store.DB(ctx), "SELECT uid FROM accounts WHERE permission = 'Admin' AND status = 'active' AND uid <> $1", uid)
	if err == nil && len(others) == 0 {
		return page.Refused("This is the last Admin. Make another one first.")
	}
	return err
}

// all lists the roles and the permissions that an administrator can give.
func (a *app) all(ctx context.Context) (roles []scim.Role, err error) {
	rows, err := page.Texts(ctx, a.db, "SELECT id, name FROM roles ORDER BY name")
	for _, row := range rows {
		roles = append(roles, scim.Role{ID: row[0], Name: row[1]})
	}
	return append(roles, permissions...), err
}
