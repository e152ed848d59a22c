package page

import (
	"context"
	"crypto/subtle"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"unicode/utf8"

	"github.com/scimkit/scim"
)

// Person is somebody who has logged in.
type Person struct {
	// Key is what Site.Find returned.
	Key string
	// ID is the person's id in the application, and Tenant that of the customer.
	ID, Tenant  string
	Name, Email string
	// Org is the name of the customer, and Standing a word for what the person is, such as "Admin".
	Org, Standing string
	// IsAdmin says that the person sees the administrators' pages.
	IsAdmin bool
}

// ErrOut is what Find and Load return for somebody who cannot log in.
var ErrOut = errors.New("page: this person cannot log in")

// Refused is an error whose text the person sees.
type Refused string

func (r Refused) Error() string { return string(r) }

// Flash is a message that the next page shows once.
type Flash struct {
	Text string
	// Secret is shown once, to be copied.
	Secret string
	IsBad  bool
}

// Site is the pages of an application, behind a log-in.
type Site struct {
	// Name names the cookie. Product is the title.
	Name, Product string
	// Password is the one of Env.
	Password string
	// Find finds a person by the address typed at the log-in. It returns ErrOut for who cannot log in.
	Find func(r *http.Request, email string) (key string, err error)
	// Load reads a person again, at each click. It returns ErrOut for who was deactivated meanwhile.
	Load func(r *http.Request, key string) (Person, error)
	// Choices are the keys of the same person at other customers, to switch to. It may be nil.
	Choices func(ctx context.Context, p Person) ([]Option, error)
	Log     *slog.Logger

	sessions sessions
	mux      http.ServeMux
	nav      []link
}

type link struct {
	Path, Title string
	IsCurrent   bool
	isAdmin     bool
}

// Page adds a page for everybody who has logged in.
func (s *Site) Page(path, title string, show func(ctx context.Context, p Person) (View, error)) {
	s.page(path, title, false, show)
}

// AdminPage adds a page for administrators. To others it is 403.
func (s *Site) AdminPage(path, title string, show func(ctx context.Context, p Person) (View, error)) {
	s.page(path, title, true, show)
}

func (s *Site) page(path, title string, isAdmin bool, show func(ctx context.Context, p Person) (View, error)) {
	s.nav = append(s.nav, link{Path: path, Title: title, isAdmin: isAdmin})
	pattern := "GET " + path
	if path == "/" {
		pattern += "{$}"
	}
	s.mux.HandleFunc(pattern, s.known(isAdmin, func(w http.ResponseWriter, r *http.Request, in *session, p Person) {
		v, err := show(r.Context(), p)
		if err != nil {
			s.fail(w, r, p, err)
			return
		}
		if v.Title == "" {
			v.Title = title
		}
		if others := s.choices(r.Context(), p); path == "/" && len(others) > 0 {
			v.Sections = append(v.Sections, Section{Title: "Your organisations", Forms: []Form{{Action: "/switch", Button: "Open",
				Fields: []Field{{Name: "key", Label: "Organisation", Options: others, Value: p.Key}}}}})
		}
		s.write(w, http.StatusOK, path, &p, s.sessions.take(in), v)
	}))
}

// Action adds what a form of an administrator does. Then the browser shows the page back, with the
// message. If do returns a Refused or a *scim.Error below 500, the message is its text.
func (s *Site) Action(path, back string, do func(ctx context.Context, p Person, f url.Values) (Flash, error)) {
	s.mux.HandleFunc("POST "+path, s.known(true, func(w http.ResponseWriter, r *http.Request, in *session, p Person) {
		var flash Flash
		form, err := formOf(r)
		if err == nil {
			flash, err = do(r.Context(), p, form)
		}
		if err != nil {
			flash = Flash{Text: s.reason(r, err), IsBad: true}
		}
		s.sessions.leave(in, &flash)
		http.Redirect(w, r, back, http.StatusSeeOther)
	}))
}

// formOf reads a form. No field is longer than page.html lets a person type.
func formOf(r *http.Request) (url.Values, error) {
	if err := r.ParseForm(); err != nil {
		return nil, Refused("The form cannot be read.")
	}
	for _, values := range r.PostForm {
		for _, v := range values {
			if utf8.RuneCountInString(v) > 200 {
				return nil, Refused("A field has at most 200 characters.")
			}
		}
	}
	return r.PostForm, nil
}

// Handle puts a handler of administrators' pages under a path that ends with a slash, and into the menu.
// PersonOf tells it who asks.
func (s *Site) Handle(path, title string, h http.Handler) {
	s.nav = append(s.nav, link{Path: path, Title: title, isAdmin: true})
	s.mux.HandleFunc(path, s.known(true, func(w http.ResponseWriter, r *http.Request, _ *session, p Person) {
		h.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), personKey{}, p)))
	}))
}

type personKey struct{}

// PersonOf returns the administrator whose request it is, in a handler of Site.Handle.
func PersonOf(ctx context.Context) (p Person, ok bool) {
	p, ok = ctx.Value(personKey{}).(Person)
	return p, ok
}

// Handler returns the site. A form that another site sends is refused.
func (s *Site) Handler() http.Handler {
	s.mux.HandleFunc("GET /page.css", func(w http.ResponseWriter, r *http.Request) { http.ServeFileFS(w, r, files, "page.css") })
	s.mux.HandleFunc("GET /login", func(w http.ResponseWriter, _ *http.Request) { s.logInPage(w, http.StatusOK, nil) })
	s.mux.HandleFunc("POST /login", s.logIn)
	s.mux.HandleFunc("POST /logout", func(w http.ResponseWriter, r *http.Request) {
		s.sessions.end(s.secretOf(r))
		s.setCookie(w, r, "")
		http.Redirect(w, r, "/login", http.StatusSeeOther)
	})
	s.mux.HandleFunc("POST /switch", s.known(false, s.change))
	return http.MaxBytesHandler(http.NewCrossOriginProtection().Handler(&s.mux), 64<<10)
}

// logIn begins a session. In place of single sign-on, everybody has the same password.
func (s *Site) logIn(w http.ResponseWriter, r *http.Request) {
	key, err := "", ErrOut
	if subtle.ConstantTimeCompare([]byte(r.FormValue("password")), []byte(s.Password)) == 1 {
		key, err = s.Find(r, r.FormValue("email"))
	}
	switch {
	case errors.Is(err, ErrOut):
		s.logInPage(w, http.StatusForbidden, &Flash{Text: "You cannot log in: wrong address or password, or the account is not active.", IsBad: true})
	case err != nil:
		s.Log.ErrorContext(r.Context(), "a log-in failed", "error", err)
		s.logInPage(w, http.StatusInternalServerError, &Flash{Text: "The log-in does not work at the moment.", IsBad: true})
	default:
		s.setCookie(w, r, s.sessions.begin(key))
		http.Redirect(w, r, "/", http.StatusSeeOther)
	}
}

func (s *Site) logInPage(w http.ResponseWriter, status int, flash *Flash) {
	s.write(w, status, "", nil, flash, View{Title: "Log in to " + s.Product, Sections: []Section{{
		Note: "The password of everybody is in the terminal. Real people sign in by single sign-on.",
		Forms: []Form{{Action: "/login", Button: "Log in", Fields: []Field{
			{Name: "email", Label: "E-mail address"}, {Name: "password", Label: "Password"}}}},
	}}})
}

// known calls next for somebody who has logged in and may still be here. It asks Load at each click.
func (s *Site) known(isAdmin bool, next func(w http.ResponseWriter, r *http.Request, in *session, p Person)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		in := s.sessions.find(s.secretOf(r))
		if in == nil {
			http.Redirect(w, r, "/login", http.StatusSeeOther)
			return
		}
		p, err := s.Load(r, in.key)
		switch {
		case errors.Is(err, ErrOut):
			s.sessions.end(s.secretOf(r))
			s.setCookie(w, r, "")
			http.Redirect(w, r, "/login", http.StatusSeeOther)
			return
		case err != nil:
			s.Log.ErrorContext(r.Context(), "a session failed", "error", err)
			http.Error(w, "the database does not answer", http.StatusInternalServerError)
			return
		}
		p.Key = in.key
		if isAdmin && !p.IsAdmin {
			s.write(w, http.StatusForbidden, "", &p, nil, View{Title: "For administrators only", Lead: "Ask an administrator for access to this page."})
			return
		}
		next(w, r, in, p)
	}
}

// change switches to another customer, if it is one of the person's Choices.
func (s *Site) change(w http.ResponseWriter, r *http.Request, in *session, p Person) {
	for _, o := range s.choices(r.Context(), p) {
		if o.Value == r.FormValue("key") {
			s.sessions.end(s.secretOf(r))
			s.setCookie(w, r, s.sessions.begin(o.Value))
		}
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (s *Site) choices(ctx context.Context, p Person) []Option {
	if s.Choices == nil {
		return nil
	}
	all, err := s.Choices(ctx, p)
	if err != nil {
		s.Log.ErrorContext(ctx, "choices failed", "error", err)
	}
	return all
}

// fail shows that a page cannot be shown.
func (s *Site) fail(w http.ResponseWriter, r *http.Request, p Person, err error) {
	s.write(w, http.StatusInternalServerError, "", &p, nil, View{Title: "This page does not work", Lead: s.reason(r, err)})
}

// reason returns what a person may know of an error. The log gets the rest.
func (s *Site) reason(r *http.Request, err error) string {
	var refused Refused
	var answer *scim.Error
	switch {
	case errors.As(err, &refused):
		return string(refused)
	case errors.As(err, &answer) && answer.Status < 500:
		return answer.Detail
	case errors.Is(err, scim.ErrNotFound):
		return "This person or group is not there any more."
	case errors.Is(err, scim.ErrNoRole):
		return "This role is not there any more."
	}
	s.Log.ErrorContext(r.Context(), "a page failed", "path", r.URL.Path, "error", err)
	return "That did not work. The log of the server has the reason."
}

func (s *Site) write(w http.ResponseWriter, status int, path string, p *Person, flash *Flash, v View) {
	var nav []link
	for _, l := range s.nav {
		if p != nil && (p.IsAdmin || !l.isAdmin) {
			l.IsCurrent = l.Path == path
			nav = append(nav, l)
		}
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	w.WriteHeader(status)
	pageTemplate.Execute(w, struct { //nolint:errcheck // the browser is gone
		Product string
		Person  *Person
		Nav     []link
		Flash   *Flash
		View    View
	}{s.Product, p, nav, flash, v})
}
