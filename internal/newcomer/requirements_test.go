package newcomer

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const module = "github.com/scimkit/scim"

var requirement = regexp.MustCompile(`(?m)^(?:require )?\t?([^\s/]+\.[^\s]+) v[^\s]+(?: // indirect)?$`)

// requirements are the modules that a go.mod requires.
func requirements(t *testing.T, file string) map[string]bool {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]bool{}
	for _, m := range requirement.FindAllStringSubmatch(string(b), -1) {
		all[m[1]] = true
	}
	if len(all) == 0 {
		t.Fatalf("%s requires nothing: does this test read it right?", file)
	}
	return all
}

// TestApplicationsGetNoMore makes an application outside of the repository that imports all public
// packages. Its go.sum has nothing of the modules that only the repository's other modules require.
func TestApplicationsGetNoMore(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	run := func(in string, args ...string) string {
		t.Helper()
		cmd := exec.Command("go", args...)
		cmd.Dir = in
		// The module cache has everything, because the root has been built.
		cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod", "GOPROXY=off", "GOSUMDB=off")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", cmd, err, out)
		}
		return string(out)
	}
	var imports strings.Builder
	for _, p := range strings.Fields(run(root, "list", "./...")) {
		if !strings.Contains(p, "/internal/") && !strings.Contains(p, "/examples/") {
			fmt.Fprintf(&imports, "import _ %q\n", p)
		}
	}
	files := map[string]string{
		"go.mod":  "module example.com/app\n\ngo 1.26.0\n\nrequire " + module + " v0.0.0\n\nreplace " + module + " => " + root + "\n",
		"main.go": "package main\n\n" + imports.String() + "\nfunc main() {}\n",
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run(dir, "build", "-o", os.DevNull, ".")
	sum, err := os.ReadFile(filepath.Join(dir, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(sum), "\ngithub.com/google/uuid ") {
		t.Fatalf("go.sum lacks what scim needs: does this test build the right thing?\n%s", sum)
	}
	own := requirements(t, filepath.Join(root, "go.mod"))
	others := 0
	for _, m := range []string{"otelscim", "examples/observed", "examples/recipes", "internal/drivers"} {
		for path := range requirements(t, filepath.Join(root, m, "go.mod")) {
			if own[path] || path == module {
				continue
			}
			others++
			if strings.Contains(string(sum), "\n"+path+" ") {
				t.Errorf("an application gets %s, which only %s needs", path, m)
			}
		}
	}
	if others < 20 {
		t.Errorf("the other modules require %d modules of their own: does this test read them?", others)
	}
}
