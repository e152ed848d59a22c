package budgets

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/scimkit/scim/internal/testhost"
)

// resident answers how many KiB of memory the process had at most, and how many its data needs.
func resident(w http.ResponseWriter, _ *http.Request) {
	most := statusOf("VmHWM")
	runtime.GC()
	debug.FreeOSMemory()
	fmt.Fprintf(w, "%d %d", most, statusOf("VmRSS"))
}

// statusOf reads a figure of this process in KiB. It is 0 where the system has none.
func statusOf(name string) (n int) {
	status, err := os.ReadFile("/proc/self/status")
	if _, after, ok := bytes.Cut(status, []byte(name+":")); err == nil && ok {
		fmt.Sscanf(string(after), "%d kB", &n) //nolint:errcheck // then it is 0
	}
	return n
}

// heldBudget loads a server with what a customer of 10,000 people sends in its first hour, and looks
// how much memory it needs beyond what it keeps.
func heldBudget(t *testing.T) {
	const users, clients, most = 10_000, 4, 64 << 10
	if statusOf("VmHWM") == 0 {
		t.Skip("the system does not tell how much memory a process has had")
	}
	s := startServer(t, "empty")
	ids := make([]string, users)
	each(clients, users, func(i int) { ids[i] = s.send(t, "POST", "/Users", benchUser(i), 201) })
	one, many := s.send(t, "POST", "/Groups", `{"displayName":"one by one"}`, 201), s.send(t, "POST", "/Groups", `{"displayName":"by hundreds"}`, 201)
	add := func(group string, ids ...string) {
		for i, id := range ids {
			ids[i] = `{"value":"` + id + `"}`
		}
		s.send(t, "PATCH", "/Groups/"+group, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"add","path":"members","value":[`+strings.Join(ids, ",")+`]}]}`, 204)
	}
	each(clients, users, func(i int) { add(one, ids[i]) })
	each(clients, users/100, func(i int) { add(many, append([]string(nil), ids[i*100:(i+1)*100]...)...) })
	each(clients, 100, func(int) { s.send(t, "GET", "/Groups/"+one, "", 200) })
	var peak, data int
	if _, err := fmt.Sscan(s.get(t, "/resident", 1), &peak, &data); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d users and two groups of them: %d MiB of data, and at most %d MiB more; the budget is %d", users, data>>10, (peak-data)>>10, most>>10)
	if peak-data > most {
		t.Error("too much memory")
	}
}

// each calls do for all numbers below n, some at a time.
func each(clients, n int, do func(i int)) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range clients {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	wg.Wait()
}

// send sends one request to the server and returns the id in the answer, or "" without one.
func (s *server) send(t *testing.T, method, path, body string, want int) string {
	r, err := http.NewRequestWithContext(t.Context(), method, "http://"+s.addr+path, strings.NewReader(body))
	if err != nil {
		t.Error(err)
		return ""
	}
	r.Header.Set("Authorization", "Bearer "+testhost.Secret)
	r.Header.Set("Content-Type", "application/scim+json")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Error(err)
		return ""
	}
	defer res.Body.Close() //nolint:errcheck // it was read
	answer, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != want {
		t.Errorf("%s %s: %d, want %d; error %v", method, path, res.StatusCode, want, err)
		return ""
	}
	var a struct{ ID string }
	json.Unmarshal(answer, &a) //nolint:errcheck // some answers are empty
	return a.ID
}
