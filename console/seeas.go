package console

import (
	"context"
	"net/http"
	"slices"
)

// seeAs shows a page of a tenant as its administrators see it. Each page that somebody sees so is an act.
func (c *Console) seeAs(path string, f show) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		q, ok := c.openAs(w, r)
		if !ok {
			return
		}
		if path == "activity/newest" { // The script of a page asks for it every few seconds.
			q.act = ""
			q.answer(f)
			return
		}
		q.answer(func(ctx context.Context, q *request) error {
			err := f(ctx, q)
			audit(ctx, q, q.pathAs(), err)
			return err
		})
	}
}

// refuseAs answers all that is no page of somebody who sees a tenant as its administrators do: such a viewer does nothing.
func (c *Console) refuseAs(w http.ResponseWriter, r *http.Request) {
	q, ok := c.openAs(w, r)
	switch {
	case !ok:
	case r.Method == http.MethodGet || r.Method == http.MethodHead:
		q.fail(http.StatusNotFound)
	default:
		audit(r.Context(), q, q.pathAs(), errForbidden)
		q.answer(func(context.Context, *request) error { return errForbidden })
	}
}

// openAs returns a request that sees a tenant as its administrators do. ok false: it has answered.
func (c *Console) openAs(w http.ResponseWriter, r *http.Request) (q *request, ok bool) {
	v, ok := c.authorize(w, r)
	if !ok {
		return nil, false
	}
	id := tenantIn(r)
	if v.SeeAs == nil || id == "" || !slices.Contains(v.Tenants, id) {
		c.fail(w, r, v, http.StatusNotFound)
		return nil, false
	}
	v = Viewer{ID: v.ID, Tenants: []string{id}, May: *v.SeeAs}
	return &request{c: c, w: w, r: r, viewer: v, id: id, act: SeeAs, seesAs: true}, true
}

// pathAs returns the path of a page below those of the tenant.
func (q *request) pathAs() string {
	return q.r.URL.Path[len("/as/"+q.r.PathValue("tenant")+"/"):]
}
