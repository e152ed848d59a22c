package structure

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	maxFileLines     = 500
	maxFunctionLines = 70
	maxMethods       = 30
	maxFields        = 12
	maxFlags         = 1
)

// longFunctions may be longer than maxFunctionLines: tables, and switches over a grammar.
var longFunctions = map[string]string{
	"internal/match.compiler.literal": "a switch over the kinds of attributes: what each compares with",
	"store/storetest.faultyWrites":    "a table of writes, each with the signs that it was done",
	"store/storetest.faultSteps":      "a table of steps",
	"store/storetest.filterSteps":     "a table of steps",
	"store/storetest.keysetSteps":     "a table of steps",
	"store/storetest.ledgerSteps":     "a table of steps",
	"store/storetest.listSteps":       "a table of steps",
	"store/storetest.lockSteps":       "a table of steps",
	"store/storetest.pendingSteps":    "a table of steps",
	"store/storetest.txPartSteps":     "a table of steps",
	"store/storetest.memberSteps":     "a table of steps",
	"store/storetest.changeSteps":     "a table of steps",
	"store/storetest.roleBatchSteps":  "a table of steps",
	"store/storetest.tenantSteps":     "a table of steps",
	"store/storetest.txSteps":         "a table of steps",
	"store/storetest.isolationSteps":  "a table of steps",
	"store/storetest.uniqueSteps":     "a table of steps",
	"store/storetest.updateSteps":     "a table of steps",
	"store/storetest.deleteSteps":     "a table of steps",
}

// smallRooms have no struct with more than maxFields fields or maxFlags flags. A request
// and the role engine's work are small values: no object that every function changes.
var smallRooms = []string{"internal/endpoint", "internal/roles"}

// wideTypes may have more methods than maxMethods. The handler finds a store's capabilities as
// methods of one value, and each method only passes on to a room of the store.
var wideTypes = map[string]int{"examples/officernd.employees": 42, "store/sqlstore.Store": 41, "store/memory.Store": 40, "internal/testhost.UndoStore": 40, "examples/oktaaiw.lookUps": 41}

// TestShapes measures all non-test code of the module.
func TestShapes(t *testing.T) {
	t.Run("files and functions", func(t *testing.T) {
		sizes, files := map[string]int{}, 0
		eachFile(t, func(name string, text []byte) {
			files++
			if n := bytes.Count(text, []byte("\n")); n > maxFileLines {
				t.Errorf("%s has %d lines, more than %d: look for a seam", name, n, maxFileLines)
			}
			maps.Copy(sizes, functionLines(t, name, text))
		})
		if files < 100 {
			t.Fatalf("%d files: does this test look at the whole module?", files)
		}
		for _, complaint := range checkFunctions(sizes, longFunctions) {
			t.Error(complaint)
		}
	})
	packages := checkTypes(t)
	t.Run("methods", func(t *testing.T) {
		for _, p := range packages {
			for _, complaint := range checkMethods(p) {
				t.Error(complaint)
			}
		}
	})
	t.Run("structs", func(t *testing.T) {
		seen := 0
		for _, p := range packages {
			if slices.Contains(smallRooms, p.path) {
				seen++
				for _, complaint := range checkStructs(p) {
					t.Error(complaint)
				}
			}
		}
		if seen != len(smallRooms) {
			t.Errorf("%d of the packages %q exist", seen, smallRooms)
		}
	})
}

// generated begins a file that a tool has written, as go help generate says.
var generated = regexp.MustCompile(`^// Code generated .* DO NOT EDIT\.\n`)

// eachFile calls f for each Go file of the module that is no test and was not generated, also for those of other
// platforms.
func eachFile(t *testing.T, f func(name string, text []byte)) {
	t.Helper()
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, d fs.DirEntry, err error) error {
		switch base := path.Base(name); {
		case err != nil:
			return err
		case d.IsDir() && name != "." && (base == "testdata" || strings.HasPrefix(base, ".")):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(base, ".go") || strings.HasSuffix(base, "_test.go"):
			return nil
		}
		text, err := os.ReadFile(filepath.Join(root, name))
		if err == nil && !generated.Match(text) {
			f(name, text)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// functionLines counts the lines of each function and of each variable that has functions in its value.
// Its keys are such as "internal/match.compiler.literal".
func functionLines(t *testing.T, name string, text []byte) map[string]int {
	t.Helper()
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, text, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	lines := map[string]int{}
	add := func(key string, n ast.Node) {
		key = path.Dir(name) + "." + key
		lines[key] = max(lines[key], fset.Position(n.End()).Line-fset.Position(n.Pos()).Line+1)
	}
	for _, decl := range file.Decls {
		switch decl := decl.(type) {
		case *ast.FuncDecl:
			key := decl.Name.Name
			if decl.Recv != nil {
				key = receiver(decl.Recv.List[0].Type) + "." + key
			}
			add(key, decl)
		case *ast.GenDecl:
			for _, spec := range decl.Specs {
				if spec, ok := spec.(*ast.ValueSpec); ok {
					ast.Inspect(spec, func(n ast.Node) bool {
						if f, ok := n.(*ast.FuncLit); ok {
							add(spec.Names[0].Name, f)
						}
						return true
					})
				}
			}
		}
	}
	return lines
}

// receiver is the name of a receiver's type.
func receiver(x ast.Expr) string {
	switch x := x.(type) {
	case *ast.StarExpr:
		return receiver(x.X)
	case *ast.IndexExpr:
		return receiver(x.X)
	case *ast.IndexListExpr:
		return receiver(x.X)
	}
	return x.(*ast.Ident).Name
}

// checkFunctions compares the lines of functions with the limit and with the list of long ones.
func checkFunctions(lines map[string]int, long map[string]string) []string {
	var complaints []string
	for _, name := range sortedKeys(lines) {
		_, listed := long[name]
		if n := lines[name]; n > maxFunctionLines && !listed {
			complaints = append(complaints, fmt.Sprintf("%s has %d lines, more than %d: divide it; a table, or a switch over a grammar, may stand in longFunctions", name, n, maxFunctionLines))
		}
	}
	for _, name := range sortedKeys(long) {
		if n := lines[name]; n <= maxFunctionLines {
			complaints = append(complaints, fmt.Sprintf("%s has %d lines and needs no line in longFunctions: delete it", name, n))
		}
		if long[name] == "" {
			complaints = append(complaints, fmt.Sprintf("longFunctions has no reason for %s", name))
		}
	}
	return complaints
}

// typedPackage is a package with the types of its non-test code.
type typedPackage struct {
	path string // below the module's
	fset *token.FileSet
	info *types.Info
}

// checkTypes finds the types of all packages of the module.
func checkTypes(t *testing.T) []typedPackage {
	t.Helper()
	listed := listPackages(t, "-export", "-deps")
	exports := map[string]string{}
	for _, p := range listed {
		exports[p.ImportPath] = p.Export
	}
	fset := token.NewFileSet()
	imports := importer.ForCompiler(fset, "gc", func(importPath string) (io.ReadCloser, error) { return os.Open(exports[importPath]) })
	var packages []typedPackage
	for _, p := range listed {
		if name, ok := inModule(p.ImportPath); ok {
			var files []*ast.File
			for _, file := range p.GoFiles {
				f, err := parser.ParseFile(fset, filepath.Join(p.Dir, file), nil, parser.SkipObjectResolution)
				if err != nil {
					t.Fatal(err)
				}
				files = append(files, f)
			}
			packages = append(packages, typesOf(t, name, fset, files, imports))
		}
	}
	return packages
}

// typesOf finds the types of a package.
func typesOf(t *testing.T, name string, fset *token.FileSet, files []*ast.File, imports types.Importer) typedPackage {
	t.Helper()
	p := typedPackage{name, fset, &types.Info{Defs: map[*ast.Ident]types.Object{}, Types: map[ast.Expr]types.TypeAndValue{}}}
	if _, err := (&types.Config{Importer: imports}).Check(path.Join(module, name), fset, files, p.info); err != nil {
		t.Fatalf("types of %s: %v", name, err)
	}
	return p
}

// at is the place of a node or an object.
func (p typedPackage) at(pos token.Pos) string {
	place := p.fset.Position(pos)
	return fmt.Sprintf("%s:%d", path.Join(p.path, filepath.Base(place.Filename)), place.Line)
}

// checkMethods counts the methods of each type, with those of embedded types of the module.
func checkMethods(p typedPackage) []string {
	var complaints []string
	for _, object := range p.info.Defs {
		name, ok := object.(*types.TypeName)
		if !ok || name.IsAlias() {
			continue
		}
		t := name.Type()
		if _, is := t.(*types.TypeParam); is {
			continue
		}
		if !types.IsInterface(t) {
			t = types.NewPointer(t)
		}
		n := 0
		for method := range types.NewMethodSet(t).Methods() {
			if pkg := method.Obj().Pkg(); pkg != nil && ofModule(pkg) {
				n++
			}
		}
		most := max(wideTypes[p.path+"."+name.Name()], maxMethods)
		if n > most {
			complaints = append(complaints, fmt.Sprintf("%s: %s has %d methods with those of embedded types, more than %d: divide it", p.at(name.Pos()), name.Name(), n, most))
		}
	}
	slices.Sort(complaints)
	return complaints
}

// checkStructs counts the fields and flags of each struct. The fields of an embedded struct
// of the same package count as its own: a large struct stays large if it is cut into embedded ones.
func checkStructs(p typedPackage) []string {
	var complaints []string
	for x, v := range p.info.Types {
		if _, ok := x.(*ast.StructType); !ok {
			continue
		}
		fields, flags := countFields(v.Type.(*types.Struct), path.Join(module, p.path))
		if fields > maxFields {
			complaints = append(complaints, fmt.Sprintf("%s: a struct with %d fields, more than %d: divide it", p.at(x.Pos()), fields, maxFields))
		}
		if flags > maxFlags {
			complaints = append(complaints, fmt.Sprintf("%s: a struct with %d flags, more than %d: give the states a name", p.at(x.Pos()), flags, maxFlags))
		}
	}
	slices.Sort(complaints)
	return complaints
}

// countFields counts the fields and flags of a struct of the package pkg.
func countFields(s *types.Struct, pkg string) (fields, flags int) {
	for field := range s.Fields() {
		t := field.Type()
		if pointer, ok := t.Underlying().(*types.Pointer); ok && field.Embedded() {
			t = pointer.Elem()
		}
		named, _ := t.(*types.Named)
		embedded, ok := t.Underlying().(*types.Struct)
		if ok && field.Embedded() && named != nil && named.Obj().Pkg().Path() == pkg {
			more, set := countFields(embedded, pkg)
			fields, flags = fields+more, flags+set
			continue
		}
		fields++
		if basic, ok := t.Underlying().(*types.Basic); ok && basic.Kind() == types.Bool {
			flags++
		}
	}
	return fields, flags
}

func ofModule(pkg *types.Package) bool {
	_, ok := inModule(pkg.Path())
	return ok
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// TestChecksOfShapes gives made-up code to the checks, and mistakes for them to find.
func TestChecksOfShapes(t *testing.T) {
	t.Run("functions", func(t *testing.T) {
		body := func(lines int) string { return "{" + strings.Repeat("\n", lines-1) + "}" }
		text := "package made\n" +
			"func short() " + body(maxFunctionLines) + "\n" +
			"func long() " + body(maxFunctionLines+1) + "\n" +
			"func (x *thing[T]) table() " + body(100) + "\n" +
			"func (thing[T]) shrunk() " + body(3) + "\n" +
			"var value = []func(){func() " + body(80) + "}\n"
		long := map[string]string{"made.thing.table": "a table", "made.thing.shrunk": "a table", "made.gone": ""}
		want := []string{
			"made.long has 71 lines, more than 70: divide it; a table, or a switch over a grammar, may stand in longFunctions",
			"made.value has 80 lines, more than 70: divide it; a table, or a switch over a grammar, may stand in longFunctions",
			"made.gone has 0 lines and needs no line in longFunctions: delete it",
			"longFunctions has no reason for made.gone",
			"made.thing.shrunk has 3 lines and needs no line in longFunctions: delete it",
		}
		if diff := cmp.Diff(want, checkFunctions(functionLines(t, "made/made.go", []byte(text)), long)); diff != "" {
			t.Error(diff)
		}
	})

	repeat := func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	made := func(t *testing.T, text string) typedPackage {
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, "made.go", "package made\n"+text, 0)
		if err != nil {
			t.Fatal(err)
		}
		return typesOf(t, "made", fset, []*ast.File{file}, nil)
	}
	t.Run("methods", func(t *testing.T) {
		p := made(t, "type most struct{}; type part struct{}; type whole struct { *most; part }; type port interface { "+repeat(31, "M%d();")+" }; type over struct { port }\n"+
			repeat(15, "func (most) A%d() {}\n")+repeat(15, "func (*most) B%d() {}\n")+"func (part) C() {}\nfunc (part) A1() {}\nfunc (whole) A1() {}\n")
		want := []string{
			"made/made.go:2: over has 31 methods with those of embedded types, more than 30: divide it",
			"made/made.go:2: port has 31 methods with those of embedded types, more than 30: divide it",
			"made/made.go:2: whole has 31 methods with those of embedded types, more than 30: divide it",
		}
		if diff := cmp.Diff(want, checkMethods(p)); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("structs", func(t *testing.T) {
		p := made(t, "type most struct { a, b, c, d, e, f, g, h, i, j, k int; l bool }\n"+
			"type whole struct { *most; m int }\n"+
			"type flag bool\n"+
			"type flags struct { a bool; b flag }\n"+
			"var unnamed []struct { "+repeat(13, "f%d string;")+" }\n"+
			"type fine struct { m most; list []bool; b bool }\n")
		want := []string{
			"made/made.go:3: a struct with 13 fields, more than 12: divide it",
			"made/made.go:5: a struct with 2 flags, more than 1: give the states a name",
			"made/made.go:6: a struct with 13 fields, more than 12: divide it",
		}
		if diff := cmp.Diff(want, checkStructs(p)); diff != "" {
			t.Error(diff)
		}
	})
}
