package console_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/console"
	"github.com/scimkit/scim/journal"
	"github.com/scimkit/scim/store/memory"
)

// product is an application whose groups give the role of their name. "Owner" is protected.
type product struct {
	*world
	h     *scim.Handler
	roles *scim.Reconciler
	mu    sync.Mutex
	held  map[string]map[string]bool
}

func (p *product) list() []scim.Role {
	return []scim.Role{{ID: "r1", Name: "Editor"}, {ID: "r2", Name: "Owner", Protected: true}, {ID: "r3", Name: "Viewer"}}
}

// ResolveRoles implements scim.RoleResolver.
func (p *product) ResolveRoles(_ context.Context, src scim.RoleSource) ([]scim.Role, error) {
	for _, r := range p.list() {
		if r.Name == src.Name() {
			return []scim.Role{r}, nil
		}
	}
	return nil, scim.ErrNoRole
}

// HeldRoles implements scim.RoleResolver.
func (p *product) HeldRoles(_ context.Context, userIDs []string) (map[string][]scim.Role, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := map[string][]scim.Role{}
	for _, id := range userIDs {
		for _, r := range p.list() {
			if p.held[id][r.ID] {
				all[id] = append(all[id], r)
			}
		}
	}
	return all, nil
}

// ChangeRoles implements scim.RoleResolver.
func (p *product) ChangeRoles(_ context.Context, changes []scim.RoleChange) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range changes {
		if p.held[c.UserID] == nil {
			p.held[c.UserID] = map[string]bool{}
		}
		for _, r := range c.Revoke {
			delete(p.held[c.UserID], r.ID)
		}
		for _, r := range c.Grant {
			p.held[c.UserID][r.ID] = true
		}
	}
	return nil
}

// newProduct returns a product with a console.
func newProduct(t *testing.T) *product {
	t.Helper()
	return newProductOver(t, memory.New())
}

// newProductOver returns a product whose people and links a store keeps.
func newProductOver(t *testing.T, store interface {
	scim.Store
	scim.Ledger
}) *product {
	t.Helper()
	p := &product{world: newWorld(t, ""), held: map[string]map[string]bool{}}
	var err error
	p.h, err = scim.New(scim.Config{Store: store, Auth: auth.None(), Roles: &scim.Roles{Resolver: p, Separate: true}, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if p.roles, err = p.h.Reconciler(nil); err != nil {
		t.Fatal(err)
	}
	p.tenant = console.Tenant{Directory: store, Roles: p.roles, Links: store, AllRoles: func(context.Context) ([]scim.Role, error) { return p.list(), nil }}
	p.start()
	return p
}

// create creates a resource as a client does, and returns its id.
func (p *product) create(path, body string) string {
	p.Helper()
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/scim+json")
	w := httptest.NewRecorder()
	p.h.ServeHTTP(w, r)
	if w.Code != http.StatusCreated {
		p.Fatalf("%s: %d %s", path, w.Code, w.Body)
	}
	location := w.Header().Get("Location")
	return location[strings.LastIndexByte(location, '/')+1:]
}

const (
	userOf  = `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"NAME","displayName":"NAME <i>","externalId":"00uNAME","active":ACTIVE}`
	groupOf = `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"NAME","members":[{"value":"MEMBER"}]}`
)

func (p *product) user(name, active string) string {
	p.Helper()
	return p.create("/Users", strings.NewReplacer("NAME", name, "ACTIVE", active).Replace(userOf))
}

func (p *product) group(name, member string) string {
	p.Helper()
	return p.create("/Groups", strings.NewReplacer("NAME", name, "MEMBER", member).Replace(groupOf))
}

func TestPerson(t *testing.T) {
	p := newProduct(t)
	ann := p.user("ann", "true")
	p.group("Editor", ann)
	p.group("Owner", ann)
	bob := p.user("bob", "false")
	if err := p.ChangeRoles(t.Context(), []scim.RoleChange{{UserID: bob, Grant: p.list()[2:]}}); err != nil {
		t.Fatal(err)
	}
	e := exchange("POST", 201, journal.Detail{Touched: []journal.Touched{{Type: "User", ID: ann, Names: []string{"ann"}}}})
	p.entries.add(e)

	p.wants(p.get(200, "/people/"+ann), "ann &lt;i&gt;", "00uann", "stored: active", "role: Editor", "through the group Editor", "waiting", "Owner", "through the group Owner",
		"received", "Create person", "!still has a role")
	p.wants(p.get(200, "/people/"+bob), "stored: deactivated", "given by hand in the application", "still has a role that was given by hand", "nothing received yet", "The journal has nothing")
	p.wants(p.get(200, "/people"), "2 people", "ann &lt;i&gt;", "deactivated")
	for query, want := range map[string]string{"an": "ann &lt;i&gt;", "00uann": "ann &lt;i&gt;", ann: "ann &lt;i&gt;", "ANN": "ann &lt;i&gt;", `"\`: "Nobody fits", "bo": "!ann &lt;"} {
		p.wants(p.get(200, "/people?q="+url.QueryEscape(query)), want)
	}
	for _, path := range []string{"/people/none", "/people/" + url.PathEscape("../x"), "/groups/" + ann, "/people/~Lg"} {
		p.get(404, path)
	}
	p.entries.err = errors.New("secret")
	p.wants(p.get(200, "/people/"+ann), "The journal cannot be read now", "through the group Editor", "!secret")
}

func TestGroups(t *testing.T) {
	p := newProduct(t)
	ann := p.user("ann", "true")
	editors, owners := p.group("Editor", ann), p.group("Owner", ann)
	p.group("Lunch <i>", ann)

	page := p.get(200, "/groups")
	p.wants(page, "3 groups", "Lunch &lt;i&gt;", "no role", "waits for a confirmation", "The group Owner asks for the role Owner", "Confirm", "Decline")
	p.wants(p.get(200, "/"), "1 decision about roles waits for you.", `href="./groups">decide who gets a role`)
	p.wants(p.get(200, "/groups?q=Lu"), "1 group", "!>Editor<")
	group := p.get(200, "/groups/"+editors)
	p.wants(group, "Gives its members the role <b>Editor</b>", "ann &lt;i&gt;", "What if it stood for another role?", "!Nothing was changed now")
	viewer := base64.RawURLEncoding.EncodeToString([]byte("\x00r3"))
	p.wants(p.get(200, "/groups/"+editors+"?role="+viewer), "the roles of 1 person would change", "gets Viewer and loses Editor", "Nothing was changed now")
	p.wants(p.get(200, "/groups/"+editors+"?role=x"), "!With the role")
	p.wants(p.get(200, "/people/"+ann), "role: Editor")

	p.decide(owners, page)
}

// decide confirms what waits, and looks at what becomes of it.
func (p *product) decide(owners, page string) {
	p.Helper()
	_, key, _ := strings.Cut(page, `name="key" value="`)
	key, _, _ = strings.Cut(key, `"`)
	for name, form := range map[string]url.Values{
		"another decision": {"key": {key}, "decision": {"x"}}, "no key": {"decision": {"confirm"}}, "no text": {"key": {"%"}, "decision": {"confirm"}},
	} {
		if answer := p.do(http.MethodPost, "/groups/pending", form); answer.Code != http.StatusBadRequest {
			p.Errorf("%s: status %d", name, answer.Code)
		}
	}
	p.viewer.May = console.May{}
	p.post(403, "/groups/pending", url.Values{"key": {key}, "decision": {"confirm"}})
	p.wants(p.get(200, "/groups"), "You may not decide this", "!<button class=\"main\" name=\"decision\"")
	p.viewer.May = everything
	answer := p.do(http.MethodPost, "/groups/pending", url.Values{"key": {key}, "decision": {"confirm"}})
	if answer.Code != http.StatusSeeOther || answer.Header().Get("Location") != "../groups" {
		p.Errorf("to confirm is %d to %q", answer.Code, answer.Header().Get("Location"))
	}
	p.wants(p.get(200, "/groups/"+owners), "Gives its members the role <b>Owner</b>", "!waits for a confirmation")
	moved := p.post(409, "/groups/pending", url.Values{"key": {key}, "decision": {"decline"}})
	p.wants(moved, "has changed meanwhile, and nothing was done")
	if diff := cmp.Diff([]console.ActKind{console.Confirm, console.Confirm, console.Decline}, kinds(p.acts)); diff != "" || p.acts[0].Err == nil || p.acts[1].Err != nil || p.acts[2].Err == nil {
		p.Errorf("acts %+v: %s", p.acts, diff)
	}
}

// plainDirectory is a store without transactions, members and roles.
type plainDirectory struct{ console.Directory }

func TestWithoutRoles(t *testing.T) {
	p := newProduct(t)
	ann := p.user("ann", "true")
	editors := p.group("Editor", ann)
	p.tenant = console.Tenant{Directory: plainDirectory{p.tenant.Directory}}
	p.wants(p.get(200, "/people/"+ann), "stored: active", "!Roles, and why")
	p.wants(p.get(200, "/groups"), "Editor", "!no role", "!Waits for you")
	p.wants(p.get(200, "/groups/"+editors), "!What if")
	p.post(404, "/groups/pending", url.Values{"key": {"eA"}, "decision": {"confirm"}})
	p.tenant = console.Tenant{}
	for _, path := range []string{"/people", "/people/" + ann, "/groups", "/groups/" + editors} {
		p.get(404, path)
	}
	p.wants(p.get(200, "/"), "!People", "!Groups")
}

func TestProblems(t *testing.T) {
	w := newWorld(t, "").start()
	w.wants(w.get(200, "/problems"), "Nothing waits to be solved", "last 7 days")
	w.entries.problems = []journal.Problem{
		{Status: 409, Detail: "userName is taken <i>", Requests: 4, Since: now.AddDate(0, 0, -1), Last: now, Concerned: 2, Solved: 1, Actor: journal.Customer, Advice: "Change one.", Newest: "e1"},
		{Status: 500, Requests: 1, Since: now, Last: now, Concerned: 1, Solved: 1, Actor: journal.Vendor, Advice: "Look at the log.", Newest: "e2"},
	}
	w.wants(w.get(200, "/activity"), `>Problems</a>`)
	w.later = time.Second
	w.wants(w.get(200, "/problems"), "Nothing waits to be solved") // It is remembered for a moment.
	w.later = 29 * time.Second
	w.wants(w.get(200, "/activity"), `>Problems</a>`) // The number is remembered for longer.
	w.wants(w.get(200, "/"), "1 problem needs you")
	w.wants(w.get(200, "/activity"), `>Problems <span class="n">1<span class="hidden"> open</span></span></a>`)
	w.golden("problems", w.get(200, "/problems"))
	w.wants(w.get(200, "/problems?days=30"), "last 30 days")
	w.wants(w.get(200, "/problems?days=1000000"), "last 7 days")
	w.entries.err, w.later = errors.New("secret"), time.Hour
	w.wants(w.get(503, "/problems"), "The journal cannot be read now", "!Nothing waits", "!secret", `>Problems</a>`)
	w.entries.err = nil
	w.wants(w.get(200, "/problems"), "userName is taken") // An error is not remembered.
}

// People and groups have names that clients choose.
func TestHostileNames(t *testing.T) {
	p := newProduct(t)
	name, err := json.Marshal(strings.ReplaceAll(evil, "\x00", "")) // No name has U+0000.
	if err != nil {
		t.Fatal(err)
	}
	user := p.create("/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"x7","displayName":`+string(name)+`,"externalId":`+string(name)+`}`)
	group := p.create("/Groups", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":`+string(name)+`,"members":[{"value":"`+user+`"}]}`)
	owners := p.group("Owner", user)
	for _, path := range []string{"/people", "/people/" + user, "/groups", "/groups/" + group, "/groups/" + owners, "/people?q=" + url.QueryEscape(evil), "/problems"} {
		if path == "/problems" {
			p.later = time.Minute
			p.entries.problems = []journal.Problem{{Detail: evil, Type: evil, Concerned: 1, Actor: evil, Advice: evil, Newest: evil}}
		}
		isClean(t, path, p.get(200, path))
	}
}
