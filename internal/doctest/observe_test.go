package doctest

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/scimkit/scim/internal/testhost"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/memory"
)

// What follows, up to the end marker, is in docs/observe.md.

// logChange writes a line with the id of the request, in a store or in OnWrite.
func logChange(ctx context.Context, log *slog.Logger, table string) {
	log.InfoContext(ctx, "row written", "table", table, "request", scim.RequestID(ctx))
}

// slowRequests counts requests that take longer than a second, by route.
type slowRequests struct {
	mu    sync.Mutex
	count map[string]int
}

func (s *slowRequests) Begin(ctx context.Context, r *http.Request, requestID string) (context.Context, func(scim.Outcome)) {
	return ctx, func(o scim.Outcome) {
		if o.Duration > time.Second {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.count[o.Route]++
		}
	}
}

// End of the code in docs/observe.md.

func TestObserve(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := &slowRequests{count: map[string]int{}}
		var log bytes.Buffer
		wait := time.Duration(0)
		h := testhost.New(t, scim.Config{Store: memory.New(), Observers: []scim.Observer{slow},
			Allow: func(context.Context, scim.Access) error { time.Sleep(wait); return nil },
			OnWrite: func(ctx context.Context, _ *scim.Written) error {
				logChange(ctx, slog.New(slog.NewTextHandler(&log, nil)), "users")
				return nil
			}})
		id := testhost.Create(t, h, "/Users", `{"userName":"ann"}`, "X-Request-Id: r1")
		if !strings.Contains(log.String(), `msg="row written" table=users request=r1`) {
			t.Errorf("the log:\n%s", &log)
		}
		wait = 2 * time.Second
		testhost.Do(t, h, "GET", "/Users/"+id, "")
		if slow.count["/Users/{id}"] != 1 || len(slow.count) != 1 {
			t.Errorf("slow requests: %v", slow.count)
		}
	})
}
