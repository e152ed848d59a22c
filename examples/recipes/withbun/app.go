// Package withbun is an application that keeps its users with bun, and has a SCIM endpoint.
package withbun

import (
	"context"
	"database/sql"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/scimkit/scim/store/sqlstore"
)

// User is a user. bun sets DeletedAt instead of deleting the row, and leaves such rows out.
type User struct {
	bun.BaseModel `bun:"table:users,alias:u"`

	ID        int64     `bun:",pk,autoincrement"`
	Email     string    `bun:",unique,notnull"`
	Name      string    `bun:",notnull,default:''"`
	Active    bool      `bun:",notnull,default:true"`
	Role      string    `bun:",notnull,default:'member'"`
	CreatedAt time.Time `bun:",nullzero,notnull,default:current_timestamp"`
	UpdatedAt time.Time `bun:",nullzero,notnull,default:current_timestamp"`
	DeletedAt time.Time `bun:",soft_delete,nullzero"`
	Teams     []Team    `bun:"m2m:team_members,join:User=Team"`
}

// Team is a team.
type Team struct {
	bun.BaseModel `bun:"table:teams"`

	ID   int64  `bun:",pk,autoincrement"`
	Name string `bun:",unique,notnull"`
}

// TeamMember says that a user is in a team.
type TeamMember struct {
	bun.BaseModel `bun:"table:team_members"`

	TeamID int64 `bun:",pk"`
	Team   *Team `bun:"rel:belongs-to,join:team_id=id"`
	UserID int64 `bun:",pk"`
	User   *User `bun:"rel:belongs-to,join:user_id=id"`
}

// open opens the database and makes its tables.
func open(ctx context.Context, file string, connections int) (*bun.DB, error) {
	db, err := sql.Open("sqlite", sqlstore.SQLiteDSN(file))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(connections)
	b := bun.NewDB(db, sqlitedialect.New())
	b.RegisterModel((*TeamMember)(nil))
	for _, model := range []any{(*User)(nil), (*Team)(nil), (*TeamMember)(nil)} {
		if _, err := b.NewCreateTable().Model(model).IfNotExists().WithForeignKeys().Exec(ctx); err != nil {
			return nil, err
		}
	}
	_, err = b.NewInsert().Model(&Team{Name: "Everyone"}).On("CONFLICT DO NOTHING").Exec(ctx)
	return b, err
}

// app is the application.
type app struct {
	b *bun.DB
	endpoint
}

// give gives a role by hand. What it writes, what change writes, and what the library remembers
// commit together.
func (a *app) give(ctx context.Context, id, role string, change func(tx bun.Tx) error) error {
	return a.b.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		ctx = sqlstore.WithTx(ctx, a.b.DB, tx.Tx)
		err := a.roles.GiveByHand(ctx, id, roleOf(role), func(ctx context.Context) error {
			_, err := tx.NewUpdate().Model((*User)(nil)).Set("role = ?", role).Where("id = ?", id).Exec(ctx)
			return err
		})
		if err != nil {
			return err
		}
		return change(tx)
	})
}
