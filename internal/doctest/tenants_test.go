package doctest

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth/tokens"
	"github.com/scimkit/scim/store/sqlstore"
	"github.com/scimkit/scim/tenants"
)

// What follows, up to the end marker, is in docs/tenants.md.

func atEachHost(app *Customers, all *tokens.Tokens, next http.Handler) (http.Handler, error) {
	h, err := tenants.New(tenants.Options{
		Address:  "{tenant}.example.com/API/enterprise/scim",
		Settings: app,
	}, scim.Config{Auth: all})
	if err != nil {
		return nil, err
	}
	return h.Mount(next), nil
}

// Customers are the application's tenants. Their table has the columns slug, id, scim and other_sync.
type Customers struct {
	db     *sql.DB
	stores func(tenant string) (scim.Store, error)
}

// Setting implements tenants.Settings. The address has the slug, and the tokens have the id.
func (c *Customers) Setting(ctx context.Context, slug string) (tenants.Setting, error) {
	var id string
	var s tenants.Switch
	err := c.db.QueryRowContext(ctx, "SELECT id, scim, other_sync FROM customers WHERE slug = ?", slug).Scan(&id, &s.State, &s.OtherSync)
	if errors.Is(err, sql.ErrNoRows) {
		return tenants.Setting{}, scim.ErrNotFound
	}
	if err != nil {
		return tenants.Setting{}, err
	}
	store, err := c.stores(id)
	return tenants.Setting{Switch: s, Tenant: &scim.Tenant{ID: id, Store: store}}, err
}

var errNoSignOn = errors.New("set up single sign-on first: provisioned people could not sign in")

// turnOn is behind the administrators' switch "SCIM".
func (c *Customers) turnOn(ctx context.Context, id string) error {
	return c.change(ctx, id, func(s *tenants.Switch, hasSignOn bool) error {
		if !hasSignOn {
			return errNoSignOn
		}
		return s.TurnOn() // tenants.ErrExcluded while LDAP runs
	})
}

// startLDAP is behind the switch "LDAP". While SCIM is on, the error is tenants.ErrExcluded.
func (c *Customers) startLDAP(ctx context.Context, id string) error {
	return c.change(ctx, id, func(s *tenants.Switch, _ bool) error { return s.StartSync("LDAP") })
}

// change locks the customer's row: in PostgreSQL and MariaDB add FOR UPDATE to the SELECT.
func (c *Customers) change(ctx context.Context, id string, fn func(s *tenants.Switch, hasSignOn bool) error) error {
	tx, err := c.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after a commit it does nothing
	var s tenants.Switch
	var hasSignOn bool
	err = tx.QueryRowContext(ctx, "SELECT scim, other_sync, sign_on FROM customers WHERE id = ?", id).Scan(&s.State, &s.OtherSync, &hasSignOn)
	if err != nil {
		return err
	}
	if err := fn(&s, hasSignOn); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "UPDATE customers SET scim = ?, other_sync = ? WHERE id = ?", s.State, s.OtherSync, id); err != nil {
		return err
	}
	return tx.Commit()
}

func atOneAddress(app tenants.Settings, all *tokens.Tokens, next http.Handler) (http.Handler, error) {
	h, err := tenants.New(tenants.Options{Address: "/scim/v2", Settings: app}, scim.Config{Auth: all})
	if err != nil {
		return nil, err
	}
	return h.Mount(next), nil
}

// The end of what the page shows.

// byID are Customers whose name in Setting is their id.
type byID struct{ *Customers }

func (c byID) Setting(ctx context.Context, id string) (tenants.Setting, error) {
	var slug string
	switch err := c.db.QueryRowContext(ctx, "SELECT slug FROM customers WHERE id = ?", id).Scan(&slug); {
	case errors.Is(err, sql.ErrNoRows):
		return tenants.Setting{}, scim.ErrNotFound
	case err != nil:
		return tenants.Setting{}, err
	}
	return c.Customers.Setting(ctx, slug)
}

// Each tenant has its host, its tokens and its switch.
func TestTenantsPage(t *testing.T) {
	db := database(t,
		"CREATE TABLE customers (slug text UNIQUE, id text PRIMARY KEY, sign_on boolean, scim text NOT NULL DEFAULT '', other_sync text NOT NULL DEFAULT '')",
		"INSERT INTO customers (slug, id, sign_on) VALUES ('acme', '1', true), ('beta', '2', true), ('late', '3', false)")
	app := &Customers{db, func(id string) (scim.Store, error) {
		return sqlstore.New(db, sqlstore.SQLite, sqlstore.Options{Tenant: id})
	}}
	for _, id := range []string{"1", "2", "3"} {
		store, err := sqlstore.New(db, sqlstore.SQLite, sqlstore.Options{Tenant: id})
		if err != nil {
			t.Fatal(err)
		}
		if err := store.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	all, err := tokens.New(tokens.NewMemory(), tokens.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	secrets := map[string]string{}
	for _, id := range []string{"1", "2", "3"} {
		if secrets[id], _, err = all.Tenant(id).Issue(t.Context(), tokens.Request{}); err != nil {
			t.Fatal(err)
		}
	}
	hosts, err := atEachHost(app, all, nil)
	if err != nil {
		t.Fatal(err)
	}
	one, err := atOneAddress(byID{app}, all, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := func(what string, h http.Handler, url, id string, status int) {
		t.Helper()
		r := httptest.NewRequestWithContext(t.Context(), "GET", url+"/Users", nil)
		r.Header.Set("Authorization", "Bearer "+secrets[id])
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != status || (w.Header().Get("Retry-After") != "") != (status == 503) {
			t.Errorf("%s: %d, want %d: %v %s", what, w.Code, status, w.Header(), w.Body)
		}
	}
	const acme, beta, any = "http://acme.example.com/API/enterprise/scim", "http://beta.example.com/API/enterprise/scim", "http://any/scim/v2"
	want("not set up", hosts, acme, "1", 404)
	want("not set up, by token", one, any, "1", 404)
	if err := app.turnOn(t.Context(), "3"); !errors.Is(err, errNoSignOn) {
		t.Errorf("without single sign-on: %v", err)
	}
	for _, id := range []string{"1", "2"} {
		if err := app.turnOn(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	want("on", hosts, acme, "1", 200)
	want("on, by token", one, any, "1", 200)
	want("another tenant's token", hosts, acme, "2", 401)
	want("its own host", hosts, beta, "2", 200)
	if err := app.startLDAP(t.Context(), "1"); !errors.Is(err, tenants.ErrExcluded) {
		t.Errorf("LDAP beside SCIM: %v", err)
	}
	if err := app.change(t.Context(), "1", func(s *tenants.Switch, _ bool) error { s.TurnOff(); return nil }); err != nil {
		t.Fatal(err)
	}
	want("off", hosts, acme, "1", 503)
	want("off, by token", one, any, "1", 503)
	if err := app.startLDAP(t.Context(), "1"); err != nil {
		t.Fatal(err)
	}
	if err := app.turnOn(t.Context(), "1"); !errors.Is(err, tenants.ErrExcluded) || !strings.Contains(err.Error(), "LDAP runs") {
		t.Errorf("SCIM beside LDAP: %v", err)
	}
}
