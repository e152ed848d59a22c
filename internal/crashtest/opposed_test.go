package crashtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/store/sqlstore"
)

// TestOpposed runs each pair of operations against each other, over one PostgreSQL. The
// operations lock in one order (see CONTRIBUTING.md). So the database finds no deadlock, and
// no answer is 500 or 503. SCIM_OPPOSED is the time for each pair.
func TestOpposed(t *testing.T) {
	t.Run("own tables", func(t *testing.T) { opposed(t, false, false, false) })
	t.Run("own tables, roles separate", func(t *testing.T) { opposed(t, false, true, false) })
	t.Run("own tables, nested", func(t *testing.T) { opposed(t, false, false, true) })
	t.Run("mapped", func(t *testing.T) { opposed(t, true, false, false) })
	t.Run("mapped, nested", func(t *testing.T) { opposed(t, true, false, true) })
}

// opposed is TestOpposed for one configuration. separate is Roles.Separate, and nested
// MemberPolicy.Nested.
func opposed(t *testing.T, mapped, separate, nested bool) {
	each := 10 * time.Millisecond
	if s := os.Getenv("SCIM_OPPOSED"); s != "" {
		var err error
		if each, err = time.ParseDuration(s); err != nil {
			t.Fatalf("SCIM_OPPOSED: %v", err)
		}
	}
	dsn := postgres.DSN(t)
	a := &arena{database: openDatabase(t, dsn, true, mapped), t: t, tally: make(tally), nested: nested}
	for _, setting := range []string{"deadlock_timeout = 30", "synchronous_commit = off"} { // more happens in the same time
		if _, err := a.db.Exec(`DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET ` + setting + `', current_database()); END $$`); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		a.servers = append(a.servers, a.serve(dsn, separate))
	}
	for i := range a.users {
		a.users[i] = a.mustCreate("/Users", fmt.Sprintf(`{"userName":"u%d","userType":"Editor"}`, i))
	}
	for i := range a.groups {
		a.groups[i] = a.mustCreate("/Groups", fmt.Sprintf(`{"displayName":%q,"members":[{"value":%q},{"value":%q}]}`, roleNames[i], a.users[0], a.users[1]))
	}
	seeded, pairs := random(t), 0
	operations := a.operations()
	for i, x := range operations {
		for _, y := range operations[i:] {
			a.run(x, y, each, func(i int) *rand.Rand { return seeded(4*pairs + i) })
			pairs++
			if a.noDeadlock(t); t.Failed() {
				t.Fatalf("%s against %s", x.name, y.name)
			}
		}
	}
	t.Logf("%d pairs of operations, %v each: %v, and %d calls of the application", pairs, each, a.tally, a.calls)
	for _, op := range operations {
		if op.count == 0 {
			t.Errorf("%s: never done", op.name)
		}
	}
}

// lastDeadlock returns the part of a server's log about the last deadlock.
func lastDeadlock(log string) string {
	if i := strings.LastIndex(log, "deadlock detected"); i >= 0 {
		return log[i:min(len(log), i+4000)]
	}
	return ""
}

// arena has what opposed operations change: a few users and groups.
type arena struct {
	*database
	t       *testing.T
	servers []*server
	nested  bool

	mu     sync.Mutex
	users  [4]string // ids
	groups [3]string
	names  int // the number of names so far
	tally  tally
	calls  int
}

// server is a handler over the database, with a pool of its own.
type server struct {
	*app
	h     *scim.Handler
	roles *scim.Reconciler
}

// operation is one kind of operation. do runs it once, and reports whether it succeeded.
type operation struct {
	name  string
	do    func(s *server, rnd *rand.Rand) bool
	count int
}

// serve makes a server. Over mapped tables the roles of users refer to the application's
// rows.
func (a *arena) serve(dsn string, separate bool) *server {
	o, err := open(a.t.Context(), dsn, a.mapped)
	if err != nil {
		a.t.Fatal(err)
	}
	a.t.Cleanup(func() { o.db.Close() }) //nolint:errcheck // the test is over
	c := scim.Config{Store: o.store, Auth: auth.None(), Log: slog.New(slog.DiscardHandler),
		Members: scim.MemberPolicy{Nested: a.nested},
		Roles:   &scim.Roles{Resolver: o, Separate: separate, Attributes: []string{"userType"}}}
	if a.mapped {
		if _, err := o.db.Exec("CREATE TABLE IF NOT EXISTS people_roles (person_id text REFERENCES people, role text REFERENCES roles, PRIMARY KEY (person_id, role))"); err != nil {
			a.t.Fatal(err)
		}
		c.Roles.Resolver, err = o.store.RoleResolver(a.t.Context(), sqlstore.RoleTables{Roles: "roles", ID: "name", Name: "name",
			Holders: "people_roles", User: "person_id", Role: "role"})
		if err != nil {
			a.t.Fatal(err)
		}
	}
	h, err := scim.New(c)
	if err != nil {
		a.t.Fatal(err)
	}
	return &server{o, h, testhost.Must(h.Reconciler(nil))}
}

// run runs two operations against each other, each on both servers.
func (a *arena) run(x, y *operation, each time.Duration, seeded func(int) *rand.Rand) {
	end := time.Now().Add(each)
	var wg sync.WaitGroup
	for i, op := range []*operation{x, y, x, y} {
		s, rnd := a.servers[i/2], seeded(i)
		wg.Go(func() {
			for first := true; first || time.Now().Before(end) && !a.t.Failed(); first = false {
				if op.do(s, rnd) {
					a.mu.Lock()
					op.count++
					a.mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
}

// do sends a request to a server. The resource may be gone, or the name taken.
func (a *arena) do(s *server, method, path, body string) answer {
	r := httptest.NewRequestWithContext(a.t.Context(), method, path, strings.NewReader(body))
	w := httptest.NewRecorder()
	s.h.ServeHTTP(w, r)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.tally[w.Code]++
	if w.Code >= 500 {
		a.t.Errorf("%s %s %s: %d %s", method, path, body, w.Code, w.Body)
	}
	return answer{status: w.Code, body: bytes.Clone(w.Body.Bytes())}
}

func (a *arena) mustCreate(path, body string) (id string) {
	got := a.do(a.servers[0], "POST", path, body)
	if got.status != http.StatusCreated {
		a.t.Fatalf("POST %s %s: %d %s", path, body, got.status, got.body)
	}
	return got.id()
}

func (a *arena) patch(s *server, path, op string) bool {
	return a.do(s, "PATCH", path, `{"Operations":[`+op+`]}`).status < 300
}

// call checks the error of a call of the application.
func (a *arena) call(what string, err error) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.calls++
	var e *scim.Error
	switch {
	case err == nil:
		return true
	case errors.Is(err, scim.ErrNotFound), errors.As(err, &e) && e.Status < 500, strings.Contains(err.Error(), "does not stand for role"),
		strings.Contains(err.Error(), "violates foreign key constraint"):
		return false // another operation has just deleted or renamed it
	}
	a.t.Errorf("%s: %v", what, err)
	return false
}

func (a *arena) user(rnd *rand.Rand) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.users[rnd.IntN(len(a.users))]
}

func (a *arena) group(rnd *rand.Rand) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.groups[rnd.IntN(len(a.groups))]
}

// name returns a name that nobody has.
func (a *arena) name() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.names++
	return fmt.Sprint("n", a.names)
}

// swap puts a new resource in the place of one that was deleted.
func (a *arena) swap(all []string, old, id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i := range all {
		if all[i] == old {
			all[i] = id
		}
	}
}

// members returns two users, in any order, as JSON.
func (a *arena) members(rnd *rand.Rand) string {
	return fmt.Sprintf(`[{"value":%q},{"value":%q}]`, a.user(rnd), a.user(rnd))
}

func anyRole(rnd *rand.Rand) string { return roleNames[rnd.IntN(len(roleNames))] }

// operations lists what clients, the application and its tables can do.
func (a *arena) operations() []*operation {
	ctx := a.t.Context()
	all := []*operation{
		{name: "create a user", do: func(s *server, rnd *rand.Rand) bool {
			id := a.do(s, "POST", "/Users", fmt.Sprintf(`{"userName":%q,"userType":%q}`, a.name(), anyRole(rnd))).id()
			return a.do(s, "DELETE", "/Users/"+id, "").status == http.StatusNoContent
		}},
		{name: "create a group", do: func(s *server, rnd *rand.Rand) bool {
			got := a.do(s, "POST", "/Groups", fmt.Sprintf(`{"displayName":%q,"members":%s}`, anyRole(rnd), a.members(rnd)))
			return got.status == http.StatusCreated && a.do(s, "DELETE", "/Groups/"+got.id(), "").status == http.StatusNoContent
		}},
		{name: "add members", do: func(s *server, rnd *rand.Rand) bool {
			return a.patch(s, "/Groups/"+a.group(rnd), `{"op":"add","path":"members","value":`+a.members(rnd)+`}`)
		}},
		{name: "remove members", do: func(s *server, rnd *rand.Rand) bool {
			return a.patch(s, "/Groups/"+a.group(rnd), `{"op":"remove","path":"members","value":`+a.members(rnd)+`}`)
		}},
		{name: "replace a group", do: func(s *server, rnd *rand.Rand) bool {
			return a.do(s, "PUT", "/Groups/"+a.group(rnd), fmt.Sprintf(`{"displayName":%q,"members":%s}`, anyRole(rnd), a.members(rnd))).status < 300
		}},
		{name: "rename a group and add members", do: func(s *server, rnd *rand.Rand) bool {
			return a.patch(s, "/Groups/"+a.group(rnd), `{"op":"replace","path":"displayName","value":"`+anyRole(rnd)+`"},{"op":"add","path":"members","value":`+a.members(rnd)+`}`)
		}},
		{name: "rename a user", do: func(s *server, rnd *rand.Rand) bool {
			return a.patch(s, "/Users/"+a.user(rnd), fmt.Sprintf(`{"op":"replace","path":"userName","value":"u%d"}`, rnd.IntN(6)))
		}},
		{name: "change a user's role attribute", do: func(s *server, rnd *rand.Rand) bool {
			return a.patch(s, "/Users/"+a.user(rnd), `{"op":"replace","path":"userType","value":"`+anyRole(rnd)+`"}`)
		}},
		{name: "deactivate a user", do: func(s *server, rnd *rand.Rand) bool {
			return a.patch(s, "/Users/"+a.user(rnd), fmt.Sprintf(`{"op":"replace","path":"active","value":%t}`, rnd.IntN(2) == 0))
		}},
		{name: "delete a user", do: func(s *server, rnd *rand.Rand) bool {
			user := a.user(rnd)
			return a.do(s, "DELETE", "/Users/"+user, "").status == http.StatusNoContent && a.newUser(s, user, rnd)
		}},
		{name: "delete a group", do: func(s *server, rnd *rand.Rand) bool {
			group := a.group(rnd)
			return a.do(s, "DELETE", "/Groups/"+group, "").status == http.StatusNoContent && a.newGroup(s, group, rnd)
		}},
		{name: "Release", do: func(s *server, rnd *rand.Rand) bool {
			group := a.group(rnd)
			return a.call("Release", s.roles.Release(ctx, group)) && a.newGroup(s, group, rnd)
		}},
		{name: "create a circle of groups", do: a.circle},
		{name: "All", do: func(s *server, rnd *rand.Rand) bool {
			_, err := s.roles.All(ctx, "")
			return a.call("All", err)
		}},
		{name: "Users", do: func(s *server, rnd *rand.Rand) bool {
			return a.call("Users", s.roles.Users(ctx, a.user(rnd), a.user(rnd), a.user(rnd)))
		}},
		{name: "RolesChanged", do: func(s *server, rnd *rand.Rand) bool { return a.call("RolesChanged", s.roles.RolesChanged(ctx)) }},
		{name: "Confirm", do: func(s *server, rnd *rand.Rand) bool {
			return a.call("Confirm", s.roles.Confirm(ctx, a.group(rnd), scim.Role{ID: anyRole(rnd)}))
		}},
		{name: "ConfirmValue", do: func(s *server, rnd *rand.Rand) bool {
			name := anyRole(rnd)
			return a.call("ConfirmValue", s.roles.ConfirmValue(ctx, "userType", name, scim.Role{ID: name}))
		}},
		{name: "GiveByHand", do: func(s *server, rnd *rand.Rand) bool {
			return a.call("GiveByHand", a.giveByHand(s, a.user(rnd), anyRole(rnd)))
		}},
		{name: "TakeByHand", do: func(s *server, rnd *rand.Rand) bool {
			return a.call("TakeByHand", a.takeByHand(s, a.user(rnd), anyRole(rnd)))
		}},
		{name: "Explain", do: func(s *server, rnd *rand.Rand) bool {
			_, err := s.roles.Explain(ctx, a.user(rnd))
			return a.call("Explain", err)
		}},
		{name: "Reindex", do: func(s *server, rnd *rand.Rand) bool { return a.call("Reindex", s.store.Reindex(ctx)) }},
	}
	if !a.mapped || a.nested {
		all = append(all, &operation{name: "nest groups", do: func(s *server, rnd *rand.Rand) bool {
			op := []string{"add", "remove"}[rnd.IntN(2)]
			return a.patch(s, "/Groups/"+a.group(rnd), fmt.Sprintf(`{"op":%q,"path":"members","value":[{"value":%q,"type":"Group"}]}`, op, a.group(rnd)))
		}})
	}
	if !a.mapped {
		return all
	}
	return append(all,
		&operation{name: "the application changes people", do: func(s *server, rnd *rand.Rand) bool {
			return a.exec(s, "UPDATE people SET title = $1 WHERE id = $2", a.name(), a.user(rnd))
		}},
		&operation{name: "the application adds a person to a team", do: func(s *server, rnd *rand.Rand) bool {
			return a.exec(s, "INSERT INTO team_people (team_id, person_id) VALUES ($1, $2) ON CONFLICT DO NOTHING", a.group(rnd), a.user(rnd))
		}},
		&operation{name: "the application deletes a person", do: func(s *server, rnd *rand.Rand) bool {
			user := a.user(rnd)
			return a.exec(s, "DELETE FROM people_roles WHERE person_id = $1", user) && a.exec(s, "DELETE FROM team_people WHERE person_id = $1", user) &&
				a.exec(s, "DELETE FROM people WHERE id = $1", user) && a.newUser(s, user, rnd)
		}},
	)
}

func (a *arena) exec(s *server, query string, args ...any) bool {
	_, err := s.db.ExecContext(a.t.Context(), query, args...)
	return a.call(query, err)
}

// newUser creates a user in the place of one that was deleted, and adds it to a group.
func (a *arena) newUser(s *server, old string, rnd *rand.Rand) bool {
	got := a.do(s, "POST", "/Users", fmt.Sprintf(`{"userName":%q,"userType":%q}`, a.name(), anyRole(rnd)))
	a.swap(a.users[:], old, got.id())
	a.patch(s, "/Groups/"+a.group(rnd), `{"op":"add","path":"members","value":[{"value":"`+got.id()+`"}]}`)
	return got.status == http.StatusCreated
}

// newGroup creates a group in the place of one that was deleted.
func (a *arena) newGroup(s *server, old string, rnd *rand.Rand) bool {
	got := answer{status: http.StatusBadRequest}
	for got.status == http.StatusBadRequest { // a member was just deleted
		got = a.do(s, "POST", "/Groups", fmt.Sprintf(`{"displayName":%q,"members":%s}`, anyRole(rnd), a.members(rnd)))
	}
	a.swap(a.groups[:], old, got.id())
	return got.status == http.StatusCreated
}

// circle creates two groups that have users and each other as members, in one transaction,
// and deletes them. With nesting the server refuses the circle.
func (a *arena) circle(s *server, rnd *rand.Rand) bool {
	one := func(id, other string) string {
		return fmt.Sprintf(`{"method":"POST","path":"/Groups","bulkId":%q,"data":{"displayName":%q,"members":[{"value":%q},{"value":"bulkId:%s","type":"Group"}]}}`,
			id, anyRole(rnd), a.user(rnd), other)
	}
	got := a.do(s, "POST", "/Bulk", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[`+one("a", "b")+`,`+one("b", "a")+`]}`)
	if bytes.Contains(got.body, []byte(`"status":"5`)) {
		a.t.Errorf("bulk: %s", got.body)
	}
	parts := strings.Split(string(got.body), "/Groups/")
	for _, p := range parts[1:] {
		id, _, _ := strings.Cut(p, `"`)
		a.do(s, "DELETE", "/Groups/"+id, "")
	}
	return len(parts) == 3 || a.nested && bytes.Contains(got.body, []byte("cannot belong to itself"))
}

// takeByHand takes a role by hand.
func (a *arena) takeByHand(s *server, user, role string) error {
	if !a.mapped {
		_, err := s.take(a.t.Context(), s.roles, user, role, "")
		return err
	}
	_, err := s.roles.TakeByHand(a.t.Context(), user, scim.Role{ID: role}, func(ctx context.Context) error {
		_, err := s.store.DB(ctx).ExecContext(ctx, "DELETE FROM people_roles WHERE person_id = $1 AND role = $2", user, role)
		return err
	})
	return err
}

// giveByHand gives a role by hand.
func (a *arena) giveByHand(s *server, user, role string) error {
	if !a.mapped {
		return s.give(a.t.Context(), s.roles, user, role, "")
	}
	return s.roles.GiveByHand(a.t.Context(), user, scim.Role{ID: role}, func(ctx context.Context) error {
		_, err := s.store.DB(ctx).ExecContext(ctx, "INSERT INTO people_roles VALUES ($1, $2) ON CONFLICT DO NOTHING", user, role)
		return err
	})
}
