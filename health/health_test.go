package health_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/health"
	"github.com/scimkit/scim/store/memory"
)

func ask(h http.Handler, method string) string {
	out := httptest.NewRecorder()
	h.ServeHTTP(out, httptest.NewRequest(method, "/", nil))
	return fmt.Sprintf("%d %s", out.Code, out.Body)
}

var errDown = errors.New("dial tcp 10.0.0.1: connection refused")

// down is a store without its database.
type down struct{ scim.Store }

func (down) Get(context.Context, scim.Ref) (*scim.Resource, error) { return nil, errDown }

func TestAnswers(t *testing.T) {
	fine := func(context.Context) error { return nil }
	log := slog.New(slog.DiscardHandler)
	for _, tt := range []struct {
		name   string
		h      http.Handler
		method string
		want   string
	}{
		{"alive", health.Live(), "GET", "200 ok\n"},
		{"alive, for HEAD", health.Live(), "HEAD", "200 ok\n"},
		{"not a read", health.Live(), "POST", "405 "},
		{"no checks", health.Ready(health.Options{Log: log}), "GET", "200 ok\n"},
		{"not a read either", health.Ready(health.Options{Log: log}), "DELETE", "405 "},
		{"a store", health.Ready(health.Options{Log: log}, fine, health.Reads(memory.New())), "GET", "200 ok\n"},
		{"a store that is away", health.Ready(health.Options{Log: log}, fine, health.Reads(down{})), "GET", "503 not ready\n"},
		{"a panic", health.Ready(health.Options{Log: log}, func(context.Context) error { panic("no internals") }), "GET", "503 not ready\n"},
	} {
		if got := ask(tt.h, tt.method); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// A store that does not answer makes no request wait for longer than the time-out.
func TestTimeout(t *testing.T) {
	for _, tt := range []struct {
		name  string
		check health.Check
	}{
		{"a check that respects its context", func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }},
		{"a check that says nothing of its end", func(ctx context.Context) error { <-ctx.Done(); return nil }},
	} {
		synctest.Test(t, func(t *testing.T) {
			h := health.Ready(health.Options{Timeout: 2 * time.Second, Log: slog.New(slog.DiscardHandler)}, tt.check)
			began := time.Now()
			if got := ask(h, "GET"); got != "503 not ready\n" || time.Since(began) != 2*time.Second {
				t.Errorf("%s: %q after %s", tt.name, got, time.Since(began))
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		end := make(chan struct{})
		h := health.Ready(health.Options{Log: slog.New(slog.DiscardHandler)}, func(context.Context) error { <-end; return nil })
		go ask(h, "GET") // it waits for the check, which does not respect its context
		synctest.Wait()
		began := time.Now()
		if got := ask(h, "GET"); got != "503 not ready\n" || time.Since(began) != time.Second {
			t.Errorf("behind a check that hangs: %q after %s", got, time.Since(began))
		}
		close(end)
	})
}

// A flood of requests costs one check in a second.
func TestFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int32
		h := health.Ready(health.Options{Log: slog.New(slog.DiscardHandler)}, func(context.Context) error {
			calls.Add(1)
			time.Sleep(100 * time.Millisecond)
			return nil
		})
		for range 100 {
			go ask(h, "GET")
		}
		time.Sleep(500 * time.Millisecond)
		if n := calls.Load(); n != 1 {
			t.Errorf("%d checks", n)
		}
		time.Sleep(time.Second)
		if ask(h, "GET"); calls.Load() != 2 {
			t.Errorf("%d checks after a second", calls.Load())
		}
	})
}

// The result does not depend on a client that hangs up.
func TestClientIsGone(t *testing.T) {
	h := health.Ready(health.Options{Log: slog.New(slog.DiscardHandler)}, func(ctx context.Context) error { return ctx.Err() })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 20 { // it may also not get its turn
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, "GET", "/", nil))
	}
	if got := ask(h, "GET"); got != "200 ok\n" {
		t.Errorf("the next client gets %q", got)
	}
}

// The log says why, once at each change.
func TestLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		var err error
		h := health.Ready(health.Options{Log: slog.New(slog.NewTextHandler(&log, nil))}, func(context.Context) error { return err })
		for _, err = range []error{nil, errDown, errDown, nil, nil, errDown} {
			ask(h, "GET")
			time.Sleep(2 * time.Second)
		}
		var got []string
		for line := range strings.Lines(log.String()) {
			_, line, _ = strings.Cut(line, "level=")
			got = append(got, strings.TrimSpace(line))
		}
		want := []string{
			`WARN msg="scim: not ready" error="dial tcp 10.0.0.1: connection refused"`,
			`INFO msg="scim: ready again"`,
			`WARN msg="scim: not ready" error="dial tcp 10.0.0.1: connection refused"`,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}
