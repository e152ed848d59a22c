package match_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/scim2/filter-parser/v2"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/filterlang"
	"github.com/scimkit/scim/internal/match"
	"github.com/scimkit/scim/internal/model"
	"github.com/scimkit/scim/internal/tolerance"
)

func compileExpr(t testing.TB, typ *model.Type, e filter.Expression) *match.Filter {
	t.Helper()
	f, err := match.Compile(typ, e, nil)
	if err != nil {
		t.Fatalf("compile %v: %v", e, err)
	}
	return f
}

func TestRefused(t *testing.T) {
	lab, user := labType(t), userType(t)
	rows := []struct {
		name, reason string
		typ          *model.Type
		filter       string
		strict       bool
		detail       []string // parts of the detail: the attribute, what is wrong, what is allowed
	}{
		{"unknown", "the RFC's invalidFilter", user, `nick eq "x"`, false, []string{`"nick"`, "User"}},
		{"unknown sub", "named in full", user, `name.nick eq "x"`, false, []string{`"name.nick"`}},
		{"sub of a simple one", "a string has none", user, `userName.x eq "x"`, false, []string{`"userName.x"`}},
		{"unknown URN", "named in full", user, `urn:example:x:userName eq "x"`, false, []string{`"urn:example:x:userName"`}},
		{"core URN alone", "it is no attribute", user, userURN + ` pr`, false, []string{userURN}},
		{"unknown in brackets", "says what there is", user, `emails[kind eq "x"]`, false, []string{`"kind"`, "emails", "value, display, type, primary"}},
		{"path in brackets", "names there are the element's", user, `emails[urn:x:type eq "x"]`, false, []string{"urn:x:type", "emails"}},
		{"element name", "simple elements are called value", user, `schemas[type eq "x"]`, false, []string{`"type"`, "schemas", `"value"`}},
		{"returned never", "a filter would reveal it letter by letter", lab, `secret sw "a"`, false, []string{"secret", "never returned"}},
		{"returned never pr", "nor its presence", lab, `secret pr`, false, []string{"secret"}},
		{"writeOnly", "the same", lab, `pin eq "1"`, false, []string{"pin"}},
		{"password", "the same", user, `password eq "1"`, false, []string{"password"}},
		{"hidden value", "not by way of its parent", lab, `vault eq "1"`, false, []string{"vault", "sub-attributes"}},
		{"hidden parent", "nor a part of what is hidden", lab, `cellar.value eq "1"`, false, []string{"cellar.value", "never returned"}},
		{"hidden parent, bare", "in either form", lab, `cellar eq "1"`, false, []string{"cellar", "never returned"}},
		{"hidden in brackets", "nor in brackets", lab, `vault[value eq "1"]`, false, []string{"vault.value"}},
		{"hidden not listed", "a hint does not name it", lab, `vault[x eq "1"]`, false, []string{"which has label"}},
		{"complex without value", "undefined", user, `name eq "x"`, false, []string{"name", "complex", "sub-attributes"}},
		{"extension", "undefined", user, enterpriseURN + ` eq "x"`, false, []string{enterpriseURN, "complex"}},
		{"meta", "undefined", user, `meta eq "x"`, false, []string{"meta"}},
		{"complex strictly", "Q45 switched off", user, `emails eq "x"`, true, []string{"emails.value"}},
		{"co boolean", "no substrings", user, `active co "t"`, false, []string{"active co", "eq, ne or pr"}},
		{"gt boolean", "no order (RFC 7644, Section 3.4.2.2)", user, `active gt false`, false, []string{"active gt", "eq, ne or pr"}},
		{"lt binary", "no order", user, `x509Certificates.value lt "AQ"`, false, []string{"x509Certificates.value lt", "eq, ne or pr"}},
		{"sw number", "no substrings", lab, `age sw 1`, false, []string{"age sw", "integer"}},
		{"gt null", "null has no order", user, `title gt null`, false, []string{"title gt null", "eq and ne"}},
		{"boolean with word", "which type is needed", user, `active eq "yes"`, false, []string{"active eq", "true or false", `"yes"`}},
		{"boolean with number", "which type is needed", user, `active eq 1`, false, []string{"true or false", "the number 1"}},
		{"Q22 strictly", "switched off", user, `active eq "True"`, true, []string{"true or false"}},
		{"number with word", "which type is needed", lab, `age eq "old"`, false, []string{"age eq", "integer", `"old"`}},
		{"number with hexadecimal", "not a number of JSON", lab, `score eq "0x10"`, false, []string{"decimal"}},
		{"number with boolean", "which type is needed", lab, `score eq true`, false, []string{"score eq", "decimal", "true"}},
		{"Q47 number string strictly", "switched off", lab, `age eq "5"`, true, []string{"integer"}},
		{"date with word", "which form is needed", user, `meta.created gt "yesterday"`, false, []string{"meta.created gt", "2011-05-13T04:42:34Z", "yesterday"}},
		{"date alone", "a day is not an instant", user, `meta.created gt "2024-01-01"`, false, []string{"dateTime"}},
		{"date with number", "which type is needed", user, `meta.created gt 2024`, false, []string{"dateTime", "2024"}},
		{"binary with number", "which type is needed", lab, `cert eq 5`, false, []string{"cert eq", "base64"}},
		{"brackets on a string", "nothing to look into", user, `userName[value eq "x"]`, false, []string{"userName[…]", "string"}},
		{"brackets on a sub-attribute", "nothing to look into", user, `name.givenName[value eq "x"]`, false, []string{"name.givenName[…]"}},
		{"dotted URN strictly", "switched off", user, enterpriseURN + `.department eq "x"`, true, []string{"department"}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			tol := &tolerance.Use{Strict: row.strict}
			_, err := match.Compile(row.typ, parse(t, row.filter), tol)
			checkRefusal(t, row.reason, err, row.detail)
		})
	}
}

func checkRefusal(t *testing.T, reason string, err error, detail []string) {
	t.Helper()
	var f *fault.Error
	if !errors.As(err, &f) {
		t.Fatalf("%s: error is %v", reason, err)
	}
	if f.Type != fault.InvalidFilter || f.Status != 400 {
		t.Errorf("%s: %d %s, want 400 invalidFilter", reason, f.Status, f.Type)
	}
	for _, part := range detail {
		if !strings.Contains(f.Detail, part) {
			t.Errorf("%s: %q does not say %q", reason, f.Detail, part)
		}
	}
	if strings.Contains(f.Detail, "secret") && strings.Contains(f.Detail, "which has") {
		t.Errorf("%q names what is hidden", f.Detail)
	}
}

// Trees that the parser does not make, but a caller might.
func TestRefusedTrees(t *testing.T) {
	typ := userType(t)
	good := expression("", "userName", "pr", nil)
	element := func(e filter.Expression) filter.Expression {
		return &filter.ValuePath{AttributePath: filter.AttributePath{AttributeName: "emails"}, ValueFilter: e}
	}
	for _, row := range []struct {
		name, reason string
		tree         filter.Expression
		detail       []string
	}{
		{"nil", "nothing to compile", nil, []string{"missing"}},
		{"nil left", "half a tree", &filter.LogicalExpression{Right: good, Operator: filter.AND}, []string{"missing"}},
		{"nil right", "half a tree", &filter.LogicalExpression{Left: good, Operator: filter.OR}, []string{"missing"}},
		{"not nil", "half a tree", &filter.NotExpression{}, []string{"missing"}},
		{"empty brackets", "half a tree", element(nil), []string{"missing"}},
		{"operator", "an unknown one", expression("", "userName", "like", "x"), []string{`"like"`, "eq, ne, co"}},
		{"logic", "an unknown one", &filter.LogicalExpression{Left: good, Right: good, Operator: "xor"}, []string{`"xor"`}},
		{"brackets in brackets", "the grammar has none", element(element(good)), []string{"emails[…]", "within another"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := match.Compile(typ, row.tree, nil)
			checkRefusal(t, row.reason, err, row.detail)
		})
	}
}

func TestExpr(t *testing.T) {
	lab, user, group := labType(t), userType(t), groupType(t)
	for _, row := range []struct {
		name, reason string
		typ          *model.Type
		filter, want string
		nodes        int
	}{
		{"spelling", "attributes as the schema spells them", user, `USERNAME eq "X" and NAME.GIVENNAME pr`, `userName eq "X" and name.givenName pr`, 2},
		{"core URN", "stripped", user, strings.ToUpper(userURN) + `:username eq "x"`, `userName eq "x"`, 1},
		{"extension URN", "spelled as declared", user, strings.ToLower(enterpriseURN) + `:DEPARTMENT eq "x"`, enterpriseURN + `:department eq "x"`, 1},
		{"extension alone", "as the parser reads a URN", user, strings.ToLower(enterpriseURN) + ` pr`, enterpriseURN + ` pr`, 1},
		{"dotted URN", "put right", user, enterpriseURN + `.manager pr`, enterpriseURN + `:manager pr`, 1},
		{"Q44 manager", "by its value", user, enterpriseURN + `:manager eq "x"`, enterpriseURN + `:manager.value eq "x"`, 1},
		{"Q44 members", "by its value", group, `members eq "u1"`, `members.value eq "u1"`, 1},
		{"Q45 emails", "by its value", user, `emails sw "x"`, `emails.value sw "x"`, 1},
		{"Q46", "both conditions of one element", user, `emails[TYPE eq "work"].VALUE eq "x"`, `emails[type eq "work" and value eq "x"]`, 2},
		{"presence of a complex one", "is its own", user, `emails pr or emails eq null`, `emails pr or emails eq null`, 2},
		{"Q22", "a boolean", user, `emails[primary eq "True"]`, `emails[primary eq true]`, 1},
		{"Q47 integer", "a string", user, `externalId eq 123`, `externalId eq "123"`, 1},
		{"Q47 big", "in digits", user, `externalId eq 1e20`, `externalId eq "100000000000000000000"`, 1},
		{"Q47 boolean", "a string", user, `title eq false`, `title eq "false"`, 1},
		{"number string", "a number", lab, `age eq "5" or score eq "1.5"`, `age eq 5 or score eq 1.5`, 2},
		{"integer with fraction", "an integer if it is one", lab, `age gt 5.0 and age lt 5.5`, `age gt 5 and age lt 5.5`, 2},
		{"big integer", "exact", lab, `age eq "9007199254740993"`, `age eq 9007199254740993`, 1},
		{"version", "without its dress", user, `meta.version eq "W/\"a\""`, `meta.version eq "a"`, 1},
		{"meta in brackets", "spelled out", user, `META[Created pr and version eq "x"]`, `meta.created pr and meta.version eq "x"`, 2},
		{"brackets on a simple one", "value is the element", lab, `many-age[VALUE gt 5]`, `many-age[value gt 5]`, 1},
		{"logic", "kept", user, `not (title pr) or (active eq true or id pr) and userName pr`, `not (title pr) or (active eq true or id pr) and userName pr`, 4},
	} {
		t.Run(row.name, func(t *testing.T) {
			f := compile(t, row.typ, row.filter)
			if diff := cmp.Diff(row.want, filterlang.Print(f.Expr())); diff != "" {
				t.Errorf("%s (-want +got)\n%s", row.reason, diff)
			}
			if f.Nodes() != row.nodes {
				t.Errorf("%d nodes, want %d", f.Nodes(), row.nodes)
			}
			again := compileExpr(t, row.typ, f.Expr())
			if diff := cmp.Diff(f.Expr(), again.Expr()); diff != "" {
				t.Errorf("the normal form has another normal form\n%s", diff)
			}
		})
	}
}

// Literals have the attribute's Go type, which the printed form does not show.
func TestExprLiterals(t *testing.T) {
	typ := labType(t)
	for _, row := range []struct {
		name, path string
		lit, want  any
	}{
		{"integer", "age", 5, 5},
		{"integer from float", "age", 5.0, 5},
		{"integer from string", "age", "5", 5},
		{"decimal", "score", 5, 5.0},
		{"decimal from string", "score", "5", 5.0},
		{"decimal beyond 2^53", "score", 1<<53 + 1, 1<<53 + 1},
		{"string from float", "text", 0.1, "0.1"},
		{"boolean from string", "flag", "FALSE", false},
		{"date", "at", "2024-02-29T12:00:00", "2024-02-29T12:00:00"},
	} {
		t.Run(row.name, func(t *testing.T) {
			e := compileExpr(t, typ, expression("", row.path, "eq", row.lit)).Expr().(*filter.AttributeExpression)
			if diff := cmp.Diff(row.want, e.CompareValue); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// The tree a host gets must not lead back into the shared schema.
func TestExprIsACopy(t *testing.T) {
	typ := userType(t)
	in := parse(t, enterpriseURN+`:manager.value eq "x"`)
	e := compileExpr(t, typ, in).Expr().(*filter.AttributeExpression)
	*e.AttributePath.URIPrefix, *e.AttributePath.SubAttribute = "broken", "broken"
	if diff := cmp.Diff(enterpriseURN+`:manager.value eq "x"`, filterlang.Print(in)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(enterpriseURN+`:manager.value eq "x"`, filterlang.Print(compileExpr(t, typ, in).Expr())); diff != "" {
		t.Error(diff)
	}
}

func TestEq(t *testing.T) {
	user, lab := userType(t), labType(t)
	for _, row := range []struct {
		name, reason string
		typ          *model.Type
		filter, path string
		want         string
		ok           bool
	}{
		{"alone", "the whole filter", user, `userName eq "X"`, "userName", "X", true},
		{"path in any case", "paths are names", user, `userName eq "X"`, "USERNAME", "X", true},
		{"conjunct", "every match has it", user, `active eq true and (title pr and userName eq "x")`, "userName", "x", true},
		{"disjunct", "not every match has it", user, `title pr or userName eq "x"`, "userName", "", false},
		{"both disjuncts", "not every match has the same", user, `userName eq "y" or userName eq "x"`, "userName", "", false},
		{"negated", "no match has it", user, `not (userName eq "x")`, "userName", "", false},
		{"other operator", "only equality", user, `userName sw "x"`, "userName", "", false},
		{"other path", "only this path", user, `userName eq "x"`, "displayName", "", false},
		{"unknown path", "nothing to find", user, `userName eq "x"`, "nick", "", false},
		{"value path", "the element's value is a value of emails.value", user, `emails[type eq "work" and value eq "x"]`, "emails.value", "x", true},
		{"value path type", "its type too", user, `emails[type eq "work" and value eq "x"]`, "emails.type", "work", true},
		{"value path or", "not for every match", user, `emails[type eq "work" or value eq "x"]`, "emails.value", "", false},
		{"value path not", "not for every match", user, `emails[not (value eq "x")]`, "emails.value", "", false},
		{"Q45", "a bare attribute is its value", user, `emails eq "x"`, "emails.value", "x", true},
		{"Q47", "a number made a string", user, `externalId eq 5`, "externalId", "5", true},
		{"extension", "by its full path", user, enterpriseURN + `:manager eq "x"`, enterpriseURN + ":manager.value", "x", true},
		{"id", "id", user, `id eq "x" and title pr`, "id", "x", true},
		{"resourceType", "for queries at the root", user, `meta.resourceType eq "User"`, "meta.resourceType", "User", true},
		{"null", "null is no literal", user, `title eq null`, "title", "", false},
		{"boolean", "not a string", user, `active eq "true"`, "active", "", false},
		{"number", "not a string", lab, `age eq "5"`, "age", "", false},
		{"date", "equal dates have many texts", lab, `at eq "2024-02-29T12:00:00Z"`, "at", "", false},
		{"simple element", "value is the element", lab, `many-text[value eq "x"]`, "many-text", "x", true},
		{"first of two", "either will do, the first is given", user, `emails eq "x" and emails eq "y"`, "emails.value", "x", true},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, ok := compile(t, row.typ, row.filter).Eq(row.path)
			if got != row.want || ok != row.ok {
				t.Errorf("%s: Eq(%q) of %s = %q, %v", row.reason, row.path, row.filter, got, ok)
			}
		})
	}
}

// A tolerance is reported when it was needed and only then.
func TestTolerancesUsed(t *testing.T) {
	typ := labType(t)
	user := userType(t)
	for _, row := range []struct {
		typ    *model.Type
		filter string
		want   []tolerance.Name
	}{
		{user, `emails eq "x"`, []tolerance.Name{tolerance.ComplexComparison}},
		{user, `emails.value eq "x" and emails eq null and emails pr`, nil},
		{user, `active eq "True"`, []tolerance.Name{tolerance.BooleanLiteral}},
		{user, `active eq true`, nil},
		{typ, `age eq "5"`, []tolerance.Name{tolerance.NumberString}},
		{typ, `age eq 5`, nil},
		{user, enterpriseURN + `.department pr`, []tolerance.Name{tolerance.DottedExtension}},
		{user, `externalId eq 5`, nil},
	} {
		tol := &tolerance.Use{}
		if _, err := match.Compile(row.typ, parse(t, row.filter), tol); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(row.want, tol.Used()); diff != "" {
			t.Errorf("%s (-want +got)\n%s", row.filter, diff)
		}
	}
}

// Whatever compiles means the same in its normal form, and nothing panics.
func FuzzCompile(f *testing.F) {
	for _, s := range []string{
		`userName eq "x" and not (emails[type eq "work" or value co 5])`, `meta[created gt "2024-02-29T12:00:00Z"]`, `manager eq null`,
		enterpriseURN + `:manager eq "Bob-2"`, enterpriseURN + ` pr`, `schemas[value sw "urn"]`, `emails[primary eq "True"].value ew "test"`, `active ne "false"`,
	} {
		f.Add(s)
	}
	typ := userType(f)
	var docs []*doc.Document
	for _, p := range people {
		docs = append(docs, p.document(typ))
	}
	f.Fuzz(func(t *testing.T, text string) {
		e, err := filterlang.ParseFilter(text, filterlang.Limits{}, nil)
		if err != nil {
			return
		}
		a, err := match.Compile(typ, e, nil)
		if err != nil {
			checkRefusal(t, text, err, nil)
			return
		}
		b, err := match.Compile(typ, a.Expr(), &tolerance.Use{Strict: true})
		if err != nil {
			t.Fatalf("%s: the normal form needs a tolerance: %v", text, err)
		}
		for _, d := range docs {
			if a.Match(d) != b.Match(d) {
				t.Errorf("%s and its normal form disagree on %s", text, d.ID)
			}
		}
	})
}
