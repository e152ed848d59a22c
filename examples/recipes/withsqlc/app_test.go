package withsqlc

import (
	"context"
	"errors"
	"strconv"
	"testing"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/examples/recipes/trial"
	"github.com/scimkit/scim/examples/recipes/withsqlc/db"
)

func Test(t *testing.T) {
	trial.Run(t, func(ctx context.Context, file string, connections int) (trial.App, error) {
		pool, err := open(ctx, file, connections)
		if err != nil {
			return nil, err
		}
		e, err := withSCIM(ctx, pool, trial.Token)
		return played{&app{pool, e}}, err
	})
}

// played is the application as the test uses it.
type played struct{ *app }

func (p played) SCIM() (*scim.Handler, *scim.Reconciler) { return p.handler, p.roles }
func (p played) Close() error                            { return p.pool.Close() }

func (p played) Add(ctx context.Context, email, name string) (string, error) {
	key, err := db.New(p.pool).AddUser(ctx, db.AddUserParams{Email: email, Name: name})
	return strconv.FormatInt(key, 10), err
}

func (p played) Read(ctx context.Context, id string) (*trial.User, error) {
	key, err := keyOf(id)
	if err != nil {
		return nil, err
	}
	u, err := db.New(p.pool).User(ctx, key)
	return &trial.User{Email: u.Email, Name: u.Name, Role: u.Role, IsActive: u.IsActive, IsDeleted: u.DeletedAt.Valid,
		CreatedAt: u.CreatedAt, Updated: u.UpdatedAt}, err
}

func (p played) Teams(ctx context.Context, id string) ([]string, error) {
	key, err := keyOf(id)
	if err != nil {
		return nil, err
	}
	return db.New(p.pool).TeamsOf(ctx, key)
}

func (p played) Rename(ctx context.Context, id, name string) error {
	return rename(ctx, db.New(p.pool), id, name)
}

func (p played) Delete(ctx context.Context, id string) error {
	key, err := keyOf(id)
	if err != nil {
		return err
	}
	return db.New(p.pool).DeleteUser(ctx, key)
}

func (p played) Give(ctx context.Context, id, role string, fail error) error {
	return p.give(ctx, id, role, func(q *db.Queries) error {
		return errors.Join(rename(ctx, q, id, "Cy the viewer"), fail)
	})
}

func rename(ctx context.Context, q *db.Queries, id, name string) error {
	key, err := keyOf(id)
	if err != nil {
		return err
	}
	return q.RenameUser(ctx, db.RenameUserParams{Name: name, ID: key})
}
