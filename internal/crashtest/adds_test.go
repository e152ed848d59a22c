package crashtest

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestAddsAgainstDeletes has three processes over one PostgreSQL. Clients add users to
// groups while other clients delete these users. The database finds no deadlock, and no
// request gets 503.
func TestAddsAgainstDeletes(t *testing.T) {
	t.Run("own tables", func(t *testing.T) { addsAgainstDeletes(t, onFlatPostgres(t)) })
	t.Run("mapped", func(t *testing.T) { addsAgainstDeletes(t, onPostgres(t, true)) })
}

func addsAgainstDeletes(t *testing.T, d *database) {
	seeded := random(t)
	var servers []*process
	for range 3 {
		servers = append(servers, d.start(t))
	}
	f := &four{t: t, d: d, c: newClient(t, servers...), end: time.Now().Add(soak(t))}
	var groups []string
	for _, name := range roleNames {
		groups = append(groups, f.create("Groups", object{"displayName": name}))
	}
	var mu sync.Mutex
	users := make([]string, 12)
	for i := range users {
		users[i] = f.create("Users", object{"userName": fmt.Sprint("u", i)})
	}
	begin := time.Now()
	var wg sync.WaitGroup
	work := func(i int, step func(rnd *rand.Rand, n, slot int, user string)) {
		rnd := seeded(i)
		wg.Go(func() {
			for n := 0; f.goesOn(n); n++ {
				mu.Lock()
				slot := rnd.IntN(len(users))
				user := users[slot]
				mu.Unlock()
				step(rnd, n, slot, user)
			}
		})
	}
	for i := range 6 {
		work(i, func(rnd *rand.Rand, _, _ int, user string) { // 400 is for a user who was just deleted
			op := object{"op": "add", "path": "members", "value": []object{{"value": user}}}
			if rnd.IntN(4) == 0 {
				op = object{"op": "remove", "path": `members[value eq "` + user + `"]`}
			}
			a := f.c.do(http.MethodPatch, "/scim/Groups/"+groups[rnd.IntN(len(groups))], object{"Operations": []object{op}})
			if a.status != http.StatusNoContent && a.status != http.StatusBadRequest {
				t.Errorf("change a member: %d %s", a.status, a.body)
			}
		})
	}
	for i := range 3 {
		work(10+i, func(_ *rand.Rand, n, slot int, user string) {
			a := f.c.do(http.MethodDelete, "/scim/Users/"+user, nil)
			switch a.status {
			case http.StatusNoContent:
				fresh := f.create("Users", object{"userName": fmt.Sprint("u", i, "-", n)})
				mu.Lock()
				defer mu.Unlock()
				users[slot] = fresh
			case http.StatusNotFound: // another client was first
			default:
				t.Errorf("delete a user: %d %s", a.status, a.body)
			}
		})
	}
	wg.Wait()
	d.checkAll(t, f.c)
	d.noDeadlock(t)
	total := 0
	for _, n := range f.c.tally {
		total += n
	}
	if f.c.tally[http.StatusServiceUnavailable]+f.c.tally[0] > 0 {
		t.Errorf("answers 503, or none: %v", f.c.tally)
	}
	seconds := time.Since(begin).Seconds()
	t.Logf("%v; %.0f a second for %.0f s", f.c.tally, float64(total)/seconds, seconds)
}

// noDeadlock checks that PostgreSQL has found no deadlock in the database. MariaDB's locks exclude
// more than others need to be excluded from, so it finds some, whose transactions run again.
func (d *database) noDeadlock(t *testing.T) {
	t.Helper()
	var n int
	if d.mariadb {
		if err := d.db.QueryRow("SELECT count FROM information_schema.innodb_metrics WHERE name = 'lock_deadlocks'").Scan(&n); err != nil {
			t.Fatal(err)
		}
		t.Logf("%d deadlocks on the server so far", n)
		return
	}
	if err := d.db.QueryRow("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()").Scan(&n); err != nil {
		t.Fatal(err)
	}
	log := postgres.Log(t)
	if n > 0 || strings.Contains(log, "deadlock detected") {
		t.Errorf("%d deadlocks in this database; the last one of all:\n%s", n, lastDeadlock(log))
	}
}
