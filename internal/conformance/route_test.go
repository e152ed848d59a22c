package conformance

import (
	"net/http"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
)

// A route begins at the first segment that is an endpoint's name. The segments before it
// are the mount point.
func TestRoutePrefix(t *testing.T) {
	h := testhost.Handler(t, nil)
	group := testhost.Create(t, h, "/Groups", `{"displayName":"g"}`)
	mux := func(pattern string, in http.Handler) http.Handler {
		m := http.NewServeMux()
		m.Handle(pattern, in)
		return m
	}
	nested := chi.NewRouter()
	nested.Route("/t/{tenant}", func(r chi.Router) { r.Mount("/scim", h) })
	// Like many routers, this one does not show its pattern.
	mute := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(w, r) })
	at := "/Groups/" + group
	long := "/" + strings.Repeat("a", 200)
	tests := []struct {
		name   string
		h      http.Handler
		target string
		status int
		reason string
	}{
		{"below a user", h, "/Users/u1" + at, 404, "the route begins at Users, and there is nothing below a user"},
		{"below a discovery document", h, "/Schemas/x" + at, 404, "the same"},
		{"below Me", h, "/Me" + at, 404, "the same"},
		{"behind an endpoint under a prefix", h, "/scim/Users/u1" + at, 404, "the same"},
		{"nothing tells", mute, "/scim/v2" + at, 200, "the host's router may have it there"},
		{"nothing tells, a long prefix", mute, long + "/x" + at, 404, "it would be in the address of every resource"},
		{"nothing tells, the longest", mute, long + at, 200, "the limit itself"},
		{"Mount", scim.Mount("/scim/v2", h, nil), "/scim/v2" + at, 200, "what it is for"},
		{"Mount, another prefix", scim.Mount("/scim/v2", h, nil), "/scim/v2/x" + at, 404, "clients do not choose it"},
		{"Mount in a mux", mux("/", scim.Mount("/scim/v2", h, nil)), "/scim/v2" + at, 200, "before middleware"},
		{"Mount in a mux, another prefix", mux("/", scim.Mount("/scim/v2", h, nil)), "/scim/v2/x" + at, 404, "clients do not choose it"},
		{"StripPrefix", mux("/scim/v2/", http.StripPrefix("/scim/v2", h)), "/scim/v2" + at, 200, "the usual way"},
		{"StripPrefix, another prefix", mux("/scim/v2/", http.StripPrefix("/scim/v2", h)), "/scim/v2/x" + at, 404, "clients do not choose it"},
		{"StripPrefix without a mux", http.StripPrefix("/scim/v2", h), "/scim/v2/x" + at, 404, "nor here"},
		{"a part of the prefix stripped", mux("/api/scim/", http.StripPrefix("/api", h)), "/api/scim" + at, 200, "the rest is in the pattern"},
		{"ServeMux", mux("/scim/v2/", h), "/scim/v2" + at, 200, "the pattern is the prefix"},
		{"ServeMux, another prefix", mux("/scim/v2/", h), "/scim/v2/x" + at, 404, "clients do not choose it"},
		{"ServeMux, method and host", mux("GET example.com/scim/v2/", h), "/scim/v2" + at, 200, "they are no part of the path"},
		{"ServeMux, wildcards", mux("/{tenant}/scim/{rest...}", h), "/acme/scim" + at, 200, "a segment each"},
		{"ServeMux, too much for the wildcards", mux("/{tenant}/scim/{rest...}", h), "/acme/scim/x" + at, 404, "a segment each"},
		{"ServeMux, a long wildcard", mux("/{tenant}/scim/{rest...}", h), long + "/scim" + at, 404, "clients choose it"},
		{"ServeMux, an endpoint for itself", mux("/scim/v2/Groups/", h), "/scim/v2" + at, 200, "the pattern goes into the route"},
		{"ServeMux, the root", mux("/scim/v2/", h), "/scim/v2/?count=0", 200, "a query of the root"},
		{"chi", nested, "/t/acme/scim" + at, 200, "it says its pattern, too"},
		{"chi, another prefix", nested, "/t/acme/scim/x" + at, 404, "clients do not choose it"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			res := testhost.Do(t, tt.h, "GET", tt.target, "")
			if res.StatusCode != tt.status {
				t.Fatalf("status %d, want %d (%s)", res.StatusCode, tt.status, tt.reason)
			}
			want := "http://example.com" + tt.target
			if got := res.Header.Get("Content-Location"); tt.status == 200 && strings.HasSuffix(tt.target, at) && got != want {
				t.Errorf("Content-Location %q, want %q", got, want)
			}
		})
	}
	if res := testhost.Do(t, h, "DELETE", "/Users/u1"+at, ""); res.StatusCode != 404 {
		t.Errorf("DELETE of a group below a user: %d, want 404", res.StatusCode)
	}
	if res := testhost.Do(t, h, "GET", at, ""); res.StatusCode != 200 {
		t.Errorf("the group has gone: %d", res.StatusCode)
	}
}
