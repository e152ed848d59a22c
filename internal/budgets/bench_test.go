package budgets

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/store/memory"
)

// TestMain can turn the test program into a server, whose CPU time the benchmarks measure.
func TestMain(m *testing.M) {
	if kind := os.Getenv("SCIM_TEST_SERVER"); kind != "" {
		if err := beServer(kind); err != nil {
			log.Fatal(err)
		}
		return
	}
	os.Exit(m.Run())
}

// benchUser is the body of a user as identity providers send it.
func benchUser(i int) string {
	return fmt.Sprintf(`{"externalId":"00u%08x","userName":"person%d@example.com","name":{"formatted":"Dr. Eva %d Holm","familyName":"Holm","givenName":"Eva","honorificPrefix":"Dr."},
"displayName":"Eva %d Holm","nickName":"Evi","profileUrl":"https://people.example.com/%d","title":"Engineer","userType":"Employee","preferredLanguage":"da-DK","locale":"da-DK","timezone":"Europe/Copenhagen","active":true,
"emails":[{"value":"person%d@example.com","type":"work","primary":true},{"value":"eva%d@example.org","type":"home"}],"phoneNumbers":[{"value":"+45 32 00 %04d","type":"work"}],
"addresses":[{"type":"work","streetAddress":"Havnegade 12","locality":"København","postalCode":"1058","country":"DK","primary":true}],
"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"employeeNumber":"%d","costCenter":"4130","organization":"Example","department":"Quays"}}`, i, i, i, i, i, i, i, i%10_000, i)
}

// put stores a resource directly, without the handler.
func put(tb testing.TB, s scim.Store, typ *scim.ResourceType, id, body string) {
	tb.Helper()
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	r, err := typ.Bind(scim.Meta{ID: id, Version: id, Created: at, LastModified: at}, []byte(body), nil)
	if err == nil {
		_, err = s.Create(context.Background(), r)
	}
	if err != nil {
		tb.Fatal(err)
	}
}

// newFilledStore is a memory store with n users, "u0" and so on.
func newFilledStore(tb testing.TB, n int, body func(i int) string) *memory.Store {
	tb.Helper()
	s := memory.New()
	for i := range n {
		put(tb, s, scim.UserType(), "u"+strconv.Itoa(i), body(i))
	}
	return s
}

func small(i int) string { return fmt.Sprintf(`{"userName":"User%d@example.com"}`, i) }

// send sends one request in this process.
func send(tb testing.TB, h http.Handler, method, target, body string, want int) {
	tb.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+testhost.Secret)
	w := testhost.NewCountingWriter()
	if h.ServeHTTP(w, r); w.Status != want {
		tb.Fatalf("%s %.200s: %d, want %d", method, target, w.Status, want)
	}
}

// beServer serves the users of a memory store, or the bytes that such a server has answered
// to one GET. It prints its CPU time, and ends when its input ends.
func beServer(kind string) error {
	tb := &testing.B{}
	var h http.Handler = testhost.New(tb, scim.Config{Store: newFilledStore(tb, 1000, benchUser)})
	switch kind {
	case "empty":
		h = testhost.New(tb, scim.Config{Store: memory.New()})
	case "constant":
		r := httptest.NewRequest("GET", "/Users/u7", nil)
		r.Header.Set("Authorization", "Bearer "+testhost.Secret)
		r.Host = "127.0.0.1:12345"
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		header, body := w.Result().Header, w.Body.Bytes()
		h = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			for name := range header {
				w.Header().Set(name, header.Get(name))
			}
			w.WriteHeader(200)
			w.Write(body) //nolint:errcheck // the client is gone
		})
	}
	mux := http.NewServeMux()
	mux.Handle("/", h)
	mux.HandleFunc("/cpu", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, int64(cpuTime())) })
	mux.HandleFunc("/resident", resident)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	go func() {
		io.Copy(io.Discard, os.Stdin) //nolint:errcheck // wait for its end
		os.Exit(0)
	}()
	return http.Serve(l, mux)
}

// cpuTime is the CPU time of this process.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// server is a serving process with one connection to it.
type server struct {
	addr string
	conn net.Conn
	in   *bufio.Reader
}

func startServer(tb testing.TB, kind string) *server {
	tb.Helper()
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), "SCIM_TEST_SERVER="+kind)
	c.Stderr = os.Stderr
	stdin, err := c.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := c.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { stdin.Close(); c.Wait() }) //nolint:errcheck // the process has no more output
	addr, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		tb.Fatal(err)
	}
	addr = strings.TrimSpace(addr)
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { conn.Close() })
	return &server{addr, conn, bufio.NewReader(conn)}
}

// get makes n requests over the connection and returns the last answer.
func (s *server) get(tb testing.TB, path string, n int) string {
	tb.Helper()
	request := []byte("GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1:12345\r\nAuthorization: Bearer " + testhost.Secret +
		"\r\nAccept: application/scim+json\r\nUser-Agent: bench\r\n\r\n")
	var body []byte
	for range n {
		if _, err := s.conn.Write(request); err != nil {
			tb.Fatal(err)
		}
		res, err := http.ReadResponse(s.in, nil)
		if err != nil {
			tb.Fatal(err)
		}
		if body, err = io.ReadAll(res.Body); err != nil || res.StatusCode != 200 {
			tb.Fatal(res.Status, err)
		}
	}
	return string(body)
}

// cpu is the CPU time that the process has used.
func (s *server) cpu(tb testing.TB) time.Duration {
	n, err := strconv.ParseInt(s.get(tb, "/cpu", 1), 10, 64)
	if err != nil {
		tb.Fatal(err)
	}
	return time.Duration(n)
}

// BenchmarkGet compares the CPU time of two servers over HTTP. One answers GET of a user,
// and the other writes the same bytes.
func BenchmarkGet(b *testing.B) {
	for _, kind := range []string{"ours", "constant"} {
		b.Run(kind, func(b *testing.B) {
			s := startServer(b, kind)
			s.get(b, "/Users/u7", 500)
			before := s.cpu(b)
			b.ResetTimer()
			s.get(b, "/Users/u7", b.N)
			b.StopTimer()
			b.ReportMetric(float64(s.cpu(b)-before)/float64(b.N), "server-ns/op")
		})
	}
}

// BenchmarkLookUp is the look-up by userName, with which most provisioning starts.
func BenchmarkLookUp(b *testing.B) {
	for _, n := range []int{1_000, 100_000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			h := testhost.New(b, scim.Config{Store: newFilledStore(b, n, small)})
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				lookUp(b, h, i*7919%n)
			}
		})
	}
}

func lookUp(tb testing.TB, h http.Handler, i int) {
	send(tb, h, "GET", fmt.Sprintf("/Users?filter=userName+eq+%%22user%d%%40example.com%%22", i), "", 200)
}

// BenchmarkMember compares a small group with a large one, for a change of one member and
// for the question whether a user is a member.
func BenchmarkMember(b *testing.B) {
	h := groupsHandler(b, 100_000)
	for _, group := range []string{"small", "large"} {
		b.Run("change/"+group, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				toggle(b, h, group, i)
			}
		})
		b.Run("check/"+group, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				isMember(b, h, group, i)
			}
		})
	}
}

// groupsHandler makes a handler with n users, a group "large" without ten of them and a
// group "small" of a hundred. Groups give roles.
func groupsHandler(tb testing.TB, n int) *scim.Handler {
	tb.Helper()
	s := newFilledStore(tb, n, small)
	members := make([]scim.Ref, n-10)
	for i := range members {
		members[i] = scim.Ref{Type: "User", ID: "u" + strconv.Itoa(i)}
	}
	for name, list := range map[string][]scim.Ref{"small": members[:100], "large": members} {
		put(tb, s, scim.GroupType(), name, fmt.Sprintf(`{"displayName":%q}`, name))
		if _, _, err := s.ChangeMembers(context.Background(), name, list, nil); err != nil {
			tb.Fatal(err)
		}
	}
	return testhost.New(tb, scim.Config{Store: s, Roles: &scim.Roles{Resolver: testhost.NewRoles()}})
}

// toggle adds the last user but i modulo 10 to a group, and removes it again. The groups
// have users up to 100,000.
func toggle(tb testing.TB, h http.Handler, group string, i int) {
	id := "u" + strconv.Itoa(99_999-i%10)
	send(tb, h, "PATCH", "/Groups/"+group, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"add","path":"members","value":[{"value":"`+id+`"}]}]}`, 204)
	send(tb, h, "PATCH", "/Groups/"+group, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"remove","path":"members[value eq \"`+id+`\"]"}]}`, 204)
}

func isMember(tb testing.TB, h http.Handler, group string, i int) {
	send(tb, h, "GET", fmt.Sprintf("/Groups?filter=id+eq+%%22%s%%22+and+members+eq+%%22u%d%%22&excludedAttributes=members", group, i%100), "", 200)
}

// BenchmarkReadGroup reads a group of 10,000 users.
func BenchmarkReadGroup(b *testing.B) {
	h := groupsHandler(b, 10_010)
	b.ReportAllocs()
	for b.Loop() {
		send(b, h, "GET", "/Groups/large", "", 200)
	}
}
