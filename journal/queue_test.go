package journal_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/journal"
)

// Under pressure bodies of successful reads go first, and the line of a failed request goes last.
func TestPressure(t *testing.T) {
	store := &spy{Store: journal.NewMemory(64 << 20)}
	a := newAppOver(t, store, journal.Options{}, nil)
	id := a.create("/Users", strings.Replace(ann, `"active"`, `"title":"`+strings.Repeat("x", 8000)+`","active"`, 1))
	a.find(journal.Query{})
	room := func(n int64, send func()) (entries map[string]int, bodies map[string]int, missing int) {
		t.Helper()
		a.j.SetRoom(n)
		store.fail(errors.New("full"))
		if a.j.Flush(t.Context()) != nil {
			t.Fatal("an empty flush fails")
		}
		send()
		store.fail(nil)
		last := a.find(journal.Query{Limit: 1})[0].Time
		entries, bodies = map[string]int{}, map[string]int{}
		for _, e := range a.find(journal.Query{From: last.Add(-time.Hour), Limit: 1000}) {
			e, err := a.j.Get(t.Context(), "", e.ID)
			if err != nil {
				t.Fatal(err)
			}
			if e.Kind == journal.Gap {
				missing += e.Detail.Gap.Entries
				continue
			}
			what := fmt.Sprint(e.Method, " ", e.Status)
			entries[what]++
			if e.Response != nil && e.Response.Text != "" {
				bodies[what]++
			}
		}
		if used := a.j.Used(); used != 0 {
			t.Errorf("%d bytes of the queue are never given back", used)
		}
		if _, err := a.j.Erase(t.Context(), "", id); err != nil {
			t.Fatal(err)
		}
		return entries, bodies, missing
	}
	send := func() {
		for range 20 {
			a.send("GET", "/Users/"+id, "")
			a.send("GET", "/Users/none", "")
		}
	}
	entries, bodies, missing := room(200_000, send)
	if entries["GET 200"] != 20 || bodies["GET 200"] == 20 || bodies["GET 404"] != 20 || missing != 0 {
		t.Errorf("little pressure: entries %v, bodies %v, missing %d", entries, bodies, missing)
	}
	if bodies["GET 200"] == 0 {
		t.Error("all bodies are gone under little pressure")
	}
	entries, _, missing = room(40_000, send)
	if entries["GET 404"] < 35 || entries["GET 404"]+entries["GET 200"]+missing != 80 {
		t.Errorf("much pressure: entries %v, missing %d", entries, missing)
	}
}

// A tenant that floods the endpoint gives up its own entries, also failed ones, and not those of others.
func TestPressureIsFair(t *testing.T) {
	store := &spy{Store: journal.NewMemory(64 << 20)}
	a := newAppOver(t, store, journal.Options{}, func(c *scim.Config) {
		c.Auth = anyone{}
		s := c.Store
		c.Store = nil
		c.TenantFor = func(_ context.Context, p scim.Principal) (*scim.Tenant, error) {
			return &scim.Tenant{ID: p.Tenant, Store: s}, nil
		}
	})
	a.j.SetRoom(100_000)
	for i := range 300 {
		a.sendAs("loud", "GET", "/Users/none", "")
		if i%60 == 0 {
			a.sendAs("quiet", "GET", "/Users", "")
		}
	}
	quiet, loud := a.find(journal.Query{Tenant: "quiet"}), a.find(journal.Query{Tenant: "loud", Limit: 1000})
	if len(quiet) != 5 || len(loud) >= 300 {
		t.Errorf("%d entries of the quiet tenant, want 5; %d of the loud one", len(quiet), len(loud))
	}
}

// A function of the application that panics disturbs no request.
func TestPanics(t *testing.T) {
	broken := func(*http.Request) string { panic("bug") }
	label := func(context.Context, string, string) string { panic("bug") }
	var once sync.Once
	a := newApp(t, journal.Options{TenantOf: broken, Address: broken}, nil)
	if w := a.send("GET", "/Users", ""); w.Code != 200 || len(a.find(journal.Query{})) != 1 {
		t.Errorf("%d", w.Code)
	}
	a = newApp(t, journal.Options{Label: label}, nil)
	a.send("GET", "/Users", "")
	if all := a.find(journal.Query{}); len(all) != 1 || all[0].Detail.Label != "" {
		t.Errorf("%+v", all)
	}
	a = newApp(t, journal.Options{Keys: &wrapperFunc{journal.NewEphemeralKeys(), func([]byte) bool { once.Do(func() { panic("bug") }); return false }}}, nil)
	a.send("GET", "/Users", "")
	if all := a.find(journal.Query{}); len(all) != 1 || all[0].Kind != journal.Gap || all[0].Detail.Gap.Entries != 1 {
		t.Errorf("%+v", all)
	}
	if used := a.j.Used(); used != 0 {
		t.Errorf("%d bytes are never given back", used)
	}
}

// What a broken store could not take is written later, once.
func TestBrokenStore(t *testing.T) {
	store := &spy{Store: journal.NewMemory(64 << 20)}
	a := newAppOver(t, store, journal.Options{}, nil)
	store.fail(errors.New("down"))
	for range 3 {
		if w := a.send("GET", "/Users", ""); w.Code != 200 {
			t.Fatal(w.Code)
		}
		if a.j.Flush(t.Context()) == nil {
			t.Error("no error")
		}
	}
	store.fail(nil)
	if all := a.find(journal.Query{}); len(all) != 3 {
		t.Errorf("%d entries", len(all))
	}
	if used := a.j.Used(); used != 0 {
		t.Errorf("%d bytes are never given back", used)
	}
}

// A record that the store never takes holds up no other one.
func TestPoison(t *testing.T) {
	store := &poisoned{journal.NewMemory(64 << 20)}
	a := newAppOver(t, store, journal.Options{}, nil)
	a.send("GET", "/Users", "")
	a.send("GET", "/Groups", "")
	a.send("GET", "/Users", "")
	for range 2 {
		if a.j.Flush(t.Context()) == nil {
			t.Fatal("the poison is taken")
		}
	}
	var got []string
	for _, e := range a.find(journal.Query{}) {
		got = append(got, string(e.Kind)+" "+e.Type)
	}
	if diff := cmp.Diff([]string{"gap ", "exchange User", "exchange User"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if used := a.j.Used(); used != 0 {
		t.Errorf("%d bytes are never given back", used)
	}
}

// poisoned is a store that refuses batches with a record about groups.
type poisoned struct{ *journal.Memory }

func (p *poisoned) Append(ctx context.Context, records []journal.Record) error {
	for _, r := range records {
		if r.Type == "Group" {
			return errors.New("cannot be stored")
		}
	}
	return p.Memory.Append(ctx, records)
}

// wrapperFunc is a key service that fails for a tenant.
type wrapperFunc struct {
	journal.Wrapper
	fails func(bound []byte) bool
}

func (w *wrapperFunc) Wrap(ctx context.Context, key, bound []byte) ([]byte, error) {
	if w.fails(bound) {
		return nil, errors.New("down")
	}
	return w.Wrapper.Wrap(ctx, key, bound)
}

// Without a key nothing is written, in the clear or otherwise. Other tenants go on.
func TestBrokenWrapper(t *testing.T) {
	down := "acme"
	keys := &wrapperFunc{journal.NewEphemeralKeys(), func(bound []byte) bool { return down != "" && strings.Contains(string(bound), down) }}
	store := &spy{Store: journal.NewMemory(64 << 20)}
	a := newAppOver(t, store, journal.Options{Keys: keys, TenantOf: nil}, func(c *scim.Config) {
		c.Auth = anyone{}
		s := c.Store
		c.Store = nil
		c.TenantFor = func(_ context.Context, p scim.Principal) (*scim.Tenant, error) {
			return &scim.Tenant{ID: p.Tenant, Store: s}, nil
		}
	})
	a.sendAs("acme", "GET", "/Users", "")
	a.sendAs("beta", "GET", "/Users", "")
	if a.j.Flush(t.Context()) == nil {
		t.Error("no error")
	}
	if len(store.seen) != 1 || store.seen[0].Tenant != "beta" {
		t.Errorf("%+v", store.seen)
	}
	down = ""
	if all := a.find(journal.Query{Tenant: "acme"}); len(all) != 1 {
		t.Errorf("%d entries after the key service is back", len(all))
	}
}

func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t, journal.Options{}, nil)
		ended := make(chan error)
		go func() { ended <- a.j.Run(t.Context()) }()
		a.send("GET", "/Users", "")
		time.Sleep(time.Second)
		synctest.Wait()
		all, err := a.j.Find(t.Context(), journal.Query{})
		if len(all) != 1 || err != nil {
			t.Errorf("a second later: %d entries, %v", len(all), err)
		}
		if a.j.Run(t.Context()) == nil {
			t.Error("Run runs twice")
		}
		a.send("GET", "/Users", "")
		if err := a.j.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if all, err := a.j.Find(t.Context(), journal.Query{}); len(all) != 2 || err != nil {
			t.Errorf("after Close: %d entries, %v", len(all), err)
		}
		if err := a.j.Close(t.Context()); err != nil {
			t.Errorf("a second Close: %v", err)
		}
	})
}

// Run writes what is left when its context ends, and Close works without Run.
func TestEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t, journal.Options{}, nil)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- a.j.Run(ctx) }()
		synctest.Wait()
		a.send("GET", "/Users", "")
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if all, err := a.j.Find(t.Context(), journal.Query{}); len(all) != 1 || err != nil {
			t.Errorf("%d entries, %v", len(all), err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		store := &spy{Store: journal.NewMemory(64 << 20)}
		a := newAppOver(t, store, journal.Options{}, nil)
		go a.j.Run(t.Context()) //nolint:errcheck // Close returns its error
		synctest.Wait()
		store.fail(errors.New("down"))
		a.send("GET", "/Users", "")
		if a.j.Close(t.Context()) == nil {
			t.Error("Close says nothing of an entry that is lost")
		}
	})
	a := newApp(t, journal.Options{}, nil)
	a.send("GET", "/Users", "")
	if err := a.j.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if all, err := a.j.Find(t.Context(), journal.Query{}); len(all) != 1 || err != nil {
		t.Errorf("%d entries, %v", len(all), err)
	}
}

// A process that ends without Close is a gap. One that ends with it is none.
func TestLostProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := journal.NewMemory(64 << 20)
		keys := journal.NewEphemeralKeys()
		for _, o := range []struct {
			closes bool
			gaps   int
		}{{true, 0}, {false, 1}} {
			dying := newAppOver(t, &spy{Store: store}, journal.Options{Keys: keys}, nil)
			ctx, kill := context.WithCancel(t.Context())
			ended := make(chan error)
			go func() { ended <- dying.j.Run(ctx) }()
			time.Sleep(time.Minute)
			died := time.Now()
			if o.closes {
				dying.j.Close(t.Context()) //nolint:errcheck // Run returns its error
			}
			kill()
			if err := <-ended; err != nil {
				t.Fatal(err)
			}
			if !o.closes { // Run has said that it ends: take that back.
				if err := store.Beat(t.Context(), "killed", died); err != nil {
					t.Fatal(err)
				}
			}
			living := newAppOver(t, store, journal.Options{Keys: keys}, nil)
			ctx, stop := context.WithCancel(t.Context())
			go func() { ended <- living.j.Run(ctx) }()
			time.Sleep(2 * journal.LostAfter)
			all, err := living.j.Find(t.Context(), journal.Query{Kind: journal.Gap})
			if len(all) != o.gaps || err != nil {
				t.Errorf("closes %v: %d gaps, %v", o.closes, len(all), err)
			}
			if o.gaps == 1 && len(all) == 1 {
				g := all[0].Detail.Gap
				if died.Before(g.From) || died.After(g.To) || g.Entries != 0 || g.Reason == "" {
					t.Errorf("gap %+v, died %v", g, died)
				}
			}
			stop()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
	})
}

func TestRetention(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t, journal.Options{Age: 2 * time.Hour}, nil)
		go a.j.Run(t.Context()) //nolint:errcheck // Close is called
		a.send("GET", "/Users", "")
		time.Sleep(time.Hour)
		a.send("GET", "/Groups", "")
		time.Sleep(90 * time.Minute)
		all, err := a.j.Find(t.Context(), journal.Query{})
		if len(all) != 1 || err != nil || all[0].Type != "Group" {
			t.Errorf("%+v, %v", all, err)
		}
		if err := a.j.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// anyone is an Authenticator whose tenants are the tokens.
type anyone struct{}

func (anyone) Authenticate(r *http.Request) (scim.Principal, error) {
	tenant := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	return scim.Principal{ID: "client", Tenant: tenant}, nil
}

func TestNewRefuses(t *testing.T) {
	keys := journal.NewEphemeralKeys()
	for _, tt := range []struct {
		name  string
		store journal.Store
		o     journal.Options
		want  string
	}{
		{"nothing", nil, journal.Options{}, "journal: store is nil\njournal: Keys is missing: use NewKeys, or NewEphemeralKeys if the store is a Memory"},
		{"age", journal.NewMemory(1), journal.Options{Keys: keys, Age: time.Minute}, "journal: Age is 1m0s: use at least an hour"},
		{"size", journal.NewMemory(1), journal.Options{Keys: keys, Size: 1}, "journal: Size is 1 bytes: use at least 1 MiB"},
		{"a path", journal.NewMemory(1), journal.Options{Keys: keys, Redact: []string{"name.ssn"}}, `journal: Redact: "name.ssn" is no name of an attribute: use the last part of its path`},
	} {
		_, err := journal.New(tt.store, tt.o)
		if diff := cmp.Diff(tt.want, fmt.Sprint(err)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}
