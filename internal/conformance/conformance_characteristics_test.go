package conformance

// characteristicConformance is RFC 7643, Sections 6 and 7: mutability, "returned", and
// required extensions.
var characteristicConformance = []conformance{
	{ids: "7643-7-08 7644-3.5.1-03 7644-3.5.1-04 7644-3.5.2-05 7644-3.5.2-07", name: "immutable", reason: "set once, then it must match", play: `
POST /Probes

{"schemas": ["<Probe>"], "text": "t"}

>> 201
Location: ${base}/Probes/${p:=}

PATCH /Probes/${p}

{"schemas": ["<Message>:PatchOp"], "Operations": [{"op": "add", "path": "fixed", "value": "one"}]}

>> 200

{"fixed": "one"}

PATCH /Probes/${p}

{"schemas": ["<Message>:PatchOp"], "Operations": [{"op": "replace", "path": "fixed", "value": "two"}]}

>> 400

{"scimType": "mutability", "detail": "${re:fixed}"}

PATCH /Probes/${p}

{"schemas": ["<Message>:PatchOp"], "Operations": [{"op": "remove", "path": "fixed"}]}

>> 400

{"scimType": "mutability"}

PUT /Probes/${p}

{"schemas": ["<Probe>"], "fixed": "two"}

>> 400

{"scimType": "mutability", "detail": "${re:fixed}"}

PUT /Probes/${p}

{"schemas": ["<Probe>"], "fixed": "one", "box": {"fixed": "first"}}

>> 200

{"fixed": "one", "box": {"fixed": "first"}}

PUT /Probes/${p}

{"schemas": ["<Probe>"], "fixed": "one", "box": {"fixed": "second"}}

>> 400

{"scimType": "mutability", "detail": "${re:box.fixed}"}
`},
	{ids: "7643-7-10 7643-7-12 7643-7-13 7644-3.9-01 7644-3.9-02 7644-3.4.2.5-02 7644-3.4.3-04", name: "returned",
		reason: "always, by default and on request, with both parameters and in all kinds of query", play: `
POST /Probes

{"schemas": ["<Probe>"], "text": "t", "kept": "k", "long": "l", "box": {"a": "1", "b": "2"}}

>> 201
Location: ${base}/Probes/${p:=}

GET /Probes/${p}

>> 200

{"text": "t", "kept": "k", "long": "${absent}", "box": {"a": "1", "b": "2"}, "meta": {"location": "${*}"}}

GET /Probes/${p}?attributes=long,box.b

>> 200

{"id": "${p}", "schemas": ["<Probe>"], "kept": "k", "long": "l", "text": "${absent}", "meta": "${absent}", "box": {"b": "2", "a": "${absent}"}}

GET /Probes?excludedAttributes=id,kept,text,box.b,meta

>> 200

{"Resources": [{"id": "${p}", "kept": "k", "text": "${absent}", "long": "${absent}", "meta": "${absent}", "box": {"a": "1", "b": "${absent}"}}]}

POST /Probes/.search

{"schemas": ["<Message>:SearchRequest"], "excludedAttributes": ["id", "kept", "text"]}

>> 200

{"Resources": [{"id": "${p}", "kept": "k", "text": "${absent}", "long": "${absent}"}]}

POST /Probes/.search

{"schemas": ["<Message>:SearchRequest"], "attributes": ["long"]}

>> 200

{"Resources": [{"id": "${p}", "kept": "k", "long": "l", "text": "${absent}"}]}
`},
	{ids: "7643-6-05", name: "required extension", reason: "with its required attributes; one that is optional needs them only if it is there", play: `
POST /Badges

{"schemas": ["<Badge>"], "number": "1"}

>> 400

{"scimType": "invalidValue", "detail": "${re:extension:Extra}"}

POST /Badges

{"schemas": ["<Badge>", "<Extra>"], "number": "1", "<Extra>": {"note": "n"}}

>> 400

{"scimType": "invalidValue", "detail": "${re:Extra:colour}"}

POST /Badges

{"schemas": ["<Badge>", "<Extra>"], "number": "1", "<Extra>": {"colour": "red"}}

>> 201

{"schemas": ["<Badge>", "<Extra>"], "<Extra>": {"colour": "red"}}

POST /Probes

{"schemas": ["<Probe>"], "text": "t"}

>> 201

POST /Probes

{"schemas": ["<Probe>"], "<Extra>": {"note": "n"}}

>> 400

{"detail": "${re:Extra:colour}"}
`},
}
