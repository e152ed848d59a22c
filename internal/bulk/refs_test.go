package bulk_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim/internal/bulk"
	"github.com/scimkit/scim/internal/host"
)

// TestData reads the data of an operation after the creations of the users a and b and the
// groups g and h. Their ids are id-a, id-b, id-g and id-h.
func TestData(t *testing.T) {
	manager := func(v string) string { return `{"userName":"u","` + enterprise + `":{"manager":` + v + `}}` }
	patch := func(op string) string {
		return `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[` + op + `]}`
	}
	const users, groups = "/Users/1", "/Groups/1"
	for _, tt := range []struct{ name, method, path, data, want, reason string }{
		{"member", "PUT", groups, `{"members":[{"type":"User","value":"bulkId:a"},{"value":"7"}]}`,
			`{"members":[{"type":"User","value":"id-a"},{"value":"7"}]}`, "RFC 7644, Section 3.7.2"},
		{"member without a type", "PUT", groups, `{"members":[{"value":"bulkId:g"},{"value":"bulkId:a","type":""}]}`,
			`{"members":[{"value":"id-g","type":"Group"},{"value":"id-a","type":"User"}]}`, "a member without a type counts as a user"},
		{"member of another type", "PUT", groups, `{"members":[{"type":"Group","value":"bulkId:a"}]}`,
			`400 invalidValue members.type: is "Group", but bulkId:a is a User`, "users and groups may have the same ids"},
		{"member by $ref", "PUT", groups, `{"members":[{"$ref":"bulkId:a"}]}`,
			`{"members":[{"$ref":"https://x.test/v2/Users/id-a"}]}`, "a $ref is an address"},
		{"other spellings", "PUT", groups, `{"MEMBERS":[{"Value":"bulkId:a","TYPE":"user"}]}`,
			`{"MEMBERS":[{"Value":"id-a","TYPE":"user"}]}`, "names are case-insensitive, and stay as they were sent"},
		{"member as a string", "PUT", groups, `{"members":["bulkId:a",["bulkId:a"]]}`,
			`{"members":["id-a",["bulkId:a"]]}`, "a bare value counts as a reference; no schema has lists of lists"},
		{"manager", "PUT", users, manager(`{"value":"bulkId:a"}`), manager(`{"value":"id-a"}`), "an extension has references too"},
		{"manager as a string", "PUT", users, manager(`"bulkId:a"`), manager(`"id-a"`), "Entra sends it so"},
		{"manager under its path", "PUT", users, `{"` + enterprise + `:manager":"bulkId:a"}`, `{"` + enterprise + `:manager":"id-a"}`, "Entra sends it so"},
		{"manager is a group", "PUT", users, manager(`{"value":"bulkId:g"}`),
			`400 invalidValue ` + enterprise + `:manager: bulkId:g is a Group, but must be a User`, "the schema says what a reference leads to"},
		{"text", "PUT", users, `{"userName":"bulkId:a","nickName":"bulkId:nobody","emails":[{"value":"bulkId:a"}]}`,
			`{"userName":"bulkId:a","nickName":"bulkId:nobody","emails":[{"value":"bulkId:a"}]}`, "somebody may be called so"},
		{"unknown attribute", "PUT", users, `{"x":{"members":[{"value":"bulkId:a"}]}}`, `{"x":{"members":[{"value":"bulkId:a"}]}}`, "no schema says that it is a reference"},
		{"read-only reference", "PUT", users, `{"groups":[{"value":"bulkId:g"},{"value":"bulkId:nobody"}]}`,
			`{"groups":[{"value":"bulkId:g"},{"value":"bulkId:nobody"}]}`, "the server ignores it, so it refers to nothing"},
		{"no reference", "PUT", users, ` { "userName" : "u" } `, `{ "userName" : "u" }`, "such data stays byte for byte"},
		{"unknown bulkId", "PUT", groups, `{"members":[{"value":"bulkId:nobody"}]}`, `400 invalidValue no POST of this request has the bulkId "nobody"`, "there is no id to put in"},
		{"no bulkId", "PUT", groups, `{"members":[{"value":"bulkId:"}]}`, `400 invalidValue no POST of this request has the bulkId ""`, "no operation is called so"},
		{"nested", "PUT", users, strings.Repeat(`{"urn:ietf:params:scim:schemas:core:2.0:User":`, 9) + "1" + strings.Repeat("}", 9),
			`400 invalidSyntax data: is nested too deep`, "the core URN is a key within itself"},
		{"PATCH value", "PATCH", groups, patch(`{"op":"add","path":"members","value":[{"value":"bulkId:h"}]}`),
			patch(`{"op":"add","path":"members","value":[{"value":"id-h","type":"Group"}]}`), "the path says what the value is"},
		{"PATCH without a path", "PATCH", groups, patch(`{"op":"add","value":{"members":[{"value":"bulkId:a","type":"User"}]}}`),
			patch(`{"op":"add","value":{"members":[{"value":"id-a","type":"User"}]}}`), "the value is a part of the resource then"},
		{"PATCH bare operations", "PATCH", users, `[{"op":"add","path":"` + enterprise + `:manager","value":"bulkId:a"}]`,
			patch(`{"op":"add","path":"` + enterprise + `:manager","value":"id-a"}`), "RFC 7644, Section 3.7.3: the message is put around them"},
		{"PATCH of an extension with a dot", "PATCH", users, patch(`{"op":"replace","path":"` + enterprise + `.manager.value","value":"bulkId:a"}`),
			patch(`{"op":"replace","path":"` + enterprise + `.manager.value","value":"id-a"}`), "old jobs of Entra send it so"},
		{"PATCH filter", "PATCH", groups, patch(`{"op":"remove","path":"members[value eq \"bulkId:a\" or not (value eq \"bulkId:b\" and type eq \"x\")]"}`),
			patch(`{"op":"remove","path":"members[value eq \"id-a\" or not (value eq \"id-b\" and type eq \"x\")]"}`), "a filter on members refers too"},
		{"PATCH filter on text", "PATCH", users, patch(`{"op":"remove","path":"emails[value eq \"bulkId:a\"]"}`),
			patch(`{"op":"remove","path":"emails[value eq \"bulkId:a\"]"}`), "an address is no reference"},
		{"PATCH text", "PATCH", users, patch(`{"op":"add","path":"nickName","value":"bulkId:a"}`),
			patch(`{"op":"add","path":"nickName","value":"bulkId:a"}`), "the path leads to no reference"},
		{"PATCH path that is malformed", "PATCH", groups, patch(`{"op":"add","path":"members[","value":"bulkId:a"}`),
			patch(`{"op":"add","path":"members[","value":"bulkId:a"}`), "the PATCH parser refuses it later, with the reason"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			j := parse(t, options(t), job(send(tt.method, tt.path, tt.data), user("a"), user("b"), group("g"), group("h")))
			p := j.Parts[0]
			create(j)
			data, err := j.Data(p)
			if p.Err != nil {
				data, err = nil, p.Err
			}
			if diff := cmp.Diff(tt.want, string(data)+say(t, err)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.reason, diff)
			}
		})
	}
}

func TestDataIsLimited(t *testing.T) {
	o := options(t)
	o.Limits.GroupBody = 200
	o.Location = func(host.Ref) string { return "https://x.test/" + strings.Repeat("a", 80) }
	for _, tt := range []struct{ member, want, reason string }{
		{`{"$ref":"bulkId:a"}`, "", "one address fits"},
		{`{"$ref":"bulkId:a"},{"$ref":"bulkId:a"}`, "413 data: is larger than 200 bytes with ids in the place of bulkIds", "addresses are longer than references"},
	} {
		j := parse(t, o, job(user("a"), send("PUT", "/Groups/1", `{"members":[`+tt.member+`]}`)))
		create(j)
		_, err := j.Data(j.Parts[1])
		if got := say(t, err); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.reason, got, tt.want)
		}
	}
}

func TestDataOfWhatFailed(t *testing.T) {
	j := parse(t, options(t), job(post("a", "/Nope", `{}`), group("g", "a")))
	create(j)
	_, err := j.Data(j.Parts[1])
	if got, want := say(t, err), `400 invalidValue the operation with the bulkId "a", to which this one refers, failed`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestDataWithout(t *testing.T) {
	j := parse(t, options(t), job(
		post("a", "/Users", `{"userName":"a","`+enterprise+`":{"department":"x","manager":{"value":"bulkId:b","displayName":"B"}}}`),
		post("b", "/Users", `{"userName":"b","`+enterprise+`":{"manager":"bulkId:a"}}`),
		post("g", "/Groups", `{"members":[{"value":"bulkId:h"},{"value":"bulkId:a"},{"value":"7"},{"$ref":"bulkId:h"}]}`),
		post("h", "/Groups", `{"members":[{"value":"bulkId:g","type":"Group"}]}`)))
	create(j)
	a, b, g, h := j.Parts[0], j.Parts[1], j.Parts[2], j.Parts[3]
	for _, tt := range []struct {
		p          *bulk.Part
		missing    []*bulk.Part
		want, left string
		reason     string
	}{
		{a, []*bulk.Part{a, b}, `{"userName":"a","` + enterprise + `":{"department":"x"}}`, enterprise + ":manager", "the whole manager goes, all else stays"},
		{b, []*bulk.Part{a, b}, `{"userName":"b","` + enterprise + `":{}}`, enterprise + ":manager", "a manager that is a string goes"},
		{g, []*bulk.Part{g, h}, `{"members":[{"value":"id-a","type":"User"},{"value":"7"}]}`, "members members", "members of the circle go, others stay"},
		{h, []*bulk.Part{a}, `{"members":[{"value":"id-g","type":"Group"}]}`, "", "nothing refers to what is missing"},
	} {
		data, left, err := j.DataWithout(tt.p, tt.missing)
		if err != nil {
			t.Fatal(err)
		}
		var paths []string
		for _, attr := range left {
			paths = append(paths, attr.Path)
		}
		if diff := cmp.Diff([]string{tt.want, tt.left}, []string{string(data), strings.Join(paths, " ")}); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.reason, diff)
		}
	}
}

func TestTarget(t *testing.T) {
	j := parse(t, options(t), job(user("a"), post("f", "/Users/1", `{}`), send("DELETE", "/Users/1", ""), send("DELETE", "/Users/bulkId:a", ""),
		send("DELETE", "/Groups/bulkId:a", ""), send("DELETE", "/Users/bulkId:nobody", ""), send("DELETE", "/Users/bulkId:f", ""), send("DELETE", "/Users/bulkId:", "")))
	var got []string
	create(j)
	for _, p := range j.Parts {
		ref, err := j.Target(p)
		got = append(got, ref.Type+" "+ref.ID+say(t, err))
	}
	want := []string{"User id-a", " ", "User 1", "User id-a",
		" 400 invalidPath path: bulkId:a is a User",
		` 400 invalidValue no POST of this request has the bulkId "nobody"`,
		` 400 invalidValue the operation with the bulkId "f", to which this one refers, failed`,
		` 400 invalidValue no POST of this request has the bulkId ""`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
