// Command existing-app is an application with its own tables of users, teams and roles,
// which now has a SCIM endpoint. app.go is the application as it was before. scim.go is
// what was added.
package main

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	_ "modernc.org/sqlite"             // the driver "sqlite"

	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/store/sqlstore"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "existing-app:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends.
func run(ctx context.Context, args []string, out io.Writer) error {
	f := flag.NewFlagSet("existing-app", flag.ContinueOnError)
	addr := f.String("addr", "127.0.0.1:8080", "`host:port` to listen on; port 0 picks a free one")
	where := f.String("db", "sqlite:existing-app.db", "the application's `database`: sqlite:FILE or postgres:DSN")
	token := f.String("token", "", "bearer `token` of the SCIM client (default: a new one, printed)")
	if err := f.Parse(args); err != nil {
		return err
	}
	if *token == "" {
		*token, _ = auth.NewToken()
	}
	db, d, err := open(*where)
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // every change was committed
	if err := install(ctx, db, d); err != nil {
		return err
	}
	a := &app{db: db}
	handler, roles, err := withSCIM(ctx, a, db, d, *token)
	if err != nil {
		return err
	}
	a.roles = roles // before the first request
	l, err := net.Listen("tcp", *addr)
	if err != nil {
		return err
	}
	url := "http://" + l.Addr().String()
	fmt.Fprintf(out, "listening on %s\ntoken: %s\n\n", url, *token)
	fmt.Fprintf(out, "curl -sS %s/\n", url)
	fmt.Fprintf(out, "curl -sS -H 'Authorization: Bearer %s' -G %s/scim/v2/Users --data-urlencode 'filter=userName eq \"bob@example.com\"'\n", *token, url)
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout: 2 * time.Minute, WriteTimeout: 5 * time.Minute, IdleTimeout: 2 * time.Minute}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return server.Shutdown(last)
}

func open(where string) (*sql.DB, sqlstore.Dialect, error) {
	kind, rest, _ := strings.Cut(where, ":")
	switch {
	case kind == "sqlite" && rest != "":
		db, err := sql.Open("sqlite", sqlstore.SQLiteDSN(rest))
		if err == nil {
			err = connect(db)
		}
		return db, sqlstore.SQLite, err
	case kind == "postgres" && strings.HasPrefix(rest, "//"): // postgres://… is a complete DSN
		rest = where
		fallthrough
	case kind == "postgres" && rest != "":
		db, err := sql.Open("pgx", rest)
		return db, sqlstore.Postgres, err
	}
	return nil, 0, fmt.Errorf("-db %s is not possible: say sqlite:FILE or postgres:DSN", where)
}

// connect makes the first connection, which switches a new file to WAL. If two processes do so at
// once, SQLite tells one of them without a wait that the file is locked.
func connect(db *sql.DB) (err error) {
	for range 100 {
		if err = db.Ping(); err == nil {
			return nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	return err
}
