// Package withxorm is an application that keeps its users with xorm, and has a SCIM endpoint.
package withxorm

import (
	"context"
	"database/sql"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"
	"xorm.io/xorm"

	"github.com/scimkit/scim/store/sqlstore"
)

// User is a user. xorm calls the table "user", and fills the columns that have the tags created,
// updated and deleted.
type User struct {
	ID      int64     `xorm:"pk autoincr 'id'"`
	Email   string    `xorm:"varchar(250) notnull unique"`
	Name    string    `xorm:"varchar(250) notnull default ''"`
	Status  int       `xorm:"notnull default 0"` // StatusActive or StatusDisabled
	Role    string    `xorm:"varchar(20) notnull default 'member'"`
	Created time.Time `xorm:"created"`
	Updated time.Time `xorm:"updated"`
	Deleted time.Time `xorm:"deleted"`
}

// The states of a user.
const (
	StatusActive   = 0
	StatusDisabled = 2
)

// Team is a team.
type Team struct {
	ID   int64  `xorm:"pk autoincr 'id'"`
	Name string `xorm:"varchar(250) notnull unique"`
}

// TeamMember says that a user is in a team.
type TeamMember struct {
	TeamID int64 `xorm:"pk 'team_id'"`
	UserID int64 `xorm:"pk index 'user_id'"`
}

// open opens the database and makes its tables.
func open(file string, connections int) (*xorm.Engine, error) {
	x, err := xorm.NewEngine("sqlite", sqlstore.SQLiteDSN(file))
	if err != nil {
		return nil, err
	}
	x.SetMaxOpenConns(connections)
	if err := x.Sync(new(User), new(Team), new(TeamMember)); err != nil {
		return nil, err
	}
	has, err := x.Exist(&Team{Name: "Everyone"})
	if err == nil && !has {
		_, err = x.Insert(&Team{Name: "Everyone"})
	}
	return x, err
}

// app is the application.
type app struct {
	x *xorm.Engine
	endpoint
}

// pool is the pool of xorm, which the store shares.
func pool(x *xorm.Engine) *sql.DB { return x.DB().DB }

// give gives a role by hand. What it writes, what change writes, and what the library remembers
// commit together.
func (a *app) give(ctx context.Context, id, role string, change func(s *xorm.Session) error) error {
	s := a.x.NewSession().Context(ctx)
	defer s.Close() //nolint:errcheck // it rolls back what is not committed
	if err := s.Begin(); err != nil {
		return err
	}
	ctx = sqlstore.WithTx(ctx, pool(a.x), s.Tx().Tx)
	err := a.roles.GiveByHand(ctx, id, roleOf(role), func(context.Context) error {
		_, err := s.ID(id).Cols("role").Update(&User{Role: role})
		return err
	})
	if err == nil {
		err = change(s)
	}
	if err != nil {
		return err
	}
	return s.Commit()
}
