package console

import (
	"bytes"
	"context"
	"errors"
	"html/template"
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/scimkit/scim"
)

// Console is the handler. Make it with New. It is safe for concurrent use.
type Console struct {
	o       Options
	pages   map[string]*template.Template
	assets  map[string]asset
	handler http.Handler
	// trying has an element while a request is tried again.
	trying chan struct{}
	recall recall
	rows   tenantRows
}

var _ http.Handler = (*Console)(nil)

// New returns a Console. Its error lists every mistake in o.
func New(o Options) (*Console, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	c := &Console{o: o, trying: make(chan struct{}, 1)}
	var err error
	if c.assets, err = readAssets(); err != nil {
		return nil, err
	}
	if c.pages, err = c.parsePages(); err != nil {
		return nil, err
	}
	c.handler = http.MaxBytesHandler(http.NewCrossOriginProtection().Handler(c.routes()), maxForm)
	return c, nil
}

// maxForm is how many bytes a form has at most.
const maxForm = 64 << 10

// ServeHTTP implements http.Handler.
func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin") // With "no-referrer" browsers hide the Origin of the console's own forms.
	h.Set("Cache-Control", "no-store")
	c.handler.ServeHTTP(w, r)
}

// isCleanPath reports whether a router would leave a path as it is. http.ServeMux redirects other paths to an absolute one, without the
// prefix under which the console is mounted.
func isCleanPath(p string) bool {
	cleaned := path.Clean(p)
	if strings.HasSuffix(p, "/") && cleaned != "/" {
		cleaned += "/"
	}
	return strings.HasPrefix(p, "/") && p == cleaned
}

func (c *Console) routes() http.Handler {
	mux := http.NewServeMux()
	for name := range c.assets {
		mux.HandleFunc("GET /assets/"+name, c.serveAsset(name))
	}
	for _, route := range []struct {
		method, path string
		show         show
	}{
		{"GET", "{$}", showOverview},
		{"GET", "activity", showActivity},
		{"GET", "activity/newest", showNewest},
		{"GET", "activity/{id}", showEntry},
		{"POST", "activity/{id}/bodies", showBodies},
		{"POST", "activity/{id}/again", tryAgain},
		{"GET", "problems", showProblems},
		{"GET", "people", showPeople},
		{"GET", "people/{id}", showPerson},
		{"GET", "groups", showGroups},
		{"POST", "groups/pending", decidePending},
		{"GET", "groups/{id}", showGroup},
		{"GET", "connection", showConnection},
		{"GET", "health", showHealth},
		{"POST", "connection/test", testConnection},
		{"POST", "connection/tokens", issueToken},
		{"POST", "connection/tokens/{id}/rotate", rotateToken},
		{"POST", "connection/tokens/{id}/revoke", revokeToken},
	} {
		if route.path == "{$}" {
			mux.HandleFunc("GET /{$}", c.start)
		} else {
			mux.HandleFunc(route.method+" /"+route.path, c.view(route.show))
		}
		mux.HandleFunc(route.method+" /t/{tenant}/"+route.path, c.view(route.show))
	}
	mux.HandleFunc("GET /t/{tenant}", func(w http.ResponseWriter, r *http.Request) {
		all := r.URL.EscapedPath()
		redirect(w, "."+all[strings.LastIndexByte(all, '/'):]+"/")
	})
	mux.HandleFunc("/", c.notFound)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isCleanPath(r.URL.EscapedPath()) {
			c.notFound(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// notFound answers what is no page.
func (c *Console) notFound(w http.ResponseWriter, r *http.Request) {
	if v, ok := c.authorize(w, r); ok {
		c.fail(w, r, v, http.StatusNotFound)
	}
}

// show answers a request of a page. An error that it returns is shown as one of the whole page.
type show func(ctx context.Context, q *request) error

// request is a request of a page, by a viewer who may see the tenant.
type request struct {
	c      *Console
	w      http.ResponseWriter
	r      *http.Request
	viewer Viewer
	id     string // of the tenant
	tenant Tenant
}

// view calls f for viewers who may see the tenant in the address.
func (c *Console) view(f show) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		viewer, ok := c.authorize(w, r)
		if !ok {
			return
		}
		id := tenantIn(r)
		if !slices.Contains(viewer.Tenants, id) {
			c.fail(w, r, viewer, http.StatusNotFound)
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), c.o.Timeout)
		defer cancel()
		t, err := c.findTenant(ctx, id)
		if err == nil {
			err = f(ctx, &request{c, w, r, viewer, id, t})
		}
		switch {
		case err == nil:
		case errors.Is(err, scim.ErrNotFound):
			c.fail(w, r, viewer, http.StatusNotFound)
		case errors.Is(err, errForbidden):
			c.fail(w, r, viewer, http.StatusForbidden)
		case errors.Is(err, errForm):
			c.fail(w, r, viewer, http.StatusBadRequest)
		default:
			c.o.Log.ErrorContext(ctx, "scim console: a page failed", "path", r.URL.Path, "tenant", id, "viewer", viewer.ID, "error", err)
			c.fail(w, r, viewer, http.StatusServiceUnavailable)
		}
	}
}

// findTenant returns what the application says about a tenant.
func (c *Console) findTenant(ctx context.Context, id string) (Tenant, error) {
	t, err := c.o.Tenant(ctx, id)
	t.Address = strings.TrimRight(t.Address, "/") // Clients add "/Users".
	return t, err
}

var (
	errForbidden = errors.New("console: the viewer may not do this")
	errForm      = errors.New("console: this form is not one of the console")
)

// authorize finds out who looks. ok false: it has answered.
func (c *Console) authorize(w http.ResponseWriter, r *http.Request) (v Viewer, ok bool) {
	v, err := c.o.Authorize(r)
	if err != nil {
		c.o.Log.InfoContext(r.Context(), "scim console: a viewer was refused", "path", r.URL.Path, "error", err)
		c.fail(w, r, Viewer{}, http.StatusForbidden)
		return Viewer{}, false
	}
	return v, true
}

// start is the first page: that of the only tenant, or the list of tenants.
func (c *Console) start(w http.ResponseWriter, r *http.Request) {
	viewer, ok := c.authorize(w, r)
	switch {
	case !ok:
	case len(viewer.Tenants) == 0:
		c.fail(w, r, viewer, http.StatusNotFound)
	case len(viewer.Tenants) > 1:
		c.showTenants(w, r, viewer)
	case viewer.Tenants[0] == "":
		c.view(showOverview)(w, r)
	default:
		redirect(w, basePath(".", viewer.Tenants[0]))
	}
}

// redirect sends the browser to a relative address. http.Redirect would make it absolute, by a path without the prefix.
func redirect(w http.ResponseWriter, to string) {
	w.Header().Set("Location", to)
	w.WriteHeader(http.StatusSeeOther)
}

// render writes a page.
func (c *Console) render(w http.ResponseWriter, r *http.Request, status int, name string, p *page) {
	var b bytes.Buffer
	if err := c.pages[name].ExecuteTemplate(&b, "layout", p); err != nil {
		c.o.Log.ErrorContext(r.Context(), "scim console: a page cannot be written", "page", name, "error", err)
		http.Error(w, "This page cannot be shown. The log of the application says why.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	w.Write(visible(b.Bytes())) //nolint:errcheck // the browser is gone
}

// fail writes a page that says what went wrong, and nothing about what exists.
func (c *Console) fail(w http.ResponseWriter, r *http.Request, v Viewer, status int) {
	text := map[int][2]string{
		http.StatusBadRequest:         {"The form was not accepted", "Go back, check what you typed, and try again."},
		http.StatusForbidden:          {"You may not do this", "Ask an administrator of this application for the right."},
		http.StatusNotFound:           {"There is no such page", "The address is wrong, or what was here is gone, or you may not see it."},
		http.StatusServiceUnavailable: {"This page is not available now", "The application could not read what the page needs. Try again in a minute."},
	}[status]
	p := &page{Title: text[0], Root: rootOf(r), Viewer: v, Body: text[1]}
	c.render(w, r, status, "failure", p)
}
