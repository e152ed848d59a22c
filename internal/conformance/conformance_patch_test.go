package conformance

import "strings"

// patchCase is a transcript that creates a Probe with members, patches it with operations
// and compares the answer. want is a scimType such as "noTarget", or the resource.
func patchCase(members, operations, want string) string {
	body, status := want, "200"
	if !strings.HasPrefix(want, "{") {
		body, status = `{"scimType": "`+want+`", "detail": "${*}"}`, "400"
	}
	s := `
POST /Probes

{"schemas": ["<Probe>"], ` + members + `, "kept": "k"}

>> 201
Location: ${base}/Probes/${p:=}

{"meta": {"version": "${tag:=}"}}

PATCH /Probes/${p}

{"schemas": ["<Message>:PatchOp"], "Operations": [` + operations + `]}

>> ` + status + `

` + body + `
`
	if status == "400" { // so nothing may have changed
		s += `
GET /Probes/${p}

>> 200
ETag: ${tag}
`
	}
	return s
}

// badPatches is a transcript of bodies and the scimTypes of their refusals.
func badPatches(pairs ...string) string {
	s := `
POST /Probes

{"schemas": ["<Probe>"], "text": "t"}

>> 201
Location: ${base}/Probes/${p:=}

{"meta": {"version": "${tag:=}"}}
`
	for i := 0; i < len(pairs); i += 2 {
		s += "\nPATCH /Probes/${p}\n\n" + pairs[i] + "\n\n>> 400\n\n" + `{"schemas": ["<Message>:Error"], "status": "400", "scimType": "` + pairs[i+1] + `"}` + "\n"
	}
	return s + "\nGET /Probes/${p}\n\n>> 200\nETag: ${tag}\n"
}

const someParts = `"parts": [{"value": "a", "type": "inner", "primary": true}, {"value": "b", "type": "outer"}, {"value": "c", "type": "outer"}]`

// patchConformance is RFC 7644, Section 3.5.2.
var patchConformance = []conformance{
	{ids: "7644-3.5.2-01 7644-3.5.2-02 7644-3.5.2-03 7644-3.5.2-04 7644-3.5.2-08 7644-3.5.2-15 7644-3.5.2.1-01 7644-3.5.2.2-01", name: "bodies that are no PATCH", change: strict,
		reason: "each is refused as a whole", play: badPatches(
			`{"Operations": [{"op": "add", "path": "text", "value": "x"}]}`, "invalidSyntax",
			`{"schemas": ["<Probe>"], "Operations": [{"op": "add", "path": "text", "value": "x"}]}`, "invalidSyntax",
			`{"schemas": ["<Message>:PatchOp"]}`, "invalidSyntax",
			`{"schemas": ["<Message>:PatchOp"], "Operations": []}`, "invalidSyntax",
			`{"schemas": ["<Message>:PatchOp"], "Operations": {"op": "add", "path": "text", "value": "x"}}`, "invalidSyntax",
			`{"schemas": ["<Message>:PatchOp"], "Operations": [{"path": "text", "value": "x"}]}`, "invalidSyntax",
			`{"schemas": ["<Message>:PatchOp"], "Operations": [{"op": "move", "path": "text", "value": "x"}]}`, "invalidSyntax",
			`{"schemas": ["<Message>:PatchOp"], "Operations": [{"op": "Add", "path": "text", "value": "x"}]}`, "invalidSyntax",
			`{"schemas": ["<Message>:PatchOp"], "Operations": [{"op": "add", "op": "add", "path": "text", "value": "x"}]}`, "invalidSyntax",
			`{"schemas": ["<Message>:PatchOp"], "Operations": [{"op": "add", "path": "text..x", "value": "x"}]}`, "invalidPath",
			`{"schemas": ["<Message>:PatchOp"], "Operations": [{"op": "add", "path": "parts[type eq", "value": {}}]}`, "invalidPath",
			`{"schemas": ["<Message>:PatchOp"], "Operations": [{"op": "add", "path": "nope", "value": "x"}]}`, "invalidPath",
			`{"schemas": ["<Message>:PatchOp"], "Operations": [{"op": "add", "path": "note", "value": "x"}]}`, "invalidPath",
			`{"schemas": ["<Message>:PatchOp"], "Operations": [{"op": "add", "path": "text"}]}`, "invalidValue",
			`{"schemas": ["<Message>:PatchOp"], "Operations": [{"op": "add", "value": "{\"text\":\"x\"}"}]}`, "invalidValue",
			`{"schemas": ["<Message>:PatchOp"], "Operations": [{"op": "remove"}]}`, "noTarget",
			`{"schemas": ["<Message>:PatchOp"], "Operations": [{"op": "remove", "value": {"text": "t"}}]}`, "noTarget")},
	{ids: "7644-3.5.2-06 7644-3.5.2-08", name: "values of the wrong type", change: strict, reason: "as in a POST", play: badPatches(
		`{"schemas": ["<Message>:PatchOp"], "Operations": [{"op": "add", "path": "text", "value": 5}]}`, "invalidValue",
		`{"schemas": ["<Message>:PatchOp"], "Operations": [{"op": "replace", "path": "flag", "value": "True"}]}`, "invalidValue",
		`{"schemas": ["<Message>:PatchOp"], "Operations": [{"op": "add", "value": {"count": "x"}}]}`, "invalidValue",
		`{"schemas": ["<Message>:PatchOp"], "Operations": [{"op": "add", "path": "parts[type eq \"inner\"].primary", "value": "x"}]}`, "invalidValue",
		`{"schemas": ["<Message>:PatchOp"], "Operations": [{"op": "add", "value": "x"}]}`, "invalidValue")},
	{ids: "7644-3.5.2-05 7644-3.5.2-08", name: "readOnly", reason: "a path to it is refused", play: badPatches(
		`{"schemas": ["<Message>:PatchOp"], "Operations": [{"op": "replace", "path": "given", "value": "mine"}]}`, "mutability",
		`{"schemas": ["<Message>:PatchOp"], "Operations": [{"op": "replace", "path": "meta.created", "value": "2020-01-01T00:00:00Z"}]}`, "mutability",
		`{"schemas": ["<Message>:PatchOp"], "Operations": [{"op": "add", "path": "id", "value": "x"}]}`, "mutability")},
	{ids: "7644-3.5.2-07", name: "add to an immutable attribute without a value", reason: "only that is possible", play: patchCase(`"text": "t"`,
		`{"op": "add", "path": "fixed", "value": "f"}`, `{"fixed": "f"}`)},
	{ids: "7644-3.5.2-09", name: "schemas follows", reason: "an extension comes and goes with its attributes", play: patchCase(`"text": "t"`,
		`{"op": "add", "path": "<Extra>:colour", "value": "red"}`, `{"schemas": ["<Probe>", "<Extra>"], "<Extra>": {"colour": "red"}}`) + `
PATCH /Probes/${p}

{"schemas": ["<Message>:PatchOp"], "Operations": [{"op": "remove", "path": "<Extra>"}]}

>> 200

{"schemas": ["<Probe>"], "<Extra>": "${absent}"}
`},
	{ids: "7644-3.5.2-10", name: "order of operations", reason: "each sees what the one before left", play: patchCase(`"text": "t"`,
		`{"op": "add", "path": "list", "value": ["a"]}, {"op": "add", "path": "list", "value": ["b"]}, {"op": "remove", "path": "list[value eq \"a\"]"}, {"op": "replace", "path": "text", "value": "u"}, {"op": "replace", "path": "text", "value": "v"}`,
		`{"list": ["b"], "text": "v"}`)},
	{ids: "7644-3.5.2-11 7643-2.4-01", name: "one primary", reason: "the new one takes the flag from the old one", play: patchCase(someParts,
		`{"op": "replace", "path": "parts[value eq \"b\"].primary", "value": true}`,
		`{"parts": [{"value": "a", "primary": "${absent}"}, {"value": "b", "primary": true}, {"value": "c", "primary": "${absent}"}]}`) + `
PATCH /Probes/${p}

{"schemas": ["<Message>:PatchOp"], "Operations": [{"op": "add", "path": "parts", "value": [{"value": "d", "primary": true}]}]}

>> 200

{"parts": [{"value": "a"}, {"value": "b", "primary": "${absent}"}, {"value": "c"}, {"value": "d", "primary": true}]}
`},
	{ids: "7644-3.5.2-12 7644-3.5.2-08", name: "all or nothing", reason: "the first operation is undone when the second fails", play: patchCase(`"text": "t"`,
		`{"op": "replace", "path": "text", "value": "u"}, {"op": "replace", "path": "given", "value": "mine"}`, "mutability") + `
GET /Probes/${p}

>> 200

{"text": "t"}
`},
	{ids: "7644-3.5.2-13 7644-3.5.2-14", name: "answers", reason: "200 for users, 204 for groups, whose members may be many, unless attributes are asked for", play: `
POST /Groups

{"schemas": ["<Group>"], "displayName": "G"}

>> 201

{"id": "${g:=}"}

PATCH /Groups/${g}

{"schemas": ["<Message>:PatchOp"], "Operations": [{"op": "replace", "path": "displayName", "value": "H"}]}

>> 204
ETag: ${*}

PATCH /Groups/${g}?attributes=displayName

{"schemas": ["<Message>:PatchOp"], "Operations": [{"op": "replace", "path": "displayName", "value": "I"}]}

>> 200

{"id": "${g}", "displayName": "I"}
` + patchCase(`"text": "t"`, `{"op": "replace", "path": "text", "value": "u"}`, `{"id": "${p}", "text": "u", "kept": "k", "meta": {"location": "${*}"}}`)},
	{ids: "7644-3.5.2.1-02", name: "add without a path", reason: "the value is a set of attributes", play: patchCase(`"text": "t", "list": ["a"]`,
		`{"op": "add", "value": {"exact": "e", "list": ["b"], "text": "u", "<Extra>": {"colour": "red"}}}`, `{"text": "u", "exact": "e", "list": ["a", "b"], "<Extra>": {"colour": "red"}}`)},
	{ids: "7644-3.5.2.1-03 7644-3.5.2.3-04", name: "complex attributes", reason: "the parts that are given change, the others stay (Q14)", play: patchCase(`"box": {"a": "1", "b": "2"}`,
		`{"op": "add", "path": "box", "value": {"b": "3"}}`, `{"box": {"a": "1", "b": "3"}}`) + patchCase(`"box": {"a": "1"}`,
		`{"op": "replace", "path": "box", "value": {"b": "3"}}`, `{"box": {"a": "1", "b": "3"}}`)},
	{ids: "7644-3.5.2.1-04", name: "add to what is there", reason: "a single value is replaced, a list grows", play: patchCase(`"text": "t", "list": ["a"], `+someParts,
		`{"op": "add", "path": "text", "value": "u"}, {"op": "add", "path": "list", "value": ["b"]}, {"op": "add", "path": "parts", "value": [{"value": "d"}]}, {"op": "add", "path": "exact", "value": "new"}`,
		`{"text": "u", "exact": "new", "list": ["a", "b"], "parts": ["${*}", "${*}", "${*}", {"value": "d"}]}`)},
	{ids: "7644-3.5.2.1-05 7644-3.5.2.1-06", name: "add of what is there", reason: "a success that leaves version and time (Q7)", play: patchCase(`"text": "t", "list": ["a"], `+someParts,
		`{"op": "add", "path": "text", "value": "t"}, {"op": "add", "path": "list", "value": ["a"]}, {"op": "add", "path": "parts", "value": [{"value": "b", "type": "outer"}]}`,
		`{"list": ["a"], "parts": ["${*}", "${*}", "${*}"], "meta": {"version": "${tag}", "created": "${at:=}", "lastModified": "${*}"}}`) + `
GET /Probes/${p}

>> 200

{"meta": {"created": "${at}", "lastModified": "${at}"}}
`},
	{ids: "7644-3.5.2.2-02 7644-3.5.2.2-03 7644-3.5.2.2-05", name: "remove", reason: "what is removed is unassigned", play: patchCase(`"text": "t", "list": ["a", "b"], "box": {"a": "1"}`,
		`{"op": "remove", "path": "text"}, {"op": "remove", "path": "list"}, {"op": "remove", "path": "box.a"}`, `{"text": "${absent}", "list": "${absent}", "box": "${absent}"}`) +
		counts("/Probes", `text pr or list pr or box pr`, 0)},
	{ids: "7644-3.5.2.2-02", name: "remove of active", change: strict, reason: "the exception: an absent active says nothing about who may log in", play: removeActive("false") + removeActive("true")},
	{ids: "7644-3.5.2.2-04 7644-3.5.2.2-05 7644-3.5.2.2-06", name: "remove with a filter", reason: "what matches goes, as a whole or in part", play: patchCase(someParts+`, "list": ["x", "y"]`,
		`{"op": "remove", "path": "parts[type eq \"outer\"]"}, {"op": "remove", "path": "list[value eq \"x\"]"}`, `{"parts": [{"value": "a"}], "list": ["y"]}`) +
		patchCase(someParts, `{"op": "remove", "path": "parts[value eq \"a\"].type"}`, `{"parts": [{"value": "a", "type": "${absent}"}, {"type": "outer"}, {"type": "outer"}]}`) +
		patchCase(someParts, `{"op": "remove", "path": "parts[value pr]"}`, `{"parts": "${absent}"}`)},
	{ids: "7644-3.5.2.2-07", name: "remove of what must be there", reason: "mutability, and the resource stays", play: `
POST /Users

{"schemas": ["<User>"], "userName": "a"}

>> 201

{"id": "${a:=}"}

PATCH /Users/${a}

{"schemas": ["<Message>:PatchOp"], "Operations": [{"op": "remove", "path": "userName"}]}

>> 400

{"scimType": "mutability", "detail": "${re:userName}"}

PATCH /Users/${a}

{"schemas": ["<Message>:PatchOp"], "Operations": [{"op": "replace", "path": "userName", "value": null}]}

>> 400

{"scimType": "mutability"}

GET /Users/${a}

>> 200

{"userName": "a"}
` + patchCase(`"text": "t"`, `{"op": "remove", "path": "given"}`, "mutability") + patchCase(`"<Extra>": {"colour": "c", "note": "n"}`, `{"op": "remove", "path": "<Extra>:colour"}`, "mutability")},
	{ids: "7644-3.5.2.3-01 7644-3.5.2.3-02 7644-3.5.2.3-03", name: "replace", reason: "values give way to new ones, and where there are none they are added", play: patchCase(`"text": "t", "list": ["a", "b"], `+someParts,
		`{"op": "replace", "value": {"text": "u", "list": ["c"]}}, {"op": "replace", "path": "parts", "value": [{"value": "z"}]}, {"op": "replace", "path": "exact", "value": "new"}, {"op": "replace", "path": "box.b", "value": "new"}`,
		`{"text": "u", "list": ["c"], "parts": [{"value": "z"}], "exact": "new", "box": {"b": "new"}}`)},
	{ids: "7644-3.5.2.3-05 7644-3.5.2.3-06", name: "replace with a filter", reason: "all that match; those that are then the same are one (7643-2.4-04)", play: patchCase(someParts,
		`{"op": "replace", "path": "parts[type eq \"outer\"].type", "value": "inner"}`, `{"parts": [{"value": "a"}, {"value": "b", "type": "inner"}, {"value": "c", "type": "inner"}]}`) +
		patchCase(someParts, `{"op": "replace", "path": "parts[type eq \"outer\"].value", "value": "z"}`, `{"parts": [{"value": "a"}, {"value": "z", "type": "outer"}]}`) +
		patchCase(someParts, `{"op": "replace", "path": "parts[value eq \"b\"]", "value": {"value": "y", "type": "inner"}}`, `{"parts": [{"value": "a"}, {"value": "y", "type": "inner"}, {"value": "c"}]}`)},
	{ids: "7644-3.5.2.3-07", name: "replace that finds nothing, strictly", change: strict, reason: "noTarget", play: patchCase(someParts,
		`{"op": "replace", "path": "parts[value eq \"none\"].type", "value": "inner"}`, "noTarget")},
	{ids: "7644-3.5.2.3-07", name: "replace that finds nothing", reason: "noTarget where the filter describes no value to be made (Q8)", play: patchCase(someParts,
		`{"op": "replace", "path": "parts[value sw \"none\"].type", "value": "inner"}`, "noTarget")},
}

// removeActive removes active, in every form, from a user who has this value. Strict or not,
// the user stays as it is.
func removeActive(is string) string {
	return `
POST /Users

{"schemas": ["<User>"], "userName": "` + is + `", "active": ` + is + `}

>> 201

{"id": "${a:=}", "meta": {"version": "${tag:=}"}}

PATCH /Users/${a}

{"schemas": ["<Message>:PatchOp"], "Operations": [{"op": "remove", "path": "active"}, {"op": "replace", "path": "active", "value": null}, {"op": "add", "value": {"active": null}}]}

>> 200

{"active": ` + is + `, "meta": {"version": "${tag}"}}
`
}
