package main

import (
	"context"
	"database/sql"
	"fmt"
	"html/template"
	"net/http"
	"strings"

	_ "github.com/mattn/go-sqlite3" // the driver "sqlite3", as in Vikunja; it needs a C compiler

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore"
)

// tables are those of Vikunja's tables that SCIM is about, as xorm makes them in SQLite. They have no
// foreign keys, and a team may have a member twice. The states of a user are 0 (active), 1 (has not
// confirmed the address) and 2 (disabled). Times are in UTC, to the second.
const tables = `
CREATE TABLE users (
	id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
	name TEXT NULL,
	username TEXT NOT NULL,
	password TEXT NULL,
	email TEXT NULL,
	status INTEGER NULL DEFAULT 0,
	issuer TEXT NULL,
	subject TEXT NULL,
	is_admin INTEGER NOT NULL DEFAULT 0,
	created DATETIME NOT NULL,
	updated DATETIME NOT NULL
);
CREATE UNIQUE INDEX UQE_users_username ON users (username);
CREATE TABLE teams (
	id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
	name TEXT NOT NULL,
	description TEXT NULL,
	created_by_id INTEGER NOT NULL,
	external_id TEXT NULL,
	issuer TEXT NULL,
	created DATETIME NULL,
	updated DATETIME NULL
);
CREATE TABLE team_members (
	id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
	team_id INTEGER NOT NULL,
	user_id INTEGER NOT NULL,
	admin INTEGER NULL,
	created DATETIME NOT NULL
);
CREATE INDEX IDX_team_members_team_id ON team_members (team_id);
CREATE INDEX IDX_team_members_user_id ON team_members (user_id)`

// seed is the data from before SCIM: the owner made the team Apollo, let Ann in, and lets the directory
// fill the team. The team Holiday is private.
const seed = `
INSERT INTO users (username, name, email, is_admin, created, updated) VALUES
	('owner', 'Olga Owner', 'owner@example.com', 1, datetime('now'), datetime('now')),
	('ann', 'Ann Lee', 'ann@example.com', 0, datetime('now'), datetime('now'));
INSERT INTO teams (name, issuer, created_by_id, created, updated) VALUES
	('Apollo', 'scim', 1, datetime('now'), datetime('now')), ('Holiday', NULL, 1, datetime('now'), datetime('now'));
INSERT INTO team_members (team_id, user_id, admin, created) VALUES
	(1, 1, 1, datetime('now')), (1, 2, 0, datetime('now')), (2, 1, 1, datetime('now'))`

// open opens Vikunja's database, and makes one if there is none.
func open(ctx context.Context, file string) (*sql.DB, error) {
	db, err := sql.Open("sqlite3", sqlstore.SQLiteDSN(file))
	if err != nil {
		return nil, err
	}
	n := 0
	err = db.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_master WHERE name = 'users'").Scan(&n)
	if err == nil && n == 0 {
		_, err = db.ExecContext(ctx, tables+";"+seed)
	}
	return db, err
}

// server is the application's page, which shows who is where, and lets an administrator confirm.
type server struct {
	db    *sql.DB
	roles *scim.Reconciler
}

var page = template.Must(template.New("").Parse(`{{range .People}}{{.}}
{{end}}{{range .Pending}}waits: {{.Name}} for {{.Role.Name}} (key {{.Key}})
{{end}}`))

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == "/confirm" && r.Method == http.MethodPost: // a real application lets administrators in only
		if err := s.roles.ConfirmPending(r.Context(), r.FormValue("key")); err != nil {
			http.Error(w, "that is not possible", http.StatusConflict)
		}
	case r.URL.Path == "/" && r.Method == http.MethodGet:
		people, err := s.people(r.Context())
		if err != nil {
			http.Error(w, "the database does not answer", http.StatusInternalServerError)
			return
		}
		pending, _, err := s.roles.Pending(r.Context(), "", 100)
		if err != nil {
			http.Error(w, "the database does not answer", http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		page.Execute(w, map[string]any{"People": people, "Pending": pending}) //nolint:errcheck // the client went away
	default:
		http.NotFound(w, r)
	}
}

// people returns a line for each user, with the teams. A star marks administrators.
func (s *server) people(ctx context.Context) ([]string, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT u.username || CASE WHEN u.is_admin THEN '*' ELSE '' END, coalesce(u.status, 0),
		coalesce(group_concat(t.name || CASE WHEN m.admin THEN '*' ELSE '' END, ' '), '')
		FROM users u LEFT JOIN team_members m ON m.user_id = u.id LEFT JOIN teams t ON t.id = m.team_id GROUP BY u.id ORDER BY u.id`)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // Err tells
	var lines []string
	for rows.Next() {
		var name, teams string
		var status int
		if err := rows.Scan(&name, &status, &teams); err != nil {
			return nil, err
		}
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("%s status %d: %s", name, status, teams)))
	}
	return lines, rows.Err()
}
