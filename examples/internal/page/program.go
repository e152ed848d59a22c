package page

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// Program is an example that can be started.
type Program struct {
	// Name is the name of the program, and of its database files.
	Name string
	// Start makes the application. It is called once, before the first request.
	Start func(ctx context.Context, e *Env) (*App, error)
	// Flags adds flags of the program's own. It may be nil.
	Flags func(f *flag.FlagSet)
}

// App is a started application.
type App struct {
	// Handler serves the endpoint and the pages.
	Handler http.Handler
	// Hints is what the terminal shows: the token, who can log in, and curl lines.
	Hints string
}

// Main runs the program until it gets a signal.
func (p Program) Main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	err := p.Run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, p.Name+":", err)
		os.Exit(1)
	}
}

// Run serves until ctx ends, and then finishes the running requests.
func (p Program) Run(ctx context.Context, args []string, out, errOut io.Writer) error {
	f := flag.NewFlagSet(p.Name, flag.ContinueOnError)
	f.SetOutput(errOut)
	addr := f.String("addr", "127.0.0.1:8080", "`host:port` to listen on; port 0 picks a free one")
	where := f.String("db", "sqlite:"+p.Name+".db", "the application's `database`: sqlite:FILE or postgres:DSN")
	key := f.String("key", p.Name+".key", "`file` with the key of the journal; the program makes it if it is not there")
	if p.Flags != nil {
		p.Flags(f)
	}
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() > 0 {
		return fmt.Errorf("there is no argument %q: see -help", f.Arg(0))
	}
	log := slog.New(slog.NewTextHandler(errOut, nil))
	db, dialect, err := open(*where)
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // every change was committed
	l, err := net.Listen("tcp", *addr)
	if err != nil {
		return err
	}
	defer l.Close() //nolint:errcheck // Serve may have closed it
	e := &Env{Name: p.Name, URL: "http://" + visible(*addr, l.Addr().(*net.TCPAddr)), DB: db, Dialect: dialect,
		Password: rand.Text(), Log: log, where: *where, keyFile: *key}
	defer e.close()
	app, err := p.Start(ctx, e)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "listening on %s\npassword: %s\n%s", e.URL, e.Password, app.Hints)
	return e.serve(ctx, l, app.Handler)
}

// serve serves until ctx ends. The journal's last entries are written after the last request.
func (e *Env) serve(ctx context.Context, l net.Listener, h http.Handler) error {
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout: 2 * time.Minute, WriteTimeout: 5 * time.Minute, IdleTimeout: 2 * time.Minute,
		ErrorLog: slog.NewLogLogger(e.Log.Handler(), slog.LevelWarn)}
	if e.journal != nil {
		go e.journal.Run(context.WithoutCancel(ctx)) //nolint:errcheck // Close waits for it
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	var err error
	select {
	case err = <-failed:
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	err = errors.Join(err, server.Shutdown(last))
	if e.journal != nil {
		err = errors.Join(err, e.journal.Close(last))
	}
	return err
}

// visible returns the address at which a browser reaches the server. If addr names no host or all
// addresses, it is this machine.
func visible(addr string, real *net.TCPAddr) string {
	host, _, _ := net.SplitHostPort(addr)
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, fmt.Sprint(real.Port))
}
