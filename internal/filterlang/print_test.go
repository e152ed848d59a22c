package filterlang

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	filter "github.com/scim2/filter-parser/v2"

	"github.com/scimkit/scim/internal/tolerance"
)

func TestPrint(t *testing.T) {
	for _, c := range []struct {
		name, reason string
		tree         filter.Expression
		want         string
	}{
		{"nil", "no filter has no text", nil, ``},
		{"left or in and", "and binds more", and(or(pr("a"), pr("b")), pr("c")), `(a pr or b pr) and c pr`},
		{"right or in and", "and binds more", and(pr("a"), or(pr("b"), pr("c"))), `a pr and (b pr or c pr)`},
		{"and in or", "needs none", or(and(pr("a"), pr("b")), and(pr("c"), pr("d"))), `a pr and b pr or c pr and d pr`},
		{"left chain", "needs none", or(or(pr("a"), pr("b")), pr("c")), `a pr or b pr or c pr`},
		{"right or in or", "or is left-associative", or(pr("a"), or(pr("b"), pr("c"))), `a pr or (b pr or c pr)`},
		{"right and in and", "and is left-associative", and(pr("a"), and(pr("b"), pr("c"))), `a pr and (b pr and c pr)`},
		{"not", "the grammar wants parentheses, and not around them", and(not(or(pr("a"), pr("b"))), not(pr("c"))), `not (a pr or b pr) and not (c pr)`},
		{"value path", "its sub-attribute is inside", in("a", and(or(pr("b"), pr("c")), is("d.e", "eq", nil))), `a[(b pr or c pr) and d.e eq null]`},
		{"URN", "comes first", &filter.AttributeExpression{AttributePath: path(enterprise, "manager", "$ref"), Operator: "pr"}, enterprise + `:manager.$ref pr`},
		{"string", "JSON escapes", is("a", "eq", "\"\\\n\x00é<"), `a eq "\"\\\n\u0000é<"`},
		{"string not UTF-8", "never makes text that is not", is("a", "eq", "x\xff"), "a eq \"x\ufffd\""},
		{"int", "no point", is("a", "eq", -7), `a eq -7`},
		{"whole float64", "has a point, or it would be an int", is("a", "eq", 3.0), `a eq 3.0`},
		{"small and big float64", "exponents say enough", and(is("a", "eq", 1e-9), is("a", "eq", 1e21)), `a eq 1e-09 and a eq 1e+21`},
		{"bool", "lower case", is("a", "eq", true), `a eq true`},
		{"other type", "as its text", is("a", "eq", int64(5)), `a eq "5"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, Print(c.tree)); diff != "" {
				t.Errorf("-want +got\n%s\nreason: %s", diff, c.reason)
			}
		})
	}
}

// roomy limits let the text of a tree be longer than the text it came from.
var roomy = Limits{Length: 1 << 20, Depth: 1 << 10, Nodes: 1 << 12}

// checkPrinted asserts that the text of e is strictly correct and means e.
func checkPrinted(t *testing.T, e filter.Expression) {
	t.Helper()
	text := Print(e)
	again, err := ParseFilter(text, roomy, &tolerance.Use{Strict: true})
	if err != nil {
		t.Fatalf("printed as %s: %v", text, err)
	}
	if diff := cmp.Diff(e, again); diff != "" {
		t.Fatalf("printed as %s: -before +after\n%s", text, diff)
	}
	if twice := Print(again); twice != text {
		t.Fatalf("printed as %s and then as %s", text, twice)
	}
}

func TestPrintedFiltersParse(t *testing.T) {
	for _, c := range valid {
		t.Run(c.name, func(t *testing.T) { checkPrinted(t, c.want) })
	}
}
