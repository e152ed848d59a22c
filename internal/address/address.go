// Package address finds the route in a request's path at any mount point. It also finds the
// absolute address of the endpoint.
package address

import (
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// MaxPath is how many bytes a path may have. The address of every resource and member
// repeats the beginning of the path, so a long one would make answers enormous.
const MaxPath = 2048

// maxPrefix is how many bytes of a path may stand before the route.
const maxPrefix = 200

// IsTooLong reports whether a request's path is longer than MaxPath.
func IsTooLong(r *http.Request) bool {
	return max(len(r.URL.Path), len(r.RequestURI)-len(r.URL.RawQuery)) > MaxPath
}

// Route finds the segments of a request's path from the first one that is an endpoint's
// name. The segments before it are the mount point. No later segment can begin another
// route. The route is empty for the endpoint's root. ok is false if the path has no route.
//
// Route skips empty segments: a base address saved with a slash at its end gives "//Users".
func Route(r *http.Request, isEndpoint func(segment string) bool) (route []string, ok bool) {
	segments := Split(r.URL.EscapedPath())
	i := slices.IndexFunc(segments, isEndpoint)
	if i < 0 {
		return nil, isAtRoot(r, segments)
	}
	if !isMounted(r, segments, i, isEndpoint) {
		return nil, false
	}
	return segments[i:], true
}

// isAtRoot reports whether a request is for the endpoint's root. Then the path has no
// segment left, or it is the pattern that the mux has for the handler.
func isAtRoot(r *http.Request, segments []string) bool {
	return len(segments) == 0 || slices.EqualFunc(patternOf(r), segments, isFitting)
}

// isMounted reports whether the first n segments can be the mount point. http.ServeMux and
// chi show the prefix in the request's Pattern. http.StripPrefix and Mount remove the whole
// prefix from the path. Other routers show nothing, so isMounted accepts any prefix.
// Clients choose it then, so mount the handler with Mount or http.StripPrefix, or set
// BaseURL.
func isMounted(r *http.Request, segments []string, n int, isEndpoint func(string) bool) bool {
	prefix := segments[:n]
	if len(strings.Join(prefix, "/")) > maxPrefix {
		return false
	}
	pattern := patternOf(r)
	if i := slices.IndexFunc(pattern, isEndpoint); i >= 0 {
		pattern = pattern[:i] // the mux has a pattern for each endpoint
	}
	switch {
	case n == 0:
		return true
	case len(pattern) > 0:
		// A router may have removed the beginning.
		return n <= len(pattern) && slices.EqualFunc(pattern[len(pattern)-n:], prefix, isFitting)
	}
	return len(Split(requestPath(r))) <= len(segments)
}

// patternOf lists the segments of the mux pattern of the handler, without the wildcard at
// the end.
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

// isFitting reports whether a segment of a path matches a segment of a pattern.
func isFitting(pattern, segment string) bool {
	if strings.HasPrefix(pattern, "{") {
		return true
	}
	s, err := url.PathUnescape(segment)
	return err == nil && s == pattern || segment == pattern
}

// requestPath is the escaped path that the client sent. It comes from RequestURI, because
// http.StripPrefix removes the prefix from the path only.
func requestPath(r *http.Request) string {
	if raw, _, _ := strings.Cut(r.RequestURI, "?"); strings.HasPrefix(raw, "/") && isPlain(raw, "-._~/") {
		return raw // most paths need no parsing
	}
	if u, err := url.ParseRequestURI(r.RequestURI); err == nil {
		return u.EscapedPath()
	}
	return r.URL.EscapedPath()
}

// Mount serves h below prefix and next everywhere else. next may be nil.
func Mount(prefix string, h, next http.Handler) http.Handler {
	want := Split(prefix)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got := Split(r.URL.EscapedPath())
		if len(got) >= len(want) && slices.Equal(got[:len(want)], want) {
			// RequestURI keeps the prefix. Base needs it.
			in := *r
			u := *r.URL
			in.URL = &u
			u.RawPath = "/" + strings.Join(got[len(want):], "/")
			u.Path, _ = url.PathUnescape(u.RawPath) // the server has already unescaped it without an error
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

// Base finds the absolute address of the endpoint, without a slash at its end. It returns
// baseURL unless that is "". Otherwise it takes the request's own host and the part of its
// path before the route. tail is the number of segments of the route. If one of the proxies
// sent the request, Base trusts its X-Forwarded-Proto and X-Forwarded-Host.
func Base(r *http.Request, baseURL string, tail int, proxies []netip.Prefix) string {
	if baseURL != "" {
		return strings.TrimRight(baseURL, "/")
	}
	segments := Split(requestPath(r))
	prefix := strings.Join(segments[:max(0, len(segments)-tail)], "/")
	if prefix != "" {
		prefix = "/" + prefix
	}
	scheme, host := "http", HostOf(r, proxies)
	if r.TLS != nil {
		scheme = "https"
	}
	if isTrusted(r.RemoteAddr, proxies) {
		if p := strings.ToLower(first(r.Header.Get("X-Forwarded-Proto"))); p == "http" || p == "https" {
			scheme = p
		}
	}
	if !isHost(host) {
		host = "localhost"
	}
	return scheme + "://" + host + prefix
}

// HostOf finds the host that the client has sent a request to, with its port if it has one. It may
// be no valid host. If one of the proxies sent the request, HostOf trusts its X-Forwarded-Host.
func HostOf(r *http.Request, proxies []netip.Prefix) string {
	if isTrusted(r.RemoteAddr, proxies) {
		if f := first(r.Header.Get("X-Forwarded-Host")); f != "" {
			return f
		}
	}
	return r.Host
}

// first is the first item of a header's list.
func first(list string) string {
	s, _, _ := strings.Cut(list, ",")
	return strings.TrimSpace(s)
}

// isPlain reports whether s has only ASCII letters, digits and bytes of others.
func isPlain(s, others string) bool {
	for i := range len(s) {
		c := s[i]
		if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && strings.IndexByte(others, c) < 0 {
			return false
		}
	}
	return true
}

// isHost reports whether a text is a valid host for an address, with or without a port. No
// name is longer than 253 bytes.
func isHost(host string) bool {
	if name, port, _ := strings.Cut(host, ":"); name != "" && len(host) <= 260 && isPlain(name, "-.") && strings.Trim(port, "0123456789") == "" {
		return true
	}
	u, err := url.Parse("http://" + host)
	return err == nil && len(host) <= 260 && u.Host == host && u.Hostname() != "" && u.User == nil && !strings.ContainsAny(host, "<>\"'`\\ ")
}

// isTrusted reports whether the request comes from one of the proxies.
func isTrusted(remote string, proxies []netip.Prefix) bool {
	if len(proxies) == 0 {
		return false // most servers: nothing to parse
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
