package structure

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestArrows reads all imports of the module and compares them with the levels.
func TestArrows(t *testing.T) {
	code, tests := graph{}, graph{}
	for _, p := range listPackages(t) {
		path, _ := inModule(p.ImportPath)
		code.add(path, p.Imports)
		tests.add(path, p.TestImports)
		tests.add(path, p.XTestImports)
	}
	if !slices.Contains(code["."], "internal/endpoint") {
		t.Fatal("the root does not import internal/endpoint: does go list show the right module?")
	}
	for _, complaint := range slices.Concat(checkPlaces(levels, code), checkArrows(levels, code), checkTestArrows(levels, tests)) {
		t.Error(complaint)
	}
}

// graph has the imports of each package, as paths below the module's.
type graph map[string][]string

func (g graph) add(path string, imports []string) {
	g[path] = append(g[path], nil...) // a package without imports is in the graph too
	for _, i := range imports {
		if to, ok := inModule(i); ok {
			g[path] = append(g[path], to)
		}
	}
}

// arrows calls f for each import, in order.
func (g graph) arrows(f func(from, to string)) {
	for _, from := range sortedKeys(g) {
		for _, to := range slices.Compact(slices.Sorted(slices.Values(g[from]))) {
			f(from, to)
		}
	}
}

// height returns the place of a package's level, counted from the top. It is -1 for an unknown package.
func height(levels []level, path string) int {
	return slices.IndexFunc(levels, func(l level) bool {
		return slices.ContainsFunc(l.packages, func(p place) bool { return p.path == path })
	})
}

// checkPlaces reports each package that does not stand in exactly one line of the levels.
// It also reports each line without a package.
func checkPlaces(levels []level, g graph) []string {
	var complaints []string
	lines := map[string]int{}
	for _, l := range levels {
		for _, p := range l.packages {
			lines[p.path]++
			if _, ok := g[p.path]; !ok {
				complaints = append(complaints, fmt.Sprintf("levels has %s, and there is no such package: delete its line", p.path))
			}
			if p.reason == "" {
				complaints = append(complaints, fmt.Sprintf("levels has no reason for %s", p.path))
			}
		}
	}
	for _, path := range sortedKeys(g) {
		switch n := lines[path]; {
		case n == 0:
			complaints = append(complaints, fmt.Sprintf("levels does not know the package %s: give it a level, with a reason", path))
		case n > 1:
			complaints = append(complaints, fmt.Sprintf("levels has %s %d times", path, n))
		}
	}
	return complaints
}

// checkArrows reports imports that do not point to a lower level. It also reports imports
// below internal/ in code that stands for an application's.
func checkArrows(levels []level, g graph) []string {
	var complaints []string
	g.arrows(func(from, to string) {
		a, b := height(levels, from), height(levels, to)
		switch {
		case a < 0 || b < 0: // checkPlaces complains
		case a >= b:
			complaints = append(complaints, fmt.Sprintf("%s (%s) imports %s (%s): against the direction", from, levels[a].name, to, levels[b].name))
		case levels[a].outside && isInternal(to):
			complaints = append(complaints, fmt.Sprintf("%s imports %s: an application's package could not; export what it needs", from, to))
		}
	})
	return complaints
}

// checkTestArrows looks at the imports of test files. Tests of a package below scim import
// only that package and lower ones. Tests of public packages may also import
// each other and what tests share. Tests of scim and of the whole may import everything.
func checkTestArrows(levels []level, g graph) []string {
	var complaints []string
	scim := height(levels, ".")
	g.arrows(func(from, to string) {
		a, b := height(levels, from), height(levels, to)
		switch {
		case a < 0 || b < 0 || from == to:
		case a > scim && a >= b:
			complaints = append(complaints, fmt.Sprintf("tests of %s (%s) import %s (%s): move them to the tests of the whole", from, levels[a].name, to, levels[b].name))
		case levels[a].outside && isInternal(to) && levels[b].name != shared:
			complaints = append(complaints, fmt.Sprintf("tests of %s import %s: tests of an application's package could not", from, to))
		}
	})
	return complaints
}

// isInternal reports whether a package is below the module's internal/.
func isInternal(path string) bool { return strings.HasPrefix(path, "internal/") }

// TestChecksOfArrows gives a made-up module to the checks, and mistakes for them to find.
func TestChecksOfArrows(t *testing.T) {
	made := []level{
		{"top", false, []place{{"internal/whole", "tests"}}},
		{shared, false, []place{{"internal/server", "for tests"}}},
		{"public", true, []place{{"store/a", "a store"}, {"store/b", "another store"}}},
		{"scim", false, []place{{".", "the root"}}},
		{"middle", false, []place{{"internal/engine", "uses the leaf"}, {"internal/motor", "uses the leaf"}}},
		{"leaves", false, []place{{"internal/leaf", "knows nothing"}}},
	}
	right := func() graph {
		return graph{
			"internal/whole": {"store/a", ".", "internal/server"}, "internal/server": {"."},
			"store/a": {"."}, "store/b": {"."}, ".": {"internal/engine", "internal/leaf"},
			"internal/engine": {"internal/leaf"}, "internal/motor": nil, "internal/leaf": nil,
		}
	}
	everything := func(g graph) []string { return append(checkPlaces(made, g), checkArrows(made, g)...) }
	onlyTests := func(g graph) []string { return checkTestArrows(made, g) }
	for _, row := range []struct {
		name     string
		check    func(graph) []string
		from, to string // an import more; to is "" for a package without imports
		want     []string
	}{
		{"all is right", everything, "store/a", ".", nil},
		{"an arrow up", everything, "internal/leaf", "internal/engine", []string{"internal/leaf (leaves) imports internal/engine (middle): against the direction"}},
		{"an arrow up to scim", everything, "internal/engine", ".", []string{"internal/engine (middle) imports . (scim): against the direction"}},
		{"an arrow to the side", everything, "internal/engine", "internal/motor", []string{"internal/engine (middle) imports internal/motor (middle): against the direction"}},
		{"code that imports what tests share", everything, "store/a", "internal/server", []string{"store/a (public) imports internal/server (what tests share): against the direction"}},
		{"a store that imports internal/", everything, "store/a", "internal/leaf", []string{"store/a imports internal/leaf: an application's package could not; export what it needs"}},
		{"a package without a level", everything, "internal/new", "", []string{"levels does not know the package internal/new: give it a level, with a reason"}},
		{"tests are right", onlyTests, "store/a", "internal/server", nil},
		{"tests of the package itself", onlyTests, "internal/engine", "internal/engine", nil},
		{"tests of the root", onlyTests, ".", "store/a", nil},
		{"tests of stores", onlyTests, "store/a", "store/b", nil},
		{"tests of an engine that import scim", onlyTests, "internal/engine", ".", []string{"tests of internal/engine (middle) import . (scim): move them to the tests of the whole"}},
		{"tests of a store that import an engine", onlyTests, "store/a", "internal/engine", []string{"tests of store/a import internal/engine: tests of an application's package could not"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			g := right()
			g[row.from] = append(g[row.from], nil...)
			if row.to != "" {
				g[row.from] = append(g[row.from], row.to)
			}
			if diff := cmp.Diff(row.want, row.check(g)); diff != "" {
				t.Error(diff)
			}
		})
	}
	t.Run("a line without a package", func(t *testing.T) {
		g := right()
		delete(g, "store/b")
		want := []string{"levels has store/b, and there is no such package: delete its line"}
		if diff := cmp.Diff(want, everything(g)); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("two lines, no reason", func(t *testing.T) {
		twice := []level{{"one", false, []place{{".", "the root"}}}, {"two", false, []place{{".", ""}}}}
		want := []string{"levels has no reason for .", "levels has . 2 times"}
		if diff := cmp.Diff(want, checkPlaces(twice, graph{".": nil})); diff != "" {
			t.Error(diff)
		}
	})
}
