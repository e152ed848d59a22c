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
	all := slices.Concat(newAccountScenarios(), domainScenarios(), existingScenarios())
	everywhere(t, func(t *testing.T, in setting) {
		for _, s := range all {
			if in.crawls && !s.servers || s.kinds != nil && !slices.Contains(s.kinds, in.kind) {
				continue // sequential requests have no races
			}
			t.Run(s.name, func(t *testing.T) {
				s.run(in.world(t, s.roles))
				if t.Failed() {
					t.Log("because: " + s.reason)
				}
			})
		}
	})
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
	for name, rename := range map[string]func(w *world){
		"PUT":   func(w *world) { w.do("PUT", "/Users/U", profile("new")) },
		"PATCH": func(w *world) { w.do("PATCH", "/Users/U", renameTo("new@example.com")) },
	} {
		all = append(all, scenario{name: "S71 a new address means a new account, by " + name, reason: "no account may keep access without a master",
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
		scenario{name: "S71 the new address has an account, which may be linked", reason: "what was given to it by hand stays by hand",
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
		scenario{name: "S71 the new address has an account, which may not be linked", reason: "whoever names an address would take over an account",
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
		scenario{name: "S71 the new address is another user's", reason: "the store refuses it, and nothing moves",
			run: func(w *world) {
				a := w.movesAccounts()
				w.user("V")
				w.wantRefused(w.send("PUT", "/Users/U", profile("V")), 409, "uniqueness", "userName")
				w.diff("moves", 0, a.moves)
				w.wantRoles("U", "R", "S")
			}},
		scenario{name: "S71 a protected role that waits goes on waiting", reason: "a new address must not bring an administrator back (S61)",
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
		scenario{name: "S71 what the old account has by hand stays there", reason: "hand-given roles are not carried over",
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
		scenario{name: "S71 other letters are no new address", reason: "stores compare names without case",
			run: func(w *world) {
				a := w.movesAccounts()
				w.do("PUT", "/Users/U", profile("u"))
				w.diff("userName", any("u@example.com"), w.userName("U"))
				w.diff("moves", 0, a.moves)
				w.wantRoles("U", "R", "S")
			}},
		scenario{name: "S71 renamed and deactivated at once", reason: "a leaver needs no new account",
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
		scenario{name: "S71 the write fails after the account has moved", reason: "the client's repetition completes the change",
			kinds: []string{separate, bare}, // in a joint world the accounts are in the transaction too
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
		scenario{name: "S71 in a world without roles", reason: "accounts move without roles too",
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
		{name: "S118 an address elsewhere is created, renamed to, and made through Bulk", reason: "whoever names an address would take over an account",
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
		{name: "S118 an address elsewhere is adopted", reason: "the client would take over the account",
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
		{name: "S118 a leaving user can still be deactivated", reason: "access ends without delay",
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
		{name: "S64 suspended by the application", reason: "a routine profile push must not lift a security lock",
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
		{name: "a rule asks for a reconciliation", reason: "the rule changed what roles depend on, and the write changes no source",
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
		{name: "S69 S72 an existing account, no policy", reason: "nobody takes over an account by naming it",
			run: func(w *world) {
				before(w, map[string]any{})
				w.wantRefused(w.sendPost("/Users", "X", known("1")), 409, "uniqueness", "userName")
				w.wantRoles("U", "Admin")
			}},
		{name: "S69 the same userName, another externalId", reason: "an address is given to a new person more often than one thinks",
			run: func(w *world) {
				before(w, map[string]any{"externalId": "2"})
				w.ruled(rules.AdoptByUserName)
				w.wantRefused(w.sendPost("/Users", "X", known("1")), 409, "uniqueness", "userName")
				w.wantRoles("U", "Admin")
			}},
		{name: "S72 an existing account is linked", reason: "what was given by hand stays by hand",
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
		{name: "S72 several clients at once, over two servers", reason: "one of them gets the account", servers: true,
			kinds: []string{joint, separate}, // without transactions nothing keeps a second client out
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
