package conformance

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
)

// rawClient is a connection to a server over which a test sends parts of requests.
type rawClient struct {
	t *testing.T
	net.Conn
	in *bufio.Reader
}

func dial(t *testing.T, srv *httptest.Server) *rawClient {
	t.Helper()
	c, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return &rawClient{t, c, bufio.NewReader(c)}
}

func (c *rawClient) send(lines ...string) {
	c.t.Helper()
	if _, err := io.WriteString(c, strings.Join(lines, "\r\n")); err != nil {
		c.t.Fatal(err)
	}
}

// answer reads an answer that must come within a time. It returns the status.
func (c *rawClient) answer(within time.Duration) int {
	c.t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(within)); err != nil {
		c.t.Fatal(err)
	}
	res, err := http.ReadResponse(c.in, nil)
	if err != nil {
		c.t.Fatalf("there was no answer within %s: %v", within, err)
	}
	io.Copy(io.Discard, res.Body) //nolint:errcheck // the status is enough
	return res.StatusCode
}

// ends checks that the server ends the connection within a time.
func (c *rawClient) ends(within time.Duration) {
	c.t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(within)); err != nil {
		c.t.Fatal(err)
	}
	_, err := c.in.ReadByte()
	var timeout net.Error
	if err == nil || errors.As(err, &timeout) && timeout.Timeout() {
		c.t.Errorf("the connection was still open after %s (%v)", within, err)
	}
}

const authorization = "Authorization: Bearer " + testhost.Secret

// A request whose body does not end is answered within the time, and its connection ends.
func TestBodyThatTricklesEnds(t *testing.T) {
	post := "POST /Users HTTP/1.1\r\nHost: x"
	for name, c := range map[string]struct {
		head  []string
		want  int
		first time.Duration // the answer must be there by then
	}{
		"a body of known size":           {[]string{post, authorization, "Content-Length: 1000", "", "{"}, 408, 3 * time.Second},
		"a body in chunks":               {[]string{post, authorization, "Transfer-Encoding: chunked", "", "1", "{", ""}, 408, 3 * time.Second},
		"a body nobody asked for":        {[]string{"GET /Users HTTP/1.1\r\nHost: x", authorization, "Content-Length: 1000", "", "{"}, 200, 3 * time.Second},
		"no token":                       {[]string{post, "Content-Length: 1000", "", "{"}, 401, 500 * time.Millisecond},
		"no token, in chunks":            {[]string{post, "Transfer-Encoding: chunked", "", "1", "{", ""}, 401, 500 * time.Millisecond},
		"no token, a body beyond limits": {[]string{post, "Content-Length: 1000000000", "", "{"}, 401, 500 * time.Millisecond},
		"no token, 100-continue":         {[]string{post, "Expect: 100-continue", "Content-Length: 1000", "", ""}, 401, 500 * time.Millisecond},
		"a wrong method":                 {[]string{"PUT /Users HTTP/1.1\r\nHost: x", authorization, "Content-Length: 1000", "", "{"}, 405, 500 * time.Millisecond},
		"a wrong type":                   {[]string{post, authorization, "Content-Type: text/plain", "Content-Length: 1000", "", "{"}, 415, 500 * time.Millisecond},
		"too large":                      {[]string{post, authorization, "Content-Length: 1048577", "", "{"}, 413, 500 * time.Millisecond},
	} {
		for _, traced := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, traced %v", name, traced), func(t *testing.T) {
				t.Parallel()
				h := testhost.Handler(t, func(cfg *scim.Config) {
					cfg.Limits.BodyTime = 300 * time.Millisecond
					if traced {
						cfg.Trace = io.Discard
					}
				})
				srv := httptest.NewServer(h)
				defer srv.Close()
				client := dial(t, srv)
				client.send(c.head...)
				if got := client.answer(c.first); got != c.want {
					t.Errorf("the answer is %d, want %d", got, c.want)
				}
				client.ends(4 * time.Second)
			})
		}
	}
}

// A body that arrives slowly but within the time is read, also if the rest of the request
// then takes longer than the time for bodies. The next request of the connection works.
func TestBodyTimeEndsWithTheBody(t *testing.T) {
	for _, proto := range []string{"HTTP/1.1", "HTTP/2.0"} {
		t.Run(proto, func(t *testing.T) {
			const bodyTime = 600 * time.Millisecond
			var canceled atomic.Bool
			h := testhost.Handler(t, func(c *scim.Config) {
				c.Limits.BodyTime = bodyTime
				c.Rules = []scim.Rule{func(ctx context.Context, _ *scim.Change) error {
					select {
					case <-ctx.Done():
						canceled.Store(true)
					case <-time.After(2 * bodyTime):
					}
					return nil
				}}
			})
			srv := server(t, h, proto)
			var conn net.Conn
			for i := range 3 {
				body := fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"u%d"}`, i)
				r, w := io.Pipe()
				go func() {
					io.WriteString(w, body[:10]) //nolint:errcheck // the answer shows it
					time.Sleep(bodyTime / 3)
					io.WriteString(w, body[10:]) //nolint:errcheck // the answer shows it
					w.Close()
				}()
				res, local := send(t, srv, r, int64(len(body)))
				if res.StatusCode != http.StatusCreated || canceled.Load() || res.Proto != proto {
					t.Fatalf("request %d over %s is answered %d; canceled: %v", i, res.Proto, res.StatusCode, canceled.Load())
				}
				if conn != nil && local != conn {
					t.Errorf("request %d needed a new connection", i)
				}
				conn = local
			}
		})
	}
}

// Over HTTP/2 a body that trickles ends its stream, not the connection.
func TestBodyThatTricklesEndsOverHTTP2(t *testing.T) {
	h := testhost.Handler(t, func(c *scim.Config) { c.Limits.BodyTime = 300 * time.Millisecond })
	srv := server(t, h, "HTTP/2.0")
	var first net.Conn
	for range 2 {
		r, w := io.Pipe()
		defer w.Close()           //nolint:errcheck // a pipe
		go io.WriteString(w, "{") //nolint:errcheck // the answer shows it
		res, conn := send(t, srv, r, 1000)
		if res.StatusCode != http.StatusRequestTimeout {
			t.Errorf("the answer is %d, want 408", res.StatusCode)
		}
		if first != nil && conn != first {
			t.Error("the connection has ended")
		}
		first = conn
	}
}

// A middleware may hide the server's ResponseWriter. Bodies are then read without a
// deadline, and the log says so once.
func TestBodyWithoutDeadline(t *testing.T) {
	var log bytes.Buffer
	h := testhost.Handler(t, func(c *scim.Config) { c.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(struct{ http.ResponseWriter }{w}, r)
	}))
	defer srv.Close()
	for i := range 3 {
		body := fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"u%d"}`, i)
		if res, _ := send(t, srv, strings.NewReader(body), int64(len(body))); res.StatusCode != http.StatusCreated {
			t.Errorf("POST is answered %d", res.StatusCode)
		}
	}
	if n := strings.Count(log.String(), "SetReadDeadline"); n != 1 {
		t.Errorf("the log says %d times that there is no deadline:\n%s", n, &log)
	}
}

// server starts a server of a version of HTTP.
func server(t *testing.T, h http.Handler, proto string) *httptest.Server {
	srv := httptest.NewUnstartedServer(h)
	if srv.EnableHTTP2 = proto == "HTTP/2.0"; srv.EnableHTTP2 {
		srv.StartTLS()
	} else {
		srv.Start()
	}
	t.Cleanup(srv.Close)
	return srv
}

// send posts a user. It also returns the connection that it used.
func send(t *testing.T, srv *httptest.Server, body io.Reader, size int64) (*http.Response, net.Conn) {
	t.Helper()
	var conn net.Conn
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) { conn = i.Conn }})
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, srv.URL+"/Users", body)
	if err != nil {
		t.Fatal(err)
	}
	r.ContentLength = size
	r.Header.Set("Authorization", "Bearer "+testhost.Secret)
	res, err := srv.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()        //nolint:errcheck // it is read
	io.Copy(io.Discard, res.Body) //nolint:errcheck // the status is enough
	return res, conn
}
