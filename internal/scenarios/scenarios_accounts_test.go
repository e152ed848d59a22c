package scenarios

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/scimkit/scim"
)

// ownAccountScenarios are about accounts that the application has locked, exempted, made itself
// or kept, and about what clients and users may not do.
func ownAccountScenarios() []scenario {
	return []scenario{
		{name: "S64 locked by the application",
			given:  "U in G→R; the application has locked U, which it keeps apart from `active`",
			when:   "a PUT says active true; later U is deactivated and reactivated",
			then:   "The lock stays. U holds R whenever active.",
			reason: "a routine push must not lift a security lock",
			run:    lockedAccount},
		{name: "S68 deleted and provisioned again where the application keeps records",
			given:  "U was in G→R, held S by hand, and was deleted; the application keeps the record, and a rule adopts it",
			when:   "a user with the same userName and externalId is POSTed; later G lists U",
			then:   "U has the former id, no role and no membership. Then U holds R.",
			reason: "the record comes back, access does not",
			run:    rehired},
		{name: "S69 another person with the userName of a former one",
			given:  "as before, and the record has an externalId",
			when:   "a user with the same userName and another externalId is POSTed",
			then:   "The rule refuses it: 409 uniqueness. Nobody holds anything.",
			reason: "an address is often given to a new person",
			run:    namesake},
		{name: "S72 an account from before SCIM is adopted",
			given:  "U was there before SCIM, holds Admin by hand",
			when:   "a user with the same userName is POSTed: without a rule, then with a rule that adopts",
			then:   "First 409 uniqueness. Then 201 with the id of U, who keeps Admin by hand.",
			reason: "what was held before is not SCIM's",
			run:    adoptedAccount},
		{name: "S98 end users and their own role",
			given:  "`/Me` is on, and users may write nickName; U's attribute names R",
			when:   "U changes active, userName, externalId, groups, roles or nickName",
			then:   "403 for all but nickName. U holds R as before.",
			reason: "nobody gives access to themselves",
			roles:  scim.Roles{Attributes: []string{"roles"}},
			run:    ownRole},
		{name: "S99 a token without groups",
			given:  "`Allow` lets the client change users, not groups; U in G→R, and the attribute names S",
			when:   "the client adds a member, posts or deletes a group, searches groups, sets the attribute, also in a bulk request",
			then:   "403 for each of these. Other attributes can be written, and U be deactivated.",
			reason: "a role attribute gives roles exactly as a group does",
			roles:  scim.Roles{Attributes: []string{"roles"}},
			run:    withoutGroups},
		{name: "S99 a token with the scope users alone",
			given:  "U in G→R, and the attribute names S",
			when:   "the client names a group, a membership or a role attribute in a write, a search or a filter, also in a bulk request; it replaces U without the attribute, deactivates and reactivates U",
			then:   "403 for each of the first, whether or not the value is there. Answers show neither groups nor the attribute. U keeps the attribute, and holds R and S whenever active.",
			reason: "what the client cannot see must not be lost by its leaving it out, nor be guessed",
			roles:  scim.Roles{Attributes: []string{"roles"}},
			run:    usersOnly},
		{name: "S99 a token with the scope groups alone",
			given:  "U in G→R",
			when:   "the client reads or writes users; it adds V to G, and reads G",
			then:   "403 for users. V holds R, and G shows the ids of its members without their names.",
			reason: "a client for groups needs ids, not people",
			roles:  scim.Roles{Attributes: []string{"roles"}},
			run:    groupsOnly},
		{name: "S114 an account that no client has claimed",
			given:  "the application made U and V; no client has written them",
			when:   "a client deletes U, deactivates U, deletes U again; it changes V, and deletes V",
			then:   "403 for both deletions of U, and U is inactive. V is claimed by the change, and deleted.",
			reason: "clients exist that delete everybody whom they do not know",
			run:    unclaimedAccount},
		{name: "S115 an account becomes exempt while a role waits",
			given:  "KeepLastHolder; U and V wait for Admin, because they were inactive; U's Owner is retained",
			when:   "U becomes exempt; Pending is listed, one at a time, and what was listed before is confirmed",
			then:   "Only V is pending. ErrMoved for U. When U is no longer exempt, U is pending as before.",
			reason: "SCIM neither gives nor takes the roles of an exempt user",
			roles:  scim.Roles{KeepLastHolder: true}, run: exemptWhileWaiting},
		{name: "S115 an exempt account",
			given:  "U is exempt and holds R by hand; G→R and G2→S have other members",
			when:   "a client writes, deactivates or deletes U, or adds U to G2, alone or in a longer list; everybody is reconciled",
			then:   "403; the longer list is stored without U, and an event reports it. U keeps R and gets nothing.",
			reason: "the way back in must not depend on a client",
			run:    exemptAccount},
	}
}

func lockedAccount(w *world) {
	w.role("R")
	w.user("U")
	w.group("G", "R", "U")
	isLocked := func() bool { return true } // no call of the library reaches the lock
	if w.host.lock != nil {
		isLocked = w.host.lock("U")
	}
	b := profile("U")
	b["active"] = true
	w.do("PUT", "/Users/U", b)
	w.wantRoles("U", "R")
	w.deactivate("U")
	w.wantRoles("U")
	w.activate("U")
	w.wantRoles("U", "R")
	w.diff("locked", true, isLocked())
}

// keepsRecords makes an application that keeps the records of deleted users. A rule brings
// one back for a new user with its userName, unless the externalIds say that it is another
// person.
func (w *world) keepsRecords() {
	w.t.Helper()
	former := map[string]*scim.Resource{}
	c := w.config()
	c.Rules = []scim.Rule{func(ctx context.Context, c *scim.Change) error {
		switch {
		case c.Op == scim.OpDelete && c.Before.Type() == scim.UserType():
			former[c.Before.String("userName")] = c.Before
		case c.Op == scim.OpCreate && former[c.After.String("userName")] != nil:
			was := former[c.After.String("userName")]
			if x, y := was.String("externalId"), c.After.String("externalId"); x != "" && y != "" && x != y {
				return &scim.Error{Status: http.StatusConflict, Type: "uniqueness", Detail: "userName: a former record of another person has it"}
			}
			if _, err := w.store.Create(ctx, was); err != nil {
				return err
			}
			c.Adopt = was.ID()
		}
		return nil
	}}
	w.h = []*scim.Handler{w.handler(c)}
}

// formerEmployee is S66 in an application that keeps records.
func formerEmployee(w *world) {
	w.t.Helper()
	w.keepsRecords()
	w.role("R")
	w.role("S")
	w.post("/Users", "U", with(profile("U"), "externalId", "e1"))
	w.byHand("U", "S")
	w.group("G", "R", "U")
	w.deleteUser("U")
	w.wantRoles("U")
}

func rehired(w *world) {
	formerEmployee(w)
	r := w.send("POST", "/Users", with(profile("U"), "externalId", "e1"))
	w.diff("status and id", []any{201, any("U")}, []any{r.status, r.body["id"]})
	w.wantRoles("U")
	w.wantLedger("U")
	w.wantMembers("G")
	w.all()
	w.wantRoles("U")
	w.put("G", "R", "U")
	w.wantRoles("U", "R")
}

func namesake(w *world) {
	formerEmployee(w)
	w.wantRefused(w.send("POST", "/Users", with(profile("U"), "externalId", "e2")), 409, "uniqueness", "former")
	w.diff("users", any(0.0), w.do("GET", "/Users", nil).body["totalResults"])
	w.wantRoles("U")
}

func adoptedAccount(w *world) {
	w.role("Admin")
	w.role("R")
	w.employ("U")
	w.app.Give("U", "Admin")
	w.wantRefused(w.send("POST", "/Users", profile("U")), 409, "uniqueness")
	w.adopts("User", "U")
	r := w.send("POST", "/Users", profile("U"))
	w.diff("status and id", []any{201, any("U")}, []any{r.status, r.body["id"]})
	w.wantRoles("U", "Admin")
	w.wantExplain("U", "Admin by hand")
	w.restart()
	w.group("G", "R", "U")
	w.wantRoles("U", "Admin", "R")
	w.deleteGroup("G")
	w.wantRoles("U", "Admin")
}

// employ makes a user in the application, before SCIM or beside it.
func (w *world) employ(id string) {
	w.t.Helper()
	now := w.now()
	r, err := scim.UserType().Bind(scim.Meta{ID: id, Created: now, LastModified: now}, nil, map[string]any{"userName": id + "@example.com"})
	w.must(err)
	w.must(w.host.bulk([]*scim.Resource{r}))
	w.ids = append(w.ids, id)
}

func ownRole(w *world) {
	w.role("R")
	w.role("S")
	w.userNamed("U", "R")
	c := w.config()
	c.Me = &scim.SelfService{UserOf: func(context.Context, scim.Principal) (string, error) { return "U", nil }, Writable: []string{"nickName"}}
	w.h = []*scim.Handler{w.handler(c)}
	w.mark()
	for path, value := range map[string]any{
		"active": false, "userName": "other@example.com", "externalId": "e1",
		"roles": []any{map[string]any{"value": "S"}}, "groups": []any{map[string]any{"value": "G"}},
	} {
		for _, op := range []string{"replace", "add"} {
			if r := w.send("PATCH", "/Me", patchBody(map[string]any{"op": op, "path": path, "value": value})); r.status != 403 && path != "groups" || r.status < 400 {
				w.t.Errorf("PATCH %s %s: %d %s", op, path, r.status, r.detail())
			}
		}
		if path != "groups" { // it is read-only: PUT ignores it (RFC 7644, Section 3.5.1)
			w.diff("PUT "+path, 403, w.send("PUT", "/Me", with(userWithRoles("U", "R"), path, value)).status)
		}
	}
	w.wantEvents()
	w.do("PATCH", "/Me", patchBody(map[string]any{"op": "add", "path": "nickName", "value": "Ann"}))
	w.wantRoles("U", "R")
	w.wantStored("U", "R")
	c.Me.Writable = []string{"roles"}
	if _, err := scim.New(c); err == nil {
		w.t.Errorf("New lets users write their roles")
	}
	w.restart()
}

func withoutGroups(w *world) {
	w.role("R")
	w.role("S")
	w.userNamed("U", "S")
	w.user("V")
	w.group("G", "R", "U")
	c := w.config()
	c.Allow = func(_ context.Context, a scim.Access) error {
		if a.Type == "Group" {
			return &scim.Error{Status: http.StatusForbidden, Detail: "this token is for users"}
		}
		return nil
	}
	w.h = []*scim.Handler{w.handler(c)}
	w.mark()
	requests := []map[string]any{
		{"method": "PATCH", "path": "/Groups/G", "data": patchBody(addOp("V"))},
		{"method": "PUT", "path": "/Groups/G", "data": groupBody("R", "V")},
		{"method": "DELETE", "path": "/Groups/G"},
		{"method": "POST", "path": "/Groups", "bulkId": "g", "data": groupBody("S", "V")},
		{"method": "PATCH", "path": "/Users/V", "data": patchBody(rolesOp("add", "S"))},
		{"method": "PUT", "path": "/Users/V", "data": userWithRoles("V", "S")},
		{"method": "POST", "path": "/Users", "bulkId": "u", "data": userWithRoles("X", "S")},
	}
	for _, r := range requests {
		w.diff(fmt.Sprint(r["method"], r["path"]), 403, w.send(r["method"].(string), r["path"].(string), r["data"]).status)
	}
	w.diff("search", 403, w.send("POST", "/Groups/.search", map[string]any{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:SearchRequest"}}).status)
	bulk := w.do("POST", "/Bulk", map[string]any{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:BulkRequest"}, "Operations": requests})
	for i, op := range bulk.body["Operations"].([]any) {
		w.diff(fmt.Sprint("in a bulk request: ", requests[i]["method"], requests[i]["path"]), any("403"), op.(map[string]any)["status"])
	}
	w.wantEvents()
	w.do("PATCH", "/Users/V", patchBody(map[string]any{"op": "add", "path": "title", "value": "x"}))
	w.wantRoles("V")
	w.wantRoles("U", "R", "S")
	w.deactivate("U")
	w.wantRoles("U")
	w.restart()
}

// aware is a store that knows who is exempt, and what no client has claimed.
type aware struct {
	exempt    []string
	unclaimed map[scim.Ref]bool
}

func (a *aware) Exempt(_ context.Context, ids []string) (exempt []string, err error) {
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return !slices.Contains(a.exempt, id) }), nil
}

func (a *aware) IsClaimed(_ context.Context, ref scim.Ref) (bool, error) {
	return !a.unclaimed[ref], nil
}

func (a *aware) Claim(_ context.Context, ref scim.Ref) error {
	delete(a.unclaimed, ref)
	return nil
}

func (a *aware) UnclaimedMembers(context.Context, string, scim.Ref, int) ([]scim.Ref, error) {
	return nil, nil
}

// update calls the Update of a store, and records whether it claims the resource.
func (a *aware) update(ctx context.Context, s scim.Store, ref scim.Ref, fn func(*scim.Resource) (*scim.Resource, error)) (*scim.Resource, error) {
	isClaim := false
	r, err := s.Update(ctx, ref, func(before *scim.Resource) (*scim.Resource, error) {
		after, err := fn(before)
		isClaim = err == nil && scim.Claims(before, after)
		return after, err
	})
	if err == nil && isClaim {
		return r, a.Claim(ctx, ref)
	}
	return r, err
}

type (
	awareEdge struct {
		*edgeStore
		*aware
	}
	awareBare struct {
		*steppedStore
		*aware
	}
)

func (s awareEdge) Update(ctx context.Context, ref scim.Ref, fn func(*scim.Resource) (*scim.Resource, error)) (*scim.Resource, error) {
	return s.update(ctx, s.edgeStore, ref, fn)
}

func (s awareBare) Update(ctx context.Context, ref scim.Ref, fn func(*scim.Resource) (*scim.Resource, error)) (*scim.Resource, error) {
	return s.update(ctx, s.steppedStore, ref, fn)
}

// Volatile implements scim.Volatile.
func (s awareBare) Volatile() {}

// aware makes the store of a world know who is exempt and unclaimed.
func (w *world) aware() *aware {
	w.t.Helper()
	a := &aware{unclaimed: map[scim.Ref]bool{}}
	switch s := w.store.(type) {
	case *edgeStore:
		w.store = awareEdge{s, a}
	case *sourceStore:
		w.store = awareEdge{s.edgeStore, a}
	case *steppedStore:
		w.store = awareBare{s, a}
	default:
		w.t.Fatalf("a store of an unknown kind: %T", s)
	}
	w.restart()
	return a
}

func unclaimedAccount(w *world) {
	a := w.aware()
	w.role("R")
	for _, id := range []string{"U", "V"} {
		w.employ(id)
		a.unclaimed[scim.Ref{Type: "User", ID: id}] = true
	}
	w.app.Give("U", "R")
	w.wantRefused(w.send("DELETE", "/Users/U", nil), 403, "", "User")
	w.deactivate("U")
	w.diff("active", any(false), w.do("GET", "/Users/U", nil).body["active"])
	w.wantRefused(w.send("DELETE", "/Users/U", nil), 403, "", "User")
	w.wantRoles("U", "R")
	w.do("PUT", "/Users/V", with(profile("V"), "title", "x"))
	w.deleteUser("V")
	w.diff("V", 404, w.send("GET", "/Users/V", nil).status)
}

func exemptAccount(w *world) {
	a := w.aware()
	w.role("R")
	w.role("S")
	w.user("U", "V", "W")
	w.group("G", "R", "V")
	w.group("G2", "S", "V")
	w.byHand("U", "R")
	a.exempt = []string{"U"}
	w.mark()
	for _, r := range []reply{
		w.send("PATCH", "/Users/U", activeBody(false)), w.send("PUT", "/Users/U", with(profile("U"), "title", "x")),
		w.send("DELETE", "/Users/U", nil), w.send("PATCH", "/Groups/G2", patchBody(addOp("U"))),
	} {
		w.wantRefused(r, 403, "", "exempt")
	}
	w.wantEvents()
	w.add("G2", "U", "W")
	w.wantMembers("G2", "V", "W")
	w.wantEvents("member added G2 W", "member exempt G2 U", "role granted W S G2")
	w.put("G", "R")
	w.all()
	w.wantRoles("U", "R")
	w.wantLedger("U")
	w.deleteGroup("G2")
	w.wantRoles("U", "R")
}

// exemptWhileWaiting is S115 with pending matters.
func exemptWhileWaiting(w *world) {
	a := w.aware()
	w.user("T", "U", "V")
	w.admins("G", "Admin", "T", "U", "V")
	w.admins("G2", "Owner", "U")
	for _, u := range []string{"U", "V"} {
		w.deactivate(u)
		w.activate(u)
	}
	w.must(w.reconciler().Confirm(ctx(), "G2", scim.Role{ID: "Owner"}, "U"))
	w.remove("G2", "U")
	of := func(user string) (list []scim.Pending) {
		return slices.DeleteFunc(w.pending(1), func(p scim.Pending) bool { return p.UserID != user })
	}
	before := of("U")
	w.diff("pending of U", 2, len(before))
	a.exempt = []string{"U"}
	w.diff("pending of U", 0, len(of("U")))
	w.diff("pending of V", 1, len(of("V")))
	for _, p := range before {
		if err := w.reconciler().ConfirmPending(ctx(), p.Key); !errors.Is(err, scim.ErrMoved) {
			w.t.Errorf("confirmed: %v", err)
		}
	}
	a.exempt = nil
	w.diff("pending of U", before, of("U"))
	w.wantRoles("U", "Owner")
}
