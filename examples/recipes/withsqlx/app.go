// Package withsqlx is an application that keeps its users with sqlx, and has a SCIM endpoint.
package withsqlx

import (
	"context"
	"time"

	"github.com/jmoiron/sqlx"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/scimkit/scim/store/sqlstore"
)

// schema are the application's tables.
const schema = `
CREATE TABLE IF NOT EXISTS users (
	id integer PRIMARY KEY AUTOINCREMENT,
	email text NOT NULL UNIQUE,
	name text NOT NULL DEFAULT '',
	role text NOT NULL DEFAULT 'member',
	disabled_at timestamp,
	created_at timestamp NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now')),
	updated_at timestamp NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now')),
	deleted_at timestamp
);
CREATE TABLE IF NOT EXISTS teams (id integer PRIMARY KEY AUTOINCREMENT, name text NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS team_members (
	team_id integer NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
	user_id integer NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	PRIMARY KEY (team_id, user_id)
);
INSERT INTO teams (name) VALUES ('Everyone') ON CONFLICT DO NOTHING`

// User is a user.
type User struct {
	ID         string     `db:"id"`
	Email      string     `db:"email"`
	Name       string     `db:"name"`
	Role       string     `db:"role"`
	DisabledAt *time.Time `db:"disabled_at"`
	CreatedAt  time.Time  `db:"created_at"`
	UpdatedAt  time.Time  `db:"updated_at"`
	DeletedAt  *time.Time `db:"deleted_at"`
}

// open opens the database and makes its tables.
func open(ctx context.Context, file string, connections int) (*sqlx.DB, error) {
	x, err := sqlx.Open("sqlite", sqlstore.SQLiteDSN(file))
	if err != nil {
		return nil, err
	}
	x.SetMaxOpenConns(connections)
	_, err = x.ExecContext(ctx, schema)
	return x, err
}

// app is the application.
type app struct {
	x *sqlx.DB
	endpoint
}

// give gives a role by hand. What it writes, what change writes, and what the library remembers
// commit together.
func (a *app) give(ctx context.Context, id, role string, change func(tx *sqlx.Tx) error) error {
	tx, err := a.x.BeginTxx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after Commit there is nothing to roll back
	ctx = sqlstore.WithTx(ctx, a.x.DB, tx.Tx)
	err = a.roles.GiveByHand(ctx, id, roleOf(role), func(ctx context.Context) error {
		_, err := tx.ExecContext(ctx, "UPDATE users SET role = ? WHERE id = ?", role, id)
		return err
	})
	if err == nil {
		err = change(tx)
	}
	if err != nil {
		return err
	}
	return tx.Commit()
}
