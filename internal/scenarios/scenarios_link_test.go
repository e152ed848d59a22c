package scenarios

import (
	"context"
	"errors"
	"fmt"

	scimerrors "github.com/elimity-com/scim/errors"

	"github.com/scimkit/scim"
)

func linkScenarios() []scenario {
	refuse := scim.Roles{Missing: scim.RefuseGroup}
	return []scenario{
		{name: "S25 pushed, no such role, refuse",
			given:  "`Missing` is RefuseGroup; there is no role Ops",
			when:   "a group Ops is POSTed, and again once the role exists",
			then:   "First 400 invalidValue, and nothing is stored. Then the members hold Ops.",
			reason: "the role must exist first",
			roles:  refuse,
			run: func(w *world) {
				w.user("U")
				r := w.sendPost("/Groups", "G", groupBody("Ops", "U"))
				w.wantRefused(r, 400, "invalidValue", `"Ops"`, "create the role")
				w.diff("status of the refused group", 404, w.send("GET", "/Groups/G", nil).status)
				w.role("Ops")
				w.group("G", "Ops", "U")
				w.wantRoles("U", "Ops")
			}},
		{name: "S26 pushed, no such role, linked later",
			given:  "a group Ops with two active members and one inactive one; there is no role Ops",
			when:   "the role appears, reported twice",
			then:   "The first report links the group and grants Ops to the two. The second one changes nothing.",
			reason: "backfill",
			run: func(w *world) {
				w.user("A", "B", "C")
				w.deactivate("C")
				w.group("G", "Ops", "A", "B", "C")
				w.wantRoles("A")
				w.role("Ops")
				w.mark()
				w.reportChange()
				w.wantRoles("A", "Ops")
				w.wantRoles("B", "Ops")
				w.wantRoles("C")
				w.wantEvents("group linked G Ops", "role granted A Ops G", "role granted B Ops G")
				w.mark()
				w.reportChange()
				w.wantEvents()
				w.wantChanges()
			}},
		{name: "S27 names are compared as they are",
			given:  "a role Editor",
			when:   "groups named editor, `Editor ` with a space, and Editor with a zero-width space are pushed",
			then:   "None of them is linked.",
			reason: "a look-alike must not give a role: the resolver sees what was sent",
			run: func(w *world) {
				w.role("Editor")
				w.user("U")
				for i, name := range []string{"editor", "Editor ", "Ed\u200bitor"} {
					id := fmt.Sprint("G", i)
					w.group(id, name, "U")
					w.wantLink(id, "")
				}
				w.wantRoles("U")
			}},
		{name: "S28 S29 a role is renamed, and a new one takes the old name",
			given:  "U in G→role 7, named Ops",
			when:   "role 7 gets another name, and a new role 9 is named Ops, both reported; G is PUT as it is",
			then:   "G stays linked to 7. Nobody gets 9.",
			reason: "the link is by id",
			run: func(w *world) {
				w.app.Put(scim.Role{ID: "7", Name: "Ops"})
				w.user("U")
				w.group("G", "Ops", "U")
				w.mark()
				w.app.Put(scim.Role{ID: "7", Name: "Operations"})
				w.reportChange()
				w.put("G", "Ops", "U")
				w.wantRoles("U", "Operations")
				w.wantEvents()
				w.app.Put(scim.Role{ID: "9", Name: "Ops"})
				w.reportChange()
				w.put("G", "Ops", "U")
				w.wantLink("G", "7")
				w.wantRoles("U", "Operations")
				w.diff("holders of 9", []string{}, w.app.Holders("9"))
				w.wantEvents()
				w.wantChanges()
			}},
		{name: "S30 S31 a role is deleted and created again, link later",
			given:  "U in G→Ops",
			when:   "Ops is deleted, reported; a new role Ops appears, reported",
			then:   "The first report unlinks G, drops the grants and keeps the members, without a call of ChangeRoles. The second one links G, and U holds the new role.",
			reason: "there is nothing to revoke; a new role of the name is linked",
			run:    func(w *world) { roleDeleted(w); w.reportChange(); w.wantLink("G", "new"); w.wantRoles("U", "Ops") }},
		{name: "S31 created again, refuse",
			given:  "as before, and `Missing` is RefuseGroup",
			when:   "the new role is reported; later the client PUTs G",
			then:   "The report links nothing. The PUT links G, and U holds the new role.",
			reason: "linked at the client's next write of the group",
			roles:  refuse,
			run: func(w *world) {
				roleDeleted(w)
				w.reportChange()
				w.wantLink("G", "")
				w.wantRoles("U")
				w.put("G", "Ops", "U")
				w.wantLink("G", "new")
				w.wantRoles("U", "Ops")
			}},
		{name: "S31 created again, protected",
			given:  "as before, and the new role is protected",
			when:   "the role is reported, and G is PUT; later the application confirms",
			then:   "U holds nothing before the confirmation, and the new role afterwards.",
			reason: "only after the application confirms",
			run: func(w *world) {
				roleDeleted(w)
				w.app.Put(scim.Role{ID: "new", Name: "Ops", Protected: true})
				w.reportChange()
				w.put("G", "Ops", "U")
				w.wantLink("G", "new unconfirmed")
				w.wantRoles("U")
				w.must(w.reconciler().Confirm(ctx(), "G", scim.Role{ID: "new"}))
				w.wantRoles("U", "Ops")
			}},
		{name: "S32 the deletion of a role is not reported",
			given:  "U in G→R; R was deleted, not reported",
			when:   "V is added to G",
			then:   "The request succeeds. G is unlinked, and no grant of R is left.",
			reason: "the client is not at fault",
			run: func(w *world) {
				w.role("R")
				w.user("U", "V")
				w.group("G", "R", "U")
				w.app.Drop("R")
				w.mark()
				w.add("G", "V")
				w.wantMembers("G", "U", "V")
				w.wantLink("G", "")
				w.wantLedger("U")
				w.wantLedger("V")
				w.wantChanges()
				w.wantEvents("member added G V", "group unlinked G R")
				w.put("G", "R", "U", "V")
				w.wantLedger("U")
			}},
		{name: "S32 the deletion of a role and a new one of the name are not reported",
			given:  "U in G→R; R was deleted and a new role R made, neither reported",
			when:   "V is added to G; later the application reports",
			then:   "The request succeeds, and G is unlinked. The report links G to the new role, and both hold it.",
			reason: "the request succeeds, and the new role is linked when it is reported",
			run: func(w *world) {
				w.role("R")
				w.user("U", "V")
				w.group("G", "R", "U")
				w.app.Drop("R")
				w.app.Put(scim.Role{ID: "new", Name: "R"})
				w.add("G", "V")
				w.wantLink("G", "")
				w.wantRoles("V")
				w.reportChange()
				w.wantLink("G", "new")
				w.wantRoles("U", "R")
				w.wantRoles("V", "R")
			}},
		{name: "S120 the resolver names a role that is gone",
			given:  "ResolveRoles maps G1 to R, and G2 and G3 to D, which was deleted; U in all, V in G2",
			when:   "U is removed from G1; later G2 gets another member, and the application reports",
			then:   "Done: U holds nothing, and G2 and G3 are unlinked. The same after each later step.",
			reason: "the client is not at fault",
			run:    deadRole},
		{name: "S30 the role of two groups is deleted",
			given:  "one user in G1→R and in G2→R, another one in G2",
			when:   "R is deleted, reported",
			then:   "Both groups are unlinked, and no grant is left.",
			reason: "looking at one group must not make the other's members be passed over",
			run: func(w *world) {
				w.role("R")
				w.user("both", "one")
				w.group("G1", "R", "both")
				w.group("G2", "R", "both", "one")
				w.app.Drop("R")
				w.mark()
				w.reportChange()
				w.wantLedger("both")
				w.wantLedger("one")
				w.wantChanges()
				w.wantEvents("group unlinked G1 R", "group unlinked G2 R")
			}},
		{name: "S38 two groups of the same name",
			given:  "U in two groups that are both named R",
			when:   "U is removed from one, then from the other",
			then:   "As S1 and S2: each group is a source of its own.",
			reason: "group names are not unique",
			run:    twoGroups},
		{name: "S39 S40 a group is deleted and pushed again",
			given:  "in G→R: U1; U2, who also holds R by hand; U3, who is also in G2→R. Not in G: U4, who holds R by hand",
			when:   "G is deleted; then a new group R with U1, U2 and U3 is POSTed",
			then:   "Only U1 loses R. Then U1 holds R, the grant of U2 is marked by hand, and U3 has two grants.",
			reason: "it takes what came through it, and a new group remembers nothing",
			run: func(w *world) {
				w.role("R")
				w.user("U1", "U2", "U3", "U4")
				w.byHand("U2", "R")
				w.byHand("U4", "R")
				w.group("G", "R", "U1", "U2", "U3")
				w.group("G2", "R", "U3")
				w.mark()
				w.deleteGroup("G")
				groupIsGone(w)
				w.wantEvents("group deleted G", "role retained U2 R G", "role revoked U1 R G")
				w.group("G'", "R", "U1", "U2", "U3")
				w.wantLedger("U1", "R group:G'")
				w.wantLedger("U2", "R group:G' by hand")
				w.wantLedger("U3", "R group:G'", "R group:G2")
				w.wantRoles("U1", "R")
			}},
		{name: "S41 S42 the application releases a group",
			given:  "as S39",
			when:   "the application calls Release; later the client PUTs the group, and then POSTs it",
			then:   "Only U1 loses R. The PUT is 404. The POST makes a new group, and U1 holds R.",
			reason: "the same end as a DELETE; a client that stopped pushing sends none",
			run: func(w *world) {
				w.role("R")
				w.user("U1", "U2", "U3", "U4")
				w.byHand("U2", "R")
				w.byHand("U4", "R")
				w.group("G", "R", "U1", "U2", "U3")
				w.group("G2", "R", "U3")
				w.must(w.reconciler().Release(ctx(), "G"))
				groupIsGone(w)
				w.diff("a later PUT", 404, w.send("PUT", "/Groups/G", groupBody("R", "U1")).status)
				w.group("G'", "R", "U1")
				w.wantRoles("U1", "R")
			}},
		{name: "S43 a mapping made in the application",
			given:  "ResolveRoles maps the group's id to R; U in G",
			when:   "the client renames G",
			then:   "U keeps R, without a call of ChangeRoles.",
			reason: "the resolver decides by the group's id",
			run: func(w *world) {
				w.role("R")
				w.app.Resolve = func(src scim.RoleSource) ([]scim.Role, error) {
					if src.Group.ID() == "G" {
						return []scim.Role{{ID: "R", Name: "R"}}, nil
					}
					return nil, scim.ErrNoRole
				}
				w.user("U")
				w.group("G", "Everyone", "U")
				w.wantRoles("U", "R")
				w.mark()
				w.rename("G", "All")
				w.wantRoles("U", "R")
				w.wantChanges()
				w.wantEvents("group updated G")
			}},
		{name: "S110 ids of groups that the database gives",
			given:  "a store that gives ids itself; `Missing` is RefuseGroup; ResolveRoles knows the group by its id",
			when:   "a group with U is POSTed, and a group without a role",
			then:   "The resolver saw the id that the group has, and U holds R. The other group is refused, and not stored.",
			reason: "a mapping by id cannot work otherwise",
			roles:  refuse, kinds: []string{joint, separate}, only: "without transactions a group is refused before the store gives an id",
			run: idsOfTheDatabase},
		{name: "S110 ids of groups that the database gives, linked later",
			given:  "as before, and `Missing` is LinkLater",
			when:   "a group with U is POSTed",
			then:   "The resolver saw the id that the group has, and U holds R.",
			reason: "a mapping by id cannot work otherwise",
			run: func(w *world) {
				databaseIDs(w)
				w.diff("id", any("id7"), w.do("POST", "/Groups", groupBody("any name", "U")).body["id"])
				w.wantRoles("U", "R")
				w.wantLink("id7", "R")
			}},
		{name: "S47 the resolver is down",
			given:  "U in G→R; ResolveRoles fails with an error that is not ErrNoRole",
			when:   "G is renamed; another group is pushed; U is removed from G",
			then:   "The rename and the push are 500 or 503, and nothing changes. The removal revokes R.",
			reason: "an outage is not an answer",
			run: func(w *world) {
				w.role("R")
				w.role("S")
				w.user("U")
				w.group("G", "R", "U")
				w.app.Fail = func(op string) error {
					if op == "resolve" {
						return errors.New("down")
					}
					return nil
				}
				w.mark()
				w.diff("rename", 500, w.send("PATCH", "/Groups/G", renameBody("S")).status)
				w.diff("first push", 500, w.sendPost("/Groups", "G2", groupBody("S", "U")).status)
				w.diff("the new group", 404, w.send("GET", "/Groups/G2", nil).status)
				w.diff("name", any("R"), w.do("GET", "/Groups/G", nil).body["displayName"])
				w.wantRoles("U", "R")
				w.wantLink("G", "R")
				w.wantEvents()
				w.app.Fail = func(op string) error {
					if op == "resolve" {
						return &scim.Error{Status: 503, Detail: "later"}
					}
					return nil
				}
				w.diff("rename, unavailable", 503, w.send("PATCH", "/Groups/G", renameBody("S")).status)
				w.wantLink("G", "R")
				w.remove("G", "U") // an outage of the resolver does not block a revocation
				w.wantRoles("U")
			}},
		{name: "S47 the resolver's own SCIM request fails",
			given:  "U in G→R; ResolveRoles returns an error of another SCIM library, with status 404",
			when:   "G is renamed, and the application calls RolesChanged",
			then:   "Both fail, and U keeps R.",
			reason: "only an *Error of this library is an answer",
			run: func(w *world) {
				w.role("R")
				w.role("S")
				w.user("U")
				w.group("G", "R", "U")
				w.app.Fail = func(op string) error {
					if op == "resolve" {
						return fmt.Errorf("look-up: %w", scimerrors.ScimError{Status: 404, Detail: "no such group"})
					}
					return nil
				}
				w.diff("rename", 404, w.send("PATCH", "/Groups/G", renameBody("S")).status)
				w.diff("name", any("R"), w.do("GET", "/Groups/G", nil).body["displayName"])
				if err := w.reconciler().RolesChanged(ctx()); err == nil {
					w.t.Errorf("RolesChanged reports no error")
				}
				w.wantLink("G", "R")
				w.wantRoles("U", "R")
				w.app.Fail = nil
			}},
		{name: "S46 a role that groups cannot give, refuse",
			given:  "`Missing` is RefuseGroup; the resolver refuses Boss for groups and says why",
			when:   "a group Boss is POSTed",
			then:   "400 invalidValue with the resolver's reason. Nothing is stored.",
			reason: "as if there were none, and the answer says why",
			roles:  refuse,
			run: func(w *world) {
				w.user("U")
				w.app.Fail = personal
				r := w.sendPost("/Groups", "G", groupBody("Boss", "U"))
				w.wantRefused(r, 400, "invalidValue", "personal")
				w.diff("status of the refused group", 404, w.send("GET", "/Groups/G", nil).status)
			}},
		{name: "S46 a role that groups cannot give, linked later",
			given:  "the resolver refuses Boss for groups",
			when:   "a group Boss with U is POSTed",
			then:   "The group is stored and gives nothing.",
			reason: "as if there were none",
			run: func(w *world) {
				w.user("U")
				w.app.Fail = personal
				w.group("G", "Boss", "U")
				w.wantLink("G", "")
				w.wantRoles("U")
			}},
	}
}

// numberingEdge and numberingBare are stores that give ids to groups themselves.
type (
	numberingEdge struct {
		*edgeStore
		number func(*scim.Resource) *scim.Resource
	}
	numberingBare struct {
		*steppedStore
		number func(*scim.Resource) *scim.Resource
	}
)

func (s numberingEdge) Create(ctx context.Context, r *scim.Resource) (*scim.Resource, error) {
	return s.edgeStore.Create(ctx, s.number(r))
}

func (s numberingBare) Create(ctx context.Context, r *scim.Resource) (*scim.Resource, error) {
	return s.steppedStore.Create(ctx, s.number(r))
}

// Volatile implements scim.Volatile.
func (s numberingBare) Volatile() {}

// databaseIDs makes a store that gives groups the ids id7, id8 and so on, and a resolver
// that knows only the group id7.
func databaseIDs(w *world) {
	w.t.Helper()
	n := 6
	number := func(r *scim.Resource) *scim.Resource {
		if r.Type() != scim.GroupType() {
			return r
		}
		n++
		meta := r.Meta()
		meta.ID = fmt.Sprint("id", n)
		doc, err := r.MarshalJSON()
		w.must(err)
		numbered, err := r.Type().Bind(meta, doc, nil)
		w.must(err)
		return numbered
	}
	switch s := w.store.(type) {
	case *edgeStore:
		w.store = numberingEdge{s, number}
	case *sourceStore:
		w.store = numberingEdge{s.edgeStore, number}
	case *steppedStore:
		w.store = numberingBare{s, number}
	}
	w.restart()
	w.role("R")
	w.user("U")
	w.app.Resolve = func(src scim.RoleSource) ([]scim.Role, error) {
		if src.Group.ID() != "id7" {
			return nil, scim.ErrNoRole
		}
		return []scim.Role{{ID: "R", Name: "R"}}, nil
	}
}

func idsOfTheDatabase(w *world) {
	databaseIDs(w)
	w.diff("id", any("id7"), w.do("POST", "/Groups", groupBody("any name", "U")).body["id"])
	w.wantRoles("U", "R")
	w.wantLink("id7", "R")
	w.wantRefused(w.send("POST", "/Groups", groupBody("another", "U")), 400, "invalidValue", "another")
	w.diff("groups", any(1.0), w.do("GET", "/Groups", nil).body["totalResults"])
}

// deadRole is S120.
func deadRole(w *world) {
	w.role("R")
	w.role("D")
	w.app.Resolve = func(src scim.RoleSource) ([]scim.Role, error) {
		id := map[string]string{"G1": "R", "G2": "D", "G3": "D"}[src.Group.ID()]
		return []scim.Role{{ID: id, Name: id}}, nil
	}
	w.user("U", "V", "W")
	w.group("G1", "one", "U", "W")
	w.group("G2", "two", "U", "V")
	w.group("G3", "three", "U")
	w.wantRoles("U", "D", "R")
	w.app.Drop("D")
	w.mark()
	w.remove("G1", "U")
	w.wantMembers("G1", "W")
	w.wantRoles("U")
	w.wantRoles("W", "R")
	settled := func() {
		w.t.Helper()
		for _, u := range []string{"U", "V"} {
			w.wantRoles(u)
			w.wantLedger(u)
		}
		w.wantLink("G2", "")
		w.wantLink("G3", "")
	}
	settled()
	w.wantEvents("member removed G1 U", "role revoked U R G1", "group unlinked G2 D", "group unlinked G3 D")
	w.add("G2", "W")
	w.wantMembers("G2", "U", "V", "W")
	w.wantRoles("W", "R")
	settled()
	w.reportChange()
	settled()
}

// personal is a resolver's answer that groups may not give this role.
func personal(op string) error {
	if op == "resolve" {
		return &scim.Error{Status: 400, Type: "invalidValue", Detail: "displayName: Boss is a personal role"}
	}
	return nil
}

// roleDeleted is S30. Then a role with the same name appears.
func roleDeleted(w *world) {
	w.t.Helper()
	w.role("Ops")
	w.user("U")
	w.group("G", "Ops", "U")
	w.app.Drop("Ops")
	w.mark()
	w.reportChange()
	w.wantLedger("U")
	w.wantLink("G", "")
	w.wantMembers("G", "U")
	w.wantChanges()
	w.wantEvents("group unlinked G Ops")
	w.app.Put(scim.Role{ID: "new", Name: "Ops"})
}

// groupIsGone is the end of S39.
func groupIsGone(w *world) {
	w.t.Helper()
	w.wantRoles("U1")
	w.wantRoles("U2", "R")
	w.wantRoles("U3", "R")
	w.wantRoles("U4", "R")
	w.wantLedger("U1")
	w.wantLedger("U2")
	w.wantLedger("U3", "R group:G2")
	w.diff("status of the group", 404, w.send("GET", "/Groups/G", nil).status)
}
