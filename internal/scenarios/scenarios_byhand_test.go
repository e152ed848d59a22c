package scenarios

import (
	"context"
	"errors"
	"strings"

	"github.com/scimkit/scim"
)

// stepScenarios are about GiveByHand and TakeByHand, which include the application's change.
func stepScenarios() []scenario {
	exclusive := scim.Roles{Exclusive: true}
	return []scenario{
		{name: "S16 given by hand, with the application's change",
			given:  "U and V in G→R",
			when:   "U is given R by hand; then G loses both",
			then:   "U keeps R. V loses it.",
			reason: "the mark and the change are one step",
			run: func(w *world) {
				w.role("R")
				w.user("U", "V")
				w.group("G", "R", "U", "V")
				w.mark()
				w.byHand("U", "R")
				w.wantExplain("U", "R both group:G")
				w.wantReason("U", "R", "given in the application, and by a source too")
				w.wantLedger("U", "R group:G by hand")
				w.wantEvents()
				w.wantChanges()
				w.remove("G", "U", "V")
				w.wantRoles("U", "R")
				w.wantRoles("V")
			}},
		{name: "S16 the application's change fails",
			given:  "U in G→R",
			when:   "U is to be given R by hand, but the change fails or panics; then G loses U",
			then:   "The error comes back. There is no mark, and U loses R.",
			reason: "nobody gave it by hand",
			run:    handChangeFails},
		{name: "S16 given by hand in a transaction of the application",
			given:  "U in G→R",
			when:   "the application gives U the role R by hand in a transaction that it rolls back, then in one that commits; G loses U",
			then:   "After the rollback there is no mark. After the commit there is one, and U keeps R.",
			reason: "the mark joins the transaction",
			kinds:  []string{joint}, only: "the mark does not commit with the change",
			run: inTransaction},
		{name: "S16 given by hand, but not to a user or not a role",
			given:  "U in G→R of scope 1",
			when:   "R of no scope is reported as given by hand, and with a change if roles commit with the store; R is given to and taken from an unknown user",
			then:   "Errors: the role is not one that U holds, and 404. Nothing is marked, and U loses R with G.",
			reason: "a mistake must not go unnoticed until access is lost",
			run:    handMistakes},
		{name: "S17 taken by hand, while a group gives it too",
			given:  "U holds R by hand and is in G→R",
			when:   "R is taken with TakeByHand; then G loses U",
			then:   "TakeByHand names G and leaves R, without the mark. The removal revokes R.",
			reason: "the hand-given share has ended; the group still says so",
			run: func(w *world) {
				w.role("R")
				w.user("U")
				w.byHand("U", "R")
				w.group("G", "R", "U")
				w.mark()
				w.wantStill("U", "R", "group:G")
				w.wantRoles("U", "R")
				w.wantLedger("U", "R group:G")
				w.wantChanges()
				w.wantEvents()
				w.remove("G", "U")
				w.wantRoles("U")
			}},
		{name: "S18 taken by hand, while only groups give it",
			given:  "U in G1→R and in G2→R",
			when:   "R is taken with TakeByHand, twice",
			then:   "TakeByHand names G1 and G2, and changes nothing.",
			reason: "the next reconciliation would give it back",
			run: func(w *world) {
				w.role("R")
				w.user("U")
				w.group("G1", "R", "U")
				w.group("G2", "R", "U")
				w.mark()
				for range 2 {
					w.wantStill("U", "R", "group:G1", "group:G2")
					w.wantRoles("U", "R")
					w.wantLedger("U", "R group:G1", "R group:G2")
				}
				w.wantChanges()
				w.wantEvents()
			}},
		{name: "S18 taken by hand in the application, then with TakeByHand",
			given:  "U in G→R; the application took R without a word",
			when:   "R is taken with TakeByHand",
			then:   "TakeByHand names G, and U holds R again.",
			reason: "what a source gives, it gives",
			run: func(w *world) {
				w.role("R")
				w.user("U")
				w.group("G", "R", "U")
				w.app.Take("U", "R")
				w.wantStill("U", "R", "group:G")
				w.wantRoles("U", "R")
				w.wantLedger("U", "R group:G")
			}},
		{name: "S19 S21 taken by hand while another role waits",
			given:  "Exclusive; U holds Viewer through G→Viewer",
			when:   "Admin is given by hand, then taken with TakeByHand",
			then:   "Admin takes the place of Viewer, which waits. Then U holds Viewer again.",
			reason: "nothing shadows it any more",
			roles:  exclusive,
			run: func(w *world) {
				w.role("Admin", 30)
				w.role("Viewer", 10)
				w.user("U")
				w.group("G", "Viewer", "U")
				w.mark()
				w.byHand("U", "Admin")
				w.wantRoles("U", "Admin")
				w.wantLedger("U", "Viewer group:G waiting")
				w.wantChanges("U -Viewer")
				w.wantExplain("U", "Admin by hand", "Viewer waiting group:G")
				w.mark()
				w.wantStill("U", "Admin")
				w.wantRoles("U", "Viewer")
				w.wantLedger("U", "Viewer group:G")
				w.wantEvents("role granted U Viewer G")
			}},
		{name: "S21 taken by hand, and a heavier role waits",
			given:  "Exclusive, the heaviest; U holds Viewer by hand and is in G1→Viewer; Admin waits from G2",
			when:   "Viewer is taken with TakeByHand",
			then:   "U holds Admin: nothing gives Viewer while the place is free.",
			reason: "what is taken is asked as if it were gone",
			roles:  exclusive,
			run: func(w *world) {
				w.role("Admin", 30)
				w.role("Viewer", 10)
				w.user("U")
				w.byHand("U", "Viewer")
				w.group("G2", "Admin", "U")
				w.group("G1", "Viewer", "U")
				w.wantRoles("U", "Viewer")
				w.wantStill("U", "Viewer")
				w.wantRoles("U", "Admin")
			}},
		{name: "S17 S44 taken by hand in a pause",
			given:  "U and V in G→R; V also holds R by hand; the giving of roles is paused, reported",
			when:   "R is taken from both with TakeByHand; they are reconciled; the pause ends, reported",
			then:   "TakeByHand names G and leaves R, without a mark. Both hold R throughout.",
			reason: "what sources gave before a pause stays",
			run:    func(w *world) { takenWhileHeldBack(w, func() { w.pause(true); w.reportChange() }) }},
		{name: "S17 S116 taken by hand while the application distrusts",
			given:  "U and V in G→R; V also holds R by hand; the application distrusts G, and keeps what it gave",
			when:   "R is taken from both with TakeByHand; they are reconciled; the distrust ends",
			then:   "TakeByHand names G and leaves R, without a mark. Both hold R throughout.",
			reason: "what a distrusted source gave before stays",
			run: func(w *world) {
				takenWhileHeldBack(w, func() { w.must(w.reconciler().Distrust(ctx(), scim.DistrustKeep, "G")) })
			}},
	}
}

// handChangeFails is S16 with a change that fails.
func handChangeFails(w *world) {
	w.role("R")
	w.user("U")
	w.group("G", "R", "U")
	w.mark()
	failed := errors.New("the page could not be saved")
	for _, change := range []func(context.Context) error{
		func(context.Context) error { return failed },
		func(context.Context) error { panic("the page") },
	} {
		err := w.reconciler().GiveByHand(ctx(), "U", scim.Role{ID: "R"}, change)
		if err == nil {
			w.t.Errorf("GiveByHand returns no error")
		}
		w.wantLedger("U", "R group:G")
		if _, err = w.reconciler().TakeByHand(ctx(), "V", scim.Role{ID: "R"}, change); err == nil {
			w.t.Errorf("TakeByHand returns no error")
		}
	}
	err := w.reconciler().GiveByHand(ctx(), "U", scim.Role{ID: "R"}, func(context.Context) error { return failed })
	if !errors.Is(err, failed) {
		w.t.Errorf("GiveByHand returns %v, want the error of the change", err)
	}
	short, cancel := context.WithCancel(ctx())
	err = w.reconciler().GiveByHand(short, "U", scim.Role{ID: "R"}, func(ctx context.Context) error {
		cancel()
		return ctx.Err()
	})
	if !errors.Is(err, context.Canceled) {
		w.t.Errorf("GiveByHand returns %v, want the error of the context", err)
	}
	w.wantLedger("U", "R group:G")
	w.wantEvents()
	w.wantChanges()
	w.remove("G", "U")
	w.wantRoles("U")
}

// handMistakes is S16 with a role or a user that is not there.
func handMistakes(w *world) {
	scoped := scim.Role{ID: "R", Name: "R", Scope: "1"}
	w.standsFor(map[string][]scim.Role{"R": {scoped}})
	w.user("U")
	w.group("G", "R", "U")
	w.mark()
	wrong := scim.Role{ID: "R"}
	err := w.reconciler().GiveByHand(ctx(), "U", wrong, nil)
	w.diff("the error names the role that U holds", true, err != nil && strings.Contains(err.Error(), `"R" of scope "1"`))
	if w.kind == joint {
		err = w.reconciler().GiveByHand(ctx(), "U", wrong, func(ctx context.Context) error {
			return w.app.Rows.Change(ctx, []scim.RoleChange{{UserID: "U", Grant: []scim.Role{scoped}}})
		})
		w.diff("the error names the role that U holds", true, err != nil && strings.Contains(err.Error(), `"R" of scope "1"`))
	}
	called := func(context.Context) error {
		w.t.Errorf("the change is called for an unknown user")
		return nil
	}
	give := w.reconciler().GiveByHand(ctx(), "none", scoped, called)
	_, take := w.reconciler().TakeByHand(ctx(), "none", scoped, called)
	_, explain := w.reconciler().Explain(ctx(), "none")
	for _, err := range []error{give, take, explain} {
		var refused *scim.Error
		w.diff("an unknown user is a 404", true, errors.As(err, &refused) && refused.Status == 404)
	}
	w.wantLedger("U", "1/R group:G")
	w.wantLedger("none")
	w.wantEvents()
	w.wantChanges()
	w.must(w.reconciler().GiveByHand(ctx(), "U", scoped, nil))
	w.wantLedger("U", "1/R group:G by hand")
	still, err := w.reconciler().TakeByHand(ctx(), "U", scoped, nil)
	w.must(err)
	w.diff("sources that still give it", []scim.Source{"group:G"}, still)
	w.remove("G", "U")
	w.wantRoles("U")
}

// inTransaction is S16 in a transaction of the application.
func inTransaction(w *world) {
	w.role("R")
	w.user("U")
	w.group("G", "R", "U")
	undone := errors.New("the rest failed")
	for _, want := range []error{undone, nil} {
		err := w.store.(scim.Transactor).InTx(ctx(), func(ctx context.Context) error {
			err := w.reconciler().GiveByHand(ctx, "U", scim.Role{ID: "R"}, func(ctx context.Context) error {
				return w.app.Rows.Change(ctx, []scim.RoleChange{{UserID: "U", Grant: []scim.Role{{ID: "R"}}}})
			})
			if err != nil {
				return err
			}
			return want
		})
		if !errors.Is(err, want) {
			w.t.Errorf("the transaction ends with %v, want %v", err, want)
		}
		if want != nil {
			w.wantLedger("U", "R group:G")
		}
	}
	w.wantLedger("U", "R group:G by hand")
	w.remove("G", "U")
	w.wantRoles("U", "R")
}

// wantStill takes a role with TakeByHand, and checks the sources that still give it.
func (w *world) wantStill(user, role string, sources ...scim.Source) {
	w.t.Helper()
	still, err := w.takeByHand(user, role)
	w.must(err)
	w.diff("sources that still give "+role, append([]scim.Source{}, sources...), append([]scim.Source{}, still...))
}

// takenWhileHeldBack is S17 while sources give nothing new.
func takenWhileHeldBack(w *world, holdBack func()) {
	w.role("R")
	w.user("U", "V")
	w.group("G", "R", "U", "V")
	w.byHand("V", "R")
	holdBack()
	w.mark()
	for range 2 {
		for _, user := range []string{"U", "V"} {
			w.wantStill(user, "R", "group:G")
			w.reconcile(user)
			w.wantRoles(user, "R")
			w.wantLedger(user, "R group:G")
			w.wantExplain(user, "R granted group:G")
		}
	}
	w.wantChanges()
	w.wantEvents()
	w.remove("G", "V")
	w.wantRoles("V")
	w.pause(false)
	w.must(w.reconciler().Trust(ctx()))
	w.reportChange()
	w.wantRoles("U", "R")
}
