package crashtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// client sends requests to any of several servers and counts the answers.
type client struct {
	t    *testing.T
	http *http.Client

	mu   sync.Mutex
	urls []string
	tally
	slowest time.Duration // slowest is how long an answer took at most.
}

// tally counts answers by status. Status 0 means no answer.
type tally map[int]int

func (c tally) String() string {
	total := 0
	var parts []string
	for _, status := range slices.Sorted(maps.Keys(c)) {
		total += c[status]
		parts = append(parts, fmt.Sprintf("%d: %d", status, c[status]))
	}
	return fmt.Sprintf("%d requests, by status {%s}", total, strings.Join(parts, ", "))
}

func newClient(t *testing.T, servers ...*process) *client {
	c := &client{t: t, tally: make(tally), http: &http.Client{
		Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 300}}}
	c.use(servers...)
	t.Cleanup(c.http.CloseIdleConnections)
	return c
}

// use sets the servers that get the requests.
func (c *client) use(servers ...*process) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.urls = nil
	for _, p := range servers {
		c.urls = append(c.urls, p.url)
	}
}

// answer is a server's answer. After a status of 0 or at least 500 the client does not know
// whether the server carried out the request.
type answer struct {
	status int
	etag   string
	body   []byte
}

func (a answer) doubtful() bool { return a.status == 0 || a.status >= 500 }

// id is the id of the resource in the body.
func (a answer) id() string {
	var r resource
	if json.Unmarshal(a.body, &r) != nil {
		return ""
	}
	return r.ID
}

// do sends a request. The test fails if a server answers 500.
func (c *client) do(method, path string, body any, header ...string) answer {
	begin := time.Now()
	a, err := c.try(method, path, body, header)
	if err != nil {
		a = answer{}
	}
	c.mu.Lock()
	c.tally[a.status]++
	c.slowest = max(c.slowest, time.Since(begin))
	c.mu.Unlock()
	if a.status >= 500 && a.status != http.StatusServiceUnavailable {
		c.t.Errorf("%s %s: %d %s", method, path, a.status, a.body)
	}
	return a
}

func (c *client) try(method, path string, body any, header []string) (answer, error) {
	var send io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return answer{}, err
		}
		send = bytes.NewReader(b)
	}
	c.mu.Lock()
	url := c.urls[rand.IntN(len(c.urls))] + path
	c.mu.Unlock()
	req, err := http.NewRequestWithContext(c.t.Context(), method, url, send)
	if err != nil {
		return answer{}, err
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := c.http.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close() //nolint:errcheck // it has been read
	got, err := io.ReadAll(res.Body)
	if res.StatusCode == http.StatusServiceUnavailable && res.Header.Get("Retry-After") == "" {
		c.t.Errorf("%s %s: 503 without Retry-After", method, path)
	}
	return answer{res.StatusCode, res.Header.Get("ETag"), got}, err
}

// sure repeats a request until its outcome is known.
func (c *client) sure(method, path string, body any, header ...string) answer {
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		a := c.do(method, path, body, header...)
		if !a.doubtful() {
			return a
		}
		if time.Now().After(end) {
			c.t.Errorf("%s %s: no answer within a minute, last %d %s", method, path, a.status, a.body)
			return a
		}
	}
}
