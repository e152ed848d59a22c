package main

import (
	"context"
	"database/sql"
	"errors"
	"slices"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth/tokens"
	"github.com/scimkit/scim/store/sqlstore"
	"github.com/scimkit/scim/tenants"

	"github.com/scimkit/scim/examples/internal/page"
)

// company is a customer, with its settings as they are now.
type company struct {
	slug, name, defaultRole string
	signOn, removes         bool
	scim                    tenants.Switch
	store                   *sqlstore.Store
	roles                   *scim.Roles
}

// part is what is made once for each company.
type part struct {
	store *sqlstore.Store
	roles *scim.Roles
}

const selectCompany = "SELECT slug, name, default_role, sign_on, unassigned = 'remove', scim FROM companies WHERE slug = $1"

// company reads the settings of a company. scim.ErrNotFound: there is none.
func (a *app) company(ctx context.Context, slug string) (*company, error) {
	c := &company{}
	err := a.db.QueryRowContext(ctx, selectCompany, slug).Scan(&c.slug, &c.name, &c.defaultRole, &c.signOn, &c.removes, &c.scim.State)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, scim.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	p, err := a.part(ctx, c.slug)
	c.store, c.roles = p.store, p.roles
	return c, err
}

// part returns the store of a company. There are as many as companies, so strangers cannot make more.
func (a *app) part(ctx context.Context, slug string) (part, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if p, ok := a.parts[slug]; ok {
		return p, nil
	}
	s, err := sqlstore.New(a.db, a.dialect, sqlstore.Options{Tenant: slug, Types: a.types, Tables: []sqlstore.Table{accounts}, Log: a.log})
	if err != nil {
		return part{}, err
	}
	if err := s.Migrate(ctx); err != nil {
		return part{}, err
	}
	roles, err := rolesOf(ctx, s)
	if err != nil {
		return part{}, err
	}
	a.parts[slug] = part{s, roles}
	return a.parts[slug], nil
}

// Setting implements tenants.Settings. Without single sign-on a company that was on before is off.
func (a *app) Setting(ctx context.Context, slug string) (tenants.Setting, error) {
	c, err := a.company(ctx, slug)
	if err != nil {
		return tenants.Setting{}, err
	}
	if !c.signOn {
		c.scim.TurnOff()
	}
	return tenants.Setting{Switch: c.scim, Tenant: a.endpoint(c)}, nil
}

var errNoSignOn = page.Refused("Set up single sign-on first: provisioned people could not sign in.")

// turnOn is "SCIM Provisioning": "Yes, Generate Token". Tokens from before are dead, and the secret is shown once.
// Of two administrators who do so at the same time, the second one gets no token.
func (a *app) turnOn(ctx context.Context, slug, maker string) (secret string, err error) {
	err = a.change(ctx, slug, func(ctx context.Context, c *company) error {
		switch {
		case !c.signOn:
			return errNoSignOn
		case c.scim.State == tenants.On:
			return page.Refused("SCIM is on already. Replace the token on the page of tokens.")
		}
		if err := c.scim.TurnOn(); err != nil {
			return err
		}
		if err := a.tokens.Tenant(slug).RevokeAll(ctx); err != nil {
			return err
		}
		secret, _, err = a.tokens.Tenant(slug).Issue(ctx, tokens.Request{Label: "SCIM Provisioning", Maker: maker})
		return err
	})
	return secret, err
}

// turnOff keeps the token, so that clients get 503 and forget nobody.
func (a *app) turnOff(ctx context.Context, slug string) error {
	return a.change(ctx, slug, func(_ context.Context, c *company) error {
		c.scim.TurnOff()
		return nil
	})
}

// change locks a company's row and changes its settings. ctx carries the transaction for fn.
func (a *app) change(ctx context.Context, slug string, fn func(ctx context.Context, c *company) error) error {
	tx, err := a.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after Commit there is nothing to roll back
	query, c := selectCompany, &company{}
	if a.dialect == sqlstore.Postgres {
		query += " FOR UPDATE"
	}
	err = tx.QueryRowContext(ctx, query, slug).Scan(&c.slug, &c.name, &c.defaultRole, &c.signOn, &c.removes, &c.scim.State)
	if err != nil {
		return err
	}
	if err := fn(sqlstore.WithTx(ctx, a.db, tx), c); err != nil {
		return err
	}
	unassigned := "deactivate"
	if c.removes {
		unassigned = "remove"
	}
	if _, err := tx.ExecContext(ctx, "UPDATE companies SET default_role = $1, sign_on = $2, unassigned = $3, scim = $4 WHERE slug = $5",
		c.defaultRole, c.signOn, unassigned, string(c.scim.State), slug); err != nil {
		return err
	}
	return tx.Commit()
}

// setDefault sets the role of who has been given none.
func (a *app) setDefault(ctx context.Context, slug, role string) error {
	if !slices.ContainsFunc(personalRoles, func(r scim.Role) bool { return r.Name == role }) {
		return page.Refused("There is no such role.")
	}
	return a.change(ctx, slug, func(_ context.Context, c *company) error { c.defaultRole = role; return nil })
}
