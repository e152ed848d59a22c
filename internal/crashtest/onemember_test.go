package crashtest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/store/sqlstore"
)

// TestOneMemberRaces has several servers over one PostgreSQL, whose clients add single members to a
// few groups and take them out, while others change users, groups and links. Everything fails at
// times: the application, the connection, the time of a request. After each round the roles must be right without
// reconciling, and reconciling must find nothing to do.
//
// SCIM_SOAK is how long it runs.
func TestOneMemberRaces(t *testing.T) {
	t.Run("calm", func(t *testing.T) { oneMemberRaces(t, false) })
	t.Run("failing", func(t *testing.T) { oneMemberRaces(t, true) })
}

// memberRaces is the common state of TestOneMemberRaces.
type memberRaces struct {
	t       *testing.T
	d       *database
	servers []*raceServer
	users   []string
	groups  []string
	fails   bool // fails says that things fail at times.

	mu    sync.Mutex
	tally tally
	names int
}

// raceServer is a server with a pool of its own.
type raceServer struct {
	*app
	races   *memberRaces
	h       *scim.Handler
	roles   *scim.Reconciler
	fault   atomic.Uint64 // fault is the state of what fails.
	changes atomic.Int64  // changes is how often the store has changed one member at once.
	create  sync.Mutex
	id      string // id is the id of the next resource.
}

// oneChanger counts how often a store changes one member at once.
type oneChanger struct {
	*sqlstore.Store
	n *atomic.Int64
}

func (s oneChanger) ChangeMember(ctx context.Context, c scim.MemberChange) (scim.MemberChanged, error) {
	out, err := s.Store.ChangeMember(ctx, c)
	if err == nil {
		s.n.Add(1)
	}
	return out, err
}

// fail fails at times: with an error of the application, or as a database does that gives a
// transaction up.
func (s *raceServer) fail(ctx context.Context) error {
	if !s.races.fails {
		return nil
	}
	switch s.fault.Add(1) % 17 {
	case 3:
		return errors.New("the application is down")
	case 7, 11:
		_, err := s.rows(ctx).ExecContext(ctx, "DO $$ BEGIN RAISE EXCEPTION 'again' USING ERRCODE = '40001'; END $$")
		return err
	}
	return nil
}

func (s *raceServer) ResolveRoles(ctx context.Context, src scim.RoleSource) ([]scim.Role, error) {
	if err := s.fail(ctx); err != nil {
		return nil, err
	}
	return s.app.ResolveRoles(ctx, src)
}

func (s *raceServer) HeldRoles(ctx context.Context, userIDs []string) (map[string][]scim.Role, error) {
	if err := s.fail(ctx); err != nil {
		return nil, err
	}
	return s.app.HeldRoles(ctx, userIDs)
}

func (s *raceServer) ChangeRoles(ctx context.Context, changes []scim.RoleChange) error {
	if err := s.app.ChangeRoles(ctx, changes); err != nil {
		return err
	}
	return s.fail(ctx)
}

func (r *memberRaces) serve(dsn string) *raceServer {
	o, err := open(r.t.Context(), dsn, false)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { o.db.Close() }) //nolint:errcheck // the test is over
	s := &raceServer{app: o, races: r}
	s.h, err = scim.New(scim.Config{Store: oneChanger{o.store, &s.changes}, Auth: auth.None(), Log: slog.New(slog.DiscardHandler), Roles: &scim.Roles{Resolver: s},
		NewID: func() string { return s.id }})
	if err != nil {
		r.t.Fatal(err)
	}
	s.roles = testhost.Must(s.h.Reconciler(nil))
	return s
}

// send sends a request, whose time may be over at any moment.
func (r *memberRaces) send(s *raceServer, rnd *rand.Rand, method, path, body string) int {
	ctx := r.t.Context()
	if r.fails && rnd.IntN(10) == 0 {
		c, cancel := context.WithTimeout(ctx, between(rnd, 0, 8*time.Millisecond))
		defer cancel()
		ctx = c
	}
	w := httptest.NewRecorder()
	s.h.ServeHTTP(w, httptest.NewRequestWithContext(ctx, method, path, strings.NewReader(body)))
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tally[w.Code]++
	if w.Code >= 500 && !r.fails {
		r.t.Errorf("%s %s %s: %d %s", method, path, body, w.Code, w.Body)
	}
	return w.Code
}

// make creates a resource with this id, which may be there.
func (r *memberRaces) make(s *raceServer, rnd *rand.Rand, path, id, body string) {
	s.create.Lock()
	defer s.create.Unlock()
	s.id = id
	r.send(s, rnd, "POST", path, body)
}

func (r *memberRaces) makeUser(s *raceServer, rnd *rand.Rand, id string) {
	r.mu.Lock()
	r.names++
	name := r.names
	r.mu.Unlock()
	r.make(s, rnd, "/Users", id, fmt.Sprintf(`{"userName":"n%d"}`, name))
}

func (r *memberRaces) makeGroup(s *raceServer, rnd *rand.Rand, id string) {
	r.make(s, rnd, "/Groups", id, fmt.Sprintf(`{"displayName":%q}`, r.name(rnd)))
}

// name is mostly that of a role.
func (r *memberRaces) name(rnd *rand.Rand) string {
	if rnd.IntN(4) == 0 {
		return "no role"
	}
	return roleNames[rnd.IntN(2)] // two groups often give the same role
}

// change adds a member to a group or takes one out.
func (r *memberRaces) change(s *raceServer, rnd *rand.Rand) {
	user, group := r.users[rnd.IntN(len(r.users))], r.groups[rnd.IntN(len(r.groups))]
	op := fmt.Sprintf(`{"op":"add","path":"members","value":[{"value":%q}]}`, user)
	if rnd.IntN(2) == 0 {
		op = fmt.Sprintf(`{"op":"remove","path":"members[value eq \"%s\"]"}`, user)
	}
	r.send(s, rnd, "PATCH", "/Groups/"+group, `{"Operations":[`+op+`]}`)
}

// other does something else.
func (r *memberRaces) other(s *raceServer, rnd *rand.Rand) {
	user, group := r.users[rnd.IntN(len(r.users))], r.groups[rnd.IntN(len(r.groups))]
	ctx := r.t.Context()
	var err error
	switch rnd.IntN(10) {
	case 0, 1, 2, 3:
		r.send(s, rnd, "PATCH", "/Users/"+user, fmt.Sprintf(`{"Operations":[{"op":"replace","path":"active","value":%t}]}`, rnd.IntN(2) == 0))
	case 4:
		r.send(s, rnd, "DELETE", "/Users/"+user, "")
		r.makeUser(s, rnd, user)
	case 5:
		r.send(s, rnd, "DELETE", "/Groups/"+group, "")
		r.makeGroup(s, rnd, group)
	case 6, 7:
		r.send(s, rnd, "PATCH", "/Groups/"+group, fmt.Sprintf(`{"Operations":[{"op":"replace","path":"displayName","value":%q}]}`, r.name(rnd)))
	case 8:
		err = s.roles.Users(ctx, r.users[0], r.users[1])
	case 9:
		err = s.roles.RolesChanged(ctx)
	}
	if err != nil && !r.fails {
		r.t.Error(err)
	}
}

func oneMemberRaces(t *testing.T, fails bool) {
	d := openDatabase(t, postgres.DSN(t), true, false)
	if _, err := d.db.Exec(`DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET synchronous_commit = off', current_database()); END $$`); err != nil {
		t.Fatal(err)
	}
	seeded := random(t)
	r := &memberRaces{t: t, d: d, users: []string{"u0", "u1", "u2"}, groups: []string{"g0", "g1", "g2", "g3"}, tally: tally{}}
	for range 2 {
		r.servers = append(r.servers, r.serve(d.address+"&application_name=races"))
	}
	calm := seeded(0)
	for _, id := range r.users {
		r.makeUser(r.servers[0], calm, id)
	}
	for _, id := range r.groups {
		r.makeGroup(r.servers[0], calm, id)
	}
	end, rounds := time.Now().Add(soak(t)/2), 0
	for rounds == 0 || time.Now().Before(end) && !t.Failed() {
		rounds++
		r.fails = fails
		r.round(func(i int) *rand.Rand { return seeded(100*rounds + i) })
		r.fails = false
		r.check(fmt.Sprint("round ", rounds))
	}
	n := r.servers[0].changes.Load() + r.servers[1].changes.Load()
	t.Logf("%d rounds, %v, %d changes of one member at once", rounds, r.tally, n)
	if n == 0 {
		t.Error("no member was changed at once")
	}
	if !fails {
		d.noDeadlock(t)
	}
}

// round is a short time in which all run.
func (r *memberRaces) round(seeded func(int) *rand.Rand) {
	end := time.Now().Add(400 * time.Millisecond)
	var wg sync.WaitGroup
	for i := range 8 {
		s, rnd := r.servers[i%2], seeded(i)
		wg.Go(func() {
			for first := true; first || time.Now().Before(end) && !r.t.Failed(); first = false {
				if i < 5 {
					r.change(s, rnd)
				} else {
					r.other(s, rnd)
				}
			}
		})
	}
	if r.fails {
		wg.Go(func() {
			for rnd := seeded(9); time.Now().Before(end); time.Sleep(between(rnd, 0, 40*time.Millisecond)) {
				if _, err := r.d.db.Exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'races' AND xact_start IS NOT NULL AND random() < 0.2"); err != nil {
					r.t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

// check checks that the roles are right, and that reconciling changes nothing.
func (r *memberRaces) check(when string) {
	r.d.checkRoles(r.t, when)
	for _, s := range r.servers { // a pool may have connections that were ended
		for try := 0; s.db.Ping() != nil && try < 100; try++ {
			time.Sleep(time.Millisecond)
		}
	}
	s := r.servers[0]
	before := s.app.changes.Load()
	if _, err := s.roles.All(r.t.Context(), ""); err != nil {
		r.t.Errorf("%s: reconciling: %v", when, err)
	}
	if n := s.app.changes.Load() - before; n != 0 {
		r.t.Errorf("%s: reconciling made %d changes", when, n)
	}
	r.d.checkRoles(r.t, when+", reconciled")
	r.d.none(r.t, map[string]string{
		"members without user":  "SELECT count(*) FROM scim_members m WHERE NOT EXISTS (SELECT 1 FROM scim_resources r WHERE r.id = m.member_id AND r.type = m.member_type AND r.deleted = 0)",
		"members without group": "SELECT count(*) FROM scim_members m WHERE NOT EXISTS (SELECT 1 FROM scim_resources r WHERE r.id = m.group_id AND r.type = 'Group' AND r.deleted = 0)",
		"notes":                 "SELECT count(*) FROM scim_notes WHERE kind = 'unfinished'",
	})
}
