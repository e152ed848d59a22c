package main

import (
	"crypto/rand"
	"html/template"
	"net/http"

	"github.com/zitadel/oidc/v3/pkg/op"
)

// newServer puts the protocol and the page for signing in together.
func newServer(issuer string, store *storage) (http.Handler, error) {
	var key [32]byte // encrypts authorization codes
	rand.Read(key[:])
	provider, err := op.NewProvider(&op.Config{CryptoKey: key, CodeMethodS256: true, AuthMethodPost: true, GrantTypeRefreshToken: true},
		store, op.StaticIssuer(issuer), op.WithAllowInsecure()) // http, because this is for loopback
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	signIn := op.NewIssuerInterceptor(provider.IssuerFromRequest).HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.PostFormValue("id")
		if !store.signIn(id, r.PostFormValue("name"), r.PostFormValue("password")) {
			w.WriteHeader(http.StatusForbidden)
			show(w, id, "The name or the password is wrong, or this took too long.")
			return
		}
		http.Redirect(w, r, op.AuthCallbackURL(provider)(r.Context(), id), http.StatusSeeOther)
	})
	mux.Handle("POST /login", http.NewCrossOriginProtection().Handler(signIn))
	mux.HandleFunc("GET /login", func(w http.ResponseWriter, r *http.Request) { show(w, r.URL.Query().Get("id"), "") })
	mux.HandleFunc("GET /authorize", func(w http.ResponseWriter, r *http.Request) {
		// Okta's form has no field for scopes: it asks for those in the address that it was given.
		if q := r.URL.Query(); q.Get("scope") == "" {
			q.Set("scope", scope+" offline_access")
			r.URL.RawQuery = q.Encode()
		}
		provider.ServeHTTP(w, r)
	})
	mux.Handle("/", provider)
	return mux, nil
}

var page = template.Must(template.New("").Parse(`<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Sign in</title>
<p>Okta wants to manage users and groups of this application.</p>
{{with .Error}}<p>{{.}}</p>{{end}}
<form method="post" action="/login"><input type="hidden" name="id" value="{{.ID}}">
<label>Name <input name="name" required></label> <label>Password <input name="password" type="password" required></label>
<button>Sign in and allow</button></form></html>
`))

func show(w http.ResponseWriter, id, message string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; base-uri 'none'; frame-ancestors 'none'")
	page.Execute(w, struct{ ID, Error string }{id, message}) //nolint:errcheck // the browser is gone
}
