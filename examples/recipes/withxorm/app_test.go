package withxorm

import (
	"context"
	"database/sql"
	"errors"
	"testing"

	"xorm.io/xorm"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/examples/recipes/trial"
)

func Test(t *testing.T) {
	trial.Run(t, func(ctx context.Context, file string, connections int) (trial.App, error) {
		x, err := open(file, connections)
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

func (p played) Add(ctx context.Context, email, name string) (string, error) {
	u := User{Email: email, Name: name, Role: "member"}
	_, err := p.x.Context(ctx).Insert(&u)
	return idOf(&u), err
}

func (p played) Read(ctx context.Context, id string) (*trial.User, error) {
	var u User
	has, err := p.x.Context(ctx).Unscoped().ID(id).Get(&u)
	if err == nil && !has {
		err = sql.ErrNoRows
	}
	return &trial.User{Email: u.Email, Name: u.Name, Role: u.Role, IsActive: u.Status == StatusActive, IsDeleted: !u.Deleted.IsZero(),
		CreatedAt: u.Created, Updated: u.Updated}, err
}

func (p played) Teams(ctx context.Context, id string) (names []string, err error) {
	err = p.x.Context(ctx).Table("team").Join("INNER", "team_member", "team_member.team_id = team.id").
		Where("team_member.user_id = ?", id).OrderBy("team.name").Cols("team.name").Find(&names)
	return names, err
}

func (p played) Rename(ctx context.Context, id, name string) error {
	_, err := p.x.Context(ctx).ID(id).Update(&User{Name: name})
	return err
}

func (p played) Delete(ctx context.Context, id string) error {
	_, err := p.x.Context(ctx).ID(id).Delete(new(User))
	return err
}

func (p played) Give(ctx context.Context, id, role string, fail error) error {
	return p.give(ctx, id, role, func(s *xorm.Session) error {
		_, err := s.ID(id).Update(&User{Name: "Cy the viewer"})
		return errors.Join(err, fail)
	})
}
