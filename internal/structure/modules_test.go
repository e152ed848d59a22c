package structure

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestModules holds the rules for modules of their own, which CONTRIBUTING.md explains.
func TestModules(t *testing.T) {
	var modules []string
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && strings.HasPrefix(d.Name(), "."):
			return fs.SkipDir
		case d.Name() == "go.mod" && path.Dir(name) != ".":
			modules = append(modules, path.Dir(name))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(modules, "otelscim") {
		t.Fatalf("modules %q: does this test look at the right folder?", modules)
	}
	read := func(name string) string {
		b, err := os.ReadFile(filepath.Join(root, name))
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		return string(b)
	}
	guide := read("CONTRIBUTING.md")
	for _, m := range modules {
		up := strings.Repeat("../", strings.Count(m, "/")) + ".."
		if !strings.Contains(read(m+"/go.mod"), module+" => "+up+"\n") && !strings.Contains(read(m+"/go.work"), "\t"+up+"\n") {
			t.Errorf("%s: neither a replace in go.mod nor a go.work takes the root from %s", m, up)
		}
		if !strings.Contains(guide, "`"+m+"`") {
			t.Errorf("CONTRIBUTING.md does not say what the module %s is for", m)
		}
	}
	if ignored := strings.Split(read(".gitignore"), "\n"); !slices.Contains(ignored, "/go.work") || !slices.Contains(ignored, "/go.work.sum") {
		t.Error(".gitignore must have /go.work and /go.work.sum: CONTRIBUTING.md says why the root has none")
	}
	if !strings.Contains(read(".ci/run"), "find . -mindepth 2 -name go.mod") {
		t.Error(".ci/run does not look for modules")
	}
}
