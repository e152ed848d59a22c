package doc_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/model"
	"github.com/scimkit/scim/internal/tolerance"
)

// show lists values one a line, without the help of the encoder.
func show(values []doc.Value) []string {
	var out []string
	var walk func(path string, v doc.Value, elem bool)
	walk = func(path string, v doc.Value, elem bool) {
		switch {
		case v.IsList() && !elem:
			for i, e := range v.Kids() {
				walk(fmt.Sprintf("%s[%d]", path, i), e, true)
			}
		case v.Attr.Kind == model.Complex:
			for _, f := range v.Kids() {
				walk(path+"."+f.Attr.Name, f, false)
			}
		default:
			out = append(out, path+"="+v.Text)
		}
	}
	for _, v := range values {
		walk(v.Attr.Name, v, false)
	}
	return out
}

// refusal takes a *fault.Error apart.
func refusal(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	var f *fault.Error
	if !errors.As(err, &f) {
		t.Fatalf("error %v is a %T, not a *fault.Error", err, err)
	}
	if f.Status != 400 {
		t.Errorf("status %d, want 400", f.Status)
	}
	return f.Error()
}

func TestDecode(t *testing.T) {
	user, group, probe := users(t), groups(t), probes(t)
	ext := entURN
	tests := []struct {
		name, reason string
		typ          *model.Type
		body         string
		opt          doc.Options
		want         []string
		ignored      []string
		used         []tolerance.Name
		err          string // its whole text
	}{
		{name: "canonical names", reason: "names match in any case of ASCII letters (RFC 7643, 2.1) and are kept in the schema's spelling and order", typ: user,
			body: `{"USERNAME":"jo","eXternalid":"x","Name":{"GIVENNAME":"Jo"}}`,
			want: []string{"externalId=x", "userName=jo", "name.givenName=Jo"}},
		{name: "no folding beyond ASCII", reason: "the long s is another letter, so this is an unknown attribute", typ: user,
			body: `{"uſerName":"jo"}`, ignored: []string{"uſerName"}, used: []tolerance.Name{tolerance.UnknownAttribute}},
		{name: "same attribute in two spellings, same value", reason: "nothing is contradicted", typ: user,
			body: `{"userName":"jo","username":"jo","emails":[{"value":"a"}],"Emails":[{"VALUE":"a"}]}`,
			want: []string{"userName=jo", "emails[0].value=a"}},
		{name: "same attribute in two spellings, other value", reason: "which one is meant cannot be told", typ: user,
			body: `{"userName":"jo","username":"Jo"}`, err: "invalidSyntax: userName: is given twice, with different values"},
		{name: "same name twice", reason: "JSON that parsers read differently is refused (RFC 8259, 4)", typ: user,
			body: `{"userName":"jo","userName":"jo"}`, err: `invalidSyntax: an object has the name "userName" twice`},
		{name: "same unknown name twice", reason: "also where nothing is kept", typ: user,
			body: `{"x":{"y":1,"y":1}}`, err: `invalidSyntax: an object has the name "y" twice`},
		{name: "escaped name", reason: "an escape is the letter it stands for", typ: user, body: `{"user\u004eame":"jo"}`, want: []string{"userName=jo"}},
		{name: "escapes in strings", reason: "values are kept as what they mean", typ: user,
			body: `{"userName":"a\"b\\c\n\u00e9\ud83d\ude00","title":""}`, want: []string{"userName=a\"b\\c\né😀", "title="}},
		{name: "not an object", reason: "a resource is an object", typ: user, body: `[]`, err: "invalidSyntax: the body must be a JSON object"},
		{name: "null", reason: "a resource is an object", typ: user, body: `null`, err: "invalidSyntax: the body must be a JSON object"},
		{name: "empty", reason: "nothing is not JSON", typ: user, body: ``, err: "invalidSyntax: the JSON ends too early"},
		{name: "cut off", reason: "connections break", typ: user, body: `{"userName":"jo"`, err: "invalidSyntax: the JSON ends too early"},
		{name: "more behind it", reason: "two resources in one body are a mistake or a trick", typ: user, body: `{"userName":"jo"} {}`, err: "invalidSyntax: there is more behind the end of the JSON value"},
		{name: "bad UTF-8", reason: "it cannot be sent back", typ: user, body: "{\"userName\":\"a\xff\"}", err: "invalidSyntax: the JSON is not valid near byte 14: invalid UTF-8"},
		{name: "lone surrogate", reason: "it is no character, and the error does not quote what may be a password", typ: user, body: `{"password":"\ud800x"}`, err: "invalidSyntax: the JSON is not valid near byte 13: invalid surrogate pair"},
		{name: "U+0000", reason: "databases reject it", typ: user, body: `{"userName":"a\u0000"}`, err: "invalidValue: userName: must not contain U+0000"},
		{name: "U+0000 in a name", reason: "it could be kept as an unknown attribute", typ: user, body: `{"a\u0000":1}`, err: "invalidValue: a name in the body: must not contain U+0000"},
		{name: "U+0000 in what is kept", reason: "databases reject it there too", typ: user, opt: doc.Options{KeepUnknown: true}, body: `{"x":["\\\u0000"]}`, err: "invalidValue: x: must not contain U+0000"},
		{name: "an escaped backslash before u0000", reason: "that is six characters of text", typ: user, opt: doc.Options{KeepUnknown: true}, body: `{"x":"\\u0000"}`, want: []string{`x="\\u0000"`}, used: []tolerance.Name{tolerance.UnknownAttribute}},
		{name: "deep known", reason: "the limit counts every object", typ: user, opt: doc.Options{MaxDepth: 2}, body: `{"` + ext + `":{"manager":{"value":"1"}}}`, err: "invalidSyntax: objects and lists are nested more than 2 deep"},
		{name: "deep unknown", reason: "also in what is read over", typ: user, body: `{"x":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`, err: "invalidSyntax: objects and lists are nested more than 32 deep"},
		{name: "brackets in a string", reason: "they nest nothing", typ: user, body: `{"x":["` + strings.Repeat("[", 40) + `\"` + `"]}`, ignored: []string{"x"}, used: []tolerance.Name{tolerance.UnknownAttribute}},

		{name: "Q39 unknown URNs in schemas", reason: "Entra lists one of its own", typ: group, body: `{"schemas":["http://schemas.example/2006/11/Group","urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"g"}`, want: []string{"displayName=g"}},
		{name: "schemas of another kind", reason: "the message is malformed", typ: user, body: `{"schemas":"x"}`, err: "invalidSyntax: schemas: needs a list of URNs"},
		{name: "schemas with a number", reason: "the message is malformed", typ: user, body: `{"schemas":[1]}`, err: "invalidSyntax: schemas: needs a list of URNs"},
		{name: "Q28 Q58 Q62 id, meta, groups", reason: "they are the server's; whatever they hold is skipped", typ: user,
			body: `{"schemas":["x"],"id":null,"meta":{"resourceType":5},"groups":[{"value":7}],"userName":"jo"}`, want: []string{"userName=jo"}},
		{name: "readOnly attributes", reason: "they are ignored (RFC 7644, 3.3) and reported", typ: probe,
			body:    `{"schemas":["x"],"given":{"any":"thing"},"box":{"value":"v","given":"g"},"box.given":"x"}`,
			want:    []string{"box.value=v"},
			ignored: []string{"given", "box.given"}, used: []tolerance.Name{tolerance.DottedKey}},
		{name: "readOnly from our own store", reason: "what we wrote we read", typ: probe, opt: doc.Options{Stored: true},
			body: `{"id":"1","meta":{"version":"x"},"given":"g","secret":"s","box":{"given":"h","secret":"t"}}`,
			want: []string{"given=g", "secret=s", "box.given=h", "box.secret=t"}},

		{name: "Q2 booleans in strings", reason: "Entra sends True, Keycloak true", typ: user, body: `{"schemas":["x"],"active":"False","emails":[{"value":"a","primary":"TRUE"}]}`,
			want: []string{"active=false", "emails[0].value=a", "emails[0].primary=true"}, used: []tolerance.Name{tolerance.BooleanString}},
		{name: "Q2 a string stays a string", reason: "nobody is renamed to true", typ: user, body: `{"schemas":["x"],"displayName":"True"}`, want: []string{"displayName=True"}},
		{name: "Q30 no boolean", reason: "it cannot be guessed", typ: user, body: `{"emails":[{"primary":"maybe"}]}`, err: `invalidValue: emails.primary: needs true or false, got "maybe"`},
		{name: "a number for a boolean", reason: "1 is not true", typ: user, body: `{"active":1}`, err: "invalidValue: active: needs true or false, got 1"},
		{name: "a number for a string", reason: "the text would not come back as it was sent", typ: user, body: `{"title":5}`, err: "invalidValue: title: needs a string, got 5"},
		{name: "a boolean for a string", reason: "no coercion onto strings", typ: user, body: `{"title":true}`, err: "invalidValue: title: needs a string, got true"},
		{name: "an object for a string", reason: "it is not one", typ: user, body: `{"title":{"a":1}}`, err: "invalidValue: title: needs a string, got an object"},
		{name: "numbers", reason: "decimals are returned as they were sent; integers have no exponent (RFC 7643, Section 2.3.4)", typ: probe, body: `{"schemas":["x"],"count":1e2,"rate":-1.50}`, want: []string{"count=100", "rate=-1.50"}},
		{name: "numbers in strings", reason: "some clients quote everything", typ: probe, body: `{"schemas":["x"],"count":"5","rate":"0.5"}`, want: []string{"count=5", "rate=0.5"}, used: []tolerance.Name{tolerance.NumberString}},
		{name: "a whole number with a fraction of zero", reason: "JSON has one kind of number", typ: probe, body: `{"schemas":["x"],"count":-12.300e1}`, want: []string{"count=-123"}},
		{name: "a fraction for a whole number", reason: "rounding would be a guess", typ: probe, body: `{"count":1.00000000000000000001}`, err: "invalidValue: count: needs a whole number, got 1.00000000000000000001"},
		{name: "beyond 64 bits", reason: "it would not fit", typ: probe, body: `{"count":9223372036854775808}`, err: "invalidValue: count: needs a whole number, got 9223372036854775808"},
		{name: "an exponent that would fill the memory", reason: "1e999999999 has a billion digits", typ: probe, body: `{"count":1e999999999}`, err: "invalidValue: count: needs a whole number, got 1e999999999"},
		{name: "a decimal beyond range", reason: "it is infinite as a float", typ: probe, body: `{"rate":1e999}`, err: "invalidValue: rate: needs a number, got 1e999"},
		{name: "no number in a string", reason: "JSON's grammar has no plus sign", typ: probe, body: `{"rate":"+1"}`, err: `invalidValue: rate: needs a number, got "+1"`},
		{name: "dateTime", reason: "kept as it was sent", typ: probe, body: `{"schemas":["x"],"when":"2026-01-31T12:00:00.500+02:00"}`, want: []string{"when=2026-01-31T12:00:00.500+02:00"}},
		{name: "dateTime without a zone", reason: "xsd:dateTime allows that", typ: probe, body: `{"schemas":["x"],"when":"2026-01-31T12:00:00"}`, want: []string{"when=2026-01-31T12:00:00"}},
		{name: "a date alone", reason: "date and time are both needed (RFC 7643, 2.3.5)", typ: probe, body: `{"when":"2026-01-31"}`, err: `invalidValue: when: needs a date and time such as "2026-01-31T12:00:00Z", got "2026-01-31"`},
		{name: "a day that is not", reason: "February is short", typ: probe, body: `{"when":"2026-02-30T00:00:00Z"}`, err: `invalidValue: when: needs a date and time such as "2026-01-31T12:00:00Z", got "2026-02-30T00:00:00Z"`},
		{name: "binary in the URL alphabet", reason: "kept as it was sent", typ: probe, body: `{"schemas":["x"],"blob":"_-8"}`, want: []string{"blob=_-8"}},
		{name: "no base64", reason: "it would not decode", typ: probe, body: `{"blob":"a*b="}`, err: `invalidValue: blob: needs a string in base64, got "a*b="`},
		{name: "a long value is not repeated", reason: "an error is not the place for it", typ: user, body: `{"active":"` + strings.Repeat("é", 100) + `"}`,
			err: `invalidValue: active: needs true or false, got "` + strings.Repeat("é", 29) + "…"},

		{name: "Q18 a list of one for a single value", reason: "an old SCIM-SDK wraps everything", typ: user, body: `{"schemas":["x"],"preferredLanguage":["de"],"name":[{"givenName":"Jo"}],"title":[]}`,
			want: []string{"name.givenName=Jo", "preferredLanguage=de"}, used: []tolerance.Name{tolerance.ScalarInArray}},
		{name: "Q18 a list of two for a single value", reason: "which one is meant cannot be told", typ: user, body: `{"title":["a","b"]}`, err: "invalidValue: title: needs one value, got a list of several"},
		{name: "Q19 an object for a list", reason: "OneLogin's template", typ: user, body: `{"schemas":["x"],"emails":{"value":"a@x"}}`, want: []string{"emails[0].value=a@x"}, used: []tolerance.Name{tolerance.ObjectForArray}},
		{name: "a bare string for a list", reason: "no client needs it", typ: user, body: `{"schemas":["x"],"emails":"a@x"}`, err: `invalidValue: emails: needs a list, got "a@x"`},
		{name: "a bare number for a list", reason: "no client needs it", typ: user, body: `{"schemas":["x"],"emails":5}`, err: `invalidValue: emails: needs a list, got 5`},
		{name: "Q16 an empty string for a list", reason: "it stands for no value", typ: user, body: `{"schemas":["x"],"emails":""}`, used: []tolerance.Name{tolerance.ObjectForArray, tolerance.EmptyComplex}},
		{name: "bare elements", reason: "a list of strings is a list of values", typ: user, body: `{"schemas":["x"],"emails":["a@x",{"value":"b@x"}]}`, want: []string{"emails[0].value=a@x", "emails[1].value=b@x"}, used: []tolerance.Name{tolerance.BareComplex}},
		{name: "a list in a list", reason: "there are no such values (RFC 7643, 2.3.8)", typ: user, body: `{"emails":[["a@x"]]}`, err: "invalidValue: emails: needs an object, got a list"},
		{name: "Q15 a bare manager", reason: "Entra sends the id alone", typ: user, body: `{"schemas":["x"],"` + ext + `":{"manager":"u2"}}`, want: []string{ext + ".manager.value=u2"}, used: []tolerance.Name{tolerance.BareComplex}},
		{name: "Q16 an empty manager", reason: "that unassigns it, and the extension with it", typ: user, body: `{"schemas":["x"],"` + ext + `":{"manager":""}}`, used: []tolerance.Name{tolerance.EmptyComplex}},
		{name: "Q16 an empty string", reason: "kept as it was sent", typ: user, body: `{"schemas":["x"],"title":""}`, want: []string{"title="}},
		{name: "a bare value of the wrong kind", reason: "it is judged as the value", typ: user, body: `{"emails":[5]}`, err: "invalidValue: emails.value: needs a string, got 5"},
		{name: "a string for a complex attribute without value", reason: "there is no place for it", typ: user, body: `{"name":"Jo"}`, err: `invalidValue: name: needs an object, got "Jo"`},
		{name: "a string for an extension", reason: "there is no place for it", typ: user, body: `{"` + ext + `":"x"}`, err: `invalidValue: ` + ext + `: needs an object, got "x"`},
		{name: "Q57 null and empty", reason: "they say that there is no value (RFC 7643, 2.5)", typ: user,
			body: `{"schemas":["x"],"title":null,"emails":[],"phoneNumbers":null,"name":{},"photos":[null,{},{"value":null}],"` + ext + `":{"manager":{"value":null}}}`},
		{name: "Q59 nothing but a name", reason: "what is required is asked elsewhere", typ: user, body: `{"schemas":["x"],"emails":[{"value":"a"}]}`, want: []string{"emails[0].value=a"}},

		{name: "Q21 a role as JSON in a string", reason: "Entra's SingleAppRoleAssignment", typ: user,
			body: `{"schemas":["x"],"roles":[{"primary":true,"type":"old","value":"{\"id\":\"7\",\"value\":\"Admin\",\"displayName\":\"The admin\",\"type\":\"WindowsAzureActiveDirectoryRole\"}"}]}`,
			want: []string{"roles[0].value=Admin", "roles[0].display=The admin", "roles[0].type=WindowsAzureActiveDirectoryRole", "roles[0].primary=true"},
			used: []tolerance.Name{tolerance.JSONInString}},
		{name: "Q21 bare JSON in a string", reason: "also without an object around it", typ: user, body: `{"schemas":["x"],"entitlements":["{\"value\":\"E\"}"]}`, want: []string{"entitlements[0].value=E"}, used: []tolerance.Name{tolerance.BareComplex, tolerance.JSONInString}},
		{name: "Q21 JSON without a value", reason: "it is the application's own", typ: user, body: `{"schemas":["x"],"roles":[{"value":"{\"id\":1}"}]}`, want: []string{`roles[0].value={"id":1}`}},
		{name: "Q21 no JSON after all", reason: "it is the application's own", typ: user, body: `{"schemas":["x"],"roles":[{"value":"{Admin}"}]}`, want: []string{`roles[0].value={Admin}`}},
		{name: "Q21 elsewhere", reason: "an address may look like anything", typ: user, body: `{"schemas":["x"],"emails":[{"value":"{\"value\":\"E\"}"}]}`, want: []string{`emails[0].value={"value":"E"}`}},
		{name: "Q23 displayName for display", reason: "Entra's roles in a POST", typ: user, body: `{"schemas":["x"],"roles":[{"value":"a","displayName":"A"}]}`, want: []string{"roles[0].value=a", "roles[0].display=A"}, used: []tolerance.Name{tolerance.DisplayName}},
		{name: "Q23 display is the better one", reason: "it is the attribute", typ: user, body: `{"schemas":["x"],"roles":[{"displayName":"B","display":"A"}]}`, want: []string{"roles[0].display=A"}, used: []tolerance.Name{tolerance.DisplayName}},

		{name: "Q11 dotted names", reason: "Entra's old jobs; they join the object", typ: user, body: `{"schemas":["x"],"name.givenName":"Jo","name":{"familyName":"Oh"}}`, want: []string{"name.familyName=Oh", "name.givenName=Jo"}, used: []tolerance.Name{tolerance.DottedKey}},
		{name: "Q11 a dotted name that contradicts", reason: "which one is meant cannot be told", typ: user, body: `{"name.givenName":"Jo","name":{"givenName":"Al"}}`, err: "invalidSyntax: name.givenName: is given twice, with different values"},
		{name: "Q11 dotted into a list", reason: "which element is meant cannot be told", typ: user, body: `{"schemas":["x"],"emails.value":"a"}`, ignored: []string{"emails.value"}, used: []tolerance.Name{tolerance.UnknownAttribute}},
		{name: "Q12 Q66 URNs as names", reason: "Entra flattens extensions", typ: user,
			body: `{"schemas":["x"],"` + ext + `:department":"D","` + strings.ToUpper(ext) + `:manager.value":"u2","` + ext + `":{"costCenter":"4"}}`,
			want: []string{ext + ".costCenter=4", ext + ".department=D", ext + ".manager.value=u2"}, used: []tolerance.Name{tolerance.URNKey, tolerance.DottedKey}},
		{name: "Q65 an extension in another case, not in schemas", reason: "URNs match in any case, and the data is there", typ: user, body: `{"schemas":["x"],"` + strings.ToUpper(ext) + `":{"DEPARTMENT":"D"}}`, want: []string{ext + ".department=D"}},
		{name: "Q13 core URN before a name", reason: "it is the attribute", typ: user, body: `{"schemas":["x"],"` + userURN + `:userName":"jo","` + userURN + `:name.givenName":"Jo"}`, want: []string{"userName=jo", "name.givenName=Jo"}, used: []tolerance.Name{tolerance.URNKey, tolerance.DottedKey}},
		{name: "Q13 core URN around everything", reason: "as an extension would be", typ: user, body: `{"schemas":["x"],"` + userURN + `":{"userName":"jo","title":"T","id":"9"}}`, want: []string{"userName=jo", "title=T"}, used: []tolerance.Name{tolerance.URNKey}},
		{name: "core URN with no object", reason: "there is no place for it", typ: user, body: `{"` + userURN + `":1}`, err: "invalidValue: " + userURN + ": needs an object"},
		{name: "core URN in core URN", reason: "the depth limit holds there too", typ: user, body: strings.Repeat(`{"`+userURN+`":`, 40) + "1" + strings.Repeat("}", 40), err: "invalidSyntax: objects and lists are nested more than 32 deep"},

		{name: "Q26 unknown attributes", reason: "one of them must not block the whole user", typ: user, body: `{"schemas":["x"],"companyName":"C","name":{"nick":"n"},"":1,"` + ext + `":{"floor":3}}`,
			ignored: []string{"companyName", "name.nick", "", ext + ":floor"}, used: []tolerance.Name{tolerance.UnknownAttribute}},
		{name: "Q27 unknown attributes kept", reason: "Okta puts custom attributes at the top", typ: user, opt: doc.Options{KeepUnknown: true},
			body: `{"schemas":["x"],"costCentre":"9", "deep" : { "a" : [ 1 , null ] }, "none":null, "nothing":[], "userName":"jo","name":{"nick":"n"}}`,
			want: []string{"userName=jo", `costCentre="9"`, `deep={"a":[1,null]}`}, ignored: []string{"name.nick"}, used: []tolerance.Name{tolerance.UnknownAttribute}},
		{name: "Q27 an unknown attribute twice", reason: "names match in any case, known or not", typ: user, opt: doc.Options{KeepUnknown: true}, body: `{"x":1,"X":2}`, err: "invalidSyntax: X: is given twice, with different values"},
		{name: "Q42 members in any form", reason: "their parts are immutable or readOnly, and that is no matter here", typ: group, body: `{"schemas":["x"],"members":[{"value":"1","$ref":null,"display":"A"},{"value":"2"}]}`, want: []string{"members[0].value=1", "members[1].value=2"}, ignored: []string{"members.display"}},
		{name: "a secret of the wrong kind", reason: "an error never repeats it", typ: probe, body: `{"secret":12345}`, err: "invalidValue: secret: needs a string"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			use := &tolerance.Use{}
			tt.opt.Tol = use
			b, err := doc.Decode(tt.typ, []byte(tt.body), tt.opt)
			if diff := cmp.Diff(tt.err, refusal(t, err)); diff != "" {
				t.Fatalf("%s (-want +got):\n%s", tt.reason, diff)
			}
			if err != nil {
				return
			}
			if diff := cmp.Diff(tt.want, show(b.Values)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.reason, diff)
			}
			if diff := cmp.Diff(tt.ignored, b.Ignored); diff != "" {
				t.Errorf("%s: ignored (-want +got):\n%s", tt.reason, diff)
			}
			used := slices.DeleteFunc(use.Used(), func(n tolerance.Name) bool {
				return n == tolerance.MissingSchemas // most rows leave them out; another test is about that
			})
			if diff := cmp.Diff(tt.used, used, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%s: tolerances (-want +got):\n%s", tt.reason, diff)
			}
		})
	}
}

func TestMissingSchemas(t *testing.T) {
	tests := []struct {
		name, reason, body string
		has                bool
	}{
		{"Q3 none", "the endpoint says which", `{"userName":"jo"}`, false},
		{"null", "absent", `{"schemas":null,"userName":"jo"}`, false},
		{"empty", "absent", `{"schemas":[],"userName":"jo"}`, false},
		{"one", "whichever it is", `{"schemas":["x"],"userName":"jo"}`, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			use := &tolerance.Use{}
			b, err := doc.Decode(users(t), []byte(tt.body), doc.Options{Tol: use})
			if err != nil {
				t.Fatal(err)
			}
			if b.HasSchemas != tt.has || slices.Contains(use.Used(), tolerance.MissingSchemas) == tt.has {
				t.Errorf("%s: HasSchemas %v, used %v", tt.reason, b.HasSchemas, use.Used())
			}
		})
	}
}

func TestDecodeStrict(t *testing.T) {
	user, probe := users(t), probes(t)
	tests := []struct {
		name, reason string
		typ          *model.Type
		body, err    string
		off          tolerance.Name
	}{
		{"schemas missing", "RFC 7644, 3.1 requires it", user, `{}`, "invalidSyntax: schemas: is required and must list " + userURN, tolerance.MissingSchemas},
		{"boolean", "RFC 7643, 2.3.2", user, `{"schemas":["` + userURN + `"],"active":"true"}`, `invalidValue: active: needs true or false, got "true"`, tolerance.BooleanString},
		{"number", "RFC 7643, 2.3.4", probe, `{"schemas":["` + probeURN + `"],"count":"1"}`, `invalidValue: count: needs a whole number, got "1"`, tolerance.NumberString},
		{"list for one", "single values have no list", user, `{"schemas":["` + userURN + `"],"title":["a"]}`, "invalidValue: title: needs a string, got a list", tolerance.ScalarInArray},
		{"one for list", "multi-valued attributes are lists", user, `{"schemas":["` + userURN + `"],"emails":{"value":"a"}}`, "invalidValue: emails: needs a list, got an object", tolerance.ObjectForArray},
		{"bare", "complex attributes are objects", user, `{"schemas":["` + userURN + `"],"emails":["a"]}`, `invalidValue: emails: needs an object, got "a"`, tolerance.BareComplex},
		{"empty bare", "the empty string is a string", user, `{"schemas":["` + userURN + `"],"emails":[""]}`, `invalidValue: emails: needs an object, got ""`, tolerance.EmptyComplex},
		{"unknown", "no schema has it", user, `{"schemas":["` + userURN + `"],"shoe":1}`, "invalidValue: shoe: there is no such attribute", tolerance.UnknownAttribute},
		{"unknown part", "no schema has it", user, `{"schemas":["` + userURN + `"],"name":{"shoe":1}}`, "invalidValue: name.shoe: there is no such attribute", tolerance.UnknownAttribute},
		{"display name", "no schema has it", user, `{"schemas":["` + userURN + `"],"roles":[{"displayName":"x"}]}`, "invalidValue: roles.displayName: there is no such attribute", ""},
		{"dotted", "dots are not in names", user, `{"schemas":["` + userURN + `"],"name.givenName":"x"}`, "invalidValue: name.givenName: there is no such attribute", ""},
		{"URN", "attributes stand below their schema's URN", user, `{"schemas":["` + userURN + `"],"` + userURN + `:title":"x"}`, "invalidValue: " + userURN + ":title" + ": there is no such attribute", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := doc.Decode(tt.typ, []byte(tt.body), doc.Options{Tol: &tolerance.Use{Strict: true}})
			if diff := cmp.Diff(tt.err, refusal(t, err)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.reason, diff)
			}
			if tt.off != "" {
				if _, err := doc.Decode(tt.typ, []byte(tt.body), doc.Options{Tol: &tolerance.Use{Off: []tolerance.Name{tt.off}}}); err == nil {
					t.Errorf("%s is off, and it was accepted", tt.off)
				}
			}
			if _, err := doc.Decode(tt.typ, []byte(tt.body), doc.Options{}); err != nil {
				t.Errorf("refused when tolerant: %v", err)
			}
		})
	}
	t.Run("core URN", func(t *testing.T) {
		_, err := doc.Decode(user, []byte(`{"schemas":["x"]}`), doc.Options{Tol: &tolerance.Use{Strict: true}})
		if diff := cmp.Diff("invalidSyntax: schemas: must list "+userURN, refusal(t, err)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestPassword(t *testing.T) {
	user := users(t)
	secret := "hunter-2-\\u00e9"
	tests := []struct{ name, reason, body, want, err string }{
		{"Q56 apart", "it is handed on and never kept", `{"userName":"jo","password":"` + secret + `"}`, "hunter-2-é", ""},
		{"any spelling", "names match in any case, with or without the URN", `{"` + userURN + `:PassWord":"` + secret + `","userName":"jo"}`, "hunter-2-é", ""},
		{"null", "not given", `{"userName":"jo","password":null}`, "", ""},
		{"empty", "not given", `{"userName":"jo","password":""}`, "", ""},
		{"number", "the error does not repeat it", `{"password":12345}`, "", "invalidValue: password: needs a string"},
		{"list", "the error does not repeat it", `{"password":["` + secret + `"]}`, "", "invalidValue: password: needs a string"},
		{"twice", "the error does not repeat it", `{"password":"a","Password":"b"}`, "", "invalidSyntax: password: is given twice, with different values"},
		{"U+0000", "the error does not repeat it", `{"password":"a\u0000"}`, "", "invalidValue: password: must not contain U+0000"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b, err := doc.Decode(user, []byte(tt.body), doc.Options{})
			if diff := cmp.Diff(tt.err, refusal(t, err)); diff != "" {
				t.Fatalf("%s (-want +got):\n%s", tt.reason, diff)
			}
			if err != nil {
				return
			}
			got := ""
			if b.Password != nil {
				got = *b.Password
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.reason, diff)
			}
			if diff := cmp.Diff([]string{"userName=jo"}, show(b.Values)); diff != "" {
				t.Errorf("values (-want +got):\n%s", diff)
			}
		})
	}
}

func TestIgnoredIsLimited(t *testing.T) {
	var body strings.Builder
	body.WriteString(`{"userName":"jo"`)
	for i := range 5000 {
		fmt.Fprintf(&body, `,"x%d":1`, i)
	}
	body.WriteString("}")
	b, err := doc.Decode(users(t), []byte(body.String()), doc.Options{KeepUnknown: true})
	if err != nil {
		t.Fatal(err)
	}
	if len(b.Ignored) != 20 || len(b.Values) != 101 {
		t.Errorf("%d ignored and %d values, want 20 and 101", len(b.Ignored), len(b.Values))
	}
}

func TestDecodeValue(t *testing.T) {
	user, group := users(t), groups(t)
	tests := []struct {
		name, reason string
		typ          *model.Type
		path, raw    string
		elem         bool
		want         []string
		err          string
	}{
		{"single", "", user, "userName", ` "jo" `, false, []string{"userName=jo"}, ""},
		{"readOnly", "the caller decides about the attribute itself", user, "id", `"7"`, false, []string{"id=7"}, ""},
		{"list", "it stands among fields", user, "emails", `[{"value":"a"}]`, false, []string{"emails[0].value=a"}, ""},
		{"Q20 one object", "RFC 7644, 3.5.2.1 tolerates it", group, "members", `{"value":"u1"}`, false, []string{"members[0].value=u1"}, ""},
		{"Q33 empty list", "absent", group, "members", `[]`, false, nil, ""},
		{"null", "absent", group, "members", `null`, false, nil, ""},
		{"element", "as if single-valued", group, "members", `{"value":"u1"}`, true, []string{"members.value=u1"}, ""},
		{"element in a list", "one is unwrapped", group, "members", `[{"value":"u1"}]`, true, []string{"members.value=u1"}, ""},
		{"elements in a list", "one was asked for", group, "members", `[{"value":"u1"},{"value":"u2"}]`, true, nil, "invalidValue: members: needs one value, got a list of several"},
		{"sub-attribute", "it needs no parent", user, "name.givenName", `"Jo"`, false, []string{"givenName=Jo"}, ""},
		{"extension", "an object", user, entURN, `{"department":"D","manager.value":"m"}`, false, []string{entURN + ".department=D", entURN + ".manager.value=m"}, ""},
		{"two values", "one was asked for", user, "title", `"a" "b"`, false, nil, "invalidSyntax: there is more behind the end of the JSON value"},
		{"nothing", "", user, "title", ``, false, nil, "invalidSyntax: the JSON ends too early"},
		{"password", "the error does not repeat it", user, "password", `5`, false, nil, "invalidValue: password: needs a string"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			read := doc.DecodeValue
			if tt.elem {
				read = doc.DecodeElement
			}
			v, err := read(tt.typ.Find(tt.path), jsontext.Value(tt.raw), doc.Options{})
			if diff := cmp.Diff(tt.err, refusal(t, err)); diff != "" {
				t.Fatalf("%s (-want +got):\n%s", tt.reason, diff)
			}
			var got []string
			switch {
			case tt.elem && v.Attr != nil:
				for _, f := range v.Kids() {
					got = append(got, v.Attr.Name+"."+show([]doc.Value{f})[0])
				}
			case v.Attr != nil:
				got = show([]doc.Value{v})
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.reason, diff)
			}
		})
	}
}

func TestUnknownAttributesCompareByName(t *testing.T) {
	user := users(t)
	read := func(body string) []doc.Value {
		b, err := doc.Decode(user, []byte(body), doc.Options{KeepUnknown: true})
		if err != nil {
			t.Fatal(err)
		}
		return b.Values
	}
	a, b := read(`{"x":{"a":1}}`), read(`{"X": {"a": 1}}`)
	if !doc.EqualFields(a, b) {
		t.Error("the same content of two bodies differs")
	}
	if got := doc.Get(a, doc.Unknown(user, "X")).Text; got != `{"a":1}` {
		t.Errorf("Get = %q", got)
	}
	if got := show(doc.Put(a, doc.Simple(doc.Unknown(user, "x"), "2"))); !cmp.Equal(got, []string{"x=2"}) {
		t.Errorf("Put = %q", got)
	}
	if got := doc.Drop(a, doc.Unknown(user, "x")); len(got) != 0 {
		t.Errorf("Drop = %q", show(got))
	}
	if doc.EqualFields(a, read(`{"y":{"a":1}}`)) {
		t.Error("two names are the same")
	}
}
