package main

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/console"
	"github.com/scimkit/scim/journal"
	"github.com/scimkit/scim/tenants"

	"github.com/scimkit/scim/examples/internal/page"
)

// site makes the pages: the forms of the company, and the administrators' pages.
func (a *app) site(e *page.Env, j *journal.Journal) (*page.Site, error) {
	s := &page.Site{Name: "formhouse", Product: "Formhouse", Password: e.Password, Log: e.Log, Find: a.find, Load: a.person}
	s.Page("/", "Forms", a.forms)
	s.AdminPage("/people", "People and roles", a.people)
	s.AdminPage("/security", "Security", func(ctx context.Context, p page.Person) (page.View, error) { return a.security(ctx, p, e.URL) })
	s.Tokens("/tokens", a.tokens, nil)
	s.Action("/give", "/people", func(ctx context.Context, p page.Person, f url.Values) (page.Flash, error) {
		return a.byHand(ctx, p, f, (*page.Directory).Give, true)
	})
	s.Action("/take", "/people", func(ctx context.Context, p page.Person, f url.Values) (page.Flash, error) {
		return a.byHand(ctx, p, f, (*page.Directory).Take, false)
	})
	s.Action("/default", "/security", func(ctx context.Context, p page.Person, f url.Values) (page.Flash, error) {
		return page.Flash{Text: "Saved."}, a.setDefault(ctx, p.Tenant, f.Get("role"))
	})
	s.Action("/toggle", "/security", func(ctx context.Context, p page.Person, f url.Values) (page.Flash, error) {
		return a.flip(ctx, p, f.Get("name"), f.Get("on") == "true")
	})
	return s, s.Console("Provisioning", j, a.tokens, func(ctx context.Context, id string) (console.Tenant, error) {
		c, err := a.company(ctx, id)
		if err != nil {
			return console.Tenant{}, err
		}
		return console.Tenant{Name: c.name, Address: a.address(e.URL, c.slug), Directory: c.store}, nil
	})
}

// address is that of a company's endpoint.
func (a *app) address(url, slug string) string {
	return "http://" + slug + "." + a.domain + url[strings.LastIndex(url, ":"):] + path
}

// flip turns a switch of the page Security.
func (a *app) flip(ctx context.Context, p page.Person, name string, on bool) (page.Flash, error) {
	switch {
	case name == "scim" && on:
		secret, err := a.turnOn(ctx, p.Tenant, p.Email)
		return page.Flash{Text: "SCIM is on. Copy the token now: it is not shown again.", Secret: secret}, err
	case name == "scim":
		return page.Flash{Text: "SCIM is off. Nothing was deleted."}, a.turnOff(ctx, p.Tenant)
	case name == "sign_on":
		return page.Flash{Text: "Saved."}, a.change(ctx, p.Tenant, func(_ context.Context, c *company) error { c.signOn = on; return nil })
	case name == "removes":
		return page.Flash{Text: "Saved."}, a.change(ctx, p.Tenant, func(_ context.Context, c *company) error { c.removes = on; return nil })
	}
	return page.Flash{}, page.Refused("There is no such switch.")
}

// find looks for somebody at the log-in of a company's host.
func (a *app) find(r *http.Request, email string) (key string, err error) {
	slug := a.slugOf(r.Host)
	err = a.db.QueryRowContext(r.Context(), "SELECT id FROM accounts WHERE company = $1 AND email = lower($2) AND status = 'active'", slug, email).Scan(&key)
	if errors.Is(err, sql.ErrNoRows) {
		return "", page.ErrOut
	}
	return slug + "/" + key, err
}

// person reads somebody at each click: who was deactivated is out, and a session is worth nothing at another
// company's host.
func (a *app) person(r *http.Request, key string) (p page.Person, err error) {
	p.Tenant, p.ID, _ = strings.Cut(key, "/")
	if p.Tenant != a.slugOf(r.Host) {
		return p, page.ErrOut
	}
	err = a.db.QueryRowContext(r.Context(), `SELECT a.email, a.name, a.is_admin, c.name, COALESCE(a.personal_role, a.group_role, c.default_role)
		FROM accounts a JOIN companies c ON c.slug = a.company WHERE a.id = $1 AND a.company = $2 AND a.status = 'active'`, p.ID, p.Tenant).
		Scan(&p.Email, &p.Name, &p.IsAdmin, &p.Org, &p.Standing)
	if errors.Is(err, sql.ErrNoRows) {
		return p, page.ErrOut
	}
	if p.IsAdmin {
		p.Standing = "administrator, " + p.Standing
	}
	return p, err
}

// forms shows the forms of the company, and what the person may do.
func (a *app) forms(ctx context.Context, p page.Person) (page.View, error) {
	var roles [3]string
	err := a.db.QueryRowContext(ctx, `SELECT COALESCE(a.personal_role, ''), COALESCE(a.group_role, ''), c.default_role
		FROM accounts a JOIN companies c ON c.slug = a.company WHERE a.id = $1 AND a.company = $2`, p.ID, p.Tenant).Scan(&roles[0], &roles[1], &roles[2])
	if err != nil {
		return page.View{}, err
	}
	mine := strings.Trim(roles[0]+", "+roles[1], ", ")
	rows, err := page.Texts(ctx, a.db, `SELECT f.title, COALESCE(a.email, '') FROM forms f LEFT JOIN accounts a ON a.id = f.maker WHERE f.company = $1 ORDER BY f.id`, p.Tenant)
	t := &page.Table{Head: []string{"Form", "Made by"}, Empty: "No forms yet."}
	for _, r := range rows {
		t.Rows = append(t.Rows, []page.Cell{page.Text(r[0]), page.Text(cmp.Or(r[1], "a removed account"))})
	}
	lead := "Your role: " + mine + "."
	if mine == "" {
		lead = "Your role: " + roles[2] + ", the default of " + p.Org + "."
	}
	return page.View{Lead: lead, Sections: []page.Section{{Table: t}}}, err
}

// directory is what shows the people of a company.
func (a *app) directory(ctx context.Context, slug string) (*page.Directory, *company, error) {
	c, err := a.company(ctx, slug)
	if err != nil {
		return nil, nil, err
	}
	roles, err := a.handler.Reconciler(a.endpoint(c))
	if err != nil {
		return nil, nil, err
	}
	return &page.Directory{Store: c.store, User: a.types[0], Reconciler: roles,
		RoleOf: func(r scim.Role) string { return r.ID },
		Roles: func(context.Context) (all []scim.Role, _ error) {
			for _, r := range personalRoles {
				all = append(all, scim.Role{Scope: personal, ID: r.ID, Name: r.Name})
			}
			for _, r := range groupRoles {
				all = append(all, scim.Role{Scope: group, ID: r.ID, Name: r.Name})
			}
			return all, nil
		}}, c, nil
}

func (a *app) people(ctx context.Context, p page.Person) (page.View, error) {
	d, c, err := a.directory(ctx, p.Tenant)
	if err != nil {
		return page.View{}, err
	}
	people, err := d.People(ctx, "/give", "/take")
	return page.View{Lead: "Whoever has no role has the default role: " + c.defaultRole + ".", Sections: []page.Section{people}}, err
}

// byHand gives or takes a role by hand.
func (a *app) byHand(ctx context.Context, p page.Person, f url.Values,
	do func(d *page.Directory, ctx context.Context, user, role string, change func(context.Context, scim.Role) error) (page.Flash, error), give bool) (page.Flash, error) {
	d, c, err := a.directory(ctx, p.Tenant)
	if err != nil {
		return page.Flash{}, err
	}
	return do(d, ctx, f.Get("user"), f.Get("role"), func(ctx context.Context, r scim.Role) error {
		column := map[string]string{personal: "personal_role", group: "group_role"}[r.Scope]
		known, err := d.Roles(ctx)
		if err != nil {
			return err
		}
		isKnown := false
		for _, k := range known {
			isKnown = isKnown || k.Scope == r.Scope && k.ID == r.ID
		}
		if !isKnown {
			return scim.ErrNoRole
		}
		text, args := "UPDATE accounts SET "+column+" = $1 WHERE id = $2 AND company = $3", []any{r.ID, f.Get("user"), p.Tenant}
		if !give {
			text = "UPDATE accounts SET " + column + " = NULL WHERE " + column + " = $1 AND id = $2 AND company = $3"
		}
		_, err = c.store.DB(ctx).ExecContext(ctx, text, args...)
		return err
	})
}

func (a *app) security(ctx context.Context, p page.Person, address string) (page.View, error) {
	c, err := a.company(ctx, p.Tenant)
	if err != nil {
		return page.View{}, err
	}
	var options []page.Option
	for _, r := range personalRoles {
		options = append(options, page.Option{Value: r.Name, Text: r.Name})
	}
	return page.View{Sections: []page.Section{
		{Title: "Single sign-on", Toggles: []page.Toggle{{Action: "/toggle", Name: "sign_on", Label: "Single sign-on", On: c.signOn, Note: "SCIM needs it."}}},
		{Title: "SCIM", Toggles: []page.Toggle{
			{Action: "/toggle", Name: "scim", Label: "SCIM Provisioning", On: c.scim.State == tenants.On, Greyed: !c.signOn, Note: "Turning it on shows a new token. Older tokens end then."},
			{Action: "/toggle", Name: "removes", Label: "Remove accounts", On: c.removes, Note: "On: who is unassigned in the identity provider is removed; the last administrator is deactivated. Off: everybody is deactivated."}}},
		{Title: "SCIM connector", Note: "Put the base URL into the identity provider. The unique identifier field for users is userName.", Code: a.address(address, c.slug)},
		{Title: "Default role", Forms: []page.Form{{Action: "/default", Button: "Save", Fields: []page.Field{{Name: "role", Label: "Role of everybody who was given none", Value: c.defaultRole, Options: options}}}}},
	}}, nil
}
