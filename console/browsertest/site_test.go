package browsertest

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth/tokens"
	"github.com/scimkit/scim/console"
	"github.com/scimkit/scim/journal"
	"github.com/scimkit/scim/store/memory"
)

// site is an application with a console and a client that has sent something.
type site struct {
	*httptest.Server
	t        *testing.T
	endpoint http.Handler
	secret   string
	person   string // the id of a person, and group that of a group
	group    string
	journal  *journal.Journal
	roles    roles

	mu   sync.Mutex
	seen []string // the address and the Referer of each request of the browser
}

// keep keeps what a log of a server would have.
func (s *site) keep(r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = append(s.seen, r.RequestURI, r.Referer())
}

// roles are those of the application: groups give the role of their name.
type roles struct {
	mu   sync.Mutex
	held map[string]map[string]bool
}

func (*roles) list(context.Context) ([]scim.Role, error) {
	return []scim.Role{{ID: "editor", Name: "Editors"}, {ID: "owner", Name: "Owners", Protected: true}, {ID: "viewer", Name: "Viewers"}}, nil
}

// ResolveRoles implements scim.RoleResolver.
func (a *roles) ResolveRoles(ctx context.Context, src scim.RoleSource) ([]scim.Role, error) {
	all, err := a.list(ctx)
	for _, r := range all {
		if r.Name == src.Name() {
			return []scim.Role{r}, nil
		}
	}
	if err != nil {
		return nil, err
	}
	return nil, scim.ErrNoRole
}

// HeldRoles implements scim.RoleResolver.
func (a *roles) HeldRoles(ctx context.Context, userIDs []string) (map[string][]scim.Role, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	all, err := a.list(ctx)
	held := map[string][]scim.Role{}
	for _, id := range userIDs {
		for _, r := range all {
			if a.held[id][r.ID] {
				held[id] = append(held[id], r)
			}
		}
	}
	return held, err
}

// ChangeRoles implements scim.RoleResolver.
func (a *roles) ChangeRoles(_ context.Context, changes []scim.RoleChange) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, c := range changes {
		if a.held[c.UserID] == nil {
			a.held[c.UserID] = map[string]bool{}
		}
		for _, r := range c.Revoke {
			delete(a.held[c.UserID], r.ID)
		}
		for _, r := range c.Grant {
			a.held[c.UserID][r.ID] = true
		}
	}
	return nil
}

// newSite starts an application. Its viewer sees these tenants, of which only "" has anything.
func newSite(t *testing.T, seen ...string) *site {
	t.Helper()
	s := &site{t: t, roles: roles{held: map[string]map[string]bool{}}}
	quiet := slog.New(slog.DiscardHandler)
	store := memory.New()
	all, err := tokens.New(tokens.NewMemory(), tokens.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if s.journal, err = journal.New(journal.NewMemory(16<<20), journal.Options{Keys: journal.NewEphemeralKeys(), Log: quiet}); err != nil {
		t.Fatal(err)
	}
	h, err := scim.New(s.journal.Config(scim.Config{Store: store, Auth: all, Roles: &scim.Roles{Resolver: &s.roles, Separate: true}, Log: quiet}))
	if err != nil {
		t.Fatal(err)
	}
	reconciler, err := h.Reconciler(nil)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.keep(r)
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	s.endpoint = scim.Mount("/scim/v2", s.journal.Handler(h), nil)
	if s.secret, _, err = all.Tenant("").Issue(t.Context(), tokens.Request{Label: "Okta", Maker: "ann@acme.test", Expires: time.Now().AddDate(1, 0, 0)}); err != nil {
		t.Fatal(err)
	}
	c, err := console.New(console.Options{
		Authorize: func(*http.Request) (console.Viewer, error) {
			return console.Viewer{ID: "ann@acme.test", Tenants: seen, May: console.May{Tokens: true, Roles: true, Bodies: true},
				SeeAs: &console.May{Tokens: true, Roles: true, Bodies: true}}, nil
		},
		Tenant: func(_ context.Context, id string) (console.Tenant, error) {
			return console.Tenant{Name: strings.TrimSpace("Acme " + id), Address: "https://app.acme.test/scim/v2", Tokens: all.Tenant(id), Directory: store,
				Roles: reconciler, Links: store, AllRoles: s.roles.list, Endpoint: scim.Mount("/scim/v2", h, nil), Preview: reconciler}, nil
		},
		Journal: fortnight{s.journal},
		Setup: &console.Setup{Address: s.URL + "/connect/", Keys: [][]byte{[]byte("a key of the browser's tests.....")[:32]},
			MayStill: func(context.Context, string, string) (bool, error) { return true, nil }},
		Log: quiet,
	})
	if err != nil {
		t.Fatal(err)
	}
	mux.Handle("/connect/", http.StripPrefix("/connect", c.Setup()))
	mux.Handle("/provisioning/", http.StripPrefix("/provisioning", c))
	s.play()
	return s
}

// fortnight is a journal in which the tenant "busy" has two weeks of requests, of which some have failed, and a client that has
// been silent for 3 hours.
type fortnight struct{ *journal.Journal }

func (f fortnight) Summary(ctx context.Context, tenant string, from, to time.Time) ([]journal.Summary, error) {
	if tenant != "busy" {
		return f.Journal.Summary(ctx, tenant, from, to)
	}
	now := time.Now().UTC()
	today := now.Truncate(24 * time.Hour)
	var all []journal.Summary
	for d := range 14 {
		okta := journal.Summary{Day: today.AddDate(0, 0, d-13), Client: "okta", Label: "Okta"}
		entra := journal.Summary{Day: okta.Day, Client: "entra", Label: "Entra, offices in Berlin"}
		for hour := range 24 {
			at := okta.Day.Add(time.Duration(hour) * time.Hour)
			if at.After(now) {
				break
			}
			n := journal.HourCount{Requests: 40 + 60*(hour%12) + 17*(d*hour%7)}
			if d == 6 || now.Sub(at) < 20*time.Hour {
				n.Failed = n.Requests * (hour%5 + 1) / 8
			}
			okta.Hours[hour], okta.LastContact = n, at
			okta.Reads += n.Requests - n.Failed
			okta.Failures = append(okta.Failures, journal.FailureCount{Status: 409, Type: "uniqueness", Requests: n.Failed, Last: at})
			if now.Sub(at) > 4*time.Hour {
				entra.Hours[hour], entra.LastContact = journal.HourCount{Requests: 12}, at
				entra.Updates += 12
			}
		}
		all = append(all, okta, entra)
	}
	return all, nil
}

const (
	userBody  = `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"externalId":"00u%[1]s","userName":"%[1]s@acme.test","displayName":"%[2]s","emails":[{"value":"%[1]s@acme.test","primary":true}]}`
	groupBody = `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"%s","members":[{"value":"%s"}]}`
	patchBody = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[%s]}`
)

// play sends what an identity provider sends on its first day.
func (s *site) play() {
	s.t.Helper()
	s.send(200, "GET", "/ServiceProviderConfig", "")
	s.send(200, "GET", "/Users?filter=userName+eq+%22ada%40acme.test%22", "")
	s.person = s.send(201, "POST", "/Users", fmt.Sprintf(userBody, "ada", "Ada Lovelace"))
	bob := s.send(201, "POST", "/Users", fmt.Sprintf(userBody, "bob", "Bob Noyce"))
	s.group = s.send(201, "POST", "/Groups", fmt.Sprintf(groupBody, "Editors", s.person))
	s.send(201, "POST", "/Groups", fmt.Sprintf(groupBody, "Owners", s.person))
	s.send(204, "PATCH", "/Groups/"+s.group, fmt.Sprintf(patchBody, `{"op":"Add","path":"members","value":[{"value":"`+bob+`"}]}`))
	s.send(200, "PATCH", "/Users/"+bob, fmt.Sprintf(patchBody, `{"op":"replace","path":"active","value":false}`))
	s.send(409, "POST", "/Users", fmt.Sprintf(userBody, "ADA", "Ada King"))
	if err := s.journal.Flush(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
}

// send sends a request, and returns the id of what it created.
func (s *site) send(status int, method, path, body string) string {
	s.t.Helper()
	r := httptest.NewRequest(method, "https://app.acme.test/scim/v2"+path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+s.secret)
	r.Header.Set("Content-Type", "application/scim+json")
	w := httptest.NewRecorder()
	s.endpoint.ServeHTTP(w, r)
	if w.Code != status {
		s.t.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
	}
	location := w.Header().Get("Location")
	return location[strings.LastIndexByte(location, '/')+1:]
}
