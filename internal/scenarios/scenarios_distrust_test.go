package scenarios

import (
	"sync"
	"time"

	"github.com/scimkit/scim"
)

// distrustScenarios are S116.
func distrustScenarios() []scenario {
	return []scenario{
		{name: "S116 a backup is restored, and users keep what they hold",
			given:  "U, V in G→R; X in G is inactive, Y's role was taken outside; all sources are distrusted, and users keep their roles",
			when:   "everybody is reconciled; X is activated; a PATCH adds Y to G again; a PUT of G names X; N is added; then Trust",
			then:   "U and V keep R. X, Y and N get R when they are named, and not before. After Trust nothing waits.",
			reason: "reconciling to old memberships would bring leavers back",
			run:    distrustAndKeep},
		{name: "S116 a backup is restored, and users lose what SCIM gave",
			given:  "U, V in G→R, H in G with R by hand; all sources are distrusted, and roles are revoked",
			when:   "everybody is reconciled; U is named by an add, V by a new group G2→R; then everybody is reconciled again",
			then:   "U and V lose R, and H keeps R by hand. U gets R from G when named, V from G2. G still waits for V.",
			reason: "a client knows who is there today",
			run:    distrustAndRevoke},
		{name: "S116 one group is distrusted",
			given:  "U in G→R and in G2→S; G is distrusted, and roles are revoked",
			when:   "U is deactivated and activated; then G is trusted",
			then:   "U loses R, and holds S all the time. Trust gives R back.",
			reason: "other sources are not affected",
			run: func(w *world) {
				w.role("R")
				w.role("S")
				w.user("U")
				w.group("G", "R", "U")
				w.group("G2", "S", "U")
				w.must(w.reconciler().Distrust(ctx(), scim.DistrustRevoke, "G"))
				w.wantRoles("U", "S")
				w.wantExplain("U", "R waiting group:G", "S granted group:G2")
				w.deactivate("U")
				w.activate("U")
				w.wantRoles("U", "S")
				w.must(w.reconciler().Trust(ctx(), "G"))
				w.wantRoles("U", "R", "S")
				w.wantExplain("U", "R granted group:G", "S granted group:G2")
			}},
		{name: "S116 all but one group are distrusted",
			given:  "U in G→R, V in G2→S; all sources are distrusted, and roles are revoked",
			when:   "G is trusted; then all are distrusted again",
			then:   "U gets R back, V waits for S. Then both wait.",
			reason: "Trust ends what was said before it, and Distrust begins again",
			run: func(w *world) {
				w.role("R")
				w.role("S")
				w.user("U", "V")
				w.group("G", "R", "U")
				w.group("G2", "S", "V")
				for range 2 {
					w.must(w.reconciler().Distrust(ctx(), scim.DistrustRevoke))
					w.all()
					w.wantRoles("U")
					w.wantRoles("V")
					w.must(w.reconciler().Trust(ctx(), "G"))
					w.wantRoles("U", "R")
					w.wantRoles("V")
				}
				w.must(w.reconciler().Trust(ctx()))
				w.wantRoles("V", "S")
				w.mark()
				w.all()
				w.wantChanges()
			}},
		{name: "S116 Pick does not see a role that waits for trust",
			given:  "Pick is the heaviest; U in G→Admin (30) and in G2→Viewer (10); G is distrusted, and roles are revoked",
			when:   "a client names U in G again",
			then:   "U holds Viewer, and Admin once named.",
			reason: "a role that nobody gets must not keep another one away",
			roles:  scim.Roles{Pick: scim.PickHeaviest},
			run: func(w *world) {
				w.role("Admin", 30)
				w.role("Viewer", 10)
				w.user("U")
				w.group("G", "Admin", "U")
				w.group("G2", "Viewer", "U")
				w.must(w.reconciler().Distrust(ctx(), scim.DistrustRevoke, "G"))
				w.wantRoles("U", "Viewer")
				w.add("G", "U")
				w.wantRoles("U", "Admin")
				w.all()
				w.wantRoles("U", "Admin")
			}},
		{name: "S116 attributes are distrusted too",
			given:  "U's and V's roles name R; all sources are distrusted, and roles are revoked",
			when:   "a PATCH changes U's title; a PUT replaces U; V's value is removed and set again",
			then:   "The PATCH gives nothing. The PUT gives U the role again, and the new value V.",
			reason: "a client that replaces a user says what the user is",
			roles:  scim.Roles{Attributes: []string{"roles"}},
			run: func(w *world) {
				w.role("R")
				w.userNamed("U", "R")
				w.userNamed("V", "R")
				w.must(w.reconciler().Distrust(ctx(), scim.DistrustRevoke))
				w.all()
				w.wantRoles("U")
				w.do("PATCH", "/Users/U", patchBody(map[string]any{"op": "replace", "path": "title", "value": "Dr."}))
				w.wantRoles("U")
				w.wantExplain("U", "R waiting attr:roles")
				w.putNamed("U", "R")
				w.wantRoles("U", "R")
				w.do("PATCH", "/Users/V", patchBody(map[string]any{"op": "remove", "path": "roles"}))
				w.do("PATCH", "/Users/V", patchBody(rolesOp("add", "R")))
				w.wantRoles("V", "R")
				w.userNamed("N", "R")
				w.wantRoles("N", "R")
				w.all()
				w.wantRoles("U", "R")
				w.wantRoles("V", "R")
			}},
		{name: "S116 a kept role waits for the place",
			given:  "Exclusive; U holds R through G, and is in G2→Lighter; G is distrusted, and users keep their roles",
			when:   "S is given to U by hand; U is removed from G2; S is taken",
			then:   "R and Lighter wait. R goes on waiting for a client that names U.",
			reason: "nobody has named U since",
			roles:  scim.Roles{Exclusive: true},
			run: func(w *world) {
				w.role("R", 10)
				w.role("S")
				w.user("U")
				w.group("G", "R", "U")
				w.must(w.reconciler().Distrust(ctx(), scim.DistrustKeep, "G"))
				w.role("Lighter")
				w.group("G2", "Lighter", "U")
				w.byHand("U", "S")
				w.wantRoles("U", "S")
				w.wantLedger("U", "R group:G waiting", "Lighter group:G2 waiting")
				w.mark()
				w.reconcile("U")
				w.wantEvents()
				w.remove("G2", "U")
				_, err := w.takeByHand("U", "S")
				w.must(err)
				w.wantRoles("U")
				w.wantExplain("U", "R waiting group:G")
				w.add("G", "U")
				w.wantRoles("U", "R")
			}},
		{name: "S116 Pick leaves a kept role out",
			given:  "Pick is the heaviest; U holds Viewer through G1; G1 is distrusted, and users keep their roles",
			when:   "U is added to G2→Admin, and removed",
			then:   "U holds Admin, and then nothing: Viewer waits from the addition on.",
			reason: "nobody has named U in G1 since",
			roles:  scim.Roles{Pick: scim.PickHeaviest},
			run: func(w *world) {
				w.role("Admin", 30)
				w.role("Viewer", 10)
				w.user("U")
				w.group("G1", "Viewer", "U")
				w.group("G2", "Admin")
				w.must(w.reconciler().Distrust(ctx(), scim.DistrustKeep, "G1"))
				w.add("G2", "U")
				w.wantRoles("U", "Admin")
				w.wantLedger("U", "Admin group:G2", "Viewer group:G1 waiting")
				w.mark()
				w.reconcile("U")
				w.wantEvents()
				w.remove("G2", "U")
				w.wantRoles("U")
				w.wantLedger("U", "Viewer group:G1 waiting")
			}},
		{name: "S116 a user with a protected role comes back",
			given:  "U in G→R and Admin, which is protected; G is distrusted, and users keep their roles",
			when:   "U is deactivated and activated",
			then:   "R and Admin wait.",
			reason: "nobody has named U since",
			run: func(w *world) {
				w.twoRolesOf("G", "U")
				w.must(w.reconciler().Distrust(ctx(), scim.DistrustKeep, "G"))
				w.deactivate("U")
				w.activate("U")
				w.wantRoles("U")
				w.add("G", "U")
				w.wantRoles("U", "Admin", "R")
			}},
		{name: "S116 the application confirms one of two roles",
			given:  "U in G→R and Admin, which is protected; G is distrusted, and roles are revoked",
			when:   "the application confirms G, Admin and U",
			then:   "U holds both at once, and nothing changes later.",
			reason: "who is named in the group counts for all its roles",
			run: func(w *world) {
				w.twoRolesOf("G", "U")
				w.must(w.reconciler().Distrust(ctx(), scim.DistrustRevoke, "G"))
				w.wantRoles("U")
				w.must(w.reconciler().Confirm(ctx(), "G", scim.Role{ID: "Admin"}, "U"))
				w.wantRoles("U", "Admin", "R")
				w.mark()
				w.all()
				w.wantChanges()
			}},
		{name: "S95 S116 the last holder waits for trust",
			given:  "KeepLastHolder; U is the only holder of Admin, through G; G is distrusted, and roles are revoked",
			when:   "U is reconciled again and again; then G is trusted",
			then:   "U keeps Admin, and no event says that it waits. Then G gives it.",
			reason: "nothing changes",
			roles:  scim.Roles{KeepLastHolder: true},
			run: func(w *world) {
				w.user("U")
				w.admins("G", "Admin", "U")
				w.mark()
				w.must(w.reconciler().Distrust(ctx(), scim.DistrustRevoke, "G"))
				w.wantEvents("role retained U Admin G")
				w.mark()
				w.reconcile("U")
				w.all()
				w.wantEvents()
				w.wantRoles("U", "Admin")
				w.must(w.reconciler().Trust(ctx(), "G"))
				w.wantExplain("U", "Admin granted group:G")
			}},
		{name: "S116 a request that runs while the application begins to distrust",
			given:  "U in G→R is inactive; a request activates U, and has read that nothing is distrusted",
			when:   "all sources are distrusted, and roles are revoked; the request goes on; everybody is reconciled",
			then:   "U waits for R.",
			reason: "no client has named U since",
			run: func(w *world) {
				w.inactiveMember()
				began, goOn := w.stopAt("held")
				var wg sync.WaitGroup
				wg.Go(func() { w.activate("U") })
				<-began
				wg.Go(func() { w.must(w.reconciler().Distrust(ctx(), scim.DistrustRevoke)) })
				time.Sleep(50 * time.Millisecond) // either it waits, or it is done
				close(goOn)
				wg.Wait()
				w.wantDistrusted()
			}},
		{name: "S116 a request that runs before the distrust is stored",
			given:  "U in G→R is inactive; the application distrusts all sources, and roles are revoked",
			when:   "a request activates U before the store or the ledger has heard of the distrust; everybody is reconciled",
			then:   "U waits for R.",
			reason: "no client has named U since",
			run: func(w *world) {
				w.inactiveMember()
				began, goOn := w.stopAt("")
				var wg sync.WaitGroup
				wg.Go(func() { w.must(w.reconciler().Distrust(ctx(), scim.DistrustRevoke)) })
				<-began
				wg.Go(func() { w.activate("U") })
				time.Sleep(50 * time.Millisecond) // either it waits, or it is done
				close(goOn)
				wg.Wait()
				w.wantDistrusted()
			}},
		{name: "S116 one user's roles cannot be changed",
			given:  "more users than two batches in G→A, V in H→B; the roles of the first user of G cannot be changed",
			when:   "G and H are distrusted, and roles are revoked; the user's roles can be changed, settled; the same with Trust",
			then:   "Distrust and Trust are errors that name the user, who is unfinished. All others lose and get their roles. Then the user does.",
			reason: "one user must not keep all others from losing or getting their roles",
			run: func(w *world) {
				x, last := w.beforeOneFails()
				repair := w.unchangeable(x)
				w.wantLeftOut(w.reconciler().Distrust(ctx(), scim.DistrustRevoke, "G", "H"), x)
				for user, roles := range map[string][]string{x: {"A"}, last: {}, "V": {}} {
					w.wantRoles(user, roles...)
				}
				repair()
				w.must(w.reconciler().Settle(ctx()))
				w.wantRoles(x)
				repair = w.unchangeable(x)
				w.wantLeftOut(w.reconciler().Trust(ctx(), "G", "H"), x)
				for user, roles := range map[string][]string{x: {}, last: {"A"}, "V": {"B"}} {
					w.wantRoles(user, roles...)
				}
				repair()
				w.must(w.reconciler().Settle(ctx()))
				w.wantRoles(x, "A")
			}},
		{name: "S116 one user's roles cannot be changed, and all sources are distrusted",
			given:  "as before",
			when:   "all sources are distrusted, and roles are revoked; everybody is reconciled; all are trusted, and the user's roles cannot be changed",
			then:   "Trust is an error that names the user, who is unfinished. All others get their roles.",
			reason: "one user must not keep all others from their roles",
			run: func(w *world) {
				x, last := w.beforeOneFails()
				w.must(w.reconciler().Distrust(ctx(), scim.DistrustRevoke))
				w.all()
				w.wantRoles(last)
				repair := w.unchangeable(x)
				w.wantLeftOut(w.reconciler().Trust(ctx()), x)
				for user, roles := range map[string][]string{x: {}, last: {"A"}, "V": {"B"}} {
					w.wantRoles(user, roles...)
				}
				repair()
				w.must(w.reconciler().Settle(ctx()))
				w.wantRoles(x, "A")
			}},
		{name: "S116 a group that stands for another role",
			given:  "U, V in G→R; G is distrusted, and U is named again",
			when:   "G is renamed to S, and back to R, again and again",
			then:   "U holds the role of the name. V waits for it.",
			reason: "who was named in the group counts for all its roles",
			run: func(w *world) {
				w.role("R")
				w.role("S")
				w.user("U", "V")
				w.group("G", "R", "U", "V")
				w.must(w.reconciler().Distrust(ctx(), scim.DistrustRevoke, "G"))
				w.add("G", "U")
				for _, name := range []string{"S", "R", "S"} {
					w.rename("G", name)
					w.wantRoles("U", name)
					w.wantRoles("V")
					w.wantExplain("V", name+" waiting group:G")
				}
			}},
	}
}

// twoRolesOf makes a group that stands for R and for Admin, which is protected and confirmed.
func (w *world) twoRolesOf(group string, users ...string) {
	w.t.Helper()
	w.role("R")
	w.protectedRole("Admin")
	w.app.Resolve = func(scim.RoleSource) ([]scim.Role, error) {
		return []scim.Role{{ID: "Admin", Name: "Admin", Protected: true}, {ID: "R", Name: "R"}}, nil
	}
	w.user(users...)
	w.group(group, "Both", users...)
	w.must(w.reconciler().Confirm(ctx(), group, scim.Role{ID: "Admin"}))
}

// inactiveMember makes an inactive member U of G→R.
func (w *world) inactiveMember() {
	w.t.Helper()
	w.role("R")
	w.user("U")
	w.group("G", "R", "U")
	w.deactivate("U")
	w.wantRoles("U")
}

// wantDistrusted checks that U waits for R when everybody is reconciled.
func (w *world) wantDistrusted() {
	w.t.Helper()
	w.step = nil
	w.all()
	w.wantRoles("U")
	w.wantExplain("U", "R waiting group:G")
}

// stopAt makes the first call of op ("": any call) wait: it closes began and waits for goOn.
func (w *world) stopAt(op string) (began, goOn chan struct{}) {
	var once sync.Once
	began, goOn = make(chan struct{}), make(chan struct{})
	w.step = func(at string) {
		if op == "" || at == op {
			isFirst := false
			once.Do(func() { isFirst = true })
			if isFirst {
				close(began)
				<-goOn
			}
		}
	}
	return began, goOn
}

// distrustAndKeep is S116.
func distrustAndKeep(w *world) {
	w.role("R")
	w.user("U", "V", "X", "Y", "N")
	w.group("G", "R", "U", "V", "X", "Y")
	w.deactivate("X")
	w.app.Take("Y", "R")
	w.must(w.reconciler().Distrust(ctx(), scim.DistrustKeep))
	w.mark()
	w.all()
	w.wantChanges()
	w.activate("X")
	for _, u := range []string{"X", "Y"} {
		w.wantRoles(u)
		w.wantExplain(u, "R waiting group:G")
	}
	w.add("G", "Y")
	w.wantRoles("Y", "R")
	w.put("G", "R", "U", "V", "X", "Y")
	w.wantRoles("X", "R")
	w.add("G", "N")
	w.wantRoles("N", "R")
	w.restart()
	w.all()
	for _, u := range []string{"U", "V", "X", "Y", "N"} {
		w.wantExplain(u, "R granted group:G")
	}
	w.remove("G", "N")
	w.wantRoles("N")
	w.must(w.reconciler().Trust(ctx()))
	w.mark()
	w.all()
	w.wantChanges()
}

// distrustAndRevoke is S116.
func distrustAndRevoke(w *world) {
	w.role("R")
	w.user("U", "V", "H")
	w.byHand("H", "R")
	w.group("G", "R", "U", "V", "H")
	w.must(w.reconciler().Distrust(ctx(), scim.DistrustRevoke))
	w.mark()
	w.wantExplain("U", "R leaving", "R waiting group:G")
	w.all()
	w.wantRoles("U")
	w.wantRoles("V")
	w.wantRoles("H", "R")
	w.wantExplain("U", "R waiting group:G")
	w.wantExplain("H", "R by hand", "R waiting group:G")
	w.add("G", "U")
	w.wantRoles("U", "R")
	w.group("G2", "R", "V")
	w.wantRoles("V", "R")
	w.wantLedger("V", "R group:G waiting", "R group:G2")
	w.remove("G2", "V")
	w.wantRoles("V")
	w.wantLedger("V", "R group:G waiting")
	w.all()
	w.wantRoles("U", "R")
	w.wantRoles("H", "R")
	w.remove("G", "H")
	w.wantRoles("H", "R")
	w.wantLedger("H")
}
