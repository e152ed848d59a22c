package sqlstore_test

import (
	"os/exec"
	"strings"
	"testing"
)

// Stores use the public packages only: what they could not do without an internal package,
// an adapter of somebody else could not do either.
func TestStoresImportNothingInternal(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "github.com/scimkit/scim/store/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	packages := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(packages) < 4 {
		t.Fatalf("go list names %d packages, want all stores and their parts: %q", len(packages), packages)
	}
	for _, line := range packages {
		words := strings.Fields(line)
		for _, path := range words[1:] {
			if strings.HasPrefix(path+"/", "github.com/scimkit/scim/internal/") {
				t.Errorf("%s imports %s: export what adapters need from package scim", words[0], path)
			}
		}
	}
}
