// Command authserver is an OAuth 2 authorization server for examples/oktaaiw, made with
// github.com/zitadel/oidc. An administrator signs in, and the client, such as Okta, gets access
// tokens for the application's SCIM endpoint, and refresh tokens.
//
// It is a module of its own, so that applications that import the library do not get the
// dependencies of an authorization server.
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
	"strings"
	"syscall"
	"time"

	"github.com/scimkit/scim/auth"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "authserver:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends.
func run(ctx context.Context, args []string, out io.Writer) error {
	secret, _ := auth.NewToken()
	password, _ := auth.NewToken()
	f := flag.NewFlagSet("authserver", flag.ContinueOnError)
	addr := f.String("addr", "127.0.0.1:9090", "`host:port` to listen on; port 0 picks a free one")
	audience := f.String("audience", "http://127.0.0.1:8080/scim/v2", "`name` of the SCIM endpoint, which its tokens are for")
	redirects := f.String("redirect", "https://system-admin.okta.com/admin/app/cpc/example/oauth/callback", "`addresses` to which the client may be sent back, separated by commas")
	c := &client{id: "okta"}
	f.StringVar(&c.id, "client-id", c.id, "`id` of the client")
	f.StringVar(&c.secret, "client-secret", secret, "`secret` of the client (default: a new one, printed)")
	administrator := &person{name: "admin"}
	f.StringVar(&administrator.password, "password", password, "`password` of the administrator, whose name is admin (default: a new one, printed)")
	if err := f.Parse(args); err != nil {
		return err
	}
	c.redirects = strings.Split(*redirects, ",")
	l, err := net.Listen("tcp", *addr)
	if err != nil {
		return err
	}
	defer l.Close() //nolint:errcheck // Serve may have closed it
	issuer := "http://" + l.Addr().String()
	store, err := newStorage(*audience, c, administrator)
	if err != nil {
		return err
	}
	handler, err := newServer(issuer, store)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, `listening on %[1]s
authorization endpoint: %[1]s/authorize
token endpoint: %[1]s/oauth/token
client id: %[2]s
client secret: %[3]s
sign in as: %[4]s, %[5]s

go run ./examples/oktaaiw -issuer %[1]s -keys %[1]s/keys -audience %[6]s
`, issuer, c.id, c.secret, administrator.name, administrator.password, *audience)
	server := &http.Server{Handler: http.MaxBytesHandler(handler, 64<<10), ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout: time.Minute, WriteTimeout: time.Minute, IdleTimeout: 2 * time.Minute}
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
