package doctest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// systems are the examples of products, each with the letters and the count of its promises.
var systems = map[string]struct {
	letters string
	count   int
}{
	"commonroom": {"CR", 18}, "jotform": {"JF", 13}, "oktaaiw": {"OK", 10}, "officernd": {"OR", 10}, "rootly": {"RT", 18},
}

var (
	promise    = regexp.MustCompile(`(?m)^\| ([A-Z]{2}-\d+) \|(.*)$`)
	codeInFile = regexp.MustCompile("\\[`([A-Za-z.]+)`\\]\\(([^)#]+\\.go)\\)")
	subTest    = regexp.MustCompile(`"([A-Z]{2}-\d+) `)
)

// TestSystems compares docs/systems.md with the examples of products: each promise has a row and a sub-test,
// and each row names code that is there.
func TestSystems(t *testing.T) {
	const page = "docs/systems.md"
	rows := make(map[string][]string)
	for _, row := range promise.FindAllStringSubmatch(read(t, page), -1) {
		letters, _, _ := strings.Cut(row[1], "-")
		rows[letters] = append(rows[letters], row[1])
		links := codeInFile.FindAllStringSubmatch(row[2], -1)
		if len(links) == 0 {
			t.Errorf("%s: the row of %s names no code", page, row[1])
		}
		for _, link := range links {
			file := path.Join("docs", link[2])
			if names := declared(t, file); !slices.Contains(names, link[1]) {
				t.Errorf("%s: %s: %s declares no %s", page, row[1], file, link[1])
			}
		}
	}
	for name, s := range systems {
		if _, err := os.Stat(filepath.Join(root, "examples", name)); os.IsNotExist(err) {
			continue
		}
		var want []string
		for i := range s.count {
			want = append(want, fmt.Sprintf("%s-%d", s.letters, i+1))
		}
		if diff := cmp.Diff(want, rows[s.letters]); diff != "" {
			t.Errorf("%s: the rows of %s (-want +got):\n%s", page, name, diff)
		}
		var tests []string
		for _, file := range files(t, ".go") {
			if path.Dir(file) == "examples/"+name && strings.HasSuffix(file, "_test.go") {
				for _, m := range subTest.FindAllStringSubmatch(read(t, file), -1) {
					tests = append(tests, m[1])
				}
			}
		}
		for _, number := range want {
			if !slices.Contains(tests, number) {
				t.Errorf("examples/%s has no sub-test %s", name, number)
			}
		}
		// The expectations are two trials with ten rows each.
		for file, most := range map[string]int{"README.md": 40, "EXPECTATIONS.md": 80} {
			if n := strings.Count(read(t, "examples/"+name+"/"+file), "\n"); n > most {
				t.Errorf("examples/%s/%s has %d lines, more than %d", name, file, n, most)
			}
		}
	}
}

// declared returns the names that a file declares: functions, methods as "type.method", variables, types.
func declared(t *testing.T, name string) (names []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, name), nil, 0)
	if err != nil {
		t.Error(err)
		return nil
	}
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			receiver := ""
			if d.Recv != nil {
				of := d.Recv.List[0].Type
				if pointer, ok := of.(*ast.StarExpr); ok {
					of = pointer.X
				}
				receiver = of.(*ast.Ident).Name + "."
			}
			names = append(names, receiver+d.Name.Name)
		case *ast.GenDecl:
			for _, s := range d.Specs {
				switch s := s.(type) {
				case *ast.ValueSpec:
					for _, n := range s.Names {
						names = append(names, n.Name)
					}
				case *ast.TypeSpec:
					names = append(names, s.Name.Name)
				}
			}
		}
	}
	return names
}
