package callers

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/auth/tokens"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/store/memory"
	"github.com/scimkit/scim/tenants"
)

// world is a server with the tenants acme and beta, at acme.example.com and beta.example.com. Clients
// have tokens, or a user name and a secret.
type world struct {
	t       *testing.T
	handler http.Handler
	// own is the same server with no way in but tokens. It prepares and checks what there is.
	own     http.Handler
	address string // as tenants.Options.Address
	calls   calls
	rows    map[string]tenants.Setting
	tokens  *tokens.Tokens
	now     time.Time
	// ids has the resources of each tenant: "acme/User", "acme/Group" and so on.
	ids map[string]string
}

// nowhere is an id of no resource, as long as that of one.
const nowhere = "00000000-0000-4000-8000-000000000000"

// newWorld makes a world with tokens and passwords, and a host name for each tenant.
func newWorld(t *testing.T) *world {
	return newWorldWith(t, "{tenant}.example.com/scim/v2", func(w *world) scim.Authenticator { return auth.Any(w.tokens, w.basic()) })
}

// newWorldWith makes a world with these ways in.
func newWorldWith(t *testing.T, address string, ways func(*world) scim.Authenticator) *world {
	w := &world{t: t, address: address, rows: map[string]tenants.Setting{}, now: time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC), ids: map[string]string{}}
	var err error
	// The time of last use is written once a minute, so this clock must stand still.
	if w.tokens, err = tokens.New(counted{tokens.NewMemory(), &w.calls}, tokens.Options{Now: func() time.Time { return w.now }}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"acme", "beta"} {
		w.rows[name] = tenants.Setting{Switch: tenants.Switch{State: tenants.On},
			Tenant: &scim.Tenant{ID: name, Store: countedStore{memory.New(), &w.calls}, Roles: &scim.Roles{Resolver: testhost.NewRoles()}}}
	}
	w.own, w.handler = w.serve(w.tokens), w.serve(ways(w))
	for _, name := range []string{"acme", "beta"} {
		full := bearer(w.issue(name, tokens.Request{}))
		w.ids[name+"/User"] = w.create(name, full, "/Users", fmt.Sprintf(`{"userName":"person-of-%s","displayName":"Person of %[1]s"}`, name))
		w.ids[name+"/Group"] = w.create(name, full, "/Groups", fmt.Sprintf(`{"displayName":"group-of-%s","members":[{"value":%q}]}`, name, w.ids[name+"/User"]))
	}
	return w
}

func (w *world) serve(a scim.Authenticator) http.Handler {
	h, err := tenants.New(tenants.Options{Address: w.address, Settings: w}, scim.Config{Auth: a, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		w.t.Fatal(err)
	}
	return h.Mount(nil)
}

// Setting implements tenants.Settings.
func (w *world) Setting(_ context.Context, name string) (tenants.Setting, error) {
	s, ok := w.rows[name]
	if !ok {
		return tenants.Setting{}, scim.ErrNotFound
	}
	return s, nil
}

func (w *world) basic() scim.Authenticator {
	return auth.Basic(w.account("acme", "ann", "the-secret-of-acme"), w.account("beta", "ben", "the-secret-of-beta"))
}

func (*world) account(tenant, user, secret string) auth.Account {
	a := auth.Account{Token: auth.TokenOf(secret), User: user}
	a.Tenant = tenant
	return a
}

// issue returns the secret of a new token.
func (w *world) issue(tenant string, r tokens.Request) string {
	w.t.Helper()
	r.Label, r.Maker = "test", "test"
	secret, _, err := w.tokens.Tenant(tenant).Issue(w.t.Context(), r)
	if err != nil {
		w.t.Fatal(err)
	}
	return secret
}

func (w *world) create(tenant string, c credential, path, body string) (id string) {
	w.t.Helper()
	a := w.sendTo(w.own, tenant, c, request{"POST", path, body})
	_, rest, ok := strings.Cut(a.body, `"id":"`)
	if a.status != http.StatusCreated || !ok {
		w.t.Fatalf("POST %s: %d %s", path, a.status, a.body)
	}
	id, _, _ = strings.Cut(rest, `"`)
	return id
}

// credential puts what a client shows into its requests.
type credential func(*http.Request)

// authorization is a credential in the header of this name.
func authorization(value string) credential {
	return func(r *http.Request) { r.Header.Set("Authorization", value) }
}

func bearer(secret string) credential { return authorization("Bearer " + secret) }

func nothing(*http.Request) {}

// request is what a client sends. Its path is below the endpoint.
type request struct{ method, path, body string }

// answer is what a client sees.
type answer struct {
	status       int
	header, body string
}

func (a answer) String() string { return fmt.Sprintf("%d\n%s\n%s", a.status, a.header, a.body) }

// hides returns the answer with every id and its version taken out, so that answers for different ids compare.
func (a answer) hides(ids ...string) answer {
	for _, id := range ids {
		a.header, a.body = strings.ReplaceAll(a.header, id, "ID"), strings.ReplaceAll(a.body, id, "ID")
	}
	return a
}

func (w *world) make(tenant string, c credential, r request) *http.Request {
	address := strings.ReplaceAll(w.address, "{tenant}", tenant)
	if strings.HasPrefix(address, "/") {
		address = "example.com" + address
	}
	in := httptest.NewRequestWithContext(w.t.Context(), r.method, "http://"+address+r.path, strings.NewReader(r.body))
	in.Header.Set("Content-Type", "application/scim+json")
	in.Header.Set("X-Request-Id", "the-same") // otherwise each answer has another one
	c(in)
	return in
}

func (w *world) send(tenant string, c credential, r request) answer {
	return w.sendTo(w.handler, tenant, c, r)
}

func (w *world) sendTo(h http.Handler, tenant string, c credential, r request) answer {
	out := httptest.NewRecorder()
	h.ServeHTTP(out, w.make(tenant, c, r))
	var header strings.Builder
	if err := out.Header().Write(&header); err != nil {
		w.t.Fatal(err)
	}
	return answer{out.Code, header.String(), out.Body.String()}
}

// counting sends a request and returns the calls that it caused, too.
func (w *world) counting(tenant string, c credential, r request) (answer, string) {
	w.calls.reset()
	a := w.send(tenant, c, r)
	return a, w.calls.String()
}

// calls counts by name.
type calls struct {
	mu sync.Mutex
	n  map[string]int
}

func (c *calls) add(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n == nil {
		c.n = map[string]int{}
	}
	c.n[name]++
}

func (c *calls) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.n)
}

func (c *calls) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []string
	for _, name := range slices.Sorted(maps.Keys(c.n)) {
		all = append(all, fmt.Sprintf("%s %d", name, c.n[name]))
	}
	return strings.Join(all, ", ")
}

// counted counts the look-ups of tokens.
type counted struct {
	tokens.Store
	calls *calls
}

// ByHash implements tokens.Store.
func (c counted) ByHash(ctx context.Context, hash [sha256.Size]byte) (tokens.Token, error) {
	c.calls.add("ByHash")
	return c.Store.ByHash(ctx, hash)
}

// SetLastUsed implements tokens.Store.
func (c counted) SetLastUsed(ctx context.Context, hash [sha256.Size]byte, at, since time.Time) error {
	c.calls.add("SetLastUsed")
	return c.Store.SetLastUsed(ctx, hash, at, since)
}

// countedStore counts what a tenant's store is asked.
type countedStore struct {
	*memory.Store
	calls *calls
}

// Create implements scim.Store.
func (s countedStore) Create(ctx context.Context, r *scim.Resource) (*scim.Resource, error) {
	s.calls.add("Create")
	return s.Store.Create(ctx, r)
}

// Get implements scim.Store.
func (s countedStore) Get(ctx context.Context, ref scim.Ref) (*scim.Resource, error) {
	s.calls.add("Get")
	return s.Store.Get(ctx, ref)
}

// List implements scim.Store.
func (s countedStore) List(ctx context.Context, t *scim.ResourceType, q *scim.Query) (*scim.Page, error) {
	s.calls.add("List")
	return s.Store.List(ctx, t, q)
}

// Update implements scim.Store.
func (s countedStore) Update(ctx context.Context, ref scim.Ref, fn func(*scim.Resource) (*scim.Resource, error)) (*scim.Resource, error) {
	s.calls.add("Update")
	return s.Store.Update(ctx, ref, fn)
}

// Delete implements scim.Store.
func (s countedStore) Delete(ctx context.Context, ref scim.Ref, check func(*scim.Resource) error) error {
	s.calls.add("Delete")
	return s.Store.Delete(ctx, ref, check)
}

// InTx implements scim.Transactor.
func (s countedStore) InTx(ctx context.Context, fn func(ctx context.Context) error) error {
	s.calls.add("InTx")
	return s.Store.InTx(ctx, fn)
}

// Members implements scim.MemberStore.
func (s countedStore) Members(ctx context.Context, groupID string, after scim.Ref, limit int) ([]scim.Member, error) {
	s.calls.add("Members")
	return s.Store.Members(ctx, groupID, after, limit)
}

// GroupsOf implements scim.MemberStore.
func (s countedStore) GroupsOf(ctx context.Context, members []scim.Ref) ([]scim.Membership, error) {
	s.calls.add("GroupsOf")
	return s.Store.GroupsOf(ctx, members)
}

// ChangeMembers implements scim.MemberStore.
func (s countedStore) ChangeMembers(ctx context.Context, groupID string, add, remove []scim.Ref) (added, removed []scim.Ref, err error) {
	s.calls.add("ChangeMembers")
	return s.Store.ChangeMembers(ctx, groupID, add, remove)
}
