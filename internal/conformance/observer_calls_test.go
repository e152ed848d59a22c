package conformance

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/store/memory"
)

// A CallObserver sees what a request makes the application do, and what belongs to what.
func TestCallsAreObserved(t *testing.T) {
	w := &callWatcher{}
	roles := testhost.NewRoles()
	h := testhost.Handler(t, func(c *scim.Config) {
		c.Observers = []scim.Observer{w}
		c.Roles = &scim.Roles{Resolver: roles, Separate: true}
	})
	user := testhost.Create(t, h, "/Users", `{"userName":"ann"}`)
	w.calls = nil
	testhost.Create(t, h, "/Groups", `{"displayName":"Editor","members":[{"value":"`+user+`"}]}`)
	// Between these there may be others.
	rest := w.calls
	for _, want := range []string{"Transactor.InTx", " Store.Create", " MemberStore.ChangeMembers", " RoleResolver.ResolveRoles",
		" Ledger.SetLink", " Ledger.Grants", " RoleResolver.HeldRoles", " Ledger.Record", "reconcile", " Transactor.InTx", "  RoleResolver.ChangeRoles", "  Ledger.Record"} {
		at := slices.Index(rest, want)
		if at < 0 {
			t.Fatalf("no %q where it belongs:\n%s", want, strings.Join(w.calls, "\n"))
		}
		rest = rest[at+1:]
	}
}

// The error of a call is that of the application.
func TestFailedCallsAreObserved(t *testing.T) {
	w := &callWatcher{}
	h := testhost.Handler(t, func(c *scim.Config) {
		c.Observers = []scim.Observer{failingObserver("end"), w, failingObserver("begin"), failingObserver("nil")}
		c.Store = &faulty{memory.New(), func() error { return errors.New("no connection") }}
	})
	testhost.Do(t, h, "GET", "/Users/1", "")
	if diff := cmp.Diff([]string{"Store.Get: no connection"}, w.calls); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Work outside requests is observed too.
func TestCallsOfReconcilerAreObserved(t *testing.T) {
	w := &callWatcher{}
	h := testhost.Handler(t, func(c *scim.Config) {
		c.Observers, c.Roles = []scim.Observer{w}, &scim.Roles{Resolver: testhost.NewRoles(), Separate: true}
	})
	testhost.Create(t, h, "/Users", `{"userName":"ann"}`)
	r, err := h.Reconciler(nil)
	if err != nil {
		t.Fatal(err)
	}
	w.calls = nil
	if _, err := r.All(context.Background(), ""); err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(w.calls, "reconcile") || !slices.Contains(w.calls, "Store.List") {
		t.Errorf("calls: %q", w.calls)
	}
}
