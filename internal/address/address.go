// Package address reads where a request goes, and makes the absolute addresses that are
// sent.
package address

import (
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// maxPrefix is how long the part of a path may be that is before the route.
const maxPrefix = 200

// AtRoot reports whether a request is for the endpoint's root: nothing is left of the
// path, or it is just the pattern under which a mux has the handler.
func AtRoot(r *http.Request, segments []string) bool {
	return len(segments) == 0 || slices.EqualFunc(patternOf(r), segments, fits)
}

// Mounted reports whether the first n segments can be where the handler is mounted.
// http.ServeMux and chi say it, in the request's Pattern. What http.StripPrefix or
// Mount took off the path was all of it. Where neither tells, as behind a router of
// another kind, any prefix will do: clients choose it then, so mount the handler with
// Mount or http.StripPrefix, or set BaseURL.
func Mounted(r *http.Request, segments []string, n int, isEndpoint func(string) bool) bool {
	prefix := segments[:n]
	if len(strings.Join(prefix, "/")) > maxPrefix {
		return false
	}
	pattern := patternOf(r)
	if i := slices.IndexFunc(pattern, isEndpoint); i >= 0 {
		pattern = pattern[:i] // each endpoint is mounted for itself
	}
	switch {
	case n == 0:
		return true
	case len(pattern) > 0:
		// The beginning may have been taken off.
		return n <= len(pattern) && slices.EqualFunc(pattern[len(pattern)-n:], prefix, fits)
	}
	return len(Split(requestPath(r))) <= len(segments)
}

// patternOf lists the segments of the pattern under which a mux has the handler,
// without the wildcard for what follows.
func patternOf(r *http.Request) []string {
	i := strings.IndexByte(r.Pattern, '/')
	if i < 0 {
		return nil
	}
	all := Split(r.Pattern[i:])
	if n := len(all); n > 0 && (all[n-1] == "*" || all[n-1] == "{$}" || strings.HasSuffix(all[n-1], "...}")) {
		all = all[:n-1]
	}
	return all
}

// fits reports whether a segment of a path is what a segment of a pattern asks for.
func fits(pattern, segment string) bool {
	if strings.HasPrefix(pattern, "{") {
		return true
	}
	s, err := url.PathUnescape(segment)
	return err == nil && s == pattern || segment == pattern
}

// requestPath is the escaped path that the client sent: RequestURI still has the prefix
// that http.StripPrefix took off the path.
func requestPath(r *http.Request) string {
	if raw, _, _ := strings.Cut(r.RequestURI, "?"); strings.HasPrefix(raw, "/") && onlyPlain(raw, "-._~/") {
		return raw // what most paths are like needs no parsing
	}
	if u, err := url.ParseRequestURI(r.RequestURI); err == nil {
		return u.EscapedPath()
	}
	return r.URL.EscapedPath()
}

// Mount serves h below prefix and next elsewhere.
func Mount(prefix string, h, next http.Handler) http.Handler {
	want := Split(prefix)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got := Split(r.URL.EscapedPath())
		if len(got) >= len(want) && slices.Equal(got[:len(want)], want) {
			// RequestURI keeps the prefix, for the addresses that are sent.
			in := *r
			u := *r.URL
			in.URL = &u
			u.RawPath = "/" + strings.Join(got[len(want):], "/")
			u.Path, _ = url.PathUnescape(u.RawPath) // it was unescaped before
			h.ServeHTTP(w, &in)
			return
		}
		if next == nil {
			http.NotFound(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// Split lists the segments of a path.
func Split(path string) []string {
	return slices.DeleteFunc(strings.Split(path, "/"), func(s string) bool { return s == "" })
}

// BaseOf finds the absolute address of the endpoint: BaseURL, or the request's own
// host with what its path carries before the route.
func BaseOf(r *http.Request, baseURL string, tail int, proxies []netip.Prefix) string {
	if baseURL != "" {
		return strings.TrimRight(baseURL, "/")
	}
	segments := Split(requestPath(r))
	prefix := strings.Join(segments[:max(0, len(segments)-tail)], "/")
	if prefix != "" {
		prefix = "/" + prefix
	}
	scheme, host := "http", r.Host
	if r.TLS != nil {
		scheme = "https"
	}
	if trusted(r.RemoteAddr, proxies) {
		if p := strings.ToLower(first(r.Header.Get("X-Forwarded-Proto"))); p == "http" || p == "https" {
			scheme = p
		}
		if f := first(r.Header.Get("X-Forwarded-Host")); f != "" {
			host = f
		}
	}
	if !hostOK(host) {
		host = "localhost"
	}
	return scheme + "://" + host + prefix
}

func first(list string) string {
	s, _, _ := strings.Cut(list, ",")
	return strings.TrimSpace(s)
}

// onlyPlain reports whether s has only ASCII letters, digits and the bytes of others.
func onlyPlain(s, others string) bool {
	for i := range len(s) {
		c := s[i]
		if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && strings.IndexByte(others, c) < 0 {
			return false
		}
	}
	return true
}

// hostOK keeps what is no host and port out of the addresses that are sent. No name
// is longer than 253 bytes.
func hostOK(host string) bool {
	if name, port, _ := strings.Cut(host, ":"); name != "" && len(host) <= 260 && onlyPlain(name, "-.") && strings.Trim(port, "0123456789") == "" {
		return true
	}
	u, err := url.Parse("http://" + host)
	return err == nil && len(host) <= 260 && u.Host == host && u.Hostname() != "" && u.User == nil && !strings.ContainsAny(host, "<>\"'`\\ ")
}

func trusted(remote string, proxies []netip.Prefix) bool {
	if len(proxies) == 0 {
		return false
	}
	ap, err := netip.ParseAddrPort(remote)
	if err != nil {
		return false
	}
	for _, p := range proxies {
		if p.Contains(ap.Addr().Unmap()) {
			return true
		}
	}
	return false
}
