package console_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim/console"
	"github.com/scimkit/scim/journal"
)

// watched is an application with several processes over one journal.
type watched struct {
	*testing.T
	*entries
	kept    *journal.Journal
	at      time.Time
	notices []string
	fail    error // what Tell returns
	killed  bool  // the process is killed before its next write after a first one
	writes  int
}

func newWatched(t *testing.T) *watched {
	t.Helper()
	w := &watched{T: t, entries: &entries{}, at: now}
	var err error
	if w.kept, err = journal.New(memoStore{journal.NewMemory(1 << 20), w}, journal.Options{Keys: journal.NewEphemeralKeys()}); err != nil {
		t.Fatal(err)
	}
	return w
}

// Memos makes the memos of w those of w.kept.
func (w *watched) Memos() *journal.Memos { return w.kept.Memos() }

var errKilled = errors.New("killed")

// memoStore is a store of processes that may be killed.
type memoStore struct {
	*journal.Memory
	w *watched
}

func (s memoStore) SwapMemo(ctx context.Context, tenant string, m journal.SealedMemo) (bool, error) {
	if s.w.writes++; s.w.killed && s.w.writes > 1 {
		return false, errKilled
	}
	return s.Memory.SwapMemo(ctx, tenant, m)
}

// process returns the console of a process.
func (w *watched) process(j console.Journal) *console.Console {
	w.Helper()
	c, err := console.New(console.Options{
		Authorize: func(*http.Request) (console.Viewer, error) { return console.Viewer{}, errors.New("nobody") },
		Tenant:    func(context.Context, string) (console.Tenant, error) { return console.Tenant{}, nil },
		Journal:   j, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return w.at },
	})
	if err != nil {
		w.Fatal(err)
	}
	return c
}

func (w *watched) tell(_ context.Context, n console.Notice) error {
	if w.fail != nil {
		return w.fail
	}
	text := "begins: "
	if n.HasEnded {
		text = "ends: "
	}
	w.notices = append(w.notices, text+n.Text)
	return nil
}

// look lets three processes look, of which each has just started, and requires these notices.
func (w *watched) look(why string, want ...string) {
	w.Helper()
	w.notices, w.writes = nil, 0
	for range 3 {
		err := w.process(w).Look(w.Context(), console.Watching{Tell: w.tell}, "acme")
		if err != nil && !errors.Is(err, errKilled) && (w.fail == nil || !errors.Is(err, w.fail)) {
			w.Fatalf("%s: %v", why, err)
		}
	}
	if diff := cmp.Diff(want, w.notices); diff != "" {
		w.Fatalf("%s (-want +got):\n%s", why, diff)
	}
}

func (w *watched) has(all []journal.Summary) { w.summaries = map[string][]journal.Summary{"acme": all} }

const fails, failsNoMore = "begins: Label of okta: 5 of 25 requests have failed in the last 24 hours.", "ends: Label of okta: fewer than a tenth of the requests have failed in the last 24 hours."

// Each notice is given once, by one of several processes, also after they have started again.
func TestNotices(t *testing.T) {
	w := newWatched(t)
	w.look("nothing has come")
	w.has(contacts("okta", 25, 5, now))
	w.look("it fails", fails)
	w.look("it still fails")
	w.has(contacts("okta", 25, 3, now))
	w.at = w.at.Add(time.Hour)
	w.look("less than a fifth fails, but not less than a tenth")
	w.has(contacts("okta", 25, 2, now))
	w.look("it is over", failsNoMore)
	w.look("it is still over")
	w.has(contacts("okta", 25, 5, now))
	w.look("it fails again", fails)
	w.has(nil)
	w.look("it is over at once, which the clock of another process may say")
	w.at = w.at.Add(11 * time.Minute)
	w.look("it is over", failsNoMore)
	if all, err := w.kept.Memos().All(t.Context(), "acme"); len(all) != 0 || err != nil {
		t.Errorf("%d memos are left, %v", len(all), err)
	}
}

// What could not be told is told later.
func TestNoticesAgain(t *testing.T) {
	w := newWatched(t)
	w.has(contacts("okta", 25, 5, now))
	w.fail = errors.New("the mail server is down")
	w.look("Tell fails")
	w.fail = nil
	w.look("Tell works again", fails)
	w.at = w.at.Add(time.Hour)
	w.has(nil)
	w.fail = errors.New("the mail server is down")
	w.look("Tell of the end fails")
	w.fail = nil
	w.look("Tell of the end works again", failsNoMore)

	w.has(contacts("okta", 25, 5, now.Add(time.Hour)))
	w.killed = true
	w.look("a process is killed when it has told", fails)
	w.killed = false
	w.at = w.at.Add(9 * time.Minute)
	w.look("it may still be telling")
	w.at = w.at.Add(2 * time.Minute)
	w.look("another one tells, because nobody knows whether the first one did", fails)
	w.look("and not again")
}

// Silence ends with a request, and not because too little is known of the client.
func TestNoticesOfSilence(t *testing.T) {
	w := newWatched(t)
	w.has(contacts("entra", 20, 0, every(13*day, 3*hour, hour)...))
	w.look("it is silent", "begins: Label of entra has sent nothing for 3 hours. Before, it was hardly ever silent for more than 1 hour.")
	w.at = w.at.Add(13 * day)
	w.has(contacts("entra", 20, 0, every(4*hour, 3*hour, hour)...))
	w.look("after two weeks its hours are forgotten")
	w.has(nil)
	w.look("its days are forgotten too")
	w.has(contacts("entra", 20, 0, w.at))
	w.look("it sends again", "ends: Label of entra sends requests again.")
}

// noMemos is a journal whose store keeps none.
type noMemos struct {
	*entries
	kept *journal.Journal
}

func (n noMemos) Memos() *journal.Memos { return n.kept.Memos() }

// Without memos each process tells once.
func TestNoticesWithoutMemos(t *testing.T) {
	w := newWatched(t)
	w.has(contacts("okta", 25, 5, now))
	plain, err := journal.New(struct{ journal.Store }{journal.NewMemory(1 << 20)}, journal.Options{Keys: journal.NewEphemeralKeys()})
	if err != nil {
		t.Fatal(err)
	}
	for _, j := range []console.Journal{w.entries, noMemos{w.entries, plain}} {
		ctx, cancel := context.WithCancel(t.Context())
		told := 0
		err := w.process(j).Watch(ctx, console.Watching{
			Tenants: func(context.Context) ([]string, error) { return []string{"acme", "acme", "other"}, nil },
			Tell: func(_ context.Context, n console.Notice) error {
				told++
				if n.Tenant != "acme" || n.Kind != console.Failing || n.Object != "okta" || n.HasEnded || !n.At.Equal(now) {
					t.Errorf("notice %+v", n)
				}
				cancel()
				return nil
			},
		})
		if err != nil || told != 1 {
			t.Errorf("%T: told %d times, error %v", j, told, err)
		}
	}
}

func TestWatchRefuses(t *testing.T) {
	w := newWatched(t)
	for want, settings := range map[string]console.Watching{
		"Tell is missing":          {},
		"use at least 10s":         {Tell: w.tell, Every: time.Second},
		"Every is -1m0s: use at l": {Tell: w.tell, Every: -time.Minute},
	} {
		if err := w.process(w).Watch(t.Context(), settings); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

// With a journal in files a notice is given once, also if the process ends and starts again.
func TestNoticesOfFiles(t *testing.T) {
	w, dir := newWatched(t), t.TempDir()
	keys, err := journal.NewKeys([]byte("0123456789abcdef0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	look := func(why string, want ...string) {
		t.Helper()
		s, err := journal.OpenLines(dir, journal.LinesOptions{})
		if errors.Is(err, errors.ErrUnsupported) {
			t.Skip("this system has no flock")
		}
		if err != nil {
			t.Fatal(err)
		}
		if w.kept, err = journal.New(s, journal.Options{Keys: keys}); err != nil {
			t.Fatal(err)
		}
		w.look(why, want...)
		if err := errors.Join(w.kept.Close(t.Context()), s.Close()); err != nil {
			t.Fatal(err)
		}
	}
	w.has(contacts("okta", 25, 5, now))
	look("it fails", fails)
	look("it still fails")
	w.has(nil)
	w.at = w.at.Add(11 * time.Minute)
	look("it is over", failsNoMore)
	look("it is still over")
}
