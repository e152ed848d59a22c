package sqlstore_test

import (
	"database/sql"
	"io"
	"net"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/scimkit/scim/internal/pgtest"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/store/sqlstore"
)

// These are how many members one client adds, each with a role: the least part of the transactions
// of pgbench, which comes with PostgreSQL, and the least number in a second if each round trip to the
// server takes a millisecond.
const (
	partOfPgbench   = 0.45
	membersOverWire = 80
)

// A member with a role is compared with pgbench's simple update on the same server, which waits for
// the disk.
func pgbenchBudget(t *testing.T) {
	s := &pgtest.Server{Durable: true}
	t.Cleanup(s.Stop)
	add := adder(t, s.DB(t))
	const rounds, n = 10, 300
	var ratios, ours, theirs []float64
	for range rounds {
		peer := s.Benchmark(t, 2*time.Second)
		start, used := time.Now(), cpuTime()
		for range n {
			add()
		}
		rate := n / time.Since(start).Seconds()
		ours, theirs, ratios = append(ours, rate), append(theirs, peer), append(ratios, rate/peer)
		t.Logf("%.0f members a second, with %v of CPU each in this process; pgbench %.0f transactions", rate, ((cpuTime() - used) / n).Round(time.Microsecond), peer)
	}
	ratio := median(ratios)
	t.Logf("PostgreSQL: members with a role, to transactions of pgbench -N: %.0f against %.0f: %.2f of at least %.2f", median(ours), median(theirs), ratio, partOfPgbench)
	if ratio < partOfPgbench {
		t.Errorf("too slow")
	}
}

// The same where each answer of the server comes a millisecond later.
func wireBudget(t *testing.T) {
	dsn := testhost.Must(url.Parse(postgres.DSN(t)))
	p := delay(t, dsn.Host, time.Millisecond)
	dsn.Host = p.addr
	db := testhost.Must(sql.Open(pgtest.Driver, dsn.String()))
	t.Cleanup(func() { db.Close() }) //nolint:errcheck // the test is over
	add := adder(t, db)
	const n = 200
	answers, start := p.answers.Load(), time.Now()
	for range n {
		add()
	}
	rate := n / time.Since(start).Seconds()
	t.Logf("PostgreSQL, 1 ms a round trip: %.0f members with a role a second of at least %d, %.1f round trips each", rate, membersOverWire, float64(p.answers.Load()-answers)/n)
	if rate < membersOverWire {
		t.Errorf("too slow")
	}
}

// adder returns a function that adds a member with a role to a group that has members: PostgreSQL plans for tables as
// they were when it made statistics of them. What the first members need once is done.
func adder(t *testing.T, db *sql.DB) func() {
	const users, members = 20_000, 10_000
	c := newCrowd(t, db, sqlstore.Postgres, users)
	path := c.join(t, sqlstore.Postgres, "Staff", members)
	next := members
	add := func() {
		send(t, c.h, "PATCH", path, `{"Operations":[{"op":"add","path":"members","value":[{"value":"`+userID(next)+`"}]}]}`, 204)
		next++
	}
	for range 50 {
		add()
	}
	return add
}

// delayed is a proxy whose server answers late.
type delayed struct {
	addr    string
	answers atomic.Int64 // how often the server has begun to answer
}

// delay starts a proxy in front of a server.
func delay(t *testing.T, server string, by time.Duration) *delayed {
	l := testhost.Must(net.Listen("tcp", "127.0.0.1:0"))
	t.Cleanup(func() { l.Close() }) //nolint:errcheck // the test is over
	p := &delayed{addr: l.Addr().String()}
	go func() { // until the listener is closed
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			behind, err := net.Dial("tcp", server)
			if err != nil {
				client.Close() //nolint:errcheck // the client sees it
				return
			}
			go func() {
				io.Copy(behind, client) //nolint:errcheck // one of them hangs up
				behind.Close()          //nolint:errcheck // as above
			}()
			go func() {
				defer client.Close() //nolint:errcheck // as above
				buf := make([]byte, 64<<10)
				for {
					n, err := behind.Read(buf)
					if err != nil {
						return
					}
					p.answers.Add(1)
					time.Sleep(by)
					if _, err := client.Write(buf[:n]); err != nil {
						return
					}
				}
			}()
		}
	}()
	return p
}
