package callers

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/scimkit/scim/auth/tokens"
	"github.com/scimkit/scim/tenants"
)

// seen is an answer that a client got.
type seen struct {
	server     int
	begun, end time.Time
	status     int
	retryAfter string
}

// load sends creations to each server by several clients at once, until stop returns what they saw.
func load(t *testing.T, secret string, servers ...string) (stop func() []seen) {
	const each = 3
	ctx, cancel := context.WithCancel(t.Context())
	var (
		mu  sync.Mutex
		all []seen
		n   atomic.Int64
		wg  sync.WaitGroup
	)
	for i := range each * len(servers) {
		server := i % len(servers)
		wg.Go(func() {
			for ctx.Err() == nil {
				begun := time.Now()
				status, retryAfter, err := create(t.Context(), servers[server], secret, fmt.Sprintf("%s-%d", secret[len(secret)-4:], n.Add(1)))
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				all = append(all, seen{server, begun, time.Now(), status, retryAfter})
				mu.Unlock()
			}
		})
	}
	return func() []seen {
		cancel()
		wg.Wait()
		return all
	}
}

func create(ctx context.Context, server, secret, name string) (status int, retryAfter string, err error) {
	r, err := http.NewRequestWithContext(ctx, "POST", server+"/acme/scim/v2/Users", strings.NewReader(`{"userName":"`+name+`"}`))
	if err != nil {
		return 0, "", err
	}
	r.Header.Set("Authorization", "Bearer "+secret)
	r.Header.Set("Content-Type", "application/scim+json")
	out, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer out.Body.Close()                                   //nolint:errcheck // it was read
	if _, err := io.Copy(io.Discard, out.Body); err != nil { // the connection can then be used again
		return 0, "", err
	}
	return out.StatusCode, out.Header.Get("Retry-After"), nil
}

// TestRevokeUnderLoad revokes a token in one of two processes while both create users with it. In this
// process no request that begins later succeeds, and in the other one none that begins after CacheFor.
func TestRevokeUnderLoad(t *testing.T) {
	databases(t, func(t *testing.T, a *application) {
		a.set(t, tenants.On)
		here, there := a.start(t), a.start(t)
		secret, issued, err := a.tokens.Tenant("acme").Issue(t.Context(), tokens.Request{Label: "Okta", Maker: "ann"})
		if err != nil {
			t.Fatal(err)
		}
		stop := load(t, secret, here, there)
		time.Sleep(time.Second)
		asked := time.Now()
		answer, err := http.Post(here+"/revoke/"+issued.ID, "", nil)
		if err != nil || answer.StatusCode != http.StatusOK {
			t.Fatal(answer, err)
		}
		answer.Body.Close() //nolint:errcheck // it has none
		revoked := time.Now()
		time.Sleep(2 * cacheFor)
		all := stop()
		created, before, after := 0, 0, [2]int{}
		for _, s := range all {
			last := revoked
			if s.server == 1 {
				last = revoked.Add(cacheFor)
			}
			isCreated := s.status == http.StatusCreated
			switch {
			case !isCreated && s.status != http.StatusUnauthorized:
				t.Errorf("server %d answers %d", s.server, s.status)
			case isCreated && s.begun.After(last):
				t.Errorf("server %d creates a user %v after the revocation", s.server, s.begun.Sub(revoked))
			case !isCreated && s.end.Before(asked):
				t.Errorf("server %d refuses a valid token", s.server)
			case !isCreated:
				after[s.server]++
			}
			if isCreated {
				created++
			}
			if s.begun.Before(asked) {
				before++
			}
		}
		if before == 0 || after[0] == 0 || after[1] == 0 {
			t.Errorf("%d requests before, and %d refused: this shows nothing", before, after)
		}
		a.wantUsers(t, created)
	})
}

// wantUsers fails if the database does not have as many users as clients were told.
func (a *application) wantUsers(t *testing.T, want int) {
	t.Helper()
	var got int
	if err := a.db.QueryRowContext(t.Context(), "SELECT count(*) FROM scim_resources").Scan(&got); err != nil || got != want {
		t.Errorf("%d users, clients were told of %d: %v", got, want, err)
	}
}

// TestSwitchUnderLoad switches a tenant off and on while two processes create users. Each process
// notices with the next request.
func TestSwitchUnderLoad(t *testing.T) {
	databases(t, func(t *testing.T, a *application) {
		a.set(t, tenants.On)
		secret, _, err := a.tokens.Tenant("acme").Issue(t.Context(), tokens.Request{Label: "Okta", Maker: "ann"})
		if err != nil {
			t.Fatal(err)
		}
		stop := load(t, secret, a.start(t), a.start(t))
		states := []tenants.State{tenants.On}
		times := [][2]time.Time{{time.Now(), time.Now()}} // when each state was asked for, and when it held
		for range 3 {
			for _, state := range []tenants.State{tenants.Off, tenants.On, tenants.NotSetUp, tenants.On} {
				time.Sleep(200 * time.Millisecond)
				asked := time.Now()
				a.set(t, state)
				states, times = append(states, state), append(times, [2]time.Time{asked, time.Now()})
			}
		}
		time.Sleep(200 * time.Millisecond)
		all := stop()
		answers := map[tenants.State]int{tenants.On: http.StatusCreated, tenants.Off: http.StatusServiceUnavailable, tenants.NotSetUp: http.StatusNotFound}
		created, judged := 0, map[tenants.State]int{}
		for _, s := range all {
			if s.status == http.StatusCreated {
				created++
			}
			if s.status == http.StatusServiceUnavailable && s.retryAfter == "" {
				t.Error("503 without Retry-After")
			}
			last := 0
			for i := range times {
				if times[i][1].Before(s.begun) {
					last = i
				}
			}
			// A request that was under way while the switch changed may see either.
			if last+1 < len(times) && s.end.After(times[last+1][0]) {
				continue
			}
			judged[states[last]]++
			if want := answers[states[last]]; s.status != want {
				t.Errorf("server %d answers %d while the tenant is %q, want %d", s.server, s.status, states[last], want)
			}
		}
		for state := range answers {
			if judged[state] == 0 {
				t.Errorf("no request while the tenant was %q: this shows nothing", state)
			}
		}
		a.wantUsers(t, created)
	})
}
