// Package withent is an application that keeps its users with ent, and has a SCIM endpoint. The
// entities are in ent/schema; ent has generated the rest of the folder ent.
package withent

import (
	"context"
	"database/sql"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/google/uuid"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/scimkit/scim/examples/recipes/withent/ent"
	"github.com/scimkit/scim/examples/recipes/withent/ent/team"
	"github.com/scimkit/scim/store/sqlstore"
)

// open opens the database and makes its tables.
func open(ctx context.Context, file string, connections int) (*ent.Client, *sql.DB, error) {
	db, err := sql.Open("sqlite", sqlstore.SQLiteDSN(file))
	if err != nil {
		return nil, nil, err
	}
	db.SetMaxOpenConns(connections)
	client := ent.NewClient(ent.Driver(entsql.OpenDB(dialect.SQLite, db)))
	if err := client.Schema.Create(ctx); err != nil {
		return nil, nil, err
	}
	has, err := client.Team.Query().Where(team.Name("Everyone")).Exist(ctx)
	if err == nil && !has {
		err = client.Team.Create().SetName("Everyone").Exec(ctx)
	}
	return client, db, err
}

// app is the application.
type app struct {
	client *ent.Client
	db     *sql.DB
	endpoint
}

// give gives a role by hand. What it writes, what change writes, and what the library remembers
// commit together. An ent.Tx does not show its transaction, so database/sql begins it.
func (a *app) give(ctx context.Context, id, role string, change func(client *ent.Client) error) error {
	key, err := uuid.Parse(id)
	if err != nil {
		return err
	}
	tx, err := a.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after Commit there is nothing to roll back
	ctx = sqlstore.WithTx(ctx, a.db, tx)
	client := clientOn(tx)
	err = a.roles.GiveByHand(ctx, id, roleOf(role), func(ctx context.Context) error {
		return client.User.UpdateOneID(key).SetRole(role).Exec(ctx)
	})
	if err == nil {
		err = change(client)
	}
	if err != nil {
		return err
	}
	return tx.Commit()
}

// clientOn returns a client that works in a transaction.
func clientOn(tx entsql.ExecQuerier) *ent.Client {
	return ent.NewClient(ent.Driver(inTx{entsql.NewDriver(dialect.SQLite, entsql.Conn{ExecQuerier: tx})}))
}

// inTx is a driver in a transaction. ent begins one wherever it needs several statements, such as
// for edges. Here they belong to the transaction that there is.
type inTx struct{ dialect.Driver }

// Tx begins nothing.
func (d inTx) Tx(context.Context) (dialect.Tx, error) { return dialect.NopTx(d), nil }
