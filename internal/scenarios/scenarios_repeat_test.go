package scenarios

import (
	"errors"
	"fmt"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
)

// repeatScenarios are about calls that fail or panic. The client then repeats its request.
func repeatScenarios() []scenario {
	heaviest := scim.Roles{Pick: scim.PickHeaviest}
	var all []scenario
	for _, mistake := range []struct {
		how  string
		fail func() error
	}{
		{"fails", func() error { return errors.New("down") }},
		{"panics", func() error { panic("a mistake of the application") }},
	} {
		how, fail := mistake.how, mistake.fail
		all = append(all, []scenario{
			{name: "S119 ChangeRoles " + how + " at a rename",
				given:  "U in G→A; ChangeRoles " + how + "",
				when:   "G is renamed to B, and the request is sent again",
				then:   "500 until ChangeRoles works. Then U holds B.",
				reason: "the repeated rename completes it",
				run:    func(w *world) { renameFails(w, fail) }},
			{name: "S119 ChangeRoles " + how + " at a new group",
				given:  "ChangeRoles " + how + "",
				when:   "a group R with U is POSTed, and again once ChangeRoles works",
				then:   "500, and no group. Then there is one group, and U holds R.",
				reason: "no group exists twice",
				run:    func(w *world) { newGroupFails(w, fail) }},
			{name: "S119 ChangeRoles " + how + " within a circle of a bulk request",
				given:  "ChangeRoles " + how + "",
				when:   "a bulk request creates two groups that contain each other, and is sent again",
				then:   "500 for both, and no group. Then both exist, and U holds the roles of both.",
				reason: "all or none",
				run:    func(w *world) { circleFails(w, fail) }},
			{name: "S119 ChangeRoles " + how + " at the second batch of a deletion",
				given:  "G→R with 1,001 members; ChangeRoles " + how + " at its second call",
				when:   "G is deleted, and the request is sent again",
				then:   "500: the group is there, and all hold R. Then nobody does.",
				reason: "the group is not gone before its roles are",
				run:    func(w *world) { secondBatchFails(w, fail) }},
			{name: "S119 ChangeRoles " + how + " at what a deletion gives",
				given:  "U in G→R (20) and in G2→S (10); Pick is the heaviest; ChangeRoles " + how + " when it grants S",
				when:   "G is deleted, and the request is sent again",
				then:   "500, and R is revoked. The repetition is 404, and U holds S.",
				reason: "a repeated deletion completes it, although the group is gone",
				roles:  heaviest, kinds: []string{separate}, only: "elsewhere a deletion changes roles in one step",
				run: func(w *world) { lastStepFails(w, fail) }},
		}...)
	}
	return append(all, scenario{name: "S119 the resolver's error has a status",
		given:  "U in G→R; HeldRoles and ChangeRoles fail with an error of the status 404, 200, 409 or 0, or one that wraps ErrNotFound; then with 503",
		when:   "U is removed from G, G is deleted, and U is deactivated; then the resolver works, and it is sent again",
		then:   "500 each time, and 503 with Retry-After for 503. Then U holds nothing.",
		reason: "it is the answer of another service, and not to this request", run: resolverAnswers})
}

// resolverAnswers is S119 with errors that have a status.
func resolverAnswers(w *world) {
	busy := &scim.Error{Status: 503, Detail: "busy", RetryAfter: time.Minute}
	for _, op := range []string{"held", "change"} {
		for _, err := range []error{&scim.Error{Status: 404}, &scim.Error{Status: 200}, fmt.Errorf("roles: %w", &scim.Error{Status: 409}), &scim.Error{},
			fmt.Errorf("roles: %w", scim.ErrNotFound), busy} {
			w.role("R")
			w.user("U")
			w.group("G", "R", "U")
			w.app.Fail = func(is string) error {
				if is == op {
					return err
				}
				return nil
			}
			want := 500
			if err == busy {
				want = 503
			}
			answers := []reply{w.send("PATCH", "/Groups/G", patchBody(removeOp("U"))), w.send("PATCH", "/Users/U", activeBody(false)), w.send("DELETE", "/Groups/G", nil)}
			for i, r := range answers {
				if isDone := i > 0 && r.status/100 == 2; !isDone && r.status != want || r.status == 503 && r.retryAfter != "60" {
					w.t.Errorf("%s: %v: %d %s, Retry-After %q", op, err, r.status, r.detail(), r.retryAfter)
				}
			}
			w.app.Fail = nil
			w.deleteUser("U")
			w.send("DELETE", "/Groups/G", nil)
			w.all()
			w.wantRoles("U")
			w.wantLedger("U")
		}
	}
}

// breakChanges makes calls of ChangeRoles fail: the nth one and those after it. The function
// that it returns repairs ChangeRoles.
func (w *world) breakChanges(nth int, fail func() error) (repair func()) {
	usual := w.app.Fail
	w.app.Fail = func(op string) error {
		if op != "change" {
			return nil
		}
		if nth--; nth > 0 {
			return nil
		}
		return fail()
	}
	return func() { w.app.Fail = usual }
}

// breakOneChange makes only the nth call of ChangeRoles fail.
func (w *world) breakOneChange(nth int, fail func() error) {
	w.app.Fail = func(op string) error {
		if op == "change" {
			if nth--; nth == 0 {
				return fail()
			}
		}
		return nil
	}
}

func renameFails(w *world, fail func() error) {
	w.role("A")
	w.role("B")
	w.user("U")
	w.group("G", "A", "U")
	repair := w.breakChanges(1, fail)
	w.diff("first", 500, w.send("PATCH", "/Groups/G", renameBody("B")).status)
	w.diff("again", 500, w.send("PATCH", "/Groups/G", renameBody("B")).status)
	repair()
	w.rename("G", "B")
	w.wantRoles("U", "B")
	w.wantLedger("U", "B group:G")
	w.wantLink("G", "B")
}

func newGroupFails(w *world, fail func() error) {
	w.role("R")
	w.user("U")
	repair := w.breakChanges(1, fail)
	w.diff("first", 500, w.sendPost("/Groups", "G1", groupBody("R", "U")).status)
	w.diff("groups", any(0.0), w.do("GET", "/Groups", nil).body["totalResults"])
	repair()
	w.mark()
	w.group("G2", "R", "U")
	w.diff("groups", any(1.0), w.do("GET", "/Groups", nil).body["totalResults"])
	w.wantRoles("U", "R")
	w.remove("G2", "U")
	w.all() // what the first request left in the ledger ends too
	w.wantRoles("U")
	w.wantLedger("U")
}

func circleFails(w *world, fail func() error) {
	w.role("A")
	w.role("B")
	w.user("U")
	last := 0
	c := w.config()
	c.NewID = func() string { last++; return fmt.Sprint("id", last) }
	w.h = []*scim.Handler{w.handler(c)}
	send := func() (statuses []any) {
		w.t.Helper()
		r := w.do("POST", "/Bulk", testhost.BulkBody(testhost.PostGroup("a", "A", "Group bulkId:b", "User U"), testhost.PostGroup("b", "B", "Group bulkId:a", "User U")))
		for _, op := range r.body["Operations"].([]any) {
			statuses = append(statuses, op.(map[string]any)["status"])
		}
		return statuses
	}
	repair := w.breakChanges(1, fail)
	w.diff("first", []any{"500", "500"}, send())
	w.diff("groups", any(0.0), w.do("GET", "/Groups", nil).body["totalResults"])
	repair()
	w.diff("repeated", []any{"201", "201"}, send())
	w.diff("groups", any(2.0), w.do("GET", "/Groups", nil).body["totalResults"])
	w.wantRoles("U", "A", "B")
}

func secondBatchFails(w *world, fail func() error) {
	w.role("R")
	ids := w.many(1001)
	w.group("G", "R", ids...)
	w.breakOneChange(2, fail)
	w.diff("first", 500, w.send("DELETE", "/Groups/G", nil).status)
	w.do("GET", "/Groups/G?excludedAttributes=members", nil)
	w.diff("holders", len(ids), len(w.app.Holders("R")))
	w.deleteGroup("G")
	w.diff("holders", 0, len(w.app.Holders("R")))
	w.wantLedger(ids[0])
	w.wantLedger(ids[1000])
}

func lastStepFails(w *world, fail func() error) {
	w.role("R", 20)
	w.role("S", 10)
	w.user("U")
	w.group("G", "R", "U")
	w.group("G2", "S", "U")
	w.wantRoles("U", "R")
	w.breakOneChange(2, fail)
	w.diff("first", 500, w.send("DELETE", "/Groups/G", nil).status)
	w.wantRoles("U")
	w.diff("again", 404, w.send("DELETE", "/Groups/G", nil).status)
	w.wantRoles("U", "S")
	w.wantLedger("U", "S group:G2")
}
