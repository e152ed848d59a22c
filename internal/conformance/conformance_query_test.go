package conformance

import (
	"fmt"
	"net/url"
	"strings"
)

// counts is a transcript that filters and compares the number of matches. pairs are filters
// and numbers.
func counts(endpoint string, pairs ...any) string {
	var b strings.Builder
	for i := 0; i < len(pairs); i += 2 {
		filter := url.QueryEscape(shortURNs.Replace(pairs[i].(string)))
		fmt.Fprintf(&b, "\nGET %s?filter=%s\n\n>> 200\n\n{\"totalResults\": %d}\n", endpoint, filter, pairs[i+1])
	}
	return b.String()
}

// badFilters is a transcript of bad filters and patterns for the details of their refusals.
func badFilters(endpoint string, pairs ...string) string {
	var b strings.Builder
	for i := 0; i < len(pairs); i += 2 {
		fmt.Fprintf(&b, "\nGET %s?filter=%s\n\n>> 400\n\n", endpoint, url.QueryEscape(shortURNs.Replace(pairs[i])))
		fmt.Fprintf(&b, `{"schemas": ["<Message>:Error"], "scimType": "invalidFilter", "detail": "${re:%s}"}`+"\n", pairs[i+1])
	}
	return b.String()
}

// three creates three probes for queries.
const three = `
POST /Probes

{"schemas": ["<Probe>"], "text": "Anna", "exact": "Anna", "flag": true, "count": 9, "rate": 0.5, "when": "2026-01-31T12:00:00Z", "blob": "AAA=", "list": ["red", "green"],
 "box": {"a": "x", "b": "y"}, "parts": [{"value": "p", "type": "inner"}, {"value": "q", "type": "outer", "primary": true}]}

>> 201

{"id": "${anna:=}"}

POST /Probes

{"schemas": ["<Probe>", "<Extra>"], "text": "bob", "exact": "bob", "flag": false, "count": 10, "rate": 10.25, "when": "2026-01-31T13:00:00+02:00", "list": ["blue"],
 "parts": [{"value": "a", "type": "outer"}], "<Extra>": {"colour": "Red", "note": "bob's"}}

>> 201

{"id": "${bob:=}"}

POST /Probes

{"schemas": ["<Probe>"], "exact": "Zoë"}

>> 201

{"id": "${zoe:=}"}
`

// filterConformance is RFC 7644, Sections 3.4.2.1, 3.4.2.2 and 3.10.
var filterConformance = []conformance{
	{ids: "7644-3.4.2.2-01 7644-3.4.2.2-04 7644-3.4.2.2-05 7644-3.4.2-02", name: "operators", reason: "each on each type that it is for", play: three + counts("/Probes",
		`text eq "anna"`, 1, `text ne "anna"`, 2, `text co "NN"`, 1, `text sw "b"`, 1, `text ew "b"`, 1, `text pr`, 2,
		`text gt "anna"`, 1, `text ge "anna"`, 2, `text lt "bob"`, 1, `text le "bob"`, 2,
		`count gt 9`, 1, `count ge 9`, 2, `count lt 10`, 1, `count le 10`, 2, `count eq 9.0`, 1, `rate gt 9`, 1, `rate eq 10.250`, 1,
		`when lt "2026-01-31T12:00:00Z"`, 1, `when eq "2026-01-31T11:00:00Z"`, 1, `when ge "2026-01-31T11:30:00Z"`, 1, `when gt "2026-01-31T11:00:00.000Z"`, 1,
		`flag eq true`, 1, `flag ne true`, 2, `blob eq "AAA="`, 1)},
	{ids: "7644-3.4.2.2-06", name: "order of what has none", reason: "booleans and binaries", play: badFilters("/Probes",
		`flag gt true`, "flag", `flag le false`, "flag", `flag ge true`, "flag", `flag lt true`, "flag",
		`blob gt "AAA="`, "blob", `blob lt "AAA="`, "blob", `blob ge "AAA="`, "blob", `blob le "AAA="`, "blob")},
	{ids: "7644-3.4.2.2-02 7644-3.10-01 7644-3.10-02", name: "names", reason: "any case, with and without the URN, in every facet", play: three + counts("/Probes",
		`TEXT Eq "anna"`, 1, `text EQ "anna" AND Flag eq true`, 1, `NOT (text PR)`, 1, `BOX.B eq "y"`, 1,
		`<Probe>:text eq "anna"`, 1, `URN:EXAMPLE:params:scim:schemas:PROBE:Box.A eq "x"`, 1, `<Extra>:colour eq "red"`, 1, `<Extra>:Colour pr`, 1, `META.resourceType eq "Probe"`, 3)},
	{ids: "7644-3.4.2.2-03 7644-3.4.2.2-11 7644-3.4.2.2-15 7644-3.4.2.2-16", name: "no filters", change: strict, reason: "each says what is wrong", play: badFilters("/Probes",
		``, "empty", ` `, "empty", `text`, ".", `eq "x"`, ".", `text eq`, ".", `text regex "a"`, "regex", `text eq anna`, "anna", `text eq "a`, ".", `text eq 'a'`, ".",
		`text eq "a" and`, ".", `(text eq "a"`, ".", `text eq "a")`, ".", `not text eq "a"`, ".", `text eq "a" xor text pr`, "xor", `nope eq "x"`, "nope", `text eq "a" "b"`, ".", `parts[type eq "inner"`, ".")},
	{ids: "7644-3.4.2.2-07 7644-3.4.2.2-08", name: "precedence", reason: "brackets, then not, then and, then or", play: three + counts("/Probes",
		`text eq "anna" or text eq "bob" and flag eq true`, 1, `(text eq "anna" or text eq "bob") and flag eq false`, 1,
		`flag eq true and text eq "anna" or text eq "bob"`, 2, `not (text eq "anna") and text pr`, 1, `not (text eq "anna" and text pr)`, 2, `not (text eq "anna") or text eq "anna"`, 3)},
	{ids: "7644-3.4.2.2-09 7644-3.4.2.2-10 7644-3.4.2.2-12", name: "several values", reason: "one has to match; in square brackets one and the same", play: three + counts("/Probes",
		`list eq "GREEN"`, 1, `list co "re"`, 1, `parts.value eq "q"`, 1, `parts.type eq "inner" and parts.value eq "q"`, 1, `parts[type eq "inner" and value eq "q"]`, 0,
		`parts[type eq "outer" and value eq "q"]`, 1, `parts[type eq "outer" and not (value eq "q")]`, 1, `parts[type eq "inner" or type eq "outer"] and flag eq true`, 1) +
		badFilters("/Probes", `parts[nope eq "x"]`, "nope", `parts[]`, ".", `parts[text eq "x"]`, "text")},
	{ids: "7644-3.4.2.2-13", name: "complex attributes alone", change: strict, reason: "by default their value is meant (Q44, Q45)", play: badFilters("/Probes", `parts eq "p"`, "parts", `box eq "x"`, "box")},
	{ids: "7644-3.4.2.2-13", name: "a sub-attribute is named", change: strict, reason: "in standard notation", play: three + counts("/Probes", `parts.value eq "p"`, 1, `box.a eq "x"`, 1, `box pr`, 1)},
	{ids: "7644-3.4.2.2-14", name: "defaulted attributes", reason: "active is true unless the client said something else, and found as such", play: `
POST /Users

{"schemas": ["<User>"], "userName": "a"}

>> 201

{"active": true}
` + counts("/Users", `active eq true`, 1, `active pr`, 1, `active eq false`, 0)},
	{ids: "7644-3.4.2.2-17 7644-7.8-01", name: "comparison of strings", reason: "caseExact decides; letters are prepared before they are compared", play: three + counts("/Probes",
		`text eq "ANNA"`, 1, `exact eq "ANNA"`, 0, `exact eq "Anna"`, 1, `exact sw "a"`, 0, `<Extra>:colour eq "rED"`, 1, `text eq "Ａnna"`, 1)},
	{ids: "7644-3.4.2.2-18", name: "presence", reason: "absent, null and empty attributes are not present", play: three + counts("/Probes",
		`text pr`, 2, `list pr`, 2, `box pr`, 1, `parts pr`, 2, `box.a pr`, 1, `<Extra>:note pr`, 1, `not (list pr)`, 1) + `
PATCH /Probes/${anna}

{"schemas": ["<Message>:PatchOp"], "Operations": [{"op": "remove", "path": "box.a"}, {"op": "remove", "path": "box.b"}, {"op": "replace", "path": "list", "value": []}]}

>> 200
` + counts("/Probes", `box pr`, 0, `list pr`, 1)},
	{ids: "7644-3.4.2.2-19", name: "schemas", reason: "finds who has an extension", play: three + counts("/Probes", `schemas eq "<Extra>"`, 1, `schemas eq "<Probe>"`, 3, `schemas eq "urn:other"`, 0)},
	{ids: "7644-3.10-03", name: "extensions with their URN", change: strict, reason: "strictly an attribute of an extension is not known without it", play: three +
		counts("/Probes", `<Extra>:note eq "bob's"`, 1) + badFilters("/Probes", `note eq "bob's"`, "note")},
	{ids: "7644-3.4.2.1-01 7644-3.4.2.1-02 7644-3.4.2.1-03", name: "the root", reason: "all types; an attribute that a type lacks is absent there", play: three + `
POST /Users

{"schemas": ["<User>"], "userName": "anna"}

>> 201

POST /Groups

{"schemas": ["<Group>"], "displayName": "G"}

>> 201

GET /

>> 200

{"schemas": ["<Message>:ListResponse"], "totalResults": 5}

POST /.search

{"schemas": ["<Message>:SearchRequest"], "filter": "userName eq \"anna\" or displayName eq \"g\" or box.a pr", "attributes": ["id"]}

>> 200

{"totalResults": 3, "Resources": ["...", {"id": "${anna}"}]}
` + counts("/", `meta.resourceType eq "User"`, 1, `meta.resourceType eq "User" or meta.resourceType eq "Group"`, 2, `userName pr`, 1, `userName ne "anna"`, 4,
		`not (userName pr)`, 4, `(text eq "anna" or text eq "bob") and flag eq true`, 1) + badFilters("/", `nobody eq "x"`, "nobody")},
	{ids: "7644-3.4.2.1-04 7644-3.12-04", name: "too much", reason: "a page deep in the merge of all types", play: `
GET /?startIndex=20000&count=10

>> 400

{"scimType": "tooMany"}
`},
}

// listConformance is RFC 7644, Sections 3.4.1 to 3.4.3 without filters.
var listConformance = []conformance{
	{ids: "7644-3.4.1-01 7644-3.4.2-01 7644-3.4.2-02 7644-3.4.2-03 7644-3.4.2-05", name: "answers", reason: "a resource alone, resources in a ListResponse, also none", play: three + `
GET /Probes/${anna}

>> 200

{"schemas": ["<Probe>"], "id": "${anna}", "text": "Anna"}

GET /Probes

>> 200

{"schemas": ["<Message>:ListResponse"], "totalResults": 3, "Resources": [{"id": "${anna}"}, {"id": "${bob}"}, {"id": "${zoe}"}]}

GET /Probes?filter=text eq "nobody"

>> 200

{"schemas": ["<Message>:ListResponse"], "totalResults": 0, "Resources": []}
`},
	{ids: "7644-3.4.2-04 7644-3.4.2.4-01 7644-3.4.2.4-02 7644-3.4.2.4-03 7644-3.4.2.4-04 7644-3.4.2.4-05", name: "pages", reason: "each says where it begins, how many it has and how many there are", play: three + `
GET /Probes?startIndex=2&count=1

>> 200

{"totalResults": 3, "startIndex": 2, "itemsPerPage": 1, "Resources": [{"id": "${bob}"}]}

GET /Probes?startIndex=-5&count=2

>> 200

{"totalResults": 3, "startIndex": 1, "itemsPerPage": 2, "Resources": [{"id": "${anna}"}, {"id": "${bob}"}]}

GET /Probes?count=-1

>> 200

{"totalResults": 3, "Resources": []}

GET /Probes?count=0

>> 200

{"totalResults": 3, "itemsPerPage": 0, "Resources": []}

GET /Probes?startIndex=9

>> 200

{"totalResults": 3, "startIndex": 9, "itemsPerPage": 0, "Resources": []}
`},
	{ids: "7644-3.4.2.3-01 7644-3.4.2.3-02 7644-3.4.2.3-03 7644-3.4.2.3-04 7644-3.4.2.3-05 7644-3.4.2.3-06", name: "sorting", reason: "by value, by type, the absent last or, descending, first",
		play: three + sortCase("text", "anna bob zoe") + sortCase("text&sortOrder=descending", "zoe bob anna") + sortCase("exact", "anna zoe bob") +
			sortCase("count", "anna bob zoe") + sortCase("rate&sortOrder=ascending", "anna bob zoe") + sortCase("when", "bob anna zoe") + sortCase("parts", "bob anna zoe") +
			sortCase("parts.value", "bob anna zoe") + sortCase("box.a", "anna bob zoe") + sortCase("<Probe>:TEXT&sortOrder=Descending", "zoe bob anna") + sortCase("list", "bob anna zoe") + `
GET /Probes?sortBy=box

>> 400

{"scimType": "invalidPath"}
`},
	{ids: "7644-3.4.2.5-01 7644-3.9-03 7644-3.9-04", name: "selection", reason: "in standard notation, on every operation that returns a resource, one of the two", play: `
POST /Probes?attributes=<Probe>:TEXT,box.B,<Extra>:Note

{"schemas": ["<Probe>", "<Extra>"], "text": "t", "exact": "e", "box": {"a": "1", "b": "2"}, "<Extra>": {"note": "n", "colour": "c"}}

>> 201
Location: ${base}/Probes/${p}

{"id": "${p:=}", "text": "t", "exact": "${absent}", "box": {"a": "${absent}", "b": "2"}, "<Extra>": {"note": "n", "colour": "${absent}"}}

PUT /Probes/${p}?excludedAttributes=box,text

{"schemas": ["<Probe>"], "text": "t", "exact": "e", "box": {"a": "1"}}

>> 200

{"exact": "e", "text": "${absent}", "box": "${absent}"}

PATCH /Probes/${p}?attributes=text

{"schemas": ["<Message>:PatchOp"], "Operations": [{"op": "add", "path": "text", "value": "u"}]}

>> 200

{"text": "u", "exact": "${absent}"}

GET /Probes?attributes=exact

>> 200

{"Resources": [{"id": "${p}", "exact": "e", "text": "${absent}", "meta": "${absent}"}]}

GET /Probes/${p}?attributes=exact&excludedAttributes=text

>> 400

{"scimType": "invalidValue"}
`},
	{ids: "7644-3.4.3-01 7644-3.4.3-02 7644-3.4.3-03 7644-3.4.3-05", name: "search by POST", reason: "everything that a GET takes, in the body", play: three + `
POST /Probes/.search

{"schemas": ["<Message>:SearchRequest"], "filter": "text pr", "sortBy": "text", "sortOrder": "descending", "startIndex": 2, "count": 1, "attributes": ["exact"]}

>> 200

{"schemas": ["<Message>:ListResponse"], "totalResults": 2, "startIndex": 2, "itemsPerPage": 1, "Resources": [{"id": "${anna}", "exact": "Anna", "text": "${absent}"}]}

POST /Probes/.search

{"schemas": ["<Message>:SearchRequest"], "excludedAttributes": ["text"]}

>> 200

{"totalResults": 3, "Resources": [{"exact": "Anna", "text": "${absent}"}, "${*}", "${*}"]}

POST /Probes/.search

{"schemas": ["<Message>:PatchOp"], "filter": "text pr"}

>> 400

{"scimType": "invalidSyntax", "detail": "${re:SearchRequest}"}

GET /Probes

>> 200

{"totalResults": 3}
`},
}

// sortCase is a transcript that sorts the three probes and compares their order.
func sortCase(by, order string) string {
	var ids []string
	for _, name := range strings.Fields(order) {
		ids = append(ids, `{"id": "${`+name+`}"}`)
	}
	return "\nGET /Probes?sortBy=" + by + "\n\n>> 200\n\n" + `{"Resources": [` + strings.Join(ids, ", ") + "]}\n"
}
