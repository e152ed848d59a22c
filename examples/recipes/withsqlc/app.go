// Package withsqlc is an application that keeps its users with sqlc, and has a SCIM endpoint. sqlc has
// generated the package db from schema.sql and query.sql.
package withsqlc

import (
	"context"
	"database/sql"
	_ "embed"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/scimkit/scim/examples/recipes/withsqlc/db"
	"github.com/scimkit/scim/store/sqlstore"
)

//go:generate go run github.com/sqlc-dev/sqlc/cmd/sqlc@v1.31.1 generate

// schema are the application's tables.
//
//go:embed schema.sql
var schema string

// open opens the database and makes its tables.
func open(ctx context.Context, file string, connections int) (*sql.DB, error) {
	pool, err := sql.Open("sqlite", sqlstore.SQLiteDSN(file))
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(connections)
	_, err = pool.ExecContext(ctx, schema)
	return pool, err
}

// app is the application.
type app struct {
	pool *sql.DB
	endpoint
}

// give gives a role by hand. What it writes, what change writes, and what the library remembers
// commit together.
func (a *app) give(ctx context.Context, id, role string, change func(q *db.Queries) error) error {
	key, err := keyOf(id)
	if err != nil {
		return err
	}
	tx, err := a.pool.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after Commit there is nothing to roll back
	ctx = sqlstore.WithTx(ctx, a.pool, tx)
	q := db.New(tx)
	err = a.roles.GiveByHand(ctx, id, roleOf(role), func(ctx context.Context) error {
		return q.SetRole(ctx, db.SetRoleParams{Role: role, ID: key})
	})
	if err == nil {
		err = change(q)
	}
	if err != nil {
		return err
	}
	return tx.Commit()
}
