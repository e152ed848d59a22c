// Package trace writes requests and their answers as readable text, without passwords
// and credentials.
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

	"github.com/scimkit/scim/internal/secret"
)

// limit is how many bytes of a body a trace shows.
const limit = 64 << 10

// Tracer writes exchanges to one writer. It is safe for concurrent use.
type Tracer struct {
	w   io.Writer
	now func() time.Time
	mu  sync.Mutex // keeps the lines of one exchange together
}

// New makes a Tracer that writes to w. Each exchange begins with the time from now.
func New(w io.Writer, now func() time.Time) *Tracer { return &Tracer{w: w, now: now} }

// Exchange is one request and its answer. It is the ResponseWriter of the answer, and keeps
// the beginning of both bodies.
type Exchange struct {
	http.ResponseWriter
	tracer  *Tracer
	r       *http.Request
	in, out bytes.Buffer
	status  int
	// secret says that the request names a password where none belongs. The answer's error
	// may then repeat the password.
	secret bool
}

// Begin starts an exchange. It replaces r.Body by a reader that keeps what it reads.
func (t *Tracer) Begin(w http.ResponseWriter, r *http.Request) *Exchange {
	x := &Exchange{ResponseWriter: w, tracer: t, r: r}
	if r.Body != nil {
		r.Body = struct {
			io.Reader
			io.Closer
		}{io.TeeReader(r.Body, limited{&x.in}), r.Body}
	}
	return x
}

// limited writes up to the limit and one byte more, which shows that the body was longer.
type limited struct{ b *bytes.Buffer }

func (l limited) Write(p []byte) (int, error) {
	if room := limit + 1 - l.b.Len(); room > 0 {
		l.b.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}

// Unwrap lets an http.ResponseController reach the server's ResponseWriter.
func (x *Exchange) Unwrap() http.ResponseWriter { return x.ResponseWriter }

// WriteHeader implements http.ResponseWriter.
func (x *Exchange) WriteHeader(status int) {
	x.status = status
	x.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (x *Exchange) Write(p []byte) (int, error) {
	limited{&x.out}.Write(p) //nolint:errcheck // never fails
	return x.ResponseWriter.Write(p)
}

// End writes the exchange to the Tracer's writer.
func (x *Exchange) End() {
	var b bytes.Buffer
	fmt.Fprintf(&b, "--- %s\n%s %s\n", x.tracer.now().Format("15:04:05.000"), x.r.Method, x.url())
	headers(&b, x.r.Header)
	x.body(&b, x.in.Bytes())
	fmt.Fprintf(&b, "\n%d %s\n", x.status, http.StatusText(x.status))
	headers(&b, x.Header())
	x.body(&b, x.out.Bytes())
	b.WriteByte('\n')
	x.tracer.mu.Lock()
	defer x.tracer.mu.Unlock()
	x.tracer.w.Write(b.Bytes()) //nolint:errcheck // a failing trace must not disturb the request
}

// url shows the beginning of the request's address without passwords, which a client may
// put into a filter by mistake. It does not show a query that it cannot parse.
func (x *Exchange) url() string {
	u := x.r.URL
	if secret.IsIn(u.Path) {
		x.secret = true
		return secret.Redacted
	}
	query, err := url.QueryUnescape(u.RawQuery)
	if err != nil || secret.IsIn(query) || strings.Contains(strings.ToLower(query), "token") {
		x.secret = true
		return fmt.Sprintf("%.16384q?%s", u.EscapedPath(), secret.Redacted)
	}
	return fmt.Sprintf("%.16384q", u.RequestURI())
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
				fmt.Fprintf(b, "%s: %.1024q\n", n, v)
			}
		default:
			// Other headers may carry a credential of a gateway.
			fmt.Fprintf(b, "%s: [not shown]\n", n)
		}
	}
}

// body shows JSON, indented. It hides a body that is not JSON or has duplicate names,
// because redact could miss a password there.
func (x *Exchange) body(b *bytes.Buffer, body []byte) {
	if len(body) == 0 {
		return
	}
	if len(body) > limit {
		fmt.Fprintf(b, "[more than %d bytes]\n", limit)
		return
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var v any
	if !jsontext.Value(body).IsValid() || d.Decode(&v) != nil {
		fmt.Fprintf(b, "[%d bytes that are not JSON]\n", len(body))
		return
	}
	out, err := json.MarshalIndent(x.redact(v), "", "  ")
	if err != nil {
		return
	}
	b.Write(out)
	b.WriteByte('\n')
}

// redact removes passwords: members of that name at any depth, with or without a URN
// before it, and the values of PATCH operations on such a path. It also removes every
// other text that mentions a password, as a filter does, but keeps the attribute's name.
func (x *Exchange) redact(v any) any {
	switch v := v.(type) {
	case map[string]any:
		onPassword := false // a PATCH operation on a password
		for k, e := range v {
			if s, ok := e.(string); ok && strings.EqualFold(k, "path") && secret.IsIn(s) {
				onPassword = true
			}
		}
		out := make(map[string]any, len(v))
		for k, e := range v {
			switch {
			case secret.IsIn(k) || onPassword && strings.EqualFold(k, "value"):
				e = secret.Redacted
			case x.secret && k == "detail":
				e = secret.Redacted
			default:
				e = x.redact(e)
			}
			out[x.text(k)] = e
		}
		return out
	case []any:
		for i, e := range v {
			v[i] = x.redact(e)
		}
	case string:
		return x.text(v)
	}
	return v
}

// text is s unless it mentions a password.
func (x *Exchange) text(s string) string {
	if !secret.IsIn(s) && !isEscapedObject(s) || secret.IsName(s) {
		return s
	}
	x.secret = true
	return secret.Redacted
}

// isEscapedObject reports whether s is a JSON object with escapes, which may spell the name
// of the password. A PATCH may have one as its value.
func isEscapedObject(s string) bool {
	return strings.HasPrefix(strings.TrimSpace(s), "{") && strings.Contains(s, `\u`)
}
