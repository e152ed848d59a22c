package filterlang

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	filter "github.com/scim2/filter-parser/v2"

	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/tolerance"
)

// path makes an attribute path of its parts: URI, name and sub-attribute.
func path(uri, name, sub string) filter.AttributePath {
	p := filter.AttributePath{AttributeName: name}
	if uri != "" {
		p.URIPrefix = &uri
	}
	if sub != "" {
		p.SubAttribute = &sub
	}
	return p
}

// is makes a comparison of an attribute such as "name.familyName".
func is(attr string, op filter.CompareOperator, value any) filter.Expression {
	name, sub, _ := strings.Cut(attr, ".")
	return &filter.AttributeExpression{AttributePath: path("", name, sub), Operator: op, CompareValue: value}
}

func pr(attr string) filter.Expression { return is(attr, filter.PR, nil) }

func and(l, r filter.Expression) filter.Expression {
	return &filter.LogicalExpression{Left: l, Operator: filter.AND, Right: r}
}

func or(l, r filter.Expression) filter.Expression {
	return &filter.LogicalExpression{Left: l, Operator: filter.OR, Right: r}
}

func not(e filter.Expression) filter.Expression { return &filter.NotExpression{Expression: e} }

func in(attr string, e filter.Expression) filter.Expression {
	return &filter.ValuePath{AttributePath: path("", attr, ""), ValueFilter: e}
}

const enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

// valid are filters and their trees. Unless used says otherwise none of them
// needs a tolerance.
var valid = []struct {
	name, reason string
	text         string
	want         filter.Expression
	used         []tolerance.Name
}{
	// The twelve examples of RFC 7644, Section 3.4.2.2, figure 2.
	{name: "RFC 1", reason: "equality", text: `userName eq "bjensen"`,
		want: is("userName", "eq", "bjensen")},
	{name: "RFC 2", reason: "a sub-attribute, and an apostrophe in a string", text: `name.familyName co "O'Malley"`,
		want: is("name.familyName", "co", "O'Malley")},
	{name: "RFC 3", reason: "starts with", text: `userName sw "J"`,
		want: is("userName", "sw", "J")},
	{name: "RFC 4", reason: "a URN before the name, with a dot in its version", text: `urn:ietf:params:scim:schemas:core:2.0:User:userName sw "J"`,
		want: &filter.AttributeExpression{
			AttributePath: path("urn:ietf:params:scim:schemas:core:2.0:User", "userName", ""), Operator: "sw", CompareValue: "J"}},
	{name: "RFC 5", reason: "presence has no value", text: `title pr`, want: pr("title")},
	{name: "RFC 6", reason: "a date is a string", text: `meta.lastModified gt "2011-05-13T04:42:34Z"`,
		want: is("meta.lastModified", "gt", "2011-05-13T04:42:34Z")},
	{name: "RFC 7", reason: "and", text: `title pr and userType eq "Employee"`,
		want: and(pr("title"), is("userType", "eq", "Employee"))},
	{name: "RFC 8", reason: "or", text: `title pr or userType eq "Intern"`,
		want: or(pr("title"), is("userType", "eq", "Intern"))},
	{name: "RFC 9", reason: "a URN as the value", text: `schemas eq "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"`,
		want: is("schemas", "eq", enterprise)},
	{name: "RFC 10", reason: "parentheses bind first", text: `userType eq "Employee" and (emails co "example.com" or emails.value co "example.org")`,
		want: and(is("userType", "eq", "Employee"), or(is("emails", "co", "example.com"), is("emails.value", "co", "example.org")))},
	{name: "RFC 11", reason: "not", text: `userType ne "Employee" and not (emails co "example.com" or emails.value co "example.org")`,
		want: and(is("userType", "ne", "Employee"), not(or(is("emails", "co", "example.com"), is("emails.value", "co", "example.org"))))},
	{name: "RFC 12", reason: "value paths", text: `emails[type eq "work" and value co "@example.com"] or ims[type eq "xmpp" and value co "@foo.com"]`,
		want: or(in("emails", and(is("type", "eq", "work"), is("value", "co", "@example.com"))),
			in("ims", and(is("type", "eq", "xmpp"), is("value", "co", "@foo.com"))))},

	{name: "precedence", reason: "not before and before or (Section 3.4.2.2, table 5)", text: `a pr or not (b pr) and c pr`,
		want: or(pr("a"), and(not(pr("b")), pr("c")))},
	{name: "or is left-associative", reason: "one tree for one text", text: `a pr or b pr or c pr`,
		want: or(or(pr("a"), pr("b")), pr("c"))},
	{name: "and is left-associative", reason: "one tree for one text", text: `a pr and b pr and c pr`,
		want: and(and(pr("a"), pr("b")), pr("c"))},
	{name: "parentheses to the right", reason: "the tree keeps what the author grouped", text: `a pr and (b pr and c pr)`,
		want: and(pr("a"), and(pr("b"), pr("c")))},
	{name: "parentheses alone", reason: "they leave no trace", text: `((a pr))`, want: pr("a")},
	{name: "operators in any case", reason: "Section 3.4.2.2: operators are case-insensitive; names keep their case",
		text: `UserName EQ "x" AND NOT (Title Pr OR a gE 1)`,
		want: and(is("UserName", "eq", "x"), not(or(pr("Title"), is("a", "ge", 1))))},
	{name: "spaces", reason: "more than one is harmless", text: `  a   eq   "x"   and   not   (  b[  c pr  ]  )  `,
		want: and(is("a", "eq", "x"), not(in("b", pr("c"))))},
	{name: "no spaces", reason: "quotes and parentheses end a word", text: `a eq"x"and(not(b pr)or c pr)`,
		want: and(is("a", "eq", "x"), or(not(pr("b")), pr("c")))},
	{name: "space before a bracket", reason: "filter-parser takes it", text: `emails [type pr]`, want: in("emails", pr("type"))},
	{name: "keywords as names", reason: "in the place of a name they are names", text: `not pr and and eq 1 or or.pr pr`,
		want: or(and(pr("not"), is("and", "eq", 1)), pr("or.pr"))},
	{name: "an attribute called not, with brackets", reason: "not is a keyword only before a parenthesis", text: `not[a pr]`,
		want: in("not", pr("a"))},
	{name: "not and or in brackets", reason: "valFilter has the whole grammar but value paths", text: `emails[not (type eq "work") and (a pr or b pr)]`,
		want: in("emails", and(not(is("type", "eq", "work")), or(pr("a"), pr("b"))))},
	{name: "sub-attribute before brackets", reason: "attrPath allows it", text: `a.b[c.d pr]`,
		want: &filter.ValuePath{AttributePath: path("", "a", "b"), ValueFilter: pr("c.d")}},
	{name: "extension with sub-attribute", reason: "only the dot after the last colon counts", text: enterprise + `:manager.value eq "7"`,
		want: &filter.AttributeExpression{AttributePath: path(enterprise, "manager", "value"), Operator: "eq", CompareValue: "7"}},
	{name: "extension with brackets", reason: "a value path may have a URN", text: `urn:x-a:2.0:U:b_c-d[$ref pr]`,
		want: &filter.ValuePath{AttributePath: path("urn:x-a:2.0:U", "b_c-d", ""), ValueFilter: pr("$ref")}},
	{name: "URN with an underscore", reason: "RFC 8141 has more characters than filter-parser", text: `urn:my_app:a/b:1.0:c pr`,
		want: &filter.AttributeExpression{AttributePath: path("urn:my_app:a/b:1.0", "c", ""), Operator: "pr"}},
	{name: "$ref", reason: "RFC 7643, Section 2.4", text: `manager.$ref pr`, want: pr("manager.$ref")},

	{name: "escapes", reason: "RFC 8259, Section 7", text: `a eq "\"\\\/\b\f\n\r\t"`, want: is("a", "eq", "\"\\/\b\f\n\r\t")},
	{name: "Unicode escapes", reason: "hexadecimal digits in either case, surrogate pairs", text: `a eq "\u00e9\u00C9\uD83D\uDE00x"`,
		want: is("a", "eq", "éÉ😀x")},
	{name: "raw Unicode", reason: "is UTF-8 as it stands", text: `a eq "é😀"`, want: is("a", "eq", "é😀")},
	{name: "delimiters in a string", reason: "are not delimiters", text: `a eq ") or ]b[ ("`, want: is("a", "eq", ") or ]b[ (")},
	{name: "empty string", reason: "is a value", text: `a eq ""`, want: is("a", "eq", "")},
	{name: "booleans and null", reason: "in any case", text: `a eq true and b eq FALSE and c ne Null`,
		want: and(and(is("a", "eq", true), is("b", "eq", false)), is("c", "ne", nil))},
	{name: "integers", reason: "are int", text: `a gt 0 and b lt -12`, want: and(is("a", "gt", 0), is("b", "lt", -12))},
	{name: "an integer beyond 2^53", reason: "keeps its last digit", text: `a eq 9007199254740993`, want: is("a", "eq", 9007199254740993)},
	{name: "an integer beyond int", reason: "is the nearest float64", text: `a eq 100000000000000000000`, want: is("a", "eq", 1e20)},
	{name: "fractions and exponents", reason: "are float64 even if whole", text: `a ge 1.0 and b le -2.5E-1 and c eq 3e2`,
		want: and(and(is("a", "ge", 1.0), is("b", "le", -0.25)), is("c", "eq", 300.0))},

	{name: "Q44 members eq", reason: "what it means is for the schema to say", text: `id eq "g1" and members eq "u1"`,
		want: and(is("id", "eq", "g1"), is("members", "eq", "u1"))},
	{name: "Q46 comparison after a value path", reason: "Entra; same element",
		text: `emails[type eq "work"].value eq "a@x"`,
		want: in("emails", and(is("type", "eq", "work"), is("value", "eq", "a@x"))), used: []tolerance.Name{tolerance.ValuePathAttribute}},
	{name: "Q46 presence after a value path, and more", reason: "the rest of the filter goes on",
		text: `emails[type eq "work" or primary eq true].value pr and a pr`,
		want: and(in("emails", and(or(is("type", "eq", "work"), is("primary", "eq", true)), pr("value"))), pr("a")),
		used: []tolerance.Name{tolerance.ValuePathAttribute}},
	{name: "Q47 bare word", reason: "authentik, Ping", text: `userName eq jo@x.test`,
		want: is("userName", "eq", "jo@x.test"), used: []tolerance.Name{tolerance.UnquotedLiteral}},
	{name: "Q47 bare words end", reason: "at a space, parenthesis or bracket", text: `(a eq o'neil or b eq 0123) and c[d eq x\é,]`,
		want: and(or(is("a", "eq", "o'neil"), is("b", "eq", "0123")), in("c", is("d", "eq", `x\é,`))),
		used: []tolerance.Name{tolerance.UnquotedLiteral}},
	{name: "Q47 nearly a number", reason: "is a word", text: `a eq 12ab or a eq - or a eq 1. or a eq 1e+ or a eq .5`,
		want: or(or(or(or(is("a", "eq", "12ab"), is("a", "eq", "-")), is("a", "eq", "1.")), is("a", "eq", "1e+")), is("a", "eq", ".5")),
		used: []tolerance.Name{tolerance.UnquotedLiteral}},
	{name: "Q47 not true", reason: "only ASCII letters fold: ſ is not s", text: `a eq falſe`,
		want: is("a", "eq", "falſe"), used: []tolerance.Name{tolerance.UnquotedLiteral}},
}

func TestFilter(t *testing.T) {
	for _, c := range valid {
		t.Run(c.name, func(t *testing.T) {
			use := &tolerance.Use{}
			got, err := ParseFilter(c.text, Limits{}, use)
			if err != nil {
				t.Fatalf("%s: %v\nreason: %s", c.text, err, c.reason)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s: -want +got\n%s\nreason: %s", c.text, diff, c.reason)
			}
			if diff := cmp.Diff(c.used, use.Used()); diff != "" {
				t.Errorf("%s: tolerances used: -want +got\n%s\nreason: %s", c.text, diff, c.reason)
			}
			if _, err := ParseFilter(c.text, Limits{}, &tolerance.Use{Strict: true}); (err != nil) != (c.used != nil) {
				t.Errorf("%s: strict: %v\nreason: %s", c.text, err, c.reason)
			}
		})
	}
}

const (
	wantName   = `an attribute name, which is a letter and then letters, digits, "-" and "_"`
	wantOp     = `an operator (eq, ne, co, sw, ew, gt, ge, lt, le or pr)`
	wantValue  = `a string in double quotes, a number, true, false or null`
	wantLogic  = `"and", "or" or the end of the filter`
	wantEscape = `only the escapes of JSON (\" \\ \/ \b \f \n \r \t and \u with four hexadecimal digits, surrogates in pairs)`
)

func TestFilterRefused(t *testing.T) {
	strict := &tolerance.Use{Strict: true}
	for _, c := range []struct {
		name, reason string
		text         string
		lim          Limits
		tol          *tolerance.Use
		want         string
	}{
		{name: "empty", reason: "a filter that is given must be one", text: ``,
			want: `filter: it is empty, expected an attribute name`},
		{name: "only spaces", reason: "is empty too", text: `   `,
			want: `filter: it is empty, expected an attribute name`},
		{name: "name alone", reason: "the operator is missing", text: `userName`,
			want: `filter, position 9: expected ` + wantOp + `, not the end`},
		{name: "unknown operator", reason: "the message lists them", text: `userName equals "x"`,
			want: `filter, position 10: expected ` + wantOp + `, not "equals"`},
		{name: "operator glued", reason: "a word is the whole word", text: `a prx`,
			want: `filter, position 3: expected ` + wantOp + `, not "prx"`},
		{name: "no value", reason: "eq needs one", text: `a eq`,
			want: `filter, position 5: expected a value, not the end`},
		{name: "no value before a parenthesis", reason: "eq needs one", text: `(a eq )`,
			want: `filter, position 7: expected a value, not ")"`},
		{name: "value after pr", reason: "pr has none", text: `a pr "x"`,
			want: `filter, position 6: expected ` + wantLogic + `, not "\"x\""`},
		{name: "and glued", reason: "a word is the whole word", text: `a pr andb pr`,
			want: `filter, position 6: expected ` + wantLogic + `, not "andb"`},
		{name: "and without a right side", reason: "it has two", text: `a pr and `,
			want: `filter, position 10: expected ` + wantName + `, not the end`},
		{name: "and without a left side", reason: "is then a name", text: `and a pr`,
			want: `filter, position 5: expected ` + wantOp + `, not "a"`},
		{name: "not without parentheses", reason: "the grammar asks for them", text: `not a pr`,
			want: `filter, position 5: expected ` + wantOp + `, not "a"`},
		{name: "parenthesis open", reason: "must close", text: `(a pr`,
			want: `filter, position 6: expected "and", "or" or ")", not the end`},
		{name: "parenthesis open after not", reason: "must close", text: `not (a pr`,
			want: `filter, position 10: expected "and", "or" or ")", not the end`},
		{name: "parenthesis too many", reason: "none was open", text: `a pr)`,
			want: `filter, position 5: expected ` + wantLogic + `, not ")"`},
		{name: "empty parentheses", reason: "nothing in them", text: `()`,
			want: `filter, position 2: expected ` + wantName + `, not ")"`},
		{name: "bracket open", reason: "must close", text: `a[b pr`,
			want: `filter, position 7: expected "and", "or" or "]", not the end`},
		{name: "bracket closed by a parenthesis", reason: "not its pair", text: `a[b pr)`,
			want: `filter, position 7: expected "and", "or" or "]", not ")"`},
		{name: "empty brackets", reason: "nothing in them", text: `a[]`,
			want: `filter, position 3: expected ` + wantName + `, not "]"`},
		{name: "value path in a value path", reason: "valFilter has none", text: `a[b[c pr]]`,
			want: `filter, position 4: expected no "[": inside the brackets of a value path there is no other value path`},
		{name: "and again in parentheses", reason: "valFilter has none at any depth", text: `a[(b[c pr])]`,
			want: `filter, position 5: expected no "[": inside the brackets of a value path there is no other value path`},
		{name: "name begins with a digit", reason: "ATTRNAME begins with a letter", text: `2a pr`,
			want: `filter, position 1: expected ` + wantName + `, not "2a"`},
		{name: "URN that ends in a digit", reason: "Microsoft's sample has …enterprise:2.0User", text: `urn:x:2.0User pr`,
			want: `filter, position 7: expected ` + wantName + `, not "2.0User"`},
		{name: "colon first", reason: "the URN before it is empty", text: `:a pr`,
			want: `filter, position 1: expected ` + wantName + `, not ":a"`},
		{name: "colon last", reason: "the name behind it is missing", text: `urn:a: pr`,
			want: `filter, position 7: expected ` + wantName + `, not " pr"`},
		{name: "two sub-attributes", reason: "attributes nest once", text: `a.b.c pr`,
			want: `filter, position 4: expected one sub-attribute at most, not ".c"`},
		{name: "dot without a name", reason: "a sub-attribute has one", text: `a. pr`,
			want: `filter, position 3: expected ` + wantName + `, not " pr"`},
		{name: "equals sign", reason: "is no operator", text: `a="x"`,
			want: `filter, position 2: expected ` + wantOp + `, not "=\"x\""`},
		{name: "tab", reason: "SP is a space alone", text: "a\tpr",
			want: `filter, position 2: expected ` + wantOp + `, not "\tpr"`},

		{name: "string open", reason: "must close", text: `a eq "x`,
			want: `filter, position 6: expected a closing '"' for the string "\"x"`},
		{name: "string open after a backslash", reason: `\" does not close`, text: `a eq "x\"`,
			want: `filter, position 6: expected a closing '"' for the string "\"x\\\""`},
		{name: "backslash at the end", reason: "nothing is escaped, nothing closes", text: `a eq "x\`,
			want: `filter, position 6: expected a closing '"' for the string "\"x\\"`},
		{name: "unknown escape", reason: "JSON has nine", text: `a eq "\x"`,
			want: `filter, position 6: expected ` + wantEscape + ` in the string "\"\\x\""`},
		{name: "short Unicode escape", reason: "four digits", text: `a eq "\u12"`,
			want: `filter, position 6: expected ` + wantEscape + ` in the string "\"\\u12\""`},
		{name: "half a surrogate pair", reason: "is no character", text: `a eq "\ud83d"`,
			want: `filter, position 6: expected ` + wantEscape + ` in the string "\"\\ud83d\""`},
		{name: "control character", reason: "JSON wants it escaped", text: "a eq \"x\ny\"",
			want: `filter, position 8: expected control characters in a string to be escaped, as in \n or \u000a`},
		{name: "escaped control character", reason: "a backslash does not help", text: "a eq \"\\\n\"",
			want: `filter, position 6: expected ` + wantEscape + ` in the string "\"\\\n\""`},
		{name: "not UTF-8", reason: "and the message does not repeat the byte", text: "a eq \"\xff\"",
			want: `filter, position 6: expected UTF-8, the string "\"\xff\"" is not`},
		{name: "bare word not UTF-8", reason: "no tolerance helps", text: "a eq x\xff",
			want: `filter, position 6: expected ` + wantValue + `, not "x\xff"`},
		{name: "bare word with a control character", reason: "no tolerance helps", text: "a eq x\x00",
			want: `filter, position 6: expected ` + wantValue + `, not "x\x00"`},
		{name: "single quotes", reason: "as a bare word it would match nobody", text: `a eq 'x'`,
			want: `filter, position 6: expected ` + wantValue + `, not "'x'"`},
		{name: "bare word with a parenthesis", reason: "where it ends is anyone's guess", text: `a eq Sales(EU)`,
			want: `filter, position 6: expected ` + wantValue + `, not "Sales(EU"`},
		{name: "quote within a bare word", reason: "more likely a mistake than a name", text: `a eq x"y"`,
			want: `filter, position 6: expected ` + wantValue + `, not "x\"y\""`},
		{name: "number too big", reason: "JSON allows it, float64 does not", text: `a eq 1e999`,
			want: `filter, position 6: expected a number that fits 64 bits, not "1e999"`},

		{name: "Q46 switched off", reason: "names the attribute to move", text: `emails[type eq "work"].value eq "x"`, tol: strict,
			want: `filter, position 23: expected no sub-attribute after "]": compare "value" inside the brackets`},
		{name: "Q47 switched off", reason: "JSON strings have quotes", text: `userName eq jo`, tol: strict,
			want: `filter, position 13: expected ` + wantValue + `, not "jo"`},
		{name: "Q47 switched off, digits", reason: "a leading zero is no JSON number", text: `a eq 01`, tol: strict,
			want: `filter, position 6: expected ` + wantValue + `, not "01"`},
		{name: "Q46 and a value path", reason: "only a comparison may follow", text: `a[b pr].c[d pr]`,
			want: `filter, position 10: expected ` + wantOp + `, not "[d"`},
		{name: "Q46 without a comparison", reason: "is a path, not a filter", text: `a[b pr].c`,
			want: `filter, position 10: expected ` + wantOp + `, not the end`},

		{name: "quoted at most 40 bytes", reason: "an error is no megaphone; characters stay whole", text: `a eq "x" ` + strings.Repeat("é", 30) + "x",
			want: `filter, position 10: expected ` + wantLogic + `, not "` + strings.Repeat("é", 20) + `"…`},
		{name: "quoted at most 40 bytes, odd", reason: "characters stay whole", text: `a eq "x" x` + strings.Repeat("é", 30),
			want: `filter, position 10: expected ` + wantLogic + `, not "x` + strings.Repeat("é", 19) + `"…`},
		{name: "too long", reason: "length limit", text: `userName pr`, lim: Limits{Length: 10},
			want: `filter: it is 11 bytes long, the limit is 10`},
		{name: "too long by default", reason: "4096", text: strings.Repeat(" ", 4097),
			want: `filter: it is 4097 bytes long, the limit is 4096`},
		{name: "too deep", reason: "brackets count", text: `((a[b pr]))`, lim: Limits{Depth: 2},
			want: `filter, position 4: parentheses and brackets are nested deeper than the limit of 2`},
		{name: "too deep by default", reason: "32", text: strings.Repeat("(", 33),
			want: `filter, position 33: parentheses and brackets are nested deeper than the limit of 32`},
		{name: "too many nodes", reason: "operators count", text: `a pr and b pr`, lim: Limits{Nodes: 2},
			want: `filter, position 14: conditions and operators are more than the limit of 2`},
		{name: "Q46 too many nodes", reason: "the and it stands for counts", text: `a[b pr].c pr`, lim: Limits{Nodes: 2},
			want: `filter, position 13: conditions and operators are more than the limit of 2`},
		{name: "too many nodes by default", reason: "256", text: strings.Repeat("a pr or ", 128) + "a pr",
			want: `filter, position 1029: conditions and operators are more than the limit of 256`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := ParseFilter(c.text, c.lim, c.tol)
			if got != nil {
				t.Errorf("%s: a tree beside the error: %s", c.text, Print(got))
			}
			checkFault(t, c.text, c.reason, err, &fault.Error{Status: 400, Type: fault.InvalidFilter, Detail: c.want})
		})
	}
}

func checkFault(t *testing.T, text, reason string, err error, want *fault.Error) {
	t.Helper()
	var got *fault.Error
	if !errors.As(err, &got) {
		t.Fatalf("%s: %v is no *fault.Error\nreason: %s", text, err, reason)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: -want +got\n%s\nreason: %s", text, diff, reason)
	}
}

func TestLimitsAreInclusive(t *testing.T) {
	for _, c := range []struct {
		name, reason string
		text         string
		lim          Limits
	}{
		{"length", "ten bytes are not more than ten", `userName pr`, Limits{Length: 11}},
		{"depth", "two levels are not more than two", `(a[b pr])`, Limits{Depth: 2}},
		{"depth side by side", "only nesting counts", `(a pr) and (b pr) and c[d pr]`, Limits{Depth: 1}},
		{"nodes", "three nodes are not more than three", `a pr and b pr`, Limits{Nodes: 3}},
		{"nodes of every kind", "comparison, value path, not", `not (a[b pr])`, Limits{Nodes: 3}},
		{"default depth", "32 levels", strings.Repeat("(", 32) + "a pr" + strings.Repeat(")", 32), Limits{}},
		{"negative", "means the default", `a pr`, Limits{-1, -1, -1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := ParseFilter(c.text, c.lim, nil); err != nil {
				t.Errorf("%s: %v\nreason: %s", c.text, err, c.reason)
			}
		})
	}
}
