package scenarios

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"

	"github.com/scimkit/scim"
)

// careless is a store whose optional calls may panic.
type careless struct {
	scim.Store
	panics bool
}

func (c *careless) Volatile() {}

func (c *careless) SetPassword(context.Context, string, string) error { return c.call() }

func (c *careless) Deactivate(context.Context, *scim.Resource) error { return c.call() }

func (c *careless) call() error {
	if c.panics {
		panic("a mistake of the application")
	}
	return nil
}

// A panic of the application's code is logged with its stack and counts as an error of the
// call. So nothing half done stays, and the client can repeat its request.
func TestPanicsCountAsErrors(t *testing.T) {
	var log bytes.Buffer
	panics := false
	mayPanic := func() {
		if panics {
			panic("a mistake of the application")
		}
	}
	start := func(t *testing.T) (*world, *careless) {
		w := newWorld(t, bare, scim.Roles{Pick: func(all []scim.Candidate) []scim.Role {
			mayPanic()
			return scim.PickHeaviest(all)
		}})
		log.Reset()
		panics = false
		st := &careless{Store: w.store}
		w.store = st
		c := w.config()
		c.Log = slog.New(slog.NewTextHandler(&log, nil))
		c.Rules = []scim.Rule{func(_ context.Context, c *scim.Change) error {
			if c.Op == scim.OpPatch {
				mayPanic()
			}
			return nil
		}}
		w.h = []*scim.Handler{w.handler(c)}
		w.role("A")
		w.role("B")
		return w, st
	}
	logged := func(t *testing.T) {
		t.Helper()
		if s := log.String(); !strings.Contains(s, "a mistake of the application") || !strings.Contains(s, "panic_test.go") {
			t.Errorf("the log has not the panic and its stack: %s", s)
		}
	}
	t.Run("PasswordSetter", func(t *testing.T) {
		w, st := start(t)
		st.panics = true
		body := with(profile("U"), "password", "correct horse")
		w.diff("first", 500, w.sendPost("/Users", "U", body).status)
		w.diff("users", any(0.0), w.do("GET", "/Users", nil).body["totalResults"])
		logged(t)
		st.panics = false
		w.post("/Users", "U", body)
	})
	t.Run("Deactivator", func(t *testing.T) {
		w, st := start(t)
		w.user("U")
		w.group("G", "A", "U")
		st.panics = true
		w.diff("first", 500, w.send("PATCH", "/Users/U", activeBody(false)).status)
		w.diff("deletion", 500, w.send("DELETE", "/Users/U", nil).status)
		logged(t)
		w.wantRoles("U", "A")
		w.diff("active", any(true), w.do("GET", "/Users/U", nil).body["active"])
		st.panics = false
		w.deactivate("U")
		w.wantRoles("U")
	})
	t.Run("Rule", func(t *testing.T) {
		w, _ := start(t)
		w.user("U")
		w.group("G", "A", "U")
		panics = true
		w.diff("first", 500, w.send("PATCH", "/Groups/G", renameBody("B")).status)
		logged(t)
		panics = false
		w.wantRoles("U", "A")
		w.rename("G", "B")
		w.wantRoles("U", "B")
	})
	t.Run("Pick", func(t *testing.T) {
		w, _ := start(t)
		w.user("U")
		panics = true
		w.diff("first", 500, w.sendPost("/Groups", "G", groupBody("A", "U")).status)
		w.diff("groups", any(0.0), w.do("GET", "/Groups", nil).body["totalResults"])
		logged(t)
		panics = false
		w.group("G", "A", "U")
		w.wantRoles("U", "A")
	})
	t.Run("ResolveRoles, in the Reconciler", func(t *testing.T) {
		w, _ := start(t)
		w.user("U")
		w.group("G", "A", "U")
		w.app.Fail = func(string) error { panic("a mistake of the application") }
		if w.reconciler().RolesChanged(ctx()) == nil || w.reconciler().Users(ctx(), "U") == nil {
			t.Error("no error")
		}
		logged(t)
	})
}

// A panic of OnEvent loses one event. The request has its answer, and the other events come.
func TestPanicOfOnEvent(t *testing.T) {
	w := newWorld(t, joint, scim.Roles{})
	w.role("R")
	w.user("U")
	w.mark()
	c := w.config()
	usual := c.OnEvent
	c.OnEvent = func(ctx context.Context, e scim.Event) {
		if e.Kind == scim.GroupCreated {
			panic("a mistake of the application")
		}
		usual(ctx, e)
	}
	w.h = []*scim.Handler{w.handler(c)}
	w.group("G", "R", "U")
	w.wantEvents("member added G U", "group linked G R", "role granted U R G")
}

// A panic of PolicyOf is an error of the application's calls. It leaves no mark and no lock.
func TestPanicOfPolicyOf(t *testing.T) {
	for _, kind := range []string{joint, separate, bare} {
		t.Run(kind, func(t *testing.T) {
			panics := false
			w := newWorld(t, kind, scim.Roles{PolicyOf: func(string) scim.RolePolicy {
				if panics {
					panic("a mistake of the application")
				}
				return scim.RolePolicy{Pick: scim.PickHeaviest}
			}})
			w.role("R")
			w.user("U")
			w.group("G", "R", "U")
			panics = true
			r := w.reconciler()
			if err := r.GiveByHand(ctx(), "U", scim.Role{ID: "R"}, nil); err == nil {
				t.Error("GiveByHand: no error")
			}
			w.wantLedger("U", "R group:G")
			if err := w.giveByHand("U", "R"); err == nil {
				t.Error("GiveByHand with a change: no error")
			}
			if _, err := w.takeByHand("U", "R"); err == nil {
				t.Error("TakeByHand: no error")
			}
			if err := r.Release(ctx(), "G"); err == nil {
				t.Error("Release: no error")
			}
			panics = false
			// Where roles are elsewhere the change was made: see GiveByHand.
			w.wantLedger("U", map[string]string{joint: "R group:G", separate: "R group:G by hand", bare: "R group:G by hand"}[kind])
			w.wantRoles("U", "R")
			w.must(r.GiveByHand(ctx(), "U", scim.Role{ID: "R"}, nil))
			w.wantLedger("U", "R group:G by hand")
			w.checkSettled()
		})
	}
}
