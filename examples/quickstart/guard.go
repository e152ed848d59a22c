package main

import (
	"crypto/subtle"
	"net"
	"net/http"
	"strings"
)

// cookie is the name of the cookie that has the key.
const cookie = "quickstart"

// guard protects the page, which has no login, and makes administrators. It answers only to
// the person who started the program.
type guard struct {
	host string // host is what -addr names.
	// key opens the page. It is made at the start and is in the printed address. Only who
	// sees the terminal knows it.
	key  string
	page http.Handler
	// setup answers whoever has a set-up link of the console, without the key.
	setup http.Handler
}

// handler returns the guarded page. It refuses requests of other machines by their address,
// because they choose the Host that they send. It refuses other users and other web sites by
// the key. A site whose name points here (DNS rebinding) has another Host, and the browser
// has no cookie for it. A site that sends forms here has another Origin.
func (g *guard) handler() http.Handler {
	next := http.NewCrossOriginProtection().Handler(g.page)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !isLocal(r):
			http.Error(w, "this page answers only to its own machine", http.StatusForbidden)
		case !g.isNamed(r.Host):
			http.Error(w, "this page answers only to localhost and to the address that -addr names", http.StatusForbidden)
		case r.Method == http.MethodGet && (r.URL.Path == "/" || r.URL.Path == consolePath) && r.URL.Query().Has("key"):
			g.open(w, r)
		case strings.HasPrefix(r.URL.Path, setupPath):
			g.setup.ServeHTTP(w, r)
		case !g.hasCookie(r):
			http.Error(w, "open the address of the page that the quickstart printed", http.StatusForbidden)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// open takes the key from the printed address into a cookie, so that no link and no history
// has it. Strict: the browser sends the cookie with no request that another site has begun.
func (g *guard) open(w http.ResponseWriter, r *http.Request) {
	if !g.isKey(r.URL.Query().Get("key")) {
		http.Error(w, "this key is not that of the running quickstart: open the address that it printed", http.StatusForbidden)
		return
	}
	http.SetCookie(w, &http.Cookie{Name: cookie, Value: g.key, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode})
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	http.Redirect(w, r, r.URL.Path, http.StatusSeeOther)
}

// isLocal reports whether a request comes from this machine: from a loopback address, or
// from the address that it reached.
func isLocal(r *http.Request) bool {
	peer, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return false
	}
	ip := net.ParseIP(peer)
	if ip.IsLoopback() {
		return true
	}
	here, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	return ok && here.IP.Equal(ip)
}

// isNamed reports whether a Host is localhost, a loopback address or what -addr names.
func (g *guard) isNamed(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = strings.Trim(host, "[]")
	}
	ip := net.ParseIP(name)
	return strings.EqualFold(name, "localhost") || ip.IsLoopback() || g.host != "" && strings.EqualFold(name, g.host)
}

// hasCookie reports whether one of a request's cookies has the key.
func (g *guard) hasCookie(r *http.Request) bool {
	for _, c := range r.CookiesNamed(cookie) {
		if g.isKey(c.Value) {
			return true
		}
	}
	return false
}

func (g *guard) isKey(s string) bool {
	return subtle.ConstantTimeCompare([]byte(s), []byte(g.key)) == 1
}
