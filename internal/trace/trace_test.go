package trace

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/scimkit/scim/internal/secret"
)

// exchange traces one request that is answered with 200 and a body.
func exchange(t *Tracer, r *http.Request, answer string) {
	x := t.Begin(httptest.NewRecorder(), r)
	io.Copy(io.Discard, r.Body) //nolint:errcheck // from memory
	x.Header().Set("Content-Type", "application/scim+json")
	x.Header().Set("X-Gateway", "key")
	x.WriteHeader(http.StatusOK)
	io.WriteString(x, answer) //nolint:errcheck // to memory
	x.End()
}

func at() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 6e6, time.UTC) }

func TestExchange(t *testing.T) {
	var b strings.Builder
	r := httptest.NewRequest("PATCH", "/Users/1?attributes=title", strings.NewReader(`{"title":"boss","password":"hunter2"}`))
	r.Header.Set("Authorization", "Bearer hunter2")
	r.Header.Set("Accept", "*/*")
	exchange(New(&b, at), r, `{"id":"1"}`)
	want := `--- 03:04:05.006
PATCH "/Users/1?attributes=title"
Accept: "*/*"
Authorization: [redacted]
{
  "password": "[redacted]",
  "title": "boss"
}

200 OK
Content-Type: "application/scim+json"
X-Gateway: [not shown]
{
  "id": "1"
}

`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

func TestBodiesThatAreNotShown(t *testing.T) {
	for _, tt := range []struct{ name, body, want string }{
		{"no JSON", "password=hunter2", "[16 bytes that are not JSON]"},
		{"a name twice", `{"path":"title","path":"password","value":"hunter2"}`, "that are not JSON]"},
		{"an object in a string", `{"value":"{\"password\":\"hunter2\"}"}`, `"value": "[redacted]"`},
		{"with escapes", `{"value":" {\"p\\u0061ssword\":\"hunter2\"}"}`, `"value": "[redacted]"`},
		{"without a password", `{"value":"{\"title\":\"Dr\"}"}`, `"value": "{\"title\":\"Dr\"}"`},
		{"long", `"` + strings.Repeat("x", limit) + `"`, fmt.Sprintf("[more than %d bytes]", limit)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var b strings.Builder
			exchange(New(&b, at), httptest.NewRequest("POST", "/Users", strings.NewReader(tt.body)), "")
			if !strings.Contains(b.String(), tt.want) || strings.Contains(b.String(), "hunter2") || b.Len() > 200 {
				t.Errorf("the trace is\n%.300s", &b)
			}
		})
	}
}

// TestSecret checks that an answer's detail is not shown if the request names a password
// where none belongs.
func TestSecret(t *testing.T) {
	for _, target := range []string{"/Users/password=hunter2", "/Users?filter=pass%77ord+eq+1", "/Users?filter=%zz", "/Users?access_token=x"} {
		var b strings.Builder
		exchange(New(&b, at), httptest.NewRequest("GET", target, nil), `{"detail":"hunter2"}`)
		if !strings.Contains(b.String(), secret.Redacted) || strings.Contains(b.String(), "hunter2") {
			t.Errorf("%s: the trace is\n%s", target, &b)
		}
	}
}

// unsafe is a writer that is not safe for concurrent use: the race detector tells.
type unsafe struct{ n int }

func (u *unsafe) Write(p []byte) (int, error) {
	u.n++
	return len(p), nil
}

func TestConcurrentExchanges(t *testing.T) {
	w := &unsafe{}
	tr := New(w, at)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() { exchange(tr, httptest.NewRequest("GET", "/Users", nil), "{}") })
	}
	wg.Wait()
	if w.n != 20 {
		t.Errorf("%d writes, want one for each of 20 exchanges", w.n)
	}
}
