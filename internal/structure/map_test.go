package structure

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestMap compares the map in CONTRIBUTING.md with the packages of the module.
func TestMap(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(root, "CONTRIBUTING.md"))
	if err != nil {
		t.Fatal(err)
	}
	var packages []string
	for _, p := range listPackages(t) {
		if path, _ := inModule(p.ImportPath); path != "." { // the map has the root's files
			packages = append(packages, path)
		}
	}
	for _, complaint := range checkMap(string(page), packages) {
		t.Error(complaint)
	}
}

var inBackticks = regexp.MustCompile("`([^`]+)`")

// checkMap reports each package that does not stand exactly once in the first column of the
// map's tables. It also reports each entry that is neither a package nor a file of the
// root.
func checkMap(page string, packages []string) []string {
	var complaints []string
	rows := map[string]int{}
	_, section, _ := strings.Cut(page, "\n## The map\n")
	section, _, _ = strings.Cut(section, "\n## ")
	for line := range strings.Lines(section) {
		row, ok := strings.CutPrefix(line, "|")
		if !ok {
			continue
		}
		first, _, _ := strings.Cut(row, "|")
		for _, name := range inBackticks.FindAllStringSubmatch(first, -1) {
			rows[name[1]]++
		}
	}
	for _, path := range packages {
		if n := rows[path]; n != 1 {
			complaints = append(complaints, fmt.Sprintf("the map in CONTRIBUTING.md has %d rows for the package %s, want one", n, path))
		}
	}
	for _, name := range sortedKeys(rows) {
		if !strings.HasSuffix(name, ".go") && !slices.Contains(packages, name) {
			complaints = append(complaints, fmt.Sprintf("the map in CONTRIBUTING.md has a row for %s, and there is no such package: delete it", name))
		}
	}
	return complaints
}

// TestChecksOfMap gives a made-up map to the check, and mistakes for it to find.
func TestChecksOfMap(t *testing.T) {
	page := "# Page\n\n| `internal/before` | no part of the map |\n\n## The map\n\n" +
		"| file | what |\n| --- | --- |\n| `scim.go` | not a package |\n\n" +
		"| package | what |\n| --- | --- |\n| `internal/a`, `internal/b` | both, see `internal/c` |\n| `internal/gone` | was deleted |\n| `internal/b` | again |\n\n" +
		"## Add\n\n| `internal/behind` | no part of the map |\n"
	want := []string{
		"the map in CONTRIBUTING.md has 2 rows for the package internal/b, want one",
		"the map in CONTRIBUTING.md has 0 rows for the package internal/c, want one",
		"the map in CONTRIBUTING.md has a row for internal/gone, and there is no such package: delete it",
	}
	if diff := cmp.Diff(want, checkMap(page, []string{"internal/a", "internal/b", "internal/c"})); diff != "" {
		t.Error(diff)
	}
}
