package scim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// traceLimit is how much of a body a trace keeps.
const traceLimit = 64 << 10

// traced writes one request and its answer to Config.Trace, without passwords and
// credentials.
type traced struct {
	http.ResponseWriter
	h       *Handler
	r       *http.Request
	in, out bytes.Buffer
	status  int
}

func newTraced(h *Handler, w http.ResponseWriter, r *http.Request) *traced {
	t := &traced{ResponseWriter: w, h: h, r: r}
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

func (t *traced) WriteHeader(status int) {
	t.status = status
	t.ResponseWriter.WriteHeader(status)
}

func (t *traced) Write(p []byte) (int, error) {
	limited{&t.out}.Write(p) //nolint:errcheck // never fails
	return t.ResponseWriter.Write(p)
}

func (t *traced) write() {
	var b bytes.Buffer
	fmt.Fprintf(&b, "--- %s\n%s %s\n", t.h.c.Now().Format("15:04:05.000"), t.r.Method, redactURL(t.r.URL))
	headers(&b, t.r.Header)
	traceBody(&b, t.in.Bytes())
	fmt.Fprintf(&b, "\n%d %s\n", t.status, http.StatusText(t.status))
	headers(&b, t.Header())
	traceBody(&b, t.out.Bytes())
	b.WriteByte('\n')
	t.h.traceMu.Lock()
	defer t.h.traceMu.Unlock()
	t.h.c.Trace.Write(b.Bytes()) //nolint:errcheck // a trace that cannot be written must not disturb
}

// redactURL shows an address without what a confused client may have put into a
// filter.
func redactURL(u *url.URL) string {
	if strings.Contains(strings.ToLower(u.RawQuery), "password") || strings.Contains(strings.ToLower(u.RawQuery), "token") {
		return fmt.Sprintf("%q?[redacted]", u.EscapedPath())
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

// traceBody shows JSON, indented. What is not JSON is not shown: nobody knows what is
// in it.
func traceBody(b *bytes.Buffer, body []byte) {
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
	if err := d.Decode(&v); err != nil || d.More() {
		fmt.Fprintf(b, "[%d bytes that are not JSON]\n", len(body))
		return
	}
	out, err := json.MarshalIndent(redact(v), "", "  ")
	if err != nil {
		return
	}
	b.Write(out)
	b.WriteByte('\n')
}

// redact takes passwords out: members of that name at any depth, with or without a
// URN before it, and the values of PATCH operations on such a path.
func redact(v any) any {
	switch x := v.(type) {
	case map[string]any:
		secret := false
		for k, e := range x {
			if s, ok := e.(string); ok && strings.EqualFold(k, "path") && isPassword(s) {
				secret = true
			}
		}
		for k, e := range x {
			if isPassword(k) || secret && strings.EqualFold(k, "value") {
				x[k] = "[redacted]"
				continue
			}
			x[k] = redact(e)
		}
	case []any:
		for i, e := range x {
			x[i] = redact(e)
		}
	}
	return v
}

func isPassword(name string) bool { return strings.Contains(strings.ToLower(name), "password") }
