package main

import (
	"context"
	"database/sql"
	"errors"
	"net/http"
	"strings"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth/tokens"
	"github.com/scimkit/scim/examples/internal/page"
	"github.com/scimkit/scim/store/sqlstore"
	"github.com/scimkit/scim/tenants"
)

// schema is that of the application. A team is a customer. A user is a person, who may be a member of several
// teams. Memberships have the external id and the role. groups.name is the application's, and scim_name what
// clients call the group: they differ only while groups are not synced.
const schema = `
CREATE TABLE teams (
	id text PRIMARY KEY, name text NOT NULL, sso boolean NOT NULL DEFAULT FALSE,
	scim text NOT NULL DEFAULT '', other_sync text NOT NULL DEFAULT '',
	group_sync boolean NOT NULL DEFAULT FALSE, group_roles boolean NOT NULL DEFAULT FALSE, phones boolean NOT NULL DEFAULT FALSE);
CREATE TABLE users (
	id {key}, email text NOT NULL UNIQUE, first_name text, last_name text, preferred_name text, is_support boolean NOT NULL DEFAULT FALSE);
CREATE TABLE memberships (
	team_id text NOT NULL REFERENCES teams (id), user_id bigint NOT NULL REFERENCES users (id),
	status text NOT NULL DEFAULT 'active', -- or inactive, or left
	external_id text, role text NOT NULL DEFAULT 'member', created_at {time} NOT NULL DEFAULT {now},
	PRIMARY KEY (team_id, user_id));
CREATE INDEX memberships_user ON memberships (user_id);
CREATE TABLE domains (team_id text NOT NULL REFERENCES teams (id), domain text NOT NULL, PRIMARY KEY (team_id, domain));
CREATE TABLE invitations (team_id text NOT NULL REFERENCES teams (id), email text NOT NULL, PRIMARY KEY (team_id, email));
CREATE TABLE groups (
	id {key}, team_id text NOT NULL REFERENCES teams (id), name text NOT NULL, scim_name text NOT NULL,
	in_app boolean NOT NULL DEFAULT FALSE, -- people see the group
	released boolean NOT NULL DEFAULT FALSE); -- a client has deleted it
CREATE UNIQUE INDEX groups_name ON groups (team_id, scim_name);
CREATE TABLE group_members (
	team_id text NOT NULL REFERENCES teams (id), group_id bigint NOT NULL REFERENCES groups (id), user_id bigint NOT NULL REFERENCES users (id),
	PRIMARY KEY (group_id, user_id));
CREATE INDEX group_members_user ON group_members (user_id);
CREATE TABLE role_mappings (team_id text NOT NULL REFERENCES teams (id), group_id text NOT NULL, role text NOT NULL, PRIMARY KEY (team_id, group_id));
CREATE TABLE phones (
	team_id text NOT NULL REFERENCES teams (id), user_id bigint NOT NULL REFERENCES users (id), e164 text NOT NULL, verified boolean NOT NULL,
	PRIMARY KEY (team_id, user_id, e164));
INSERT INTO teams (id, name, sso, scim) VALUES ('acme', 'Acme', TRUE, 'on'), ('globex', 'Globex', FALSE, '');
INSERT INTO domains (team_id, domain) VALUES ('acme', 'acme.test'), ('globex', 'globex.test');
INSERT INTO users (email, first_name, last_name, is_support) VALUES
	('ann@acme.test', 'Ann', 'Lee', FALSE), ('gus@globex.test', 'Gus', 'Orr', FALSE), ('con@partner.test', 'Con', 'Ray', FALSE), ('help@rootly.test', 'Hal', 'Pey', TRUE);
INSERT INTO memberships (team_id, user_id, role) SELECT 'acme', id, 'admin' FROM users WHERE email = 'ann@acme.test';
INSERT INTO memberships (team_id, user_id, role) SELECT 'globex', id, 'admin' FROM users WHERE email = 'gus@globex.test';
INSERT INTO memberships (team_id, user_id) SELECT t.id, u.id FROM teams t, users u WHERE u.email = 'con@partner.test';
INSERT INTO groups (team_id, name, scim_name, in_app) VALUES ('acme', 'Payments', 'Payments', TRUE), ('acme', 'Search', 'Search', TRUE);
INSERT INTO group_members (team_id, group_id, user_id) SELECT 'acme', g.id, u.id FROM groups g, users u WHERE g.name = 'Payments' AND u.email = 'con@partner.test'`

// app is the application.
type app struct {
	db      *sql.DB
	url     string
	tokens  *tokens.Tokens
	handler *tenants.Handler
	// customers are the teams by id, each with its part of SCIM.
	customers map[string]*customer
}

// team is a row of teams.
type team struct {
	ID, Name                      string
	SSO                           bool
	Switch                        tenants.Switch
	GroupSync, GroupRoles, Phones bool
}

// readTeam reads the settings of a team as they are now, in the transaction of db if it is one.
func readTeam(ctx context.Context, db sqlstore.DBTX, id string) (t team, err error) {
	err = db.QueryRowContext(ctx, "SELECT id, name, sso, scim, other_sync, group_sync, group_roles, phones FROM teams WHERE id = $1", id).
		Scan(&t.ID, &t.Name, &t.SSO, &t.Switch.State, &t.Switch.OtherSync, &t.GroupSync, &t.GroupRoles, &t.Phones)
	if errors.Is(err, sql.ErrNoRows) {
		err = scim.ErrNotFound
	}
	return t, err
}

// lockTeam lets one transaction at a time change the team.
func lockTeam(ctx context.Context, db sqlstore.DBTX, id string) error {
	_, err := db.ExecContext(ctx, "UPDATE teams SET name = name WHERE id = $1", id)
	return err
}

// change changes the settings of a team in one transaction, which the context of fn carries.
func (a *app) change(ctx context.Context, id string, fn func(ctx context.Context, t *team) error) error {
	tx, err := a.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after Commit there is nothing to roll back
	if err := lockTeam(ctx, tx, id); err != nil {
		return err
	}
	t, err := readTeam(ctx, tx, id)
	if err != nil {
		return err
	}
	if err := fn(sqlstore.WithTx(ctx, a.db, tx), &t); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "UPDATE teams SET sso = $1, scim = $2, other_sync = $3, group_sync = $4, group_roles = $5, phones = $6 WHERE id = $7",
		t.SSO, t.Switch.State, t.Switch.OtherSync, t.GroupSync, t.GroupRoles, t.Phones, id)
	if err != nil {
		return err
	}
	return tx.Commit()
}

// find finds a person for a log-in, which is global: the person need not be in any team. The session's key is
// team/user.
func (a *app) find(r *http.Request, email string) (string, error) {
	rows, err := page.Texts(r.Context(), a.db, `SELECT COALESCE((SELECT min(m.team_id) FROM memberships m WHERE m.user_id = u.id AND m.status = 'active'), ''), u.id
		FROM users u WHERE lower(u.email) = lower($1)`, strings.TrimSpace(email))
	if err != nil {
		return "", err
	}
	if len(rows) == 0 {
		return "", page.ErrOut
	}
	return rows[0][0] + "/" + rows[0][1], nil
}

// load reads a person at each click. Who is no active member of the team any more is out of it.
func (a *app) load(r *http.Request, key string) (p page.Person, err error) {
	teamID, userID, _ := strings.Cut(key, "/")
	var name, preferred, role, org sql.NullString
	var isSupport, isMember bool
	err = a.db.QueryRowContext(r.Context(), `SELECT u.email, u.first_name, u.preferred_name, u.is_support, m.role, t.name, m.user_id IS NOT NULL
		FROM users u LEFT JOIN memberships m ON m.user_id = u.id AND m.team_id = $1 AND m.status = 'active' LEFT JOIN teams t ON t.id = m.team_id
		WHERE CAST(u.id AS text) = $2`, teamID, userID).Scan(&p.Email, &name, &preferred, &isSupport, &role, &org, &isMember)
	if errors.Is(err, sql.ErrNoRows) || err == nil && teamID != "" && !isMember {
		return p, page.ErrOut
	}
	p.ID, p.Tenant, p.Org, p.Standing, p.Name = userID, teamID, org.String, role.String, name.String
	if preferred.String != "" {
		p.Name = preferred.String
	}
	if isSupport {
		p.Standing = "support of the vendor"
	}
	p.IsAdmin = isSupport || role.String == "admin"
	return p, err
}

// choices lists the teams of a person.
func (a *app) choices(ctx context.Context, p page.Person) (all []page.Option, err error) {
	rows, err := page.Texts(ctx, a.db, "SELECT t.id, t.name FROM teams t JOIN memberships m ON m.team_id = t.id WHERE CAST(m.user_id AS text) = $1 AND m.status = 'active' ORDER BY t.name", p.ID)
	for _, row := range rows {
		all = append(all, page.Option{Value: row[0] + "/" + p.ID, Text: row[1]})
	}
	return all, err
}

// addGroup makes a group in the application. If a client has pushed one of this name that nobody saw, it is that.
func (a *app) addGroup(ctx context.Context, teamID, name string) error {
	if name = strings.TrimSpace(name); name == "" {
		return page.Refused("A group needs a name.")
	}
	_, err := a.db.ExecContext(ctx, `INSERT INTO groups (team_id, name, scim_name, in_app) VALUES ($1, $2, $2, TRUE)
		ON CONFLICT (team_id, scim_name) DO UPDATE SET in_app = TRUE, name = excluded.name`, teamID, name)
	return err
}
