package pagetest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// Client is a SCIM client.
type Client struct {
	t *testing.T
	// Base is the address of the endpoint.
	Base string
	// Header is sent with each request.
	Header http.Header
	// Host is sent as the host name; "" means that of Base.
	Host string
}

// Client returns a client that sends a token as "Bearer token" to an endpoint such as "/scim/v2".
func (r *Running) Client(endpoint, token string) *Client {
	return &Client{t: r.t, Base: r.URL + endpoint, Header: http.Header{
		"Authorization": {"Bearer " + token}, "Content-Type": {"application/scim+json; charset=utf-8"}, "User-Agent": {"Okta SCIM Client 1.0.0"}}}
}

// In returns the client for a part of a test.
func (c *Client) In(t *testing.T) *Client {
	in := *c
	in.t, in.Header = t, c.Header.Clone()
	return &in
}

// Answer is what the endpoint answered.
type Answer struct {
	Status int
	Header http.Header
	Text   string
	Body   map[string]any
}

// Do sends a request.
func (c *Client) Do(method, path, body string) Answer {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), method, c.Base+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header, req.Host = c.Header.Clone(), c.Host
	res, err := noRedirects().Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer res.Body.Close() //nolint:errcheck // it was read
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	a := Answer{Status: res.StatusCode, Header: res.Header, Text: string(raw)}
	if strings.Contains(res.Header.Get("Content-Type"), "json") && len(raw) > 0 {
		if err := json.Unmarshal(raw, &a.Body); err != nil {
			c.t.Fatalf("%s %s: %v: %s", method, path, err, raw)
		}
	}
	return a
}

// Want sends a request and fails the test if the answer has another status.
func (c *Client) Want(status int, method, path, body string) Answer {
	c.t.Helper()
	a := c.Do(method, path, body)
	if a.Status != status {
		c.t.Fatalf("%s %s %s: %d %s, want %d", method, path, body, a.Status, a.Text, status)
	}
	return a
}

// Refused sends a request and fails the test unless it is refused with this status and scimType, and a detail
// that contains all texts.
func (c *Client) Refused(status int, scimType, method, path, body string, texts ...string) {
	c.t.Helper()
	a := c.Want(status, method, path, body)
	if got, _ := a.Body["scimType"].(string); got != scimType {
		c.t.Errorf("%s %s: scimType %q, want %q", method, path, got, scimType)
	}
	detail, _ := a.Body["detail"].(string)
	for _, text := range texts {
		if !strings.Contains(detail, text) {
			c.t.Errorf("%s %s: the detail %q does not contain %q", method, path, detail, text)
		}
	}
}

// String returns a part of the answer as text: "id", "name.givenName", "members.0.value".
func (a Answer) String(path string) string {
	var v any = a.Body
	for _, part := range strings.Split(path, ".") {
		switch at := v.(type) {
		case map[string]any:
			v = at[part]
		case []any:
			var i int
			if _, err := fmt.Sscan(part, &i); err != nil || i >= len(at) {
				return ""
			}
			v = at[i]
		default:
			return ""
		}
	}
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}

// ID returns the id of the answer.
func (a Answer) ID() string { return a.String("id") }

// Values returns a part of each element of a list, such as Values("members", "value").
func (a Answer) Values(list, part string) []string {
	var all []string
	elements, _ := a.Body[list].([]any)
	for i := range elements {
		all = append(all, a.String(fmt.Sprintf("%s.%d.%s", list, i, part)))
	}
	return all
}

// Find returns the id of the only resource with this value, as clients look for it, or "".
func (c *Client) Find(endpoint, attribute, value string) string {
	c.t.Helper()
	q := url.Values{"filter": {fmt.Sprintf("%s eq %q", attribute, value)}, "startIndex": {"1"}, "count": {"100"}}
	a := c.Want(200, "GET", endpoint+"?"+q.Encode(), "")
	ids := a.Values("Resources", "id")
	if len(ids) > 1 {
		c.t.Fatalf("%d resources of %s have %s %q", len(ids), endpoint, attribute, value)
	}
	if len(ids) == 0 {
		return ""
	}
	return ids[0]
}
