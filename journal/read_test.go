package journal_test

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/journal"
	"github.com/scimkit/scim/store/memory"
)

// A client names members by their ids. Who asks by name finds these entries too.
func TestMembershipsByName(t *testing.T) {
	a := newApp(t, journal.Options{}, nil)
	id := a.create("/Users", ann)
	group := a.create("/Groups", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"Devs"}`)
	a.create("/Users", strings.NewReplacer("Ann@", "ben@", `"x1"`, `"x2"`, "ann.b@", "ben@").Replace(ann)) // has the displayName of ann
	a.send("PATCH", "/Groups/"+group, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"add","path":"members","value":[{"value":"`+id+`"}]}]}`)
	for _, tt := range []struct {
		q      journal.Query
		want   int
		reason string
	}{
		{journal.Query{Person: id}, 2, "the id"},
		{journal.Query{Person: "ANN@example.com"}, 2, "the name, though the membership shows the id only"},
		{journal.Query{Person: "ben@example.com"}, 1, "somebody else"},
		{journal.Query{Person: "Ann B"}, 3, "a name of two people"},
		{journal.Query{Person: "ann@example.com", Group: "devs"}, 1, "both by name"},
		{journal.Query{Person: "ben@example.com", Group: "devs"}, 0, "both by name, of which one is not there"},
		{journal.Query{Person: "nobody"}, 0, "an unknown name"},
	} {
		if got := a.find(tt.q); len(got) != tt.want {
			t.Errorf("%s: %d entries, want %d", tt.reason, len(got), tt.want)
		}
	}
}

// Every tenant sees that a process was killed, and nothing else of the tenant "".
func TestGapsOfAllTenants(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, keys := journal.NewMemory(1<<20), journal.NewEphemeralKeys()
		if err := store.Beat(t.Context(), "killed", time.Now()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * journal.LostAfter)
		a := newAppOver(t, store, journal.Options{Keys: keys}, nil)
		a.send("GET", "/Users", "")
		a.sendAs("bad", "GET", "/Users", "")
		go a.j.Run(t.Context()) //nolint:errcheck // Close waits for it
		time.Sleep(time.Second)
		if err := a.j.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, q := range []journal.Query{{Tenant: "acme"}, {Tenant: "acme", Kind: journal.Gap}} {
			all, err := a.j.Find(t.Context(), q)
			if err != nil || len(all) != 1 || all[0].Kind != journal.Gap || all[0].Detail.Gap.Reason == "" {
				t.Fatalf("%+v, %v", all, err)
			}
			if e, err := a.j.Get(t.Context(), "acme", all[0].ID); err != nil || e.Detail.Gap == nil {
				t.Errorf("%+v, %v", e, err)
			}
		}
		for _, q := range []journal.Query{{Tenant: "acme", Class: 2}, {Tenant: "acme", Kind: journal.Exchange}, {Tenant: "acme", Person: "ann"}, {Tenant: "acme", Client: "okta"},
			{Tenant: "acme", From: time.Now().Add(time.Hour)}, {Tenant: "acme", Event: scim.UserProvisioned}, {Tenant: "acme", RequestID: "x"}} {
			if all, err := a.j.Find(t.Context(), q); len(all) != 0 || err != nil {
				t.Errorf("%+v: %+v, %v", q, all, err)
			}
		}
		own, err := a.j.Find(t.Context(), journal.Query{})
		if err != nil || len(own) != 3 {
			t.Fatalf("%+v, %v", own, err)
		}
		for _, e := range own {
			if _, err := a.j.Get(t.Context(), "acme", e.ID); e.Kind != journal.Gap && !errors.Is(err, scim.ErrNotFound) {
				t.Errorf("another tenant reads %+v: %v", e, err)
			}
		}
	})
}

// loggedApp is an endpoint whose journal has a log.
func loggedApp(t *testing.T, store journal.Store, keys journal.Wrapper) (*journal.Journal, http.Handler, *bytes.Buffer) {
	t.Helper()
	var log bytes.Buffer
	j, err := journal.New(store, journal.Options{Keys: keys, Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	h, err := scim.New(j.Config(scim.Config{Store: memory.New(), Auth: auth.None(), Log: slog.New(slog.DiscardHandler)}))
	if err != nil {
		t.Fatal(err)
	}
	return j, j.Handler(h), &log
}

// A program that forgets to call Run is told so, once.
func TestNobodyCallsRun(t *testing.T) {
	for _, runs := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			j, h, log := loggedApp(t, journal.NewMemory(1<<20), journal.NewEphemeralKeys())
			if runs {
				go j.Run(t.Context()) //nolint:errcheck // Close waits for it
				time.Sleep(time.Second)
			}
			for range 30 {
				(&app{t, j, h}).send("GET", "/Users", "")
				time.Sleep(time.Second)
			}
			if n := strings.Count(log.String(), "call Journal.Run"); n != map[bool]int{false: 1, true: 0}[runs] {
				t.Errorf("runs: %v: the log says it %d times:\n%s", runs, n, log)
			}
			if err := j.Close(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// A wrong key is told when the journal begins, and not when somebody misses an entry.
func TestWrongKeyIsTold(t *testing.T) {
	store, keys := journal.NewMemory(1<<20), journal.NewEphemeralKeys()
	for _, tt := range []struct {
		keys journal.Wrapper
		want bool
	}{{keys, false}, {keys, false}, {journal.NewEphemeralKeys(), true}} {
		synctest.Test(t, func(t *testing.T) {
			j, h, log := loggedApp(t, store, tt.keys)
			go j.Run(t.Context()) //nolint:errcheck // Close waits for it
			synctest.Wait()
			if got := strings.Contains(log.String(), "does not open keys in the store"); got != tt.want {
				t.Errorf("warned at the start: %v, want %v: %s", got, tt.want, log)
			}
			(&app{t, j, h}).send("GET", "/Users", "")
			if err := j.Close(t.Context()); err != nil {
				t.Error(err)
			}
			if got := strings.Contains(log.String(), "another one takes its place"); got != tt.want {
				t.Errorf("warned when it writes: %v, want %v: %s", got, tt.want, log)
			}
		})
	}
}
