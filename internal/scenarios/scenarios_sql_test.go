package scenarios

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/mariatest"
	"github.com/scimkit/scim/internal/pgtest"
	"github.com/scimkit/scim/internal/sqlitetest"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/store/sqlstore"
)

// postgres is the server of this test process.
var postgres pgtest.Server

// mariadb is another one.
var mariadb mariatest.Server

// database is a new database, and how to connect to it.
type database struct {
	dialect     sqlstore.Dialect
	driver, dsn string
}

func sqliteFile(t *testing.T) database {
	return database{sqlstore.SQLite, sqlitetest.Driver, sqlitetest.FastDSN(filepath.Join(t.TempDir(), "scim.db"))}
}

func mariadbServer(t *testing.T) database {
	return database{sqlstore.MariaDB, mariatest.Driver, mariadb.DSN(t)}
}

// says is a statement as the database understands it.
func says(d sqlstore.Dialect, text string, args ...any) (string, []any) {
	if d == sqlstore.MariaDB {
		return mariatest.Statement(text, args...)
	}
	return text, args
}

func postgresServer(t *testing.T) database {
	return database{sqlstore.Postgres, pgtest.Driver, postgres.DSN(t)}
}

// pool connects to the database as another process does.
func (d database) pool(t *testing.T) *sql.DB {
	t.Helper()
	db, err := sql.Open(d.driver, d.dsn)
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(20) // fewer than the requests at once, so that they wait for one another
	db.SetMaxIdleConns(20)
	db.SetConnMaxIdleTime(time.Second) // other worlds may use another database by then
	t.Cleanup(func() { db.Close() })   //nolint:errcheck // the test is over
	return db
}

// ownTables makes a sqlstore with its own tables.
func ownTables(db *sql.DB, d sqlstore.Dialect, o sqlstore.Options) (complete, error) {
	s, err := sqlstore.New(db, d, o)
	if err != nil {
		return nil, err
	}
	return s, s.Migrate(context.Background())
}

// appTables makes a sqlstore over tables of an application. Each tenant has tables of its
// own, because different worlds use the same ids.
func appTables(db *sql.DB, d sqlstore.Dialect, o sqlstore.Options) (complete, error) {
	people, teams, joins := "people_"+o.Tenant, "teams_"+o.Tenant, "team_people_"+o.Tenant
	for _, text := range []string{
		"CREATE TABLE IF NOT EXISTS " + people + " (id text PRIMARY KEY, org text NOT NULL, email text NOT NULL, status text NOT NULL, locked boolean NOT NULL DEFAULT false)",
		"CREATE TABLE IF NOT EXISTS " + teams + " (id text PRIMARY KEY, org text NOT NULL, name text)",
		"CREATE TABLE IF NOT EXISTS " + joins + " (team_id text NOT NULL REFERENCES " + teams + " (id), person_id text NOT NULL REFERENCES " + people + " (id), PRIMARY KEY (team_id, person_id))",
	} {
		text, _ = says(d, text)
		if _, err := db.Exec(text); err != nil {
			return nil, err
		}
	}
	o.Tables = []sqlstore.Table{
		{Type: "User", Name: people, Key: "id", KeepID: true, Tenant: "org", Columns: []sqlstore.Column{
			{Name: "email", Path: "userName"}, sqlstore.ActiveWhen("status", "active", "left")}},
		{Type: "Group", Name: teams, Key: "id", KeepID: true, Tenant: "org", Columns: []sqlstore.Column{{Name: "name", Path: "displayName"}}},
	}
	o.Members = &sqlstore.Join{Name: joins, Group: "team_id", User: "person_id"}
	return ownTables(db, d, o)
}

// onSQL is a place in a database for the stores that store makes. Each world is a tenant,
// which costs less than a database.
func onSQL(open func(t *testing.T) database, store func(*sql.DB, sqlstore.Dialect, sqlstore.Options) (complete, error)) func(t *testing.T) site {
	return func(t *testing.T) site {
		d := open(t)
		pools := []*sql.DB{d.pool(t), d.pool(t)}
		for _, statement := range strings.Split(roleTables, ";") {
			if d.dialect == sqlstore.SQLite {
				statement = strings.Replace(statement, "bigserial", "integer", 1)
			}
			if d.dialect == sqlstore.MariaDB { // a varchar holds 255 characters
				statement = strings.NewReplacer("name text", "name longtext", "changes text", "changes longtext").Replace(statement)
			}
			statement, _ = says(d.dialect, statement)
			if _, err := pools[0].Exec(statement); err != nil {
				t.Fatal(err)
			}
		}
		var worlds atomic.Int64
		return func(w *world) host {
			tenant := fmt.Sprint("tenant", worlds.Add(1))
			make := func(db *sql.DB) complete {
				s, err := store(db, d.dialect, sqlstore.Options{Tenant: tenant, Now: w.now, Log: slog.New(slog.DiscardHandler)})
				w.must(err)
				return s
			}
			return hostOf(w, make(pools[0]), &roleTable{pools, d.dialect, tenant}, func() complete { return make(pools[1]) })
		}
	}
}

// worldsInDatabase is how many worlds with tables of their own share a database. The more
// tables there are, the longer the next ones take.
const worldsInDatabase = 40

// onAppTables is onSQL for tables of an application, which locks accounts in a column.
func onAppTables(open func(t *testing.T) database) func(t *testing.T) site {
	return func(t *testing.T) site {
		var mu sync.Mutex
		var mapped site
		worlds := 0
		next := func() site {
			mu.Lock()
			defer mu.Unlock()
			if worlds%worldsInDatabase == 0 {
				mapped = onSQL(open, appTables)(t)
			}
			worlds++
			return mapped
		}
		return func(w *world) host {
			h := next()(w)
			rows := h.roles.(*roleTable)
			people, db := "people_"+rows.tenant, rows.pools[0]
			h.lock = func(user string) func() bool {
				text, args := says(rows.dialect, "UPDATE "+people+" SET locked = true WHERE id = $1", user)
				_, err := db.Exec(text, args...)
				w.must(err)
				return func() (locked bool) {
					text, args := says(rows.dialect, "SELECT locked FROM "+people+" WHERE id = $1", user)
					w.must(db.QueryRow(text, args...).Scan(&locked))
					return locked
				}
			}
			return h
		}
	}
}

// roleTables are an application's tables of many tenants.
const roleTables = `
CREATE TABLE app_roles (tenant text, id text, name text NOT NULL, weight bigint NOT NULL, protected boolean NOT NULL, scope text NOT NULL, PRIMARY KEY (tenant, id));
CREATE TABLE app_held (tenant text, user_id text, role_id text, PRIMARY KEY (tenant, user_id, role_id),
	FOREIGN KEY (tenant, role_id) REFERENCES app_roles (tenant, id) ON DELETE CASCADE);
CREATE TABLE app_log (n bigserial PRIMARY KEY, tenant text NOT NULL, changes text NOT NULL)`

// roleTable keeps roles in the database of a sqlstore, and joins its transactions.
type roleTable struct {
	pools   []*sql.DB
	dialect sqlstore.Dialect
	tenant  string
}

// db is the transaction of one of the servers.
func (r *roleTable) db(ctx context.Context) sqlstore.DBTX {
	for _, db := range r.pools {
		if tx := sqlstore.Tx(ctx, db); tx != nil {
			return tx
		}
	}
	return r.pools[0]
}

// each is a list in the argument $2 as a table e with the column value.
func (r *roleTable) each() string {
	switch r.dialect {
	case sqlstore.SQLite:
		return "json_each($2) AS e"
	case sqlstore.MariaDB:
		return mariatest.Rows("$2")
	}
	return "jsonb_array_elements(CAST(CAST($2 AS text) AS jsonb)) AS e(value)"
}

func list(v any) string { return string(testhost.Must(json.Marshal(v))) }

func (r *roleTable) exec(ctx context.Context, text string, args ...any) error {
	text, args = says(r.dialect, text, append([]any{r.tenant}, args...)...)
	_, err := r.db(ctx).ExecContext(ctx, text, args...)
	return err
}

// query calls row for each row of the result.
func (r *roleTable) query(ctx context.Context, row func(scan func(...any) error) error, text string, args ...any) error {
	text, args = says(r.dialect, text, append([]any{r.tenant}, args...)...)
	rows, err := r.db(ctx).QueryContext(ctx, text, args...)
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // Err tells
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (r *roleTable) Roles(ctx context.Context) (all []scim.Role, err error) {
	err = r.query(ctx, func(scan func(...any) error) error {
		var x scim.Role
		err := scan(&x.ID, &x.Name, &x.Weight, &x.Protected, &x.Scope)
		x.ID = strings.TrimPrefix(x.ID, x.Scope+"/")
		all = append(all, x)
		return err
	}, "SELECT id, name, weight, protected, scope FROM app_roles WHERE tenant = $1")
	slices.SortFunc(all, func(a, b scim.Role) int { return strings.Compare(a.ID, b.ID) })
	return all, err
}

func (r *roleTable) Put(ctx context.Context, x scim.Role) error {
	return r.exec(ctx, `INSERT INTO app_roles VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (tenant, id) DO UPDATE
		SET name = excluded.name, weight = excluded.weight, protected = excluded.protected`, testhost.KeyOf(x.Scope, x.ID), x.Name, x.Weight, x.Protected, x.Scope)
}

func (r *roleTable) Drop(ctx context.Context, roleID string) error {
	return r.exec(ctx, "DELETE FROM app_roles WHERE tenant = $1 AND id = $2", roleID)
}

func (r *roleTable) Held(ctx context.Context, userIDs []string) (map[string][]scim.Role, error) {
	held := map[string][]scim.Role{}
	err := r.query(ctx, func(scan func(...any) error) error {
		var user string
		var x scim.Role
		err := scan(&user, &x.ID, &x.Name, &x.Weight, &x.Protected, &x.Scope)
		x.ID = strings.TrimPrefix(x.ID, x.Scope+"/")
		held[user] = append(held[user], x)
		return err
	}, `SELECT h.user_id, r.id, r.name, r.weight, r.protected, r.scope FROM app_held h JOIN app_roles r ON r.tenant = h.tenant AND r.id = h.role_id
		WHERE h.tenant = $1 AND h.user_id IN (SELECT e.value ->> 0 FROM `+r.each()+")", list(tuples(userIDs)))
	for _, roles := range held {
		slices.SortFunc(roles, func(a, b scim.Role) int { return strings.Compare(a.ID, b.ID) })
	}
	return held, err
}

// tuples makes rows of one column from texts.
func tuples(ids []string) [][]string {
	all := [][]string{}
	for _, id := range ids {
		all = append(all, []string{id})
	}
	return all
}

func (r *roleTable) Holders(ctx context.Context, roleID string) ([]string, error) {
	users := []string{}
	err := r.query(ctx, func(scan func(...any) error) error {
		var user string
		err := scan(&user)
		users = append(users, user)
		return err
	}, "SELECT user_id FROM app_held WHERE tenant = $1 AND role_id = $2", roleID)
	slices.Sort(users)
	return users, err
}

func (r *roleTable) Change(ctx context.Context, changes []scim.RoleChange) error {
	var grant, revoke [][]string
	for _, c := range changes {
		for _, x := range c.Revoke {
			revoke = append(revoke, []string{c.UserID, testhost.KeyOf(x.Scope, x.ID)})
		}
		for _, x := range c.Grant {
			grant = append(grant, []string{c.UserID, testhost.KeyOf(x.Scope, x.ID)})
		}
	}
	if len(revoke) > 0 {
		err := r.exec(ctx, `DELETE FROM app_held WHERE tenant = $1 AND (user_id, role_id) IN
			(SELECT e.value ->> 0, e.value ->> 1 FROM `+r.each()+")", list(revoke))
		if err != nil {
			return err
		}
	}
	if len(grant) == 0 {
		return nil
	}
	all, err := r.Roles(ctx)
	if err != nil {
		return err
	}
	for _, pair := range grant {
		if !slices.ContainsFunc(all, func(x scim.Role) bool { return testhost.KeyOf(x.Scope, x.ID) == pair[1] }) {
			return fmt.Errorf("role %s: %w", pair[1], scim.ErrNoRole)
		}
	}
	return r.exec(ctx, "INSERT INTO app_held SELECT $1, e.value ->> 0, e.value ->> 1 FROM "+r.each()+
		" WHERE 1 = 1 ON CONFLICT DO NOTHING", list(grant))
}

func (r *roleTable) Note(ctx context.Context, changes []scim.RoleChange) error {
	return r.exec(ctx, "INSERT INTO app_log (tenant, changes) VALUES ($1, $2)", list(changes))
}

func (r *roleTable) Noted(ctx context.Context) (all []scim.RoleChange, err error) {
	err = r.query(ctx, func(scan func(...any) error) error {
		var raw []byte
		var some []scim.RoleChange
		if err := scan(&raw); err != nil {
			return err
		}
		err := json.Unmarshal(raw, &some)
		all = append(all, some...)
		return err
	}, "SELECT changes FROM app_log WHERE tenant = $1 ORDER BY n")
	if err != nil || len(all) == 0 {
		return all, err
	}
	return all, r.exec(ctx, "DELETE FROM app_log WHERE tenant = $1")
}
