package scim

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// maxPrefix is how long the part of a path may be that is before the route.
const maxPrefix = 200

// atRoot reports whether a request is for the endpoint's root: nothing is left of the
// path, or it is just the pattern under which a mux has the handler.
func atRoot(r *http.Request, segments []string) bool {
	return len(segments) == 0 || slices.EqualFunc(patternOf(r), segments, fits)
}

// mounted reports whether the first n segments can be where the handler is mounted.
// http.ServeMux and chi say it, in the request's Pattern. What http.StripPrefix or
// Mount took off the path was all of it. Where neither tells, as behind a router of
// another kind, any prefix will do: clients choose it then, so mount the handler with
// Mount or http.StripPrefix, or set BaseURL.
func (t *tenant) mounted(r *http.Request, segments []string, n int) bool {
	prefix := segments[:n]
	if len(strings.Join(prefix, "/")) > maxPrefix {
		return false
	}
	pattern := patternOf(r)
	if i := slices.IndexFunc(pattern, t.isEndpoint); i >= 0 {
		pattern = pattern[:i] // each endpoint is mounted for itself
	}
	switch {
	case n == 0:
		return true
	case len(pattern) > 0:
		// The beginning may have been taken off.
		return n <= len(pattern) && slices.EqualFunc(pattern[len(pattern)-n:], prefix, fits)
	}
	return len(split(requestPath(r))) <= len(segments)
}

// patternOf lists the segments of the pattern under which a mux has the handler,
// without the wildcard for what follows.
func patternOf(r *http.Request) []string {
	i := strings.IndexByte(r.Pattern, '/')
	if i < 0 {
		return nil
	}
	all := split(r.Pattern[i:])
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

// mount serves h below prefix and next elsewhere.
func mount(prefix string, h *Handler, next http.Handler) http.Handler {
	want := split(prefix)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got := split(r.URL.EscapedPath())
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
