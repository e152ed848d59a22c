package callers

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth/tokens"
	"github.com/scimkit/scim/internal/pgtest"
	"github.com/scimkit/scim/internal/sqlitetest"
	"github.com/scimkit/scim/store/sqlstore"
	"github.com/scimkit/scim/tenants"
)

var postgres pgtest.Server

// databaseVar makes this program a server over a database: a PostgreSQL address or an SQLite file.
const databaseVar = "SCIM_CALLERS_DATABASE"

// cacheFor is how long a server takes a token for valid without asking.
const cacheFor = 500 * time.Millisecond

// TestMain is also the main function of the servers.
func TestMain(m *testing.M) {
	if address := os.Getenv(databaseVar); address != "" {
		fmt.Fprintln(os.Stderr, serve(context.Background(), address))
		os.Exit(1)
	}
	code := m.Run()
	postgres.Stop()
	os.Exit(code)
}

// application is what several servers over one database share: tenants, and tokens.
type application struct {
	db     *sql.DB
	dsn    string
	store  *sqlstore.Store
	tokens *tokens.Tokens
}

// open opens the database of an application, and makes its tables.
func open(ctx context.Context, address string) (a *application, err error) {
	driver, dialect := sqlitetest.Driver, sqlstore.SQLite
	dsn := address
	if strings.HasPrefix(address, "postgres:") {
		driver, dialect = "pgx", sqlstore.Postgres
	} else {
		dsn = sqlitetest.FastDSN(address) // no test here ends the machine
	}
	a = &application{dsn: address}
	if a.db, err = sql.Open(driver, dsn); err != nil {
		return nil, err
	}
	a.db.SetMaxOpenConns(8)
	if a.store, err = sqlstore.New(a.db, dialect, sqlstore.Options{Tenant: "acme"}); err != nil {
		return nil, err
	}
	issued, err := sqlstore.NewTokens(a.db, dialect, sqlstore.Options{})
	if err != nil {
		return nil, err
	}
	if err := errors.Join(a.store.Migrate(ctx), issued.Migrate(ctx)); err != nil {
		return nil, err
	}
	if _, err := a.db.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS customers (name text PRIMARY KEY, state text NOT NULL)"); err != nil {
		return nil, err
	}
	a.tokens, err = tokens.New(issued, tokens.Options{CacheFor: cacheFor})
	return a, err
}

// Setting implements tenants.Settings.
func (a *application) Setting(ctx context.Context, name string) (s tenants.Setting, err error) {
	err = a.db.QueryRowContext(ctx, "SELECT state FROM customers WHERE name = $1", name).Scan(&s.State)
	if errors.Is(err, sql.ErrNoRows) {
		return s, scim.ErrNotFound
	}
	s.Tenant = &scim.Tenant{ID: name, Store: a.store}
	return s, err
}

// set changes the tenant's switch.
func (a *application) set(t *testing.T, state tenants.State) {
	t.Helper()
	if _, err := a.db.ExecContext(t.Context(), "INSERT INTO customers (name, state) VALUES ('acme', $1) ON CONFLICT (name) DO UPDATE SET state = excluded.state", string(state)); err != nil {
		t.Fatal(err)
	}
}

// handler is what a server serves: SCIM, and a page that revokes a token in this process.
func (a *application) handler() (http.Handler, error) {
	h, err := tenants.New(tenants.Options{Address: "/{tenant}/scim/v2", Settings: a}, scim.Config{Auth: a.tokens, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /revoke/{id}", func(w http.ResponseWriter, r *http.Request) {
		if err := a.tokens.Tenant("acme").Revoke(r.Context(), r.PathValue("id")); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})
	return h.Mount(mux), nil
}

func serve(ctx context.Context, address string) error {
	a, err := open(ctx, address)
	if err != nil {
		return err
	}
	h, err := a.handler()
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go func() { // ends with the process
		io.Copy(io.Discard, os.Stdin) //nolint:errcheck // it ends when the test does
		os.Exit(0)
	}()
	fmt.Println("http://" + l.Addr().String())
	return (&http.Server{Handler: h, ReadHeaderTimeout: time.Minute}).Serve(l)
}

// start starts a server, which ends with the test. It returns the server's URL.
func (a *application) start(t *testing.T) string {
	t.Helper()
	var log bytes.Buffer
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), databaseVar+"="+a.dsn)
	cmd.Stderr = &log
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close() //nolint:errcheck // Wait tells
		cmd.Wait() //nolint:errcheck // the log tells
		if t.Failed() || log.Len() > 0 {
			t.Errorf("the log of a server: %s", &log)
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("a server did not start: %v %s", err, &log)
	}
	return strings.TrimSpace(line)
}

// databases runs a test on each database.
func databases(t *testing.T, test func(t *testing.T, a *application)) {
	for name, address := range map[string]func(t *testing.T) string{
		"SQLite":     func(t *testing.T) string { return filepath.Join(t.TempDir(), "scim.db") },
		"PostgreSQL": func(t *testing.T) string { return postgres.DSN(t) },
	} {
		t.Run(name, func(t *testing.T) {
			a, err := open(t.Context(), address(t))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { a.db.Close() }) //nolint:errcheck // the test is over
			test(t, a)
		})
	}
}
