package callers

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/scimkit/scim/auth/tokens"
	"github.com/scimkit/scim/tenants"
)

// used is what a process uses when nobody calls.
type used struct {
	goroutines, files int
	heap              uint64
}

// idle measures once connections have ended, those to the database too: as long as SQLite has one, it keeps
// descriptors of closed ones, more or less of them by chance.
func idle(t *testing.T, db *sql.DB) used {
	t.Helper()
	http.DefaultClient.CloseIdleConnections()
	db.SetMaxIdleConns(0)
	defer db.SetMaxIdleConns(2) // the default
	var u used
	// net/http keeps a connection for half a second whose request was not read to its end, so a second without a change is awaited.
	for begun, same := time.Now(), 0; same < 10 && time.Since(begun) < 20*time.Second; time.Sleep(100 * time.Millisecond) {
		n := runtime.NumGoroutine()
		if same++; n != u.goroutines {
			u.goroutines, same = n, 0
		}
	}
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("descriptors of this process cannot be counted here: ", err)
	}
	u.files = len(files)
	runtime.GC()
	runtime.GC() // what a finalizer keeps goes with the second one
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	u.heap = m.HeapAlloc
	return u
}

// TestSoak sends mixed requests from 8 clients. Of a hundred one is faulty, one hangs up in the
// middle, and one sends its body slowly. What the process uses afterwards does not grow. SCIM_LONG=1
// sends 100,000 requests.
func TestSoak(t *testing.T) {
	total := int64(2_000)
	if os.Getenv("SCIM_LONG") != "" {
		total = 100_000
	}
	a, err := open(t.Context(), filepath.Join(t.TempDir(), "scim.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer a.db.Close() //nolint:errcheck // the test is over
	a.set(t, tenants.On)
	h, err := a.handler()
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(h)
	defer server.Close()
	secret, _, err := a.tokens.Tenant("acme").Issue(t.Context(), tokens.Request{Label: "Okta", Maker: "ann"})
	if err != nil {
		t.Fatal(err)
	}
	var statuses [6]atomic.Int64
	play := func(requests int64) {
		var left atomic.Int64
		left.Store(requests)
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				s := soaker{t: t, server: server.URL, secret: secret, name: fmt.Sprintf("person-%d", i), rnd: rand.New(rand.NewPCG(uint64(i), uint64(requests))), statuses: &statuses}
				for left.Add(-1) >= 0 && !t.Failed() {
					s.one()
				}
				s.end()
			})
		}
		wg.Wait()
	}
	play(total / 5) // the caches are full, and the database is as big as it will be
	before := idle(t, a.db)
	play(total - total/5)
	after := idle(t, a.db)
	t.Logf("%d requests: %d, %d and %d with 2xx, 4xx and 5xx; before %+v, after %+v", total, statuses[2].Load(), statuses[4].Load(), statuses[5].Load(), before, after)
	if after.goroutines > before.goroutines+2 || after.files > before.files || after.heap > before.heap+before.heap/10+1<<20 {
		t.Errorf("it uses more: before %+v, after %+v", before, after)
	}
	if statuses[2].Load() < total*8/10 || statuses[4].Load() == 0 || statuses[5].Load() > 0 {
		t.Errorf("%d answers 2xx, %d 4xx and %d 5xx of %d", statuses[2].Load(), statuses[4].Load(), statuses[5].Load(), total)
	}
}

// soaker is a client. It has one user at a time, and one group.
type soaker struct {
	t            *testing.T
	server       string
	secret, name string
	rnd          *rand.Rand
	statuses     *[6]atomic.Int64
	user, group  string
	n            int
}

// one sends one request.
func (s *soaker) one() {
	s.n++
	switch s.rnd.IntN(100) {
	case 0:
		s.faulty()
		return
	case 1:
		s.hangUp()
		return
	case 2:
		s.slow()
		return
	}
	switch {
	case s.user == "":
		s.user = s.made("/Users", fmt.Sprintf(`{"userName":"%s-%d","emails":[{"value":"%[1]s@example.com","type":"work"}]}`, s.name, s.n))
	case s.group == "":
		s.group = s.made("/Groups", fmt.Sprintf(`{"displayName":"%s-%d","members":[{"value":%q}]}`, s.name, s.n, s.user))
	default:
		s.other()
	}
}

func (s *soaker) other() {
	patch := func(path, op string) {
		s.send("PATCH", path, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[`+op+`]}`)
	}
	switch s.rnd.IntN(9) {
	case 0:
		s.send("GET", "/Users/"+s.user, "")
	case 1:
		s.send("GET", "/Users?filter=userName+sw+%22"+s.name+"%22", "")
	case 2:
		s.send("GET", "/Groups/"+s.group, "")
	case 3:
		patch("/Users/"+s.user, fmt.Sprintf(`{"op":"replace","path":"displayName","value":"%d"}`, s.n))
	case 4:
		patch("/Users/"+s.user, `{"op":"replace","path":"active","value":false}`)
	case 5:
		patch("/Groups/"+s.group, fmt.Sprintf(`{"op":"remove","path":"members[value eq \"%s\"]"}`, s.user))
	case 6:
		patch("/Groups/"+s.group, fmt.Sprintf(`{"op":"add","path":"members","value":[{"value":%q}]}`, s.user))
	case 7:
		s.send("POST", "/Bulk", fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[
			{"method":"PATCH","path":"/Users/%s","data":{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","path":"active","value":true}]}}]}`, s.user))
	case 8:
		s.end()
	}
}

// end deletes what the client has.
func (s *soaker) end() {
	if s.user != "" {
		s.send("DELETE", "/Users/"+s.user, "")
	}
	if s.group != "" {
		s.send("DELETE", "/Groups/"+s.group, "")
	}
	s.user, s.group = "", ""
}

func (s *soaker) made(path, body string) (id string) {
	_, rest, ok := strings.Cut(s.send("POST", path, body), `"id":"`)
	if !ok {
		s.t.Error("no id")
	}
	id, _, _ = strings.Cut(rest, `"`)
	return id
}

func (s *soaker) faulty() {
	switch s.rnd.IntN(5) {
	case 0:
		s.send("POST", "/Users", `{"userName":`)
	case 1:
		s.send("GET", "/Users?filter="+strings.Repeat("(", 2000), "")
	case 2:
		s.send("PUT", "/Users/none", `{"userName":"none"}`)
	case 3:
		s.send("POST", "/Users", `{"userName":"`+strings.Repeat("x", 2<<20)+`"}`)
	case 4:
		other := *s
		other.secret = "wrong"
		other.send("GET", "/Users", "")
	}
}

// hangUp leaves in the middle of a body, or before it has read the answer.
func (s *soaker) hangUp() {
	c, err := net.Dial("tcp", strings.TrimPrefix(s.server, "http://"))
	if err != nil {
		s.t.Error(err)
		return
	}
	length := 1000
	if s.rnd.IntN(2) == 0 {
		length = 8
	}
	fmt.Fprintf(c, "POST /acme/scim/v2/Users HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/scim+json\r\nContent-Length: %d\r\n\r\n{\"a\": 1}", s.secret, length) //nolint:errcheck // the server may hang up first
	c.Close()                                                                                                                                                                                   //nolint:errcheck // that is the purpose
}

// trickle is a body that comes byte by byte.
type trickle struct{ *strings.Reader }

// Read implements io.Reader.
func (b trickle) Read(p []byte) (int, error) {
	time.Sleep(2 * time.Millisecond)
	return b.Reader.Read(p[:1])
}

func (s *soaker) slow() {
	s.roundTrip("POST", "/Users/.search", trickle{strings.NewReader(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],"count":1}`)})
}

func (s *soaker) send(method, path, body string) string {
	return s.roundTrip(method, path, strings.NewReader(body))
}

func (s *soaker) roundTrip(method, path string, body io.Reader) string {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, s.server+"/acme/scim/v2"+path, body)
	if err != nil {
		s.t.Error(err)
		return ""
	}
	r.Header.Set("Authorization", "Bearer "+s.secret)
	r.Header.Set("Content-Type", "application/scim+json")
	out, err := http.DefaultClient.Do(r)
	if err != nil {
		if strings.Contains(path, "Users") && method == "POST" && isCutOff(err) { // a body that is too large is not read to its end
			s.statuses[4].Add(1)
			return ""
		}
		s.t.Error(err)
		return ""
	}
	defer out.Body.Close() //nolint:errcheck // it was read
	text, err := io.ReadAll(out.Body)
	if err != nil {
		s.t.Error(err)
	}
	s.statuses[out.StatusCode/100].Add(1)
	if out.StatusCode >= 500 {
		s.t.Errorf("%s %s: %d %s", method, path, out.StatusCode, text)
	}
	return string(text)
}

func isCutOff(err error) bool {
	return strings.Contains(err.Error(), "broken pipe") || strings.Contains(err.Error(), "connection reset")
}
