package crashtest

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
)

// guardVar is the guard that a serving process has: "last", "seats", "breaker" or "".
const guardVar = "SCIM_CRASHTEST_GUARD"

// guardedSeats is how many users may be active with the guard "seats".
const guardedSeats = 4

// guarded sets the guard that guardVar names. With "last" the role Editor is protected.
func guarded(c scim.Config, a *app) scim.Config {
	switch os.Getenv(guardVar) {
	case "last":
		c.Roles.Resolver, c.Roles.KeepLastHolder = protectedApp{a}, true
	case "seats":
		c.Seats = func(context.Context) (int, error) { return guardedSeats, nil }
	case "breaker":
		c.Roles.Breaker = &scim.Breaker{Share: 0.01, Minimum: 2, Window: time.Hour}
	}
	return c
}

// guardRoutes has what an administrator does about guards.
func guardRoutes(mux *http.ServeMux, h *scim.Handler) {
	answer := func(w http.ResponseWriter, err error) {
		if err != nil {
			scim.WriteError(w, err)
		}
	}
	mux.HandleFunc("POST /confirm", func(w http.ResponseWriter, r *http.Request) {
		answer(w, testhost.Must(h.Reconciler(nil)).Confirm(r.Context(), r.FormValue("group"), scim.Role{ID: "Editor"}))
	})
	mux.HandleFunc("POST /release", func(w http.ResponseWriter, r *http.Request) {
		answer(w, testhost.Must(h.Reconciler(nil)).ReleaseBreaker(r.Context(), time.Microsecond))
	})
}

// protectedApp is an app in which the role Editor is protected.
type protectedApp struct{ *app }

func protect(roles []scim.Role) []scim.Role {
	for i := range roles {
		roles[i].Protected = roles[i].ID == "Editor"
	}
	return roles
}

func (a protectedApp) ResolveRoles(ctx context.Context, src scim.RoleSource) ([]scim.Role, error) {
	roles, err := a.app.ResolveRoles(ctx, src)
	return protect(roles), err
}

func (a protectedApp) HeldRoles(ctx context.Context, userIDs []string) (map[string][]scim.Role, error) {
	held, err := a.app.HeldRoles(ctx, userIDs)
	for _, roles := range held {
		protect(roles)
	}
	return held, err
}

// RoleHolders implements scim.RoleHolders.
func (a protectedApp) RoleHolders(ctx context.Context, role scim.Role, after string, limit int) (ids []string, err error) {
	text, args := a.says("SELECT user_id FROM held WHERE role = $1", role.ID)
	rows, err := a.rows(ctx).QueryContext(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // Err tells
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		if id > after {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids[:min(limit, len(ids))], rows.Err()
}

// TestGuardRaces has three processes over one database that each ask for what only one can
// have, at the same time. Exactly one gets it. SCIM_RACES=200 runs each race 200 times.
func TestGuardRaces(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		times := races(t)
		for _, guard := range []string{"seats", "last", "breaker"} { // seats first: the others create active users
			t.Run(guard, func(t *testing.T) {
				d.guard = guard
				g := &guardRaces{nesting{t: t, d: d, c: newClient(t, d.start(t), d.start(t), d.start(t))}}
				g.f = &four{t: t, d: d, c: g.c}
				race := map[string]func() func(){"last": g.last, "seats": g.seats, "breaker": g.breaker}[guard]()
				for round := 0; round < times && !t.Failed(); round++ {
					race()
				}
				if t.Failed() {
					return
				}
				t.Logf("%d times: %v", times, g.c.tally)
			})
		}
		if d.postgres {
			d.noDeadlock(t)
		}
	})
}

// guardRaces has what the races share.
type guardRaces struct{ nesting }

// each makes three users, each in a group of its own.
func (g *guardRaces) each(role string) (users, groups []string) {
	for i := range 3 {
		user := g.f.create("Users", object{"userName": fmt.Sprint(role, i)})
		users = append(users, user)
		groups = append(groups, g.f.create("Groups", object{"displayName": role, "members": []object{{"value": user}}}))
	}
	return users, groups
}

// post does what an administrator does.
func (g *guardRaces) post(path string) {
	if a := g.c.do(http.MethodPost, path, nil); a.status != http.StatusOK {
		g.t.Errorf("POST %s: %d %s", path, a.status, a.body)
	}
}

// last has the three last holders of a protected role leave at once.
func (g *guardRaces) last() func() {
	users, groups := g.each("Editor")
	for _, id := range groups {
		g.post("/confirm?group=" + id)
	}
	return func() {
		atOnce(len(users), func(i int) { g.f.member("remove", groups[i], users[i]) })
		if n := len(g.f.d.holders(g.f.t, "Editor")); n != 1 {
			g.t.Errorf("%d users hold the role, want 1", n)
		}
		for i, u := range users {
			g.f.member("add", groups[i], u)
		}
		if n := len(g.f.d.holders(g.f.t, "Editor")); n != 3 {
			g.t.Errorf("%d users hold the role again, want 3", n)
		}
	}
}

// seats has three users come back at once for the last seat.
func (g *guardRaces) seats() func() {
	var users []string
	for i := range guardedSeats - 1 {
		g.f.create("Users", object{"userName": fmt.Sprint("active", i)})
	}
	for i := range 3 {
		users = append(users, g.f.create("Users", object{"userName": fmt.Sprint("inactive", i), "active": false}))
	}
	activate := func(i int, active bool) int {
		return g.c.do(http.MethodPatch, "/scim/Users/"+users[i], object{"Operations": []object{{"op": "replace", "path": "active", "value": active}}}).status
	}
	return func() {
		status := make([]int, 3)
		atOnce(3, func(i int) { status[i] = activate(i, true) })
		g.wantWinner("seats", status, http.StatusOK, http.StatusForbidden)
		for i := range users {
			if s := activate(i, false); s != http.StatusOK {
				g.t.Errorf("deactivation: %d", s)
			}
		}
	}
}

// breaker has three requests at once that each take a role, when the breaker lets one pass.
func (g *guardRaces) breaker() func() {
	users, groups := g.each("Viewer")
	return func() {
		g.post("/release")
		time.Sleep(time.Millisecond)
		status := make([]int, 3)
		atOnce(3, func(i int) {
			status[i] = g.change(groups[i], object{"op": "remove", "path": `members[value eq "` + users[i] + `"]`})
		})
		g.wantWinner("breaker", status, http.StatusNoContent, http.StatusTooManyRequests)
		for i, u := range users {
			g.f.member("add", groups[i], u)
		}
	}
}

func (g *guardRaces) wantWinner(what string, status []int, won, lost int) {
	slices.Sort(status)
	if !slices.Equal(status, []int{won, lost, lost}) {
		g.t.Errorf("%s: %v, want one %d", what, status, won)
	}
}
