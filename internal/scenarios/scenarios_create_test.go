package scenarios

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/store/memory"
)

// creator is a resolver that lists and creates roles.
type creator struct {
	*testhost.Roles
	w *world
	// names are the values of the attributes that name roles.
	names map[string][]string
	// spoil changes what CreateRole returns. Nil: nothing.
	spoil func(r scim.Role) (scim.Role, error)
}

func (c *creator) RoleNames(ctx context.Context, attribute string) ([]string, error) {
	c.w.at("names")
	if attribute != "" {
		return c.names[attribute], nil
	}
	var names []string
	all, err := c.Rows.Roles(ctx)
	for _, r := range all {
		names = append(names, r.Name)
	}
	return names, err
}

func (c *creator) CreateRole(ctx context.Context, src scim.RoleSource) (scim.Role, error) {
	c.w.at("create")
	all, err := c.Rows.Roles(ctx)
	if err != nil {
		return scim.Role{}, err
	}
	r := scim.Role{ID: fmt.Sprintf("%s %d", src.Name(), len(all)), Name: src.Name()}
	if err := c.Rows.Put(ctx, r); err != nil || c.spoil == nil {
		return r, err
	}
	return c.spoil(r)
}

// creates makes the application of a world a RoleCreator, and Missing CreateRole.
func (w *world) creates(servers int) *creator {
	c := &creator{Roles: w.app, w: w, names: map[string][]string{}}
	w.roles.Resolver, w.roles.Missing = c, scim.CreateRole
	w.servers(servers)
	return c
}

// wantRoleNames checks which roles exist.
func (w *world) wantRoleNames(want ...string) {
	w.t.Helper()
	got := []string{}
	for _, r := range testhost.Must(w.app.Rows.Roles(ctx())) {
		got = append(got, r.Name)
	}
	slices.Sort(got)
	w.diff("roles that exist", append([]string{}, want...), got)
}

func creationScenarios() []scenario {
	return []scenario{
		{name: "S25 pushed, no such role, created",
			given:  "`Missing` is CreateRole; there is no role Ops",
			when:   "a group Ops with U is POSTed, then another one with V; the first is renamed Dev, then back",
			then:   "The first one creates Ops, and U holds it. V holds the same. The rename creates Dev, and the way back nothing.",
			reason: "the application wants it so",
			run: func(w *world) {
				w.creates(1)
				w.user("U", "V")
				w.group("G", "Ops", "U")
				w.wantRoles("U", "Ops")
				w.group("G2", "Ops", "V")
				w.wantRoles("V", "Ops")
				w.wantRoleNames("Ops")
				w.rename("G", "Dev")
				w.wantRoles("U", "Dev")
				w.rename("G", "Ops")
				w.wantRoles("U", "Ops")
				w.wantRoleNames("Dev", "Ops")
			}},
		{name: "S27 a role is not created beside one that looks like it",
			given:  "`Missing` is CreateRole; a role Admin",
			when:   "groups named admin, `Admin ` with a space, and Admin with a zero-width space or in full width are POSTed; another group is renamed so",
			then:   "400 invalidValue, and nothing is stored. The rename is accepted, and the group gives nothing.",
			reason: "people could not tell the two roles apart",
			run:    lookAlikes},
		{name: "S30 a role that is deleted is not created again",
			given:  "`Missing` is CreateRole; U in G→R; R is deleted, reported",
			when:   "the client adds V to G, and PUTs G as it is",
			then:   "There is no role R, and nobody holds anything.",
			reason: "an administrator has deleted it",
			run: func(w *world) {
				w.creates(1)
				w.role("R")
				w.user("U", "V")
				w.group("G", "R", "U")
				w.app.Drop("R")
				w.reportChange()
				w.wantRoleNames()
				w.add("G", "V")
				w.put("G", "R", "U", "V")
				w.reportChange()
				w.wantRoleNames()
				w.wantRoles("U")
				w.role("R")
				w.reportChange()
				w.wantRoles("V", "R")
			}},
		{name: "S46 a role that groups cannot give is not created",
			given:  "`Missing` is CreateRole; the resolver refuses Boss for groups and says why",
			when:   "a group Boss is POSTed",
			then:   "The group is stored and gives nothing. No role is created.",
			reason: "which role may come from which source is the resolver's answer",
			run: func(w *world) {
				w.creates(1)
				w.user("U")
				w.app.Resolve = func(src scim.RoleSource) ([]scim.Role, error) {
					return nil, &scim.Error{Status: 400, Type: "invalidValue", Detail: "displayName: Boss is a personal role"}
				}
				w.group("G", "Boss", "U")
				w.wantLink("G", "")
				w.wantRoleNames()
			}},
		{name: "a role is created by two requests at once",
			given:   "`Missing` is CreateRole; there is no role Ops",
			when:    "several requests POST a group Ops at the same time, again and again",
			then:    "There is one role, which all these groups give.",
			reason:  "the tenant's lock",
			servers: true,
			run:     createdAtOnce},
		{name: "a role is created by a request that fails",
			given:  "`Missing` is CreateRole; granting a role fails",
			when:   "a group Ops with U is POSTed, then again while granting works",
			then:   "First 500, and there is neither the group nor the role. Then U holds Ops.",
			reason: "the role commits with the group",
			kinds:  []string{joint}, only: "roles do not commit with the store",
			run: func(w *world) {
				w.creates(1)
				w.user("U")
				w.app.Fail = func(op string) error {
					if op == "change" {
						return errors.New("no")
					}
					return nil
				}
				w.diff("status", 500, w.sendPost("/Groups", "G", groupBody("Ops", "U")).status)
				w.wantRoleNames()
				w.app.Fail = nil
				w.group("G", "Ops", "U")
				w.wantRoles("U", "Ops")
				w.wantRoleNames("Ops")
			}},
		{name: "a created role is protected, or refused",
			given:  "`Missing` is CreateRole; CreateRole returns a protected role, one without an id, an error, or a reason",
			when:   "a group Ops with U is POSTed",
			then:   "500 without the group, or 400 with the reason. Nobody holds anything.",
			reason: "nothing is granted that nobody decided",
			run:    spoiltCreations},
	}
}

func lookAlikes(w *world) {
	w.creates(1)
	w.role("Admin")
	w.user("U")
	for _, name := range []string{"admin", "Admin ", "Ad\u200bmin", "\uff21\uff44\uff4d\uff49\uff4e"} {
		w.wantRefused(w.sendPost("/Groups", "G", groupBody(name, "U")), 400, "invalidValue", "displayName", `"Admin"`)
		w.diff("status of the refused group", 404, w.send("GET", "/Groups/G", nil).status)
	}
	w.wantRefused(w.sendPost("/Groups", "G", groupBody("\u200b", "U")), 400, "invalidValue", "displayName")
	w.group("G", "Ops", "U")
	w.wantRoles("U", "Ops")
	w.rename("G", "ADMIN")
	w.wantLink("G", "")
	w.wantRoles("U")
	w.wantRoleNames("Admin", "Ops")
}

// createdAtOnce is about requests at once. A store without transactions has one server,
// because only a process can lock there.
func createdAtOnce(w *world) {
	if w.kind == bare {
		w.creates(1)
	} else {
		w.creates(2)
	}
	w.user("U")
	for i := range w.size(30, 8) {
		name := fmt.Sprint("Ops ", i)
		testhost.Parallel(4, func(int) { w.do("POST", "/Groups", groupBody(name)) })
		n := 0
		for _, r := range testhost.Must(w.app.Rows.Roles(ctx())) {
			if r.Name == name {
				n++
			}
		}
		w.diff("roles of the name "+name, 1, n)
	}
}

func spoiltCreations(w *world) {
	c := w.creates(1)
	w.user("U")
	reason := &scim.Error{Status: 403, Detail: "displayName: roles need a ticket"}
	for _, tt := range []struct {
		status int
		spoil  func(r scim.Role) (scim.Role, error)
	}{
		{500, func(r scim.Role) (scim.Role, error) { r.Protected = true; return r, nil }},
		{500, func(scim.Role) (scim.Role, error) { return scim.Role{}, nil }},
		{500, func(scim.Role) (scim.Role, error) { return scim.Role{}, errors.New("no") }},
		{500, func(scim.Role) (scim.Role, error) { panic("no") }},
		{403, func(scim.Role) (scim.Role, error) { return scim.Role{}, reason }},
	} {
		c.spoil = func(r scim.Role) (scim.Role, error) {
			if w.kind != joint { // there the rollback does it
				w.app.Drop(r.ID)
			}
			return tt.spoil(r)
		}
		w.diff("status", tt.status, w.sendPost("/Groups", "G", groupBody("Ops", "U")).status)
		w.diff("status of the group", 404, w.send("GET", "/Groups/G", nil).status)
	}
	c.spoil = func(r scim.Role) (scim.Role, error) { return r, scim.ErrNoRole }
	w.group("G", "Ops", "U")
	w.wantLink("G", "")
	w.wantRoles("U")
}

// kindScenarios are about values of attributes: which there are, and which may follow which.
func kindScenarios() []scenario {
	switches := scim.Roles{Attributes: []string{"userType", "title"}, SwitchNeedsUnassign: true}
	body := func(userType string) map[string]any { return with(profile("U"), "userType", userType) }
	op := func(op string, value any) map[string]any {
		o := map[string]any{"op": op, "path": "userType"}
		if value != nil {
			o["value"] = value
		}
		return o
	}
	begin := func(w *world) {
		w.role("Viewer")
		w.role("Editor")
		w.role("Team")
		w.post("/Users", "U", body("Viewer"))
	}
	return []scenario{
		{name: "S48 S52 the values that name roles are listed",
			given:  "the resolver lists Own and Boss for userType, and Team for title",
			when:   "the schemas are read, then after a change of the list; a user is POSTed with another value",
			then:   "Each attribute shows its own values as canonicalValues. 400 invalidValue lists them.",
			reason: "clients and people see what is possible, without a compiled type for each tenant",
			roles:  scim.Roles{Attributes: []string{"userType", "title", "roles"}},
			run:    namesAreListed},
		{name: "S53 a switch is refused",
			given:  "SwitchNeedsUnassign; U is active with Viewer in userType",
			when:   "a PATCH or PUT makes it Editor, or one PATCH removes it and adds Editor; a PUT makes it Boss, which is no role",
			then:   "400 mutability: unassign the person first. Boss is 400 invalidValue. U keeps Viewer. The same value, and another attribute, are accepted.",
			reason: "before and after are compared, not single operations",
			roles:  switches,
			run: func(w *world) {
				begin(w)
				for _, r := range []reply{
					w.send("PUT", "/Users/U", body("Editor")),
					w.send("PATCH", "/Users/U", patchBody(op("replace", "Editor"))),
					w.send("PATCH", "/Users/U", patchBody(op("remove", nil), op("add", "Editor"))),
				} {
					w.wantRefused(r, 400, "mutability", "userType", `"Viewer"`, `"Editor"`, "unassign the person first")
				}
				w.wantRefused(w.send("PUT", "/Users/U", body("Boss")), 400, "invalidValue", "userType", `"Boss"`)
				w.wantRoles("U", "Viewer")
				w.do("PUT", "/Users/U", with(with(body("Viewer"), "displayName", "Ann"), "title", "Team"))
				w.wantRoles("U", "Team", "Viewer")
			}},
		{name: "S54 a switch while the user is unassigned, or after",
			given:  "SwitchNeedsUnassign; U and V are active with Viewer",
			when:   "one PUT sets active false and Editor for U; V is deactivated, then one PUT sets active true and Editor; U is activated",
			then:   "Accepted. Both hold Editor once active.",
			reason: "while inactive nothing is held, so nothing is switched",
			roles:  switches,
			run: func(w *world) {
				begin(w)
				w.post("/Users", "V", with(profile("V"), "userType", "Viewer"))
				w.do("PUT", "/Users/U", with(body("Editor"), "active", false))
				w.wantRoles("U")
				w.activate("U")
				w.wantRoles("U", "Editor")
				w.deactivate("V")
				w.do("PUT", "/Users/V", with(with(profile("V"), "userType", "Editor"), "active", true))
				w.wantRoles("V", "Editor")
			}},
		{name: "S55 reactivated with the old role, switched afterwards",
			given:  "SwitchNeedsUnassign; U is inactive with Viewer",
			when:   "a PUT sets active true and Viewer; another one sets Editor",
			then:   "The second one is refused: 400 mutability.",
			reason: "the user was active with Viewer in between",
			roles:  switches,
			run: func(w *world) {
				begin(w)
				w.deactivate("U")
				w.do("PUT", "/Users/U", with(body("Viewer"), "active", true))
				w.wantRefused(w.send("PUT", "/Users/U", body("Editor")), 400, "mutability")
				w.wantRoles("U", "Viewer")
			}},
		{name: "S56 cleared, then set",
			given:  "SwitchNeedsUnassign; U and V are active with Viewer; Viewer of V is gone in the application",
			when:   "one request clears the attribute of U, a later one sets Editor; one request sets Editor for V",
			then:   "Accepted.",
			reason: "in between there was no role",
			roles:  switches,
			run: func(w *world) {
				begin(w)
				w.do("PATCH", "/Users/U", patchBody(op("remove", nil)))
				w.wantRoles("U")
				w.do("PATCH", "/Users/U", patchBody(op("add", "Editor")))
				w.wantRoles("U", "Editor")
				w.post("/Users", "V", with(profile("V"), "userType", "Viewer"))
				w.app.Drop("Viewer")
				w.reportChange()
				w.do("PATCH", "/Users/V", patchBody(op("replace", "Editor")))
				w.wantRoles("V", "Editor")
			}},
		{name: "S57 several roles, where a switch is refused",
			given:  "SwitchNeedsUnassign; U's attribute names A",
			when:   "a PATCH adds B; another one removes A; another one replaces B by A",
			then:   "The first two are accepted. The third one is refused: 400 mutability.",
			reason: "more or less is no switch",
			roles:  scim.Roles{Attributes: []string{"roles"}, SwitchNeedsUnassign: true},
			run: func(w *world) {
				w.role("A")
				w.role("B")
				w.userNamed("U", "A")
				w.do("PATCH", "/Users/U", patchBody(rolesOp("add", "B")))
				w.putNamed("U", "B")
				w.wantRoles("U", "B")
				w.wantRefused(w.send("PATCH", "/Users/U", patchBody(rolesOp("replace", "A"))), 400, "mutability", "roles")
			}},
	}
}

// namesAreListed is S48 and S52.
func namesAreListed(w *world) {
	c := w.creates(1)
	c.names = map[string][]string{"userType": {"Own", "Boss"}, "title": {"Team"}}
	w.role("Own")
	shown := func() string {
		var all []string
		for _, a := range w.do("GET", "/Schemas/urn:ietf:params:scim:schemas:core:2.0:User", nil).body["attributes"].([]any) {
			a := a.(map[string]any)
			if values, ok := a["canonicalValues"]; ok {
				all = append(all, fmt.Sprint(a["name"], values))
			}
			subs, _ := a["subAttributes"].([]any)
			for _, s := range subs {
				s := s.(map[string]any)
				if values, ok := s["canonicalValues"]; ok && s["name"] == "value" {
					all = append(all, fmt.Sprint(a["name"], ".value", values))
				}
			}
		}
		slices.Sort(all)
		return fmt.Sprint(all)
	}
	w.diff("canonical values", "[roles.value[] title[Team] userType[Boss Own]]", shown())
	c.names["roles"] = []string{"A"}
	w.diff("canonical values", "[roles.value[A] title[Team] userType[Boss Own]]", shown())
	w.wantRefused(w.sendPost("/Users", "U", with(profile("U"), "userType", "Team")), 400, "invalidValue", "userType", `"Team"`, `"Own"`, `"Boss"`)
	var many []string
	for i := range 100 {
		many = append(many, fmt.Sprint("Role", i))
	}
	c.names["title"] = many
	w.wantRefused(w.sendPost("/Users", "U", with(profile("U"), "title", "x")), 400, "invalidValue", "title", `"Role19"`, "80 more")
	w.post("/Users", "U", with(profile("U"), "userType", "Own"))
	w.wantRoles("U", "Own")
}

// CreateRole needs a resolver that can create roles.
func TestCreateRoleNeedsCreator(t *testing.T) {
	_, err := scim.New(scim.Config{Auth: auth.None(), Store: memory.New(),
		Roles: &scim.Roles{Resolver: testhost.NewRoles(), Missing: scim.CreateRole}})
	if err == nil || !strings.Contains(err.Error(), "Roles.Missing: CreateRole needs a Resolver that is a RoleCreator, and *testhost.Roles is none") {
		t.Errorf("New: %v", err)
	}
}
