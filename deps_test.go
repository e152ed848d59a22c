package scim_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// TestDependencies keeps out of the applications that import this package what only
// some of them need: they would compile it, scan it and update it for nothing.
func TestDependencies(t *testing.T) {
	for _, row := range []struct{ pkg, reason string }{
		{".", "every host imports the root package"},
		{"./auth", "every host needs an authenticator; only auth/oauth2 knows JWTs"},
		{"./auth/signin", "applications have an OpenID Connect library already"},
		{"./tenants", "an application with many tenants needs no more than one with a single tenant"},
		{"./health", "probes are for every host"},
		{"./rules", "rules are for every host; only rules/phone knows telephone numbers"},
		{"./store/memory", "tests of every host use the memory store"},
	} {
		out, err := exec.Command("go", "list", "-deps", row.pkg).Output()
		if err != nil {
			t.Fatalf("go list -deps %s: %v", row.pkg, err)
		}
		deps := strings.Fields(string(out))
		if !slices.Contains(deps, "net/http") {
			t.Fatalf("go list -deps %s has no net/http: is this test looking at the right thing?", row.pkg)
		}
		for _, dep := range deps {
			for _, bad := range unwanted {
				// database/sql/driver is only the interface by which uuid knows databases.
				if (dep == bad.path || strings.HasPrefix(dep, bad.path+"/")) && dep != "database/sql/driver" {
					t.Errorf("%s imports %s, %s; %s", row.pkg, dep, bad.what, row.reason)
				}
			}
		}
	}
}

// TestPhoneLibrary keeps the telephone plans of all countries out of every package but one.
func TestPhoneLibrary(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", "{{.ImportPath}} {{.Imports}} {{.TestImports}} {{.XTestImports}}", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var importers []string
	for line := range strings.Lines(string(out)) {
		if name, imports, _ := strings.Cut(line, " "); strings.Contains(imports, "github.com/nyaruka/") {
			importers = append(importers, name)
		}
	}
	if want := []string{"github.com/scimkit/scim/rules/phone"}; !slices.Equal(importers, want) {
		t.Errorf("a phone library is imported by %v, want %v", importers, want)
	}
}

var unwanted = []struct{ path, what string }{
	{"database/sql", "the database interface"},
	{"golang.org/x/time", "the rate limiter of package ratelimit"},
	{"modernc.org", "the SQLite driver"},
	{"github.com/jackc", "the PostgreSQL driver"},
	{"github.com/lib/pq", "a PostgreSQL driver"},
	{"github.com/go-sql-driver", "the MariaDB driver"},
	{"github.com/mattn/go-sqlite3", "an SQLite driver"},
	{"github.com/golang-jwt", "a JWT library"},
	{"github.com/go-jose", "a JWT library"},
	{"github.com/coreos/go-oidc", "an OpenID Connect library"},
	{"github.com/MicahParks", "a JWT library"},
	{"golang.org/x/oauth2", "an OAuth library"},
	{"github.com/nyaruka", "a phone library"},
	{"go.opentelemetry.io", "OpenTelemetry, which the module otelscim brings"},
	{"github.com/prometheus", "Prometheus, which examples/observed brings"},
	{"github.com/go-chi", "a router"},
	{"testing", "the test framework"},
	{"github.com/google/go-cmp", "a test library"},
	{"pgregory.net", "a test library"},
	{"github.com/stretchr", "a test library"},
}
