package pagetest

import (
	"encoding/json"
	"fmt"
)

// Okta does what Okta does: the requests of each action, in order. Its two kinds of application differ.
type Okta struct {
	*Client
	// Patches says that it is an application of the catalogue, or the "SCIM 2.0 Test App". It deactivates, and
	// changes groups, by PATCH. An application of the wizard sends PUT only.
	Patches bool
}

const userSchema, groupSchema, patchSchema = `"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"]`,
	`"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"]`, `"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"]`

// Test is "Test API Credentials". It returns the status of the answer.
func (o Okta) Test() int { return o.Do("GET", "/Users?startIndex=1&count=2", "").Status }

// Assign looks for a user and creates it, or takes over the one that it finds. extra is more JSON, such as `,"title":"x"`.
func (o Okta) Assign(email, given, family, extra string) (id string) {
	o.t.Helper()
	body := User(email, given, family, extra)
	if id = o.Find("/Users", "userName", email); id != "" {
		o.Want(200, "GET", "/Users/"+id, "")
		o.Want(200, "PUT", "/Users/"+id, body)
		return id
	}
	return o.Want(201, "POST", "/Users", body).ID()
}

// User is the body of a user that Okta sends.
func User(email, given, family, extra string) string {
	return fmt.Sprintf(`{%s,"userName":%q,"name":{"givenName":%q,"familyName":%q},"emails":[{"primary":true,"value":%q,"type":"work"}],`+
		`"displayName":%q,"locale":"en-US","externalId":"00u-%s","groups":[],"password":"Xk29dLq0","active":true%s}`,
		userSchema, email, given, family, email, given+" "+family, given, extra)
}

// Update reads a user, and writes it back with values in the place of those that it has.
func (o Okta) Update(id string, values map[string]any) Answer {
	o.t.Helper()
	return o.update(id, values, 200)
}

func (o Okta) update(id string, values map[string]any, status int) Answer {
	o.t.Helper()
	body := o.Want(200, "GET", "/Users/"+id, "").Body
	for k, v := range values {
		if v == nil {
			delete(body, k)
			continue
		}
		body[k] = v
	}
	text, err := json.Marshal(body)
	if err != nil {
		o.t.Fatal(err)
	}
	return o.Want(status, "PUT", "/Users/"+id, string(text))
}

// Unassign deactivates a user, and Reassign activates it again. Okta never deletes.
func (o Okta) Unassign(id string) { o.t.Helper(); o.activate(id, false) }

// Reassign activates a user again.
func (o Okta) Reassign(id string) { o.t.Helper(); o.activate(id, true) }

func (o Okta) activate(id string, active bool) {
	o.t.Helper()
	if o.Patches {
		o.Want(200, "PATCH", "/Users/"+id, fmt.Sprintf(`{%s,"Operations":[{"op":"replace","value":{"active":%t}}]}`, patchSchema, active))
		return
	}
	o.Update(id, map[string]any{"active": active})
}

// Push looks for a group, creates it if it is not there, and sends its members.
func (o Okta) Push(name string, members ...string) (id string) {
	o.t.Helper()
	if id = o.Find("/Groups", "displayName", name); id == "" {
		id = o.Want(201, "POST", "/Groups", fmt.Sprintf(`{%s,"displayName":%q,"members":[]}`, groupSchema, name)).ID()
	}
	if o.Patches {
		o.Add(id, members...)
		return id
	}
	o.Want(200, "GET", "/Groups/"+id, "")
	o.PushAll(id, name, members...)
	return id
}

// PushAll is "Push now": the whole group again.
func (o Okta) PushAll(id, name string, members ...string) {
	o.t.Helper()
	if o.Patches {
		o.Want(204, "PATCH", "/Groups/"+id, fmt.Sprintf(`{%s,"Operations":[{"op":"replace","path":"members","value":%s}]}`, patchSchema, list(members)))
		return
	}
	o.Want(200, "PUT", "/Groups/"+id, fmt.Sprintf(`{%s,"id":%q,"displayName":%q,"members":%s}`, groupSchema, id, name, list(members)))
}

// Rename renames a group as the catalogue's applications do.
func (o Okta) Rename(id, name string) Answer {
	o.t.Helper()
	return o.Do("PATCH", "/Groups/"+id, fmt.Sprintf(`{%s,"Operations":[{"op":"replace","value":{"id":%q,"displayName":%q}}]}`, patchSchema, id, name))
}

// Add adds members as the catalogue's applications do.
func (o Okta) Add(id string, members ...string) {
	o.t.Helper()
	o.Want(204, "PATCH", "/Groups/"+id, fmt.Sprintf(`{%s,"Operations":[{"op":"add","path":"members","value":%s}]}`, patchSchema, list(members)))
}

// Remove removes a member as the catalogue's applications do.
func (o Okta) Remove(id, member string) {
	o.t.Helper()
	o.Want(204, "PATCH", "/Groups/"+id, fmt.Sprintf(`{%s,"Operations":[{"op":"remove","path":"members[value eq \"%s\"]"}]}`, patchSchema, member))
}

func list(ids []string) string {
	all := make([]map[string]string, len(ids))
	for i, id := range ids {
		all[i] = map[string]string{"value": id}
	}
	text, _ := json.Marshal(all) //nolint:errcheck // texts have a JSON form
	return string(text)
}
