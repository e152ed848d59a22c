// Package health has handlers for the probes of a load balancer or of Kubernetes. Mount them beside
// the SCIM endpoint, which asks for a token at each of its addresses:
//
//	mux.Handle("/healthz", health.Live())
//	mux.Handle("/readyz", health.Ready(health.Options{}, health.Reads(store)))
//
// Their answers are "ok" or "not ready" and nothing else, so strangers may see them.
package health

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/scimkit/scim"
)

// Check says why a process cannot serve. It respects the deadline of ctx. A panic counts as an error.
type Check func(ctx context.Context) error

// Options configures Ready. Zero fields mean the defaults.
type Options struct {
	// Timeout is the time for all checks together. Default: 1 s. Afterwards the answer is 503.
	Timeout time.Duration
	// Keep is for how long a result counts for further requests. Default: 1 s. So a flood of requests
	// costs one run of the checks in this time.
	Keep time.Duration
	// Log gets a line when the process becomes ready or not ready, with the error. Nil:
	// slog.Default().
	Log *slog.Logger
}

// Live returns a handler that answers 200 as long as the process serves requests. It asks
// nothing else: a process does not become better by a restart because its database is away.
func Live() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isRead(w, r) {
			answer(w, http.StatusOK)
		}
	})
}

// Ready returns a handler that answers 200 if no check fails, and otherwise 503. It runs the checks
// one after the other, and never twice at the same time.
func Ready(o Options, checks ...Check) http.Handler {
	o.Timeout, o.Keep, o.Log = cmp.Or(o.Timeout, time.Second), cmp.Or(o.Keep, time.Second), cmp.Or(o.Log, slog.Default())
	return &ready{o: o, checks: checks, turn: make(chan struct{}, 1)}
}

// Reads returns a check that reads a user who does not exist.
//
// A store over tables of the application may answer without its database, if the id cannot be a key
// of the table. Then pass PingContext of the sql.DB too.
func Reads(s scim.Store) Check {
	return func(ctx context.Context) error {
		_, err := s.Get(ctx, scim.Ref{Type: "User", ID: "00000000-0000-0000-0000-000000000000"})
		if errors.Is(err, scim.ErrNotFound) {
			return nil
		}
		return err
	}
}

// ready runs checks. Who has the turn reads and writes the last result.
type ready struct {
	o      Options
	checks []Check
	turn   chan struct{}

	until time.Time // the last result counts until then
	err   error     // the last result
	known bool      // there is a last result
}

// ServeHTTP implements http.Handler.
func (h *ready) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !isRead(w, r) {
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), h.o.Timeout)
	defer cancel()
	select {
	case h.turn <- struct{}{}:
	case <-ctx.Done(): // a check takes too long
		answer(w, http.StatusServiceUnavailable)
		return
	}
	err := h.result(r.Context())
	<-h.turn
	if err != nil {
		answer(w, http.StatusServiceUnavailable)
		return
	}
	answer(w, http.StatusOK)
}

// result returns the last result, or that of the checks if it is too old.
func (h *ready) result(ctx context.Context) error {
	if h.known && time.Now().Before(h.until) {
		return h.err
	}
	// The result counts for others too, who are there when this client is gone.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), h.o.Timeout)
	defer cancel()
	err := h.run(ctx)
	switch wasReady := !h.known || h.err == nil; {
	case err != nil && wasReady:
		h.o.Log.WarnContext(ctx, "scim: not ready", "error", err)
	case err == nil && !wasReady:
		h.o.Log.InfoContext(ctx, "scim: ready again")
	}
	h.known, h.err, h.until = true, err, time.Now().Add(h.o.Keep)
	return err
}

func (h *ready) run(ctx context.Context) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("a check panics: %v", p)
		}
	}()
	for _, check := range h.checks {
		if err := cmp.Or(check(ctx), ctx.Err()); err != nil {
			return err
		}
	}
	return nil
}

// isRead refuses methods that read nothing.
func isRead(w http.ResponseWriter, r *http.Request) bool {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return true
	}
	w.Header().Set("Allow", "GET, HEAD")
	w.WriteHeader(http.StatusMethodNotAllowed)
	return false
}

func answer(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	text := "ok\n"
	if status != http.StatusOK {
		text = "not ready\n"
	}
	io.WriteString(w, text) //nolint:errcheck // the client is gone
}
