package filterlang

import (
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	filter "github.com/scim2/filter-parser/v2"

	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/tolerance"
)

// tokens are what soup cooks with.
var tokens = []string{
	" ", " ", " ", "(", ")", "[", "]", ".", " and ", " or ", "not ", "and", "or", " pr", " eq ", " CO ", "a", "B-_1", "urn:x:2.0:", "$ref",
	`"x"`, `"\""`, `"\u00E9"`, `"\uD83D\uDE00"`, `"\uD83D"`, `"é\\"`, "true", "Null", "0", "-12", "1.5e+3", "9007199254740993", "word", "\t", "\xff",
	"a pr", `b eq "x"`, "c[d pr]", "(a pr)", "not(a pr)", "9",
}

// soup makes text in which the language's tokens are more frequent than in what
// a fuzzer thinks of.
func soup(recipe string) string {
	var b strings.Builder
	for _, c := range []byte(recipe) {
		b.WriteString(tokens[int(c)%len(tokens)])
	}
	return b.String()
}

func seeds(f *testing.F) {
	for _, c := range valid {
		f.Add(c.text)
	}
	for _, c := range validPaths {
		f.Add(c.text)
	}
	for _, s := range []string{"", "a eq \"\\", "((((", "a[b pr].", "a eq \"\xff\"", "#\x07$\x08%", "\x10\x0e\x1b\x08\x10\x0d"} {
		f.Add(s)
	}
}

// FuzzParse checks that no text makes the parsers panic. A refusal must have the proper
// form. Printing and parsing an accepted text must give the same tree.
func FuzzParse(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, text string) {
		for _, text := range []string{text, soup(text)} {
			e, err := ParseFilter(text, Limits{}, nil)
			if err == nil {
				checkPrinted(t, e)
			} else {
				checkRefusal(t, text, err, fault.InvalidFilter)
			}
			path, err := ParsePath(text, Limits{}, nil)
			if err != nil {
				checkRefusal(t, text, err, fault.InvalidPath)
				continue
			}
			again, err := ParsePath(PrintPath(path), roomy, &tolerance.Use{Strict: true})
			if err != nil {
				t.Fatalf("%q printed as %q: %v", text, PrintPath(path), err)
			}
			if diff := cmp.Diff(path, again); diff != "" {
				t.Fatalf("%q printed as %q: -before +after\n%s", text, PrintPath(path), diff)
			}
		}
	})
}

func checkRefusal(t *testing.T, text string, err error, scimType string) {
	t.Helper()
	var e *fault.Error
	if !errors.As(err, &e) || e.Type != scimType || e.Status != 400 {
		t.Fatalf("%q: %#v is no 400 %s", text, err, scimType)
	}
	if !utf8.ValidString(e.Detail) || len(e.Detail) > 400 {
		t.Fatalf("%q: the detail is %d bytes long: %q", text, len(e.Detail), e.Detail)
	}
}

// defects are deviations of filter-parser v2.3.1 from the grammar. It accepts filters that
// the grammar does not have, or makes another tree. Each has the RFC's rule and filters
// that show it.
var defects = []struct {
	name, rfc string
	in        func(text string) bool
	texts     []string
}{
	{"in brackets it wants no space around and, or",
		"RFC 7644, Section 3.4.2.2, figure 1: logExp = FILTER SP (\"and\" / \"or\") SP FILTER",
		regexp.MustCompile(`(?i)\[.*((pr|true|false|null|\d)(and|or)|(and|or)(urn|[a-z$\d.-]))`).MatchString,
		[]string{`a[b prand c pr]`, `a[b pr orc pr]`, `a[b eq 1or c pr]`}},
	{"it reads integers by way of float64",
		"RFC 7644, Section 3.4.2.2, table 3: eq means that the values are identical, and 2^53+1 is not 2^53",
		regexp.MustCompile(`\d{16}`).MatchString,
		[]string{`a eq 9007199254740993`}},
	{"it takes bytes in strings that are not UTF-8",
		"RFC 7643, Section 2.3.1: a string is Unicode characters in UTF-8",
		func(text string) bool { return !utf8.ValidString(text) },
		[]string{"a eq \"\xff\""}},
	{"it takes half a surrogate pair",
		"RFC 7643, Section 2.3.1: no UTF-8 encodes half a pair (RFC 3629, Section 3)",
		func(text string) bool {
			// From left to right, so that an escaped backslash does not begin an escape.
			escapes := regexp.MustCompile(`(?i)\\uD[89AB][\dA-F]{2}\\uD[C-F][\dA-F]{2}|(\\uD[89A-F])|\\.`)
			for _, escape := range escapes.FindAllStringSubmatch(text, -1) {
				if escape[1] != "" {
					return true
				}
			}
			return false
		},
		[]string{`a eq "\uD83D"`, `a eq "\uDE00\uD83D"`, `a eq "\\uD800\uDC000"`}},
}

// refusals are filters that filter-parser refuses, with what says that they must
// be read: the reasons why there is a parser here at all.
var refusals = []struct{ text, rfc string }{
	{`a eq "\u00e9"`, "RFC 7644, Section 3.4.2.2: compValue follows the rules of JSON; RFC 8259, Section 7: digits of an escape in either case"},
	{`a[b pr and c pr and d pr]`, "RFC 7644, Section 3.4.2.2, figure 1: a valFilter is a logExp, which has a logExp on either side"},
	{`emails[type eq "work"].value eq "x"`, "RFC 7644, Section 3.5.2, figure 7 has it in paths only: tolerance value-path-attribute"},
	{`a eq word`, "RFC 7644, Section 3.4.2.2, figure 1: a compValue has quotes: tolerance unquoted-literal"},
}

func defect(text string) string {
	for _, d := range defects {
		if d.in(text) {
			return d.name
		}
	}
	return ""
}

// mend decodes the strings that filter-parser leaves as they are (RFC 8259, Section
// 7: an escape stands for a character).
func mend(e filter.Expression) filter.Expression {
	switch e := e.(type) {
	case *filter.AttributeExpression:
		if s, ok := e.CompareValue.(string); ok {
			var decoded string
			if json.Unmarshal([]byte(`"`+s+`"`), &decoded) == nil {
				e.CompareValue = decoded
			}
		}
	case *filter.LogicalExpression:
		mend(e.Left)
		mend(e.Right)
	case *filter.NotExpression:
		mend(e.Expression)
	case *filter.ValuePath:
		mend(e.ValueFilter)
	}
	return e
}

// FuzzAgainstFilterParser asserts that what filter-parser reads we read too, with
// the same tree and without any tolerance, its defects aside.
func FuzzAgainstFilterParser(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, text string) {
		for _, text := range []string{text, soup(text)} {
			// A bound on text is one on nesting, over which filter-parser recurses.
			if len(text) > 400 {
				continue
			}
			differ(t, text)
		}
	})
}

func differ(t *testing.T, text string) {
	t.Helper()
	strict := &tolerance.Use{Strict: true}
	if theirs, err := filter.ParseFilter([]byte(text)); err == nil {
		ours, err := ParseFilter(text, roomy, strict)
		if diff := cmp.Diff(mend(theirs), ours); diff != "" && defect(text) == "" {
			t.Fatalf("filter %q: %v: -theirs +ours\n%s", text, err, diff)
		}
	}
	if theirs, err := filter.ParsePath([]byte(text)); err == nil {
		ours, err := ParsePath(text, roomy, strict)
		mend(theirs.ValueExpression)
		if diff := cmp.Diff(theirs, ours); diff != "" && defect(text) == "" {
			t.Fatalf("path %q: %v: -theirs +ours\n%s", text, err, diff)
		}
	}
}

// TestDefects keeps the lists honest: each defect still is there, and is found.
func TestDefects(t *testing.T) {
	strict := &tolerance.Use{Strict: true}
	for _, d := range defects {
		for _, text := range d.texts {
			t.Run(d.name, func(t *testing.T) {
				theirs, err := filter.ParseFilter([]byte(text))
				if err != nil {
					t.Fatalf("%s: filter-parser now refuses it: %v", text, err)
				}
				if ours, _ := ParseFilter(text, roomy, strict); cmp.Equal(mend(theirs), ours) {
					t.Errorf("%s: there is no difference any more (%s)", text, d.rfc)
				}
				if got := defect(text); got != d.name {
					t.Errorf("%s: taken for %q", text, got)
				}
			})
		}
		if len(d.texts) == 0 || !strings.HasPrefix(d.rfc, "RFC 76") {
			t.Errorf("%s: nothing shows it, or no section decides", d.name)
		}
	}
	t.Run("it leaves escapes in strings", func(t *testing.T) {
		text, want := `a eq "\"\\"`, is("a", "eq", `"\`)
		theirs, err := filter.ParseFilter([]byte(text))
		if err != nil || cmp.Equal(want, theirs) {
			t.Errorf("filter-parser now decodes it (%v): mend is not needed any more", err)
		}
		if diff := cmp.Diff(want, mend(theirs)); diff != "" {
			t.Errorf("mended: -want +got\n%s", diff)
		}
	})
	for _, r := range refusals {
		t.Run("it refuses "+r.text, func(t *testing.T) {
			if _, err := filter.ParseFilter([]byte(r.text)); err == nil {
				t.Error("filter-parser now reads it")
			}
			_, err := ParseFilter(r.text, Limits{}, strict)
			if tolerated := strings.Contains(r.rfc, "tolerance"); (err != nil) != tolerated {
				t.Errorf("strict: %v (%s)", err, r.rfc)
			}
			if _, err := ParseFilter(r.text, Limits{}, nil); err != nil {
				t.Error(err)
			}
		})
	}
}
