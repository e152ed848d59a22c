package scenarios

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
)

func failureScenarios() []scenario {
	heaviest := scim.Roles{Pick: scim.PickHeaviest, Attributes: []string{"roles"}}
	all := []scenario{
		{name: "S91 ChangeRoles fails",
			given:  "V in G→R, U not; ChangeRoles fails",
			when:   "U is added, V removed, and each request is sent again once ChangeRoles works",
			then:   "500 both times, and nobody gains or loses. The repetition completes both.",
			reason: "the client must not believe that it is done", run: changeFails},
		{name: "S91 one user's roles cannot be changed",
			given:  "A, X and Z in G→R; ChangeRoles fails whenever X is among the users",
			when:   "G is PUT without members",
			then:   "500, and A and Z have lost R. When ChangeRoles works, Settle completes it for X.",
			reason: "one account that the application cannot change must not keep the roles of others",
			kinds:  []string{separate, bare}, only: "roles that commit with the store change all at once",
			run: func(w *world) {
				w.role("R")
				w.user("A", "X", "Z")
				w.group("G", "R", "A", "X", "Z")
				usual := w.app.Rows
				w.app.Rows = withoutUser{usual, "X"}
				w.diff("status", http.StatusInternalServerError, w.send("PUT", "/Groups/G", groupBody("R")).status)
				w.wantRoles("A")
				w.wantRoles("X", "R")
				w.wantRoles("Z")
				w.app.Rows = usual
				w.must(w.reconciler().Settle(ctx()))
				w.wantRoles("X")
			}},
		{name: "S91 everybody is reconciled but one user",
			given:  "1,100 users in G→R; the application has lost R of three; ChangeRoles fails whenever the first is among the users",
			when:   "All runs twice to its end, and again once ChangeRoles works",
			then:   "Each run returns an error, the others hold R, and the first is unfinished. The last run completes it.",
			reason: "one account that the application cannot change must not keep All from those behind it",
			run:    allButOne},
		{name: "S92 everybody is reconciled beside live removals",
			given:  "G→R with thousands of members",
			when:   "members are removed while everybody is reconciled",
			then:   "Nobody who was removed holds R at the end.",
			reason: "a state read before a removal may not be written after it",
			run:    besideRemovals},
		{name: "S93 S1 S2 on two servers",
			given:  "two servers over one database",
			when:   "the requests of S1 and S2 go to both in turn",
			then:   "As S1 and S2.",
			reason: "the lock is the database's", kinds: []string{joint, separate}, only: "several servers need the locks of transactions", servers: true,
			run: func(w *world) { w.servers(2); twoGroups(w) }},
		{name: "S93 S3 on two servers",
			given:  "two servers over one database",
			when:   "the requests of S3 go to both in turn",
			then:   "As S3.",
			reason: "the lock is the database's", kinds: []string{joint, separate}, only: "several servers need the locks of transactions", servers: true,
			run: func(w *world) { w.servers(2); letGoTogether(w, w.size(200, 50)) }},
		{name: "S93 S81 on two servers",
			given:  "two servers over one database",
			when:   "the requests of S81 go to both in turn",
			then:   "As S81.",
			reason: "the lock is the database's", kinds: []string{joint, separate}, only: "several servers need the locks of transactions", servers: true,
			run: func(w *world) { w.servers(2); crowd(w) }},
		{name: "S89 crash after ChangeRoles",
			given:  "V in G→R, U not",
			when:   "U is added, or V removed, and the process dies after ChangeRoles; then everybody is reconciled",
			then:   "Each user holds R exactly as a member of G, and only through SCIM.",
			reason: "the role is SCIM's, and never taken for hand-given",
			run:    func(w *world) { crashAt(w, "changed") }},
		{name: "S90 crash before ChangeRoles",
			given:  "as before",
			when:   "the same, and the process dies before ChangeRoles",
			then:   "Each user holds R exactly as a member of G, and only through SCIM.",
			reason: "an intention is not a grant",
			run:    func(w *world) { crashAt(w, "change") }},
	}
	const given = "A, B in G→R (20); A, C in G2→S (10); C also holds R by hand, and B's attribute names S; a role T (30); Pick is the heaviest"
	for _, c := range crashes() {
		end := c.end()
		all = append(all, scenario{name: "S89 S90 crash at every call of " + c.name, roles: heaviest,
			given:  given,
			when:   "the process dies at any call of " + c.name + "; everybody is reconciled, and the request sent again",
			then:   "The reconciliation brings roles in line with what is stored. At the end " + end,
			reason: "whatever was stored when the process died, roles follow the memberships after a reconciliation",
			run:    func(w *world) { everyCrash(w, c) }},
			scenario{name: "S119 a panic at every call of " + c.name, roles: heaviest,
				given:  given,
				when:   "any one call of " + c.name + " panics, and the request is sent again",
				then:   "At the end " + end,
				reason: "a panic leaves no less than an error, and the repeated request completes the change",
				run:    func(w *world) { everyPanic(w, c) }})
	}
	return all
}

// changeFails is S91.
func changeFails(w *world) {
	w.role("R")
	w.user("U", "V")
	w.group("G", "R", "V")
	failing := true
	w.app.Fail = func(op string) error {
		if op == "change" && failing {
			return errors.New("down")
		}
		return nil
	}
	stored := w.kind != joint
	w.mark()
	w.diff("add", 500, w.send("PATCH", "/Groups/G", patchBody(addOp("U"))).status)
	w.wantRoles("U")
	if stored {
		w.wantMembers("G", "U", "V")
		w.wantLedger("U", "R group:G")
	} else {
		w.wantMembers("G", "V")
		w.wantLedger("U")
		w.wantEvents()
	}
	w.diff("remove", 500, w.send("PATCH", "/Groups/G", patchBody(removeOp("V"))).status)
	w.wantRoles("V", "R")
	w.wantLedger("V", "R group:G")
	if stored {
		w.wantMembers("G", "U")
	} else {
		w.wantMembers("G", "V")
	}
	failing = false
	w.add("G", "U") // the client's retry completes it
	w.wantRoles("U", "R")
	w.wantLedger("U", "R group:G")
	if stored {
		w.all() // and so does a reconciliation
	} else {
		w.remove("G", "V")
	}
	w.wantRoles("V")
	w.wantLedger("V")
}

// many stores n users, and returns their ids in order.
func (w *world) many(n int) []string {
	w.t.Helper()
	rs := make([]*scim.Resource, n)
	ids := make([]string, n)
	for i := range rs {
		ids[i] = fmt.Sprintf("u%05d", i)
		now := w.now()
		r, err := scim.UserType().Bind(scim.Meta{ID: ids[i], Created: now, LastModified: now}, nil, map[string]any{"userName": ids[i]})
		w.must(err)
		rs[i] = r
	}
	w.must(w.host.bulk(rs))
	return ids
}

// besideRemovals is S92.
func besideRemovals(w *world) {
	n := w.size(3000, 1200) // more than one batch
	w.role("R")
	ids := w.many(n)
	w.group("G", "R", ids...)
	w.diff("holders", n, len(w.app.Holders("R")))
	for i, id := range ids {
		if i%2 == 0 {
			w.app.Take(id, "R") // so that there is something to reconcile
		}
	}
	var gone []string
	for i := 0; i < n; i += 60 {
		gone = append(gone, ids[i], ids[i+1])
	}
	testhost.Parallel(3, func(i int) {
		if i == 0 {
			w.all()
			return
		}
		for j := i - 1; j < len(gone); j += 2 {
			w.remove("G", gone[j])
		}
	})
	want := slices.DeleteFunc(ids, func(id string) bool { return slices.Contains(gone, id) })
	w.diff("holders", want, w.app.Holders("R"))
}

// dies makes the process die at the nth call of op ("": any call), and restarts it after
// the request. A dead process makes no further call. dies reports whether the request came
// to that call.
func (w *world) dies(op string, nth int, request func()) (died bool) {
	w.step = func(at string) {
		if !died && op != "" && at != op {
			return
		}
		if nth--; nth <= 0 {
			died = true
			panic("the process dies at " + at)
		}
	}
	request()
	w.step = nil
	w.restart()
	return died
}

// follows checks that a user holds R exactly as a member of G, and only through SCIM.
func (w *world) follows(user string) {
	w.t.Helper()
	if slices.Contains(w.members("G"), user) {
		w.wantRoles(user, "R")
		w.wantLedger(user, "R group:G")
	} else {
		w.wantRoles(user)
		w.wantLedger(user)
	}
}

// crashAt is S89 and S90, for granting and for revoking.
func crashAt(w *world, op string) {
	w.role("R")
	w.user("U", "V")
	w.group("G", "R", "V")
	for user, body := range map[string]any{"U": patchBody(addOp("U")), "V": patchBody(removeOp("V"))} {
		if !w.dies(op, 1, func() { w.send("PATCH", "/Groups/G", body) }) {
			w.t.Errorf("%s: no call of %q", user, op)
		}
		w.all()
		w.follows(user)
		w.do("PATCH", "/Groups/G", body) // the client's retry
		w.follows(user)
	}
	w.wantMembers("G", "U")
	w.remove("G", "U")
	w.wantRoles("U")
}

// crash is a request during which the process dies.
type crash struct {
	name    string
	before  func(w *world) // changes the state from which crashes start; nil: nothing
	request func(w *world)
	// want are the roles of A, B and C after the client has repeated the request until it
	// succeeded.
	want [3][]string
}

// end says which roles A, B and C hold at the end.
func (c crash) end() string {
	var each []string
	for i, user := range []string{"A", "B", "C"} {
		roles := strings.Join(c.want[i], " and ")
		each = append(each, user+" holds "+cmp.Or(roles, "nothing"))
	}
	return strings.Join(each, ", ") + "."
}

// crashes start from this state: A and B are in G→R (weight 20), and A and C in G2→S (10).
// C holds R by hand. B's attribute names S, which is lighter than R.
func crashes() []crash {
	nested := func(w *world) { // G2 is in N, and N is in G
		w.group("N", "no role", "Group G2")
		w.add("G", "Group N")
	}
	return []crash{
		{"an add", nil, func(w *world) { w.send("PATCH", "/Groups/G", patchBody(addOp("C"))) }, [3][]string{{"R"}, {"R"}, {"R"}}},
		{"a removal", nil, func(w *world) { w.send("PATCH", "/Groups/G", patchBody(removeOp("A"), removeOp("B"))) }, [3][]string{{"S"}, {"S"}, {"R", "S"}}},
		{"a PUT", nil, func(w *world) { w.send("PUT", "/Groups/G", groupBody("R", "C")) }, [3][]string{{"S"}, {"S"}, {"R"}}},
		{"a rename", nil, func(w *world) { w.send("PATCH", "/Groups/G", renameBody("T")) }, [3][]string{{"T"}, {"T"}, {"R", "S"}}},
		{"a deactivation", nil, func(w *world) { w.send("PATCH", "/Users/A", activeBody(false)) }, [3][]string{{}, {"R"}, {"R", "S"}}},
		{"an attribute", nil, func(w *world) { w.send("PUT", "/Users/A", userWithRoles("A", "T")) }, [3][]string{{"T"}, {"R"}, {"R", "S"}}},
		{"an attribute that is cleared", nil, func(w *world) { w.send("PUT", "/Users/B", userWithRoles("B")) }, [3][]string{{"R"}, {"R"}, {"R", "S"}}},
		{"an attribute and a deactivation", nil, func(w *world) { w.send("PUT", "/Users/B", with(userWithRoles("B", "S"), "active", false)) }, [3][]string{{"R"}, {}, {"R", "S"}}},
		{"a new group", nil, func(w *world) {
			if w.send("GET", "/Groups/G3", nil).status == 404 {
				w.sendPost("/Groups", "G3", groupBody("T", "A", "C"))
			}
		}, [3][]string{{"T"}, {"R"}, {"R", "T"}}},
		{"the deletion of a group", nil, func(w *world) { w.send("DELETE", "/Groups/G", nil) }, [3][]string{{"S"}, {"S"}, {"R", "S"}}},
		{"the deletion of a user", nil, func(w *world) { w.send("DELETE", "/Users/A", nil) }, [3][]string{{}, {"R"}, {"R", "S"}}},
		{"a role given by hand", nil, func(w *world) { _ = w.giveByHand("A", "R") }, [3][]string{{"R"}, {"R"}, {"R", "S"}}},
		{"a role taken by hand", nil, func(w *world) { _, _ = w.takeByHand("C", "R") }, [3][]string{{"R"}, {"R"}, {"S"}}},
		{"a group put into a group", nil, func(w *world) { w.send("PATCH", "/Groups/G", patchBody(addOp("Group G2"))) }, [3][]string{{"R"}, {"R"}, {"R"}}},
		{"a group taken out of a group", nested, func(w *world) { w.send("PATCH", "/Groups/G", patchBody(removeOp("N"))) }, [3][]string{{"R"}, {"R"}, {"R", "S"}}},
		{"the deletion of a group in the middle", nested, func(w *world) { w.send("DELETE", "/Groups/N", nil) }, [3][]string{{"R"}, {"R"}, {"R", "S"}}},
		{"the rename of a group above", nested, func(w *world) { w.send("PATCH", "/Groups/G", renameBody("T")) }, [3][]string{{"T"}, {"T"}, {"R", "T"}}},
	}
}

// everyCrash lets the process die at the first call of the application. In a fresh world it
// dies at the second call or a later one, until a request succeeds. Each time a
// reconciliation must bring the roles in line with the stored state. The repeated request
// must end as if nothing had happened.
func everyCrash(w *world, c crash) {
	for nth := 1; ; nth += w.size(1, 7) {
		v := w.beforeCrash(c)
		died := v.dies("", nth, func() { c.request(v) })
		v.must(v.reconciler().RolesChanged(ctx()))
		v.all()
		isTaken := !slices.Contains(c.want[2], "R") && !v.app.IDs("C")["R"]
		v.wantConsistent(fmt.Sprintf("call %d", nth), !isTaken)
		c.request(v)
		for i, user := range []string{"A", "B", "C"} {
			v.wantRoles(user, c.want[i]...)
		}
		v.checkSettled()
		if !died {
			if nth < 4 {
				w.t.Errorf("only %d calls", nth)
			}
			return
		}
		if nth > 500 {
			w.t.Fatalf("it never comes through")
		}
	}
}

// beforeCrash is a fresh world in the state from which crashes start.
func (w *world) beforeCrash(c crash) *world {
	v := w.world(w.t, w.roles)
	v.nest(10)
	v.role("R", 20)
	v.role("S", 10)
	v.role("T", 30)
	v.user("A", "C")
	v.userNamed("B", "S")
	v.byHand("C", "R")
	v.group("G2", "S", "A", "C")
	v.group("G", "R", "A", "B")
	if c.before != nil {
		c.before(v)
	}
	return v
}

// panics makes the nth call of the application panic, and only this one. It reports whether
// the request came to that call. It spares calls whose effect is already there and will stay:
// there a store has returned neither a result nor an error for what it did.
func (w *world) panics(nth int, request func()) (at string) {
	spared := []string{"committed"}
	if w.kind == bare {
		spared = append(spared, "Created", "Updated", "Deleted")
	}
	w.step = func(op string) {
		if slices.Contains(spared, op) {
			return
		}
		if nth--; nth == 0 {
			at = op
			panic("a mistake of the application at " + op)
		}
	}
	request()
	w.step = nil
	return at
}

// everyPanic lets each call of the application panic once, each in a fresh world. The client
// then repeats the request. This alone, without a reconciliation, must end as if nothing had
// happened.
func everyPanic(w *world, c crash) {
	for nth := 1; ; nth += w.size(1, 29) {
		v := w.beforeCrash(c)
		at := v.panics(nth, func() { c.request(v) })
		c.request(v)
		for i, user := range []string{"A", "B", "C"} {
			v.diff(fmt.Sprintf("roles of %s after a panic at call %d, %s", user, nth, at), c.want[i], v.app.Of(user))
		}
		v.checkSettled()
		if at == "" {
			if nth < 4 {
				w.t.Errorf("only %d calls", nth)
			}
			return
		}
		if nth > 500 {
			w.t.Fatalf("it never comes through")
		}
	}
}

// wantConsistent checks everyCrash's users against the stored state. An active user holds
// the heaviest role of their values and groups. byHand says that C also holds R.
func (w *world) wantConsistent(when string, byHand bool) {
	w.t.Helper()
	weight := map[string]int{"S": 10, "R": 20, "T": 30}
	for _, user := range []string{"A", "B", "C"} {
		best := ""
		u := w.send("GET", "/Users/"+user, nil)
		if u.status == 200 && u.body["active"] == true {
			list, _ := u.body["roles"].([]any)
			for _, r := range list {
				if name := r.(map[string]any)["value"].(string); weight[name] > weight[best] {
					best = name
				}
			}
			groups, _ := u.body["groups"].([]any)
			for _, g := range groups {
				if name := g.(map[string]any)["display"].(string); weight[name] > weight[best] {
					best = name
				}
			}
		}
		want := []string{}
		if best != "" {
			want = append(want, best)
		}
		if user == "C" && best != "R" && byHand {
			want = append(want, "R")
		}
		slices.Sort(want)
		w.diff(when+": roles of "+user, want, w.app.Of(user))
	}
}

// withoutUser fails to change the roles of one user.
type withoutUser struct {
	testhost.RoleRows
	user string
}

func (r withoutUser) Change(ctx context.Context, changes []scim.RoleChange) error {
	if slices.ContainsFunc(changes, func(c scim.RoleChange) bool { return c.UserID == r.user }) {
		return errors.New("this user's roles cannot be changed")
	}
	return r.RoleRows.Change(ctx, changes)
}

// unchangeable makes the roles of one user impossible to change, until repair is called.
func (w *world) unchangeable(user string) (repair func()) {
	usual := w.app.Rows
	w.app.Rows = withoutUser{usual, user}
	return func() { w.app.Rows = usual }
}

// wantLeftOut checks that an error is about one user, who is unfinished.
func (w *world) wantLeftOut(err error, user string) {
	w.t.Helper()
	if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("user %q", user)) {
		w.t.Errorf("the error does not name %s: %v", user, err)
	}
	isThere := false
	for next, more := "", true; more; more = next != "" {
		var page []scim.Pending
		page, next, err = w.reconciler().Pending(ctx(), next, 1000)
		w.must(err)
		for _, p := range page {
			if p.Kind == scim.PendingUnfinished {
				isThere = true
				w.diff("unfinished users", []string{user}, p.Users)
			}
		}
	}
	w.diff(user+" is unfinished", true, isThere)
}

func allButOne(w *world) {
	w.role("R")
	all := w.many(1100)
	w.group("G", "R", all...)
	x, others := all[0], []string{all[1], all[1099]}
	for _, id := range append(others, x) {
		w.app.Take(id, "R")
	}
	usual := w.app.Rows
	w.app.Rows = withoutUser{usual, x}
	for range 2 {
		var failed error
		for next, more := "", true; more; more = next != "" {
			var err error
			next, err = w.reconciler().All(ctx(), next)
			failed = errors.Join(failed, err)
		}
		if failed == nil || !strings.Contains(failed.Error(), x) {
			w.t.Errorf("the error does not name %s: %v", x, failed)
		}
		for _, id := range others {
			w.wantRoles(id, "R")
		}
		w.wantRoles(x)
		if _, ok := w.ledger.(scim.PendingLedger); ok {
			w.wantPending("unfinished " + x + " " + x)
		}
	}
	w.app.Rows = usual
	w.all()
	w.wantRoles(x, "R")
	w.wantNothingUnfinished()
}
