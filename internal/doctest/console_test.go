package doctest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth/tokens"
	"github.com/scimkit/scim/console"
	"github.com/scimkit/scim/journal"
	"github.com/scimkit/scim/store/memory"
	"github.com/scimkit/scim/store/sqlstore"
)

// What follows, up to the end marker, is in docs/console.md.

// admin is somebody who is logged in, as the application knows it.
type admin struct {
	email  string
	tenant string
	isIT   bool
}

// mountConsole puts the console under /provisioning. session finds out who is logged in.
func mountConsole(mux *http.ServeMux, session func(*http.Request) (admin, error), all *tokens.Tokens, j *journal.Journal, people scim.Store) error {
	c, err := console.New(console.Options{
		Authorize: func(r *http.Request) (console.Viewer, error) {
			a, err := session(r)
			if err != nil {
				return console.Viewer{}, err
			}
			return console.Viewer{ID: a.email, Tenants: []string{a.tenant}, May: console.May{Tokens: a.isIT, Bodies: a.isIT}}, nil
		},
		Tenant: func(_ context.Context, id string) (console.Tenant, error) {
			return console.Tenant{Name: "Acme", Address: "https://app.example.com/scim/v2", Tokens: all.Tenant(id), Directory: people}, nil
		},
		Journal: j,
		Home:    "/", // a link back to your pages
	})
	if err != nil {
		return err
	}
	mux.Handle("/provisioning/", http.StripPrefix("/provisioning", c))
	return nil
}

// withConsole serves SCIM under /scim/v2, the console under /provisioning, and app elsewhere. The store is migrated.
func withConsole(store *sqlstore.Store, resolver scim.RoleResolver, all *tokens.Tokens, j *journal.Journal, app *http.ServeMux,
	authorize func(*http.Request) (console.Viewer, error)) (http.Handler, *scim.Reconciler, error) {
	h, err := scim.New(j.Config(scim.Config{Store: store, Auth: all, Roles: &scim.Roles{Resolver: resolver},
		Rules: []scim.Rule{store.Adopt(sqlstore.SamePerson)}}))
	if err != nil {
		return nil, nil, err
	}
	roles, err := h.Reconciler(nil) // your own page of roles needs it too
	if err != nil {
		return nil, nil, err
	}
	c, err := console.New(console.Options{
		Authorize: authorize,
		Tenant: func(_ context.Context, id string) (console.Tenant, error) {
			return console.Tenant{Name: "Acme", Address: "https://app.example.com/scim/v2", Tokens: all.Tenant(id), Directory: store,
				Roles: roles, Links: store, Preview: roles, Endpoint: scim.Mount("/scim/v2", h, http.NotFoundHandler())}, nil
		},
		Journal: j,
	})
	if err != nil {
		return nil, nil, err
	}
	app.Handle("/provisioning/", http.StripPrefix("/provisioning", c))
	return scim.Mount("/scim/v2", j.Handler(h), app), roles, nil
}

// auditInto keeps each act of a viewer in a trail of the application. Give it to console.Options.Audit.
func auditInto(keep func(line string)) func(context.Context, console.Act) {
	return func(_ context.Context, a console.Act) {
		keep(fmt.Sprintf("%s: %q did %q with %q of tenant %q, by set-up link %q, error: %v", a.At.Format("2006-01-02 15:04:05"), a.Viewer, a.Kind, a.Object, a.Tenant, a.SetupLink, a.Err))
	}
}

// watchTroubles mails each trouble when it begins and when it ends, until ctx ends. Call it in a goroutine that you own.
func watchTroubles(ctx context.Context, c *console.Console, customers func(context.Context) ([]string, error), mail func(ctx context.Context, tenant, subject, text string) error) error {
	return c.Watch(ctx, console.Watching{
		Tenants: customers, // leave it out in an application with one tenant
		Tell: func(ctx context.Context, n console.Notice) error {
			subject := "Provisioning needs a look"
			if n.HasEnded {
				subject = "Provisioning is well again"
			}
			return mail(ctx, n.Tenant, subject, n.Text)
		},
	})
}

// mountSetup adds set-up links to the options of a console, and serves them outside of the log-in.
func mountSetup(mux *http.ServeMux, o console.Options, key []byte, isIT func(ctx context.Context, email, tenant string) (bool, error)) error {
	o.Setup = &console.Setup{
		Address:  "https://app.example.com/provisioning-setup/",
		Keys:     [][]byte{key}, // 32 random bytes, the same in each process
		MayStill: isIT,
	}
	c, err := console.New(o)
	if err != nil {
		return err
	}
	mux.Handle("/provisioning/", http.StripPrefix("/provisioning", c)) // behind the log-in
	mux.Handle("/provisioning-setup/", http.StripPrefix("/provisioning-setup", c.Setup()))
	return nil
}

// supportViewer is a viewer from the application's own support: without rights of their own, they see a tenant as its administrators do.
func supportViewer(email string, tenants []string) console.Viewer {
	return console.Viewer{ID: email, Tenants: tenants, SeeAs: &console.May{Tokens: true, Bodies: true}}
}

// End of docs/console.md.

// newTrail returns tokens and a journal in memory.
func newTrail(t *testing.T) (*tokens.Tokens, *journal.Journal) {
	t.Helper()
	all, err := tokens.New(tokens.NewMemory(), tokens.Options{})
	if err != nil {
		t.Fatal(err)
	}
	j, err := journal.New(journal.NewMemory(1<<20), journal.Options{Keys: journal.NewEphemeralKeys()})
	if err != nil {
		t.Fatal(err)
	}
	return all, j
}

func TestConsolePage(t *testing.T) {
	all, j := newTrail(t)
	mux := http.NewServeMux()
	session := func(r *http.Request) (admin, error) {
		if r.Header.Get("Cookie") == "" {
			return admin{}, fmt.Errorf("nobody is logged in")
		}
		return admin{email: "ann@example.com"}, nil
	}
	if err := mountConsole(mux, session, all, j, memory.New()); err != nil {
		t.Fatal(err)
	}
	for cookie, want := range map[string]string{"": "You may not do this", "x=y": `<a class="up" href="/">`} {
		r := httptest.NewRequest(http.MethodGet, "/provisioning/", nil)
		r.Header.Set("Cookie", cookie)
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("cookie %q: %d %s", cookie, w.Code, w.Body)
		}
	}
	var trail []string
	auditInto(func(line string) { trail = append(trail, line) })(t.Context(), console.Act{Viewer: "ann", Kind: console.IssueToken, Object: "1"})
	if len(trail) != 1 || !strings.Contains(trail[0], `"ann" did "issue token" with "1"`) {
		t.Errorf("the trail is %q", trail)
	}
}

// A token that ends soon is mailed once.
func TestWatchTroubles(t *testing.T) {
	all, j := newTrail(t)
	if _, _, err := all.Tenant("acme").Issue(t.Context(), tokens.Request{Label: "Okta", Expires: time.Now().Add(73 * time.Hour)}); err != nil {
		t.Fatal(err)
	}
	c, err := console.New(console.Options{
		Authorize: func(*http.Request) (console.Viewer, error) { return console.Viewer{}, errors.New("nobody looks") },
		Tenant: func(_ context.Context, id string) (console.Tenant, error) {
			return console.Tenant{Tokens: all.Tenant(id)}, nil
		},
		Journal: j,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var mails []string
	err = watchTroubles(ctx, c, func(context.Context) ([]string, error) { return []string{"acme", "acme"}, nil }, func(_ context.Context, tenant, subject, text string) error {
		mails = append(mails, tenant+": "+subject+": "+text)
		cancel()
		return nil
	})
	const want = `acme: Provisioning needs a look: The token "Okta" ends in 3 days. Replace it on the page Connection.`
	if err != nil || len(mails) != 1 || mails[0] != want {
		t.Errorf("%q, %v", mails, err)
	}
}

func TestConsoleSetupPage(t *testing.T) {
	all, j := newTrail(t)
	mux := http.NewServeMux()
	viewer := console.Viewer{ID: "ann@example.com", Tenants: []string{"acme"}, May: console.May{Tokens: true}}
	o := console.Options{
		Authorize: func(*http.Request) (console.Viewer, error) { return viewer, nil },
		Tenant: func(_ context.Context, id string) (console.Tenant, error) {
			return console.Tenant{Name: "Acme", Address: "https://app.example.com/scim/v2", Tokens: all.Tenant(id)}, nil
		},
		Journal: j,
	}
	isIT := func(context.Context, string, string) (bool, error) { return true, nil }
	if err := mountSetup(mux, o, []byte("0123456789abcdef0123456789abcdef"), isIT); err != nil {
		t.Fatal(err)
	}
	send := func(method, path, form string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, path, strings.NewReader(form))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		return w
	}
	page := send(http.MethodPost, "/provisioning/t/acme/connection/links", "life=3&opens=all&tokens=3").Body.String()
	_, code, _ := strings.Cut(page, "https://app.example.com/provisioning-setup/#")
	code, _, _ = strings.Cut(code, "<")
	if w := send(http.MethodPost, "/provisioning-setup/", "code="+code); w.Code != http.StatusSeeOther {
		t.Errorf("to open the link is %d: %s", w.Code, w.Body)
	}
	viewer = supportViewer("bob@example.com", []string{"acme", "other"})
	if w := send(http.MethodGet, "/provisioning/as/acme/connection", ""); !strings.Contains(w.Body.String(), "Make a token") {
		t.Errorf("to see as an administrator is %d: %s", w.Code, w.Body)
	}
	if w := send(http.MethodPost, "/provisioning/as/acme/connection/tokens", "label=x&life=90"); w.Code != http.StatusForbidden {
		t.Errorf("to act as an administrator is %d", w.Code)
	}
}
