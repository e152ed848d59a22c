package rules_test

import (
	"testing"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/rules"
)

func named(name string) func(*scim.Resource) bool {
	return func(g *scim.Resource) bool { return g.String("displayName") == name }
}

func TestKeepGroups(t *testing.T) {
	everyStore(t, func(t *testing.T, s scim.Store) {
		stored(t, s, scim.GroupType(), "own", map[string]any{"displayName": "Own"})
		newTester(t, s, rules.KeepGroups(func(g *scim.Resource) bool { return g.ID() == "own" })).play([]step{
			{name: "ann", method: "POST", path: "/Users", body: user("ann"), status: 201, reason: "users are not concerned"},
			{name: "team", method: "POST", path: "/Groups", body: group("Team"), status: 201, reason: "other groups are not concerned"},
			{method: "DELETE", path: "/Groups/$team", status: 204, reason: "other groups are not concerned"},
			{method: "PATCH", path: "/Groups/own", body: change("add", "$ann"), status: 204, reason: "clients fill it"},
			{method: "PUT", path: "/Groups/own", body: `{"displayName":"Own","externalId":"1","members":[{"value":"$ann"}]}`, status: 200, reason: "clients may link it"},
			{method: "PATCH", path: "/Groups/own", body: patch("displayName", `"Other"`), status: 403, detail: "displayName", reason: "the name is the application's"},
			{method: "PUT", path: "/Groups/own", body: group("Other"), status: 200, detail: "Own", left: "displayName", reason: "a removal must not wait for a name"},
			{method: "DELETE", path: "/Groups/own", status: 403, detail: "remove its members instead", reason: "it is the application's"},
			{method: "DELETE", path: "/Users/$ann", status: 204, reason: "users are not concerned"},
		})
	})
}

func TestProtectGroups(t *testing.T) {
	everyStore(t, func(t *testing.T, s scim.Store) {
		stored(t, s, scim.UserType(), "bob", map[string]any{"userName": "bob"})
		stored(t, s, scim.UserType(), "cid", map[string]any{"userName": "cid"})
		if err := fill(t, s); err != nil {
			t.Fatal(err)
		}
		newTester(t, s, rules.ProtectGroups(named("Admins"))).play([]step{
			{name: "ann", method: "POST", path: "/Users", body: user("ann"), status: 201, reason: "users are not concerned"},
			{name: "team", method: "POST", path: "/Groups", body: group("Team", "$ann"), status: 201, reason: "other groups are not concerned"},
			{method: "POST", path: "/Groups", body: group("Admins"), status: 403, detail: "clients cannot create it", reason: "it would look protected"},
			{method: "PATCH", path: "/Groups/$team", body: patch("displayName", `"Admins"`), status: 403, reason: "it would become protected"},
			{method: "PUT", path: "/Groups/admins", body: group("Admins", "bob", "cid"), status: 200, reason: "nothing changes"},
			{method: "PATCH", path: "/Groups/admins", body: change("add", "$ann"), status: 403, detail: "only remove members", reason: "a member would join"},
			{method: "PATCH", path: "/Groups/admins", body: patch("displayName", `"Other"`), status: 403, reason: "it would be renamed"},
			{method: "PUT", path: "/Groups/admins", body: group("Other", "$ann", "cid"), status: 200, detail: "map[displayName:Admins id:admins members:[map[$ref", left: "only remove members", reason: "bob leaves, and nothing else happens"},
			{method: "GET", path: "/Groups/admins", status: 200, detail: "value:cid]]", reason: "ann has not joined"},
			{method: "PATCH", path: "/Groups/admins", body: change("remove", "cid"), status: 204, reason: "leaving is always allowed"},
			{method: "DELETE", path: "/Groups/admins", status: 403, detail: "clients cannot delete it", reason: "it is protected"},
			{method: "DELETE", path: "/Groups/$team", status: 204, reason: "other groups are not concerned"},
		})
	})
}

// fill makes the group "admins" with bob and cid.
func fill(t *testing.T, s scim.Store) error {
	members := []scim.Ref{{Type: "User", ID: "bob"}, {Type: "User", ID: "cid"}}
	if ms, ok := s.(scim.MemberStore); ok {
		stored(t, s, scim.GroupType(), "admins", map[string]any{"displayName": "Admins"})
		_, _, err := ms.ChangeMembers(t.Context(), "admins", members, nil)
		return err
	}
	stored(t, s, scim.GroupType(), "admins", map[string]any{"displayName": "Admins",
		"members": []map[string]any{{"value": "bob", "type": "User"}, {"value": "cid", "type": "User"}}})
	return nil
}

func TestOff(t *testing.T) {
	everyStore(t, func(t *testing.T, s scim.Store) {
		stored(t, s, scim.UserType(), "old", map[string]any{"userName": "old", "title": "Dr"})
		newTester(t, s).play([]step{
			{name: "team", method: "POST", path: "/Groups", body: group("Team", "old"), status: 201, reason: "everything is on"},
			{name: "full", method: "POST", path: "/Groups", body: group("Full", "old"), status: 201, reason: "everything is on"},
		})
		x := newTester(t, s, rules.Off(rules.CreateUsers, rules.UpdateUsers, rules.DeleteUsers, rules.PushGroups))
		off := func(a rules.Action) string { return "the action is switched off here: " + string(a) }
		x.play([]step{
			{method: "POST", path: "/Users", body: user("ann"), status: 403, detail: off(rules.CreateUsers), reason: "it is off"},
			{method: "PUT", path: "/Users/old", body: user("old", `"title":"Dr"`), status: 200, reason: "nothing changes"},
			{method: "PUT", path: "/Users/old", body: user("old", `"title":"Dr","active":true`), status: 200, reason: "no active means the same as true"},
			{method: "PUT", path: "/Users/old", body: user("old"), status: 403, detail: off(rules.UpdateUsers), reason: "it is off"},
			{method: "PATCH", path: "/Users/old", body: patch("title", `"Prof"`), status: 403, detail: off(rules.UpdateUsers), reason: "it is off"},
			{method: "PUT", path: "/Users/old", body: user("new", `"active":false`), status: 200, detail: "title:Dr userName:old", left: off(rules.UpdateUsers), reason: "it deactivates and changes nothing else"},
			{method: "PUT", path: "/Users/old", body: user("new", `"active":false`), status: 200, detail: "active:false", left: off(rules.UpdateUsers), reason: "clients repeat requests"},
			{method: "PATCH", path: "/Users/old", body: patch("active", "true"), status: 403, detail: off(rules.UpdateUsers), reason: "coming back is an update"},
			{method: "DELETE", path: "/Users/old", status: 403, detail: "set active to false instead", reason: "it is off"},
			{method: "POST", path: "/Groups", body: group("New"), status: 403, detail: off(rules.PushGroups), reason: "it is off"},
		})
		newTester(t, s).play([]step{{name: "ann", method: "POST", path: "/Users", body: user("ann"), status: 201, reason: "everything is on"}})
		ann := func() string { return idOf(t, s, "ann") }()
		x.ids["ann"], x.ids["team"], x.ids["full"] = ann, groupID(t, s, "Team"), groupID(t, s, "Full")
		x.play([]step{
			{method: "PATCH", path: "/Groups/$team", body: change("add", "$ann"), status: 403, detail: off(rules.PushGroups), reason: "it gives"},
			{method: "PUT", path: "/Groups/$team", body: group("Team", "old", "$ann"), status: 403, reason: "it gives"},
			{method: "PUT", path: "/Groups/$team", body: group("Other", "$ann"), status: 200, detail: "displayName:Team", left: off(rules.PushGroups), reason: "it removes, and does nothing else"},
			{method: "PATCH", path: "/Groups/$full", body: change("remove", "old"), status: 204, reason: "it takes away"},
			{method: "DELETE", path: "/Groups/$full", status: 204, reason: "it takes away"},
		})
	})
}

func idOf(t *testing.T, s scim.Store, name string) string {
	return lookUp(t, s, scim.UserType(), `userName eq "`+name+`"`)
}

func groupID(t *testing.T, s scim.Store, name string) string {
	return lookUp(t, s, scim.GroupType(), `displayName eq "`+name+`"`)
}

func lookUp(t *testing.T, s scim.Store, typ *scim.ResourceType, filter string) string {
	t.Helper()
	f, err := scim.ParseFilter(typ, filter)
	if err != nil {
		t.Fatal(err)
	}
	page, err := s.List(t.Context(), typ, &scim.Query{Filter: f, Limit: 1})
	if err != nil || len(page.Resources) != 1 {
		t.Fatalf("%s: %v", filter, err)
	}
	return page.Resources[0].ID()
}
