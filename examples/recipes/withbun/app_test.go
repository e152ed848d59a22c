package withbun

import (
	"context"
	"errors"
	"testing"

	"github.com/uptrace/bun"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/examples/recipes/trial"
)

func Test(t *testing.T) {
	trial.Run(t, func(ctx context.Context, file string, connections int) (trial.App, error) {
		b, err := open(ctx, file, connections)
		if err != nil {
			return nil, err
		}
		e, err := withSCIM(ctx, b, trial.Token)
		return played{&app{b, e}}, err
	})
}

// played is the application as the test uses it.
type played struct{ *app }

func (p played) SCIM() (*scim.Handler, *scim.Reconciler) { return p.handler, p.roles }
func (p played) Close() error                            { return p.b.Close() }

func (p played) Add(ctx context.Context, email, name string) (string, error) {
	u := User{Email: email, Name: name, Active: true}
	_, err := p.b.NewInsert().Model(&u).Exec(ctx)
	return idOf(u), err
}

func (p played) Read(ctx context.Context, id string) (*trial.User, error) {
	var u User
	err := p.b.NewSelect().Model(&u).WhereAllWithDeleted().Where("id = ?", id).Scan(ctx)
	return &trial.User{Email: u.Email, Name: u.Name, Role: u.Role, IsActive: u.Active, IsDeleted: !u.DeletedAt.IsZero(),
		CreatedAt: u.CreatedAt, Updated: u.UpdatedAt}, err
}

func (p played) Teams(ctx context.Context, id string) (names []string, err error) {
	var u User
	err = p.b.NewSelect().Model(&u).Relation("Teams", func(q *bun.SelectQuery) *bun.SelectQuery { return q.Order("name") }).Where("u.id = ?", id).Scan(ctx)
	for _, t := range u.Teams {
		names = append(names, t.Name)
	}
	return names, err
}

func (p played) Rename(ctx context.Context, id, name string) error {
	_, err := p.b.NewUpdate().Model((*User)(nil)).Set("name = ?", name).Where("id = ?", id).Exec(ctx)
	return err
}

func (p played) Delete(ctx context.Context, id string) error {
	_, err := p.b.NewDelete().Model((*User)(nil)).Where("id = ?", id).Exec(ctx)
	return err
}

func (p played) Give(ctx context.Context, id, role string, fail error) error {
	return p.give(ctx, id, role, func(tx bun.Tx) error {
		_, err := tx.NewUpdate().Model((*User)(nil)).Set("name = ?", "Cy the viewer").Where("id = ?", id).Exec(ctx)
		return errors.Join(err, fail)
	})
}
