package scenarios

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write docs/scenarios.md")

// cases is the number of the last case of the role rules.
const cases = 120

var number = regexp.MustCompile(`^S(\d+)$`)

// numbers are the cases that a scenario covers: the first words of its name.
func (s *scenario) numbers() (all []int) {
	for _, word := range strings.Fields(s.name) {
		m := number.FindStringSubmatch(word)
		if m == nil {
			break
		}
		n, _ := strconv.Atoi(m[1]) // it is digits
		all = append(all, n)
	}
	return all
}

// Every case has a scenario, each name is unique, and a scenario that not every kind of
// world has says why.
func TestEveryCaseIsThere(t *testing.T) {
	seen, names := map[int]bool{}, map[string]bool{}
	for _, c := range slices.Concat(chapters(), ruleChapters()) {
		for _, s := range c.scenarios {
			if names[s.name] {
				t.Errorf("two scenarios are named %q", s.name)
			}
			names[s.name] = true
			for _, n := range s.numbers() {
				seen[n] = true
			}
			if s.given == "" || s.when == "" || s.then == "" || strings.ContainsAny(s.given+s.when+s.then, "\n|") {
				t.Errorf("%s: given, when and then must be one line each, without a vertical bar", s.name)
			}
			if s.kinds != nil && s.only == "" {
				t.Errorf("%s: only must say why there are kinds of worlds without it", s.name)
			}
		}
	}
	for n := 1; n <= cases; n++ {
		if !seen[n] {
			t.Errorf("no scenario is named S%d", n)
		}
	}
}

// docs/scenarios.md lists the scenarios.
func TestScenariosAreDocumented(t *testing.T) {
	const path, begin, end = "../../docs/scenarios.md", "<!-- scenarios: begin -->\n", "<!-- scenarios: end -->\n"
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(page), begin)
	_, tail, closed := strings.Cut(rest, end)
	if !ok || !closed {
		t.Fatalf("%s has no marks for the table", path)
	}
	want := head + begin + table() + end + tail
	if want == string(page) {
		return
	}
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Errorf("%s differs; write it with: go test ./internal/scenarios -run TestScenariosAreDocumented -update\n%s", path, cmp.Diff(string(page), want))
}

// table is the list of scenarios in Markdown.
func table() string {
	var b bytes.Buffer
	for _, c := range slices.Concat(chapters(), ruleChapters()) {
		fmt.Fprintf(&b, "\n## %s\n\n| scenario | given | when | then |\n| --- | --- | --- | --- |\n", c.title)
		for _, s := range c.scenarios {
			then := s.then
			if s.kinds != nil {
				then += " (Only " + strings.Join(s.kinds, ", ") + ": " + s.only + ".)"
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", s.name, s.given, s.when, then)
		}
	}
	b.WriteString("\n")
	return b.String()
}
