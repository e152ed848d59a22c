package doctest

import (
	"fmt"
	"go/format"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/scimkit/scim"
)

// root is the folder of the module.
const root = "../.."

// read returns a file of the module.
func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// files lists the files of the module with an extension, in all folders but hidden ones and testdata.
func files(t *testing.T, ext string) []string {
	t.Helper()
	var all []string
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata"):
			return fs.SkipDir
		case !d.IsDir() && path.Ext(name) == ext:
			all = append(all, name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		t.Fatalf("there is no file %s", ext)
	}
	return all
}

// block is a fenced block of a page.
type block struct {
	line           int
	language, text string
}

// blocks returns the fenced blocks of a page, and the page without them.
func blocks(t *testing.T, name string) (list []block, rest string) {
	t.Helper()
	var b *block
	var prose strings.Builder
	for i, line := range strings.Split(read(t, name), "\n") {
		language, fence := strings.CutPrefix(line, "```")
		switch {
		case fence && b == nil:
			b = &block{line: i + 1, language: language}
		case fence:
			list, b = append(list, *b), nil
		case strings.HasPrefix(strings.TrimSpace(line), "```"):
			t.Errorf("%s:%d: a fence must begin its line, otherwise its block is not checked", name, i+1)
		case b != nil:
			b.text += line + "\n"
		default:
			prose.WriteString(line + "\n")
		}
	}
	if b != nil {
		t.Errorf("%s:%d: this block does not end", name, b.line)
	}
	return list, prose.String()
}

func squeeze(s string) string { return strings.Join(strings.Fields(s), " ") }

// TestGo finds each block of Go in a file that is compiled, and compiles whole programs.
func TestGo(t *testing.T) {
	var compiled []string
	for _, name := range files(t, ".go") {
		compiled = append(compiled, squeeze(read(t, name)))
	}
	isCompiled := func(text string) bool {
		return slices.ContainsFunc(compiled, func(file string) bool { return strings.Contains(file, squeeze(text)) })
	}
	found := 0
	for _, name := range files(t, ".md") {
		list, _ := blocks(t, name)
		for _, b := range list {
			if b.language != "go" {
				if strings.Contains(b.text, ":= ") || strings.Contains(b.text, "func ") {
					t.Errorf("%s:%d: this looks like Go and is not marked as such", name, b.line)
				}
				continue
			}
			found++
			if formatted, err := format.Source([]byte(b.text)); err != nil || string(formatted) != b.text {
				t.Errorf("%s:%d: not in the form of gofmt (error %v); want:\n%s", name, b.line, err, formatted)
			}
			switch {
			case isCompiled(b.text):
			case strings.HasPrefix(b.text, "package main\n"):
				vet(t, fmt.Sprintf("%s:%d", name, b.line), b.text)
			default:
				t.Errorf("%s:%d: no Go file has this block word for word:\n%s", name, b.line, b.text)
			}
		}
	}
	if found < 20 {
		t.Errorf("the pages have %d blocks of Go; has the way they are marked changed?", found)
	}
}

// vet compiles a program.
func vet(t *testing.T, where, program string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "main.go")
	if err := os.WriteFile(file, []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "go", "vet", file)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%s: go vet: %v\n%s", where, err, out)
	}
}

// TestPrograms holds the programs that pages show as a whole.
func TestPrograms(t *testing.T) {
	for page, program := range map[string]string{
		"README.md":             "examples/existing-app/scim.go",
		"docs/write-a-store.md": "examples/mapstore/main.go",
	} {
		if !strings.Contains(read(t, page), "```go\n"+read(t, program)+"```\n") {
			t.Errorf("%s does not show %s as it stands: paste it in again", page, program)
		}
	}
}

// TestREADME holds what a reader is promised: one page, with an index of all others.
func TestREADME(t *testing.T) {
	readme := read(t, "README.md")
	if n := strings.Count(readme, "\n"); n > 160 {
		t.Errorf("README.md has %d lines, more than 160: move something to docs/", n)
	}
	index := strings.Join(regexp.MustCompile(`(?m)^\| \[.*?\) \|`).FindAllString(readme, -1), "\n")
	for _, page := range files(t, ".md") {
		if strings.HasPrefix(page, "docs/") && !strings.Contains(index, "]("+page+")") {
			t.Errorf("the index of README.md does not list %s", page)
		}
	}
}

// TestGoRelease checks which Go release README.md names, and that the modules which it
// gives as the reason ask for that release.
func TestGoRelease(t *testing.T) {
	mod := regexp.MustCompile(`(?m)^go (1\.\d+)`).FindStringSubmatch(read(t, "go.mod"))
	if mod == nil {
		t.Fatal("go.mod names no Go release")
	}
	readme := read(t, "README.md")
	if !strings.Contains(readme, "The module needs Go "+mod[1]+",") {
		t.Errorf("README.md does not say that the module needs Go %s", mod[1])
	}
	compiled := goList(t, "list", "-deps", ".")
	for _, reason := range []string{"golang.org/x/text", "github.com/go-json-experiment/json"} {
		if !strings.Contains(readme, "`"+reason+"`") {
			t.Errorf("README.md does not name %s as a reason for the Go release", reason)
		}
		if !strings.Contains(compiled, reason+"/") {
			t.Errorf("an application does not compile %s, which README.md says", reason)
		}
		if v := goList(t, "list", "-m", "-f", "{{.GoVersion}}", reason); v != mod[1] && !strings.HasPrefix(v, mod[1]+".") {
			t.Errorf("%s asks for Go %s, not for %s as README.md says", reason, v, mod[1])
		}
	}
}

// goList returns what a go command prints.
func goList(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %s: %v", strings.Join(args, " "), err)
	}
	return strings.TrimSpace(string(out))
}

// TestTolerances keeps the table of tolerances complete.
func TestTolerances(t *testing.T) {
	page := read(t, "docs/identity-providers.md")
	for _, name := range scim.Tolerances() {
		if !strings.Contains(page, "\n| `"+string(name)+"` | ") {
			t.Errorf("docs/identity-providers.md does not list the tolerance %q", name)
		}
	}
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z-]+)` \\| ").FindAllStringSubmatch(page, -1) {
		if !slices.Contains(scim.Tolerances(), scim.Tolerance(m[1])) {
			t.Errorf("docs/identity-providers.md lists %q, which is no tolerance", m[1])
		}
	}
	if n := len(scim.Tolerances()); !strings.Contains(read(t, "README.md"), fmt.Sprintf("accepts %d such things", n)) {
		t.Errorf("README.md does not say that there are %d tolerances", n)
	}
}

var (
	mdLink  = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.*)$`)
)

// TestLinks follows the relative links of all pages, to files and to headings.
func TestLinks(t *testing.T) {
	found := 0
	for _, page := range files(t, ".md") {
		_, prose := blocks(t, page)
		for _, m := range mdLink.FindAllStringSubmatch(prose, -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			found++
			target, anchor, hasAnchor := strings.Cut(m[1], "#")
			file := page
			if target != "" {
				file = path.Join(path.Dir(page), target)
			}
			if strings.HasPrefix(file, "..") {
				t.Errorf("%s: the link %s leads out of the module", page, m[1])
				continue
			}
			info, err := os.Stat(filepath.Join(root, file))
			switch {
			case err != nil:
				t.Errorf("%s: the link %s leads nowhere: there is no %s", page, m[1], file)
			case hasAnchor && info.IsDir():
				t.Errorf("%s: the link %s needs a page, and %s is a folder", page, m[1], file)
			case hasAnchor && !slices.Contains(anchors(t, file), anchor):
				t.Errorf("%s: the link %s leads nowhere: %s has no such heading", page, m[1], file)
			}
		}
	}
	if found < 40 {
		t.Errorf("the pages have %d links; has the way they are written changed?", found)
	}
}

// anchors lists the names by which the headings of a page can be linked to, as GitHub makes them.
func anchors(t *testing.T, page string) []string {
	t.Helper()
	_, prose := blocks(t, page)
	var all []string
	for _, m := range heading.FindAllStringSubmatch(prose, -1) {
		all = append(all, strings.Map(func(r rune) rune {
			switch {
			case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
				return unicode.ToLower(r)
			case r == ' ':
				return '-'
			}
			return -1
		}, m[1]))
	}
	return all
}

var (
	goTest     = regexp.MustCompile(`\bgo test\b(?:'[^']*'|[^#\n|])*`)
	goRun      = regexp.MustCompile(`\bgo run (?:-C (\S+) )?(\./[\w/-]+)`)
	testOption = regexp.MustCompile(`-(run|bench|fuzz) ('[^']*'|\S+)`)
	testFunc   = regexp.MustCompile(`(?m)^func ((?:Test|Benchmark|Fuzz)\w*)\(`)
)

// TestCommands checks that each command in a page names packages and tests that exist.
func TestCommands(t *testing.T) {
	found := 0
	for _, page := range files(t, ".md") {
		text := read(t, page)
		for _, m := range goRun.FindAllStringSubmatch(text, -1) {
			if _, err := os.Stat(filepath.Join(root, m[1], m[2], "main.go")); err != nil {
				t.Errorf("%s: %s: there is no such program", page, m[0])
			}
		}
		for _, command := range goTest.FindAllString(text, -1) {
			command, _, _ = strings.Cut(command, "`")
			found++
			checkTest(t, page, strings.TrimSpace(command))
		}
	}
	if found < 8 {
		t.Errorf("the pages have %d commands that test; has the way they are written changed?", found)
	}
}

// checkTest checks one command "go test".
func checkTest(t *testing.T, page, command string) {
	t.Helper()
	var tests []string
	packages, folder := 0, ""
	if rest, ok := strings.CutPrefix(command, "go test -C "); ok { // a module of its own
		folder, _, _ = strings.Cut(rest, " ")
	}
	for _, word := range strings.Fields(command) {
		if word != "." && !strings.HasPrefix(word, "./") || word == "./..." {
			continue
		}
		packages++
		sources, err := filepath.Glob(filepath.Join(root, folder, word, "*_test.go"))
		if err != nil || len(sources) == 0 {
			t.Errorf("%s: %s: %s is no package with tests", page, command, word)
		}
		for _, file := range sources {
			for _, m := range testFunc.FindAllStringSubmatch(read(t, strings.TrimPrefix(file, root)), -1) {
				tests = append(tests, m[1])
			}
		}
	}
	for _, m := range testOption.FindAllStringSubmatch(command, -1) {
		pattern, _, _ := strings.Cut(strings.Trim(m[2], "'"), "/") // sub-tests come after the slash
		if pattern == "^$" || packages == 0 {
			continue
		}
		match, err := regexp.Compile(pattern)
		if err != nil {
			t.Errorf("%s: %s: %v", page, command, err)
			continue
		}
		prefix := map[string]string{"run": "Test", "bench": "Benchmark", "fuzz": "Fuzz"}[m[1]]
		if !slices.ContainsFunc(tests, func(name string) bool { return strings.HasPrefix(name, prefix) && match.MatchString(name) }) {
			t.Errorf("%s: %s: no %s matches %s", page, command, prefix, pattern)
		}
	}
}
