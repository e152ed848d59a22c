package patch_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/member"
	"github.com/scimkit/scim/internal/patch"
	"github.com/scimkit/scim/internal/tolerance"
)

// delta is what a member.Delta says.
type delta struct {
	All         bool
	Add, Remove []string
}

func read(d *member.Delta) *delta {
	if !d.Touched() {
		return nil
	}
	names := func(refs []member.Ref) (out []string) {
		for _, r := range refs {
			out = append(out, r.Type+" "+r.ID)
		}
		return out
	}
	return &delta{All: d.All, Add: names(d.Add()), Remove: names(d.Remove())}
}

func TestMembers(t *testing.T) {
	typ := group(t)
	tests := []struct {
		name, reason, ops string
		want              *delta
		used              []tolerance.Name
	}{
		{"nothing about members", "no delta", `{"op":"replace","path":"displayName","value":"g"}`, nil, nil},
		{"add", "joins", `{"op":"add","path":"members","value":[{"value":"1"},{"value":"2","type":"Group"}]}`, &delta{Add: []string{"User 1", "Group 2"}}, nil},
		{"add nothing", "no delta", `{"op":"add","path":"members","value":[]}`, nil, nil},
		{"add without path", "the same as by path", `{"op":"add","value":{"members":[{"value":"1"}]}}`, &delta{Add: []string{"User 1"}}, nil},
		{"add with the core URN", "the same", `{"op":"add","path":"urn:ietf:params:scim:schemas:core:2.0:Group:members","value":[{"value":"1"}]}`, &delta{Add: []string{"User 1"}}, nil},
		{"Q20 add one object", "is wrapped", `{"op":"add","path":"members","value":{"value":"1"}}`, &delta{Add: []string{"User 1"}}, []tolerance.Name{tolerance.ObjectForArray}},
		{"Q35 $ref null and a display", "mean nothing", `{"op":"add","path":"members","value":[{"$ref":null,"value":"1","display":"x"}]}`, &delta{Add: []string{"User 1"}}, nil},
		{"Q35 relative $ref", "says the type", `{"op":"add","path":"members","value":[{"$ref":"Groups/1","value":"1"}]}`, &delta{Add: []string{"Group 1"}}, nil},
		{"Q7 twice", "once", `{"op":"add","path":"members","value":[{"value":"1"},{"value":"1"}]}`, &delta{Add: []string{"User 1"}}, nil},
		{"replace", "exactly these", `{"op":"replace","path":"members","value":[{"value":"1"}]}`, &delta{All: true, Add: []string{"User 1"}}, nil},
		{"replace without path", "the same", `{"op":"replace","value":{"displayName":"g","members":[{"value":"1"}]}}`, &delta{All: true, Add: []string{"User 1"}}, nil},
		{"Q33 replace with []", "nobody", `{"op":"replace","path":"members","value":[]}`, &delta{All: true}, nil},
		{"Q57 replace with null", "nobody", `{"op":"replace","value":{"members":null}}`, &delta{All: true}, nil},
		{"Q32 remove", "nobody stays", `{"op":"remove","path":"members"}`, &delta{All: true}, nil},
		{"Q31 remove listed", "only these, of whatever type as it isn't said", `{"op":"remove","path":"members","value":[{"$ref":null,"value":"1"}]}`, &delta{Remove: []string{"User 1", "Group 1"}}, []tolerance.Name{tolerance.RemoveByValue}},
		{"Q31 remove listed with type", "only of that type", `{"op":"remove","path":"members","value":[{"value":"1","type":"Group"},{"value":"2","$ref":"https://x/scim/v2/Users/2"}]}`, &delta{Remove: []string{"Group 1", "User 2"}}, []tolerance.Name{tolerance.RemoveByValue}},
		{"Q31 remove an empty list", "removes nothing", `{"op":"remove","path":"members","value":[]}`, nil, []tolerance.Name{tolerance.RemoveByValue}},
		{"Q82 remove wrapped", "Salesforce: only these", `{"op":"remove","path":"members","value":{"members":[{"value":"1"}]}}`, &delta{Remove: []string{"User 1", "Group 1"}}, []tolerance.Name{tolerance.RemoveByValue, tolerance.WrappedMembers}},
		{"Q82 remove a wrapped empty list", "removes nobody", `{"op":"remove","path":"members","value":{"members":[]}}`, nil, []tolerance.Name{tolerance.RemoveByValue, tolerance.WrappedMembers}},
		{"Q82 remove a wrapped null", "removes nobody", `{"op":"remove","path":"members","value":{"Members":null}}`, nil, []tolerance.Name{tolerance.RemoveByValue, tolerance.WrappedMembers}},
		{"Q82 add wrapped", "Salesforce", `{"op":"add","path":"members","value":{"members":[{"value":"1"}]}}`, &delta{Add: []string{"User 1"}}, []tolerance.Name{tolerance.WrappedMembers}},
		{"Q82 replace wrapped", "exactly these", `{"op":"replace","path":"members","value":{"members":[{"value":"1"}]}}`, &delta{All: true, Add: []string{"User 1"}}, []tolerance.Name{tolerance.WrappedMembers}},
		{"remove by filter", "whoever has that id", `{"op":"remove","path":"members[value eq \"1\"]"}`, &delta{Remove: []string{"User 1", "Group 1"}}, nil},
		{"remove by filter with type", "only of that type", `{"op":"remove","path":"members[type eq \"Group\" and value eq \"1\"]"}`, &delta{Remove: []string{"Group 1"}}, nil},
		{"remove by several", "joined by or", `{"op":"remove","path":"members[(value eq \"1\" and type eq \"user\") or value eq \"2\"]"}`, &delta{Remove: []string{"User 1", "User 2", "Group 2"}}, nil},
		{"in order", "the last word counts", `{"op":"add","path":"members","value":[{"value":"1"},{"value":"2"}]},{"op":"remove","path":"members[value eq \"1\" and type eq \"User\"]"}`, &delta{Add: []string{"User 2"}, Remove: []string{"User 1"}}, nil},
		{"add after clear", "who joins later is in", `{"op":"remove","path":"members"},{"op":"add","path":"members","value":[{"value":"1"}]}`, &delta{All: true, Add: []string{"User 1"}}, nil},
		{"display of a member", "is computed", `{"op":"replace","path":"members[value eq \"1\"].display","value":"x"}`, nil, []tolerance.Name{tolerance.ReadOnlyInValue}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			used, o := tolerant()
			r, err := patch.Parse(typ, message(test.ops), o)
			if err != nil {
				t.Fatalf("%s: %v", test.reason, err)
			}
			if diff := cmp.Diff(test.want, read(r.Members())); diff != "" {
				t.Errorf("%s (-want +got):\n%s", test.reason, diff)
			}
			if diff := cmp.Diff(test.used, used.Used()); diff != "" {
				t.Errorf("tolerances used (-want +got):\n%s", diff)
			}
			before := stored(t, typ, `{"displayName":"g","members":[{"value":"9"}]}`)
			got, err := r.Apply(patch.NewWork(t.Context()), before)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(plain(t, before), plain(t, got)); diff != "" {
				t.Errorf("values changed (-want +got):\n%s", diff)
			}
		})
	}
}

func TestMembersRefused(t *testing.T) {
	typ := group(t)
	tests := []struct{ name, ops, want, says string }{
		{"other operator", `{"op":"remove","path":"members[value sw \"1\"]"}`, fault.InvalidFilter, "value eq"},
		{"other attribute", `{"op":"remove","path":"members[display eq \"x\"]"}`, fault.InvalidFilter, "value eq"},
		{"type alone", `{"op":"remove","path":"members[type eq \"Group\"]"}`, fault.InvalidFilter, "value eq"},
		{"other type", `{"op":"remove","path":"members[value eq \"1\" and type eq \"Robot\"]"}`, fault.InvalidFilter, "Robot"},
		{"negation", `{"op":"remove","path":"members[not (value eq \"1\")]"}`, fault.InvalidFilter, "value eq"},
		{"two ids at once", `{"op":"remove","path":"members[value eq \"1\" and value eq \"2\"]"}`, fault.InvalidFilter, "value eq"},
		{"or inside and", `{"op":"remove","path":"members[type eq \"User\" and (value eq \"1\" or value eq \"2\")]"}`, fault.InvalidFilter, "value eq"},
		{"add with a filter", `{"op":"add","path":"members[value eq \"1\"]","value":{"type":"User"}}`, fault.InvalidPath, "list of values"},
		{"replace a sub-attribute", `{"op":"replace","path":"members[value eq \"1\"].value","value":"2"}`, fault.Mutability, "list of values"},
		{"sub-attribute of all", `{"op":"remove","path":"members.value"}`, fault.Mutability, "list of values"},
		{"no id", `{"op":"add","path":"members","value":[{"type":"User"}]}`, fault.InvalidValue, "value"},
		{"wrapped with more", `{"op":"remove","path":"members","value":{"members":[{"value":"1"}],"x":1}}`, fault.InvalidValue, "the id of a user or group"},
		{"wrapped under another name", `{"op":"remove","path":"members","value":{"users":[{"value":"1"}]}}`, fault.InvalidValue, "the id of a user or group"},
		{"wrapped twice", `{"op":"remove","path":"members","value":{"members":{"members":[{"value":"1"}]}}}`, fault.InvalidValue, "the id of a user or group"},
		{"a number", `{"op":"add","path":"members","value":[{"value":1}]}`, fault.InvalidValue, "members.value"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, o := tolerant()
			r, err := patch.Parse(typ, message(test.ops), o)
			if diff := cmp.Diff(test.want, kind(t, err)); diff != "" {
				t.Fatalf("(-want +got):\n%s%v", diff, err)
			}
			if r != nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("request %v, error %q", r, err)
			}
		})
	}
}

// TestMany is Q36: authentik sends an operation per member, Entra and Okta send
// thousands of values in one. Quadratic work would take minutes here.
func TestMany(t *testing.T) {
	elements := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `,{"value":"%d","type":"t%d"}`, i, i%2)
		}
		return "[" + b.String()[1:] + "]"
	}
	each := func(n int, format string) []byte {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, ","+format, i)
		}
		return message(b.String()[1:])
	}
	users, groups := user(t), group(t)
	many := strings.ReplaceAll(elements(50_000), `"t`, `"`)
	many = strings.NewReplacer(`,"type":"0"`, "", `,"type":"1"`, "").Replace(many)
	start := time.Now()
	for _, test := range []struct {
		name string
		body []byte
		n    int
	}{
		{"10,000 operations of one member", each(10_000, `{"op":"add","path":"members","value":[{"value":"%d"}]}`), 10_000},
		{"50,000 members in one operation", message(`{"op":"add","path":"members","value":` + many + `}`), 50_000},
		{"50,000 members by replace", message(`{"op":"replace","path":"members","value":` + many + `}`), 50_000},
	} {
		r, err := patch.Parse(groups, test.body, patch.Options{})
		if err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		if got := len(r.Members().Add()); got != test.n {
			t.Errorf("%s: %d members", test.name, got)
		}
	}
	r, err := patch.Parse(groups, each(10_000, `{"op":"remove","path":"members[value eq \"%d\"]"}`), patch.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := len(r.Members().Remove()); got != 20_000 {
		t.Errorf("%d references leave", got)
	}
	for _, test := range []struct {
		name string
		body []byte
		n    int
	}{
		{"10,000 operations of one e-mail", each(10_000, `{"op":"add","path":"emails","value":[{"value":"%d"}]}`), 10_000},
		{"50,000 e-mails in one operation", message(`{"op":"add","path":"emails","value":` + elements(50_000) + `}`), 50_000},
		{"50,000 removed again", message(`{"op":"add","path":"emails","value":` + elements(50_000) + `},{"op":"remove","path":"emails","value":` + elements(50_000) + `},{"op":"add","path":"emails","value":[{"value":"x"}]}`), 1},
	} {
		got, err := run(users, nil, test.body, patch.Options{})
		if err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		if n := len(got[0].Kids()); n != test.n {
			t.Errorf("%s: %d e-mails", test.name, n)
		}
	}
	if d := time.Since(start); d > time.Minute {
		t.Errorf("took %v", d)
	}
	body := message(`{"op":"add","path":"emails","value":` + elements(9_000) + `},` + strings.TrimSuffix(strings.Repeat(`{"op":"add","path":"emails[value eq \"x\"].display","value":"d"},`, 9_000), ","))
	if _, err := run(users, nil, body, patch.Options{}); kind(t, err) != fault.TooMany {
		t.Errorf("operations times elements without bound: %v", err)
	}
}
