package budgets

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
)

// nestedHandler makes a handler with n users, a group "large" without ten of them and a group
// "small" of a hundred. Each of both is in a group, which is in another one, and so on, depth
// times. The group "Editor" gives a role and is empty.
func nestedHandler(tb testing.TB, n, depth int) (http.Handler, *testhost.Roles) {
	tb.Helper()
	s := newFilledStore(tb, n, small)
	members := make([]scim.Ref, n-10)
	for i := range members {
		members[i] = scim.Ref{Type: "User", ID: "u" + strconv.Itoa(i)}
	}
	put(tb, s, scim.GroupType(), "Editor", `{"displayName":"Editor"}`)
	for name, list := range map[string][]scim.Ref{"small": members[:100], "large": members} {
		for i := range depth + 1 {
			id := name
			if i > 0 {
				id += strconv.Itoa(i)
			}
			put(tb, s, scim.GroupType(), id, fmt.Sprintf(`{"displayName":%q}`, id))
			if _, _, err := s.ChangeMembers(context.Background(), id, list, nil); err != nil {
				tb.Fatal(err)
			}
			list = []scim.Ref{{Type: "Group", ID: id}}
		}
	}
	app := testhost.NewRoles()
	h := testhost.New(tb, scim.Config{Store: s, Roles: &scim.Roles{Resolver: app}, Members: scim.MemberPolicy{Nested: true}})
	send(tb, h, "PATCH", "/Groups/Editor", patchMembers("add", ""), 204) // finds its role
	return h, app
}

// patchMembers is the body of a PATCH that adds or removes a group.
func patchMembers(op, group string) string {
	value := "[]"
	if group != "" {
		value = `[{"value":"` + group + `","type":"Group"}]`
	}
	return `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"` + op + `","path":"members","value":` + value + `}]}`
}

// A member five groups below the one that gives a role is changed in a group of 100,000 as in
// one of 100, and a group of 10,000 is put into another one within a second.
func nestingBudgets(t *testing.T) {
	h, _ := nestedHandler(t, 100_000, 5)
	send(t, h, "PATCH", "/Groups/small5", `{"Operations":[{"op":"replace","path":"displayName","value":"Viewer"}]}`, 204)
	send(t, h, "PATCH", "/Groups/large5", `{"Operations":[{"op":"replace","path":"displayName","value":"Viewer"}]}`, 204)
	change := func(group string) func() cost {
		return func() cost { return measure(250, func(i int) { toggle(t, h, group, i) }) }
	}
	compare(t, "change, 100,000 members, to 100", 1.5, change("large"), change("small"))
	alone := groupsHandler(t, 100_000)
	compare(t, "change, 100,000 five deep, to 100 alone", 2, change("large"), func() cost { return measure(250, func(i int) { toggle(t, alone, "small", i) }) })

	h, app := nestedHandler(t, 10_010, 1)
	var in, out []time.Duration
	for range 5 {
		in = append(in, measure(1, func(int) { send(t, h, "PATCH", "/Groups/Editor", patchMembers("add", "large1"), 204) }).wall)
		if n := len(app.Holders("r-editor")); n != 10_000 {
			t.Fatalf("%d hold the role", n)
		}
		out = append(out, measure(1, func(int) { send(t, h, "PATCH", "/Groups/Editor", patchMembers("remove", "large1"), 204) }).wall)
		if n := len(app.Holders("r-editor")); n != 0 {
			t.Fatalf("%d still hold the role", n)
		}
	}
	t.Logf("%-34s %v of at most 1s (taken out: %v)", "a group of 10,000 put into another", median(in), median(out))
	if median(in) > time.Second || median(out) > time.Second {
		t.Errorf("it takes %v, and %v to take it out", median(in), median(out))
	}

	// The worst that the depth allows: each of ten groups has 10,000 users of its own.
	h, app = tenDeep(t)
	in = nil
	for range 3 {
		in = append(in, measure(1, func(int) { send(t, h, "PATCH", "/Groups/Editor", patchMembers("add", "deep0"), 204) }).wall)
		if n := len(app.Holders("r-editor")); n != 100_000 {
			t.Fatalf("%d hold the role", n)
		}
		send(t, h, "PATCH", "/Groups/Editor", patchMembers("remove", "deep0"), 204)
	}
	t.Logf("%-34s %v of at most 10s", "ten groups of 10,000, ten deep", median(in))
	if median(in) > 10*time.Second {
		t.Errorf("it takes %v", median(in))
	}
}

// tenDeep makes a handler with ten groups of 10,000 users, each in the next one, and an empty
// group "Editor" that gives a role.
func tenDeep(tb testing.TB) (http.Handler, *testhost.Roles) {
	tb.Helper()
	s := newFilledStore(tb, 100_000, small)
	put(tb, s, scim.GroupType(), "Editor", `{"displayName":"Editor"}`)
	for i := 9; i >= 0; i-- {
		id := "deep" + strconv.Itoa(i)
		put(tb, s, scim.GroupType(), id, fmt.Sprintf(`{"displayName":%q}`, id))
		var members []scim.Ref
		for u := i; u < 100_000; u += 10 {
			members = append(members, scim.Ref{Type: "User", ID: "u" + strconv.Itoa(u)})
		}
		if i < 9 {
			members = append(members, scim.Ref{Type: "Group", ID: "deep" + strconv.Itoa(i+1)})
		}
		if _, _, err := s.ChangeMembers(context.Background(), id, members, nil); err != nil {
			tb.Fatal(err)
		}
	}
	app := testhost.NewRoles()
	h := testhost.New(tb, scim.Config{Store: s, Roles: &scim.Roles{Resolver: app}, Members: scim.MemberPolicy{Nested: true}})
	send(tb, h, "PATCH", "/Groups/Editor", patchMembers("add", ""), 204)
	return h, app
}
