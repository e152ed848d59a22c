package console

import (
	"bytes"
	"context"
	"errors"
	"html/template"
	"net/http"
	"slices"
	"strings"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth/tokens"
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
	// links sign set-up links, and busy has those that make a token now.
	links linkKeys
	busy  busyLinks
}

var _ http.Handler = (*Console)(nil)

// New returns a Console. Its error lists every mistake in o.
func New(o Options) (*Console, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	c := &Console{o: o, trying: make(chan struct{}, 1)}
	var err error
	if o.Setup != nil {
		if c.links, err = o.Setup.check(); err != nil {
			return nil, err
		}
	}
	if c.assets, err = readAssets(); err != nil {
		return nil, err
	}
	if c.pages, err = c.parsePages(); err != nil {
		return nil, err
	}
	c.handler = protect(c.routes())
	return c, nil
}

// maxForm is how many bytes a form has at most.
const maxForm = 64 << 10

// ServeHTTP implements http.Handler.
func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) { c.handler.ServeHTTP(w, r) }

// protect refuses acts of other origins and large forms, and tells browsers what pages may do.
func protect(h http.Handler) http.Handler {
	h = http.MaxBytesHandler(http.NewCrossOriginProtection().Handler(h), maxForm)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		set := w.Header().Set
		set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		set("X-Frame-Options", "DENY")
		set("X-Content-Type-Options", "nosniff")
		set("Referrer-Policy", "same-origin") // With "no-referrer" browsers hide the Origin of the console's own forms.
		set("Cache-Control", "no-store")
		h.ServeHTTP(w, r)
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
	act    ActKind // what it does; "" if it only reads
	// isAudited says that the act was recorded.
	isAudited bool
	// seesAs says that the viewer looks as an administrator of the tenant does: see Viewer.SeeAs.
	seesAs bool
	// link is the set-up link by which the request came, and list are then the tokens of the tenant. Nil: it came from the
	// log-in.
	link *setupLink
	list []tokens.Token
}

// serve answers a route of a tenant, for viewers who may see it. act is what the route does; "" if it only reads.
func (c *Console) serve(act ActKind, f show) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		viewer, ok := c.authorize(w, r)
		if !ok {
			return
		}
		id := tenantIn(r)
		if !slices.Contains(viewer.Tenants, id) {
			if act != "" {
				c.o.Log.WarnContext(r.Context(), "scim console: an act in a tenant that the viewer does not see", "act", act, "tenant", id, "viewer", viewer.ID)
			}
			c.fail(w, r, viewer, http.StatusNotFound)
			return
		}
		q := &request{c: c, w: w, r: r, viewer: viewer, id: id, act: act}
		q.answer(f)
	}
}

// answer finds the tenant, calls f and shows its error. It records an act that failed before f has recorded it.
func (q *request) answer(f show) {
	ctx, cancel := context.WithTimeout(q.r.Context(), q.c.o.Timeout)
	defer cancel()
	var err error
	if q.tenant, err = q.c.findTenant(ctx, q.id); err == nil {
		err = f(ctx, q)
	}
	if q.act != "" && !q.isAudited && err != nil && !errors.Is(err, errForm) {
		audit(ctx, q, q.r.PathValue("id"), err)
	}
	switch {
	case err == nil:
	case errors.Is(err, scim.ErrNotFound):
		q.fail(http.StatusNotFound)
	case errors.Is(err, errForbidden):
		q.fail(http.StatusForbidden)
	case errors.Is(err, errForm):
		q.fail(http.StatusBadRequest)
	default:
		q.c.o.Log.ErrorContext(ctx, "scim console: a page failed", "path", q.r.URL.Path, "tenant", q.id, "viewer", q.viewer.ID, "error", err)
		q.fail(http.StatusServiceUnavailable)
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
		c.serve("", showOverview)(w, r)
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
	title, text := failureTexts(status)
	c.render(w, r, status, "failure", &page{Title: title, Root: rootOf(r), Viewer: v, Home: c.o.Home, Up: upFor(v), Body: text})
}

// fail is Console.fail within a tenant.
func (q *request) fail(status int) {
	title, text := failureTexts(status)
	p := &page{Title: title, Root: rootOf(q.r), Viewer: q.viewer, Home: q.c.o.Home, Up: upFor(q.viewer), Body: text}
	switch {
	case q.link != nil: // Whoever came by it has no account.
		p.Home = ""
	case q.seesAs && status == http.StatusForbidden:
		p = q.c.newPage(q, "none", title, "You only look at these pages, as an administrator of the tenant sees them. Nothing was changed.")
	case q.seesAs:
		p.Ending, p.Up = basePath(p.Root, q.id), ""
	}
	q.c.render(q.w, q.r, status, "failure", p)
}

// upFor names the first page of a viewer. "": there is none.
func upFor(v Viewer) string {
	switch len(v.Tenants) {
	case 0:
		return ""
	case 1:
		return "First page"
	}
	return allTenants
}

// failureTexts returns the title and the text of a page that says what went wrong.
func failureTexts(status int) (title, text string) {
	switch status {
	case http.StatusBadRequest:
		return "The form was not accepted", "Go back, check what you typed, and try again."
	case http.StatusForbidden:
		return "You may not do this", "Ask an administrator of this application for the right."
	case http.StatusNotFound:
		return "There is no such page", "The address is wrong, or what was here is gone, or you may not see it."
	}
	return "This page is not available now", "The application could not read what the page needs. Try again in a minute."
}
