package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"

	"github.com/scimkit/scim"
)

//go:embed page.html
var pageHTML string

var pageTemplate = template.Must(template.New("page").Parse(pageHTML))

// page shows the application's users, groups and roles. An administrator can change roles
// by hand. A real application would have a login. This page answers only to whoever
// started the program: see guard.
type page struct {
	app   roleApp
	store store
	roles *scim.Reconciler
}

func (p *page) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", p.show)
	mux.HandleFunc("POST /give", form(func(ctx context.Context, f url.Values) error {
		user, role := f.Get("user"), f.Get("role")
		if _, err := p.store.Get(ctx, scim.Ref{Type: "User", ID: user}); err != nil {
			return fmt.Errorf("user %q: %w", user, err)
		}
		return p.roles.GiveByHand(ctx, user, scim.Role{ID: role}, func(ctx context.Context) error {
			return p.app.give(ctx, user, role)
		})
	}))
	mux.HandleFunc("POST /take", form(func(ctx context.Context, f url.Values) error {
		user, role := f.Get("user"), f.Get("role")
		still, err := p.roles.TakeByHand(ctx, user, scim.Role{ID: role}, func(ctx context.Context) error {
			return p.app.take(ctx, user, role)
		})
		if err == nil && len(still) > 0 {
			err = fmt.Errorf("%v still gives the role: remove the user there", still)
		}
		return err
	}))
	mux.HandleFunc("POST /roles", form(func(ctx context.Context, f url.Values) error {
		if err := p.app.add(ctx, f.Get("name")); err != nil {
			return err
		}
		return p.roles.RolesChanged(ctx)
	}))
	return http.MaxBytesHandler(mux, 64<<10)
}

// form carries out a form and redirects to the page.
func form(act func(ctx context.Context, f url.Values) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		err := r.ParseForm()
		if err == nil {
			err = act(r.Context(), r.PostForm)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		http.Redirect(w, r, "/", http.StatusSeeOther)
	}
}

// These types are the data of the page.
type (
	content struct {
		Users  []userRow
		Groups []groupRow
		Roles  []scim.Role
	}
	userRow struct {
		ID, Name string
		Active   bool
		Holds    []string
	}
	groupRow struct{ Name, Role string }
)

// most is the largest number of users and groups that the page shows.
const most = 200

func (p *page) show(w http.ResponseWriter, r *http.Request) {
	c, err := p.content(r.Context())
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Security-Policy",
		"default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	pageTemplate.Execute(w, c) //nolint:errcheck // the browser is gone
}

func (p *page) content(ctx context.Context) (c content, err error) {
	if c.Roles, err = p.app.list(ctx); err != nil {
		return c, err
	}
	users, err := p.store.List(ctx, scim.UserType(), &scim.Query{Limit: most})
	if err != nil {
		return c, err
	}
	groups, err := p.store.List(ctx, scim.GroupType(), &scim.Query{Limit: most})
	if err != nil {
		return c, err
	}
	var sources []scim.Source
	names := make(map[scim.Source]string) // of groups
	for _, g := range groups.Resources {
		source := scim.GroupSource(g.ID())
		sources = append(sources, source)
		names[source] = g.String("displayName")
	}
	links, err := p.store.Links(ctx, sources)
	if err != nil {
		return c, err
	}
	linked := make(map[scim.Source]string)
	for _, l := range links {
		for _, r := range l.Roles { // one: a name stands for one role
			linked[l.Source] = r.Role.Name
		}
	}
	for _, g := range groups.Resources {
		c.Groups = append(c.Groups, groupRow{g.String("displayName"), linked[scim.GroupSource(g.ID())]})
	}
	for _, u := range users.Resources {
		standings, err := p.roles.Explain(ctx, u.ID())
		if errors.Is(err, scim.ErrNotFound) {
			continue // deleted since the list was made
		}
		if err != nil {
			return c, err
		}
		row := userRow{ID: u.ID(), Name: u.String("userName"), Active: u.Active()}
		for _, s := range standings {
			row.Holds = append(row.Holds, s.Role.Name+", "+how(s, names))
		}
		c.Users = append(c.Users, row)
	}
	return c, nil
}

// how says why a user holds a role. groups contains the names of sources.
func how(s scim.Explanation, groups map[scim.Source]string) string {
	var from []string
	for _, id := range s.Sources {
		from = append(from, "group "+groups[id])
	}
	through := "through " + strings.Join(from, " and ")
	switch s.State {
	case scim.StateGranted:
		return through
	case scim.StateByHand:
		return "by hand"
	case scim.StateBoth:
		return "by hand and " + through
	default:
		return string(s.State) + ": " + s.Reason
	}
}
