// Package trace writes requests and their answers as readable text.
package trace

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// traceLimit is how much of a body a trace keeps.
const traceLimit = 64 << 10

// Tracer writes exchanges to a writer.
type Tracer struct {
	w   io.Writer
	now func() time.Time
	// mu keeps the lines of one exchange together.
	mu sync.Mutex
}

// New makes a Tracer.
func New(w io.Writer, now func() time.Time) *Tracer { return &Tracer{w: w, now: now} }

// Exchange writes one request and its answer to a Tracer, without passwords and
// credentials.
type Exchange struct {
	http.ResponseWriter
	h       *Tracer
	r       *http.Request
	in, out bytes.Buffer
	status  int
	// secret: the request names a password where none belongs, so an error may repeat it.
	secret bool
}

// Begin starts to keep what is read of r and written to w.
func (h *Tracer) Begin(w http.ResponseWriter, r *http.Request) *Exchange {
	t := &Exchange{ResponseWriter: w, h: h, r: r}
	if r.Body != nil {
		r.Body = struct {
			io.Reader
			io.Closer
		}{io.TeeReader(r.Body, limited{&t.in}), r.Body}
	}
	return t
}

// limited drops what is beyond traceLimit.
type limited struct{ b *bytes.Buffer }

func (l limited) Write(p []byte) (int, error) {
	if room := traceLimit + 1 - l.b.Len(); room > 0 {
		l.b.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}

// WriteHeader implements http.ResponseWriter.
func (t *Exchange) WriteHeader(status int) {
	t.status = status
	t.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (t *Exchange) Write(p []byte) (int, error) {
	limited{&t.out}.Write(p) //nolint:errcheck // never fails
	return t.ResponseWriter.Write(p)
}

// End writes the exchange.
func (t *Exchange) End() {
	var b bytes.Buffer
	fmt.Fprintf(&b, "--- %s\n%s %s\n", t.h.now().Format("15:04:05.000"), t.r.Method, t.url())
	headers(&b, t.r.Header)
	t.body(&b, t.in.Bytes())
	fmt.Fprintf(&b, "\n%d %s\n", t.status, http.StatusText(t.status))
	headers(&b, t.Header())
	t.body(&b, t.out.Bytes())
	b.WriteByte('\n')
	t.h.mu.Lock()
	defer t.h.mu.Unlock()
	t.h.w.Write(b.Bytes()) //nolint:errcheck // a trace that cannot be written must not disturb
}

// url shows the request's address without what a confused client may have put into a
// filter. What cannot be read is not shown.
func (t *Exchange) url() string {
	u := t.r.URL
	if isPassword(u.Path) {
		t.secret = true
		return redacted
	}
	query, err := url.QueryUnescape(u.RawQuery)
	if err != nil || isPassword(query) || strings.Contains(strings.ToLower(query), "token") {
		t.secret = true
		return fmt.Sprintf("%q?%s", u.EscapedPath(), redacted)
	}
	return fmt.Sprintf("%q", u.RequestURI())
}

func headers(b *bytes.Buffer, h http.Header) {
	names := make([]string, 0, len(h))
	for n := range h {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, n := range names {
		switch n {
		case "Authorization", "Cookie", "Proxy-Authorization", "Set-Cookie":
			fmt.Fprintf(b, "%s: [redacted]\n", n)
		case "Accept", "Content-Type", "If-Match", "If-None-Match", "User-Agent", "Location", "Etag", "Allow", "Www-Authenticate", "Retry-After":
			for _, v := range h[n] {
				fmt.Fprintf(b, "%s: %q\n", n, v)
			}
		default:
			// Others may carry a credential of a gateway.
			fmt.Fprintf(b, "%s: [not shown]\n", n)
		}
	}
}

// body shows JSON, indented. What is not JSON, or names something twice, is not shown:
// nobody knows what is in it.
func (t *Exchange) body(b *bytes.Buffer, body []byte) {
	if len(body) == 0 {
		return
	}
	if len(body) > traceLimit {
		fmt.Fprintf(b, "[more than %d bytes]\n", traceLimit)
		return
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var v any
	if !jsontext.Value(body).IsValid() || d.Decode(&v) != nil {
		fmt.Fprintf(b, "[%d bytes that are not JSON]\n", len(body))
		return
	}
	out, err := json.MarshalIndent(t.redact(v), "", "  ")
	if err != nil {
		return
	}
	b.Write(out)
	b.WriteByte('\n')
}

// redact takes passwords out: members of that name at any depth, with or without a
// URN before it, the values of PATCH operations on such a path, and every text that
// speaks of one, as a filter does, but for the attribute's name alone.
func (t *Exchange) redact(v any) any {
	switch x := v.(type) {
	case map[string]any:
		secret := false
		for k, e := range x {
			if s, ok := e.(string); ok && strings.EqualFold(k, "path") && isPassword(s) {
				secret = true
			}
		}
		out := make(map[string]any, len(x))
		for k, e := range x {
			switch {
			case isPassword(k) || secret && strings.EqualFold(k, "value"):
				e = redacted
			case t.secret && k == "detail":
				e = redacted
			default:
				e = t.redact(e)
			}
			out[t.text(k)] = e
		}
		return out
	case []any:
		for i, e := range x {
			x[i] = t.redact(e)
		}
	case string:
		return t.text(x)
	}
	return v
}

// text is s unless it speaks of a password.
func (t *Exchange) text(s string) string {
	if !isPassword(s) || isPasswordName(s) {
		return s
	}
	t.secret = true
	return redacted
}

const redacted = "[redacted]"

func isPassword(s string) bool { return strings.Contains(strings.ToLower(s), "password") }

// isPasswordName reports whether s is just the attribute's name, alone or behind the
// URN of a schema.
func isPasswordName(s string) bool {
	s = strings.ToLower(s)
	return s == "password" || s == "urn:ietf:params:scim:schemas:core:2.0:user:password"
}
