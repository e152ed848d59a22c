package main

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	_ "modernc.org/sqlite"             // the driver "sqlite"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/memory"
	"github.com/scimkit/scim/store/sqlstore"
)

// place keeps the resources and the roles.
type place struct {
	store store
	app   roleApp
	// separate means that the roles of app do not commit with the store.
	separate bool
	close    func() error
}

// store is what the page needs of a store, in addition to the handler.
type store interface {
	scim.Store
	scim.Ledger
}

// open opens the place that -store names: memory, sqlite:FILE or postgres:DSN.
func open(ctx context.Context, where string, roles ...string) (*place, error) {
	driver, dsn, dialect, texts := "", "", sqlstore.SQLite, "json_each($1)"
	switch kind, rest, _ := strings.Cut(where, ":"); {
	case where == "memory":
		return &place{memory.New(memory.UniqueIDs()), newApp(roles...), true, func() error { return nil }}, nil
	case kind == "sqlite" && rest != "":
		driver, dsn = "sqlite", sqlstore.SQLiteDSN(rest)
	case kind == "postgres" && rest != "":
		driver, dsn, dialect, texts = "pgx", rest, sqlstore.Postgres, "jsonb_array_elements_text(CAST($1 AS jsonb))"
		if strings.HasPrefix(rest, "//") { // postgres://… is a complete DSN
			dsn = where
		}
	default:
		return nil, fmt.Errorf("-store %s is not possible: say memory, sqlite:FILE or postgres:DSN", where)
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		return nil, err
	}
	s, err := sqlstore.New(db, dialect, sqlstore.Options{UniqueIDs: true}) // the ids are UUIDs
	if err == nil {
		err = s.Migrate(ctx)
	}
	a := &dbApp{s, texts}
	if err == nil {
		err = a.migrate(ctx, roles...)
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &place{s, a, false, db.Close}, nil
}

// dbApp is the application's own part in tables beside those of the store. Calls of the
// library join the store's transaction.
type dbApp struct {
	s *sqlstore.Store
	// texts is an SQL expression for the texts of $1, a JSON array. One argument then
	// serves any number of users.
	texts string
}

func (a *dbApp) isSQLite() bool { return strings.HasPrefix(a.texts, "json_each") }

// among returns the condition that user_id is one of these texts. In this form both
// databases use the index.
func (a *dbApp) among() string {
	if a.isSQLite() {
		return "user_id IN (SELECT value FROM " + a.texts + ")"
	}
	return "user_id = ANY(ARRAY(SELECT value FROM " + a.texts + " AS t(value)))"
}

var _ roleApp = (*dbApp)(nil)

// migrate creates the tables with some roles. Several servers may start at once.
func (a *dbApp) migrate(ctx context.Context, roles ...string) error {
	return a.s.InTx(ctx, func(ctx context.Context) error {
		if !a.isSQLite() { // in PostgreSQL, CREATE TABLE IF NOT EXISTS fails if another server creates the table
			if _, err := a.s.DB(ctx).ExecContext(ctx, "SELECT pg_advisory_xact_lock(hashtext('quickstart'))"); err != nil {
				return err
			}
		}
		for _, text := range []string{
			"CREATE TABLE IF NOT EXISTS quickstart_roles (n bigint PRIMARY KEY, name text NOT NULL, folded text NOT NULL UNIQUE)",
			"CREATE TABLE IF NOT EXISTS quickstart_held (user_id text NOT NULL, n bigint NOT NULL, PRIMARY KEY (user_id, n))",
		} {
			if _, err := a.s.DB(ctx).ExecContext(ctx, text); err != nil {
				return err
			}
		}
		have, err := a.list(ctx)
		if err != nil || len(have) > 0 {
			return err
		}
		for i, name := range roles {
			_, err := a.s.DB(ctx).ExecContext(ctx, "INSERT INTO quickstart_roles (n, name, folded) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", i+1, name, scim.Fold(name))
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// roleID and number convert between the id of a role and its key.
func roleID(n int) string { return fmt.Sprint("role-", n) }

func number(roleID string) (n int) {
	fmt.Sscanf(roleID, "role-%d", &n) //nolint:errcheck // no role has the number 0
	return n
}

// one finds the role of quickstart_roles that matches a condition.
func (a *dbApp) one(ctx context.Context, condition string, arg any) (r scim.Role, ok bool, err error) {
	var n int
	err = a.s.DB(ctx).QueryRowContext(ctx, "SELECT n, name FROM quickstart_roles WHERE "+condition, arg).Scan(&n, &r.Name)
	if errors.Is(err, sql.ErrNoRows) {
		return r, false, nil
	}
	r.ID = roleID(n)
	return r, err == nil, err
}

// ResolveRoles finds the role in Linked, or the role with the source's name.
func (a *dbApp) ResolveRoles(ctx context.Context, src scim.RoleSource) ([]scim.Role, error) {
	for _, linked := range src.Linked { // one at most: a name stands for one role
		if r, ok, err := a.one(ctx, "n = $1", number(linked.ID)); err != nil || ok {
			return []scim.Role{r}, err
		}
	}
	r, ok, err := a.one(ctx, "folded = $1", scim.Fold(src.Name()))
	if err == nil && !ok {
		err = scim.ErrNoRole
	}
	if err != nil {
		return nil, err
	}
	return []scim.Role{r}, nil
}

// HeldRoles lists the roles that the users hold.
func (a *dbApp) HeldRoles(ctx context.Context, userIDs []string) (map[string][]scim.Role, error) {
	if len(userIDs) == 0 {
		return nil, nil
	}
	ids, err := json.Marshal(userIDs)
	if err != nil {
		return nil, err
	}
	rows, err := a.s.DB(ctx).QueryContext(ctx, `SELECT h.user_id, r.n, r.name FROM quickstart_held h
		JOIN quickstart_roles r ON r.n = h.n WHERE h.`+a.among()+` ORDER BY r.n`, string(ids))
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // Err tells
	held := make(map[string][]scim.Role, len(userIDs))
	for rows.Next() {
		var user, name string
		var n int
		if err := rows.Scan(&user, &n, &name); err != nil {
			return nil, err
		}
		held[user] = append(held[user], scim.Role{ID: roleID(n), Name: name})
	}
	return held, rows.Err()
}

// ChangeRoles carries out all changes, or none if a role no longer exists. It runs one
// statement for each role, whatever the number of users.
func (a *dbApp) ChangeRoles(ctx context.Context, changes []scim.RoleChange) error {
	given, taken := map[string][]string{}, map[string][]string{}
	for _, c := range changes {
		for _, r := range c.Revoke {
			taken[r.ID] = append(taken[r.ID], c.UserID)
		}
		for _, r := range c.Grant {
			given[r.ID] = append(given[r.ID], c.UserID)
		}
	}
	return a.s.InTx(ctx, func(ctx context.Context) error {
		for role, users := range taken {
			if err := a.revoke(ctx, role, users...); err != nil {
				return err
			}
		}
		for role, users := range given {
			if err := a.grant(ctx, role, users...); err != nil {
				return err
			}
		}
		return nil
	})
}

func (a *dbApp) list(ctx context.Context) (all []scim.Role, err error) {
	rows, err := a.s.DB(ctx).QueryContext(ctx, "SELECT n, name FROM quickstart_roles ORDER BY n")
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // Err tells
	for rows.Next() {
		var n int
		var r scim.Role
		if err := rows.Scan(&n, &r.Name); err != nil {
			return nil, err
		}
		r.ID = roleID(n)
		all = append(all, r)
	}
	return all, rows.Err()
}

func (a *dbApp) add(ctx context.Context, name string) error {
	name = strings.TrimSpace(name)
	if name == "" {
		return errNoName
	}
	res, err := a.s.DB(ctx).ExecContext(ctx, `INSERT INTO quickstart_roles (n, name, folded)
		SELECT COALESCE(max(n), 0) + 1, $1, $2 FROM quickstart_roles WHERE 1 = 1 ON CONFLICT DO NOTHING`, name, scim.Fold(name))
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); n == 0 {
		return cmp.Or(err, fmt.Errorf("there is a role %s already", name))
	}
	return nil
}

func (a *dbApp) give(ctx context.Context, userID, roleID string) error {
	return a.grant(ctx, roleID, userID)
}

func (a *dbApp) take(ctx context.Context, userID, roleID string) error {
	return a.revoke(ctx, roleID, userID)
}

func (a *dbApp) grant(ctx context.Context, roleID string, userIDs ...string) error {
	if _, ok, err := a.one(ctx, "n = $1", number(roleID)); err != nil || !ok {
		return cmp.Or(err, fmt.Errorf("there is no role %q: %w", roleID, scim.ErrNoRole))
	}
	// Without the WHERE, SQLite reads ON as part of a join.
	return a.each(ctx, "INSERT INTO quickstart_held (user_id, n) SELECT value, CAST($2 AS bigint) FROM "+a.texts+" WHERE 1 = 1 ON CONFLICT DO NOTHING", userIDs, roleID)
}

func (a *dbApp) revoke(ctx context.Context, roleID string, userIDs ...string) error {
	return a.each(ctx, "DELETE FROM quickstart_held WHERE "+a.among()+" AND n = $2", userIDs, roleID)
}

// each runs a statement for these users and a role.
func (a *dbApp) each(ctx context.Context, text string, userIDs []string, roleID string) error {
	ids, err := json.Marshal(userIDs)
	if err == nil {
		_, err = a.s.DB(ctx).ExecContext(ctx, text, string(ids), number(roleID))
	}
	return err
}

func (a *dbApp) forget(ctx context.Context, userID string) error {
	_, err := a.s.DB(ctx).ExecContext(ctx, "DELETE FROM quickstart_held WHERE user_id = $1", userID)
	return err
}
