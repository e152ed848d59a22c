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

// FuzzParse asserts that no text makes the parsers panic, that what they refuse
// is refused in the proper form, and that what they read prints as the same.
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

// defects of filter-parser v2.3.1 by which it accepts what the grammar does not
// have, or makes another tree of it. That it leaves escapes in strings is another;
// mend makes up for it.
var defects = []struct {
	name string
	in   func(text string) bool
}{
	{"in brackets it wants no space around and, or", regexp.MustCompile(
		`(?i)\[.*((pr|true|false|null|\d)(and|or)|(and|or)(urn|[a-z$\d.-]))`).MatchString},
	{"it reads integers by way of float64", regexp.MustCompile(`\d{16}`).MatchString},
	{"it takes bytes in strings that are not UTF-8", func(text string) bool { return !utf8.ValidString(text) }},
	{"it takes half a surrogate pair", func(text string) bool {
		lone := regexp.MustCompile(`(?i)\\uD[89A-F]`)
		pair := regexp.MustCompile(`(?i)\\uD[89AB][\dA-F]{2}\\uD[C-F][\dA-F]{2}`)
		return lone.MatchString(pair.ReplaceAllString(text, ""))
	}},
}

func defect(text string) string {
	for _, d := range defects {
		if d.in(text) {
			return d.name
		}
	}
	return ""
}

// mend decodes the strings that filter-parser leaves as they are.
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

// TestDefects keeps the list of defects honest: each still is there, and is found.
func TestDefects(t *testing.T) {
	for _, c := range []struct{ name, reason, text string }{
		{defects[0].name, "a word is a whole word", `a[b prand c pr]`},
		{defects[0].name, "a word is a whole word", `a[b pr orc pr]`},
		{defects[1].name, "2^53+1 is not 2^53", `a eq 9007199254740993`},
		{defects[2].name, "such a value equals nothing that JSON can hold", "a eq \"\xff\""},
		{defects[3].name, "half a pair is no character", `a eq "\uD83D"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			theirs, err := filter.ParseFilter([]byte(c.text))
			if err != nil {
				t.Fatalf("%s: filter-parser now refuses it: %v", c.text, err)
			}
			ours, _ := ParseFilter(c.text, roomy, &tolerance.Use{Strict: true})
			if cmp.Equal(mend(theirs), ours) {
				t.Errorf("%s: there is no difference any more\nreason: %s", c.text, c.reason)
			}
			if got := defect(c.text); got != c.name {
				t.Errorf("%s: taken for %q\nreason: %s", c.text, got, c.reason)
			}
		})
	}
	// The reasons why there is a parser here at all.
	for _, text := range []string{`a eq "\u00e9"`, `emails[type eq "work"].value eq "x"`, `a eq word`, `a[b pr and c pr and d pr]`} {
		if _, err := filter.ParseFilter([]byte(text)); err == nil {
			t.Errorf("%s: filter-parser now reads it", text)
		}
		if _, err := ParseFilter(text, Limits{}, nil); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}
