package withgorm

import (
	"context"
	"errors"
	"testing"

	"gorm.io/gorm"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/examples/recipes/trial"
)

func Test(t *testing.T) {
	for what, prepares := range map[string]bool{"as it is": false, "PrepareStmt": true} {
		t.Run(what, func(t *testing.T) {
			trial.Run(t, func(ctx context.Context, file string, connections int) (trial.App, error) {
				g, db, err := open(file, connections, &gorm.Config{PrepareStmt: prepares})
				if err != nil {
					return nil, err
				}
				e, err := withSCIM(ctx, g, db, trial.Token)
				return played{&app{g, db, e}}, err
			})
		})
	}
}

// played is the application as the test uses it.
type played struct{ *app }

func (p played) SCIM() (*scim.Handler, *scim.Reconciler) { return p.handler, p.roles }
func (p played) Close() error                            { return p.db.Close() }

func (p played) Add(ctx context.Context, email, name string) (string, error) {
	u := User{Email: email, Name: name, Active: true}
	err := p.g.WithContext(ctx).Create(&u).Error
	return idOf(u), err
}

func (p played) Read(ctx context.Context, id string) (*trial.User, error) {
	var u User
	err := p.g.WithContext(ctx).Unscoped().First(&u, "id = ?", id).Error
	return &trial.User{Email: u.Email, Name: u.Name, Role: u.Role, IsActive: u.Active, IsDeleted: u.DeletedAt.Valid,
		CreatedAt: u.CreatedAt, Updated: u.UpdatedAt}, err
}

func (p played) Teams(ctx context.Context, id string) (names []string, err error) {
	var u User
	err = p.g.WithContext(ctx).Preload("Teams", func(g *gorm.DB) *gorm.DB { return g.Order("name") }).First(&u, "id = ?", id).Error
	for _, t := range u.Teams {
		names = append(names, t.Name)
	}
	return names, err
}

func (p played) Rename(ctx context.Context, id, name string) error {
	return p.g.WithContext(ctx).Model(&User{}).Where("id = ?", id).Update("name", name).Error
}

func (p played) Delete(ctx context.Context, id string) error {
	return p.g.WithContext(ctx).Delete(&User{}, "id = ?", id).Error
}

func (p played) Give(ctx context.Context, id, role string, fail error) error {
	return p.give(ctx, id, role, func(tx *gorm.DB) error {
		return errors.Join(tx.Model(&User{}).Where("id = ?", id).Update("name", "Cy the viewer").Error, fail)
	})
}
