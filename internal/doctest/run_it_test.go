package doctest

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/scimkit/scim/internal/testhost"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/ratelimit"
	"github.com/scimkit/scim/store/memory"
	"github.com/scimkit/scim/store/sqlstore"
)

// What follows, up to the end marker, is in docs/run-it.md and docs/troubleshooting.md.

func serve(h *scim.Handler, app http.Handler) error {
	server := &http.Server{Addr: "localhost:8080", Handler: scim.Mount("/scim/v2", h, app), ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout: 2 * time.Minute, WriteTimeout: 5 * time.Minute, IdleTimeout: 2 * time.Minute}
	return server.ListenAndServe()
}

func behindProxy(c *scim.Config) {
	c.BaseURL = "https://app.example.com/scim/v2" // or, if there are many host names:
	c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
}

func issue(ctx context.Context, db *Application, tenant string) (secret string, err error) {
	secret, token := auth.NewToken() // 256 random bits
	token.Tenant, token.Expires = tenant, time.Now().AddDate(1, 0, 0)
	return secret, db.saveToken(ctx, token)
}

func readOnly(_ context.Context, a scim.Access) error {
	scopes := a.Principal.Scopes
	if a.Op == scim.OpGet || a.Op == scim.OpList || scopes == nil || slices.Contains(scopes, "write") {
		return nil
	}
	return errors.New("this token may only read") // 403; the text goes to the log
}

func manyTenants(db *Application) (*scim.Handler, error) {
	return scim.New(scim.Config{
		Auth: auth.BearerFunc(db.tokenByHash), // its Token.Tenant becomes Principal.Tenant
		TenantFor: func(ctx context.Context, p scim.Principal) (*scim.Tenant, error) {
			store, roles, err := db.tenant(ctx, p.Tenant) // scim.ErrNotFound: 404
			if err != nil {
				return nil, err
			}
			return &scim.Tenant{ID: p.Tenant, Store: store, Roles: roles}, nil
		},
	})
}

func limitRates(ctx context.Context, c *scim.Config, db *sql.DB, d sqlstore.Dialect) error {
	shares, err := sqlstore.NewShares(db, d, sqlstore.Options{}) // one process needs no Shares
	if err != nil {
		return err
	}
	if err := shares.Migrate(ctx); err != nil { // at each start
		return err
	}
	c.Limiter, err = ratelimit.New(ratelimit.Options{Shares: shares})
	return err
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

func audit(log *slog.Logger) func(context.Context, scim.Event) {
	return func(ctx context.Context, e scim.Event) {
		log.InfoContext(ctx, "scim", "kind", e.Kind, "tenant", e.Tenant, "client", e.Principal,
			"resource", e.Resource, "role", e.Role.Name, "sources", e.Sources, "reason", e.Reason)
	}
}

func watch(c *scim.Config) { c.Trace = os.Stderr }

func why(ctx context.Context, roles *scim.Reconciler, userID string) error {
	standings, err := roles.Explain(ctx, userID)
	for _, s := range standings {
		fmt.Println(s.Role.Name, s.State, s.Sources, s.Reason)
	}
	return err
}

// withAudit writes a row in the request's transaction. Without the row there is no write.
func withAudit(c scim.Config, store *sqlstore.Store) scim.Config {
	c.OnWrite = func(ctx context.Context, w *scim.Written) error {
		now := w.After
		if now == nil { // deleted
			now = w.Before
		}
		_, err := store.DB(ctx).ExecContext(ctx, "INSERT INTO audit (client, op, type, id) VALUES (?, ?, ?, ?)",
			w.Principal.ID, string(w.Op), now.Type().Name(), now.ID())
		return err
	}
	return c
}

// The end of what the pages show.

var _ = serve

func (a *Application) saveToken(_ context.Context, token auth.Token) error {
	a.token = token
	return nil
}

func (a *Application) tokenByHash(_ context.Context, hash [32]byte) (auth.Token, error) {
	if hash != a.token.Hash {
		return auth.Token{}, scim.ErrNotFound
	}
	return a.token, nil
}

func (*Application) tenant(_ context.Context, id string) (scim.Store, *scim.Roles, error) {
	if id != "t1" {
		return nil, nil, scim.ErrNotFound
	}
	return memory.New(), nil, nil
}

// The limit of the page lets in a quarter of the rate at once, because other processes may ask too.
func TestLimitRates(t *testing.T) {
	c := scim.Config{Store: memory.New()}
	if err := limitRates(t.Context(), &c, database(t), sqlstore.SQLite); err != nil {
		t.Fatal(err)
	}
	h := handler(t, c)
	for range 25 {
		request(t, h, http.StatusOK, "GET", "/Users", "")
	}
	var w *httptest.ResponseRecorder
	for range 1000 { // The bucket is refilled meanwhile.
		w = httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/Users", nil))
		if w.Code == http.StatusTooManyRequests {
			break
		}
	}
	if w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") != "1" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
}

// TestTenants lets a client in with an issued token, and to its tenant only.
func TestTenants(t *testing.T) {
	db := &Application{}
	h, err := manyTenants(db)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		reason, tenant string
		status         int
	}{
		{"the token's tenant exists", "t1", http.StatusOK},
		{"the token's tenant is gone", "t2", http.StatusNotFound},
	} {
		secret, err := issue(t.Context(), db, c.tenant)
		if err != nil {
			t.Fatal(err)
		}
		withToken := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.Header.Set("Authorization", "Bearer "+secret)
			h.ServeHTTP(w, r)
		})
		request(t, withToken, c.status, "GET", "/Users", "")
	}
	request(t, h, http.StatusUnauthorized, "GET", "/Users", "")
}

// clientWith authenticates everybody as a client with these scopes.
type clientWith []string

func (s clientWith) Authenticate(*http.Request) (scim.Principal, error) {
	return scim.Principal{ID: "client", Scopes: s}, nil
}

// TestRunIt runs the settings of docs/run-it.md together.
func TestRunIt(t *testing.T) {
	var log, trace bytes.Buffer
	c := scim.Config{Store: memory.New(), Allow: readOnly, Roles: &scim.Roles{Resolver: newRoleMap()},
		Log: slog.New(slog.NewTextHandler(&log, nil))}
	c.OnEvent = audit(c.Log)
	behindProxy(&c)
	watch(&c)
	c.Trace = &trace
	c.Auth = clientWith{scim.ScopeUsers}
	h := handler(t, c)
	request(t, h, http.StatusForbidden, "POST", "/Users", `{"userName": "ann"}`)
	if !strings.Contains(log.String(), "this token may only read") || !strings.Contains(log.String(), "scim: ready") {
		t.Errorf("the log does not have the reason: %s", log.String())
	}
	if !strings.Contains(trace.String(), "POST") {
		t.Errorf("the trace does not have the request: %s", trace.String())
	}
	c.Auth = clientWith{scim.ScopeUsers, "write"}
	request(t, handler(t, c), http.StatusForbidden, "POST", "/Groups", `{"displayName": "staff"}`) // the scope groups is missing
	c.Auth = nil
	h = handler(t, c)
	location := request(t, h, http.StatusCreated, "POST", "/Users", `{"userName": "ann"}`).Header().Get("Location")
	if !strings.HasPrefix(location, "https://app.example.com/scim/v2/Users/") {
		t.Errorf("the address is %s", location)
	}
	if !strings.Contains(log.String(), "user provisioned") {
		t.Errorf("the audit does not have the user: %s", log.String())
	}
	if err := why(t.Context(), testhost.Must(h.Reconciler(nil)), location[strings.LastIndex(location, "/")+1:]); err != nil {
		t.Error(err)
	}
	limited := rateLimit(h, func(*http.Request) bool { return false })
	if got := request(t, limited, http.StatusTooManyRequests, "GET", "/Users", "").Header().Get("Retry-After"); got != "10" {
		t.Errorf("Retry-After is %q", got)
	}
}

func TestAudit(t *testing.T) {
	db, err := sql.Open("sqlite", sqlstore.SQLiteDSN(filepath.Join(t.TempDir(), "scim.db")))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close() //nolint:errcheck // the test is over
	s, err := sqlstore.New(db, sqlstore.SQLite, sqlstore.Options{})
	if err == nil {
		err = s.Migrate(t.Context())
	}
	if err == nil {
		_, err = db.Exec("CREATE TABLE audit (client TEXT, op TEXT, type TEXT, id TEXT, UNIQUE (op, type))")
	}
	if err != nil {
		t.Fatal(err)
	}
	h := testhost.New(t, withAudit(scim.Config{Store: s}, s))
	ann := testhost.Create(t, h, "/Users", `{"userName":"ann"}`)
	testhost.Create(t, h, "/Groups", `{"displayName":"team"}`)
	if got := testhost.Do(t, h, "POST", "/Users", `{"userName":"bob"}`).StatusCode; got/100 == 2 {
		t.Errorf("the audit table refuses a second creation, and yet the answer is %d", got)
	}
	testhost.Do(t, h, "DELETE", "/Users/"+ann, "")
	var lines, users int
	if err := db.QueryRow("SELECT count(*) FROM audit").Scan(&lines); err != nil {
		t.Fatal(err)
	}
	users = int(testhost.Decode(t, testhost.Do(t, h, "GET", "/Users", ""))["totalResults"].(float64))
	if lines != 3 || users != 0 {
		t.Errorf("%d lines and %d users, want 3 and 0", lines, users)
	}
}
