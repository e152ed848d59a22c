package scenarios

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/store/memory"
)

func TestRolesAttributesMistakes(t *testing.T) {
	for _, tt := range []struct{ name, path, want, reason string }{
		{"several texts", "roles", "", "the value of each names a role"},
		{"a text", "userType", "", ""},
		{"a part of a complex attribute", "name.honorificPrefix", "", ""},
		{"an extension's", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:costCenter", "", ""},
		{"unknown", "nope", `"nope": needs an attribute of User`, "it can never have a value"},
		{"a boolean", "active", `"active"`, "it has no text"},
		{"a part of many", "roles.value", `"roles.value"`, "the elements are what counts"},
		{"complex without value", "name", `"name"`, "it has no text"},
		{"read-only", "groups", `"groups"`, "groups give roles by themselves"},
		{"the password", "password", `"password"`, "no resource has it"},
		{"the name", "userName", `"userName"`, "it says who somebody is"},
		{"twice", "roles roles", "roles is there twice", "it would count twice"},
		{"what users may change on themselves", "nickName", "Me.Writable: nickName gives roles", "nobody gives access to themselves"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := scim.New(scim.Config{Auth: auth.None(), Store: memory.New(), Types: []*scim.ResourceType{scim.UserType()},
				Me:    &scim.SelfService{Writable: []string{"nickName"}, UserOf: func(context.Context, scim.Principal) (string, error) { return "", nil }},
				Roles: &scim.Roles{Resolver: testhost.NewRoles(), Attributes: strings.Fields(tt.path)}})
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q (%s)", err, tt.want, tt.reason)
			}
		})
	}
}

// An application without groups gives roles only by attributes.
func TestRolesWithoutGroups(t *testing.T) {
	app := testhost.NewRoles()
	s := memory.New()
	h := testhost.New(t, scim.Config{Store: s, Types: []*scim.ResourceType{scim.UserType()},
		Roles: &scim.Roles{Resolver: app, Separate: true, Attributes: []string{"userType"}}})
	id := testhost.Create(t, h, "/Users", `{"userName":"a","userType":"Editor"}`)
	want := func(roles ...string) {
		t.Helper()
		if err := testhost.Must(h.Reconciler(nil)).RolesChanged(t.Context()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(roles, app.Of(id), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("roles (-want +got):\n%s", diff)
		}
	}
	want("Editor")
	testhost.Do(t, h, "PATCH", "/Users/"+id, `{"Operations":[{"op":"replace","path":"userType","value":"Viewer"}]}`)
	want("Viewer")
	testhost.Do(t, h, "DELETE", "/Users/"+id, "")
	want()
}
