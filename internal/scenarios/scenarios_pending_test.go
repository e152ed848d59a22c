package scenarios

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/scimkit/scim"
)

func pendingScenarios() []scenario {
	attributes := scim.Roles{Attributes: []string{"roles"}}
	const apart = "roles commit with the store, so no change is left unfinished"
	return []scenario{
		{name: "pending: links and values, confirmed and declined",
			given:  "groups and values whose roles are protected",
			when:   "the list is read, and each matter is confirmed or declined",
			then:   "A confirmed source gives its role. A declined one gives nothing, and is listed no more.",
			reason: "each is decided as it was seen",
			roles:  attributes,
			run:    pendingLinks},
		{name: "pending: users who wait",
			given:  "U, V and W in G→Owner, protected and confirmed; they were inactive",
			when:   "U is confirmed, V is declined, W leaves G",
			then:   "U holds Owner. V waits until the application names V. W is listed no more.",
			reason: "each is decided as it was seen",
			run:    pendingPeople},
		{name: "pending: a user who waits for a place",
			given:  "Exclusive; U holds Manager by hand, and Editor of G waits",
			when:   "Editor is confirmed for U, in the list and by name, then declined; U leaves and returns; Manager is taken by hand; U leaves G",
			then:   "Both confirmations leave everything as it is. The decline ends with the absence. When U holds Editor, the matter moved.",
			reason: "a confirmation frees no place",
			roles:  scim.Roles{Exclusive: true},
			run:    pendingPlace},
		{name: "pending: a declined user, and another membership",
			given:  "U and V in G→Owner, protected and confirmed; they were inactive, and are declined",
			when:   "they are reconciled and reported; U is removed from G and added again; G is renamed and renamed back, and confirmed",
			then:   "V waits until the rename. U gets Owner with the new membership, V with the new confirmation.",
			reason: "the decision is about what the source gives the user now",
			run:    declinedAgain},
		{name: "pending: a value of one user",
			given:  "U has a value for Owner, protected and confirmed, and was inactive",
			when:   "U is confirmed, and declined after another absence",
			then:   "U holds Owner after the first decision, and not after the second one.",
			reason: "all values of an attribute share one source of grants",
			roles:  attributes,
			run:    pendingValue},
		{name: "pending: one user of a link that is not confirmed",
			given:  "U, V and W in G→R, protected and not confirmed",
			when:   "the application confirms R for U alone",
			then:   "U holds R, also after reconciliations. The link and its other members go on waiting.",
			reason: "the others get nothing that nobody decided",
			run:    confirmOne},
		{name: "pending: one user, and another role of the same source",
			given:  "U in G→R, not confirmed, and R is confirmed for U alone",
			when:   "G stands for S too, and later no longer",
			then:   "U keeps R. The link to R goes on waiting as it was.",
			reason: "a role of a source does not touch another one",
			run:    confirmOneOfTwo},
		{name: "pending: a declined user, and then the whole link",
			given:  "U in G→R, protected; R is declined for U",
			when:   "the application confirms the link, then U by name",
			then:   "U gets R from the second decision, not from the first.",
			reason: "only who is named gets the role",
			run:    declineThenConfirm},
		{name: "pending: a link for another role",
			given:  "G→R awaits confirmation and is listed",
			when:   "a client renames G, and renames it back",
			then:   "The listed matter can be neither confirmed nor declined: it moved.",
			reason: "what an administrator saw is not there any more",
			run:    linkMoves},
		{name: "pending: a group with another name",
			given:  "G, named Admins, stands for Owner, protected, and so does every group named Everyone; U, who was inactive, waits in H, named Admins too and confirmed",
			when:   "both matters are listed; a client renames both groups to Everyone",
			then:   "The matters moved. They are listed anew, and can be confirmed.",
			reason: "an administrator decides about the group that the list shows",
			run:    pendingRenamed},
		{name: "pending: renamed away and back meanwhile",
			given:  "G→R, protected and confirmed, U in G; roles cannot be changed",
			when:   "a client renames G and back; then roles can be changed again",
			then:   "U loses R, and the link awaits confirmation.",
			reason: "a grant from before is no decision about the new link",
			kinds:  []string{separate, bare}, only: apart,
			run: renamedAwayAndBack},
		{name: "pending: groups in groups that give nothing",
			given:  "A and B contain each other, stored before groups in groups counted",
			when:   "groups in groups count",
			then:   "Both memberships are listed until a client removes one of them.",
			reason: "such memberships give nothing",
			run:    pendingNesting},
		{name: "pending: page by page",
			given:  "many links and users that wait",
			when:   "the list is read in pages, also while matters are decided",
			then:   "Each matter comes once.",
			reason: "a page continues where the one before ended",
			roles:  attributes,
			run:    pendingPages},
		{name: "pending: unfinished after an error",
			given:  "G→R; ChangeRoles fails when U is added, and later when U is removed",
			when:   "another process calls Settle, or confirms the matter",
			then:   "The change is listed until then. Afterwards roles are as the members say.",
			reason: "the list is in the ledger",
			kinds:  []string{separate, bare}, only: apart,
			run: unfinishedError},
		{name: "pending: unfinished, and the group is gone",
			given:  "U and V in G→R (20) and G2→S (10); Pick is the heaviest; the deletion of G fails after its commit",
			when:   "another process gets the deletion again",
			then:   "U and V hold S.",
			reason: "nobody finds the members of a group that is gone",
			roles:  scim.Roles{Pick: scim.PickHeaviest}, kinds: []string{separate}, only: "only here does a deletion commit before what it gives",
			run: unfinishedDeletion},
		{name: "pending: unfinished again and again",
			given:  "G→R; ChangeRoles fails",
			when:   "a client repeats its request, and sends another one",
			then:   "One matter lists the users of both, since the first failure.",
			reason: "a change is listed once",
			kinds:  []string{separate, bare}, only: apart,
			run: unfinishedAgain},
		{name: "pending: an unfinished deletion, and the id is used again",
			given:  "the deletion of U is unfinished; then a new user has the id",
			when:   "Settle",
			then:   "The new user keeps what the application gave.",
			reason: "the new user's roles are nobody's to take",
			kinds:  []string{bare}, only: "only here can the deletion be stored while roles cannot be read",
			run: unfinishedThenBack},
		{name: "pending: a creation that was undone",
			given:  "ChangeRoles fails when G→R is created with U",
			when:   "the answer is 500",
			then:   "Neither G nor a matter about it is left.",
			reason: "nothing is left of it",
			kinds:  []string{separate, bare}, only: apart,
			run: undoneCreation},
		{name: "pending: a rename of a large group, unfinished",
			given:  "thousands in G→R; ChangeRoles fails at a rename and at a deletion",
			when:   "Settle",
			then:   "Nobody of the group holds a role.",
			reason: "the note has the group, not its members",
			kinds:  []string{separate}, only: "one store with transactions is enough",
			run: unfinishedLarge},
	}
}

// pending lists everything that is pending, in pages of a size.
func (w *world) pending(limit int) (all []scim.Pending) {
	w.t.Helper()
	for after := ""; ; {
		page, next, err := w.reconciler().Pending(ctx(), after, limit)
		w.must(err)
		if len(page) > limit {
			w.t.Errorf("a page of %d, more than %d", len(page), limit)
		}
		all = append(all, page...)
		if after = next; next == "" {
			return all
		}
	}
}

func pendingLine(p scim.Pending) string {
	words := []string{string(p.Kind)}
	for _, s := range []string{p.UserID, p.Role.Scope, p.Role.ID, string(p.Source), p.Resource.ID, p.Member.ID, strings.Join(p.Users, ",")} {
		if s != "" {
			words = append(words, s)
		}
	}
	return strings.Join(words, " ")
}

// wantPending checks everything that is pending, in order.
func (w *world) wantPending(want ...string) []scim.Pending {
	w.t.Helper()
	got := []string{}
	all := w.pending(1000)
	for _, p := range all {
		got = append(got, pendingLine(p))
		if p.Reason == "" || p.At.IsZero() || p.Key == "" {
			w.t.Errorf("no reason, no time or no key: %+v", p)
		}
	}
	w.diff("pending", want, got)
	return all
}

// wantNothingUnfinished checks that no write is unfinished.
func (w *world) wantNothingUnfinished() {
	w.t.Helper()
	notes, ok := w.ledger.(scim.PendingLedger)
	if !ok {
		return
	}
	list, err := notes.Notes(ctx(), "unfinished", "", 10)
	w.must(err)
	for _, n := range list {
		w.t.Errorf("a write is unfinished: %q %s", n.Key, n.Text)
	}
}

// wantNotes checks how many notes of a kind the ledger has.
func (w *world) wantNotes(kind string, want int) {
	w.t.Helper()
	list, err := w.ledger.(scim.PendingLedger).Notes(ctx(), kind, "", want+10)
	w.must(err)
	w.diff("notes of kind "+kind, want, len(list))
}

func (w *world) confirms(p scim.Pending) {
	w.t.Helper()
	w.must(w.reconciler().ConfirmPending(ctx(), p.Key))
}

func (w *world) declines(p scim.Pending) {
	w.t.Helper()
	w.must(w.reconciler().DeclinePending(ctx(), p.Key))
}

// wantMoved checks that a matter can be neither confirmed nor declined, because it moved.
func (w *world) wantMoved(p scim.Pending) {
	w.t.Helper()
	for what, decide := range map[string]func() error{
		"confirm": func() error { return w.reconciler().ConfirmPending(ctx(), p.Key) },
		"decline": func() error { return w.reconciler().DeclinePending(ctx(), p.Key) },
	} {
		if err := decide(); !errors.Is(err, scim.ErrMoved) {
			w.t.Errorf("%s %s: error %v, want ErrMoved", what, pendingLine(p), err)
		}
	}
}

func pendingLinks(w *world) {
	for _, r := range []string{"Owner", "Admin", "Root"} {
		w.protectedRole(r)
	}
	w.userNamed("U", "Root", "Admin")
	w.group("G", "Owner", "U")
	w.group("H", "Admin", "U")
	w.wantRoles("U")
	list := w.wantPending("link Admin attr:roles=Admin", "link Root attr:roles=Root", "link Owner group:G", "link Admin group:H")
	if list[2].Name != "Owner" || list[2].Role.Name != "Owner" || !list[2].Role.Protected {
		w.t.Errorf("%+v", list[2])
	}
	w.confirms(list[2])
	w.wantRoles("U", "Owner")
	w.declines(list[3])
	w.confirms(list[1])
	w.declines(list[0])
	w.wantRoles("U", "Owner", "Root")
	w.wantPending()
	w.reportChange()
	w.wantPending()
	w.wantRoles("U", "Owner", "Root")
	for _, p := range list {
		w.wantMoved(p)
	}
	w.must(w.reconciler().Confirm(ctx(), "H", scim.Role{ID: "Admin"}))
	w.wantRoles("U", "Admin", "Owner", "Root")
	w.rename("G", "Admin") // a link to another role is another matter
	w.wantPending("link Admin group:G")
	w.deleteGroup("G")
	w.wantPending()
}

func pendingPeople(w *world) {
	w.app.Put(scim.Role{ID: "Owner", Name: "Owner", Protected: true})
	w.app.Put(scim.Role{ID: "Viewer", Name: "Viewer"})
	w.user("U", "V", "W")
	w.group("G", "Owner", "U", "V", "W")
	w.must(w.reconciler().Confirm(ctx(), "G", scim.Role{ID: "Owner"}))
	for _, u := range []string{"U", "V", "W"} {
		w.deactivate(u)
		w.activate(u)
	}
	list := w.wantPending("person U Owner group:G", "person V Owner group:G", "person W Owner group:G")
	if list[0].Name != "Owner" || list[0].Role.Name != "Owner" {
		w.t.Errorf("%+v", list[0])
	}
	w.confirms(list[0])
	w.declines(list[1])
	w.wantRoles("U", "Owner")
	w.wantRoles("V")
	w.wantPending("person W Owner group:G")
	w.wantMoved(list[0])
	w.wantMoved(list[1])
	w.wantReason("V", "Owner", "the application declined the role for this user")
	w.wantReason("W", "Owner", "name the user as a member again")
	w.add("G", "V") // the client names V, whom the application declined
	w.wantRoles("V")
	w.pause(true)
	w.reportChange()
	w.wantReason("V", "Owner", "the application declined the role for this user")
	w.wantReason("W", "Owner", "paused")
	w.pause(false)
	w.reportChange()
	w.deactivate("W")
	if err := w.reconciler().ConfirmPending(ctx(), list[2].Key); err == nil || errors.Is(err, scim.ErrMoved) {
		w.t.Errorf("an inactive user was confirmed, or moved: %v", err)
	}
	w.remove("G", "W")
	w.wantMoved(list[2])
	w.must(w.reconciler().Confirm(ctx(), "G", scim.Role{ID: "Owner"}, "V"))
	w.wantRoles("V", "Owner")
	w.wantPending()
	w.add("G", "W")
	w.deactivate("W")
	list = w.wantPending("person W Owner group:G")
	w.deleteUser("W")
	w.wantMoved(list[0])
}

func declinedAgain(w *world) {
	w.app.Put(scim.Role{ID: "Owner", Name: "Owner", Protected: true})
	w.user("U", "V")
	w.group("G", "Owner", "U", "V")
	w.must(w.reconciler().Confirm(ctx(), "G", scim.Role{ID: "Owner"}))
	for _, u := range []string{"U", "V"} {
		w.deactivate(u)
		w.activate(u)
	}
	for _, p := range w.wantPending("person U Owner group:G", "person V Owner group:G") {
		w.declines(p)
	}
	w.all()
	w.reportChange()
	w.wantRoles("U")
	w.wantRoles("V")
	w.remove("G", "U")
	w.add("G", "U")
	w.wantRoles("U", "Owner")
	w.rename("G", "Other")
	w.rename("G", "Owner")
	w.must(w.reconciler().Confirm(ctx(), "G", scim.Role{ID: "Owner"}))
	w.wantRoles("U", "Owner")
	w.wantRoles("V", "Owner")
}

func pendingPlace(w *world) {
	w.role("Manager")
	w.role("Editor")
	w.user("U")
	w.byHand("U", "Manager")
	w.group("G", "Editor", "U")
	matter := w.wantPending("person U Editor group:G")[0]
	w.mark()
	w.confirms(matter)
	w.must(w.reconciler().Confirm(ctx(), "G", scim.Role{ID: "Editor"}, "U"))
	w.wantRoles("U", "Manager")
	w.diff("the matter", []scim.Pending{matter}, w.pending(1000))
	w.wantChanges()
	w.wantEvents()
	w.declines(matter)
	w.wantReason("U", "Editor", "the application declined the role for this user")
	w.wantPending()
	w.deactivate("U")
	w.activate("U")
	matter = w.wantPending("person U Editor group:G")[0]
	w.wantReason("U", "Editor", "waiting: the user holds Manager by hand")
	w.wantStill("U", "Manager")
	w.wantRoles("U", "Editor")
	w.wantPending()
	w.wantMoved(matter)
	w.remove("G", "U")
	w.wantMoved(matter)
	w.wantRoles("U")
}

func pendingValue(w *world) {
	w.protectedRole("Owner")
	w.role("S")
	w.userNamed("U", "S", "Owner")
	w.must(w.reconciler().ConfirmValue(ctx(), "roles", "Owner", scim.Role{ID: "Owner"}))
	w.deactivate("U")
	w.activate("U")
	w.wantRoles("U", "S")
	list := w.wantPending("person U Owner attr:roles")
	w.confirms(list[0])
	w.wantRoles("U", "Owner", "S")
	w.wantPending()
	w.deactivate("U")
	w.activate("U")
	w.declines(w.wantPending("person U Owner attr:roles")[0])
	w.wantPending()
	w.reconcile("U")
	w.wantRoles("U", "S")
}

func confirmOne(w *world) {
	w.protectedRole("R")
	w.user("U", "V", "W")
	w.group("G", "R", "U", "V", "W")
	w.must(w.reconciler().Confirm(ctx(), "G", scim.Role{ID: "R"}, "U"))
	w.wantRoles("U", "R")
	w.wantRoles("V")
	w.wantPending("link R group:G") // the others wait
	w.all()
	w.put("G", "R", "U", "V")
	w.reportChange()
	w.all()
	w.wantRoles("U", "R")
	w.wantRoles("V")
	w.wantLedger("U", "R group:G")
	w.remove("G", "U")
	w.wantRoles("U")
	w.add("G", "U") // a new membership
	w.wantRoles("U")
	w.must(w.reconciler().Confirm(ctx(), "G", scim.Role{ID: "R"}, "U"))
	w.deactivate("U")
	w.wantRoles("U")
	w.activate("U")
	w.all()
	w.wantRoles("U")
	w.confirms(w.wantPending("link R group:G", "person U R group:G")[1])
	w.wantRoles("U", "R")
	w.declines(w.wantPending("link R group:G")[0])
	w.all()
	w.wantRoles("U", "R") // the application gave it to U alone
	w.wantRoles("V")
}

func confirmOneOfTwo(w *world) {
	w.app.Put(scim.Role{ID: "R", Name: "R", Protected: true})
	w.role("S")
	stands := []scim.Role{{ID: "R", Name: "R", Protected: true}}
	w.app.Resolve = func(scim.RoleSource) ([]scim.Role, error) { return stands, nil }
	w.user("U", "V")
	w.group("G", "R", "U", "V")
	w.must(w.reconciler().Confirm(ctx(), "G", scim.Role{ID: "R"}, "U"))
	seen := w.wantPending("link R group:G")
	stands = append(stands, scim.Role{ID: "S", Name: "S"})
	w.reportChange()
	w.wantRoles("U", "R", "S")
	w.wantRoles("V", "S")
	stands = stands[:1]
	w.reportChange()
	w.wantRoles("U", "R")
	w.wantRoles("V")
	w.confirms(seen[0]) // it is still the same matter
	w.wantRoles("V", "R")
}

func declineThenConfirm(w *world) {
	w.protectedRole("R")
	w.user("U", "V")
	w.group("G", "R", "U", "V")
	w.must(w.reconciler().Confirm(ctx(), "G", scim.Role{ID: "R"}))
	w.deactivate("U")
	w.activate("U")
	w.declines(w.wantPending("person U R group:G")[0])
	w.must(w.reconciler().Confirm(ctx(), "G", scim.Role{ID: "R"}))
	w.wantRoles("U")
	w.wantExplain("U", "R waiting group:G")
	w.must(w.reconciler().Confirm(ctx(), "G", scim.Role{ID: "R"}, "U"))
	w.wantRoles("U", "R")
}

func linkMoves(w *world) {
	w.protectedRole("R")
	w.protectedRole("S")
	w.user("U")
	w.group("G", "R", "U")
	seen := w.wantPending("link R group:G")[0]
	w.rename("G", "S")
	w.wantMoved(seen)
	w.rename("G", "R")
	w.wantMoved(seen) // it waits anew
	now := w.wantPending("link R group:G")[0]
	w.deleteGroup("G")
	w.wantMoved(now)
	for _, key := range []string{"", "nonsense", "e30"} {
		if err := w.reconciler().ConfirmPending(ctx(), key); err == nil || errors.Is(err, scim.ErrMoved) {
			w.t.Errorf("key %q: error %v", key, err)
		}
	}
	if _, _, err := w.reconciler().Pending(ctx(), "nonsense", 10); err == nil {
		w.t.Errorf("Pending behind nonsense")
	}
}

func renamedAwayAndBack(w *world) {
	w.protectedRole("R")
	w.user("U")
	w.group("G", "R", "U")
	w.must(w.reconciler().Confirm(ctx(), "G", scim.Role{ID: "R"}))
	repair := w.breakChanges(1, func() error { return errors.New("down") })
	w.diff("away", 500, w.send("PATCH", "/Groups/G", renameBody("S")).status)
	w.restart()
	w.send("PATCH", "/Groups/G", renameBody("R"))
	repair()
	w.all()
	w.wantLink("G", "R unconfirmed")
	w.wantRoles("U")
	w.wantLedger("U")
}

func pendingNesting(w *world) {
	w.role("R")
	w.user("U")
	w.group("A", "R")
	w.group("B", "none", "U", "Group A")
	w.add("A", "Group B")
	w.wantPending() // groups in groups do not count
	w.nest(10)
	w.all()
	list := w.wantPending("nesting B A", "nesting A B")
	for _, p := range list {
		if err := w.reconciler().ConfirmPending(ctx(), p.Key); err == nil || errors.Is(err, scim.ErrMoved) {
			w.t.Errorf("a circle was confirmed, or moved: %v", err)
		}
	}
	w.diff("the same in pages of one", list, w.pending(1))
	w.remove("B", "A")
	w.wantPending()
	w.wantRoles("U", "R")
}

func pendingPages(w *world) {
	w.protectedRole("R")
	n := w.size(30, 5)
	var users []string
	for i := range n {
		users = append(users, fmt.Sprintf("u%02d", i))
		w.userNamed(users[i], "R")
		w.group(fmt.Sprintf("g%02d", i), "R", users[i])
	}
	for i := range n / 2 {
		w.must(w.reconciler().Confirm(ctx(), fmt.Sprintf("g%02d", i), scim.Role{ID: "R"}))
		w.deactivate(users[i])
		w.activate(users[i])
	}
	all := w.pending(1000)
	w.diff("number", 1+n-n/2+n/2, len(all))
	for _, limit := range []int{1, 2, 7} {
		w.diff(fmt.Sprintf("pages of %d", limit), all, w.pending(limit))
	}
	// What is decided between two pages neither repeats nor hides anything.
	page, next, err := w.reconciler().Pending(ctx(), "", 3)
	w.must(err)
	w.confirms(page[2])
	rest, _, err := w.reconciler().Pending(ctx(), next, 1000)
	w.must(err)
	w.diff("the rest", slices.Clone(all[3:]), rest)
}

func unfinishedError(w *world) {
	w.role("R")
	w.user("U", "V")
	w.group("G", "R", "V")
	repair := w.breakChanges(1, func() error { return errors.New("down") })
	w.diff("add", 500, w.send("PATCH", "/Groups/G", patchBody(addOp("U"))).status)
	w.restart()
	list := w.wantPending("unfinished G U")
	if err := w.reconciler().Settle(ctx()); err == nil {
		w.t.Errorf("Settle succeeds while roles cannot be changed")
	}
	w.wantPending("unfinished G U")
	repair()
	w.must(w.reconciler().Settle(ctx()))
	w.wantRoles("U", "R")
	w.wantPending()
	if err := w.reconciler().ConfirmPending(ctx(), list[0].Key); !errors.Is(err, scim.ErrMoved) {
		w.t.Errorf("a finished change is completed: %v", err)
	}

	repair = w.breakChanges(1, func() error { return errors.New("down") })
	w.diff("remove", 500, w.send("PATCH", "/Groups/G", patchBody(removeOp("U"))).status)
	w.restart()
	repair()
	list = w.wantPending("unfinished G U")
	if err := w.reconciler().DeclinePending(ctx(), list[0].Key); err == nil {
		w.t.Errorf("an unfinished change was declined")
	}
	w.confirms(list[0])
	w.wantRoles("U")
	w.wantPending()
}

func unfinishedDeletion(w *world) {
	w.role("R", 20)
	w.role("S", 10)
	w.user("U", "V")
	w.group("G", "R", "U", "V")
	w.group("G2", "S", "U", "V")
	repair := w.breakChanges(2, func() error { return errors.New("down") })
	w.diff("first", 500, w.send("DELETE", "/Groups/G", nil).status)
	w.restart()
	w.wantRoles("U")
	w.wantPending("unfinished G U,V")
	repair()
	w.diff("again", 404, w.send("DELETE", "/Groups/G", nil).status) // another process completes it
	w.wantPending()
	w.wantRoles("U", "S")
	w.wantRoles("V", "S")
}

func unfinishedAgain(w *world) {
	w.role("R")
	w.user("U", "V")
	w.group("G", "R")
	repair := w.breakChanges(1, func() error { return errors.New("down") })
	w.diff("add", 500, w.send("PATCH", "/Groups/G", patchBody(addOp("U"))).status)
	at := w.wantPending("unfinished G U")[0].At
	for range 3 {
		w.diff("again", 500, w.send("PATCH", "/Groups/G", patchBody(addOp("U"))).status)
	}
	w.diff("another", 500, w.send("PATCH", "/Groups/G", patchBody(addOp("V"))).status)
	w.diff("since", at, w.wantPending("unfinished G U,V")[0].At)
	repair()
	w.add("G", "V")
	w.wantPending()
	w.wantRoles("U", "R")
	w.wantRoles("V", "R")
}

// unfinishedThenBack is a deleted user whose id the application uses again before the deletion
// is finished.
func unfinishedThenBack(w *world) {
	w.role("R")
	w.role("S")
	w.user("U")
	w.group("G", "R", "U")
	usual := w.app.Fail
	calls := 0
	w.app.Fail = func(op string) error {
		if op == "held" {
			if calls++; calls > 1 {
				return errors.New("down")
			}
		}
		return nil
	}
	w.send("DELETE", "/Users/U", nil)
	w.app.Fail = usual
	w.restart()
	w.wantPending("unfinished U U")
	w.user("U")
	w.app.Give("U", "S")
	w.must(w.reconciler().Settle(ctx()))
	w.wantPending()
	w.wantRoles("U", "S")
}

func undoneCreation(w *world) {
	w.role("R")
	w.user("U")
	w.breakOneChange(1, func() error { return errors.New("down") })
	w.diff("create", 500, w.sendPost("/Groups", "G", groupBody("R", "U")).status)
	w.diff("group", 404, w.send("GET", "/Groups/G", nil).status)
	w.wantPending()
	w.wantRoles("U")
}

func unfinishedLarge(w *world) {
	n := w.size(3000, 1200) // more than one batch
	w.role("R")
	w.role("S")
	ids := w.many(n)
	w.group("G", "R", ids...)
	repair := w.breakChanges(1, func() error { return errors.New("down") })
	w.diff("rename", 500, w.send("PATCH", "/Groups/G", renameBody("S")).status)
	w.wantPending("unfinished G")
	w.diff("the deletion", 500, w.send("DELETE", "/Groups/G", nil).status)
	w.wantPending("unfinished G")
	repair()
	w.breakOneChange(1+(n+999)/1000, func() error { return errors.New("down") }) // all roles are revoked, and then it fails
	w.send("DELETE", "/Groups/G", nil)
	repair()
	w.must(w.reconciler().Settle(ctx()))
	w.wantPending()
	w.diff("holders", []string{}, slices.Concat(w.app.Holders("R"), w.app.Holders("S")))
}

func pendingRenamed(w *world) {
	owner := scim.Role{ID: "Owner", Name: "Owner", Protected: true}
	w.standsFor(map[string][]scim.Role{"Admins": {owner}, "Everyone": {owner}})
	w.user("U")
	w.group("G", "Admins", "U")
	w.group("H", "Admins", "U")
	w.must(w.reconciler().Confirm(ctx(), "H", scim.Role{ID: "Owner"}))
	w.deactivate("U")
	w.activate("U")
	list := w.wantPending("link Owner group:G", "person U Owner group:H")
	w.rename("G", "Everyone")
	w.rename("H", "Everyone")
	for _, p := range list {
		w.wantMoved(p)
	}
	w.wantRoles("U")
	for _, p := range w.wantPending("link Owner group:G", "person U Owner group:H") {
		w.confirms(p)
	}
	w.wantRoles("U", "Owner")
}
