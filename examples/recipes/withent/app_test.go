package withent

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/examples/recipes/trial"
	"github.com/scimkit/scim/examples/recipes/withent/ent"
	"github.com/scimkit/scim/examples/recipes/withent/ent/team"
	"github.com/scimkit/scim/examples/recipes/withent/ent/user"
)

func Test(t *testing.T) {
	trial.Run(t, func(ctx context.Context, file string, connections int) (trial.App, error) {
		client, db, err := open(ctx, file, connections)
		if err != nil {
			return nil, err
		}
		e, err := withSCIM(ctx, db, trial.Token)
		return played{&app{client, db, e}}, err
	})
}

// played is the application as the test uses it.
type played struct{ *app }

func (p played) SCIM() (*scim.Handler, *scim.Reconciler) { return p.handler, p.roles }
func (p played) Close() error                            { return p.db.Close() }

func (p played) Add(ctx context.Context, email, name string) (string, error) {
	u, err := p.client.User.Create().SetEmail(email).SetName(name).Save(ctx)
	if err != nil {
		return "", err
	}
	return u.ID.String(), nil
}

func (p played) Read(ctx context.Context, id string) (*trial.User, error) {
	u, err := p.client.User.Get(ctx, uuid.MustParse(id))
	if err != nil {
		return nil, err
	}
	return &trial.User{Email: u.Email, Name: u.Name, Role: u.Role, IsActive: u.Status == user.StatusActive, IsDeleted: u.DeletedAt != nil,
		CreatedAt: u.CreatedAt, Updated: u.UpdatedAt}, nil
}

func (p played) Teams(ctx context.Context, id string) ([]string, error) {
	return p.client.User.Query().Where(user.ID(uuid.MustParse(id))).QueryTeams().Order(ent.Asc(team.FieldName)).Select(team.FieldName).Strings(ctx)
}

func (p played) Rename(ctx context.Context, id, name string) error {
	return p.client.User.UpdateOneID(uuid.MustParse(id)).SetName(name).Exec(ctx)
}

func (p played) Delete(ctx context.Context, id string) error {
	return p.client.User.UpdateOneID(uuid.MustParse(id)).SetDeletedAt(time.Now()).Exec(ctx)
}

func (p played) Give(ctx context.Context, id, role string, fail error) error {
	return p.give(ctx, id, role, func(client *ent.Client) error {
		return errors.Join(client.User.UpdateOneID(uuid.MustParse(id)).SetName("Cy the viewer").Exec(ctx), fail)
	})
}
