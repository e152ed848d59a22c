// Package withgorm is an application that keeps its users with GORM, and has a SCIM endpoint.
package withgorm

import (
	"context"
	"database/sql"

	"github.com/glebarez/sqlite" // pure Go; gorm.io/driver/sqlite takes the same data source name
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/scimkit/scim/store/sqlstore"
)

// User is a user. gorm.Model has the columns id, created_at, updated_at and deleted_at.
type User struct {
	gorm.Model
	Email  string `gorm:"uniqueIndex;not null"`
	Name   string `gorm:"not null;default:''"`
	Active bool   `gorm:"not null;default:true"`
	Role   string `gorm:"not null;default:member"`
	Teams  []Team `gorm:"many2many:team_members"`
}

// Team is a team. GORM makes the table team_members, with the columns team_id and user_id.
type Team struct {
	ID    uint   `gorm:"primaryKey"`
	Name  string `gorm:"uniqueIndex;not null"`
	Users []User `gorm:"many2many:team_members"`
}

// open opens the database and makes its tables.
func open(file string, connections int, c *gorm.Config) (*gorm.DB, *sql.DB, error) {
	g, err := gorm.Open(sqlite.Open(sqlstore.SQLiteDSN(file)), c)
	if err != nil {
		return nil, nil, err
	}
	db, err := g.DB() // the pool, which the store shares
	if err != nil {
		return nil, nil, err
	}
	db.SetMaxOpenConns(connections)
	if err := g.AutoMigrate(&User{}, &Team{}); err != nil {
		return nil, nil, err
	}
	everyone := Team{Name: "Everyone"}
	return g, db, g.Clauses(clause.OnConflict{DoNothing: true}).Create(&everyone).Error
}

// app is the application.
type app struct {
	g  *gorm.DB
	db *sql.DB
	endpoint
}

// give gives a role by hand. What it writes, what change writes, and what the library remembers
// commit together.
func (a *app) give(ctx context.Context, id, role string, change func(tx *gorm.DB) error) error {
	return a.g.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		ctx := sqlstore.WithTx(ctx, a.db, sqlTx(tx))
		if err := a.roles.GiveByHand(ctx, id, roleOf(role), func(ctx context.Context) error {
			return tx.Model(&User{}).Where("id = ?", id).Update("role", role).Error
		}); err != nil {
			return err
		}
		return change(tx)
	})
}

// sqlTx is the transaction of GORM. With PrepareStmt it is wrapped.
func sqlTx(tx *gorm.DB) *sql.Tx {
	pool := tx.Statement.ConnPool
	if prepared, ok := pool.(*gorm.PreparedStmtTX); ok {
		pool = prepared.Tx
	}
	return pool.(*sql.Tx)
}
