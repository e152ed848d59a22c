package console

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"reflect"
	"strings"
	"time"
)

//go:embed assets
var files embed.FS

// page is what the layout shows.
type page struct {
	Title string
	// Root is the relative address of the console, and Base that of the tenant's pages. Both end with "/".
	Root, Base string
	Viewer     Viewer
	// Tenant is the tenant's name. "": the page belongs to none.
	Tenant string
	Nav    []navItem
	// Home is Options.Home; "" on pages for people without an account.
	Home string
	// Up names the first page, to which a link leads. "": there is none.
	Up string
	// Ending is the address that ends to see the tenant as its administrators do, and Seeing the one that begins it. "": no.
	Ending, Seeing string
	// Down says why a part of the page is missing. "": nothing is.
	Down string
	Body any
}

const allTenants = "All tenants"

// partData is what the parts of a page show.
type partData struct {
	Base     string
	Standing *standing
	Rows     []row
}

// problemData is what the part of a problem shows.
type problemData struct {
	Base string
	P    problemView
}

// navItem is a line of the navigation.
type navItem struct {
	Path, Name string
	IsCurrent  bool
	// Count is called when the page is written, after what the page itself reads. Nil: the line has no number.
	Count func() int
}

// newPage returns the page that a request asks for. current is the path of its line in the navigation.
func (c *Console) newPage(q *request, current, title string, body any) *page {
	p := &page{Title: title, Root: rootOf(q.r), Viewer: q.viewer, Tenant: q.name(), Home: c.o.Home, Body: body}
	if len(q.viewer.Tenants) > 1 {
		p.Up = allTenants
	}
	p.Base = q.base()
	switch {
	case q.seesAs:
		p.Ending = basePath(p.Root, q.id)
	case q.viewer.SeeAs != nil && q.id != "":
		p.Seeing = p.Root + "as/" + segmentOf(q.id) + "/"
	}
	for _, item := range q.nav() {
		item.IsCurrent = item.Path == current
		p.Nav = append(p.Nav, item)
	}
	return p
}

// nav returns the navigation, without pages for which the tenant has nothing.
func (q *request) nav() []navItem {
	all := []navItem{{Path: "", Name: "Overview"}, {Path: "problems", Name: "Problems", Count: q.countProblems}, {Path: "activity", Name: "Activity"}}
	if q.tenant.Directory != nil {
		all = append(all, navItem{Path: "people", Name: "People"}, navItem{Path: "groups", Name: "Groups"})
	}
	return append(all, navItem{Path: "health", Name: "Health"}, navItem{Path: "connection", Name: "Connection"})
}

// name returns the tenant's name for people.
func (q *request) name() string {
	switch {
	case q.tenant.Name != "":
		return q.tenant.Name
	case q.id != "":
		return q.id
	}
	return "Provisioning"
}

// rootOf returns the relative address of the console's first page. It depends on no prefix.
func rootOf(r *http.Request) string {
	depth := strings.Count(strings.TrimPrefix(r.URL.EscapedPath(), "/"), "/")
	if depth == 0 {
		return "./"
	}
	return strings.Repeat("../", depth)
}

// basePath returns the address of the tenant's pages below root.
func basePath(root, tenant string) string {
	root = strings.TrimSuffix(root, "/") + "/"
	if tenant == "" {
		return root
	}
	return root + "t/" + segmentOf(tenant) + "/"
}

// base returns the relative address of the tenant's pages, as the viewer sees them.
func (q *request) base() string {
	if q.seesAs {
		return rootOf(q.r) + "as/" + segmentOf(q.id) + "/"
	}
	return basePath(rootOf(q.r), q.id)
}

// segmentOf writes the id of a tenant as a segment of a path. Ids that browsers and routers would change are encoded.
func segmentOf(id string) string {
	if strings.HasPrefix(id, "~") || strings.Trim(id, ".") == "" || strings.ContainsAny(id, "/\\") {
		return "~" + base64.RawURLEncoding.EncodeToString([]byte(id))
	}
	return url.PathEscape(id)
}

// tenantIn returns the id of the tenant in the address of a request.
func tenantIn(r *http.Request) string { return idIn(r.PathValue("tenant")) }

// idIn reads a segment that segmentOf has written.
func idIn(segment string) string {
	code, isCode := strings.CutPrefix(segment, "~")
	if !isCode {
		return segment
	}
	id, err := base64.RawURLEncoding.DecodeString(code)
	if err != nil || len(id) == 0 {
		return segment // no id is like this
	}
	return string(id)
}

// asset is a file for browsers.
type asset struct {
	kind, hash string
	text       []byte
}

// readAssets reads the style and the script.
func readAssets() (map[string]asset, error) {
	all := map[string]asset{}
	for name, kind := range map[string]string{"style.css": "text/css; charset=utf-8", "script.js": "text/javascript; charset=utf-8"} {
		text, err := files.ReadFile("assets/" + name)
		if err != nil {
			return nil, fmt.Errorf("console: %w", err)
		}
		sum := sha256.Sum256(text)
		all[name] = asset{kind, hex.EncodeToString(sum[:8]), text}
	}
	return all, nil
}

// serveAsset serves a file, which browsers keep for as long as its name has the same hash.
func (c *Console) serveAsset(name string) http.HandlerFunc {
	a := c.assets[name]
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", a.kind)
		w.Header().Set("Cache-Control", "private, no-cache")
		if r.URL.Query().Get("v") == a.hash {
			w.Header().Set("Cache-Control", "private, max-age=31536000, immutable")
		}
		w.Write(a.text) //nolint:errcheck // the browser is gone
	}
}

// parsePages parses the templates: each page with the layout and the parts.
func (c *Console) parsePages() (map[string]*template.Template, error) {
	shared, err := template.New("").Funcs(template.FuncMap{
		"asset":      func(name string) string { return "assets/" + name + "?v=" + c.assets[name].hash },
		"utc":        func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") },
		"clock":      func(t time.Time) string { return clockOf(t, c.o.Now()) },
		"iso":        func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"ago":        func(t time.Time) string { return agoOf(t, c.o.Now()) },
		"count":      func(n any, one, many string) string { return countOf(int(reflect.ValueOf(n).Int()), one, many) },
		"number":     numberOf,
		"with_base":  func(base string, s *standing, rows []row) partData { return partData{base, s, rows} },
		"short":      shorten,
		"path":       url.PathEscape,
		"json":       colour,
		"seg":        segmentOf,
		"problem_at": func(base string, p problemView) problemData { return problemData{base, p} },
	}).ParseFS(files, "assets/layout.html", "assets/parts.html")
	if err != nil {
		return nil, fmt.Errorf("console: %w", err)
	}
	names, err := fs.Glob(files, "assets/pages/*.html")
	if err != nil {
		return nil, fmt.Errorf("console: %w", err)
	}
	all := map[string]*template.Template{}
	for _, name := range names {
		t, err := shared.Clone()
		if err == nil {
			t, err = t.ParseFS(files, name)
		}
		if err != nil {
			return nil, fmt.Errorf("console: %w", err)
		}
		all[strings.TrimSuffix(path.Base(name), ".html")] = t
	}
	return all, nil
}
