package journal

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/store/memory"
)

// BenchmarkSeal measures what a flush does for an exchange before it is stored: a typical GET, PATCH and POST of a user.
func BenchmarkSeal(b *testing.B) {
	j, err := New(NewMemory(16<<20), Options{Keys: NewEphemeralKeys()})
	if err != nil {
		b.Fatal(err)
	}
	h, err := scim.New(j.Config(scim.Config{Store: memory.New(), Auth: auth.None(), Log: slog.New(slog.DiscardHandler)}))
	if err != nil {
		b.Fatal(err)
	}
	served := j.Handler(h)
	take := func(method, at, body string) (x *exchange, location string) {
		r, w := httptest.NewRequest(method, at, strings.NewReader(body)), httptest.NewRecorder()
		r.Header = http.Header{"Accept": {"application/scim+json"}, "Accept-Encoding": {"gzip"}, "Authorization": {"Bearer x"}, "User-Agent": {"client/1.0"}}
		if body != "" {
			r.Header.Set("Content-Type", "application/scim+json")
		}
		served.ServeHTTP(w, r)
		batch := j.queue.take(1 << 20)
		if w.Code >= 300 || len(batch) != 1 {
			b.Fatalf("%s: %d, %d exchanges", w.Body, w.Code, len(batch))
		}
		return batch[0], w.Header().Get("Location")
	}
	post, at := take("POST", "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],"externalId":"00u1",
		"userName":"ann@example.com","displayName":"Ann Example","name":{"givenName":"Ann","familyName":"Example"},"active":true,
		"emails":[{"value":"ann@example.com","type":"work","primary":true}],"phoneNumbers":[{"value":"+1 555 0100","type":"work"}],"title":"Engineer",
		"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"Development","employeeNumber":"701984"}}`)
	get, _ := take("GET", at, "")
	patch, _ := take("PATCH", at, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","path":"title","value":"Manager"},
		{"op":"replace","value":{"displayName":"Ann Manager","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department":"Sales"}}]}`)
	for _, of := range []struct {
		name string
		x    *exchange
	}{{"GET", get}, {"PATCH", patch}, {"POST", post}} {
		b.Run(of.name, func(b *testing.B) {
			s := &sealer{j: j}
			b.ReportAllocs()
			began := cpuTime(b)
			for b.Loop() {
				if _, err := s.exchange(b.Context(), of.x); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(cpuTime(b)-began)/float64(b.N), "cpu-ns/op")
		})
	}
}

// cpuTime returns the CPU time of this process, in nanoseconds.
func cpuTime(b *testing.B) int64 {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}
