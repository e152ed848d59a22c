package main

import (
	"context"
	"database/sql"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/scimkit/scim/auth/tokens"
	"github.com/scimkit/scim/examples/internal/page"
	"github.com/scimkit/scim/store/sqlstore"
	"github.com/scimkit/scim/tenants"
)

// tables are those of the application. A client has made the teams that are not made_here. An employee whom a
// client has deleted is_gone, and stays as a Former. The oldest membership of an employee is the primary team.
const tables = `
CREATE TABLE settings (id bigint PRIMARY KEY, sso boolean NOT NULL, scim text NOT NULL);
CREATE TABLE employees (
	id {key}, email text NOT NULL UNIQUE, first_name text, last_name text,
	status text NOT NULL DEFAULT 'active', -- or former
	is_gone boolean NOT NULL DEFAULT FALSE, is_admin boolean NOT NULL DEFAULT FALSE, created_at {time} NOT NULL DEFAULT {now});
CREATE TABLE teams (id {key}, name text NOT NULL UNIQUE, made_here boolean NOT NULL DEFAULT FALSE);
CREATE TABLE employee_teams (
	id {key}, team_id bigint NOT NULL REFERENCES teams (id), employee_id bigint NOT NULL REFERENCES employees (id),
	joined_at {time} NOT NULL DEFAULT {now}, UNIQUE (team_id, employee_id));
CREATE INDEX employee_teams_employee ON employee_teams (employee_id);
CREATE TABLE bookings (id {key}, employee_id bigint NOT NULL REFERENCES employees (id), desk text NOT NULL, day text NOT NULL);
INSERT INTO settings (id, sso, scim) VALUES (1, TRUE, 'on');
INSERT INTO employees (email, first_name, last_name, is_admin) VALUES ('ola@example.com', 'Ola', 'Kay', TRUE), ('nat@example.com', 'Nat', 'Moe', FALSE);
INSERT INTO teams (name, made_here) VALUES ('Reception', TRUE), ('Board', TRUE);
INSERT INTO employee_teams (team_id, employee_id) SELECT t.id, e.id FROM teams t, employees e WHERE t.name = 'Reception' AND e.email = 'nat@example.com';
INSERT INTO bookings (employee_id, desk, day) SELECT id, 'Desk 4', '2020-02-03' FROM employees WHERE email = 'nat@example.com';
INSERT INTO bookings (employee_id, desk, day) SELECT id, 'Desk 5', '2999-02-03' FROM employees WHERE email = 'nat@example.com'`

// office is the tenant of the tokens. The application has only this one.
const office = "office"

// app is the application.
type app struct {
	db        *sql.DB
	store     *employees
	tokens    *tokens.Tokens
	directory *page.Directory
	url       string
}

// settings are what administrators have switched.
type settings struct {
	hasSSO bool
	tenants.Switch
}

func readSettings(ctx context.Context, db sqlstore.DBTX) (s settings, err error) {
	err = db.QueryRowContext(ctx, "SELECT sso, scim FROM settings WHERE id = 1").Scan(&s.hasSSO, &s.State)
	return s, err
}

// locked calls fn in a transaction that has the row of the settings to itself, so that no two such run at once.
func (a *app) locked(ctx context.Context, fn func(tx *sql.Tx) error) error {
	tx, err := a.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after Commit there is nothing to roll back
	if _, err := tx.ExecContext(ctx, "UPDATE settings SET id = 1 WHERE id = 1"); err != nil {
		return err
	}
	if err := fn(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// change changes the settings in one transaction.
func (a *app) change(ctx context.Context, fn func(s *settings) error) error {
	return a.locked(ctx, func(tx *sql.Tx) error {
		s, err := readSettings(ctx, tx)
		if err != nil {
			return err
		}
		if err := fn(&s); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "UPDATE settings SET sso = $1, scim = $2 WHERE id = 1", s.hasSSO, s.State)
		return err
	})
}

// find finds an employee for a log-in.
func (a *app) find(r *http.Request, email string) (string, error) {
	rows, err := page.Texts(r.Context(), a.db, "SELECT id FROM employees WHERE lower(email) = lower($1) AND status = 'active'", strings.TrimSpace(email))
	if err != nil {
		return "", err
	}
	if len(rows) == 0 {
		return "", page.ErrOut
	}
	return rows[0][0], nil
}

// load reads an employee at each click. A Former is out.
func (a *app) load(r *http.Request, id string) (p page.Person, err error) {
	var first, last sql.NullString
	err = a.db.QueryRowContext(r.Context(), "SELECT email, first_name, last_name, is_admin FROM employees WHERE CAST(id AS text) = $1 AND status = 'active'", id).
		Scan(&p.Email, &first, &last, &p.IsAdmin)
	if errors.Is(err, sql.ErrNoRows) {
		return p, page.ErrOut
	}
	p.ID, p.Tenant, p.Name = id, office, strings.TrimSpace(first.String+" "+last.String)
	if p.IsAdmin {
		p.Standing = "administrator"
	}
	return p, err
}

// setAdmin makes an employee an administrator by hand, or takes that away. One administrator stays.
func (a *app) setAdmin(ctx context.Context, id string, is bool) error {
	return a.locked(ctx, func(tx *sql.Tx) error {
		if !is {
			others, err := page.Texts(ctx, tx, "SELECT id FROM employees WHERE is_admin AND status = 'active' AND CAST(id AS text) <> $1", id)
			if err != nil {
				return err
			}
			if len(others) == 0 {
				return page.Refused("This is the last administrator. Make another one first.")
			}
		}
		return changed(tx.ExecContext(ctx, "UPDATE employees SET is_admin = $1 WHERE CAST(id AS text) = $2 AND status = 'active'", is, id))
	})
}

// changed refuses a change that met no row: what the page showed has changed since.
func changed(result sql.Result, err error) error {
	if err != nil {
		return err
	}
	n, err := result.RowsAffected()
	if err == nil && n == 0 {
		return page.Refused("Nothing was changed: this page was out of date.")
	}
	return err
}

// addTeam makes a team in the application.
func (a *app) addTeam(ctx context.Context, name string) error {
	if name = strings.TrimSpace(name); name == "" {
		return page.Refused("A team needs a name.")
	}
	_, err := a.db.ExecContext(ctx, "INSERT INTO teams (name, made_here) VALUES ($1, TRUE) ON CONFLICT DO NOTHING", name)
	return err
}

// teamsOf returns the names of the teams of employees by their ids, the primary one first. id "" means all employees.
func (a *app) teamsOf(ctx context.Context, id string) (map[string][]string, error) {
	rows, err := page.Texts(ctx, a.db, `SELECT m.employee_id, t.name FROM employee_teams m JOIN teams t ON t.id = m.team_id
		WHERE $1 = '' OR CAST(m.employee_id AS text) = $1 ORDER BY m.joined_at, m.id`, id)
	names := make(map[string][]string)
	for _, row := range rows {
		names[row[0]] = append(names[row[0]], row[1])
	}
	return names, err
}

// cancel cancels a future booking of a Former. Nothing else does: not even that the employee leaves.
func (a *app) cancel(ctx context.Context, id string) error {
	return changed(a.db.ExecContext(ctx, `DELETE FROM bookings WHERE CAST(id AS text) = $1 AND day >= $2
		AND employee_id IN (SELECT id FROM employees WHERE status = 'former')`, id, today()))
}

func today() string { return time.Now().Format(time.DateOnly) }
