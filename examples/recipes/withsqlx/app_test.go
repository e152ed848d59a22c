package withsqlx

import (
	"context"
	"errors"
	"testing"

	"github.com/jmoiron/sqlx"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/examples/recipes/trial"
)

func Test(t *testing.T) {
	trial.Run(t, func(ctx context.Context, file string, connections int) (trial.App, error) {
		x, err := open(ctx, file, connections)
		if err != nil {
			return nil, err
		}
		e, err := withSCIM(ctx, x, trial.Token)
		return played{&app{x, e}}, err
	})
}

// played is the application as the test uses it.
type played struct{ *app }

func (p played) SCIM() (*scim.Handler, *scim.Reconciler) { return p.handler, p.roles }
func (p played) Close() error                            { return p.x.Close() }

func (p played) Add(ctx context.Context, email, name string) (id string, err error) {
	err = p.x.GetContext(ctx, &id, "INSERT INTO users (email, name) VALUES (?, ?) RETURNING id", email, name)
	return id, err
}

func (p played) Read(ctx context.Context, id string) (*trial.User, error) {
	var u User
	err := p.x.GetContext(ctx, &u, "SELECT * FROM users WHERE id = ?", id)
	return &trial.User{Email: u.Email, Name: u.Name, Role: u.Role, IsActive: u.DisabledAt == nil, IsDeleted: u.DeletedAt != nil,
		CreatedAt: u.CreatedAt, Updated: u.UpdatedAt}, err
}

func (p played) Teams(ctx context.Context, id string) (names []string, err error) {
	err = p.x.SelectContext(ctx, &names, "SELECT t.name FROM teams t JOIN team_members m ON m.team_id = t.id WHERE m.user_id = ? ORDER BY t.name", id)
	return names, err
}

func (p played) Rename(ctx context.Context, id, name string) error {
	_, err := p.x.ExecContext(ctx, "UPDATE users SET name = ? WHERE id = ?", name, id)
	return err
}

func (p played) Delete(ctx context.Context, id string) error {
	_, err := p.x.ExecContext(ctx, "UPDATE users SET deleted_at = strftime('%Y-%m-%d %H:%M:%f', 'now') WHERE id = ?", id)
	return err
}

func (p played) Give(ctx context.Context, id, role string, fail error) error {
	return p.give(ctx, id, role, func(tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE users SET name = ? WHERE id = ?", "Cy the viewer", id)
		return errors.Join(err, fail)
	})
}
