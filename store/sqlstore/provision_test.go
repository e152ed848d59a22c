package sqlstore_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/memory"
	"github.com/scimkit/scim/store/sqlstore"
)

// BenchmarkProvision is a customer's first day: users are created, and each is put into
// one of ten groups that give roles, by one client or by many at once.
func BenchmarkProvision(b *testing.B) {
	over := func(open func(testing.TB) *sql.DB, d sqlstore.Dialect) func(b *testing.B) *scim.Handler {
		return func(b *testing.B) *scim.Handler {
			db := open(b)
			s := newStore(b, db, d, sqlstore.Options{})
			return handler(b, scim.Config{Store: s, Roles: &scim.Roles{Resolver: newHolders(b, s, db, d)}})
		}
	}
	for _, on := range []struct {
		name    string
		handler func(b *testing.B) *scim.Handler
	}{
		{"memory", func(b *testing.B) *scim.Handler {
			return handler(b, scim.Config{Store: memory.New(), Roles: &scim.Roles{Resolver: &remembered{held: map[string][]scim.Role{}}}})
		}},
		{"SQLite", over(sqliteDB, sqlstore.SQLite)},
		{"PostgreSQL", over(func(tb testing.TB) *sql.DB { return postgres.DB(tb) }, sqlstore.Postgres)},
	} {
		for _, clients := range []int{1, 16} {
			b.Run(fmt.Sprintf("%s/clients=%d", on.name, clients), func(b *testing.B) { provision(b, on.handler(b), clients) })
		}
	}
}

func provision(b *testing.B, h http.Handler, clients int) {
	var groups [10]string
	for i := range groups {
		var err error
		if groups[i], err = request(b, h, "POST", "/Groups", fmt.Sprintf(`{"displayName":"Role %d"}`, i), 201); err != nil {
			b.Fatal(err)
		}
	}
	ids := make([]string, b.N)
	// rate is how many requests there are in a second.
	rate := func(one func(i int) error) float64 {
		var next atomic.Int64
		var wg sync.WaitGroup
		start := time.Now()
		for range clients {
			wg.Go(func() {
				for i := int(next.Add(1)) - 1; i < b.N; i = int(next.Add(1)) - 1 {
					if err := one(i); err != nil {
						b.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
		return float64(b.N) / time.Since(start).Seconds()
	}
	b.ResetTimer()
	b.ReportMetric(rate(func(i int) (err error) {
		ids[i], err = request(b, h, "POST", "/Users", strings.ReplaceAll(bulkUser, mark, fmt.Sprintf("%08d", i)), 201)
		return err
	}), "users/s")
	b.ReportMetric(rate(func(i int) error {
		_, err := request(b, h, "PATCH", "/Groups/"+groups[i%len(groups)],
			`{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"add","path":"members","value":[{"value":"`+ids[i]+`"}]}]}`, 204)
		return err
	}), "members/s")
}

// request makes one request in this process and returns the id of what it is about.
func request(tb testing.TB, h http.Handler, method, target, body string, want int) (id string, err error) {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(tb.Context(), method, target, strings.NewReader(body)))
	if w.Code != want {
		return "", fmt.Errorf("%s %s: %d, want %d: %s", method, target, w.Code, want, w.Body)
	}
	var r struct{ ID string }
	if w.Body.Len() > 0 {
		err = json.Unmarshal(w.Body.Bytes(), &r)
	}
	return r.ID, err
}

// remembered is an application's roles in memory.
type remembered struct {
	mu   sync.Mutex
	held map[string][]scim.Role
}

func (m *remembered) ResolveRoles(_ context.Context, src scim.RoleSource) ([]scim.Role, error) {
	name := src.Group.String("displayName")
	return []scim.Role{{ID: name, Name: name}}, nil
}

func (m *remembered) HeldRoles(_ context.Context, userIDs []string) (map[string][]scim.Role, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	held := map[string][]scim.Role{}
	for _, id := range userIDs {
		held[id] = m.held[id]
	}
	return held, nil
}

func (m *remembered) ChangeRoles(_ context.Context, changes []scim.RoleChange) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range changes {
		m.held[c.UserID] = c.Roles
	}
	return nil
}
