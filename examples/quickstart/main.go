// Command quickstart is a small application with a SCIM endpoint and three roles. Its
// page shows which user has which role, and why. It prints curl lines to try the
// endpoint.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
	"unicode"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		os.Exit(1)
	}
}

// settings are the values of the flags.
type settings struct {
	addr, token, store string
	host               string // host is the part of addr before the port.
	missing            scim.MissingRole
	nested             bool
}

func parse(args []string, errOut io.Writer) (s settings, err error) {
	f := flag.NewFlagSet("quickstart", flag.ContinueOnError)
	f.SetOutput(errOut)
	f.StringVar(&s.addr, "addr", "127.0.0.1:8080", "`host:port` to listen on; port 0 picks a free one")
	f.StringVar(&s.token, "token", "", "bearer `token` of the SCIM client (default: a new one, printed)")
	f.StringVar(&s.store, "store", "memory", "`where` resources and roles are kept: memory, sqlite:FILE or postgres:DSN")
	missing := f.String("missing-role", "link", "`what` becomes of a group that no role has the name of:\n"+
		"link (accept it, and link it when the role appears), refuse, or create (the role)")
	f.BoolVar(&s.nested, "nested", true, "the members of a group in a group get what that one gives;\n-nested=false: they do not")
	if err := f.Parse(args); err != nil {
		return s, err
	}
	if s.host, _, err = net.SplitHostPort(s.addr); err != nil {
		return s, fmt.Errorf("-addr: %w", err)
	}
	switch {
	case f.NArg() > 0:
		return s, fmt.Errorf("there is no argument %q: see -help", f.Arg(0))
	case strings.ContainsFunc(s.token, func(r rune) bool { return r <= ' ' || r > unicode.MaxASCII || r == 0x7f }):
		return s, errors.New("-token: a token has only ASCII letters, digits and punctuation, and no spaces")
	}
	switch *missing {
	case "link":
		s.missing = scim.LinkLater
	case "refuse":
		s.missing = scim.RefuseGroup
	case "create":
		s.missing = scim.CreateRole
	default:
		return s, fmt.Errorf("-missing-role %s is not possible: say link, refuse or create", *missing)
	}
	return s, nil
}

// run serves until ctx ends, and then finishes the running requests.
func run(ctx context.Context, args []string, out, errOut io.Writer) error {
	s, err := parse(args, errOut)
	if err != nil {
		return err
	}
	token := s.token
	if token == "" {
		token, _ = auth.NewToken()
	}
	log := slog.New(slog.NewTextHandler(errOut, nil))
	p, err := open(ctx, s.store, "Admin", "Editor", "Viewer")
	if err != nil {
		return err
	}
	defer p.close() //nolint:errcheck // every change was committed
	key, _ := auth.NewToken()
	l, err := net.Listen("tcp", s.addr)
	if err != nil {
		return err
	}
	defer l.Close() //nolint:errcheck // Serve may have closed it
	url := "http://" + visible(s.addr, l.Addr().(*net.TCPAddr))
	seen, err := newTrail(ctx, token, log)
	if err != nil {
		return err
	}
	handler, err := newServer(ctx, s, p, seen, url, key, log)
	if err != nil {
		return err
	}
	go seen.journal.Run(context.WithoutCancel(ctx)) //nolint:errcheck // Close waits for it
	fmt.Fprintln(out, "listening on", url)
	if s.token == "" {
		fmt.Fprintln(out, "token:", token)
	}
	fmt.Fprintln(out, "page:", url+"/?key="+key)
	fmt.Fprintln(out, "console:", url+"/console/?key="+key, "(the key in the address logs you in)")
	if err := printCurl(out, url, token, key); err != nil {
		return err
	}

	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout: 2 * time.Minute, WriteTimeout: 5 * time.Minute, IdleTimeout: 2 * time.Minute,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn)}
	err = serve(ctx, server, l)
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return errors.Join(err, seen.journal.Close(last))
}

// serve runs the server until ctx ends, and then finishes the running requests.
func serve(ctx context.Context, server *http.Server, l net.Listener) error {
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

// newServer puts the application together. This is the code that an application writes.
// url is the address of the server, and key opens the page and the console.
func newServer(ctx context.Context, s settings, where *place, seen *trail, url, key string, log *slog.Logger) (http.Handler, error) {
	h, err := scim.New(seen.journal.Config(scim.Config{
		Store:   where.store,
		Auth:    seen.tokens,
		Members: scim.MemberPolicy{Nested: s.nested},
		Roles: &scim.Roles{
			Resolver: creating{where.app},
			Missing:  s.missing,
			Separate: where.separate,
		},
		OnEvent: func(ctx context.Context, e scim.Event) {
			if e.Kind == scim.UserDeleted {
				if err := where.app.forget(context.WithoutCancel(ctx), e.Resource.ID); err != nil {
					log.Error("forgetting a deleted user's roles failed", "user", e.Resource.ID, "error", err)
				}
			}
		},
		Log: log,
	}))
	if err != nil {
		return nil, err
	}
	reconciler, err := h.Reconciler(nil)
	if err != nil {
		return nil, err
	}
	// An earlier run may have had another -nested, or ended half-way.
	for next, more := "", true; more; more = next != "" {
		if next, err = reconciler.All(ctx, next); err != nil {
			return nil, err
		}
	}
	p := &page{app: where.app, store: where.store, roles: reconciler}
	c, err := seen.consoleOf(url, where, reconciler, scim.Mount(scimPath, h, nil), log)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/", p.routes())
	mux.Handle(consolePath, http.StripPrefix("/console", c))
	return scim.Mount(scimPath, seen.journal.Handler(h), (&guard{s.host, key, mux, http.StripPrefix("/connect", c.Setup())}).handler()), nil
}

// scimPath is where the endpoint is, consolePath where the console is, and setupPath where its set-up links lead.
const (
	scimPath    = "/scim/v2"
	consolePath = "/console/"
	setupPath   = "/connect/"
)

// visible returns the address at which a browser reaches the server. If addr names no
// host or all addresses, it is this machine.
func visible(addr string, real *net.TCPAddr) string {
	host, _, _ := net.SplitHostPort(addr)
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = ""
	}
	return net.JoinHostPort(cmp.Or(host, "127.0.0.1"), fmt.Sprint(real.Port))
}
