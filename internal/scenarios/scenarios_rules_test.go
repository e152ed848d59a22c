package scenarios

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/rules"
	"github.com/scimkit/scim/store/sqlstore"
)

// TestRules plays the scenarios of the ready-made rules everywhere.
func TestRules(t *testing.T) {
	everywhere(t, func(t *testing.T, in setting) {
		for _, c := range ruleChapters() {
			for _, s := range c.scenarios {
				t.Run(s.name, func(t *testing.T) { s.play(t, in, false) })
			}
		}
	})
}

// ruleChapters are the scenarios of the ready-made rules.
func ruleChapters() []chapter {
	return []chapter{
		{"Rules: a new address means a new account", newAccountScenarios()},
		{"Rules: verified domains", domainScenarios()},
		{"Rules: accounts that are there already", existingScenarios()},
	}
}

// accounts is an application in which SCIM users stand for accounts, and an account is an
// address. The roles belong to the accounts.
type accounts struct {
	scim.RoleResolver
	mu     sync.Mutex
	of     map[string]string // the account of a user; the first one has the user's id
	former []string          // deactivated accounts
	moves  int
	// known are accounts from before SCIM, by address. links says that a user may become one.
	known map[string]string
	links bool
}

func (a *accounts) account(user string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if id := a.of[user]; id != "" {
		return id
	}
	return user
}

func (a *accounts) HeldRoles(ctx context.Context, userIDs []string) (map[string][]scim.Role, error) {
	ids := make([]string, len(userIDs))
	for i, id := range userIDs {
		ids[i] = a.account(id)
	}
	byAccount, err := a.RoleResolver.HeldRoles(ctx, ids)
	held := map[string][]scim.Role{}
	for i, id := range userIDs {
		held[id] = byAccount[ids[i]]
	}
	return held, err
}

func (a *accounts) ChangeRoles(ctx context.Context, changes []scim.RoleChange) error {
	changes = slices.Clone(changes)
	for i := range changes {
		changes[i].UserID = a.account(changes[i].UserID)
	}
	return a.RoleResolver.ChangeRoles(ctx, changes)
}

// move is the application's part of rules.NewAccount.
func (a *accounts) move(_ context.Context, before, after *scim.Resource) error {
	name, old := after.String("userName"), a.account(before.ID())
	a.mu.Lock()
	defer a.mu.Unlock()
	a.moves++
	next := "account of " + name
	if id := a.known[name]; id != "" {
		if !a.links {
			return scim.Conflict("userName")
		}
		next = id
	}
	if old != next {
		a.former = append(a.former, old)
	}
	a.of[before.ID()] = next
	return nil
}

// movesAccounts makes a new userName mean a new account. U is in G→R and holds S by hand.
func (w *world) movesAccounts() *accounts {
	w.t.Helper()
	w.role("R")
	w.role("S")
	a := &accounts{RoleResolver: w.app, of: map[string]string{}, known: map[string]string{"known@example.com": "known"}}
	w.roles.Resolver = a
	w.ruled(rules.NewAccount(a.move))
	w.user("U")
	w.byHand("U", "S")
	w.group("G", "R", "U")
	w.wantRoles("U", "R", "S")
	w.mark()
	return a
}

// ruled makes requests go to a handler with rules.
func (w *world) ruled(list ...scim.Rule) {
	w.t.Helper()
	c := w.config()
	c.Rules = list
	w.h = []*scim.Handler{w.handler(c)}
}

func (w *world) userName(id string) any {
	w.t.Helper()
	return w.do("GET", "/Users/"+id, nil).body["userName"]
}

func newAccountScenarios() []scenario {
	const address = "account of new@example.com"
	var all []scenario
	for _, by := range []struct {
		name   string
		rename func(w *world)
	}{
		{"PUT", func(w *world) { w.do("PUT", "/Users/U", profile("new")) }},
		{"PATCH", func(w *world) { w.do("PATCH", "/Users/U", renameTo("new@example.com")) }},
	} {
		name, rename := by.name, by.rename
		all = append(all, scenario{name: "S71 a new address means a new account, by " + name,
			given:  "an application in which an account is an address, with rules.NewAccount; U in G→R, holds S by hand",
			when:   "the client changes the userName of U; later U leaves G and comes back, and is renamed again",
			then:   "The resource keeps its id. The old account is deactivated, loses R and keeps S. The new one gets R, and no S.",
			reason: "no account may keep access without a master",
			run: func(w *world) {
				a := w.movesAccounts()
				rename(w)
				w.diff("userName", any("new@example.com"), w.userName("U"))
				w.diff("former accounts", []string{"U"}, a.former)
				w.wantRoles("U", "S")
				w.wantRoles(address, "R")
				w.wantMembers("G", "U")
				w.wantLedger("U", "R group:G")
				w.wantExplain("U", "R granted group:G")
				w.reconcile("U")
				w.wantChanges("U -R", address+" +R = R")
				w.remove("G", "U")
				w.wantRoles(address)
				w.wantRoles("U", "S")
				w.add("G", "U")
				w.do("PUT", "/Users/U", profile("third"))
				w.diff("former accounts", []string{"U", address}, a.former)
				w.wantRoles(address)
				w.wantRoles("account of third@example.com", "R")
			}})
	}
	return append(all,
		scenario{name: "S71 the new address has an account, which may be linked",
			given:  "as before, and the new address has an account that holds R by hand; the policy allows it",
			when:   "the client changes the userName; then U leaves G",
			then:   "The known account keeps R, also after U has left G.",
			reason: "what was given to it by hand stays by hand",
			run: func(w *world) {
				a := w.movesAccounts()
				a.links = true
				w.app.Give("known", "R")
				w.do("PUT", "/Users/U", profile("known"))
				w.wantRoles("U", "S")
				w.wantRoles("known", "R")
				w.wantLedger("U", "R group:G by hand")
				w.remove("G", "U")
				w.wantRoles("known", "R")
			}},
		scenario{name: "S71 the new address has an account, which may not be linked",
			given:  "as before, and the policy does not allow it",
			when:   "the client changes the userName",
			then:   "409 uniqueness, and nothing changes.",
			reason: "whoever names an address would take over an account",
			run: func(w *world) {
				a := w.movesAccounts()
				w.wantRefused(w.send("PUT", "/Users/U", profile("known")), 409, "uniqueness", "userName")
				w.diff("userName", any("U@example.com"), w.userName("U"))
				w.diff("former accounts", []string(nil), a.former)
				w.wantRoles("U", "R", "S")
				w.wantRoles("known")
				w.wantLedger("U", "R group:G")
				w.reconcile("U")
				w.remove("G", "U")
				w.wantRoles("U", "S")
			}},
		scenario{name: "S71 the new address is another user's",
			given:  "as before, and V has the new userName",
			when:   "the client changes the userName of U",
			then:   "409 uniqueness, and no account moves.",
			reason: "the store refuses it, and nothing moves",
			run: func(w *world) {
				a := w.movesAccounts()
				w.user("V")
				w.wantRefused(w.send("PUT", "/Users/U", profile("V")), 409, "uniqueness", "userName")
				w.diff("moves", 0, a.moves)
				w.wantRoles("U", "R", "S")
			}},
		scenario{name: "S71 a protected role that waits goes on waiting",
			given:  "as before, and Owner waits for U's return",
			when:   "the client changes the userName; then a PATCH names U; then the userName changes again",
			then:   "Owner waits on. Then the new account holds it, and takes it along.",
			reason: "a new address must not bring an administrator back (S61)",
			run: func(w *world) {
				w.protectedRole("Owner")
				w.movesAccounts()
				w.group("H", "Owner", "U")
				w.must(w.reconciler().Confirm(ctx(), "H", scim.Role{ID: "Owner"}))
				w.deactivate("U")
				w.activate("U")
				w.wantRoles("U", "R", "S")
				w.do("PUT", "/Users/U", profile("new"))
				w.wantRoles(address, "R")
				w.wantLedger("U", "Owner group:H waiting", "R group:G")
				w.add("H", "U")
				w.wantRoles(address, "Owner", "R")
				w.do("PUT", "/Users/U", profile("third"))
				w.wantRoles(address)
				w.wantRoles("account of third@example.com", "Owner", "R")
			}},
		scenario{name: "S71 what the old account has by hand stays there",
			given:  "as before, and the old account holds T by hand, which a group gives too, and Owner by hand, while the group's waits",
			when:   "the client changes the userName",
			then:   "The old account keeps S, T and Owner. The new one gets R and T, which groups give.",
			reason: "hand-given roles are not carried over",
			run: func(w *world) {
				w.role("T")
				w.protectedRole("Owner")
				w.movesAccounts()
				w.byHand("U", "T")
				w.group("H", "T", "U")
				w.group("I", "Owner", "U")
				w.must(w.reconciler().Confirm(ctx(), "I", scim.Role{ID: "Owner"}))
				w.deactivate("U")
				w.activate("U")
				w.wantLedger("U", "Owner group:I waiting", "R group:G", "T group:H by hand")
				w.app.Give("U", "Owner") // while the group's waits
				w.do("PUT", "/Users/U", profile("new"))
				w.wantRoles("U", "Owner", "S", "T")
				w.wantRoles(address, "R", "T")
				w.wantLedger("U", "Owner group:I waiting", "R group:G", "T group:H")
			}},
		scenario{name: "S71 other letters are no new address",
			given:  "as before",
			when:   "the client changes only the case of the userName",
			then:   "No account moves.",
			reason: "stores compare names without case",
			run: func(w *world) {
				a := w.movesAccounts()
				w.do("PUT", "/Users/U", profile("u"))
				w.diff("userName", any("u@example.com"), w.userName("U"))
				w.diff("moves", 0, a.moves)
				w.wantRoles("U", "R", "S")
			}},
		scenario{name: "S71 renamed and deactivated at once",
			given:  "as before",
			when:   "a PUT changes the userName and sets active false; a later one sets active true",
			then:   "First the userName stays, and R is revoked. Then the new account gets R.",
			reason: "a leaver needs no new account",
			run: func(w *world) {
				a := w.movesAccounts()
				leaves := profile("new")
				leaves["active"] = false
				w.do("PUT", "/Users/U", leaves)
				w.wantEvents("user deactivated U", "role revoked U R G", "part left out U")
				w.diff("userName", any("U@example.com"), w.userName("U"))
				w.diff("moves", 0, a.moves)
				w.wantRoles("U", "S")
				back := profile("new")
				back["active"] = true
				w.do("PUT", "/Users/U", back)
				w.diff("former accounts", []string{"U"}, a.former)
				w.wantRoles("U", "S")
				w.wantRoles(address, "R")
			}},
		scenario{name: "S71 the write fails after the account has moved",
			given:  "as before; the request fails after the account has moved",
			when:   "the client sends it again",
			then:   "500. Then the new account holds R.",
			reason: "the client's repetition completes the change",
			kinds:  []string{separate, bare}, only: "in a joint world the accounts are in the transaction too",
			run: func(w *world) {
				a := w.movesAccounts()
				fail := true
				w.ruled(rules.NewAccount(a.move), func(context.Context, *scim.Change) error {
					if fail {
						return errDown()
					}
					return nil
				})
				w.diff("status", 500, w.send("PUT", "/Users/U", profile("new")).status)
				w.wantRoles("U", "S")
				fail = false
				w.do("PUT", "/Users/U", profile("new"))
				w.diff("former accounts", []string{"U"}, a.former)
				w.wantRoles("U", "S")
				w.wantRoles(address, "R")
				w.wantLedger("U", "R group:G")
			}},
		scenario{name: "S71 in a world without roles",
			given:  "as before, and the tenant has no roles",
			when:   "the client changes the userName",
			then:   "The account moves.",
			reason: "accounts move without roles too",
			run: func(w *world) {
				a := &accounts{RoleResolver: w.app, of: map[string]string{}}
				c := w.config()
				c.Roles, c.Rules = nil, []scim.Rule{rules.NewAccount(a.move)}
				w.h = []*scim.Handler{w.handler(c)}
				w.user("U")
				w.do("PUT", "/Users/U", profile("new"))
				w.diff("former accounts", []string{"U"}, a.former)
			}})
}

func renameTo(name string) any {
	return patchBody(map[string]any{"op": "replace", "path": "userName", "value": name})
}

func domainScenarios() []scenario {
	elsewhere := func() map[string]any {
		p := profile("U")
		p["userName"] = "U@elsewhere.test"
		return p
	}
	domains := rules.VerifiedDomains([]string{"example.com", "example.org"})
	about := []string{"userName", "example.com, example.org"}
	return []scenario{
		{name: "S118 an address elsewhere is created, renamed to, and made through Bulk",
			given:  "rules.VerifiedDomains with example.com and example.org",
			when:   "a user with another domain is POSTed, renamed to, or made in a bulk request",
			then:   "400 invalidValue names the domains. Nothing is stored.",
			reason: "whoever names an address would take over an account",
			run: func(w *world) {
				w.ruled(domains)
				w.wantRefused(w.sendPost("/Users", "E", elsewhere()), 400, "invalidValue", about...)
				w.user("U")
				w.wantRefused(w.send("PUT", "/Users/U", elsewhere()), 400, "invalidValue", about...)
				w.wantRefused(w.send("PATCH", "/Users/U", renameTo("U@elsewhere.test")), 400, "invalidValue", about...)
				r := w.do("POST", "/Bulk", map[string]any{
					"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:BulkRequest"},
					"Operations": []any{
						map[string]any{"method": "POST", "path": "/Users", "bulkId": "1", "data": elsewhere()},
						map[string]any{"method": "PATCH", "path": "/Users/U", "data": renameTo("U@elsewhere.test")},
					}})
				for _, op := range r.body["Operations"].([]any) {
					answer, _ := op.(map[string]any)["response"].(map[string]any)
					w.wantRefused(reply{status: 400, body: answer}, 400, "invalidValue", about...)
				}
				w.diff("userName", any("U@example.com"), w.userName("U"))
				w.diff("users", any(float64(1)), w.do("GET", "/Users?count=0", nil).body["totalResults"])
				w.do("PATCH", "/Users/U", renameTo("U@EXAMPLE.org"))
			}},
		{name: "S118 an address elsewhere is adopted",
			given:  "as before, and an account from before has another domain, and holds S by hand",
			when:   "a POST with its userName would adopt it",
			then:   "400 invalidValue. The account keeps S.",
			reason: "the client would take over the account",
			run: func(w *world) {
				w.role("S")
				w.post("/Users", "U", elsewhere())
				w.byHand("U", "S")
				adopt := func(_ context.Context, c *scim.Change) error {
					if c.Op == scim.OpCreate {
						c.Adopt = "U"
					}
					return nil
				}
				w.ruled(adopt, domains)
				w.wantRefused(w.sendPost("/Users", "", elsewhere()), 400, "invalidValue", about...)
				w.wantRoles("U", "S")
				w.do("POST", "/Users", profile("U"))
				w.wantRoles("U", "S")
			}},
		{name: "S118 a leaving user can still be deactivated",
			given:  "as before",
			when:   "a PUT sets active false and another domain; a user from before with another domain is changed, deactivated and reactivated",
			then:   "200 each time. The userName of the first stays, and R follows `active`.",
			reason: "access ends without delay",
			run: func(w *world) {
				w.role("R")
				w.post("/Users", "before", map[string]any{"userName": "before@elsewhere.test"})
				w.user("U")
				w.group("G", "R", "U", "before")
				w.ruled(domains)
				leaves := elsewhere()
				leaves["active"] = false
				w.do("PUT", "/Users/U", leaves)
				w.diff("userName", any("U@example.com"), w.userName("U"))
				w.wantRoles("U")
				w.do("PUT", "/Users/before", map[string]any{"userName": "before@elsewhere.test", "title": "Dr"})
				w.wantRoles("before", "R")
				w.deactivate("before")
				w.wantRoles("before")
				w.activate("before") // its address does not change
				w.wantRoles("before", "R")
				w.deleteUser("before")
				w.wantRoles("before")
			}},
	}
}

// existingScenarios are about accounts that are there already.
func existingScenarios() []scenario {
	// before makes an account from before SCIM, with Admin by hand.
	before := func(w *world, values map[string]any) {
		w.t.Helper()
		w.role("Admin")
		values["userName"] = "U@example.com"
		r, err := scim.UserType().Bind(scim.Meta{ID: "U", Created: w.now(), LastModified: w.now()}, nil, values)
		w.must(err)
		w.must(w.host.bulk([]*scim.Resource{r}))
		w.app.Give("U", "Admin")
	}
	known := func(externalID string) map[string]any {
		p := profile("u")
		p["externalId"] = externalID
		return p
	}
	return []scenario{
		{name: "S64 suspended by the application",
			given:  "rules.KeepSuspended says that the application has locked U, and not V",
			when:   "a PUT says active true for U; V is reactivated",
			then:   "U stays inactive, and an event says so. V holds R.",
			reason: "a routine profile push must not lift a security lock",
			run: func(w *world) {
				w.role("R")
				w.user("U", "V")
				w.group("G", "R", "U", "V")
				w.deactivate("U")
				w.deactivate("V")
				w.ruled(rules.KeepSuspended(func(_ context.Context, u *scim.Resource) (bool, error) { return u.ID() == "U", nil }))
				w.mark()
				push := profile("U")
				push["active"] = true
				w.do("PUT", "/Users/U", push)
				w.wantEvents("part left out U")
				w.wantRoles("U")
				w.activate("V")
				w.wantRoles("V", "R")
			}},
		{name: "a rule asks for a reconciliation",
			given:  "U and V in G→R, and R was taken by hand",
			when:   "a request changes an attribute that gives nothing, and a rule asks for a reconciliation of the user or the group",
			then:   "Who was reconciled holds R again.",
			reason: "the rule changed what roles depend on, and the write changes no source",
			run: func(w *world) {
				w.role("R")
				w.user("U", "V")
				w.group("G", "R", "U", "V")
				reconcile := false
				w.ruled(func(_ context.Context, c *scim.Change) error { c.Reconcile = reconcile; return nil })
				write := func(path, id string) {
					w.do("PATCH", path, patchBody(map[string]any{"op": "add", "path": "externalId", "value": id}))
				}
				w.app.Take("U", "R")
				w.app.Take("V", "R")
				write("/Users/U", "1")
				write("/Groups/G", "1")
				w.wantRoles("U")
				reconcile = true
				write("/Users/U", "2")
				w.wantRoles("U", "R")
				w.wantRoles("V")
				w.app.Take("U", "R")
				write("/Groups/G", "2")
				w.wantRoles("U", "R")
				w.wantRoles("V", "R")
			}},
		{name: "S69 S72 an existing account, no policy",
			given:  "U was there before SCIM, holds Admin by hand; no rule",
			when:   "a user with the same userName is POSTed",
			then:   "409 uniqueness. U keeps Admin.",
			reason: "nobody takes over an account by naming it",
			run: func(w *world) {
				before(w, map[string]any{})
				w.wantRefused(w.sendPost("/Users", "X", known("1")), 409, "uniqueness", "userName")
				w.wantRoles("U", "Admin")
			}},
		{name: "S69 the same userName, another externalId",
			given:  "as before, with rules.AdoptByUserName, and U has an externalId",
			when:   "a user with the same userName and another externalId is POSTed",
			then:   "409 uniqueness. U keeps Admin.",
			reason: "an address is given to a new person more often than one thinks",
			run: func(w *world) {
				before(w, map[string]any{"externalId": "2"})
				w.ruled(rules.AdoptByUserName)
				w.wantRefused(w.sendPost("/Users", "X", known("1")), 409, "uniqueness", "userName")
				w.wantRoles("U", "Admin")
			}},
		{name: "S72 an existing account is linked",
			given:  "as before, and U has no externalId",
			when:   "a user with the same userName is POSTed; later U joins and leaves a group of Admin",
			then:   "201 with the id of U, who keeps Admin by hand throughout.",
			reason: "what was given by hand stays by hand",
			run: func(w *world) {
				before(w, map[string]any{})
				w.ruled(rules.AdoptByUserName)
				w.diff("id", any("U"), w.do("POST", "/Users", known("1")).body["id"])
				w.wantRoles("U", "Admin")
				w.wantExplain("U", "Admin by hand")
				w.group("G", "Admin", "U")
				w.remove("G", "U")
				w.wantRoles("U", "Admin")
			}},
		{name: "S72 several clients at once, over two servers",
			given:  "as before; two servers over one database",
			when:   "ten clients POST the userName at the same time, with different externalIds",
			then:   "One gets 201 and the account, nine get 409.",
			reason: "one of them gets the account", servers: true,
			kinds: []string{joint, separate}, only: "without transactions nothing keeps a second client out",
			run: func(w *world) {
				before(w, map[string]any{})
				var h []*scim.Handler
				for i := range 2 {
					c := w.config()
					c.Rules, c.NewID = []scim.Rule{rules.AdoptByUserName}, rand.Text
					if i > 0 {
						c.Store = w.host.another()
					}
					h = append(h, w.handler(c))
				}
				w.h = h
				status := make([]int, 10)
				testhost.Parallel(len(status), func(i int) { status[i] = w.send("POST", "/Users", known(fmt.Sprint(i))).status })
				slices.Sort(status)
				w.diff("answers", append([]int{201}, slices.Repeat([]int{409}, 9)...), status)
				w.diff("users", any(float64(1)), w.do("GET", "/Users?count=0", nil).body["totalResults"])
			}},
	}
}

// Of requests at the same time in two processes, one gets a unique value.
func TestUniqueAtOnce(t *testing.T) {
	for name, open := range map[string]func(t *testing.T) database{"SQLite": sqliteFile, "PostgreSQL": postgresServer} {
		t.Run(name, func(t *testing.T) {
			d := open(t)
			servers := make([]*scim.Handler, 2)
			for i := range servers {
				s, err := ownTables(d.pool(t), d.dialect, sqlstore.Options{})
				if err != nil {
					t.Fatal(err)
				}
				servers[i] = testhost.New(t, scim.Config{Store: s, Auth: auth.None(), Rules: []scim.Rule{rules.Unique("User", "externalId")}})
			}
			for round := range 10 {
				status := make([]int, 8)
				testhost.Parallel(len(status), func(i int) {
					body := fmt.Sprintf(`{"userName":"u%d-%d","externalId":"e%d"}`, round, i, round)
					status[i] = testhost.Do(t, servers[i%2], "POST", "/Users", body).StatusCode
				})
				slices.Sort(status)
				if want := append([]int{201}, slices.Repeat([]int{409}, 7)...); !slices.Equal(status, want) {
					t.Errorf("answers %v, want %v", status, want)
				}
			}
		})
	}
}
