package tenants_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/store/memory"
	"github.com/scimkit/scim/tenants"
)

// application has settings of tenants, by name.
type application struct {
	mu    sync.Mutex
	rows  map[string]tenants.Setting
	down  error
	asked int
}

func (a *application) Setting(_ context.Context, name string) (tenants.Setting, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asked++
	if name == "panics" {
		panic("a bug of the application")
	}
	s, ok := a.rows[name]
	switch {
	case a.down != nil:
		return tenants.Setting{}, a.down
	case !ok:
		return tenants.Setting{}, scim.ErrNotFound
	}
	return s, nil
}

// set changes the switch of a tenant.
func (a *application) set(name string, s tenants.Switch) {
	a.mu.Lock()
	defer a.mu.Unlock()
	row := a.rows[name]
	row.Switch = s
	a.rows[name] = row
}

// newApplication has the tenants acme and beta, which are on, old, which is off, and new, which is not set up.
func newApplication() *application {
	row := func(id string, s tenants.State) tenants.Setting {
		return tenants.Setting{Switch: tenants.Switch{State: s}, Tenant: &scim.Tenant{ID: id, Store: memory.New()}}
	}
	return &application{rows: map[string]tenants.Setting{
		"acme": row("t-acme", tenants.On), "beta": row("t-beta", tenants.On), "old": row("t-old", tenants.Off), "new": row("t-new", tenants.NotSetUp),
		"both":   {Switch: tenants.Switch{State: tenants.On, OtherSync: "LDAP"}, Tenant: &scim.Tenant{ID: "t-both", Store: memory.New()}},
		"slow":   {Switch: tenants.Switch{State: tenants.Off}, Tenant: &scim.Tenant{ID: "t-slow"}, RetryAfter: time.Hour},
		"noid":   row("", tenants.On),
		"nil":    {Switch: tenants.Switch{State: tenants.On}},
		"future": row("t-future", "maybe"),
	}}
}

// byToken gives each row of the application the ID that is its name.
func byToken() *application {
	a := newApplication()
	for name, s := range a.rows {
		if s.Tenant != nil {
			s.Tenant.ID = name
		}
	}
	a.rows["crossed"] = a.rows["acme"]
	return a
}

// tokensOf are tokens whose secret is the tenant's ID with "-secret" at its end.
func tokensOf(ids ...string) scim.Authenticator {
	var all []auth.Token
	for _, id := range ids {
		t := auth.TokenOf(id + "-secret")
		t.Tenant = id
		all = append(all, t)
	}
	return auth.Bearer(all...)
}

var appNotFound = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html")
	w.WriteHeader(http.StatusNotFound)
	io.WriteString(w, "<h1>The application has no such page</h1>") //nolint:errcheck // a recorder
})

func serve(t *testing.T, a tenants.Settings, address string, change func(c *scim.Config)) http.Handler {
	t.Helper()
	c := scim.Config{Log: slog.New(slog.DiscardHandler),
		Auth: tokensOf("t-acme", "t-beta", "t-old", "t-new", "t-both", "t-slow", "acme", "beta", "old", "new", "both", "nowhere", "noid", "nil", "future", "crossed", "")}
	if change != nil {
		change(&c)
	}
	h, err := tenants.New(tenants.Options{Address: address, Settings: a}, c)
	if err != nil {
		t.Fatal(err)
	}
	return h.Mount(appNotFound)
}

// answer sends a request and returns the whole answer as text.
func answer(t *testing.T, h http.Handler, url, secret string, edit ...func(r *http.Request)) (status int, all string, header http.Header) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), "GET", url, nil)
	r.Header.Set("X-Request-Id", "the-same") // otherwise each answer has another one
	if secret != "" {
		r.Header.Set("Authorization", "Bearer "+secret)
	}
	for _, e := range edit {
		e(r)
	}
	out := httptest.NewRecorder()
	h.ServeHTTP(out, r)
	var b strings.Builder
	if err := out.Header().Write(&b); err != nil {
		t.Fatal(err)
	}
	return out.Code, b.String() + out.Body.String(), out.Header()
}

func TestTenants(t *testing.T) {
	const byHost, byPath, byDomain, noName = "{tenant}.example.com/API/enterprise/scim", "/customers/{tenant}/scim/v2", "{tenant}/scim/v2", "/scim/v2"
	const (
		nothing = "the application's 404"
		unknown = "the 401 of an unknown token"
	)
	for _, c := range []struct {
		address, url, secret string
		status               int
		same                 string // the answer is, byte for byte, the same as that
		reason               string
	}{
		{byHost, "http://acme.example.com/API/enterprise/scim/Users", "t-acme-secret", 200, "", "the label names the tenant"},
		{byHost, "http://ACME.example.com.:8443/API/enterprise/scim//Users", "t-acme-secret", 200, "", "the same host, and a client whose base address ends with a slash"},
		{byHost, "http://acme.example.com/API/enterprise/scim/Users", "t-beta-secret", 401, unknown, "a token of another tenant is worth nothing here"},
		{byHost, "http://acme.example.com/API/enterprise/scim/Users", "", 401, unknown, "authentication comes first"},
		{byHost, "http://acme.example.com/API/enterprise/scim/Users", "acme-secret", 401, unknown, "the name in the address is not the ID that tokens have"},
		{byHost, "http://acme.example.com/API/enterprise/scim/Users", "-secret", 401, unknown, "a token without a tenant belongs to none"},
		{byHost, "http://acme.example.com/API/enterprise/scim/Nothing", "t-beta-secret", 401, unknown, "nobody learns which paths exist"},
		{byHost, "http://new.example.com/API/enterprise/scim/Users", "t-new-secret", 404, nothing, "not set up: no endpoint"},
		{byHost, "http://new.example.com/API/enterprise/scim/Users", "", 404, nothing, "before authentication"},
		{byHost, "http://nowhere.example.com/API/enterprise/scim/Users", "t-acme-secret", 404, nothing, "an unknown tenant looks the same"},
		{byHost, "http://acme.example.com/API/enterprise", "t-acme-secret", 404, nothing, "another path of the application"},
		{byHost, "http://a.acme.example.com/API/enterprise/scim/Users", "t-acme-secret", 404, nothing, "one label, not two"},
		{byHost, "http://example.com/API/enterprise/scim/Users", "t-acme-secret", 404, nothing, "the application's own host"},
		{byHost, "http://acme.example.org/API/enterprise/scim/Users", "t-acme-secret", 404, nothing, "another domain"},
		{byHost, "http://old.example.com/API/enterprise/scim/Users", "t-old-secret", 503, "", "switched off"},
		{byHost, "http://old.example.com/API/enterprise/scim/Users", "t-acme-secret", 401, unknown, "strangers do not learn that it is off"},
		{byHost, "http://both.example.com/API/enterprise/scim/Users", "t-both-secret", 503, "", "two syncs would undo each other's changes"},
		{byHost, "http://panics.example.com/API/enterprise/scim/Users", "", 503, "", "a panic counts as an error"},
		{byHost, "http://noid.example.com/API/enterprise/scim/Users", "-secret", 500, "", "every token without a tenant would fit"},
		{byHost, "http://nil.example.com/API/enterprise/scim/Users", "t-acme-secret", 500, "", "a mistake of the application lets nobody in"},
		{byHost, "http://future.example.com/API/enterprise/scim/Users", "t-acme-secret", 500, "", "an unknown state lets nobody in"},
		{byPath, "http://any/customers/acme/scim/v2/Users", "t-acme-secret", 200, "", "the segment names the tenant"},
		{byPath, "http://any/customers/%61cme/scim/v2/Users", "t-acme-secret", 200, "", "the same path in another spelling"},
		{byPath, "http://any/customers/beta/scim/v2/Users", "t-acme-secret", 401, unknown, "a token of another tenant"},
		{byPath, "http://any/customers/new/scim/v2/Users", "t-new-secret", 404, nothing, "not set up"},
		{byPath, "http://any/customers/nowhere/scim/v2/Users", "", 404, nothing, "unknown"},
		{byPath, "http://any/customers/a%00b/scim/v2/Users", "", 404, nothing, "PostgreSQL would fail, which looks different from unknown"},
		{byPath, "http://any/customers/acme%2Fscim/v2/Users", "t-acme-secret", 404, nothing, "an escaped slash divides nothing"},
		{byPath, "http://any/customers/old/scim/v2/Users", "t-old-secret", 503, "", "switched off"},
		{byDomain, "http://acme/scim/v2/Users", "t-acme-secret", 200, "", "customers have host names of their own"},
		{byDomain, "http://new/scim/v2/Users", "", 404, nothing, "not set up"},
		{noName, "http://any/scim/v2/Users", "acme-secret", 200, "", "the token names the tenant"},
		{noName, "http://any/scim/v2/Users", "new-secret", 404, "", "its holder learns that there is nothing"},
		{noName, "http://any/scim/v2/Users", "nowhere-secret", 404, "", "the same"},
		{noName, "http://any/scim/v2/Users", "unknown", 401, unknown, "anybody else does not"},
		{noName, "http://any/scim/v2/Users", "old-secret", 503, "", "switched off"},
		{noName, "http://any/scim/v2/Users", "-secret", 404, "", "a token without a tenant has no settings"},
		{noName, "http://any/scim/v2/Users", "crossed-secret", 500, "", "the settings have the ID of another tenant"},
		{noName, "http://any/elsewhere", "acme-secret", 404, nothing, "the application's"},
	} {
		t.Run(c.url+" "+c.secret, func(t *testing.T) {
			app := newApplication()
			if c.address == noName {
				app = byToken()
			}
			h := serve(t, app, c.address, nil)
			status, got, header := answer(t, h, c.url, c.secret)
			if status != c.status {
				t.Fatalf("%d, want %d: %s\n%s", status, c.status, c.reason, got)
			}
			if hasTime := header.Get("Retry-After") != ""; hasTime != (status == 503) {
				t.Errorf("Retry-After is %q in a %d", header.Get("Retry-After"), status)
			}
			at, _, _ := strings.Cut(c.url, "/Users")
			want := ""
			switch c.same {
			case nothing:
				_, want, _ = answer(t, h, "http://elsewhere/unknown", "")
			case unknown:
				if strings.HasSuffix(c.url, "/Nothing") {
					at = strings.TrimSuffix(c.url, "/Nothing")
				}
				_, want, _ = answer(t, h, at+"/Users", "unknown")
			default:
				return
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("not %s: %s (-want +got):\n%s", c.same, c.reason, diff)
			}
		})
	}
}

// A token of one tenant gets the same 401 on every route and with every method of another one, and
// changes nothing there.
func TestOtherTenantsToken(t *testing.T) {
	app := newApplication()
	h := serve(t, app, "{tenant}.example.com/scim/v2", nil)
	send := func(method, host, path, secret, body string) (int, string) {
		return sendTo(t, h, method, "http://"+host+".example.com/scim/v2"+path, secret, body)
	}
	status, made := send("POST", "acme", "/Users", "t-acme-secret", `{"userName": "ann"}`)
	if status != http.StatusCreated {
		t.Fatal(status, made)
	}
	_, rest, _ := strings.Cut(made, `"id":"`)
	id, _, _ := strings.Cut(rest, `"`)
	_, want := send("GET", "acme", "/Users", "unknown", "")
	for _, path := range []string{"", "/", "/Users", "/Users/" + id, "/Users/.search", "/Groups", "/Groups/1", "/Bulk", "/Me", "/.search",
		"/ServiceProviderConfig", "/ResourceTypes", "/ResourceTypes/User", "/Schemas", "/Nothing"} {
		for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} {
			status, got := send(method, "acme", path, "t-beta-secret", `{"userName": "eve"}`)
			if status != http.StatusUnauthorized || got != want {
				t.Errorf("%s %s with the token of another tenant: %d %s", method, path, status, got)
			}
		}
	}
	if status, got := send("GET", "acme", "/Users/"+id, "t-acme-secret", ""); status != http.StatusOK || !strings.Contains(got, `"ann"`) {
		t.Errorf("afterwards: %d %s", status, got)
	}
}

func sendTo(t *testing.T, h http.Handler, method, url, secret, body string) (int, string) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+secret)
	r.Header.Set("Content-Type", "application/scim+json")
	out := httptest.NewRecorder()
	h.ServeHTTP(out, r)
	return out.Code, out.Header().Get("WWW-Authenticate") + "\n" + out.Body.String()
}

// Settings count from the next request on, also those of the scim.Tenant.
func TestNextRequest(t *testing.T) {
	app := newApplication()
	h := serve(t, app, "{tenant}.example.com/scim/v2", nil)
	want := func(what string, status int, retryAfter string) {
		t.Helper()
		got, body, header := answer(t, h, "http://new.example.com/scim/v2/Users", "t-new-secret")
		if got != status || header.Get("Retry-After") != retryAfter {
			t.Errorf("%s: %d with Retry-After %q, want %d with %q: %s", what, got, header.Get("Retry-After"), status, retryAfter, body)
		}
	}
	want("not set up", 404, "")
	s := tenants.Switch{}
	s.TurnOff()
	app.set("new", s)
	want("what was never on is not switched off", 404, "")
	if err := s.TurnOn(); err != nil {
		t.Fatal(err)
	}
	app.set("new", s)
	want("on", 200, "")
	s.TurnOff()
	app.set("new", s)
	want("off", 503, "300")
	row := app.rows["new"]
	row.RetryAfter = time.Hour
	app.rows["new"] = row
	want("off for an hour", 503, "3600")
	app.down = errors.New("the database is gone")
	want("outage", 503, "10")
	app.down = &scim.Error{Status: http.StatusTooManyRequests, RetryAfter: time.Second}
	want("the application's answer", 429, "1")
	app.down = nil
	if err := s.TurnOn(); err != nil {
		t.Fatal(err)
	}
	app.set("new", s)
	want("on again", 200, "")
	app.rows["new"] = tenants.Setting{Switch: s, Tenant: &scim.Tenant{ID: "t-new", Store: memory.New(),
		Allow: func(context.Context, scim.Access) error { return errors.New("closed") }}}
	want("other settings", 403, "")
	before := app.asked
	want("the settings are asked for once a request", 403, "")
	if app.asked != before+1 {
		t.Errorf("asked %d times for one request", app.asked-before)
	}
}

// Behind a proxy the host is that of X-Forwarded-Host, but only from a proxy that Config names. The
// addresses in answers have the same host.
func TestProxies(t *testing.T) {
	h := serve(t, newApplication(), "{tenant}.example.com/scim/v2", func(c *scim.Config) {
		c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	})
	for _, c := range []struct {
		remote string
		status int
		reason string
	}{
		{"10.1.2.3:4000", 200, "the proxy is trusted"},
		{"192.0.2.1:4000", 404, "anybody can send this header"},
	} {
		status, got, _ := answer(t, h, "http://internal/scim/v2/ResourceTypes", "t-acme-secret", func(r *http.Request) {
			r.RemoteAddr = c.remote
			r.Header.Set("X-Forwarded-Host", "acme.example.com")
			r.Header.Set("X-Forwarded-Proto", "https")
		})
		if status != c.status || status == 200 && !strings.Contains(got, `"https://acme.example.com/scim/v2/ResourceTypes/User"`) {
			t.Errorf("%s: %d, want %d: %s\n%s", c.remote, status, c.status, c.reason, got)
		}
	}
}

// OpenDiscovery opens the descriptions of a tenant that is on, and of no other.
func TestOpenDiscovery(t *testing.T) {
	open := func(c *scim.Config) { c.OpenDiscovery = true }
	for _, c := range []struct {
		address, url string
		status       int
		reason       string
	}{
		{"{tenant}.example.com/", "http://acme.example.com/Schemas", 200, "the address names the tenant"},
		{"{tenant}.example.com/", "http://acme.example.com/Users", 401, "only descriptions are open"},
		{"{tenant}.example.com/", "http://new.example.com/Schemas", 404, "not set up"},
		{"{tenant}.example.com/", "http://old.example.com/Schemas", 401, "strangers do not learn that it is off"},
		{"/scim/v2", "http://any/scim/v2/Schemas", 401, "nothing names a tenant"},
	} {
		if status, got, _ := answer(t, serve(t, newApplication(), c.address, open), c.url, ""); status != c.status {
			t.Errorf("%s: %d, want %d: %s\n%s", c.url, status, c.status, c.reason, got)
		}
	}
}

// The authenticator's other answers stay as they are, and so do its challenge and its schemes.
func TestAuthenticator(t *testing.T) {
	for _, c := range []struct {
		name   string
		err    error
		status int
		reason string
	}{
		{"plain", errors.New("no"), 401, "any other error is 401"},
		{"outage", &scim.Error{Status: 503}, 503, "a client that gets 401 in an outage takes its token for revoked"},
		{"too many", &scim.Error{Status: 429}, 429, "a limit of the application"},
		{"no endpoint", scim.ErrNotFound, 404, "as scim.Authenticator says"},
	} {
		h := serve(t, newApplication(), "{tenant}.example.com/", func(c2 *scim.Config) { c2.Auth = failing{c.err} })
		if status, got, _ := answer(t, h, "http://acme.example.com/Users", "x"); status != c.status {
			t.Errorf("%s: %d, want %d: %s\n%s", c.name, status, c.status, c.reason, got)
		}
	}
	_, got, _ := answer(t, serve(t, newApplication(), "{tenant}.example.com/", nil), "http://acme.example.com/ServiceProviderConfig", "t-acme-secret")
	if !strings.Contains(got, "oauthbearertoken") {
		t.Errorf("schemes: %s", got)
	}
	_, _, header := answer(t, serve(t, newApplication(), "{tenant}.example.com/", nil), "http://acme.example.com/Users", "")
	if header.Get("WWW-Authenticate") != `Bearer realm="scim"` {
		t.Errorf("challenge %q", header.Get("WWW-Authenticate"))
	}
	h := serve(t, newApplication(), "{tenant}.example.com/", func(c *scim.Config) { c.Auth = failing{errors.New("no")} })
	if _, _, header = answer(t, h, "http://acme.example.com/Users", ""); header.Get("WWW-Authenticate") != "Bearer" {
		t.Errorf("challenge %q", header.Get("WWW-Authenticate"))
	}
}

type failing struct{ err error }

func (f failing) Authenticate(*http.Request) (scim.Principal, error) { return scim.Principal{}, f.err }

// A request that does not come through Mount gets nothing if the address names tenants.
func TestWithoutMount(t *testing.T) {
	c := scim.Config{Log: slog.New(slog.DiscardHandler), Auth: tokensOf("t-acme")}
	h, err := tenants.New(tenants.Options{Address: "{tenant}.example.com/", Settings: newApplication()}, c)
	if err != nil {
		t.Fatal(err)
	}
	if status, got, _ := answer(t, h, "http://acme.example.com/Users", "t-acme-secret"); status != 500 {
		t.Errorf("%d %s", status, got)
	}
	if status, _, _ := answer(t, h.Mount(nil), "http://elsewhere/", ""); status != 404 {
		t.Errorf("Mount(nil): %d elsewhere", status)
	}
}

func TestNew(t *testing.T) {
	_, err := tenants.New(tenants.Options{Address: "scim"}, scim.Config{Store: memory.New(),
		TenantFor: func(context.Context, scim.Principal) (*scim.Tenant, error) { return nil, nil }})
	for _, want := range []string{"Settings is missing", `Address "scim" has no path`, "TenantFor must be nil", "Auth: is missing", "Store"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q too", err, want)
		}
	}
}

func TestSwitch(t *testing.T) {
	const on, off, never = tenants.On, tenants.Off, tenants.NotSetUp
	for _, c := range []struct {
		name     string
		s        tenants.Switch
		act      func(s *tenants.Switch) error
		want     tenants.Switch
		excluded bool
		text     string // of an error
		reason   string
	}{
		{"on", tenants.Switch{}, (*tenants.Switch).TurnOn, tenants.Switch{State: on}, false, "", "the first time"},
		{"on beside LDAP", tenants.Switch{OtherSync: "LDAP"}, (*tenants.Switch).TurnOn, tenants.Switch{OtherSync: "LDAP"}, true, "LDAP runs for this tenant", "refused at the switch"},
		{"on again beside LDAP", tenants.Switch{State: off, OtherSync: "LDAP"}, (*tenants.Switch).TurnOn, tenants.Switch{State: off, OtherSync: "LDAP"}, true, "switch it off before", "it stays as it was"},
		{"LDAP", tenants.Switch{State: off}, ldap, tenants.Switch{State: off, OtherSync: "LDAP"}, false, "", "SCIM is off"},
		{"LDAP twice", tenants.Switch{OtherSync: "LDAP"}, ldap, tenants.Switch{OtherSync: "LDAP"}, false, "", "to switch it on again does nothing"},
		{"LDAP beside SCIM", tenants.Switch{State: on}, ldap, tenants.Switch{State: on}, true, "SCIM is on for this tenant", "the other way round"},
		{"LDAP beside another", tenants.Switch{OtherSync: "HR"}, ldap, tenants.Switch{OtherSync: "HR"}, false, "HR runs", "one name would be lost"},
		{"without a name", tenants.Switch{}, func(s *tenants.Switch) error { return s.StartSync("") }, tenants.Switch{}, false, "name", `"" means that none runs`},
		{"stop", tenants.Switch{State: off, OtherSync: "LDAP"}, func(s *tenants.Switch) error { s.StopSync(); return nil }, tenants.Switch{State: off}, false, "", "SCIM stays off"},
		{"off", tenants.Switch{State: on}, func(s *tenants.Switch) error { s.TurnOff(); return nil }, tenants.Switch{State: off}, false, "", "clients get 503"},
		{"off before on", tenants.Switch{State: never}, func(s *tenants.Switch) error { s.TurnOff(); return nil }, tenants.Switch{State: never}, false, "", "there was no endpoint"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := c.s
			err := c.act(&s)
			if diff := cmp.Diff(c.want, s); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
			if (err != nil) != (c.text != "") || err != nil && !strings.Contains(err.Error(), c.text) || errors.Is(err, tenants.ErrExcluded) != c.excluded {
				t.Errorf("error %v, want %q: %s", err, c.text, c.reason)
			}
		})
	}
}

func ldap(s *tenants.Switch) error { return s.StartSync("LDAP") }
