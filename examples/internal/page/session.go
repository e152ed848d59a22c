package page

import (
	"crypto/rand"
	"crypto/sha256"
	"net/http"
	"sync"
	"time"
)

// sessions are the people who have logged in. They are in memory: a restart logs everybody out.
type sessions struct {
	mu  sync.Mutex
	all map[[sha256.Size]byte]*session
}

// session is a log-in. It says who, not what the person may do: Site.Load is asked at each click.
type session struct {
	key   string // key is what Site.Find returned.
	ends  time.Time
	flash *Flash // flash is shown once.
}

const (
	sessionTime = 8 * time.Hour
	mostInAll   = 10_000
)

// begin logs a person in and returns the cookie's value.
func (s *sessions) begin(key string) string {
	secret := rand.Text()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.all = make(map[[sha256.Size]byte]*session)
	}
	for id, other := range s.all {
		if len(s.all) >= mostInAll || other.ends.Before(time.Now()) {
			delete(s.all, id)
		}
	}
	s.all[sha256.Sum256([]byte(secret))] = &session{key: key, ends: time.Now().Add(sessionTime)}
	return secret
}

// find returns the session of a cookie's value, or nil.
func (s *sessions) find(secret string) *session {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.all[sha256.Sum256([]byte(secret))]
	if found == nil || found.ends.Before(time.Now()) {
		return nil
	}
	return found
}

// end logs a person out.
func (s *sessions) end(secret string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.all, sha256.Sum256([]byte(secret)))
}

// leave keeps a message for the next page. take takes it.
func (s *sessions) leave(in *session, f *Flash) {
	s.mu.Lock()
	defer s.mu.Unlock()
	in.flash = f
}

func (s *sessions) take(in *session) *Flash {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := in.flash
	in.flash = nil
	return f
}

// secretOf returns what the cookie of a request has.
func (s *Site) secretOf(r *http.Request) string {
	c, err := r.Cookie(s.Name)
	if err != nil {
		return ""
	}
	return c.Value
}

// setCookie sets the cookie, or removes it if the value is "". Strict: the browser sends it with no request
// that another site begins.
func (s *Site) setCookie(w http.ResponseWriter, r *http.Request, value string) {
	c := &http.Cookie{Name: s.Name, Value: value, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: r.TLS != nil}
	if value == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}
