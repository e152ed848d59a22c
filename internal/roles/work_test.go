package roles

import (
	"context"
	"testing"
	"time"

	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/keylock"
)

// TestPanicEndsLocks takes the lock of a tenant in this process, panics, and takes it again.
func TestPanicEndsLocks(t *testing.T) {
	e := &Engine{Locks: &keylock.Locks{}, Now: time.Now, Time: time.Second}
	lock := func(then func()) (err error) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		defer func() { _ = recover() }()
		w := e.Begin(&host.Tenant{ID: "t"}, "")
		return w.Isolate(ctx, "", func(ctx context.Context) error {
			if err := w.LockTenant(ctx, holderDecisions); err != nil {
				return err
			}
			then()
			return nil
		})
	}
	if err := lock(func() { panic("test") }); err != nil {
		t.Fatal(err)
	}
	if err := lock(func() {}); err != nil {
		t.Errorf("the lock is still held: %v", err)
	}
}
