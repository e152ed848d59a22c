package rules_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/rules"
	"github.com/scimkit/scim/store/memory"
)

// claims is a store that knows what a client has claimed: all but unclaimed.
type claims struct {
	scim.Store
	unclaimed []string
}

func (s *claims) IsClaimed(_ context.Context, ref scim.Ref) (bool, error) {
	return !slices.Contains(s.unclaimed, ref.ID), nil
}

func (s *claims) Claim(_ context.Context, ref scim.Ref) error {
	s.unclaimed = slices.DeleteFunc(s.unclaimed, func(id string) bool { return id == ref.ID })
	return nil
}

func (*claims) UnclaimedMembers(context.Context, string, scim.Ref, int) ([]scim.Ref, error) {
	return nil, nil
}

func TestAdopt(t *testing.T) {
	for _, row := range []struct {
		name, body, id string // id "": a new one
		rules          []scim.Rule
		status         int
		reason         string
	}{
		{name: "no rule", body: user("Ann"), status: 409, reason: "nobody takes over an account by default (S72)"},
		{name: "by userName", body: user("Ann"), rules: []scim.Rule{rules.AdoptByUserName}, status: 201, id: "ann", reason: "nobody has claimed it (S72)"},
		{name: "by userName, same person", body: user("known", `"externalId":"1"`), rules: []scim.Rule{rules.AdoptByUserName}, status: 201, id: "known", reason: "both ids are equal"},
		{name: "by userName, another person", body: user("known", `"externalId":"2"`), rules: []scim.Rule{rules.AdoptByUserName}, status: 409, reason: "the address was given to another person (S69)"},
		{name: "by userName, claimed", body: user("claimed"), rules: []scim.Rule{rules.AdoptByUserName}, status: 409, reason: "it is a client's already"},
		{name: "by userName, nobody", body: user("new"), rules: []scim.Rule{rules.AdoptByUserName}, status: 201, reason: "there is nothing to adopt"},
		{name: "by externalId", body: user("renamed", `"externalId":"1"`), rules: []scim.Rule{rules.AdoptByExternalID}, status: 201, id: "known", reason: "the id is known"},
		{name: "by externalId, none sent", body: user("new"), rules: []scim.Rule{rules.AdoptByExternalID}, status: 201, reason: "no id is like no other"},
		{name: "by externalId, two have it", body: user("new", `"externalId":"twins"`), rules: []scim.Rule{rules.AdoptByExternalID}, status: 201, reason: "nobody knows which one"},
		{name: "by e-mail", body: user("new", `"emails":[{"value":"x@example.com"},{"value":"Ann@example.com","primary":true}]`), rules: []scim.Rule{byEmail("ann")}, status: 201, id: "ann", reason: "the account has proved the address"},
		{name: "by e-mail, not verified", body: user("new", `"emails":[{"value":"ann@example.com"}]`), rules: []scim.Rule{byEmail("nobody")}, status: 201, reason: "anybody could have typed the address"},
		{name: "by e-mail, not primary", body: user("new", `"emails":[{"value":"ann@example.com"},{"value":"x@example.com","primary":true}]`), rules: []scim.Rule{byEmail("ann")}, status: 201, reason: "the primary address stands for the person"},
		{name: "two rules", body: user("ann", `"externalId":"1"`), rules: []scim.Rule{rules.AdoptByExternalID, rules.AdoptByUserName}, status: 409, reason: "the first one decides, and its account has another name"},
		{name: "a domain that is not verified", body: user("ann"), rules: []scim.Rule{rules.VerifiedDomains(nil), rules.AdoptByUserName}, status: 400, reason: "an adoption takes over an account (S118)"},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := &claims{Store: memory.New(), unclaimed: []string{"ann", "known", "twin1", "twin2"}}
			for id, values := range map[string]map[string]any{
				"ann":     {"emails": []map[string]any{{"value": "ann@example.com"}}},
				"known":   {"externalId": "1"},
				"claimed": {},
				"twin1":   {"externalId": "twins"},
				"twin2":   {"externalId": "twins"},
			} {
				values["userName"] = id
				stored(t, s, scim.UserType(), id, values)
			}
			res := testhost.Do(t, newTester(t, s, row.rules...).h, "POST", "/Users", row.body)
			id, _ := testhost.Decode(t, res)["id"].(string)
			if row.id == "" && len(id) == 36 {
				id = "" // a new one
			}
			if res.StatusCode != row.status || id != row.id {
				t.Errorf("%d with id %q, want %d with id %q, because %s", res.StatusCode, id, row.status, row.id, row.reason)
			}
			if row.id != "" && slices.Contains(s.unclaimed, row.id) {
				t.Errorf("%s is still unclaimed", row.id)
			}
		})
	}
}

func byEmail(id string) scim.Rule {
	return rules.AdoptByEmail(func(_ context.Context, account *scim.Resource, email string) (bool, error) {
		return account.ID() == id && email != "", nil
	})
}

// A store that knows no claims takes an account without an externalId once.
func TestAdoptWithoutClaimer(t *testing.T) {
	everyStore(t, func(t *testing.T, s scim.Store) {
		stored(t, s, scim.UserType(), "old", map[string]any{"userName": "ann"})
		newTester(t, s, rules.AdoptByUserName).play([]step{
			{method: "POST", path: "/Users", body: user("ann"), status: 409, reason: "without an externalId the next request would adopt it again"},
			{method: "POST", path: "/Users", body: user("ann", `"externalId":"1"`), status: 201, detail: "id:old", reason: "it is not provisioned yet"},
			{method: "POST", path: "/Users", body: user("ann", `"externalId":"1"`), status: 409, reason: "it is provisioned"},
		})
	})
}

// Groups are linked to those of the application, and a second one of the name is refused.
func TestAdoptGroup(t *testing.T) {
	everyStore(t, func(t *testing.T, s scim.Store) {
		stored(t, s, scim.GroupType(), "own", map[string]any{"displayName": "Ops"})
		c := &claims{Store: s, unclaimed: []string{"own"}}
		newTester(t, c, rules.AdoptGroupByName, rules.Unique("Group", "displayName")).play([]step{
			{method: "POST", path: "/Groups", body: group("ops"), status: 201, detail: "id:own", reason: "the team exists"},
			{method: "POST", path: "/Groups", body: group("Ops"), status: 409, detail: "displayName: is taken", reason: "one team has one master (S38)"},
			{method: "POST", path: "/Groups", body: group("Dev"), status: 201, reason: "the team does not exist"},
		})
	})
}

// Of requests at the same time, one adopts the account.
func TestAdoptAtOnce(t *testing.T) {
	s := memory.New()
	stored(t, s, scim.UserType(), "old", map[string]any{"userName": "ann"})
	x := newTester(t, s, rules.AdoptByUserName)
	status := make([]int, 20)
	testhost.Parallel(len(status), func(i int) {
		status[i] = testhost.Do(t, x.h, "POST", "/Users", user("ann", fmt.Sprintf(`"externalId":"%d"`, i))).StatusCode
	})
	count := map[int]int{}
	for _, s := range status {
		count[s]++
	}
	if diff := cmp.Diff(map[int]int{201: 1, 409: 19}, count); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
}

// keeper is a store that takes passwords.
type keeper struct {
	*memory.Store
	passwords []string
}

func (k *keeper) SetPassword(_ context.Context, _, password string) error {
	k.passwords = append(k.passwords, password)
	return nil
}

func TestPasswords(t *testing.T) {
	k := &keeper{Store: memory.New()}
	newTester(t, k).play([]step{{method: "POST", path: "/Users", body: user("ann", `"password":"kept"`), status: 201, reason: "there is no rule"}})
	newTester(t, k, rules.DropPasswords).play([]step{
		{name: "bob", method: "POST", path: "/Users", body: user("bob", `"password":"secret"`), status: 201, left: "password: dropped", reason: "it is accepted and dropped"},
		{method: "PATCH", path: "/Users/$bob", body: patch("password", `"secret"`), status: 200, left: "password: dropped", reason: "it is accepted and dropped"},
		{method: "PUT", path: "/Users/$bob", body: user("bob", `"title":"Dr"`), status: 200, reason: "there is nothing to drop"},
	})
	x := newTester(t, k, rules.Off(rules.UpdateUsers))
	x.ids["bob"] = idOf(t, k, "bob")
	x.play([]step{
		{method: "PATCH", path: "/Users/$bob", body: patch("password", `"secret"`), status: 403, detail: "update users", reason: "a password is a part of the profile"},
		{method: "PUT", path: "/Users/$bob", body: user("bob", `"active":false,"title":"Dr","password":"secret"`), status: 200, left: "update users", reason: "it deactivates and changes nothing else"},
	})
	if diff := cmp.Diff([]string{"kept"}, k.passwords); diff != "" {
		t.Errorf("passwords (-want +got):\n%s", diff)
	}
}

func TestKeepSuspended(t *testing.T) {
	everyStore(t, func(t *testing.T, s scim.Store) {
		stored(t, s, scim.UserType(), "locked", map[string]any{"userName": "locked", "active": false})
		stored(t, s, scim.UserType(), "left", map[string]any{"userName": "left", "active": false})
		stored(t, s, scim.UserType(), "active", map[string]any{"userName": "active"})
		newTester(t, s, rules.KeepSuspended(func(_ context.Context, user *scim.Resource) (bool, error) {
			return user.ID() != "left", nil
		})).play([]step{
			{method: "PUT", path: "/Users/active", body: user("active", `"active":true`), status: 200, detail: "active:true", reason: "nothing is reactivated"},
			{method: "PUT", path: "/Users/locked", body: user("locked", `"active":true,"title":"Dr"`), status: 200, detail: "active:false", left: "active: the application", reason: "a profile push must not lift a lock (S64)"},
			{method: "GET", path: "/Users/locked", status: 200, detail: "title:Dr", reason: "the rest is done"},
			{method: "PATCH", path: "/Users/locked", body: patch("active", "true"), status: 200, detail: "active:false", left: "active: the application", reason: "a profile push must not lift a lock (S64)"},
			{method: "PATCH", path: "/Users/locked", body: `{"Operations":[{"op":"remove","path":"active"}]}`, status: 200, detail: "active:false", reason: "leaving it out activates nobody"},
			{method: "PATCH", path: "/Users/left", body: patch("active", "true"), status: 200, detail: "active:true", reason: "the client deactivated this one"},
			{method: "DELETE", path: "/Users/locked", status: 204, reason: "a deletion takes away"},
		})
	})
}

func TestKeepSuspendedAdopts(t *testing.T) {
	everyStore(t, func(t *testing.T, s scim.Store) {
		for _, id := range []string{"locked", "quiet", "left"} {
			stored(t, s, scim.UserType(), id, map[string]any{"userName": id, "active": false})
		}
		newTester(t, s, rules.AdoptByUserName, rules.KeepSuspended(func(_ context.Context, user *scim.Resource) (bool, error) {
			return user.ID() != "left", nil
		})).play([]step{
			{method: "POST", path: "/Users", body: user("locked", `"externalId":"1","active":true,"title":"Dr"`), status: 201, detail: "active:false", left: "active: the application", reason: "an adoption must not lift a lock either"},
			{method: "GET", path: "/Users/locked", status: 200, detail: "title:Dr", reason: "the rest is done"},
			{method: "POST", path: "/Users", body: user("quiet", `"externalId":"2"`), status: 201, detail: "id:quiet", reason: "it is adopted"},
			{method: "GET", path: "/Users/quiet", status: 200, detail: "active:false", reason: "a client that says nothing activates nobody"},
			{method: "POST", path: "/Users", body: user("left", `"externalId":"3","active":true`), status: 201, detail: "active:true", reason: "nobody has locked this one"},
			{method: "POST", path: "/Users", body: user("new", `"active":true`), status: 201, detail: "active:true", reason: "a new user has no lock"},
		})
	})
}
