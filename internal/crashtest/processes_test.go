package crashtest

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Four processes over one database lose no write, give no name twice and no wrong role. No
// answer is 500 or 503, and PostgreSQL finds no deadlock.
func TestFourProcesses(t *testing.T) {
	t.Run("own tables", func(t *testing.T) { fourProcesses(t, onFlatPostgres(t)) })
	t.Run("mapped", func(t *testing.T) { fourProcesses(t, onPostgres(t, true)) })
	t.Run("MariaDB, own tables", func(t *testing.T) { fourProcesses(t, onMariaDB(t, false)) })
	t.Run("MariaDB, mapped", func(t *testing.T) { fourProcesses(t, onMariaDB(t, true)) })
}

func fourProcesses(t *testing.T, d *database) {
	seeded := random(t)
	var servers []*process
	for range 4 {
		servers = append(servers, d.start(t))
	}
	f := &four{t: t, d: d, c: newClient(t, servers...), end: time.Now().Add(soak(t))}
	begin := time.Now()
	var workers []*worker
	shared := f.create("Groups", object{"displayName": roleNames[0]})
	var wg sync.WaitGroup
	for i := range 6 {
		w := newWorker(d, f.c, seeded(i), i, shared)
		workers = append(workers, w)
		wg.Go(func() {
			for n := 0; f.goesOn(n); n++ {
				if !w.step() && w.doubt != nil {
					w.settle()
				}
			}
		})
	}
	for i, scenario := range []func(rnd *rand.Rand) (what string, n int){f.removeFromBoth, f.toggle, f.sameName, f.countUp} {
		wg.Go(func() {
			what, n := scenario(seeded(100 + i))
			t.Logf("%s: %d", what, n)
			if n == 0 {
				t.Errorf("%s: never", what)
			}
		})
	}
	wg.Wait()
	seconds := time.Since(begin).Seconds()
	for _, w := range workers {
		w.settle()
	}
	d.checkAll(t, f.c)
	var twice int
	name := "doc::jsonb ->> 'userName'"
	if d.mariadb {
		name = "json_value(doc, '$.userName')"
	}
	if err := d.db.QueryRow(`SELECT count(*) FROM (SELECT lower(` + name + `) FROM scim_resources
		WHERE type = 'User' AND deleted = 0 GROUP BY 1 HAVING count(*) > 1) x`).Scan(&twice); err != nil || twice > 0 {
		t.Errorf("%d names that two users have, error %v", twice, err)
	}
	total := 0
	for _, n := range f.c.tally {
		total += n
	}
	if busy := f.c.tally[http.StatusServiceUnavailable]; busy > 0 || f.c.tally[0] > 0 {
		t.Errorf("%d answers 503 and %d without answer, of %d", busy, f.c.tally[0], total)
	}
	d.noDeadlock(t)
	t.Logf("%v; %.0f a second for %.0f s", f.c.tally, float64(total)/seconds, seconds)
}

// four is the common state of the scenarios.
type four struct {
	t   *testing.T
	d   *database
	c   *client
	end time.Time
}

// goesOn reports whether there is another round after n. There is always one, because a
// slow machine may need all the time to start.
func (f *four) goesOn(n int) bool { return (n == 0 || time.Now().Before(f.end)) && !f.t.Failed() }

func (f *four) create(endpoint string, body object) (id string) {
	a := f.c.do(http.MethodPost, "/scim/"+endpoint, body)
	if a.status != http.StatusCreated {
		f.t.Errorf("POST %s %v: %d %s", endpoint, body, a.status, a.body)
	}
	return a.id()
}

// member adds a user to a group or removes it.
func (f *four) member(op, group, user string) {
	one := object{"op": "add", "path": "members", "value": []object{{"value": user}}}
	if op == "remove" {
		one = object{"op": "remove", "path": `members[value eq "` + user + `"]`}
	}
	a := f.c.sure(http.MethodPatch, "/scim/Groups/"+group, object{"Operations": []object{one}})
	if a.status != http.StatusNoContent {
		f.t.Errorf("%s a member: %d %s", op, a.status, a.body)
	}
}

// holders lists the users with a role, from the table.
func (d *database) holders(t *testing.T, role string) map[string]bool {
	t.Helper()
	held := map[string]bool{}
	err := rows(d.db, func(scan func(...any) error) error {
		var user string
		err := scan(&user)
		held[user] = true
		return err
	}, "SELECT user_id FROM held WHERE role = '"+role+"'")
	if err != nil {
		t.Error(err)
	}
	return held
}

// atOnce calls fn for each number below n at the same time.
func atOnce(n int, fn func(i int)) {
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-start
			fn(i)
		})
	}
	close(start)
	wg.Wait()
}

// removeFromBoth has two groups that give one role, and removes a user from both at the
// same time. Each request alone leaves a reason for the role.
func (f *four) removeFromBoth(*rand.Rand) (string, int) {
	groups := []string{f.create("Groups", object{"displayName": "Editor"}), f.create("Groups", object{"displayName": "Editor"})}
	user := f.create("Users", object{"userName": "both"})
	n := 0
	for ; f.goesOn(n); n++ {
		for _, op := range []string{"add", "remove"} {
			atOnce(2, func(i int) { f.member(op, groups[i], user) })
			if held := f.d.holders(f.t, "Editor")[user]; held != (op == "add") {
				f.t.Errorf("round %d: after two requests at once to %s the user, the role is held: %t", n, op, held)
			}
		}
	}
	return "a user removed from two groups at once", n
}

// toggle adds and removes 200 different members of one group at the same time.
func (f *four) toggle(rnd *rand.Rand) (string, int) {
	const size = 200
	group := f.create("Groups", object{"displayName": "Auditor"})
	users := make([]string, size)
	atOnce(size, func(i int) { users[i] = f.create("Users", object{"userName": fmt.Sprint("toggle", i)}) })
	want := map[string]bool{}
	n := 0
	for ; f.goesOn(n); n++ {
		last := make([]bool, size)
		for i := range last {
			last[i] = rnd.IntN(2) == 0
		}
		atOnce(size, func(i int) { f.member(map[bool]string{true: "add", false: "remove"}[last[i]], group, users[i]) })
		for i, u := range users {
			if delete(want, u); last[i] {
				want[u] = true
			}
		}
		a := f.c.sure(http.MethodGet, "/scim/Groups/"+group, nil)
		var g resource
		if err := json.Unmarshal(a.body, &g); err != nil {
			f.t.Error(err)
		}
		members, held := map[string]bool{}, f.d.holders(f.t, "Auditor")
		for _, m := range g.Members {
			members[m.Value] = true
		}
		for _, u := range users {
			if members[u] != want[u] || held[u] != want[u] {
				f.t.Errorf("round %d: after %d changes at once: member %t, role held %t, want %t", n, size, members[u], held[u], want[u])
			}
		}
	}
	return "200 changes of one group at once", n
}

// sameName creates one user many times at the same time, in different spellings.
func (f *four) sameName(*rand.Rand) (string, int) {
	n := 0
	for ; f.goesOn(n); n++ {
		name := fmt.Sprint("örjan", n, "@example.com")
		plain := strings.TrimPrefix(name, "ö")
		spellings := []string{name, strings.ToUpper(name), "Ö" + plain, "o\u0308" + plain, "O\u0308" + plain, "ö" + strings.ToUpper(plain)}
		var mu sync.Mutex
		made := tally{}
		atOnce(len(spellings), func(i int) {
			a := f.c.do(http.MethodPost, "/scim/Users", object{"userName": spellings[i]})
			mu.Lock()
			defer mu.Unlock()
			made[a.status]++
		})
		if want := (tally{http.StatusCreated: 1, http.StatusConflict: len(spellings) - 1}); !maps.Equal(made, want) && made[http.StatusServiceUnavailable] == 0 {
			f.t.Errorf("%s: %v, want %v", name, made, want)
		}
		time.Sleep(20 * time.Millisecond) // leave something to the others
	}
	return "one name for six users at once", n
}

// countUp lets several clients increment an attribute. They read it, and write it only if
// no other client has written.
func (f *four) countUp(*rand.Rand) (string, int) {
	path := "/scim/Users/" + f.create("Users", object{"userName": "counter", "title": "0"})
	var mu sync.Mutex
	counted := 0
	atOnce(4, func(int) {
		for round := 0; f.goesOn(round); round++ {
			a := f.c.sure(http.MethodGet, path, nil)
			var u resource
			if err := json.Unmarshal(a.body, &u); err != nil {
				f.t.Error(err)
				return
			}
			n, err := strconv.Atoi(u.Title)
			if err != nil {
				f.t.Error(err)
				return
			}
			a = f.c.do(http.MethodPatch, path, replace(object{"title": strconv.Itoa(n + 1)}), "If-Match", a.etag)
			mu.Lock()
			switch a.status {
			case http.StatusOK:
				counted++
			case http.StatusPreconditionFailed, http.StatusServiceUnavailable:
			default:
				f.t.Errorf("counting: %d %s", a.status, a.body)
			}
			mu.Unlock()
		}
	})
	var u resource
	if err := json.Unmarshal(f.c.sure(http.MethodGet, path, nil).body, &u); err != nil || u.Title != strconv.Itoa(counted) {
		f.t.Errorf("the counter is %s, error %v, after %d counted", u.Title, err, counted)
	}
	return "counted with If-Match", counted
}
