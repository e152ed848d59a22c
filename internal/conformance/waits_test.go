package conformance

import (
	"context"
	"database/sql"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/store/memory"
	"github.com/scimkit/scim/store/sqlstore"
)

// lockingStores are the stores in which a writer can keep others waiting.
var lockingStores = map[string]func(t *testing.T) scim.Store{
	"memory": func(*testing.T) scim.Store { return memory.New() },
	"SQLite": func(t *testing.T) scim.Store {
		db, err := sql.Open("sqlite", sqlstore.SQLiteDSN(filepath.Join(t.TempDir(), "scim.db")))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() }) //nolint:errcheck // the test is over
		s, err := sqlstore.New(db, sqlstore.SQLite, sqlstore.Options{})
		if err == nil {
			err = s.Migrate(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
		return s
	},
}

// TestNobodyWaitsLongerThanItsRequest lets a Rule hold what the store or the handler locks
// during a write. Requests that wait for it must end when their time is over.
func TestNobodyWaitsLongerThanItsRequest(t *testing.T) {
	stores := map[string]func(t *testing.T) scim.Store{"bare": func(*testing.T) scim.Store { return testhost.NewBareStore() }}
	for name, open := range lockingStores {
		stores[name] = open
	}
	for store, open := range stores {
		t.Run(store, func(t *testing.T) {
			held, release := make(chan bool), make(chan bool)
			h := testhost.New(t, scim.Config{Store: open(t), Limits: scim.Limits{Time: 200 * time.Millisecond}, Rules: []scim.Rule{
				func(ctx context.Context, c *scim.Change) error {
					if c.After.String("title") == "slow" {
						close(held)
						<-release
					}
					return nil
				},
			}})
			id := testhost.Create(t, h, "/Users", `{"userName":"ann"}`)
			ended := make(chan bool)
			go func() {
				defer close(ended)
				testhost.Do(t, h, "PATCH", "/Users/"+id, `{"Operations":[{"op":"replace","path":"title","value":"slow"}]}`)
			}()
			<-held
			defer func() { close(release); <-ended }()
			for _, tt := range []struct{ name, method, body string }{
				{"GET", "GET", ""},
				{"PATCH", "PATCH", `{"Operations":[{"op":"replace","path":"nickName","value":"a"}]}`},
				{"PUT", "PUT", `{"userName":"bob"}`},
				{"DELETE", "DELETE", ""},
			} {
				t.Run(tt.name, func(t *testing.T) {
					start := time.Now()
					res := testhost.Do(t, h, tt.method, "/Users/"+id, tt.body)
					if took := time.Since(start); took > 5*time.Second {
						t.Errorf("it took %v", took)
					}
					if res.StatusCode != http.StatusServiceUnavailable && (tt.method != "GET" || res.StatusCode != http.StatusOK) {
						t.Errorf("status %d, want 503", res.StatusCode)
					}
				})
			}
		})
	}
}
