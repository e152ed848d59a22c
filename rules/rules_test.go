package rules_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/rules"
	"github.com/scimkit/scim/store/memory"
)

// step is a request and its answer. In path and body, $name is the id of what the step named
// so has created.
type step struct {
	name, method, path, body string
	status                   int
	detail                   string // a part of the answer's body
	left                     string // what is left out
	reason                   string
}

// tester is an application with rules over one store.
type tester struct {
	*testing.T
	h    http.Handler
	left []string
	ids  map[string]string
}

func newTester(t *testing.T, s scim.Store, list ...scim.Rule) *tester {
	x := &tester{T: t, ids: map[string]string{}}
	x.h = testhost.New(t, scim.Config{Store: s, Rules: list, OnEvent: func(_ context.Context, e scim.Event) {
		if e.Kind == scim.PartLeftOut {
			x.left = append(x.left, e.Reason)
		}
	}})
	return x
}

// name replaces names by ids.
func (x *tester) name(s string) string {
	for name, id := range x.ids {
		s = strings.ReplaceAll(s, "$"+name, id)
	}
	return s
}

func (x *tester) play(steps []step) {
	x.Helper()
	for i, s := range steps {
		x.left = nil
		res := testhost.Do(x.T, x.h, s.method, x.name(s.path), x.name(s.body))
		var body map[string]any
		if res.StatusCode != http.StatusNoContent {
			body = testhost.Decode(x.T, res)
		}
		if text := fmt.Sprint(body); res.StatusCode != s.status || !strings.Contains(text, s.detail) {
			x.Errorf("step %d, %s %s: %d %s, want %d %s, because %s", i, s.method, s.path, res.StatusCode, text, s.status, s.detail, s.reason)
		}
		if got := strings.Join(x.left, "; "); !strings.Contains(got, s.left) || s.left == "" && got != "" {
			x.Errorf("step %d, %s %s: left out %q, want %q, because %s", i, s.method, s.path, got, s.left, s.reason)
		}
		if len(slices.Compact(slices.Sorted(slices.Values(x.left)))) != len(x.left) {
			x.Errorf("step %d, %s %s: reported twice: %q", i, s.method, s.path, x.left)
		}
		if s.name != "" {
			x.ids[s.name], _ = body["id"].(string)
		}
	}
}

func user(name string, more ...string) string {
	return fmt.Sprintf(`{"userName":%q%s}`, name, strings.Join(append([]string{""}, more...), ","))
}

func patch(path, value string) string {
	return fmt.Sprintf(`{"Operations":[{"op":"replace","path":%q,"value":%s}]}`, path, value)
}

func group(name string, members ...string) string {
	list := make([]string, len(members))
	for i, m := range members {
		list[i] = fmt.Sprintf(`{"value":%q}`, m)
	}
	return fmt.Sprintf(`{"displayName":%q,"members":[%s]}`, name, strings.Join(list, ","))
}

func change(op, member string) string {
	return fmt.Sprintf(`{"Operations":[{"op":%q,"path":"members","value":[{"value":%q}]}]}`, op, member)
}

// stored puts resources into a store as the application does.
func stored(t *testing.T, s scim.Store, typ *scim.ResourceType, id string, values map[string]any) {
	t.Helper()
	r, err := typ.Bind(scim.Meta{ID: id}, nil, values)
	if err == nil {
		_, err = s.Create(t.Context(), r)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// everyStore runs a test over a store that has members apart and one that has not.
func everyStore(t *testing.T, test func(t *testing.T, s scim.Store)) {
	t.Run("memory", func(t *testing.T) { test(t, memory.New()) })
	t.Run("bare", func(t *testing.T) { test(t, testhost.NewBareStore()) })
}

func TestEmailUserName(t *testing.T) {
	everyStore(t, func(t *testing.T, s scim.Store) {
		stored(t, s, scim.UserType(), "old", map[string]any{"userName": "old login"})
		x := newTester(t, s, rules.EmailUserName)
		for _, name := range []string{"ann", "ann@", "@example.com", "ann@ex ample.com", "Ann <ann@example.com>", "ann@example.com (Ann)",
			`\"ann\"@example.com`, "a@b@example.com", "ann@example.com, bob@example.com", "ann@example.com ", strings.Repeat("a", 243) + "@example.com"} {
			x.play([]step{{method: "POST", path: "/Users", body: `{"userName":"` + name + `"}`, status: 400, detail: "userName: must be an e-mail address", reason: name + " is no address"}})
		}
		x.play([]step{
			{name: "ann", method: "POST", path: "/Users", body: user("Ann.O'Hara+1@Sub.Example.com"), status: 201, detail: "Ann.O'Hara+1@Sub.Example.com", reason: "it is stored as sent"},
			{method: "POST", path: "/Users", body: user("jürgen@例え.jp"), status: 201, reason: "addresses may be international"},
			{method: "PATCH", path: "/Users/$ann", body: patch("userName", `"ann"`), status: 400, detail: "userName", reason: "a rename is judged"},
			{method: "PUT", path: "/Users/old", body: user("old login", `"title":"Dr"`), status: 200, detail: "Dr", reason: "the value is the stored one"},
			{method: "PUT", path: "/Users/$ann", body: user("ann", `"active":false`), status: 200, detail: "Ann.O'Hara", left: "userName: must be", reason: "a leaver's access ends"},
			{method: "PUT", path: "/Users/$ann", body: user("ann", `"active":false`), status: 200, left: "userName", reason: "clients repeat requests"},
			{method: "PUT", path: "/Users/$ann", body: user("ann", `"active":true`), status: 400, reason: "coming back gives access"},
			{method: "DELETE", path: "/Users/old", status: 204, reason: "a deletion takes away"},
		})
	})
}

func TestFreezeUserName(t *testing.T) {
	everyStore(t, func(t *testing.T, s scim.Store) {
		stored(t, s, scim.UserType(), "old", map[string]any{"userName": "old", "emails": []map[string]any{{"value": "old@example.com"}}})
		verified := func(context.Context, *scim.Resource, string) (bool, error) { return true, nil }
		newTester(t, s, rules.AdoptByEmail(verified), rules.FreezeUserName).play([]step{
			{name: "ann", method: "POST", path: "/Users", body: user("ann"), status: 201, reason: "it is new"},
			{method: "PUT", path: "/Users/$ann", body: user("bob"), status: 400, detail: "mutability", reason: "another name"},
			{method: "PATCH", path: "/Users/$ann", body: patch("userName", `"bob"`), status: 400, detail: "userName: cannot be changed", reason: "another name"},
			{method: "PUT", path: "/Users/$ann", body: user("ANN", `"title":"Dr"`), status: 200, detail: "ANN", reason: "the same name in other letters"},
			{method: "PUT", path: "/Users/$ann", body: user("bob", `"active":false`), status: 200, detail: "ANN", left: "userName: cannot be changed", reason: "a leaver's access ends"},
			{method: "POST", path: "/Users", body: user("new", `"externalId":"1","emails":[{"value":"old@example.com"}]`), status: 400, detail: "mutability", reason: "an adoption must not rename either"},
			{method: "POST", path: "/Users", body: user("Old", `"externalId":"1","emails":[{"value":"old@example.com"}]`), status: 201, detail: "id:old", reason: "the same name"},
		})
	})
}

func TestVerifiedDomains(t *testing.T) {
	everyStore(t, func(t *testing.T, s scim.Store) {
		stored(t, s, scim.UserType(), "old", map[string]any{"userName": "old@elsewhere.test"})
		x := newTester(t, s, rules.VerifiedDomains([]string{"Example.com", "münchen.example"}, "userName", "emails.value"))
		for _, name := range []string{"ann", "ann@elsewhere.test", "ann@sub.example.com", "ann@example.com.elsewhere.test", "ann@notexample.com",
			"ann@elsewhere.test@example.com", "@example.com", "ann@", "ann@example.com\u200b"} {
			x.play([]step{{method: "POST", path: "/Users", body: user(name), status: 400, detail: "userName: needs an address in a verified domain: Example.com, münchen.example", reason: name + " is elsewhere"}})
		}
		x.play([]step{
			{name: "ann", method: "POST", path: "/Users", body: user("ann@EXAMPLE.com", `"emails":[{"value":"ann@münchen.example"}]`), status: 201, reason: "domains have no case"},
			{method: "POST", path: "/Users", body: user("ann@example.com"), status: 409, reason: "stores compare names in the same way"},
			{method: "PUT", path: "/Users/$ann", body: user("ann@elsewhere.test"), status: 400, detail: "invalidValue", reason: "a rename is judged"},
			{method: "PATCH", path: "/Users/$ann", body: patch("emails", `[{"value":"ann@elsewhere.test"}]`), status: 400, detail: "emails.value: needs", reason: "the rule judges emails too"},
			{method: "PUT", path: "/Users/$ann", body: user("ann@elsewhere.test", `"active":false,"emails":[{"value":"x@elsewhere.test"},{"value":"y@elsewhere.test"}]`), status: 200,
				detail: "ann@münchen.example", left: "userName: needs an address in a verified domain: Example.com, münchen.example; emails.value", reason: "a leaver's access ends, once for each attribute"},
			{method: "PUT", path: "/Users/old", body: user("old@elsewhere.test", `"title":"Dr"`), status: 200, reason: "the value is the stored one"},
		})
		newTester(t, s, rules.VerifiedDomains(nil)).play([]step{
			{method: "POST", path: "/Users", body: user("bob@example.com"), status: 400, detail: "none is verified", reason: "nothing is verified yet"},
		})
	})
}

func TestUnique(t *testing.T) {
	everyStore(t, func(t *testing.T, s scim.Store) {
		newTester(t, s, rules.Unique("User", "externalId"), rules.Unique("User", "emails.value"), rules.Unique("Group", "displayName")).play([]step{
			{name: "ann", method: "POST", path: "/Users", body: user("ann", `"externalId":"1","emails":[{"value":"a@example.com"},{"value":"b@example.com"}]`), status: 201, reason: "it is new"},
			{method: "POST", path: "/Users", body: user("bob", `"externalId":"1"`), status: 409, detail: "externalId: is taken", reason: "the identifier is ann's"},
			{method: "POST", path: "/Users", body: user("bob", `"emails":[{"value":"c@example.com"},{"value":"B@example.com"}]`), status: 409, detail: "emails.value: is taken", reason: "each value is judged"},
			{name: "bob", method: "POST", path: "/Users", body: user("bob"), status: 201, reason: "no value is no conflict"},
			{name: "cid", method: "POST", path: "/Users", body: user("cid"), status: 201, reason: "nor are two without a value"},
			{method: "PATCH", path: "/Users/$bob", body: patch("externalId", `"1"`), status: 409, detail: "uniqueness", reason: "a change is judged"},
			{method: "PUT", path: "/Users/$ann", body: user("ann", `"externalId":"1","title":"Dr","emails":[{"value":"b@example.com"}]`), status: 200, reason: "the value is ann's own"},
			{method: "PATCH", path: "/Users/$bob", body: patch("emails", `[{"value":"`+strings.Repeat("\\u0001", 601)+`"}]`), status: 400, detail: "emails.value: is too long: at most 600 bytes", reason: "it cannot be looked up"},
			{method: "PATCH", path: "/Users/$bob", body: patch("emails", `[{"value":"`+strings.Repeat("\\u0001", 600)+`"}]`), status: 200, reason: "it can be looked up"},
			{method: "PUT", path: "/Users/$bob", body: user("bob", `"externalId":"1","active":false,"emails":[{"value":"`+strings.Repeat("x", 10000)+`"}]`), status: 200, left: "externalId: is taken", reason: "a leaver's access ends"},
			{name: "ops", method: "POST", path: "/Groups", body: group("Ops", "$ann"), status: 201, reason: "it is new"},
			{method: "POST", path: "/Groups", body: group("ops"), status: 409, detail: "displayName: is taken: another Group", reason: "one team has one master"},
			{name: "dev", method: "POST", path: "/Groups", body: group("Dev", "$ann", "$cid"), status: 201, reason: "another name"},
			{method: "PUT", path: "/Groups/$dev", body: group("Ops", "$ann", "$cid"), status: 409, reason: "a rename is judged"},
			{method: "PUT", path: "/Groups/$dev", body: group("Ops", "$ann"), status: 200, detail: "Dev", left: "displayName: is taken", reason: "a removal must not wait for a name"},
			{method: "DELETE", path: "/Groups/$ops", status: 204, reason: "a deletion takes away"},
			{method: "PUT", path: "/Groups/$dev", body: group("Ops", "$ann"), status: 200, detail: "Ops", reason: "the name is free"},
		})
		newTester(t, s, rules.Unique("User", "no such")).play([]step{
			{method: "POST", path: "/Users", body: user("dan"), status: 201, reason: "nobody has a value of an unknown attribute"},
		})
	})
}

func TestUniqueAtOnce(t *testing.T) {
	x := newTester(t, memory.New(), rules.Unique("User", "externalId"))
	status := make([]int, 20)
	testhost.Parallel(len(status), func(i int) {
		status[i] = testhost.Do(t, x.h, "POST", "/Users", user(fmt.Sprint("u", i), `"externalId":"1"`)).StatusCode
	})
	count := map[int]int{}
	for _, s := range status {
		count[s]++
	}
	if diff := cmp.Diff(map[int]int{201: 1, 409: 19}, count); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
}

// An error of the application's function is no answer: the request fails.
func TestErrors(t *testing.T) {
	down := errors.New("down, with a detail for nobody")
	s := memory.New()
	stored(t, s, scim.UserType(), "old", map[string]any{"userName": "old", "emails": []map[string]any{{"value": "old@example.com"}}})
	newTester(t, s,
		rules.AdoptByEmail(func(context.Context, *scim.Resource, string) (bool, error) { return false, down }),
		rules.NewAccount(func(context.Context, *scim.Resource, *scim.Resource) error { return down })).play([]step{
		{method: "POST", path: "/Users", body: user("new", `"externalId":"1","emails":[{"value":"old@example.com"}]`), status: 500, reason: "nobody knows whether the address is verified"},
		{method: "GET", path: "/Users?filter=userName%20eq%20%22new%22", status: 200, detail: "totalResults:0", reason: "nothing is stored"},
		{method: "PUT", path: "/Users/old", body: user("other"), status: 500, reason: "there is no new account"},
		{method: "GET", path: "/Users/old", status: 200, detail: "userName:old", reason: "nothing is stored"},
	})
}
