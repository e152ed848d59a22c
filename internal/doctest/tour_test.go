package doctest

import (
	"context"
	"go/ast"
	"go/doc"
	"go/doc/comment"
	"go/parser"
	"go/token"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/store/memory"
)

// What follows, up to the end marker, is in the package comment of scim, doc.go, with
// pieces of the pages.

func run(store scim.Store, app *App, pages http.Handler) error {
	h, err := scim.New(scim.Config{
		Store: store,
		Auth:  auth.Bearer(auth.TokenOf(os.Getenv("SCIM_TOKEN"))),
		Roles: &scim.Roles{Resolver: app},
	})
	if err != nil {
		return err
	}
	server := &http.Server{Addr: "localhost:8080", Handler: scim.Mount("/scim/v2", h, pages),
		ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 2 * time.Minute, WriteTimeout: 5 * time.Minute,
		IdleTimeout: 2 * time.Minute}
	return server.ListenAndServe()
}

func (a *App) ResolveRoles(_ context.Context, src scim.RoleSource) ([]scim.Role, error) {
	if role, ok := a.byName[src.Name()]; ok {
		return []scim.Role{role}, nil
	}
	return nil, scim.ErrNoRole
}

// The end of what the package comment shows.

var _ = run

// App is the application of the tour.
type App struct {
	*roleMap
	byName map[string]scim.Role
}

// tour returns the package comment of scim, parsed, and its printer.
func tour(t *testing.T) *comment.Doc {
	t.Helper()
	fset := token.NewFileSet()
	var parsed []*ast.File
	names, err := filepath.Glob(filepath.Join(root, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		f, err := parser.ParseFile(fset, name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		parsed = append(parsed, f)
	}
	pkg, err := doc.NewFromFiles(fset, parsed, "github.com/scimkit/scim")
	if err != nil {
		t.Fatal(err)
	}
	return pkg.Parser().Parse(pkg.Doc)
}

// pieces returns the pieces of code of the package comment.
func pieces(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, b := range tour(t).Content {
		if code, ok := b.(*comment.Code); ok {
			all = append(all, code.Text)
		}
	}
	return all
}

var isRequest = regexp.MustCompile(`(?m)^(POST|PATCH|PUT|DELETE) (\S+) (.*)$`)

// TestTourCode finds the code of the package comment in this package.
func TestTourCode(t *testing.T) {
	sources, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	var compiled strings.Builder
	for _, name := range sources {
		compiled.WriteString(" " + squeeze(read(t, "internal/doctest/"+name)))
	}
	found := pieces(t)
	if len(found) < 4 {
		t.Fatalf("the package comment has %d pieces of code", len(found))
	}
	for _, code := range found {
		if !isRequest.MatchString(code) && !strings.Contains(compiled.String(), squeeze(code)) {
			t.Errorf("doc.go has code that is not compiled in internal/doctest:\n%s", code)
		}
	}
}

// TestTourLinks finds what the links of the package comment name: identifiers and pages.
func TestTourLinks(t *testing.T) {
	d := tour(t)
	pages := 0
	for _, l := range d.Links {
		page, ok := strings.CutPrefix(l.URL, "https://github.com/scimkit/scim/blob/main/")
		if !ok || !l.Used {
			t.Errorf("doc.go: the link %q leads to %s, used: %v", l.Text, l.URL, l.Used)
			continue
		}
		pages++
		if _, err := os.Stat(filepath.Join(root, page)); err != nil {
			t.Errorf("doc.go: the link %q leads nowhere: %v", l.Text, err)
		}
	}
	if pages == 0 {
		t.Error("doc.go links to no page")
	}
	d.Links = nil // else their definitions are in the text
	text := string(new(comment.Printer).Text(d))
	if m := regexp.MustCompile(`\[[A-Z]\w*(\.\w+)?\]`).FindString(text); m != "" {
		t.Errorf("doc.go links to %s, which there is not", m)
	}
}

// TestTour sends the requests of the package comment.
func TestTour(t *testing.T) {
	m := newRoleMap()
	app := &App{m, map[string]scim.Role{"Editor": m.roles[0]}}
	h := scim.Mount("/scim/v2", handler(t, scim.Config{Store: memory.New(), Roles: &scim.Roles{Resolver: app}}), nil)
	first, last := "", ""
	for _, code := range pieces(t) {
		for _, r := range isRequest.FindAllStringSubmatch(code, -1) {
			last = id(request(t, h, http.StatusCreated, r[1], r[2], strings.ReplaceAll(r[3], "{id}", first)))
			if first == "" {
				first = last
			}
		}
	}
	if held := m.held[first]; len(held) != 1 || held[0].Name != "Editor" {
		t.Errorf("after the requests of doc.go the user holds %v, want Editor", held)
	}
	request(t, h, http.StatusNoContent, "DELETE", "/scim/v2/Groups/"+last, "")
	if held := m.held[first]; len(held) != 0 {
		t.Errorf("without the group the user holds %v", held)
	}
}
