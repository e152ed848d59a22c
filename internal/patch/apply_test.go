package patch_test

import (
	"testing"

	"github.com/elimity-com/scim/optional"
	"github.com/elimity-com/scim/schema"
	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim/internal/patch"
	"github.com/scimkit/scim/internal/tolerance"
)

// TestApply runs one request on one user. A row without "used" must work without
// any tolerance, and is run in strict mode as well.
func TestApply(t *testing.T) {
	typ := user(t)
	work := `{"type":"work","value":"w@x"}`
	home := `{"type":"home","value":"h@x"}`
	two := `{"emails":[` + work + `,` + home + `]}`
	tests := []struct {
		name, reason      string
		before, ops, want string
		used              []tolerance.Name
	}{
		// RFC 7644, Section 3.5.2.1
		{"add simple", "a single value is set", `{}`, `{"op":"add","path":"title","value":"Dr"}`, `{"title":"Dr"}`, nil},
		{"add simple over another", "a single value is replaced", `{"title":"a"}`, `{"op":"add","path":"title","value":"b"}`, `{"title":"b"}`, nil},
		{"add sub-attribute", "the complex value is made", `{}`, `{"op":"add","path":"name.givenName","value":"A"}`, `{"name":{"givenName":"A"}}`, nil},
		{"add complex", "sub-attributes that aren't given stay", `{"name":{"givenName":"A"}}`, `{"op":"add","path":"name","value":{"familyName":"B"}}`, `{"name":{"givenName":"A","familyName":"B"}}`, nil},
		{"add to list", "new values are appended", `{"emails":[` + work + `]}`, `{"op":"add","path":"emails","value":[` + home + `]}`, two, nil},
		{"add without path", "each member is added as if by its own path", `{"title":"a"}`, `{"op":"add","value":{"nickName":"b","emails":[` + work + `]}}`, `{"title":"a","nickName":"b","emails":[` + work + `]}`, nil},
		{"add empty list", "adding nothing changes nothing", two, `{"op":"add","path":"emails","value":[]}`, two, nil},
		{"add extension attribute", "the extension is made", `{}`, `{"op":"add","path":"` + enterpriseURN + `:department","value":"d"}`, `{"` + enterpriseURN + `":{"department":"d"}}`, nil},
		{"add extension object", "the extension's URN is a path by itself", `{"` + enterpriseURN + `":{"division":"v"}}`, `{"op":"add","path":"` + enterpriseURN + `","value":{"department":"d"}}`, `{"` + enterpriseURN + `":{"division":"v","department":"d"}}`, nil},
		{"add extension as a key", "RFC 7643, Section 3.3: extensions stand under their URN", `{}`, `{"op":"add","value":{"` + enterpriseURN + `":{"department":"d"}}}`, `{"` + enterpriseURN + `":{"department":"d"}}`, nil},
		{"replace with one value twice", "RFC 7643, Section 2.4: it is one, with what both have", `{}`, `{"op":"replace","path":"emails","value":[` + work + `,` + home + `,{"type":"work","value":"w@x","display":"d"}]}`, `{"emails":[{"type":"work","value":"w@x","display":"d"},` + home + `]}`, nil},
		{"replace that makes values equal", "the same", two, `{"op":"replace","path":"emails","value":[` + work + `,{"type":"other","value":"w@x","primary":true}]},{"op":"replace","path":"emails.type","value":"work"}`, `{"emails":[{"type":"work","value":"w@x","primary":true}]}`, nil},
		{"remove that makes values equal", "the same", `{"addresses":[{"type":"work","locality":"L"},{"type":"home","locality":"L"}]}`, `{"op":"remove","path":"addresses.type"}`, `{"addresses":[{"locality":"L"}]}`, nil},
		{"add integer", "the number's text is kept", `{}`, `{"op":"add","path":"` + deskURN + `:level","value":7}`, `{"` + deskURN + `":{"level":7}}`, nil},
		{"add tags", "simple values aren't doubled", `{"` + deskURN + `":{"tags":["a"]}}`, `{"op":"add","path":"` + deskURN + `:tags","value":["b","a","b"]}`, `{"` + deskURN + `":{"tags":["a","b"]}}`, nil},
		{"add sub-attribute to all", "without a filter every value is meant", two, `{"op":"add","path":"emails.display","value":"d"}`, `{"emails":[{"type":"work","value":"w@x","display":"d"},{"type":"home","value":"h@x","display":"d"}]}`, nil},
		{"add sub-attribute to none", "a value is made", `{}`, `{"op":"add","path":"emails.value","value":"a@x"}`, `{"emails":[{"value":"a@x"}]}`, nil},

		// RFC 7644, Section 3.5.2.3
		{"replace simple", "the value is replaced", `{"title":"a"}`, `{"op":"replace","path":"title","value":"b"}`, `{"title":"b"}`, nil},
		{"replace what isn't there", "replace is then an add", `{}`, `{"op":"replace","path":"title","value":"b"}`, `{"title":"b"}`, nil},
		{"replace by filter and sub-attribute", "only that sub-attribute changes", two, `{"op":"replace","path":"emails[type eq \"home\"].value","value":"n@x"}`, `{"emails":[` + work + `,{"type":"home","value":"n@x"}]}`, nil},
		{"replace by filter", "what is given is set in each match", two, `{"op":"replace","path":"emails[value ew \"@x\"]","value":{"display":"d"}}`, `{"emails":[{"type":"work","value":"w@x","display":"d"},{"type":"home","value":"h@x","display":"d"}]}`, nil},
		{"replace by filter with null inside", "a null removes the sub-attribute", two, `{"op":"replace","path":"emails[type eq \"work\"]","value":{"type":null}}`, `{"emails":[{"value":"w@x"},` + home + `]}`, nil},
		{"replace with null", "null is no value", `{"title":"a"}`, `{"op":"replace","path":"title","value":null}`, `{}`, nil},
		{"replace by filter with null", "the matching values go", two, `{"op":"replace","path":"emails[type eq \"work\"]","value":null}`, `{"emails":[` + home + `]}`, nil},
		{"replace sub-attribute with null", "the sub-attribute goes", `{"name":{"givenName":"A","familyName":"B"}}`, `{"op":"replace","path":"name.givenName","value":null}`, `{"name":{"familyName":"B"}}`, nil},
		{"replace complex with null inside", "a null in a merge removes one", `{"name":{"givenName":"A","familyName":"B"}}`, `{"op":"replace","value":{"name":{"givenName":null,"formatted":"C"}}}`, `{"name":{"familyName":"B","formatted":"C"}}`, nil},
		{"replace complex with {}", "no sub-attribute is named, none changes", `{"name":{"givenName":"A"}}`, `{"op":"replace","path":"name","value":{}}`, `{"name":{"givenName":"A"}}`, nil},
		{"replace tags by filter", "the element is replaced", `{"` + deskURN + `":{"tags":["a","b"]}}`, `{"op":"replace","path":"` + deskURN + `:tags[value eq \"a\"]","value":"c"}`, `{"` + deskURN + `":{"tags":["c","b"]}}`, nil},
		{"filter on a single complex value", "it selects the value or nothing", `{"name":{"givenName":"A"}}`, `{"op":"replace","path":"name[givenName eq \"A\"].familyName","value":"B"}`, `{"name":{"givenName":"A","familyName":"B"}}`, nil},
		{"keeps an empty string", "an empty string is a value of a string", `{"title":"a"}`, `{"op":"replace","path":"title","value":""}`, `{"title":""}`, nil},

		// RFC 7644, Section 3.5.2.2
		{"remove simple", "it goes", `{"title":"a","nickName":"n"}`, `{"op":"remove","path":"title"}`, `{"nickName":"n"}`, nil},
		{"remove what isn't there", "it is already gone", `{"nickName":"n"}`, `{"op":"remove","path":"title"}`, `{"nickName":"n"}`, nil},
		{"remove list", "all values go", two, `{"op":"remove","path":"emails"}`, `{}`, nil},
		{"remove by filter", "the matching values go", two, `{"op":"remove","path":"emails[type eq \"work\" and value ew \"@x\"]"}`, `{"emails":[` + home + `]}`, nil},
		{"remove the last by filter", "an empty list is no list", `{"emails":[` + work + `]}`, `{"op":"remove","path":"emails[type eq \"work\"]"}`, `{}`, nil},
		{"remove sub-attribute by filter", "only that goes", two, `{"op":"remove","path":"emails[type eq \"work\"].value"}`, `{"emails":[{"type":"work"},` + home + `]}`, nil},
		{"remove last sub-attribute", "an empty complex value is no value", `{"name":{"givenName":"A"}}`, `{"op":"remove","path":"name.givenName"}`, `{}`, nil},
		{"remove last sub-attribute of elements", "empty elements go", `{"emails":[{"value":"a"},{"type":"work","value":"b"}]}`, `{"op":"remove","path":"emails.value"}`, `{"emails":[{"type":"work"}]}`, nil},
		{"remove last of an extension", "the extension goes", `{"title":"a","` + enterpriseURN + `":{"department":"d"}}`, `{"op":"remove","path":"` + enterpriseURN + `:department"}`, `{"title":"a"}`, nil},
		{"remove extension", "the URN names all of it", `{"title":"a","` + enterpriseURN + `":{"department":"d","division":"v"}}`, `{"op":"remove","path":"` + enterpriseURN + `"}`, `{"title":"a"}`, nil},
		{"remove extension after a change in its list", "earlier operations on its lists go with it", `{"title":"a"}`, `{"op":"add","path":"` + deskURN + `:tags","value":["x"]},{"op":"remove","path":"` + deskURN + `"}`, `{"title":"a"}`, nil},
		{"add to an extension's list after removing it", "later operations start afresh", `{"` + deskURN + `":{"tags":["a"]}}`, `{"op":"remove","path":"` + deskURN + `"},{"op":"add","path":"` + deskURN + `:tags","value":["x"]}`, `{"` + deskURN + `":{"tags":["x"]}}`, nil},

		// Values
		{"active null", "whether somebody may come in isn't changed by leaving it open", `{"active":false}`, `{"op":"replace","value":{"active":null}}`, `{"active":false}`, nil},
		{"active removed", "the same", `{"active":false}`, `{"op":"remove","path":"active"}`, `{"active":false}`, nil},
		{"manager changes", "the $ref of the former one doesn't stay", `{"` + enterpriseURN + `":{"manager":{"value":"u1","$ref":"../Users/u1"}}}`, `{"op":"replace","path":"` + enterpriseURN + `:manager","value":{"value":"u2"}}`, `{"` + enterpriseURN + `":{"manager":{"value":"u2"}}}`, nil},
		{"manager stays", "nor goes what still holds", `{"` + enterpriseURN + `":{"manager":{"value":"u1","$ref":"../Users/u1"}}}`, `{"op":"replace","path":"` + enterpriseURN + `:manager","value":{"value":"u1"}}`, `{"` + enterpriseURN + `":{"manager":{"value":"u1","$ref":"../Users/u1"}}}`, nil},

		// The envelope
		{"Q1 op in capitals", "Entra", `{}`, `{"op":"Add","path":"title","value":"a"}`, `{"title":"a"}`, []tolerance.Name{tolerance.OpCase}},
		{"Q5 more members of an operation", "they mean nothing", `{}`, `{"op":"add","name":"addTitle","path":"title","value":"a"}`, `{"title":"a"}`, nil},
		{"value before path", "JSON objects have no order", `{}`, `{"value":"a","path":"title","op":"add"}`, `{"title":"a"}`, nil},
		{"null path", "the same as none", `{}`, `{"op":"add","path":null,"value":{"title":"a"}}`, `{"title":"a"}`, nil},
		{"Q6 add again after a replace", "what was there before the replace no longer counts", `{}`, `{"op":"add","path":"emails","value":[` + work + `]},{"op":"replace","path":"emails","value":[` + home + `]},{"op":"add","path":"emails","value":[` + work + `]}`, `{"emails":[` + home + `,` + work + `]}`, nil},
		{"Q6 add again after a removal", "the same", `{}`, `{"op":"add","path":"emails","value":[` + work + `,` + home + `]},{"op":"remove","path":"emails[type eq \"work\"]"},{"op":"add","path":"emails","value":[` + work + `]}`, `{"emails":[` + home + `,` + work + `]}`, nil},
		{"Q6 add again after a removal of listed values", "the same", `{}`, `{"op":"add","path":"emails","value":[` + work + `]},{"op":"remove","path":"emails","value":[` + work + `]},{"op":"add","path":"emails","value":[` + work + `]}`, `{"emails":[` + work + `]}`, []tolerance.Name{tolerance.RemoveByValue}},
		{"Q6 a change of what the request brought", "the request itself stays as it is", `{}`, `{"op":"replace","path":"emails","value":[` + work + `]},{"op":"replace","path":"emails[type eq \"work\"].type","value":"home"},{"op":"add","path":"emails[type eq \"home\"].display","value":"d"}`, `{"emails":[{"type":"home","value":"w@x","display":"d"}]}`, nil},
		{"Q6 in order", "later operations see earlier ones", `{"title":"a"}`, `{"op":"remove","path":"title"},{"op":"add","path":"title","value":"b"}`, `{"title":"b"}`, nil},

		// Booleans and shapes
		{"Q2 boolean as string by path", "Entra", `{"active":true}`, `{"op":"replace","path":"active","value":"False"}`, `{"active":false}`, []tolerance.Name{tolerance.BooleanString}},
		{"Q2 boolean as string without path", "Entra", `{"active":true}`, `{"op":"replace","value":{"active":"False"}}`, `{"active":false}`, []tolerance.Name{tolerance.BooleanString}},
		{"Q2 boolean as string in an array", "Entra", `{}`, `{"op":"add","path":"emails","value":[{"value":"a","primary":"True"}]}`, `{"emails":[{"value":"a","primary":true}]}`, []tolerance.Name{tolerance.BooleanString}},
		{"Q2 a string that looks boolean", "a string attribute keeps it", `{}`, `{"op":"add","path":"displayName","value":"True"}`, `{"displayName":"True"}`, nil},
		{"Q7 add what is there", "no duplicate", two, `{"op":"add","path":"emails","value":[` + work + `]}`, two, nil},
		{"Q7 add what is there with more", "it is completed", two, `{"op":"add","path":"emails","value":[{"type":"work","value":"w@x","display":"d"}]}`, `{"emails":[{"type":"work","value":"w@x","display":"d"},` + home + `]}`, nil},
		{"Q7 same value of another type", "it is another one", `{"emails":[` + work + `]}`, `{"op":"add","path":"emails","value":[{"type":"home","value":"w@x"}]}`, `{"emails":[` + work + `,{"type":"home","value":"w@x"}]}`, nil},
		{"Q7 add an address that is there", "without a value all fields decide", `{"addresses":[{"type":"work","locality":"A"}]}`, `{"op":"add","path":"addresses","value":[{"type":"work","locality":"A"},{"type":"work","locality":"B"}]}`, `{"addresses":[{"type":"work","locality":"A"},{"type":"work","locality":"B"}]}`, nil},
		{"Q8 replace by a filter that matches nothing", "Entra expects it to be made", `{"emails":[` + home + `]}`, `{"op":"replace","path":"emails[type eq \"work\"].value","value":"w@x"}`, `{"emails":[` + home + `,` + work + `]}`, []tolerance.Name{tolerance.CreateOnFilter}},
		{"Q8 with two conditions", "both hold in what is made", `{}`, `{"op":"replace","path":"emails[type eq \"work\" and primary eq true].value","value":"w@x"}`, `{"emails":[{"type":"work","value":"w@x","primary":true}]}`, []tolerance.Name{tolerance.CreateOnFilter}},
		{"Q8 on a single complex value", "it is made as well", `{}`, `{"op":"replace","path":"name[givenName eq \"A\"].familyName","value":"B"}`, `{"name":{"givenName":"A","familyName":"B"}}`, []tolerance.Name{tolerance.CreateOnFilter}},
		{"Q9 add by a filter without any list", "Entra", `{}`, `{"op":"add","path":"emails[type eq \"work\"]","value":{"value":"w@x"}}`, `{"emails":[` + work + `]}`, []tolerance.Name{tolerance.CreateOnFilter}},
		{"Q10 one entry by several operations", "later ones find what the first made", `{}`, `{"op":"add","path":"emails[type eq \"work\"].value","value":"w@x"},{"op":"add","path":"emails[type eq \"work\"].display","value":"d"},{"op":"add","path":"emails[type eq \"work\"].primary","value":true}`, `{"emails":[{"type":"work","value":"w@x","display":"d","primary":true}]}`, []tolerance.Name{tolerance.CreateOnFilter}},
		{"Q11 dotted keys", "Entra", `{"name":{"formatted":"F"}}`, `{"op":"replace","value":{"name.givenName":"A","name.familyName":"B"}}`, `{"name":{"formatted":"F","givenName":"A","familyName":"B"}}`, []tolerance.Name{tolerance.DottedKey}},
		{"Q11 filter keys", "Entra", two, `{"op":"replace","value":{"emails[type eq \"work\"].value":"n@x","title":"t"}}`, `{"title":"t","emails":[{"type":"work","value":"n@x"},` + home + `]}`, []tolerance.Name{tolerance.DottedKey}},
		{"Q12 URN keys", "Entra, and the URN has a dot of its own", `{}`, `{"op":"replace","value":{"` + enterpriseURN + `:employeeNumber":"1","` + deskURN + `:level":2}}`, `{"` + enterpriseURN + `":{"employeeNumber":"1"},"` + deskURN + `":{"level":2}}`, []tolerance.Name{tolerance.URNKey}},
		{"Q12 URN key with a dot", "a sub-attribute of an extension's attribute", `{}`, `{"op":"add","value":{"` + enterpriseURN + `:manager.value":"u2"}}`, `{"` + enterpriseURN + `":{"manager":{"value":"u2"}}}`, []tolerance.Name{tolerance.URNKey, tolerance.DottedKey}},
		{"Q12 core URN as an object", "some treat the core schema as an extension", `{}`, `{"op":"add","value":{"` + coreURN + `":{"title":"a"}}}`, `{"title":"a"}`, []tolerance.Name{tolerance.URNKey}},
		{"Q13 core URN in a path", "RFC 7644, Section 3.10", `{}`, `{"op":"add","path":"` + coreURN + `:name.givenName","value":"A"}`, `{"name":{"givenName":"A"}}`, nil},
		{"Q13 core URN before a filter", "the same", two, `{"op":"remove","path":"` + coreURN + `:emails[type eq \"work\"]"}`, `{"emails":[` + home + `]}`, nil},
		{"Q13 core URN alone", "the whole resource, as without a path", `{}`, `{"op":"add","path":"` + coreURN + `","value":{"title":"a"}}`, `{"title":"a"}`, nil},
		{"Q14 replace complex by path", "merges", `{"name":{"givenName":"A","familyName":"B"}}`, `{"op":"replace","path":"name","value":{"familyName":"X"}}`, `{"name":{"givenName":"A","familyName":"X"}}`, nil},
		{"Q14 replace complex without path", "merges", `{"name":{"givenName":"A","familyName":"B"}}`, `{"op":"replace","value":{"name":{"familyName":"X"}}}`, `{"name":{"givenName":"A","familyName":"X"}}`, nil},
		{"Q81 manager without its URN", "Microsoft's tutorial, with a list of one", `{}`, `{"op":"add","path":"manager","value":[{"$ref":"Users/u2","value":"u2"}]}`, `{"` + enterpriseURN + `":{"manager":{"value":"u2","$ref":"Users/u2"}}}`, []tolerance.Name{tolerance.BareExtension, tolerance.ScalarInArray}},
		{"Q81 a part of the manager without its URN", "a path leads into it", `{}`, `{"op":"replace","path":"manager.value","value":"u2"}`, `{"` + enterpriseURN + `":{"manager":{"value":"u2"}}}`, []tolerance.Name{tolerance.BareExtension}},
		{"Q81 remove without its URN", "the extension goes with it", `{"` + enterpriseURN + `":{"department":"d"}}`, `{"op":"remove","path":"department"}`, `{}`, []tolerance.Name{tolerance.BareExtension}},
		{"Q83 an object in a string", "scim-for-keycloak", `{"title":"a"}`, `{"op":"replace","value":" {\"schemas\":[\"` + coreURN + `\"],\"title\":\"b\",\"name\":{\"givenName\":\"A\"}}\n"}`, `{"title":"b","name":{"givenName":"A"}}`, []tolerance.Name{tolerance.ObjectInString}},
		{"Q15 manager as a string", "Entra", `{}`, `{"op":"add","path":"` + enterpriseURN + `:manager","value":"u2"}`, `{"` + enterpriseURN + `":{"manager":{"value":"u2"}}}`, []tolerance.Name{tolerance.BareComplex}},
		{"Q15 manager as an object", "as it should be", `{}`, `{"op":"add","path":"` + enterpriseURN + `:manager","value":{"value":"u2"}}`, `{"` + enterpriseURN + `":{"manager":{"value":"u2"}}}`, nil},
		{"Q16 manager empty", "unassigned, and the extension goes with it", `{"title":"a","` + enterpriseURN + `":{"manager":{"value":"u1"}}}`, `{"op":"replace","path":"` + enterpriseURN + `:manager","value":""}`, `{"title":"a"}`, []tolerance.Name{tolerance.EmptyComplex}},
		{"Q16 manager null", "unassigned", `{"` + enterpriseURN + `":{"department":"d","manager":{"value":"u1"}}}`, `{"op":"replace","path":"` + enterpriseURN + `:manager","value":null}`, `{"` + enterpriseURN + `":{"department":"d"}}`, nil},
		{"Q17 add by a filter that matches", "that entry is updated", two, `{"op":"add","path":"emails[type eq \"work\"]","value":{"value":"n@x"}}`, `{"emails":[{"type":"work","value":"n@x"},` + home + `]}`, nil},
		{"Q17 with an array of one", "as if it were one value", two, `{"op":"add","path":"emails[type eq \"work\"]","value":[{"value":"n@x"}]}`, `{"emails":[{"type":"work","value":"n@x"},` + home + `]}`, []tolerance.Name{tolerance.ScalarInArray}},
		{"Q18 scalar in an array", "SCIM-SDK", `{}`, `{"op":"replace","path":"preferredLanguage","value":["de"]}`, `{"preferredLanguage":"de"}`, []tolerance.Name{tolerance.ScalarInArray}},
		{"Q19 object without path for a list", "is wrapped", `{}`, `{"op":"replace","value":{"emails":` + work + `}}`, `{"emails":[` + work + `]}`, []tolerance.Name{tolerance.ObjectForArray}},
		{"Q20 object by path for a list", "is wrapped", two, `{"op":"add","path":"emails","value":{"value":"a@x"}}`, `{"emails":[` + work + `,` + home + `,{"value":"a@x"}]}`, []tolerance.Name{tolerance.ObjectForArray}},
		{"Q21 role as JSON text", "Entra's app roles", `{}`, `{"op":"add","path":"roles","value":[{"value":"{\"id\":\"1\",\"value\":\"Admin\",\"displayName\":\"Administrator\"}"}]}`, `{"roles":[{"value":"Admin","display":"Administrator"}]}`, []tolerance.Name{tolerance.JSONInString}},
		{"Q22 boolean literal as a string", "Entra", `{"roles":[{"value":"a","primary":true},{"value":"b"}]}`, `{"op":"replace","path":"roles[primary eq \"True\"].value","value":"c"}`, `{"roles":[{"value":"c","primary":true},{"value":"b"}]}`, []tolerance.Name{tolerance.BooleanLiteral}},
		{"Q23 displayName of a role", "is its display", `{}`, `{"op":"add","path":"roles","value":[{"value":"a","displayName":"A"}]}`, `{"roles":[{"value":"a","display":"A"}]}`, []tolerance.Name{tolerance.DisplayName}},
		{"Q24 replace a list", "what isn't sent goes", two, `{"op":"replace","path":"emails","value":[{"value":"n@x"}]}`, `{"emails":[{"value":"n@x"}]}`, nil},
		{"Q24 replace a list without path", "the same", two, `{"op":"replace","value":{"emails":[` + home + `]}}`, `{"emails":[` + home + `]}`, nil},
		{"Q25 capitals", "names have no case, and the canonical spelling is kept", two, `{"op":"Replace","path":"Emails[Type eq \"home\"].Value","value":"n@x"}`, `{"emails":[` + work + `,{"type":"home","value":"n@x"}]}`, []tolerance.Name{tolerance.OpCase}},
		{"Q25 capitals in values", "the same", `{}`, `{"op":"add","value":{"TITLE":"a","NAME":{"GIVENNAME":"A"}}}`, `{"title":"a","name":{"givenName":"A"}}`, nil},
		{"Q57 null and empty lists", "no values", `{"title":"a","emails":[` + work + `],"roles":[{"value":"r"}]}`, `{"op":"replace","value":{"title":null,"emails":null,"roles":[]}}`, `{}`, nil},
		{"Q67 dotted extension path", "Entra's old jobs", `{}`, `{"op":"add","path":"` + enterpriseURN + `.department","value":"d"}`, `{"` + enterpriseURN + `":{"department":"d"}}`, []tolerance.Name{tolerance.DottedExtension}},
		{"Q67 dotted extension path with a sub-attribute", "the same", `{}`, `{"op":"add","path":"` + enterpriseURN + `.manager.value","value":"u2"}`, `{"` + enterpriseURN + `":{"manager":{"value":"u2"}}}`, []tolerance.Name{tolerance.DottedExtension}},

		// Primary
		{"Q29 a new primary", "demotes the old one", `{"emails":[{"value":"a","primary":true}]}`, `{"op":"add","path":"emails","value":[{"value":"b","primary":true}]}`, `{"emails":[{"value":"a"},{"value":"b","primary":true}]}`, nil},
		{"Q29 by filter", "demotes the old one", `{"emails":[{"type":"work","value":"a"},{"value":"b","primary":true}]}`, `{"op":"replace","path":"emails[type eq \"work\"].primary","value":true}`, `{"emails":[{"type":"work","value":"a","primary":true},{"value":"b"}]}`, nil},
		{"Q29 several in one operation", "the last one wins", `{}`, `{"op":"replace","path":"emails","value":[{"value":"a","primary":true},{"value":"b","primary":true}]}`, `{"emails":[{"value":"a"},{"value":"b","primary":true}]}`, []tolerance.Name{tolerance.ManyPrimaries}},
		{"Q29 one after another", "needs no tolerance", `{}`, `{"op":"add","path":"emails","value":[{"value":"a","primary":true}]},{"op":"add","path":"emails","value":[{"value":"b","primary":true}]}`, `{"emails":[{"value":"a"},{"value":"b","primary":true}]}`, nil},
		{"Q29 the first again", "a demoted value is found and made primary, not doubled", `{"addresses":[{"locality":"A"},{"locality":"B","primary":true}]}`, `{"op":"add","path":"addresses","value":[{"locality":"A","primary":true}]}`, `{"addresses":[{"locality":"A","primary":true},{"locality":"B"}]}`, nil},
		{"Q29 an operation on something else", "is not the one to decide between two that were there", `{"emails":[{"value":"a","primary":true},{"value":"b","primary":true}]}`, `{"op":"add","path":"emails.display","value":"d"}`, `{"emails":[{"value":"a","display":"d","primary":true},{"value":"b","display":"d","primary":true}]}`, nil},
		{"Q29 primary false", "says nothing about the others", `{"emails":[{"value":"a","primary":true}]}`, `{"op":"add","path":"emails","value":[{"value":"b","primary":false}]}`, `{"emails":[{"value":"a","primary":true},{"value":"b","primary":false}]}`, nil},

		// Removal of listed values
		{"Q31 remove listed values", "and no others", two, `{"op":"remove","path":"emails","value":[{"value":"W@X"}]}`, `{"emails":[` + home + `]}`, []tolerance.Name{tolerance.RemoveByValue}},
		{"Q31 of another type", "isn't the one that is there", two, `{"op":"remove","path":"emails","value":[{"value":"w@x","type":"home"}]}`, two, []tolerance.Name{tolerance.RemoveByValue}},
		{"Q31 of any type", "a type that isn't said doesn't matter", two, `{"op":"remove","path":"emails","value":[{"value":"w@x"},{"value":"h@x","type":"HOME"}]}`, `{}`, []tolerance.Name{tolerance.RemoveByValue}},
		{"Q31 without a value", "all of it must be the same", `{"addresses":[{"locality":"A"},{"locality":"A","region":"R"}]}`, `{"op":"remove","path":"addresses","value":[{"locality":"A"}]}`, `{"addresses":[{"locality":"A","region":"R"}]}`, []tolerance.Name{tolerance.RemoveByValue}},
		{"Q31 tags", "simple values", `{"` + deskURN + `":{"tags":["a","b"]}}`, `{"op":"remove","path":"` + deskURN + `:tags","value":["a","x"]}`, `{"` + deskURN + `":{"tags":["b"]}}`, []tolerance.Name{tolerance.RemoveByValue}},
		{"Q31 empty list", "removes nothing", two, `{"op":"remove","path":"emails","value":[]}`, two, []tolerance.Name{tolerance.RemoveByValue}},
		{"Q32 no value", "removes all", two, `{"op":"remove","path":"emails","value":null}`, `{}`, nil},
		{"Q33 replace with []", "empties", two, `{"op":"replace","path":"emails","value":[]}`, `{}`, nil},
		{"Q34 remove by a filter that matches nothing", "clients try again", two, `{"op":"remove","path":"emails[type eq \"other\"]"}`, two, []tolerance.Name{tolerance.RemoveNoMatch}},
		{"Q34 a sub-attribute", "the same", two, `{"op":"replace","path":"emails[type eq \"other\"].value","value":null}`, two, []tolerance.Name{tolerance.RemoveNoMatch}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			before := stored(t, typ, test.before)
			used, o := tolerant()
			r, err := patch.Parse(typ, message(test.ops), o)
			if err != nil {
				t.Fatalf("%s: %v", test.reason, err)
			}
			got, err := r.Apply(patch.NewWork(t.Context()), before)
			if err != nil {
				t.Fatalf("%s: %v", test.reason, err)
			}
			if diff := cmp.Diff(generic(t, test.want), plain(t, got)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", test.reason, diff)
			}
			if diff := cmp.Diff(test.used, used.Used()); diff != "" {
				t.Errorf("tolerances used (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(generic(t, test.before), plain(t, before)); diff != "" {
				t.Errorf("Apply changed its argument (-want +got):\n%s", diff)
			}
			again, err := r.Apply(patch.NewWork(t.Context()), before)
			if diff := cmp.Diff(plain(t, got), plain(t, again)); diff != "" || err != nil {
				t.Errorf("applied twice: %v (-first +second):\n%s", err, diff)
			}
			got, err = run(typ, before, message(test.ops), strict())
			same := err == nil && cmp.Equal(generic(t, test.want), plain(t, got))
			if same != (test.used == nil) {
				t.Errorf("in strict mode: %v, %v", plain(t, got), err)
			}
		})
	}
}

// TestLongestURN has extensions of which one's URN begins with the other's.
func TestLongestURN(t *testing.T) {
	extension := func(urn string, names ...string) schema.Schema {
		s := schema.Schema{ID: urn, Name: optional.NewString("X")}
		for _, name := range names {
			s.Attributes = append(s.Attributes, schema.SimpleCoreAttribute(schema.SimpleStringParams(schema.StringParams{Name: name})))
		}
		return s
	}
	for _, swap := range []bool{false, true} {
		long, short := extension("urn:example:a:b", "x"), extension("urn:example:a", "b", "x")
		if swap {
			long, short = short, long
		}
		typ := compile(t, "User", schema.CoreUserSchema(), long, short)
		ops := `{"op":"add","path":"urn:example:a:b:x","value":"1"},{"op":"add","value":{"URN:EXAMPLE:A:x":"2"}},{"op":"add","path":"urn:example:a.b","value":"3"}`
		got, err := run(typ, nil, message(ops), patch.Options{})
		if err != nil {
			t.Fatal(err)
		}
		want := `{"urn:example:a:b":{"x":"1"},"urn:example:a":{"x":"2","b":"3"}}`
		if diff := cmp.Diff(generic(t, want), plain(t, got)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}
