package sqlstore_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/internal/sqlitetest"
	"github.com/scimkit/scim/journal"
	"github.com/scimkit/scim/store/sqlstore"
)

// TestJournalOfLoad compares what 16 clients do, and the median time of the requests of one client, with the journal and
// without. The journal has a database of its own, and what it writes later counts too. Rounds take turns in one process.
// SCIM_BUDGETS=1 judges, on a machine that does nothing else: 16 clients do at least 0.85 times as much, and one client waits at
// most 1.05 times as long. Otherwise the test says what it measures, and requires only that each request is kept.
func TestJournalOfLoad(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) {
		open := func(name string) *sql.DB {
			db, err := sql.Open(sqlitetest.Driver, sqlstore.SQLiteDSN(filepath.Join(t.TempDir(), name)))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { db.Close() }) //nolint:errcheck // the test is over
			return db
		}
		compareLoad(t, open("scim.db"), open("journal.db"), sqlstore.SQLite)
	})
	t.Run("PostgreSQL", func(t *testing.T) { compareLoad(t, postgres.DB(t), postgres.DB(t), sqlstore.Postgres) })
}

// loadClients is how many clients there are, and loadUsers how many users they ask for.
const loadClients, loadUsers = 16, 160

func compareLoad(t *testing.T, db, journalDB *sql.DB, d sqlstore.Dialect) {
	rounds, n := 1, 3
	judges := os.Getenv("SCIM_BUDGETS") != ""
	if judges { // A round lasts so long that what is left to write at its end is a small part of it.
		rounds, n = 15, 160
	}
	j, err := journal.New(newJournal(t, journalDB, d), journal.Options{Keys: journal.NewEphemeralKeys(), Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	c := scim.Config{Store: newStore(t, db, d, sqlstore.Options{}), Auth: auth.Bearer(auth.TokenOf("hunter2-token")), Log: quiet}
	plain, err := scim.New(c)
	if err != nil {
		t.Fatal(err)
	}
	kept, err := scim.New(j.Config(c))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- j.Run(ctx) }()
	sides := []*side{{h: plain}, {h: j.Handler(kept), j: j}}
	for i := range loadUsers {
		sides[0].ids = append(sides[0].ids, makeUser(t, plain, i))
	}
	sides[1].ids = sides[0].ids
	var throughput, p50, used, without []float64
	for range rounds {
		var rate, median, cpu [2]float64
		for i, s := range sides {
			rate[i], cpu[i] = s.all(t, n)
			median[i] = s.one(t, 3*n)
		}
		throughput, p50, used = append(throughput, rate[1]/rate[0]), append(p50, median[1]/median[0]), append(used, cpu[1]-cpu[0])
		without = append(without, cpu[0])
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	t.Logf("%s: 16 clients: %.2f times as much as without, one client: a median %.3f times as long, %.0f µs more CPU in this process, of %.0f (medians of %d rounds; all: %.2f, %.3f)",
		t.Name(), middle(throughput), middle(p50), middle(used), middle(without), rounds, throughput, p50)
	if judges && (middle(throughput) < 0.85 || middle(p50) > 1.05) {
		t.Error("the goals are 0.85 times as much, and 1.05 times as long")
	}
	var entries int
	if err := journalDB.QueryRow("SELECT count(*) FROM scim_entries").Scan(&entries); err != nil || entries != sides[1].sent || entries == 0 {
		t.Errorf("%d entries of %d requests, %v", entries, sides[1].sent, err)
	}
}

func middle(all []float64) float64 {
	slices.Sort(all)
	return all[len(all)/2]
}

func makeUser(t *testing.T, h http.Handler, n int) string {
	t.Helper()
	w := answerOf(h, "POST", "/Users", fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"user%d@example.com","displayName":"User %d","externalId":"%d"}`, n, n, n))
	var made struct{ ID string }
	if err := json.Unmarshal(w.Body.Bytes(), &made); err != nil || w.Code != http.StatusCreated {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	return made.ID
}

func answerOf(h http.Handler, method, target, body string) *httptest.ResponseRecorder {
	var in io.Reader
	if body != "" {
		in = strings.NewReader(body)
	}
	r, w := httptest.NewRequest(method, target, in), httptest.NewRecorder()
	r.Header = http.Header{"Authorization": {"Bearer hunter2-token"}, "Content-Type": {"application/scim+json"}, "User-Agent": {"client/1.0"}}
	h.ServeHTTP(w, r)
	return w
}

// side is an endpoint without or with a journal, over the same store.
type side struct {
	h    http.Handler
	j    *journal.Journal // nil: it has none
	ids  []string
	sent int
}

// request sends what clients send: of ten requests five by id, three filters, and two changes.
func (s *side) request(n int) error {
	at := n % loadUsers
	method, target, body := "GET", "/Users/"+s.ids[at], ""
	switch n % 10 {
	case 1, 4, 7:
		target = fmt.Sprintf("/Users?filter=userName+eq+%%22user%d@example.com%%22", at)
	case 3, 8:
		method, body = "PATCH", fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","path":"nickName","value":"n%d"}]}`, n)
	}
	if w := answerOf(s.h, method, target, body); w.Code != http.StatusOK {
		return fmt.Errorf("%s %s: %d %s", method, target, w.Code, w.Body)
	}
	return nil
}

// settle waits until what was sent is in the journal.
func (s *side) settle(t *testing.T, n int) {
	t.Helper()
	s.sent += n
	if s.j == nil {
		return
	}
	if err := s.j.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// all sends n requests of each of 16 clients at the same time. It returns how many there were in a second, and the CPU time of
// this process for each in µs.
func (s *side) all(t *testing.T, n int) (rate, cpu float64) {
	t.Helper()
	failed := make([]error, loadClients)
	var clients sync.WaitGroup
	begun, before := time.Now(), cpuTime()
	for client := range loadClients {
		clients.Go(func() {
			for i := range n {
				failed[client] = errors.Join(failed[client], s.request(client*loadUsers/loadClients+i*7))
			}
		})
	}
	clients.Wait()
	total := n * loadClients
	s.settle(t, total)
	if err := errors.Join(failed...); err != nil {
		t.Fatal(err)
	}
	return float64(total) / time.Since(begun).Seconds(), float64((cpuTime() - before).Microseconds()) / float64(total)
}

// one sends n requests of one client, and returns the median time of one.
func (s *side) one(t *testing.T, n int) float64 {
	t.Helper()
	var times []float64
	for i := range n {
		begun := time.Now()
		if err := s.request(i * 7); err != nil {
			t.Fatal(err)
		}
		times = append(times, time.Since(begun).Seconds())
	}
	s.settle(t, n)
	return middle(times)
}
