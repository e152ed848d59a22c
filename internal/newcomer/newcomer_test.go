package newcomer

import (
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// annByHand is the role that Ann held before SCIM.
const annByHand = "ann@example.com Editor root@example.com"

// These PATCH bodies are Okta's.
const (
	deactivate = `{` + patchURN + `,"Operations":[{"op":"replace","value":{"active":false}}]}`
	activate   = `{` + patchURN + `,"Operations":[{"op":"replace","value":{"active":true}}]}`
)

// carol is the profile of a new person, as Okta sends it.
func carol(family, more string) string {
	return `{` + userURN + `,"userName":"carol@example.com","name":{"givenName":"Carol","familyName":"` + family + `"},
		"emails":[{"primary":true,"value":"carol@example.com","type":"work"}],"displayName":"Carol ` + family + `",
		"locale":"en-US","externalId":"00ucarol","groups":[],"active":true` + more + `}`
}

// TestOkta provisions people, pushes groups, deactivates and activates, as Okta does.
func TestOkta(t *testing.T) {
	c := start(t, newFile(t))

	// Okta tests the connection. The pages of the application stay where they were.
	if n := c.do(200, "GET", "/Users?count=1", "")["totalResults"]; n != 2.0 {
		t.Fatalf("totalResults is %v, want 2: the bot is hidden", n)
	}
	c.do(200, "GET", "/ServiceProviderConfig", "")
	c.page(401, "GET", "/scim/v2/Users", nil)
	c.page(200, "GET", "/people", nil)

	// A new person.
	c.find("Users", `userName eq "carol@example.com"`)
	id := c.do(201, "POST", "/Users", carol("Clark", `,"password":"x9!kLm"`))["id"].(string)
	c.person(id, "carol@example.com|Carol Clark|Carol|Clark|active|-|human")
	c.do(200, "GET", "/Users/"+id, "")
	c.do(200, "PUT", "/Users/"+id, carol("Cooper", `,"phoneNumbers":[{"primary":true,"type":"work","value":"+44 3"}]`))
	c.person(id, "carol@example.com|Carol Cooper|Carol|Cooper|active|+44 3|human")

	// Okta finds Ann, who was there before, and writes her profile. A PUT erases what it does not name: her phone.
	c.find("Users", `userName eq "ann@example.com"`, "1")
	c.do(200, "PUT", "/Users/1", `{`+userURN+`,"id":"1","userName":"ann@example.com","name":{"givenName":"Ann","familyName":"Archer"},
		"emails":[{"primary":true,"value":"ann@example.com","type":"work"}],"displayName":"Ann Archer","externalId":"00uann","active":true}`)
	c.person("1", "ann@example.com|Ann Archer|Ann|Archer|active|-|human")
	c.roles(annByHand)

	// A POST adopts Bob, who was there before, once. The column keeps the address in lower case, and Okta reads its own spelling.
	bob := `{` + userURN + `,"userName":"Bob@Example.com","name":{"givenName":"Bob","familyName":"Baker"},"displayName":"Bob Baker",
		"emails":[{"primary":true,"value":"bob@example.com","type":"work"}],"externalId":"00ubob","active":true}`
	m := c.do(201, "POST", "/Users", bob)
	if diff := cmp.Diff([]any{"2", "Bob@Example.com"}, []any{m["id"], m["userName"]}); diff != "" {
		t.Fatalf("the adopted user (-want +got):\n%s", diff)
	}
	c.person("2", "bob@example.com|Bob Baker|Bob|Baker|active|-|human")
	c.do(409, "POST", "/Users", bob)

	// The bot is hidden, and its address is taken.
	c.do(409, "POST", "/Users", `{`+userURN+`,"userName":"backup@example.com","active":true}`)
	c.rows("SELECT id FROM people", "1", "2", "3", id)

	// Okta pushes a group that gives a role. Ann holds the role by hand already.
	c.find("Groups", `displayName eq "Editor"`)
	g := c.do(201, "POST", "/Groups", `{`+groupURN+`,"displayName":"Editor","members":[{"value":"1","display":"ann@example.com"},
		{"value":"`+id+`","display":"carol@example.com"}]}`)["id"].(string)
	c.roles(annByHand, "carol@example.com Editor scim")
	c.do(204, "PATCH", "/Groups/"+g, `{`+patchURN+`,"Operations":[{"op":"replace","value":{"id":"`+g+`","displayName":"Editor"}}]}`)
	c.do(204, "PATCH", "/Groups/"+g, `{`+patchURN+`,"Operations":[{"op":"add","path":"members","value":[{"value":"2","display":"bob@example.com"}]}]}`)
	c.roles(annByHand, "carol@example.com Editor scim", "bob@example.com Editor scim")
	c.do(204, "PATCH", "/Groups/"+g, `{`+patchURN+`,"Operations":[{"op":"remove","path":"members[value eq \"1\"]"},
		{"op":"remove","path":"members[value eq \"2\"]"}]}`)
	c.roles(annByHand, "carol@example.com Editor scim")
	c.team("Editor", "carol@example.com")

	// Bob is deactivated, and his session ends. Carol loses what SCIM gave. Both come back.
	c.do(200, "PATCH", "/Users/2", deactivate)
	c.rows("SELECT token FROM sessions", "ann-session")
	c.page(403, "POST", "/login", url.Values{"email": {"bob@example.com"}})
	c.do(200, "PATCH", "/Users/"+id, deactivate)
	c.person(id, "carol@example.com|Carol Cooper|Carol|Cooper|suspended|+44 3|human")
	c.roles(annByHand)
	c.do(200, "PATCH", "/Users/"+id, activate)
	c.do(200, "PATCH", "/Users/2", activate)
	c.roles(annByHand, "carol@example.com Editor scim")
	c.page(200, "POST", "/login", url.Values{"email": {"bob@example.com"}})

	// Okta adopts a team that was there before. Its members stay, and get its role too.
	if adopted := c.do(201, "POST", "/Groups", `{`+groupURN+`,"displayName":"Sales","members":[{"value":"2"}]}`)["id"]; adopted != "1" {
		t.Fatalf("the id of Sales is %v, want 1", adopted)
	}
	c.team("Sales", "ann@example.com", "bob@example.com")
	c.roles(annByHand, "carol@example.com Editor scim", "ann@example.com Sales scim", "bob@example.com Sales scim")

	// A group named like a protected role waits for an administrator.
	admins := c.do(201, "POST", "/Groups", `{`+groupURN+`,"displayName":"Admin","members":[{"value":"2"}]}`)["id"].(string)
	c.roles(annByHand, "carol@example.com Editor scim", "ann@example.com Sales scim", "bob@example.com Sales scim")
	c.page(200, "POST", "/teams/"+admins+"/confirm/1", nil)
	c.roles(annByHand, "carol@example.com Editor scim", "ann@example.com Sales scim", "bob@example.com Sales scim", "bob@example.com Admin scim")

	// Groups are deleted. Roles remain.
	c.do(204, "DELETE", "/Groups/"+g, "")
	c.do(204, "DELETE", "/Groups/"+admins, "")
	c.roles(annByHand, "ann@example.com Sales scim", "bob@example.com Sales scim")
	c.rows("SELECT name FROM teams", "Sales", "Support")
	c.rows("SELECT name FROM roles", "Admin", "Editor", "Sales", "Viewer")
}

// TestEntra provisions a person and a group, and lets them go again, as Entra does.
func TestEntra(t *testing.T) {
	const enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	c := start(t, newFile(t))

	// A new person.
	c.find("Users", `externalId eq "dan-oid"`)
	c.find("Users", `userName eq "dan@example.com"`)
	id := c.do(201, "POST", "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","`+enterprise+`"],"externalId":"dan-oid",
		"userName":"dan@example.com","active":true,"displayName":"Dan Dow","emails":[{"primary":true,"type":"work","value":"dan@example.com"}],
		"meta":{"resourceType":"User"},"name":{"formatted":"Dan Dow","familyName":"Dow","givenName":"Dan"},
		"`+enterprise+`":{"department":"R&D"},"roles":[]}`)["id"].(string)
	c.person(id, "dan@example.com|Dan Dow|Dan|Dow|active|-|human")
	c.find("Users", `externalId eq "dan-oid"`, id)

	// The person changes.
	c.do(200, "PATCH", "/Users/"+id, `{`+patchURN+`,"Operations":[{"op":"Replace","path":"displayName","value":"Daniel Dow"},
		{"op":"Add","path":"phoneNumbers[type eq \"work\"].value","value":"+44 4"},
		{"op":"Replace","path":"emails[type eq \"work\"].value","value":"daniel@example.com"}]}`)
	c.person(id, "dan@example.com|Daniel Dow|Dan|Dow|active|+44 4|human")
	m := c.do(200, "PATCH", "/Users/"+id, `{`+patchURN+`,"Operations":[{"op":"Replace","value":{"name.givenName":"Daniel",
		"`+enterprise+`:department":"Ops","userName":"daniel@example.com"}}]}`)
	if diff := cmp.Diff(map[string]any{"department": "Ops"}, m[enterprise]); diff != "" {
		t.Fatalf("the enterprise extension (-want +got):\n%s", diff)
	}
	c.person(id, "daniel@example.com|Daniel Dow|Daniel|Dow|active|+44 4|human")

	// A group that gives a role.
	c.find("Groups", `displayName eq "Viewer"`)
	g := c.do(201, "POST", "/Groups", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group",
		"http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],
		"externalId":"g-oid","displayName":"Viewer","meta":{"resourceType":"Group"}}`)["id"].(string)
	c.do(204, "PATCH", "/Groups/"+g, `{`+patchURN+`,"Operations":[{"op":"Add","path":"members","value":[{"$ref":null,"value":"`+id+`"},
		{"$ref":"`+c.url+`/scim/v2/Users/1","value":"1"}]}]}`)
	c.roles(annByHand, "daniel@example.com Viewer scim", "ann@example.com Viewer scim")
	c.find("Groups", `id eq "`+g+`" and members eq "`+id+`"`, g)

	// An administrator gives Dan the same role by hand, and another one. Both survive all that Entra does.
	c.page(200, "POST", "/people/"+id+"/roles/4", nil)
	c.page(200, "POST", "/people/"+id+"/roles/2", nil)
	byHand := []string{annByHand, "daniel@example.com Viewer admin page", "daniel@example.com Editor admin page"}
	c.do(204, "PATCH", "/Groups/"+g, `{`+patchURN+`,"Operations":[{"op":"Remove","path":"members","value":[{"$ref":null,"value":"1"}]}]}`)
	c.roles(byHand...)
	c.do(200, "PATCH", "/Users/"+id, `{`+patchURN+`,"Operations":[{"op":"Replace","path":"active","value":"False"}]}`)
	c.rows("SELECT state FROM people WHERE id = "+id, "suspended")
	c.roles(byHand...)
	c.do(204, "PATCH", "/Groups/"+g, `{`+patchURN+`,"Operations":[{"op":"Remove","path":"members","value":[{"value":"`+id+`"}]}]}`)
	c.team("Viewer")
	c.roles(byHand...)

	// The person is deleted, and all roles end.
	c.do(204, "DELETE", "/Users/"+id, "")
	c.do(404, "GET", "/Users/"+id, "")
	c.rows("SELECT id FROM people", "1", "2", "3")
	c.roles(annByHand)
	c.do(204, "DELETE", "/Groups/"+g, "")
	c.rows("SELECT name FROM teams", "Sales", "Support")
}

// TestRestart starts the application a second time over the same file. The application has
// changed a row meanwhile.
func TestRestart(t *testing.T) {
	file := newFile(t)
	c := start(t, file)
	g := c.do(201, "POST", "/Groups", `{"displayName":"Editor","members":[{"value":"2"}]}`)["id"].(string)
	c.roles(annByHand, "bob@example.com Editor scim")
	if err := c.db.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := open(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.ExecContext(t.Context(), "UPDATE people SET email = 'robert@example.com' WHERE id = 2")
	db.Close() //nolint:errcheck // the change was committed
	if err != nil {
		t.Fatal(err)
	}

	c = start(t, file)
	c.find("Users", `userName eq "robert@example.com"`, "2")
	c.roles(annByHand, "robert@example.com Editor scim")
	c.do(204, "DELETE", "/Groups/"+g, "")
	c.roles(annByHand)
}
