// Command vikunja serves SCIM over tables of Vikunja (https://vikunja.io), a to-do list whose tables
// xorm makes. vikunja.go has the tables and a page. scim.go says what they mean: groups make people
// members or administrators of teams, and memberships that people gave by hand stay.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/scimkit/scim/auth"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "vikunja:", err)
		os.Exit(1)
	}
}

// commands are printed for the reader to paste.
const commands = `
scim() { curl -sS -H 'Authorization: Bearer %[2]s' -H 'Content-Type: application/scim+json' "$@"; echo; }
scim -G %[1]s/scim/v2/Users --data-urlencode 'filter=userName eq "ann"'
BOB=$(scim %[1]s/scim/v2/Users -d '{"userName": "bob", "emails": [{"value": "bob@example.com", "type": "work"}]}' | sed 's/.*"id":"\([^"]*\).*/\1/')
scim %[1]s/scim/v2/Groups -d '{"displayName": "Apollo admins", "members": [{"value": "'$BOB'"}]}'
scim %[1]s/scim/v2/Groups -d '{"displayName": "Vikunja administrators", "members": [{"value": "'$BOB'"}]}'
curl -sS %[1]s/
curl -sS %[1]s/confirm -d 'key=<the key that the page shows>'
`

// run serves until ctx ends.
func run(ctx context.Context, args []string, out io.Writer) error {
	f := flag.NewFlagSet("vikunja", flag.ContinueOnError)
	addr := f.String("addr", "127.0.0.1:8080", "`host:port` to listen on; port 0 picks a free one")
	file := f.String("db", "vikunja-scim.db", "the SQLite `file`: a copy of Vikunja's database, or a new one")
	token := f.String("token", "", "bearer `token` of the SCIM client (default: a new one, printed)")
	if err := f.Parse(args); err != nil {
		return err
	}
	if *token == "" {
		*token, _ = auth.NewToken()
	}
	db, err := open(ctx, *file)
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // every change was committed
	handler, err := withSCIM(ctx, db, *token)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", *addr)
	if err != nil {
		return err
	}
	url := "http://" + l.Addr().String()
	fmt.Fprintf(out, "listening on %s\ntoken: %s\n", url, *token)
	fmt.Fprintf(out, commands, url, *token)
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
