package scimtest

import (
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseErrors(t *testing.T) {
	tests := []struct{ name, text, want, reason string }{
		{"empty", "# nothing\n", "x.http: there is no request in it", "a file that plays nothing passes for no reason"},
		{"no request", "Accept: a\n\nGet /Users\n", "x.http:3: not a header (a body begins behind an empty line): Get /Users", "methods are capital letters"},
		{"no answer", "GET /Users\n\n{}\n", `x.http:1: the request has no answer: a line ">> status" is missing`, "a request without an answer checks nothing"},
		{"body too early", "POST /Users\n{}\n\n>> 201\n", "x.http:2: not a header (a body begins behind an empty line): {}", "it would be taken for headers"},
		{"no status", "GET /Users\n\n>> OK\n", `x.http:3: an answer is written ">> status"`, "the status is a number"},
		{"broken JSON", "GET /Users\n\n>> 200\n\n{\n# comment\n\"a\" 1}\n", "x.http:7: the expected body: invalid character '1' after object key", "the line is that of the mistake"},
		{"answer without a request", "A: b\n\n>> 200\n", "x.http:3: an answer without a request", "a request was left out"},
		{"half a check", "GET /Users\n\n>> 200\n\nroles: 7\n", `x.http:5: a check is written "name: argument = result"`, "it would compare nothing"},
		{"stray line", "GET /Users\n\n>> 204\n\nroles: 7 = A\nnonsense\n", `x.http:6: neither a request, such as "GET /Users", nor a check: nonsense`, "nothing is passed over"},
		{"two values", "GET /Users\n\n>> 200\n\n{} {}\n", "x.http:5: the expected body: there is something behind the JSON value", "the second would not be compared"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if d := cmp.Diff(test.want, firstLine(play("x.http", test.text, Target{Handler: user(ann)}))); d != "" {
				t.Errorf("%s (-want +have):\n%s", test.reason, d)
			}
		})
	}
}

// FuzzParse checks that every text is either parsed or refused at one of its lines.
func FuzzParse(f *testing.F) {
	f.Add("# a\nA: b\n\nPOST /Users\nC: d\n\n{\"a\": \"${b}\"}\n\n>> 201\nE: f\n\n{\"g\": [\"...\"]}\n\nh: i = j\n")
	f.Add("GET /\r\n\r\n>> 204\r\n")
	f.Add("GET /\n\n>> 200\n\n{")
	place := regexp.MustCompile(`^x\.http:([1-9][0-9]*): `)
	f.Fuzz(func(t *testing.T, text string) {
		steps, err := parse("x.http", text)
		if err != nil && !place.MatchString(err.Error()) {
			t.Errorf("the error names no line: %v", err)
		}
		for _, s := range steps {
			if s.check == nil && s.method == "" {
				t.Errorf("a step that is neither a request nor a check: %+v", s)
			}
		}
	})
}
