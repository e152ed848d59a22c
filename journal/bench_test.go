package journal_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/journal"
	"github.com/scimkit/scim/store/memory"
)

// BenchmarkGET measures what the journal costs a GET over the memory store, flush included. The difference of the
// two is the cost.
func BenchmarkGET(b *testing.B) {
	for _, with := range []bool{false, true} {
		name := map[bool]string{false: "without", true: "with"}[with]
		b.Run(name, func(b *testing.B) {
			j, err := journal.New(journal.NewMemory(16<<20), journal.Options{Keys: journal.NewEphemeralKeys()})
			if err != nil {
				b.Fatal(err)
			}
			c := scim.Config{Store: memory.New(), Auth: auth.None(), Log: slog.New(slog.DiscardHandler)}
			if with {
				c = j.Config(c)
			}
			h, err := scim.New(c)
			if err != nil {
				b.Fatal(err)
			}
			var handler http.Handler = h
			if with {
				handler = j.Handler(h)
			}
			w := httptest.NewRecorder()
			r := httptest.NewRequest("POST", "/Users", strings.NewReader(ann))
			r.Header.Set("Content-Type", "application/scim+json")
			handler.ServeHTTP(w, r)
			at := w.Header().Get("Location")
			b.ReportAllocs()
			began := cpu(b)
			for i := 0; b.Loop(); i++ {
				handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", at, nil))
				if with && i%100 == 99 {
					if err := j.Flush(b.Context()); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64((cpu(b)-began).Nanoseconds())/float64(b.N), "cpu-ns/op")
		})
	}
}

// cpu returns the CPU time of this process.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
