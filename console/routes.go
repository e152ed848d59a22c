package console

import (
	"net/http"
	"path"
	"strings"
)

// pages are what viewers read in a tenant, by their paths.
func pages() map[string]show {
	return map[string]show{
		"{$}":             showOverview,
		"activity":        showActivity,
		"activity/newest": showNewest,
		"activity/{id}":   showEntry,
		"problems":        showProblems,
		"people":          showPeople,
		"people/{id}":     showPerson,
		"groups":          showGroups,
		"groups/{id}":     showGroup,
		"connection":      showConnection,
		"health":          showHealth,
	}
}

// act is what a viewer does. Each leaves an Act of its kind.
type act struct {
	kind ActKind
	do   show
}

// acts are what viewers do in a tenant, by their paths. A browser sends them by POST.
func acts() map[string]act {
	return map[string]act{
		"activity/{id}/bodies":          {ReadBodies, showBodies},
		"activity/{id}/again":           {TryAgain, tryAgain},
		"groups/pending":                {Confirm, decidePending},
		"connection/test":               {TestConnection, testConnection},
		"connection/tokens":             {IssueToken, issueToken},
		"connection/tokens/{id}/rotate": {RotateToken, rotateToken},
		"connection/tokens/{id}/revoke": {RevokeToken, revokeToken},
		"connection/links":              {MakeSetupLink, makeLink},
		"connection/links/end":          {EndSetupLinks, endLinks},
		"connection/links/{id}/end":     {EndSetupLink, endLink},
	}
}

func (c *Console) routes() http.Handler {
	mux := http.NewServeMux()
	c.addAssets(mux)
	for p, f := range pages() {
		if p == "{$}" {
			mux.HandleFunc("GET /{$}", c.start)
		} else {
			mux.HandleFunc("GET /"+p, c.serve("", f))
		}
		mux.HandleFunc("GET /t/{tenant}/"+p, c.serve("", f))
		mux.HandleFunc("GET /as/{tenant}/"+p, c.seeAs(p, f))
	}
	for p, a := range acts() {
		mux.HandleFunc("POST /"+p, c.serve(a.kind, a.do))
		mux.HandleFunc("POST /t/{tenant}/"+p, c.serve(a.kind, a.do))
	}
	mux.HandleFunc("/as/{tenant}/{rest...}", c.refuseAs)
	mux.HandleFunc("GET /t/{tenant}", addSlash)
	mux.HandleFunc("GET /as/{tenant}", addSlash)
	mux.HandleFunc("/", c.notFound)
	return clean(mux, c.notFound)
}

// addAssets adds the style and the script.
func (c *Console) addAssets(mux *http.ServeMux) {
	for name := range c.assets {
		mux.HandleFunc("GET /assets/"+name, c.serveAsset(name))
	}
}

// addSlash leads to the same address with "/" at its end.
func addSlash(w http.ResponseWriter, r *http.Request) {
	all := r.URL.EscapedPath()
	redirect(w, "."+all[strings.LastIndexByte(all, '/'):]+"/")
}

// clean keeps paths from mux that it would redirect to a cleaned one: an absolute one, without the prefix under which the
// console is mounted.
func clean(mux *http.ServeMux, notFound http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p := r.URL.EscapedPath()
		cleaned := path.Clean(p)
		if strings.HasSuffix(p, "/") && cleaned != "/" {
			cleaned += "/"
		}
		if !strings.HasPrefix(p, "/") || p != cleaned {
			notFound(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
}
