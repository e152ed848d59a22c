package structure

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
)

const (
	module = "github.com/scimkit/scim"
	root   = "../.." // the folder of the module
)

// goPackage is what go list says about a package.
type goPackage struct {
	ImportPath, Dir, Export            string
	GoFiles                            []string
	Imports, TestImports, XTestImports []string
}

// listPackages runs go list in the root.
func listPackages(t *testing.T, flags ...string) []goPackage {
	t.Helper()
	cmd := exec.Command("go", append(append([]string{"list", "-json=ImportPath,Dir,Export,GoFiles,Imports,TestImports,XTestImports"}, flags...), "./...")...)
	cmd.Dir = root
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, stderr.String())
	}
	var packages []goPackage
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatalf("%s: %v", cmd, err)
		}
		packages = append(packages, p)
	}
}

// inModule returns the path of a package below the module's, "." for the root. It reports
// whether the package is part of the module.
func inModule(importPath string) (string, bool) {
	if importPath == module {
		return ".", true
	}
	return strings.CutPrefix(importPath, module+"/")
}
