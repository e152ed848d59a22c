package sqlstore_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/internal/testhost"
)

// Managed says what of a row of the application is the client's.
func TestManaged(t *testing.T) {
	o := appOptions("o")
	o.Tables[0].Exempt = "t.is_external"
	inApp(t, o, func(a app) {
		a.exec("UPDATE people SET status = 'active' WHERE id = 1")
		roles := testhost.NewRoles()
		roles.Give("1", "r-viewer")
		c := newClient(a.t, scim.Config{Store: a.s, Roles: &scim.Roles{Resolver: roles, Separate: true}})
		user := func(id string) scim.Ref { return scim.Ref{Type: "User", ID: id} }
		want := func(when string, ref scim.Ref, claimed bool, attributes, groups []string, unclaimed []scim.Ref, given ...string) {
			a.t.Helper()
			m, err := reconciler(c.sh).Managed(a.t.Context(), ref)
			if err != nil {
				a.t.Fatal(err)
			}
			var got []string
			for _, r := range m.Roles {
				got = append(got, fmt.Sprint(r.Role.Name, " ", r.Sources))
			}
			diff := cmp.Diff(scim.Managed{IsClaimed: claimed, Attributes: attributes, Groups: groups, Unclaimed: unclaimed},
				scim.Managed{IsClaimed: m.IsClaimed, Attributes: m.Attributes, Groups: m.Groups, Unclaimed: m.Unclaimed}) + cmp.Diff(given, got)
			if diff != "" {
				a.t.Errorf("%s (-want +got):\n%s", when, diff)
			}
		}
		sales := scim.Ref{Type: "Group", ID: "1"}
		want("nobody has claimed Ann", user("1"), false, nil, nil, nil)
		want("nor the group and its member", sales, false, nil, nil, []scim.Ref{user("1")})

		editors := fmt.Sprint(c.do("POST", "/Groups", `{"displayName":"Editor","members":[{"value":"1"},{"value":"2"}]}`, 201)["id"])
		want("a client names Ann as a member", user("1"), false, nil, []string{editors}, nil, "Editor [group:"+editors+"]")
		want("the client's group", scim.Ref{Type: "Group", ID: editors}, true, []string{"displayName"}, nil, nil)
		c.do("PATCH", "/Users/1", externalID, 200)
		want("a client changes Ann", user("1"), true, []string{"active", "externalId", "name.givenName", "phoneNumbers", "userName"},
			[]string{editors}, nil, "Editor [group:"+editors+"]")
		a.exec("INSERT INTO team_people (team_id, person_id) VALUES (1, 2)")
		c.do("PATCH", "/Groups/1", `{"Operations":[{"op":"add","path":"members","value":[{"value":"1"}]}]}`, 204)
		want("the client names one of two members", sales, true, []string{"displayName"}, nil, []scim.Ref{user("2")})
		want("who is not named", user("2"), false, nil, []string{editors}, nil, "Editor [group:"+editors+"]")

		if err := reconciler(c.sh).GiveByHand(a.t.Context(), "1", scim.Role{ID: "r-editor"}, func(context.Context) error { return nil }); err != nil {
			a.t.Fatal(err)
		}
		want("the role is given by hand too", user("1"), true, []string{"active", "externalId", "name.givenName", "phoneNumbers", "userName"},
			[]string{"1", editors}, nil)
		a.exec("UPDATE people SET is_external = true WHERE id = 1")
		want("Ann is exempt", user("1"), false, nil, nil, nil)
		var refused *scim.Error
		if _, err := reconciler(c.sh).Managed(a.t.Context(), user("99")); !errors.As(err, &refused) || refused.Status != 404 {
			a.t.Errorf("an unknown user: %v", err)
		}
	})
}

// A client that brings in what the application has written, by reading it, has not written it.
func TestMappedClients(t *testing.T) {
	inApp(t, appOptions("o"), func(a app) {
		tokens := []auth.Token{auth.TokenOf("first-secret"), auth.TokenOf("second-secret")}
		tokens[0].ID, tokens[1].ID = "hr", "it"
		h := testhost.New(a.t, scim.Config{Store: a.s, Auth: auth.Bearer(tokens...), Roles: &scim.Roles{Resolver: testhost.NewRoles(), Separate: true}})
		do := func(secret, method, path, body string) {
			a.t.Helper()
			if res := testhost.Do(a.t, h, method, path, body, "Authorization: Bearer "+secret); res.StatusCode/100 != 2 {
				a.t.Fatalf("%s %s: %d", method, path, res.StatusCode)
			}
		}
		want := func(reason, id, client string) {
			a.t.Helper()
			m, err := reconciler(h).Managed(a.t.Context(), scim.Ref{Type: "User", ID: id})
			if err != nil {
				a.t.Fatal(err)
			}
			a.want(reason, client, m.Client)
		}
		do("first-secret", "GET", "/Users/2", "")
		want("a row that nobody has written", "2", "")
		do("first-secret", "PATCH", "/Users/2", `{"Operations":[{"op":"replace","path":"title","value":"Dr"}]}`)
		want("a client writes it", "2", "hr")
		a.exec("UPDATE people SET last_name = 'Ray' WHERE id = 2")
		do("second-secret", "GET", "/Users/2", "")
		want("the application writes it, and another client reads it", "2", "hr")
		do("second-secret", "PATCH", "/Users/2", `{"Operations":[{"op":"replace","path":"name.familyName","value":"Roe"}]}`)
		want("the other client writes it", "2", "it")
	})
}
