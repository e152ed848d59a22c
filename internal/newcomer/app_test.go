package newcomer

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"html"
	"net/http"
	"strconv"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore"
)

// schema has the tables of the application. Its pages and its SCIM endpoint share them.
const schema = `
CREATE TABLE IF NOT EXISTS people (
	id          INTEGER PRIMARY KEY AUTOINCREMENT,
	email       TEXT NOT NULL UNIQUE,
	full_name   TEXT NOT NULL,
	given_name  TEXT NOT NULL DEFAULT '',
	family_name TEXT NOT NULL DEFAULT '',
	state       TEXT NOT NULL CHECK (state IN ('active', 'suspended')),
	phone       TEXT,
	kind        TEXT NOT NULL CHECK (kind IN ('human', 'bot')),
	created_at  TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE IF NOT EXISTS teams (
	id   INTEGER PRIMARY KEY AUTOINCREMENT,
	name TEXT NOT NULL UNIQUE
);
CREATE TABLE IF NOT EXISTS team_people (
	team_id   INTEGER NOT NULL REFERENCES teams (id),
	person_id INTEGER NOT NULL REFERENCES people (id),
	PRIMARY KEY (team_id, person_id)
);
CREATE TABLE IF NOT EXISTS roles (
	id   INTEGER PRIMARY KEY AUTOINCREMENT,
	name TEXT NOT NULL UNIQUE,
	rank INTEGER NOT NULL,
	protected INTEGER GENERATED ALWAYS AS (rank >= 100) VIRTUAL -- such a role waits for confirmation
);
CREATE TABLE IF NOT EXISTS people_roles (
	person_id INTEGER NOT NULL REFERENCES people (id),
	role_id   INTEGER NOT NULL REFERENCES roles (id),
	given_by  TEXT NOT NULL,
	PRIMARY KEY (person_id, role_id)
);
CREATE TABLE IF NOT EXISTS sessions (
	token     TEXT PRIMARY KEY,
	person_id INTEGER NOT NULL REFERENCES people (id)
);
`

// seed has the rows from before SCIM.
const seed = `
INSERT INTO people (id, email, full_name, given_name, family_name, state, phone, kind) VALUES
	(1, 'ann@example.com', 'Ann Archer', 'Ann', 'Archer', 'active', '+44 1', 'human'),
	(2, 'bob@example.com', 'Bob Baker', 'Bob', 'Baker', 'active', NULL, 'human'),
	(3, 'backup@example.com', 'Backup job', '', '', 'active', NULL, 'bot');
INSERT INTO teams (id, name) VALUES (1, 'Sales'), (2, 'Support');
INSERT INTO team_people (team_id, person_id) VALUES (1, 1), (2, 2);
INSERT INTO roles (id, name, rank) VALUES (1, 'Admin', 100), (2, 'Editor', 50), (3, 'Sales', 20), (4, 'Viewer', 10);
INSERT INTO people_roles (person_id, role_id, given_by) VALUES (1, 2, 'root@example.com');
INSERT INTO sessions (token, person_id) VALUES ('ann-session', 1), ('bob-session', 2);
`

// open opens the application's database and creates its tables unless they exist.
func open(ctx context.Context, file string) (*sql.DB, error) {
	db, err := sql.Open("sqlite", sqlstore.SQLiteDSN(file))
	if err != nil {
		return nil, err
	}
	if err := install(ctx, db); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

func install(ctx context.Context, db *sql.DB) error {
	if _, err := db.ExecContext(ctx, schema); err != nil {
		return err
	}
	var n int
	if err := db.QueryRowContext(ctx, "SELECT count(*) FROM people").Scan(&n); err != nil || n > 0 {
		return err
	}
	_, err := db.ExecContext(ctx, seed)
	return err
}

// app serves the application's own pages.
type app struct {
	db    *sql.DB
	roles *scim.Reconciler // roles is set by withSCIM.
}

func (a *app) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /people", a.people)
	mux.HandleFunc("POST /login", a.login)
	mux.HandleFunc("POST /people/{id}/roles/{role}", a.giveRole)
	mux.HandleFunc("POST /teams/{id}/confirm/{role}", a.confirm)
	return mux
}

// login refuses people who are not active, and bots.
func (a *app) login(w http.ResponseWriter, r *http.Request) {
	var id int64
	err := a.db.QueryRowContext(r.Context(),
		"SELECT id FROM people WHERE email = ? AND state = 'active' AND kind = 'human'", r.FormValue("email")).Scan(&id)
	if err != nil {
		http.Error(w, "you cannot log in", http.StatusForbidden)
		return
	}
	fmt.Fprintln(w, "welcome")
}

func (a *app) people(w http.ResponseWriter, r *http.Request) {
	rows, err := a.db.QueryContext(r.Context(), "SELECT full_name, state FROM people ORDER BY id")
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer rows.Close() //nolint:errcheck // there is nobody to tell
	for rows.Next() {
		var name, state string
		if err := rows.Scan(&name, &state); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		fmt.Fprintf(w, "<p>%s (%s)</p>\n", html.EscapeString(name), html.EscapeString(state))
	}
}

// giveRole gives a role by hand.
func (a *app) giveRole(w http.ResponseWriter, r *http.Request) {
	person, err1 := strconv.ParseInt(r.PathValue("id"), 10, 64)
	role, err2 := strconv.ParseInt(r.PathValue("role"), 10, 64)
	if err := errors.Join(err1, err2); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if err := a.give(r.Context(), person, role); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

func (a *app) give(ctx context.Context, person, role int64) error {
	return a.roles.GiveByHand(ctx, strconv.FormatInt(person, 10), scim.Role{ID: strconv.FormatInt(role, 10)}, func(ctx context.Context) error {
		_, err := sqlstore.Tx(ctx, a.db).ExecContext(ctx, `INSERT INTO people_roles (person_id, role_id, given_by) VALUES (?, ?, 'admin page')
			ON CONFLICT DO UPDATE SET given_by = excluded.given_by`, person, role)
		return err
	})
}

// confirm lets a team give a protected role.
func (a *app) confirm(w http.ResponseWriter, r *http.Request) {
	if err := a.roles.Confirm(r.Context(), r.PathValue("id"), scim.Role{ID: r.PathValue("role")}); err != nil {
		http.Error(w, err.Error(), http.StatusConflict)
	}
}
