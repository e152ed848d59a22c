package scenarios

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
)

// userWithRoles is the body of a user with these values of roles.
func userWithRoles(id string, roles ...string) map[string]any {
	b := profile(id)
	list := []any{}
	for _, r := range roles {
		list = append(list, map[string]any{"value": r})
	}
	b["roles"] = list
	return b
}

// userNamed provisions an active user with these values of roles.
func (w *world) userNamed(id string, roles ...string) {
	w.t.Helper()
	w.post("/Users", id, userWithRoles(id, roles...))
}

// putNamed replaces a user.
func (w *world) putNamed(id string, roles ...string) {
	w.t.Helper()
	w.do("PUT", "/Users/"+id, userWithRoles(id, roles...))
}

// rolesOp is a PATCH operation on roles.
func rolesOp(op string, roles ...string) map[string]any {
	return map[string]any{"op": op, "path": "roles", "value": userWithRoles("", roles...)["roles"]}
}

// wantStored checks the values of roles in the answer to GET of a user.
func (w *world) wantStored(id string, want ...string) {
	w.t.Helper()
	got := []string{}
	list, _ := w.do("GET", "/Users/"+id, nil).body["roles"].([]any)
	for _, e := range list {
		got = append(got, e.(map[string]any)["value"].(string))
	}
	w.diff("stored roles of "+id, want, got)
}

func with(body map[string]any, name string, value any) map[string]any {
	body[name] = value
	return body
}

func attributeScenarios() []scenario {
	roles := scim.Roles{Attributes: []string{"roles"}}
	return []scenario{
		{name: "S5 attribute and group give the same role",
			given:  "U's attribute names R, and U is in G→R",
			when:   "the attribute is cleared; then it is set, and U leaves G; then it is cleared",
			then:   "U keeps R until the last source lets go.",
			reason: "sources count separately", roles: roles,
			run: func(w *world) {
				w.role("R")
				w.userNamed("U", "R")
				w.group("G", "R", "U")
				w.wantLedger("U", "R attr:roles", "R group:G")
				w.putNamed("U")
				w.wantRoles("U", "R")
				w.wantLedger("U", "R group:G")
				w.putNamed("U", "R")
				w.remove("G", "U")
				w.wantRoles("U", "R")
				w.wantLedger("U", "R attr:roles")
				w.do("PATCH", "/Users/U", patchBody(map[string]any{"op": "remove", "path": "roles"}))
				w.wantRoles("U")
				w.wantLedger("U")
			}},
		{name: "S6 attribute and group in a single-role application",
			given:  "the attribute names Viewer (1), U is in G→Editor (2); Pick is the heaviest",
			when:   "U is removed from G",
			then:   "U held Editor. One change revokes Editor and grants Viewer.",
			reason: "Pick looks at the union, not at kinds of source",
			roles:  scim.Roles{Attributes: []string{"roles"}, Pick: scim.PickHeaviest},
			run: func(w *world) {
				w.role("Viewer", 1)
				w.role("Editor", 2)
				w.userNamed("U", "Viewer")
				w.wantRoles("U", "Viewer")
				w.group("G", "Editor", "U")
				w.wantRoles("U", "Editor")
				w.mark()
				w.remove("G", "U")
				w.wantRoles("U", "Viewer")
				w.wantChanges("U +Viewer -Editor = Viewer")
			}},
		{name: "attributes come before groups, and the primary element first",
			given:  "U in G→D",
			when:   "a PUT sets roles A, B and C, and C is primary",
			then:   "`Roles` is C, A, B, D.",
			reason: "what is said of a person is more than what is said of a group",
			roles:  roles,
			run: func(w *world) {
				for _, r := range []string{"A", "B", "C", "D"} {
					w.role(r)
				}
				w.user("U")
				w.group("G", "D", "U")
				w.mark()
				b := userWithRoles("U", "A", "B")
				b["roles"] = append(b["roles"].([]any), map[string]any{"value": "C", "primary": true})
				w.do("PUT", "/Users/U", b)
				w.wantChanges("U +C +A +B = C A B D")
			}},
		{name: "S48 a value that names no role",
			given:  "the resolver accepts Viewer and refuses Boss",
			when:   "a POST, a PUT or a PATCH sets Boss",
			then:   "400 invalidValue lists the roles that exist. Nothing is stored or given.",
			reason: "refused whole: nothing stored, nothing given", roles: roles,
			run: func(w *world) {
				w.role("Viewer")
				w.app.Resolve = refuseUnoffered(w)
				w.wantRefused(w.sendPost("/Users", "U", userWithRoles("U", "Boss")), 400, "invalidValue", "roles", "Boss", "Viewer")
				w.diff("status of the refused user", 404, w.send("GET", "/Users/U", nil).status)
				w.userNamed("V", "Viewer")
				w.mark()
				for _, r := range []reply{
					w.send("PUT", "/Users/V", userWithRoles("V", "Viewer", "Boss")),
					w.send("PATCH", "/Users/V", patchBody(rolesOp("add", "Boss"))),
					w.send("PATCH", "/Users/V", patchBody(rolesOp("replace", "Boss"))),
				} {
					w.wantRefused(r, 400, "invalidValue", "roles", "Boss")
				}
				w.wantStored("V", "Viewer")
				w.wantRoles("V", "Viewer")
				w.wantEvents()
				w.wantChanges()
			}},
		{name: "S49 a value that names no role in a request that deactivates",
			given:  "U's attribute names Viewer",
			when:   "a PUT sets active false and Boss",
			then:   "200: U is inactive, Viewer is revoked, the attribute keeps Viewer, and an event reports Boss.",
			reason: "a leaver must not keep access because of a bad attribute", roles: roles,
			run: func(w *world) {
				w.role("Viewer")
				w.userNamed("U", "Viewer")
				w.mark()
				w.do("PUT", "/Users/U", with(userWithRoles("U", "Boss"), "active", false))
				w.wantRoles("U")
				w.wantStored("U", "Viewer")
				w.wantEvents("role unknown U attr:roles", "user deactivated U", "role revoked U Viewer attr:roles")
				w.activate("U")
				w.wantRoles("U", "Viewer")
			}},
		{name: "S111 the same again",
			given:  "S49 was answered with 200",
			when:   "the client sends it again",
			then:   "200, and nothing changes.",
			reason: "clients retry", roles: roles,
			run: func(w *world) {
				w.role("Viewer")
				w.userNamed("U", "Viewer")
				leave := with(userWithRoles("U", "Boss"), "active", false)
				was := w.do("PUT", "/Users/U", leave).etag
				w.mark()
				w.diff("version", was, w.do("PUT", "/Users/U", leave).etag)
				w.wantStored("U", "Viewer")
				w.wantEvents("role unknown U attr:roles")
				w.wantChanges()
			}},
		{name: "S113 taking away asks nobody",
			given:  "values and groups that name no role",
			when:   "users are removed from groups, deactivated and deleted, and a group is deleted",
			then:   "All is done at once, without a call of ResolveRoles.",
			reason: "the stored links and the ledger say what to revoke", roles: roles,
			run: takeAwayUnasked},
		{name: "S113 a known value of a user who leaves",
			given:  "V's attribute names Editor, U's names Viewer",
			when:   "a PUT sets active false and Editor for U",
			then:   "200 without a call of ResolveRoles. Once active again, U holds Editor.",
			reason: "its link says which role it names", roles: roles,
			run: func(w *world) {
				w.role("Viewer")
				w.role("Editor")
				w.userNamed("U", "Viewer")
				w.userNamed("V", "Editor")
				asked := w.app.Count("resolve")
				w.do("PUT", "/Users/U", with(userWithRoles("U", "Editor"), "active", false))
				w.diff("calls of ResolveRoles", asked, w.app.Count("resolve"))
				w.wantRoles("U")
				w.wantStored("U", "Editor")
				w.activate("U")
				w.wantRoles("U", "Editor")
			}},
		{name: "S50 a stored value has since lost its role",
			given:  "U and V have the value Editor; the role was deleted, reported",
			when:   "the client sends the value back with other changes; then the role Editor exists again, and a PUT sends the value",
			then:   "200 each time. U holds Editor again after the last PUT.",
			reason: "an echoed value is not judged again", roles: roles,
			run: func(w *world) {
				w.role("Editor")
				w.userNamed("U", "Editor")
				w.userNamed("V", "Editor")
				w.app.Drop("Editor")
				w.reportChange()
				w.wantLedger("U")
				w.do("PUT", "/Users/U", with(userWithRoles("U", "Editor"), "title", "x"))
				w.do("PUT", "/Users/U", with(userWithRoles("U", "Editor"), "active", false))
				w.do("PUT", "/Users/V", with(userWithRoles("V", "Editor"), "active", false))
				w.activate("U")
				w.wantRoles("U")
				w.role("Editor")
				w.putNamed("U", "Editor") // its role may exist now
				w.wantRoles("U", "Editor")
				w.wantRoles("V")
			}},
		{name: "S50 a role that is gone and nobody told",
			given:  "U and V have the value Editor; the role was deleted, not reported",
			when:   "a PUT sends the value back, and U is reconciled",
			then:   "200. No grant of Editor is left, and the value is unlinked.",
			reason: "as with groups, for all who have the value", roles: roles,
			run: func(w *world) {
				w.role("Editor")
				w.userNamed("U", "Editor")
				w.userNamed("V", "Editor")
				w.app.Drop("Editor")
				w.do("PUT", "/Users/U", with(userWithRoles("U", "Editor"), "title", "x"))
				w.reconcile("U")
				w.wantLedger("U")
				w.wantLedger("V")
				w.wantLink("attr:roles=Editor", "")
			}},
		{name: "S51 the attribute is absent, null, empty or removed",
			given:  "U's attribute names Viewer",
			when:   "a PUT without the attribute, with null or with []; or a PATCH that removes it or its element",
			then:   "Viewer is revoked each time.",
			reason: "PUT replaces; giving nothing is the safe reading", roles: roles,
			run: func(w *world) {
				w.role("Viewer")
				for i, clear := range []func(id string){
					func(id string) { w.do("PUT", "/Users/"+id, profile(id)) },
					func(id string) { w.do("PUT", "/Users/"+id, with(profile(id), "roles", nil)) },
					func(id string) { w.putNamed(id) },
					func(id string) {
						w.do("PATCH", "/Users/"+id, patchBody(map[string]any{"op": "remove", "path": "roles"}))
					},
					func(id string) {
						w.do("PATCH", "/Users/"+id, patchBody(map[string]any{"op": "remove", "path": `roles[value eq "Viewer"]`}))
					},
				} {
					id := fmt.Sprint("U", i)
					w.userNamed(id, "Viewer")
					w.mark()
					clear(id)
					w.wantRoles(id)
					w.wantLedger(id)
					w.wantChanges(id + " -Viewer")
				}
			}},
		{name: "S52 two attributes, for two kinds of roles",
			given:  "the resolver accepts Own from userType and Team from title",
			when:   "a user is POSTed with them exchanged, then as accepted",
			then:   "First 400 invalidValue. Then U holds Own and Team.",
			reason: "which role may come from which source is the resolver's answer",
			roles:  scim.Roles{Attributes: []string{"userType", "title"}},
			run: func(w *world) {
				w.role("Own")
				w.role("Team")
				w.app.Resolve = func(src scim.RoleSource) ([]scim.Role, error) {
					if want := map[string]string{"userType": "Own", "title": "Team"}[src.Attribute]; src.Value != want {
						return nil, &scim.Error{Status: 400, Type: "invalidValue", Detail: src.Attribute + ": must be " + want}
					}
					return []scim.Role{{ID: src.Value, Name: src.Value}}, nil
				}
				w.wantRefused(w.sendPost("/Users", "U", with(profile("U"), "userType", "Team")), 400, "invalidValue", "userType", "Own")
				w.wantRefused(w.sendPost("/Users", "U", with(profile("U"), "title", "Own")), 400, "invalidValue", "title", "Team")
				w.post("/Users", "U", with(with(profile("U"), "userType", "Own"), "title", "Team"))
				w.wantRoles("U", "Own", "Team")
				w.wantLedger("U", "Own attr:userType", "Team attr:title")
			}},
		{name: "S54 a role that is set while the user is inactive",
			given:  "U's attribute names Viewer",
			when:   "a PUT sets active false and Editor; later one sets active true and Viewer. Another user is created inactive with Editor",
			then:   "Accepted. A user holds the stored role once active.",
			reason: "while inactive nothing is held", roles: roles,
			run: func(w *world) {
				w.role("Viewer")
				w.role("Editor")
				w.userNamed("U", "Viewer")
				w.do("PUT", "/Users/U", with(userWithRoles("U", "Editor"), "active", false))
				w.wantRoles("U")
				w.wantStored("U", "Editor")
				w.do("PATCH", "/Users/U", patchBody(rolesOp("replace", "Boss"))) // inactive before and after
				w.wantStored("U", "Editor")
				w.do("PUT", "/Users/U", with(userWithRoles("U", "Viewer"), "active", true))
				w.wantRoles("U", "Viewer")
				w.post("/Users", "V", with(userWithRoles("V", "Editor"), "active", false))
				w.wantRoles("V")
				w.wantLedger("V")
				w.activate("V")
				w.wantRoles("V", "Editor")
			}},
		{name: "S57 a client that only ever adds",
			given:  "U's attribute names A",
			when:   "a PATCH adds B; another one replaces by B",
			then:   "U holds A and B; then B alone.",
			reason: "add adds, replace replaces", roles: roles,
			run: func(w *world) {
				w.role("A")
				w.role("B")
				w.userNamed("U", "A")
				w.do("PATCH", "/Users/U", patchBody(rolesOp("add", "B")))
				w.wantRoles("U", "A", "B")
				w.do("PATCH", "/Users/U", patchBody(rolesOp("replace", "B")))
				w.wantRoles("U", "B")
			}},
		{name: "by hand, and then by an attribute",
			given:  "U holds R by hand",
			when:   "the attribute is set to R, then cleared",
			then:   "As S15: the grant is marked, and U keeps R.",
			reason: "it was held before", roles: roles,
			run: func(w *world) {
				w.role("R")
				w.user("U")
				w.byHand("U", "R")
				w.putNamed("U", "R")
				w.wantLedger("U", "R attr:roles by hand")
				w.putNamed("U")
				w.wantRoles("U", "R")
				w.wantLedger("U")
			}},
		{name: "an attribute that names a protected role",
			given:  "U and V get the value Owner; Owner is protected",
			when:   "the application confirms the value; later both are deactivated and reactivated",
			then:   "Nobody holds Owner before. Afterwards it waits for each until the client sets the value anew, or the application confirms the user.",
			reason: "whoever can write an attribute must not thereby make administrators", roles: roles,
			run: func(w *world) {
				w.protectedRole("Owner")
				w.mark()
				w.userNamed("U", "Owner")
				w.userNamed("V", "Owner")
				w.wantRoles("U")
				w.wantEvents("user provisioned U", "user provisioned V", "role waiting U Owner attr:roles", "role waiting V Owner attr:roles")
				if err := w.reconciler().ConfirmValue(ctx(), "roles", "Owner", scim.Role{ID: "Admin"}); err == nil {
					w.t.Errorf("another role than the one that waits was confirmed")
				}
				w.must(w.reconciler().ConfirmValue(ctx(), "roles", "Owner", scim.Role{ID: "Owner"}))
				w.wantRoles("U", "Owner")
				w.wantRoles("V", "Owner")
				w.deactivate("U")
				w.deactivate("V")
				w.wantRoles("U")
				w.activate("U")
				w.do("PUT", "/Users/V", with(userWithRoles("V", "Owner"), "active", true))
				w.wantRoles("U") // the client has not sent the value again
				w.wantRoles("V") // an echo does not confirm the role
				w.wantLedger("U", "Owner attr:roles waiting")
				w.must(w.reconciler().ConfirmValue(ctx(), "roles", "Owner", scim.Role{ID: "Owner"}, "U"))
				w.wantRoles("U", "Owner")
				w.wantRoles("V")
				w.putNamed("V")
				w.wantLedger("V")
				w.putNamed("V", "Owner")
				w.wantRoles("V", "Owner")
			}},
		{name: "the resolver is down",
			given:  "U's attribute names A; ResolveRoles fails",
			when:   "a new value is set; a value is sent back unchanged; one request deactivates; one clears the attribute",
			then:   "The first is 500 and changes nothing. The others succeed, and revoke.",
			reason: "an error is not an answer, and does not hold up a revocation", roles: roles,
			run: func(w *world) {
				w.role("A")
				w.role("B")
				w.userNamed("U", "A")
				w.userNamed("V", "A")
				w.app.Fail = func(op string) error {
					if op == "resolve" {
						return errors.New("down")
					}
					return nil
				}
				w.diff("a new value", 500, w.send("PATCH", "/Users/U", patchBody(rolesOp("replace", "B"))).status)
				w.diff("a new user", 500, w.sendPost("/Users", "X", userWithRoles("X", "B")).status)
				w.wantRoles("U", "A")
				w.wantStored("U", "A")
				w.do("PUT", "/Users/U", with(userWithRoles("U", "A"), "title", "x")) // an echo
				w.do("PUT", "/Users/U", with(userWithRoles("U", "B"), "active", false))
				w.wantRoles("U")
				w.wantStored("U", "A")
				w.putNamed("V")
				w.wantRoles("V")
				w.app.Fail = nil
			}},
		{name: "S109 one person's attribute moves nobody else",
			given:  "role 7 Editor was renamed Writer, and a new role 9 Editor exists, both reported; U and W have the value Editor, W is inactive",
			when:   "a new user V arrives with the value Editor; then everybody is reconciled, and W is reactivated; V leaves and returns; 7 is deleted, reported",
			then:   "V holds 9. U keeps 7, and W gets 7. V holds 9 again. After the report all three hold 9.",
			reason: "a link is by id; names are looked at for whoever gets the value anew", roles: roles,
			run: oneValueTwoRoles},
		{name: "S109 the new role is picked for nobody else",
			given:  "as before; Pick is the heaviest, and all are in G→Other (20); 7 has weight 10, 9 has weight 5",
			when:   "V arrives with the value Editor; 9 gets the weight 30, reported; later 7 gets the weight 40, reported",
			then:   "All hold Other; then V holds 9, and U holds Other; then U holds 7, and V holds 9.",
			reason: "as before, also for who holds nothing through the value",
			roles:  scim.Roles{Attributes: []string{"roles"}, Pick: scim.PickHeaviest},
			run:    newerRoleUnpicked},
		{name: "S109 the new role is protected",
			given:  "as in the first one; role 9 is protected",
			when:   "V arrives with the value Editor; everybody is reconciled; the application confirms the value for 9",
			then:   "U keeps 7. V holds nothing before the confirmation, and 9 afterwards.",
			reason: "nobody gets what nobody decided", roles: roles,
			run: func(w *world) {
				w.app.Put(scim.Role{ID: "7", Name: "Editor"})
				w.userNamed("U", "Editor")
				w.app.Put(scim.Role{ID: "7", Name: "Writer"})
				w.app.Put(scim.Role{ID: "9", Name: "Editor", Protected: true})
				w.reportChange()
				w.userNamed("V", "Editor")
				w.all()
				w.wantRoles("U", "Writer")
				w.wantRoles("V")
				w.must(w.reconciler().ConfirmValue(ctx(), "roles", "Editor", scim.Role{ID: "9"}))
				w.wantRoles("U", "Writer")
				w.wantRoles("V", "Editor")
			}},
		{name: "a role is renamed in the application",
			given:  "U has the value R1; role R1 gets another name, reported; later there is a new role R2 named R1",
			when:   "a user V arrives with the value R1, before and after the new role",
			then:   "Before: 400 invalidValue. After: V holds R2. U keeps R1, and holds R2 once a client removes the value and sets it again.",
			reason: "a link holds the role's id; the name counts for whoever gets the value anew", roles: roles,
			run: func(w *world) {
				w.role("R1")
				w.userNamed("U", "R1")
				w.app.Put(scim.Role{ID: "R1", Name: "Other"})
				w.reportChange()
				w.wantRoles("U", "Other")
				w.wantRefused(w.sendPost("/Users", "V", userWithRoles("V", "R1")), 400, "invalidValue", "R1")
				w.app.Put(scim.Role{ID: "R2", Name: "R1"})
				w.wantRoles("U", "Other")
				w.userNamed("V", "R1")
				w.wantRoles("V", "R1")
				w.wantRoles("U", "Other")
				w.putNamed("U")
				w.wantRoles("U")
				w.putNamed("U", "R1")
				w.wantRoles("U", "R1")
				w.wantLedger("U", "R2 attr:roles")
			}},
		{name: "a role appears that stored values name",
			given:  "users with the value R, whose role was deleted, reported",
			when:   "a new role R appears, reported",
			then:   "All of them hold it.",
			reason: "as for groups", roles: roles,
			run: func(w *world) {
				w.role("R")
				for i := range 3 {
					w.userNamed(fmt.Sprint("U", i), "R")
				}
				w.app.Drop("R")
				w.reportChange()
				w.app.Put(scim.Role{ID: "again", Name: "R"})
				w.reportChange()
				for i := range 3 {
					w.wantRoles(fmt.Sprint("U", i), "R")
					w.wantLedger(fmt.Sprint("U", i), "again attr:roles")
				}
			}},
		{name: "a value that is long",
			given:  "a role with a name of 5,000 bytes",
			when:   "U gets the value, is deactivated and reactivated",
			then:   "U holds the role at the end.",
			reason: "its link has a key that every store takes", roles: roles,
			run: func(w *world) {
				name := strings.Repeat("long ", 1000)
				w.app.Put(scim.Role{ID: "R", Name: name})
				w.userNamed("U", name)
				w.wantLedger("U", "R attr:roles")
				w.deactivate("U")
				w.activate("U")
				w.wantRoles("U", name)
			}},
		{name: "an attribute in an application with one role",
			given:  "Exclusive; U holds A by hand",
			when:   "the attribute is set to B; A is taken by hand, and U is reconciled; the attribute is set to A",
			then:   "B waits; then U holds B; then A.",
			reason: "a hand-given role occupies the place",
			roles:  scim.Roles{Attributes: []string{"roles"}, Exclusive: true},
			run: func(w *world) {
				w.role("A")
				w.role("B")
				w.user("U")
				w.byHand("U", "A")
				w.putNamed("U", "B")
				w.wantRoles("U", "A")
				w.wantLedger("U", "B attr:roles waiting")
				w.app.Take("U", "A")
				w.reconcile("U")
				w.wantRoles("U", "B")
				w.putNamed("U", "A")
				w.wantRoles("U", "A")
			}},
		{name: "an attribute changes in a store without transactions",
			given:  "U's attribute names A",
			when:   "a PUT sets B",
			then:   "A is revoked before the write, and B granted after it.",
			reason: "a crash leaves too little access, not too much",
			roles:  roles, kinds: []string{bare}, only: "a transaction shows no moment between",
			run: func(w *world) {
				w.role("A")
				w.role("B")
				w.userNamed("U", "A")
				looked := 0
				w.step = func(op string) {
					if op == "Update" {
						looked++
						w.wantRoles("U")
					}
				}
				w.putNamed("U", "B")
				w.step = nil
				w.diff("writes", 1, looked)
				w.wantRoles("U", "B")
			}},
		{name: "deleted",
			given:  "U's attribute names R",
			when:   "U is deleted",
			then:   "R is revoked.",
			reason: "what an attribute gave ends with the user", roles: roles,
			run: func(w *world) {
				w.role("R")
				w.userNamed("U", "R")
				w.deleteUser("U")
				w.wantRoles("U")
				w.wantLedger("U")
			}},
	}
}

// oneValueTwoRoles is S109.
func oneValueTwoRoles(w *world) {
	w.app.Put(scim.Role{ID: "7", Name: "Editor"})
	w.userNamed("U", "Editor")
	w.userNamed("W", "Editor")
	w.deactivate("W")
	w.app.Put(scim.Role{ID: "7", Name: "Writer"})
	w.app.Put(scim.Role{ID: "9", Name: "Editor"})
	w.reportChange()
	w.mark()
	w.userNamed("V", "Editor")
	w.wantChanges("V +9 = 9")
	w.wantEvents("user provisioned V", "role granted V 9 attr:roles")
	w.wantRoles("U", "Writer")
	w.wantRoles("V", "Editor")
	w.all()
	w.reportChange()
	w.activate("W")
	w.wantRoles("U", "Writer")
	w.wantRoles("V", "Editor")
	w.wantRoles("W", "Writer")
	w.deactivate("V")
	w.wantRoles("V")
	w.activate("V")
	w.wantRoles("V", "Editor")
	w.do("PUT", "/Users/U", with(userWithRoles("U", "Editor"), "title", "x")) // an echo
	w.wantRoles("U", "Writer")
	w.app.Drop("7")
	w.reportChange()
	for _, u := range []string{"U", "V", "W"} {
		w.wantRoles(u, "Editor")
		w.wantLedger(u, "9 attr:roles")
	}
}

func newerRoleUnpicked(w *world) {
	w.role("Other", 20)
	w.group("G", "Other")
	w.app.Put(scim.Role{ID: "7", Name: "Editor", Weight: 10})
	w.userNamed("U", "Editor")
	w.add("G", "U")
	w.app.Put(scim.Role{ID: "7", Name: "Writer", Weight: 10})
	w.app.Put(scim.Role{ID: "9", Name: "Editor", Weight: 5})
	w.reportChange()
	w.user("V")
	w.add("G", "V")
	w.putNamed("V", "Editor")
	w.wantRoles("U", "Other")
	w.wantRoles("V", "Other")
	w.app.Put(scim.Role{ID: "9", Name: "Editor", Weight: 30})
	w.reportChange()
	w.wantRoles("U", "Other")
	w.wantRoles("V", "Editor")
	w.app.Put(scim.Role{ID: "7", Name: "Writer", Weight: 40})
	w.reportChange()
	w.wantRoles("U", "Writer")
	w.wantRoles("V", "Editor")
}

// takeAwayUnasked is S113.
func takeAwayUnasked(w *world) {
	w.role("R")
	w.role("Gone")
	w.userNamed("U", "Gone")
	w.userNamed("V", "Gone")
	w.app.Drop("Gone")
	w.reportChange()
	w.wantLink("attr:roles=Gone", "")
	w.group("G", "R", "U", "V")
	w.group("H", "stands for no role", "U", "V")
	asked := w.app.Count("resolve")
	w.remove("G", "U")
	w.wantRoles("U")
	w.remove("H", "U")
	w.put("H", "stands for no role")
	w.deactivate("U")
	w.do("PUT", "/Users/U", with(with(userWithRoles("U", "Gone"), "active", false), "title", "x"))
	w.do("PUT", "/Users/V", with(userWithRoles("V", "Gone"), "active", false))
	w.wantRoles("V")
	w.deleteUser("U")
	w.deleteGroup("G")
	w.diff("calls of ResolveRoles", asked, w.app.Count("resolve"))
}

// refuseUnoffered makes a resolver that refuses values without a role.
func refuseUnoffered(w *world) func(src scim.RoleSource) ([]scim.Role, error) {
	return func(src scim.RoleSource) ([]scim.Role, error) {
		all := testhost.Must(w.app.Rows.Roles(ctx()))
		var names []string
		for _, r := range all {
			if r.Name == src.Value {
				return []scim.Role{r}, nil
			}
			names = append(names, r.Name)
		}
		return nil, &scim.Error{Status: http.StatusBadRequest, Type: "invalidValue",
			Detail: fmt.Sprintf("%s: there is no role %q: use %s", src.Attribute, src.Value, strings.Join(names, ", "))}
	}
}
