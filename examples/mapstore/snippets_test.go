package main

import (
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"net/netip"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/store/memory"
)

// What follows, up to the end marker, is in README.md as well: it must compile.

// A row of the application, with one new column for what has no column of its own.
type row struct {
	ID, Login, First, Status string
	Created, Modified        time.Time
	Doc                      []byte // what MarshalJSON of the resource gave
}

func load(u row) (*scim.Resource, error) {
	meta := scim.Meta{ID: u.ID, Created: u.Created, LastModified: u.Modified}
	return scim.UserType().Bind(meta, u.Doc, map[string]any{ // columns win over Doc
		"userName": u.Login, "name.givenName": u.First, "active": u.Status == "active"})
}

func (s *sqlRows) List(ctx context.Context, t *scim.ResourceType, q *scim.Query) (*scim.Page, error) {
	if t.Name() == "User" {
		if name, ok := q.Filter.Eq("userName"); ok { // the look-up before each create
			return scim.Scan(q, s.users(ctx, "login_key = $1", scim.Fold(name)))
		}
		if q.IDs != nil { // members of a group, at most 1,000
			return scim.Scan(q, s.users(ctx, "id = any($1)", q.IDs))
		}
	}
	return s.listAll(ctx, t, q)
}

func (s *sqlRows) InTx(ctx context.Context, fn func(ctx context.Context) error) error {
	if _, joined := ctx.Value(txKey{}).(transaction); joined {
		return fn(ctx)
	}
	tx, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after Commit it does nothing
	if err := fn(context.WithValue(ctx, txKey{}, tx)); err != nil {
		return err
	}
	return tx.Commit()
}

func giveByHand(ctx context.Context, app *Application, roles *scim.Reconciler, user, role string) error {
	if err := app.give(ctx, user, role); err != nil {
		return err
	}
	return roles.GivenByHand(ctx, user, role)
}

func repair(ctx context.Context, roles *scim.Reconciler) (err error) {
	for next := ""; ; {
		if next, err = roles.All(ctx, next); err != nil || next == "" {
			return err
		}
	}
}

// adopt links a new SCIM user to the account that has the same login already.
func adopt(store scim.Store) scim.Rule {
	return func(ctx context.Context, c *scim.Change) error {
		if c.Op != scim.OpCreate || c.After.Type() != scim.UserType() {
			return nil
		}
		name, err := json.Marshal(c.After.String("userName"))
		if err != nil {
			return err
		}
		f, err := scim.ParseFilter(scim.UserType(), "userName eq "+string(name))
		if err != nil {
			return err
		}
		page, err := store.List(ctx, scim.UserType(), &scim.Query{Filter: f, Limit: 1})
		if err != nil || len(page.Resources) == 0 {
			return err
		}
		if found := page.Resources[0]; found.String("externalId") == "" { // not provisioned yet
			c.Adopt = found.ID()
		}
		return nil
	}
}

func behindProxy(c *scim.Config) {
	c.BaseURL = "https://app.example.com/scim/v2" // or, if there are many host names:
	c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
}

func manyTenants(db *Application) (*scim.Handler, error) {
	return scim.New(scim.Config{
		Auth: auth.BearerFunc(db.tokenByHash), // its Token.Tenant becomes Principal.Tenant
		TenantFor: func(ctx context.Context, p scim.Principal) (*scim.Tenant, error) {
			store, roles, err := db.customer(ctx, p.Tenant) // scim.ErrNotFound: 404
			if err != nil {
				return nil, err
			}
			return &scim.Tenant{ID: p.Tenant, Store: store, Roles: roles}, nil
		},
	})
}

func rateLimit(next http.Handler, allowed func(*http.Request) bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !allowed(r) {
			scim.WriteError(w, &scim.Error{Status: http.StatusTooManyRequests,
				Detail: "too many requests", RetryAfter: 10 * time.Second})
			return
		}
		next.ServeHTTP(w, r)
	})
}

// The end of what README.md shows.

type (
	sqlRows     struct{}
	txKey       struct{}
	transaction interface {
		Commit() error
		Rollback() error
	}
	Application struct{}
)

func (*sqlRows) users(context.Context, string, any) iter.Seq2[*scim.Resource, error] {
	return func(yield func(*scim.Resource, error) bool) {
		yield(load(row{ID: "1", Login: "ann", First: "Ann", Status: "active", Doc: []byte(`{"userName": "old", "title": "Dr"}`)}))
	}
}

func (s *sqlRows) listAll(_ context.Context, _ *scim.ResourceType, q *scim.Query) (*scim.Page, error) {
	return scim.Scan(q, s.users(context.Background(), "", nil))
}

func (*sqlRows) begin(context.Context) (transaction, error) { return noTx{}, nil }

type noTx struct{}

func (noTx) Commit() error   { return nil }
func (noTx) Rollback() error { return nil }

func (*Application) give(context.Context, string, string) error { return nil }

func (*Application) tokenByHash(context.Context, [32]byte) (auth.Token, error) {
	return auth.Token{}, scim.ErrNotFound
}

func (*Application) customer(context.Context, string) (scim.Store, *scim.Roles, error) {
	return memory.New(), nil, nil
}

// TestREADMESnippets finds each Go snippet of README.md in this package.
func TestREADMESnippets(t *testing.T) {
	sources := read(t, "main.go") + read(t, "snippets_test.go") + read(t, "main_test.go")
	squeeze := func(s string) string { return strings.Join(strings.Fields(s), " ") }
	sources = squeeze(sources)
	found := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(read(t, "../../README.md"), -1)
	if len(found) < 5 {
		t.Fatalf("README.md has %d Go snippets; has the way they are marked changed?", len(found))
	}
	for _, m := range found {
		if !strings.Contains(sources, squeeze(m[1])) {
			t.Errorf("README.md has a snippet that is not compiled here:\n%s", m[1])
		}
	}
}

// TestSnippets runs what README.md says of them.
func TestSnippets(t *testing.T) {
	ctx := context.Background()
	f, err := scim.ParseFilter(scim.UserType(), `userName eq "ANN" and title eq "dr"`)
	if err != nil {
		t.Fatal(err)
	}
	page, err := (&sqlRows{}).List(ctx, scim.UserType(), &scim.Query{Filter: f, Limit: 10})
	if err != nil || page.Total != 1 || page.Resources[0].String("name.givenName") != "Ann" || !page.Resources[0].Active() {
		t.Errorf("List: %v, error %v; want Ann, whose columns win over the document", page, err)
	}
	rows := &sqlRows{}
	err = rows.InTx(ctx, func(ctx context.Context) error {
		return rows.InTx(ctx, func(context.Context) error { return os.ErrClosed })
	})
	if err != os.ErrClosed {
		t.Errorf("InTx: %v, want the error of fn", err)
	}
	if _, err := manyTenants(&Application{}); err != nil {
		t.Error(err)
	}

	app := newApp()
	roles := &scim.Roles{Resolver: app, Ledger: memory.NewLedger()}
	config := scim.Config{Store: app, Auth: auth.None(), Roles: roles, Rules: []scim.Rule{adopt(app)}}
	behindProxy(&config)
	h, err := scim.New(config)
	if err != nil {
		t.Fatal(err)
	}
	old, err := scim.UserType().Bind(scim.Meta{ID: "42"}, nil, map[string]any{"userName": "Ann@Example.com"})
	if err == nil {
		_, err = app.Create(ctx, old)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		reason, location string
		status           int
	}{
		{"an account that was there before is taken over and keeps its id", "https://app.example.com/scim/v2/Users/42", 201},
		{"one that is provisioned is not taken over", "", 409},
	} {
		res := serve(h, "POST", "/scim/v2/Users", `{"userName": "ann@example.com", "externalId": "e1"}`)
		if res.Code != step.status || res.Header().Get("Location") != step.location {
			t.Errorf("%s: status %d, location %q, want %d and %q: %s", step.reason, res.Code, res.Header().Get("Location"), step.status, step.location, res.Body)
		}
	}
	if err := repair(ctx, h.Roles(nil)); err != nil {
		t.Error(err)
	}
	if err := giveByHand(ctx, &Application{}, h.Roles(nil), "42", "Editor"); err != nil {
		t.Error(err)
	}
	res := serve(rateLimit(h, func(*http.Request) bool { return false }), "GET", "/Users", "")
	if res.Code != http.StatusTooManyRequests || res.Header().Get("Retry-After") != "10" {
		t.Errorf("rate limit: status %d, Retry-After %q", res.Code, res.Header().Get("Retry-After"))
	}
}

// TestREADMETolerances keeps the table of tolerances complete.
func TestREADMETolerances(t *testing.T) {
	readme := read(t, "../../README.md")
	for _, name := range scim.Tolerances() {
		if !strings.Contains(readme, "\n| `"+string(name)+"` | ") {
			t.Errorf("README.md does not list the tolerance %q", name)
		}
	}
	known := scim.Tolerances()
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z-]+)` \\| ").FindAllStringSubmatch(readme, -1) {
		if !slices.Contains(known, scim.Tolerance(m[1])) {
			t.Errorf("README.md lists %q among the tolerances, which there is not", m[1])
		}
	}
}
