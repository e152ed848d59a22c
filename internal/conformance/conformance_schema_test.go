package conformance

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/elimity-com/scim/schema"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
)

// twins has one value of one type three times.
const twins = `"parts": [{"value": "a", "type": "inner"}, {"value": "b"}, {"value": "a", "type": "inner", "primary": true}, {"value": "a", "type": "outer"}, {"value": "a", "type": "inner"}]`

// schemaConformance is RFC 7643, Sections 2, 3 and 7: attributes, and rules for all
// resources.
var schemaConformance = []conformance{
	{ids: "7643-2.1-01", name: "attribute names", reason: "elimity's constructors panic; its decoder and NewResourceType return errors",
		test: func(t *testing.T, _ http.Handler) {
			for _, name := range []string{"1st", "a b", "é", ""} {
				func() {
					defer func() {
						if recover() == nil {
							t.Errorf("the attribute %q is taken", name)
						}
					}()
					schema.SimpleCoreAttribute(schema.SimpleStringParams(schema.StringParams{Name: name}))
				}()
			}
		}},
	{ids: "7643-2.1-02", name: "case of attribute names", reason: "in bodies and in what is asked for", play: `
POST /Probes

{"schemas": ["<Probe>"], "TEXT": "x", "Box": {"A": "y"}}

>> 201

{"text": "x", "box": {"a": "y"}}
`},
	{ids: "7643-2.2-01", name: "defaults", reason: "an attribute that says nothing has the default characteristics", play: `
GET /Schemas/<Probe>

>> 200

{"attributes": ["...", {"name": "text", "type": "string", "required": false, "mutability": "readWrite", "returned": "default", "uniqueness": "none", "caseExact": false, "multiValued": false}]}
`},
	{ids: "7643-2.3-01 7643-2.3.2-01 7643-2.3.3-01 7643-2.3.4-01 7643-2.3.5-01 7643-2.3.5-02 7643-2.3.6-01", name: "wrong types",
		change: strict, reason: "each names the attribute", play: refusedValues(
			`"text": 5`, `"text": true`, `"text": {}`, `"text": ["x"]`, `"list": "x"`, `"flag": "true"`, `"flag": "yes"`, `"flag": 1`,
			`"count": 1.5`, `"count": "1"`, `"count": 9223372036854775808`, `"rate": "0.5"`, `"rate": 1e999`, `"when": "2026-01-31"`, `"when": "12:00:00Z"`,
			`"when": "yesterday"`, `"when": 5`, `"when": "2026-02-30T12:00:00Z"`, `"blob": "a b"`, `"blob": "A"`, `"blob": 7`, `"link": 5`, `"box": "x"`)},
	{ids: "7643-2.3.1-01 7643-2.3.2-01 7643-2.3.3-01 7643-2.3.4-01 7643-2.3.5-02 7643-2.3.6-01 7643-2.3.6-02", name: "right types", change: strict,
		reason: "they come back as they were sent; trailing padding may be left out", play: `
POST /Probes

{"schemas": ["<Probe>"], "text": "", "exact": "Zoë \ud83d\ude00 \"\\", "flag": false, "count": -9223372036854775808, "rate": -0.5, "when": "2026-01-31T12:00:00.5+14:00", "blob": "_-8", "link": "../x"}

>> 201

{"text": "", "exact": "Zoë \ud83d\ude00 \"\\", "flag": false, "count": -9223372036854775808, "rate": -0.5, "when": "2026-01-31T12:00:00.5+14:00", "blob": "_-8", "link": "../x"}
`},
	{ids: "7643-2.3.4-01", name: "integers are written plainly", reason: "JSON has one kind of number, so some clients send 1e2 and 3.0",
		test: func(t *testing.T, h http.Handler) {
			for sent, want := range map[string]string{"1e2": `"count":100,`, "3.0": `"count":3,`, "-0.0": `"count":0,`} {
				b, err := io.ReadAll(testhost.Do(t, h, "POST", "/Probes", `{"kept":"k","count":`+sent+`}`).Body)
				if err != nil || !strings.Contains(string(b), want) {
					t.Errorf("%s comes back in %s (%v)", sent, b, err)
				}
			}
		}},
	{ids: "7643-2.3.7-02 7643-2.3.7-03 7643-4.1.2-07 7643-4.2-03 7643-4.1.2-06", name: "references can be followed", reason: "they are absolute, from the endpoint's base address", play: `
POST /Users

{"schemas": ["<User>"], "userName": "ann"}

>> 201

{"id": "${ann:=}"}

POST /Groups

{"schemas": ["<Group>"], "displayName": "Editors", "members": [{"value": "${ann}"}]}

>> 201

{"id": "${editors:=}", "members": [{"value": "${ann}", "$ref": "${base}/Users/${ann}"}]}

GET /Users/${ann}

>> 200

{"id": "${ann}", "groups": [{"value": "${editors}", "$ref": "${base}/Groups/${editors}", "display": "Editors"}]}

GET /Groups/${editors}

>> 200

{"id": "${editors}"}

DELETE /Users/${ann}

>> 204

GET /Users/${ann}

>> 404
`},
	{ids: "7643-2.3.7-04 7643-7-06 7644-3.4.2.2-17", name: "case", reason: "kept always; it counts where the attribute is case-exact, as references and binaries are", play: `
POST /Probes

{"schemas": ["<Probe>"], "text": "AbC", "exact": "AbC", "link": "urn:X", "blob": "AbC="}

>> 201

{"text": "AbC", "exact": "AbC", "link": "urn:X", "blob": "AbC="}
` + counts("/Probes", `text eq "aBc"`, 1, `exact eq "aBc"`, 0, `exact eq "AbC"`, 1, `link eq "urn:x"`, 0, `link eq "urn:X"`, 1, `blob eq "abc="`, 0)},
	{ids: "7643-2.3.8-01", name: "complex in complex", reason: "elimity's constructors cannot express it; NewResourceType refuses it in a decoded schema",
		test: func(t *testing.T, h http.Handler) {
			for _, urn := range []string{probeURN, "urn:ietf:params:scim:schemas:core:2.0:User"} {
				for _, a := range testhost.Decode(t, testhost.Do(t, h, "GET", "/Schemas/"+urn, ""))["attributes"].([]any) {
					subs, _ := a.(map[string]any)["subAttributes"].([]any)
					for _, s := range subs {
						if s.(map[string]any)["type"] == "complex" {
							t.Errorf("%v is complex within %v", s, a)
						}
					}
				}
			}
		}},
	{ids: "7643-2.3.8-02 7643-3-04", name: "order of members", reason: "neither in objects nor in schemas it counts", play: `
POST /Users

{"userName": "a", "<Enterprise>": {"department": "d"}, "emails": [{"type": "work", "value": "a@x.test"}], "schemas": ["<Enterprise>", "<User>"]}

>> 201

{"id": "${a:=}", "schemas": ["${set}", "<User>", "<Enterprise>"], "emails": [{"value": "a@x.test", "type": "work"}], "<Enterprise>": {"department": "d"}, "meta": {"lastModified": "${at:=}"}}

PUT /Users/${a}

{"schemas": ["<User>", "<Enterprise>"], "active": true, "emails": [{"value": "a@x.test", "type": "work"}], "<Enterprise>": {"department": "d"}, "userName": "a"}

>> 200

{"meta": {"lastModified": "${at}"}}
`},
	{ids: "7643-2.4-01", name: "two primaries", change: strict, reason: "strictly they are refused; by default the last wins (Q29)", play: refusedValues(
		`"parts": [{"value": "a", "primary": true}, {"value": "b", "primary": true}]`)},
	{ids: "7643-2.4-01 7643-2.4-02", name: "the last primary wins", reason: "Q29; a value that says nothing is not primary", play: `
POST /Probes

{"schemas": ["<Probe>"], "parts": [{"value": "a", "primary": true}, {"value": "b", "primary": true}, {"value": "c"}]}

>> 201

{"parts": [{"value": "a", "primary": "${absent}"}, {"value": "b", "primary": true}, {"value": "c", "primary": "${absent}"}]}
` + counts("/Probes", `parts[value eq "b" and primary eq true]`, 1, `parts[value eq "c" and primary eq true]`, 0)},
	{ids: "7643-2.4-04", name: "the same value twice", change: strict, reason: "one at the write, and a client that repeats itself changes nothing", play: `
POST /Probes

{"schemas": ["<Probe>"], "list": ["b", "a", "b"], ` + twins + `}

>> 201

{"id": "${p:=}", "list": ["b", "a"], "parts": [{"value": "a", "type": "inner", "primary": true}, {"value": "b"}, {"value": "a", "type": "outer"}], "meta": {"version": "${tag:=}", "lastModified": "${at:=}"}}

PUT /Probes/${p}

{"schemas": ["<Probe>"], "list": ["b", "a", "b"], ` + twins + `}

>> 200

{"meta": {"version": "${tag}", "lastModified": "${at}"}}

PATCH /Probes/${p}

{"schemas": ["<Message>:PatchOp"], "Operations": [{"op": "replace", "value": {"list": ["b", "a", "b"], ` + twins + `}}, {"op": "add", "value": {` + twins + `}}]}

>> 200

{"meta": {"version": "${tag}", "lastModified": "${at}"}}

PATCH /Probes/${p}

{"schemas": ["<Message>:PatchOp"], "Operations": [{"op": "replace", "path": "parts[value eq \"a\"].type", "value": "inner"}, {"op": "replace", "path": "list[value eq \"a\"]", "value": "b"}]}

>> 200

{"list": ["b"], "parts": [{"value": "a", "type": "inner", "primary": true}, {"value": "b"}]}
`},
	{ids: "7643-2.4-03", name: "versions in references", reason: "a member is known by its id and type, whatever the version in $ref", play: `
POST /Users

{"schemas": ["<User>"], "userName": "a"}

>> 201

{"id": "${a:=}"}

POST /Groups?attributes=members

{"schemas": ["<Group>"], "displayName": "G", "members": [{"$ref": "https://x.test/v1/Users/${a}", "value": "${a}"}, {"$ref": "https://x.test/v2/Users/${a}", "value": "${a}"}]}

>> 201

{"members": [{"value": "${a}", "$ref": "${base}/Users/${a}"}]}
`},
	{ids: "7643-2.5-01", name: "absent, null and empty", reason: "all three leave the attribute out, and take it away in a PUT", play: `
POST /Probes

{"schemas": ["<Probe>"], "text": null, "list": [], "parts": null, "box": null, "kept": "k"}

>> 201
Location: ${base}/Probes/${p:=}

{"text": "${absent}", "list": "${absent}", "parts": "${absent}", "box": "${absent}"}

PUT /Probes/${p}

{"schemas": ["<Probe>"], "text": "t", "list": ["l"], "parts": [{"value": "v"}], "box": {"a": "b"}, "kept": "k"}

>> 200

PUT /Probes/${p}

{"schemas": ["<Probe>"], "text": null, "list": [], "parts": null, "kept": "k"}

>> 200

{"text": "${absent}", "list": "${absent}", "parts": "${absent}", "box": "${absent}", "kept": "k"}
` + counts("/Probes", `text pr or list pr or parts pr or box pr`, 0, `text eq null`, 1)},
	{ids: "7643-3-01 7643-3-02 7643-3-03 7643-3.3-01 7643-3.3-02", name: "schemas", reason: "the core schema and the extensions that the resource has, each once, whatever the client says (Q39)", play: `
POST /Users

{"schemas": ["<User>", "<User>", "urn:example:unknown", "<Enterprise>"], "userName": "a"}

>> 201
Location: ${base}/Users/${a:=}

{"schemas": ["<User>"], "<Enterprise>": "${absent}"}

PUT /Users/${a}

{"schemas": ["<User>"], "userName": "a", "<Enterprise>": {"department": "d"}}

>> 200

{"schemas": ["<User>", "<Enterprise>"], "<Enterprise>": {"department": "d"}}

GET /Users/${a}?attributes=userName

>> 200

{"schemas": ["${set}", "<User>"], "userName": "a"}
`},
	{ids: "7643-3.3-03", name: "the base schema", change: strict, reason: "the endpoint decides which it is; a body of another type is refused", play: `
POST /Users

{"schemas": ["<Group>"], "userName": "a"}

>> 400

{"scimType": "invalidSyntax", "detail": "${re:core:2.0:User}"}

POST /Users

{"schemas": ["<Enterprise>", "<User>"], "userName": "a"}

>> 201

{"meta": {"resourceType": "User"}}
`},
	{ids: "7643-7-17", name: "enumerated values", reason: "canonicalValues are a suggestion unless the host says that there are no others", play: `
POST /Users

{"schemas": ["<User>"], "userName": "a", "emails": [{"value": "a@x.test", "type": "cottage"}]}

>> 201

POST /Probes

{"schemas": ["<Probe>"], "size": "medium"}

>> 400

{"scimType": "invalidValue", "detail": "${re:size: must be one of small, large, got \"medium\"}"}

POST /Probes

{"schemas": ["<Probe>"], "grade": "a"}

>> 400

{"scimType": "invalidValue", "detail": "${re:grade: must be one of A, B}"}

POST /Probes

{"schemas": ["<Probe>"], "size": "LARGE", "grade": "A", "parts": [{"value": "v", "type": "inner"}, {"value": "w"}]}

>> 201
Location: ${base}/Probes/${p:=}

{"size": "LARGE"}

PATCH /Probes/${p}

{"schemas": ["<Message>:PatchOp"], "Operations": [{"op": "add", "path": "parts", "value": [{"value": "x", "type": "upper"}]}]}

>> 400

{"scimType": "invalidValue", "detail": "${re:parts.type: must be one of inner, outer}"}

PUT /Probes/${p}

{"schemas": ["<Probe>"], "size": "tiny"}

>> 400

{"scimType": "invalidValue"}
`},
}

// refusedValues is a transcript in which the server refuses each of the members in a Probe,
// with 400 invalidValue and the attribute's name.
func refusedValues(members ...string) string {
	var b strings.Builder
	for _, m := range members {
		name, _, _ := strings.Cut(strings.TrimPrefix(m, `"`), `"`)
		b.WriteString("\nPOST /Probes\n\n" + `{"schemas": ["<Probe>"], ` + m + "}\n\n>> 400\n\n" + `{"scimType": "invalidValue", "detail": "${re:^` + name + `\\b}"}` + "\n")
	}
	return b.String()
}

// A stored value stays valid if the application later makes the attribute an enumeration.
func TestEnumeratedKeepsOldValues(t *testing.T) {
	config := scim.UserConfig()
	config.Enumerated = []string{"emails.type", "urn:ietf:params:scim:schemas:core:2.0:User:phoneNumbers.type"}
	typ, err := scim.NewResourceType(config)
	if err != nil {
		t.Fatal(err)
	}
	old, err := typ.Bind(scim.Meta{ID: "1"}, nil, map[string]any{"userName": "a", "emails": []any{map[string]any{"value": "a@x.test", "type": "cottage"}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, op, want string }{
		{"another attribute", `{"op":"replace","path":"title","value":"x"}`, ""},
		{"a value beside it", `{"op":"add","path":"emails","value":[{"value":"b@x.test","type":"WORK"}]}`, ""},
		{"the same again", `{"op":"add","path":"emails","value":[{"value":"b@x.test","type":"cottage"}]}`, ""},
		{"another that is not allowed", `{"op":"add","path":"emails","value":[{"value":"b@x.test","type":"boat"}]}`, `emails.type: must be one of work, home, other, got "boat"`},
		{"another attribute's", `{"op":"add","path":"phoneNumbers","value":[{"value":"1","type":"cottage"}]}`, "phoneNumbers.type: must be one of"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, err := scim.ParsePatch(typ, []byte(`{"Operations":[`+tt.op+`]}`))
			if err != nil {
				t.Fatal(err)
			}
			if _, err = p.Apply(old); (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
	for path, want := range map[string]string{"nope": `no attribute "nope"`, "title": "title has no canonicalValues", "emails": "emails has no canonicalValues"} {
		config.Enumerated = []string{path}
		if _, err := scim.NewResourceType(config); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Enumerated %s: error %v, want %q", path, err, want)
		}
	}
}
