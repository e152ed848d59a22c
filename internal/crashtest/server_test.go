package crashtest

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/scimkit/scim/internal/mariatest"
	"github.com/scimkit/scim/internal/testhost"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/store/sqlstore"
)

// databaseVar names the database of a serving process: a PostgreSQL address, or an
// SQLite file.
const databaseVar = "SCIM_CRASHTEST_DATABASE"

// mappedVar says that users and groups are rows of the application's own tables.
const mappedVar = "SCIM_CRASHTEST_MAPPED"

// flatVar says that groups in groups give nothing.
const flatVar = "SCIM_CRASHTEST_FLAT"

// elsewhereVar names an SQLite file with the application's roles. They then do not commit with
// the store. Without it they are in the store's database.
const elsewhereVar = "SCIM_CRASHTEST_ROLES"

// roleNames are the application's roles.
var roleNames = []string{"Admin", "Auditor", "Editor", "Viewer"}

// open opens the store and makes its tables and the application's.
func open(ctx context.Context, database string, mapped bool) (*app, error) {
	driver, dsn, d := "sqlite", sqlstore.SQLiteDSN(database), sqlstore.SQLite
	if strings.HasPrefix(database, "postgres:") {
		driver, dsn, d = "pgx", database, sqlstore.Postgres
	}
	if strings.Contains(database, "@unix(") {
		driver, dsn, d = mariatest.Driver, database, sqlstore.MariaDB
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(20)
	a := &app{db: db, d: d}
	if file := os.Getenv(elsewhereVar); file != "" {
		if a.elsewhere, err = sql.Open("sqlite", sqlstore.SQLiteDSN(file)); err != nil {
			return nil, err
		}
	}
	var o sqlstore.Options
	if mapped {
		if o, err = tables(ctx, db, d); err != nil {
			return nil, err
		}
	}
	if a.store, err = sqlstore.New(db, d, o); err != nil {
		return nil, err
	}
	if err := a.store.Migrate(ctx); err != nil {
		return nil, err
	}
	return a, a.store.InTx(ctx, func(ctx context.Context) error {
		if d == sqlstore.Postgres { // processes that start at once
			if _, err := a.store.DB(ctx).ExecContext(ctx, "SELECT pg_advisory_xact_lock(1)"); err != nil {
				return err
			}
		}
		for _, text := range []string{
			"CREATE TABLE IF NOT EXISTS roles (name text PRIMARY KEY)",
			"CREATE TABLE IF NOT EXISTS held (user_id text, role text REFERENCES roles (name), by_hand smallint NOT NULL, PRIMARY KEY (user_id, role))",
			"INSERT INTO roles VALUES ('" + strings.Join(roleNames, "'), ('") + "') ON CONFLICT DO NOTHING",
		} {
			if err := a.exec(ctx, text); err != nil {
				return err
			}
		}
		return nil
	})
}

// says is a statement as the database of the roles understands it.
func (a *app) says(text string, args ...any) (string, []any) {
	if a.d == sqlstore.MariaDB && a.elsewhere == nil {
		return mariatest.Statement(text, args...)
	}
	return text, args
}

func (a *app) exec(ctx context.Context, text string, args ...any) error {
	text, args = a.says(text, args...)
	_, err := a.rows(ctx).ExecContext(ctx, text, args...)
	return err
}

// waitIfTold waits for ever in ChangeRoles, if a test has said so.
func (a *app) waitIfTold() {
	if a.hang.Load() {
		a.hangs.Store(true)
		select {}
	}
}

// handleUnfinished adds what the test of unfinished changes needs.
func (a *app) handleUnfinished(mux *http.ServeMux, roles *scim.Reconciler) {
	mux.HandleFunc("POST /hang", func(http.ResponseWriter, *http.Request) { a.hang.Store(true) })
	mux.HandleFunc("GET /hangs", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, a.hangs.Load()) })
	mux.HandleFunc("POST /settle", func(w http.ResponseWriter, r *http.Request) {
		if err := roles.Settle(r.Context()); err != nil {
			scim.WriteError(w, err)
		}
	})
	mux.HandleFunc("POST /end", func(w http.ResponseWriter, r *http.Request) {
		for {
			isDone, err := roles.End(r.Context(), scim.EndHow(r.FormValue("how")))
			if err != nil {
				scim.WriteError(w, err)
			}
			if err != nil || isDone {
				return
			}
		}
	})
	mux.HandleFunc("GET /pending", func(w http.ResponseWriter, r *http.Request) {
		list, _, err := roles.Pending(r.Context(), "", 0)
		if err != nil {
			scim.WriteError(w, err)
			return
		}
		for _, p := range list {
			fmt.Fprintln(w, p.Kind, p.Resource.ID)
		}
	})
}

// serve runs a process with a SCIM endpoint and an administrator's endpoint. It ends when
// its input ends.
func serve() error {
	ctx := context.Background()
	a, err := open(ctx, os.Getenv(databaseVar), os.Getenv(mappedVar) != "")
	if err != nil {
		return err
	}
	h, err := scim.New(guarded(scim.Config{Store: a.store, Auth: auth.None(), Roles: &scim.Roles{Resolver: a, Separate: a.elsewhere != nil}, Members: scim.MemberPolicy{Nested: os.Getenv(flatVar) == ""},
		Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))}, a))
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	guardRoutes(mux, h)
	mux.HandleFunc("POST /give", func(w http.ResponseWriter, r *http.Request) {
		err := a.give(r.Context(), testhost.Must(h.Reconciler(nil)), r.FormValue("user"), r.FormValue("role"), r.FormValue("die"))
		if err != nil {
			scim.WriteError(w, err)
		}
	})
	mux.HandleFunc("POST /take", func(w http.ResponseWriter, r *http.Request) {
		still, err := a.take(r.Context(), testhost.Must(h.Reconciler(nil)), r.FormValue("user"), r.FormValue("role"), r.FormValue("die"))
		if err != nil {
			scim.WriteError(w, err)
		}
		fmt.Fprint(w, still)
	})
	mux.HandleFunc("POST /reconcile", func(w http.ResponseWriter, r *http.Request) {
		before := a.changes.Load()
		for next, more := "", true; more; more = next != "" {
			if next, err = testhost.Must(h.Reconciler(nil)).All(r.Context(), next); err != nil {
				scim.WriteError(w, err)
				return
			}
		}
		fmt.Fprint(w, a.changes.Load()-before)
	})
	a.handleUnfinished(mux, testhost.Must(h.Reconciler(nil)))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go func() {
		io.Copy(io.Discard, os.Stdin) //nolint:errcheck // it ends with the test
		os.Exit(0)
	}()
	fmt.Println("http://" + l.Addr().String())
	return http.Serve(l, scim.Mount("/scim", h, mux))
}

// app is an application's roles, in the store's database.
type app struct {
	store   *sqlstore.Store
	db      *sql.DB
	d       sqlstore.Dialect
	changes atomic.Int64 // of roles that the library has asked for
	hang    atomic.Bool  // hang says that ChangeRoles never ends.
	hangs   atomic.Bool  // hangs says that a call does not end.
	// elsewhere is the database of the roles if it is not the store's.
	elsewhere *sql.DB
}

// rows is the database of the roles, or the store's transaction in it.
func (a *app) rows(ctx context.Context) sqlstore.DBTX {
	if a.elsewhere != nil {
		return a.elsewhere
	}
	return a.store.DB(ctx)
}

// give gives a role by hand. The process dies before or after the statement if die says so.
func (a *app) give(ctx context.Context, roles *scim.Reconciler, user, role, die string) error {
	return roles.GiveByHand(ctx, user, scim.Role{ID: role}, func(ctx context.Context) error {
		return a.byHand(ctx, die, `INSERT INTO held VALUES ($1, $2, 1)
			ON CONFLICT (user_id, role) DO UPDATE SET by_hand = 1`, user, role)
	})
}

// take takes a role by hand.
func (a *app) take(ctx context.Context, roles *scim.Reconciler, user, role, die string) ([]scim.Source, error) {
	return roles.TakeByHand(ctx, user, scim.Role{ID: role}, func(ctx context.Context) error {
		return a.byHand(ctx, die, "DELETE FROM held WHERE user_id = $1 AND role = $2", user, role)
	})
}

func (a *app) byHand(ctx context.Context, die, statement, user, role string) error {
	if die == "before" {
		kill9()
	}
	err := a.exec(ctx, statement, user, role)
	if die == "after" {
		kill9()
	}
	return err
}

// kill9 ends this process as kill -9 does.
func kill9() {
	if p, err := os.FindProcess(os.Getpid()); err == nil {
		p.Kill() //nolint:errcheck // select shows it
	}
	select {}
}

func (a *app) ResolveRoles(ctx context.Context, src scim.RoleSource) ([]scim.Role, error) {
	name := src.Name()
	var n int
	text, args := a.says("SELECT count(*) FROM roles WHERE name = $1", name)
	err := a.rows(ctx).QueryRowContext(ctx, text, args...).Scan(&n)
	if err == nil && n == 0 {
		err = scim.ErrNoRole
	}
	return []scim.Role{{ID: name, Name: name}}, err
}

// list is a JSON array, given as an argument, as a query.
func (a *app) list(arg string) string {
	if a.d == sqlstore.SQLite || a.elsewhere != nil {
		return "SELECT value FROM json_each(" + arg + ")"
	}
	if a.d == sqlstore.MariaDB {
		return "SELECT value FROM " + mariatest.Rows(arg)
	}
	return "SELECT jsonb_array_elements_text(CAST(CAST(" + arg + " AS text) AS jsonb))"
}

// values is list with a column value.
func (a *app) values(arg string) string {
	if a.d == sqlstore.MariaDB && a.elsewhere == nil {
		return a.list(arg)
	}
	return a.list(arg) + " AS value"
}

func (a *app) HeldRoles(ctx context.Context, userIDs []string) (map[string][]scim.Role, error) {
	ids, err := json.Marshal(userIDs)
	if err != nil {
		return nil, err
	}
	text, args := a.says("SELECT user_id, role FROM held WHERE user_id IN ("+a.list("$1")+")", string(ids))
	rows, err := a.rows(ctx).QueryContext(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // Err tells
	held := make(map[string][]scim.Role)
	for rows.Next() {
		var u, r string
		if err := rows.Scan(&u, &r); err != nil {
			return nil, err
		}
		held[u] = append(held[u], scim.Role{ID: r, Name: r})
	}
	return held, rows.Err()
}

func (a *app) ChangeRoles(ctx context.Context, changes []scim.RoleChange) error {
	a.changes.Add(1)
	a.waitIfTold()
	give, take := map[string][]string{}, map[string][]string{}
	for _, c := range changes {
		for _, r := range c.Grant {
			give[r.ID] = append(give[r.ID], c.UserID)
		}
		for _, r := range c.Revoke {
			take[r.ID] = append(take[r.ID], c.UserID)
		}
	}
	for _, role := range roleNames { // in order: others do the same at once
		for text, users := range map[string][]string{
			"DELETE FROM held WHERE role = $1 AND user_id IN (" + a.list("$2") + ")":                                  take[role],
			"INSERT INTO held SELECT value, $1, 0 FROM (" + a.values("$2") + ") x WHERE 1 = 1 ON CONFLICT DO NOTHING": give[role],
		} {
			if len(users) == 0 {
				continue
			}
			slices.Sort(users)
			ids, err := json.Marshal(users)
			if err != nil {
				return err
			}
			if err := a.exec(ctx, text, role, string(ids)); err != nil {
				return err
			}
		}
	}
	return nil
}
