package doctest

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// namedTest is how docs/threat-model.md names a test: the folder, and the function.
var namedTest = regexp.MustCompile("`([a-z/0-9]+)\\.((?:Test|Fuzz)\\w+)`")

// TestThreats checks that each statement of docs/threat-model.md about the library names its tests,
// and that they exist. Statements about the application and about what is left stand at the end.
func TestThreats(t *testing.T) {
	page := read(t, "docs/threat-model.md")
	statements, rest, ok := strings.Cut(page, "\n## What the application must do\n")
	if !ok {
		t.Fatal("docs/threat-model.md does not say what the application must do")
	}
	if namedTest.MatchString(rest) {
		t.Error("a statement about the library stands behind what the application must do")
	}
	for _, complaint := range checkThreats(statements, func(folder, name string) bool { return hasTest(t, folder, name) }) {
		t.Error(complaint)
	}
	if n := strings.Count(statements, "\n- "); n < 30 {
		t.Errorf("the page has %d statements; has the way they are written changed?", n)
	}
}

// hasTest reports whether a folder has a test.
func hasTest(t *testing.T, folder, name string) bool {
	t.Helper()
	sources, err := filepath.Glob(filepath.Join(root, folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range sources {
		for _, m := range testFunc.FindAllStringSubmatch(read(t, strings.TrimPrefix(file, root)), -1) {
			if m[1] == name {
				return true
			}
		}
	}
	return false
}

// checkThreats reports statements without a test, and tests that do not exist.
func checkThreats(page string, exists func(folder, name string) bool) []string {
	var complaints []string
	for i, statement := range strings.Split(page, "\n- ") {
		if i == 0 {
			continue
		}
		statement, _, _ = strings.Cut(statement, "\n\n")
		tests := namedTest.FindAllStringSubmatch(statement, -1)
		first, _, _ := strings.Cut(statement, "\n")
		if len(tests) == 0 {
			complaints = append(complaints, "no test stands behind: "+first)
		}
		for _, m := range tests {
			if !exists(m[1], m[2]) {
				complaints = append(complaints, "there is no test "+m[1]+"."+m[2]+", which stands behind: "+first)
			}
		}
	}
	return complaints
}

// TestChecksOfThreats gives mistakes to the check.
func TestChecksOfThreats(t *testing.T) {
	page := "# Page\n\n- Right. `auth.TestA`\n- None.\n- Gone. `auth.TestA`\n  `auth/x.FuzzB`\n\n## Next\n\n- Right too.\n  `auth.TestA`\n"
	got := strings.Join(checkThreats(page, func(folder, name string) bool { return folder == "auth" && name == "TestA" }), "\n")
	want := "no test stands behind: None.\nthere is no test auth/x.FuzzB, which stands behind: Gone. `auth.TestA`"
	if got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}
