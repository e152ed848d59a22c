package ratelimit_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/scimkit/scim/ratelimit"
)

// stalled is a Shares whose database does not answer.
type stalled struct{ asked, release chan struct{} }

func (s stalled) Take(context.Context, string, int, int) (given, total int, err error) {
	s.asked <- struct{}{}
	<-s.release
	return 25, 0, nil
}

// While one request waits for a share, the others of the tenant go on.
func TestSharesStall(t *testing.T) {
	s := stalled{make(chan struct{}, 1), make(chan struct{})}
	l := limiter(t, ratelimit.Options{Shares: s})
	first, others := make(chan struct{}), make(chan int, 1)
	go func() { l.Admit(context.Background(), "a", false); close(first) }()
	<-s.asked
	go func() { others <- admitted(l, "a", false, 10) }()
	select {
	case n := <-others:
		if n != 10 {
			t.Errorf("%d of 10 requests run", n)
		}
	case <-time.After(10 * time.Second):
		t.Error("requests wait for the share of another one")
	}
	close(s.release)
	<-first
}

type panicking struct{}

func (panicking) Take(context.Context, string, int, int) (int, int, error) { panic("a bug") }

func TestSharesPanic(t *testing.T) {
	l := limiter(t, ratelimit.Options{Shares: panicking{}, Log: slog.New(slog.DiscardHandler)})
	if n := admitted(l, "a", false, 10); n != 10 {
		t.Errorf("%d of 10 requests run", n)
	}
}

// After a large bulk request a process with a small share tells the time of the whole rate.
func TestRetryAfterOfShare(t *testing.T) {
	clk := newClock()
	l := limiter(t, ratelimit.Options{Shares: &sharing{clk: clk}, Now: clk.now})
	admitted(l, "a", false, 1)
	l.Charge(t.Context(), "a", 999)
	if a := l.Admit(t.Context(), "a", false); a.RetryAfter != 10*time.Second {
		t.Errorf("%+v, want 10 s", a)
	}
}

// A clock that is set back does not keep a share for the time until it has caught up.
func TestClockBack(t *testing.T) {
	clk := newClock()
	s := &sharing{clk: clk}
	l := limiter(t, ratelimit.Options{Shares: s, Now: clk.now})
	admitted(l, "a", false, 100)
	clk.at = clk.at.Add(-time.Hour)
	admitted(l, "a", false, 1)
	if s.asked != 2 {
		t.Errorf("asked %d times, want 2", s.asked)
	}
}
