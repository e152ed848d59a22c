package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
)

// TestBudgets deletes a group of 50,000 members that gives a role, in one request. The
// test takes a minute and needs a quiet machine. Set SCIM_BUDGETS to run it, as .ci/long
// does.
func TestBudgets(t *testing.T) {
	if os.Getenv("SCIM_BUDGETS") == "" {
		t.Skip("SCIM_BUDGETS is not set")
	}
	databases(t, func(t *testing.T, where func(t *testing.T) string) {
		const n = 50_000
		p := openAt(t, where(t))
		members := make([]string, n)
		err := p.store.(scim.Transactor).InTx(t.Context(), func(ctx context.Context) error {
			for i := range members {
				id := fmt.Sprintf("01932c4e-8f00-7000-8000-0000%08d", i)
				u, err := scim.UserType().Bind(scim.Meta{ID: id}, nil, map[string]any{"userName": fmt.Sprintf("user%d@example.com", i)})
				if err == nil {
					_, err = p.store.Create(ctx, u)
				}
				if err != nil {
					return err
				}
				members[i] = `{"value":"` + id + `"}`
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		h, err := scim.New(scim.Config{Store: p.store, Auth: auth.None(), Roles: &scim.Roles{Resolver: p.app}, Log: slog.New(slog.DiscardHandler),
			NewID: func() string { return "group" }, Limits: scim.Limits{Time: time.Hour}})
		if err != nil {
			t.Fatal(err)
		}
		held := func() (n int) {
			if err := p.app.(*dbApp).s.DB(t.Context()).QueryRowContext(t.Context(), "SELECT count(*) FROM quickstart_held").Scan(&n); err != nil {
				t.Fatal(err)
			}
			return n
		}
		timed := func(method, target, body string, status, after int) time.Duration {
			w, start := httptest.NewRecorder(), time.Now()
			h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body)))
			took := time.Since(start)
			if w.Code != status || held() != after {
				t.Fatalf("%s %s: %d %.200s; %d hold the role", method, target, w.Code, w.Body, held())
			}
			return took
		}
		var made, gone []time.Duration
		for range 5 {
			made = append(made, timed(http.MethodPost, "/Groups?attributes=displayName", `{"displayName":"Editor","members":[`+strings.Join(members, ",")+`]}`, 201, n))
			gone = append(gone, timed(http.MethodDelete, "/Groups/group", "", 204, 0))
		}
		slices.Sort(made)
		slices.Sort(gone)
		t.Logf("%s: delete a group of 50,000: %v of at most 2s (making it: %v)", t.Name(), gone[2], made[2])
		if gone[2] > 2*time.Second {
			t.Errorf("it takes %v", gone[2])
		}
	})
}
