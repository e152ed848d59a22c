// Package testhost is an application for the tests of other packages. It has a handler and
// requests to it, the smallest store, roles in memory, and stores whose roles commit with
// them. Only tests import it.
package testhost

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/store/memory"
)

// Secret is the bearer token of the tests.
const Secret = "not-a-real-secret"

// Handler makes a handler over an empty memory store. change alters its configuration.
func Handler(t testing.TB, change func(c *scim.Config)) *scim.Handler {
	t.Helper()
	c := scim.Config{Store: memory.New()}
	if change != nil {
		change(&c)
	}
	return New(t, c)
}

// New makes a handler. Unless c says otherwise, its clients send Secret and it logs
// nothing.
func New(t testing.TB, c scim.Config) *scim.Handler {
	t.Helper()
	if c.Auth == nil {
		c.Auth = auth.Bearer(auth.TokenOf(Secret))
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	h, err := scim.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// Do sends one request. Header lines are "Name: value".
func Do(t *testing.T, h http.Handler, method, target, body string, header ...string) *http.Response {
	t.Helper()
	var in io.Reader
	if body != "" {
		in = strings.NewReader(body)
	}
	r := httptest.NewRequest(method, target, in)
	r.Header.Set("Authorization", "Bearer "+Secret)
	for _, l := range header {
		name, value, _ := strings.Cut(l, ": ")
		r.Header.Del(name)
		if value != "" {
			r.Header.Set(name, value)
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

// Create creates a resource and returns its id. Header lines are as in Do.
func Create(t *testing.T, h http.Handler, target, body string, header ...string) string {
	t.Helper()
	res := Do(t, h, "POST", target, body, header...)
	id, _ := Decode(t, res)["id"].(string)
	if res.StatusCode != http.StatusCreated || id == "" {
		t.Fatalf("POST %s %s: %d", target, body, res.StatusCode)
	}
	return id
}

// Decode reads a JSON answer.
func Decode(t *testing.T, res *http.Response) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.NewDecoder(res.Body).Decode(&v); err != nil {
		t.Fatalf("the answer is not JSON: %v", err)
	}
	return v
}

// Parallel calls fn n times at the same time and waits for all calls.
func Parallel(n int, fn func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { fn(i) })
	}
	wg.Wait()
}
